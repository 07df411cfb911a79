"""The strategies on Ray, by name: objective and search space as for `run`."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpt_helpers.arguments import as_count
from hpt_helpers.on_ray.ray_workers import RayActors
from hpt_helpers.protocol import AnyObjective, Strategy
from hpt_helpers.search import run
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.strategies import (
    asha,
    bayesian_search,
    grid_search,
    hyperband,
    hyperband_schedule,
    mobster,
    random_search,
    successive_halving,
)

if TYPE_CHECKING:
    import pandas as pd


def _grid_search(
    space: SearchSpace,
    max_epochs: int | None,
    *,
    n_trials: int | None = None,
    n_points: Any = 3,
    centred: bool = False,
) -> Strategy:
    grid = space.grid(n_points, centred=centred)
    if n_trials is not None:
        grid = grid[: as_count("n_trials", n_trials)]
    return grid_search(grid, max_epochs)


def _random_search(
    space: SearchSpace, max_epochs: int | None, *, n_trials: int, seed: int
) -> Strategy:
    return random_search(space, as_count("n_trials", n_trials), max_epochs, seed=seed)


def _successive_halving(
    space: SearchSpace, max_epochs: int, *, seed: int, eta: int = 3
) -> Strategy:
    rungs = hyperband_schedule(as_count("max_epochs", max_epochs), eta)[0]
    return successive_halving(space.sample(rungs[0][0], seed=seed), rungs)


STRATEGIES: Mapping[str, Callable[..., Strategy]] = {
    "grid_search": _grid_search,
    "random_search": _random_search,
    "bayesian_search": bayesian_search,
    "successive_halving": _successive_halving,
    "hyperband": hyperband,
    "asha": asha,
    "mobster": mobster,
}


def tune_on_ray(
    strategy_name: str,
    space: SearchSpace,
    objective: AnyObjective,
    *,
    max_epochs: int | None,
    n_trials: int | None = None,
    seed: int = 0,
    n_workers: int | None = None,
    num_cpus: float = 1,
    num_gpus: float = 0,
    trial_seconds: float = math.inf,
    max_failures: int = 3,
    budget: float = math.inf,
    seconds: float = math.inf,
    log: str | Path | None = None,
    name: str | None = None,
    progress: bool = False,
    **options,
) -> pd.DataFrame:
    """Run one search on the Ray that this process uses (`local_ray`); return its trial table.

    It is `run` with `RayActors`: the same strategies, record and log. With n_workers=1 it tries
    what `run` tries.
    strategy_name: one of `STRATEGIES`. grid_search tries `space.grid(n_points, centred=…)`, and
        successive_halving the boldest bracket of `hyperband_schedule`.
    objective: an objective as for `run`, of which each worker has a copy. One that goes on from
        where it stopped must keep its checkpoints where all machines see them.
    max_epochs: of each trial, or of those that are not stopped early; None for its
        config["epochs"], where the strategy stops none.
    n_trials: as for the strategy. None for a whole grid, or for an asha or mobster that ends by
        budget or seconds. hyperband and successive_halving take none.
    seed: of configurations, and of the objective's requests.
    n_workers, num_cpus, num_gpus, trial_seconds, max_failures: as for `RayActors`.
    budget, seconds, log, name, progress: as for `run`. **A search that was killed goes on when it
        is asked for again with its log**: what stands there is not run again, and what ran then
        starts anew.
    options: further ones of the strategy, such as eta, told or first.
    Raises RuntimeError where this process uses no Ray; TypeError or ValueError for another name or
    option, an asha or mobster without an end, and what `run`, `RayActors` and the strategy refuse.
    """
    if inspect.isclass(objective):
        raise TypeError(
            f"objective is the class {objective.__name__}; a function of a list of Request is "
            "needed. Ray's own Tuner runs a class Trainable, as in lesson 4"
        )
    options = {"n_trials": n_trials, "seed": seed, **options}
    strategy = _strategy(strategy_name, as_space(space), max_epochs, options)
    if strategy_name in ("asha", "mobster") and [n_trials, budget, seconds] == [
        None,
        *[math.inf] * 2,
    ]:
        raise ValueError(f"n_trials is None; without it {strategy_name} needs a budget or seconds")
    workers = RayActors(
        objective,
        n_workers,
        trial_seconds=trial_seconds,
        num_cpus=num_cpus,
        num_gpus=num_gpus,
        max_failures=max_failures,
    )
    return run(
        strategy,
        objective,
        workers=workers,
        budget=budget,
        seconds=seconds,
        seed=seed,
        log=log,
        name=name,
        progress=progress,
    )


def _strategy(
    name: str, space: SearchSpace, max_epochs: int | None, options: dict[str, Any]
) -> Strategy:
    """Return the strategy of this name, having checked that it has these options."""
    if name not in STRATEGIES:
        raise ValueError(f"strategy_name is {name!r}; allowed are {', '.join(STRATEGIES)}")
    make = STRATEGIES[name]
    takes = inspect.signature(make).parameters
    epochs = "n_epochs" if "n_epochs" in takes else "max_epochs"
    if name == "grid_search":
        del options["seed"]  # which is the objective's alone
    if options["n_trials"] is None:  # the strategy's own default, if it has one
        del options["n_trials"]
    if "n_trials" in takes and takes["n_trials"].default is inspect.Parameter.empty:
        options["n_trials"] = as_count("n_trials", options.get("n_trials"))
    allowed = takes.keys() - {"space", epochs, "unknown"}
    if unknown := options.keys() - allowed:
        names = ", ".join(sorted(allowed - {"n_trials", "seed"})) or "none"
        raise TypeError(f"{min(unknown)} is no option of {name} on Ray; it takes {names}")
    return make(space, **{epochs: max_epochs}, **options)
