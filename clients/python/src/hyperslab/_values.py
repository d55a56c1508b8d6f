"""The values of an assignment, as an array that the service casts without losing anything, or refuses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ._wire import Array
from .errors import WouldLose


def values_for(value: Any, dtype: np.dtype[Any]) -> Array:
    """The array to send for a value that is assigned to elements of ``dtype``.

    What the dtype holds exactly is converted here; rounding within a kind (float64 to float32) is as numpy does it.
    Anything else goes as it is, and the service says why it is refused.

    >>> values_for(2.0, np.dtype("i2"))
    array(2, dtype=int16)
    """
    if dtype.names is not None and not isinstance(value, (np.ndarray, np.void)) and not hasattr(value, "__array__"):
        return structures(value, dtype)
    array = natural(value, dtype)
    if array.dtype == dtype or dtype.names is not None or array.dtype.names is not None:
        return array
    if np.can_cast(array.dtype, dtype, "safe"):
        return array.astype(dtype)
    if np.can_cast(array.dtype, dtype, "same_kind") and array.dtype.kind not in "OUS":
        return array
    return lossless(array, dtype)


def natural(value: Any, dtype: np.dtype[Any]) -> Array:
    """The array that numpy makes of a value by itself, except where it would have no kind of its own."""
    if dtype.kind == "M" and not hasattr(value, "__array__"):
        return np.asarray(value, dtype="M8")
    if dtype.kind == "m" and isinstance(value, int):
        return np.asarray(value, dtype=dtype)
    array = np.asarray(value)
    if array.dtype == object:
        return of_objects(array, dtype)
    return array


def of_objects(array: Array, dtype: np.dtype[Any]) -> Array:
    """Python's own numbers that fit no dtype of numpy together, such as integers beyond 64 bits."""
    try:
        return array.astype(dtype)
    except (OverflowError, ValueError, TypeError) as fault:
        raise WouldLose("would_lose", f"{dtype} cannot hold the values: {fault}. Nothing was written.") from None


def lossless(array: Array, dtype: np.dtype[Any]) -> Array:
    """The array in the dtype where that changes no value; else as it is."""
    if array.dtype.kind == "c":
        # The imaginary part would be lost; where there is none, take the real part.
        return lossless(array.real, dtype) if not array.imag.any() and dtype.kind != "c" else array
    try:
        with np.errstate(all="ignore"):
            cast = array.astype(dtype)
            back = cast.astype(array.dtype)
    except (ValueError, TypeError, UnicodeError):
        return array
    return cast if np.array_equal(array, back, equal_nan=array.dtype.kind in "fc") else array


def structures(value: Any, dtype: np.dtype[Any]) -> Array:
    """Structures of Python's tuples, or lists of them; each field is converted by itself, so that it loses nothing."""
    outer = shape_of_tuples(value)
    items = flattened(value, len(outer))
    array = np.zeros(len(items), dtype)
    names = dtype.names or ()
    for item in items:
        if not isinstance(item, tuple) or len(item) != len(names):
            raise WouldLose("bad_value", f"A structure is a tuple of its {len(names)} fields, not {item!r}.")
    for i, name in enumerate(names):
        field = dtype[name]
        for j, item in enumerate(items):
            sent = values_for(item[i], field.base)
            if sent.dtype != field.base and not np.can_cast(sent.dtype, field.base, "same_kind"):
                detail = f"Field {name!r} of {field.base} cannot hold {item[i]!r}. Nothing was written."
                raise WouldLose("would_lose", detail, 0, {"field": name})
            array[name][j] = sent
    return array.reshape(outer)


def shape_of_tuples(value: Any) -> tuple[int, ...]:
    """The lengths of the lists around tuples."""
    return (len(value), *shape_of_tuples(value[0])) if isinstance(value, list) and value else ()


def flattened(value: Any, depth: int) -> Sequence[Any]:
    """The items of nested lists."""
    return [item for inner in value for item in flattened(inner, depth - 1)] if depth else [value]


def piece_of(values: Array, shape: tuple[int, ...], piece: Sequence[slice]) -> Array:
    """What belongs to a piece of a selection of ``shape``, broadcast as numpy assigns, but not spread out."""
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = values[0]
    at = len(shape) - values.ndim
    cut = [slice(None) if n == 1 else part for n, part in zip(values.shape, piece[at:], strict=True)]
    return values[tuple(cut)]


def broadcasts(values: Array, shape: tuple[int, ...]) -> bool:
    """Whether numpy would assign the values to a selection of this shape."""
    while values.ndim > len(shape) and values.shape[0] == 1:
        values = values[0]
    try:
        return np.broadcast_shapes(values.shape, shape) == shape
    except ValueError:
        return False
