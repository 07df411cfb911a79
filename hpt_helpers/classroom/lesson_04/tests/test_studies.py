"""The studies of lesson 4 against numbers worked out by hand, and the rule that it shows."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from scipy.stats import pearsonr, rankdata

from hpt_helpers import strategies
from hpt_helpers.classroom.lab import searches
from hpt_helpers.classroom.lesson_04 import studies
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.data import load_splits
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit
from hpt_helpers.training_objective import TrainingObjective
from hpt_helpers.trials import trial_record, trial_table

NOTEBOOK = Path(__file__).resolve().parents[4] / "notebooks" / "04_hyperband.ipynb"
SPACE = SearchSpace({"lr": Real(1e-3, 1e-1, log=True), "batch_size": Choice([16, 32])})


def made_up(n_repeats=3, n_configs=9, epochs=(1, 3, 9), seed=0):
    rng = np.random.default_rng(seed)
    losses = rng.random((n_repeats, n_configs, len(epochs)))
    lr, fresh_last, fresh_best = rng.random((3, n_repeats, n_configs))
    best = np.minimum.accumulate(losses, axis=2)
    return studies.Watched(epochs, lr, losses, best, fresh_last, fresh_best)


# --- early order and late order -------------------------------------------------------------------


def test_what_is_watched_in_a_table_is_what_the_table_has():
    held, table = studies.watched_in_table("digits", 30), load_table("digits")
    assert held.epochs == (1, 3, 9, 27) and held.last.shape == (30, 81, 4)
    assert held.last[4, 7].tolist() == table.loss[7, 4, 0].tolist()
    assert held.lr[4, 7] == table.configs(4)[7]["lr"]
    at_best = table.loss[7, 4, 0].argmin()
    assert held.fresh_last[4, 7] == table.fresh_loss[7, 4, -1]
    assert held.fresh_best[4, 7] == table.fresh_loss[7, 4, at_best]


def test_an_epoch_that_was_not_watched_is_refused():
    with pytest.raises(ValueError, match=r"epoch 5 was not watched; \(1, 3, 9\) were"):
        studies.rank_correlation(made_up(), 5, 9)


def test_what_is_watched_in_training_is_one_training_at_a_time(monkeypatch):
    monkeypatch.setattr(studies, "N_WATCHED", 2)
    held = studies.watched_in_training("iris", SPACE, 9, [4, 6, 7])
    config = SPACE.sample(2, seed=0)[1]
    curves = {
        r: fit(config, load_splits("iris", draw=r), n_epochs=9, seed=r).val_loss for r in (4, 6, 7)
    }
    assert held.epochs == (1, 3, 9) and held.lr[1, 1] == config["lr"]
    assert held.last[1, 1] == pytest.approx(curves[6][[0, 2, 8]], abs=1e-9)
    assert held.best[1, 1, 2] == pytest.approx(curves[6].min(), abs=1e-9)
    others = (curves[4] + curves[7]) / 2
    assert held.fresh_last[1, 1] == pytest.approx(others[8], abs=1e-9)
    assert held.fresh_best[1, 1] == pytest.approx(others[curves[6].argmin()], abs=1e-9)


def test_a_rank_correlation_is_the_correlation_of_the_ranks():
    held = made_up()
    [row] = studies.rank_correlations({"a": held}).to_dict("records")
    expected = [
        pearsonr(rankdata(losses[:, 0]), rankdata(losses[:, 2])).statistic for losses in held.last
    ]
    assert row["problem"] == "a" and row["epochs"] == "1 and 9"
    assert row["mean"] == pytest.approx(np.mean(expected))
    assert [row["lowest"], row["highest"]] == pytest.approx([min(expected), max(expected)])


def test_the_survivor_by_hand():
    losses = np.random.default_rng(1).random((9, 3))
    three = sorted(range(9), key=lambda i: losses[i, 0])[:3]
    assert studies.survivor(losses) == min(three, key=lambda i: losses[i, 1])


def test_what_survivors_are_worth_is_the_mean_of_their_fresh_losses():
    held = made_up(n_configs=12)  # of which a bracket of R = 9 takes nine
    by_last, by_best = (
        [studies.survivor(of[:9]) for of in losses] for losses in (held.last, held.best)
    )
    uncut = [min(range(9), key=lambda i: of[i].min()) for of in held.last]
    assert by_last != by_best and uncut != by_best

    def mean(fresh, left):
        return pytest.approx(np.mean([fresh[r, left[r]] for r in range(3)]))

    found = studies.survivors({"a": held, "b": made_up(seed=1)})
    assert list(found) == ["cuts", "weights", "a", "b"]
    assert found.set_index(["cuts", "weights"])["a"].to_dict() == {
        ("last loss", "last"): mean(held.fresh_last, by_last),
        ("last loss", "best"): mean(held.fresh_best, by_last),
        ("best so far", "best"): mean(held.fresh_best, by_best),
        ("no cuts", "best"): mean(held.fresh_best, uncut),
        ("a blind draw", "last"): pytest.approx(held.fresh_last[:, :9].mean()),
        ("a blind draw", "best"): pytest.approx(held.fresh_best[:, :9].mean()),
    }


# --- what was stopped, and what that saves --------------------------------------------------------


def test_the_bill_of_nine_epochs():
    trials = run(strategies.hyperband(SPACE, 9, seed=0), TrainingObjective(load_splits("iris")))
    bill = studies.bill(trials, n_epochs=9, hours=3)
    assert bill["epochs"].tolist() == [17 * 9, 69, 78]
    assert bill["hours"].tolist() == [51.0, 23.0, 26.0]


def test_a_trial_is_stopped_early_when_it_ends_before_its_own_last_epoch():
    def table(*rows):
        return trial_table(
            trial_record({"lr": lr} | config, n_epochs=n, val_loss=0.5) for lr, config, n in rows
        )

    searches = {
        "a": table((0.1, {}, 1), (0.2, {}, 1), (0.3, {}, 1), (0.1, {}, 3), (0.1, {}, 9)),
        "b": table((0.1, {"epochs": 5}, 5), (0.2, {"epochs": 15}, 9)),
    }
    found = studies.stopped(searches, n_epochs=9)
    assert found.loc["a"].tolist() == [3, 2, 11, 27]
    assert found.loc["b"].tolist() == [2, 1, 14, 20]


def test_the_results_at_each_rung_by_hand():
    rows = ((0.1, 1, 0.9), (0.2, 1, 0.5), (0.2, 3, 0.4), (0.3, 1, 0.7))
    trials = trial_table(
        trial_record({"lr": lr}, n_epochs=n, val_loss=loss) for lr, n, loss in rows
    )
    found = studies.by_rung({"a": trials, "b": trials[:1]})
    assert found.index.tolist() == [1, 3]
    assert found["a"].values.tolist() == [[3, pytest.approx(0.7), 0.5], [1, 0.4, 0.4]]
    assert found["b"].loc[1].tolist() == [1, 0.9, 0.9] and found["b"].loc[3].isna().all()


# --- ASHA's rule ----------------------------------------------------------------------------------


def lessons_promotion():
    [cell] = [
        cell.source
        for cell in nbformat.read(NOTEBOOK, as_version=4).cells
        if cell.source.startswith("def promotion(")
    ]
    names: dict = {}
    exec(cell, names)
    return names["promotion"]


def test_the_rule_that_the_lesson_shows_is_the_one_that_races():
    problem, promotion = table_problem("digits", 360), lessons_promotion()
    space = problem.space(2)

    def asha(configs, epochs):
        rungs = [{} for _ in epochs]
        while True:
            trial, rung = promotion(rungs) or (len(rungs[0]), 0)
            [loss] = yield [(configs[trial], epochs[rung])]
            rungs[rung][trial] = loss

    strategies_ = asha(space.sample(1000, seed=2), (1, 3, 9, 27)), searches.asha(space, 2, 13, 27)
    shown, raced = (run(s, problem.objective, budget=357, seed=2) for s in strategies_)
    assert len(shown) > 100 and shown["val_loss"].tolist() == raced["val_loss"].tolist()


def test_the_hours_that_the_lesson_quotes_are_those_of_the_testbed():
    root = NOTEBOOK.parents[1]
    lesson = NOTEBOOK.with_name("source").joinpath("04_hyperband.py").read_text(encoding="utf-8")
    measured = (root / "docs" / "testbed.md").read_text(encoding="utf-8")
    measured = measured.split("<!-- python -m tools.testbed workers_digits -->")[1]
    cells = {
        tuple(row[:2]): row[2:6]
        for line in measured.split("<!-- end")[0].splitlines()
        if len(row := [cell.strip() for cell in line.strip("|").split("|")]) > 6
    }
    quoted = lesson.split("# | machines | hours |")[1].split("#\n#")[0].splitlines()[2:]
    assert len(quoted) == 6
    for line in quoted:
        machines, hours, *losses = [cell.strip() for cell in line.strip("# |").split("|")]
        assert losses == cells[hours, machines]


# --- the race -------------------------------------------------------------------------------------


def test_a_race_looks_its_losses_up_in_the_table():
    table, problem = load_table("digits"), table_problem("digits", 360)
    judged = studies.race(problem, {"random": searches.at_random}, 3, repeats=[0, 5])
    for row in judged.itertuples():
        losses = table.loss[:3, row.repeat, 2, 3]
        assert row.val_loss == losses.min()
        assert row.fresh == table.fresh_loss[losses.argmin(), row.repeat, 3]


def judged(**fresh):
    """Return winners by search and repeat, whose loss as searched is ten less ten times as high."""
    rows = [
        {"search": search, "repeat": repeat, "fresh": loss, "val_loss": 10 - 10 * loss}
        for search, losses in fresh.items()
        for repeat, loss in enumerate(losses)
    ]
    return pd.DataFrame(rows)


RACES = {
    5: judged(a=[0.1, 0.2, 0.3], b=[0.2, 0.1, 0.4]),
    40: judged(a=[0.1, 0.1, 0.1], b=[0.2, 0.1 + 1e-12, 0.05]),
}


def test_wins_count_the_repeats_ahead_and_behind_and_no_ties():
    found = studies.wins(RACES, [("a", "b"), ("b", "a")], index="trainings")
    assert found.index.name == "trainings"
    assert found.loc[5].to_dict() == {"a over b": "2 : 1", "b over a": "1 : 2"}
    assert found.loc[40].to_dict() == {"a over b": "1 : 1", "b over a": "1 : 1"}
    both = studies.wins(RACES, [("a", "b")], index="trainings", by=("val_loss", "fresh"))
    assert both.loc[5].to_dict() == {"a as searched": "1 : 2", "a fresh": "2 : 1"}
    with pytest.raises(ValueError, match="same other search"):
        studies.wins(RACES, [("a", "b"), ("b", "a")], index="trainings", by=("val_loss", "fresh"))


def test_medians_by_search_in_the_order_of_the_races():
    found = studies.medians(RACES)
    assert {name: losses.tolist() for name, losses in found.items()} == {
        "a": [0.2, 0.1],
        "b": [0.2, 0.1 + 1e-12],
    }
