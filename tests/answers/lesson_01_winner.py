"""Answers to lesson 1, exercise 1: the position of the winner, ties by loss, then by epochs."""

import functools

import numpy as np
import pandas as pd

from answers.collected import right, wrong


@right("1.q1")
def smallest_key(trials):
    def rank(i):
        return -trials[i]["val_accuracy"], trials[i]["val_loss"], trials[i]["epochs"]

    return min(range(len(trials)), key=rank)


@right("1.q1")
def largest_key(trials):
    key = lambda pair: (pair[1]["val_accuracy"], -pair[1]["val_loss"], -pair[1]["epochs"])  # noqa: E731
    return max(enumerate(trials), key=key)[0]


@right("1.q1")
def index_of_the_smallest(trials):
    return trials.index(min(trials, key=lambda t: (-t["val_accuracy"], t["val_loss"], t["epochs"])))


@right("1.q1")
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


@right("1.q1")
def a_sorted_table(trials):
    table = pd.DataFrame(trials)
    return table.sort_values(
        ["val_accuracy", "val_loss", "epochs"], ascending=[False, True, True]
    ).index[0]


@right("1.q1")
def a_table_filtered_thrice(trials):
    table = pd.DataFrame(trials)
    table = table[table["val_accuracy"] == table["val_accuracy"].max()]
    table = table[table["val_loss"] == table["val_loss"].min()]
    return table["epochs"].idxmin()


@right("1.q1")
def a_lexicographic_sort(trials):
    columns = [
        [t["epochs"] for t in trials],
        [t["val_loss"] for t in trials],
        [-t["val_accuracy"] for t in trials],
    ]
    return np.lexsort(columns)[0]


@right("1.q1")
def lists_filtered_thrice(trials):
    left = list(range(len(trials)))
    for name, pick in (("val_accuracy", max), ("val_loss", min), ("epochs", min)):
        goal = pick(trials[i][name] for i in left)
        left = [i for i in left if trials[i][name] == goal]
    return left[0]


@right("1.q1")
def sorts_the_list_it_was_given(trials):
    before = list(trials)
    trials.sort(key=lambda t: (-t["val_accuracy"], t["val_loss"], t["epochs"]))
    return before.index(trials[0])


@right("1.q1")
def writes_into_the_trials(trials):
    for i, trial in enumerate(trials):
        trial["position"] = i
    return min(trials, key=lambda t: (-t["val_accuracy"], t["val_loss"], t["epochs"]))["position"]


@right("1.q1")
def a_fold(trials):
    def better(i, j):
        a, b = trials[i], trials[j]
        key_a = (a["val_accuracy"], -a["val_loss"], -a["epochs"])
        return i if key_a >= (b["val_accuracy"], -b["val_loss"], -b["epochs"]) else j

    return functools.reduce(better, range(len(trials)))


@right("1.q1")
def three_stable_sorts(trials):
    order = sorted(range(len(trials)), key=lambda i: trials[i]["epochs"])
    order.sort(key=lambda i: trials[i]["val_loss"])
    order.sort(key=lambda i: trials[i]["val_accuracy"], reverse=True)
    return order[0]


@right("1.q1")
def an_array_with_one_position(trials):
    return np.array(smallest_key(trials))


@right("1.q1")
def works_on_dicts_and_on_a_table(trials):
    if not isinstance(trials, pd.DataFrame):
        trials = pd.DataFrame(trials)
    return int(
        trials.assign(a=-trials["val_accuracy"]).sort_values(["a", "val_loss", "epochs"]).index[0]
    )


@wrong("1.q1", "accuracy alone")
def accuracy_alone(trials):
    return max(range(len(trials)), key=lambda i: trials[i]["val_accuracy"])


@wrong("1.q1", "accuracy and the loss", "epochs")
def accuracy_and_loss(trials):
    return min(
        range(len(trials)), key=lambda i: (-trials[i]["val_accuracy"], trials[i]["val_loss"])
    )


@wrong("1.q1", "lowest accuracy", "minus")
def forgot_the_minus_of_the_accuracy(trials):
    return min(
        range(len(trials)),
        key=lambda i: tuple(trials[i][k] for k in ("val_accuracy", "val_loss", "epochs")),
    )


