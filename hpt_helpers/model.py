"""The one model of the course: a classifier with one hidden layer."""

import torch
from torch import Generator, nn


class Linear(nn.Linear):
    """A linear layer that leaves its weights to be drawn by its owner (as `skip_init` does, which
    is slow).
    """

    def reset_parameters(self) -> None: ...


class SimpleNN(nn.Module):
    """Linear → ReLU → Linear, in float64: (n_rows, input_size) in, (n_rows, num_classes) logits
    out.

    Weights and biases are drawn uniformly from ±1/√fan_in, as `nn.Linear` does by default (He et
    al. 2015 with
    a = √5), but from `generator`: torch's global random state is used only where none is given.

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
        generator: Generator | None = None,
    ):
        super().__init__()
        self.hidden = Linear(input_size, hidden_size, dtype=torch.float64)
        self.output = Linear(hidden_size, num_classes, dtype=torch.float64)
        for layer in (self.hidden, self.output):
            bound = layer.in_features**-0.5
            nn.init.uniform_(layer.weight, -bound, bound, generator=generator)
            nn.init.uniform_(layer.bias, -bound, bound, generator=generator)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.output(torch.relu(self.hidden(x)))
