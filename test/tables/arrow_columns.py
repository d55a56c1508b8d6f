"""Whether columns of pyarrow are what numpy has."""

import json
import os
import urllib.error
import urllib.parse
import urllib.request

import numpy as np
import pyarrow as pa


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def years(dtype):
    if dtype.names:
        return any(years(dtype[name].base) for name in dtype.names)
    return dtype.kind in "mM" and np.datetime_data(dtype)[0] == "Y"


def register(url, folder, name, array, names):
    path = os.path.join(folder, name + ".npy")
    np.save(path, array)
    attrs = {"columns": names} if names else {}
    call(url + "/v1/datasets", {"name": name, "path": path, "attrs": attrs})


def compare(url, folder, arrays, suffix, check, refused):
    """Registers each array, reads it and a part of it in a format, and prints what is wrong.

    `check(body, array, names)` says what is; `refused(array)` says for which codes the array may be refused.
    """
    for name, array, names in arrays:
        register(url, folder, name, array, names)
        slices = [("", array, names if array.ndim == 2 else None)]
        if array.ndim == 2 and array.shape[0] > 2:
            slices.append(("2:0:-1,::-2", array[2:0:-1, ::-2], names and names[::-2]))
        for text, part, labels in slices:
            asked = "%s/v1/datasets/%s/data.%s%s" % (url, name, suffix, text and "?slice=" + urllib.parse.quote(text))
            try:
                found = check(call(asked), part, labels)
            except urllib.error.HTTPError as error:
                problem = json.loads(error.read())
                found = None if problem["code"] in refused(part) else problem
            if found:
                print("%s %s %s: %s" % (name, array.dtype, text, found))


def same(found, expected, timestamp_unit=str):
    """Whether a pyarrow array is a numpy array of one axis. Dates have the unit that timestamp_unit makes of numpy's."""
    dtype = expected.dtype
    if len(found) != len(expected):
        return False
    if dtype.names:
        return all(same_field(found.field(i), expected[name], timestamp_unit) for i, name in enumerate(dtype.names))
    native = expected.astype(dtype.newbyteorder("="))
    kind = dtype.kind
    if kind == "c":
        return same(found.field(0), native.real) and same(found.field(1), native.imag)
    if kind in "mM":
        unit, count = np.datetime_data(dtype)
        missing = np.isnat(native)
        named = pa.date32() if kind == "M" and unit == "D" else pa.duration(unit)
        if kind == "M" and unit != "D":
            named = pa.timestamp(timestamp_unit(unit))
            count *= 1 if timestamp_unit(unit) == unit else 1000
        whole = found.cast(pa.int32() if unit == "D" and kind == "M" else pa.int64())
        values = whole.fill_null(0).to_numpy(zero_copy_only=False)
        counts = np.where(missing, 0, native.view("i8")) * count
        return found.type == named and found.is_null().to_pylist() == missing.tolist() and np.array_equal(values, counts)
    if kind == "S":
        return found.to_pylist() == [value.decode("latin-1") for value in native]
    if kind == "U":
        return found.to_pylist() == native.tolist()
    if kind == "V":
        return found.to_pylist() == [value.tobytes() for value in native]
    values = found.to_numpy(zero_copy_only=False)
    return found.null_count == 0 and values.dtype == native.dtype and values.tobytes() == np.ascontiguousarray(native).tobytes()


def same_field(found, expected, timestamp_unit=str):
    while expected.ndim > 1:
        if not pa.types.is_fixed_size_list(found.type) or found.type.list_size != expected.shape[1]:
            return False
        found = found.flatten()
        expected = expected.reshape((-1,) + expected.shape[2:])
    return same(found, expected, timestamp_unit)


def whole(column):
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
