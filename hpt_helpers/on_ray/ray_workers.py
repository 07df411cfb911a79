"""Workers for `run` that are Ray's actors: on this machine, or on all of a cluster.

Ray is imported where it is used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpt_helpers.arguments import as_count
from hpt_helpers.one_search import as_amount
from hpt_helpers.protocol import AnyObjective, Objective, Outcome, Request, as_objective
from hpt_helpers.warn import warn_caller
from hpt_helpers.workers import Ended, Job, answer_one, heard, to_send, too_late, who_had


class RayActors:
    """Evaluates trials in actors of the Ray that this process uses, each with a copy of the
    objective.

    n_workers: how many trials run at a time. None for as many as the cluster has room for now.
    num_cpus, num_gpus: what each worker needs, and keeps until the search ends.
    trial_seconds: how long a trial may run, counted from when its worker has the objective. One
        that takes longer has failed, and its actor is killed.
    max_failures: how often a trial starts again, on another actor, because its own has died, alone
        or with its machine. If that one dies too, the trial has failed.
    A trial that has no actor yet waits, and starts wherever there is room first. One that goes on
    from where an earlier one stopped is given to the actor that had that one, if it is idle.
    runtime_s is measured in the actor, and holds nothing of one that died.
    Raises RuntimeError where this process uses no Ray; TypeError or ValueError for bad numbers, an
    objective that cannot be sent, and n_workers=None where no machine has room for a worker. Where
    n_workers is given it warns of that, and the search waits for such a machine.
    """

    def __init__(
        self,
        objective: AnyObjective,
        n_workers: int | None = None,
        *,
        trial_seconds: float = math.inf,
        num_cpus: float = 1,
        num_gpus: float = 0,
        max_failures: int = 3,
    ):
        import ray

        if not ray.is_initialized():
            needed = "search in a block `with local_ray():`, or call ray.init() first"
            raise RuntimeError(f"this process uses no Ray; {needed}")
        self._needs = {"num_cpus": as_amount("num_cpus", num_cpus)}
        self._needs["num_gpus"] = as_amount("num_gpus", num_gpus)
        self.n_workers = _as_n_workers(n_workers, self._needs)
        self.trial_seconds = as_amount("trial_seconds", trial_seconds)
        if not trial_seconds:
            raise ValueError("trial_seconds is 0; it must be greater")
        self.max_failures = as_count("max_failures", max_failures, least=0)
        self._objective = ray.put(to_send(as_objective("objective", objective)))
        self._waiting: list[_Waiting] = []
        self._actors: list[_Actor] = []
        self._n_stillborn = 0  # that died one after the other before they had the objective

    @property
    def n_running(self) -> int:
        return len(self._waiting) + sum(actor.task is not None for actor in self._actors)

    def n_free(self) -> float:
        return self.n_workers - self.n_running

    def start(self, jobs: Sequence[Job]) -> None:
        self._waiting += [_Waiting(job) for job in jobs]
        self._hand_out()

    def wait(self) -> Ended:
        import ray

        while True:
            speakers = {actor.says: actor for actor in self._actors if actor.says is not None}
            # not for long, so that an interrupt is not kept waiting
            said, _ = ray.wait(list(speakers), timeout=self._until_next())
            ended = self._listen(speakers[said[0]]) if said else self._stopped_if_late()
            self._hand_out()
            if ended:
                return ended

    def drop_waiting(self) -> Sequence[Job]:
        dropped, self._waiting = self._waiting, []
        return [task.job for task in dropped]

    def now(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        self._waiting = []
        for actor in list(self._actors):
            self._end(actor)

    def _hand_out(self) -> None:
        """Give what waits to idle actors, and start actors for what is left."""
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            idle = [actor for actor in self._actors if actor.says is None]
            if idle:
                who_had(task.job.identity, idle).begin(task)
            else:
                self._waiting.append(task)
        n_coming = sum(actor.task is None for actor in self._actors)
        for _ in range(len(self._waiting) - n_coming):  # none where that is below 0
            self._actors.append(_Actor.started(self._objective, self._needs))

    def _listen(self, actor: _Actor) -> Ended | None:
        """Take what an actor says; return the trial that has ended, if that is what it says."""
        import ray
        from ray.exceptions import RayError, RayTaskError

        try:
            kind, answer, runtime_s = ray.get(actor.says)
        except RayTaskError as error:  # what cannot be sent, or an actor without this package
            if actor.task is None:
                raise RuntimeError(f"a worker cannot start: {error.cause}") from error
            return actor.ended(Outcome.of_error(error.cause), self.now() - actor.since)
        except RayError as error:
            return self._lost(actor, error)
        if actor.task is None:
            heard(kind, answer)  # that it is ready, or it raises
            self._n_stillborn, actor.was_ready, actor.says = 0, True, None
            return None
        return actor.ended(heard(kind, answer), runtime_s)

    def _lost(self, actor: _Actor, error: Exception) -> Ended | None:
        """Let an actor's trial start again; return it where it has lost too many.

        Whoever is idle may have been on the same machine, and must say that it is still there.
        """
        self._end(actor)
        reason = f"{type(error).__name__}: {error}".partition("\n")[0]
        for other in self._actors:
            if other.says is None:
                other.says = other.handle.load.remote()
        if actor.task is None:
            self._n_stillborn += not actor.was_ready
            if self._n_stillborn > self.max_failures * self.n_workers:
                n_died = f"{self._n_stillborn} workers died one after the other as they started"
                raise RuntimeError(f"{n_died}, the last with {reason}")
            return None
        actor.task.n_lost += 1
        if actor.task.n_lost <= self.max_failures:
            self._waiting.insert(0, actor.task)
            return None
        reason = f"its worker died, {actor.task.n_lost} times, at last with {reason}"
        return actor.ended(Outcome(math.nan, reason=reason), self.now() - actor.since)

    def _until_next(self) -> float:
        """Return for how many seconds nobody exceeds the limit, at most 1."""
        left = [actor.since + self.trial_seconds - self.now() for actor in self._actors]
        return max(0.0, min(1.0, *left))

    def _stopped_if_late(self) -> Ended | None:
        """End the first actor whose trial exceeds the limit; return that trial."""
        for actor in self._actors:
            took = self.now() - actor.since
            if took >= self.trial_seconds:
                self._end(actor)
                return actor.ended(too_late(self.trial_seconds), took)
        return None

    def _end(self, actor: _Actor) -> None:
        import ray

        self._actors.remove(actor)
        ray.kill(actor.handle)


@dataclass(eq=False)
class _Waiting:
    """A trial, and how many actors have died of it or with it."""

    job: Job
    n_lost: int = 0


@dataclass(eq=False)
class _Actor:
    """One actor, as the driver sees it.

    says: the reference to what it will say next: of its task, or that it has the objective. None
    while it is idle. since: when its task began, infinity where it has none. trained: the
    identities of the trials it had.
    """

    handle: Any
    says: Any
    task: _Waiting | None = None
    since: float = math.inf
    was_ready: bool = False
    trained: set[Hashable] = field(default_factory=set)

    @classmethod
    def started(cls, objective: Any, needs: dict[str, float]) -> _Actor:
        import ray

        handle = ray.remote(_InActor).options(**needs).remote(objective)
        return cls(handle, handle.load.remote())

    def begin(self, task: _Waiting) -> None:
        self.task, self.since = task, time.monotonic()
        self.trained.add(task.job.identity)
        self.says = self.handle.answer.remote(task.job.request)

    def ended(self, outcome: Outcome, runtime_s: float) -> Ended:
        assert self.task is not None  # or nothing could have ended
        job, self.task = self.task.job, None
        self.says, self.since = None, math.inf
        return Ended(job, outcome, runtime_s)


class _InActor:
    """What runs in the actor: the objective, and what it says of one trial after the other."""

    def __init__(self, objective: bytes):
        self._to_load = objective
        self._objective: Objective | None = None

    def load(self) -> tuple[str, Any, float]:
        """Load the objective, the first time, and say whether that was possible."""
        import cloudpickle

        try:
            self._objective = self._objective or cloudpickle.loads(self._to_load)
        except Exception as error:  # whatever its modules raise
            return "not loaded", f"{type(error).__name__}: {error}", 0.0
        return "ready", None, 0.0

    def answer(self, request: Request) -> tuple[str, Any, float]:
        assert self._objective is not None  # as it said that it is ready
        since = time.perf_counter()
        kind, said = answer_one(self._objective, request)
        return kind, said, time.perf_counter() - since


# --- how many, and of what ------------------------------------------------------------------------


def _as_n_workers(n_workers: int | None, needs: dict[str, float]) -> int:
    """Return how many workers there are to be; the cluster's room for them where it is not said."""
    needed = " and ".join(f"{name}={value:g}" for name, value in needs.items())
    room = _room(needs)
    if n_workers is not None:
        n_workers = as_count("n_workers", n_workers)
        if room == 0:
            warn_caller(f"no machine has room for a worker of {needed}: the search waits for one")
        return n_workers
    if room == math.inf:
        raise ValueError(f"n_workers is None, and workers of {needed} need nothing: say how many")
    if room == 0:
        raise ValueError(f"n_workers is None, and no machine has room for a worker of {needed}")
    return int(room)


def _room(needs: dict[str, float]) -> float:
    """Return for how many workers the cluster's machines have room, if nothing else runs there."""
    import ray

    names = {"num_cpus": "CPU", "num_gpus": "GPU"}
    room = 0.0
    for node in ray.nodes():
        if node["Alive"]:
            has = node["Resources"]
            shares = [has.get(names[name], 0) // value for name, value in needs.items() if value]
            room += min(shares, default=math.inf)
    return room
