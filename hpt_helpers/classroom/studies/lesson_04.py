"""The measurements of lesson 4: what stopping early keeps, how far trials come, and who wins a
race.

A `full` landscape holds whole learning curves; each of its seeds is a repeat, with rows of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hpt_helpers.classroom.cache import cached_by_key
from hpt_helpers.classroom.landscape import Landscape, landscape
from hpt_helpers.classroom.parallel import halves, in_two
from hpt_helpers.classroom.studies.racing import CODE
from hpt_helpers.classroom.studies.repeats import ROUNDING, TrainingOfRepeats, rows_of, run_whole
from hpt_helpers.config import training_key
from hpt_helpers.progress import progress_bar
from hpt_helpers.search import Request
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule, random_search, successive_halving

OTHER_CONFIGS = 10_000  # random search draws its own
# of the hundred repeats set apart for each repeat, which choose nothing
JUDGES, FINALS = range(10), range(50, 54)


def full_curves(
    configs: Mapping[str, Sequence[Mapping]], *, n_epochs, repeats, progress=False
) -> dict[str, Landscape]:
    """Return for each data set, by name, the landscape of its configurations with a repeat for each
    seed.
    """
    return {
        name: landscape(
            those, rows_of(name, repeats), n_epochs=n_epochs, seeds=repeats, progress=progress
        )
        for name, those in configs.items()
    }


def rank_correlations(
    full: Mapping[str, Landscape], epochs: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """Return Spearman's rank correlation of the losses at an epoch with those at a later one, in
    each repeat.

    epochs: the pairs of both. Columns: case (data set and epochs), data, repeat, rank_correlation
    (over all configurations).
    """
    rows = []
    for name, held in full.items():
        for early, late in epochs:
            for repeat, losses in zip(held.seeds, held.val_loss.swapaxes(0, 1), strict=True):
                rank = spearmanr(losses[:, early - 1], losses[:, late - 1]).statistic
                rows.append((f"{name}, {early} with {late}", name, repeat, rank))
    return pd.DataFrame(rows, columns=["case", "data", "repeat", "rank_correlation"])


def best_so_far(full: Landscape) -> Landscape:
    """Return the landscape in which a trial's loss is the lowest that it had so far."""
    return replace(full, val_loss=np.minimum.accumulate(full.val_loss, axis=2))


