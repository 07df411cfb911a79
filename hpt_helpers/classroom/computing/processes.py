"""Several processes for a lesson's long measurements: this one, and others by joblib's loky."""

from __future__ import annotations

import contextlib
import io
import math
import os
import queue
import signal
import threading
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import resource_tracker as of_python
from typing import Any

from hpt_helpers.progress import progress_bar
from hpt_helpers.threads import one_thread_in_all
from hpt_helpers.warn import warn_caller

ALONE_S = 1.0  # work that takes no longer is done before another process would have started
IDLE_S = 300  # after so long without work the other processes end
GB_EACH = 1.0  # free memory for each of them: it takes less than half, and others want some, too
# Two threads in each of two processes would wait for each other.
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM")
}

_executor: Any = None  # of the others, once they have started: from then on they cost nothing
_busy = threading.Lock()  # held while they are at work, and always by the other processes

Warned = list[tuple[str, type[Warning]]]


def share(
    work: Callable, pieces: Sequence, *, progress: bool = False
) -> Generator[Any, None, None]:
    """Yield work(piece) for each piece, in order, from several processes where it takes long.

    work: a function, of a notebook too, that depends on nothing but its piece and returns what can
        be pickled. What it sets elsewhere may be lost, and what it prints may not be seen.
    progress: show a bar of the pieces.
    The first second of the work is done here. Then other processes take part, of which there are
    `n_processes` with this one. They take some seconds to start, once. The pieces must be the same
    whoever does them, because all is done here where there is but one processor for us. Numerical
    libraries have one thread in each process.
    What `work` raises goes on, as does an interrupt, and the other processes end with it.

    >>> list(share(lambda number: number**2, [1, 2, 3]))
    [1, 4, 9]
    """
    pieces, began, n = list(pieces), time.monotonic(), 0
    with (
        one_thread_in_all(),
        progress_bar(total=len(pieces), progress=progress, unit="part") as bar,
    ):
        try:
            while n < len(pieces) and not (
                len(pieces) - n > 1 and _worth_it(time.monotonic() - began)
            ):
                yield work(pieces[n])
                n += 1
                bar.update()
            if n < len(pieces):
                for result in _shared(work, pieces[n:]):
                    yield result
                    bar.update()
        finally:
            bar.total = bar.n  # a bar that is not at its end would stay, in red


def n_processes() -> int:
    """Return how many processes work at once, this one among them.

    The environment variable HPT_PROCESSES says so. Without it they are as many as there are
    processors for us, but beyond two only where a gigabyte of memory is free for each.
    Raises ValueError for an HPT_PROCESSES that is not a whole number from 1 on.
    """
    wanted = os.environ.get("HPT_PROCESSES")
    if wanted is None:
        from joblib import cpu_count  # here: it takes a quarter of a second

        from hpt_helpers.classroom.computing.memory import free_memory_gb

        return min(cpu_count(), max(2, 1 + int(free_memory_gb() / GB_EACH)))
    if not wanted.isdecimal() or int(wanted) == 0:
        raise ValueError(f"HPT_PROCESSES is {wanted!r}; a whole number from 1 on is needed")
    return int(wanted)


def end_others() -> None:
    """End the other processes, so that something else has their memory; work starts them again."""
    global _executor
    executor, _executor = _executor, None
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)


def _worth_it(elapsed_s: float) -> bool:
    return (_executor is not None or elapsed_s > ALONE_S) and n_processes() > 1


