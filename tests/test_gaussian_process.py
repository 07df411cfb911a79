"""The Gaussian process of the searches, beside scikit-learn's and beside simulation."""

import math

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern, WhiteKernel

from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies.gaussian_process import (
    GaussianProcess,
    climb,
    expected_improvement,
    likeliest,
    matern,
    minus_log_posterior,
    model_points,
)

SPACE = SearchSpace(
    {
        "lr": Real(1e-4, 1e-2, log=True),
        "hidden": Integer(2, 32, log=True),
        "kind": Choice(["relu", "tanh", "gelu"]),
    }
)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(
    ("scale", "noise"), [(0.3, 1e-5), (1.5, 1e-3), (np.array([0.2, 1.0, 3.0]), 0.1)]
)
def test_mean_and_deviation_are_scikit_learns(rng, scale, noise):
    tried, values, at = rng.random((30, 3)), 5 + 2 * rng.standard_normal(30), rng.random((50, 3))
    kernel = Matern(scale, nu=2.5) + WhiteKernel(noise)
    library = GaussianProcessRegressor(kernel, alpha=0, optimizer=None, normalize_y=True)
    mean, std = library.fit(tried, values).predict(at, return_std=True)
    ours, our_std = GaussianProcess(scale, noise).with_points(tried).guess(values, at)
    np.testing.assert_allclose(ours, mean, rtol=0, atol=1e-8)
    # the library's deviation is that of a value with its error, whose variance is the noise
    with_error = np.sqrt(our_std**2 + noise * values.var())
    np.testing.assert_allclose(with_error, std, rtol=0, atol=1e-8)


def test_a_process_that_gets_its_trials_in_pieces_is_that_of_all_at_once(rng):
    tried, values, at = rng.random((60, 4)), rng.standard_normal(60), rng.random((20, 4))
    in_pieces = GaussianProcess()
    explained = None
    for piece in np.split(tried, [1, 2, 10, 11, 40]):
        in_pieces = in_pieces.with_points(piece)
        explained = in_pieces.explained(at, explained)
    at_once = GaussianProcess().with_points(tried)
    covariance = matern(tried / 1.5, tried / 1.5) + 1e-3 * np.eye(60)
    factor = np.linalg.inv(np.linalg.cholesky(covariance))
    for process in (in_pieces, at_once):
        np.testing.assert_allclose(process.whitening, factor, rtol=0, atol=1e-8)
    np.testing.assert_allclose(explained, factor @ matern(tried / 1.5, at / 1.5), rtol=0, atol=1e-8)
    guesses = in_pieces.guess(values, at, explained), in_pieces.guess(values, at)
    for ours, fresh in zip(guesses, [at_once.guess(values, at)] * 2, strict=True):
        np.testing.assert_allclose(ours, fresh, rtol=0, atol=1e-9)


def test_a_process_that_is_given_more_trials_stays_as_it_was(rng):
    process = GaussianProcess().with_points(rng.random((5, 2)))
    values, at = rng.random(5), rng.random((3, 2))
    before = process.guess(values, at)
    process.with_points(rng.random((4, 2)))
    np.testing.assert_array_equal(before, process.guess(values, at))


def test_equal_values_and_a_point_tried_twice_are_no_division_by_zero():
    process = GaussianProcess().with_points(np.array([[0.1], [0.1], [0.9]]))
    mean, std = process.guess(np.full(3, 0.3), np.array([[0.1], [0.5]]))
    assert mean == pytest.approx([0.3, 0.3]) and (std > 0).all() and (std <= 1).all()


def test_without_trials_there_is_no_guess():
    with pytest.raises(ValueError, match="no trials yet; with_points adds them"):
        GaussianProcess().guess(np.array([]), np.array([[0.5]]))


