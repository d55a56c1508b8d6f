"""What a client sees of one dataset, held against the same array in numpy: every way to read, compute and write it."""

import io
import json
import math
import urllib.error
import urllib.parse
import urllib.request

import numpy as np

NUMERIC = "iuf"


class Service:
    """Calls of one service."""

    def __init__(self, url):
        self.url = url

    def call(self, method, path, body=None, headers=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body).encode()
            headers = {"content-type": "application/json", **(headers or {})}
        request = urllib.request.Request(self.url + path, body, headers or {}, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, method, path, body=None, headers=None, status=200):
        found, _, text = self.call(method, path, body, headers)
        if found != status:
            raise AssertionError(f"{method} {path} {str(body)[:300]}: {found} {text[:500]}")
        return json.loads(text) if text else None

    def npy(self, method, path, body=None):
        found, _, answer = self.call(method, path, body, {"accept": "application/x-npy"})
        if found != 200:
            raise AssertionError(f"{method} {path} {str(body)[:300]}: {found} {answer[:500]}")
        return np.load(io.BytesIO(answer))


def at(name, suffix="", **query):
    asked = {key: value for key, value in query.items() if value is not None}
    return f"/v1/datasets/{name}{suffix}" + ("?" + urllib.parse.urlencode(asked) if asked else "")


def random_slice(pick, shape):
    """The text of a basic index, and the index itself."""
    parts = []
    for length in shape[: pick.randint(0, len(shape)) if pick.random() < 0.2 else len(shape)]:
        kind = pick.random()
        if kind < 0.2 and length > 0:
            parts.append(str(pick.randrange(-length, length)))
        elif kind < 0.25:
            parts.extend(["None", ":"])
        elif kind < 0.5:
            parts.append("::%d" % pick.choice([-1, 2, -2, 3, 7]))
        elif kind < 0.85:
            a, b = pick.randint(-length, length), pick.randint(-length, length)
            parts.append("%d:%d:%d" % (a, b, pick.choice([1, 1, 2, -1, -3])) if pick.random() < 0.5 else "%d:%d" % (min(a, b), max(a, b)))
        else:
            parts.append(":")
    text = ",".join(parts)
    if not text:
        return None, (...,)
    # The dots keep an element an array of no axes, in its byte order.
    return text, eval(f"np.s_[{text}, ...]", {"np": np, "None": None})


def same(found, expected, what):
    found, expected = np.asarray(found), np.asarray(expected)
    if found.shape != expected.shape or found.dtype != expected.dtype or found.tobytes() != expected.tobytes():
        raise AssertionError(f"{what}: {found.dtype}{found.shape} {found.ravel()[:6]} is not {expected.dtype}{expected.shape} {expected.ravel()[:6]}")


def plain(array):
    """As JSON has it."""
    if array.dtype.kind == "f":
        name = {math.inf: "Infinity", -math.inf: "-Infinity"}
        def one(value):
            return "NaN" if value != value else name.get(value, value)
        flat = [one(value) for value in array.astype("f8").ravel().tolist()]
        return np.array(flat, dtype=object).reshape(array.shape).tolist() if array.shape else flat[0]
    return array.tolist()


def check_read(service, name, array, pick):
    text, index = random_slice(pick, array.shape)
    expected = np.ascontiguousarray(array[index]).reshape(array[index].shape)
    form = pick.choice(["npy", "npy", "raw", "json", "convert"])
    what = f"{name}[{text}] as {form}"
    if form == "npy":
        same(service.npy("GET", at(name, "/data", slice=text)), expected, what)
    elif form == "raw":
        status, headers, body = service.call("GET", at(name, "/data.raw", slice=text))
        assert status == 200, (what, status, body[:300])
        assert body == expected.tobytes(), what
        assert headers["x-array-shape"] == ",".join(map(str, expected.shape)), what
        if len(body) > 4:
            start = pick.randrange(len(body))
            status, _, part = service.call("GET", at(name, "/data.raw", slice=text), headers={"range": f"bytes={start}-{start + 100}"})
            assert (part == body[start : start + 101]) if status == 206 else status == 200, (what, "range", status)
    elif form == "json":
        answer = service.json("GET", at(name, "/data", slice=text))
        assert answer["shape"] == list(expected.shape), what
        found = np.array(answer["data"], dtype=object) if expected.dtype.kind != "f" else None
        if found is None:
            assert repr(answer["data"]) == repr(plain(expected)) or np.allclose(
                np.array(answer["data"], dtype="f8"), expected.astype("f8"), rtol=1e-6, equal_nan=True
            ), what
        else:
            assert answer["data"] == expected.tolist(), what
    else:
        with np.errstate(invalid="ignore"):
            wanted = expected.astype("<f8")
        same(service.npy("GET", at(name, "/data", slice=text, dtype="<f8", casting="unsafe")), wanted, what)


