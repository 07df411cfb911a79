"""Races of searches at equal epochs: every trial, the winners, and what these are worth on other
rows and seeds.

A search is a function (space, repeat, n_trials, n_epochs) -> strategy. Repeat r has draw r of the
rows and seed r.
"""

from __future__ import annotations

import inspect
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from itertools import product

import numpy as np
import pandas as pd

from hpt_helpers import (
    bayesian,
    data,
    model,
    objectives,
    population,
    protocol,
    search,
    search_space,
    stack,
    strategies,
    training,
)
from hpt_helpers.classroom import parallel
from hpt_helpers.classroom.cache import cached_by_key
from hpt_helpers.classroom.parallel import fit_all, halves, in_two
from hpt_helpers.classroom.studies import repeats as shared
from hpt_helpers.classroom.studies.repeats import TrainingOfRepeats, rows_of, run_whole
from hpt_helpers.config import training_key
from hpt_helpers.search import Objective, Request, Strategy
from hpt_helpers.search_space import Choice, Integer, SearchSpace
from hpt_helpers.strategies import hyperband_schedule

# The modules whose source decides a race.
THIS = sys.modules[__name__]
CODE = [
    THIS,
    bayesian,
    data,
    model,
    objectives,
    parallel,
    population,
    protocol,
    search,
    search_space,
    shared,
    stack,
    strategies,
    training,
]
JUDGES = range(1000, 1020)  # the repeats that judge; no search sees them
FINALS = 2000  # from here on, the draws and seeds of finalists
DRAWS = 5000  # from here on, the further draws of a trial that is trained on several

# (data, n_epochs) -> (configuration, repeat) -> losses, accuracies
_trained: dict[tuple[str, int], dict] = {}

Search = Callable[[SearchSpace, int, int, int], Strategy]


def to_optuna(space: SearchSpace) -> dict:
    """Return the space's distributions for Optuna's `study.ask`."""
    from optuna import distributions

    def translate(p):
        if isinstance(p, Choice):
            return distributions.CategoricalDistribution(p.values)
        if isinstance(p, Integer):
            return distributions.IntDistribution(p.low, p.high, log=p.log)
        return distributions.FloatDistribution(p.low, p.high, log=p.log)

    return {name: translate(p) for name, p in space.items()}


def epochs_of(max_epochs: int) -> int:
    """Return how many epochs a Hyperband with R = max_epochs trains when survivors go on: the
    budget of a race.
    """
    total = 0
    for rungs in hyperband_schedule(max_epochs):
        before = 0
        for n_configs, n_epochs in rungs:
            total, before = total + n_configs * (n_epochs - before), n_epochs
    return total


