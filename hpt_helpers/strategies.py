"""The strategies of the course as generators for `hpt_helpers.search.run`."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from hpt_helpers.config import check_count, plain
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import SearchSpace


def grid_search(configs: Iterable[Mapping], n_epochs: int | None = None) -> Strategy:
    """Try every configuration once, for n_epochs, or each for its own config["epochs"] when None.

    configs: any iterable. Raises ValueError, once it is asked, when n_epochs is None and a configuration has no entry
    `epochs`; `run` raises when there are none at all, or one is no mapping.
    """
    yield [(config, _epochs_of(config, n_epochs)) for config in configs]


def random_search(space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int) -> Strategy:
    """Do as `grid_search` with n_trials random configurations, drawn with replacement (Bergstra & Bengio 2012)."""
    yield from grid_search(space.sample(n_trials, seed=seed), n_epochs)


def bayesian_search(space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int, **opts) -> Strategy:
    """Ask scikit-optimize for one configuration at a time, and tell it the loss (Snoek, Larochelle & Adams 2012).

    opts: those of its `Optimizer`, such as n_initial_points and acq_func; without any, the trials are those of
    `gp_minimize`. A failed trial is told as the worst loss so far; before the first success it is not told at all.
    n_epochs: as for `grid_search`.
    """
    from skopt import Optimizer

    optimizer = Optimizer(space.to_skopt(), random_state=seed, **opts)
    for _ in range(n_trials):
        point = optimizer.ask()
        config = plain(dict(zip(space, point, strict=True)))
        (loss,) = yield [(config, _epochs_of(config, n_epochs))]
        if np.isfinite(loss) or optimizer.yi:
            optimizer.tell(point, float(loss) if np.isfinite(loss) else max(optimizer.yi))


def successive_halving(configs: Sequence[Mapping], rungs: Sequence[tuple[int, int]]) -> Strategy:
    """Train all configurations to the first rung, the best of them on to the next, and so on to the last.

    rungs: (n_configs, n_epochs) of each (Jamieson & Talwalkar 2016), such as a bracket of `hyperband_schedule`; one of
        no configurations ends it. Failed trials rank last; of equal losses the earlier goes on.
    Raises ValueError when the first rung is not for as many configurations as are given, and when a rung has more of
    them, or not more epochs, than the one before.
    """
    configs, rungs = list(configs), list(rungs)
    if [n for n, _ in rungs[:1]] != [len(configs)]:
        raise ValueError(f"rungs is {rungs!r}; a first rung of {len(configs)} configurations, those given, is needed")
    for (n_before, before), (n_after, after) in pairwise(rungs):
        if n_after > n_before or after <= before:
            raise ValueError(f"rungs is {rungs!r}; each needs more epochs and no more configurations than the last")
    losses = np.zeros(len(configs))
    for n_configs, n_epochs in rungs:
        best = np.argsort(losses, kind="stable")[:n_configs]  # nan comes last
        configs = [configs[i] for i in best]
        if not configs:
            return
        losses = yield [(config, n_epochs) for config in configs]


def hyperband_schedule(
    max_resource: int, eta: int = 3, *, rounding: str = "ceil", survivors: str = "floor"
) -> list[list[tuple[int, int]]]:
    """Return Hyperband's brackets, from the one that halves most to the one that never does (Li et al. 2018).

    A bracket is a list of rungs (n_configs, resource): so many configurations are given that much in all, and the
    best of them go on. With s_max the largest s for which eta**s <= max_resource, R, bracket s has the rungs i = 0 to
    s, for the resource R * eta**(i - s), rounded down to whole epochs: at least 1, and R at last.
    rounding: how many configurations a bracket starts with. "ceil", as in the paper's algorithm 1 and in Ray, is
        ceil((s_max + 1) * eta**s / (s + 1)); "floor", as in the table that the paper prints and in HpBandSter, is
        floor((s_max + 1) / (s + 1)) * eta**s.
    survivors: how many a rung has of the n that the bracket starts with. "floor", as in the paper, is
        floor(n / eta**i); "ceil", as in Ray, is the rung before's number over eta, rounded up.
    Raises TypeError for a max_resource or eta that is no integer, and ValueError for max_resource < 1, eta < 2, and
    another word than those two.

    >>> for bracket in hyperband_schedule(9):
    ...     print(bracket)
    [(9, 1), (3, 3), (1, 9)]
    [(5, 3), (1, 9)]
    [(3, 9)]
    """
    R, eta = check_count("max_resource", max_resource), check_count("eta", eta, least=2)
    if not {rounding, survivors} <= {"ceil", "floor"}:
        raise ValueError(f"rounding is {rounding!r}, survivors is {survivors!r}; 'ceil' and 'floor' are allowed")
    s_max = 0
    while eta ** (s_max + 1) <= R:  # counted: int(log(243) / log(3)) is 4
        s_max += 1
    schedule = []
    for s in range(s_max, -1, -1):
        up, down = -(-(s_max + 1) * eta**s // (s + 1)), (s_max + 1) // (s + 1) * eta**s
        n, rungs = up if rounding == "ceil" else down, []
        for i in range(s + 1):
            rungs.append((n, R // eta ** (s - i)))
            n = n // eta if survivors == "floor" else -(-n // eta)
        schedule.append(rungs)
    return schedule


def hyperband(
    space: SearchSpace, max_epochs: int, eta: int = 3, *, seed: int, rounding: str = "ceil", survivors: str = "floor"
) -> Strategy:
    """Run one successive halving for each bracket, on random configurations of the space (Li et al. 2018).

    The brackets are those of `hyperband_schedule(max_epochs, eta, rounding=…, survivors=…)`, and the configurations
    those of `space.sample` under this seed, each in its order. Raises what these two raise, when the search starts.
    """
    schedule = hyperband_schedule(max_epochs, eta, rounding=rounding, survivors=survivors)
    configs = iter(space.sample(sum(rungs[0][0] for rungs in schedule), seed=seed))
    for rungs in schedule:
        yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)


def _epochs_of(config: Mapping, n_epochs: int | None) -> int:
    if n_epochs is None and "epochs" not in config:
        raise ValueError(f"config {config!r} has no entry 'epochs'; it is needed where n_epochs is None")
    return config["epochs"] if n_epochs is None else n_epochs
