"""Strategies that ask while their trials run, on a simulated clock: schedules, logs and budgets."""

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.lab.simulated_workers import SimulatedWorkers
from hpt_helpers.config import config_key
from hpt_helpers.search import Ask, Outcome, run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.strategies import (
    asha,
    bayesian_search,
    grid_search,
    hyperband,
    mobster,
    random_search,
)
from hpt_helpers.trials import read_log, trial_table

TEN = [{"x": i} for i in range(10)]
SPACE = SearchSpace({"x": Real(0, 1), "y": Real(1e-3, 1, log=True), "z": Choice(["a", "b"])})


def loss_of(config, n_epochs):
    return config["x"] + n_epochs / 100


def objective(requests):
    """Losses that say what was evaluated; 3 epochs of {"x": 2} give 2.03."""
    return [loss_of(r.config, r.n_epochs) for r in requests]


def in_space(requests):
    return [(r.config["x"] - 0.3) ** 2 + r.config["y"] + 1 / r.n_epochs for r in requests]


class Continuing:
    """An objective whose trials go on from where a configuration was."""

    def __init__(self, function=loss_of):
        self.function, self.asked = function, []
        self.identity = config_key

    def __call__(self, requests):
        for request in requests:
            self.asked.append(request)
            yield self.function(request.config, request.n_epochs)


def lasting(seconds):
    """Say that the trial of {"x": i} takes seconds[i]."""
    return lambda request: seconds[request.config["x"]]


def one_by_one(configs, n_epochs=1, heard=None):
    """Ask late for one trial after the other, and note what was told when."""
    for i, config in enumerate(configs):
        told = yield Ask([(config, n_epochs)], late=True, labels=[i])
        if heard is not None:
            heard.append([(t.label, t.val_loss) for t in told])


# --- schedules by hand ----------------------------------------------------------------------------


def test_two_workers_by_hand():
    """Worker A runs 0 (3 s), 3 (1 s), 4; worker B runs 1 (1 s), 2 (1 s), and then waits.

    1 ends at 1 s, 2 at 2 s, 0 at 3 s and 3 at 3 s, started at 2 s by B; 4 is started by A at 3 s.
    """
    heard = []
    workers = SimulatedWorkers(objective, 2, lasting([3, 1, 1, 1, 5]))
    trials = run(one_by_one(TEN[:5], heard=heard), objective, workers=workers)
    assert trials["x"].tolist() == [1, 2, 0, 3, 4]
    assert trials["asked"].tolist() == [1, 2, 0, 3, 4]
    assert trials["n_known"].tolist() == [0, 1, 0, 2, 3]
    assert trials["runtime_s"].tolist() == [1, 1, 3, 1, 5]
    # nothing when the second worker is idle; the last four are told when the search could end
    assert heard == [[], [(1, 1.01)], [(2, 2.01)], [(0, 0.01)], [(3, 3.01)]]
    assert workers.now() == 8 and trials.attrs["ended"] == "strategy"


def test_asha_with_four_workers_gives_the_schedule_computed_by_hand():
    """An epoch takes 1 s, lower x is better, rungs at 1 and 3 epochs, and one of three goes on.

    All workers are done at whole seconds, in the order in which they started.
    s 0: 5, 4, 3, 2 start.
    s 1: 5 and 4 end; of one or two nobody goes on, so 1 and 0 start. 3 ends and is the best of
    three, so it goes on for its two new epochs. 2 ends and is the best of four, so it goes on.
    s 2: 1 ends and is the best of five, so it goes on. 0 ends; the best two of six are 0 and 1, and
    0 goes on.
    s 3: 3 and 2 end at their last epoch, and 6 and 7 start. There is no other.
    s 4: 1, 0, 6 and 7 end, and nobody else is among the best two of eight.
    """
    first = [{"x": x} for x in (5, 4, 3, 2, 1, 0, 6, 7)]
    space = SearchSpace({"x": Choice(list(range(8)))})
    going_on = Continuing()
    workers = SimulatedWorkers(going_on, 4, lambda request: request.n_epochs - request.n_done)
    strategy = asha(space, 3, seed=0, first=first)
    trials = run(strategy, going_on, workers=workers)
    found = list(zip(trials["x"], trials["n_epochs"], trials["n_known"], strict=True))
    assert found == [
        *[(5, 1, 0), (4, 1, 0), (3, 1, 0), (2, 1, 0)],
        *[(1, 1, 1), (0, 1, 2), (3, 3, 3), (2, 3, 4)],
        *[(1, 3, 5), (0, 3, 6), (6, 1, 7), (7, 1, 8)],
    ]
    assert trials["charged_epochs"].tolist() == [1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1]
    assert workers.now() == 4


