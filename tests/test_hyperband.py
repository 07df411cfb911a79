"""Hyperband's brackets against published tables, and its searches against a rule applied to whole
curves.
"""

import math
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpt_helpers.classroom.lab.landscape import Landscape
from hpt_helpers.search import run
from hpt_helpers.search_space import Real, SearchSpace
from hpt_helpers.strategies import hyperband, hyperband_schedule, successive_halving

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True)})

# (configurations, epochs) of every rung by (R, η): algorithm 1 of Li et al. (2018), worked out by
# hand.
RUNGS = {
    (1, 3): [[(1, 1)]],
    (2, 3): [[(1, 2)]],
    (8, 2): [
        [(8, 1), (4, 2), (2, 4), (1, 8)],
        [(6, 2), (3, 4), (1, 8)],
        [(4, 4), (2, 8)],
        [(4, 8)],
    ],
    (9, 3): [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]],
    (16, 4): [[(16, 1), (4, 4), (1, 16)], [(6, 4), (1, 16)], [(3, 16)]],
    (27, 3): [
        [(27, 1), (9, 3), (3, 9), (1, 27)],
        [(12, 3), (4, 9), (1, 27)],
        [(6, 9), (2, 27)],
        [(4, 27)],
    ],
    (80, 3): [
        [(27, 2), (9, 8), (3, 26), (1, 80)],
        [(12, 8), (4, 26), (1, 80)],
        [(6, 26), (2, 80)],
        [(4, 80)],
    ],
    (81, 3): [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ],
    (243, 3): [
        [(243, 1), (81, 3), (27, 9), (9, 27), (3, 81), (1, 243)],
        [(98, 3), (32, 9), (10, 27), (3, 81), (1, 243)],
        [(41, 9), (13, 27), (4, 81), (1, 243)],
        [(18, 27), (6, 81), (2, 243)],
        [(9, 81), (3, 243)],
        [(6, 243)],
    ],
}
# With rounding="floor": for (81, 3) the table that the same paper prints. Brackets not named are as
# above.
FLOORED = {
    (8, 2): {1: [(4, 2), (2, 4), (1, 8)]},
    (9, 3): {1: [(3, 3), (1, 9)]},
    (16, 4): {1: [(4, 4), (1, 16)]},
    (27, 3): {1: [(9, 3), (3, 9), (1, 27)]},
    (80, 3): {1: [(9, 8), (3, 26), (1, 80)]},
    (81, 3): {
        1: [(27, 3), (9, 9), (3, 27), (1, 81)],
        2: [(9, 9), (3, 27), (1, 81)],
        3: [(6, 27), (2, 81)],
    },
    (243, 3): {
        1: [(81, 3), (27, 9), (9, 27), (3, 81), (1, 243)],
        2: [(27, 9), (9, 27), (3, 81), (1, 243)],
    },
}
# With survivors="ceil", as in Ray. Brackets not named are as above.
RAYS = {
    (8, 2): {1: [(6, 2), (3, 4), (2, 8)]},
    (9, 3): {1: [(5, 3), (2, 9)]},
    (16, 4): {1: [(6, 4), (2, 16)]},
    (27, 3): {1: [(12, 3), (4, 9), (2, 27)]},
    (81, 3): {
        1: [(34, 3), (12, 9), (4, 27), (2, 81)],
        2: [(15, 9), (5, 27), (2, 81)],
        3: [(8, 27), (3, 81)],
    },
    (243, 3): {
        1: [(98, 3), (33, 9), (11, 27), (4, 81), (2, 243)],
        2: [(41, 9), (14, 27), (5, 81), (2, 243)],
    },
}


def with_changes(table, changes):
    return [changes.get(i, rungs) for i, rungs in enumerate(table)]


class Curves:
    """An objective with a random loss for each configuration and epoch."""

    def __init__(self, n_failing=0):
        self.rng, self.known, self.n_failing = np.random.default_rng(0), {}, n_failing

    def identity(self, config):
        return config["lr"]

    def __call__(self, requests):
        for config, n_epochs, *_ in requests:
            fails = len(self.known) < self.n_failing
            curve = self.known.setdefault(
                config["lr"], np.full(81, math.nan) if fails else self.rng.random(81)
            )
            yield float(curve[n_epochs - 1])


def asked(strategy):
    """Answer a strategy with random losses; return the (trials, epochs) of all it asks for."""
    rng, found, losses = np.random.default_rng(0), [], None
    while True:
        try:
            batch = strategy.send(losses)
        except StopIteration:
            return found
        losses = rng.random(len(batch))
        [n_epochs] = {n_epochs for _, n_epochs in batch}
        found.append((len(batch), n_epochs))


