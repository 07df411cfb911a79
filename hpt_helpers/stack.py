"""The arithmetic of training a stack of networks: forward, backward and Adam, written out.

Every network is one slice of a tensor, its biases the first column of its weight matrices, in
`nn.Linear`'s (outputs, inputs) layout; rows of data are columns here, so that the long dimension
lies last in memory. `population.py` says which networks go into a stack.
"""

from __future__ import annotations

import numpy as np
import torch
from torch.nn.functional import pad


def train_stack(
    W1: torch.Tensor,
    W2: torch.Tensor,
    lr: torch.Tensor,
    batch: torch.Tensor,
    order: torch.Tensor,
    data: tuple[torch.Tensor, ...],
    split: np.ndarray,
    epochs_done: int,
) -> np.ndarray:
    """Train n networks in place, one epoch for each entry of `order`; return (3, n, n_epochs) curves.

    W1: (3, n, width, 1 + n_features), W2: (3, n, n_classes, 1 + width): weights and Adam's two moments.
    lr, batch: shape (n,), batch sizes ascending.
    order: (n, n_epochs, n_rows), the shuffled rows, numbered through all splits; n is 1 when all
        networks see the same rows, which is faster. split: the split of each, shape (n,) or (1,).
    data: X_train (n_splits, n_rows, 1 + n_features), y_train one-hot, X_val, y_val.
    The curves are training loss, validation loss and validation accuracy, as in `LearningCurve`.
    """
    (P1, M1, V1), (P2, M2, V2) = W1, W2
    n, (X, Y, X_val, y_val) = len(lr), data
    n_rows, x_val, y_val = X.shape[1], X_val[split].squeeze(0), y_val[split]
    X, Y = (pad(part.flatten(0, 1), (0, 0, 0, 1)) for part in (X, Y))  # row -1 is empty
    order = pad(order, (0, 1), value=-1)
    n_steps, plan = -(-n_rows // batch[:, None]), _minibatches(batch[: len(order)], n_rows)
    curves = np.empty((3, n, order.shape[1]))
    for k in range(order.shape[1]):
        step = ((epochs_done + k) * n_steps + torch.arange(1, len(plan) + 1)).double()
        root = (1 - 0.999**step).sqrt()
        scale = (1 - 0.9**step) / (lr[:, None] * root)
        loss = torch.zeros(n, dtype=torch.float64)
        for s, (n_active, position, weight) in enumerate(plan):
            rows = order[:n_active, k].gather(1, position)
            x, target = X[rows].squeeze(0), Y[rows].squeeze(0).mT
            on = slice(n_active if len(order) > 1 else n)
            hidden = torch.matmul(P1[on], x.mT).relu_()
            log_p = torch.baddbmm(P2[on, :, :1], P2[on, :, 1:], hidden).log_softmax(1)
            loss[on] -= (log_p * target).sum((1, 2))
            d_logits = log_p.exp_().sub_(target).mul_(weight)
            d_hidden = torch.bmm(P2[on, :, 1:].mT, d_logits).mul_(hidden.sign())
            d_W2 = torch.cat([d_logits.sum(2, keepdim=True), torch.bmm(d_logits, hidden.mT)], 2)
            corrections = root[on, s, None, None], scale[on, s, None, None]
            _adam(P1[on], M1[on], V1[on], torch.matmul(d_hidden, x), *corrections)
            _adam(P2[on], M2[on], V2[on], d_W2, *corrections)
        logits = torch.baddbmm(P2[:, :, :1], P2[:, :, 1:], torch.matmul(P1, x_val.mT).relu_())
        right = logits.gather(1, y_val[:, None].expand(n, -1, -1)).squeeze(1)
        curves[0, :, k] = loss / n_rows
        curves[1, :, k] = (logits.logsumexp(1) - right).mean(1)
        curves[2, :, k] = (logits.argmax(1) == y_val).double().mean(1)
    return curves


def _adam(W, mean, square, gradient, root, scale) -> None:
    """One step of Adam (Kingma & Ba 2015, algorithm 1) in place; lr and bias corrections are in root and scale."""
    mean.lerp_(gradient, 0.1)
    square.mul_(0.999).addcmul_(gradient, gradient, value=0.001)
    W.addcdiv_(mean, square.sqrt().add_(1e-8 * root).mul_(scale), value=-1)


def _minibatches(batch: torch.Tensor, n_rows: int) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    """Return, for each step of an epoch, (n_active, position, weight); batch: ascending sizes, shape (n,).

    The first n_active members still have rows left; position (n_active, size) says which of the
    shuffled rows they take, n_rows standing for none; weight (n_active, 1, size) is 1 / size of
    the member's own mini-batch.
    """
    plan = []
    for start in range(0, -(-n_rows // int(batch[0]))):
        size = batch[batch * start < n_rows, None]
        offset = torch.arange(int(size.max()))
        position = start * size + offset
        valid = (offset < size) & (position < n_rows)
        used = valid.any(0)
        position, valid = torch.where(valid, position, n_rows)[:, used], valid[:, used]
        plan.append((len(size), position, (valid / valid.sum(1, keepdim=True).double())[:, None]))
    return plan
