"""Does every step of the histories on standard input again, with numpy.memmap's mode c over a file that mode r+ writes."""

import base64
import json
import os
import sys
import tempfile

import numpy as np

unbase = base64.b64decode


def mapped(name, h, mode):
    if h["format"] == "npy":
        return np.load(name, mmap_mode=mode)
    shape = tuple(h["shape"])
    return np.memmap(name, dtype=h["typestr"], mode=mode, offset=h["offset"], shape=shape, order=h["order"])


def indices(text):
    return eval("np.s_[" + text + ", ...]", {"np": np})


def check_statistic(found, axis, results, where):
    for name, told in results.items():
        wide = found if found.dtype.kind == "f" else found.astype(object) if name == "sum" else found
        expected = getattr(np, name)(wide, axis=axis)
        assert np.array_equal(np.asarray(told, dtype=object), np.asarray(expected).astype(object)), (where, name)


def main():
    count = 0
    with tempfile.TemporaryDirectory() as folder:
        for h in json.load(sys.stdin):
            name = os.path.join(folder, str(h["seed"]) + (".npy" if h["format"] == "npy" else ".bin"))
            with open(name, "wb") as out:
                out.write(unbase(h["initial"]))
            seen = {each: mapped(name, h, mode) for each, mode in (("base", "r+"), ("one", "c"), ("two", "c"))}
            for number, step in enumerate(h["steps"]):
                where = h["seed"], number, step["kind"], step["on"], step.get("slice")
                a = seen[step["on"]]
                if step["kind"] == "discard":
                    seen[step["on"]] = mapped(name, h, "c")
                elif step["kind"] == "write":
                    target = a[indices(step["slice"])]
                    target[...] = np.frombuffer(unbase(step["data"]), a.dtype).reshape(step["shape"])
                elif step["kind"] == "read":
                    assert a[indices(step["slice"])].tobytes() == unbase(step["data"]), where
                else:
                    check_statistic(a[indices(step["slice"])], step["axis"], step["results"], where)
                count += 1
            with open(name, "rb") as left:
                assert left.read() == unbase(h["final"]), h["seed"]
    print(count, "steps")


if __name__ == "__main__":
    main()
