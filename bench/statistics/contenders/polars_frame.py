"""polars over the same mapped pages, lent to it through Arrow without a copy."""
import os

from pipe import BINS, COLUMNS, CONDITION, KEY, QUANTILES, THREADS, VALUE, big, edges, keys, part, serve

os.environ["POLARS_MAX_THREADS"] = str(THREADS)
import polars as pl  # noqa: E402
import pyarrow as pa  # noqa: E402

EDGES = edges().astype("f8")


def lent(array, arrow_type):
    return pl.from_arrow(pa.Array.from_buffers(arrow_type, array.size, [None, pa.py_buffer(array)]))


flat = lent(big.reshape(-1), pa.float32())
values = pl.DataFrame({"k": lent(keys, pa.int32()), "v": lent(part, pa.float32())})
v = pl.col("v")
wide = v.cast(pl.Float64)


def stream(*asked, frame=flat.to_frame("v").lazy()):
    return frame.select(*asked).collect(engine="streaming").row(0)


def column(i):
    return pl.Series(big[:, i])


def histogram():
    """Its bins are open on the left, so that those of the negated values are numpy's, backwards."""
    counts = (-flat).hist((-EDGES[::-1]).tolist(), include_category=False, include_breakpoint=False)
    return counts.to_series().to_list()[::-1]


def grouped_mean():
    frame = pl.DataFrame({"k": column(KEY), "c": column(CONDITION), "v": column(VALUE)})
    groups = frame.lazy().filter(pl.col("c") > 0.5).group_by("k").agg(wide.mean()).sort("k")
    return groups.collect()["v"].to_list()


serve({
    "sum": lambda: stream(wide.sum())[0],
    "mean": lambda: flat.mean(),  # in float64, unlike its sum
    "minmax": lambda: stream(v.min().alias("low"), v.max().alias("high")),
    "std": lambda: stream(wide.std(ddof=0))[0],
    "moments": lambda: stream(wide.mean(), wide.std(ddof=0).alias("std"), v.min().alias("low"), v.max().alias("high")),
    "histogram": histogram,
    "median_25m": lambda: values["v"].median(),
    "median_250m": lambda: flat.median(),
    "quantiles_25m": lambda: [values["v"].quantile(q, "linear") for q in QUANTILES],
    "quantiles_250m": lambda: [flat.quantile(q, "linear") for q in QUANTILES],
    "grouped_mean": grouped_mean,
    "grouped_median": lambda: values.lazy().group_by("k").agg(v.median()).sort("k").collect()["v"].to_list(),
})
