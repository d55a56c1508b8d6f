"""What numpy sees through a memmap of the array that the seeds write: `mean FILE`, or `watch FILE`, which looks again
for every line that comes in."""

import sys

import numpy as np

question, file = sys.argv[1:]
m = np.load(file, mmap_mode="r")
if question == "mean":
    print(repr(float(m.mean(dtype=np.float64))))
else:
    print("open", flush=True)
    for _ in sys.stdin:
        print(bool((m[0] == 1).all()) and not bool((m[1] == 1).any()), flush=True)
