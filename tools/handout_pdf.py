"""The PDFs of the handouts: each lesson and all in one book, in four editions, on two papers."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import NamedTuple

import typst

from tools.handout_text import BOOK, CORE, EDITIONS, LEARNER, SIDES, WORKBOOKS
from tools.notebooks import BuildError
from tools.row_headings import headed, with_row_headings

ROOT = Path(__file__).resolve().parents[1]
IMPORT = '#import "/handouts/handout.typ": *\n'


class Job(NamedTuple):
    """One PDF: stems are the texts that it includes, in order; book says whether they are bound."""

    title: str
    stems: tuple[str, ...]
    role: str
    paper: str
    book: bool = False

    @property
    def name(self) -> str:
        return BOOK if self.book else self.stems[0]


def fragment(stem: str, body: str) -> str:
    """Return a lesson's typst text as a file that another one includes."""
    return f'{IMPORT}#lesson-name.update("{stem}")\n{body}'


def front_matter(role: str, date: datetime.date, version: str) -> str:
    """Return the book's title page and its contents."""
    return f"#title-page(edition: {json.dumps(EDITIONS[role], ensure_ascii=False)}, " + (
        f'date: "{date:%-d %B %Y}", version: "{version}")\n#contents()\n'
    )


def document(job: Job, date: datetime.date, version: str) -> str:
    """Return the typst text of one PDF."""
    title = f"{job.title} ({EDITIONS[job.role]})"
    day = f"year: {date.year}, month: {date.month}, day: {date.day}"
    setup = f"title: {json.dumps(title, ensure_ascii=False)}, {day}"
    parts = [IMPORT, f"#show: handout.with({setup})\n"]
    parts += [front_matter(job.role, date, version)] if job.book else []
    parts += [f'#include "{stem}.{job.role}.typ"\n' for stem in job.stems]
    return "".join(parts)


def pdf_path(target: Path, paper: str, role: str, name: str) -> Path:
    """Return where a PDF lies: learners' and instructors' editions are in folders of their own."""
    return target / SIDES[role] / paper / role / f"{name}.pdf"


def compile_pdf(job: Job, *, work: Path, target: Path, date: datetime.date, version: str) -> Path:
    """Write one PDF below `target` and return its path; work holds the texts that it includes, and
    figures/.

    The PDF conforms to PDF/UA-1, which typst checks. Raises BuildError for what typst rejects or
    warns of.
    """
    source = work / f"{job.name}.{job.role}.{job.paper}.main.typ"
    source.write_text(document(job, date, version), encoding="utf-8")
    figures = "/" + (work / "figures").relative_to(ROOT).as_posix() + "/"
    inputs = {
        "paper": job.paper,
        "role": LEARNER if job.role in WORKBOOKS else job.role,
        "edition": EDITIONS[job.role],
        "whole": "no" if job.role == CORE else "yes",
        "figures": figures,
        "book": "yes" if job.book else "no",
    }
    pdf = pdf_path(target, job.paper, job.role, job.name)
    pdf.parent.mkdir(parents=True, exist_ok=True)
    try:
        content, warnings = typst.compile_with_warnings(
            str(source),
            root=str(ROOT),
            ignore_system_fonts=True,  # typst's own fonts, the same on every machine
            sys_inputs=inputs | {"stem": "" if job.book else job.stems[0]},
            pdf_standards=["ua-1"],
            timestamp=int(
                datetime.datetime.combine(date, datetime.time(), datetime.UTC).timestamp()
            ),
        )
    except typst.TypstError as error:
        raise BuildError(
            f"{pdf.name}, {job.role}, {job.paper}: {error.message} {error.hints} {error.trace}"
        ) from None
    if warnings:
        raise BuildError(
            f"{pdf.name}, {job.role}, {job.paper}: {[warning.message for warning in warnings]}"
        )
    texts = [(work / f"{stem}.{job.role}.typ").read_text(encoding="utf-8") for stem in job.stems]
    pdf.write_bytes(with_row_headings(content, headed("".join(texts))))
    return pdf
