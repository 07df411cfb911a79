"""Answers to lesson 5: wins that are needed, an honest report, a number of repeats."""

import itertools
import math
import statistics
from fractions import Fraction

import numpy as np
import pandas as pd
from scipy import stats


def adds_up(n):
    total, wins = 0.0, n + 1
    while total + math.comb(n, wins - 1) / 2**n <= 0.025:
        wins -= 1
        total += math.comb(n, wins) / 2**n
    return wins


def tails(n):
    return stats.binom.sf(np.arange(n + 1) - 1, n, 0.5)


def pascal(n):
    row = [1]
    for _ in range(n):
        row = [1, *(a + b for a, b in itertools.pairwise(row)), 1]
    return next(w for w in range(n + 1) if Fraction(sum(row[w:]), 2**n) <= Fraction(1, 40))


def simulated(n):
    tosses = np.random.default_rng(0).binomial(n, 0.5, 10_000)
    return next(k for k in range(n + 2) if (tosses >= k).mean() <= 0.025)


def normal(n):
    return round(n / 2 + 1.96 * math.sqrt(n) / 2 - 0.5)


def smallest_n():
    for n in itertools.count(6):
        needed = next(w for w in range(n // 2, n + 1) if stats.binomtest(w, n).pvalue <= 0.05)
        if 1 - stats.binom.cdf(needed - 1, n, 0.6) >= 0.8:
            return n


# --- exercise 3 -----------------------------------------------------------------------------------


def failed(finalist):
    return any(loss != loss for loss in finalist["again"])


def a_loop(finalists):
    best, lowest = None, math.inf
    for i, finalist in enumerate(finalists):
        mean = statistics.mean(finalist["again"][:2])
        if not failed(finalist) and mean < lowest:
            best, lowest = i, mean
    return best, sum(finalists[best]["again"][2:]) / 2


def an_array(finalists):
    again = np.array([f["again"] for f in finalists])
    score = again[:, :2].mean(axis=1)
    score[np.isnan(again).any(axis=1)] = np.inf
    i = score.argmin()
    return np.array([i, again[i, 2:].mean()])


def a_table(finalists):
    again = pd.DataFrame([f["again"] for f in finalists]).dropna()
    i = again[[0, 1]].mean(axis=1).idxmin()
    return i, again.loc[i, [2, 3]].mean()


def nan_last(finalists):
    order = sorted(
        range(len(finalists)), key=lambda i: (failed(finalists[i]), sum(finalists[i]["again"][:2]))
    )
    return [order[0], np.mean(finalists[order[0]]["again"][-2:])]


def chosen_by(rank, reported=lambda again: sum(again[2:]) / 2):
    """Return a report that chooses by rank(again, searched) and reports reported(again)."""

    def report(finalists):
        good = [i for i, f in enumerate(finalists) if not failed(f)]
        best = min(good, key=lambda i: rank(finalists[i]["again"], finalists[i]["searched"]))
        return best, reported(finalists[best]["again"])

    return report


def reporting(reported):
    return chosen_by(lambda again, searched: sum(again[:2]), reported)


def nan_in_the_choice(mean):
    """Return a report that looks for the lowest mean(first two) among all, nan or not."""

    def report(finalists):
        i = int(np.nanargmin([mean(f["again"][:2]) for f in finalists]))
        return i, np.mean(finalists[i]["again"][2:])

    return report


def sorted_with_nan_in_it(finalists):
    order = sorted(range(len(finalists)), key=lambda i: sum(finalists[i]["again"][:2]) / 2)
    best = next(i for i in order if not failed(finalists[i]))
    return best, sum(finalists[best]["again"][2:]) / 2


def a_penalty_of_one(finalists):
    best = min(finalists, key=lambda f: 1 if failed(f) else sum(f["again"][:2]) / 2)
    return finalists.index(best), sum(best["again"][2:]) / 2


def found_by_its_searched_loss(finalists):
    i, loss = a_loop(finalists)
    return [f["searched"] for f in finalists].index(finalists[i]["searched"]), loss


RIGHT = {
    "q1": [
        adds_up,
        pascal,
        lambda n: np.flatnonzero(tails(n) <= 0.025)[:1],
        lambda n: stats.binom.isf(0.025, n, 0.5) + 1,
        lambda n: n - int(stats.binom.ppf(0.025, n, 0.5)) + 1,
        lambda n: min(w for w in range(n // 2, n + 1) if stats.binomtest(w, n).pvalue <= 0.05),
    ],
    "q3": [a_loop, an_array, a_table, nan_last],
    "q4": [smallest_n(), smallest_n, 190, 205, np.float64(196.5), "200"],
}
WRONG = [
    ("q1", normal, "above 0.025"),
    ("q1", lambda n: math.ceil(0.75 * n), "reaches 5 of 6 or more with probability 0.109"),
    ("q1", lambda n: n - adds_up(n), "above 0.025"),
    ("q1", lambda n: adds_up(n) / n, "share or a probability"),
    ("q1", lambda n: adds_up(n) + 0.5, "wins are whole numbers"),
    ("q1", lambda n: n + adds_up(n), "no more than 20 can be won"),
    ("q1", lambda n: n, "one win fewer would do: a fair coin reaches 19 of 20"),
    ("q1", lambda n: print(adds_up(n)), "nothing came back"),
    ("q1", lambda n: [adds_up(n)], "a number of wins is needed"),
    ("q1", lambda n: min(w for w in range(n) if 2 * tails(n)[w] <= 0.025), "does no value meet"),
    ("q1", lambda n: np.flatnonzero(tails(n) <= 0.0125)[0], "halved twice"),
    ("q1", simulated, "a fair coin"),
    ("q1", lambda n: adds_up(n) if n < 30 else normal(n) + 1, "a fair coin"),
    ("q3", lambda finalists: print(a_loop(finalists)), "nothing came back"),
    ("q3", lambda finalists: a_loop(finalists)[1], "return two values"),
    ("q3", lambda finalists: a_loop(finalists)[::-1], "return the position first"),
    ("q3", lambda finalists: (finalists[0], 0.1), "has to be a position, from 0 to 7"),
    ("q3", lambda finalists: a_loop([{"again": f["agian"]} for f in finalists]), "KeyError"),
    ("q3", nan_in_the_choice(sum), "nan in `again`"),
    ("q3", nan_in_the_choice(lambda two: np.nanmean([*two, 9.0])), "nan in `again`"),
    ("q3", sorted_with_nan_in_it, "lower mean of the first two"),
    ("q3", a_penalty_of_one, "nan in `again`"),
    ("q3", lambda finalists: (a_loop(finalists)[0] + 1, a_loop(finalists)[1]), "position is not"),
    ("q3", found_by_its_searched_loss, "count from 0 in the list as it was given"),
    ("q3", chosen_by(lambda again, searched: -sum(again[:2])), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: max(again[:2])), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: again[0]), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: again[1]), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: sum(again[:3])), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: sum(again[1:3])), "lower mean of the first two"),
    ("q3", chosen_by(lambda again, searched: searched + sum(again[:2]) / 2), "`searched` in it"),
    ("q3", chosen_by(lambda again, searched: abs(sum(again[:2]) / 2 - searched)), "lower mean"),
    ("q3", reporting(lambda again: sum(again[2:])), "a sum; the mean"),
    ("q3", reporting(lambda again: again[2]), "one of the last two losses only"),
    ("q3", reporting(lambda again: again[-1]), "one of the last two losses only"),
    ("q3", reporting(lambda again: sum(again) / 4), "mean of all four losses, two of which"),
    ("q3", reporting(lambda again: round(sum(again[2:]) / 2, 3)), "report it rounded"),
    ("q3", reporting(lambda again: sum(again[1:3]) / 2), "report the mean of the last two"),
    ("q3", lambda fs: (a_loop(fs)[0], fs[a_loop(fs)[0]]["searched"]), "you report `searched`"),
    ("q4", 150, "150: too low"),
    ("q4", 300, "300: too high"),
    ("q4", 49.5, "0.6 is closer to a coin"),
]
