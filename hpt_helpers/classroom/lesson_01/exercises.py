"""The exercises of lesson 1, grid search."""

import math

from hpt_helpers.classroom.exercises.framework import (
    Function,
    MultipleChoice,
    Number,
    Wrong,
    show_progress,
)
from hpt_helpers.classroom.lesson_01.explained import (
    CHOSEN_ON_TEST_ROWS,
    HIGHEST_REPORTED,
    ranked_by,
    report_at,
    report_cases,
    report_explained,
    report_lowest,
    winner_cases,
    winner_explained,
)


def winner_starter(trials):
    return ...


def winner_solution(trials):
    def rank(i):
        return -trials[i]["val_accuracy"], trials[i]["val_loss"], trials[i]["epochs"]

    return min(range(len(trials)), key=rank)


q1 = Function(
    name="q1",
    title="The winner of a table",
    question="""
    Some teams rank by accuracy first. Write `winner(trials)` for them. `trials` is a list of dicts,
    each with `val_accuracy`, `val_loss` and `epochs`. Return the position, counted from 0, of the
    trial with the highest accuracy. Where that ties, take the lowest loss, and where that ties too,
    the fewest epochs.""",
    solve=winner_solution,
    starter=winner_starter,
    cases=winner_cases,
    explain=winner_explained,
    because=(
        "Tuples are compared entry by entry, so a later entry decides only where all earlier "
        "ones tie. The minus turns the highest accuracy into the lowest entry, because `min` "
        "looks for the lowest."
    ),
    hints=[
        (
            "Python compares tuples entry by entry: the second entries count only where the "
            "first ones are equal."
        ),
        "With `min`, what should be high needs a minus sign: `(-accuracy, loss, epochs)`.",
        "`min(range(len(trials)), key=...)` gives a position instead of a trial.",
    ],
    wrong=[
        Wrong(
            ranked_by("-val_accuracy"),
            (
                "you rank by the accuracy alone; where it ties you return the first trial, "
                "whatever its loss."
            ),
            "Takes what max returns for the one best trial; ties are not noticed.",
        ),
        Wrong(
            ranked_by("-val_accuracy", "val_loss"),
            "you rank by the accuracy and the loss; where both tie, the epochs have to decide.",
            "Stops after two of three rules, because exact ties of both seem impossible.",
        ),
        Wrong(
            ranked_by("val_loss"),
            "you rank by the loss alone; the accuracy comes first.",
            "Takes accuracy and loss for the same ranking.",
        ),
        Wrong(
            ranked_by("val_accuracy", "val_loss", "epochs"),
            "you choose the lowest accuracy: with `min`, what should be high needs a minus sign.",
            "Forgets that one column is better high and the others low.",
        ),
        Wrong(
            ranked_by("-val_accuracy", "-val_loss", "-epochs"),
            "you prefer the highest loss: with `max`, what should be low needs a minus sign.",
            "Maximum for minimum: carries the direction of accuracy over to the loss.",
        ),
        Wrong(
            ranked_by("-val_accuracy", "val_loss", "-epochs"),
            (
                "accuracy and loss are ranked as they should be; at the end you prefer the most "
                "epochs."
            ),
            "Forgets the last minus sign, or believes that longer trained is better.",
        ),
        Wrong(
            ranked_by("-val_accuracy", "epochs", "val_loss"),
            "you compare the epochs before the loss; the loss has to decide first.",
            "Lets cost decide before quality.",
        ),
        Wrong(
            lambda trials: max(
                range(len(trials)), key=lambda i: trials[i]["val_accuracy"] - trials[i]["val_loss"]
            ),
            (
                "you rank by accuracy minus loss, as one number; the loss should count only "
                "where accuracies tie."
            ),
            (
                "Mixes two measures that have no common unit instead of ranking by one after the "
                "other."
            ),
        ),
        Wrong(
            lambda trials: winner_solution(trials) + 1,
            "the right trial, but one position too far: count from 0.",
            "Counts positions from 1.",
        ),
        Wrong(
            ranked_by("-val_accuracy", "val_loss", "epochs", start=1),
            (
                "the first trial, position 0, can never win. Is it left out, or taken for "
                "nothing by `not best`?"
            ),
            (
                "Starts the loop at 1 without holding the first trial; or tests a position, "
                "which may be 0, for truth."
            ),
        ),
        Wrong(
            lambda trials: 0,
            "you return 0 for every list: 0 should be the position in the list as it was given.",
            "Sorts, renumbers and returns the new position instead of the old one.",
        ),
    ],
    praise=(
        "a tie broken by a stated rule gives the same winner to everyone who looks at the table."
    ),
)


