"""The instructor's guide: minutes that add up, links that lead somewhere, edits that can be made,
pages up to date.

That the edits can be made without harm, tests/instructor/test_live_edits.py shows.
"""

import ast
import doctest
import re
from collections import Counter
from itertools import pairwise
from pathlib import Path

import nbformat
import nbformat.v4 as nb
import pytest

import tools.dependents
import tools.guide_tables
from hpt_helpers.classroom.lessons import COURSE, LESSONS
from tools import misconceptions
from tools.build_notebooks import NOTEBOOKS, ROOT, SOURCES
from tools.dependents import dependents, names
from tools.guide_tables import (
    GUIDE,
    Edit,
    edited,
    edits,
    lesson_section,
    lesson_table,
    places,
    plan,
    section,
    span,
    table,
)
from tools.notebooks import source_to_notebook

TEXT = GUIDE.read_text(encoding="utf-8")
SOURCE_OF = {lesson.number: SOURCES / f"{lesson.stem}.py" for lesson in LESSONS}
NOTEBOOK_LINK = re.compile(r"\[([^\]]+)\]\(\.\./notebooks/(\w+\.ipynb)#([^)]+)\)")


def spans(rows, column):
    """Return start and end in minutes of each row that has a time in this column."""
    return [found for row in rows if (found := span(row[column]))]


def gaps(found):
    """Return where a span does not begin at the end of the one before it, or takes no time."""
    return [b for a, b in pairwise(found) if a[1] != b[0]] + [a for a in found if a[0] >= a[1]]


def test_the_guide_has_a_section_for_each_lesson():
    found = re.findall(r"^## Lesson (.+)$", TEXT, flags=re.M)
    expected = [f"{lesson.number}: {lesson.title}" for lesson in LESSONS]
    assert found == expected, (
        "write in docs/instructor_guide.md what is missing, as the sections of the other lessons "
        f"have it: {[f'## Lesson {name}' for name in expected if name not in found]}"
    )


# --- plans and schedules --------------------------------------------------------------------------


@pytest.mark.parametrize("number", SOURCE_OF)
@pytest.mark.parametrize("minutes", [75, 90])
def test_a_plan_takes_its_minutes_without_a_gap(number, minutes):
    found = spans(lesson_table(TEXT, number, "### Plan"), f"{minutes} minutes")
    assert gaps(found) == []
    assert (found[0][0], found[-1][1]) == (0, minutes)


def test_the_schedules_take_a_day_and_two_hours():
    day, hours = (table(section(TEXT, title)) for title in ("## One day", "## Two hours"))
    assert gaps(spans(day, "time")) == gaps(spans(hours, "minutes")) == []
    assert (spans(hours, "minutes")[0][0], spans(hours, "minutes")[-1][1]) == (0, 120)
    assert (day[0]["time"].split("–")[0], day[-1]["time"].split("–")[1]) == ("9:00", "17:00")
    lessons = [span(row["time"]) for row in day if "the plan for 75 minutes" in row["what"]]
    assert [end - start for start, end in lessons] == [75] * 4


@pytest.mark.parametrize("number", [1, 3, 5])
def test_a_short_version_takes_20_minutes(number):
    found = spans(lesson_table(TEXT, number, "### In 20 minutes"), "minutes")
    assert gaps(found) == [] and (found[0][0], found[-1][1]) == (0, 20)


def test_the_plan_is_one_clock_for_guide_and_instructors_edition():
    row = "| 12–19 | – | [A](x.ipynb#A) and [B](x.ipynb#B): talk |"
    guide = f"## Lesson 2: Two\n\n### Plan\n\n| 75 minutes | 90 | what |\n|---|---|---|\n{row}\n"
    assert plan(guide, 2, "75 minutes") == {"A": (12, 19), "B": (12, 19)}
    assert plan(guide, 2, "90") == {}
    for number in SOURCE_OF:
        assert len(plan(TEXT, number, build_handouts_plan())) > 8


def build_handouts_plan():
    """Return the column that the instructor's edition prints, without importing pandoc."""
    source = (ROOT / "tools" / "build_handouts.py").read_text(encoding="utf-8")
    return re.search(r'^PLAN = "([^"]+)"', source, re.M)[1]


TABLE = "### Plan\n\n| 75 minutes | what |\n|---|---|\n| 0–75 | all |\n"


