"""The measurements of lesson 3's part "Going further": see `lesson_03`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.lab import Search
from hpt_helpers.classroom.studies.lesson_03 import (
    at_random,
    flower,
    hidden_curve,
    in_pairs,
    known,
    race,
)
from hpt_helpers.search import Request


def regrets(search: Search, **race_options) -> pd.DataFrame:
    """Return the median regrets of a search and of random search on each of the `KNOWN` functions.

    The search is told the values as they are. Columns: function, by_hand, random, beats_random (in
    how many repeats), repeats; by_hand_below_1 and random_below_1, in how many repeats each ends
    with a regret below 1.
    """
    searches, rows = {"by hand": partial(search, told=np.asarray), "random": at_random}, []
    for name in KNOWN:
        regret = in_pairs(race(known(name), searches, **race_options))
        row = {
            "function": name,
            "by_hand": regret["by hand"].median(),
            "random": regret["random"].median(),
            "beats_random": lab.pairs(regret["by hand"], regret["random"]).wins,
            "repeats": len(regret),
            "by_hand_below_1": (regret["by hand"] < 1).sum(),
            "random_below_1": (regret["random"] < 1).sum(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def coverage(
    search: Search,
    surrogate: Callable,
    *,
    n_trials: int = 27,
    n_points: int = 40,
    repeats: Sequence[int],
) -> pd.DataFrame:
    """Return how often a surrogate's ± 2 standard deviations hold the truth: a share each repeat.

    "1 dimension": of the hidden curve's losses, after seven random trials. "3 dimensions": of the
    photograph's logarithmic losses at n_points random points, after a search of n_trials. Columns:
    problem, repeat, share.
    """
    curve = hidden_curve().val_loss[:, 0, -1]
    place = np.linspace(0, 1, len(curve))[:, None]
    problem, rows = flower(), []
    for repeat in repeats:
        tried = np.random.default_rng(repeat).permutation(len(curve))[:7]
        held = share_held(curve, surrogate(place[tried], curve[tried], place))
        rows.append(("1 dimension", repeat, held))
    trials = lab.search(problem, {"by hand": search}, repeats=repeats, n_trials=n_trials)
    for repeat, of_one in trials.groupby("repeat", sort=False):
        space = problem.space(repeat)
        points = space.sample(n_points, seed=1000 + repeat)
        truth = np.log(problem.objective([Request(config, 1, repeat) for config in points]))
        seen = space.to_unit(of_one["config"].tolist())
        losses = np.log(of_one["val_loss"].to_numpy())
        held = share_held(truth, surrogate(seen, losses, space.to_unit(points)))
        rows.append(("3 dimensions", repeat, held))
    return pd.DataFrame(rows, columns=["problem", "repeat", "share"])


def share_held(truth: np.ndarray, guess: tuple[np.ndarray, np.ndarray]) -> float:
    """Return the share of the truth that lies within ± 2 standard deviations of the mean.

    guess: mean and standard deviation, in the order of the truth.
    """
    mean, std = guess
    return float(np.mean(abs(truth - mean) <= 2 * std))
