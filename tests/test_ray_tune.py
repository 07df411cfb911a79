"""`tune_on_ray` and its workers, on a local Ray: trials, limits, deaths, and what is refused.

tests/cluster has the searches on two machines.
"""

import math
import os
import threading
import time

import pytest

from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.on_ray.local_ray import local_ray
from hpt_helpers.on_ray.ray_tune import STRATEGIES, tune_on_ray
from hpt_helpers.on_ray.ray_workers import RayActors
from hpt_helpers.search import Outcome, run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.strategies import (
    asha,
    bayesian_search,
    grid_search,
    hyperband,
    hyperband_schedule,
    mobster,
    random_search,
    successive_halving,
)
from hpt_helpers.training_objective import TrainingObjective
from hpt_helpers.trials import read_log, same_trials

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 64])})
OBJECTIVE = per_trial(lambda config, n_epochs: config["lr"] / n_epochs)
EIGHT = [{"x": i} for i in range(8)]

SAME_BY_RUN = {
    "grid_search": ({"n_trials": 5, "n_points": 4}, lambda: grid_search(SPACE.grid(4)[:5], 9)),
    "random_search": ({"n_trials": 6}, lambda: random_search(SPACE, 6, 9, seed=3)),
    "bayesian_search": (
        {"n_trials": 8, "xi": 0.1},
        lambda: bayesian_search(SPACE, 8, 9, seed=3, xi=0.1),
    ),
    "successive_halving": (
        {},
        lambda: successive_halving(SPACE.sample(9, seed=3), hyperband_schedule(9)[0]),
    ),
    "hyperband": ({}, lambda: hyperband(SPACE, 9, seed=3)),
    "asha": ({"n_trials": 12, "eta": 2}, lambda: asha(SPACE, 9, 12, seed=3, eta=2)),
    "mobster": ({"n_trials": 12}, lambda: mobster(SPACE, 9, 12, seed=3)),
}


@pytest.fixture(scope="module")
def four_cpus():
    with local_ray(num_cpus=4, address="local"):
        yield


@pytest.mark.parametrize("name", STRATEGIES)
def test_one_worker_tries_what_run_tries(four_cpus, name):
    options, strategy = SAME_BY_RUN[name]
    table = tune_on_ray(name, SPACE, OBJECTIVE, max_epochs=9, seed=3, n_workers=1, **options)
    assert same_trials(table, run(strategy(), OBJECTIVE, seed=3))


def test_the_courses_networks_train_there_as_here_and_are_charged_each_epoch_once(four_cpus):
    objective = TrainingObjective(load_splits("iris"))
    table = tune_on_ray("asha", SPACE, objective, max_epochs=9, n_trials=10, seed=3, n_workers=1)
    assert same_trials(table, run(asha(SPACE, 9, 10, seed=3), objective, seed=3))
    assert {1, 2, 3} >= set(table["charged_epochs"]) - {6} and table["n_epochs"].max() > 1


def test_four_workers_run_at_a_time_and_the_log_goes_on(four_cpus, tmp_path):
    """Each of the first four waits until all have begun: fewer at a time would wait in vain."""

    def meets(config, n_epochs):
        (tmp_path / str(config["lr"])).touch()
        deadline = time.monotonic() + 60
        while len(list(tmp_path.glob("0.*"))) < 4:
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)
        return config["lr"] / n_epochs

    arguments = {"max_epochs": 9, "seed": 3, "log": tmp_path / "log"}
    table = tune_on_ray("mobster", SPACE, per_trial(meets), n_trials=8, **arguments)
    assert set(table["status"]) == {"ok"} and sorted(table["asked"]) == list(range(8))
    longer = tune_on_ray("mobster", SPACE, OBJECTIVE, n_trials=16, **arguments)
    assert same_trials(longer[:8], table) and len(read_log(tmp_path / "log")) == len(longer) == 16
    assert longer["n_epochs"].nunique() > 1
    again = tune_on_ray("mobster", SPACE, OBJECTIVE, n_trials=16, **arguments)
    assert same_trials(again, longer) and len(read_log(tmp_path / "log")) == 16


# --- limits and deaths ----------------------------------------------------------------------------


def one_of_eight_goes_wrong(wrong):
    def loss(config, n_epochs):
        return wrong() if config["x"] == 2 else 0.5

    return per_trial(loss)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda: 1 / 0, "ZeroDivisionError: division by zero"),
        (lambda: Outcome(0.5, n_trained=threading.Lock()), "TypeError: cannot pickle"),
        (lambda: math.inf, "validation loss is inf"),
        (lambda: time.sleep(600), "stopped after 1.5 s, the limit trial_seconds"),
        (lambda: os._exit(1), "its worker died, 2 times, at last with ActorDiedError"),
    ],
)
def test_a_trial_that_goes_wrong_has_failed_and_the_search_goes_on(four_cpus, wrong, reason):
    objective = one_of_eight_goes_wrong(wrong)
    workers = RayActors(objective, 2, trial_seconds=1.5, max_failures=1)
    table = run(grid_search(EIGHT, 1), objective, workers=workers)
    assert len(table) == 8 and sorted(table["asked"]) == list(range(8))
    by_x = table.set_index("x")
    assert by_x.index[by_x["status"] == "failed"].tolist() == [2]
    assert by_x.loc[2, "reason"].startswith(reason)