def test_a_list_is_answered_when_all_of_it_has_ended_in_the_order_asked():
    """Three workers; the list of four takes until 3 s, and the second starts then."""
    sent = []

    def strategy():
        sent.append((yield [(config, 1) for config in TEN[:4]]).tolist())
        sent.append((yield Ask([(TEN[4], 1), (TEN[5], 1)], labels="ab")))

    workers = SimulatedWorkers(objective, 3, lasting([3, 2, 1, 1, 2, 1]))
    trials = run(strategy(), objective, workers=workers)
    assert trials["x"].tolist() == [2, 1, 3, 0, 5, 4]
    assert trials["n_known"].tolist() == [0, 0, 0, 0, 4, 4]
    assert sent[0] == [0.01, 1.01, 2.01, 3.01]
    assert [(t.label, t.config["x"]) for t in sent[1]] == [("a", 4), ("b", 5)]
    assert workers.now() == 5


def test_a_configuration_asked_twice_is_told_by_its_labels():
    told = []

    def strategy():
        told.extend((yield Ask([(TEN[0], 1), (TEN[0], 1)], late=True, labels=["first", "second"])))
        while len(told) < 2:
            told.extend((yield Ask([], late=True)))

    lasts = iter([2.0, 1.0])
    workers = SimulatedWorkers(objective, 2, lambda request: next(lasts))
    run(strategy(), objective, workers=workers)
    assert [t.label for t in told] == ["second", "first"]


def test_labels_survive_a_strategy_around_the_strategy():
    heard = []

    def warm():
        yield [(TEN[8], 1)]
        yield from one_by_one(TEN[:3], heard=heard)

    workers = SimulatedWorkers(objective, 2, lambda request: 1.0)
    run(warm(), objective, workers=workers)
    assert [label for answers in heard for label, _ in answers] == [0, 1]


def test_trials_that_run_when_the_strategy_returns_are_finished():
    def strategy():
        yield Ask([(config, 1) for config in TEN[:4]], late=True)

    workers = SimulatedWorkers(objective, 2, lambda request: 1.0)
    trials = run(strategy(), objective, workers=workers)
    assert trials["x"].tolist() == [0, 1, 2, 3] and trials.attrs["ended"] == "strategy"


def test_a_list_while_late_trials_run_does_not_wait_for_them():
    """0 takes 9 s. The list of 1 and 2 is answered at 2 s, the late one when it has ended."""
    sent = []

    def strategy():
        sent.append((yield Ask([(TEN[0], 1)], late=True)))
        sent.append((yield [(TEN[1], 1), (TEN[2], 1)]).tolist())
        sent.append((yield Ask([], late=True)))

    workers = SimulatedWorkers(objective, 2, lasting([9, 1, 1]))
    trials = run(strategy(), objective, workers=workers)
    assert trials["x"].tolist() == [1, 2, 0]
    assert sent[0] == [] and sent[1] == [1.01, 2.01] and sent[2][0].config == TEN[0]


def test_trials_that_continue_one_training_do_not_run_at_once():
    """The second worker takes the third trial, as the second would continue the first."""
    going_on = Continuing()
    workers = SimulatedWorkers(going_on, 2, lambda r: r.n_epochs - r.n_done)
    asked = [(TEN[0], 2), (TEN[0], 5), (TEN[1], 4)]
    trials = run((batch for batch in [asked]), going_on, workers=workers)
    assert [(r.config["x"], r.n_done) for r in going_on.asked] == [(0, 0), (1, 0), (0, 2)]
    assert trials["asked"].tolist() == [0, 2, 1] and trials["charged_epochs"].tolist() == [2, 4, 3]


# --- one worker -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make",
    [
        lambda: random_search(SPACE, 12, 3, seed=1),
        lambda: bayesian_search(SPACE, 12, 3, seed=1, batch_size=3),
        lambda: hyperband(SPACE, 9, seed=1),
        lambda: asha(SPACE, 9, 30, seed=1),
        lambda: mobster(SPACE, 9, 30, seed=1),
    ],
)
def test_one_worker_gives_the_same_trials_wherever_it_is(make):
    here = run(make(), in_space)
    there = run(make(), in_space, workers=SimulatedWorkers(in_space, 1, lambda r: r.n_epochs))
    again = run(make(), in_space)
    for other in (there, again):
        pd.testing.assert_frame_equal(
            here.drop(columns="runtime_s"), other.drop(columns="runtime_s")
        )
    assert "asked" not in here and len(here) >= 12