def edge_solution():
    # the winner lies on the edge, where larger batches have not met their best learning rate
    return "c2"


q2 = MultipleChoice(
    name="q2",
    title="A winner on the edge",
    question="""
    You run a grid of learning rates 0.0001, 0.001 and 0.01 and batch sizes 16, 32 and 64 on new
    data. Learning rate 0.01 with batch size 16 wins. What follows?

    - **a** Batches of 16 are best for these data.
    - **b** Refine the grid around the winner.
    - **c** Nothing yet about batch sizes. First extend the grid to larger learning rates.

    And why?

    - **1** Every combination was tried.
    - **2** Larger batches make fewer steps, and their best learning rate may lie beyond the edge.
    - **3** Small batches generalise better.""",
    solve=edge_solution,
    because=(
        "The winner has the largest learning rate of the grid, so something better may lie "
        "beyond it. That holds above all for large batches: they make fewer steps in an epoch "
        "and need larger ones. Batch sizes can be compared only when each has met its own best "
        "learning rate."
    ),
    hints=[
        "Where in the grid does the winner lie?",
        (
            "In the figure of the duels each batch size has its own lowest point. How does the "
            "best learning rate change with the batch size?"
        ),
    ],
    wrong=[
        Wrong(
            "a2",
            (
                "each batch size should be judged at its own best learning rate; does this grid "
                "hold it?"
            ),
            (
                "Compares batch sizes at one learning rate, which favours the size whose best "
                "rate that is."
            ),
        ),
        Wrong(
            "b2",
            "refining comes after extending: look where the winner lies in the grid.",
            "Takes the best of a grid for the best there is.",
        ),
        Wrong(
            "c1",
            (
                "the option is right, this reason is not: each batch size got the same learning "
                "rates, not its own best."
            ),
            "Takes the same treatment for a fair comparison.",
        ),
        Wrong(
            "c3",
            (
                "the option is right, but no such rule holds everywhere; the lesson measured "
                "something more specific."
            ),
            "Remembers a rule of thumb instead of what was measured.",
        ),
    ],
    praise=(
        "an edge winner says where to look next, and batch sizes are compared at their own best "
        "learning rates."
    ),
)


def report_starter(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], max(trial["test_accuracy"] for trial in trials)


def report_solution(trials):
    # nan is not equal to itself
    trained = [trial for trial in trials if trial["val_loss"] == trial["val_loss"]]
    best = min(trained, key=lambda trial: trial["val_loss"])
    return best["lr"], best["test_accuracy"]


