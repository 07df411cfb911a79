"""What lesson 5 measures: one race in three worlds, why its leads last or not, and what pays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import binom

from hpt_helpers import strategies
from hpt_helpers.classroom.lab import problems, racing, searches, statistics, trainer
from hpt_helpers.classroom.lab.problems import Chosen, PoolSpace, Problem
from hpt_helpers.classroom.lab.racing import MakeStrategy
from hpt_helpers.classroom.lab.trainer import Job
from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.evidence.statistics import pairs_in_order
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import Integer, Real, SearchSpace

REPEATS = range(30)
N_TRIALS = 40  # full trainings that a search may spend
N_FINALISTS, N_DRAWS = 5, 2
WAYS = {
    "more random trials": 50,
    "finalists of random search": 50,
    "ten times as many rows": 40,
    "a search that learns": 40,
    "finalists of that search": 50,
}
N_TOP = 10  # of the best trials, when one asks whether they can be told apart

IRIS = SearchSpace(
    {
        "lr": Real(0.0001, 0.1, log=True),
        "batch_size": Integer(8, 64),
        "hidden_size": Integer(4, 64),
    }
)


def iris() -> Problem:
    """Return the problem of tuning the network on iris, whose trials are trained when asked for.

    As on a table, searches of repeat r draw from the pool of repeat r, 1,000 configurations, and a
    grid is tried whose points are in the middles of cells.
    """
    points = IRIS.grid({"lr": 10, "batch_size": 2, "hidden_size": 2}, centred=True)
    problem = problems.network_problem("iris", IRIS, 27, n_judges=20)
    return replace(problem, space=_iris_pool, grids={tuple(IRIS): points})


def _iris_pool(repeat: int) -> PoolSpace:
    return PoolSpace(IRIS, IRIS.sample(N_POOL, seed=repeat), repeat)


# --- the race -------------------------------------------------------------------------------------


def trials_in(
    worlds: Mapping[str, Problem],
    some: Mapping[str, MakeStrategy],
    *,
    n_trials: int = N_TRIALS,
    repeats: Sequence[int] = REPEATS,
    progress: bool = False,
) -> pd.DataFrame:
    """Return every trial of each search in each world, which may spend n_trials full trainings.

    worlds: name -> problem. Columns: world, those of `racing.trials_of`, and trainings: the epochs
    that the search has spent so far, in full trainings.
    """
    options = {"n_trials": n_trials, "repeats": repeats, "progress": progress}
    parts = [
        racing.trials_of(problem, some, **options).assign(world=world, n_full=problem.n_epochs)
        for world, problem in worlds.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(trainings=table["spent"] / table.pop("n_full"))


def with_grids(
    worlds: Mapping[str, Problem], trials: pd.DataFrame, *, repeats: Sequence[int] = REPEATS
) -> pd.DataFrame:
    """Return the trials of a race, and those of each problem's widest grid before them.

    On iris it has 10 × 2 × 2 = 40 points. On digits it has two values of each of the six, so 64
    points, and may spend as many trainings. The simulated table holds no grid.
    """
    grids = [
        _grid_trials(world, problem, repeats) for world, problem in worlds.items() if problem.grids
    ]
    return pd.concat([*grids, trials], ignore_index=True)


def _grid_trials(world: str, problem: Problem, repeats: Sequence[int]) -> pd.DataFrame:
    axes = max(problem.grids, key=len)
    grid, n_trials = searches.grid_of(problem, axes), len(problem.grids[axes])
    return trials_in({world: problem}, {"grid": grid}, n_trials=n_trials, repeats=repeats)


def judged_in(
    worlds: Mapping[str, Problem], trials: pd.DataFrame, n: int = 1, *, progress: bool = False
) -> pd.DataFrame:
    """Return the n best trials of each search of a race, judged: world, and as `judge` does."""
    parts = []
    for world, part in trials.groupby("world", sort=False):
        problem = worlds[world]
        best = racing.winners(part, n)
        parts.append(racing.judge(problem, best, progress=progress))
    return pd.concat(parts, ignore_index=True)


def verdicts(winners: pd.DataFrame, other: str = "random") -> pd.DataFrame:
    """Compare each search with another one in pairs, in each world, as searched and fresh.

    winners: as `judged_in` returns them. Columns: world, verdict, and those of
    `statistics.compare`.
    """
    parts = []
    for world, part in winners.groupby("world", sort=False):
        for verdict, column in (("as searched", "val_loss"), ("fresh", "fresh")):
            found = statistics.compare(part, other, by=column)
            parts.append(found.assign(world=world, verdict=verdict))
    return pd.concat(parts, ignore_index=True)


def dial(
    some: Mapping[str, MakeStrategy],
    n_val: Sequence[int],
    *,
    name: str = "simulated",
    repeats: Sequence[int] = REPEATS,
    progress: bool = False,
) -> pd.DataFrame:
    """Return who wins against random search on a table, by the number of validation rows.

    A row for each number: validation_rows, and for each search two counts of repeats, such as
    "28 → 21": those in which its winner has the lower loss as searched, and those in which fresh.
    """
    rows = []
    for n in n_val:
        problem = table_problem(name, n)
        judged = racing.race(problem, some, N_TRIALS, repeats=repeats, progress=progress)
        found = verdicts(judged.assign(world=""))
        wins = found.pivot(index="search", columns="verdict", values="wins")
        counts = {
            label: f"{wins.loc[label, 'as searched']} → {wins.loc[label, 'fresh']}"
            for label in some
            if label in wins.index
        }
        rows.append({"validation_rows": n} | counts)
    return pd.DataFrame(rows)


# --- can the best be told apart? ------------------------------------------------------------------


def best_again(
    worlds: Mapping[str, Problem], *, repeats: Sequence[int] = REPEATS, progress: bool = False
) -> pd.DataFrame:
    """Return the ten best of 40 random trials, each trained once more on another split.

    Columns: world, repeat; searched and again, the two losses, less the mean of the ten; and
    in_order, the share of the 45 pairs of a repeat's ten that both losses put in the same order.
    """
    parts = []
    for world, problem in worlds.items():
        trials = trials_in({world: problem}, {"random": searches.at_random}, repeats=repeats)
        best = racing.winners(trials, N_TOP)
        again = racing.retrain(problem, trials, N_TOP, 1, progress=progress)["val_loss"]
        part = best[["world", "repeat"]].assign(searched=best["val_loss"], again=again.to_numpy())
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    groups = table.groupby(["world", "repeat"], sort=False)
    shares = groups[["searched", "again"]].apply(_share_in_order).rename("in_order")
    for column in ("searched", "again"):
        table[column] -= groups[column].transform("mean")
    return table.join(shares, on=["world", "repeat"])


def _share_in_order(losses: pd.DataFrame) -> float:
    n = len(losses)
    return pairs_in_order(*losses.to_numpy().T) / (n * (n - 1) // 2)


# --- what pays ------------------------------------------------------------------------------------


def random_of(n: int) -> MakeStrategy:
    """Return the search that tries n random configurations, whatever it may spend."""
    return partial(_random_of, n)


def _random_of(n: int, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    return strategies.random_search(space, n, n_epochs, seed=repeat)


def what_pays(
    worlds: Mapping[str, Problem],
    learned: MakeStrategy,
    *,
    more_rows: Mapping[str, Problem],
    repeats: Sequence[int] = REPEATS,
    progress: bool = False,
) -> pd.DataFrame:
    """Compare five ways to do better than 40 random trials, fresh.

    learned: a search that learns. more_rows: worlds -> the same problem with more validation rows.
    Finalists are the five best trials, each trained again on two new splits of the rows that the
    search has; they cost ten trainings. A row for each way: way, trainings, and for each world two
    counts such as "22 : 5": in how many repeats the winner is better and worse than that of 40
    random trials. Where they chose the same one, neither counts.
    """
    options = {"repeats": repeats, "progress": progress}
    table = pd.DataFrame({"way": list(WAYS), "trainings": list(WAYS.values())})
    for world, problem in worlds.items():
        plain = trials_in({world: problem}, {"random": searches.at_random}, **options)
        before = _fresh(problem, plain)
        counts = {
            way: _better_and_worse(fresh, before)
            for way, fresh in _fresh_by_way(problem, plain, learned, options).items()
        }
        if world in more_rows:
            wide = more_rows[world]
            judged_by_more = trials_in({world: wide}, {"random": searches.at_random}, **options)
            counts["ten times as many rows"] = _better_and_worse(
                _fresh(wide, judged_by_more), before
            )
        table[world] = table["way"].map(counts).fillna("")
    return table


def _fresh_by_way(
    problem: Problem, plain: pd.DataFrame, learned: MakeStrategy, options: Mapping
) -> dict[str, pd.Series]:
    """Return the fresh loss of each repeat's winner, by what was bought beside or instead."""
    here, more = {"": problem}, N_TRIALS + N_FINALISTS * N_DRAWS
    learning = trials_in(here, {"learned": learned}, **options)
    finalists = partial(_with_finalists, problem, progress=options["progress"])
    ways = {
        "more random trials": trials_in(
            here, {"random": random_of(more)}, n_trials=more, **options
        ),
        "finalists of random search": finalists(plain),
        "a search that learns": learning,
        "finalists of that search": finalists(learning),
    }
    return {way: _fresh(problem, trials) for way, trials in ways.items()}


