"""What numpy makes of conversions: for each pair of dtypes which castings allow it, and random elements converted.

Reads {"seed", "pairs": [[from, to], …]} from standard input, and prints a line of JSON for each pair. Where numpy leaves
the result to the processor (floats out of range become integers) Python's own integers say what the contract says.
"""

import base64
import json
import sys
import warnings

import numpy as np

asked = json.load(sys.stdin)
random = np.random.default_rng(asked['seed'])
COUNT = 40
NAT = np.iinfo('i8').min


def integers(dtype, count):
    bits = 8 * dtype.itemsize
    signed = dtype.kind == 'i'
    low, high = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if signed else (0, 2**bits - 1)
    ends = [low, high, 0, 1, low + 1, high - 1] + [sign * 2**power + odd for power in (7, 8, 15, 16, 24, 31, 32, 53, 63) for odd in (-1, 0, 1) for sign in (1, -1)]
    spread = [int(x) >> int(random.integers(0, bits)) for x in random.integers(-(2**63), 2**63 - 1, count)]
    values = [value for value in ends + spread if low <= value <= high]
    return np.array(values, dtype)


def floats(dtype, count):
    wide = np.dtype('f8') if dtype.itemsize == 8 else dtype
    bits = np.frombuffer(random.bytes(count * dtype.itemsize), dtype)
    values = list(random.standard_normal(count) * 10.0 ** random.integers(-8, 25, count))
    values += [0.0, -0.0, 0.5, -0.5, 1.5, np.inf, -np.inf, np.nan, 127.9, 128.0, -128.9, 255.5, 256.0, 2.0**31, 2.0**32, 2.0**53, 2.0**63, -(2.0**63), 2.0**64, 65519.9, 65520.0, 3.4028235e38, 3.5e38]
    with np.errstate(all='ignore'):
        return np.concatenate([np.array(values).astype(wide).astype(dtype), bits]).astype(dtype)


def texts(dtype, count):
    size = dtype.itemsize if dtype.kind == 'S' else dtype.itemsize // 4
    made = []
    for _ in range(count):
        length = int(random.integers(0, size + 1))
        made.append(''.join(chr(int(x)) for x in random.integers(1, 127, length)))
    return np.array(made + ['', 'a' * size]).astype(dtype)


def elements(dtype, to):
    if dtype.fields is not None:
        made = np.zeros(COUNT, dtype)
        for i, name in enumerate(dtype.names):
            field = dtype.fields[name][0]
            base, shape = field.base, field.shape
            other = to.fields[to.names[i]][0].base if to.fields is not None and i < len(to.names) else to
            each = elements(base, other)
            made[name] = np.resize(each, (COUNT, *shape))
        return made
    if dtype.kind == 'b':
        return np.array([True, False, True, True, False]).astype(dtype)
    if dtype.kind in 'iu':
        return integers(dtype, COUNT)
    if dtype.kind == 'f':
        return floats(dtype, COUNT)
    if dtype.kind == 'c':
        part = np.dtype(dtype.byteorder + 'f' + str(dtype.itemsize // 2))
        values = floats(part, COUNT)
        values = values[: len(values) // 2 * 2]
        return values.view(dtype)
    if dtype.kind in 'Mm':
        # No overflow: as far as both units reach, which depends on the units.
        limit = 2**62 if to.kind not in 'Mm' or to == dtype else reach(dtype, to)
        values = [int(x) >> int(random.integers(0, 62)) for x in random.integers(-(2**63), 2**63 - 1, COUNT)]
        values = [v for v in values if abs(v) < limit] + [0, 1, -1, 11, 12, 13, -11, -12, -13, 31, -31, 365, -365, limit - 1, 1 - limit, NAT]
        return np.array([v for v in values if abs(v) < limit or v == NAT], dtype.byteorder + 'i8').view(dtype)
    if dtype.kind in 'SU':
        return texts(dtype, COUNT)
    return np.frombuffer(random.bytes(COUNT * dtype.itemsize), dtype)


SECONDS = {'Y': 31556952, 'M': 2629746, 'W': 604800, 'D': 86400, 'h': 3600, 'm': 60, 's': 1, 'ms': 10.0**-3, 'us': 10.0**-6, 'ns': 10.0**-9, 'ps': 10.0**-12, 'fs': 10.0**-15, 'as': 10.0**-18}


def reach(dtype, to):
    unit, count = np.datetime_data(dtype)
    other, other_count = np.datetime_data(to)
    if 'generic' in (unit, other):
        return 2**62
    # Years and months go by days, and the product of both counts must not overflow in numpy either.
    finest = min(SECONDS[unit], SECONDS[other], SECONDS['D'] if (unit in 'YM') != (other in 'YM') else 10.0**10)
    most = 2.0**62 / (SECONDS[unit] * count / finest) / 400 / 12 / other_count
    return max(1, int(min(most, 2.0**62)))


def exact(value, to):
    """A float → an integer of the contract."""
    value = float(value)
    if not np.isfinite(value):
        return 0
    whole = int(value) % 2 ** (8 * to.itemsize)
    return whole - 2 ** (8 * to.itemsize) if to.kind == 'i' and whole >= 2 ** (8 * to.itemsize - 1) else whole


def convert(values, to):
    source = values.dtype
    if source.fields is not None and to.fields is not None and len(source.names) == len(to.names):
        made = np.zeros(values.shape, to)
        plain = values.astype(to)
        for a, b in zip(source.names, to.names):
            if source.fields[a][0].shape == to.fields[b][0].shape:
                made[b] = convert(values[a], to.fields[b][0].base)
            else:
                made[b] = plain[b]
        return made
    if source.kind == 'c' and to.kind in 'iu':
        values = values.real
    if values.dtype.kind == 'f' and to.kind in 'iu':
        return np.array([exact(v, to) for v in values.ravel()], to).reshape(values.shape)
    if values.dtype.kind in 'fc' and to.kind in 'mM':
        values = values.real
        counts = [NAT if not np.isfinite(v) or not -(2.0**63) <= float(v) < 2.0**63 else int(v) for v in values.astype('f8').ravel()]
        return np.array(counts, to.byteorder + 'i8').view(to).reshape(values.shape)
    made = values.astype(to)
    # Without a unit numpy takes the dtype for the class of them all, and its own byte order.
    return made if made.dtype == to else made.view(made.dtype.byteorder + 'i8').astype(to.byteorder + 'i8').view(to)


def descr_of(text):
    return [(f[0], descr_of(f[1]), *(tuple(shape) for shape in f[2:])) for f in text] if isinstance(text, list) else text


def dtype_of(text):
    return np.lib.format.descr_to_dtype(descr_of(text))


for pair in asked['pairs']:
    source, to = dtype_of(pair[0]), dtype_of(pair[1])
    row = {mode: bool(np.can_cast(source, to, mode)) for mode in ('safe', 'same_kind', 'unsafe')}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            values = elements(source, to)
            made = convert(values, to)
            row |= {'data': base64.b64encode(values.tobytes()).decode(), 'cast': base64.b64encode(made.tobytes()).decode()}
        except Exception as error:
            row |= {'error': str(error)}
    print(json.dumps(row))
