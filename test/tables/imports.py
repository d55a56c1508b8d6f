"""Tables that are taken: python imports.py URL FOLDER FIRST_SEED COUNT. Prints what is wrong, a line for each.

What the service sends as text comes back as the same array, as a new one and as a write; and what pandas writes is what
pandas has.
"""

import io
import json
import os
import random
import sys
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

import model

TYPES = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


def call(url, method="GET", body=None, type="application/json"):
    request = urllib.request.Request(url, data=body, method=method, headers={"content-type": type})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        raise ValueError("%s %s: %s" % (method, url, error.read().decode())) from None


def array_of(url):
    return np.load(io.BytesIO(call(url + "/data.npy")))


def without_infinities(array):
    """What NDJSON has of them: null."""
    if array.dtype.names:
        array = array.copy()
        for name in array.dtype.names:
            array[name] = without_infinities(array[name])
        return array
    if array.dtype.kind == "f":
        return np.where(np.isfinite(array), array, array.dtype.type(np.nan)).astype(array.dtype)
    if array.dtype.kind == "c":
        half = np.dtype(array.dtype.byteorder + "f%d" % (array.dtype.itemsize // 2))
        parts = np.ascontiguousarray(array).reshape(array.shape + (1,)).view(half)
        return without_infinities(parts).view(array.dtype).reshape(array.shape)
    return array


def same(found, expected):
    """Bits but for those of NaN, and whatever lies between fields."""
    if expected.dtype.names:
        return found.dtype.names == expected.dtype.names and all(
            same(found[name], expected[name]) for name in expected.dtype.names
        )
    if found.dtype != expected.dtype or found.shape != expected.shape:
        return False
    if expected.dtype.kind in "fc":
        native = expected.dtype.newbyteorder("=")
        half = np.dtype("f%d" % (native.itemsize // (2 if native.kind == "c" else 1)))
        a, b = (np.ascontiguousarray(each, native).reshape(-1).view(half) for each in (found, expected))
        nan = np.isnan(b)
        return np.array_equal(nan, np.isnan(a)) and a[~nan].tobytes() == b[~nan].tobytes()
    return np.ascontiguousarray(found).tobytes() == np.ascontiguousarray(expected).tobytes()


def round_trip(url, name, array, names, format, header):
    source = "%s/v1/datasets/%s" % (url, name)
    query = {} if header else {"header": "false"}
    body = call("%s/data.%s?%s" % (source, format, urllib.parse.urlencode(query)))
    expected = without_infinities(array) if format == "ndjson" else array
    dtype = json.loads(call(source))["dtype"]
    asked = dict(query, dtype=dtype if isinstance(dtype, str) else json.dumps(dtype), overwrite="true")
    # Rank 0 and a single column become one axis.
    flat = array.ndim == 0 or (array.ndim == 2 and array.shape[1] == 1)
    if body or array.dtype.names:
        call("%s/v1/datasets/back?%s" % (url, urllib.parse.urlencode(asked)), "PUT", body, TYPES[format])
        found = array_of(url + "/v1/datasets/back")
        if not same(found, expected.reshape(-1) if flat or not array.size and array.ndim < 2 else expected):
            return "import: %r instead of %r" % (found, expected)
        attrs = json.loads(call(url + "/v1/datasets/back"))["attrs"]
        labels = names or ["c%d" % i for i in range(array.shape[-1] if array.ndim == 2 else 0)]
        wanted = {"columns": labels} if found.ndim == 2 and header else {}
        if attrs != wanted:
            return "attrs are %r instead of %r" % (attrs, wanted)
    target = {"name": "into", "dtype": dtype, "shape": array.shape, "overwrite": True, "mode": "w+", "attrs": {"columns": names} if names else {}}
    call(url + "/v1/datasets", "POST", json.dumps(target).encode())
    call("%s/v1/datasets/into/data.%s?%s" % (url, format, urllib.parse.urlencode(query)), "PUT", body, "application/octet-stream")
    found = array_of(url + "/v1/datasets/into")
    if not same(found, expected):
        return "write: %r instead of %r" % (found, expected)
    return None


def inferred(url, name, array, format):
    """Without dtype=: of the dtypes that text tells."""
    body = call("%s/v1/datasets/%s/data.%s" % (url, name, format))
    call(url + "/v1/datasets/back?overwrite=true", "PUT", body, TYPES[format])
    found = array_of(url + "/v1/datasets/back")
    expected = without_infinities(array) if format == "ndjson" else array
    expected = expected.reshape(-1) if array.ndim == 2 and array.shape[1] == 1 else expected
    kind = expected.dtype.kind
    if kind == "U":
        if np.isin(expected, ["", "NaN"]).all(axis=0).any() and format == "csv":
            return None  # Such a column is missing values.
        width = max(1, np.char.str_len(expected).max())
        expected = expected.astype("<U%d" % width)
    elif kind == "i" or (kind == "u" and (expected.astype("u8") <= 2**63 - 1).all()):
        expected = expected.astype("<i8")
    elif kind == "u":
        expected = expected.astype("<u8")
    elif kind in "fc":
        # Digits of float32 are read as the float64 that they say.
        narrow = found.astype(expected.dtype.newbyteorder("="))
        return None if found.dtype == "<" + kind + {"f": "8", "c": "16"}[kind] and same(narrow, expected.astype(narrow.dtype)) else "%r instead of %r" % (found, expected)
    return None if same(found, expected) else "inferred: %r instead of %r" % (found, expected)


def with_pandas(url, seed):
    import csv

    import pandas

    pick = random.Random(seed)
    rng = np.random.default_rng(seed)
    rows = pick.choice([1, 5, 400])
    columns = {
        "i": rng.integers(-(2**62), 2**62, rows),
        "u": rng.integers(0, 2**64, rows, dtype="u8", endpoint=False) | np.uint64(2**63),
        "f": rng.standard_normal(rows) * 10 ** rng.uniform(-300, 300, rows),
        "n": np.where(rng.random(rows) < 0.5, np.nan, rng.integers(0, 9, rows)),
        "b": rng.random(rows) < 0.5,
        "t": np.array([pick.choice(model.TEXTS[1:6] + ["x\r\ny"]) for _ in range(rows)]),
        "d": rng.integers(0, 2**40, rows).astype("M8[ms]"),
    }
    columns = {name: columns[name] for name in pick.sample(list(columns), pick.randint(2, 7))}
    frame = pandas.DataFrame(columns)
    text = frame.to_csv(
        index=False,
        quoting=pick.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]),
        lineterminator=pick.choice(["\n", "\r\n"]),
        na_rep=pick.choice(["", "NaN", "null", "NA"]),
    )
    body = text.encode(pick.choice(["utf-8", "utf-8-sig"]))
    if pick.random() < 0.3 and not text.rstrip().endswith(('"', ",")):
        body = body.rstrip(b"\r\n")
    fields = [(name, "U40" if name == "t" else values.dtype.str) for name, values in columns.items()]
    call(url + "/v1/datasets/frame?overwrite=true&dtype=" + urllib.parse.quote(json.dumps(fields)), "PUT", body, "text/csv")
    found = array_of(url + "/v1/datasets/frame")
    for name, values in columns.items():
        if not same(found[name], values.astype(found[name].dtype)):
            return "%s with its dtype: %r instead of %r" % (name, found[name], values)
    call(url + "/v1/datasets/frame?overwrite=true", "PUT", body, "text/csv")
    found = array_of(url + "/v1/datasets/frame")
    read = pandas.read_csv(io.BytesIO(body), float_precision="round_trip")
    if found.dtype.names is None:
        kinds = {values.dtype.kind for values in read.to_dict("series").values()}
        if not kinds <= set("iu") and len({values.dtype for values in read.to_dict("series").values()}) > 1:
            return "%r is one dtype of %r" % (found.dtype, read.dtypes)
        found = {name: found[:, i] for i, name in enumerate(columns)}
    for name in columns:
        values = read[name].to_numpy()
        kind = "U" if values.dtype.kind in "OT" or str(read[name].dtype) in ("str", "object") else values.dtype.kind
        # Whole numbers of which some are beyond int64 are uint64 in all columns.
        if found[name].dtype.kind != kind and not (kind == "i" and found[name].dtype == "<u8"):
            return "%s is %r, and %r of pandas" % (name, found[name].dtype, values.dtype)
        if kind == "U":
            if name != "d" and name == "t" and list(found[name]) != list(columns[name]):
                return "%s: %r instead of %r" % (name, found[name], values)
        elif not same(found[name], values.astype(found[name].dtype)):
            return "%s: %r instead of %r" % (name, found[name], values)
    return None


def main(url, folder, first, count):
    try:
        import pandas  # noqa: F401

        has_pandas = True
    except ImportError:
        has_pandas = False
    for seed in range(first, first + count):
        array, names = model.random_table(seed)
        pick = random.Random(seed)
        name = "t%d" % seed
        np.save(os.path.join(folder, name + ".npy"), array)
        attrs = {"columns": names} if names and array.ndim == 2 else {}
        body = json.dumps({"name": name, "path": os.path.join(folder, name + ".npy"), "attrs": attrs}).encode()
        call(url + "/v1/datasets", "POST", body)
        for format in TYPES:
            for header in (pick.random() < 0.6,):
                try:
                    found = round_trip(url, name, array, attrs.get("columns"), format, header)
                    if not found and header and array.size and array.dtype.kind in "biufcU" and array.ndim and not (format == "ndjson" and array.dtype.kind == "c"):
                        found = inferred(url, name, array, format)
                except ValueError as error:
                    found = str(error)
                if found:
                    print("seed %d %s %r %s header=%s: %s" % (seed, array.dtype, array.shape, format, header, found[:700]))
        if has_pandas:
            try:
                found = with_pandas(url, seed)
            except ValueError as error:
                found = str(error)
            if found:
                print("seed %d of pandas: %s" % (seed, found[:700]))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
