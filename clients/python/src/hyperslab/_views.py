"""Parts and groups of an array that the service finds: rows by a filter, groups by keys, blocks of neighbours."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np

from . import _reducing
from ._handle import Handle, form_said, said
from ._reading import Conversion, post_select
from ._reducing import Axis, decoded, query_of, slice_text
from ._steps import Call, Steps
from ._values import values_for
from ._wire import JSON, Array, array_from
from ._writing import write_entries
from .filters import Condition, Term, condition
from .filters import field as field_term

Key: TypeAlias = "Term | Mapping[str, Any] | str"


class KeptRecipes:
    """The rows of an array that a filter keeps. ``a.where(filter)`` makes it, and asks nothing yet."""

    def __init__(self, handle: Handle, where: Condition) -> None:
        self.handle, self.where = handle, condition(where)

    def read(self, key: Any = None, *, limit: int | None = None) -> Steps[Array]:
        """The rows that are kept, at most ``limit`` of them, and of these what ``key`` takes."""
        return (yield from self._select(slice=slice_text(key), limit=limit))

    def indices(self, *, limit: int | None = None) -> Steps[Array]:
        """The numbers of the rows that are kept."""
        return (yield from self._select(limit=limit, **{"return": "indices"}))

    def write(self, value: Any) -> Steps[None]:
        """Assigns to all rows that are kept, as one commit. It is not sent again where its outcome is unknown."""
        values = values_for(value, self.handle.dtype)
        yield from write_entries(self.handle, [({"where": self.where}, values)], repeatable=False)

    def count(self) -> Steps[int]:
        """How many rows are kept."""
        answer = yield from self._select(**{"return": "indices"})
        return len(answer)

    def _select(self, **more: Any) -> Steps[Array]:
        body = {"where": self.where, **{name: value for name, value in more.items() if value is not None}}
        return (yield from post_select(self.handle, [json.dumps(body).encode()], JSON, Conversion()))


@dataclass(frozen=True)
class Groups:
    """Statistics by groups: for each group its key, how many elements it has, and the result of each operation.

    Keys are values, texts of dates, pairs of edges where there are bins, and lists of these where several keys are.
    """

    keys: list[Any]
    counts: Array
    results: Mapping[str, Array] = field(repr=False)

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, op: str) -> Array:
        """The results of an operation, a row for each group."""
        return self.results[op]

    def to_dict(self, op: str) -> dict[Any, Any]:
        """The results of an operation by key."""
        return {hashable(key): value for key, value in zip(self.keys, self.results[op], strict=True)}

    def to_pandas(self) -> Any:
        """A pandas.DataFrame with a row for each group, and a column for each operation."""
        import pandas as pd

        columns = {"count": self.counts, **{op: list(values) for op, values in self.results.items()}}
        return pd.DataFrame(
            columns, index=pd.Index([hashable(key) for key in self.keys], name="key", tupleize_cols=False)
        )


def hashable(key: Any) -> Any:
    """A key for a dictionary: lists as tuples."""
    return tuple(map(hashable, key)) if isinstance(key, list) else key


def key_of(key: Key) -> Mapping[str, Any]:
    """A key as the service takes it; text is the name of a field or column."""
    if isinstance(key, str):
        return field_term(key).json
    return key.json if isinstance(key, Term) else key


class GroupRecipes:
    """The groups of an array's rows. ``a.groupby(key)`` makes it, and asks nothing yet."""

    def __init__(self, handle: Handle, keys: Key | Sequence[Key], where: Condition | None, key: Any) -> None:
        several = [keys] if isinstance(keys, (Term, Mapping, str)) else list(keys)
        self.handle, self.where, self.key = handle, where, key
        self.keys = [key_of(each) for each in several]

    def agg(self, *ops: Any, axis: Axis = None, nan: str | None = None, ddof: float | None = None) -> Steps[Groups]:
        """Several statistics in one pass: ``groups.agg("mean", "max", {"quantile": {"q": 0.9}})``."""
        keys = self.keys[0] if len(self.keys) == 1 else self.keys
        query = query_of(self.handle, ops, axis=axis, where=self.where, nan=nan, ddof=ddof, key=self.key, group_by=keys)
        groups = (yield from _reducing.ask(self.handle, query))["groups"]
        names = [op if isinstance(op, str) else next(iter(op)) for op in ops]
        results = {
            name: decoded([group["results"][name] for group in groups], name, self.handle.dtype) for name in names
        }
        return Groups([group["key"] for group in groups], np.array([group["count"] for group in groups]), results)

    def _one(self, op: Any, **options: Any) -> Steps[Groups]:
        return (yield from self.agg(op, **options))

    def count(self, axis: Axis = None) -> Steps[Groups]:
        """How many elements each group has."""
        return (yield from self._one("count", axis=axis))

    def sum(self, axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """The sum of each group."""
        return (yield from self._one("sum", axis=axis, nan=nan))

    def mean(self, axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """The mean of each group; ``axis=0`` keeps the columns of an array of two axes apart."""
        return (yield from self._one("mean", axis=axis, nan=nan))

    def var(self, axis: Axis = None, *, ddof: float = 0, nan: str | None = None) -> Steps[Groups]:
        """The variance of each group."""
        return (yield from self._one("var", axis=axis, ddof=ddof, nan=nan))

    def std(self, axis: Axis = None, *, ddof: float = 0, nan: str | None = None) -> Steps[Groups]:
        """The standard deviation of each group."""
        return (yield from self._one("std", axis=axis, ddof=ddof, nan=nan))

    def min(self, axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """The smallest element of each group."""
        return (yield from self._one("min", axis=axis, nan=nan))

    def max(self, axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """The largest element of each group."""
        return (yield from self._one("max", axis=axis, nan=nan))

    def first(self, *, nan: str | None = None) -> Steps[Groups]:
        """The first row of each group."""
        return (yield from self._one("first", axis=0, nan=nan))

    def last(self, *, nan: str | None = None) -> Steps[Groups]:
        """The last row of each group."""
        return (yield from self._one("last", axis=0, nan=nan))

    def median(self, axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """The median of each group."""
        return (yield from self._one("median", axis=axis, nan=nan))

    def quantile(self, q: float | Sequence[float], axis: Axis = None, *, nan: str | None = None) -> Steps[Groups]:
        """Quantiles of each group."""
        return (yield from self._one({"quantile": {"q": q}}, axis=axis, nan=nan))


class CoarsenRecipes:
    """An array in blocks of neighbours. ``a.coarsen(4, 4)`` makes it, and asks nothing yet."""

    def __init__(self, handle: Handle, factors: Sequence[int], nan: str | None, key: Any) -> None:
        self.handle, self.factors, self.nan, self.key = handle, tuple(factors), nan, key

    def _of(self, method: str) -> Steps[Array]:
        said_of_blocks = {
            "coarsen": ",".join(map(str, self.factors)),
            "method": method,
            "nan": self.nan,
            "slice": slice_text(self.key),
            "field": self.handle.field,
        }
        call = Call("GET", f"{self.handle.path}/data.raw", said(said_of_blocks))
        answer = yield from self.handle.session.call(call)
        return array_from(answer.body, *form_said(answer))

    def mean(self) -> Steps[Array]:
        """The mean of each block."""
        return (yield from self._of("mean"))

    def sum(self) -> Steps[Array]:
        """The sum of each block."""
        return (yield from self._of("sum"))

    def min(self) -> Steps[Array]:
        """The smallest element of each block."""
        return (yield from self._of("min"))

    def max(self) -> Steps[Array]:
        """The largest element of each block."""
        return (yield from self._of("max"))

    def first(self) -> Steps[Array]:
        """The first element of each block."""
        return (yield from self._of("first"))

    def minmax(self) -> Steps[Array]:
        """The smallest and the largest element of each block, along a last axis of two: a long series to draw."""
        return (yield from self._of("minmax"))
