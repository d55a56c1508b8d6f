"""dask arrays over the same mapped file, its threaded scheduler. Its quantiles are estimates, so they are left out."""
import dask
import dask.array as da

from pipe import BINS, RANGE, THREADS, big, serve

dask.config.set(scheduler="threads", num_workers=THREADS)
m = da.from_array(big, chunks=(6250, 1000), name=False, asarray=False, meta=big[:0])

serve({
    "sum": lambda: m.sum(dtype="f8").compute(),
    "mean": lambda: m.mean(dtype="f8").compute(),
    "minmax": lambda: dask.compute(m.min(), m.max()),
    "mean_axis1": lambda: m.mean(axis=1, dtype="f8").compute(),
    "std": lambda: m.std(dtype="f8").compute(),
    "moments": lambda: dask.compute(m.mean(dtype="f8"), m.std(dtype="f8"), m.min(), m.max()),
    "std_axis0": lambda: m.std(axis=0, dtype="f8").compute(),
    "histogram": lambda: da.histogram(m, BINS, RANGE)[0].compute(),
})
