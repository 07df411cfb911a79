"""What lesson 1's functions are judged by: cases, usual mistakes, and faults in words."""

import math

from hpt_helpers.classroom.exercises.reading import is_close, is_number, is_position, pair_fault

CHOSEN_ON_TEST_ROWS = (
    "you choose the highest test accuracy: to choose on test rows makes the score too good."
)
HIGHEST_REPORTED = (
    "the choice is right, but you report the highest test accuracy, which another trial reached."
)


def _trials(columns: tuple, *rows: tuple) -> tuple:
    """Return the arguments of one case: a list of trials, each a dict with these columns."""
    return ([dict(zip(columns, row, strict=True)) for row in rows],)


# --- the winner of a table ------------------------------------------------------------------------


def winner_cases() -> list[tuple]:
    columns = ("val_accuracy", "val_loss", "epochs")
    return [
        _trials(columns, (0.9, 0.31, 100), (0.9, 0.22, 50), (0.8, 0.15, 50), (0.9, 0.22, 20)),
        _trials(columns, (0.7, 0.40, 50), (0.9, 0.35, 100), (0.9, 0.28, 100), (0.9, 0.50, 20)),
        _trials(columns, (0.9, 0.20, 50), (0.9, 0.20, 100), (0.6, 0.10, 20)),
        _trials(columns, (0.8, 0.20, 50), (0.95, 0.60, 100), (0.9, 0.15, 20)),
        _trials(columns, (0.9, 0.30, 20), (0.9, 0.20, 100), (0.9, 0.20, 50), (0.7, 0.10, 10)),
        _trials(columns, (0.9, 0.10, 20), (0.93, 0.30, 50)),
        _trials(columns, (0.9, 0.20, 100), (0.8, 0.20, 50)),
        _trials(columns, (0.8, 0.20, 50), (0.9, 0.20, 100)),
        _trials(columns, (0.9, 0.2213, 20), (0.9, 0.2208, 50)),  # equal when rounded
        _trials(columns, (0.931, 0.20, 50), (0.9333, 0.30, 50), (0.9, 0.10, 20)),
        _trials(columns, (0.9, 0.1, 10), (0.9002, 9.0, 2000), (0.85, 0.05, 10)),  # no weighted sum
        _trials(columns, (0.9, 0.2, 10), (0.9, 0.1999, 2000)),
    ]


def ranked_by(*columns: str, start: int = 0):
    """Return a winner that ranks by these columns in turn; "-name" puts the highest first."""

    def rank(trial: dict) -> tuple:
        return tuple(-trial[name[1:]] if name[0] == "-" else trial[name] for name in columns)

    return lambda trials: min(range(start, len(trials)), key=lambda i: rank(trials[i]))


def winner_explained(got, expected, trials) -> str:
    if isinstance(got, dict):
        return "a trial came back; what is asked for is its position in the list."
    if isinstance(got, list):
        return "a list came back; what is asked for is one position."
    if not is_number(got) or got != int(got):
        for name in trials[expected]:
            if got in [trial[name] for trial in trials]:
                return f"a `{name}` came back; a position is asked for."
        return ""
    if not is_position(got, len(trials)):
        n = len(trials)
        return f"there is no such position: count from 0, so that the last of {n} is {n - 1}."
    mine, best = trials[int(got)], trials[expected]
    if mine["val_accuracy"] < best["val_accuracy"]:
        return "another trial has a higher accuracy than the one at the position you return."
    same = "another trial has the same accuracy"
    if mine["val_loss"] > best["val_loss"]:
        return f"{same} as the one at the position you return, and a lower loss."
    return f"{same} and loss as the one at the position you return, and fewer epochs."


# --- the report of a search -----------------------------------------------------------------------


