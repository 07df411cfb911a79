"""Whole landscapes: the learning curves of many configurations under many seeds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count, as_seeds
from hpt_helpers.classroom.lab.trainer import Data, Job, as_data, train
from hpt_helpers.config import network_config, training_key
from hpt_helpers.search import Outcome, Request
from hpt_helpers.training import failure_reason
from hpt_helpers.trials import best


@dataclass(frozen=True, eq=False)
class Landscape:
    """Learning curves of every configuration under every seed; an objective for
    `hpt_helpers.search.run`.

    val_loss, val_accuracy: float64, shape (n_configs, n_seeds, n_epochs), nan where training
    diverged.
    Made from one Splits for each seed, a seed stands for a repeat: a draw of rows and a training
    seed. A search over it is charged the epochs that training would have cost. What it does not
    hold is refused, a failed trial for nothing.
    """

    identity = staticmethod(training_key)
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
        """Return (val_loss, val_accuracy) of a configuration at an epoch (counted from 1) under a
        seed.

        Raises ValueError when the landscape does not hold the configuration, the epoch or the seed,
        and when the configuration has an entry `epochs` other than epoch; TypeError for an epoch
        that is no integer.
        """
        losses, accuracies = self._curves(config, epoch, seed)
        return float(losses[-1]), float(accuracies[-1])

    def _curves(self, config: Mapping, epoch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return val_loss and val_accuracy up to this epoch, each of shape (epoch,)."""
        as_count("epoch", epoch, most=self.n_epochs)
        key = training_key(config)
        if config.get("epochs", epoch) != epoch:
            raise ValueError(f"config['epochs'] is {config['epochs']!r}, but n_epochs is {epoch}")
        if key not in self._position:
            raise ValueError(
                f"config {dict(config)!r} is not among the landscape's {len(self.configs)}"
            )
        if seed not in self.seeds:
            raise ValueError(f"seed is {seed!r}; the landscape has {self.seeds}")
        where = self._position[key], self.seeds.index(seed), slice(epoch)
        return self.val_loss[where], self.val_accuracy[where]

    def table(self, epochs: int | Sequence[int]) -> pd.DataFrame:
        """Return a tidy table: the configuration, epochs, seed, val_loss and val_accuracy of each
        in turn.

        epochs: one epoch (counted from 1) or several. Rows are sorted by epoch, then as configs,
        then as seeds. Raises ValueError for an epoch that the landscape does not have, and for
        none.
        """
        tables, rows = (
            [],
            pd.DataFrame(self.configs).loc[
                np.repeat(np.arange(len(self.configs)), len(self.seeds))
            ],
        )
        seed = np.tile(self.seeds, len(self.configs))
        for epoch in np.atleast_1d(epochs).tolist():
            as_count("epoch", epoch, most=self.n_epochs)
            loss, accuracy = (
                curves[:, :, epoch - 1].ravel() for curves in (self.val_loss, self.val_accuracy)
            )
            tables.append(
                rows.assign(epochs=epoch, seed=seed, val_loss=loss, val_accuracy=accuracy)
            )
        return pd.concat(tables, ignore_index=True)

    def losses(self, config: Mapping, epoch: int) -> np.ndarray:
        """Return the validation losses of a configuration at an epoch, shape (n_seeds,).

        Raises as `lookup`.
        """
        return np.array([self.lookup(config, epoch, seed)[0] for seed in self.seeds])

    def best(self, epoch: int, **fixed) -> dict:
        """Return the configuration with the lowest validation loss at this epoch, averaged over the
        seeds.

        fixed: values that it has to have, such as batch_size=16. One that diverged under any seed
        is never the best. Raises ValueError when all did, when none has these values, and for an
        epoch that the landscape lacks.
        """
        means = self.val_loss[:, :, as_count("epoch", epoch, most=self.n_epochs) - 1].mean(axis=1)
        having = [all(c.get(name) == value for name, value in fixed.items()) for c in self.configs]
        means[~np.array(having)] = np.nan
        if np.isnan(means).all():
            raise ValueError(
                f"no configuration with {fixed} is there "
                f"that reached epoch {epoch} under every seed"
            )
        return self.configs[best(means)]

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        for config, n_epochs, seed, _ in requests:
            try:
                losses, accuracies = self._curves(config, n_epochs, seed)
            except (TypeError, ValueError) as error:
                yield Outcome(np.nan, reason=str(error), n_trained=0)
            else:
                yield Outcome(losses[-1], accuracies[-1], failure_reason(losses))


def trained_landscape(
    data: Data | str,
    configs: Iterable[Mapping],
    *,
    n_epochs: int,
    seeds: Sequence[int],
    draws: int | Sequence[int] | None = None,
    progress: bool = False,
) -> Landscape:
    """Return the learning curves of every configuration under every seed, as `train` has them.

    seeds: the training seeds, such as range(5). draws: the draw of the rows, one for all seeds or
    one for each; None for the draw of the same number, so that a seed is a repeat. progress: show a
    bar while training.
    Raises ValueError or TypeError for bad configurations, n_epochs or seeds, for none of them, and
    for another number of draws than of seeds.
    """
    seeds = as_seeds(seeds)
    draws = [draws] * len(seeds) if isinstance(draws, int) else draws
    draws = seeds if draws is None else as_seeds(draws)
    if len(draws) != len(seeds):
        raise ValueError(f"draws has {len(draws)} entries; there are {len(seeds)} seeds")
    configs = [network_config(config) for config in configs]
    if not configs or not seeds:
        raise ValueError(
            f"{len(configs)} configurations and {len(seeds)} seeds; at least one of each is needed"
        )
    data, runs = as_data(data), list(zip(draws, seeds, strict=True))
    jobs = [Job(data, config, *run, n_epochs) for config in configs for run in runs]
    curves, shape = train(jobs, progress=progress), (len(configs), len(seeds), n_epochs)
    return Landscape(
        configs, seeds, curves.val_loss.reshape(shape), curves.val_accuracy.reshape(shape)
    )
