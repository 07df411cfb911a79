"""What lesson 1 measures: ties, winners, edges, the ridge, luck, and a naive script's faults.

All but the faults, scaling and folds are made of the steps of `hpt_helpers.classroom.lab`. A repeat
is a draw of the rows and a training seed. A winner's **fresh** loss is the mean over draws and
seeds that chose nothing and judge this repeat only. Losses are in nats.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import ParameterGrid, StratifiedKFold

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.cache import cached_each
from hpt_helpers.classroom.lab import Data, Job
from hpt_helpers.classroom.landscape import Landscape
from hpt_helpers.classroom.processes import share
from hpt_helpers.data import load_splits
from hpt_helpers.population import Population, fit_many
from hpt_helpers.search_space import Choice, SearchSpace

REPEATS = range(20)
# the seed of the first split whose test rows are studied: far from 42, whose test rows stay sealed
FIRST_SPLIT = 1_000
SPLITS_TOGETHER = 25  # so many splits of the naive script are trained at once


def networks_of(grid: Mapping[str, Sequence]) -> list[dict]:
    """Return the networks of a grid that has epochs as an axis, too."""
    return list(ParameterGrid({name: grid[name] for name in ("lr", "batch_size")}))


# --- the grid in repeats --------------------------------------------------------------------------


def own_pairs(repeat: int, n: int = 1) -> list[tuple[int, int]]:
    """Return the repeat's own draw and n - 1 others that only it has, each with a training seed."""
    others = lab.own_draws(repeat, "mean", n - 1) if n > 1 else []
    return [(draw, draw) for draw in [repeat, *others]]


def grid_trials(
    label: str,
    grid: Mapping[str, Sequence],
    name: str,
    repeats: Sequence[int],
    pairs_of: Callable[[int], list[tuple[int, int]]] = own_pairs,
) -> pd.DataFrame:
    """Return the trials of a grid search over lr, batch_size and epochs in each repeat.

    pairs_of: repeat -> pairs of a draw of rows and a training seed; a trial's loss and accuracy are
    means over them. Columns: those of `lab.search`; search is the label, and spent counts each
    trial's epochs in full.
    """
    trials = [
        (
            label,
            repeat,
            trial,
            {name: params[name] for name in ("lr", "batch_size")},
            params["epochs"],
        )
        for repeat in repeats
        for trial, params in enumerate(ParameterGrid(grid))
    ]
    table = pd.DataFrame(trials, columns=["search", "repeat", "trial", "config", "n_epochs"])
    jobs = [
        Job(Data(name), config, draw, seed, n_epochs)
        for _, repeat, _, config, n_epochs in trials
        for draw, seed in pairs_of(repeat)
    ]
    curves = lab.train(jobs)
    last = np.arange(len(jobs)), [job.n_epochs - 1 for job in jobs]
    return table.assign(
        spent=table.groupby("repeat")["n_epochs"].cumsum(),
        val_loss=curves.val_loss[last].reshape(len(table), -1).mean(axis=1),
        val_accuracy=curves.val_accuracy[last].reshape(len(table), -1).mean(axis=1),
    )


