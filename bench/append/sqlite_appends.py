"""The same rows as INSERTs of SQLite in this process: WAL, synchronous=FULL, one connection per client.

Prints what it counted. Usage: sqlite_appends.py FOLDER CLIENTS SECONDS
"""
import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(__file__), ".."))
from counted import connect, count

ROW = b"\1" * 4096

folder, clients, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
path = os.path.join(folder, "rows.sqlite")


def begin(client):
    connection = connect(path)
    return lambda turn: connection.execute("INSERT INTO rows (data) VALUES (?)", (ROW,))


setup = connect(path)
setup.execute("DROP TABLE IF EXISTS rows")
setup.execute("CREATE TABLE rows (row INTEGER PRIMARY KEY, data BLOB)")
print(json.dumps(count(clients, seconds, begin)))
