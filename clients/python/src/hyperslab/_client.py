"""A service, as a mapping of names to arrays."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Concatenate, ParamSpec
from urllib.parse import unquote, urlsplit

import httpx

from ._array import RemoteArray
from ._catalog import CatalogRecipes
from ._handle import Handle, Session
from ._http import options
from ._progress import Progress
from ._retry import Patience
from ._steps import Steps
from ._sync import SyncDriver, sync
from .errors import BadValue

P = ParamSpec("P")


def opening(
    recipe: Callable[Concatenate[CatalogRecipes, P], Steps[Handle]],
) -> Callable[Concatenate[Any, P], RemoteArray]:
    """The method that performs a recipe and opens the array that it tells of."""

    @functools.wraps(recipe)
    def method(self: Any, /, *args: P.args, **kwargs: P.kwargs) -> RemoteArray:
        return RemoteArray(self._driver, self._driver.run(recipe(self._recipes, *args, **kwargs)))

    return method


class Client(Mapping[str, RemoteArray]):
    """A service. ``client["name"]`` is an array, ``list(client)`` are the names, ``"name" in client`` asks for one.

    It may be used by many threads, and as a context manager, which closes its connections.
    """

    def __init__(self, session: Session, **httpx_options: Any) -> None:
        http = options(session.token, session.connections, session.timeout, base_url=session.url, **httpx_options)
        self._recipes = CatalogRecipes(session)
        self._driver = SyncDriver(httpx.Client(**http))

    open = opening(CatalogRecipes.handle)
    create = opening(CatalogRecipes.create)
    register = opening(CatalogRecipes.register)
    put = opening(CatalogRecipes.put)
    delete = sync(CatalogRecipes.delete)
    names = sync(CatalogRecipes.names)
    statistics = sync(CatalogRecipes.statistics)
    _has = sync(CatalogRecipes.has)
    _read_handles = sync(CatalogRecipes.read_handles)

    def read(self, reads: Sequence[tuple[str | RemoteArray, Any]]) -> list[Any]:
        """Many reads in one call, of any arrays; of each array they are all of one generation.

        >>> wind, first = client.read([("wind", np.s_[:10]), ("rain", 0)])  # doctest: +SKIP
        """
        arrays = {name: self[name] for name, _ in reads if isinstance(name, str)}
        opened = [(arrays[each] if isinstance(each, str) else each, key) for each, key in reads]
        return self._read_handles([(array._handle, array._index_key(key)) for array, key in opened])

    @property
    def url(self) -> str:
        """Where the service is."""
        return self._recipes.session.url

    def __getitem__(self, name: str) -> RemoteArray:
        return self.open(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def __contains__(self, name: object) -> bool:
        return self._has(name)

    def __repr__(self) -> str:
        return f"<hyperslab.Client {self.url}>"

    def __eq__(self, other: object) -> bool:
        return self is other

    def __hash__(self) -> int:
        return id(self)

    def close(self) -> None:
        """Closes the connections."""
        self._driver.http.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def session_of(url: str, token: str | None, patience: float, **settings: Any) -> Session:
    """The session of a client."""
    base = url.rstrip("/")
    if base.endswith("/v1"):
        base = base[: -len("/v1")]
    if urlsplit(base).scheme not in ("http", "https"):
        raise BadValue("bad_url", f"{url!r} is no address of a service. Write it like http://127.0.0.1:8080.")
    return Session(base, token, patience=Patience(patience), **settings)


def split_address(url: str) -> tuple[str, str]:
    """The service and the name in the address of a dataset: http://127.0.0.1:8080/v1/datasets/wind."""
    base, found, rest = url.partition("/v1/datasets/")
    name = unquote(rest.split("?")[0].split("/")[0])
    if not found or not name:
        detail = f"{url!r} is no address of an array. Write it like http://127.0.0.1:8080/v1/datasets/wind."
        raise BadValue("bad_url", detail)
    return base, name


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
) -> Client:
    """A client of the service at an address, with a key where it wants one. Nothing is asked yet.

    - ``patience``: seconds that a call waits in all for a service that is away or asks to be called later.
    - ``connections`` (2): how many one large read or write uses.
    - ``read_bytes`` (32 MiB): larger reads go in pieces of at least this size, and at most 256 MiB.
    - ``write_bytes`` (16 MiB): larger writes go in pieces of this size, each of which is one commit.
    - ``progress``: None shows a bar of tqdm on a terminal for large transfers, True always, False never; a function is
      called with the bytes that were moved and those in all.
    - ``timeout`` (300): seconds without a byte after which a connection counts as cut.
    - ``httpx_options`` go to ``httpx.Client``: ``verify``, ``proxy``, ``headers``.

    >>> client = hyperslab.connect("http://127.0.0.1:8080")  # doctest: +SKIP
    """
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
    return Client(session, **httpx_options)


def open_array(url: str, token: str | None = None, **settings: Any) -> RemoteArray:
    """The array at an address: ``http://127.0.0.1:8080/v1/datasets/wind``."""
    base, name = split_address(url)
    return connect(base, token, **settings)[name]
