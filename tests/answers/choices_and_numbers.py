"""Answers to the questions of choice (lesson 1, exercise 2; lesson 2, exercise 3) and of a number (lesson 1, 4)."""

import numpy as np
import pandas as pd

from hpt_helpers.data import wilson_interval


def choice(letter, number):
    """Return a right answer as learners write it: strings, pairs and lists."""
    text = f"{letter}{number}"
    return [
        text, text.upper(), f" {text} ", f"{letter} {number}", f"{number}{letter}", f"{letter},{number}",
        f"{letter}, {number}", f"{letter.upper()} {number}", f"{text}.", f"{letter}-{number}", f"{letter}/{number}",
        f"({letter}, {number})", f"{letter} and {number}", f"{letter} because {number}", f"**{letter}** **{number}**",
        f"{number} {letter}", f"{letter}{number}\n", (letter, number), [letter, str(number)], (number, letter),
        (letter.upper(), number), {letter: number}, {letter, number}, np.str_(text), [text], (letter, np.int64(number)),
    ]  # fmt: skip


CHOICES = {"1.q2": ("b", 1), "2.q3": ("b", 1)}
RIGHT_CHOICES = [(exercise, answer) for exercise, pair in CHOICES.items() for answer in choice(*pair)]
_WRONG = [
    ("a1", ("Answer",)), ("c1", ("Answer",)), ("b2", ("Reason",)), ("b3", ("Reason",)), ("a2", ("Answer", "Reason")),
    ("c3", ("Answer", "Reason")), (("a", 3), ("Answer", "Reason")), ("b", ("'b'", "number")), (1, ("1", "letter")),
    ("1", ("'1'", "letter")), ("", ("letter",)), ("d1", ("'d1'", "a, b, c")), ("b4", ("'b4'", "1, 2, 3")),
    ("bc1", ("one letter",)), ("b12", ("one",)), ("a1 b1", ("one letter",)), ("b1 or c1", ("one letter",)),
    ("b1, b2", ("one number",)), ("Nothing yet about batch sizes", ("letter",)), (None, ("letter",)),
    (True, ("letter",)), (3.5, ("letter",)), (["b"], ("number",)), (["a1", "b1"], ("one letter",)),
    (max, ("letter",)), (pd.Series(["b", 1]), ("letter",)),
]  # fmt: skip
WRONG_CHOICES = [(exercise, answer, words) for exercise in CHOICES for answer, words in _WRONG]


def smallest_n():
    goal = wilson_interval(27, 30).high - wilson_interval(27, 30).low
    n = 30
    while wilson_interval(round(0.9 * n), n).high - wilson_interval(round(0.9 * n), n).low > goal / 10:
        n += 10
    return n


RIGHT_NUMBERS = [
    smallest_n(), 2819, 2820, 2800, 2900, 3000, 2700, 2819.4, np.int64(2820), np.float64(2815.2), np.array(2820),
    "2820", pd.Series([2820]).iloc[0],
]  # fmt: skip
WRONG_NUMBERS = [
    (300, ("300", "ten times as many")), (100, ("100", "square")), (95, ("95",)), (30, ("30",)), (900, ("900",)),
    (9000, ("9000", "few")), (30_000, ("30000", "few")), (-2820, ("-2820", "positive")), (0, ("0", "positive")),
    (float("nan"), ("nan",)), (float("inf"), ("inf",)), ("many", ("'many'", "number")), (None, ("None", "number")),
    (True, ("True", "number")), ([2820], ("list", "number")), ((0.89, 0.91), ("tuple", "number")),
    (max, ("number",)), (2600, ("2600", "more")), (3020, ("3020", "fewer")), (94, ("94",)), (2.82, ("2.82",)),
]  # fmt: skip
