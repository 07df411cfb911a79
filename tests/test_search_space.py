"""Search spaces: membership, grids against lists written by hand, and samples from every translation."""

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
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
    return [dict(zip(names, point, strict=True)) for point in Space(dimensions).rvs(n, random_state=seed)]


def sample_ray(space, n, seed):
    from ray.tune.search.variant_generator import generate_variants  # what Tune itself draws from a param_space

    rng = np.random.RandomState(seed)
    return [config for _ in range(n) for _, config in generate_variants(space.to_ray(), random_state=rng)]


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
    choice = Choice(draw(st.lists(st.integers() | st.text(), min_size=1, max_size=4, unique=True)))
    parameters = {"uniform": uniform, "logarithmic": logarithmic, "integer": integer, "choice": choice}
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
    """Return the p-value of the hypothesis that the values are uniform in the logarithm (Kolmogorov–Smirnov)."""
    low, high = math.log(parameter.low), math.log(parameter.high)
    return stats.kstest(np.log(values), stats.uniform(low, high - low).cdf).pvalue


@pytest.mark.parametrize("sample", SAMPLERS)
def test_logarithmic_parameters_are_uniform_in_the_logarithm(sample):
    space = SearchSpace({"lr": SPACE["lr"]})
    values = [config["lr"] for config in sample(space, 1000, 0)]
    assert log_uniformity(values, space["lr"]) > 0.01


@pytest.mark.parametrize("sample", SAMPLERS)
def test_the_test_of_uniformity_would_see_the_logarithm_forgotten(sample):
    space = SearchSpace({"lr": Real(SPACE["lr"].low, SPACE["lr"].high)})
    values = [config["lr"] for config in sample(space, 1000, 0)]
    assert log_uniformity(values, space["lr"]) < 1e-9


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
def test_parameters_are_drawn_independently(sample):
    configs = sample(SPACE, 1000, 2)
    table = np.array([[c["momentum"], math.log(c["lr"]), c["batch_size"], c["hidden_size"]] for c in configs], float)
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
    space = SearchSpace({"a": Choice([1, 2, 3]), "b": Choice("xy")})
    configs = list(ParameterSampler(space.to_distributions(), 6, random_state=0))
    assert len({tuple(sorted(c.items())) for c in configs}) == 6


def test_the_global_random_state_is_left_alone():
    before = np.random.get_state()
    SPACE.sample(3, seed=0)
    assert all(np.array_equal(a, b) for a, b in zip(np.random.get_state(), before, strict=True))


def test_dimensions_for_scikit_optimize_are_named_and_in_order():
    assert [d.name for d in SPACE.to_skopt()] == list(SPACE) == ["lr", "momentum", "batch_size", "hidden_size"]


# --- grids ----------------------------------------------------------------------------------------


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
        (Integer(16, 64), 4, False, [16, 32, 48, 64]),
        (Integer(0, 100), 2, True, [25, 75]),
        (Integer(1, 3), 9, False, [1, 2, 3]),
        (Choice([8, 16, 32]), 7, False, [8, 16, 32]),
        (Choice(["a", "b"]), 1, True, ["a", "b"]),
    ],
)
def test_axes_written_by_hand(parameter, n, centred, expected):
    points = [config["p"] for config in SearchSpace({"p": parameter}).grid(n, centred=centred)]
    assert points == expected if isinstance(parameter, Choice | Integer) else points == pytest.approx(expected)


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


def test_a_grid_reaches_its_bounds_exactly():
    for low, high in [(1e-4, 0.1), (3e-5, 0.7), (0.1, 0.3)]:
        for log in (False, True):
            points = Real(low, high, log=log).points(7, centred=False)
            assert (points[0], points[-1]) == (low, high)


def test_scikit_learns_grid_has_the_same_configurations():
    def key(config):
        return sorted(config.items())

    theirs = list(ParameterGrid(SPACE.to_param_grid(2)))
    assert sorted(theirs, key=key) == sorted(SPACE.grid(2), key=key)
    assert len(theirs) == 2 * 2 * 2 * 3


@pytest.mark.parametrize("n_points", [0, -1, 2.5, True, {"lr": 0}, {"learning_rate": 3}])
def test_a_bad_number_of_points_is_refused(n_points):
    with pytest.raises(ValueError, match="n_points"):
        SPACE.grid(n_points)


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
        (lambda: Real(1, 1), ValueError, "low must be less than high"),
        (lambda: Real(2, 1), ValueError, "low must be less than high"),
        (lambda: Real(0, 1, log=True), ValueError, "needs low > 0"),
        (lambda: Real(-1, 1, log=True), ValueError, "needs low > 0"),
        (lambda: Real(0, math.inf), TypeError, "high is inf"),
        (lambda: Real(math.nan, 1), TypeError, "low is nan"),
        (lambda: Real("0", 1), TypeError, "low is '0'"),
        (lambda: Real(False, 1), TypeError, "low is False"),
        (lambda: Integer(1.0, 3), TypeError, "low is 1.0"),
        (lambda: Integer(3, 1), ValueError, "low must be less than high"),
        (lambda: Choice([]), ValueError, "at least one value"),
        (lambda: Choice([1, 2, 1]), ValueError, "none twice"),
        (lambda: SearchSpace({}), ValueError, "at least one"),
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
