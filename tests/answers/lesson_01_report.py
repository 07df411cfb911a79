"""Answers to lesson 1, exercise 3: the learning rate of the lowest validation loss, and its test
accuracy.
"""

import math

import numpy as np
import pandas as pd

from answers.collected import right, wrong


@right("1.q3")
def skips_nan_in_the_loop(trials):
    best = None
    for trial in trials:
        if math.isnan(trial["val_loss"]):
            continue
        if best is None or trial["val_loss"] < best["val_loss"]:
            best = trial
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def keeps_the_finite_ones(trials):
    best = min([t for t in trials if math.isfinite(t["val_loss"])], key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def starts_at_infinity(trials):
    lowest = float("inf")
    for trial in trials:
        if trial["val_loss"] < lowest:
            lowest = trial["val_loss"]
            best = trial
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def nan_counts_as_infinity(trials):
    best = min(trials, key=lambda t: math.inf if math.isnan(t["val_loss"]) else t["val_loss"])
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def nan_differs_from_itself(trials):
    best = min((t for t in trials if t["val_loss"] == t["val_loss"]), key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def table_and_idxmin(trials):
    table = pd.DataFrame(trials)
    best = table.loc[table["val_loss"].idxmin()]
    return best["lr"], best["test_accuracy"]


@right("1.q3")
def table_sorted(trials):
    best = pd.DataFrame(trials).sort_values("val_loss").iloc[0]
    return best.lr, best.test_accuracy


@right("1.q3")
def table_without_nan(trials):
    best = pd.DataFrame(trials).dropna().nsmallest(1, "val_loss")
    return best["lr"].item(), best["test_accuracy"].item()


@right("1.q3")
def a_row_of_the_table(trials):
    table = pd.DataFrame(trials).dropna()
    return table.loc[table["val_loss"].idxmin(), ["lr", "test_accuracy"]]


@right("1.q3")
def nanargmin(trials):
    i = np.nanargmin([t["val_loss"] for t in trials])
    return trials[i]["lr"], trials[i]["test_accuracy"]


@right("1.q3")
def a_list_of_two(trials):
    ok = sorted((t for t in trials if not np.isnan(t["val_loss"])), key=lambda t: t["val_loss"])
    return [ok[0]["lr"], ok[0]["test_accuracy"]]


@right("1.q3")
def an_array_of_two(trials):
    return np.array(nanargmin(trials))


@right("1.q3")
def repairs_the_comparison(trials):
    best = trials[0]
    for trial in trials:
        if math.isnan(best["val_loss"]) or trial["val_loss"] < best["val_loss"]:
            best = trial
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "starter is unchanged")
def unchanged(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], max(trial["test_accuracy"] for trial in trials)


@wrong("1.q3", "test rows", "choose")
def still_chooses_on_test_rows(trials):
    best = max(
        (t for t in trials if not math.isnan(t["val_loss"])), key=lambda t: t["test_accuracy"]
    )
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "highest test accuracy", "report")
def still_reports_the_highest(trials):
    best = min((t for t in trials if not math.isnan(t["val_loss"])), key=lambda t: t["val_loss"])
    return best["lr"], max(t["test_accuracy"] for t in trials)


@wrong("1.q3", "nan")
def nan_stays_first(trials):
    best = trials[0]
    for trial in trials:
        if trial["val_loss"] < best["val_loss"]:
            best = trial
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "nan")
def plain_minimum(trials):
    best = min(trials, key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "nan")
def looks_at_the_first_only(trials):
    if math.isnan(trials[0]["val_loss"]):
        trials = trials[1:]
    best = min(trials, key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "nan")
def removes_while_looping(trials):
    for trial in trials:
        if math.isnan(trial["val_loss"]):
            trials.remove(trial)
    best = min(trials, key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "nan")
def argmin(trials):
    i = np.argmin([t["val_loss"] for t in trials])
    return trials[i]["lr"], trials[i]["test_accuracy"]


