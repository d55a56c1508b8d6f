"""Random dtypes of every kind and their items, as bytes and as JSON, for json-items.test.ts.

Arguments: a seed, how many cases. Output: a JSON object per line: {"dtype", "shape", "bytes" (base64), "json",
"texts", "assigned" (base64)}. The JSON is that of a model of its own, with 64-bit integers as texts; `texts` are ways to write
it, and `assigned` is what numpy makes of the same
values, put one by one into zeros. It is null where the items hold what JSON cannot bring back: code points that are none.
"""

import base64
import json
import math
import sys

import numpy as np

np.seterr(over="ignore")
random = np.random.default_rng(int(sys.argv[1]))
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "25us", "10ms", "3D"]
POINTS = [0, 0, 9, 10, 31, 34, 47, 92, 127, 65, 97, 122, 0xE9, 0x20AC, 0xFFFD, 0xFFFF, 0x1F600, 0x10FFFF]
WILD_POINTS = [0xD800, 0xDBFF, 0xDC00, 0xDFFF, 0x110000, 0xFFFFFFFF]


def pick(choices):
    return choices[int(random.integers(len(choices)))]


def leaf_dtype():
    order = pick("<>")
    kind = pick("?biufcMmSUV" "MmSUV")
    if kind == "?":
        return "|b1"
    if kind in "iu":
        return order + kind + pick("1248")
    if kind == "b":
        return "|i1"
    if kind == "f":
        return order + kind + pick("248")
    if kind == "c":
        return order + pick(["c8", "c16"])
    if kind in "Mm":
        return "%s%s8%s" % (order, kind, pick(["[%s]" % pick(UNITS), "[%s]" % pick(UNITS), ""]))
    return "%s%s%d" % (order if kind == "U" else "|", kind, pick([1, 2, 3, 5, 11, 40]))


def random_dtype(depth):
    if depth == 0 or random.random() < 0.4:
        return np.dtype(leaf_dtype())
    count = int(random.integers(1, 5))
    names = ["f%d" % i if random.random() < 0.7 else "é\"\\ %d.\U0001f600" % i for i in range(count)]
    formats = []
    for _ in range(count):
        inner = random_dtype(depth - 1)
        shape = tuple(int(n) for n in random.integers(1, 4, int(random.integers(0, 3))))
        formats.append((inner, shape) if random.random() < 0.4 and shape else inner)
    plain = np.dtype({"names": names, "formats": formats}, align=bool(random.random() < 0.5))
    if random.random() < 0.6:
        return plain
    # Fields in any order, with bytes of nobody between them.
    places = list(random.permutation(count))
    offsets = [0] * count
    end = 0
    for place in places:
        end += int(random.integers(0, 4))
        offsets[place] = end
        end += np.dtype(formats[place]).itemsize
    return np.dtype({"names": names, "formats": formats, "offsets": offsets, "itemsize": end + int(random.integers(0, 4))})


def description(dtype):
    if dtype.names is None:
        return dtype.str
    formats = []
    for name in dtype.names:
        field = dtype.fields[name][0]
        shape = list(field.shape)
        formats.append([description(field.base), shape] if shape else description(field.base))
    return {
        "names": list(dtype.names),
        "formats": formats,
        "offsets": [dtype.fields[name][1] for name in dtype.names],
        "itemsize": dtype.itemsize,
    }


