"""Performs recipes with asyncio."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Concatenate, ParamSpec, TypeVar

import httpx

from ._http import Misfit, arguments, buffer_of, failed, stretches
from ._steps import Answer, Call, Effect, Sleep, Steps

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")


class AsyncDriver:
    """Performs recipes with an asynchronous client of httpx; what goes together goes in tasks."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self.http = http

    async def run(self, steps: Steps[T]) -> T:
        """The result of a recipe."""
        result: Any = None
        fault: Exception | None = None
        while True:
            try:
                effect = steps.throw(fault) if fault else steps.send(result)
            except StopIteration as end:
                value: T = end.value
                return value
            result, fault = None, None
            try:
                result = await self._perform(effect)
            except Exception as error:
                fault = error

    async def _perform(self, effect: Effect) -> Any:
        if isinstance(effect, Call):
            return await self._call(effect)
        if isinstance(effect, Sleep):
            return await asyncio.sleep(effect.seconds)
        return await self._together(effect.recipes, effect.at_once)

    async def _together(self, recipes: Any, at_once: int) -> list[Any]:
        places = asyncio.Semaphore(at_once)

        async def one(recipe: Steps[Any]) -> Any:
            async with places:
                return await self.run(recipe)

        tasks = [asyncio.ensure_future(one(recipe)) for recipe in recipes]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def _call(self, call: Call) -> Answer:
        status, headers, received = 0, Empty, 0
        try:
            request = self.http.build_request(content=parts(call) if call.body else None, **arguments(call))
            response = await self.http.send(request, stream=True)
            try:
                status, headers = response.status_code, response.headers
                buffer = buffer_of(call, status, headers)
                if buffer is None:
                    if call.into is not None and status < 300:
                        raise Misfit(f"{headers.get('content-length')} bytes, not {len(call.into)}")
                    return Answer(status, headers, await response.aread(), 0)
                async for chunk in response.aiter_raw():
                    end = received + len(chunk)
                    buffer[received:end] = chunk
                    received = end
                    if call.moved and call.into is not None:
                        call.moved(len(chunk))
                return Answer(status, headers, b"" if buffer is call.into else buffer, received)
            finally:
                await response.aclose()
        except (httpx.TransportError, OSError) as fault:
            return failed(call, fault, status, headers, received)


Empty: Mapping[str, str] = {}


async def parts(call: Call) -> AsyncIterator[bytes]:
    """The body, a stretch at a time."""
    for stretch in stretches(call):
        yield stretch


def asynchronous(recipe: Callable[Concatenate[R, P], Steps[T]]) -> Callable[Concatenate[Any, P], Awaitable[T]]:
    """The method of a class that performs a recipe of its ``_recipes``, to be awaited."""

    @functools.wraps(recipe)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        result: Awaitable[T] = self._driver.run(recipe(self._recipes, *args, **kwargs))
        return result

    return method
