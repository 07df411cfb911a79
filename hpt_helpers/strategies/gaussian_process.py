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
LEAST_GAIN = 1e-300  # of an expected improvement; below it there is no slope to climb
# What is likely before any trial, as (median, deviation of the logarithm), and what is possible.
SCALES = 0.5, 0.7
NOISES = 2.5e-3, 2.0
SCALES_FROM_TO = 0.03, 30.0
NO_NOISE = 1e-8  # as little as keeps two trials of one point from being one too many
NOISES_FROM_TO = NO_NOISE, 1.0


def model_points(space: SearchSpace, configs: Sequence[Mapping]) -> np.ndarray:
    """Return configurations as the process sees them: float64, shape (n_configs, n_columns).

    A Real and an Integer have the column of `space.to_unit`, from 0 to 1. A Choice has no order, so
    it has a column for each of its values, and any two of them lie a distance of 1 apart, as the
    two ends of a Real do. Raises ValueError for a configuration outside the space.
    """
    return points_of_unit(space, space.to_unit(configs))


def points_of_unit(space: SearchSpace, unit: np.ndarray) -> np.ndarray:
    """Return what `model_points` does, for configurations given by `space.to_unit`."""
    columns = []
    for i, parameter in enumerate(space.values()):
        if isinstance(parameter, Choice):
            n = len(parameter.values)
            places = np.minimum((unit[:, i] * n).astype(int), n - 1)
            columns.append(np.eye(n)[places] / math.sqrt(2))
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

    def explained(self, at: np.ndarray, before: np.ndarray | None = None) -> np.ndarray:
        """Return how much each trial explains of the losses at other points, shape (n_trials, n).

        at: shape (n, n_columns). before: what this returned for the same points when the process
        had fewer trials. Only the rows of those since are then computed.
        """
        points, whitening = self.trials()
        at = np.asarray(at) / self.scale
        if before is None:
            return whitening @ matern(points, at)
        n = len(before)
        new = points[n:]
        by_old = whitening[:n, :n] @ matern(points[:n], new)
        rows = whitening[n:, n:] @ (matern(new, at) - by_old.T @ before)
        return np.vstack([before, rows])

    def guess(
        self, values: np.ndarray, at: np.ndarray, explained: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return mean and standard deviation at other points, shape (n,) each.

        values: what the trials gave, shape (n_trials,), in the order of the points; at least one.
        at: shape (n, n_columns). explained: what the method of this name returns for them, if it is
        known. The guess far from all trials is the values' own mean and standard deviation (1 where
        all values are equal). The deviation is that of the value without its error.
        """
        _, whitening = self.trials()
        values = np.asarray(values, dtype=np.float64)
        centre, spread = values.mean(), values.std() or 1.0
        explained = self.explained(at) if explained is None else explained
        mean = centre + (whitening @ (values - centre)) @ explained
        variance = np.maximum(1 - np.einsum("ij,ij->j", explained, explained), LEAST_VARIANCE)
        return mean, spread * np.sqrt(variance)

    def guess_and_slopes(
        self, values: np.ndarray, at: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return mean and standard deviation at one point, and how they change around it.

        values: as for `guess`. at: shape (n_columns,). Returns both guesses, shape () each, and
        then their slopes in each column, shape (n_columns,) each.
        """
        points, whitening = self.trials()
        centre, spread = values.mean(), values.std() or 1.0
        between = at / self.scale - points
        r = np.sqrt(5 * (between**2).sum(axis=1))
        fall = np.exp(-r)
        known = whitening @ ((1 + r + r**2 / 3) * fall)
        known_slope = whitening @ (-5 / 3 * ((1 + r) * fall)[:, None] * between / self.scale)
        whitened = whitening @ (values - centre)
        std = np.sqrt(np.maximum(1 - known @ known, LEAST_VARIANCE))
        std_slope = -known @ known_slope / std
        return centre + whitened @ known, spread * std, whitened @ known_slope, spread * std_slope

    def trials(self) -> tuple[np.ndarray, np.ndarray]:
        """Return points and whitening; ValueError for a process without trials."""
        if self.points is None or self.whitening is None:
            raise ValueError("the process has no trials yet; with_points adds them")
        return self.points, self.whitening


def expected_improvement(mean: np.ndarray, std: np.ndarray, best: float) -> np.ndarray:
    """Return by how much losses that are Normal(mean, std) will fall below the loss `best`.

    The mean over the distribution, where a loss above the best counts as no improvement (Jones,
    Schonlau & Welch 1998). The standard deviations are above 0.
    """
    below, density = _normal((best - mean) / std)
    return (best - mean) * below + std * density


