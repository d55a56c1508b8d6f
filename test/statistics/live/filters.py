"""Rows that a filter keeps. Integers are compared as Python's, floats with a literal of their own dtype."""

import operator

import numpy as np
from cases import read_array


def number_of(text):
    if not isinstance(text, str):
        return text
    return float(text) if text in ("NaN", "Infinity", "-Infinity") else int(text)


def column_of(subject, own, arrays):
    if "dataset" in subject:
        return arrays[subject["dataset"]]
    return own[:, subject["column"]] if "column" in subject else own


def compared(column, name, value):
    if name == "between":
        return compared(column, "ge", value[0]) & compared(column, "le", value[1])
    if name == "in":
        found = np.zeros(column.shape, bool)
        for each in value:
            found |= compared(column, "eq", each)
        return found
    value = number_of(value)
    if column.dtype.kind == "f":
        return getattr(operator, name)(column, column.dtype.type(float(value)))
    return getattr(operator, name)(column.astype(object), value).astype(bool)


def joined(column, join, arrays):
    codes = arrays[join["dataset"]]
    if "where" in join:
        codes = codes[row_mask(join["where"], codes, arrays)]
    values = {value for value in codes.tolist() if value == value}
    return np.array([value in values for value in column.tolist()], bool)


def row_mask(where, own, arrays):
    if "not" in where:
        return ~row_mask(where["not"], own, arrays)
    if "and" in where:
        return np.all([row_mask(each, own, arrays) for each in where["and"]], axis=0)
    if "or" in where:
        return np.any([row_mask(each, own, arrays) for each in where["or"]], axis=0)
    column = column_of(where, own, arrays)
    mask = np.ones(column.shape, bool)
    tests = {name: value for name, value in where.items() if name not in ("column", "self", "dataset")}
    for name, value in tests.items():
        # Beside others an empty list is absent; alone it keeps nothing.
        if value == [] and len(tests) > 1:
            continue
        if name == "is_nan":
            mask &= (np.isnan(column) if column.dtype.kind == "f" else np.zeros(column.shape, bool)) == value
        elif name == "in" and isinstance(value, dict):
            mask &= joined(column, value, arrays)
        else:
            mask &= compared(column, name, value)
    return mask


def taken(case):
    arrays = {name: read_array(array) for name, array in case["arrays"].items()}
    a = arrays["main"]
    mask = row_mask(case["where"], a, arrays) if "where" in case else np.ones(len(a), bool)
    index = eval("np.s_[" + (case["slice"] or "...") + "]")
    parts = index if isinstance(index, tuple) else (index,)
    stands_for_none = sum(part is not None and part is not Ellipsis for part in parts) == a.ndim
    first = next((part for part in parts if not (part is Ellipsis and stands_for_none)), slice(None))
    rows = np.flatnonzero(mask)[slice(None) if first is Ellipsis else first]
    return arrays, a[mask][index], rows, int(mask.sum())
