"""The Zarr view, read by the programs that it is for: zarr-python, xarray, dask and tensorstore, those that are here."""

import io
import json
import os
import subprocess
import warnings

import numpy as np
import pytest

zarr = pytest.importorskip("zarr", minversion="3")

NUMBERS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"]
#: Shape and chunks: rank 0 to 5, edges that are ragged along each axis, no elements, and the service's own chunks.
SHAPES = [
    ((), None),
    ((7,), [3]),
    ((301, 1000), None),
    ((13, 9), [4, 4]),
    ((5, 6, 7), [2, 6, 3]),
    ((3, 4, 2, 5), [2, 3, 2, 2]),
    ((2, 3, 2, 3, 4), [1, 2, 2, 2, 3]),
    ((0, 3), None),
    ((4, 0), [2, 2]),
]


def values(random, dtype, shape):
    """Bytes at random, as a dtype: every value of it, NaN of all kinds included."""
    dtype = np.dtype(dtype)
    size = int(np.prod(shape, dtype=int))
    if dtype.kind == "b":
        return random.integers(0, 2, shape).astype(dtype)
    if dtype.kind in "SU":
        return np.array([chr(65 + i % 26) * (i % 4) for i in range(size)], dtype).reshape(shape)
    return np.frombuffer(random.bytes(size * dtype.itemsize), dtype).reshape(shape).copy()


def make(client, name, array, **metadata):
    client.save("PUT", f"/datasets/{name}?overwrite=true", array)
    if metadata:
        client.call("PATCH", f"/datasets/{name}", metadata)


@pytest.fixture(scope="module")
def arrays(client):
    """Every number in some shape, order of axes and byte order; each of these with some numbers."""
    random = np.random.default_rng(13)
    made = {}
    for i, dtype in enumerate(NUMBERS):
        for turn in range(3):
            shape, chunks = SHAPES[(i * 3 + turn) % len(SHAPES)]
            array = values(random, np.dtype(dtype).newbyteorder(">" if turn == 1 else "<"), shape)
            if turn == 2:
                array = np.asfortranarray(array)
            name = f"n{i}-{turn}"
            make(client, name, array, attrs={"chunks": chunks, "note": f"é{i}"} if chunks else {"note": f"é{i}"})
            made[name] = array
    return made


@pytest.fixture
def strict():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def same(got, expected):
    got = np.asarray(got)
    native = expected.dtype.newbyteorder("=")
    assert (got.dtype, got.shape) == (native, expected.shape)
    assert got.tobytes() == expected.astype(native).tobytes()


@pytest.mark.parametrize("path", ["zarr", "zarr2"])
def test_zarr_python_reads_every_number(client, arrays, strict, path):
    group = zarr.open_consolidated(f"{client.url}/{path}/")
    assert group.metadata.zarr_format == (3 if path == "zarr" else 2)
    assert set(arrays) <= set(group.array_keys())
    for name, array in arrays.items():
        same(group[name][...], array)
        assert group[name].attrs["note"].startswith("é")
        if array.size > 0:
            assert all(length > 0 for length in group[name].chunks)
            at = tuple(length - 1 for length in array.shape)
            same(np.array(group[name][at]), np.array(array[at]))


@pytest.mark.parametrize("path", ["zarr", "zarr2"])
def test_other_dtypes_are_reached_by_their_own_path(client, strict, path):
    random = np.random.default_rng(14)
    for i, dtype in enumerate([">c8", "<c16", "<M8[s]", ">M8[25us]", "<m8[ns]", "<S3", ">U4", "V5"]):
        array = values(random, dtype, (5, 3))
        make(client, f"k{i}", array, attrs={"chunks": [2, 2]})
        same(zarr.open_array(f"{client.url}/{path}/k{i}", mode="r")[...], array)
        # It breaks no list.
        listed = f"k{i}" in zarr.open_consolidated(f"{client.url}/{path}/")
        assert listed == (path == "zarr2" or array.dtype.kind in "cMm")


