"""What lesson 1's exercises on trials are judged by: their lists of trials, usual mistakes, and
faults in words.
"""

import math


def _trials(columns, *rows) -> tuple:
    return ([dict(zip(columns, row, strict=True)) for row in rows],)


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
        _trials(columns, (0.9, 0.2213, 20), (0.9, 0.2208, 50)),
        _trials(columns, (0.931, 0.20, 50), (0.9333, 0.30, 50), (0.9, 0.10, 20)),
        _trials(columns, (0.9, 0.1, 10), (0.9002, 9.0, 2000), (0.85, 0.05, 10)),
        _trials(columns, (0.9, 0.2, 10), (0.9, 0.1999, 2000)),
    ]


def ranked_by(*signed_columns, start=0):
    """Return a winner that ranks by these columns; a minus in front of a name puts the highest
    first.
    """

    def rank(trial):
        return tuple(-trial[name[1:]] if name[0] == "-" else trial[name] for name in signed_columns)

    return lambda trials: min(range(start, len(trials)), key=lambda i: rank(trials[i]))


def winner_explained(got, expected, trials) -> str:
    if isinstance(got, dict):
        return "a trial came back; what is asked for is its position in the list."
    if isinstance(got, list):
        return "a list came back; what is asked for is one position."
    if type(got) not in (int, float) or got != int(got):
        name = next((n for n in trials[expected] if got in [trial[n] for trial in trials]), "")
        return f"a `{name}` came back; a position is asked for." if name else ""
    if not 0 <= got < len(trials):
        return f"there is no such position: count from 0, so that the last of {len(trials)} is {len(trials) - 1}."
    mine, best = trials[int(got)], trials[expected]
    if mine["val_accuracy"] < best["val_accuracy"]:
        return "another trial has a higher accuracy than the one at the position you return."
    if mine["val_loss"] > best["val_loss"]:
        return "another trial has the same accuracy as the one at the position you return, and a lower loss."
    return "another trial has the same accuracy and loss as the one at the position you return, and fewer epochs."


def report_cases() -> list[tuple]:
    # not math.nan itself, or `is` would find it
    columns, nan = ("lr", "val_loss", "test_accuracy"), float("nan")
    many = (
        (0.03, 0.50, 0.90),
        (0.1, 0.40, 0.97),
        (0.01, 0.20, 0.92),
        (0.001, 0.80, 0.85),
        (0.0003, 0.60, 0.88),
    )
    return [
        _trials(columns, *many, (0.02, 0.30, 0.91)),
        _trials(
            columns, (10.0, nan, 0.33), (0.1, 0.25, 0.95), (0.01, 0.15, 0.91), (0.001, 0.60, 0.80)
        ),
        _trials(columns, (0.1, 0.15, 0.92), (0.01, 0.40, 0.97), (0.001, 0.60, 0.80)),
        _trials(
            columns,
            (10.0, nan, 0.30),
            (3.0, nan, 0.35),
            (0.1, 0.50, 0.96),
            (0.01, 0.22, 0.92),
            (0.001, 0.9, 0.5),
        ),
        _trials(
            columns, (0.1, 0.50, 0.91), (1.0, nan, 0.96), (0.01, 0.21, 0.88), (0.001, 0.30, 0.90)
        ),
        _trials(columns, (0.01, 0.30, 0.90), (0.1, 0.20, 0.93), (10.0, nan, 0.30)),
        _trials(columns, (0.01, 0.20, 0.92), (10.0, nan, 0.70), (0.1, 0.50, 0.86)),
        _trials(columns, (0.001, 1.60, 0.40), (0.01, 1.40, 0.45), (0.003, 1.90, 0.35)),
        _trials(columns, (10.0, nan, 0.40), (0.1, 14.0, 0.50), (0.03, 12.0, 0.60)),
        _trials(columns, (10.0, nan, 0.35), (0.01, 0.30, 0.90), (0.01, 0.30, 0.90)),
        _trials(columns, (0.01, 0.20, 0.70), (0.1, 0.22, 0.95), (0.001, 0.60, 0.97)),
    ]


def report_explained(got, expected, trials) -> str:
    if not isinstance(got, list) or len(got) != 2:
        return (
            "nothing came back; print returns nothing: `return lr, score`."
            if got is None
            else "return two values, the learning rate and the score: `return lr, score`."
        )
    if got == expected[::-1]:
        return "return the learning rate first, and then the score."
    chosen = next((t for t in trials if t["lr"] == got[0]), None)
    if chosen is None:
        return "the first of the two values has to be the learning rate of one of the trials."
    return (
        _score_explained(got[1], chosen, trials)
        if got[0] == expected[0]
        else _choice_explained(chosen, trials)
    )


def _choice_explained(chosen: dict, trials: list[dict]) -> str:
    trained = [t for t in trials if not math.isnan(t["val_loss"])]
    if chosen not in trained:
        return "you choose a trial that diverged, whose loss was nan. (nan != nan is True; math.isnan tells.)"
    if chosen["test_accuracy"] == max(t["test_accuracy"] for t in trained):
        return (
            "you choose the highest test accuracy: to choose on test rows makes the score too good."
        )
    if chosen["val_loss"] == max(t["val_loss"] for t in trained):
        return "you choose the highest validation loss; a lower loss is a better one."
    if len(trained) == len(trials) and chosen in (trials[0], trials[-1]):
        place, question = (
            ("first", "looked at")
            if chosen == trials[0]
            else ("last", "compared with the best so far")
        )
        return f"you return the {place} trial, and another has a lower validation loss: is every trial {question}?"
    if len(trained) < len(trials):
        return "another trial has a lower validation loss. `min` and `sorted` go astray where nan is among the losses."
    return "another trial has a lower validation loss than the one you choose."


def _score_explained(score, chosen: dict, trials: list[dict]) -> str:
    accuracies = [t["test_accuracy"] for t in trials]
    if score == max(accuracies):
        return "the choice is right, but you report the highest test accuracy, which another trial reached."
    if score == chosen["val_loss"]:
        return "the choice is right, but you report its validation loss; report its test accuracy."
    if type(score) is float and math.isclose(score, sum(accuracies) / len(accuracies)):
        return "the choice is right, but you report the mean of all test accuracies; report the chosen trial's."
    return "the choice is right; the score should be the test accuracy of the chosen trial."


def report_at(position):
    return lambda trials: (trials[position]["lr"], trials[position]["test_accuracy"])


def report_lowest(trials):
    best = min(trials, key=lambda trial: trial["val_loss"])
    return best["lr"], best["test_accuracy"]
