"""The measurements of lesson 3 against single trainings, counts and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.bayes import search_by_hand, surrogate
from hpt_helpers.classroom.known_functions import KNOWN
from hpt_helpers.classroom.photograph import photograph, space
from hpt_helpers.classroom.studies import lesson_03 as studies
from hpt_helpers.classroom.studies import lesson_03_further as further
from hpt_helpers.data import load_splits
from hpt_helpers.search import Request
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit

NETWORKS = SearchSpace({"lr": Real(1e-3, 0.1, log=True), "batch_size": Choice([16, 32])})
CONFIG = {"row_scale": 6.0, "column_scale": 5.0, "alpha": 0.01}


def test_networks_are_trained_as_fit_trains_them():
    jobs = [
        ({"lr": 0.01, "batch_size": 16, "epochs": 9}, 3, 5, 4),
        ({"lr": 0.03, "batch_size": 32}, 7, 7, 6),
    ]
    for (config, draw, seed, n_epochs), (loss, accuracy) in zip(
        jobs, studies.trained("iris", jobs), strict=True
    ):
        network = {name: value for name, value in config.items() if name != "epochs"}
        alone = fit(network, load_splits("iris", draw=draw), n_epochs=n_epochs, seed=seed)
        assert (
            loss == pytest.approx(alone.val_loss[-1], abs=1e-9)
            and accuracy == alone.val_accuracy[-1]
        )


def test_what_was_trained_comes_from_memory_and_in_another_process_from_the_cache(monkeypatch):
    job, other = (
        ({"lr": 0.02, "batch_size": 16}, 1, 2, 3),
        ({"lr": 0.02, "batch_size": 16}, 1, 3, 3),
    )
    first = studies.trained("iris", [job])
    with monkeypatch.context() as patch:
        patch.setattr(studies, "fit_many", None)
        assert np.array_equal(studies.trained("iris", [job]), first)
        patch.setattr(studies, "_trained", {})
        assert np.array_equal(studies.trained("iris", [job]), first)
        with pytest.raises(TypeError, match="NoneType"):
            studies.trained("iris", [other])
    assert not np.array_equal(studies.trained("iris", [other]), first)


def test_the_hidden_curve_is_a_training_for_each_learning_rate():
    curve = studies.hidden_curve()
    config = curve.configs[57]
    assert len(curve.configs) == 101
    assert curve.lookup(config, 100, 0)[0] == pytest.approx(
        fit(config, load_splits("iris"), n_epochs=100, seed=0).val_loss[-1], abs=1e-9
    )


def test_the_flower_is_searched_on_validation_and_judged_on_test_pixels():
    flower = studies.flower()
    assert flower.objective([Request(CONFIG, 1, 4)]) == [photograph(4).loss(CONFIG)]
    assert flower.judge([CONFIG], [4]) == [photograph(4).test_loss(CONFIG)]
    assert dict(flower.space(4)) == dict(space(4))
    few = studies.flower(n_val=10)
    assert few.objective([Request(CONFIG, 1, 4)]) == [photograph(4, n_val=10).loss(CONFIG)]
    assert (
        few.judge([CONFIG], [4]) == flower.judge([CONFIG], [4]) and few.name == "flower, 10 pixels"
    )


def test_a_network_is_searched_in_its_repeat_and_judged_over_the_fresh_ones():
    iris, config = studies.network("iris", NETWORKS, 3), {"lr": 0.02, "batch_size": 16}
    [found] = iris.objective([Request(config, 3, 8)])
    assert found == pytest.approx(
        fit(config, load_splits("iris", draw=8), n_epochs=3, seed=8).val_loss[-1], abs=1e-9
    )
    jobs = [(config, draw, draw, 3) for draw in range(10_080, 10_100)]
    by_hand = studies.trained("iris", jobs)[:, 0].reshape(2, 10).mean(axis=1)
    assert iris.judge([config] * 2, [8, 9]) == pytest.approx(by_hand, abs=1e-9)


def test_what_judges_a_repeat_searches_in_none_and_judges_no_other():
    judges = [set(studies.judges(repeat)) for repeat in range(900)]
    assert all(len(some) == 10 for some in judges) and len(set.union(*judges)) == 9000
    assert min(map(min, judges)) > 900 + 1000  # the unseeded arm's seeds are counted up from 1,000


SQUARE = SearchSpace({"x": Real(0, 1)})


def problem(judge=lambda config, repeat: 10 + config["x"]):
    """Return a problem whose loss is x, and which judges by another function."""
    return studies.Problem(
        "line",
        lambda repeat: SQUARE,
        lambda requests: [r.config["x"] for r in requests],
        lambda configs, repeats: np.array(
            [judge(c, r) for c, r in zip(configs, repeats, strict=True)]
        ),
    )


def test_a_race_reports_the_lowest_loss_met_and_the_judgement_of_that_trial():
    table = studies.race(
        problem(),
        {"random": studies.at_random, "grid": studies.on_a_grid},
        n_trials=4,
        repeats=[2, 5],
    )
    assert list(table.columns) == ["problem", "judged", "repeat", "random", "grid"]
    for repeat in (2, 5):
        lowest = min(config["x"] for config in SQUARE.sample(4, seed=repeat))
        rows = table[table["repeat"] == repeat].set_index("judged")
        assert (
            rows.at["as searched", "random"] == lowest and rows.at["fresh", "random"] == 10 + lowest
        )
        # the middle of the first of four cells
        assert rows.at["as searched", "grid"] == pytest.approx(1 / 8)


def test_a_grid_takes_as_many_points_an_axis_as_the_trials_allow():
    [batch] = studies.on_a_grid(KNOWN["Branin"].space, 0, 27, 1)
    assert len(batch) == 25
    [batch] = studies.on_a_grid(space(), 0, 27, 1)
    assert len(batch) == 27


def test_wins_are_counted_by_problem_and_judgement():
    table = pd.DataFrame(
        {
            "problem": ["a"] * 4 + ["b"] * 2,
            "judged": ["as searched", "as searched", "fresh", "fresh"] + ["fresh"] * 2,
            "repeat": [0, 1, 0, 1, 0, 1],
            "by hand": [1, 1, 3, 1, 2, 2],
            "random": [2, 3, 2, 1, 1, 4],
            "grid": [0, 2, 4, 4, 4, 4],
        }
    )
    found = studies.wins(table, "by hand")
    assert found.values.tolist() == [
        ["a", "as searched", 2, 2, 1],
        ["a", "fresh", 2, 0, 2],
        ["b", "fresh", 2, 1, 2],
    ]
    assert list(found.columns) == ["problem", "judged", "repeats", "beats random", "beats grid"]


def test_races_puts_the_problems_one_after_the_other():
    table = studies.races(
        [problem(), studies.known("Branin")], search_by_hand, n_trials=6, repeats=[0, 1]
    )
    assert table["problem"].tolist() == ["line"] * 4 + ["Branin"] * 4
    assert list(table.columns[3:]) == ["by hand", "random", "grid"]


def test_a_crash_is_told_where_the_parameter_is_low_and_judged_as_before():
    crashing = studies.crashing(problem(), "x", share=0.25, loss=7)
    requests = [Request({"x": x}, 1, 0) for x in (0.1, 0.24, 0.26, 0.9)]
    assert crashing.objective(requests) == [7, 7, 0.26, 0.9]
    assert crashing.judge([{"x": 0.1}], [0]) == [10.1]


def test_ways_differ_by_the_arguments_of_the_search():
    def search(space, repeat, n_trials, n_epochs, x=0.5):
        yield [({"x": x}, n_epochs)]

    table = studies.ways(
        problem(), search, {"low": {"x": 0.0}, "high": {"x": 1.0}}, n_trials=3, repeats=range(5)
    )
    assert table.values.tolist() == [["low", 10.0, 5, 0, 5], ["high", 11.0, 0, 0, 5]]
    table = studies.ways(
        problem(), studies.at_random, {"the same": {}}, n_trials=3, repeats=range(5)
    )
    assert table[["beats_random", "level", "repeats"]].values.tolist() == [[0, 5, 5]]


def test_tellings_are_ways_to_be_told():
    def search(space, repeat, n_trials, n_epochs, told):
        yield [({"x": told(4)}, n_epochs)]

    table = studies.tellings(
        problem(), search, {"a": lambda loss: loss / 8, "b": lambda loss: 0.0}, repeats=[1]
    )
    assert table["median_loss"].tolist() == [10.5, 10.0]


def test_a_regret_is_the_distance_from_the_minimum():
    branin = studies.known("Branin")
    config = {"x": np.pi, "y": 2.275}
    assert branin.judge([config], [0]) == pytest.approx([0], abs=1e-5)
    table = further.regrets(search_by_hand, n_trials=7, repeats=[0, 1, 2])
    for row in table.itertuples():
        function, its_space, minimum = KNOWN[row.function]
        drawn = [
            min(map(function, its_space.sample(7, seed=repeat))) - minimum for repeat in (0, 1, 2)
        ]
        assert row.random == pytest.approx(np.median(drawn))
        assert row.repeats == 3 and 0 <= row.beats_random <= 3
        assert row.random_below_1 == sum(regret < 1 for regret in drawn)


def test_coverage_is_everything_for_a_boundless_doubt_and_nothing_for_none():
    def boundless(tried, losses, points):
        return np.zeros(len(points)), np.full(len(points), 1e9)

    def sure_of_too_much(tried, losses, points):
        return np.full(len(points), 1e6), np.zeros(len(points))

    for judged, share in ((boundless, 1), (sure_of_too_much, 0)):
        table = further.coverage(search_by_hand, judged, n_trials=6, n_points=5, repeats=[0, 1])
        assert table["share"].tolist() == [share] * 4
        assert table["problem"].tolist() == ["1 dimension"] * 2 + ["3 dimensions"] * 2


def test_coverage_of_the_curve_by_hand():
    table = further.coverage(search_by_hand, surrogate, n_trials=6, n_points=5, repeats=[3])
    losses = studies.hidden_curve().table(100)["val_loss"].to_numpy()
    tried = np.random.default_rng(3).permutation(101)[:7]
    mean, std = surrogate(tried[:, None] / 100, losses[tried], np.arange(101)[:, None] / 100)
    held = [abs(truth - m) <= 2 * s for truth, m, s in zip(losses, mean, std, strict=True)]
    assert table.at[0, "share"] == pytest.approx(sum(held) / 101)


def fixed_search(space, repeat, n_trials, n_epochs, told):
    """Ask for the same three configurations, whatever is told, and check what is told."""
    configs = [{"lr": lr, "batch_size": 16, "epochs": 20} for lr in (1e-4, 5e-3, 1e-2)]
    losses = yield [(config, n_epochs) for config in configs]
    assert told(losses).shape == (3,)


def test_the_autopsy_reports_what_was_chosen_by_and_judges_it_fresh():
    table = studies.autopsy(fixed_search, n_trials=3, repeats=[0, 1]).set_index("search")
    assert list(table.index) == ["as written", "seeded", "seeded, by loss"]
    found, reported, chosen = {}, [], []
    for draw in (0, 1):
        splits = load_splits("iris", draw=draw)
        found[draw] = [
            fit({"lr": lr, "batch_size": 16}, splits, n_epochs=20, seed=draw)
            for lr in (1e-4, 5e-3, 1e-2)
        ]
        best = int(np.argmin([curve.val_loss[-1] for curve in found[draw]]))
        reported.append(found[draw][best].val_accuracy[-1])
        chosen.append((1e-4, 5e-3, 1e-2)[best])
    row = table.loc["seeded, by loss"]
    assert row["scores"] == 3 and row["tied"] == 1
    assert row["reported"] == pytest.approx(100 * np.mean(reported))
    jobs = [
        ({"lr": lr, "batch_size": 16}, r, r, 20)
        for i, lr in enumerate(chosen)
        for r in range(10_000 + 10 * i, 10_010 + 10 * i)
    ]
    fresh = studies.trained("iris", jobs)[:, 1].reshape(2, 10).mean(axis=1)
    assert row["fresh"] == pytest.approx(100 * fresh.mean())
    a, b = 100 * (np.array(reported) - fresh)  # of two the standard error is half their distance
    assert row["error"] == pytest.approx(abs(a - b) / 2)
    highest = [max(curve.val_accuracy[-1] for curve in found[draw]) for draw in (0, 1)]
    assert table.at["seeded", "reported"] == pytest.approx(100 * np.mean(highest))
    assert (table["optimism"] - (table["reported"] - table["fresh"])).abs().max() < 1e-9
