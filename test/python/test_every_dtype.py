"""Every dtype that numpy can map, in both byte orders, both memory orders, with and without a header: read, written, reopened."""

import base64
import json
import urllib.parse

import numpy as np
import pytest

SCALARS = ["?", "i1", "u1", "i2", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16", "M8[ns]", "M8[25us]", "M8[D]", "M8[Y]", "M8", "m8[ms]", "m8", "S1", "S7", "U1", "U5", "V1", "V13"]
STRUCTURES = {
    "packed": [("a", "f4"), ("b", "i8")],
    "padded": {"names": ["a", "b"], "formats": ["i2", "f8"], "offsets": [1, 8], "itemsize": 20},
    "nested": [("time", "M8[s]"), ("pos", "f8", (3,)), ("tag", [("a", "u1"), ("text", "U3")], (2,))],
    "unordered": {"names": ["late", "early"], "formats": ["f4", "u2"], "offsets": [4, 0], "itemsize": 8},
    "named": [("it's \"so\"", "i4"), ("名", "S3"), ("x.y", "c8")],
}
LONG_DOUBLES = ["f16", "c32"]


def dtypes():
    for name in SCALARS + LONG_DOUBLES:
        for order in "<>":
            dtype = np.dtype(name).newbyteorder(order)
            # numpy makes arrays of the generic >m8 in its own order.
            if (order == "<" or dtype.str[0] == ">") and np.zeros(1, dtype).dtype == dtype:
                yield pytest.param(dtype, id=dtype.str)
    for name, form in STRUCTURES.items():
        for order in "<>":
            yield pytest.param(np.dtype(form).newbyteorder(order), id=order + name)


def random_array(dtype, shape, seed):
    """Values that all formats can hold: no padding bytes, no invalid code points, no bools but 0 and 1."""
    rng = np.random.default_rng(seed)
    array = np.zeros(shape, dtype)
    fill(rng, array)
    return array


def fill(rng, array):
    dtype = array.dtype
    if dtype.names:
        for name in dtype.names:
            fill(rng, array[name])
    elif dtype.kind in "biu":
        info = np.iinfo(dtype) if dtype.kind != "b" else None
        array[...] = rng.integers(info.min, info.max, array.shape, info.dtype.newbyteorder("="), endpoint=True) if info else rng.integers(0, 2, array.shape)
    elif dtype.kind in "fc":
        values = rng.normal(0, 1000, array.shape)
        values[rng.random(array.shape) < 0.1] = np.nan
        values[rng.random(array.shape) < 0.1] = np.inf
        array[...] = values + 1j * rng.normal(0, 1, array.shape) if dtype.kind == "c" else values
    elif dtype.kind in "mM":
        counts = rng.integers(-(10**6), 10**6, array.shape)
        counts[rng.random(array.shape) < 0.1] = np.iinfo("i8").min
        array[...] = counts.astype(f"{dtype.kind}8" + dtype.str[3:])
    elif dtype.kind in "SU":
        length = dtype.itemsize // (4 if dtype.kind == "U" else 1)
        pool = "ab \"\\é" if dtype.kind == "S" else "aé€😀\n\x00z"
        for index in np.ndindex(array.shape):
            text = "".join(rng.choice(list(pool), rng.integers(0, length + 1)))
            array[index] = text.encode("latin-1") if dtype.kind == "S" else text
    else:
        for index in np.ndindex(array.shape):
            array[index] = np.void(rng.bytes(dtype.itemsize))


def plain(value, dtype):
    """An element as the contract writes it in JSON."""
    if dtype.subdtype:
        base, shape = dtype.subdtype
        return nested(np.asarray(value, base).reshape(shape))
    if dtype.names:
        return {name: plain(value[name], dtype.fields[name][0]) for name in dtype.names}
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind in "iu":
        return int(value)
    if dtype.kind == "f":
        return number(value)
    if dtype.kind == "c":
        return [number(value.real), number(value.imag)]
    if dtype.kind in "mM":
        if np.isnat(value):
            return "NaT"
        generic = np.datetime_data(dtype)[0] == "generic"
        return str(np.datetime_as_string(value)) if dtype.kind == "M" and not generic else int(value.view("i8") if value.dtype.isnative else value.astype(dtype.newbyteorder("=")).view("i8"))
    if dtype.kind == "S":
        return bytes(value).decode("latin-1")
    if dtype.kind == "U":
        return str(value)
    return base64.b64encode(value.tobytes()).decode()


def number(value):
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def nested(array):
    if array.ndim == 0:
        return plain(array[()], array.dtype)
    return [nested(np.asarray(part, array.dtype) if array.dtype.names is None else part) for part in array]


def same_json(ours, theirs):
    """Equal, where floats are compared as floats of their own width."""
    if isinstance(theirs, dict):
        return isinstance(ours, dict) and list(ours) == list(theirs) and all(same_json(ours[key], theirs[key]) for key in theirs)
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same_json, ours, theirs))
    if isinstance(theirs, np.floating):
        return not isinstance(ours, str) and type(theirs)(ours) == theirs
    return type(ours) is type(theirs) and ours == theirs


