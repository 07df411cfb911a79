"""Is early order late order when the learning rate falls to 0? docs/testbed.md shows what it finds.

Each table with a schedule has the same pools as one without, trained on the same rows under the
same seeds, so the two are compared repeat by repeat.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import load_table
from hpt_helpers.evidence.statistics import rank_correlation

ETA = 3


class EarlyOrder(NamedTuple):
    """What the early epochs of a table say of its last one, each of shape (n_repeats,).

    ninth, third: Spearman's correlation over the pool of the losses after a ninth and a third of
        the epochs with those at the end. rising: the share of the pool whose loss is higher at the
        end than after a third.
    best, survivor: the loss at the end of the best configuration of a bracket, and of the one that
        its cuts leave; of shape (n_repeats, n_brackets).
    """

    ninth: np.ndarray
    third: np.ndarray
    rising: np.ndarray
    best: np.ndarray
    survivor: np.ndarray


def early_order(name: str, n_repeats: int) -> EarlyOrder:
    """Return what the first repeats of a table say, by all validation rows that it has."""
    losses = load_table(name).loss[:N_POOL, :n_repeats, -1]  # (n_configs, n_repeats, n_epochs)
    losses = np.where(np.isfinite(losses), losses, np.inf).swapaxes(0, 1)
    late = losses[..., -1]
    best, survivor = zip(*(brackets(of_one) for of_one in losses), strict=True)
    return EarlyOrder(
        _correlations(losses[..., -3], late),
        _correlations(losses[..., -2], late),
        (late > losses[..., -2]).mean(axis=1),
        np.array(best),
        np.array(survivor),
    )


def brackets(losses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the best loss of each of Hyperband's boldest brackets, and that of its survivor.

    losses: (n_configs, n_epochs), after 1, 3, 9, … epochs. A bracket begins with as many
    configurations as the last epoch's number, the next ones of the pool. After each of the other
    epochs it keeps the best third.
    """
    size = ETA ** (losses.shape[1] - 1)
    alive = np.arange(len(losses) // size * size).reshape(-1, size)
    best = losses[alive, -1].min(axis=1)
    for early in losses.T[:-1]:
        order = early[alive].argsort(axis=1, kind="stable")
        alive = np.take_along_axis(alive, order[:, : alive.shape[1] // ETA], axis=1)
    return best, losses[alive[:, 0], -1]


def _correlations(early: np.ndarray, late: np.ndarray) -> np.ndarray:
    return np.array([rank_correlation(*of_one) for of_one in zip(early, late, strict=True)])
