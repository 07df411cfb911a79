"""The exercises of lesson 5, the bake-off."""

from hpt_helpers.classroom.exercises.framework import (
    Function,
    MultipleChoice,
    Number,
    Wrong,
    show_progress,
)
from hpt_helpers.classroom.lesson_05.explained import (
    all_four,
    first_to_reach,
    first_two,
    last_two,
    report_by,
    report_cases,
    report_explained,
    searched,
    wins_cases,
    wins_explained,
)


def wins_needed_starter(n):
    return ...


def wins_needed_solution(n):
    from math import comb

    def so_many_or_more(wins):
        return sum(comb(n, k) for k in range(wins, n + 1)) / 2**n

    return next(wins for wins in range(n + 1) if so_many_or_more(wins) <= 0.025)


q1 = Function(
    name="q1",
    title="How many wins are needed",
    question="""
    Write `wins_needed(n)`: the fewest wins in n pairs that chance hardly explains. If a fair coin
    decided each pair, that many wins or more would come up with a probability of at most 0.025.
    A further 0.025 is kept for unusually few wins. `n` is at least 6.""",
    solve=wins_needed_solution,
    starter=wins_needed_starter,
    cases=wins_cases,
    explain=wins_explained,
    because=(
        "The wins of a fair coin are binomial, so the probability of so many or more is a sum of "
        "comb(n, k) / 2 ** n. It falls as the number of wins rises, so the first number at which "
        "it is at most 0.025 is the fewest."
    ),
    hints=[
        "The wins of a fair coin are binomial: P(k wins) = `comb(n, k) / 2**n`.",
        "Sum P(k) for k from `wins` to n: `scipy.stats.binom.sf(wins - 1, n, 0.5)` is that sum.",
        "Count `wins` up from 0, and return the first for which the sum is at most 0.025.",
    ],
    wrong=[
        Wrong(
            first_to_reach(0.05),
            "your limit is 0.05 on one side; each side has 0.025.",
            "Takes a one-sided test for a two-sided one.",
        ),
        Wrong(
            first_to_reach(0.0125),
            "your limit is 0.0125: each side has 0.025. Is it halved twice?",
            (
                "Halves a limit that is one side's already; or reads a two-sided probability as "
                "one-sided."
            ),
        ),
        Wrong(
            first_to_reach(0.025, shift=-1),
            (
                "that is one win too few. 'So many or more' begins with that number (and scipy's "
                "`sf(k, n, 0.5)` after k)."
            ),
            "Forgets that a survival function leaves its own argument out.",
        ),
        Wrong(
            first_to_reach(0.025, shift=1),
            "that is one win too many: one fewer is already at most 0.025.",
            "Returns the first number beyond, or counts on once too often.",
        ),
        Wrong(
            lambda n: n // 2 + 1,
            "more than half is what a fair coin reaches, too, about every second time.",
            "Takes a majority for evidence.",
        ),
    ],
    praise="with 20 pairs 15 wins are needed: a search that truly wins 2 of 3 is mostly missed.",
)


def winner_solution():
    return "c3"


q2 = MultipleChoice(
    name="q2",
    title="What to do with a winner",
    question="""
    A Hyperband with R = 27 reports its winner: learning rate 0.07, loss 0.04, after 9 epochs, on
    30 validation rows. What do you do?

    - **a** Train this configuration for 27 epochs and use it.
    - **b** Run Hyperband again with a larger R.
    - **c** Train this and some other good ones, each for its own epochs, on other draws of rows,
      and compare.

    Because:

    - **1** more epochs make a network better.
    - **2** a larger R tries more configurations.
    - **3** the lowest of many losses on few rows is low by luck as well, and was met after 9
      epochs, not 27.""",
    solve=winner_solution,
    because=(
        "The search chose a configuration together with an epoch, by losses on 30 rows, and the "
        "lowest of many such losses is partly luck. Training it for 27 epochs gives another "
        "model, and a larger R looks at more losses on the same rows. Only other draws of rows "
        "tell how good it is."
    ),
    hints=[
        "What was chosen: a configuration, or a configuration and an epoch? By which rows?",
        "Look again at iris: what became of the leads when the winners were judged fresh?",
    ],
    wrong=[
        Wrong(
            "a1",
            "after 27 epochs it is another model than the one that won.",
            "Drops the epoch from the choice.",
        ),
        Wrong(
            "b2",
            "a larger R looks at more losses on the same 30 rows.",
            "Takes more search for better judgement.",
        ),
        Wrong(
            "c1",
            (
                "the option is right; but a longer training is another model, and the map of "
                "lesson 1 shows that at high rates it is often a worse one."
            ),
            "Believes that a training cannot be too long.",
        ),
        Wrong(
            "c2",
            "the option is right; but more configurations are more looks at the same few rows.",
            "Takes the number tried for quality.",
        ),
    ],
    praise="a Hyperband winner is a configuration and an epoch, and its loss is no promise.",
)


