"""The known functions, at their published minima and by an independent minimisation."""

import numpy as np
import pytest
from scipy.optimize import minimize, rosen

from hpt_helpers.classroom.lab.known_functions import (
    KNOWN,
    branin,
    hartmann,
    hole_in_a_bowl,
    rosenbrock,
)


@pytest.mark.parametrize("place", [(-np.pi, 12.275), (np.pi, 2.275), (9.42478, 2.475)])
def test_branin_has_three_lowest_points(place):
    assert branin(dict(zip("xy", place, strict=True))) == pytest.approx(0.397887, abs=1e-5)


def test_hartmann_at_its_published_lowest_point():
    place = [0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573]
    assert hartmann({f"x{i}": x for i, x in enumerate(place, 1)}) == pytest.approx(
        -3.32237, abs=1e-5
    )


def test_rosenbrock_is_scipys_and_lowest_where_all_are_1():
    assert rosenbrock({f"x{i}": 1.0 for i in range(1, 5)}) == KNOWN["Rosenbrock-4"].minimum == 0
    for x in np.random.default_rng(0).uniform(-2, 2, (5, 4)):
        assert rosenbrock({f"x{i}": v for i, v in enumerate(x, 1)}) == pytest.approx(rosen(x))


def test_the_bowl_by_hand():
    assert hole_in_a_bowl({"x": 0.8, "y": 0.8}) == 0
    assert hole_in_a_bowl({"x": 0.2, "y": 0.2}) == pytest.approx(0.72 - 2)
    assert hole_in_a_bowl({"x": 0.2, "y": 0.33}) == pytest.approx(0.36 + 0.47**2)


@pytest.mark.parametrize(("name", "within"), [("Branin", 0.01), ("hole in a bowl", 0.01)])
def test_the_minimum_in_two_dimensions_is_the_lowest_of_a_fine_grid(name, within):
    function, space, minimum = KNOWN[name]
    lowest = min(function(config) for config in space.grid(301))
    assert minimum - 1e-6 <= lowest <= minimum + within


def test_hartmanns_minimum_is_the_lowest_that_descents_from_many_places_find():
    starts = np.random.default_rng(0).random((60, 6))
    found = [
        minimize(
            lambda x: hartmann({f"x{i}": v for i, v in enumerate(x, 1)}), x, bounds=[(0, 1)] * 6
        ).fun
        for x in starts
    ]
    assert min(found) == pytest.approx(KNOWN["Hartmann-6"].minimum, abs=1e-5)
