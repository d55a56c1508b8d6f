"""What every call about one array needs to know: whom to ask, and what the array is."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import numpy as np

from ._progress import Progress
from ._retry import Patience, send
from ._steps import Answer, Call, Steps
from ._wire import JSON, dtype_of, jsonable, shape_of
from .errors import UnknownField

MiB = 1 << 20


@dataclass(frozen=True)
class Session:
    """How a client goes about its calls."""

    url: str
    token: str | None = field(default=None, repr=False)
    #: Connections that one large read or write uses.
    connections: int = 2
    #: Larger reads go in pieces of so many bytes or more, larger writes in pieces of so many.
    read_bytes: int = 32 * MiB
    write_bytes: int = 16 * MiB
    patience: Patience = field(default_factory=Patience)
    progress: Progress = None
    #: Seconds without a byte after which a connection counts as cut.
    timeout: float = 300.0

    def call(self, call: Call) -> Steps[Answer]:
        """The good answer to a call."""
        return send(call, self.patience)

    def ask(self, method: str, path: str, body: Any = None, repeatable: bool = True, **query: str | None) -> Steps[Any]:
        """The JSON of an answer to a call with JSON."""
        sent = () if body is None else (json.dumps(jsonable(body)).encode(),)
        headers = {"accept": JSON, **({"content-type": JSON} if sent else {})}
        answer = yield from self.call(Call(method, path, said(query), headers, sent, repeatable=repeatable))
        return json.loads(bytes(answer.body)) if answer.body else None


def said(query: Mapping[str, str | None]) -> dict[str, str]:
    """The parameters that are there."""
    return {name: value for name, value in query.items() if value is not None}


@dataclass
class About:
    """A dataset as the service describes it. ``refresh`` changes it in place."""

    name: str
    id: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    order: str | None
    mode: str
    generation: int
    external: bool
    attrs: dict[str, Any]
    dims: tuple[str, ...] | None

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> About:
        """Reads a description."""
        dims = said.get("dims")
        return cls(
            name=said["name"],
            id=said["id"],
            dtype=dtype_of(said["dtype"]),
            shape=tuple(said["shape"]),
            order=said.get("order"),
            mode=said["mode"],
            generation=said["generation"],
            external=said["external"],
            attrs=dict(said.get("attrs") or {}),
            dims=None if dims is None else tuple(dims),
        )


class Handle:
    """An array of the service, or a field of one."""

    def __init__(self, session: Session, about: About, field: str | None = None) -> None:
        self.session, self.about, self.field = session, about, field
        self.path = path_of(about.name)

    @property
    def dtype(self) -> np.dtype[Any]:
        """numpy's dtype of an element, with the byte order of the file."""
        return self._form[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._form[1]

    @property
    def nbytes(self) -> int:
        """Bytes of all elements."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def _form(self) -> tuple[np.dtype[Any], tuple[int, ...]]:
        return form_of(self.about, self.field)

    @property
    def tag(self) -> str:
        """The state that a call may be made conditional on, by If-Match."""
        return f'"{self.about.id}.{self.about.generation}"'

    def inside(self, key: str | list[str]) -> Handle:
        """A field or column, or several."""
        names = key if isinstance(key, str) else ",".join(key)
        inner = names if self.field is None else f"{self.field}.{names}"
        form_of(self.about, inner)
        return Handle(self.session, self.about, inner)

    def refresh(self) -> Steps[None]:
        """Asks how the array is now."""
        now = About.of((yield from self.session.ask("GET", self.path)))
        vars(self.about).update(vars(now))


def path_of(name: str, *more: str) -> str:
    """The path of a dataset."""
    return "/".join(["/v1/datasets", quote(name, safe=""), *more])


def form_of(about: About, field: str | None) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """dtype and shape of a field: an exact name first, then several, then one inside another.

    @raises UnknownField
    """
    if field is None:
        return about.dtype, about.shape
    if about.dtype.names is not None:
        dtype = field_of(about.dtype, field)
        return dtype.base, about.shape + dtype.shape
    columns = about.attrs.get("columns")
    if isinstance(columns, list) and about.shape:
        if field in columns:
            return about.dtype, about.shape[:-1]
        names = field.split(",")
        if all(name in columns for name in names):
            return about.dtype, (*about.shape[:-1], len(names))
    raise unknown(field, columns if isinstance(columns, list) else [])


def field_of(dtype: np.dtype[Any], field: str) -> np.dtype[Any]:
    """The dtype of a field of a structure, with the shape of a sub-array."""
    names = dtype.names or ()
    if field in names:
        return dtype[field]
    several = field.split(",")
    if len(several) > 1:
        return np.dtype([(name, field_of(dtype, name)) for name in several])
    first, dot, rest = field.partition(".")
    if not dot or first not in names:
        raise unknown(field, list(names))
    outer = dtype[first]
    inner = field_of(outer.base, rest)
    shape = outer.shape + inner.shape
    return np.dtype((inner.base, shape)) if shape else inner


def unknown(field: str, known: list[str]) -> UnknownField:
    """The refusal of a name that is no field."""
    there = f"There are {', '.join(map(str, known))}." if known else "The array has no fields and no named columns."
    return UnknownField("unknown_field", f"There is no field {field!r}. {there}", 0, {"field": field, "known": known})


@functools.lru_cache(maxsize=256)
def dtype_said(text: str) -> np.dtype[Any]:
    """The dtype in ``X-Array-Dtype``: numpy's text, or JSON of a structure."""
    return dtype_of(json.loads(text) if text[:1] in "[{" else text)


def form_said(answer: Answer) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """dtype and shape of a raw answer."""
    return dtype_said(answer.headers["x-array-dtype"]), shape_of(answer.headers["x-array-shape"])
