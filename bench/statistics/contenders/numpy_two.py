"""numpy in two processes: each has half of the rows of the same mapped file, block by block so that copies stay in the
cache; partial results come back through pipes and are merged (Chan's formula for squares)."""
import multiprocessing

import numpy as np

from pipe import BINS, COLUMNS, CONDITION, KEY, RANGE, ROWS, VALUE, big, serve

PROCESSES = 2
BLOCK_ROWS = 64


def blocks(half):
    for r in range(0, len(half), BLOCK_ROWS):
        yield half[r : r + BLOCK_ROWS]


def sum_(half):
    return half.sum(dtype="f8")


def minmax(half):
    pairs = [(b.min(), b.max()) for b in blocks(half)]
    return np.min([low for low, _ in pairs]), np.max([high for _, high in pairs])


def moments(half):
    count, mean, m2 = 0, 0.0, 0.0
    for b in blocks(half):
        wide = b.astype("f8").reshape(-1)
        block_mean = wide.mean()
        wide -= block_mean
        count, mean, m2 = merged((count, mean, m2), (wide.size, block_mean, wide @ wide))
    return count, mean, m2


def merged(a, b):
    (n, mean, m2), (k, other, other_m2) = a, b
    d = other - mean
    return n + k, mean + d * k / (n + k), m2 + other_m2 + d * d * (n * k / (n + k))


def column_moments(half):
    shift = half[0].astype("f8")
    sums, squares = np.zeros(COLUMNS), np.zeros(COLUMNS)
    for b in blocks(half):
        wide = b - shift
        sums += wide.sum(axis=0)
        squares += np.einsum("ij,ij->j", wide, wide)
    means = sums / len(half)
    return len(half), shift + means, squares - sums * means


def row_means(half):
    return half.mean(axis=1, dtype="f8")


def histogram(half):
    return np.histogram(half, BINS, RANGE)[0]


def grouped(half):
    kept = half[:, CONDITION] > 0.5
    k, v = half[kept, KEY].astype(np.intp), half[kept, VALUE]
    return np.bincount(k, weights=v, minlength=10), np.bincount(k, minlength=10)


WORK = [sum_, minmax, moments, column_moments, row_means, histogram, grouped]


def worker(pipe, half):
    half.max()
    while True:
        pipe.send(WORK[pipe.recv()](half))


pipes = []
for i in range(PROCESSES):
    ours, theirs = multiprocessing.Pipe()
    half = big[ROWS * i // PROCESSES : ROWS * (i + 1) // PROCESSES]
    multiprocessing.get_context("fork").Process(target=worker, args=(theirs, half), daemon=True).start()
    pipes.append(ours)


def both(work):
    for pipe in pipes:
        pipe.send(WORK.index(work))
    return [pipe.recv() for pipe in pipes]


def std(work):
    count, _, m2 = merged(*both(work))
    return np.sqrt(m2 / count)


def extremes():
    low, high = zip(*both(minmax))
    return np.min(low), np.max(high)


def all_moments():
    count, mean, m2 = merged(*both(moments))
    return mean, np.sqrt(m2 / count), *extremes()


def grouped_mean():
    sums, counts = (sum(each) for each in zip(*both(grouped)))
    return sums / counts


serve({
    "sum": lambda: sum(both(sum_)),
    "mean": lambda: sum(both(sum_)) / big.size,
    "minmax": extremes,
    "mean_axis1": lambda: np.concatenate(both(row_means)),
    "std": lambda: std(moments),
    "moments": all_moments,
    "std_axis0": lambda: std(column_moments),
    "histogram": lambda: sum(both(histogram)),
    "grouped_mean": grouped_mean,
})
