"""What a lesson takes is measured as said, and docs/timings.md is up to date and within what is
promised.
"""

import re
import subprocess
import sys
import time

import nbformat.v4 as nb
import psutil
import pytest

from hpt_helpers.classroom.lessons import COURSE
from tools import timings
from tools.build_notebooks import SOURCES

MAX_MB = 2000  # what a session on mybinder.org may take
MAX_RATIO = 2.5  # of the seconds beside two busy processes to those alone

SMALL = nb.new_notebook(
    cells=[
        nb.new_markdown_cell("# One"),
        nb.new_code_cell("import time\ntime.sleep(0.05)"),
        nb.new_markdown_cell("Text.\n\n## Two\n\n### Three"),
        nb.new_code_cell("time.sleep(1)\nlarge = bytearray(b'1' * 300_000_000)\ntime.sleep(1)"),
    ]
)
STARTS_ANOTHER = "import subprocess, sys; subprocess.run([sys.executable, '-c', {!r}])"
CHILD = "x = bytearray(b'1' * 200_000_000); print(flush=True); input()"


def test_seconds_of_cells_and_the_memory_of_the_kernel():
    run = timings.execute(SMALL)
    assert run.seconds[1] >= 0.05 and 2 <= run.seconds[3] < run.total_s
    assert run.seconds[0] == pytest.approx(0, abs=0.1)
    assert 300 < run.peak_mb < 1000


def test_the_memory_of_what_a_process_started_counts():
    command = [sys.executable, "-c", STARTS_ANOTHER.format(CHILD)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        with timings.peak_memory([process.pid]) as peak:
            time.sleep(4 * timings.SAMPLED_EVERY_S)
        assert 200 < peak[0] < 400
        assert peak[0] == pytest.approx(timings.memory_mb([process.pid]), rel=0.2)
        process.communicate(b"\n")
    assert timings.memory_mb([process.pid]) == 0


def test_a_jupyterlab_server_is_measured_and_ends():
    with timings.jupyterlab() as server:
        assert 30 < timings.memory_mb([server]) < 400
    assert timings.memory_mb([server]) == 0


def test_busy_processes_take_a_core_each_and_end():
    with timings.busy_processes() as pids:
        processes = [psutil.Process(pid) for pid in pids]
        used = [sum(process.cpu_times()[:2]) for process in processes]
        time.sleep(1)
        assert len(processes) == 2
        for process, before in zip(processes, used, strict=True):
            assert sum(process.cpu_times()[:2]) > before
    assert not any(process.is_running() for process in processes)


def test_busy_processes_end_with_the_one_that_started_them():
    code = (
        "import os, time\nfrom tools import timings\n"
        "with timings.busy_processes() as pids: print(*pids, flush=True); os._exit(0)"
    )
    printed = subprocess.check_output([sys.executable, "-c", code], text=True)
    pids = [int(pid) for pid in printed.split()]
    until = time.monotonic() + 20
    while any(map(psutil.pid_exists, pids)):
        assert time.monotonic() < until
        time.sleep(0.1)


def test_a_line_names_the_slowest_cells_by_their_headings():
    first, again = timings.Run(5.4, [0, 1.2, 0, 3.6], 400.0), timings.Run(2.6, [0, 1, 0, 1], 450.4)
    beside = timings.Run(9.6, [0, 4, 0, 4], 900.0)
    assert timings.heading_of(SMALL, 3) == "Three"
    assert timings.measured(SMALL, first, again, beside) == "5 | 3 | 10 | 450 | Three (4); One (1)"


PAGE = timings.PAGE.read_text(encoding="utf-8")


def test_the_page_has_all_lessons_with_their_present_minutes():
    lines, measured_on = timings.stored(PAGE)
    stems = [lesson.stem for lesson in COURSE]
    missing = [stem[:2] for stem in stems if stem not in lines]
    assert list(lines) == stems, f"python -m tools.timings {' '.join(missing)}"
    assert timings.page(lines, measured_on) == PAGE, "python -m tools.timings --keep"


def test_every_lesson_fits_into_a_session_on_binder():
    lines, _ = timings.stored(PAGE)
    memory = {stem: int(part.split(" | ")[3]) for stem, part in lines.items()}
    assert max(memory.values()) < MAX_MB, memory
    assert min(memory.values()) > 100, "make timings has not measured"


LESSONS = [lesson.stem for lesson in COURSE]


@pytest.mark.parametrize("stem", LESSONS)
def test_a_lesson_does_not_crawl_beside_other_work(stem):
    alone, _, beside, *_ = timings.stored(PAGE)[0][stem].split(" | ")
    if beside == "–":
        pytest.skip("make timings has not measured this yet")
    assert int(beside) <= MAX_RATIO * int(alone)


@pytest.mark.parametrize("stem", LESSONS)
def test_the_slow_cells_are_under_headings_that_the_lesson_has(stem):
    rows = [line for line in PAGE.splitlines() if line.startswith(f"| {stem} |")]
    assert rows, f"python -m tools.timings {stem[:2]}"
    [row] = rows
    named = re.findall(r"(.+?) \(\d+\)(?:; | \|$)", row.split(" | ", 6)[6])
    source = (SOURCES / f"{stem}.py").read_text(encoding="utf-8")
    headings = re.findall(r"^# #+ (.+)$", source, re.M)
    assert named and set(named) <= set(headings)
