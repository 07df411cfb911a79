"""Trials run in a local Ray with the numbers of `fit`, and it leaves nothing behind."""

import json
import logging
import os
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
import tomllib
import urllib.request
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest

from hpt_helpers.classroom.computing import processes
from hpt_helpers.classroom.lesson_04.ray_in_turn import fit_in_turn, quiet_run
from hpt_helpers.classroom.lesson_04.ray_trainable import course_trainable, results_table
from hpt_helpers.data import load_splits
from hpt_helpers.on_ray import local_ray as room
from hpt_helpers.on_ray.local_ray import local_ray
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit

CONFIG = {"lr": 0.01, "batch_size": 16, "hidden_size": 8}
OTHER = {"lr": 0.003, "batch_size": 64, "hidden_size": 32}
SPACE = SearchSpace(
    {
        "lr": Real(1e-4, 1e-2, log=True),
        "batch_size": Choice([16, 32, 64]),
        "hidden_size": Choice([8, 16, 32]),
    }
)
WILD = {"lr": 1e200, "batch_size": 32, "hidden_size": 16}


ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def ray():
    import ray as library  # takes seconds, so not at collection

    return library


# --- the local Ray, without starting one ----------------------------------------------------------


class FakeRay:
    """Stands in for ray.init: changes settings, and starts a process and its child, as the real one
    does.
    """

    def __init__(self):
        self.n_failing, self.calls, self.started, self.processes = 0, [], [], []

    def init(self, *args, **options):
        self.calls.append((args, options))
        os.environ["RAY_SET_BY_RAY"] = "1"
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        if "_temp_dir" in options:
            os.makedirs(options["_temp_dir"], exist_ok=True)
            os.chmod(options["_temp_dir"], 0o777)
            self.started.append(
                subprocess.Popen(["sh", "-c", "sleep 60 & wait", options["_temp_dir"]])
            )
            process = psutil.Process(self.started[-1].pid)
            while not process.children():
                time.sleep(0.01)
            self.processes += [process, *process.children()]
        if len(self.calls) <= self.n_failing:
            raise RuntimeError("The current node timed out during startup.")

    def running(self):
        return [room._is_alive(process) for process in self.processes]


@pytest.fixture
def fake(unix, ray, monkeypatch):
    fake = FakeRay()
    monkeypatch.setattr(ray, "init", fake.init)
    monkeypatch.setattr(room, "END_WITHIN_S", 0.2)
    yield fake
    for process in fake.started:
        process.kill()  # does nothing after a test that passed
        process.wait()


def state():
    return (
        dict(os.environ),
        signal.getsignal(signal.SIGTERM),
        signal.getsignal(signal.SIGINT),
        logging.getLogger("ray").level,
    )


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_whatever_ends_the_block_processes_and_files_go_and_settings_come_back(fake, error):
    before = state()
    with pytest.raises(error), local_ray() as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert os.environ["RAY_AUTH_MODE"] == "token" and len(os.environ["RAY_AUTH_TOKEN"]) == 64
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        raise error
    assert not folder.exists()
    assert fake.running() == [False] * 2
    assert state() == before


def test_each_start_has_a_token_of_its_own(fake):
    tokens = []
    for _ in range(2):
        with local_ray():
            tokens.append(os.environ["RAY_AUTH_TOKEN"])
    assert tokens[0] != tokens[1]


def test_a_start_that_fails_is_tried_three_times_and_leaves_nothing(fake):
    fake.n_failing, before = 99, state()
    with pytest.raises(RuntimeError, match="timed out"), local_ray():
        pytest.fail("the block must not run")
    assert len(fake.calls) == room.START_ATTEMPTS == 3
    assert fake.running() == [False] * 6
    assert state() == before


def test_a_start_that_fails_once_is_repeated(fake):
    fake.n_failing = 1
    with local_ray(num_cpus=3):
        assert [(args, options["num_cpus"]) for args, options in fake.calls] == [
            (("local",), 3)
        ] * 2
        assert fake.running() == [False, False, True, True]


@pytest.mark.parametrize("moment", ["start", "shutdown"])
@pytest.mark.parametrize("address", ["local", "10.0.0.1:6379"])
def test_an_interrupt_is_raised_once_start_or_shutdown_is_done(
    fake, ray, monkeypatch, moment, address
):
    done = []

    def interrupted(name, function):
        def call(*args, **options):
            if name == moment:
                signal.raise_signal(signal.SIGINT)
            function(*args, **options)
            done.append(name)

        return call

    monkeypatch.setattr(ray, "init", interrupted("start", fake.init))
    monkeypatch.setattr(ray, "shutdown", interrupted("shutdown", lambda: None))
    before = state()
    with pytest.raises(KeyboardInterrupt), local_ray(address=address):
        done.append("block")
    assert done == (["start", "shutdown"] if moment == "start" else ["start", "block", "shutdown"])
    assert state() == before and not any(fake.running())


