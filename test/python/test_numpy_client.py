"""The service from the side of a Python user: numpy and the standard library, nothing else."""

import io
import json
import os
import re
import subprocess
import threading
import urllib.error
import urllib.request

import numpy as np
import pytest


class Client:
    def __init__(self, url, data_dir):
        self.url, self.data_dir = url, data_dir

    def call(self, method, path, body=None, content_type="application/json"):
        data = json.dumps(body).encode() if content_type == "application/json" and body is not None else body
        headers = {"content-type": content_type} if data is not None else {}
        request = urllib.request.Request(f"{self.url}/v1{path}", data, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return answer.read()

    def array(self, path):
        return np.load(io.BytesIO(self.call("GET", path)))

    def save(self, method, path, array):
        body = io.BytesIO()
        np.save(body, array)
        return self.call(method, path, body.getvalue(), "application/x-npy")


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    data_dir = tmp_path_factory.mktemp("data")
    env = {**os.environ, "HYPERSLAB_PORT": "0", "HYPERSLAB_DATA_DIR": str(data_dir)}
    server = subprocess.Popen(["node", "dist/src/server.js"], env=env, stdout=subprocess.PIPE, text=True)
    for line in server.stdout:
        if found := re.search(r'hyperslab listens at (\S+?)"', line):
            break
    threading.Thread(target=server.stdout.read, daemon=True).start()
    yield Client(found[1], data_dir)
    server.terminate()
    assert server.wait(20) == 0


DTYPES = ["?", "i1", "<i2", ">i4", "<i8", "u1", ">u2", "<u4", "<u8", "<f2", ">f4", "<f8"]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_is_imported_reads_back_and_is_the_file_numpy_maps(client, dtype, order):
    rng = np.random.default_rng(7)
    array = np.asarray(rng.integers(0, 2 if dtype == "?" else 100, (11, 7, 5)), dtype=dtype, order=order)
    name = "import-" + re.sub(r"\W", "_", dtype) + order
    client.save("PUT", f"/datasets/{name}", array)
    for text in ["...", "3", "::-2,1:", "...,0", "None,2:9:3,-1"]:
        read = client.array(f"/datasets/{name}/data?format=npy&slice={text}")
        expected = eval(f"array[{text}]", {"array": array, "None": None})
        assert read.dtype == expected.dtype
        np.testing.assert_array_equal(read, expected)
    mapped = np.load(client.data_dir / "arrays" / f"{name}.npy", mmap_mode="r")
    np.testing.assert_array_equal(mapped, array)


def test_a_write_is_seen_by_a_process_that_maps_the_file(client):
    client.call("POST", "/datasets", {"name": "shared", "dtype": "<f8", "shape": [100, 10]})
    mapped = np.load(client.data_dir / "arrays" / "shared.npy", mmap_mode="r")
    assert mapped.sum() == 0
    client.save("PUT", "/datasets/shared/data?slice=10:20,:", np.ones((10, 10), "f4"))
    client.call("PUT", "/datasets/shared/data?slice=0", 2.5)
    assert mapped[10:20].sum() == 100 and mapped[0].sum() == 25 and mapped.sum() == 125


def test_statistics_are_those_of_numpy(client):
    array = np.random.default_rng(8).normal(1e6, 1, (1000, 37)).astype("f4")
    client.save("PUT", "/datasets/normal", array)
    exact = array.astype("f8")
    for op in ["mean", "var", "std", "min", "max", "ptp", "sum"]:
        for axis, query in [(None, ""), (0, "&axis=0"), (1, "&axis=1"), ((0, 1), "&axis=0,1")]:
            read = client.array(f"/datasets/normal/statistics?format=npy&ops={op}{query}")
            np.testing.assert_allclose(read, getattr(np, op)(exact, axis=axis), rtol=1e-9)


def test_a_refusal_says_why(client):
    with pytest.raises(urllib.error.HTTPError) as refused:
        client.save("PUT", "/datasets/shared/data?slice=0", np.zeros(11))
    problem = json.loads(refused.value.read())
    assert (refused.value.code, problem["code"]) == (422, "shape_mismatch")