def test_one_worker_has_ended_each_trial_before_it_asks_for_the_next():
    heard = []
    run(one_by_one(TEN[:3], heard=heard), objective)
    assert heard == [[(0, 0.01)], [(1, 1.01)], [(2, 2.01)]]


# --- misuse ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        (Ask([], late=True), "asked for no trial while none runs"),
        (Ask([]), "empty list"),
        (Ask([(TEN[0], 1)], labels=[1, 2]), "2 labels for 1 trials"),
    ],
)
def test_an_ask_that_cannot_be_is_refused(asked, says):
    with pytest.raises(ValueError, match=says):
        run((ask for ask in [asked]), objective)


# --- budget, time, interrupts ---------------------------------------------------------------------


@pytest.mark.parametrize(("budget", "n_trials"), [(0, 0), (3, 1), (8, 2), (9, 3), (100, 10)])
def test_a_budget_counts_what_runs(budget, n_trials):
    """Three workers, three epochs each."""
    workers = SimulatedWorkers(objective, 3, lambda request: 1.0)
    trials = run(one_by_one(TEN, 3), objective, workers=workers, budget=budget)
    assert len(trials) == n_trials and trials["charged_epochs"].sum() <= budget
    assert trials.attrs["ended"] == ("strategy" if budget == 100 else "budget")


def test_a_continued_training_is_promised_once():
    """While epoch 1 to 3 run, 4 is promised one epoch, whatever the record says so far."""
    going_on = Continuing()

    def strategy():
        yield Ask([(TEN[0], 3)], late=True)
        yield Ask([(TEN[0], 4)], late=True)
        yield Ask([(TEN[1], 1)], late=True)

    workers = SimulatedWorkers(going_on, 2, lambda request: 1.0)
    trials = run(strategy(), going_on, workers=workers, budget=4)
    assert trials["charged_epochs"].tolist() == [3, 1]


def test_nothing_starts_after_the_time_and_what_runs_is_finished():
    """Two workers and 2.5 s: at 0, 1 and 2 s two start; the last two run to their end at 3 s."""
    workers = SimulatedWorkers(objective, 2, lambda request: 1.0)
    with pytest.warns(UserWarning, match=r"limit of 2\.5 seconds, after 6 trials"):
        trials = run(one_by_one(TEN), objective, workers=workers, seconds=2.5)
    assert trials["x"].tolist() == [0, 1, 2, 3, 4, 5] and workers.now() == 3
    assert trials.attrs["ended"] == "seconds"
    workers = SimulatedWorkers(objective, 2, lambda request: 1.0)
    all_ten = (batch for batch in [[(c, 1) for c in TEN]])
    with pytest.warns(UserWarning, match="limit of 2 seconds, after 4 trials"):
        at_once = run(all_ten, objective, workers=workers, seconds=2)
    assert len(at_once) == 4 and at_once.attrs["ended"] == "seconds"


def test_an_interrupt_keeps_what_has_ended_and_loses_what_runs():
    class Interrupted(SimulatedWorkers):
        def wait(self):
            if self.now() == 2:
                raise KeyboardInterrupt
            return super().wait()

    workers = Interrupted(objective, 2, lasting([1, 2, 5, 5]))
    with pytest.warns(UserWarning, match="interrupted: the 2 trials"):
        trials = run(one_by_one(TEN), objective, workers=workers)
    assert trials["x"].tolist() == [0, 1] and trials.attrs["ended"] == "interrupted"


@pytest.mark.parametrize("n_workers", [1, 2])
@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_a_budget_in_the_objectives_own_cost_ends_with_the_trial_that_reaches_it(n_workers):
    """Each costs .4. Two workers have another one running when the third has ended."""

    def costly(requests):
        return [Outcome(0.5, cost=0.4) for _ in requests]

    options = {"budget": 1.0, "budget_unit": "cost"}
    if n_workers == 2:
        options["workers"] = SimulatedWorkers(costly, 2, lambda request: 1.0)
    for strategy in (one_by_one(TEN), grid_search(TEN, 1)):
        if n_workers == 2:
            options["workers"] = SimulatedWorkers(costly, 2, lambda request: 1.0)
        trials = run(strategy, costly, **options)
        assert trials["charged_cost"].tolist() == [0.4] * (2 + n_workers)
        assert trials.attrs["ended"] == "budget"


def test_a_budget_in_seconds_counts_the_time_of_all_workers():
    """Each takes 2 s: at 2 s the two workers have used 4, at 4 s 8 of the 7 there are."""
    workers = SimulatedWorkers(objective, 2, lambda request: 2.0)
    trials = run(one_by_one(TEN), objective, workers=workers, budget=7, budget_unit="seconds")
    assert len(trials) == 5 and "charged_cost" not in trials


