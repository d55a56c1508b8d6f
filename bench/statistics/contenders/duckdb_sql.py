"""DuckDB over the same mapped pages, lent to it through Arrow without a copy, cut into batches that threads share."""
import duckdb
import pyarrow as pa

from pipe import CONDITION, KEY, QUANTILES, THREADS, VALUE, big, edges, keys, part, serve

BATCH = 1_000_000
EDGES = edges().astype("f8")
db = duckdb.connect(config={"threads": THREADS})


def lent(array, arrow_type):
    return pa.Array.from_buffers(arrow_type, array.size, [None, pa.py_buffer(array)])


def table(**columns):
    size = len(next(iter(columns.values())))
    batches = [pa.record_batch({n: c.slice(i, BATCH) for n, c in columns.items()}) for i in range(0, size, BATCH)]
    return pa.Table.from_batches(batches)


db.register("big", table(v=lent(big.reshape(-1), pa.float32())))
db.register("part", table(k=lent(keys, pa.int32()), v=lent(part, pa.float32())))


def ask(sql):
    return db.execute(sql).fetchall()


def histogram():
    """Its bins are open on the left, so that those of the negated values are numpy's, backwards; what is exactly 1 comes
    first and belongs to the next."""
    found = ask(f"select histogram(-v, {(-EDGES[::-1]).tolist()}) from big where v between 0 and 1")[0][0]
    ones, last, *others = (found[edge] for edge in sorted(found))
    return [ones + last, *others][::-1]


def grouped_mean():
    columns = {name: pa.array(big[:, i]) for name, i in (("k", KEY), ("c", CONDITION), ("v", VALUE))}
    db.register("rows", pa.table(columns))
    return [mean for _, mean in ask("select k, avg(v) from rows where c > 0.5 group by k order by k")]


serve({
    "sum": lambda: ask("select sum(v::double) from big")[0][0],
    "mean": lambda: ask("select avg(v::double) from big")[0][0],
    "minmax": lambda: ask("select min(v), max(v) from big")[0],
    "std": lambda: ask("select stddev_pop(v::double) from big")[0][0],
    "moments": lambda: ask("select avg(v::double), stddev_pop(v::double), min(v), max(v) from big")[0],
    "histogram": histogram,
    "median_25m": lambda: ask("select median(v) from part")[0][0],
    "median_250m": lambda: ask("select median(v) from big")[0][0],
    "quantiles_25m": lambda: ask(f"select quantile_cont(v, {QUANTILES}) from part")[0][0],
    "quantiles_250m": lambda: ask(f"select quantile_cont(v, {QUANTILES}) from big")[0][0],
    "grouped_mean": grouped_mean,
    "grouped_median": lambda: [m for _, m in ask("select k, median(v) from part group by k order by k")],
})
