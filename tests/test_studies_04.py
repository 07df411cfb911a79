"""The studies of lesson 4 against one training at a time, and numbers worked out by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata

from hpt_helpers import strategies
from hpt_helpers.classroom.landscape import Landscape
from hpt_helpers.classroom.studies import lesson_04 as study
from hpt_helpers.classroom.studies.repeats import TrainingOfRepeats
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run, run_many
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, same_trials, trial_record, trial_table

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


def fresh(config, n_epochs, repeat, others):
    """Return the mean loss over other repeats, one training at a time."""
    seeds = [1000 + 100 * repeat + other for other in others]
    curves = [
        fit(config, load_splits("iris", draw=seed), n_epochs=n_epochs, seed=seed) for seed in seeds
    ]
    return np.mean([curve.val_loss[-1] for curve in curves])


def test_a_race_by_hand():
    found = study.race("iris", SPACE, 3, repeats=[2, 5])
    for row, repeat in enumerate((2, 5)):
        objective = TrainingObjective(load_splits("iris", draw=repeat))
        hyper = run(strategies.hyperband(SPACE, 3, seed=repeat), objective, seed=repeat)
        n_trials = hyper["charged_epochs"].sum() // 3
        plain = run(
            strategies.random_search(SPACE, n_trials, 3, seed=10_000 + repeat),
            objective,
            seed=repeat,
        )
        for name, trials in (
            ("hyperband", hyper),
            ("random", plain),
            ("full", hyper[hyper["n_epochs"] == 3]),
        ):
            best = incumbent(trials)
            assert found[name][row] == pytest.approx(trials["val_loss"].min(), abs=1e-9)
            expected = fresh(
                config_of(trials, best), int(trials.at[best, "n_epochs"]), repeat, range(10)
            )
            assert found[f"{name}_fresh"][row] == pytest.approx(expected, abs=1e-9)
        assert found["epochs"][row] == hyper["charged_epochs"].sum()


def test_finalists_are_chosen_by_their_mean_on_other_repeats():
    found = study.race("iris", SPACE, 3, repeats=[3], least=3, n_finalists=2)
    [bracket] = [rungs for rungs in strategies.hyperband_schedule(3) if rungs[0][1] >= 3]
    objective = TrainingObjective(load_splits("iris", draw=3))
    trials = run(
        strategies.successive_halving(SPACE.sample(bracket[0][0], seed=3), bracket),
        objective,
        seed=3,
    )
    two = [config_of(trials, i) for i in trials["val_loss"].nsmallest(2).index]
    best = min(two, key=lambda config: fresh(config, 3, 3, range(50, 54)))
    assert found["hyperband_fresh"][0] == pytest.approx(fresh(best, 3, 3, range(10)), abs=1e-9)
    assert found["epochs"][0] == trials["charged_epochs"].sum() + 2 * 4 * 3


def test_a_race_is_run_once_and_another_one_anew(monkeypatch):
    settings = {"repeats": [4], "least": 1, "n_finalists": 1}
    first = study.race("iris", SPACE, 3, **settings)
    ran = []
    monkeypatch.setattr(study, "_race", lambda *given: ran.append(given) or first)
    pd.testing.assert_frame_equal(study.race("iris", SPACE, 3, **settings, progress=True), first)
    assert ran == []
    narrow = SearchSpace({**SPACE, "lr": Real(1e-3, 1e-2, log=True)})
    settings |= {"name": "iris", "space": SPACE, "n_epochs": 3}
    others = {
        "repeats": [4, 5],
        "least": 3,
        "n_finalists": 2,
        "name": "wine",
        "space": narrow,
        "n_epochs": 9,
    }
    for argument, value in others.items():
        study.race(**settings | {argument: value})
    assert len(ran) == 6


def test_repeats_that_train_together_are_the_repeats_alone():
    rows = {seed: load_splits("iris", draw=seed) for seed in (0, 7)}
    objective = TrainingOfRepeats("iris", list(rows))
    together = run_many(
        [strategies.hyperband(SPACE, 9, seed=s) for s in rows], objective, seeds=list(rows)
    )
    for trials, (seed, splits) in zip(together, rows.items(), strict=True):
        alone = run(strategies.hyperband(SPACE, 9, seed=seed), TrainingObjective(splits), seed=seed)
        assert same_trials(trials, alone)
    refused = run(strategies.grid_search(SPACE.sample(1, seed=0), 2), objective, seed=3)
    assert refused["status"].tolist() == ["failed"] and "seed is 3" in refused["reason"][0]


def table_of(**columns):
    return pd.DataFrame({"repeat": range(3), "epochs": 100} | columns)


FIRST = table_of(
    hyperband=[1.0, 2.0, 3.0],
    random=[2.0, 1.0, 4.0],
    full=[3.0, 3.0, 3.0],
    hyperband_fresh=[1.0, 2.0, 3.0],
    random_fresh=[0.5, 3.0, 2.5],
    full_fresh=[1.0, 1.5, 3.5],
)


def test_verdicts_count_the_repeats_in_which_hyperband_is_lower():
    found = study.verdicts({"a": FIRST})
    assert found.loc["a", ["as_searched", "among_full", "fresh", "of"]].tolist() == [2, 1, 1, 3]
    assert found.loc["a", ["gain", "gain_fresh"]].tolist() == [0.333, 0.0]


def test_remedies_are_compared_with_the_first_race_in_pairs():
    later = table_of(
        hyperband_fresh=[1.0 + 1e-12, 1.0, 4.0], random_fresh=[2.0, 2.0, 2.0], epochs=[10, 20, 30]
    )
    found = study.remedies({"as it is": FIRST, "later": later})
    assert found.loc["as it is"].tolist() == [0, 0, 2.0, 1, 100, 0, 0]
    assert found.loc["only trials that reached R"].tolist() == [1, 1, 2.0, 1, 100, 0, 0]
    assert found.loc["later"].tolist() == [1, 1, 2.0, 2, 20, 2, 1]
