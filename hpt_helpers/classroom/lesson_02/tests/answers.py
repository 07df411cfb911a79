"""Answers to lesson 2: a number of trials, draws, an expected best."""

import itertools
import math
import random

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import comb
from sklearn.model_selection import ParameterSampler

from hpt_helpers.search_space import Integer, Real, SearchSpace


def counts_up(top_share, confidence, last=10_000):
    for n in range(1, last):
        if 1 - (1 - top_share) ** n >= confidence:
            return n


def counts_misses(top_share, confidence, n=0):
    missed = 1.0
    while missed > 1 - confidence:
        missed *= 1 - top_share
        n += 1
    return n


def strictly_more(top_share, confidence):
    return next(n for n in itertools.count(1) if 1 - (1 - top_share) ** n > confidence)


def searches_an_array(top_share, confidence, last=10_000):
    n = np.arange(1, last)
    return n[1 - (1 - top_share) ** n >= confidence][0]


# --- exercise 2 -----------------------------------------------------------------------------------


def size(rng):
    return int(rng.integers(16, 65))


def log_uniform(rng):
    return 10 ** rng.uniform(-4, -1)


def draws(lr=log_uniform, batch_size=size, seeded=np.random.default_rng):
    """Return random_configs whose one generator calls lr(rng) and batch_size(rng) in turn."""

    def random_configs(n, seed):
        rng = seeded(seed)
        return [{"lr": lr(rng), "batch_size": batch_size(rng)} for _ in range(n)]

    return random_configs


def columns(lrs=lambda rng, n: 10 ** rng.uniform(-4, -1, n), sizes=None):
    """Return random_configs that draw a column of each with lrs(rng, n) and sizes(rng, n)."""
    sizes = sizes or (lambda rng, n: rng.integers(16, 65, n))

    def random_configs(n, seed):
        rng = np.random.default_rng(seed)
        table = pd.DataFrame({"lr": lrs(rng, n), "batch_size": sizes(rng, n)})
        return table.to_dict("records")

    return random_configs


def parameter_sampler(n, seed):
    distributions = {"lr": stats.loguniform(1e-4, 0.1), "batch_size": stats.randint(16, 65)}
    return list(ParameterSampler(distributions, n, random_state=seed))


def search_space(n, seed):
    space = SearchSpace({"lr": Real(1e-4, 0.1, log=True), "batch_size": Integer(16, 64)})
    return space.sample(n, seed=seed)


def a_stream_for_each(n, seed):
    streams = np.random.default_rng(seed).spawn(n)
    return [{"lr": log_uniform(rng), "batch_size": size(rng)} for rng in streams]


def two_generators_of_one_seed(n, seed):
    for_lr, for_size = np.random.default_rng(seed), np.random.default_rng(seed)
    return [{"lr": log_uniform(for_lr), "batch_size": size(for_size)} for _ in range(n)]


def two_columns_of_one_seed(n, seed):
    lrs = 10 ** np.random.default_rng(seed).uniform(-4, -1, n)
    sizes = np.random.default_rng(seed).integers(16, 65, n)
    return [{"lr": lr, "batch_size": int(rows)} for lr, rows in zip(lrs, sizes, strict=True)]


def one_draw_for_both(n, seed):
    units = np.random.default_rng(seed).uniform(size=n)
    return [{"lr": 10 ** (3 * u - 4), "batch_size": 16 + int(49 * u)} for u in units]


def stratified(rng, n):
    """A draw from each of n equal parts of the range, in any order (a Latin hypercube's)."""
    return 10 ** (-4 + 3 * (rng.permutation(n) + rng.uniform(size=n)) / n)


def tenths_dealt_out(rng, n):
    """As many draws from each tenth of the range, in any order."""
    return 10 ** (-4 + 3 * (rng.permutation(np.arange(n) % 10) + rng.uniform(size=n)) / 10)


def decades_in_turn(rng, n):
    return 10 ** (-4 + np.arange(n) % 3 + rng.uniform(size=n))


def halton(rng, n):
    return 10 ** (-4 + 3 * stats.qmc.Halton(1, rng=rng).random(n)[:, 0])


def dealt_out(rng, n):
    return rng.permutation(np.resize(np.arange(16, 65), n))


ONE_TWICE = [*range(16, 65), 40]  # one batch size twice as likely as the others


def unchanged(n, seed):
    configs = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        configs.append({"lr": rng.uniform(0.0001, 0.1), "batch_size": int(rng.integers(16, 64))})
    return configs


def renamed(n, seed):
    return [
        {"learning_rate": config["lr"], "batch_size": config["batch_size"]}
        for config in draws()(n, seed)
    ]


# --- exercise 4 -----------------------------------------------------------------------------------


