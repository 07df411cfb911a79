"""How `bayesian_search` fits its surrogate, beside scikit-learn's own fit: `python -m
benchmarks.surrogate`, 3 minutes.

The same searches with either fit: how many become other searches when losses differ in their last
digits, as between two processors; which of both ends lower; and how long both take.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pandas as pd

from benchmarks.measure import Row, interleaved, machine, table
from hpt_helpers import strategies
from hpt_helpers.classroom.lab.known_functions import KNOWN
from hpt_helpers.classroom.lab.problems import Trainings
from hpt_helpers.classroom.lab.trainer import Data
from hpt_helpers.search import Objective, run_many
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import bayesian

IRIS = SearchSpace(
    {"lr": Real(1e-4, 0.1, log=True), "batch_size": Integer(8, 64), "hidden_size": Integer(4, 64)}
)
N_TRIALS, N_EPOCHS = 13, 27  # as in lesson 5
LAST_DIGITS = 1e-13


@contextmanager
def scikit_learns_fit() -> Iterator[None]:
    """Let searches fit as scikit-learn does, from one place, as long as this lasts."""
    ours, bayesian._likeliest = bayesian._likeliest, "fmin_l_bfgs_b"
    try:
        yield
    finally:
        bayesian._likeliest = ours


def searches(space: SearchSpace, objective: Objective, seeds: Sequence[int]) -> list[pd.DataFrame]:
    """Return the trial table of a search under each seed."""
    asked = [strategies.bayesian_search(space, N_TRIALS, N_EPOCHS, seed=seed) for seed in seeds]
    # scikit-learn's, of length scales at their bounds
    with warnings.catch_warnings(action="ignore"):
        return run_many(asked, objective, seeds=seeds)


def disturbed(objective: Objective, seed: int) -> Objective:
    """Return the objective whose losses differ in their last digits."""
    rng = np.random.default_rng(seed)

    def with_other_digits(requests):
        for outcome in objective(requests):
            yield outcome.val_loss * (1 + LAST_DIGITS * rng.normal())

    return with_other_digits


def moved(objective: Objective, seeds: Sequence[int], n_disturbed: int) -> int:
    """Return how many of len(seeds) * n_disturbed searches on iris ask for other trials when they
    are disturbed.
    """
    plain = searches(IRIS, objective, seeds)
    return sum(
        before["config"].tolist() != after["config"].tolist()
        for i in range(n_disturbed)
        for before, after in zip(plain, searches(IRIS, disturbed(objective, i), seeds), strict=True)
    )


def measure(n_seeds: int = 40, n_disturbed: int = 5) -> list[Row]:
    """Return the rows of the table."""
    seeds = range(n_seeds)
    networks = Trainings(Data("iris"))
    branin = KNOWN["Branin"]
    problems = {
        "iris": (IRIS, networks),
        "Branin": (
            branin.space,
            lambda requests: [branin.function(request.config) for request in requests],
        ),
    }
    rows, n = [], n_seeds * n_disturbed
    for name, (space, objective) in problems.items():
        ours = np.array([trials["val_loss"].min() for trials in searches(space, objective, seeds)])
        with scikit_learns_fit():
            theirs = np.array(
                [trials["val_loss"].min() for trials in searches(space, objective, seeds)]
            )
        rows.append(
            Row(
                f"{name}, {n_seeds} searches: ours ends lower",
                int((ours < theirs).sum()),
                "searches",
            )
        )
        rows.append(
            Row(f"{name}: scikit-learn's ends lower", int((theirs < ours).sum()), "searches")
        )
    rows.append(
        Row(
            f"ours: other searches by the last digits, of {n}",
            moved(networks, seeds, n_disturbed),
            "searches",
        )
    )
    with scikit_learns_fit():
        rows.append(
            Row(
                f"scikit-learn's: the same, of {n}", moved(networks, seeds, n_disturbed), "searches"
            )
        )

    def theirs():
        with scikit_learns_fit():
            searches(*problems["Branin"], seeds[:10])

    seconds = interleaved(
        {"ours": lambda: searches(*problems["Branin"], seeds[:10]), "theirs": theirs}, rounds=3
    )
    return [
        *rows,
        Row(
            "scikit-learn's takes", np.median(seconds["theirs"] / seconds["ours"]), "times as long"
        ),
    ]


if __name__ == "__main__":
    print(
        *(f"{name}: {value}" for name, value in machine().items()), sep="\n", end="\n\n", flush=True
    )
    print(table(measure()))
