"""Arrays of a Hyperslab service, as numpy knows them.

>>> import hyperslab
>>> client = hyperslab.connect("http://127.0.0.1:8080")  # doctest: +SKIP
>>> a = client["wind"]                                   # doctest: +SKIP
>>> a[100:200, 50:100], a.mean(axis=0)                   # doctest: +SKIP
"""

from . import aio
from ._array import Coarsen, GroupBy, Kept, RemoteArray
from ._client import Client, connect, open_array
from ._views import Groups
from .errors import (
    AccessRefused,
    BadAxis,
    BadIndex,
    BadSlice,
    BadValue,
    Busy,
    Conflict,
    EmptySelection,
    GenerationMoved,
    HyperslabError,
    Moved,
    NotFound,
    ShapeMismatch,
    StorageRefused,
    TooLarge,
    UnknownField,
    Unreachable,
    UnsupportedDtype,
    WouldLose,
)
from .filters import Filter, column, dataset, element, field, rows

__version__ = "0.1.0"

__all__ = [
    "AccessRefused",
    "BadAxis",
    "BadIndex",
    "BadSlice",
    "BadValue",
    "Busy",
    "Client",
    "Coarsen",
    "Conflict",
    "EmptySelection",
    "Filter",
    "GenerationMoved",
    "GroupBy",
    "Groups",
    "HyperslabError",
    "Kept",
    "Moved",
    "NotFound",
    "RemoteArray",
    "ShapeMismatch",
    "StorageRefused",
    "TooLarge",
    "UnknownField",
    "Unreachable",
    "UnsupportedDtype",
    "WouldLose",
    "aio",
    "column",
    "connect",
    "dataset",
    "element",
    "field",
    "open_array",
    "rows",
]
