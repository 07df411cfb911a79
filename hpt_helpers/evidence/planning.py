"""What a plan will cost before it starts, measured on one training."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from hpt_helpers.arguments import as_count
from hpt_helpers.evidence.problem import Checkpoint, Job, Problem

MOST_DIAGNOSIS = 1 / 3  # of all trainings: a plan that asks more about a search than it searches


class Plan(NamedTuple):
    """What each step of a plan trains, and how long that takes.

    table: a row for each step: step, trainings (full ones), minutes. seconds: of one training, as
    measured. minutes: of all, on n_workers.
    """

    table: pd.DataFrame
    seconds: float
    minutes: float

    def __str__(self) -> str:
        trainings = self.table["trainings"].sum()
        return (
            f"{trainings:g} full trainings of {self.seconds:.2g} s each take about "
            f"{self.minutes:.2g} minutes\n{self.table.round(2).to_string(index=False)}"
        )


def plan(
    problem: Problem,
    config: Mapping,
    n_trainings: int,
    *,
    n_guesses: int = 6,
    n_again: int = 10,
    n_finalists: int = 5,
    n_draws: int = 2,
    n_compared: int = 8,
    n_workers: int = 1,
) -> Plan:
    """Say what a search and the questions after it will cost, before anything starts.

    config: a configuration of the middle kind, such as the default; it is trained once, in full, to
        measure its seconds. Others may take longer or shorter. n_trainings: what the search may
        spend, in full trainings. The rest are the arguments of `guesses` (its factors and further
        seeds), `best_again`, `finalists`, and the number of draws of `compare`.
    Raises ValueError where the questions after the search, `best_again` and `finalists`, would take
    more than a third of all trainings: ask about fewer, or search more.
    """
    n_trainings = as_count("n_trainings", n_trainings)
    steps = {
        "guesses": as_count("n_guesses", n_guesses, least=0),
        "search": n_trainings,
        "best again": as_count("n_again", n_again, least=0),
        "finalists": as_count("n_finalists", n_finalists, least=0)
        * as_count("n_draws", n_draws, least=0),
        "compare": 2 * as_count("n_compared", n_compared, least=0),
        "refit": 1,
    }
    n_asked = steps["best again"] + steps["finalists"]
    n_all = steps["guesses"] + n_trainings + n_asked
    if n_asked > n_all * MOST_DIAGNOSIS:
        raise ValueError(
            f"n_trainings is {n_trainings}, and the questions after it take {n_asked} more, "
            f"over a third of all {n_all}; search by {2 * n_asked - steps['guesses']} or more, or "
            "lower n_again, n_finalists or n_draws"
        )
    seconds = seconds_of_one(problem, config)
    minutes = [math.ceil(n / n_workers) * seconds / 60 for n in steps.values()]
    columns = {"step": list(steps), "trainings": list(steps.values()), "minutes": minutes}
    return Plan(pd.DataFrame(columns), seconds, sum(minutes))


def seconds_of_one(problem: Problem, config: Mapping) -> float:
    """Return how many seconds a full training takes here, trained once without its folder."""
    split = problem.split(0)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "one", problem.n_epochs)
        began = time.perf_counter()
        problem.train_on(split, Job(config, problem.n_epochs), checkpoint)
        return time.perf_counter() - began
