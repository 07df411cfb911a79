"""The answer key of a lesson, for people who have it on paper only."""

import importlib
from types import ModuleType
from typing import NamedTuple

from hpt_helpers.classroom.exercises.framework import Exercise


class Solution(NamedTuple):
    """The solution of one exercise: code that runs, and why it is right."""

    number: int
    title: str
    code: str
    because: str


def exercises_module(lesson: str) -> ModuleType | None:
    """Return the module with a lesson's exercises, by its two digits; None where it has none."""
    name = f"hpt_helpers.classroom.lesson_{lesson}.exercises"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not name.startswith(error.name):
            raise
        return None


def exercises_of(lesson: str) -> list[Exercise]:
    """Return the exercises of a lesson in order.

    lesson: its two digits, such as "01". Raises ValueError where no such lesson has exercises.

    >>> exercises_of("01")
    [q1: not attempted, q2: not attempted, q3: not attempted, q4: not attempted]
    """
    module = exercises_module(lesson)
    if module is None:
        raise ValueError(f"lesson is {lesson!r}; '01' to '05' have exercises")
    found = [thing for thing in vars(module).values() if isinstance(thing, Exercise)]
    return sorted(found, key=lambda exercise: exercise.name)


def solutions(lesson: str) -> list[Solution]:
    """Return the solution of each exercise of a lesson, in order.

    lesson: its two digits, such as "01". Raises ValueError where no such lesson has exercises.

    >>> number, title, code, because = solutions("05")[1]
    >>> number, title
    (2, 'What to do with a winner')
    >>> print(code.splitlines()[0])
    answer_2 = "c3"
    """
    return [
        Solution(
            int(exercise.name.removeprefix("q")),
            exercise.title,
            exercise.solution_code(),
            exercise.because,
        )
        for exercise in exercises_of(lesson)
    ]
