"""What Ray Tune costs and gives: `python -m benchmarks.ray`, five minutes or so on two quiet cores.

The start of Ray; a search's cost besides its trials, and a trial's; the same search by `run` with
the population and by `tune_on_ray`; two workers against one on trials that keep a core busy. From
these, for more workers and longer trials than this machine has, a simulation says how long a search
would take: its rows are labelled.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Sequence

from benchmarks.measure import Row, machine, table
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.on_ray.local_ray import local_ray
from hpt_helpers.on_ray.ray_tune import tune_on_ray
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.strategies import random_search
from hpt_helpers.training_objective import TrainingObjective

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 32, 64])})
N_TRIALS, N_EPOCHS = 40, 50
# trials that keep a core busy, about so long: against them a search's own cost is small
N_BUSY, BUSY_S = 12, 4.0
ROUNDS = 2
# what is simulated, for N_SIMULATED trials
WORKERS, TRIAL_S = (1, 2, 8, 64), (0.1, 1.0, 10.0, 100.0)
N_SIMULATED = 128


def seconds(task: Callable[[], object]) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started


def busy(n: int) -> float:
    """Keep one core busy; return a loss."""
    total = 0.0
    for i in range(n):
        total += i * 1e-9
    return total


def simulated(
    n_trials: int, trial_s: float, workers: int, search_s: float, overhead_s: float
) -> float:
    """Return the seconds of a search whose one driver needs overhead_s to hand over each trial, one
    after the other.

    A trial starts once the driver is done with it and a worker is free. search_s: the search's cost
    besides its trials.
    """
    free, driver = [0.0] * workers, 0.0
    for _ in range(n_trials):
        driver = max(driver, free[0]) + overhead_s
        heapq.heapreplace(free, driver + trial_s)
    return search_s + max(free)


def measured() -> dict[str, float]:
    """Return seconds, each the least of ROUNDS searches, in the Ray that runs."""

    def search(objective, n_trials, n_epochs=1, at_once=1):
        return tune_on_ray(
            "random_search",
            SPACE,
            objective,
            max_epochs=n_epochs,
            n_trials=n_trials,
            n_workers=at_once,
        )

    nothing, iris = per_trial(lambda config, n_epochs: 0.5), load_splits("iris")
    of_a_second = 5e6 / seconds(lambda: busy(5_000_000))
    works = per_trial(lambda config, n_epochs: busy(int(BUSY_S * of_a_second)))
    tasks = {
        "one": lambda: search(nothing, 1),
        "many": lambda: search(nothing, 1 + N_TRIALS),
        "ray": lambda: search(TrainingObjective(iris), N_TRIALS, N_EPOCHS),
        "run": lambda: run(
            random_search(SPACE, N_TRIALS, N_EPOCHS, seed=0), TrainingObjective(iris)
        ),
        "one worker": lambda: search(works, N_BUSY, at_once=1),
        "two workers": lambda: search(works, N_BUSY, at_once=2),
    }
    search(nothing, 2, at_once=2)  # starts the workers' processes once
    return {name: min(seconds(task) for _ in range(ROUNDS)) for name, task in tasks.items()}


def rows(start_s: float, found: dict[str, float]) -> Sequence[Row]:
    trial = max((found["many"] - found["one"]) / N_TRIALS, 1e-4)
    of_work = {name: found[name] - found["one"] for name in ("one worker", "two workers")}
    made = [
        Row("start and end of a local Ray", start_s, "s"),
        Row("a search of one trial that does nothing", found["one"], "s"),
        Row("each further trial that does nothing", trial, "s"),
        Row(f"{N_TRIALS} configurations on iris, {N_EPOCHS} epochs: run", found["run"], "s"),
        Row("the same: tune_on_ray, one worker, in a Ray that runs", found["ray"], "s"),
        Row(
            f"{N_BUSY} trials that keep a core busy for about {BUSY_S:g} s: one worker",
            found["one worker"],
            "s",
        ),
        Row("the same: two workers", found["two workers"], "s"),
        Row(
            "two workers against one, without the search's own cost",
            of_work["one worker"] / of_work["two workers"],
            "×",
        ),
    ]
    for trial_s in TRIAL_S:
        alone = N_SIMULATED * trial_s
        for workers in WORKERS:
            took = start_s + simulated(N_SIMULATED, trial_s, workers, found["one"] - trial, trial)
            what = (
                f"simulated: {N_SIMULATED} trials of {trial_s:g} s, {workers} workers, "
                "against one after the other"
            )
            made.append(Row(what, alone / took, "×"))
    return made


def main() -> None:
    print(", ".join(f"{name} {value}" for name, value in machine().items()))
    started = time.perf_counter()
    with local_ray(num_cpus=2, address="local"):
        start_s = time.perf_counter() - started
        found = measured()
        ended = time.perf_counter()
    print(table(rows(start_s + time.perf_counter() - ended, found)))


if __name__ == "__main__":
    main()
