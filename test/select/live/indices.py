"""Random indices of numpy, and what numpy takes by them: arrays as .npy files, cases as JSON lines beside them.

usage: indices.py FOLDER SEED COUNT
"""

import base64
import io
import json
import random
import sys

import numpy as np

RECORD = np.dtype([("a", "<i4"), ("b", ">f8", (2,)), ("c", "S2")])
DTYPES = ["<f8", ">f4", "<i2", "|u1", "|b1", "<c8", ">c16", "<M8[s]", "|S3", "<U2", "|V5", RECORD]
SHAPES = [(), (0,), (5,), (3, 4), (7, 6), (1, 1), (4, 0, 3), (2, 3, 4), (5, 1, 3), (3, 2, 2, 3), (40, 30)]
FIELDS = [None, "a", "b", "c"]


def array_of(rng, dtype, shape, order):
    dtype = np.dtype(dtype)
    count = int(np.prod(shape))
    if dtype == np.bool_:
        flat = np.array([rng.random() < 0.5 for _ in range(count)], dtype)
    elif dtype.kind == "U":
        flat = np.array([chr(rng.randrange(65, 91)) * rng.randrange(3) for _ in range(count)], dtype)
    else:
        flat = np.frombuffer(rng.randbytes(count * dtype.itemsize), dtype)
    return flat.reshape(shape, order=order)


def as_booleans(values):
    """Nested lists with true and false for 1 and 0."""
    if isinstance(values, list):
        return [as_booleans(each) for each in values]
    return bool(values) if values in (0, 1) else values


class Case:
    """An index as JSON and as numpy's, item by item."""

    def __init__(self, rng, shape, masks):
        self.rng = rng
        self.shape = shape
        self.masks = masks
        self.json = []
        self.index = []
        self.outside = False
        self.length = rng.choice([0, 1, 2, 3, 3, 5])

    def add(self, text, item):
        self.json.append(text)
        self.index.append(item)

    def integer(self, length):
        if length == 0 or self.rng.random() < 0.01:
            self.outside = True
            return length + self.rng.randrange(3) if self.rng.random() < 0.5 else -length - 1 - self.rng.randrange(3)
        return self.rng.randrange(-length, length)

    def integers(self, shape, length):
        if not shape:
            return self.integer(length)
        return [self.integers(shape[1:], length) for _ in range(shape[0])]

    def slice(self, length):
        bound = lambda: self.rng.choice([None, self.rng.randrange(-length - 2, length + 3)])
        start, stop = bound(), bound()
        step = self.rng.choice([None, None, 1, 2, -1, -2, 3])
        write = lambda value: "" if value is None else str(value)
        text = f"{write(start)}:{write(stop)}" + ("" if step is None else f":{step}")
        self.add(text, slice(start, stop, step))

    def booleans(self, shape):
        if not shape:
            return self.rng.random() < 0.5
        return [self.booleans(shape[1:]) for _ in range(shape[0])]

    def item(self, axis):
        """Adds an item for an axis; answers how many axes it took."""
        rng, length = self.rng, self.shape[axis]
        kind = rng.choices(
            ["integer", "slice", "list", "nested", "booleans", "high", "mask"], [15, 30, 28, 8, 10, 5, 5]
        )[0]
        if kind == "slice":
            self.slice(length)
        elif kind == "integer":
            value = self.integer(length)
            self.add(value, value)
        elif kind in ("list", "nested"):
            last = self.length if rng.random() < 0.9 else rng.randrange(4)
            shape = [last] if kind == "list" else [rng.choice([1, 2, 2, 3]), rng.choice([1, last])]
            values = self.integers(shape, length)
            array = np.array(values, np.intp).reshape(shape)
            if rng.random() < 0.1 and not np.isin(array, (0, 1)).all():
                # Beside other integers, true and false are 1 and 0.
                values = as_booleans(values)
                assert np.array_equal(np.asarray(values), array)
            self.add(values, array)
        else:
            axes = 1 if kind == "booleans" else rng.randrange(1, 3)
            shape = tuple(self.shape[axis : axis + axes])
            if rng.random() < 0.03:
                shape = (shape[0] + 1, *shape[1:])
            if 0 in shape[:-1]:
                # Lists of nothing do not say how long those inside would be.
                self.slice(length)
                return 1
            if kind == "mask" and shape in self.masks:
                name, mask = rng.choice(self.masks[shape])
                self.add({"mask": name}, mask)
            elif 0 in shape:
                # [] is of integers.
                self.slice(length)
                return 1
            else:
                values = self.booleans(shape)
                self.add(values, np.array(values, bool))
            return len(shape)
        return 1


def index_case(rng, shape, masks):
    case = Case(rng, shape, masks)
    axis = 0
    has_ellipsis = False
    while True:
        if rng.random() < 0.08:
            case.add("newaxis", None)
        if not has_ellipsis and rng.random() < 0.12:
            has_ellipsis = True
            case.add("...", Ellipsis)
            axis += rng.randrange(len(shape) - axis + 1) if axis <= len(shape) else 0
        if axis >= len(shape) or rng.random() < 0.12:
            if rng.random() < 0.02:
                case.add(0, 0)
            break
        axis += case.item(axis)
    # What an ellipsis left is known only now: integers may have met another axis.
    return {"index": case.json}, tuple(case.index), case.outside


