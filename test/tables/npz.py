"""Compares each N.npz of a folder with N.npy."""

import os
import sys

import numpy as np

folder = sys.argv[1]
for i in range(len(os.listdir(folder)) // 2):
    expected = np.load(os.path.join(folder, "%d.npy" % i))
    with np.load(os.path.join(folder, "%d.npz" % i)) as archive:
        found = archive["a"]
        same = archive.files == ["a"] and found.dtype == expected.dtype and np.array_equal(found, expected)
    print("same" if same else "%d is %r instead of %r" % (i, found, expected), end=" ")
