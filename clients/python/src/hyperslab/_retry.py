"""When a call is sent again: after a cut, and when the service asks for patience."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ._steps import Answer, Call, Steps, pause, perform
from .errors import Unreachable, of_body

#: Statuses that proxies answer with while the service behind them starts.
OF_PROXIES = frozenset({502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long in all a call may wait for the service, in seconds, and the longest single wait that grows by itself."""

    seconds: float = 60.0
    longest: float = 5.0
    first: float = 0.1


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that Retry-After asks for: a number, or a date of HTTP."""
    text = headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (at - (now or datetime.now(timezone.utc))).total_seconds())


def wait_for(call: Call, answer: Answer, tries: int, patience: Patience) -> float | None:
    """Seconds to wait before the call is sent again; None where it is not."""
    grown: float = min(patience.longest, patience.first * 2 ** min(tries, 20)) * random.uniform(0.5, 1.0)
    if answer.fault is not None:
        return grown if answer.unsent or call.repeatable else None
    if answer.status in (429, 503):
        asked = retry_after(answer.headers)
        if asked is not None:
            # As long as is asked for, and a little apart from others who were told the same.
            return asked + grown * 0.1
    is_problem = "problem+json" in answer.headers.get("content-type", "")
    if answer.status in OF_PROXIES and not is_problem and call.repeatable:
        return grown
    return None


def send(call: Call, patience: Patience) -> Steps[Answer]:
    """The good answer to a call.

    It is sent again while that makes sense and patience lasts. A body that goes into a buffer goes on where it was cut,
    by ``Range``, where the service allows that.
    """
    waited, tries, have = 0.0, 0, 0
    while True:
        answer = yield from perform(rest_of(call, have))
        if answer.fault is None and answer.status < 300:
            return answer
        if call.into is not None and 200 <= answer.status < 300 and answer.received > 0:
            have, waited, tries = kept(call, answer, have), 0.0, 0
        elif answer.status == 416:
            have = 0
        wait = wait_for(call, answer, tries, patience)
        if wait is None or waited + wait > patience.seconds:
            raise refusal(call, answer)
        yield from pause(wait)
        waited, tries = waited + wait, tries + 1


def rest_of(call: Call, have: int) -> Call:
    """The call for what is missing."""
    if have == 0 or call.into is None:
        return call
    headers = {**call.headers, "range": f"bytes={have}-{len(call.into) - 1}"}
    return replace(call, headers=headers, into=call.into[have:])


def kept(call: Call, answer: Answer, have: int) -> int:
    """How many bytes are there after an answer that was cut; 0 where the next has to begin anew."""
    if answer.headers.get("accept-ranges") == "bytes" or answer.status == 206:
        return have + answer.received
    if call.moved:
        call.moved(-answer.received)
    return 0


def refusal(call: Call, answer: Answer) -> Exception:
    """Why a call came to nothing."""
    if answer.fault is None:
        return of_body(bytes(answer.body), answer.status)
    why = f"{type(answer.fault).__name__}: {answer.fault}".rstrip(": ")
    if answer.unsent or call.repeatable:
        detail = f"{call.method} {call.path} was not answered ({why}). Look whether the service runs at this address."
        return Unreachable("unreachable", detail, answer.status)
    detail = f"{call.method} {call.path} was cut ({why}), and may have been done or not. Look, then repeat it."
    return Unreachable("outcome_unknown", detail, answer.status)