def _with_finalists(problem: Problem, trials: pd.DataFrame, progress: bool) -> pd.DataFrame:
    return racing.retrain(problem, trials, N_FINALISTS, N_DRAWS, progress=progress)


def _fresh(problem: Problem, trials: pd.DataFrame) -> pd.Series:
    found = racing.judge(problem, racing.winners(trials))
    return found.set_index("repeat")["fresh"].sort_index()


def _better_and_worse(losses: pd.Series, others: pd.Series) -> str:
    found = statistics.pairs(losses, others)
    return f"{found.wins} : {found.defeats}"


def worth_of_tuning(
    problem: Problem, winners: pd.DataFrame, untuned: Mapping[str, Mapping]
) -> pd.DataFrame:
    """Return what tuning buys: configurations that nobody searched, beside what searches chose.

    winners: of one world, from `judged_in`. untuned: name -> configuration; the judges of all
    repeats judge it, too. Columns: choice, loss and accuracy (in per cent), means over judges
    and repeats; and half_width: half the 95 % interval (Wilson) of one test score of that accuracy.
    """
    repeats = [int(repeat) for repeat in winners["repeat"].unique()]
    found = {}
    for choice, config in untuned.items():
        choices = [Chosen(config, problem.n_epochs, repeat) for repeat in repeats]
        loss, accuracy = problem.measure(choices, "judge", problem.n_judges, False)
        found[choice] = loss.mean(), accuracy.mean()
    for choice, part in winners.groupby("search", sort=False):
        found[choice] = part["fresh"].mean(), part["accuracy"].mean()
    n_test, rows = load_splits(load_table(problem.measure.name).recipe.data).n_test, []
    for choice, (loss, accuracy) in found.items():
        score = wilson_interval(round(accuracy * n_test), n_test)
        rows.append((choice, loss, 100 * accuracy, 50 * (score.high - score.low)))
    return pd.DataFrame(rows, columns=["choice", "loss", "accuracy", "half_width"])


