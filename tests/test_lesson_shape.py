"""Lessons keep their shape: a prediction, its cell, and an answer that stays closed at first."""

import re

import nbformat
import nbformat.v4 as nb
import pytest

from hpt_helpers.classroom.lessons import LESSONS
from tools.lesson_minutes import NOTEBOOKS, PREDICTION, load, split

MAX_WIDTH = 100
MIN_EXERCISES = 3
ANSWER = "<details><summary>What was seen</summary>"
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?!\w|\.\d)")
COUNT = re.compile(r"\b(\d+) of (?:the )?\d+\b")
PAIR = re.compile(r"(?<![\w.*])(\d+) (?::|to) (\d+)(?!\.?\d|%)\b")


def faults(notebook):
    """Return what is wrong with a lesson's shape, as a list of texts: empty for one in shape."""
    core, further = split(notebook)
    return [
        *of_the_core(core),
        *of_answers(core),
        *of_answers(further),
        *of_cells([*core, *further]),
        *of_quoted_numbers([*core, *further]),
    ]


def of_the_core(cells):
    part = load(cells)
    if part.exercises < MIN_EXERCISES:
        yield f"the core path has {part.exercises} exercises, and not {MIN_EXERCISES} or more"


def of_answers(cells):
    """Each prediction: text, then its code cell, then text that has the closed answer before any
    new prediction.
    """
    for i, cell in enumerate(cells):
        if cell.cell_type != "markdown":
            continue
        text, name = cell.source, repr(cell.source[:60])
        asked = i >= 2 and PREDICTION in cells[i - 2].source and cells[i - 1].cell_type == "code"
        answers = text.count("<details")
        if answers != asked:
            yield f"{answers} answers instead of {int(asked)} in {name}"
        if text.count(PREDICTION) > 1:
            yield f"two predictions before one cell in {name}"
        if PREDICTION in text and [c.cell_type for c in cells[i + 1 : i + 3]] != [
            "code",
            "markdown",
        ]:
            yield f"a prediction without a code cell and text after it in {name}"
        if answers and not (text.startswith("<details") and text.endswith("</details>")):
            yield f"an answer that shares its cell with other text in {name}"
        if len(re.findall(rf"^{ANSWER}\n\n", text, flags=re.M)) != answers:
            yield f"no {ANSWER} on a line of its own with a blank line after it in {name}"
        if len(re.findall(r"\n\n</details>(?:\n\n|\n?$)", text)) != answers:
            yield f"no </details> between blank lines in {name}"


def of_quoted_numbers(cells):
    """Each decimal number, each "k of n" and each "k : n" or "k to n" that an answer quotes was
    shown above it.

    Shown: in an output, in code, or in text that is no answer. A number is also shown by a longer
    one of which it is the rounded form.
    """
    shown, counts = set(), set()
    for cell in cells:
        if cell.source.startswith("<details"):
            text = re.sub(r"\$[^$]*\$", "", cell.source)
            for number in NUMBER.findall(text):
                n_digits = len(number.partition(".")[2])
                if not any(abs(float(number) - value) <= 0.5001 * 10**-n_digits for value in shown):
                    yield f"{number} is shown nowhere above {cell.source[:120]!r}"
            pairs = [count for pair in PAIR.findall(text) for count in pair]
            for count in [*COUNT.findall(text), *pairs]:
                if int(count) not in counts:
                    yield f"the count {count} is shown nowhere above {cell.source[:120]!r}"
            continue
        texts = [cell.source, *(_text_of(output) for output in cell.get("outputs", []))]
        for text in texts:
            numbers = re.findall(r"(?<![\w.])\d*\.?\d+(?:e-?\d+)?", text.replace(",", ""))
            shown |= set(map(float, numbers))
            counts |= {int(float(n)) for n in numbers if float(n).is_integer()}


def _text_of(output) -> str:
    return output.get("text", "") or output.get("data", {}).get("text/plain", "")


