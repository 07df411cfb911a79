"""Training one configuration: repeatable to the bit, right by an independent loop, careful with
what it is given.
"""

import math
import random
from fractions import Fraction

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from hpt_helpers.config import DEFAULTS, network_config
from hpt_helpers.data import load_splits
from hpt_helpers.population import fit_many
from hpt_helpers.training import (
    evaluate,
    failure_reason,
    fit,
    refit,
    start_training,
    train_one_epoch,
)

IRIS = load_splits("iris")
CONFIG = {"lr": 0.01, "batch_size": 16, "hidden_size": 8}
CURVES = ("train_loss", "val_loss", "val_accuracy")
DIVERGING = {"lr": 1e200, "batch_size": 16}


def curves_of(curve):
    return [getattr(curve, name).tolist() for name in CURVES]


# --- repeatable -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "digits"])
def test_two_calls_agree_to_the_bit(name):
    splits = load_splits(name)
    one, two = (fit(CONFIG, splits, n_epochs=4, seed=3) for _ in range(2))
    assert curves_of(one) == curves_of(two)
    assert all(
        torch.equal(a, b)
        for a, b in zip(one.model.parameters(), two.model.parameters(), strict=True)
    )


def test_the_global_random_states_are_neither_read_nor_changed():
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        curves = []
        for seed in (1, 2):
            torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
            before = torch.get_rng_state(), np.random.get_state(), random.getstate()
            curves.append(curves_of(fit(CONFIG, IRIS, n_epochs=3)))
            assert torch.equal(torch.get_rng_state(), before[0])
            assert all(
                np.array_equal(a, b) for a, b in zip(np.random.get_state(), before[1], strict=True)
            )
            assert random.getstate() == before[2]
        assert curves[0] == curves[1]
    finally:
        torch.set_rng_state(kept[0]), np.random.set_state(kept[1]), random.setstate(kept[2])


def test_another_seed_gives_another_curve():
    assert curves_of(fit(CONFIG, IRIS, n_epochs=2, seed=0)) != curves_of(
        fit(CONFIG, IRIS, n_epochs=2, seed=1)
    )


def test_a_shorter_training_is_the_beginning_of_a_longer_one():
    short, long = fit(CONFIG, IRIS, n_epochs=3), fit(CONFIG, IRIS, n_epochs=7)
    for name in CURVES:
        np.testing.assert_array_equal(getattr(long, name)[:3], getattr(short, name))


def test_initial_weights_depend_on_seed_and_hidden_size_only():
    def weights(config, seed):
        return torch.cat(
            [p.flatten() for p in start_training(config, IRIS, seed=seed)[0].parameters()]
        )

    assert torch.equal(
        weights({"lr": 0.1, "batch_size": 1}, 4), weights({"lr": 1e-4, "batch_size": 90}, 4)
    )
    assert not torch.equal(weights(CONFIG, 4), weights(CONFIG, 5))


def test_weights_and_shuffles_of_neighbouring_seeds_share_no_stream():
    """On four features the first weight is uniform on ±0.5: the first draw of its stream, less a
    half.
    """
    draws = []
    for seed in range(4):
        model, _, shuffles = start_training(CONFIG, IRIS, seed=seed)
        draws.append(model.hidden.weight[0, 0].item())
        draws.append(torch.rand(1, dtype=torch.float64, generator=shuffles).item() - 0.5)
    own = (
        torch.rand(1, dtype=torch.float64, generator=torch.Generator().manual_seed(0)).item() - 0.5
    )
    assert draws[0] == pytest.approx(own, abs=1e-15)  # so equal streams would be seen
    assert np.diff(sorted(draws)).min() > 1e-6


# --- right ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
@pytest.mark.parametrize("batch_size", [16, 64, "all"])
def test_the_numbers_are_those_of_a_classic_pytorch_loop(name, batch_size):
    splits = load_splits(name)
    batch_size = len(splits.y_train) if batch_size == "all" else batch_size
    n_epochs, seed, lr = 4, 5, splits.max_lr / 2
    curve = fit(
        {"lr": lr, "batch_size": batch_size, "hidden_size": 8}, splits, n_epochs=n_epochs, seed=seed
    )
    expected, network = classic_loop(splits, lr, batch_size, 8, n_epochs, seed)
    for name_of_curve in CURVES:
        np.testing.assert_allclose(
            getattr(curve, name_of_curve),
            expected[name_of_curve],
            rtol=0,
            atol=1e-12,
            err_msg=name_of_curve,
        )
    with torch.no_grad():
        torch.testing.assert_close(
            curve.model(splits.X_val), network(splits.X_val), rtol=0, atol=1e-11
        )


