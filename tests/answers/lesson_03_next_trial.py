"""Answers to lesson 3, exercise 1: the position of the lowest confidence bound among the points
that were not tried.
"""

import math

import numpy as np
import pandas as pd

from answers.collected import right, wrong


@right("3.q1")
def loop_with_the_best_so_far(means, stds, tried, kappa):
    best, where = math.inf, None
    for i in range(len(means)):
        bound = means[i] - kappa * stds[i]
        if i not in tried and bound < best:
            best, where = bound, i
    return where


@right("3.q1")
def numpy_with_infinity(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    bounds[tried] = np.inf
    return bounds.argmin()


@right("3.q1")
def numpy_as_a_plain_int(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    for i in tried:
        bounds[i] = np.inf
    return int(np.argmin(bounds))


@right("3.q1")
def highest_of_the_negative(means, stds, tried, kappa):
    score = kappa * np.asarray(stds) - np.asarray(means)
    score[list(tried)] = -np.inf
    return int(score.argmax())


@right("3.q1")
def min_with_a_key(means, stds, tried, kappa):
    left = [i for i in range(len(means)) if i not in tried]
    return min(left, key=lambda i: means[i] - kappa * stds[i])


@right("3.q1")
def set_of_positions(means, stds, tried, kappa):
    return min(set(range(len(means))) - set(tried), key=lambda i: means[i] - kappa * stds[i])


@right("3.q1")
def sorted_pairs(means, stds, tried, kappa):
    pairs = sorted((m - kappa * s, i) for i, (m, s) in enumerate(zip(means, stds, strict=True)))
    return next(i for _, i in pairs if i not in tried)


@right("3.q1")
def smallest_tuple(means, stds, tried, kappa):
    return min((means[i] - kappa * stds[i], i) for i in range(len(means)) if i not in tried)[1]


@right("3.q1")
def series(means, stds, tried, kappa):
    bounds = pd.Series(means) - kappa * pd.Series(stds)
    return bounds.drop(tried).idxmin()


@right("3.q1")
def masked(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    mask = np.zeros(len(bounds), dtype=bool)
    mask[tried] = True
    return np.ma.masked_array(bounds, mask).argmin()


@right("3.q1")
def order_of_all(means, stds, tried, kappa):
    for i in np.argsort(np.array(means) - kappa * np.array(stds)):
        if i not in tried:
            return i


@right("3.q1")
def dictionary(means, stds, tried, kappa):
    bounds = {i: m - kappa * s for i, (m, s) in enumerate(zip(means, stds, strict=True))}
    for i in tried:
        del bounds[i]
    return min(bounds, key=bounds.get)


@right("3.q1")
def as_a_whole_float(means, stds, tried, kappa):
    return float(min_with_a_key(means, stds, tried, kappa))


@wrong("3.q1", "was tried")
def forgets_tried(means, stds, tried, kappa):
    return int(np.argmin(np.array(means) - kappa * np.array(stds)))


@wrong("3.q1", "counts against")
def upper_bound(means, stds, tried, kappa):
    bounds = np.array(means) + kappa * np.array(stds)
    bounds[tried] = np.inf
    return bounds.argmin()


@wrong("3.q1", "highest upper bound")
def upper_confidence_bound(means, stds, tried, kappa):
    bounds = np.array(means) + kappa * np.array(stds)
    bounds[tried] = -np.inf
    return bounds.argmax()


@wrong("3.q1", "the lowest is needed")
def argmax_of_the_bound(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    bounds[tried] = -np.inf
    return bounds.argmax()


@wrong("3.q1", "only the mean decides")
def mean_alone(means, stds, tried, kappa):
    return min((i for i in range(len(means)) if i not in tried), key=lambda i: means[i])


@wrong("3.q1", "only the doubt decides")
def doubt_alone(means, stds, tried, kappa):
    return max((i for i in range(len(means)) if i not in tried), key=lambda i: stds[i])


@wrong("3.q1", "kappa happens to fit")
def without_kappa(means, stds, tried, kappa):
    return min((i for i in range(len(means)) if i not in tried), key=lambda i: means[i] - stds[i])


@wrong("3.q1", "position among the untried")
def position_among_the_rest(means, stds, tried, kappa):
    rest = [means[i] - kappa * stds[i] for i in range(len(means)) if i not in tried]
    return rest.index(min(rest))


@wrong("3.q1", "its position is asked for")
def returns_the_bound(means, stds, tried, kappa):
    return min(means[i] - kappa * stds[i] for i in range(len(means)) if i not in tried)


@wrong("3.q1", "tried=")
def tried_put_to_zero(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    bounds[tried] = 0  # as the lesson does with gains, but bounds may be above 0
    return bounds.argmin()


@wrong("3.q1", "return")
def prints(means, stds, tried, kappa):
    min((i for i in range(len(means)) if i not in tried), key=lambda i: means[i] - kappa * stds[i])


@wrong("3.q1", "TypeError", "kappa * stds")
def minus_on_lists(means, stds, tried, kappa):
    return np.argmin(means - kappa * stds)


@wrong("3.q1", "a list was returned")
def all_positions(means, stds, tried, kappa):
    return sorted(
        (i for i in range(len(means)) if i not in tried), key=lambda i: means[i] - kappa * stds[i]
    )


@wrong("3.q1", "counted from 0")
def counted_from_one(means, stds, tried, kappa):
    return (
        min(
            (i for i in range(len(means)) if i not in tried),
            key=lambda i: means[i] - kappa * stds[i],
        )
        + 1
    )


@wrong("3.q1", "it was tried")
def tried_set_to_hundred(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    bounds[tried] = 100
    return int(bounds.argmin())


@wrong("3.q1", "it was tried")
def tried_set_to_the_worst_mean(means, stds, tried, kappa):
    bounds = np.array(means) - kappa * np.array(stds)
    bounds[tried] = max(means)
    return int(bounds.argmin())


@wrong("3.q1", "kappa times the variance")
def squared(means, stds, tried, kappa):
    return min(
        (i for i in range(len(means)) if i not in tried),
        key=lambda i: means[i] - kappa * stds[i] ** 2,
    )