def shares_below(accuracies, n):
    at_most = np.arange(len(accuracies) + 1) / len(accuracies)
    return np.sort(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n)


def minus_twice(accuracies, n):
    at_least = 1 - np.arange(len(accuracies) + 1) / len(accuracies)
    return -(np.sort([-a for a in accuracies]) @ (at_least[:-1] ** n - at_least[1:] ** n))


def all_samples(accuracies, n):
    return float(np.mean([max(sample) for sample in itertools.product(accuracies, repeat=n)]))


def value_counts(accuracies, n):
    share = pd.Series(accuracies).value_counts(normalize=True).sort_index().cumsum()
    chance = (share**n).diff().fillna(share.iloc[0] ** n)
    return (share.index.to_numpy() * chance).sum()


def one_draw_at_a_time(accuracies, n):
    best = {0.0: 1.0}  # highest so far -> its probability
    for _ in range(n):
        after = {}
        for high, chance in best.items():
            for a in accuracies:
                after[max(high, a)] = after.get(max(high, a), 0) + chance / len(accuracies)
        best = after
    return sum(high * chance for high, chance in best.items())


def weights_not_of_one(accuracies, n):
    at_most = np.arange(1, len(accuracies) + 1) / len(accuracies)
    return np.sort(accuracies) @ at_most**n


def lesson_turned_round(accuracies, n):
    """The lesson's expected_best for the highest, where no choice of n gives weights of 0."""
    size = len(accuracies)
    chance = [comb(size - 1 - rank, n - 1) / max(comb(size, n), 1) for rank in range(size)]
    return np.sort(accuracies)[::-1] @ chance


def simulates(accuracies, n):
    return np.random.default_rng(0).choice(accuracies, (20_000, n)).max(axis=1).mean()