def leaf_bytes(dtype, wild):
    """The bytes of one random leaf, in native order or the other one: random, but dates are those of some thousand years."""
    if dtype.kind == "b":
        return bytes([int(random.integers(2))])
    if dtype.kind in "Mm":
        limit = {"Y": 3000, "M": 40000, "W": 100000}.get(np.datetime_data(dtype)[0], 10**6)
        if np.datetime_data(dtype)[0] in ("s", "ms", "us", "ns"):
            limit = 9 * 10**18 // (1000 if np.datetime_data(dtype)[1] > 1 else 1)
            limit = min(limit, {"s": 10**11, "ms": 10**14, "us": 10**17}.get(np.datetime_data(dtype)[0], limit))
        count = -(2**63) if random.random() < 0.1 else int(random.integers(-limit, limit))
        return np.array([count], "i8").astype(dtype.byteorder + "i8").tobytes()
    if dtype.kind == "U":
        points = [pick(POINTS + WILD_POINTS if wild else POINTS) for _ in range(dtype.itemsize // 4)]
        points[int(random.integers(len(points) + 1)) :] = []
        points += [0] * (dtype.itemsize // 4 - len(points))
        return np.array(points, dtype.byteorder + "u4").tobytes()
    data = bytes(random.integers(0, 256, dtype.itemsize, dtype="u1"))
    if dtype.kind == "S":
        data = data[: int(random.integers(len(data) + 1))].ljust(dtype.itemsize, b"\0")
    if dtype.kind == "f" and random.random() < 0.3:
        data = np.array([pick([0.1, 1.5, -0.0, math.nan, math.inf, 1e300])], "f8").astype(dtype).tobytes()
    return data


def fill(dtype, data, start, wild):
    """Random leaves into the bytes of an item; what belongs to no field stays random."""
    if dtype.names is None:
        for i in range(math.prod(dtype.shape)):
            base = dtype.base
            if base.names is None:
                data[start : start + base.itemsize] = leaf_bytes(base, wild)
            else:
                fill(base, data, start, wild)
            start += base.itemsize
        return
    for name in dtype.names:
        fill(dtype.fields[name][0], data, start + dtype.fields[name][1], wild)


def float_json(value):
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(str(value))


def to_json(dtype, data):
    """The model: one leaf after the other, from its bytes."""
    if dtype.shape:
        step = dtype.itemsize // dtype.shape[0]
        inner = np.dtype((dtype.base, dtype.shape[1:])) if dtype.shape[1:] else dtype.base
        return [to_json(inner, data[i * step : (i + 1) * step]) for i in range(dtype.shape[0])]
    if dtype.names is not None:
        fields = [(name, *dtype.fields[name][:2]) for name in dtype.names]
        return {name: to_json(inner, data[at : at + inner.itemsize]) for name, inner, at in fields}
    if dtype.kind == "U":
        points = np.frombuffer(data, dtype.byteorder + "u4").tolist()
        while points and points[-1] == 0:
            points.pop()
        valid = [point < 0xD800 or 0xDFFF < point < 0x110000 for point in points]
        return "".join(chr(point) if ok else "\ufffd" for point, ok in zip(points, valid))
    value = np.frombuffer(data, dtype)[0]
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind in "iu":
        return int(value) if dtype.itemsize < 8 else str(int(value))
    if dtype.kind == "f":
        return float_json(value)
    if dtype.kind == "c":
        return [float_json(value.real), float_json(value.imag)]
    if dtype.kind in "Mm":
        if np.isnat(value):
            return "NaT"
        if dtype.kind == "m" or np.datetime_data(dtype)[0] == "generic":
            return str(value.view(value.dtype.str.replace("M", "i").replace("m", "i").split("[")[0]).astype("i8"))
        return str(np.datetime_as_string(value.astype(dtype.newbyteorder("="))))
    if dtype.kind == "S":
        return value.decode("latin-1")
    return base64.b64encode(data).decode()


def to_numpy(dtype, value):
    """What numpy is given for the JSON of an item."""
    if dtype.shape:
        inner = np.dtype((dtype.base, dtype.shape[1:])) if dtype.shape[1:] else dtype.base
        return [to_numpy(inner, each) for each in value]
    if dtype.names is not None:
        return tuple(to_numpy(dtype.fields[name][0], value[name]) for name in dtype.names)
    if dtype.kind in "iu":
        return int(value)
    if dtype.kind == "f":
        return float(value)
    if dtype.kind == "c":
        return complex(float(value[0]), float(value[1]))
    if dtype.kind in "Mm" and value != "NaT" and (dtype.kind == "m" or np.datetime_data(dtype)[0] == "generic"):
        return np.array([int(value)], "i8").view(dtype.newbyteorder("="))[0]
    if dtype.kind in "Mm":
        return (np.datetime64 if dtype.kind == "M" else np.timedelta64)(value, *unit_of(dtype))
    if dtype.kind == "S":
        return value.encode("latin-1")
    if dtype.kind == "V":
        return base64.b64decode(value)
    return value


def unit_of(dtype):
    unit, count = np.datetime_data(dtype)
    return [] if unit == "generic" else [(unit, count)]


def case(number):
    dtype = random_dtype(number % 4)
    shape = [int(n) for n in random.integers(0 if random.random() < 0.1 else 1, 4, int(random.integers(0, 3)))]
    wild = number % 3 == 0
    size = math.prod(shape)
    data = bytearray(random.integers(0, 256, size * dtype.itemsize, dtype="u1"))
    for i in range(size):
        fill(dtype, data, i * dtype.itemsize, wild)
    items = [to_json(dtype, bytes(data[i * dtype.itemsize : (i + 1) * dtype.itemsize])) for i in range(size)]
    assigned = np.zeros(size, dtype)
    for i, item in enumerate(items):
        assigned[i] = to_numpy(dtype, item)
    whole = nested(items, shape)
    described = description(dtype)
    # numpy 2.4 forgets the byte order of what has no unit.
    wild = wild or any('"%s"' % text in json.dumps(described) for text in (">M8", ">m8"))
    return {
        "dtype": described,
        "shape": shape,
        "bytes": base64.b64encode(data).decode(),
        "json": whole,
        "texts": [json.dumps(whole), json.dumps(whole, ensure_ascii=False, indent=1)],
        "assigned": None if wild else base64.b64encode(assigned.tobytes()).decode(),
    }


def nested(items, shape):
    if not shape:
        return items[0]
    step = len(items) // shape[0] if shape[0] else 0
    return [nested(items[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


for number in range(int(sys.argv[2])):
    print(json.dumps(case(number)))
