"""The same writes as transactions of SQLite in this process: WAL, synchronous=FULL, one connection per writer.

Prints what it counted. Usage: sqlite_commits.py FOLDER WRITERS SECONDS
"""
import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), ".."))
from counted import connect, count

REST = b"\1" * (4096 - 8)
ROWS_PER_WRITER = 16

folder, writers, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "blocks.sqlite")


def block(turn):
    """Another one each time: SQLite does not write what is there already."""
    return turn.to_bytes(8, "little") + REST


def begin(writer):
    connection = connect(path)

    def write(turn):
        row = writer * ROWS_PER_WRITER + turn % ROWS_PER_WRITER
        connection.execute("UPDATE blocks SET data = ? WHERE row = ?", (block(turn + 1), row))

    return write


setup = connect(path)
setup.execute("CREATE TABLE IF NOT EXISTS blocks (row INTEGER PRIMARY KEY, data BLOB)")
setup.execute("BEGIN")
setup.executemany(
    "INSERT OR REPLACE INTO blocks VALUES (?, ?)",
    ((row, block(0)) for row in range(writers * ROWS_PER_WRITER)),
)
setup.execute("COMMIT")
print(json.dumps(count(writers, seconds, begin)))
