"""Arrays of the service, for programs that wait for each answer."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from ._described import Described
from ._handle import Handle, Session
from ._numpy import dispatched
from ._recipes import ArrayRecipes
from ._sync import SyncDriver, sync
from ._views import CoarsenRecipes, GroupRecipes, KeptRecipes, Key
from ._wire import Array
from .filters import Condition


class RemoteArray(Described):
    """An array of the service, indexed, assigned and reduced as numpy's.

    >>> a[100:200, 50:100]        # doctest: +SKIP
    >>> a[[3, 1]] = 0             # doctest: +SKIP
    >>> np.mean(a, axis=0)        # doctest: +SKIP

    What is read is a numpy array of its own, not a view: assign to ``a[...]`` to change the file.
    """

    def __init__(self, driver: SyncDriver, handle: Handle) -> None:
        super().__init__(handle)
        self._driver = driver

    read = sync(ArrayRecipes.read)
    read_into = sync(ArrayRecipes.read_into)
    read_many = sync(ArrayRecipes.read_many)
    write = sync(ArrayRecipes.write)
    append = sync(ArrayRecipes.append)
    refresh = sync(ArrayRecipes.refresh)
    flush = sync(ArrayRecipes.flush)
    discard = sync(ArrayRecipes.discard)
    update = sync(ArrayRecipes.update)
    sum = sync(ArrayRecipes.sum)
    prod = sync(ArrayRecipes.prod)
    mean = sync(ArrayRecipes.mean)
    var = sync(ArrayRecipes.var)
    std = sync(ArrayRecipes.std)
    min = sync(ArrayRecipes.min)
    max = sync(ArrayRecipes.max)
    ptp = sync(ArrayRecipes.ptp)
    argmin = sync(ArrayRecipes.argmin)
    argmax = sync(ArrayRecipes.argmax)
    any = sync(ArrayRecipes.any)
    all = sync(ArrayRecipes.all)
    count_nonzero = sync(ArrayRecipes.count_nonzero)
    median = sync(ArrayRecipes.median)
    quantile = sync(ArrayRecipes.quantile)
    histogram = sync(ArrayRecipes.histogram)
    statistics = sync(ArrayRecipes.statistics)

    def __getitem__(self, key: Any) -> Any:
        """``a[key]`` as numpy has it. ``a["field"]`` is the array of a field, and asks nothing yet."""
        names = self._field_key(key)
        if names is not None:
            return RemoteArray(self._driver, self._handle.inside(names))
        return self.read(self._index_key(key))

    def __setitem__(self, key: Any, value: Any) -> None:
        """``a[key] = value`` as numpy has it; on disk when it returns."""
        names = self._field_key(key)
        if names is not None:
            RemoteArray(self._driver, self._handle.inside(names)).write(..., value)
        else:
            self.write(self._index_key(key), value)

    @property
    def oindex(self) -> Indexed:
        """Lists cross, as in Zarr: ``a.oindex[[0, 2], [1, 3]]`` has two rows and two columns."""
        return Indexed(self, "orthogonal")

    @property
    def vindex(self) -> Indexed:
        """Lists go together, as in numpy: ``a.vindex[[0, 2], [1, 3]]`` has two elements."""
        return Indexed(self, "vectorized")

    def where(self, condition: Condition) -> Kept:
        """The rows that a filter keeps: ``a.where(column(3) > 0.5)``. It asks nothing yet."""
        return Kept(self._driver, KeptRecipes(self._handle, condition))

    def groupby(self, keys: Key | Sequence[Key], *, where: Condition | None = None, key: Any = None) -> GroupBy:
        """Rows by the values of keys: ``a.groupby(column(0).bins([0, 1, 10])).mean(axis=0)``. It asks nothing yet."""
        return GroupBy(self._driver, GroupRecipes(self._handle, keys, where, key))

    def coarsen(self, *factors: int, nan: str | None = None, key: Any = None) -> Coarsen:
        """Blocks of neighbours, a factor for each axis: ``a.coarsen(4, 4).mean()``. It asks nothing yet."""
        return Coarsen(self._driver, CoarsenRecipes(self._handle, factors, nan, key))

    def to_xarray(self, **options: Any) -> Any:
        """The dataset as an ``xarray.DataArray`` of dask chunks, with dims, attrs and the coordinates of these dims.

        It is opened through the service's Zarr view, and nothing but its description is read yet; structures are an
        ``xarray.Dataset`` with a variable for each field. ``options`` are those of ``xarray.open_zarr``. It needs the
        extra ``xarray``.
        """
        import xarray

        session = self._handle.session
        if session.token is not None:
            headers = {"authorization": f"Bearer {session.token}"}
            options.setdefault("storage_options", {"client_kwargs": {"headers": headers}})
        opened = xarray.open_zarr(f"{session.url}/zarr/~{self.name}/", **options)
        return opened.get(self.name, opened)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self) -> Iterator[Any]:
        """The rows, read many at a time."""
        length = len(self)
        row_bytes = self.nbytes // (length or 1)
        step = max(1, self._handle.session.read_bytes // max(1, row_bytes))
        for at in range(0, length, step):
            yield from self.read(np.s_[at : at + step])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The whole array; ``np.asarray(a)``."""
        if copy is False:
            raise ValueError("The elements are on the service: an array of them is always a copy.")
        whole: Array = np.asarray(self.read())
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def __array_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """``np.mean(a)`` and its kin."""
        if not all(issubclass(each, (RemoteArray, np.ndarray)) for each in types):
            return NotImplemented
        return dispatched(RemoteArray, func, args, kwargs)

    def __float__(self) -> float:
        return float(self.read())

    def __int__(self) -> int:
        return int(self.read())

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled, as dask does between processes, it is opened anew where it arrives."""
        return reopened, (self._handle.session, self._handle.about, self.field)


class Indexed:
    """``a.oindex`` and ``a.vindex``."""

    def __init__(self, array: RemoteArray, mode: Any) -> None:
        self._array, self._mode = array, mode

    def __getitem__(self, key: Any) -> Any:
        return self._array.read(self._array._index_key(key), mode=self._mode)

    def __setitem__(self, key: Any, value: Any) -> None:
        self._array.write(self._array._index_key(key), value, mode=self._mode)


class Kept:
    """The rows of an array that a filter keeps."""

    def __init__(self, driver: SyncDriver, recipes: KeptRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    read = sync(KeptRecipes.read)
    write = sync(KeptRecipes.write)
    indices = sync(KeptRecipes.indices)
    count = sync(KeptRecipes.count)

    def __getitem__(self, key: Any) -> Any:
        """What ``key`` takes of the rows that are kept."""
        return self.read(key)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        """The rows that are kept."""
        rows = self.read()
        return rows if dtype is None else rows.astype(dtype, copy=False)

    def __getattr__(self, op: str) -> Any:
        """The statistics of the rows that are kept: ``a.where(f).mean(axis=0)`` is ``a.mean(axis=0, where=f)``."""
        if op.startswith("_") or op not in STATISTICS:
            raise AttributeError(op)
        method = getattr(RemoteArray(self._driver, self._recipes.handle), op)
        return functools.partial(method, where=self._recipes.where)


#: The methods of arrays that a filter may narrow.
STATISTICS = frozenset(
    {
        "sum",
        "prod",
        "mean",
        "var",
        "std",
        "min",
        "max",
        "ptp",
        "argmin",
        "argmax",
        "any",
        "all",
        "count_nonzero",
        "median",
        "quantile",
        "histogram",
        "statistics",
    }
)


class GroupBy:
    """The groups of an array's rows; each statistic gives :class:`Groups`."""

    def __init__(self, driver: SyncDriver, recipes: GroupRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    agg = sync(GroupRecipes.agg)
    count = sync(GroupRecipes.count)
    sum = sync(GroupRecipes.sum)
    mean = sync(GroupRecipes.mean)
    var = sync(GroupRecipes.var)
    std = sync(GroupRecipes.std)
    min = sync(GroupRecipes.min)
    max = sync(GroupRecipes.max)
    first = sync(GroupRecipes.first)
    last = sync(GroupRecipes.last)
    median = sync(GroupRecipes.median)
    quantile = sync(GroupRecipes.quantile)


class Coarsen:
    """An array in blocks of neighbours; each method gives one element a block."""

    def __init__(self, driver: SyncDriver, recipes: CoarsenRecipes) -> None:
        self._driver, self._recipes = driver, recipes

    mean = sync(CoarsenRecipes.mean)
    sum = sync(CoarsenRecipes.sum)
    min = sync(CoarsenRecipes.min)
    max = sync(CoarsenRecipes.max)
    first = sync(CoarsenRecipes.first)
    minmax = sync(CoarsenRecipes.minmax)


def reopened(session: Session, about: Any, field: str | None) -> RemoteArray:
    """The array of a pickle. The clients of a process are kept."""
    return RemoteArray(driver_of(session), Handle(session, about, field))


@functools.lru_cache(maxsize=64)
def driver_of(session: Session) -> SyncDriver:
    """The connections of a process to a service."""
    from ._client import Client

    return Client(session)._driver
