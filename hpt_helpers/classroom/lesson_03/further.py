"""The measurements of lesson 3's part "Going further": see `lesson_03`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from hpt_helpers.classroom.lab import racing, statistics
from hpt_helpers.classroom.lab.known_functions import KNOWN
from hpt_helpers.classroom.lab.problems import Chosen, Problem
from hpt_helpers.classroom.lab.racing import MakeStrategy, race
from hpt_helpers.classroom.lab.searches import at_random
from hpt_helpers.classroom.lesson_03.studies import (
    N_REPEATS,
    ROWS,
    flower,
    hidden_curve,
    without_luck,
)
from hpt_helpers.classroom.tables.table import table_problem
from hpt_helpers.search import Request
from hpt_helpers.search_space import SearchSpace

# --- trials that crash ----------------------------------------------------------------------------


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


def tellings(
    problem: Problem, search: MakeStrategy, told: Mapping[str, Callable], **race_options
) -> pd.DataFrame:
    """Return how a search does against random search by what it is told of losses.

    told: name -> function of the losses so far. A row for each. Columns: told; fresh, its winners'
    median; better, level and worse, in how many repeats they are so compared with random search's.
    """
    searches = {name: partial(search, told=function) for name, function in told.items()}
    judged = race(problem, {"random": at_random} | searches, **race_options)
    fresh = judged.pivot(index="repeat", columns="search", values="fresh")
    rows = [
        (name, fresh[name].median(), *statistics.pairs(fresh[name], fresh["random"]))
        for name in searches
    ]
    return pd.DataFrame(rows, columns=["told", "fresh", "better", "level", "worse"])


# --- functions that are known ---------------------------------------------------------------------


def known(name: str) -> Problem:
    """Return the problem of minimising one of the `KNOWN` functions.

    A choice's fresh loss is its regret: how far its value is above the minimum.
    """
    parts = (partial(part, name) for part in (_known_space, _values, _regrets))
    return Problem(name, *parts, n_judges=1)


def _known_space(name: str, repeat: int) -> SearchSpace:
    return KNOWN[name].space


def _values(name: str, requests: list[Request]) -> list[float]:
    return [KNOWN[name].function(request.config) for request in requests]


def _regrets(name: str, choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    values = np.array([KNOWN[name].function(choice.config) for choice in choices])
    return without_luck(values - KNOWN[name].minimum, n)


SHOWN = "Branin", "Hartmann-6", "hole in a bowl"  # benchmarks know further functions


def regrets(search: MakeStrategy, **race_options) -> pd.DataFrame:
    """Return the regrets of a search and of random search on each function that is SHOWN.

    The search is told the values as they are. Columns: function; learned and random, the median
    regrets; learned_below_1 and random_below_1, in how many repeats each ends with a regret below
    1; repeats.
    """
    searches, rows = {"learned": partial(search, told=np.asarray), "random": at_random}, []
    for name in SHOWN:
        judged = race(known(name), searches, **race_options)
        regret = judged.pivot(index="repeat", columns="search", values="fresh")
        row = {"function": name, **regret[["learned", "random"]].median()}
        row |= {f"{label}_below_1": (regret[label] < 1).sum() for label in searches}
        rows.append(row | {"repeats": len(regret)})
    return pd.DataFrame(rows)


# --- the surrogate --------------------------------------------------------------------------------


def scales(search: MakeStrategy, some: Sequence[float]) -> pd.DataFrame:
    """Return what a search is worth on the tables by its kernel's length scale.

    A row for each table, with its most validation rows, and each scale. Columns: data, n_val;
    scale; after, the median number of trials after which the winner was found; fresh, its median;
    ahead_fresh, in how many repeats it is ahead of random search; of, the repeats.
    """
    searches = {str(scale): partial(search, scale=scale) for scale in some}
    rows = []
    for name, (n_val, *_) in ROWS.items():
        judged = race(table_problem(name, n_val), {"random": at_random} | searches)
        ahead = statistics.compare(judged, "random").set_index("search")["wins"]
        medians = judged.groupby("search")[["trial", "fresh"]].median()
        for scale in searches:
            found = medians.loc[scale, "trial"] + 1, medians.loc[scale, "fresh"], ahead[scale]
            rows.append((name, n_val, float(scale), *found, N_REPEATS))
    return pd.DataFrame(rows, columns=["data", "n_val", "scale", "after", "fresh", "ahead", "of"])


def chosen_by_mean(search: MakeStrategy, surrogate: Callable, n_trials: int = 40) -> pd.DataFrame:
    """Return whether it pays to choose the winner by the surrogate's mean, on both tables.

    surrogate: (tried, losses, points) -> mean and standard deviation. Its mean at the trials takes
    the place of their losses. Columns: data, n_val; better, level and worse, in how many repeats
    the winner by the mean is so, judged fresh, compared with the trial of the lowest loss.
    """
    rows = []
    for name, n_val in [(name, n) for name, n_vals in ROWS.items() for n in n_vals]:
        problem = table_problem(name, n_val)
        trials = racing.trials_of(
            problem, {"lowest loss": search}, repeats=range(N_REPEATS), n_trials=n_trials
        )
        means = [
            _means(problem.space(repeat), of_one, surrogate)
            for repeat, of_one in trials.groupby("repeat")
        ]
        by_mean = trials.assign(search="lowest mean", val_loss=np.concatenate(means))
        both = [
            racing.judge(problem, racing.winners(table))["fresh"] for table in (by_mean, trials)
        ]
        rows.append((name, n_val, *statistics.pairs(*both)))
    return pd.DataFrame(rows, columns=["data", "n_val", "better", "level", "worse"])


def _means(space: SearchSpace, trials: pd.DataFrame, surrogate: Callable) -> np.ndarray:
    points = space.to_unit(trials["config"].tolist())
    return surrogate(points, np.log(trials["val_loss"].to_numpy()), points)[0]


def coverage(
    search: MakeStrategy,
    surrogate: Callable,
    *,
    n_trials: int = 27,
    n_points: int = 40,
    repeats: Sequence[int],
) -> pd.DataFrame:
    """Return how often a surrogate's ± 2 standard deviations hold the truth: a share each repeat.

    "hidden curve": of the hidden curve's losses, after seven random trials. "photograph": of the
    photograph's logarithmic losses at n_points random points, after a search of n_trials. Columns:
    problem, repeat, share.
    """
    curve = hidden_curve().val_loss[:, 0, -1]
    place = np.linspace(0, 1, len(curve))[:, None]
    problem, rows = flower(), []
    for repeat in repeats:
        tried = np.random.default_rng(repeat).permutation(len(curve))[:7]
        held = share_held(curve, surrogate(place[tried], curve[tried], place))
        rows.append(("hidden curve", repeat, held))
    trials = racing.trials_of(problem, {"learned": search}, repeats=repeats, n_trials=n_trials)
    for repeat, of_one in trials.groupby("repeat", sort=False):
        space = problem.space(repeat)
        points = space.sample(n_points, seed=1000 + repeat)
        truth = np.log(problem.objective([Request(config, 1, repeat) for config in points]))
        seen = space.to_unit(of_one["config"].tolist())
        losses = np.log(of_one["val_loss"].to_numpy())
        held = share_held(truth, surrogate(seen, losses, space.to_unit(points)))
        rows.append(("photograph", repeat, held))
    return pd.DataFrame(rows, columns=["problem", "repeat", "share"])


def share_held(truth: np.ndarray, guess: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the share of the truth that lies within ± 2 standard deviations of the mean.

    guess: mean and standard deviation, in the order of the truth.
    """
    mean, std = guess
    return float(np.mean(abs(truth - mean) <= 2 * std))