def check_select(service, name, array, pick):
    if array.ndim == 0 or array.size == 0:
        return
    kind = pick.choice(["index", "mask", "points", "slices", "where"])
    rows = array.shape[0]
    if kind == "index":
        wanted = [pick.randrange(-rows, rows) for _ in range(pick.randint(0, 20))]
        rest, picked = [], []
        for length in array.shape[1:]:
            a = pick.randint(0, length)
            rest.append(pick.choice([":", f"{a}:", f":{a}"]))
            picked.append(eval(f"np.s_[{rest[-1]}]", {"np": np}))
        found = service.npy("POST", at(name, "/select"), {"index": [wanted, *rest]})
        same(found, np.ascontiguousarray(array[(np.array(wanted, dtype=int), *picked)]), f"{name} {wanted} {rest}")
    elif kind == "mask":
        mask = [pick.random() < 0.3 for _ in range(rows)]
        found = service.npy("POST", at(name, "/select"), {"mask": mask})
        same(found, np.ascontiguousarray(array[np.array(mask)]), f"{name} mask")
    elif kind == "points":
        points = [[pick.randrange(length) for length in array.shape] for _ in range(pick.randint(1, 20))]
        found = service.npy("POST", at(name, "/select"), {"points": points})
        same(found, array[tuple(np.array(points).T)], f"{name} points")
    elif kind == "slices":
        asked = [random_slice(pick, array.shape) for _ in range(3)]
        asked = [(text or "...", index) for text, index in asked]
        found = service.json("POST", at(name, "/select"), {"slices": [text for text, _ in asked]})
        for one, (text, index) in zip(found["slices"] if isinstance(found, dict) and "slices" in found else found["results"] if isinstance(found, dict) and "results" in found else found, asked):
            assert one["shape"] == list(array[index].shape), (name, text)
    elif array.ndim in (1, 2) and array.dtype.kind in NUMERIC:
        column = pick.randrange(array.shape[1]) if array.ndim == 2 else None
        keys = array if column is None else array[:, column]
        bound = keys[pick.randrange(rows)]
        if bound != bound or math.isinf(float(bound)):
            return
        where = {"self": True} if column is None else {"column": column}
        # As JSON writes it, so that both compare with the same number.
        number = float(bound) if array.dtype.kind == "f" else int(bound)
        found = service.npy("POST", at(name, "/select"), {"where": {**where, "gt": number}})
        with np.errstate(invalid="ignore"):
            kept = keys.astype("f8") > number if array.dtype.kind == "f" else keys > bound
        same(found, np.ascontiguousarray(array[kept]), f"{name} where {where} > {number}")


def close(found, expected, what):
    found = np.array(found, dtype="f8")
    expected = np.asarray(expected, dtype="f8")
    if found.shape != expected.shape or not np.allclose(found, expected, rtol=1e-6, atol=1e-9, equal_nan=True):
        raise AssertionError(f"{what}: {found.ravel()[:6]} {found.shape} is not {expected.ravel()[:6]} {expected.shape}")