@contextmanager
def local_server():
    """Yield the address of a web server on this machine, such as MLflow's."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown(), server.server_close()


class Answering(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200), self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *_):
        pass


def fetched(address):
    with urllib.request.urlopen(address, timeout=20) as answer:
        return answer.read().decode()


def test_a_server_on_this_machine_answers_inside_the_block_and_no_clouds_does(fake):
    import requests  # by which Ray asks

    with local_server() as address, local_ray():
        assert fetched(address) == requests.get(address, timeout=20).text == "here"
        for clouds in (
            "169.254.169.254/latest/meta-data/",
            "metadata.google.internal/computeMetadata",
        ):
            with pytest.raises(requests.exceptions.ProxyError):
                requests.get(f"http://{clouds}", timeout=1)


def test_it_refuses_where_ray_runs_already_and_leaves_that_alone(fake, ray, monkeypatch):
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "shutdown", lambda: pytest.fail("that is not ours to stop"))
    with pytest.raises(RuntimeError, match="uses Ray already"), local_ray():
        pass
    assert fake.calls == []


@pytest.mark.parametrize("where", ["argument", "environment"])
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_a_cluster_is_joined_with_the_users_token_and_only_left_again(
    fake, ray, monkeypatch, where, error
):
    monkeypatch.setenv("RAY_AUTH_TOKEN", "theirs")
    monkeypatch.delenv("http_proxy", raising=False)
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379" if where == "environment" else "10.0.0.9:1")
    left = []
    monkeypatch.setattr(ray, "shutdown", lambda: left.append(True))
    monkeypatch.setattr(room, "_stop", lambda folder: pytest.fail("that is not ours to stop"))
    before = state()
    with (
        suppress(ValueError, KeyboardInterrupt),
        local_ray(address="10.0.0.1:6379" if where == "argument" else None),
    ):
        assert os.environ["RAY_AUTH_TOKEN"] == "theirs" and "http_proxy" not in os.environ
        assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
        if error:
            raise error
    [(args, options)] = fake.calls
    assert (
        args == ("10.0.0.1:6379",)
        and not {"num_cpus", "_temp_dir", "include_dashboard"} & options.keys()
    )
    assert left == [True] and state() == before


def test_local_means_a_ray_of_ones_own_whatever_the_environment_says(fake, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    with local_ray(address="local"):
        assert [args for args, _ in fake.calls] == [("local",)] and fake.running() == [True, True]
    assert fake.running() == [False, False]


@pytest.mark.parametrize("gone", ["Config", "AuthenticationTokenLoader"])
def test_a_ray_without_the_private_names_is_refused_with_the_versions_that_were_tried(
    fake, ray, monkeypatch, gone
):
    monkeypatch.delattr(ray._raylet, gone)
    before = state()
    with (
        pytest.raises(
            RuntimeError, match=rf"cannot be told a token \(.*{gone}.*2\.56\.0 and 2\.60\.0"
        ),
        local_ray(),
    ):
        pytest.fail("the block must not run")
    assert fake.calls == [] and state() == before


def test_one_place_alone_uses_the_private_names_and_the_range_is_what_was_tried():
    using = [
        path.name
        for path in (ROOT / "hpt_helpers").rglob("*.py")
        if "_raylet" in path.read_text(encoding="utf-8")
    ]
    assert using == ["local_ray.py"]
    [requirement] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]["ray"]
    oldest, newest = room.TRIED.split(" and ")
    major, minor, _ = newest.split(".")
    assert requirement == f"ray[tune]>={oldest},<{major}.{int(minor) + 1}"


@pytest.mark.parametrize("n_characters", [22, 23, 90])
def test_the_folder_is_short_enough_for_sockets_however_long_the_usual_one_is(
    monkeypatch, n_characters
):
    usual = Path("/tmp") / ("a" * (n_characters - len("/tmp/")))
    monkeypatch.setattr(tempfile, "tempdir", str(usual))
    # mkdtemp chooses the name; nothing need be there
    monkeypatch.setattr(os, "mkdir", lambda path, mode: None)
    with room._private_folder() as folder:
        deepest = f"{folder}/ray/session_2026-01-01_00-00-00_000000_1234567/sockets/plasma_store"
        assert len(deepest) <= 103


# --- a real one, started once ---------------------------------------------------------------------

CONNECT = """
import json, sys
from hpt_helpers.on_ray.local_ray import local_ray
with local_ray(address=sys.argv[1]) as folder:
    import ray
    print(json.dumps([ray.cluster_resources()["CPU"], ray.is_initialized(), folder.exists()]))
    assert not [p for p in __import__("psutil").Process().children()]
