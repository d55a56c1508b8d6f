"""The catalog, errors, conversions of values, numpy's functions, dask, pickles, asyncio."""

import asyncio
import concurrent.futures
import pickle

import numpy as np
import pytest

import hyperslab
import hyperslab.aio


def test_a_client_is_a_mapping(client):
    a = client.create("mapped.1", np.arange(6).reshape(2, 3), attrs={"unit": "m"}, dims=["y", "x"])
    assert "mapped.1" in client and "nowhere" not in client and 3 not in client
    assert "mapped.1" in list(client) and len(client) == len(client.names())
    assert client.names(prefix="mapped") == ["mapped.1"]
    assert (a.shape, a.ndim, a.size, a.nbytes, a.dims, a.attrs) == ((2, 3), 2, 6, 48, ("y", "x"), {"unit": "m"})
    a.update(attrs={"unit": None, "scale": 2})
    assert client["mapped.1"].attrs == {"scale": 2}
    with pytest.raises(KeyError) as missing:
        client["nowhere"]
    assert (missing.value.code, missing.value.status) == ("unknown_dataset", 404)
    assert missing.value.values == {"dataset": "nowhere"} and "nowhere" in missing.value.detail
    client.delete("mapped.1", data="delete")
    assert "mapped.1" not in client


@pytest.mark.parametrize("order", ["C", "F"])
def test_arrays_are_made_and_imported(client, server, order):
    array = np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order)
    made = client.create(f"made-{order}", array)
    put = client.put(f"put-{order}", array)
    for a in [made, put]:
        np.testing.assert_array_equal(a[...], array)
        mapped = np.load(server.data_dir / "arrays" / f"{a.name}.npy", mmap_mode="r")
        assert mapped.flags.f_contiguous == array.flags.f_contiguous
    with pytest.raises(hyperslab.Conflict):
        client.put(f"put-{order}", array)
    assert client.put(f"put-{order}", array[0], overwrite=True).shape == (3, 4)
    filled = client.create(f"filled-{order}", (2, 3), "i2", fill=7, order=order)
    assert filled.sum() == 42 and filled.dtype == np.int16
    assert client.create(f"line-{order}", 5).shape == (5,)


def test_every_dtype_comes_and_goes(client):
    struct = np.dtype({"names": ["a", "b"], "formats": ["<i4", ("<f8", (2,))], "offsets": [8, 16], "itemsize": 40})
    for i, dtype in enumerate(
        ["?", ">u2", "<f2", "<c8", ">c16", "<M8[ns]", ">m8[D]", "<M8", "S5", "<U3", "V7", struct]
    ):
        array = np.zeros((3, 2), dtype)
        array.view(np.uint8)[..., 0] = 1
        a = client.create(f"dtype-{i}", array)
        assert a.dtype == array.dtype
        got = a[...]
        assert got.dtype == array.dtype
        for name in array.dtype.names or [...]:
            assert got[name].tobytes() == array[name].tobytes()
        a[0] = array[1]
        assert got.flags.writeable


def test_a_file_is_registered_where_it_lies(client, server):
    array = np.arange(10, dtype=">f4")
    array.tofile(server.files / "lying.dat")
    a = client.register("lying", "lying.dat", dtype=">f4", shape=[10], mode="r+")
    a[2] = 8
    a.flush()
    assert np.memmap(server.files / "lying.dat", ">f4", "r")[2] == 8
    private = client.register("private", "lying.dat", dtype=">f4", shape=[10], mode="c")
    private[0] = 5
    assert private[0] == 5 and a[0] == 0
    private.discard()
    assert private[0] == 0
    readonly = client.register("readonly", "lying.dat", dtype=">f4", shape=[10], mode="r")
    with pytest.raises(hyperslab.AccessRefused) as refused:
        readonly[0] = 1
    assert refused.value.code == "read_only"


