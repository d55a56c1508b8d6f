"""One client of the bench: `reader.py CONTENDER WHERE`, where WHERE is a file or the address of a server.

Reads `CASE SEED` from each line, and answers with milliseconds and a digest of what was read; of the mean, with the mean.
Everybody reads with the brackets of numpy, the same places for the same seed.
"""

import random
import subprocess
import sys
import time
import zlib

import numpy as np

ROWS, COLUMNS = 250_000, 1000


def hyperslab(url):
    import hyperslab

    return hyperslab.open_array(f"{url}/v1/datasets/a")


def memmap(file):
    return np.memmap(file, "<f4", "r", shape=(ROWS, COLUMNS))


def tiled(url):
    from tiled.client import from_uri

    return from_uri(f"{url}/api/v1")["a"]


def h5pyd(url):
    import h5pyd

    return h5pyd.File("/home/a.h5", "r", endpoint=url, username="admin", password="admin")["a"]


def zarr(url):
    import zarr

    return zarr.open_array(url, mode="r")


class Curl:
    """Of the cases only the whole array: into memory, without looking at it."""

    def __init__(self, url):
        self.url = f"{url}/v1/datasets/a/data.raw"

    def __getitem__(self, key):
        subprocess.run(["curl", "-sfo", "/dev/shm/hyperslab-bench", self.url], check=True)
        return np.memmap("/dev/shm/hyperslab-bench", "<f4", "r", shape=(ROWS, COLUMNS))


def take(array, case, seed):
    places = random.Random(seed)
    if case == "row":
        return [array[places.randrange(ROWS)] for _ in range(100)]
    if case == "megabyte":
        return [array[first : first + 250] for first in (places.randrange(ROWS - 250) for _ in range(10))]
    if case == "gigabyte":
        return [array[:, :]]
    if case == "column":
        return [array[:, places.randrange(COLUMNS)]]
    return [np.mean(array if isinstance(array, np.memmap) or hasattr(array, "groupby") else array[:, :], dtype="f8")]


OPENERS = {
    "hyperslab": hyperslab,
    "memmap": memmap,
    "tiled": tiled,
    "h5pyd": h5pyd,
    "zarr": zarr,
    "zarr-nginx": zarr,
    "curl": Curl,
}

array = OPENERS[sys.argv[1]](sys.argv[2])
print("ready", flush=True)
for line in sys.stdin:
    case, seed = line.split()
    started = time.perf_counter()
    blocks = take(array, case, int(seed))
    # A slice of a mapping is not read before it is copied; the others have read by now.
    taken = [np.array(block) if sys.argv[1] == "memmap" else np.asarray(block) for block in blocks]
    ms = (time.perf_counter() - started) * 1000
    digest = taken[0] if case == "mean" else zlib.crc32(b"".join(memoryview(each).cast("B") for each in taken))
    print(ms, digest, flush=True)
    del blocks, taken
