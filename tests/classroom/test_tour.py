"""Every lesson in JupyterLab in headless Chromium, as a learner goes through it: see tour.py.

Pictures of what was seen are left in build/classroom, in light, in dark, and as on a projector:
1280 × 720 pixels, dark, in JupyterLab's presentation mode.
"""

from pathlib import Path

import nbformat
import pytest
from planted import notebook

from hpt_helpers.classroom.exercises.answer_key import exercises_module
from hpt_helpers.classroom.lesson_01 import exercises as lesson_01
from hpt_helpers.classroom.lessons import LESSONS as TAUGHT
from hpt_helpers.classroom.lessons import NOTEBOOKS as LISTED

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = [FOLDER / f"{lesson.stem}.ipynb" for lesson in reversed(LISTED)]
CHECKS = [
    "cells",
    "answers",
    "sliders",
    "exercises",
    "cut",
    "faint",
    "large",
    "errors of the page",
    "requests elsewhere",
]
PAGES = [pytest.param(path, id=path.stem) for path in NOTEBOOKS]


@pytest.fixture(scope="module", params=PAGES)
def toured(request, go_through):
    return go_through(request.param, exercises_module(request.param.stem[:2]))


@pytest.mark.parametrize("check", CHECKS)
def test_a_lesson_is_without_fault(toured, check):
    assert toured[check] == []


@pytest.mark.parametrize("lesson", TAUGHT, ids=lambda lesson: lesson.stem)
def test_there_was_something_to_look_at(lesson):
    """Each lesson has answers to open and exercises of the kinds that are answered; the start page
    and the worksheet have none.
    """
    path = FOLDER / f"{lesson.stem}.ipynb"
    cells = nbformat.read(path, as_version=4).cells
    n_answers = sum(cell.source.count("<details") for cell in cells if cell.cell_type == "markdown")
    n_exercises = sum(
        "\nanswer_" in f"\n{cell.source}" for cell in cells if cell.cell_type == "code"
    )
    assert n_answers >= 5 and n_exercises >= 1


def test_some_lesson_has_a_slider():
    texts = [path.read_text(encoding="utf-8") for path in NOTEBOOKS]
    assert sum('"Slider: ' in text for text in texts) >= 3 and any(
        '"Challenge: ' in text for text in texts
    )


# --- each check can fail --------------------------------------------------------------------------

ANSWER = "<details{}><summary>What was seen</summary>\n\n{}\n\n</details>"
SLIDER = """from hpt_helpers.classroom.drawing.slider import Slider
from matplotlib.figure import Figure

def draw(end):
    figure = Figure((2, 2))
    figure.subplots().plot([0, {}])
    return figure

Slider(draw, [1, 2, 3], label="end")"""
EXERCISE = """from hpt_helpers.classroom.lesson_01 import exercises as ex

answer_2 = ...

{}"""
HTML = "from IPython.display import HTML\nHTML({!r})"
GOOD = [
    "# A lesson",
    ANSWER.format("", "It *falls*."),
    (SLIDER.format("end"), ""),
    (EXERCISE.format("ex.q2.check(answer_2)"), ""),
    (HTML.format("<span style='color: #767676; background: white'>grey</span>"), ""),
    ("x = 1  # " + "x" * 80, ""),
]
BAD = {
    "answers": [
        (ANSWER.format(" open", "It *falls*."), "open from the start"),
        (ANSWER.format("", ""), "does not open"),
    ],
    "sliders": [
        ((SLIDER.format("1"), ""), "no new picture"),
        (
            ("import ipywidgets\nipywidgets.IntSlider(disabled=True)", ""),
            "does not move by keyboard",
        ),
        (("class Still:\n    def __repr__(self): return 'Slider: end'\nStill()", ""), "no slider"),
    ],
    "exercises": [
        (
            (EXERCISE.format("print('q2 correct: whatever is answered')"), ""),
            "which is incorrect, shows",
        )
    ],
    "cut": [
        (("x = 1  # " + "x" * 140, ""), "light: x = 1 # xxx"),
        (
            (HTML.format("<table><td style='white-space: nowrap'>" + "wide " * 60), ""),
            "light: wide",
        ),
        (("x = 1  # " + "z" * 110, ""), "projector: x = 1 # zzz"),
    ],
    "faint": [
        (
            (HTML.format("<span style='color: #777; background: white'>grey</span>"), ""),
            "grey: 4.48 : 1",
        ),
        ((HTML.format("<span style='color: black'>ink</span>"), ""), "dark: ink"),
        ((HTML.format("<b style='opacity: 0.5'>half</b>"), ""), "light: half"),
    ],
    "large": [
        (
            ("import matplotlib.pyplot as plt\nplt.figure(figsize=(4, 12)).subplots();", ""),
            "a picture of",
        )
    ],
    "errors of the page": [
        ((HTML.format("<script>setTimeout(() => { throw Error('planted') })"), ""), "planted")
    ],
    "requests elsewhere": [
        ((HTML.format("<img src='http://192.0.2.1/x.png'>"), ""), "http://192.0.2.1/x.png")
    ],
    "cells": [
        (("import warnings\nwarnings.warn('careful')", ""), "careful"),
        (("1 / 0", ""), "ZeroDivisionError"),
        (("never = 'run'", ""), "was not run"),
    ],
}


def test_a_faultless_notebook_passes(tmp_path, go_through):
    assert go_through(notebook(tmp_path / "good.ipynb", *GOOD), lesson_01) == {
        check: [] for check in CHECKS
    }


@pytest.fixture(scope="module")
def faulty(tmp_path_factory, go_through):
    """Go through one notebook with all faults; the cell that raises is the last, as no more are run
    after it.
    """
    cells = [cell for faults in BAD.values() for cell, _ in faults]
    return go_through(notebook(tmp_path_factory.mktemp("faulty") / "bad.ipynb", *cells), lesson_01)


@pytest.mark.parametrize("check", CHECKS)
def test_planted_faults_are_found(check, faulty):
    found = faulty[check]
    assert [words for _, words in BAD[check] if not any(words in fault for fault in found)] == [], (
        found
    )
