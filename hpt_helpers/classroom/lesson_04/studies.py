"""What lesson 4 measures: what stopping early keeps, how far trials come, and who wins a race.

A repeat is a draw of the rows and a training seed. A winner's **fresh** loss is the mean over draws
and seeds that chose nothing and judge this repeat only. Losses are in nats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hpt_helpers.classroom.lab import racing, statistics
from hpt_helpers.classroom.lab.landscape import trained_landscape
from hpt_helpers.classroom.tables.table import load_table
from hpt_helpers.config import training_key
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule
from hpt_helpers.trials import ranking

N_WATCHED = 81  # configurations: as many as the boldest bracket of R = 81 begins with


# --- early order and late order -------------------------------------------------------------------


class Watched(NamedTuple):
    """Trainings that nobody stopped, watched at the epochs at which a bracket would cut.

    epochs: of the rungs, the last being R. lr: the learning rates of the configurations, of shape
    (n_repeats, n_configs). last and best: the loss after each of these epochs, and the lowest that
    was seen until then, both of shape (n_repeats, n_configs, len(epochs)). fresh_last and
    fresh_best: what the configuration is worth on rows and seeds of others than this repeat, after
    R epochs and after those of its lowest loss; of shape (n_repeats, n_configs).
    """

    epochs: tuple[int, ...]
    lr: np.ndarray
    last: np.ndarray
    best: np.ndarray
    fresh_last: np.ndarray
    fresh_best: np.ndarray


def watched_in_table(name: str, n_val: int) -> Watched:
    """Return the first 81 configurations of each repeat of a table and what its judges say.

    A table keeps the losses after epochs 1, 3, 9 and 27, so `best` has looked at these four only.
    """
    table = load_table(name)
    last = table.loss[:N_WATCHED, :, table.rows(n_val)].swapaxes(0, 1)
    fresh = table.fresh_loss[:N_WATCHED].swapaxes(0, 1)
    at_best = np.take_along_axis(fresh, statistics.best_along(last, axis=2)[:, :, None], axis=2)
    lr = [[config["lr"] for config in table.configs(r)[:N_WATCHED]] for r in range(len(last))]
    best = np.minimum.accumulate(last, axis=2)
    return Watched(table.epochs, np.array(lr), last, best, fresh[:, :, -1], at_best[:, :, 0])


def watched_in_training(
    name: str, space: SearchSpace, n_epochs: int, repeats: Sequence[int], *, progress: bool = False
) -> Watched:
    """Return 81 random configurations of the space, trained in full in each repeat.

    They are the same in all repeats, so a fresh loss is the mean over the other repeats.
    """
    configs = space.sample(N_WATCHED, seed=0)
    full = trained_landscape(
        name, configs, n_epochs=n_epochs, seeds=list(repeats), progress=progress
    )
    curves = full.val_loss.swapaxes(0, 1)
    others = (curves.sum(axis=0) - curves) / (len(curves) - 1)
    lowest = statistics.best_along(curves, axis=2)
    at_best = np.take_along_axis(others, lowest[:, :, None], axis=2)
    epochs = tuple(epoch for _, epoch in hyperband_schedule(n_epochs)[0])
    at = [epoch - 1 for epoch in epochs]
    best = np.minimum.accumulate(curves, axis=2)[:, :, at]
    lr = np.tile([config["lr"] for config in configs], (len(curves), 1))
    return Watched(epochs, lr, curves[:, :, at], best, others[:, :, -1], at_best[:, :, 0])


def rank_correlation(held: Watched, early: int, late: int) -> np.ndarray:
    """Return Spearman's rank correlation of the losses at two epochs, in each repeat.

    Raises ValueError for an epoch that was not watched.
    """
    if missing := {early, late} - set(held.epochs):
        raise ValueError(f"epoch {min(missing)} was not watched; {held.epochs} were")
    a, b = held.epochs.index(early), held.epochs.index(late)
    return np.array([spearmanr(losses[:, a], losses[:, b]).statistic for losses in held.last])


def rank_correlations(watched: Mapping[str, Watched]) -> pd.DataFrame:
    """Return how well the order at an epoch agrees with that at nine times as many epochs.

    A row for each pair of epochs that were watched; columns: problem, epochs, and the mean, the
    lowest and the highest `rank_correlation` of all repeats.
    """
    rows = []
    for name, held in watched.items():
        for early, late in zip(held.epochs, held.epochs[2:], strict=False):  # two rungs further
            found = rank_correlation(held, early, late)
            rows.append((name, f"{early} and {late}", found.mean(), found.min(), found.max()))
    return pd.DataFrame(rows, columns=["problem", "epochs", "mean", "lowest", "highest"])


def survivors(watched: Mapping[str, Watched]) -> pd.DataFrame:
    """Return what the configuration is worth that the boldest bracket is left with.

    The bracket for R = 27 takes the first 27 of the 81 configurations. All figures are mean losses,
    over the repeats, on rows and with seeds that chose nothing. Columns: cuts (by the last loss, by
    the best loss so far, no cuts, after which the lowest loss so far decides, or a configuration
    that is drawn blindly), weights (the last or the best are kept), and one for each problem.
    """
    worth = pd.DataFrame({name: _worth(held) for name, held in watched.items()})
    return worth.rename_axis(["cuts", "weights"]).reset_index()


def _worth(held: Watched) -> pd.Series:
    n = held.epochs[-1]  # the boldest bracket of R begins with R configurations
    last, best = held.last[:, :n], held.best[:, :n]
    fresh = {"last": held.fresh_last[:, :n], "best": held.fresh_best[:, :n]}
    by_last, by_best = ([survivor(of) for of in losses] for losses in (last, best))
    repeats = np.arange(len(last))
    worth = {
        ("last loss", "last"): fresh["last"][repeats, by_last],
        ("last loss", "best"): fresh["best"][repeats, by_last],
        ("best so far", "best"): fresh["best"][repeats, by_best],
        ("no cuts", "best"): fresh["best"][repeats, statistics.best_along(best[:, :, -1], axis=1)],
        ("a blind draw", "last"): fresh["last"],
        ("a blind draw", "best"): fresh["best"],
    }
    return pd.Series({by: of.mean() for by, of in worth.items()})


def survivor(losses: np.ndarray) -> int:
    """Return the configuration that successive halving with η = 3 is left with.

    losses: (n_configs, n_rungs); the last rung is for one configuration. Of equal losses, as
    `hpt_helpers.trials.ranking` has them, the earlier configuration goes on.
    """
    alive = np.arange(len(losses))
    for at_rung in losses.T[:-1]:
        alive = alive[ranking(at_rung[alive])[: len(alive) // 3]]
    return int(alive[0])


# --- what was stopped, and what that saves --------------------------------------------------------


def bill(trials: pd.DataFrame, *, n_epochs: int, hours: float) -> pd.DataFrame:
    """Return what a Hyperband costs: epochs, and hours one after another.

    trials: its trial table. n_epochs: its R, for which a training takes so many hours. The index
    says how it is done: all "in full", survivors "going on", or "restarting" from epoch 0.
    """
    n_configs = trials["config"].map(training_key).nunique()
    epochs = [n_configs * n_epochs, trials["charged_epochs"].sum(), trials["n_epochs"].sum()]
    table = pd.DataFrame({"epochs": epochs}, ["in full", "going on", "restarting"])
    return table.assign(hours=(table["epochs"] * hours / n_epochs).round(1))


def stopped(searches: Mapping[str, pd.DataFrame], n_epochs: int) -> pd.DataFrame:
    """Return how many configurations each search stopped early: a row for each search.

    searches: trial tables; a configuration that goes on may have several rows. n_epochs: to which a
    trial goes that is not stopped, unless its configuration has an entry epochs. Columns: trials
    (configurations), stopped_early, epochs (trained, when survivors go on), and epochs_in_full,
    those without stopping.
    """
    rows = {}
    for name, trials in searches.items():
        keys = trials["config"].map(training_key)
        wanted = trials["config"].map(lambda config: config.get("epochs", n_epochs))
        last = pd.DataFrame({"done": trials["n_epochs"], "wanted": wanted}).groupby(keys).max()
        rows[name] = {
            "trials": len(last),
            "stopped_early": (last["done"] < last["wanted"]).sum(),
            "epochs": last["done"].sum(),
            "epochs_in_full": last["wanted"].sum(),
        }
    return pd.DataFrame.from_dict(rows, "index")


def by_rung(searches: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how many results each search has at each rung, and their mean and lowest loss.

    searches: trial tables by name. A row for each number of epochs; columns: of each name trials,
    mean and best.
    """
    tables = {
        name: trials.groupby("n_epochs")["val_loss"].agg(trials="size", mean="mean", best="min")
        for name, trials in searches.items()
    }
    return pd.concat(tables, axis="columns").rename_axis("epochs")


