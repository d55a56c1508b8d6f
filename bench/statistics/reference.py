"""What the answers must be, from the definitions, slowly: exact sums of row sums, whole sorts. Made once per data.

usage: reference.py FOLDER OUTPUT.json
"""
import json
import math
import sys

import numpy as np

QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9]
folder, output = sys.argv[1:]
big = np.memmap(f"{folder}/big.f32", dtype="<f4", mode="r", shape=(250_000, 1_000))
part = np.memmap(f"{folder}/part.f32", dtype="<f4", mode="r")
keys = np.memmap(f"{folder}/keys.i32", dtype="<i4", mode="r")

rows = [row.sum() for row in (big[i].astype("f8") for i in range(len(big)))]
total = math.fsum(rows)
mean = total / big.size
std = math.sqrt(math.fsum(((row - mean) ** 2).sum() for row in (big[i].astype("f8") for i in range(len(big)))) / big.size)


def column_stds():
    means = np.zeros(big.shape[1])
    for block in np.split(big, 100):
        means += block.sum(axis=0, dtype="f8") / len(big)
    squares = np.zeros(big.shape[1])
    for block in np.split(big, 100):
        squares += ((block - means) ** 2).sum(axis=0)
    return np.sqrt(squares / len(big))


def at(ordered, q):
    place = (ordered.size - 1) * q
    below = math.floor(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, ordered.size - 1)])
    return low + (high - low) * (place - below)


def counts(edges):
    """Half-open bins, the last one closed; edges as numpy gives them to float32."""
    found = np.searchsorted(ordered, edges, side="left")
    found[-1] = np.searchsorted(ordered, edges[-1], side="right")
    return np.diff(found)


ordered = np.sort(big, axis=None)
ordered_part = np.sort(part)
by_key = np.argsort(keys, kind="stable")
groups = np.split(part[by_key], np.bincount(keys).cumsum()[:-1])
kept = big[:, 1] > 0.5
of_group = [big[kept & (big[:, 0] == k), 2].astype("f8") for k in range(10)]

reference = {
    "sum": total,
    "mean": mean,
    "minmax": [float(ordered[0]), float(ordered[-1])],
    "mean_axis1": [row / big.shape[1] for row in rows],
    "std": std,
    "moments": [mean, std, float(ordered[0]), float(ordered[-1])],
    "std_axis0": column_stds().tolist(),
    "histogram": counts(np.linspace(0, 1, 101, dtype="f4")).tolist(),
    "median_25m": at(ordered_part, 0.5),
    "median_250m": at(ordered, 0.5),
    "quantiles_25m": [at(ordered_part, q) for q in QUANTILES],
    "quantiles_250m": [at(ordered, q) for q in QUANTILES],
    "grouped_mean": [math.fsum(values) / values.size for values in of_group],
    "grouped_median": [at(np.sort(group), 0.5) for group in groups],
}
with open(output, "w") as file:
    json.dump(reference, file)
