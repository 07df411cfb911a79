"""The learner's working copies of the lessons: `make lab`, `make reset` and `make lab-executed`.

A copy has no outputs: a prediction is worth nothing when the answer stands printed below it.
Nothing that a learner has changed is ever overwritten.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "notebooks"
COPIES = ROOT / "my_notebooks"
EXECUTED = ROOT / "build" / "executed"
# Linked from the lessons and copied beside them: JupyterLab opens nothing outside its folder.
GLOSSARY = ROOT / "docs" / "glossary.md"
LINK = "../docs/glossary.md"


def without_outputs(text: str) -> str:
    """Return a notebook's JSON text with no outputs and no execution counts."""
    notebook = json.loads(text)
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell.update(outputs=[], execution_count=None)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def write_copy(lesson: Path, copy: Path) -> None:
    """Write a lesson's copy; it appears whole or not at all, even if this is interrupted."""
    part = copy.with_suffix(".part")
    text = without_outputs(lesson.read_text(encoding="utf-8"))
    part.write_text(text.replace(LINK, GLOSSARY.name), encoding="utf-8")
    part.replace(copy)


def find_lesson(lessons: Path, prefix: str) -> Path:
    """Return the one lesson whose name starts with `prefix`, such as 02."""
    names = [path.name for path in sorted(lessons.glob("*.ipynb"))]
    matching = [name for name in names if name.startswith(prefix)]
    if not prefix or len(matching) != 1:
        raise ValueError(
            f"say which lesson, as in make reset LESSON=02; the lessons are {', '.join(names)}"
        )
    return lessons / matching[0]


def copy_lessons(lessons: Path = LESSONS, copies: Path = COPIES) -> list[Path]:
    """Copy, without outputs, each lesson that has no copy yet, and return the new copies."""
    copies.mkdir(parents=True, exist_ok=True)
    shutil.copy(GLOSSARY, copies)
    new = []
    for lesson in sorted(lessons.glob("*.ipynb")):
        copy = copies / lesson.name
        if not copy.exists():
            write_copy(lesson, copy)
            new.append(copy)
    return new


def backup_name(copy: Path) -> Path:
    """Return the first free name of copy.bak, copy.bak2, copy.bak3 and so on."""
    backup, n = copy.with_name(copy.name + ".bak"), 1
    while backup.exists():
        n += 1
        backup = copy.with_name(f"{copy.name}.bak{n}")
    return backup


def reset_lesson(
    prefix: str, lessons: Path = LESSONS, copies: Path = COPIES
) -> tuple[Path, Path | None]:
    """Give one lesson a fresh copy.

    Return it, and the backup of the old one (None if there was none).
    """
    lesson = find_lesson(lessons, prefix)
    copies.mkdir(parents=True, exist_ok=True)
    copy, backup = copies / lesson.name, None
    if copy.exists():
        backup = backup_name(copy)
        copy.replace(backup)
    write_copy(lesson, copy)
    return copy, backup


def copy_executed(lessons: Path = LESSONS, executed: Path = EXECUTED) -> list[Path]:
    """Copy the executed lessons, afresh each time, so that looking at them cannot change the
    originals.
    """
    shutil.rmtree(executed, ignore_errors=True)
    executed.mkdir(parents=True)
    shutil.copy(GLOSSARY, executed)
    copies = [Path(shutil.copy(lesson, executed)) for lesson in sorted(lessons.glob("*.ipynb"))]
    for copy in copies:
        copy.write_text(
            copy.read_text(encoding="utf-8").replace(LINK, GLOSSARY.name), encoding="utf-8"
        )
    return copies


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", choices=["copy", "reset", "executed"])
    parser.add_argument(
        "lesson", nargs="?", default="", help="for reset: the start of its name, such as 02"
    )
    chosen = parser.parse_args(arguments)
    if chosen.command == "copy":
        print(f"my_notebooks: {len(copy_lessons())} new; what was there is as you left it")
    elif chosen.command == "executed":
        copy_executed()
        print("The executed lessons, to look at: changes to them are not kept.")
    else:
        try:
            copy, backup = reset_lesson(chosen.lesson)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        kept = f"; yours is kept as {backup.name}" if backup else ""
        print(f"{copy.relative_to(ROOT)} is fresh{kept}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
