"""Pictures of lesson 4: the bars of a chart are the schedule's epochs, and all pictures say what
they show.
"""

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pytest

from hpt_helpers.classroom.lesson_04 import figures
from hpt_helpers.classroom.lesson_04.studies import Watched
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.search_space import Real, SearchSpace
from hpt_helpers.strategies import hyperband, hyperband_schedule


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_the_costs_are_those_that_are_charged():
    class Curves:
        identity = staticmethod(lambda config: config["lr"])

        def __call__(self, requests):
            return per_trial(lambda config, n_epochs: config["lr"])(requests)

    for R in (9, 27, 50):
        trials = run(hyperband(SearchSpace({"lr": Real(0, 1)}), R, seed=0), Curves())
        assert sum(figures.costs(hyperband_schedule(R))) == trials["charged_epochs"].sum()
    assert figures.costs(hyperband_schedule(81)) == [297, 276, 279, 324, 405]


def test_a_chart_has_a_bar_for_each_configuration_of_each_rung_as_long_as_it_trains():
    schedule = hyperband_schedule(9)
    ax = figures.chart(schedule)
    widths = sorted(bar.get_width() for bar in ax.patches)
    assert widths == sorted([1] * 9 + [2] * 3 + [6] + [3] * 5 + [6] + [9] * 3)
    assert [text.get_text() for text in ax.get_yticklabels()] == [
        "bracket 1\n9 → 3 → 1\n21 epochs",
        "bracket 2\n5 → 1\n21 epochs",
        "bracket 3\n3\n27 epochs",
    ]
    assert ax.get_title() == "17 configurations, at most 9 epochs each"
    assert "bracket 2 trains 5 to epoch 3, then 1 to epoch 9: 21 epochs" in ax.alt_text


def test_no_two_bars_of_a_chart_overlap():
    bars = [bar.get_bbox() for bar in figures.chart(hyperband_schedule(27)).patches]
    for i, a in enumerate(bars):
        for b in bars[:i]:
            assert min(a.x1, b.x1) <= max(a.x0, b.x0) or min(a.y1, b.y1) <= max(a.y0, b.y0)


def test_curves_show_the_repeat_in_which_early_ranks_agree_least_with_late_ones():
    losses = np.array(
        [[[1, 1, 0.1], [2, 2, 0.2], [3, 3, 0.3]], [[1, 1, 0.3], [2, 2, 0.2], [3, 3, 0.1]]]
    )
    lr, fresh = np.array([[0.1, 0.01, 0.001]] * 2), np.ones((2, 3))
    held = Watched((1, 3, 9), lr, losses, losses, fresh, fresh)
    ax = figures.curves({"iris": held})
    assert ax.get_title() == "iris, rank correlation -1.00"
    assert [line.get_ydata().tolist() for line in ax.lines[:3]] == losses[1].tolist()
    assert "losses of 3 configurations at epochs 1, 3, 9" in ax.alt_text


def test_losses_by_budget_say_where_each_search_begins_and_ends():
    ax = figures.by_budget({"a": np.array([0.4, 0.2]), "b": np.array([0.3, 0.25])}, [5, 40])
    assert [text.get_text() for text in ax.get_xticklabels()] == ["5", "40"]
    assert ax.alt_text.endswith("a from 0.400 to 0.200; b from 0.300 to 0.250.")
