"""
Tables of every kind of value that rows are told apart by, random filters and keys over them, and what numpy and pandas
answer. Usage: row_kinds.py FOLDER SEED CASES writes tables as .npy files and prints {tables, cases} as JSON.
"""

import json
import sys

import numpy as np

rng = np.random.default_rng(int(sys.argv[2]))
UNITS = ["Y", "M", "W", "D", "h", "m", "s", "ms", "us", "ns", "2D", "7h", "15m", "25us", "10ms"]
TIMES = [unit for unit in UNITS if unit not in ("Y", "M")]
DAY_NS = 86_400_000_000_000


def pick(options):
    return options[int(rng.integers(len(options)))]


def some_dates(unit, n):
    """Dates of 1905 to 2095, of a few days or of many."""
    days = pick([3, 40, 3000, 34_000])
    ns = rng.integers(-days * DAY_NS, days * DAY_NS, n)
    if rng.random() < 0.5:
        ns = ns // DAY_NS * DAY_NS
    dates = ns.astype("M8[ns]").astype(f"M8[{unit}]")
    dates[rng.random(n) < 0.1] = "NaT"
    return dates


POINTS = ["a", "b", "é", "ÿ", "ā", "水", "\U0001f600", "\ufffd", "z"]


def some_text(length, points):
    return "".join(pick(points) for _ in range(int(rng.integers(length + 1))))


def some_texts(kind, n):
    length = int(rng.integers(1, 12))
    points = POINTS[:4] if kind == "S" else POINTS
    few = [some_text(length, points) for _ in range(pick([3, 10, 60]))]
    values = [pick(few) for _ in range(n)]
    if kind == "S":
        return np.array([value.encode("latin-1") for value in values], f"S{length}")
    return np.array(values, f"U{length}")


def some_column(kind, n):
    if kind == "M":
        return some_dates(pick(UNITS), n)
    if kind == "m":
        counts = rng.integers(-20, 20, n).astype(f"m8[{pick(TIMES)}]")
        counts[rng.random(n) < 0.1] = "NaT"
        return counts
    if kind in "SU":
        return some_texts(kind, n)
    if kind == "c":
        parts = np.array([0, 1, -2.5, np.nan])
        return (parts[rng.integers(4, size=n)] + 1j * parts[rng.integers(4, size=n)]).astype(pick(["c8", "c16"]))
    if kind == "b":
        return rng.random(n) < 0.5
    if kind == "i":
        return rng.integers(-5, 5, n).astype(pick(["i1", "i2", "i8"]))
    values = rng.integers(-3, 4, n) / 2
    values[rng.random(n) < 0.1] = np.nan
    return values.astype(pick(["f2", "f4", "f8"]))


def ordered(column):
    """In one of both byte orders."""
    return column.astype(column.dtype.newbyteorder(pick("<>")))


KINDS = "MMmSUcbif"


class Table:
    """A structured array, its columns, and numbers that stand beside it."""

    def __init__(self, folder, number):
        # The first is read in several pieces.
        n = pick([1, 7, 300, 5000]) if number else 40_000
        self.name = f"table{number}"
        self.kinds = {f"{kind}{i}": kind for i, kind in enumerate(KINDS)}
        self.columns = {name: ordered(some_column(kind, n)) for name, kind in self.kinds.items()}
        fields = [(name, column.dtype) for name, column in self.columns.items()]
        outer = np.dtype([*fields[:4], ("in", [*fields[4:]])], align=rng.random() < 0.5)
        table = np.zeros(n, outer)
        for name, column in self.columns.items():
            if name in table.dtype.names:
                table[name] = column
            else:
                table["in"][name] = column
        self.paths = {name: name if name in table.dtype.names else f"in.{name}" for name in self.columns}
        np.save(f"{folder}/{self.name}.npy", table)
        for name, column in self.columns.items():
            np.save(f"{folder}/{self.name}.{name}.npy", column)
        self.numbers = rng.integers(0, 100, n).astype("<f8")
        np.save(f"{folder}/{self.name}.numbers.npy", self.numbers)
        self.files = [self.name, f"{self.name}.numbers", *(f"{self.name}.{name}" for name in self.columns)]

    def subject(self, name):
        """Both are the same values."""
        if rng.random() < 0.5:
            return {"dataset": self.name, "field": self.paths[name]}
        return {"dataset": f"{self.name}.{name}"}


def date_text(column):
    value = column[rng.integers(len(column))]
    if np.isnat(value):
        return "NaT", np.datetime64("NaT", "ns")
    text = str(value.astype(f"M8[{pick(['Y', 'M', 'D', 'h', 'm', 's', 'ms', 'us', 'ns'])}]"))
    return text, np.datetime64(text).astype("M8[ns]")


