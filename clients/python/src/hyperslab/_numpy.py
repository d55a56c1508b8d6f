"""numpy's functions on arrays of the service: `np.mean(a)` is computed where the data are.

A function or an argument that the service does not have works, too: the array is then read whole.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

#: numpy's function, the method, and what it is called with beside the arguments of the caller.
REDUCTIONS: dict[Callable[..., Any], tuple[str, dict[str, Any]]] = {
    np.sum: ("sum", {}),
    np.prod: ("prod", {}),
    np.mean: ("mean", {}),
    np.var: ("var", {}),
    np.std: ("std", {}),
    np.min: ("min", {}),
    np.max: ("max", {}),
    np.amin: ("min", {}),
    np.amax: ("max", {}),
    np.ptp: ("ptp", {}),
    np.argmin: ("argmin", {}),
    np.argmax: ("argmax", {}),
    np.any: ("any", {}),
    np.all: ("all", {}),
    np.count_nonzero: ("count_nonzero", {}),
    np.median: ("median", {}),
    np.quantile: ("quantile", {}),
    np.percentile: ("quantile", {}),
    np.histogram: ("histogram", {}),
    np.nansum: ("sum", {"nan": "omit"}),
    np.nanmean: ("mean", {"nan": "omit"}),
    np.nanvar: ("var", {"nan": "omit"}),
    np.nanstd: ("std", {"nan": "omit"}),
    np.nanmin: ("min", {"nan": "omit"}),
    np.nanmax: ("max", {"nan": "omit"}),
    np.nanargmin: ("argmin", {"nan": "omit"}),
    np.nanargmax: ("argmax", {"nan": "omit"}),
    np.nanmedian: ("median", {"nan": "omit"}),
    np.nanquantile: ("quantile", {"nan": "omit"}),
    np.nanpercentile: ("quantile", {"nan": "omit"}),
}

PERCENT = (np.percentile, np.nanpercentile)

ATTRIBUTES: dict[Callable[..., Any], str] = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}

#: Arguments that the methods take; any other is numpy's to handle.
TAKEN = frozenset({"axis", "keepdims", "ddof", "where", "dtype", "q", "method", "bins", "range", "density"})


def dispatched(kind: type, function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """What a function of numpy gives for arguments among which are arrays of the service."""
    attribute = ATTRIBUTES.get(function)
    if attribute is not None and len(args) == 1 and not kwargs and isinstance(args[0], kind):
        return getattr(args[0], attribute)
    if function is np.result_type:
        dtypes: list[Any] = [read_dtype(kind, each) for each in args]
        return np.result_type(*dtypes)
    if function in REDUCTIONS:
        asked = arguments_of(function, args, kwargs)
        array = asked.pop("a", None)
        out = asked.pop("out", None)
        if isinstance(array, kind) and is_taken(asked, array):
            return into(out, reduction(function, array, asked))
    return function(*read_whole(kind, args), **read_whole(kind, dict(kwargs)))


def arguments_of(function: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments by name, without those that numpy marks as not given."""
    bound = inspect.signature(function).bind(*args, **kwargs)
    return {
        name: value for name, value in bound.arguments.items() if repr(value) != "<no value>" and not is_default(value)
    }


def is_default(value: Any) -> bool:
    """None is the default of each argument that has one."""
    return value is None


def is_taken(asked: Mapping[str, Any], array: Any) -> bool:
    """Whether the service can be asked this way."""
    others = {name for name in asked if name not in TAKEN and not (name == "overwrite_input" and not asked[name])}
    is_nothing = ("axis" in asked and asked["axis"] == ()) or isinstance(asked.get("bins"), str)
    return not others and not is_nothing and array.dtype.kind not in "OSUV"


def reduction(function: Callable[..., Any], array: Any, asked: dict[str, Any]) -> Any:
    """Calls the method."""
    method, more = REDUCTIONS[function]
    asked.pop("overwrite_input", None)
    if function in PERCENT:
        asked["q"] = np.true_divide(asked["q"], 100)
    return getattr(array, method)(**asked, **more)


def into(out: Any, result: Any) -> Any:
    """Puts a result into the array that is given for it."""
    if out is None:
        return result
    out[...] = result
    return out


def read_dtype(kind: type, value: Any) -> Any:
    """The dtype in place of an array of the service."""
    return getattr(value, "dtype", value) if isinstance(value, kind) else value


def read_whole(kind: type, value: Any) -> Any:
    """Arguments with arrays in place of what the service has."""
    if isinstance(value, kind):
        return np.asarray(value)
    if isinstance(value, (list, tuple)):
        return type(value)(read_whole(kind, each) for each in value)
    if isinstance(value, dict):
        return {name: read_whole(kind, each) for name, each in value.items()}
    return value
