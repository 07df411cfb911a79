"""The arithmetic of evidence: pairs, order, luck and intervals, on plain arrays of losses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from hpt_helpers.trials import SAME


class Pairs(NamedTuple):
    """In how many pairs the first loss is lower, level with the second, or higher."""

    wins: int
    ties: int
    defeats: int


class Interval(NamedTuple):
    """A mean and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


def pairs(losses: Iterable[float], others: Iterable[float]) -> Pairs:
    """Compare losses in pairs: those that differ by at most SAME are level.

    >>> pairs([0.1, 0.2, 0.3], [0.2, 0.2 + 1e-12, 0.2])
    Pairs(wins=1, ties=1, defeats=1)
    """
    gaps = np.asarray(losses, dtype=float) - np.asarray(others, dtype=float)
    if np.isnan(gaps).any():
        raise ValueError(f"{np.isnan(gaps).sum()} of the {len(gaps)} pairs hold a nan")
    wins, defeats = int((gaps < -SAME).sum()), int((gaps > SAME).sum())
    return Pairs(wins, len(gaps) - wins - defeats, defeats)


def pairs_in_order(losses: Sequence[float], again: Sequence[float]) -> int:
    """Return how many pairs both lists of losses put in the same order, of n · (n − 1) / 2.

    A pair that is level in one of them is not in order.

    >>> pairs_in_order([0.1, 0.2, 0.3], [0.1, 0.3, 0.2])
    2
    """
    both = zip(losses, again, strict=True)
    return sum((a - b) * (c - d) > 0 for (a, c), (b, d) in combinations(both, 2))


def chance_of_order(n: int, n_in_order: int) -> float:
    """Return how probable so many pairs in order, or more, are if the second order is left to
    chance.

    n: how many things are ordered. The count of pairs in order of a random permutation is that of
    Kendall's tau, and its distribution is exact here (Kendall 1938).

    >>> round(chance_of_order(10, 34), 3), round(chance_of_order(10, 28), 2)
    (0.023, 0.19)
    """
    ways = np.ones(1)
    for k in range(2, n + 1):  # the k-th thing is put before 0 to k − 1 of the others
        ways = np.convolve(ways, np.full(k, 1 / k))
    return float(ways[n_in_order:].sum())


def n_tied(losses: np.ndarray) -> int:
    """Return how many configurations lie within two standard errors of the first.

    losses: shape (n_configs, n_rows), on the same rows. The error is that of the difference.
    """
    return int(is_tied(losses)[1:].sum())


def is_tied(losses: np.ndarray) -> np.ndarray:
    """Say of each configuration whether it lies within two standard errors of the first, (n,).

    losses: shape (n_configs, n_rows), on the same rows or folds, two or more. The error is that of
    the mean difference from the first, in pairs. The first is tied with itself.
    """
    gaps = losses - losses[0]
    error = gaps.std(axis=1, ddof=1) / np.sqrt(losses.shape[1])
    return gaps.mean(axis=1) <= np.maximum(2 * error, SAME)


def rank_correlation(a: ArrayLike, b: ArrayLike) -> float:
    """Return Spearman's rank correlation of two lists of losses; a pair with a nan is left out."""
    from scipy.stats import spearmanr

    found = spearmanr(a, b, nan_policy="omit")
    # pyright takes the class that SciPy makes for it at run time for a plain tuple
    return float(found.statistic)  # pyright: ignore[reportAttributeAccessIssue]


def correlation_interval(correlation: float, n: int) -> Interval:
    """Return a rank correlation of n pairs with its 95 % interval, by Fisher's z.

    The standard error of z is 1.06 / √(n − 3) (Fieller, Hartley & Pearson 1957). Of three pairs or
    fewer, nothing is known: the interval is from −1 to 1.

    >>> [round(end, 2) for end in correlation_interval(0.8, 24)]
    [0.8, 0.57, 0.91]
    """
    if n <= 3:
        return Interval(correlation, -1.0, 1.0)
    z = math.atanh(min(max(correlation, -1 + 1e-12), 1 - 1e-12))
    half = 1.96 * 1.06 / math.sqrt(n - 3)
    return Interval(correlation, math.tanh(z - half), math.tanh(z + half))


def mean_interval(values: Sequence[float] | np.ndarray) -> Interval:
    """Return the mean of independent values with its 95 % interval by Student's t.

    Of a single value nothing is known: the interval is infinite.
    """
    from scipy.stats import t

    array = np.asarray(values, dtype=float)
    mean = float(array.mean())
    if len(array) < 2:
        return Interval(mean, -math.inf, math.inf)
    _, error = mean_and_error(array)
    half = float(t.ppf(0.975, len(array) - 1)) * error
    return Interval(mean, mean - half, mean + half)


def chance_of_mean(gaps: Sequence[float] | np.ndarray) -> float:
    """Return how probable a mean as far from 0, or farther, is if each gap's sign is left to
    chance.

    gaps: differences of pairs. All signs are tried up to 13 gaps, and 10,000 random ones of more
    (the paired permutation test, Fisher 1935; `scipy.stats.permutation_test`).

    >>> chance_of_mean([0.1, 0.2, 0.1, 0.3, 0.1, 0.2])
    0.03125
    """
    from scipy.stats import permutation_test

    found = permutation_test(
        (np.asarray(gaps, dtype=float),),
        np.mean,
        permutation_type="samples",
        n_resamples=10_000,
        rng=np.random.default_rng(0),
    )
    return float(found.pvalue)


def bootstrap(
    values: Sequence[float] | np.ndarray, n_resamples: int = 10_000
) -> tuple[float, float]:
    """Return a 95 % interval of the mean, by drawing the values again with replacement.

    It holds all luck that differs from value to value, and none that moves them all together.
    """
    array = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(array), size=(n_resamples, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def mean_and_error(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error, of two or more independent values."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1) / len(array) ** 0.5)


def wilson(n_right: int, n_rows: int) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927).

    >>> low, high = wilson(27, 30)
    >>> round(low, 3), round(high, 3)
    (0.744, 0.965)
    """
    from scipy.stats import binomtest

    interval = binomtest(n_right, n_rows).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)
