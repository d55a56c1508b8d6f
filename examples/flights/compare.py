"""The same questions in pandas, polars or DuckDB, on the same files, in one process.

usage: compare.py pandas|polars|duckdb FOLDER

Writes FOLDER/results-ENGINE.ndjson with the lines that the service would answer (`index`, `groups`), and prints the
seconds from mapping the files to having the answers. The numbers asked for are those of queries.mjs.
"""
import json
import sys
import time

import numpy as np

ENGINE, FOLDER = sys.argv[1:]
SCORE_ABOVE, HUB_DEPARTURES, LATE_MINUTES = 500, 100_000, 60
QUANTILES = [0.1, 0.25, 0.75, 0.9]
FLIGHTS = {"delay": "<i2", "distance": "<i2", "origin": "<i2", "destination": "<i2", "state": "|u1"}
AIRPORTS = {"code": "<i2", "departures": "<i4"}


def columns(table, dtypes):
    return {name: np.memmap(f"{FOLDER}/{table}-{name}.bin", dtype=dtype, mode="r") for name, dtype in dtypes.items()}


def with_pandas(flights, airports, areas):
    import pandas as pd

    flights, airports = (pd.DataFrame(each, copy=False) for each in (flights, airports))
    hubs = airports.code[airports.departures >= HUB_DEPARTURES]
    kept = (flights.distance > SCORE_ABOVE) & flights.state.isin(areas) & flights.destination.isin(hubs)
    delays = flights[kept].groupby(["origin", "state"]).delay
    found = pd.concat([delays.size(), delays.median(), delays.quantile(QUANTILES).unstack()], axis=1)
    late = flights[flights.delay > LATE_MINUTES].groupby("state").delay
    late = pd.concat([late.size(), late.mean(), late.std(ddof=0), late.max()], axis=1)
    return found.reset_index().to_numpy().tolist(), late.reset_index().to_numpy().tolist()


def lent(columns):
    """Arrow arrays over the mapped pages, without a copy."""
    import pyarrow as pa

    types = {name: pa.from_numpy_dtype(column.dtype) for name, column in columns.items()}
    return pa.table({
        name: pa.Array.from_buffers(types[name], column.size, [None, pa.py_buffer(column)])
        for name, column in columns.items()
    })


def with_polars(flights, airports, areas):
    import polars as pl

    flights, airports = (pl.from_arrow(lent(each)).lazy() for each in (flights, airports))
    hubs = airports.filter(pl.col("departures") >= HUB_DEPARTURES).select(destination="code")
    kept = flights.filter(pl.col("distance") > SCORE_ABOVE, pl.col("state").is_in(areas))
    delay = pl.col("delay")
    found = (
        kept.join(hubs, on="destination", how="semi")
        .group_by("origin", "state")
        .agg(pl.len(), delay.median().alias("median"), *(delay.quantile(q, "linear").alias(str(q)) for q in QUANTILES))
        .sort("origin", "state")
    )
    late = (
        flights.filter(delay > LATE_MINUTES)
        .group_by("state")
        .agg(pl.len(), delay.mean().alias("mean"), delay.std(ddof=0).alias("std"), delay.max().alias("max"))
        .sort("state")
    )
    return found.collect().rows(), late.collect().rows()


def with_duckdb(flights, airports, areas):
    import duckdb

    db = duckdb.connect()
    db.register("flights", lent(flights))
    db.register("airports", lent(airports))
    found = db.execute(
        f"""select origin, state, count(*), median(delay), quantile_cont(delay, {QUANTILES}) from flights
        where distance > {SCORE_ABOVE} and state in {tuple(areas)}
        and destination in (select code from airports where departures >= {HUB_DEPARTURES})
        group by origin, state order by origin, state"""
    ).fetchall()
    late = db.execute(
        f"""select state, count(*), avg(delay), stddev_pop(delay), max(delay) from flights
        where delay > {LATE_MINUTES} group by state order by state"""
    ).fetchall()
    return [(*keys, *quantiles) for *keys, quantiles in found], late


def lines(found, late):
    """Rows as the service answers them."""
    yield {"index": 0, "groups": [
        {"key": [int(o), int(s)], "count": int(n), "results": {"median": m, "quantile": list(q)}}
        for o, s, n, m, *q in found
    ]}
    yield {"index": 2, "groups": [
        {"key": int(s), "count": int(n), "results": {"mean": mean, "std": std, "max": int(most)}}
        for s, n, mean, std, most in late
    ]}


engine = {"pandas": with_pandas, "polars": with_polars, "duckdb": with_duckdb}[ENGINE]
__import__(ENGINE)
with open(f"{FOLDER}/areas.json") as file:
    areas = json.load(file)
started = time.perf_counter()
answers = engine(columns("flights", FLIGHTS), columns("airports", AIRPORTS), areas)
seconds = time.perf_counter() - started
with open(f"{FOLDER}/results-{ENGINE}.ndjson", "w") as file:
    for line in lines(*answers):
        print(json.dumps(line), file=file)
print(f"{seconds:.3f} s")
