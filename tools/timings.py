"""What each lesson takes: `make timings` measures all of them and writes docs/timings.md.

Leave the machine alone.

A lesson is executed three times in fresh kernels: with an empty cache, with the one that this
filled, and with an empty one again while two other processes keep a core each busy. Numerical
libraries have as many threads as they take by themselves, as a learner's have.
Its memory is the largest sum, over a JupyterLab server, the kernel and all that it starts (Ray, for
instance), of what each process holds: shared pages are counted in parts (PSS, on Linux; elsewhere
they are counted for each process).
"""

from __future__ import annotations

import argparse
import copy
import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
import psutil

from tools.build_notebooks import NOTEBOOKS, SOURCES, choose
from tools.lesson_minutes import in_words, time_of
from tools.machine import machine
from tools.notebooks import kernel_client
from tools.repeatable import ONE_THREAD, make_repeatable

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "timings.md"
N_SLOWEST = 3
N_BUSY = 2  # as a browser and a video call may be
# Ends by itself where the process that started it has ended.
BUSY = "import os\nwhile os.getppid() == {}: sum(range(100_000))"
SAMPLED_EVERY_S = 1.0  # three times as often, the reading itself takes a lesson's time from it
HEAD = """# What a lesson takes

`make timings` writes this page. Minutes are those that a lesson states, of the core path + its
exercises + going further. Seconds are for a Run All, the first time (with an empty
cache), again, and the first time while two other processes keep a core each busy. Memory is the
most that a JupyterLab server, the kernel and all that it starts hold together. Seconds of cells are
the first time's.

Measured on {measured_on}.

| lesson | minutes | first (s) | again (s) | beside busy (s) | memory (MB) | its slowest cells (s) |
|---|---|---|---|---|---|---|
"""


class Run(NamedTuple):
    """One execution of a lesson.

    seconds: of each cell, shape (n_cells,); total_s: with the kernel's start.
    """

    total_s: float
    seconds: list[float]
    peak_mb: float


def memory_mb(roots: Sequence[int]) -> float:
    """Return the memory of these processes and all that they started, in MB; one that ends
    meanwhile counts nothing.
    """
    total = 0
    for root in roots:
        try:
            family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
        except psutil.Error:
            continue
        for process in family:
            try:
                total += getattr(full := process.memory_full_info(), "pss", full.rss)
            except psutil.Error:
                continue
    return total / 1e6


@contextmanager
def peak_memory(roots: list[int]) -> Iterator[list[float]]:
    """Give a list that holds, once this ends, the largest memory in MB of these processes; more may
    join the list.
    """
    done, peak = threading.Event(), [0.0]

    def watch():
        while not done.wait(SAMPLED_EVERY_S):
            peak[0] = max(peak[0], memory_mb(roots))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