@wrong("1.q1", "highest loss", "minus")
def forgot_the_minus_of_the_loss(trials):
    return max(
        range(len(trials)),
        key=lambda i: tuple(trials[i][k] for k in ("val_accuracy", "val_loss", "epochs")),
    )


@wrong("1.q1", "most epochs")
def forgot_the_minus_of_the_epochs(trials):
    def key(i):
        return trials[i]["val_accuracy"], -trials[i]["val_loss"], trials[i]["epochs"]

    return max(range(len(trials)), key=key)


@wrong("1.q1", "epochs before the loss")
def epochs_before_loss(trials):
    key = lambda i: (-trials[i]["val_accuracy"], trials[i]["epochs"], trials[i]["val_loss"])  # noqa: E731
    return min(range(len(trials)), key=key)


@wrong("1.q1", "loss", "accuracy comes first")
def loss_alone(trials):
    return int(np.argmin([t["val_loss"] for t in trials]))


@wrong("1.q1", "accuracy minus loss")
def accuracy_minus_loss(trials):
    return max(range(len(trials)), key=lambda i: trials[i]["val_accuracy"] - trials[i]["val_loss"])


@wrong("1.q1", "a trial", "position")
def the_trial_itself(trials):
    return min(trials, key=lambda t: (-t["val_accuracy"], t["val_loss"], t["epochs"]))


@wrong("1.q1", "count from 0")
def counted_from_one(trials):
    return 1 + smallest_key(trials)


@wrong("1.q1", "first trial")
def never_the_first(trials):
    return min(
        range(1, len(trials)),
        key=lambda i: (-trials[i]["val_accuracy"], trials[i]["val_loss"], trials[i]["epochs"]),
    )


@wrong("1.q1", "position 0")
def takes_zero_for_nothing(trials):
    best = best_key = None
    for i, t in enumerate(trials):
        key = (-t["val_accuracy"], t["val_loss"], t["epochs"])
        if not best or key < best_key:
            best, best_key = i, key
    return best


@wrong("1.q1", "0", "position")
def index_after_a_reset(trials):
    table = pd.DataFrame(trials).sort_values(
        ["val_accuracy", "val_loss", "epochs"], ascending=[False, True, True]
    )
    return table.reset_index().index[0]


@wrong("1.q1", "None", "return")
def prints_it(trials):
    best = smallest_key(trials)
    str(best)  # stands for print(best)


@wrong("1.q1", "KeyError", "'accuracy'")
def a_name_of_its_own(trials):
    return max(range(len(trials)), key=lambda i: trials[i]["accuracy"])


@wrong("1.q1", "list")
def all_positions_in_order(trials):
    return sorted(
        range(len(trials)), key=lambda i: (-trials[i]["val_accuracy"], trials[i]["val_loss"], i)
    )


@wrong("1.q1", "higher accuracy")
def rounds_the_accuracy(trials):
    return min(
        range(len(trials)),
        key=lambda i: (
            -round(trials[i]["val_accuracy"], 1),
            trials[i]["val_loss"],
            trials[i]["epochs"],
        ),
    )


@wrong("1.q1", "argument")
def two_arguments(trials, rule):
    return 0


@wrong("1.q1", "A list is passed", "pd.DataFrame(...)")
def a_table_without_making_it_one(trials):
    return trials.sort_values(
        ["val_accuracy", "val_loss", "epochs"], ascending=[False, True, True]
    ).index[0]


@wrong("1.q1", "higher accuracy")
def rounds_the_accuracy_to_two_decimals(trials):
    return min(
        range(len(trials)),
        key=lambda i: (
            -round(trials[i]["val_accuracy"], 2),
            trials[i]["val_loss"],
            trials[i]["epochs"],
        ),
    )


@wrong("1.q1", "lower loss")
def a_weighted_sum(trials):
    return max(
        range(len(trials)),
        key=lambda i: (
            1000 * trials[i]["val_accuracy"] - trials[i]["val_loss"] - trials[i]["epochs"] / 1000
        ),
    )
