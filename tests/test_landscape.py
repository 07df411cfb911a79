"""Landscapes: the curves of `fit`, and what can be asked of them."""

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.lab import trainer
from hpt_helpers.classroom.lab.landscape import trained_landscape
from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

IRIS = load_splits("iris")
CONFIGS = [
    {"lr": 0.01, "batch_size": 16, "hidden_size": 8},
    {"lr": 0.1, "batch_size": 32},
    {"lr": 0.05, "batch_size": 90, "hidden_size": 3},
]
DIVERGING = {"lr": 1e200, "batch_size": 16}


def make(configs=CONFIGS, n_epochs=3, seeds=(0, 4), draws=IRIS.draw):
    return trained_landscape("iris", configs, n_epochs=n_epochs, seeds=seeds, draws=draws)


def assert_same(one, two):
    np.testing.assert_array_equal(one.val_loss, two.val_loss)
    np.testing.assert_array_equal(one.val_accuracy, two.val_accuracy)


# --- what it holds --------------------------------------------------------------------------------


def test_its_curves_are_those_of_fit():
    found = make()
    assert found.val_loss.shape == found.val_accuracy.shape == (3, 2, 3)
    for i, config in enumerate(CONFIGS):
        for j, seed in enumerate((0, 4)):
            curve = fit(config, IRIS, n_epochs=3, seed=seed)
            np.testing.assert_allclose(found.val_loss[i, j], curve.val_loss, rtol=0, atol=1e-9)
            np.testing.assert_array_equal(found.val_accuracy[i, j], curve.val_accuracy)


def test_seeds_may_be_any_sequence():
    assert_same(make(seeds=range(3)), make(seeds=np.array([0, 1, 2])))
    assert make(seeds=range(3)).seeds == make(seeds=(0, np.int8(1), 2)).seeds == [0, 1, 2]


def test_lookup_counts_epochs_from_1():
    found = make()
    curve = fit(CONFIGS[1], IRIS, n_epochs=3, seed=4)
    for epoch in (1, 2, 3):
        loss, accuracy = found.lookup(CONFIGS[1], epoch, 4)
        assert (
            loss == pytest.approx(curve.val_loss[epoch - 1], abs=1e-9)
            and accuracy == curve.val_accuracy[epoch - 1]
        )


def test_lookup_takes_a_config_in_any_order_with_numpy_values_and_the_default_hidden_size():
    found = make()
    expected = found.lookup({"lr": 0.1, "batch_size": 32, "hidden_size": 16}, 2, 0)
    assert (
        found.lookup({"batch_size": np.int64(32), "lr": np.float64(0.1)}, np.int64(2), np.int64(0))
        == expected
    )


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (
            ({"lr": 0.02, "batch_size": 16, "hidden_size": 8}, 1, 0),
            ValueError,
            "not among the landscape's 3",
        ),
        ((CONFIGS[0], 0, 0), ValueError, "epoch is 0"),
        ((CONFIGS[0], 4, 0), ValueError, "epoch is 4; it must be an integer from 1 to 3"),
        ((CONFIGS[0], -1, 0), ValueError, "epoch is -1"),
        ((CONFIGS[0], 1.5, 0), TypeError, "epoch is 1.5"),
        ((CONFIGS[0], 1, 1), ValueError, "seed is 1"),
        (
            (CONFIGS[0] | {"epochs": 2}, 1, 0),
            ValueError,
            r"config\['epochs'\] is 2, but n_epochs is 1",
        ),
        (("lr", 1, 0), TypeError, "a mapping such as"),
    ],
)
def test_lookup_of_what_is_not_there(arguments, error, says):
    with pytest.raises(error, match=says):
        make().lookup(*arguments)


def test_the_table_has_a_row_for_each_configuration_and_seed():
    found = make()
    table = found.table(2)
    assert list(table.columns) == [
        "lr",
        "batch_size",
        "hidden_size",
        "epochs",
        "seed",
        "val_loss",
        "val_accuracy",
    ]
    assert list(table.index) == list(range(6))
    assert table["seed"].tolist() == [0, 4] * 3 and table["hidden_size"].tolist() == [
        8,
        8,
        16,
        16,
        3,
        3,
    ]
    for r in table.to_dict("records"):
        config = {k: r[k] for k in ("lr", "batch_size", "hidden_size")}
        assert (r["val_loss"], r["val_accuracy"]) == found.lookup(config, 2, r["seed"])
    assert isinstance(table, pd.DataFrame)
    for bad in (0, 4, [1, 4]):
        with pytest.raises(ValueError, match="epoch"):
            found.table(bad)


def test_the_table_of_several_epochs_is_theirs_in_turn():
    found = make()
    table = found.table([3, 1])
    assert table["epochs"].tolist() == [3] * 6 + [1] * 6 and list(table.index) == list(range(12))
    pd.testing.assert_frame_equal(table[:6], found.table(3))
    pd.testing.assert_frame_equal(table[6:].reset_index(drop=True), found.table(np.int64(1)))


