"""The testbed: which configurations a table holds, and how each of its entries is trained.

A **table** has the losses of a pool of configurations in 30 repeats, so that a search looks up in
no time what training would take minutes to find. `hpt_helpers.classroom.tables.table` reads it, and
`python -m tools.build_table` makes it from what stands here.

Repeat r draws a pool of its own, and trains each configuration on draw r of the rows, under the
training seed r. Then it trains each again for **judges** that only this repeat has: other rows and
other seeds. Their mean says what a configuration is worth, whatever luck made a search choose it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import train_test_split
from torch.nn.functional import cross_entropy

from hpt_helpers.classroom.lab.trainer import END_OWN, networks_after
from hpt_helpers.config import DEFAULTS, training_key
from hpt_helpers.data import DRAWN, SIMULATED, Splits, load_splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.threads import one_thread

EPOCHS = (
    1,
    3,
    9,
    27,
)  # at which losses are kept, unless a recipe says otherwise: Hyperband's rungs
N_TRAIN = 320
BATCH_SIZE = 32
N_REPEATS = 30
N_JUDGES = 4
N_POOL = 1000  # configurations that a repeat draws, beside those that all repeats have
JUDGES_FROM = END_OWN  # the judges' draws and seeds begin here; no repeat has such a number


SETTINGS = {
    "lr": Real(1e-4, 1e-2, log=True),
    "hidden_size": Integer(2, 32, log=True),
    "weight_decay": Real(1e-4, 1.0, log=True),
    "beta1": Real(0.5, 0.99),
    "label_smoothing": Real(0.0, 0.3),
}
INIT_SCALE = {"init_scale": Real(0.3, 3.0, log=True)}
BATCHES = {"batch_size": Choice([BATCH_SIZE])}

# Without any tuning: the learning rate of PyTorch's Adam, and this package's defaults.
DEFAULT_CONFIG = {"lr": 1e-3, "batch_size": BATCH_SIZE} | DEFAULTS


class Recipe(NamedTuple):
    """Of what a table is made.

    data: its name for `load_splits`. space: of the pool. n_val: numbers of validation rows.
    grids: axes -> how many points each of them has; what is no axis is at its default.
    random_state: of simulated data, where it is another one.
    epochs: at which the losses are kept, the last of which is a full training.
    """

    data: str
    space: SearchSpace
    n_val: tuple[int, ...]
    grids: Mapping[tuple[str, ...], int] = MappingProxyType({})
    random_state: int | None = None
    epochs: tuple[int, ...] = EPOCHS


RECIPES = {
    "digits": Recipe(
        "digits",
        SearchSpace(SETTINGS | INIT_SCALE | BATCHES),
        (30, 100, 360),
        {
            ("lr", "hidden_size"): 4,
            ("lr", "weight_decay"): 4,
            ("weight_decay", "beta1"): 4,
            ("lr", "hidden_size", "weight_decay"): 3,
            ("lr", "hidden_size", "init_scale"): 3,
            ("weight_decay", "beta1", "label_smoothing"): 3,
            tuple(SETTINGS | INIT_SCALE): 2,
        },
    ),
    "simulated": Recipe(
        "simulated",
        SearchSpace(SETTINGS | {"lr": Real(1e-4, 0.05, log=True)} | BATCHES),
        (10, 30, 100, 300, 2000),
    ),
}
SHIPPED = tuple(RECIPES)

# What docs/testbed.md has beside these. Other seeds of the simulated data:
RECIPES |= {
    f"simulated_{seed}": RECIPES["simulated"]._replace(random_state=seed) for seed in (1, 2, 3)
}
# And digits near the optimum: ranges in which four fifths of the best twentieth of all pools lie
# (`readings.narrowed`).
NARROW = {
    "lr": Real(0.002, 0.009, log=True),
    "hidden_size": Integer(11, 30, log=True),
    "weight_decay": Real(3e-4, 0.3, log=True),
    "beta1": Real(0.55, 0.95),
    "label_smoothing": Real(0.01, 0.09),
    "init_scale": Real(0.35, 2.0, log=True),
}
RECIPES["digits_narrow"] = Recipe("digits", SearchSpace(NARROW | BATCHES), (30, 100, 360))
# And breast_cancer, where some losses rise again before the end of 81 epochs.
RECIPES["breast_cancer"] = Recipe(
    "breast_cancer",
    SearchSpace(SETTINGS | INIT_SCALE | BATCHES),
    (30, 114),
    epochs=(*EPOCHS, 81),
)


def with_schedule(recipe: Recipe) -> Recipe:
    """Return the recipe of the same pools, whose learning rates fall to 0 at the last epoch."""
    schedule = {"cosine_epochs": Choice([recipe.epochs[-1]])}
    return recipe._replace(space=SearchSpace({**recipe.space, **schedule}), grids={})


RECIPES |= {f"{name}_cosine": with_schedule(RECIPES[name]) for name in ("digits", "breast_cancer")}


def pool(recipe: Recipe, repeat: int) -> list[dict]:
    """Return the configurations that searches of a repeat draw from: `space.sample`, seed repeat.

    Each repeat has others, so that no claim hangs on what happened to be in one pool.
    """
    return recipe.space.sample(N_POOL, seed=repeat)


def pool_means(recipe: Recipe, repeat: int) -> np.ndarray:
    """Return the mean of each hyperparameter in a pool, by which a table knows its pool.

    A file holds no configurations, because they can be drawn again.
    """
    columns = zip(*(config.values() for config in pool(recipe, repeat)), strict=True)
    return np.array([np.mean(values) for values in columns])


def grid(recipe: Recipe, axes: Sequence[str]) -> list[dict]:
    """Return the configurations of one of a recipe's grids, whose points are centred in cells.

    What is no axis is at its default. Raises ValueError for a grid that the recipe does not have.
    """
    axes = tuple(axes)
    if axes not in recipe.grids:
        raise ValueError(f"axes are {axes}; the grids have the axes {list(recipe.grids)}")
    points = [recipe.space[axis].points(recipe.grids[axes], centred=True) for axis in axes]
    return [DEFAULT_CONFIG | dict(zip(axes, values, strict=True)) for values in product(*points)]


def in_every_repeat(recipe: Recipe) -> list[dict]:
    """Return the configurations that all repeats have: the default one, and the grids' points."""
    every = [DEFAULT_CONFIG, *(point for axes in recipe.grids for point in grid(recipe, axes))]
    return list({training_key(config): config for config in every}.values())


