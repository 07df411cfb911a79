"""The measurements of lesson 2's part "Going further": see `lesson_02`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count
from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import load_table


def estimates(
    estimate: Callable[[np.ndarray, int], float],
    *,
    n_seen: int = 81,
    numbers: Sequence[int] = (3, 9, 27, 81),
    n_val: int = 360,
) -> pd.DataFrame:
    """Return how well the losses of one search on digits foretell the lowest of n others.

    estimate: a function of (losses, n), which gets the first n_seen losses of a repeat.
    Columns: trials; estimate, its mean over the repeats, and spread, its standard deviation; new,
    the mean of the lowest of n trials that come after the first n_seen.
    Raises ValueError where a pool has fewer trials than both together.
    """
    as_count("n_seen and the largest of numbers together", n_seen + max(numbers), most=N_POOL)
    table, rows = load_table("digits"), []
    losses = table.loss[:N_POOL, :, table.rows(n_val), -1].T
    for n in numbers:
        found = np.array([estimate(row[:n_seen], n) for row in losses])
        starts = range(n_seen, N_POOL - n + 1, n)
        new = np.mean([losses[:, i : i + n].min(axis=1) for i in starts])
        rows.append((n, found.mean(), found.std(ddof=1), new))
    return pd.DataFrame(rows, columns=["trials", "estimate", "spread", "new"])
