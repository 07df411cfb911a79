"""The end of a search: the chosen configuration trained on all rows, and one look at the test part.

The look is remembered in the problem's folder, in every kernel and on every day.
"""

from __future__ import annotations

import hashlib
import json
import math
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hpt_helpers.evidence.problem import Checkpoint, Job, Problem, row_log_losses
from hpt_helpers.evidence.questions import Choice, choice_of
from hpt_helpers.evidence.statistics import bootstrap, wilson
from hpt_helpers.warn import warn_caller

LOOKS = "test.json"


class TestScore(NamedTuple):
    """What a model is worth on the sealed rows.

    score: what was measured: "log loss" or what `score` is called. value, low, high: its mean over
    the rows with a 95 % interval. accuracy, accuracy_low, accuracy_high: of a classifier, with
    Wilson's interval; else nan. n_rows: how many rows there are. n_looks: how many different models
    have been scored on them; from the second on the score is a choice.
    """

    __test__ = False  # for pytest, which takes the name for a test's

    score: str
    value: float
    low: float
    high: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    n_rows: int
    n_looks: int

    def __str__(self) -> str:
        text = f"{self.score} {self.value:.4f} (95 % interval {self.low:.4f} to {self.high:.4f})"
        if not math.isnan(self.accuracy):
            interval = f"{self.accuracy_low:.3f} to {self.accuracy_high:.3f}"
            text += f", accuracy {self.accuracy:.3f} ({interval})"
        return f"{text}, on {self.n_rows} sealed rows"


def refit(problem: Problem, choice: Choice, *, seed: int = 0) -> Any:
    """Train the choice on all rows but the test part, and return the model.

    choice: as for `compare`. It trains for as many epochs as the choice was made at, though there
    are more rows now. The rows must have a method `all`, as those of `SealedRows` have.
    Raises TypeError where train returns no model: a classifier, or a `Trained` with one.
    """
    if not hasattr(problem.rows, "all"):
        needed = "SealedRows, or anything with a method all() that returns all rows but the test's"
        raise TypeError(f"rows is {problem.rows!r:.80}; {needed}, is needed")
    config, n_epochs = choice_of(problem, choice)
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder) / "refit", n_epochs)
        found = problem.train_on(problem.rows.all(), Job(config, n_epochs, seed=seed), checkpoint)
    model = found.model
    if model is None:
        needed = "a classifier, or Trained(model=…), is needed from train"
        raise TypeError(f"train returned {found!r:.80}, which holds no model; {needed}")
    return model


def test_once(
    problem: Problem,
    model: Any,
    score: Callable[[Any, Any, np.ndarray], Any] | None = None,
) -> TestScore:
    """Score a model on the sealed rows, once, and remember it.

    model: one with `predict_proba` and `classes_`, whose log loss and accuracy are measured; or any
        other, with score.
    score: `score(model, X, y)` returns a value for each row, such as squared errors, whose mean has
        an interval, or one number, which has none.
    The interval is that of the rows' luck. It holds for the model, not for the search. Scoring a
    model that predicts otherwise warns (UserWarning): a second look turns the test into a choice.
    The same predictions again are quiet, in any kernel. Delete no file to look again; it is you who
    would be deceived.
    Raises TypeError for a model without `predict_proba` where no score is given, ValueError for
    values that are neither one nor as many as rows.
    """
    X, y = problem.rows.sealed()
    name = "log loss" if score is None else getattr(score, "__name__", "score")
    accuracy = low_accuracy = high_accuracy = math.nan
    if score is None:
        if not hasattr(model, "predict_proba"):
            needed = "predict_proba, or a score(model, X, y), is needed"
            raise TypeError(f"model is {model!r:.80}; {needed}")
        proba = model.predict_proba(X)
        values = row_log_losses(proba, model.classes_, y)
        right = int((model.classes_[proba.argmax(axis=1)] == y).sum())
        accuracy = right / len(y)
        low_accuracy, high_accuracy = wilson(right, len(y))
    else:
        values = np.atleast_1d(np.asarray(score(model, X, y), dtype=float))
        if values.shape not in ((1,), (len(y),)):
            raise ValueError(
                f"score returned the shape {values.shape}; one number, or {len(y)} are needed"
            )
    low, high = bootstrap(values) if len(values) > 1 else (math.nan, math.nan)
    n_looks = _remember(Path(problem.folder) / LOOKS, values)
    ends = low_accuracy, high_accuracy
    return TestScore(
        name, float(values.mean()), low, high, accuracy, *ends, n_rows=len(y), n_looks=n_looks
    )


test_once.__test__ = False  # it is no test of pytest's


def _remember(file: Path, values: np.ndarray) -> int:
    """Note what was scored; warn where it is another model; return how many there are."""
    digest = hashlib.sha256(np.round(values, 9).tobytes()).hexdigest()[:32]
    seen = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    if digest not in seen:
        seen.append(digest)
        file.write_text(json.dumps(seen), encoding="utf-8")
        if len(seen) > 1:
            warn_caller(
                f"the sealed rows have already scored {len(seen) - 1} other models: a second look "
                "turns the test score into a choice"
            )
    return len(seen)
