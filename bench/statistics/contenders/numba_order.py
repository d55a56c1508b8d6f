"""Order statistics by compiled loops: count the high 16 bits of order-preserving keys, then the low 16 of the buckets that
matter; groups by a counting sort, then a partial sort of each."""
import numpy as np
from numba import njit, prange

from numba_pieces import cut, piece
from pipe import GROUPS, THREADS

NONE = np.uint8(255)


@njit
def order_bits(u):
    """Bits that are in the order of the numbers."""
    return u ^ (np.uint32(0x80000000) | np.uint32(-np.int32(u >> np.uint32(31))))


@njit(parallel=True)
def count_high(bits):
    counts = np.zeros((THREADS, 2, 65536), np.uint32)
    for t in prange(THREADS):
        mine, table = piece(bits, THREADS, t), counts[t]
        for i in range(mine.size):
            table[i & 1, order_bits(mine[i]) >> np.uint32(16)] += np.uint32(1)
    return counts


@njit(parallel=True)
def count_low(bits, slots, wanted):
    """The low 16 bits of the elements whose high ones have a slot."""
    counts = np.zeros((THREADS, wanted, 65536), np.uint32)
    for t in prange(THREADS):
        mine, table = piece(bits, THREADS, t), counts[t]
        for i in range(mine.size):
            u = order_bits(mine[i])
            slot = slots[u >> np.uint32(16)]
            if slot != NONE:
                table[slot, u & np.uint32(0xFFFF)] += np.uint32(1)
    return counts


def order_statistics(a, ranks):
    """The elements that a sort would put at these ranks."""
    bits = a.view(np.uint32)
    high = count_high(bits).sum(axis=(0, 1), dtype=np.int64)
    ends = high.cumsum()
    buckets = np.searchsorted(ends, ranks, side="right")
    wanted = np.unique(buckets)
    slots = np.full(65536, NONE)
    slots[wanted] = np.arange(wanted.size)
    low = count_low(bits, slots, wanted.size).sum(axis=0, dtype=np.int64)
    within = ranks - (ends[buckets] - high[buckets])
    found = [np.searchsorted(low[slots[b]].cumsum(), r, side="right") for b, r in zip(buckets, within)]
    u = (buckets.astype(np.uint32) << 16) | np.array(found, np.uint32)
    return np.where(u >> 31 == 1, u ^ np.uint32(0x80000000), ~u).view(np.float32).astype(np.float64)


def quantiles(a, q):
    at = (a.size - 1) * np.asarray(q)
    below = np.floor(at).astype(np.int64)
    values = order_statistics(a, np.concatenate([below, np.minimum(below + 1, a.size - 1)]))
    lower, upper = values[: below.size], values[below.size :]
    return lower + (upper - lower) * (at - below)


@njit(parallel=True)
def by_group(k, v):
    """The values in the order of their groups (a counting sort on each thread's half), and where groups start."""
    counts = np.zeros((THREADS, GROUPS), np.int64)
    for t in prange(THREADS):
        start, stop = cut(k.size, THREADS, t)
        for i in range(start, stop):
            counts[t, k[i]] += 1
    places = np.empty((THREADS, GROUPS), np.int64)
    starts = np.empty(GROUPS + 1, np.int64)
    at = 0
    for g in range(GROUPS):
        starts[g] = at
        for t in range(THREADS):
            places[t, g] = at
            at += counts[t, g]
    starts[GROUPS] = at
    ordered = np.empty(v.size, np.float32)
    for t in prange(THREADS):
        start, stop = cut(k.size, THREADS, t)
        for i in range(start, stop):
            ordered[places[t, k[i]]] = v[i]
            places[t, k[i]] += 1
    return ordered, starts


@njit(parallel=True)
def grouped_median(k, v):
    ordered, starts = by_group(k, v)
    medians = np.empty(GROUPS)
    for g in prange(GROUPS):
        group = ordered[starts[g] : starts[g + 1]]
        half = group.size // 2
        sorted_half = np.partition(group, half)
        medians[g] = sorted_half[half]
        if group.size % 2 == 0:
            medians[g] = (medians[g] + np.float64(sorted_half[:half].max())) / 2
    return medians
