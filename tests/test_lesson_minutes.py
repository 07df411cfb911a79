"""The times that lessons, README and the start page state are those that the formula gives."""

import re
from pathlib import Path

import jupytext
import nbformat.v4 as nb
import pytest

from tools.lesson_minutes import code_to_read, load, minutes, n_tokens, split

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "source"
LESSONS = sorted(SOURCES.glob("0[1-9]*.py"))
MAX_CORE = 60


def read(source: Path):
    return jupytext.read(source, fmt="py:percent")


def stated(text: str) -> tuple[int, int]:
    """Return the minutes that a lesson states, 0 for a part that it does not have."""
    found = re.search(
        r"\*\*Time:\*\* core path (\d+) minutes(?:, going further (\d+) minutes)?\.", text
    )
    assert found, "the first cell states the time"
    return int(found[1]), int(found[2] or 0)


LESSON = nb.new_notebook()
LESSON.cells = [
    nb.new_markdown_cell("word " * 397 + "\n\n**Predict:** which?"),  # 399 words, one prediction
    # 1 for, 2 i, 3 in, 4 range, 5 (, 6 3, 7 ), 8 :, 9 total, 10 +=, 11 i: the import and the
    # comment cost nothing
    nb.new_code_cell("import numpy as np\n\nfor i in range(3):\n    total += i  # a comment"),
    # 201 words
    nb.new_markdown_cell("<details><summary>seen</summary>\n\n" + "word " * 200 + "\n\n</details>"),
    nb.new_code_cell("answer_1 = ...\n\nex.q1.check(answer_1)"),
    nb.new_markdown_cell(
        "## Going further\n\n" + "word " * 97
    ),  # 100 words: the signs of the heading are one
    nb.new_code_cell("f'{a} and {b}'"),  # 1 token
    nb.new_code_cell("ex.q2.check(answer_2)"),
]


def test_the_formula_on_a_lesson_counted_by_hand():
    core, further = (load(cells) for cells in split(LESSON))
    assert (core.words, core.tokens, core.lines, core.predictions, core.exercises) == (
        600,
        [11],
        [2],
        1,
        1,
    )
    assert (
        further.words,
        further.tokens,
        further.lines,
        further.predictions,
        further.exercises,
    ) == (
        100,
        [1],
        [1],
        0,
        1,
    )
    assert minutes(LESSON) == (10, 7)  # 3 + 11/40 + 0.5 + 6 = 9.775, and 0.5 + 1/40 + 6 = 6.525


def test_imports_over_several_lines_are_not_read():
    code = (
        "from hpt_helpers.classroom.plots import (\n    maps,\n    spread,\n)\n"
        "import numpy as np\n\nx = maps"
    )
    assert code_to_read(code) == ["x = maps"]
    assert code_to_read("important = 1\nfrom_here = 2") == ["important = 1", "from_here = 2"]


@pytest.mark.parametrize(
    ("code", "n"),
    [
        ("x", 1),
        ("f(x)[1:]", 8),
        ("a.b = -1.5e3", 6),
        ("f'{a}' 'b'", 2),
        ('f"{a:>3} {f(b)!r}"', 1),
        ("# only this", 0),
    ],
)
def test_tokens_counted_by_hand(code, n):
    """An f-string is one token under every version of Python."""
    assert n_tokens(code) == n


@pytest.mark.parametrize("source", LESSONS, ids=lambda path: path.stem)
def test_the_stated_times_are_those_of_the_formula(source):
    lesson = read(source)
    core, further = minutes(lesson)
    assert stated(lesson.cells[0].source) == (core, further)
    [row] = re.findall(
        rf"^\|.*notebooks/{source.stem}\.ipynb.*$", (ROOT / "README.md").read_text(), re.M
    )
    assert row.split("|")[3].strip() == (f"{core} + {further}" if further else f"{core}")


def test_the_start_page_states_the_longest_time():
    """60 minutes, once no lesson is longer."""
    [longest] = re.findall(
        r"A lesson takes at most (\d+) minutes\.", (SOURCES / "00_start_here.py").read_text()
    )
    assert int(longest) == max(MAX_CORE, *(minutes(read(source))[0] for source in LESSONS))