# --- the race -------------------------------------------------------------------------------------

race = racing.race  # which the lesson runs as one of its studies


def medians(races: Mapping[int, pd.DataFrame], by: str = "fresh") -> dict[str, np.ndarray]:
    """Return each search's median loss in these races, in their order."""
    losses = {n: judged.groupby("search")[by].median() for n, judged in races.items()}
    searches = next(iter(races.values()))["search"].unique()
    return {name: np.array([losses[n][name] for n in races]) for name in searches}


def wins(
    races: Mapping[int, pd.DataFrame],
    contests: Sequence[tuple[str, str]],
    *,
    index: str,
    by: Sequence[str] = ("fresh",),
) -> pd.DataFrame:
    """Return in how many repeats one search's winner is ahead of another's, and behind it.

    races: judged winners by a number, which the index is named after. contests: pairs of searches.
    by: "val_loss" for the losses by which they won, "fresh" for those on other draws. With both,
    all contests must be with the same other, so that a column need not name it.
    A row for each race and a column for each contest ("ASHA over random"), or for each contest and
    loss ("ASHA fresh"). An entry such as "24 : 2" says that the first is ahead in 24 repeats and
    behind in 2. Losses that are equal by `statistics.SAME` count for neither.
    """
    words = {"val_loss": "as searched", "fresh": "fresh"}
    if len(by) > 1 and len({other for _, other in contests}) > 1:
        raise ValueError("with two losses all contests must be with the same other search")
    rows = {}
    for number, judged in races.items():
        rows[number] = {}
        for (one, other), loss in ((contest, loss) for contest in contests for loss in by):
            pairs = judged.pivot(index="repeat", columns="search", values=loss)
            column = f"{one} {words[loss]}" if len(by) > 1 else f"{one} over {other}"
            found = statistics.pairs(pairs[one], pairs[other])
            rows[number][column] = f"{found.wins} : {found.defeats}"
    return pd.DataFrame.from_dict(rows, "index").rename_axis(index)
