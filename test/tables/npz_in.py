"""Archives that numpy and zipfile write, as arrays: python npz_in.py URL SEED COUNT. Prints what is wrong."""

import io
import json
import random
import struct
import sys
import urllib.error
import urllib.request
import zipfile

import numpy as np

import model


def call(url, body=None, method="GET", kind="application/x-npz"):
    request = urllib.request.Request(url, data=body, method=method, headers={"content-type": kind})
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def put(url, body, query=""):
    return json.loads(call(url + query, body, "PUT"))


def read(url):
    return np.load(io.BytesIO(call(url + "/data.npy")))


def npy(array):
    sink = io.BytesIO()
    np.save(sink, array)
    return sink.getvalue()


class Unseekable(io.RawIOBase):
    """Sizes then stand behind members."""

    def __init__(self):
        self.data = bytearray()

    def writable(self):
        return True

    def write(self, part):
        self.data += bytes(part)
        return len(part)


def zipped(members, method=zipfile.ZIP_DEFLATED, seekable=True, zip64=False, comment=b""):
    sink = io.BytesIO() if seekable else Unseekable()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in members.items():
            with archive.open(name, "w", force_zip64=zip64) as member:
                member.write(data)
        archive.comment = comment
    return sink.getvalue() if seekable else bytes(sink.data)


def same(found, expected):
    if expected.dtype.names:
        # What stands between fields means nothing.
        return found.dtype.names == expected.dtype.names and all(same(found[name], expected[name]) for name in found.dtype.names)
    descr = np.lib.format.dtype_to_descr
    return descr(found.dtype) == descr(expected.dtype) and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def check_arrays(url, first, count):
    for seed in range(first, first + count):
        array, _ = model.random_table(seed)
        pick = random.Random(seed)
        sink = io.BytesIO()
        if pick.random() < 0.5:
            (np.savez if pick.random() < 0.5 else np.savez_compressed)(sink, some=array)
            body = sink.getvalue()
        else:
            method = pick.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
            comment = pick.choice([b"", b"PK\5\6 a comment", b"x" * 65535])
            body = zipped({"some.npy": npy(array)}, method, pick.random() < 0.5, pick.random() < 0.5, comment)
        name = "%s/v1/datasets/z%d" % (url, seed)
        try:
            put(name, body)
            if not same(read(name), array):
                print("%d: %r instead of %r" % (seed, read(name), array))
            # What is sent is taken, as the same.
            put(name + "-back", call(name + "/data.npz"))
            if not same(read(name + "-back"), np.ascontiguousarray(array).reshape(array.shape)):
                print("%d back is %r" % (seed, read(name + "-back")))
            if array.size:
                put(name + "/data.npz", body)
        except urllib.error.HTTPError as error:
            print("%d %s: %s" % (seed, array.dtype, error.read()))


def check_members(url):
    sink = io.BytesIO()
    np.savez(sink, a=np.arange(3), b=np.arange(4.0))
    body = sink.getvalue()
    put(url + "/v1/datasets/m1", body, "?member=b")
    put(url + "/v1/datasets/m2", body, "?member=a.npy")
    if not same(read(url + "/v1/datasets/m1"), np.arange(4.0)) or not same(read(url + "/v1/datasets/m2"), np.arange(3)):
        print("members are others")
    for query in ("", "?member=c"):
        refused(url, body, 422, "unknown_field", query, members=["a", "b"])
    refused(url, zipped({}), 422, "unknown_field", "", members=[])


def refused(url, body, status, code, query="", **values):
    try:
        put(url + "/v1/datasets/refused", body, query)
        print("it is taken: %s %s" % (code, query))
    except urllib.error.HTTPError as error:
        problem = json.loads(error.read())
        if error.code != status or problem["code"] != code or any(problem.get(key) != value for key, value in values.items()):
            print("%d %r instead of %s" % (error.code, problem, code))


def check_broken(url):
    data = npy(np.arange(1000.0))
    whole = zipped({"a.npy": data})
    place = whole.index(b"PK\1\2") - 50
    refused(url, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :], 400, "bad_npy")
    stored = zipped({"a.npy": data}, zipfile.ZIP_STORED)
    place = stored.index(data) + len(data) - 9
    refused(url, stored[:place] + b"\1" + stored[place + 1 :], 400, "bad_npy")
    refused(url, zipped({"a.npy": data}, zipfile.ZIP_BZIP2), 400, "bad_npy")
    refused(url, data, 400, "bad_npy")
    refused(url, b"", 400, "bad_npy")
    refused(url, zipped({"a.npy": data[:-1]}), 422, "body_size_mismatch")
    refused(url, zipped({"a.npy": b"no array"}), 400, "bad_npy")
    # A directory that lies: what the bytes cannot become, and what they do not.
    directory = whole.index(b"PK\1\2")
    for size in (2**31, len(data) + 64, len(data) - 64):
        lie = bytearray(whole)
        lie[directory + 24 : directory + 28] = struct.pack("<I", size)
        refused(url, bytes(lie), 400, "bad_npy")


def check_hostile(url, seed, count):
    rng = random.Random(seed)
    bodies = [zipped({"a.npy": npy(np.arange(50.0)), "b.npy": npy(np.zeros(9))}, method, seekable, True)
              for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) for seekable in (True, False)]
    for i in range(count):
        body = bytearray(rng.choice(bodies))
        if rng.random() < 0.2:
            body = body[rng.randrange(len(body)) :] if rng.random() < 0.3 else body[: rng.randrange(len(body))]
        for _ in range(rng.choice([1, 1, 3])):
            if body:
                place = rng.randrange(len(body)) if rng.random() < 0.3 else -rng.randrange(1, min(len(body), 400) + 1)
                body[place] = rng.choice([0, 1, 255, body[place] ^ (1 << rng.randrange(8))])
        try:
            put(url + "/v1/datasets/hostile", bytes(body), "?overwrite=true&member=a")
            if not same(read(url + "/v1/datasets/hostile"), np.arange(50.0)):
                print("hostile %d is taken as another array" % i)
        except urllib.error.HTTPError as error:
            if error.code >= 500:
                print("hostile %d: %s" % (i, error.read()))


def main(url, first, count, flips):
    check_arrays(url, first, count)
    check_members(url)
    check_broken(url)
    check_hostile(url, first, flips)
    large = np.zeros(20_000_000, "i8")
    put(url + "/v1/datasets/large", zipped({"large.npy": npy(large)}))
    if not same(read(url + "/v1/datasets/large"), large):
        print("the large one is another")


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
