"""The measurements of lesson 3 against single trainings, counts and numbers worked out by hand."""

from functools import partial

import numpy as np
import pytest

from hpt_helpers.classroom.lab import problems, racing, trainer
from hpt_helpers.classroom.lab.bayes import search_by_hand, surrogate
from hpt_helpers.classroom.lab.known_functions import KNOWN
from hpt_helpers.classroom.lab.problems import Chosen
from hpt_helpers.classroom.lab.searches import at_random
from hpt_helpers.classroom.lesson_03 import further, studies
from hpt_helpers.classroom.lesson_03.photograph import photograph, space
from hpt_helpers.classroom.tables.table import load_table
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


def test_a_surrogate_that_is_not_scikit_learns_is_found_out():
    curve = studies.hidden_curve()
    assert studies.same_as_scikit_learn(surrogate, curve, [10, 50, 90])
    assert not studies.same_as_scikit_learn(partial(surrogate, scale=0.31), curve, [10, 50, 90])


# --- problems -------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_val", [300, 10])
def test_the_flower_is_searched_on_validation_and_judged_on_test_pixels(n_val):
    flower = studies.flower(n_val)
    assert flower.name == f"flower, {n_val} pixels" and dict(flower.space(4)) == dict(space(4))
    assert flower.objective([Request(CONFIG, 1, 4)]) == [photograph(4, n_val=n_val).loss(CONFIG)]
    losses, accuracies = flower.measure([Chosen(CONFIG, 1, 4), Chosen(CONFIG, 1, 5)], "judge", 3, 0)
    expected = [[photograph(repeat).test_loss(CONFIG)] * 3 for repeat in (4, 5)]
    assert losses.tolist() == expected and np.isnan(accuracies).all()


SQUARE = SearchSpace({"x": Real(0, 1)})


def square(repeat):
    return SQUARE


def value_of_x(requests):
    return [request.config["x"] for request in requests]


def ten_more(choices, purpose, n, progress):
    losses = np.array([[10 + choice.config["x"]] * n for choice in choices])
    return losses, np.zeros_like(losses)


LINE = problems.Problem(
    "line", square, value_of_x, ten_more
)  # judged by another function than searched


def test_a_crash_is_told_where_the_parameter_is_low_and_judged_as_before():
    crashing = further.crashing(LINE, "x", share=0.25, loss=7)
    requests = [Request({"x": x}, 1, 0) for x in (0.1, 0.24, 0.26, 0.9)]
    assert crashing.objective(requests) == [7, 7, 0.26, 0.9]
    assert crashing.measure([Chosen({"x": 0.1}, 1, 0)], "judge", 1, False)[0] == 10.1


# --- races ----------------------------------------------------------------------------------------


def test_a_race_has_the_lowest_loss_met_and_the_judgement_of_that_trial():
    found = racing.race(LINE, {"random": at_random}, n_trials=4, repeats=[2, 5])
    lowest = [min(config["x"] for config in SQUARE.sample(4, seed=r)) for r in (2, 5)]
    assert found["val_loss"].tolist() == lowest
    assert found["fresh"].tolist() == pytest.approx([10 + x for x in lowest])


def at_x(space, repeat, n_trials, n_epochs, told):
    yield [({"x": told(4)}, n_epochs)]


def test_tellings_differ_by_what_the_search_is_told():
    told = {"low": lambda loss: loss - 4.0, "high": lambda loss: 1.0}
    table = further.tellings(LINE, at_x, told, n_trials=3, repeats=range(5))
    assert table.values.tolist() == [["low", 10.0, 5, 0, 0], ["high", 11.0, 0, 0, 5]]


def test_a_regret_is_the_distance_from_the_minimum():
    choice = Chosen({"x": np.pi, "y": 2.275}, 1, 0)
    losses, _ = further.known("Branin").measure([choice], "judge", 1, False)
    assert losses == pytest.approx(0, abs=1e-5)
    table = further.regrets(search_by_hand, n_trials=7, repeats=range(3))
    for row in table.itertuples():
        function, its_space, minimum = KNOWN[row.function]
        drawn = [min(map(function, its_space.sample(7, seed=r))) - minimum for r in range(3)]
        assert row.random == pytest.approx(np.median(drawn)) and row.repeats == 3
        assert row.random_below_1 == sum(regret < 1 for regret in drawn)


# --- on the tables --------------------------------------------------------------------------------

DIGITS, LAST = load_table("digits"), -1


def pool_of(repeat):
    return DIGITS.loss[:1000, repeat, DIGITS.rows(360), LAST]


def first_of_the_pool(space, repeat, n_trials, n_epochs):
    yield [(config, n_epochs) for config in space.sample(n_trials, seed=repeat)]


def best_of_the_pool(space, repeat, n_trials, n_epochs):
    yield [(space.sample(1000, seed=repeat)[pool_of(repeat).argmin()], n_epochs)]


def test_worth_by_trials_judges_the_winner_of_the_first_five_then_ten_and_so_on():
    table = studies.worth_by_trials({"a": (first_of_the_pool, 21), "b": (first_of_the_pool, 5)})
    assert table.groupby("search")["trials"].unique().map(list).to_dict() == {
        "a": [5, 10, 20],
        "b": [5],
    }
    rows = table[table["repeat"] == 7].set_index(["search", "trials"])
    for n in (5, 10, 20):
        best = pool_of(7)[:n].argmin()
        assert rows.loc[("a", n), "fresh loss"] == DIGITS.fresh_loss[best, 7, LAST]
        assert rows.loc[("a", n), "accuracy"] == DIGITS.fresh_accuracy[best, 7, LAST]


