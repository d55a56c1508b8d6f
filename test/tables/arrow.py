"""Streams of Arrow as pyarrow reads them: python arrow.py URL FOLDER FIRST_SEED COUNT. Prints what is wrong."""

import io
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pyarrow as pa

import model


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def years(dtype):
    if dtype.names:
        return any(years(dtype[name].base) for name in dtype.names)
    return dtype.kind in "mM" and np.datetime_data(dtype)[0] == "Y"


def same(found, expected):
    """Whether a pyarrow array is a numpy array of one axis."""
    dtype = expected.dtype
    if len(found) != len(expected):
        return False
    if dtype.names:
        return all(same_field(found.field(i), expected[name]) for i, name in enumerate(dtype.names))
    native = expected.astype(dtype.newbyteorder("="))
    kind = dtype.kind
    if kind == "c":
        return same(found.field(0), native.real) and same(found.field(1), native.imag)
    if kind in "mM":
        unit, count = np.datetime_data(dtype)
        missing = np.isnat(native)
        whole = found.cast(pa.int32() if unit == "D" and kind == "M" else pa.int64())
        values = whole.fill_null(0).to_numpy(zero_copy_only=False)
        counts = np.where(missing, 0, native.view("i8")) * count
        named = pa.date32() if kind == "M" and unit == "D" else (pa.timestamp(unit) if kind == "M" else pa.duration(unit))
        return found.type == named and found.is_null().to_pylist() == missing.tolist() and np.array_equal(values, counts)
    if kind == "S":
        return found.to_pylist() == [value.decode("latin-1") for value in native]
    if kind == "U":
        return found.to_pylist() == native.tolist()
    if kind == "V":
        return found.to_pylist() == [value.tobytes() for value in native]
    values = found.to_numpy(zero_copy_only=False)
    return found.null_count == 0 and values.dtype == native.dtype and values.tobytes() == np.ascontiguousarray(native).tobytes()


def same_field(found, expected):
    while expected.ndim > 1:
        if not pa.types.is_fixed_size_list(found.type) or found.type.list_size != expected.shape[1]:
            return False
        found = found.flatten()
        expected = expected.reshape((-1,) + expected.shape[2:])
    return same(found, expected)


def whole(column):
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def check(body, array, labels):
    table = pa.ipc.open_stream(io.BytesIO(body)).read_all()
    table.validate(full=True)
    metadata = table.schema.metadata or {}
    if json.loads(metadata[b"shape"]) != list(array.shape):
        return "shape is %r" % metadata
    if array.dtype.names:
        names, columns = array.dtype.names, [np.atleast_1d(array)[name] for name in array.dtype.names]
    elif array.ndim > 2 or (array.ndim == 2 and not labels and array.shape[1] > 1000):
        names, columns = ["data"], [array.reshape(len(array), -1)]
    else:
        pairs = model.columns_of(array, labels, labels)
        names, columns = [name for name, _ in pairs], [column for _, column in pairs]
    if table.column_names != list(names):
        return "columns are %r" % table.column_names
    for name, found, expected in zip(names, table.columns, columns):
        found = whole(found)
        if isinstance(found, pa.ExtensionArray):
            if not np.array_equal(found.to_numpy_ndarray(), array):
                return "the tensor is another one"
            found = found.storage
        if not same_field(found, expected):
            return "%s is %r instead of %r" % (name, found.slice(0, 5).to_pylist(), expected[:5])
    return None


def arrays(first, count):
    for seed in range(first, first + count):
        yield "t%d" % seed, *model.random_table(seed)
    yield "wide", np.arange(3 * 1500, dtype=">f4").reshape(3, 1500), None
    yield "long", np.arange(2 * 300000, dtype="<f8").reshape(2, 300000), None
    yield "many", np.arange(200000 * 3, dtype="<i8").reshape(200000, 3), ["x", "y", "z"]
    yield "tensor", np.arange(4 * 5 * 6, dtype="<i2").reshape(4, 5, 6), None


def main(url, folder, first, count):
    for name, array, names in arrays(first, count):
        np.save(os.path.join(folder, name + ".npy"), array)
        attrs = {"columns": names} if names else {}
        call(url + "/v1/datasets", {"name": name, "path": os.path.join(folder, name + ".npy"), "attrs": attrs})
        slices = [("", array, names if array.ndim == 2 else None)]
        if array.ndim == 2 and array.shape[0] > 2:
            slices.append(("2:0:-1,::-2", array[2:0:-1, ::-2], names and names[::-2]))
        for text, part, labels in slices:
            asked = "%s/v1/datasets/%s/data.arrow%s" % (url, name, text and "?slice=" + urllib.parse.quote(text))
            try:
                found = check(call(asked), part, labels)
            except urllib.error.HTTPError as error:
                problem = json.loads(error.read())
                found = None if problem["code"] == "not_tabular" and years(array.dtype) else problem
            if found:
                print("%s %s %s: %s" % (name, array.dtype, text, found))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
