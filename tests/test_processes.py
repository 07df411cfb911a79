"""Other processes: what they bring, and what becomes of a study when they bring nothing."""

import ast
import os
import signal
import subprocess
import sys
import threading
import time
import warnings

import psutil
import pytest
from jupyter_client.manager import start_new_kernel

from hpt_helpers.classroom.computing import processes
from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.computing.processes import share
from hpt_helpers.classroom.lab import trainer

FIRST = os.getpid()
CONFIG = {"lr": 0.01, "batch_size": 16}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Share from the first piece on, as with two processors, wherever this runs."""
    monkeypatch.setattr(processes, "ALONE_S", -1)
    monkeypatch.setenv("HPT_PROCESSES", "2")


def slowly(value):
    time.sleep(0.05)
    return value, os.getpid()


def start_other():
    """Wait until the other process is there: while it starts, the first one does all."""
    list(share(abs, [-1, -2]))
    processes._executor.submit(int).result(timeout=60)


@pytest.fixture(scope="module", autouse=True)
def there_before():
    """Processes of other tests, such as joblib's, which wait for more work."""
    processes.end_others()
    return set(psutil.Process().children(recursive=True))


def others(there_before):
    found = set(psutil.Process().children(recursive=True)) - there_before
    return [child for child in found if _works(child)]


def _works(child):
    try:
        return "resource_tracker" not in " ".join(child.cmdline())
    except (psutil.ZombieProcess, psutil.NoSuchProcess):
        return False


def test_two_processes_do_the_work_in_order_and_the_other_starts_once():
    start_other()
    values, pids = zip(*share(slowly, range(8)), strict=True)
    assert values == tuple(range(8)) and FIRST in pids and len(set(pids)) == 2
    began = time.monotonic()
    assert [*share(abs, range(-40_000, 0))] == list(range(40_000, 0, -1))
    assert time.monotonic() - began < 10
    assert {pid for _, pid in share(slowly, range(8))} == set(pids)


def test_three_processes_do_the_work_of_two(monkeypatch):
    processes.end_others()
    monkeypatch.setenv("HPT_PROCESSES", "3")
    until = time.monotonic() + 60
    while time.monotonic() < until:  # until the last of them has started
        values, pids = zip(*share(slowly, range(20)), strict=True)
        assert values == tuple(range(20))
        if len(set(pids)) == 3:
            break
    assert FIRST in pids and len(set(pids)) == 3
    processes.end_others()


@pytest.mark.parametrize(
    ("n_processors", "free_gb", "n"), [(1, 9, 1), (2, 0.2, 2), (8, 0.2, 2), (8, 3.9, 4), (8, 64, 8)]
)
def test_there_are_as_many_as_processors_where_memory_allows(n_processors, free_gb, n, monkeypatch):
    monkeypatch.delenv("HPT_PROCESSES")
    monkeypatch.setattr("joblib.cpu_count", lambda: n_processors)
    monkeypatch.setattr("hpt_helpers.classroom.computing.memory.free_memory_gb", lambda: free_gb)
    assert processes.n_processes() == n


def test_a_number_of_processes_that_is_none_is_refused(monkeypatch):
    for wrong in ("0", "-1", "two", ""):
        monkeypatch.setenv("HPT_PROCESSES", wrong)
        with pytest.raises(ValueError, match=f"HPT_PROCESSES is '{wrong}'"):
            processes.n_processes()


def test_while_the_other_starts_the_first_goes_on():
    processes.end_others()
    began = time.monotonic()
    assert {pid for _, pid in share(slowly, range(2))} == {FIRST}
    assert time.monotonic() - began < 0.5
    start_other()


def test_small_work_and_that_of_one_processor_stays_here(monkeypatch):
    assert [*share(slowly, [1])] == [(1, FIRST)]
    monkeypatch.setenv("HPT_PROCESSES", "1")
    assert [*share(slowly, range(3))] == [(i, FIRST) for i in range(3)]
    monkeypatch.setenv("HPT_PROCESSES", "2")
    monkeypatch.setattr(processes, "ALONE_S", 60)
    monkeypatch.setattr(processes, "_executor", None)
    assert [*share(slowly, range(3))] == [(i, FIRST) for i in range(3)]


def test_a_piece_has_no_pieces_of_its_own_for_others():
    start_other()
    inner = share(lambda i: {os.getpid(), *(pid for _, pid in share(slowly, range(3)))}, range(4))
    inner = list(inner)
    assert all(len(pids) == 1 for pids in inner) and len(set.union(*inner)) == 2


def test_without_room_for_another_process_the_first_does_it_all(monkeypatch):
    def refused(*arguments, **options):
        raise BlockingIOError("Resource temporarily unavailable")

    processes.end_others()
    with monkeypatch.context() as patched:
        patched.setattr("joblib.externals.loky.backend.process.LokyProcess.start", refused)
        assert [*share(slowly, range(3))] == [(i, FIRST) for i in range(3)]
    start_other()
    assert len({pid for _, pid in share(slowly, range(4))}) == 2


