"""Build the executed notebooks from their sources: `make notebooks`.

Each notebooks/source/NAME.py (py:percent) becomes notebooks/NAME.ipynb, executed in a fresh kernel. Two
builds give the same file, byte for byte, unless a result changed. A build fails when a cell raises, writes to
stderr, or stores something that only this machine knows: an absolute path, its name, a memory address.
"""

import argparse
import base64
import hashlib
import os
import platform
import re
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "source"
NOTEBOOKS = ROOT / "notebooks"
PICTURE = ROOT / "docs" / "images" / "readme_plot.png"
PICTURE_TAG = "readme-picture"

CELL_TIMEOUT_S = 300
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    # The kernel adds its exact version, which would make every machine's build another file.
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
# As in the Makefile: no progress bars, one thread, one order for sets of strings.
KERNEL_ENVIRONMENT = {
    "TQDM_DISABLE": "1",
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}
MACHINE_BOUND = {
    # A slash that starts a word, followed by at least two names: 1/30, and/or and </td> are none of these.
    "an absolute path": re.compile(r"(?<![\w.:/<])~?/[\w.+-]+/[\w.+-]+|\b[A-Za-z]:\\\w"),
    "a memory address": re.compile(r"\b0x[0-9a-fA-F]{6,}\b"),
    "a time stamp": re.compile(r"\b\d{4}-\d\d-\d\d[ T]\d\d:\d\d|\b\d\d:\d\d:\d\d\b"),
}


class BuildError(Exception):
    """A notebook that must not be stored, and why."""


def source_to_notebook(source: Path) -> nbformat.NotebookNode:
    """Read a py:percent source as a notebook without outputs, with fixed metadata and stable cell ids."""
    notebook = jupytext.read(source, fmt="py:percent")
    notebook.metadata = nbformat.from_dict(METADATA)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        # From the content, so that an edit changes one id and an insertion none.
        digest = hashlib.sha256(f"{source.stem}\n{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
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
        yield from (str(data) for mime, data in output.data.items() if not mime.startswith("image/"))


def machine_bound(text: str, machine: str = "") -> Iterator[str]:
    """Yield what in a text belongs to one machine or one moment, such as "an absolute path (/a/b)"."""
    for what, pattern in MACHINE_BOUND.items():
        if found := pattern.search(text):
            yield f"{what} ({found.group()})"
    if machine and re.search(rf"\b{re.escape(machine)}\b", text):
        yield f"this machine's name ({machine})"


def machine_name(notebook: nbformat.NotebookNode) -> str:
    """Return this machine's name, or an empty text where it is a word of the course, such as iris."""
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
        where = f"cell {number} ({cell.source.strip().splitlines()[0] if cell.source.strip() else 'empty'})"
        if cell.execution_count is None:
            problems.append(f"{where} was not executed")
        raised = any(output.output_type == "error" for output in cell.outputs)
        if raised != expects_error(cell):
            problems.append(f"{where} " + ("raises" if raised else "is tagged raises-exception, and does not"))
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
            # A live widget has a random id, and without its kernel shows an error where its picture could stand.
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
            if output.output_type == "error":
                # A traceback names files of this machine; the last line says what the lesson is about.
                output.traceback = [f"{output.ename}: {output.evalue}"]


def execute(notebook: nbformat.NotebookNode, folder: Path) -> None:
    """Execute a notebook in place, in a fresh kernel that works in `folder`."""
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        record_timing=False,
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise BuildError(str(error)) from None
    merge_streams(notebook)


def merge_streams(notebook: nbformat.NotebookNode) -> None:
    """Join neighbouring pieces of one stream, in place: where the kernel cuts them is a matter of timing."""
    for cell in notebook.cells:
        joined: list[nbformat.NotebookNode] = []
        for output in cell.get("outputs", []):
            if joined and output.output_type == "stream" and output.name == joined[-1].get("name"):
                joined[-1].text += output.text
            else:
                joined.append(output)
        if cell.cell_type == "code":
            cell.outputs = joined


def picture_of(notebook: nbformat.NotebookNode) -> bytes | None:
    """Return the PNG of the cell tagged readme-picture, or None where there is no such cell."""
    for cell in notebook.cells:
        if PICTURE_TAG in cell.metadata.get("tags", []):
            for output in cell.get("outputs", []):
                if png := output.get("data", {}).get("image/png"):
                    return base64.b64decode(png)
            raise BuildError(f"the cell tagged {PICTURE_TAG} draws no picture")
    return None


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it appears whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)


def build(source: Path, *, notebooks: Path = NOTEBOOKS, picture: Path = PICTURE) -> Path:
    """Build and execute one notebook and return its path; a BuildError leaves the old file as it was."""
    notebook = source_to_notebook(source)
    execute(notebook, notebooks)
    normalise(notebook)
    if problems := find_problems(notebook, machine_name(notebook)):
        raise BuildError("\n".join(problems))
    nbformat.validate(notebook)
    if (png := picture_of(notebook)) is not None:
        write_whole(picture, png)
    target = notebooks / f"{source.stem}.ipynb"
    write_whole(target, (nbformat.writes(notebook) + "\n").encode())
    return target


def build_or_explain(source: Path, **folders: Path) -> str:
    """Build one notebook; return what went wrong, or an empty text."""
    try:
        build(source, **folders)
    except BuildError as error:
        return f"{source.name} was not built:\n{error}"
    return ""


def choose(sources: Path, prefixes: list[str]) -> list[Path]:
    """Return the sources whose names start with one of the prefixes; all of them if there is none."""
    found = sorted(sources.glob("*.py"))
    for prefix in prefixes:
        if not any(path.name.startswith(prefix) for path in found):
            raise ValueError(f"no lesson starts with {prefix}; there are {', '.join(p.stem for p in found)}")
    return [path for path in found if not prefixes or path.name.startswith(tuple(prefixes))]


def build_all(sources: list[Path], *, at_once: int = 2, **folders: Path) -> int:
    """Build each notebook, some at once, printing a line for each; return how many failed."""
    n_failed = 0
    # Spawned, because forking a process that has threads can hang, and newer Pythons warn of it.
    with ProcessPoolExecutor(max_workers=at_once, mp_context=get_context("spawn")) as pool:
        outcomes = pool.map(partial(build_or_explain, **folders), sources)
        for source, problem in zip(sources, outcomes, strict=True):
            print(problem or f"{source.stem}: built", file=sys.stderr if problem else sys.stdout, flush=True)
            n_failed += bool(problem)
    return n_failed


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line names and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", help="starts of lesson names, such as 01; all if none is given")
    parser.add_argument("--at-once", type=int, default=2, help="how many to execute at once (default 2)")
    chosen = parser.parse_args(arguments)
    os.environ.update(KERNEL_ENVIRONMENT)
    os.environ.pop("MPLBACKEND", None)  # or figures would not reach the notebook
    try:
        sources = choose(SOURCES, chosen.lessons)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if build_all(sources, at_once=chosen.at_once) else 0


if __name__ == "__main__":
    raise SystemExit(main())
