"""The drivers of searches: budget, charges, failed trials, interrupts, logs, and many searches in
step.
"""

import itertools
import math
import time
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hpt_helpers import population
from hpt_helpers import progress as progress_module
from hpt_helpers import trials as trials_module
from hpt_helpers.classroom.lab import trainer
from hpt_helpers.classroom.lab.landscape import trained_landscape
from hpt_helpers.config import config_key
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.protocol import as_objective
from hpt_helpers.search import Ask, Outcome, Request, Told, run, run_many
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import asha, grid_search, random_search
from hpt_helpers.training import fit
from hpt_helpers.training_objective import TrainingObjective
from hpt_helpers.trials import DTYPES, config_of, hold_log, incumbent, read_log, trial_table

IRIS = load_splits("iris")
SPACE = SearchSpace({"lr": Real(1e-3, 1e-1, log=True), "batch_size": Integer(16, 64)})
TEN = [{"x": i} for i in range(10)]


def loss_of(config, n_epochs):
    """A loss that says what was evaluated: 3 epochs of {"x": 2} give 2.03."""
    return config["x"] + n_epochs / 100


class Counting:
    """An objective that records the requests it answers, and goes on from where a configuration was
    or does not.
    """

    def __init__(self, function=loss_of, goes_on=False):
        self.function, self.asked = function, []
        if goes_on:
            self.identity = config_key

    def __call__(self, requests):
        for request in requests:
            self.asked.append(request)
            yield self.function(request.config, request.n_epochs)


def halving(configs, rungs):
    """Successive halving as a strategy: rungs of (number of configurations, epochs)."""
    for n, n_epochs in rungs:
        configs = configs[:n]
        losses = yield [(config, n_epochs) for config in configs]
        configs = [configs[i] for i in np.argsort(losses, kind="stable")]


def hyperband_of_9(configs):
    """The three brackets of R = 9, η = 3, on 17 configurations."""
    yield from halving(configs[:9], [(9, 1), (3, 3), (1, 9)])
    yield from halving(configs[9:14], [(5, 3), (1, 9)])
    yield from halving(configs[14:], [(3, 9)])


def landscape(configs, n_epochs, seeds):
    """Return the curves of networks on IRIS, from a cache."""
    return trained_landscape("iris", configs, n_epochs=n_epochs, seeds=seeds, draws=IRIS.draw)


def same_trials(one, two, tolerance=0.0, without=("runtime_s",)):
    pd.testing.assert_frame_equal(
        one.drop(columns=list(without)), two.drop(columns=list(without)), rtol=0, atol=tolerance
    )


# --- grid and random ------------------------------------------------------------------------------


def test_grid_search_tries_every_configuration_once_in_order():
    trials = run(grid_search(TEN, n_epochs=7), per_trial(loss_of))
    assert trials["x"].tolist() == list(range(10))
    assert trials["n_epochs"].tolist() == trials["charged_epochs"].tolist() == [7] * 10
    assert trials["val_loss"].tolist() == [i + 0.07 for i in range(10)]
    assert (trials["status"] == "ok").all() and trials["val_accuracy"].isna().all()


# --- what the strategy is sent --------------------------------------------------------------------


def test_a_strategy_is_sent_the_losses_of_what_it_asked():
    sent = []

    def strategy():
        for wanted in ([(TEN[2], 1), (TEN[1], 2)], [(TEN[3], 3)]):
            losses = yield wanted
            assert isinstance(losses, np.ndarray)
            sent.append(losses.tolist())

    trials = run(strategy(), per_trial(loss_of))
    assert sent == [[2.01, 1.02], [3.03]] and len(trials) == 3


def test_a_failed_trial_is_sent_as_nan():
    sent = []

    def strategy():
        sent.append((yield [(config, 1) for config in TEN[:3]]))

    run(strategy(), per_trial(lambda config, n_epochs: math.inf if config["x"] == 1 else 0.5))
    np.testing.assert_array_equal(sent[0], [0.5, math.nan, 0.5])


def test_a_strategy_that_asks_explicitly_is_told_what_was_run():
    """Its own list, and the configurations in it, stay as they were, whatever becomes of those."""
    told, asked = [], [({"x": 2, "of": [1]}, 1), ({"x": 1, "of": [2]}, 3)]

    def strategy():
        told.append((yield Ask(asked)))
        told[0][0].config["of"].append("changed")
        losses = yield [(TEN[5], 2)]  # and in the simple form again
        assert losses.tolist() == [5.02]

    def objective(config, n_epochs):
        config.get("of", []).clear()
        return math.nan if config["x"] == 1 else loss_of(config, n_epochs)

    trials = run(strategy(), per_trial(objective))
    assert told[0][0] == Told({"x": 2, "of": [1, "changed"]}, 1, 2.01)
    assert told[0][1].config == {"x": 1, "of": [2]} and math.isnan(told[0][1].val_loss)
    assert asked == [({"x": 2, "of": [1]}, 1), ({"x": 1, "of": [2]}, 3)]
    assert trials["config"].tolist()[:2] == [config for config, _ in asked]


def test_a_strategy_is_told_the_trials_of_its_log_in_place_of_those_it_asked_for(tmp_path):
    def asking(told, *xs):
        for x in xs:
            told += yield Ask([({"x": x, "of": (1, 2), "epochs": x}, x)])

    log = tmp_path / "log"
    run(asking([], 3, 4), Counting(), log=log)
    told, objective = [], Counting()
    trials = run(asking(told, 5, 6, 7), objective, log=log)
    assert [(t.config["x"], t.n_epochs) for t in told] == [(3, 3), (4, 4), (7, 7)]
    assert {t.config["of"] for t in told} == {(1, 2)}
    assert [r.config["x"] for r in objective.asked] == [7] and trials["x"].tolist() == [3, 4, 7]


def test_a_strategy_that_asks_for_nothing_is_an_error():
    with pytest.raises(ValueError, match=r"<generator object halving .* asked for no trial at all"):
        run(halving(TEN, []), per_trial(loss_of))


def test_a_strategy_that_has_run_is_an_error():
    """As where a cell is run again that does not make the strategy anew."""
    spent, begun = grid_search(TEN, 1), grid_search(TEN, 1)
    run(spent, per_trial(loss_of))
    next(begun)
    for strategy in (spent, begun):
        with pytest.raises(ValueError, match="which has run before; a generator runs once"):
            run(strategy, per_trial(loss_of))
        with pytest.raises(ValueError, match="which has run before"):
            run_many([grid_search(TEN, 1), strategy], per_trial(loss_of))


# --- the budget and what is charged ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("budget", "n_trials"),
    [(0, 0), (6, 0), (7, 1), (20, 2), (21, 3), (27, 3), (70, 10), (1000, 10)],
)
@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_a_search_ends_before_the_first_trial_that_would_exceed_its_budget(budget, n_trials):
    objective = Counting()
    trials = run(grid_search(TEN, 7), objective, budget=budget)
    assert len(trials) == len(objective.asked) == n_trials
    assert trials["charged_epochs"].sum() <= budget


def test_a_strategy_is_closed_when_its_budget_ends():
    closed = []

    def strategy():
        try:
            while True:
                yield [(TEN[0], 4)]
        finally:
            closed.append(True)

    assert len(run(strategy(), per_trial(loss_of), budget=13)) == 3
    assert closed == [True]


def test_successive_halving_by_hand():
    """R = 9, η = 3: 9 configurations for 1 epoch, 3 for 3, 1 for 9.

    Lower x is better, so 0 wins.
    """
    rungs = [(9, 1), (3, 3), (1, 9)]
    configs = [{"x": i} for i in (4, 2, 8, 0, 7, 1, 3, 6, 5)]
    going_on = run(halving(configs, rungs), Counting(goes_on=True))
    restarting = run(halving(configs, rungs), Counting(goes_on=False))
    assert (
        going_on["x"].tolist()
        == restarting["x"].tolist()
        == [4, 2, 8, 0, 7, 1, 3, 6, 5, 0, 1, 2, 0]
    )
    assert (
        going_on["n_epochs"].tolist() == restarting["n_epochs"].tolist() == [1] * 9 + [3] * 3 + [9]
    )
    assert going_on["charged_epochs"].tolist() == [1] * 9 + [2] * 3 + [6]
    assert restarting["charged_epochs"].tolist() == [1] * 9 + [3] * 3 + [9]


