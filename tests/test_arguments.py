"""Counts are Python's integers, and seeds are a sequence of them within their range."""

import numpy as np
import pytest

from hpt_helpers.arguments import as_count, as_seed, as_seeds


def test_counts():
    assert as_count("n", np.uint8(7)) == 7 and type(as_count("n", np.uint8(7))) is int


@pytest.mark.parametrize("seeds", [range(3), [0, 1, 2], (0, np.int64(1), 2), np.arange(3)])
def test_seeds_are_any_sequence_of_integers(seeds):
    assert [type(seed) for seed in as_seeds(seeds)] == [int] * 3 and as_seeds(seeds) == [0, 1, 2]


@pytest.mark.parametrize(
    "seeds", [3, np.int64(3), np.array(3), "012", {0, 1}, None, iter([0]), [0.0], [True], ["0"]]
)
def test_other_seeds_are_refused_by_name(seeds):
    with pytest.raises(TypeError, match=r"^seeds(\[0\])? is "):
        as_seeds(seeds)


@pytest.mark.parametrize(
    ("seed", "allowed"), [(-1, False), (0, True), (2**62 - 1, True), (2**62, False)]
)
def test_the_range_of_a_seed(seed, allowed):
    if allowed:
        assert as_seed("seed", seed) == seed
    else:
        with pytest.raises(ValueError, match=f"seed is {seed}"):
            as_seed("seed", seed)
