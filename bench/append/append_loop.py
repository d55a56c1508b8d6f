"""The same rows by a plain loop: a thread per client, each writes at the end of one file and calls fsync. No service, and
a crash may leave half a row. Prints what it counted. Usage: append_loop.py FOLDER CLIENTS SECONDS
"""
import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), ".."))
from counted import count

ROW = b"\1" * 4096

folder, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "rows")


def begin(client):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def append(turn):
        os.write(fd, ROW)
        os.fsync(fd)

    return append


counted = count(clients, seconds, begin)
os.remove(path)
print(json.dumps(counted))
