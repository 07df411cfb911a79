"""The list of lessons, in the order in which they are taught.

A lesson is a line here, its source in notebooks/source, and a folder beside this file, which holds
its exercises. CONTRIBUTING.md says how to add one.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

CLASSROOM = Path(__file__).parent


class Lesson(NamedTuple):
    """One notebook of the course.

    stem: the notebook's name, which begins with the lesson's number in two digits.
    title: what tables and the instructor's guide call it.
    question: what it answers, for the tables of README and of the start page.
    builds_on: the numbers of the lessons that a learner should have done before.
    needs_ray: whether one of its cells starts Ray.
    """

    stem: str
    title: str
    question: str
    builds_on: tuple[int, ...] = ()
    needs_ray: bool = False

    @property
    def digits(self) -> str:
        """The lesson's number in two digits, as file names have it."""
        return self.stem[:2]

    @property
    def number(self) -> int:
        """The lesson's number; the start page has 0."""
        return int(self.digits)

    @property
    def folder(self) -> str:
        """The name of the folder with what only this lesson needs."""
        return f"lesson_{self.digits}"

    def module(self, name: str) -> ModuleType:
        """Return a module of the lesson's folder, such as "exercises".

        Raises ModuleNotFoundError, saying which file is missing, where the folder has none.

        >>> LESSONS[0].module("exercises").q1
        q1: not attempted
        """
        file = f"{self.folder}/{name.replace('.', '/')}.py"
        if not (CLASSROOM / file).exists():
            raise ModuleNotFoundError(
                f"lesson {self.number} needs hpt_helpers/classroom/{file}: CONTRIBUTING.md says, "
                "under A new lesson, what its folder holds"
            )
        return importlib.import_module(f"hpt_helpers.classroom.{self.folder}.{name}")


START = Lesson(
    "00_start_here", "Start here", "How does the course work, and is this machine ready?"
)
LESSONS = (
    Lesson("01_grid_search", "Grid search", "How far can you trust a grid's winner?"),
    Lesson("02_random_search", "Random search", "When do more trials stop paying?", (1,)),
    Lesson(
        "03_bayesian_optimization",
        "Bayesian optimisation",
        "Can a search learn from the trials it has made?",
        (2,),
    ),
    Lesson(
        "04_hyperband",
        "Hyperband",
        "What if most trials could be stopped early?",
        (1, 2, 3),
        needs_ray=True,
    ),
    Lesson(
        "05_bake_off",
        "The bake-off",
        "Which search is best, and what does a race prove?",
        (1, 2, 3, 4),
    ),
)
COURSE = (START, *LESSONS)

# No lesson: a learner takes it to a table of his own. It has no folder here, and no exercises.
WORKSHEET = Lesson(
    "06_your_own_table", "Your own table", "What can I claim of a search on my own table?"
)
NOTEBOOKS = (*COURSE, WORKSHEET)
