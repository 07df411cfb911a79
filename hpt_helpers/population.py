"""Train many configurations at once, as stacked tensors: the same numbers as `fit`, tens of times faster.

TRIED
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import one_hot, pad
from tqdm.auto import tqdm

from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.stack import train_stack
from hpt_helpers.training import check_config, check_count, failure_reason, seeded_generators

STACK = 64  # networks trained as one stack: more of them fall out of the processor's cache
SMALL = 16  # fewer networks than this of one kind share a stack with networks of other kinds
CHUNK = 2048  # networks that `fit_many` holds at a time: what bounds its memory


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """Many learning curves: float64 arrays of shape (n_configs, n_epochs), each row as in `LearningCurve`."""

    train_loss: np.ndarray
    val_loss: np.ndarray
    val_accuracy: np.ndarray

    @property
    def failures(self) -> list[str]:
        """Why each run counts as failed; empty strings where it did not."""
        return [failure_reason(losses) for losses in self.val_loss]


class Population:
    """Networks in training, one for each configuration, all at the same epoch.

    configs: a sequence of configurations, in any mix of lr, batch_size and hidden_size.
    splits: one `Splits` for all, or one for each configuration, all of the same shape.
    seed: one for all, or one for each configuration. The same seed gives every configuration the
        same shuffles, and every configuration of one hidden size the same initial weights (common
        random numbers): luck that two configurations share cancels in their difference, so that
        comparisons are sharper than between runs that each had luck of their own.

    Raises ValueError or TypeError for a bad configuration, splits of different shapes, or a number
    of splits or seeds that is not the number of configurations.
    """

    def __init__(self, configs: Sequence[Mapping], splits: Splits | Sequence[Splits], *, seed: int | Sequence[int] = 0):
        if len(configs) == 0:
            raise ValueError("configs is empty; a population needs at least one configuration")
        split_of = _one_each("splits", splits, Splits, len(configs))
        seed_of = _one_each("seed", seed, int | np.integer, len(configs))
        self.configs = [check_config(c, s) for c, s in zip(configs, split_of, strict=True)]
        self.epoch = 0
        self._splits = list({id(s): s for s in split_of}.values())
        position = {id(s): i for i, s in enumerate(self._splits)}
        self._split_of = np.array([position[id(s)] for s in split_of])
        self._shuffles = {int(s): seeded_generators(s)[1] for s in set(seed_of)}
        self._seed_of = np.array(seed_of, dtype=np.int64)
        self._data = _stack_data(self._splits)
        self._W1, self._W2 = self._initial_weights()
        self._curves = np.empty((3, len(configs), 0))

    def _initial_weights(self) -> tuple[torch.Tensor, torch.Tensor]:
        # First index: the weights, then Adam's two moments. Last: the inputs, of which 0 is the bias.
        # Narrow networks are padded with units of weight 0, whose gradients are exactly 0.
        n, n_in, n_out = len(self), self._splits[0].n_features, self._splits[0].n_classes
        hidden_of = [c["hidden_size"] for c in self.configs]
        W1 = torch.zeros(3, n, max(hidden_of), n_in + 1, dtype=torch.float64)
        W2 = torch.zeros(3, n, n_out, max(hidden_of) + 1, dtype=torch.float64)
        members = {}
        for i, kind in enumerate(zip(self._seed_of.tolist(), hidden_of, strict=True)):
            members.setdefault(kind, []).append(i)
        for (seed, hidden), rows in members.items():
            network = SimpleNN(n_in, n_out, hidden, generator=seeded_generators(seed)[0]).requires_grad_(False)
            W1[0, rows, :hidden] = torch.hstack([network.hidden.bias[:, None], network.hidden.weight])
            W2[0, rows, :, : hidden + 1] = torch.hstack([network.output.bias[:, None], network.output.weight])
        return W1, W2

    def __len__(self) -> int:
        return len(self.configs)

    def __getitem__(self, indices: Sequence[int] | np.ndarray | slice) -> Population:
        """Return a new population of these members (integers, a boolean mask or a slice), which trains on alone."""
        rows = np.atleast_1d(np.arange(len(self))[indices])
        if len(rows) == 0:
            raise ValueError("indices select no member; a population needs at least one configuration")
        kept = object.__new__(Population)
        kept.configs = [self.configs[i] for i in rows]
        kept.epoch, kept._splits, kept._data = self.epoch, self._splits, self._data
        kept._split_of, kept._seed_of = self._split_of[rows], self._seed_of[rows]
        kept._shuffles = {s: self._shuffles[s].clone_state() for s in set(kept._seed_of.tolist())}
        kept._W1, kept._W2, kept._curves = self._W1[:, rows], self._W2[:, rows], self._curves[:, rows]
        return kept

    def train_to(self, epoch: int) -> Population:
        """Train every member on to this epoch, counted from the start; return the population itself."""
        epoch = check_count("epoch", epoch)
        if epoch < self.epoch:
            raise ValueError(f"epoch is {epoch}; the population has already been trained to {self.epoch}")
        n_new, n_rows = epoch - self.epoch, self._data[0].shape[1]
        if n_new:
            orders = {
                seed: torch.stack([torch.randperm(n_rows, generator=g) for _ in range(n_new)])
                for seed, g in self._shuffles.items()
            }
            new = np.empty((3, len(self), n_new))
            for members in self._stacks():
                new[:, members] = self._train_stack(members, orders)
            self._curves, self.epoch = np.concatenate([self._curves, new], axis=2), epoch
        return self

    def curves(self) -> LearningCurves:
        """Return the learning curves so far, arrays of shape (n_configs, epoch)."""
        failed = np.logical_or.accumulate(~np.isfinite(self._curves[1]), axis=1)
        return LearningCurves(*np.where(failed, np.nan, self._curves))

    def model(self, i: int) -> SimpleNN:
        """Return a copy of the i-th member as it stands."""
        hidden = self.configs[i]["hidden_size"]
        model = SimpleNN(self._splits[0].n_features, self._splits[0].n_classes, hidden, generator=torch.Generator())
        W1, W2 = self._W1[0, i, :hidden], self._W2[0, i, :, : hidden + 1]
        model.load_state_dict(
            {"hidden.weight": W1[:, 1:], "hidden.bias": W1[:, 0], "output.weight": W2[:, 1:], "output.bias": W2[:, 0]}
        )
        return model

    def state_dict(self) -> dict:
        """Return a copy of all that training changes: weights, Adam's moments, shuffles, curves, epoch."""
        shuffles = {seed: g.get_state() for seed, g in self._shuffles.items()}
        return {
            "W1": self._W1.clone(), "W2": self._W2.clone(), "shuffles": shuffles,
            "curves": self._curves.copy(), "epoch": self.epoch,
        }  # fmt: skip

    def load_state_dict(self, state: Mapping) -> None:
        """Take up a state saved by a population of the same configurations, splits and seeds."""
        if state["W1"].shape != self._W1.shape or state["shuffles"].keys() != self._shuffles.keys():
            raise ValueError("state is that of a population with other configurations, splits or seeds")
        self._W1, self._W2 = state["W1"].clone(), state["W2"].clone()
        self._curves, self.epoch = state["curves"].copy(), state["epoch"]
        for seed, generator in self._shuffles.items():
            generator.set_state(state["shuffles"][seed])

    def _stacks(self) -> Iterator[np.ndarray]:
        """Yield the indices of members to train together: of one kind where there are enough of it."""
        hidden, batch = (np.array([c[key] for c in self.configs]) for key in ("hidden_size", "batch_size"))
        kinds = np.array([hidden, batch, self._split_of, self._seed_of])
        order = np.lexsort(kinds[::-1])
        changes = np.flatnonzero(np.diff(kinds[:, order]).any(axis=0)) + 1
        groups = np.split(order, changes)
        small = [g for g in groups if len(g) < SMALL]
        for group in [g for g in groups if len(g) >= SMALL] + ([np.concatenate(small)] if small else []):
            for stack in np.array_split(group, -(-len(group) // STACK)):
                yield stack[np.argsort(batch[stack], kind="stable")]

    def _train_stack(self, members: np.ndarray, orders: Mapping[int, torch.Tensor]) -> np.ndarray:
        """Train these members, sorted by batch size, through `orders`; return their curves (3, n, n_epochs)."""
        configs = [self.configs[i] for i in members]
        width = max(c["hidden_size"] for c in configs)
        W1, W2 = self._W1[:, members, :width], self._W2[:, members, :, : width + 1]
        lr = torch.tensor([c["lr"] for c in configs], dtype=torch.float64)
        batch = torch.tensor([c["batch_size"] for c in configs])
        split, (seeds, which) = self._split_of[members], np.unique(self._seed_of[members], return_inverse=True)
        # Members alike in batch size, split and seed see the same rows: one copy serves them all.
        alike = len(seeds) == 1 and (split == split[0]).all() and bool((batch == batch[0]).all())
        rows = slice(0, 1) if alike else slice(None)
        order = torch.stack([orders[s] for s in seeds.tolist()])[which[rows]]
        order = order + self._data[0].shape[1] * torch.from_numpy(split[rows])[:, None, None]
        curves = train_stack(W1, W2, lr, batch, order, self._data, split[rows], self.epoch)
        self._W1[:, members, :width], self._W2[:, members, :, : width + 1] = W1, W2
        return curves


def _stack_data(splits: Sequence[Splits]) -> tuple[torch.Tensor, ...]:
    """Return X_train and X_val with a leading 1 for the bias, y_train one-hot, y_val; first index: the split."""
    shapes = {(tuple(s.X_train.shape), tuple(s.X_val.shape), s.n_classes) for s in splits}
    if len(shapes) > 1:
        raise ValueError(f"splits have the shapes {sorted(shapes)}; one population needs one shape")
    X, y, X_val, y_val = (
        torch.stack([getattr(s, part) for s in splits]) for part in ("X_train", "y_train", "X_val", "y_val")
    )
    return pad(X, (1, 0), value=1.0), one_hot(y, splits[0].n_classes).double(), pad(X_val, (1, 0), value=1.0), y_val


def _one_each(name: str, value, kind: type, n: int) -> list:
    values = [value] * n if isinstance(value, kind) else list(value)
    if len(values) != n:
        raise ValueError(f"{name} has {len(values)} entries; there are {n} configurations")
    return values


def fit_many(
    configs: Sequence[Mapping],
    splits: Splits | Sequence[Splits],
    *,
    n_epochs: int,
    seed: int | Sequence[int] = 0,
    progress: bool = False,
) -> LearningCurves:
    """Train every configuration as `fit` does, together; return curves of shape (n_configs, n_epochs).

    Losses agree with `fit`'s within 1e-9 and accuracies exactly where training is well conditioned
    (learning rates up to the data set's `max_lr`). Arguments as for `Population`; progress shows a
    bar. Memory is bounded: CHUNK configurations are in training at a time.
    """
    n_epochs, n = check_count("n_epochs", n_epochs), len(configs)
    splits, seeds = _one_each("splits", splits, Splits, n), _one_each("seed", seed, int | np.integer, n)
    parts = []
    for i in tqdm(range(0, n, CHUNK), disable=not progress, leave=False, unit="chunk"):
        part = slice(i, i + CHUNK)
        parts.append(Population(configs[part], splits[part], seed=seeds[part]).train_to(n_epochs).curves())
    return LearningCurves(
        *(np.concatenate([getattr(p, name) for p in parts]) for name in ("train_loss", "val_loss", "val_accuracy"))
    )


def rounding_sensitivity(config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0) -> np.ndarray:
    """Return how far a nudge of 1e-15 in the initial weights moves the validation loss, shape (n_epochs,).

    The same training twice, the second from nudged weights; the absolute difference at each epoch.
    Where it stays below 1e-9, any other machine repeats the numbers; where it grows to the size of
    the loss, the same seed no longer means the same result, because processors round differently.
    """
    pair = Population([config, config], splits, seed=seed)
    for weights in (pair._W1, pair._W2):
        weights[0, 1] += 1e-15
    return np.abs(np.diff(pair.train_to(n_epochs).curves().val_loss, axis=0))[0]
