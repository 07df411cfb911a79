"""The model: its layers, its initial weights, and whose random state it uses."""

import pytest
import torch
from torch import nn

from hpt_helpers.model import SimpleNN


def generator(seed):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("hidden_size", [1, 16, 33])
def test_initial_weights_are_those_of_pytorchs_own_layers(hidden_size):
    ours = SimpleNN(4, 3, hidden_size, generator=generator(11))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(11)
        theirs = [
            nn.Linear(4, hidden_size, dtype=torch.float64),
            nn.Linear(hidden_size, 3, dtype=torch.float64),
        ]
    for layer, expected in zip((ours.hidden, ours.output), theirs, strict=True):
        torch.testing.assert_close(layer.weight, expected.weight, rtol=1e-14, atol=0)
        torch.testing.assert_close(layer.bias, expected.bias, rtol=1e-14, atol=0)


def test_a_scale_multiplies_the_initial_weights_and_not_the_biases():
    plain = SimpleNN(4, 3, 5, generator=generator(2))
    scaled = SimpleNN(4, 3, 5, init_scale=2.5, generator=generator(2))
    for layer, ours in (plain.hidden, scaled.hidden), (plain.output, scaled.output):
        torch.testing.assert_close(ours.weight, 2.5 * layer.weight, rtol=1e-15, atol=0)
        assert torch.equal(ours.bias, layer.bias) and ours.weight.requires_grad


def test_it_computes_one_hidden_relu_layer():
    model = SimpleNN(4, 3, generator=generator(0))
    x = torch.randn(7, 4, dtype=torch.float64, generator=generator(1))
    hidden = (x @ model.hidden.weight.T + model.hidden.bias).clamp(min=0)
    expected = hidden @ model.output.weight.T + model.output.bias
    assert (hidden == 0).any() and (hidden > 0).any()
    torch.testing.assert_close(model(x), expected)


def test_sixteen_hidden_units_unless_told_otherwise():
    shapes = {name: tuple(p.shape) for name, p in SimpleNN(4, 3).named_parameters()}
    assert shapes == {
        "hidden.weight": (16, 4),
        "hidden.bias": (16,),
        "output.weight": (3, 16),
        "output.bias": (3,),
    }


def test_weights_are_float64():
    assert {p.dtype for p in SimpleNN(4, 3).parameters()} == {torch.float64}


def test_with_a_generator_the_global_random_state_is_neither_read_nor_changed():
    with torch.random.fork_rng(devices=[]):
        weights = []
        for seed in (1, 2):
            torch.manual_seed(seed)
            before = torch.get_rng_state()
            weights.append(SimpleNN(4, 3, generator=generator(5)).hidden.weight)
            assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(*weights)


def test_without_a_generator_the_global_random_state_is_used():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        one = SimpleNN(4, 3)
        torch.manual_seed(3)
        same, other = SimpleNN(4, 3), SimpleNN(4, 3)
    assert torch.equal(one.hidden.weight, same.hidden.weight)
    assert not torch.equal(one.hidden.weight, other.hidden.weight)
