"""Filling in a photograph from a few of its pixels: a tuning problem of about 1 ms a trial.

A photograph of scikit-learn's is made small and grey. Kernel ridge regression learns the brightness
at some of its pixels and says what it is at all others; how well depends on two length scales and
the regularisation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from hpt_helpers.search_space import Real, SearchSpace
from hpt_helpers.threads import one_thread_in_all

BLOCK, N_TRAIN, N_VAL, N_TEST = 8, 300, 300, 2000
BOUNDS = {"row_scale": (0.3, 300.0), "column_scale": (0.3, 300.0), "alpha": (1e-6, 1e2)}


@cache
def picture(name: str = "flower.jpg") -> np.ndarray:
    """Return a photograph of scikit-learn's as means of 8 × 8 blocks, 0 (black) to 1 (white)."""
    from sklearn.datasets import load_sample_image

    grey = load_sample_image(name).mean(axis=2) / 255
    n_rows, n_columns = (n // BLOCK for n in grey.shape)
    blocks = grey[: n_rows * BLOCK, : n_columns * BLOCK].reshape(n_rows, BLOCK, n_columns, BLOCK)
    return blocks.mean(axis=(1, 3))


def space(repeat: int | None = None) -> SearchSpace:
    """Return the search space: length scales in pixels, and alpha, all logarithmic.

    repeat: shift each range, by up to a fifth of its width, as this repeat has it. Without it, a
    grid's middle is the same point in every repeat and may be good by accident.
    """
    shifts = (
        np.zeros(3) if repeat is None else np.random.default_rng([repeat, 1]).uniform(-0.2, 0.2, 3)
    )
    parameters = {}
    for (name, (low, high)), shift in zip(BOUNDS.items(), shifts, strict=True):
        factor = float((high / low) ** shift)
        parameters[name] = Real(low * factor, high * factor, log=True)
    return SearchSpace(parameters)


@dataclass(frozen=True, eq=False)
class Photograph:
    """One draw of the pixels: `loss` to search by, `test_loss` to judge by, `filled` to see.

    pixels: the whole picture, shape (n_rows, n_columns). train, val, test: (row, column) of the
    pixels of each part, shape (n, 2), drawn without overlap.
    """

    pixels: np.ndarray
    train: np.ndarray
    val: np.ndarray
    test: np.ndarray

    def loss(self, config: Mapping) -> float:
        """Return the mean squared error on the validation pixels.

        The brightest minus the darkest is at most 1.
        """
        return self._error(config, self.val)

    def test_loss(self, config: Mapping) -> float:
        """Return the mean squared error on the 2,000 test pixels, which no search sees."""
        return self._error(config, self.test)

    def known(self) -> np.ndarray:
        """Return the picture, shape (n_rows, n_columns): nan where training sees no pixel."""
        seen = np.full_like(self.pixels, np.nan)
        seen[tuple(self.train.T)] = self.pixels[tuple(self.train.T)]
        return seen

    def filled(self, config: Mapping) -> np.ndarray:
        """Return the picture as predicted from training pixels, shape (n_rows, n_columns)."""
        return self._predict(config, np.argwhere(np.ones_like(self.pixels))).reshape(
            self.pixels.shape
        )

    def _error(self, config: Mapping, places: np.ndarray) -> float:
        return float(((self._predict(config, places) - self.pixels[tuple(places.T)]) ** 2).mean())

    @one_thread_in_all()
    def _predict(self, config: Mapping, places: np.ndarray) -> np.ndarray:
        known = self.pixels[tuple(self.train.T)]
        K = self._kernel(config, self.train)
        K[np.diag_indices_from(K)] += config["alpha"]
        # K.T is K in the order of Fortran's columns: factored in place, and by its lower half twice
        # as fast.
        factor = cho_factor(K.T, lower=True, overwrite_a=True, check_finite=False)
        weights = cho_solve(factor, known - known.mean(), check_finite=False)
        return known.mean() + self._kernel(config, places) @ weights

    def _kernel(self, config: Mapping, places: np.ndarray) -> np.ndarray:
        """Return how similar each place is to each training pixel: rows' times columns'."""
        similar = 1.0
        for axis, name in enumerate(("row_scale", "column_scale")):
            # few places: exp is what takes the time
            line = np.arange(self.pixels.shape[axis])[:, None]
            exponent = ((line - self.train[:, axis]) / config[name]) ** 2 / -2
            # Below 1e-308, to which exp would take it, all is many times slower.
            similar *= np.exp(np.maximum(exponent, -50))[places[:, axis]]
        return similar


@lru_cache(maxsize=1000)
def photograph(repeat: int = 0, name: str = "flower.jpg", *, n_val: int = N_VAL) -> Photograph:
    """Return the photograph with the training, validation and test pixels of a repeat.

    n_val: how many validation pixels, up to 300; fewer are the first of them, and all else is the
    same.
    """
    pixels = picture(name)
    order = np.random.default_rng([repeat, 0]).permutation(pixels.size)
    places = np.column_stack(np.unravel_index(order, pixels.shape))
    train, val, test, _ = np.split(places, np.cumsum([N_TRAIN, N_VAL, N_TEST]))
    return Photograph(pixels, train, val[:n_val], test)


@cache
def loss_of(repeat: int, n_val: int, row_scale: float, column_scale: float, alpha: float) -> float:
    """Return the loss of a configuration on a repeat's photograph; a second time, from memory."""
    config = {"row_scale": row_scale, "column_scale": column_scale, "alpha": alpha}
    return photograph(repeat, n_val=n_val).loss(config)