def test_what_would_be_lost_is_refused(client):
    ints = client.create("ints", (3,), "i1")
    ints[0] = 2.0
    ints[1] = np.float32(3)
    ints[2] = True
    assert ints[:].tolist() == [2, 3, 1]
    for value in [1.5, 128, 10**30, "a", [1, 2, 300], np.array([0.5, 1, 2]), 1j, np.nan]:
        with pytest.raises((ValueError, TypeError)):
            ints[:] = value
    assert ints[:].tolist() == [2, 3, 1]
    floats = client.create("floats", (2,), "f4")
    floats[:] = [0.1, 1e-50]
    np.testing.assert_array_equal(floats[:], np.array([0.1, 1e-50], "f4"))
    with pytest.raises(hyperslab.WouldLose):
        floats[0] = 1e300
    bools = client.create("bools", (2,), "?")
    bools[:] = [1, 0]
    with pytest.raises(ValueError):
        bools[0] = 2
    dates = client.create("dates", (2,), "M8[D]")
    dates[0] = "2024-02-29"
    dates[1] = np.datetime64("2024-03-01T00:00")
    assert dates[:].tolist() == [np.datetime64("2024-02-29").item(), np.datetime64("2024-03-01").item()]
    with pytest.raises(hyperslab.WouldLose):
        dates[0] = "2024-02-29T12:00"
    texts = client.create("texts", (2,), "S3")
    texts[:] = ["ab", b"c"]
    with pytest.raises(hyperslab.WouldLose):
        texts[0] = "long"
    assert texts[:].tolist() == [b"ab", b"c"]


def test_sums_beyond_64_bits_are_python_integers(client):
    a = client.create("wide", np.full((3, 2), 2**63, np.uint64))
    assert a.sum() == 6 * 2**63 and type(a.sum()) is int
    assert a.sum(axis=0).tolist() == [3 * 2**63] * 2
    assert type(client.create("narrow", np.ones(3, "i4")).sum()) is np.int64


def test_exceptions_are_those_that_numpy_raises(client):
    a = client.create("refusing", np.zeros((4, 5)))
    for key in [4, (0, 9), (0, 0, 0), 1.5, "x", [9], (..., ...), np.zeros(3, bool)]:
        with pytest.raises((IndexError, KeyError)):
            a[key]
    with pytest.raises(ValueError):
        a[::0]
    with pytest.raises(ValueError):
        a[0] = [1, 2]
    with pytest.raises(np.exceptions.AxisError.__bases__):
        a.mean(axis=2)
    with pytest.raises(ValueError):
        a.min(key=np.s_[:0])
    with pytest.raises(hyperslab.HyperslabError) as refused:
        a[4]
    assert refused.value.code == "index_out_of_bounds" and refused.value.status == 422
    again = pickle.loads(pickle.dumps(refused.value))
    assert type(again) is type(refused.value) and again.values == refused.value.values


def test_functions_of_numpy_are_computed_by_the_service(client, monkeypatch):
    array = np.random.default_rng(5).normal(size=(30, 4))
    array[3, 2] = np.nan
    a = client.create("dispatched", array)
    whole = []
    monkeypatch.setattr(hyperslab.RemoteArray, "__array__", lambda self, *args, **kwargs: whole.append(1) or array)
    for function in [np.mean, np.nanmean, np.nanmax, np.nanstd, np.nanmedian, np.sum, np.any, np.nanargmin]:
        np.testing.assert_allclose(function(a), function(array))
        np.testing.assert_allclose(function(a, axis=1), function(array, axis=1))
    np.testing.assert_allclose(np.nanpercentile(a, [[5, 50]], axis=0), np.nanpercentile(array, [[5, 50]], axis=0))
    out = np.zeros(4)
    assert np.nansum(a, axis=0, out=out) is out and out[0] == pytest.approx(array[:, 0].sum())
    assert np.shape(a) == (30, 4) and np.ndim(a) == 2 and np.size(a) == 120
    assert np.result_type(a, np.float32) == np.float64
    assert whole == []
    # What the service does not have is numpy's.
    np.testing.assert_array_equal(np.concatenate([a, a]), np.concatenate([array, array]))
    np.testing.assert_array_equal(np.sort(a, axis=0), np.sort(array, axis=0))
    np.testing.assert_array_equal(np.add(a, 1), array + 1)
    assert whole


