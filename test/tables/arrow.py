"""Streams of Arrow as pyarrow reads them: python arrow.py URL FOLDER FIRST_SEED COUNT. Prints what is wrong."""

import io
import json
import sys

import numpy as np
import pyarrow as pa

import arrow_columns
import model


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
        found = arrow_columns.whole(found)
        if isinstance(found, pa.ExtensionArray):
            if not np.array_equal(found.to_numpy_ndarray(), array):
                return "the tensor is another one"
            found = found.storage
        if not arrow_columns.same_field(found, expected):
            return "%s is %r instead of %r" % (name, found.slice(0, 5).to_pylist(), expected[:5])
    return None


def arrays(first, count):
    for seed in range(first, first + count):
        yield "t%d" % seed, *model.random_table(seed)
    yield "wide", np.arange(3 * 1500, dtype=">f4").reshape(3, 1500), None
    yield "long", np.arange(2 * 300000, dtype="<f8").reshape(2, 300000), None
    yield "many", np.arange(200000 * 3, dtype="<i8").reshape(200000, 3), ["x", "y", "z"]
    yield "tensor", np.arange(4 * 5 * 6, dtype="<i2").reshape(4, 5, 6), None


def refused(array):
    return ["not_tabular"] if arrow_columns.years(array.dtype) else []


url, folder, first, count = sys.argv[1:]
arrow_columns.compare(url, folder, arrays(int(first), int(count)), "arrow", check, refused)
