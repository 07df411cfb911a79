"""Search spaces: membership, grids against lists written by hand, and samples from every
translation.
"""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.model_selection import ParameterGrid, ParameterSampler

from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace

SPACE = SearchSpace(
    {
        "lr": Real(1e-4, 1e-2, log=True),
        "momentum": Real(-1, 1),
        "batch_size": Integer(16, 19),
        "hidden_size": Choice([8, 16, 32]),
    }
)


def sample_ours(space, n, seed):
    return space.sample(n, seed=seed)


def sample_sklearn(space, n, seed):
    return list(ParameterSampler(space.to_distributions(), n, random_state=seed))


def sample_skopt(space, n, seed):
    from skopt.space import Space

    dimensions = space.to_skopt()
    names = [d.name for d in dimensions]
    return [
        dict(zip(names, point, strict=True))
        for point in Space(dimensions).rvs(n, random_state=seed)
    ]


def sample_ray(space, n, seed):
    # what Tune itself draws from a param_space
    from ray.tune.search.variant_generator import generate_variants

    rng = np.random.RandomState(seed)
    return [
        config
        for _ in range(n)
        for _, config in generate_variants(space.to_ray(), random_state=rng)
    ]


SAMPLERS = [sample_ours, sample_sklearn, sample_skopt, sample_ray]


# --- samples --------------------------------------------------------------------------------------


@st.composite
def spaces(draw):
    low = draw(st.floats(-1e3, 1e3))
    uniform = Real(low, low + draw(st.floats(1e-3, 1e3)))
    low = draw(st.floats(1e-6, 1))
    logarithmic = Real(low, low * draw(st.floats(1.01, 1e6)), log=True)
    low = draw(st.integers(-100, 100))
    integer = Integer(low, low + draw(st.integers(1, 100)))
    low = draw(st.integers(1, 100))
    log_integer = Integer(low, low + draw(st.integers(1, 10**6)), log=True)
    values = st.none() | st.integers() | st.text() | st.tuples(st.integers(), st.text() | st.none())
    choice = Choice(draw(st.lists(values, min_size=1, max_size=4, unique=True)))
    parameters = {
        "uniform": uniform,
        "logarithmic": logarithmic,
        "integer": integer,
        "log_integer": log_integer,
        "choice": choice,
    }
    names = draw(st.lists(st.sampled_from(sorted(parameters)), min_size=1, unique=True))
    return SearchSpace({name: parameters[name] for name in names})


@pytest.mark.parametrize("sample", SAMPLERS)
@settings(max_examples=25)
@given(space=spaces(), seed=st.integers(0, 2**32 - 1))
def test_samples_of_every_translation_lie_in_the_space(sample, space, seed):
    # When there are only choices, scikit-learn draws without replacement: no more than there are.
    n = min(20, math.prod(len(p.values) if isinstance(p, Choice) else 20 for p in space.values()))
    configs = sample(space, n, seed)
    assert len(configs) == n
    for config in configs:
        assert config.keys() == space.keys() and config in space


def log_uniformity(values, parameter):
    """Return the p-value of the hypothesis that the values are uniform in the logarithm
    (Kolmogorov–Smirnov).
    """
    low, high = math.log(parameter.low), math.log(parameter.high)
    return stats.kstest(np.log(values), stats.uniform(low, high - low).cdf).pvalue


@pytest.mark.parametrize("sample", SAMPLERS)
def test_logarithmic_parameters_are_uniform_in_the_logarithm(sample):
    space = SearchSpace({"lr": SPACE["lr"]})
    values = [config["lr"] for config in sample(space, 1000, 0)]
    assert log_uniformity(values, space["lr"]) > 0.01


@pytest.mark.parametrize("sample", SAMPLERS)
def test_all_other_parameters_are_uniform(sample):
    configs = sample(SPACE, 1000, 1)
    momenta = [c["momentum"] for c in configs]
    assert stats.kstest(momenta, stats.uniform(-1, 2).cdf).pvalue > 0.01
    for name, values in (("batch_size", [16, 17, 18, 19]), ("hidden_size", [8, 16, 32])):
        counts = Counter(c[name] for c in configs)
        assert sorted(counts) == values  # both ends of the integers included
        assert stats.chisquare([counts[v] for v in values]).pvalue > 0.01


