"""Copies the mapped file into HSDS, in chunks of 2 MB: `h5pyd_load.py FILE URL`."""

import json
import sys
import time
import urllib.request

import h5pyd
import numpy as np

array = np.memmap(sys.argv[1], "<f4", "r").reshape(-1, 1000)
account = {"endpoint": sys.argv[2], "username": "admin", "password": "admin"}


def is_ready():
    """Whether the nodes of HSDS have found each other."""
    with urllib.request.urlopen(f"{sys.argv[2]}/about") as answer:
        return json.load(answer)["state"] == "READY"


while not is_ready():
    time.sleep(0.5)
h5pyd.Folder("/home/", mode="x", **account)
with h5pyd.File("/home/a.h5", "w", **account) as file:
    copy = file.create_dataset("a", shape=array.shape, dtype="<f4", chunks=(500, 1000))
    for first in range(0, len(array), 5000):
        copy[first : first + 5000] = array[first : first + 5000]