def test_large_selections_go_in_pieces(server):
    array = np.random.default_rng(6).integers(0, 1000, (300, 40, 5))
    with hyperslab.connect(server.url, read_bytes=30000, write_bytes=30000, progress=False) as client:
        a = client.create("pieces", array)
        for key in [..., np.s_[::-2, 3:30], np.s_[:, None, 7], np.s_[-1], np.s_[:, ::-1, 2]]:
            np.testing.assert_array_equal(a[key], array[key])
        for key in [array[..., 0] > 500, array > 700, array[:, 0, 0] > 300, np.arange(-300, 300, 3), [5] * 50]:
            np.testing.assert_array_equal(a[key], array[key])
        out = np.empty((2, 300, 5), array.dtype)
        a.read_into(out[1], np.s_[:, 4])
        np.testing.assert_array_equal(out[1], array[:, 4])
        for key, value in [
            (np.s_[::-2], np.arange(5)),
            (np.s_[:, 3:9], np.arange(300 * 6 * 5).reshape(300, 6, 5)),
            (np.s_[10:200], -1),
            (array[..., 0] > 500, 7),
            (array[:, 0, 0] > 300, array[array[:, 0, 0] > 300] + 1),
            ([*range(100), 3, 3], np.arange(102)[:, None, None]),
        ]:
            a[key] = value
            array[key] = value
            np.testing.assert_array_equal(a[...], array)
        with pytest.raises(hyperslab.ShapeMismatch):
            a[...] = np.zeros((2, 40, 5))
        np.testing.assert_array_equal(np.stack(list(a)), array)
        assert a.read(np.s_[:100], dtype="f4", casting="same_kind").dtype == np.float32


def test_dask_computes_on_it(client):
    dask_array = pytest.importorskip("dask.array")
    array = np.random.default_rng(7).normal(size=(100, 30))
    a = client.create("dasked", array)
    lazy = dask_array.from_array(a, chunks=(25, 10))
    assert (lazy.shape, lazy.dtype) == (array.shape, array.dtype)
    np.testing.assert_allclose((lazy.T + 1).sum(axis=0).compute(), (array.T + 1).sum(axis=0))
    np.testing.assert_array_equal(dask_array.from_array(a)[::3, [1, 5]].compute(), array[::3, [1, 5]])
    # What goes to other processes is pickled.
    assert pickle.loads(pickle.dumps(lazy)).sum().compute() == pytest.approx(array.sum())
    assert dask_array.from_array(a).name == dask_array.from_array(client["dasked"]).name
    stored = client.create("stored", array.shape)
    dask_array.store(lazy * 2, stored, lock=False)
    np.testing.assert_array_equal(stored[...], array * 2)


def test_xarray_opens_it_with_its_coordinates(client, server):
    for package in ["xarray", "zarr", "aiohttp"]:
        pytest.importorskip(package)
    array = np.arange(12.0).reshape(3, 4)
    a = client.create("opened", array, dims=["day", "station"], attrs={"unit": "K"})
    client.create("day", np.arange(3) + 10)
    opened = a.to_xarray()
    assert opened.dims == ("day", "station") and opened.attrs["unit"] == "K"
    np.testing.assert_array_equal(opened.sel(day=11).values, array[1])
    np.testing.assert_allclose(opened.mean("day").compute(), array.mean(axis=0))


def test_arrays_are_pickled_and_opened_by_address(client, server):
    a = client.create("addressed", np.arange(5), overwrite=True)
    assert pickle.loads(pickle.dumps(a))[3] == 3
    assert hyperslab.open_array(f"{server.url}/v1/datasets/addressed")[4] == 4
    for wrong in ["addressed", f"{server.url}/addressed"]:
        with pytest.raises(ValueError):
            hyperslab.open_array(wrong)
    with pytest.raises(ValueError):
        hyperslab.connect("127.0.0.1:8080")


