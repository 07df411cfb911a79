"""Who evaluates the trials of a search: this process, or several beside it.

`run` knows them as `Workers`. It starts trials, waits for the next that ends, and asks how many
more there is room for and what time it is. Whoever answers may keep a clock of its own, such as
the laboratory's simulated one.
"""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections.abc import Generator, Hashable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, Protocol, TypeVar

from hpt_helpers.protocol import Objective, Outcome, Request, answer_each


class Job(Protocol):
    """A trial to evaluate, and what workers need of it.

    identity: which training it continues; equal for those that share one.
    """

    request: Request
    identity: Hashable


class Ended(NamedTuple):
    """A trial that has ended, what the objective says of it, and how long that took."""

    job: Any
    outcome: Outcome
    runtime_s: float


class Workers(Protocol):
    """What `run` asks of those who evaluate its trials."""

    n_workers: int  # how many trials may run at a time; 1 for this process

    @property
    def n_running(self) -> int:
        """The number of trials that were started and have not been returned by `wait`."""
        ...

    def n_free(self) -> float:
        """Return how many more trials may be started now; infinity for any number at once."""
        ...

    def start(self, jobs: Sequence[Job]) -> None:
        """Start trials, at most as many as there is room for."""
        ...

    def wait(self) -> Ended:
        """Wait until a trial has ended, and return it. One must run."""
        ...

    def drop_waiting(self) -> Sequence[Job]:
        """Give up the trials that were started but not begun, and return them."""
        ...

    def now(self) -> float:
        """Return the time in seconds, since any beginning."""
        ...

    def close(self) -> None:
        """End whatever still runs, and leave nothing behind."""
        ...


