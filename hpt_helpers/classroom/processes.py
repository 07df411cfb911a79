"""Two processes for a lesson's long measurements, by joblib's loky."""

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
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from hpt_helpers.progress import progress_bar
from hpt_helpers.warn import warn_caller

PROCESSES = 2
ALONE_S = 1.0  # work that takes no longer is done before other processes would have started
IDLE_S = 300  # after so long without work the other processes end
# Two threads in each of two processes would wait for each other.
ONE_THREAD = {
    f"{library}_THREADS": "1"
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM")
}

_executor: Any = None  # the other processes, once they have started: from then on they cost nothing
_is_worker = False  # whether this is one of them, which shares nothing


def share(work: Callable, pieces: Sequence, *, progress: bool = False) -> Iterator[Any]:
    """Yield work(piece) for each piece, in order, from two processes where it takes long enough.

    work: a function, of a notebook too, that depends on nothing but its piece and returns what can
        be pickled. What it sets elsewhere may be lost, and what it prints may not be seen.
    progress: show a bar of the pieces.
    The first second of the work is done here, and the rest by two other processes, which take some
    seconds to start, once. All is done here where the machine has one processor for us, so the
    pieces must be the same whoever does them; numerical libraries have one thread in each.
    What `work` raises goes on, as does an interrupt; the processes end with it.

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
            # One that was killed, as where memory is short, leaves its pieces to this process.
            with contextlib.suppress(BrokenProcessPool):
                for result in _by_others(work, pieces[n:]):
                    yield result
                    n += 1
                    bar.update()
            for piece in pieces[n:]:
                yield work(piece)
                bar.update()
        finally:
            bar.total = bar.n  # a bar that is not at its end would stay, in red


def end_others() -> None:
    """End the other processes, so that something else has their memory; work starts them again."""
    global _executor
    if _executor is not None:
        _executor.shutdown(wait=True, kill_workers=True)
        _executor = None


def _worth_it(elapsed_s: float) -> bool:
    from joblib import cpu_count  # here: it takes a quarter of a second

    return (_executor is not None or elapsed_s > ALONE_S) and not _is_worker and cpu_count() > 1


def _by_others(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, from other processes; unless all are, these are ended."""
    global _executor
    if not pieces:
        return
    executor = None
    try:
        resource_tracker.ensure_running()  # its start would let interrupts in
        with _interrupts_held():
            from joblib.externals.loky import ProcessPoolExecutor  # takes a notebook's functions

            # Of one that ends because it was idle just when work came; others start in its place.
            warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
            executor = _executor or ProcessPoolExecutor(
                PROCESSES, timeout=IDLE_S, env=ONE_THREAD, initializer=_begin
            )
            _executor = None
            size = math.ceil(len(pieces) / 100)
            chunks = [pieces[i : i + size] for i in range(0, len(pieces), size)]
            # Not by `map`, which cancels what is left when one raises: loky's thread dies of a
            # future that was cancelled before it has ended the processes.
            waiting = deque(executor.submit(_each_quietly, work, chunk) for chunk in chunks)
        while waiting:
            for result, warned in waiting.popleft().result():
                for message, category in warned:
                    warn_caller(message, category)
                yield result
        _executor = executor
    finally:
        if executor is not None and _executor is None:
            _end(executor)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let an interrupt wait, and none reach the processes that start meanwhile.

    Jupyter sends it to all processes of a kernel; they would print where they were.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list = []
    handler = signal.signal(signal.SIGINT, lambda *signal_and_frame: came.append(signal_and_frame))
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # what others inherit
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        signal.signal(signal.SIGINT, handler)
        if came:
            signal.raise_signal(signal.SIGINT)


def _begin() -> None:
    """Prepare another process, which shares nothing, shows no bars, and may grow."""
    global _is_worker
    _is_worker = True
    os.environ["TQDM_DISABLE"] = "1"
    from joblib.externals.loky import process_executor

    # One that grew by 300 MB would be ended as leaking; to import PyTorch takes more.
    process_executor._MAX_MEMORY_LEAK_SIZE = math.inf


def _end(executor: Any) -> None:
    """End the other processes at once, whatever they are at, and wait for none of them."""
    # What was not given out yet would be looked for in vain by loky's thread, which dies of that.
    with contextlib.suppress(queue.Empty):
        while True:
            executor._work_ids.get_nowait()
    executor.shutdown(wait=False, kill_workers=True)


def _each_quietly(work: Callable, pieces: Sequence) -> list[tuple[Any, list]]:
    return [_quietly(work, piece) for piece in pieces]


def _quietly(work: Callable, piece: Any) -> tuple[Any, list]:
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
