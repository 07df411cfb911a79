"""Build the handouts, PDF and HTML, from the executed lessons: `make handouts`.

They go to build/handouts: `learner` can be published as a site, `instructor` has the solutions. A
lesson becomes one Markdown text for each role (handout_text.py), pandoc makes typst or HTML of it
(handouts/handout.lua), typst the PDFs (handout_pdf.py). Two builds give the same files, byte for
byte: dates are those of SOURCE_DATE_EPOCH or else of the last commit.
"""

from __future__ import annotations

import argparse
import datetime
import io
import os
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import NamedTuple

import nbformat
import pypandoc

from hpt_helpers.classroom.exercises.answer_key import exercises_module
from hpt_helpers.classroom.lessons import COURSE
from tools.guide_tables import GUIDE, plan
from tools.handout_parts import lesson_parts
from tools.handout_pdf import ROOT, Job, compile_pdf, fragment
from tools.handout_text import (
    EDITIONS,
    INSTRUCTOR,
    KEY,
    PAPERS,
    ROLES,
    SIDES,
    TITLE,
    WEB,
    fenced,
    lesson_markdown,
    pictures,
)
from tools.handout_web import index_page, instructors_page, lesson_page
from tools.lesson_minutes import Minutes, time_of
from tools.my_notebooks import copy_lessons
from tools.notebooks import BuildError
from tools.repeatable import make_repeatable
from tools.vector_figures import NOTEBOOKS, in_turn, lessons_with_vectors

TARGET = ROOT / "build" / "handouts"
FILTER = ROOT / "handouts" / "handout.lua"
GLOSSARY = ROOT / "docs" / "glossary.md"
READER = "commonmark_x-fancy_lists-subscript-superscript-emoji"
PLAN = "75 minutes"  # the column of the guide's plans that the instructor's edition prints
APPENDICES = {"guide": "Which search, then? A decision guide", "glossary": "Glossary"}


class Text(NamedTuple):
    """What pandoc is asked for: a page's Markdown for one role."""

    stem: str
    role: str
    markdown: str


def build_date() -> datetime.date:
    """Return the date that the handouts bear; raises BuildError where neither the variable nor git
    knows one.
    """
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not epoch:
        # In a container the checkout may be another user's, which git trusts only when told to.
        command = ["git", "-c", "safe.directory=*", "log", "-1", "--format=%ct"]
        git = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        epoch = git.stdout.strip()
    if not epoch.isdigit():
        raise BuildError(
            "set SOURCE_DATE_EPOCH, in seconds: there is no commit to take a date from"
        )
    return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC).date()


def version() -> str:
    """Return the course's version, as pyproject.toml has it."""
    import tomllib

    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["version"]


def converted(text: Text) -> str:
    """Return a page as HTML or typst.

    Raises BuildError for what pandoc warns of, such as an unknown TeX command.
    """
    command = [pypandoc.get_pandoc_path(), "--mathml", "--fail-if-warnings"]
    command += ["--from", READER, "--to", "html5" if text.role == WEB else "typst"]
    command += ["--lua-filter", str(FILTER), "--metadata", f"stem={text.stem}"]
    done = subprocess.run(
        command, input=text.markdown, capture_output=True, text=True, encoding="utf-8"
    )
    if done.returncode:
        raise BuildError(f"{text.stem}, {text.role}: pandoc says {done.stderr.strip()}")
    return done.stdout


def exercises_of(stem: str) -> dict:
    """Return a lesson's exercises by name; none where it has no module of them."""
    module = exercises_module(stem[:2])
    return vars(module) if module else {}


def guide_picture() -> tuple[str, str]:
    """Return the decision guide as SVG, and in words."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    from hpt_helpers.classroom.lesson_05 import figures

    with mpl.rc_context({"svg.hashsalt": "hpt"}):
        ax, buffer = figures.guide(), io.StringIO()
        ax.figure.savefig(buffer, format="svg", bbox_inches="tight", metadata={"Date": None})
        plt.close(ax.figure)
    return buffer.getvalue(), ax.alt_text


def appendices() -> tuple[dict[str, str], dict[str, str]]:
    """Return the guide's and the glossary's Markdown, and their figures."""
    from hpt_helpers.classroom.lesson_05.guide import HERE, as_text

    svg, words = guide_picture()
    branches = as_text().replace("](#", f"]({HERE}.ipynb#")
    guide = f"# {APPENDICES['guide']}\n\n{fenced(words, '.figure src=guide.svg')}\n\n{branches}\n"
    return {"guide": guide, "glossary": GLOSSARY.read_text(encoding="utf-8")}, {"guide.svg": svg}


def plan_of(stem: str) -> dict[str, tuple[int, int]]:
    """Return the guide's minutes of each heading of a lesson; the start page has no plan."""
    number = int(stem[:2])
    return plan(GUIDE.read_text(encoding="utf-8"), number, PLAN) if number else {}


def lesson_texts(lessons: dict[str, nbformat.NotebookNode]) -> list[Text]:
    """Return each lesson's Markdown for each role."""
    return [
        Text(stem, role, lesson_markdown(stem, notebook, role, exercises_of(stem), plan_of(stem)))
        for stem, notebook in lessons.items()
        for role in ROLES
    ]


