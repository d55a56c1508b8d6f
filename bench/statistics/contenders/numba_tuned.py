"""Compiled loops on all threads, as somebody who knows the machine would write them.

Blocks of 4,096 elements stay in the first cache, so that a second look at them is free; partial results are merged by
Chan's formula. Reassociation is allowed where it lets LLVM use vectors.
"""
import numba
import numpy as np
from numba import njit, prange

from numba_order import grouped_median, quantiles
from numba_pieces import cut, piece
from pipe import CONDITION, KEY, QUANTILES, THREADS, VALUE, big, edges, keys, part, serve

numba.set_num_threads(THREADS)
BLOCK = 4096
CHUNKS = 64 * THREADS
REORDER = {"reassoc", "contract", "nsz", "arcp"}

flat = big.reshape(-1)
bits = flat.view(np.int32)
EDGES = edges()


@njit(fastmath=REORDER)
def sum_of(a):
    total = 0.0
    for i in range(a.size):
        total += np.float64(a[i])
    return total


@njit(fastmath=REORDER)
def squares_of(a, mean):
    total = 0.0
    for i in range(a.size):
        d = np.float64(a[i]) - mean
        total += d * d
    return total


@njit
def key_range_of(bits):
    """Smallest and largest of the integers that are in the order of the numbers: LLVM makes vectors of these minima."""
    low, high = np.int32(2147483647), np.int32(-2147483648)
    for i in range(bits.size):
        key = bits[i] ^ ((bits[i] >> np.int32(31)) & np.int32(0x7FFFFFFF))
        low = min(low, key)
        high = max(high, key)
    return low, high


def float_of(key):
    bits = np.int32(key) ^ ((np.int32(key) >> np.int32(31)) & np.int32(0x7FFFFFFF))
    return float(bits.view(np.float32))


def with_extremes(found):
    mean, std, low, high = found
    return mean, std, *extremes_from(low, high)


def extremes_from(low, high):
    """NaN are beyond the infinities in this order."""
    low, high = float_of(low), float_of(high)
    return (np.nan, np.nan) if np.isnan(low) or np.isnan(high) else (low, high)


@njit(parallel=True)
def total(a):
    sums = np.empty(CHUNKS)
    for c in prange(CHUNKS):
        sums[c] = sum_of(piece(a, CHUNKS, c))
    return sums.sum()


@njit(parallel=True)
def key_range(bits):
    lows, highs = np.empty(CHUNKS, np.int32), np.empty(CHUNKS, np.int32)
    for c in prange(CHUNKS):
        lows[c], highs[c] = key_range_of(piece(bits, CHUNKS, c))
    return lows.min(), highs.max()


@njit(parallel=True)
def moments(a, bits, with_extremes):
    """Mean, population standard deviation, keys of the smallest and the largest."""
    counts, means, squares = np.zeros(CHUNKS), np.zeros(CHUNKS), np.zeros(CHUNKS)
    lows, highs = np.zeros(CHUNKS, np.int32), np.zeros(CHUNKS, np.int32)
    for c in prange(CHUNKS):
        mine, mine_bits = piece(a, CHUNKS, c), piece(bits, CHUNKS, c)
        count, mean, m2 = 0.0, 0.0, 0.0
        low, high = np.int32(2147483647), np.int32(-2147483648)
        for i in range(0, mine.size, BLOCK):
            block = mine[i : i + BLOCK]
            block_mean = sum_of(block) / block.size
            block_m2 = squares_of(block, block_mean)
            count, mean, m2 = merged(count, mean, m2, block.size, block_mean, block_m2)
            if with_extremes:
                block_low, block_high = key_range_of(mine_bits[i : i + BLOCK])
                low, high = min(low, block_low), max(high, block_high)
        counts[c], means[c], squares[c] = count, mean, m2
        lows[c], highs[c] = low, high
    count, mean, m2 = 0.0, 0.0, 0.0
    for c in range(CHUNKS):
        count, mean, m2 = merged(count, mean, m2, counts[c], means[c], squares[c])
    return mean, np.sqrt(m2 / count), lows.min(), highs.max()


@njit
def merged(count, mean, m2, n, other_mean, other_m2):
    d = other_mean - mean
    both = count + n
    return both, mean + d * n / both, m2 + other_m2 + d * d * count * n / both


@njit(parallel=True)
def row_means(m):
    means = np.empty(m.shape[0])
    for r in prange(m.shape[0]):
        means[r] = sum_of(m[r]) / m.shape[1]
    return means


@njit(fastmath=REORDER)
def add_rows(rows, shift, sums, squares):
    """Eight at a time: the accumulators are loaded and stored once for them."""
    for j in range(sums.size):
        s, q = 0.0, 0.0
        for i in range(8):
            d = np.float64(rows[i, j]) - shift[j]
            s += d
            q += d * d
        sums[j] += s
        squares[j] += q


