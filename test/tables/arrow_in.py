"""Streams of Arrow that pyarrow, pandas, polars and DuckDB write, and that the service itself has sent, as arrays again:
python arrow_in.py URL FOLDER FIRST_SEED COUNT. Prints what is wrong."""

import io
import json
import random
import sys
import urllib.error
import urllib.request

import numpy as np
import pyarrow as pa

import arrow_columns
import model

TYPE = "application/vnd.apache.arrow.stream"


def put(url, body, kind=TYPE):
    request = urllib.request.Request(url, data=body, method="PUT", headers={"content-type": kind})
    with urllib.request.urlopen(request) as answer:
        return json.loads(answer.read())


def read(url, name):
    return np.load(io.BytesIO(arrow_columns.call("%s/v1/datasets/%s/data.npy" % (url, name))))


def stream(table, batch_rows=None, **options):
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=batch_rows)
    return sink.getvalue()


def returned(dtype):
    """The dtype that comes back of one that was sent without saying which."""
    if dtype.subdtype:
        return np.dtype((returned(dtype.base), dtype.shape))
    if dtype.names:
        return np.dtype([(name, returned(dtype[name])) for name in dtype.names])
    if dtype.kind in "mM":
        return np.dtype("%s8[%s]" % (dtype.kind, np.datetime_data(dtype)[0]))
    if dtype.kind == "S":
        return np.dtype("U%d" % max(1, dtype.itemsize))
    return dtype.newbyteorder("<")


def as_returned(array):
    """The array that comes back; texts as long as the longest, which differs. One field alone is a column like any other."""
    if array.dtype.names and len(array.dtype.names) == 1 and isinstance(array, np.ndarray) and array.dtype[0].names is None:
        return as_returned(array[array.dtype.names[0]])
    if array.dtype.names:
        out = np.zeros(array.shape, returned(array.dtype))
        for name in array.dtype.names:
            out[name] = as_returned(array[name])
        return out
    if array.dtype.kind == "S":
        texts = [value.decode("latin-1") for value in array.ravel()]
        return np.array(texts, dtype="U%d" % max(1, array.dtype.itemsize)).reshape(array.shape)
    return array.astype(returned(array.dtype))