def test_two_threads_share_one_after_the_other_and_keep_what_is_printed(capsys):
    start_other()
    found = {}

    def in_a_thread(name):
        found[name] = list(share(slowly, range(8)))

    threads = [threading.Thread(target=in_a_thread, args=(name,)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    numbers = {name: [value for value, _ in of_one] for name, of_one in found.items()}
    assert numbers == {"one": [*range(8)], "two": [*range(8)]}
    assert len({pid for of_one in found.values() for _, pid in of_one}) == 2
    print("still here")
    assert capsys.readouterr().out == "still here\n"


def test_one_that_shares_while_it_takes_from_another_does_its_own_alone(there_before):
    start_other()
    with pytest.raises(ZeroDivisionError):
        for value, _ in share(slowly, range(8)):
            assert {pid for _, pid in share(slowly, range(3))} == {FIRST}
            1 / (value - 2)
    assert wait_until(lambda: others(there_before) == [])
    assert len({pid for _, pid in [start_other(), *share(slowly, range(4))][1:]}) == 2


def test_an_interrupt_of_whoever_takes_results_ends_the_work(monkeypatch, tmp_path, there_before):
    """Even where the error is kept, as IPython does, and with it what was half done."""
    from hpt_helpers.classroom.computing import cache

    def interrupted(folder, digest, arrays):
        raise KeyboardInterrupt

    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(cache, "_write", interrupted)
    start_other()
    with pytest.raises(KeyboardInterrupt) as kept:
        cached_each(lambda i: {"i": [slowly(i)[0]]}, [(i,) for i in range(200)])
    assert kept.traceback and not processes._busy.locked()
    assert wait_until(lambda: others(there_before) == [])


def wait_until(holds, limit_s=10):
    until = time.monotonic() + limit_s
    while not (done := holds()) and time.monotonic() < until:
        time.sleep(0.1)
    return done


@pytest.mark.usefixtures("unix")
def test_a_process_that_is_killed_leaves_its_pieces_to_the_first():
    def work(i):
        if os.getpid() != FIRST:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.2)
        return i

    start_other()
    assert [*share(work, range(5))] == list(range(5))
    start_other()
    assert len({pid for _, pid in share(slowly, range(4))}) == 2


@pytest.mark.usefixtures("unix")
def test_one_that_was_killed_while_it_had_nothing_to_do_is_replaced():
    start_other()
    pid = processes._executor.submit(os.getpid).result()
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)] if psutil.pid_exists(pid) else [], timeout=10)
    time.sleep(0.5)  # its executor hears of it
    start_other()
    assert len({*(pid for _, pid in share(slowly, range(4))), pid}) == 3


def test_a_process_may_grow():
    """loky ends one that has grown by 300 MB since its first call, with a warning."""

    def work(i):
        if os.getpid() != FIRST:
            sys.held = "x" * 310_000_000
        time.sleep(1.1)  # it looks once a second
        return slowly(i)

    start_other()
    list(share(slowly, range(4)))
    pids = {pid for _, pid in share(work, range(6))}
    assert len(pids) == 2 and {pid for _, pid in share(slowly, range(4))} == pids


@pytest.mark.parametrize("here", [False, True])
def test_what_a_piece_raises_goes_on_and_ends_the_other(here, there_before):
    def work(i):
        if (os.getpid() == FIRST) is here:
            raise ValueError(f"piece {i}")
        time.sleep(1 if os.getpid() == FIRST else 60)

    start_other()
    with pytest.raises(ValueError, match="piece"):
        list(share(work, range(2)))
    assert processes._executor is None
    began = time.monotonic()
    while others(there_before):
        assert time.monotonic() < began + 10
        time.sleep(0.1)


def test_warnings_come_from_there_as_from_here_and_nothing_else_is_said(capfd):
    def work(i):
        time.sleep(0.2)
        if os.getpid() != FIRST:
            print("from there")
            print("and its errors", file=sys.stderr)
        warnings.warn(f"piece {i}", UserWarning, stacklevel=1)
        return os.getpid()

    start_other()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        assert len(set(share(work, range(4), progress=True))) == 2
    assert {str(warning.message) for warning in warned} == {f"piece {i}" for i in range(4)}
    captured = capfd.readouterr()
    assert captured.out == "" and "errors" not in captured.err


def test_a_warning_from_there_points_at_the_line_that_asked_for_the_measurement(
    monkeypatch, tmp_path
):
    def work(i):
        warnings.warn(f"piece {i}", RuntimeWarning, stacklevel=1)
        return {"i": [i]}

    monkeypatch.setenv("HPT_CACHE_DIR", str(tmp_path))
    with pytest.warns(RuntimeWarning, match="piece") as warned:
        cached_each(work, [(0,), (1,)])
    assert [warning.filename for warning in warned] == [__file__] * 2


@pytest.mark.parametrize("failing", [False, True])
def test_a_bar_ends_and_is_cleared(failing, monkeypatch):
    bars = []

    class Bar(processes.progress_bar(progress=False).__class__):
        def close(self):
            bars.append((self.n, self.total, self.leave))
            super().close()

    monkeypatch.setattr(
        processes, "progress_bar", lambda **options: Bar(total=options["total"], leave=False)
    )
    if failing:
        with pytest.raises(ZeroDivisionError):
            list(share(lambda i: 1 / (i - 2), range(4)))
    else:
        list(share(abs, range(4)))
    [(n, total, leave)] = bars[:1]
    assert n == total and not leave  # tqdm leaves a red bar where n is less