@pytest.mark.parametrize(("goes_on", "epochs"), [(True, 69), (False, 78)])
def test_hyperband_of_9_costs_what_the_theory_says(goes_on, epochs):
    """17 trials, 69 epochs going on, 78 restarting."""
    trials = run(hyperband_of_9([{"x": i} for i in range(17)]), Counting(goes_on=goes_on))
    assert trials["x"].nunique() == 17 and trials["charged_epochs"].sum() == epochs


NET = {"lr": 0.01, "batch_size": 16}


@pytest.mark.parametrize(
    ("batches", "charged"),
    [
        ([[(NET, 5)], [(NET, 2)], [(NET, 9)]], [5, 0, 4]),
        ([[(NET, 2), (NET, 5)]], [2, 3]),
        ([[(NET, 5), (NET, 2)]], [5, 0]),
        ([[(NET | {"epochs": 3}, 3)], [(NET | {"epochs": 9}, 9)]], [3, 6]),
        ([[(NET, 3)], [(NET | {"hidden_size": 16}, 9)]], [3, 6]),
        (
            [[(NET | {"lr": 1}, 3)], [({"batch_size": np.int64(16), "lr": np.float64(1)}, 9)]],
            [3, 6],
        ),
        ([[(NET | {"lr": -1}, 50)]], [0]),
        # the first contradicts itself
        ([[(NET | {"epochs": 9}, 5), (NET, 5)], [(NET, 9)]], [0, 5, 4]),
        ([[(NET | {"epochs": 9}, 5), (NET, 2)], [(NET, 9)]], [0, 2, 7]),
        ([[(NET, 3)], [(NET | {"batch_size": 91}, 9)], [(NET, 4)]], [3, 0, 1]),  # 90 rows
        # it diverges, and is trained
        ([[(NET | {"lr": 1e200}, 3)], [(NET | {"lr": 1e200}, 4)]], [3, 1]),
    ],
)
def test_what_is_charged_is_what_was_trained(batches, charged, trained):
    trials = run((batch for batch in batches), TrainingObjective(IRIS))
    assert trials["charged_epochs"].tolist() == charged
    assert sum(trained) == sum(charged)


@pytest.mark.parametrize(
    ("epochs", "budget", "n_done"),
    [
        ((2, 5), 5, [0, 2]),
        ((2, 5), 4, [0]),
        ((5, 2, 6), 6, [0, 5, 5]),
        ((5, 2, 6), 5, [0, 5]),
        ((5, 2, 6), 4, []),
    ],
)
def test_a_batch_is_cut_at_the_first_trial_that_does_not_fit_and_knows_what_is_paid(
    epochs, budget, n_done
):
    objective = Counting(goes_on=True)
    trials = run(asks([[(TEN[0], n) for n in epochs]]), objective, budget=budget)
    assert [r.n_done for r in objective.asked] == n_done and len(trials) == len(n_done)


def test_searches_that_share_an_objective_are_charged_what_each_would_have_trained_alone(trained):
    configs = SPACE.sample(9, seed=0)
    objective = TrainingObjective(IRIS)
    tables = run_many(
        [halving(configs, [(9, 1), (3, 3), (1, 9)]) for _ in range(3)], objective, seeds=[0, 1, 0]
    )
    assert [t["charged_epochs"].sum() for t in tables] == [21, 21, 21] and sum(trained) == 42
    assert (
        run(halving(configs, [(9, 1), (3, 3)]), objective)["charged_epochs"].sum() == 15
        and sum(trained) == 42
    )


# Few networks, each under several names, and what each objective must refuse.
NAMES = [
    NET,
    NET | {"hidden_size": 16},
    {"batch_size": np.int64(16), "lr": 0.01},
    NET | {"hidden_size": 4},
    {"lr": 0.02, "batch_size": 32},
    NET | {"epochs": 3},
    NET | {"epochs": 6},
    {"lr": 0.02, "batch_size": 32, "epochs": 4},
    NET | {"lr": -1.0},
    {"lr": 0.01},
]


class CountingTrainer:
    """Counts what it would train by rules of its own, and reports it."""

    def __init__(self):
        self.done, self.trained = {}, 0

    def identity(self, config):
        return config["lr"], config.get("batch_size"), config.get("hidden_size", 16)

    def __call__(self, requests):
        answers = []
        for config, n_epochs, *_ in requests:
            if (
                config["lr"] < 0
                or "batch_size" not in config
                or config.get("epochs", n_epochs) != n_epochs
            ):
                answers.append(Outcome(math.nan, reason="no", n_trained=0))
                continue
            done = self.done.get(self.identity(config), 0)
            self.done[self.identity(config)] = max(done, n_epochs)
            self.trained += max(n_epochs - done, 0)
            answers.append(Outcome(0.5, n_trained=max(n_epochs - done, 0)))
        return answers


BATCHES = st.lists(
    st.lists(st.tuples(st.sampled_from(NAMES), st.integers(1, 6)), min_size=1, max_size=4),
    min_size=1,
    max_size=6,
)


@pytest.mark.filterwarnings("ignore:the first three trials failed alike")
@given(BATCHES, st.integers(0, 25) | st.just(math.inf))
@settings(max_examples=80)
def test_whatever_is_asked_charged_equals_trained_within_the_budget(batches, budget):
    stored = landscape([NAMES[0], NAMES[3], NAMES[4]], 6, [0])
    counting = CountingTrainer()
    with pytest.MonkeyPatch.context() as patch:
        trained = count_training(patch)
        by_training = run(asks(batches), TrainingObjective(IRIS), budget=budget)
    replayed = run(asks(batches), stored, budget=budget)
    counted = run(asks(batches), counting, budget=budget)
    assert by_training["charged_epochs"].sum() == sum(trained) == counting.trained <= budget
    same_trials(replayed, by_training, 1e-9, without=("runtime_s", "reason"))
    same_trials(counted, by_training, without=("runtime_s", "reason", "val_loss", "val_accuracy"))


def asks(batches):
    """The batches as a strategy, which does not look at losses."""
    for batch in batches:  # noqa: UP028 — `yield from` would send the losses to the list
        yield batch


def count_training(patch):
    """Return a list that fills with each training's cost: its members times its new epochs."""
    counts, train_to = [], population.Population.train_to

    def counting(self, epoch):
        counts.append(len(self) * (epoch - self.epoch))
        return train_to(self, epoch)

    patch.setattr(population.Population, "train_to", counting)
    return counts


@pytest.fixture
def trained(monkeypatch):
    return count_training(monkeypatch)


# --- failed trials --------------------------------------------------------------------------------


def test_a_trial_that_raises_is_recorded_and_the_search_goes_on():
    def objective(config, n_epochs):
        if config["x"] in (0, 4, 9):
            raise MemoryError("no room")
        return loss_of(config, n_epochs)

    trials = run(grid_search(TEN, 7), per_trial(objective))
    failed = trials[trials["status"] == "failed"]
    assert failed.index.tolist() == [0, 4, 9] and set(failed["reason"]) == {"MemoryError: no room"}
    assert trials["charged_epochs"].tolist() == [7] * 10
    assert trials.loc[[3, 5, 8], "val_loss"].tolist() == [3.07, 5.07, 8.07]


def test_a_trial_that_diverges_is_recorded_with_its_reason():
    configs = [
        {"lr": 0.01, "batch_size": 16},
        {"lr": 1e200, "batch_size": 16},
        {"lr": 0.02, "batch_size": 16},
    ]
    trials = run(grid_search(configs, 3), TrainingObjective(IRIS))
    assert trials["status"].tolist() == ["ok", "failed", "ok"]
    assert trials.at[1, "reason"] == fit(configs[1], IRIS, n_epochs=3).failure != ""
    assert trials.loc[[0, 2], "reason"].tolist() == ["", ""]
    assert incumbent(trials) == trials["val_loss"].idxmin() != 1


