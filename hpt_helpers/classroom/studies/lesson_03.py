"""The measurements of lesson 3: races of a search that learns, and what breaks such a search.

All are made of the steps of `hpt_helpers.classroom.lab`, on three kinds of problems: the
photograph, the course's network, and functions that are known. A repeat has pixels or rows and a
seed of its own. A choice is judged **fresh** by what no search saw: further pixels, ten draws and
seeds that judge this repeat only, or the distance to the known minimum.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.classroom import lab, photograph
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.lab import Chosen, Data, Job, Problem, Search
from hpt_helpers.classroom.landscape import Landscape, trained_landscape
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits
from hpt_helpers.search import Outcome, Request, Strategy
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import grid_search, random_search

# A person's tries on the hidden curve.
OUR_TRIES = (0.0003, 0.03, 0.003, 0.01, 0.001, 0.005, 0.004, 0.007, 0.0045, 0.006)

SCRIPT = SearchSpace(
    {"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64), "epochs": Integer(50, 150)}
)


def hidden_curve() -> Landscape:
    """Return the losses on iris at 101 learning rates, with batches of 16 over 100 epochs."""
    configs = [{"lr": lr, "batch_size": 16} for lr in Real(1e-4, 0.1, log=True).points(101)]
    draws = [load_splits("iris").draw]  # the rows of the lesson's other cells
    return trained_landscape("iris", configs, n_epochs=100, seeds=[0], draws=draws)


# --- problems -------------------------------------------------------------------------------------


def flower(n_val: int = 300) -> Problem:
    """Return the problem of filling in a photograph of a flower.

    A trial's loss is the mean squared error on n_val validation pixels, a choice's that on 2,000
    pixels which its repeat's search did not see.
    """
    name, objective = f"flower, {n_val} pixels", partial(_validation_errors, n_val)
    return Problem(name, photograph.space, objective, _test_errors)


def _validation_errors(n_val: int, requests: list[Request]) -> list[float]:
    return [photograph.loss_of(r.seed, n_val, **r.config) for r in requests]


def _test_errors(choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    errors = [photograph.photograph(choice.repeat).test_loss(choice.config) for choice in choices]
    return _certain(errors, n)


def _certain(losses: Sequence[float], n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return losses in which there is no luck, the same for each of n judges, and no accuracies."""
    same = np.repeat(np.array(losses)[:, None], n, axis=1)
    return same, np.full(same.shape, np.nan)


def network(name: str, space: SearchSpace, n_epochs: int) -> Problem:
    """Return `lab.network_problem`, whose name tells how many validation rows the data has."""
    n_val = len(lab.rows_of(Data(name), 0).y_val)
    return replace(lab.network_problem(name, space, n_epochs), name=f"{name}, {n_val} rows")


def known(name: str) -> Problem:
    """Return the problem of minimising one of the `KNOWN` functions.

    A choice's fresh loss is its regret: how far its value is above the minimum.
    """
    return Problem(name, *(partial(part, name) for part in (_known_space, _values, _regrets)))


def _known_space(name: str, repeat: int) -> SearchSpace:
    return KNOWN[name].space


def _values(name: str, requests: list[Request]) -> list[float]:
    return [KNOWN[name].function(request.config) for request in requests]