@contextmanager
def jupyterlab() -> Iterator[int]:
    """Give the process id of a JupyterLab server on this machine alone, which ends with this."""
    with tempfile.TemporaryDirectory() as folder:
        settings = os.environ | {
            "JUPYTER_RUNTIME_DIR": folder,
            "JUPYTER_TOKEN": secrets.token_hex(),
        }
        options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0"]
        command = [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"]
        server = subprocess.Popen(
            command, env=settings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            until = time.monotonic() + 60
            while not list(Path(folder).glob("jpserver-*.json")):
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError(
                        "JupyterLab does not start; run it to see why: python -m jupyterlab"
                    )
                time.sleep(0.2)
            yield server.pid
        finally:
            server.terminate()
            server.wait()


@contextmanager
def busy_processes(n: int = N_BUSY) -> Iterator[list[int]]:
    """Give the ids of n processes, each of which keeps a core busy until this ends."""
    command = [sys.executable, "-c", BUSY.format(os.getpid())]
    started = [subprocess.Popen(command) for _ in range(n)]
    try:
        yield [process.pid for process in started]
    finally:
        for process in started:
            process.kill()
            process.wait()


def execute(notebook: nbformat.NotebookNode, beside: Sequence[int] = ()) -> Run:
    """Execute a lesson in a fresh kernel; the memory is that of the kernel and of the processes
    beside it.
    """
    client = kernel_client(notebook, NOTEBOOKS)
    seconds, roots = [], list(beside)
    started = time.perf_counter()
    with peak_memory(roots) as peak, client.setup_kernel():
        roots.append(client.km.provisioner.pid)
        for index, cell in enumerate(notebook.cells):
            before = time.perf_counter()
            client.execute_cell(cell, index)
            seconds.append(time.perf_counter() - before)
    return Run(time.perf_counter() - started, seconds, peak[0])


def heading_of(notebook: nbformat.NotebookNode, index: int) -> str:
    """Return the heading under which a cell stands."""
    above = "\n".join(
        cell.source for cell in notebook.cells[: index + 1] if cell.cell_type == "markdown"
    )
    return re.findall(r"^#+ (.+)$", above, flags=re.M)[-1]


def measure(path: Path) -> str:
    """Execute a lesson with an empty cache, with a filled one, and with an empty one beside busy
    processes; return the measured part of its line.
    """
    lesson = nbformat.read(path, as_version=4)
    with jupyterlab() as server:
        with empty_cache():
            first, again = (execute(copy.deepcopy(lesson), [server]) for _ in range(2))
        with empty_cache(), busy_processes():
            beside = execute(copy.deepcopy(lesson), [server])
    return measured(lesson, first, again, beside)


@contextmanager
def empty_cache() -> Iterator[None]:
    """Give the kernels that start inside the block a cache of their own."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HPT_CACHE_DIR"] = folder
        yield


def measured(notebook: nbformat.NotebookNode, first: Run, again: Run, beside: Run) -> str:
    """Return seconds of all runs, MB, and the slowest cells of the first, as cells of a table."""
    code = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    slowest = sorted(code, key=lambda i: -first.seconds[i])[:N_SLOWEST]
    cells = "; ".join(f"{heading_of(notebook, i)} ({first.seconds[i]:.0f})" for i in slowest)
    peak_mb = max(first.peak_mb, again.peak_mb)
    seconds = " | ".join(f"{run.total_s:.0f}" for run in (first, again, beside))
    return f"{seconds} | {peak_mb:.0f} | {cells}"


def stored(text: str) -> tuple[dict[str, str], str]:
    """Return the measured part of each lesson's line, and what it was measured on, from the page's
    text.
    """
    lines = dict(re.findall(r"^\| (\d\w+) \| [\d +]+ \| (.+) \|$", text, flags=re.M))
    return lines, (re.findall(r"^Measured on (.+)\.$", text, flags=re.M) or [""])[0]


def this_machine() -> str:
    """Return what the seconds depend on, in a line."""
    found = machine()
    versions = f"Python {found['python']}, torch {found['torch']}"
    return f"{found['processor']}, {found['cores']} cores, {versions}"


def page(lines: Mapping[str, str], measured_on: str) -> str:
    """Return docs/timings.md: the measured part of each lesson's line, with the minutes as they
    are now.
    """
    rows = []
    for stem, part in sorted(lines.items()):
        lesson = nbformat.read(NOTEBOOKS / f"{stem}.ipynb", as_version=4)
        rows.append(f"| {stem} | {in_words(time_of(lesson))} | {part} |")
    return HEAD.format(measured_on=measured_on) + "\n".join(rows) + "\n"


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the page, and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "lessons", nargs="*", help="starts of lesson names, such as 01; all if none is given"
    )
    parser.add_argument(
        "--keep", action="store_true", help="measure nothing: only bring the minutes up to date"
    )
    chosen = parser.parse_args(arguments)
    make_repeatable()
    for name in ONE_THREAD:  # a learner's kernel does not have them
        del os.environ[name]
    lines, measured_on = stored(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else ({}, "")
    if not chosen.keep:
        measured_on = this_machine()
        for source in choose(SOURCES, chosen.lessons):
            lines[source.stem] = measure(NOTEBOOKS / f"{source.stem}.ipynb")
            print(f"{source.stem}: {lines[source.stem]}", flush=True)
    PAGE.write_text(page(lines, measured_on), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
