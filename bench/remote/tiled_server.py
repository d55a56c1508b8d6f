"""Tiled over the mapped file: `tiled_server.py FILE PORT`."""

import sys

import numpy as np
import uvicorn
from tiled.adapters.array import ArrayAdapter
from tiled.adapters.mapping import MapAdapter
from tiled.config import Authentication
from tiled.server.app import build_app

array = np.memmap(sys.argv[1], "<f4", "r").reshape(-1, 1000)
tree = MapAdapter({"a": ArrayAdapter.from_array(array)})
app = build_app(tree, authentication=Authentication(allow_anonymous_access=True))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="error", access_log=False)
