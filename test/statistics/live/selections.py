"""numpy's medians and quantiles, to the bit. Differences of signed integers are taken where they do not wrap around."""

import numpy as np
from cases import answer_all, listed, read_case

PICKS = ("inverted_cdf", "closest_observation", "lower", "higher", "nearest")


def floats(q):
    return [float(each) for each in q] if isinstance(q, list) else float(q)


def nothing(a, axes, keepdims, shape, dtype):
    kept = [(1 if x in axes else n) for x, n in enumerate(a.shape) if keepdims or x not in axes]
    return np.full(tuple(shape) + tuple(kept), np.nan if np.dtype(dtype).kind == "f" else 0, dtype)


def median(a, axes, keepdims, omit):
    if a.size == 0:
        return nothing(a, axes, keepdims, (), a.dtype if a.dtype.kind == "f" else "f8")
    return (np.nanmedian if omit else np.median)(a, axis=axes, keepdims=keepdims)


def quantile(a, q, method, axes, keepdims, omit):
    own = method in PICKS or (a.dtype.kind == "f" and np.ndim(q) == 0)
    if a.size == 0:
        has_elements = all(a.shape[x] for x in axes)
        return nothing(
            a, axes, keepdims, np.shape(q), a.dtype if own and (has_elements or a.dtype.kind == "f") else "f8"
        )
    if method not in PICKS:
        if a.dtype.kind == "b":
            a = np.asarray(a, "u1")
        elif a.dtype.kind == "i":
            a = np.asarray(a, "i8" if a.dtype.itemsize < 8 else object)
    if not omit:
        answer = np.quantile(a, q, axis=axes, method=method, keepdims=keepdims)
        return np.asarray(answer, "f8") if a.dtype == object else answer
    # Slice by slice: over several, the dtype of the first one with elements would decide for all.
    answer = nothing(a, axes, keepdims, np.shape(q), a.dtype if own else "f8")
    cells = np.moveaxis(a, axes, range(len(axes)))
    cells = cells.reshape((-1, *cells.shape[len(axes) :]))
    flat = answer.reshape((*np.shape(q), *cells.shape[1:]))
    for at in np.ndindex(cells.shape[1:]):
        flat[(..., *at)] = np.nanquantile(cells[(slice(None), *at)], q, method=method)
    return flat.reshape(answer.shape)


def selected(a, op, case, given=None):
    omit = case["nan"] == "omit" and a.dtype.kind == "f"
    axis = range(a.ndim) if case["axis"] is None else np.ravel(case["axis"])
    axes = tuple(sorted(int(x) % a.ndim for x in axis))
    if case["nan"] == "raise" and a.dtype.kind == "f" and np.isnan(a).any():
        return "nan_found"
    if op == "median":
        return listed(median(a, axes, case["keepdims"], omit))
    return listed(quantile(a, floats(given["q"]), given["method"], axes, case["keepdims"], omit))


def answer(case):
    a = read_case(case)
    return {"median": selected(a, "median", case), "quantile": selected(a, "quantile", case, case)}


if __name__ == "__main__":
    answer_all(answer)
