"""The tables of lessons in README.md and on the start page, from the list of lessons.

`python -m tools.lesson_tables` writes them. Minutes are those that the executed lessons state.
"""

import re
from collections.abc import Sequence
from pathlib import Path

import nbformat

from hpt_helpers.classroom.lessons import COURSE, LESSONS, Lesson
from tools.lesson_minutes import NOTEBOOKS, in_words, time_of

README = Path(__file__).resolve().parents[1] / "README.md"
START_PAGE = NOTEBOOKS / "source" / "00_start_here.py"
HEAD = re.compile(r"^(?:# )?\| lesson \|.*\n(?:# )?\|[-|]+\n", re.M)
ROWS = re.compile(r"(?:(?:# )?\|.*\n)*")


def several(numbers: Sequence[str]) -> str:
    """Return numbers in a row as text; of four or more, the first and the last.

    >>> several(["1", "2", "3"]), several(["1", "2", "3", "4"])
    ('1, 2, 3', '1 to 4')
    """
    return ", ".join(numbers) if len(numbers) < 4 else f"{numbers[0]} to {numbers[-1]}"


def readme_row(lesson: Lesson) -> str:
    """Return a lesson's row of README's table."""
    name = f"{lesson.number} {lesson.title}" if lesson.number else lesson.title
    minutes = in_words(time_of(nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4)))
    basis = several([str(number) for number in lesson.builds_on])
    link = f"[{name}](notebooks/{lesson.stem}.ipynb)"
    return f"| {link} | {lesson.question} | {minutes} | {basis} |".replace("|  |", "| |")


def start_row(lesson: Lesson) -> str:
    """Return a lesson's row of the start page's table."""
    basis = several([f"{number:02d}" for number in lesson.builds_on]) or "this page"
    link = f"[{lesson.digits} {lesson.title}]({lesson.stem}.ipynb)"
    return f"# | {link} | {lesson.question} | {basis} |"


def with_rows(text: str, rows: Sequence[str]) -> str:
    """Return a page with these rows in its table of lessons; raises ValueError where it has none.

    >>> with_rows("| lesson | minutes |\\n|---|---|\\n| old | 1 |\\nEnd.", ["| new | 2 |"])
    '| lesson | minutes |\\n|---|---|\\n| new | 2 |\\nEnd.'
    """
    head = HEAD.search(text)
    if not head:
        raise ValueError(f"there is no table of lessons in {text[:60]!r}")
    end = ROWS.match(text, head.end()).end()
    return text[: head.end()] + "".join(f"{row}\n" for row in rows) + text[end:]


def pages() -> dict[Path, str]:
    """Return both pages as they should be."""
    rows = {README: map(readme_row, COURSE), START_PAGE: map(start_row, LESSONS)}
    return {path: with_rows(path.read_text(encoding="utf-8"), list(rows[path])) for path in rows}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
