"""The decision guide of lesson 5: questions in order, what to do, and the cell in which it was shown."""

from __future__ import annotations

from typing import NamedTuple


class Branch(NamedTuple):
    """A question, the answer that leads to the advice, the advice, and where it was shown: (lesson, heading) pairs."""

    question: str
    answer: str
    advice: str
    shown: tuple[tuple[str, str], ...]


GUIDE = (
    Branch(
        "Do other rows name\nanother winner?",
        "yes",
        "First more validation rows,\nor several draws for each trial",
        (("01_grid_search", "Which luck is larger?"), ("05_bake_off", "Can a search find what is not there?")),
    ),
    Branch(
        "Do one or two matter,\nin a range that you know?",
        "yes",
        "Grid search:\nextend, then refine",
        (("01_grid_search", "The winner lies on the edge. What now?"),),
    ),
    Branch(
        "Are most settings hopeless,\nand is early order late order?",
        "yes",
        "Hyperband or ASHA,\nthen full training of finalists",
        (("04_hyperband", "Is early order late order?"), ("05_bake_off", "Where are Hyperband's winners?")),
    ),
    Branch(
        "Few dear trials, one by one,\na loss with little noise?",
        "yes",
        "Bayesian optimisation or TPE",
        (("03_bayesian_optimization", "Is what it learns true?"),),
    ),
    Branch(
        "Anything else;\nmany workers at once",
        "then",
        "Random search",
        (("02_random_search", "Six dimensions, of which one matters"),),
    ),
    Branch(
        "At the end, always",
        "then",
        "Train a few finalists on other\nrows; open the test rows once",
        (("05_bake_off", "What repairs it, and what does it cost?"),),
    ),
)


def link(lesson: str, heading: str, *, here: str = "05_bake_off") -> str:
    """Return a Markdown link to a heading of a lesson, as JupyterLab resolves it.

    >>> link("01_grid_search", "Which luck is larger?")
    '[Which luck is larger?](01_grid_search.ipynb#Which-luck-is-larger?)'
    """
    page = "" if lesson == here else f"{lesson}.ipynb"
    return f"[{heading}]({page}#{heading.replace(' ', '-')})"


def as_text() -> str:
    """Return the guide as a Markdown list, each branch linked to the cells in which it was shown."""
    lines = []
    for i, branch in enumerate(GUIDE, start=1):
        question, advice = (text.replace("\n", " ") for text in (branch.question, branch.advice))
        lead = f"{question} Yes:" if branch.answer == "yes" else f"{question}:"
        lines.append(f"{i}. {lead} **{advice}.** Shown in {', '.join(link(*place) for place in branch.shown)}.")
    return "\n".join(lines)
