"""The strategies of the course as generators for `hpt_helpers.search.run`."""

import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from hpt_helpers.config import as_count, plain
from hpt_helpers.search import BudgetSpent, Strategy, Suggestions
from hpt_helpers.search_space import Real, SearchSpace

# Measured: 13 trials on iris find networks as good as with scikit-optimize's own settings, in a
# third of the time.
BAYESIAN = dict(
    n_initial_points=5,
    acq_func="EI",
    acq_optimizer="sampling",
    acq_optimizer_kwargs={"n_points": 1000},
)


def grid_search(configs: Iterable[Mapping], n_epochs: int | None = None) -> Strategy:
    """Try every configuration once, for n_epochs, or each for its own config["epochs"] when None.

    configs: any iterable. Raises ValueError, once it is asked, when n_epochs is None and a
    configuration has no entry `epochs`; `run` raises when there are none, or one is no mapping, and
    warns when its budget ends before the grid.
    """
    asked = [(config, _epochs_of(config, n_epochs)) for config in configs]
    try:
        yield asked
    except BudgetSpent:
        warnings.warn(
            "the budget ended before the grid: its last configurations were not tried", stacklevel=5
        )
        raise


def random_search(
    space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int
) -> Strategy:
    """Try n_trials random configurations, drawn with replacement (Bergstra & Bengio 2012).

    n_epochs: as above.
    """
    yield [(config, _epochs_of(config, n_epochs)) for config in space.sample(n_trials, seed=seed)]


def bayesian_search(
    space: SearchSpace,
    n_trials: int,
    n_epochs: int | None = None,
    *,
    seed: int,
    batch_size: int = 1,
    clip: float = 0.5,
    log_loss: bool = False,
    xi: float = 0.0,
    **opts,
) -> Strategy:
    """Ask scikit-optimize for configurations, and tell it their losses (Snoek, Larochelle & Adams
    2012).

    batch_size: how many are asked for at once, to keep as many workers busy; the best loss so far
        stands in for those not known yet (the "constant liar"). xi: what an improvement must
        exceed, in the units of what is told.
    clip: larger losses are told as this quantile of those so far, or a few large ones would hide
        what distinguishes the small ones; 1 tells all as they are. A failed trial counts as the
        worst. log_loss: tell (positive) losses' logs.
    opts: others of its `Optimizer`; where they say nothing, `BAYESIAN` does. n_epochs: as for
    `grid_search`.
    While the space has other points, a random one replaces a point that was asked for before.
    Raises TypeError or ValueError for a bad batch_size, clip, or loss without a logarithm.
    """
    from skopt import Optimizer

    n_points = math.prod(math.inf if isinstance(p, Real) else len(p.values) for p in space.values())
    optimizer = Optimizer(
        space.to_skopt(), random_state=seed, **BAYESIAN | {"acq_func_kwargs": {"xi": xi}} | opts
    )
    if "base_estimator" not in opts:
        optimizer.base_estimator_.set_params(optimizer=_likeliest, n_restarts_optimizer=0)
    points, answers, n_told = [], [], 0
    while len(points) < n_trials:
        k = min(as_count("batch_size", batch_size), n_trials - len(points))
        configs = [
            plain(dict(zip(space, point, strict=True)))
            for point in _ask(optimizer, k, points, n_points)
        ]
        asked = Suggestions((config, _epochs_of(config, n_epochs)) for config in configs)
        # kept as they are: a driver may stand in for a loss, and put it right later
        answers.append((yield asked))
        losses = np.concatenate(answers)
        # those of the log, when it resumes
        points += [[config[name] for name in space] for config, _ in asked]
        if np.isfinite(losses).any():
            told = _told(losses, clip, log_loss)
            if len(points) < n_trials:  # or it would think about what it is not asked for any more
                # told anew: the quantile moves
                optimizer.Xi, optimizer.yi = points[:n_told], told[:n_told]
                optimizer.tell(points[n_told:], told[n_told:])
                n_told = len(points)


def _likeliest(minus_log_likelihood, initial_theta, bounds) -> tuple[np.ndarray, float]:
    """Fit a Gaussian process's amplitude, length scales and noise: along the gradient, from the
    best of 16 places.

    scikit-learn's own fit starts at one place, and goes below scales of 0.05, where all candidates
    look alike: by it one search in a hundred goes elsewhere when a loss's last digit differs
    (`python -m benchmarks.surrogate`).
    """
    from scipy.optimize import minimize

    n_scales = len(bounds) - 2
    low, high = np.log([[0.1, *[0.05] * n_scales, 1e-4], [10, *[3] * n_scales, 1]])
    places = low + (high - low) * np.random.default_rng(0).random((16, len(bounds)))
    start = min(places, key=lambda theta: minus_log_likelihood(theta, eval_gradient=False))
    bounds[1:-1, 0] = low[1:-1]
    found = minimize(
        minus_log_likelihood,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"ftol": 1e-4},
    )
    return found.x, found.fun