def _regrets(name: str, choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    values = np.array([KNOWN[name].function(choice.config) for choice in choices])
    return _certain(values - KNOWN[name].minimum, n)


def crashing(
    problem: Problem, parameter: str, *, share: float = 0.2, loss: float = 100.0
) -> Problem:
    """Return the problem in which the lowest `share` of a parameter's range has this loss."""
    objective = partial(_losses_with_crashes, problem, parameter, share, loss)
    return replace(problem, objective=objective)


def _losses_with_crashes(
    problem: Problem, parameter: str, share: float, loss: float, requests: list[Request]
) -> list[float]:
    places = [problem.space(r.seed)[parameter].to_unit(r.config[parameter]) for r in requests]
    answers = problem.objective(requests)
    return [
        loss if place < share else answer for place, answer in zip(places, answers, strict=True)
    ]


# --- races ----------------------------------------------------------------------------------------


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Try random configurations, drawn under the repeat."""
    return random_search(space, n_trials, n_epochs, seed=repeat)


def on_a_grid(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Try the middles of equal cells, as many an axis as n_trials allow: 27 are 3 × 3 × 3."""
    side = int(n_trials ** (1 / len(space)) + 1e-9)
    return grid_search(space.grid(side, centred=True), n_epochs)


def race(
    problem: Problem,
    searches: Mapping[str, Search],
    *,
    n_trials: int = 27,
    repeats: Sequence[int],
    progress: bool = False,
) -> pd.DataFrame:
    """Return what each search chose in each repeat, with its loss as searched and judged fresh.

    Columns: problem, and those of `lab.judge`, with as_searched (the loss by which it was chosen)
    for val_loss.
    """
    trials = lab.search(problem, searches, repeats=repeats, n_trials=n_trials, progress=progress)
    found = lab.judge(problem, lab.winners(trials), progress=progress)
    return found.rename(columns={"val_loss": "as_searched"}).assign(problem=problem.name)


def races(problems: Sequence[Problem], by_hand: Search, **race_options) -> pd.DataFrame:
    """Return the `race` of a search by hand against random search and a centred grid.

    The problems follow one another.
    """
    searches = {"by hand": by_hand, "random": at_random, "grid": on_a_grid}
    found = [race(problem, searches, **race_options) for problem in problems]
    return pd.concat(found, ignore_index=True)


def in_pairs(found: pd.DataFrame, by: str = "fresh") -> pd.DataFrame:
    """Return a row for each repeat of a race, with a column for each search's loss."""
    return found.pivot(index="repeat", columns="search", values=by)


def wins(found: pd.DataFrame, search: str) -> pd.DataFrame:
    """Return in how many repeats of a race one search's loss is below each other's.

    A row for each problem and way of judging. Columns: problem, judged ("as searched" or "fresh"),
    repeats, and "beats …" for each other search.
    """
    rows = []
    for problem, part in found.groupby("problem", sort=False):
        for judged in ("as searched", "fresh"):
            losses = in_pairs(part, judged.replace(" ", "_"))
            row = {"problem": problem, "judged": judged, "repeats": len(losses)}
            for other in part["search"].unique():
                if other != search:
                    row[f"beats {other}"] = lab.pairs(losses[search], losses[other]).wins
            rows.append(row)
    return pd.DataFrame(rows)


def ways(
    problem: Problem, search: Search, options: Mapping[str, Mapping], **race_options
) -> pd.DataFrame:
    """Return in how many repeats the choice of a search beats random search's, judged fresh.

    options: name of a way to call the search -> keyword arguments for it. A row for each way.
    Columns: way, median_loss (fresh), beats_random, level (in how many both have the same loss:
    random draws, too, begin with the same five), repeats.
    """
    called = {way: partial(search, **given) if given else search for way, given in options.items()}
    fresh = in_pairs(race(problem, {"random": at_random} | called, **race_options))
    rows = []
    for way in options:
        won, level, _ = lab.pairs(fresh[way], fresh["random"])
        rows.append((way, fresh[way].median(), won, level, len(fresh)))
    return pd.DataFrame(rows, columns=["way", "median_loss", "beats_random", "level", "repeats"])


def tellings(
    problem: Problem, search: Search, told: Mapping[str, Callable], **race_options
) -> pd.DataFrame:
    """Return the table of `ways` for a search that is told losses by each of these functions."""
    options = {name: {"told": function} for name, function in told.items()}
    return ways(problem, search, options, **race_options)


# --- a naive script -------------------------------------------------------------------------------


class Script(NamedTuple):
    """A script that searches SCRIPT for a low error, or a low loss, of trainings on iris."""

    seeded: bool
    by_loss: bool


SCRIPTS = {
    "as written": Script(seeded=False, by_loss=False),
    "seeded": Script(seeded=True, by_loss=False),
    "seeded, by loss": Script(seeded=True, by_loss=True),
}


def autopsy(search: Search, *, n_trials: int = 20, repeats: Sequence[int]) -> pd.DataFrame:
    """Return what each of `SCRIPTS` reports, and what its choice is worth: a row each.

    The choice is that of `lab.winners`: of equal scores the one of fewest epochs.
    Columns: search; as means over the repeats, how many different scores the trials have and how
    many share the best; the accuracy that is reported, that of the choice judged fresh, and their
    difference, the optimism, with its standard error: all in percentage points.
    """
    rows = []
    for name, script in SCRIPTS.items():
        problem = script_problem(script)
        told = np.log if script.by_loss else np.asarray
        searches = {name: partial(for_own_epochs, search, told)}
        trials = lab.search(problem, searches, repeats=repeats, n_trials=n_trials)
        scores = trials.groupby("repeat")["val_loss"]
        best = trials["val_loss"] <= scores.transform("min") + lab.SAME
        chosen = lab.judge(problem, lab.winners(trials))
        reported, fresh = 100 * chosen["val_accuracy"], 100 * chosen["accuracy"]
        row = {
            "search": name,
            "scores": scores.nunique().mean(),
            "tied": best.sum() / len(repeats),
            "reported": reported.mean(),
            "fresh": fresh.mean(),
        }
        row["optimism"], row["error"] = lab.mean_and_error(reported - fresh)
        rows.append(row)
    return pd.DataFrame(rows)


def script_problem(script: Script) -> Problem:
    """Return the problem that a script searches; each trial asks for its configuration's epochs."""
    problem = lab.network_problem("iris", SCRIPT, n_epochs=SCRIPT["epochs"].high)
    return replace(problem, objective=partial(_scores, script))


def _scores(script: Script, requests: list[Request]) -> list[Outcome]:
    """Return the outcomes of trainings, with what the script minimises as their losses."""
    seeds = [request.seed if script.seeded else another_seed(request) for request in requests]
    curves = lab.train(
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
    seeds = lab.own_draws(request.seed, "luck", lab.N_OWN)
    return seeds[zlib.crc32(training_key(request.config).encode()) % len(seeds)]


def for_own_epochs(
    search: Search, told: Callable, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
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
