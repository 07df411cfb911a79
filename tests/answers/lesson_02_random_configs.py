"""Answers to lesson 2, exercise 2: independent draws, log-uniform learning rates, batch sizes 16 to
64.
"""

import math
import random

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.model_selection import ParameterSampler

from answers.collected import right, wrong
from hpt_helpers.search_space import Integer, Real, SearchSpace


def draws(lr, batch_size, seeded=np.random.default_rng):
    """Return random_configs whose one generator calls lr(rng) and batch_size(rng) for each
    configuration.
    """

    def random_configs(n, seed):
        rng = seeded(seed)
        return [{"lr": lr(rng), "batch_size": batch_size(rng)} for _ in range(n)]

    return random_configs


def size(rng):
    return int(rng.integers(16, 65))


def log_uniform(rng):
    return 10 ** rng.uniform(-4, -1)


RIGHT = {
    "powers of ten": draws(log_uniform, size),
    "minus in front of the draw": draws(lambda rng: 10 ** -rng.uniform(1, 4), size),
    "natural logarithm": draws(
        lambda rng: math.exp(rng.uniform(math.log(1e-4), math.log(0.1))), size
    ),
    "numpy numbers": draws(
        lambda rng: np.exp(rng.uniform(np.log(1e-4), np.log(0.1))), lambda r: r.integers(16, 65)
    ),
    "a factor of a thousand": draws(lambda rng: 1e-4 * 1000 ** rng.uniform(), size),
    "bounds the other way round": draws(lambda rng: 0.1 / 10 ** (3 * rng.random()), size),
    "endpoint": draws(log_uniform, lambda rng: rng.integers(16, 64, endpoint=True)),
    "choice of a range": draws(log_uniform, lambda rng: int(rng.choice(np.arange(16, 65)))),
    "cut to an integer": draws(log_uniform, lambda rng: int(rng.uniform(16, 65))),
    "old numpy": draws(log_uniform, lambda rng: rng.randint(16, 65), np.random.RandomState),
    "the random module": draws(log_uniform, lambda rng: rng.randint(16, 64), random.Random),
}
WRONG = {
    "linear": (
        draws(lambda rng: rng.uniform(0.0001, 0.1), size),
        ("lr", "not uniform in the logarithm"),
    ),
    "never 64": (
        draws(log_uniform, lambda rng: int(rng.integers(16, 64))),
        ("batch_size", "64", "never"),
    ),
    "a float from uniform": (
        draws(log_uniform, lambda rng: rng.uniform(16, 64)),
        ("batch_size", "integer"),
    ),
    "a float of whole value": (
        draws(log_uniform, lambda rng: float(rng.integers(16, 65))),
        ("batch_size", "integer"),
    ),
    "up to 65": (draws(log_uniform, lambda rng: int(rng.integers(16, 66))), ("batch_size", "65")),
    "from 15": (draws(log_uniform, lambda rng: int(rng.integers(15, 65))), ("batch_size", "15")),
    "three sizes": (
        draws(log_uniform, lambda rng: int(rng.choice([16, 32, 64]))),
        ("batch_size", "never"),
    ),
    "forgotten minus": (draws(lambda rng: 10 ** rng.uniform(1, 4), size), ("lr", "minus")),
    "ten to the first": (draws(lambda rng: 10 ** rng.uniform(-4, 1), size), ("lr", "above 0.1")),
    "one decade too few": (draws(lambda rng: 10 ** rng.uniform(-4, -2), size), ("lr", "never")),
    "exp of powers of ten": (draws(lambda rng: np.exp(rng.uniform(-4, -1)), size), ("lr", "exp")),
    "never exponentiated": (draws(lambda rng: rng.uniform(-4, -1), size), ("lr", "negative")),
    "log of the draw": (
        draws(lambda rng: math.log10(rng.uniform(1e-4, 0.1)), size),
        ("lr", "negative"),
    ),
    "a list of ten rates": (
        draws(lambda rng: rng.choice(np.logspace(-4, -1, 10)), size),
        ("lr", "same"),
    ),
    "two minus signs": (
        draws(lambda rng: 10 ** -rng.uniform(-4, -1), size),
        ("lr", "minus", "too many"),
    ),
    "squeezed ends": (
        draws(log_uniform, lambda rng: round(rng.uniform(16, 64))),
        ("batch_size", "about 163 times"),
    ),
    "two faults left": (
        draws(lambda rng: rng.uniform(0.0001, 0.1), lambda rng: int(rng.integers(16, 64))),
        ("lr",),
    ),
    "two fixed decades": (
        draws(lambda rng: 10 ** rng.uniform(-3, -1), size),
        ("lr", "never drawn"),
    ),
    "mostly large": (
        draws(lambda rng: 10 ** -(1 + 3 * rng.uniform() ** 2), size),
        ("lr", "not uniform"),
    ),
    "few decimals": (draws(lambda rng: round(10 ** rng.uniform(-4, -1), 4), size), ("lr", "same")),
}
for name, answer in RIGHT.items():
    answer.__name__ = name
    right("2.q2")(answer)