def equal(found, expected):
    if found.shape != expected.shape:
        return False
    if expected.dtype.names:
        return found.dtype.names == expected.dtype.names and all(
            equal(found[name], expected[name]) for name in expected.dtype.names
        )
    if expected.dtype.kind == "U":
        return found.dtype.kind == "U" and np.array_equal(found, expected)
    same_dtype = found.dtype == expected.dtype
    if expected.dtype.kind in "fc":
        part = "f%d" % (expected.dtype.itemsize // (2 if expected.dtype.kind == "c" else 1))
        left, right = np.ascontiguousarray(found).view(part), np.ascontiguousarray(expected).view(part)
        return same_dtype and np.array_equal(left, right, equal_nan=True)
    return same_dtype and found.tobytes() == expected.tobytes()


def sent_arrays(first, count):
    for seed in range(first, first + count):
        yield "t%d" % seed, *model.random_table(seed)
    yield "wide", np.arange(3 * 1500, dtype=">f4").reshape(3, 1500), None
    yield "tensor", np.arange(4 * 5 * 6, dtype="<i2").reshape(4, 5, 6), None
    yield "complex-wide", (np.arange(2 * 1100) * (1 + 2j)).reshape(2, 1100), None
    yield "many", np.arange(200000 * 3, dtype="<i8").reshape(200000, 3), ["x", "y", "z"]


def check_sent(url, folder, first, count):
    """What we send, back as a new array, and into one of the same dtype."""
    for name, array, names in sent_arrays(first, count):
        arrow_columns.register(url, folder, name, array, names)
        try:
            body = arrow_columns.call("%s/v1/datasets/%s/data.arrow" % (url, name))
        except urllib.error.HTTPError:
            if not arrow_columns.years(array.dtype):
                print("%s is not sent" % name)
            continue
        try:
            back = put("%s/v1/datasets/%s-back" % (url, name), body)
            found = read(url, name + "-back")
            expected = as_returned(array)
            if array.size and not equal(found, expected):
                print("%s %s back is %s %r instead of %r" % (name, array.dtype, found.dtype, found, expected))
            if array.size and (back["attrs"].get("columns") != names) and array.ndim == 2:
                print("%s: columns are %r instead of %r" % (name, back["attrs"], names))
            described = json.loads(arrow_columns.call("%s/v1/datasets/%s" % (url, name)))
            arrow_columns.call(url + "/v1/datasets", {"name": name + "-into", "dtype": described["dtype"], "shape": list(array.shape)})
            if array.size:
                put("%s/v1/datasets/%s-into/data" % (url, name), body)
                found = read(url, name + "-into")
                if not (found.dtype == array.dtype and equal(as_returned(found), expected)):
                    print("%s %s into is %r instead of %r" % (name, array.dtype, found, array))
        except urllib.error.HTTPError as error:
            print("%s %s: %s" % (name, array.dtype, error.read()))


def check_types(url):
    """Every type that pyarrow writes, with nulls and without."""
    dates = np.array(["2024-05-01", "NaT", "1960-01-01"], "M8[D]")
    columns = {
        "date32": (pa.array([19844, None, 7], pa.date32()), np.array([19844, np.iinfo("i8").min, 7]).view("M8[D]")),
        "date64": (pa.array([86400000, None], pa.date64()), np.array([86400000, np.iinfo("i8").min]).view("M8[ms]")),
        "utf8": (pa.array(["a", None, "äöü"]), np.array(["a", "", "äöü"])),
        "large_utf8": (pa.array(["a", None, "äöü𝄞"], pa.large_utf8()), np.array(["a", "", "äöü𝄞"])),
        "view": (pa.array(["a", None, "a text that is longer than twelve bytes", "éé" * 9], pa.string_view()),
                 np.array(["a", "", "a text that is longer than twelve bytes", "éé" * 9])),
        "dictionary": (pa.array(["b", "a", None, "b"]).dictionary_encode(), np.array(["b", "a", "", "b"])),
        "bool": (pa.array([True, False] * 9), np.array([True, False] * 9)),
        "half": (pa.array(np.array([1, 2.5], "f2")), np.array([1, 2.5], "f2")),
        "float-null": (pa.array([1.5, None, 3]), np.array([1.5, np.nan, 3])),
        "binary": (pa.array([b"ab", b"c\0"], pa.binary(2)), np.array([b"ab", b"c\0"], "V2")),
        "fixed-list": (pa.array([[1.0, 2.0], [3.0, None]], pa.list_(pa.float32(), 2)), np.array([[1, 2], [3, np.nan]], "f4")),
        "null-list": (pa.array([[1.0, 2.0], None], pa.list_(pa.float32(), 2)), np.array([[1, 2], [np.nan, np.nan]], "f4")),
        "text-list": (pa.array([["a", "bcd"], ["", None]], pa.list_(pa.utf8(), 2)), np.array([["a", "bcd"], ["", ""]])),
        "zone": (pa.array([1, 2], pa.timestamp("us", tz="Europe/Berlin")), np.array([1, 2], "M8[us]")),
    }
    for unit in ("s", "ms", "us", "ns"):
        columns["timestamp-" + unit] = (pa.array([5, None, -7], pa.timestamp(unit)), np.array([5, "NaT", -7], "M8[%s]" % unit))
        columns["duration-" + unit] = (pa.array([5, None, -7], pa.duration(unit)), np.array([5, "NaT", -7], "m8[%s]" % unit))
    for name, (column, expected) in columns.items():
        try:
            put("%s/v1/datasets/type-%s" % (url, name), stream(pa.table({"c": column})))
            found = read(url, "type-" + name)
            if not equal(found, expected):
                print("%s is %r instead of %r" % (name, found, expected))
            sliced = pa.table({"c": pa.concat_arrays([column, column, column])}).slice(len(column), len(column))
            put("%s/v1/datasets/sliced-%s" % (url, name), stream(sliced, batch_rows=1))
            found = read(url, "sliced-" + name)
            if not equal(found, expected):
                print("%s sliced is %r instead of %r" % (name, found, expected))
        except urllib.error.HTTPError as error:
            print("%s: %s" % (name, error.read()))


REFUSED = {
    "list": (lambda: pa.array([[1], [2, 3]]), 422, "unsupported_dtype"),
    "decimal": (lambda: pa.array([1], pa.decimal128(5, 2)), 422, "unsupported_dtype"),
    "time": (lambda: pa.array([1], pa.time32("s")), 422, "unsupported_dtype"),
    "null": (lambda: pa.nulls(3), 422, "unsupported_dtype"),
    "map": (lambda: pa.array([[("a", 1)]], pa.map_(pa.utf8(), pa.int64())), 422, "unsupported_dtype"),
    "bytes": (lambda: pa.array([b"a"]), 422, "unsupported_dtype"),
    "numbers": (lambda: pa.array([1, 2]).dictionary_encode(), 422, "unsupported_dtype"),
    "integers": (lambda: pa.array([1, None]), 422, "would_lose"),
    "bools": (lambda: pa.array([True, None]), 422, "would_lose"),
    "inner": (lambda: pa.array([{"a": 1}, None], pa.struct([("a", pa.int8())])), 422, "would_lose"),
}


def check_refused(url):
    for name, (make, status, code) in REFUSED.items():
        try:
            put("%s/v1/datasets/refused" % url, stream(pa.table({"c": make()})))
            print("%s is taken" % name)
        except urllib.error.HTTPError as error:
            problem = json.loads(error.read())
            if (error.code, problem["code"]) != (status, code):
                print("%s: %r" % (name, problem))
    for codec in ("lz4", "zstd"):
        try:
            put("%s/v1/datasets/refused" % url, stream(pa.table({"c": np.zeros(999)}), compression=codec))
            print("%s is taken" % codec)
        except urllib.error.HTTPError as error:
            if json.loads(error.read())["code"] != "unsupported_dtype":
                print("%s is refused otherwise" % codec)


def check_others(url):
    """Frames of other libraries, streams and files."""
    import pandas

    frame = pandas.DataFrame({"a": [1.5, None, 3], "b": ["x", None, "yz"], "t": pandas.to_datetime(["2024-01-01", None, "2024-02-03"])})
    table = pa.Table.from_pandas(frame)
    unit = np.datetime_data(frame["t"].dtype)[0]
    expected = np.zeros(3, [("a", "f8"), ("b", "U2"), ("t", "M8[%s]" % unit)])
    expected["a"], expected["b"], expected["t"] = [1.5, np.nan, 3], ["x", "", "yz"], frame["t"].to_numpy()
    bodies = {"pandas": stream(table)}
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    bodies["a file"] = sink.getvalue()
    try:
        import polars

        other = polars.from_pandas(frame)
        for level in ("newest", "oldest"):
            sink = io.BytesIO()
            other.write_ipc_stream(sink, compat_level=getattr(polars.CompatLevel, level)())
            bodies["polars " + level] = sink.getvalue()
        sink = io.BytesIO()
        other.with_columns(polars.col("b").cast(polars.Categorical)).write_ipc_stream(sink)
        bodies["polars categories"] = sink.getvalue()
    except ImportError:
        pass
    try:
        import duckdb

        found = duckdb.sql("select * from frame").to_arrow_table()
        bodies["DuckDB"] = stream(found)
    except ImportError:
        pass
    for name, body in bodies.items():
        dataset = name.replace(" ", "-").lower()
        try:
            put("%s/v1/datasets/%s" % (url, dataset), body)
        except urllib.error.HTTPError as error:
            print("%s: %s" % (name, error.read()))
            continue
        found = read(url, dataset)
        same = found.dtype.names == expected.dtype.names and np.array_equal(found["a"], expected["a"], equal_nan=True)
        same = same and np.array_equal(found["b"], expected["b"])
        if not same or not np.array_equal(found["t"].astype("M8[ns]"), expected["t"].astype("M8[ns]"), equal_nan=True):
            print("%s is %r instead of %r" % (name, found, expected))


def check_hostile(url, seed, count):
    """Bytes that are changed, and bodies that are cut: an answer below 500, and the service lives."""
    rng = random.Random(seed)
    table = pa.table({
        "a": pa.array([1.5, None, 3] * 5), "b": pa.array(["x", "yz", "long enough to be no view" * 2] * 5, pa.string_view()),
        "c": pa.array(["p", "q", "p"] * 5).dictionary_encode(), "d": pa.array(["p", "q", "äß"] * 5),
        "e": pa.array([[1, 2]] * 15, pa.list_(pa.int16(), 2)), "f": pa.array([True] * 15),
    })
    whole = stream(table, batch_rows=6)
    for i in range(count):
        body = bytearray(whole)
        if rng.random() < 0.2:
            body = body[: rng.randrange(len(body))]
        for _ in range(rng.choice([1, 1, 2, 5])):
            if not body:
                break
            place = rng.randrange(len(body)) if rng.random() < 0.5 else rng.randrange(min(len(body), 1500))
            body[place] = rng.choice([0, 1, 127, 128, 255, body[place] ^ (1 << rng.randrange(8))])
        try:
            put("%s/v1/datasets/hostile?overwrite=true" % url, bytes(body))
        except urllib.error.HTTPError as error:
            if error.code >= 500 and error.code != 507:
                print("hostile %d: %s" % (i, error.read()))
    if arrow_columns.call(url + "/healthz") is None:
        print("the service is gone")


def main(url, folder, first, count, flips):
    check_types(url)
    check_refused(url)
    check_others(url)
    check_sent(url, folder, first, count)
    check_hostile(url, first, flips)


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
