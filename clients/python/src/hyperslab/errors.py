"""What can go wrong, as exceptions.

Every refusal of the service is a :class:`HyperslabError` with the ``code`` that programs branch on, a ``detail`` for
people, and the ``values`` that belong to it. Where numpy raises an IndexError, a KeyError or a ValueError for the same
mistake, the exception is one of these as well, so that code written for numpy goes on working.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


class HyperslabError(Exception):
    """A call that the service refused, or that could not be made.

    ``status`` is that of HTTP, 0 where there was no answer. ``values`` holds what the problem document says beside its
    standard members: the limit and what was asked, the index and the bounds.
    """

    def __init__(self, code: str, detail: str, status: int = 0, values: Mapping[str, Any] | None = None) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.status = status
        self.values: dict[str, Any] = dict(values or {})

    def __str__(self) -> str:
        # A KeyError would show the detail in quotes.
        return f"{self.detail} ({self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.code, self.detail, self.status, self.values)


class Unreachable(HyperslabError):
    """No answer came, however often it was tried: the service is away, or the connection was cut each time."""


class AccessRefused(HyperslabError):
    """The key is missing, unknown, expired or not one for this call (401, 403)."""


class NotFound(HyperslabError, KeyError):
    """There is no dataset of this name."""


class UnknownField(HyperslabError, KeyError, ValueError):
    """There is no such field or column. numpy raises KeyError in some places and ValueError in others."""


class BadIndex(HyperslabError, IndexError):
    """An index that is out of bounds, of too many parts, or none that numpy takes."""


class BadSlice(BadIndex, ValueError):
    """A slice that cannot be read: a step of zero is a ValueError in numpy, two ellipses are an IndexError."""


class BadAxis(HyperslabError, ValueError, IndexError):
    """An axis that the array does not have, as numpy's AxisError."""


class BadValue(HyperslabError, ValueError):
    """Values, shapes or parameters that do not fit."""


class WouldLose(BadValue):
    """Values that the dtype of the array cannot hold. numpy cuts them silently; here nothing is written."""


class ShapeMismatch(BadValue):
    """Data that cannot be broadcast to the selection."""


class EmptySelection(BadValue):
    """A statistic that needs an element, of none."""


class UnsupportedDtype(HyperslabError, TypeError):
    """What is asked is not done with this dtype."""


class Conflict(HyperslabError):
    """A name that is taken, a file that is in use or was changed underneath (409)."""


class Moved(Conflict):
    """The array is not as long as the call says; ``values`` has its ``length`` and ``shape``."""


class GenerationMoved(HyperslabError):
    """The dataset was written since the state that the call was for (412)."""


class TooLarge(HyperslabError, ValueError):
    """More than the service does in one call (413); ``values`` has the limit."""


class Busy(HyperslabError):
    """The service had no room, however long this client waited (429, 503)."""


class StorageRefused(HyperslabError):
    """The disk is full, or the dataset cannot be served as things are (503 without Retry-After, 507)."""


BY_CODE: dict[str, type[HyperslabError]] = {
    "unknown_dataset": NotFound,
    "unknown_field": UnknownField,
    "index_out_of_bounds": BadIndex,
    "outside": BadIndex,
    "too_many_indices": BadIndex,
    "bad_index": BadIndex,
    "result_rank": BadIndex,
    "bad_slice": BadSlice,
    "bad_axis": BadAxis,
    "would_lose": WouldLose,
    "shape_mismatch": ShapeMismatch,
    "body_size_mismatch": ShapeMismatch,
    "empty_selection": EmptySelection,
    "moved": Moved,
    "unsupported_dtype": UnsupportedDtype,
    "quarantined": StorageRefused,
    "durability_unknown": StorageRefused,
}

BY_STATUS: dict[int, type[HyperslabError]] = {
    400: BadValue,
    401: AccessRefused,
    403: AccessRefused,
    409: Conflict,
    412: GenerationMoved,
    413: TooLarge,
    422: BadValue,
    429: Busy,
    503: Busy,
    507: StorageRefused,
}

STANDARD = frozenset({"type", "title", "status", "detail", "code", "instance"})


def of_problem(problem: Mapping[str, Any], status: int) -> HyperslabError:
    """The exception of a problem document (RFC 9457)."""
    code = str(problem.get("code", f"http_{status}"))
    detail = str(problem.get("detail") or problem.get("title") or f"The service answered {status}.")
    values = {name: value for name, value in problem.items() if name not in STANDARD}
    kind = BY_CODE.get(code) or BY_STATUS.get(status) or HyperslabError
    return kind(code, detail, status, values)


def of_body(body: bytes, status: int) -> HyperslabError:
    """The exception of an answer that is a refusal: a problem document, or the text of some proxy."""
    try:
        problem = json.loads(body)
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        return of_problem(problem, status)
    text = body[:200].decode("utf-8", "replace").strip()
    return of_problem({"detail": f"An answer of status {status} that is no problem document: {text}"}, status)
