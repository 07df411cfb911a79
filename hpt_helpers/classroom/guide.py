"""The decision guide of lesson 5: questions, what to do, and the cells in which it was shown."""

from __future__ import annotations

from typing import NamedTuple

Place = tuple[str, str]  # a lesson and one of its headings
HERE = "05_bake_off"


class Branch(NamedTuple):
    """A question, what to do if the answer is yes, where that was shown to pay, and where not.

    answer stands on the arrow to the advice, next on the arrow to the next question. on: the
    problem on which it pays clearly. tried: among how many problems that one was looked for, since
    the choice is part of the proof.
    """

    question: str
    advice: str
    pays: tuple[Place, ...]
    fails: tuple[Place, ...] = ()
    answer: str = "yes"
    next: str = "no"
    on: str = ""
    tried: int = 0


GUIDE = (
    Branch(
        "Do other rows name\nanother winner?",
        "First more validation rows; plan\nfor finalists on other draws",
        (
            ("01_grid_search", "Which of the eight won?"),
            ("02_random_search", "5. When do more trials stop paying?"),
            ("03_bayesian_optimization", "Is what it learns true?"),
            (HERE, "What repairs it, and what does it cost?"),
        ),
        next="in any case",
    ),
    Branch(
        "Do one or two settings matter,\nin a range that you know?",
        "Grid search,\nits points inside that range",
        (("02_random_search", "3. Grid or random draws?"),),
        (
            ("01_grid_search", "The winner lies on the edge. What now?"),
            ("02_random_search", "3. Grid or random draws?"),
            (HERE, "ASHA, wine and digits"),
        ),
    ),
    Branch(
        "Are most settings hopeless,\nand is early order late order?",
        "Hyperband, with many workers ASHA;\nleave bold settings out",
        (
            ("04_hyperband", "Is early order late order?"),
            ("04_hyperband", "Who wins the race?"),
            ("04_hyperband", "Many machines, some of them slow"),
            (HERE, "Is it always so?"),
        ),
        (
            (HERE, "The same winners, trained again"),
            ("04_hyperband", "And elsewhere?"),
            (HERE, "ASHA, wine and digits"),
        ),
        on="iris with tame rates",
        tried=9,
    ),
    Branch(
        "Few trials, one by one,\na loss with little noise?",
        "Bayesian optimisation",
        (("03_bayesian_optimization", "Is what it learns true?"),),
        ((HERE, "The same winners, trained again"),),
        on="the photograph",
        tried=18,
    ),
    Branch(
        "Anything else",
        "Random search",
        (("02_random_search", "3. Grid or random draws?"),),
        answer="",
        next="in any case",
    ),
    Branch(
        "At the end",
        "Train a few finalists on other\ndraws; open the test rows once",
        (
            (HERE, "What repairs it, and what does it cost?"),
            ("01_grid_search", "Fault 1: chosen on the test rows"),
        ),
        answer="",
    ),
)


def link(lesson: str, heading: str) -> str:
    """Return a Markdown link from lesson 5 to a heading of a lesson, as JupyterLab resolves it.

    >>> link("01_grid_search", "Which luck is larger?")
    '[Which luck is larger?](01_grid_search.ipynb#Which-luck-is-larger?)'
    """
    page = "" if lesson == HERE else f"{lesson}.ipynb"
    return f"[{heading}]({page}#{heading.replace(' ', '-')})"


def as_text() -> str:
    """Return the guide as a Markdown list, linked to the cells that speak for and against it."""
    return "\n".join(f"{i}. {_line(branch)}" for i, branch in enumerate(GUIDE, start=1))


def _line(branch: Branch) -> str:
    question, advice = (text.replace("\n", " ") for text in (branch.question, branch.advice))
    lead = f"{question} Yes:" if branch.answer else f"{question}:"
    line = f"{lead} **{advice}.** Shown in {', '.join(link(*place) for place in branch.pays)}"
    if branch.tried:
        line += (
            f" ({branch.on} was among the clearest of {branch.tried} problems tried beforehand, "
            "and taken for that)"
        )
    if branch.fails:
        line += f". Against it: {', '.join(link(*place) for place in branch.fails)}"
    return f"{line}."
