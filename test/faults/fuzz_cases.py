"""Cases for the fuzz test, a line of JSON each, with what numpy makes of them.

headers SEED COUNT: whole .npy files, most with a mutated header. `array` is what np.load reads, or null where it
refuses; `sound` is true for files that np.save could have written with a dtype that is served.
slices SEED COUNT: slices of the arrays that `arrays` lists, read by the grammar of the interface and applied by numpy.
"""

import base64
import io
import json
import random
import re
import sys
import warnings

import numpy as np

warnings.simplefilter("ignore")
sys.set_int_max_str_digits(0)
HEADER_MAX = 64 * 1024
SERVED = ["?", "i1", "<i2", ">i4", "<i8", "u1", ">u2", "<u4", "<u8", "<f2", ">f4", "<f8", ">f8"]
TOKENS = [
    b"'", b'"', b"{", b"}", b"(", b")", b"[", b"]", b",", b":", b" ", b"\t", b"\n", b"\r", b"\\", b"#", b"\0", b"\x80",
    b"L", b"_", b"-", b"+", b"0", b"00", b"0x1", b"1e3", b"1.0", b"1_0", b"True", b"False", b"None", b"not True",
    b"'descr'", b"'shape'", b"'fortran_order'", b"'<f8'", b"'O'", b"'<U4'", b"'V4'", b"'<c16'", b"'|S3'", b"'=i4'",
    b"'<M8[s]'", b"[('a', '<f4')]", b"('<f4', (2,))", b"2**3", b"99999999999999999999", b"9223372036854775807",
    b"()", b"(3)", b"(3,)", b"(2, 3)", b"(0,)", b"(-1,)", b"(True,)", b"(1.0,)", b"u''", b"b''", b"\xc3\xa9", b"\xef\xbb\xbf",
]  # fmt: skip


def encoded(data):
    return base64.b64encode(data).decode()


def emit(case):
    sys.stdout.write(json.dumps(case) + "\n")


def sound_file(rng):
    shape = tuple(rng.randrange(0, 5) for _ in range(rng.randrange(0, 4)))
    dtype = np.dtype(rng.choice(SERVED if rng.random() < 0.9 else ["<c8", "S3", "<U2", "V4"]))
    size = int(np.prod(shape, dtype=int)) * dtype.itemsize
    data = bytes(rng.randrange(2) for _ in range(size)) if dtype.kind == "b" else rng.randbytes(size)
    array = np.frombuffer(data, dtype).reshape(shape)
    out = io.BytesIO()
    order = np.asfortranarray(array) if rng.random() < 0.3 else array
    np.lib.format.write_array(out, order, version=rng.choice([None, (1, 0), (2, 0), (3, 0)]), allow_pickle=False)
    return out.getvalue(), dtype.str in {np.dtype(name).str for name in SERVED}


