"""Random arrays in files, and their distinct elements as numpy has them: python distinct_numpy.py FOLDER FIRST_SEED COUNT.

Prints a JSON list of questions, each with the texts of the values and counts that answer it, and the SHA-256 of both as a
structured array.
"""

import hashlib
import json
import random
import sys

import numpy as np

KINDS = (
    "b1 i1 u1 i2 u2 i4 u4 i8 u8 f2 f4 f8 c8 c16 S1 S3 S7 S40 U1 U2 U9 "
    "M8[D] M8[25us] M8[Y] m8[s] m8[7ms]"
).split()
NAT = np.iinfo("i8").min


def random_floats(rng, pick, shape, few):
    values = np.asarray(rng.integers(-few, few, shape, endpoint=True) / 4.0)
    for odd in (np.nan, np.inf, -np.inf, -0.0):
        values = np.where(rng.random(shape) < pick.choice([0, 0, 0.2]), odd, values)
    return values


def random_texts(rng, pick, shape, dtype):
    letters = "ab\x00é~" if dtype.kind == "S" else "ab\x00é\u4e2d\U0001f600"
    length = dtype.itemsize // (1 if dtype.kind == "S" else 4)
    different = ["".join(pick.choices(letters, k=pick.randint(0, length))) for _ in range(pick.choice([2, 30, 3000]))]
    if dtype.kind == "S":
        different = [each.encode("latin1") for each in different]
    return np.array(different, dtype)[rng.integers(0, len(different), shape)]


def random_array(rng, pick):
    rank = pick.choice([0, 1, 1, 1, 2, 2, 3])
    longest = [0, pick.choice([50, 500, 20_000]), 60, 9][rank]
    shape = tuple(0 if pick.random() < 0.04 else pick.randint(1, longest) for _ in range(rank))
    kind = pick.choice(KINDS)
    dtype = np.dtype(pick.choice("<>") + kind)
    few = pick.choice([3, 40, 10**6])
    if dtype.kind == "b":
        values = rng.random(shape) < 0.5
    elif dtype.kind in "mM":
        values = rng.integers(-few, few, shape)
        values = np.where(rng.random(shape) < pick.choice([0, 0.3]), NAT, values).astype(dtype.byteorder + "i8")
    elif dtype.kind == "f":
        values = random_floats(rng, pick, shape, few)
    elif dtype.kind == "c":
        values = np.empty(shape, complex)
        values.real = random_floats(rng, pick, shape, min(few, 40))
        values.imag = random_floats(rng, pick, shape, pick.choice([1, 40]))
    elif dtype.kind in "SU":
        values = random_texts(rng, pick, shape, dtype)
    else:
        info = np.iinfo(dtype)
        low = max(info.min, info.max - few) if pick.random() < 0.5 else info.min
        high = info.max if low > info.min else min(info.max, info.min + few)
        values = rng.integers(low, high, shape, dtype=dtype.newbyteorder("=").type, endpoint=True)
    with np.errstate(over="ignore"):
        values = np.asarray(values).view(dtype) if dtype.kind in "mM" else np.asarray(values).astype(dtype)
    return np.asfortranarray(values) if pick.random() < 0.3 and rank > 1 else values


def random_slice(shape, pick):
    parts = []
    for length in shape:
        a, b = sorted((pick.randint(0, length), pick.randint(0, length)))
        parts.append(pick.choice([":", f"{a}:{b}", f"{a}:{b}:2", "::-1", f"::{-pick.randint(1, 3)}"]))
    return ",".join(parts)


def plain(value):
    """As JSON: text of all digits where it is an integer, a float as it is."""
    kind = value.dtype.kind
    if kind == "b":
        return "true" if value else "false"
    if kind == "c":
        return [plain(value.real), plain(value.imag)]
    if kind == "f":
        return float(value) if np.isfinite(value) else repr(float(value)).replace("inf", "Infinity").replace("nan", "NaN")
    if kind == "S":
        return bytes(value).decode("latin1")
    return str(value.astype("i8")) if kind == "m" and not np.isnat(value) else str(value)


def where_of(array, pick):
    """A filter of rows, and the rows that it keeps."""
    rows = array if array.ndim == 1 else array[:, 0]
    subject = {"self": True} if array.ndim == 1 else {"column": 0}
    least = rows[pick.randrange(len(rows))]
    if array.dtype.kind in "iu":
        bound = int(least)
    elif array.dtype.kind == "U":
        bound = str(least)
    else:
        bound = least.decode("latin1")
    return {**subject, "ge": bound}, array[rows >= least]


def as_field(array, pick):
    """The same array as a field of a structure, and a number of each row beside it."""
    fields = [("row", "<i4"), ("value", array.dtype, array.shape[1:]), ("tail", "V3")]
    items = np.zeros(len(array), np.dtype(fields, align=False))
    items["row"], items["value"] = np.arange(len(array)) * 7 % 10, array
    if pick.random() < 0.3:
        return items, {"field": "value"}, array
    bound = pick.randint(0, 10)
    return items, {"field": "value", "where": {"field": "row", "lt": bound}}, array[items["row"] < bound]


def distinct(taken, omits):
    kind = taken.dtype.kind
    # Both zeros are one element; numpy shows the one that it met first.
    flat = taken.ravel() + 0 if kind in "fc" else taken.ravel()
    values, counts = np.unique(flat, return_counts=True)
    if kind in "fcmM":
        missing = np.isnan(values) if kind in "fc" else np.isnat(values)
        if kind in "fc":
            # Of complex numbers numpy shows one of those that have a NaN.
            values[missing] = complex(np.nan, np.nan) if kind == "c" else np.nan
        if omits:
            values, counts = values[~missing], counts[~missing]
    return values, counts


def question(folder, seed):
    rng, pick = np.random.default_rng(seed), random.Random(seed)
    array = random_array(rng, pick)
    name = f"distinct{seed}"
    query, taken, file = {"ops": ["unique"]}, array, array
    if array.ndim and all(array.shape[1:]) and pick.random() < 0.35:
        file, more, taken = as_field(array, pick)
        query |= more
    elif array.ndim in (1, 2) and array.size and array.dtype.kind in "iuSU" and pick.random() < 0.4:
        query["where"], taken = where_of(array, pick)
    np.save(f"{folder}/{name}.npy", file)
    if array.ndim and pick.random() < 0.5:
        query["slice"] = random_slice(taken.shape, pick)
        taken = eval(f"taken[{query['slice']}]", {}, {"taken": taken})
    query["nan"] = pick.choice(["propagate", "propagate", "omit", "raise"])
    answer = {"name": name, "kind": array.dtype.kind + str(array.dtype.itemsize), "query": json.dumps(query), "answer": None}
    if query["nan"] == "raise":
        kind = taken.dtype.kind
        if (kind in "fc" and np.isnan(taken).any()) or (kind in "mM" and np.isnat(taken).any()):
            return answer
    values, counts = distinct(taken, query["nan"] == "omit")
    block = np.empty(len(values), [("values", values.dtype.newbyteorder("<")), ("counts", "<i8")])
    block["values"], block["counts"] = values, counts
    digest = hashlib.sha256(block.tobytes()).hexdigest()
    return answer | {"answer": {"values": [plain(v) for v in values], "counts": counts.tolist(), "digest": digest}}


if __name__ == "__main__":
    folder, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    print(json.dumps([question(folder, seed) for seed in range(first, first + count)]))
