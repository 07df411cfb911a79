"""The default draws are those of the stated rule, recomputed; the rule's parts are checked against
plain training.
"""

import numpy as np
import pytest

from hpt_helpers.classroom.lab.draws import best_mean_losses, median_draw
from hpt_helpers.data import DEFAULT_DRAW, MAX_LR, load_splits
from hpt_helpers.training import fit


@pytest.mark.parametrize("name", MAX_LR)
def test_the_default_draw_is_the_lower_median_of_twenty_by_best_mean_loss(name):
    losses = best_mean_losses(name)
    chosen = DEFAULT_DRAW[name]
    assert losses.shape == (20,) and chosen == median_draw(losses)
    assert ((losses < losses[chosen]).sum(), (losses > losses[chosen]).sum()) == (9, 10)
    # No other processor's rounding, which stays below 1e-9, can choose another draw.
    assert np.abs(np.delete(losses, chosen) - losses[chosen]).min() > 1e-6


def test_a_best_mean_loss_is_that_of_plain_training():
    """One draw by the loop of `fit`, with the rule's numbers written out."""
    splits = load_splits("iris", draw=7)
    means = [
        np.mean(
            [
                fit({"lr": lr, "batch_size": 32}, splits, n_epochs=30, seed=s).val_loss[-1]
                for s in (0, 1, 2)
            ]
        )
        for lr in (0.1, 0.0316227766016838, 0.01, 0.00316227766016838, 0.001)
    ]
    assert best_mean_losses("iris", [7]) == pytest.approx([min(means)], abs=1e-9)
