"""What lesson 1 measures: winners, edges, batch sizes, a naive script's faults, and luck.

A repeat is a draw of training and validation rows, and a training seed. A winner's **fresh** loss
is the mean over draws and seeds that had no part in choosing it, and that judge no other repeat.
All draws of iris come from the same 120 flowers; the 30 test flowers stay sealed. Losses are in
nats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
import torch
from scipy import stats
from sklearn.model_selection import ParameterGrid, StratifiedKFold

from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.lab import problems, racing, statistics, trainer
from hpt_helpers.classroom.lab.landscape import Landscape, trained_landscape
from hpt_helpers.classroom.lab.trainer import Data, Job
from hpt_helpers.data import load_splits
from hpt_helpers.evidence import questions
from hpt_helpers.population import Population, fit_many
from hpt_helpers.search_space import Choice, SearchSpace

Grid = Mapping[str, Sequence]  # its axes are lr, batch_size and epochs

NETWORK = ["lr", "batch_size"]
AXES = [*NETWORK, "epochs"]
# the seed of the first split whose test rows are studied: far from 42, whose test rows stay sealed
FIRST_SPLIT = 1_000
TOGETHER = 25  # so many splits of the naive script are trained at once

# What the naive script searches, by the number of trials: the last grid has all the others' points.
SCRIPTS = {
    1: {"lr": [0.01], "batch_size": [32], "epochs": [50]},
    8: {"lr": [0.001, 0.01], "batch_size": [16, 32], "epochs": [50, 100]},
    56: {
        "lr": [0.001, 0.0018, 0.0032, 0.0056, 0.01, 0.018, 0.032],
        "batch_size": [16, 32],
        "epochs": [25, 50, 75, 100],
    },
}


# --- the grid in repeats --------------------------------------------------------------------------


def grid_trials(
    grid: Grid, data: Data | str = "iris", *, repeats: Iterable[int], n_draws: int = 1
) -> pd.DataFrame:
    """Return every trial of a grid search in each repeat.

    n_draws: of how many draws of rows, each with a training seed, a trial's loss is the mean. The
    first is that of the repeat, and the others are the repeat's own as well.
    Columns: repeat, lr, batch_size, epochs, val_loss and val_accuracy. Raises ValueError or
    TypeError for a configuration that cannot be trained.
    """
    return _trials(
        grid, trainer.as_data(data), {repeat: _pairs(repeat, n_draws) for repeat in repeats}
    )


def _pairs(repeat: int, n_draws: int) -> list[tuple[int, int]]:
    """Return the repeat's draw and n_draws - 1 others of its own, each with its training seed."""
    others = trainer.own_draws(repeat, "mean", n_draws - 1) if n_draws > 1 else []
    return [(draw, draw) for draw in [repeat, *others]]


def _trials(grid: Grid, data: Data, pairs: Mapping[int, list]) -> pd.DataFrame:
    """Return the trials of each repeat, whose losses are means over its pairs (draw, seed)."""
    rows = [
        {"repeat": repeat} | {axis: trial[axis] for axis in AXES}
        for repeat, trial in product(pairs, ParameterGrid(grid))
    ]
    jobs = _jobs(grid, data, pairs)
    curves = trainer.train(jobs, progress=True)
    last = np.arange(len(jobs)), [job.n_epochs - 1 for job in jobs]
    return pd.DataFrame(rows).assign(
        val_loss=curves.val_loss[last].reshape(len(rows), -1).mean(axis=1),
        val_accuracy=curves.val_accuracy[last].reshape(len(rows), -1).mean(axis=1),
    )


def _jobs(grid: Grid, data: Data, pairs: Mapping[int, list]) -> list[Job]:
    return [
        Job(data, {name: trial[name] for name in NETWORK}, *pair, trial["epochs"])
        for repeat, trial in product(pairs, ParameterGrid(grid))
        for pair in pairs[repeat]
    ]


def grid_winners(trials: pd.DataFrame) -> pd.DataFrame:
    """Return each repeat's winner: the lowest loss, and of equal losses that of fewest epochs.

    trials: as `grid_trials` returns them. Columns: the same, and config and n_epochs, as
    `racing.judge` needs them.
    """
    table = trials.assign(
        search="grid",
        trial=trials.groupby("repeat").cumcount(),
        config=trials[NETWORK].to_dict("records"),
        n_epochs=trials["epochs"],
        spent=trials["epochs"],
    )
    keep = [*trials.columns, "config", "n_epochs"]
    won = racing.winners(table.rename(columns={"epochs": "own_epochs"}))
    return won.drop(columns="epochs").rename(columns={"own_epochs": "epochs"})[keep]


