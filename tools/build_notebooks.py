"""Build the executed notebooks from their sources: `make notebooks`.

Each notebooks/source/NAME.py (py:percent) becomes notebooks/NAME.ipynb, executed in a fresh kernel.
Two builds give the same file, byte for byte, unless a result changed. A build fails when a cell
raises, writes to stderr, or stores something that only this machine knows: an absolute path, its
name, a memory address.
"""

import argparse
import base64
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import nbformat

from tools.notebooks import (
    BuildError,
    execute,
    find_problems,
    machine_name,
    normalise,
    source_to_notebook,
)
from tools.repeatable import make_repeatable

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "notebooks" / "source"
NOTEBOOKS = ROOT / "notebooks"
PICTURE = ROOT / "docs" / "images" / "readme_plot.png"
PICTURE_TAG = "readme-picture"


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
    """Build and execute one notebook and return its path.

    A BuildError leaves the old file as it was.
    """
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
    """Return the sources whose names start with one of the prefixes; all if there is none."""
    found = sorted(sources.glob("*.py"))
    for prefix in prefixes:
        if not any(path.name.startswith(prefix) for path in found):
            raise ValueError(
                f"no lesson starts with {prefix}; there are {', '.join(p.stem for p in found)}"
            )
    return [path for path in found if not prefixes or path.name.startswith(tuple(prefixes))]


def build_all(sources: list[Path], *, at_once: int = 2, **folders: Path) -> int:
    """Build each notebook, some at once, printing a line for each; return how many failed."""
    n_failed = 0
    # Spawned, because forking a process that has threads can hang, and newer Pythons warn of it.
    with ProcessPoolExecutor(max_workers=at_once, mp_context=get_context("spawn")) as pool:
        outcomes = pool.map(partial(build_or_explain, **folders), sources)
        for source, problem in zip(sources, outcomes, strict=True):
            print(
                problem or f"{source.stem}: built",
                file=sys.stderr if problem else sys.stdout,
                flush=True,
            )
            n_failed += bool(problem)
    return n_failed


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line names and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "lessons", nargs="*", help="starts of lesson names, such as 01; all if none is given"
    )
    parser.add_argument(
        "--at-once", type=int, default=2, help="how many to execute at once (default 2)"
    )
    chosen = parser.parse_args(arguments)
    make_repeatable()
    try:
        sources = choose(SOURCES, chosen.lessons)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if build_all(sources, at_once=chosen.at_once) else 0


if __name__ == "__main__":
    raise SystemExit(main())
