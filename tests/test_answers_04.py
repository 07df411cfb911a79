"""Answers to the exercises of lesson 4 as learners write them, from the questions alone: each is
judged rightly.
"""

import math
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from exercise_proofs import fresh

from hpt_helpers.classroom.exercises import lesson_04 as ex
from hpt_helpers.classroom.exercises.framework import CORRECT, CRASHED, INCORRECT


def q1_loop(losses, eta):
    left, found = [(loss, i) for i, loss in enumerate(losses) if loss == loss], []
    while left and len(found) < len(losses) // eta:
        left.remove(best := min(left))
        found.append(best[1])
    return found


def q1_pandas(losses, eta):
    good = pd.Series(losses, dtype=float).dropna().sort_values(kind="stable")
    return good.index[: len(losses) // eta].tolist()


def q1_infinite(losses, eta):
    filled = [math.inf if math.isnan(loss) else loss for loss in losses]
    order = sorted(range(len(losses)), key=filled.__getitem__)
    return [i for i in order[: len(losses) // eta] if filled[i] < math.inf]


def q1_lexsort(losses, eta):
    order = np.lexsort((range(len(losses)), np.array(losses)))[: len(losses) // eta]
    return order[~np.isnan(np.array(losses)[order])]


def q1_generator(losses, eta):
    pairs = sorted((loss, i) for i, loss in enumerate(losses) if not np.isnan(loss))
    return [i for _, i in pairs][: int(len(losses) / eta)]


Q1_RIGHT = [
    q1_loop,
    q1_pandas,
    q1_infinite,
    q1_lexsort,
    q1_generator,
    lambda losses, eta: tuple(q1_loop(losses, eta)),
    lambda losses, eta: np.array(q1_loop(losses, eta), dtype=int),
    lambda losses, eta: [np.int64(i) for i in q1_loop(losses, eta)],
    lambda losses, eta: [
        i for i in np.argsort(losses, kind="stable")[: len(losses) // eta] if losses[i] == losses[i]
    ],
    lambda losses, eta: pd.Series(q1_loop(losses, eta), dtype=int),
    lambda losses, eta: [
        i
        for i in sorted(
            range(len(losses)),
            key=lambda i: (losses[i] != losses[i], losses[i] if losses[i] == losses[i] else 0),
        )[: math.floor(len(losses) / eta)]
        if losses[i] == losses[i]
    ],
    lambda losses, eta: q1_loop(list(losses), eta),
]


def q1_nan_first(losses, eta):
    # nan spoils the sort
    return sorted(range(len(losses)), key=lambda i: losses[i])[: len(losses) // eta]


Q1_WRONG = [
    q1_nan_first,
    # failed ones fill the places
    lambda losses, eta: np.argsort(losses)[: len(losses) // eta].tolist(),
    lambda losses, eta: sorted(losses)[: len(losses) // eta],
    lambda losses, eta: q1_loop(losses, eta)[::-1],
    lambda losses, eta: sorted(q1_loop(losses, eta)),
    lambda losses, eta: q1_loop(losses, eta)[0] if q1_loop(losses, eta) else None,
    lambda losses, eta: [i + 1 for i in q1_loop(losses, eta)],
    lambda losses, eta: q1_loop(losses, eta) or [int(np.nanargmin(losses))],
    lambda losses, eta: q1_loop(losses, len(losses) / math.ceil(len(losses) / eta)),
    # positions among the good ones
    lambda losses, eta: q1_loop([loss for loss in losses if loss == loss], eta),
    lambda losses, eta: [(i, losses[i]) for i in q1_loop(losses, eta)],
    lambda losses, eta: np.argsort(-np.array(losses))[: len(losses) // eta],
    lambda losses, eta: len(losses) // eta,
    lambda losses, eta: q1_loop(losses, eta)[: len(losses) // eta - 1],
    lambda losses, eta: set(q1_loop(losses, eta)),
    lambda losses, eta: print(q1_loop(losses, eta)),
    lambda losses, eta: q1_loop(losses, 3),  # forgets eta
    lambda losses, eta: [
        i for i in range(len(losses)) if losses[i] < np.nanquantile(losses, 1 / eta)
    ],
]


def q2_reversed(rungs):
    total, later = 0, 0
    for n, epochs in reversed(rungs):  # whoever stops here was trained this long
        total += (n - later) * epochs
        later = n
    return total


def q2_table(rungs):
    table = pd.DataFrame(rungs, columns=["n", "epochs"])
    return (table["n"] * table["epochs"].diff().fillna(table["epochs"])).sum()


def q2_each_epoch(rungs):
    return sum(
        next(n for n, epochs in rungs if epochs >= epoch) for epoch in range(1, rungs[-1][1] + 1)
    )


def q2_recursive(rungs, before=0):
    return (
        0
        if not rungs
        else rungs[0][0] * (rungs[0][1] - before) + q2_recursive(rungs[1:], rungs[0][1])
    )


Q2_RIGHT = [
    q2_reversed,
    q2_table,
    q2_each_epoch,
    q2_recursive,
    lambda rungs: sum(
        n * (e - b) for (n, e), b in zip(rungs, [0] + [e for _, e in rungs], strict=False)
    ),
    lambda rungs: np.dot([n for n, _ in rungs], np.diff([0] + [e for _, e in rungs])),
    lambda rungs: int(sum(n * e for n, e in rungs) - sum(b[0] * a[1] for a, b in pairwise(rungs))),
    lambda rungs: float(q2_reversed(rungs)),
    lambda rungs: np.float64(q2_reversed(rungs)),
    lambda rungs: (
        rungs[0][0] * rungs[0][1]
        + sum(rungs[i][0] * (rungs[i][1] - rungs[i - 1][1]) for i in range(1, len(rungs)))
    ),
    lambda rungs: sum(
        sum(
            1
            for n, e in rungs
            for _ in range(n)
            if e >= t and all(e2 < t for n2, e2 in rungs if e2 < e)
        )
        for t in range(1, rungs[-1][1] + 1)
    ),
    lambda rungs: torch_sum(rungs),
]


def torch_sum(rungs):
    import torch

    n, epochs = torch.tensor(rungs).T
    return (n * torch.diff(epochs, prepend=torch.tensor([0]))).sum()


Q2_WRONG = [
    lambda rungs: sum(n * e for n, e in rungs),
    lambda rungs: sum(n for n, _ in rungs),
    lambda rungs: sum(e for _, e in rungs),
    lambda rungs: rungs[0][0] * rungs[-1][1],
    lambda rungs: q2_reversed(rungs[1:]),
    lambda rungs: q2_reversed(rungs) - rungs[0][0],
    lambda rungs: [n * e for n, e in rungs],
    lambda rungs: str(q2_reversed(rungs)),
    lambda rungs: rungs[-1][0] * rungs[-1][1],
    lambda rungs: q2_reversed(rungs) / len(rungs),
    lambda rungs: sum(b[0] * (b[1] - a[1]) for a, b in pairwise(rungs)),
    lambda rungs: sum(a[0] * (b[1] - a[1]) for a, b in pairwise(rungs)) + rungs[0][0] * rungs[0][1],
    lambda rungs: 21,
    lambda rungs: print(q2_reversed(rungs)),
    lambda rungs: sum(n * (e - 1) for n, e in rungs),
]


def q4_heap(losses, promoted, eta):
    import heapq

    for i in heapq.nsmallest(len(losses) // eta, range(len(losses)), key=lambda i: losses[i]):
        if i not in promoted:
            return i


def q4_numpy(losses, promoted, eta):
    order = np.argsort(losses, kind="stable")[: len(losses) // eta]
    left = order[~np.isin(order, promoted)] if len(promoted) else order
    return left[0] if len(left) else None


def q4_ranks(losses, promoted, eta):
    pairs = [(loss, i) for i, loss in enumerate(losses)]
    may = [
        i
        for i, pair in enumerate(pairs)
        if sum(other < pair for other in pairs) < len(losses) // eta
    ]
    may = [i for i in may if i not in promoted]
    return min(may, key=lambda i: losses[i]) if may else None


Q4_RIGHT = [
    q4_heap,
    q4_numpy,
    q4_ranks,
    lambda losses, promoted, eta: next(
        (
            i
            for i in sorted(range(len(losses)), key=losses.__getitem__)[: len(losses) // eta]
            if i not in promoted
        ),
        None,
    ),
    lambda losses, promoted, eta: q4_heap(losses, set(promoted), eta),
    lambda losses, promoted, eta: None if len(losses) < eta else q4_heap(losses, promoted, eta),
    lambda losses, promoted, eta: (
        np.int64(i) if (i := q4_heap(losses, promoted, eta)) is not None else None
    ),
    lambda losses, promoted, eta: q4_heap(list(losses), list(promoted), eta),
    lambda losses, promoted, eta: q4_ranks(losses, promoted, eta),
    lambda losses, promoted, eta: (
        [
            i
            for i in pd.Series(losses, dtype=float)
            .sort_values(kind="stable")
            .index[: len(losses) // eta]
            if i not in promoted
        ]
        or [None]
    )[0],
]

Q4_WRONG = [
    lambda losses, promoted, eta: q4_heap(losses, [], eta),
    lambda losses, promoted, eta: q4_heap(losses, promoted, 1),
    lambda losses, promoted, eta: losses[q4_heap(losses, promoted, eta)],
    lambda losses, promoted, eta: (
        -1 if q4_heap(losses, promoted, eta) is None else q4_heap(losses, promoted, eta)
    ),
    lambda losses, promoted, eta: [q4_heap(losses, promoted, eta)],
    lambda losses, promoted, eta: q4_heap([-loss for loss in losses], promoted, eta),
    # position 0 is no position
    lambda losses, promoted, eta: q4_heap(losses, promoted, eta) or None,
    lambda losses, promoted, eta: (
        q4_heap(losses, promoted, len(losses) / math.ceil(len(losses) / eta)) if losses else None
    ),
    lambda losses, promoted, eta: min(i for i in range(len(losses)) if i not in promoted),
    lambda losses, promoted, eta: q4_heap(
        [x for i, x in enumerate(losses) if i not in promoted], [], eta
    ),
    lambda losses, promoted, eta: len(losses) // eta - len(promoted),
    lambda losses, promoted, eta: (
        q4_heap(losses, promoted, eta) if len(promoted) < len(losses) // eta else None
    ),
]


def q1_quick(losses, eta):
    good = pd.Series(losses, dtype=float).dropna()
    # pandas' and numpy's own sort is not stable
    return good.sort_values().index[: len(losses) // eta].tolist()


def q1_by_rank(losses, eta):
    ranks = pd.Series(losses, dtype=float).rank()
    return ranks[ranks <= len(losses) // eta].sort_values(kind="stable").index.tolist()


def q1_by_threshold(losses, eta):
    good = pd.Series(losses, dtype=float).dropna().sort_values(kind="stable")
    k = min(len(losses) // eta, len(good))
    return good[good <= good.iloc[k - 1]].index.tolist() if k else []


def q4_quick(losses, promoted, eta):
    for i in np.argsort(losses)[: len(losses) // eta]:
        if i not in promoted:
            return int(i)


def q1_shifted(losses, eta):
    good = [loss for loss in losses if not math.isnan(loss)]
    return sorted(range(len(good)), key=lambda i: good[i])[: len(losses) // eta]


def q4_later_first(losses, promoted, eta):
    best = sorted(range(len(losses)), key=lambda i: (losses[i], -i))[: len(losses) // eta]
    return next((i for i in best if i not in promoted), None)


RIGHT = {
    "q1": Q1_RIGHT,
    "q2": Q2_RIGHT,
    "q3": [
        "b1",
        "B1",
        " b1 ",
        "b 1",
        "1b",
        "b,1",
        "b1.",
        ("b", 1),
        ["b", "1"],
        {"b": 1},
        "1 B",
        "b because 1",
    ],
    "q4": Q4_RIGHT,
}
WRONG = {
    "q1": Q1_WRONG,
    "q2": Q2_WRONG,
    "q4": Q4_WRONG,
    "q3": [
        "a1",
        "a2",
        "a3",
        "b2",
        "b3",
        "c1",
        "c2",
        "c3",
        "b",
        "1",
        "",
        "d1",
        "the report does not tell",
        1,
        None,
    ],
}


def cases(answers):
    return [
        pytest.param(name, answer, id=f"{name}-{i}")
        for name in answers
        for i, answer in enumerate(answers[name])
    ]


@pytest.mark.parametrize(("name", "answer"), cases(RIGHT))
def test_a_right_answer_is_taken(name, answer):
    result = fresh(getattr(ex, name)).check(answer)
    assert result.outcome == CORRECT, result


@pytest.mark.parametrize(("name", "answer"), cases(WRONG))
def test_a_wrong_answer_is_refused_and_told_why(name, answer):
    result = fresh(getattr(ex, name)).check(answer)
    assert result.outcome in (INCORRECT, CRASHED), result
    assert len(result.message) > 10


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        (
            "q1",
            lambda losses, eta: [losses[i] for i in q1_loop(losses, eta)],
            "positions are asked for",
        ),
        ("q1", Q1_WRONG[4], "the best comes first"),
        ("q1", Q1_WRONG[1], "failed, and should not go on"),
        (
            "q1",
            lambda losses, eta: np.argsort(losses, kind="stable")[: len(losses) // eta],
            "failed ones go on",
        ),
        ("q1", q1_quick, "of equal losses the earlier comes first"),
        ("q1", q1_by_rank, "0 go on; it should be 4 // 4 = 1"),
        ("q1", q1_by_threshold, "2 go on; it should be 4 // 4 = 1"),
        ("q4", q4_quick, "does your sort keep the order of equals"),
        ("q1", lambda losses, eta: q1_loop(losses, eta)[:1], "only the winner"),
        ("q1", Q1_WRONG[3], "in another order: the best comes first"),
        ("q1", Q1_WRONG[6], "counted from 0"),
        ("q1", Q1_WRONG[2], "0.1 is no position in a list of 7 losses"),
        ("q1", Q1_WRONG[0], "failed, and should not go on"),
        ("q1", Q1_WRONG[12], "a list of positions should come back"),
        (
            "q1",
            lambda losses, eta: list(range(1, len(losses) // eta + 1)),
            "not the trials of the lowest losses",
        ),
        ("q1", lambda losses, eta: list(range(len(losses) // eta)), "positions in a sorted list"),
        ("q1", Q1_WRONG[8], "2 go on; it should be 5 // 3 = 1"),
        ("q2", Q2_WRONG[0], "restarting"),
        ("q2", Q2_WRONG[3], "in full"),
        ("q1", q1_shifted, "without the failed trials"),
        ("q1", lambda losses, eta: q1_loop(losses, len(losses)), "it should be 7 // 3 = 2."),
        ("q2", lambda rungs: rungs[0][0] * rungs[0][1], "what the first rung costs"),
        ("q4", q4_later_first, "the earlier comes first"),
        ("q2", lambda rungs: 20, "too few. By hand: the first rung costs 16 x 2 = 32"),
        ("q2", Q2_WRONG[10], "first rung is missing"),
        ("q2", Q2_WRONG[11], "too many go on"),
        ("q4", Q4_WRONG[0], "again and again"),
        ("q4", Q4_WRONG[1], "only the lowest n // eta"),
        ("q4", Q4_WRONG[11], "takes no place"),
        ("q4", lambda losses, promoted, eta: 0.2, "0.2 is no position"),
        ("q4", Q4_WRONG[3], "nobody may go on"),
        ("q4", Q4_WRONG[4], "one position is needed"),
        ("q4", Q4_WRONG[5], "losses are lower than that at position"),
        ("q4", Q4_WRONG[6], "the trial at position 0 may go on"),
        ("q4", Q4_WRONG[10], "went on already"),
    ],
)
def test_the_likeliest_faults_are_named(name, answer, words):
    assert words in fresh(getattr(ex, name)).check(answer).message
