"""numpy's histograms: counts and edges, or the code of the error that one amounts to."""

import numpy as np
from cases import answer_all, listed, read_case


def histogram(a, given, nan):
    has_nan = a.dtype.kind == "f" and np.isnan(a).any()
    edges, range = given.get("edges"), given.get("range")
    bins = [float(edge) for edge in edges] if edges else given["bins"]
    range = tuple(float(edge) for edge in range) if range else None
    try:
        if has_nan and nan != "omit":
            # Edges that are known before the data are refused before it.
            if range:
                np.histogram_bin_edges(np.empty(0, a.dtype), bins, range)
            return "nan_found"
        counts, edges = np.histogram(a[~np.isnan(a)] if has_nan else a, bins, range)
        return {"counts": listed(counts), "edges": listed(edges)}
    except ValueError:
        return "bad_operation"


def answer(case):
    return histogram(read_case(case), case, case["nan"])


if __name__ == "__main__":
    answer_all(answer)