@pytest.mark.parametrize("path", ["zarr", "zarr2"])
def test_a_structure_is_a_group_of_its_fields(client, strict, path):
    dtype = np.dtype([("a/b", ">f4"), ("pos", "<i2", (3,)), ("in", [("..", "?"), ("t", "<M8[s]")]), ("__x", "U3")])
    array = values(np.random.default_rng(15), "V" + str(dtype.itemsize), (9,)).view(dtype)
    array["in"][".."] = array["pos"][:, 0] % 2 == 0
    array["__x"] = [chr(97 + i) for i in range(9)]
    make(client, "table", array, attrs={"chunks": [4], "by": "us"}, dims=["row"])
    group = zarr.open_group(f"{client.url}/{path}/table", mode="r")
    assert dict(group.attrs) == {"chunks": [4], "by": "us"}
    same(group["a%2Fb"][...], array["a/b"])
    same(group["pos"][...], array["pos"])
    assert group["pos"].chunks == (4, 3)
    same(group["in"]["t"][...], array["in"]["t"])
    same(zarr.open_array(f"{client.url}/{path}/table/%5F_x", mode="r")[...], array["__x"])


@pytest.fixture(scope="module")
def weather(client):
    random = np.random.default_rng(16)
    array = random.standard_normal((50, 8, 30)).astype(">f4")
    array[3, 2, 1] = np.nan
    make(client, "temp", array, dims=["day", "place", "hour"], attrs={"units": "K", "chunks": [16, 8, 7]})
    days = np.arange("2026-01-01", "2026-02-20", dtype="M8[D]").astype("M8[ns]")
    make(client, "day", days, attrs={"long_name": "date"})
    make(client, "place", np.arange(8) * 10)
    # It does not fit, and is left out.
    make(client, "hour", np.arange(31))
    return array, days


@pytest.mark.parametrize("path", ["zarr", "zarr2"])
def test_xarray_has_dims_coordinates_and_attrs(client, weather, strict, path):
    xarray, _ = pytest.importorskip("xarray"), pytest.importorskip("dask")
    array, days = weather
    data = xarray.open_zarr(f"{client.url}/{path}/~temp/", consolidated=True)
    assert set(data.variables) == {"temp", "day", "place"} and set(data.coords) == {"day", "place"}
    assert data.temp.dims == ("day", "place", "hour")
    assert data.temp.attrs["units"] == "K" and data.day.attrs == {"long_name": "date"}
    assert data.temp.data.chunksize == (16, 8, 7)
    same(data.temp.values, array)
    np.testing.assert_array_equal(data.day.values, days)
    picked = data.temp.sel(day="2026-01-04", place=20).isel(hour=slice(5, 9))
    np.testing.assert_array_equal(picked.values, array[3, 2, 5:9])
    np.testing.assert_allclose(data.temp.mean("day", skipna=False).values, array.mean(axis=0), rtol=1e-4)


def test_xarray_sees_the_fields_of_a_structure(client, strict):
    xarray, _ = pytest.importorskip("xarray"), pytest.importorskip("dask")
    array = np.zeros(6, [("time", "<M8[s]"), ("wind", "<f8"), ("at", "<i4", (2,))])
    array["time"] = np.datetime64("2026-03-01T00:00:00") + np.arange(6) * np.timedelta64(1, "h")
    array["wind"] = np.arange(6) / 4
    array["at"] = np.arange(12).reshape(6, 2)
    make(client, "mast", array, dims=["time"], attrs={"title": "a mast"})
    for path in ["zarr", "zarr2"]:
        data = xarray.open_zarr(f"{client.url}/{path}/~mast", consolidated=True)
        assert data.attrs["title"] == "a mast" and list(data.coords) == ["time"]
        assert data.at.dims == ("time", "at_0")
        assert float(data.wind.sel(time="2026-03-01T03:00")) == 0.75
        same(data["at"].values, array["at"])


@pytest.mark.parametrize("path", ["zarr", "zarr2"])
def test_dask_computes_over_it(client, arrays, weather, strict, path):
    dask = pytest.importorskip("dask.array")
    read = dask.from_zarr(f"{client.url}/{path}/temp")
    np.testing.assert_allclose(read[:, 1:].sum(axis=1).compute(), weather[0][:, 1:].sum(axis=1), rtol=1e-4)