def test_the_other_ends_when_it_is_told_to_and_starts_again(there_before):
    assert len(list(share(slowly, range(4)))) == 4 and others(there_before)
    processes.end_others()
    assert others(there_before) == [] and processes._executor is None
    processes.end_others()  # there are none
    assert [value for value, _ in share(slowly, range(4))] == [0, 1, 2, 3]


@pytest.mark.usefixtures("unix")
# At once, amid an import that must not be left half done, while they start, and when they work.
@pytest.mark.parametrize("after_s", [0, 0.008, 0.3, 6])
def test_an_interrupt_ends_all_and_says_nothing(after_s):
    """In a process of its own: Jupyter sends the interrupt to the kernel's whole group."""
    code = (
        "import os, psutil, signal, time\n"
        "from hpt_helpers.classroom.computing import processes\n"
        "processes.ALONE_S = -1\n"
        "def is_other(child):\n"
        "    try: return 'resource_tracker' not in ' '.join(child.cmdline())\n"
        "    except psutil.NoSuchProcess: return False\n"  # it has ended just now
        "def others(): return list(filter(is_other, psutil.Process().children(recursive=True)))\n"
        "try:\n"
        "    print('began', flush=True)\n"
        "    list(processes.share(lambda i: time.sleep(30), range(4), progress=True))\n"
        "except KeyboardInterrupt:\n"
        "    while others(): time.sleep(0.1)\n"
        "    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "    print('interrupted', blocked, list(processes.share(abs, [-1, -2])), flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "began\n"
    time.sleep(after_s)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert out == "interrupted False [1, 2]\n"
    assert "Traceback" not in err and "KeyboardInterrupt" not in err


# --- in a notebook --------------------------------------------------------------------------------


class Kernel:
    """A Jupyter kernel; `run` returns the messages that a cell sends, and of what kind they are."""

    def __init__(self):
        self.manager, self.client = start_new_kernel()
        self.process = psutil.Process(self.manager.provisioner.pid)

    def run(self, code):
        found = []
        self.client.execute_interactive(
            code, output_hook=lambda message: found.append(message), timeout=120, allow_stdin=False
        )
        return [(message["msg_type"], message["content"]) for message in found]

    def others(self):
        found = self.process.children(recursive=True)
        return [child for child in found if "popen_loky" in " ".join(child.cmdline())]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    started = Kernel()
    cache = str(tmp_path_factory.mktemp("cache"))  # in a full one there is nothing to share out
    started.run(
        f"import os; os.environ |= {{'HPT_CACHE_DIR': {cache!r}, 'HPT_PROCESSES': '2'}}\n"
        "from hpt_helpers.classroom.lab import trainer\n"
        "from hpt_helpers.classroom.computing import processes\n"
        "processes.ALONE_S = -1; trainer.TOGETHER = 2\n"
        "def losses(n_epochs, n=8, **options):\n"
        "    config = {'lr': 0.01, 'batch_size': 16}\n"
        "    iris = trainer.Data('iris')\n"
        "    jobs = [trainer.Job(iris, config, r, r, n_epochs) for r in range(n)]\n"
        "    return trainer.train(jobs, **options).val_loss[:, -1].tolist()\n"
    )
    yield started
    started.client.stop_channels()
    started.manager.shutdown_kernel(now=True)


def test_a_notebooks_bar_is_gone_at_the_end(kernel):
    messages = kernel.run("%env TQDM_DISABLE=\nlosses(3, progress=True)")
    assert len(kernel.others()) == 1
    shown = [
        content["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
        for kind, content in messages
        if kind == "display_data"
    ]
    closed = [content["comm_id"] for kind, content in messages if kind == "comm_close"]
    assert shown and set(shown) <= set(closed)
    assert not [content for kind, content in messages if kind == "error"]


@pytest.mark.usefixtures("unix")
def test_an_interrupted_kernel_has_no_others_left_and_trains_on(kernel):
    kernel.run("losses(3)")
    timer = threading.Timer(2, os.killpg, [kernel.process.pid, signal.SIGINT])  # as Jupyter does
    timer.start()
    messages = kernel.run("losses(1_000_000)")
    assert [content["ename"] for kind, content in messages if kind == "error"] == [
        "KeyboardInterrupt"
    ]
    assert not [content for kind, content in messages if kind == "stream"]
    began = time.monotonic()
    while kernel.others():
        assert time.monotonic() < began + 10
        time.sleep(0.1)
    ((_, result),) = (m for m in kernel.run("losses(4)") if m[0] == "execute_result")
    jobs = [trainer.Job(trainer.Data("iris"), CONFIG, r, r, 4) for r in range(8)]
    expected = trainer.train(jobs).val_loss
    assert ast.literal_eval(result["data"]["text/plain"]) == expected[:, -1].tolist()
    assert len(kernel.others()) == 1