@wrong("1.q3", "nan")
def nan_becomes_zero(trials):
    best = pd.DataFrame(trials).fillna(0).sort_values("val_loss").iloc[0]
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "second trial")
def always_the_second(trials):
    return trials[1]["lr"], trials[1]["test_accuracy"]


@wrong("1.q3", "first trial")
def never_the_first(trials):
    best = min(
        (t for t in trials[1:] if not math.isnan(t["val_loss"])), key=lambda t: t["val_loss"]
    )
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "last trial")
def never_the_last(trials):
    best = trials[0]
    for i in range(len(trials) - 1):
        if math.isnan(best["val_loss"]) or trials[i]["val_loss"] < best["val_loss"]:
            best = trials[i]
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "highest validation loss")
def the_highest_loss(trials):
    best = max((t for t in trials if not math.isnan(t["val_loss"])), key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "learning rate first")
def swapped(trials):
    lr, score = nanargmin(trials)
    return score, lr


@wrong("1.q3", "two values")
def learning_rate_alone(trials):
    return nanargmin(trials)[0]


@wrong("1.q3", "validation loss", "test accuracy")
def reports_the_loss(trials):
    i = np.nanargmin([t["val_loss"] for t in trials])
    return trials[i]["lr"], trials[i]["val_loss"]


@wrong("1.q3", "two values")
def the_trial(trials):
    return trials[np.nanargmin([t["val_loss"] for t in trials])]


@wrong("1.q3", "None", "return")
def nothing(trials):
    nanargmin(trials)


@wrong("1.q3", "mean")
def the_mean_score(trials):
    return nanargmin(trials)[0], float(np.mean([t["test_accuracy"] for t in trials]))


@wrong("1.q3", "KeyError", "val_accuracy")
def a_column_that_is_not_there(trials):
    best = max(trials, key=lambda t: t["val_accuracy"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "A list is passed", "pd.DataFrame(...)")
def a_column_of_a_list(trials):
    best = trials.loc[trials["val_loss"].idxmin()]
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "[0.01, 0.97]")
def minimum_after_the_first(trials):
    best = min(trials[1:], key=lambda t: t["val_loss"])
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "test rows")
def reports_well_and_chooses_on_test_rows(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], best["test_accuracy"]


def chosen(trials, key=lambda trial: trial["val_loss"]):
    best = min(trials, key=key)
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "math.isnan")
def nan_by_identity(trials):
    return chosen([t for t in trials if t["val_loss"] is not math.nan])


@wrong("1.q3", "diverged")
def nan_for_ten(trials):
    return chosen(trials, lambda t: 10 if math.isnan(t["val_loss"]) else t["val_loss"])


@wrong("1.q3", "diverged")
def nan_for_the_mean(trials):
    table = pd.DataFrame(trials)
    best = table.loc[table["val_loss"].fillna(table["val_loss"].mean()).idxmin()]
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "first trial", "every trial looked at")
def returns_within_the_loop(trials):
    best = trials[0]
    for trial in trials:
        if math.isnan(best["val_loss"]) or trial["val_loss"] < best["val_loss"]:
            best = trial
        return best["lr"], best["test_accuracy"]


@wrong("1.q3", "last trial", "best so far")
def never_lowers_the_bar(trials):
    best, lowest = trials[0], math.inf
    for trial in trials:
        if trial["val_loss"] < lowest:
            best = trial
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "first trial")
def no_loss_is_above_one(trials):
    best, lowest = next(t for t in trials if not math.isnan(t["val_loss"])), 1
    for trial in trials:
        if trial["val_loss"] < lowest:
            best, lowest = trial, trial["val_loss"]
    return best["lr"], best["test_accuracy"]


@wrong("1.q3", "lower validation loss")
def accuracy_less_loss(trials):
    good = [t for t in trials if not math.isnan(t["val_loss"])]
    return chosen(good, lambda t: t["val_loss"] - t["test_accuracy"])
