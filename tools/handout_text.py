"""From a lesson's parts to one Markdown text for pandoc: what stands where in which edition.

What is not Markdown travels in fenced blocks with a class (figure, table, output), which
handouts/handout.lua renders.
"""

from __future__ import annotations

import contextlib
import io
import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial

from tools.handout_parts import Part, blocks, core_only, lesson_parts
from tools.notebooks import BuildError
from tools.vector_figures import PNG, SVG

TITLE = "Hyperparameter tuning, measured"
LEARNER, CORE, INSTRUCTOR, KEY, WEB = ROLES = ("learner", "core", "instructor", "key", "web")
# The printed ones.
EDITIONS = {
    LEARNER: "Workbook",
    CORE: "Workbook, core path",
    INSTRUCTOR: "Instructor’s edition",
    KEY: "Answer key",
}
WORKBOOKS = (LEARNER, CORE)
# In which of two folders an edition lies: what learners get may be published, solutions not.
SIDES = {LEARNER: "learner", CORE: "learner", WEB: "learner"} | dict.fromkeys(
    (INSTRUCTOR, KEY), "instructor"
)
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


def output(stem: str, part: Part, index: int, name: str) -> str:
    """Return one output as Markdown: its picture, or else its table, or else its text.

    name: what it is, for those who hear the page, such as "Result of prediction 3". Empty where the
    output says nothing. Raises BuildError for a picture without a description, and for an output of
    a kind that print has no form for.
    """
    found, called = part.outputs[index], f"name={quoted(name)}"
    if found.output_type == "stream":
        return fenced(found.text, f".output {called}") if found.text.strip() else ""
    if found.output_type == "error":
        return fenced("\n".join(found.traceback), f".output {called}")
    text = found.data.get("text/plain", "")
    if PNG in found.data or SVG in found.data:
        return figure(stem, part, index, text, called)
    if "<table" in found.data.get("text/html", ""):
        html = re.sub(r"<style.*?</style>", "", found.data["text/html"], flags=re.S)
        return fenced(html, f".table {called}")
    if not text:
        raise BuildError(f"{stem}, cell {part.cell}: print has no form for {sorted(found.data)}")
    return fenced(text, f".output {called}")


def figure(stem: str, part: Part, index: int, text: str, called: str) -> str:
    """Return one picture as Markdown, described by its text."""
    # Without a description matplotlib says something like <Figure size 640x480 with 1 Axes>.
    if not text.strip() or text.lstrip().startswith("<"):
        raise BuildError(f"{stem}, cell {part.cell}: its picture has no alternative text: {text!r}")
    if SVG not in part.outputs[index].data:
        raise BuildError(f"{stem}, cell {part.cell}: its picture is not there as SVG")
    return fenced(text, f".figure src={quoted(figure_name(stem, part, index))} {called}")


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


def solution(exercise) -> str:
    """Return an exercise's solution as Markdown: code that runs."""
    return div(".solution", fenced(wrapped(printed(exercise.solution)), ".python"))


def solved(exercise) -> list[str]:
    """Return, for instructors, a solution, the hints, and what is behind wrong answers."""
    hints = "\n".join(f"{n}. {escaped(hint)}" for n, hint in enumerate(exercise.hints, start=1))
    wrong = "\n".join(wrong_answer(wrong) for wrong in exercise.wrong)
    return [
        solution(exercise),
        div(".hints", hints),
        div(".misconceptions", wrong),
    ]


