"""The builder of notebooks refuses what must not be stored; the learner's copies are never
overwritten.
"""

import base64
import json

import nbformat
import pytest

from tools import build_notebooks as builder
from tools import my_notebooks as copies
from tools import notebooks as library

HEADER = """# ---
# jupyter:
#   kernelspec:
#     display_name: Some other name
#     language: python
#     name: python3
# ---

"""


@pytest.fixture
def course(tmp_path):
    """Return a function that writes a source and builds it: its cells are given as text."""
    (tmp_path / "source").mkdir()

    def write(*cells, name="07_small"):
        source = tmp_path / "source" / f"{name}.py"
        source.write_text(
            HEADER + "\n\n".join(f"# %%{cell}" for cell in cells) + "\n", encoding="utf-8"
        )
        return source

    return write


def build(source, tmp_path):
    return builder.build(source, notebooks=tmp_path, picture=tmp_path / "images" / "plot.png")


# --- sources --------------------------------------------------------------------------------------


def test_a_source_gives_fixed_metadata_and_keeps_tags(course):
    notebook = library.source_to_notebook(
        course(" [markdown]\n# # Title", ' tags=["raises-exception"] foo=1\n1/0')
    )
    assert notebook.metadata == library.METADATA
    assert [cell.metadata for cell in notebook.cells] == [{}, {"tags": ["raises-exception"]}]
    assert [cell.source for cell in notebook.cells] == ["# Title", "1/0"]


def test_cell_ids_are_unique_and_an_insertion_changes_none(course):
    before = [
        cell.id
        for cell in library.source_to_notebook(course("\na = 1", "\nb = 2", "\na = 1")).cells
    ]
    after = [
        cell.id
        for cell in library.source_to_notebook(
            course("\nc = 3", "\na = 1", "\nb = 2", "\na = 1")
        ).cells
    ]
    assert len(set(before)) == 3
    assert after[1:] == before


def test_choosing_lessons(course, tmp_path):
    for name in ("01_a", "02_b", "02_c"):
        course("\n1", name=name)

    def chosen(*prefixes):
        return [path.stem for path in builder.choose(tmp_path / "source", list(prefixes))]

    assert chosen() == ["01_a", "02_b", "02_c"]
    assert chosen("02") == ["02_b", "02_c"]
    assert chosen("01", "02_c") == ["01_a", "02_c"]
    with pytest.raises(ValueError, match="no lesson starts with 9; there are 01_a"):
        chosen("01", "9")


def test_an_unknown_lesson_on_the_command_line_is_refused_with_the_names(capsys):
    assert builder.main(["no-such-lesson"]) == 2
    assert "00_start_here" in capsys.readouterr().err


# --- building -------------------------------------------------------------------------------------


def test_two_builds_are_the_same_to_the_byte_and_hold_the_results(course, tmp_path):
    source = course(
        " [markdown]\n# Text",
        "\nimport pathlib\nprint(pathlib.Path.cwd().name, end=' ')\nprint('and more')",
        ' tags=["readme-picture"]\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);',
    )
    target = build(source, tmp_path)
    first, picture = target.read_bytes(), (tmp_path / "images" / "plot.png").read_bytes()
    build(source, tmp_path)
    assert target.read_bytes() == first
    assert (tmp_path / "images" / "plot.png").read_bytes() == picture
    assert picture.startswith(b"\x89PNG")
    notebook = nbformat.reads(first.decode(), as_version=4)
    # Executed in the notebooks' own folder, so that relative paths are the reader's.
    assert notebook.cells[1].outputs[0].text == f"{tmp_path.name} and more\n"
    assert "version" not in notebook.metadata.language_info
    assert [cell.get("execution_count") for cell in notebook.cells] == [None, 1, 2]
    assert not list(tmp_path.rglob("*.part"))


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (["\nprint('fine')", "\n1 / 0"], "ZeroDivisionError"),
        (["\nimport warnings\nwarnings.warn('take care')"], "writes to stderr.*take care"),
        (["\nimport tempfile\nprint(tempfile.gettempdir() + '/some/file')"], "an absolute path"),
    ],
)
def test_a_bad_notebook_is_refused_and_the_old_file_stays(course, tmp_path, cells, reason):
    old = tmp_path / "07_small.ipynb"
    old.write_text("the old file", encoding="utf-8")
    with pytest.raises(library.BuildError, match=f"(?s){reason}"):
        build(course(*cells), tmp_path)
    assert old.read_text(encoding="utf-8") == "the old file"


