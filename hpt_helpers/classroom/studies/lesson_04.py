"""The measurements of lesson 4: what stopping early keeps, how far trials come, and who wins a race.

A `full` landscape holds whole learning curves; each of its seeds is a repeat, with rows of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from hpt_helpers.classroom.studies.repeats import rows_of
from hpt_helpers.config import training_key
from hpt_helpers.landscape import Landscape
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.population import fit_many
from hpt_helpers.progress import progress_bar
from hpt_helpers.search import run
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule, random_search, successive_halving
from hpt_helpers.trials import config_of, incumbent

N_JUDGES = 10  # repeats that judge a winner: others for each race, and none that chose
FIRST_JUDGE, OTHER_CONFIGS = 1000, 10_000  # far from the repeats that search


def rank_correlations(full: Mapping[str, Landscape], epochs: Sequence[int] = (3, 27)) -> pd.DataFrame:
    """Return Spearman's rank correlation of the losses at an epoch with those at the last, in each repeat.

    Columns: case (data set and epoch), data, epoch, repeat, rank_correlation (over all configurations).
    """
    rows = []
    for name, held in full.items():
        for epoch in epochs:
            for repeat, losses in zip(held.seeds, held.val_loss.swapaxes(0, 1), strict=True):
                rank = spearmanr(losses[:, epoch - 1], losses[:, -1]).statistic
                rows.append((f"{name}, epoch {epoch}", name, epoch, repeat, rank))
    return pd.DataFrame(rows, columns=["case", "data", "epoch", "repeat", "rank_correlation"])


def survivors(full: Mapping[str, Landscape], rungs: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Return which of its first configurations successive halving is left with, in each repeat.

    rungs: (n_configs, n_epochs), the last for one configuration and the landscapes' last epoch.
    Columns: data, repeat, behind (its loss at the last epoch less the lowest there), average_behind (the same of
    the median configuration) and rank (1: it is the lowest).
    """
    rows = []
    for name, held in full.items():
        configs = held.configs[: rungs[0][0]]
        for repeat in held.seeds:
            trials = run(successive_halving(configs, rungs), held, seed=repeat)
            losses = held.val_loss[: len(configs), held.seeds.index(repeat), -1]
            left = trials["val_loss"].iloc[-1]
            average = np.median(losses) - losses.min()
            rows.append((name, repeat, left - losses.min(), average, 1 + int((losses < left).sum())))
    return pd.DataFrame(rows, columns=["data", "repeat", "behind", "average_behind", "rank"])


def reached(searches: Mapping[str, pd.DataFrame], schedule: Sequence[Sequence[tuple[int, int]]]) -> pd.DataFrame:
    """Return how far the configurations came in each search, counted: a row for each way to fare.

    searches: trial tables of the same configurations; the first has them in the schedule's order.
    Columns: bracket (from 1), the last epoch in each search, configurations (how many).
    """
    last = {name: t.groupby(t["config"].map(training_key), sort=False)["n_epochs"].max() for name, t in searches.items()}
    table = pd.DataFrame(last).loc[next(iter(last.values())).index]
    table.insert(0, "bracket", np.repeat(range(1, len(schedule) + 1), [rungs[0][0] for rungs in schedule]))
    return table.value_counts(sort=False).rename("configurations").reset_index()


def stopped(searches: Mapping[str, pd.DataFrame], n_epochs: int) -> pd.DataFrame:
    """Return for each search, as its index: trials, stopped_early, epochs trained, and epochs_in_full without stopping.

    searches: trial tables of one row a trial. n_epochs: to which a trial goes that is not stopped, unless its
    configuration has an entry epochs.
    """
    rows = {}
    for name, trials in searches.items():
        wanted = np.array([config.get("epochs", n_epochs) for config in trials["config"]])
        done = trials["n_epochs"].to_numpy()
        rows[name] = len(trials), int((done < wanted).sum()), int(done.sum()), int(wanted.sum())
    return pd.DataFrame.from_dict(rows, "index", columns=["trials", "stopped_early", "epochs", "epochs_in_full"])


