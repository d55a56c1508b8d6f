"""Writes: one commit for what is small, a commit for each piece of what is not."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._handle import Handle, said
from ._index import Basic, Selection, narrowed, pieces_of, shape_of_basic
from ._progress import Meter, Progress
from ._reading import ENTRIES, checked_mask, is_large, progress_of
from ._steps import Buffer, Call, Steps, together
from ._values import broadcasts, piece_of, values_for
from ._wire import JSON, NPY, Array, jsonable, npy
from .errors import ShapeMismatch, TooLarge


def write(handle: Handle, selection: Selection, value: Any, durability: str | None, progress: Progress) -> Steps[None]:
    """Assigns to what is selected."""
    values = values_for(value, handle.dtype)
    if isinstance(selection, Basic):
        yield from write_basic(handle, selection, values, durability, progress)
    elif selection.lone is not None and is_large(handle, selection.lone):
        yield from write_rows(handle, selection.lone, values)
    else:
        entry = {"index": selection.items, "mode": selection.mode}
        yield from write_entries(handle, [(entry, values)])


def write_basic(
    handle: Handle, selection: Basic, values: Array, durability: str | None, progress: Progress
) -> Steps[None]:
    """Assigns to a basic selection: each piece is a commit of its own, and may be sent again, since it says all."""
    shape = shape_of_basic(selection.parts, handle.shape)
    limit = handle.session.write_bytes
    if shape is None or max(math.prod(shape) * handle.dtype.itemsize, values.nbytes) <= limit:
        yield from put(handle, selection, values, durability)
        return
    if not broadcasts(values, shape):
        detail = f"could not broadcast input array from shape {values.shape} into shape {shape}"
        raise ShapeMismatch("shape_mismatch", detail)
    while True:
        total = math.prod(shape) * handle.dtype.itemsize
        with Meter(total, handle.about.name, progress_of(handle, progress)) as meter:
            pieces = pieces_of(shape, handle.dtype.itemsize, limit)
            recipes = [put_piece(handle, selection, values, shape, piece, durability, meter) for piece in pieces]
            try:
                yield from together(recipes, handle.session.connections)
                return
            except TooLarge:
                # The service commits less at a time than usual; what was written is written again.
                limit //= 2
                if limit < handle.dtype.itemsize:
                    raise


def put_piece(
    handle: Handle,
    selection: Basic,
    values: Array,
    shape: tuple[int, ...],
    piece: tuple[slice, ...],
    durability: str | None,
    meter: Meter,
) -> Steps[None]:
    """Writes one piece."""
    part = Basic(narrowed(selection.parts, handle.shape, piece))
    yield from put(handle, part, piece_of(values, shape, piece), durability)
    meter.moved(math.prod(p.stop - p.start for p in piece) * handle.dtype.itemsize)


def put(handle: Handle, selection: Basic, values: Array, durability: str | None) -> Steps[None]:
    """One call that writes a basic selection."""
    query = said({"slice": selection.text, "field": handle.field, "durability": durability})
    headers = {"content-type": NPY, "accept": JSON}
    answer = yield from handle.session.call(Call("PUT", f"{handle.path}/data.npy", query, headers, npy(values)))
    noted(handle, json.loads(bytes(answer.body)))


def noted(handle: Handle, answer: Mapping[str, Any]) -> None:
    """Keeps the generation of our own write, which goes up."""
    handle.about.generation = max(handle.about.generation, int(answer["generation"]))


def write_rows(handle: Handle, lone: Array, values: Array) -> Steps[None]:
    """Assigns to many rows, some at a time, in their order: of a row that is named twice the last value stays."""
    inner = handle.shape[lone.ndim :]
    indices = np.nonzero(checked_mask(handle, lone)) if lone.dtype == bool else (lone,)
    count = len(indices[0])
    shape = (count, *inner)
    if not broadcasts(values, shape):
        detail = f"shape mismatch: values of shape {values.shape} cannot be assigned to a result of shape {shape}"
        raise ShapeMismatch("shape_mismatch", detail)
    step = max(1, min(ENTRIES, handle.session.write_bytes // max(1, math.prod(inner) * handle.dtype.itemsize)))
    whole = tuple(slice(0, n, 1) for n in inner)
    for at in range(0, count, step):
        piece = (slice(at, min(at + step, count), 1), *whole)
        entry = {"index": [each[at : at + step].tolist() for each in indices], "mode": "vectorized"}
        yield from write_entries(handle, [(entry, piece_of(values, shape, piece))])


def write_entries(
    handle: Handle, entries: Sequence[tuple[Mapping[str, Any], Array]], repeatable: bool = True
) -> Steps[None]:
    """Several writes as one commit: their places as JSON, their values as parts of a form."""
    places = [said_field(handle, place) for place, _ in entries]
    first = json.dumps({"writes": jsonable(places)}).encode()
    boundary = uuid.uuid4().hex
    body: list[Buffer] = []
    parts: list[tuple[str, Sequence[Buffer]]] = [(JSON, [first])]
    parts += [(NPY, npy(values)) for _, values in entries]
    for kind, part in parts:
        name = f'Content-Disposition: form-data; name="{len(body)}"; filename="part"'
        body += [f"--{boundary}\r\n{name}\r\nContent-Type: {kind}\r\n\r\n".encode(), *part, b"\r\n"]
    body.append(f"--{boundary}--\r\n".encode())
    headers = {"content-type": f"multipart/form-data; boundary={boundary}", "accept": JSON}
    call = Call("POST", f"{handle.path}/writes", {}, headers, body, repeatable=repeatable)
    answer = yield from handle.session.call(call)
    noted(handle, json.loads(bytes(answer.body)))


def said_field(handle: Handle, place: Mapping[str, Any]) -> dict[str, Any]:
    """The place of a write, inside the field of the handle."""
    return {**place} if handle.field is None else {**place, "field": handle.field}
