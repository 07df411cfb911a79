"""The one model of the course: a classifier with one hidden layer."""

import torch
from torch import Generator, Tensor, nn


class Linear(nn.Linear):
    """A linear layer whose owner draws its weights, which are not initialised here.

    `torch.nn.utils.skip_init` does the same, but takes longer.
    """

    def reset_parameters(self) -> None:
        pass


class SimpleNN(nn.Module):
    """A network of two linear layers with a ReLU between them, in float64.

    It takes rows of shape (n_rows, input_size) and returns logits of shape (n_rows, num_classes).
    The initial weights and biases of a layer are uniform between ±1/√input_size of that layer, as
    `nn.Linear` draws them by default (He et al. 2015, with a = √5). The weights are then multiplied
    by `init_scale`, the biases are not.

    All are drawn from `generator`. Only where none is given is torch's global generator used.

    >>> model = SimpleNN(4, 3, hidden_size=8, generator=torch.Generator().manual_seed(0))
    >>> model(torch.zeros(5, 4, dtype=torch.float64)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        input_size: int,
        num_classes: int,
        hidden_size: int = 16,
        *,
        init_scale: float = 1.0,
        generator: Generator | None = None,
    ):
        super().__init__()
        self.hidden = Linear(input_size, hidden_size, dtype=torch.float64)
        self.output = Linear(hidden_size, num_classes, dtype=torch.float64)
        for layer in (self.hidden, self.output):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
            layer.weight.data *= init_scale

    def forward(self, x: Tensor) -> Tensor:
        return self.output(torch.relu(self.hidden(x)))
