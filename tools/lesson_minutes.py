"""How long a lesson takes: `python -m tools.lesson_minutes` prints an estimate for each notebook.

Minutes = words / 200 + tokens / 40 + 0.5 for each prediction + 1.5 for each figure + 1.25 for each
table. Tokens are Python's names, operators, numbers and strings, outside import lines and exercise
cells. Words are those of all text cells, closed answers included, HTML tags left out. What follows
"## Going further" counts apart from the core path, and so do the core path's exercises: 6 each,
which is also for the text between the headings "Exercises" and "Summary".

A lesson's first cell states this estimate. Readers of the core paths took 50 to 60 minutes.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import nbformat

from hpt_helpers.classroom.lessons import COURSE

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
FURTHER = "## Going further"
PREDICTION = "**Predict"
MINUTES_EXERCISE = 6
STATED = re.compile(
    r"\*\*Time:\*\* core path (\d+) minutes, exercises (\d+) minutes"
    r"(?:, going further (\d+) minutes)?\."
)
COUNTED = {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}


class Minutes(NamedTuple):
    """Minutes of a lesson: of its core path, of the exercises in it, and of Going further."""

    core: int
    exercises: int
    further: int


@dataclass
class Load:
    """What a part of a lesson asks of its reader.

    `tokens` holds a number for each code cell, exercises left out.
    """

    words: int = 0
    predictions: int = 0
    exercises: int = 0
    figures: int = 0
    tables: int = 0
    tokens: list[int] = field(default_factory=list)

    @property
    def reading(self) -> float:
        """Minutes without the exercises."""
        to_read = self.words / 200 + sum(self.tokens) / 40
        return to_read + 0.5 * self.predictions + 1.5 * self.figures + 1.25 * self.tables

    @property
    def solving(self) -> int:
        """Minutes for the exercises."""
        return MINUTES_EXERCISE * self.exercises


def is_exercise(cell: nbformat.NotebookNode) -> bool:
    """Return whether this is a code cell that checks an exercise's answer."""
    return cell.cell_type == "code" and ".check(" in cell.source


def code_to_read(source: str) -> list[str]:
    """Return a cell's lines without empty and import lines.

    >>> code_to_read("import numpy as np\\n\\nfrom math import (\\n    pi,\\n)\\nx = np.e")
    ['x = np.e']
    """
    imports = r"^(?:from [\w.]+ )?import (?:\([^)]*\)|.*)$"
    return [line for line in re.sub(imports, "", source, flags=re.M).splitlines() if line.strip()]


def n_tokens(source: str) -> int:
    """Return how many names, operators, numbers and strings the code has.

    >>> n_tokens("x = f(1, 'a')  # a comment")
    8
    """
    # As Python 3.11 cuts them: an f-string is one token here, and several from 3.12 on.
    fstring, total = 0, 0
    for token in tokenize.generate_tokens(io.StringIO(source + "\n").readline):
        name = tokenize.tok_name[token.type]
        fstring += (name == "FSTRING_START") - (name == "FSTRING_END")
        total += (name == "FSTRING_END" and fstring == 0) or (
            fstring == 0 and token.type in COUNTED
        )
    return total


def split(notebook: nbformat.NotebookNode) -> tuple[list, list]:
    """Return the cells of the core path, and those from the heading "Going further" on."""
    cells = notebook.cells
    starts = [
        i
        for i, c in enumerate(cells)
        if c.cell_type == "markdown" and FURTHER in c.source.splitlines()
    ]
    start = starts[0] if starts else len(cells)
    return cells[:start], cells[start:]


def load(cells: list[nbformat.NotebookNode]) -> Load:
    """Return what these cells ask of their reader."""
    found, in_exercises = Load(), False
    for cell in cells:
        if cell.cell_type == "markdown":
            headings = re.findall(r"^## (\w+)", cell.source, flags=re.M)
            if headings:
                in_exercises = headings[-1] == "Exercises"
            if in_exercises:
                continue
            found.words += len(re.sub(r"<[^>]+>", " ", cell.source).split())
            found.predictions += cell.source.count(PREDICTION)
        elif is_exercise(cell):
            found.exercises += 1
        elif lines := code_to_read(cell.source):
            found.tokens.append(n_tokens("\n".join(lines)))
            shown = [set(output.get("data", {})) for output in cell.get("outputs", [])]
            found.figures += sum("image/png" in kinds for kinds in shown)
            found.tables += sum("text/html" in kinds for kinds in shown)
    return found


def minutes(notebook: nbformat.NotebookNode) -> Minutes:
    """Return the estimate for a lesson, from its executed notebook."""
    core, further = map(load, split(notebook))
    return Minutes(round(core.reading), core.solving, round(further.reading + further.solving))


def time_of(notebook: nbformat.NotebookNode) -> Minutes:
    """Return what a lesson's first cell states, or the estimate where it states nothing."""
    found = STATED.search(notebook.cells[0].source)
    if not found:
        return minutes(notebook)
    return Minutes(*(int(stated or 0) for stated in found.groups()))


def in_words(time: Minutes) -> str:
    """Return minutes as README's table has them.

    >>> in_words(Minutes(55, 18, 20)), in_words(Minutes(5, 0, 0))
    ('55 + 18 + 20', '5')
    """
    return " + ".join(str(minutes) for minutes in time if minutes)


def main() -> None:
    """Print for each lesson its estimate, and what makes it."""
    for lesson in COURSE:
        notebook = nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4)
        print(f"{lesson.stem}: {in_words(minutes(notebook))} minutes")
        for name, cells in zip(("core path", "going further"), split(notebook), strict=True):
            part = load(cells)
            print(
                f"    {name}: {part.reading:.0f} without exercises; {part.words} words, "
                f"{sum(part.tokens)} tokens, {part.predictions} predictions, {part.figures} "
                f"figures, {part.tables} tables, {part.exercises} exercises"
            )


if __name__ == "__main__":
    main()
