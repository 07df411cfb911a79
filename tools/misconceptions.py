"""What is behind each wrong answer to an exercise, for instructors.

`python -m tools.misconceptions` writes docs/misconceptions.md from the exercises themselves.
"""

import importlib
import textwrap
from pathlib import Path

from hpt_helpers.classroom.exercises.framework import Exercise, Function
from tools.build_notebooks import SOURCES

PAGE = Path(__file__).resolve().parents[1] / "docs" / "misconceptions.md"
HEAD = """# Misconceptions, by exercise

For instructors. An exercise knows these wrong answers: what the check tells whoever gives one,
which is a pointer and not the answer, and what may be behind it. Where the check's words do not
help, the exercise's hints, in their order, are what to say next. `python -m tools.misconceptions`
writes this page from the exercises.
"""


def cell(text: str) -> str:
    """Return a text as it may stand in a table of Markdown."""
    return " ".join(text.split()).replace("|", "\\|")


def title(exercise: Exercise) -> str:
    """Return an exercise's name and what it is about: its function, or the beginning of its
    question.
    """
    number = exercise.name.removeprefix("q")
    if isinstance(exercise, Function):
        return f"Exercise {number}: `{exercise.starter.__name__.removesuffix('_starter')}`"
    return f"Exercise {number}: {textwrap.shorten(exercise.question, 60, placeholder=' …')}"


def of_exercise(exercise: Exercise) -> str:
    """Return an exercise's heading, its table of wrong answers, and what to say next."""
    rows = []
    for wrong in exercise.wrong:
        answer = "" if isinstance(exercise, Function) else f"{wrong.answer}: "
        rows.append(f"| {answer}{cell(wrong.message)} | {cell(wrong.misconception)} |")
    head = f"### {title(exercise)}\n\n| the check says | what may be behind it |\n|---|---|\n"
    hints = "\n".join(f"{n}. {cell(hint)}" for n, hint in enumerate(exercise.hints, start=1))
    return head + "\n".join(rows) + f"\n\nSay next, one at a time:\n\n{hints}\n"


def page() -> str:
    """Return docs/misconceptions.md."""
    parts = [HEAD]
    for source in sorted(SOURCES.glob("0[1-9]_*.py")):
        lesson = importlib.import_module(
            f"hpt_helpers.classroom.exercises.lesson_{source.stem[:2]}"
        )
        exercises = [thing for thing in vars(lesson).values() if isinstance(thing, Exercise)]
        parts += [
            f"## Lesson {int(source.stem[:2])}\n",
            *map(of_exercise, sorted(exercises, key=lambda e: e.name)),
        ]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
