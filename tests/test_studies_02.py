"""The measurements of lesson 2, against one training at a time and numbers worked out by hand."""

from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.studies import lesson_02 as studies
from hpt_helpers.classroom.studies import lesson_02_further as further
from hpt_helpers.data import load_splits
from hpt_helpers.search import Outcome
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.training import fit

LR = Real(1e-3, 0.1, log=True)
SPACE = SearchSpace({"lr": LR, "batch_size": Integer(32, 64), "hidden_size": Integer(4, 32)})
A, B = {"lr": 0.01, "batch_size": 16}, {"lr": 0.03, "batch_size": 32, "hidden_size": 8}


def alone(config, draw, n_epochs=3):
    """Return the last loss of one training on a draw, under the seed of its number."""
    splits = load_splits("iris", draw=draw)
    return fit(config, splits, n_epochs=n_epochs, seed=draw).val_loss[-1]


def losses_that_are_rates(requests):
    """The lower the learning rate, the lower the loss: in repeat r, lr + r."""
    return [Outcome(config["lr"] + seed) for config, _, seed, _ in requests]


def rates_turned_round(choices, purpose, n, progress):
    """Judges find ten times the rate; to the draws of finalists, the highest rate is the best."""
    rates = np.array([choice.config["lr"] for choice in choices])
    losses = 1 / rates if purpose == "finalist" else 10 * rates
    return np.tile(losses[:, None], n), np.zeros((len(choices), n))


@pytest.fixture
def made_up(monkeypatch):
    """Let the studies search a made-up problem, and random searches be cut from five trials."""

    def problem(space, n_epochs=40, n_draws=1):
        space_of = partial(lab._space_of_all, space)
        return lab.Problem("made up", space_of, losses_that_are_rates, rates_turned_round, n_epochs)

    for module in (studies, further):
        monkeypatch.setattr(module, "on_iris", problem)
        monkeypatch.setattr(module, "MOST", 5)


def rates(repeat, n, space=SPACE):
    """Return the learning rates of the first n random trials of a repeat."""
    return [config["lr"] for config in space.sample(n, seed=repeat)]


# --- what a space holds ---------------------------------------------------------------------------


def test_mean_losses_keep_the_order_of_the_configurations():
    table = studies.mean_losses([B, {**B, "lr": 0.01}], [3, 7], n_epochs=3)
    expected = [np.mean([alone({**B, "lr": lr}, draw) for draw in (3, 7)]) for lr in (0.03, 0.01)]
    assert table["lr"].to_list() == [0.03, 0.01]
    assert table["val_loss"].to_list() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "log_losses, shares",
    [
        ([3, 1, -1, -3], [0.8, 0.2, 0]),  # ± 2 by the rate, ± 1 by the size: variances 4 and 1
        ([1, -1, -1, 1], [0, 0, 1]),
    ],
)
def test_shares_of_variance_by_hand(log_losses, shares):
    grid = pd.DataFrame(product((0.01, 0.1), (16, 32)), columns=["lr", "batch_size"])
    table = studies.variance_shares(grid.assign(val_loss=np.exp(log_losses)))
    assert table["hyperparameter"].to_list() == ["lr", "batch_size", "only together"]
    assert table["share"].to_list() == pytest.approx(shares)


def test_powers_of_ten():
    table = studies.by_power_of_ten(
        pd.DataFrame({"lr": [0.05, 0.0002, 0.02], "val_loss": [1, 2, 3]})
    )
    assert table["learning_rates"].to_list() == ["0.0001 to 0.001", "0.01 to 0.1", "0.01 to 0.1"]
    assert table["val_loss"].to_list() == [2, 3, 1]


# --- searches and duels ---------------------------------------------------------------------------


def test_dials_are_not_trained():
    with_dials = SearchSpace({"lr": LR, **studies.DIALS})
    (asked,) = studies.at_random(with_dials, 7, 2, 9)
    expected = [({"batch_size": 32, "lr": lr}, 9) for lr in rates(7, 2, with_dials)]
    assert asked == expected
    (asked,) = studies.tries(lambda repeat: [A, B][:repeat], SPACE, 1, 2, 9)
    assert asked == [(A, 9)]


def test_a_duel_on_iris_against_one_training_at_a_time():
    found = studies.duel(SPACE, lambda r: [A, B], n_epochs=3, repeats=[4], n_judges=2)
    tried = {"random": SPACE.sample(2, seed=4), "grid": [A, B]}
    judges = lab.own_draws(4, "judge", 2)
    for name, row in found.set_index("search").iterrows():
        losses = [alone(config, 4) for config in tried[name]]
        best = tried[name][int(np.argmin(losses))]
        assert row["as_searched"] == pytest.approx(min(losses), abs=1e-9)
        assert row["fresh"] == pytest.approx(np.mean([alone(best, d) for d in judges]), abs=1e-9)


