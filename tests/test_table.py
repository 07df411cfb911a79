"""The testbed's tables hold what training gives, and answer as training would."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from optuna.distributions import FloatDistribution

from hpt_helpers import strategies
from hpt_helpers.classroom.lab import bayes, problems, racing, searches
from hpt_helpers.classroom.lab.trainer import own_draws
from hpt_helpers.classroom.tables import recipes, table
from hpt_helpers.classroom.tables.readings import (
    early_order,
    narrowed,
    random_searches,
    random_winners,
    sobol_shares,
    told_apart,
)
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG, RECIPES, SHIPPED
from hpt_helpers.classroom.tables.table import load_table, table_problem, train_again
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.population import fit_many
from hpt_helpers.search import Request, run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.training import fit
from tools import build_table

STORED = 1e-6  # a table keeps single precision, so that a loss of 1 is right to 6e-8


@pytest.fixture(params=SHIPPED)
def name(request):
    return request.param


# --- what is in a table ---------------------------------------------------------------------------


def test_twenty_entries_trained_anew(name):
    found, recipe = load_table(name), RECIPES[name]
    rng = np.random.default_rng(20)
    positions = rng.integers(len(found.loss), size=20)
    repeats = rng.integers(found.n_repeats, size=20)
    curves = fit_many(
        [found.configs(int(r))[i] for i, r in zip(positions, repeats, strict=True)],
        [load_splits(recipe.data, draw=int(r), n_train=320) for r in repeats],
        n_epochs=27,
        seed=repeats.tolist(),
    )
    at = [epoch - 1 for epoch in found.epochs]
    # Equal in single precision: 80 losses would hardly all be, were they 1e-9 away from these.
    stored = found.loss[positions, repeats, -1].astype(np.float32)
    assert (stored == curves.val_loss[:, at].astype(np.float32)).all()
    accuracy = found.accuracy[positions, repeats, -1]
    assert accuracy == pytest.approx(curves.val_accuracy[:, at], abs=1e-12)


def test_a_learner_can_train_entries_again(name):
    found = load_table(name)
    again = train_again(name, [(5, 1), (len(found.loss) - 1, 2)], found.n_val[0])
    assert (again["difference"] < STORED).all()
    assert (again["in_table"] != again["fresh_in_table"]).all()


def test_a_repeat_has_a_sample_of_the_space_and_all_that_a_grid_asks_for(name):
    recipe, found = RECIPES[name], load_table(name)
    assert found.configs(3)[:1000] == recipe.space.sample(1000, seed=3)
    assert found.has(DEFAULT_CONFIG, 3)
    for axes, n_points in recipe.grids.items():
        space = SearchSpace({axis: recipe.space[axis] for axis in axes})
        points = space.grid(n_points, centred=True)
        assert recipes.grid(recipe, axes) == [DEFAULT_CONFIG | point for point in points]
        assert all(found.has(config, 3) for config in recipes.grid(recipe, axes))


def test_another_way_to_sample_is_noticed(monkeypatch):
    found = replace(load_table("digits"))
    monkeypatch.setattr(recipes, "N_POOL", 999)
    with pytest.raises(ValueError, match="repeat 4 of table 'digits' has another pool"):
        found.configs(4)


def test_judges_of_digits_see_none_of_the_search_s_rows_and_no_test_rows(monkeypatch):
    recipe = RECIPES["digits"]
    searched = load_splits("digits", draw=4, n_train=320, scaled=False)
    hidden = [*searched.X_train.numpy(), *searched.X_val.numpy(), *searched._X_test.numpy()]
    monkeypatch.setattr(recipes, "cut", lambda splits, X, y: X)
    for judge in range(2):
        seen = {row.tobytes() for row in recipes.judge_rows(recipe, 4, judge)}
        assert len(seen) == 1797 - len(hidden)
        assert not seen & {row.tobytes() for row in hidden}


def test_judges_and_repeats_have_rows_of_their_own(name):
    recipe = RECIPES[name]
    rows = [recipes.judge_rows(recipe, repeat, judge) for repeat in (0, 1) for judge in (0, 1)]
    rows.append(recipes.search_rows(recipe, 0))
    assert len({splits.X_train.numpy().tobytes() for splits in rows}) == len(rows)
    assert all(splits.n_train == 320 for splits in rows)


def test_rows_are_scaled_as_load_splits_scales(name):
    data = RECIPES[name].data
    raw = load_splits(data, draw=3, n_train=320, scaled=False)
    ours, theirs = recipes.cut(raw, *raw.search_rows()), load_splits(data, draw=3, n_train=320)
    assert ours.X_train.numpy() == pytest.approx(theirs.X_train.numpy(), abs=1e-12)
    assert ours.X_val.numpy() == pytest.approx(theirs.X_val.numpy(), abs=1e-12)


def test_other_simulated_data_is_the_package_s_where_the_seed_is_7():
    ours = recipes.other_simulated(7, 3)
    X, _ = load_splits("simulated", draw=3).search_rows()
    together = np.concatenate([ours.X_train, ours.X_val])
    # other rows are test rows of the package's, so that only the distribution is the same
    assert together.shape == X.shape
    assert abs(together.mean(axis=0)).max() < 0.3


def test_a_new_split_has_the_rows_that_the_search_has():
    recipe = RECIPES["digits"]
    ours = recipes.search_rows(recipe, 2)
    again = table.resplit(recipe, 2, 100, draw=77)
    assert (again.n_train, again.n_val) == (320, 100)
    labels = [*ours.y_train.tolist(), *ours.y_val[:100].tolist()]
    assert sorted(labels) == sorted([*again.y_train.tolist(), *again.y_val.tolist()])
    assert labels != [*again.y_train.tolist(), *again.y_val.tolist()]


def test_every_finalist_s_training_has_a_split_of_its_own():
    judges = table_problem("digits", 30).measure
    splits = [judges.rows("finalist", 2, draw) for draw in own_draws(2, "finalist", 4)]
    assert len({rows.X_train.numpy().tobytes() for rows in splits}) == 4
    assert len({rows.X_val.numpy().tobytes() for rows in splits}) == 4
    other = judges.rows("finalist", 3, own_draws(2, "finalist", 1)[0])
    assert other.X_train.numpy().tobytes() != splits[0].X_train.numpy().tobytes()


def test_a_feature_that_is_the_same_in_all_training_rows_is_left_as_it_is():
    raw = load_splits("simulated", draw=3, n_train=320, scaled=False)
    X, y = raw.search_rows()
    X = X.copy()
    X[:320, 4] = 7.0
    X[320:, 4] = 9.0
    scaled = recipes.cut(raw, X, y)
    assert (scaled.X_train[:, 4] == 0).all() and (scaled.X_val[:, 4] == 2).all()


def test_changing_what_a_table_hands_out_does_not_change_the_table():
    found = load_table("digits")
    configs = found.configs(0)
    configs[0]["lr"] = 99.0
    del configs[1:]
    assert len(found.configs(0)) == len(found.loss) and found.configs(0)[0]["lr"] != 99.0


@pytest.mark.parametrize("change", ["loss", "about"])
def test_a_damaged_table_is_refused(tmp_path, change):
    with np.load(table.FOLDER / "digits.npz") as file:
        arrays = dict(file)
    if change == "loss":
        arrays["loss"][3, 2, 1, 0] += 1e-3
    else:
        arrays["about"] = np.array(str(arrays["about"]).replace("digits", "figures"))
    path = tmp_path / "digits.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match="checksum"):
        load_table(str(path))


# --- how it answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (Request(DEFAULT_CONFIG | {"lr": 0.0042}, 27, 0), "is not in repeat 0 of table 'digits'"),
        (Request({"lr": 0.001, "batch": 3}, 27, 0), "is not in repeat 0"),
    ],
)
def test_configurations_that_are_not_there_are_refused_and_cost_nothing(request_, reason):
    [outcome] = table_problem("digits", 30).objective([request_])
    assert np.isnan(outcome.val_loss)
    assert reason in outcome.reason
    assert outcome.n_trained == 0


def looked_up(*request):
    return list(table_problem("digits", 30).objective([Request(*request)]))


def measured(purpose, repeat):
    choices = [problems.Chosen(DEFAULT_CONFIG, 27, repeat)]
    return table_problem("digits", 30).measure(choices, purpose, 4, False)


def asking_for(n_epochs):
    def search(space, repeat, n_trials, full):
        yield [(config, 27) for config in space.sample(2, seed=0)]
        yield [(space.sample(1, seed=0)[0], n_epochs)]

    return search


def race_on_digits(search, repeats):
    problem = table_problem("digits", 30)
    return racing.race(problem, {"search": search}, 5, repeats=repeats)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_table("iris"), "allowed are digits, simulated"),
        (lambda: table_problem("digits", 31), r"n_val is 31; table 'digits' has \(30, 100, 360\)"),
        (lambda: table_problem("digits", 30).space(0).sample(1001, seed=0), "n is 1001"),
        (lambda: searches.grid_of(table_problem("digits", 30), ["beta1"]), "have the axes"),
        (lambda: train_again("digits", [(-1, 0)], 30), "position is -1"),
        (lambda: train_again("digits", [(0, 30)], 30), "repeat is 30; .* from 0 to 29"),
        (lambda: train_again("digits", [(0, 0)], 30, n_epochs=5), "n_epochs is 5; .*1, 3, 9, 27"),
        (lambda: load_table("digits").frame(30, 5), "n_epochs is 5"),
        (lambda: random_searches("digits", [30], [9, 1001]), "n_trials is 1001; .* 1 to 1000"),
        (lambda: random_winners("simulated", [30], [0]), "n_trials is 0; .* from 1 to 1000"),
        (lambda: race_on_digits(asking_for(5), [0]), "n_epochs is 5; table 'digits' has"),
        (lambda: race_on_digits(asking_for(27), [29, 30]), "repeat is 30; .* from 0 to 29"),
        (lambda: measured("judge", 30), "repeat is 30; .* from 0 to 29"),
        (lambda: measured("finalist", 30), "repeat is 30; .* from 0 to 29"),
        (lambda: measured("finalist", -1), "repeat is -1; .* from 0 to 29"),
        (lambda: looked_up(DEFAULT_CONFIG, 5, 0), "n_epochs is 5; table 'digits' has"),
        (lambda: looked_up(DEFAULT_CONFIG, 27, 30), "repeat is 30; .* from 0 to 29"),
    ],
)
def test_bad_arguments(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_table_s_grids_are_tried_point_by_point(name):
    problem, recipe = table_problem(name, 30), RECIPES[name]
    assert list(problem.grids) == list(recipe.grids)
    for axes in problem.grids:
        [asked] = searches.grid_of(problem, axes)(problem.space(0), 0, 1, 27)
        assert asked == [(config, 27) for config in recipes.grid(recipe, axes)]


def test_a_search_on_the_table_is_the_search_that_trains():
    looked_up, trained = (table_problem("digits", 100, live=live) for live in (False, True))
    configs = looked_up.space(2).sample(9, seed=3)
    rungs = [(9, 1), (3, 3), (1, 9)]
    tables = [
        run(strategies.successive_halving(configs, rungs), problem.objective, seed=2)
        for problem in (looked_up, trained)
    ]
    assert tables[0]["val_loss"].to_numpy() == pytest.approx(tables[1]["val_loss"], rel=STORED)
    assert tables[0]["charged_epochs"].tolist() == tables[1]["charged_epochs"].tolist()
    assert tables[0]["charged_epochs"].sum() == 9 + 3 * 2 + 6


def test_a_pool_gives_what_a_space_gives():
    space = table_problem("simulated", 30).space(2)
    assert space.sample(40, seed=2) == RECIPES["simulated"].space.sample(40, seed=2)
    few, many = space.sample(5, seed=4), space.sample(1000, seed=4)
    assert many[:5] == few
    assert len({training_key(config) for config in many}) == 1000
    assert few != space.sample(5, seed=5)
    assert all(config in space for config in many)


def test_winners_in_the_table_and_others_have_the_same_judges():
    problem = table_problem("digits", 30)
    found = load_table("digits")
    config = found.configs(1)[7]
    choices = [
        problems.Chosen(config, 3, 1),
        problems.Chosen(config | {"lr": config["lr"] * 1.001}, 3, 1),
    ]
    loss, accuracy = problem.measure(choices, "judge", found.n_judges, False)
    assert loss[0] == found.fresh_loss[7, 1, 1]
    assert accuracy[0] == found.fresh_accuracy[7, 1, 1]
    assert 0 < abs(loss[0] - loss[1]) < 0.01
    with pytest.raises(ValueError, match="n_judges is 99"):
        problem.measure(choices, "judge", 99, False)
    with pytest.raises(ValueError, match="'judge' and 'finalist'"):
        problem.measure(choices, "luck", 4, False)


def test_finalists_are_trained_on_new_splits():
    problem = table_problem("digits", 30)
    choices = [problems.Chosen(load_table("digits").configs(1)[i], 3, 1) for i in (2, 3)]
    loss, accuracy = problem.measure(choices, "finalist", 3, False)
    assert loss.shape == accuracy.shape == (2, 3)
    assert len(np.unique(loss)) == 6


# --- the builder ----------------------------------------------------------------------------------


def test_a_build_keeps_its_pieces(monkeypatch):
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)  # another would not know this recipe
    monkeypatch.setattr(recipes, "N_POOL", 3)
    monkeypatch.setitem(RECIPES, "tiny", RECIPES["digits"]._replace(grids={}))
    built = build_table.build("tiny", n_repeats=2, n_judges=2)
    assert built["loss"].shape == (4, 2, 3, 4)
    assert built["fresh_loss"].shape == (4, 2, 4)
    judged = [recipes.train_piece("tiny", 1, judge)["loss"][:, 0] for judge in (0, 1)]
    assert built["fresh_loss"][:, 1] == pytest.approx(np.mean(judged, axis=0), rel=STORED)
    monkeypatch.setattr(recipes, "train_entries", None)  # whoever trains now, fails
    again = build_table.build("tiny", n_repeats=2, n_judges=2)
    assert all((again[what] == built[what]).all() for what in built)


@pytest.mark.parametrize("name", ["digits", "breast_cancer"])
def test_a_table_with_a_schedule_has_the_same_pools(name):
    plain, scheduled = RECIPES[name], RECIPES[f"{name}_cosine"]
    end = {"cosine_epochs": plain.epochs[-1]}
    assert recipes.pool(scheduled, 2) == [config | end for config in recipes.pool(plain, 2)]
    assert scheduled.epochs == plain.epochs and scheduled.n_val == plain.n_val


def test_a_recipe_s_epochs_are_those_of_its_entries(monkeypatch):
    monkeypatch.setattr(recipes, "N_POOL", 2)
    recipe = RECIPES["breast_cancer_cosine"]
    found = recipes.train_piece("breast_cancer_cosine", 1, 0)["loss"]
    assert found.shape == (3, 1, 5) and recipe.epochs == (1, 3, 9, 27, 81)
    splits, seed = recipes.judge_rows(recipe, 1, 0), recipes.judge_number(1, 0)
    curve = fit(recipes.pool(recipe, 1)[1], splits, n_epochs=81, seed=seed).val_loss
    assert found[1, 0] == pytest.approx(curve[[0, 2, 8, 26, 80]], abs=1e-9)


def test_judges_of_breast_cancer_have_other_draws_of_its_rows_and_no_test_rows():
    recipe = RECIPES["breast_cancer"]
    searched = recipes.search_rows(recipe, 4)
    judged = [recipes.judge_rows(recipe, 4, judge) for judge in (0, 1)]
    assert [(rows.n_train, rows.n_val) for rows in (searched, *judged)] == [(320, 114)] * 3
    assert len({rows.X_val.numpy().tobytes() for rows in (searched, *judged)}) == 3
    assert all((rows._y_test == searched._y_test).all() for rows in judged)


def test_prefixes_of_the_validation_rows(monkeypatch):
    splits = load_splits("digits", draw=1, n_train=320)
    configs = recipes.pool(RECIPES["digits"], 1)[:2]
    found = recipes.train_entries(configs, splits, 5, [30, 360])
    few = replace(splits, X_val=splits.X_val[:30], y_val=splits.y_val[:30])
    curves = fit_many(configs, few, n_epochs=9, seed=5)
    assert found["loss"][:, 0, :3] == pytest.approx(curves.val_loss[:, [0, 2, 8]], abs=1e-9)
    right = found["n_right"][:, 0, :3] / 30
    assert right == pytest.approx(curves.val_accuracy[:, [0, 2, 8]], abs=1e-12)


# --- searches, and shares of variance -------------------------------------------------------------


def test_by_hand_in_six_dimensions_has_a_length_scale_of_one_and_a_half():
    space = table_problem("digits", 30).space(0)
    strategy = searches.by_hand(space, 0, 6, 27)
    first = next(strategy)
    losses = np.linspace(0.5, 0.9, 5)
    [(asked, _)] = strategy.send(losses)
    candidates = space.sample(1000, seed=0)
    assert [config for config, _ in first] == candidates[:5]
    gain = bayes.gains(space.to_unit(candidates), [0, 1, 2, 3, 4], np.log(losses), 1.5)
    assert asked == candidates[gain.argmax()]


@pytest.mark.parametrize(
    ("search", "strategy"),
    [(searches.asha, strategies.asha), (searches.cut_and_learn, strategies.mobster)],
)
def test_searches_that_cut_are_the_package_s_under_the_repeat_s_seed(search, strategy):
    problem = table_problem("simulated", 30)
    raced, alone = (
        run(each, problem.objective, budget=4 * 27, seed=7)[["config", "n_epochs", "val_loss"]]
        for each in (search(problem.space(7), 7, 4, 27), strategy(problem.space(7), 27, seed=7))
    )
    pd.testing.assert_frame_equal(raced, alone)
    assert len(raced) > 30 and set(raced["n_epochs"]) == {1, 3, 9, 27}


def test_hyperband_has_other_configurations_in_every_round():
    space = SearchSpace({"lr": recipes.SETTINGS["lr"]})
    asked = run(
        searches.repeated_hyperband(space, 7, 2, 3), per_trial(lambda config, n: config["lr"])
    )
    rounds = [strategies.hyperband(space, 3, seed=seed) for seed in (7000, 7001)]
    expected = [run(one, per_trial(lambda config, n: config["lr"]))["config"] for one in rounds]
    assert asked["config"].tolist() == [config for one in expected for config in one]
    assert set(map(str, expected[0])).isdisjoint(map(str, expected[1]))


@pytest.mark.parametrize("log", [False, True])
def test_optuna_s_floats_stand_for_every_integer_and_no_other(log):
    space = SearchSpace({"odd": Integer(3, 7, log), "even": Integer(2, 6, log)})
    asked = searches.distributions_for_tpe(space)
    assert asked == {
        "odd": FloatDistribution(2.5, 7.5, log=log),
        "even": FloatDistribution(1.5, 6.5, log=log),
    }
    by_hand = {
        "odd": [(2.5, 3), (3.49, 3), (3.51, 4), (5.0, 5), (6.49, 6), (6.51, 7), (7.5, 7)],
        "even": [(1.5, 2), (2.49, 2), (2.51, 3), (4.0, 4), (5.49, 5), (5.51, 6), (6.5, 6)],
    }
    for (odd, three), (even, two) in zip(*by_hand.values(), strict=True):
        config = searches.config_of_params(space, {"odd": odd, "even": even})
        assert config == {"odd": three, "even": two}
        assert all(type(value) is int for value in config.values())


def test_integers_are_told_apart_to_tpe():
    """Equal ones are sorted otherwise on another processor."""
    space = SearchSpace({"size": Integer(2, 5), "lr": Real(1e-4, 1, log=True)})
    distributions, told = searches.distributions_for_tpe(space), []
    for place in np.linspace(1.5, 5.5, 41):  # where a proposal may lie
        apart = searches._apart(space, {"size": 5, "lr": 0.1, "batch_size": 8}, {"size": place})
        assert apart.keys() == distributions.keys() and apart["lr"] == 0.1
        assert abs(apart["size"] - 5) <= 0.5 and distributions["size"]._contains(apart["size"])
        told.append(apart["size"])
    assert len(set(told[1:11])) == 10


def test_tpe_proposes_configurations_of_the_space():
    space = SearchSpace(
        {
            "lr": Real(1e-4, 1e-2, log=True),
            "hidden_size": Integer(3, 6, log=True),
            "batch_size": Choice([16, 32]),
        }
    )
    strategy = searches.tpe(space, 0, 60, 27)
    asked, loss = [], None
    for _ in range(60):
        [(config, n_epochs)] = strategy.send(loss)
        asked.append(config)
        # the best are at an end, so that what learns proposes it again and again
        loss = np.array([config["hidden_size"] + config["lr"]])
        assert n_epochs == 27
    assert all(config in space for config in asked)
    sizes = [config["hidden_size"] for config in asked]
    assert set(sizes) == {3, 4, 5, 6}
    assert sizes[30:].count(3) > 15


def test_shares_of_variance_of_a_known_function():
    points = np.random.default_rng(0).random((2000, 3))
    a, b, _ = points.T
    values = 2 * a + b + 3 * (a - 0.5) * (b - 0.5)
    shares = sobol_shares(points, values)
    # variances: 4/12, 1/12 and 9/144, of 69/144 in all
    assert shares["alone"].to_numpy() == pytest.approx([48 / 69, 12 / 69, 0], abs=1e-9)
    assert shares["total"].to_numpy() == pytest.approx([57 / 69, 21 / 69, 0], abs=1e-9)
    assert shares["explained"].to_numpy() == pytest.approx([1, 1, 1])


# --- what a table alone can answer ----------------------------------------------------------------


def test_random_search_that_tries_a_whole_pool_finds_its_best():
    found = load_table("simulated")
    row = random_winners("simulated", [30], [1000], n_searches=2).iloc[0]
    losses = found.frame(30).query("position < 1000")
    best = losses.loc[losses.groupby("repeat")["val_loss"].idxmin()]
    assert row["searched"] == pytest.approx(best["val_loss"].median())
    assert row["fresh"] == pytest.approx(best["fresh"].median())
    assert row["accuracy"] == pytest.approx(best["accuracy"].median())


def test_early_order_is_pandas_rank_correlation():
    found = load_table("digits")
    third = early_order("digits", 100).set_index("epoch").loc[3]
    columns = ["repeat", "position"]
    early, late = (
        found.frame(100, n_epochs).query("position < 1000").set_index(columns)["val_loss"]
        for n_epochs in (3, 27)
    )
    both = pd.DataFrame({"early": early, "late": late})
    correlations = [
        part["early"].corr(part["late"], method="spearman")
        for _, part in both.groupby(level="repeat")
    ]
    assert third["rank_correlation"] == pytest.approx(np.mean(correlations))


def test_rows_tell_configurations_apart_as_pandas_says():
    frame = load_table("simulated").frame(30).query("position < 1000")
    of_each = [part for _, part in frame.groupby("repeat")]
    tops = [part.nsmallest(100, "fresh") for part in of_each]
    better = [
        (part["fresh"] < part.loc[part["val_loss"].idxmin(), "fresh"]).sum() for part in of_each
    ]
    correlations = [
        np.mean([part["val_loss"].corr(part["fresh"], method="spearman") for part in parts])
        for parts in (of_each, tops)
    ]
    found = told_apart("simulated", 30)
    assert [found["rank_correlation"], found["among_best"]] == pytest.approx(correlations)
    assert found["better"] == int(np.median(better))


def test_the_narrow_space_is_where_the_best_lie():
    ranges = narrowed("digits")
    for name, p in recipes.NARROW.items():
        whole = RECIPES["digits"].space[name]
        measured = [whole.to_unit(type(p.low)(value)) for value in ranges[name]]
        assert [whole.to_unit(p.low), whole.to_unit(p.high)] == pytest.approx(measured, abs=0.05)


def test_a_frame_has_the_configurations_with_their_losses():
    found = load_table("digits")
    frame = found.frame(30, 9)
    row = frame.query("repeat == 4 and position == 17").iloc[0]
    config = found.configs(4)[17]
    assert {name: row[name] for name in config} == config
    outcome = table_problem("digits", 30).objective([Request(config, 9, 4)])
    assert row["val_loss"] == next(iter(outcome)).val_loss