# By how much the four settings move the last losses of the test below differs from 0.01 to 0.7.
ALL_FOUR = {"weight_decay": 0.5, "beta1": 0.6, "label_smoothing": 0.2, "init_scale": 1.7}


@pytest.mark.parametrize("name", ["iris", "digits"])
@pytest.mark.parametrize(
    "settings",
    [
        *({entry: value} for entry, value in ALL_FOUR.items()),
        ALL_FOUR,
        {"cosine_epochs": 5},
        ALL_FOUR | {"cosine_epochs": 4},
    ],
)
def test_settings_are_those_of_a_classic_loop_with_adamw(name, settings):
    """Both `fit` and a stack, whose networks have other batch sizes and settings, or none."""
    splits = load_splits(name)
    config = {"lr": splits.max_lr / 2, "batch_size": 64, "hidden_size": 8}
    expected, _ = classic_loop(splits, *config.values(), 4, 5, **settings)
    curve = fit(config | settings, splits, n_epochs=4, seed=5)
    company = [config, config | {"beta1": 0.7, "batch_size": 25}, config | settings]
    stack = fit_many(company, splits, n_epochs=4, seed=5)
    plain = fit(config, splits, n_epochs=4, seed=5)
    for name_of_curve in CURVES:
        for found in getattr(curve, name_of_curve), getattr(stack, name_of_curve)[2]:
            np.testing.assert_allclose(found, expected[name_of_curve], rtol=0, atol=1e-12)
    assert abs(curve.val_loss[-1] - plain.val_loss[-1]) > 1e-3
    np.testing.assert_allclose(stack.val_loss[0], plain.val_loss, rtol=0, atol=1e-12)


def test_these_configurations_hold_every_setting():
    assert CONFIG.keys() | ALL_FOUR.keys() == {"lr", "batch_size", *DEFAULTS}


def test_a_schedule_belongs_to_its_configuration_and_not_to_the_epochs_that_are_asked_for():
    scheduled = CONFIG | {"cosine_epochs": 9}
    whole, short, later, constant = (
        fit(config, IRIS, n_epochs=n_epochs).val_loss.tolist()
        for config, n_epochs in (
            (scheduled, 9),
            (scheduled, 3),
            (CONFIG | {"cosine_epochs": 27}, 3),
            (CONFIG, 3),
        )
    )
    assert short == whole[:3]
    # the first epoch has the same rate, whatever follows
    assert short[0] == later[0] == constant[0]
    assert len({short[2], later[2], constant[2]}) == 3


@pytest.mark.parametrize(
    "train", [fit, lambda config, *rest, **kw: fit_many([config], *rest, **kw)]
)
def test_training_beyond_the_end_of_a_schedule_is_refused(train):
    assert train(CONFIG | {"cosine_epochs": 3}, IRIS, n_epochs=3)
    with pytest.raises(ValueError, match=r"cosine_epochs is 3, .* for 4 epochs"):
        train(CONFIG | {"cosine_epochs": 3}, IRIS, n_epochs=4)


@pytest.mark.parametrize("settings", [{}, ALL_FOUR])
def test_defaults_that_are_spelt_out_change_no_bit(settings):
    spelt_out = {"weight_decay": 0, "beta1": 0.9, "label_smoothing": 0, "init_scale": 1} | settings
    one, two = (fit(CONFIG | c, IRIS, n_epochs=3) for c in (settings, spelt_out))
    assert curves_of(one) == curves_of(two)
    configs = [CONFIG | {"lr": lr} for lr in (0.001, 0.01)]
    one, two = (
        fit_many([config | c for config in configs], IRIS, n_epochs=3)
        for c in (settings, spelt_out)
    )
    assert curves_of(one) == curves_of(two)


