"""Statistics of dates, durations and complex numbers with numpy: exact whole numbers, and parts in long double.

A case has an array that may be a field of larger items (`strides`), slices, one query, and perhaps a number of the group of
each row. Times are answered as counts, complex numbers as their two parts.
"""

from fractions import Fraction

import numpy as np
from cases import answer_all, data
from numpy.lib._function_base_impl import _get_gamma, _get_indexes, _QuantileMethods

NAT = -(2**63)


def read(case):
    array = case["array"]
    dtype = np.dtype(array["dtype"])
    # numpy converts times without a unit wrongly from the other byte order, and counts as it should.
    stored = np.dtype("i8").newbyteorder(dtype.byteorder) if dtype.kind in "mM" else dtype
    whole = np.ndarray(array["shape"], stored, data(), array["position"], array["strides"])
    native = np.array(whole.astype(stored.newbyteorder("=")), order="C")
    return native.view(dtype.newbyteorder("="))[tuple(slice(*part) for part in case["slices"])]


def truncated(value):
    """Toward zero."""
    value = Fraction(value)
    return abs(value.numerator) // value.denominator * (1 if value >= 0 else -1)


def quantile(ordered, q, method):
    """Between the elements that numpy.quantile takes, exactly."""
    n = len(ordered)
    row = _QuantileMethods[method]
    index = row["get_virtual_index"](n, np.asanyarray(q))
    if np.issubdtype(np.asarray(index).dtype, np.integer):
        return ordered[int(index)]
    before, after = _get_indexes(np.arange(n), index, n)
    weight = Fraction(float(_get_gamma(index, before, row)))
    low, high = ordered[int(before)], ordered[int(after)]
    return truncated(low + (high - low) * weight)


def of_times(cell, op, case):
    """A cell is one-dimensional. Answers a count, or an error."""
    name = op if isinstance(op, str) else "quantile"
    missing = np.isnat(cell)
    counts = [int(value) for value in cell.astype("i8")]
    present = [value for value in counts if value != NAT]
    omit = case["nan"] == "omit"
    shows = missing.any() and not omit
    if name == "count":
        return len(present) if omit else len(counts)
    if name in ("min", "max", "ptp", "argmin", "argmax") and not counts:
        return "empty_selection"
    if name in ("argmin", "argmax"):
        if shows:
            return int(np.flatnonzero(missing)[0])
        if not present:
            return "empty_selection"
        found = getattr(np, name)(cell[~missing])
        return int(np.flatnonzero(~missing)[found])
    if shows or (not present and name != "sum"):
        return NAT
    if name in ("min", "max"):
        return int(getattr(np, name)(cell[~missing]).astype("i8"))
    if name == "ptp":
        return max(present) - min(present)
    if name == "sum":
        return sum(present)
    if name == "mean":
        mean = truncated(Fraction(sum(present), len(present)))
        if cell.dtype.kind == "m" and sum(map(abs, present)) < 2**53:
            assert mean == int(np.mean(cell[~missing]).astype("i8"))
        return mean
    if name == "median":
        return quantile(sorted(present), 0.5, "linear") if len(present) % 2 else truncated(
            Fraction(sum(sorted(present)[len(present) // 2 - 1 : len(present) // 2 + 1]), 2)
        )
    return quantile(sorted(present), float(op["quantile"]["q"]), op["quantile"]["method"])


def of_complex(cell, op, case):
    """A cell is one-dimensional. Answers a number, or [re, im], and how far off it may be."""
    missing = np.isnan(cell)
    used = (cell[~missing] if case["nan"] == "omit" else cell).astype("c16")
    n = used.size
    sizes = np.abs(used[~np.isnan(used)])
    largest = float(sizes.max(initial=0))
    if op == "count":
        return n, 0
    if op in ("any", "all", "count_nonzero"):
        return int(getattr(np, op)(used)), 0
    if op == "sum":
        return used.sum(), 1e-12 * float(sizes.sum())
    if op == "mean":
        return (used.sum() / n if n else complex("nan+nanj")), 1e-12 * largest
    if op == "prod":
        value = np.prod(used)
        if not np.isfinite(used).all() and not np.isnan(value.real) == np.isnan(value.imag):
            return None, 0
        return value, 1e-11 * abs(value) + 1e-290
    wide = used.astype("clongdouble")
    squares = np.abs(wide - wide.mean()) ** 2 if n else wide.real
    divisor = n - case["ddof"]
    if n == 0 or (divisor <= 0 and case["nan"] == "omit"):
        return float("nan"), 0
    total = squares.sum()
    variance = float(total / divisor) if divisor > 0 else float("nan" if not total > 0 else "inf")
    if op == "var":
        return variance, 1e-12 * largest**2 * n
    return float(np.sqrt(variance)), 1e-7 * largest


def number(value):
    if value is None:
        return None
    if isinstance(value, (complex, np.complexfloating)):
        return [repr(float(value.real)), repr(float(value.imag))]
    return str(value) if isinstance(value, int) else repr(float(value))


def cells_of(a, axis):
    axes = tuple(range(a.ndim)) if axis is None else tuple(int(i) % max(1, a.ndim) for i in np.atleast_1d(axis))
    kept = [i for i in range(a.ndim) if i not in axes]
    outer = [a.shape[i] for i in kept]
    inner = int(np.prod([a.shape[i] for i in axes]))
    return a.transpose(kept + sorted(axes)).reshape([*outer, inner]), axes


def reduced(a, op, case):
    cells, axes = cells_of(a, case["axis"])
    kept = cells.shape[:-1]
    if case["nan"] == "raise" and np.isnan(a).any():
        # Elements are counted where they are read anyway.
        return "nan_found"
    of = of_complex if a.dtype.kind == "c" else of_times
    found = [of(cells[i], op, case) for i in np.ndindex(*kept)]
    if any(isinstance(each, str) for each in found):
        return "empty_selection"
    found = [each if isinstance(each, tuple) else (each, 0) for each in found]
    shape = [1 if i in axes else n for i, n in enumerate(a.shape)] if case["keepdims"] else list(kept)
    return {"shape": shape, "values": [number(value) for value, _ in found], "within": [w for _, w in found]}


def answer(case):
    a = read(case)
    if "groups" not in case:
        return [reduced(a, op, case) for op in case["ops"]]
    groups = np.array(case["groups"])
    return [[reduced(a[groups == group], op, case) for op in case["ops"]] for group in np.unique(groups)]


if __name__ == "__main__":
    answer_all(answer)
