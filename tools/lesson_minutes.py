"""How long a lesson takes: `python tools/lesson_minutes.py` prints it for each, from the notebooks'
sources.

Minutes = words / 200 + tokens / 40 + 0.5 for each prediction + 6 for each exercise, rounded to the
nearest. Tokens are Python's names, operators, numbers and strings, outside import lines and
exercise cells. Words are those of all text cells, closed answers included, HTML tags left out. What
follows "## Going further" counts apart from the core path.
"""

from __future__ import annotations

import io
import re
import tokenize
from dataclasses import dataclass, field
from pathlib import Path

import jupytext
import nbformat

SOURCES = Path(__file__).resolve().parents[1] / "notebooks" / "source"
FURTHER = "## Going further"
PREDICTION = "**Predict"
COUNTED = {tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING}


@dataclass
class Load:
    """What a part of a lesson asks of its reader; `lines` and `tokens` hold a number for each code
    cell.
    """

    words: int = 0
    predictions: int = 0
    exercises: int = 0
    lines: list[int] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)

    @property
    def exact_minutes(self) -> float:
        return self.words / 200 + sum(self.tokens) / 40 + self.predictions / 2 + 6 * self.exercises

    @property
    def minutes(self) -> int:
        return round(self.exact_minutes)


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
    found = Load()
    for cell in cells:
        if cell.cell_type == "markdown":
            found.words += len(re.sub(r"<[^>]+>", " ", cell.source).split())
            found.predictions += cell.source.count(PREDICTION)
        elif is_exercise(cell):
            found.exercises += 1
        elif lines := code_to_read(cell.source):
            found.lines.append(len(lines))
            found.tokens.append(n_tokens("\n".join(lines)))
    return found


def minutes(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """Return the minutes of a lesson's core path and of its part "Going further" (0 where it has
    none).
    """
    core, further = split(notebook)
    return load(core).minutes, load(further).minutes


def main() -> None:
    """Print for each lesson its minutes, and what makes them."""
    for source in sorted(SOURCES.glob("*.py")):
        for name, cells in zip(
            ("core path", "going further"),
            split(jupytext.read(source, fmt="py:percent")),
            strict=True,
        ):
            part = load(cells)
            n_lines = max(sum(part.lines), 1)
            print(
                f"{source.stem}, {name}: {part.minutes} minutes; {part.words} words, "
                f"{sum(part.tokens)} tokens ({sum(part.tokens) / n_lines:.1f} a line), "
                f"{part.predictions} predictions, {part.exercises} exercises"
            )


if __name__ == "__main__":
    main()
