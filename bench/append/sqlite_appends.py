"""The same rows as INSERTs of SQLite in this process: WAL, synchronous=FULL, one connection per client.

Prints what it counted. Usage: sqlite_appends.py FOLDER CLIENTS SECONDS
"""
import json
import os
import sqlite3
import sys
import threading
import time

ROW = b"\1" * 4096

folder, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "rows.sqlite")


def connect():
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def append(client, ready, counts):
    connection = connect()
    ready.wait()
    end = time.perf_counter() + seconds
    count = 0
    while time.perf_counter() < end:
        connection.execute("INSERT INTO rows (data) VALUES (?)", (ROW,))
        count += 1
    counts[client] = count
    connection.close()


setup = connect()
setup.execute("DROP TABLE IF EXISTS rows")
setup.execute("CREATE TABLE rows (row INTEGER PRIMARY KEY, data BLOB)")
ready = threading.Barrier(clients + 1)
counts = [0] * clients
threads = [threading.Thread(target=append, args=(client, ready, counts)) for client in range(clients)]
for thread in threads:
    thread.start()
ready.wait()
started = time.perf_counter()
for thread in threads:
    thread.join()
print(json.dumps({"acks": sum(counts), "seconds": time.perf_counter() - started}))
