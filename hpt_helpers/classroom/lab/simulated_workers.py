"""Workers on a simulated clock, for races whose losses stand in a table."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from itertools import count

from hpt_helpers.protocol import AnyObjective, Request, answer_each, as_objective
from hpt_helpers.workers import Ended, Job


class SimulatedWorkers:
    """Evaluates trials at once, and lets each end when a worker would have been done with it.

    `run(…, workers=SimulatedWorkers(…))` is the search that so many workers would run: the same
    code, on another clock. The `seconds` and the `runtime_s` of `run` are of this clock.
    seconds_of: how long a request takes, 0 or more; `n_epochs - n_done` are its new epochs.
    Of trials that end at the same time, the one that was started first ends first.
    ends: when each trial has ended, in the order in which they did, which is that of the record.
    """

    def __init__(
        self, objective: AnyObjective, n_workers: int, seconds_of: Callable[[Request], float]
    ):
        self.n_workers, self.seconds_of = n_workers, seconds_of
        self._objective = as_objective("objective", objective)
        self.ends: list[float] = []
        self._time = 0.0
        self._order = count()
        self._ends: list[tuple[float, int, Ended]] = []  # a heap, by time and order of start

    @property
    def n_running(self) -> int:
        return len(self._ends)

    def n_free(self) -> float:
        return self.n_workers - self.n_running

    def start(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            [outcome] = answer_each(self._objective, [job.request])
            runtime_s = self.seconds_of(job.request)
            ended = Ended(job, outcome, runtime_s)
            heapq.heappush(self._ends, (self._time + runtime_s, next(self._order), ended))

    def wait(self) -> Ended:
        self._time, _, ended = heapq.heappop(self._ends)
        self.ends.append(self._time)
        return ended

    def drop_waiting(self) -> Sequence[Job]:
        return []  # each has begun

    def now(self) -> float:
        return self._time

    def close(self) -> None:
        self._ends.clear()
