"""`per_trial` in several processes, and with a function that continues from checkpoints."""

import math
import os
import signal
import threading
import time

import psutil
import pytest

from hpt_helpers.config import config_key
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import Outcome, Request, run
from hpt_helpers.strategies import grid_search, successive_halving
from hpt_helpers.trials import read_log, same_trials

EIGHT = [{"x": i} for i in range(8)]


def function(config, n_epochs):
    """Say in which process it ran; fail for one trial in each way."""
    if config["x"] == 2:
        raise ValueError("no")
    if config["x"] == 3:
        return math.inf
    return Outcome(config["x"] + n_epochs / 100, os.getpid())


def test_two_processes_give_what_one_gives_and_the_log_is_whole(tmp_path):
    log = tmp_path / "log"
    one = run(grid_search(EIGHT, 3), per_trial(function))
    two = run(grid_search(EIGHT, 3), per_trial(function, n_jobs=2), log=log)
    assert same_trials(one.drop(columns="val_accuracy"), two.drop(columns="val_accuracy"))
    assert two["reason"][2] == "ValueError: no" and len(read_log(log)) == 8
    processes = set(two["val_accuracy"].dropna())
    assert 1 <= len(processes) <= 2 and os.getpid() not in processes
    assert set(one["val_accuracy"].dropna()) == {os.getpid()}


def test_two_trials_run_at_a_time(tmp_path):
    """Each waits until the other has begun: one at a time, they would wait in vain."""

    def meets(config, n_epochs):
        (tmp_path / str(config["x"])).touch()
        deadline = time.monotonic() + 60
        while not (tmp_path / str(1 - config["x"])).exists():
            if time.monotonic() > deadline:
                raise TimeoutError
            time.sleep(0.01)
        return 0.5

    trials = run(grid_search(EIGHT[:2], 1), per_trial(meets, n_jobs=2))
    assert trials["status"].tolist() == ["ok", "ok"]


def test_the_end_of_the_time_cancels_what_runs_without_a_foreign_warning(recwarn):
    def later_ones_are_slow(config, n_epochs):
        time.sleep(config["x"])
        return 0.5

    objective = per_trial(later_ones_are_slow, n_jobs=2)
    strategy = ([(config, 1) for config in batch] for batch in [EIGHT])
    done = run(strategy, objective, seconds=0.01)
    assert len(done) < len(EIGHT)  # how many are done when two processes have started may differ
    assert [str(warning.message) for warning in recwarn] == []


@pytest.mark.usefixtures("unix")
def test_an_interrupt_ends_the_processes():
    def endless(config, n_epochs):
        time.sleep(600)

    def interrupt():
        deadline = time.monotonic() + 60
        while not workers() and time.monotonic() < deadline:
            time.sleep(0.05)
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)

    def workers():
        children = psutil.Process().children(recursive=True)
        return [p for p in children if "popen_loky" in " ".join(p.cmdline())]

    for process in workers():  # those of the tests before
        process.kill()
        process.wait()
    threading.Thread(target=interrupt).start()
    with pytest.warns(UserWarning, match="interrupted: the 0 trials"):
        run(grid_search(EIGHT, 1), per_trial(endless, n_jobs=2))
    psutil.wait_procs(workers(), timeout=10)
    assert workers() == []


def test_a_trial_whose_process_dies_is_failed_and_the_search_goes_on():
    def dies(config, n_epochs):
        if config["x"] == 1:
            os._exit(1)
        return 0.5

    trials = run(grid_search(EIGHT[:3], 1), per_trial(dies, n_jobs=2))
    assert trials["status"].tolist() == ["ok", "failed", "ok"]
    assert trials["reason"][1].startswith("TerminatedWorkerError")


@pytest.mark.parametrize(
    ("n_jobs", "error"), [(0, ValueError), ("2", TypeError), (True, TypeError)]
)
def test_a_bad_number_of_processes_is_refused(n_jobs, error):
    with pytest.raises(error, match="n_jobs is"):
        per_trial(function, n_jobs=n_jobs)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"function": 5}, "function is 5; a callable of"),
        ({"function": None}, "function is None; a callable of"),
        (
            {"function": function, "identity": "config_key"},
            "identity is 'config_key'; None or a callable",
        ),
    ],
)
def test_what_cannot_be_called_is_refused(options, says):
    with pytest.raises(TypeError, match=says):
        per_trial(**options)


def test_the_end_of_the_time_says_nothing_of_answers_that_were_not_used(recwarn):
    """Two are done while the search still thinks about the first."""
    answers = per_trial(quick_but_one, n_jobs=2)([Request(c, 1, 0) for c in EIGHT[:4]])
    assert next(answers).val_loss == 0.5
    time.sleep(1)
    answers.close()
    assert [str(warning.message) for warning in recwarn] == []


def quick_but_one(config, n_epochs):
    time.sleep(3 * (config["x"] == 3))
    return 0.5


def test_a_function_with_checkpoints_of_its_own_is_charged_each_epoch_once():
    """R = 9, η = 3: 9 configurations for 1 epoch, 3 for 3, 1 for 9: 9 + 3 · 2 + 6 epochs."""
    checkpoints, trained = {}, []

    def continues(config, n_epochs):
        done = checkpoints.get(config_key(config), 0)
        trained.append(n_epochs - done)
        checkpoints[config_key(config)] = n_epochs
        return config["x"]

    nine = [{"x": i} for i in range(9)]
    rungs = [(9, 1), (3, 3), (1, 9)]
    going_on = per_trial(continues, identity=config_key)
    trials = run(successive_halving(nine, rungs), going_on)
    assert trials["charged_epochs"].tolist() == trained and sum(trained) == 21
    anew = run(successive_halving(nine, rungs), per_trial(function))
    assert anew["charged_epochs"].sum() == 9 + 9 + 9
