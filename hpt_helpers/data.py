"""The course's data: four bundled sets and a simulated one, each split into three parts.

The validation rows are drawn anew at will, and the test rows are sealed. `seed` decides which rows
are the test part, `draw` which of the others are for training and which for validation. Repeats of
a measurement change `draw`, so that the test rows stay sealed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch

from hpt_helpers.arguments import as_count
from hpt_helpers.threads import one_thread
from hpt_helpers.warn import warn_caller

# Above these learning rates, training amplifies rounding until no two processors agree. It is
# measured by `hpt_helpers.classroom.lab.rounding`. The bound of the simulated data holds for 27
# epochs: of 4,800 random configurations with rates of 0.02 to 0.05, a nudge of 1e-15 in the initial
# weights moved no loss by more than 1e-11. From 0.05 to 0.1, it moved 38 of 7,200 by more than
# 1e-9.
MAX_LR = {"iris": 0.1, "wine": 0.1, "breast_cancer": 0.02, "digits": 0.01, "simulated": 0.05}

# The draw that is used where none is named: of draws 0 to 19 at seed 42, the one whose best mean
# loss is the (lower) median, as `hpt_helpers.classroom.lab.draws` measures it, at learning rates
# up to `MAX_LR`. A draw picked by eye would be a choice on validation data.
DEFAULT_DRAW = {"iris": 18, "wine": 17, "breast_cancer": 3, "digits": 8, "simulated": 1}

# What is drawn of the rows that are no test rows, as `train_test_split` takes it.
DRAWN = {
    "iris": {"test_size": 0.25},
    "wine": {"test_size": 0.25},
    "breast_cancer": {"test_size": 0.25},
    "digits": {"test_size": 0.25},
    "simulated": {"train_size": 320, "test_size": 2_000},
}

# The recipe of the simulated data, for scikit-learn's `make_classification`. Its 60,000 rows leave
# enough to judge a winner on rows that no search has seen.
SIMULATED = {
    "n_samples": 60_000,
    "n_features": 16,
    "n_informative": 8,
    "n_redundant": 4,
    "n_classes": 4,
    "n_clusters_per_class": 3,
    "class_sep": 1.5,
    "flip_y": 0.0,
    "random_state": 7,
}

# (data set, seed) -> fingerprints of the weights that `final_score` has scored in this process.
_scored: dict[tuple[str, int], set[str]] = {}


class Score(NamedTuple):
    """An accuracy and its 95 % Wilson confidence interval."""

    accuracy: float
    low: float
    high: float
    n_rows: int

    def __str__(self) -> str:
        interval = f"95 % interval {self.low:.3f} to {self.high:.3f}"
        return f"{self.accuracy:.3f} ({interval}, {self.n_rows} rows)"


@dataclass(frozen=True, eq=False)
class Splits:
    """One data set, split into training rows, validation rows and sealed test rows.

    X_train, X_val: float64, shape (n_rows, n_features). y_train, y_val: int64, shape (n_rows,).
    max_lr: the largest learning rate at which training on this data is well conditioned.
    The test rows are for `final_score`, at the end.
    """

    name: str
    seed: int
    draw: int
    X_train: torch.Tensor = field(repr=False)
    y_train: torch.Tensor = field(repr=False)
    X_val: torch.Tensor = field(repr=False)
    y_val: torch.Tensor = field(repr=False)
    class_names: tuple[str, ...]
    max_lr: float
    _X_test: torch.Tensor = field(repr=False)
    _y_test: torch.Tensor = field(repr=False)

    @property
    def n_features(self) -> int:
        return self.X_train.shape[1]

    @property
    def n_classes(self) -> int:
        return len(self.class_names)

    @property
    def n_train(self) -> int:
        return len(self.y_train)

    @property
    def n_val(self) -> int:
        return len(self.y_val)

    @property
    def n_test(self) -> int:
        return len(self._y_test)

    @property
    def seen(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """X_train, y_train, X_val and y_val: all that training and its scores depend on."""
        return self.X_train, self.y_train, self.X_val, self.y_val

    def search_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return training and validation rows together, which is what cross-validation is given.

        The features have the shape (n_rows, n_features), the labels (n_rows,).
        """
        X = torch.cat([self.X_train, self.X_val])
        y = torch.cat([self.y_train, self.y_val])
        return X.numpy(), y.numpy()

    def final_score(self, model: torch.nn.Module) -> Score:
        """Return the model's accuracy on the test rows, with its 95 % Wilson interval.

        Use it once, for the one model that you chose on validation data. Scoring other weights on
        the same data set and seed in this process, whatever the draw, gives a UserWarning. The same
        weights again are quiet, so that a cell can be run twice. Raises TypeError for what is no
        network of torch.
        """
        if not isinstance(model, torch.nn.Module):
            needed = "a torch.nn.Module is needed; evidence.test_once scores any other model"
            raise TypeError(f"model is {model!r:.80}; {needed}")
        weights = b"".join(tensor.cpu().numpy().tobytes() for tensor in model.state_dict().values())
        fingerprint = hashlib.sha256(weights).hexdigest()
        scored = _scored.setdefault((self.name, self.seed), set())
        if scored and fingerprint not in scored:
            warn_caller(
                f"the test rows of {self.name} (seed {self.seed}) have already scored other "
                "weights: a second look turns the test score into a choice"
            )
        scored.add(fingerprint)
        [accuracy] = self.autopsy_scores([model])
        return wilson_interval(round(accuracy * self.n_test), self.n_test)

    @one_thread()
    def autopsy_scores(self, models: Sequence[torch.nn.Module]) -> np.ndarray:
        """Return the test accuracy of each model, shape (n_models,), without any record of it.

        It is for a study of what happens when one chooses by test scores, which is a fault.
        """
        predicted = [model(self._X_test).argmax(dim=1) for model in models]
        return np.array([(labels == self._y_test).double().mean().item() for labels in predicted])


