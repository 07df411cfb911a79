"""Lesson 3's pictures: what they draw is what they were given, and they say in words what they
show.
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.lab.landscape import Landscape
from hpt_helpers.classroom.lesson_03 import figures
from hpt_helpers.classroom.lesson_03.photograph import photograph
from hpt_helpers.trials import trial_record, trial_table

LRS, LOSSES = [0.001, 0.003, 0.01, 0.03], np.array([0.5, 0.3, 0.2, 0.4])
CURVE = Landscape(
    [{"lr": lr} for lr in LRS],
    [0],
    np.stack([LOSSES + 9, LOSSES], axis=1)[:, None],
    np.ones((4, 1, 2)),
)
MEAN, STD = np.array([0.5, 0.35, 0.25, 0.4]), np.array([0.0, 0.1, 0.2, 0.0])


def surrogate(tried, losses, points, factor=1):
    """Return MEAN and STD at the four points, whatever the trials."""
    assert points[:, 0].tolist() == pytest.approx([0, 1 / 3, 2 / 3, 1])
    assert losses.tolist() == LOSSES[np.rint(tried[:, 0] * 3).astype(int)].tolist()
    return MEAN, factor * STD


GAIN = np.array([-np.inf, 0.02, 0.06, -np.inf])


@pytest.fixture(autouse=True)
def no_figure_is_left_open():
    yield
    plt.close("all")


def data(line):
    return [np.asarray(line.get_xdata()).tolist(), np.asarray(line.get_ydata()).tolist()]


def lines(ax):
    return {line.get_label(): data(line) for line in ax.lines}


def test_a_belief_is_its_mean_its_band_and_the_trials():
    ax = figures.belief(CURVE, [0, 3], surrogate)
    assert lines(ax)["mean"] == [LRS, MEAN.tolist()]
    assert lines(ax)["trials"] == [[0.001, 0.03], [0.5, 0.4]]
    edges = ax.collections[0].get_paths()[0].vertices
    assert sorted({y for x, y in edges.tolist() if x == 0.01}) == pytest.approx([-0.15, 0.65])
    assert ax.get_xscale() == "log" and ax.get_title() == "After 2 trials"
    assert "lowest at learning rate 0.01, the band widest at 0.01" in ax.alt_text


def test_the_truth_fixes_the_axis_while_a_slider_moves():
    wide = partial(surrogate, factor=9)
    one, other = (figures.belief(CURVE, [0, 3], s, truth=True) for s in (surrogate, wide))
    assert lines(one)["truth"] == [LRS, LOSSES.tolist()]
    assert one.get_ylim() == other.get_ylim()
    assert one.get_ylim()[0] < 0.2 and one.get_ylim()[1] > 0.5
    free = figures.belief(CURVE, [0, 3], wide)
    assert "truth" not in lines(free) and free.get_ylim() != other.get_ylim()


def test_a_step_draws_the_gain_and_the_belief_with_the_new_trial_as_a_diamond():
    left = figures.step(CURVE, [0, 3, 2], GAIN, surrogate)
    right = left.figure.axes[1]
    heights = left.collections[0].get_paths()[0].vertices
    # what was tried gains nothing, and not -inf
    assert heights[:, 1].max() == 0.06 and heights[:, 1].min() == 0
    assert data(right.lines[-1]) == [[0.01], [0.2]] and right.lines[-1].get_marker() == "D"
    assert (
        left.alt_text
        == "Trial 3 goes to learning rate 0.01, where the expected improvement is 0.0600; "
        "its loss is 0.200."
    )
    assert right.alt_text.startswith("After 3 trials")


def test_two_terms_are_those_of_the_expected_improvement_by_hand():
    # At the best loss, z = 0: the first term is 0, the second 0.1 × 0.39894.
    left = figures.two_terms(0.3, [(0.3, 0.1), (0.4, 0.3)])
    bars = [round(float(bar.get_height()), 4) for bar in left.figure.axes[1].patches]
    assert bars[:3] == [0.0, 0.0399, 0.0399]
    # z = -1/3: Φ = 0.36944, φ = 0.37738
    assert bars[3:] == [
        round(-0.1 * 0.36944, 4),
        round(0.3 * 0.37738, 4),
        round(-0.036944 + 0.113214, 4),
    ]
    assert "0.3 ± 0.1: 0.000 to exploit, 0.040 to explore, 0.040 in all" in left.alt_text


def test_worth_draws_medians_and_says_them():
    rows = [("a", 5, 3.0), ("a", 5, 1.0), ("a", 5, 2.5), ("a", 10, 1.0), ("b", 5, 4.0)]
    ax = figures.worth(pd.DataFrame(rows, columns=["search", "trials", "fresh loss"]))
    assert lines(ax) == {"a": [[5, 10], [2.5, 1.0]], "b": [[5], [4.0]]}
    assert "a, median 2.500 after 5, 1.000 after 10 trials; b, median 4.000 after 5" in ax.alt_text


def test_leads_are_drawn_at_differences_over_luck():
    table = pd.DataFrame({"data": ["one", "one", "two"], "n_val": [300, 30, 2000]})
    table = table.assign(differences=[20.0, 20.0, 5.0], luck=[5.0, 20.0, 10.0], of=30)
    table = table.assign(as_searched=[30, 28, 25], fresh=[29, 21, 14], fresh_worse=[1, 9, 15])
    drawn = lines(figures.leads(table))
    assert drawn["one, as searched"] == [[4, 1], [30, 28]] and drawn["one, fresh"] == [
        [4, 1],
        [29, 21],
    ]
    assert drawn["two, fresh"] == [[0.5], [14]]
    ax = figures.leads(table)
    said = "two with 2,000 rows: ahead in 25 of 30 as searched, in 14 of 30 fresh and behind in 15"
    assert said in ax.alt_text
    assert "2,000 rows\n14 : 15" in [text.get_text() for text in ax.texts]
    assert "a coin: 10 to 20 wins" in [text.get_text() for text in ax.get_legend().get_texts()]


def test_a_photograph_is_drawn_as_the_first_and_the_best_trial_fill_it_in():
    photo = photograph(0)
    configs = [
        {"row_scale": 6.0, "column_scale": scale, "alpha": 0.01} for scale in (90.0, 5.0, 0.5)
    ]
    trials = trial_table(
        [trial_record(config, n_epochs=1, val_loss=photo.loss(config)) for config in configs]
    )
    axes = figures.filled_in(photo, trials).figure.axes
    titles = [ax.get_title() for ax in axes]
    assert titles[0] == "300 training pixels" and titles[3] == "the truth"
    assert titles[1] == f"first trial: error {photo.test_loss(configs[0]):.4f}"
    assert titles[2] == f"best of 3: error {photo.test_loss(configs[1]):.4f}"
    shown = [np.ma.filled(ax.images[0].get_array(), np.nan) for ax in axes]
    assert np.isnan(shown[0]).sum() == 3940 and np.array_equal(shown[3], photo.pixels)
    assert np.array_equal(shown[2], np.clip(photo.filled(configs[1]), 0, 1))