def check_statistics(service, name, array, pick):
    if array.dtype.kind not in NUMERIC:
        return
    text, index = random_slice(pick, array.shape)
    chosen = array[index]
    if chosen.dtype.kind == "f" and not (np.abs(chosen.astype("f8")) < 1e12).all():
        # Bytes that were no numbers: numpy's own sums overflow.
        return
    axis = pick.choice([None, *range(chosen.ndim)])
    empty = chosen.size == 0 or (axis is not None and chosen.shape[axis] == 0)
    if chosen.size == 0 and not (axis is None):
        return
    ops = ["count", "sum", "mean", "var", "std", "any", "all", "count_nonzero"]
    if not empty:
        ops += ["min", "max", "ptp", "argmin", "argmax", "median"]
    query = {"ops": ops, **({"slice": text} if text else {}), **({} if axis is None else {"axis": axis})}
    answer = service.json("POST", at(name, "/statistics"), query)
    results = answer["results"]
    what = f"{name}[{text}] axis {axis}"
    f8 = chosen.astype("f8")
    with np.errstate(all="ignore"):
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = {
                "sum": f8.sum(axis=axis),
                "mean": f8.mean(axis=axis),
                "var": f8.var(axis=axis),
                "std": f8.std(axis=axis),
                "any": chosen.any(axis=axis),
                "all": chosen.all(axis=axis),
                "count_nonzero": np.count_nonzero(chosen, axis=axis),
            }
            if not empty:
                expected.update(
                    {
                        "min": f8.min(axis=axis),
                        "max": f8.max(axis=axis),
                        "ptp": f8.max(axis=axis) - f8.min(axis=axis),
                        "argmin": np.ascontiguousarray(chosen).reshape(chosen.shape).argmin(axis=axis),
                        "argmax": np.ascontiguousarray(chosen).reshape(chosen.shape).argmax(axis=axis),
                        "median": np.median(f8, axis=axis),
                    }
                )
    for op, value in expected.items():
        close(results[op], value, f"{what} {op}")
    if chosen.dtype.kind in "iu" and axis is None and chosen.size:
        assert results["sum"] == sum(chosen.ravel().tolist()), f"{what}: exact sum"


def check_zarr(service, name, array):
    """Every chunk, laid out where it belongs."""
    status, _, text = service.call("GET", f"/zarr/{name}/zarr.json")
    assert status == 200, (name, status, text[:300])
    document = json.loads(text)
    assert document["shape"] == list(array.shape), name
    chunks = document["chunk_grid"]["configuration"]["chunk_shape"]
    native = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<")).reshape(array.shape)
    counts = [math.ceil(length / chunk) for length, chunk in zip(array.shape, chunks)]
    for key in np.ndindex(*counts):
        status, _, body = service.call("GET", f"/zarr/{name}/c" + "".join(f"/{i}" for i in key))
        assert status == 200, (name, key, status, body[:300])
        found = np.frombuffer(body, native.dtype).reshape(chunks)
        place = tuple(slice(i * chunk, (i + 1) * chunk) for i, chunk in zip(key, chunks))
        expected = native[place]
        same(found[tuple(slice(0, length) for length in expected.shape)], expected, f"{name} chunk {key}")


def random_values(rng, dtype, shape):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        values = rng.standard_normal(shape) * 100
    elif dtype.kind == "b":
        values = rng.random(shape) < 0.5
    else:
        info = np.iinfo(dtype)
        values = rng.integers(max(info.min, -(2**40)), min(info.max, 2**40), shape, endpoint=True)
    return np.asarray(values).astype(dtype)


def check_write(service, name, array, pick, rng):
    """Writes through the service and into `array`, which is the same array in numpy."""
    text, index = random_slice(pick, array.shape)
    shape = array[index].shape
    if 0 in shape:
        # Whether it is refused as outside is not for numpy to say.
        return None
    kind = pick.choice(["raw", "npy", "json", "fill", "none", "many"])
    headers = {"content-type": "application/octet-stream"}
    if kind == "many":
        asked = [random_slice(pick, array.shape) for _ in range(3)]
        writes = []
        for text, index in asked:
            if 0 in array[index].shape:
                continue
            value = random_values(rng, array.dtype, ())
            writes.append({"slice": text or "...", "data": plain(value)})
            array[index] = value
        return service.json("POST", at(name, "/writes"), {"writes": writes}) if writes else None
    data = random_values(rng, array.dtype, shape)
    if kind == "fill":
        data = random_values(rng, array.dtype, ())
        body, headers = json.dumps(plain(data)).encode(), {"content-type": "application/json"}
    elif kind == "json":
        body, headers = json.dumps(plain(data)).encode(), {"content-type": "application/json"}
    elif kind == "npy":
        file = io.BytesIO()
        np.save(file, data if pick.random() < 0.5 else np.asfortranarray(data))
        body, headers = file.getvalue(), {"content-type": "application/x-npy"}
    else:
        body = data.tobytes()
    answer = service.json("PUT", at(name, "/data", slice=text, durability="none" if kind == "none" else None), body, headers)
    array[index] = data
    assert answer["elements"] == math.prod(shape), (name, text, answer)
    return answer
