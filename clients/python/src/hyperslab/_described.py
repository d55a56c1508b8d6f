"""What an array says of itself without asking the service, the same with threads and with asyncio."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._handle import Handle
from ._index import MaskName
from ._recipes import ArrayRecipes


class Described:
    """The attributes of an array, as they were when it was opened, refreshed or written last."""

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._recipes = ArrayRecipes(handle)

    @property
    def name(self) -> str:
        """The name of the dataset."""
        return self._handle.about.name

    @property
    def field(self) -> str | None:
        """The field of the dataset that this is, or None."""
        return self._handle.field

    @property
    def shape(self) -> tuple[int, ...]:
        """The lengths of the axes."""
        return self._handle.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of an element, in the byte order of the file."""
        return self._handle.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """The bytes of all elements."""
        return self._handle.nbytes

    @property
    def dims(self) -> tuple[str, ...] | None:
        """The names of the axes, or None."""
        return self._handle.about.dims

    @property
    def attrs(self) -> dict[str, Any]:
        """What is told of the dataset: any JSON object. ``update`` changes it."""
        return dict(self._handle.about.attrs)

    @property
    def mode(self) -> str:
        """numpy's mode of the file: r, r+, w+ or c."""
        return self._handle.about.mode

    @property
    def generation(self) -> int:
        """Counts the writes of the file; it only grows."""
        return self._handle.about.generation

    def __repr__(self) -> str:
        inner = "" if self.field is None else f"[{self.field!r}]"
        return f"<{type(self).__name__} {self.name}{inner} {self.dtype} {self.shape}>"

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        about, session = self._handle.about, self._handle.session
        return (session.url, about.name, about.id, about.generation, self.field)

    def _field_key(self, key: Any) -> str | list[str] | None:
        """The key where it names fields."""
        if isinstance(key, str):
            return key
        is_names = isinstance(key, list) and bool(key) and all(isinstance(each, str) for each in key)
        return key if is_names else None

    def _index_key(self, key: Any) -> Any:
        """The key, with arrays of the same service that are masks named instead of sent."""
        if isinstance(key, tuple):
            return tuple(map(self._index_key, key))
        if isinstance(key, Described) and key.dtype == bool and key.field is None:
            ours, theirs = self._handle.session, key._handle.session
            return MaskName(key.name) if ours.url == theirs.url else key
        return key
