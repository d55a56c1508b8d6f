"""
Another program that opens growing arrays at random moments, as a person with numpy would: np.load(mmap_mode="r") succeeds
at every instant, shows every row that was confirmed before it, ends where an append ends, and holds whole rows only.

Usage: append_watch.py CONFIRMED (C|F) FILE ... ; a line of input asks for a look at all of each file, and is answered by a line
`checked <loads so far>`; faults are lines of their own. CONFIRMED holds 8 bytes for each file: rows that were confirmed.
"""

import random
import select
import struct
import sys

import numpy as np

COLUMNS = 64
NAMING = 4
TAIL = 300

confirmed_file, *rest = sys.argv[1:]
orders, paths = rest[::2], rest[1::2]
confirmed = open(confirmed_file, "rb", buffering=0)
loads = 0
told = 0


def fault(text):
    global told
    told += 1
    if told <= 20:
        print(text, flush=True)


def confirmed_rows(number):
    confirmed.seek(8 * number)
    return struct.unpack("<Q", confirmed.read(8))[0]


def wanted(rows):
    client, serial, index = (rows[:, i].astype(np.uint32) for i in range(3))
    seed = client * np.uint32(0x9E3779B1) + serial * np.uint32(0x85EBCA6B) + index
    return seed[:, None] + np.arange(NAMING, COLUMNS, dtype=np.uint32)


def look(number, path, tail):
    global loads
    low = confirmed_rows(number)
    try:
        array = np.load(path, mmap_mode="r")
    except Exception as error:
        fault(f"np.load failed: {path}: {error!r}")
        return
    loads += 1
    rows = array.T if orders[number] == "F" else array
    if rows.ndim != 2 or rows.shape[1] != COLUMNS:
        fault(f"{path}: shape {array.shape}")
        return
    if len(rows) < low:
        fault(f"lost: {path}: {len(rows)} rows, {low} were confirmed")
    if len(rows) == 0:
        return
    last = np.asarray(rows[-tail:] if tail else rows)
    bad = np.flatnonzero((last[:, NAMING:] != wanted(last)).any(axis=1) | (last[:, 3] == 0))
    if len(bad):
        fault(f"torn: {path}: row {len(rows) - len(last) + bad[0]} of {len(rows)}: {last[bad[0], :6]}")
    elif last[-1, 2] != last[-1, 3] - 1:
        fault(f"{path}: {len(rows)} rows end in the middle of an append: {last[-1, :4]}")


while True:
    ready, _, _ = select.select([sys.stdin], [], [], random.uniform(0, 0.01))
    if ready:
        if not sys.stdin.readline():
            break
        for number, path in enumerate(paths):
            look(number, path, 0)
        print(f"checked {loads}", flush=True)
    else:
        number = random.randrange(len(paths))
        look(number, paths[number], TAIL)
