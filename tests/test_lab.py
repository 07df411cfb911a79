"""The laboratory, against plain `fit` and numbers worked out by hand."""

import math
import subprocess
import sys
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from scipy import stats

from hpt_helpers import config, strategies
from hpt_helpers.classroom.computing import processes
from hpt_helpers.classroom.lab import problems, racing, statistics, trainer
from hpt_helpers.classroom.lab.landscape import Landscape
from hpt_helpers.classroom.lab.statistics import SAME
from hpt_helpers.classroom.lab.trainer import Data, Job
from hpt_helpers.classroom.lesson_04.studies import survivor
from hpt_helpers.classroom.tables.recipes import judge_number
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.data import load_splits
from hpt_helpers.protocol import Told
from hpt_helpers.search import Request, run_many
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies.asynchronous import AshaState, next_trial, tell
from hpt_helpers.training import evaluate, fit
from hpt_helpers.trials import best, ranking

SPACE = SearchSpace(
    {"lr": Real(1e-3, 0.1, log=True), "batch_size": Integer(32, 64), "hidden_size": Choice([4, 8])}
)
PROBLEM = problems.network_problem("iris", SPACE, 3)
CONFIG = {"lr": 0.01, "batch_size": 16}
REPEATS = [2, 5]
IRIS = Data("iris")


def at_random(space, repeat, n_trials, n_epochs):
    return strategies.random_search(space, n_trials, n_epochs, seed=repeat)


def band(space, repeat, n_trials, n_epochs):
    return strategies.hyperband(space, n_epochs, seed=repeat)


