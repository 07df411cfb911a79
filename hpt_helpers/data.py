"""The course's data: four bundled data sets, split into train and validation rows, drawn anew at
will, and sealed test.

`seed` decides which rows are the test part, `draw` which of the others are for training and which
for validation. Repeats of a measurement change `draw`, so the test rows stay sealed.
"""

import hashlib
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import torch

from hpt_helpers.config import as_count

# Above these, training amplifies rounding until no two processors agree (`classroom.rounding`).
MAX_LR = {"iris": 0.1, "wine": 0.1, "breast_cancer": 0.02, "digits": 0.01}

# The draw that is used where none is named: of draws 0 to 19 at seed 42, the one whose best mean
# loss is the (lower) median, as `hpt_helpers.classroom.draws` measures it. A draw picked by eye
# would be a choice on validation data.
DEFAULT_DRAW = {"iris": 18, "wine": 17, "breast_cancer": 3, "digits": 8}

# (data set, seed) -> fingerprints of the weights that `final_score` has scored in this process.
_scored: dict[tuple[str, int], set[str]] = {}


class Score(NamedTuple):
    """An accuracy and its 95 % Wilson confidence interval."""

    accuracy: float
    low: float
    high: float
    n_rows: int

    def __str__(self) -> str:
        return f"{self.accuracy:.3f} (95 % interval {self.low:.3f} to {self.high:.3f}, {self.n_rows} rows)"


@dataclass(frozen=True, eq=False)
class Splits:
    """One data set, split into training, validation and (sealed) test rows, which are for
    `final_score`, at the end.

    X_train, X_val: float64, shape (n_rows, n_features); y_train, y_val: int64, shape (n_rows,).
    max_lr: the largest learning rate at which training on this data is well conditioned.
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
    def seen(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
        """X_train, y_train, X_val and y_val: all that training and its scores depend on."""
        return self.X_train, self.y_train, self.X_val, self.y_val

    def search_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Return X (n_rows, n_features) and y of training and validation rows together, for
        cross-validation.
        """
        return torch.cat([self.X_train, self.X_val]).numpy(), torch.cat(
            [self.y_train, self.y_val]
        ).numpy()

    def final_score(self, model: torch.nn.Module) -> Score:
        """Return the model's accuracy on the test rows, with its 95 % Wilson interval.

        Use it once, for the one model you chose on validation data. Scoring other weights on the
        same data set and seed in this process, whatever the draw, gives a UserWarning; the same
        weights again (re-running a cell) is quiet.
        """
        weights = b"".join(tensor.cpu().numpy().tobytes() for tensor in model.state_dict().values())
        fingerprint = hashlib.sha256(weights).hexdigest()
        scored = _scored.setdefault((self.name, self.seed), set())
        if scored and fingerprint not in scored:
            already = (
                f"the test rows of {self.name} (seed {self.seed}) have already scored other weights"
            )
            warnings.warn(
                f"{already}: a second look turns the test score into a choice", stacklevel=2
            )
        scored.add(fingerprint)
        n_rows = len(self._y_test)
        return wilson_interval(round(self.autopsy_scores([model])[0] * n_rows), n_rows)

    def autopsy_scores(self, models: Sequence[torch.nn.Module]) -> np.ndarray:
        """Return the test accuracy of each model, shape (n_models,), unrecorded: to study choosing
        by it, a fault.
        """
        predicted = [model(self._X_test).argmax(dim=1) for model in models]
        return np.array([(labels == self._y_test).double().mean().item() for labels in predicted])


def load_splits(
    name: str = "iris", *, seed: int = 42, draw: int | None = None, scaled: bool = True
) -> Splits:
    """Return the named data set as 60 % training, 20 % validation and 20 % test rows.

    name: iris, wine, breast_cancer or digits (bundled with scikit-learn, no download).
    seed: of the test part, which is that of ``train_test_split(X, y, test_size=0.2,
    random_state=seed)``.
    draw: of the validation part among the other rows, stratified. Repeats take range(20) or so.
        None is the data set's default draw, a middle one of draws 0 to 19 by a stated rule.
    scaled: standardise every feature with the training rows' mean and standard deviation (digits:
        centre every pixel, one scale for all). False leaves features as they are, for pipelines
        that scale inside their own folds.
    Raises ValueError for an unknown name and for a seed or draw outside 0 to 2**32 - 1, TypeError
    for no integer.

    >>> splits = load_splits("iris")
    >>> len(splits.y_train), len(splits.y_val), splits.n_features, splits.n_classes
    (90, 30, 4, 3)
    """
    # here: Ray's workers, which are sent rows, start sooner
    from sklearn.model_selection import train_test_split

    if name not in MAX_LR:
        raise ValueError(f"name is {name!r}; allowed are {', '.join(MAX_LR)}")
    seed = as_count("seed", seed, least=0, most=2**32 - 1)
    draw = as_count("draw", DEFAULT_DRAW[name] if draw is None else draw, least=0, most=2**32 - 1)
    X, y, class_names = _bundled(name)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=seed)
    X_train, X_val, y_train, y_val = train_test_split(
        X, y, test_size=0.25, random_state=draw, stratify=y
    )
    centre, scale = (X_train.mean(axis=0), X_train.std(axis=0)) if scaled else (0.0, 1.0)
    if scaled and name == "digits":
        # pixels divided by a tiny spread of their own make training chaotic
        scale = (X_train - centre).std()
    parts = [torch.from_numpy((X - centre) / scale) for X in (X_train, X_val, X_test)]
    labels = [torch.from_numpy(y.astype(np.int64)) for y in (y_train, y_val, y_test)]
    return Splits(
        name,
        seed,
        draw,
        parts[0],
        labels[0],
        parts[1],
        labels[1],
        class_names,
        MAX_LR[name],
        parts[2],
        labels[2],
    )


@cache  # to read it anew for each draw would take longer than some trainings
def _bundled(name: str) -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    from sklearn import datasets

    bunch = getattr(datasets, f"load_{name}")()
    return bunch.data, bunch.target, tuple(str(c) for c in bunch.target_names)


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
