"""The measurements of lesson 3: what a search that learns is worth, and when it learns only luck.

All are made of the steps of `hpt_helpers.classroom.lab`. A repeat has rows or pixels and a seed of
its own, and its winners are judged **fresh**, by what no search of the repeat saw.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from hpt_helpers.classroom.lab import problems, racing, statistics, trainer
from hpt_helpers.classroom.lab.landscape import Landscape, trained_landscape
from hpt_helpers.classroom.lab.problems import Chosen, Problem
from hpt_helpers.classroom.lab.racing import MakeStrategy
from hpt_helpers.classroom.lab.searches import at_random
from hpt_helpers.classroom.lab.trainer import Data, Job
from hpt_helpers.classroom.lesson_03 import photograph
from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import Table, load_table, table_problem
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits
from hpt_helpers.search import Outcome, Request, Strategy
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.trials import ranking

# A person's tries on the hidden curve.
OUR_TRIES = (0.0003, 0.03, 0.003, 0.01, 0.001, 0.005, 0.004, 0.007, 0.0045, 0.006)

# The two tables and their numbers of validation rows, those with the most rows first.
ROWS = {"digits": (360, 100, 30), "simulated": (2000, 300, 100, 30, 10)}
N_BEST = N_POOL // 10  # the best tenth of a repeat's candidates
N_START = 5  # random trials with which every search begins
N_REPEATS = 30

SCRIPT = SearchSpace(
    {"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64), "epochs": Integer(50, 150)}
)


def hidden_curve() -> Landscape:
    """Return the losses on iris at 101 learning rates, with batches of 16 over 100 epochs."""
    configs = [{"lr": lr, "batch_size": 16} for lr in Real(1e-4, 0.1, log=True).points(101)]
    draws = [load_splits("iris").draw]
    return trained_landscape("iris", configs, n_epochs=100, seeds=[0], draws=draws)


def same_as_scikit_learn(surrogate: Callable, curve: Landscape, tried: Sequence[int]) -> bool:
    """Return whether a surrogate's mean and standard deviation are scikit-learn's, to 1e-8.

    Both are told these trials of the curve, and compared at all its learning rates. scikit-learn's
    kernel is `Matern` with nu=2.5 and a length scale of 0.3, its alpha is our noise of 0.001.
    """
    place = np.linspace(0, 1, len(curve.configs))[:, None]
    losses = curve.val_loss[tried, 0, -1]
    settings = {"alpha": 1e-3, "optimizer": None, "normalize_y": True}
    library = GaussianProcessRegressor(Matern(0.3, nu=2.5), **settings).fit(place[tried], losses)
    expected = library.predict(place, return_std=True)
    return np.allclose(surrogate(place[tried], losses, place), expected, rtol=0, atol=1e-8)


# --- the photograph -------------------------------------------------------------------------------


def flower(n_val: int = 300) -> Problem:
    """Return the problem of filling in a photograph of a flower.

    A trial's loss is the mean squared error on n_val validation pixels. A winner's fresh loss is
    the error on 2,000 other pixels.
    """
    name, objective = f"flower, {n_val} pixels", partial(_validation_errors, n_val)
    return Problem(name, photograph.space, objective, _test_errors, n_judges=1)


def _validation_errors(n_val: int, requests: list[Request]) -> list[float]:
    return [photograph.loss_of(r.seed, n_val, **r.config) for r in requests]


def _test_errors(choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    errors = [photograph.photograph(choice.repeat).test_loss(choice.config) for choice in choices]
    return without_luck(errors, n)


def without_luck(losses: Sequence[float], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the same losses for each of n judges, and accuracies that are nan."""
    same = np.repeat(np.array(losses)[:, None], n, axis=1)
    return same, np.full(same.shape, np.nan)


# --- races ----------------------------------------------------------------------------------------


