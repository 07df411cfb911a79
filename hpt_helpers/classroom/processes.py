"""Two processes for a lesson's long measurements, by joblib."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker
from typing import Any

from threadpoolctl import threadpool_limits

from hpt_helpers.progress import progress_bar

PROCESSES = 2
ALONE_S = 1.0  # work that takes no longer is done before other processes would have started

_running = False  # whether the processes have started: from then on they cost nothing
_is_worker = False  # whether this is one of them, which shares nothing


def share(work: Callable, pieces: Sequence, *, progress: bool = False) -> list:
    """Return [work(piece) for piece in pieces], in two processes where that takes long enough.

    work: a function, of a notebook too, that depends on nothing but its piece and returns what can
        be pickled. What it sets elsewhere may be lost, and what it prints may not be seen.
    progress: show a bar of the pieces.
    The first second of the work is done here, and the rest by two other processes, which take some
    seconds to start, once. All is done here where the machine has one processor for us, so the
    pieces must be the same whoever does them; numerical libraries have one thread in each.
    What `work` raises goes on, as does an interrupt; the processes end with it.

    >>> share(lambda number: number**2, [1, 2, 3])
    [1, 4, 9]
    """
    pieces, results, began = list(pieces), [], time.monotonic()
    with (
        threadpool_limits(1),
        progress_bar(total=len(pieces), progress=progress, unit="part") as bar,
    ):

        def done(result: Any) -> None:
            results.append(result)
            bar.update()

        def to_be_shared() -> bool:
            return len(pieces) - len(results) > 1 and _worth_it(time.monotonic() - began)

        try:
            while len(results) < len(pieces) and not to_be_shared():
                done(work(pieces[len(results)]))
            # One that was killed, as where memory is short, leaves its pieces to this process.
            with contextlib.suppress(BrokenProcessPool):
                for result in _by_others(work, pieces[len(results) :]):
                    done(result)
            for piece in pieces[len(results) :]:
                done(work(piece))
        finally:
            bar.total = bar.n  # a bar that is not at its end would stay, in red
    return results


def _worth_it(elapsed_s: float) -> bool:
    from joblib import cpu_count  # here: it takes a quarter of a second

    return (_running or elapsed_s > ALONE_S) and not _is_worker and cpu_count() > 1


def _by_others(work: Callable, pieces: list) -> Iterator[Any]:
    """Yield work(piece) for each piece, from other processes; unless all are, these are ended."""
    global _running
    if not pieces:
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky import get_reusable_executor

    whole = False
    try:
        resource_tracker.ensure_running()  # its start would let interrupts in
        # Two threads in each of two processes would wait for each other.
        with parallel_config("loky", n_jobs=PROCESSES, inner_max_num_threads=1), _interrupts_held():
            run = Parallel(return_as="generator", max_nbytes=None)
            found = run(delayed(_quietly)(work, piece) for piece in pieces)
        for result, warned in found:
            for message, category in warned:
                warnings.warn(message, category, stacklevel=3)
            yield result
        whole = True
    finally:
        _running = whole
        if not whole:
            get_reusable_executor(reuse=True).shutdown(wait=False, kill_workers=True)


@contextlib.contextmanager
def _interrupts_held() -> Iterator[None]:
    """Let an interrupt wait, and none reach the processes that start meanwhile.

    Jupyter sends it to all processes of a kernel; they would print where they were.
    """
    if os.name != "posix" or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _quietly(work: Callable, piece: Any) -> tuple[Any, list]:
    """Do a piece in another process, whose output and bars nobody is to see.

    Return what `work` returned, and its warnings, for the first process to give.
    """
    global _is_worker
    _is_worker = True
    os.environ["TQDM_DISABLE"] = "1"
    unseen = io.StringIO()
    with (
        contextlib.redirect_stdout(unseen),
        contextlib.redirect_stderr(unseen),
        warnings.catch_warnings(record=True) as warned,
    ):
        result = work(piece)
    return result, [(str(warning.message), warning.category) for warning in warned]