def configurations(recipe: Recipe, repeat: int) -> list[dict]:
    """Return all configurations of a repeat: its pool, and then those that all repeats have."""
    return [*pool(recipe, repeat), *in_every_repeat(recipe)]


# --- rows -----------------------------------------------------------------------------------------


def search_rows(recipe: Recipe, repeat: int) -> Splits:
    """Return the rows of a repeat's searches, with the largest number of validation rows."""
    if recipe.random_state is not None:
        return other_simulated(recipe.random_state, repeat)
    return load_splits(recipe.data, draw=repeat, n_train=N_TRAIN)


def judge_number(repeat: int, judge: int) -> int:
    """Return the number of a repeat's judge, which is its training seed and names its rows."""
    return JUDGES_FROM + 100 * repeat + judge


def judge_rows(recipe: Recipe, repeat: int, judge: int) -> Splits:
    """Return the rows of one of a repeat's judges; test rows are never among them.

    On digits they are cut from the 757 rows that the repeat's searches do not see: 320 for training
    and the others for the verdict. The simulated data has rows enough for another draw, which has
    320 and 2,000; one in 21 of these is also among the repeat's own. Breast_cancer has only 455
    rows, of which the judge has another draw, so its verdict is of other luck but not of new rows.
    """
    number = judge_number(repeat, judge)
    if recipe.random_state is not None:
        return other_simulated(recipe.random_state, number)
    if recipe.data == "simulated":
        return load_splits(recipe.data, draw=number)
    if recipe.data == "breast_cancer":
        return load_splits(recipe.data, draw=number, n_train=N_TRAIN)
    whole = load_splits(recipe.data, draw=repeat, scaled=False)
    X, y = whole.X_train[N_TRAIN:].numpy(), whole.y_train[N_TRAIN:].numpy()
    order = np.random.default_rng(number).permutation(len(y))
    return cut(whole, X[order], y[order])