@pytest.mark.parametrize("epoch", [1, 3])
def test_the_best_has_the_lowest_mean_loss_over_seeds(epoch):
    found = make(seeds=range(5))
    means = [
        np.mean([fit(c, IRIS, n_epochs=3, seed=s).val_loss[epoch - 1] for s in range(5)])
        for c in CONFIGS
    ]
    assert found.best(epoch) == {"hidden_size": 16} | CONFIGS[int(np.argmin(means))]


def test_the_best_of_those_that_have_fixed_values():
    """Against a search by hand through single trainings."""
    configs = [
        {"lr": lr, "batch_size": b, "hidden_size": 8} for lr in (0.001, 0.01, 0.1) for b in (16, 32)
    ]
    found = make(configs, seeds=range(3))
    means = {
        (c["lr"], c["batch_size"]): np.mean(
            [fit(c, IRIS, n_epochs=3, seed=s).val_loss[-1] for s in range(3)]
        )
        for c in configs
    }
    for batch_size in (16, 32):
        lr, _ = min((key for key in means if key[1] == batch_size), key=means.get)
        assert found.best(3, batch_size=batch_size) == {
            "lr": lr,
            "batch_size": batch_size,
            "hidden_size": 8,
        }
    assert found.best(3, lr=0.001, batch_size=32)["lr"] == 0.001  # which is not the best of all
    with pytest.raises(ValueError, match=r"no configuration with \{'batch_size': 17\}"):
        found.best(3, batch_size=17)
    with pytest.raises(ValueError, match="epoch is 4"):
        found.best(4)


def test_the_losses_of_a_configuration_are_those_of_each_seed():
    found = make(seeds=(0, 4, 2))
    expected = [fit(CONFIGS[2], IRIS, n_epochs=3, seed=s).val_loss[1] for s in (0, 4, 2)]
    assert found.losses(CONFIGS[2], 2).shape == (3,)
    assert found.losses(CONFIGS[2], 2) == pytest.approx(expected, abs=1e-9)
    with pytest.raises(ValueError, match="not among"):
        found.losses(DIVERGING, 2)


@pytest.mark.parametrize(("draws", "expected"), [(None, (3, 7)), (5, (5, 5)), ([7, 5], (7, 5))])
def test_each_seed_has_its_draw_of_the_rows(draws, expected):
    found = make(CONFIGS[:1], seeds=(3, 7), draws=draws)
    for j, (seed, draw) in enumerate(zip((3, 7), expected, strict=True)):
        curve = fit(CONFIGS[0], load_splits("iris", draw=draw), n_epochs=3, seed=seed)
        assert found.val_loss[0, j] == pytest.approx(curve.val_loss, abs=1e-9)


def test_one_that_diverges_is_nan_and_never_the_best():
    found = make([DIVERGING, *CONFIGS])
    assert np.isnan(found.val_loss[0]).all() and np.isfinite(found.val_loss[1:]).all()
    assert found.best(3) == make().best(3)
    with pytest.raises(ValueError, match="that reached epoch 1 under every seed"):
        make([DIVERGING]).best(1)
    trainer.forget()
    assert_same(make([DIVERGING, *CONFIGS]), found)  # from the cache


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"configs": []}, ValueError),
        ({"seeds": []}, ValueError),
        ({"seeds": [-1]}, ValueError),
        ({"n_epochs": 0}, ValueError),
        ({"n_epochs": 2.5}, TypeError),
        ({"draws": [1, 2, 3]}, ValueError),
        ({"configs": [{"lr": 0.01, "batch_size": 1000}]}, ValueError),
        ({"configs": [{"lr": 0.01, "batch_size": 16.5}]}, TypeError),
    ],
)
def test_bad_arguments_are_refused(arguments, error):
    with pytest.raises(error):
        make(**arguments)


@pytest.mark.parametrize(
    ("seeds", "says"),
    [
        (5, r"seeds is 5; a sequence of integers is needed, such as range\(5\)"),
        (np.int64(3), r"seeds is np.int64\(3\); a sequence"),
        (True, "seeds is True; a sequence"),
        (None, "seeds is None; a sequence"),
        ("012", "seeds is '012'; a sequence"),
        (b"012", "seeds is b'012'; a sequence"),
        ({0, 1}, r"seeds is \{0, 1\}; a sequence"),
        (np.zeros((2, 2), int), "seeds is array"),
        ([0.5], r"seeds\[0\] is 0.5; an integer is needed"),
        ([0, True], r"seeds\[1\] is True"),
        ([0, "1"], r"seeds\[1\] is '1'"),
        (np.array([0.0, 1.0]), r"seeds\[0\] is np.float64\(0.0\)"),
    ],
)
def test_seeds_that_are_no_sequence_of_integers_are_refused(seeds, says):
    with pytest.raises(TypeError, match=says):
        make(seeds=seeds)
