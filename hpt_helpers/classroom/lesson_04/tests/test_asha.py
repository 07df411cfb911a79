"""The simulation of many workers against schedules worked out by hand."""

import heapq

import numpy as np
import pytest

from hpt_helpers.classroom.lesson_04.asha import asha_hours, halving_hours, waiting
from hpt_helpers.protocol import Told
from hpt_helpers.strategies.asynchronous import AshaState, next_trial, tell

PLACES = np.array([4, 0, 2, 5, 1, 3])


def test_halving_with_one_worker_takes_the_epochs_it_trains():
    hours, busy = halving_hours(PLACES, np.ones(6), 1, rungs=[(6, 1), (2, 3), (1, 9)])
    assert (hours, busy) == (6 * 1 + 2 * 2 + 1 * 6, 1.0)


def test_all_wait_for_the_straggler():
    slow = np.array([1, 1, 1, 1, 5, 1])  # the second best, which goes on
    # Six workers: the first rung takes 5, the second 2 epochs of the slow one, the third 6 of the
    # best trial.
    hours, busy = halving_hours(PLACES, slow, 6, rungs=[(6, 1), (2, 3), (1, 9)])
    assert hours == 5 + 10 + 6
    assert busy == pytest.approx((5 + 5 + 10 + 2 + 6) / (6 * 21))


def test_asha_with_one_worker_by_hand():
    # Trials 0, 1, 2 to epoch 1 (3 h), then trial 1 goes on; rungs at 1 and 3: done after 5 h.
    assert asha_hours(PLACES, np.ones(6), 1, epochs=(1, 3)) == 5
    # Three rungs: the next needs three results at epoch 3, so nine at epoch 1: 9 + 3 * 2 + 6 h.
    assert asha_hours(np.arange(20), np.ones(20), 1, epochs=(1, 3, 9)) == 9 + 6 + 6


def test_asha_does_not_wait_for_a_straggler():
    slow = np.ones(50)
    slow[0] = 100
    # Three workers. Trial 0 never ends; 1 and 2 end at 1 h, 3 and 4 at 2 h: then the best of four
    # goes on, until 4 h.
    assert asha_hours(np.arange(50), slow, 3, epochs=(1, 3)) == 4
    assert halving_hours(np.arange(3), slow[:3], 3, rungs=[(3, 1), (1, 3)])[0] > 100


@pytest.mark.parametrize("n_workers", [1, 4, 16])
def test_asha_takes_what_the_package_s_own_would_ask_for(n_workers):
    for seed in range(5):
        rng = np.random.default_rng(seed)
        places, hours = rng.permutation(500), rng.lognormal(0, 0.5, 500)
        expected = hours_of_the_package_s_asha(places, hours, n_workers, [1, 3, 9, 27])
        assert asha_hours(places, hours, n_workers, epochs=(1, 3, 9, 27)) == expected


def hours_of_the_package_s_asha(losses, hours, n_workers, rungs):
    """Return when a configuration has reached the last rung, with workers that never wait."""
    state = AshaState(rungs, 3, lambda state: {})
    now, running = 0.0, []
    while True:
        while len(running) < n_workers:
            job = next_trial(state)
            n_epochs = np.diff(rungs, prepend=0)[job.rung]
            heapq.heappush(running, (now + hours[job.number] * n_epochs, job))
        now, job = heapq.heappop(running)
        if rungs[job.rung] == rungs[-1]:
            return now
        tell(state, job, Told({}, rungs[job.rung], float(losses[job.number])))


def test_without_stragglers_one_worker_is_always_busy_and_with_them_many_are_not():
    alike, spread = (
        waiting([1, 64], spread=0.0, repeats=range(2)),
        waiting([1, 64], spread=1.0, repeats=range(2)),
    )
    assert (
        alike.loc[1, "halving_hours"] == pytest.approx(297 / 60, abs=0.01)
        and alike.loc[1, "halving_busy"] == 1
    )
    assert spread.loc[64, "halving_busy"] < alike.loc[64, "halving_busy"] < 1