def test_numbers_lie_where_the_space_says_and_choices_equally_far_apart():
    configs = [{"lr": 1e-3, "hidden": 2, "kind": kind} for kind in ("relu", "tanh", "gelu")]
    points = model_points(SPACE, configs)
    np.testing.assert_array_equal(points[:, :2], SPACE.to_unit(configs)[:, :2])
    distances = [np.linalg.norm(points[i] - points[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert distances == pytest.approx([1, 1, 1])
    ends = model_points(SPACE, [{**configs[0], "lr": lr} for lr in (1e-4, 1e-2)])
    assert np.linalg.norm(ends[0] - ends[1]) == pytest.approx(1)
    with pytest.raises(ValueError, match="a configuration in"):
        model_points(SPACE, [{**configs[0], "lr": 1.0}])


@pytest.mark.parametrize(
    ("mean", "std", "best"), [(0.3, 0.1, 0.3), (0.4, 0.3, 0.1), (-2.0, 0.05, 0.0), (1.0, 0.2, 0.0)]
)
def test_expected_improvement_is_the_integral_of_the_improvement(mean, std, best):
    loss = np.linspace(mean - 12 * std, best, 200_001)
    density = np.exp(-(((loss - mean) / std) ** 2) / 2) / (std * np.sqrt(2 * np.pi))
    integral = np.trapezoid((best - loss) * density, loss)
    found = expected_improvement(np.array([mean]), np.array([std]), best)
    assert found == pytest.approx(integral, rel=1e-6)


# --- what fits the trials -------------------------------------------------------------------------


def test_scales_are_as_likely_as_scikit_learn_says_times_their_prior():
    rng = np.random.default_rng(0)
    points, values = rng.random((12, 3)), rng.normal(size=12)
    values = (values - values.mean()) / values.std()
    squares = (points.T[:, :, None] - points.T[:, None, :]) ** 2

    def theirs(theta):
        *scales, noise = np.exp(theta)
        kernel = Matern(scales, nu=2.5) + WhiteKernel(noise)
        fit = GaussianProcessRegressor(kernel, alpha=0, optimizer=None).fit(points, values)
        prior = norm.logpdf(theta[:3], math.log(0.5), 0.7).sum() + norm.logpdf(
            theta[3], math.log(2.5e-3), 2.0
        )
        return -fit.log_marginal_likelihood_value_ - prior

    a, b = np.log([0.3, 0.5, 2.0, 0.01]), np.log([1.0, 0.2, 0.4, 0.1])
    ours = [minus_log_posterior(theta, squares, values) for theta in (a, b)]
    assert ours[0][0] - ours[1][0] == pytest.approx(theirs(a) - theirs(b), rel=1e-8)
    for theta, (_, slope) in zip((a, b), ours, strict=True):
        np.testing.assert_allclose(slope, approx_fprime(theta, theirs, 1e-6), rtol=1e-3, atol=1e-3)


def test_the_likeliest_scale_is_short_where_the_values_change_and_long_where_they_do_not():
    points = np.random.default_rng(0).random((40, 2))
    found = likeliest(points, np.sin(12 * points[:, 0]))
    assert found.scale[0] < 0.6 < 1.0 < found.scale[1] and found.noise < 1e-3
    noisy = likeliest(points, np.random.default_rng(1).normal(size=40))
    assert noisy.noise > 0.1


def test_a_climb_ends_at_the_largest_improvement_nearby():
    """The best of a fine grid around its end, in the columns that are free."""
    rng = np.random.default_rng(0)
    points = rng.random((15, 3))
    values = (points[:, 0] - 0.3) ** 2 + (points[:, 1] - 0.6) ** 2 + 0.1 * points[:, 2]
    process = GaussianProcess(np.array([0.5, 0.7, 1.0]), 1e-4).with_points(points)
    start, free = np.array([0.5, 0.5, 0.25]), np.array([True, True, False])
    end, gain = climb(process, values, values.min(), start, free)
    steps = np.linspace(-0.02, 0.02, 21)
    grid = end + np.array([(a, b, 0) for a in steps for b in steps])
    gains = expected_improvement(*process.guess(values, grid), values.min())
    assert end[2] == 0.25 and gains.max() <= gain * (1 + 1e-6)
    before = expected_improvement(*process.guess(values, start[None]), values.min())
    assert gain > 2 * before[0]


def test_guesses_and_slopes_are_those_of_guess_and_of_differences():
    rng = np.random.default_rng(0)
    values = 3 + 2 * rng.normal(size=20)
    process = GaussianProcess(np.array([0.5, 0.7, 1.0]), 1e-3).with_points(rng.random((20, 3)))
    at = np.array([0.4, 0.1, 0.8])
    *guesses, mean_slope, std_slope = process.guess_and_slopes(values, at)
    np.testing.assert_allclose(guesses, np.ravel(process.guess(values, at[None])), rtol=1e-9)
    for i, slope in enumerate((mean_slope, std_slope)):
        differences = approx_fprime(at, lambda x, i=i: process.guess(values, x[None])[i][0], 1e-7)
        np.testing.assert_allclose(slope, differences, rtol=1e-4, atol=1e-5)
