"""The same writes as transactions of SQLite in this process: WAL, synchronous=FULL, one connection per writer.

Prints what it counted. Usage: sqlite_commits.py FOLDER WRITERS SECONDS
"""
import json
import os
import sqlite3
import sys
import threading
import time

REST = b"\1" * (4096 - 8)
ROWS_PER_WRITER = 16

folder, writers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "blocks.sqlite")


def block(turn):
    """Another one each time: SQLite does not write what is there already."""
    return turn.to_bytes(8, "little") + REST


def connect():
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection


def write(writer, ready, counts):
    connection = connect()
    ready.wait()
    end = time.perf_counter() + seconds
    turn = 0
    while time.perf_counter() < end:
        row = writer * ROWS_PER_WRITER + turn % ROWS_PER_WRITER
        connection.execute("UPDATE blocks SET data = ? WHERE row = ?", (block(turn + 1), row))
        turn += 1
    counts[writer] = turn


setup = connect()
setup.execute("CREATE TABLE IF NOT EXISTS blocks (row INTEGER PRIMARY KEY, data BLOB)")
setup.execute("BEGIN")
setup.executemany(
    "INSERT OR REPLACE INTO blocks VALUES (?, ?)",
    ((row, block(0)) for row in range(writers * ROWS_PER_WRITER)),
)
setup.execute("COMMIT")
ready = threading.Barrier(writers + 1)
counts = [0] * writers
threads = [threading.Thread(target=write, args=(writer, ready, counts)) for writer in range(writers)]
for thread in threads:
    thread.start()
ready.wait()
started = time.perf_counter()
for thread in threads:
    thread.join()
print(json.dumps({"acks": sum(counts), "seconds": time.perf_counter() - started}))