def agreement(
    grids: Mapping[str, Grid], n_val: Sequence[int], *, repeats: Iterable[int]
) -> pd.DataFrame:
    """Return how far repeats agree on the winner of a grid, by the number of validation rows.

    The data are the simulated ones, of which 320 rows train. grids: name -> grid.
    Columns: grid; rows, how many of them validate; ahead, by how much the lowest mean loss over the
    repeats is lower than the second; most_frequent, the configuration that wins most often (its lr,
    batch_size and epochs as text); most_wins, how many repeats it wins; and n_winners, how many
    configurations win at least one.
    """
    data, repeats, found = {n: Data("simulated", n_val=n) for n in n_val}, list(repeats), []
    pairs = {repeat: _pairs(repeat, 1) for repeat in repeats}
    each = product(grids.values(), data.values())  # all at once, so that processes can share them
    trainer.train([job for grid, rows in each for job in _jobs(grid, rows, pairs)], progress=True)
    for (name, grid), n in product(grids.items(), n_val):
        trials = grid_trials(grid, data[n], repeats=repeats)
        best, second = trials.groupby(AXES)["val_loss"].mean().nsmallest(2)
        wins = grid_winners(trials).groupby(AXES).size()
        most_frequent = ", ".join(f"{value:g}" for value in wins.idxmax())
        found.append((name, n, second - best, most_frequent, wins.max(), len(wins)))
    columns = ["grid", "rows", "ahead", "most_frequent", "most_wins", "n_winners"]
    return pd.DataFrame(found, columns=columns)


def judged(
    grid: Grid, n_draws: Sequence[int], *, repeats: Iterable[int], n_judges: int = 10
) -> pd.DataFrame:
    """Return the winners of a grid search on iris, and what they are worth, a row for each search.

    n_draws: of how many draws of rows a trial's loss is the mean, when the search chooses by it.
    Columns: chosen_by (so many draws), repeat, lr, batch_size, epochs, as_searched (the loss with
    which it won), and fresh and accuracy, its means on n_judges draws of the repeat's own.
    """
    space = SearchSpace({name: Choice(list(grid[name])) for name in NETWORK})
    problem = problems.network_problem("iris", space, max(grid["epochs"]))
    repeats, parts = list(repeats), []
    for n in n_draws:
        won = grid_winners(grid_trials(grid, repeats=repeats, n_draws=n))
        parts.append(racing.judge(problem, won, n_judges, progress=True).assign(chosen_by=n))
    table = pd.concat(parts, ignore_index=True).rename(columns={"val_loss": "as_searched"})
    return table[["chosen_by", "repeat", *AXES, "as_searched", "fresh", "accuracy"]]


def as_searched_and_fresh(won: pd.DataFrame) -> pd.DataFrame:
    """Return both losses of each winner as rows, named by who chose it and which rate it has.

    won: as `judged` returns it. Columns: search_and_loss (such as "1 draw chose 0.1, fresh") and
    val_loss.
    """
    parts = []
    for (n, lr), some in won.groupby(["chosen_by", "lr"]):
        who = f"{n} draw{'s' * (n > 1)} chose {lr:g}"
        for column in ("as_searched", "fresh"):
            name = f"{who}, {column}"
            parts.append(pd.DataFrame({"search_and_loss": name, "val_loss": some[column]}))
    return pd.concat(parts, ignore_index=True)


# --- learning rate, batch size and epochs together ------------------------------------------------


def surface(*, n_epochs: int = 100, n_repeats: int = 40) -> Landscape:
    """Return iris' losses at 13 learning rates and 3 batch sizes, epoch by epoch, in all repeats.

    The learning rates go from 0.0001 to 0.1, four to each power of ten.
    """
    axes = {"lr": np.geomspace(0.0001, 0.1, 13).round(5), "batch_size": [16, 32, 64]}
    repeats = range(n_repeats)
    return trained_landscape(
        "iris", ParameterGrid(axes), n_epochs=n_epochs, seeds=repeats, progress=True
    )


