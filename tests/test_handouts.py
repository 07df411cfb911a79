"""Lessons cut into parts, put in order for print and the web; figures merged: all that needs no
pandoc and no typst.
"""

import os
import re
from pathlib import Path

import nbformat
import nbformat.v4 as nb
import pytest

from hpt_helpers.classroom.lesson_01 import exercises as lesson_01
from hpt_helpers.classroom.lessons import COURSE
from tools import handout_parts as parts
from tools import handout_text as text
from tools import handout_web as web
from tools import vector_figures as figures
from tools.notebooks import BuildError

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
LESSONS = {
    lesson.stem: nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4)
    for lesson in COURSE
}
SVG, PNG = figures.SVG, figures.PNG

QUESTION = "## Study\n\nWhy so?\n\n**Predict:** which is larger?"
ANSWER = (
    "<details><summary>What was seen</summary>\n\nThe rows.\n\n- a list\n\n</details>"
    "\n\n## Next\n\nMore."
)
BOX = '<div style="border-left: 4px solid #0072B2">\n\n- **Luck.** Repeat.\n\n</div>'


def picture(description="A line that rises.", svg="<svg/>"):
    return nb.new_output(
        "display_data", {PNG: "iVBOR", "text/plain": description} | ({SVG: svg} if svg else {})
    )


def lesson(*cells):
    """Return a notebook; a cell is Markdown, or code with its outputs in a tuple."""
    notebook = nb.new_notebook()
    for cell in cells:
        if isinstance(cell, str):
            notebook.cells.append(nb.new_markdown_cell(cell))
        else:
            notebook.cells.append(nb.new_code_cell(cell[0], outputs=list(cell[1:])))
    return notebook


STUDY = lesson("# Title", QUESTION, ("x = 1", picture()), ANSWER, BOX)


# --- parts ----------------------------------------------------------------------------------------


def test_a_study_is_cut_at_its_headings_prediction_and_answer():
    found = [(part.kind, part.text, part.number) for part in parts.lesson_parts(STUDY)]
    assert found == [
        ("heading", "# Title", 0),
        ("heading", "## Study", 0),
        ("text", "Why so?", 0),
        ("predict", "**Predict:** which is larger?", 1),
        ("code", "x = 1", 1),
        ("answer", "The rows.\n\n- a list", 1),
        ("heading", "## Next", 0),
        ("text", "More.", 0),
        ("box", "- **Luck.** Repeat.", 0),
    ]


def test_a_comment_in_a_fence_is_no_heading_and_its_blank_lines_cut_nothing():
    source = "Look:\n\n```python\n# no heading\n\n**Predict:** no prediction\n```"
    assert [part.kind for part in parts.text_parts(source)] == ["text"]
    assert parts.text_parts(source)[0].text == source


@pytest.mark.parametrize(
    "source", ["<details><summary>A</summary>\n\nOpen.", '<div class="x">\n\nOpen.']
)
def test_what_is_not_closed_is_refused(source):
    with pytest.raises(ValueError, match="no line </"):
        parts.text_parts(source)


@pytest.mark.parametrize(
    ("source", "question"),
    [
        ("In a new cell.\n\n**2.** Do it.\n\n- **a** This.", "**2.** Do it.\n\n- **a** This."),
        ("In a new cell.\n\n### Exercise 2: do it\n\nDo it.\n\nWell.", "Do it.\n\nWell."),
    ],
)
def test_an_exercise_is_its_question_and_the_cell_that_checks_it(source, question):
    found = parts.lesson_parts(
        lesson("## Exercises", source, ("a = ...\nex.q2.check(a)", nb.new_output("stream")))
    )
    assert [(part.kind, part.text) for part in found[-2:]] == [
        ("question", question),
        ("exercise", "a = ...\nex.q2.check(a)"),
    ]
    assert [part.number for part in found[-2:]] == [2, 2] and found[-1].outputs == []


def test_an_exercise_without_a_question_is_refused():
    with pytest.raises(ValueError, match="without a question"):
        parts.lesson_parts(lesson("## Exercises", ("ex.q1.check(...)",)))