def test_a_trial_whose_worker_dies_once_starts_again_and_is_recorded_once(four_cpus, tmp_path):
    def dies_once():
        with open(tmp_path / "begun", "ab") as file:
            file.write(b"x")
        if (tmp_path / "begun").stat().st_size < 2:
            os._exit(1)
        return 0.25

    objective = one_of_eight_goes_wrong(dies_once)
    table = run(grid_search(EIGHT, 1), objective, workers=RayActors(objective, 2))
    assert (tmp_path / "begun").read_bytes() == b"xx" and len(table) == 8
    assert table.set_index("x")["val_loss"].to_dict() == {
        i: 0.25 if i == 2 else 0.5 for i in range(8)
    }


def test_more_workers_than_room_wait_and_take_what_is_free(four_cpus):
    workers = RayActors(OBJECTIVE, 3, num_cpus=3)  # two never start
    table = run(random_search(SPACE, 9, 1, seed=0), OBJECTIVE, workers=workers)
    assert set(table["status"]) == {"ok"} and len(table) == 9


def test_a_training_in_memory_goes_on_in_the_worker_that_has_it(four_cpus):
    """Each worker counts what it had of a configuration."""

    class Counts:
        def __init__(self):
            self.had = {}

        def identity(self, config):
            return config["x"]

        def __call__(self, requests):
            for config, n_epochs, _, n_done in requests:
                had = self.had.get(config["x"], 0)
                self.had[config["x"]] = n_epochs
                yield float(had != n_done)

    def one_after_the_other():
        for n_epochs in (1, 2, 3):
            for config in EIGHT:
                yield [(config, n_epochs)]

    workers = RayActors(Counts(), 2)
    table = run(one_after_the_other(), Counts(), workers=workers)
    assert len(table) == 24 and set(table["val_loss"]) == {0.0}


def test_an_objective_that_cannot_be_loaded_is_an_error(four_cpus, tmp_path, monkeypatch):
    text = "def loss(config, n_epochs):\n    return 0.5\n"
    (tmp_path / "only_here_ray.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here_ray

    (tmp_path / "only_here_ray.py").unlink()
    objective = per_trial(only_here_ray.loss)
    with pytest.raises(RuntimeError, match=r"cannot load the objective: ModuleNotFoundError"):
        run(grid_search(EIGHT, 1), objective, workers=RayActors(objective, 2))


# --- how many workers, and of what ----------------------------------------------------------------


def test_there_are_as_many_workers_as_there_is_room_for(four_cpus):
    assert RayActors(OBJECTIVE).n_workers == 4
    assert RayActors(OBJECTIVE, num_cpus=1.5).n_workers == 2
    with pytest.raises(ValueError, match=r"no machine has room for .* num_gpus=1"):
        RayActors(OBJECTIVE, num_gpus=1)
    with pytest.warns(UserWarning, match=r"no machine has room for .* waits for one"):
        RayActors(OBJECTIVE, 2, num_gpus=1)
    with pytest.raises(ValueError, match="say how many"):
        RayActors(OBJECTIVE, num_cpus=0)


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"strategy_name": "random"}, ValueError, "strategy_name is 'random'; allowed are grid_"),
        ({"objective": 3}, TypeError, "objective is 3; a callable"),
        ({"objective": dict}, TypeError, "objective is the class dict; .* Ray's own Tuner"),
        ({"objective": lambda config, n: 0.5}, TypeError, "cannot take one list of requests"),
        ({"n_trials": "5"}, TypeError, "n_trials is '5'"),
        ({"n_trials": 0}, ValueError, "n_trials is 0"),
        ({"n_trials": None}, TypeError, "n_trials is None"),
        ({"strategy_name": "grid_search", "n_trials": 0}, ValueError, "n_trials is 0"),
        ({"strategy_name": "bayesian_search", "n_trials": None}, TypeError, "n_trials is None"),
        ({"strategy_name": "asha", "n_trials": None}, ValueError, "asha needs a budget or seconds"),
        ({"strategy_name": "asha", "max_epochs": None}, TypeError, "max_epochs is None"),
        ({"strategy_name": "hyperband"}, TypeError, "n_trials is no option of hyperband on Ray"),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"n_workers": 0}, ValueError, "n_workers is 0"),
        ({"num_cpus": -1}, ValueError, "num_cpus is -1"),
        ({"num_gpus": "1"}, TypeError, "num_gpus is '1'"),
        ({"trial_seconds": 0}, ValueError, "trial_seconds is 0"),
        ({"max_failures": -1}, ValueError, "max_failures is -1"),
        ({"eta": 3}, TypeError, "eta is no option of random_search on Ray; it takes none"),
        ({"strategy_name": "asha", "eta": 1}, ValueError, "eta is 1"),
        (
            {"strategy_name": "asha", "points": 5},
            TypeError,
            "points is no option of asha .*, first",
        ),
        ({"name": 3}, TypeError, "name is 3"),
    ],
)
def test_bad_arguments_are_named(four_cpus, tmp_path, change, error, message):
    arguments = {"strategy_name": "random_search", "space": SPACE, "objective": OBJECTIVE}
    arguments |= {"max_epochs": 9, "n_trials": 4, "log": tmp_path / "log"} | change
    with pytest.raises(error, match=message):
        tune_on_ray(**arguments)
    assert not (tmp_path / "log").exists()


def test_without_a_ray_of_this_process_none_is_started(monkeypatch):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(RuntimeError, match="with local_ray"):
        tune_on_ray("random_search", SPACE, OBJECTIVE, max_epochs=9, n_trials=4)
