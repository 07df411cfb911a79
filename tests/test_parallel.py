"""A second process: what it brings, and what becomes of a study when it brings nothing."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpt_helpers.classroom import parallel
from hpt_helpers.classroom.parallel import fit_all, halves, in_two
from hpt_helpers.classroom.studies.repeats import rows_of
from hpt_helpers.population import fit_many

FIRST = os.getpid()


@pytest.fixture(autouse=True)
def two_processors(monkeypatch):
    """Share as on a machine of two, wherever this runs; on one they take turns."""
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
    if sys.platform != "linux":
        pytest.skip("a copy of the process is made on Linux only")


def slowly(value):
    time.sleep(0.1)
    return value, os.getpid()


@pytest.fixture
def children():
    """Those of this process but for what tests before have left, such as multiprocessing's resource
    tracker.
    """
    others = psutil.Process().children()
    return lambda: [child for child in psutil.Process().children() if child not in others]


@settings(max_examples=20)  # each starts a process
@given(st.lists(st.integers() | st.text() | st.none(), max_size=6))
def test_gives_what_a_list_would(values):
    assert in_two(lambda value: [value], values) == [[value] for value in values]


def test_two_processes_share_the_pieces_and_none_is_left(children):
    values, pids = zip(*in_two(slowly, range(6)), strict=True)
    assert values == tuple(range(6))
    assert FIRST in pids and len(set(pids)) == 2
    assert children() == []


def test_more_pieces_than_a_byte_can_number():
    assert in_two(abs, range(-700, 0)) == list(range(700, 0, -1))


def test_large_results_come_back():  # a pipe holds 64 KiB
    large = in_two(
        lambda i: np.full(1_000_000, i + (os.getpid() != FIRST) * slowly(0)[0]), range(4)
    )
    assert [(len(part), part[0], part[-1]) for part in large] == [
        (1_000_000, i, i) for i in range(4)
    ]


@pytest.mark.parametrize("way", ["dies", "cannot be sent", "raises"])
def test_what_the_second_does_not_bring_back_the_first_computes(way, children):
    def work(i):
        if os.getpid() == FIRST:
            return slowly(i)
        if way == "dies":
            os.kill(os.getpid(), signal.SIGKILL)
        if way == "raises":
            raise MemoryError("only here")
        return lambda: i

    assert in_two(work, range(4)) == [(i, FIRST) for i in range(4)]
    assert children() == []


def test_a_second_that_hangs_is_not_waited_for_for_ever(monkeypatch, children):
    monkeypatch.setattr(parallel, "PATIENCE", 0.2)
    began = time.monotonic()
    assert in_two(lambda i: slowly(i) if os.getpid() == FIRST else time.sleep(60), range(4))[3] == (
        3,
        FIRST,
    )
    assert time.monotonic() - began < 10
    assert children() == []


def test_what_a_piece_raises_goes_on(children):
    def work(i):
        time.sleep(0.1)
        if i == 3:
            raise ValueError("piece 3")

    with pytest.raises(ValueError, match="piece 3"):
        in_two(work, range(6))
    assert children() == []


@pytest.mark.parametrize("whole_group", [False, True])
def test_an_interrupt_ends_both(whole_group):
    """In a process of its own: Jupyter sends the interrupt to the kernel's whole group."""
    code = (
        "import sys, time\n"
        "from hpt_helpers.classroom.parallel import in_two\n"
        "import os, signal, psutil\n"
        "first = os.getpid()\n"
        "def work(i):\n"
        "    print('began', flush=True) if os.getpid() == first else None\n"
        "    time.sleep(30)\n"
        "try:\n"
        "    in_two(work, range(4))\n"
        "except KeyboardInterrupt:\n"
        "    left = psutil.Process().children()\n"
        "    blocked = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])\n"
        "    print('interrupted', len(left), blocked, flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "began\n"
    time.sleep(0.5)
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    assert process.communicate(timeout=20)[0] == "interrupted 0 False\n"


def test_an_interrupt_at_any_moment_of_a_start_or_an_end_leaves_nothing_locked_or_running(children):
    """Python's own locks are held while a process is copied: logging's, for one, which Jupyter's
    threads use.
    """
    for i in range(30):
        timer = threading.Timer(0.01 + 0.002 * i, signal.raise_signal, [signal.SIGINT])
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            while True:  # starts and ends, one after the other
                in_two(abs, range(3))
        timer.join()
        logged = threading.Thread(target=logging.getLogger, args=[f"{__name__}.{i}"], daemon=True)
        logged.start()
        logged.join(5)
        assert not logged.is_alive()
        assert not parallel._sharing
        assert children() == []
    assert in_two(abs, [-1, -2]) == [1, 2]


def test_without_room_for_another_process_the_first_does_it_all(monkeypatch):
    def refused():
        raise BlockingIOError("Resource temporarily unavailable")

    monkeypatch.setattr(parallel, "_fork", refused)
    assert in_two(slowly, range(2)) == [(0, FIRST), (1, FIRST)]
    assert not parallel._sharing


def test_a_piece_has_no_pieces_of_its_own_for_others():
    inner = in_two(lambda i: [pid for _, pid in in_two(slowly, range(3))] + [os.getpid()], range(4))
    assert all(len(set(pids)) == 1 for pids in inner)
    assert len({pids[0] for pids in inner}) == 2
    assert len({pid for _, pid in in_two(slowly, range(4))}) == 2  # afterwards it shares again


def test_alone_beside_ray_on_one_processor_and_in_a_thread(monkeypatch):
    def pids():
        return {pid for _, pid in in_two(slowly, range(3))}

    in_a_thread = []
    thread = threading.Thread(target=lambda: in_a_thread.append(pids()))
    thread.start()
    thread.join()
    assert in_a_thread == [{FIRST}]
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: True))
        assert pids() == {FIRST}
        patch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False))
        assert len(pids()) == 2
    monkeypatch.setattr(parallel.os, "sched_getaffinity", lambda pid: {3})
    assert pids() == {FIRST}


def test_the_second_says_nothing(capfd):
    def work(i):
        if os.getpid() != FIRST:
            print("from the second")
            print("and its errors", file=sys.stderr)
        return slowly(i)

    in_two(work, range(4), progress=True)
    captured = capfd.readouterr()
    assert captured.out == ""
    assert "errors" not in captured.err


@pytest.mark.parametrize(
    ("values", "expected"), [([], []), ([1], [[1]]), (range(5), [[0, 1], [2, 3, 4]])]
)
def test_halves(values, expected):
    assert halves(values) == expected


def test_all_are_fitted_as_by_fit_many_by_one_process_or_two(monkeypatch):
    rng = np.random.default_rng(0)
    rows = rows_of("iris", range(5))
    which = rng.integers(5, size=150)
    configs = [
        {
            "lr": 10 ** rng.uniform(-4, -2),
            "batch_size": int(rng.integers(8, 64)),
            "hidden_size": int(h),
        }
        for h in rng.integers(4, 64, size=150)
    ]
    job = {"n_epochs": 4, "seed": [int(i) for i in which]}
    expected = fit_many(configs, [rows[i] for i in which], **job)
    two = fit_all(configs, [rows[i] for i in which], **job)
    monkeypatch.setattr(parallel, "_has_second_processor", lambda: False)
    one = fit_all(configs, [rows[i] for i in which], **job)
    for curves in ("train_loss", "val_loss", "val_accuracy"):
        np.testing.assert_allclose(
            getattr(two, curves), getattr(expected, curves), rtol=0, atol=1e-9
        )
        np.testing.assert_array_equal(getattr(one, curves), getattr(two, curves))