def of_cells(cells):
    for cell in cells:
        if cell.cell_type != "code":
            continue
        width = max(map(len, cell.source.splitlines()), default=0)
        if width > MAX_WIDTH:
            yield f"a line of {width} characters in {cell.source[:60]!r}"


def test_the_lessons_keep_their_shape():
    stored = {lesson.stem: NOTEBOOKS / f"{lesson.stem}.ipynb" for lesson in LESSONS}
    found = {stem: faults(nbformat.read(path, as_version=4)) for stem, path in stored.items()}
    assert found == {stem: [] for stem in stored}


# --- each rule can fail ---------------------------------------------------------------------------

SEEN = f"{ANSWER}\n\nThe rows. **So:** draw anew.\n\n</details>"
TEXT, ASK, CODE = "Some text.", "Why?\n\n**Predict:** which is larger?", "x = 1"
STUDY = [ASK, ("code", CODE), SEEN]
EXERCISES = [
    part for i in (1, 2, 3) for part in (f"**{i}.** Do it.", ("code", f"ex.q{i}.check(...)"))
]


def lesson(*cells, exercises=EXERCISES):
    notebook = nb.new_notebook()
    for cell in [*cells, *exercises, TEXT]:
        new = nb.new_markdown_cell(cell) if isinstance(cell, str) else nb.new_code_cell(cell[1])
        if len(cell) == 3:
            new.outputs = [nb.new_output("stream", name="stdout", text=cell[2])]
        notebook.cells.append(new)
    return notebook


GOOD = {
    "one study": STUDY,
    "the answer, then the next prediction": [*STUDY, *STUDY],
    "a cell that nothing is predicted of": [TEXT, ("code", CODE), TEXT],
    "going further": [*EXERCISES, "## Going further", *STUDY],
    "numbers that were shown": [
        ASK,
        ("code", "lr = 0.01", "0.1234 1,500 0.5"),
        SEEN.replace("The rows.", "0.12 at 0.01, $0.9$, 1500 of 2000 and 0.50."),
    ],
    "a long cell": [TEXT, ("code", "x = 1\n" * 30), TEXT],
}
BAD = {
    "0 answers instead of 1": [ASK, ("code", CODE), TEXT],
    "1 answers instead of 0": [TEXT, ("code", CODE), SEEN],
    "shares its cell": [ASK, ("code", CODE), f"A table.\n\n{SEEN}"],
    "0.13 is shown nowhere": [ASK, ("code", CODE, "0.1234"), SEEN.replace("rows", "0.13")],
    "the count 7 is shown nowhere": [ASK, ("code", CODE, "17"), SEEN.replace("rows", "7 of 20")],
    "the count 13 is shown nowhere": [ASK, ("code", CODE, "7"), SEEN.replace("rows", "7 : 13")],
    "a prediction without": [ASK, TEXT],
    "two predictions": [f"{ASK}\n\n{ASK}", ("code", CODE), SEEN],
    "a blank line after it": [ASK, ("code", CODE), SEEN.replace("</summary>\n\n", "</summary>\n")],
    "no <details><summary>What was seen": [
        ASK,
        ("code", CODE),
        SEEN.replace("What was seen", "Answer"),
    ],
    "no </details>": [ASK, ("code", CODE), SEEN.replace("\n\n</details>", "\n</details>")],
    "a line of 101 characters": [TEXT, ("code", f"# {'x' * 99}"), TEXT],
}


@pytest.mark.parametrize("name", GOOD)
def test_a_lesson_in_shape_has_no_fault(name):
    assert faults(lesson(*GOOD[name])) == []


@pytest.mark.parametrize("fault", BAD)
def test_each_fault_is_found(fault):
    found = faults(lesson(*BAD[fault]))
    assert any(fault in text for text in found), found


def test_two_exercises_are_too_few():
    [fault] = faults(lesson(*STUDY, exercises=EXERCISES[:4]))
    assert fault.startswith("the core path has 2 exercises")
