"""The studies of lesson 4 against one training at a time, and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata

from hpt_helpers import strategies
from hpt_helpers.classroom import lab
from hpt_helpers.classroom.landscape import Landscape
from hpt_helpers.classroom.studies import lesson_04 as study
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, trial_record, trial_table

SPACE = SearchSpace({"lr": Real(1e-3, 1e-1, log=True), "batch_size": Choice([16, 32])})


def made_up(n_configs=9, n_repeats=3, n_epochs=4, seed=0):
    configs = [
        {"lr": 0.001 * (i + 1), "batch_size": 16, "hidden_size": 16} for i in range(n_configs)
    ]
    losses = np.random.default_rng(seed).random((n_configs, n_repeats, n_epochs))
    return Landscape(configs, list(range(n_repeats)), losses, losses)


def test_the_curves_of_a_repeat_are_those_of_its_rows_and_seed():
    configs = {"iris": {"lr": 0.01, "batch_size": 16}, "wine": {"lr": 0.01, "batch_size": 32}}
    full = study.full_curves(
        {name: [config] for name, config in configs.items()}, n_epochs=3, repeats=[4, 6]
    )
    for name, config in configs.items():
        alone = fit(config, load_splits(name, draw=6), n_epochs=3, seed=6)
        assert full[name].val_loss[0, 1] == pytest.approx(alone.val_loss, abs=1e-9)


def test_a_rank_correlation_is_the_correlation_of_the_ranks():
    full = made_up()
    found = study.rank_correlations({"a": full}, [(2, 3), (2, 4)])
    ranks = [rankdata(full.val_loss[:, 1, epoch]) for epoch in (1, 3)]
    assert found["rank_correlation"][4] == pytest.approx(pearsonr(*ranks).statistic)
    assert found["case"].tolist() == ["a, 2 with 3"] * 3 + ["a, 2 with 4"] * 3
    assert found["repeat"].tolist() == [0, 1, 2] * 2


def test_the_survivor_by_hand():
    full = made_up(n_configs=10)
    found = study.survivors({"a": full}, [(9, 1), (3, 2), (1, 4)])
    for repeat in range(3):
        losses = full.val_loss[:9, repeat]  # the tenth is not asked
        three = sorted(range(9), key=lambda i: losses[i, 0])[:3]
        left = min(three, key=lambda i: losses[i, 1])
        order = sorted(losses[:, 3])
        assert found.loc[repeat, "rank"] == order.index(losses[left, 3]) + 1
        assert found.loc[repeat, "behind"] == pytest.approx(losses[left, 3] - order[0])
        assert found.loc[repeat, "lr"] == full.configs[left]["lr"]
        assert found.loc[repeat, "best_lr"] == full.configs[int(losses[:, 3].argmin())]["lr"]
        assert found.loc[repeat, "worse_half"] == (losses[left, 3] > order[4])
        assert found.loc[repeat, "median_behind"] == pytest.approx(order[4] - order[0])


def test_an_interrupt_ends_the_survivors_instead_of_one_search_among_them(monkeypatch):
    full = made_up(n_configs=10)
    asked = []

    def interrupted(held, requests):
        asked.append(requests)
        raise KeyboardInterrupt

    monkeypatch.setattr(type(full), "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        study.survivors({"a": full}, [(9, 1), (3, 2), (1, 4)])
    assert len(asked) == 1


def test_a_survivor_as_good_as_the_best_by_the_rule_of_ties_has_rank_1():
    full = made_up(n_configs=3, n_repeats=1, n_epochs=2)
    full.val_loss[:, 0] = [[0.1, 0.5], [0.2, 0.5 - 1e-12], [0.3, 0.5 - 1e-12]]
    found = study.survivors({"a": full}, [(3, 1), (1, 2)])
    assert found["rank"].tolist() == [1] and found["worse_half"].tolist() == [False]


def test_best_so_far_never_rises_and_starts_alike():
    full = made_up()
    best = study.best_so_far(full).val_loss
    assert (np.diff(best, axis=2) <= 0).all() and (best[:, :, 0] == full.val_loss[:, :, 0]).all()
    assert (best[:, :, -1] == full.val_loss.min(axis=2)).all()


def test_the_bill_of_nine_epochs():
    trials = run(strategies.hyperband(SPACE, 9, seed=0), TrainingObjective(load_splits("iris")))
    bill = study.bill(trials, n_epochs=9, hours=24)
    assert bill["epochs"].tolist() == [17 * 9, 69, 78]
    assert bill["days"].tolist() == [17.0, 7.7, 8.7]


def test_how_far_configurations_come_with_the_papers_cuts_and_rays():
    objective = TrainingObjective(load_splits("iris"))
    paper = run(strategies.hyperband(SPACE, 9, seed=1), objective)
    rays = run(strategies.hyperband(SPACE, 9, seed=1, survivors="ceil"), objective)
    found = study.reached({"paper": paper, "ray": rays[::-1]}, strategies.hyperband_schedule(9))
    counted = {tuple(row[:3]): tuple(row[3:]) for row in found.to_numpy().tolist()}
    assert counted == {
        (1, 1, 1): (6, 6),
        (1, 3, 3): (2, 2),
        (1, 9, 9): (1, 1),
        (2, 3, 3): (3, 3),
        (2, 3, 9): (1, 0),
        (2, 9, 9): (1, 1),
        (3, 9, 9): (3, 3),
    }


def test_a_trial_is_stopped_early_when_it_ends_before_its_own_last_epoch():
    def table(*rows):
        return trial_table(
            trial_record({"lr": 0.1} | config, n_epochs=n, val_loss=0.5) for config, n in rows
        )

    searches = {
        "a": table(({}, 9), ({}, 3), ({}, 1)),
        "b": table(({"epochs": 5}, 5), ({"epochs": 15}, 9)),
    }
    found = study.stopped(searches, n_epochs=9)
    assert found.loc["a"].tolist() == [3, 2, 13, 27]
    assert found.loc["b"].tolist() == [2, 1, 14, 20]


# --- the race -------------------------------------------------------------------------------------


def fresh(config, n_epochs, draws):
    """Return the mean loss over these draws, each under its own seed, one training at a time."""
    curves = [
        fit(config, load_splits("iris", draw=draw), n_epochs=n_epochs, seed=draw) for draw in draws
    ]
    return np.mean([curve.val_loss[-1] for curve in curves])


def by_hand(strategy, repeat):
    """Return the trials of a search on the rows and seed of a repeat."""
    return run(strategy, TrainingObjective(load_splits("iris", draw=repeat)), seed=repeat)


def test_a_race_by_hand():
    judged = study.race("iris", SPACE, 3, repeats=[2, 5], n_judges=2)
    for repeat, found in judged.groupby("repeat"):
        hyperband = by_hand(strategies.hyperband(SPACE, 3, seed=repeat), repeat)
        n_epochs = hyperband["charged_epochs"].sum()
        random = strategies.random_search(SPACE, n_epochs // 3, 3, seed=10_000 + repeat)
        of_search = {
            "hyperband": hyperband,
            "random": by_hand(random, repeat),
            "full": hyperband[hyperband["n_epochs"] == 3],
        }
        assert set(found["search"]) == set(of_search)
        for row in found.itertuples():
            trials = of_search[row.search]
            best = incumbent(trials)
            assert row.config == config_of(trials, best)
            assert row.val_loss == pytest.approx(trials["val_loss"].min(), abs=1e-9)
            expected = fresh(row.config, row.n_epochs, lab.own_draws(repeat, "judge", 2))
            assert row.fresh == pytest.approx(expected, abs=1e-9)
        assert found.set_index("search")["epochs"][["hyperband", "full"]].tolist() == [n_epochs] * 2


def test_finalists_are_chosen_by_their_mean_on_other_draws():
    """Only the bracket that never cuts is left: two configurations, both of them finalists."""
    judged = study.race(
        "iris", SPACE, 3, repeats=[3], first_cut=3, n_finalists=2, n_again=2, n_judges=1
    )
    trials = by_hand(strategies.grid_search(SPACE.sample(2, seed=3), 3), 3)
    draws = lab.own_draws(3, "finalist", 2)
    losses = [fresh(config, 3, draws) for config in trials["config"]]
    found = judged.set_index("search").loc["hyperband"]
    assert found["config"] == trials["config"][int(np.argmin(losses))]
    assert found["val_loss"] == pytest.approx(min(losses), abs=1e-9)
    assert found["epochs"] == 2 * 3 + 2 * 2 * 3


@pytest.mark.parametrize(
    ("first_cut", "starts"), [(1, [81, 34, 15, 8, 5]), (2, [34, 15, 8, 5]), (81, [5])]
)
def test_brackets_that_cut_early_can_be_left_out(first_cut, starts):
    schedule = study.schedule_from(first_cut, 81)
    assert [rungs[0][0] for rungs in schedule] == starts


def judged(**fresh):
    """Return winners by search, repeat after repeat, whose loss as searched is ten times as high."""
    rows = [
        {"search": search, "repeat": repeat, "fresh": loss, "val_loss": 10 * loss, "epochs": 100}
        for search, losses in fresh.items()
        for repeat, loss in enumerate(losses)
    ]
    return pd.DataFrame(rows)


FIRST = judged(hyperband=[1.0, 2.0, 3.0], random=[0.5, 3.0, 2.5], full=[1.0, 1.5, 3.5])
LEVEL = 1e-12  # less than the rule of ties tells apart


def test_verdicts_count_the_repeats_in_which_hyperband_is_lower_and_no_ties():
    tied = FIRST.copy()
    tied.loc[tied["search"] == "hyperband", "val_loss"] = [5.0 - LEVEL, 7.0, 24.0]
    found = study.verdicts({"a": FIRST, "b": tied})
    assert found.loc["a"].tolist() == [1, 1, 1, 3, 0.0, 0.0]
    assert found.loc["b"].tolist() == [2, 1, 1, 3, 8.0, 0.0]


def test_remedies_are_compared_with_the_first_race_in_pairs():
    later = judged(
        hyperband=[1.0 + LEVEL, 1.0, 4.0], random=[0.5 + LEVEL, 2.0, 4.0 + LEVEL], full=[9.0] * 3
    )
    later["epochs"] = [10, 20, 30, *[500] * 6]
    found = study.remedies({"as it is": FIRST, "later": later})
    assert found.loc["as it is"].tolist() == [0, 0, 2.0, 1, 100, 0, 0]
    assert found.loc["only trials that reached R"].tolist() == [1, 1, 2.0, 1, 100, 0, 0]
    assert found.loc["later"].tolist() == [1, 1, 2.0, 1, 20, 1, 1]