@pytest.mark.parametrize("stem", LESSONS)
def test_no_word_of_a_lesson_is_lost_and_each_prediction_has_its_answer(stem):
    notebook = LESSONS[stem]
    found = parts.lesson_parts(notebook)
    kept = " ".join(part.text for part in found if part.kind not in ("code", "exercise")).split()
    cells = [cell for _, cell in parts.on_paper(notebook)]
    there = "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    there = "\n\n".join(map(parts.for_print, there.split("\n\n")))
    assert kept == re.sub(r"<summary>.*?</summary>|</?(?:details|div)[^>]*>", " ", there).split()
    numbers = {
        kind: [part.number for part in found if part.kind == kind] for kind in ("predict", "answer")
    }
    assert numbers["predict"] == numbers["answer"] == list(range(1, len(numbers["answer"]) + 1))
    code = [part.text for part in found if part.kind in ("code", "exercise")]
    assert code == [cell.source for cell in cells if cell.cell_type == "code"]
    # how many exercises are done, and the text that asks for it where that is a cell of its own
    assert 0 <= len(notebook.cells) - len(cells) <= 2


def test_what_means_nothing_without_a_kernel_is_left_out():
    """The count of exercises, the line that asks for it, and what speaks of a slider."""
    moved = "**Predict:** how many? (Then move the slider.)"
    notebook = lesson("# T", moved, ("x = 1",), "How far did you get?", ("ex.progress()",), "End.")
    found = [part.text for part in parts.lesson_parts(notebook)]
    assert found == ["# T", "**Predict:** how many?", "x = 1", "End."]
    marked = lesson("# T", 'Look. <span class="screen">Move the slider.</span>', ("ex.progress()",))
    assert [part.text for part in parts.lesson_parts(marked)] == ["# T", "Look. "]


@pytest.mark.parametrize(
    ("there", "printed"),
    [
        ("Which is larger?\nThen move the slider, which has five.", "Which is larger?"),
        ("Move the slider,\nand all three move.\n\n**So:** go.", "\n\n**So:** go."),
        ("In JupyterLab, move the slider. Elsewhere, call `try(0.3)`. Why?", "Why?"),
        ("It is wide. Move the slider to 3. The truth is now outside.", "It is wide."),
        ("The truth is now inside. Why?", "The truth is now inside. Why?"),
        ("- One.\n- Two (2) is it. Move the slider.\n- 3.", "- One.\n- Two (2) is it.\n- 3."),
        ("- One.\n- Two,\n  as wide.", "- One.\n- Two,\n  as wide."),
        ("The slider shows\nwhat is believed.", "The figure shows\nwhat is believed."),
        ("Evenly, as on the slider, from 0.", "Evenly, from 0."),
        ("Set it with sliders, or call `submit`.", "Set it with sliders, or call `submit`."),
    ],
)
def test_print_tells_nobody_to_move_a_slider(there, printed):
    assert parts.for_print(there).split() == printed.split()
    assert parts.for_print(there).count("\n\n") == there.count("\n\n")


@pytest.mark.parametrize("stem", LESSONS)
def test_no_lesson_speaks_of_a_slider_as_if_print_had_one(stem):
    said = [p.text for p in parts.lesson_parts(LESSONS[stem]) if p.kind not in ("code", "exercise")]
    assert [text for text in said if re.search(r"\b(the|a)\s+slider\b", text, re.I)] == []


def test_the_core_ends_before_going_further():
    cells = ("# T", "## Summary\n\nWell.\n\n## Going further\n\n### More\n\nMuch.", ("x",))
    found = parts.core_only(parts.lesson_parts(lesson(*cells)))
    assert [part.text for part in found] == ["# T", "## Summary", "Well."]
    assert parts.core_only(parts.lesson_parts(STUDY)) == parts.lesson_parts(STUDY)


# --- Markdown for each role -----------------------------------------------------------------------


PLAN = {"Study": (3, 9)}


def written(role, notebook=STUDY, exercises=None):
    return text.lesson_markdown("07_small", notebook, role, exercises or {}, PLAN)


def test_a_workbook_has_results_and_answers_at_its_end_and_others_in_place():
    end = written("learner").split("## Results and answers")[1]
    assert end.index(".figure src=") < end.index("The rows.")
    assert written("learner").count("The rows.") == 1
    for role in ("instructor", "web"):
        place = written(role)
        assert (
            place.index("**Predict:**")
            < place.index(".figure")
            < place.index("The rows.")
            < place.index("## Next")
        )
    assert written("web").count("{.closed ") == 2


