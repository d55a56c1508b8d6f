"""Does every step of the histories on standard input again, with numpy on a copy-on-write memmap of the same bytes."""

import base64
import io
import json
import os
import sys
import tempfile

import numpy as np

unbase = base64.b64decode


def open_array(folder, h):
    name = os.path.join(folder, f"{h['seed']}.npy" if h["format"] == "npy" else f"{h['seed']}.bin")
    with open(name, "wb") as out:
        out.write(unbase(h["initial"]))
    shape, dtype = tuple(h["shape"]), np.dtype(h["typestr"])
    if 0 in shape:
        return np.empty(shape, dtype, order=h["order"])
    if h["format"] == "npy":
        return np.load(name, mmap_mode="c")
    return np.memmap(name, dtype=dtype, mode="c", offset=h["offset"], shape=shape, order=h["order"])


def indices(text):
    # The ellipsis changes no result, but keeps numpy from making a native scalar of it.
    text = "..." if text is None else text if "..." in text else text + ", ..."
    return eval("np.s_[" + text.strip() + "]", {"np": np, "newaxis": np.newaxis})


def floats(data):
    if isinstance(data, list):
        return [floats(each) for each in data]
    return float(data) if isinstance(data, str) and data in ("NaN", "Infinity", "-Infinity") else data


def integers(data):
    if isinstance(data, list):
        return [integers(each) for each in data]
    return int(data) if isinstance(data, str) else data


def of_json(data, dtype):
    return np.array(floats(data) if dtype.kind == "f" else integers(data), dtype=dtype)


def decoded(value, dtype):
    if "json" in value:
        return of_json(json.loads(value["json"]), dtype)
    return np.ndarray(tuple(value["shape"]), value["dtype"], unbase(value["data"]), order=value["order"])


def same(a, b):
    return (
        a.shape == b.shape
        and bool(np.all((a == b) | ((a != a) & (b != b))))
        and bool(np.all(np.signbit(a) == np.signbit(b)) if a.dtype.kind == "f" and not np.isnan(a).any() else True)
    )


def check(h, a, step):
    where = h["seed"], step["slice"], h["typestr"], h["shape"], h["order"]
    try:
        found = a[indices(step["slice"])]
    except IndexError:
        assert step.get("error"), where
        return
    if step["kind"] == "read":
        assert not step.get("error"), where
        found = np.asarray(found)
        assert ",".join(map(str, found.shape)) == step["shape"], where
        assert found.tobytes() == unbase(step["raw"]), where
        loaded = np.load(io.BytesIO(unbase(step["npy"])))
        assert loaded.dtype == found.dtype and loaded.shape == found.shape and loaded.tobytes() == found.tobytes(), (
            where
        )
        told = json.loads(step["json"])
        assert told["shape"] == list(found.shape) and told["dtype"] == found.dtype.str, where
        if 0 not in found.shape:
            assert same(of_json(told["data"], found.dtype), found), where
        else:
            assert told["data"] == found.tolist(), where
        return
    if step["error"] is None:
        assert a[indices(step["slice"])].size == 0, where
        return
    value = decoded(step["value"], a.dtype)
    try:
        with np.errstate(all="ignore"):
            a[indices(step["slice"])] = value
    except ValueError:
        assert step["error"], where
    else:
        assert not step["error"], where


def main():
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for h in json.load(sys.stdin):
            a = open_array(folder, h)
            for step in h["steps"]:
                check(h, a, step)
                count += 1
            start, final = h["offset"], unbase(h["final"])
            initial = unbase(h["initial"])
            assert final[:start] == initial[:start] and final[start + a.nbytes :] == initial[start + a.nbytes :], h[
                "seed"
            ]
            assert a.tobytes(order=h["order"]) == final[start : start + a.nbytes], h["seed"]
    print(count, "steps")


if __name__ == "__main__":
    main()
