"""Compiled loops on all threads as one writes them first: one prange, nothing about vectors, caches or merges."""
import numba
import numpy as np
from numba import njit, prange

from pipe import CONDITION, KEY, THREADS, VALUE, big, edges, serve

numba.set_num_threads(THREADS)
flat = big.reshape(-1)
EDGES = edges()


@njit(parallel=True)
def total(a):
    sum_ = 0.0
    for i in prange(a.size):
        sum_ += np.float64(a[i])
    return sum_


@njit(parallel=True)
def extremes(a):
    low, high = np.float32(np.inf), np.float32(-np.inf)
    for i in prange(a.size):
        low = min(low, a[i])
        high = max(high, a[i])
    return low, high


@njit(parallel=True)
def squares(a, mean):
    sum_ = 0.0
    for i in prange(a.size):
        d = np.float64(a[i]) - mean
        sum_ += d * d
    return sum_


def std(a, mean):
    return np.sqrt(squares(a, mean) / a.size)


def moments(a):
    mean = total(a) / a.size
    return mean, std(a, mean), *extremes(a)


@njit(parallel=True)
def row_means(m):
    means = np.empty(m.shape[0])
    for r in prange(m.shape[0]):
        sum_ = 0.0
        for j in range(m.shape[1]):
            sum_ += np.float64(m[r, j])
        means[r] = sum_ / m.shape[1]
    return means


@njit(parallel=True)
def column_stds(m):
    rows, columns = m.shape
    sums, squares = np.zeros((THREADS, columns)), np.zeros((THREADS, columns))
    for t in prange(THREADS):
        for r in range(rows * t // THREADS, rows * (t + 1) // THREADS):
            for j in range(columns):
                d = np.float64(m[r, j]) - np.float64(m[0, j])
                sums[t, j] += d
                squares[t, j] += d * d
    all_sums, all_squares = sums.sum(axis=0), squares.sum(axis=0)
    return np.sqrt((all_squares - all_sums * all_sums / rows) / rows)


@njit(parallel=True)
def histogram(a, edges):
    bins = edges.size - 1
    counts = np.zeros((THREADS, bins), np.int64)
    for t in prange(THREADS):
        for i in range(a.size * t // THREADS, a.size * (t + 1) // THREADS):
            x = a[i]
            if x >= edges[0] and x <= edges[bins]:
                b = min(int((x - edges[0]) * bins / (edges[bins] - edges[0])), bins - 1)
                if x < edges[b]:
                    b -= 1
                elif b < bins - 1 and x >= edges[b + 1]:
                    b += 1
                counts[t, b] += 1
    return counts.sum(axis=0)


@njit(parallel=True)
def grouped_mean(m):
    sums, counts = np.zeros((THREADS, 10)), np.zeros((THREADS, 10))
    for t in prange(THREADS):
        for r in range(m.shape[0] * t // THREADS, m.shape[0] * (t + 1) // THREADS):
            if m[r, CONDITION] > np.float32(0.5):
                sums[t, int(m[r, KEY])] += np.float64(m[r, VALUE])
                counts[t, int(m[r, KEY])] += 1
    return sums.sum(axis=0) / counts.sum(axis=0)


CASES = {
    "sum": lambda: total(flat),
    "mean": lambda: total(flat) / flat.size,
    "minmax": lambda: extremes(flat),
    "mean_axis1": lambda: row_means(big),
    "std": lambda: std(flat, total(flat) / flat.size),
    "moments": lambda: moments(flat),
    "std_axis0": lambda: column_stds(big),
    "histogram": lambda: histogram(flat, EDGES),
    "grouped_mean": lambda: grouped_mean(big),
}
for case in CASES.values():
    case()  # compiles
serve(CASES)
