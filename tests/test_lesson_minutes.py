"""The times that lessons and README state are those that the formula gives; no core path is over 40 minutes."""

import re
from pathlib import Path

import jupytext
import nbformat.v4 as nb
import pytest

from tools.lesson_minutes import minutes

ROOT = Path(__file__).resolve().parents[1]
LESSONS = sorted((ROOT / "notebooks" / "source").glob("0[1-9]*.py"))
MAX_CORE = 40


def stated(text: str) -> tuple[int, int]:
    """Return the minutes that a lesson states, 0 for a part that it does not have."""
    found = re.search(r"\*\*Time:\*\* core path (\d+) minutes(?:, going further (\d+) minutes)?\.", text)
    assert found, "the first cell states the time"
    return int(found[1]), int(found[2] or 0)


def test_the_formula_on_a_lesson_counted_by_hand():
    lesson = nb.new_notebook()
    lesson.cells = [
        nb.new_markdown_cell("word " * 300),
        nb.new_code_cell("1 + 1"),
        nb.new_code_cell("ex.q1.check(answer)"),
        nb.new_markdown_cell("## Going further\n" + "word " * 97),
        nb.new_code_cell("ex.q2.check(answer)"),
    ]
    assert minutes(lesson) == (8, 6)  # 1.5 + 2 + 4 = 7.5, and 0.5 + 1 + 4 = 5.5


@pytest.mark.parametrize("source", LESSONS, ids=lambda path: path.stem)
def test_the_stated_times_are_those_of_the_formula(source):
    lesson = jupytext.read(source, fmt="py:percent")
    core, further = minutes(lesson)
    assert stated(lesson.cells[0].source) == (core, further)
    assert core <= MAX_CORE
    [row] = re.findall(rf"^\|.*notebooks/{source.stem}\.ipynb.*$", (ROOT / "README.md").read_text(), re.M)
    assert row.split("|")[3].strip() == (f"{core} + {further}" if further else f"{core}")
