"""Lesson 5's measurements, each against plain `fit` or numbers worked out by hand."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from hpt_helpers import strategies
from hpt_helpers.classroom import parallel
from hpt_helpers.classroom.parallel import fit_all
from hpt_helpers.classroom.studies import lesson_05 as studies
from hpt_helpers.classroom.studies import racing
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.training import fit

SPACE = SearchSpace(
    {"lr": Real(1e-3, 0.1, log=True), "batch_size": Integer(32, 64), "hidden_size": Choice([4, 8])}
)
REPEATS = [2, 5]


def at_random(space, repeat, n_trials, n_epochs):
    return strategies.random_search(space, n_trials, n_epochs, seed=repeat)


def band(space, repeat, n_trials, n_epochs):
    return strategies.hyperband(space, n_epochs, seed=repeat)


def alone(config, n_epochs, repeat, seed=None):
    curve = fit(
        config,
        load_splits("iris", draw=repeat),
        n_epochs=n_epochs,
        seed=repeat if seed is None else seed,
    )
    return curve.val_loss[-1], curve.val_accuracy[-1]


@pytest.fixture(scope="module")
def trials():
    return studies.race("iris", SPACE, {"random": at_random, "Hyperband": band}, 3, repeats=REPEATS)


def test_a_space_in_optunas_form_gives_configurations_of_the_space():
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    asked = [study.ask(studies.to_optuna(SPACE)).params for _ in range(200)]
    assert all(config in SPACE for config in asked)
    assert {config["hidden_size"] for config in asked} == {4, 8}
    assert {32, 64} < {config["batch_size"] for config in asked}
    assert 0.3 < np.mean([config["lr"] < 0.01 for config in asked]) < 0.7  # half, in the logarithm


@pytest.mark.parametrize(("R", "total"), [(1, 1), (3, 3 + 2 + 6), (9, 69), (27, 357), (81, 1581)])
def test_a_race_has_the_epochs_of_a_hyperband(R, total):
    assert racing.epochs_of(R) == total


def test_a_race_holds_each_trial_as_trained_alone_on_the_rows_and_seed_of_its_repeat(trials):
    assert trials.groupby(["search", "repeat"]).size().to_dict() == {
        ("random", 2): 3,
        ("random", 5): 3,
        ("Hyperband", 2): 6,
        ("Hyperband", 5): 6,
    }
    for row in trials.itertuples():
        assert row.val_loss == pytest.approx(
            alone(json.loads(row.config), row.n_epochs, row.repeat)[0], abs=1e-9
        )
    drawn = [training_key(config) for config in SPACE.sample(3, seed=5)]
    assert trials.query("search == 'random' and repeat == 5")["config"].tolist() == drawn
    spent = trials.query("search == 'Hyperband' and repeat == 2")["spent"].tolist()
    assert spent == [1, 2, 3, 5, 8, 11]  # three to epoch 1, the best on to 3, then two to 3


def test_an_interrupted_search_leaves_nothing_in_the_cache(trials, monkeypatch, tmp_path):
    """Its repeats would stand in it, some of them cut short, for good.

    A search that had ended may stand in it.
    """
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path))
    searches = {"random": at_random, "Hyperband": band}
    with monkeypatch.context() as patch:
        patch.setattr(parallel, "_has_second_processor", lambda: False)
        asked = []

        def interrupted(objective, requests):
            asked.append(requests)
            if len(asked) == 3:  # in the middle of the first bracket of the first half's Hyperband
                raise KeyboardInterrupt
            yield from TrainingObjective.__call__(objective, requests)

        patch.setattr(racing.TrainingOfRepeats, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            studies.race("iris", SPACE, searches, 3, repeats=REPEATS)
    assert len(list(tmp_path.iterdir())) == 2  # both halves of random search
    pd.testing.assert_frame_equal(studies.race("iris", SPACE, searches, 3, repeats=REPEATS), trials)


def test_another_source_of_a_search_is_another_race(trials):
    def at_random(space, repeat, n_trials, n_epochs):
        return strategies.random_search(space, n_trials, n_epochs, seed=repeat + 1)

    other = studies.race("iris", SPACE, {"random": at_random}, 3, repeats=REPEATS)
    assert other["config"].tolist() != trials.query("search == 'random'")["config"].tolist()


def test_a_search_that_was_raced_before_is_not_run_again(trials, monkeypatch):
    monkeypatch.setattr(racing, "run_whole", None)
    alone = studies.race("iris", SPACE, {"the second": band}, 3, repeats=REPEATS)
    before = trials.query("search == 'Hyperband'").reset_index(drop=True)
    pd.testing.assert_frame_equal(alone.drop(columns="search"), before.drop(columns="search"))


def test_what_was_trained_is_not_trained_again(monkeypatch):
    configs = [training_key({"lr": lr, "batch_size": 16}) for lr in (0.01, 0.02, 0.03)]
    jobs = [(config, 5) for config in configs]
    loss, accuracy = racing.trained("iris", jobs[:2], 2)
    monkeypatch.setattr(
        racing, "fit_all", lambda new, *args, **options: fit_all(new[:1], *args, **options)
    )
    again, accuracies = racing.trained("iris", jobs, 2)  # one was left to train
    assert (again[:2] == loss).all() and (accuracies[:2] == accuracy).all()
    assert again[2, -1] == pytest.approx(alone({"lr": 0.03, "batch_size": 16}, 2, 5)[0], abs=1e-9)


def test_no_search_trains_more_than_the_budget():
    def greedy(space, repeat, n_trials, n_epochs):
        return strategies.random_search(space, 10, n_epochs, seed=repeat)

    trials = studies.race("iris", SPACE, {"greedy": greedy}, 3, repeats=[2])
    assert trials["spent"].tolist() == [3, 6, 9]  # of 11


def test_a_trial_of_three_draws_has_their_mean_loss_and_costs_three_times_as_much(trials):
    once = trials.query("search == 'random'")
    found = studies.race("iris", SPACE, {"random": at_random}, 3, repeats=REPEATS, n_draws=3)
    assert found["config"].tolist() == once["config"].tolist()
    assert found["spent"].tolist() == (3 * once["spent"]).tolist()
    for row in found.itertuples():
        draws = [row.repeat, 5001 + 10 * row.repeat, 5002 + 10 * row.repeat]
        losses = [alone(json.loads(row.config), row.n_epochs, draw)[0] for draw in draws]
        assert row.val_loss == pytest.approx(np.mean(losses), abs=1e-9)


def made_up(*rows):
    columns = ["data", "search", "repeat", "config", "n_epochs", "spent", "val_loss"]
    return pd.DataFrame([("iris", *row) for row in rows], columns=columns)


def test_winners_by_hand():
    table = made_up(
        ("b", 0, "x", 3, 3, 0.5),
        ("b", 0, "x", 9, 9, 0.2),
        ("b", 0, "y", 3, 12, 0.2),
        ("b", 0, "z", 9, 21, 0.4),
        ("a", 0, "u", 9, 9, 0.7),
        ("a", 1, "v", 9, 9, 0.1),
        ("b", 1, "w", 9, 9, 0.9),
    )
    won = racing.winners(table)
    found = won[["search", "repeat", "config", "n_epochs", "losses", "epochs"]].to_numpy().tolist()
    assert found == [
        ["b", 0, "y", 3, 4, 21],
        ["b", 1, "w", 9, 1, 9],
        ["a", 0, "u", 9, 1, 9],
        ["a", 1, "v", 9, 1, 9],
    ]
    two = racing.winners(table, 2)
    assert two.query("search == 'b' and repeat == 0")[
        ["config", "val_loss"]
    ].to_numpy().tolist() == [["y", 0.2], ["x", 0.2]]
    assert racing.winners(table, 9).query("repeat == 0")["config"].tolist() == ["y", "x", "z", "u"]


def test_a_winner_is_judged_at_its_own_epoch_and_in_full_on_repeats_that_did_not_choose(trials):
    judged = studies.judged(trials, judges=[7, 8])
    lowest = trials.groupby(["search", "repeat"])["val_loss"].min()
    for row in judged.itertuples():
        config = json.loads(row.config)
        fresh = [alone(config, row.n_epochs, judge) for judge in (7, 8)]
        assert row.val_loss == lowest[row.search, row.repeat]
        assert (row.fresh, row.accuracy) == pytest.approx(tuple(np.mean(fresh, axis=0)), abs=1e-9)
        assert row.in_full == pytest.approx(
            np.mean([alone(config, 3, judge)[0] for judge in (7, 8)]), abs=1e-9
        )
    assert not set(studies.JUDGES) & set(range(200))


def test_finalists_are_trained_on_draws_of_their_own(trials):
    again = studies.retrained(trials, 2, 3)
    assert len(again) == 2 * 2 * 2 and list(again.columns) == list(trials.columns)
    for row in again.itertuples():
        losses = [
            alone(json.loads(row.config), row.n_epochs, 2000 + 10 * row.repeat + k)[0]
            for k in range(3)
        ]
        assert row.val_loss == pytest.approx(np.mean(losses), abs=1e-9)
    assert again.query("search == 'random'")["spent"].tolist() == [9 + 2 * 3 * 3] * 4


def verdict_table():
    """Two searches in four repeats; only the losses and what `explained` looks at matter."""
    configs = [json.dumps({"lr": lr}) for lr in (0.01, 0.02, 0.04, 0.1)]
    rows = []
    for label, searched, fresh, n_epochs in (
        ("random", [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 2.0, 1.0], 9),
        ("other", [0.5, 0.5, 2.0, 0.5], [2.0, 2.0, 4.0, 0.5], 3),
    ):
        for repeat, values in enumerate(zip(configs, searched, fresh, strict=True)):
            config, val_loss, loss = values
            rows.append(
                ("iris", label, repeat, config, n_epochs, 9, 4, 30, val_loss, loss, 3 * loss, 0.9)
            )
    columns = [
        "data",
        "search",
        "repeat",
        "config",
        "n_epochs",
        "spent",
        "losses",
        "epochs",
        "val_loss",
        "fresh",
        "in_full",
        "accuracy",
    ]
    return pd.DataFrame(rows, columns=columns)


def test_a_comparison_in_pairs_by_hand():
    table = studies.against(verdict_table()).set_index("verdict")
    assert table["wins"].to_dict() == {"as searched": 3, "fresh": 1, "fresh, in full": 1}
    assert table["of"].tolist() == [4] * 3 and table["search"].tolist() == ["other"] * 3
    # (1/2)³ · 2, and 2³ / 2, to the 1/4
    assert table["ratio"].tolist() == pytest.approx([2**-0.5, 2**0.5, 2**0.5])
    assert (table["low"] <= table["ratio"]).all() and (table["ratio"] <= table["high"]).all()
    [wide] = studies.wins({"iris": verdict_table()}).to_dict("records")
    assert wide == {
        "race": "iris",
        "search": "other",
        "as searched": 3,
        "fresh": 1,
        "fresh, in full": 1,
        "of": 4,
    }


def test_a_bootstrap_interval_is_near_scipys():
    values = np.random.default_rng(3).exponential(size=40)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert studies.bootstrap(values) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert studies.bootstrap([2.0] * 5) == (2.0, 2.0)


def test_what_explains_a_race_by_hand():
    table = studies.explained(verdict_table(), {"other": 1}).set_index("search")
    assert table.loc["other"].to_dict() == pytest.approx(
        {
            "epochs": 30,
            "losses": 4,
            "guided": 3,
            "lr": 0.03,
            "won_early": 4,
            "searched": 0.5,
            "fresh": 2.0,
        }
    )
    assert table.loc["random", ["guided", "won_early"]].tolist() == [0, 0]


def test_what_a_search_finds_among_equal_trials():
    config = {"lr": 0.05, "batch_size": 64}
    table = studies.looking(config, "iris", 2, [1, 3], repeats=REPEATS)
    losses = np.array(
        [
            [alone(config, 2, r, studies.LUCK + 3 * i + k)[0] for k in range(3)]
            for i, r in enumerate(REPEATS)
        ]
    )
    assert table["lowest"].tolist() == pytest.approx(
        [np.median(losses[:, 0]), np.median(losses.min(axis=1))], abs=1e-9
    )
    assert table["worth"].tolist() == pytest.approx([np.median(losses)] * 2, abs=1e-9)


def test_repairs_are_counted_against_the_other_search_after_the_same_one_or_else_as_it_was():
    plain = verdict_table()
    better = plain.assign(fresh=plain["fresh"] * [1, 1, 1, 1, 0.4, 0.4, 0.4, 4], epochs=50)
    for_both = plain.assign(fresh=plain["fresh"] * [0.1, 1, 1, 1, 0.4, 0.4, 0.4, 4])
    alone = better[better["search"] != "random"]
    table = studies.repairs({"as it is": plain, "mended": better, "alone": alone, "both": for_both})
    assert table["repair"].tolist() == ["as it is"] * 2 + ["mended"] * 2 + ["alone"] + ["both"] * 2
    assert table["beats_random"].tolist() == ["", 1, "", 3, 3, "", 2]
    assert table["better"].tolist() == [0, 0, 0, 3, 3, 1, 3] and table["worse"].tolist() == [
        0,
        0,
        0,
        1,
        1,
        0,
        1,
    ]
    assert table["epochs"].tolist() == [30, 30, 50, 50, 50, 30, 30]
    assert table["fresh"].tolist() == pytest.approx([1.0, 2.0, 1.0, 1.2, 1.2, 1.0, 1.2])


def test_the_wins_needed_are_those_of_the_sign_test():
    for row in studies.power([5, 10, 20, 39, 40, 200]).to_dict("records"):
        n, needed = row["repeats"], row["wins_needed"]
        if needed <= n:
            assert stats.binomtest(needed, n).pvalue <= 0.05
        assert stats.binomtest(needed - 1, n).pvalue > 0.05
        assert row["found if P = 0.75"] == pytest.approx(
            1 - stats.binom.cdf(needed - 1, n, 0.75), abs=1e-12
        )


def test_what_tuning_is_worth_beside_the_default():
    table = verdict_table().assign(n_epochs=2)
    default = {"lr": 0.001, "batch_size": 32}
    table.attrs["judges"] = [1003, 1004]
    found = studies.worth([table], {"default": default}, ["other"]).set_index("choice")
    scores = np.mean([alone(default, 2, judge) for judge in (1003, 1004)], axis=0)
    assert found.loc["default", ["loss", "accuracy"]].tolist() == pytest.approx(
        [scores[0], 100 * scores[1]], abs=1e-9
    )
    assert found.loc["other", ["loss", "accuracy"]].tolist() == pytest.approx([2.125, 90.0])
    interval = wilson_interval(27, 30)
    assert found.loc["other", "half_width"] == pytest.approx(50 * (interval.high - interval.low))