def alone(config, n_epochs, repeat, seed=None):
    rows, seed = load_splits("iris", draw=repeat), repeat if seed is None else seed
    curve = fit(config, rows, n_epochs=n_epochs, seed=seed)
    return curve.val_loss[-1], curve.val_accuracy[-1]


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, and a process that has trained nothing."""
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path))
    trainer.forget()
    return tmp_path


@pytest.fixture
def trained(monkeypatch):
    """Return a list of how many networks were trained at a time."""
    counts, fit_many = [], trainer.fit_many

    def counting(configs, *arguments, **options):
        counts.append(len(configs))
        return fit_many(configs, *arguments, **options)

    monkeypatch.setattr(trainer, "fit_many", counting)
    return counts


# --- draws of a repeat's own ----------------------------------------------------------------------


def test_no_two_repeats_or_purposes_share_a_draw():
    found = [
        draw
        for repeat, purpose in product([0, 1, 2, 39, 999, 2474], trainer.PURPOSES)
        for draw in trainer.own_draws(repeat, purpose, 100)
    ]
    assert len(set(found)) == len(found) and min(found) >= 10_000
    assert max(found) == judge_number(repeat=0, judge=0) - 1  # a table's first judge


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((0, "joke", 1), "purpose is 'joke'; allowed are judge, finalist"),
        ((2475, "judge", 1), "repeat is 2475"),
        ((0, "judge", 101), "n is 101"),
    ],
)
def test_draws_that_are_not_there_are_refused(arguments, says):
    with pytest.raises(ValueError, match=says):
        trainer.own_draws(*arguments)


# --- training -------------------------------------------------------------------------------------


def test_jobs_of_any_kind_are_trained_as_alone_and_no_longer_than_asked():
    jobs = [
        Job(IRIS, {"lr": lr, "batch_size": size}, draw, seed, n_epochs)
        for lr, size, draw, seed, n_epochs in [
            *[(0.01, 16, 3, 3, 4), (0.02, 32, 3, 4, 1), (0.01, 16, 3, 3, 2), (0.03, 32, 4, 4, 9)],
        ]
    ]
    found = trainer.train(jobs)
    assert found.val_loss.shape == found.val_accuracy.shape == found.train_loss.shape == (4, 9)
    for i, (_, configuration, draw, seed, n_epochs) in enumerate(jobs):
        curve = fit(configuration, load_splits("iris", draw=draw), n_epochs=n_epochs, seed=seed)
        assert found.val_loss[i, :n_epochs] == pytest.approx(curve.val_loss, abs=1e-9)
        assert found.val_accuracy[i, :n_epochs].tolist() == curve.val_accuracy.tolist()
        assert np.isnan(found.val_loss[i, n_epochs:]).all()
    wine = trainer.train([*jobs, Job(Data("wine", 60, 20), CONFIG, 3, 3, 2)]).val_loss[-1, 1]
    fewer = load_splits("wine", draw=3, n_train=60, n_val=20)
    assert wine == pytest.approx(fit(CONFIG, fewer, n_epochs=2, seed=3).val_loss[-1], abs=1e-9)


def test_what_was_trained_is_not_trained_again(trained):
    jobs = [Job(IRIS, {"lr": lr, "batch_size": 16}, 5, 5, 4) for lr in (0.01, 0.02, 0.03)]
    first = trainer.train(jobs[:2]).val_loss
    again = trainer.train([*jobs, jobs[0]._replace(n_epochs=2)]).val_loss  # one is new
    assert trained == [2, 1] and (again[:2] == first).all() and (again[3, :2] == first[0, :2]).all()
    trainer.forget()
    # the disk has it
    assert (trainer.train(jobs[:2]).val_loss == first).all() and trained == [2, 1]
    trainer.train([jobs[0]._replace(n_epochs=5)])
    assert trained == [2, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        {"config": CONFIG | {"lr": float(np.nextafter(0.01, 1))}},
        {"config": CONFIG | {"hidden_size": 15}},
        {"data": Data("wine")},
        {"data": Data("iris", n_train=80)},
        {"data": Data("iris", n_val=20)},
        {"draw": 4},
        {"seed": 4},
        {"n_epochs": 3},
    ],
)
def test_another_job_is_another_entry(other, trained):
    job = Job(IRIS, CONFIG, 3, 3, 2)
    for each in (job, job._replace(**other), job):
        trainer.forget()
        trainer.train([each])
    assert len(trained) == 2


def test_another_default_or_other_rows_serve_no_old_curves(trained, monkeypatch):
    job = Job(IRIS, CONFIG, 3, 3, 2)
    before = trainer.train([job]).val_loss
    monkeypatch.setitem(config.DEFAULTS, "hidden_size", 4)
    assert trainer.train([job]).val_loss.tolist() != before.tolist()
    trainer.forget()
    trainer._digest.cache_clear()
    monkeypatch.setattr(trainer, "rows_of", lambda _, draw: load_splits("iris", seed=7, draw=draw))
    assert trainer.train([job]).val_loss.tolist() != before.tolist() and len(trained) == 3
    trainer._digest.cache_clear()


def test_networks_are_handed_over_as_they_are_after_each_epoch_that_is_asked_for():
    rows = [load_splits("iris", draw=draw) for draw in (3, 4)]
    configs = [CONFIG, CONFIG | {"hidden_size": 5}, CONFIG]
    splits, seeds = [rows[0], rows[1], rows[0]], [3, 4, 5]
    curves = [
        fit(config, of_one, n_epochs=4, seed=seed).val_loss
        for config, of_one, seed in zip(configs, splits, seeds, strict=True)
    ]
    looked_at = []
    for epoch, network in trainer.networks_after([4, 1, 4], configs, splits, seeds):
        looked_at.append(epoch)
        for i, of_one in enumerate(splits):
            loss, _ = evaluate(network(i), of_one.X_val, of_one.y_val)
            assert loss == pytest.approx(curves[i][epoch - 1], abs=1e-9)
    assert looked_at == [1, 4]
    [(_, network)] = trainer.networks_after([2], configs[:1], rows[0], 3)
    loss, _ = evaluate(network(0), rows[0].X_val, rows[0].y_val)
    assert loss == pytest.approx(curves[0][1], abs=1e-9)


def test_bad_jobs_are_refused():
    with pytest.raises(ValueError, match="batch_size is 200; the training part has 90 rows"):
        trainer.train([Job(IRIS, {"lr": 0.01, "batch_size": 200}, 0, 0, 2)])
    with pytest.raises(ValueError, match="batch_size is 16; the training part has 15 rows"):
        trainer.train([Job(Data("iris", n_train=15), CONFIG, 0, 0, 2)])


def test_one_process_gives_the_numbers_of_two_to_the_last_digit(monkeypatch, tmp_path):
    monkeypatch.setattr(trainer, "TOGETHER", 20)
    jobs = [Job(IRIS, c, draw, draw, 3) for draw in range(5) for c in SPACE.sample(20, seed=draw)]
    monkeypatch.setattr("joblib.cpu_count", lambda: 1)
    one = trainer.train(jobs)
    trainer.forget()
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path / "another"))
    monkeypatch.setattr("joblib.cpu_count", lambda: 2)
    monkeypatch.setattr(processes, "ALONE_S", -1)
    two = trainer.train(jobs)
    assert processes._executor is not None
    assert (one.val_loss == two.val_loss).all() and (one.train_loss == two.train_loss).all()


# --- searches -------------------------------------------------------------------------------------


def test_a_search_holds_each_trial_as_trained_alone_on_the_rows_and_seed_of_its_repeat():
    searches = {"random": at_random, "Hyperband": band}
    trials = racing.trials_of(PROBLEM, searches, repeats=REPEATS, budget=racing.hyperband_epochs(3))
    assert trials.groupby(["search", "repeat"]).size().tolist() == [6, 6, 3, 3]
    for row in trials.itertuples():
        expected = alone(row.config, row.n_epochs, row.repeat)
        assert (row.val_loss, row.val_accuracy) == pytest.approx(expected, abs=1e-9)
    drawn = trials.query("search == 'random' and repeat == 5")
    assert drawn["config"].tolist() == SPACE.sample(3, seed=5)
    assert drawn["trial"].tolist() == [0, 1, 2]
    spent = trials.query("search == 'Hyperband' and repeat == 2")["spent"].tolist()
    assert spent == [1, 2, 3, 5, 8, 11]  # three to epoch 1, the best on to 3, then two to 3


@pytest.mark.parametrize(("R", "total"), [(1, 1), (3, 11), (9, 69), (27, 357), (81, 1581)])
def test_hyperbands_epochs(R, total):
    assert racing.hyperband_epochs(R) == total


def test_no_search_trains_more_than_its_budget_and_another_budget_is_another_search():
    def greedy(space, repeat, n_trials, n_epochs):
        return strategies.random_search(space, 10, n_epochs, seed=repeat)

    for options, spent in [({"budget": 11}, [3, 6, 9]), ({"n_trials": 2}, [3, 6])]:
        trials = racing.trials_of(PROBLEM, {"greedy": greedy}, repeats=[2], **options)
        assert trials["spent"].tolist() == spent
    for options in ({}, {"budget": 9, "n_trials": 3}):
        with pytest.raises(ValueError, match="one of them is needed"):
            racing.trials_of(PROBLEM, {"greedy": greedy}, repeats=[2], **options)


def at(seed):
    """Return a search: a factory of closures, as a lesson may write one."""
    return lambda space, repeat, n_trials, n_epochs: strategies.random_search(
        space, n_trials, n_epochs, seed=seed
    )


def test_searches_of_one_factory_are_two_and_a_known_one_is_not_run_again(monkeypatch, cache):
    both = {"at 1": at(1), "at 5": at(5)}
    trials = racing.trials_of(PROBLEM, both, repeats=[2], n_trials=2)
    assert trials["config"].tolist() == SPACE.sample(2, seed=1) + SPACE.sample(2, seed=5)
    monkeypatch.setattr(racing, "run_many", None)
    again = racing.trials_of(PROBLEM, {"renamed": at(5)}, repeats=[2], n_trials=2)
    expected = trials.query("search == 'at 5'").reset_index(drop=True)
    pd.testing.assert_frame_equal(again.drop(columns="search"), expected.drop(columns="search"))
    for changed in (
        partial(racing.trials_of, problems.network_problem("wine", SPACE, 3)),
        partial(racing.trials_of, problems.network_problem("iris", SPACE, 4)),
        partial(racing.trials_of, problems.network_problem("iris", SPACE, 3, n_draws=2)),
    ):
        with pytest.raises(TypeError, match="not callable"):  # it would be run
            changed({"at 5": at(5)}, repeats=[2], n_trials=2)


def test_an_interrupted_search_leaves_nothing_in_the_cache(monkeypatch, cache):
    """Its repeats would stand in it, some of them cut short, for good.

    A search that had ended may stand in it.
    """
    searches, asked = {"random": at_random, "Hyperband": band}, []
    answer = problems.Trainings.__call__

    def interrupted(objective, requests):
        asked.append(requests)
        if len(asked) == 3:  # in the middle of Hyperband's first bracket
            raise KeyboardInterrupt
        return answer(objective, requests)

    run = partial(racing.trials_of, PROBLEM, searches, repeats=REPEATS, budget=11)
    with monkeypatch.context() as patch:
        patch.setattr(processes, "ALONE_S", 60)
        patch.setattr(processes, "_executor", None)
        patch.setattr(problems.Trainings, "__call__", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert len(list(cache.iterdir())) == 1
    assert len(run()) == 2 * (3 + 6)


def test_a_fault_of_the_objectives_is_no_failed_trial(cache):
    """It would stand in the cache as a loss of nan, for good."""

    def objective(requests):
        yield 0.5
        raise MemoryError("no room")

    problem = problems.Problem("faulty", lambda repeat: SPACE, objective, None)
    with pytest.raises(MemoryError, match="no room"):
        racing.trials_of(problem, {"random": at_random}, repeats=REPEATS, n_trials=3)
    assert not any(cache.iterdir())


def test_a_fault_before_the_first_answer_is_no_failed_trial_either(cache):
    """`run_many` would go on after it, as a person who searches wishes."""

    def objective(requests):
        raise ValueError("no such column")

    with pytest.warns(UserWarning, match="no such column"):
        [trials] = run_many([at_random(SPACE, 0, 3, 1)], objective)
    assert trials["val_loss"].isna().all()
    problem = problems.Problem("faulty", lambda repeat: SPACE, objective, None)
    with pytest.raises(ValueError, match="no such column"):
        racing.trials_of(problem, {"random": at_random}, repeats=REPEATS, n_trials=3)
    assert not any(cache.iterdir())


def test_a_search_of_a_notebook_runs_in_another_process_and_is_found_again_in_this_one(cache):
    """What the other process keeps must have the name under which this one looks for it."""
    code = (
        "from hpt_helpers import strategies\n"
        "from hpt_helpers.classroom.lab import problems\n"
        "from hpt_helpers.classroom.lab import racing\n"
        "from hpt_helpers.classroom.lab import statistics\n"
        "from hpt_helpers.classroom.lab import trainer\n"
        "from hpt_helpers.classroom.computing import processes\n"
        "from hpt_helpers.search_space import Real, SearchSpace\n"
        "import joblib; joblib.cpu_count = lambda: 2\n"
        "processes.ALONE_S = -1\n"
        "SHIFT = 1\n"
        "def seed_of(repeat): return repeat + SHIFT\n"
        "def ours(space, repeat, n_trials, n_epochs):\n"
        "    return strategies.random_search(space, n_trials, n_epochs, seed=seed_of(repeat))\n"
        "space = SearchSpace({'lr': Real(0.01, 0.1)})\n"
        "problem = problems.Problem('sum', lambda r: space,\n"
        "    lambda requests: [r.config['lr'] + r.seed for r in requests], None)\n"
        "trials = racing.trials_of(problem, {'ours': ours}, repeats=range(40), n_trials=2)\n"
        "first = space.sample(1, seed=1)[0]['lr']\n"
        "print(processes._executor is not None, trials['val_loss'][0] == first)\n"
    )
    for used_others in ("True", "False"):  # the second time, all is found
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
        assert run.stdout.split() == [used_others, "True"], run.stderr


def test_a_loss_of_three_draws_is_their_mean_and_costs_three_times_as_much():
    problem = problems.network_problem("iris", SPACE, 3, n_draws=3)
    once = racing.trials_of(PROBLEM, {"random": at_random}, repeats=REPEATS, n_trials=2)
    found = racing.trials_of(problem, {"random": at_random}, repeats=REPEATS, n_trials=2)
    assert found["config"].tolist() == once["config"].tolist()
    assert found["spent"].tolist() == (3 * once["spent"]).tolist()
    for row in found.itertuples():
        draws = [row.repeat, *trainer.own_draws(row.repeat, "mean", 2)]
        losses = [alone(row.config, row.n_epochs, draw)[0] for draw in draws]
        assert row.val_loss == pytest.approx(np.mean(losses), abs=1e-9)


def test_what_cannot_be_trained_is_a_failed_trial_that_costs_nothing():
    objective = problems.Trainings(IRIS)
    bad, good, diverging = objective(
        [
            Request({"lr": 0.01, "batch_size": 200}, 2, 0),
            Request(CONFIG, 2, 0),
            Request({"lr": 1e200, "batch_size": 16}, 2, 0),
        ]
    )
    assert math.isnan(bad.val_loss) and "batch_size is 200" in bad.reason and bad.n_trained == 0
    assert good.val_loss == pytest.approx(alone(CONFIG, 2, 0)[0], abs=1e-9) and not good.reason
    assert math.isnan(diverging.val_loss) and diverging.reason.startswith("diverged")


# --- winners --------------------------------------------------------------------------------------


def made_up(*rows):
    table = pd.DataFrame(
        rows, columns=["search", "repeat", "trial", "config", "n_epochs", "spent", "val_loss"]
    )
    return table.assign(config=[{"x": x} for x in table["config"]], val_accuracy=0.5)


TRIALS = made_up(
    ("b", 0, 0, "x", 3, 3, 0.5),
    ("b", 0, 1, "x", 9, 9, 0.2),
    ("b", 0, 2, "y", 3, 12, 0.2 + SAME / 2),  # as good, and cheaper
    ("b", 0, 3, "z", 9, 21, 0.4),
    ("b", 0, 4, "w", 9, 30, math.nan),
    ("a", 0, 0, "u", 9, 9, 0.7),
    ("a", 1, 0, "v", 9, 9, 0.1),
    ("b", 1, 0, "w", 9, 9, 0.9),
)


def test_winners_by_hand():
    won = racing.winners(TRIALS)
    columns = ["search", "repeat", "n_epochs", "looks", "tried", "epochs"]
    assert won[columns].to_numpy().tolist() == [
        *[["b", 0, 3, 5, 4, 30], ["a", 0, 9, 1, 1, 9], ["a", 1, 9, 1, 1, 9], ["b", 1, 9, 1, 1, 9]],
    ]
    assert [config["x"] for config in won["config"]] == ["y", "u", "v", "w"]
    of_b = racing.winners(TRIALS, 9).query("search == 'b' and repeat == 0")
    assert [config["x"] for config in of_b["config"]] == ["y", "x", "z"]
    assert of_b["val_loss"].tolist() == [0.2 + SAME / 2, 0.2, 0.4]
    with pytest.raises(ValueError, match="no trial of 'b' in repeat 0 succeeded"):
        racing.winners(TRIALS[TRIALS["trial"] == 4])


def test_of_equal_losses_of_as_many_epochs_the_first_trial_wins_wherever_its_row_stands():
    rows = [("a", 0, 3, "late", 9, 9, 0.5), ("a", 0, 1, "early", 9, 9, 0.5 + 1e-12)]
    assert racing.winners(made_up(*rows))["config"].tolist() == [{"x": "early"}]


EQUAL = [(0.5 + 1e-12, 9), (0.5, 27)]  # (loss, epochs)


def test_one_winner_everywhere_whichever_of_two_equal_losses_comes_first():
    for pairs in (EQUAL, EQUAL[::-1]):
        rows = [("a", 0, i, i, epochs, 99, loss) for i, (loss, epochs) in enumerate(pairs)]
        cheaper = [epochs for _, epochs in pairs].index(9)
        won = racing.winners(made_up(*rows))
        assert won["config"].tolist() == [{"x": cheaper}] and won["n_epochs"].tolist() == [9]
        assert best(*zip(*pairs, strict=True)) == cheaper


@pytest.mark.parametrize("losses", [[0.7, 0.5 + 1e-12, 0.5], [0.5, 0.5 + 1e-12, 0.7]])
def test_where_all_train_as_long_the_first_of_equal_losses_wins_everywhere(losses):
    first = ranking(losses)[0]
    assert first == min(i for i, loss in enumerate(losses) if loss < 0.6)
    assert statistics.best_along(np.array([losses, losses[::-1]]), axis=1)[0] == first
    assert statistics.best_along(np.array([losses]).T, axis=0).tolist() == [first]
    configs = [{"lr": lr, "batch_size": 16} for lr in (0.1, 0.2, 0.3)]
    curves = np.array(losses)[:, None, None]
    assert Landscape(configs, [0], curves, curves).best(1) == configs[first]
    assert survivor(np.repeat(np.array(losses)[:, None], 2, axis=1)) == first
    assert promoted_by_asha(losses) == [first]


# Losses some of which are equal, some nearly, and some not there at all.
CLOSE = st.sampled_from([0.5 + steps * SAME / 3 for steps in range(8)] + [0.7, math.nan, math.inf])


@given(st_numpy.arrays(float, (6, 3), elements=CLOSE))
def test_the_best_along_an_axis_are_the_best_of_each_line(losses):
    for lines, axis in ((losses, 1), (losses.T, 0)):
        if np.isfinite(losses).any(axis=1).all():
            found = statistics.best_along(lines, axis=axis).tolist()
            assert found == [best(line) for line in losses]
        else:
            with pytest.raises(ValueError, match="no loss is finite"):
                statistics.best_along(lines, axis=axis)


def promoted_by_asha(losses):
    """Return the numbers of the trials that go on from the first rung, of 1 epoch, to 3 epochs."""
    new = iter(range(len(losses)))
    state = AshaState([1, 3], 3, lambda state: next(({"x": i} for i in new), None))
    while job := next_trial(state):
        loss = losses[job.number] if job.rung == 0 else 0.0
        tell(state, job, Told(state.configs[job.number], state.rungs[job.rung], loss))
    return [job.number for job in state.results if job.rung == 1]


def test_many_small_steps_add_up_to_no_tie():
    """Each of 2,000 losses is .9e-9 above the one before; only the second equals the lowest."""
    losses = 0.5 + 0.9e-9 * np.arange(2000)
    rows = [("a", 0, i, i, 2000 - i, 99, loss) for i, loss in enumerate(losses)]
    assert racing.winners(made_up(*rows))["config"].tolist() == [{"x": 1}]
    assert statistics.best_along(losses[::-1], axis=0) == 1998
    at_end = np.repeat(losses[:, None], 2, axis=1)
    assert survivor(at_end[:3]) == 0 and survivor(at_end[2::-1]) == 1
    assert promoted_by_asha(losses[:3]) == [0] and promoted_by_asha(losses[2::-1]) == [1]


def test_a_failed_trial_wins_nothing():
    losses = np.array([[math.nan, math.inf, 0.3], [0.2, -math.inf, 0.2]])
    assert statistics.best_along(losses, axis=1).tolist() == [2, 0]
    with pytest.raises(ValueError, match="in 1 of 3 cases no loss is finite"):
        statistics.best_along(losses, axis=0)
    infinite = made_up(("a", 0, 0, "x", 9, 9, math.inf))
    with pytest.raises(ValueError, match="no trial of 'a' in repeat 0 succeeded"):
        racing.winners(infinite)


def test_a_winner_is_judged_at_its_own_epoch_and_in_full_by_judges_of_its_repeat():
    trials = racing.trials_of(PROBLEM, {"band": band}, repeats=REPEATS, budget=11)
    won = racing.winners(trials).assign(n_epochs=[1, 3])
    judged = racing.judge(PROBLEM, won, 2)
    for row in judged.itertuples():
        judges = trainer.own_draws(row.repeat, "judge", 2)
        fresh = np.mean([alone(row.config, row.n_epochs, judge) for judge in judges], axis=0)
        assert (row.fresh, row.accuracy) == pytest.approx(tuple(fresh), abs=1e-9)
        in_full = np.mean([alone(row.config, 3, judge)[0] for judge in judges])
        assert row.in_full == pytest.approx(in_full, abs=1e-9)


def test_a_winner_has_as_many_judges_as_its_problem_says_and_a_table_s_problem_says_its_own():
    counts = []

    def measure(choices, purpose, n, progress):
        counts.append(n)
        return np.zeros((2, len(choices), n))

    problem = problems.Problem("line", lambda repeat: SPACE, None, measure, n_judges=7)
    racing.judge(problem, racing.winners(TRIALS.assign(n_epochs=1)))
    racing.judge(problem, racing.winners(TRIALS.assign(n_epochs=1)), 2)
    assert counts == [7, 2]
    assert problems.network_problem("iris", SPACE, 3, n_judges=20).n_judges == 20
    assert table_problem("digits", 30).n_judges == load_table("digits").n_judges


def test_a_race_is_a_search_whose_winners_are_judged():
    raced = racing.race(PROBLEM, {"random": at_random}, 3, repeats=REPEATS, n_judges=2)
    trials = racing.trials_of(PROBLEM, {"random": at_random}, repeats=REPEATS, n_trials=3)
    pd.testing.assert_frame_equal(raced, racing.judge(PROBLEM, racing.winners(trials), 2))


def test_finalists_are_trained_on_draws_of_their_own_and_paid_for():
    trials = racing.trials_of(PROBLEM, {"random": at_random}, repeats=REPEATS, n_trials=3)
    again = racing.retrain(PROBLEM, trials, 2, 3)
    assert len(again) == 2 * 2 and list(again.columns) == list(trials.columns)
    for row in again.itertuples():
        draws = trainer.own_draws(row.repeat, "finalist", 3)
        losses = [alone(row.config, row.n_epochs, draw)[0] for draw in draws]
        assert row.val_loss == pytest.approx(np.mean(losses), abs=1e-9)
    assert again["spent"].tolist() == [9 + 2 * 3 * 3] * 4


# --- comparisons ----------------------------------------------------------------------------------


def test_pairs_by_hand():
    """Losses that differ by 1e-9 are equal; counted as a win they would be somebody's lead."""
    assert statistics.pairs([1, 2, 3, 4 + SAME / 2], [2, 2, 2, 4]) == (1, 2, 1)
    assert statistics.pairs([1, 1 - 3e-9, 1 + 3e-9], [1, 1, 1]) == (1, 1, 1)
    with pytest.raises(ValueError, match="1 of the 2 pairs hold a nan"):
        statistics.pairs([1, math.nan], [1, 1])


