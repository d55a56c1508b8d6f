"""What both drivers make of a call for httpx."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from typing import Any, cast

import httpx
import numpy as np

from ._steps import Answer, Call

#: Bytes of a body that are handed over at a time.
STRETCH = 1 << 20

#: Faults before which nothing was sent.
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


def options(token: str | None, connections: int, timeout: float, **more: Any) -> dict[str, Any]:
    """The options of a client of httpx."""
    given = more.pop("headers", None)
    headers = {"accept-encoding": "identity", "user-agent": "hyperslab-python"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    limits = httpx.Limits(max_connections=max(16, 2 * connections), max_keepalive_connections=connections + 2)
    times = httpx.Timeout(timeout, connect=10.0, pool=None)
    return {"headers": {**headers, **(given or {})}, "limits": limits, "timeout": times, **more}


def arguments(call: Call) -> dict[str, Any]:
    """The arguments of ``build_request`` beside the body."""
    headers = dict(call.headers)
    if call.body:
        headers["content-length"] = str(sum(len(part) for part in call.body))
    return {"method": call.method, "url": call.path, "params": dict(call.query) or None, "headers": headers}


def stretches(call: Call) -> Iterator[bytes]:
    """The body, a stretch at a time."""
    for part in call.body:
        for at in range(0, len(part), STRETCH):
            stretch = part[at : at + STRETCH]
            # What is like bytes is enough for h11, which copies it once.
            yield cast(bytes, stretch)
            if call.moved:
                call.moved(len(stretch))


def buffer_of(call: Call, status: int, headers: Mapping[str, str]) -> memoryview | None:
    """Where the body goes: into the call's buffer, or into a new one of its length; None where that is not known."""
    length = headers.get("content-length")
    if length is None or not length.isdigit() or "content-encoding" in headers:
        return None
    if call.into is None or not 200 <= status < 300:
        return np.empty(int(length), np.uint8).data
    # A whole answer where the rest was asked for, or another array: not what the buffer is for.
    return call.into if len(call.into) == int(length) else None


def plain_socket(response: httpx.Response) -> socket.socket | None:
    """The socket of an answer in HTTP/1.1, whose remaining bytes are those of the body and nothing else."""
    if response.http_version != "HTTP/1.1" or "transfer-encoding" in response.headers:
        return None
    stream = response.extensions.get("network_stream")
    found: Any = None if stream is None else stream.get_extra_info("socket")
    return found if isinstance(found, (socket.socket, ssl.SSLSocket)) else None


def failed(call: Call, fault: Exception, status: int, headers: Mapping[str, str], received: int) -> Answer:
    """An answer that did not come, or not whole."""
    return Answer(status, headers, b"", received, fault, unsent=isinstance(fault, UNSENT))


class Misfit(Exception):
    """The body has another length than the array that was expected, such as after a change of its shape."""
