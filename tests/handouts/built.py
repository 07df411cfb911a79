"""Where the handouts lie, and one PDF as its tests read it."""

from functools import cached_property
from pathlib import Path

from pypdf import PdfReader

from hpt_helpers.classroom.lessons import COURSE

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "build" / "handouts"
PAGES = BUILT / "learner"  # what may be published: the web pages, and learners' PDFs
LESSONS = {lesson.stem: ROOT / "notebooks" / f"{lesson.stem}.ipynb" for lesson in COURSE}


class Pdf:
    """One PDF: its pages' texts, and pypdf's reader."""

    def __init__(self, path: Path):
        self.path, self.reader = path, PdfReader(path)

    @cached_property
    def pages(self) -> list[str]:
        return [page.extract_text() for page in self.reader.pages]
