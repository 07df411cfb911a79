"""Pack all that a workshop needs: `make workshop`, into build/workshop and build/workshop.zip.

learner/ holds notebooks without outputs and handouts, instructor/ the executed notebooks with
solutions in place, the handouts with answers, and the guide. wheels/ holds the course's own wheel;
with WHEELS=1 those of all that it needs, for machines like this one, so that an install takes no
network. WORKSHOP.md says how to set up a room.

Two builds give the same zip, byte for byte, of the same files: its dates are SOURCE_DATE_EPOCH or
the last commit's.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

import nbformat

from hpt_helpers.classroom.exercises.answer_key import exercises_module
from hpt_helpers.classroom.lessons import NOTEBOOKS as LISTED
from tools.build_notebooks import NOTEBOOKS, ROOT, write_whole
from tools.handout_text import SIDES
from tools.lesson_minutes import is_exercise
from tools.my_notebooks import copy_lessons
from tools.notebooks import BuildError, kernel_client, normalise
from tools.repeatable import make_repeatable

TARGET = ROOT / "build" / "workshop"
HANDOUTS = ROOT / "build" / "handouts"
DOCS = ROOT / "docs"
OURS = re.compile(r"\bex\.(q\d|progress)|\bas ex$", re.M)  # a cell that has to do with exercises
WHEEL_SOURCES = (
    "pyproject.toml",
    "setup.py",
    "MANIFEST.in",
    "README.md",
    "LICENSE",
    "LICENSE-text",
    "hpt_helpers",
)
# about files that are not in the zip
OF_THE_PROJECT = {"installing.md", "package.md", "platforms.md", "real_searches.md", "speed.md"}
FOR_LEARNERS = {"beyond_one_machine.md", "testbed.md"}  # pages that their lessons name
OF_PROJECT = re.compile(r"`make [a-z]|python -m (?:tools|benchmarks)\b")  # it alone has these
ORIGIN = (
    "*This page is from the course's project. What it says of `make`, `tools`, `benchmarks` and "
    "`tests` is\ndone in a copy of the project.*"
)
PACKED_ALREADY = {".whl", ".pdf"}


def solved(source: str, exercise) -> str:
    """Return an exercise's cell with the solution in place: its imports, what `solution()` prints,
    its check.
    """
    lines = source.splitlines()
    imports = [line for line in lines if re.match(r"(from|import) ", line)]
    check = next(i for i, line in enumerate(lines) if ".check(" in line)
    with redirect_stdout(io.StringIO()) as printed:
        exercise.solution()
    head = "\n".join(imports) + "\n\n\n" if imports else ""
    return head + printed.getvalue().rstrip() + "\n\n\n" + "\n".join(lines[check:])


def with_solutions(notebook: nbformat.NotebookNode, exercises) -> nbformat.NotebookNode:
    """Put each exercise's solution in place, and execute the cells of the exercises anew; return
    the notebook.

    exercises: the lesson's module of them. All other cells keep the results that are stored with
    them: solutions have no part in these. Raises BuildError for a cell that raises.
    """
    cells = [
        cell for cell in notebook.cells if cell.cell_type == "code" and OURS.search(cell.source)
    ]
    counts = [cell.execution_count for cell in cells]
    for cell in filter(is_exercise, cells):
        cell.source = solved(
            cell.source, getattr(exercises, re.search(r"\bex\.(q\d+)\.check", cell.source)[1])
        )
    kernel_client(nbformat.v4.new_notebook(cells=cells), NOTEBOOKS).execute()
    for cell, count in zip(cells, counts, strict=True):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
    normalise(notebook)
    return notebook


def write_instructors(folder: Path) -> None:
    """Write each lesson, executed, with its solutions, and the worksheet."""
    for lesson in LISTED:
        notebook = nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4)
        exercises = exercises_module(lesson.digits)
        if exercises:
            with_solutions(notebook, exercises)
        text = nbformat.writes(notebook) + "\n"
        write_whole(folder / f"{lesson.stem}.ipynb", text.encode())


def copy_handouts(handouts: Path, target: Path) -> None:
    """Copy the handouts, learners' and instructors', each to its side.

    Raises BuildError where none are built.
    """
    for side in sorted(set(SIDES.values())):
        if not (handouts / side / "index.html").exists():
            raise BuildError(f"there are no handouts in {handouts / side}: run make handouts first")
        shutil.copytree(handouts / side, target / side / "handouts")


def date() -> int:
    """Return the date that all files bear, in seconds since 1970; raises BuildError where none is
    known.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        git = subprocess.run(
            ["git", "log", "-1", "--format=%ct"], cwd=ROOT, capture_output=True, text=True
        )
        epoch = git.stdout.strip()
    if not epoch.isdigit():
        raise BuildError(
            "set SOURCE_DATE_EPOCH, in seconds: there is no commit to take a date from"
        )
    return int(epoch)


