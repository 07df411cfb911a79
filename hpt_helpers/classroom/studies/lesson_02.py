"""The measurements of lesson 2: random searches against grids, and what their winners are worth.

All are made of the steps of `hpt_helpers.classroom.lab`, on iris. A repeat is a draw of the rows
and a training seed, and a random search draws its configurations under it. A winner's **fresh**
loss is the mean over draws and seeds that chose nothing and judge this repeat only. Losses are in
nats, after the last epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.lab import Data, Job, Problem
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import Real, SearchSpace

N_EPOCHS, MOST = 40, 60  # of a training; of a random search, from which shorter ones are cut
REPEATS = range(40)  # those that search
UNSEARCHED = range(100, 120)  # those in which nothing searches: they show what a space holds
N_AGAIN = 5  # how often a finalist is trained again
DIALS = {f"dial {i}": Real(0, 1) for i in range(1, 6)}  # hyperparameters that change nothing

ConfigsOf = Callable[[int], list[dict]]  # repeat -> configurations


# --- what a space holds ---------------------------------------------------------------------------


def mean_losses(
    configs: Sequence[Mapping],
    repeats: Sequence[int] = UNSEARCHED,
    *,
    data: str = "iris",
    n_epochs: int = N_EPOCHS,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the configurations as a table, with val_loss: the mean over the repeats."""
    jobs = [
        Job(Data(data), config, repeat, repeat, n_epochs)
        for config in configs
        for repeat in repeats
    ]
    losses = lab.train(jobs, progress=progress).val_loss[:, -1]
    return pd.DataFrame(configs).assign(val_loss=losses.reshape(len(configs), -1).mean(axis=1))


def variance_shares(means: pd.DataFrame) -> pd.DataFrame:
    """Return what share of the log loss's variance each hyperparameter explains alone.

    means: a full grid, as `mean_losses` returns it. A share is the variance of the means at each of
    the hyperparameter's values, over the variance of all. Columns: hyperparameter, share. The last
    row is what no hyperparameter explains alone.
    """
    log_loss = np.log(means["val_loss"])
    shares = {
        name: log_loss.groupby(means[name]).mean().var(ddof=0) / log_loss.var(ddof=0)
        for name in means.columns.drop("val_loss")
    }
    shares["only together"] = 1 - sum(shares.values())
    return pd.DataFrame(shares.items(), columns=["hyperparameter", "share"])


def by_power_of_ten(means: pd.DataFrame) -> pd.DataFrame:
    """Return the table sorted by lr, with a first column that says its power of ten."""
    powers = np.floor(np.log10(means["lr"])).astype(int)
    names = [f"{10.0**power:g} to {10.0 ** (power + 1):g}" for power in powers]
    table = means.assign(learning_rates=names).sort_values("lr", kind="stable")
    return table[["learning_rates", *means.columns]]


# --- searches and their winners -------------------------------------------------------------------


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Try random configurations, drawn under the repeat."""
    yield [(network(config), n_epochs) for config in space.sample(n_trials, seed=repeat)]


def tries(
    configs_of: ConfigsOf, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    """Try the configurations that configs_of gives for the repeat, whatever the space."""
    yield [(network(config), n_epochs) for config in configs_of(repeat)]


def network(config: Mapping) -> dict:
    """Return a configuration without the dials; if it has no batch_size, that is 32."""
    return {"batch_size": 32} | {name: config[name] for name in config if name not in DIALS}


def on_iris(space: SearchSpace, n_epochs: int = N_EPOCHS, n_draws: int = 1) -> Problem:
    """Return the problem of tuning the course's network on iris: see `lab.network_problem`."""
    return lab.network_problem("iris", space, n_epochs, n_draws=n_draws)


