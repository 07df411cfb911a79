"""Each check meets answers that a learner might write.

Right ones pass however they are written. Wrong ones are told what is wrong.
"""

import pytest
from exercise_proofs import fresh

from hpt_helpers.classroom.exercises.answer_key import exercises_of
from hpt_helpers.classroom.exercises.framework import CORRECT, MultipleChoice
from hpt_helpers.classroom.lessons import LESSONS

ANSWERS = {lesson.digits: lesson.module("tests.answers") for lesson in LESSONS}
RIGHT = [
    pytest.param(lesson, name, answer, id=f"{lesson}-{name}-{i}")
    for lesson in ANSWERS
    for name, answers in ANSWERS[lesson].RIGHT.items()
    for i, answer in enumerate(answers)
]
WRONG = [
    pytest.param(lesson, name, answer, words, id=f"{lesson}-{name}-{words}")
    for lesson in ANSWERS
    for name, answer, words in ANSWERS[lesson].WRONG
]


def check(lesson, name, answer):
    [exercise] = [exercise for exercise in exercises_of(lesson) if exercise.name == name]
    return fresh(exercise).check(answer)


@pytest.mark.parametrize("lesson", ANSWERS)
def test_each_exercise_but_a_choice_meets_right_and_wrong_answers(lesson):
    free = {e.name for e in exercises_of(lesson) if not isinstance(e, MultipleChoice)}
    answers = ANSWERS[lesson]
    assert free <= set(answers.RIGHT) & {name for name, _, _ in answers.WRONG}


@pytest.mark.parametrize(("lesson", "name", "answer"), RIGHT)
def test_a_right_answer_is_correct_however_it_is_written(lesson, name, answer):
    result = check(lesson, name, answer)
    assert result.outcome == CORRECT, result


@pytest.mark.parametrize(("lesson", "name", "answer", "words"), WRONG)
def test_a_wrong_answer_is_told_what_is_wrong(lesson, name, answer, words):
    result = check(lesson, name, answer)
    assert result.outcome != CORRECT
    assert words in result.message
