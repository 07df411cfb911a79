"""How far a rounding error moves a training: whether another machine repeats its numbers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hpt_helpers.data import Splits
from hpt_helpers.population import Population


def rounding_sensitivity(
    config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0
) -> np.ndarray:
    """Return how far a nudge of 1e-15 in the initial weights moves the validation loss, shape
    (n_epochs,).

    The absolute difference at each epoch. Where it stays below 1e-9, any other machine repeats the
    numbers; where it grows to the size of the loss, it does not, because processors round
    differently.
    """
    pair = Population([config, config], splits, seed=seed)
    for weights in (pair._W1[:, :, 1:], pair._W2):
        weights[0, 1] += 1e-15
    return np.abs(np.diff(pair.train_to(n_epochs).curves().val_loss, axis=0))[0]
