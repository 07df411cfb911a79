"""How the table of gradient boosting is trained: the rows of diamonds, and seven hyperparameters.

The rows are the 53,940 diamonds of ggplot2, which the package plotnine carries under the MIT
licence; what is predicted is the quality of the cut, one of five. The table stores losses and
costs, no rows, so that only who trains an entry anew needs plotnine.

A training can be cut short in two ways. By **rounds**: boosting stops after 9, 27 or all 81 of
them, and goes on from there. By **rows**: all 81 rounds are made on a 27th, a ninth or a third of
the 20,000 training rows, and each time from the beginning.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier

from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.threads import one_thread_in_all

ROUNDS = (9, 27, 81)
ROWS = (741, 2222, 6667)  # beside all of them: a 27th, a ninth, a third
N_TRAIN = 20_000
N_VAL = (30, 300, 3000)
N_POOL = 300  # configurations that a repeat draws
N_REPEATS = 10
JUDGES_FROM = 1_000  # seeds of judges begin here; no repeat has such a number

SPACE = SearchSpace(
    {
        "learning_rate": Real(0.01, 0.5, log=True),
        "max_leaf_nodes": Integer(4, 64, log=True),
        "max_depth": Integer(2, 12),
        "min_samples_leaf": Integer(1, 200, log=True),
        "l2_regularization": Real(0.001, 1000.0, log=True),
        "max_features": Real(0.1, 1.0),
        "max_bins": Integer(8, 255, log=True),
    }
)
# scikit-learn's own. It has no limit of depth and no penalty, so it lies at no point of the space.
DEFAULT_CONFIG = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 31,
    "max_depth": None,
    "min_samples_leaf": 20,
    "l2_regularization": 0.0,
    "max_features": 1.0,
    "max_bins": 255,
}

CUTS = ["Fair", "Good", "Very Good", "Premium", "Ideal"]
COLORS = ["J", "I", "H", "G", "F", "E", "D"]
CLARITIES = ["I1", "SI2", "SI1", "VS2", "VS1", "VVS2", "VVS1", "IF"]
NUMBERS = ["carat", "depth", "table", "price", "x", "y", "z"]


class Rows(NamedTuple):
    """Features and classes to train on, and those to validate on."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_val: np.ndarray
    y_val: np.ndarray


@cache
def diamonds() -> tuple[np.ndarray, np.ndarray]:
    """Return the features of the 53,940 diamonds, (53940, 9), and their cuts as numbers from 0.

    Raises ModuleNotFoundError where plotnine is not installed.
    """
    found = find_spec("plotnine")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("the diamonds come with plotnine: `pip install plotnine`")
    path = Path(found.origin).parent / "data" / "diamonds.csv"
    with path.open(encoding="utf-8", newline="") as file:
        stones = list(csv.DictReader(file))
    X = [
        [
            *(float(stone[name]) for name in NUMBERS),
            COLORS.index(stone["color"]),
            CLARITIES.index(stone["clarity"]),
        ]
        for stone in stones
    ]
    return np.array(X), np.array([CUTS.index(stone["cut"]) for stone in stones])


def configurations(repeat: int) -> list[dict]:
    """Return the configurations of a repeat: a pool of its own, and then scikit-learn's default."""
    return [*SPACE.sample(N_POOL, seed=repeat), dict(DEFAULT_CONFIG)]


def pool_means(n_repeats: int) -> np.ndarray:
    """Return the mean of each hyperparameter in each pool, by which the table knows its pools."""
    pools = [configurations(repeat)[:N_POOL] for repeat in range(n_repeats)]
    return np.array([[np.mean([c[name] for c in pool]) for name in SPACE] for pool in pools])


def search_rows(repeat: int) -> Rows:
    """Return the rows of a repeat's searches: 20,000 to train on and 3,000 to validate on."""
    X, y = diamonds()
    mine = _shuffled(repeat)[: N_TRAIN + max(N_VAL)]
    return _split(X[mine], y[mine])


def judge_rows(repeat: int, judge: int) -> Rows:
    """Return the rows of one of a repeat's judges, cut from those that its searches do not see.

    They are 20,000 to train on and 10,940 to judge by. Judges of one repeat share these 30,940.
    """
    X, y = diamonds()
    unseen = _shuffled(repeat)[N_TRAIN + max(N_VAL) :]
    mine = np.random.default_rng(judge_number(repeat, judge)).permutation(unseen)
    return _split(X[mine], y[mine])