def best_rates(truth: Landscape, epochs: Mapping[int, int]) -> pd.DataFrame:
    """Return the learning rate of each batch size that has the lowest mean loss over the repeats.

    epochs: batch size -> the epoch at which to read it. Columns: batch_size, epochs, best_lr and
    mean_loss.
    """
    rows = []
    for size, epoch in epochs.items():
        best = truth.best(epoch, batch_size=size)
        rows.append((size, epoch, best["lr"], truth.losses(best, epoch).mean()))
    return pd.DataFrame(rows, columns=["batch_size", "epochs", "best_lr", "mean_loss"])


def duels(truth: Landscape, lrs: Sequence[float], a: int, b: int, epoch: int) -> pd.DataFrame:
    """Return for each learning rate in how many repeats batch size a has a lower loss than b.

    Losses that are equal by `statistics.SAME` are no win. Columns: lr, wins_of_A, of.
    """
    rows = []
    for lr in lrs:
        of_a, of_b = (truth.losses({"lr": lr, "batch_size": size}, epoch) for size in (a, b))
        rows.append((lr, statistics.pairs(of_a, of_b).wins, len(of_a)))
    return pd.DataFrame(rows, columns=["lr", f"wins_of_{a}", "of"])


# --- the naive script -----------------------------------------------------------------------------


def optimism(n_trials: Iterable[int], *, n_splits: int) -> pd.DataFrame:
    """Return by how much a script's report is too high when it chooses on the test rows.

    n_trials: numbers of configurations that it tries, which are among those of `SCRIPTS`. It does
    so on n_splits splits of iris, each with test rows of its own. Optimism is the winner's test
    accuracy minus its accuracy on the validation rows, which had no part in the choice (Cawley &
    Talbot 2010). Where several tie, the first wins, as it does in the script.
    Columns: n_trials, split and optimism (in percentage points).
    """
    scores, parts = naive_scores(SCRIPTS[max(SCRIPTS)], n_splits), []
    scores = scores.sort_values(["split", "batch_size", "epochs", "lr"])  # ParameterGrid's order
    for n in n_trials:
        inside = np.logical_and.reduce([scores[axis].isin(SCRIPTS[n][axis]) for axis in AXES])
        tried = scores[inside]
        won = tried.loc[tried.groupby("split")["test"].idxmax()]
        gap = 100 * (won["test"] - won["unused"])
        parts.append(pd.DataFrame({"n_trials": n, "split": won["split"], "optimism": gap}))
    return pd.concat(parts, ignore_index=True)[["n_trials", "split", "optimism"]]


