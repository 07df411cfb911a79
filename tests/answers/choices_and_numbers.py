"""Answers to the questions of choice (lesson 1, exercise 2; lesson 2, exercise 3) and of a number
(lesson 1, 4).
"""

import numpy as np
import pandas as pd

from hpt_helpers.data import wilson_interval


def choice(letter, number):
    """Return a right answer as learners write it: strings, pairs and lists."""
    text = f"{letter}{number}"
    return [
        text,
        text.upper(),
        f" {text} ",
        f"{letter} {number}",
        f"{number}{letter}",
        f"{letter},{number}",
        f"{letter}, {number}",
        f"{letter.upper()} {number}",
        f"{text}.",
        f"{letter}-{number}",
        f"{letter}/{number}",
        f"({letter}, {number})",
        f"{letter} and {number}",
        f"{letter} because {number}",
        f"**{letter}** **{number}**",
        f"{number} {letter}",
        f"{letter}{number}\n",
        (letter, number),
        [letter, str(number)],
        (number, letter),
        (letter.upper(), number),
        {letter: number},
        {letter, number},
        np.str_(text),
        [text],
        (letter, np.int64(number)),
        pd.Series([letter, number]),
    ]


CHOICES = {"1.q2": ("b", 1), "2.q3": ("b", 1)}
RIGHT_CHOICES = [
    (exercise, answer) for exercise, pair in CHOICES.items() for answer in choice(*pair)
]
_WRONG = [
    ("a1", ("option a",)),
    ("c1", ("option c",)),
    ("b2", ("reason 2", "option is right")),
    ("a2", ("option a",)),
    ("b3", ("reason 3", "option is right")),
    ("c3", ("option c",)),
    (("a", 3), ("option a",)),
    ("b", ("number is missing",)),
    (1, ("1: the letter is missing",)),
    ("1", ("'1'", "letter is missing")),
    ("", ("letter is missing",)),
    ("d1", ("d is none", "a, b, c")),
    ("b4", ("4 is none", "1, 2, 3")),
    ("bc1", ("more than one letter",)),
    ("b12", ("more than one number",)),
    ("a1 b1", ("more than one letter",)),
    ("b1 or c1", ("more than one letter",)),
    ("b1, b2", ("more than one number",)),
    ("Nothing yet about batch sizes", ("letter is asked for", "no word")),
    (None, ("no word",)),
    (True, ("no word",)),
    (3.5, ("letter is missing",)),
    (["b"], ("number is missing",)),
    (["a1", "b1"], ("more than one",)),
    (max, ("TypeError",)),
]
WRONG_CHOICES = [(exercise, answer, words) for exercise in CHOICES for answer, words in _WRONG]


def smallest_n():
    goal = wilson_interval(27, 30).high - wilson_interval(27, 30).low
    n = 30
    while (
        wilson_interval(round(0.9 * n), n).high - wilson_interval(round(0.9 * n), n).low > goal / 10
    ):
        n += 10
    return n


RIGHT_NUMBERS = [
    smallest_n(),
    2819,
    2820,
    2800,
    2900,
    3000,
    2700,
    2819.4,
    np.int64(2820),
    np.float64(2815.2),
    np.array(2820),
    "2820",
    pd.Series([2820]).iloc[0],
]
WRONG_NUMBERS = [
    (300, ("300", "ten times as many")),
    (100, ("100", "square")),
    (95, ("95", "square root")),
    (30, ("30: too low",)),
    (900, ("900: too low",)),
    (9000, ("9000: too high",)),
    (30_000, ("30000: too high",)),
    (-2820, ("-2820: too low",)),
    (0, ("0: too low",)),
    (float("nan"), ("nan",)),
    (float("inf"), ("inf",)),
    ("many", ("'many'", "number")),
    (None, ("None", "number")),
    (True, ("True", "number")),
    ([2820], ("[2820]", "number")),
    ((0.89, 0.91), ("0.91]", "number")),
    (max, ("TypeError",)),
    (2600, ("2600: too low",)),
    (3030, ("3030: too high",)),
    (94, ("94", "square root")),
    (2.82, ("2.82: too low",)),
    (2820j, ("complex",)),
]
