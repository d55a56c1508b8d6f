"""Appends beside numpy's concatenate: python appends_numpy.py URL FOLDER FIRST_SEED COUNT.

FOLDER is where the service keeps its arrays: what stands there is opened by np.load after each append, too.
"""

import http.client
import io
import json
import os
import random
import sys
import urllib.parse

import numpy as np

from array_oracle import Service, at

PLAIN = (
    "|b1 |i1 |u1 <i2 >i2 <u4 >u4 <i8 >i8 >u8 <f2 >f2 <f4 >f4 <f8 >f8 <c8 >c16 |S5 <U3 >U2 |V6 "
    "<M8[D] >M8[ns] <m8[s] >m8[us]"
).split()
STRUCTURED = [
    np.dtype([("a", "<i2"), ("b", ">f8"), ("c", "S3")]),
    np.dtype([("x", "u1"), ("y", "<f8", (2,)), ("z", "<i2")], align=True),
    np.dtype([("k", "<U2"), ("in", [("p", "u1"), ("q", ">i4")])]),
]
CASTS = {"i": ["|i1", ">i2"], "u": ["|u1"], "f": [">f2"], "c": ["<c8"]}


def values(rng, dtype, shape):
    """Random bits that are values of the dtype."""
    dtype = np.dtype(dtype)
    if dtype.fields:
        array = np.zeros(shape, dtype)
        for name in dtype.names:
            base, inner = dtype[name].subdtype or (dtype[name], ())
            array[name] = values(rng, base, tuple(shape) + tuple(inner))
        return array
    if dtype.kind in "fc":
        return np.round(rng.standard_normal(shape) * 50).astype(dtype)
    if dtype.kind == "b":
        return rng.random(shape) < 0.5
    if dtype.kind in "SU":
        return rng.integers(0, 99, shape).astype(str).astype(dtype)
    if dtype.kind == "V":
        return rng.integers(1, 255, tuple(shape) + (dtype.itemsize,), dtype="u1").view(dtype)[..., 0]
    return rng.integers(0, 100, shape).astype(dtype)


