"""What a call does, apart from how bytes are moved.

A recipe is a generator: it yields what is to be done (a :class:`Call`, a :class:`Sleep`, several recipes
:class:`Together`), is sent what came of it, and returns its result. One driver performs recipes with threads
and another with asyncio, so that everything else is written once.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

T = TypeVar("T")

Buffer: TypeAlias = "bytes | memoryview"


@dataclass(frozen=True)
class Call:
    """One request. The body is buffers, which are sent one after another."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Sequence[Buffer] = ()
    #: Where the bytes of a good answer go; without it the answer has them.
    into: memoryview | None = None
    #: Whether it may be sent again when nobody knows what became of it.
    repeatable: bool = True
    #: Is told of bytes as they are moved, for a progress bar.
    moved: Callable[[int], None] | None = None


@dataclass(frozen=True)
class Answer:
    """What came of a call; ``fault`` is set where no answer came, or not all of it."""

    status: int
    headers: Mapping[str, str]
    #: The body; empty where it went into a buffer of the call.
    body: Buffer
    #: How many bytes of the body came.
    received: int
    fault: Exception | None = None
    #: Nothing of the request was sent: no harm in sending it again.
    unsent: bool = False


@dataclass(frozen=True)
class Sleep:
    """A pause."""

    seconds: float


@dataclass(frozen=True)
class Together:
    """Recipes that may be performed at the same time, at most ``at_once`` of them. The answer is their results."""

    recipes: Sequence[Generator[Any, Any, Any]]
    at_once: int


Effect: TypeAlias = "Call | Sleep | Together"
Steps: TypeAlias = Generator[Effect, Any, T]


def perform(call: Call) -> Steps[Answer]:
    """The answer to a call, sent once."""
    answer: Answer = yield call
    return answer


def pause(seconds: float) -> Steps[None]:
    """Waits."""
    yield Sleep(seconds)


def together(recipes: Sequence[Steps[T]], at_once: int) -> Steps[list[T]]:
    """The results of all recipes, in their order. The first that fails ends the others."""
    results: list[T] = yield Together(recipes, at_once)
    return results