"""


INTERRUPTED = """
import signal

from ray._private.gc_collect_manager import PythonGCThread

from hpt_helpers.on_ray.local_ray import local_ray

thread = PythonGCThread.__init__


def interrupted(*args, **options):  # where the C++ of Ray's driver is up, and its Python not yet
    signal.raise_signal(signal.SIGINT)
    thread(*args, **options)


PythonGCThread.__init__ = interrupted
try:
    with local_ray(num_cpus=1):
        pass
except KeyboardInterrupt:
    PythonGCThread.__init__ = thread
    with local_ray(num_cpus=1):
        print("and again")
"""


def test_ray_starts_again_after_an_interrupt_in_the_middle_of_its_start(ray):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, timeout=200
    )
    assert (done.stdout, done.stderr, done.returncode) == ("and again\n", "", 0)


def too_late_and_again(folder):
    """Fit a trial without end, with a time limit and an interrupt; return the first error, and the
    next one's table.
    """
    from ray import tune

    def tuner(trainable, config):
        return tune.Tuner(trainable, param_space=config, run_config=quiet_run(folder))

    tuners = {"quick": tuner(course_trainable("iris"), CONFIG | {"epochs": 2})}
    handler = signal.getsignal(signal.SIGINT)
    list(processes.share(time.sleep, [1.1, 0.1, 0.1]))
    assert processes._executor is not None
    with pytest.raises(TimeoutError) as late:
        fit_in_turn({"endless": tuner(course_trainable("iris"), CONFIG)} | tuners, limit_s=4)
    assert processes._executor is None  # Ray has the memory alone
    with pytest.raises(KeyboardInterrupt):
        interrupt = threading.Timer(4, signal.raise_signal, [signal.SIGINT])
        interrupt.start()
        fit_in_turn({"endless": tuner(course_trainable("iris"), CONFIG)} | tuners, limit_s=60)
    again = fit_in_turn(tuners)["quick"]
    assert signal.getsignal(signal.SIGINT) is handler
    return str(late.value), again


@pytest.fixture(scope="module")
def real(ray, tmp_path_factory):
    """Run five trials, two of which diverge, through HyperBandScheduler; end the block with an
    error.
    """
    from ray import tune
    from ray.tune.schedulers import HyperBandScheduler

    def imports_the_grammar():
        import jsonschema  # noqa: F401

        return "lark" in sys.modules

    def dies():
        import os

        os._exit(1)

    def fetch(address):
        import urllib.request

        return urllib.request.urlopen(address, timeout=20).read()

    load_splits("iris")  # scikit-learn sets an environment variable when it is imported
    output = tmp_path_factory.mktemp("output") / "output.txt"
    configs = [CONFIG, WILD, OTHER, WILD, CONFIG | {"batch_size": 32}]
    facts = SimpleNamespace(configs=configs, before=state())
    others = psutil.Process().children(recursive=True)  # such as multiprocessing's resource tracker
    # what any process writes, at the level of file descriptors
    with open(output, "w", encoding="utf-8") as file:
        kept = os.dup(1), os.dup(2)
        sys.stdout.flush(), sys.stderr.flush()
        os.dup2(file.fileno(), 1), os.dup2(file.fileno(), 2)
        try:
            with local_ray(num_cpus=1) as folder:
                facts.folder = folder
                facts.mode = stat.S_IMODE(folder.stat().st_mode)
                sessions = {path.resolve() for path in (folder / "ray").glob("session_*")}
                session = max(sessions, key=lambda path: path.name)  # that of the last start
                facts.sockets = [p.relative_to(folder) for p in session.rglob("*") if p.is_socket()]
                facts.processes = [
                    p for p in psutil.Process().children(recursive=True) if p not in others
                ]
                address = ray.get_runtime_context().gcs_address
                command = [sys.executable, "-c", CONNECT, address]
                other = subprocess.Popen(
                    command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
                )
                with pytest.raises(ray.exceptions.WorkerCrashedError):
                    ray.get(ray.remote(max_retries=0)(dies).remote())
                tuner = tune.Tuner(
                    course_trainable("iris"),
                    param_space=SPACE.to_ray(),
                    tune_config=tune.TuneConfig(
                        metric="val_loss",
                        mode="min",
                        num_samples=5,
                        reuse_actors=True,
                        search_alg=tune.search.BasicVariantGenerator(points_to_evaluate=configs),
                        scheduler=HyperBandScheduler(max_t=3, reduction_factor=3),
                    ),
                    run_config=tune.RunConfig(storage_path=str(folder), verbose=0),
                )
                results = tuner.fit()
                facts.table, facts.n_errors = results_table(results), results.num_errors
                facts.connected = *other.communicate(), other.returncode
                facts.late, facts.again = too_late_and_again(folder)
                facts.mode_later = stat.S_IMODE(folder.stat().st_mode)
                facts.cpus = ray.cluster_resources()["CPU"]
                facts.slow_import = ray.get(ray.remote(imports_the_grammar).remote())
                with local_server() as server:
                    facts.fetched = ray.get(ray.remote(fetch).remote(server))
                raise InterruptedError
        except InterruptedError:
            facts.processes_after = [p for p in facts.processes if room._is_alive(p)]
        finally:
            sys.stdout.flush(), sys.stderr.flush()
            os.dup2(kept[0], 1), os.dup2(kept[1], 2)
            os.close(kept[0]), os.close(kept[1])
    facts.after, facts.output = state(), output.read_text(encoding="utf-8")
    return facts


def test_ray_ran_and_is_gone_with_its_files_and_settings(real):
    assert len(real.processes) >= 5  # or the next line would prove nothing
    assert real.processes_after == []
    assert not real.folder.exists()
    assert real.after == real.before


def test_rays_processes_do_without_the_grammar_that_takes_a_second_and_here_is_there(real):
    alone = "import jsonschema, sys; print('lark' in sys.modules)"
    here = subprocess.run([sys.executable, "-c", alone], capture_output=True, text=True, check=True)
    assert here.stdout == "True\n" and not real.slow_import


def test_a_trial_may_ask_a_server_on_its_machine(real):
    assert real.fetched == b"here"


def test_a_python_path_of_ones_own_is_kept_behind_rays(fake, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "/some/where")
    with local_ray() as folder:
        assert os.environ["PYTHONPATH"] == f"{folder}/path{os.pathsep}/some/where"
    assert os.environ["PYTHONPATH"] == "/some/where"


def test_rays_files_lay_in_a_folder_that_stayed_private(real):
    assert (oct(real.mode), oct(real.mode_later)) == ("0o700", "0o700")
    assert real.sockets  # Ray really kept its own there
    # What mkdtemp adds to the longest temporary folder that is used, and what Ray adds to that; 103
    # on macOS.
    assert (
        room.LONGEST_TEMP + len("/hpt-12345678/") + max(len(str(path)) for path in real.sockets)
        <= 103
    )


def test_a_fit_that_does_not_end_in_time_is_ended_and_the_next_one_runs(real):
    assert real.late.startswith("Ray did not end 'endless' within 4 s. Run this cell again;")
    assert real.again["n_epochs"].tolist() == [2] and real.again["status"].tolist() == ["ok"]


def test_nothing_was_printed(real):
    assert real.output == ""


def test_hyperband_dropped_the_diverging_trials_and_the_search_went_on(real):
    # Two trials in the bracket that never halves; of three more, the best goes on after epoch 1.
    assert real.table["n_epochs"].tolist() == [3, 3, 1, 1, 3]
    assert real.table["status"].tolist() == ["ok", "failed", "ok", "failed", "ok"]
    assert real.table["reason"][1].startswith("diverged") and real.n_errors == 0


def test_each_trial_ended_with_the_loss_of_fit(real):
    for config, n_epochs, loss in zip(
        real.configs, real.table["n_epochs"], real.table["val_loss"], strict=True
    ):
        np.testing.assert_equal(
            loss, fit(config, load_splits("iris"), n_epochs=n_epochs).val_loss[-1]
        )


def test_another_process_connects_by_address_and_only_disconnects(real):
    printed, errors, exit_status = real.connected
    assert (exit_status, errors) == (0, "")
    assert json.loads(printed) == [1.0, True, True]
    assert real.cpus == 1.0
