"""The times that lessons and the start page state: never less than the estimate."""

import re

import nbformat
import nbformat.v4 as nb
import pytest

from hpt_helpers.classroom.lessons import LESSONS
from tools.lesson_minutes import (
    NOTEBOOKS,
    code_to_read,
    load,
    minutes,
    n_tokens,
    split,
    time_of,
)

MAX_CORE = 60


def read(stem):
    return nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)


LESSON = nb.new_notebook()
LESSON.cells = [
    nb.new_markdown_cell("word " * 397 + "\n\n**Predict:** which?"),  # 399 words, one prediction
    # 1 for, 2 i, 3 in, 4 range, 5 (, 6 3, 7 ), 8 :, 9 total, 10 +=, 11 i: the import and the
    # comment cost nothing
    nb.new_code_cell("import numpy as np\n\nfor i in range(3):\n    total += i  # a comment"),
    # 201 words
    nb.new_markdown_cell("<details><summary>seen</summary>\n\n" + "word " * 200 + "\n\n</details>"),
    nb.new_markdown_cell("## Exercises\n\n" + "word " * 500),  # they count by their number
    nb.new_code_cell("answer_1 = ...\n\nex.q1.check(answer_1)"),
    nb.new_markdown_cell(
        "## Going further\n\n" + "word " * 97
    ),  # 100 words: the signs of the heading are one
    nb.new_code_cell("f'{a} and {b}'"),  # 1 token
    nb.new_code_cell("ex.q2.check(answer_2)"),
]


PICTURE = nb.new_output("display_data", {"image/png": "", "text/plain": "A line."})
TABLE = nb.new_output("execute_result", {"text/html": "", "text/plain": ""}, execution_count=1)
LESSON.cells[1].outputs = [PICTURE, TABLE, nb.new_output("stream", text="1")]


def test_the_estimate_of_a_lesson_counted_by_hand():
    core, further = (load(cells) for cells in split(LESSON))
    assert (core.words, core.tokens, core.predictions) == (600, [11], 1)
    assert (core.exercises, core.figures, core.tables) == (1, 1, 1)
    assert (further.words, further.tokens) == (100, [1])
    assert (further.predictions, further.exercises, further.figures) == (0, 1, 0)
    # 3 + 11/40 + 0.5 + 1.5 + 1.25 = 6.525; an exercise; 0.5 + 1/40 + 6 = 6.525
    assert minutes(LESSON) == (7, 6, 7)


def test_a_lesson_states_its_time_or_has_the_estimate():
    text = "**Time:** core path 55 minutes, exercises 18 minutes{}. **Builds on:** nothing."
    for part, further in (("", 0), (", going further 20 minutes", 20)):
        lesson = nb.new_notebook(cells=[nb.new_markdown_cell(text.format(part))])
        assert time_of(lesson) == (55, 18, further)
    assert time_of(LESSON) == (7, 6, 7)


def test_imports_over_several_lines_are_not_read():
    code = (
        "from hpt_helpers.classroom.drawing.plots import (\n    maps,\n    spread,\n)\n"
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


@pytest.mark.parametrize("stem", [lesson.stem for lesson in LESSONS])
def test_a_lesson_states_at_least_the_estimate(stem):
    lesson = read(stem)
    stated, estimate = time_of(lesson), minutes(lesson)
    assert estimate.core <= stated.core <= MAX_CORE
    assert stated.exercises == estimate.exercises
    assert estimate.further <= stated.further <= 1.5 * estimate.further


def test_the_start_page_states_the_longest_time():
    """Of a core path, and with its exercises."""
    page = read("00_start_here").cells
    text = " ".join(" ".join(cell.source for cell in page).split())
    times = [time_of(read(lesson.stem)) for lesson in LESSONS]
    [stated] = re.findall(
        r"A lesson takes at most (\d+) minutes, and its exercises (\d+) more", text
    )
    assert [int(n) for n in stated] == [max(t.core for t in times), max(t.exercises for t in times)]