def test_a_tally_counts_no_ties_as_wins():
    losses = {"random": [1, 2, 9, 3 - 1e-10], "grid": [2, 3, 4, 3]}
    searched = {"random": [0, 5, 5, 5], "grid": [1, 5, 1, 9]}
    found = pd.DataFrame(
        {"search": name, "repeat": r, "as_searched": searched[name][r], "fresh": losses[name][r]}
        for name, r in product(losses, range(4))
    )
    (row,) = studies.tally({"x": found}).to_numpy().tolist()
    assert row == ["x", 4, 2, 2, pytest.approx(3.75), 3]


def test_a_shifted_grid_has_two_values_half_a_range_apart():
    six = SearchSpace({"lr": LR, **studies.DIALS})
    for repeat in (0, 1):
        lrs = sorted({config["lr"] for config in studies.shifted_grid(six, 2, repeat)})
        assert len(lrs) == 2 and lrs[1] / lrs[0] == pytest.approx(10)  # half of two powers of ten
    grid = studies.shifted_grid(six, 2, 0)
    assert len({tuple(config.values()) for config in grid}) == 64
    assert all(config in six for config in grid)


def test_many_dimensions_judge_trials_by_more_draws_where_asked():
    space = SearchSpace({"lr": LR, "dial 1": Real(0, 1)})
    table = studies.many_dimensions(space, judged_by=[1, 2], repeats=[0, 1], n_judges=2)
    assert table["of"].to_list() == [2, 2] and table["case"].str[-1].to_list() == ["1", "2"]
    of_two = studies.duel(
        space,
        partial(studies.shifted_grid, space, 2),
        repeats=[0, 1],
        n_draws=2,
        n_judges=2,
    )
    assert table["random_fresh"][1] == studies.in_pairs(of_two)["random"].mean()
    draws = [0, *lab.own_draws(0, "mean", 1)]
    tried = [studies.network(config) for config in space.sample(4, seed=0)]
    means = [np.mean([alone(config, draw, 40) for draw in draws]) for config in tried]
    assert studies.in_pairs(of_two, "as_searched")["random"][0] == pytest.approx(min(means))


def test_placements_have_a_case_for_each_space_grid_and_number_of_epochs(made_up):
    table = studies.placements({"to 0.1": SPACE}, n_epochs=[2, 3], repeats=[0], n_judges=1)
    assert table["case"].to_list() == [
        "to 0.1, bounds, 2 epochs",
        "to 0.1, bounds, 3 epochs",
        "to 0.1, cell centres, 2 epochs",
        "to 0.1, cell centres, 3 epochs",
    ]
    # the lowest rate is the bound, or a sixth of two powers of ten above it
    assert table["grid_fresh"].to_list() == pytest.approx([0.01] * 2 + [0.01 * 10 ** (1 / 3)] * 2)


# --- what a winner is worth -----------------------------------------------------------------------


@pytest.mark.parametrize("place, returned", [(0, 0.5), (1, 1)])
def test_what_so_many_trials_promise_and_keep(made_up, place, returned):
    """The mark is the winner of three trials in one of the two repeats, then in the other."""
    tried = [rates(repeat, 3) for repeat in (0, 1)]
    best = sorted(min(some) for some in tried)
    mark = best[place]
    means = pd.DataFrame({"lr": [mark, *[0.5] * 19], "batch_size": 32, "val_loss": range(20)})
    table = studies.how_many(SPACE, means, numbers=[1, 3], repeats=[0, 1], n_judges=1)
    assert table["trials"].to_list() == [1, 3]
    assert table["met"].to_list() == pytest.approx([0.05, 0.142625])  # 1 - 0.95 ** 3
    of_one = np.mean([some[0] <= mark + 1e-12 for some in tried])
    assert table["returned"].to_list() == [of_one, returned]
    assert table["as_searched"][1] == pytest.approx(np.mean(best) + 0.5)  # the mean of + 0 and + 1
    assert table["fresh"].to_list() == pytest.approx(
        [10 * np.mean([some[0] for some in tried]), 10 * np.mean(best)]
    )


def test_retraining_against_as_many_trials(made_up):
    settings = {"n_trials": 3, "n_finalists": 2, "n_again": 1, "n_judges": 1}
    found = studies.retraining(SPACE, repeats=[4], **settings).set_index("search")
    tried = rates(4, 5)
    second = sorted(tried[:3])[1]  # of the best two of three, the one that finalists' draws prefer
    assert found.loc["retrained", "as_searched"] == pytest.approx(1 / second)
    assert found.loc["retrained", "fresh"] == pytest.approx(10 * second)
    assert found.loc["all_trials", "as_searched"] == pytest.approx(min(tried) + 4)
    assert found.loc["all_trials", "fresh"] == pytest.approx(10 * min(tried))


# Losses and accuracies of 3 combinations under one seed: the second has the lowest loss, the third
# has it on other draws; the accuracies of the first two are the same.
LOSS, ACCURACY = np.array([[0.3, 0.1, 0.2]]), np.array([[0.9, 0.9, 0.5]])
AGAIN = np.array([0.3, 0.2, 0.1])


