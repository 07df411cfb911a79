"""The exercises of lesson 1, grid search."""

import math

from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Number, Wrong, show_progress


def winner_starter(trials):
    return ...


def winner_solution(trials):
    def rank(i):
        return -trials[i]["val_accuracy"], trials[i]["val_loss"], trials[i]["epochs"]

    return min(range(len(trials)), key=rank)


def _trials(*rows) -> list[dict]:
    return [dict(zip(("val_accuracy", "val_loss", "epochs"), row, strict=True)) for row in rows]


def _winner_cases() -> list[tuple]:
    return [
        (_trials((0.9, 0.31, 100), (0.9, 0.22, 50), (0.8, 0.15, 50), (0.9, 0.22, 20)),),
        (_trials((0.7, 0.40, 50), (0.9, 0.35, 100), (0.9, 0.28, 100), (0.9, 0.50, 20)),),
        (_trials((0.6, 0.10, 50), (0.8, 0.20, 100)),),
    ]


q1 = Function(
    name="q1",
    question="""
    Write `winner(trials)`. Each trial is a dict with `val_accuracy`, `val_loss` and `epochs`. Return the position
    (0 for the first) of the trial with the highest accuracy; where that ties, the lowest loss; where that ties too,
    the fewest epochs.""",
    solve=winner_solution,
    starter=winner_starter,
    cases=_winner_cases,
    hints=[
        "Python compares tuples entry by entry: the second entries count only where the first ones are equal.",
        "With `min`, what should be high needs a minus sign: (-accuracy, loss, epochs).",
        "`min(range(len(trials)), key=...)` gives a position instead of a trial.",
    ],
    wrong=[
        Wrong(
            lambda trials: max(range(len(trials)), key=lambda i: trials[i]["val_accuracy"]),
            "among trials of the same accuracy you return the first, whatever its loss.",
            "Takes what max returns for the one best trial; ties are not noticed.",
        ),
        Wrong(
            lambda trials: min(range(len(trials)), key=lambda i: trials[i]["val_loss"]),
            "the accuracy has to decide first; you rank by the loss alone.",
            "Takes accuracy and loss for the same ranking.",
        ),
        Wrong(
            lambda trials: max(range(len(trials)), key=lambda i: tuple(trials[i].values())),
            "a lower loss is a better one; you prefer the highest.",
            "Maximum for minimum: carries the direction of accuracy over to the loss.",
        ),
        Wrong(
            lambda trials: min(
                range(len(trials)),
                key=lambda i: (-trials[i]["val_accuracy"], trials[i]["epochs"], trials[i]["val_loss"]),
            ),
            "the loss has to decide before the number of epochs.",
            "Lets cost decide before quality.",
        ),
    ],
    praise="a tie broken by a stated rule gives the same winner to everyone who looks at the table.",
)


def edge_solution():
    return "b1"  # the winner lies on the edge, where larger batches have not met their best learning rate


q2 = MultipleChoice(
    name="q2",
    question="""
    A grid of learning rates 0.0001, 0.001, 0.01 and batch sizes 16, 32, 64 is run on new data. Learning rate 0.01 with
    batch size 16 wins. What follows?

    - **a** Batches of 16 are best for these data.
    - **b** Nothing yet about batch sizes: first extend the grid to larger learning rates.
    - **c** Refine the grid around the winner.

    Because:

    - **1** larger batches make fewer steps, and their best learning rate may lie beyond the edge.
    - **2** every combination was tried.
    - **3** small batches generalise better.""",
    solve=edge_solution,
    hints=[
        "Where in the grid does the winner lie?",
        "The best settings formed a slanted ridge: how did the best learning rate change with the batch size?",
    ],
    wrong=[
        Wrong(
            "a1",
            "each batch size should be judged at its own best learning rate; does this grid hold it?",
            "Compares batch sizes at one learning rate, which favours the size whose best rate that is.",
        ),
        Wrong(
            "c1",
            "look where the winner lies: what would a winner at the edge of the map make you do?",
            "Takes the best of a grid for the best there is.",
        ),
        Wrong(
            "b2",
            "the option is right, the reason is not: each batch size got the same learning rates, not its own best.",
            "Takes the same treatment for a fair comparison.",
        ),
        Wrong(
            "b3",
            "the option is right, but no such rule holds everywhere; the lesson measured something more specific.",
            "Remembers a rule of thumb instead of what was measured.",
        ),
    ],
    praise="an edge winner says where to look next, and batch sizes are compared at their own best learning rates.",
)


