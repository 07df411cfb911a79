"""Cells run by a program: in any order, interrupted, in two kernels at once, and compared as strict
nbval does.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import nbformat
from jupyter_client.blocking import BlockingKernelClient
from jupyter_client.manager import KernelManager, start_new_kernel
from nbformat import NotebookNode
from nbformat.v4 import output_from_msg
from nbval.plugin import coalesce_streams

CELL_TIMEOUT_S = 300
OUTPUTS = {"stream", "display_data", "execute_result", "error"}
# What nbval does not compare: pictures, whose description is compared, and live widgets, whose ids
# are random.
NOT_COMPARED = {"image/png", "application/vnd.jupyter.widget-view+json"}
MEASURED = "nbval-ignore-output"  # the tag of a cell that prints seconds of this machine
SLOW_S = 1.0  # a cell that takes longer is interrupted
LATEST_S = 5.0  # in its middle, but not later than this
# how long an interrupted cell may go on: a starting Ray first comes up, and is then shut down
ENDS_WITHIN_S = 30.0
# What an interrupt ends a cell with. The last two are matplotlib's words for one that comes while
# its compiled code asks for an array: it takes note only that it got none.
ENDS = (
    "KeyboardInterrupt",
    "ValueError: Invalid affine transformation",
    "ValueError: Invalid bounding box",
)


class Kernel(NamedTuple):
    """A running kernel: what starts and interrupts it, and what sends it code."""

    manager: KernelManager
    client: BlockingKernelClient


@contextmanager
def kernel(folder: Path) -> Iterator[Kernel]:
    """Give a new kernel of this Python that works in `folder`; it ends with the block."""
    manager, client = start_new_kernel(cwd=str(folder))
    try:
        yield Kernel(manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def code_cells(notebook: Path) -> list[NotebookNode]:
    """Return a notebook's code cells with their stored outputs."""
    return [
        cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"
    ]


def execute(kernel: Kernel, source: str) -> tuple[list[NotebookNode], float]:
    """Run code and return its outputs and the seconds it took; raises TimeoutError after
    CELL_TIMEOUT_S.
    """
    outputs = []

    def keep(message):
        if message["msg_type"] in OUTPUTS:
            outputs.append(output_from_msg(message))

    start = time.monotonic()
    kernel.client.execute_interactive(
        source, output_hook=keep, timeout=CELL_TIMEOUT_S, allow_stdin=False
    )
    return outputs, time.monotonic() - start


def comparable(outputs: Iterable[NotebookNode]) -> dict[str, list]:
    """Return what nbval compares of a cell's outputs: for each stream and each kind of data, all
    its texts.
    """
    found: dict[str, list] = {}
    for output in coalesce_streams([nbformat.from_dict(output) for output in outputs]):
        if output.output_type == "stream":
            found.setdefault(output.name, []).append(output.text)
        elif output.output_type == "error":
            found.setdefault("error", []).append(f"{output.ename}: {output.evalue}")
        else:
            for kind in set(output.data) - NOT_COMPARED:
                found.setdefault(kind, []).append(output.data[kind])
    return found


def without_numbers(found: dict[str, list]) -> dict[str, list]:
    """Return texts in which any number stands as 0, and the width of its column does not count."""
    return {
        kind: [re.sub(r" *\d+(\.\d+)?", " 0", str(text)) for text in texts]
        for kind, texts in found.items()
    }


def difference(cell: NotebookNode, outputs: Iterable[NotebookNode]) -> str:
    """Return in a line how new outputs differ from the cell's; empty if they do not.

    Of a cell that prints measured seconds, which nbval leaves out, all but the numbers counts.
    """
    stored, new = comparable(cell.outputs), comparable(outputs)
    if MEASURED in cell.metadata.get("tags", []):
        stored, new = without_numbers(stored), without_numbers(new)
    kinds = [kind for kind in sorted({*stored, *new}) if stored.get(kind) != new.get(kind)]
    told = (
        f"{kind} is {json.dumps(new.get(kind))} instead of {json.dumps(stored.get(kind))}"
        for kind in kinds
    )
    return f"{first_line(cell)!r}: {'; '.join(told)}" if kinds else ""


def first_line(cell: NotebookNode) -> str:
    return cell.source.strip().splitlines()[0]


def run_all(kernel: Kernel, cells: list[NotebookNode]) -> tuple[list[str], list[float]]:
    """Run cells in the order given; return the differences from what is stored, and each cell's
    seconds.
    """
    results = [execute(kernel, cell.source) for cell in cells]
    differences = (
        difference(cell, outputs) for cell, (outputs, _) in zip(cells, results, strict=True)
    )
    return [words for words in differences if words], [seconds for _, seconds in results]


def run_all_in_step(kernels: list[Kernel], cells: list[NotebookNode]) -> list[str]:
    """Run cells in several kernels, each cell in all at the same moment, and return the
    differences.
    """
    found = []
    with ThreadPoolExecutor(len(kernels)) as threads:
        for cell in cells:
            for outputs, _ in threads.map(execute, kernels, [cell.source] * len(kernels)):
                found.append(difference(cell, outputs))
    return [words for words in found if words]


def interrupt(kernel: Kernel, cell: NotebookNode, seconds: float) -> str:
    """Interrupt a cell that takes so many seconds, in its middle or after LATEST_S.

    Returns "interrupted", "fast" where it takes under SLOW_S by now (memory holds what it
    computed), or what is wrong. A cell that itself calls `run`, which keeps the trials so far and
    warns, may go on with these, or raise for want of the others.
    """
    for _ in range(3):  # it may be done sooner than the last time
        sent = []

        def send(sent=sent):
            sent.append(time.monotonic())
            kernel.manager.interrupt_kernel()

        timer = threading.Timer(min(seconds / 2, LATEST_S), send)
        timer.start()
        outputs, took = execute(kernel, cell.source)
        timer.cancel()
        timer.join()
        errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
        went_on = time.monotonic() - sent[0] if sent else 0.0
        if went_on > ENDS_WITHIN_S:
            return f"{first_line(cell)!r} went on for {went_on:.0f} s after the interrupt"
        warned = "".join(output.text for output in outputs if output.get("name") == "stderr")
        if "interrupted: the" in warned and re.search(r"\brun\(", cell.source):
            return "interrupted"
        if errors:
            by_it = len(errors) == 1 and errors[0].startswith(ENDS)
            return "interrupted" if by_it else f"{first_line(cell)!r} raised {errors}"
        if took < SLOW_S:
            return "fast"
        seconds = took
    return f"{first_line(cell)!r} took {took:.1f} s and was not ended by an interrupt"


def interrupt_each(
    kernel: Kernel, cells: list[NotebookNode], seconds: list[float]
) -> tuple[list[str], int]:
    """Interrupt each cell that took over SLOW_S, once; return what is wrong, and how many were
    interrupted.

    The last cell comes first: half a search that an interrupted cell has kept is not what another
    one begins with.
    """
    slow = [(cell, took) for cell, took in zip(cells, seconds, strict=True) if took > SLOW_S]
    outcomes = [interrupt(kernel, cell, took) for cell, took in reversed(slow)]
    return [o for o in outcomes if o not in ("interrupted", "fast")], outcomes.count("interrupted")


@contextmanager
def kernels(folder: Path, n: int) -> Iterator[list[Kernel]]:
    """Give n new kernels that work in `folder`; they end with the block."""
    with ExitStack() as stack:
        yield [stack.enter_context(kernel(folder)) for _ in range(n)]
