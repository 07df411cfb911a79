"""Answers to lesson 3: a lower confidence bound, what a surrogate is told, a probability."""

import math
from statistics import NormalDist

import numpy as np
import pandas as pd
from scipy.stats import norm


def bounds_of(means, stds, kappa):
    return np.array(means) - kappa * np.array(stds)


def a_loop(means, stds, tried, kappa):
    best, where = math.inf, None
    for i in range(len(means)):
        bound = means[i] - kappa * stds[i]
        if i not in tried and bound < best:
            best, where = bound, i
    return where


def tried_at(value):
    """Return a next_trial that gives tried points this bound."""

    def next_trial(means, stds, tried, kappa):
        bounds = bounds_of(means, stds, kappa)
        bounds[tried] = value
        return bounds.argmin()

    return next_trial


def a_series(means, stds, tried, kappa):
    return (pd.Series(means) - kappa * pd.Series(stds)).drop(tried).idxmin()


def a_mask(means, stds, tried, kappa):
    bounds = bounds_of(means, stds, kappa)
    mask = np.zeros(len(bounds), dtype=bool)
    mask[tried] = True
    return np.ma.masked_array(bounds, mask).argmin()


def order_of_all(means, stds, tried, kappa):
    for i in bounds_of(means, stds, kappa).argsort():
        if i not in tried:
            return i


def returns_the_bound(means, stds, tried, kappa):
    return min(m - kappa * s for m, s in zip(means, stds, strict=True))


# --- exercise 2 -----------------------------------------------------------------------------------


def finite(losses):
    return [loss for loss in losses if math.isfinite(loss)]


def told_as(value, log=math.log):
    """Return a told that tells value(finite losses) of what failed."""
    return lambda losses: [
        log(loss) if math.isfinite(loss) else value(finite(losses)) for loss in losses
    ]


def worst(losses):
    return math.log(max(losses))


def logarithm_first(losses):
    logs = np.log(losses)
    logs[~np.isfinite(logs)] = logs[np.isfinite(logs)].max()
    return logs


def inf_to_nan(losses):
    series = pd.Series(losses).replace(np.inf, np.nan)
    return np.log(series.fillna(series.max()))


def clipped(losses):
    most = np.nanmax([loss for loss in losses if loss != math.inf])
    return tuple(math.log(min(loss, most)) if loss == loss else math.log(most) for loss in losses)


def large_is_failed(losses):
    good = [loss for loss in losses if loss < 100]
    return [math.log(loss) if loss < 100 else worst(good) for loss in losses]


def all_like_the_worst(losses):
    good = finite(losses)
    return [worst(good) if len(good) < len(losses) else math.log(loss) for loss in losses]


def zero_is_false(losses):
    logs = [math.log(loss) if math.isfinite(loss) else None for loss in losses]
    return [value or max(value for value in logs if value is not None) for value in logs]


# --- exercise 4 -----------------------------------------------------------------------------------


def integrated(mean, std, best):
    x = np.linspace(mean - 12 * std, best, 200_001)
    return np.trapezoid(norm.pdf(x, mean, std), x)


def chance(mean, std, best):
    return norm.cdf(best, mean, std)


RIGHT = {
    "q1": [a_loop, tried_at(np.inf), a_series, a_mask, order_of_all, lambda *a: float(a_loop(*a))],
    "q2": [told_as(worst), logarithm_first, inf_to_nan, clipped],
    "q4": [
        chance,
        lambda mean, std, best: NormalDist().cdf((best - mean) / std),
        lambda mean, std, best: (1 + math.erf((best - mean) / (std * 2**0.5))) / 2,
        lambda mean, std, best: 1 - norm.sf(best, mean, std),
        integrated,
        lambda mean, std, best: norm.cdf(np.array([best]), mean, std),  # refused once
    ],
}
WRONG = [
    ("q1", tried_at(0), "it was tried. If you give tried points another bound"),
    ("q1", tried_at(1000), "it was tried"),
    ("q1", lambda means, *a: tried_at(max(means))(means, *a), "it was tried"),
    ("q1", returns_the_bound, "its position is asked for"),
    ("q1", lambda *a: 9, "there is no such position"),
    ("q1", lambda *a: 3, "another that was not tried is lower"),
    ("q1", lambda *a: [a_loop(*a)], "a list was returned"),
    ("q1", lambda *a: print(a_loop(*a)), "the function has to `return` it"),
    ("q1", lambda means, stds, tried, kappa: np.argmin(means - kappa * stds), "TypeError"),
    ("q2", lambda losses: print(losses), "the function has to `return` it"),
    (
        "q2",
        lambda losses: [-100 if loss != loss else loss for loss in losses],
        "is the loss itself",
    ),
    (
        "q2",
        lambda losses: [-100 if loss != loss else math.log(loss) for loss in losses],
        "tells the search of a splendid one",
    ),
    ("q2", np.log, "what is told of it, nan, is no finite number"),
    ("q2", lambda losses: np.nan_to_num(np.log(losses), posinf=np.inf), "worse than the worst"),
    ("q2", told_as(lambda good: worst(good) + 1), "worse than the worst that did not fail"),
    ("q2", told_as(lambda good: math.log(sum(good) / len(good))), "better than the worst"),
    ("q2", told_as(lambda good: math.log(good[-1])), "whose loss was 0.5"),
    ("q2", told_as(worst, math.log1p), "is not its natural logarithm"),
    ("q2", told_as(worst, lambda loss: -math.log(loss)), "with the sign turned"),
    ("q2", told_as(worst, lambda loss: round(math.log(loss), 3)), "is it rounded?"),
    ("q2", lambda losses: sorted(told_as(worst)(losses)), "keep the order"),
    ("q2", large_is_failed, "the logarithm of another trial's"),
    ("q2", all_like_the_worst, "change only what failed"),
    ("q2", zero_is_false, "the logarithm of another trial's"),
    ("q4", lambda *a: 1 - chance(*a), "probability to lie above `best`"),
    ("q4", lambda *a: norm.cdf(*a), "the order of the arguments"),
    ("q4", lambda *a: 100 * chance(*a), "between 0 and 1"),
    ("q4", lambda *a: round(chance(*a), 2), "rounded, or simulated"),
    ("q4", lambda *a: [chance(*a)], "a list was returned"),
    ("q4", lambda mean, std, best: mean < best, "True or False was returned"),
    ("q4", lambda mean, std, best: norm.cdf(best - mean / std), "as likely to lie below"),
    ("q4", lambda mean, std, best: (best - mean) / std, "0 was returned where the mean is `best`"),
    (
        "q4",
        lambda mean, std, best: 0.5 if mean == best else 0.0,
        "by how many standard deviations",
    ),
    ("q4", lambda *a: 0.9 - 0.8 * chance(*a), "with more than one half"),
    (
        "q4",
        lambda mean, std, best: (1 + math.erf((best - mean) / std)) / 2,
        "square root of 2",
    ),
]
