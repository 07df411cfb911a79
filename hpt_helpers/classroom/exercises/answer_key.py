"""The answer key of a lesson, for people who have it on paper only."""

from types import ModuleType
from typing import NamedTuple

from hpt_helpers.classroom.exercises.framework import Exercise
from hpt_helpers.classroom.lessons import LESSONS


class Solution(NamedTuple):
    """The solution of one exercise: code that runs, and why it is right."""

    number: int
    title: str
    code: str
    because: str


def exercises_module(lesson: str) -> ModuleType | None:
    """Return the module with a lesson's exercises, by its two digits; None where it has none."""
    found = [each for each in LESSONS if each.digits == lesson]
    return found[0].module("exercises") if found else None


def exercises_of(lesson: str) -> list[Exercise]:
    """Return the exercises of a lesson in order.

    lesson: its two digits, such as "01". Raises ValueError where no such lesson has exercises.

    >>> exercises_of("01")
    [q1: not attempted, q2: not attempted, q3: not attempted, q4: not attempted]
    """
    module = exercises_module(lesson)
    if module is None:
        first, last = LESSONS[0].digits, LESSONS[-1].digits
        raise ValueError(f"lesson is {lesson!r}; {first!r} to {last!r} have exercises")
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