class Course(NamedTuple):
    """What all handouts are made from.

    pages: what pandoc made, by stem and role; titles: by stem, in the book's order.

    figures: SVG by file name. times: a text for each lesson, by stem; the guide and the glossary
    have none.
    """

    pages: dict[tuple[str, str], str]
    titles: dict[str, str]
    figures: dict[str, str]
    times: dict[str, str]


def read_course(at_once: int) -> Course:
    """Read all lessons and appendices, and have pandoc convert them."""
    stored = [NOTEBOOKS / f"{lesson.stem}.ipynb" for lesson in COURSE]
    kept = lessons_with_vectors(stored, at_once=at_once)
    lessons = {path.stem.rsplit("-", 1)[0]: nbformat.read(path, as_version=4) for path in kept}
    extra, figures = appendices()
    for stem, notebook in lessons.items():
        figures |= pictures(stem, lesson_parts(notebook))
    texts = lesson_texts(lessons) + [
        Text(stem, role, text) for stem, text in extra.items() for role in ROLES if role != KEY
    ]
    found = in_turn(converted, texts, at_once)
    titles = {
        stem: notebook.cells[0].source.splitlines()[0].lstrip("# ")
        for stem, notebook in lessons.items()
    }
    return Course(
        pages={(text.stem, text.role): body for text, body in zip(texts, found, strict=True)},
        titles=titles | APPENDICES,
        figures=figures,
        times={stem: in_sentence(time_of(notebook)) for stem, notebook in lessons.items()},
    )


def write_sources(course: Course, work: Path) -> None:
    """Write what the PDFs include: each page's typst text, and the figures."""
    (work / "figures").mkdir(parents=True)
    for name, svg in course.figures.items():
        (work / "figures" / name).write_text(svg, encoding="utf-8")
    for (stem, role), body in course.pages.items():
        if role in EDITIONS:
            (work / f"{stem}.{role}.typ").write_text(fragment(stem, body), encoding="utf-8")


def bound(course: Course, role: str) -> tuple[str, ...]:
    """Return what one edition's book binds: the answer key has no lesson without exercises."""
    if role == KEY:
        return tuple(stem for stem in course.times if exercises_of(stem))
    return tuple(course.titles)


def jobs(course: Course) -> list[Job]:
    """Return all PDFs: the book, then each lesson, in each edition on each paper."""
    found = []
    for role in EDITIONS:
        stems = bound(course, role)
        for paper in PAPERS:
            found.append(Job(TITLE, stems, role, paper, book=True))
            lessons = (stem for stem in stems if stem in course.times)
            found += [Job(course.titles[stem], (stem,), role, paper) for stem in lessons]
    return sorted(found, key=lambda job: not job.book)  # the books take longest


def write_pages(course: Course, target: Path) -> None:
    """Write all web pages, and beside learners' the notebooks that they lead to."""
    learners, instructors = (target / SIDES[role] for role in (WEB, INSTRUCTOR))
    for folder in (learners, instructors):
        folder.mkdir(parents=True)
    for stem in course.titles:
        runs = stem in course.times
        page = lesson_page(stem, course.pages[stem, WEB], course.figures, course.titles, runs)
        (learners / f"{stem}.html").write_text(page, encoding="utf-8")
    pdfs = {(job.role, job.name) for job in jobs(course)}
    for folder, index in ((learners, index_page), (instructors, instructors_page)):
        page = index(course.titles, course.times, pdfs)
        (folder / "index.html").write_text(page, encoding="utf-8")
    copy_lessons(NOTEBOOKS, learners / "notebooks")


def in_sentence(time: Minutes) -> str:
    """Return how long a lesson takes, in words.

    >>> in_sentence(Minutes(55, 18, 20))
    '55 minutes, 18 more for exercises and 20 more to go further'
    """
    more = [f"{time.exercises} more for exercises"] * bool(time.exercises)
    more += [f"{time.further} more to go further"] * bool(time.further)
    return f"{time.core} minutes" + (", " if more else "") + " and ".join(more)


def build(at_once: int = 2, target: Path = TARGET) -> None:
    """Build all handouts afresh; figures are drawn only where something has changed."""
    course, work = read_course(at_once), target.with_name(f"{target.name}-work")
    for folder in (target, work):
        shutil.rmtree(folder, ignore_errors=True)
    write_pages(course, target)
    write_sources(course, work)
    write = partial(compile_pdf, work=work, target=target, date=build_date(), version=version())
    pdfs = in_turn(write, jobs(course), at_once)
    print(
        f"{target.relative_to(ROOT)}: {len(course.titles)} web pages and {len(pdfs)} PDFs, for "
        "learners and for instructors; start at the index.html of each"
    )


def main(arguments: list[str] | None = None) -> int:
    """Build everything and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--at-once", type=int, default=2, help="how many processes work at once (default 2)"
    )
    chosen = parser.parse_args(arguments)
    make_repeatable()
    try:
        build(chosen.at_once)
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
