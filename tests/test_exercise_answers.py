"""Each check meets answers that a learner might write: right ones pass, wrong ones are told what is
wrong.
"""

import importlib

import pytest
from answers import choices_and_numbers, collected
from exercise_proofs import fresh

from hpt_helpers.classroom.exercises.framework import CORRECT

for lesson in (
    "01_report",
    "01_winner",
    "02_expected_best",
    "02_random_configs",
    "02_trials_needed",
    "03_chance",
    "03_next_trial",
    "03_told",
    "05_others",
    "05_report",
    "05_wins_needed",
):
    importlib.import_module(f"answers.lesson_{lesson}")

RIGHT = [
    *collected.RIGHT,
    *choices_and_numbers.RIGHT_CHOICES,
    *[("1.q4", answer) for answer in choices_and_numbers.RIGHT_NUMBERS],
]
WRONG = [
    *collected.WRONG,
    *choices_and_numbers.WRONG_CHOICES,
    *[("1.q4", *answer) for answer in choices_and_numbers.WRONG_NUMBERS],
]


def exercise(name):
    lesson, question = name.split(".")
    return fresh(
        getattr(
            importlib.import_module(f"hpt_helpers.classroom.exercises.lesson_0{lesson}"), question
        )
    )


def label(value):
    return getattr(value, "__name__", value if isinstance(value, str) else type(value).__name__)


@pytest.mark.parametrize(("name", "answer"), RIGHT, ids=label)
def test_a_right_answer_is_correct_however_it_is_written(name, answer):
    result = exercise(name).check(answer)
    assert result.outcome == CORRECT, result.message


@pytest.mark.parametrize(("name", "answer", "words"), WRONG, ids=label)
def test_a_wrong_answer_is_told_what_is_wrong(name, answer, words):
    result = exercise(name).check(answer)
    assert result.outcome != CORRECT
    for word in words:
        assert word in result.message


def test_each_exercise_meets_a_dozen_right_and_a_dozen_wrong_answers():
    for name in (f"{lesson}.q{question}" for lesson in (1, 2, 3, 5) for question in (1, 2, 3, 4)):
        assert min(sum(entry[0] == name for entry in entries) for entries in (RIGHT, WRONG)) >= 12
