"""Many workers and stragglers: how long successive halving and ASHA take until one configuration is
trained in full.

A small event-driven simulation. Configurations differ in loss and in speed (hours an epoch,
log-normal with mean 1/60); a loss does not change with epochs, so that only waiting is compared.
Of the losses only their order counts. So each configuration has a place instead of a loss: 0 for
the best of all, 1 for the second, as `hpt_helpers.trials.ranking` has them.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hpt_helpers.trials import ranking

RUNGS = ((81, 1), (27, 3), (9, 9), (3, 27), (1, 81))
N_DRAWN = 5000  # configurations that ASHA may start; more than it ever needs here


def waiting(
    n_workers: Sequence[int] = (1, 4, 16, 64),
    *,
    spread: float = 0.5,
    repeats: Sequence[int] = range(20),
):
    """Return, for each number of workers, medians over the repeats.

    spread: standard deviation of the logarithm of a configuration's hours an epoch; 0 for no
    stragglers.
    Columns: workers, halving_hours, halving_busy (share of the workers' time in which they train),
    asha_hours.
    ASHA's workers are always busy: where nobody waits to go on, one starts a new configuration.
    """
    rows, drawn = [], [_drawn(repeat, spread) for repeat in repeats]
    for n in n_workers:
        measured = [(*halving_hours(*of_one, n), asha_hours(*of_one, n)) for of_one in drawn]
        rows.append((n, *np.median(measured, axis=0)))
    columns = ["workers", "halving_hours", "halving_busy", "asha_hours"]
    return pd.DataFrame(rows, columns=columns).round(2).set_index("workers")


def _drawn(repeat: int, spread: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of random configurations, and the hours that each takes for an epoch."""
    rng = np.random.default_rng(repeat)
    places = np.argsort(ranking(rng.random(N_DRAWN)))
    return places, np.exp(rng.normal(-(spread**2) / 2, spread, N_DRAWN)) / 60


def halving_hours(
    places: np.ndarray, hours: np.ndarray, n_workers: int, rungs=RUNGS
) -> tuple[float, float]:
    """Return the hours that successive halving takes, and the share of them in which its workers
    train.

    places, hours: of each configuration, as the first rung takes them. All wait at a rung for the
    slowest trial.
    """
    now, worked, before, alive = 0.0, 0.0, 0, np.arange(len(places))
    for n_configs, n_epochs in rungs:
        alive = alive[:n_configs]
        free = [now] * n_workers
        for i in alive:
            takes = hours[i] * (n_epochs - before)
            heapq.heappush(free, heapq.heappop(free) + takes)
            worked += takes
        now, before, alive = max(free), n_epochs, alive[np.argsort(places[alive])]
    return now, worked / (n_workers * now)


def asha_hours(
    places: np.ndarray, hours: np.ndarray, n_workers: int, epochs=tuple(e for _, e in RUNGS), eta=3
) -> float:
    """Return the hours until ASHA has trained the first configuration to the last rung.

    (Li et al. 2020.) places, hours: of each configuration, in the order in which they are started.
    A free worker takes the best trial that is among the first n // eta of its rung and did not go
    on yet, from the highest such rung; where there is none, the next new configuration.
    """
    finished = [[] for _ in epochs]  # at each rung, as (place, trial), the best first
    gone_on = [set() for _ in epochs]
    new = iter(range(len(places)))
    running = [(0.0, -1, -1)] * n_workers  # (end, trial, rung): at first each has ended nothing
    while True:
        now, trial, rung = heapq.heappop(running)
        if rung == len(epochs) - 1:
            return now
        if trial >= 0:
            insort(finished[rung], (places[trial], trial))
        trial, rung = _next(finished, gone_on, eta) or (next(new), 0)
        heapq.heappush(
            running,
            (now + hours[trial] * (epochs[rung] - (epochs[rung - 1] if rung else 0)), trial, rung),
        )


def _next(finished: list[list], gone_on: list[set], eta: int) -> tuple[int, int] | None:
    """Return (trial, rung) of the trial that may go on, and note that it does; None where there is
    none.
    """
    for rung in range(len(finished) - 2, -1, -1):
        for _, trial in finished[rung][: len(finished[rung]) // eta]:
            if trial not in gone_on[rung]:
                gone_on[rung].add(trial)
                return trial, rung + 1
    return None
