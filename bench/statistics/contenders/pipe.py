"""What every contender does around its statistics: the files mapped, requests read from a pipe, time taken inside.

A request is a line {"case", "value"}; the answer {"ms"}, with the value when it was asked for. The first line that is
printed names the cases that there are. usage: <contender>.py FOLDER THREADS
"""
import json
import sys
import time

import numpy as np

FOLDER, THREADS = sys.argv[1], int(sys.argv[2])
ROWS, COLUMNS, GROUPS = 250_000, 1_000, 1_000
BINS, RANGE = 100, (0.0, 1.0)
QUANTILES = [0.1, 0.25, 0.5, 0.75, 0.9]
KEY, CONDITION, VALUE = 0, 1, 2  # columns of the grouped mean

big = np.memmap(f"{FOLDER}/big.f32", dtype="<f4", mode="r", shape=(ROWS, COLUMNS))
part = np.memmap(f"{FOLDER}/part.f32", dtype="<f4", mode="r")
keys = np.memmap(f"{FOLDER}/keys.i32", dtype="<i4", mode="r")


def edges():
    """Those that numpy gives to a histogram of float32."""
    return np.histogram_bin_edges(big[0], BINS, RANGE)


def serve(cases):
    for mapped in (big, part, keys):
        mapped.max()  # page tables are set up before anything is timed
    print(json.dumps({"cases": list(cases)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        started = time.perf_counter()
        value = cases[request["case"]]()
        ms = (time.perf_counter() - started) * 1000
        answer = {"ms": ms, **({"value": plain(value)} if request["value"] else {})}
        del value
        print(json.dumps(answer), flush=True)


def plain(value):
    """Numbers and lists of numbers, every float as float64."""
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return np.asarray(value).tolist()
