"""Whole landscapes: the learning curves of many configurations under many seeds, computed once and kept on disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from hpt_helpers import population
from hpt_helpers.cache import cached
from hpt_helpers.config import check_config, check_count, check_epochs, check_seeds, training_key
from hpt_helpers.data import Splits
from hpt_helpers.population import fit_many
from hpt_helpers.search import Outcome, Request
from hpt_helpers.training import failure_reason


@dataclass(frozen=True, eq=False)
class Landscape:
    """Learning curves of every configuration under every seed; an objective for `hpt_helpers.search.run`.

    val_loss, val_accuracy: float64, shape (n_configs, n_seeds, n_epochs), nan where training diverged.
    As an objective it answers from the stored curves: a search over it is charged the epochs that
    training would have cost. What it does not hold is refused, a failed trial that costs nothing.
    """

    configs: list[dict]
    seeds: list[int]
    val_loss: np.ndarray
    val_accuracy: np.ndarray

    @property
    def n_epochs(self) -> int:
        return self.val_loss.shape[2]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {training_key(config): i for i, config in enumerate(self.configs)}

    def lookup(self, config: Mapping, epoch: int, seed: int) -> tuple[float, float]:
        """Return (val_loss, val_accuracy) of a configuration at an epoch (counted from 1) under a seed.

        Raises ValueError when the landscape does not hold the configuration, the epoch or the seed, and
        when the configuration has an entry `epochs` other than epoch; TypeError for an epoch that is no integer.
        """
        self._check_epoch(epoch)
        key = training_key(config)
        check_epochs(config, epoch)
        if key not in self._position:
            raise ValueError(f"config {dict(config)!r} is not among the landscape's {len(self.configs)}")
        if seed not in self.seeds:
            raise ValueError(f"seed is {seed!r}; the landscape has {self.seeds}")
        where = self._position[key], self.seeds.index(seed), epoch - 1
        return float(self.val_loss[where]), float(self.val_accuracy[where])

    def table(self, epoch: int) -> pd.DataFrame:
        """Return one row for each configuration and seed: the configuration, seed, val_loss, val_accuracy."""
        self._check_epoch(epoch)
        rows = pd.DataFrame(self.configs).loc[np.repeat(np.arange(len(self.configs)), len(self.seeds))]
        return rows.reset_index(drop=True).assign(
            seed=np.tile(self.seeds, len(self.configs)),
            val_loss=self.val_loss[:, :, epoch - 1].ravel(),
            val_accuracy=self.val_accuracy[:, :, epoch - 1].ravel(),
        )

    def best(self, epoch: int) -> dict:
        """Return the configuration with the lowest validation loss at this epoch, averaged over the seeds.

        One that diverged under any seed is never the best; ValueError when all did.
        """
        self._check_epoch(epoch)
        means = self.val_loss[:, :, epoch - 1].mean(axis=1)
        if np.isnan(means).all():
            raise ValueError(f"every configuration diverged under some seed by epoch {epoch}")
        return self.configs[int(np.nanargmin(means))]

    def _check_epoch(self, epoch: int) -> None:
        if check_count("epoch", epoch) > self.n_epochs:
            raise ValueError(f"epoch is {epoch}; the landscape has {self.n_epochs}")

    def identity(self, config: Mapping) -> str:
        """Return what it takes for the same training, as `TrainingObjective` does."""
        return training_key(config)

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        for config, n_epochs, seed, _ in requests:
            try:
                loss, accuracy = self.lookup(config, n_epochs, seed)
            except (TypeError, ValueError) as error:
                yield Outcome(np.nan, reason=str(error), n_trained=0)
                continue
            curve = self.val_loss[self._position[training_key(config)], self.seeds.index(seed), :n_epochs]
            yield Outcome(loss, accuracy, failure_reason(curve))


def landscape(
    configs: Sequence[Mapping],
    splits: Splits,
    *,
    n_epochs: int,
    seeds: Sequence[int],
    progress: bool = False,
) -> Landscape:
    """Return the learning curves of every configuration under every seed, from the cache where they are in it.

    seeds: the training seeds, such as range(5). progress: show a bar while training.
    The cache is that of `hpt_helpers.cache`; the key is everything that determines the numbers: configurations,
    rows, epochs, seeds, and the source of all modules that training uses.
    Raises ValueError or TypeError for bad configurations or n_epochs, TypeError for seeds that are no sequence
    of integers, and ValueError for no configurations, no seeds or a negative one.
    """
    n_epochs = check_count("n_epochs", n_epochs)
    seeds = check_seeds(seeds)
    configs = [check_config(c, splits) for c in configs]
    if not configs or not seeds:
        raise ValueError(f"{len(configs)} configurations and {len(seeds)} seeds; at least one of each is needed")
    parts = (splits.X_train, splits.y_train, splits.X_val, splits.y_val)
    key = {"configs": configs, "seeds": seeds, "n_epochs": n_epochs, "code": population}
    curves = cached(
        key | {"splits": [part.numpy() for part in parts]},
        lambda: _train(configs, splits, n_epochs, seeds, progress),
    )
    return Landscape(configs, seeds, **curves)


def _train(
    configs: list[dict], splits: Splits, n_epochs: int, seeds: list[int], progress: bool
) -> dict[str, np.ndarray]:
    pairs = [(c, s) for c in configs for s in seeds]
    curves = fit_many([c for c, _ in pairs], splits, n_epochs=n_epochs, seed=[s for _, s in pairs], progress=progress)
    shape = (len(configs), len(seeds), n_epochs)
    return {"val_loss": curves.val_loss.reshape(shape), "val_accuracy": curves.val_accuracy.reshape(shape)}