@pytest.mark.parametrize("driver, path", [("zarr3", "zarr"), ("zarr", "zarr2")])
def test_tensorstore_reads_every_number(client, arrays, driver, path):
    tensorstore = pytest.importorskip("tensorstore")
    for name, array in arrays.items():
        spec = {"driver": driver, "kvstore": {"driver": "http", "base_url": f"{client.url}/{path}/{name}/"}}
        read = tensorstore.open(spec, open=True, read=True).result()
        same(read.read().result(), array)
    complex_ = values(np.random.default_rng(17), ">c16", (5, 3))
    make(client, "complex", complex_, attrs={"chunks": [2, 2]}, dims=["y", "x"])
    spec = {"driver": driver, "kvstore": {"driver": "http", "base_url": f"{client.url}/{path}/complex/"}}
    read = tensorstore.open(spec, open=True, read=True).result()
    same(read.read().result(), complex_)
    if driver == "zarr3":
        assert read.domain.labels == ("y", "x")


def test_the_far_corner_of_5_gib(client, strict):
    shape = (5 * 1024, 1024, 1024)
    client.call("POST", "/datasets", {"name": "far", "dtype": "u1", "shape": shape, "sparse": True})
    client.call("PUT", "/datasets/far/data?slice=-1,-3:,-2:", [[1, 2], [3, 4], [5, 6]])
    for path in ["zarr", "zarr2"]:
        read = zarr.open_array(f"{client.url}/{path}/far", mode="r")
        assert read.shape == shape
        assert read[-1, -4:, -2:].tolist() == [[0, 0], [1, 2], [3, 4], [5, 6]]


def test_a_chunk_that_fails_is_an_error_and_never_zeros(client):
    file = client.files / "cut.npy"
    np.save(file, np.ones((4, 5)))
    client.call("POST", "/datasets", {"name": "cut", "path": "cut.npy"})
    read = {path: zarr.open_array(f"{client.url}/{path}/cut", mode="r") for path in ["zarr", "zarr2"]}
    os.truncate(file, 200)
    for array in read.values():
        with pytest.raises(Exception):
            array[...]


#: zarr-python 2, as Debian has it, or wherever the variable says.
OLD = os.environ.get("HYPERSLAB_TEST_OLD_ZARR", "/usr/bin/python3")
OLD_SCRIPT = """
import json, sys, warnings
import fsspec, numpy, zarr
assert zarr.__version__.startswith("2."), zarr.__version__
warnings.simplefilter("error")
url, names = sys.argv[1], json.loads(sys.argv[2])
group = zarr.open_consolidated(fsspec.get_mapper(url), mode="r")
for name in names:
    read = group[name]
    numpy.save(sys.stdout.buffer, read[...])
"""


def has_old_zarr():
    check = "import fsspec, requests, aiohttp, zarr; assert zarr.__version__.startswith('2.')"
    try:
        return subprocess.run([OLD, "-c", check], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


@pytest.mark.skipif(not has_old_zarr(), reason=f"{OLD} has no zarr-python 2")
def test_zarr_python_2_reads_every_number(client, arrays):
    names = list(arrays)
    run = subprocess.run(
        [OLD, "-c", OLD_SCRIPT, f"{client.url}/zarr2/", json.dumps(names)], capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr.decode()


    stream = io.BytesIO(run.stdout)
    for name in names:
        same(np.load(stream), arrays[name])


OLD_HOLE = """
import os, sys
import fsspec, numpy, zarr
read = zarr.open_array(fsspec.get_mapper(sys.argv[1]), mode="r")
assert read[...].tolist() == [[1.0] * 5] * 4
os.truncate(sys.argv[2], 200)
assert numpy.isnan(read[...]).all()
"""


@pytest.mark.skipif(not has_old_zarr(), reason=f"{OLD} has no zarr-python 2")
def test_a_chunk_that_fails_is_a_hole_of_nan_for_zarr_python_2(client):
    file = client.files / "hole.npy"
    np.save(file, np.ones((4, 5)))
    client.call("POST", "/datasets", {"name": "hole", "path": "hole.npy"})
    run = subprocess.run(
        [OLD, "-c", OLD_HOLE, f"{client.url}/zarr2/hole", str(file)], capture_output=True, check=False
    )
    assert run.returncode == 0, run.stderr.decode()
