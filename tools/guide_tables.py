"""The tables of docs/instructor_guide.md as data: a test executes what the guide promises, and the
instructor's edition prints its minutes.

A lesson's section is "## Lesson 1: Grid search"; its tables stand under "### Plan" and "### Safe to
change live".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat

GUIDE = Path(__file__).resolve().parents[1] / "docs" / "instructor_guide.md"
EVERYWHERE = "every cell"
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]*)#?((?:[^()\s]|\([^()]*\))*)\)")


class Edit(NamedTuple):
    """A change to a lesson's code: under one heading, or everywhere (anchor ""), every `old`
    becomes `new`.
    """

    anchor: str
    old: str
    new: str


def section(text: str, title: str) -> str:
    """Return what stands under a heading, up to the next of its level; raises ValueError where
    there is none.

    title: with its signs, such as "### Plan"; its beginning is enough.
    """
    level = len(title) - len(title.lstrip("#"))
    found = re.search(
        rf"^{re.escape(title)}[^\n]*\n(.*?)(?=^#{{1,{level}}} |\Z)", text, flags=re.M | re.S
    )
    if not found:
        raise ValueError(f"no heading starts with {title!r}")
    return found[1]


def table(text: str) -> list[dict[str, str]]:
    """Return the rows of the first table in a text, each by the names of its columns.

    >>> table("Text.\\n\\n| a | b |\\n|---|---|\\n| 1 | `x` |\\n")
    [{'a': '1', 'b': '`x`'}]
    """
    lines = re.search(r"(?:^\|.*\|\n?)+", text, flags=re.M)
    if not lines:
        raise ValueError(f"there is no table in {text[:60]!r}")
    head, _, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")] for line in lines[0].splitlines()
    )
    for row in rows:
        if len(row) != len(head):
            raise ValueError(f"the row {row!r} has {len(row)} cells; its table has {len(head)}")
    return [dict(zip(head, row, strict=True)) for row in rows]


def lesson_section(guide: str, number: int, title: str = "") -> str:
    """Return what the guide says of lesson `number`, or under one heading of its section.

    title: such as "### Plan". Raises ValueError that says which heading is missing, and where.
    """
    with _in_lesson(number):
        whole = section(guide, f"## Lesson {number}:")
        return section(whole, title) if title else whole


def lesson_table(guide: str, number: int, title: str) -> list[dict[str, str]]:
    """Return the rows of the table under one heading of lesson `number`'s section, as `table` does.

    Raises ValueError that says what is missing, and where.
    """
    text = lesson_section(guide, number, title)
    with _in_lesson(number, title):
        return table(text)


@contextmanager
def _in_lesson(number: int, title: str = "") -> Iterator[None]:
    """Say of a ValueError which part of the guide it is about."""
    try:
        yield
    except ValueError as error:
        where = ", ".join(filter(None, [f"docs/{GUIDE.name}, lesson {number}", title]))
        needed = "CONTRIBUTING.md, A new lesson, says what its section holds"
        raise ValueError(f"{where}: {error}. {needed}") from None


def anchor(link: str) -> str:
    """Return the place in a page that a link names: a heading, with minus signs for spaces, as
    JupyterLab has it.
    """
    return LINK.fullmatch(link)[2]


def span(text: str) -> tuple[int, int] | None:
    """Return the two ends of a time in minutes, such as 5–12 or 9:00–9:20; None where it is "–".

    >>> span("5–12"), span("9:00–9:20"), span("–")
    ((5, 12), (540, 560), None)
    """
    if text == "–":
        return None
    first, last = (
        sum(60**place * int(part) for place, part in enumerate(reversed(end.split(":"))))
        for end in text.split("–")
    )
    return first, last


def plan(guide: str, number: int, column: str) -> dict[str, tuple[int, int]]:
    """Return for each heading in lesson `number`'s plan its first and last minute.

    column: such as "75 minutes". Headings in one row share its minutes.
    """
    found = {}
    for row in lesson_table(guide, number, "### Plan"):
        minutes = span(row[column])
        for name in re.findall(r"\[([^\]]+)\]\(", row["what"]) if minutes else []:
            found[name] = minutes
    return found


def edits(guide: str, number: int) -> list[Edit]:
    """Return what the guide says is safe to change in lesson `number`, from its text."""
    rows = lesson_table(guide, number, "### Safe to change live")
    return [
        Edit(
            "" if row["under"] == EVERYWHERE else anchor(row["under"]),
            row["instead of"].strip("`"),
            row["write"].strip("`"),
        )
        for row in rows
    ]


def places(notebook: nbformat.NotebookNode) -> list[str]:
    """Return for each cell the anchor of the heading under which it stands; a text cell may begin
    under another.
    """
    found, here = [], ""
    for cell in notebook.cells:
        headings = (
            re.findall(r"^#+ (.+)$", cell.source, flags=re.M)
            if cell.cell_type == "markdown"
            else []
        )
        here = headings[-1].replace(" ", "-") if headings else here
        found.append(here)
    return found


def edited(notebook: nbformat.NotebookNode, edit: Edit) -> dict[int, str]:
    """Return the new source of each code cell that an edit changes, by its number.

    Raises ValueError where the edit changes nothing.
    """
    changed = {
        index: cell.source.replace(edit.old, edit.new)
        for index, (cell, place) in enumerate(zip(notebook.cells, places(notebook), strict=True))
        if cell.cell_type == "code" and edit.old in cell.source and edit.anchor in ("", place)
    }
    if not changed:
        raise ValueError(f"{edit.old!r} is in no cell under {edit.anchor or 'any heading'!r}")
    return changed