def a_value(kind, column):
    """As JSON has it, and as numpy compares with it."""
    if kind == "M":
        return date_text(column)
    value = column[rng.integers(len(column))]
    if kind == "m":
        return ("NaT", value) if np.isnat(value) else (int(value.astype("i8")), value)
    if kind == "U":
        text = pick([str(value), str(value) + "a", some_text(5, POINTS)])
        return text, np.str_(text)
    if kind == "S":
        text = pick([value.decode("latin-1"), value.decode("latin-1") + "a", some_text(5, POINTS[:4]), some_text(5, POINTS)])
        return text, text
    if kind == "c":
        parts = [float(value.real), float(value.imag)]
        return ["NaN" if part != part else part for part in parts], value
    if kind == "b":
        return bool(value), bool(value)
    number = float(value) if kind == "f" else int(value)
    return ("NaN" if number != number else number), value


COMPARE = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


def as_compared(kind, column):
    """
    Bytes as the text that they are, so that other characters compare, too. Dates in ns, which all of them are exact in:
    numpy itself rounds months to 7h before it compares them.
    """
    if kind == "M":
        return column.astype("M8[ns]")
    return np.char.decode(column, "latin-1") if kind == "S" else column


def is_nan(kind, column):
    if kind in "Mm":
        return np.isnat(column)
    return np.isnan(column) if kind in "cf" else np.zeros(len(column), bool)


def a_test(table, name):
    kind, column = table.kinds[name], table.columns[name]
    subject = table.subject(name)
    own = as_compared(kind, column)
    op = pick(["eq", "ne", "in", "is_nan"] if kind == "c" else [*COMPARE, "between", "in", "is_nan"])
    if op == "is_nan" and kind not in "SU":
        wanted = bool(rng.random() < 0.5)
        return {**subject, "is_nan": wanted}, is_nan(kind, column) == wanted
    if op == "between":
        (low, a), (high, b) = a_value(kind, column), a_value(kind, column)
        return {**subject, "between": [low, high]}, (own >= a) & (own <= b)
    if op in ("in", "is_nan"):
        values = [a_value(kind, column) for _ in range(int(rng.integers(1, 30)))]
        mask = np.zeros(len(own), bool)
        for _, value in values:
            mask |= own == value
        return {**subject, "in": [value for value, _ in values]}, mask
    text, value = a_value(kind, column)
    return {**subject, op: text}, COMPARE[op](own, value)


def a_join(table, tables):
    """Values of another table's column of the same kind, of other units and lengths."""
    name = pick([name for name, kind in table.kinds.items() if kind != "c"])
    kind = table.kinds[name]
    other = pick(tables)
    alike = "SU" if kind in "SU" else kind
    theirs = pick([each for each, own in other.kinds.items() if own in alike])
    mine, codes = as_compared(kind, table.columns[name]), as_compared(other.kinds[theirs], other.columns[theirs])
    if kind in "Mm":
        mask = np.zeros(len(mine), bool)
        for code in np.unique(codes[~np.isnat(codes)]):
            mask |= mine == code
    else:
        codes = codes[codes == codes]
        mask = np.isin(mine.astype("f8") if kind == "f" else mine, codes.astype("f8") if kind == "f" else codes)
    return {**table.subject(name), "in": other.subject(theirs)}, mask


def a_filter(table, tables, depth=0):
    roll = rng.random()
    if depth < 2 and roll < 0.3:
        parts = [a_filter(table, tables, depth + 1) for _ in range(int(rng.integers(1, 4)))]
        op = pick(["and", "or"])
        combine = np.all if op == "and" else np.any
        return {op: [part for part, _ in parts]}, combine([mask for _, mask in parts], axis=0)
    if roll < 0.4:
        part, mask = a_filter(table, tables, depth + 1)
        return {"not": part}, ~mask
    if roll < 0.6:
        return a_join(table, tables)
    return a_test(table, pick(list(table.kinds)))


def shown(kind, value, column):
    """A key as JSON has it."""
    if kind == "M":
        return np.datetime_as_string(value)
    if kind == "m":
        return "NaT" if np.isnat(value) else int(value.astype("i8"))
    if kind == "S":
        return value.decode("latin-1")
    if kind == "U":
        return str(value)
    if kind == "b":
        return bool(value)
    if kind == "i":
        return int(value)
    return "NaN" if value != value else float(str(value + 0))


class Key:
    """What is asked for, the number of each row's group or -1, and the text of each group."""

    def __init__(self, asked, numbers, texts):
        self.asked, self.numbers, self.texts = asked, numbers, texts


def value_key(table, name):
    kind, column = table.kinds[name], table.columns[name]
    values, numbers = np.unique(column, return_inverse=True)
    return Key(table.subject(name), numbers.reshape(-1), [shown(kind, value, column) for value in values])


def rows_key(table):
    n = int(rng.integers(1, 400))
    rows = np.arange(len(table.numbers))
    return Key({"rows": n}, rows // n, [int(row) for row in rows[::n]])


def bins_key(table, name):
    kind, column = table.kinds[name], table.columns[name]
    own = as_compared(kind, column)
    values = [a_value(kind, column) for _ in range(int(rng.integers(2, 8)))]
    values = [each for each in values if each[0] not in ("NaT", "NaN")]
    edges = sorted({value: (text, value) for text, value in values}.items(), key=lambda each: each[0])
    edges = [each for _, each in edges]
    if len(edges) < 2:
        return rows_key(table)
    numbers = np.full(len(own), -1)
    for i, ((_, low), (_, high)) in enumerate(zip(edges, edges[1:])):
        below = own <= high if i + 2 == len(edges) else own < high
        numbers[(own >= low) & below] = i
    texts = [[low, high] for (low, _), (high, _) in zip(edges, edges[1:])]
    return Key({**table.subject(name), "bins": [text for text, _ in edges]}, numbers, texts)


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "D": 86_400, "W": 604_800}
PANDAS = {"s": "s", "m": "min", "h": "h", "d": "D", "D": "D", "M": "MS", "Y": "YS"}