def worth_by_trials(searches: Mapping[str, tuple[MakeStrategy, int]]) -> pd.DataFrame:
    """Return what the winner so far is worth on digits, with 360 validation rows, as trials go on.

    searches: name -> a search and its number of trials. The winner is judged after five trials, ten
    and so on, doubling. A row for each search, number and repeat. Columns: search, repeat, trials,
    fresh loss and accuracy, both of the repeat's judges.
    """
    problem, parts = table_problem("digits", 360), []
    for name, (search, n_trials) in searches.items():
        trials = racing.trials_of(
            problem, {name: search}, repeats=range(N_REPEATS), n_trials=n_trials
        )
        n = N_START
        while n <= n_trials:
            winners = racing.winners(trials[trials["trial"] < n])
            parts.append(racing.judge(problem, winners).assign(trials=n))
            n *= 2
    found = pd.concat(parts, ignore_index=True).rename(columns={"fresh": "fresh loss"})
    return found[["search", "repeat", "trials", "fresh loss", "accuracy"]]


def found_the_best(search: MakeStrategy, n_trials: int = 40) -> int:
    """Return in how many repeats of digits, with 360 rows, a search tries the best of all.

    That is the candidate of the repeat's 1,000 with the lowest validation loss.
    """
    problem, losses = table_problem("digits", 360), pool_losses(load_table("digits"), 360)
    trials = racing.trials_of(problem, {"": search}, repeats=range(N_REPEATS), n_trials=n_trials)
    lowest = trials.groupby("repeat")["val_loss"].min().to_numpy()
    return int((lowest <= np.nanmin(losses, axis=0) + statistics.SAME).sum())


def choice_on_digits(search: MakeStrategy, repeat: int) -> dict:
    """Return the configuration that a search of 40 trials chooses on digits, with 360 rows."""
    problem = table_problem("digits", 360)
    trials = racing.trials_of(problem, {"": search}, repeats=[repeat], n_trials=40)
    return racing.winners(trials)["config"].iloc[0]


def pool_losses(table: Table, n_val: int) -> np.ndarray:
    """Return the losses of the candidates on n_val validation rows, shape (1000, n_repeats)."""
    return table.loss[:N_POOL, :, table.rows(n_val), -1]


# --- when is a lead real? -------------------------------------------------------------------------


def differences_and_luck() -> pd.DataFrame:
    """Return by how much good configurations differ, and how much luck there is in their losses.

    Of a repeat's 1,000 candidates the hundred of lowest fresh loss count. Columns: data; n_val;
    differences, the standard deviation of the logarithm of their fresh losses; luck, that of the
    logarithm of val_loss / fresh. Both are means over the repeats, in per cent.
    """
    rows = []
    for name, n_vals in ROWS.items():
        table = load_table(name)
        for n_val in n_vals:
            loss, fresh = pool_losses(table, n_val), table.fresh_loss[:N_POOL, :, -1]
            best = np.transpose([ranking(of_one)[:N_BEST] for of_one in fresh.T])
            loss, fresh = (np.log(np.take_along_axis(a, best, axis=0)) for a in (loss, fresh))
            spread = [values.std(axis=0).mean() for values in (fresh, loss - fresh)]
            rows.append((name, n_val, *(100 * value for value in spread)))
    return pd.DataFrame(rows, columns=["data", "n_val", "differences", "luck"])


def leads(search: MakeStrategy, *, progress: bool = False) -> pd.DataFrame:
    """Return in how many of 30 repeats a search is ahead of random search, on both tables.

    Both have 40 trials. Columns: those of `differences_and_luck`; as_searched and fresh, in how
    many repeats its winner has the lower loss; fresh_worse, in how many it has the higher fresh
    loss (some repeats are level); and of, the repeats.
    """
    searches, rows = {"learned": search, "random": at_random}, []
    for name, n_val in [(name, n) for name, n_vals in ROWS.items() for n in n_vals]:
        judged = racing.race(table_problem(name, n_val), searches, progress=progress)
        [as_searched] = statistics.compare(judged, "random", by="val_loss")["wins"]
        [(fresh, fresh_worse)] = statistics.compare(judged, "random")[
            ["wins", "defeats"]
        ].to_numpy()
        rows.append((as_searched, fresh, fresh_worse, N_REPEATS))
    won = pd.DataFrame(rows, columns=["as_searched", "fresh", "fresh_worse", "of"])
    return differences_and_luck().join(won)