def random_trials(
    space: SearchSpace, n_trials: int, repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return the first n_trials trials of a random search in each repeat, as `lab.search` does.

    They are cut from searches of MOST trials, which all studies share.
    """
    trials = lab.search(
        on_iris(space), {"random": at_random}, repeats=repeats, n_trials=max(n_trials, MOST)
    )
    return trials[trials["trial"] < n_trials]


def judged(problem: Problem, winners: pd.DataFrame, n_judges: int = 10) -> pd.DataFrame:
    """Return what each winner promised and what it is worth.

    Columns: those of winners, with as_searched (the loss by which it won) for val_loss, and fresh.
    """
    table = lab.judge(problem, winners, n_judges).rename(columns={"val_loss": "as_searched"})
    return table[[*winners.columns.drop("val_loss"), "as_searched", "fresh"]]


def in_pairs(judged: pd.DataFrame, by: str = "fresh") -> pd.DataFrame:
    """Return a row for each repeat, with a column for what each search found in it."""
    return judged.pivot(index="repeat", columns="search", values=by)


# --- random against grid --------------------------------------------------------------------------


def duel(
    space: SearchSpace,
    grid_of: ConfigsOf,
    *,
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = REPEATS,
    n_draws: int = 1,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what a grid, and a random search of as many trials, found in each repeat.

    grid_of: repeat -> configurations. n_draws: of how many draws of rows and seeds a trial's loss
    is the mean. Columns: those of `judged`; search is "random" or "grid".
    """
    problem = on_iris(space, n_epochs, n_draws)
    searches = {"random": at_random, "grid": partial(tries, grid_of)}
    trials = lab.search(problem, searches, repeats=repeats, n_trials=len(grid_of(repeats[0])))
    return judged(problem, lab.winners(trials), n_judges)


def tally(duels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for each duel: in how many repeats random wins, and the mean fresh losses.

    A loss that is lower by no more than `lab.SAME` is no win. Columns: case, of (repeats),
    random_wins_as_searched, random_wins_fresh, random_fresh, grid_fresh.
    """
    rows = []
    for case, found in duels.items():
        searched, fresh = in_pairs(found, "as_searched"), in_pairs(found)
        row = {
            "case": case,
            "of": len(fresh),
            "random_wins_as_searched": lab.pairs(searched["random"], searched["grid"]).wins,
            "random_wins_fresh": lab.pairs(fresh["random"], fresh["grid"]).wins,
            "random_fresh": fresh["random"].mean(),
            "grid_fresh": fresh["grid"].mean(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def shifted_grid(space: SearchSpace, n_values: int, repeat: int) -> list[dict]:
    """Return a grid of the space with n_values an axis, which the repeat shifts.

    Its points are at (k + u) / n_values of each range, with one u between 0 and 1, drawn under the
    repeat: nobody knows where the valley is.
    """
    u = np.random.default_rng(repeat).random()
    points = product(range(n_values), repeat=len(space))
    return space.from_unit([[(k + u) / n_values for k in point] for point in points])


def many_dimensions(
    space: SearchSpace,
    *,
    judged_by: Sequence[int] = (1, 5),
    repeats: Sequence[int] = range(20),
    n_judges: int = 10,
) -> pd.DataFrame:
    """Compare a grid of two values an axis with as many random trials: a `tally`.

    It has a row for each of judged_by: of how many draws of rows and seeds a trial's loss is the
    mean.
    """
    grid_of = partial(shifted_grid, space, 2)
    duels = {
        f"a trial's loss: mean of {n}": duel(
            space, grid_of, repeats=repeats, n_draws=n, n_judges=n_judges
        )
        for n in judged_by
    }
    return tally(duels)


def placements(
    spaces: Mapping[str, SearchSpace],
    *,
    n_epochs: Sequence[int] = (20, 40),
    repeats: Sequence[int] = range(20),
    n_judges: int = 10,
) -> pd.DataFrame:
    """Compare 27 random trials with two grids of 27, on each space, at each number of epochs.

    Returns the `tally`.
    """
    duels = {}
    for (name, space), centred, epochs in product(spaces.items(), (False, True), n_epochs):
        grid_of = partial(_same_grid, space, centred)
        case = f"{name}, {'cell centres' if centred else 'bounds'}, {epochs} epochs"
        duels[case] = duel(space, grid_of, n_epochs=epochs, repeats=repeats, n_judges=n_judges)
    return tally(duels)


def _same_grid(space: SearchSpace, centred: bool, repeat: int) -> list[dict]:
    return space.grid(3, centred=centred)


# --- what a winner is worth -----------------------------------------------------------------------


def how_many(
    space: SearchSpace,
    means: pd.DataFrame,
    *,
    numbers: Sequence[int] = (3, 9, 27, 60),
    repeats: Sequence[int] = REPEATS,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what random searches of so many trials promise and keep: means over the repeats.

    means: `mean_losses` of many draws of the space. The worst of its best twentieth marks the top
    5 %: a winner is among these where it is no worse than that one, on the same draws and seeds.
    Columns: trials; met, the chance that one of them is in the top 5 %, by formula; returned, the
    share of the repeats in which the winner is; as_searched and fresh, the winners' losses.
    """
    problem, trials = on_iris(space), random_trials(space, max(numbers), repeats)
    won = [lab.winners(trials[trials["trial"] < n]).assign(trials=n) for n in numbers]
    found = judged(problem, pd.concat(won, ignore_index=True), n_judges)
    limit = means.nsmallest(len(means) // 20, "val_loss").drop(columns="val_loss")
    marks = pd.DataFrame({"repeat": repeats, "n_epochs": problem.n_epochs})
    marks["config"] = limit.to_dict("records")[-1:] * len(marks)
    mark = lab.judge(problem, marks, n_judges).set_index("repeat")["fresh"]
    found["returned"] = found["fresh"] <= found["repeat"].map(mark) + lab.SAME
    columns = ["returned", "as_searched", "fresh"]
    table = found.groupby("trials", as_index=False)[columns].mean()
    table.insert(1, "met", 1 - 0.95 ** table["trials"])
    return table


def retraining(
    space: SearchSpace,
    *,
    n_trials: int = 27,
    n_finalists: int = 3,
    n_again: int = N_AGAIN,
    repeats: Sequence[int] = REPEATS,
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what two searches that cost the same promise and keep in each repeat.

    "all_trials" spends all on trials. "retrained" makes n_trials, and trains its best n_finalists
    n_again times more, each time on new rows under a new seed; the lowest mean wins. Columns: those
    of `judged`.
    """
    problem = on_iris(space)
    trials = random_trials(space, n_trials + n_finalists * n_again, repeats)
    first = trials[trials["trial"] < n_trials]
    again = lab.retrain(problem, first, n_finalists, n_again)
    both = [trials.assign(search="all_trials"), again.assign(search="retrained")]
    return judged(problem, lab.winners(pd.concat(both)), n_judges)


# --- a naive script -------------------------------------------------------------------------------


class Script(NamedTuple):
    """A script that draws configurations from lists, trains each once, and keeps the best."""

    n_trials: int
    draws_seeded: bool = False
    trainings_seeded: bool = False
    by_loss: bool = False  # or by accuracy
    retrains: bool = False  # the best three, and chooses again by their means


SCRIPTS = {
    "as written": Script(5),
    "trainings seeded": Script(5, trainings_seeded=True),
    "all seeded": Script(5, draws_seeded=True, trainings_seeded=True),
    "by the loss": Script(5, by_loss=True),
    "by the loss, 15 trials": Script(15, by_loss=True),
    "and the best three retrained": Script(15, by_loss=True, retrains=True),
}


def lottery(
    lists: Mapping[str, Sequence],
    *,
    n_runs: int = 1000,
    repeats: Sequence[int] = range(12),
    n_seeds: int = 5,
    n_judges: int = 5,
) -> pd.DataFrame:
    """Return what becomes of a script that draws five configurations, as written and repaired.

    Each repeat is a draw of the rows, on which every script runs n_runs times; what is not seeded
    has one of n_seeds training seeds. Columns: script; winners, how many different ones the runs on
    the same rows name; fresh, the winners' loss: means over the repeats.
    """
    pairs = [pair for repeat in repeats for pair in _draws_and_seeds(repeat, n_seeds, n_judges)]
    losses, accuracies = (
        values.reshape(len(repeats), -1, values.shape[1]) for values in _combinations(lists, pairs)
    )
    rows = []
    for repeat, loss, accuracy in zip(repeats, losses, accuracies, strict=True):
        tried, again, judges = np.split(loss, [n_seeds, n_seeds + N_AGAIN])
        again, fresh = again.mean(axis=0), judges.mean(axis=0)
        for name, script in SCRIPTS.items():
            winners = winners_of_runs(script, tried, accuracy[:n_seeds], again, n_runs, repeat)
            rows.append((name, len(set(winners)), fresh[winners].mean()))
    table = pd.DataFrame(rows, columns=["script", "winners", "fresh"])
    return table.groupby("script", sort=False, as_index=False).mean()


def _draws_and_seeds(repeat: int, n_seeds: int, n_judges: int) -> list[tuple[int, int]]:
    """Return a repeat's pairs (draw, seed): its own, the finalists' and the judges'."""
    own = [(repeat, seed) for seed in lab.own_draws(repeat, "luck", n_seeds)]
    finalist = [(draw, draw) for draw in lab.own_draws(repeat, "finalist", N_AGAIN)]
    judge = [(draw, draw) for draw in lab.own_draws(repeat, "judge", n_judges)]
    return own + finalist + judge


def winners_of_runs(
    script: Script,
    loss: np.ndarray,
    accuracy: np.ndarray,
    again: np.ndarray,
    n_runs: int,
    seed: int,
) -> np.ndarray:
    """Return the number of the combination that each run of a script names, shape (n_runs,).

    loss, accuracy: of the combinations under each training seed, (n_seeds, n_combinations). again:
    their mean losses on other draws, (n_combinations,). Of equal ones the first wins.
    """
    rng = np.random.default_rng(seed)
    tried = rng.integers(loss.shape[1], size=(n_runs, script.n_trials))
    seeds = rng.integers(loss.shape[0], size=tried.shape)
    if script.draws_seeded:
        tried[:] = tried[0]
    if script.trainings_seeded:
        seeds[:] = 0
    score = loss[seeds, tried] if script.by_loss else -accuracy[seeds, tried]
    if script.retrains:
        best_three = score.argsort(axis=1, kind="stable")[:, :3]
        tried = np.take_along_axis(tried, best_three, axis=1)
        score = again[tried]
    return tried[np.arange(n_runs), score.argmin(axis=1)]


def _combinations(lists: Mapping[str, Sequence], pairs: Sequence[tuple[int, int]]) -> list:
    """Return the losses and accuracies of all combinations, each (n_pairs, n_combinations).

    pairs: of a draw of rows and a training seed. Combinations are in the order of `product` over
    lr, batch_size and epochs.
    """
    longest = max(lists["epochs"])
    jobs = [
        Job(Data("iris"), {"lr": lr, "batch_size": size}, draw, seed, longest)
        for draw, seed in pairs
        for lr, size in product(lists["lr"], lists["batch_size"])
    ]
    curves, at = lab.train(jobs), np.array(lists["epochs"]) - 1
    return [
        values[:, at].reshape(len(pairs), -1) for values in (curves.val_loss, curves.val_accuracy)
    ]