@pytest.mark.parametrize(
    ("guide", "message"),
    [
        ("", r"lesson 6: no heading starts with '## Lesson 6:'\. CONTRIBUTING\.md"),
        (f"## Lesson 5: E\n\n{TABLE}", "lesson 6: no heading starts with '## Lesson 6:'"),
        (f"## Lesson 6: F\n\n{TABLE[2:]}", "guide.md, lesson 6: no heading starts with '### Plan'"),
        ("## Lesson 6: F\n\n### Plan\n\nLater.\n", "lesson 6, ### Plan: there is no table in"),
        (f"## Lesson 6: F\n\n{TABLE}| 75–76 |\n", r"### Plan: the row \['75–76'\] has 1 cells"),
    ],
)
def test_what_is_missing_of_a_lesson_is_named_with_its_place(guide, message):
    with pytest.raises(ValueError, match=message):
        lesson_table(guide, 6, "### Plan")
    assert lesson_table(f"## Lesson 6: F\n\n{TABLE}", 6, "### Plan")[0]["what"] == "all"


def test_a_gap_and_an_overlap_are_found():
    assert gaps([(0, 5), (5, 9)]) == []
    assert gaps([(0, 5), (6, 9)]) == [(6, 9)]
    assert gaps([(0, 5), (4, 9)]) == [(4, 9)]
    assert gaps([(0, 5), (5, 5)]) == [(5, 5)]
    assert spans([{"t": "9:10–10:00"}, {"t": "–"}, {"t": "0–7"}], "t") == [(550, 600), (0, 7)]


# --- links ----------------------------------------------------------------------------------------


def headings(path):
    return set(
        re.findall(
            r"^# #+ (.+)$",
            (SOURCES / f"{Path(path).stem}.py").read_text(encoding="utf-8"),
            flags=re.M,
        )
    )


def test_links_into_lessons_name_headings_that_are_there():
    links = NOTEBOOK_LINK.findall(TEXT)
    assert len(links) > 100
    for name, path, anchor in links:
        assert name in headings(path), (name, path)
        assert anchor == name.replace(" ", "-")


def test_a_section_links_into_its_own_lesson():
    for number, source in SOURCE_OF.items():
        assert {path for _, path, _ in NOTEBOOK_LINK.findall(lesson_section(TEXT, number))} == {
            f"{source.stem}.ipynb"
        }


def test_every_core_study_is_in_the_plan():
    """A heading of level two or three before Going further that asks for a prediction."""
    for number, source in SOURCE_OF.items():
        plan = lesson_section(TEXT, number, "### Plan")
        core = source.read_text(encoding="utf-8").split("# ## Going further")[0]
        studies = [
            part for part in re.split(r"^# #{2,3} ", core, flags=re.M)[1:] if "**Predict" in part
        ]
        missing = [title for part in studies if f"[{(title := part.splitlines()[0])}]" not in plan]
        assert [
            title for title in missing if not title.startswith(("Fault", "What each fault"))
        ] == []


def test_other_links_lead_to_files_and_places():
    for name, place in re.findall(r"\]\((\w+\.md)(?:#([\w-]+))?\)", TEXT):
        assert (GUIDE.parent / name).exists() or name in ("glossary.md", "timings.md"), name
        if place:
            page = (GUIDE.parent / name).read_text(encoding="utf-8")
            assert place in [
                title.lower().replace(" ", "-")
                for title in re.findall(r"^#+ (.+)$", page, flags=re.M)
            ]


# --- edits ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SOURCE_OF)
def test_every_edit_can_be_made_and_is_still_python(number):
    notebook = source_to_notebook(SOURCE_OF[number])
    found = edits(TEXT, number)
    assert len(found) >= 4
    for edit in found:
        for source in edited(notebook, edit).values():
            ast.parse(source)


NOTEBOOK = nb.new_notebook(
    cells=[
        nb.new_markdown_cell("# A\n\n## One thing"),
        nb.new_code_cell("x = 1"),
        nb.new_markdown_cell("Text, 1."),
        nb.new_code_cell("y = 1 + 1"),
        nb.new_markdown_cell("end\n\n## Two"),
        nb.new_code_cell("z = 1"),
    ]
)


