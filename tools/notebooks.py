"""Notebooks as data: read from a source, executed, freed of what differs from run to run, checked.

What the programs beside this module are made of: `build_notebooks.py` stores the executed lessons.
"""

import hashlib
import platform
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

CELL_TIMEOUT_S = 300
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    # The kernel adds its exact version, which would make every machine's build another file.
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
MACHINE_BOUND = {
    # A slash that starts a word, followed by at least two names: 1/30, and/or and </td> are none of
    # these.
    "an absolute path": re.compile(r"(?<![\w.:/<])~?/[\w.+-]+/[\w.+-]+|\b[A-Za-z]:\\\w"),
    "a memory address": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a time stamp": re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d|\b\d\d:\d\d:\d\d\b"),
}


class BuildError(Exception):
    """A notebook that must not be stored, and why."""


def source_to_notebook(source: Path) -> nbformat.NotebookNode:
    """Read a py:percent source as a notebook without outputs, with fixed metadata and stable cell
    ids.
    """
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        # From the content, so that an edit changes one id and an insertion none.
        digest = hashlib.sha256(
            f"{source.stem}\n{cell.cell_type}\n{cell.source}".encode()
        ).hexdigest()[:12]
        cell.id = f"{digest}-{seen[digest]}"
        seen[digest] += 1
        tags = cell.metadata.get("tags")
        cell.metadata = nbformat.from_dict({"tags": tags} if tags else {})
    return notebook


def expects_error(cell: nbformat.NotebookNode) -> bool:
    """Say whether a cell is meant to raise."""
    return "raises-exception" in cell.metadata.get("tags", [])


def output_texts(output: nbformat.NotebookNode) -> Iterator[str]:
    """Yield each text that a notebook stores for one output; pictures are not text."""
    if output.output_type == "stream":
        yield output.text
    elif output.output_type == "error":
        yield from (output.ename, output.evalue, *output.traceback)
    else:
        yield from (
            str(data) for mime, data in output.data.items() if not mime.startswith("image/")
        )


def machine_bound(text: str, machine: str = "") -> Iterator[str]:
    """Yield what belongs to one machine or one moment, such as "an absolute path (/a/b)"."""
    for what, pattern in MACHINE_BOUND.items():
        if found := pattern.search(text):
            yield f"{what} ({found.group()})"
    if machine and re.search(rf"\b{re.escape(machine)}\b", text):
        yield f"this machine's name ({machine})"


def machine_name(notebook: nbformat.NotebookNode) -> str:
    """Return this machine's name; empty where it is a word of the course, such as iris."""
    name = platform.node().split(".")[0]
    course = "\n".join(cell.source for cell in notebook.cells).lower()
    return "" if name.lower() in {"", "localhost"} or name.lower() in course else name


def find_problems(notebook: nbformat.NotebookNode, machine: str = "") -> list[str]:
    """Return, one line each, what keeps an executed notebook from being stored; none is good.

    machine: a machine's name that must not be stored either.
    """
    problems = []
    for number, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            continue
        first = (cell.source.strip() or "empty").splitlines()[0]
        where = f"cell {number} ({first})"
        if cell.execution_count is None:
            problems.append(f"{where} was not executed")
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised != expects_error(cell):
            problems.append(
                f"{where} " + ("raises" if raised else "is tagged raises-exception, and does not")
            )
        for output in cell.outputs:
            if output.get("name") == "stderr":
                problems.append(f"{where} writes to stderr: {output.text.strip()[:300]}")
            bound = (what for text in output_texts(output) for what in machine_bound(text, machine))
            problems += [f"{where} stores {what}" for what in bound]
    return problems


def normalise(notebook: nbformat.NotebookNode) -> None:
    """Remove, in place, what the kernel stored that differs from run to run."""
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            # A live widget has a random id, and without its kernel shows an error where its picture
            # could stand.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if output.output_type == "error":
                # A traceback names files of this machine; the last line says what the lesson is
                # about.
                output.traceback = [f"{output.ename}: {output.evalue}"]


def kernel_client(notebook: nbformat.NotebookNode, folder: Path) -> NotebookClient:
    """Return what executes a notebook in place, in a fresh kernel that works in `folder`: all of
    it, or cell by cell.

    `client.execute()`, or `client.execute_cell(cell, index)` within `client.setup_kernel()`.
    """
    return NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,  # where the kernel cuts a stream into pieces is a matter of timing
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        resources={"metadata": {"path": str(folder)}},
    )


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Execute a notebook in place, in a fresh kernel that works in `folder`."""
    try:
        kernel_client(notebook, folder).execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise BuildError(str(error)) from None
