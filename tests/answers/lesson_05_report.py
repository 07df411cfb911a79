"""Answers to lesson 5, exercise 3: `report(finalists)`."""

import math
import statistics

import numpy as np
import pandas as pd

from answers.collected import right, wrong


def failed(finalist):
    return any(loss != loss for loss in finalist["again"])


@right("5.q3")
def loop(finalists):
    best, lowest = None, math.inf
    for i, finalist in enumerate(finalists):
        mean = (finalist["again"][0] + finalist["again"][1]) / 2
        if not failed(finalist) and mean < lowest:
            best, lowest = i, mean
    return best, (finalists[best]["again"][2] + finalists[best]["again"][3]) / 2


@right("5.q3")
def sorts(finalists):
    good = [(statistics.mean(f["again"][:2]), i) for i, f in enumerate(finalists) if not failed(f)]
    _, i = sorted(good)[0]
    return i, statistics.mean(finalists[i]["again"][2:])


@right("5.q3")
def array(finalists):
    again = np.array([f["again"] for f in finalists])
    score = again[:, :2].mean(axis=1)
    score[np.isnan(again).any(axis=1)] = np.inf
    i = score.argmin()
    return i, again[i, 2:].mean()


@right("5.q3")
def nan_spreads(finalists):
    again = np.array([f["again"] for f in finalists])
    i = int(np.nanargmin(again[:, :2].mean(axis=1) + 0 * again.sum(axis=1)))
    return [i, again[i, 2:].mean()]


@right("5.q3")
def table(finalists):
    again = pd.DataFrame([f["again"] for f in finalists]).dropna()
    i = again[[0, 1]].mean(axis=1).idxmin()
    return i, again.loc[i, [2, 3]].mean()


@right("5.q3")
def infinite(finalists):
    def rank(i):
        again = finalists[i]["again"]
        return math.inf if any(map(math.isnan, again)) else sum(again[:2])

    i = min(range(len(finalists)), key=rank)
    return i, sum(finalists[i]["again"][2:]) / 2


@right("5.q3")
def pairs(finalists):
    good = [(i, f) for i, f in enumerate(finalists) if not np.isnan(f["again"]).any()]
    i, f = min(good, key=lambda pair: np.mean(pair[1]["again"][:2]))
    return i, np.mean(f["again"][2:])


@right("5.q3")
def filter_and_index(finalists):
    good = [f for f in finalists if not failed(f)]
    best = min(good, key=lambda f: sum(f["again"][:2]))
    return finalists.index(best), sum(best["again"][-2:]) / 2


@right("5.q3")
def tuple_of_numpy(finalists):
    i, loss = loop(finalists)
    return np.int64(i), np.float64(loss)


@right("5.q3")
def nan_last(finalists):
    order = sorted(
        range(len(finalists)), key=lambda i: (failed(finalists[i]), sum(finalists[i]["again"][:2]))
    )
    return order[0], statistics.fmean(finalists[order[0]]["again"][2:])


@right("5.q3")
def dict_of_means(finalists):
    means = {
        i: sum(f["again"][:2]) for i, f in enumerate(finalists) if all(x == x for x in f["again"])
    }
    i = min(means, key=means.get)
    return i, 0.5 * (finalists[i]["again"][2] + finalists[i]["again"][3])


@right("5.q3")
def as_array(finalists):
    return np.array(loop(finalists))


@wrong("5.q3", "lowest by luck")
def by_searched(finalists):
    i = min(
        (i for i in range(len(finalists)) if not failed(finalists[i])),
        key=lambda i: finalists[i]["searched"],
    )
    return i, finalists[i]["searched"]


@wrong("5.q3", "two losses that chose")
def reports_the_choosers(finalists):
    i, _ = loop(finalists)
    return i, sum(finalists[i]["again"][:2]) / 2


@wrong("5.q3", "all four losses")
def all_four(finalists):
    i = min(
        (i for i in range(len(finalists)) if not failed(finalists[i])),
        key=lambda i: sum(finalists[i]["again"]),
    )
    return i, sum(finalists[i]["again"]) / 4


@wrong("5.q3", "nan in `again`")
def ignores_nan(finalists):
    i = min(range(len(finalists)), key=lambda i: sum(finalists[i]["again"][:2]))
    return i, sum(finalists[i]["again"][2:]) / 2


@wrong("5.q3", "nan in `again`")
def nan_of_choosers_only(finalists):
    score = [np.mean(f["again"][:2]) for f in finalists]
    i = int(np.nanargmin(score))
    return i, np.mean(finalists[i]["again"][2:])


@wrong("5.q3", "nan in `again`")
def skips_the_nan_losses(finalists):
    i = int(np.argmin([np.nanmean([*f["again"][:2], 9.0]) for f in finalists]))
    return i, float(np.nanmean(finalists[i]["again"][2:]))


