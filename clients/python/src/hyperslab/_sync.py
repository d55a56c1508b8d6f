"""Performs recipes with threads."""

from __future__ import annotations

import functools
import socket
import ssl
import struct
import sys
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from ._http import STRETCH, Misfit, arguments, buffer_of, failed, plain_socket, stretches
from ._steps import Answer, Call, Effect, Sleep, Steps

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
S = TypeVar("S")


class SyncDriver:
    """Performs recipes with a client of httpx; what goes together goes in threads."""

    def __init__(self, http: httpx.Client) -> None:
        self.http = http

    def run(self, steps: Steps[T]) -> T:
        """The result of a recipe."""
        return self._run(steps, None)

    def _run(self, steps: Steps[T], stop: threading.Event | None) -> T:
        result: Any = None
        fault: Exception | None = None
        while True:
            try:
                effect = steps.throw(fault) if fault else steps.send(result)
            except StopIteration as end:
                value: T = end.value
                return value
            result, fault = None, None
            if stop is not None and stop.is_set():
                steps.close()
                raise Stopped
            try:
                result = self._perform(effect)
            except Exception as error:
                fault = error

    def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            return self._call(effect)
        if isinstance(effect, Sleep):
            return time.sleep(effect.seconds)
        return self._together(effect.recipes, effect.at_once)

    def _together(self, recipes: Any, at_once: int) -> list[Any]:
        stop = threading.Event()
        with ThreadPoolExecutor(max(1, min(at_once, len(recipes)))) as pool:
            futures: list[Future[Any]] = [pool.submit(self._run, recipe, stop) for recipe in recipes]
            try:
                wait(futures, return_when=FIRST_EXCEPTION)
            finally:
                # Also when somebody presses Ctrl-C: what has not begun does not begin any more.
                if any_failed(futures) or not all(future.done() for future in futures):
                    stop.set()
                    for future in futures:
                        future.cancel()
        for future in futures:
            fault = None if future.cancelled() else future.exception()
            if fault is not None and not isinstance(fault, Stopped):
                raise fault
        return [future.result() for future in futures]

    def _call(self, call: Call) -> Answer:
        status, headers, received = 0, Empty, 0
        try:
            request = self.http.build_request(content=stretches(call) if call.body else None, **arguments(call))
            response = self.http.send(request, stream=True)
            try:
                status, headers = response.status_code, response.headers
                buffer = buffer_of(call, status, headers)
                if buffer is None:
                    if call.into is not None and status < 300:
                        raise Misfit(f"{headers.get('content-length')} bytes, not {len(call.into)}")
                    return Answer(status, headers, response.read(), 0)
                for count in fill(response, buffer):
                    received += count
                    if call.moved and call.into is not None:
                        call.moved(count)
                if received < len(buffer):
                    raise httpx.RemoteProtocolError(f"cut after {received} of {len(buffer)} bytes")
                return Answer(status, headers, b"" if buffer is call.into else buffer, received)
            finally:
                response.close()
        except (httpx.TransportError, OSError) as fault:
            return failed(call, fault, status, headers, received)


Empty: Mapping[str, str] = {}


class Stopped(Exception):
    """Another recipe of the same group has failed."""


def any_failed(futures: list[Future[Any]]) -> bool:
    """Whether one of those that are done has failed."""
    return any(future.done() and not future.cancelled() and future.exception() is not None for future in futures)


def fill(response: httpx.Response, buffer: memoryview) -> Generator[int, None, None]:
    """Fills a buffer with the body and tells how many bytes came each time.

    httpx hands over 64 KiB at a time and copies them thrice. After the first of a large body, which empties its own
    buffers, the rest is received from the socket straight into place. The connection is then closed, not used again:
    httpx does not know that the body was read.
    """
    at = 0
    direct = plain_socket(response) if len(buffer) > 4 * STRETCH else None
    # Kept to the end: an iterator that is let go closes the connection.
    chunks = response.iter_raw()
    for chunk in chunks:
        end = at + len(chunk)
        buffer[at:end] = chunk
        at = end
        yield len(chunk)
        if direct is not None:
            break
    if direct is None:
        return
    flags = wait_for_all(direct, response.request.extensions.get("timeout", {}).get("read"))
    while at < len(buffer):
        count = direct.recv_into(buffer[at : at + 4 * STRETCH], 0, flags)
        if count == 0:
            return
        at += count
        yield count


def wait_for_all(direct: socket.socket, seconds: float | None) -> int:
    """Lets the kernel fill whole buffers, where it can: threads then seldom wait for each other to run Python.

    The time without a byte is bounded by the kernel as well, since Python's own bound makes the socket return early.
    """
    if not sys.platform.startswith("linux") or isinstance(direct, ssl.SSLSocket):
        direct.settimeout(seconds)
        return 0
    direct.settimeout(None)
    if seconds is not None:
        direct.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", int(seconds), 0))
    return socket.MSG_WAITALL


def sync(recipe: Callable[Concatenate[R, P], Steps[T]]) -> Callable[Concatenate[Any, P], T]:
    """The method of a class that performs a recipe of its ``_recipes`` and returns the result."""

    @functools.wraps(recipe)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> T:
        result: T = self._driver.run(recipe(self._recipes, *args, **kwargs))
        return result

    return method
