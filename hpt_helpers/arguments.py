"""Checks of arguments: integers, counts and training seeds."""

from __future__ import annotations

import math
import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np


def is_number(value: Any, kind: type = numbers.Real) -> bool:
    """Say whether value is a number of this kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def as_count(name: str, value: Any, *, least: int = 1, most: float = math.inf) -> int:
    """Return value as an int; TypeError when it is not an integer, ValueError when it is not from
    least to most.

    >>> as_count("batch_size", np.int64(16))
    16
    """
    if not is_number(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}; an integer is needed")
    if not least <= value <= most:
        allowed = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"{name} is {value!r}; it must be an integer {allowed}")
    return int(value)


def as_seed(name: str, value: Any) -> int:
    """Return a training seed as an int; TypeError when it is no integer, ValueError outside 0 to
    2**62 - 1.
    """
    return as_count(name, value, least=0, most=2**62 - 1)


def as_seeds(seeds: Sequence[int] | np.ndarray) -> list[int]:
    """Return the training seeds as a list of ints; TypeError when seeds is no sequence of integers,
    such as range(5).

    A single number could mean that seed or that many, and is refused. Entries as `as_seed`.

    >>> as_seeds(range(3))
    [0, 1, 2]
    """
    if (
        not isinstance(seeds, Sequence | np.ndarray)
        or isinstance(seeds, str | bytes)
        or np.ndim(seeds) != 1
    ):
        raise TypeError(
            f"seeds is {seeds!r}; a sequence of integers is needed, such as range(5) or [5]"
        )
    return [as_seed(f"seeds[{i}]", seed) for i, seed in enumerate(seeds)]