@pytest.mark.parametrize(
    ("before", "led"),
    [
        ("First.\n\n`lr` is small.", "::: {.lead}\n\n`lr` is small.\n\n:::"),
        ("First.", "::: {.lead}\n\nFirst.\n\n:::"),
        ("`lr`: this.", "::: {.lead}\n\n`lr`: this.\n\n:::"),
    ],
)
def test_a_prediction_stays_with_the_paragraph_before_it(before, led):
    page = written("learner", lesson(f"# T\n\n{before}\n\n**Predict:** it?", ("x",), ANSWER))
    assert f"{led}\n\n::: {{.predict" in page


def test_the_minutes_of_the_plan_are_the_instructors():
    assert '.minutes start="3" end="9"' in written("instructor").split("## Study")[0]
    assert [role for role in text.ROLES if ".minutes" in written(role)] == ["instructor"]


def test_each_thing_has_a_name_that_tells_it_from_the_others():
    twice = lesson("# T", QUESTION, ("x = 1", picture(), picture()), ANSWER, ("y = 2", picture()))
    names = re.findall(r'name="([^"]+)"', written("web", twice))
    assert names == [
        "Code of prediction 1",
        "Result of prediction 1",
        "Result of prediction 1, 2",
        "Code of “Next”",
        "Result of “Next”",
    ]


def test_a_result_that_nothing_was_predicted_of_stays_in_place():
    notebook = lesson("# Title", ("x", nb.new_output("stream", text="7 of 8\n")), "Then.")
    for role in ("learner", "core", "instructor", "web"):
        assert re.search(r"7 of 8.*Then", written(role, notebook), re.S)


EXERCISE = lesson("# T\n\n## Exercises\n\n**1.** Write it.", ("ex.q1.check(winner)",))


def test_who_gets_solutions_misconceptions_hints_and_room():
    exercises = {"q1": lesson_01.q1}
    pages = {role: written(role, EXERCISE, exercises) for role in text.ROLES}

    def who(part):
        return [role for role in text.ROLES if part in pages[role]]

    assert who("key=rank") == ["instructor", "key"]
    assert who(lesson_01.q1.wrong[0].misconception) == ["instructor"]
    assert who(".room") == ["learner", "core"]
    for hint in lesson_01.q1.hints:
        assert who(text.escaped(hint)) == ["learner", "core", "instructor", "web"]


def test_an_answer_key_has_question_solution_and_reason_and_nothing_of_the_lesson():
    page = written("key", EXERCISE, {"q1": lesson_01.q1})
    assert page.startswith("# Answers: T") and "## Exercise 1" in page and "Write it." in page
    assert lesson_01.q1.praise[1:20] in page and "ex.q1.check" not in page
    assert "no exercises" in written("key", STUDY)


def test_a_picture_without_a_description_fails_the_build():
    for description in ("", " \n", "<Figure size 640x480 with 1 Axes>"):
        with pytest.raises(BuildError, match=r"07_small, cell 1: .* no alternative text"):
            written("web", lesson("# T", ("x", picture(description))))


def test_a_picture_without_vectors_and_an_output_without_a_printed_form_fail_the_build():
    with pytest.raises(BuildError, match="not there as SVG"):
        written("web", lesson("# T", ("x", picture(svg=""))))
    with pytest.raises(BuildError, match="no form for"):
        written(
            "web",
            lesson("# T", ("x", nb.new_output("display_data", {"application/x-strange": "1"}))),
        )


def test_a_fence_is_longer_than_any_in_the_text():
    assert text.fenced("```\nx\n```", ".output").splitlines()[0] == "```` {.output}"


def test_a_div_holds_divs():
    outer = text.div(".a", text.div(".b", "x"), "y").splitlines()
    assert outer[0] == ":::: {.a}" and outer[-1] == "::::" and "::: {.b}" in outer


# --- the web --------------------------------------------------------------------------------------


