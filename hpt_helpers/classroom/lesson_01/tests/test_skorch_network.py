"""The network as a scikit-learn classifier trains as in plain PyTorch, and can be interrupted."""

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
