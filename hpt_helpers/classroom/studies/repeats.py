"""Repeats, as the studies share them: a repeat is a new draw of training and validation rows and a
new training seed.

Repeat 7 is draw 7 of the rows trained under seed 7. The sealed test rows are the same in all of
them.
"""

from __future__ import annotations

import inspect
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import product

import numpy as np
import pandas as pd

from hpt_helpers.classroom.cache import cached_by_key
from hpt_helpers.classroom.landscape import CODE
from hpt_helpers.classroom.parallel import fit_all
from hpt_helpers.config import training_key
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run_many

ROUNDING = 1e-9  # the same training in another company may differ by less
ALONE = 5  # fewer networks than this that stand together are not trained on together


def rows_of(name: str, repeats: Sequence[int]) -> list[Splits]:
    """Return the rows of each repeat, those asked for before from memory."""
    return [_rows_of(name, int(repeat)) for repeat in repeats]


@lru_cache(maxsize=1000)  # reading a data set anew takes longer than some trainings
def _rows_of(name: str, repeat: int) -> Splits:
    return load_splits(name, draw=repeat)


class TrainingOfRepeats(TrainingObjective):
    """Trains searches of several repeats together: a search's training seed is its repeat, with
    rows of its own.
    """

    def __init__(self, name: str, repeats: Sequence[int]):
        super().__init__(None)
        self._rows = dict(zip(repeats, rows_of(name, repeats), strict=True))

    def rows(self, seed: int) -> Splits:
        if seed not in self._rows:
            raise ValueError(f"seed is {seed!r}; the repeats are {list(self._rows)}")
        return self._rows[seed]

    def _train(self, configs: dict, wanted: dict) -> None:
        """Train anew, with all others, what few others stand in one population with: going on alone
        takes longer.
        """
        standing = Counter(id(self._trained[key][0]) for key in wanted if key in self._trained)
        for key in wanted:
            if key in self._trained and standing[id(self._trained[key][0])] < ALONE:
                del self._trained[key]
        super()._train(configs, wanted)


def run_whole(strategies: Sequence, objective, **options) -> list[pd.DataFrame]:
    """Run the searches as `run_many` does, but end with the interrupt that it turns into a warning.

    Half a search is something to a searcher. To a measurement it is a wrong number, and worse in a
    cache.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "interrupted")
        try:
            return run_many(strategies, objective, **options)
        except UserWarning as warning:
            raise KeyboardInterrupt(*warning.args) from None


def kept(
    study: Callable[..., dict[str, np.ndarray]], networks: Sequence[Mapping], *given
) -> dict[str, np.ndarray]:
    """Return study(networks, *given), from the cache where it is in it; given: what a key of it can
    hold.
    """
    code = [*CODE, inspect.getmodule(study)]
    key = {
        "study": study.__name__,
        "networks": [training_key(network) for network in networks],
        "given": given,
    }
    return cached_by_key(key | {"code": code}, lambda: study(networks, *given))


def curves(
    configs: Sequence[Mapping], name: str, *, n_epochs: int, repeats: Sequence[int], progress=False
):
    """Return the validation losses of each configuration trained in each repeat: (n_configs,
    n_repeats, n_epochs).

    From the cache, where they are in it.
    """
    configs, repeats = list(configs), list(repeats)

    def train() -> dict[str, np.ndarray]:
        jobs = list(product(configs, zip(rows_of(name, repeats), repeats, strict=True)))
        trained = fit_all(
            [config for config, _ in jobs],
            [rows for _, (rows, _) in jobs],
            n_epochs=n_epochs,
            seed=[seed for _, (_, seed) in jobs],
            progress=progress,
        )
        return {"val_loss": trained.val_loss.reshape(len(configs), len(repeats), n_epochs)}

    names = [training_key(config) for config in configs]
    key = {"configs": names, "data": name, "n_epochs": n_epochs, "repeats": repeats, "code": CODE}
    return cached_by_key(key, train)["val_loss"]


def fresh(
    configs: Sequence[Mapping], name: str, *, n_epochs: int, repeats: Sequence[int], progress=False
):
    """Return the loss of each configuration judged fresh, shape (n_configs,): its mean over these
    repeats.

    These must be repeats that had no part in the choice. One that diverges in any of them has nan.
    """
    return curves(configs, name, n_epochs=n_epochs, repeats=repeats, progress=progress)[
        ..., -1
    ].mean(axis=1)


def mean_and_error(values: np.ndarray) -> tuple[float, float]:
    """Return the mean and its standard error over independent repeats, from values of shape
    (n_repeats,).
    """
    values = np.asarray(values, dtype=float)
    return values.mean(), values.std(ddof=1) / len(values) ** 0.5
