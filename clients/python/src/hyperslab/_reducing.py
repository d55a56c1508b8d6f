"""Statistics: computed by the service, with the dtypes and shapes that numpy gives them."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from ._handle import Handle, form_said
from ._index import Basic, parse
from ._reading import Conversion, read
from ._steps import Call, Steps
from ._wire import JSON, Array, array_from, jsonable, numbers
from .errors import BadAxis, BadValue, WouldLose
from .filters import condition, is_condition, is_everything

Axis: TypeAlias = "int | str | Sequence[int | str] | None"

#: Operations whose values are elements of the array.
OF_ELEMENTS = frozenset({"min", "max", "first", "last", "median", "quantile", "mean", "sum", "ptp"})


def reduce(
    handle: Handle,
    op: str,
    *,
    axis: Axis = None,
    keepdims: bool = False,
    where: Any = True,
    nan: str | None = None,
    ddof: float | None = None,
    key: Any = None,
    dtype: Any = None,
    **parameters: Any,
) -> Steps[Any]:
    """One statistic as an array, or as a scalar where numpy gives one."""
    if not (is_everything(where) or is_condition(where)):
        return (yield from reduce_masked(handle, op, axis, keepdims, where, nan, ddof, key, dtype, parameters))
    wanted = numpy_dtype(op, handle.dtype, parameters) if dtype is None else np.dtype(dtype)
    asked = {op: parameters} if parameters else op
    query = query_of(handle, [asked], axis=axis, keepdims=keepdims, where=where, nan=nan, ddof=ddof, key=key)
    try:
        array = yield from as_array(handle, query)
    except WouldLose:
        if op != "sum":
            raise
        # Sums beyond 64 bits: JSON has all their digits, and Python integers hold them.
        answer = yield from ask(handle, query)
        total = answer["results"]["sum"]
        return total if isinstance(total, int) else np.array(total, object)
    if wanted is not None and array.dtype != wanted:
        array = array.astype(wanted)
    return array[()] if array.ndim == 0 else array


def query_of(
    handle: Handle,
    ops: Sequence[Any],
    *,
    axis: Axis = None,
    keepdims: bool = False,
    where: Any = None,
    nan: str | None = None,
    ddof: float | None = None,
    key: Any = None,
    **more: Any,
) -> dict[str, Any]:
    """The body of a statistics call; what is not said is left out."""
    said = {
        "ops": list(ops),
        "axis": axes_of(axis),
        "keepdims": True if keepdims else None,
        "where": None if is_everything(where) else condition(where),
        "nan": nan,
        "ddof": None if not ddof else int(ddof) if ddof == int(ddof) else ddof,
        "slice": slice_text(key),
        "field": handle.field,
        **more,
    }
    return {name: jsonable(value) for name, value in said.items() if value is not None}


def axes_of(axis: Axis) -> list[int | str] | None:
    """The axes as the service takes them."""
    if axis is None:
        return None
    if isinstance(axis, str):
        return [axis]
    if isinstance(axis, Sequence):
        if not axis:
            raise BadAxis("bad_axis", "axis=() reduces nothing. Name the axes to reduce, or leave axis out for all.")
        return [each if isinstance(each, str) else int(each) for each in axis]
    return [int(axis)]


def slice_text(key: Any) -> str | None:
    """The text of a basic index, which is also taken as text."""
    if key is None or isinstance(key, str):
        return key
    selection = parse(key)
    if not isinstance(selection, Basic):
        raise BadValue("bad_index", "A statistic takes integers and slices as its key; for others read, then compute.")
    return selection.text


def ask(handle: Handle, query: Mapping[str, Any]) -> Steps[dict[str, Any]]:
    """The answer of a statistics call, as JSON with numbers for NaN and the infinities."""
    answer = yield from handle.session.ask("POST", f"{handle.path}/statistics", query)
    result: dict[str, Any] = answer
    return result


def as_array(handle: Handle, query: Mapping[str, Any]) -> Steps[Array]:
    """The answer of a call with one operation, as an array."""
    call = Call(
        "POST",
        f"{handle.path}/statistics",
        {"format": "raw"},
        {"content-type": JSON},
        [json.dumps(query).encode()],
    )
    answer = yield from handle.session.call(call)
    return array_from(answer.body, *form_said(answer))


@functools.lru_cache(maxsize=1024)
def _numpy_dtype(op: str, dtype: np.dtype[Any], several: bool) -> np.dtype[Any] | None:
    one = np.ones(1, dtype)
    try:
        if op == "quantile":
            return np.asarray(np.quantile(one, np.array([0.5]) if several else 0.5)).dtype
        return np.asarray(getattr(np, op)(one)).dtype
    except (TypeError, AttributeError):
        return None


def numpy_dtype(op: str, dtype: np.dtype[Any], parameters: Mapping[str, Any]) -> np.dtype[Any] | None:
    """The dtype that numpy gives a statistic; None where numpy has none, or a product of integers may be too long."""
    if op == "prod" and dtype.kind in "iub":
        return None
    return _numpy_dtype(op, dtype, isinstance(parameters.get("q"), list))


def reduce_masked(
    handle: Handle,
    op: str,
    axis: Axis,
    keepdims: bool,
    where: Any,
    nan: str | None,
    ddof: float | None,
    key: Any,
    dtype: Any,
    parameters: Mapping[str, Any],
) -> Steps[Any]:
    """numpy's ``where=`` with a bool array for each element.

    Over all axes the mask is sent, and what it keeps comes back and is reduced here. Along axes the elements are read.
    """
    mask = np.asarray(where)
    if mask.dtype != bool:
        raise BadValue("bad_value", f"where takes booleans, or a filter, not an array of {mask.dtype}.")
    if key is not None or nan not in (None, "propagate"):
        raise BadValue("bad_request", "With a mask there is no key and no nan=. Use a filter, or read, then compute.")
    mask = np.broadcast_to(mask, handle.shape)
    options: dict[str, Any] = {"ddof": ddof} if ddof is not None else {}
    if dtype is not None:
        options["dtype"] = dtype
    function = getattr(np, op)
    args = [parameters["q"]] if "q" in parameters else []
    if "method" in parameters:
        options["method"] = parameters["method"]
    if axis is None and handle.shape:
        kept = yield from read(handle, parse(np.ascontiguousarray(mask)), Conversion(), False)
        result = function(kept, *args, **options)
        return np.reshape(result, (1,) * len(handle.shape)) if keepdims else result
    if op in ("median", "quantile", "argmin", "argmax", "count_nonzero"):
        raise BadValue("bad_operation", f"numpy's {op} has no where= along an axis. Use a filter, or leave axis out.")
    whole = yield from read(handle, Basic((Ellipsis,)), Conversion(), None)
    if op in ("min", "max"):
        options["initial"] = worst(op, handle.dtype)
    return function(whole, axis=tuple_of(axis), keepdims=keepdims, where=mask, **options)


def worst(op: str, dtype: np.dtype[Any]) -> Any:
    """The element that any other wins against; of nothing, it is the minimum or maximum."""
    if dtype.kind in "iu":
        bounds = np.iinfo(dtype)
        return bounds.max if op == "min" else bounds.min
    if dtype.kind == "b":
        return op == "min"
    return np.inf if op == "min" else -np.inf


def tuple_of(axis: Axis) -> Any:
    """The axis as numpy takes it."""
    return tuple(axis) if isinstance(axis, list) else axis


def histogram(
    handle: Handle,
    bins: Any,
    range: tuple[float, float] | None,
    density: bool | None,
    where: Any,
    nan: str | None,
    key: Any,
) -> Steps[tuple[Array, Array]]:
    """Counts and edges, as ``np.histogram``."""
    if isinstance(bins, str):
        raise BadValue("bad_value", f"bins={bins!r} is an estimate that is not made here. Give their number, or edges.")
    if not (is_everything(where) or is_condition(where)):
        kept = yield from read(handle, parse(np.broadcast_to(np.asarray(where), handle.shape)), Conversion(), False)
        counts, edges = np.histogram(kept, bins, range, density)
        return counts, edges
    asked: dict[str, Any] = {"bins": int(bins)} if np.ndim(bins) == 0 else {"edges": np.asarray(bins).tolist()}
    if range is not None and "bins" in asked:
        asked["range"] = [float(range[0]), float(range[1])]
    query = query_of(handle, [{"histogram": asked}], where=where, nan=nan, key=key)
    answer = yield from ask(handle, query)
    found = answer["results"]["histogram"]
    tallies = np.array(found["counts"], np.int64)
    bounds = np.asarray(bins) if "edges" in asked else np.array(numbers(found["edges"]), edge_dtype(handle.dtype))
    if not density:
        return tallies, bounds
    return tallies / np.diff(bounds) / tallies.sum(), bounds


def edge_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """numpy's edges of floats have their dtype; those of integers are float64."""
    return dtype.newbyteorder("=") if dtype.kind == "f" else np.dtype(np.float64)


def decoded(value: Any, op: str, dtype: np.dtype[Any]) -> Array:
    """A result in JSON as an array: dates as dates, pairs as complex numbers, integers of any length."""
    if dtype.kind in "Mm" and op in OF_ELEMENTS:
        kind = dtype if dtype.kind == "m" or op != "ptp" else np.dtype(dtype.str.replace("M8", "m8"))
        return np.array(value, kind.newbyteorder("="))
    array = np.array(numbers(value))
    if dtype.kind == "c" and op in ("sum", "mean", "prod"):
        pairs: Array = array[..., 0] + 1j * array[..., 1]
        return pairs
    wanted = numpy_dtype(op, dtype, {})
    return array if wanted is None or array.dtype == object else array.astype(wanted)