for name, (answer, words) in WRONG.items():
    answer.__name__ = name
    wrong("2.q2", *words)(answer)


@right("2.q2")
def columns_at_once(n, seed):
    rng = np.random.default_rng(seed)
    lrs, sizes = 10 ** rng.uniform(-4, -1, n), rng.integers(16, 65, n)
    return [{"lr": lr, "batch_size": size} for lr, size in zip(lrs, sizes, strict=True)]


@right("2.q2")
def rows_of_a_table(n, seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {"batch_size": rng.integers(16, 65, n), "lr": 10 ** rng.uniform(-4, -1, n)}
    )
    return table.to_dict("records")


@right("2.q2")
def parameter_sampler(n, seed):
    distributions = {"lr": stats.loguniform(1e-4, 0.1), "batch_size": stats.randint(16, 65)}
    return list(ParameterSampler(distributions, n, random_state=seed))


@right("2.q2")
def search_space(n, seed):
    return SearchSpace({"lr": Real(1e-4, 0.1, log=True), "batch_size": Integer(16, 64)}).sample(
        n, seed=seed
    )


@right("2.q2")
def the_starter_repaired(n, seed):
    configs = []
    rng = np.random.default_rng(seed)
    for _ in range(n):
        configs.append(
            {"lr": 10 ** rng.uniform(-4, -1), "batch_size": int(rng.integers(16, 64 + 1))}
        )
    return configs


@right("2.q2")
def a_seed_from_a_sequence_for_each(n, seed):
    streams = np.random.default_rng(seed).spawn(n)
    return [{"lr": log_uniform(rng), "batch_size": size(rng)} for rng in streams]


@wrong("2.q2", "starter is unchanged")
def unchanged(n, seed):
    configs = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        configs.append({"lr": rng.uniform(0.0001, 0.1), "batch_size": int(rng.integers(16, 64))})
    return configs


@wrong("2.q2", "same configuration", "generator")
def generator_inside_the_loop(n, seed):
    return [draws(log_uniform, size)(1, seed)[0] for _ in range(n)]


@wrong("2.q2", "same configuration")
def one_configuration_repeated(n, seed):
    return draws(log_uniform, size)(1, seed) * n


@wrong("2.q2", "seed for each")
def a_seed_for_each(n, seed):
    return [draws(log_uniform, size)(1, seed + i)[0] for i in range(n)]


@wrong("2.q2", "seed", "different")
def no_seed(n, seed):
    return draws(log_uniform, size)(n, None)


@wrong("2.q2", "whatever the seed")
def a_seed_of_its_own(n, seed):
    return draws(log_uniform, size)(n, 42)


@wrong("2.q2", "whatever the seed")
def evenly_spaced(n, seed):
    rng = np.random.default_rng(seed)
    return [{"lr": lr, "batch_size": size(rng)} for lr in np.logspace(-4, -1, n)]


@wrong("2.q2", "independent")
def one_draw_for_both(n, seed):
    units = np.random.default_rng(seed).uniform(size=n)
    return [{"lr": 10 ** (3 * u - 4), "batch_size": 16 + int(49 * u)} for u in units]


