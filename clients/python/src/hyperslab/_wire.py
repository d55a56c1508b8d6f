"""Arrays and dtypes as the service writes and reads them: JSON of dtypes, `.npy` bodies, raw answers, NaN in JSON."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from ._steps import Buffer

Array: TypeAlias = "npt.NDArray[Any]"

NPY = "application/x-npy"
RAW = "application/octet-stream"
JSON = "application/json"

WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def dtype_of(described: Any) -> np.dtype[Any]:
    """The dtype that describe names: text, numpy's ``descr``, or names with formats and offsets.

    >>> dtype_of([["pos", "<f8", [3]], ["", "|V4"], ["tag", "|u1"]]).itemsize
    29
    """
    if isinstance(described, str):
        return np.dtype(described)
    if isinstance(described, Mapping):
        formats = [_format_of(each) for each in described["formats"]]
        names, offsets = list(described["names"]), list(described["offsets"])
        return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": described["itemsize"]})
    return np.lib.format.descr_to_dtype([_field_of(each) for each in described])


def _format_of(written: Any) -> Any:
    if isinstance(written, list) and len(written) == 2 and all(isinstance(n, int) for n in written[1]):
        return (dtype_of(written[0]), tuple(written[1]))
    return dtype_of(written)


def _field_of(written: Sequence[Any]) -> Any:
    name, inner, *shape = written
    if isinstance(inner, Mapping):
        inner = dtype_of(inner)
    elif not isinstance(inner, str):
        inner = [_field_of(each) for each in inner]
    return (name, inner, *map(tuple, shape))


def described(dtype: np.dtype[Any]) -> Any:
    """The dtype as JSON for ``POST /v1/datasets``."""
    if dtype.names is None or dtype.fields is None:
        return dtype.str
    try:
        return [[name, *_inner(rest)] for name, *rest in dtype.descr]
    except ValueError:
        fields = [dtype.fields[name] for name in dtype.names]
        formats = [[described(f[0].base), list(f[0].shape)] if f[0].shape else described(f[0]) for f in fields]
        offsets = [f[1] for f in fields]
        return {"names": list(dtype.names), "formats": formats, "offsets": offsets, "itemsize": dtype.itemsize}


def _inner(rest: Sequence[Any]) -> list[Any]:
    inner, *shape = rest
    written = inner if isinstance(inner, str) else [[name, *_inner(more)] for name, *more in inner]
    return [written, *map(list, shape)]


def npy(array: Array) -> list[Buffer]:
    """The bytes of a `.npy` as buffers; the elements are not copied where they lie side by side."""
    fortran = array.flags.f_contiguous and not array.flags.c_contiguous
    shape = tuple(int(n) for n in array.shape)
    what = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": fortran, "shape": shape}
    text = "{" + "".join(f"{name!r}: {value!r}, " for name, value in what.items()) + "}"
    plain = text.isascii() and len(text) < 60_000
    head = b"\x93NUMPY" + (b"\x01\x00" if plain else b"\x03\x00")
    size = 2 if plain else 4
    encoded = text.encode()
    padded = encoded + b" " * (-(len(head) + size + len(encoded) + 1) % 64) + b"\n"
    return [head + len(padded).to_bytes(size, "little") + padded, bytes_of(array.T if fortran else array)]


def bytes_of(array: Array) -> memoryview:
    """The elements in C order as bytes, without a copy where they lie that way."""
    if array.size == 0:
        return memoryview(b"")
    flat = np.ascontiguousarray(array).reshape(-1)
    return flat.view(np.uint8).data


def array_from(body: Buffer, dtype: np.dtype[Any], shape: tuple[int, ...]) -> Array:
    """The array of a raw answer, which can be written to as numpy's own."""
    if math.prod(shape) == 0:
        return np.empty(shape, dtype)
    memory = np.frombuffer(body, np.uint8) if isinstance(body, memoryview) else np.frombuffer(bytearray(body), np.uint8)
    return np.ndarray(shape, dtype, memory.data)


def shape_of(text: str) -> tuple[int, ...]:
    """The shape of ``X-Array-Shape``: ``100,50``, empty for rank 0."""
    return tuple(int(part) for part in text.split(",")) if text else ()


def numbers(value: Any) -> Any:
    """JSON values of a statistic, with the words for NaN and the infinities as floats."""
    if isinstance(value, list):
        return [numbers(each) for each in value]
    return WORDS.get(value, value) if isinstance(value, str) else value


def jsonable(value: Any) -> Any:
    """A value for JSON: numpy's numbers, dates and arrays as the service takes them."""
    if isinstance(value, Mapping):
        return {str(name): jsonable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(each) for each in value]
    if isinstance(value, np.ndarray):
        return [jsonable(each) for each in value] if value.ndim else jsonable(value[()])
    if isinstance(value, (np.datetime64, np.timedelta64)):
        return str(value) if isinstance(value, np.datetime64) else int(value.astype(np.int64))
    if isinstance(value, np.generic):
        return jsonable(value.item())
    if isinstance(value, complex):
        return [jsonable(value.real), jsonable(value.imag)]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if hasattr(value, "isoformat") else value
