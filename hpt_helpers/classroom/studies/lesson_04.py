"""What lesson 4 measures: what stopping early keeps, how far trials come, and who wins a race.

A repeat is a draw of the rows and a training seed; a landscape's seeds are repeats. A winner's
**fresh** loss is the mean over draws and seeds that chose nothing and judge this repeat only.
Losses are in nats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.landscape import Landscape, trained_landscape
from hpt_helpers.config import training_key
from hpt_helpers.search import Strategy, run
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule, random_search, successive_halving

OTHER_CONFIGS = 10_000  # added to a repeat: random search draws other configurations than Hyperband

Schedule = Sequence[Sequence[tuple[int, int]]]  # brackets of rungs (n_configs, n_epochs)


# --- early order and late order -------------------------------------------------------------------


def full_curves(
    configs: Mapping[str, Sequence[Mapping]],
    *,
    n_epochs: int,
    repeats: Sequence[int],
    progress: bool = False,
) -> dict[str, Landscape]:
    """Return the landscape of each data set's configurations over repeats, by the data set's name."""
    return {
        name: trained_landscape(
            name, of_data, n_epochs=n_epochs, seeds=list(repeats), progress=progress
        )
        for name, of_data in configs.items()
    }


def rank_correlations(
    full: Mapping[str, Landscape], epochs: Sequence[tuple[int, int]]
) -> pd.DataFrame:
    """Return Spearman's rank correlation of the losses at two epochs, in each repeat.

    epochs: pairs of an epoch and a later one. Columns: case (data set and epochs), data, repeat,
    rank_correlation (over all configurations).
    """
    rows = []
    for name, landscape in full.items():
        for early, late in epochs:
            for place, repeat in enumerate(landscape.seeds):
                losses = landscape.val_loss[:, place]
                rank = spearmanr(losses[:, early - 1], losses[:, late - 1]).statistic
                rows.append((f"{name}, {early} with {late}", name, repeat, rank))
    return pd.DataFrame(rows, columns=["case", "data", "repeat", "rank_correlation"])


def best_so_far(full: Landscape) -> Landscape:
    """Return the landscape in which a trial's loss is the lowest that it had so far."""
    return replace(full, val_loss=np.minimum.accumulate(full.val_loss, axis=2))


