"""Races: run searches over repeats, choose the winners, judge them fresh, train finalists again.

What is raced are functions (space, repeat, n_trials, n_epochs) -> strategy, so that a lesson can
race one that it shows. What such a strategy does in one repeat is a **search**.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count
from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.lab.problems import Chosen, Problem
from hpt_helpers.config import config_key
from hpt_helpers.evidence.questions import best_first
from hpt_helpers.protocol import (
    AnyObjective,
    Objective,
    Outcome,
    Request,
    Strategy,
    as_objective,
)
from hpt_helpers.search import run_many
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule

# So many repeats of a search run in step, in one process, however many processes there are. Those
# in step train together, which decides how their sums are rounded, as `trainer.TOGETHER` says; and
# they are kept together in the cache, where any number of processes has to find them again.
REPEATS_TOGETHER = 20

MakeStrategy = Callable[[SearchSpace, int, int, int], Strategy]


def hyperband_epochs(max_epochs: int) -> int:
    """Return how many epochs a Hyperband with R = max_epochs trains when its survivors train on.

    >>> hyperband_epochs(27)
    357
    """
    return schedule_epochs(hyperband_schedule(max_epochs))


def schedule_epochs(schedule: Sequence[Sequence[tuple[int, int]]]) -> int:
    """Return how many epochs brackets train when their survivors train on.

    schedule: brackets of rungs (n_configs, n_epochs), as `hyperband_schedule` returns them.

    >>> schedule_epochs([[(9, 1), (3, 3), (1, 9)]])
    21
    """
    total = 0
    for rungs in schedule:
        before = [0, *(n_epochs for _, n_epochs in rungs)]
        total += sum(n * (n_epochs - b) for (n, n_epochs), b in zip(rungs, before, strict=False))
    return total


def trials_of(
    problem: Problem,
    searches: Mapping[str, MakeStrategy],
    *,
    repeats: Iterable[int],
    n_trials: int | None = None,
    budget: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Return every trial of each search in each repeat, in the order of evaluation.

    n_trials: how many full trainings each search may make; or budget: how many epochs it may train,
        as where some trials are shorter. Give one of the two. (A trial that is the mean of several
        draws counts as one training.)
    Columns: search, repeat, trial (from 0), config, n_epochs, spent (the search's epochs so far),
    val_loss and val_accuracy; both are nan where a trial failed. The trials of a search are cached
    under the `fingerprint` of its function, and of the problem. Raises ValueError unless one of
    n_trials and budget is given, KeyboardInterrupt where an interrupt cuts a search short, and what
    the objective raises.
    """
    if (n_trials is None) == (budget is None):
        raise ValueError(f"n_trials is {n_trials}, budget is {budget}; one of them is needed")
    if budget is None:
        budget = as_count("n_trials", n_trials) * problem.n_epochs
    budget, repeats = as_count("budget", budget, least=problem.n_epochs), list(repeats)
    blocks = [repeats[i : i + REPEATS_TOGETHER] for i in range(0, len(repeats), REPEATS_TOGETHER)]
    pieces = list(product(searches, blocks))
    each = [(problem, budget, searches[label], block) for label, block in pieces]
    found = cached_each(_trials_of_some, each, progress=progress)
    parts = [
        pd.DataFrame(arrays).assign(search=label)
        for (label, _), arrays in zip(pieces, found, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    table["config"] = table["config"].map(json.loads)
    columns = "search", "repeat", "trial", "config", "n_epochs", "spent", "val_loss", "val_accuracy"
    return table.loc[:, list(columns)]


def _trials_of_some(problem: Problem, budget: int, make: MakeStrategy, repeats: list[int]) -> dict:
    n_trials = budget // problem.n_epochs
    strategies = [make(problem.space(r), r, n_trials, problem.n_epochs) for r in repeats]
    tables = run_whole(strategies, problem.objective, budget=budget, seeds=repeats)
    parts = []
    for repeat, table in zip(repeats, tables, strict=True):
        trials = table[["n_epochs", "val_loss", "val_accuracy"]].reset_index()
        trials["spent"] = problem.n_draws * table["charged_epochs"].cumsum()
        trials["config"] = [json.dumps(config) for config in table["config"]]
        parts.append(trials.assign(repeat=repeat))
    whole = pd.concat(parts, ignore_index=True)
    return {column: np.array(whole[column].tolist()) for column in whole}


def run_whole(strategies: Sequence[Strategy], objective: AnyObjective, **options):
    """Run the searches as `run_many` does, but end with an interrupt and with what is raised.

    To a searcher half a search is something, and a trial that raises has failed. To a measurement
    both are wrong numbers, and worse in a cache.
    """
    strict = _Strict(as_objective("objective", objective))
    try:
        return run_many(strategies, strict, on_interrupt="raise", **options)
    except _Raised as raised:
        raise raised.error from None


class _Raised(BaseException):
    """Carries an objective's exception past `run_many`, which takes an Exception for a failure."""

    def __init__(self, error: Exception):
        super().__init__(error)
        self.error = error


@dataclass(frozen=True)
class _Strict:
    """The objective itself, but for what it raises: a `_Raised`."""

    objective: Objective

    def __call__(self, requests: list[Request], /) -> list[Outcome]:
        try:
            return list(self.objective(requests))
        except Exception as error:
            raise _Raised(error) from error

    def identity(self, config: Mapping, /) -> Hashable:
        return self.objective.identity(config)


# --- winners --------------------------------------------------------------------------------------


def winners(trials: pd.DataFrame, n: int = 1) -> pd.DataFrame:
    """Return the n best trials of each search in each repeat, of every configuration its best one.

    The best trials are the first of `hpt_helpers.trials.ranking`: the lowest losses, and of equal
    ones those of fewest epochs, then those of the lowest number. A failed trial never wins.
    Columns: those of `trials_of`, and looks (how many losses the search looked at), tried (of how
    many configurations these were) and epochs (how many it trained in all). Raises ValueError where
    all trials of a repeat have failed.
    """
    parts = []
    for _, group in trials.groupby(["search", "repeat"], sort=False):
        keys = [config_key(config) for config in group["config"]]
        best = best_first(group.sort_values("trial"), n)
        if best.empty:
            search, repeat = group["search"].iloc[0], group["repeat"].iloc[0]
            raise ValueError(
                f"no trial of {search!r} in repeat {repeat} succeeded; it has no winner"
            )
        of_all = {"looks": len(group), "tried": len(set(keys)), "epochs": group["spent"].max()}
        parts.append(best.assign(**of_all))
    return pd.concat(parts, ignore_index=True)


def judge(
    problem: Problem, winners: pd.DataFrame, n_judges: int | None = None, *, progress: bool = False
) -> pd.DataFrame:
    """Return the winners with what each is worth on draws that did not choose it.

    Each is trained again on n_judges draws and seeds that only its repeat has; None for the
    problem's own number. Columns added: fresh and accuracy, the means at the epoch at which it won;
    and in_full, the mean loss after all epochs of the problem.
    """
    n_judges = problem.n_judges if n_judges is None else n_judges
    measure = partial(_measured, problem, winners, "judge", n_judges, progress)
    in_full = fresh = measure(problem.n_epochs)
    if (winners["n_epochs"].to_numpy() != problem.n_epochs).any():
        fresh = measure(None)
    return winners.assign(fresh=fresh[0], in_full=in_full[0], accuracy=fresh[1])


def race(
    problem: Problem,
    searches: Mapping[str, MakeStrategy],
    n_trials: int = 40,
    *,
    repeats: Iterable[int] = range(30),
    n_judges: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the winner of each search in each repeat, judged fresh: the columns of `judge`.

    Each search may spend the epochs of n_trials full trainings. n_judges: None for the problem's
    own number. Tables have 30 repeats.
    """
    trials = trials_of(problem, searches, repeats=repeats, n_trials=n_trials, progress=progress)
    return judge(problem, winners(trials), n_judges, progress=progress)


def retrain(
    problem: Problem,
    trials: pd.DataFrame,
    n_finalists: int = 5,
    n_draws: int = 4,
    *,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the best trials of each search in each repeat, trained again, as `trials_of` has them.

    Each finalist's val_loss is then the mean over n_draws draws and seeds that only its repeat has
    and that did not choose it; spent has the epochs of all finalists added. So the `winners` of
    this table are those of a search that retrains its finalists.
    """
    finalists = winners(trials, n_finalists)
    loss, accuracy = _measured(problem, finalists, "finalist", n_draws, progress, None)
    groups = finalists.groupby(["search", "repeat"], sort=False)["n_epochs"]
    spent = finalists["epochs"] + n_draws * np.asarray(groups.transform("sum"))
    found = finalists.assign(val_loss=loss, val_accuracy=accuracy, spent=spent)
    return found.loc[:, list(trials.columns)]


def _measured(
    problem: Problem,
    winners: pd.DataFrame,
    purpose: str,
    n: int,
    progress: bool,
    n_epochs: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss and accuracy of each winner on n draws of its repeat's own.

    n_epochs: how long each is trained; None for the epochs at which it won.
    """
    rows = zip(winners["config"], winners["n_epochs"], winners["repeat"], strict=True)
    choices = [
        Chosen(config, n_epochs or int(epoch), int(repeat)) for config, epoch, repeat in rows
    ]
    loss, accuracy = problem.measure(choices, purpose, n, progress)
    return loss.mean(axis=1), accuracy.mean(axis=1)
