"""How the compiled loops share an array between threads."""
from numba import njit


@njit
def cut(size, chunks, i):
    return size * i // chunks, size * (i + 1) // chunks


@njit
def piece(a, chunks, i):
    """A slice that starts at 0: indices that cannot be negative are what LLVM makes vectors of."""
    start, stop = cut(a.size, chunks, i)
    return a[start:stop]