RIGHT = {
    "q1": [
        counts_up,
        counts_misses,
        searches_an_array,
        lambda p, c: np.ceil(np.log1p(-c) / np.log1p(-p)),
        lambda p, c: math.ceil(math.log(1 - c, 1 - p)),
        lambda p, c: stats.geom.ppf(c, p),
    ],
    "q2": [
        draws(),
        draws(lambda rng: math.exp(rng.uniform(math.log(1e-4), math.log(0.1)))),
        draws(lambda rng: 10 ** -rng.uniform(1, 4), lambda rng: rng.integers(16, 65)),
        draws(lambda rng: 1e-4 * 1000 ** rng.uniform(), lambda rng: int(rng.uniform(16, 65))),
        draws(log_uniform, lambda rng: rng.randint(16, 65), np.random.RandomState),
        draws(log_uniform, lambda rng: rng.randint(16, 64), random.Random),
        columns(),
        parameter_sampler,
        search_space,
        a_stream_for_each,
    ],
    "q4": [
        shares_below,
        minus_twice,
        all_samples,
        value_counts,
        one_draw_at_a_time,
        lambda accuracies, n: np.array([shares_below(accuracies, n)]),
        lambda accuracies, n: round(shares_below(sorted(accuracies), n), 9),
    ],
}
WRONG = [
    ("q1", strictly_more, "and a loop ends there"),
    ("q1", lambda p, c: counts_misses(p, c, n=1), "59 already hit with a probability of 0.952,"),
    ("q1", lambda p, c: 2 * counts_up(p, c), "more than needed: 117 already hit"),
    ("q1", lambda p, c: 59, "59 draws hit with a probability of 0.447, which is less than 0.95."),
    ("q1", lambda p, c: counts_up(p, c) - 1, "rounded down, or a position from 0?"),
    ("q1", lambda p, c: -counts_up(p, c), "needs no minus"),
    ("q1", lambda p, c: 1 - (1 - p) ** 60, "looks like a probability"),
    ("q1", lambda p, c: counts_up(p, c) + 0.5, "whole number: round up"),
    ("q1", lambda p, c: str(counts_up(p, c)), "a text was returned"),
    ("q1", lambda p, c: counts_up(p, c, 151), "is `return` reached, or does a loop end"),
    ("q1", lambda p, c: searches_an_array(p, c, 151), "does a range end too early,"),
    ("q1", lambda p, c: searches_an_array(p, c, 301), "does a range end too early,"),
    ("q1", lambda p, c: counts_up(p, c, 301), "is `return` reached, or does a loop end"),
    ("q1", lambda p: 59, "Keep the arguments"),
    ("q2", unchanged, "starter is unchanged"),
    ("q2", lambda n, seed: draws()(1, seed) * n, "same configuration five times"),
    ("q2", lambda n, seed: draws()(n, None), "make the generator from the seed"),
    ("q2", lambda n, seed: draws()(n, 42), "the same whatever the seed"),
    ("q2", lambda n, seed: str(draws()(n, seed)) and None, "has to `return` the list"),
    ("q2", lambda n, seed: draws()(1, seed), "1 configurations came back, and not 5"),
    ("q2", lambda n, seed: [(0.01, 16)] * n, "a list of dicts should come back"),
    ("q2", lambda n, seed: {"lr": [0.1] * n}, "a list of dicts should come back"),
    ("q2", renamed, "learning_rate, batch_size; lr and batch_size are asked for"),
    ("q2", draws(batch_size=lambda rng: rng.uniform(16, 64)), "which is no integer"),
    ("q2", draws(batch_size=lambda rng: float(size(rng))), "which is no integer"),
    ("q2", draws(lambda rng: str(log_uniform(rng))), "which is no number"),
    ("q2", draws(lambda rng: math.nan), "which is no number"),
    ("q2", draws(batch_size=lambda rng: int(rng.integers(15, 65))), "batch_size 15 was drawn"),
    ("q2", draws(batch_size=lambda rng: int(rng.integers(16, 66))), "batch_size 65 was drawn"),
    ("q2", draws(batch_size=lambda rng: int(rng.integers(17, 65))), "batch_size 16 was never"),
    ("q2", draws(batch_size=lambda rng: int(rng.choice([16, 32, 64]))), "only 3 values"),
    ("q2", draws(batch_size=lambda rng: round(rng.uniform(16, 64))), "only half an interval"),
    ("q2", draws(batch_size=lambda rng: int(rng.choice(ONE_TWICE))), "not about 163 times."),
    ("q2", draws(batch_size=lambda rng: int(16 * 4 ** rng.uniform())), "in their logarithm?"),
    ("q2", draws(lambda rng: math.log10(rng.uniform(1e-4, 0.1))), "lr is negative"),
    ("q2", draws(lambda rng: 10 ** -rng.uniform(-4, -1)), "a minus is missing"),
    ("q2", draws(lambda rng: 10 ** rng.uniform(-4, 1)), "above 0.1."),
    ("q2", draws(lambda rng: 10 ** rng.uniform(-5, -1)), "below 0.0001."),
    ("q2", draws(lambda rng: 10 ** rng.uniform(math.log(1e-4), math.log(0.1))), "np.log: np.exp"),
    ("q2", draws(lambda rng: 10 ** rng.uniform(-4, -2)), "0.0001 to 0.1 is never drawn"),
    ("q2", draws(lambda rng: 10 ** rng.uniform(-3, -1)), "0.0001 to 0.1 is never drawn"),
    ("q2", draws(lambda rng: 10 ** -(1 + 3 * rng.uniform() ** 2)), "not uniform in the logarithm"),
    ("q2", draws(lambda rng: round(log_uniform(rng), 4)), "the same again and again"),
    ("q2", columns(lambda rng, n: [log_uniform(rng)] * n), "share one lr"),
    ("q2", columns(lambda rng, n: np.logspace(-4, -1, n)), "the same whatever the seed"),
    ("q2", columns(lambda rng, n: rng.permutation(np.logspace(-4, -1, n))), "another order"),
    ("q2", columns(lambda rng, n: sorted(10 ** rng.uniform(-4, -1, n))), "list sorted by it"),
    (
        "q2",
        columns(sizes=lambda rng, n: sorted(rng.integers(16, 65, n))),
        "a configuration's batch",
    ),
    ("q2", columns(sizes=dealt_out), "do not deal a list out"),
    # taken for right before the strata were looked at
    ("q2", columns(stratified), "more evenly than chance"),
    ("q2", columns(tenths_dealt_out), "more evenly than chance"),
    ("q2", columns(halton), "depends on the one before it"),
    ("q2", columns(decades_in_turn), "do they take turns?"),
    ("q2", one_draw_for_both, "they should be independent"),
    ("q2", two_generators_of_one_seed, "two generators of one seed"),
    ("q2", two_columns_of_one_seed, "two generators of one seed"),
    ("q4", lambda accuracies, n: [shares_below(accuracies, n)], "a list came back"),
    ("q4", lambda accuracies, n: -shares_below(accuracies, n), "the result is negative"),
    ("q4", lambda accuracies, n: -minus_twice(-accuracies, n), "A list has no minus"),
    ("q4", lesson_turned_round, "without replacement; here a value can be drawn again"),
    ("q4", weights_not_of_one, "add up to 1"),
    ("q4", simulates, "is it rounded, or simulated?"),
    ("q4", lambda accuracies, n: round(shares_below(accuracies, n), 2), "is it rounded"),
    ("q4", lambda accuracies, n: min(accuracies), "the mean of the list"),
    ("q4", lambda accuracies, n: np.mean(accuracies) if n == 1 else 0.5, "weight of a value"),
    ("q4", lambda accuracies, n: str(shares_below(accuracies, n)), "a text was returned"),
]
