"""Answers to lesson 1: a winner with ties, a report, a number of rows."""

import math

import numpy as np
import pandas as pd

from hpt_helpers.data import wilson_interval

COLUMNS = ["val_accuracy", "val_loss", "epochs"]


def rank(trial):
    return -trial["val_accuracy"], trial["val_loss"], trial["epochs"]


def a_loop_of_ifs(trials):
    best = 0
    for i in range(1, len(trials)):
        a, b = trials[i], trials[best]
        if a["val_accuracy"] > b["val_accuracy"]:
            best = i
        elif a["val_accuracy"] == b["val_accuracy"]:
            if a["val_loss"] < b["val_loss"]:
                best = i
            if a["val_loss"] == b["val_loss"] and a["epochs"] < b["epochs"]:
                best = i
    return best


def a_sorted_table(trials):
    return pd.DataFrame(trials).sort_values(COLUMNS, ascending=[False, True, True]).index[0]


def a_lexicographic_sort(trials):
    accuracy, loss, epochs = pd.DataFrame(trials)[COLUMNS].to_numpy().T
    return np.lexsort([epochs, loss, -accuracy])[0]


def lists_filtered_thrice(trials):
    left = list(range(len(trials)))
    for name, pick in (("val_accuracy", max), ("val_loss", min), ("epochs", min)):
        goal = pick(trials[i][name] for i in left)
        left = [i for i in left if trials[i][name] == goal]
    return left[0]


def writes_into_the_trials(trials):
    for i, trial in enumerate(trials):
        trial["position"] = i
    return min(trials, key=rank)["position"]


def takes_zero_for_nothing(trials):
    best = None
    for i, trial in enumerate(trials):
        if not best or rank(trial) < rank(trials[best]):
            best = i
    return best


def rounds(digits):
    def key(trial):
        return -round(trial["val_accuracy"], digits), trial["val_loss"], trial["epochs"]

    return lambda trials: min(range(len(trials)), key=lambda i: key(trials[i]))


def weighted_sum(of_accuracy, of_epochs):
    """Return a winner by one score, with these weights beside the loss's of 1."""

    def score(trial):
        return of_accuracy * trial["val_accuracy"] - trial["val_loss"] - of_epochs * trial["epochs"]

    return lambda trials: int(np.argmax([score(trial) for trial in trials]))


# --- exercise 3 -----------------------------------------------------------------------------------


def chosen(trials, key=lambda trial: trial["val_loss"], pick=min):
    best = pick(trials, key=key)
    return best["lr"], best["test_accuracy"]


def good(trials):
    return [trial for trial in trials if not math.isnan(trial["val_loss"])]


def reporting(score):
    """Return a report that chooses rightly and reports score(chosen trial)."""

    def report(trials):
        best = min(good(trials), key=lambda trial: trial["val_loss"])
        return best["lr"], score(best)

    return report


def reports_the_mean(trials):
    return chosen(good(trials))[0], np.mean([trial["test_accuracy"] for trial in trials])


def starts_at_infinity(trials):
    lowest = math.inf
    for trial in trials:
        if trial["val_loss"] < lowest:
            lowest, best = trial["val_loss"], trial
    return best["lr"], best["test_accuracy"]


def repairs_the_comparison(trials):
    best = trials[0]
    for trial in trials:
        if math.isnan(best["val_loss"]) or trial["val_loss"] < best["val_loss"]:
            best = trial
    return best["lr"], best["test_accuracy"]


def a_row_of_a_table(trials):
    table = pd.DataFrame(trials)
    return table.loc[table["val_loss"].idxmin(), ["lr", "test_accuracy"]]


def an_array_of_two(trials):
    i = np.nanargmin([trial["val_loss"] for trial in trials])
    return np.array([trials[i]["lr"], trials[i]["test_accuracy"]])


def unchanged(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], max(trial["test_accuracy"] for trial in trials)


def removes_while_looping(trials):
    for trial in trials:
        if math.isnan(trial["val_loss"]):
            trials.remove(trial)
    return chosen(trials)


def nan_for_the_mean(trials):
    table = pd.DataFrame(trials)
    return tuple(
        table.loc[table["val_loss"].fillna(table["val_loss"].mean()).idxmin()][
            ["lr", "test_accuracy"]
        ]
    )


def returns_within_the_loop(trials):
    best = trials[0]
    for trial in trials:
        if math.isnan(best["val_loss"]) or trial["val_loss"] < best["val_loss"]:
            best = trial
        return best["lr"], best["test_accuracy"]


def never_lowers_the_bar(trials):
    best, lowest = trials[0], math.inf
    for trial in trials:
        if trial["val_loss"] < lowest:
            best = trial
    return best["lr"], best["test_accuracy"]


def no_loss_is_above_one(trials):
    best, lowest = good(trials)[0], 1
    for trial in trials:
        if trial["val_loss"] < lowest:
            best, lowest = trial, trial["val_loss"]
    return best["lr"], best["test_accuracy"]