def naive_scores(grid: Grid, n_splits: int) -> pd.DataFrame:
    """Return the accuracy of a grid's configurations on test rows, and on rows that are not used.

    Each split draws the test rows too, as a script without a fixed split does, and the training
    seed is that of the split.
    Columns: split, lr, batch_size, epochs, test, and unused (the validation rows).
    """
    networks = networks_of(grid)
    epochs, seeds = sorted(grid["epochs"]), range(FIRST_SPLIT, FIRST_SPLIT + n_splits)
    each = [(networks, epochs, seeds[i : i + TOGETHER]) for i in range(0, n_splits, TOGETHER)]
    found = cached_each(_naive_scores, each, progress=True)
    rows = [
        {"split": seed} | network | {"epochs": epoch}
        for _, _, some in each
        for epoch, seed, network in product(epochs, some, networks)
    ]
    scores = {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    return pd.DataFrame(rows).assign(**scores)


def networks_of(grid: Grid) -> list[dict]:
    """Return the networks of a grid that has epochs as an axis, too."""
    return list(ParameterGrid({name: grid[name] for name in NETWORK}))


def _naive_scores(networks: list, epochs: list, seeds: Sequence[int]) -> dict[str, np.ndarray]:
    """Return both accuracies of each network on each split, epoch by epoch, one after another."""
    splits = [load_splits("iris", seed=seed) for seed in seeds]
    split_of, configs = zip(*product(splits, networks), strict=True)
    population = Population(configs, split_of, seed=[split.seed for split in split_of])
    test, unused = [], []
    for epoch in epochs:
        population.train_to(epoch)
        for i, split in enumerate(split_of):
            test.extend(split.autopsy_scores([population.model(i)]))
        unused.extend(population.curves().val_accuracy[:, -1])
    return {"test": np.array(test), "unused": np.array(unused)}


def two_runs(grid: Grid, *, repeats: Iterable[int] = range(40)) -> pd.DataFrame:
    """Return the winners of two runs of a grid search on the same rows, under two seeds.

    Columns: repeat (the draw of the rows), first and second (each run's winner, a tuple of its lr,
    batch_size and epochs), and same, whether they are the same.
    """
    repeats = list(repeats)
    seeds = {repeat: (repeat, *trainer.own_draws(repeat, "luck", 1)) for repeat in repeats}
    pairs = [{repeat: [(repeat, seeds[repeat][k])] for repeat in repeats} for k in (0, 1)]
    runs = [grid_winners(_trials(grid, Data("iris"), of_run))[AXES] for of_run in pairs]
    first, second = (list(run.itertuples(index=False, name=None)) for run in runs)
    same = [a == b for a, b in zip(first, second, strict=True)]
    return pd.DataFrame({"repeat": repeats, "first": first, "second": second, "same": same})


# --- folds ----------------------------------------------------------------------------------------


def paired_folds(search, axes: Iterable[str]) -> pd.DataFrame:
    """Return a fitted GridSearchCV's candidates, best first, compared with the best fold by fold.

    axes: the names of the grid's axes. Columns: the axes (without the step's name); mean_loss over
    the folds; behind, how much higher that mean is than the best candidate's; and needed, how large
    this difference must be before so many folds show it, by Student's t at 95 %.
    """
    found = questions.paired_folds(search).table
    names = {f"param_{axis}": axis.split("__")[-1] for axis in axes}
    candidates = pd.DataFrame(search.cv_results_).iloc[found["trial"].to_numpy()]
    table = candidates[list(names)].rename(columns=names).reset_index(drop=True)
    needed = stats.t.ppf(0.975, search.n_splits_ - 1) * found["error"]
    return table.assign(mean_loss=found["mean"], behind=found["behind"], needed=needed)


def nested_gap(grid: Grid, n_repeats: int = 20) -> np.ndarray:
    """Return plain minus nested cross-validated accuracy on iris, in points, shape (n_repeats,).

    Plain is the best mean accuracy of three outer folds. Nested scores each outer fold by the
    candidate that two inner folds of its training rows choose.
    """
    networks, epochs = networks_of(grid), sorted(grid["epochs"])
    each = [(networks, epochs, repeat) for repeat in range(n_repeats)]
    return np.array([found["gap"] for found in cached_each(_nested_gap, each, progress=True)])


def _nested_gap(networks: list, epochs: list, repeat: int) -> dict[str, np.ndarray]:
    X, y = load_splits("iris", draw=repeat, scaled=False).search_rows()
    folds = list(StratifiedKFold(3, shuffle=True, random_state=repeat).split(X, y))
    outer = _fold_scores(X, y, folds, networks, epochs, repeat)
    chosen = []
    for train, _ in folds:
        inner = StratifiedKFold(2, shuffle=True, random_state=repeat).split(X[train], y[train])
        scores = _fold_scores(X[train], y[train], inner, networks, epochs, repeat)
        chosen.append(scores.mean(axis=0).argmax())
    return {"gap": 100 * (outer.mean(axis=0).max() - outer[range(3), chosen].mean())}


def _fold_scores(
    X, y, folds, networks: Sequence[Mapping], epochs: Sequence[int], seed: int
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
        trained = fit_many(networks, replace(like, **rows), n_epochs=max(epochs), seed=seed)
        scores.append(trained.val_accuracy[:, np.array(epochs) - 1].ravel())
    return np.array(scores)


# --- luck -----------------------------------------------------------------------------------------


def luck(
    a: Mapping, b: Mapping, *, n_epochs: int, repeats: Iterable[int] = range(20)
) -> pd.DataFrame:
    """Return how much a loss, and a difference of two losses, vary with the rows and with the seed.

    Both configurations are trained on every draw of iris' rows under every seed.
    Columns: luck_of (such as "difference, by seed"), and sd: the standard deviation over the seeds,
    one for each draw, or over the draws, one for each seed.
    """
    repeats = list(repeats)
    pairs = list(product(repeats, repeats))
    jobs = [Job(Data("iris"), config, *pair, n_epochs) for config in (a, b) for pair in pairs]
    of_a, of_b = trainer.train(jobs, progress=True).val_loss[:, -1].reshape(2, len(repeats), -1)
    parts = []
    for what, values in {"loss": of_a, "difference": of_a - of_b}.items():
        for name, axis in {"by rows": 0, "by seed": 1}.items():
            sd = values.std(axis=axis, ddof=1)
            parts.append(pd.DataFrame({"luck_of": f"{what}, {name}", "sd": sd}))
    return pd.concat(parts, ignore_index=True)