def test_a_configuration_that_cannot_be_trained_is_a_failed_trial_beside_good_ones():
    configs = [
        {"lr": 0.01, "batch_size": 16},
        {"lr": -1, "batch_size": 16},
        {"lr": 0.01, "batch_size": 91},
    ]
    trials = run(grid_search(configs, 3), TrainingObjective(IRIS))
    assert trials["status"].tolist() == ["ok", "failed", "failed"]
    assert "lr is -1" in trials.at[1, "reason"] and "batch_size is 91" in trials.at[2, "reason"]


@pytest.mark.filterwarnings("ignore:the first three trials failed alike")
def test_a_function_that_raises_is_called_once_for_each_trial():
    called = []

    def function(config, n_epochs):
        called.append(config["x"])
        raise ZeroDivisionError

    with pytest.warns(UserWarning, match="all of 10 trials failed alike, so the search ends"):
        trials = run(grid_search([*TEN, {"x": 10}, {"x": 11}], 7), per_trial(function))
    assert called == list(range(10)) and (trials["status"] == "failed").all()
    assert trials.attrs["ended"] == "failures"


@pytest.mark.parametrize("own", [True, False])
def test_a_trial_that_exits_fails_and_the_search_goes_on(own):
    """As a training script does that does not like its arguments."""

    def function(config, n_epochs):
        if config["x"] == 1:
            raise SystemExit(2)
        return 0.5

    objective = per_trial(function)
    trials = run(
        grid_search(TEN[:3], 7),
        (lambda requests: [function(*r[:2]) for r in requests]) if own else objective,
    )
    assert trials["status"].tolist() == ["ok", "failed", "ok"]
    assert trials["reason"][1] == "SystemExit: 2"


@pytest.mark.parametrize("lazy", [True, False])
def test_where_a_batch_raises_each_trial_left_is_asked_alone_once(lazy):
    """Whether it answers one by one, or all at once and so none."""
    asked = []

    def answers(requests):
        asked.append([r.config["x"] for r in requests])
        for request in requests:
            if request.config["x"] in (2, 4):
                raise MemoryError(f"no room for {request.config['x']}")
            yield 0.5

    trials = run(
        grid_search(TEN[:6], 7), answers if lazy else lambda requests: list(answers(requests))
    )
    assert trials.index[trials["status"] == "failed"].tolist() == [2, 4]
    assert trials["reason"][[2, 4]].tolist() == [
        "MemoryError: no room for 2",
        "MemoryError: no room for 4",
    ]
    assert asked == [[0, 1, 2, 3, 4, 5], *([x] for x in range(2 if lazy else 0, 6))]


@pytest.mark.parametrize(
    "bad", [None, "low", "0.5", (0.1, 0.9), (0.1, 0.9, ""), [0.1], Outcome(0.1, "high")]
)
def test_an_answer_that_is_no_loss_fails_its_own_trial_only(bad):
    trials = run(
        grid_search(TEN[:3], 1), per_trial(lambda c, n: bad if c["x"] == 1 else loss_of(c, n))
    )
    assert trials["x"].tolist() == [0, 1, 2] and trials["status"].tolist() == ["ok", "failed", "ok"]
    assert (
        "a number or an Outcome is needed" in trials["reason"][1] and trials["val_loss"][2] == 2.01
    )
    assert trials["charged_epochs"].tolist() == [1, 1, 1]


@pytest.mark.parametrize("n_trained", [-1, 8, 2.5, True, math.nan, "3"])
def test_a_report_of_epochs_that_cannot_be_fails_its_trial_which_is_charged_in_full(n_trained):
    def objective(requests):
        return [Outcome(0.5, n_trained=n_trained if r.config["x"] == 1 else 3) for r in requests]

    trials = run(grid_search(TEN[:3], 7), objective)
    assert (
        trials["status"].tolist() == ["ok", "failed", "ok"]
        and "the objective's n_trained is" in trials["reason"][1]
    )
    assert trials["charged_epochs"].tolist() == [3, 7, 3]


def test_what_was_not_trained_can_be_paid_later():
    """An objective stops early at epoch 3 of 10, and goes on from there when asked again."""
    n_trained = iter([3, 7])

    class StopsEarly:
        identity = staticmethod(config_key)

        def __call__(self, requests):
            asked.extend(requests)
            return [Outcome(0.5, n_trained=next(n_trained)) for _ in requests]

    asked = []
    trials = run(asks([[(TEN[0], 10)], [(TEN[0], 10)]]), StopsEarly(), budget=13)
    assert trials["charged_epochs"].tolist() == [3, 7] and [r.n_done for r in asked] == [0, 3]


def test_a_trial_that_raises_is_paid_to_its_epoch():
    trials = run(
        asks([[(TEN[0], 5)], [(TEN[0], 7)]]), Counting(lambda config, n_epochs: 1 / 0, goes_on=True)
    )
    assert trials["charged_epochs"].tolist() == [5, 2] and (trials["status"] == "failed").all()


def test_an_objective_that_answers_too_little_is_asked_for_what_it_left_out():
    asked = []

    def objective(requests):
        asked.append(len(requests))
        return [0.5] * (len(requests) - 1)

    trials = run(grid_search(TEN[:3], 1), objective)
    assert (
        trials["status"].tolist() == ["ok", "ok", "failed"]
        and "without an answer" in trials.at[2, "reason"]
    )
    assert asked == [3, 1]


def test_an_objective_that_answers_too_much_is_an_error():
    with pytest.raises(ValueError, match="more answers than the 2 trials"):
        run(grid_search(TEN[:2], 1), lambda requests: itertools.repeat(0.5))


def test_an_objective_that_raises_after_its_last_answer_is_an_error():
    def objective(requests):
        yield from [0.5] * len(requests)
        raise OSError("no room for the summary")

    with pytest.raises(OSError, match="summary"):
        run(grid_search(TEN[:2], 1), objective)


def test_an_objective_cannot_change_the_record():
    def function(config, n_epochs):
        config["layers"].append(config.pop("x"))
        return 0.5

    asked = [{"x": 1, "layers": [8]}]
    trials = run(grid_search(asked, 1), per_trial(function))
    assert asked == [{"x": 1, "layers": [8]}] == [config_of(trials, 0)]


def test_an_answer_may_be_a_loss_or_an_outcome():
    def objective(requests):
        return [0.5, np.float32(0.25), Outcome(0.1, 0.9), Outcome(0.1, 0.9, "stopped")]

    trials = run(grid_search(TEN[:4], 1), objective)
    np.testing.assert_array_equal(trials["val_loss"], [0.5, 0.25, 0.1, math.nan])
    np.testing.assert_array_equal(trials["val_accuracy"], [math.nan, math.nan, 0.9, math.nan])
    assert trials["reason"].tolist() == ["", "", "", "stopped"]


def test_the_seed_reaches_the_objective():
    asked = []

    def objective(requests):
        asked.extend(requests)
        return [0.1] * len(requests)

    run(grid_search(TEN[:1], 3), objective, seed=8)
    run_many([grid_search(TEN[:1], 3), grid_search(TEN[:2], 4)], objective, seeds=[5, 6])
    assert asked == [
        Request(TEN[0], 3, 8),
        Request(TEN[0], 3, 5),
        Request(TEN[0], 4, 6),
        Request(TEN[1], 4, 6),
    ]


def test_runtimes_are_measured(monkeypatch):
    clock = iter(np.arange(0, 100, 2.0))
    monkeypatch.setattr(time, "perf_counter", lambda: next(clock))
    trials = run(grid_search(TEN[:3], 1), per_trial(loss_of))
    assert trials["runtime_s"].tolist() == [2.0, 2.0, 2.0]


