"""The measurements of lesson 2: what random searches report, and what their winners are worth.

Searches look their trials up in the tables of `classroom.tables`, 30 repeats each, with judges of
their own; what no table has is trained. A winner's **fresh** loss is the mean over the
judges of its repeat. Losses are in nats, after 27 epochs.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
from torch.nn.functional import cross_entropy

from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.lab import problems, racing, searches, statistics, trainer
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG, N_POOL, RECIPES, grid
from hpt_helpers.classroom.tables.table import (
    Table,
    load_table,
    of_the_pool,
    rows_to_search,
    table_problem,
)
from hpt_helpers.evidence.statistics import n_tied as n_tied
from hpt_helpers.search import Strategy
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import grid_search
from hpt_helpers.threads import one_thread
from hpt_helpers.trials import ranking

N_BEST = 10  # the best trials of a search, which are compared with its winner
SPACE = SearchSpace(  # of the digits, without the batch size, which is always the same
    {name: p for name, p in RECIPES["digits"].space.items() if name != "batch_size"}
)


# --- what a space holds ---------------------------------------------------------------------------


def pool(name: str = "digits", n_val: int = 360) -> pd.DataFrame:
    """Return all configurations that searches draw from, a row for each in its repeat.

    Columns: those of `Table.frame`, among them fresh; without the configurations of grids.
    """
    frame = load_table(name).frame(n_val)
    return frame[frame["position"] < N_POOL]


def winner(name: str, repeat: int, n_val: int, n_trials: int) -> dict:
    """Return the configuration that wins a random search of n_trials in a repeat."""
    table = load_table(name)
    return table.configs(repeat)[_best(table, repeat, n_val, n_trials)[0]]


def colleagues(
    axes: Sequence[str], *, n_draws: int, n_people: int, repeat: int = 0, n_val: int = 360
) -> pd.DataFrame:
    """Return what people report who each draw a few points of a grid on digits, and keep the best.

    Draws are independent, and the highest validation accuracy wins, of equal ones the first drawn.
    Columns: combination, its number; behind, by how much its accuracy is below the grid's best.
    """
    table, points = load_table("digits"), grid(RECIPES["digits"], axes)
    entries = [table.entry(config, table.epochs[-1], repeat) for config in points]
    accuracies = np.array([table.accuracy[i, r, table.rows(n_val), k] for i, r, k in entries])
    drawn = np.random.default_rng(0).integers(len(points), size=(n_people, n_draws))
    won = drawn[np.arange(n_people), accuracies[drawn].argmax(axis=1)]
    return pd.DataFrame({"combination": won, "behind": accuracies.max() - accuracies[won]})


# --- grids and random search ----------------------------------------------------------------------


def grids_against_random(grids: Sequence[Sequence[str]], n_val: int = 360) -> pd.DataFrame:
    """Compare grids on digits with random searches of as many trials over all six hyperparameters.

    grids: the axes of each, as a recipe has them; what is no axis is at its default.
    Columns: axes; trials; grid and random, the median fresh losses of the winners; grid_wins and
    random_wins, in how many repeats its winner's fresh loss is the lower one.
    """
    rows = []
    problem = table_problem("digits", n_val)
    for axes in grids:
        n_trials = len(problem.grids[tuple(axes)])
        both = {"grid": searches.grid_of(problem, axes), "random": searches.at_random}
        fresh = race_on_table("digits", n_val, both, n_trials).pivot(
            index="repeat", columns="search", values="fresh"
        )
        found = statistics.pairs(fresh["grid"], fresh["random"])
        name = ", ".join(axes) if len(axes) < len(SPACE) else "all six"
        medians = fresh["grid"].median(), fresh["random"].median()
        rows.append((name, n_trials, *medians, found.wins, found.defeats))
    columns = ["axes", "trials", "grid", "random", "grid_wins", "random_wins"]
    return pd.DataFrame(rows, columns=columns)


def race_on_table(
    name: str, n_val: int, some: dict, n_trials: int, *, live: bool = False
) -> pd.DataFrame:
    """Return the winners of searches of n_trials in all repeats, as `racing.judge` does."""
    problem, repeats = table_problem(name, n_val, live=live), range(load_table(name).n_repeats)
    return racing.race(problem, some, n_trials, repeats=repeats, progress=True)


def random_on(
    axes: Sequence[str], space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    """Draw these hyperparameters at random, and leave the others at their defaults."""
    draws = space.sample(n_trials, seed=repeat)
    configs = [DEFAULT_CONFIG | {axis: config[axis] for axis in axes} for config in draws]
    return grid_search(configs, n_epochs)


def random_on_axes(axes: Sequence[str] = ("lr", "hidden_size"), n_val: int = 360) -> pd.DataFrame:
    """Compare a grid on two axes with random draws on the same two, and with draws on all six.

    All make as many trials as the grid has points. A row for each search; columns: fresh, the
    median loss of its winners, and for each search in how many repeats the row's winner is better,
    fresh, than that one's.
    """
    problem = table_problem("digits", n_val)
    n_trials = len(problem.grids[tuple(axes)])
    known = {"grid on two": searches.grid_of(problem, axes), "random on six": searches.at_random}
    drawn = {"random on two": partial(random_on, tuple(axes))}
    parts = [
        race_on_table("digits", n_val, drawn, n_trials, live=True),
        race_on_table("digits", n_val, known, n_trials),
    ]
    return head_to_head(pd.concat(parts, ignore_index=True))


def head_to_head(found: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each search: its median fresh loss, and its wins over each of the others.

    found: columns search, repeat and fresh, as `race_on_table` returns them.
    """
    names = list(found["search"].unique())
    fresh = found.pivot(index="repeat", columns="search", values="fresh")[names]
    table = pd.DataFrame({"fresh": fresh.median()})
    for other in names:
        won = [statistics.pairs(fresh[name], fresh[other]).wins for name in names]
        table[f"beats {other}"] = [
            "–" if name == other else n for name, n in zip(names, won, strict=True)
        ]
    return table.rename_axis(None)


