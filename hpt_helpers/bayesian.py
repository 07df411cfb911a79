"""scikit-optimize's optimiser for a search space: told trials, it is asked for configurations.

`bayesian_search` and Ray's searcher both use it. scikit-optimize is imported where it is used.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from hpt_helpers.arguments import is_number
from hpt_helpers.config import as_plain
from hpt_helpers.search_space import Real, SearchSpace, as_space

# Measured: 13 trials on iris find networks as good as with scikit-optimize's own settings, in a
# third of the time.
BAYESIAN: dict[str, Any] = dict(
    n_initial_points=5,
    acq_func="EI",
    acq_optimizer="sampling",
    acq_optimizer_kwargs={"n_points": 1000},
)


def check_options(options: Mapping[str, Any]) -> None:
    """Raise TypeError for a name that is no option of `bayesian_search` or of skopt's Optimizer.

    n_jobs, which would be scikit-optimize's own, is refused: several trials at once are `run`'s.
    """
    from skopt.optimizer import Optimizer

    if "n_jobs" in options:
        needed = "for several trials at a time give batch_size here and n_workers to run"
        raise TypeError(f"n_jobs is {options['n_jobs']!r}, and no option of a search; {needed}")
    taken = {"dimensions", "random_state"}  # given by space and seed
    allowed = {"clip", "log_loss", "xi", *signature(Optimizer).parameters} - taken - {"n_jobs"}
    if unknown := options.keys() - allowed:
        names = ", ".join(sorted(allowed))
        raise TypeError(f"{min(unknown)} is no option of a Bayesian search; allowed are {names}")


class BayesianOptimizer:
    """Suggests configurations by a Gaussian process (Snoek, Larochelle & Adams 2012).

    `tell` it all trials so far, then `ask` for the next. seed, clip, log_loss, xi, opts: as for
    `strategies.bayesian_search`.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int,
        clip: float = 0.5,
        log_loss: bool = False,
        xi: float = 0.0,
        **opts,
    ):
        from skopt import Optimizer
        from threadpoolctl import ThreadpoolController

        check_options(opts)
        if not is_number(clip):
            raise TypeError(f"clip is {clip!r}; a number is needed")
        if not 0 <= clip <= 1:
            raise ValueError(f"clip is {clip!r}; a quantile from 0 to 1 is needed")
        self.space, self.clip, self.log_loss = as_space(space), clip, log_loss
        self.n_points = math.prod(
            math.inf if isinstance(p, Real) else len(p.values) for p in space.values()
        )
        settings: dict[str, Any] = BAYESIAN | {"acq_func_kwargs": {"xi": xi}} | opts
        # Any: the library's annotations do not hold
        self._optimizer: Any = Optimizer(space.to_skopt(), random_state=seed, **settings)
        if "base_estimator" not in opts:
            self._optimizer.base_estimator_.set_params(optimizer=_likeliest, n_restarts_optimizer=0)
        # Matrices of so few trials take several threads up to ten times as long as one.
        self._libraries = ThreadpoolController()
        self._points: list[list] = []  # of all trials that it knows of
        self._n_told = 0  # of these, whose losses scikit-optimize knows

    def tell(self, trials: Iterable[tuple[Mapping, float | None]]) -> None:
        """Say what is known now of all trials so far, in the order in which they were asked for.

        trials: (config, loss) of each: nan of one that failed, None of one that still runs, for
        which the best loss so far stands in (the "constant liar"). Losses may have changed since
        the last time; configurations may not.
        Raises ValueError for a loss without a logarithm where log_loss is True.
        """
        trials = list(trials)
        self._points = [[config[name] for name in self.space] for config, _ in trials]
        known = [loss for _, loss in trials if loss is not None and math.isfinite(loss)]
        if not known:
            return
        losses = [min(known) if loss is None else loss for _, loss in trials]
        told = _told(np.array(losses, dtype=float), self.clip, self.log_loss)
        optimizer, n = self._optimizer, self._n_told
        # told anew: the quantile moves, and losses become known
        optimizer.Xi, optimizer.yi = self._points[:n], told[:n]
        with self._libraries.limit(limits=1, user_api="blas"):
            optimizer.tell(self._points[n:], told[n:])
        self._n_told = len(told)

    def ask(self, n: int = 1) -> list[dict]:
        """Return n configurations to try next, none of which is among those told.

        Once all of the space's points were tried, they repeat.
        """
        with self._libraries.limit(limits=1, user_api="blas"):
            points = _new_points(self._optimizer, n, self._points, self.n_points)
        return [as_plain(dict(zip(self.space, point, strict=True))) for point in points]


def _new_points(optimizer: Any, n: int, tried: list, n_points: float) -> list:
    """Return n points of the space that were not tried, while it, which has n_points, has such."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The objective has been evaluated")
        points = optimizer.ask(n_points=n) if n > 1 else [optimizer.ask()]
    seen = {tuple(point) for point in tried}
    for i in range(n):
        while tuple(points[i]) in seen and len(seen) < n_points:
            points[i] = optimizer.space.rvs(random_state=optimizer.rng)[0]
        seen.add(tuple(points[i]))
    return points


def _told(losses: np.ndarray, clip: float, log_loss: bool) -> list[float]:
    """Return what the surrogate is told: losses clipped, perhaps as logarithms, and all finite.

    losses: nan where a trial failed, which is told as the worst of the others; one is finite.
    """
    good = np.isfinite(losses)
    told = np.where(good, losses, np.max(losses, where=good, initial=-math.inf))
    if log_loss and told.min() <= 0:
        raise ValueError(f"a loss is {told.min()}; log_loss needs losses greater than 0")
    told = np.log(told) if log_loss else told
    return np.minimum(told, np.quantile(told, clip)).tolist()


def _likeliest(minus_log_likelihood, initial_theta, bounds) -> tuple[np.ndarray, float]:
    """Fit a Gaussian process's amplitude, length scales and noise.

    Along the gradient, from the best of 16 places. scikit-learn's own fit starts at one place, and
    goes below scales of 0.05, where all candidates look alike: by it one search in a hundred goes
    elsewhere when a loss's last digit differs (`python -m benchmarks.surrogate`).
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