def mutated(rng, file):
    """Changes a few bytes or tokens of the header; the length field is made right again more often than not."""
    start = 10 if file[6] == 1 else 12
    length = int.from_bytes(file[8:start], "little")
    head, data = bytearray(file[start : start + length]), file[start + length :]
    prefix = bytearray(file[:8])
    for _ in range(rng.choice([1, 1, 1, 2, 3, 8])):
        at = rng.randrange(len(head) + 1)
        kind = rng.randrange(8)
        if kind == 0 and at < len(head):
            head[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            head[at : at + rng.randrange(1, 8)] = b""
        elif kind == 2:
            head[at:at] = rng.choice(TOKENS)
        elif kind == 3:
            words = list(re.finditer(rb"'[^']*'|[0-9]+|True|False|\([^)]*\)|[{},:]", bytes(head)))
            if words:
                word = rng.choice(words)
                head[word.start() : word.end()] = rng.choice(TOKENS)
        elif kind == 4:
            other = rng.randrange(len(head) + 1)
            head[at:at] = head[min(at, other) : max(at, other)][:60]
        elif kind == 5:
            head[at:at] = b" " * rng.randrange(1, 200)
        elif kind == 6:
            prefix[rng.randrange(8)] = rng.randrange(256) if rng.random() < 0.5 else rng.randrange(5)
        else:
            data = data[: rng.randrange(len(data) + 1)] if rng.random() < 0.5 else data + rng.randbytes(rng.randrange(9))
    width = 2 if prefix[6] == 1 else 4
    stated = len(head)
    if rng.random() < 0.1:
        stated = rng.choice([0, 1, stated + 1, stated - 1, stated * 2, 65535, 2**31, rng.randrange(2**16)])
    stated = max(0, min(stated, 256**width - 1))
    return bytes(prefix) + stated.to_bytes(width, "little") + bytes(head) + data


def loaded(file):
    """What numpy reads; None where it refuses."""
    try:
        array = np.lib.format.read_array(io.BytesIO(file), allow_pickle=False, max_header_size=HEADER_MAX)
    except Exception:
        return None
    return {"dtype": array.dtype.str, "shape": list(array.shape), "data": encoded(array.tobytes())}


def headers(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        file, served = sound_file(rng)
        sound = served and rng.random() < 0.1
        if not sound:
            file = mutated(rng, file)
        emit({"file": encoded(file), "array": loaded(file), "sound": sound})


ARRAYS = {
    "scalar": (),
    "line": (7,),
    "plane": (5, 6),
    "cube": (3, 4, 5),
    "hollow": (0, 3),
    "four": (2, 1, 3, 2),
}
BOUNDS = ["", "", "0", "1", "2", "3", "-1", "-2", "5", "6", "7", "-7", "100", "-100", "9" * 19, "-" + "9" * 19, "9" * 400,
          "00", "-0", "007", "9007199254740993", "-9223372036854775808"]  # fmt: skip
ODD = ["", " ", "+1", "1_0", "1.0", "1e1", "0x1", "--1", "- 1", "a", "...", "newaxis", "None", "none", "::::", "1:2:3:4",
       ":", "::", ": :", " 1 ", "\t1", "1\n", "\u0661", "\uff11", "\u00a01", "[0]", "(0)", "True", "\0", "%31", "&", "1;2",
       "..", "....", "Ellipsis", "np.newaxis", "1:2:0", "::-0", "\u2212" + "1"]  # fmt: skip


def slice_text(rng):
    parts = []
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 70 if rng.random() < 0.02 else 2])):
        kind = rng.random()
        if kind < 0.3:
            part = rng.choice(BOUNDS)
        elif kind < 0.75:
            part = ":".join(rng.choice(BOUNDS) for _ in range(rng.choice([2, 2, 3])))
        elif kind < 0.9:
            part = rng.choice(["...", "newaxis", "None", ":"])
        else:
            part = rng.choice(ODD)
        parts.append(" " * rng.randrange(2) + part + " " * rng.randrange(2))
    text = ",".join(parts)
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(["", ",", ":", "-", "0", " ", ".", "x", "\u0660"]) + text[at + rng.randrange(2) :]
    return text


def parsed(text):
    """The parts of a slice by the grammar of the interface; None where it has none."""
    def integer(digits):
        return int(digits) if re.fullmatch(r"-?[0-9]+", digits) else None

    parts = []
    texts = [each.strip(" ") for each in text.split(",")]
    # As in Python, one comma may follow the last part.
    if len(texts) > 1 and texts[-1] == "":
        texts.pop()
    if texts == [""]:
        return None
    for part in texts:
        if part in ("...", "newaxis", "None"):
            parts.append(Ellipsis if part == "..." else np.newaxis)
        elif integer(part) is not None:
            parts.append(integer(part))
        else:
            bounds = [each.strip(" ") for each in part.split(":")]
            if not 2 <= len(bounds) <= 3 or any(each != "" and integer(each) is None for each in bounds):
                return None
            values = [None if each == "" else integer(each) for each in bounds]
            if len(values) == 3 and values[2] == 0:
                return None
            parts.append(slice(*values))
    return None if sum(part is Ellipsis for part in parts) > 1 else tuple(parts)


def slices(seed, count):
    rng = random.Random(seed)
    arrays = {name: np.arange(np.prod(shape, dtype=int), dtype="<i4").reshape(shape) for name, shape in ARRAYS.items()}
    for _ in range(count):
        name, text = rng.choice(list(ARRAYS)), slice_text(rng)
        case = {"name": name, "slice": text}
        parts = parsed(text)
        if parts is None:
            emit({**case, "status": 400})
            continue
        try:
            result = np.asarray(arrays[name][parts])
        except (IndexError, OverflowError):
            emit({**case, "status": 422})
            continue
        emit({**case, "status": 200, "shape": list(result.shape), "data": encoded(result.tobytes())})


if __name__ == "__main__":
    kind, *numbers = sys.argv[1:]
    if kind == "arrays":
        emit(ARRAYS)
    else:
        {"headers": headers, "slices": slices}[kind](*map(int, numbers))