# A typo in the objective, one space that the data refuse, one search that just begins badly.
FAILURES = [
    (["KeyError: 'a'", "KeyError: 'b'", "KeyError: 'c'", ""], True),
    (
        ["batch_size is 91; too many", "batch_size is 92; too many", "batch_size is 93; too many"],
        True,
    ),
    (["KeyError: 'a'", "ValueError: b", "KeyError: 'c'", "KeyError: 'd'"], False),
    (["KeyError: 'a'", "KeyError: 'b'", ""], False),
    (["", "KeyError: 'b'", "KeyError: 'c'", "KeyError: 'd'"], False),
    (["KeyError: 'a'", "KeyError: 'a'"], False),
    (["", "", ""], False),
]


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize(("reasons", "warns"), FAILURES)
def test_the_first_three_trials_that_fail_alike_are_a_warning(reasons, warns, at_once, recwarn):
    asked = [(config, 1) for config, _ in zip(TEN, reasons, strict=False)]
    strategy = asks([asked] if at_once else [[pair] for pair in asked])
    trials = run(
        strategy, lambda requests: [Outcome(0.5, reason=reasons[r.config["x"]]) for r in requests]
    )
    assert trials["reason"].tolist() == reasons
    said = [(str(w.message), w.filename) for w in recwarn]
    assert (
        said
        == [(f"the first three trials failed alike, the last with {reasons[:3][-1]!r}", __file__)]
        * warns
    )


# --- misuse of the protocol -----------------------------------------------------------------------


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="empty list"):
        run(grid_search([], 3), per_trial(loss_of))


@pytest.mark.parametrize(
    ("n_epochs", "error"),
    [(0, ValueError), (-3, ValueError), (2.5, TypeError), ("3", TypeError), (True, TypeError)],
)
def test_epochs_that_cannot_be_are_refused(n_epochs, error):
    with pytest.raises(error, match="n_epochs"):
        run(grid_search(TEN, n_epochs), per_trial(loss_of))


def test_an_error_in_the_strategy_itself_is_not_hidden():
    def strategy():
        yield [(TEN[0], 1)]
        raise ZeroDivisionError("in the strategy")

    with pytest.raises(ZeroDivisionError, match="in the strategy"):
        run(strategy(), per_trial(loss_of))


@pytest.mark.parametrize("strategy", [[[(TEN[0], 1)]], grid_search, None, "grid"])
def test_what_is_no_generator_is_no_strategy(strategy):
    with pytest.raises(TypeError, match=r"^strategy is .*; a generator is needed"):
        run(strategy, per_trial(loss_of))
    with pytest.raises(TypeError, match=r"^strategy is .*; a generator is needed"):
        run_many([grid_search(TEN, 1), strategy], per_trial(loss_of))


@pytest.mark.parametrize(
    "asked", [None, 3, (TEN[0], 1), [TEN[0]], [(TEN[0], 1, 2)], TEN[0], [(3, 1)]]
)
def test_what_is_no_list_of_pairs_is_refused(asked):
    with pytest.raises(TypeError, match=r"the strategy yielded|config is 3"):
        run(asks([asked]), per_trial(loss_of))


def test_one_strategy_cannot_be_two_searches():
    with pytest.raises(ValueError, match="one generator twice"):
        run_many([grid_search(TEN, 1)] * 2, per_trial(loss_of))


def test_what_cannot_be_called_is_no_objective():
    with pytest.raises(TypeError, match="objective is 3"):
        run(grid_search(TEN, 1), 3)


def test_a_plain_function_is_pointed_to_per_trial_before_anything_runs():
    asked = []

    def function(config, n_epochs):
        asked.append(config)

    for go in (run, lambda strategy, objective: run_many([strategy], objective)):
        with pytest.raises(TypeError, match=r"cannot take one list of requests; .* per_trial\(f"):
            go(grid_search(TEN, 1), function)
    assert asked == []


def test_an_objective_without_a_signature_is_taken():
    class Opaque(Counting):
        __signature__ = 3

    assert len(run(grid_search(TEN, 1), Opaque())) == 10


@pytest.mark.parametrize("log", [5, True])
def test_a_log_that_is_no_path_is_refused(log):
    with pytest.raises(TypeError, match=f"log is {log}; a path is needed"):
        run(grid_search(TEN, 1), Counting(), log=log)


def test_a_log_without_a_name_is_refused_rather_than_left_out():
    with pytest.raises(ValueError, match="log is ''; a path is needed"):
        run(grid_search(TEN, 1), Counting(), log="")


@pytest.mark.parametrize(
    ("budget", "error"),
    [
        (math.nan, ValueError),
        (-1, ValueError),
        ("70", TypeError),
        (None, TypeError),
        (True, TypeError),
    ],
)
def test_a_budget_that_cannot_be_is_refused(budget, error):
    for go in (
        lambda: run(grid_search(TEN, 1), Counting(), budget=budget),
        lambda: run_many([grid_search(TEN, 1)], Counting(), budget=budget),
    ):
        with pytest.raises(error, match="budget is"):
            go()


@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_a_time_limit_is_asked_before_each_trial_of_a_batch(monkeypatch, tmp_path):
    """A trial takes 1 s. What stands in the log costs no time."""
    clock, log = [100.0], tmp_path / "log"
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def slow(config, n_epochs):
        clock[0] += 1
        return loss_of(config, n_epochs)

    with pytest.warns(UserWarning, match=r"at its limit of 2\.5 seconds, after 3 trials"):
        assert len(run(grid_search(TEN, 1), Counting(slow), seconds=2.5, log=log)) == 3
    with pytest.warns(UserWarning, match="at its limit of 2 seconds, after 5 trials"):
        assert len(run(grid_search(TEN, 1), Counting(slow), seconds=2, log=log)) == 5
    one_by_one = (batch for batch in [[(config, 1)] for config in TEN])
    with pytest.warns(UserWarning, match="after 3 trials"):
        assert len(run(one_by_one, per_trial(slow), seconds=3)) == 3
    with pytest.warns(UserWarning, match="after 0 trials"):
        assert len(run(grid_search(TEN, 1), Counting(slow), seconds=0)) == 0
    for seconds, error in ((-1, ValueError), ("5", TypeError)):
        with pytest.raises(error, match="seconds is"):
            run(grid_search(TEN, 1), Counting(), seconds=seconds)


@pytest.mark.parametrize("seeds", [5, np.int64(5), "01", {0, 1}, None])
def test_seeds_are_a_sequence(seeds):
    """A number could mean that seed or that many."""
    asked = []

    def objective(requests):
        asked.extend(r.seed for r in requests)
        return [0.5] * len(requests)

    two = [grid_search(TEN[:1], 1), grid_search(TEN[:1], 1)]
    if seeds is None:
        run_many(two, objective)
        run_many([grid_search(TEN[:1], 1)], objective, seeds=np.array([3]))
        assert asked == [0, 0, 3]
    else:
        with pytest.raises(TypeError, match=r"seeds is .*such as range\(5\)"):
            run_many(two, objective, seeds=seeds)


@pytest.mark.parametrize(
    ("seed", "error"), [(1.0, TypeError), ("1", TypeError), (True, TypeError), (-1, ValueError)]
)
def test_a_seed_that_cannot_be_is_refused(seed, error):
    with pytest.raises(error, match="seed is"):
        run(grid_search(TEN, 1), Counting(), seed=seed)
    with pytest.raises(error, match=r"seeds\[0\] is"):
        run_many([grid_search(TEN, 1)], Counting(), seeds=[seed])


TABLE_NAMES = ("trial", *DTYPES, "config")


