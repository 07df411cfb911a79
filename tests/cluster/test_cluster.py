"""Searches on a Ray of two nodes, one of which is killed while it trains; and searches whose driver
is killed.

`make test-cluster` runs these; `make test` does not.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from hpt_helpers.config import config_key
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.on_ray.local_ray import local_ray
from hpt_helpers.on_ray.ray_tune import STRATEGIES, tune_on_ray
from hpt_helpers.search import run
from hpt_helpers.strategies import bayesian_search, grid_search, random_search
from hpt_helpers.training import fit
from hpt_helpers.trials import read_log, same_trials
from tests.cluster.two_nodes import (
    SPACE,
    Traces,
    slow_loss,
    slow_trials,
    time_limit,
    two_nodes,
)

LIMIT_S = 240  # for one search, on a busy machine; a quiet one needs under 20
R = 9


@pytest.fixture(scope="module")
def nodes():
    with two_nodes() as nodes:
        yield nodes


def keys(trials_or_configs):
    return [config_key(config) for config in trials_or_configs]


# --- a worker node that is killed while a trial runs on it ----------------------------------------


def kill_while_a_trial_runs(nodes, traces, seen):
    """Kill the worker node amid a trial there, once others have ended; note which it was."""
    while "over" not in seen:
        lines = traces.read()
        there = [line for line in lines if line["at"] == nodes.worker_at]
        if len(lines) >= 8 and there and there[-1]["what"] == "start":
            nodes.kill_worker()
            seen["killed"] = there[-1]
            return
        time.sleep(0.01)


N_TRIALS = {"successive_halving": None, "hyperband": None}
HOW_MANY = {"successive_halving": 9 + 3 + 1, "hyperband": 9 + 3 + 1 + 5 + 1 + 3}


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_node_is_lost_in_the_middle_of_a_trial_and_the_search_ends_as_if_it_were_not(
    nodes, tmp_path, name
):
    traces, seen, log = Traces(tmp_path / "traces.jsonl"), {}, tmp_path / "log.jsonl"
    objective = per_trial(slow_trials(traces, 0.3))
    killer = threading.Thread(target=kill_while_a_trial_runs, args=(nodes, traces, seen))
    with local_ray(address=nodes.address), time_limit(LIMIT_S):
        import ray

        assert ray.cluster_resources()["CPU"] == 2
        n_trials = N_TRIALS.get(name, 12)
        arguments = {"max_epochs": R, "n_trials": n_trials, "seed": 1, "log": log}
        killer.start()
        try:
            table = tune_on_ray(name, SPACE, objective, **arguments)
        finally:
            seen["over"] = True
            killer.join()
    nodes.add_worker()
    # The recovery: what ran there was begun again elsewhere, and ended.
    what = {"config": seen["killed"]["config"], "epoch": seen["killed"]["epoch"]}
    of_it = [(line["what"], line["at"]) for line in traces.read() if what.items() <= line.items()]
    assert of_it == [
        ("start", nodes.lost_at),
        ("start", nodes.head_at),
        ("end", nodes.head_at),
    ]
    # None lost, none counted twice, and each with the loss of an uninterrupted training.
    assert len(table) == len(read_log(log)) == HOW_MANY.get(name, 12)
    assert sorted(table["asked"]) == list(range(len(table))) and set(table["status"]) == {"ok"}
    trials = list(zip(keys(table["config"]), table["n_epochs"], strict=True))
    ended = [(config_key(x["config"]), x["epoch"]) for x in traces.read() if x["what"] == "end"]
    assert len(set(trials)) == len(trials) and sorted(ended) == sorted(trials)
    if name in ("grid_search", "random_search"):
        expected = SPACE.grid(3)[:12] if name == "grid_search" else SPACE.sample(12, seed=1)
        assert keys(table.sort_values("asked")["config"]) == keys(expected)
    for config, n_epochs, loss in zip(
        table["config"], table["n_epochs"], table["val_loss"], strict=True
    ):
        assert loss == fit(config, load_splits("iris"), n_epochs=n_epochs).val_loss[-1]
    assert (set(table["n_epochs"]) == {R}) == name.endswith(
        ("grid_search", "random_search", "bayesian_search")
    )


def test_the_same_search_gives_the_table_of_run(nodes, tmp_path):
    traces = Traces(tmp_path / "traces.jsonl")
    loss = slow_loss(traces, 0.0)

    def loss_on_two_nodes(config, n_epochs):
        traces.write("start", config)
        traces.wait_for_two_nodes()
        return loss(config, n_epochs)

    objective = per_trial(loss_on_two_nodes)
    searches = {
        "grid_search": grid_search(SPACE.grid(2), 1),
        "random_search": random_search(SPACE, 18, 1, seed=3),
        "bayesian_search": bayesian_search(SPACE, 18, 1, seed=3),
    }
    options = {"grid_search": {"n_points": 2}, "bayesian_search": {"n_workers": 1}}
    with local_ray(address=nodes.address):
        for name, strategy in searches.items():
            with time_limit(LIMIT_S):
                table = tune_on_ray(
                    name,
                    SPACE,
                    objective,
                    max_epochs=1,
                    n_trials=18,
                    seed=3,
                    **options.get(name, {}),
                )
            if "asked" in table:
                table = table.sort_values("asked", ignore_index=True)
            assert same_trials(table, run(strategy, objective, seed=3)), name
    assert {line["at"] for line in traces.read()} >= {
        nodes.head_at,
        nodes.worker_at,
    }


# --- a driver that is killed ----------------------------------------------------------------------


def lines_of(log):
    return log.read_bytes().count(b"\n") if log.exists() else 0


# When to kill: each is asked again and again, with what the log and the traces have gained since
# the start.
MOMENTS = {
    "the first trial has begun": lambda logged, traces: traces,
    "a trial's line has just been written": lambda logged, traces: logged == 1,
    "a trial has ended, which the driver may not know yet": lambda logged, traces: (
        traces.count("end") == 2
    ),
    "a trial runs again after one has ended": lambda logged, traces: (
        logged and traces[-1] == "start"
    ),
    "several have ended": lambda logged, traces: logged == 3,
}


@pytest.mark.parametrize("name", ["random_search", "bayesian_search"])
def test_a_search_that_is_killed_five_times_runs_no_ended_trial_again_and_loses_none(
    nodes, tmp_path, name
):
    command = [sys.executable, "-m", "tests.cluster.two_nodes", name, str(tmp_path)]
    log, traces = tmp_path / "ended_trials.jsonl", Traces(tmp_path / "traces.jsonl")
    environment, kept = {**os.environ, "RAY_ADDRESS": nodes.address}, []
    for is_now in [*MOMENTS.values(), None]:
        n_logged, n_traced = lines_of(log), len(traces.read())
        driver, started = subprocess.Popen(command, env=environment), time.monotonic()
        while driver.poll() is None:
            assert time.monotonic() - started < LIMIT_S
            if is_now and is_now(
                lines_of(log) - n_logged, [line["what"] for line in traces.read()[n_traced:]]
            ):
                driver.send_signal(signal.SIGKILL)
                assert driver.wait() == -signal.SIGKILL
                break
            time.sleep(0.002)
        else:
            assert is_now is None and driver.returncode == 0
        begun = [line["config"] for line in traces.read()[n_traced:] if line["what"] == "start"]
        kept_now = [record["config"] for record in read_log(log)]
        assert kept_now[: len(kept)] == kept  # none is lost,
        assert set(keys(begun)).isdisjoint(keys(kept))  # and none of those in the log ran again
        kept = kept_now
    assert len(kept) == len(set(keys(kept))) == 12  # none is there twice
    if name == "random_search":
        assert Counter(keys(kept)) == Counter(keys(SPACE.sample(12, seed=3)))
    else:
        uninterrupted = run(
            bayesian_search(SPACE, 12, 1, seed=3), per_trial(slow_loss(Traces(os.devnull), 0.0))
        )
        assert keys(kept) == keys(uninterrupted["config"])


# --- the token ------------------------------------------------------------------------------------

CLIENT = """
import os, ray
ray.init(os.environ["RAY_ADDRESS"], log_to_driver=False, logging_level="CRITICAL")
print("joined", ray.cluster_resources()["CPU"])
"""


@pytest.mark.parametrize("token", [None, "0" * 64, "the right one"])
def test_a_client_without_the_token_is_refused(nodes, token):
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("RAY_AUTH")
    }
    if token:
        right = os.environ["RAY_AUTH_TOKEN"]
        environment |= {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": right if token == "the right one" else token,
        }
    command, environment = (
        [sys.executable, "-c", CLIENT],
        environment | {"RAY_ADDRESS": nodes.address},
    )
    client = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=LIMIT_S
    )
    joined = client.returncode == 0 and client.stdout == "joined 2.0\n"
    assert joined == (token == "the right one")
    if not joined:
        assert "joined" not in client.stdout and "uthenticat" in client.stderr
