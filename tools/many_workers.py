"""What searches find on several workers in the same time, which docs/testbed.md shows.

The clock is simulated, and a table's losses stand in for the trainings. A full training takes 27
units of time on average, but configurations differ: each is slower or faster than the average by
a factor of its own, log-normal with a spread of 0.5, as lesson 4 has it.
"""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.lab import racing
from hpt_helpers.classroom.lab.simulated_workers import SimulatedWorkers
from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.protocol import Request
from hpt_helpers.search import run
from hpt_helpers.strategies import asha, mobster, random_search

SPREAD = 0.5


def at_random(space, repeat, n_epochs):
    return random_search(space, N_POOL, n_epochs, seed=repeat)


def learns(space, repeat, n_epochs):
    """Learn from full trainings only, and imagine what those give that still run."""
    return mobster(space, n_epochs, seed=repeat, min_epochs=n_epochs)


def cuts(space, repeat, n_epochs):
    return asha(space, n_epochs, seed=repeat)


def both(space, repeat, n_epochs):
    return mobster(space, n_epochs, seed=repeat)


SEARCHES = {"random": at_random, "learns": learns, "cuts": cuts, "both": both}


def trials_by(
    name: str, n_val: int, searches: Sequence[str], n_workers: int, n_trainings: float
) -> pd.DataFrame:
    """Return the trials of searches that run for so long on so many workers, in all repeats.

    n_trainings: the time, in full trainings of average speed.
    Columns: those of `racing.trials_of`, and ended, when a trial ended, in full trainings.
    """
    repeats = range(load_table(name).n_repeats)
    each = [
        (name, n_val, label, n_workers, n_trainings, repeat)
        for label in searches
        for repeat in repeats
    ]
    parts = []
    for (*_, label, _, _, repeat), arrays in zip(
        each, cached_each(_search, each, progress=True), strict=True
    ):
        parts.append(pd.DataFrame(arrays).assign(search=label, repeat=repeat))
    trials = pd.concat(parts, ignore_index=True)
    trials["config"] = trials["config"].map(json.loads)
    return trials


def _search(
    name: str, n_val: int, label: str, n_workers: int, n_trainings: float, repeat: int
) -> dict[str, np.ndarray]:
    problem = table_problem(name, n_val)
    unit = problem.n_epochs
    workers = SimulatedWorkers(problem.objective, n_workers, partial(duration, name))
    strategy = SEARCHES[label](problem.space(repeat), repeat, unit)
    limit = n_trainings * unit
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "the search ended at its limit")  # which is the point
        table = run(strategy, problem.objective, seed=repeat, seconds=limit, workers=workers)
    trials = table[["n_epochs", "val_loss", "val_accuracy"]].reset_index()
    trials["spent"] = table["charged_epochs"].cumsum()
    trials["config"] = [json.dumps(config) for config in table["config"]]
    trials["ended"] = np.array(workers.ends) / unit
    return {column: np.array(trials[column].tolist()) for column in trials}


def duration(name: str, request: Request) -> float:
    """Return how long the new epochs of a request take, in epochs of average speed."""
    place, *_ = load_table(name).entry(request.config, request.n_epochs, request.seed)
    return (request.n_epochs - request.n_done) * slowness(request.seed)[place]


def slowness(repeat: int) -> np.ndarray:
    """Return how much longer than average each configuration of a pool takes, of mean 1."""
    drawn = np.random.default_rng(repeat).normal(size=N_POOL)
    return np.exp(SPREAD * drawn - SPREAD**2 / 2)


def judged_after(name: str, n_val: int, trials: pd.DataFrame, n_trainings: float) -> pd.DataFrame:
    """Return the judged winners after so long, and how many configurations each search has begun.

    Columns: search, repeat, tried and fresh, which is infinite where no trial has ended yet.
    """
    ended = trials[trials["ended"] <= n_trainings]
    judged = racing.judge(table_problem(name, n_val), racing.winners(ended))
    keys = ended["config"].map(json.dumps)
    tried = keys.groupby([ended["search"], ended["repeat"]]).nunique().rename("tried")
    judged = judged.set_index(["search", "repeat"])[["fresh"]].join(tried)
    labels, repeats = trials["search"].unique(), sorted(trials["repeat"].unique())
    whole = pd.MultiIndex.from_product([labels, repeats], names=["search", "repeat"])
    return judged.reindex(whole).fillna({"fresh": math.inf, "tried": 0}).reset_index()
