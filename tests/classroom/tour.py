"""A tour through a lesson that is open in JupyterLab: each function does what a learner does and
returns the faults.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType

from lab import Lab, Lesson
from playwright.sync_api import Locator, Page, TimeoutError

from hpt_helpers.classroom.exercises.framework import CORRECT, INCORRECT

LOOKS = (Path(__file__).parent / "looks.js").read_text(encoding="utf-8")
PICTURES = Path(__file__).resolve().parents[2] / "build" / "classroom"
DRAWN_WITHIN_MS = 30_000
TALLEST = 16_000  # pixels: what Chromium paints in one picture
LIVE = ("Slider:", "Challenge:")  # how the stored texts of what has a slider begin


def cell_faults(lesson: Lesson) -> list[str]:
    """Run all cells; return what they raise or write to stderr, and those that are not run."""
    lesson.run_all()
    cells = lesson.code_cells()
    outputs = [output for cell in cells for output in cell["outputs"]]
    errors = [f"{o['ename']}: {o['evalue']}" for o in outputs if o["output_type"] == "error"]
    errors += [f"on stderr: {o['text']}" for o in outputs if o.get("name") == "stderr"]
    return errors + [
        f"was not run: {cell['source'][:80]!r}" for cell in cells if not cell["execution_count"]
    ]


def answer_faults(lesson: Lesson) -> list[str]:
    """Open each closed answer by a click; return those that were open before, or show nothing more
    afterwards.
    """
    faults = []
    for answer in lesson.page.locator(".jp-Notebook details").all():
        name, was_open = answer.inner_text()[:80], answer.evaluate("one => one.open")
        closed = answer.bounding_box()["height"]
        if not was_open:
            answer.locator("summary").click()
        if was_open:
            faults.append(f"{name!r} is open from the start")
        elif answer.bounding_box()["height"] < closed + 10:
            faults.append(f"{name!r} does not open")
    return faults


def slider_faults(lesson: Lesson) -> list[str]:
    """Move each slider by keyboard, and press the button beside it; return those after which no
    picture changes.
    """
    faults = []
    for number, cell in enumerate(lesson.code_cells()):
        texts = [
            "".join(output.get("data", {}).get("text/plain", "")) for output in cell["outputs"]
        ]
        handles = lesson.cell(number).get_by_role("slider").all()
        if any(text.startswith(LIVE) for text in texts) and not handles:
            faults.append(f"no slider below {cell['source'][-80:]!r}")
        for handle in handles:
            if not _moved(handle):
                faults.append(f"a slider below {cell['source'][-80:]!r} does not move by keyboard")
            elif not _redrawn(lesson, lesson.cell(number), handle):
                faults.append(f"no new picture below {cell['source'][-80:]!r}")
    return faults


def _moved(handle: Locator) -> bool:
    """Press an arrow on a slider's handle; return whether it moved."""
    before = handle.get_attribute("aria-valuenow")
    handle.focus()
    handle.press("ArrowLeft" if before == handle.get_attribute("aria-valuemax") else "ArrowRight")
    return handle.get_attribute("aria-valuenow") != before


def _redrawn(lesson: Lesson, cell: Locator, handle: Locator) -> bool:
    """Return whether the picture changes: after the move, or where a button tries what is chosen,
    after Enter on it.

    A game that is over has a button that cannot be pressed, and no new picture.
    """
    picture = cell.locator("img.widget-image")
    if picture.count() != 1:
        return False
    button = cell.locator("button.widget-button")
    if button.count():
        if button.is_disabled():
            return True
        picture.evaluate("one => { window.pictureBefore = one.src }")
        button.press("Enter")
    else:
        # The move was made before; the next one is looked at, so that no quick picture is missed.
        picture.evaluate("one => { window.pictureBefore = one.src }")
        _moved(handle)
    try:
        lesson.page.wait_for_function(
            "one => one.src !== window.pictureBefore",
            arg=picture.element_handle(),
            timeout=DRAWN_WITHIN_MS,
        )
    except TimeoutError:
        return False
    return True


def exercise_faults(lesson: Lesson, exercises: ModuleType) -> list[str]:
    """Answer each exercise that asks for a choice or a number, first wrong, then right; return what
    was not judged so.

    exercises: the lesson's own, or any module with them.
    """
    faults = []
    for number, cell in enumerate(lesson.code_cells()):
        if not (starter := re.search(r"^answer_(\d+) = \.\.\..*$", cell["source"], re.MULTILINE)):
            continue
        exercise = getattr(exercises, f"q{starter[1]}")
        for answer, outcome in ((exercise.wrong[0].answer, INCORRECT), (exercise.solve(), CORRECT)):
            source = cell["source"].replace(starter[0], f"answer_{starter[1]} = {answer!r}")
            shown = lesson.write_and_run(number, source)
            if f"{exercise.name} {outcome}:" not in shown:
                faults.append(f"{exercise.name}: {answer!r}, which is {outcome}, shows {shown!r}")
    return faults


def looks(lesson: Lesson, name: str) -> dict[str, list[str]]:
    """Photograph the lesson, and return text that is cut, text that is faint, and pictures that are
    too large.
    """
    found, size = lesson.page.evaluate(LOOKS), lesson.page.viewport_size
    panel = lesson.page.locator(".jp-WindowedPanel-outer:visible")
    lesson.page.set_viewport_size(
        size | {"height": min(panel.evaluate("one => one.scrollHeight") + 200, TALLEST)}
    )
    panel.evaluate("one => { one.scrollTop = 0 }")
    lesson.page.wait_for_timeout(500)
    PICTURES.mkdir(parents=True, exist_ok=True)
    lesson.page.screenshot(path=PICTURES / f"{name}.png")
    lesson.page.set_viewport_size(size)
    return found


def tour(
    lab: Lab, page: Page, notebook: Path, exercises: ModuleType | None
) -> dict[str, list[str]]:
    """Go through a notebook in JupyterLab, all that is above, and return the faults by what was
    looked at.
    """
    lesson = Lesson(lab, page, notebook)
    faults = {
        "cells": cell_faults(lesson),
        "answers": answer_faults(lesson),
        "sliders": slider_faults(lesson),
        "exercises": exercise_faults(lesson, exercises) if exercises else [],
    }
    seen = {"light": looks(lesson, f"{notebook.stem}-light")}
    lesson.set_theme("JupyterLab Dark")
    seen["dark"] = looks(lesson, f"{notebook.stem}-dark")
    lesson.present()
    seen["projector"] = looks(lesson, f"{notebook.stem}-projector")
    lesson.set_theme("JupyterLab Light")
    for look in ("cut", "faint", "large"):
        # On a page that is not the projector's a large picture only needs a move of the wheel.
        faults[look] = [
            f"{view}: {fault}"
            for view, found in seen.items()
            if (look, view) not in {("large", "light"), ("large", "dark")}
            for fault in found[look]
        ]
    lesson.close()
    return faults | {
        "errors of the page": lesson.page_errors,
        "requests elsewhere": lesson.elsewhere,
    }
