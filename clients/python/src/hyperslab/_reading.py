"""Reads: one call for what is small, pieces over several connections for what is not."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ._handle import Handle, form_said, said
from ._http import Misfit
from ._index import (
    Basic,
    Fancy,
    Selection,
    is_scalar,
    narrowed,
    pieces_of,
    shape_of_basic,
)
from ._progress import Meter, Progress
from ._steps import Call, Steps, together
from ._wire import JSON, NPY, Array, array_from, bytes_of, npy
from .errors import BadIndex, GenerationMoved

#: How often a large read begins anew because somebody wrote meanwhile, or the service was restarted.
RESTARTS = 5

#: The largest share: what is not contiguous in the file begins anew when it is cut.
PIECE_BYTES = 256 << 20

#: Integers of one list that go in one call.
ENTRIES = 1 << 20


class Conversion:
    """How elements are converted on the way: ``dtype=`` and ``casting=`` of reads, or not at all."""

    def __init__(self, dtype: Any = None, casting: str | None = None) -> None:
        self.dtype = None if dtype is None else np.dtype(dtype)
        self.casting = casting

    @property
    def query(self) -> dict[str, str | None]:
        """The parameters of the call."""
        return {"dtype": None if self.dtype is None else self.dtype.str, "casting": self.casting}


def read(handle: Handle, selection: Selection, conversion: Conversion, progress: Progress) -> Steps[Any]:
    """What is selected: an array, or a scalar where numpy gives one."""
    if isinstance(selection, Basic):
        array = yield from read_basic(handle, selection, conversion, progress)
    else:
        array = yield from read_fancy(handle, selection, conversion, progress)
    return array[()] if is_scalar(selection, array.shape) else array


def read_into(handle: Handle, selection: Selection, out: Array, progress: Progress) -> Steps[None]:
    """Reads into an array that is there, straight into its memory where it has the form of what is read."""
    fits = out.flags.c_contiguous and out.flags.writeable and out.dtype == handle.dtype
    if fits and isinstance(selection, Basic) and shape_of_basic(selection.parts, handle.shape) == out.shape:
        yield from read_pieces(handle, selection, out, Conversion(), progress)
        return
    array = yield from read(handle, selection, Conversion(), progress)
    out[...] = array


def read_basic(handle: Handle, selection: Basic, conversion: Conversion, progress: Progress) -> Steps[Array]:
    """A basic selection."""
    dtype = conversion.dtype or handle.dtype
    shape = shape_of_basic(selection.parts, handle.shape)
    if shape is not None and math.prod(shape) * dtype.itemsize > handle.session.read_bytes:
        return (yield from read_pieces(handle, selection, None, conversion, progress))
    answer = yield from handle.session.call(get(handle, selection, conversion))
    return array_from(answer.body, *form_said(answer))


def get(handle: Handle, selection: Basic, conversion: Conversion, **more: Any) -> Call:
    """The call for a basic selection."""
    query = said({"slice": selection.text, "field": handle.field, **conversion.query})
    return Call("GET", f"{handle.path}/data.raw", query, **more)


def read_pieces(
    handle: Handle, selection: Basic, out: Array | None, conversion: Conversion, progress: Progress
) -> Steps[Array]:
    """A large selection in pieces that are all of one generation: where that moves, it begins anew."""
    for attempt in range(RESTARTS + 1):
        yield from handle.refresh()
        shape = shape_of_basic(selection.parts, handle.shape)
        dtype = conversion.dtype or handle.dtype
        if shape is None:
            raise BadIndex("bad_index", f"The array has the shape {handle.shape} now, which the index does not fit.")
        whole = np.empty(shape, dtype) if out is None else out
        if whole.shape != shape or whole.dtype != dtype:
            raise BadIndex("bad_index", f"The selection has the shape {shape} now, and not that of the array to fill.")
        with Meter(whole.nbytes, handle.about.name, progress_of(handle, progress)) as meter:
            pieces = pieces_of(shape, dtype.itemsize, piece_bytes(handle, whole.nbytes))
            recipes = [read_piece(handle, selection, whole, piece, conversion, meter.moved) for piece in pieces]
            try:
                yield from together(recipes, handle.session.connections)
            except (GenerationMoved, Misfit):
                if attempt == RESTARTS:
                    raise
                continue
            return whole
    raise AssertionError("unreachable")


def piece_bytes(handle: Handle, total: int) -> int:
    """How large pieces are: an even share for each connection, since one that goes on is faster than two that begin."""
    session = handle.session
    share = -(-total // session.connections)
    return max(session.read_bytes, min(PIECE_BYTES, share))


def read_piece(
    handle: Handle,
    selection: Basic,
    whole: Array,
    piece: tuple[slice, ...],
    conversion: Conversion,
    moved: Callable[[int], None],
) -> Steps[None]:
    """Fills a piece of the result, under the condition that nothing was written since."""
    part = Basic(narrowed(selection.parts, handle.shape, piece))
    target = whole[piece]
    if target.size == 0:
        return
    into = bytes_of(target)
    assert np.may_share_memory(target, np.frombuffer(into, np.uint8)), "a piece lies in one stretch"
    call = get(handle, part, conversion, headers={"if-match": handle.tag}, into=into, moved=moved)
    yield from handle.session.call(call)


def read_fancy(handle: Handle, selection: Fancy, conversion: Conversion, progress: Progress) -> Steps[Array]:
    """A selection with lists. A lone list or mask goes as `.npy`, and in several calls where it takes much."""
    lone = selection.lone
    if lone is not None and is_large(handle, lone):
        if lone.ndim > 1:
            return (yield from read_masked_rows(handle, lone, conversion, progress))
        if lone.dtype == bool:
            lone = np.flatnonzero(checked_mask(handle, lone))
        return (yield from read_lists(handle, lone, conversion, progress))
    return (yield from select(handle, selection, conversion))


def is_large(handle: Handle, lone: Array) -> bool:
    """Whether what a lone list or mask takes, or the list itself, is more than one call should be for."""
    taken = int(np.count_nonzero(lone)) if lone.dtype == bool else lone.size
    inner = math.prod(handle.shape[lone.ndim :]) * handle.dtype.itemsize
    return taken * max(1, inner) > handle.session.read_bytes or lone.nbytes > handle.session.read_bytes


def select(handle: Handle, selection: Fancy, conversion: Conversion, tag: str | None = None) -> Steps[Array]:
    """One call of select."""
    lone = selection.lone
    if lone is not None and selection.mode == "vectorized":
        body, kind = npy(np.ascontiguousarray(lone)), NPY
    else:
        body, kind = [json.dumps({"index": selection.items, "mode": selection.mode}).encode()], JSON
    return (yield from post_select(handle, body, kind, conversion, tag))


def post_select(
    handle: Handle, body: Sequence[Any], kind: str, conversion: Conversion, tag: str | None = None
) -> Steps[Array]:
    """The array that a body of select takes."""
    headers = said({"content-type": kind, "if-match": tag})
    query = said({"format": "raw", "field": handle.field, **conversion.query})
    answer = yield from handle.session.call(Call("POST", f"{handle.path}/select", query, headers, body))
    return array_from(answer.body, *form_said(answer))


def read_lists(handle: Handle, rows: Array, conversion: Conversion, progress: Progress) -> Steps[Array]:
    """Many rows, some at a time."""
    row_bytes = math.prod(handle.shape[1:]) * handle.dtype.itemsize
    step = min(ENTRIES, max(1, handle.session.read_bytes // max(1, row_bytes)))
    lists = [rows[at : at + step] for at in range(0, len(rows), step)] or [rows]
    for attempt in range(RESTARTS + 1):
        yield from handle.refresh()
        with Meter(len(rows) * row_bytes, handle.about.name, progress_of(handle, progress)) as meter:
            recipes = [read_list(handle, each, conversion, meter) for each in lists]
            try:
                return np.concatenate((yield from together(recipes, handle.session.connections)))
            except GenerationMoved:
                if attempt == RESTARTS:
                    raise
    raise AssertionError("unreachable")


def read_list(handle: Handle, rows: Array, conversion: Conversion, meter: Meter) -> Steps[Array]:
    """Some rows, under the condition that nothing was written since."""
    array = yield from select(handle, Fancy((rows,), "vectorized"), conversion, handle.tag)
    meter.moved(array.nbytes)
    return array


def read_masked_rows(handle: Handle, mask: Array, conversion: Conversion, progress: Progress) -> Steps[Array]:
    """What a large mask of several axes keeps: rows are read, and masked here."""
    checked_mask(handle, mask)
    rows = np.flatnonzero(mask.any(axis=tuple(range(1, mask.ndim))))
    first, last = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, 0)
    array = yield from read_basic(handle, Basic((slice(first, last),)), conversion, progress)
    kept: Array = array[mask[first:last]]
    return kept


def checked_mask(handle: Handle, mask: Array) -> Array:
    """The mask, where its lengths are those of the axes."""
    if mask.shape != handle.shape[: mask.ndim]:
        detail = f"boolean index did not match: the mask has the shape {mask.shape}, and the array {handle.shape}."
        raise BadIndex("bad_index", detail)
    return mask


def progress_of(handle: Handle, progress: Progress) -> Progress:
    """What was asked for in the call, or else of the client."""
    return handle.session.progress if progress is None else progress
