"""Answers to lesson 3, exercises 3 (a choice) and 4 (the probability that a Normal loss lies below
the best).
"""

import math
from statistics import NormalDist

import numpy as np
import scipy.stats
from scipy.special import erfc, ndtr
from scipy.stats import norm

from answers.choices_and_numbers import choice
from answers.collected import RIGHT, WRONG, right, wrong

RIGHT.extend(("3.q3", answer) for answer in choice("b", 2))
WRONG.extend(
    ("3.q3", answer, words)
    for answer, words in [
        ("a2", ("option a", "9 of 20")),
        ("a1", ("option a",)),
        ("a3", ("option a",)),
        ("c1", ("option c", "coin")),
        ("c2", ("option c",)),
        ("c3", ("option c",)),
        ("b1", ("reason 1", "17")),
        ("b3", ("reason 3", "photograph")),
        ("b", ("number is missing",)),
        (2, ("letter is missing",)),
        ("d2", ("d is none",)),
        ("b4", ("4 is none",)),
        ("ab2", ("more than one letter",)),
        ("luck", ("no word",)),
        (None, ("no word",)),
    ]
)


@right("3.q4")
def normal_distribution(mean, std, best):
    return norm.cdf((best - mean) / std)


@right("3.q4")
def with_loc_and_scale(mean, std, best):
    return norm.cdf(best, loc=mean, scale=std)


@right("3.q4")
def frozen(mean, std, best):
    return scipy.stats.norm(mean, std).cdf(best)


@right("3.q4")
def standard_library(mean, std, best):
    return NormalDist(mean, std).cdf(best)


@right("3.q4")
def standardised(mean, std, best):
    z = (best - mean) / std
    return NormalDist().cdf(z)


@right("3.q4")
def error_function(mean, std, best):
    return 0.5 * (1 + math.erf((best - mean) / (std * math.sqrt(2))))


@right("3.q4")
def complementary_error_function(mean, std, best):
    return erfc((mean - best) / std / 2**0.5) / 2


@right("3.q4")
def special_function(mean, std, best):
    return ndtr((best - mean) / std)


@right("3.q4")
def survival(mean, std, best):
    return norm.sf((mean - best) / std)


@right("3.q4")
def one_minus(mean, std, best):
    return 1 - norm.cdf((mean - best) / std)


@right("3.q4")
def one_minus_survival(mean, std, best):
    return 1 - norm.sf(best, mean, std)


@right("3.q4")
def integrated(mean, std, best):
    x = np.linspace(mean - 12 * std, best, 200_001)
    return np.trapezoid(norm.pdf(x, mean, std), x)


@right("3.q4")
def in_an_array(mean, std, best):
    return norm.cdf(np.array((best - mean) / std))


@wrong("3.q4", "above `best`")
def turned_round(mean, std, best):
    return norm.cdf((mean - best) / std)


@wrong("3.q4", "above `best`")
def chance_of_no_improvement(mean, std, best):
    return 1 - norm.cdf(best, mean, std)


@wrong("3.q4", "density")
def density(mean, std, best):
    return norm.pdf((best - mean) / std)


@wrong("3.q4", "standard deviations")
def not_standardised(mean, std, best):
    return norm.cdf(best - mean)


@wrong("3.q4", "variance")
def variance_for_deviation(mean, std, best):
    return norm.cdf((best - mean) / std**2)


@wrong("3.q4", "expected improvement")
def how_much(mean, std, best):
    z = (best - mean) / std
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


@wrong("3.q4", "chance_of_improvement(")
def z_alone(mean, std, best):
    return (best - mean) / std


@wrong("3.q4", "chance_of_improvement(")
def precedence(mean, std, best):
    return norm.cdf(best - mean / std)


@wrong("3.q4", "chance_of_improvement(")
def yes_or_no(mean, std, best):
    return 1.0 if mean < best else 0.0


@wrong("3.q4", "True or False")
def a_bool(mean, std, best):
    return mean < best


@wrong("3.q4", "return")
def prints(mean, std, best):
    norm.cdf((best - mean) / std)


@wrong("3.q4", "chance_of_improvement(")
def simulated_with_few(mean, std, best):
    return (np.random.default_rng(0).normal(mean, std, 100) < best).mean()


@wrong("3.q4", "between 0 and 1")
def in_percent(mean, std, best):
    return 100 * norm.cdf((best - mean) / std)


@wrong("3.q4", "chance_of_improvement(")
def two_sided(mean, std, best):
    return 2 * norm.cdf((best - mean) / std)


@wrong("3.q4", "square root of 2")
def erf_of_z(mean, std, best):
    return (1 + math.erf((best - mean) / std)) / 2


@wrong("3.q4", "rounded, or simulated")
def to_two_decimals(mean, std, best):
    return round(norm.cdf((best - mean) / std), 2)


@wrong("3.q4", "more than one half")
def turned_round_and_more(mean, std, best):
    return 0.9 - 0.8 * norm.cdf((best - mean) / std)
