"""Functions of which all is known, to try a search on: each with its space and its minimum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from hpt_helpers.search_space import Real, SearchSpace


class Known(NamedTuple):
    """A function of a configuration, the space it is defined on, and its lowest value there."""

    function: Callable[[Mapping], float]
    space: SearchSpace
    minimum: float


# Hartmann's six-dimensional function, as Dixon and Szegö (1978) give it: weights, widths and
# centres of four hollows.
WEIGHTS = np.array([1.0, 1.2, 3.0, 3.2])
WIDTHS = np.array(
    [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
)
CENTRES = 1e-4 * np.array(
    [
        [1312, 1696, 5569, 124, 8283, 5886],
        [2329, 4135, 8307, 3736, 1004, 9991],
        [2348, 1451, 3522, 2883, 3047, 6650],
        [4047, 8828, 8732, 5743, 1091, 381],
    ]
)


def branin(config: Mapping) -> float:
    """Return Branin's function of x (−5 to 10) and y (0 to 15): smooth, three lowest points."""
    x, y = config["x"], config["y"]
    valley = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return float(valley + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


def hartmann(config: Mapping) -> float:
    """Return Hartmann's function of x1 to x6 (each 0 to 1): smooth, with four hollows."""
    x = np.array([config[f"x{i}"] for i in range(1, 7)])
    return float(-(WEIGHTS * np.exp(-(WIDTHS * (x - CENTRES) ** 2).sum(axis=1))).sum())


def rosenbrock(config: Mapping) -> float:
    """Return Rosenbrock's function of x1 to x4 (each −2 to 2): a smooth, narrow, curved valley."""
    x = np.array([config[f"x{i}"] for i in range(1, 5)])
    return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


def hole_in_a_bowl(config: Mapping) -> float:
    """Return a bowl of x and y (0 to 1) around (0.8, 0.8), with a small hole at (0.2, 0.2)."""
    x, y = config["x"], config["y"]
    in_the_hole = (x - 0.2) ** 2 + (y - 0.2) ** 2 < 0.12**2
    return (x - 0.8) ** 2 + (y - 0.8) ** 2 - 2 * in_the_hole


UNIT = Real(0, 1)
KNOWN = {
    "Branin": Known(branin, SearchSpace({"x": Real(-5, 10), "y": Real(0, 15)}), 0.397887),
    "Hartmann-6": Known(hartmann, SearchSpace({f"x{i}": UNIT for i in range(1, 7)}), -3.322368),
    "Rosenbrock-4": Known(
        rosenbrock, SearchSpace({f"x{i}": Real(-2, 2) for i in range(1, 5)}), 0.0
    ),
    # Lowest at the hole's edge nearest to (0.8, 0.8): the centres are 0.6 √2 apart, the hole's
    # radius is 0.12.
    "hole in a bowl": Known(
        hole_in_a_bowl,
        SearchSpace({"x": UNIT, "y": UNIT}),
        float((0.6 * np.sqrt(2) - 0.12) ** 2 - 2),
    ),
}