@njit(parallel=True)
def column_stds(m):
    rows, columns = m.shape
    shift = m[0].astype(np.float64)
    sums, squares = np.zeros((THREADS, columns)), np.zeros((THREADS, columns))
    for t in prange(THREADS):
        start, stop = cut(rows, THREADS, t)
        for r in range(start, stop, 8):
            if r + 8 <= stop:
                add_rows(m[r : r + 8], shift, sums[t], squares[t])
            else:
                for i in range(r, stop):
                    d = m[i].astype(np.float64) - shift
                    sums[t] += d
                    squares[t] += d * d
    all_sums, all_squares = sums.sum(axis=0), squares.sum(axis=0)
    return np.sqrt((all_squares - all_sums * all_sums / rows) / rows)


@njit
def bins_of(block, low, scale, bins, slots):
    """Bins as if arithmetic were exact; `bins` where an edge is so near that it has to decide, `bins` + 1 outside."""
    near = np.float32(bins * 3e-7)  # more than three roundings of float32 can move a bin
    for i in range(block.size):
        t = (block[i] - low) * scale
        inside = (t >= -near) & (t <= np.float32(bins) + near)
        t = t if inside else np.float32(0.5)
        b = np.int32(t)
        rest = t - np.float32(b)
        slot = np.int32(bins) if (rest < near) | (rest > np.float32(1) - near) else b
        slots[i] = slot if inside else np.int32(bins + 1)


@njit
def add_near(block, slots, low, scale, edges, counts):
    """Counts of those that `bins_of` left open, by numpy's rule: half-open, the last closed."""
    bins = edges.size - 1
    for i in range(block.size):
        x = block[i]
        if slots[i] == bins and x >= edges[0] and x <= edges[bins]:
            b = min(np.int64(np.round((x - low) * scale)), bins - 1)
            counts[b - (x < edges[b])] += 1


@njit(parallel=True)
def histogram(a, edges):
    """Counts in four tables by turns, since the next element is often in the same bin."""
    bins = edges.size - 1
    low = edges[0]
    scale = np.float32(bins / (np.float64(edges[bins]) - np.float64(low)))
    counts = np.zeros((THREADS, 4, bins + 2), np.uint32)
    near = np.zeros((THREADS, bins), np.int64)
    for t in prange(THREADS):
        mine, tables = piece(a, THREADS, t), counts[t]
        slots = np.empty(BLOCK, np.int32)
        t0, t1, t2, t3 = tables[0], tables[1], tables[2], tables[3]
        open_before = np.uint32(0)
        for i in range(0, mine.size, BLOCK):
            block = mine[i : i + BLOCK]
            bins_of(block, low, scale, bins, slots)
            whole = block.size & ~3
            for j in range(0, whole, 4):
                t0[np.uint32(slots[j])] += np.uint32(1)
                t1[np.uint32(slots[j + 1])] += np.uint32(1)
                t2[np.uint32(slots[j + 2])] += np.uint32(1)
                t3[np.uint32(slots[j + 3])] += np.uint32(1)
            for j in range(whole, block.size):
                t0[np.uint32(slots[j])] += np.uint32(1)
            open_now = t0[bins] + t1[bins] + t2[bins] + t3[bins]
            if open_now != open_before:
                add_near(block, slots, low, scale, edges, near[t])
                open_before = open_now
    return counts[:, :, :bins].astype(np.int64).sum(axis=0).sum(axis=0) + near.sum(axis=0)


@njit(parallel=True)
def grouped_mean(m):
    sums, counts = np.zeros((CHUNKS, 16)), np.zeros((CHUNKS, 16))
    for c in prange(CHUNKS):
        start, stop = cut(m.shape[0], CHUNKS, c)
        for r in range(start, stop):
            if m[r, CONDITION] > np.float32(0.5):
                k = np.int64(m[r, KEY])
                sums[c, k] += np.float64(m[r, VALUE])
                counts[c, k] += 1
    return (sums.sum(axis=0) / counts.sum(axis=0))[:10]


CASES = {
    "sum": lambda: total(flat),
    "mean": lambda: total(flat) / flat.size,
    "minmax": lambda: extremes_from(*key_range(bits)),
    "mean_axis1": lambda: row_means(big),
    "std": lambda: moments(flat, bits, False)[1],
    "moments": lambda: with_extremes(moments(flat, bits, True)),
    "std_axis0": lambda: column_stds(big),
    "histogram": lambda: histogram(flat, EDGES),
    "median_25m": lambda: quantiles(part, [0.5])[0],
    "median_250m": lambda: quantiles(flat, [0.5])[0],
    "quantiles_25m": lambda: quantiles(part, QUANTILES),
    "quantiles_250m": lambda: quantiles(flat, QUANTILES),
    "grouped_mean": lambda: grouped_mean(big),
    "grouped_median": lambda: grouped_median(keys, part),
}
for case in CASES.values():
    case()  # compiles
serve(CASES)
