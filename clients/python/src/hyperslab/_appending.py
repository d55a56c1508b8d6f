"""Rows that join the end of an array: once, also where an answer is lost."""

from __future__ import annotations

import json
import random

import numpy as np

from ._handle import Handle
from ._index import parse
from ._progress import Meter, Progress
from ._reading import Conversion, progress_of, read
from ._steps import Call, Steps, pause
from ._values import values_for
from ._wire import JSON, NPY, Array, npy
from .errors import BadValue, Moved, Unreachable


def append(handle: Handle, value: object, at: int | None, progress: Progress) -> Steps[tuple[int, ...]]:
    """Appends and gives the shape right after it.

    Each call says by ``at`` how long the array has to be. So one that is repeated after a cut adds nothing where the
    first was done: the array is longer then, and the rows at ``at`` tell whose they are.
    """
    if handle.field is not None:
        raise BadValue("not_growable", f"Rows join the whole array {handle.about.name!r}, not one field of it.")
    rows = values_for(value, handle.dtype)
    start = length_of(handle) if at is None else at
    is_unknown, waited, tries = False, 0.0, 0
    with Meter(rows.nbytes, handle.about.name, progress_of(handle, progress)) as meter:
        while True:
            try:
                return (yield from append_at(handle, rows, start, meter))
            except Moved as moved:
                # Nothing that was sent with this `at` can stand anywhere else.
                done = (yield from shape_if_there(handle, rows, start)) if is_unknown else None
                if done is not None:
                    return done
                if at is not None:
                    raise
                start, is_unknown = int(moved.values["length"]), False
                meter.restart()
            except Unreachable as cut:
                if cut.code != "outcome_unknown":
                    raise
                patience = handle.session.patience
                wait = min(patience.longest, patience.first * 2 ** min(tries, 20)) * random.uniform(0.5, 1.0)
                if waited + wait > patience.seconds:
                    raise
                is_unknown, waited, tries = True, waited + wait, tries + 1
                yield from pause(wait)
                meter.restart()


def append_at(handle: Handle, rows: Array, at: int, meter: Meter) -> Steps[tuple[int, ...]]:
    """One call that appends where the array is so long."""
    headers = {"content-type": NPY, "accept": JSON}
    path, body = f"{handle.path}/append", npy(rows)
    call = Call("POST", path, {"at": str(at)}, headers, body, repeatable=False, moved=meter.moved)
    answer = json.loads(bytes((yield from handle.session.call(call)).body))
    handle.about.generation = max(handle.about.generation, int(answer["generation"]))
    handle.about.shape = tuple(answer["shape"])
    return handle.about.shape


def shape_if_there(handle: Handle, rows: Array, at: int) -> Steps[tuple[int, ...] | None]:
    """The shape up to the end of these rows, where the array has them at ``at``."""
    yield from handle.refresh()
    axis = axis_of(handle)
    count = rows.shape[axis] if rows.ndim == len(handle.shape) else 1
    if length_of(handle) < at + count:
        return None
    there = yield from read(handle, parse((slice(None),) * axis + (slice(at, at + count),)), Conversion(), False)
    sent = np.expand_dims(rows, axis) if rows.ndim < there.ndim else rows
    return (*handle.shape[:axis], at + count, *handle.shape[axis + 1 :]) if alike(there, sent) else None


def alike(there: Array, rows: Array) -> bool:
    """Whether rows that were read are those that were sent, NaN and NaT included; padding does not count."""
    if there.dtype.names is not None and there.dtype.names == rows.dtype.names:
        return there.shape == rows.shape and all(alike(there[name], rows[name]) for name in there.dtype.names)
    return np.array_equal(there, rows.astype(there.dtype), equal_nan=there.dtype.kind in "fcmM")


def axis_of(handle: Handle) -> int:
    """The axis that grows: the first in C order, the last in F order."""
    return len(handle.shape) - 1 if handle.about.order == "F" else 0


def length_of(handle: Handle) -> int:
    """How long the axis that grows is."""
    return handle.shape[axis_of(handle)] if handle.shape else 0
