"""Answers to lesson 2, exercise 1: the smallest n with 1 - (1 - p)^n at least the confidence."""

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from answers.collected import right, wrong


@right("2.q1")
def logarithms(top_share, confidence):
    return math.ceil(math.log(1 - confidence) / math.log(1 - top_share))


@right("2.q1")
def logarithms_with_numpy(top_share, confidence):
    return np.ceil(np.log(1 - confidence) / np.log(1 - top_share))


@right("2.q1")
def log1p(top_share, confidence):
    return int(np.ceil(np.log1p(-confidence) / np.log1p(-top_share)))


@right("2.q1")
def base_of_the_logarithm(top_share, confidence):
    return math.ceil(math.log(1 - confidence, 1 - top_share))


@right("2.q1")
def counts_up(top_share, confidence):
    n = 1
    while 1 - (1 - top_share) ** n < confidence:
        n += 1
    return n


@right("2.q1")
def counts_misses(top_share, confidence):
    n, missed = 0, 1.0
    while missed > 1 - confidence:
        missed *= 1 - top_share
        n += 1
    return n


@right("2.q1")
def next_of_count(top_share, confidence):
    return next(n for n in itertools.count(1) if 1 - (1 - top_share) ** n >= confidence)


@right("2.q1")
def searches_an_array(top_share, confidence):
    n = np.arange(1, 10_000)
    return n[1 - (1 - top_share) ** n >= confidence][0]


@right("2.q1")
def searches_sorted(top_share, confidence):
    return 1 + np.searchsorted(1 - (1 - top_share) ** np.arange(1, 10_000), confidence)


@right("2.q1")
def geometric_quantile(top_share, confidence):
    return stats.geom.ppf(confidence, top_share)


@right("2.q1")
def pandas_series(top_share, confidence):
    hit = pd.Series({n: 1 - (1 - top_share) ** n for n in range(1, 5_000)})
    return hit[hit >= confidence].index[0]


@right("2.q1")
def floor_of_the_negative(top_share, confidence):
    return int(-(-math.log10(1 - confidence) / math.log10(1 - top_share) // 1))


@right("2.q1")
def bisection(top_share, confidence):
    low, high = 0, 100_000
    while high - low > 1:
        n = (low + high) // 2
        low, high = (low, n) if 1 - (1 - top_share) ** n >= confidence else (n, high)
    return high


@wrong("2.q1", "one more than", "already")
def int_and_one(top_share, confidence):
    return int(math.log(1 - confidence) / math.log(1 - top_share)) + 1


@wrong("2.q1", "round", "up")
def rounded(top_share, confidence):
    return round(math.log(1 - confidence) / math.log(1 - top_share))


@wrong("2.q1", "round", "up")
def cut_off(top_share, confidence):
    return int(math.log(1 - confidence) / math.log(1 - top_share))


@wrong("2.q1", "whole number")
def not_rounded(top_share, confidence):
    return math.log(1 - confidence) / math.log(1 - top_share)


@wrong("2.q1", "1 / top_share")
def one_over_p(top_share, confidence):
    return round(1 / top_share)


@wrong("2.q1", "confidence / top_share")
def confidence_over_p(top_share, confidence):
    return math.ceil(confidence / top_share)


@wrong("2.q1", "1 - confidence", "1 - top_share")
def no_complement(top_share, confidence):
    return math.ceil(math.log(confidence) / math.log(top_share))


@wrong("2.q1", "1 - top_share")
def one_complement(top_share, confidence):
    return math.ceil(math.log(1 - confidence) / math.log(top_share))


@wrong("2.q1", "minus", "negative")
def a_minus_too_many(top_share, confidence):
    return math.ceil(-math.log(1 - confidence) / math.log(1 - top_share))


@wrong("2.q1", "approximation")
def poisson(top_share, confidence):
    return math.ceil(-math.log(1 - confidence) / top_share)


@wrong("2.q1", "59 draws", "less than 0.95")
def always_fifty_nine(top_share, confidence):
    return 59


@wrong("2.q1", "swapped")
def swapped(top_share, confidence):
    return math.ceil(math.log(1 - top_share) / math.log(1 - confidence))


@wrong("2.q1", "one more than", "already")
def strictly_more(top_share, confidence):
    n = 1
    while 1 - (1 - top_share) ** n <= confidence:
        n += 1
    return n


@wrong("2.q1", "one more than", "already")
def counts_one_too_far(top_share, confidence):
    n, missed = 1, 1.0
    while missed > 1 - confidence:
        missed *= 1 - top_share
        n += 1
    return n


@wrong("2.q1", "probability", "number of draws")
def the_probability(top_share, confidence):
    return 1 - (1 - top_share) ** 60


@wrong("2.q1", "None", "return")
def nothing(top_share, confidence):
    math.ceil(math.log(1 - confidence) / math.log(1 - top_share))


@wrong("2.q1", "percent")
def takes_percent(top_share, confidence):
    return math.ceil(math.log(1 - confidence / 100) / math.log(1 - top_share / 100))


@wrong("2.q1", "argument")
def one_argument(p):
    return math.ceil(math.log(0.05) / math.log(1 - p))


@wrong("2.q1", "'59'", "text")
def as_text(top_share, confidence):
    return str(logarithms(top_share, confidence))


@wrong("2.q1", "IndexError", "range end too early")
def searches_too_short_an_array(top_share, confidence):
    n = np.arange(1, 151)
    return n[1 - (1 - top_share) ** n >= confidence][0]


@wrong("2.q1", "not elsewhere", "loop end too early")
def counts_to_150(top_share, confidence):
    for n in range(1, 151):
        if 1 - (1 - top_share) ** n >= confidence:
            return n


@wrong("2.q1", "StopIteration", "range end too early")
def next_of_150(top_share, confidence):
    return next(n for n in range(1, 151) if 1 - (1 - top_share) ** n >= confidence)
