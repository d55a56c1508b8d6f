"""What stands in brackets: numpy's indices, parsed once into what the service takes.

Bounds are the service's to judge, since only it knows the array as it is now.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from ._wire import Array
from .errors import BadIndex

Part: TypeAlias = Any
"""An integer, a slice, None, Ellipsis, an array or the name of a mask."""
Mode: TypeAlias = Literal["vectorized", "orthogonal"]


@dataclass(frozen=True)
class Basic:
    """Integers, slices, ``...`` and ``newaxis``."""

    parts: tuple[Part, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it is ``a[...]``, ``a[()]`` or ``a[:]`` of everything."""
        return all(part is Ellipsis or part == slice(None) for part in self.parts)

    @property
    def text(self) -> str | None:
        """The text of ``slice=``; None for everything."""
        return ",".join(map(text_of, self.parts)) if self.parts else None


@dataclass(frozen=True)
class Fancy:
    """Lists of integers and of booleans, among the others."""

    parts: tuple[Part, ...]
    mode: Mode

    @property
    def lone(self) -> Array | None:
        """The one list for axis 0, or the mask, where nothing else is there."""
        only = self.parts[0] if len(self.parts) == 1 else None
        return only if isinstance(only, np.ndarray) and (only.dtype == bool or only.ndim == 1) else None

    @property
    def items(self) -> list[Any]:
        """The items of ``index`` in JSON."""
        return [item_of(part) for part in self.parts]


@dataclass(frozen=True)
class MaskName:
    """A mask that is a dataset of the same service."""

    name: str


Selection: TypeAlias = "Basic | Fancy"


def parse(key: Any, mode: Mode = "vectorized") -> Selection:
    """A key of ``a[key]``, ``a.oindex[key]`` or ``a.vindex[key]``.

    >>> parse((slice(2, 9, 3), -1)).text
    '2:9:3,-1'
    """
    parts = tuple(map(part_of, key if isinstance(key, tuple) else (key,)))
    if any(isinstance(part, (np.ndarray, MaskName)) for part in parts):
        return Fancy(parts, mode)
    return Basic(parts)


def part_of(part: Any) -> Part:
    """One part, by numpy's own rules of what is an index."""
    if part is None or part is Ellipsis:
        return part
    if isinstance(part, slice):
        return slice(*(None if bound is None else integer(bound) for bound in (part.start, part.stop, part.step)))
    if isinstance(part, (bool, np.bool_)):
        raise BadIndex("bad_index", "A single True or False is no index here. Use a list of booleans, or newaxis.")
    if isinstance(part, MaskName):
        return part
    if isinstance(part, (list, tuple)):
        array = np.asarray(part)
        # A list of nothing is one of integers.
        return array_part(array.astype(np.intp) if array.size == 0 and array.dtype != bool else array)
    if hasattr(part, "__array__") and not isinstance(part, np.generic):
        return array_part(np.asarray(part))
    return integer(part)


def array_part(array: Array) -> Part:
    """A list of an index."""
    if array.dtype != bool and array.dtype.kind not in "iu":
        raise BadIndex("bad_index", f"Lists in an index are of integers or booleans, not of {array.dtype}.")
    if array.ndim == 0:
        return part_of(array.item())
    return array


def integer(value: Any) -> int:
    """An integer of any kind. @raises BadIndex, which is an IndexError as numpy's"""
    try:
        return operator.index(value)
    except TypeError:
        what = "only integers, slices (`:`), ellipsis (`...`), newaxis and integer or boolean arrays are valid indices"
        raise BadIndex("bad_index", f"{what}, not {value!r}.") from None


def text_of(part: Part) -> str:
    """A part in the text of ``slice=``."""
    if part is None:
        return "newaxis"
    if part is Ellipsis:
        return "..."
    if isinstance(part, slice):
        bounds = ["" if bound is None else str(bound) for bound in (part.start, part.stop)]
        return ":".join(bounds if part.step is None else [*bounds, str(part.step)])
    return str(part)


def item_of(part: Part) -> Any:
    """A part as an item of ``index`` in JSON."""
    if isinstance(part, MaskName):
        return {"mask": part.name}
    if isinstance(part, np.ndarray):
        return part.tolist()
    return part if isinstance(part, int) else text_of(part)


def expanded(parts: Sequence[Part], ndim: int) -> list[Part] | None:
    """The parts with ``...`` written out, one for each axis and for each new one; None where they are too many."""
    taken = sum(part is not None and part is not Ellipsis for part in parts)
    dots = [i for i, part in enumerate(parts) if part is Ellipsis]
    if taken > ndim or len(dots) > 1:
        return None
    at = dots[0] if dots else len(parts)
    return [*parts[:at], *[slice(None)] * (ndim - taken), *parts[at + 1 :]]


def is_scalar(selection: Selection, shape: tuple[int, ...]) -> bool:
    """Whether numpy gives a scalar for a result of no axes: it does unless ``...`` is there."""
    return shape == () and not any(part is Ellipsis for part in selection.parts)


def shape_of_basic(parts: Sequence[Part], shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """The shape of a basic selection; None where the index is not one of this array, which the service then says."""
    whole = expanded(parts, len(shape))
    if whole is None:
        return None
    lengths, axis = [], 0
    for part in whole:
        if part is None:
            lengths.append(1)
            continue
        if isinstance(part, slice):
            if part.step == 0:
                return None
            lengths.append(len(range(*part.indices(shape[axis]))))
        elif not -shape[axis] <= part < shape[axis]:
            return None
        axis += 1
    return tuple(lengths)


def narrowed(parts: Sequence[Part], shape: tuple[int, ...], piece: Sequence[slice]) -> tuple[Part, ...]:
    """The basic selection of a piece of what ``parts`` select; ``piece`` has a slice for each axis of that."""
    result: list[Part] = []
    axis = 0
    pieces = iter(piece)
    for part in expanded(parts, len(shape)) or ():
        if part is None:
            next(pieces)
            result.append(None)
            continue
        if isinstance(part, slice):
            result.append(slice_of(range(*part.indices(shape[axis]))[next(pieces)]))
        else:
            result.append(part)
        axis += 1
    return tuple(result)


def slice_of(positions: range) -> slice:
    """The slice of these positions, none of which is negative."""
    if len(positions) == 0:
        return slice(0, 0)
    stop = positions.stop if positions.stop >= 0 else None
    return slice(positions.start, stop, positions.step)


def pieces_of(shape: tuple[int, ...], itemsize: int, bytes_max: int) -> list[tuple[slice, ...]]:
    """Cuts an array into pieces of at most so many bytes, each of which lies in one stretch of C order.

    >>> pieces_of((4, 3), 8, 50)
    [(slice(0, 2, 1), slice(0, 3, 1)), (slice(2, 4, 1), slice(0, 3, 1))]
    """
    axis, inner = 0, math.prod(shape) * itemsize
    while axis < len(shape) and inner > bytes_max:
        inner //= max(1, shape[axis])
        axis += 1
    if axis == 0:
        return [tuple(slice(0, n, 1) for n in shape)]
    step = max(1, bytes_max // max(1, inner))
    whole = tuple(slice(0, n, 1) for n in shape[axis:])
    length = shape[axis - 1]
    return [
        (*(slice(i, i + 1, 1) for i in outer), slice(at, min(at + step, length), 1), *whole)
        for outer in np.ndindex(*shape[: axis - 1])
        for at in range(0, length, step)
    ]