def report_starter(finalists):
    best = min(finalists, key=lambda finalist: finalist["searched"])
    return finalists.index(best), best["searched"]


def report_solution(finalists):
    import math

    positions = [i for i, f in enumerate(finalists) if not any(map(math.isnan, f["again"]))]
    best = min(positions, key=lambda i: sum(finalists[i]["again"][:2]))
    return best, sum(finalists[best]["again"][2:]) / 2


q3 = Function(
    name="q3",
    title="An honest report of finalists",
    question="""
    Repair `report(finalists)`. `finalists` is a list of dicts. In each, `searched` is the loss by
    which it came into the list, and `again` holds four losses on four other draws of rows. Choose
    by the mean of the first two of `again`. Return the position of the chosen one and what may be
    reported of it: the mean of its last two, which had no part in the choice. A finalist with a nan
    in `again` may never be chosen.""",
    solve=report_solution,
    starter=report_starter,
    cases=report_cases,
    explain=report_explained,
    because=(
        "A loss that chose is too low, because the lowest of several is partly luck. So the "
        "first two losses choose, the last two are reported, and `searched` has no part in it, "
        "as it brought the finalist into the list. Positions are filtered, not finalists, so "
        "that they stay those of the list as given."
    ),
    hints=[
        "Three jobs: leave out nan, choose by `again[:2]`, report the mean of `again[2:]`.",
        "`any(math.isnan(loss) for loss in f['again'])` says whether a finalist failed.",
        "Keep positions of the whole list: leave out positions, not finalists.",
    ],
    wrong=[
        Wrong(
            report_by(searched, searched),
            "you choose by `searched`, the loss that was lowest by luck as well, and report it.",
            "Chooses and reports by the search's own losses.",
        ),
        Wrong(
            report_by(first_two, first_two),
            "the choice is right, but you report the two losses that chose; report the other two.",
            "Reports the loss that chose.",
        ),
        Wrong(
            report_by(last_two, first_two),
            (
                "it is the other way round: the first two of `again` choose, the last two are "
                "reported."
            ),
            "Swaps the two halves.",
        ),
        Wrong(
            report_by(lambda f: searched(f) + 2 * first_two(f), last_two),
            (
                "you choose by a mean with `searched` in it; that was lowest by luck as well. "
                "Leave it out."
            ),
            (
                "Carries the mean of all losses over, the one by which the finalist came into "
                "the list included."
            ),
        ),
        Wrong(
            report_by(all_four, last_two),
            "you choose by all four losses; the last two are to have no part in the choice.",
            "Lets the losses that are reported choose.",
        ),
        Wrong(
            report_by(all_four, all_four),
            "you choose by all four losses and report them; what is reported may not choose.",
            "Sees no difference between choosing and reporting.",
        ),
        Wrong(
            report_by(searched, last_two),
            "you choose by `searched`; choose by the mean of the first two of `again`.",
            "Retrains, and lets the search's loss choose all the same.",
        ),
        Wrong(
            report_by(first_two, last_two, shifted=True),
            (
                "the position is counted in a shorter list, without those that have nan; count "
                "in the list as given."
            ),
            "Filters first and forgets that positions move.",
        ),
    ],
    praise="what chose is not reported, and a training that diverged does not win.",
)


def repeats_needed_solution():
    from scipy.stats import binom

    def found(n):
        wins_needed = int(binom.isf(0.025, n, 0.5)) + 1
        return binom.sf(wins_needed - 1, n, 0.6)

    return next(n for n in range(6, 1000) if found(n) >= 0.8)


q4 = Number(
    name="q4",
    title="How many repeats",
    question="""
    A search truly wins 60 of 100 repeats. What is the smallest number of paired repeats with which
    its wins reach what `wins_needed` asks with a probability of at least 0.8? (15 more or fewer are
    fine.)""",
    solve=repeats_needed_solution,
    tolerance=15,
    because=(
        "With n repeats the search has to reach wins_needed(n), and its wins are binomial with "
        "probability 0.6. A small lead of 0.1 over a coin needs a standard error well below 0.1, "
        "and the standard error shrinks only with the square root of n."
    ),
    hints=[
        "For each n: `w = wins_needed(n)`; the chance is `binom.sf(w - 1, n, 0.6)`.",
        "Count n up until the chance is 0.8 for the first time.",
    ],
    wrong=[
        Wrong(
            20,
            "20 repeats find such a search about one time in eight.",
            "Takes the usual 20 repeats for enough.",
        ),
        Wrong(
            49,
            "49 is what P = 0.7 needs; 0.6 is closer to a coin.",
            "Underestimates how fast the number grows.",
        ),
        Wrong(
            100,
            (
                "with 100 repeats 60 wins do not even reach what is needed; more than half of "
                "all studies miss it."
            ),
            "Takes the expected number of wins for a certain one.",
        ),
    ],
    praise="a small lead needs about two hundred repeats; five show nothing.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
