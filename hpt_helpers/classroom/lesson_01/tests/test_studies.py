"""Lesson 1's measurements, each against plain `fit`, or against numbers worked out by hand."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from hpt_helpers.classroom.lab import trainer
from hpt_helpers.classroom.lab.landscape import Landscape
from hpt_helpers.classroom.lab.trainer import Data
from hpt_helpers.classroom.lesson_01 import studies
from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

GRID = {"lr": [0.003, 0.03], "batch_size": [32, 64], "epochs": [3, 6]}
CANDIDATES = [(lr, size, epochs) for size in (32, 64) for epochs in (3, 6) for lr in (0.003, 0.03)]


def alone(candidate, splits, seed):
    lr, size, epochs = candidate
    curve = fit({"lr": lr, "batch_size": size}, splits, n_epochs=epochs, seed=seed)
    return curve.val_loss[-1], curve.val_accuracy[-1]


def loss_on(candidate, draws):
    return np.mean([alone(candidate, load_splits("iris", draw=d), d)[0] for d in draws])


# --- the grid in repeats --------------------------------------------------------------------------


def test_trials_are_those_of_eight_trainings_one_by_one():
    table = studies.grid_trials(GRID, repeats=[2, 5])
    assert len(table) == 16 and table["repeat"].tolist() == [2] * 8 + [5] * 8
    for row in table.itertuples():
        splits = load_splits("iris", draw=row.repeat)
        expected = alone((row.lr, row.batch_size, row.epochs), splits, row.repeat)
        assert (row.val_loss, row.val_accuracy) == pytest.approx(expected, abs=1e-9)
    assert set(table[studies.AXES].itertuples(index=False, name=None)) == set(CANDIDATES)


def test_a_loss_of_several_draws_is_their_mean_and_the_draws_are_the_repeats_own():
    one = {"lr": [0.03], "batch_size": [32], "epochs": [4]}
    [loss] = studies.grid_trials(one, repeats=[3], n_draws=3)["val_loss"]
    assert loss == pytest.approx(loss_on((0.03, 32, 4), [3, *trainer.own_draws(3, "mean", 2)]))


def trial_rows(*rows):
    return pd.DataFrame(rows, columns=["repeat", "lr", "batch_size", "epochs", "val_loss"])


def test_the_lowest_loss_wins_and_of_equal_ones_the_fewest_epochs():
    trials = trial_rows(
        (0, 0.1, 16, 50, 0.3),
        (0, 0.2, 16, 50, 0.2),
        (7, 0.1, 16, 100, 0.1),
        (7, 0.2, 32, 50, 0.1 + 1e-12),
        (7, 0.3, 32, 50, float("nan")),
    )
    won = studies.grid_winners(trials)
    found = won[["repeat", "lr", "batch_size", "epochs"]].to_numpy().tolist()
    assert found == [[0, 0.2, 16, 50], [7, 0.2, 32, 50]]


def test_agreement_counts_the_winners_of_repeats():
    """Three repeats on simulated rows, against winners found one by one."""
    grid = {"lr": [0.003, 0.03], "batch_size": [64], "epochs": [1, 2]}
    (row,) = studies.agreement({"only": grid}, [30], repeats=range(3)).itertuples()
    won, losses = [], []
    for repeat in range(3):
        splits = load_splits("simulated", draw=repeat, n_val=30)
        candidates = [(lr, 64, epochs) for epochs in (1, 2) for lr in grid["lr"]]
        losses.append([alone(candidate, splits, repeat)[0] for candidate in candidates])
        won.append(candidates[np.argmin(losses[-1])])
    best, second = sorted(np.mean(losses, axis=0))[:2]
    assert (row.grid, row.rows, row.n_winners) == ("only", 30, len(set(won)))
    assert row.ahead == pytest.approx(second - best, abs=1e-9)
    names = ["{:g}, {}, {}".format(*candidate) for candidate in won]
    assert row.most_wins == names.count(row.most_frequent) == max(map(names.count, names))


def test_winners_are_judged_on_draws_of_their_repeats_own():
    won = studies.judged(GRID, [1, 2], repeats=[0, 3], n_judges=2)
    assert won[["chosen_by", "repeat"]].to_numpy().tolist() == [[1, 0], [1, 3], [2, 0], [2, 3]]
    for row in won.itertuples():
        own = trainer.own_draws(row.repeat, "mean", 1) if row.chosen_by == 2 else []
        choosers = [row.repeat, *own]
        best = min(CANDIDATES, key=lambda c: loss_on(c, choosers))
        assert (row.lr, row.batch_size, row.epochs) == best
        assert row.as_searched == pytest.approx(loss_on(best, choosers), abs=1e-9)
        judges = trainer.own_draws(row.repeat, "judge", 2)
        assert row.fresh == pytest.approx(loss_on(best, judges), abs=1e-9)


def test_both_losses_of_winners_are_rows_of_a_figure():
    columns = ["chosen_by", "lr", "as_searched", "fresh"]
    won = pd.DataFrame(
        [(1, 0.1, 0.2, 0.5), (5, 0.01, 0.3, 0.4), (1, 0.1, 0.1, 0.6)], columns=columns
    )
    found = studies.as_searched_and_fresh(won).groupby("search_and_loss", sort=False)["val_loss"]
    assert found.apply(list).to_dict() == {
        "1 draw chose 0.1, as_searched": [0.2, 0.1],
        "1 draw chose 0.1, fresh": [0.5, 0.6],
        "5 draws chose 0.01, as_searched": [0.3],
        "5 draws chose 0.01, fresh": [0.4],
    }


# --- learning rate, batch size and epochs together ------------------------------------------------


def small_landscape():
    """Two rates and two sizes, two repeats, two epochs, with losses written out."""
    configs = [
        {"lr": lr, "batch_size": size, "hidden_size": 16} for size in (16, 64) for lr in (0.01, 0.1)
    ]
    final = [[1.0, 2.0], [0.5, 1.5], [1.5, 1.0], [2.0, 1.0]]
    losses = np.stack([np.full((4, 2), 9.0), np.array(final)], axis=2)
    return Landscape(configs, [0, 1], losses, np.zeros((4, 2, 2)))


def test_the_surface_has_four_rates_to_each_power_of_ten():
    truth = studies.surface(n_epochs=2, n_repeats=1)
    rates = sorted({config["lr"] for config in truth.configs})
    assert len(truth.configs) == 39 and (rates[0], rates[-1]) == (0.0001, 0.1)
    assert np.diff(np.log10(rates)) == pytest.approx(0.25, abs=0.01)


def test_the_best_rate_of_each_batch_size_by_hand():
    table = studies.best_rates(small_landscape(), {16: 2, 64: 2})
    assert table.to_dict("list") == {
        "batch_size": [16, 64],
        "epochs": [2, 2],
        "best_lr": [0.1, 0.01],
        "mean_loss": [1.0, 1.25],
    }


def test_duels_are_counted_repeat_by_repeat_and_ties_are_no_wins():
    truth = small_landscape()
    table = studies.duels(truth, [0.01, 0.1], 16, 64, epoch=2)
    assert table.to_dict("list") == {"lr": [0.01, 0.1], "wins_of_16": [1, 1], "of": [2, 2]}
    truth.val_loss[2, 0, 1] = 1.0 + 1e-10  # of 64 at 0.01, where 16 had won
    assert studies.duels(truth, [0.01], 16, 64, epoch=2)["wins_of_16"].to_list() == [0]


# --- the naive script -----------------------------------------------------------------------------


def test_naive_scores_are_those_of_each_network_alone():
    grid = {"lr": [0.01, 0.05], "batch_size": [32], "epochs": [2, 4]}
    scores = studies.naive_scores(grid, 2)
    assert len(scores) == 8
    for row in scores.itertuples():
        rows = load_splits("iris", seed=row.split)
        config = {"lr": row.lr, "batch_size": row.batch_size}
        curve = fit(config, rows, n_epochs=row.epochs, seed=row.split)
        assert row.test == rows.autopsy_scores([curve.model])[0]
        assert row.unused == pytest.approx(curve.val_accuracy[-1])


def test_optimism_by_hand(monkeypatch):
    """Two splits of two trials, and of the first of them alone; the first of two that tie wins."""
    some = {"lr": [0.01], "batch_size": [16], "epochs": [5]}
    monkeypatch.setattr(studies, "SCRIPTS", {1: some, 2: some | {"lr": [0.01, 0.1]}})
    columns = ["split", *studies.AXES, "test", "unused"]
    rows = [
        (8, 0.1, 16, 5, 0.9, 0.6),
        (8, 0.01, 16, 5, 0.9, 0.7),
        (9, 0.01, 16, 5, 0.5, 0.6),
        (9, 0.1, 16, 5, 0.8, 0.75),
    ]
    scores = pd.DataFrame(rows, columns=columns)
    monkeypatch.setattr(studies, "naive_scores", lambda grid, n_splits: scores)
    table = studies.optimism([1, 2], n_splits=2)
    assert table[["n_trials", "split"]].to_numpy().tolist() == [[1, 8], [1, 9], [2, 8], [2, 9]]
    assert table["optimism"].tolist() == pytest.approx([20, -10, 20, 5])


def test_the_scripts_are_parts_of_the_largest_and_have_as_many_trials_as_they_say():
    largest = studies.SCRIPTS[max(studies.SCRIPTS)]
    for n, grid in studies.SCRIPTS.items():
        assert n == np.prod([len(values) for values in grid.values()])
        assert all(set(grid[axis]) <= set(largest[axis]) for axis in studies.AXES)


def test_two_runs_differ_by_their_seeds_only():
    (row,) = studies.two_runs(GRID, repeats=[3]).itertuples()
    splits, (other,) = load_splits("iris", draw=3), trainer.own_draws(3, "luck", 1)
    expected = [min(CANDIDATES, key=lambda c: alone(c, splits, seed)[0]) for seed in (3, other)]
    assert [row.first, row.second] == expected and row.same == (row.first == row.second)


# --- folds and luck -------------------------------------------------------------------------------


def test_folds_are_compared_in_pairs():
    results = {
        "param_net__lr": [0.1, 0.2],
        "split0_test_score": [-1.0, -0.5],
        "split1_test_score": [-3.0, -2.7],
        "mean_test_score": [-2.0, -1.6],
    }
    table = studies.paired_folds(SimpleNamespace(cv_results_=results, n_splits_=2), ["net__lr"])
    assert table["lr"].tolist() == [0.2, 0.1]
    assert table["mean_loss"].tolist() == pytest.approx([1.6, 2.0])
    assert table["behind"].tolist() == pytest.approx([0, 0.4])
    # distances 0.5 and 0.3 have the standard error 0.1; t with one degree of freedom is 12.706
    assert table["needed"].tolist() == pytest.approx([0, 1.2706], abs=1e-4)


def test_nested_and_plain_agree_where_there_is_nothing_to_choose():
    grid = {"lr": [0.01], "batch_size": [16], "epochs": [3]}
    assert studies.nested_gap(grid, n_repeats=2) == pytest.approx([0, 0])


def test_fold_scores_are_those_of_networks_scaled_by_their_training_rows():
    X, y = load_splits("iris", draw=1, scaled=False).search_rows()
    folds = [(np.arange(0, 80), np.arange(80, 120))]
    (scores,) = studies._fold_scores(X, y, folds, [{"lr": 0.05, "batch_size": 20}], [2, 5], 7)
    X = torch.from_numpy((X - X[:80].mean(axis=0)) / X[:80].std(axis=0))
    y = torch.from_numpy(y)
    parts = {"X_train": X[:80], "y_train": y[:80], "X_val": X[80:], "y_val": y[80:]}
    rows = replace(load_splits("iris"), **parts)
    curve = fit({"lr": 0.05, "batch_size": 20}, rows, n_epochs=5, seed=7)
    assert scores == pytest.approx(curve.val_accuracy[[1, 4]])


def test_luck_is_the_spread_of_a_square_of_trainings():
    a, b = ({"lr": lr, "batch_size": 32} for lr in (0.03, 0.01))
    table = studies.luck(a, b, n_epochs=3, repeats=[1, 4])
    square = [
        [[alone((lr, 32, 3), load_splits("iris", draw=d), s)[0] for s in (1, 4)] for d in (1, 4)]
        for lr in (0.03, 0.01)
    ]
    of_a, of_b = np.array(square)
    expected = {}
    for what, values in {"loss": of_a, "difference": of_a - of_b}.items():
        # the standard deviation of two numbers is their distance by the square root of two
        expected[f"{what}, by rows"] = np.abs(values[0] - values[1]) / 2**0.5
        expected[f"{what}, by seed"] = np.abs(values[:, 0] - values[:, 1]) / 2**0.5
    found = table.groupby("luck_of", sort=False)["sd"].apply(list).to_dict()
    assert list(found) == list(expected)
    assert all(found[name] == pytest.approx(expected[name], abs=1e-9) for name in expected)


def test_rows_of_another_number_are_another_data_set():
    few, more = (
        studies.grid_trials(GRID, Data("digits", 80, n), repeats=[0])["val_loss"] for n in (20, 60)
    )
    assert (few != more).all()
