"""The measurements of lesson 2's part "Going further"; repeats, judges and fresh losses are those
of `lesson_02`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import qmc

from hpt_helpers.classroom.landscape import Landscape
from hpt_helpers.classroom.studies.lesson_02 import (
    JUDGES,
    MOST,
    N_EPOCHS,
    SEARCHED,
    fresh_losses,
    random_searches,
    searches,
    winners,
)
from hpt_helpers.search_space import SearchSpace


def estimates(
    space: SearchSpace,
    estimators: Mapping[str, Callable],
    *,
    n_seen: int = 27,
    numbers: Sequence[int] = (2, 3, 9, 27),
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = SEARCHED,
) -> pd.DataFrame:
    """Return how well the losses of one search foretell the lowest of n trials: a row for each n.

    estimators: name → function of (losses, n). Each gets the first n_seen losses of a search.
    Columns: trials, new (the mean lowest loss of n trials that come after these), each estimator's
    mean; and of the last one over the searches: spread, its standard deviation, and step and
    step_spread, the mean and standard deviation of what it gains from the row above.
    """
    trials = random_searches(space, MOST, n_epochs=n_epochs, repeats=repeats)
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
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = SEARCHED,
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Return what it costs to take the smallest network among those within a tolerance of the
    lowest loss.

    Columns: tolerance, within (how many trials are), hidden_size and fresh (of the one taken):
    means over repeats.
    """
    trials = random_searches(space, n_trials, n_epochs=n_epochs, repeats=repeats)
    trials = trials.assign(hidden_size=[config["hidden_size"] for config in trials["config"]])
    above = trials["val_loss"] - trials.groupby("repeat")["val_loss"].transform("min")
    rows = []
    for tolerance in tolerances:
        near = trials[above <= tolerance].sort_values(["repeat", "hidden_size", "val_loss"])
        taken = near.groupby("repeat").head(1)
        fresh = fresh_losses(list(taken["config"]), n_epochs, judges).mean()
        rows.append((tolerance, len(near) / len(repeats), taken["hidden_size"].mean(), fresh))
    return pd.DataFrame(rows, columns=["tolerance", "within", "hidden_size", "fresh"])


def part_of(truth: Landscape, least_lr: float) -> Landscape:
    """Return the part of a landscape whose learning rates are at least least_lr."""
    keep = [i for i, config in enumerate(truth.configs) if config["lr"] >= least_lr]
    configs = [truth.configs[i] for i in keep]
    return replace(
        truth, configs=configs, val_loss=truth.val_loss[keep], val_accuracy=truth.val_accuracy[keep]
    )


def designs(space: SearchSpace, n: int) -> dict[str, Callable[[int], np.ndarray]]:
    """Return functions from a seed to n points of the unit cube, shape (n, n_parameters), by name."""
    d = len(space)
    return {
        "random": lambda seed: np.random.default_rng(seed).random((n, d)),
        "Latin hypercube": lambda seed: qmc.LatinHypercube(d, rng=seed).random(n),
        "Sobol": lambda seed: qmc.Sobol(d, rng=seed).random(n),
    }


def even_designs(
    space: SearchSpace,
    *,
    n: int = 8,
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = range(100),
    judges: Sequence[int] = JUDGES[:5],
) -> pd.DataFrame:
    """Compare searches of n trials whose points are random, a Latin hypercube or a Sobol sequence,
    one a repeat.

    Columns: design, discrepancy (mean; lower is more even), as_searched (the winners' mean loss),
    fresh, and fresh_ninth_decile: nine of ten winners are better than that.
    """

    def configs_of(draw, repeat):
        return space.from_unit(draw(repeat))

    rows = []
    for name, draw in designs(space, n).items():
        won = winners(searches(partial(configs_of, draw), n_epochs=n_epochs, repeats=repeats))
        fresh = fresh_losses(list(won["config"]), n_epochs, judges)
        uneven = np.mean([qmc.discrepancy(draw(repeat)) for repeat in repeats])
        rows.append((name, uneven, won["val_loss"].mean(), fresh.mean(), np.quantile(fresh, 0.9)))
    return pd.DataFrame(
        rows, columns=["design", "discrepancy", "as_searched", "fresh", "fresh_ninth_decile"]
    )