def test_a_comparison_by_hand():
    table = pd.DataFrame(
        {
            "search": ["random"] * 4 + ["other"] * 4 + ["same"] * 4,
            "repeat": [0, 1, 2, 3] * 3,
            "fresh": [1.0, 1.0, 1.0, 1.0, 0.5, 0.5, 2.0, 0.5, 1.0, 1.0, 1.0 - 1e-12, 1.0],
        }
    )
    other, same = statistics.compare(table, "random").to_dict("records")
    assert other["search"] == "other" and other["ratio"] == pytest.approx(2**-0.5)  # (1/2)³ · 2
    assert [other[name] for name in ("wins", "ties", "defeats", "of")] == [3, 0, 1, 4]
    assert other["low"] == pytest.approx(0.5) and other["high"] == pytest.approx(2**0.5)
    assert [same[name] for name in ("wins", "ties", "defeats", "of")] == [0, 4, 0, 4]
    signed = statistics.compare(table.assign(fresh=table["fresh"] - 1), "random")
    assert signed["ratio"].isna().all() and signed["wins"].tolist() == [3, 0]


def test_a_bootstrap_interval_is_near_scipys():
    values = np.random.default_rng(3).exponential(size=40)
    theirs = stats.bootstrap(
        (values,), np.mean, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert statistics.bootstrap(values) == pytest.approx((theirs.low, theirs.high), abs=0.03)
    assert statistics.bootstrap([2.0] * 5) == (2.0, 2.0)


@pytest.mark.parametrize(("own", "least", "most"), [(True, 0.88, 0.98), (False, 0.4, 0.75)])
def test_the_interval_holds_the_judges_luck_only_where_each_repeat_has_its_own(own, least, most):
    """By simulation: 40 repeats of a race that is level, judged by 10 judges.

    Judges favour one of two kinds of winners; with judges for all, all repeats lean their way.
    """
    held, rng = 0, np.random.default_rng(0)
    for _ in range(200):
        kinds = rng.choice([-1, 1], size=(40, 1), p=[0.1, 0.9])  # mostly one, as of high rates
        judges = rng.normal(size=(40 if own else 1, 10))
        gaps = (kinds * judges).mean(axis=1) + rng.normal(scale=0.5, size=40)
        low, high = statistics.bootstrap(gaps, 500)
        held += low <= 0 <= high
    assert least <= held / 200 <= most


def test_a_mean_and_its_standard_error_by_hand():
    # 1, 2, 6: mean 3, squared deviations 4 + 1 + 9 = 14, variance 7, error sqrt(7 / 3)
    assert statistics.mean_and_error([1, 2, 6]) == pytest.approx((3, (7 / 3) ** 0.5))
