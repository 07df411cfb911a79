"""Train one configuration in plain PyTorch: a trial, whose score is its last validation loss."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy

from hpt_helpers.arguments import as_count, as_seed
from hpt_helpers.config import DEFAULTS, network_config
from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.threads import one_thread


@dataclass(frozen=True, eq=False)
class LearningCurves:
    """Training runs, epoch by epoch: three float64 arrays of shape (n_configs, n_epochs).

    train_loss: the mean cross-entropy over the mini-batches of the epoch, in nats. The loss of a
        batch is taken before its update, and with the configuration's label smoothing.
    val_loss, val_accuracy: cross-entropy and accuracy on the validation rows after each epoch.
    From the first epoch whose validation loss is not finite, all three are nan.
    """

    train_loss: np.ndarray
    val_loss: np.ndarray
    val_accuracy: np.ndarray


@dataclass(frozen=True, eq=False)
class LearningCurve(LearningCurves):
    """One training run: three arrays of shape (n_epochs,), and the trained model."""

    model: SimpleNN

    @property
    def failure(self) -> str:
        """Why the run counts as failed. Empty when it did not fail."""
        return failure_reason(self.val_loss)


@one_thread()
def fit(config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0) -> LearningCurve:
    """Train one configuration from scratch and return its learning curve.

    n_epochs: how often training passes over the training rows, at least once.
    seed: decides the initial weights and the order of the training rows. Two calls agree to the
        bit. The global random states of torch, numpy and Python are neither read nor changed.
    config: a mapping of these entries, of which the first two are needed.

    - lr: the learning rate of Adam (Kingma & Ba 2015).
    - batch_size: how many rows a mini-batch has. The last of an epoch may have fewer.
    - hidden_size (16): how many hidden units the network has.
    - weight_decay (0): decoupled from the gradient, as in AdamW (Loshchilov & Hutter 2019). Each
      step multiplies all weights and biases by 1 - lr · weight_decay.
    - beta1 (0.9): how much of the mean gradient Adam keeps at each step.
    - label_smoothing (0): the share of each label that is spread evenly over all classes
      (Szegedy et al. 2016). It is used in training only, and validation losses are without it.
    - init_scale (1): a factor of the initial weights of both layers, but not of their biases.

    A configuration that diverges raises nothing. Its curve turns nan, and `failure` says when.
    Raises ValueError or TypeError for a bad config, n_epochs or seed.

    >>> from hpt_helpers.data import load_splits
    >>> curve = fit({"lr": 0.01, "batch_size": 16}, load_splits("iris"), n_epochs=20)
    >>> curve.val_loss.shape, bool(curve.val_loss[-1] < curve.val_loss[0])
    ((20,), True)
    """
    n_epochs = as_count("n_epochs", n_epochs)
    config = DEFAULTS | network_config(config, splits, n_epochs=n_epochs)
    model, optimizer, shuffles = start_training(config, splits, seed=seed)
    curves = np.full((3, n_epochs), np.nan)
    for epoch in range(n_epochs):
        train_loss = train_one_epoch(
            config, model, optimizer, splits.X_train, splits.y_train, shuffles
        )
        val_loss, val_accuracy = evaluate(model, splits.X_val, splits.y_val)
        if not math.isfinite(val_loss):
            break
        curves[:, epoch] = train_loss, val_loss, val_accuracy
    return LearningCurve(*curves, model=model)


def refit(config: Mapping, splits: Splits, *, n_epochs: int, seed: int = 0) -> SimpleNN:
    """Train the chosen configuration on training and validation rows together; return the model.

    This is the last step of a search, before the one test score: no choice is left for which
    validation rows are needed. The features stay scaled as they are in `splits`. Arguments and
    errors are those of `fit`.
    """
    X, y = splits.search_rows()
    together = replace(splits, X_train=torch.from_numpy(X), y_train=torch.from_numpy(y))
    return fit(config, together, n_epochs=n_epochs, seed=seed).model


def start_training(
    config: Mapping, splits: Splits, *, seed: int = 0
) -> tuple[SimpleNN, optim.AdamW, torch.Generator]:
    """Return a new model, its optimiser and the generator that shuffles: all that training changes.

    The initial weights depend on seed, hidden_size and init_scale, the shuffles on the seed only.
    So configurations that are trained with the same seed share their luck (common random numbers).
    Raises ValueError or TypeError for a bad config or seed.
    """
    config = DEFAULTS | network_config(config, splits)
    weights, shuffles = seeded_generators(seed)
    model = SimpleNN(
        splits.n_features,
        splits.n_classes,
        config["hidden_size"],
        init_scale=config["init_scale"],
        generator=weights,
    )
    optimizer = optim.AdamW(  # without weight decay, it is Adam
        model.parameters(),
        lr=config["lr"],
        betas=(config["beta1"], 0.999),
        weight_decay=config["weight_decay"],
    )
    return model, optimizer, shuffles


@one_thread()
@torch.enable_grad()  # an interrupt of torch's optimisers can leave gradients switched off
def train_one_epoch(
    config: Mapping,
    model: nn.Module,
    optimizer: optim.Optimizer,
    X: Tensor,
    y: Tensor,
    generator: torch.Generator,
) -> float:
    """Make one pass over the rows in shuffled mini-batches, and return the mean loss in nats.

    config: the one that `start_training` made the model, optimizer and generator for, and of which
    this reads what else an epoch needs. The last mini-batch may be smaller. A loss is that of its
    batch before the update.
    """
    config, total = {**DEFAULTS, **config}, 0.0
    for rows in torch.randperm(len(X), generator=generator).split(config["batch_size"]):
        loss = cross_entropy(model(X[rows]), y[rows], label_smoothing=config["label_smoothing"])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(X)


@one_thread()
def evaluate(model: nn.Module, X: Tensor, y: Tensor) -> tuple[float, float]:
    """Return the mean cross-entropy (nats) and the accuracy of the model on these rows."""
    logits = model(X).detach()
    loss = cross_entropy(logits, y).item()
    accuracy = (logits.argmax(dim=1) == y).double().mean().item()
    return loss, accuracy


def seeded_generators(seed: int) -> tuple[torch.Generator, torch.Generator]:
    """Return the generator of the initial weights and that of the shuffles.

    No two seeds share a stream of random numbers, and neither do the two generators of one seed.
    Raises TypeError for a seed that is no integer, ValueError for one outside 0 to 2**62 - 1.
    """
    seed = as_seed("seed", seed)
    weights = torch.Generator().manual_seed(2 * seed)
    shuffles = torch.Generator().manual_seed(2 * seed + 1)
    return weights, shuffles


def failure_reason(val_loss: np.ndarray) -> str:
    """Return why a run with these validation losses, shape (n_epochs,), counts as failed.

    The reason is empty when the run did not fail.

    >>> failure_reason(np.array([0.7, np.nan, np.nan]))
    'diverged: validation loss not finite at epoch 2'
    """
    finite = np.isfinite(val_loss)
    if finite.all():
        return ""
    return f"diverged: validation loss not finite at epoch {np.argmin(finite) + 1}"