def _normal(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the standard normal distribution's probability below z, and its density there."""
    from scipy.special import ndtr  # the strategies can be imported without scipy

    return ndtr(z), np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)


# --- what fits the trials -----------------------------------------------------------------------


def likeliest(
    points: np.ndarray, values: np.ndarray, before: GaussianProcess | None = None
) -> GaussianProcess:
    """Return a process without trials whose scales and noise fit these trials best.

    points: shape (n_trials, n_columns). values: shape (n_trials,). before: one fitted to fewer of
        them, from which it starts if that is better than the usual start.
    Each column has a scale of its own. A prior keeps few trials from saying much: scales are
    log-normal (Hvarfner et al. 2024), and so is the noise. Scales and noise are rounded to about a
    hundredth, so that the last digit of a value does not lead a search elsewhere.
    """
    from scipy.optimize import minimize  # the strategies can be imported without scipy

    n_columns = points.shape[1]
    squares = (points.T[:, :, None] - points.T[:, None, :]) ** 2
    values = (values - values.mean()) / (values.std() or 1.0)
    starts = [np.log([*[SCALES[0]] * n_columns, NOISES[0]])]
    if before is not None:
        starts.append(np.log([*before.scale * np.ones(n_columns), before.noise]))
    start = min(starts, key=lambda theta: minus_log_posterior(theta, squares, values)[0])
    found = minimize(
        minus_log_posterior,
        start,
        args=(squares, values),
        jac=True,
        method="L-BFGS-B",
        bounds=np.log([*[SCALES_FROM_TO] * n_columns, NOISES_FROM_TO]),
        options={"ftol": 1e-4, "maxiter": 30},
    )
    *scales, noise = np.exp(np.round(found.x, 2))
    return GaussianProcess(scale=np.array(scales), noise=float(noise))


def minus_log_posterior(
    theta: np.ndarray, squares: np.ndarray, values: np.ndarray
) -> tuple[float, np.ndarray]:
    """Return how unlikely scales and noise are, but for a constant, and the slope of this.

    theta: the logarithms of the scales and of the noise, shape (n_columns + 1,). squares: the
    points' squared distances in each column, shape (n_columns, n_trials, n_trials). values: with
    mean 0 and standard deviation 1. (Rasmussen & Williams 2006, equations 5.8 and 5.9.)
    """
    squares = squares * np.exp(-2 * theta[:-1])[:, None, None]
    noise = math.exp(theta[-1])
    r = np.sqrt(5 * squares.sum(axis=0))
    fall = np.exp(-r)
    covariance = (1 + r + r**2 / 3) * fall + noise * np.eye(len(values))
    factor = np.linalg.cholesky(covariance)
    whitening = np.linalg.inv(factor)
    inverse = whitening.T @ whitening
    weights = inverse @ values
    by_covariance = (inverse - np.outer(weights, weights)) / 2
    by_square = by_covariance * 5 / 3 * (1 + r) * fall
    slope = np.append((by_square * squares).sum(axis=(1, 2)), noise * np.trace(by_covariance))

    medians, deviations = np.array([*[SCALES] * len(squares), NOISES]).T
    z = (theta - np.log(medians)) / deviations
    unlikely = values @ weights / 2 + np.log(np.diag(factor)).sum() + (z**2).sum() / 2
    return float(unlikely), slope + z / deviations


def climb(
    process: GaussianProcess, values: np.ndarray, best: float, start: np.ndarray, free: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the point where a slope of the expected improvement ends, and the improvement there.

    values: what the process's trials gave. best: the loss to improve on. start: a point, shape
        (n_columns,). free: which of its columns may change, between 0 and 1, a bool for each.
    """
    from scipy.optimize import minimize  # the strategies can be imported without scipy

    def with_free(moved: np.ndarray) -> np.ndarray:
        point = start.copy()
        point[free] = moved
        return point

    def minus_log_gain(moved: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the negative logarithm of the improvement, and its slope.

        The improvement itself is almost 0 and flat far from where it is large.
        """
        mean, std, mean_slope, std_slope = process.guess_and_slopes(values, with_free(moved))
        gain = expected_improvement(mean, std, best)
        if gain < LEAST_GAIN:
            return -math.log(LEAST_GAIN), np.zeros(len(moved))
        below, density = _normal((best - mean) / std)
        gain_slope = density * std_slope - below * mean_slope
        return -math.log(gain), -gain_slope[free] / gain

    bounds = [(0.0, 1.0)] * int(free.sum())
    options = {"maxiter": 50}
    found = minimize(
        minus_log_gain, start[free], jac=True, method="L-BFGS-B", bounds=bounds, options=options
    )
    return with_free(found.x), math.exp(-found.fun)
