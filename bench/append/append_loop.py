"""The same rows by a plain loop: a thread per client, each writes at the end of one file and calls fsync. No service, and
a crash may leave half a row. Prints what it counted. Usage: append_loop.py FOLDER CLIENTS SECONDS
"""
import json
import os
import sys
import threading
import time

ROW = b"\1" * 4096

folder, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "rows")


def append(client, ready, counts):
    fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    ready.wait()
    end = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < end:
        os.write(fd, ROW)
        os.fsync(fd)
        count += 1
    counts[client] = count
    os.close(fd)


ready = threading.Barrier(clients + 1)
counts = [0] * clients
threads = [threading.Thread(target=append, args=(client, ready, counts)) for client in range(clients)]
for thread in threads:
    thread.start()
ready.wait()
started = time.perf_counter()
for thread in threads:
    thread.join()
elapsed = time.perf_counter() - started
os.remove(path)
print(json.dumps({"acks": sum(counts), "seconds": elapsed}))
