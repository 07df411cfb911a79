"""Searches for races: functions of (space, repeat, n_trials, n_epochs) that return a strategy.

All but `tpe` and `bayesian` draw from the space that they are given, so that they run on a table's
pool. These two propose points of their own, which are trained.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from functools import partial

import numpy as np

from hpt_helpers import strategies
from hpt_helpers.classroom import bayes
from hpt_helpers.classroom.lab import Search
from hpt_helpers.classroom.testbed import RECIPES, grid
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import Choice, Integer, SearchSpace

WIDE = 1.5  # the length scale in six dimensions, where points lie further apart than in one


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    return strategies.random_search(space, n_trials, n_epochs, seed=repeat)


def by_hand(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search as lesson 3 does by hand, with a longer length scale: among 1,000 candidates."""
    return bayes.search_by_hand(space, repeat, n_trials, n_epochs, gains=_gains_of_wide)


def _gains_of_wide(points: np.ndarray, tried: list[int], losses: np.ndarray) -> np.ndarray:
    return bayes.gains(points * (0.3 / WIDE), tried, losses)  # the kernel's own scale is 0.3


def hyperband(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Run Hyperband again and again, each time on other configurations, until the budget ends."""
    for again in range(n_trials):
        yield from strategies.hyperband(space, n_epochs, seed=1000 * repeat + again)


def asha(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Promote whoever is in the best third of its rung, the highest rung first (Li et al. 2020).

    One worker. Where nobody may go on, it starts another configuration; it ends when the space's
    1,000 candidates have all been started.
    """
    rungs = [n_epochs]
    while rungs[0] >= 3:
        rungs.insert(0, rungs[0] // 3)
    reached: list[list[tuple[float, int]]] = [[] for _ in rungs]  # (loss, number), lowest first
    gone_on: list[set[int]] = [set() for _ in rungs]
    configs, new = [], iter(space.sample(1000, seed=repeat))
    while True:
        number, rung = _promotion(reached, gone_on) or (len(configs), 0)
        if number == len(configs):
            config = next(new, None)
            if config is None:
                return
            configs.append(config)
        [loss] = yield [(configs[number], rungs[rung])]
        insort(reached[rung], (loss if np.isfinite(loss) else np.inf, number))


def _promotion(reached: list[list], gone_on: list[set[int]]) -> tuple[int, int] | None:
    """Return (number, next rung) of the one that may go on, and note that it does."""
    for rung in range(len(reached) - 2, -1, -1):
        for _, number in reached[rung][: len(reached[rung]) // 3]:
            if number not in gone_on[rung]:
                gone_on[rung].add(number)
                return number, rung + 1
    return None


def grid_of(name: str, axes: Sequence[str]) -> Search:
    """Return the search that tries one of a table's grids, such as that of lr and hidden_size.

    Raises ValueError for axes of which the table has no grid.
    """
    grid(RECIPES[name], axes)
    return partial(_grid, name, tuple(axes))


def _grid(
    name: str, axes: Sequence[str], space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    return strategies.grid_search(grid(RECIPES[name], axes), n_epochs)


def bayesian(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search with scikit-optimize, as `bayesian_search` does."""
    return strategies.bayesian_search(space, n_trials, n_epochs, seed=repeat)


def tpe(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search with Optuna's tree-structured Parzen estimator, multivariate (Falkner et al. 2018)."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=repeat, multivariate=True)
    study = optuna.create_study(sampler=sampler)
    distributions = to_optuna(space)
    for _ in range(n_trials):
        trial = study.ask(distributions)
        [loss] = yield [(trial.params, n_epochs)]
        study.tell(trial, loss)


def to_optuna(space: SearchSpace) -> dict:
    """Return the space's distributions for Optuna's `study.ask`."""
    from optuna import distributions

    def translate(p):
        if isinstance(p, Choice):
            return distributions.CategoricalDistribution(p.values)
        if isinstance(p, Integer):
            return distributions.IntDistribution(p.low, p.high, log=p.log)
        return distributions.FloatDistribution(p.low, p.high, log=p.log)

    return {name: translate(p) for name, p in space.items()}
