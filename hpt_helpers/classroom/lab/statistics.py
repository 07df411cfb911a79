"""Statistics: losses compared in pairs, and how far a mean over repeats can be trusted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.trials import SAME


def best_along(losses: np.ndarray, axis: int) -> np.ndarray:
    """Return the position of the best loss along an axis, for thousands of searches at once.

    The rule is that of `hpt_helpers.trials.best` for trials of as many epochs: of the losses within
    SAME of the lowest, the first. A loss of nan or infinity never wins. Returned is an array of
    integers without that axis. Raises ValueError where no loss along the axis is finite.

    >>> best_along(np.array([[0.7, 0.5 + 1e-12, 0.5], [0.1, np.nan, 0.2]]), axis=1)
    array([1, 0])
    """
    finite = np.where(np.isfinite(losses), losses, np.inf)
    lowest = finite.min(axis=axis, keepdims=True)
    if np.isinf(lowest).any():
        raise ValueError(f"in {np.isinf(lowest).sum()} of {lowest.size} cases no loss is finite")
    return (finite - lowest <= SAME).argmax(axis=axis)


class Pairs(NamedTuple):
    """In how many pairs the first loss is lower, level with the second, or higher."""

    wins: int
    ties: int
    defeats: int


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


def compare(table: pd.DataFrame, other: str, by: str = "fresh") -> pd.DataFrame:
    """Compare each search with another one in pairs, one for each repeat: a row for each search.

    table: columns search, repeat and by, as `judge` returns them. Columns: search; ratio, how many
    times the other's loss its own is (the geometric mean over the repeats; nan where a loss is not
    above 0), with low and high, its 95 % `bootstrap` interval; wins, ties, defeats (see `pairs`),
    and of, the repeats.
    """
    losses = table.pivot(index="repeat", columns="search", values=by)
    rows = []
    for label in table["search"].unique():
        if label == other:
            continue
        ours, theirs = losses[label].to_numpy(), losses[other].to_numpy()
        ratio = (math.nan,) * 3
        if min(ours.min(), theirs.min()) > 0:
            logs = np.log(ours / theirs)
            ratio = tuple(float(value) for value in np.exp([logs.mean(), *bootstrap(logs)]))
        rows.append((label, *ratio, *pairs(ours, theirs), len(ours)))
    columns = ["search", "ratio", "low", "high", *Pairs._fields, "of"]
    return pd.DataFrame(rows, columns=columns)


def bootstrap(
    values: Sequence[float] | np.ndarray, n_resamples: int = 10_000
) -> tuple[float, float]:
    """Return a 95 % interval of the mean, by drawing the values again with replacement.

    It holds all luck that differs from value to value. Every repeat has rows, a seed and judges of
    its own, so to draw repeats is to draw their judges, too. (Judges that all repeats share would
    move all values together, and no resampling of the repeats shows that.)
    """
    array = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(array), size=(n_resamples, len(array)))
    low, high = np.quantile(array[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def mean_and_error(values: Sequence[float] | np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error, of values from independent repeats."""
    array = np.asarray(values, dtype=float)
    return float(array.mean()), float(array.std(ddof=1) / len(array) ** 0.5)