def winners(
    grid: Mapping[str, Sequence], name: str = "iris", repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what a grid search over lr, batch_size and epochs finds in each repeat.

    Columns: repeat, lr, batch_size, epochs and val_loss of the winner (see `lab.winners`); accuracy
    (the highest), and n_tied: how many trials share it.
    """
    trials = grid_trials("grid", grid, name, repeats)
    highest = trials.groupby("repeat")["val_accuracy"].transform("max")
    tied = trials[trials["val_accuracy"] >= highest - lab.SAME].groupby("repeat")
    won = lab.winners(trials)
    return pd.DataFrame(
        {
            "repeat": won["repeat"],
            "lr": [config["lr"] for config in won["config"]],
            "batch_size": [config["batch_size"] for config in won["config"]],
            "epochs": won["n_epochs"],
            "val_loss": won["val_loss"],
            "accuracy": tied["val_accuracy"].max().to_numpy(),
            "n_tied": tied.size().to_numpy(),
        }
    )


def grids_judged_fresh(
    grids: Mapping[str, Mapping[str, Sequence]],
    name: str = "iris",
    n_mean: int = 5,
    *,
    repeats: Sequence[int] = REPEATS,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what larger grids are worth: each is searched in all repeats, and its winners judged.

    Columns: grid, trials; as_searched, the mean loss by which the winners won; fresh, the mean loss
    of the same winners on the draws that judge; top_lr_wins, in how many repeats the highest
    learning rate of the grid wins; and fresh_of_N, where a trial's loss is the mean over n_mean
    draws.
    """
    rows = []
    for label, grid in grids.items():
        problem = lab.network_problem(name, _space_of(grid), max(grid["epochs"]))
        once = grid_trials("once", grid, name, repeats)
        means = grid_trials("means", grid, name, repeats, partial(own_pairs, n=n_mean))
        judged = lab.judge(problem, lab.winners(pd.concat([once, means])), n_judges)
        by_one, by_mean = (judged[judged["search"] == kind] for kind in ("once", "means"))
        row = {
            "grid": label,
            "trials": len(ParameterGrid(grid)),
            "as_searched": by_one["val_loss"].mean(),
            "fresh": by_one["fresh"].mean(),
            "top_lr_wins": sum(config["lr"] == max(grid["lr"]) for config in by_one["config"]),
            f"fresh_of_{n_mean}": by_mean["fresh"].mean(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _space_of(grid: Mapping[str, Sequence]) -> SearchSpace:
    return SearchSpace({name: Choice(list(grid[name])) for name in ("lr", "batch_size")})


def best_rates(truth: Landscape, epochs: Mapping[int, int]) -> pd.DataFrame:
    """Return the learning rate of each batch size that has the lowest mean loss over the repeats.

    epochs: batch size -> the epoch at which to read it. Columns: batch_size, epochs, best_lr,
    mean_loss.
    """
    rows = []
    for size, epoch in epochs.items():
        best = truth.best(epoch, batch_size=size)
        rows.append((size, epoch, best["lr"], truth.losses(best, epoch).mean()))
    return pd.DataFrame(rows, columns=["batch_size", "epochs", "best_lr", "mean_loss"])


def duels(truth: Landscape, lrs: Sequence[float], a: int, b: int, epoch: int) -> pd.DataFrame:
    """Return for each learning rate in how many repeats batch size a has a lower loss than b.

    Losses that are equal by `lab.SAME` are no win. Columns: lr, wins_of_A, of.
    """
    rows = []
    for lr in lrs:
        of_a, of_b = (truth.losses({"lr": lr, "batch_size": size}, epoch) for size in (a, b))
        rows.append((lr, lab.pairs(of_a, of_b).wins, len(of_a)))
    return pd.DataFrame(rows, columns=["lr", f"wins_of_{a}", "of"])


def luck(
    config: Mapping, name: str = "iris", *, n_epochs: int, repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return how much a loss varies when only the seed changes, and when only the rows do.

    The configuration is trained on every draw under every seed. Columns: what_changes ("training
    seed" or "rows drawn"), and sd, the standard deviation of the loss: of each draw over its seeds,
    of each seed over the draws.
    """
    jobs = [Job(Data(name), config, *pair, n_epochs) for pair in product(repeats, repeats)]
    losses = lab.train(jobs).val_loss[:, -1].reshape(len(repeats), len(repeats))
    changes = {
        "training seed": losses.std(axis=1, ddof=1),
        "rows drawn": losses.std(axis=0, ddof=1),
    }
    return pd.concat(
        [pd.DataFrame({"what_changes": name, "sd": sd}) for name, sd in changes.items()]
    )


def two_runs(
    grid: Mapping[str, Sequence], name: str = "iris", repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what two runs of one unseeded grid search find on the same rows.

    Each repeat has a row. Columns: repeat (the draw of the rows); same_winner, whether both name
    the same configuration by loss; run_to_run, by how much a trial's loss differs between the two
    runs (the mean over those with the learning rate of the first run's winner); and best_to_second,
    by how much the two best trials of one run differ (the mean of both runs).
    """
    both = pd.concat(
        [
            grid_trials("first", grid, name, repeats),
            grid_trials("second", grid, name, repeats, _other_seed),
        ]
    )
    won = lab.winners(both).pivot(index="repeat", columns="search", values="trial")
    rows = []
    for repeat, trials in both.groupby("repeat"):
        losses = trials.pivot(index="trial", columns="search", values="val_loss")
        rates = trials[trials["search"] == "first"].set_index("trial")["config"].str["lr"]
        first, second = won.loc[repeat, ["first", "second"]]
        alike = losses[rates == rates[first]]
        ordered = np.sort(losses, axis=0)
        row = {
            "repeat": repeat,
            "same_winner": first == second,
            "run_to_run": (alike["first"] - alike["second"]).abs().mean(),
            "best_to_second": (ordered[1] - ordered[0]).mean(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _other_seed(repeat: int) -> list[tuple[int, int]]:
    return [(repeat, seed) for seed in lab.own_draws(repeat, "luck", 1)]


def spacings(
    axes: Mapping[str, Sequence[float]],
    epochs: Sequence[int],
    name: str = "iris",
    *,
    repeats: Sequence[int] = REPEATS,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return how two grids of learning rates compare, judged fresh, after each number of epochs.

    axes: two names -> learning rates, for batches of 16. Columns: epochs; the mean fresh loss of
    each one's winners; and in how many repeats the first is lower (wins), and both are equal by
    `lab.SAME` (ties), as where both chose the same.
    """
    rows = []
    for epoch in epochs:
        grids = {
            label: {"lr": lrs, "batch_size": [16], "epochs": [epoch]} for label, lrs in axes.items()
        }
        trials = [grid_trials(label, grid, name, repeats) for label, grid in grids.items()]
        problem = lab.network_problem(name, _space_of(next(iter(grids.values()))), epoch)
        judged = lab.judge(problem, lab.winners(pd.concat(trials)), n_judges)
        fresh = judged.pivot(index="repeat", columns="search", values="fresh")[list(axes)]
        outcome = lab.pairs(*fresh.to_numpy().T)
        rows.append({"epochs": epoch, **fresh.mean(), "wins": outcome.wins, "ties": outcome.ties})
    return pd.DataFrame(rows)


# --- the naive script, which scores on test rows --------------------------------------------------


def naive_scores(
    networks: Sequence[Mapping], checkpoints: Sequence[int], n_splits: int, *, run: int = 0
) -> dict[str, np.ndarray]:
    """Return the accuracies and losses of every candidate on each of n_splits splits of iris.

    A candidate is a network at one of the checkpoints (epochs, rising). A split draws the test rows
    too, as a script without a fixed split does; run: of the training seeds, which differ from split
    to split and from run to run. Keys: test and val, the accuracies on these rows, and val_loss:
    arrays of shape (n_splits, n_candidates), checkpoint by checkpoint.
    """
    seeds = range(FIRST_SPLIT, FIRST_SPLIT + n_splits)
    each = [
        (list(networks), list(checkpoints), seeds[i : i + SPLITS_TOGETHER], n_splits * run)
        for i in range(0, n_splits, SPLITS_TOGETHER)
    ]
    found = cached_each(_naive_scores, each, progress=True)
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}


def _naive_scores(
    networks: list, checkpoints: list, split_seeds: Sequence[int], shift: int
) -> dict[str, np.ndarray]:
    parts = [load_splits("iris", seed=seed) for seed in split_seeds]
    part_of, configs = zip(*product(parts, networks), strict=True)
    population = Population(configs, part_of, seed=[part.seed + shift for part in part_of])
    found = {"test": [], "val": [], "val_loss": []}
    for epoch in checkpoints:
        population.train_to(epoch)
        models = [population.model(i) for i in range(len(configs))]
        curves = population.curves()
        found["test"].append(
            [part.autopsy_scores([m])[0] for m, part in zip(models, part_of, strict=True)]
        )
        found["val"].append(curves.val_accuracy[:, -1])
        found["val_loss"].append(curves.val_loss[:, -1])
    return {
        key: np.hstack([np.reshape(at_epoch, (len(parts), -1)) for at_epoch in values])
        for key, values in found.items()
    }


def optimism(scores: Mapping[str, np.ndarray], n_tried: Sequence[int]) -> pd.DataFrame:
    """Return by how much the test score is too high when it chose, in points, for each split.

    scores: as `naive_scores` returns them. n_tried: how many of the candidates a script tries,
    drawn at random for each split. Optimism is the best test score minus the accuracy of the same
    candidate on the validation rows, which had no part in the choice (Cawley & Talbot 2010); where
    several tie, their mean. Columns: n_tried, split, optimism (in percentage points).
    """
    n_splits, n_candidates = scores["test"].shape
    rows = []
    for n, split in product(n_tried, range(n_splits)):
        some = np.random.default_rng([n, split]).permutation(n_candidates)[:n]
        test, unused = scores["test"][split, some], scores["val"][split, some]
        rows.append((n, split, 100 * (test - unused)[test == test.max()].mean()))
    return pd.DataFrame(rows, columns=["n_tried", "split", "optimism"])


def fault_costs(
    grid: Mapping[str, Sequence], n_splits: int = 60, *, more_lrs: Sequence[float] = (0.0032,)
) -> pd.DataFrame:
    """Return what three faults of a naive grid search cost, in percentage points of accuracy.

    Rows: "chosen on test rows", by how much the reported score is too high; "no seed", how far the
    reports of two runs are apart; "epochs as an axis", what the epochs trained twice would have
    bought: the test accuracy of the choice by validation loss with more_lrs in the grid, minus that
    without. Columns: fault; points and standard_error, over n_splits splits.
    """
    networks = networks_of(grid)
    more = [{"lr": lr, "batch_size": size} for lr in more_lrs for size in grid["batch_size"]]
    runs = [naive_scores(networks + more, grid["epochs"], n_splits, run=run) for run in (0, 1)]
    given = np.tile([True] * len(networks) + [False] * len(more), len(grid["epochs"]))
    scores = {key: values[:, given] for key, values in runs[0].items()}
    reports = [run["test"][:, given].max(axis=1) for run in runs]
    splits = np.arange(n_splits)
    of_few = scores["test"][splits, scores["val_loss"].argmin(axis=1)]
    of_more = runs[0]["test"][splits, runs[0]["val_loss"].argmin(axis=1)]
    costs = {
        "chosen on test rows": optimism(scores, [given.sum()])["optimism"],
        "no seed": 100 * np.abs(reports[0] - reports[1]),
        "epochs as an axis": 100 * (of_more - of_few),
    }
    rows = [(fault, *np.round(lab.mean_and_error(cost), 2) + 0.0) for fault, cost in costs.items()]
    return pd.DataFrame(rows, columns=["fault", "points", "standard_error"])


# --- folds and scaling ----------------------------------------------------------------------------


def paired_folds(search, axes: Sequence[str]) -> pd.DataFrame:
    """Return a fitted GridSearchCV's candidates, best first, with their distance to the best.

    axes: the names of the grid's axes. Columns: the axes (without the step's name); mean_loss over
    the folds; behind, the mean distance to the best candidate fold by fold; and standard_error, of
    that.
    """
    results = pd.DataFrame(search.cv_results_)
    losses = -results.filter(regex=r"^split\d+_test_score$").to_numpy()
    gaps = losses - losses[losses.mean(axis=1).argmin()]
    table = results[[f"param_{axis}" for axis in axes]].set_axis(
        [axis.split("__")[-1] for axis in axes], axis=1
    )
    table["mean_loss"], table["behind"] = losses.mean(axis=1), gaps.mean(axis=1)
    table["standard_error"] = gaps.std(axis=1, ddof=1) / losses.shape[1] ** 0.5
    return table.sort_values("mean_loss", ignore_index=True)


def scaling_gain(
    names: Sequence[str], grid: Mapping[str, Sequence], repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what scaling the features is worth in each repeat: columns data and gain, in points.

    In each repeat the network with the lowest loss is chosen with and without scaling; gain is the
    difference of their validation accuracies after 100 epochs, in percentage points.
    """
    cases = list(product(names, repeats))
    gains = share(partial(_gain, networks_of(grid)), cases, progress=True)
    return pd.DataFrame({"data": [name for name, _ in cases], "gain": gains})


def _gain(networks: list, case: tuple[str, int]) -> float:
    (name, repeat), accuracy = case, {}
    for scaled in (True, False):
        part = load_splits(name, draw=repeat, scaled=scaled)
        curves = fit_many(networks, part, n_epochs=100, seed=repeat)
        accuracy[scaled] = curves.val_accuracy[curves.val_loss[:, -1].argmin(), -1]
    return 100 * (accuracy[True] - accuracy[False])


def nested_gap(
    networks: Sequence[Mapping], checkpoints: Sequence[int], n_repeats: int = 20
) -> np.ndarray:
    """Return plain minus nested cross-validated accuracy on iris, in points, shape (n_repeats,).

    Candidates are the networks at each checkpoint. Plain: the best mean accuracy of three outer
    folds. Nested: each outer fold scored by the candidate that two inner folds of its training rows
    choose.
    """
    each = [(list(networks), list(checkpoints), repeat) for repeat in range(n_repeats)]
    return np.array([found["gap"] for found in cached_each(_nested_gap, each, progress=True)])


def _nested_gap(networks: list, checkpoints: list, repeat: int) -> dict[str, np.ndarray]:
    X, y = load_splits("iris", draw=repeat, scaled=False).search_rows()
    folds = list(StratifiedKFold(3, shuffle=True, random_state=repeat).split(X, y))
    outer = _fold_scores(X, y, folds, networks, checkpoints, repeat)
    chosen = []
    for train, _ in folds:
        inner = StratifiedKFold(2, shuffle=True, random_state=repeat).split(X[train], y[train])
        scores = _fold_scores(X[train], y[train], inner, networks, checkpoints, repeat)
        chosen.append(scores.mean(axis=0).argmax())
    return {"gap": 100 * (outer.mean(axis=0).max() - outer[range(3), chosen].mean())}


def _fold_scores(
    X, y, folds, networks: Sequence[Mapping], checkpoints: Sequence[int], seed: int
) -> np.ndarray:
    """Return the accuracy of each candidate on each fold, of shape (n_folds, n_candidates).

    The features are scaled by the training rows of each fold.
    """
    like, scores = load_splits("iris"), []
    for train, held_out in folds:
        centre, scale = X[train].mean(axis=0), X[train].std(axis=0)
        rows = {
            "X_train": torch.from_numpy((X[train] - centre) / scale),
            "y_train": torch.from_numpy(y[train]),
            "X_val": torch.from_numpy((X[held_out] - centre) / scale),
            "y_val": torch.from_numpy(y[held_out]),
        }
        trained = fit_many(networks, replace(like, **rows), n_epochs=max(checkpoints), seed=seed)
        scores.append(trained.val_accuracy[:, np.array(checkpoints) - 1].ravel())
    return np.array(scores)
