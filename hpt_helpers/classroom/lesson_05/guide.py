"""The decision guide of lesson 5: questions, what to do, and what speaks for it and against it."""

from __future__ import annotations

from typing import NamedTuple

Place = tuple[str, str]  # a lesson and one of its headings
HERE = "05_bake_off"
GO_ON = "in any case"


class Branch(NamedTuple):
    """A question, what to do, and the reasons.

    answer stands on the arrow to the advice, next on the arrow to the next question. Where next is
    GO_ON, the questions go on after the advice; all other advice leads to the last branch. see: how
    one finds the answer, or nothing. why: the reason for the advice, with its papers. against: what
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
        "Can you pay for only about ten full\ntrainings, and is early order late order?",
        "Stop bad trials early: ASHA, also\non one machine, or Hyperband",
        see=(
            "Count the trainings that you can pay for, and look at the curves of those that you "
            "have made. Early order is late order if the order after a third of the epochs is "
            "much like the order at the end."
        ),
        why=(
            "With early cuts a search looks at many more configurations for the same budget, and "
            "with ASHA no machine waits for the slowest trial (Li et al. 2020). Li et al. (2018) "
            "report deep networks and kernel methods on which Hyperband was more than ten times "
            "as fast as the Bayesian searches that they compared it with."
        ),
        pays=(
            (HERE, "From which budget on does learning pay?"),
            ("04_hyperband", "Is early order late order?"),
        ),
        against=(
            "Where early order is not late order, the cuts lose the best trials. So they may "
            "where a learning-rate schedule ends at each rung, since each rung is then another "
            "training. One long schedule for all rungs made cuts safer. And Eggensperger et al. "
            "(2021) find that the advantage of searches with early cuts over others shrinks as the "
            "budget grows. With forty trainings and 10 or 30 simulated rows, neither ASHA nor "
            "Hyperband was visibly ahead of random search. With forty trainings on three further "
            "simulated data sets, taken together, ASHA was visibly ahead only with 2,000 rows, by "
            "2 %, and Hyperband never (`docs/testbed.md`)."
        ),
        fails=(("04_hyperband", "And elsewhere?"),),
    ),
    Branch(
        "Can your validation rows\ntell your best trials apart?",
        "Retrain finalists of any search,\nand get more rows if you can",
        see=(
            "Train your ten best trials once more, on another split and under another seed, and "
            "count how many of their 45 pairs keep their order. With 34 or more the answer is "
            "yes, since luck alone seldom gives so many. With fewer than 28, treat it as no. In "
            "between you cannot be certain, so do both. Go on to the next questions, and retrain "
            "finalists as well. The count tests whether there is merit in the order of the ten. "
            "It does not promise a lead. If you cannot afford ten trainings, compare the standard "
            "deviation of the ten losses with the standard error of one of them, which costs "
            "nothing. Unless the first is clearly larger, treat the answer as no."
        ),
        why=(
            "While luck decides among the best, the lowest loss is mostly low by luck. On iris, "
            "and with ten simulated rows, none of the searches that we tried had a lead over "
            "random search that we could see when judged fresh. Bouthillier et al. (2021) show "
            "for comparisons of learning algorithms how much the draw of the rows and the seed "
            "move a result, and advise varying both."
        ),
        pays=(
            (HERE, "Can the ten best be told apart?"),
            (HERE, "What should you buy?"),
        ),
        against=(
            "A low count does not rule a lead out. When digits was searched in narrow ranges near "
            "its optimum, 360 rows ordered the best tenth of the configurations only roughly. Yet "
            "a search that learns was ahead of random search there, and finalists gained nothing "
            "(all in `docs/testbed.md`). With 30 simulated rows a search that learns paid clearly "
            "when its finalists were retrained. Without finalists it was better in 19 repeats and "
            "worse in 9, which a coin might give. How much a few rows can tell depends on the "
            "space as well. And the ten may be equally good. Then there is little left to choose."
        ),
        fails=(
            (HERE, "What should you buy?"),
            (HERE, "How many rows does a wide space need?"),
        ),
        answer="no",
        next="yes, or not certain",
    ),
    Branch(
        "Do you know good values of all\nbut two or three hyperparameters?",
        "Search only those two or three,\nby what the next questions advise",
        see="You know them from earlier projects, or from the trials that you have made.",
        why=(
            "What need not be searched makes the rest easier to find. Bergstra & Bengio (2012) "
            "find that on most data sets only a few hyperparameters matter."
        ),
        pays=(("02_random_search", "3. Grid or random draws?"),),
        against=(
            "The same paper finds that different hyperparameters matter on different data sets, "
            "so what you know from an earlier project may not hold on new data. A grid over three "
            "hyperparameters was no better than random search on iris, so a small space is no "
            "reason for a grid. A grid over six was worse on digits."
        ),
        fails=((HERE, "The same winners, trained again"),),
        next=GO_ON,
    ),
    Branch(
        "Can trials wait for the\nresults of earlier ones?",
        "A search that learns: Gaussian\nprocess or TPE; with early cuts BOHB",
        see=(
            "You have many more trials to make than machines to make them on. Several machines "
            "can be given several proposals at once, if the search takes into account which "
            "trials are still running."
        ),
        why=(
            "On digits such a search led random search by far, and with hundreds of simulated "
            "rows by less. Snoek et al. (2012) reach or surpass experts with Gaussian processes. "
            "In the competition that Turner et al. (2021) report, entries that learn beat random "
            "search on problems that they had not seen. The competition compared entries by "
            "validation scores, that is, as searched. TPE was made for spaces in which some "
            "hyperparameters exist only if others have certain values (Bergstra et al. 2011). "
            "Falkner et al. (2018) let a model propose Hyperband's trials, which is BOHB, and "
            "find this better than Hyperband or the model alone. The course has measured neither "
            "spaces of the kind for which TPE was made nor BOHB."
        ),
        pays=(
            (HERE, "The same winners, trained again"),
            (HERE, "How many rows does a lead need?"),
        ),
        against=(
            "On iris, and with ten rows on the simulated data, such a search had no lead that we "
            "could see when judged fresh. And it needs clearly more trials than the random ones "
            "with which it begins."
        ),
        fails=(
            (HERE, "How many rows does a lead need?"),
            (HERE, "From which budget on does learning pay?"),
        ),
    ),
    Branch(
        "Trials cannot wait",
        "Random search",
        see="You have about as many machines as trials, for example, so that none can wait.",
        why=(
            "Its trials need no results of others, so that all may run at once. Besides the "
            "ranges and their scales, random search has no settings. Bergstra & Bengio (2012) "
            "propose it as the baseline for other searches."
        ),
        pays=(("02_random_search", "4. How many trials?"),),
        against=(
            "On digits, where the best can be told apart, random search was behind every search "
            "but the grid, and ten times the default's learning rate did at least as well. Where "
            "early order is late order, ASHA can use many machines, too (Li et al. 2020)."
        ),
        fails=(
            (HERE, "The same winners, trained again"),
            (HERE, "What does tuning buy?"),
        ),
        answer="",
    ),
    Branch(
        "At the end",
        "Retrain finalists where luck is\nlarge; open the test rows once",
        see="",
        why=(
            "The loss by which a winner won is too low on average, and no score by which you "
            "chose may be reported as the winner's (Cawley & Talbot 2010)."
        ),
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