@pytest.mark.parametrize("with_log", [True, False])
@pytest.mark.parametrize(
    ("bad", "error", "says"),
    [
        ({"x": object()}, TypeError, r"config\['x'\] is <object"),
        ({"x": {1, 2}}, TypeError, r"config\['x'\] is {1, 2}"),
        ({"x": np.ones(2)}, TypeError, r"config\['x'\] is array"),
        ({"x": [1, {"y": math.nan}]}, ValueError, r"config\['x'\]\[1\]\['y'\] is nan"),
        ({"x": -math.inf}, ValueError, r"config\['x'\] is -inf"),
        ({"x": {1: 2}}, TypeError, r"config\['x'\] has the name 1"),
        ({"x": "\ud800"}, ValueError, r"config\['x'\] is '.ud800'; half of a surrogate"),
        ({"\udfff": 1}, ValueError, r"a name of config is '.udfff'; half of a surrogate"),
        *(({name: 1}, ValueError, f"config has the name '{name}'") for name in TABLE_NAMES),
    ],
)
def test_what_the_record_cannot_hold_is_refused_before_anything_runs(
    bad, error, says, with_log, tmp_path
):
    objective = Counting(lambda config, n_epochs: 0.5)
    log = tmp_path / "search.jsonl" if with_log else None
    with pytest.raises(error, match=says):
        run(grid_search([TEN[0], bad], 1), objective, log=log)
    assert objective.asked == [] and not any(tmp_path.iterdir())


def test_a_configuration_is_checked_once(monkeypatch):
    checked, as_plain = [], trials_module.as_plain
    monkeypatch.setattr(trials_module, "as_plain", lambda c: checked.append(c) or as_plain(c))
    run(grid_search(TEN, 1), Counting())
    assert checked == TEN


def test_the_number_of_seeds_must_be_that_of_the_strategies():
    with pytest.raises(ValueError, match="seeds has 1 entries; there are 2 strategies"):
        run_many([grid_search(TEN, 1), grid_search(TEN, 1)], per_trial(loss_of), seeds=[0])


# --- interrupts -----------------------------------------------------------------------------------


def test_an_interrupt_keeps_the_trials_so_far():
    def objective(config, n_epochs):
        if config["x"] == 4:
            raise KeyboardInterrupt  # Control-C, or the kernel's stop button
        return loss_of(config, n_epochs)

    with pytest.warns(
        UserWarning, match="interrupted: the 4 trials evaluated so far are kept"
    ) as warned:
        trials = run(grid_search(TEN, 7), per_trial(objective))
    assert warned[0].filename == __file__
    assert trials["val_loss"].tolist() == [0.07, 1.07, 2.07, 3.07]


def test_an_interrupt_goes_on_where_it_should_and_leaves_the_log(tmp_path):
    def objective(requests):
        yield 0.5
        raise KeyboardInterrupt

    log = tmp_path / "log"
    with pytest.raises(KeyboardInterrupt):
        run(grid_search(TEN, 1), objective, log=log, on_interrupt="raise")
    assert len(read_log(log)) == 1
    with pytest.raises(KeyboardInterrupt):
        run_many([grid_search(TEN, 1)], objective, on_interrupt="raise")
    with pytest.raises(ValueError, match="on_interrupt is 'stop'; 'keep' and 'raise' are allowed"):
        run(grid_search(TEN, 1), objective, on_interrupt="stop")


def test_an_interrupt_of_the_strategy_keeps_the_trials_so_far():
    def strategy():
        yield [(TEN[0], 1)]
        raise KeyboardInterrupt  # while it thinks

    with pytest.warns(UserWarning, match="interrupted"):
        assert len(run(strategy(), per_trial(loss_of))) == 1


def test_an_interrupt_of_many_searches_keeps_the_trials_of_each():
    def objective(config, n_epochs):
        if config["x"] == 7:
            raise KeyboardInterrupt
        return loss_of(config, n_epochs)

    with pytest.warns(UserWarning, match="the 6 trials"):
        tables = run_many([grid_search(TEN[:4], 1), grid_search(TEN[5:], 1)], per_trial(objective))
    assert [t["x"].tolist() for t in tables] == [[0, 1, 2, 3], [5, 6]]


# --- the log --------------------------------------------------------------------------------------


def interrupted_at(n, log, make):
    """Run with a log and interrupt at the n-th request."""
    answered = []

    def function(config, n_epochs):
        if len(answered) == n:
            raise KeyboardInterrupt
        answered.append(config)
        return loss_of(config, n_epochs)

    with pytest.warns(UserWarning, match="interrupted"):
        return run(make(), Counting(function), log=log)


@pytest.mark.parametrize("n_done", [0, 1, 5, 9, 11, 12])
def test_an_interrupted_search_resumes_from_its_log(n_done, tmp_path):
    """At every kind of place: before the first trial, inside a rung, between rungs, before the
    last.
    """
    configs = [{"x": i} for i in (4, 2, 8, 0, 7, 1, 3, 6, 5)]

    def make():
        return halving(configs, [(9, 1), (3, 3), (1, 9)])

    whole = run(make(), Counting())
    log = tmp_path / "search.jsonl"
    before = interrupted_at(n_done, log, make)
    assert len(before) == n_done
    objective = Counting()
    after = run(make(), objective, log=log)
    same_trials(after, whole)
    assert len(objective.asked) == 13 - n_done  # nothing is trained again
    untouched = Counting()
    again = run(make(), untouched, log=log)
    pd.testing.assert_frame_equal(again, after)  # runtimes too: they come from the log
    assert untouched.asked == []


@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_a_resumed_training_search_has_the_numbers_of_an_uninterrupted_one(tmp_path):
    configs = SPACE.sample(6, seed=1)
    whole = run(grid_search(configs, 3), TrainingObjective(IRIS))
    log = tmp_path / "search.jsonl"
    run(grid_search(configs, 3), TrainingObjective(IRIS), budget=9, log=log)
    same_trials(run(grid_search(configs, 3), TrainingObjective(IRIS), log=log), whole, 1e-12)


def test_a_resumed_search_is_charged_what_it_trains_again(tmp_path):
    """The networks of an interrupted search are gone: going on from its rung costs the whole
    training.
    """
    configs = [{"x": i} for i in range(3)]

    def make():
        return halving(configs, [(3, 1), (1, 3)])

    log = tmp_path / "search.jsonl"
    assert run(make(), Counting(goes_on=True), budget=3, log=log)["charged_epochs"].tolist() == [
        1,
        1,
        1,
    ]
    assert run(make(), Counting(goes_on=True), log=log)["charged_epochs"].tolist() == [1, 1, 1, 3]


@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_the_budget_counts_the_trials_in_the_log(tmp_path):
    log = tmp_path / "search.jsonl"
    run(grid_search(TEN, 7), Counting(), budget=21, log=log)
    objective = Counting()
    assert len(run(grid_search(TEN, 7), objective, budget=35, log=log)) == 5
    assert len(objective.asked) == 2


def test_a_trial_in_the_log_costs_what_it_cost(tmp_path):
    """One that went on from a rung counts its new epochs only, when the log is read again."""
    log = tmp_path / "search.jsonl"

    def make():
        return halving(TEN[:9], [(9, 1), (3, 3), (1, 9)])

    first = run(make(), Counting(goes_on=True), budget=21, log=log)
    assert len(first) == 13
    pd.testing.assert_frame_equal(run(make(), Counting(goes_on=True), budget=21, log=log), first)


def test_failed_trials_are_in_the_log_too(tmp_path):
    log = tmp_path / "search.jsonl"
    first = run(
        grid_search(TEN[:3], 1), per_trial(lambda c, n: math.nan if c["x"] == 1 else 0.5), log=log
    )
    objective = Counting()
    pd.testing.assert_frame_equal(run(grid_search(TEN[:3], 1), objective, log=log), first)
    assert objective.asked == [] and first["status"].tolist() == ["ok", "failed", "ok"]


