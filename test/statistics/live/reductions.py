"""numpy's reductions, with float64 and object references: every operation of a case by itself."""

import numpy as np
from cases import answer_all, listed, read_case


def compute(a, op, axis, keepdims, ddof, nan):
    floating = a.dtype.kind == "f"
    if nan == "raise" and floating and np.isnan(a).any():
        return "nan_found"
    omit = nan == "omit" and floating
    # float64 accumulation, and whole numbers of any size.
    wide = a.astype("f8") if floating else a.astype(object) if a.dtype.kind != "b" else a.astype("i8").astype(object)
    real = a.astype("f8")
    kw = {"axis": axis, "keepdims": keepdims}
    if op == "count":
        present = ~np.isnan(a) if omit else np.ones(a.shape, bool)
        return present.sum(**kw)
    if op == "sum":
        return (np.nansum if omit else np.sum)(wide, **kw)
    if op == "prod":
        # In a wider range: what overflows on the way, and is multiplied by zero then, is no NaN.
        factors = np.where(np.isnan(real), 1, real) if omit else real
        value = np.asarray(np.prod(factors.astype(np.longdouble), **kw)).astype("f8")
        return np.where(np.isfinite(factors).all(**kw) & (factors == 0).any(**kw), 0.0, value)
    if op == "mean" and not floating and a.size:
        # Whole numbers divide with one rounding in Python.
        total = np.sum(wide, **kw)
        return total / (a.size // np.size(total))
    if op == "mean":
        return (np.nanmean if omit else np.mean)(real, **kw)
    if op in ("var", "std") and not floating and a.size:
        # Exact up to the divisions: as doubles, large integers that differ little would not differ.
        whole = np.array(wide, object, ndmin=1).reshape(a.shape)
        shape = np.shape(np.sum(real, **kw))
        exact = lambda values: np.array(np.sum(values, **kw), object, ndmin=1).reshape(-1)
        squared = np.array([each * each for each in whole.flat], object).reshape(a.shape)
        total = exact(whole)
        n = a.size // total.size
        m2 = (exact(squared) * n - total * total) / n
        value = m2.astype("f8").reshape(shape) / np.float64(max(n - ddof, 0))
        return np.sqrt(value) if op == "std" else value
    if op in ("var", "std"):
        return getattr(np, ("nan" if omit else "") + op)(real, ddof=ddof, **kw)
    if op in ("min", "max", "argmin", "argmax"):
        return getattr(np, ("nan" if omit else "") + op)(a, **kw)
    if op == "ptp":
        if a.dtype.kind == "f":
            return (np.nanmax(a, **kw) - np.nanmin(a, **kw)) if omit else np.ptp(a, **kw)
        return np.max(wide, **kw) - np.min(wide, **kw)
    b = np.where(np.isnan(a), a.dtype.type(0), a) if omit else a
    if op == "any":
        return np.any(b, **kw)
    if op == "all":
        return np.all(np.where(np.isnan(a), a.dtype.type(1), a) if omit else a, **kw)
    if op == "count_nonzero":
        return np.count_nonzero(b, **kw)
    raise KeyError(op)


def reduced(a, op, case):
    axis = case["axis"]
    if isinstance(axis, list):
        axis = axis[0] if op.startswith("arg") else tuple(axis)
    try:
        value = compute(a, op, axis, case["keepdims"], case["ddof"], case["nan"])
        return value if isinstance(value, str) else listed(value)
    except ValueError:
        # numpy refuses what has no cells as well where these would lack elements; an empty answer is no error here.
        counts = np.sum(np.ones(a.shape), axis=axis, keepdims=case["keepdims"])
        return "empty_selection" if counts.size else listed(counts)


def answer(case):
    a = read_case(case)
    return {op: reduced(a, op, case) for op in case["ops"]}


if __name__ == "__main__":
    answer_all(answer)
