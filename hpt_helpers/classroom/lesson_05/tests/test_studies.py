"""Lesson 5's measurements, each against plain `fit`, a table or numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hpt_helpers.classroom.lab import racing, searches, trainer
from hpt_helpers.classroom.lesson_05 import studies
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.training import fit

FEW = range(2)


def winners():
    """Two searches in four repeats of one world, as `judged` returns them."""
    rows = []
    for label, searched, fresh in (
        ("random", [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 1.0]),
        ("other", [0.5, 0.5, 2.0, 0.5], [2.0, 2.0, 4.0, 0.5]),
    ):
        for repeat in range(4):
            rows.append(("here", label, repeat, searched[repeat], fresh[repeat], 0.9))
    return pd.DataFrame(
        rows, columns=["world", "search", "repeat", "val_loss", "fresh", "accuracy"]
    )


@pytest.fixture(scope="module")
def raced():
    worlds = {"iris": studies.iris(), "digits": table_problem("digits", 30)}
    return worlds, studies.trials_in(
        worlds, {"random": searches.at_random}, n_trials=3, repeats=FEW
    )


def test_a_race_is_run_in_each_world(raced):
    _, trials = raced
    assert trials.groupby("world", sort=False).size().to_dict() == {"iris": 6, "digits": 6}
    assert trials["trainings"].tolist() == [1, 2, 3] * 4


def test_searches_on_iris_draw_from_the_pool_of_their_repeat(raced):
    _, trials = raced
    first = trials.query("world == 'iris' and repeat == 1")["config"].tolist()
    assert first == studies.IRIS.sample(3, seed=1)
    splits = load_splits("iris", draw=1)
    loss = fit(first[0], splits, n_epochs=27, seed=1).val_loss[-1]
    assert trials.query("world == 'iris' and repeat == 1")["val_loss"].iloc[0] == pytest.approx(
        loss, abs=1e-9
    )


def test_grids_take_part_where_one_is_there(raced):
    worlds, trials = raced
    worlds = worlds | {"simulated": table_problem("simulated", 10)}
    found = studies.with_grids(worlds, trials, repeats=FEW)
    grids = found[found["search"] == "grid"]
    assert grids.groupby("world").size().to_dict() == {"iris": 2 * 40, "digits": 2 * 64}
    assert grids.groupby("world")["trainings"].max().to_dict() == {"iris": 40, "digits": 64}


def test_winners_are_judged_by_each_world_s_judges(raced):
    worlds, trials = raced
    judged = studies.judged_in(worlds, trials)
    assert [problem.n_judges for problem in worlds.values()] == [20, 4]
    row = judged.query("world == 'digits' and repeat == 1").iloc[0]
    table = load_table("digits")
    assert row["fresh"] == table.fresh_loss[table.entry(row["config"], 27, 1)]


def test_verdicts_by_hand():
    table = studies.verdicts(winners()).set_index("verdict")
    assert table["wins"].to_dict() == {"as searched": 3, "fresh": 1}
    # (1/2)³ · 2, and 2³ / 2, to the 1/4
    assert table["ratio"].tolist() == pytest.approx([2**-0.5, 2**0.5])


def test_the_dial_counts_wins_as_searched_and_fresh():
    some = {"random": searches.at_random, "other": studies.random_of(6)}
    [row] = studies.dial(some, [30], name="digits", repeats=FEW).to_dict("records")
    worlds = {"": table_problem("digits", 30)}
    found = studies.verdicts(
        studies.judged_in(worlds, studies.trials_in(worlds, some, repeats=FEW))
    )
    wins = found.set_index("verdict")["wins"]
    assert row == {"validation_rows": 30, "other": f"{wins['as searched']} → {wins['fresh']}"}


def test_the_ten_best_are_trained_again_on_another_split():
    problem = studies.iris()
    best = studies.best_again({"iris": problem}, repeats=[3])
    trials = racing.trials_of(problem, {"random": searches.at_random}, n_trials=40, repeats=[3])
    ten = trials.sort_values("val_loss").head(10)
    [draw] = trainer.own_draws(3, "finalist", 1)
    splits = load_splits("iris", draw=draw)
    again = [fit(c, splits, n_epochs=27, seed=draw).val_loss[-1] for c in ten["config"]]
    searched = (best["searched"] + ten["val_loss"].mean()).tolist()
    assert searched == pytest.approx(ten["val_loss"].tolist())
    assert (best["again"] + np.mean(again)).tolist() == pytest.approx(again, abs=1e-9)
    tau = stats.kendalltau(ten["val_loss"], again).statistic
    assert best["in_order"].tolist() == pytest.approx([(1 + tau) / 2] * 10)


def test_what_pays_counts_against_random_search():
    worlds = {"here": studies.iris()}
    table = studies.what_pays(worlds, searches.by_hand, more_rows=worlds, repeats=FEW)
    counts = table.set_index("way")["here"]
    assert counts["ten times as many rows"] == "0 : 0"  # with as many rows, the same winners
    assert table["trainings"].tolist() == [50, 50, 40, 40, 50]
    trials = studies.trials_in(worlds, {"learned": searches.by_hand}, repeats=FEW)
    plain = studies.trials_in(worlds, {"random": searches.at_random}, repeats=FEW)
    learned, random = (studies.judged_in(worlds, t)["fresh"] for t in (trials, plain))
    assert counts["a search that learns"] == f"{(learned < random).sum()} : " + str(
        (learned > random).sum()
    )


def test_a_budget_s_counts_are_of_fresh_losses():
    worlds = {"digits": table_problem("digits", 30)}
    some = {"random": searches.at_random, "hyperband": searches.repeated_hyperband}
    [row] = studies.budgets(worlds, some, [5], repeats=FEW).to_dict("records")
    judged = studies.judged_in(worlds, studies.trials_in(worlds, some, n_trials=5, repeats=FEW))
    wide = judged.pivot(index="repeat", columns="search", values="fresh")
    better, worse = ((sign * (wide["hyperband"] - wide["random"]) < 0).sum() for sign in (1, -1))
    assert row == {"trainings": 5, "hyperband": f"{better} : {worse}"}


def test_what_tuning_is_worth_beside_the_default():
    problem, some = table_problem("digits", 30), winners()
    table = studies.worth_of_tuning(problem, some, {"default": DEFAULT_CONFIG})
    found = table.set_index("choice")
    fresh = load_table("digits").frame(30).query("position == 1000 and repeat < 4")
    assert found.loc["default", "loss"] == pytest.approx(fresh["fresh"].mean())
    assert found.loc["default", "accuracy"] == pytest.approx(100 * fresh["accuracy"].mean())
    assert found.loc["other", ["loss", "accuracy"]].tolist() == pytest.approx([2.125, 90.0])
    interval = wilson_interval(324, 360)
    assert found.loc["other", "half_width"] == pytest.approx(50 * (interval.high - interval.low))


def test_what_a_search_finds_among_equal_trials():
    config, repeats = {"lr": 0.05, "batch_size": 64}, [2, 5]
    table = studies.lowest_of_equals(config, "iris", 2, [1, 3], repeats=repeats)
    losses = [
        [
            fit(config, load_splits("iris", draw=r), n_epochs=2, seed=seed).val_loss[-1]
            for seed in trainer.own_draws(r, "luck", 3)
        ]
        for r in repeats
    ]
    lowest = [np.median([row[0] for row in losses]), np.median([min(row) for row in losses])]
    assert table["lowest"].tolist() == pytest.approx(lowest, abs=1e-9)
    assert table["median"].tolist() == pytest.approx([np.median(losses)] * 2, abs=1e-9)


def test_the_wins_needed_are_those_of_the_sign_test():
    for row in studies.power_of_sign_test([5, 10, 20, 39, 40, 200]).to_dict("records"):
        n, needed = row["repeats"], row["wins_needed"]
        if needed <= n:
            assert stats.binomtest(needed, n).pvalue <= 0.05
        assert stats.binomtest(needed - 1, n).pvalue > 0.05
        found = 1 - stats.binom.cdf(needed - 1, n, 0.75)
        assert row["found if P = 0.75"] == pytest.approx(found, abs=1e-12)
