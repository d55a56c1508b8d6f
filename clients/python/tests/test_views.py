"""Filters, groups, blocks, fields, batches: against numpy and pandas."""

import numpy as np
import pytest

import hyperslab
from hyperslab import column, dataset, element, field, rows


@pytest.fixture(scope="module")
def table(client):
    rng = np.random.default_rng(3)
    array = rng.normal(size=(500, 4))
    array[:, 0] = rng.integers(0, 5, 500)
    return array, client.create("table", array, attrs={"columns": ["k", "x", "y", "z"]}, dims=["row", "what"])


@pytest.fixture(scope="module")
def log(client):
    dtype = [("time", "<M8[s]"), ("city", "<U5"), ("level", "<f4", (2,)), ("tag", [("a", "u1"), ("b", ">i2")])]
    array = np.zeros(50, dtype)
    array["time"] = np.datetime64("2024-01-01T00:00:00") + np.arange(50) * np.timedelta64(7, "h")
    array["city"] = np.array(["Oslo", "Wien", "Bern"])[np.arange(50) % 3]
    array["level"] = np.arange(100).reshape(50, 2)
    array["tag"]["b"] = np.arange(50) * -3
    return array, client.create("log", array)


def test_filters_keep_rows(table):
    array, a = table
    keep = (array[:, 1] > 0) & ~np.isin(array[:, 0], [1, 3])
    condition = (column(1) > 0) & ~column("k").isin([1, 3])
    np.testing.assert_array_equal(a.where(condition).read(), array[keep])
    np.testing.assert_array_equal(a.where(condition)[:, 2:], array[keep][:, 2:])
    np.testing.assert_array_equal(a.where(condition).read(limit=3), array[keep][:3])
    np.testing.assert_array_equal(a.where(condition).indices(), np.flatnonzero(keep))
    np.testing.assert_array_equal(np.asarray(a.where(condition)), array[keep])
    assert a.where(condition).count() == keep.sum()
    np.testing.assert_allclose(a.where(condition).mean(axis=0), array[keep].mean(axis=0))
    np.testing.assert_allclose(a.std(axis="row", where=condition, ddof=1), array[keep].std(axis=0, ddof=1))
    np.testing.assert_allclose(a.quantile([0.1, 0.9], where=condition.json), np.quantile(array[keep], [0.1, 0.9]))
    counts, edges = a.histogram(7, where=condition, density=True)
    expected = np.histogram(array[keep], 7, density=True)
    np.testing.assert_allclose(counts, expected[0])
    np.testing.assert_allclose(edges, expected[1])


def test_masks_are_sent(table):
    array, a = table
    mask = array > 0.3
    for name in ["sum", "mean", "var", "std", "any", "all"]:
        np.testing.assert_allclose(getattr(a, name)(where=mask), getattr(array, name)(where=mask))
        np.testing.assert_allclose(getattr(a, name)(axis=0, where=mask), getattr(array, name)(axis=0, where=mask))
    assert a.max(where=mask) == array[mask].max() and a.median(where=mask) == np.median(array[mask])
    np.testing.assert_array_equal(a.min(axis=1, where=mask), array.min(axis=1, where=mask, initial=np.inf))
    row_mask = mask[:, :1]
    np.testing.assert_allclose(a.mean(axis=1, where=row_mask | True), array.mean(axis=1))
    with pytest.raises(ValueError):
        a.sum(where=[1, 0, 2, 3])


def test_filters_compare_what_numpy_compares(client):
    numbers = np.arange(20) % 7
    a = client.create("numbers", numbers)
    client.create("codes", np.array([2, 5]))
    client.create("other", np.arange(20) / 2)
    for condition, keep in [
        (element == 3, numbers == 3),
        (element != 3, numbers != 3),
        (element <= np.int16(3), numbers <= 3),
        (element.between(2, 4), (numbers >= 2) & (numbers <= 4)),
        ((element < 1) | (element > 5), (numbers < 1) | (numbers > 5)),
        (element.isin(dataset("codes")), np.isin(numbers, [2, 5])),
        (dataset("other") >= 8, np.arange(20) / 2 >= 8),
        (~element.isnan(), numbers >= 0),
    ]:
        np.testing.assert_array_equal(a.where(condition).read(), numbers[keep])
    with pytest.raises(TypeError, match="&"):
        bool(element > 1)
    a.where(element == 3).write(30)
    assert (a[...] == np.where(numbers == 3, 30, numbers)).all()


def test_groups_are_those_of_pandas(table):
    pandas = pytest.importorskip("pandas")
    array, a = table
    frame = pandas.DataFrame(array, columns=["k", "x", "y", "z"])
    groups = a.groupby("k").agg("mean", "max", "std", axis=0, ddof=1)
    expected = frame.groupby("k")
    assert groups.keys == sorted(set(array[:, 0]))
    np.testing.assert_array_equal(groups.counts, expected.size())
    np.testing.assert_allclose(groups["mean"][:, 1:], expected.mean())
    np.testing.assert_allclose(groups["std"][:, 1:], expected.std())
    np.testing.assert_allclose(a["x"].groupby(dataset("table", "k")).median()["median"], expected.x.median())
    binned = a.groupby(column(1).bins([-1, 0, 1]), where=column(0) < 3).mean(axis=0)
    kept = frame[frame.k < 3]
    expected = kept.groupby(pandas.cut(kept.x, [-1, 0, 1], right=False), observed=True).mean()
    np.testing.assert_allclose(binned["mean"], expected)
    by_two = a.groupby(["k", column("x").bins([-9, 0, 9])]).count()
    assert len(by_two) == 10 and by_two.to_pandas()["count"].sum() == 500 * 4
    np.testing.assert_allclose(a.groupby(rows(100)).sum(axis=0)["sum"], array.reshape(5, 100, 4).sum(axis=1))


