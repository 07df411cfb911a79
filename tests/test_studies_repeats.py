"""What the studies share, against one training at a time and numbers worked out by hand."""

import numpy as np
import pytest

from hpt_helpers.classroom.studies.repeats import (
    TrainingOfRepeats,
    curves,
    fresh,
    mean_and_error,
    rows_of,
    run_whole,
)
from hpt_helpers.data import load_splits
from hpt_helpers.search import run_many
from hpt_helpers.strategies import grid_search
from hpt_helpers.training import fit
from hpt_helpers.trials import same_trials

CONFIGS = [{"lr": 0.01, "batch_size": 16}, {"lr": 0.03, "batch_size": 32, "hidden_size": 8}]


def test_a_repeat_is_a_draw_of_the_rows_and_a_seed_of_the_same_number():
    found = curves(CONFIGS, "iris", n_epochs=4, repeats=[3, 7])
    for i, config in enumerate(CONFIGS):
        for j, repeat in enumerate((3, 7)):
            alone = fit(config, load_splits("iris", draw=repeat), n_epochs=4, seed=repeat)
            assert found[i, j] == pytest.approx(alone.val_loss, abs=1e-9)


def test_fresh_is_the_mean_of_the_last_losses():
    losses = curves(CONFIGS, "wine", n_epochs=3, repeats=[20, 21, 22])[:, :, -1]
    expected = [sum(row) / 3 for row in losses]
    assert fresh(CONFIGS, "wine", n_epochs=3, repeats=[20, 21, 22]) == pytest.approx(
        expected, abs=1e-12
    )


def test_rows_are_drawn_anew_and_the_test_rows_stay():
    a, b = rows_of("iris", [0, 1])
    assert a.draw == 0 and b.draw == 1 and not np.array_equal(a.X_val, b.X_val)
    assert np.array_equal(a._y_test, b._y_test)


def test_the_mean_and_its_standard_error_by_hand():
    # 1, 2, 6: mean 3, squared deviations 4 + 1 + 9 = 14, variance 7, error sqrt(7 / 3)
    assert mean_and_error([1, 2, 6]) == pytest.approx((3, (7 / 3) ** 0.5))


def test_an_interrupted_measurement_ends_instead_of_being_half():
    def interrupted(requests):
        yield 0.5
        raise KeyboardInterrupt

    def searches():
        return [grid_search(CONFIGS, 2)]

    with pytest.warns(UserWarning, match="the 1 trials evaluated so far are kept"):
        assert len(run_many(searches(), interrupted)[0]) == 1  # a search keeps what it has
    with pytest.raises(KeyboardInterrupt, match="the 1 trials"):
        run_whole(searches(), interrupted)


def test_a_whole_measurement_is_that_of_run_many():
    tables = [
        runner([grid_search(CONFIGS, 2)], TrainingOfRepeats("iris", [3]), seeds=[3])
        for runner in (run_many, run_whole)
    ]
    assert same_trials(tables[0][0], tables[1][0])
