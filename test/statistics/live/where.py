"""What numpy answers for chosen rows: every operation of `a[mask][slice]`, and what its answer is rounded in."""

import numpy as np
from cases import answer_all
from filters import taken
from histograms import histogram
from reductions import reduced
from selections import selected


def operate(a, op, case):
    name, given = (op, None) if isinstance(op, str) else next(iter(op.items()))
    if name in ("median", "quantile"):
        return name, selected(a, name, case, given)
    if name == "histogram":
        return name, histogram(a, given, case["nan"])
    return name, reduced(a, name, case)


def answers_of(a, case):
    sizes = np.abs(a.astype("f8"))
    sizes = sizes[np.isfinite(sizes)]
    return {
        "largest": float(sizes.max()) if sizes.size else 0,
        "size": a.size,
        "count": reduced(a, "count", case),
        "results": dict(operate(a, op, case) for op in case["ops"]),
    }


def answer(case):
    _, s, _, kept = taken(case)
    return {"kept": kept, **answers_of(s, case)}


if __name__ == "__main__":
    answer_all(answer)
