"""Opens a .npy that is appended to, again and again, until a file is there: python concurrent_appends.py FILE STOP.

Row i of client c is [c, i, i, ...]: each row is whole, and those of a client come in order.
"""

import os
import sys
import time

import numpy as np


def main(file, stop):
    opened, last = 0, 0
    while True:
        is_over = os.path.exists(stop)
        array = np.load(file, mmap_mode="r")
        assert len(array) >= last, f"{len(array)} rows after {last}"
        last = len(array)
        rows = np.array(array[-2000:])
        assert (rows[:, 1:] == rows[:, 1:2]).all(), f"a row of {len(array)} is torn"
        assert (rows[:, 1] > 0).all(), f"a row of {len(array)} is not there yet"
        opened += 1
        if is_over:
            break
        time.sleep(0.003)
    print(f"{opened > 1} {last}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