@pytest.mark.parametrize("kind", ["at once", "one by one", "halving"])
def test_failed_trials_can_be_tried_again(kind, tmp_path):
    """The others are not; the log keeps both tries and serves the second."""
    log = tmp_path / "search.jsonl"

    def make():
        if kind == "halving":
            return halving(TEN[:4], [(4, 1), (2, 3)])
        return (
            grid_search(TEN[:4], 1)
            if kind == "at once"
            else asks([[(config, 1)] for config in TEN[:4]])
        )

    def failing(config, n_epochs):
        return math.nan if config["x"] in (0, 2) else loss_of(config, n_epochs)

    first = run(make(), Counting(failing), log=log)
    objective = Counting()
    if kind == "halving":  # 0 would have gone on, and so it is another search from there
        with pytest.raises(ValueError, match="log of another search"):
            run(make(), objective, log=log, retry_failed=True)
    else:
        second = run(make(), objective, log=log, retry_failed=True)
        same_trials(second, run(make(), Counting()))
        assert (
            len(log.read_text(encoding="utf-8").splitlines()) == 7
            and first["x"].tolist() == second["x"].tolist()
        )
    assert [r.config["x"] for r in objective.asked] == [0, 2]
    if kind != "halving":
        untouched = Counting()
        pd.testing.assert_frame_equal(run(make(), untouched, log=log, retry_failed=True), second)
        assert untouched.asked == []


def test_an_interrupted_retry_loses_nothing(tmp_path):
    log = tmp_path / "search.jsonl"
    run(
        grid_search(TEN, 1),
        Counting(lambda c, n: math.nan if c["x"] in (2, 5) else loss_of(c, n)),
        log=log,
    )
    answers = iter([2.01])

    def interrupted(config, n_epochs):
        for answer in answers:
            return answer
        raise KeyboardInterrupt

    with pytest.warns(UserWarning, match="the 5 trials"):
        run(grid_search(TEN, 1), Counting(interrupted), log=log, retry_failed=True)
    objective = Counting()
    same_trials(
        run(grid_search(TEN, 1), objective, log=log, retry_failed=True),
        run(grid_search(TEN, 1), Counting()),
    )
    assert [r.config["x"] for r in objective.asked] == [5]


def test_a_log_that_was_cut_loses_one_trial_only(tmp_path):
    log = tmp_path / "search.jsonl"
    whole = run(grid_search(TEN, 7), Counting(), log=log)
    log.write_bytes(log.read_bytes()[:-5])
    objective = Counting()
    with pytest.warns(UserWarning, match="was cut") as warned:
        again = run(grid_search(TEN, 7), objective, log=log, name=None)
    assert {w.filename for w in warned} == {__file__}
    same_trials(again, whole)
    assert [r.config for r in objective.asked] == [TEN[9]]


@pytest.mark.parametrize(
    ("strategy", "options"),
    [
        (lambda: grid_search(TEN[::-1], 7), {}),
        (lambda: grid_search(TEN, 8), {}),
        (lambda: grid_search([{"y": i} for i in range(10)], 7), {}),
        (lambda: grid_search(TEN, 7), {"seed": 1}),
    ],
)
def test_the_log_of_another_search_is_refused(strategy, options, tmp_path):
    log = tmp_path / "search.jsonl"
    run(grid_search(TEN, 7), Counting(), log=log)
    before = log.read_bytes()
    with pytest.raises(ValueError, match=r"trial 0 of \S+search.jsonl .*another space or seed\?"):
        run(strategy(), Counting(), log=log, **options)
    assert log.read_bytes() == before


def asking_as(search, *xs):
    for x in xs:
        yield Ask([({"x": x}, 1)], search)


def wrapped(first, strategy):
    """As the page on real searches prints it."""
    yield [({"x": first}, 1)]
    yield from strategy


def test_a_wrapped_search_refuses_the_log_of_another_one(tmp_path):
    log = tmp_path / "search.jsonl"
    run(wrapped(9, asking_as("narrow", 1, 2)), Counting(), log=log)
    objective = Counting()
    longer = run(wrapped(9, asking_as("narrow", 1, 2, 3)), objective, log=log)
    assert longer["x"].tolist() == [9, 1, 2, 3] and len(objective.asked) == 1
    before, says = (
        log.read_bytes(),
        r"trial 1 of \S+search.jsonl .* 'narrow', here it is 'wide'; it",
    )
    with pytest.raises(ValueError, match=says):
        run(wrapped(9, asking_as("wide", 5, 6)), objective, log=log)
    with pytest.raises(ValueError, match="here it is 'wrapped'; it is the log of another search"):
        run(wrapped(9, grid_search(TEN[1:3], 1)), objective, log=log)
    assert log.read_bytes() == before and len(objective.asked) == 1


def test_a_log_that_names_the_searches_of_its_trials_is_the_same_table(tmp_path):
    log = tmp_path / "log"
    trials = run(wrapped(9, asking_as("narrow", 1, 2)), Counting(), log=log)
    assert [r.get("search") for r in read_log(log)] == [None, "narrow", "narrow"]
    pd.testing.assert_frame_equal(trial_table(read_log(log)), trials)
    run(asking_as("narrow", 1, 2), Counting(), log=tmp_path / "plain")
    assert [r.get("search") for r in read_log(tmp_path / "plain")] == [None, None]


def test_an_older_log_of_a_wrapped_search_is_taken(tmp_path):
    """Its lines do not say who asked."""
    log = tmp_path / "log"
    run(wrapped(9, asking_as("", 1, 2)), Counting(), log=log)
    objective = Counting()
    trials = run(wrapped(9, asking_as("wide", 5, 6, 7)), objective, log=log)
    assert trials["x"].tolist() == [9, 1, 2, 7] and len(objective.asked) == 1


def test_the_log_of_another_objective_is_refused_by_its_name(tmp_path):
    log = tmp_path / "log"
    run(grid_search(TEN, 7), Counting(), log=log, name="wine")
    run(grid_search(TEN, 7), Counting(), log=log, name="wine")
    with pytest.raises(ValueError, match="its name is 'wine', here it is 'iris'"):
        run(grid_search(TEN, 7), Counting(), log=log, name="iris")
    with pytest.raises(TypeError, match="name is 3; a text is needed"):
        run(grid_search(TEN, 7), Counting(), name=3)
    with pytest.raises(ValueError, match=r"name is '.ud800'"):
        run(grid_search(TEN, 7), Counting(), name="\ud800")


@pytest.mark.parametrize("why", ["no folder", "a folder", "held"])
def test_a_log_that_cannot_be_written_is_found_before_the_first_trial(why, tmp_path):
    log = {"no folder": tmp_path / "no" / "log", "a folder": tmp_path}.get(why, tmp_path / "log")
    held = hold_log(log, {"search": "grid_search", "name": None})[0] if why == "held" else None
    objective = Counting()
    with pytest.raises(OSError, match=str(log)):
        run(grid_search(TEN, 7), objective, log=log)
    assert objective.asked == []
    if held:
        held.close()
        assert len(run(grid_search(TEN, 7), objective, log=log)) == 10


def test_a_log_is_free_again_whatever_ends_its_search(tmp_path):
    log = tmp_path / "log"
    with pytest.raises(OSError, match="no room"):
        run(grid_search(TEN[:1], 7), raising_after([0.5], OSError("no room")), log=log)
    assert len(run(grid_search(TEN, 7), Counting(), log=log)) == 10


def raising_after(answers, error):
    def objective(requests):
        yield from answers
        raise error

    return objective


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.lists(inner, max_size=2).map(tuple)
        | st.dictionaries(st.text(max_size=2), inner, max_size=2)
    ),
    max_leaves=5,
)
CONFIGS = st.dictionaries(st.sampled_from(["a", "b", "size"]), JSON_VALUES, max_size=3)


@given(st.lists(CONFIGS, min_size=1, max_size=5))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.filterwarnings("ignore:.*there twice:UserWarning")
def test_configurations_come_back_exactly_from_table_and_log(tmp_path, configs):
    """Of any JSON-like values, with names that some lack; repr tells 1 from True and 1.0, and a
    tuple from a list.
    """
    log = tmp_path / "search.jsonl"
    log.unlink(missing_ok=True)
    run(grid_search(configs[:-1] or configs, 1), Counting(lambda *_: 0.5), log=log)
    asked = Counting(lambda *_: 0.5)
    trials = run(grid_search(configs, 1), asked, log=log)
    assert repr([config_of(trials, i) for i in trials.index]) == repr(configs)
    assert len(asked.asked) == (len(configs) > 1)


