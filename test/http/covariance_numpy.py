"""Random arrays as .npy files, questions for their covariances, and what numpy answers in long double.

covariance_numpy.py FOLDER SEED COUNT prints a list of {name, dims?, attrs?, keys?, query, shape, dtype, count, values}.
"""

import json
import sys
import warnings
from pathlib import Path

import numpy as np

NUMBERS = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]


def elements(rng, dtype, shape, nans):
    """With a mean that may be far from zero, and with columns that are alike in part."""
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.4
    if dtype.kind in "iu":
        high = int(min(np.iinfo(dtype).max, 2 ** rng.integers(3, 40)))
        low = 0 if dtype.kind == "u" else max(np.iinfo(dtype).min, -high)
        return rng.integers(low, high, shape).astype(dtype)
    values = rng.standard_normal(shape)
    if len(shape) > 1 and shape[-1] > 1:
        values[..., 0] += 2 * values[..., -1]
    wide = dtype.newbyteorder("=") not in (np.dtype("f2"), np.dtype("f4"), np.dtype("c8"))
    values = values * 10.0 ** rng.integers(-2, 2) + (rng.choice([0, 0, 3, 1e5]) if wide else rng.choice([0, 3]))
    if dtype.kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    if nans and values.size:
        values[rng.random(shape) < 0.08] = np.nan
    if rng.random() < 0.1 and values.size and len(shape) > 1:
        values[..., -1] = 0.1
    if rng.random() < 0.05 and values.size:
        values.flat[rng.integers(values.size)] = np.inf
    return values.astype(dtype)


def bounds(rng, length):
    """A slice of an axis, as text and as numpy's."""
    start, stop = sorted(rng.integers(0, length + 1, 2).tolist())
    step = int(rng.choice([1, 1, 2, 3]))
    kind = rng.integers(4)
    if kind == 0:
        return ":", slice(None)
    if kind == 1:
        return f"::{-step}", slice(None, None, -step)
    return f"{start}:{stop}:{step}", slice(start, stop, step)


def reference(rows, op, ddof):
    """Of rows of columns. What is widened first loses nothing."""
    precise = np.clongdouble if rows.dtype.kind == "c" else np.longdouble
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        wide = rows.astype(np.complex128 if rows.dtype.kind == "c" else np.float64).astype(precise)
        found = np.cov(wide, rowvar=False, ddof=ddof, dtype=precise)
        spread = np.sqrt(np.abs(np.diag(np.atleast_2d(found))).astype(float))
        if op == "corrcoef":
            found = np.corrcoef(wide, rowvar=False, dtype=precise)
            spread = np.ones_like(spread)
    return found, np.outer(spread, spread)


