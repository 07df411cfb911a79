"""The measurements of lesson 3: races of searches, judged as searched and fresh, and what breaks
one that learns.

A search is a function (space, repeat, n_trials, n_epochs) -> strategy, so that a lesson can race
the one it shows.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count, product
from operator import itemgetter

import numpy as np
import pandas as pd

from hpt_helpers.classroom import photograph
from hpt_helpers.classroom.cache import cached_by_key
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.landscape import CODE, Landscape, landscape
from hpt_helpers.classroom.parallel import halves, in_two
from hpt_helpers.classroom.studies import repeats as shared
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits
from hpt_helpers.population import fit_many
from hpt_helpers.search import Objective, Outcome, Request, Strategy
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import grid_search, random_search
from hpt_helpers.trials import config_of, incumbent

# by data, configuration, draw, training seed and epochs
_trained: dict[tuple, tuple[float, float]] = {}
TOGETHER = 128  # networks that train together, each as long as the one of the most epochs

Search = Callable[..., Strategy]
# draws of rows and seeds, a repeat's own, on which the networks are judged that it chose
N_JUDGES = 10
# a person's, of the hidden curve
OUR_TRIES = (0.0003, 0.03, 0.003, 0.01, 0.001, 0.005, 0.004, 0.007, 0.0045, 0.006)

SCRIPT = SearchSpace(
    {"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64), "epochs": Integer(50, 150)}
)

# (name, by the loss and not by the error, with a training seed)
ARMS = (("as written", False, False), ("seeded", False, True), ("seeded, by loss", True, True))


@dataclass(frozen=True)
class Problem:
    """What a race needs: space(repeat), an objective (a request's seed is its repeat), and a judge.

    judge(configs, repeats): the losses, on what no search saw, of the configurations that these
    repeats chose.
    """

    name: str
    space: Callable[[int], SearchSpace]
    objective: Objective
    judge: Callable[[Sequence[Mapping], Sequence[int]], np.ndarray]
    n_epochs: int = 1


def hidden_curve() -> Landscape:
    """Return the losses of a network on iris, batches of 16, at 101 learning rates over 100 epochs."""
    configs = [{"lr": lr, "batch_size": 16} for lr in Real(1e-4, 0.1, log=True).points(101)]
    return landscape(configs, load_splits("iris"), n_epochs=100, seeds=[0])


def flower(n_val: int = 300) -> Problem:
    """Filling in a photograph of a flower; judged on 2,000 pixels that the repeat's search did not
    see.

    n_val: the number of validation pixels, whose mean squared error is the loss.
    """

    def objective(requests: list[Request]):
        return [photograph.loss_of(r.seed, n_val, **r.config) for r in requests]

    def judge(configs, repeats):
        return np.array(
            [photograph.photograph(r).test_loss(c) for c, r in zip(configs, repeats, strict=True)]
        )

    return Problem(f"flower, {n_val} pixels", photograph.space, objective, judge)


def network(name: str, space: SearchSpace, n_epochs: int) -> Problem:
    """The course's network; judged by its mean loss over `judges` of the repeat, which differ in
    rows and seed.
    """

    def objective(requests: list[Request]):
        return trained(name, [(r.config, r.seed, r.seed, r.n_epochs) for r in requests])[:, 0]

    def judge(configs, repeats):
        pairs = zip(configs, repeats, strict=True)
        jobs = [
            (config, draw, draw, n_epochs) for config, repeat in pairs for draw in judges(repeat)
        ]
        return trained(name, jobs)[:, 0].reshape(-1, N_JUDGES).mean(axis=1)

    n_val = len(load_splits(name).y_val)
    return Problem(f"{name}, {n_val} rows", lambda repeat: space, objective, judge, n_epochs)


def judges(repeat: int) -> range:
    """Return the draws that judge what a repeat chose.

    No search sees them, and no other repeat: errors are its own.
    """
    return range(10_000 + N_JUDGES * repeat, 10_000 + N_JUDGES * (repeat + 1))


def trained(name: str, jobs: Sequence[tuple[Mapping, int, int, int]]) -> np.ndarray:
    """Return the validation loss and accuracy of each (configuration, draw, training seed, epochs):
    (n_jobs, 2).

    What this process has trained already is not trained again, nor what stands in the cache.
    """
    keys = [(name, training_key(config), *job) for config, *job in jobs]
    new = dict.fromkeys(key for key in keys if key not in _trained)
    new = sorted(new, key=itemgetter(-1))  # those of few epochs together
    parts = [new[i : i + TOGETHER] for i in range(0, len(new), TOGETHER)][::-1]
    found = in_two(
        lambda part: cached_by_key({"jobs": part, "code": CODE}, partial(_train, name, part)), parts
    )
    for part, curves in zip(parts, found, strict=True):
        _trained.update(
            zip(part, zip(curves["loss"], curves["accuracy"], strict=True), strict=True)
        )
    return np.array([_trained[key] for key in keys])


def _train(name: str, jobs: Sequence[tuple[str, str, int, int, int]]) -> dict[str, np.ndarray]:
    _, networks, draws, seeds, n_epochs = zip(*jobs, strict=True)
    configs, rows = [json.loads(network) for network in networks], shared.rows_of(name, draws)
    curves = fit_many(configs, rows, n_epochs=max(n_epochs), seed=seeds)
    at = np.arange(len(jobs)), np.array(n_epochs) - 1
    return {"loss": curves.val_loss[at], "accuracy": curves.val_accuracy[at]}


def known(name: str) -> Problem:
    """One of the `KNOWN` functions; what it judges by is the regret, how far a value is above the
    minimum.
    """
    function, space, minimum = KNOWN[name]

    def objective(requests: list[Request]):
        return [function(r.config) for r in requests]

    def judge(configs, repeats):
        return np.array([function(config) for config in configs]) - minimum

    return Problem(name, lambda repeat: space, objective, judge)


def crashing(
    problem: Problem, parameter: str, *, share: float = 0.2, loss: float = 100.0
) -> Problem:
    """Return the problem with a region that crashes: the lowest `share` of a parameter's range has
    this loss.
    """

    def objective(requests: list[Request]):
        answers = problem.objective(requests)
        places = [problem.space(r.seed)[parameter].to_unit(r.config[parameter]) for r in requests]
        return [
            loss if place < share else answer for place, answer in zip(places, answers, strict=True)
        ]

    return replace(problem, objective=objective)


def at_random(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Random search, with the repeat as its seed."""
    return random_search(space, n_trials, n_epochs, seed=repeat)


def on_a_grid(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """A grid of the middles of equal cells, as many on each axis as n_trials allows: 27 trials are
    3 × 3 × 3.
    """
    side = int(n_trials ** (1 / len(space)) + 1e-9)
    return grid_search(space.grid(side, centred=True), n_epochs)


def race(
    problem: Problem,
    searches: Mapping[str, Search],
    *,
    n_trials: int = 27,
    repeats: Sequence[int],
    progress=False,
) -> pd.DataFrame:
    """Return the loss of what each search chose, a column a search, in each repeat as searched and
    judged fresh.

    The other columns: problem, judged ("as searched" or "fresh"), repeat. Repeat r has draw r and
    seed r.
    """
    repeats = list(repeats)

    def run(piece: tuple[str, list[int]]) -> tuple[list[float], np.ndarray]:
        name, some = piece
        strategies = [searches[name](problem.space(r), r, n_trials, problem.n_epochs) for r in some]
        tables = shared.run_whole(strategies, problem.objective, seeds=some, progress=progress)
        fresh = problem.judge([config_of(table, incumbent(table)) for table in tables], some)
        return [table["val_loss"].min() for table in tables], fresh

    pieces = list(product(searches, halves(repeats)))
    searched, fresh = {name: [] for name in searches}, {name: [] for name in searches}
    for (name, _), found in zip(pieces, in_two(run, pieces, progress=progress), strict=True):
        searched[name].extend(found[0])
        fresh[name].extend(found[1])
    parts = [
        pd.DataFrame({"problem": problem.name, "judged": judged, "repeat": repeats, **losses})
        for judged, losses in (("as searched", searched), ("fresh", fresh))
    ]
    return pd.concat(parts, ignore_index=True)


def races(problems: Sequence[Problem], by_hand: Search, **race_options) -> pd.DataFrame:
    """Return the `race` of a search by hand against random search and a centred grid, for each
    problem in turn.
    """
    searches = {"by hand": by_hand, "random": at_random, "grid": on_a_grid}
    return pd.concat(
        [race(problem, searches, **race_options) for problem in problems], ignore_index=True
    )


def wins(table: pd.DataFrame, search: str) -> pd.DataFrame:
    """Return in how many repeats of a `race` one search's loss is below each other's.

    A row for each problem and way of judging; columns: problem, judged, repeats, and "beats …" for
    each other search.
    """
    others = [name for name in table.columns[3:] if name != search]
    rows = []
    for (problem, judged), part in table.groupby(["problem", "judged"], sort=False):
        beaten = {
            f"beats {other}": int((part[search] - part[other] < -shared.ROUNDING).sum())
            for other in others
        }
        rows.append({"problem": problem, "judged": judged, "repeats": len(part), **beaten})
    return pd.DataFrame(rows)


def ways(
    problem: Problem, search: Search, options: Mapping[str, Mapping], **race_options
) -> pd.DataFrame:
    """Return for each way to call a search: in how many repeats its choice, judged fresh, beats
    random search's.

    options: name of the way -> keyword arguments for search. Columns: way, median_loss (fresh),
    beats_random, level (in how many both have the same loss: random draws, too, begin with the same
    five), repeats.
    """
    searches = {"random": at_random} | {
        name: partial(search, **given) for name, given in options.items()
    }
    table = race(problem, searches, **race_options)
    fresh = table[table["judged"] == "fresh"]
    rows = []
    for way in options:
        gap = fresh[way] - fresh["random"]
        counts = int((gap < -shared.ROUNDING).sum()), int((abs(gap) <= shared.ROUNDING).sum())
        rows.append((way, fresh[way].median(), *counts, len(fresh)))
    return pd.DataFrame(rows, columns=["way", "median_loss", "beats_random", "level", "repeats"])


def tellings(
    problem: Problem, search: Search, told: Mapping[str, Callable], **race_options
) -> pd.DataFrame:
    """Return the table of `ways` for a search that is told the losses by each of these functions."""
    return ways(
        problem,
        search,
        {name: {"told": function} for name, function in told.items()},
        **race_options,
    )


def autopsy(search: Search, *, n_trials: int = 20, repeats: Sequence[int]) -> pd.DataFrame:
    """Return what a search on iris reports that minimises the error unseeded, then seeded, then the
    loss: a row each.

    The space is the naive script's, SCRIPT. Columns: search; as means over the repeats, how many
    different scores the trials have and how many share the best; the accuracy that is reported,
    that of the choice judged fresh by `judges`, and their difference, the optimism, with its
    standard error: all in percentage points.
    """
    rows, parts = [], in_two(partial(_by_arm, search, n_trials), halves(repeats))
    for (name, *_), *some in zip(ARMS, *parts, strict=True):
        tables = list(chain(*some))
        chosen = [config_of(table, incumbent(table)) for table in tables]
        pairs = zip(chosen, repeats, strict=True)
        jobs = [
            (config, draw, draw, config["epochs"])
            for config, repeat in pairs
            for draw in judges(repeat)
        ]
        fresh = 100 * trained("iris", jobs)[:, 1].reshape(-1, N_JUDGES).mean(axis=1)
        reported = 100 * np.array([table.at[incumbent(table), "val_accuracy"] for table in tables])
        scores = np.mean([table["val_loss"].nunique() for table in tables])
        tied = np.mean([(table["val_loss"] == table["val_loss"].min()).sum() for table in tables])
        rows.append(
            (
                name,
                scores,
                tied,
                reported.mean(),
                fresh.mean(),
                *shared.mean_and_error(reported - fresh),
            )
        )
    return pd.DataFrame(
        rows, columns=["search", "scores", "tied", "reported", "fresh", "optimism", "error"]
    )


def _by_arm(search: Search, n_trials: int, draws: list[int]) -> list[list[pd.DataFrame]]:
    """Return the trial tables of each of ARMS.

    All searches run in step: 60 networks train faster than 3 times 20.

    The new seeds of the unseeded arm are counted up, so that a lesson prints the same twice.
    """
    new_seeds = count(1000 + n_trials * draws[0])

    def objective(requests: list[Request]):  # a request's seed is 1,000 × arm + draw
        at = [(r, *divmod(r.seed, 1000)) for r in requests]
        jobs = [
            (r.config, draw, draw if ARMS[arm][2] else next(new_seeds), r.n_epochs)
            for r, arm, draw in at
        ]
        scored = zip(at, trained("iris", jobs), strict=True)
        return [
            Outcome(loss if ARMS[arm][1] else 1 - right, right)
            for (_, arm, _), (loss, right) in scored
        ]

    strategies = [
        _for_own_epochs(search(SCRIPT, draw, n_trials, 1, told=np.log if by_loss else np.asarray))
        for _, by_loss, _ in ARMS
        for draw in draws
    ]
    seeds = [1000 * arm + draw for arm in range(len(ARMS)) for draw in draws]
    tables = shared.run_whole(strategies, objective, seeds=seeds)
    return [tables[i : i + len(draws)] for i in range(0, len(tables), len(draws))]


def _for_own_epochs(strategy: Strategy) -> Strategy:
    """Ask for each configuration's own epochs in place of those that the strategy asks for."""
    losses = None
    while True:
        try:
            asked = strategy.send(losses)
        except StopIteration:
            return
        losses = yield [(config, config["epochs"]) for config, _ in asked]
