"""What numpy answers for groups of rows: loops over np.unique of the keys, and comparisons of bins."""

from itertools import pairwise

import numpy as np
from cases import answer_all, listed
from filters import column_of, number_of, taken
from where import answers_of


def numbered(key, arrays, rows):
    column = column_of(key, arrays["main"], arrays)[rows]
    if "bins" not in key:
        values, numbers = np.unique(column, return_inverse=True)
        return values, numbers.reshape(-1)
    edges = [number_of(edge) for edge in key["bins"]]
    numbers = np.full(len(column), -1)
    exact = column.astype(object)
    for bin, (low, high) in enumerate(pairwise(edges)):
        below = exact <= high if bin + 2 == len(edges) else exact < high
        numbers[(exact >= low).astype(bool) & below.astype(bool)] = bin
    return np.arange(len(edges) - 1), numbers


def answer(case):
    arrays, s, rows, kept = taken(case)
    asked = case["group_by"] if isinstance(case["group_by"], list) else [case["group_by"]]
    keys = [numbered(key, arrays, rows) for key in asked]
    numbers = np.array([each for _, each in keys]).T.reshape(len(rows), len(keys))
    groups = [each for each in sorted(set(map(tuple, numbers.tolist()))) if -1 not in each]
    return {
        "kept": kept,
        "keys": [listed(values[[group[i] for group in groups]]) for i, (values, _) in enumerate(keys)],
        "groups": [answers_of(s[(numbers == group).all(axis=1)], case) for group in groups],
        # Known before there is a group.
        "none": answers_of(np.empty((1, *s.shape[1:]), s.dtype), case) if 0 in s.shape[1:] and not groups else None,
    }


if __name__ == "__main__":
    answer_all(answer)
