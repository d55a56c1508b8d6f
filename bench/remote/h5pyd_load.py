"""Copies the mapped file into HSDS, in chunks of 2 MB: `h5pyd_load.py FILE URL`."""

import sys

import h5pyd
import numpy as np

array = np.memmap(sys.argv[1], "<f4", "r").reshape(-1, 1000)
account = {"endpoint": sys.argv[2], "username": "admin", "password": "admin"}
h5pyd.Folder("/home/", mode="x", **account)
with h5pyd.File("/home/a.h5", "w", **account) as file:
    copy = file.create_dataset("a", shape=array.shape, dtype="<f4", chunks=(500, 1000))
    for first in range(0, len(array), 5000):
        copy[first : first + 5000] = array[first : first + 5000]