# --- going further --------------------------------------------------------------------------------


def budgets(
    world: Mapping[str, Problem],
    some: Mapping[str, MakeStrategy],
    n_trials: Sequence[int],
    *,
    repeats: Sequence[int] = REPEATS,
    progress: bool = False,
) -> pd.DataFrame:
    """Compare each search with random search, fresh, by how much both may spend.

    world: one problem by its name. n_trials: budgets, in full trainings. A row for each: trainings,
    and for each search two counts such as "24 : 6": in how many repeats its winner is better and
    worse.
    """
    [problem], rows = world.values(), []
    for n in n_trials:
        found = racing.race(problem, some, n, repeats=repeats, progress=progress)
        fresh = found.pivot(index="repeat", columns="search", values="fresh")
        others = [label for label in some if label != "random"]
        counts = {label: _better_and_worse(fresh[label], fresh["random"]) for label in others}
        rows.append({"trainings": n} | counts)
    return pd.DataFrame(rows)


def lowest_of_equals(
    config: Mapping, name: str, n_epochs: int, looks: Sequence[int], *, repeats: Sequence[int]
) -> pd.DataFrame:
    """Return what a search finds among trials of one and the same configuration.

    In each repeat the trials share the rows, and differ in the training seed only. Columns: looks
    (how many trials); lowest, the lowest loss of so many, its median over the repeats; and median,
    that of all trials of all repeats.
    """
    most = max(looks)
    jobs = [
        Job(trainer.Data(name), config, repeat, seed, n_epochs)
        for repeat in repeats
        for seed in trainer.own_draws(repeat, "luck", most)
    ]
    losses = trainer.train(jobs).val_loss[:, -1].reshape(len(repeats), most)
    rows = [(n, np.median(losses[:, :n].min(axis=1)), np.median(losses)) for n in looks]
    return pd.DataFrame(rows, columns=["looks", "lowest", "median"])


def power_of_sign_test(
    n_repeats: Sequence[int], chances: Sequence[float] = (0.6, 0.75, 0.9)
) -> pd.DataFrame:
    """Return what so many paired repeats can tell: a row for each number.

    Columns: repeats; wins_needed, the fewest wins that a two-sided sign test calls real at 5 %; and
    for each chance to win a repeat, how often so many wins are reached.
    """
    rows = []
    for n in n_repeats:
        needed = int(binom.isf(0.025, n, 0.5)) + 1
        found = {f"found if P = {p}": binom.sf(needed - 1, n, p) for p in chances}
        rows.append({"repeats": n, "wins_needed": needed, **found})
    return pd.DataFrame(rows)
