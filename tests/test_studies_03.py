"""The measurements of lesson 3 against single trainings, counts and numbers worked out by hand."""

from functools import partial

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.bayes import search_by_hand, surrogate
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.lab import SAME, Chosen
from hpt_helpers.classroom.photograph import photograph, space
from hpt_helpers.classroom.studies import lesson_03 as studies
from hpt_helpers.classroom.studies import lesson_03_further as further
from hpt_helpers.data import load_splits
from hpt_helpers.search import Request
from hpt_helpers.search_space import Real, SearchSpace
from hpt_helpers.training import fit

CONFIG = {"row_scale": 6.0, "column_scale": 5.0, "alpha": 0.01}


def test_the_hidden_curve_is_a_training_for_each_learning_rate():
    curve = studies.hidden_curve()
    config = curve.configs[57]
    assert len(curve.configs) == 101
    assert curve.lookup(config, 100, 0)[0] == pytest.approx(
        fit(config, load_splits("iris"), n_epochs=100, seed=0).val_loss[-1], abs=1e-9
    )


# --- problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_val", [300, 10])
def test_the_flower_is_searched_on_validation_and_judged_on_test_pixels(n_val):
    flower = studies.flower(n_val)
    assert flower.name == f"flower, {n_val} pixels" and dict(flower.space(4)) == dict(space(4))
    assert flower.objective([Request(CONFIG, 1, 4)]) == [photograph(4, n_val=n_val).loss(CONFIG)]
    losses, accuracies = flower.measure([Chosen(CONFIG, 1, 4), Chosen(CONFIG, 1, 5)], "judge", 3, 0)
    expected = [[photograph(repeat).test_loss(CONFIG)] * 3 for repeat in (4, 5)]
    assert losses.tolist() == expected and np.isnan(accuracies).all()


def test_a_network_is_named_by_its_data_and_validation_rows():
    names = [studies.network(name, studies.SCRIPT, 3).name for name in ("iris", "wine")]
    assert names == [f"{name}, {len(load_splits(name).y_val)} rows" for name in ("iris", "wine")]


SQUARE = SearchSpace({"x": Real(0, 1)})


def square(repeat):
    return SQUARE


def value_of_x(requests):
    return [request.config["x"] for request in requests]


def ten_more(choices, purpose, n, progress):
    losses = np.array([[10 + choice.config["x"]] * n for choice in choices])
    return losses, np.zeros_like(losses)


LINE = lab.Problem("line", square, value_of_x, ten_more)  # judged by another function than searched


def test_a_crash_is_told_where_the_parameter_is_low_and_judged_as_before():
    crashing = studies.crashing(LINE, "x", share=0.25, loss=7)
    requests = [Request({"x": x}, 1, 0) for x in (0.1, 0.24, 0.26, 0.9)]
    assert crashing.objective(requests) == [7, 7, 0.26, 0.9]
    assert crashing.measure([Chosen({"x": 0.1}, 1, 0)], "judge", 1, False)[0] == 10.1


# --- races ----------------------------------------------------------------------------------------


def test_a_race_has_the_lowest_loss_met_and_the_judgement_of_that_trial():
    searches = {"random": studies.at_random, "grid": studies.on_a_grid}
    found = studies.race(LINE, searches, n_trials=4, repeats=[2, 5])
    assert set(found["problem"]) == {"line"}
    lowest = [min(config["x"] for config in SQUARE.sample(4, seed=r)) for r in (2, 5)]
    searched, fresh = studies.in_pairs(found, "as_searched"), studies.in_pairs(found)
    assert searched["random"].tolist() == lowest
    assert fresh.loc[[2, 5], "random"].tolist() == pytest.approx([10 + x for x in lowest])
    assert searched["grid"].tolist() == pytest.approx([1 / 8] * 2)  # the middle of the first cell


def test_a_grid_takes_as_many_points_an_axis_as_the_trials_allow():
    for its_space, n_points in ((KNOWN["Branin"].space, 25), (space(), 27)):
        [batch] = studies.on_a_grid(its_space, 0, 27, 1)
        assert len(batch) == n_points


def test_wins_are_counted_by_problem_and_judgement_and_ties_are_none():
    losses = {  # (problem, search): (as searched, fresh) of repeats 0 and 1
        ("a", "by hand"): ([1, 1], [3, 1 - SAME / 2]),
        ("a", "random"): ([2, 3], [2, 1]),
        ("a", "grid"): ([0, 2], [4, 4]),
        ("b", "by hand"): ([0, 0], [2, 2]),
        ("b", "random"): ([1, 0], [1, 4]),
        ("b", "grid"): ([0, 0], [4, 4]),
    }
    parts = [
        {"problem": p, "search": s, "repeat": [0, 1], "as_searched": searched, "fresh": fresh}
        for (p, s), (searched, fresh) in losses.items()
    ]
    table = studies.wins(pd.concat(map(pd.DataFrame, parts)), "by hand")
    assert list(table.columns) == ["problem", "judged", "repeats", "beats random", "beats grid"]
    assert table.values.tolist() == [
        ["a", "as searched", 2, 2, 1],
        ["a", "fresh", 2, 0, 2],
        ["b", "as searched", 2, 1, 0],
        ["b", "fresh", 2, 1, 2],
    ]


def test_races_puts_the_problems_one_after_the_other():
    problems = [LINE, studies.known("Branin")]
    found = studies.races(problems, search_by_hand, n_trials=6, repeats=[0, 1])
    assert found["problem"].tolist() == ["line"] * 6 + ["Branin"] * 6
    assert list(found["search"].unique()) == ["by hand", "random", "grid"]


