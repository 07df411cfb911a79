"""The arithmetic of evidence, against counting by hand, published numbers and SciPy."""

import math
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from hpt_helpers.evidence import statistics as s

losses = st.lists(st.integers(0, 50), min_size=4, max_size=12, unique=True)


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_the_chance_of_an_order_is_that_of_all_permutations(n):
    found = [s.pairs_in_order(range(n), order) for order in permutations(range(n))]
    for n_in_order in range(n * (n - 1) // 2 + 1):
        share = np.mean([count >= n_in_order for count in found])
        assert s.chance_of_order(n, n_in_order) == pytest.approx(share)


@given(losses)
def test_pairs_in_order_are_those_of_kendalls_tau(again):
    n = len(again)
    in_order = s.pairs_in_order(list(range(n)), again)
    tau = stats.kendalltau(range(n), again).statistic
    assert tau == pytest.approx(4 * in_order / (n * (n - 1)) - 1)


def test_a_pair_that_is_level_is_in_no_order():
    assert s.pairs_in_order([1, 1, 2], [1, 2, 3]) == 2


def test_two_standard_errors_decide_a_tie():
    first = np.zeros(100)
    noise = np.resize([1.0, -1.0], 100)  # its error is 1.005 / 10
    rows = np.stack([first, noise + 0.19, noise + 0.21, first])
    assert s.is_tied(rows).tolist() == [True, True, False, True]
    assert s.n_tied(rows) == 2


def test_the_interval_of_a_correlation_is_that_of_the_textbook():
    # by hand: z = atanh(.6) = .6931, half = 1.96 · 1.06 / √21 = .4534
    mean, low, high = s.correlation_interval(0.6, 24)
    assert (mean, low, high) == pytest.approx((0.6, math.tanh(0.2398), math.tanh(1.1465)), abs=1e-3)
    assert s.correlation_interval(0.9, 3) == (0.9, -1, 1)
    assert s.correlation_interval(1.0, 10).high <= 1


def test_the_interval_of_a_mean_is_students():
    values = [0.1, 0.4, 0.3, 0.2]
    by_scipy = stats.ttest_1samp(values, 0).confidence_interval()
    assert s.mean_interval(values)[1:] == pytest.approx((by_scipy.low, by_scipy.high))
    assert s.mean_interval([0.3])[1:] == (-math.inf, math.inf)


def test_the_chance_of_a_mean_counts_signs():
    assert s.chance_of_mean([1, 2, 3, 4, 5, 6]) == 2 / 2**6
    assert s.chance_of_mean([1, -1, 2, -2]) == 1
    assert s.chance_of_mean(np.full(40, 0.1)) < 0.001


@given(st.integers(0, 30))
def test_wilsons_interval_holds_the_share(n_right):
    low, high = s.wilson(n_right, 30)
    assert 0 <= low <= n_right / 30 <= high <= 1
