"""The same for programs of asyncio: what asks the service is awaited.

>>> async with hyperslab.aio.connect("http://127.0.0.1:8080") as client:  # doctest: +SKIP
...     a = await client.open("wind")
...     block, mean = await asyncio.gather(a[100:200], a.mean(axis=0))
...     await a.write(0, 1.0)
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Concatenate, ParamSpec

import httpx

from ._array import STATISTICS
from ._async import AsyncDriver, asynchronous
from ._catalog import CatalogRecipes
from ._client import session_of, split_address
from ._described import Described
from ._handle import Handle, Session
from ._http import options
from ._progress import Progress
from ._recipes import ArrayRecipes
from ._steps import Steps
from ._views import CoarsenRecipes, GroupRecipes, KeptRecipes, Key
from .filters import Condition

P = ParamSpec("P")


class AsyncArray(Described):
    """An array of the service. ``await a[key]`` reads, ``await a.write(key, value)`` writes."""

    def __init__(self, driver: AsyncDriver, handle: Handle) -> None:
        super().__init__(handle)
        self._driver = driver

    read = asynchronous(ArrayRecipes.read)
    read_into = asynchronous(ArrayRecipes.read_into)
    read_many = asynchronous(ArrayRecipes.read_many)
    write = asynchronous(ArrayRecipes.write)
    append = asynchronous(ArrayRecipes.append)
    refresh = asynchronous(ArrayRecipes.refresh)
    flush = asynchronous(ArrayRecipes.flush)
    discard = asynchronous(ArrayRecipes.discard)
    update = asynchronous(ArrayRecipes.update)
    sum = asynchronous(ArrayRecipes.sum)
    prod = asynchronous(ArrayRecipes.prod)
    mean = asynchronous(ArrayRecipes.mean)
    var = asynchronous(ArrayRecipes.var)
    std = asynchronous(ArrayRecipes.std)
    min = asynchronous(ArrayRecipes.min)
    max = asynchronous(ArrayRecipes.max)
    ptp = asynchronous(ArrayRecipes.ptp)
    argmin = asynchronous(ArrayRecipes.argmin)
    argmax = asynchronous(ArrayRecipes.argmax)
    any = asynchronous(ArrayRecipes.any)
    all = asynchronous(ArrayRecipes.all)
    count_nonzero = asynchronous(ArrayRecipes.count_nonzero)
    median = asynchronous(ArrayRecipes.median)
    quantile = asynchronous(ArrayRecipes.quantile)
    histogram = asynchronous(ArrayRecipes.histogram)
    statistics = asynchronous(ArrayRecipes.statistics)

    def __getitem__(self, key: Any) -> Any:
        """``await a[key]``. ``a["field"]`` is the array of a field, at once."""
        names = self._field_key(key)
        if names is not None:
            return AsyncArray(self._driver, self._handle.inside(names))
        return self.read(self._index_key(key))

    @property
    def oindex(self) -> AsyncIndexed:
        """Lists cross: ``await a.oindex[[0, 2], [1, 3]]``."""
        return AsyncIndexed(self, "orthogonal")

    @property
    def vindex(self) -> AsyncIndexed:
        """Lists go together: ``await a.vindex[[0, 2], [1, 3]]``."""
        return AsyncIndexed(self, "vectorized")

    def where(self, condition: Condition) -> AsyncKept:
        """The rows that a filter keeps."""
        return AsyncKept(self._driver, KeptRecipes(self._handle, condition))

    def groupby(self, keys: Key | Sequence[Key], *, where: Condition | None = None, key: Any = None) -> AsyncGroupBy:
        """Rows by the values of keys."""
        return AsyncGroupBy(self._driver, GroupRecipes(self._handle, keys, where, key))

    def coarsen(self, *factors: int, nan: str | None = None, key: Any = None) -> AsyncCoarsen:
        """Blocks of neighbours, a factor for each axis."""
        return AsyncCoarsen(self._driver, CoarsenRecipes(self._handle, factors, nan, key))


class AsyncIndexed:
    """``a.oindex`` and ``a.vindex``."""

    def __init__(self, array: AsyncArray, mode: Any) -> None:
        self._array, self._mode = array, mode

    def __getitem__(self, key: Any) -> Awaitable[Any]:
        return self._array.read(self._array._index_key(key), mode=self._mode)


class AsyncKept:
    """The rows of an array that a filter keeps."""

    def __init__(self, driver: AsyncDriver, recipes: KeptRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    read = asynchronous(KeptRecipes.read)
    write = asynchronous(KeptRecipes.write)
    indices = asynchronous(KeptRecipes.indices)
    count = asynchronous(KeptRecipes.count)

    def __getattr__(self, op: str) -> Any:
        """The statistics of the rows that are kept."""
        if op.startswith("_") or op not in STATISTICS:
            raise AttributeError(op)
        method = getattr(AsyncArray(self._driver, self._recipes.handle), op)
        return functools.partial(method, where=self._recipes.where)


class AsyncGroupBy:
    """The groups of an array's rows."""

    def __init__(self, driver: AsyncDriver, recipes: GroupRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    agg = asynchronous(GroupRecipes.agg)
    count = asynchronous(GroupRecipes.count)
    sum = asynchronous(GroupRecipes.sum)
    mean = asynchronous(GroupRecipes.mean)
    var = asynchronous(GroupRecipes.var)
    std = asynchronous(GroupRecipes.std)
    min = asynchronous(GroupRecipes.min)
    max = asynchronous(GroupRecipes.max)
    first = asynchronous(GroupRecipes.first)
    last = asynchronous(GroupRecipes.last)
    median = asynchronous(GroupRecipes.median)
    quantile = asynchronous(GroupRecipes.quantile)


class AsyncCoarsen:
    """An array in blocks of neighbours."""

    def __init__(self, driver: AsyncDriver, recipes: CoarsenRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    mean = asynchronous(CoarsenRecipes.mean)
    sum = asynchronous(CoarsenRecipes.sum)
    min = asynchronous(CoarsenRecipes.min)
    max = asynchronous(CoarsenRecipes.max)
    first = asynchronous(CoarsenRecipes.first)
    minmax = asynchronous(CoarsenRecipes.minmax)


def opening(
    recipe: Callable[Concatenate[CatalogRecipes, P], Steps[Handle]],
) -> Callable[Concatenate[Any, P], Awaitable[AsyncArray]]:
    """The method that performs a recipe and opens the array that it tells of."""

    @functools.wraps(recipe)
    async def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> AsyncArray:
        return AsyncArray(self._driver, await self._driver.run(recipe(self._recipes, *args, **kwargs)))

    return method


class AsyncClient:
    """A service: ``await client.open("name")`` is an array, ``await client.names()`` are the names."""

    def __init__(self, session: Session, **httpx_options: Any) -> None:
        http = options(session.token, session.connections, session.timeout, base_url=session.url, **httpx_options)
        self._recipes = CatalogRecipes(session)
        self._driver = AsyncDriver(httpx.AsyncClient(**http))

    open = opening(CatalogRecipes.handle)
    create = opening(CatalogRecipes.create)
    register = opening(CatalogRecipes.register)
    put = opening(CatalogRecipes.put)
    delete = asynchronous(CatalogRecipes.delete)
    names = asynchronous(CatalogRecipes.names)
    has = asynchronous(CatalogRecipes.has)
    statistics = asynchronous(CatalogRecipes.statistics)
    _read_handles = asynchronous(CatalogRecipes.read_handles)

    async def read(self, reads: Sequence[tuple[str | AsyncArray, Any]]) -> list[Any]:
        """Many reads in one call, of any arrays."""
        arrays = {name: await self.open(name) for name, _ in reads if isinstance(name, str)}
        opened = [(arrays[each] if isinstance(each, str) else each, key) for each, key in reads]
        return await self._read_handles([(array._handle, array._index_key(key)) for array, key in opened])

    @property
    def url(self) -> str:
        """Where the service is."""
        return self._recipes.session.url

    async def close(self) -> None:
        """Closes the connections."""
        await self._driver.http.aclose()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()


def connect(
    url: str,
    token: str | None = None,
    *,
    patience: float = 60.0,
    connections: int = 2,
    read_bytes: int = 32 << 20,
    write_bytes: int = 16 << 20,
    progress: Progress = None,
    timeout: float = 300.0,
    **httpx_options: Any,
) -> AsyncClient:
    """A client of the service at an address; the settings are those of ``hyperslab.connect``."""
    session = session_of(
        url,
        token,
        patience,
        connections=connections,
        read_bytes=read_bytes,
        write_bytes=write_bytes,
        progress=progress,
        timeout=timeout,
    )
    return AsyncClient(session, **httpx_options)


async def open_array(url: str, token: str | None = None, **settings: Any) -> AsyncArray:
    """The array at an address: ``http://127.0.0.1:8080/v1/datasets/wind``."""
    base, name = split_address(url)
    return await connect(base, token, **settings).open(name)
