"""From a lesson's parts to one Markdown text for pandoc: what stands where on a learner's, an
instructor's, a web page.

What is not Markdown travels in fenced blocks with a class (figure, table, output), which
handouts/handout.lua renders.
"""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from collections.abc import Iterable
from functools import partial

from tools.handout_parts import Part, lesson_parts
from tools.notebooks import BuildError
from tools.vector_figures import PNG, SVG

TITLE = "Hyperparameter tuning, measured"
LEARNER, INSTRUCTOR, WEB = ROLES = ("learner", "instructor", "web")
EDITIONS = {LEARNER: "Workbook", INSTRUCTOR: "Instructor’s edition"}  # the printed ones
PAPERS = {"a4": "A4", "letter": "US letter"}
BOOK = "course"  # the file that has all lessons bound


def escaped(text: str) -> str:
    """Return plain text with `code` as Markdown that shows each character as it is.

    >>> escaped("a*b, `c*d`")
    'a\\\\*b, `c*d`'
    """
    pieces = re.split(r"(`[^`]+`)", text)
    return "".join(
        p if p.startswith("`") else re.sub(r"([\\`*_<>\[\]$#~^|{}@])", r"\\\1", p) for p in pieces
    )


def fenced(text: str, attributes: str) -> str:
    """Return text in a fence that is longer than any in it."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", text)), default=0))
    return f"{fence} {{{attributes}}}\n{text.rstrip()}\n{fence}"


def div(attributes: str, *blocks: str) -> str:
    """Return Markdown blocks in a pandoc Div; five colons hold Divs of three."""
    depth = max((len(run) for run in re.findall(r"^:::+", "\n".join(blocks), re.M)), default=2) + 1
    return "\n\n".join([f"{':' * depth} {{{attributes}}}", *blocks, ":" * depth])


def quoted(text: str) -> str:
    """Return text as the value of a pandoc attribute."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def figure_name(stem: str, part: Part, index: int) -> str:
    """Return the file name of the picture that is output number `index` of a cell."""
    return f"{stem}-{part.cell:03}-{index}.svg"


def output(stem: str, part: Part, index: int) -> str:
    """Return one output as Markdown: its picture, or else its table, or else its text; empty where
    it says nothing.

    Raises BuildError for a picture without a description, and for an output of a kind that print
    has no form for.
    """
    found = part.outputs[index]
    if found.output_type == "stream":
        return fenced(found.text, ".output") if found.text.strip() else ""
    if found.output_type == "error":
        return fenced("\n".join(found.traceback), ".output")
    text = found.data.get("text/plain", "")
    if PNG in found.data or SVG in found.data:
        # such as <Figure size 640x480 with 1 Axes>
        if not text.strip() or text.lstrip().startswith("<"):
            raise BuildError(
                f"{stem}, cell {part.cell}: its picture has no alternative text: {text!r}"
            )
        if SVG not in found.data:
            raise BuildError(f"{stem}, cell {part.cell}: its picture is not there as SVG")
        return fenced(text, f".figure src={quoted(figure_name(stem, part, index))}")
    if "<table" in found.data.get("text/html", ""):
        return fenced(
            re.sub(r"<style.*?</style>", "", found.data["text/html"], flags=re.S), ".table"
        )
    if not text:
        raise BuildError(f"{stem}, cell {part.cell}: print has no form for {sorted(found.data)}")
    return fenced(text, ".output")


def pictures(stem: str, parts: Iterable[Part]) -> dict[str, str]:
    """Return the SVG of each picture by its file name."""
    return {
        figure_name(stem, part, i): out.data[SVG]
        for part in parts
        for i, out in enumerate(part.outputs)
        if SVG in out.get("data", {})
    }


