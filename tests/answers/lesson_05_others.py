"""Answers to lesson 5, exercises 2 (a choice) and 4 (a number)."""

import numpy as np
import pandas as pd
from scipy import stats

from answers.choices_and_numbers import choice
from answers.collected import RIGHT, WRONG


def smallest_n():
    """Count up, with the sign test's own p-values."""
    n = 6
    while True:
        needed = next(w for w in range(n // 2, n + 1) if stats.binomtest(w, n).pvalue <= 0.05)
        if 1 - stats.binom.cdf(needed - 1, n, 0.6) >= 0.8:
            return n
        n += 1


RIGHT += [("5.q2", answer) for answer in choice("b", 2)]
WRONG += [
    ("5.q2", answer, words)
    for answer, words in [
        ("a1", ("option a",)),
        ("a2", ("option a",)),
        ("c3", ("option c",)),
        ("c2", ("option c",)),
        ("b1", ("reason 1", "option is right")),
        ("b3", ("reason 3", "option is right")),
        ("b", ("number is missing",)),
        (2, ("letter is missing",)),
        ("", ("letter is missing",)),
        ("d2", ("d is none",)),
        ("b4", ("4 is none",)),
        ("ab2", ("more than one letter",)),
        (None, ("no word",)),
        ("retrain", ("no word",)),
        (max, ("TypeError",)),
    ]
]
RIGHT += [
    ("5.q4", answer)
    for answer in [
        smallest_n(),
        194,
        199,
        200,
        195.0,
        190,
        205,
        np.int64(199),
        np.float64(196.5),
        "200",
        np.array(200),
        pd.Series([199]).iloc[0],
        203,
    ]
]
WRONG += [
    ("5.q4", answer, words)
    for answer, words in [
        (20, ("20", "one time in eight")),
        (49, ("49", "0.7")),
        (100, ("100", "half")),
        (40, ("40: too low",)),
        (150, ("150: too low",)),
        (300, ("300: too high",)),
        (1000, ("too high",)),
        (0, ("too low",)),
        (0.8, ("too low",)),
        (float("nan"), ("nan",)),
        (None, ("None", "number")),
        ("many", ("'many'", "number")),
        ([199], ("[199]", "number")),
        (True, ("True", "number")),
    ]
]
