"""What a service has: listing, making, importing, registering and forgetting datasets, as recipes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from ._batches import ask_together, read_together
from ._handle import About, Handle, Session, path_of, said
from ._index import Basic
from ._steps import Call, Steps
from ._wire import JSON, NPY, described, npy
from ._writing import write_basic
from .errors import HyperslabError, NotFound


class CatalogRecipes:
    """The calls of one service."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def handle(self, name: str) -> Steps[Handle]:
        """The array of this name. Where there is none, NotFound, which is a KeyError."""
        return Handle(self.session, About.of((yield from self.session.ask("GET", path_of(name)))))

    def names(self, *, prefix: str | None = None, q: str | None = None) -> Steps[list[str]]:
        """The names of all datasets in their order: those that begin with ``prefix``, those that have ``q`` in them."""
        names: list[str] = []
        cursor = None
        while True:
            query = {"fields": "name", "limit": "1000", "prefix": prefix, "q": q, "cursor": cursor}
            page = yield from self.session.ask("GET", "/v1/datasets", None, True, **query)
            names += [each["name"] for each in page["datasets"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return names

    def has(self, name: object) -> Steps[bool]:
        """Whether there is a dataset of this name."""
        if not isinstance(name, str) or not name:
            return False
        try:
            yield from self.session.ask("GET", path_of(name))
        except NotFound:
            return False
        return True

    def create(
        self,
        name: str,
        array_or_shape: Any,
        dtype: Any = None,
        *,
        order: Literal["C", "F"] | None = None,
        fill: Any = None,
        sparse: bool = False,
        overwrite: bool = False,
        attrs: Mapping[str, Any] | None = None,
        dims: Sequence[str] | None = None,
    ) -> Steps[Handle]:
        """Makes an array: from one that is there, or of a shape and a dtype.

        A shape is an integer or a tuple of integers, and comes with ``dtype`` (float64 without); anything else is an
        array. A large one is sent in pieces, so that a cut costs one of them; until it returns, others may see a part.

        >>> client.create("ones", np.ones((2, 3)), attrs={"unit": "m"})  # doctest: +SKIP
        >>> client.create("board", (8, 8), "u1", fill=1)  # doctest: +SKIP
        """
        array = None if is_shape(array_or_shape) else np.asarray(array_or_shape, dtype)
        if array is not None and array.flags.f_contiguous and not array.flags.c_contiguous:
            order = order or "F"
        body = {
            "name": name,
            "dtype": described(np.dtype(np.float64 if dtype is None else dtype) if array is None else array.dtype),
            "shape": list(array.shape) if array is not None else np.atleast_1d(array_or_shape).tolist(),
            "order": order,
            "fill": fill,
            "sparse": sparse or None,
            "overwrite": overwrite or None,
            "mode": "w+" if overwrite else None,
            "attrs": attrs,
            "dims": None if dims is None else list(dims),
        }
        handle = yield from self._make({key: value for key, value in body.items() if value is not None})
        if array is not None and array.size:
            yield from write_basic(handle, Basic((Ellipsis,)), array, None, self.session.progress)
        return handle

    def register(
        self,
        name: str,
        path: str,
        *,
        dtype: Any = None,
        shape: Sequence[int] | None = None,
        order: Literal["C", "F"] | None = None,
        offset: int | None = None,
        mode: Literal["r", "r+", "w+", "c"] | None = None,
        format: Literal["npy", "raw"] | None = None,
        external: bool | None = None,
        attrs: Mapping[str, Any] | None = None,
        dims: Sequence[str] | None = None,
    ) -> Steps[Handle]:
        """Registers a file that the service sees, where it lies, as ``np.memmap`` maps it. `.npy` files say the rest.

        >>> client.register("wind", "wind.dat", dtype=">f4", shape=(1000, 10), mode="r+")  # doctest: +SKIP
        """
        body = {
            "name": name,
            "path": path,
            "dtype": None if dtype is None else described(np.dtype(dtype)),
            "shape": None if shape is None else list(shape),
            "order": order,
            "offset": offset,
            "mode": mode,
            "format": format,
            "external": external,
            "attrs": attrs,
            "dims": None if dims is None else list(dims),
        }
        return (yield from self._make({key: value for key, value in body.items() if value is not None}))

    def put(self, name: str, array: Any, *, overwrite: bool = False) -> Steps[Handle]:
        """Sends an array of any size as one stream, seen when it is there whole; ``overwrite`` replaces a dataset."""
        query = said({"overwrite": "true" if overwrite else None})
        headers = {"content-type": NPY, "accept": JSON}
        # Sent again, the second would find the name taken by the first.
        yield from self.session.call(
            Call("PUT", path_of(name), query, headers, npy(np.asarray(array)), repeatable=overwrite)
        )
        return (yield from self.handle(name))

    def delete(self, name: str, *, data: Literal["keep", "delete"] = "keep") -> Steps[None]:
        """Forgets a dataset; ``data="delete"`` deletes its file, too, where the service made it."""
        yield from self.session.ask("DELETE", path_of(name), None, repeatable=False, data=data)

    def read_handles(self, reads: Sequence[tuple[Handle, Any]]) -> Steps[list[Any]]:
        """Reads of several arrays in one call."""
        return (yield from read_together(self.session, reads))

    def statistics(self, queries: Sequence[Mapping[str, Any]]) -> Steps[list[dict[str, Any] | HyperslabError]]:
        """Many statistics in one call; one that fails is its exception in the list, and does not stop the others.

        >>> client.statistics([{"dataset": "wind", "ops": ["mean"], "axis": [0]}])  # doctest: +SKIP
        """
        return (yield from ask_together(self.session, queries))

    def _make(self, body: Mapping[str, Any]) -> Steps[Handle]:
        return Handle(self.session, About.of((yield from self.session.ask("POST", "/v1/datasets", body, False))))


def is_shape(value: Any) -> bool:
    """Whether it says how long axes are: an integer, or a tuple of integers."""
    parts = value if isinstance(value, tuple) else (value,)
    return all(isinstance(part, (int, np.integer)) and not isinstance(part, bool) for part in parts)
