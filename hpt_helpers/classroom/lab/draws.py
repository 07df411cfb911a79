"""How the default draw of each data set was chosen: by a rule, not by eye."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hpt_helpers.data import load_splits
from hpt_helpers.population import fit_many

# The rule's configurations: five learning rates, from the data set's largest down to a hundredth of
# it in half decades.
LR_FACTORS = tuple(10 ** (-k / 2) for k in range(5))
BATCH_SIZE, SEEDS, N_EPOCHS = 32, range(3), 30


def best_mean_losses(name: str, draws: Sequence[int] = range(20)) -> np.ndarray:
    """Return how low the validation loss gets on each draw at seed 42, shape (n_draws,), in nats.

    For each draw: five configurations (LR_FACTORS × the data set's `max_lr`, batches of 32, hidden
    size 16), each trained for 30 epochs under the training seeds 0 to 2; the mean over the seeds of
    the last epoch's validation loss; the lowest of the five means. Raises ValueError for an unknown
    name.
    """
    parts = [load_splits(name, draw=draw) for draw in draws]
    trainings = [(part, factor, seed) for part in parts for factor in LR_FACTORS for seed in SEEDS]
    configs = [
        {"lr": part.max_lr * factor, "batch_size": BATCH_SIZE} for part, factor, _ in trainings
    ]
    curves = fit_many(
        configs,
        [part for part, _, _ in trainings],
        n_epochs=N_EPOCHS,
        seed=[seed for _, _, seed in trainings],
    )
    losses = curves.val_loss[:, -1].reshape(len(parts), len(LR_FACTORS), len(SEEDS))
    return losses.mean(axis=2).min(axis=1)


def median_draw(best_losses: Sequence[float]) -> int:
    """Return the position of the lower median; of equal values, the first.

    >>> median_draw([0.4, 0.1, 0.3, 0.2])
    3
    """
    return int(np.argsort(best_losses, kind="stable")[(len(best_losses) - 1) // 2])
