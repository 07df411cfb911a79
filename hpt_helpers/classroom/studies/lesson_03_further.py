"""The measurements of lesson 3's part "Going further": where the truth is known, and what a band of
doubt is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

from hpt_helpers.classroom import photograph
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.parallel import in_two
from hpt_helpers.classroom.studies.lesson_03 import (
    Search,
    at_random,
    flower,
    hidden_curve,
    known,
    race,
)
from hpt_helpers.classroom.studies.repeats import run_whole
from hpt_helpers.search import Request


def regrets(search: Search, **race_options) -> pd.DataFrame:
    """Return for each of the `KNOWN` functions the median regret of a search and of random search,
    and its wins.

    Columns: function, by_hand, random, beats_random, repeats; by_hand_below_1 and random_below_1,
    in how many repeats each ends with a regret below 1. The search is told the values as they are.
    """
    searches, rows = {"by hand": partial(search, told=np.asarray), "random": at_random}, []
    for name in KNOWN:
        table = race(known(name), searches, **race_options)
        fresh = table[table["judged"] == "fresh"]
        beaten = int((fresh["by hand"] < fresh["random"]).sum())
        below = [int((fresh[way] < 1).sum()) for way in searches]
        rows.append(
            (name, fresh["by hand"].median(), fresh["random"].median(), beaten, len(fresh), *below)
        )
    columns = [
        "function",
        "by_hand",
        "random",
        "beats_random",
        "repeats",
        "by_hand_below_1",
        "random_below_1",
    ]
    return pd.DataFrame(rows, columns=columns)


def coverage(
    search: Search,
    surrogate: Callable,
    *,
    n_trials: int = 27,
    n_points: int = 40,
    repeats: Sequence[int],
):
    """Return for each repeat the share of random points where a surrogate's ± 2 standard deviations
    hold the truth.

    "1 dimension": of the hidden curve's losses, after seven random trials. "3 dimensions": of the
    photograph's logarithmic losses, after a search of n_trials. Columns: problem, repeat, share.
    """
    curve = hidden_curve().val_loss[:, 0, -1]
    place = np.linspace(0, 1, len(curve))[:, None]

    def shares(repeat: int) -> list[tuple[str, int, float]]:
        tried = np.random.default_rng(repeat).permutation(len(curve))[:7]
        mean, std = surrogate(place[tried], curve[tried], place)
        in_one = np.mean(abs(curve - mean) <= 2 * std)
        problem, space = flower(), photograph.space(repeat)
        [table] = run_whole([search(space, repeat, n_trials, 1)], problem.objective, seeds=[repeat])
        points = space.sample(n_points, seed=1000 + repeat)
        truth = np.log(problem.objective([Request(config, 1, repeat) for config in points]))
        seen, losses = space.to_unit(table["config"].tolist()), np.log(table["val_loss"].to_numpy())
        mean, std = surrogate(seen, losses, space.to_unit(points))
        return [
            ("1 dimension", repeat, in_one),
            ("3 dimensions", repeat, np.mean(abs(truth - mean) <= 2 * std)),
        ]

    rows = list(chain(*in_two(shares, repeats)))
    return pd.DataFrame(rows, columns=["problem", "repeat", "share"]).sort_values(
        "problem", ignore_index=True
    )