def classic_loop(
    splits,
    lr,
    batch_size,
    hidden_size,
    n_epochs,
    seed,
    *,
    weight_decay=0.0,
    beta1=0.9,
    label_smoothing=0.0,
    init_scale=1.0,
    cosine_epochs=None,
):
    """DataLoader, nn.Sequential, torch.optim.AdamW and numpy's arithmetic for what is recorded.

    The schedule is PyTorch's `CosineAnnealingLR`.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2 * seed)
        network = torch.nn.Sequential(
            torch.nn.Linear(splits.n_features, hidden_size, dtype=torch.float64),
            torch.nn.ReLU(),
            torch.nn.Linear(hidden_size, splits.n_classes, dtype=torch.float64),
        )
    with torch.no_grad():
        for layer in network[0], network[2]:
            layer.weight *= init_scale
    adam = torch.optim.AdamW(
        network.parameters(), lr=lr, betas=(beta1, 0.999), weight_decay=weight_decay
    )
    if cosine_epochs:
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(adam, T_max=cosine_epochs)
    criterion = torch.nn.CrossEntropyLoss(reduction="none", label_smoothing=label_smoothing)
    shuffles = torch.Generator().manual_seed(2 * seed + 1)
    rows = TensorDataset(splits.X_train, splits.y_train)
    curves = {name: [] for name in CURVES}
    for _ in range(n_epochs):
        order = torch.randperm(len(rows), generator=shuffles).tolist()
        losses = []
        for x, y in DataLoader(rows, batch_size=batch_size, sampler=order, drop_last=False):
            row_losses = criterion(network(x), y)
            losses.extend(row_losses.tolist())
            adam.zero_grad()
            row_losses.mean().backward()
            adam.step()
        assert len(losses) == len(rows)
        if cosine_epochs:
            schedule.step()
        with torch.no_grad():
            logits = network(splits.X_val).numpy()
        p = np.exp(logits - logits.max(1, keepdims=True))
        p /= p.sum(1, keepdims=True)
        labels = splits.y_val.numpy()
        curves["train_loss"].append(np.mean(losses))
        curves["val_loss"].append(-np.log(p[np.arange(len(p)), labels]).mean())
        curves["val_accuracy"].append(np.mean(p.argmax(1) == labels))
    return curves, network


def test_the_last_partial_batch_is_kept():
    """One epoch with batches of 64 makes two steps on 90 rows; dropping the rest of 26 would make
    one.
    """
    config = {"lr": 0.01, "batch_size": 64}
    model, optimizer, generator = start_training(config, IRIS)
    sizes = []
    model.register_forward_pre_hook(lambda _, inputs: sizes.append(len(inputs[0])))
    train_one_epoch(config, model, optimizer, IRIS.X_train, IRIS.y_train, generator)
    assert sizes == [64, 26]
    assert {int(state["step"]) for state in optimizer.state.values()} == {2}


def test_a_batch_of_one_makes_a_step_for_each_row():
    config = {"lr": 0.001, "batch_size": 1}
    model, optimizer, generator = start_training(config, IRIS)
    train_one_epoch(config, model, optimizer, IRIS.X_train, IRIS.y_train, generator)
    assert {int(state["step"]) for state in optimizer.state.values()} == {90}


def test_the_returned_model_is_the_one_scored_last():
    curve = fit(CONFIG, IRIS, n_epochs=5)
    loss, accuracy = evaluate(curve.model, IRIS.X_val, IRIS.y_val)
    assert (loss, accuracy) == (curve.val_loss[-1], curve.val_accuracy[-1])


def test_shapes_and_types():
    curve = fit(CONFIG, IRIS, n_epochs=6)
    for name in CURVES:
        assert getattr(curve, name).shape == (6,) and getattr(curve, name).dtype == np.float64
    assert curve.failure == ""


def test_training_learns():
    curve = fit(CONFIG, IRIS, n_epochs=60)
    assert curve.val_loss[-1] < 0.5 * curve.val_loss[0] and curve.val_accuracy[-1] > 0.85


def test_refit_trains_on_training_and_validation_rows_together():
    """Against the loop itself, on rows put together by hand in that order."""
    model = refit(CONFIG, IRIS, n_epochs=3, seed=5)
    X = torch.tensor(IRIS.X_train.tolist() + IRIS.X_val.tolist(), dtype=torch.float64)
    y = torch.tensor(IRIS.y_train.tolist() + IRIS.y_val.tolist())
    expected, optimizer, shuffles = start_training(CONFIG, IRIS, seed=5)
    for _ in range(3):
        train_one_epoch(CONFIG, expected, optimizer, X, y, shuffles)
    assert len(X) == 120
    assert all(
        torch.equal(a, b) for a, b in zip(model.parameters(), expected.parameters(), strict=True)
    )
    only_train = fit(CONFIG, IRIS, n_epochs=3, seed=5).model
    assert not torch.equal(model.output.weight, only_train.output.weight)
    with pytest.raises(ValueError, match="n_epochs is 0"):
        refit(CONFIG, IRIS, n_epochs=0)


def test_missing_hidden_size_means_16():
    without = fit({"lr": 0.01, "batch_size": 16}, IRIS, n_epochs=3)
    given = fit({"lr": 0.01, "batch_size": 16, "hidden_size": 16}, IRIS, n_epochs=3)
    assert curves_of(without) == curves_of(given) and without.model.hidden.out_features == 16


# --- divergence -----------------------------------------------------------------------------------


def test_a_diverging_configuration_turns_nan_and_says_when():
    curve = fit(DIVERGING, IRIS, n_epochs=5)
    assert all(np.isnan(getattr(curve, name)).all() for name in CURVES)
    assert curve.failure == "diverged: validation loss not finite at epoch 1"


@pytest.mark.parametrize(
    ("losses", "reason"),
    [
        ([0.3, 0.2], ""),
        ([0.3, math.nan, 0.2], "diverged: validation loss not finite at epoch 2"),
        ([0.3, 0.2, math.inf], "diverged: validation loss not finite at epoch 3"),
    ],
)
def test_the_reason_names_the_first_bad_epoch(losses, reason):
    assert failure_reason(np.array(losses)) == reason


# --- what is given --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"learning_rate": 0.1}, ValueError, "learning_rate"),
        ({"lr": 0}, ValueError, "lr is 0"),
        ({"lr": -0.01}, ValueError, "lr is -0.01"),
        ({"lr": math.nan}, ValueError, "lr is nan"),
        ({"lr": math.inf}, ValueError, "lr is inf"),
        ({"lr": "0.01"}, TypeError, "lr is '0.01'"),
        ({"lr": None}, TypeError, "lr is None"),
        ({"lr": True}, TypeError, "lr is True"),
        ({"lr": torch.tensor(0.01)}, TypeError, "lr is"),
        ({"batch_size": 0}, ValueError, "batch_size is 0"),
        ({"batch_size": -16}, ValueError, "batch_size is -16"),
        ({"batch_size": math.nan}, TypeError, "batch_size is nan"),
        ({"batch_size": math.inf}, TypeError, "batch_size is inf"),
        ({"batch_size": 91}, ValueError, "the training part has 90 rows"),
        ({"batch_size": 16.5}, TypeError, "batch_size is 16.5"),
        ({"batch_size": 16.0}, TypeError, "batch_size is 16.0"),
        ({"batch_size": np.float64(16.5)}, TypeError, "batch_size is"),
        ({"batch_size": True}, TypeError, "batch_size is True"),
        ({"batch_size": np.bool_(True)}, TypeError, "batch_size is"),
        ({"batch_size": "16"}, TypeError, "batch_size is '16'"),
        ({"hidden_size": 0}, ValueError, "hidden_size is 0"),
        ({"hidden_size": 8.5}, TypeError, "hidden_size is 8.5"),
        ({"hidden_size": None}, TypeError, "hidden_size is None"),
        ({"hidden_size": math.nan}, TypeError, "hidden_size is nan"),
        ({"epochs": 4}, ValueError, "epochs"),
        ({"weight_decay": -0.1}, ValueError, "weight_decay is -0.1; .* finite and at least 0"),
        ({"weight_decay": math.inf}, ValueError, "weight_decay is inf"),
        ({"weight_decay": "0.1"}, TypeError, "weight_decay is '0.1'; .* at least 0"),
        ({"weight_decay": None}, TypeError, "weight_decay is None"),
        ({"beta1": 1}, ValueError, "beta1 is 1; .* from 0 to less than 1"),
        ({"beta1": -0.1}, ValueError, "beta1 is -0.1"),
        ({"beta1": math.nan}, ValueError, "beta1 is nan"),
        ({"beta1": True}, TypeError, "beta1 is True"),
        ({"label_smoothing": 1.1}, ValueError, "label_smoothing is 1.1; .* from 0 to 1"),
        ({"label_smoothing": -0.1}, ValueError, "label_smoothing is -0.1"),
        ({"init_scale": 0}, ValueError, "init_scale is 0; .* greater than 0"),
        ({"init_scale": [1]}, TypeError, r"init_scale is \[1\]"),
        ({"cosine_epochs": 0}, ValueError, "cosine_epochs is 0; .* at least 1"),
        ({"cosine_epochs": 9.0}, TypeError, "cosine_epochs is 9.0; an integer"),
        ({"cosine_epochs": None}, TypeError, "cosine_epochs is None; an integer"),
        ({"cosine_epochs": 2}, ValueError, "cosine_epochs is 2, .* for 3 epochs needs 3 or more"),
        (
            {"weight_decy": 0.1},
            ValueError,
            "weight_decy.*allowed are lr, batch_size, .*weight_decay",
        ),
    ],
)
def test_a_bad_value_is_refused_by_name(change, error, says):
    with pytest.raises(error, match=says):
        fit(CONFIG | change, IRIS, n_epochs=3)


@pytest.mark.parametrize("key", ["lr", "batch_size"])
def test_a_missing_value_is_refused_by_name(key):
    with pytest.raises(ValueError, match=f"lacks '{key}'"):
        fit({k: v for k, v in CONFIG.items() if k != key}, IRIS, n_epochs=3)


@pytest.mark.parametrize("config", [None, [0.01, 16], "lr=0.01"])
def test_a_config_must_be_a_mapping(config):
    with pytest.raises(TypeError, match="mapping"):
        fit(config, IRIS, n_epochs=3)


@pytest.mark.parametrize(
    ("n_epochs", "error"),
    [(0, ValueError), (-1, ValueError), (2.5, TypeError), (True, TypeError), ("3", TypeError)],
)
def test_a_bad_number_of_epochs_is_refused(n_epochs, error):
    with pytest.raises(error, match="n_epochs"):
        fit(CONFIG, IRIS, n_epochs=n_epochs)


@pytest.mark.parametrize(
    ("seed", "error"),
    [(-1, ValueError), (2**62, ValueError), (1.0, TypeError), (True, TypeError), (None, TypeError)],
)
def test_a_bad_seed_is_refused(seed, error):
    with pytest.raises(error, match="seed"):
        fit(CONFIG, IRIS, n_epochs=3, seed=seed)


def test_numpy_scalars_count_as_what_they_stand_for():
    numpy_config = {"lr": np.float64(0.01), "batch_size": np.int64(16), "hidden_size": np.int32(8)}
    expected = fit(CONFIG, IRIS, n_epochs=2, seed=1)
    assert curves_of(fit(numpy_config, IRIS, n_epochs=np.int64(2), seed=np.uint8(1))) == curves_of(
        expected
    )
    checked = network_config(numpy_config, IRIS)
    assert checked == CONFIG and [type(v) for v in checked.values()] == [float, int, int]


def test_the_extremes_that_are_allowed():
    for batch_size in (1, 90):
        assert np.isfinite(
            fit({"lr": 1, "batch_size": batch_size, "hidden_size": 1}, IRIS, n_epochs=1).val_loss
        ).all()
    edges = {"weight_decay": 0, "beta1": 0, "label_smoothing": 1, "init_scale": 1e-9}
    assert np.isfinite(fit(CONFIG | edges, IRIS, n_epochs=1).val_loss).all()
    assert network_config({"lr": Fraction(1, 100), "batch_size": 16}, IRIS)["lr"] == 0.01


def test_epochs_may_stand_in_the_config_when_they_agree():
    assert curves_of(fit(CONFIG | {"epochs": 3}, IRIS, n_epochs=3)) == curves_of(
        fit(CONFIG, IRIS, n_epochs=3)
    )


def test_the_config_given_is_left_alone():
    given = {"lr": np.float64(0.01), "batch_size": 16, "epochs": 1}
    fit(given, IRIS, n_epochs=1)
    assert given == {"lr": np.float64(0.01), "batch_size": 16, "epochs": 1}


def test_trains_where_an_interrupt_has_left_gradients_switched_off():
    splits, config = load_splits("iris"), {"lr": 0.01, "batch_size": 16}
    expected = fit(config, splits, n_epochs=2).val_loss
    # as one left behind: torch's optimisers switch gradients off and on again
    with torch.no_grad():
        curve, model = fit(config, splits, n_epochs=2), refit(config, splits, n_epochs=2)
    assert curve.val_loss.tolist() == expected.tolist()
    assert all(weights.requires_grad for weights in model.parameters())
