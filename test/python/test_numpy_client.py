"""The service from the side of a Python user: numpy and the standard library, nothing else."""

import json
import re
import urllib.error

import numpy as np
import pytest


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