def test_dates_are_dates(log):
    array, a = log
    assert a["time"].min() == array["time"].min() and a["time"].min().dtype == array["time"].dtype
    days = a["time"].groupby(field("time").every("1d")).agg("min", "count")
    assert days["min"].dtype == np.dtype("M8[s]")
    first = [
        array["time"][array["time"].astype("M8[D]") == day].min() for day in np.unique(array["time"].astype("M8[D]"))
    ]
    np.testing.assert_array_equal(days["min"], first)
    since = a.where(field("time") >= np.datetime64("2024-01-10"))
    np.testing.assert_array_equal(since.read(), array[array["time"] >= np.datetime64("2024-01-10")])


def test_fields_are_arrays(log):
    array, a = log
    for name in ["time", "city", "level"]:
        assert (a[name].dtype, a[name].shape) == (array[name].dtype, array[name].shape)
        np.testing.assert_array_equal(a[name][3:9], array[name][3:9])
        np.testing.assert_array_equal(a[name][[4, 2]], array[name][[4, 2]])
    np.testing.assert_array_equal(a["tag"]["b"][:], array["tag"]["b"])
    np.testing.assert_array_equal(a["tag.b"][:], array["tag"]["b"])
    several = a[["city", "time"]]
    assert several.dtype == np.dtype([("city", "<U5"), ("time", "<M8[s]")])
    assert several[1].tolist() == (array["city"][1], array["time"][1].tolist())
    assert a[0] == array[0] and isinstance(a[0], np.void)
    np.testing.assert_allclose(a["level"].mean(axis=0), array["level"].mean(axis=0))
    a["level"][3] = [7, 8]
    a[4] = (np.datetime64("2030-01-01"), "Rom", (1.5, 2), (3, -4))
    assert a[3]["level"].tolist() == [7, 8] and (a[4]["city"], a[4]["tag"].tolist()) == ("Rom", (3, -4))
    array[3:5] = a[3:5]
    with pytest.raises(KeyError):
        a["nowhere"]
    for lost in [(0, "too long", (1, 2), (3, 4)), (0, "Rom", (1, 2), (300, 4))]:
        with pytest.raises(ValueError):
            a[5] = lost


def test_blocks(table):
    array, a = table
    np.testing.assert_allclose(a.coarsen(50, 2).mean(), array.reshape(10, 50, 2, 2).mean(axis=(1, 3)))
    np.testing.assert_allclose(a.coarsen(50, key=np.s_[:, 1]).max(), array[:, 1].reshape(10, 50).max(axis=1))
    pairs = a.coarsen(100, 4).minmax()
    assert pairs.shape == (5, 1, 2) and pairs[..., 1].max() == array.max()


def test_many_reads_are_one_call(client, table, log):
    array, a = table
    read = client.read([("table", np.s_[3:5, 1]), (a, [7, 7, -1]), (log[1]["city"], ...), (a, (0, 0))])
    for got, expected in zip(read, [array[3:5, 1], array[[7, 7, -1]], log[0]["city"], array[0, 0]], strict=True):
        np.testing.assert_array_equal(got, expected)
        assert np.shape(got) == np.shape(expected)
    assert a.read_many([np.s_[:2], 5])[1].tolist() == array[5].tolist()
    assert a.read_many([]) == []
    mean, fault = client.statistics([{"dataset": "table", "ops": ["mean"]}, {"dataset": "nowhere", "ops": ["mean"]}])
    assert mean["results"]["mean"] == pytest.approx(array.mean())
    assert isinstance(fault, hyperslab.NotFound)


def test_several_statistics_are_one_pass(table):
    array, a = table
    found = a.statistics("min", "std", {"quantile": {"q": [0.25, 0.5]}}, axis=0, ddof=1, key=np.s_[10:60])
    np.testing.assert_array_equal(found["min"], array[10:60].min(axis=0))
    np.testing.assert_allclose(found["std"], array[10:60].std(axis=0, ddof=1))
    np.testing.assert_allclose(found["quantile"], np.quantile(array[10:60], [0.25, 0.5], axis=0))


def test_orthogonal_and_vectorized(table, client):
    array, a = table
    np.testing.assert_array_equal(a.oindex[[5, 0], [True, False, False, True]], array[np.ix_([5, 0], [0, 3])])
    np.testing.assert_array_equal(a.vindex[[5, 0], [1, 2]], array[[5, 0], [1, 2]])
    b = client.create("crossed", np.zeros((4, 5)))
    b.oindex[[0, 2], [1, 3]] = [[1, 2], [3, 4]]
    expected = np.zeros((4, 5))
    expected[np.ix_([0, 2], [1, 3])] = [[1, 2], [3, 4]]
    np.testing.assert_array_equal(b[:], expected)
    mask = client.create("mask", expected > 2)
    np.testing.assert_array_equal(b[mask], [3, 4])
    b[mask] = 9
    assert b.max() == 9 and (b[:] == 9).sum() == 2
