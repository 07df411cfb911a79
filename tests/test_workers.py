"""Searches in worker processes: how many run at a time, limits, deaths, interrupts and kills."""

import math
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from hpt_helpers.config import config_key
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import Ask, Outcome, run
from hpt_helpers.strategies import grid_search, successive_halving
from hpt_helpers.training_objective import TrainingObjective
from hpt_helpers.trials import read_log, same_trials

EIGHT = [{"x": i} for i in range(8)]


def one_by_one(configs):
    for config in configs:
        yield Ask([(config, 1)], late=True)


def is_alive(process):
    """Say whether a process has not ended. It may end at any time, and a zombie has ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def is_worker(process):
    try:
        return is_alive(process) and "popen_loky" in " ".join(process.cmdline())
    except psutil.NoSuchProcess:  # or ZombieProcess, which is one: it has ended since
        return False


def workers(of=None):
    """Return the worker processes that a process has now, this one if it is not given."""
    return list(filter(is_worker, psutil.Process(of).children(recursive=True)))


@pytest.fixture(autouse=True)
def no_worker_is_left():
    """End those of other tests, such as joblib's, first."""
    for process in workers():
        process.kill()
        process.wait()
    yield
    assert workers() == []


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
    two = run(grid_search(EIGHT, 3), per_trial(function), n_workers=2, log=log)
    in_order = two.sort_values("asked", ignore_index=True)
    assert same_trials(one.drop(columns="val_accuracy"), in_order.drop(columns="val_accuracy"))
    assert in_order["reason"][2] == "ValueError: no" and len(read_log(log)) == 8
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

    trials = run(grid_search(EIGHT[:2], 1), per_trial(meets), n_workers=2)
    assert trials["status"].tolist() == ["ok", "ok"]


def test_four_workers_run_trials_that_sleep_three_and_a_half_times_as_fast():
    """Counted from when all four run, as their start takes processor time."""

    def sleeps(config, n_epochs):
        begun = time.time()
        time.sleep(0.2)
        return Outcome(0.5, begun)

    trials = run(one_by_one(EIGHT * 8), per_trial(sleeps), n_workers=4)
    assert len(trials) == 64 and trials["runtime_s"].between(0.2, 0.6).all()
    begun = sorted(trials["val_accuracy"])
    took = begun[-1] - begun[3]  # 15 rounds of four, where one worker would have taken 60
    assert 60 * 0.2 / took >= 3.5


def test_a_function_of_a_script_without_a_guard_runs_in_workers(tmp_path):
    """And one that needs what stands beside it in the script, as in a notebook."""
    script = tmp_path / "script.py"
    script.write_text(
        "from hpt_helpers import per_trial, run, grid_search\n"
        "offset = 3\n"
        "def loss(config, n_epochs):\n"
        "    return config['x'] + offset\n"
        "trials = run(grid_search([{'x': 1}, {'x': 2}], 1), per_trial(loss), n_workers=2)\n"
        "print(sorted(trials['val_loss']))\n",
        encoding="utf-8",
    )
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert done.stdout == "[4.0, 5.0]\n" and done.stderr == ""


def test_workers_have_one_thread_unless_the_environment_says_otherwise(monkeypatch):
    def threads(config, n_epochs):
        return int(os.environ[config["name"]])

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    names = [{"name": "OMP_NUM_THREADS"}, {"name": "MKL_NUM_THREADS"}]
    trials = run(grid_search(names, 1), per_trial(threads), n_workers=2)
    assert dict(zip(trials["name"], trials["val_loss"], strict=True)) == {
        "OMP_NUM_THREADS": 1,
        "MKL_NUM_THREADS": 3,
    }


# --- limits and deaths ----------------------------------------------------------------------------


def test_a_trial_that_hangs_is_ended_with_all_that_it_started(tmp_path):
    def hangs(config, n_epochs):
        if config["x"] == 1:
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            (tmp_path / "child").write_text(str(child.pid), encoding="utf-8")
            time.sleep(600)
        return 0.5

    trials = run(grid_search(EIGHT[:4], 1), per_trial(hangs), n_workers=2, trial_seconds=3)
    assert trials["x"].tolist() == [0, 2, 3, 1]
    assert trials["reason"].tolist() == [
        *[""] * 3,
        "stopped after 3 s, the limit trial_seconds",
    ]
    assert 3 <= trials["runtime_s"][3] < 10 and trials["charged_epochs"][3] == 1
    child = int((tmp_path / "child").read_text(encoding="utf-8"))
    assert not psutil.pid_exists(child) or not is_alive(psutil.Process(child))


