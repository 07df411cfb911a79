"""The simulation of many workers against schedules worked out by hand."""

import numpy as np
import pytest

from hpt_helpers.classroom.lesson_04.asha import asha_hours, halving_hours, waiting

LOSSES = np.array([0.5, 0.1, 0.3, 0.9, 0.2, 0.4])


def test_halving_with_one_worker_takes_the_epochs_it_trains():
    hours, busy = halving_hours(LOSSES, np.ones(6), 1, rungs=[(6, 1), (2, 3), (1, 9)])
    assert (hours, busy) == (6 * 1 + 2 * 2 + 1 * 6, 1.0)


def test_all_wait_for_the_straggler():
    slow = np.array([1, 1, 1, 1, 5, 1])  # the trial of loss 0.2, which goes on
    # Six workers: the first rung takes 5, the second 2 epochs of the slow one, the third 6 of the
    # trial of loss 0.1.
    hours, busy = halving_hours(LOSSES, slow, 6, rungs=[(6, 1), (2, 3), (1, 9)])
    assert hours == 5 + 10 + 6
    assert busy == pytest.approx((5 + 5 + 10 + 2 + 6) / (6 * 21))


def test_asha_with_one_worker_by_hand():
    # Trials 0, 1, 2 to epoch 1 (3 h), then trial 1 goes on; rungs at 1 and 3: done after 5 h.
    assert asha_hours(LOSSES, np.ones(6), 1, epochs=(1, 3)) == 5
    # Three rungs: the next needs three results at epoch 3, so nine at epoch 1: 9 + 3 * 2 + 6 h.
    assert asha_hours(np.arange(20.0), np.ones(20), 1, epochs=(1, 3, 9)) == 9 + 6 + 6


def test_asha_does_not_wait_for_a_straggler():
    slow = np.ones(50)
    slow[0] = 100
    # Three workers. Trial 0 never ends; 1 and 2 end at 1 h, 3 and 4 at 2 h: then the best of four
    # goes on, until 4 h.
    assert asha_hours(np.arange(50.0), slow, 3, epochs=(1, 3)) == 4
    assert halving_hours(np.arange(3.0), slow[:3], 3, rungs=[(3, 1), (1, 3)])[0] > 100


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
