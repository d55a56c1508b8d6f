"""Random arrays that are tables, and what the columns and cells of each are, as numpy has them."""

import random

import numpy as np

NUMBERS = "b1 i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8".split()
OTHERS = "c8 c16 M8[D] M8[s] M8[25us] M8[ns] M8[Y] m8[s] S5 U4 V6".split()
TEXTS = ["", "a", 'a"b', "x,y", "l\nm", "é", "c\rd", " ", "NaN", "'"]


def random_values(rng, pick, dtype, shape):
    native = dtype.newbyteorder("=")
    if dtype.kind == "b":
        values = rng.random(shape) < 0.5
    elif dtype.kind in "iu":
        info = np.iinfo(native)
        values = rng.integers(info.min, info.max, shape, dtype=native.type, endpoint=True)
    elif dtype.kind in "fc":
        values = rng.standard_normal(shape) * 10 ** rng.uniform(-5, 5, shape)
        if pick.random() < 0.3:
            values = np.round(values, 2)
        if dtype.kind == "c":
            values = values + 1j * rng.standard_normal(shape)
        for odd in (np.nan, np.inf, -np.inf, -0.0):
            values = np.where(rng.random(shape) < pick.choice([0, 0, 0.2]), odd, values)
    elif dtype.kind in "mM":
        span = {"D": 10**6, "Y": 5000, "us": 2**55}.get(np.datetime_data(dtype)[0], 2**60)
        values = rng.integers(-span, span, shape)
        values = np.where(rng.random(shape) < pick.choice([0, 0.3]), np.iinfo("i8").min, values)
        values = np.asarray(values).astype("i8").view("%s8[%s]" % (dtype.kind, dtype.str.split("[")[1][:-1]))
    elif dtype.kind == "V":
        values = np.frombuffer(rng.bytes(dtype.itemsize * int(np.prod(shape))), "V6").reshape(shape)
    else:
        texts = [pick.choice(TEXTS) for _ in range(int(np.prod(shape)))]
        if dtype.kind == "S":
            texts = [text.encode("latin-1") for text in texts]
        values = np.array(texts, dtype=native).reshape(shape)
    with np.errstate(all="ignore"):
        return np.asarray(values).astype(dtype)


def random_dtype(pick, kinds=None):
    return np.dtype(pick.choice("<>") + pick.choice(kinds or NUMBERS * 2 + OTHERS))


def random_structure(pick):
    fields = []
    for name in pick.sample(["a", "b c", "d,e", "é", 'q"', "f"], pick.randint(1, 4)):
        dtype = random_dtype(pick)
        if pick.random() < 0.15:
            dtype = np.dtype([("x", random_dtype(pick)), ("y", random_dtype(pick), (2,))])
        fields.append((name, dtype, (2, 2)) if pick.random() < 0.15 else (name, dtype))
    return np.dtype(fields, align=pick.random() < 0.3)


def random_table(seed):
    """An array, and the names of its last axis or None."""
    pick = random.Random(seed)
    rng = np.random.default_rng(seed)
    if pick.random() < 0.3:
        dtype = random_structure(pick)
        shape = (pick.choice([0, 1, 2, 7, 300]),)
        array = np.zeros(shape, dtype)
        fill(rng, pick, array)
        return array, None
    shape = pick.choice([(), (1,), (9,), (0,), (3, 4), (50, 3), (7, 1), (0, 3), (2, 700), (600, 40)])
    array = random_values(rng, pick, random_dtype(pick), shape)
    array = np.asarray(array, order=pick.choice("CF"))
    names = None
    if shape and shape[-1] and pick.random() < 0.4:
        names = ["col %d" % i if i else 'first,"one"' for i in range(shape[-1])]
    return array, names


def fill(rng, pick, array):
    for name in array.dtype.names:
        inner = array.dtype[name].base
        if inner.names:
            fill(rng, pick, array[name])
        else:
            array[name] = random_values(rng, pick, inner, array[name].shape)


def columns_of(array, names, result_names):
    """Pairs of a name and a column, of an array that is a table."""
    if array.dtype.names:
        return list(columns_of_structure(np.atleast_1d(array)))
    if array.ndim < 2:
        return [((result_names or ["c0"])[0], np.atleast_1d(array))]
    labels = result_names or ["c%d" % i for i in range(array.shape[1])]
    return [(labels[i], array[:, i]) for i in range(array.shape[1])]


def leaves(array, prefix=""):
    """The innermost fields; of a sub-array each element, in C order, behind the name of the field that has them."""
    for name in array.dtype.names:
        column = array[name]
        path = prefix + name
        if column.dtype.names:
            for inner, values in leaves(column, path + "."):
                yield inner, values
        else:
            yield path, column


def columns_of_structure(array):
    for path, column in leaves(array):
        yield from spread(column, path)


def spread(column, path):
    if column.ndim == 1:
        yield path, column
    else:
        for i in range(column.shape[1]):
            yield from spread(column[:, i], "%s.%d" % (path, i))


def same_number(found, expected, dtype):
    """A float, or a part of a complex number, that was read from text."""
    found = np.asarray(found).astype(dtype.newbyteorder("="))
    expected = np.asarray(expected).astype(dtype.newbyteorder("="))
    return found.tobytes() == expected.tobytes() or (np.isnan(found) and np.isnan(expected))
