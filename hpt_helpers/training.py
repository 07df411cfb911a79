"""Train one configuration, in plain PyTorch: a lesson's trial, whose score is its `val_loss` at the
last epoch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

from hpt_helpers.config import as_count, as_seed, network_config
from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """Training runs, epoch by epoch: three float64 arrays of shape (n_configs, n_epochs).

    train_loss: mean cross-entropy over the epoch's mini-batches, each before its update (nats).
    val_loss, val_accuracy: on the validation rows after each epoch.
    From the first epoch whose validation loss is not finite, all three are nan.
    """

    train_loss: np.ndarray
    val_loss: np.ndarray
    val_accuracy: np.ndarray


@dataclass(frozen=True, eq=False)
class LearningCurve(LearningCurves):
    """One training run: arrays of shape (n_epochs,), and the trained model."""

    model: SimpleNN

    @property
    def failure(self) -> str:
        """Why the run counts as failed; empty when it did not."""
        return failure_reason(self.val_loss)


def fit(config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0) -> LearningCurve:
    """Train one configuration from scratch and return its learning curve.

    config: {"lr": float, "batch_size": int, "hidden_size": int = 16}; see `network_config`.
    n_epochs: passes over the training rows, at least 1. seed: of the initial weights and the
    shuffles. Two calls agree to the bit; torch's, numpy's and Python's global random states are
    neither read nor changed.
    A configuration that diverges is no exception: its curve turns nan and `failure` says when.
    Raises ValueError or TypeError for a bad config, n_epochs or seed.

    >>> from hpt_helpers.data import load_splits
    >>> curve = fit({"lr": 0.01, "batch_size": 16}, load_splits("iris"), n_epochs=20)
    >>> curve.val_loss.shape, bool(curve.val_loss[-1] < curve.val_loss[0])
    ((20,), True)
    """
    n_epochs = as_count("n_epochs", n_epochs)
    config = network_config(config, splits, n_epochs=n_epochs)
    model, optimizer, generator = start_training(config, splits, seed=seed)
    curves = np.full((3, n_epochs), np.nan)
    for epoch in range(n_epochs):
        train_loss = train_one_epoch(
            model, optimizer, splits.X_train, splits.y_train, config["batch_size"], generator
        )
        val_loss, val_accuracy = evaluate(model, splits.X_val, splits.y_val)
        if not math.isfinite(val_loss):
            break
        curves[:, epoch] = train_loss, val_loss, val_accuracy
    return LearningCurve(*curves, model)


def refit(config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0) -> SimpleNN:
    """Train the chosen configuration on training and validation rows together; return the model.

    The last step of a search, before the one test score: no choice is left for which validation
    rows are needed. Scaled as `splits` are. Arguments and errors as for `fit`.
    """
    X, y = map(torch.from_numpy, splits.search_rows())
    return fit(config, replace(splits, X_train=X, y_train=y), n_epochs=n_epochs, seed=seed).model


def start_training(
    config: Mapping, splits: Splits, *, seed: int = 0
) -> tuple[SimpleNN, optim.Adam, torch.Generator]:
    """Return a new model, its optimiser and the generator of its shuffles: all the state of a
    training run.

    Initial weights depend on seed and hidden_size only, shuffles on seed only (common random
    numbers). Torch trains on one thread afterwards. Raises ValueError or TypeError for a bad config
    or seed.
    """
    # on two busy cores, two threads train such small networks up to 20 times slower
    torch.set_num_threads(1)
    config = network_config(config, splits)
    weights, shuffles = seeded_generators(seed)
    model = SimpleNN(splits.n_features, splits.n_classes, config["hidden_size"], generator=weights)
    return model, optim.Adam(model.parameters(), lr=config["lr"]), shuffles


# an interrupt inside one of torch's optimisers may have left gradients switched off
@torch.enable_grad()
def train_one_epoch(
    model: nn.Module,
    optimizer: optim.Optimizer,
    X: Tensor,
    y: Tensor,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """Make one pass over the rows in shuffled mini-batches (the last may be smaller); return the
    mean loss.
    """
    total = 0.0
    for rows in torch.randperm(len(X), generator=generator).split(batch_size):
        loss = cross_entropy(model(X[rows]), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(X)


def evaluate(model: nn.Module, X: Tensor, y: Tensor) -> tuple[float, float]:
    """Return the mean cross-entropy (nats) and the accuracy of the model on these rows."""
    logits = model(X).detach()
    return cross_entropy(logits, y).item(), (logits.argmax(dim=1) == y).double().mean().item()


def seeded_generators(seed: int) -> tuple[torch.Generator, torch.Generator]:
    """Return the generators of initial weights and of shuffles: two streams for each seed, none
    shared.
    """
    seed = as_seed("seed", seed)
    return tuple(torch.Generator().manual_seed(2 * seed + stream) for stream in (0, 1))


def failure_reason(val_loss: np.ndarray) -> str:
    """Return why a run with these validation losses, shape (n_epochs,), counts as failed; empty if
    it does not.

    >>> failure_reason(np.array([0.7, np.nan, np.nan]))
    'diverged: validation loss not finite at epoch 2'
    """
    finite = np.isfinite(val_loss)
    return (
        ""
        if finite.all()
        else f"diverged: validation loss not finite at epoch {np.argmin(finite) + 1}"
    )