def race(
    name: str,
    space: SearchSpace,
    searches: Mapping[str, Search],
    n_epochs: int,
    *,
    repeats: Sequence[int],
    budget: int | None = None,
    n_draws: int = 1,
    progress: bool = False,
) -> pd.DataFrame:
    """Return every trial of each search in each repeat.

    budget: how many epochs a search may train; None: as many as a Hyperband with R = n_epochs does.
    n_draws: a trial's loss is the mean over so many draws of rows and seeds, the repeat's own and
        others; it then costs so many times the epochs, and so does the whole.
    Columns: data, search, repeat, config (as `training_key` writes it), n_epochs, spent (the
    search's epochs so far), val_loss, in the order of evaluation. The numbers of a search are
    cached by its source: what it needs has to
    stand in it or come as an argument.
    """
    budget, repeats = budget or epochs_of(n_epochs), list(repeats)
    key = {
        "data": name,
        "space": repr(space),
        "n_epochs": n_epochs,
        "budget": budget,
        "n_draws": n_draws,
        "code": CODE,
        "optuna": metadata.version("optuna"),
    }

    def run_all(make: Search, repeats: list[int]) -> dict[str, np.ndarray]:
        asked = [make(space, repeat, budget // n_epochs, n_epochs) for repeat in repeats]
        objective = (
            TrainingOfRepeats(name, repeats)
            if n_draws == 1
            else _means_of_draws(name, repeats, n_draws)
        )
        tables = run_whole(asked, objective, budget=budget, seeds=repeats, progress=progress)
        parts = [
            t[["n_epochs", "val_loss"]].assign(
                repeat=r, spent=n_draws * t["charged_epochs"].cumsum(), config=t["config"]
            )
            for r, t in zip(repeats, tables, strict=True)
        ]
        trials = pd.concat(parts, ignore_index=True)
        trials["config"] = trials["config"].map(training_key)
        return {column: np.array(trials[column].tolist()) for column in trials}

    def found(piece: tuple[str, list[int]]) -> pd.DataFrame:
        label, some = piece
        here = {**key, "repeats": some, "search": inspect.getsource(searches[label])}
        return pd.DataFrame(cached_by_key(here, lambda: run_all(searches[label], some))).assign(
            data=name, search=label
        )

    pieces = list(product(searches, halves(repeats)))
    columns = ["data", "search", "repeat", "config", "n_epochs", "spent", "val_loss"]
    return pd.concat(in_two(found, pieces, progress=progress), ignore_index=True)[columns]


def _means_of_draws(name: str, repeats: Sequence[int], n_draws: int) -> Objective:
    draws = {
        repeat: [repeat, *(DRAWS + 10 * repeat + i for i in range(1, n_draws))]
        for repeat in repeats
    }
    trained = TrainingOfRepeats(name, [draw for some in draws.values() for draw in some])

    def objective(requests: list[Request]) -> np.ndarray:
        outcomes = trained(
            [request._replace(seed=draw) for request in requests for draw in draws[request.seed]]
        )
        return (
            np.array([outcome.val_loss for outcome in outcomes]).reshape(-1, n_draws).mean(axis=1)
        )

    objective.identity = trained.identity
    return objective


def winners(trials: pd.DataFrame, n: int = 1) -> pd.DataFrame:
    """Return the n trials of the lowest loss of each search in each repeat, of every configuration
    its best one.

    The columns of `race`, and losses: how many losses the search looked at, and epochs: what it
    trained in all.
    """
    groups = trials.groupby(["search", "repeat"], sort=False)
    table = trials.assign(
        losses=groups["val_loss"].transform("size"), epochs=groups["spent"].transform("max")
    )
    table = table.sort_values(["val_loss", "n_epochs"], kind="stable")
    table = (
        table.drop_duplicates(["search", "repeat", "config"])
        .groupby(["search", "repeat"], sort=False)
        .head(n)
    )
    order = {label: i for i, label in enumerate(trials["search"].unique())}
    by = table["search"].map(order)
    return (
        table.assign(by=by)
        .sort_values(["by", "repeat"], kind="stable")
        .drop(columns="by")
        .reset_index(drop=True)
    )


def judged(
    trials: pd.DataFrame, *, judges: Sequence[int] = JUDGES, progress: bool = False
) -> pd.DataFrame:
    """Return the winner of each search in each repeat, and what it is worth on repeats that did not
    choose it.

    Columns as `winners`, and as means over the judges: fresh (the loss at the epoch at which it
    won), in_full (at
    the last epoch that any trial has) and accuracy (of fresh). attrs["judges"] has the judges.
    """
    won, n_epochs = winners(trials), int(trials["n_epochs"].max())
    configs = sorted(won["config"].unique())
    loss, accuracy = curves_of(won["data"].iloc[0], configs, judges, n_epochs, progress)
    row, at = [configs.index(config) for config in won["config"]], won["n_epochs"].to_numpy() - 1
    loss, accuracy = loss.mean(axis=1), accuracy.mean(axis=1)
    won = won.assign(fresh=loss[row, at], in_full=loss[row, -1], accuracy=accuracy[row, at])
    won.attrs["judges"] = list(judges)
    return won


def curves_of(
    name, configs: Sequence[str], repeats, n_epochs, progress=False
) -> tuple[np.ndarray, np.ndarray]:
    """Return validation losses and accuracies, each (n_configs, n_repeats, n_epochs), from the
    cache if there.
    """
    jobs = [(config, repeat) for config in configs for repeat in repeats]
    return tuple(
        values.reshape(len(configs), len(repeats), -1)
        for values in trained(name, jobs, n_epochs, progress)
    )


def trained(
    name, jobs: Sequence[tuple[str, int]], n_epochs: int, progress=False
) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and accuracies of each (configuration, repeat), each of shape (n_jobs,
    n_epochs).

    Those that this process has trained already are not trained again.
    """
    known = _trained.setdefault((name, n_epochs), {})

    def compute():
        new = [job for job in jobs if job not in known]
        if new:
            curves = fit_all(
                [json.loads(config) for config, _ in new],
                rows_of(name, [repeat for _, repeat in new]),
                n_epochs=n_epochs,
                seed=[repeat for _, repeat in new],
                progress=progress,
            )
            known.update(
                zip(new, zip(curves.val_loss, curves.val_accuracy, strict=True), strict=True)
            )
        loss, accuracy = zip(*(known[job] for job in jobs), strict=True)
        return {"loss": np.stack(loss), "accuracy": np.stack(accuracy)}

    key = {"data": name, "jobs": [list(job) for job in jobs], "n_epochs": n_epochs, "code": CODE}
    found = cached_by_key(key, compute)
    for job, *curves in zip(jobs, found["loss"], found["accuracy"], strict=True):
        known[job] = tuple(curves)
    return found["loss"], found["accuracy"]


def retrained(
    trials: pd.DataFrame, n_finalists: int = 5, n_draws: int = 4, *, progress: bool = False
) -> pd.DataFrame:
    """Return the best trials of each search in each repeat, trained again: the columns of `race`.

    val_loss is then the mean over n_draws draws of rows and seeds that had no part in the search,
    and no other repeat has; spent has the epochs of this added.
    """
    finals = winners(trials, n_finalists)
    new = [FINALS + 10 * r + k for r in finals["repeat"] for k in range(n_draws)]
    jobs = list(
        zip(np.repeat(finals["config"].to_numpy(dtype=object), n_draws).tolist(), new, strict=True)
    )
    different = sorted(set(jobs))
    loss, _ = trained(finals["data"].iloc[0], different, int(trials["n_epochs"].max()), progress)
    place = {job: i for i, job in enumerate(different)}
    at = np.repeat(finals["n_epochs"].to_numpy() - 1, n_draws)
    means = loss[[place[job] for job in jobs], at].reshape(-1, n_draws).mean(axis=1)
    extra = (
        (n_draws * finals["n_epochs"])
        .groupby([finals["search"], finals["repeat"]], sort=False)
        .transform("sum")
    )
    return finals.assign(val_loss=means, spent=finals["epochs"] + extra)[list(trials.columns)]
