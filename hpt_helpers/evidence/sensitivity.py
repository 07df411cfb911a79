"""Which hyperparameters mattered, as far as a search's trials can tell."""

from __future__ import annotations

import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.evidence.questions import best_first
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies.gaussian_process import model_points

LEAST_EXPLAINED = 0.5  # below it, shares are shares of next to nothing
LEAST_TRIALS = 10
MOST_TRIALS = 300  # the process's time grows with their cube


class Importance(NamedTuple):
    """Each hyperparameter's share of the variance of the loss over the search space.

    table: a row for each, the largest first: hyperparameter; alone, the share that it has without
    the others; total, that of all in which it takes part. None where the model explains too little.
    explained: the share of the variance that the model predicts of trials it was not fitted to.
    """

    table: pd.DataFrame | None
    explained: float
    n_trials: int

    def __str__(self) -> str:
        how = f"from {self.n_trials} trials the model explains {max(self.explained, 0):.0%}"
        if self.table is None:
            return f"{how} of what it was not fitted to, too little to say what matters"
        return f"{how} of what it was not fitted to\n{self.table.round(2).to_string(index=False)}"


def importance(trials: pd.DataFrame, space: SearchSpace) -> Importance:
    """Return which hyperparameters account for the differences of the loss over the space.

    A Gaussian process with a length scale for each hyperparameter is fitted to the logarithms of
    the losses (to the losses, where one is 0 or less), and its shares of the variance over the
    whole space are those of Sobol' (2001; `scipy.stats.sobol_indices`). Only trials of the most
    epochs count. How much it explains is measured by five-fold cross-validation. Below one half
    there is no table, since the shares would be those of a model that knows next to nothing.
    It holds for the whole space, in which most configurations are bad. Which hyperparameter matters
    among the good ones is another question. Trials of a search that learns lie where it looked, so
    elsewhere the process guesses.
    Raises ValueError for fewer than ten trials that succeeded.
    """
    points, values, _ = _told(trials, space)
    explained = _explained(points, values)
    if not explained >= LEAST_EXPLAINED:
        return Importance(None, explained, len(values))
    return Importance(_shares(_fitted(points, values), space), explained, len(values))


def mean_response(
    trials: pd.DataFrame, space: SearchSpace, name: str, n_points: int = 41
) -> tuple[list, np.ndarray, float]:
    """Return the loss against one hyperparameter, on average over all others, as the model has it.

    Returned are values of the hyperparameter, the losses there, shape (n_values,), and how much the
    model explains, as `importance` measures it. trials, space: as for `importance`. The mean is
    over the logarithms of the losses at 256 random configurations of the space.
    Raises ValueError for a hyperparameter that the space lacks, and what `importance` raises.
    """
    if name not in space:
        raise ValueError(f"name is {name!r}; the space has {', '.join(space)}")
    points, values, takes_logarithms = _told(trials, space)
    process = _fitted(points, values)
    grid = SearchSpace({name: space[name]}).grid(n_points)
    others = space.sample(256, seed=0)
    averages = [
        np.mean(process.predict(model_points(space, [other | at for other in others])))
        for at in grid
    ]
    losses = np.exp(averages) if takes_logarithms else np.array(averages)
    return [at[name] for at in grid], losses, _explained(points, values)


def _told(trials: pd.DataFrame, space: SearchSpace) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return the points of the trials of the most epochs, what the model is told of each, and
    whether that is the logarithm of its loss.
    """
    done = best_first(trials.loc[trials["n_epochs"] == trials["n_epochs"].max()], MOST_TRIALS)
    done = done.sort_index()
    if len(done) < LEAST_TRIALS:
        raise ValueError(
            f"{len(done)} configurations were trained in full; {LEAST_TRIALS} are needed"
        )
    losses = done["val_loss"].to_numpy(dtype=float)
    positive = bool(losses.min() > 0)
    points = model_points(space, list(done["config"]))
    return points, np.log(losses) if positive else losses, positive


def _fitted(points: np.ndarray, values: np.ndarray):
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    scales: Any = np.ones(points.shape[1])  # the annotations know of one scale only
    kernel = ConstantKernel(1.0, (1e-2, 1e2)) * Matern(scales, (0.1, 30.0), nu=2.5)
    process = GaussianProcessRegressor(
        kernel + WhiteKernel(0.01, (1e-6, 1.0)), normalize_y=True, random_state=0
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a scale at its bound says: this one does not matter
        return process.fit(points, values)


def _explained(points: np.ndarray, values: np.ndarray, n_folds: int = 5) -> float:
    fold = np.random.default_rng(0).permutation(len(values)) % n_folds
    errors = np.empty(len(values))
    for k in range(n_folds):
        out = fold == k
        errors[out] = values[out] - _fitted(points[~out], values[~out]).predict(points[out])
    return float(1 - (errors**2).mean() / values.var()) if values.var() > 0 else 0.0


def _shares(process, space: SearchSpace) -> pd.DataFrame:
    from scipy.stats import sobol_indices, uniform

    names = list(space)

    def loss(cube: np.ndarray) -> np.ndarray:  # shape (n_hyperparameters, n)
        return process.predict(model_points(space, space.from_unit(cube.T)))

    cube = [uniform(0, 1)] * len(names)
    found = sobol_indices(func=loss, n=1024, dists=cube, rng=np.random.default_rng(0))
    table = pd.DataFrame(
        {
            "hyperparameter": names,
            "alone": np.clip(found.first_order, 0, 1),
            "total": np.clip(found.total_order, 0, 1),
        }
    )
    return table.sort_values("total", ascending=False, ignore_index=True)
