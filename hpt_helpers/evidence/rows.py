"""The rows of your table: a test part that is sealed, and draws of training and validation rows."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hpt_helpers.arguments import as_count

N_TIMES = 20  # so many validation windows at most, where rows are in the order of time


class Split(NamedTuple):
    """One draw of the rows: what a training learns from, and what its loss is measured on.

    X_train, X_val: what you gave as X, an array or a DataFrame, some of its rows. y_train, y_val:
    arrays, shape (n_rows,).
    """

    X_train: Any
    y_train: np.ndarray
    X_val: Any
    y_val: np.ndarray


class SealedRows:
    """Rows of a table. Called with a draw, it returns a `Split`; its test part stays sealed.

    X: shape (n_rows, n_features), an array or a DataFrame. y: labels or numbers, shape (n_rows,).
    n_test: how many rows are sealed, for `test_once`. n_val: how many others validate in each
        draw. n_train: how many train; None for all that are left.
    seed: decides which rows are the test part. The draws are of the others.
    Labels are stratified, so that each part has its share of each class, as far as there are enough
    of it. Numbers of type float are not.
    groups: a label for each row, such as its patient. Rows of one group then never stand in two
        parts, and the parts have about as many rows as asked for.
    in_time: the rows stand in the order of time. The test part is the last rows, draw 0 validates
        by those before, draw 1 by those before these, and each trains on what came earlier.
    splitter: what draws, in place of all this, any of scikit-learn's splitters. One that has a
        random_state is given the draw as its own, and its first split is taken. Of another, such as
        a KFold without shuffling, draw 0 is the last split, draw 1 the one before.
    Raises ValueError for X, y and groups of different lengths, for labels that are missing, and
    where too few rows are left; TypeError for sizes that are no integers.

    >>> rows = SealedRows(np.zeros((100, 2)), [0, 1] * 50, n_test=20, n_val=30)
    >>> first = rows(0)
    >>> len(first.y_train), len(first.y_val), rows.n_test, first.y_val.mean()
    (50, 30, 20, np.float64(0.5))
    """

    def __init__(
        self,
        X,
        y,
        *,
        n_test: int,
        n_val: int,
        n_train: int | None = None,
        seed: int = 0,
        groups: Sequence | np.ndarray | None = None,
        in_time: bool = False,
        splitter: Any = None,
    ):
        y = np.asarray(y)
        n_rows = len(y)
        self.n_val = as_count("n_val", n_val)
        self.n_train = None if n_train is None else as_count("n_train", n_train)
        n_test = as_count("n_test", n_test)
        _check_rows(X, y, groups)
        if n_test + self.n_val + (self.n_train or 1) > n_rows:
            raise ValueError(
                f"n_test is {n_test}, n_val {n_val} and n_train {n_train}; there are {n_rows} rows"
            )
        if in_time and groups is not None:
            raise ValueError("in_time is True and groups are given; one of the two is needed")
        self._X, self._y = X, y
        self._groups = None if groups is None else np.asarray(groups)
        self._splitter, self._in_time = splitter, in_time
        self._others, self._test = self._sealed(n_test, as_count("seed", seed, least=0))

    @property
    def n_test(self) -> int:
        """How many rows are sealed."""
        return len(self._test)

    def __call__(self, draw: int) -> Split:
        """Return the training and validation rows of one draw.

        Raises ValueError for a draw that a splitter without a random_state does not have.
        """
        draw = as_count("draw", draw, least=0)
        train, val = self._drawn(draw)
        return self._split(self._others[self._fewer(train)], self._others[val])

    def all(self) -> Split:
        """Return all rows but the test part as training rows, for `refit`.

        Its validation rows are those of draw 0 and among them, so a loss on them says nothing.
        """
        return self._split(self._others, self._others[self._drawn(0)[1]])

    def sealed(self) -> tuple[Any, np.ndarray]:
        """Return X and y of the test part. It is for `test_once`; whoever looks twice chooses."""
        return _take(self._X, self._test), self._y[self._test]

    def _split(self, train: np.ndarray, val: np.ndarray) -> Split:
        return Split(_take(self._X, train), self._y[train], _take(self._X, val), self._y[val])

    def _fewer(self, train: np.ndarray) -> np.ndarray:
        """Return n_train of the training rows; where they are in the order of time, the latest."""
        if self.n_train is None:
            return train
        return train[-self.n_train :] if self._in_time else train[: self.n_train]

    def _sealed(self, n_test: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions of the other rows and of the test part."""
        positions = np.arange(len(self._y))
        if self._in_time:
            return positions[:-n_test], positions[-n_test:]
        return self._parted(positions, n_test, seed)

    def _drawn(self, draw: int) -> tuple[np.ndarray, np.ndarray]:
        """Return which of the other rows train and validate in this draw."""
        among = np.arange(len(self._others))
        splitter = self._splitter
        if splitter is None and not self._in_time:
            return self._parted(among, self.n_val, draw)
        groups = None if self._groups is None else self._groups[self._others]
        splitter = splitter or self._windows()
        if hasattr(splitter, "random_state") and getattr(splitter, "shuffle", True):
            splitter = copy.copy(splitter)
            splitter.random_state = draw
            return next(iter(splitter.split(among, self._y[self._others], groups)))
        splits = list(splitter.split(among, self._y[self._others], groups))
        if draw >= len(splits):
            allowed = f"those of the {len(splits)} splits are 0 to {len(splits) - 1}"
            raise ValueError(f"draw is {draw}; {allowed}")
        return splits[-1 - draw]

    def _windows(self):
        from sklearn.model_selection import TimeSeriesSplit

        n_splits = min(N_TIMES, len(self._others) // self.n_val - 1)
        if n_splits < 2:
            needed = "3 windows of rows before the test part are needed, two of them for validation"
            raise ValueError(f"n_val is {self.n_val} of {len(self._others)} rows; {needed}")
        return TimeSeriesSplit(n_splits=n_splits, test_size=self.n_val)

    def _parted(self, rows: np.ndarray, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return places among these rows in two parts, the second of n rows."""
        from sklearn.model_selection import GroupShuffleSplit, train_test_split

        rows = self._others[rows] if hasattr(self, "_others") else rows
        places = np.arange(len(rows))
        if self._groups is not None:
            shuffled = GroupShuffleSplit(1, test_size=n / len(rows), random_state=seed)
            return next(shuffled.split(places, groups=self._groups[rows]))
        strata = _strata(self._y[rows], min(n, len(rows) - n))
        parts = train_test_split(places, test_size=n, random_state=seed, stratify=strata)
        return np.asarray(parts[0]), np.asarray(parts[1])


def _take(X, positions: np.ndarray):
    return X.iloc[positions] if hasattr(X, "iloc") else np.asarray(X)[positions]


def _check_rows(X, y: np.ndarray, groups) -> None:
    if y.ndim != 1 or len(X) != len(y):
        raise ValueError(
            f"X has {len(X)} rows and y the shape {y.shape}; one value a row is needed"
        )
    if groups is not None and len(groups) != len(y):
        raise ValueError(f"groups has {len(groups)} entries; there are {len(y)} rows")
    missing = [i for i, label in enumerate(y.tolist()) if label is None or label != label]
    if missing:
        raise ValueError(
            f"y has no value in {len(missing)} rows, the first is {missing[0]}; leave these out"
        )


def _strata(y: np.ndarray, most: int) -> np.ndarray | None:
    """Return a stratum for each row, None where there is but one; at most so many strata.

    A stratum is a class. The rarest are one stratum together where there are too many, or where
    one has a single row; where that has a single row, too, it joins the largest class.
    """
    if y.dtype.kind == "f":
        return None
    _, codes, counts = np.unique(y.astype(str), return_inverse=True, return_counts=True)
    largest_first = np.argsort(-counts, kind="stable")
    alone = [code for code in largest_first if counts[code] >= 2][: max(most - 1, 0)]
    rare = [code for code in range(len(counts)) if code not in alone]
    if not alone:
        return None
    if len(rare) == 1 and counts[rare[0]] >= 2:
        return codes
    together = rare[0] if counts[rare].sum() >= 2 else largest_first[0]
    strata = np.where(np.isin(codes, rare), together, codes)
    return strata if len(np.unique(strata)) > 1 else None
