"""A Gaussian process over the configurations of a search space, and how much one promises.

It guesses the loss of configurations that were not tried from those that were (Rasmussen &
Williams 2006, chapter 2). What a trial adds to the arithmetic depends on where the trial lies, and
not on its loss. So a process that is given one trial more keeps all that was computed before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hpt_helpers.search_space import Choice, SearchSpace

LEAST_VARIANCE = 1e-12  # where rounding would leave none, or less


def model_points(space: SearchSpace, configs: Sequence[Mapping]) -> np.ndarray:
    """Return configurations as the process sees them: float64, shape (n_configs, n_columns).

    A Real and an Integer have the column of `space.to_unit`, from 0 to 1. A Choice has no order, so
    it has a column for each of its values, and any two of them lie a distance of 1 apart, as the
    two ends of a Real do. Raises ValueError for a configuration outside the space.
    """
    unit = space.to_unit(configs)
    columns = []
    for i, (name, parameter) in enumerate(space.items()):
        if isinstance(parameter, Choice):
            places = [parameter.values.index(config[name]) for config in configs]
            columns.append(np.eye(len(parameter.values))[places] / math.sqrt(2))
        else:
            columns.append(unit[:, [i]])
    return np.hstack(columns)


def matern(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return how alike the losses at points a (n, d) and b (m, d) are, shape (n, m): from 1 to 0.

    The Matérn kernel of ν = 5/2 with a length scale of 1: divide the points by another one.
    """
    squares = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1) - 2 * a @ b.T
    r = np.sqrt(5 * np.maximum(squares, 0))  # rounding may leave less than 0
    return (1 + r + r**2 / 3) * np.exp(-r)


@dataclass(frozen=True)
class GaussianProcess:
    """A Gaussian process with a Matérn kernel, which knows where trials lie and is told what they
    gave.

    scale: the kernel's length scale, or one for each column of the points. noise: the variance of a
        value's error, as a share of the values' variance.
    points: where the trials lie, shape (n_trials, n_columns), each column divided by its scale.
    whitening: the inverse of the lower Cholesky factor of the trials' covariance, shape (n_trials,
        n_trials). It turns values that vary together into independent ones of variance 1.
    `with_points` sets the last two.
    """

    scale: float | np.ndarray = 1.5
    noise: float = 1e-3
    points: np.ndarray | None = None
    whitening: np.ndarray | None = None

    def with_points(self, new: np.ndarray) -> GaussianProcess:
        """Return a process that has these trials too, after those it has.

        new: shape (n_new, n_columns). Takes time in proportion to n_new · n_trials². The result is
        that of a process that gets all trials at once, but for rounding.
        """
        new = np.asarray(new, dtype=np.float64) / self.scale
        if self.points is None or self.whitening is None:
            points, whitening = new[:0], np.empty((0, 0))
        else:
            points, whitening = self.points, self.whitening
        # Of the new trials' covariance, only what the old ones do not explain is left to invert.
        explained = whitening @ matern(points, new)
        left = matern(new, new) + self.noise * np.eye(len(new)) - explained.T @ explained
        corner = np.linalg.inv(np.linalg.cholesky(left))
        n = len(points)
        larger = np.zeros((n + len(new), n + len(new)))
        larger[:n, :n] = whitening
        larger[n:, :n] = -corner @ explained.T @ whitening
        larger[n:, n:] = corner
        return replace(self, points=np.vstack([points, new]), whitening=larger)

    def guess(self, values: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation at other points, shape (n,) each.

        values: what the trials gave, shape (n_trials,), in the order of the points; at least one.
        at: shape (n, n_columns). The guess far from all trials is the values' own mean and standard
        deviation (1 where all values are equal). The deviation is that of the value without its
        error.
        """
        if self.points is None or self.whitening is None:
            raise ValueError("the process has no trials yet; with_points adds them")
        values = np.asarray(values, dtype=np.float64)
        centre, spread = values.mean(), values.std() or 1.0
        known = self.whitening @ matern(self.points, np.asarray(at) / self.scale)
        mean = centre + (self.whitening @ (values - centre)) @ known
        variance = np.maximum(1 - (known**2).sum(axis=0), LEAST_VARIANCE)
        return mean, spread * np.sqrt(variance)


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    """Return by how much losses that are Normal(mean, std) will fall below the loss `best`.

    The mean over the distribution, where a loss above the best counts as no improvement (Jones,
    Schonlau & Welch 1998). The standard deviations are above 0.
    """
    from scipy.special import ndtr  # the strategies can be imported without scipy

    z = (best - mean) / std
    density = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    return (best - mean) * ndtr(z) + std * density