def test_the_same_with_asyncio(server):
    array = np.random.default_rng(8).normal(size=(60, 7))

    async def script():
        async with hyperslab.aio.connect(server.url, read_bytes=1000, write_bytes=900) as client:
            a = await client.create("async", array, overwrite=True, dims=["y", "x"])
            assert await client.has("async") and "async" in await client.names()
            parts = await asyncio.gather(a[3], a[[5, 1]], a.mean(axis="y"), a.oindex[[1, 2], [0, 3]], a[...])
            for got, expected in zip(
                parts, [array[3], array[[5, 1]], array.mean(axis=0), array[1:3, [0, 3]], array], strict=True
            ):
                np.testing.assert_allclose(got, expected)
            await a.write(np.s_[:, 2], 5)
            await a.write(..., array * 2)
            np.testing.assert_array_equal(await a.read(), array * 2)
            keep = array[:, 0] > 0
            np.testing.assert_array_equal(await a.where(hyperslab.column(0) > 0).read(), array[keep] * 2)
            assert (await a.where(hyperslab.column(0) > 0).max()) == array[keep].max() * 2
            groups = await a.groupby(hyperslab.column(0).bins([-99, 0, 99])).count()
            assert groups.counts.sum() == array.size
            assert (await a.coarsen(30, 7).max()).shape == (2, 1)
            assert (await client.read([(a, 0), ("async", np.s_[:2, 1])]))[1].shape == (2,)
            with pytest.raises(IndexError):
                await a[60]
            with pytest.raises(KeyError):
                await client.open("nowhere")
            assert await a.append(array[:2]) == (62, 7)
            np.testing.assert_array_equal(await a[60:], array[:2])
            await a.flush()
            await client.delete("async")

    asyncio.run(script())


def test_the_twins_have_the_same_methods():
    for one, other in [
        (hyperslab.RemoteArray, hyperslab.aio.AsyncArray),
        (hyperslab.Client, hyperslab.aio.AsyncClient),
    ]:
        ours = {name for name in vars(one) if not name.startswith("_")}
        theirs = {name for name in vars(other) if not name.startswith("_")}
        # xarray has no form that is awaited.
        assert ours - {"to_xarray"} <= theirs, ours - theirs


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">i2", "<M8[s]", "S3", [("t", "<M8[ms]"), ("v", "<f8")]])
def test_rows_are_appended(client, order, dtype):
    """The array is what np.concatenate makes of the rows, along the axis that grows."""
    random = np.random.default_rng(11)
    axis = 0 if order == "C" else 2

    def rows(count):
        shape = (count, 2, 3) if order == "C" else (2, 3, count)
        made = np.zeros(shape, dtype)
        made.view(np.uint8)[...] = random.integers(65, 70, made.view(np.uint8).shape, np.uint8)
        return made

    name = f"grows-{order}-{np.dtype(dtype).kind}"
    expected = rows(2)
    a = client.create(name, np.asarray(expected, order=order))
    other = client[name]
    for count in [3, 0, 1, 70]:
        added = rows(count)
        expected = np.concatenate([expected, added], axis=axis)
        # A stretch whose end another writer has moved is no trouble without `at`.
        assert (a, other)[count % 2].append(added) == expected.shape
    single = rows(1).take(0, axis)
    expected = np.concatenate([expected, np.expand_dims(single, axis)], axis=axis)
    assert a.append(single) == expected.shape == a.shape
    a.refresh()
    assert a[...].tobytes() == expected.astype(dtype).tobytes()
    with pytest.raises(hyperslab.Moved) as moved:
        a.append(single, at=5)
    assert moved.value.values["length"] == expected.shape[axis]
    assert a.append(single, at=expected.shape[axis])[axis] == expected.shape[axis] + 1


def test_what_cannot_be_appended_is_refused(client):
    a = client.create("refuses", np.zeros((2, 3), [("x", "i2"), ("y", "f4")]))
    with pytest.raises(hyperslab.BadValue, match="not one field"):
        a["x"].append([1, 2, 3])
    with pytest.raises(hyperslab.WouldLose):
        client.create("refuses-2", np.zeros((2, 3), "u1")).append([1, 2, 300])
    with pytest.raises(hyperslab.ShapeMismatch):
        client["refuses-2"].append([[1, 2]])
    assert client["refuses"].shape == client["refuses-2"].shape == (2, 3)


def test_many_writers_append_every_row_once(client):
    client.create("together", np.zeros((0, 2), "i4"))

    def work(number):
        own = client["together"]
        return [own.append(np.full((1 + i % 3, 2), 100 * number + i)) for i in range(12)]

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        ends = [end for ends in pool.map(work, range(4)) for end in ends]
    got = client["together"][:, 0]
    assert len(set(ends)) == 48 and max(ends)[0] == len(got)
    values, counts = np.unique(got, return_counts=True)
    assert counts.tolist() == [1 + value % 100 % 3 for value in values] and len(values) == 48
