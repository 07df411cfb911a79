"""Searches for races: functions of (space, repeat, n_trials, n_epochs) that return a strategy.

All but `tpe` and `bayesian` draw from the space that they are given, so that they run on a table's
pool. These two propose points of their own, which are trained, or `on_pool`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from hpt_helpers import strategies
from hpt_helpers.classroom.lab import bayes
from hpt_helpers.classroom.lab.problems import PoolSpace, Problem
from hpt_helpers.classroom.lab.racing import MakeStrategy
from hpt_helpers.protocol import Ask
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import Choice, Integer, SearchSpace

WIDE = 1.5  # the length scale in six dimensions, where points lie further apart than in one


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    return strategies.random_search(space, n_trials, n_epochs, seed=repeat)


def by_hand(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search as lesson 3 does by hand, with a longer length scale: among 1,000 candidates."""
    return bayes.search_by_hand(space, repeat, n_trials, n_epochs, scale=WIDE)


def repeated_hyperband(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Run Hyperband again and again, each time on other configurations, until the budget ends."""
    for again in range(n_trials):
        yield from strategies.hyperband(space, n_epochs, seed=1000 * repeat + again)


def asha(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Stop bad trials early, as the package's `asha` does (Li et al. 2020)."""
    return strategies.asha(space, n_epochs, seed=repeat)


def cut_and_learn(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Stop bad trials early and learn what to start, as `mobster` does (Klein et al. 2020)."""
    return strategies.mobster(space, n_epochs, seed=repeat)


def grid_of(problem: Problem, axes: Sequence[str]) -> MakeStrategy:
    """Return the search that tries one of a problem's grids, such as that of lr and hidden_size.

    Raises ValueError for axes of which the problem has no grid.
    """
    if tuple(axes) not in problem.grids:
        raise ValueError(
            f"axes are {tuple(axes)}; the grids of {problem.name!r} have the axes "
            f"{list(problem.grids)}"
        )
    return partial(_try_all, problem.grids[tuple(axes)])


def _try_all(
    configs: Sequence[Mapping], space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    return strategies.grid_search(configs, n_epochs)


def bayesian(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Learn from whole trials, as the package's `bayesian_search` does (Snoek et al. 2012)."""
    return strategies.bayesian_search(space, n_trials, n_epochs, seed=repeat)


def tpe(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search with Optuna's tree-structured Parzen estimator, multivariate (Falkner et al. 2018)."""
    study, distributions = _tpe_study(repeat), distributions_for_tpe(space)
    for _ in range(n_trials):
        trial = study.ask(distributions)
        [loss] = yield [(config_of_params(space, trial.params), n_epochs)]
        study.tell(trial, loss)


def _tpe_study(seed: int):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    sampler = optuna.samplers.TPESampler(seed=seed, multivariate=True)
    return optuna.create_study(sampler=sampler)


def tpe_on_pool(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search a pool with `tpe`, as `on_pool` does.

    TPE is told which one was tried. On a table it needs no training, and any processor finds the
    same trials.
    """
    return on_pool(_tpe_told, space, repeat, n_trials, n_epochs)


def _tpe_told(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Search as `tpe` does, and learn from what was really tried in place of its proposals."""
    from optuna.trial import TrialState, create_trial

    study, distributions = _tpe_study(repeat), distributions_for_tpe(space)
    for _ in range(n_trials):
        proposed = study.ask(distributions)
        search = f"tpe, seed={repeat}, in {space}"
        [told] = yield Ask([(config_of_params(space, proposed.params), n_epochs)], search)
        study.tell(proposed, state=TrialState.FAIL)  # which TPE forgets
        if np.isfinite(told.val_loss):
            params = _apart(space, told.config, proposed.params)
            tried = {"params": params, "value": told.val_loss}
            study.add_trial(create_trial(distributions=distributions, **tried))


def _apart(space: SearchSpace, config: Mapping, proposed: Mapping) -> dict:
    """Return the configuration as it is told, with no two trials alike in an integer.

    Optuna sorts what it is told, and equal values are sorted otherwise on another processor. So an
    integer is told as a float that lies as far from it as the proposal did from its own integer.
    """
    apart = {
        name: config[name] + proposed[name] - round(proposed[name])
        for name, p in space.items()
        if isinstance(p, Integer)
    }
    return {name: config[name] for name in space} | apart


def on_pool(
    make: MakeStrategy, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    """Run a search that proposes points of its own, with a pool's configurations in their places.

    space: a `PoolSpace`. The nearest configuration that was not tried yet takes the place of a
    point, as a second try, under the same seed, would teach nothing. A search that asks by `Ask` is
    told which one was tried. Another one takes the loss for that of its own point.
    """
    if not isinstance(space, PoolSpace):
        raise TypeError(
            f"space is {space!r}; a PoolSpace, whose configurations are known, is needed"
        )
    points = space.to_unit(space.configs)
    strategy = make(SearchSpace(space), repeat, n_trials, n_epochs)
    answer = None
    while True:
        try:
            asked = strategy.send(answer)
        except StopIteration:
            return
        trials = asked.trials if isinstance(asked, Ask) else asked
        near = []
        for point, (_, n) in zip(space.to_unit([c for c, _ in trials]), trials, strict=True):
            place = int(((points - point) ** 2).sum(axis=1).argmin())
            points[place] = np.inf  # tried
            near.append((space.configs[place], n))
        answer = yield replace(asked, trials=near) if isinstance(asked, Ask) else near


def distributions_for_tpe(space: SearchSpace) -> dict:
    """Return the space's distributions for Optuna's `study.ask`.

    An Integer is a float there, half a step wider at both ends, and `config_of_params` rounds it.
    Equal integers would be sorted in another order by numpy's instructions of another processor,
    and Optuna's multivariate TPE would then draw other points.
    """
    from optuna import distributions

    def translate(p):
        if isinstance(p, Choice):
            return distributions.CategoricalDistribution(p.values)
        half = 0.5 if isinstance(p, Integer) else 0
        return distributions.FloatDistribution(p.low - half, p.high + half, log=p.log)

    return {name: translate(p) for name, p in space.items()}


def config_of_params(space: SearchSpace, params: Mapping) -> dict:
    """Return the configuration of the space that the params of a trial of Optuna's stand for."""

    def translate(p, value):
        # Python rounds halves to even numbers, so that half a step beyond an end may leave it
        return min(max(round(value), p.low), p.high) if isinstance(p, Integer) else value

    return {name: translate(p, params[name]) for name, p in space.items()}