@pytest.mark.parametrize("sample", SAMPLERS)
@pytest.mark.parametrize("log", [True, False])
def test_a_logarithmic_integer_is_as_often_in_each_decade(sample, log):
    space = SearchSpace({"n": Integer(1, 999, log=log)})
    draws = [config["n"] for config in sample(space, 1000, 0)]
    assert {type(n) for n in draws} <= {int, np.int64}
    decades = [sum(len(str(n)) == digits for n in draws) for digits in (1, 2, 3)]
    assert (stats.chisquare(decades).pvalue > 0.01) == log


@pytest.mark.parametrize("sample", SAMPLERS)
def test_parameters_are_drawn_independently(sample):
    configs = sample(SPACE, 1000, 2)
    table = np.array(
        [[c["momentum"], math.log(c["lr"]), c["batch_size"], c["hidden_size"]] for c in configs],
        float,
    )
    correlations = np.corrcoef(table.T)[np.triu_indices(4, 1)]
    assert np.abs(correlations).max() < 0.12  # 3.8 standard errors


def test_a_sample_is_decided_by_its_seed():
    assert SPACE.sample(5, seed=1) == SPACE.sample(5, seed=1) != SPACE.sample(5, seed=2)


def test_a_longer_sample_begins_with_the_shorter():
    assert SPACE.sample(9, seed=1)[:4] == SPACE.sample(4, seed=1)


def test_samples_are_plain_python_values():
    for config in SPACE.sample(10, seed=0):
        assert [type(v) for v in config.values()] == [float, float, int, int]


def test_our_samples_are_drawn_with_replacement():
    assert len(SearchSpace({"b": Choice([1, 2])}).sample(10, seed=0)) == 10


def test_scikit_learn_draws_choices_without_replacement():
    space = SearchSpace({"a": Choice([1, 2, 3]), "b": Choice(["x", "y"])})
    configs = list(ParameterSampler(space.to_distributions(), 6, random_state=0))
    assert len({tuple(sorted(c.items())) for c in configs}) == 6


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()
    SPACE.sample(3, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), before, strict=True))


def test_dimensions_for_scikit_optimize_are_named_and_in_order():
    assert (
        [d.name for d in SPACE.to_skopt()]
        == list(SPACE)
        == ["lr", "momentum", "batch_size", "hidden_size"]
    )


# --- grids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sample", [sample_ours, sample_sklearn, sample_skopt, sample_ray])
def test_a_choices_values_come_back_as_they_are(sample):
    """Tuples whole, None and numbers as what they are."""
    values = [None, (8,), (16, 8), 5, 0.5, "auto", True]
    found = [
        config["choice"]
        for config in sample(SearchSpace({"choice": Choice(values), "x": Real(0, 1)}), 200, 0)
    ]
    assert {repr(value) for value in found} == {repr(value) for value in values}


def test_a_choice_of_tuples_goes_through_gp_minimize():
    from skopt import gp_minimize

    space = SearchSpace({"layers": Choice([(8,), (16, 8), None]), "x": Real(0, 1)})
    result = gp_minimize(
        lambda point: point[1], space.to_skopt(), n_calls=8, n_initial_points=4, random_state=0
    )
    assert all(dict(zip(space, point, strict=True)) in space for point in result.x_iters)


def test_a_grid_written_by_hand():
    space = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 32])})
    expected = [(1e-4, 16), (1e-4, 32), (1e-3, 16), (1e-3, 32), (1e-2, 16), (1e-2, 32)]
    found = [(c["lr"], c["batch_size"]) for c in space.grid(3)]
    assert [b for _, b in found] == [b for _, b in expected]
    assert [lr for lr, _ in found] == pytest.approx([lr for lr, _ in expected], rel=1e-12)