def test_the_best_is_found_by_who_tries_it():
    assert studies.found_the_best(best_of_the_pool, n_trials=1) == 30
    lucky = sum(pool_of(repeat)[:40].argmin() == pool_of(repeat).argmin() for repeat in range(30))
    assert studies.found_the_best(first_of_the_pool) == lucky


def test_the_choice_on_digits_is_the_trial_of_the_lowest_loss():
    expected = DIGITS.configs(3)[int(pool_of(3)[:40].argmin())]
    assert studies.choice_on_digits(first_of_the_pool, 3) == expected


def test_differences_are_of_what_is_worth_most_and_luck_is_what_rows_and_seeds_add():
    table = studies.differences_and_luck()
    assert table["n_val"].tolist() == [360, 100, 30, 2000, 300, 100, 30, 10]
    luck = table.groupby("data", sort=False)["luck"]
    assert luck.apply(lambda values: values.is_monotonic_increasing).all()
    spreads, misses = [], []
    for repeat in range(30):
        best = np.argsort(DIGITS.fresh_loss[:1000, repeat, LAST])[:100]
        fresh = np.log(DIGITS.fresh_loss[best, repeat, LAST])
        spreads.append(fresh.std())
        misses.append((np.log(pool_of(repeat)[best]) - fresh).std())
    assert table.loc[0, "differences"] == pytest.approx(100 * np.mean(spreads))
    assert table.loc[0, "luck"] == pytest.approx(100 * np.mean(misses))


def test_who_tries_the_best_of_the_pool_leads_as_searched():
    table = studies.leads(first_of_the_pool)
    # the same trials as at random
    assert (table[["as_searched", "fresh", "fresh_worse"]] == 0).all(axis=None)


def test_a_winner_by_the_mean_of_another_surrogate_is_another_trial():
    def upside_down(tried, losses, points):
        return -losses, None

    def as_it_is(tried, losses, points):
        return losses, None

    same = further.chosen_by_mean(first_of_the_pool, as_it_is, n_trials=10)
    assert (same[["better", "level", "worse"]] == [0, 30, 0]).all(axis=None)
    worst = further.chosen_by_mean(first_of_the_pool, upside_down, n_trials=10)
    assert (worst["worse"] > 25).all() and len(worst) == 8


def test_scales_say_when_the_winner_was_found():
    def whatever_the_scale(space, repeat, n_trials, n_epochs, scale):
        yield from first_of_the_pool(space, repeat, 5, n_epochs)

    table = further.scales(whatever_the_scale, [0.3, 3])
    at = [pool_of(repeat)[:5].argmin() + 1 for repeat in range(30)]
    assert table["after"].tolist()[:2] == [np.median(at)] * 2
    assert table["n_val"].tolist() == [360, 360, 2000, 2000]


# --- what a band holds ----------------------------------------------------------------------------


def certain_of(mean, std, tried, losses, points):
    return np.full(len(points), mean), np.full(len(points), std)


@pytest.mark.parametrize(("mean", "std", "share"), [(0, 1e9, 1), (1e6, 0, 0)])
def test_a_boundless_band_holds_everything_and_one_without_width_nothing(mean, std, share):
    band = partial(certain_of, mean, std)
    table = further.coverage(search_by_hand, band, n_trials=6, n_points=5, repeats=[0, 1])
    assert table["share"].tolist() == [share] * 4
    assert table["problem"].tolist() == ["hidden curve"] * 2 + ["photograph"] * 2


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
    assert list(table.index) == ["as written", "by loss, seeded"]
    reported, fresh = [], []
    for repeat in (0, 1):
        found = [trained(lr, repeat, repeat) for lr in RATES]
        best = int(np.argmin([curves.val_loss[-1] for curves in found]))
        judges = [
            trained(RATES[best], draw, draw) for draw in trainer.own_draws(repeat, "judge", 10)
        ]
        reported.append(100 * found[best].val_accuracy[-1])
        fresh.append(100 * np.mean([curves.val_accuracy[-1] for curves in judges]))
    row = table.loc["by loss, seeded"]
    assert row["different_scores"] == 3 and row["share_the_best"] == 1
    assert row["reported"] == pytest.approx(np.mean(reported))
    assert row["fresh"] == pytest.approx(np.mean(fresh))


def test_each_trial_of_the_script_as_written_has_a_seed_of_its_own():
    problem = studies.script_problem(studies.SCRIPTS["as written"])
    requests = [
        Request({"lr": lr, "batch_size": 16}, 20, repeat) for repeat in (0, 1) for lr in RATES
    ]
    seeds = [studies.another_seed(request) for request in requests]
    assert len(set(seeds)) == 6
    assert set(seeds[3:]) <= set(trainer.own_draws(1, "luck", 100))
    for request, seed, outcome in zip(requests, seeds, problem.objective(requests), strict=True):
        alone = trained(request.config["lr"], request.seed, seed)
        assert outcome.val_loss == pytest.approx(1 - alone.val_accuracy[-1])