def report_cases() -> list[tuple]:
    columns = ("lr", "val_loss", "test_accuracy")
    nan = float("nan")  # not math.nan itself, which `is` would find
    late = (
        (0.03, 0.50, 0.90),
        (0.1, 0.40, 0.97),
        (0.01, 0.20, 0.92),
        (0.001, 0.80, 0.85),
        (0.0003, 0.60, 0.88),
        (0.02, 0.30, 0.91),
    )
    two_nan = (
        (10.0, nan, 0.30),
        (3.0, nan, 0.35),
        (0.1, 0.50, 0.96),
        (0.01, 0.22, 0.92),
        (0.001, 0.9, 0.5),
    )
    nan_first = ((10.0, nan, 0.33), (0.1, 0.25, 0.95), (0.01, 0.15, 0.91), (0.001, 0.60, 0.80))
    nan_inside = ((0.1, 0.50, 0.91), (1.0, nan, 0.96), (0.01, 0.21, 0.88), (0.001, 0.30, 0.90))
    return [
        _trials(columns, *late),
        _trials(columns, *nan_first),
        _trials(columns, (0.1, 0.15, 0.92), (0.01, 0.40, 0.97), (0.001, 0.60, 0.80)),
        _trials(columns, *two_nan),
        _trials(columns, *nan_inside),
        _trials(columns, (0.01, 0.30, 0.90), (0.1, 0.20, 0.93), (10.0, nan, 0.30)),
        _trials(columns, (0.01, 0.20, 0.92), (10.0, nan, 0.70), (0.1, 0.50, 0.86)),
        _trials(columns, (0.001, 1.60, 0.40), (0.01, 1.40, 0.45), (0.003, 1.90, 0.35)),
        _trials(columns, (10.0, nan, 0.40), (0.1, 14.0, 0.50), (0.03, 12.0, 0.60)),
        _trials(columns, (10.0, nan, 0.35), (0.01, 0.30, 0.90), (0.01, 0.30, 0.90)),
        _trials(columns, (0.01, 0.20, 0.70), (0.1, 0.22, 0.95), (0.001, 0.60, 0.97)),
    ]


def report_at(position: int):
    """Return a report that always takes the trial at this position."""
    return lambda trials: (trials[position]["lr"], trials[position]["test_accuracy"])


def report_lowest(trials):
    """Return what `min` finds, which goes astray where a nan stands first."""
    best = min(trials, key=lambda trial: trial["val_loss"])
    return best["lr"], best["test_accuracy"]


def report_explained(got, expected, trials) -> str:
    if fault := pair_fault(got, expected, "lr, score", "learning rate", "score"):
        return fault
    chosen = next((trial for trial in trials if trial["lr"] == got[0]), None)
    if chosen is None:
        return "the first of the two values has to be the learning rate of one of the trials."
    if got[0] != expected[0]:
        return _choice_explained(chosen, trials)
    return _score_explained(got[1], chosen, trials)


def _choice_explained(chosen: dict, trials: list[dict]) -> str:
    trained = [trial for trial in trials if not math.isnan(trial["val_loss"])]
    if chosen not in trained:
        return (
            "you choose a trial that diverged, whose loss was nan. "
            "(nan != nan is True; math.isnan tells.)"
        )
    if chosen["test_accuracy"] == max(trial["test_accuracy"] for trial in trained):
        return CHOSEN_ON_TEST_ROWS
    if chosen["val_loss"] == max(trial["val_loss"] for trial in trained):
        return "you choose the highest validation loss; a lower loss is a better one."
    if len(trained) < len(trials):
        return (
            "another trial has a lower validation loss. "
            "`min` and `sorted` go astray where nan is among the losses."
        )
    if chosen == trials[0]:
        return (
            "you return the first trial, and another has a lower validation loss: "
            "is every trial looked at?"
        )
    if chosen == trials[-1]:
        return (
            "you return the last trial, and another has a lower validation loss: "
            "is every trial compared with the best so far?"
        )
    return "another trial has a lower validation loss than the one you choose."


def _score_explained(score, chosen: dict, trials: list[dict]) -> str:
    accuracies = [trial["test_accuracy"] for trial in trials]
    if score == max(accuracies):
        return HIGHEST_REPORTED
    if score == chosen["val_loss"]:
        return "the choice is right, but you report its validation loss; report its test accuracy."
    if is_close(score, sum(accuracies) / len(accuracies)):
        return (
            "the choice is right, but you report the mean of all test accuracies; "
            "report the chosen trial's."
        )
    return "the choice is right; the score should be the test accuracy of the chosen trial."