# --- trials and rows ------------------------------------------------------------------------------


def trials_and_rows(
    name: str, *, n_trials: Sequence[int], n_val: Sequence[int], n_searches: int = 20
) -> pd.DataFrame:
    """Return what random searches report and what their winners are worth: a row for each search.

    n_val: how many rows judge the trials. n_searches: in each repeat, each with the pool in another
    order; a shorter search is the beginning of a longer one.
    Columns: n_val, n_trials, repeat, as_searched (the lowest loss), fresh (that of the judges).
    Raises ValueError for more trials than a pool has.
    """
    table = load_table(name)
    rng = np.random.default_rng(0)
    orders = np.stack([rng.permutation(N_POOL) for _ in range(table.n_repeats * n_searches)])
    repeats = np.repeat(np.arange(table.n_repeats), n_searches)
    parts = []
    for rows, trials in product(n_val, n_trials):
        tried = orders[:, : of_the_pool(trials)]
        losses = table.loss[tried, repeats[:, None], table.rows(rows), -1]
        best = np.arange(len(orders)), statistics.best_along(losses, axis=1)
        winners = orders[best]
        part = {
            "n_val": rows,
            "n_trials": trials,
            "repeat": repeats,
            "as_searched": losses[best],
            "fresh": table.fresh_loss[winners, repeats, -1],
        }
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)


def worth(searched: pd.DataFrame) -> pd.DataFrame:
    """Return the median fresh losses of `trials_and_rows`: a row for each number of rows."""
    return searched.groupby(["n_val", "n_trials"])["fresh"].median().unstack()


def row_losses(name: str, repeat: int, n_val: int, *, n_trials: int = 81) -> np.ndarray:
    """Return the losses of a random search's ten best trials on each single validation row.

    Shape (10, n_val); the search's winner comes first. The networks are trained again, as the table
    trained them, since it keeps mean losses only.
    """
    table = load_table(name)
    order = _best(table, repeat, n_val, n_trials)
    return _trained_row_losses(name, repeat, order.tolist())[:, :n_val]


def _best(table: Table, repeat: int, n_val: int, n_trials: int) -> np.ndarray:
    """Return the positions of the best trials of a search, the winner first."""
    table.check_repeat(repeat)
    losses = table.loss[: of_the_pool(n_trials), repeat, table.rows(n_val), -1]
    return np.array(ranking(losses)[:N_BEST])


@one_thread()
def _trained_row_losses(name: str, repeat: int, positions: Sequence[int]) -> np.ndarray:
    table = load_table(name)
    splits = rows_to_search(table.recipe, repeat)
    configs = [table.configs(repeat)[i] for i in positions]
    [(_, network)] = trainer.networks_after([table.epochs[-1]], configs, splits, repeat)
    losses = [
        cross_entropy(network(i)(splits.X_val), splits.y_val, reduction="none")
        for i in range(len(configs))
    ]
    return np.stack([loss.detach().numpy() for loss in losses])