class ThisProcess:
    """Evaluates trials in this process, one after the other, in one call of the objective.

    An objective may so answer several together. Where it answers one by one, no trial begins before
    it is waited for. runtime_s is the time between two answers.
    """

    n_workers = 1

    def __init__(self, objective: Objective):
        self._objective = objective
        self._jobs: list[Job] = []  # that were not answered yet
        self._answers: Generator[Outcome, None, None] | None = None
        self._since = 0.0

    @property
    def n_running(self) -> int:
        return len(self._jobs)

    def n_free(self) -> float:
        if self._jobs:
            return 0
        if self._answers:  # to their end: an objective may raise there, or answer too much
            next(self._answers, None)
            self._answers = None
        return math.inf

    def start(self, jobs: Sequence[Job]) -> None:
        self._jobs = list(jobs)
        self._answers = answer_each(self._objective, [job.request for job in jobs])
        self._since = time.perf_counter()

    def wait(self) -> Ended:
        assert self._answers is not None  # as a trial was started
        outcome, now = next(self._answers), time.perf_counter()
        runtime_s, self._since = now - self._since, now
        return Ended(self._jobs.pop(0), outcome, runtime_s)

    def drop_waiting(self) -> Sequence[Job]:
        dropped, self._jobs = self._jobs, []
        self.close()
        return dropped

    def now(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        if self._answers:
            self._answers.close()
            self._answers = None


# One thread in each worker; more would wait for each other.
THREADS = ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM", "NUMEXPR_NUM")
CLOSING_S = 5.0  # what an idle worker may take to end by itself


class Processes:
    """Evaluates trials in processes of its own, each of which has a copy of the objective.

    A process that runs a trial for longer than trial_seconds is ended, with all that it started,
    and so is one whose search ends. Another takes its place when it is needed. A trial that goes on
    from where an earlier one stopped is given to the process that had that one, if it is idle: an
    objective that keeps trainings in its memory can go on there, and nowhere else.
    runtime_s is measured in the process, without its start. Numerical libraries have one thread
    there, unless the environment says otherwise (OMP_NUM_THREADS and its like).

    The processes are joblib's, which do not run the caller's script again. Its pools cannot end a
    single task, and a pool that can (pebble's) waits for ever for a process that ended with code 0.
    Raises TypeError for an objective that cannot be sent to another process.
    """

    def __init__(self, objective: Objective, n_workers: int, trial_seconds: float = math.inf):
        self.n_workers, self.trial_seconds = n_workers, trial_seconds
        self._objective = to_send(objective)
        self._workers: list[_Worker] = []

    @property
    def n_running(self) -> int:
        return len(self._busy())

    def n_free(self) -> float:
        return self.n_workers - self.n_running

    def start(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            self._idle_worker(job.identity).begin(job)

    def wait(self) -> Ended:
        while True:
            # not for long: on Windows an interrupt does not end this
            answered = wait([worker.connection for worker in self._busy()], self._until_next())
            for worker in self._busy():
                ended = worker.receive() if worker.connection in answered else None
                ended = ended or self._stopped_if_late(worker)
                if ended:
                    return ended

    def drop_waiting(self) -> Sequence[Job]:
        return []  # each has begun

    def now(self) -> float:
        return time.monotonic()

    def close(self) -> None:
        workers, self._workers = self._workers, []
        for worker in workers:
            if worker.job:
                worker.kill()
            else:
                worker.connection.close()  # it ends then
        for worker in workers:
            worker.process.join(CLOSING_S)
            worker.kill()

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.job]

    def _idle_worker(self, identity: Hashable) -> _Worker:
        """Return a worker that is idle: one that had the training, any other, or a new one."""
        for worker in [worker for worker in self._workers if worker.is_gone()]:
            worker.kill()
            self._workers.remove(worker)
        idle = [worker for worker in self._workers if not worker.job]
        if not idle:
            idle = [_Worker.started(self._objective)]
            self._workers += idle
        return who_had(identity, idle)

    def _until_next(self) -> float:
        """Return for how many seconds nobody exceeds the limit, at most 1."""
        left = [worker.since + self.trial_seconds - self.now() for worker in self._busy()]
        return max(0.0, min(1.0, *left))

    def _stopped_if_late(self, worker: _Worker) -> Ended | None:
        """End a worker whose trial exceeds the limit; return that trial."""
        took = self.now() - worker.since
        if took < self.trial_seconds:
            return None
        worker.kill()
        return worker.ended(too_late(self.trial_seconds), took)


def to_send(objective: Objective) -> bytes:
    """Return what `cloudpickle.loads` makes a copy of the objective of, in another process.

    Raises TypeError for an objective of which there can be no copy.
    """
    import cloudpickle  # which takes the functions of a notebook, too

    try:
        return cloudpickle.dumps(objective)
    except Exception as error:  # whatever its parts raise
        raise TypeError(
            f"objective is {objective!r:.80}, which cannot be sent to worker processes "
            f"({type(error).__name__}: {error}); n_workers=1 without trial_seconds needs none"
        ) from error


class HasTrained(Protocol):
    """A worker that knows the identities of the trials it had."""

    trained: set[Hashable]


AnyWorker = TypeVar("AnyWorker", bound=HasTrained)


def who_had(identity: Hashable, idle: Sequence[AnyWorker]) -> AnyWorker:
    """Return the first worker that had this training, or the first of all."""
    return next((worker for worker in idle if identity in worker.trained), idle[0])


def heard(kind: str, answer: Any) -> Outcome:
    """Return the outcome that a worker sent, or raise what its kind says in place of one."""
    if kind == "interrupted":
        raise KeyboardInterrupt
    if kind == "raised":
        raise RuntimeError(f"the objective raised after its answer, in a worker: {answer}")
    if kind == "not loaded":
        raise RuntimeError(f"a worker cannot load the objective: {answer}")
    return answer


def too_late(trial_seconds: float) -> Outcome:
    """Return the outcome of a trial that was ended at this limit."""
    return Outcome(math.nan, reason=f"stopped after {trial_seconds:g} s, the limit trial_seconds")


@dataclass(eq=False)
class _Worker:
    """One process, as its parent sees it.

    since: when its trial began, infinity until the process is ready. trained: the identities of the
    trials it had.
    """

    process: Any
    connection: Connection
    lifeline: Connection
    job: Job | None = None
    since: float = math.inf
    is_ready: bool = False
    trained: set[Hashable] = field(default_factory=set)

    @classmethod
    def started(cls, objective: bytes) -> _Worker:
        from joblib.externals.loky.backend.process import LokyProcess

        ours, theirs = Pipe()
        end_of_line, lifeline = Pipe(duplex=False)
        names = [f"{library}_THREADS" for library in THREADS]
        env = {name: "1" for name in names if name not in os.environ}
        process = LokyProcess(target=_serve, args=(theirs, end_of_line, objective), env=env)
        process.start()
        theirs.close()
        end_of_line.close()
        return cls(process, ours, lifeline)

    def begin(self, job: Job) -> None:
        self.job, self.since = job, time.monotonic() if self.is_ready else math.inf
        self.trained.add(job.identity)
        with suppress(OSError):  # it has just died, which `receive` will see
            self.connection.send(job.request)

    def receive(self) -> Ended | None:
        """Return the trial that has ended here, or None where the process only got ready.

        Raises RuntimeError where the objective raised after its answer, or cannot be loaded there,
        and KeyboardInterrupt where it raised that.
        """
        try:
            kind, answer, runtime_s = self.connection.recv()
        except (EOFError, OSError):
            self.kill()
            reason = f"its worker process died, with exit code {self.process.exitcode}"
            return self.ended(Outcome(math.nan, reason=reason), time.monotonic() - self.since)
        if kind == "ready":
            self.is_ready, self.since = True, time.monotonic()
            return None
        return self.ended(heard(kind, answer), runtime_s)

    def ended(self, outcome: Outcome, runtime_s: float) -> Ended:
        job, self.job = self.job, None
        return Ended(job, outcome, max(runtime_s, 0.0))

    def is_gone(self) -> bool:
        """Say whether an idle process has ended. One that has not says nothing."""
        try:
            return not self.job and self.connection.poll()
        except OSError:  # closed, or broken
            return True

    def kill(self) -> None:
        """End the process, and all that it started."""
        from joblib.externals.loky.backend.utils import kill_process_tree

        if self.process.is_alive():
            kill_process_tree(self.process)
        self.process.join()
        self.connection.close()
        self.lifeline.close()


# --- in the worker --------------------------------------------------------------------------------


def _serve(connection: Connection, lifeline: Connection, objective: bytes) -> None:
    """Answer one request after the other, until the parent closes the connection."""
    import cloudpickle

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when it is over
    threading.Thread(target=_end_with_parent, args=[lifeline], daemon=True).start()
    try:
        answer = partial(answer_one, cloudpickle.loads(objective))
        connection.send(("ready", None, 0.0))
    except Exception as error:  # whatever its modules raise
        connection.send(("not loaded", f"{type(error).__name__}: {error}", 0.0))
        return
    while True:
        try:
            request = connection.recv()
        except EOFError:
            return
        since = time.perf_counter()
        kind, said = answer(request)
        runtime_s = time.perf_counter() - since
        try:
            connection.send((kind, said, runtime_s))
        except Exception as error:  # what cannot be pickled
            connection.send(("ended", Outcome.of_error(error), runtime_s))


def _end_with_parent(lifeline: Connection) -> None:
    """End this process, in the middle of a trial, too, when the parent is gone."""
    try:
        lifeline.recv()
    except (EOFError, OSError):
        os._exit(1)


def answer_one(objective: Objective, request: Request) -> tuple[str, Any]:
    """Return what the objective says of one trial, or what it raised after it had answered.

    Before it stands its kind: "ended", "interrupted" or "raised".
    """
    try:
        [outcome] = answer_each(objective, [request])
        return "ended", outcome
    except KeyboardInterrupt:  # of its own, as this process gets none
        return "interrupted", None
    except Exception as error:
        return "raised", f"{type(error).__name__}: {error}"