# --- many searches --------------------------------------------------------------------------------


def test_many_searches_give_what_each_gives_alone():
    """Of different kinds, lengths and seeds, with real training."""

    def make():
        return [
            halving(SPACE.sample(9, seed=1), [(9, 1), (3, 3), (1, 9)]),
            random_search(SPACE, 4, 5, seed=2),
            halving(SPACE.sample(4, seed=3), [(4, 2), (2, 4)]),
        ]

    seeds = [0, 1, 0]
    together = run_many(make(), TrainingObjective(IRIS), seeds=seeds)
    for table, strategy, seed in zip(together, make(), seeds, strict=True):
        same_trials(table, run(strategy, TrainingObjective(IRIS), seed=seed), 1e-12)


def test_many_searches_train_as_one_population():
    objective_calls = []

    def objective(requests):
        objective_calls.append(len(requests))
        return [0.1] * len(requests)

    run_many([halving(TEN[:4], [(4, 1), (2, 2)]) for _ in range(30)], objective)
    assert objective_calls == [120, 60]


@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_each_of_many_searches_has_its_own_budget():
    tables = run_many(
        [grid_search(TEN, 1), grid_search(TEN, 4), grid_search(TEN[:2], 1)], Counting(), budget=8
    )
    assert [len(t) for t in tables] == [8, 2, 2]


def test_no_searches_at_all():
    assert run_many([], Counting()) == []


# As version 0.2.0 wrote it: the second trial was asked for by another strategy than the first.
OLD_LOG = (
    '{"format": 2, "search": "by steps of 1", "name": "quarters", "crc32": "653886ae"}\n'
    '{"trial": 0, "config": {"x": 1}, "n_epochs": 2, "charged_epochs": 2, "val_loss": '
    '0.25, "val_accuracy": null, "status": "ok", "reason": "", "runtime_s": 0.5, "seed": '
    '0, "crc32": "6f2d105f"}\n'
    '{"trial": 1, "config": {"x": 2}, "n_epochs": 2, "charged_epochs": 2, "val_loss": '
    '0.5, "val_accuracy": null, "status": "ok", "reason": "", "runtime_s": 0.5, "seed": '
    '0, "search": "asks", "crc32": "aa9da6b1"}\n'
)


def test_a_log_of_an_earlier_day_still_resumes(tmp_path):
    def asks(first="by steps of 1"):  # its name stands in the log
        yield Ask([({"x": 1}, 2)], first)
        yield [({"x": 2}, 2)]
        yield [({"x": 3}, 2)]

    log = tmp_path / "log"
    log.write_text(OLD_LOG, encoding="ascii", newline="\n")
    objective = Counting()
    trials = run(asks(), objective, log=log, name="quarters")
    assert trials["val_loss"].tolist() == [0.25, 0.5, 3.02]
    assert [r.config for r in objective.asked] == [{"x": 3}]
    assert [r.get("search") for r in read_log(log)] == [None, "asks", "asks"]
    with pytest.raises(ValueError, match="its search is 'by steps of 1', here it is 'another'"):
        run(asks("another"), objective, log=log, name="quarters")


# --- objectives -----------------------------------------------------------------------------------


def test_a_function_of_requests_becomes_an_objective_that_always_starts_anew():
    def squares(requests):
        return [r.config["x"] ** 2 if r.config["x"] < 3 else "many" for r in requests]

    objective = as_objective("objective", squares)
    assert [objective.identity(config) for config in TEN] == [None] * 10
    two, three = objective([Request(TEN[2], 1, 0), Request(TEN[3], 1, 0)])
    assert two.val_loss == 4 and two.reason == ""
    assert math.isnan(three.val_loss) and "answered 'many'" in three.reason
    assert as_objective("objective", objective) is objective


def test_an_objective_keeps_its_identity_and_what_it_says_of_a_trial():
    said = Outcome(0.25, 0.75, "", 2)

    class Keeps:
        identity = staticmethod(config_key)

        def __call__(self, requests):
            return [said for _ in requests]

    objective = as_objective("objective", Keeps())
    assert objective.identity(TEN[2]) == config_key(TEN[2])
    assert list(objective([Request(TEN[2], 2, 0)])) == [said]


def test_an_identity_that_cannot_be_called_is_refused():
    objective = Counting()
    objective.identity = "config_key"
    with pytest.raises(TypeError, match="identity of objective is 'config_key'; a callable"):
        run(grid_search(TEN, 1), objective)


def test_training_gives_the_numbers_of_fit():
    configs = SPACE.sample(5, seed=4)
    trials = run(grid_search(configs, 4), TrainingObjective(IRIS), seed=3)
    for config, row in zip(configs, trials.itertuples(), strict=True):
        curve = fit(config, IRIS, n_epochs=4, seed=3)
        assert row.val_loss == pytest.approx(curve.val_loss[-1], abs=1e-9)
        assert row.val_accuracy == curve.val_accuracy[-1]


def test_training_goes_on_from_where_a_configuration_was():
    configs = SPACE.sample(4, seed=4)
    objective = TrainingObjective(IRIS)
    trials = run(halving(configs, [(4, 1), (2, 3), (1, 9)]), objective)
    for row in trials.itertuples():
        config = {"lr": row.lr, "batch_size": row.batch_size}
        assert row.val_loss == pytest.approx(
            fit(config, IRIS, n_epochs=row.n_epochs).val_loss[-1], abs=1e-9
        )


def test_different_epochs_and_seeds_train_in_one_request():
    config, other = SPACE.sample(2, seed=4)
    requests = [
        Request(config, 5, 0),
        Request(other, 2, 0),
        Request(config, 3, 1),
        Request(config, 2, 0),
    ]
    answers = list(TrainingObjective(IRIS)(requests))
    for (c, n_epochs, seed, _), (loss, accuracy, reason, *_) in zip(requests, answers, strict=True):
        curve = fit(c, IRIS, n_epochs=n_epochs, seed=seed)
        assert (loss, accuracy, reason) == (
            pytest.approx(curve.val_loss[-1], abs=1e-9),
            curve.val_accuracy[-1],
            "",
        )


def test_an_earlier_epoch_is_looked_up(monkeypatch):
    config = SPACE.sample(1, seed=4)[0]
    objective = TrainingObjective(IRIS)
    list(objective([Request(config, 5, 0)]))
    monkeypatch.setattr(population.Population, "train_to", None)  # training now would fail
    ((loss, *_),) = objective([Request(config, 2, 0)])
    assert loss == pytest.approx(fit(config, IRIS, n_epochs=2).val_loss[-1], abs=1e-9)


@pytest.fixture
def no_memory(monkeypatch, tmp_path):
    """What is trained here stays neither in the laboratory's memory nor in the shared cache."""
    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path))
    trainer.forget()
    yield
    trainer.forget()


def test_a_later_failure_says_nothing_of_an_earlier_epoch(monkeypatch, no_memory):
    """A network that diverges at epoch 4 was sound at epoch 3, asked before or after, trained or
    stored.
    """
    evaluate = population.Population.curves

    def diverging(self):
        curves = evaluate(self)
        for array in (curves.train_loss, curves.val_loss, curves.val_accuracy):
            array[:, 3:] = math.nan
        return curves

    monkeypatch.setattr(population.Population, "curves", diverging)
    stored = landscape([NET], 6, [0])
    for objective in (TrainingObjective(IRIS), stored):
        trials = run(asks([[(NET, 3)], [(NET, 6), (NET, 2)], [(NET, 4)]]), objective)
        diverged = "diverged: validation loss not finite at epoch 4"
        assert trials["reason"].tolist() == ["", diverged, "", diverged]
        assert trials["charged_epochs"].tolist() == [3, 3, 0, 0]


