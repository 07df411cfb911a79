"""Answers to lesson 5, exercise 1: `wins_needed(n)`."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import stats

from answers.collected import right, wrong


@right("5.q1")
def adds_up(n):
    total, wins = 0.0, n + 1
    while total + math.comb(n, wins - 1) / 2**n <= 0.025:
        wins -= 1
        total += math.comb(n, wins) / 2**n
    return wins


@right("5.q1")
def survival(n):
    wins = 0
    while stats.binom.sf(wins - 1, n, 0.5) > 0.025:
        wins += 1
    return wins


@right("5.q1")
def inverse_survival(n):
    return int(stats.binom.isf(0.025, n, 0.5)) + 1


@right("5.q1")
def as_a_float(n):
    return stats.binom.isf(0.025, n, 0.5) + 1


@right("5.q1")
def quantile(n):
    return stats.binom.ppf(0.975, n, 0.5) + 1


@right("5.q1")
def other_side(n):
    return n - int(stats.binom.ppf(0.025, n, 0.5)) + 1


@right("5.q1")
def tests_each(n):
    return next(w for w in range(n // 2 + 1, n + 1) if stats.binomtest(w, n).pvalue <= 0.05)


@right("5.q1")
def one_sided_test(n):
    return min(
        w for w in range(n + 1) if stats.binomtest(w, n, alternative="greater").pvalue <= 0.025
    )


@right("5.q1")
def array_of_tails(n):
    tails = stats.binom.sf(np.arange(n + 1) - 1, n, 0.5)
    return np.flatnonzero(tails <= 0.025)[0]


@right("5.q1")
def series(n):
    chances = pd.Series([math.comb(n, k) / 2**n for k in range(n + 1)])
    tails = chances[::-1].cumsum()
    return tails[tails <= 0.025].index.min()


@right("5.q1")
def exact(n):
    tail = lambda wins: Fraction(sum(math.comb(n, k) for k in range(wins, n + 1)), 2**n)  # noqa: E731
    return next(w for w in itertools.count() if tail(w) <= Fraction(25, 1000))


@right("5.q1")
def pascal(n):
    row = [1]
    for _ in range(n):
        row = [1, *(a + b for a, b in itertools.pairwise(row)), 1]
    return next(w for w in range(n + 1) if sum(row[w:]) <= 0.025 * 2**n)


@wrong("5.q1", "0.05 on one side")
def one_sided(n):
    return next(w for w in range(n + 1) if stats.binom.sf(w - 1, n, 0.5) <= 0.05)


@wrong("5.q1", "one win too few")
def off_by_one(n):
    return int(stats.binom.isf(0.025, n, 0.5))


@wrong("5.q1", "one win too few")
def sf_of_wins(n):
    return next(w for w in range(n + 1) if stats.binom.sf(w, n, 0.5) <= 0.025)


@wrong("5.q1", "one win too many")
def one_too_many(n):
    return int(stats.binom.isf(0.025, n, 0.5)) + 2


@wrong("5.q1", "more than half")
def majority(n):
    return n // 2 + 1


@wrong("5.q1", "above 0.025")
def normal(n):
    return round(n / 2 + 1.96 * math.sqrt(n) / 2 - 0.5)


@wrong("5.q1", "5 of 6", "above 0.025")
def three_quarters(n):
    return math.ceil(0.75 * n)


@wrong("5.q1", "share or a probability")
def share(n):
    return survival(n) / n


@wrong("5.q1", "no more than")
def more_than_n(n):
    return n + survival(n)


@wrong("5.q1", "return")
def prints(n):
    print(survival(n))


@wrong("5.q1", "one win fewer would do")
def all_of_them(n):
    return n


@wrong("5.q1", "number of wins")
def a_list(n):
    return [w for w in range(n + 1) if stats.binom.sf(w - 1, n, 0.5) <= 0.025]


@wrong("5.q1", "above 0.025")
def losses_instead(n):
    return n - survival(n)


@wrong("5.q1", "above 0.025")
def only_this_number(n):
    return next(w for w in range(n // 2, n + 1) if stats.binom.pmf(w, n, 0.5) <= 0.025)


@wrong("5.q1", "Keep the arguments")
def two_arguments(n, wins):
    return wins


@wrong("5.q1", "NameError")
def forgotten_import(n):
    return binom.isf(0.025, n, 0.5) + 1  # noqa: F821


@wrong("5.q1", "halved twice")
def halves_the_limit_twice(n):
    return next(w for w in range(n + 2) if stats.binom.sf(w - 1, n, 0.5) <= 0.0125)


@wrong("5.q1", "does no value meet the condition")
def two_sided_at_half_the_limit(n):
    return min(w for w in range(n + 1) if 2 * stats.binom.sf(w - 1, n, 0.5) <= 0.025)


@wrong("5.q1", "a fair coin")
def simulated_with_few_tosses(n):
    tosses = np.random.default_rng(0).binomial(n, 0.5, 10_000)
    return next(k for k in range(n + 2) if (tosses >= k).mean() <= 0.025)


@wrong("5.q1", "a fair coin")
def normal_beyond_thirty(n):
    if n > 30:
        return math.ceil(n / 2 + 1.96 * math.sqrt(n) / 2)
    return next(
        k for k in range(n + 2) if sum(math.comb(n, j) for j in range(k, n + 1)) / 2**n <= 0.025
    )
