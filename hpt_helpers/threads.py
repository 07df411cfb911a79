"""One thread for PyTorch, wherever the course's small networks are computed."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


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
