"""Answers to lesson 2, exercise 4: the expected highest of n draws with replacement."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd

from answers.collected import right, wrong


def expected_lowest(losses, n):
    at_least = 1 - np.arange(len(losses) + 1) / len(losses)
    return np.sort(losses) @ (at_least[:-1] ** n - at_least[1:] ** n)


@right("2.q4")
def shares_below(accuracies, n):
    at_most = np.arange(len(accuracies) + 1) / len(accuracies)
    return np.sort(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n)


@right("2.q4")
def minus_twice(accuracies, n):
    return -expected_lowest(-np.array(accuracies), n)


@right("2.q4")
def errors_instead(accuracies, n):
    return 1 - expected_lowest([1 - a for a in accuracies], n)


@right("2.q4")
def a_plain_loop(accuracies, n):
    total, size = 0, len(accuracies)
    for k, accuracy in enumerate(sorted(accuracies), start=1):
        total += accuracy * ((k / size) ** n - ((k - 1) / size) ** n)
    return total


@right("2.q4")
def sorts_in_place(accuracies, n):
    accuracies.sort()
    return sum(
        a * (((k + 1) / len(accuracies)) ** n - (k / len(accuracies)) ** n)
        for k, a in enumerate(accuracies)
    )


@right("2.q4")
def all_samples(accuracies, n):
    return float(np.mean([max(sample) for sample in itertools.product(accuracies, repeat=n)]))


@right("2.q4")
def value_counts(accuracies, n):
    share = pd.Series(accuracies).value_counts(normalize=True).sort_index().cumsum()
    chance = (share**n).diff().fillna(share.iloc[0] ** n)
    return (share.index.to_numpy() * chance).sum()


@right("2.q4")
def steps_of_the_distribution(accuracies, n):
    values = sorted(set(accuracies))
    below = [sum(a <= v for a in accuracies) / len(accuracies) for v in values]
    expected = values[-1]
    for low, high, share in zip(values, values[1:], below, strict=False):
        expected -= (high - low) * share**n
    return expected


@right("2.q4")
def numpy_diff(accuracies, n):
    weights = np.diff(np.linspace(0, 1, len(accuracies) + 1) ** n)
    return (np.array(sorted(accuracies)) * weights).sum()


@right("2.q4")
def exact_fractions(accuracies, n):
    size = len(accuracies)
    ordered = enumerate(sorted(accuracies), start=1)
    return float(sum(Fraction(k**n - (k - 1) ** n, size**n) * Fraction(a) for k, a in ordered))


@right("2.q4")
def by_rank_from_the_top(accuracies, n):
    size = len(accuracies)
    expected = 0.0
    for k, a in enumerate(sorted(accuracies, reverse=True)):
        expected += a * ((1 - k / size) ** n - (1 - (k + 1) / size) ** n)
    return round(expected, 9)


@right("2.q4")
def one_value_in_an_array(accuracies, n):
    return np.array(shares_below(accuracies, n))


@right("2.q4")
def one_draw_at_a_time(accuracies, n):
    best = {0.0: 1.0}  # highest so far -> its probability
    for _ in range(n):
        after = {}
        for high, chance in best.items():
            for a in accuracies:
                after[max(high, a)] = after.get(max(high, a), 0) + chance / len(accuracies)
        best = after
    return sum(high * chance for high, chance in best.items())


@wrong("2.q4", "highest of the list")
def the_highest(accuracies, n):
    return max(accuracies)


@wrong("2.q4", "expected lowest")
def the_lowest(accuracies, n):
    return expected_lowest(accuracies, n)


@wrong("2.q4", "minus", "expected lowest")
def minus_once_outside(accuracies, n):
    return -expected_lowest(accuracies, n)


@wrong("2.q4", "minus", "negative")
def minus_once_inside(accuracies, n):
    return expected_lowest(-np.array(accuracies), n)


@wrong("2.q4", "1 -")
def one_minus_the_lowest(accuracies, n):
    return 1 - expected_lowest(accuracies, n)


@wrong("2.q4", "TypeError", "np.array")
def minus_of_a_list(accuracies, n):
    return -expected_lowest(-accuracies, n)


@wrong("2.q4", "mean", "n=1")
def the_mean(accuracies, n):
    return float(np.mean(accuracies))


@wrong("2.q4", "sort")
def forgot_to_sort(accuracies, n):
    at_most = np.arange(len(accuracies) + 1) / len(accuracies)
    return np.array(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n)


@wrong("2.q4", "sort")
def sorted_the_wrong_way(accuracies, n):
    size = len(accuracies)
    ordered = enumerate(sorted(accuracies, reverse=True), start=1)
    return sum(a * ((k / size) ** n - ((k - 1) / size) ** n) for k, a in ordered)


@wrong("2.q4", "without replacement")
def without_replacement(accuracies, n):
    size = len(accuracies)
    ordered = enumerate(sorted(accuracies), start=1)
    return (
        sum(a * math.comb(k - 1, n - 1) for k, a in ordered) / math.comb(size, n)
        if n <= size
        else max(accuracies)
    )


@wrong("2.q4", "twice")
def drops_ties(accuracies, n):
    return shares_below(sorted(set(accuracies)), n)


@wrong("2.q4", "simulat")
def simulates(accuracies, n):
    return np.random.default_rng(0).choice(accuracies, (20_000, n)).max(axis=1).mean()


@wrong("2.q4", "first n")
def the_first_n(accuracies, n):
    return max(accuracies[:n])


@wrong("2.q4", "one number")
def all_n_at_once(accuracies, n):
    return [shares_below(accuracies, k) for k in range(1, n + 1)]


@wrong("2.q4", "None", "return")
def nothing(accuracies, n):
    shares_below(accuracies, n)


@wrong("2.q4", "add up")
def forgot_the_difference(accuracies, n):
    at_most = np.arange(1, len(accuracies) + 1) / len(accuracies)
    return np.sort(accuracies) @ at_most**n


@wrong("2.q4", "percent")
def in_percent(accuracies, n):
    return 100 * shares_below(accuracies, n)


@wrong("2.q4", "rounded")
def two_decimals(accuracies, n):
    return round(shares_below(accuracies, n), 2)
