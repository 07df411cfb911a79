"""The search that lesson 3 builds by hand, as its challenge and its studies run it.

The lesson defines these functions itself, one after the other; tests/test_bayes.py compares its code with this.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.spatial.distance import cdist
from scipy.stats import norm

from hpt_helpers.search import Strategy

SCALES = (0.25, 0.5, 1, 2)


def kernel(a: np.ndarray, b: np.ndarray, scale: float) -> np.ndarray:
    """Return how alike the losses at a (n, d) and at b (m, d) are, shape (n, m): 1 at no distance, then falling.

    The Matérn kernel of ν = 5/2; scale, its length scale, is in the units of a and b.
    """
    r = np.sqrt(5) * cdist(a, b) / scale
    return (1 + r + r**2 / 3) * np.exp(-r)


def posterior(tried, losses, points, scale, noise=1e-6):
    """Return mean and standard deviation of the losses at points, shape (n_points,) each, and the evidence.

    tried: shape (n_trials, d). losses: shape (n_trials,), standardised. noise: the variance of a loss's error.
    The evidence is the logarithm of the losses' likelihood, without the constant.
    """
    root = np.linalg.cholesky(kernel(tried, tried, scale) + noise * np.eye(len(tried)))
    weights = cho_solve((root, True), losses)
    near = kernel(points, tried, scale)
    known = (solve_triangular(root, near.T, lower=True) ** 2).sum(axis=0)
    evidence = -losses @ weights / 2 - np.log(np.diag(root)).sum()
    return near @ weights, np.sqrt(np.maximum(1 - known, 0)), evidence


def surrogate(tried, losses, points, noise=1e-3):
    """Return mean and standard deviation of the losses at points, in the losses' units, and the length scale.

    Of `SCALES` it is the one under which the losses are most likely; of equals, the smallest.
    """
    centre, spread = losses.mean(), losses.std() or 1.0
    fits = [posterior(tried, (losses - centre) / spread, points, scale, noise) for scale in SCALES]
    best = max(range(len(SCALES)), key=lambda i: fits[i][2])
    mean, std, _ = fits[best]
    return centre + spread * mean, spread * std, SCALES[best]


def expected_improvement(mean, std, best):
    """Return the expected gain below the loss best, in its units, where the loss is Normal(mean, std)."""
    z = (best - mean) / np.maximum(std, 1e-12)
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


def search_by_hand(
    candidates: Sequence[Mapping], inputs: np.ndarray, n_trials: int, n_epochs: int, *, start: Sequence[int],
    scaled=np.log, noise: float = 1e-3,
) -> Strategy:  # fmt: skip
    """Try candidates[i] for i in start, then always the untried one of largest expected improvement.

    inputs: the candidates in the unit cube, shape (n_candidates, d). scaled: what is done to the losses first.
    A failed trial counts as the worst loss so far.
    """
    tried = list(start)
    losses = yield [(candidates[i], n_epochs) for i in tried]
    while len(tried) < n_trials:
        known = scaled(np.where(np.isfinite(losses), losses, np.nanmax(losses)))
        mean, std, _ = surrogate(inputs[tried], known, inputs, noise)
        gain = expected_improvement(mean, std, known.min())
        gain[tried] = -1
        tried.append(int(gain.argmax()))
        losses = np.append(losses, (yield [(candidates[tried[-1]], n_epochs)]))