def test_a_limit_for_one_worker_keeps_the_record_of_one():
    def hangs(config, n_epochs):
        time.sleep(600 if config["x"] == 1 else 0)
        return float(os.getpid())

    trials = run(grid_search(EIGHT[:3], 1), per_trial(hangs), trial_seconds=0.5)
    assert trials["status"].tolist() == ["ok", "failed", "ok"] and "asked" not in trials
    assert trials["val_loss"][0] != trials["val_loss"][2] != os.getpid()  # another process


@pytest.mark.parametrize("code", [0, 3])
def test_a_trial_whose_process_dies_is_failed_and_the_search_goes_on(code):
    def dies(config, n_epochs):
        if config["x"] == 1:
            os._exit(code)
        return 0.5

    trials = run(grid_search(EIGHT[:4], 1), per_trial(dies), n_workers=2)
    failed = trials[trials["status"] == "failed"]
    assert failed["x"].tolist() == [1] and len(trials) == 4
    assert failed["reason"].tolist() == [f"its worker process died, with exit code {code}"]


@pytest.mark.usefixtures("unix")
def test_an_idle_worker_that_dies_is_replaced():
    def strategy():
        yield [(config, 1) for config in EIGHT[:2]]
        for process in workers():
            process.kill()
            process.wait()
        yield [(config, 1) for config in EIGHT[2:4]]

    trials = run(strategy(), per_trial(lambda config, n_epochs: 0.5), n_workers=2)
    assert trials["status"].tolist() == ["ok"] * 4


def test_the_end_of_the_time_waits_for_what_runs():
    def slow(config, n_epochs):
        time.sleep(1)
        return 0.5

    with pytest.warns(UserWarning, match="at its limit"):
        trials = run(one_by_one(EIGHT), per_trial(slow), n_workers=2, seconds=0.5)
    assert 2 <= len(trials) < 8 and (trials["status"] == "ok").all()
    assert trials.attrs["ended"] == "seconds"


