"""Many questions in one call."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ._handle import Handle, Session
from ._index import Basic, Selection, is_scalar, parse
from ._steps import Call, Steps
from ._wire import JSON, jsonable, numbers
from .errors import HyperslabError, of_problem


def read_together(session: Session, reads: Sequence[tuple[Handle, Any]]) -> Steps[list[Any]]:
    """Several reads in one call; of each dataset they are all of one generation."""
    if not reads:
        return []
    selections = [parse(key) for _, key in reads]
    entries = [
        entry(i, handle, selection) for i, ((handle, _), selection) in enumerate(zip(reads, selections, strict=True))
    ]
    call = Call(
        "POST",
        "/v1/select",
        {"format": "npz"},
        {"content-type": JSON},
        [json.dumps({"reads": entries}).encode()],
    )
    answer = yield from session.call(call)
    with np.load(io.BytesIO(answer.body)) as members:
        arrays = [members[f"r{i}"] for i in range(len(reads))]
    return [
        array[()] if is_scalar(selection, array.shape) else array
        for array, selection in zip(arrays, selections, strict=True)
    ]


def entry(index: int, handle: Handle, selection: Selection) -> dict[str, Any]:
    """One read in the body of the call."""
    said: dict[str, Any] = {"dataset": handle.about.name, "name": f"r{index}"}
    if handle.field is not None:
        said["field"] = handle.field
    if not isinstance(selection, Basic):
        return {**said, "index": selection.items, "mode": selection.mode}
    return said if selection.text is None else {**said, "slice": selection.text}


def ask_together(
    session: Session, queries: Sequence[Mapping[str, Any]]
) -> Steps[list[dict[str, Any] | HyperslabError]]:
    """A batch of statistics: an answer for each query, or the exception that it came to."""
    body = json.dumps({"queries": jsonable(list(queries))}).encode()
    answer = yield from session.call(Call("POST", "/v1/statistics", {}, {"content-type": JSON}, [body]))
    lines = [json.loads(line) for line in bytes(answer.body).splitlines() if line.strip()]
    results: list[dict[str, Any] | HyperslabError] = []
    for line in lines:
        fault = line.get("error")
        if fault is not None:
            results.append(of_problem(fault, int(fault.get("status", 0))))
        else:
            results.append({**line, "results": numbers_inside(line["results"])})
    return results


def numbers_inside(results: Mapping[str, Any]) -> dict[str, Any]:
    """The results with numbers for NaN and the infinities."""
    return {name: value if isinstance(value, dict) else numbers(value) for name, value in results.items()}
