"""Many files as one array, beside numpy's concatenate: python parts_numpy.py URL FOLDER FIRST_SEED COUNT."""

import os
import random
import sys

import numpy as np

from array_oracle import Service, at, check_read, check_select, check_statistics, check_write, check_zarr, random_values

DTYPES = "|u1 <i2 >i2 <i4 >i4 <i8 <f4 >f4 <f8 >f8".split()


def make_parts(pick, rng, folder, name):
    """Files, what they hold, and the members of a registration."""
    dtype = np.dtype(pick.choice(DTYPES))
    rank = pick.randint(1, 4)
    row = [pick.choice([1, 2, 3, 5, 17]) for _ in range(rank - 1)]
    if row and pick.random() < 0.05:
        row[0] = 0
    count = pick.choice([1, 2, 3, 7, 20])
    lengths = [pick.choice([0, 1, 1, 2, 5, 30]) for _ in range(count)]
    if pick.random() < 0.5:
        lengths[-1] = max(1, lengths[-1])
    raw = pick.random() < 0.4
    order, offset = pick.choice("CF"), pick.choice([0, 0, 7, 64])
    os.makedirs(os.path.join(folder, name))
    arrays, paths = [], []
    for i, length in enumerate(lengths):
        array = random_values(rng, dtype, [length, *row])
        path = os.path.join(name, f"p{i}.{'bin' if raw else 'npy'}")
        if raw:
            with open(os.path.join(folder, path), "wb") as file:
                file.write(b"\x07" * offset + array.tobytes(order))
        else:
            np.save(os.path.join(folder, path), np.asarray(array, order=pick.choice("CF")))
        arrays.append(array)
        paths.append(path)
    body = {"name": name, **({"paths": paths} if pick.random() < 0.5 else {"path": f"{name}/p*"})}
    if raw:
        body.update({"dtype": dtype.str, "order": order, "offset": offset})
        if rank > 1 or pick.random() < 0.5:
            body["shape"] = [None, *row]
        if 0 in row:
            # Of rows without bytes a file cannot say how many it holds.
            return None
    return arrays, paths, body, raw, offset, order


def main(url, folder, first, count):
    service = Service(url)
    for seed in range(first, first + count):
        pick, rng = random.Random(seed), np.random.default_rng(seed)
        name = f"many{seed}"
        made = make_parts(pick, rng, folder, name)
        if made is None:
            continue
        arrays, paths, body, raw, offset, order = made
        whole = np.concatenate(arrays).astype(arrays[0].dtype)
        writable = pick.random() < 0.6
        if writable:
            body["mode"] = "r+"
        if pick.random() < 0.4:
            body["external"] = False
        what = f"seed {seed} {whole.dtype.str} {[a.shape for a in arrays]} {body}"
        try:
            told = service.json("POST", "/v1/datasets", body, status=201)
            assert told["shape"] == list(whole.shape) and told["parts"] == len(arrays), told
            assert told["strides"] is None and told["order"] is None and told["offset"] is None, told
            assert told["mode"] == ("r+" if writable else "r"), told
            listed = service.json("GET", at(name, parts="true"))["parts"]
            assert listed == [{"path": p, "rows": len(a)} for p, a in zip(paths, arrays)], listed
            for step in range(3 if writable else 1):
                for _ in range(4):
                    check_read(service, name, whole, pick)
                for _ in range(2):
                    check_select(service, name, whole, pick)
                check_statistics(service, name, whole, pick)
                if writable:
                    for _ in range(2):
                        before = service.json("GET", at(name))["generation"]
                        answer = check_write(service, name, whole, pick, rng)
                        if answer:
                            assert answer["generation"] > before, answer
                            assert 1 <= answer["files"] <= len(arrays), answer
            check_zarr(service, name, whole)
            if writable:
                service.json("POST", f"/v1/datasets/{name}/flush")
                row = 0
                for path, array in zip(paths, arrays):
                    with open(os.path.join(folder, path), "rb") as file:
                        content = file.read()
                    expected = whole[row : row + len(array)]
                    row += len(array)
                    if raw:
                        assert content == b"\x07" * offset + expected.tobytes(order), f"{path} differs"
                    else:
                        found = np.load(os.path.join(folder, path))
                        assert found.tobytes() == expected.tobytes() and found.dtype == expected.dtype, f"{path} differs"
        except AssertionError as error:
            raise AssertionError(f"{what}: {error}") from error
    print(f"{count} arrays")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
