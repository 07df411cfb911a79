"""Stacks of networks: which train together, and the arithmetic: forward, backward and Adam, written
out.

Every network is one slice of a tensor, in `nn.Linear`'s (outputs, inputs) layout. Biases are the
weights of an input that is always 1: a leading 1 in every row of data, and a hidden unit 0 whose
own weights (1, 0, …, 0) are never changed. Rows of data are columns here, so that the long
dimension lies last in memory.
"""

from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding, one_hot, pad

from hpt_helpers.data import Splits


def stack_data(splits: Sequence[Splits]) -> tuple[Tensor, ...]:
    """Return the data of all splits as `train_stack` takes it; every row has a leading 1, the input
    of the biases.

    rows: (n_splits · n_rows + 1, 1 + n_features + n_classes), the training rows, each with its
    one-hot
        label, and a row of zeros at the end.
    X_val: (n_splits, n_val, 1 + n_features). y_val: (n_splits, n_val).
    Raises ValueError for splits of different shapes.
    """
    shapes = {(tuple(s.X_train.shape), tuple(s.X_val.shape), s.n_classes) for s in splits}
    if len(shapes) > 1:
        raise ValueError(f"splits have the shapes {sorted(shapes)}; one population needs one shape")
    X, y, X_val, y_val = map(torch.stack, zip(*(s.seen for s in splits), strict=True))
    rows = torch.cat([pad(X, (1, 0), value=1.0), one_hot(y, splits[0].n_classes)], dim=2).flatten(
        0, 1
    )
    return pad(rows, (0, 0, 0, 1)), pad(X_val, (1, 0), value=1.0), y_val


def share_out(kinds: np.ndarray, size: int, small: int) -> Iterator[np.ndarray]:
    """Yield the members to train together, indices sorted by batch size: those that share most, if
    enough do.

    kinds: (4, n): hidden size, batch size, split and seed of each member.
    size: about so many form a stack. small: members are mixed with others where fewer than this are
    alike.
    """
    left = np.arange(kinds.shape[1])
    # Alike in all: they see the same rows. In both sizes: nothing is padded. In all but hidden
    # size: the same rows.
    for shared in ([0, 1, 2, 3], [0, 1], [1, 2, 3], []):
        left = left[np.lexsort([*kinds[::-1, left], *kinds[shared][:, left]])]
        groups = np.split(left, np.flatnonzero(np.diff(kinds[shared][:, left]).any(axis=0)) + 1)
        large = [len(group) >= (small if shared else 1) for group in groups]
        for group in compress(groups, large):
            for stack in np.array_split(group, max(1, round(len(group) / size))):
                yield stack[np.argsort(kinds[1, stack], kind="stable")]
        left = left[~np.repeat(large, [len(group) for group in groups])]


def train_stack(
    W1: Tensor,
    W2: Tensor,
    lr: Tensor,
    batch: Tensor,
    order: Tensor,
    data: Sequence[Tensor],
    split: Tensor,
    done: int,
) -> np.ndarray:
    """Train n networks in place, one epoch for each entry of `order`; return `LearningCurves` as
    (3, n, n_epochs).

    W1: (3, n, 1 + width, 1 + n_features), W2: (3, n, n_classes, 1 + width): weights and Adam's two
    moments.
    lr, batch: shape (n,), batch sizes ascending.
    order: (n, n_epochs, n_rows), the shuffled rows, numbered through all splits; n is 1 when all
        networks see the same rows, which is faster. split: the split of each, shape (n,) or (1,).
    data: from `stack_data`. done: the epochs that the networks have been trained for already.
    """
    (rows, X_val, y_val), (n, n_in) = data, (len(lr), W1.shape[3])
    n_epochs, n_rows = order.shape[1:]
    order, batch, lr = (
        pad(order, (0, 1), value=len(rows) - 1),
        batch[:, None, None],
        lr[:, None, None],
    )
    x_val, y_val = X_val[split].squeeze(0).mT, y_val[split]
    curves, loss = np.empty((3, n, n_epochs)), torch.empty(n, dtype=torch.float64)
    plan = []
    for n_active, position, weight in _minibatches(batch[: len(order), 0], n_rows):
        on = slice(n_active if len(order) > 1 else n)
        plan.append(
            (
                on,
                W1[:, on].unbind(),
                W2[:, on].unbind(),
                loss[on],
                order[:n_active],
                position,
                weight,
            )
        )
    steps = torch.arange(1, len(plan) + 1, dtype=torch.float64)[:, None, None, None]
    for k in range(n_epochs):
        step = (done + k) * -(-n_rows // batch) + steps
        per_lr = (1 - 0.9**step) / lr
        scale, eps = per_lr / (1 - 0.999**step).sqrt(), per_lr * 1e-8
        loss.zero_()
        for s, (on, layer1, layer2, loss_on, order_on, position, weight) in enumerate(plan):
            batch_rows = embedding(order_on[:, k].gather(1, position), rows).squeeze(0)
            x, target = batch_rows[..., :n_in], batch_rows[..., n_in:].mT
            hidden = torch.matmul(layer1[0], x.mT).relu_()
            log_p = torch.bmm(layer2[0], hidden).log_softmax(1)
            loss_on.sub_((log_p * target).sum((1, 2)))
            d_logits = log_p.exp_().sub_(target).mul_(weight)
            d_hidden = torch.bmm(layer2[0].mT, d_logits)
            d_W2 = torch.bmm(d_logits, hidden.mT)
            d_W1 = torch.matmul(d_hidden.mul_(hidden.sign_()), x)
            d_W1[:, 0] = 0  # unit 0 stays the constant 1
            _adam(*layer1, d_W1, scale[s, on], eps[s, on])
            _adam(*layer2, d_W2, scale[s, on], eps[s, on])
        logits = torch.bmm(W2[0], torch.matmul(W1[0], x_val).relu_())
        curves[0, :, k] = loss / n_rows
        curves[1, :, k] = (
            -logits.log_softmax(1).gather(1, y_val[:, None].expand(n, -1, -1)).mean((1, 2))
        )
        # argmax takes many times as long
        curves[2, :, k] = (logits.max(1).indices == y_val).double().mean(1)
    return curves


def _adam(W, mean, square, gradient, scale, eps) -> None:
    """One step of Adam (Kingma & Ba 2015, algorithm 1) in place; scale and eps hold lr and the bias
    corrections.

    gradient is overwritten. numpy's sqrt: torch's rsqrt takes twice as long on one processor, its
    sqrt on another.
    """
    mean.lerp_(gradient, 0.1)
    square.lerp_(gradient.square_(), 0.001)
    np.sqrt(square.numpy(), out=gradient.numpy())
    W.addcdiv_(mean, gradient.mul_(scale).add_(eps), value=-1)


def _minibatches(batch: Tensor, n_rows: int) -> list[tuple[int, Tensor, Tensor]]:
    """Return, for each step of an epoch, (n_active, position, weight); batch: ascending sizes,
    shape (n, 1).

    The first n_active members still have rows left; position (n_active, size) says which of the
    shuffled rows they take, n_rows standing for none; weight (n_active, 1, size) is 1 / size of the
    member's own mini-batch.
    """
    plan = []
    for start in range(-(-n_rows // int(batch[0]))):
        size = batch[batch[:, 0] * start < n_rows]
        offset = torch.arange(int(size.max()))
        position = start * size + offset
        valid = (offset < size) & (position < n_rows)
        used = valid.any(0)
        position, valid = torch.where(valid, position, n_rows)[:, used], valid[:, used]
        plan.append((len(size), position, (valid / valid.sum(1, keepdim=True).double())[:, None]))
    return plan