def printed(function) -> str:
    """Return what a function prints."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        function()
    return out.getvalue().strip()


def wrapped(code: str, width: int = 88) -> str:
    """Return code whose comment lines are at most so wide.

    >>> print(wrapped("x = 1\\n# one two three", 9))
    x = 1
    # one two
    # three
    """
    lines = code.splitlines()
    fill = partial(textwrap.wrap, width=width, subsequent_indent="# ")
    return "\n".join(
        new for line in lines for new in (fill(line) if line.startswith("# ") else [line])
    )


def wrong_answer(wrong) -> str:
    """Return one usual mistake as Markdown: the answer where it is short, what it reveals, what the
    learner is told.
    """
    answer = "" if callable(wrong.answer) else f"`{wrong.answer}`: "
    return f"- {answer}**{escaped(wrong.misconception)}** “{escaped(wrong.message)}”"


def solved(exercise) -> list[str]:
    """Return an exercise's solution, its hints, and the misconceptions behind wrong answers, for
    instructors.
    """
    hints = "\n".join(f"{n}. {escaped(hint)}" for n, hint in enumerate(exercise.hints, start=1))
    wrong = "\n".join(wrong_answer(wrong) for wrong in exercise.wrong)
    return [
        div(".solution", fenced(wrapped(printed(exercise.solution)), ".python")),
        div(".hints", hints),
        div(".misconceptions", wrong),
    ]


class Page:
    """One lesson as Markdown for one role, built part by part; `back` gathers what a workbook has
    at its end.
    """

    def __init__(self, stem: str, role: str, exercises: dict, clock: list | None = None):
        self.stem, self.role, self.exercises = stem, role, exercises
        self.clock = iter(clock or [])
        self.section = ""
        self.body: list[str] = []
        # results and answers, by the number of their prediction
        self.back: dict[int, list[str]] = {}
        self.asked: dict[int, str] = {}  # the section of each prediction
        self.hints: list[str] = []

    def label(self, kind: str, number: int) -> str:
        return f"{self.stem}-{kind}-{number}"

    def add(self, part: Part) -> None:
        """Put a part where it belongs."""
        getattr(self, part.kind)(part)

    def heading(self, part: Part) -> None:
        start, length = next(self.clock, (0, 0))
        if self.role == INSTRUCTOR:
            self.body.append(div(f'.minutes start="{start:.0f}" length="{length:.1f}"', ""))
        self.section = part.text.lstrip("# ")
        self.body.append(part.text)

    def text(self, part: Part) -> None:
        self.body.append(part.text)

    def box(self, part: Part) -> None:
        self.body.append(div(".boxed", part.text))

    def predict(self, part: Part) -> None:
        self.asked[part.number] = self.section
        names = f'label="{self.label("predict", part.number)}" answer="{self.label("answer", part.number)}"'
        self.body.append(div(f'.predict number="{part.number}" {names}', part.text))

    def code(self, part: Part) -> None:
        self.body.append(fenced(part.text, ".python"))
        results = list(filter(None, (output(self.stem, part, i) for i in range(len(part.outputs)))))
        if part.number and self.role == LEARNER:
            self.back.setdefault(part.number, []).extend(results)
        elif part.number and self.role == WEB and results:
            self.body.append(div('.closed title="Result"', *results))
        else:
            self.body += results

    def answer(self, part: Part) -> None:
        if self.role == LEARNER:
            self.back.setdefault(part.number, []).append(part.text)
        elif self.role == WEB:
            self.body.append(div('.closed title="What was seen"', part.text))
        else:
            self.body.append(div(".answer", part.text))

    def question(self, part: Part) -> None:
        names = f'label="{self.label("exercise", part.number)}" hints="{self.label("hints", part.number)}"'
        self.body.append(div(f'.question number="{part.number}" {names}', part.text))

    def exercise(self, part: Part) -> None:
        exercise = self.exercises[f"q{part.number}"]
        hints = "\n".join(f"{n}. {escaped(hint)}" for n, hint in enumerate(exercise.hints, start=1))
        self.body.append(fenced(part.text, ".python"))
        if self.role == INSTRUCTOR:
            self.body += solved(exercise)
        elif self.role == WEB:
            self.body.append(div(f'.closed title="Hints to exercise {part.number}"', hints))
        else:
            kind = type(exercise).__name__.lower()
            self.body.append(div(f'.room kind="{kind}"', ""))
            names = f'label="{self.label("hints", part.number)}" of="{self.label("exercise", part.number)}"'
            self.hints.append(div(f'.hints number="{part.number}" {names}', hints))

    def markdown(self) -> str:
        """Return the whole page, with a workbook's results, answers and hints at its end."""
        blocks = list(self.body)
        if self.back:
            blocks += ["```{=typst}\n#pagebreak(weak: true)\n```", "## Results and answers"]
        for number, found in self.back.items():
            names = f'label="{self.label("answer", number)}" of="{self.label("predict", number)}"'
            title = f"section={quoted(self.asked[number])}"
            blocks.append(div(f'.seen number="{number}" {title} {names}', *found))
        if self.hints:
            blocks += ["## Hints", *self.hints]
        return "\n\n".join(blocks) + "\n"


def lesson_markdown(
    stem: str, notebook, role: str, exercises: dict, clock: list | None = None
) -> str:
    """Return a lesson as one Markdown text.

    exercises: by name, q1 and so on; clock: what handout_parts.clock gives.
    """
    page = Page(stem, role, exercises, clock)
    for part in lesson_parts(notebook):
        page.add(part)
    return page.markdown()
