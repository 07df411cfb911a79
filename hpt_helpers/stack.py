"""The arithmetic of training many networks at once: forward pass, gradients and Adam, written out.

Networks that train together form a stack, and each is one slice of the stack's tensors. Weights are
in the layout of `nn.Linear`, (outputs, inputs). A bias is the weight of an input that is always 1.
For the hidden layer this is a leading 1 in every row of data. For the output layer it is hidden
unit 0, whose own weights (1, 0, …, 0) never change. Rows of data are the columns of most matrices
here, so that the long dimension lies last in memory.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding, one_hot, pad

from hpt_helpers.config import DEFAULTS
from hpt_helpers.data import Splits

# --- data -----------------------------------------------------------------------------------------


class StackedData(NamedTuple):
    """The rows of several splits, each with a leading 1, which is the input of the biases.

    rows: (n_splits · n_train + 1, 1 + n_features + n_classes). The training rows of all splits,
        each followed by its one-hot label, and at the end a row of zeros that stands for no row.
    X_val: (n_splits, n_val, 1 + n_features). y_val: (n_splits, n_val).
    """

    rows: Tensor
    X_val: Tensor
    y_val: Tensor


def stack_data(splits: Sequence[Splits]) -> StackedData:
    """Return the rows of all splits as `train_stack` takes them.

    Raises ValueError for splits of different shapes.
    """
    shapes = {(tuple(s.X_train.shape), tuple(s.X_val.shape), s.n_classes) for s in splits}
    if len(shapes) > 1:
        raise ValueError(f"splits have the shapes {sorted(shapes)}; one population needs one shape")
    X = pad(torch.stack([s.X_train for s in splits]), (1, 0), value=1.0)
    labels = one_hot(torch.stack([s.y_train for s in splits]), splits[0].n_classes)
    rows = torch.cat([X, labels], dim=2).flatten(0, 1)
    X_val = pad(torch.stack([s.X_val for s in splits]), (1, 0), value=1.0)
    y_val = torch.stack([s.y_val for s in splits])
    return StackedData(pad(rows, (0, 0, 0, 1)), X_val, y_val)


# --- which networks train together ----------------------------------------------------------------

# The rows of `kinds`, and which of them the networks of a stack agree in: the first that will do.
HIDDEN_SIZE, BATCH_SIZE, SPLIT, SEED = range(4)
SHARED = (
    [HIDDEN_SIZE, BATCH_SIZE, SPLIT, SEED],  # all see the same rows, and nothing is padded
    [HIDDEN_SIZE, BATCH_SIZE],  # nothing is padded
    [BATCH_SIZE, SPLIT, SEED],  # all see the same rows
    [],
)


def share_out(kinds: np.ndarray, size: int, small: int) -> Iterator[np.ndarray]:
    """Yield the networks of one stack after another, as indices sorted by batch size.

    The more the networks of a stack have in common, the faster they train. So those that agree in
    everything form stacks of their own, then those that agree in less.

    kinds: (4, n), the hidden size, batch size, split and seed of each network.
    size: about so many networks form a stack.
    small: where fewer than this agree, they join others with whom they have less in common.
    """
    left = np.arange(kinds.shape[1])
    for shared in SHARED:
        least = small if shared else 1
        groups = _alike(left, kinds, shared)
        for group in groups:
            if len(group) >= least:
                for stack in np.array_split(group, max(1, round(len(group) / size))):
                    yield stack[np.argsort(kinds[BATCH_SIZE, stack], kind="stable")]
        left = np.concatenate([left[:0], *(group for group in groups if len(group) < least)])


def _alike(members: np.ndarray, kinds: np.ndarray, shared: list[int]) -> list[np.ndarray]:
    """Return the members in groups that agree in the shared rows of `kinds`.

    Within a group they are sorted by the other rows, so that similar ones stand side by side.
    """
    # lexsort sorts by its last key first
    members = members[np.lexsort([*kinds[::-1, members], *kinds[shared][:, members]])]
    changes = np.diff(kinds[shared][:, members]).any(axis=0)
    return np.split(members, np.flatnonzero(changes) + 1)


# --- their settings -------------------------------------------------------------------------------


class Settings(NamedTuple):
    """How the networks of a stack are trained: batch_size of shape (n,), the others of (n, 1, 1).

    A setting is None where all networks have its default. This spares its arithmetic, and a stack
    without settings has the same numbers, to the bit, as if there were none to set.
    cosine_epochs: infinity for a network whose learning rate does not fall.
    """

    batch_size: Tensor
    lr: Tensor
    weight_decay: Tensor | None = None
    beta1: Tensor | None = None
    label_smoothing: Tensor | None = None
    cosine_epochs: Tensor | None = None


def stack_settings(configs: Sequence[Mapping]) -> Settings:
    """Return the settings of these configurations; entries with a default may be missing."""

    def column(name: str) -> Tensor:
        values = [config.get(name, DEFAULTS.get(name)) for config in configs]
        return torch.tensor(values, dtype=torch.float64)[:, None, None]

    def unless_default(name: str) -> Tensor | None:
        values = column(name)
        return None if bool((values == DEFAULTS[name]).all()) else values

    ends = [config.get("cosine_epochs", math.inf) for config in configs]
    constant = all(end == math.inf for end in ends)
    return Settings(
        batch_size=torch.tensor([config["batch_size"] for config in configs]),
        lr=column("lr"),
        weight_decay=unless_default("weight_decay"),
        beta1=unless_default("beta1"),
        label_smoothing=unless_default("label_smoothing"),
        cosine_epochs=None if constant else torch.tensor(ends, dtype=torch.float64)[:, None, None],
    )


def _rates(settings: Settings, epoch: int) -> Tensor:
    """Return the learning rates of an epoch, (n, 1, 1); epoch: how many there were before it."""
    if settings.cosine_epochs is None:
        return settings.lr
    return settings.lr * (1 + torch.cos(math.pi * epoch / settings.cosine_epochs)) / 2


# --- training -------------------------------------------------------------------------------------


def train_stack(
    W1: Tensor,
    W2: Tensor,
    settings: Settings,
    order: Tensor,
    data: StackedData,
    split: Tensor,
    done: int,
) -> np.ndarray:
    """Train n networks in place, one epoch for each entry of `order`; return their learning curves.

    W1: (3, n, 1 + width, 1 + n_features), the weights of the hidden layer and Adam's two moments.
    W2: (3, n, n_classes, 1 + width), the same of the output layer.
    settings: of the networks, whose batch sizes ascend.
    order: (n, n_epochs, n_train), the shuffled rows of each epoch, numbered through all splits. Its
        first dimension is 1 when all networks see the same rows, which is faster.
    split: the split of each network, shape (n,), or (1,) when all see the same rows.
    done: the number of epochs that the networks have been trained for already.

    The curves are `LearningCurves` as one array, of shape (3, n, n_epochs).
    """
    n, n_in = W1.shape[1], W1.shape[3]
    n_epochs, n_rows = order.shape[1:]
    loss = torch.empty(n, dtype=torch.float64)
    order = pad(order, (0, 1), value=len(data.rows) - 1)
    steps = _steps(W1, W2, settings, loss, order)
    X_val, y_val = data.X_val[split].squeeze(0).mT, data.y_val[split]
    curves = np.empty((3, n, n_epochs))
    for epoch in range(n_epochs):
        lr = _rates(settings, done + epoch)
        scale, epsilon = _bias_corrections(settings, lr, len(steps), n_rows, done + epoch)
        decay1, decay2 = _decay(settings, lr, n_units=W1.shape[2])
        loss.zero_()
        for i, step in enumerate(steps):
            rows = embedding(step.order[:, epoch].gather(1, step.position), data.rows).squeeze(0)
            x, target = rows[..., :n_in], rows[..., n_in:].mT
            if step.label_smoothing is not None:
                # x begins with a 1, or with a 0 where it stands for no row
                evenly = x[..., :1].mT / target.shape[-2]
                target = target.lerp(evenly, step.label_smoothing)
            log_likelihood, d_W1, d_W2 = _gradients(
                step.layer1[0], step.layer2[0], x, target, step.weight
            )
            step.loss.sub_(log_likelihood)
            scale_now, epsilon_now = scale[i, step.on], epsilon[i, step.on]
            decay1_now, decay2_now = _part(decay1, step.on), _part(decay2, step.on)
            _adam(step.layer1, d_W1, scale_now, epsilon_now, step.mean_rate, decay1_now)
            _adam(step.layer2, d_W2, scale_now, epsilon_now, step.mean_rate, decay2_now)
        curves[0, :, epoch] = loss / n_rows
        curves[1, :, epoch], curves[2, :, epoch] = _validate(W1[0], W2[0], X_val, y_val)
    return curves


class Step(NamedTuple):
    """One step of every epoch, for the networks that have rows left; tensors are views of theirs.

    on: which networks these are. They come first, because they have the smallest mini-batches.
    layer1, layer2: the weights, and the mean and the mean square of their gradients.
    loss: of the epoch so far, summed over its rows, shape (n_on,).
    order: the shuffled rows of the epochs, with that of the zeros at the end of each.
    position: (n_on, size) or (1, size), which of the shuffled rows they take. Where a network's own
        mini-batch is smaller than others, the last stands for no row.
    weight: (n_on, 1, size) or (1, 1, size), 1 / the size of the network's own mini-batch, and 0
        where there is no row.
    mean_rate: 1 - beta1.
    """

    on: slice
    layer1: Sequence[Tensor]
    layer2: Sequence[Tensor]
    loss: Tensor
    order: Tensor
    position: Tensor
    weight: Tensor
    label_smoothing: Tensor | None
    mean_rate: Tensor | float


def _steps(W1: Tensor, W2: Tensor, settings: Settings, loss: Tensor, order: Tensor) -> list[Step]:
    """Return the steps of an epoch; order: as for `train_stack`, with a row of zeros at the end."""
    n_orders, n_rows = len(order), order.shape[2] - 1
    steps = []
    for position, weight in _minibatches(settings.batch_size[:n_orders], n_rows):
        # one order of rows serves all networks
        on = slice(len(position)) if n_orders > 1 else slice(None)
        steps.append(
            Step(
                on,
                layer1=W1[:, on].unbind(),
                layer2=W2[:, on].unbind(),
                loss=loss[on],
                order=order[: len(position)],
                position=position,
                weight=weight,
                label_smoothing=_part(settings.label_smoothing, on),
                # in floating point, 1 - 0.9 is not quite 0.1
                mean_rate=0.1 if settings.beta1 is None else 1 - settings.beta1[on],
            )
        )
    return steps


def _part(setting: Tensor | None, on: slice) -> Tensor | None:
    return None if setting is None else setting[on]


def _minibatches(batch_size: Tensor, n_rows: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield position and weight of each step of an epoch; batch_size: ascending, shape (n,)."""
    batch_size = batch_size[:, None]
    for start in range(-(-n_rows // int(batch_size[0]))):
        size = batch_size[batch_size[:, 0] * start < n_rows]
        offset = torch.arange(int(size.max()))
        position = start * size + offset
        valid = (offset < size) & (position < n_rows)
        used = valid.any(0)
        position, valid = torch.where(valid, position, n_rows)[:, used], valid[:, used]
        weight = valid / valid.sum(1, keepdim=True).double()
        yield position, weight[:, None]


def _decay(settings: Settings, lr: Tensor, n_units: int) -> tuple[Tensor | None, Tensor | None]:
    """Return by what a step multiplies the weights of each layer, or None for no weight decay.

    lr: the learning rates of the epoch. n_units: hidden units, of which the first, the constant 1,
        does not decay.
    """
    if settings.weight_decay is None:
        return None, None
    factor = 1 - lr * settings.weight_decay
    of_units = factor.repeat(1, n_units, 1)
    of_units[:, 0] = 1
    return of_units, factor


def _gradients(
    W1: Tensor, W2: Tensor, x: Tensor, target: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return the log likelihood of a mini-batch, shape (n,), and the gradients of the mean loss.

    x: (size, 1 + n_features), or (n, size, 1 + n_features). target: the shares of the classes,
    (n_classes, size) or (n, n_classes, size). weight: of each row in the mean.
    """
    hidden = torch.matmul(W1, x.mT).relu_()
    log_p = torch.bmm(W2, hidden).log_softmax(1)
    log_likelihood = (log_p * target).sum((1, 2))
    d_logits = log_p.exp_().sub_(target).mul_(weight)
    d_hidden = torch.bmm(W2.mT, d_logits)
    d_W2 = torch.bmm(d_logits, hidden.mT)
    # hidden units are 0 or positive, so that their sign is the slope of the ReLU
    d_W1 = torch.matmul(d_hidden.mul_(hidden.sign_()), x)
    d_W1[:, 0] = 0  # unit 0 stays the constant 1
    return log_likelihood, d_W1, d_W2


def _bias_corrections(
    settings: Settings, lr: Tensor, n_steps: int, n_rows: int, done: int
) -> tuple[Tensor, Tensor]:
    """Return scale and epsilon of `_adam` for each step of the next epoch, (n_steps, n, 1, 1).

    Adam divides the mean of the gradient by 1 - beta1**t and the mean square by 1 - beta2**t, at
    the t-th step. lr: the learning rates of the epoch. done: the epochs before this one.
    """
    beta1 = DEFAULTS["beta1"] if settings.beta1 is None else settings.beta1
    steps_per_epoch = -(-n_rows // settings.batch_size[:, None, None])
    step = torch.arange(1, n_steps + 1, dtype=torch.float64)[:, None, None, None]
    t = done * steps_per_epoch + step
    per_lr = (1 - beta1**t) / lr
    return per_lr / (1 - 0.999**t).sqrt(), per_lr * 1e-8


def _adam(
    layer: Sequence[Tensor],
    gradient: Tensor,
    scale: Tensor,
    epsilon: Tensor,
    mean_rate: Tensor | float,
    decay: Tensor | None,
) -> None:
    """Make one step of AdamW in place (Kingma & Ba 2015, Loshchilov & Hutter 2019).

    layer: the weights, and the mean and the mean square of their gradients.
    gradient: is overwritten.
    scale, epsilon: such that the step is mean / (scale · √square + epsilon). They hold the learning
        rate and the bias corrections.
    decay: what the weights are multiplied by beforehand, if not None.
    """
    weights, mean, square = layer
    if decay is not None:
        weights.mul_(decay)
    mean.lerp_(gradient, mean_rate)
    square.lerp_(gradient.square_(), 0.001)
    # numpy's: torch's rsqrt takes twice as long on one processor, its sqrt on another
    np.sqrt(square.numpy(), out=gradient.numpy())
    weights.addcdiv_(mean, gradient.mul_(scale).add_(epsilon), value=-1)


def _validate(W1: Tensor, W2: Tensor, X_val: Tensor, y_val: Tensor) -> tuple[Tensor, Tensor]:
    """Return the mean cross-entropy and the accuracy of each network, of shape (n,).

    X_val: (1 + n_features, n_val) or (n, …). y_val: (1, n_val) or (n, n_val).
    """
    logits = torch.bmm(W2, torch.matmul(W1, X_val).relu_())
    labels = y_val[:, None].expand(len(logits), -1, -1)
    loss = -logits.log_softmax(1).gather(1, labels).mean((1, 2))
    # max finds the same class as argmax, which takes many times as long
    accuracy = (logits.max(1).indices == y_val).double().mean(1)
    return loss, accuracy