@wrong("2.q2", "5", "configurations")
def returns_inside_the_loop(n, seed):
    rng = np.random.default_rng(seed)
    configs = []
    for _ in range(n):
        configs.append({"lr": log_uniform(rng), "batch_size": size(rng)})
        return configs


@wrong("2.q2", "configurations")
def one_too_many(n, seed):
    return draws(log_uniform, size)(n + 1, seed)


@wrong("2.q2", "learning_rate", "lr")
def another_name(n, seed):
    return [
        {"learning_rate": c["lr"], "batch_size": c["batch_size"]}
        for c in draws(log_uniform, size)(n, seed)
    ]


@wrong("2.q2", "list of dicts")
def pairs(n, seed):
    return [(c["lr"], c["batch_size"]) for c in draws(log_uniform, size)(n, seed)]


@wrong("2.q2", "list of dicts")
def a_dict_of_lists(n, seed):
    return {"lr": [0.1] * n, "batch_size": [16] * n}


@wrong("2.q2", "None", "return")
def nothing(n, seed):
    draws(log_uniform, size)(n, seed)


@wrong("2.q2", "batch_size")
def no_batch_size(n, seed):
    return [{"lr": c["lr"]} for c in draws(log_uniform, size)(n, seed)]


@wrong("2.q2", "shuffle")
def a_shuffled_list(n, seed):
    rng = np.random.default_rng(seed)
    return [{"lr": lr, "batch_size": size(rng)} for lr in rng.permutation(np.logspace(-4, -1, n))]


@wrong("2.q2", "same configuration", "generator")
def only_the_distributions(n, seed):
    configs = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        configs.append({"lr": 10 ** rng.uniform(-4, -1), "batch_size": int(rng.integers(16, 65))})
    return configs


@wrong("2.q2", "missing 1 required positional argument", "def")
def another_argument(n, seed, space):
    return space.sample(n, seed=seed)


@wrong("2.q2", "NameError")
def a_name_that_is_not_there(n, seed):
    return [{"lr": 10 ** generator.uniform(-4, -1), "batch_size": 16} for _ in range(n)]  # noqa: F821


@wrong("2.q2", "sorted")
def sorts_the_list(n, seed):
    return sorted(draws(log_uniform, size)(n, seed), key=lambda config: config["lr"])


@wrong("2.q2", "two generators of one seed")
def a_generator_for_each_name(n, seed):
    for_lr, for_size = np.random.default_rng(seed), np.random.default_rng(seed)
    return [{"lr": log_uniform(for_lr), "batch_size": size(for_size)} for _ in range(n)]


@wrong("2.q2", "two generators of one seed")
def an_array_of_each_name(n, seed):
    lrs = 10 ** np.random.default_rng(seed).uniform(-4, -1, n)
    sizes = np.random.default_rng(seed).integers(16, 65, n)
    return [{"lr": lr, "batch_size": int(n_rows)} for lr, n_rows in zip(lrs, sizes, strict=True)]


@wrong("2.q2", "uniform in their logarithm")
def a_logarithmic_batch_size(n, seed):
    return draws(log_uniform, lambda rng: int(math.exp(rng.uniform(math.log(16), math.log(65)))))(
        n, seed
    )


@right("2.q2")
def arrays_from_one_generator(n, seed):
    rng = np.random.default_rng(seed)
    lrs, sizes = 10 ** rng.uniform(-4, -1, n), rng.integers(16, 65, n)
    return [{"lr": lr, "batch_size": int(n_rows)} for lr, n_rows in zip(lrs, sizes, strict=True)]


@wrong("2.q2", "np.exp")
def ten_to_the_natural_logarithm(n, seed):
    return draws(lambda rng: 10 ** rng.uniform(math.log(1e-4), math.log(0.1)), size)(n, seed)


@wrong("2.q2", "deal")
def sizes_dealt_out(n, seed):
    rng = np.random.default_rng(seed)
    sizes = rng.permutation(np.resize(np.arange(16, 65), n))
    return [{"lr": log_uniform(rng), "batch_size": int(n_rows)} for n_rows in sizes]