def block_starts(column, count, unit):
    """The first moment of each date's block, in seconds: numpy's floor division and its calendar."""
    if unit in "MY":
        months = column.astype("M8[M]").astype("i8")
        length = count * (12 if unit == "Y" else 1)
        return (months // length * length).astype("M8[M]").astype("M8[s]")
    seconds = column.astype("M8[s]").astype("i8")
    origin = -3 * 86_400 if unit == "W" else 0
    length = count * SECONDS[unit]
    return ((seconds - origin) // length * length + origin).astype("M8[s]")


def agrees_with_pandas(column, starts, unit):
    import pandas as pd

    series = pd.Series(1, index=column.astype("M8[ns]"))
    frequency = "W-MON" if unit == "W" else PANDAS[unit]
    how = {"closed": "left", "label": "left"} if unit == "W" else {}
    counts = series.groupby(pd.Grouper(freq=frequency, **how)).sum() if unit in "WMY" else series.groupby(series.index.floor(frequency)).sum()
    counts = counts[counts > 0]
    values, seen = np.unique(starts, return_counts=True)
    assert counts.index.values.astype("M8[s]").tolist() == values.tolist(), unit
    assert counts.tolist() == seen.tolist(), unit


def every_key(table, name):
    column = table.columns[name]
    column = column.astype(column.dtype.newbyteorder("="))
    unit, step = np.datetime_data(column.dtype)
    # Blocks that begin at dates of the unit.
    fits = {"Y": "Y", "M": "MY", "W": "dDWMY", "D": "dDWMY", "h": "hdDWMY", "m": "mhdDWMY"}.get(unit, "smhdDWMY")
    every = pick(list(fits))
    count = pick([1, 1, 2, 5, 36])
    if unit in "W" and every in "dD":
        count = pick([1, 7, 14])
    if step > 1 and every not in "WMY":
        every, count = "d", pick([7, 14, 70])
    present = ~np.isnat(column)
    starts = block_starts(column[present], count, every)
    if count == 1 and present.any():
        agrees_with_pandas(column[present], starts, every)
    values, own = np.unique(starts, return_inverse=True)
    numbers = np.full(len(column), len(values))
    numbers[present] = own.reshape(-1)
    texts = [str(value.astype(f"M8[{'D' if unit == 'W' else unit}]")) for value in values]
    asked = {**table.subject(name), "every": pick([f"{count}{every}"] if count > 1 else [f"1{every}", every])}
    return Key(asked, numbers, [*texts, "NaT"])


def a_key(table):
    roll = rng.random()
    dates = [name for name, kind in table.kinds.items() if kind == "M"]
    if roll < 0.15:
        return rows_key(table)
    if roll < 0.45:
        return every_key(table, pick(dates))
    if roll < 0.65:
        return bins_key(table, pick([name for name, kind in table.kinds.items() if kind in "MSU"]))
    return value_key(table, pick([name for name, kind in table.kinds.items() if kind != "c"]))


def a_case(tables):
    table = pick(tables)
    query = {"ops": ["count", "sum"]}
    mask = np.ones(len(table.numbers), bool)
    is_grouped = rng.random() < 0.5
    if not is_grouped or rng.random() < 0.5:
        query["where"], mask = a_filter(table, tables)
    expected = {"count": int(mask.sum()), "sum": float(table.numbers[mask].sum())}
    if is_grouped:
        keys = [a_key(table) for _ in range(pick([1, 1, 2, 3]))]
        is_list = len(keys) > 1 or rng.random() < 0.3
        query["group_by"] = [key.asked for key in keys] if is_list else keys[0].asked
        numbers = np.array([key.numbers for key in keys]).T
        used = mask & (numbers >= 0).all(axis=1)
        groups = []
        rows = np.flatnonzero(used)
        of_group = {}
        for row, group in zip(rows, map(tuple, numbers[rows].tolist())):
            of_group.setdefault(group, []).append(row)
        for group in sorted(of_group):
            texts = [key.texts[i] for key, i in zip(keys, group)]
            own = of_group[group]
            groups.append([texts if is_list else texts[0], len(own), float(table.numbers[own].sum())])
        expected = {"groups": groups}
    return {"dataset": f"{table.name}.numbers", "query": query, "expected": expected}


folder, cases = sys.argv[1], int(sys.argv[3])
tables = [Table(folder, number) for number in range(max(3, min(20, cases // 10)))]
print(json.dumps({"datasets": [name for table in tables for name in table.files], "cases": [a_case(tables) for _ in range(cases)]}))
