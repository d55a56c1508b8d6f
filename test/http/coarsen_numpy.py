"""Random arrays in files, and what numpy makes of their blocks: python coarsen_numpy.py FOLDER FIRST_SEED COUNT.

Prints a JSON list of questions, each with the whole .npy file that answers it.
"""

import base64
import io
import json
import math
import random
import sys

import numpy as np

NUMBERS = "i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8".split()
DATES = "M8[D] M8[ns] m8[s] m8[25us]".split()
METHODS = ["mean", "min", "max", "sum", "first", "minmax"]


def random_array(rng, pick):
    rank = pick.choice([0, 1, 1, 2, 2, 2, 3, 3, 4])
    longest = [0, 60, 14, 7, 5][rank]
    shape = tuple(0 if pick.random() < 0.03 else pick.randint(1, longest) for _ in range(rank))
    kind = pick.choice(NUMBERS + ["b1"] + DATES)
    dtype = np.dtype(pick.choice("<>") + kind)
    if kind == "b1":
        values = rng.random(shape) < 0.5
    elif dtype.kind in "mM":
        values = rng.integers(-(2**62), 2**62, shape).astype("i8")
        values = np.where(rng.random(shape) < pick.choice([0, 0.2, 0.8]), np.iinfo("i8").min, values)
    elif dtype.kind == "f":
        values = rng.standard_normal(shape) * 10 ** rng.uniform(-3, 3, shape)
        values = np.where(rng.random(shape) < pick.choice([0, 0, 0.2, 0.8]), np.nan, values)
        values = np.where(rng.random(shape) < pick.choice([0, 0, 0.05]), np.inf, values)
    else:
        info = np.iinfo(dtype)
        # Sums of 64-bit integers that fit.
        low, high = (int(info.min) // 2**9, int(info.max) // 2**9) if dtype.itemsize == 8 else (info.min, info.max)
        values = rng.integers(low, high, shape, dtype=dtype.newbyteorder("=").type, endpoint=True)
    values = np.asarray(values)
    array = values.view(dtype.newbyteorder("=")) if dtype.kind in "mM" else values.astype(dtype)
    return np.asarray(array.astype(dtype), order=pick.choice("CF"))


def random_slice(pick, shape):
    """Text, or None for everything."""
    if pick.random() < 0.4:
        return None
    parts = []
    for length in shape:
        kind = pick.random()
        if kind < 0.15 and length > 0:
            parts.append(str(pick.randrange(-length, length)))
        elif kind < 0.2:
            parts.append("newaxis")
            parts.append(":")
        elif kind < 0.4:
            parts.append("::%d" % pick.choice([-1, -1, 2, -2, 3]))
        elif kind < 0.7:
            parts.append("%d:%d" % (pick.randint(0, max(0, length // 3)), length))
        else:
            parts.append(":")
    return ",".join(parts) or None


def indexed(array, text):
    if text is None:
        return array
    # A single element is a scalar of the machine's byte order to numpy.
    return np.asarray(eval("array[%s]" % text, {"array": array, "newaxis": None}), array.dtype)


def is_missing(values):
    return np.isnat(values) if values.dtype.kind in "mM" else np.isnan(values) if values.dtype.kind == "f" else None


def of_block(block, method, nan):
    """One element of the answer. `block` in C order."""
    values = block.ravel()
    missing = is_missing(values)
    kind = values.dtype.kind
    if nan == "omit" and missing is not None:
        values = values[~missing]
        if values.size == 0:
            return 0.0 if method == "sum" else math.nan if kind == "f" else values.dtype.type("NaT")
    if method == "first":
        return values[0]
    if method == "min":
        return values.min()
    if method == "max":
        return values.max()
    if kind == "f":
        numbers = [float(value) for value in values]
        special = any(not math.isfinite(value) for value in numbers)
        total = float(np.sum(np.array(numbers))) if special else math.fsum(numbers)
    else:
        total = sum(int(value) for value in values)
    return total if method == "sum" else total / values.size


def result_dtype(dtype, method):
    if method == "mean":
        name = "f4" if dtype.kind == "f" and dtype.itemsize < 8 else "f8"
    elif method == "sum":
        name = {"f": "f8", "i": "i8", "u": "u8"}[dtype.kind]
    else:
        return dtype
    return np.dtype((">" if dtype.byteorder == ">" else "<") + name)


def coarsened(array, factors, method, nan):
    if method == "minmax":
        both = [coarsened(array, factors, each, nan) for each in ("min", "max")]
        return np.stack(both, axis=-1).astype(both[0].dtype)
    shape = tuple(-(-length // factor) for length, factor in zip(array.shape, factors))
    # Dates of no value are written as such.
    answer = np.empty(shape, result_dtype(array.dtype, method))
    for index in np.ndindex(shape):
        block = array[tuple(slice(i * f, (i + 1) * f) for i, f in zip(index, factors))]
        with np.errstate(all="ignore"):
            answer[index] = of_block(block, method, nan)
    return answer


def npy(array):
    out = io.BytesIO()
    np.save(out, np.ascontiguousarray(array) if array.ndim else array)
    return base64.b64encode(out.getvalue()).decode()


def main(folder, first, count):
    cases = []
    for seed in range(first, first + count):
        pick = random.Random(seed)
        array = random_array(np.random.default_rng(seed), pick)
        np.save("%s/c%d.npy" % (folder, seed), array)
        text = random_slice(pick, array.shape)
        part = indexed(array, text)
        factors = [pick.choice([1, 2, 3, 4, pick.randint(1, length + 3)]) for length in part.shape]
        kinds = METHODS if array.dtype.kind in "iuf" else ["min", "max", "first", "minmax"]
        method = pick.choice(kinds)
        nan = pick.choice(["propagate", "omit"])
        answer = coarsened(part, factors, method, nan)
        is_exact = method not in ("mean", "sum") or array.dtype.kind != "f"
        case = {
            "name": "c%d" % seed,
            "slice": text,
            "coarsen": ",".join(map(str, factors)),
            "method": method,
            "nan": nan,
            "npy": npy(answer),
        }
        if not is_exact:
            # Sums that cancel are rounded in what was added.
            finite = np.abs(part[np.isfinite(part)].astype("f8"))
            scale = float(finite.max(initial=0)) * max(1, part.size)
            case["values"] = [repr(float(value)) for value in answer.ravel()]
            case["scale"] = scale
        cases.append(case)
    print(json.dumps(cases))


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