@pytest.mark.parametrize(
    ("parameter", "n", "centred", "expected"),
    [
        (Real(0, 1), 5, False, [0, 0.25, 0.5, 0.75, 1]),
        (Real(0, 1), 4, True, [0.125, 0.375, 0.625, 0.875]),
        (Real(-2, 2), 2, True, [-1, 1]),
        (Real(1, 10000, log=True), 5, False, [1, 10, 100, 1000, 10000]),
        (Real(1, 10000, log=True), 2, True, [10, 1000]),
        (Real(1e-4, 1e-2, log=True), 1, True, [1e-3]),
        (Real(1, 16, log=True), 1, False, [1]),
        (Integer(16, 64), 4, False, [16, 32, 48, 64]),
        (Integer(0, 10), 4, False, [0, 3, 7, 10]),  # 6.67 is rounded, not cut
        (Integer(-10, 0), 4, False, [-10, -7, -3, 0]),
        (Integer(0, 100), 2, True, [25, 75]),
        (Integer(1, 3), 9, False, [1, 2, 3]),
        (Integer(1, 1000, log=True), 4, False, [1, 10, 100, 1000]),
        (Integer(16, 256, log=True), 2, True, [32, 128]),
        (Choice([8, 16, 32]), 7, False, [8, 16, 32]),
        (Choice(["a", "b"]), 1, True, ["a", "b"]),
    ],
)
def test_axes_written_by_hand(parameter, n, centred, expected):
    points = [config["p"] for config in SearchSpace({"p": parameter}).grid(n, centred=centred)]
    assert (
        points == expected
        if isinstance(parameter, Choice | Integer)
        else points == pytest.approx(expected)
    )


def test_a_number_of_points_for_each_axis():
    axes = SPACE.to_param_grid({"lr": 2, "batch_size": 4})
    assert {name: len(values) for name, values in axes.items()} == {
        "lr": 2,
        "momentum": 3,
        "batch_size": 4,
        "hidden_size": 3,
    }


@given(space=spaces(), n=st.integers(1, 4), centred=st.booleans())
@settings(max_examples=50)
def test_every_point_of_a_grid_lies_in_the_space_once(space, n, centred):
    grid = space.grid(n, centred=centred)
    assert all(config in space for config in grid)
    assert len({tuple(config.items()) for config in grid}) == len(grid)


@settings(max_examples=200)
@given(low=st.floats(1e-9, 1e3), width=st.floats(1e-9, 1e9), n=st.integers(2, 9), log=st.booleans())
@example(low=0.005, width=1.6, n=3, log=True)  # 0.013, which 0.005 · (0.013 / 0.005) misses
def test_a_grid_reaches_its_bounds_exactly(low, width, n, log):
    high = low + low * width
    assume(low < high)
    points = Real(low, high, log=log).points(n)
    assert (points[0], points[-1], len(points)) == (low, high, n)
    assert all(type(p) is float for p in points)


@given(low=st.floats(1e-6, 10), steps=st.integers(1, 4), n=st.integers(1, 9), centred=st.booleans())
def test_points_between_bounds_that_are_close_stay_between_them(low, steps, n, centred):
    """A few floats apart, where the exponential of a logarithm misses by as much."""
    high = low
    for _ in range(steps):
        high = math.nextafter(high, math.inf)
    for log in (False, True):
        space = SearchSpace({"p": Real(low, high, log=log)})
        points = space.grid(n, centred=centred)
        assert all(low <= c["p"] <= high for c in points)
        assert all(low <= c["p"] <= high for c in space.from_unit(space.to_unit(points)))


def test_scikit_learns_grid_has_the_same_configurations():
    def key(config):
        return sorted(config.items())

    theirs = list(ParameterGrid(SPACE.to_param_grid(2)))
    assert sorted(theirs, key=key) == sorted(SPACE.grid(2), key=key)
    assert len(theirs) == 2 * 2 * 2 * 3


@pytest.mark.parametrize(
    ("n_points", "error", "says"),
    [
        (0, ValueError, r"n_points\['lr'\] is 0; it must be an integer of at least 1"),
        (-1, ValueError, r"n_points\['lr'\] is -1"),
        (2.5, TypeError, r"n_points\['lr'\] is 2.5; an integer"),
        (True, TypeError, r"n_points\['lr'\] is True"),
        ({"batch_size": 0}, ValueError, r"n_points\['batch_size'\] is 0"),
        ({"hidden_size": "3"}, TypeError, r"n_points\['hidden_size'\] is '3'"),
        (
            {"learning_rate": 3},
            ValueError,
            "n_points has 'learning_rate'; the space's parameters are lr, momentum",
        ),
    ],
)
def test_a_bad_number_of_points_is_refused(n_points, error, says):
    for grid in (SPACE.grid, SPACE.to_param_grid):
        with pytest.raises(error, match=says):
            grid(n_points)


@pytest.mark.parametrize("parameter", [Real(0, 1), Real(1, 2, log=True), Integer(1, 9)])
@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-3, ValueError), (1.5, TypeError), (True, TypeError)]
)
def test_an_axis_of_a_bad_number_of_points_is_refused(parameter, n, error):
    with pytest.raises(error, match=f"n is {n}"):
        parameter.points(n)