def other_simulated(random_state: int, draw: int) -> Splits:
    """Return a draw of simulated data of another seed, cut as `load_splits` does."""
    X, y = _all_simulated(random_state)
    parts = {"train_size": N_TRAIN, "test_size": DRAWN["simulated"]["test_size"]}
    X_train, X_val, y_train, y_val = train_test_split(X, y, **parts, random_state=draw, stratify=y)
    splits = load_splits("simulated")
    return cut(splits, np.concatenate([X_train, X_val]), np.concatenate([y_train, y_val]))


@cache
def _all_simulated(random_state: int) -> tuple[np.ndarray, np.ndarray]:
    recipe: dict[str, Any] = SIMULATED | {"random_state": random_state}
    X, y = make_classification(**recipe)
    return np.asarray(X), np.asarray(y)


def cut(splits: Splits, X: np.ndarray, y: np.ndarray) -> Splits:
    """Return these unscaled rows as a training part of 320 and a validation part of the others.

    They are scaled as `load_splits` does: digits with one scale for all pixels.
    """
    centre = X[:N_TRAIN].mean(axis=0)
    scale = (X[:N_TRAIN] - centre).std(axis=None if splits.name == "digits" else 0)
    scale = np.where(scale == 0, 1.0, scale)  # a feature may be the same in all training rows
    rows, classes = torch.from_numpy((X - centre) / scale), torch.from_numpy(y)
    training, others = slice(N_TRAIN), slice(N_TRAIN, None)
    return replace(
        splits,
        X_train=rows[training],
        y_train=classes[training],
        X_val=rows[others],
        y_val=classes[others],
    )


# --- training -------------------------------------------------------------------------------------


def train_piece(name: str, repeat: int, judge: int | None) -> dict[str, np.ndarray]:
    """Train all configurations of a table on one repeat's rows, or for one of its judges.

    Return loss and n_right (of the rows, how many are classified rightly), each of shape
    (n_configs, len(n_val), len(epochs)); for a judge, whose rows all count, of
    (n_configs, 1, len(epochs)).
    """
    recipe = RECIPES[name]
    configs = configurations(recipe, repeat)
    if judge is None:
        rows = search_rows(recipe, repeat)
        return train_entries(configs, rows, repeat, recipe.n_val, recipe.epochs)
    splits = judge_rows(recipe, repeat, judge)
    return train_entries(
        configs, splits, judge_number(repeat, judge), [splits.n_val], recipe.epochs
    )


@one_thread()
def train_entries(
    configs: Sequence[Mapping],
    splits: Splits,
    seed: int,
    n_val: Sequence[int],
    epochs: Sequence[int] = EPOCHS,
) -> dict[str, np.ndarray]:
    """Return loss and n_right of each configuration, on the first n_val rows, after each of epochs.

    Both have the shape (n_configs, len(n_val), len(epochs)). A loss that is not finite is nan.
    """
    shape = len(configs), len(n_val), len(epochs)
    loss, n_right = np.empty(shape), np.empty(shape, dtype=int)
    for k, (_, network) in enumerate(networks_after(epochs, configs, splits, seed)):
        for i in range(len(configs)):
            loss[i, :, k], n_right[i, :, k] = _scores(network(i), splits, n_val)
    return {"loss": np.where(np.isfinite(loss), loss, np.nan), "n_right": n_right}


def _scores(model: SimpleNN, splits: Splits, n_val: Sequence[int]) -> tuple[list, list]:
    logits = model(splits.X_val).detach()
    losses = cross_entropy(logits, splits.y_val, reduction="none").numpy()
    right = (logits.argmax(dim=1) == splits.y_val).numpy()
    return [losses[:n].mean() for n in n_val], [right[:n].sum() for n in n_val]
