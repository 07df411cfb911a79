"""Whole landscapes: the learning curves of many configurations under many seeds, computed once and kept on disk."""

from __future__ import annotations

import hashlib
import json
import operator
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
import platformdirs

from hpt_helpers import config as config_module
from hpt_helpers import data, model, population, stack, training
from hpt_helpers.config import check_config, check_count, check_epochs, training_key
from hpt_helpers.data import Splits
from hpt_helpers.population import fit_many
from hpt_helpers.search import Outcome, Request
from hpt_helpers.training import failure_reason

_warned_folders: set[Path] = set()


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
        losses, accuracies = self._curves(config, epoch, seed)
        return float(losses[-1]), float(accuracies[-1])

    def _curves(self, config: Mapping, epoch: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return val_loss and val_accuracy up to this epoch, each of shape (epoch,)."""
        self._check_epoch(epoch)
        key = training_key(config)
        check_epochs(config, epoch)
        if key not in self._position:
            raise ValueError(f"config {dict(config)!r} is not among the landscape's {len(self.configs)}")
        if seed not in self.seeds:
            raise ValueError(f"seed is {seed!r}; the landscape has {self.seeds}")
        where = self._position[key], self.seeds.index(seed), slice(epoch)
        return self.val_loss[where], self.val_accuracy[where]

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
                losses, accuracies = self._curves(config, n_epochs, seed)
            except (TypeError, ValueError) as error:
                yield Outcome(np.nan, reason=str(error), n_trained=0)
            else:
                yield Outcome(losses[-1], accuracies[-1], failure_reason(losses))


def landscape(
    configs: Sequence[Mapping],
    splits: Splits,
    *,
    n_epochs: int,
    seeds: int | Sequence[int],
    progress: bool = False,
) -> Landscape:
    """Return the learning curves of every configuration under every seed, from the cache where they are in it.

    seeds: the training seeds, or their number (5 means 0 to 4). progress: show a bar while training.
    The cache is the user's cache directory, or HPT_CACHE_DIR. An entry is named by everything that
    determines its numbers, the source of the training modules among it. A damaged entry is
    computed again; a folder that cannot be written, or that others could have written, is not used:
    both give a warning. Raises ValueError or TypeError for bad configurations, n_epochs or seeds.
    """
    n_epochs = check_count("n_epochs", n_epochs)
    seeds = list(range(seeds)) if isinstance(seeds, int) else [operator.index(s) for s in seeds]
    configs = [check_config(c, splits) for c in configs]
    if not configs or not seeds:
        raise ValueError(f"{len(configs)} configurations and {len(seeds)} seeds; at least one of each is needed")
    shape = (len(configs), len(seeds), n_epochs)
    folder = _cache_folder()
    entry = folder / f"{_digest(configs, splits, n_epochs, seeds)}.npz" if folder else None
    arrays = _read(entry, shape)
    if arrays is None:
        pairs = [(c, s) for c in configs for s in seeds]
        curves = fit_many(
            [c for c, _ in pairs], splits, n_epochs=n_epochs, seed=[s for _, s in pairs], progress=progress
        )
        arrays = curves.val_loss.reshape(shape), curves.val_accuracy.reshape(shape)
        _write(entry, arrays)
    return Landscape(configs, seeds, *arrays)


def _digest(configs: list[dict], splits: Splits, n_epochs: int, seeds: list[int]) -> str:
    digest = hashlib.sha256(json.dumps([configs, n_epochs, seeds], sort_keys=True).encode())
    for part in (splits.X_train, splits.y_train, splits.X_val, splits.y_val):
        digest.update(repr(tuple(part.shape)).encode() + part.numpy().tobytes())
    for module in (config_module, data, model, training, stack, population):
        digest.update(Path(module.__file__).read_bytes())
    return digest.hexdigest()


def _cache_folder() -> Path | None:
    """Return the cache folder, private to this user, or None, with one warning, when there can be none."""
    folder = Path(os.environ.get("HPT_CACHE_DIR") or platformdirs.user_cache_dir("hpt_helpers", appauthor=False))
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            found = folder.stat()
            if found.st_uid != os.getuid() or found.st_mode & 0o022:
                raise PermissionError("it belongs to another user or others may write to it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("it cannot be written")
    except OSError as error:
        _warn_no_cache(folder, error)
        return None
    return folder


def _warn_no_cache(folder: Path, error: Exception) -> None:
    if folder not in _warned_folders:
        _warned_folders.add(folder)
        warnings.warn(f"no cache in {folder}: {error}; curves are computed anew each time", stacklevel=4)


def _read(entry: Path | None, shape: tuple) -> tuple[np.ndarray, np.ndarray] | None:
    if entry is None or not entry.exists():
        return None
    try:
        with open(entry, "rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = stored["val_loss"], stored["val_accuracy"]
        if any(a.shape != shape or a.dtype != np.float64 for a in arrays):
            raise ValueError("wrong shape or type")
    except Exception as error:  # a damaged archive can fail in any way; all mean: compute it again
        warnings.warn(f"cache entry {entry.name[:12]}… is damaged ({error}); computing it again", stacklevel=3)
        return None
    return arrays


def _write(entry: Path | None, arrays: tuple[np.ndarray, np.ndarray]) -> None:
    if entry is None:
        return
    try:
        with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".tmp", delete=False) as unfinished:
            try:
                np.savez(unfinished, val_loss=arrays[0], val_accuracy=arrays[1])
            except BaseException:
                os.unlink(unfinished.name)
                raise
        os.replace(unfinished.name, entry)
    except OSError as error:
        _warn_no_cache(entry.parent, error)
