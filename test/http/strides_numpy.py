"""Raw files seen with strides, beside numpy's as_strided: python strides_numpy.py URL FOLDER FIRST_SEED COUNT."""

import os
import random
import sys

import numpy as np
from numpy.lib.stride_tricks import as_strided

from array_oracle import Service, check_read, check_select, check_statistics, check_write, check_zarr, random_values

DTYPES = "|u1 <i2 >i2 <i4 >i4 <i8 <f4 >f4 <f8 >f8".split()


def nested(pick, itemsize, shape):
    """Strides that nest, in any order of the axes and in both directions."""
    order = list(range(len(shape)))
    pick.shuffle(order)
    strides, span = [0] * len(shape), itemsize
    for axis in order:
        stride = span + pick.choice([0, 0, 1, itemsize, 3 * itemsize, pick.randint(0, 5000)])
        strides[axis] = stride * pick.choice([1, 1, -1])
        span += stride * (shape[axis] - 1)
    return strides


def overlapping(pick, itemsize, shape):
    return [pick.choice([0, 1, itemsize, -itemsize, 2 * itemsize, pick.randint(-60, 60)]) for _ in shape]


def main(url, folder, first, count):
    service = Service(url)
    for seed in range(first, first + count):
        pick, rng = random.Random(seed), np.random.default_rng(seed)
        dtype = np.dtype(pick.choice(DTYPES))
        rank = pick.randint(1, 4)
        shape = [pick.choice([1, 2, 3, 5, 8, [400, 40, 12, 6][rank - 1]]) for _ in range(rank)]
        if pick.random() < 0.05:
            shape[pick.randrange(rank)] = 0
        writable = pick.random() < 0.5
        strides = (nested if writable else pick.choice([nested, overlapping]))(pick, dtype.itemsize, shape)
        reach = [(length - 1) * stride if 0 not in shape else 0 for length, stride in zip(shape, strides)]
        before = -sum(each for each in reach if each < 0) + pick.randint(0, 100)
        after = sum(each for each in reach if each > 0) + dtype.itemsize + pick.randint(0, 9)
        content = random_values(rng, "u1", before + after)
        if dtype.kind == "f":
            # Other bits would be NaNs and numbers whose sums mean nothing.
            numbers = random_values(rng, dtype, (before + after) // dtype.itemsize)
            content[: numbers.nbytes] = np.frombuffer(numbers.tobytes(), "u1")
        # The end of the file is the end of the last element.
        path = os.path.join(folder, f"s{seed}.bin")
        content.tofile(path)
        name = f"s{seed}"
        body = {"name": name, "path": f"s{seed}.bin", "dtype": dtype.str, "shape": shape, "strides": strides, "offset": before}
        if writable:
            body["mode"] = "r+"
        told = service.json("POST", "/v1/datasets", body, status=201)
        assert told["strides"] == strides and told["offset"] == before, (seed, told)
        assert told["size"] == int(np.prod(shape)), (seed, told)
        assert told["mode"] == ("r+" if writable else "r"), (seed, told)
        first = np.ndarray([], dtype, content, before)
        view = as_strided(first, shape, strides)
        try:
            for _ in range(4):
                check_read(service, name, view, pick)
            for _ in range(2):
                check_select(service, name, view, pick)
            check_statistics(service, name, view, pick)
            check_zarr(service, name, view)
            if writable:
                for _ in range(3):
                    check_write(service, name, view, pick, rng)
                service.json("POST", f"/v1/datasets/{name}/flush")
                with open(path, "rb") as file:
                    assert file.read() == content.tobytes(), "the file differs from numpy's"
                check_read(service, name, view, pick)
        except AssertionError as error:
            raise AssertionError(f"seed {seed} {dtype} {shape} {strides}: {error}") from error
    print(f"{count} arrays")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
