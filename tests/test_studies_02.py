"""The measurements of lesson 2, against one training at a time and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.landscape import Landscape
from hpt_helpers.classroom.studies import lesson_02 as studies
from hpt_helpers.classroom.studies import lesson_02_further as further
from hpt_helpers.classroom.studies.repeats import fresh
from hpt_helpers.data import load_splits
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.training import fit

LR = Real(1e-3, 0.1, log=True)
SPACE = SearchSpace({"lr": LR, "batch_size": Integer(32, 64)})
A, B = {"lr": 0.01, "batch_size": 16}, {"lr": 0.03, "batch_size": 32, "hidden_size": 8}
JUDGES = [100, 101]


def alone(config, repeat, n_epochs=40):
    """Return the last loss of one training in a repeat."""
    return fit(config, load_splits("iris", draw=repeat), n_epochs=n_epochs, seed=repeat).val_loss[
        -1
    ]


def test_each_configuration_is_trained_in_its_own_repeat_and_dials_change_nothing():
    with_dials = {"lr": 0.03, "dial 1": 0.4, "batch_size": 32, "hidden_size": 8}
    found = studies.trained([A, B, with_dials], [3, 7, 7], 4)
    assert found.shape == (3, 4)
    assert found[:2, -1] == pytest.approx([alone(A, 3, 4), alone(B, 7, 4)], abs=1e-9)
    assert np.array_equal(found[1], found[2])


def test_more_epochs_than_the_common_number_are_trained():
    assert studies.trained([B], [2], 45)[0, -1] == pytest.approx(alone(B, 2, 45), abs=1e-9)


def test_a_fresh_loss_is_the_mean_over_the_judges():
    expected = fresh([A, B], "iris", n_epochs=5, repeats=JUDGES)
    assert studies.fresh_losses([A, B, A], 5, JUDGES) == pytest.approx(
        [*expected, expected[0]], abs=1e-9
    )


def test_a_search_in_each_repeat_by_one_draw_and_by_the_mean_of_two():
    one = studies.searches(lambda r: [A, B][: r + 1], n_epochs=3, repeats=[0, 1])
    assert one[["repeat", "trial"]].to_numpy().tolist() == [[0, 0], [1, 0], [1, 1]]
    assert one["val_loss"].to_list() == pytest.approx(
        [alone(A, 0, 3), alone(A, 1, 3), alone(B, 1, 3)], abs=1e-9
    )
    two = studies.searches(lambda r: [A], n_epochs=3, repeats=[5], n_draws=2)
    first = studies.QUIET + 10
    assert two["val_loss"][0] == pytest.approx(
        (alone(A, first, 3) + alone(A, first + 1, 3)) / 2, abs=1e-9
    )


def test_the_winner_of_each_repeat_among_the_first_trials():
    trials = pd.DataFrame(
        {
            "repeat": [0, 0, 0, 1, 1, 1],
            "trial": [0, 1, 2, 0, 1, 2],
            "val_loss": [0.3, 0.2, 0.1, 0.1, 0.2, 0.05],
        }
    )
    assert studies.winners(trials)["trial"].to_list() == [2, 2]
    assert studies.winners(trials, 2)["trial"].to_list() == [1, 0]


def by_hand(log_losses):
    configs = [{"lr": lr, "batch_size": size} for lr in (0.01, 0.1) for size in (16, 32)]
    losses = np.exp(np.array(log_losses, dtype=float))[:, None, None]
    return Landscape(configs, [0], losses, losses)


def test_shares_of_variance_by_hand():
    # ± 2 by the learning rate, ± 1 by the batch size: variances 4 and 1, of 5
    shares = studies.variance_shares(by_hand([3, 1, -1, -3]), 1)
    assert shares["hyperparameter"].to_list() == ["lr", "batch_size", "only together"]
    assert shares["share"].to_list() == pytest.approx([0.8, 0.2, 0])
    together = studies.variance_shares(by_hand([1, -1, -1, 1]), 1)
    assert together["share"].to_list() == pytest.approx([0, 0, 1])


def test_mean_losses_keep_the_order_of_the_landscape():
    losses = np.array([[1, 3], [4, 6], [0, 0], [2, 4]], dtype=float)[:, :, None]
    means = studies.mean_losses(Landscape(by_hand([0] * 4).configs, [0, 1], losses, losses), 1)
    assert means["val_loss"].to_list() == [2, 5, 0, 3]
    assert means["batch_size"].to_list() == [16, 32, 16, 32]


def test_powers_of_ten():
    table = studies.by_power_of_ten(
        pd.DataFrame({"lr": [0.05, 0.0002, 0.02], "val_loss": [1, 2, 3]})
    )
    assert table["learning_rates"].to_list() == ["0.0001 to 0.001", "0.01 to 0.1", "0.01 to 0.1"]
    assert table["val_loss"].to_list() == [2, 3, 1]


def test_a_duel_has_the_winners_losses_and_their_fresh_losses():
    tables = {0: [A, B], 1: [B]}
    table = studies.duel(tables.get, lambda r: [A], n_epochs=3, repeats=[0, 1], judges=JUDGES)
    best = min((alone(A, 0, 3), A), (alone(B, 0, 3), B), key=lambda pair: pair[0])
    assert table["random_as_searched"].to_list() == pytest.approx(
        [best[0], alone(B, 1, 3)], abs=1e-9
    )
    assert table["grid_as_searched"].to_list() == pytest.approx(
        [alone(A, 0, 3), alone(A, 1, 3)], abs=1e-9
    )
    assert table["random"].to_list() == pytest.approx(
        fresh([best[1], B], "iris", n_epochs=3, repeats=JUDGES), abs=1e-9
    )
    assert table["grid"].nunique() == 1


def test_a_tally_counts_wins_and_takes_means():
    table = pd.DataFrame(
        {
            "random": [1, 2, 9],
            "grid": [2, 3, 4],
            "random_as_searched": [0, 5, 5],
            "grid_as_searched": [1, 5, 1],
        }
    )
    assert studies.tally({"x": table}).to_numpy().tolist() == [["x", 3, 1, 2, 4, 3]]


def test_a_shifted_grid_has_two_values_half_a_range_apart():
    six = SearchSpace({"lr": LR, **studies.DIALS})
    for repeat in (0, 1):
        lrs = sorted({config["lr"] for config in studies.shifted_grid(six, 2, repeat)})
        assert len(lrs) == 2 and lrs[1] / lrs[0] == pytest.approx(10)  # half of two powers of ten
    grid = studies.shifted_grid(six, 2, 0)
    assert len({tuple(config.values()) for config in grid}) == 64 and all(
        config in six for config in grid
    )


def test_many_dimensions_have_a_row_for_each_number_of_draws():
    table = studies.many_dimensions(SPACE, judged_by=[1, 2], repeats=[0, 1], judges=JUDGES)
    assert table["of"].to_list() == [2, 2] and table["case"].str[-1].to_list() == ["1", "2"]
    by_one = studies.duel(
        lambda r: SPACE.sample(4, seed=r),
        lambda r: studies.shifted_grid(SPACE, 2, r),
        repeats=[0, 1],
        judges=JUDGES,
    )
    assert (
        table.loc[0, ["random_fresh", "grid_fresh"]].to_list()
        == by_one[["random", "grid"]].mean().to_list()
    )


def test_what_so_many_trials_promise_and_keep():
    everything, nothing = (pd.DataFrame({"val_loss": [limit] * 3}) for limit in (9.0, 0.0))
    settings = {"numbers": [1, 3], "n_epochs": 3, "repeats": [0, 1], "judges": JUDGES}
    table = studies.how_many(SPACE, everything, **settings)
    assert table["trials"].to_list() == [1, 3] and table["returned"].to_list() == [1, 1]
    assert table["met"].to_list() == pytest.approx([0.05, 0.142625])  # 1 - 0.95 ** 3
    assert studies.how_many(SPACE, nothing, **settings)["returned"].to_list() == [0, 0]
    tried = {r: SPACE.sample(3, seed=r) for r in (0, 1)}
    lowest = [min(alone(config, r, 3) for config in tried[r]) for r in (0, 1)]
    assert table["as_searched"][1] == pytest.approx(np.mean(lowest), abs=1e-9)
    first = fresh([tried[0][0], tried[1][0]], "iris", n_epochs=3, repeats=JUDGES)
    assert table["fresh"][0] == pytest.approx(first.mean(), abs=1e-9)


def test_placements_have_a_case_for_each_space_grid_and_number_of_epochs():
    table = studies.placements({"to 0.1": SPACE}, n_epochs=[2, 3], repeats=[0], judges=JUDGES)
    assert table["case"].to_list() == [
        "to 0.1, bounds, 2 epochs",
        "to 0.1, bounds, 3 epochs",
        "to 0.1, cell centres, 2 epochs",
        "to 0.1, cell centres, 3 epochs",
    ]
    grid = SPACE.grid(3, centred=True)
    best = min(grid, key=lambda config: alone(config, 0, 3))
    expected = fresh([best], "iris", n_epochs=3, repeats=JUDGES)
    assert table["grid_fresh"][3] == pytest.approx(expected[0], abs=1e-9)


def test_retraining_against_as_many_trials():
    settings = {
        "n_trials": 2,
        "n_finalists": 1,
        "n_again": 2,
        "n_epochs": 3,
        "repeats": [4],
        "judges": JUDGES,
    }
    table = studies.retraining(SPACE, **settings)
    tried = SPACE.sample(4, seed=4)
    losses = [alone(config, 4, 3) for config in tried]
    finalist = tried[int(np.argmin(losses[:2]))]
    expected = fresh([finalist, tried[int(np.argmin(losses))]], "iris", n_epochs=3, repeats=JUDGES)
    assert table[["retrained", "all_trials"]].iloc[0].to_list() == pytest.approx(
        list(expected), abs=1e-9
    )
    new = [alone(finalist, studies.AGAIN + 8 + i, 3) for i in (0, 1)]
    assert table["retrained_promised"][0] == pytest.approx(np.mean(new), abs=1e-9)
    assert table["all_trials_promised"][0] == pytest.approx(min(losses), abs=1e-9)


# the losses and accuracies of 3 combinations on 6 draws of rows, under one seed: the second has the
# lowest loss on the first draw, the third on all others; the accuracies of the first two are the
# same
LOSS = np.array([[[0.3, 0.1, 0.2]]] + [[[0.3, 0.2, 0.1]]] * 5)
ACCURACY = np.array([[[0.9, 0.9, 0.5]]] * 6)


def runs(*how):
    return studies._runs(LOSS, ACCURACY, 0, 50, *how)


def test_a_run_keeps_the_first_of_equal_accuracies_and_the_lowest_loss():
    tried = np.random.default_rng(0).integers(3, size=(50, 2))
    assert runs(2, False, False, "accuracy", False).tolist() == [
        a if a < 2 else b for a, b in tried.tolist()
    ]
    assert runs(2, False, False, "loss", False).tolist() == [
        min(pair, key=[1, 2, 0].index) for pair in tried.tolist()
    ]


def test_a_run_that_retrains_chooses_by_other_draws():
    tried = np.random.default_rng(0).integers(3, size=(50, 3))
    chosen = runs(3, False, False, "loss", True)
    # 2 is best there, 0 is worst
    assert chosen.tolist() == [max(three) for three in tried.tolist()]


def test_a_seed_leaves_one_winner():
    assert len(set(runs(2, True, True, "accuracy", False))) == 1


def test_the_lottery_of_two_tickets():
    lists = {"lr": [0.01, 0.0001], "batch_size": [32], "epochs": [10]}
    table = studies.lottery(lists, n_runs=30, judges=JUDGES).set_index("script")
    assert table.loc["as written", "winners"] > 1 == table.loc["all seeded", "winners"]
    judged = fresh(
        [{"lr": lr, "batch_size": 32} for lr in lists["lr"]], "iris", n_epochs=10, repeats=JUDGES
    )
    # fifteen draws of two hardly ever miss the better, which wins on all rows
    assert table.loc["by the loss, 15 trials", "fresh"] == pytest.approx(judged.min(), abs=1e-3)


def test_the_scripts_losses_are_those_of_trainings_alone():
    lists = {"lr": [0.01], "batch_size": [16, 32], "epochs": [2, 4]}
    loss, accuracy = studies.script_runs(lists, n_draws=2, n_seeds=2)
    assert loss.shape == accuracy.shape == (2, 2, 4)
    curve = fit({"lr": 0.01, "batch_size": 32}, load_splits("iris", draw=1), n_epochs=4, seed=3)
    assert loss[1, 1, 2:] == pytest.approx(curve.val_loss[[1, 3]], abs=1e-9)
    assert accuracy[1, 1, 3] == curve.val_accuracy[3]


# --- going further --------------------------------------------------------------------------------


def test_estimates_see_the_first_trials_and_are_compared_with_later_ones():
    table = further.estimates(
        SPACE,
        {"lowest": lambda losses, n: losses.min(), "seen": lambda losses, n: len(losses)},
        n_seen=2,
        numbers=[29],
        n_epochs=2,
        repeats=[0, 1],
    )
    losses = [[alone(config, r, 2) for config in SPACE.sample(60, seed=r)] for r in (0, 1)]
    # after the first two, 58 trials are left: two times 29
    later = [min(row[start : start + 29]) for row in losses for start in (2, 31)]
    assert table.loc[0, ["trials", "new", "lowest", "seen", "spread"]].to_list() == pytest.approx(
        [29, np.mean(later), np.mean([min(row[:2]) for row in losses]), 2, 0], abs=1e-9
    )


def test_a_step_is_what_the_last_estimate_gains_from_the_row_above():
    settings = {"n_seen": 3, "numbers": [1, 2], "n_epochs": 2, "repeats": [0, 1]}
    table = further.estimates(SPACE, {"last": lambda losses, n: losses[n]}, **settings)
    losses = [[alone(config, r, 2) for config in SPACE.sample(3, seed=r)] for r in (0, 1)]
    gains = [row[1] - row[2] for row in losses]
    assert table["step"].isna().tolist() == [True, False]
    expected = [np.mean(gains), abs(gains[0] - gains[1]) / 2**0.5]
    assert table.loc[1, ["step", "step_spread"]].to_list() == pytest.approx(expected, abs=1e-9)


def test_near_ties_take_the_smallest_network():
    space = SearchSpace({"lr": LR, "batch_size": Choice([32]), "hidden_size": Integer(4, 32)})
    settings = {
        "tolerances": [0, 100],
        "n_trials": 3,
        "n_epochs": 2,
        "repeats": [0, 1],
        "judges": JUDGES,
    }
    table = further.near_ties(space, **settings)
    tried = {r: space.sample(3, seed=r) for r in (0, 1)}
    best = [min(tried[r], key=lambda config: alone(config, r, 2)) for r in (0, 1)]
    smallest = [min(tried[r], key=lambda config: config["hidden_size"]) for r in (0, 1)]
    assert table["within"].to_list() == [1, 3]
    for row, taken in enumerate((best, smallest)):
        assert table["hidden_size"][row] == np.mean([config["hidden_size"] for config in taken])
        expected = fresh(taken, "iris", n_epochs=2, repeats=JUDGES).mean()
        assert table["fresh"][row] == pytest.approx(expected, abs=1e-9)


def test_the_part_of_a_landscape():
    part = further.part_of(by_hand([3, 1, -1, -3]), 0.05)
    assert [config["lr"] for config in part.configs] == [0.1, 0.1]
    assert np.log(part.val_loss).ravel().tolist() == pytest.approx([-1, -3])


def test_even_designs():
    table = further.even_designs(
        SPACE, n=4, n_epochs=2, repeats=[0, 1, 2], judges=JUDGES
    ).set_index("design")
    assert table.loc["Latin hypercube", "discrepancy"] < table.loc["random", "discrepancy"]
    tried = [SPACE.from_unit(np.random.default_rng(r).random((4, 2))) for r in range(3)]
    lowest = [min(alone(config, r, 2) for config in configs) for r, configs in enumerate(tried)]
    assert table.loc["random", "as_searched"] == pytest.approx(np.mean(lowest), abs=1e-9)
    assert (table["fresh_ninth_decile"] >= table["fresh"]).all()


@pytest.mark.parametrize("name", ["Latin hypercube", "Sobol"])
def test_an_even_design_has_a_point_in_each_slice(name):
    points = further.designs(SPACE, 8)[name](3)
    assert np.sort(np.floor(8 * points), axis=0).T.tolist() == [list(range(8))] * 2
