"""Lesson 4's trials as Ray has them: steps with the numbers of `fit`, checkpoints, failures."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from hpt_helpers.classroom.lesson_04.ray_trainable import course_trainable, results_table
from hpt_helpers.config import DEFAULTS
from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

CONFIG = {"lr": 0.01, "batch_size": 16, "hidden_size": 8}
OTHER = {"lr": 0.003, "batch_size": 64, "hidden_size": 32}
WILD = {"lr": 1e200, "batch_size": 32, "hidden_size": 16}
SETTINGS = {
    "weight_decay": 0.5,
    "beta1": 0.6,
    "label_smoothing": 0.2,
    "init_scale": 2.0,
    "cosine_epochs": 5,
}


@pytest.fixture(scope="module")
def ray():
    import ray as library  # takes seconds, so not at collection

    return library


@pytest.fixture(autouse=True)
def no_files_at_home(ray, monkeypatch, tmp_path):
    """A Trainable that no Tuner made puts a folder for logs into ~/ray_results."""
    monkeypatch.setattr("ray.tune.trainable.trainable.DEFAULT_STORAGE_PATH", str(tmp_path))


def losses(trainable, n_epochs):
    return [trainable.train()["val_loss"] for _ in range(n_epochs)]


def test_these_configurations_hold_every_setting():
    assert CONFIG.keys() | SETTINGS.keys() == {"lr", "batch_size", *DEFAULTS, "cosine_epochs"}


@pytest.mark.parametrize(
    ("dataset", "settings"),
    [("iris", {}), ("wine", SETTINGS), *(("iris", {name: SETTINGS[name]}) for name in SETTINGS)],
)
def test_a_step_is_an_epoch_of_fit(dataset, settings):
    trial = course_trainable(dataset, seed=3)(CONFIG | settings)
    curve = fit(CONFIG | settings, load_splits(dataset), n_epochs=4, seed=3)
    results = [trial.train() for _ in range(4)]
    plain = fit(CONFIG, load_splits(dataset), n_epochs=4, seed=3)
    assert (curve.val_loss == plain.val_loss).all() == (not settings)
    assert [r["val_loss"] for r in results] == curve.val_loss.tolist()
    assert [r["val_accuracy"] for r in results] == curve.val_accuracy.tolist()
    assert {r["failure"] for r in results} == {""} and results[-1]["training_iteration"] == 4


def test_a_draw_of_rows_is_that_of_load_splits():
    trial = course_trainable("iris", draw=7, seed=3)(CONFIG)
    assert (
        losses(trial, 3)
        == fit(CONFIG, load_splits("iris", draw=7), n_epochs=3, seed=3).val_loss.tolist()
    )


def test_a_trial_with_an_entry_epochs_is_over_at_that_epoch_and_the_next_one_is_not():
    trial = course_trainable("iris")(CONFIG | {"epochs": 2})
    assert [trial.train()["done"] for _ in range(2)] == [False, True]
    trial.reset_config(CONFIG)
    assert [trial.train()["done"] for _ in range(4)] == [False] * 4


def test_a_trial_saved_at_epoch_3_and_restored_goes_on_to_the_bit(tmp_path):
    Trial = course_trainable("iris", seed=1)
    first, second = Trial(CONFIG), Trial(CONFIG)
    losses(first, 3)
    first.save_checkpoint(str(tmp_path))
    second.load_checkpoint(str(tmp_path))
    expected = fit(CONFIG, load_splits("iris"), n_epochs=7, seed=1).val_loss[3:].tolist()
    assert losses(second, 4) == expected
    assert losses(first, 4) == expected


@pytest.mark.parametrize("missing", ["optimizer", "generator"])
def test_that_comparison_would_notice_a_checkpoint_without_optimizer_or_generator(
    tmp_path, missing
):
    import torch

    Trial = course_trainable("iris", seed=1)
    first, fresh, second = Trial(CONFIG), Trial(CONFIG), Trial(CONFIG)
    losses(first, 3)
    for trial, folder in ((first, tmp_path / "a"), (fresh, tmp_path / "b")):
        folder.mkdir()
        trial.save_checkpoint(str(folder))
    state = torch.load(tmp_path / "a" / "state.pt") | {
        missing: torch.load(tmp_path / "b" / "state.pt")[missing]
    }
    torch.save(state, tmp_path / "a" / "state.pt")
    second.load_checkpoint(str(tmp_path / "a"))
    assert losses(second, 2) != losses(first, 2)


def test_a_reused_trainable_gives_the_numbers_of_a_fresh_one():
    Trial = course_trainable("iris", seed=2)
    reused = Trial(WILD)
    losses(reused, 2)
    for config in (OTHER, CONFIG):
        assert reused.reset_config(config) is True
        assert losses(reused, 3) == losses(Trial(config), 3)


def test_a_diverging_trial_reports_inf_and_why_and_stays_failed_when_restored(tmp_path):
    Trial = course_trainable("iris")
    trial, restored = Trial(WILD), Trial(WILD)
    results = [trial.train() for _ in range(3)]
    assert [r["val_loss"] for r in results] == [math.inf] * 3
    assert {r["failure"] for r in results} == {fit(WILD, load_splits("iris"), n_epochs=3).failure}
    trial.save_checkpoint(str(tmp_path))
    restored.load_checkpoint(str(tmp_path))
    assert restored.train()["failure"] == results[0]["failure"] != ""


@pytest.mark.parametrize(("worst", "kept"), [(math.inf, {0.3, 0.4}), (math.nan, {0.3, math.nan})])
def test_rays_cut_drops_a_loss_of_inf_and_would_keep_nan(ray, worst, kept):
    from ray.tune.schedulers.hyperband import _Bracket

    bracket = _Bracket("epoch", max_trials=4, init_t_attr=1, max_t_attr=3, eta=2, s=1)
    for loss in (0.4, 0.9, 0.3, worst):
        bracket.add_trial(loss)
        bracket.update_trial_stats(loss, {"epoch": 1, "val_loss": loss})
    good, _ = bracket.successive_halving("val_loss", -1.0)
    assert set(good) == kept


def test_a_bad_configuration_raises():
    with pytest.raises(ValueError, match="batch_size is 5000"):
        course_trainable("iris")(CONFIG | {"batch_size": 5000})


def test_the_table_of_results_marks_diverged_and_crashed_trials_as_failed():
    good = {
        "training_iteration": 9,
        "val_loss": 0.25,
        "val_accuracy": 0.9,
        "failure": "",
        "time_total_s": 0.5,
    }
    bad = good | {"training_iteration": 3, "val_loss": math.inf, "failure": "diverged: at epoch 2"}
    table = results_table(
        [
            SimpleNamespace(config=CONFIG, metrics=good, error=None),
            SimpleNamespace(config=WILD, metrics=bad, error=None),
            SimpleNamespace(
                config=OTHER, metrics=None, error=RuntimeError("traceback\nValueError: no")
            ),
            # as Tune has it
            SimpleNamespace(config=None, metrics={}, error=ValueError("before its first result")),
        ]
    )
    assert table["status"].tolist() == ["ok", "failed", "failed", "failed"]
    assert table["reason"].tolist() == [
        "",
        "diverged: at epoch 2",
        "ValueError: no",
        "before its first result",
    ]
    assert table["n_epochs"].tolist() == [9, 3, 0, 0]
    np.testing.assert_array_equal(table["lr"], [CONFIG["lr"], WILD["lr"], OTHER["lr"], np.nan])
    np.testing.assert_array_equal(table["val_loss"], [0.25, np.nan, np.nan, np.nan])
