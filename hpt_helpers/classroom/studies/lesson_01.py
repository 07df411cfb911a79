"""What lesson 1 measures: ties and winners, edges, the ridge, luck, and what each fault of a naive
script costs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import ParameterGrid, StratifiedKFold

from hpt_helpers.classroom.landscape import Landscape, landscape
from hpt_helpers.classroom.parallel import fit_all, halves, in_two
from hpt_helpers.classroom.studies.repeats import curves, kept, mean_and_error, rows_of, run_whole
from hpt_helpers.data import load_splits
from hpt_helpers.population import Population, fit_many
from hpt_helpers.progress import progress_bar
from hpt_helpers.strategies import grid_search
from hpt_helpers.trials import config_of, incumbent, ties

# those that choose, and those that judge what was chosen
REPEATS, JUDGES = range(20), range(20, 40)
# the seed of the first split whose test rows are studied: far from 42, whose test rows stay sealed
FIRST_SPLIT = 1_000


def repeated_landscape(
    networks: Iterable[Mapping], name: str, n_epochs: int, repeats: Sequence[int] = REPEATS
):
    """Return the landscape of these networks over repeats, each with rows and a training seed of
    its own.
    """
    return landscape(
        networks, rows_of(name, repeats), n_epochs=n_epochs, seeds=repeats, progress=True
    )


def winners(
    grid: Mapping[str, Sequence], name: str = "iris", repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what a grid search over lr, batch_size and epochs finds in each repeat.

    Columns: repeat, lr, batch_size, epochs and val_loss of the winner (the lowest loss, then the
    cheaper),
    accuracy (the highest), and n_tied: how many trials share it.
    """
    networks = list(ParameterGrid({key: grid[key] for key in ("lr", "batch_size")}))
    curves_ = repeated_landscape(networks, name, max(grid["epochs"]), repeats)
    tables = run_whole([grid_search(ParameterGrid(grid)) for _ in repeats], curves_, seeds=repeats)
    rows = []
    for repeat, table in zip(repeats, tables, strict=True):
        best, tied = incumbent(table), ties(table, "val_accuracy")
        found = {
            "val_loss": table.at[best, "val_loss"],
            "accuracy": table["val_accuracy"].max(),
            "n_tied": len(tied),
        }
        rows.append({"repeat": repeat, **config_of(table, best), **found})
    return pd.DataFrame(rows)[
        ["repeat", "lr", "batch_size", "epochs", "val_loss", "accuracy", "n_tied"]
    ]


def grids_judged_fresh(
    grids: Mapping[str, Mapping[str, Sequence]],
    name: str = "iris",
    n_mean: int = 5,
    *,
    n_repeats: int = 40,
) -> pd.DataFrame:
    """Return what larger grids are worth: each is searched in n_repeats, its winners judged in as
    many other repeats.

    Columns: grid, trials; as_searched, the mean loss by which the winners won; fresh, the mean loss
    of the same winners in the repeats that judge; top_lr_wins, in how many repeats the highest
    learning rate of the grid wins; and fresh_of_N, where each winner is chosen by its mean over
    n_mean of the repeats.
    """
    rows = []
    for label, grid in grids.items():
        networks = list(ParameterGrid({key: grid[key] for key in ("lr", "batch_size")}))
        losses = curves(networks, name, n_epochs=max(grid["epochs"]), repeats=range(2 * n_repeats))
        at_epochs = np.concatenate([losses[:, :, epochs - 1] for epochs in grid["epochs"]])
        choosing, judged = at_epochs[:, :n_repeats], at_epochs[:, n_repeats:].mean(axis=1)
        winner, of_means = (
            choosing.argmin(axis=0),
            choosing.reshape(len(at_epochs), -1, n_mean).mean(axis=2).argmin(axis=0),
        )
        rates = np.array([network["lr"] for network in networks] * len(grid["epochs"]))
        rows.append(
            {
                "grid": label,
                "trials": len(at_epochs),
                "as_searched": choosing.min(axis=0).mean(),
                "fresh": judged[winner].mean(),
                "top_lr_wins": (rates[winner] == rates.max()).sum(),
                f"fresh_of_{n_mean}": judged[of_means].mean(),
            }
        )
    return pd.DataFrame(rows)


