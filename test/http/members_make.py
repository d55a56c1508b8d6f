"""Writes containers of every kind into a folder, and says what each of their arrays holds: argv[1] is the folder.

Prints a line of JSON per array: file, member, dtype, shape, order, mean (where there is one) and data as hexadecimal C order bytes.
"""

import json
import os
import struct
import sys
import zipfile
import zlib

import numpy as np

folder = sys.argv[1]
rng = np.random.default_rng(7)


def tell(file, member, array, **more):
    array = np.asarray(array)
    print(
        json.dumps(
            {
                "file": file,
                "member": member,
                "dtype": array.dtype.str,
                "shape": array.shape,
                "data": np.ascontiguousarray(array).tobytes().hex(),
                **more,
            }
        )
    )


def at(name):
    return os.path.join(folder, name)


ARRAYS = {
    "little": rng.normal(size=(7, 5)),
    "big": rng.normal(size=(4, 3)).astype(">f4"),
    "fortran": np.asfortranarray(rng.integers(-9, 9, (3, 4), np.int16)),
    "scalar": np.array(2.5, ">f8"),
    "empty": np.zeros((0,), np.uint8),
    "flat": np.zeros((3, 0), "<i4"),
    "text": np.array(["ä", "bcd"], "<U3"),
    "dates": np.array(["2026-11-30"], ">M8[D]"),
    "flags": np.array([True, False, True]),
    "a b/c": np.arange(3, dtype="<u8"),
    "ü": np.arange(3, dtype=">u2"),
}

np.savez(at("numpy.npz"), **ARRAYS)
for name in np.load(at("numpy.npz")).files:
    tell("numpy.npz", name, np.load(at("numpy.npz"))[name])

# A file that holds one array needs no name of it.
np.savez(at("one.npz"), only=ARRAYS["big"])
tell("one.npz", None, ARRAYS["big"])

# Two of one name: the last counts.
with zipfile.ZipFile(at("twice.npz"), "w") as archive:
    for value in (1, 2):
        with archive.open("x.npy", "w", force_zip64=value == 1) as member:
            np.lib.format.write_array(member, np.full((4,), value, "<f4"))
tell("twice.npz", "x", np.load(at("twice.npz"))["x"])


# Sizes in the data descriptor (flag 8), as writers to pipes have it.
class Pipe:
    def __init__(self, file):
        self.file = file

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


with open(at("piped.npz"), "wb") as file, zipfile.ZipFile(Pipe(file), "w") as archive:
    for name in ("first", "second"):
        with archive.open(f"{name}.npy", "w") as member:
            np.lib.format.write_array(member, ARRAYS["little"])
for name in ("first", "second"):
    tell("piped.npz", name, np.load(at("piped.npz"))[name])

# A member beyond 4 GiB, behind one that is a hole of 4.5 GiB.
FAR = 4_831_838_208


def local(name, size, crc):
    extra = struct.pack("<HHQQ", 1, 16, size, size)
    head = struct.pack("<IHHHHHIIIHH", 0x04034B50, 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra))
    return head + name + extra


def central(name, size, crc, offset):
    extra = struct.pack("<HHQQQ", 1, 24, size, size, offset)
    head = struct.pack(
        "<IHHHHHHIIIHHHHHII", 0x02014B50, 45, 45, 0, 0, 0, 0x21, crc, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(extra),
        0, 0, 0, 0, 0xFFFFFFFF,
    )
    return head + name + extra


with open(at("far.npz"), "wb") as file:
    file.write(local(b"hole.bin", FAR, 0))
    file.seek(FAR, 1)
    begin = file.tell()
    far = ARRAYS["big"]
    np.save(at("part.npy"), far)
    with open(at("part.npy"), "rb") as part:
        data = part.read()
    os.remove(at("part.npy"))
    file.write(local(b"far.npy", len(data), zlib.crc32(data)) + data)
    directory = file.tell()
    file.write(central(b"hole.bin", FAR, 0, 0) + central(b"far.npy", len(data), zlib.crc32(data), begin))
    end = file.tell()
    file.write(struct.pack("<IQHHIIQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 2, 2, end - directory, directory))
    file.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
    file.write(struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0))
tell("far.npz", "far", np.load(at("far.npz"))["far"])

np.savez_compressed(at("packed.npz"), x=ARRAYS["little"])
np.savez(at("objects.npz"), x=np.array([{}], object), y=ARRAYS["little"])
tell("objects.npz", "y", ARRAYS["little"])


def write_safetensors(name, tensors, data_bytes, parts=(), pad=0):
    header = json.dumps(tensors, separators=(",", ":")).encode() + b" " * pad
    with open(at(name), "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        start = file.tell()
        for place, data in parts:
            file.seek(start + place)
            file.write(data)
        file.truncate(start + data_bytes)


try:
    from safetensors import safe_open
    from safetensors.numpy import save_file
except ImportError:
    save_file = None

TENSORS = {
    "weight": rng.normal(size=(6, 4)).astype("<f4"),
    "half": rng.normal(size=(5,)).astype("<f2"),
    "counts": rng.integers(-9, 9, (2, 2, 2)).astype("<i8"),
    "flags": np.array([True, False]),
    "bytes": np.arange(5, dtype=np.uint8),
    "none": np.zeros((0,), "<f4"),
    "flat": np.zeros((3, 0), "<f8"),
    "number": np.array(7.5, "<f8"),
    'quoted "name"': np.arange(3, dtype="<u4"),
}
if save_file:
    save_file(TENSORS, at("model.safetensors"), metadata={"format": "np"})
    with safe_open(at("model.safetensors"), "np") as model:
        for name in model.keys():
            tell("model.safetensors", name, model.get_tensor(name))

far = TENSORS["weight"]
write_safetensors(
    "far.safetensors",
    {
        "hole": {"dtype": "U8", "shape": [FAR], "data_offsets": [0, FAR]},
        "far": {"dtype": "F32", "shape": [6, 4], "data_offsets": [FAR, FAR + far.nbytes]},
    },
    FAR + far.nbytes,
    [(FAR, far.tobytes())],
)
if save_file:
    with safe_open(at("far.safetensors"), "np") as model:
        far = model.get_tensor("far")
tell("far.safetensors", "far", far)

write_safetensors(
    "kinds.safetensors",
    {
        "__metadata__": {},
        "brain": {"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]},
        "tiny": {"dtype": "F8_E4M3", "shape": [4], "data_offsets": [4, 8]},
        "whole": {"dtype": "F32", "shape": [2], "data_offsets": [8, 16]},
    },
    16,
    [(8, np.array([1, 2], "<f4").tobytes())],
    pad=5,
)
tell("kinds.safetensors", "whole", np.array([1, 2], "<f4"))