q3 = Function(
    name="q3",
    title="An honest report",
    question="""
    Repair `report(trials)`. `trials` is a list of dicts, each with `lr`, `val_loss` and
    `test_accuracy`. The function should choose a trial and return its learning rate and the score
    to report. One fault concerns the choice and another the score. Besides, training can diverge,
    and then the loss of the trial is nan, which means not a number. A trial that diverged must
    never be chosen, wherever it stands in the list.""",
    solve=report_solution,
    starter=report_starter,
    cases=report_cases,
    explain=report_explained,
    because=(
        "The validation loss chooses, because a score that chose is too good. `<`, `>` and `==` "
        "are always False with nan, so a nan that stands first is never replaced. Leave out the "
        "trials that diverged before you look for the lowest loss."
    ),
    hints=[
        "Which column may a choice depend on, if the test accuracy is to stay honest?",
        "The score to report is that of the chosen trial, whatever the others scored.",
        (
            "`<`, `>` and `==` are always False with nan, and `!=` is always True. So a nan that "
            "is held as the best is never replaced. Leave out the trials that diverged first."
        ),
    ],
    wrong=[
        Wrong(
            lambda trials: report_solution(trials[1:]),
            (
                "the first trial can never win: it is left out, although only a trial that "
                "diverged should be."
            ),
            "Takes 'the first may be nan' for 'the first is nan'.",
        ),
        Wrong(
            lambda trials: report_solution(trials[:-1]),
            "the last trial can never win: it is left out of the comparison.",
            "Off by one at the end of the list.",
        ),
        Wrong(
            lambda trials: report_lowest(
                trials[1:] if math.isnan(trials[0]["val_loss"]) else trials
            ),
            "you leave out a nan in the first place; after it another nan may stand.",
            "Repairs the one case that was seen instead of the cause.",
        ),
        Wrong(
            lambda trials: (report_solution(trials)[0], max(t["test_accuracy"] for t in trials)),
            HIGHEST_REPORTED,
            (
                "Reports the best test score of all trials: the choice is made on the test set "
                "through the back door."
            ),
        ),
        Wrong(
            lambda trials: report_at(
                max(range(len(trials)), key=lambda i: trials[i]["test_accuracy"])
            )(trials),
            CHOSEN_ON_TEST_ROWS,
            "Chooses on the test set: the fault this lesson measures.",
        ),
        Wrong(
            report_lowest,
            "a nan that stands first wins: nan < x and x < nan are both False. (`!= "
            "math.nan` and `is not math.nan` "
            "let it through as well; `math.isnan` tells.)",
            (
                "Does not know that `<` and `>` are always False with nan, so that a first trial "
                "that diverged wins."
            ),
        ),
        Wrong(
            report_at(1),
            "you return the second trial of every list; compare the trials.",
            "Fits the answer to the one example that was seen.",
        ),
    ],
    praise=(
        "chosen on validation data, reported for the chosen one, and a diverged trial never wins."
    ),
)


def n_rows_solution():
    from scipy.stats import binomtest

    def width(n_rows):
        interval = binomtest(round(0.9 * n_rows), n_rows).proportion_ci(0.95, method="wilson")
        return interval.high - interval.low

    return next(n for n in range(30, 100_000, 10) if width(n) <= width(30) / 10)


q4 = Number(
    name="q4",
    title="Rows for a narrow interval",
    question="""
    On 30 validation rows an accuracy of 0.9 has a wide Wilson interval, which is the kind of
    interval printed with the test score. How many validation rows would make the interval ten times
    narrower at the same accuracy? (200 more or fewer are fine.)""",
    solve=n_rows_solution,
    tolerance=200,
    because=(
        "The width of an interval shrinks with the square root of the number of rows. Ten times "
        "narrower therefore takes about a hundred times as many. It takes a few less than 3,000 "
        "because the Wilson interval of only 30 rows is narrower than that rule says."
    ),
    hints=[
        "The standard error of an accuracy is the square root of p (1 - p) / n.",
        (
            "Ten times narrower needs a hundred times as many rows, roughly; small numbers of "
            "rows make it a little less."
        ),
    ],
    wrong=[
        Wrong(
            300,
            "ten times as many rows narrow it only by the square root of ten.",
            "Expects uncertainty to shrink with n instead of with its square root.",
        ),
        Wrong(
            95,
            "so few rows narrow it by less than two; the square root works the other way round.",
            "Takes the square root on the wrong side.",
        ),
        Wrong(
            100,
            (
                "is that the factor? Ten times narrower takes the square of ten times as many; "
                "the rows are asked for."
            ),
            "Gives the factor for the number; or takes 100 rows for many.",
        ),
        Wrong(
            14_000,
            (
                "that counts the whole data set, of which a fifth validates; the validation rows "
                "are asked for."
            ),
            "Answers for all rows of the data set instead of those that judge.",
        ),
    ],
    praise=(
        "a hundred times the rows for one more digit: fine differences between configurations "
        "need large data."
    ),
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
