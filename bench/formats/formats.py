"""The libraries' side of the bench of formats, of elements in memory. usage: formats.py FILE ROWS COLUMNS [PORT]

With a port: behind Starlette, as /csv/f4 and /json/f4/gzip. Without: reads the name of a case from each line, `csv f4`, and
answers with milliseconds and bytes.
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

def body(case, name, coding=None):
    data = CASES[case](name)
    return gzip(data) if coding else data


def serve(port):
    import uvicorn
    from starlette.applications import Starlette
    from starlette.responses import Response
    from starlette.routing import Route

    async def answer(request):
        coding = request.path_params.get("coding")
        headers = {"content-encoding": coding} if coding else {}
        return Response(bytes(body(**request.path_params)), headers=headers)

    app = Starlette(routes=[Route("/{case}/{name}", answer), Route("/{case}/{name}/{coding}", answer)])
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="warning", access_log=False)


def measure():
    print("ready", flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        data = body(*line.split())
        ms = (time.perf_counter() - started) * 1000
        print(ms, len(data), flush=True)
        del data


serve(int(sys.argv[4])) if len(sys.argv) > 4 else measure()
