"""The decision guide of lesson 5: questions, what to do, and what speaks for it and against it."""

from __future__ import annotations

from typing import NamedTuple

Place = tuple[str, str]  # a lesson and one of its headings
HERE = "05_bake_off"


class Branch(NamedTuple):
    """A question, what to do, and the reasons.

    answer stands on the arrow to the advice, next on the arrow to the next question. see: how one
    finds the answer, or nothing. why: the reason for the advice, with its papers. against: what
    speaks against it. pays and fails: the places that showed the one and the other, if any did.
    """

    question: str
    advice: str
    see: str
    why: str
    pays: tuple[Place, ...]
    against: str
    fails: tuple[Place, ...] = ()
    answer: str = "yes"
    next: str = "no"


GUIDE = (
    Branch(
        "Can you pay for only about\nten full trainings, or fewer?",
        "Stop bad trials early: Hyperband,\nwith several machines ASHA",
        see=(
            "Count them. And look at the curves of trainings that you already have. Cuts need the "
            "order after a third of the epochs to be much like the order at the end."
        ),
        why=(
            "Early cuts look at many more configurations for the same budget. Li et al. (2018) "
            "report that Hyperband can be more than ten times as fast as Bayesian optimisation. "
            "With ASHA no machine waits for the slowest trial (Li et al. 2020)."
        ),
        pays=(
            (HERE, "From which budget on does learning pay?"),
            ("04_hyperband", "Is early order late order?"),
        ),
        against=(
            "Where early order is not late order, the cuts lose the best. Under a learning-rate "
            "schedule a trial that was cut is a different model from the one trained in full, "
            "which the course has not measured. And Eggensperger et al. (2021) see the advantage "
            "shrink as the budget grows."
        ),
        fails=(("04_hyperband", "And elsewhere?"),),
    ),
    Branch(
        "Can your validation rows\ntell your best trials apart?",
        "First more rows or folds,\nthen retrain finalists",
        see=(
            "Train your ten best trials once more, on another split and under another seed, and "
            "count how many of their 45 pairs keep their order. A coin keeps half. A better search "
            "paid where 84 or 91 % kept it, and did not where 46 or 67 % did."
        ),
        why=(
            "While luck decides among the best, no search finds better ones. Bouthillier et al. "
            "(2021) show how much the draw of the rows and the seed move a comparison, and advise "
            "to vary both."
        ),
        pays=(
            (HERE, "Can the ten best be told apart?"),
            (HERE, "What should you buy?"),
        ),
        against=(
            "The number of your rows does not decide alone. How much they tell depends on the "
            "space as well."
        ),
        fails=((HERE, "How many rows does a wide space need?"),),
        answer="no",
        next="yes",
    ),
    Branch(
        "Do you know good values of all\nbut two or three hyperparameters?",
        "Search only those two or three,\nby a grid inside known ranges",
        see="You know them from earlier projects, or from the trials that you have made.",
        why=(
            "What need not be searched makes the rest easier to find. Bergstra & Bengio (2012) "
            "find that on most data sets only a few hyperparameters matter."
        ),
        pays=(("02_random_search", "3. Grid or random draws?"),),
        against=(
            "The same paper finds that different hyperparameters matter on different data sets. On "
            "digits a grid over all six was worse than random search."
        ),
        fails=((HERE, "The same winners, trained again"),),
    ),
    Branch(
        "Can trials wait for the\nresults of earlier ones?",
        "A search that learns: Gaussian\nprocess or TPE; with early cuts BOHB",
        see=(
            "You have many more trials to make than machines to make them on. Several machines can "
            "be given several proposals at once, if the search takes into account which trials are "
            "still running."
        ),
        why=(
            "On digits it led random search by far, and with hundreds of simulated rows by less. "
            "Snoek et al. (2012) reach or surpass experts with Gaussian processes. In the "
            "competition that Turner et al. (2021) report, on tuning problems that the entrants "
            "had not seen, such searches beat random search. TPE was made for spaces in which some "
            "hyperparameters exist only beside others (Bergstra et al. 2011). Falkner et al. "
            "(2018) let a model propose Hyperband's trials (BOHB) and find it better than either "
            "alone, which the course has not measured."
        ),
        pays=(
            (HERE, "The same winners, trained again"),
            (HERE, "From which budget on does learning pay?"),
        ),
        against=(
            "On iris, and with ten rows on the simulated data, it has no lead when judged fresh."
        ),
        fails=(
            (HERE, "The same winners, trained again"),
            (HERE, "How many rows does a lead need?"),
        ),
    ),
    Branch(
        "Anything else",
        "Random search",
        see="You have about as many machines as trials, for example.",
        why=(
            "Its trials need no results, so that all may run at once, and besides the ranges it "
            "has no settings. Bergstra & Bengio (2012) propose it as the baseline for other "
            "searches."
        ),
        pays=(),
        against=(
            "On digits, where the best can be told apart, it was behind every search but the grid, "
            "and ten times the default's learning rate did at least as well."
        ),
        fails=(
            (HERE, "The same winners, trained again"),
            (HERE, "What does tuning buy?"),
        ),
        answer="",
        next="in any case",
    ),
    Branch(
        "At the end",
        "Retrain finalists where luck is\nlarge; open the test rows once",
        see="",
        why="The loss by which a winner won is too low, and no score that chose may be reported.",
        pays=((HERE, "What should you buy?"),),
        against="On digits, where the best can be told apart, finalists changed next to nothing.",
        fails=((HERE, "What should you buy?"),),
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
    return "\n".join(f"{i}. {_item(branch)}" for i, branch in enumerate(GUIDE, start=1))


def _item(branch: Branch) -> str:
    question, advice = (text.replace("\n", " ") for text in (branch.question, branch.advice))
    answer = f" {branch.answer.capitalize()}:" if branch.answer else ":"
    lines = [f"{question}{answer} **{advice}.**"]
    if branch.see:
        lines.append(f"*How to see it.* {branch.see}")
    lines.append(f"*Why.* {branch.why}{_shown(branch.pays)}")
    lines.append(f"*Against it.* {branch.against}{_shown(branch.fails)}")
    return "\n   - ".join(lines)


def _shown(places: tuple[Place, ...]) -> str:
    links = " and ".join(link(*place) for place in places)
    return f" Shown in {links}." if links else ""
