"""A second processor for a lesson's long measurements: a second process takes pieces of the work as
well.

It is a copy of this one (`fork`), so that it knows what a notebook defined. It is help only: what
it does not bring back, this process computes, and each piece gives the same numbers, whoever
computes it.
"""

from __future__ import annotations

import gc
import io
import mmap
import os
import pickle
import select
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import astuple

import numpy as np
from threadpoolctl import threadpool_limits

from hpt_helpers.data import Splits
from hpt_helpers.on_ray.local_ray import uninterrupted
from hpt_helpers.population import CHUNK, fit_many
from hpt_helpers.progress import progress_bar
from hpt_helpers.training import LearningCurves

FEW = 64  # so many networks are quicker alone than shared
# seconds to wait for the second process, beside three times what the first one has worked
PATIENCE = 30

_sharing = False  # whether two processes are at work: a piece's own pieces are its process's


def in_two(work: Callable, pieces: Sequence, *, progress: bool = False) -> list:
    """Return [work(piece) for piece in pieces], with a second process where the machine has a
    processor for it.

    work: must depend on nothing but its piece, and return what can be pickled. What it sets
        elsewhere is lost where the second process runs it. It may show bars: the second process
        shows none.
    pieces: up to some ten thousand. progress: show a bar of them.
    What `work` raises goes on, as does an interrupt; the second process ends with it.

    >>> in_two(lambda number: number**2, [1, 2, 3])
    [1, 4, 9]
    """
    pieces = list(pieces)
    # Two threads in each of two processes wait for each other.
    with (
        threadpool_limits(1),
        progress_bar(total=len(pieces), progress=progress, unit="part") as bar,
    ):
        done = _shared(work, pieces, bar) if len(pieces) > 1 and _has_second_processor() else {}
        for i in range(len(pieces)):
            if i not in done:
                done[i] = work(pieces[i])
                bar.update()
    return [done[i] for i in range(len(pieces))]


def _has_second_processor() -> bool:
    """Return whether a copy of this process can run beside it: Linux only, and not while Ray's
    threads run.
    """
    if (
        _sharing
        or sys.platform != "linux"
        or threading.current_thread() is not threading.main_thread()
    ):
        return False
    ray = sys.modules.get("ray")
    return len(os.sched_getaffinity(0)) > 1 and not (ray and ray.is_initialized())


def _shared(work: Callable, pieces: list, bar) -> dict:
    """Return what both processes have computed, by its place among the pieces."""
    # marks: seen by both, which pieces are done
    marks, done, began = mmap.mmap(-1, len(pieces)), {}, time.monotonic()
    with ExitStack() as at_exit:
        try:
            # An interrupt in the middle of a fork would leave locks of Python's own held for ever.
            tickets, back = uninterrupted(_start, work, pieces, marks, at_exit)
        except OSError:  # there is no room for another process
            return {}
        for i in _taken(tickets):
            done[i] = work(pieces[i])
            marks[i] = 1
            bar.update(sum(marks[:]) - bar.n)
        now = time.monotonic()
        until = now + PATIENCE + 3 * (now - began)
        while not select.select([back], [], [], 0.1)[0] and time.monotonic() < until:
            bar.update(sum(marks[:]) - bar.n)
        if select.select([back], [], [], 0)[0]:
            with suppress(EOFError, pickle.UnpicklingError):  # it has died
                done |= pickle.load(back)
    return done


def _start(work: Callable, pieces: list, marks: mmap.mmap, at_exit: ExitStack) -> tuple:
    """Start the second process; return the pipe of the pieces' numbers, and that of its results."""
    global _sharing
    # Each process takes the next piece's number from the first pipe. Files, which know whether they
    # are closed.
    ends = zip((*os.pipe(), *os.pipe()), ("rb", "wb", "rb", "wb"), (0, 0, -1, -1), strict=True)
    tickets, numbers, back, there = (at_exit.enter_context(os.fdopen(*end)) for end in ends)
    numbers.write(b"".join(i.to_bytes(2) for i in range(len(pieces))))
    numbers.close()
    child = _fork()
    _sharing = True
    if child == 0:
        _help(work, pieces, tickets, there, marks)
    there.close()
    at_exit.callback(uninterrupted, _end, child)
    return tickets, back


def _end(child: int) -> None:
    global _sharing
    _sharing = False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def _fork() -> int:
    with warnings.catch_warnings():
        # Python warns of a copy of a process with threads. Jupyter's threads hold nothing that the
        # copy needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def _help(work: Callable, pieces: list, tickets, there, marks: mmap.mmap) -> None:
    """Be the second process: take pieces until none is left, give back what came of them, and end."""
    try:
        # the first process's; this one would go back into the notebook
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        gc.freeze()  # what is the first process's is not cleared away here
        os.environ["TQDM_DISABLE"] = "1"
        # they are Jupyter's, whose sockets are not for a copy
        sys.stdout = sys.stderr = io.StringIO()
        done = {}
        for i in _taken(tickets):
            try:
                done[i] = work(pieces[i])
            except Exception:  # the first process will meet it, and raise it
                break
            marks[i] = 1
        with there:
            pickle.dump(done, there)
    finally:
        os._exit(0)


def _taken(tickets) -> Iterator[int]:
    while number := tickets.read(2):
        yield int.from_bytes(number)


def halves(values: Sequence) -> list[list]:
    """Return the first and the second half of some values, of which the second is never shorter.

    >>> halves([1, 2, 3])
    [[1], [2, 3]]
    """
    middle = len(values) // 2
    return [list(half) for half in (values[:middle], values[middle:]) if len(half)]


def fit_all(
    configs: Sequence[Mapping],
    splits: Sequence[Splits],
    *,
    n_epochs: int,
    seed: Sequence[int],
    progress: bool = False,
) -> LearningCurves:
    """Train as `fit_many` does, in pieces that two processes can share; splits, seed: one for each
    configuration.

    Those of one draw and seed stay together, since they see the same rows. How they are cut depends
    on nothing else, so that one processor gives the numbers of two, to the last digit. progress:
    show a bar.
    """
    place = {id(part): i for i, part in enumerate(splits)}
    order = np.lexsort(
        [[c["batch_size"] for c in configs], seed, [place[id(part)] for part in splits]]
    )
    n_pieces = 2 * -(-len(order) // (2 * CHUNK)) if len(order) > FEW else 1
    pieces = np.array_split(order, n_pieces)

    def train(piece: np.ndarray) -> tuple[np.ndarray, ...]:
        chosen = [[values[i] for i in piece] for values in (configs, splits, seed)]
        return astuple(fit_many(chosen[0], chosen[1], n_epochs=n_epochs, seed=chosen[2]))

    curves = np.concatenate(in_two(train, pieces, progress=progress), axis=1)
    return LearningCurves(*curves[:, np.argsort(order)])
