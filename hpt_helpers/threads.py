"""One thread for numerical libraries, wherever the course's small arrays are computed."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from threadpoolctl import ThreadpoolController


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute on one thread inside the block, and on as many as before after it.

    On two busy cores, two threads train networks as small as ours up to 20 times slower than one
    does. Also serves as a decorator, `@one_thread()`.

    >>> before = torch.get_num_threads()
    >>> with one_thread():
    ...     print(torch.get_num_threads())
    1
    >>> torch.get_num_threads() == before
    True
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def one_thread_in_all() -> Iterator[None]:
    """Let linear algebra, OpenMP and with it torch compute on one thread inside the block.

    After it they have as many as before. Where other programs keep the cores busy, the threads of
    two wait for each other, and factoring a matrix of 300 rows takes 20 times as long as with one.
    It costs some 0.1 ms, which is too much around a step of training: there `one_thread` does.
    Also serves as a decorator, `@one_thread_in_all()`.
    """
    with _libraries(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _libraries(n_modules: int) -> ThreadpoolController:
    """Return what limits the libraries that are loaded, which takes 10 ms or more to find.

    n_modules: how many modules Python has, because only an import loads another library.
    """
    return ThreadpoolController()
