"""Files of Parquet as pyarrow, pandas, polars and DuckDB read them: python parquet.py URL FOLDER FIRST_SEED COUNT.
Prints what is wrong."""

import io
import json
import sys
import tempfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import arrow_columns
import model

try:
    import duckdb
except ImportError:
    duckdb = None
try:
    import polars
except ImportError:
    polars = None
try:
    import pandas
except ImportError:
    pandas = None


def timestamp_unit(unit):
    return "ms" if unit == "s" else unit


def check(body, array, labels):
    file = pq.ParquetFile(io.BytesIO(body))
    table = file.read()
    table.validate(full=True)
    metadata = table.schema.metadata or {}
    if json.loads(metadata[b"shape"]) != list(array.shape):
        return "shape is %r" % metadata
    if array.dtype.names:
        names, columns = array.dtype.names, [np.atleast_1d(array)[name] for name in array.dtype.names]
    elif array.ndim == 2 and not labels and array.shape[1] > 1000:
        names, columns = ["data"], [array]
    else:
        pairs = model.columns_of(array, labels, labels)
        names, columns = [name for name, _ in pairs], [column for _, column in pairs]
    if table.column_names != list(names):
        return "columns are %r" % table.column_names
    for name, found, expected in zip(names, table.columns, columns):
        if not arrow_columns.same_field(arrow_columns.whole(found), expected, timestamp_unit):
            return "%s is %r instead of %r" % (name, found.slice(0, 5).to_pylist(), expected[:5])
    return others(body, table)


def others(body, table):
    """What other libraries read is what pyarrow reads, as values of Python."""
    if pandas is not None:
        frame = pandas.read_parquet(io.BytesIO(body))
        if frame.shape != table.shape:
            return "pandas has the shape %r" % (frame.shape,)
        for name, column in zip(table.column_names, table.columns):
            if pa.types.is_floating(column.type) or pa.types.is_integer(column.type):
                if frame[name].dtype != column.type.to_pandas_dtype():
                    return "pandas has %s as %s" % (name, frame[name].dtype)
    few = table.num_rows * table.num_columns < 5000
    # Times may be beyond what Python has.
    simple = [name for name in table.column_names if few and not has_times(table.schema.field(name).type)]
    rows = [plain(row) for row in table.select(simple).to_pylist()]
    nulls = [column.null_count for column in table.columns]
    if polars is not None and table.num_columns:
        frame = polars.read_parquet(io.BytesIO(body))
        if frame.columns != table.column_names or frame.height != table.num_rows:
            return "polars has %r, %d rows" % (frame.columns, frame.height)
        found = [plain(row) for row in frame.select(simple).to_dicts()]
        if simple and found != rows or list(frame.null_count().row(0)) != nulls:
            return "polars has %r instead of %r" % (found[:3], rows[:3])
    # It tells columns apart without their case, as SQL does.
    if duckdb is not None and table.num_columns and len({name.lower() for name in table.column_names}) == table.num_columns:
        with tempfile.NamedTemporaryFile(suffix=".parquet") as file:
            file.write(body)
            file.flush()
            frame = duckdb.read_parquet(file.name)
            if frame.columns != table.column_names or len(frame) != table.num_rows:
                return "DuckDB has %r, %d rows" % (frame.columns, len(frame))
            quoted = ['"%s"' % name.replace('"', '""') for name in simple]
            found = frame.project(", ".join(quoted)).fetchall() if simple else []
            if [plain(dict(zip(simple, row))) for row in found] != (rows if simple else []):
                return "DuckDB has %r instead of %r" % (found[:3], rows[:3])
    return None


def has_times(kind):
    return pa.types.is_temporal(kind) or any(has_times(kind.field(i).type) for i in range(kind.num_fields))


def plain(value):
    """Equal where values are, NaN among them."""
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float):
        return repr(value)
    return value


def loses(array):
    """Whether seconds are beyond 64 bits as milliseconds."""
    if array.dtype.names:
        return any(loses(array[name]) for name in array.dtype.names)
    if array.dtype.kind != "M" or np.datetime_data(array.dtype)[0] != "s":
        return False
    counts = array[~np.isnat(array)].astype(array.dtype.newbyteorder("=")).view("i8")
    return bool(np.any(np.abs(counts) > (2**63 - 1) // 1000))


def arrays(first, count):
    for seed in range(first, first + count):
        yield "t%d" % seed, *model.random_table(seed)
    yield "wide", np.arange(3 * 1500, dtype=">f4").reshape(3, 1500), None
    yield "wide-times", np.arange(3 * 1100).astype("<M8[s]").reshape(3, 1100), None
    yield "long", np.arange(2 * 300000, dtype="<f8").reshape(2, 300000), None
    yield "many", np.arange(800000 * 3, dtype="<i8").reshape(800000, 3), ["x", "y", "z"]
    yield "many-bytes", np.arange(3000000, dtype="<u8").astype("|i1"), None


def refused(array):
    codes = {"not_tabular": arrow_columns.years(array.dtype), "would_lose": loses(array)}
    return [code for code, is_so in codes.items() if is_so]


url, folder, first, count = sys.argv[1:]
arrow_columns.compare(url, folder, arrays(int(first), int(count)), "parquet", check, refused)