@wrong("5.q3", "shorter list")
def shifted(finalists):
    good = [f for f in finalists if not failed(f)]
    i = min(range(len(good)), key=lambda i: sum(good[i]["again"][:2]))
    return i, sum(good[i]["again"][2:]) / 2


@wrong("5.q3", "position first")
def swapped(finalists):
    return loop(finalists)[::-1]


@wrong("5.q3", "two values")
def only_the_loss(finalists):
    return loop(finalists)[1]


@wrong("5.q3", "nothing came back")
def prints(finalists):
    print(*loop(finalists))


@wrong("5.q3", "a position")
def the_finalist(finalists):
    i, loss = loop(finalists)
    return finalists[i], loss


@wrong("5.q3", "a sum")
def sums(finalists):
    i, _ = loop(finalists)
    return i, sum(finalists[i]["again"][2:])


@wrong("5.q3", "one of the last two losses only")
def last_only(finalists):
    i, _ = loop(finalists)
    return i, finalists[i]["again"][-1]


@wrong("5.q3", "lower mean")
def highest(finalists):
    i = max(
        (i for i in range(len(finalists)) if not failed(finalists[i])),
        key=lambda i: sum(finalists[i]["again"][:2]),
    )
    return i, sum(finalists[i]["again"][2:]) / 2


@wrong("5.q3", "`searched`")
def reports_searched(finalists):
    i, _ = loop(finalists)
    return i, finalists[i]["searched"]


@wrong("5.q3", "KeyError")
def misspelt(finalists):
    return loop([{"again": f["agian"]} for f in finalists])


def chosen_by(rank, reported=lambda f: sum(f["again"][2:]) / 2):
    """Return a report that leaves nan out, chooses by rank(finalist) and reports what is given."""

    def report(finalists):
        good = [i for i, f in enumerate(finalists) if not any(map(math.isnan, f["again"]))]
        best = min(good, key=lambda i: rank(finalists[i]))
        return best, reported(finalists[best])

    return report


for name, words, answer in (
    (
        "searched_too",
        "with `searched` in it",
        chosen_by(lambda f: f["searched"] + sum(f["again"][:2])),
    ),
    (
        "searched_half",
        "`searched` in it",
        chosen_by(lambda f: f["searched"] + sum(f["again"][:2]) / 2),
    ),
    (
        "the_other_way_round",
        "other way round",
        chosen_by(lambda f: sum(f["again"][2:]), lambda f: sum(f["again"][:2]) / 2),
    ),
    (
        "the_lower_of_two",
        "one of the last two",
        chosen_by(lambda f: sum(f["again"][:2]), lambda f: min(f["again"][2:])),
    ),
    (
        "rounded_to_three",
        "rounded",
        chosen_by(lambda f: sum(f["again"][:2]), lambda f: round(sum(f["again"][2:]) / 2, 3)),
    ),
    ("the_higher", "lower mean of the first two", chosen_by(lambda f: max(f["again"][:2]))),
    (
        "promise_kept",
        "lower mean",
        chosen_by(lambda f: abs(sum(f["again"][:2]) / 2 - f["searched"])),
    ),
    ("first_three", "lower mean of the first two", chosen_by(lambda f: sum(f["again"][:3]))),
    ("second_and_third", "lower mean of the first two", chosen_by(lambda f: sum(f["again"][1:3]))),
    (
        "rounded",
        "rounded",
        chosen_by(lambda f: sum(f["again"][:2]), lambda f: round(sum(f["again"][2:]) / 2, 2)),
    ),
    (
        "third_only",
        "one of the last two losses only",
        chosen_by(lambda f: sum(f["again"][:2]), lambda f: f["again"][2]),
    ),
    (
        "middle_two",
        "mean of the last two",
        chosen_by(lambda f: sum(f["again"][:2]), lambda f: sum(f["again"][1:3]) / 2),
    ),
):
    answer.__name__ = name
    wrong("5.q3", words)(answer)


@wrong("5.q3", "position is not")
def position_from_one(finalists):
    position, loss = chosen_by(lambda f: sum(f["again"][:2]))(finalists)
    return position + 1, loss


@wrong("5.q3", "count from 0 in the list as it was given")
def found_by_its_searched_loss(finalists):
    i, loss = loop(finalists)
    return [f["searched"] for f in finalists].index(finalists[i]["searched"]), loss


@wrong("5.q3", "lower mean of the first two")
def sorted_with_nan_in_it(finalists):
    order = sorted(range(len(finalists)), key=lambda i: sum(finalists[i]["again"][:2]) / 2)
    best = next(i for i in order if not failed(finalists[i]))
    return best, sum(finalists[best]["again"][2:]) / 2


@wrong("5.q3", "nan in `again`")
def a_penalty_of_one(finalists):
    best = min(finalists, key=lambda f: 1 if failed(f) else sum(f["again"][:2]) / 2)
    return finalists.index(best), sum(best["again"][2:]) / 2
