"""Filters: which rows of an array take part, said so that the service finds them.

A row is an element of axis 0. :func:`column`, :func:`field`, :func:`dataset` and :data:`element` name a value of each
row; comparing one makes a :class:`Filter`, and ``&``, ``|`` and ``~`` combine these:

>>> from hyperslab import column, field
>>> ((column(3) > 0.5) & ~field("city").isin(["Oslo"])).json
{'and': [{'column': 3, 'gt': 0.5}, {'not': {'field': 'city', 'in': ['Oslo']}}]}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ._wire import jsonable


@dataclass(frozen=True)
class Filter:
    """A condition on rows. ``json`` is what the service takes."""

    json: Mapping[str, Any]

    def __and__(self, other: Filter) -> Filter:
        return Filter({"and": [self.json, other.json]})

    def __or__(self, other: Filter) -> Filter:
        return Filter({"or": [self.json, other.json]})

    def __invert__(self) -> Filter:
        return Filter({"not": self.json})

    def __bool__(self) -> bool:
        raise TypeError(
            "A filter is true or false of each row. Combine filters with &, | and ~, not with and, or, not."
        )


#: What ``where`` takes that is no mask.
Condition: TypeAlias = "Filter | Mapping[str, Any]"


class Term:
    """A value of each row, to be compared, or to group by."""

    def __init__(self, json: Mapping[str, Any]) -> None:
        self.json = dict(json)

    def _is(self, comparison: str, value: Any) -> Filter:
        return Filter({**self.json, comparison: jsonable(value)})

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]
        return self._is("eq", value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]
        return self._is("ne", value)

    def __lt__(self, value: Any) -> Filter:
        return self._is("lt", value)

    def __le__(self, value: Any) -> Filter:
        return self._is("le", value)

    def __gt__(self, value: Any) -> Filter:
        return self._is("gt", value)

    def __ge__(self, value: Any) -> Filter:
        return self._is("ge", value)

    __hash__ = None  # type: ignore[assignment]

    def between(self, low: Any, high: Any) -> Filter:
        """Both ends are in it."""
        return self._is("between", [low, high])

    def isin(self, values: Sequence[Any] | Any, where: Condition | None = None) -> Filter:
        """Among these values, or among those of a dataset of one axis (``hyperslab.dataset("codes")``)."""
        if not isinstance(values, Term):
            return self._is("in", list(values))
        return self._is("in", {**values.json, **({} if where is None else {"where": condition(where)})})

    def isnan(self) -> Filter:
        """NaN, or NaT."""
        return self._is("is_nan", True)

    def bins(self, edges: Sequence[Any]) -> Term:
        """The key of ``groupby`` that takes values together: half-open bins, of which the last is closed."""
        return Term({**self.json, "bins": jsonable(list(edges))})

    def every(self, block: str) -> Term:
        """The key of ``groupby`` that takes dates together: ``"1d"``, ``"15m"``, ``"1M"`` (s m h D W M Y)."""
        return Term({**self.json, "every": block})


def column(which: int | str) -> Term:
    """A column of an array of two axes: its number, or its name where ``attrs["columns"]`` has names."""
    return Term({"column": which})


def field(name: str) -> Term:
    """A field of structured elements; ``"tag.a"`` goes inside."""
    return Term({"field": name})


def dataset(name: str, field: str | None = None) -> Term:
    """Another dataset with an element for each row, or a field of one."""
    return Term({"dataset": name, **({} if field is None else {"field": field})})


def rows(count: int) -> Term:
    """The key of ``groupby`` that takes so many rows after one another together."""
    return Term({"rows": count})


#: The elements themselves, of an array of one axis.
element = Term({"self": True})


def condition(where: Condition) -> Mapping[str, Any]:
    """The JSON of a filter."""
    json: Mapping[str, Any] = jsonable(where.json if isinstance(where, Filter) else where)
    return json


def is_condition(where: Any) -> bool:
    """Whether it is a filter, and no mask."""
    return isinstance(where, (Filter, Mapping))


def is_everything(where: Any) -> bool:
    """Whether it leaves everything in: None, or numpy's default True."""
    return where is None or (isinstance(where, (bool, np.bool_)) and bool(where))