@pytest.mark.parametrize(("max_epochs", "eta"), RUNGS)
@pytest.mark.parametrize(
    ("options", "changes"),
    [({}, {}), ({"rounding": "floor"}, FLOORED), ({"survivors": "ceil"}, RAYS)],
)
def test_the_schedule_is_that_of_the_table_and_the_search_runs_over_it(
    max_epochs, eta, options, changes
):
    if max_epochs in (2, 80) and "survivors" in options:
        return  # not in Ray, as below
    expected = with_changes(RUNGS[max_epochs, eta], changes.get((max_epochs, eta), {}))
    assert hyperband_schedule(max_epochs, eta, **options) == expected
    assert asked(hyperband(SPACE, max_epochs, eta, seed=0, **options)) == [
        rung for rungs in expected for rung in rungs
    ]


@pytest.mark.parametrize(("max_epochs", "eta"), RUNGS)
def test_a_floored_bracket_divides_evenly_so_that_both_rules_of_survivors_agree(max_epochs, eta):
    if max_epochs in (2, 80):
        return
    assert hyperband_schedule(
        max_epochs, eta, rounding="floor", survivors="ceil"
    ) == hyperband_schedule(max_epochs, eta, rounding="floor")


# From η to the half power k + 1/2 up to the next whole power, worked out by hand.
ROUNDED_UP = {
    2: [3, *range(6, 8), *range(12, 16), *range(23, 32), *range(46, 64), *range(91, 101)],
    3: [2, *range(6, 9), *range(16, 27), *range(47, 81)],
    4: [3, *range(8, 16), *range(33, 64)],
}


@pytest.mark.parametrize(("eta", "expected"), ROUNDED_UP.items())
def test_as_in_ray_is_as_in_ray_or_refused(eta, expected):
    """Where Ray rounds log(R) / log(η) up, its first bracket begins with 0 epochs, and it drops
    that bracket unsaid.
    """
    from ray.tune.schedulers import HyperBandScheduler

    refused = []
    for R in range(1, 101):
        rays = HyperBandScheduler(max_t=R, reduction_factor=eta)
        first_rungs = [(rays._get_n0(s), rays._get_r0(s)) for s in reversed(range(rays._s_max_1))]
        if first_rungs[0][1] == 0:
            refused.append(R)
            with pytest.raises(
                ValueError, match=rf"max_resource is {R}; Ray's first rung has 0 epochs then"
            ):
                hyperband_schedule(R, eta, survivors="ceil")
        else:
            schedule = hyperband_schedule(R, eta, survivors="ceil")
            assert [rungs[0] for rungs in schedule] == first_rungs
    assert refused == expected


def test_the_first_rungs_of_81_are_those_of_the_two_published_tables():
    def n_first(rounding):
        return [rungs[0] for rungs in hyperband_schedule(81, rounding=rounding)]

    assert n_first("ceil") == [(81, 1), (34, 3), (15, 9), (8, 27), (5, 81)]
    assert n_first("floor") == [(81, 1), (27, 3), (9, 9), (6, 27), (5, 81)]


@given(R=st.integers(1, 1000), eta=st.integers(2, 9), data=st.data())
def test_every_schedule_ends_at_R_and_halves_by_eta(R, eta, data):
    rounding, survivors = (data.draw(st.sampled_from(["ceil", "floor"])) for _ in range(2))
    try:
        schedule = hyperband_schedule(R, eta, rounding=rounding, survivors=survivors)
    except ValueError:
        assert survivors == "ceil" and eta ** (len(hyperband_schedule(R, eta)) - 0.5) < R + 1e-6
        return
    assert eta ** (len(schedule) - 1) <= R < eta ** len(schedule)
    assert [len(rungs) for rungs in schedule] == list(range(len(schedule), 0, -1))
    for rungs in schedule:
        assert rungs[-1][1] == R and rungs[0][1] >= 1 and all(n >= 1 for n, _ in rungs)
        for (n, resource), (n_next, resource_next) in pairwise(rungs):
            assert abs(n / eta - n_next) < 1
            # rounding down loses less than one epoch of each
            assert 0 <= resource_next - eta * resource < eta


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((9, 1), ValueError, "eta is 1; it must be an integer of at least 2"),
        ((9, 0), ValueError, "eta is 0"),
        ((9, -1), ValueError, "eta is -1"),
        ((9, 2.5), TypeError, "eta is 2.5; an integer is needed"),
        ((9, Fraction(5, 2)), TypeError, "eta is Fraction"),
        ((9, math.nan), TypeError, "eta is nan"),
        ((9, "3"), TypeError, "eta is '3'"),
        ((0, 3), ValueError, "max_resource is 0; it must be an integer of at least 1"),
        ((-9, 3), ValueError, "max_resource is -9"),
        ((9.0, 3), TypeError, "max_resource is 9.0"),
        ((math.nan, 3), TypeError, "max_resource is nan"),
        ((math.inf, 3), TypeError, "max_resource is inf"),
        (("9", 3), TypeError, "max_resource is '9'"),
        ((True, 3), TypeError, "max_resource is True"),
    ],
)
def test_a_bad_schedule_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        hyperband_schedule(*arguments)
    with pytest.raises(error, match=says.replace("max_resource", "max_epochs")):
        next(hyperband(SPACE, *arguments, seed=0))