# --- the unit cube --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameter", "u", "value"),
    [
        (Real(-2, 2), 0.25, -1),
        (Real(1, 10000, log=True), 0.5, 100),
        (Real(0.005, 0.013, log=True), 0, 0.005),
        (Real(0.1, 0.3), 1, 0.3),
        (Integer(16, 19), 0.125, 16),
        (Integer(16, 19), 0.875, 19),
        (Integer(16, 64), 0.5, 40),
        (Integer(1, 3, log=True), math.log(2) / 2 / math.log(4), 1),  # from log 1 to log 4
        (Integer(1, 3, log=True), math.log(12) / 2 / math.log(4), 3),
        (Choice(["a", "b", "c"]), 0.5, "b"),
        (Choice([None, False]), 0.75, False),
    ],
)
def test_the_unit_cube_by_hand(parameter, u, value):
    space = SearchSpace({"p": parameter})
    [config] = space.from_unit([[u]])
    assert config["p"] == (
        pytest.approx(value) if 0 < u < 1 and isinstance(parameter, Real) else value
    )
    assert space.to_unit([{"p": value}]) == pytest.approx(np.array([[u]]), abs=1e-15)


@given(space=spaces(), seed=st.integers(0, 2**32 - 1))
def test_configurations_come_back_from_the_unit_cube(space, seed):
    configs = space.sample(20, seed=seed)
    points = space.to_unit(configs)
    assert points.shape == (20, len(space)) and points.dtype == np.float64
    assert points.min() >= 0 and points.max() <= 1
    for config, back in zip(configs, space.from_unit(points), strict=True):
        assert back in space and list(back) == list(space)
        for name, parameter in space.items():
            assert type(back[name]) is type(config[name])
            # rounding in the unit cube, seen in the parameter's own units
            if isinstance(parameter, Real):
                scale = (
                    max(abs(parameter.low), abs(parameter.high))
                    if not parameter.log
                    else config[name]
                )
                assert back[name] == pytest.approx(config[name], rel=0, abs=1e-13 * scale)
            else:
                assert back[name] == config[name]


def rounding_of_logs(low, high):
    """Return how far a place between two logarithms may be off by their last digits."""
    logs = max(abs(math.log(low)), abs(math.log(high)))
    return 4e-15 * (1 + logs) / math.log(high / low)


@given(space=spaces(), data=st.data())
def test_points_come_back_from_the_space(space, data):
    """Within rounding for a Real, within half of its cell for an Integer or a Choice."""
    u = np.array(data.draw(st.lists(st.floats(0, 1), min_size=len(space), max_size=len(space))))
    back = space.to_unit(space.from_unit([u]))[0]
    for found, expected, parameter in zip(back, u, space.values(), strict=True):
        match parameter:
            case Real(low, high, log=True):
                allowed = rounding_of_logs(low, high)
            case Real(low, high):
                allowed = 4e-15 * max(abs(low), abs(high)) / (high - low)
            case Integer(low, high, log=True):  # the first cell is the widest
                half = 0.5 * math.log((low + 1) / low) / math.log((high + 1) / low)
                allowed = half + rounding_of_logs(low, high + 1)
            case Integer(low, high):
                allowed = 0.5 / (high - low + 1)
            case Choice(values=values):
                allowed = 0.5 / len(values)
        assert abs(found - expected) <= allowed + 1e-15


@given(space=spaces())
def test_the_corners_of_the_unit_cube_are_the_bounds_exactly(space):
    def ends(p):
        return (p.values[0], p.values[-1]) if isinstance(p, Choice) else (p.low, p.high)

    low, high = space.from_unit([[0.0] * len(space), [1.0] * len(space)])
    assert [low, high] == [{name: ends(p)[i] for name, p in space.items()} for i in (0, 1)]
    corners = space.to_unit([low, high])
    for column, parameter in zip(corners.T, space.values(), strict=True):
        if isinstance(parameter, Real):
            assert column.tolist() == [0, 1]


def test_integers_and_choices_have_equal_cells():
    points = np.stack([np.linspace(0, 1, 1200, endpoint=False)] * 2, axis=1)
    space = SearchSpace({"b": Integer(3, 6), "h": Choice(["x", "y", "z"])})
    configs = space.from_unit(points)
    assert Counter(c["b"] for c in configs) == {3: 300, 4: 300, 5: 300, 6: 300}
    assert Counter(c["h"] for c in configs) == {"x": 400, "y": 400, "z": 400}