def send(url, path, body, media_type, chunked, pick):
    host = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(host.hostname, host.port)
    headers = {"content-type": media_type}
    if chunked:
        size = pick.choice([1000, 70_000, 3_000_000])
        pieces = (body[i : i + size] for i in range(0, len(body), size))
        connection.request("POST", path, pieces, {**headers, "transfer-encoding": "chunked"}, encode_chunked=True)
    else:
        connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def npy_of(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def body_of(pick, block):
    """Bytes, media type and query of a body that means a block, and what of it numpy casts."""
    dtype = block.dtype
    kind = pick.choice(["raw", "raw", "npy", "npy", "npz", "json"])
    if kind == "json" and (dtype.kind not in "biu" or block.size > 3000):
        kind = "npy"
    if kind == "raw":
        if not dtype.fields and dtype.itemsize > 1 and dtype.kind not in "SV" and pick.random() < 0.3:
            order = pick.choice(["little", "big"])
            return block.astype(dtype.newbyteorder(order[0])).tobytes(), "application/octet-stream", {"endian": order}
        return block.tobytes(), "application/octet-stream", {}
    if kind == "json":
        return json.dumps(block.tolist()).encode(), "application/json", {}
    if dtype.kind in CASTS and not dtype.fields and pick.random() < 0.4:
        block = block.astype(pick.choice(CASTS[dtype.kind]))
    elif not dtype.fields and pick.random() < 0.3:
        block = block.astype(dtype.newbyteorder())
    block = np.asarray(block, order=pick.choice("CF"))
    if kind == "npy":
        return npy_of(block), "application/x-npy", {}
    file = io.BytesIO()
    pick.choice([np.savez, np.savez_compressed])(file, one=block)
    return file.getvalue(), "application/x-npz", {}


def check(found, expected, what):
    assert found.shape == expected.shape and found.dtype == expected.dtype, f"{what}: {found.dtype} {found.shape}"
    if expected.dtype.fields:
        # Padding is nobody's.
        for name in expected.dtype.names:
            assert found[name].tobytes() == expected[name].tobytes(), f"{what}: {name}"
    else:
        assert found.tobytes() == expected.tobytes(), what


def append_some(service, url, folder, name, pick, rng, whole, order, raw, what):
    axis = 0 if order == "C" else whole.ndim - 1
    generation = service.json("GET", at(name))["generation"]
    for _ in range(pick.randint(2, 4)):
        count = pick.choice([0, 1, 1, 2, 7, 200, 1500])
        shape = list(whole.shape)
        shape[axis] = count
        block = values(rng, whole.dtype, shape)
        # Of a cast, the values are those of the smaller dtype, too: all are small integers.
        sent = block
        if count == 1 and whole.ndim > 0 and pick.random() < 0.5:
            sent = block.reshape(shape[:axis] + shape[axis + 1 :])
        body, media_type, query = body_of(pick, sent)
        chunked = pick.random() < 0.5
        if pick.random() < 0.5:
            query["at"] = str(whole.shape[axis])
        told = f"{what} + {shape} of {whole.shape} as {media_type} {query} {'chunked' if chunked else ''}"
        if media_type == "application/json" and count == 0 and axis > 0:
            continue
        status, answer = send(url, at(name, "/append", **query), body, media_type, chunked, pick)
        assert status == 200, f"{told}: {status} {answer}"
        whole = np.concatenate([whole, block], axis).astype(whole.dtype)
        generation += count > 0
        expected = {"shape": list(whole.shape), "generation": generation, "bytes": block.nbytes, "durability": "commit"}
        assert expected.items() <= answer.items(), f"{told}: {answer} is not {expected}"
        file = os.path.join(folder, f"{name}.{'raw' if raw else 'npy'}")
        if raw:
            check(np.fromfile(file, whole.dtype).reshape(whole.shape, order=order), whole, told)
        else:
            check(np.load(file, mmap_mode="r"), whole, told)
        late = send(url, at(name, "/append", at=whole.shape[axis] + 1), body, media_type, chunked, pick)
        assert late[0] == 409 and late[1]["length"] == whole.shape[axis], f"{told}: {late}"
    check(service.npy("GET", at(name, "/data")), whole, what)


def main(url, folder, first, count):
    service = Service(url)
    for seed in range(first, first + count):
        pick, rng = random.Random(seed), np.random.default_rng(seed)
        structured = pick.random() < 0.2
        dtype = pick.choice(STRUCTURED) if structured else np.dtype(pick.choice(PLAIN))
        order = pick.choice("CF")
        shape = [pick.choice([1, 2, 3, 5, 11]) for _ in range(pick.randint(1, 4))]
        shape[0 if order == "C" else -1] = pick.choice([0, 0, 1, 4, 13])
        whole = np.asarray(values(rng, dtype, shape), order=order)
        # A header of numpy's has no order where there is one axis, or none of elements.
        is_both = whole.flags.c_contiguous and whole.flags.f_contiguous
        raw = not structured and pick.random() < 0.3
        name = f"grown{seed}"
        what = f"seed {seed} {dtype} {order}{' raw' if raw else ''}"
        if raw or is_both:
            if structured:
                continue
            body = {"name": name, "dtype": dtype.str, "shape": shape, "order": order}
            service.json("POST", "/v1/datasets", {**body, **({"format": "raw"} if raw else {})}, status=201)
            whole = np.zeros(shape, dtype, order=order)
        else:
            media_type = {"content-type": "application/x-npy"}
            service.json("PUT", at(name), npy_of(whole), media_type, status=201)
        try:
            append_some(service, url, folder, name, pick, rng, whole, order, raw, what)
        except Exception as error:
            raise AssertionError(what) from error
    print(f"{count} arrays")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
