"""scikit-optimize's optimiser for a search space: told trials, it is asked for configurations.

`bayesian_search` and Ray's searcher both use it. scikit-optimize is imported where it is used.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any

import numpy as np

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import as_plain
from hpt_helpers.protocol import Ask, Strategy, Told
from hpt_helpers.search_space import Real, SearchSpace, as_space
from hpt_helpers.strategies.random_and_grid import epochs_of

# Measured: 13 trials on iris find networks as good as with scikit-optimize's own settings, in a
# third of the time.
BAYESIAN: dict[str, Any] = dict(
    n_initial_points=5,
    acq_func="EI",
    acq_optimizer="sampling",
    acq_optimizer_kwargs={"n_points": 1000},
)


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
    """Try the configurations that scikit-optimize suggests, told their losses.

    (Snoek, Larochelle & Adams 2012.)
    batch_size: how many are asked for at once, to keep as many workers busy; the best loss so far
        stands in for those not known yet (the "constant liar"). xi: what an improvement must
        exceed, in the units of what is told.
    clip: losses above this quantile are clipped before the model sees them, because a few large
        ones would hide what distinguishes the small ones; 1 tells all as they are. A failed trial
        counts as the worst. log_loss: tell (positive) losses' logs.
    opts: further settings of scikit-optimize's `Optimizer`; `bayesian.BAYESIAN` has the defaults.
    n_epochs: as for `grid_search`.
    A log of it knows space, seed, and which of these settings are not the defaults; a log of others
    is refused. n_trials may grow, and batch_size may change with the workers that there are.
    While the space has other points, a random one replaces a point that was asked for before.
    Raises TypeError or ValueError for a bad n_trials, batch_size or clip, and for a loss without a
    logarithm.
    """
    seed = as_count("seed", seed, least=0, most=2**32 - 1)
    n_trials, batch_size = as_count("n_trials", n_trials), as_count("batch_size", batch_size)
    optimizer = BayesianOptimizer(space, seed=seed, clip=clip, log_loss=log_loss, xi=xi, **opts)
    settings = {"clip": float(clip), "log_loss": bool(log_loss), "xi": float(xi), **opts}
    described = f"bayesian_search, seed={seed}{_not_defaults(settings)}, in {space}"
    trials: list[Told] = []
    while len(trials) < n_trials:
        optimizer.tell((trial.config, trial.val_loss) for trial in trials)
        configs = optimizer.ask(min(batch_size, n_trials - len(trials)))
        asked = [(config, epochs_of(config, n_epochs)) for config in configs]
        trials += yield Ask(asked, described)


def _not_defaults(settings: Mapping[str, Any]) -> str:
    """Return the settings of `bayesian_search` that differ from its defaults, as text."""
    defaults = BAYESIAN | {"clip": 0.5, "log_loss": False, "xi": 0.0}
    changed = {k: v for k, v in settings.items() if k not in defaults or v != defaults[k]}
    text = "".join(f", {name}={value!r}" for name, value in changed.items())
    return re.sub(" at 0x[0-9a-fA-F]+", "", text)  # addresses, which differ from run to run


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
    `bayesian_search`.
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
