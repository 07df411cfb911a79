"""The measurements of lesson 2, against one training at a time and a table made by hand."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.lab import statistics, trainer
from hpt_helpers.classroom.lesson_02 import further, studies
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG, N_POOL
from hpt_helpers.classroom.tables.table import load_table, resplit
from hpt_helpers.training import fit

TABLE = load_table("simulated")
PLACES = np.arange(N_POOL)[:, None]


def with_losses(loss, fresh):
    """Return the simulated table with these losses, (N_POOL, repeats), after the last epoch, and on
    any number of rows.
    """
    shape = (N_POOL, TABLE.n_repeats, len(TABLE.n_val), len(TABLE.epochs))
    loss = np.broadcast_to(loss[:, :, None, None], shape)
    fresh = np.broadcast_to(fresh[:, :, None], (*shape[:2], len(TABLE.epochs)))
    return replace(TABLE, loss=loss, fresh_loss=fresh)


@pytest.fixture
def made_up(monkeypatch):
    """Let trials be lucky: the lower the loss as searched, the higher the fresh one."""
    loss = np.broadcast_to(PLACES + 1.0, (N_POOL, TABLE.n_repeats))
    table = with_losses(loss, 2000 - loss)
    for module in (studies, further):
        monkeypatch.setattr(module, "load_table", lambda name: table)


# --- what a space holds ---------------------------------------------------------------------------


def test_the_pool_has_no_points_of_grids():
    pool = studies.pool("digits", 30)
    assert len(pool) == 30 * N_POOL and not (pool["label_smoothing"] == 0).any()
    assert set(studies.SPACE) < set(pool.columns) and "batch_size" not in studies.SPACE


def test_the_simulated_pool_differs_as_the_lesson_says_before_its_prediction():
    best = studies.pool("simulated", 10)["fresh"].quantile([1 / 2, 1 / 10, 1 / 30, 1 / 100])
    assert best.round(2).tolist() == [1.11, 0.69, 0.63, 0.60]
    luck = []
    for repeat in range(TABLE.n_repeats):
        fresh = TABLE.fresh_loss[:N_POOL, repeat, -1]
        good = fresh.argsort()[: N_POOL // 10]
        loss = TABLE.loss[good, repeat, TABLE.rows(10), -1]
        luck.append((loss - fresh[good]).std(ddof=1))
    assert round(float(np.mean(luck)), 2) == 0.13


def test_the_winner_is_the_lowest_of_the_first_trials():
    losses = TABLE.loss[:5, 3, TABLE.rows(30), -1]
    expected = TABLE.configs(3)[int(losses.argmin())]
    assert studies.winner("simulated", 3, 30, 5) == expected


def test_colleagues_keep_the_best_that_they_drew():
    axes = ("weight_decay", "beta1")
    alone = studies.colleagues(axes, n_draws=1, n_people=200)
    many = studies.colleagues(axes, n_draws=200, n_people=20)
    assert alone["combination"].nunique() == 16 and set(alone) == {"combination", "behind"}
    assert many["behind"].eq(0).all() and alone["behind"].min() == 0 < alone["behind"].max()


# --- grids and random search ----------------------------------------------------------------------


def test_grids_against_as_many_random_trials():
    table = load_table("digits")
    (row,) = studies.grids_against_random([("weight_decay", "beta1")]).to_dict("records")
    k = table.rows(360)
    drawn = table.loss[:16, :, k, -1].argmin(axis=0)
    random = table.fresh_loss[drawn, range(30), -1]
    points = [
        table.entry(DEFAULT_CONFIG | {"weight_decay": w, "beta1": b}, 27, 0)[0]
        for w, b in points_of(table, ("weight_decay", "beta1"), 4)
    ]
    best = np.array(points)[table.loss[points][:, :, k, -1].argmin(axis=0)]
    grid = table.fresh_loss[best, range(30), -1]
    assert row["trials"] == 16 and row["axes"] == "weight_decay, beta1"
    assert (row["grid"], row["random"]) == pytest.approx((np.median(grid), np.median(random)))
    assert (row["grid_wins"], row["random_wins"]) == ((grid < random).sum(), (grid > random).sum())


def points_of(table, axes, n):
    values = [table.recipe.space[axis].points(n, centred=True) for axis in axes]
    return [(a, b) for a in values[0] for b in values[1]]


def test_random_draws_on_some_axes_leave_the_others_alone():
    (asked,) = studies.random_on(("lr",), TABLE.recipe.space, 7, 3, 9)
    rates = [config["lr"] for config in TABLE.recipe.space.sample(3, seed=7)]
    assert asked == [(DEFAULT_CONFIG | {"lr": lr}, 9) for lr in rates]


def test_wins_are_counted_in_pairs_without_ties():
    losses = {"a": [1, 2, 3], "b": [2, 2, 1]}
    found = pd.DataFrame(
        [(name, r, loss) for name, some in losses.items() for r, loss in enumerate(some)],
        columns=["search", "repeat", "fresh"],
    )
    table = studies.head_to_head(found)
    assert table["fresh"].to_dict() == {"a": 2, "b": 2}
    assert table.loc["a", "beats b"] == 1 == table.loc["b", "beats a"]
    assert table.loc["a", "beats a"] == "–"


# --- trials and rows ------------------------------------------------------------------------------


def test_a_longer_search_reports_less_and_may_be_worth_less(made_up):
    table = studies.trials_and_rows("simulated", n_trials=[1, 9], n_val=[10, 30], n_searches=2)
    assert len(table) == 2 * 2 * 2 * 30
    one, nine = (part for _, part in table.groupby("n_trials"))
    assert (nine["as_searched"].to_numpy() <= one["as_searched"].to_numpy()).all()
    assert (table["as_searched"] + table["fresh"]).eq(2000).all()
    worth = studies.worth(table)
    assert worth.index.to_list() == [10, 30] and (worth[9] > worth[1]).all()


def test_row_losses_are_those_of_the_table():
    losses = studies.row_losses("simulated", 2, 100, n_trials=20)
    best = np.sort(TABLE.loss[:20, 2, TABLE.rows(100), -1])[:10]
    assert losses.shape == (10, 100)
    assert losses.mean(axis=1) == pytest.approx(best, rel=1e-6)


def test_ties_by_hand():
    winner = np.array([1.0, 1.0, 1.0, 1.0])
    same_on_all = winner + 0.1  # behind without any doubt
    now_and_then = np.array([2.0, 0.0, 2.0, 0.5])  # behind by 0.125, with a standard error of 0.51
    assert studies.n_tied(np.stack([winner, same_on_all, now_and_then])) == 1


def test_ties_of_all_repeats_are_those_of_each():
    found = studies.tied("simulated", [10, 300], n_trials=12)
    assert found.shape == (30, 2)
    for repeat in (0, 17):
        losses = studies.row_losses("simulated", repeat, 300, n_trials=12)
        assert found[repeat, 1] == studies.n_tied(losses)


def test_finalists_against_as_many_trials():
    options = {"n_trials": 4, "n_finalists": 2, "n_again": 1}
    (row,) = studies.equal_cost([("simulated", 10)], **options).to_dict("records")
    losses = TABLE.loss[:4, :, TABLE.rows(10), -1]
    best = losses.argmin(axis=0)
    fresh = TABLE.fresh_loss[best, range(30), -1]
    assert row["trials_promise"] == pytest.approx((fresh - losses.min(axis=0)).mean())
    finalists = studies.chosen_by_finalists("simulated", 10, 2, 2, 1)
    assert set(finalists["position"]) == {0, 1}  # of two trials, which both are finalists
    counts = statistics.pairs(fresh, finalists["fresh"])
    assert (row["trials_win"], row["finalists_win"]) == (counts.wins, counts.defeats)


def test_the_best_finalist_is_that_of_its_own_new_split():
    found = studies.chosen_by_finalists("simulated", 10, 2, 2, 1).iloc[4]
    [draw] = trainer.own_draws(4, "finalist", 1)
    splits = resplit(TABLE.recipe, 4, 10, draw)
    losses = [fit(c, splits, n_epochs=27, seed=draw).val_loss[-1] for c in TABLE.configs(4)[:2]]
    assert found["position"] == np.argmin(losses)
    assert found["chosen_by"] == pytest.approx(min(losses), abs=1e-9)


@pytest.mark.parametrize(
    "call",
    [
        lambda: studies.trials_and_rows("simulated", n_trials=[9, 5000], n_val=[10]),
        lambda: studies.winner("digits", 0, 30, 5000),
        lambda: studies.row_losses("digits", 0, 30, n_trials=5000),
        lambda: studies.chosen_by_trials("digits", 30, 5000),
        lambda: studies.chosen_by_finalists("digits", 30, 5000, 5, 4),
    ],
)
def test_more_trials_than_a_pool_has_are_refused(call):
    with pytest.raises(ValueError, match="n_trials is 5000; it must be an integer from 1 to 1000"):
        call()


def test_further_trials_than_a_pool_has_are_refused():
    with pytest.raises(ValueError, match=r"largest of numbers together is 1001; .* 1 to 1000"):
        further.estimates(lambda losses, n: 0.0, n_seen=501, numbers=[3, 500])


@pytest.mark.parametrize("repeat", [-1, 30])
def test_a_repeat_that_is_not_there_is_refused(repeat):
    with pytest.raises(ValueError, match=f"repeat is {repeat}; .* from 0 to 29"):
        studies.winner("digits", repeat, 30, 9)


# --- going further --------------------------------------------------------------------------------


def test_estimates_see_the_first_trials_and_are_compared_with_later_ones(made_up):
    table = further.estimates(
        lambda losses, n: losses[:n].max(), n_seen=5, numbers=[2, 3], n_val=10
    )
    assert table["estimate"].to_list() == [2, 3] and table["spread"].to_list() == [0, 0]
    # after the first five, the lowest of each two are 6, 8, …, and of each three 6, 9, …
    assert table["new"].to_list() == [np.mean(range(6, 999, 2)), np.mean(range(6, 999, 3))]
