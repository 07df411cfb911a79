"""Searches that learn, on functions of which all is known: `python -m benchmarks.optimisers`.

`bayesian_search` and `mobster` beside scikit-optimize as it comes, Optuna's TPE and Optuna's
Gaussian process, each under the same 20 seeds, in one process with one thread. Prints, for each
function, how far above the minimum the lowest value is (the regret), a median over the seeds, and
how many seconds of the processor a search thinks. The last table goes to 200 trials under three
seeds. A function has no epochs to cut, so `mobster` has one rung here. Takes about a quarter of an
hour, most of which are scikit-optimize's.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import optuna
import pandas as pd
import torch
from skopt import gp_minimize
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from benchmarks.measure import machine
from hpt_helpers import bayesian_search, per_trial, random_search, run
from hpt_helpers.classroom.lab.known_functions import KNOWN, Known
from hpt_helpers.protocol import Strategy
from hpt_helpers.strategies import mobster

# function -> after how many trials its regret is looked at
LOOKS = {"Branin": (15, 30), "Rosenbrock-4": (30, 50), "Hartmann-6": (20, 30, 50)}

LONG_LOOKS, LONG_SEEDS = (100, 150, 200), range(3)

Search = Callable[[Known, int, int], np.ndarray]  # the values of n_trials under a seed


def values_of(known: Known, strategy: Strategy) -> np.ndarray:
    """Return what the trials of one of the package's searches gave."""
    trials = run(strategy, per_trial(lambda config, n_epochs: known.function(config)))
    return trials["val_loss"].to_numpy()


def at_random(known: Known, n_trials: int, seed: int) -> np.ndarray:
    return values_of(known, random_search(known.space, n_trials, 1, seed=seed))


def ours(known: Known, n_trials: int, seed: int) -> np.ndarray:
    return values_of(known, bayesian_search(known.space, n_trials, 1, seed=seed))


def at_one_rung(known: Known, n_trials: int, seed: int) -> np.ndarray:
    return values_of(known, mobster(known.space, 1, n_trials, seed=seed))


def scikit_optimize(known: Known, n_trials: int, seed: int) -> np.ndarray:
    def function(point):
        return known.function(dict(zip(known.space, point, strict=True)))

    found = gp_minimize(function, known.space.to_skopt(), n_calls=n_trials, random_state=seed)
    return np.array(found.func_vals)


def optunas(sampler: Callable[..., optuna.samplers.BaseSampler]) -> Search:
    """Return a search by this sampler of Optuna, as it comes."""

    def search(known: Known, n_trials: int, seed: int) -> np.ndarray:
        def function(trial: optuna.Trial) -> float:
            space = known.space.items()
            return known.function({x: trial.suggest_float(x, p.low, p.high) for x, p in space})

        study = optuna.create_study(sampler=sampler(seed=seed))
        study.optimize(function, n_trials=n_trials)
        return np.array([trial.value for trial in study.trials])

    return search


SEARCHES: dict[str, Search] = {
    "random search": at_random,
    "bayesian_search": ours,
    "mobster": at_one_rung,
    "scikit-optimize": scikit_optimize,
    "Optuna, TPE": optunas(optuna.samplers.TPESampler),
    "Optuna, Gaussian process": optunas(optuna.samplers.GPSampler),
}
# scikit-optimize's would take minutes
LONG = {label: search for label, search in SEARCHES.items() if search is not scikit_optimize}


def compare(
    name: str,
    seeds: Sequence[int],
    searches: Mapping[str, Search] = SEARCHES,
    looks: Sequence[int] | None = None,
) -> pd.DataFrame:
    """Return a row for each search: its median regrets, and the seconds that it thinks.

    looks: after how many trials; None for the function's LOOKS. Columns: search, a column for each
    of these, and cpu_s, a mean over the seeds.
    """
    known, looks = KNOWN[name], looks or LOOKS[name]
    rows = []
    for label, search in searches.items():
        began = time.process_time()
        values = [search(known, max(looks), seed) for seed in tqdm(seeds, desc=label, leave=False)]
        seconds = (time.process_time() - began) / len(seeds)
        regret = np.median(np.minimum.accumulate(values, axis=1) - known.minimum, axis=0)
        row = {f"after {n} trials": regret[n - 1] for n in looks}
        rows.append({"search": label} | row | {"cpu_s": seconds})
    return pd.DataFrame(rows)


def main(n_seeds: int = 20) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    torch.set_num_threads(1)
    print(*(f"{name}: {value}" for name, value in machine().items()), sep="\n")
    with threadpool_limits(1), warnings.catch_warnings(action="ignore"):
        for name in LOOKS:
            found = compare(name, range(n_seeds)).set_index("search")
            print(f"\n{name}, {n_seeds} seeds\n{found.round(5).to_string()}", flush=True)
        found = compare("Hartmann-6", LONG_SEEDS, LONG, LONG_LOOKS).set_index("search")
        print(f"\nHartmann-6, {len(LONG_SEEDS)} seeds\n{found.round(5).to_string()}")


if __name__ == "__main__":
    main()
