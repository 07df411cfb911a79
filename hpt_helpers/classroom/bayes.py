"""The search that lesson 3 builds by hand, for what runs it outside the lesson's cells.

The lesson's cells define these functions in the same words; tests/test_bayes.py compares the two.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import solve_triangular
from scipy.spatial.distance import cdist
from scipy.stats import norm


def kernel(a, b, scale=0.3):
    """Return how alike the losses at points a (n, d) and b (m, d) are, shape (n, m): from 1 down to
    0.

    The Matérn kernel of ν = 5/2. scale: its length scale, in the units of a and b.
    """
    distance = cdist(a, b) / scale
    r = np.sqrt(5) * distance
    return (1 + r + r**2 / 3) * np.exp(-r)


def posterior(tried, losses, points, noise=1e-6):
    """Return mean and standard deviation at points, shape (n_points,) each.

    tried: the points of the trials, shape (n_trials, d). losses: shape (n_trials,), of mean 0 and
    variance 1.
    noise: the variance of a loss's error. Raises LinAlgError without noise where a point was tried
    twice.
    """
    K = kernel(tried, tried) + noise * np.eye(len(tried))
    root = np.linalg.cholesky(K)
    near = solve_triangular(root, kernel(tried, points), lower=True)
    seen = solve_triangular(root, losses, lower=True)
    mean = seen @ near
    variance = 1 - (near**2).sum(axis=0)
    return mean, np.sqrt(variance)


def surrogate(tried, losses, points, noise=1e-3):
    """Return mean and standard deviation at points, in the losses' units.

    noise: a share of the losses' variance.
    """
    centre = losses.mean()
    spread = losses.std() or 1
    scaled = (losses - centre) / spread
    mean, std = posterior(tried, scaled, points, noise)
    return centre + spread * mean, spread * std


def expected_improvement(mean, std, best):
    """Return the expected gain below the loss `best`, in its units, where the loss is Normal(mean,
    std).
    """
    z = (best - mean) / std
    exploit = (best - mean) * norm.cdf(z)
    explore = std * norm.pdf(z)
    return exploit + explore


def gains(points, tried, losses):
    """Return the expected improvement at points, shape (n_points,): −inf at the positions that were
    tried.
    """
    mean, std = surrogate(points[tried], losses, points)
    gain = expected_improvement(mean, std, losses.min())
    gain[tried] = -np.inf  # a second try, under the same seed, would teach nothing
    return gain


def search_by_hand(space, repeat, n_trials, n_epochs, told=np.log, gains=gains):
    """Search 1,000 random candidates: the first five, then always the one that gains most.

    told: what the surrogate is told of the losses. gains: of (points, tried, what was told).
    """
    candidates = space.sample(1000, seed=repeat)
    points = space.to_unit(candidates)
    tried = list(range(5))
    losses = yield [(candidates[i], n_epochs) for i in tried]
    while len(tried) < n_trials:
        gain = gains(points, tried, told(losses))
        tried.append(int(gain.argmax()))
        chosen = candidates[tried[-1]]
        loss = yield [(chosen, n_epochs)]
        losses = np.append(losses, loss)
