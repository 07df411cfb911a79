"""How long a lesson takes: `python tools/lesson_minutes.py` prints it for each, from the notebooks' sources.

Minutes = words / 200 + 1 for each code cell + 4 for each exercise, rounded up. What follows the heading
"Going further" counts apart from the core path.
"""

import math
from pathlib import Path

import jupytext
import nbformat

SOURCES = Path(__file__).resolve().parents[1] / "notebooks" / "source"
FURTHER = "## Going further"


def minutes(notebook: nbformat.NotebookNode) -> tuple[int, int]:
    """Return the minutes of a lesson's core path and of its part "Going further" (0 where it has none)."""
    parts = [0.0, 0.0]
    part = 0
    for cell in notebook.cells:
        part = part or int(cell.cell_type == "markdown" and FURTHER in cell.source.splitlines())
        if cell.cell_type == "markdown":
            parts[part] += len(cell.source.split()) / 200
        else:
            parts[part] += 1 + 4 * (".check(" in cell.source)
    return math.ceil(parts[0]), math.ceil(parts[1])


def main() -> None:
    """Print the minutes of each lesson."""
    for source in sorted(SOURCES.glob("*.py")):
        core, further = minutes(jupytext.read(source, fmt="py:percent"))
        print(f"{source.stem}: core path {core} minutes, going further {further} minutes")


if __name__ == "__main__":
    main()
