"""The photograph: its pixels, kernel ridge regression as scikit-learn has it, and what no search
may see.
"""

import numpy as np
import pytest
from sklearn.gaussian_process.kernels import RBF
from sklearn.kernel_ridge import KernelRidge

from hpt_helpers.classroom.lesson_03.photograph import BOUNDS, photograph, picture, space

GOOD = {"row_scale": 6.0, "column_scale": 5.0, "alpha": 0.01}


def test_the_picture_is_grey_and_means_of_blocks():
    from sklearn.datasets import load_sample_image

    small, large = picture(), load_sample_image("flower.jpg")
    assert small.shape == (large.shape[0] // 8, large.shape[1] // 8) == (53, 80)
    assert small[2, 3] == pytest.approx(np.mean(large[16:24, 24:32].tolist()) / 255)


def test_filling_in_is_kernel_ridge_regression():
    photo = photograph(3)
    scales = [GOOD["row_scale"], GOOD["column_scale"]]
    known = photo.pixels[tuple(photo.train.T)]
    library = KernelRidge(alpha=GOOD["alpha"], kernel=RBF(scales)).fit(
        photo.train, known - known.mean()
    )
    expected = library.predict(photo.val) + known.mean()
    truth = photo.pixels[tuple(photo.val.T)]
    assert photo.loss(GOOD) == pytest.approx(((expected - truth) ** 2).mean(), rel=1e-9)
    filled = photo.filled(GOOD)
    np.testing.assert_allclose(filled[tuple(photo.val.T)], expected, rtol=0, atol=1e-9)


def test_training_validation_and_test_pixels_are_different_and_drawn_anew():
    photo, other = photograph(0), photograph(1)
    assert [len(part) for part in (photo.train, photo.val, photo.test)] == [300, 300, 2000]
    assert (
        len(
            {
                tuple(place)
                for part in (photo.train, photo.val, photo.test)
                for place in part.tolist()
            }
        )
        == 2600
    )
    assert not np.array_equal(photo.train, other.train)
    assert np.array_equal(photo.train, photograph(0).train)


def test_fewer_validation_pixels_are_the_first_and_change_nothing_else():
    all_of_them, few = photograph(5), photograph(5, n_val=10)
    assert np.array_equal(few.val, all_of_them.val[:10])
    assert np.array_equal(few.train, all_of_them.train) and np.array_equal(
        few.test, all_of_them.test
    )


def test_a_loss_does_not_depend_on_the_test_pixels_nor_the_test_loss_on_the_validation_pixels():
    photo = photograph(2)
    loss, test_loss = photo.loss(GOOD), photo.test_loss(GOOD)
    assert loss != test_loss
    changed = photo.pixels.copy()
    changed[tuple(photo.test.T)] = 0
    assert type(photo)(changed, photo.train, photo.val, photo.test).loss(GOOD) == pytest.approx(
        loss, rel=1e-12
    )
    changed = photo.pixels.copy()
    changed[tuple(photo.val.T)] = 0
    again = type(photo)(changed, photo.train, photo.val, photo.test).test_loss(GOOD)
    assert again == pytest.approx(test_loss, rel=1e-12)


def test_what_is_known_are_the_training_pixels():
    photo = photograph(0)
    known = photo.known()
    assert np.isfinite(known).sum() == 300
    assert np.array_equal(known[tuple(photo.train.T)], photo.pixels[tuple(photo.train.T)])


def test_good_settings_beat_the_mean_and_bad_ones_do_not():
    photo = photograph(0)
    spread = photo.pixels[tuple(photo.val.T)].var()
    assert photo.loss(GOOD) < 0.3 * spread
    assert photo.loss({"row_scale": 0.3, "column_scale": 0.3, "alpha": 100.0}) > 0.9 * spread


def test_a_repeat_shifts_each_range_by_up_to_a_fifth_of_its_width():
    shifts = []
    for repeat in range(50):
        for name, parameter in space(repeat).items():
            low, high = BOUNDS[name]
            width = np.log(high / low)
            assert np.log(parameter.high / parameter.low) == pytest.approx(width)
            shifts.append(np.log(parameter.low / low) / width)
    assert -0.2 <= min(shifts) < -0.18 and 0.18 < max(shifts) <= 0.2
    assert {name: (p.low, p.high) for name, p in space().items()} == BOUNDS