def race(
    name: str, space: SearchSpace, n_epochs: int, *, repeats: Sequence[int], least: int = 1, progress=False
) -> pd.DataFrame:
    """Race Hyperband (R = n_epochs) against random search at equal epochs, in each repeat, and judge both winners.

    least: brackets whose first rung is below this epoch are left out. A winner is the trial of the lowest loss; it
    is judged fresh by its mean loss at its own epoch over ten repeats of its own race, none of which chose it.
    Columns: repeat, hyperband and random (loss as searched), full (the lowest among Hyperband's trials that reached
    R), those three judged fresh as hyperband_fresh, random_fresh and full_fresh, stopped_at (the winner's epoch).
    """
    rows, winners = [], []
    for repeat, splits in zip(progress_bar(repeats, progress=progress, unit="race"), rows_of(name, repeats), strict=True):
        hyper, plain = _searches(space, n_epochs, least, TrainingObjective(splits), repeat)
        for trials in (hyper, plain, hyper[hyper["n_epochs"] == n_epochs]):
            best = incumbent(trials)
            winners.append((config_of(trials, best), trials.at[best, "n_epochs"], repeat))
            rows.append(trials.at[best, "val_loss"])
    columns = ["hyperband", "random", "full"]
    table = pd.DataFrame(np.reshape(rows, (-1, 3)), columns=columns)
    table[[f"{c}_fresh" for c in columns]] = np.reshape(_judged(name, winners, progress), (-1, 3))
    table.insert(0, "repeat", list(repeats))
    return table.assign(stopped_at=[epoch for _, epoch, _ in winners[::3]])


def _searches(space, n_epochs, least, objective, repeat) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the trial tables of Hyperband's brackets from the epoch `least` on, and of random search at its cost."""
    schedule = [rungs for rungs in hyperband_schedule(n_epochs) if rungs[0][1] >= least]
    configs = iter(space.sample(sum(rungs[0][0] for rungs in schedule), seed=repeat))

    def brackets():
        for rungs in schedule:
            yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)

    hyper = run(brackets(), objective, seed=repeat)
    n_trials = int(hyper["charged_epochs"].sum()) // n_epochs
    return hyper, run(random_search(space, n_trials, n_epochs, seed=OTHER_CONFIGS + repeat), objective, seed=repeat)


def _judged(name: str, winners: Sequence[tuple[dict, int, int]], progress: bool) -> np.ndarray:
    """Return each winner's mean loss at its epoch over N_JUDGES repeats: others for each repeat that chose."""
    judges = [FIRST_JUDGE + N_JUDGES * repeat + i for _, _, repeat in winners for i in range(N_JUDGES)]
    rows = dict(zip(set(judges), rows_of(name, list(set(judges))), strict=True))
    configs = [config for config, _, _ in winners for _ in range(N_JUDGES)]
    last = max(epoch for _, epoch, _ in winners)
    trained = fit_many(configs, [rows[j] for j in judges], n_epochs=int(last), seed=judges, progress=progress)
    losses = trained.val_loss.reshape(len(winners), N_JUDGES, -1).mean(axis=1)
    return np.array([losses[i, epoch - 1] for i, (_, epoch, _) in enumerate(winners)])


def verdicts(races: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return in how many repeats Hyperband is ahead of random search, by three verdicts: a row for each race.

    Columns: as_searched, among_full (only Hyperband's trials that reached R), fresh, and repeats.
    """
    rows = {}
    for name, table in races.items():
        pairs = (("hyperband", "random"), ("full", "random"), ("hyperband_fresh", "random_fresh"))
        rows[name] = *(int((table[a] < table[b]).sum()) for a, b in pairs), len(table)
    return pd.DataFrame.from_dict(rows, "index", columns=["as_searched", "among_full", "fresh", "repeats"])
