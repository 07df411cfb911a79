"""What is behind each wrong answer to an exercise, for instructors.

`python -m tools.misconceptions` writes docs/misconceptions.md from the exercises themselves.
"""

import re
import textwrap
from pathlib import Path

from hpt_helpers.classroom.exercises.answer_key import exercises_of
from hpt_helpers.classroom.exercises.framework import Exercise, Function
from hpt_helpers.classroom.lessons import LESSONS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "misconceptions.md"
HEAD = """# Misconceptions, by exercise

For instructors. An exercise knows these wrong answers: what the check tells whoever gives one,
which is a pointer and not the answer, and what may be behind it. Behind most of them is one of ten
kinds of mistake. For these the third column has a question that helps without giving the answer
away. Elsewhere, and where the question does not help, say the exercise's hints next, in their
order. `python -m tools.misconceptions` writes this page from the exercises.
"""
# What to ask next, for each kind of mistake, and which words make a misconception one of that
# kind. The first kind that fits counts.
SAY_NEXT = {
    "Which rows chose this winner? What would rows say that had no part in choosing it?": (
        r"chosen by|chose\b|test set|choose|choosing and|by one training|'was found'|"
        r"own losses|mean of all losses|better judgement|tried for quality"
    ),
    "Throw a coin as many times as there were repeats. How often does it do as well?": (
        r"noise as|chance explains|majority|20 repeats|the opposite"
    ),
    "Put a trial that failed first, then in the middle, then last. What do you return each time?": (
        r"\bnan\b|succeeded|one case that was seen|deleting rows"
    ),
    "Take two trials of which you know the better one. Which one does your line choose?": (
        r"direction|[Mm]aximi|[Mm]aximum|'the best is|high and the others|last minus"
    ),
    "Give each trial a letter on paper. Which letter should come out, and which one does?": (
        r"new position|of the positions|positions (move|after)|they belong to|old one"
    ),
    "Do the smallest case by hand, with one or two. What should come out, and what does?": (
        r"[Oo]ff by one|from 1\b|loop at 1|[Rr]ounds|rounding up|own argument|once too often|"
        r"exponent"
    ),
    "Take two draws of which each hits half the time. How often do both miss? And how often not?": (
        r"\bhits?\b|missing|waiting time"
    ),
    "Write beside each number its unit or its scale. May you add them, or compare them?": (
        r"units?\b|log|two scales|variance|standardise"
    ),
    "With four times as many rows, is the error a half or a quarter of what it was?": (
        r"square root|factor for"
    ),
    "Draw a box for each epoch that is trained. How many boxes are there?": (
        r"Charges|by R\b|epochs as if|for cost|between rungs"
    ),
}


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


def say_next(misconception: str) -> str:
    """Return the question for this kind of mistake, or nothing where it is none of the ten.

    >>> say_next("Charges every rung from epoch 0.")
    'Draw a box for each epoch that is trained. How many boxes are there?'
    >>> say_next("Explores only.")
    ''
    """
    return next((say for say, words in SAY_NEXT.items() if re.search(words, misconception)), "")


def of_exercise(exercise: Exercise) -> str:
    """Return an exercise's heading, its table of wrong answers, and what to say next."""
    rows = []
    for wrong in exercise.wrong:
        answer = "" if isinstance(exercise, Function) else f"{wrong.answer}: "
        says, behind = answer + cell(wrong.message), cell(wrong.misconception)
        rows.append(f"| {says} | {behind} | {say_next(behind) or 'the hints'} |")
    columns = "| the check says | what may be behind it | say this next |\n|---|---|---|\n"
    head = f"### {title(exercise)}\n\n{columns}"
    hints = "\n".join(f"{n}. {cell(hint)}" for n, hint in enumerate(exercise.hints, start=1))
    return head + "\n".join(rows) + f"\n\nThe hints, one at a time:\n\n{hints}\n"


def page() -> str:
    """Return docs/misconceptions.md."""
    parts = [HEAD]
    for lesson in LESSONS:
        parts += [f"## Lesson {lesson.number}\n", *map(of_exercise, exercises_of(lesson.digits))]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