def never_the_last(trials):
    return repairs_the_comparison(trials[:-1])


def or_ten(trial):
    return 10 if math.isnan(trial["val_loss"]) else trial["val_loss"]


def smallest_n():
    def width(n):
        interval = wilson_interval(round(0.9 * n), n)
        return interval.high - interval.low

    return next(n for n in range(30, 10_000, 10) if width(n) <= width(30) / 10)


RIGHT = {
    "q1": [
        a_loop_of_ifs,
        a_sorted_table,
        a_lexicographic_sort,
        lists_filtered_thrice,
        writes_into_the_trials,
        lambda trials: np.array([a_loop_of_ifs(trials)]),
    ],
    "q3": [
        starts_at_infinity,
        repairs_the_comparison,
        a_row_of_a_table,
        an_array_of_two,
        lambda trials: list(chosen(good(trials))),
    ],
    "q4": [smallest_n(), smallest_n, 2650, 3000, "2820", np.array([2820])],
}
WRONG = [
    ("q1", lambda trials: min(trials, key=rank), "a trial came back"),
    ("q1", lambda trials: sorted(range(len(trials)), key=lambda i: rank(trials[i])), "a list came"),
    ("q1", lambda trials: min(trial["val_loss"] for trial in trials), "a `val_loss` came back"),
    ("q1", lambda trials: len(trials) + a_loop_of_ifs(trials), "there is no such position"),
    ("q1", lambda trials: str(a_loop_of_ifs(trials)) and None, "the function has to `return`"),
    ("q1", lambda trials: max(trials, key=lambda t: t["accuracy"]), "KeyError: 'accuracy'"),
    ("q1", lambda trials, rule: 0, "Keep the arguments"),
    ("q1", lambda trials: trials.sort_values(COLUMNS), "A list is passed"),
    ("q1", takes_zero_for_nothing, "taken for nothing by `not best`"),
    ("q1", rounds(1), "another trial has a higher accuracy"),
    ("q1", rounds(2), "another trial has a higher accuracy"),
    ("q1", weighted_sum(1000, 1e-3), "and a lower loss"),
    ("q1", weighted_sum(100, 1e-9), "another trial has a higher accuracy"),
    ("q1", lambda trials: len(trials) - 1, "and a lower loss"),
    ("q1", lambda trials: 0 if trials[0]["epochs"] == 100 else a_loop_of_ifs(trials), "lower loss"),
    ("q3", unchanged, "starter is unchanged"),
    ("q3", lambda trials: print(*chosen(trials)), "print returns nothing"),
    ("q3", lambda trials: chosen(good(trials))[0], "return two values"),
    ("q3", lambda trials: [*chosen(good(trials)), 30], "return two values"),
    ("q3", lambda trials: chosen(good(trials))[::-1], "learning rate first"),
    ("q3", lambda trials: (0.5, 0.5), "has to be the learning rate of one of the trials"),
    ("q3", lambda trials: chosen(trials, lambda t: t["val_accuracy"]), "KeyError: 'val_accuracy'"),
    ("q3", removes_while_looping, "leave out a nan in the first place; after it another"),
    ("q3", lambda trials: chosen([t for t in trials if t["val_loss"] is not math.nan]), "isnan"),
    ("q3", lambda trials: chosen([t for t in trials if t["val_loss"] != math.nan]), "isnan"),
    ("q3", lambda trials: chosen(trials, or_ten), "you choose a trial that diverged"),
    ("q3", nan_for_the_mean, "you choose a trial that diverged"),
    ("q3", returns_within_the_loop, "you return the first trial"),
    ("q3", never_lowers_the_bar, "you return the last trial"),
    ("q3", never_the_last, "last trial can never win"),
    ("q3", no_loss_is_above_one, "you return the first trial"),
    ("q3", lambda trials: chosen(trials[1:]), "you choose the highest test accuracy"),
    ("q3", lambda trials: chosen(good(trials), pick=max), "highest validation loss"),
    (
        "q3",
        lambda trials: chosen(good(trials), lambda t: t["val_loss"] - t["test_accuracy"]),
        "another trial has a lower validation loss than the one you choose",
    ),
    (
        "q3",
        lambda trials: chosen(good(trials), lambda t: t["test_accuracy"], max),
        "choose on test rows",
    ),
    ("q3", reporting(lambda trial: trial["val_loss"]), "you report its validation loss"),
    ("q3", reporting(lambda trial: 0.5), "the score should be the test accuracy"),
    ("q3", reports_the_mean, "you report the mean"),
    ("q4", 300, "square root of ten"),
    ("q4", 302, "square root of ten"),
    ("q4", 5 * smallest_n(), "the whole data set"),
    ("q4", 2600, "2600: too low, by more than the 200"),
    ("q4", 3030, "3030: too high"),
    ("q4", -2820, "-2820: too low"),
]