# --- the original script --------------------------------------------------------------------------


class Script(NamedTuple):
    """A script that searches SCRIPT for a low error, or a low loss, of trainings on iris."""

    seeded: bool
    by_loss: bool


SCRIPTS = {
    "as written": Script(seeded=False, by_loss=False),
    "by loss, seeded": Script(seeded=True, by_loss=True),
}


def autopsy(search: MakeStrategy, *, n_trials: int = 20, repeats: Sequence[int]) -> pd.DataFrame:
    """Return what each of `SCRIPTS` reports, and what its winner is worth: a row each.

    The winner is that of `racing.winners`: of equal scores the one of fewest epochs.
    Columns: search; and, as means over the repeats, different_scores (how many the trials have),
    share_the_best (how many trials have the best score), reported (the winner's accuracy in per
    cent) and fresh (its accuracy on ten draws that did not choose it).
    """
    rows = []
    for name, script in SCRIPTS.items():
        problem = script_problem(script)
        told = np.log if script.by_loss else np.asarray
        searches = {name: partial(for_own_epochs, search, told)}
        trials = racing.trials_of(problem, searches, repeats=repeats, n_trials=n_trials)
        scores = trials.groupby("repeat")["val_loss"]
        best = trials["val_loss"] <= scores.transform("min") + statistics.SAME
        judged = racing.judge(problem, racing.winners(trials))
        row = {
            "search": name,
            "different_scores": scores.nunique().mean(),
            "share_the_best": best.sum() / len(repeats),
            "reported": 100 * judged["val_accuracy"].mean(),
            "fresh": 100 * judged["accuracy"].mean(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def script_problem(script: Script) -> Problem:
    """Return the problem that a script searches; each trial asks for its configuration's epochs."""
    problem = problems.network_problem("iris", SCRIPT, n_epochs=SCRIPT["epochs"].high)
    return replace(problem, objective=partial(_scores, script))


def _scores(script: Script, requests: list[Request]) -> list[Outcome]:
    """Return the outcomes of trainings, with what the script minimises as their losses."""
    seeds = [request.seed if script.seeded else another_seed(request) for request in requests]
    curves = trainer.train(
        Job(Data("iris"), request.config, request.seed, seed, request.n_epochs)
        for request, seed in zip(requests, seeds, strict=True)
    )
    at = range(len(requests)), [request.n_epochs - 1 for request in requests]
    losses, accuracies = curves.val_loss[at], curves.val_accuracy[at]
    scores = losses if script.by_loss else 1 - accuracies
    return [Outcome(*each) for each in zip(scores, accuracies, strict=True)]


def another_seed(request: Request) -> int:
    """Return the training seed of a trial that is not seeded.

    It depends on the configuration, so that a lesson prints the same twice.
    """
    seeds = trainer.own_draws(request.seed, "luck", trainer.N_OWN)
    return seeds[zlib.crc32(training_key(request.config).encode()) % len(seeds)]


def for_own_epochs(
    search: MakeStrategy,
    told: Callable,
    space: SearchSpace,
    repeat: int,
    n_trials: int,
    n_epochs: int,
) -> Strategy:
    """Train each configuration of a search for its own `epochs`, in place of n_epochs."""
    strategy, losses = search(space, repeat, n_trials, n_epochs, told=told), None
    while True:
        try:
            asked = strategy.send(losses)
        except StopIteration:
            return
        losses = yield [
            ({name: config[name] for name in config if name != "epochs"}, config["epochs"])
            for config, _ in asked
        ]
