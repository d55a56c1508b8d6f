"""numpy's side of the bench of indices: reads the name of a case from each line, answers with milliseconds and a digest.

The arrays are mapped, warm, and taken as a program would: the selection becomes packed bytes, as the service sends it.
"""

import sys
import time
import zlib

import numpy as np

big, points_file = sys.argv[1:3]
rows = int(sys.argv[3])

plain = np.memmap(big, "<f4", "r", shape=(rows, 1000))
fortran = np.memmap(big, "<f4", "r", shape=(rows, 1000), order="F")
records = np.memmap(big, [("id", "<i4"), ("value", "<f8"), ("flag", "<u4")], "r", shape=(rows * 250,))
chosen = np.fromfile(points_file, "<i8")
mask = np.zeros(rows, bool)
mask[chosen[: rows // 100]] = True
pairs = np.stack([chosen[:1000], chosen[:1000] % 1000])

CASES = {
    "strided": lambda: plain[::2, ::3],
    "transposed": lambda: fortran,
    "field": lambda: records["value"],
    "converted": lambda: plain.astype("<f8"),
    "rows": lambda: plain[chosen],
    "points": lambda: plain[pairs[0], pairs[1]],
    "mask": lambda: plain[mask],
}

print("ready", flush=True)
for line in sys.stdin:
    take = CASES[line.strip()]
    started = time.perf_counter()
    block = np.ascontiguousarray(take()).tobytes()
    ms = (time.perf_counter() - started) * 1000
    print(ms, len(block), zlib.crc32(block), flush=True)
    del block
