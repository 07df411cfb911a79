"""Lesson 5's measurements, each against plain `fit` or numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.studies import lesson_05 as studies
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.training import fit

SPACE = SearchSpace(
    {"lr": Real(1e-3, 0.1, log=True), "batch_size": Integer(32, 64), "hidden_size": Choice([4, 8])}
)


def judged():
    """Two searches in four repeats, as `lab.judge` returns them."""
    rows = []
    for label, searched, fresh, n_epochs in (
        ("random", [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 1.0], 9),
        ("other", [0.5, 0.5, 2.0, 0.5], [2.0, 2.0, 4.0, 0.5], 3),
    ):
        for repeat, lr in enumerate((0.01, 0.02, 0.04, 0.1)):
            losses = searched[repeat], fresh[repeat], 3 * fresh[repeat]
            rows.append((label, repeat, {"lr": lr}, n_epochs, 4, 30, *losses, 0.9))
    columns = ["search", "repeat", "config", "n_epochs", "looks", "epochs"]
    return pd.DataFrame(rows, columns=[*columns, "val_loss", "fresh", "in_full", "accuracy"])


def test_a_space_in_optunas_form_gives_configurations_of_the_space():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    asked = [study.ask(studies.to_optuna(SPACE)).params for _ in range(200)]
    assert all(config in SPACE for config in asked)
    assert {config["hidden_size"] for config in asked} == {4, 8}
    assert {32, 64} < {config["batch_size"] for config in asked}
    assert 0.3 < np.mean([config["lr"] < 0.01 for config in asked]) < 0.7  # half, in the logarithm


def test_comparisons_by_verdict_by_hand():
    table = studies.compare_by_verdict(judged()).set_index("verdict")
    assert table["wins"].to_dict() == {"as searched": 3, "fresh": 1, "fresh, in full": 1}
    # (1/2)³ · 2, and 2³ / 2, to the 1/4
    assert table["ratio"].tolist() == pytest.approx([2**-0.5, 2**0.5, 2**0.5])
    [wide] = studies.wins_by_verdict({"iris": judged()}).to_dict("records")
    assert wide == {"race": "iris", "search": "other"} | table["wins"].to_dict() | {"of": 4}


def test_where_winners_lie_by_hand():
    table = studies.where_winners_lie(judged(), {"other": 1}).set_index("search")
    expected = {"epochs": 30, "looks": 4, "guided": 3, "lr": 0.03, "won_early": 4}
    expected |= {"searched": 0.5, "fresh": 2.0}
    assert table.loc["other"].to_dict() == pytest.approx(expected)
    assert table.loc["random", ["guided", "won_early"]].tolist() == [0, 0]


def test_what_a_search_finds_among_equal_trials():
    config, repeats = {"lr": 0.05, "batch_size": 64}, [2, 5]
    table = studies.lowest_of_equals(config, "iris", 2, [1, 3], repeats=repeats)
    losses = [
        [
            fit(config, load_splits("iris", draw=r), n_epochs=2, seed=seed).val_loss[-1]
            for seed in lab.own_draws(r, "luck", 3)
        ]
        for r in repeats
    ]
    lowest = [np.median([row[0] for row in losses]), np.median([min(row) for row in losses])]
    assert table["lowest"].tolist() == pytest.approx(lowest, abs=1e-9)
    assert table["worth"].tolist() == pytest.approx([np.median(losses)] * 2, abs=1e-9)


def test_repairs_are_counted_against_the_other_search_after_the_same_one_or_else_as_it_was():
    plain = judged()
    better = plain.assign(fresh=plain["fresh"] * [1, 1, 1, 1, 0.4, 0.4, 0.4, 4], epochs=50)
    for_both = plain.assign(fresh=plain["fresh"] * [0.1, 1, 1, 1, 0.4, 0.4, 0.4, 4])
    alone = better[better["search"] != "random"]
    table = studies.compare_repairs(
        {"as it is": plain, "mended": better, "alone": alone, "both": for_both}
    )
    assert table["repair"].tolist() == ["as it is"] * 2 + ["mended"] * 2 + ["alone"] + ["both"] * 2
    assert table["beats_random"].tolist() == ["", 1, "", 3, 3, "", 2]
    assert table["better"].tolist() == [0, 0, 0, 3, 3, 1, 3]
    assert table["worse"].tolist() == [0, 0, 0, 1, 1, 0, 1]
    assert table["epochs"].tolist() == [30, 30, 50, 50, 50, 30, 30]
    assert table["fresh"].tolist() == pytest.approx([1.0, 2.0, 1.0, 1.2, 1.2, 1.0, 1.2])


def test_the_wins_needed_are_those_of_the_sign_test():
    for row in studies.power_of_sign_test([5, 10, 20, 39, 40, 200]).to_dict("records"):
        n, needed = row["repeats"], row["wins_needed"]
        if needed <= n:
            assert stats.binomtest(needed, n).pvalue <= 0.05
        assert stats.binomtest(needed - 1, n).pvalue > 0.05
        found = 1 - stats.binom.cdf(needed - 1, n, 0.75)
        assert row["found if P = 0.75"] == pytest.approx(found, abs=1e-12)


def test_what_tuning_is_worth_beside_the_default():
    default, problem = {"lr": 0.001, "batch_size": 32}, lab.network_problem("iris", SPACE, 2)
    found = studies.worth_of_tuning([(problem, judged())], {"default": default}, ["other"], 2)
    found = found.set_index("choice")
    judges = [draw for repeat in range(4) for draw in lab.own_draws(repeat, "judge", 2)]
    curves = [
        fit(default, load_splits("iris", draw=judge), n_epochs=2, seed=judge) for judge in judges
    ]
    loss = np.mean([curve.val_loss[-1] for curve in curves])
    accuracy = 100 * np.mean([curve.val_accuracy[-1] for curve in curves])
    assert found.loc["default", ["loss", "accuracy"]].tolist() == pytest.approx(
        [loss, accuracy], abs=1e-9
    )
    assert found.loc["other", ["loss", "accuracy"]].tolist() == pytest.approx([2.125, 90.0])
    interval = wilson_interval(27, 30)
    assert found.loc["other", "half_width"] == pytest.approx(50 * (interval.high - interval.low))
