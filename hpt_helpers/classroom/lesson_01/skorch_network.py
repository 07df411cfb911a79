"""The course's network as a classifier of scikit-learn's, by skorch (the extra `lab` brings it)."""

import skorch
import torch
from skorch.callbacks import Callback
from torch import nn

from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.threads import one_thread


class EndsWithAnInterrupt(Callback):
    """Raises the interrupt that skorch makes an end of one fit, after which a search would go on
    with the next.
    """

    def on_train_end(self, net, **_):
        if len(net.history) < net.max_epochs or "train_loss" not in net.history[-1]:
            raise KeyboardInterrupt


class NeuralNetClassifier(skorch.NeuralNetClassifier):
    """skorch's classifier, which trains and predicts on one of torch's threads."""

    fit = one_thread()(skorch.NeuralNetClassifier.fit)
    predict_proba = one_thread()(skorch.NeuralNetClassifier.predict_proba)


def skorch_classifier(
    splits: Splits, *, n_epochs: int, lr: float = 0.01, batch_size: int = 32, seed: int = 0
):
    """Return the course's network as a scikit-learn classifier, for `GridSearchCV` and its like.

    splits: for the numbers of features and classes. Each fit trains for n_epochs with Adam. In a
    grid the hyperparameters are called lr, batch_size, max_epochs and module__hidden_size. skorch
    draws weights and shuffles from torch's global generator, which is set to seed here: what
    follows, in one process, repeats.
    """
    torch.manual_seed(seed)
    return NeuralNetClassifier(
        SimpleNN,
        module__input_size=splits.n_features,
        module__num_classes=splits.n_classes,
        criterion=nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=lr,
        batch_size=batch_size,
        max_epochs=n_epochs,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
        callbacks=[EndsWithAnInterrupt()],
    )