def test_slices_change_no_number(monkeypatch):
    configs = SPACE.sample(5, seed=6)
    expected = run(grid_search(configs, 3), TrainingObjective(IRIS))
    monkeypatch.setattr(TrainingObjective, "SLICE", 2)
    same_trials(run(grid_search(configs, 3), TrainingObjective(IRIS)), expected, 1e-12)


def test_a_landscape_is_an_objective_that_gives_what_training_gives():
    configs = [*SPACE.sample(17, seed=7)[:-1], {"lr": 1e200, "batch_size": 16}]
    stored = landscape(configs, 9, [2, 5])
    for seed in (2, 5):
        trained = run(hyperband_of_9(configs), TrainingObjective(IRIS), seed=seed)
        replayed = run(hyperband_of_9(configs), stored, seed=seed)
        same_trials(replayed, trained, 1e-12, without=("runtime_s", "reason"))
        assert replayed["charged_epochs"].sum() == 69
        assert ((replayed["reason"] != "") == (trained["reason"] != "")).all()
        assert Counter(replayed["status"])["failed"] >= 1


def test_a_landscape_takes_configurations_with_epochs():
    config = {"lr": 0.01, "batch_size": 16}
    stored = landscape([config], 4, [0])
    trials = run(grid_search([config | {"epochs": 4}]), stored)
    assert trials["val_loss"][0] == stored.lookup(config, 4, 0)[0]


def test_what_a_landscape_does_not_hold_is_a_failed_trial_that_costs_nothing():
    config = {"lr": 0.01, "batch_size": 16}
    stored = landscape([config], 4, [0])
    with pytest.warns(UserWarning, match="1 of the 3 configurations of the grid are there twice"):
        trials = run(grid_search([config, config | {"lr": 0.02}, config], 4), stored)
    assert trials["status"].tolist() == ["ok", "failed", "ok"]
    assert "not among the landscape's 1" in trials.at[1, "reason"]
    assert trials["charged_epochs"].tolist() == [4, 0, 0]


def test_a_landscape_refuses_epochs_that_contradict_as_training_does():
    stored = landscape([NET], 4, [0])
    tables = [
        run(grid_search([NET | {"epochs": 2}], 4), objective)
        for objective in (stored, TrainingObjective(IRIS))
    ]
    same_trials(*tables)
    assert tables[0]["reason"].tolist() == ["config['epochs'] is 2, but n_epochs is 4"]


@pytest.mark.filterwarnings("ignore:the budget ended before the grid")
def test_progress_changes_no_number_and_prints_nothing_when_bars_are_off(capfd):
    expected = run(grid_search(TEN, 7), Counting(), budget=50)
    same_trials(run(grid_search(TEN, 7), Counting(), budget=50, progress=True), expected)
    run_many([grid_search(TEN, 7)], Counting(), progress=True)
    assert capfd.readouterr() == ("", "")


class Bar:
    """Stands for tqdm's bar; records how far it was moved, and of what."""

    def __init__(self, *, progress, total, unit):
        self.progress, self.total, self.moves, self.closed = progress, total, [], False
        self.unit = unit
        Bar.last = self

    def refresh(self):
        pass

    def set_postfix_str(self, text, refresh):
        self.text = text

    def update(self, n):
        self.moves.append(n)

    def close(self):
        self.closed = True


def test_progress_counts_charged_epochs(monkeypatch, tmp_path):
    """Of trained trials, free ones and those of a log."""
    monkeypatch.setattr(progress_module, "progress_bar", Bar)
    log = tmp_path / "search.jsonl"
    batches = [[(TEN[0], 2), (TEN[1], 7)], [(TEN[0], 5)], [(TEN[1], 3)]]
    run(asks(batches), Counting(goes_on=True), budget=14, progress=True, log=log)
    assert (Bar.last.progress, Bar.last.total, Bar.last.moves, Bar.last.closed) == (
        True,
        14,
        [2, 7, 3, 0],
        True,
    )
    run(asks([*batches, [(TEN[2], 1)]]), Counting(goes_on=True), log=log, budget=99)
    assert (Bar.last.progress, Bar.last.total, Bar.last.moves) == (False, 99, [2, 7, 3, 0, 1])
    run_many([grid_search(TEN[:2], 7), grid_search(TEN[:1], 4)], Counting(), budget=14)
    assert (Bar.last.total, Bar.last.moves) == (28, [7, 7, 4])


def test_a_bar_is_shown_to_its_end(capfd, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE")
    slow = Counting(lambda config, n_epochs: time.sleep(0.2) or loss_of(config, n_epochs))
    run(grid_search(TEN[:2], 7), slow, budget=14, progress=True)
    shown = capfd.readouterr().err
    assert "/14" in shown and "epoch" in shown and shown.endswith("\r")
    assert "2 trials, best loss 0.07" in shown


def test_a_bar_without_a_budget_counts_trials_to_those_that_were_asked_for(monkeypatch):
    monkeypatch.setattr(progress_module, "progress_bar", Bar)
    run(random_search(SearchSpace({"x": Real(0, 1)}), 6, 7, seed=0), Counting())
    assert (Bar.last.total, Bar.last.unit, Bar.last.moves) == (6, "trial", [1] * 6)
    run(asha(SearchSpace({"x": Real(0, 1)}), 9, 5, seed=0), Counting())
    assert (Bar.last.total, Bar.last.moves) == (5, [1] * 5)
    run((batch for batch in [[(config, 1)] for config in TEN]), Counting())
    assert (Bar.last.total, len(Bar.last.moves)) == (None, 10)  # nobody knows how many


def test_a_bar_says_how_many_trials_there_are_the_best_loss_and_how_many_failed(monkeypatch):
    monkeypatch.setattr(progress_module, "progress_bar", Bar)
    run(grid_search(TEN[:1], 1), Counting(lambda *_: math.nan))
    assert Bar.last.text == "1 trials, no loss yet, 1 failed"
    losses = iter([0.5, math.nan, 0.123456, 0.7])
    run(grid_search(TEN[:4], 1), Counting(lambda *_: next(losses)))
    assert Bar.last.text == "4 trials, best loss 0.1235, 1 failed"


# --- said, not silent -----------------------------------------------------------------------------


def test_an_unnamed_log_that_is_taken_up_says_that_nobody_knows_whose_it_is(tmp_path):
    log = tmp_path / "log"
    run(grid_search(TEN[:4], 1), Counting(), log=log)
    with pytest.warns(UserWarning, match=r"log has 4 trials and no name, .*begin a log with name="):
        run(grid_search(TEN, 1), Counting(lambda *_: 0.5), log=log)


def test_a_device_is_no_log():
    with pytest.raises(ValueError, match="log is '/dev/null', a device"):
        run(grid_search(TEN, 1), Counting(), log="/dev/null")


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no folder '.*no'"):
        run(grid_search(TEN, 1), Counting(), log=tmp_path / "no" / "log")


def test_further_metrics_become_columns_of_table_and_log(tmp_path):
    def measured(config, n_epochs):
        odd = config["x"] % 2
        return Outcome(0.5, metrics={"auc": 0.9, "latency_ms": math.nan if odd else 3})

    log = tmp_path / "log"
    trials = run(grid_search(TEN[:3], 1), per_trial(measured), log=log)
    for table in (trials, trial_table(read_log(log))):
        assert table["auc"].tolist() == [0.9] * 3
        assert table["latency_ms"].isna().tolist() == [False, True, False]
    assert list(trials.columns).index("auc") > list(trials.columns).index("runtime_s")


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ({"x": 1.0}, "its metrics have 'x', which is a hyperparameter"),
        ({"val_loss": 1.0}, "metrics has the name 'val_loss', which is a column"),
        ({"auc": "high"}, "metrics has 'auc': 'high'; a number with a name is needed"),
        (3, "metrics is 3; numbers by name are needed"),
    ],
)
def test_metrics_that_cannot_stand_in_the_table_fail_their_trial(metrics, message):
    trials = run(grid_search(TEN[:2], 1), per_trial(lambda *_: Outcome(0.5, metrics=metrics)))
    assert (trials["status"] == "failed").all() and message in trials["reason"][0]