def pip(*arguments: str | Path) -> None:
    """Run pip; raises BuildError with what it says."""
    command = [sys.executable, "-m", "pip", *map(str, arguments)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"SOURCE_DATE_EPOCH": str(date())}
    )
    if done.returncode:
        raise BuildError(
            f"pip {arguments[0]} failed: {(done.stderr or done.stdout).strip()[-2000:]}"
        )


def build_own_wheel(folder: Path) -> Path:
    """Build the course's own wheel, from a copy, so that nothing of an earlier build gets into it;
    return it.
    """
    with tempfile.TemporaryDirectory() as copy:
        for name in WHEEL_SOURCES:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(
                    source, Path(copy) / name, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copyfile(source, Path(copy) / name)
        pip("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, copy)
    [wheel] = folder.glob("hpt_helpers-*.whl")
    return wheel


def collect_wheels(wheel: Path, pip_args: Sequence[str] = ()) -> None:
    """Put beside the course's wheel those of all that it needs, in the tested versions, for
    machines like this one.
    """
    constraints = ["--constraint", ROOT / "constraints.txt"]
    pip(
        "wheel",
        "--quiet",
        "--wheel-dir",
        wheel.parent,
        *constraints,
        *pip_args,
        f"{wheel}[lab,ray]",
    )


def only_in_the_project(text: str) -> list[str]:
    """Return the paragraphs and rows that ask for a file or command of the project and do not say
    so.

    >>> only_in_the_project("Run `make lab`.\\n\\nIn the project run `make lab`.")
    ['Run `make lab`.']
    """
    pieces = re.split(r"\n\n|\n(?=\|)", text)
    return [piece for piece in pieces if OF_PROJECT.search(piece) and "project" not in piece]


def with_origin(text: str) -> str:
    """Return a page that says where it is from, if some of it can only be done there."""
    if not only_in_the_project(text):
        return text
    title, rest = text.split("\n", 1)
    return f"{title}\n\n{ORIGIN}\n{rest}"


def write_texts(target: Path, wheel: Path, complete: bool) -> None:
    """Write WORKSHOP.md, which names the wheel and what the wheels are for, the guide and what it
    links to, and the pages that lessons name.
    """
    python = platform.python_version().rsplit(".", 1)[0]
    kind = f"{platform.system()} on {platform.machine()} with Python {python}"
    note = (
        f"They are for {kind}."
        if complete
        else "This folder was made without them, but for the course's own."
    )
    shutil.copyfile(ROOT / "constraints.txt", target / "constraints.txt")
    docs = target / "instructor" / "docs"
    docs.mkdir(parents=True)
    for path in sorted(path for path in DOCS.glob("*.md") if path.name not in OF_THE_PROJECT):
        text = (
            path.read_text(encoding="utf-8")
            .replace("WHEEL_FILE", wheel.name)
            .replace("THE_WHEELS", note)
        )
        (docs / path.name).write_text(with_origin(text), encoding="utf-8")
    shutil.copyfile(docs / "WORKSHOP.md", target / "WORKSHOP.md")
    (target / "learner" / "docs").mkdir()
    for name in FOR_LEARNERS:
        shutil.copyfile(docs / name, target / "learner" / "docs" / name)


def write_zip(folder: Path) -> Path:
    """Write folder.zip, with its files in order and of one date; return it."""
    archive, at = folder.with_suffix(".zip"), time.gmtime(date())[:6]
    part = archive.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as packed:
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}", at)
            entry.external_attr = 0o644 << 16
            entry.create_system = 3  # Unix, wherever it is written
            entry.compress_type = (
                zipfile.ZIP_STORED if path.suffix in PACKED_ALREADY else zipfile.ZIP_DEFLATED
            )
            packed.writestr(entry, path.read_bytes())
    part.replace(archive)
    return archive


def build(
    target: Path = TARGET,
    *,
    handouts: Path = HANDOUTS,
    wheels: bool = False,
    pip_args: Sequence[str] = (),
) -> Path:
    """Build the folder afresh, and the zip beside it; return the zip.

    Raises BuildError with what is in the way.
    """
    shutil.rmtree(target, ignore_errors=True)
    (target / "wheels").mkdir(parents=True)
    copy_handouts(handouts, target)
    copy_lessons(NOTEBOOKS, target / "learner" / "notebooks")
    write_instructors(target / "instructor" / "notebooks")
    wheel = build_own_wheel(target / "wheels")
    if wheels:
        collect_wheels(wheel, pip_args)
    write_texts(target, wheel, wheels)
    return write_zip(target)


def main(arguments: list[str] | None = None) -> int:
    """Build what the command line asks for and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--wheels", action="store_true", help="with the wheels of all that the course needs"
    )
    parser.add_argument(
        "pip_args", nargs="*", help="after --: options for pip, such as --extra-index-url URL"
    )
    chosen = parser.parse_args(arguments)
    make_repeatable()
    try:
        archive = build(wheels=chosen.wheels, pip_args=chosen.pip_args)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    size = f"{archive.stat().st_size / 1e6:.0f} MB"
    print(f"{archive.relative_to(ROOT)}: {size}; it starts with WORKSHOP.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