def _shared(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from all processes, or from this one alone while
    they are at work already: the pieces of a piece stay where it is.
    """
    if not _busy.acquire(blocking=False):
        yield from map(work, pieces)
        return
    try:
        yield from _by_all(work, pieces)
    finally:
        _busy.release()


def _by_all(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from this process and the others.

    The other processes are ended unless all is done. Where none can start, all is done here.
    """
    global _executor
    chunks, executor = _Chunks(work, pieces), None
    try:
        # An error means that there is no room for a process or a thread.
        with contextlib.suppress(OSError, RuntimeError), _interrupts_held():
            executor, started = _started_executor()
            _executor = None
            for process in started:
                process.add_done_callback(partial(chunks.give, executor))
        for i in range(len(chunks)):
            while not chunks.is_done(i) and chunks.do_next():
                pass
            for result, warned in chunks.results(i):
                for message, category in warned:
                    warn_caller(message, category)
                yield result
        _executor, executor = executor, None
    finally:
        if executor is not None:
            chunks.keep()
            _end(executor)


class _Chunks:
    """Pieces of work in at most 100 parts, since it takes time to give one to another process.

    Whoever is free takes the next: this process by `do_next`, the others by `give`.
    """

    def __init__(self, work: Callable, pieces: list):
        size = math.ceil(len(pieces) / 100)
        self._work = work
        self._chunks = [pieces[i : i + size] for i in range(0, len(pieces), size)]
        self._found: list[Future] = [Future() for _ in self._chunks]
        self._waiting = deque(range(len(self._chunks)))
        self._giving = threading.Lock()

    def __len__(self) -> int:
        return len(self._chunks)

    def _next(self) -> int | None:
        """Take the first that waits; None where another thread has taken the last one."""
        try:
            return self._waiting.popleft()
        except IndexError:
            return None

    def do_next(self) -> bool:
        """Do the next chunk in this process; return whether there was one."""
        i = self._next()
        if i is not None:
            self._found[i].set_result(self._done_here(i))
        return i is not None

    def _done_here(self, i: int) -> list[tuple[Any, Warned]]:
        """Return the results of a chunk, without warnings: here they are given at once."""
        return [(self._work(piece), []) for piece in self._chunks[i]]

    def give(self, executor: Any, _started: Future | None = None) -> None:
        """Give another process the next chunk, and when that is done, the one after.

        The executor's own thread calls this, at first when a process has started.
        """
        with self._giving:
            i = self._next()
            if i is None:
                return
            try:
                answer = executor.submit(_each_quietly, self._work, self._chunks[i])
            except BaseException as error:  # no other process is there any more
                self._found[i].set_exception(error)
                return
        answer.add_done_callback(partial(self._take, executor, self._found[i]))

    def _take(self, executor: Any, found: Future, answer: Future) -> None:
        """Take what another process answers; after an error it gets no more."""
        error = answer.exception()
        if error is not None:
            found.set_exception(error)
        else:
            found.set_result(answer.result())
            self.give(executor)

    def keep(self) -> None:
        """Give nothing to other processes any more."""
        with self._giving:
            self._waiting.clear()

    def is_done(self, i: int) -> bool:
        return self._found[i].done()

    def results(self, i: int) -> list[tuple[Any, Warned]]:
        """Wait for a chunk and return its results, each with the warnings still to be given.

        A process that was killed, as where memory is short, leaves its chunk to this one.
        """
        while not self.is_done(i):
            wait([self._found[i]], timeout=0.2)  # without a limit Windows would let no interrupt in
        try:
            return self._found[i].result()
        except BrokenProcessPool:
            return self._done_here(i)


def _started_executor() -> tuple[Any, list[Future]]:
    """Return the executor of the other processes, and what is done once they have started."""
    executor = _executor or _new_executor()
    try:
        return executor, _nothing_for_each(executor)
    except BrokenProcessPool:  # one of them was killed
        executor = _new_executor()
        return executor, _nothing_for_each(executor)
    except OSError:
        end_others()
        raise


def _nothing_for_each(executor: Any) -> list[Future]:
    return [executor.submit(int) for _ in range(n_processes() - 1)]


def _new_executor() -> Any:
    from joblib.externals.loky import ProcessPoolExecutor  # takes a notebook's functions

    # Of one that ends because it was idle just when work came; another starts in its place.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    n_others = n_processes() - 1
    return ProcessPoolExecutor(n_others, timeout=IDLE_S, env=ONE_THREAD, initializer=_begin)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let an interrupt wait, and none reach a process that starts meanwhile.

    Jupyter sends it to all processes of a kernel; they would print where they were.
    """
    if os.name != "posix":
        yield
        return
    came: list = []
    in_main = threading.current_thread() is threading.main_thread()  # no other has a handler
    if in_main:
        handler = signal.signal(signal.SIGINT, lambda *arguments: came.append(arguments))
    blocked = None
    try:
        # An interrupt amid this import would leave a joblib that cannot be imported any more.
        from joblib.externals.loky.backend import resource_tracker as of_loky

        # Two processes that loky starts beside its workers: starting one lets interrupts in.
        of_python.ensure_running()
        of_loky.ensure_running()
        blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # what others inherit
        yield
    finally:
        if blocked is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if in_main:
            signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _begin() -> None:
    """Prepare another process, which shares nothing, shows no bars, and may grow."""
    _busy.acquire()
    os.environ["TQDM_DISABLE"] = "1"
    from joblib.externals.loky import process_executor

    # One that grew by 300 MB would be ended as leaking; to import PyTorch takes more.
    process_executor._MAX_MEMORY_LEAK_SIZE = math.inf


def _end(executor: Any) -> None:
    """End the other processes at once, whatever they are at, and do not wait for them."""
    # What was not given out yet would be looked for in vain by loky's thread, which dies of that.
    with contextlib.suppress(queue.Empty):
        while True:
            executor._work_ids.get_nowait()
    executor.shutdown(wait=False, kill_workers=True)


def _each_quietly(work: Callable, pieces: Sequence) -> list[tuple[Any, Warned]]:
    return [_quietly(work, piece) for piece in pieces]


def _quietly(work: Callable, piece: Any) -> tuple[Any, Warned]:
    """Do a piece in another process, whose output nobody is to see.

    Return what `work` returned, and its warnings, for the first process to give.
    """
    unseen = io.StringIO()
    with (
        contextlib.redirect_stdout(unseen),
        contextlib.redirect_stderr(unseen),
        warnings.catch_warnings(record=True) as warned,
    ):
        result = work(piece)
    return result, [(str(warning.message), warning.category) for warning in warned]
