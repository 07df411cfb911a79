"""A lesson cut into parts, as a printed page needs them: which text is a prediction, an answer, an
exercise.

It goes by structure alone, the one that tests/test_lesson_shape.py holds the lessons to: a
paragraph that starts with **Predict**, its code cell, and then a closed <details>; an exercise is
the text from **1.** on and the cell that checks it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import nbformat

from tools.lesson_minutes import FURTHER, PREDICTION, is_exercise

# What only a screen has: a class that a lesson's author writes, and what speaks of a slider.
SCREEN_ONLY = re.compile(r'<span class="screen">.*?</span>', re.S)
MOVES = re.compile(r"\b(?:move|drag)\s+(?:the|a)\s+slider", re.I)
# The sentence after it, where it says what to do without a slider, or what is to be seen now.
GOES_ON = re.compile(r"\s*Elsewhere\b|.*\bnow\b", re.S)
SENTENCES = re.compile(r"(?:(?<=[.?!])|(?<=[.?!]\))|(?<=[.?!]\*\*))(?=\s)")
FENCE = re.compile(r"^(```+|~~~+)")
DETAILS = re.compile(r"<details>\s*<summary>(.*?)</summary>\s*")
NUMBERED = re.compile(r"\*\*\d+\.\*\*")


@dataclass
class Part:
    """A piece of a lesson. kind: heading, text, predict, answer, box, question, exercise or code.

    text: Markdown, or the code of a cell. number: of the prediction (also of its code and answer),
    or the exercise.
    """

    kind: str
    text: str
    number: int = 0
    outputs: list = field(default_factory=list)
    cell: int = 0  # which cell of the notebook, to name what it draws


def blocks(source: str) -> list[str]:
    """Return the blocks of a Markdown text that blank lines divide; a heading is a block, a fence
    is never cut.

    >>> blocks("# A\\ntext\\n\\n```\\nx\\n\\ny\\n```")
    ['# A', 'text', '```\\nx\\n\\ny\\n```']
    """
    found, current, fence = [], [], ""
    for line in [*source.splitlines(), ""]:
        mark = FENCE.match(line)
        if not fence and (line.startswith("#") or not line.strip()):
            found += ["\n".join(current)] if current else []
            found += [line] if line.startswith("#") else []
            current = []
            continue
        if mark:
            fence = "" if fence and line.startswith(fence) else fence or mark[1]
        current.append(line)
    return [*found, *(["\n".join(current)] if current else [])]


def text_parts(source: str) -> list[Part]:
    """Return the parts of one text cell; raises ValueError where a <details> or <div> is not closed
    in it.
    """
    parts, waiting = [], blocks(source)
    while waiting:
        block = waiting.pop(0)
        opened = re.match(r"<(details|div)\b", block)
        if opened:
            end = f"</{opened[1]}>"
            if end not in waiting:
                raise ValueError(f"no line {end} after {block!r}")
            inner = waiting[: waiting.index(end)]
            del waiting[: len(inner) + 1]
            first = (
                DETAILS.sub("", block)
                if opened[1] == "details"
                else re.sub(r"^<div[^>]*>\s*", "", block)
            )
            kind = "answer" if opened[1] == "details" else "box"
            parts.append(Part(kind, "\n\n".join(filter(None, [first, *inner]))))
        elif block.startswith("#"):
            parts.append(Part("heading", block))
        elif block.startswith(PREDICTION):
            parts.append(Part("predict", block))
        elif parts and parts[-1].kind == "text" and not NUMBERED.match(block):
            parts[-1].text += f"\n\n{block}"
        else:
            parts.append(Part("text", block))
    return parts


def without_sliders(paragraph: str) -> str:
    """Return a paragraph without the sentences that tell to move a slider, which print has not.

    >>> without_sliders("How many? Move the slider to 3. It is less now. Why?")
    'How many? Why?'
    >>> without_sliders("The slider shows the band, even as on the slider.")
    'The figure shows the band, even.'
    """
    kept, gone = [], False
    for sentence in SENTENCES.split(paragraph):
        gone = bool(MOVES.search(sentence) or (gone and GOES_ON.match(sentence)))
        kept += [] if gone else [sentence]
    text = "".join(kept).lstrip() if MOVES.search(paragraph) else paragraph
    text = re.sub(r",?\s+as\s+on\s+the\s+slider\b", "", text)
    return re.sub(r"\b([Tt]he)\s+slider\s+shows\b", r"\1 figure shows", text)


def for_print(source: str) -> str:
    """Return a text without what only a screen has; its blank lines stay."""
    paragraphs = re.split(r"(\n\s*\n)", SCREEN_ONLY.sub("", source))
    return "".join(map(without_sliders, paragraphs))


def question_start(parts: list[Part]) -> int:
    """Return where the question of the exercise that follows these parts starts: at **1.**, or else
    at the last text.

    Raises ValueError where no text stands before the exercise.
    """
    start = len(parts)
    while start and parts[start - 1].kind == "text":
        start -= 1
        if NUMBERED.match(parts[start].text):
            return start
    if start == len(parts):
        raise ValueError(
            f"an exercise without a question, after {parts[-1].text if parts else 'nothing'!r}"
        )
    return start


def on_paper(notebook: nbformat.NotebookNode) -> list[tuple[int, nbformat.NotebookNode]]:
    """Return the cells that mean something without a kernel, each with its number.

    "q1: not attempted" does not, nor the line of text that asks how far you got.
    """
    found = []
    for index, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and re.fullmatch(r"\w+\.progress\(\)", cell.source.strip()):
            before = found[-1][1] if found else cell
            asks = len(blocks(before.source)) == 1 and before.source.strip().endswith("?")
            if before.cell_type == "markdown" and asks:
                found.pop()
            continue
        found.append((index, cell))
    return found


def lesson_parts(notebook: nbformat.NotebookNode) -> list[Part]:
    """Return all parts of a lesson in order, with predictions and exercises numbered."""
    parts, n_predictions, pending = [], 0, 0
    for index, cell in on_paper(notebook):
        if cell.cell_type != "code":
            found = text_parts(for_print(cell.source))
        elif is_exercise(cell):
            number = int(re.search(r"\bq(\d+)\.check\(", cell.source)[1])
            found = [Part("exercise", cell.source, number)]
            asked = question_start(parts)
            parts[asked:] = [
                Part("question", "\n\n".join(part.text for part in parts[asked:]), number)
            ]
        else:
            found = (
                [Part("code", cell.source, pending, cell.get("outputs", []))]
                if cell.source.strip()
                else []
            )
            pending = 0
        for part in found:
            part.cell = index
            if part.kind == "predict":
                n_predictions += 1
                pending = part.number = n_predictions
            elif part.kind == "answer":
                part.number = n_predictions
        parts += found
    return parts


def core_only(parts: list[Part]) -> list[Part]:
    """Return the parts of a lesson before "Going further"."""
    headings = (
        i for i, part in enumerate(parts) if part.kind == "heading" and part.text == FURTHER
    )
    return parts[: next(headings, len(parts))]