def is_outside(shape, index):
    """True where an integer lies outside its axis, also where nothing is taken."""
    taken = sum(0 if i is None or i is Ellipsis else (i.ndim if getattr(i, "dtype", None) == bool else 1) for i in index)
    axis = 0
    for i in index:
        if i is None:
            continue
        if i is Ellipsis:
            axis += len(shape) - taken
        elif getattr(i, "dtype", None) == bool:
            axis += i.ndim
        else:
            if not isinstance(i, slice):
                values = np.asarray(i)
                if values.size and not (-shape[axis] <= values.min() and values.max() < shape[axis]):
                    return True
            axis += 1
    return False


def orthogonal_case(rng, shape, masks):
    case = Case(rng, shape, masks)
    for length in shape[: rng.randrange(len(shape) + 1)]:
        kind = rng.choice(["integer", "slice", "list", "list", "booleans"])
        if kind == "integer":
            value = case.integer(length)
            case.add(value, value)
        elif kind == "slice":
            case.slice(length)
        elif kind == "list" or length == 0:
            values = case.integers([rng.randrange(4)], length)
            case.add(values, np.array(values, np.intp))
        else:
            values = case.booleans([length])
            case.add(values, np.array(values, bool))
    return {"index": case.json, "mode": "orthogonal"}, tuple(case.index), case.outside


def take_orthogonal(array, index):
    """np.ix_ of whole axes, then integers drop theirs."""
    full = list(index) + [slice(None)] * (array.ndim - len(index))
    axes, dropped = [], []
    for axis, (item, length) in enumerate(zip(full, array.shape)):
        if isinstance(item, slice):
            axes.append(np.arange(length)[item])
        elif isinstance(item, int):
            np.empty(length)[item]
            axes.append(np.array([item]))
            dropped.append(axis)
        else:
            axes.append(np.flatnonzero(item) if item.dtype == bool else item)
    return array[np.ix_(*axes)].squeeze(tuple(dropped)) if axes else array


def case_of(rng, arrays, masks):
    name, array = rng.choice(arrays)
    field = rng.choice(FIELDS) if array.dtype == RECORD else None
    part = array if field is None else array[field]
    kind = rng.choices(["index", "orthogonal", "mask", "points"], [80, 10, 4, 6])[0]
    take = lambda array, index: array[index]
    if kind == "index":
        body, index, outside = index_case(rng, part.shape, masks)
        outside = None
        try:
            outside = is_outside(part.shape, index)
        except IndexError:
            pass
    elif kind == "orthogonal":
        body, index, outside = orthogonal_case(rng, part.shape, masks)
        take = take_orthogonal
    elif kind == "mask":
        leading = [shape for shape in masks if part.shape[: len(shape)] == shape]
        if not leading:
            return None
        mask_name, index = rng.choice(masks[rng.choice(leading)])
        body, outside = {"mask": mask_name}, False
    else:
        case = Case(rng, part.shape, masks)
        points = [[case.integer(length) for length in part.shape] for _ in range(rng.randrange(6))]
        columns = np.array(points, np.intp).reshape(len(points), part.ndim)
        body, index, outside = {"points": points}, tuple(columns.T), case.outside
        if part.ndim == 0:
            take = lambda array, _: np.broadcast_to(array, (len(points),))
    found = {"array": name, "field": field, "body": body}
    try:
        taken = np.asarray(take(part, index), part.dtype)
    except (IndexError, ValueError) as error:
        return {**found, "refused": str(error)}
    if outside:
        return {**found, "refused": "an index is outside"}
    if rng.random() < 0.1:
        file = io.BytesIO()
        np.save(file, np.ascontiguousarray(taken).reshape(taken.shape))
        return {**found, "npy": base64.b64encode(file.getvalue()).decode()}
    data = base64.b64encode(taken.tobytes()).decode()
    return {**found, "dtype": taken.dtype.str, "shape": taken.shape, "data": data}


def main(folder, seed, count):
    rng = random.Random(seed)
    arrays = []
    for dtype in DTYPES:
        for shape in rng.sample(SHAPES, 4):
            arrays.append((f"a{len(arrays)}", array_of(rng, dtype, shape, rng.choice("CF"))))
    masks = {}
    for shape in SHAPES + [(3,), (2, 3), (7,), (4,), (40,)]:
        if shape:
            for order in "CF":
                mask = array_of(rng, "|b1", shape, order)
                masks.setdefault(shape, []).append((f"m{len(masks)}{order}", mask))
    for name, array in arrays + [each for group in masks.values() for each in group]:
        np.save(f"{folder}/{name}.npy", array)
    with open(f"{folder}/cases.jsonl", "w") as file:
        written = 0
        while written < count:
            case = case_of(rng, arrays, masks)
            if case is not None:
                file.write(json.dumps(case) + "\n")
                written += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