@pytest.mark.parametrize(
    "script, order",
    [
        (studies.Script(2), None),
        (studies.Script(2, by_loss=True), [1, 2, 0]),
        (studies.Script(3, by_loss=True, retrains=True), [2, 1, 0]),
    ],
)
def test_a_run_keeps_the_best_of_what_it_drew(script, order):
    found = studies.winners_of_runs(script, LOSS, ACCURACY, AGAIN, 50, seed=0)
    drawn = np.random.default_rng(0).integers(3, size=(50, script.n_trials)).tolist()
    if order:
        assert found.tolist() == [min(some, key=order.index) for some in drawn]
    else:  # by accuracy the first of equal ones
        assert found.tolist() == [a if a < 2 else b for a, b in drawn]


def test_seeds_leave_one_winner():
    script = studies.SCRIPTS["all seeded"]
    assert len(set(studies.winners_of_runs(script, LOSS, ACCURACY, AGAIN, 50, seed=0))) == 1


def test_the_lottery_is_judged_by_draws_of_each_repeat():
    lists = {"lr": [0.01], "batch_size": [32], "epochs": [3]}  # one combination: no choice
    table = studies.lottery(lists, n_runs=5, repeats=[0, 1], n_seeds=1, n_judges=2)
    judges = [*lab.own_draws(0, "judge", 2), *lab.own_draws(1, "judge", 2)]
    expected = np.mean([alone({"lr": 0.01, "batch_size": 32}, draw) for draw in judges])
    assert table["winners"].eq(1).all()
    assert table["fresh"].to_numpy() == pytest.approx([expected] * 6, abs=1e-9)


def test_combinations_are_read_off_the_curves_of_trainings_alone():
    lists = {"lr": [0.01], "batch_size": [16, 32], "epochs": [2, 4]}
    loss, accuracy = studies._combinations(lists, [(0, 5), (1, 3)])
    curve = fit({"lr": 0.01, "batch_size": 32}, load_splits("iris", draw=1), n_epochs=4, seed=3)
    assert loss.shape == accuracy.shape == (2, 4)
    assert loss[1, 2:] == pytest.approx(curve.val_loss[[1, 3]], abs=1e-9)
    assert accuracy[1, 2:] == pytest.approx(curve.val_accuracy[[1, 3]])


# --- going further --------------------------------------------------------------------------------


def test_estimates_see_the_first_trials_and_are_compared_with_later_ones(made_up):
    estimators = {"lowest": lambda losses, n: losses.min(), "last": lambda losses, n: losses[n - 1]}
    table = further.estimates(SPACE, estimators, n_seen=2, numbers=[1, 2], repeats=[0, 1])
    losses = [np.array(rates(repeat, 5)) + repeat for repeat in (0, 1)]
    # after the first two, three trials are left: three times one, and once two
    assert table["new"].to_list() == pytest.approx(
        [np.mean([row[2:] for row in losses]), np.mean([min(row[2:4]) for row in losses])]
    )
    assert table["lowest"].to_list() == pytest.approx(
        [np.mean([min(row[:2]) for row in losses])] * 2
    )
    gains = [row[0] - row[1] for row in losses]
    assert table["step"].isna().to_list() == [True, False]
    assert table.loc[1, ["step", "step_spread"]].to_list() == pytest.approx(
        [np.mean(gains), np.std(gains, ddof=1)]
    )


def test_near_ties_take_the_smallest_network(made_up):
    table = further.near_ties(SPACE, tolerances=[0, 100], n_trials=3, repeats=[0, 1], n_judges=1)
    tried = [SPACE.sample(3, seed=repeat) for repeat in (0, 1)]
    assert table["within"].to_list() == [1, 3]
    for row, name in enumerate(("lr", "hidden_size")):
        taken = [min(configs, key=lambda config: config[name]) for configs in tried]
        assert table["hidden_size"][row] == np.mean([config["hidden_size"] for config in taken])
        assert table["fresh"][row] == pytest.approx(10 * np.mean([c["lr"] for c in taken]))


def test_even_designs_search_their_own_points(made_up):
    table = further.even_designs(SPACE, n=4, repeats=[0, 1, 2], n_judges=1).set_index("design")
    assert table.loc["Latin hypercube", "discrepancy"] < table.loc["random", "discrepancy"]
    for name, design in further.DESIGNS.items():
        lowest = [min(c["lr"] for c in SPACE.from_unit(design(4, 3, r))) for r in range(3)]
        assert table.loc[name, "as_searched"] == pytest.approx(np.mean(lowest) + 1)
        assert table.loc[name, "fresh"] == pytest.approx(10 * np.mean(lowest))


@pytest.mark.parametrize("design", [further.latin_hypercube, further.sobol])
def test_an_even_design_has_a_point_in_each_slice(design):
    points = design(8, 2, 3)
    assert np.sort(np.floor(8 * points), axis=0).T.tolist() == [list(range(8))] * 2
