"""The strategies of the course as generators for `hpt_helpers.search.run`: what to take home.

Each lesson builds its strategy by hand first and then shows that this gives the same trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from hpt_helpers.config import plain
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import SearchSpace


def grid_search(configs: Iterable[Mapping], n_epochs: int | None = None) -> Strategy:
    """Try every configuration once, for n_epochs, or each for its own config["epochs"] when None.

    configs: any iterable. Raises ValueError, once it is asked, when n_epochs is None and a configuration
    has no entry `epochs`; `run` raises when there are none at all, or one is no mapping.
    """
    yield [(config, _epochs_of(config, n_epochs)) for config in configs]


def random_search(space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int) -> Strategy:
    """Try n_trials random configurations of the space, drawn with replacement (Bergstra & Bengio 2012).

    Each is trained for n_epochs, or for its own config["epochs"] when None.
    """
    yield from grid_search(space.sample(n_trials, seed=seed), n_epochs)


def bayesian_search(
    space: SearchSpace,
    n_trials: int,
    n_epochs: int | None = None,
    *,
    seed: int,
    n_initial_points: int = 10,
    acq_func: str = "gp_hedge",
    acq_optimizer: str = "auto",
) -> Strategy:
    """Ask scikit-optimize for one configuration at a time, and tell it the loss (Snoek, Larochelle & Adams 2012).

    The last three are those of its `Optimizer`; with their defaults the trials are those of `gp_minimize`.
    A failed trial is told as the worst loss so far; before the first success it is not told at all.
    Each is trained for n_epochs, or for its own config["epochs"] when None.
    """
    from skopt import Optimizer

    settings = {"n_initial_points": n_initial_points, "acq_func": acq_func, "acq_optimizer": acq_optimizer}
    optimizer = Optimizer(space.to_skopt(), random_state=seed, **settings)
    for _ in range(n_trials):
        point = optimizer.ask()
        config = plain(dict(zip(space, point, strict=True)))
        (loss,) = yield [(config, _epochs_of(config, n_epochs))]
        if np.isfinite(loss) or optimizer.yi:
            optimizer.tell(point, float(loss) if np.isfinite(loss) else max(optimizer.yi))


def successive_halving(configs: Sequence[Mapping], n_epochs: int, max_epochs: int, eta: int = 3) -> Strategy:
    """Train all for n_epochs, keep the best 1/eta, give them eta times as many; end at max_epochs or with none left.

    Of n configurations a cut keeps n // eta, as in Jamieson & Talwalkar (2016). Failed trials rank last.
    """
    while configs and n_epochs <= max_epochs:
        losses = yield [(config, n_epochs) for config in configs]
        best = np.argsort(losses, kind="stable")[: len(configs) // eta]  # nan comes last
        configs, n_epochs = [configs[i] for i in best], n_epochs * eta


def brackets(max_epochs: int, eta: int = 3) -> list[tuple[int, int]]:
    """Return Hyperband's brackets as (trials, first rung's epochs), the boldest first (Li et al. 2018, algorithm 1).

    This is the algorithm's ceiling formula; the paper's printed table for 81 epochs has 81, 27, 9, 6, 5 trials.

    >>> brackets(81)
    [(81, 1), (34, 3), (15, 9), (8, 27), (5, 81)]
    """
    s_max = 0
    while eta ** (s_max + 1) <= max_epochs:  # counted: int(log(243) / log(3)) is 4
        s_max += 1
    return [(-(-(s_max + 1) * eta**s // (s + 1)), max_epochs // eta**s) for s in range(s_max, -1, -1)]


def hyperband(space: SearchSpace, max_epochs: int, eta: int = 3, *, seed: int) -> Strategy:
    """Run one successive halving for each bracket, on random configurations of the space (Li et al. 2018).

    Let max_epochs be a power of eta; otherwise last rungs end below it.
    """
    shape = brackets(max_epochs, eta)
    configs = iter(space.sample(sum(n_trials for n_trials, _ in shape), seed=seed))
    for n_trials, n_epochs in shape:
        yield from successive_halving([next(configs) for _ in range(n_trials)], n_epochs, max_epochs, eta)


def _epochs_of(config: Mapping, n_epochs: int | None) -> int:
    if n_epochs is None and "epochs" not in config:
        raise ValueError(f"config {config!r} has no entry 'epochs'; it is needed where n_epochs is None")
    return config["epochs"] if n_epochs is None else n_epochs