def best_rates(truth: Landscape, epochs: Mapping[int, int]) -> pd.DataFrame:
    """Return the best learning rate of each batch size: of the lowest mean loss over the
    landscape's repeats.

    epochs: batch size -> the epoch at which to read it. Columns: batch_size, epochs, best_lr,
    mean_loss.
    """
    rows = []
    for size, epoch in epochs.items():
        best = truth.best(epoch, batch_size=size)
        rows.append((size, epoch, best["lr"], truth.losses(best, epoch).mean()))
    return pd.DataFrame(rows, columns=["batch_size", "epochs", "best_lr", "mean_loss"])


def duels(truth: Landscape, lrs: Sequence[float], a: int, b: int, epoch: int) -> pd.DataFrame:
    """Return for each learning rate in how many repeats batch size a has a lower loss than b:
    columns lr, wins, of.
    """
    pairs = {
        lr: [truth.losses({"lr": lr, "batch_size": size}, epoch) for size in (a, b)] for lr in lrs
    }
    rows = [(lr, int((of_a < of_b).sum()), len(of_a)) for lr, (of_a, of_b) in pairs.items()]
    return pd.DataFrame(rows, columns=["lr", f"wins_of_{a}", "of"])


def luck(
    config: Mapping, name: str = "iris", *, n_epochs: int, repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return how much one configuration's loss varies when only the seed changes, and when only the
    rows do.

    The configuration is trained on every draw under every seed. Columns: what_changes ("training
    seed",
    "rows drawn") and sd, the standard deviation of the loss: of each draw over its seeds, of each
    seed over the draws.
    """
    parts = rows_of(name, repeats)
    pairs = list(product(parts, repeats))
    trained = fit_all(
        [config] * len(pairs),
        [part for part, _ in pairs],
        n_epochs=n_epochs,
        seed=[seed for _, seed in pairs],
    )
    losses = trained.val_loss[:, -1].reshape(len(parts), len(parts))
    changes = {
        "training seed": losses.std(axis=1, ddof=1),
        "rows drawn": losses.std(axis=0, ddof=1),
    }
    return pd.concat(
        [pd.DataFrame({"what_changes": name, "sd": sd}) for name, sd in changes.items()]
    )


def naive_scores(
    networks: Sequence[Mapping], checkpoints: Sequence[int], n_splits: int, *, run: int = 0
) -> dict[str, np.ndarray]:
    """Return the test and validation accuracies and losses of every candidate on each of n_splits
    splits of iris.

    A candidate is a network at one of the checkpoints (epochs, rising). A split draws the test rows
    too, as a script without a fixed split does; run: of the training seeds, which differ from split
    to split and from run to run.
    Keys test, val and val_loss: arrays of shape (n_splits, n_candidates), checkpoint by checkpoint.
    """
    return kept(_naive_scores, list(networks), list(checkpoints), n_splits, run)


def _naive_scores(networks, checkpoints, n_splits: int, run: int) -> dict[str, np.ndarray]:
    def scores(splits: list[int]) -> dict[str, np.ndarray]:
        parts = [load_splits("iris", seed=FIRST_SPLIT + split) for split in splits]
        part_of, configs = zip(*product(parts, networks), strict=True)
        population = Population(
            configs, part_of, seed=[part.seed + n_splits * run for part in part_of]
        )
        found = {"test": [], "val": [], "val_loss": []}
        for epoch in progress_bar(checkpoints, progress=True):
            population.train_to(epoch)
            models = [population.model(i) for i in range(len(configs))]
            found["test"].append(
                [part.autopsy_scores([m])[0] for m, part in zip(models, part_of, strict=True)]
            )
            found["val"].append(population.curves().val_accuracy[:, -1])
            found["val_loss"].append(population.curves().val_loss[:, -1])
        return {
            key: np.hstack([np.reshape(v, (len(parts), -1)) for v in values])
            for key, values in found.items()
        }

    found = in_two(scores, halves(range(n_splits)), progress=True)
    return {key: np.concatenate([part[key] for part in found]) for key in found[0]}


def optimism(scores: Mapping[str, np.ndarray], n_tried: Sequence[int]) -> pd.DataFrame:
    """Return by how much the test score is too high when it chose: in percentage points, for each
    split.

    scores: as `naive_scores` returns them. n_tried: how many of the candidates a script tries,
    drawn at random for each split. Optimism is the best test score minus the accuracy of the same
    candidate on the validation rows,
    which had no part in the choice (Cawley & Talbot 2010); where several tie, their mean.
    Columns: n_tried, split, optimism.
    """
    n_splits, n_candidates = scores["test"].shape
    rows = []
    for n, split in product(n_tried, range(n_splits)):
        some = np.random.default_rng([n, split]).permutation(n_candidates)[:n]
        test, unused = scores["test"][split, some], scores["val"][split, some]
        rows.append((n, split, 100 * (test - unused)[test == test.max()].mean()))
    return pd.DataFrame(rows, columns=["n_tried", "split", "optimism"])


def two_runs(
    grid: Mapping[str, Sequence], name: str = "iris", repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what two runs of one unseeded grid search find on the same rows: a row for each pair
    of runs.

    Columns: repeat (the draw of the rows); same_winner, whether both name the same configuration by
    loss;
    run_to_run, by how much a trial's loss differs between the two runs (the mean over those with
    the learning rate
    of the first run's winner); and best_to_second, by how much the two best trials of one run
    differ (the mean of both runs).
    """
    networks = list(ParameterGrid({key: grid[key] for key in ("lr", "batch_size")}))
    strategies = [[grid_search(ParameterGrid(grid)) for _ in repeats] for _ in range(2)]
    runs = []
    for seeds, some in zip(
        (repeats, [1000 + repeat for repeat in repeats]), strategies, strict=True
    ):
        truth = landscape(
            networks, rows_of(name, repeats), n_epochs=max(grid["epochs"]), seeds=seeds
        )
        runs.append(run_whole(some, truth, seeds=seeds))
    rows = []
    for repeat, a, b in zip(repeats, *runs, strict=True):
        gaps = [np.diff(table["val_loss"].nsmallest(2))[0] for table in (a, b)]
        moves = abs(a["val_loss"] - b["val_loss"])[a["lr"] == a.at[incumbent(a), "lr"]].mean()
        rows.append((repeat, incumbent(a) == incumbent(b), moves, np.mean(gaps)))
    return pd.DataFrame(rows, columns=["repeat", "same_winner", "run_to_run", "best_to_second"])


def fault_costs(
    grid: Mapping[str, Sequence], n_splits: int = 60, *, more_lrs: Sequence[float] = (0.0032,)
):
    """Return what three faults of a naive grid search cost, in percentage points of accuracy on
    n_splits splits.

    Rows: "chosen on test rows", by how much the reported score is too high; "no seed", how far the
    reports of two runs are apart; "epochs as an axis", what the epochs trained twice would have
    bought: the test accuracy of the choice by validation loss with more_lrs in the grid, minus that
    without. Columns: fault, points, standard_error.
    """
    networks = list(ParameterGrid({key: grid[key] for key in ("lr", "batch_size")}))
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
    rows = [(fault, *np.round(mean_and_error(cost), 2) + 0.0) for fault, cost in costs.items()]
    return pd.DataFrame(rows, columns=["fault", "points", "standard_error"])


def paired_folds(search, axes: Sequence[str]) -> pd.DataFrame:
    """Return the candidates of a fitted GridSearchCV, best first: how sure is each one's distance
    to the best?

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


def spacings(
    axes: Mapping[str, Sequence[float]], epochs: Sequence[int], name: str = "iris"
) -> pd.DataFrame:
    """Return how two one-dimensional grids of learning rates compare, judged fresh, after each
    number of epochs.

    axes: two names -> learning rates. In each of 20 repeats both choose by loss, and 20 other
    repeats judge.
    Columns: epochs, a column of fresh losses for each name, and in how many repeats the first is
    lower (wins) and both are equal (ties).
    """
    found = {}
    for label, lrs in axes.items():
        networks = [{"lr": lr, "batch_size": 16} for lr in lrs]
        found[label] = curves(networks, name, n_epochs=max(epochs), repeats=[*REPEATS, *JUDGES])
    rows = []
    for epoch in epochs:
        fresh = {}
        for label, losses in found.items():
            last = losses[:, :, epoch - 1]
            fresh[label] = last[:, len(REPEATS) :].mean(axis=1)[
                last[:, : len(REPEATS)].argmin(axis=0)
            ]
        a, b = fresh.values()
        level, means = np.isclose(a, b), {label: losses.mean() for label, losses in fresh.items()}
        rows.append(
            {"epochs": epoch, **means, "wins": ((a < b) & ~level).sum(), "ties": level.sum()}
        )
    return pd.DataFrame(rows)


def scaling_gain(
    names: Sequence[str], grid: Mapping[str, Sequence], repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return what scaling the features is worth: columns data and gain, in percentage points, a row
    for each repeat.

    In each repeat the network with the lowest loss is chosen with and without scaling; gain is the
    difference of their validation accuracies after 100 epochs.
    """
    networks = list(ParameterGrid({key: grid[key] for key in ("lr", "batch_size")}))

    def gain(case: tuple[str, int]) -> float:
        (name, repeat), accuracy = case, {}
        for scaled in (True, False):
            part = load_splits(name, draw=repeat, scaled=scaled)
            trained = fit_many(networks, part, n_epochs=100, seed=repeat)
            accuracy[scaled] = trained.val_accuracy[trained.val_loss[:, -1].argmin(), -1]
        return 100 * (accuracy[True] - accuracy[False])

    cases = list(product(names, repeats))
    return pd.DataFrame(
        {"data": [name for name, _ in cases], "gain": in_two(gain, cases, progress=True)}
    )


def nested_gap(
    networks: Sequence[Mapping], checkpoints: Sequence[int], n_repeats: int = 20
) -> np.ndarray:
    """Return plain minus nested cross-validated accuracy in percentage points: shape (n_repeats,),
    on iris.

    Candidates are the networks at each checkpoint. Plain: the best mean accuracy of three outer
    folds. Nested: each outer fold scored by the candidate that two inner folds of its training rows
    choose.
    """
    return kept(_nested_gap, list(networks), list(checkpoints), n_repeats)["gaps"]


def _nested_gap(networks, checkpoints, n_repeats: int) -> dict[str, np.ndarray]:
    def gap(repeat: int) -> float:
        X, y = load_splits("iris", draw=repeat, scaled=False).search_rows()
        folds = list(StratifiedKFold(3, shuffle=True, random_state=repeat).split(X, y))
        outer = _fold_scores(X, y, folds, networks, checkpoints, repeat)
        chosen = []
        for train, _ in folds:
            inner = StratifiedKFold(2, shuffle=True, random_state=repeat).split(X[train], y[train])
            chosen.append(
                _fold_scores(X[train], y[train], inner, networks, checkpoints, repeat)
                .mean(axis=0)
                .argmax()
            )
        return 100 * (outer.mean(axis=0).max() - outer[range(3), chosen].mean())

    return {"gaps": np.array(in_two(gap, range(n_repeats), progress=True))}


def _fold_scores(
    X, y, folds, networks: Sequence[Mapping], checkpoints: Sequence[int], seed: int
) -> np.ndarray:
    """Return the accuracy of each candidate on each fold, scaled by its training rows: (n_folds,
    n_candidates).
    """
    networks, like, scores = list(networks), load_splits("iris"), []
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