def made(rng, number, folder):
    name = f"c{number}"
    case = {"name": name}
    nans = rng.random() < 0.4
    rows = int(rng.choice([0, 1, 2, 3, 20, 150, 700]))
    kind = rng.choice(["plain", "plain", "plain", "fields", "columns"])
    k = int(rng.integers(1, 6))
    query = {}
    if kind == "fields":
        formats = [str(rng.choice(["<", ">"])) + str(rng.choice(NUMBERS[1:])) for _ in range(k)]
        descr = []
        for i, each in enumerate(formats):
            if rng.random() < 0.3:
                descr.append(("", f"|V{rng.integers(1, 70)}"))
            descr.append((f"f{i}", each) if rng.random() < 0.8 else (f"f{i}", each, (2,)))
        array = np.zeros(rows, [(f"pad{i}" if n == "" else n, *rest) for i, (n, *rest) in enumerate(descr)])
        for i, each in enumerate(formats):
            array[f"f{i}"] = elements(rng, each, array[f"f{i}"].shape, nans)
        names = [f"f{i}" for i in rng.permutation(k)[: rng.integers(2, k + 1)]] if k > 1 else ["f0"]
        query["field"] = ",".join(names)
        parts = [array[n].reshape(rows, array[n].shape[1] if array[n].ndim > 1 else 1) for n in names]
        plain = np.concatenate([p.astype(np.result_type(p, np.float64)) for p in parts], axis=1)
        if len(names) == 1 and array[names[0]].ndim == 1:
            plain = plain[:, 0]
        where = {"field": "f0"} if array["f0"].ndim == 1 and array["f0"].dtype.kind in "iuf" else None
        key = array["f0"] if where else None
    else:
        rank = 2 if kind == "columns" else int(rng.choice([1, 2, 2, 2, 3]))
        middle = [int(rng.integers(1, 4))] if rank == 3 else []
        shape = (rows, *middle, k)[: rank if rank > 1 else 1]
        dtype = str(rng.choice(["<", ">"])) + str(rng.choice(NUMBERS))
        array = np.asarray(elements(rng, dtype, shape, nans), dtype, order=str(rng.choice(["C", "F"])))
        plain = array
        if kind == "columns":
            case["attrs"] = {"columns": [f"n{i}" for i in range(k)]}
            chosen = rng.permutation(k)[: rng.integers(2, k + 1)] if k > 1 else np.array([0])
            query["field"] = ",".join(f"n{i}" for i in chosen)
            plain = array[:, chosen] if k > 1 else array[:, 0]
        where = {"column": 0} if rank == 2 and array.dtype.kind in "iuf" else None
        key = array[:, 0] if where else None
    np.save(folder / f"{name}.npy", array)
    if rng.random() < 0.3 and rows:
        keys = rng.integers(0, 5, rows).astype("i2")
        np.save(folder / f"{name}-keys.npy", keys)
        case["keys"] = f"{name}-keys"
        where, key = {"dataset": case["keys"]}, keys
    if where and rng.random() < 0.6:
        limit = 2 if "dataset" in where else 0
        query["where"] = {**where, "ge": limit}
        with np.errstate(all="ignore"):
            plain = plain[key >= limit]
    if rng.random() < 0.6:
        texts, parts = zip(*(bounds(rng, length) for length in plain.shape), strict=True)
        used = 1 if "," in query.get("field", "") and kind == "fields" else rng.integers(1, plain.ndim + 1)
        query["slice"] = ",".join(texts[:used])
        plain = plain[tuple(parts[:used])]
    op = str(rng.choice(["cov", "corrcoef"]))
    ddof = int(rng.choice([0, 1, 1, 2, 3])) if op == "cov" else 1
    query["ops"] = [op if op == "corrcoef" or rng.random() < 0.3 and ddof == 1 else {"cov": {"ddof": ddof}}]
    if plain.ndim > 1 and rng.random() < 0.2 and kind == "plain":
        query["axis"] = list(range(plain.ndim - 1))
    flat = plain if plain.ndim == 1 else plain.reshape(int(np.prod(plain.shape[:-1])), plain.shape[-1])
    query["nan"] = str(rng.choice(["propagate", "omit", "omit"]))
    if query["nan"] == "omit" and flat.dtype.kind in "fc":
        bad = np.isnan(flat)
        flat = flat[~(bad if flat.ndim == 1 else bad.any(axis=1))]
    isempty = flat.ndim > 1 and flat.shape[1] == 0
    found, spread = (np.zeros((0, 0)), np.zeros((0, 0))) if isempty else reference(flat, op, ddof)
    # A single column keeps its axis.
    shape = [flat.shape[1]] * 2 if flat.ndim > 1 else []
    found = np.asarray(found).reshape(-1)
    iscomplex = flat.dtype.kind == "c"
    values = found.astype(np.complex128).view(float) if iscomplex else found.astype(float)
    return {
        **case,
        "query": query,
        "shape": shape,
        "dtype": "<c16" if iscomplex else "<f8",
        "values": [str(v) for v in values],
        "scales": [float(s) if np.isfinite(s) else 0.0 for s in np.repeat(np.asarray(spread).reshape(-1), 2 if iscomplex else 1)],
    }


folder, seed, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
rng = np.random.default_rng(seed)
json.dump([made(rng, i, folder) for i in range(count)], sys.stdout)