def _ask(optimizer, k: int, points: list, n_points: float) -> list:
    """Return k points of the space that are not among these, while it, which has n_points, has
    others.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The objective has been evaluated")
        batch = optimizer.ask(n_points=k) if k > 1 else [optimizer.ask()]
    seen = {tuple(point) for point in points}
    for i in range(k):
        while tuple(batch[i]) in seen and len(seen) < n_points:
            batch[i] = optimizer.space.rvs(random_state=optimizer.rng)[0]
        seen.add(tuple(batch[i]))
    return batch


def _told(losses: np.ndarray, clip: float, log_loss: bool) -> list[float]:
    good = np.isfinite(losses)
    told = np.where(good, losses, np.max(losses, where=good, initial=-math.inf))
    if log_loss and told.min() <= 0:
        raise ValueError(f"a loss is {told.min()}; log_loss needs losses greater than 0")
    told = np.log(told) if log_loss else told
    return np.minimum(told, np.quantile(told, clip)).tolist()


def successive_halving(configs: Sequence[Mapping], rungs: Sequence[tuple[int, int]]) -> Strategy:
    """Train all configurations to the first rung, the best of them on to the next, and so on to the
    last.

    rungs: (n_configs, n_epochs) of each (Jamieson & Talwalkar 2016), such as a bracket of
        `hyperband_schedule`; one of no configurations ends it. Failed trials rank last; of equal
        losses the earlier goes on.
    Raises ValueError when the first rung is not for as many configurations as are given, and when a
    rung has more of them, or not more epochs, than the one before.
    """
    configs, rungs = list(configs), list(rungs)
    if [n for n, _ in rungs[:1]] != [len(configs)]:
        raise ValueError(
            f"rungs is {rungs!r}; a first rung of {len(configs)} configurations, those given, is needed"
        )
    for (n_before, before), (n_after, after) in pairwise(rungs):
        if n_after > n_before or after <= before:
            raise ValueError(
                f"rungs is {rungs!r}; each needs more epochs and no more configurations than the last"
            )
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
    """Return Hyperband's brackets, from the one that halves most to the one that never does (Li et
    al. 2018).

    A bracket is a list of rungs (n_configs, resource): so many configurations are given that much
    in all, and the best of them go on. With s_max the largest s for which eta**s <= max_resource,
    R, bracket s has the rungs i = 0 to s, for the resource R * eta**(i - s), rounded down to whole
    epochs: at least 1, and R at last.
    rounding: how many configurations a bracket starts with. "ceil", as in the paper's algorithm 1
        and in Ray, is ceil((s_max + 1) * eta**s / (s + 1)); "floor", as in the table that the paper
        prints and in HpBandSter, is floor((s_max + 1) / (s + 1)) * eta**s.
    survivors: how many a rung has of the n that the bracket starts with. "floor", as in the paper,
    is
        floor(n / eta**i); "ceil", as in Ray, is the rung before's number over eta, rounded up.
    Raises TypeError for a max_resource or eta that is no integer, and ValueError for max_resource <
    1, eta < 2, another word than those two, and by Ray's "ceil" an R such as 80, for which Ray
    counts a bracket that begins with 0 epochs.

    >>> for bracket in hyperband_schedule(9):
    ...     print(bracket)
    [(9, 1), (3, 3), (1, 9)]
    [(5, 3), (1, 9)]
    [(3, 9)]
    """
    R, eta = as_count("max_resource", max_resource), as_count("eta", eta, least=2)
    if not {rounding, survivors} <= {"ceil", "floor"}:
        raise ValueError(
            f"rounding is {rounding!r}, survivors is {survivors!r}; 'ceil' and 'floor' are allowed"
        )
    s_max = 0
    while eta ** (s_max + 1) <= R:  # counted: int(log(243) / log(3)) is 4
        s_max += 1
    if survivors == "ceil" and round(math.log(R) / math.log(eta)) > s_max:
        raise ValueError(
            f"max_resource is {R}; Ray's first rung has 0 epochs then, but not for {eta ** (s_max + 1)}"
        )
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
    space: SearchSpace,
    max_epochs: int,
    eta: int = 3,
    *,
    seed: int,
    rounding: str = "ceil",
    survivors: str = "floor",
) -> Strategy:
    """Run one successive halving for each bracket, on random configurations of the space (Li et al.

    2018).

    The brackets are those of `hyperband_schedule(max_epochs, eta, rounding=…, survivors=…)`, and
    the configurations those of `space.sample` under this seed, each in its order. Raises what these
    two raise, when the search starts.
    """
    schedule = hyperband_schedule(max_epochs, eta, rounding=rounding, survivors=survivors)
    configs = iter(space.sample(sum(rungs[0][0] for rungs in schedule), seed=seed))
    for rungs in schedule:
        yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)


def _epochs_of(config: Mapping, n_epochs: int | None) -> int:
    if n_epochs is None and "epochs" not in config:
        raise ValueError(
            f"config {config!r} has no entry 'epochs'; it is needed where n_epochs is None"
        )
    return config["epochs"] if n_epochs is None else n_epochs