@pytest.mark.parametrize("parameter", [Integer(1, 999, log=True), Integer(7, 10**12, log=True)])
def test_a_logarithmic_integer_has_cells_by_its_logarithm(parameter):
    """Each value from where the logarithm reaches it to where it reaches the next."""
    low, high = parameter.low, parameter.high
    for value in (low, low + 1, low + 5, 3 * low, high - 1, high):
        edges = [math.log(v / low) / math.log((high + 1) / low) for v in (value, value + 1)]
        assert parameter.to_unit(value) == pytest.approx(sum(edges) / 2, abs=1e-13)
        assert parameter.from_unit(parameter.to_unit(value)) == value
    assert (parameter.from_unit(0), parameter.from_unit(1)) == (low, high)


@pytest.mark.parametrize("parameter", [Integer(1, 999, log=True), Integer(10, 2000, log=True)])
def test_a_logarithmic_integers_cells_end_where_the_next_begin_to_the_last_digit(parameter):
    """Where exp and log round, the number at an edge would else lie in a neighbour's cell."""
    for value in range(parameter.low + 1, parameter.high + 1):
        edge = parameter._edge(value)
        assert parameter.from_unit(edge) == value
        assert parameter.from_unit(math.nextafter(edge, 0)) == value - 1


def test_uniform_points_of_the_unit_cube_are_samples_of_the_space():
    configs = SPACE.from_unit(np.random.default_rng(0).random((1000, 4)))
    assert log_uniformity([c["lr"] for c in configs], SPACE["lr"]) > 0.01
    assert stats.kstest([c["momentum"] for c in configs], stats.uniform(-1, 2).cdf).pvalue > 0.01


def test_a_library_that_rounds_past_a_bound_is_still_inside_the_unit_cube():
    space = SearchSpace({"lr": SPACE["lr"]})
    assert space.to_unit([{"lr": 1e-2 * (1 + 1e-15)}, {"lr": 1e-4 * (1 - 1e-15)}]).tolist() == [
        [1],
        [0],
    ]


def test_no_configurations_are_no_points():
    assert SPACE.to_unit([]).shape == (0, 4) and SPACE.from_unit(np.empty((0, 4))) == []


@pytest.mark.parametrize(
    ("points", "error", "says"),
    [
        ([[0.5, 0.5, 0.5]], ValueError, r"points has the shape \(1, 3\); \(n, 4\) is needed"),
        ([0.5] * 4, ValueError, r"points has the shape \(4,\)"),
        (
            [[0.5, 0.5, 0.5, 1.5]],
            ValueError,
            "points has values from 0.5 to 1.5; 0 to 1 are allowed",
        ),
        ([[0.5, -0.1, 0.5, 0.5]], ValueError, "points has values from -0.1"),
        ([[0.5, math.nan, 0.5, 0.5]], ValueError, "points has values from nan"),
        ([["a", "b", "c", "d"]], ValueError, "could not convert string to float"),
        ([[0.5], [0.5, 0.5]], ValueError, "inhomogeneous"),
        (None, ValueError, r"points has the shape \(\)"),
    ],
)
def test_bad_points_are_refused(points, error, says):
    with pytest.raises(error, match=says):
        SPACE.from_unit(points)


@pytest.mark.parametrize(
    "bad", [{}, {"lr": 0.5}, "lr", None, {**dict.fromkeys(SPACE, 0), "lr": 1e-3}]
)
def test_configurations_outside_the_space_have_no_point(bad):
    good = SPACE.sample(1, seed=0)
    with pytest.raises(ValueError, match=r"configs\[1\] is .*; a configuration in SearchSpace"):
        SPACE.to_unit([*good, bad])


@pytest.mark.parametrize(
    ("n", "seed", "error", "says"),
    [
        (0, 0, ValueError, "n is 0; it must be an integer of at least 1"),
        (2.0, 0, TypeError, "n is 2.0"),
        (3, -1, ValueError, "seed is -1; it must be an integer of at least 0"),
        (3, None, TypeError, "seed is None"),
        (3, True, TypeError, "seed is True"),
        (3, [1, 2], TypeError, r"seed is \[1, 2\]"),
    ],
)
def test_a_bad_sample_is_refused(n, seed, error, says):
    with pytest.raises(error, match=says):
        SPACE.sample(n, seed=seed)


# --- membership -----------------------------------------------------------------------------------

