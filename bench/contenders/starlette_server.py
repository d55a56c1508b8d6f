"""What one writes in an afternoon: numpy.memmap behind Starlette. usage: starlette_server.py FILE PORT"""
import sys
import numpy as np, orjson, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

m = np.memmap(sys.argv[1], dtype="<f4", mode="r", shape=(250_000, 1_000))

async def block(request):
    r0, r1, c0, c1 = (int(request.query_params[key]) for key in ("r0", "r1", "c0", "c1"))
    part = np.ascontiguousarray(m[r0:r1, c0:c1])
    if request.query_params["format"] == "raw":
        return Response(part.tobytes(), media_type="application/octet-stream")
    return Response(orjson.dumps(part, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")

app = Starlette(routes=[Route("/block", block)])
uvicorn.run(app, port=int(sys.argv[2]), loop="uvloop", http="httptools", log_level="warning", access_log=False)