def test_a_page_brings_its_figures_along_and_lists_its_headings():
    body = (
        '<h1 id="top">T</h1><h2 id="a-b">A <code>b</code></h2>'
        '<img src="x.svg" alt="y"><table><th></th></table>'
    )
    page = web.lesson_page(
        "01_x", body, {"x.svg": "<svg/>"}, {"00_y": "Y", "01_x": "A & B", "02_z": "Z"}
    )
    assert 'src="data:image/svg+xml;base64,PHN2Zy8+"' in page and "<th></th>" not in page
    assert '<a href="#a-b">A b</a>' in page and "<title>A &amp; B</title>" in page
    linked = re.findall(r'href="(\w+\.html)"', page)  # above and below
    assert linked == ["index.html", "00_y.html", "02_z.html"] * 2
    assert 'href="notebooks/01_x.ipynb"' in page and "mybinder" not in page


def test_a_public_copy_is_linked_on_binder(monkeypatch):
    monkeypatch.setenv(web.REPOSITORY, "someone/course")
    address = (
        "https://mybinder.org/v2/gh/someone/course/HEAD?urlpath=lab/tree/my_notebooks/01_x.ipynb"
    )
    assert f'href="{address}"' in web.to_run("01_x")
    root = NOTEBOOKS.parent
    assert "my_notebooks.py copy" in (root / "postBuild").read_text(encoding="utf-8")
    assert os.access(root / "postBuild", os.X_OK)
    contributing = (NOTEBOOKS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert f"`{web.REPOSITORY}=owner/name make handouts`" in contributing


def test_a_page_says_what_it_is_to_those_who_search():
    body = "<h1>T</h1><p>One &amp; <b>two</b>\nwords.</p>"
    page = web.lesson_page("01_x", body, {}, {"01_x": "T"})
    assert '<meta name="description" content="One &amp; two words.">' in page
    assert '<link rel="icon" href="data:image/svg+xml;base64,' in page


# --- figures --------------------------------------------------------------------------------------


def drawn(description="A line that rises.", mime=SVG):
    return lesson(
        "# T", ("x", nb.new_output("display_data", {mime: "<svg/>", "text/plain": description}))
    )


def test_vectors_are_put_beside_the_stored_picture():
    stored = lesson("# T", ("x", picture(svg="")))
    figures.merge(stored, drawn())
    assert stored.cells[1].outputs[0].data == {
        PNG: "iVBOR",
        SVG: "<svg/>",
        "text/plain": "A line that rises.",
    }


def test_another_picture_and_one_that_is_not_a_vector_fail_the_build():
    for other, words in (
        (drawn("A line that falls."), "another picture"),
        (drawn(mime=PNG), "not drawn as SVG"),
    ):
        with pytest.raises(BuildError, match=words):
            figures.merge(lesson("# T", ("x", picture(svg=""))), other)


SOURCE = """
from hpt_helpers.classroom.drawing import plots
from hpt_helpers.classroom.drawing.slider import Slider


def draw(end):
    return plots.lines([1, 2], {"a": [1, end]}, x_label="x", y_label="y", title="First")


draw(2)
"""


def test_figures_and_sliders_are_drawn_as_vectors_the_same_each_time(tmp_path):
    notebook = lesson("# T", (SOURCE,), ("Slider(draw, [5], label='end')",))
    figures.execute(notebook, tmp_path)
    figures.normalise(notebook)
    first, second = (figures.with_vectors(notebook, tmp_path) for _ in range(2))
    for cell, again in zip(first.cells[1:], second.cells[1:], strict=True):
        [output] = cell.outputs
        assert set(output.data) == {PNG, SVG, "text/plain"}
        assert output.data[SVG].startswith("<?xml") and "<dc:date>" not in output.data[SVG]
        assert output.data[SVG] == again.outputs[0].data[SVG]


def test_a_lesson_is_drawn_again_only_when_something_has_changed(tmp_path, monkeypatch):
    executed = []
    monkeypatch.setattr(figures, "with_vectors", lambda notebook: executed.append(1) or notebook)
    path = tmp_path / "07_small.ipynb"
    for body, n_executed in (("x = 1", 1), ("x = 1", 1), ("x = 2", 2)):
        notebook = lesson("# T", (body, picture()))
        for number, cell in enumerate(notebook.cells):
            cell.id = f"cell-{number}"
        nbformat.write(notebook, path)
        kept = figures.lesson_with_vectors(path, tmp_path / "kept")
        assert len(executed) == n_executed
    assert [*(tmp_path / "kept").iterdir()] == [kept]
