"""The search that lesson 3 builds by hand, for what runs it outside the lesson's cells.

The lesson's cells define these functions in the same words; tests/test_bayes.py compares the two.
"""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import norm


def kernel(a, b, scale=0.3):
    """Return how alike the losses at points a (n, d) and b (m, d) are, shape (n, m): from 1 to 0.

    The Matérn kernel of ν = 5/2. scale: its length scale, in the units of a and b.
    """
    distance = cdist(a, b) / scale
    r = np.sqrt(5) * distance
    return (1 + r + r**2 / 3) * np.exp(-r)


def surrogate(tried, losses, points, scale=0.3, noise=1e-3):
    """Return mean and standard deviation at points, shape (n_points,) each, in the losses' units.

    tried: the points of the trials, shape (n_trials, d). losses: shape (n_trials,). scale: the
    kernel's. noise: the variance of a loss's error, as a share of the losses' variance. Raises
    LinAlgError without noise where a point was tried twice.
    """
    centre, spread = losses.mean(), losses.std() or 1
    K = kernel(tried, tried, scale) + noise * np.eye(len(tried))
    k = kernel(tried, points, scale)
    weights = np.linalg.solve(K, k)
    mean = centre + (losses - centre) @ weights
    variance = 1 - (k * weights).sum(axis=0)
    return mean, spread * np.sqrt(variance)


def expected_improvement(mean, std, best):
    """Return the expected improvement on the loss `best`, where the loss is Normal(mean, std)."""
    z = (best - mean) / std
    exploit = (best - mean) * norm.cdf(z)
    explore = std * norm.pdf(z)
    return exploit + explore


def gains(points, tried, losses, scale=0.3):
    """Return the expected improvement at points, shape (n_points,), and −inf where one was tried.

    tried: positions among the points. losses: what the surrogate is told of them.
    """
    mean, std = surrogate(points[tried], losses, points, scale)
    gain = expected_improvement(mean, std, losses.min())
    gain[tried] = -np.inf
    return gain


def search_by_hand(space, repeat, n_trials, n_epochs, scale=0.3, told=np.log):
    """Search 1,000 random candidates: the first five, then always the one that gains most.

    scale: the kernel's. told: what the surrogate is told of the losses; that of a failed trial is
    the worst of the others.
    """
    candidates = space.sample(1000, seed=repeat)
    points = space.to_unit(candidates)
    tried = list(range(5))
    losses = yield [(candidates[i], n_epochs) for i in tried]
    while len(tried) < n_trials:
        known = np.fmin(losses, np.nanmax(losses))  # a failed trial is told as the worst
        new = gains(points, tried, told(known), scale).argmax()
        tried.append(new)
        loss = yield [(candidates[new], n_epochs)]
        losses = np.append(losses, loss)
