"""The usual mistakes in lesson 2's exercises on formulas: the number of trials, the expected best."""

import math

from hpt_helpers.classroom.exercises.explained_02 import (
    expected_lowest,
    expected_without_replacement,
    weighted,
)
from hpt_helpers.classroom.exercises.framework import Wrong


def _needed(rounding, top=lambda p, c: math.log(1 - c), bottom=lambda p, c: math.log(1 - p)):
    return lambda top_share, confidence: rounding(
        top(top_share, confidence) / bottom(top_share, confidence)
    )


def _expected_best(accuracies, n):
    return weighted(sorted(accuracies), lambda share: share**n)


TRIALS_NEEDED = [
    Wrong(
        _needed(math.floor),
        "one trial short in most cases: the confidence has to be reached, so round up.",
        "Rounds down: off by one where the quotient is not whole.",
    ),
    Wrong(
        _needed(round),
        "sometimes one trial short: to round to the nearest may fall below the confidence; round up.",
        "Rounds to the nearest number, as for a measurement, where a bound has to be reached.",
    ),
    Wrong(
        _needed(lambda quotient: int(quotient) + 1),
        "one more than needed where the quotient of the logarithms is whole: then so many draws are already enough.",
        "Takes int(x) + 1 for rounding up.",
    ),
    Wrong(
        _needed(float),
        "a number of draws is a whole number: to which side must it be rounded?",
        "Stops at the formula; the number is not yet one of trials.",
    ),
    Wrong(
        _needed(round, lambda p, c: 1, lambda p, c: p),
        "1 / top_share is the number of draws for one hit on average; the confidence does not enter.",
        "Takes the mean waiting time for a promise.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: c, lambda p, c: p),
        "confidence / top_share adds probabilities up; two draws of 50 % each do not make a certainty.",
        "Adds the chances of the draws (n p) instead of multiplying those of missing.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: -math.log(1 - c), lambda p, c: p),
        "that is the approximation for a small top_share; the exact formula has a logarithm below, too.",
        "Uses exp(-n p) for (1 - p)^n, which asks for too many where p is large.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: math.log(c)),
        "you let all draws miss with probability `confidence`; it is the hit that should be likely.",
        "Confuses the probability of a hit with that of a miss.",
    ),
    Wrong(
        _needed(math.ceil, bottom=lambda p, c: math.log(p)),
        "a draw misses with probability 1 - top_share, and not with top_share.",
        "Counts hits in one place and misses in the other.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: math.log(c), lambda p, c: math.log(p)),
        "that is for all draws to hit; what is asked is that not all miss: use 1 - confidence and 1 - top_share.",
        "Multiplies the probabilities of hits; does not turn to the complement.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: math.log(1 - p), lambda p, c: math.log(1 - c)),
        "numerator and denominator are swapped.",
        "Solves (1 - p)^n = 1 - c for 1 / n.",
    ),
    Wrong(
        _needed(math.ceil, lambda p, c: math.log(1 - c / 100), lambda p, c: math.log(1 - p / 100)),
        "the arguments are shares, 0.05 and not 5 percent: nothing has to be divided by 100.",
        "Does not look at the units of the arguments.",
    ),
]
EXPECTED_BEST = [
    Wrong(
        expected_lowest,
        "this is the expected lowest of n draws: sort the other way round, so that the highest has the largest weight.",
        "Minimum for maximum: carries the direction of the loss over to accuracy; or sorts from the highest down.",
    ),
    Wrong(
        lambda accuracies, n: -expected_lowest(accuracies, n),
        "a minus is missing inside: this is the expected lowest, made negative.",
        "Turns the result around instead of the accuracies.",
    ),
    Wrong(
        lambda accuracies, n: expected_lowest([-a for a in accuracies], n),
        "the result is negative: a minus is missing at the end, or one is too many.",
        "Turns the accuracies around and not the result.",
    ),
    Wrong(
        lambda accuracies, n: 1 - expected_lowest(accuracies, n),
        "errors are 1 - accuracy: turn each value into its error first, and the expected lowest error back.",
        "Turns the result around instead of the accuracies.",
    ),
    Wrong(
        lambda accuracies, n: max(accuracies),
        "that is the highest of the list; n draws often miss it, and the result should depend on n.",
        "Takes the best that was seen for what n draws can be expected to give.",
    ),
    Wrong(
        lambda accuracies, n: max(accuracies[:n]),
        "the first n of the list are one of many possible draws; the average is over all.",
        "Takes one sample for its expected value.",
    ),
    Wrong(
        lambda accuracies, n: _expected_best(accuracies, n + 1),
        "off by one in n: with one draw you should get the mean.",
        "Off by one in the exponent.",
    ),
    Wrong(
        lambda accuracies, n: sum(accuracies) / len(accuracies),
        "that is the mean, what one draw gives (n=1); the best of more is higher.",
        "Takes the expectation of a draw for that of the best of n.",
    ),
    Wrong(
        lambda accuracies, n: weighted(accuracies, lambda share: share**n),
        "the weights are right, but the values are in the order of the list: sort them first.",
        "Forgets that the k-th weight belongs to the k-th lowest value.",
    ),
    Wrong(
        expected_without_replacement,
        "that is for draws without replacement; here a value can be drawn again.",
        "Counts subsets.",
    ),
    Wrong(
        lambda accuracies, n: _expected_best(sorted(set(accuracies)), n),
        "an accuracy that stands in the list twice is twice as likely: keep both.",
        "Takes equal accuracies for one.",
    ),
    Wrong(
        lambda accuracies, n: 100 * _expected_best(accuracies, n),
        "the result is in percent; return a share, as the list has.",
        "Changes the unit on the way.",
    ),
]