@pytest.mark.usefixtures("unix")
@pytest.mark.parametrize("where", ["trial", "terminal"])
def test_an_interrupt_ends_the_processes_and_keeps_what_has_ended(where):
    """From the notebook's stop button, or from a terminal, which interrupts the workers, too."""

    def endless(config, n_epochs):
        time.sleep(600 if config["x"] > 1 else 0)
        return 0.5

    kept = []

    def strategy():
        kept.extend((yield [(config, 1) for config in EIGHT[:2]]))
        threading.Timer(1.0, interrupt).start()
        yield [(config, 1) for config in EIGHT[2:]]

    def interrupt():
        for process in workers() if where == "terminal" else []:
            process.send_signal(signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(UserWarning, match="interrupted: the 2 trials"):
        trials = run(strategy(), per_trial(endless), n_workers=2)
    assert len(kept) == len(trials) == 2 and trials.attrs["ended"] == "interrupted"


SCRIPT = """
import sys, time
from pathlib import Path
from hpt_helpers import per_trial, run
from hpt_helpers.search import Ask

folder = Path(sys.argv[1])


def loss(config, n_epochs):
    file = folder / f"begun {config['x']}"
    file.write_text(file.read_text() + "x" if file.exists() else "x")
    while config["x"] in (3, 5) and not (folder / "go on").exists():
        time.sleep(0.05)
    return config["x"] / 10


def strategy():
    for x in range(12):
        yield Ask([({"x": x}, 1)], late=True)


trials = run(strategy(), per_trial(loss), n_workers=3, log=folder / "log", name="tenths")
print(sorted(trials["x"]), sorted(trials["asked"]))
"""


@pytest.mark.usefixtures("unix")
def test_a_process_that_ends_while_it_is_looked_at_counts_as_ended(monkeypatch):
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # a zombie, as nobody waits for it
    process = psutil.Process(child.pid)
    assert not is_alive(process)
    with monkeypatch.context() as before:
        before.setattr(f"{__name__}.is_alive", lambda process: True)
        assert not is_worker(process)
    child.wait()
    assert not is_alive(process)


@pytest.mark.usefixtures("unix")
def test_after_a_kill_what_ran_runs_again_and_nothing_twice(tmp_path):
    """3 and 5 hang while the third worker does all others; then all is killed, and goes on."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    search = subprocess.Popen([sys.executable, script, tmp_path])
    deadline = time.monotonic() + 60
    while not (tmp_path / "log").exists() or len(read_log(tmp_path / "log")) < 10:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    at_work = workers(search.pid)
    search.kill()
    search.wait()
    while any(map(is_alive, at_work)):  # they end with their search, in the middle of a trial
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert len(at_work) == 3
    (tmp_path / "go on").touch()
    done = subprocess.run(
        [sys.executable, script, tmp_path],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    assert done.stdout == f"{list(range(12))} {list(range(12))}\n"
    begun = {x: len((tmp_path / f"begun {x}").read_text(encoding="utf-8")) for x in range(12)}
    assert begun == {x: 2 if x in (3, 5) else 1 for x in range(12)}


# --- objectives -----------------------------------------------------------------------------------


def test_a_training_in_memory_goes_on_in_the_worker_that_has_it():
    """One worker: each epoch is trained once, as the charge says."""
    rungs = [(9, 1), (3, 3), (1, 9)]

    class Memory:
        def __init__(self):
            self.done = {}

        def __call__(self, config, n_epochs):
            new = n_epochs - self.done.get(config["x"], 0)
            self.done[config["x"]] = n_epochs
            return Outcome(config["x"], new)

    nine = [{"x": i} for i in range(9)]
    trials = run(
        successive_halving(nine, rungs),
        per_trial(Memory(), identity=config_key),
        n_workers=1,
        trial_seconds=60,
    )
    assert trials["val_accuracy"].tolist() == trials["charged_epochs"].tolist()
    assert trials["charged_epochs"].sum() == 21


def test_the_courses_networks_train_in_workers_as_here():
    configs = [{"lr": 0.01 * (1 + i), "batch_size": 16} for i in range(4)]
    splits = load_splits("iris")
    here = run(successive_halving(configs, [(4, 1), (2, 3)]), TrainingObjective(splits))
    there = run(
        successive_halving(configs, [(4, 1), (2, 3)]), TrainingObjective(splits), n_workers=2
    )
    in_order = there.sort_values("asked", ignore_index=True)
    assert same_trials(here, in_order)


def test_an_answer_that_cannot_be_sent_fails_its_trial():
    def odd(config, n_epochs):
        return Outcome(0.5, n_trained=threading.Lock() if config["x"] == 1 else None)

    trials = run(grid_search(EIGHT[:3], 1), per_trial(odd), n_workers=2)
    assert trials.set_index("x")["status"].to_dict() == {0: "ok", 1: "failed", 2: "ok"}


def test_an_objective_that_cannot_be_sent_is_refused():
    lock = threading.Lock()
    with pytest.raises(TypeError, match=r"cannot be sent to worker processes .*n_workers=1"):
        run(grid_search(EIGHT, 1), per_trial(lambda config, n_epochs: lock), n_workers=2)


def test_an_objective_that_cannot_be_loaded_is_an_error(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text(
        "def loss(config, n_epochs):\n    return 0.5\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    (tmp_path / "only_here.py").unlink()
    with pytest.raises(
        RuntimeError, match=r"cannot load the objective: ModuleNotFoundError.*only_h"
    ):
        run(grid_search(EIGHT, 1), per_trial(only_here.loss), n_workers=2)


def test_an_objective_that_raises_after_its_last_answer_is_an_error():
    def objective(requests):
        yield from [0.5] * len(requests)
        raise OSError("no room for the summary")

    with pytest.raises(
        RuntimeError, match="raised after its answer, in a worker: OSError: no room"
    ):
        run(grid_search(EIGHT[:2], 1), objective, n_workers=2)


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"n_workers": 0}, ValueError, "n_workers is 0"),
        ({"n_workers": "2"}, TypeError, "n_workers is '2'"),
        ({"n_workers": True}, TypeError, "n_workers is True"),
        ({"trial_seconds": 0}, ValueError, "trial_seconds is 0"),
        ({"trial_seconds": -1}, ValueError, "trial_seconds is -1"),
        ({"trial_seconds": "1"}, TypeError, "trial_seconds is '1'"),
    ],
)
def test_bad_numbers_of_workers_and_limits_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        run(grid_search(EIGHT, 1), per_trial(function), **options)


def test_the_interpreter_is_the_tests_own():
    """What the workers import is this source, not an installed copy."""

    def where(config, n_epochs):
        import hpt_helpers

        return Outcome(0.5, Path(hpt_helpers.__file__).stat().st_ino)

    import hpt_helpers

    [inode] = run(grid_search(EIGHT[:1], 1), per_trial(where), trial_seconds=60)["val_accuracy"]
    assert inode == Path(hpt_helpers.__file__).stat().st_ino