def load_splits(
    name: str = "iris",
    *,
    seed: int = 42,
    draw: int | None = None,
    scaled: bool = True,
    n_train: int | None = None,
    n_val: int | None = None,
) -> Splits:
    """Return the training, validation and test rows of the named data set.

    name: iris, wine, breast_cancer or digits, which scikit-learn brings along, are split into 60 %
        training, 20 % validation and 20 % test rows. "simulated" is `make_classification`'s: of
        60,000 rows with 16 features and 4 classes, 320 are for training and 2,000 for validation,
        and 12,000 are test rows.
    seed: of the test part, which is that of ``train_test_split(X, y, test_size=0.2,
        random_state=seed)``.
    draw: of the validation part among the other rows, stratified. Repeats take range(20) or so.
        None is the data set's default draw, a middle one of draws 0 to 19 by a stated rule.
    scaled: standardise every feature with the mean and the standard deviation of the training rows
        (digits: centre every pixel, with one scale for all). False leaves features as they are, for
        pipelines that scale inside their own folds.
    n_train, n_val: fewer training or validation rows, if given: the first so many of the draw's.
        So 30 validation rows of a draw are among its 100, and fewer of either leave the others and
        the test rows as they are.
    Raises ValueError for an unknown name, for a seed or draw outside 0 to 2**32 - 1 and for more
    rows than there are; TypeError for what is no integer.

    >>> splits = load_splits("iris")
    >>> splits.n_train, splits.n_val, splits.n_test, splits.n_features, splits.n_classes
    (90, 30, 30, 4, 3)
    >>> fewer = load_splits("digits", n_train=320, n_val=30)
    >>> fewer.n_train, fewer.n_val, fewer.n_test
    (320, 30, 360)
    """
    if name not in MAX_LR:
        raise ValueError(f"name is {name!r}; allowed are {', '.join(MAX_LR)}")
    seed = as_count("seed", seed, least=0, most=2**32 - 1)
    draw = as_count("draw", DEFAULT_DRAW[name] if draw is None else draw, least=0, most=2**32 - 1)
    X, y, class_names = _all_rows(name)
    X, X_test, y, y_test = _split(X, y, test_size=0.2, random_state=seed)
    X_train, X_val, y_train, y_val = _split(X, y, **DRAWN[name], random_state=draw, stratify=y)
    if n_train is not None:
        n_train = as_count("n_train", n_train, most=len(y_train))
        X_train, y_train = X_train[:n_train], y_train[:n_train]
    if n_val is not None:
        n_val = as_count("n_val", n_val, most=len(y_val))
        X_val, y_val = X_val[:n_val], y_val[:n_val]
    if scaled:
        centre, scale = _centre_and_scale(X_train, one_scale=name == "digits")
        X_train, X_val, X_test = ((X - centre) / scale for X in (X_train, X_val, X_test))
    return Splits(
        name,
        seed,
        draw,
        torch.from_numpy(X_train),
        torch.from_numpy(y_train),
        torch.from_numpy(X_val),
        torch.from_numpy(y_val),
        class_names,
        MAX_LR[name],
        torch.from_numpy(X_test),
        torch.from_numpy(y_test),
    )


@cache  # to read it anew for each draw would take longer than some trainings
def _all_rows(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the features (float64), labels (int64) and class names of all rows of a data set."""
    from sklearn import datasets  # here, so that Ray's workers, which are sent rows, start sooner

    if name == "simulated":
        X, y = datasets.make_classification(**SIMULATED)
        class_names = range(SIMULATED["n_classes"])
    else:
        bunch = getattr(datasets, f"load_{name}")()
        X, y, class_names = bunch.data, bunch.target, bunch.target_names
    return np.asarray(X), np.asarray(y, dtype=np.int64), tuple(str(name) for name in class_names)


def _split(X: np.ndarray, y: np.ndarray, **options: Any) -> list[np.ndarray]:
    """Return what scikit-learn's `train_test_split` does: X of both parts, then y of both."""
    from sklearn.model_selection import train_test_split

    return [np.asarray(part) for part in train_test_split(X, y, **options)]


def _centre_and_scale(X: np.ndarray, *, one_scale: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean of every feature, and the standard deviation of each or of all together."""
    centre = X.mean(axis=0)
    # Pixels that hardly ever change would be divided by a tiny spread, which makes training
    # chaotic, so that those of digits have one scale for all.
    scale = (X - centre).std() if one_scale else X.std(axis=0)
    return centre, np.where(scale == 0, 1.0, scale)  # a feature may be the same in a few rows


def wilson_interval(n_correct: int, n_rows: int) -> Score:
    """Return the accuracy n_correct / n_rows with its 95 % Wilson score interval (Wilson 1927).

    Raises TypeError for counts that are no integers, ValueError unless 0 <= n_correct <= n_rows and
    n_rows >= 1.

    >>> print(wilson_interval(29, 30))
    0.967 (95 % interval 0.833 to 0.994, 30 rows)
    """
    from scipy.stats import binomtest

    n_rows = as_count("n_rows", n_rows)
    n_correct = as_count("n_correct", n_correct, least=0, most=n_rows)
    interval = binomtest(n_correct, n_rows).proportion_ci(0.95, method="wilson")
    return Score(n_correct / n_rows, float(interval.low), float(interval.high), n_rows)
