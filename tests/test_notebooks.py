"""The stored notebooks are whole and agree with their sources.

That their results are reproduced is nbval's part: `make test` runs it on each notebook, and
test_comparison.py says what it finds. What it does not look at is tested here: a cell that was
never executed, for one, passes it silently.
"""

import itertools
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest

from hpt_helpers.classroom.lessons import COURSE, LESSONS
from hpt_helpers.classroom.lessons import NOTEBOOKS as LISTED
from tools import lesson_tables
from tools.notebooks import METADATA, find_problems, output_texts, source_to_notebook

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = [ROOT / "notebooks" / f"{lesson.stem}.ipynb" for lesson in LISTED]
SOURCES = [ROOT / "notebooks" / "source" / f"{lesson.stem}.py" for lesson in LISTED]
KNOWN_TAGS = {"nbval-ignore-output", "raises-exception", "readme-picture"}
# What nbval compares, and PNG. SVG has random ids, and scripts may fetch things.
KNOWN_TYPES = {"text/plain", "text/html", "image/png"}
MAX_LINES = 25
MAX_WIDTH = 100  # characters: what a cell shows in JupyterLab on a laptop, and a printed page holds

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@cache
def read(path):
    return nbformat.read(path, as_version=4)


def code_cells(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def test_each_lesson_of_the_list_has_a_source_a_notebook_and_a_folder_and_there_are_no_others():
    """The numbers go up by one, and a lesson builds on earlier ones."""
    listed = sorted(lesson.stem for lesson in LISTED)
    classroom = ROOT / "hpt_helpers" / "classroom"
    found = {
        "notebooks/source": sorted(p.stem for p in (ROOT / "notebooks" / "source").glob("*.py")),
        "notebooks": sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb")),
    }
    for folder, stems in found.items():
        assert stems == listed, f"{folder} and hpt_helpers/classroom/lessons.py do not agree"
    folders = sorted(path.parent.name for path in classroom.glob("lesson_*/exercises.py"))
    assert folders == [lesson.folder for lesson in LESSONS]
    assert [lesson.number for lesson in COURSE] == list(range(len(COURSE)))
    for lesson in LESSONS:
        assert set(lesson.builds_on) <= set(range(1, lesson.number)), lesson


def test_the_list_says_which_lessons_need_ray():
    starts_it = [path.stem for path in SOURCES if "local_ray(" in path.read_text(encoding="utf-8")]
    assert starts_it == [lesson.stem for lesson in COURSE if lesson.needs_ray]


def test_the_tables_of_readme_and_of_the_start_page_are_those_of_the_list():
    for path, text in lesson_tables.pages().items():
        written = path.read_text(encoding="utf-8")
        assert written == text, f"{path.name}: python -m tools.lesson_tables"


@each_notebook
def test_the_notebook_agrees_with_its_source(path):
    def content(notebook):
        return [(cell.cell_type, cell.source, tags(cell), cell.id) for cell in notebook.cells]

    assert content(read(path)) == content(
        source_to_notebook(path.parent / "source" / f"{path.stem}.py")
    )
    assert read(path).metadata == METADATA


@each_notebook
def test_every_code_cell_was_executed_once_in_order(path):
    counts = [cell.execution_count for cell in code_cells(path)]
    assert counts == list(range(1, len(counts) + 1)) and counts


@each_notebook
def test_no_output_is_on_stderr_or_bound_to_a_machine_or_a_moment(path):
    assert find_problems(read(path)) == []


@each_notebook
def test_no_output_holds_a_warning_or_a_traceback(path):
    texts = [
        text
        for cell in code_cells(path)
        for output in cell.outputs
        for text in output_texts(output)
    ]
    assert [
        text for text in texts if re.search(r"Traceback \(most recent|\w*Warning: ", text)
    ] == []


@each_notebook
def test_outputs_are_of_kinds_that_are_compared_or_pictures(path):
    types = {
        mime
        for cell in code_cells(path)
        for output in cell.outputs
        for mime in output.get("data", {})
    }
    assert types <= KNOWN_TYPES


@each_notebook
def test_every_code_cell_is_short(path):
    longest = {len(cell.source.splitlines()): cell.source for cell in code_cells(path)}
    assert max(longest) <= MAX_LINES, longest[max(longest)]


@each_notebook
def test_no_line_of_code_is_cut_off_at_the_side(path):
    lines = [line for cell in code_cells(path) for line in cell.source.splitlines()]
    assert [line for line in lines if len(line) > MAX_WIDTH] == []


@each_notebook
def test_text_stands_before_and_between_all_code_cells_and_at_the_end(path):
    kinds = [cell.cell_type for cell in read(path).cells]
    assert kinds[0] == kinds[-1] == "markdown"
    assert ("code", "code") not in itertools.pairwise(kinds)


@each_notebook
def test_no_cell_is_empty_and_only_known_tags_are_used(path):
    for cell in read(path).cells:
        assert cell.source.strip()
        assert set(tags(cell)) <= KNOWN_TAGS
        assert not re.search(r"#\s*(NBVAL|PYTEST_VALIDATE)", cell.source), (
            "use a tag, which is counted"
        )


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_no_box_is_unreadable_in_the_dark_theme(source):
    """Alerts have a contrast of 2.7 : 1 in JupyterLab's dark theme; a border beside the page's own
    text, 18.
    """
    assert "alert" not in source.read_text(encoding="utf-8")


def test_at_most_two_cells_are_ignored_and_a_compared_cell_with_output_follows_each():
    ignored = []
    for path in NOTEBOOKS:
        cells = code_cells(path)
        for cell, following in itertools.pairwise([*cells, None]):
            if "nbval-ignore-output" in tags(cell):
                ignored.append((path.stem, cell.source))
                assert following is not None and following.outputs, cell.source
                assert "nbval-ignore-output" not in tags(following), cell.source
    assert len(ignored) <= 2, ignored


def test_at_most_one_cell_gives_the_readmes_picture():
    tagged = [
        path.stem
        for path in NOTEBOOKS
        for cell in code_cells(path)
        if "readme-picture" in tags(cell)
    ]
    assert len(tagged) <= 1


def test_the_room_check_is_stored_from_a_machine_that_was_ready():
    [cell] = code_cells(ROOT / "notebooks" / "00_start_here.ipynb")
    lines = cell.outputs[0].text.splitlines()
    assert lines[-1] == "This machine is ready for the course."
    assert all(line.startswith("ok ") for line in lines[:-1]) and len(lines) == 7
