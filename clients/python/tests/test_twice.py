"""One script, run on np.memmap and on RemoteArray: what is read, refused and in the file is the same."""

import numpy as np
import pytest
from conftest import cases

GROUPS = 40
PER_GROUP = cases(20, 60)

DTYPES = ["<f8", ">f4", "<f2", "|i1", ">i2", "<i8", "<u8", "|b1", "<c16", "<M8[s]", "|S3", "<U2", "struct"]
STRUCT = np.dtype([("a", "<i4"), ("b", ">f8", (2,)), ("c", "|S4")])


def filled(rng, dtype, shape):
    """Small numbers, which every dtype and every sum of them holds."""
    numbers = rng.integers(0, 50, shape)
    if dtype == "struct":
        array = np.zeros(shape, STRUCT)
        array["a"], array["b"], array["c"] = numbers, numbers[..., None] + 0.5, numbers.astype("S4")
        return array
    kind = np.dtype(dtype).kind
    if kind == "b":
        return numbers % 3 == 0
    if kind == "f":
        return (numbers / 4 - 3).astype(dtype)
    return numbers.astype(dtype)


def part(rng, length):
    """A slice, an integer, a list of integers or of booleans for an axis."""
    which = rng.integers(0, 8)
    if which < 3:
        bounds = [None if rng.random() < 0.3 else int(rng.integers(-length - 2, length + 3)) for _ in range(2)]
        step = [None, 1, 2, -1, -3, 5][rng.integers(0, 6)]
        return slice(*bounds, step)
    if which < 5 and length:
        return int(rng.integers(-length, length))
    if which == 5 and length:
        return rng.integers(-length, length, rng.integers(0, 5)).tolist()
    if which == 6:
        return (rng.random(length) < 0.5).tolist()
    return slice(None)


def lists_fit(key):
    """Lists that go together have to broadcast: at most one of them in most cases."""
    return sum(isinstance(each, list) for each in key) <= 1


def key_for(rng, shape):
    """What stands in brackets, sometimes too much or out of bounds."""
    if shape and rng.random() < 0.08:
        return np.asarray(rng.random(shape[: rng.integers(1, len(shape) + 1)]) < 0.4)
    if shape and rng.random() < 0.05:
        return shape[0] + int(rng.integers(0, 3))
    if len(shape) >= 2 and rng.random() < 0.1:
        size = int(rng.integers(1, 4))
        pair = [rng.integers(-n, n, size) for n in shape[:2] if n]
        return tuple(pair)
    taken = int(rng.integers(0, len(shape) + 1))
    key = [part(rng, n) for n in shape[:taken]]
    if not lists_fit(key) and rng.random() < 0.8:
        key = [slice(None) if isinstance(each, list) else each for each in key]
    if rng.random() < 0.2:
        key.insert(int(rng.integers(0, len(key) + 1)), None)
    if rng.random() < 0.3:
        key.insert(int(rng.integers(0, len(key) + 1)), ...)
    if rng.random() < 0.03:
        key += [0] * (len(shape) + 1)
    return tuple(key) if len(key) != 1 or rng.random() < 0.5 else key[0]


def reduction_for(rng, dtype, shape):
    """A reduction by numpy's function or by the method, with axes, keepdims, ddof and where."""
    kind = "V" if dtype == "struct" else np.dtype(dtype).kind
    names = {
        "f": "mean std var sum min max argmin argmax median quantile any all ptp count_nonzero histogram",
        "i": "mean std var sum min max argmin argmax median quantile any all ptp count_nonzero histogram",
        "u": "mean std var sum min max argmin argmax median quantile any all ptp count_nonzero histogram",
        "b": "mean sum min max any all argmax count_nonzero",
        "c": "mean sum var std any all",
        "M": "min max argmin argmax",
    }.get(kind)
    if names is None:
        return None
    name = str(rng.choice(names.split()))
    options = {}
    if shape and rng.random() < 0.6 and name != "histogram":
        axis = int(rng.integers(-len(shape), len(shape)))
        several = rng.random() < 0.2 and not name.startswith("arg")
        options["axis"] = (axis,) if several else axis
    if rng.random() < 0.05 and name != "histogram":
        options["axis"] = len(shape) + 1
    if rng.random() < 0.3 and name != "histogram":
        options["keepdims"] = True
    if name in ("std", "var") and rng.random() < 0.5:
        options["ddof"] = 1
    if name in ("mean", "sum", "std", "var", "any", "all") and rng.random() < 0.2:
        options["where"] = rng.random(shape) < 0.7
    args = {"quantile": [[0.1, 0.5]], "histogram": [5]}.get(name, [])
    return lambda a: getattr(np, name)(a, *args, **options)


