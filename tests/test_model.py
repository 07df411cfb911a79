"""The model: its layers, its initial weights, and whose random state it uses."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from hpt_helpers.classroom.lesson_01.skorch_network import skorch_classifier
from hpt_helpers.data import load_splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.training import evaluate


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


# --- as a scikit-learn classifier -----------------------------------------------------------------


def test_skorch_trains_this_network_as_plain_pytorch_does_full_batches():
    """One batch of all rows leaves no chance to shuffles: the same weights and Adam by hand give
    the same network.
    """
    splits = load_splits("iris")
    X, y = splits.search_rows()
    fitted = skorch_classifier(splits, n_epochs=4, lr=0.02, batch_size=len(X), seed=3).fit(X, y)
    torch.manual_seed(3)
    expected = SimpleNN(4, 3, generator=torch.default_generator)
    optimizer = torch.optim.Adam(expected.parameters(), lr=0.02)
    for _ in range(4):
        optimizer.zero_grad()
        nn.functional.cross_entropy(expected(torch.tensor(X)), torch.tensor(y)).backward()
        optimizer.step()
    for ours, theirs in zip(fitted.module_.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)
    assert fitted.score(X, y) == pytest.approx(
        evaluate(expected, torch.tensor(X), torch.tensor(y))[1]
    )


def test_a_grid_search_over_the_classifier_repeats_and_takes_the_networks_names():
    splits = load_splits("iris", scaled=False)
    names = {"lr": [0.001, 0.05], "batch_size": [16], "max_epochs": [3], "module__hidden_size": [8]}
    axes = {f"neuralnetclassifier__{name}": values for name, values in names.items()}
    scores = []
    for _ in range(2):
        pipeline = make_pipeline(StandardScaler(), skorch_classifier(splits, n_epochs=1, seed=1))
        search = GridSearchCV(pipeline, axes, cv=3).fit(*splits.search_rows())
        scores.append(search.cv_results_["mean_test_score"])
        net = search.best_estimator_[-1]
        assert (
            net.module_.hidden.out_features,
            net.max_epochs,
            net.optimizer_.param_groups[0]["lr"],
        ) == (8, 3, 0.05)
    np.testing.assert_array_equal(*scores)
    assert scores[0][1] > scores[0][0] > 0


# of 8 a pass: in the first, and in the middle and at the end of the last
@pytest.mark.parametrize("batch", [0, 5, 23])
def test_an_interrupt_ends_the_search_and_not_one_fit_only(batch):
    """skorch catches the interrupt of a fit; scikit-learn's search would go on with the next."""
    splits, asked = load_splits("iris", scaled=False), []

    class Interrupted(SimpleNN):
        def forward(self, x):
            asked.append(len(x))
            if len(asked) > batch:
                raise KeyboardInterrupt
            return super().forward(x)

    net = skorch_classifier(splits, n_epochs=3, batch_size=10).set_params(module=Interrupted)
    with pytest.raises(KeyboardInterrupt):
        GridSearchCV(net, {"lr": [0.01, 0.02]}, cv=3).fit(*splits.search_rows())
    assert len(asked) == batch + 1
