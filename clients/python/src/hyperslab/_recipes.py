"""What can be done with an array, as recipes. The classes for threads and for asyncio perform them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np

from . import _reducing
from ._appending import append
from ._batches import read_together
from ._handle import Handle
from ._index import Mode, Selection, parse
from ._progress import Progress
from ._reading import Conversion, read, read_into
from ._reducing import Axis
from ._steps import Steps
from ._wire import Array, numbers
from ._writing import write
from .filters import Condition

Casting: TypeAlias = Literal["safe", "same_kind", "unsafe"]
Durability: TypeAlias = Literal["commit", "none"]
Nan: TypeAlias = Literal["propagate", "omit", "raise"]
Where: TypeAlias = "Condition | Array | Sequence[Any] | bool | None"


class ArrayRecipes:
    """The calls of one array."""

    def __init__(self, handle: Handle) -> None:
        self.handle = handle

    def read(
        self,
        key: Any = ...,
        *,
        dtype: Any = None,
        casting: Casting | None = None,
        mode: Mode = "vectorized",
        progress: Progress = None,
    ) -> Steps[Any]:
        """Reads what ``a[key]`` reads, with more to say.

        ``dtype`` converts on the way, by the rule ``casting`` (``"safe"`` unless another is named), so that fewer bytes
        may travel. ``mode="orthogonal"`` crosses lists, as ``a.oindex`` does. A large read goes in pieces of one
        generation: what somebody writes meanwhile is in all of it or in nothing.

        >>> a.read(np.s_[:1000], dtype="f4", casting="same_kind")  # doctest: +SKIP
        """
        return (yield from read(self.handle, parse(key, mode), Conversion(dtype, casting), progress))

    def read_into(self, out: Array, key: Any = ..., *, progress: Progress = None) -> Steps[None]:
        """Reads into an array that is there, such as a part of a larger one, without another copy in memory."""
        yield from read_into(self.handle, parse(key), out, progress)

    def write(
        self,
        key: Any,
        value: Any,
        *,
        mode: Mode = "vectorized",
        durability: Durability | None = None,
        progress: Progress = None,
    ) -> Steps[None]:
        """Assigns as ``a[key] = value`` does, with more to say.

        When it returns the write is on disk, also after a crash. Up to 16 MiB are one commit, seen whole or not at all;
        more goes as several. ``durability="none"`` does not wait for the disk; ``flush`` does later. Values that the
        dtype cannot hold are refused (:class:`WouldLose`), where numpy would cut them.
        """
        yield from write(self.handle, parse(key, mode), value, durability, progress)

    def append(self, rows: Any, *, at: int | None = None, progress: Progress = None) -> Steps[tuple[int, ...]]:
        """Adds rows at the end: of axis 0, of an F-order array of the last axis. The shape right after it comes back.

        ``rows`` has the rank of the array, or one axis less for a single row. It is one commit whatever its size, on
        disk and seen whole when it returns, and is done once, also where the connection is cut on the way. ``at`` says
        how long the array has to be (:class:`Moved` where it is not); without it several writers take turns.

        >>> a.append(np.ones((10, 4)))  # doctest: +SKIP
        (110, 4)
        """
        return (yield from append(self.handle, rows, at, progress))

    def select(self, selection: Selection) -> Steps[Any]:
        """Reads a selection that is parsed."""
        return (yield from read(self.handle, selection, Conversion(), None))

    def refresh(self) -> Steps[None]:
        """Asks how the array is now: its shape, its ``attrs``, its generation."""
        yield from self.handle.refresh()

    def flush(self) -> Steps[None]:
        """Puts the array file itself on disk. Writes are safe without it, in the journal; copying the file needs it."""
        yield from self.handle.session.ask("POST", f"{self.handle.path}/flush")

    def discard(self) -> Steps[None]:
        """Takes back what was written to a dataset of mode ``c``."""
        yield from self.handle.session.ask("POST", f"{self.handle.path}/discard")

    def update(self, *, attrs: dict[str, Any] | None = None, dims: Sequence[str] | None = None) -> Steps[None]:
        """Changes ``attrs`` (members that are None are removed, others stay) and the names of the axes."""
        said = {name: value for name, value in {"attrs": attrs, "dims": dims}.items() if value is not None}
        yield from self.handle.session.ask("PATCH", self.handle.path, said)
        yield from self.handle.refresh()

    def sum(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        dtype: Any = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The sum, as ``np.sum``; of integers beyond 64 bits it is a Python integer, with all digits.

        All statistics take ``axis`` (an integer, a name of ``dims``, or several), ``keepdims``, ``nan`` ("omit" leaves
        NaN out), ``key`` (``np.s_[100:200]``: of a part of the array) and ``where``: a filter, which keeps rows and is
        applied by the service, or a bool array as numpy's, which is sent.

        >>> a.sum(axis=0, where=column(3) > 0.5)  # doctest: +SKIP
        """
        return (yield from self._reduce("sum", axis, keepdims, where, nan, key, dtype=dtype))

    def prod(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        dtype: Any = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The product; of integers it is computed in float64, which does not wrap around as numpy's does."""
        return (yield from self._reduce("prod", axis, keepdims, where, nan, key, dtype=dtype))

    def mean(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        dtype: Any = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The mean, computed in float64; of float32 it has that dtype, unless ``dtype="f8"`` asks for all digits."""
        return (yield from self._reduce("mean", axis, keepdims, where, nan, key, dtype=dtype))

    def var(
        self,
        axis: Axis = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        dtype: Any = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The variance; ``ddof`` is subtracted from the number of elements."""
        return (yield from self._reduce("var", axis, keepdims, where, nan, key, dtype=dtype, ddof=ddof))

    def std(
        self,
        axis: Axis = None,
        *,
        ddof: float = 0,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        dtype: Any = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The standard deviation; ``ddof`` is subtracted from the number of elements."""
        return (yield from self._reduce("std", axis, keepdims, where, nan, key, dtype=dtype, ddof=ddof))

    def min(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The smallest element. Of nothing there is none: ValueError, as in numpy."""
        return (yield from self._reduce("min", axis, keepdims, where, nan, key))

    def max(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The largest element. Of nothing there is none: ValueError, as in numpy."""
        return (yield from self._reduce("max", axis, keepdims, where, nan, key))

    def ptp(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The largest element less the smallest one."""
        return (yield from self._reduce("ptp", axis, keepdims, where, nan, key))

    def argmin(
        self,
        axis: int | str | None = None,
        *,
        keepdims: bool = False,
        where: Condition | None = None,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The index of the smallest element, the first of several; over all axes in C order."""
        return (yield from self._reduce("argmin", axis, keepdims, where, nan, key))

    def argmax(
        self,
        axis: int | str | None = None,
        *,
        keepdims: bool = False,
        where: Condition | None = None,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The index of the largest element, the first of several; over all axes in C order."""
        return (yield from self._reduce("argmax", axis, keepdims, where, nan, key))

    def any(self, axis: Axis = None, *, keepdims: bool = False, where: Where = True, key: Any = None) -> Steps[Any]:
        """Whether any element is not zero."""
        return (yield from self._reduce("any", axis, keepdims, where, None, key))

    def all(self, axis: Axis = None, *, keepdims: bool = False, where: Where = True, key: Any = None) -> Steps[Any]:
        """Whether no element is zero."""
        return (yield from self._reduce("all", axis, keepdims, where, None, key))

    def count_nonzero(
        self, axis: Axis = None, *, keepdims: bool = False, where: Condition | None = None, key: Any = None
    ) -> Steps[Any]:
        """How many elements are not zero."""
        return (yield from self._reduce("count_nonzero", axis, keepdims, where, None, key))

    def median(
        self,
        axis: Axis = None,
        *,
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """The median, exact at any size."""
        return (yield from self._reduce("median", axis, keepdims, where, nan, key))

    def quantile(
        self,
        q: float | Sequence[float] | Array,
        axis: Axis = None,
        *,
        method: str = "linear",
        keepdims: bool = False,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[Any]:
        """Quantiles, exact at any size; the axes of ``q`` come first. ``method`` is any of ``np.quantile``'s."""
        asked = np.asarray(q, float)
        flat = float(asked) if asked.ndim == 0 else asked.ravel().tolist()
        said = {"q": flat, **({} if method == "linear" else {"method": method})}
        result = yield from self._reduce("quantile", axis, keepdims, where, nan, key, **said)
        return np.reshape(result, asked.shape + np.shape(result)[1:]) if asked.ndim > 1 else result

    def histogram(
        self,
        bins: int | Sequence[float] | Array = 10,
        range: tuple[float, float] | None = None,
        *,
        density: bool | None = None,
        where: Where = True,
        nan: Nan | None = None,
        key: Any = None,
    ) -> Steps[tuple[Array, Array]]:
        """Counts and edges, as ``np.histogram``: ``bins`` of equal width over ``range``, or between these edges."""
        return (yield from _reducing.histogram(self.handle, bins, range, density, where, nan, key))

    def statistics(
        self,
        *ops: Any,
        axis: Axis = None,
        keepdims: bool = False,
        where: Condition | None = None,
        nan: Nan | None = None,
        ddof: float | None = None,
        key: Any = None,
        bias: bool | None = None,
    ) -> Steps[dict[str, Any]]:
        """Several statistics in one pass over the data: a dictionary of arrays or scalars by operation.

        >>> a.statistics("min", "max", "std", {"quantile": {"q": [0.1, 0.9]}}, axis=0, ddof=1)  # doctest: +SKIP
        """
        options = {"axis": axis, "keepdims": keepdims, "where": where, "nan": nan, "ddof": ddof, "key": key}
        answer = yield from _reducing.ask(self.handle, _reducing.query_of(self.handle, ops, **options, bias=bias))
        return {name: self._decoded(name, value) for name, value in answer["results"].items()}

    def read_many(self, keys: Sequence[Any]) -> Steps[list[Any]]:
        """Several reads in one call, all of the same generation: ``[a[key] for key in keys]``."""
        return (yield from read_together(self.handle.session, [(self.handle, key) for key in keys]))

    def _decoded(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return numbers(value)
        array = _reducing.decoded(value, name, self.handle.dtype)
        return array[()] if array.ndim == 0 else array

    def _reduce(
        self, op: str, axis: Any, keepdims: bool, where: Any, nan: str | None, key: Any, **more: Any
    ) -> Steps[Any]:
        options: dict[str, Any] = {"axis": axis, "keepdims": keepdims, "where": where, "nan": nan, "key": key}
        return (yield from _reducing.reduce(self.handle, op, **options, **more))
