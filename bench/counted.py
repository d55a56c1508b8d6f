"""What the Python programs of the benches of commits and appends share: clients that are threads, and SQLite."""
import sqlite3
import threading
import time


def count(clients, seconds, begin):
    """Counts what clients get done at once. `begin(client)` runs in its thread, and returns what it does each turn."""
    ready = threading.Barrier(clients + 1)
    counts = [0] * clients

    def work(client):
        act = begin(client)
        ready.wait()
        end = time.perf_counter() + seconds
        turn = 0
        while time.perf_counter() < end:
            act(turn)
            turn += 1
        counts[client] = turn

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    for thread in threads:
        thread.start()
    ready.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return {"acks": sum(counts), "seconds": time.perf_counter() - started}


def connect(path):
    """One connection, whose commits are on the disk when they return."""
    connection = sqlite3.connect(path, timeout=60, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    return connection