def assignment_for(rng, dtype, shape):
    """A key and what numpy takes for it: a scalar, all values, or a row of them."""
    key = key_for(rng, shape)
    try:
        result = np.empty(shape)[key].shape
    except IndexError:
        return lambda a: a.__setitem__(key, filled(rng, dtype, ()))
    if 0 in result:
        # A slice that begins behind the end is refused by the service and passed over by numpy.
        return None
    which = rng.integers(0, 4)
    if which == 0:
        values = filled(rng, dtype, ())[()]
    elif which == 1 and result:
        values = filled(rng, dtype, (result[-1],))
    elif which == 2:
        values = filled(rng, dtype, (*result, 3)) if not (result and result[-1] in (1, 3)) else filled(rng, dtype, ())
    else:
        values = filled(rng, dtype, result)
    return lambda a: a.__setitem__(key, values)


def step_for(rng, dtype, shape):
    """One line of the script."""
    which = rng.random()
    if which < 0.4:
        key = key_for(rng, shape)
        return lambda a: a[key]
    if which < 0.65:
        return assignment_for(rng, dtype, shape)
    if dtype == "struct":
        name, key = str(rng.choice(["a", "b", "c"])), key_for(rng, shape)
        return lambda a: a[name][key]
    return reduction_for(rng, dtype, shape)


def outcome(step, array):
    """What a line gives, or the kind of exception that it raises."""
    with np.errstate(all="ignore"):
        try:
            return step(array)
        except (IndexError, ValueError, TypeError) as fault:
            return [kind for kind in (IndexError, ValueError, TypeError) if isinstance(fault, kind)]


def assert_same(expected, got):
    if isinstance(expected, list):
        # Of values that do not fit what a mask of several axes keeps, numpy says TypeError; here it is ValueError.
        also = {ValueError} if TypeError in expected else set()
        assert isinstance(got, list) and (set(expected) | also) & set(got), (expected, got)
        return
    if isinstance(expected, tuple):
        assert isinstance(got, tuple)
        for one, other in zip(expected, got, strict=True):
            assert_same(one, other)
        return
    assert not isinstance(got, list), got
    assert isinstance(got, np.ndarray) == isinstance(expected, np.ndarray), (type(expected), type(got))
    assert np.shape(got) == np.shape(expected)
    if expected is None:
        assert got is None
        return
    one, other = np.asarray(expected), np.asarray(got)
    assert other.dtype == one.dtype
    if one.dtype.kind in "fc":
        tolerance = {2: 4e-3, 4: 1e-5}.get(one.dtype.itemsize, 1e-12)
        np.testing.assert_allclose(other, one, rtol=tolerance, atol=tolerance)
    else:
        np.testing.assert_array_equal(other, one)


@pytest.mark.filterwarnings("ignore:Mean of empty", "ignore:Degrees of freedom", "ignore:invalid value")
@pytest.mark.parametrize("seed", range(GROUPS))
def test_the_same_script_on_both(seed, server, client):
    rng = np.random.default_rng([2026, seed])
    dtype = DTYPES[seed % len(DTYPES)]
    shape = tuple(int(n) for n in rng.integers(1, 9, rng.integers(1, 5)))
    if seed % 13 == 12:
        shape = ()
    order = "CF"[seed % 2]
    begin = np.asarray(filled(rng, dtype, shape), order=order)
    file = server.files / f"twice-{seed}.npy"
    np.save(file, begin)
    ours = server.files / f"twice-{seed}-memmap.npy"
    np.save(ours, begin)
    mapped = np.load(ours, mmap_mode="r+") if shape else np.load(ours)
    remote = client.register(f"twice-{seed}", str(file), mode="r+")
    assert (remote.shape, remote.dtype) == (mapped.shape, mapped.dtype)
    done = 0
    while done < PER_GROUP:
        step = step_for(rng, dtype, shape)
        if step is None:
            continue
        done += 1
        # A step may draw values: both draw the same.
        state = rng.bit_generator.state
        expected = outcome(step, mapped)
        rng.bit_generator.state = state
        got = outcome(step, remote)
        try:
            assert_same(expected, got)
        except AssertionError as fault:
            names = dict(zip(step.__code__.co_freevars, (c.cell_contents for c in step.__closure__ or ()), strict=True))
            raise AssertionError(f"case {done} of seed {seed}, {begin.dtype} {shape}: {names}\n{fault}") from fault
    np.testing.assert_array_equal(np.load(file), mapped)


def test_there_are_800_cases():
    assert GROUPS * PER_GROUP >= 800
