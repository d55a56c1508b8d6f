"""Random assignments through numpy's indices: arrays as .npy files, and what each assignment leaves of its array.

Of elements that are chosen twice the last one counts, in the C order of what is assigned to: that is done here one
element after the other, since numpy itself goes through index arrays in an order of its own.

usage: writes.py FOLDER SEED COUNT
"""

import base64
import json
import random
import sys

import numpy as np

from indices import SHAPES, array_of, index_case, is_outside, orthogonal_case, take_orthogonal, Case

RECORD = np.dtype([("a", "<i4"), ("pad", "|V3"), ("b", ">i2", (2,))])
DTYPES = ["<i4", ">i2", "<f8", "|u1", RECORD]


def chosen(rng, shape, masks):
    """A selector as JSON, and the C-order numbers of the elements that it takes, in their shape."""
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    kind = rng.choices(["index", "orthogonal", "mask", "points"], [70, 12, 8, 10])[0]
    if kind == "index":
        body, index, _ = index_case(rng, shape, masks)
        taken = numbers[index]
        if is_outside(shape, index):
            raise IndexError("outside")
        return body, np.asarray(taken)
    if kind == "orthogonal":
        body, index, outside = orthogonal_case(rng, shape, masks)
        taken = np.asarray(take_orthogonal(numbers, index))
        if outside:
            raise IndexError("outside")
        return body, taken
    if kind == "mask":
        leading = [each for each in masks if shape[: len(each)] == each]
        if not leading:
            raise IndexError("no mask")
        name, mask = rng.choice(masks[rng.choice(leading)])
        return {"mask": name}, numbers[mask]
    case = Case(rng, shape, masks)
    points = [[case.integer(length) for length in shape] for _ in range(rng.randrange(6))]
    if case.outside:
        raise IndexError("outside")
    columns = np.array(points, np.intp).reshape(len(points), len(shape))
    return {"points": points}, numbers[tuple(columns.T)] if shape else np.zeros(len(points), int)


def values_for(rng, shape):
    """Values that numpy would assign to a shape, as they come: whole, or with lengths of 1 or fewer axes."""
    if rng.random() < 0.3 or 0 in shape:
        # Lists of nothing do not say how long those inside would be.
        shape = ()
    else:
        shape = tuple(1 if rng.random() < 0.2 else length for length in shape[rng.choice([0, 0, 0, 1]) :])
    return np.array([rng.randrange(100) for _ in range(int(np.prod(shape)))], int).reshape(shape)


def case_of(rng, arrays, masks):
    name, array = rng.choice(arrays)
    writes = []
    left = array.copy(order="K")
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        field = rng.choice(["a", "b"]) if array.dtype == RECORD else None
        part = left if field is None else left[field]
        body, numbers = chosen(rng, part.shape, masks)
        values = values_for(rng, numbers.shape)
        assigned = np.broadcast_to(values, numbers.shape)
        flat = np.ascontiguousarray(part).reshape(-1)
        for number, value in zip(numbers.reshape(-1), assigned.reshape(-1)):
            flat[number] = value
        part[...] = flat.reshape(part.shape)
        writes.append({**body, "data": values.tolist(), **({} if field is None else {"field": field})})
    array[...] = left
    return {"array": name, "writes": writes, "left": base64.b64encode(array.tobytes()).decode()}


def main(folder, seed, count):
    rng = random.Random(seed)
    arrays = []
    for dtype in DTYPES:
        for shape in rng.sample(SHAPES, 5):
            arrays.append((f"w{len(arrays)}", np.array(array_of(rng, dtype, shape, rng.choice("CF")), order="K")))
    masks = {}
    for shape in SHAPES:
        if shape:
            masks.setdefault(shape, []).append((f"m{len(masks)}", array_of(rng, "|b1", shape, "C")))
    for name, array in arrays + [each for group in masks.values() for each in group]:
        np.save(f"{folder}/{name}.npy", array)
    with open(f"{folder}/cases.jsonl", "w") as file:
        written = 0
        while written < count:
            try:
                case = case_of(rng, arrays, masks)
            except IndexError:
                continue
            file.write(json.dumps(case) + "\n")
            written += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