def described(dtype):
    """numpy's descr as JSON, or names with their places."""
    if dtype.names is None:
        return dtype.str
    try:
        return json.loads(json.dumps(dtype.descr))
    except ValueError:
        fields = [dtype.fields[name] for name in dtype.names]
        formats = [[described(each.subdtype[0]), list(each.subdtype[1])] if each.subdtype else described(each) for each, *_ in fields]
        return {"names": list(dtype.names), "formats": formats, "offsets": [field[1] for field in fields], "itemsize": dtype.itemsize}


def has_header(dtype):
    return isinstance(described(dtype), (str, list))


def register(client, name, array, container, order):
    path = client.files / f"{name}.{container}"
    if container == "npy":
        np.save(path, np.asarray(array, order=order))
        body = {}
    else:
        path.write_bytes(b"x" * 37 + array.tobytes(order))
        body = {"dtype": described(array.dtype), "shape": list(array.shape), "order": order, "offset": 37, "format": "raw"}
    answer = json.loads(client.call("POST", "/datasets", {"name": name, "path": str(path), "mode": "r+", "external": False, **body}))
    assert answer["dtype"] == described(array.dtype)
    assert answer["size"] == array.size and answer["nbytes"] == array.nbytes and answer["order"] == order

    def reopened():
        if container == "npy":
            return np.load(path, mmap_mode="r")
        return np.memmap(path, array.dtype, "r", 37, array.shape, order)

    return reopened


