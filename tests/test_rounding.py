"""How far a rounding error moves a training: little up to `max_lr`, and as `fit` has it."""

import pytest
import torch

from hpt_helpers.classroom.lab.rounding import rounding_sensitivity
from hpt_helpers.data import MAX_LR, load_splits
from hpt_helpers.training import evaluate, start_training, train_one_epoch

SPLITS = {name: load_splits(name) for name in MAX_LR}
IRIS = SPLITS["iris"]


@pytest.mark.parametrize("name", SPLITS)
def test_rounding_stays_small_up_to_max_lr(name):
    splits = SPLITS[name]
    difference = rounding_sensitivity({"lr": splits.max_lr, "batch_size": 32}, splits, n_epochs=20)
    assert difference.shape == (20,)
    assert difference.max() < 1e-9 and difference.max() > 0


def test_rounding_grows_to_the_size_of_the_loss_in_a_wild_training():
    difference = rounding_sensitivity({"lr": 0.05, "batch_size": 32}, SPLITS["digits"], n_epochs=30)
    assert difference[0] < 1e-6 and difference.max() > 1e-3


def test_the_nudge_is_that_of_two_trainings_with_fit():
    """The same by hand with one network: as large to within a factor of ten, for it is rounding."""
    losses, config = [], {"lr": 0.01, "batch_size": 16}
    for nudge in (0, 1e-6):
        model, optimizer, generator = start_training(config, IRIS)
        with torch.no_grad():
            for p in model.parameters():
                p += nudge
        for _ in range(5):
            train_one_epoch(config, model, optimizer, IRIS.X_train, IRIS.y_train, generator)
        losses.append(evaluate(model, IRIS.X_val, IRIS.y_val)[0])
    by_hand = abs(losses[1] - losses[0]) / 1e-6
    found = rounding_sensitivity(config, IRIS, n_epochs=5)[-1] / 1e-15
    assert 0.1 * by_hand < found < 10 * by_hand