def survivors(full: Mapping[str, Landscape], rungs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Return which of its first configurations successive halving is left with, in each repeat.

    rungs: (n_configs, n_epochs), the last for one configuration and the landscapes' last epoch.
    Indexed by repeat; columns: data, worse_half (whether it is worse than the median
    configuration), behind (its loss at the last epoch less the lowest there), median_behind (the
    same of the median configuration), rank (1: it is the lowest), lr and best_lr (of it, and of the
    lowest).
    """
    rows = []
    for name, held in full.items():
        configs = held.configs[: rungs[0][0]]
        for repeat in held.seeds:
            [trials] = run_whole([successive_halving(configs, rungs)], held, seeds=[repeat])
            losses = held.val_loss[: len(configs), held.seeds.index(repeat), -1]
            left, lr = trials[["val_loss", "lr"]].iloc[-1]
            behind, average = left - losses.min(), np.median(losses) - losses.min()
            rank, best_lr = 1 + int((losses < left).sum()), configs[losses.argmin()]["lr"]
            rows.append((name, repeat, behind > average, behind, average, rank, lr, best_lr))
    return pd.DataFrame(
        rows,
        columns=[
            "data",
            "repeat",
            "worse_half",
            "behind",
            "median_behind",
            "rank",
            "lr",
            "best_lr",
        ],
    ).set_index("repeat")


def bill(trials: pd.DataFrame, *, n_epochs: int, hours: float) -> pd.DataFrame:
    """Return what a search costs in full, going on and restarting, as its index: epochs, and days
    one after another.

    trials: of a Hyperband with R = n_epochs, which take so many hours.
    """
    n_configs = trials["config"].map(training_key).nunique()
    epochs = [n_configs * n_epochs, trials["charged_epochs"].sum(), trials["n_epochs"].sum()]
    table = pd.DataFrame({"epochs": epochs}, ["in full", "going on", "restarting"])
    return table.assign(days=(table["epochs"] * hours / n_epochs / 24).round(1))


def reached(
    searches: Mapping[str, pd.DataFrame], schedule: Sequence[Sequence[tuple[int, int]]]
) -> pd.DataFrame:
    """Return how far the configurations came in each search, counted: a row for each way to fare.

    searches: two trial tables of the same configurations; the first has them in the schedule's
    order.
    Columns: bracket (from 1), the last epoch in each search, configurations (how many), and
    same_loss: in how many of these the last loss is the same in both.
    """
    last, losses = {}, []
    for name, trials in searches.items():
        fates = trials.groupby(trials["config"].map(training_key), sort=False)
        last[name] = fates["n_epochs"].max()
        losses.append(trials["val_loss"].loc[fates["n_epochs"].idxmax()].set_axis(last[name].index))
    table = pd.DataFrame(last).loc[losses[0].index]
    table["same_loss"] = np.isclose(losses[0], losses[1].loc[table.index], rtol=0, atol=ROUNDING)
    table.insert(
        0, "bracket", np.repeat(range(1, len(schedule) + 1), [rungs[0][0] for rungs in schedule])
    )
    groups = table.groupby(["bracket", *searches], sort=False)["same_loss"]
    return groups.agg(configurations="size", same_loss="sum").reset_index()


def stopped(searches: Mapping[str, pd.DataFrame], n_epochs: int) -> pd.DataFrame:
    """Return for each search, as its index: trials, stopped_early, epochs trained, and
    epochs_in_full without stopping.

    searches: trial tables of one row a trial. n_epochs: to which a trial goes that is not stopped,
    unless its configuration has an entry epochs.
    """
    rows = {}
    for name, trials in searches.items():
        wanted = np.array([config.get("epochs", n_epochs) for config in trials["config"]])
        done = trials["n_epochs"].to_numpy()
        rows[name] = len(trials), int((done < wanted).sum()), int(done.sum()), int(wanted.sum())
    return pd.DataFrame.from_dict(
        rows, "index", columns=["trials", "stopped_early", "epochs", "epochs_in_full"]
    )


def race(
    name: str,
    space: SearchSpace,
    n_epochs: int,
    *,
    repeats: Sequence[int],
    least: int = 1,
    n_finalists: int = 1,
    progress=False,
) -> pd.DataFrame:
    """Race Hyperband (R = n_epochs) against random search at equal epochs, in each repeat, and
    judge both winners.

    least: brackets whose first rung is below this epoch are left out. n_finalists: so many of a
    search's best are trained on four more draws of rows and seeds, and the lowest mean wins; 1 is
    the trial of the lowest loss.
    A winner is judged fresh by its mean loss at its own epoch over ten repeats of its own race:
    none chose it. Columns: repeat, hyperband and random (lowest loss as searched), full (the same
    of Hyperband's trials that reached R), those three fresh as hyperband_fresh, random_fresh and
    full_fresh, epochs (what each of both trained).
    From the cache, where it is in it.
    """

    def compute() -> dict[str, np.ndarray]:
        raced = _race(name, space, n_epochs, list(repeats), least, n_finalists, progress)
        return {column: raced[column].to_numpy() for column in raced}

    key = {
        "race": name,
        "space": repr(space),
        "n_epochs": n_epochs,
        "repeats": list(repeats),
        "least": least,
        "n_finalists": n_finalists,
        "code": [sys.modules[__name__], *CODE],
    }
    return pd.DataFrame(cached_by_key(key, compute))


def _race(name, space, n_epochs, repeats, least, n_finalists, progress) -> pd.DataFrame:
    hyper, plain = _searches(name, tuple(space.items()), n_epochs, least, tuple(repeats), progress)
    full = [trials[trials["n_epochs"] == n_epochs] for trials in hyper]
    columns, again = ["hyperband", "random", "full"], repeats * 3
    finals = [_best(trials, n_finalists) for trials in (*hyper, *plain, *full)]
    retrained = _means(name, finals, again, FINALS if n_finalists > 1 else [], progress)
    winners = [
        trials.iloc[[losses.argmin()]] for trials, losses in zip(finals, retrained, strict=True)
    ]
    fresh = np.concatenate(_means(name, winners, again, JUDGES, progress))
    lowest = np.array([trials["val_loss"].iloc[0] for trials in finals])
    table = pd.DataFrame({"repeat": repeats})
    table[columns] = lowest.reshape(3, -1).T
    table[[f"{column}_fresh" for column in columns]] = fresh.reshape(3, -1).T
    extra = len(FINALS) * (n_finalists > 1)
    epochs = [
        t["charged_epochs"].sum() + extra * f["n_epochs"].sum()
        for t, f in zip(hyper, finals, strict=False)
    ]
    return table.assign(epochs=np.array(epochs, dtype=int))


@lru_cache(maxsize=2)  # a remedy that only judges otherwise looks at the same searches again
def _searches(
    name, parameters, n_epochs, least, repeats, progress
) -> tuple[list[pd.DataFrame], list[pd.DataFrame]]:
    """Return the trial tables of Hyperband's brackets from the epoch `least` on, and of random
    search at their cost.
    """
    space = SearchSpace(dict(parameters))
    schedule = [rungs for rungs in hyperband_schedule(n_epochs) if rungs[0][1] >= least]
    n_configs = sum(rungs[0][0] for rungs in schedule)

    def brackets(configs):
        for rungs in schedule:
            yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)

    def hyperband(some: list[int]) -> list[pd.DataFrame]:
        strategies = [brackets(iter(space.sample(n_configs, seed=repeat))) for repeat in some]
        return run_whole(strategies, TrainingOfRepeats(name, some), seeds=some, progress=progress)

    def at_random(some: list[int]) -> list[pd.DataFrame]:
        n_trials = int(hyper[0]["charged_epochs"].sum()) // n_epochs
        strategies = [
            random_search(space, n_trials, n_epochs, seed=OTHER_CONFIGS + repeat) for repeat in some
        ]
        return run_whole(strategies, TrainingOfRepeats(name, some), seeds=some, progress=progress)

    hyper = list(chain(*in_two(hyperband, halves(repeats), progress=progress)))
    return hyper, list(chain(*in_two(at_random, halves(repeats), progress=progress)))


def _best(trials: pd.DataFrame, n: int) -> pd.DataFrame:
    """Return the n trials of the lowest losses, lowest first, each configuration once."""
    good = trials.sort_values(["val_loss", "n_epochs"], kind="stable")
    return good[~good["config"].map(training_key).duplicated()].head(n)


def _means(
    name, groups: Sequence[pd.DataFrame], repeats, others: Sequence[int], progress
) -> list[np.ndarray]:
    """Return for each group the mean loss of its trials, at their own epochs, over other repeats
    (all 0 for none).

    groups: some trials, each of the repeat at its place. others: which of the hundred repeats set
    apart for each.
    """
    if not others:
        return [np.zeros(len(trials)) for trials in groups]
    requests = [
        Request(config, int(n), 1000 + 100 * repeat + other)
        for trials, repeat in zip(groups, repeats, strict=True)
        for config, n in zip(trials["config"], trials["n_epochs"], strict=True)
        for other in others
    ]
    parts = [set(half) for half in halves(sorted({request.seed for request in requests}))]

    def train(seeds: set[int]) -> list[float]:
        # It trains a winner of two searches once, and each to its own epoch.
        mine = [request for request in requests if request.seed in seeds]
        outcomes = TrainingOfRepeats(name, sorted(seeds))(mine)
        return [
            o.val_loss
            for o in progress_bar(outcomes, total=len(mine), progress=progress, unit="training")
        ]

    answers = [iter(losses) for losses in in_two(train, parts, progress=progress)]
    in_turn = [next(answers[request.seed not in parts[0]]) for request in requests]
    losses = np.array(in_turn).reshape(-1, len(others)).mean(axis=1)
    return np.split(losses, np.cumsum([len(trials) for trials in groups])[:-1])


def verdicts(races: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return in how many repeats Hyperband is ahead of random search, by three verdicts: a row for
    each race.

    Columns: as_searched, among_full (only Hyperband's trials that reached R), fresh, of (repeats),
    gain and gain_fresh (random search's mean loss less Hyperband's).
    """
    rows = {}
    for name, table in races.items():
        pairs = (("hyperband", "random"), ("full", "random"), ("hyperband_fresh", "random_fresh"))
        ahead = [int((table[a] < table[b]).sum()) for a, b in pairs]
        gains = [(table[b] - table[a]).mean() for a, b in (pairs[0], pairs[2])]
        rows[name] = *ahead, len(table), *gains
    columns = ["as_searched", "among_full", "fresh", "of", "gain", "gain_fresh"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns).round(3)


def remedies(races: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how Hyperband's winners fare after each remedy, fresh, against those of the first
    race: a row for each.

    races: what `race` returns, of the same repeats; of the first there is a row for trials that
    reached R, too. Columns: better and worse (in how many repeats; the rest are the same), loss
    (the mean), beats_random (in how many repeats, with the same remedy), epochs (what a search
    costs); random_better and random_worse (what the same remedy does for random search).
    """
    first, *others = races
    rows = {}
    choices = [
        (first, first, "hyperband_fresh"),
        ("only trials that reached R", first, "full_fresh"),
    ]
    for name, race, column in choices + [(name, name, "hyperband_fresh") for name in others]:
        table = races[race]
        ahead = int((table[column] < table["random_fresh"]).sum())
        own = _moved(races[first]["hyperband_fresh"], table[column])
        random = _moved(races[first]["random_fresh"], table["random_fresh"])
        rows[name] = (
            *own,
            round(table[column].mean(), 3),
            ahead,
            round(table["epochs"].mean()),
            *random,
        )
    columns = ["better", "worse", "loss", "beats_random", "epochs", "random_better", "random_worse"]
    return pd.DataFrame.from_dict(rows, "index", columns=columns)


def _moved(before: pd.Series, after: pd.Series) -> tuple[int, int]:
    """Return in how many repeats a loss is lower afterwards, and in how many higher."""
    return int((after < before - ROUNDING).sum()), int((after > before + ROUNDING).sum())
