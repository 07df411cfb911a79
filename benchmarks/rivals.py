"""The other ways to train many small networks that `benchmarks.training` compares populations with.

Each takes configurations as `fit_many` does, trains every one for n_epochs, validates after each
epoch where its library makes that possible, and returns the last validation losses, shape
(n_configs,).
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.utils.data import DataLoader, TensorDataset

from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.population import fit_many


def population(configs: Sequence[Mapping], splits: Splits, n_epochs: int) -> np.ndarray:
    """The course's own: all together, in float64."""
    return fit_many(configs, splits, n_epochs=n_epochs).val_loss[:, -1]


def classic_loop(configs: Sequence[Mapping], splits: Splits, n_epochs: int) -> np.ndarray:
    """One network after another: DataLoader, nn.Module, optim.Adam, in float32."""
    X_val, criterion, losses = splits.X_val.float(), nn.CrossEntropyLoss(), []
    train = TensorDataset(splits.X_train.float(), splits.y_train)
    for config in configs:
        model = SimpleNN(splits.n_features, splits.n_classes, config["hidden_size"]).float()
        optimizer = torch.optim.Adam(model.parameters(), lr=config["lr"])
        loader = DataLoader(train, batch_size=config["batch_size"], shuffle=True)
        for _ in range(n_epochs):
            train_loss = 0.0
            for X, y in loader:
                optimizer.zero_grad()
                loss = criterion(model(X), y)
                loss.backward()
                optimizer.step()
                train_loss += loss.item() * len(y)
            with torch.no_grad():
                logits = model(X_val)
                val_loss = criterion(logits, splits.y_val).item()
                (logits.argmax(dim=1) == splits.y_val).float().mean().item()
        losses.append(val_loss)
    return np.array(losses)


def vmap_ensemble(configs: Sequence[Mapping], splits: Splits, n_epochs: int) -> np.ndarray:
    """Networks of one kind as an ensemble, as in PyTorch's tutorial "Model ensembling", in float32.

    stack_module_state makes parameters that go straight into an optimiser, which knows one learning
    rate: every network of a kind has that of the first, which spares this side some work.
    """
    losses, kinds = np.empty(len(configs)), {}
    for i, config in enumerate(configs):
        kinds.setdefault((config["batch_size"], config["hidden_size"]), []).append(i)
    for (batch_size, hidden_size), members in kinds.items():
        models = [
            SimpleNN(splits.n_features, splits.n_classes, hidden_size).float() for _ in members
        ]
        lr = configs[members[0]]["lr"]
        losses[members] = _train_ensemble(models, splits, lr, batch_size, n_epochs)
    return losses


def _train_ensemble(
    models: list[nn.Module], splits: Splits, lr: float, batch_size: int, n_epochs: int
) -> np.ndarray:
    skeleton = copy.deepcopy(models[0]).to("meta")
    params, buffers = stack_module_state(models)
    optimizer = torch.optim.Adam(params.values(), lr=lr)
    X_train, X_val, y_val = (
        splits.X_train.float(),
        splits.X_val.float(),
        splits.y_val.expand(len(models), -1),
    )

    def call_one(params, buffers, x):
        return functional_call(skeleton, (params, buffers), (x,))

    forward = vmap(call_one, in_dims=(0, 0, None))
    criterion = nn.CrossEntropyLoss(reduction="none")
    for _ in range(n_epochs):
        train_loss = torch.zeros(len(models))
        for rows in torch.randperm(len(X_train)).split(batch_size):
            logits = forward(params, buffers, X_train[rows])
            loss = criterion(logits.mT, splits.y_train[rows].expand(len(models), -1)).mean(dim=1)
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
            train_loss += loss.detach() * len(rows)
        with torch.no_grad():
            logits = forward(params, buffers, X_val)
            val_loss = criterion(logits.mT, y_val).mean(dim=1)
            (logits.argmax(dim=2) == y_val).float().mean(dim=1)
    return val_loss.numpy()


def mlp_classifier(configs: Sequence[Mapping], splits: Splits, n_epochs: int) -> np.ndarray:
    """scikit-learn's MLPClassifier, one after another; it validates at the end only.

    tol and n_iter_no_change keep it from stopping early, so that it does every epoch.
    """
    X, y, losses = splits.X_train.numpy(), splits.y_train.numpy(), []
    for config in configs:
        model = MLPClassifier(
            (config["hidden_size"],),
            solver="adam",
            alpha=0.0,
            batch_size=config["batch_size"],
            learning_rate_init=config["lr"],
            max_iter=n_epochs,
            tol=0.0,
            n_iter_no_change=n_epochs + 1,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # says that it went to max_iter
            model.fit(X, y)
        if model.n_iter_ != n_epochs:
            raise RuntimeError(f"MLPClassifier stopped after {model.n_iter_} of {n_epochs} epochs")
        losses.append(
            log_loss(splits.y_val, model.predict_proba(splits.X_val.numpy()), labels=model.classes_)
        )
    return np.array(losses)
