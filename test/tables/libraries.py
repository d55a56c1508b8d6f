"""What other libraries make of the answers of a live service: every column is what numpy has, dtype by dtype.

Run with the URL of the service, a folder that it serves, and the name of the library. Prints what differs.
"""

import datetime
import io
import json
import os
import sys
import urllib.request

import numpy as np

url, root, library = sys.argv[1:]
rows = 3000
rng = np.random.default_rng(5)


def column(dtype):
    """Random elements with what is special about their dtype at the beginning."""
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        # The readers of text take integers for int64.
        high = min(info.max, 2**63 - 1)
        values = rng.integers(info.min, high, rows, dtype.newbyteorder("="), endpoint=True)
        values[:2] = info.min, high
        return values.astype(dtype)
    if dtype.kind == "f":
        values = rng.standard_normal(rows) * 10.0 ** rng.integers(-3, 4, rows)
        values[:3] = np.nan, -0.0, 0.1
        return values.astype(dtype)
    if dtype.kind == "b":
        return rng.random(rows) < 0.5
    if dtype.kind == "M":
        unit = np.datetime_data(dtype)[0]
        span = {"D": 40_000, "s": 3_000_000_000, "ms": 3_000_000_000_000, "us": 3_000_000_000_000_000}[unit]
        values = rng.integers(-span // 4, span, rows).astype(dtype)
        values[0] = np.datetime64("NaT")
        return values
    words = np.array(["plain", "a,b", 'say "x"', "äöü €", "two words", "Ω"])
    if dtype.kind == "S":
        words = np.array([b"plain", b"a,b", b"x y", b"end"])
    return words[rng.integers(0, len(words), rows)].astype(dtype)


FIELDS = "|b1 |i1 |u1 <i2 >u2 <i4 >i4 <u4 <i8 <f2 <f4 >f4 <f8 >f8 <M8[D] <M8[s] <M8[ms] >M8[us] <U12 >U9 |S6".split()
mixed = np.empty(rows, [(f"k{i}", dtype) for i, dtype in enumerate(FIELDS)])
for name in mixed.dtype.names:
    mixed[name] = column(mixed.dtype[name])
grid = column("<f4").reshape(-1, 3)
# With a number in each column: DuckDB takes a column of infinities alone for dates.
infinite = np.array([[np.inf, 1.5], [-np.inf, np.nan], [2.25, np.inf]], "<f8")
colours = rng.integers(0, 256, (40, 60, 3), np.uint8)


def call(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"} if data else {})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


arrays = {"mixed": mixed, "grid": grid, "infinite": infinite, "colours": colours}
for name, array in arrays.items():
    where = os.path.join(root, f"{library}-{name}.npy")
    np.save(where, array)
    arrays[name] = np.load(where)
    columns = {"columns": ["x", "y", "z"]} if name == "grid" else {}
    call("/v1/datasets", {"name": f"{library}-{name}", "path": where, "attrs": columns})


def body(name, suffix):
    return call(f"/v1/datasets/{library}-{name}/data.{suffix}")


def link(name, suffix):
    return f"{url}/v1/datasets/{library}-{name}/data.{suffix}"


def saved(name, suffix):
    """For libraries that want a file."""
    where = os.path.join(root, f"{library}-{name}.{suffix}")
    with open(where, "wb") as file:
        file.write(body(name, suffix))
    return where


def plain(value, dtype):
    """A value of any library as one that can be compared; None where there is none."""
    if value is None or value != value or value == "":
        return None
    if dtype.kind == "M":
        if hasattr(value, "to_datetime64"):
            value = value.to_datetime64()
        if isinstance(value, datetime.datetime):
            value = value.replace(tzinfo=None)
        return np.datetime64(value).astype("M8[us]")
    if dtype.kind == "f":
        return dtype.newbyteorder("=").type(float(value)).item()
    if dtype.kind in "SU":
        return value.decode("latin-1") if isinstance(value, bytes) else str(value)
    return bool(value) if dtype.kind == "b" else int(value)


def compare(label, name, table, fields=None):
    """`table`: the values of each column by its name; `fields`: those that were asked for, all by default."""
    array = arrays[name]
    fields = fields or array.dtype.names
    names = list(fields or {"grid": "xyz"}.get(name) or (f"c{i}" for i in range(array.shape[1])))
    if list(table) != names:
        print(f"{label} {name}: columns {list(table)}, not {names}")
        return
    for i, each in enumerate(names):
        due = array[each] if fields else array[:, i]
        dtype = due.dtype
        found = [plain(value, dtype) for value in table[each]]
        wanted = [plain(value, dtype) for value in (due if dtype.kind == "M" else due.tolist())]
        if label.endswith("ndjson"):
            wanted = [None if isinstance(value, float) and abs(value) == np.inf else value for value in wanted]
        wrong = [k for k, (a, b) in enumerate(zip(found, wanted)) if a != b or str(a) != str(b)]
        if len(found) != len(wanted) or wrong:
            k = wrong[0] if wrong else -1
            print(f"{label} {name}.{each} {dtype.str}: {len(wrong)} wrong, at {k} {found[k]!r}, not {wanted[k]!r}")


TABLES = ("mixed", "grid", "infinite")


def with_numpy():
    for name, array in arrays.items():
        same = np.load(io.BytesIO(body(name, "npy")))
        (packed,) = np.load(io.BytesIO(body(name, "npz"))).values()
        for label, found in (("npy", same), ("npz", packed)):
            if found.dtype != array.dtype or found.tobytes() != array.tobytes() or found.shape != array.shape:
                print(f"numpy {label} {name}")


def with_pandas():
    import pandas as pd

    for name in TABLES:
        # Text without the words that pandas takes for missing values has none of them here.
        frame = pd.read_csv(link(name, "csv"))
        compare("pandas csv", name, {each: frame[each].tolist() for each in frame})
        frame = pd.read_json(link(name, "ndjson"), lines=True, dtype=False, precise_float=True)
        compare("pandas ndjson", name, {each: frame[each].tolist() for each in frame})


def with_pyarrow():
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.json
    import pyarrow.parquet

    for name in TABLES:
        for suffix, read in (
            ("arrow", lambda data: pa.ipc.open_stream(data).read_all()),
            ("parquet", lambda data: pa.parquet.read_table(data)),
            ("csv", lambda data: pa.csv.read_csv(data)),
            ("ndjson", lambda data: pa.json.read_json(data)),
        ):
            table = read(io.BytesIO(body(name, suffix)))
            compare(f"pyarrow {suffix}", name, {each: table[each].to_pylist() for each in table.column_names})


def with_polars():
    import polars as pl

    for name in TABLES:
        for suffix, read in (
            ("arrow", pl.read_ipc_stream),
            ("parquet", pl.read_parquet),
            ("csv", lambda data: pl.read_csv(data, try_parse_dates=True, infer_schema_length=None)),
            ("ndjson", lambda data: pl.read_ndjson(data, infer_schema_length=None)),
        ):
            frame = read(io.BytesIO(body(name, suffix)))
            compare(f"polars {suffix}", name, {each: frame[each].to_list() for each in frame.columns})


def with_duckdb():
    import duckdb

    for name in TABLES:
        for suffix, query in (
            ("csv", "from read_csv('{}', sample_size=-1)"),
            ("ndjson", "from read_json('{}', format='newline_delimited', sample_size=-1)"),
            ("parquet", "from read_parquet('{}')"),
        ):
            found = duckdb.sql(query.format(saved(name, suffix)))
            compare(f"duckdb {suffix}", name, dict(zip(found.columns, zip(*found.fetchall()))))
        try:
            import pyarrow as pa
        except ImportError:
            continue
        # DuckDB has no float16.
        dtype = arrays[name].dtype
        fields = [each for each in dtype.names or () if dtype[each] != np.float16]
        suffix = f"arrow?field={','.join(fields)}" if fields else "arrow"
        stream = pa.ipc.open_stream(io.BytesIO(body(name, suffix)))  # noqa: F841
        found = duckdb.sql("from stream")
        compare("duckdb arrow", name, dict(zip(found.columns, zip(*found.fetchall()))), fields)


def with_PIL():
    from PIL import Image

    with Image.open(io.BytesIO(body("colours", "png"))) as picture:
        if picture.format != "PNG" or not np.array_equal(np.asarray(picture), colours):
            print("PIL: other colours")
    with Image.open(io.BytesIO(call(f"/v1/datasets/{library}-grid/data.png?cmap=gray&limits=0,1"))) as picture:
        pixels = np.asarray(picture.convert("RGBA"))
        if pixels.shape[:2] != grid.shape:
            print(f"PIL: {pixels.shape}")
        elif not np.array_equal(pixels[..., 3] == 0, np.isnan(grid)):
            print("PIL: NaN is not what is transparent")
        shown = pixels[..., 0][~np.isnan(grid)].astype(int)
        due = np.clip(grid[~np.isnan(grid)].astype("f8"), 0, 1) * 255
        if np.abs(shown - due).max() > 1:
            print(f"PIL: grays are off by {np.abs(shown - due).max()}")


globals()[f"with_{library}"]()
