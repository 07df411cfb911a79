"""Every lesson without network, under another locale, time zone and instruction set, in any order,
interrupted.

another_room.py says what is done. Its first pass fills the session's cache, from which JupyterLab
in test_tour.py then draws: that file stands after this one, and conftest.py sends both tests of a
lesson to the same of xdist's workers.
"""

from pathlib import Path

import pytest
import torch
from another_room import instructions, visit
from kernels import MEASURED, difference
from nbformat.v4 import new_code_cell, new_output
from planted import notebook

from hpt_helpers.classroom.lessons import NOTEBOOKS as LISTED

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
NOTEBOOKS = [FOLDER / f"{lesson.stem}.ipynb" for lesson in reversed(LISTED)]
CHECKS = ["in order", "in reverse order", "interrupts", "again"]
IN_TWO_KERNELS = ("02", "04")  # one whose studies fill the cache, and the one with Ray
LESSONS = [pytest.param(path, id=path.stem) for path in NOTEBOOKS]
ROOM = {
    "locale": "tr_TR.ISO-8859-9",
    "encoding": "ISO-8859-9",
    "zone": -(13 * 60 + 45) * 60,
    "networks": ["lo"],
}


@pytest.fixture(scope="module", params=LESSONS)
def visited(request):
    return visit(request.param, 2 if request.param.stem.startswith(IN_TWO_KERNELS) else 1)


@pytest.mark.parametrize("check", CHECKS)
def test_a_lesson_shows_what_is_stored(visited, check):
    assert visited[check] == []


def test_the_room_is_another_one_and_slow_cells_were_interrupted(visited):
    """At least half of those over 2 s: memory keeps some results, which makes cells fast."""
    assert visited["facts"].items() >= ROOM.items()
    assert visited["facts"]["torch"] != torch.backends.cpu.get_cpu_capability()
    assert not {*instructions()["NPY_DISABLE_CPU_FEATURES"].split()} & {
        *visited["facts"]["numpy"].split()
    }
    assert visited["interrupted"] >= sum(seconds > 2 for seconds in visited["seconds"]) / 2


# --- each check can fail --------------------------------------------------------------------------

# For each check: a cell, what it has stored, and what is said of it.
FAULTS = {
    "in order": [
        ("print(0.1235)", "0.1234\n", "0.1235"),
        ("import sys\nprint('careful', file=sys.stderr)", "", "careful"),
        (
            "import torch\nprint(torch.backends.cpu.get_cpu_capability() in ('AVX2', 'DEFAULT'))",
            "False\n",
            "True",
        ),
        ("import locale\nprint(locale.getencoding())", "UTF-8\n", "ISO-8859-9"),
        ("import time\nprint(time.localtime(0).tm_hour)", "0\n", '"13'),
        (
            "import socket\nsocket.create_connection(('192.0.2.1', 80), 0.1)",
            "",
            "Network is unreachable",
        ),
    ],
    "in reverse order": [("x = globals().get('x', 1)\nprint(x)\nx += 1", "1\n", '"2')],
    "interrupts": [
        ("for _ in 'ab':\n    try: time.sleep(1)\n    except BaseException: pass", "", "not ended"),
        ("try: time.sleep(2)\nexcept BaseException: 1 / 0", "", "ZeroDivisionError"),
    ],
    "again": [
        (
            "assert not globals().get('begun')\nbegun = True\ntime.sleep(1.5)\nbegun = False",
            "",
            "AssertionError",
        ),
        ("import os\nos.mkdir('own')\ntime.sleep(0.5)\nos.rmdir('own')", "", "FileExistsError"),
    ],
}


def test_planted_faults_are_found_by_their_check_and_by_no_earlier_one(tmp_path):
    cells = [(source, printed) for faults in FAULTS.values() for source, printed, _ in faults]
    found = visit(notebook(tmp_path / "bad.ipynb", *cells), 2)
    for i, check in enumerate(CHECKS):
        for source, _, words in FAULTS[check]:
            first_line = source.splitlines()[0]
            assert any(first_line in fault and words in fault for fault in found[check]), (
                source,
                found[check],
            )
            assert not any(
                first_line in fault for earlier in CHECKS[:i] for fault in found[earlier]
            ), (source, found)


# An interrupt while matplotlib's compiled code waits for a matrix, which it takes for a matrix that
# is none.
IN_MATPLOTLIB = """import time
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.path import Path
from matplotlib.transforms import Affine2D


class Slow(Affine2D):
    def get_matrix(self):
        time.sleep(1.5)
        return super().get_matrix()


RendererAgg(9, 9, 72).draw_path(GraphicsContextBase(), Path.unit_circle(), Slow())
"""


def test_a_faultless_notebook_passes(tmp_path):
    cells = ("import time\ntime.sleep(1.1)\nprint(1)", "1\n"), (IN_MATPLOTLIB, "")
    found = visit(notebook(tmp_path / "good.ipynb", "Text.", *cells), 2)
    assert {check: found[check] for check in CHECKS} == {check: [] for check in CHECKS}
    assert found["interrupted"] == 2 and found["facts"].items() >= ROOM.items()


def test_of_measured_seconds_all_but_the_numbers_counts():
    stored = output_of("40 trainings of 0.11 s\nsearch  9")
    tagged = new_code_cell("print(plan)", metadata={"tags": [MEASURED]}, outputs=stored)
    other = output_of("40 trainings of 1.2 s\nsearch 12")
    assert (
        difference(tagged, other)
        == ""
        != difference(new_code_cell("print(plan)", outputs=stored), other)
    )
    assert "mistrials" in difference(tagged, output_of("40 mistrials of 0.11 s\nsearch  9"))


def output_of(text):
    return [new_output("stream", name="stdout", text=text)]