@pytest.mark.parametrize("name", ["rounding", "survivors"])
@pytest.mark.parametrize("word", ["round", "Ceil", None, 1])
def test_a_bad_rule_is_refused(name, word):
    with pytest.raises(ValueError, match=f"{name} is {word!r}.*; 'ceil' and 'floor' are allowed"):
        hyperband_schedule(9, **{name: word})


def test_numpy_integers_will_do():
    found = hyperband_schedule(np.int64(9), np.int8(3))
    assert found == RUNGS[9, 3] and {
        type(v) for rungs in found for rung in rungs for v in rung
    } == {int}


@pytest.mark.parametrize(
    ("max_epochs", "survivors", "n_trials", "going_on", "restarting", "n_stopped"),
    [
        (9, "floor", 17, 69, 78, 12),
        (9, "ceil", 17, 75, 87, 11),
        (27, "floor", 49, 357, 423, 41),
        (81, "floor", 143, 1581, 1902, 133),
    ],
)
def test_trials_and_epochs_in_total(
    max_epochs, survivors, n_trials, going_on, restarting, n_stopped
):
    trials = run(hyperband(SPACE, max_epochs, seed=0, survivors=survivors), Curves())
    assert trials["lr"].nunique() == n_trials
    assert (trials.groupby("lr")["n_epochs"].max() < max_epochs).sum() == n_stopped
    assert trials["charged_epochs"].sum() == going_on
    assert trials["n_epochs"].sum() == restarting


def test_brackets_are_counted_with_integers():
    assert int(math.log(243) / math.log(3)) == 4  # why
    assert len(hyperband_schedule(243)) == 6
    assert (
        len(hyperband_schedule(10**18, 10)) == 19 and len(hyperband_schedule(10**18 - 1, 10)) == 18
    )


def test_a_cut_keeps_the_best_and_forgets_the_others():
    strategy = successive_halving(
        [{"lr": lr} for lr in (1, 2, 3, 4, 5, 6, 7)], [(7, 2), (2, 6), (0, 18)]
    )
    assert next(strategy) == [({"lr": lr}, 2) for lr in (1, 2, 3, 4, 5, 6, 7)]
    assert strategy.send(np.array([0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8])) == [
        ({"lr": 2}, 6),
        ({"lr": 6}, 6),
    ]
    with pytest.raises(StopIteration):  # none are left
        strategy.send(np.array([0.1, 0.2]))


def test_of_equal_losses_the_earlier_goes_on_and_failed_ones_come_last():
    configs = [{"lr": lr} for lr in range(4)]
    strategy = successive_halving(iter(configs), [(4, 1), (3, 2), (2, 5)])
    assert next(strategy) == [(c, 1) for c in configs]
    assert strategy.send([math.nan, 0.5, 0.5, math.nan]) == [(configs[i], 2) for i in (1, 2, 0)]
    assert strategy.send([0.7, math.nan, 0.7]) == [(configs[i], 5) for i in (1, 0)]


@pytest.mark.parametrize(
    "rungs",
    [
        [],
        [(2, 1), (1, 3)],
        [(4, 1), (1, 3)],
        [(3, 1), (1, 1)],
        [(3, 3), (1, 1)],
        [(3, 1), (1, 3), (2, 9)],
    ],
)
def test_rungs_that_are_no_halving_are_refused(rungs):
    with pytest.raises(ValueError, match="rungs is "):
        next(successive_halving([{"lr": 1}, {"lr": 2}, {"lr": 3}], rungs))


@pytest.mark.filterwarnings("ignore:the first three trials failed alike")
def test_failed_trials_are_cut_first_and_may_fill_a_rung():
    trials = run(hyperband(SPACE, 9, seed=0), Curves(n_failing=7))
    first, second = trials[trials["n_epochs"] == 1], trials[trials["n_epochs"] == 3][:3]
    assert (first["status"] == "failed").sum() == 7
    assert (second["status"] == "ok").sum() == 2 and second["status"].iloc[-1] == "failed"


def test_the_survivors_are_those_that_ranking_whole_curves_gives():
    configs = SPACE.sample(49, seed=3)
    losses = np.random.default_rng(1).random((49, 1, 27))
    full = [c | {"hidden_size": 16} for c in configs]
    trials = run(hyperband(SPACE, 27, seed=3), Landscape(full, [0], losses, losses))
    alive = list(range(27))
    for epoch in (1, 3, 9):
        alive = sorted(alive, key=lambda i: losses[i, 0, epoch - 1])[: len(alive) // 3]
    [winner] = alive
    assert trials["lr"].iloc[27 + 9 + 3] == configs[winner]["lr"]


def test_the_configurations_are_the_spaces_sample_in_its_order():
    trials = run(hyperband(SPACE, 9, seed=4), Curves())
    drawn = list(dict.fromkeys(trials["lr"]))
    assert drawn == [config["lr"] for config in SPACE.sample(17, seed=4)]
