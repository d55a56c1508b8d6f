"""The mapped file as a Zarr store in a folder, not compressed, in chunks of 2 MB: `zarr_store.py FILE FOLDER`."""

import sys

import numpy as np
import zarr

array = np.memmap(sys.argv[1], "<f4", "r").reshape(-1, 1000)
store = zarr.create_array(sys.argv[2], shape=array.shape, dtype="<f4", chunks=(500, 1000), compressors=None)
store[:, :] = array
