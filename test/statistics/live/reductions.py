"""numpy's reductions, with float64 and object references: every operation of a case by itself."""

import numpy as np
from cases import answer_all, listed, read_case


def without_nan(cell, omit):
    return cell[~np.isnan(cell)] if omit else cell


def distances(cell):
    """From the mean, exactly for whole numbers, in long double for others."""
    if cell.dtype.kind == "f":
        wide = cell.astype(np.longdouble)
        return (wide - wide.mean()).astype("f8")
    whole = [int(value) for value in cell]
    return np.array([(value * len(whole) - sum(whole)) / len(whole) for value in whole], "f8")


def spread(cell):
    """Mean squared distance; None where there is no spread, as scipy.stats has it."""
    m2 = np.mean(distances(cell) ** 2) if cell.size else np.nan
    return None if m2 <= (1e-15 * np.mean(cell.astype("f8"))) ** 2 else m2


def skew(cell, bias):
    m2 = spread(cell)
    if m2 is None or not cell.size:
        return np.nan
    n = cell.size
    value = np.mean(distances(cell) ** 3) / m2**1.5
    return value if bias or n <= 2 else value * np.sqrt(n * (n - 1)) / (n - 2)


def kurtosis(cell, bias):
    m2 = spread(cell)
    if m2 is None or not cell.size:
        return np.nan
    n = cell.size
    value = np.mean(distances(cell) ** 4) / m2**2
    return value - 3 if bias or n <= 3 else ((n**2 - 1) * value - 3 * (n - 1) ** 2) / (n - 2) / (n - 3)


def end(cell, op):
    """The first or the last element; NaN where all were left out."""
    return cell[0 if op == "first" else -1] if cell.size else np.nan


def apply_cells(a, axis, keepdims, function, dtype="f8"):
    """A function of the elements of each cell."""
    axes = tuple(range(a.ndim)) if axis is None else tuple(np.atleast_1d(axis).astype(int) % max(1, a.ndim))
    kept = [i for i in range(a.ndim) if i not in axes]
    cells = a.transpose(kept + list(axes)).reshape([a.shape[i] for i in kept] + [-1])
    values = np.array([function(cells[i]) for i in np.ndindex(*cells.shape[:-1])], dtype)
    return values.reshape([1 if i in axes else n for i, n in enumerate(a.shape)] if keepdims else cells.shape[:-1])


def compute(a, op, axis, keepdims, ddof, nan, bias):
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
    if op in ("first", "last"):
        if a.size == 0:
            raise ValueError
        return apply_cells(a, axis, keepdims, lambda cell: end(without_nan(cell, omit), op), a.dtype)
    if op in ("skew", "kurtosis"):
        shape = {"skew": skew, "kurtosis": kurtosis}[op]
        return apply_cells(a, axis, keepdims, lambda cell: shape(without_nan(cell, omit), bias))
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
        value = compute(a, op, axis, case["keepdims"], case["ddof"], case["nan"], case.get("bias", True))
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