def test_an_edit_is_made_under_its_heading_only_and_to_all_it_finds():
    assert places(NOTEBOOK) == ["One-thing"] * 4 + ["Two"] * 2
    assert edited(NOTEBOOK, Edit("One-thing", "1", "7")) == {1: "x = 7", 3: "y = 7 + 7"}
    assert edited(NOTEBOOK, Edit("", "1", "7")) == {1: "x = 7", 3: "y = 7 + 7", 5: "z = 7"}
    for edit in (Edit("Two", "y", "q"), Edit("Three", "1", "2"), Edit("", "Text", "t")):
        with pytest.raises(ValueError, match="is in no cell under"):
            edited(NOTEBOOK, edit)


SOURCES_OF_CELLS = {
    1: "import math\na = 1\nother = 2",
    2: "def f(x):\n    return x + a",
    3: "b = f(2)\nd = math.pi",
    5: "c = 3",
    6: "print(c, d, other)",
    7: "b",
}


@pytest.mark.parametrize(
    ("changed", "stale", "expected"),
    [
        ({1: "import math\na = 7\nother = 2"}, {}, {1: {"a"}, 2: {"f"}, 3: {"b"}, 7: set()}),
        ({5: "c = 4"}, {}, {5: {"c"}, 6: set()}),
        ({7: "b * 2"}, {}, {7: set()}),
        (
            {7: "b * 2"},
            {1: {"a"}, 2: {"f"}, 3: {"b"}, 5: {"c"}},
            {1: set(), 2: set(), 3: set(), 7: set()},
        ),
        ({5: "c = 4"}, {5: {"c"}, 6: set()}, {5: {"c"}, 6: set()}),
        ({3: "b = f(3)\nd = math.pi"}, {}, {3: {"b"}, 7: set()}),
        (
            {2: "def f(x):\n    return x", 6: "d = 0\nd"},
            {},
            {2: {"f"}, 3: {"b"}, 6: {"d"}, 7: set()},
        ),
        ({1: "import numpy as math\na = 1\nother = 2"}, {}, {1: {"math"}, 3: {"d"}, 6: set()}),
    ],
)
def test_what_depends_on_an_edit_runs_and_nothing_else(changed, stale, expected):
    assert dependents(SOURCES_OF_CELLS, changed, stale) == expected


def test_where_ray_fails_the_rest_of_lesson_4_goes_on():
    """As the guide promises: nothing else needs what the cells with Ray give."""
    notebook = source_to_notebook(SOURCE_OF[4])
    sources = {i: cell.source for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"}
    with_ray = {
        i: ""
        for i, source in sources.items()
        if re.search(r"\bray\b|local_ray|ray_in_turn", source)
    }
    given = set().union(*(names(ast.parse(sources[i]))[0] for i in with_ray))
    lost = {
        i: ""
        for i, source in sources.items()
        if i in with_ray or names(ast.parse(source))[1] & given
    }
    under = {places(notebook)[i] for i in lost}
    assert under == {"With-the-library:-Ray-Tune"}


@pytest.mark.parametrize(
    "module",
    [tools.dependents, tools.guide_tables, misconceptions],
    ids=lambda module: module.__name__,
)
def test_the_examples_in_the_docstrings(module):
    found = doctest.testmod(module)
    assert found.attempted > 0 and found.failed == 0


# --- generated pages ------------------------------------------------------------------------------


def test_the_page_of_misconceptions_is_that_of_the_exercises():
    assert misconceptions.PAGE.read_text(encoding="utf-8") == misconceptions.page(), (
        "python -m tools.misconceptions"
    )


def test_each_question_to_say_next_is_for_several_misconceptions_and_most_have_one():
    rows = table_rows(misconceptions.page())
    said = Counter(row[2] for row in rows)
    assert set(said) == {*misconceptions.SAY_NEXT, "the hints"} and len(said) == 11
    assert min(said.values()) >= 3
    assert said["the hints"] < len(rows) / 2


def table_rows(page):
    """Return the cells of each wrong answer's row."""
    rows = [
        re.split(r" (?<!\\)\| ", line.strip("| ")) for line in page.splitlines() if line[:1] == "|"
    ]
    return [row for row in rows if len(row) == 3 and row[0] != "the check says"]


def test_every_notebook_has_a_place_for_each_cell():
    for lesson in COURSE:
        notebook = nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4)
        assert "" not in places(notebook)