INSIDE = {"lr": 1e-3, "momentum": 0.0, "batch_size": 16, "hidden_size": 8}


@pytest.mark.parametrize(
    ("change", "inside"),
    [
        ({}, True),
        ({"lr": 1e-4}, True),
        ({"lr": 1e-2}, True),
        ({"lr": 1e-2 * (1 + 1e-15)}, True),  # a library's rounding
        ({"lr": 1e-2 * (1 + 1e-9)}, False),
        ({"lr": 1e-4 * (1 - 1e-9)}, False),
        ({"lr": np.float64(1e-3)}, True),
        ({"lr": math.nan}, False),
        ({"lr": "0.001"}, False),
        ({"momentum": -1}, True),
        ({"momentum": -1.001}, False),
        ({"momentum": 1.001}, False),
        ({"momentum": True}, False),
        ({"batch_size": 19}, True),
        ({"batch_size": 20}, False),
        ({"batch_size": 15}, False),
        ({"batch_size": 16.0}, False),
        ({"batch_size": np.int64(17)}, True),
        ({"hidden_size": 9}, False),
        ({"hidden_size": np.int64(32)}, True),
        ({"epochs": 3}, False),
    ],
)
def test_membership(change, inside):
    assert (INSIDE | change in SPACE) is inside


def test_a_missing_parameter_is_no_member():
    assert {k: v for k, v in INSIDE.items() if k != "lr"} not in SPACE


def test_a_space_is_a_mapping_of_names():
    assert "lr" in SPACE and "rate" not in SPACE and len(SPACE) == 4
    assert SPACE["batch_size"] == Integer(16, 19)
    assert repr(SearchSpace({"b": Choice([1])})) == "SearchSpace({'b': Choice(values=(1,))})"


# --- errors ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: Real(1, 1), ValueError, "low is 1 and high is 1; low must be less"),
        (lambda: Real(2, 1), ValueError, "low must be less"),
        (lambda: Real(0, 1, log=True), ValueError, "needs low > 0"),
        (lambda: Real(-1, 1, log=True), ValueError, "needs low > 0"),
        (lambda: Integer(0, 5, log=True), ValueError, "needs low > 0"),
        (lambda: Real(0, math.inf), ValueError, "high is inf"),
        (lambda: Real(math.nan, 1), ValueError, "low is nan"),
        (lambda: Real(-1e308, 1e308), ValueError, "by a finite difference"),
        (lambda: Real("0", 1), TypeError, "low is '0'"),
        (lambda: Real(False, 1), TypeError, "low is False"),
        (lambda: Integer(1.0, 3), TypeError, "low is 1.0"),
        (lambda: Integer(3, 1), ValueError, "low must be less"),
        (lambda: Choice([]), ValueError, "at least one value"),
        (lambda: Choice([1, 2, 1]), ValueError, "none twice"),
        (lambda: Choice([1, math.nan]), ValueError, r"values\[1\] is nan"),
        (lambda: Choice([len]), TypeError, r"values\[0\] is <built-in"),
        (lambda: Choice([[8], [16, 8]]), TypeError, "a value may be a tuple, but no list"),
        (lambda: SearchSpace({}), ValueError, "at least one"),
        (lambda: SearchSpace([Real(0, 1)]), TypeError, "parameters is .*; a mapping such as"),
        (lambda: SearchSpace({3: Real(0, 1)}), TypeError, "has the name 3; names must be of type"),
        (lambda: SearchSpace({"\ud800": Real(0, 1)}), ValueError, "half of a surrogate pair"),
        (lambda: Choice(5), TypeError, "values is 5; a sequence such as"),
        (lambda: Choice("abc"), TypeError, "values is 'abc'; a sequence such as"),
        (lambda: Real(1, 100, log="uniform"), TypeError, "log is 'uniform'; True or False"),
        (lambda: Integer(1, 100, log=1), TypeError, "log is 1; True or False"),
        (lambda: Choice({"a": 1}), TypeError, "values is {'a': 1}; a sequence such as"),
        (lambda: SearchSpace({"lr": (0, 1)}), TypeError, "'lr'"),
    ],
)
def test_a_bad_definition_is_refused(make, error, says):
    with pytest.raises(error, match=says):
        make()


def test_a_definition_cannot_be_changed():
    with pytest.raises(AttributeError):
        SPACE["lr"].low = 0.5
    with pytest.raises(TypeError):
        SPACE["lr"] = Real(0, 1)