def judge_number(repeat: int, judge: int) -> int:
    """Return the number of a repeat's judge, which seeds its rows and its training."""
    return JUDGES_FROM + 100 * repeat + judge


def _shuffled(repeat: int) -> np.ndarray:
    return np.random.default_rng(repeat).permutation(len(diamonds()[1]))


def _split(X: np.ndarray, y: np.ndarray) -> Rows:
    return Rows(X[:N_TRAIN], y[:N_TRAIN], X[N_TRAIN:], y[N_TRAIN:])


# --- training -------------------------------------------------------------------------------------


def train_piece(repeat: int, judge: int | None) -> dict[str, np.ndarray]:
    """Train all configurations of a repeat on the rows of its searches, or for one of its judges.

    Return by_rounds, the losses after each of ROUNDS, and rounds_cost, the CPU seconds that each
    took beyond the one before. For searches, losses have the shape (n_configs, len(ROUNDS),
    len(N_VAL)), and by_rows and rows_cost have the same for ROWS. A judge has no part by rows, and
    all its rows count: (n_configs, len(ROUNDS), 1).
    """
    configs = configurations(repeat)
    if judge is not None:
        rows = judge_rows(repeat, judge)
        n_val = [len(rows.y_val)]
        return _stacked([_by_rounds(c, rows, n_val, judge_number(repeat, judge)) for c in configs])
    rows = search_rows(repeat)
    return _stacked(
        [
            _by_rounds(config, rows, N_VAL, repeat) | _by_rows(config, rows, N_VAL, repeat)
            for config in configs
        ]
    )


def losses_of(config: Mapping, repeat: int, judge: int | None) -> dict[str, np.ndarray]:
    """Train one configuration as `train_piece` does, and return its losses on all validation rows.

    by_rounds: (len(ROUNDS),); without a judge also by_rows: (len(ROWS),).
    """
    if judge is not None:
        rows = judge_rows(repeat, judge)
        found = _by_rounds(config, rows, [len(rows.y_val)], judge_number(repeat, judge))
    else:
        rows = search_rows(repeat)
        found = _by_rounds(config, rows, [max(N_VAL)], repeat)
        found |= _by_rows(config, rows, [max(N_VAL)], repeat)
    return {name: np.array(found[name])[:, 0] for name in found if name.startswith("by_")}


def _stacked(found: Sequence[Mapping[str, list]]) -> dict[str, np.ndarray]:
    return {name: np.array([of_one[name] for of_one in found]) for name in found[0]}


@one_thread_in_all()
def _by_rounds(config: Mapping, rows: Rows, n_val: Sequence[int], seed: int) -> dict[str, list]:
    """Train one configuration, stopping after each of ROUNDS; see `train_piece`."""
    model = _model(config, seed)
    losses, seconds = [], []
    for n_rounds in ROUNDS:
        model.set_params(max_iter=n_rounds)
        seconds.append(_fit(model, rows.X_train, rows.y_train))
        losses.append(_losses(model, rows, n_val))
    return {"by_rounds": losses, "rounds_cost": seconds}


@one_thread_in_all()
def _by_rows(config: Mapping, rows: Rows, n_val: Sequence[int], seed: int) -> dict[str, list]:
    """Train one configuration on the first ROWS of its training rows; see `train_piece`."""
    losses, seconds = [], []
    for n_train in ROWS:
        model = _model(config, seed).set_params(max_iter=ROUNDS[-1])
        seconds.append(_fit(model, rows.X_train[:n_train], rows.y_train[:n_train]))
        losses.append(_losses(model, rows, n_val))
    return {"by_rows": losses, "rows_cost": seconds}


def _model(config: Mapping, seed: int) -> HistGradientBoostingClassifier:
    settings: dict[str, Any] = {"early_stopping": False, "warm_start": True, "random_state": seed}
    return HistGradientBoostingClassifier(**config, **settings)


def _fit(model: HistGradientBoostingClassifier, X: np.ndarray, y: np.ndarray) -> float:
    """Train a model, or train it on, and return the CPU seconds that it took."""
    began = time.process_time()
    model.fit(X, y)
    return time.process_time() - began


def _losses(model: HistGradientBoostingClassifier, rows: Rows, n_val: Sequence[int]) -> list[float]:
    """Return the mean log loss on the first n validation rows, for each n of n_val."""
    probability = model.predict_proba(rows.X_val)[np.arange(len(rows.y_val)), rows.y_val]
    of_rows = -np.log(np.maximum(probability, np.finfo(float).tiny))
    return [float(of_rows[:n].mean()) for n in n_val]
