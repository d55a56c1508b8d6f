"""Tables as text: python csv_ndjson.py URL FOLDER FIRST_SEED COUNT. Prints what is wrong, a line for each."""

import base64
import csv
import io
import json
import os
import sys
import urllib.parse
import urllib.request

import numpy as np

import model


def call(url, method="GET", body=None):
    headers = {"content-type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as answer:
        return answer.read(), answer.headers


def cell_is(text, value, dtype):
    kind = dtype.kind
    if kind == "b":
        return text == ("true" if value else "false")
    if kind in "iu":
        return text == str(int(value))
    if kind == "f":
        return model.same_number(float(text), value, dtype)
    if kind == "c":
        half = np.dtype("f%d" % (dtype.itemsize // 2))
        found = complex(text)
        return model.same_number(found.real, value.real, half) and model.same_number(found.imag, value.imag, half)
    if kind in "mM":
        if np.isnat(value):
            return text == ""
        native = np.asarray(value).astype(dtype.newbyteorder("="))
        return text == (str(native) if kind == "M" else str(int(native.view("i8"))))
    if kind == "S":
        return text == value.decode("latin-1")
    if kind == "U":
        return text == str(value)
    return text == base64.b64encode(value.tobytes()).decode()


def json_is(found, value, dtype):
    kind = dtype.kind
    if kind == "b":
        return found is bool(value)
    if kind in "iu":
        return type(found) is int and found == int(value)
    if kind == "f":
        return found is None if not np.isfinite(value) else model.same_number(found, value, dtype)
    if kind == "c":
        half = np.dtype("f%d" % (dtype.itemsize // 2))
        return json_is(found[0], value.real, half) and json_is(found[1], value.imag, half)
    if kind in "mM" and np.isnat(value):
        return found is None
    return cell_is(str(found), value, dtype)


def check_csv(text, columns, header):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    if header:
        names = rows.pop(0) if rows else []
        if names != [name for name, _ in columns]:
            return "names are %r" % names
    if len(rows) != len(columns[0][1]):
        return "%d rows instead of %d" % (len(rows), len(columns[0][1]))
    for i, row in enumerate(rows):
        if len(row) != len(columns):
            return "row %d has %d cells" % (i, len(row))
        for text, (name, column) in zip(row, columns):
            if not cell_is(text, column[i], column.dtype):
                return "%s of row %d is %r instead of %r" % (name, i, text, column[i])
    return None


def nested(found, value, dtype):
    if np.ndim(value):
        return len(found) == len(value) and all(nested(a, b, dtype) for a, b in zip(found, value))
    if dtype.names:
        return list(found) == list(dtype.names) and all(
            nested(found[name], value[name], dtype[name].base) for name in dtype.names
        )
    return json_is(found, value, dtype)


def check_ndjson(text, array, columns, header):
    lines = text.split("\n")
    if lines.pop() != "":
        return "no line feed at the end"
    rows = [json.loads(line) for line in lines]
    if len(rows) != len(columns[0][1]):
        return "%d rows instead of %d" % (len(rows), len(columns[0][1]))
    for i, row in enumerate(rows):
        if array.dtype.names:
            item = np.atleast_1d(array)[i]
            values = row if header else dict(zip(array.dtype.names, row))
            if not nested(values, item, array.dtype):
                return "row %d is %r instead of %r" % (i, row, item)
            continue
        if header and list(row) != [name for name, _ in columns]:
            return "names are %r" % list(row)
        for found, (name, column) in zip(row.values() if header else row, columns):
            if not json_is(found, column[i], column.dtype):
                return "%s of row %d is %r instead of %r" % (name, i, found, column[i])
    return None


def selections(array, names):
    """Slices, what they leave, and the names of that."""
    yield "", array, names if array.ndim == 2 else None
    if array.ndim == 2 and array.shape[0] > 2:
        yield "2:0:-1,::-2", array[2:0:-1, ::-2], names and names[::-2]
        yield ":,-1", array[:, -1], names and names[-1:]
        yield "1", array[1], None


def with_pandas(url, array, columns):
    """What pandas, polars and duckdb read, where they are here."""
    if array.dtype.kind not in "iuf" or array.ndim != 2 or not array.size:
        return None
    import pandas

    body, _ = call(url)
    frame = pandas.read_csv(io.BytesIO(body), float_precision="round_trip")
    for i, (name, column) in enumerate(columns):
        expected = column.astype(column.dtype.newbyteorder("="))
        if not np.array_equal(frame.iloc[:, i].to_numpy().astype(expected.dtype), expected, equal_nan=expected.dtype.kind == "f"):
            return "pandas reads another %s" % name
    return None


def main(url, folder, first, count):
    try:
        import pandas  # noqa: F401

        reads = with_pandas
    except ImportError:
        reads = None
    for seed in range(first, first + count):
        array, names = model.random_table(seed)
        name = "t%d" % seed
        np.save(os.path.join(folder, name + ".npy"), array)
        attrs = {"columns": names} if names else {}
        call(url + "/v1/datasets", "POST", {"name": name, "path": os.path.join(folder, name + ".npy"), "attrs": attrs})
        for text, part, labels in selections(array, names):
            columns = model.columns_of(part, names, labels)
            if not columns:
                continue
            for header in (True, False):
                query = {} if header else {"header": "false"}
                if text:
                    query["slice"] = text
                path = "%s/v1/datasets/%s/data" % (url, name)
                asked = "?" + urllib.parse.urlencode(query)
                body, _ = call(path + ".csv" + asked)
                found = check_csv(body.decode(), columns, header)
                lines, _ = call(path + ".ndjson" + asked)
                found = found or check_ndjson(lines.decode(), part, columns, header)
                if not found and header and not text and reads:
                    found = reads(path + ".csv", part, columns)
                if found:
                    print("seed %d %s %s header=%s: %s" % (seed, array.dtype, text, header, found))


main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
