"""The measurements of lesson 2's part "Going further": see `lesson_02`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import qmc

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.studies.lesson_02 import (
    MOST,
    REPEATS,
    judged,
    on_iris,
    random_trials,
    tries,
)
from hpt_helpers.search_space import SearchSpace


def estimates(
    space: SearchSpace,
    estimators: Mapping[str, Callable],
    *,
    n_seen: int = 27,
    numbers: Sequence[int] = (2, 3, 9, 27),
    repeats: Sequence[int] = REPEATS,
) -> pd.DataFrame:
    """Return how well the losses of one search foretell the lowest of n trials: a row for each n.

    estimators: name -> function of (losses, n). Each gets the first n_seen losses of a search.
    Columns: trials; new, the mean lowest loss of n trials that come after these; each estimator's
    mean; and of the last one over the searches: spread, its standard deviation, and step and
    step_spread, the mean and standard deviation of what it gains from the row above.
    """
    trials = random_trials(space, MOST, repeats)
    losses = trials["val_loss"].to_numpy().reshape(len(repeats), MOST)
    seen, rows, before = losses[:, :n_seen], [], np.full(len(repeats), np.nan)
    for n in numbers:
        later = [losses[:, i : i + n].min(axis=1) for i in range(n_seen, MOST - n + 1, n)]
        found = {
            name: np.array([estimate(row, n) for row in seen])
            for name, estimate in estimators.items()
        }
        last = list(found.values())[-1]
        gained, before = before - last, last
        spreads = last.std(ddof=1), gained.mean(), gained.std(ddof=1)
        rows.append((n, np.mean(later), *[values.mean() for values in found.values()], *spreads))
    return pd.DataFrame(
        rows, columns=["trials", "new", *estimators, "spread", "step", "step_spread"]
    )


def near_ties(
    space: SearchSpace,
    *,
    tolerances: Sequence[float] = (0, 0.01, 0.02, 0.05),
    n_trials: int = 27,
    repeats: Sequence[int] = REPEATS,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what it costs to take the smallest network of those within a tolerance of the lowest.

    Columns: tolerance; within, how many trials are; hidden_size and fresh, of the one taken: means
    over the repeats.
    """
    trials = random_trials(space, n_trials, repeats)
    trials = trials.assign(hidden_size=[config["hidden_size"] for config in trials["config"]])
    above = trials["val_loss"] - trials.groupby("repeat")["val_loss"].transform("min")
    rows = []
    for tolerance in tolerances:
        near = trials[above <= tolerance + lab.SAME]
        smallest = near.sort_values(["repeat", "hidden_size", "val_loss"]).groupby("repeat").head(1)
        fresh = judged(on_iris(space), smallest, n_judges)["fresh"].mean()
        rows.append((tolerance, len(near) / len(repeats), smallest["hidden_size"].mean(), fresh))
    return pd.DataFrame(rows, columns=["tolerance", "within", "hidden_size", "fresh"])


def random_points(n: int, d: int, seed: int) -> np.ndarray:
    """Return n points of the unit cube of d dimensions, drawn independently."""
    return np.random.default_rng(seed).random((n, d))


def latin_hypercube(n: int, d: int, seed: int) -> np.ndarray:
    """Return n points of which each of n slices of every axis holds one."""
    return qmc.LatinHypercube(d, rng=seed).random(n)


def sobol(n: int, d: int, seed: int) -> np.ndarray:
    """Return n points of a scrambled Sobol sequence; n should be a power of two."""
    return qmc.Sobol(d, rng=seed).random(n)


DESIGNS = {"random": random_points, "Latin hypercube": latin_hypercube, "Sobol": sobol}


def even_designs(
    space: SearchSpace,
    *,
    n: int = 8,
    repeats: Sequence[int] = range(60),
    n_judges: int = 5,
) -> pd.DataFrame:
    """Compare searches of n trials by how evenly their points lie, one of each design a repeat.

    Columns: design; discrepancy, a mean (lower is more even); as_searched and fresh, the winners'
    mean losses; and fresh_ninth_decile: nine of ten winners are better than that.
    """
    problem = on_iris(space)
    searches = {
        name: partial(tries, partial(_configs_of, design, space, n))
        for name, design in DESIGNS.items()
    }
    trials = lab.search(problem, searches, repeats=repeats, n_trials=n)
    found, rows = judged(problem, lab.winners(trials), n_judges), []
    for name, part in found.groupby("search", sort=False):
        points = [DESIGNS[name](n, len(space), repeat) for repeat in repeats]
        row = {
            "design": name,
            "discrepancy": np.mean([qmc.discrepancy(each) for each in points]),
            "as_searched": part["as_searched"].mean(),
            "fresh": part["fresh"].mean(),
            "fresh_ninth_decile": part["fresh"].quantile(0.9),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _configs_of(design: Callable, space: SearchSpace, n: int, repeat: int) -> list[dict]:
    return space.from_unit(design(n, len(space), repeat))
