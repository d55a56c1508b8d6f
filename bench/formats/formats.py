"""The libraries' side of the bench of formats: reads the name of a case from each line, answers with milliseconds and bytes.

The elements are in memory. What is measured is what a program of its own would do to send them: text or a stream, as bytes.
"""

import io
import sys
import time
import zlib

import numpy as np
import orjson
import pandas as pd
import pyarrow as pa

rows, columns = int(sys.argv[2]), int(sys.argv[3])
single = np.fromfile(sys.argv[1], "<f4").reshape(rows, columns)
ARRAYS = {"f4": single, "f8": single.astype("<f8") / 3}
FRAMES = {name: pd.DataFrame(a, columns=[f"c{i}" for i in range(columns)]) for name, a in ARRAYS.items()}


def csv(name):
    return FRAMES[name].to_csv(index=False, lineterminator="\n").encode()


def json(name):
    return orjson.dumps({"data": ARRAYS[name]}, option=orjson.OPT_SERIALIZE_NUMPY)


def arrow(name):
    array = ARRAYS[name]
    table = pa.table({f"c{i}": np.ascontiguousarray(array[:, i]) for i in range(columns)})
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getbuffer()


def gzip(data):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


CASES = {"csv": csv, "json": json, "arrow": arrow}

print("ready", flush=True)
for line in sys.stdin:
    case, name, *coding = line.split()
    started = time.perf_counter()
    body = CASES[case](name)
    if coding:
        body = gzip(body)
    ms = (time.perf_counter() - started) * 1000
    print(ms, len(body), flush=True)
    del body