class Page:
    """One lesson as Markdown for one role, built part by part.

    `back` gathers what a workbook has at its end. plan: when a class is to be where, by heading.
    """

    def __init__(self, stem: str, role: str, exercises: dict, plan: Mapping[str, tuple[int, int]]):
        self.stem, self.role, self.exercises, self.plan = stem, role, exercises, plan
        self.section = ""
        self.body: list[str] = []
        # results and answers, by the number of their prediction
        self.back: dict[int, list[str]] = {}
        self.asked: dict[int, str] = {}  # the section of each prediction
        self.hints: list[str] = []
        self.names: Counter[str] = Counter()

    def named(self, text: str) -> str:
        """Return a name that no other thing on this page has: the second one is numbered."""
        self.names[text] += 1
        return text if self.names[text] == 1 else f"{text}, {self.names[text]}"

    def label(self, kind: str, number: int) -> str:
        return f"{self.stem}-{kind}-{number}"

    def add(self, part: Part) -> None:
        """Put a part where it belongs."""
        getattr(self, part.kind)(part)

    def heading(self, part: Part) -> None:
        self.section = part.text.lstrip("# ")
        if self.role == INSTRUCTOR and self.section in self.plan:
            start, end = self.plan[self.section]
            self.body.append(div(f'.minutes start="{start}" end="{end}"', ""))
        self.body.append(part.text)

    def text(self, part: Part) -> None:
        self.body.append(part.text)

    def box(self, part: Part) -> None:
        self.body.append(div(".boxed", part.text))

    def lead(self) -> None:
        """Keep the last paragraph, if it is one, on the page of what follows."""
        if self.body and not self.body[-1].startswith((":::", "#", "```")):
            *before, last = blocks(self.body.pop())
            self.body += [*(["\n\n".join(before)] if before else []), div(".lead", last)]

    def predict(self, part: Part) -> None:
        self.asked[part.number] = self.section
        self.lead()
        label, answer = (self.label(kind, part.number) for kind in ("predict", "answer"))
        names = f'label="{label}" answer="{answer}"'
        self.body.append(div(f'.predict number="{part.number}" {names}', part.text))

    def code(self, part: Part) -> None:
        of = f"prediction {part.number}" if part.number else f"“{self.section}”"
        name = self.named(f"Code of {of}")
        self.body.append(fenced(part.text, f".python name={quoted(name)}"))
        found = [
            output(self.stem, part, i, self.named(f"Result of {of}"))
            for i in range(len(part.outputs))
        ]
        results = list(filter(None, found))
        if part.number and self.role in WORKBOOKS:
            self.back.setdefault(part.number, []).extend(results)
        elif part.number and self.role == WEB and results:
            title = f"Result of prediction {part.number}"
            self.body.append(div(f".closed title={quoted(title)}", *results))
        else:
            self.body += results

    def answer(self, part: Part) -> None:
        if self.role in WORKBOOKS:
            self.back.setdefault(part.number, []).append(part.text)
        elif self.role == WEB:
            title = f"What was seen: prediction {part.number}"
            self.body.append(div(f".closed title={quoted(title)}", part.text))
        else:
            self.body.append(div(".answer", part.text))

    def question(self, part: Part) -> None:
        label, hints = (self.label(kind, part.number) for kind in ("exercise", "hints"))
        names = f'label="{label}" hints="{hints}"'
        self.body.append(div(f'.question number="{part.number}" {names}', part.text))

    def exercise(self, part: Part) -> None:
        exercise = self.exercises[f"q{part.number}"]
        hints = "\n".join(f"{n}. {escaped(hint)}" for n, hint in enumerate(exercise.hints, start=1))
        name = quoted(f"Where exercise {part.number} is answered")
        # a workbook's lines to write on stay on the page of the exercise
        kept = " sticky=yes" if self.role in WORKBOOKS else ""
        self.body.append(fenced(part.text, f".python name={name}{kept}"))
        if self.role == INSTRUCTOR:
            self.body += solved(exercise)
        elif self.role == WEB:
            self.body.append(div(f'.closed title="Hints to exercise {part.number}"', hints))
        else:
            kind = type(exercise).__name__.lower()
            self.body.append(div(f'.room kind="{kind}"', ""))
            label, of = (self.label(kind, part.number) for kind in ("hints", "exercise"))
            names = f'label="{label}" of="{of}"'
            self.hints.append(div(f'.hints number="{part.number}" {names}', hints))

    def markdown(self) -> str:
        """Return the whole page, with a workbook's results, answers and hints at its end."""
        found = list(self.body)
        if self.back:
            found += ["```{=typst}\n#new-part\n```", "## Results and answers"]
        for number, seen in self.back.items():
            label, of = (self.label(kind, number) for kind in ("answer", "predict"))
            title = f"section={quoted(self.asked[number])}"
            names = f'number="{number}" {title} label="{label}" of="{of}"'
            found.append(div(f".seen {names}", *seen))
        if self.hints:
            found += ["## Hints", *self.hints]
        return "\n\n".join(found) + "\n"


def answer_key(title: str, parts: Iterable[Part], exercises: dict) -> str:
    """Return the answers to a lesson's exercises as one Markdown text: solution, and why.

    title: the lesson's. A lesson without exercises says so.
    """
    found = [f"# Answers: {title}"]
    for part in parts:
        if part.kind == "question":
            exercise = exercises[f"q{part.number}"]
            words = re.sub(r"^\d+\. ", "", plain_words(part.text))
            asked = div(".asked", textwrap.shorten(words, 160, placeholder=" …"))
            found += [f"## Exercise {part.number}", asked, solution(exercise)]
            if exercise.praise not in printed(exercise.solution):
                found.append(escaped(exercise.praise[:1].upper() + exercise.praise[1:]))
    return "\n\n".join(found if len(found) > 1 else [*found, "It has no exercises."]) + "\n"


def plain_words(markdown: str) -> str:
    """Return a text of Markdown without its marks, on one line, escaped.

    >>> plain_words("**1.** Write `f(x)`, of\\n[two](#there) values.")
    '1. Write `f(x)`, of two values.'
    """
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    return escaped(" ".join(text.replace("**", "").split()))


def lesson_markdown(
    stem: str,
    notebook,
    role: str,
    exercises: dict,
    plan: Mapping[str, tuple[int, int]] | None = None,
) -> str:
    """Return a lesson as one Markdown text.

    exercises: by name, q1 and so on. plan: for an instructor, the first and the last minute of each
    heading.
    """
    parts = lesson_parts(notebook)
    if role == KEY:
        return answer_key(parts[0].text.lstrip("# "), parts, exercises)
    page = Page(stem, role, exercises, plan or {})
    for part in core_only(parts) if role == CORE else parts:
        page.add(part)
    return page.markdown()
