"""A second process for a lesson's long measurements, by joblib's loky."""

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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from hpt_helpers.progress import progress_bar
from hpt_helpers.warn import warn_caller

ALONE_S = 1.0  # work that takes no longer is done before another process would have started
IDLE_S = 300  # after so long without work the other process ends
# Two threads in each of two processes would wait for each other.
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM")
}

_executor: Any = None  # of the other process, once it has started: from then on it costs nothing
_busy = threading.Lock()  # held while both are at work, and always by the other process


def share(work: Callable, pieces: Sequence, *, progress: bool = False) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from two processes where it takes long enough.

    work: a function, of a notebook too, that depends on nothing but its piece and returns what can
        be pickled. What it sets elsewhere may be lost, and what it prints may not be seen.
    progress: show a bar of the pieces.
    The first second of the work is done here. Then another process takes part, which takes some
    seconds to start, once. All is done here where the machine has one processor for us, so the
    pieces must be the same whoever does them; numerical libraries have one thread in each.
    What `work` raises goes on, as does an interrupt; the other process ends with it.

    >>> list(share(lambda number: number**2, [1, 2, 3]))
    [1, 4, 9]
    """
    pieces, began, n = list(pieces), time.monotonic(), 0
    with (
        threadpool_limits(1),
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


def end_other() -> None:
    """End the other process, so that something else has its memory; work starts it again."""
    global _executor
    executor, _executor = _executor, None
    if executor is not None:
        executor.shutdown(wait=True, kill_workers=True)


def _worth_it(elapsed_s: float) -> bool:
    from joblib import cpu_count  # here: it takes a quarter of a second

    return (_executor is not None or elapsed_s > ALONE_S) and cpu_count() > 1


def _shared(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from both processes, or from this one alone while
    they are at work already: the pieces of a piece stay where it is.
    """
    if not _busy.acquire(blocking=False):
        yield from map(work, pieces)
        return
    try:
        yield from _by_both(work, pieces)
    finally:
        _busy.release()


def _by_both(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from this process and the other.

    Whoever is free takes the next pieces. A thread takes them for the other process, which is ended
    unless all are done. Where no other process can start, all is done here.
    """
    global _executor
    chunks = _chunks(pieces)
    found: list[Future] = [Future() for _ in chunks]
    waiting, giving = deque(enumerate(chunks)), threading.Lock()
    executor = None
    try:
        with contextlib.suppress(OSError, RuntimeError):  # no room for a process or a thread
            resource_tracker.ensure_running()  # its start would let interrupts in
            with _interrupts_held():
                executor, started = _started_executor()
                _executor = None
                task = executor, started, work, waiting, giving, found
                threading.Thread(target=_have_done, args=task, daemon=True).start()
        for chunk, result in zip(chunks, found, strict=True):
            while not result.done() and (taken := _take(waiting)):
                _do(work, taken[1], found[taken[0]])
            yield from _given(result, work, chunk)
        _executor, executor = executor, None
    finally:
        if executor is not None:
            with giving:  # nothing is given to the other process any more
                waiting.clear()
            _end(executor)


def _chunks(pieces: list) -> list[list]:
    """Return the pieces in at most 100 parts, since it takes time to give one away."""
    size = math.ceil(len(pieces) / 100)
    return [pieces[i : i + size] for i in range(0, len(pieces), size)]


def _take(waiting: deque) -> tuple[int, list] | None:
    """Take the next numbered chunk; None where another thread has taken the last one."""
    try:
        return waiting.popleft()
    except IndexError:
        return None


def _have_done(
    executor: Any,
    started: Future,
    work: Callable,
    waiting: deque,
    giving: threading.Lock,
    found: list[Future],
) -> None:
    """Have the other process do one chunk after another, until none is left or one fails."""
    wait([started])  # until then this process takes them
    while True:
        with giving:
            taken = _take(waiting)
            if taken is None:
                return
            i, chunk = taken
            try:
                given = executor.submit(_each_quietly, work, chunk)
            except BaseException as error:
                found[i].set_exception(error)
                return
        try:
            found[i].set_result(given.result())
        except BaseException as error:
            found[i].set_exception(error)
            return


def _do(work: Callable, chunk: list, found: Future) -> None:
    """Do a chunk in this process."""
    try:
        found.set_result([(work(piece), []) for piece in chunk])
    except Exception as error:  # an interrupt goes on at once
        found.set_exception(error)


def _given(found: Future, work: Callable, chunk: list) -> Iterator[Any]:
    """Yield the results of a chunk, once it is done, and give its warnings."""
    while not found.done():
        wait([found], timeout=0.2)  # without a limit Windows would let no interrupt in
    try:
        done = found.result()
    except BrokenProcessPool:  # the other was killed, as where memory is short
        _do(work, chunk, here := Future())
        done = here.result()
    for result, warned in done:
        for message, category in warned:
            warn_caller(message, category)
        yield result


def _started_executor() -> tuple[Any, Future]:
    """Return the executor of the other process, and what is done once that has started."""
    executor = _executor or _new_executor()
    try:
        return executor, executor.submit(int)
    except BrokenProcessPool:  # that process was killed
        executor = _new_executor()
        return executor, executor.submit(int)
    except OSError:
        end_other()
        raise


def _new_executor() -> Any:
    from joblib.externals.loky import ProcessPoolExecutor  # takes a notebook's functions

    # Of one that ends because it was idle just when work came; another starts in its place.
    warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
    return ProcessPoolExecutor(1, timeout=IDLE_S, env=ONE_THREAD, initializer=_begin)


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
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # what others inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if in_main:
            signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _begin() -> None:
    """Prepare the other process, which shares nothing, shows no bars, and may grow."""
    _busy.acquire()
    os.environ["TQDM_DISABLE"] = "1"
    from joblib.externals.loky import process_executor

    # One that grew by 300 MB would be ended as leaking; to import PyTorch takes more.
    process_executor._MAX_MEMORY_LEAK_SIZE = math.inf


def _end(executor: Any) -> None:
    """End the other process at once, whatever it is at, and do not wait for it."""
    # What was not given out yet would be looked for in vain by loky's thread, which dies of that.
    with contextlib.suppress(queue.Empty):
        while True:
            executor._work_ids.get_nowait()
    executor.shutdown(wait=False, kill_workers=True)


def _each_quietly(work: Callable, pieces: Sequence) -> list[tuple[Any, list]]:
    return [_quietly(work, piece) for piece in pieces]


def _quietly(work: Callable, piece: Any) -> tuple[Any, list]:
    """Do a piece in the other process, whose output nobody is to see.

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
