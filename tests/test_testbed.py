"""docs/testbed.md: its tables are what the tool gives now, and its verdicts are counted rightly."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from hpt_helpers.classroom.lab import searches
from hpt_helpers.classroom.tables.readings import early_order, random_orders
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.protocol import Told
from tools import boosting, many_workers, schedules, testbed


@pytest.fixture
def page():
    return testbed.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "section", ["made_of", "digits_budgets", "early", "shares", "boosting_order"]
)
def test_the_page_has_what_the_tool_gives(section, page):
    assert testbed.SECTIONS[section]() in page


def test_the_page_has_the_text_and_all_sections(page):
    text = testbed.TEXT.read_text(encoding="utf-8")
    assert all(f"{{{section}}}" in text for section in testbed.SECTIONS)
    assert all(part in page for part in re.split(r"\{[\w-]+\}", text))
    assert "{" not in page and "(not measured)" not in page


def test_without_all_tables_the_page_is_left_as_it_is(monkeypatch, tmp_path):
    monkeypatch.setattr(testbed, "PAGE", tmp_path / "testbed.md")
    monkeypatch.setattr(testbed, "NARROW", tmp_path / "digits_narrow.npz")
    monkeypatch.setattr(testbed, "SECTIONS", {})
    with pytest.raises(SystemExit, match=r"digits_narrow\.npz.* CONTRIBUTING\.md"):
        testbed.main()
    assert not testbed.PAGE.exists()


def test_sections_are_written_into_the_page_and_the_others_stay(monkeypatch, tmp_path):
    monkeypatch.setattr(testbed, "PAGE", tmp_path / "testbed.md")
    monkeypatch.setattr(testbed, "TEXT", tmp_path / "text.md")
    testbed.TEXT.write_text("# New title\n\n{one}\n\nbetween {optuna}\n\n{two}\n", encoding="utf-8")
    monkeypatch.setattr(testbed, "SECTIONS", {"one": lambda: "| 1 |", "two": lambda: "| 2 |"})
    testbed.PAGE.write_text(
        "# Title\n\n<!-- python -m tools.testbed one -->\n\n| old |\n\n<!-- end of one -->\n\n"
        "between\n\n<!-- python -m tools.testbed two -->\n\n| older |\n\n<!-- end of two -->\n",
        encoding="utf-8",
    )
    testbed.main(["two"], write=True)
    page = testbed.PAGE.read_text(encoding="utf-8")
    assert page.startswith("# New title") and "| old |" in page and "| older |" not in page
    assert page.index("| old |") < page.index("between") < page.index("| 2 |")
    testbed.main(["one"], write=True)
    assert testbed.PAGE.read_text(encoding="utf-8") == page.replace("| old |", "| 1 |")


def test_verdicts_count_pairs():
    judged = pd.DataFrame(
        {
            "search": ["random"] * 3 + ["other"] * 3,
            "repeat": [0, 1, 2] * 2,
            "val_loss": [0.5, 0.6, 0.7, 0.4, 0.5, 0.7],
            "fresh": [1.0, 2.0, 4.0, 2.0, 1.0, 2.0],
            "accuracy": [0.5, 0.6, 0.7, 0.8, 0.9, 0.9],
            "tried": [40] * 3 + [100] * 3,
        }
    )
    _, other = testbed.verdicts(judged).itertuples(index=False)
    assert other[:5] == ("other", 100, 0.5, 2.0, 0.9)
    assert other[5] == "2 : 0 → 2 : 1"
    assert other[6].startswith("0.79 (")  # the cube root of 2 · 1/2 · 1/2


def test_times_is_a_geometric_mean_over_searches_and_repeats():
    losses = np.array([[1.0, 4.0], [2.0, 8.0]])  # means of 2 and 4
    assert testbed.times(losses, np.ones((2, 2))) == "2.828 (2.000 to 4.000)"


def test_finalists_are_the_best_five_and_the_lowest_mean_wins(monkeypatch):
    found = load_table("simulated")

    def measure(choices, purpose, n, progress):  # as if new splits told what the judges say
        fresh = [found.fresh_loss[found.entry(*choice)] for choice in choices]
        return np.repeat(fresh, n).reshape(-1, n), None

    monkeypatch.setattr(testbed, "table_problem", lambda *_: SimpleNamespace(measure=measure))
    chosen, plain = testbed.finalists("simulated", 30)
    repeat, search = 4, 2
    tried = found.frame(30).query("repeat == 4").set_index("position")
    tried = tried.loc[random_orders(30, testbed.N_SEARCHES)[repeat, search]]
    assert chosen[repeat, search] == tried[:61].nsmallest(5, "val_loss")["fresh"].min()
    assert plain[repeat, search] == tried[:81].nsmallest(1, "val_loss")["fresh"].item()


def test_markdown():
    table = pd.DataFrame({"a": [0.12345], "b": ["x"], "c": [3]})
    assert testbed.markdown(table) == "| a | b | c |\n| --- | --- | --- |\n| 0.123 | x | 3 |"


def test_the_nearest_of_the_pool_stands_in():
    space = table_problem("digits", 30).space(0)

    def two_points(space, repeat, n_trials, n_epochs):
        losses = yield [(space.from_unit([[0.2] * len(space)])[0], n_epochs)]
        assert losses == [0.5]
        yield [(space.from_unit([[0.9] * len(space)])[0], n_epochs)]
        yield [(space.from_unit([[0.9] * len(space)])[0], n_epochs)]

    strategy = searches.on_pool(two_points, space, 0, 2, 27)
    [(first, _)] = next(strategy)
    [(second, _)] = strategy.send(np.array([0.5]))
    [(third, _)] = strategy.send(np.array([0.5]))
    assert third != second  # which was tried
    points = space.to_unit(space.configs)
    for config, wanted in ((first, 0.2), (second, 0.9)):
        [place] = space.to_unit([config])
        target = np.r_[[wanted] * 6, place[-1]]  # the batch size is the same everywhere
        distances = np.linalg.norm(points - target, axis=1)
        assert np.linalg.norm(place - target) == pytest.approx(distances.min(), abs=0.01)


def test_only_a_pool_has_configurations_to_stand_in():
    whole = table_problem("digits", 30, live=True).space(0)
    with pytest.raises(TypeError, match=r"space is SearchSpace.*PoolSpace"):
        next(searches.on_pool(searches.at_random, whole, 0, 2, 27))


def test_tpe_is_told_which_configuration_was_tried():
    space = table_problem("digits", 30).space(0)
    strategy, sizes = searches.tpe_on_pool(space, 0, 30, 27), []
    asked = next(strategy)
    while len(sizes) < 29:
        [(config, n_epochs)] = asked.trials
        assert config in space.configs and n_epochs == 27
        sizes.append(config["hidden_size"])
        # the widest networks are best, so that what learns goes there
        asked = strategy.send([Told(config, n_epochs, 1 / config["hidden_size"])])
    assert np.mean(sizes[15:]) > 1.5 * np.mean(sizes[:10])


def test_boosting_is_searched_on_its_rows_and_judged_on_others(monkeypatch):
    for name, value in {"N_ROWS": 400, "N_TRAIN": 150, "N_VAL": (30, 60)}.items():
        monkeypatch.setattr(boosting, name, value)
    monkeypatch.setattr(boosting, "N_TRIALS", (1, 2, 5))
    seen = []
    train = boosting.row_losses

    def spied(config, seed, X, y, rows, scored):
        seen.append((config, set(rows), set(scored)))
        losses = train(config, seed, X, y, rows, scored)
        model = HistGradientBoostingClassifier(
            max_iter=50, early_stopping=False, random_state=seed, **config
        ).fit(X[rows], y[rows])
        assert losses.mean() == pytest.approx(log_loss(y[scored], model.predict_proba(X[scored])))
        return losses

    monkeypatch.setattr(boosting, "row_losses", spied)
    found = boosting.repeat(3)
    assert found["searched"].shape == found["fresh"].shape == (2, 3)
    assert (np.diff(found["searched"]) <= 0).all()
    searches, judges = seen[:5], seen[5:]
    assert [config for config, _, _ in searches] == boosting.SPACE.sample(5, seed=3)
    assert len(judges) == 2 * len({tuple(config.items()) for config, _, _ in judges})
    used = searches[0][1] | searches[0][2]
    assert len(used) == 210 and all(not used & (rows | scored) for _, rows, scored in judges)
    assert all(not rows & scored for _, rows, scored in seen)


# --- schedules, and many workers ------------------------------------------------------------------


def test_a_bracket_keeps_the_best_third_at_each_rung():
    """Two brackets of nine. In the first, number 4 is best at the end and is cut at once."""
    losses = np.full((20, 3), 9.0)
    losses[:9, 0] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    losses[:9, 1] = [3, 2, 1, 0, 0, 0, 0, 0, 0]  # those of the cut ones do not count
    losses[:9, 2] = [5, 4, 3, 2, 1, 6, 7, 8, 9]
    losses[9:18] = np.arange(9, 0, -1)[:, None]  # the last one leads from the start
    losses[18:] = 0  # too few for a third bracket
    best, survivor = schedules.brackets(losses)
    assert best.tolist() == [1, 1] and survivor.tolist() == [3, 1]


def test_early_order_of_a_table_is_that_of_its_readings():
    found = schedules.early_order("digits", 30)
    read = early_order("digits", 360).set_index("epoch")["rank_correlation"]
    assert found.ninth.mean() == pytest.approx(read[3], abs=1e-12)
    assert found.third.mean() == pytest.approx(read[9], abs=1e-12)
    losses = load_table("digits").loss[:1000, 0, -1]
    assert found.rising[0] == (losses[:, 3] > losses[:, 2]).mean()
    assert found.best.shape == found.survivor.shape == (30, 37)
    assert found.best[0, 1] == losses[27:54, 3].min()


def test_workers_take_the_next_trial_when_they_are_idle():
    slow, idle_at, ends = many_workers.slowness(3), [0.0, 0.0], []
    assert many_workers.slowness(4).mean() == pytest.approx(1, abs=0.05)
    for i in range(20):
        start = min(idle_at)
        idle_at[idle_at.index(start)] = start + slow[i]
        if start < 4:
            ends.append(start + slow[i])
    found = many_workers._search("digits", 30, "random", 2, 4, 3)
    assert found["ended"] == pytest.approx(sorted(ends), abs=1e-9)


def test_a_search_that_goes_on_pays_for_its_new_epochs_only():
    found = many_workers._search("digits", 30, "cuts", 1, 3, 3)
    configs = load_table("digits").configs(3)
    place = [configs.index(json.loads(config)) for config in found["config"]]
    before, lasted = {}, []
    for i, n_epochs in zip(place, found["n_epochs"], strict=True):
        lasted.append((n_epochs - before.get(i, 0)) / 27 * many_workers.slowness(3)[i])
        before[i] = n_epochs
    assert np.diff(found["ended"], prepend=0) == pytest.approx(lasted, abs=1e-9)
    assert max(before.values()) == 27


def test_a_search_without_a_trial_that_ended_has_found_nothing():
    trials = many_workers.trials_by("digits", 30, ["random"], 1, 1).query("repeat < 3")
    first = trials.groupby("repeat")["ended"].min()
    judged = many_workers.judged_after("digits", 30, trials, first.median())
    none = first.to_numpy() > first.median()
    assert none.sum() == 1 and np.isinf(judged["fresh"]).tolist() == none.tolist()
    fresh = load_table("digits").fresh_loss[0, :3, -1]
    assert (judged["fresh"] == fresh)[~none].all()
    assert judged["tried"].tolist() == (~none).astype(int).tolist()


def test_repeats_in_which_a_schedule_is_ahead_are_counted():
    ones, losses = np.ones(3), np.array([[2.0], [2.0], [2.0]])
    none = schedules.EarlyOrder(0.8 * ones, 0.9 * ones, ones, losses, 1.5 * losses)
    third, best = np.array([0.95, 0.9, 0.85]), losses * [[0.5], [2], [2]]
    cosine = schedules.EarlyOrder(0.9 * ones, third, ones, best, 1.2 * best)
    assert list(testbed.nearer(none, cosine).values()) == ["3 : 0", "1 : 1", "3 : 0", "1 : 2"]