def _tied_of_repeat(name: str, repeat: int, n_val: Sequence[int], n_trials: int) -> dict:
    """Return how many of a search's ten best are tied with its winner, for each number of rows."""
    table = load_table(name)
    best = [_best(table, repeat, n, n_trials) for n in n_val]
    positions = sorted(set(np.concatenate(best).tolist()))
    losses = _trained_row_losses(name, repeat, positions)
    tied = [
        n_tied(losses[[positions.index(i) for i in some], :n])
        for n, some in zip(n_val, best, strict=True)
    ]
    return {"tied": np.array(tied)}


def tied(name: str, n_val: Sequence[int], *, n_trials: int = 81) -> np.ndarray:
    """Return how many of nine runners-up are tied with a search's winner: (repeats, numbers)."""
    repeats = range(load_table(name).n_repeats)
    each = [(name, repeat, tuple(n_val), n_trials) for repeat in repeats]
    return np.stack([found["tied"] for found in cached_each(_tied_of_repeat, each, progress=True)])


def equal_cost(
    cases: Sequence[tuple[str, int]],
    *,
    n_trials: int = 81,
    n_finalists: int = 5,
    n_again: int = 4,
) -> pd.DataFrame:
    """Compare searches that spend all on trials with those that retrain their finalists.

    cases: pairs (table, validation rows). The second search makes fewer trials, trains its best
    n_finalists on n_again new splits of the same rows, and takes the lowest mean.
    Columns: data; rows; tied, how many of nine runners-up are tied with the winner of n_trials, a
    mean over the repeats; trials_promise and finalists_promise, by how much a winner's fresh loss
    exceeds the loss by which it was chosen (means); trials_win and finalists_win, in how many
    repeats its winner's fresh loss is the lower one.
    """
    n_first = n_trials - n_finalists * n_again
    ties = _mean_ties(cases, n_trials)
    rows = []
    for name, n_val in cases:
        by_trials = chosen_by_trials(name, n_val, n_trials)
        by_finalists = chosen_by_finalists(name, n_val, n_first, n_finalists, n_again)
        pairs = statistics.pairs(by_trials["fresh"], by_finalists["fresh"])
        row = {
            "data": name,
            "rows": n_val,
            "tied": ties[name, n_val],
            "trials_promise": (by_trials["fresh"] - by_trials["chosen_by"]).mean(),
            "finalists_promise": (by_finalists["fresh"] - by_finalists["chosen_by"]).mean(),
            "trials_win": pairs.wins,
            "finalists_win": pairs.defeats,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _mean_ties(cases: Sequence[tuple[str, int]], n_trials: int) -> dict[tuple[str, int], float]:
    """Return the mean of `tied` for each case; those of one table share their trainings."""
    means = {}
    for name in dict.fromkeys(name for name, _ in cases):
        n_val = [rows for other, rows in cases if other == name]
        ties = tied(name, n_val, n_trials=n_trials).mean(axis=0)
        means |= {(name, rows): mean for rows, mean in zip(n_val, ties, strict=True)}
    return means


def chosen_by_trials(name: str, n_val: int, n_trials: int) -> pd.DataFrame:
    """Return the winner of n_trials in each repeat.

    Columns: position; chosen_by, the loss by which it won; fresh.
    """
    table = load_table(name)
    losses = table.loss[: of_the_pool(n_trials), :, table.rows(n_val), -1]
    winners = statistics.best_along(losses, axis=0)
    return _with_fresh(table, winners, losses[winners, np.arange(table.n_repeats)])


def chosen_by_finalists(
    name: str, n_val: int, n_trials: int, n_finalists: int, n_again: int
) -> pd.DataFrame:
    """Return the best finalist in each repeat, by its mean loss on new splits of the rows.

    Columns: those of `chosen_by_trials`.
    """
    table = load_table(name)
    losses = table.loss[: of_the_pool(n_trials), :, table.rows(n_val), -1]
    finalists = np.array([ranking(of_repeat)[:n_finalists] for of_repeat in losses.T])
    choices = [
        problems.Chosen(table.configs(repeat)[position], table.epochs[-1], repeat)
        for repeat, positions in enumerate(finalists)
        for position in positions
    ]
    again, _ = table_problem(name, n_val).measure(choices, "finalist", n_again, True)
    again = again.mean(axis=1).reshape(-1, n_finalists)
    best = np.arange(table.n_repeats), statistics.best_along(again, axis=1)
    return _with_fresh(table, finalists[best], again[best])


def _with_fresh(table: Table, positions: np.ndarray, losses: np.ndarray) -> pd.DataFrame:
    fresh = table.fresh_loss[positions, np.arange(table.n_repeats), -1]
    return pd.DataFrame({"position": positions, "chosen_by": losses, "fresh": fresh})
