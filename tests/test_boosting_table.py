"""The table of gradient boosting: its entries, what trials cost, and the races on it."""

import math

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from hpt_helpers import asha, random_search
from hpt_helpers.classroom.lab import searches
from hpt_helpers.classroom.tables import boosting_recipe as recipe
from hpt_helpers.classroom.tables.boosting import (
    Lookups,
    load_boosting,
    order_and_price,
    race_by_cost,
    random_to,
    told_apart,
    train_again,
)
from hpt_helpers.protocol import Request
from hpt_helpers.search import run


@pytest.fixture(scope="module")
def table():
    return load_boosting()


def asked(config, n_epochs, repeat, n_done=0):
    return Request(config, n_epochs, repeat, n_done)


# --- entries --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("position", "repeat"), [(0, 0), (7, 3)])
def test_an_entry_can_be_trained_again(position, repeat):
    again = train_again(position, repeat)
    assert again["cut"].tolist() == ["rounds"] * 3 + ["rows"] * 3 + ["fresh"]
    np.testing.assert_allclose(again["trained"], again["in_table"], rtol=1e-6)


def test_a_cut_by_rows_is_a_plain_training_on_the_first_of_them(table):
    config = recipe.configurations(1)[2]
    rows = recipe.search_rows(1)
    model = HistGradientBoostingClassifier(
        **config, max_iter=81, early_stopping=False, random_state=1
    )
    model.fit(rows.X_train[:741], rows.y_train[:741])
    loss = log_loss(rows.y_val[:300], model.predict_proba(rows.X_val[:300]), labels=model.classes_)
    [stored] = Lookups("rows", 300)([asked(config, 3, 1)])
    assert stored.val_loss == pytest.approx(loss, rel=1e-6)


def test_searches_and_judges_share_no_row():
    """Rows that are equal in all features would match, too; few of the diamonds are."""
    searched, judged = recipe.search_rows(0), recipe.judge_rows(0, 0)
    assert len(searched.y_train) == len(judged.y_train) == 20_000
    assert len(searched.y_val) == 3_000
    assert len(judged.y_val) == 53_940 - 43_000
    of_searches = {tuple(row) for row in np.vstack([searched.X_train, searched.X_val])}
    of_judges = {tuple(row) for row in np.vstack([judged.X_train, judged.X_val])}
    everything = {tuple(row) for row in recipe.diamonds()[0]}
    n_alike = len(of_searches) + len(of_judges) - len(everything)
    assert len(of_searches & of_judges) == n_alike < 200


def test_no_entry_is_missing(table):
    for losses in (*table.loss.values(), table.fresh):
        assert np.isfinite(losses).all()
    for cost in table.cost.values():
        assert (cost > 0).all()
    np.testing.assert_allclose(table.cost["rounds"][: recipe.N_POOL, :, -1].mean(axis=0), 1)


# --- costs ----------------------------------------------------------------------------------------


def costs(cut, position, repeat):
    """Return what a trial at the second and one at the third of some rungs cost, in this order."""
    config, found = recipe.configurations(repeat)[position], Lookups(cut, 30)
    return [o.cost for o in found([asked(config, 9, repeat), asked(config, 27, repeat, n_done=9)])]


def test_rounds_are_continued_and_rows_are_not(table):
    assert sum(costs("rounds", 5, 2)) == pytest.approx(table.cost["rounds"][5, 2, 1])
    assert costs("rows", 5, 2) == table.cost["rows"][5, 2, 1:3].tolist()


def test_a_search_is_charged_what_its_trials_cost(table):
    """Three random trials are the sum of three entries of the table, and a budget ends them."""
    strategy = random_search(recipe.SPACE, 3, 81, seed=0)
    trials = run(strategy, Lookups("rounds", 3000), budget=50, budget_unit="cost", seed=0)
    assert trials["charged_cost"].tolist() == table.cost["rounds"][:3, 0, -1].tolist()
    assert trials["val_loss"].tolist() == table.loss["rounds"][:3, 0, -1, 2].tolist()
    ended = run(
        random_search(recipe.SPACE, 3, 81, seed=0),
        Lookups("rounds", 3000),
        budget=table.cost["rounds"][0, 0, -1],
        budget_unit="cost",
        seed=0,
    )
    assert len(ended) == 1


@pytest.mark.parametrize(
    ("cut", "request_", "message"),
    [
        ("rounds", asked(recipe.configurations(0)[0], 3, 0), "n_epochs is 3; by rounds there are"),
        ("rounds", asked(recipe.configurations(0)[0], 81, 99), "repeat"),
        ("rows", asked(recipe.configurations(1)[0], 81, 0), "is not in repeat 0 of boosting"),
    ],
)
def test_what_is_not_there_is_refused(cut, request_, message):
    with pytest.raises(ValueError, match=message):
        list(Lookups(cut, 30)([request_]))


def test_numbers_of_rows_that_are_not_there_are_refused():
    for question in (told_apart, order_and_price, lambda n_val: random_to([3], [n_val])):
        with pytest.raises(ValueError, match="n_val is 31; allowed are"):
            question(31)
    with pytest.raises(ValueError, match="n_trials is 301"):
        random_to([301])


# --- races ----------------------------------------------------------------------------------------


def test_the_winner_of_random_search_is_the_lowest_of_what_the_budget_pays(table):
    judged = race_by_cost({"random": ("rounds", searches.at_random)}, 300, budget=4)
    for row in judged.itertuples():
        costs = table.cost["rounds"][:300, row.repeat, -1]
        n_trials = int((costs.cumsum() < 4).sum()) + 1  # the last one is finished
        best = table.loss["rounds"][:n_trials, row.repeat, -1, 1].argmin()
        assert row.n_trials == n_trials
        assert row.spent == pytest.approx(costs[:n_trials].sum())
        assert row.fresh == table.fresh[best, row.repeat, -1]


def test_a_winner_by_rows_is_judged_on_all_rows(table):
    def by_rows(space, repeat, n_trials, n_epochs):
        return asha(space, n_epochs, n_trials=6, min_epochs=3, seed=repeat)

    judged = race_by_cost({"cuts": ("rows", by_rows)}, 3000, budget=math.inf)
    for row in judged.itertuples():
        assert row.fresh in table.fresh[:, row.repeat, -1]
        assert row.tried < row.n_trials == 6


def test_random_search_over_the_whole_pool_finds_its_best(table):
    found = random_to([300], [3000], n_searches=1)
    lowest = table.loss["rounds"][:300, :, -1, 2].min(axis=0)
    assert found["searched"].item() == pytest.approx(np.median(lowest))


def test_a_third_keeps_the_order_better_than_a_ninth_and_costs_more(table):
    for _, part in order_and_price(3000).groupby("cut"):
        assert part["rank_correlation"].is_monotonic_increasing
        assert part["share_of_cost"].is_monotonic_increasing