def report_starter(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], max(trial["test_accuracy"] for trial in trials)


def report_solution(trials):
    trained = [trial for trial in trials if trial["val_loss"] == trial["val_loss"]]  # nan is not equal to itself
    best = min(trained, key=lambda trial: trial["val_loss"])
    return best["lr"], best["test_accuracy"]


def _report_cases() -> list[tuple]:
    def trials(*rows):
        return ([dict(zip(("lr", "val_loss", "test_accuracy"), row, strict=True)) for row in rows],)

    return [
        trials((0.1, 0.30, 0.93), (0.01, 0.20, 0.90), (0.001, 0.80, 0.97)),
        trials((10.0, math.nan, 0.33), (0.1, 0.25, 0.90), (0.01, 0.35, 0.95)),
        trials((0.1, 0.40, 0.80), (0.01, 0.15, 0.93), (0.001, 0.60, 0.90)),
    ]


def _report_first_nan(trials):
    best = trials[0]
    for trial in trials:
        if trial["val_loss"] < best["val_loss"]:
            best = trial
    return best["lr"], best["test_accuracy"]


def _report_zero(trials):
    best, best_loss = {"lr": None, "test_accuracy": None}, 0
    for trial in trials:
        if trial["val_loss"] < best_loss:
            best, best_loss = trial, trial["val_loss"]
    return best["lr"], best["test_accuracy"]


def _report_by_test(trials):
    best = max(trials, key=lambda trial: trial["test_accuracy"])
    return best["lr"], best["test_accuracy"]


def _report_best_test(trials):
    return report_solution(trials)[0], max(trial["test_accuracy"] for trial in trials)


q3 = Function(
    name="q3",
    question="""
    Repair `report(trials)`: it should return the learning rate chosen and the score to report. One fault concerns the
    choice, one the score, and one shows when the first trial diverged (its `val_loss` is nan).""",
    solve=report_solution,
    starter=report_starter,
    cases=_report_cases,
    hints=[
        "Which column may a choice depend on, if the test accuracy is to stay honest?",
        "The score to report is that of the chosen trial, whatever the others scored.",
        "Any comparison with nan is False, so a nan that is held as the best is never replaced.",
    ],
    wrong=[
        Wrong(
            _report_by_test,
            "the choice still depends on test accuracies.",
            "Chooses on the test set: the fault this lesson measures.",
        ),
        Wrong(
            _report_best_test,
            "the choice is right; the score belongs to another trial than the chosen one.",
            "Reports the best test score of all trials: the choice is made on the test set through the back door.",
        ),
        Wrong(
            _report_first_nan,
            "choice and score are right as long as the first trial did not diverge; what does nan < x give?",
            "Does not know that comparisons with nan are False, so that a diverged first trial wins.",
        ),
        Wrong(
            _report_zero,
            "no trial is ever chosen: can a loss be below the value you start from?",
            "Off by the starting value: begins a minimum at 0.",
        ),
    ],
    praise="chosen on validation data, reported for the chosen one, and a diverged trial never wins.",
)


def n_rows_solution():
    from scipy.stats import binomtest

    def width(n_rows):
        interval = binomtest(round(0.9 * n_rows), n_rows).proportion_ci(0.95, method="wilson")
        return interval.high - interval.low

    return next(n for n in range(30, 100_000, 10) if width(n) <= width(30) / 10)


q4 = Number(
    name="q4",
    question="""
    On 30 validation rows an accuracy of 0.9 has a wide Wilson interval. How many rows would make the interval
    ten times narrower at the same accuracy? (Within 200 rows.)""",
    solve=n_rows_solution,
    tolerance=200,
    hints=[
        "The standard error of an accuracy is the square root of p (1 - p) / n.",
        "Ten times narrower needs a hundred times as many rows, roughly; small numbers of rows make it a little less.",
    ],
    wrong=[
        Wrong(
            300,
            "ten times the rows narrow it only by the square root of ten.",
            "Expects uncertainty to shrink with n instead of with its square root.",
        ),
        Wrong(
            95,
            "that many rows make it narrower by less than two; the square root works the other way round.",
            "Takes the square root on the wrong side.",
        ),
    ],
    praise="a hundred times the rows for one more digit: fine differences between configurations need large data.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