def test_an_expected_error_is_stored_without_the_machines_traceback(course, tmp_path):
    target = build(course(' tags=["raises-exception"]\n1 / 0'), tmp_path)
    [output] = nbformat.read(target, as_version=4).cells[0].outputs
    assert output.traceback == ["ZeroDivisionError: division by zero"]


def test_building_several_reports_each_and_counts_the_failures(course, tmp_path, capfd):
    sources = [course("\n2 + 2", name="01_good"), course("\n1 / 0", name="02_bad")]
    folders = {"notebooks": tmp_path, "picture": tmp_path / "plot.png"}
    assert builder.build_all(sources, at_once=2, **folders) == 1
    printed = capfd.readouterr()
    assert "01_good: built" in printed.out
    assert "02_bad.py was not built" in printed.err and "ZeroDivisionError" in printed.err
    assert sorted(path.name for path in tmp_path.glob("*.ipynb")) == ["01_good.ipynb"]


# --- what is found in an executed notebook --------------------------------------------------------


def executed(*outputs, tags=(), source="run()", execution_count=1):
    cell = nbformat.v4.new_code_cell(source, execution_count=execution_count, outputs=list(outputs))
    cell.metadata["tags"] = list(tags)
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("text"), cell])


def stdout(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def error():
    return nbformat.v4.new_output(
        "error", ename="ValueError", evalue="bad", traceback=["ValueError: bad"]
    )


@pytest.mark.parametrize(
    ("notebook", "problem"),
    [
        (executed(stdout("saved in /home/ada/course")), "an absolute path (/home/ada)"),
        (executed(stdout("saved in ~/course/data")), "an absolute path (~/course/data)"),
        (executed(stdout(r"saved in C:\Users\ada")), r"an absolute path (C:\U)"),
        (executed(stdout("<Model at 0x7f3c2a10>")), "a memory address (0x7f3c2a10)"),
        (executed(stdout("started 2026-01-31 09:30")), "a time stamp (2026-01-31 09:30)"),
        (executed(stdout("took 00:01:07")), "a time stamp (00:01:07)"),
        (executed(stdout("on mainframe7")), "this machine's name (mainframe7)"),
        (
            executed(nbformat.v4.new_output("stream", name="stderr", text="hm")),
            "writes to stderr: hm",
        ),
        (executed(error()), "raises"),
        (executed(tags=["raises-exception"]), "is tagged raises-exception, and does not"),
        (executed(execution_count=None), "was not executed"),
        (
            executed(nbformat.v4.new_output("display_data", {"text/html": "<b>/srv/x/y</b>"})),
            "an absolute path (/srv/x)",
        ),
    ],
)
def test_each_problem_is_found(notebook, problem):
    [found] = library.find_problems(notebook, machine="mainframe7")
    assert found.startswith("cell 1 (run()) ") and problem in found


@pytest.mark.parametrize(
    "text",
    [
        "loss 1/30 and 2/30",
        "train/validation/test",
        "<td>0.1</td><td>lr/batch</td>",
        "0x1f",
        "https://a.org/b/c",
    ],
)
def test_harmless_text_is_no_problem(text):
    assert library.find_problems(executed(stdout(text)), machine="mainframe7") == []


def test_a_picture_is_not_searched_for_paths():
    png = base64.b64encode(b"/home/ada/course").decode() + "/aa/bb"
    output = nbformat.v4.new_output("display_data", {"image/png": " " + png})
    assert library.find_problems(executed(output)) == []


def test_a_machine_named_like_a_word_of_the_course_does_not_stop_the_build(monkeypatch):
    monkeypatch.setattr(library.platform, "node", lambda: "iris.local")
    assert library.machine_name(executed(source="load_splits('iris')")) == ""
    assert library.machine_name(executed(source="load_splits('wine')")) == "iris"


def test_pieces_of_a_stream_are_stored_as_one(course, tmp_path):
    # the kernel sends two
    pieces = "print('a', flush=True)\nimport time\ntime.sleep(0.5)\nprint('b')"
    [output] = nbformat.read(build(course("\n" + pieces), tmp_path), as_version=4).cells[0].outputs
    assert (output.name, output.text) == ("stdout", "a\nb\n")


def test_a_readme_picture_that_is_not_drawn_is_an_error():
    assert builder.picture_of(executed(stdout("no tag"))) is None
    with pytest.raises(library.BuildError, match="draws no picture"):
        builder.picture_of(executed(stdout("no picture"), tags=["readme-picture"]))


# --- the learner's copies -------------------------------------------------------------------------


@pytest.fixture
def lessons(tmp_path):
    """A folder with two executed lessons."""
    folder = tmp_path / "notebooks"
    folder.mkdir()
    for name in ("01_grid", "02_random"):
        notebook = executed(stdout(f"the answer of {name}"), source="predict()")
        nbformat.write(notebook, folder / f"{name}.ipynb")
    return folder


def test_copies_have_no_answers_and_the_same_cells(lessons, tmp_path):
    assert len(copies.copy_lessons(lessons, tmp_path / "mine")) == 2
    text = (tmp_path / "mine" / "01_grid.ipynb").read_text(encoding="utf-8")
    assert "the answer" not in text
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert [cell.source for cell in notebook.cells] == ["text", "predict()"]
    assert notebook.cells[1].execution_count is None


def test_a_copy_is_never_overwritten(lessons, tmp_path):
    mine = tmp_path / "mine"
    copies.copy_lessons(lessons, mine)
    (mine / "01_grid.ipynb").write_text("my work", encoding="utf-8")
    (mine / "02_random.ipynb").unlink()
    assert [copy.name for copy in copies.copy_lessons(lessons, mine)] == ["02_random.ipynb"]
    assert (mine / "01_grid.ipynb").read_text(encoding="utf-8") == "my work"


def test_an_interrupted_copy_is_not_taken_for_a_copy(lessons, tmp_path, monkeypatch):
    def interrupted(text):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(copies, "without_outputs", interrupted)
        copies.copy_lessons(lessons, tmp_path / "mine")
    assert len(copies.copy_lessons(lessons, tmp_path / "mine")) == 2


def test_reset_gives_a_fresh_copy_and_keeps_every_old_one(lessons, tmp_path):
    mine = tmp_path / "mine"
    copies.copy_lessons(lessons, mine)
    fresh = (mine / "02_random.ipynb").read_text(encoding="utf-8")
    for work in ("first", "second", "third"):
        (mine / "02_random.ipynb").write_text(work, encoding="utf-8")
        copy, backup = copies.reset_lesson("02", lessons, mine)
        assert copy.read_text(encoding="utf-8") == fresh
        assert backup.read_text(encoding="utf-8") == work
    assert (mine / "02_random.ipynb.bak").read_text(encoding="utf-8") == "first"
    assert len(list(mine.glob("02_random.ipynb.bak*"))) == 3
    assert (mine / "01_grid.ipynb").exists() and not list(mine.glob("01_grid.ipynb.bak*"))


def test_reset_without_an_old_copy_keeps_nothing(lessons, tmp_path):
    copy, backup = copies.reset_lesson("01", lessons, tmp_path / "mine")
    assert copy.exists() and backup is None


@pytest.mark.parametrize("prefix", ["", "0", "03"])
def test_reset_needs_one_lesson(lessons, tmp_path, prefix):
    with pytest.raises(
        ValueError, match=r"make reset LESSON=02; the lessons are 01_grid.ipynb, 02_random.ipynb"
    ):
        copies.reset_lesson(prefix, lessons, tmp_path / "mine")


def test_reset_on_the_command_line_explains_itself(capsys):
    assert copies.main(["reset"]) == 2
    assert "make reset LESSON=02" in capsys.readouterr().err


def test_executed_copies_are_fresh_each_time_and_keep_the_answers(lessons, tmp_path):
    shown = tmp_path / "build" / "executed"
    copies.copy_executed(lessons, shown)
    (shown / "01_grid.ipynb").write_text("scribbles", encoding="utf-8")
    copies.copy_executed(lessons, shown)
    cells = json.loads((shown / "01_grid.ipynb").read_text(encoding="utf-8"))["cells"]
    assert cells[1]["outputs"][0]["text"] == ["the answer of 01_grid"]
    assert json.loads((lessons / "01_grid.ipynb").read_text(encoding="utf-8"))["cells"] == cells


def test_the_glossary_stands_beside_the_copies_that_link_it(tmp_path, lessons_with_link):
    for make in (copies.copy_lessons, copies.copy_executed):
        folder = tmp_path / make.__name__
        make(lessons_with_link, folder)
        [notebook] = folder.glob("*.ipynb")
        assert (
            "[words](glossary.md#rung)" in notebook.read_text(encoding="utf-8")
            and (folder / "glossary.md").is_file()
        )


@pytest.fixture
def lessons_with_link(tmp_path):
    folder = tmp_path / "lessons"
    folder.mkdir()
    cell = nbformat.v4.new_markdown_cell("[words](../docs/glossary.md#rung)")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), folder / "01_a.ipynb")
    return folder
