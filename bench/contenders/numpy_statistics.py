"""Answers each line of standard input (the name of a statistic) with {"ms", "value"}. usage: numpy_statistics.py FILE"""
import json, sys, time
import numpy as np

m = np.memmap(sys.argv[1], dtype="<f4", mode="r", shape=(250_000, 1_000))
statistics = {
    "mean": lambda: m.mean(dtype="f8"),
    "std": lambda: m.std(dtype="f8"),
    "std_axis0": lambda: m.std(axis=0, dtype="f8"),
}
for line in sys.stdin:
    started = time.perf_counter()
    value = statistics[line.strip()]()
    ms = (time.perf_counter() - started) * 1000
    print(json.dumps({"ms": ms, "value": np.asarray(value).tolist()}), flush=True)
