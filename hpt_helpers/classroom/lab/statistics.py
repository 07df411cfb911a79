"""Statistics over repeats: the best of many searches at once, and searches compared in pairs.

The arithmetic of a single search is `hpt_helpers.evidence.statistics`, whose names are here, too.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from hpt_helpers.evidence.statistics import Pairs as Pairs
from hpt_helpers.evidence.statistics import bootstrap as bootstrap
from hpt_helpers.evidence.statistics import mean_and_error as mean_and_error
from hpt_helpers.evidence.statistics import pairs as pairs
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