def same(a, b):
    """The same bytes in every field; numpy leaves anything in the padding of a copy."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    if a.dtype.names:
        return all(same(a[name], b[name]) for name in a.dtype.names)
    return a.tobytes() == b.tobytes()


def from_raw(raw, expected, dtype):
    """The elements of a raw answer."""
    assert len(raw) == expected.size * dtype.itemsize
    return np.frombuffer(raw, dtype).reshape(expected.shape)


SLICES = ["...", "1", "::-2,1:", "...,0", "None,1:2,-1", "3:3"]


@pytest.mark.parametrize("container", ["npy", "raw"])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", list(dtypes()))
def test_every_way_in_and_out(client, dtype, order, container):
    if container == "npy" and not has_header(dtype):
        pytest.skip("numpy has no header for it")
    name = f"matrix-{abs(hash((dtype.str, str(dtype.fields), order, container)))}"
    array = random_array(dtype, (5, 4), 3)
    reopened = register(client, name, array, container, order)
    assert same(reopened(), array)
    is_long = dtype.kind in "fc" and dtype.itemsize in (16, 32) and dtype.str[1:] in LONG_DOUBLES
    for text in SLICES:
        expected = eval(f"array[{text}]", {"array": array, "None": None})
        where = f"/datasets/{name}/data?slice={urllib.parse.quote(text)}"
        raw = client.call("GET", f"{where}&format=raw")
        assert same(from_raw(raw, expected, dtype), np.asarray(expected, dtype))
        for endian, sign in (("little", "<"), ("big", ">")):
            is_theirs = dtype.newbyteorder(sign) == dtype
            turned = np.asarray(expected, dtype)
            turned = turned if is_theirs else turned.byteswap().view(dtype.newbyteorder())
            assert same(from_raw(client.call("GET", f"{where}&format=raw&endian={endian}"), expected, turned.dtype), turned)
        if has_header(dtype):
            assert same(client.array(f"{where}&format=npy"), np.asarray(expected, dtype))
        else:
            assert client.refused("GET", f"{where}&format=npy")["code"] == "no_npy_header"
        if is_long:
            assert client.refused("GET", where)["code"] == "unsupported_dtype"
        else:
            answer = json.loads(client.call("GET", where))
            assert answer["dtype"] == described(dtype)
            assert same_json(answer["data"], nested(np.asarray(expected, dtype))), (answer["data"], nested(np.asarray(expected, dtype)))
    model = array.copy(order)
    other = random_array(dtype, (5, 4), 4)

    def write(text, body, content_type, values):
        client.call("PUT", f"/datasets/{name}/data?slice={urllib.parse.quote(text)}", body, content_type)
        exec(f"model[{text}] = values", {"model": model, "values": values})
        client.call("POST", f"/datasets/{name}/flush")
        assert same(reopened(), model), text

    write("1:3", other[1:3].tobytes(), "application/octet-stream", other[1:3])
    write("0,::2", other[:1, 0].tobytes(), "application/octet-stream", other[:1, 0])
    if has_header(dtype):
        client.save("PUT", f"/datasets/{name}/data?slice=3:,1:", other[3:, 1:])
        model[3:, 1:] = other[3:, 1:]
        client.save("PUT", f"/datasets/{name}/data?slice=:,2:", np.asfortranarray(other[:, 2:]))
        model[:, 2:] = other[:, 2:]
        assert same(reopened(), model)
    if not is_long:
        body = json.dumps(nested(other[:, 1]), default=float).encode()
        write(":,1", body, "application/json; charset=utf-8", other[:, 1])
        write("4", json.dumps(nested(other[1:2, 1]), default=float).encode(), "application/json; charset=utf-8", other[1:2, 1])


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("form", STRUCTURES)
def test_a_field_is_an_array(client, form, order):
    dtype = np.dtype(STRUCTURES[form]).newbyteorder(">" if order == "F" else "<")
    array = random_array(dtype, (4, 3), 5)
    name = f"field-{form}-{order}"
    reopened = register(client, name, array, "raw", order)
    model = array.copy(order)
    for field in dtype.names:
        quoted = urllib.parse.quote(field)
        for text in ["...", "1:,::-1", "2"]:
            expected = eval(f"model[field][{text}]", {"model": model, "field": field})
            where = f"/datasets/{name}/data?field={quoted}&slice={text}"
            assert client.call("GET", f"{where}&format=raw") == expected.tobytes()
            assert same(client.array(f"{where}&format=npy"), np.asarray(expected, expected.dtype))
        values = random_array(dtype, (4, 3), 6)[field]
        client.call("PUT", f"/datasets/{name}/data?field={quoted}&slice=1:3", values[1:3].tobytes(), "application/octet-stream")
        model[field][1:3] = values[1:3]
        assert same(reopened(), model)


def test_padding_is_of_the_file(client):
    dtype = np.dtype({"names": ["a", "b"], "formats": ["u1", ("<u2", (2,))], "offsets": [2, 4], "itemsize": 10})
    raw = np.frombuffer(np.random.default_rng(1).bytes(60), dtype).copy()
    reopened = register(client, "padding", raw, "raw", "C")
    assert client.call("GET", "/datasets/padding/data?format=raw") == raw.tobytes()
    value = np.array((7, [8, 9]), dtype)
    client.save("PUT", "/datasets/padding/data?slice=1:3", value)
    raw[1:3]["a"], raw[1:3]["b"] = 7, [8, 9]
    assert bytes(reopened()) == bytes(raw)
    client.call("PUT", "/datasets/padding/data?slice=3", {"b": [5, 6], "a": 4})
    raw[3]["a"], raw[3]["b"] = 4, [5, 6]
    assert bytes(reopened()) == bytes(raw)
    client.call("PUT", "/datasets/padding/data?slice=5", b"\xff" * 10, "application/octet-stream")
    assert bytes(reopened())[50:] == b"\xff" * 10
    client.call("PUT", "/datasets/padding/data?slice=0&field=b,a", b"\1\2\3\4\5", "application/octet-stream")
    raw[0]["b"], raw[0]["a"] = [0x0201, 0x0403], 5
    assert bytes(reopened())[:50] == bytes(raw)[:50]


def test_named_columns(client):
    array = np.arange(12, dtype=">f4").reshape(4, 3)
    register(client, "columns", array, "npy", "C")
    assert client.refused("GET", "/datasets/columns/data?field=wind")["code"] == "unknown_field"
    client.call("PATCH", "/datasets/columns", {"attrs": {"columns": ["rain", "wind", "sun"]}})
    assert same(client.array("/datasets/columns/data?field=wind&format=npy&slice=1:"), array[1:, 1])
    assert same(client.array("/datasets/columns/data?field=sun,rain&format=npy"), array[..., [2, 0]])
    refusal = client.refused("GET", "/datasets/columns/data?field=winds")
    assert refusal["status"] == 422 and refusal["code"] == "unknown_field" and "wind" in refusal["detail"]
    wide = np.arange(20, dtype="<i2").reshape(4, 5)
    reopened = register(client, "five", wide, "raw", "F")
    client.call("PATCH", "/datasets/five", {"attrs": {"columns": list("abcde")}})
    chosen = [4, 0, 1]
    assert same(client.array("/datasets/five/data?field=e,a,b&format=npy"), wide[..., chosen])
    assert same(client.array("/datasets/five/data?field=e,a,b&format=npy&slice=None,1:,::-2"), wide[..., chosen][None, 1:, ::-2])
    for durability in ("commit", "none"):
        client.call("PUT", f"/datasets/five/data?field=e,a,b&slice=2:&durability={durability}", [[70, 71, 72], [80, 81, 82]])
        wide[2:, chosen] = [[70, 71, 72], [80, 81, 82]]
        client.call("POST", "/datasets/five/flush")
        assert same(reopened(), wide)
    client.call("PATCH", "/datasets/columns", {"attrs": {"columns": ["rain", "wind"]}})
    assert client.refused("GET", "/datasets/columns/data?field=wind")["status"] == 422


@pytest.mark.parametrize("dtype", ["O", "S0", "U0", "V0", "|S", [["a", "O"]], [["a", "f4"], ["a", "f4"]], [[["title", "a"], "f4"]], {"names": ["a"], "formats": ["f4"], "itemsize": 3}, [["", "f4"]], "[[", "x" * 9999])
def test_what_cannot_be_served_is_refused_with_a_way_out(client, dtype):
    refusal = client.refused("POST", "/datasets", {"name": "no", "dtype": dtype, "shape": [2]})
    assert refusal["status"] == 422 and refusal["code"] == "unsupported_dtype" and "Use" in refusal["detail"]
