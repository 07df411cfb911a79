"""A workshop's folder holds what learners and instructors need, and nothing that learners should
not see.
"""

import doctest
import re
import zipfile

import nbformat
import pytest

from hpt_helpers.classroom.lesson_01 import exercises as lesson_01
from hpt_helpers.classroom.lessons import COURSE, LESSONS
from tools import workshop
from tools.build_notebooks import NOTEBOOKS
from tools.lesson_minutes import is_exercise
from tools.notebooks import BuildError, find_problems

STEMS = [lesson.stem for lesson in COURSE]


@pytest.fixture(scope="module")
def handouts(tmp_path_factory):
    """Return a folder laid out as `make handouts` does it."""
    folder = tmp_path_factory.mktemp("handouts")
    for side, role in (("learner", "learner"), ("instructor", "instructor"), ("instructor", "key")):
        (folder / side / "a4" / role).mkdir(parents=True)
        (folder / side / "a4" / role / "course.pdf").write_text(role, encoding="utf-8")
        (folder / side / "index.html").write_text(side, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def built(handouts, tmp_path_factory):
    """Return the folder of a build, beside its zip."""
    folder = tmp_path_factory.mktemp("build") / "workshop"
    workshop.build(folder, handouts=handouts)
    return folder


def read(folder, stem):
    return nbformat.read(folder / f"{stem}.ipynb", as_version=4)


def text(cell):
    return "\n".join(output.get("text") or output.data["text/plain"] for output in cell.outputs)


def test_what_is_there(built):
    files = {path.relative_to(built).as_posix() for path in built.rglob("*") if path.is_file()}
    notebooks = {
        f"{who}/notebooks/{stem}.ipynb" for who in ("learner", "instructor") for stem in STEMS
    }
    assert (
        notebooks | {"WORKSHOP.md", "constraints.txt", "instructor/docs/instructor_guide.md"}
        <= files
    )
    assert {
        "learner/handouts/a4/learner/course.pdf",
        "instructor/handouts/a4/instructor/course.pdf",
        "instructor/handouts/a4/key/course.pdf",
    } <= files
    secret = re.compile(r"learner/.*\b(instructor|key)\b")
    assert [name for name in files if secret.match(name)] == []
    assert len([name for name in files if name.endswith(".whl")]) == 1


def test_learners_notebooks_have_no_results(built):
    for stem in STEMS:
        copy, stored = read(built / "learner" / "notebooks", stem), read(NOTEBOOKS, stem)
        sources = [
            cell.source.replace("../docs/glossary.md", "glossary.md") for cell in stored.cells
        ]
        assert [cell.source for cell in copy.cells] == sources
        assert not any(cell.get("outputs") or cell.get("execution_count") for cell in copy.cells)


@pytest.mark.parametrize("stem", [lesson.stem for lesson in LESSONS])
def test_every_exercise_of_the_instructors_is_solved(built, stem):
    solved = [
        cell for cell in read(built / "instructor" / "notebooks", stem).cells if is_exercise(cell)
    ]
    assert len(solved) >= 3
    for cell in solved:
        assert re.fullmatch(r"✔ q\d correct: [^\n]+(\n.*)?", text(cell), flags=re.S), text(cell)


@pytest.mark.parametrize("stem", STEMS)
def test_all_else_of_the_instructors_is_what_is_stored(built, stem):
    solved, stored = read(built / "instructor" / "notebooks", stem), read(NOTEBOOKS, stem)
    assert find_problems(solved) == []
    assert len(solved.cells) == len(stored.cells)
    for cell, before in zip(solved.cells, stored.cells, strict=True):
        if cell.cell_type == "code" and ".progress()" in cell.source:
            assert re.search(r"(\d) of \1 done", text(cell))
            assert cell.execution_count == before.execution_count
        elif not is_exercise(cell):
            assert cell == before


def test_a_solution_keeps_imports_and_check_and_takes_the_place_of_the_starter():
    cell = "from a import b as ex\n\n\ndef winner(trials):\n    return ...\n\n\nex.q1.check(winner)"
    solved = workshop.solved(cell, lesson_01.q1)
    assert solved.startswith("from a import b as ex\n\n\ndef winner(trials):\n    def rank(i):")
    assert solved.endswith("\n\n\nex.q1.check(winner)") and "..." not in solved
    choice = workshop.solved(
        'answer_2 = ...  # such as "a1"\n\nex.q2.check(answer_2)', lesson_01.q2
    )
    assert choice.startswith('answer_2 = "c2"\n# c: ') and choice.endswith(
        "\n\n\nex.q2.check(answer_2)"
    )


def test_the_text_names_what_is_there(built):
    page = (built / "WORKSHOP.md").read_text(encoding="utf-8")
    assert "THE_WHEELS" not in page and "WHEEL_FILE" not in page
    for name in re.findall(r"`((?:learner|instructor|wheels)(?:/[\w.-]+)*)`", page):
        assert (built / name).exists(), name
    [wheel] = re.findall(r'"(wheels/[^"\[]+)\[lab,ray\]"', page)
    assert (built / wheel).is_file()
    assert "This folder was made without them" in page


def texts(built):
    """Yield the place and text of every page and notebook's text that a workshop holds."""
    for path in sorted(built.rglob("*.md")):
        yield path.relative_to(built).as_posix(), path.read_text(encoding="utf-8")
    for path in sorted(built.rglob("*.ipynb")):
        cells = nbformat.read(path, as_version=4).cells
        text = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
        yield path.relative_to(built).as_posix(), text


def test_the_texts_are_true_where_there_is_no_makefile(built):
    """What needs the project says so, in the same row or paragraph or at the top of a page."""
    found = dict(texts(built))
    assert len(found) > 2 * len(STEMS) + 6
    wrong = {
        name: workshop.only_in_the_project(text)
        for name, text in found.items()
        if workshop.ORIGIN not in text
    }
    assert {name: pieces for name, pieces in wrong.items() if pieces} == {}
    lost = [
        (name, path)
        for name, text in found.items()
        for path in re.findall(r"`(docs/[\w./]+)`", text)
        if workshop.ORIGIN not in text and not (built / name.split("/")[0] / path).exists()
    ]
    assert lost == []


def test_a_lesson_names_no_page_that_learners_do_not_have(built):
    for path in sorted((built / "learner" / "notebooks").glob("*.ipynb")):
        for page in re.findall(r"`(docs/[\w./]+)`", path.read_text(encoding="utf-8")):
            assert (built / "learner" / page).exists(), (path.name, page)


def test_a_page_of_the_project_says_so_below_its_title_and_no_other_does():
    page = workshop.with_origin("# Title\n\nRun `make lab`.\n")
    assert page == f"# Title\n\n{workshop.ORIGIN}\n\nRun `make lab`.\n"
    assert workshop.with_origin(said := "# Title\n\nIn the project run `make lab`.\n") == said


def test_links_of_the_notebooks_lead_somewhere_in_the_folder(built):
    for who in ("learner", "instructor"):
        for notebook in sorted((built / who / "notebooks").glob("*.ipynb")):
            text = "\n".join(cell.source for cell in nbformat.read(notebook, as_version=4).cells)
            links = re.findall(r"\]\((?!https:)([^)#:\s]+)", text)
            assert {link for link in links if not (notebook.parent / link).exists()} == set(), (
                notebook
            )


def test_links_of_the_guide_lead_somewhere_in_the_folder(built):
    docs = built / "instructor" / "docs"
    links = re.findall(
        r"\]\(([^)#:]+)[^)]*\)", (docs / "instructor_guide.md").read_text(encoding="utf-8")
    )
    assert len(links) > 100
    assert {link for link in links if not (docs / link).exists()} == set()


def test_the_wheel_is_the_package_and_nothing_else(built):
    [wheel] = (built / "wheels").glob("*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    package = NOTEBOOKS.parent / "hpt_helpers"
    files = [*package.rglob("*.py"), *package.rglob("*.npz"), *package.glob("py.typed")]
    there = [path.relative_to(NOTEBOOKS.parent) for path in files]
    assert packed == {path.as_posix() for path in there if "tests" not in path.parts}


def test_two_builds_give_the_same_zip(built, handouts, tmp_path):
    again = workshop.build(tmp_path / "workshop", handouts=handouts)
    assert again.read_bytes() == built.with_suffix(".zip").read_bytes()
    with zipfile.ZipFile(again) as packed:
        assert len({entry.date_time for entry in packed.infolist()}) == 1
        assert all(entry.filename.startswith("workshop/") for entry in packed.infolist())


def test_the_example_in_a_docstring():
    found = doctest.testmod(workshop)
    assert found.attempted > 0 and found.failed == 0


def test_without_handouts_it_says_what_to_do(tmp_path):
    with pytest.raises(BuildError, match="run make handouts first"):
        workshop.build(tmp_path / "workshop", handouts=tmp_path)


def test_pips_refusal_is_shown():
    with pytest.raises(BuildError, match=r"(?s)pip wheel failed: .*no-such-file"):
        workshop.pip("wheel", "--no-index", "no-such-file.whl")


def test_the_date_is_that_of_the_variable(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert workshop.date() == 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(BuildError, match="set SOURCE_DATE_EPOCH"):
        workshop.date()