def test_a_cost_that_fails_or_is_missing():
    answers = iter([Outcome(0.5, cost=-1), Outcome(0.5, cost=math.inf), Outcome(0.5, cost="much")])
    trials = run(grid_search(TEN[:3], 1), lambda requests: [next(answers) for _ in requests])
    assert (trials["status"] == "failed").all() and "its cost is" in trials["reason"][0]
    with pytest.raises(ValueError, match=r"states none of .*Outcome\(loss, cost=…\)"):
        run(grid_search(TEN, 1), objective, budget=3, budget_unit="cost")
    with pytest.raises(ValueError, match="budget_unit is 'hours'; allowed are"):
        run(grid_search(TEN, 1), objective, budget=3, budget_unit="hours")


def test_costs_stand_in_the_table_and_in_the_log_and_a_failed_trial_has_none(tmp_path):
    log = tmp_path / "log"

    def each(requests):
        for r in requests:
            yield math.nan if r.config["x"] == 1 else Outcome(1, cost=2)

    trials = run(grid_search(TEN[:3], 1), each, log=log, budget=9, budget_unit="cost")
    np.testing.assert_array_equal(trials["charged_cost"].astype(float), [2, math.nan, 2])
    pd.testing.assert_frame_equal(trial_table(read_log(log)), trials)
    pd.testing.assert_frame_equal(run(grid_search(TEN[:3], 1), each, log=log), trials)


# --- the log --------------------------------------------------------------------------------------


class Killed(BaseException):
    """Stands for the end of the process: nothing of the search runs on."""


def killed_after(n, make, log, n_workers, seconds_of):
    """Run until n trials have ended, and leave the log as a kill does."""

    class Dying(SimulatedWorkers):
        n_ended = 0

        def wait(self):
            if self.n_ended == n:
                raise Killed
            self.n_ended += 1
            return super().wait()

    with pytest.raises(Killed):
        run(make(), in_space, workers=Dying(in_space, n_workers, seconds_of), log=log)


def duration(request):
    """Different for each trial, so that they end in another order than they were asked for."""
    return request.n_epochs * (0.5 + request.config["x"])


def started_by(make, log, n_workers=3):
    """Return the trials, and what was really evaluated: (configuration, epochs) of each."""
    evaluated = []

    def noting(requests):
        evaluated.extend((config_key(r.config), r.n_epochs) for r in requests)
        return in_space(requests)

    workers = SimulatedWorkers(noting, n_workers, duration)
    return run(make(), noting, workers=workers, log=log), evaluated


STRATEGIES = {
    "asha": lambda: asha(SPACE, 9, 30, seed=1),
    "mobster": lambda: mobster(SPACE, 9, 30, seed=1),
    "random": lambda: random_search(SPACE, 30, 3, seed=1),
    "hyperband": lambda: hyperband(SPACE, 9, seed=1),
    "bayesian": lambda: bayesian_search(SPACE, 12, 3, seed=1, batch_size=3),
}


@pytest.mark.parametrize("n_ended", [0, 1, 7, 11])
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_killed_search_of_three_workers_runs_again_what_ran_and_nothing_twice(
    name, n_ended, tmp_path
):
    log, make = tmp_path / "log", STRATEGIES[name]
    killed_after(n_ended, make, log, 3, duration)
    before = read_log(log) if log.exists() else []
    assert len(before) == n_ended
    trials, evaluated = started_by(make, log)
    assert len(evaluated) == len(trials) - n_ended
    done = [(config_key(r["config"]), r["n_epochs"]) for r in before]
    assert not set(done) & set(evaluated)
    assert sorted(trials["asked"]) == list(range(len(trials)))
    assert trials["val_loss"].tolist()[:n_ended] == [r["val_loss"] for r in before]
    whole, _ = started_by(make, None)
    if name in ("random", "hyperband", "bayesian"):  # what they ask for depends on no clock
        assert same_configs(trials, whole)
    known = dict(
        zip(whole["asked"], zip(whole["config"], whole["n_known"], strict=True), strict=True)
    )
    for row in trials.itertuples():  # as far as it was asked for before the kill, all is the same
        if row.asked < n_ended + 3:
            assert known[row.asked] == (row.config, row.n_known)
    # and once more, from a whole log
    again, evaluated = started_by(make, log)
    pd.testing.assert_frame_equal(again, trials)
    assert evaluated == []


def same_configs(one, two):
    one, two = (sorted(map(config_key, trials["config"])) for trials in (one, two))
    return one == two


