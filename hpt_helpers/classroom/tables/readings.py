"""What a table alone can answer: no search that learns takes part.

Searches that learn, or stop early, are raced by `hpt_helpers.classroom.lab` on a `table_problem`.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from numpy.polynomial.legendre import legvander
from scipy.stats import spearmanr

from hpt_helpers.classroom.lab.statistics import best_along
from hpt_helpers.classroom.tables.recipes import N_POOL
from hpt_helpers.classroom.tables.table import load_table, of_the_pool
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.trials import ranking


def random_winners(
    name: str,
    n_val: Sequence[int],
    n_trials: Sequence[int] = (1, 3, 9, 27, 81),
    *,
    n_searches: int = 20,
) -> pd.DataFrame:
    """Return what random search reports, and what its winner is worth, by rows and by trials.

    n_searches: random searches in each repeat, which cost nothing here. Columns: n_val, n_trials,
    searched (the lowest loss), fresh (that of the repeat's judges) and accuracy (theirs): medians
    over all searches of all repeats.
    """
    found = random_searches(name, n_val, n_trials, n_searches=n_searches)
    medians = found.groupby(["n_val", "n_trials"], sort=False)[["searched", "fresh", "accuracy"]]
    return medians.median().reset_index()


def random_searches(
    name: str, n_val: Sequence[int], n_trials: Sequence[int], *, n_searches: int = 20
) -> pd.DataFrame:
    """Return what each random search reports, and what its winner is worth.

    Columns: n_val, n_trials, repeat, search, searched, fresh and accuracy. A longer search begins
    with the trials of the shorter one of the same repeat and number. Raises ValueError for more
    trials than a pool has.
    """
    table = load_table(name)
    orders, repeats = random_orders(table.n_repeats, n_searches), np.arange(table.n_repeats)
    parts = []
    for n, trials in product(n_val, n_trials):
        tried = orders[..., : of_the_pool(trials)]
        losses = table.loss[tried, repeats[:, None, None], table.rows(n), -1]
        best = best_along(losses, axis=2)[..., None]
        winner = np.take_along_axis(tried, best, axis=2)[..., 0], repeats[:, None], -1
        columns = {
            "repeat": np.repeat(repeats, n_searches),
            "search": np.tile(np.arange(n_searches), len(repeats)),
            "searched": np.take_along_axis(losses, best, axis=2).ravel(),
            "fresh": table.fresh_loss[winner].ravel(),
            "accuracy": table.fresh_accuracy[winner].ravel(),
        }
        parts.append(pd.DataFrame({"n_val": n, "n_trials": trials} | columns))
    return pd.concat(parts, ignore_index=True)


def random_orders(n_repeats: int, n_searches: int) -> np.ndarray:
    """Return in which order random searches try a pool, (n_repeats, n_searches, N_POOL)."""
    rng = np.random.default_rng(0)
    orders = [rng.permutation(N_POOL) for _ in range(n_repeats * n_searches)]
    return np.reshape(orders, (n_repeats, n_searches, N_POOL))


def early_order(name: str, n_val: int, best: float = 0.1) -> pd.DataFrame:
    """Return how well the order of the pool early in training foretells its order at the end.

    best: the share of configurations, the lowest losses at the end, among which it is asked again.
    Columns: epoch; rank_correlation (Spearman's) of the losses with those of the last epoch, and
    among_best, of these only; kept, the share of repeats in which the last epoch's winner is in the
    best third at this epoch. Correlations are means over the repeats.
    """
    table = load_table(name)
    losses = table.loss[:N_POOL, :, table.rows(n_val)]
    late = losses[:, :, -1]
    n_best, rows = int(best * N_POOL), []
    for k, epoch in enumerate(table.epochs[:-1]):
        early, over_all, among_best, kept = losses[:, :, k], [], [], []
        for repeat in range(table.n_repeats):
            order = ranking(late[:, repeat])
            over_all.append(rank_correlation(early[:, repeat], late[:, repeat]))
            top = order[:n_best]
            among_best.append(rank_correlation(early[top, repeat], late[top, repeat]))
            rank = (early[:, repeat] < early[order[0], repeat]).sum()
            kept.append(rank < N_POOL / 3)
        rows.append((epoch, np.mean(over_all), np.mean(among_best), np.mean(kept)))
    return pd.DataFrame(rows, columns=["epoch", "rank_correlation", "among_best", "kept"])


def told_apart(name: str, n_val: int, best: float = 0.1) -> dict[str, float]:
    """Return how well the losses on n_val validation rows tell a pool's configurations apart.

    best: the share of configurations, the lowest fresh losses, among which it is asked again.
    Names: rank_correlation (Spearman's) of the losses at the last epoch with the fresh ones, and
    among_best, of these only, means over the repeats; better, how many configurations of the pool
    have a lower fresh loss than the one with the lowest loss, a median over the repeats.
    """
    table = load_table(name)
    losses, fresh = table.loss[:N_POOL, :, table.rows(n_val), -1], table.fresh_loss[:N_POOL, :, -1]
    over_all, among_best, better = [], [], []
    for loss, truth in zip(losses.T, fresh.T, strict=True):
        top = ranking(truth)[: int(best * N_POOL)]
        over_all.append(rank_correlation(loss, truth))
        among_best.append(rank_correlation(loss[top], truth[top]))
        better.append((truth < truth[ranking(loss)[0]]).sum())
    return {
        "rank_correlation": float(np.mean(over_all)),
        "among_best": float(np.mean(among_best)),
        "better": int(np.median(better)),
    }


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation of two arrays, without the places where one is nan."""
    found = spearmanr(a, b, nan_policy="omit")
    # pyright takes the class that SciPy makes for it at run time for a plain tuple
    return float(found.statistic)  # pyright: ignore[reportAttributeAccessIssue]


def shares_of_variance(name: str, degree: int = 3) -> pd.DataFrame:
    """Return which share of the variance of the log loss each hyperparameter has, over the pools.

    The loss of a configuration is its fresh one; what all of a repeat have in common, its rows, is
    taken away. Columns: hyperparameter, alone, total and explained, as `sobol_shares` returns them.
    """
    table = load_table(name)
    varying = {n: p for n, p in table.recipe.space.items() if len(p.points(2)) > 1}
    space, points, values = SearchSpace(varying), [], []
    for repeat in range(table.n_repeats):
        configs = table.configs(repeat)[:N_POOL]
        points.append(space.to_unit([{n: config[n] for n in varying} for config in configs]))
        log_loss = np.log(table.fresh_loss[:N_POOL, repeat, -1])
        values.append(log_loss - log_loss.mean())
    shares = sobol_shares(np.concatenate(points), np.concatenate(values), degree)
    return pd.DataFrame({"hyperparameter": list(varying)}).join(shares)


def sobol_shares(points: np.ndarray, values: np.ndarray, degree: int = 3) -> pd.DataFrame:
    """Return each coordinate's share of the variance of the values, over the unit cube.

    points: (n, d), uniform in the cube. A polynomial is fitted whose terms, products of Legendre
    polynomials of this degree in all, are orthogonal over the cube, so that the squares of their
    weights add up to the variance (Sudret 2008).
    Columns: alone, the share of the terms in which no other coordinate occurs (the main effect);
    total, that of all terms in which it occurs, so that the totals add up to 1 or more; explained,
    which share of the variance the polynomial predicts where it was not fitted (five-fold).
    """
    d = points.shape[1]
    powers = np.array([p for p in product(range(degree + 1), repeat=d) if sum(p) <= degree])
    terms = _orthonormal(points, powers)
    squares = np.linalg.lstsq(terms, values, rcond=None)[0] ** 2
    squares[powers.sum(axis=1) == 0] = 0  # the mean
    occurs = powers > 0
    is_alone = occurs & (powers == powers.sum(axis=1, keepdims=True))
    return pd.DataFrame(
        {
            "alone": squares @ is_alone / squares.sum(),
            "total": squares @ occurs / squares.sum(),
            "explained": _predicted_share(terms, values),
        }
    )


def _orthonormal(points: np.ndarray, powers: np.ndarray) -> np.ndarray:
    """Return products of Legendre polynomials, of mean 0 and variance 1 over the unit cube."""
    degree = powers.max()
    each = legvander(2 * points - 1, degree) * np.sqrt(2 * np.arange(degree + 1) + 1)
    terms = np.ones((len(points), len(powers)))
    for i in range(points.shape[1]):
        terms *= each[:, i, powers[:, i]]
    return terms


def _predicted_share(terms: np.ndarray, values: np.ndarray, n_folds: int = 5) -> float:
    fold = np.arange(len(values)) % n_folds
    errors = np.empty(len(values))
    for k in range(n_folds):
        out = fold == k
        weights = np.linalg.lstsq(terms[~out], values[~out], rcond=None)[0]
        errors[out] = values[out] - terms[out] @ weights
    return float(1 - errors.var() / values.var())


def narrowed(name: str, best: float = 0.05, keep: float = 0.8) -> dict[str, tuple[float, float]]:
    """Return for each hyperparameter the range in which most of the best configurations lie.

    best: the share of each pool with the lowest fresh losses. keep: the share of these between the
    two ends of the range.
    """
    table, top = load_table(name), []
    for repeat in range(table.n_repeats):
        order = ranking(table.fresh_loss[:N_POOL, repeat, -1])
        top += [table.configs(repeat)[i] for i in order[: int(best * N_POOL)]]
    ends = [(1 - keep) / 2, (1 + keep) / 2]
    values = {name: [config[name] for config in top] for name in table.recipe.space}
    return {name: tuple(np.quantile(value, ends).tolist()) for name, value in values.items()}