def at_x(space, repeat, n_trials, n_epochs, x=0.5, told=None):
    yield [({"x": x if told is None else told(4)}, n_epochs)]


def test_ways_differ_by_the_arguments_of_the_search():
    options = {"low": {"x": 0.0}, "high": {"x": 1.0}}
    table = studies.ways(LINE, at_x, options, n_trials=3, repeats=range(5))
    assert table.values.tolist() == [["low", 10.0, 5, 0, 5], ["high", 11.0, 0, 0, 5]]
    table = studies.ways(LINE, studies.at_random, {"same": {}}, n_trials=3, repeats=range(5))
    assert table[["beats_random", "level", "repeats"]].values.tolist() == [[0, 5, 5]]


def test_tellings_are_ways_to_be_told():
    told = {"a": lambda loss: loss / 8, "b": lambda loss: 0.0}
    assert studies.tellings(LINE, at_x, told, repeats=[1])["median_loss"].tolist() == [10.5, 10.0]


def test_a_regret_is_the_distance_from_the_minimum():
    choice = Chosen({"x": np.pi, "y": 2.275}, 1, 0)
    losses, _ = studies.known("Branin").measure([choice], "judge", 1, False)
    assert losses == pytest.approx(0, abs=1e-5)
    table = further.regrets(search_by_hand, n_trials=7, repeats=range(3))
    for row in table.itertuples():
        function, its_space, minimum = KNOWN[row.function]
        drawn = [min(map(function, its_space.sample(7, seed=r))) - minimum for r in range(3)]
        assert row.random == pytest.approx(np.median(drawn)) and row.repeats == 3
        assert row.random_below_1 == sum(regret < 1 for regret in drawn)


# --- what a band holds ----------------------------------------------------------------------------


def certain_of(mean, std, tried, losses, points):
    return np.full(len(points), mean), np.full(len(points), std)


@pytest.mark.parametrize(("mean", "std", "share"), [(0, 1e9, 1), (1e6, 0, 0)])
def test_a_boundless_band_holds_everything_and_one_without_width_nothing(mean, std, share):
    band = partial(certain_of, mean, std)
    table = further.coverage(search_by_hand, band, n_trials=6, n_points=5, repeats=[0, 1])
    assert table["share"].tolist() == [share] * 4
    assert table["problem"].tolist() == ["1 dimension"] * 2 + ["3 dimensions"] * 2


def test_coverage_of_the_curve_by_hand():
    table = further.coverage(search_by_hand, surrogate, n_trials=6, n_points=5, repeats=[3])
    losses = studies.hidden_curve().table(100)["val_loss"].to_numpy()
    tried = np.random.default_rng(3).permutation(101)[:7]
    mean, std = surrogate(tried[:, None] / 100, losses[tried], np.arange(101)[:, None] / 100)
    held = [abs(truth - m) <= 2 * s for truth, m, s in zip(losses, mean, std, strict=True)]
    assert table.at[0, "share"] == pytest.approx(sum(held) / 101)


# --- a naive script -------------------------------------------------------------------------------

RATES = (1e-4, 5e-3, 1e-2)


def three_rates(space, repeat, n_trials, n_epochs, told):
    """Ask for the same three configurations, whatever is told, and check what is told."""
    losses = yield [({"lr": lr, "batch_size": 16, "epochs": 20}, n_epochs) for lr in RATES]
    assert told(losses).shape == (3,)


def trained(lr, draw, seed):
    return fit({"lr": lr, "batch_size": 16}, load_splits("iris", draw=draw), n_epochs=20, seed=seed)


def test_the_autopsy_reports_what_was_chosen_by_and_judges_it_fresh():
    table = studies.autopsy(three_rates, n_trials=3, repeats=[0, 1]).set_index("search")
    assert list(table.index) == ["as written", "seeded", "seeded, by loss"]
    reported, fresh, highest = [], [], []
    for repeat in (0, 1):
        found = [trained(lr, repeat, repeat) for lr in RATES]
        best = int(np.argmin([curves.val_loss[-1] for curves in found]))
        judges = [trained(RATES[best], draw, draw) for draw in lab.own_draws(repeat, "judge", 10)]
        reported.append(100 * found[best].val_accuracy[-1])
        fresh.append(100 * np.mean([curves.val_accuracy[-1] for curves in judges]))
        highest.append(100 * max(curves.val_accuracy[-1] for curves in found))
    row, (a, b) = table.loc["seeded, by loss"], np.subtract(reported, fresh)
    assert row["scores"] == 3 and row["tied"] == 1
    assert row["reported"] == pytest.approx(np.mean(reported))
    assert row["fresh"] == pytest.approx(np.mean(fresh))
    assert row["optimism"] == pytest.approx((a + b) / 2)
    assert row["error"] == pytest.approx(abs(a - b) / 2)  # of two it is half their distance
    assert table.at["seeded", "reported"] == pytest.approx(np.mean(highest))


def test_each_trial_of_the_script_as_written_has_a_seed_of_its_own():
    problem = studies.script_problem(studies.SCRIPTS["as written"])
    requests = [
        Request({"lr": lr, "batch_size": 16}, 20, repeat) for repeat in (0, 1) for lr in RATES
    ]
    seeds = [studies.another_seed(request) for request in requests]
    assert len(set(seeds)) == 6
    assert set(seeds[3:]) <= set(lab.own_draws(1, "luck", 100))
    for request, seed, outcome in zip(requests, seeds, problem.objective(requests), strict=True):
        alone = trained(request.config["lr"], request.seed, seed)
        assert outcome.val_loss == pytest.approx(1 - alone.val_accuracy[-1])