@pytest.mark.parametrize("name", ["asha", "mobster", "hyperband"])
def test_a_search_killed_again_and_again_ends_with_all_of_its_trials(name, tmp_path):
    """The last time by one worker, which keeps the order that the log has."""
    log, make = tmp_path / "log", STRATEGIES[name]
    for n in (4, 3, 5):
        killed_after(n, make, log, 3, duration)
    assert len(read_log(log)) == 12
    trials = run(make(), in_space, log=log)
    n = len(trials)
    assert n == (30 if name != "hyperband" else 22)
    assert sorted(trials["asked"]) == list(range(n)) and "n_known" in trials
    pd.testing.assert_frame_equal(trial_table(read_log(log)), trials)
    wide, evaluated = started_by(make, log)
    assert evaluated == [] and wide.equals(trials)


def test_several_workers_take_up_the_log_of_one(tmp_path):
    log = tmp_path / "log"
    run(asha(SPACE, 9, 7, seed=1), in_space, log=log)
    assert not any("asked" in record for record in read_log(log))
    trials, evaluated = started_by(STRATEGIES["asha"], log)
    assert len(trials) == 30 and len(evaluated) == 23
    assert trials["asked"].tolist()[:7] == trials["n_known"].tolist()[:7] == list(range(7))
    again, evaluated = started_by(STRATEGIES["asha"], log)
    assert evaluated == [] and again.equals(trials)


def test_a_log_says_of_each_trial_what_was_known_when_it_was_asked_for(tmp_path):
    log = tmp_path / "log"
    workers = SimulatedWorkers(objective, 2, lasting([3, 1, 1, 1, 5]))
    run(one_by_one(TEN[:5]), objective, workers=workers, log=log)
    lines = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()[1:]]
    assert [(line["asked"], line["n_known"]) for line in lines] == [
        (1, 0),
        (2, 1),
        (0, 0),
        (3, 2),
        (4, 3),
    ]
    assert [line["knew"] for line in lines] == [[0, 0], [1], [2], [3], []]


def test_failed_trials_of_several_workers_are_tried_again_where_they_stood(tmp_path):
    log = tmp_path / "log"

    def fails(requests):
        return [math.nan if r.config["x"] in (2, 5) else loss_of(*r[:2]) for r in requests]

    seconds_of = lasting([3, 1, 2, 1, 3, 1, 2, 1, 1, 1])
    make = lambda: one_by_one(TEN)  # noqa: E731
    first = run(make(), fails, workers=SimulatedWorkers(fails, 3, seconds_of), log=log)
    again = []

    def works(requests):
        again.extend(r.config["x"] for r in requests)
        return objective(requests)

    workers = SimulatedWorkers(works, 3, seconds_of)
    second = run(make(), works, workers=workers, log=log, retry_failed=True)
    assert sorted(again) == [2, 5] and (second["status"] == "ok").all()
    assert second["asked"].tolist() == first["asked"].tolist()
    pd.testing.assert_frame_equal(trial_table(read_log(log)), second)
    whole = run(make(), works, workers=SimulatedWorkers(works, 3, seconds_of), log=log)
    assert len(again) == 2 and whole.equals(second)


def test_the_log_of_a_strategy_that_asks_otherwise_is_refused(tmp_path):
    """The first asks for two before a trial has ended, the second waits after one."""

    def patient():
        yield Ask([(TEN[0], 1)], "one name", late=True)
        yield Ask([], late=True, strategy="one name")
        yield Ask([], late=True, strategy="one name")

    def hasty():
        yield Ask([(TEN[0], 1)], "one name", late=True)
        yield Ask([(TEN[1], 1)], "one name", late=True)
        yield Ask([], late=True, strategy="one name")

    log = tmp_path / "log"
    run(hasty(), objective, workers=SimulatedWorkers(objective, 2, lasting([2, 1])), log=log)
    with pytest.raises(ValueError, match=r"is number 1 of its search.* the log of another search"):
        run(patient(), objective, workers=SimulatedWorkers(objective, 2, lasting([2, 1])), log=log)


def test_the_times_of_runs_with_more_workers_are_shorter():
    """Of twelve trials of 1 s each: 12, 6, 3 and 1 s."""
    ends = []
    for n_workers in (1, 2, 4, 12):
        workers = SimulatedWorkers(objective, n_workers, lambda request: 1.0)
        run(
            one_by_one(list(itertools.islice(itertools.cycle(TEN), 12))), objective, workers=workers
        )
        ends.append(workers.now())
    assert ends == [12, 6, 3, 1]