def survivors(full: Mapping[str, Landscape], rungs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Return which configuration successive halving is left with, in each repeat.

    rungs: (n_configs, n_epochs), the last for one configuration and the landscapes' last epoch. The
    first n_configs of a landscape take part.
    Indexed by repeat; columns: data, worse_half (whether the survivor is worse than the median
    configuration), behind (its loss at the last epoch less the lowest there), median_behind (the
    same of the median configuration), rank (1: it is the lowest), lr and best_lr (of it, and of the
    lowest).
    """
    rows = []
    for name, landscape in full.items():
        configs = landscape.configs[: rungs[0][0]]
        for place, repeat in enumerate(landscape.seeds):
            halving = successive_halving(configs, rungs)
            survivor = run(halving, landscape, seed=repeat, on_interrupt="raise").iloc[-1]
            losses = landscape.val_loss[: len(configs), place, -1]
            behind = survivor["val_loss"] - losses.min()
            median_behind = np.median(losses) - losses.min()
            row = {
                "data": name,
                "repeat": repeat,
                "worse_half": behind > median_behind + lab.SAME,
                "behind": behind,
                "median_behind": median_behind,
                "rank": 1 + int((losses < survivor["val_loss"] - lab.SAME).sum()),
                "lr": survivor["config"]["lr"],
                "best_lr": configs[losses.argmin()]["lr"],
            }
            rows.append(row)
    return pd.DataFrame(rows).set_index("repeat")


# --- what was stopped, and what that saves --------------------------------------------------------


def bill(trials: pd.DataFrame, *, n_epochs: int, hours: float) -> pd.DataFrame:
    """Return what a Hyperband costs: epochs, and days one after another.

    trials: its trial table. n_epochs: its R, for which a training takes so many hours. The index
    says how it is done: all "in full", survivors "going on", or "restarting" from epoch 0.
    """
    n_configs = trials["config"].map(training_key).nunique()
    epochs = [n_configs * n_epochs, trials["charged_epochs"].sum(), trials["n_epochs"].sum()]
    table = pd.DataFrame({"epochs": epochs}, ["in full", "going on", "restarting"])
    return table.assign(days=(table["epochs"] * hours / n_epochs / 24).round(1))


def reached(searches: Mapping[str, pd.DataFrame], schedule: Schedule) -> pd.DataFrame:
    """Return how far the configurations came in two searches, counted: a row for each fate.

    searches: two trial tables of the same configurations; the first has them in the schedule's
    order.
    Columns: bracket (from 1), the last epoch in each search, configurations (how many), and
    same_loss: in how many of these the last losses are equal by `lab.SAME`.
    """
    first, second = (_last_trials(trials) for trials in searches.values())
    second = second.loc[first.index]
    starts = [rungs[0][0] for rungs in schedule]
    table = pd.DataFrame({"bracket": np.repeat(range(1, len(schedule) + 1), starts)}, first.index)
    for name, last in zip(searches, (first, second), strict=True):
        table[name] = last["n_epochs"]
    table["same_loss"] = (first["val_loss"] - second["val_loss"]).abs() <= lab.SAME
    fates = table.groupby(["bracket", *searches], sort=False)["same_loss"]
    return fates.agg(configurations="size", same_loss="sum").reset_index()


def _last_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Return the longest trial of each configuration, in the order of their first trials."""
    keys = trials["config"].map(training_key)
    longest = trials.groupby(keys, sort=False)["n_epochs"].idxmax()
    return trials.loc[longest].set_axis(longest.index)


def stopped(searches: Mapping[str, pd.DataFrame], n_epochs: int) -> pd.DataFrame:
    """Return how many trials of each search were stopped early: a row for each search.

    searches: trial tables of one row a trial. n_epochs: to which a trial goes that is not stopped,
    unless its configuration has an entry epochs. Columns: trials, stopped_early, epochs (trained),
    and epochs_in_full, those without stopping.
    """
    rows = {}
    for name, trials in searches.items():
        wanted = np.array([config.get("epochs", n_epochs) for config in trials["config"]])
        done = trials["n_epochs"].to_numpy()
        rows[name] = {
            "trials": len(trials),
            "stopped_early": (done < wanted).sum(),
            "epochs": done.sum(),
            "epochs_in_full": wanted.sum(),
        }
    return pd.DataFrame.from_dict(rows, "index")


# --- the race -------------------------------------------------------------------------------------


def schedule_from(first_cut: int, max_epochs: int) -> Schedule:
    """Return the brackets of Hyperband whose first rung is at this epoch or later."""
    return [rungs for rungs in hyperband_schedule(max_epochs) if rungs[0][1] >= first_cut]


def hyperband(
    first_cut: int, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    """Run the brackets of `schedule_from`, on configurations drawn under the repeat."""
    schedule = schedule_from(first_cut, n_epochs)
    configs = iter(space.sample(sum(rungs[0][0] for rungs in schedule), seed=repeat))
    for rungs in schedule:
        yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Train random configurations in full, others than those of `hyperband`."""
    return random_search(space, n_trials, n_epochs, seed=OTHER_CONFIGS + repeat)


def race(
    name: str,
    space: SearchSpace,
    n_epochs: int,
    *,
    repeats: Sequence[int],
    first_cut: int = 1,
    n_finalists: int = 1,
    n_again: int = 4,
    n_judges: int = 10,
    progress: bool = False,
) -> pd.DataFrame:
    """Race Hyperband (R = n_epochs) against random search at equal epochs, and judge the winners.

    first_cut: brackets that cut before this epoch are left out. n_finalists: so many of a search's
    best are trained on n_again more draws of rows and seeds, and the lowest mean wins; 1 is the
    trial of the lowest loss.
    Returns the winners as `lab.judge` does; search is "hyperband", "random", or "full", which is
    Hyperband where only trials that reached R may win.
    """
    problem = lab.network_problem(name, space, n_epochs)
    trials = lab.search(
        problem,
        {"hyperband": partial(hyperband, first_cut), "random": at_random},
        repeats=repeats,
        budget=lab.schedule_epochs(schedule_from(first_cut, n_epochs)),
        progress=progress,
    )
    full = trials[(trials["search"] == "hyperband") & (trials["n_epochs"] == n_epochs)]
    trials = pd.concat([trials, full.assign(search="full")], ignore_index=True)
    if n_finalists > 1:
        trials = lab.retrain(problem, trials, n_finalists, n_again, progress=progress)
    return lab.judge(problem, lab.winners(trials), n_judges, progress=progress)


def in_pairs(judged: pd.DataFrame, by: str = "fresh") -> pd.DataFrame:
    """Return a row for each repeat, with a column for what each search's winner is worth.

    by: "val_loss" for the losses by which they won.
    """
    return judged.pivot(index="repeat", columns="search", values=by)


def verdicts(races: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return in how many repeats Hyperband is ahead of random search, by three verdicts.

    A row for each race; columns: as_searched, among_full (only Hyperband's trials that reached R),
    fresh, of (repeats), gain and gain_fresh (random search's mean loss less Hyperband's). Losses
    that are equal by `lab.SAME` put nobody ahead.
    """
    rows = {}
    for name, judged in races.items():
        searched, fresh = in_pairs(judged, "val_loss"), in_pairs(judged)
        rows[name] = {
            "as_searched": lab.pairs(searched["hyperband"], searched["random"]).wins,
            "among_full": lab.pairs(searched["full"], searched["random"]).wins,
            "fresh": lab.pairs(fresh["hyperband"], fresh["random"]).wins,
            "of": len(fresh),
            "gain": (searched["random"] - searched["hyperband"]).mean(),
            "gain_fresh": (fresh["random"] - fresh["hyperband"]).mean(),
        }
    return pd.DataFrame.from_dict(rows, "index").round(3)


def remedies(races: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return how each remedy changes the fresh losses of the winners of the first race.

    races: what `race` returns, of the same repeats. A row for each, and one for the trials of the
    first that reached R. Columns: better and worse (in how many repeats Hyperband's winner is; the
    rest are equal by `lab.SAME`), loss (the mean), beats_random (in how many repeats, with the same
    remedy), epochs (what Hyperband costs); random_better and random_worse (what the remedy does for
    random search).
    """
    first, *others = races
    before = in_pairs(races[first])
    rows = {}
    for name, race, search in [
        (first, first, "hyperband"),
        ("only trials that reached R", first, "full"),
        *[(other, other, "hyperband") for other in others],
    ]:
        judged = races[race]
        fresh = in_pairs(judged)
        own = lab.pairs(fresh[search], before["hyperband"])
        of_random = lab.pairs(fresh["random"], before["random"])
        rows[name] = {
            "better": own.wins,
            "worse": own.defeats,
            "loss": round(fresh[search].mean(), 3),
            "beats_random": lab.pairs(fresh[search], fresh["random"]).wins,
            "epochs": round(judged.loc[judged["search"] == "hyperband", "epochs"].mean()),
            "random_better": of_random.wins,
            "random_worse": of_random.defeats,
        }
    return pd.DataFrame.from_dict(rows, "index")
