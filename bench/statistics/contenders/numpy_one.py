"""numpy as its users call it: one expression, one thread."""
import numpy as np

from pipe import BINS, CONDITION, GROUPS, KEY, QUANTILES, RANGE, VALUE, big, keys, part, serve

flat = big.reshape(-1)


def quantiles(a, q):
    """With one partial sort, in float64 between neighbours."""
    return np.quantile(a, q).astype("f8")


def grouped_mean():
    kept = big[:, CONDITION] > 0.5
    k, v = big[kept, KEY].astype(np.intp), big[kept, VALUE]
    return np.bincount(k, weights=v) / np.bincount(k)


def grouped_median():
    order = np.argsort(keys.astype(np.int16), kind="stable")  # a radix sort
    ends = np.bincount(keys, minlength=GROUPS).cumsum()
    return [np.median(group).astype("f8") for group in np.split(part[order].astype("f8"), ends[:-1])]


serve({
    "sum": lambda: big.sum(dtype="f8"),
    "mean": lambda: big.mean(dtype="f8"),
    "minmax": lambda: (big.min(), big.max()),
    "mean_axis1": lambda: big.mean(axis=1, dtype="f8"),
    "std": lambda: big.std(dtype="f8"),
    "moments": lambda: (big.mean(dtype="f8"), big.std(dtype="f8"), big.min(), big.max()),
    "std_axis0": lambda: big.std(axis=0, dtype="f8"),
    "histogram": lambda: np.histogram(flat, BINS, RANGE)[0],
    "median_25m": lambda: np.median(part),
    "median_250m": lambda: np.median(flat),
    "quantiles_25m": lambda: quantiles(part, QUANTILES),
    "quantiles_250m": lambda: quantiles(flat, QUANTILES),
    "grouped_mean": grouped_mean,
    "grouped_median": grouped_median,
})
