"""Answers to lesson 4: who goes on, what a bracket costs."""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import torch


def takes_the_lowest(losses, eta):
    left, found = [(loss, i) for i, loss in enumerate(losses) if loss == loss], []
    while left and len(found) < len(losses) // eta:
        left.remove(best := min(left))
        found.append(best[1])
    return found


def a_series(losses, eta, kind="stable"):
    good = pd.Series(losses, dtype=float).dropna().sort_values(kind=kind)
    return good.index[: len(losses) // eta].tolist()


def infinite(losses, eta):
    filled = [math.inf if math.isnan(loss) else loss for loss in losses]
    order = sorted(range(len(losses)), key=filled.__getitem__)
    return tuple(i for i in order[: len(losses) // eta] if filled[i] < math.inf)


def lexsort(losses, eta):
    order = np.lexsort((range(len(losses)), np.array(losses)))[: len(losses) // eta]
    return order[~np.isnan(np.array(losses)[order])]


def by_rank(losses, eta):
    ranks = pd.Series(losses, dtype=float).rank()
    return ranks[ranks <= len(losses) // eta].sort_values(kind="stable").index.tolist()


def by_threshold(losses, eta):
    good = pd.Series(losses, dtype=float).dropna().sort_values(kind="stable")
    k = min(len(losses) // eta, len(good))
    return good[good <= good.iloc[k - 1]].index.tolist() if k else []


def among_the_good(losses, eta):
    good = [loss for loss in losses if not math.isnan(loss)]
    return sorted(range(len(good)), key=lambda i: good[i])[: len(losses) // eta]


def nan_in_the_sort(losses, eta):
    return sorted(range(len(losses)), key=lambda i: losses[i])[: len(losses) // eta]


def found_by_value(losses, eta):
    return [losses.index(losses[i]) for i in takes_the_lowest(losses, eta)]


# --- exercise 2 -----------------------------------------------------------------------------------


def from_the_end(rungs):
    total, later = 0, 0
    for n, epochs in reversed(rungs):  # whoever stops here was trained this long
        total += (n - later) * epochs
        later = n
    return total


def a_table(rungs):
    table = pd.DataFrame(rungs, columns=["n", "epochs"])
    return (table["n"] * table["epochs"].diff().fillna(table["epochs"])).sum()


def each_epoch(rungs):
    last = rungs[-1][1]
    return sum(next(n for n, e in rungs if e >= epoch) for epoch in range(1, last + 1))


def a_tensor(rungs):
    n, epochs = torch.tensor(rungs).T
    return (n * torch.diff(epochs, prepend=torch.tensor([0]))).sum()


def restarted(rungs):
    total = 0
    for n, epochs in rungs:
        total += n * epochs
    return total


RIGHT = {
    "q1": [
        takes_the_lowest,
        a_series,
        infinite,
        lexsort,
        lambda losses, eta: pd.Series(takes_the_lowest(losses, eta), dtype=float),
    ],
    "q2": [
        from_the_end,
        a_table,
        each_epoch,
        a_tensor,
        lambda rungs: np.array([each_epoch(rungs)]),
    ],
}
WRONG = [
    ("q1", lambda *a: takes_the_lowest(*a)[0], "a list of positions should come back"),
    ("q1", lambda *a: print(takes_the_lowest(*a)), "a list of positions should come back"),
    ("q1", lambda *a: set(takes_the_lowest(*a)), "such an object cannot be checked"),
    ("q1", lambda *a: [i + 1 for i in takes_the_lowest(*a)], "counted from 0"),
    ("q1", lambda losses, eta: sorted(losses)[: len(losses) // eta], "0.1 is no position in a"),
    # which of two faults it makes depends on how this Python sorts
    ("q1", nan_in_the_sort, "failed"),
    ("q1", lambda *a: takes_the_lowest(*a)[::-1], "in another order: the best comes first"),
    ("q1", lambda losses, eta: takes_the_lowest(losses, 3), "1 goes on; it should be 4 // 2 = 2."),
    ("q1", lambda losses, eta: takes_the_lowest(losses, len(losses)), "it should be 7 // 3 = 2."),
    (
        "q1",
        lambda losses, eta: takes_the_lowest(losses, eta) or [0],
        "it should be 2 // 3 = 0.",
    ),
    ("q1", lambda *a: (takes_the_lowest(*a) * 2)[: len(infinite(*a)) + 1], "3 go on; it should"),
    ("q1", by_rank, "0 go on; it should be 4 // 4 = 1"),
    ("q1", by_threshold, "2 go on; it should be 4 // 4 = 1"),
    ("q1", lambda *a: a_series(*a, kind="quicksort"), "of equal losses the earlier comes first"),
    ("q1", found_by_value, "a position comes twice"),
    ("q1", among_the_good, "positions in the list without the failed trials"),
    ("q1", lambda losses, eta: list(range(len(losses) // eta)), "positions in a sorted list"),
    ("q1", lambda losses, eta: list(range(1, len(losses) // eta + 1)), "not the trials of the"),
    ("q1", lambda losses, eta: [0, 1, 2, 3][: 2 if eta == 2 else 0], "0 go on"),
    ("q2", lambda rungs: rungs[0][0] * rungs[0][1], "what the first rung costs"),
    ("q2", lambda rungs: rungs[-1][1], "one configuration that goes to the end"),
    ("q2", restarted, "a survivor was trained up to the epoch of the rung before"),
    (
        "q2",
        lambda rungs: 20,
        "too few. By hand: the first rung costs 16 x 2 = 32, and on the secon",
    ),
    ("q2", lambda rungs: each_epoch(rungs) + 1, "too many. By hand"),
    ("q2", lambda rungs: 18 if len(rungs) == 1 else each_epoch(rungs), "costs 3 x 9 = 27."),
    ("q2", lambda rungs: str(each_epoch(rungs)), "a text was returned"),
    ("q2", lambda rungs: sum(n * (e - 1) for n, e in rungs), "By hand"),
    ("q2", lambda rungs: 21, "By hand"),
    (
        "q2",
        lambda rungs: sum(b[0] * (b[1] - a[1]) for a, b in pairwise(rungs)),
        "first rung is mis",
    ),
]
