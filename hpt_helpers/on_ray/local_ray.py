"""A safe local Ray that leaves nothing behind, or a cluster that exists.

Ray is imported where it is used.
"""

import logging
import os
import re
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AIR_NEW_OUTPUT": "0",  # the new output prints absolute paths even when verbose is 0
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",  # Ray's coming default; it warns of the present one
    # TensorBoard's, for one, prints to stderr about every inf
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
}
# Whether it reports usage or not, a starting Ray asks the metadata addresses of three clouds which
# of them it is in. A proxy that is not there refuses at once. `requests`, by which Ray asks, takes
# a proxy for one host from a variable of this form; any other request goes its usual way, whether
# this process makes it or a trial.
NO_OUTSIDE_REQUESTS = {
    f"http://{host}_proxy": "http://127.0.0.1:9"
    for host in ("169.254.169.254", "metadata.google.internal")
}

START_ATTEMPTS = 3  # Ray gives a node 30 s to start, which a busy machine exceeds now and then
END_WITHIN_S = 5  # what still runs this long after Ray was shut down is killed
# the oldest and newest release of pyproject.toml's range, with which the tests were run
TRIED = "2.56.0 and 2.60.0"
LONGEST_TEMP = 22  # characters: Ray's sockets lie deep, and macOS allows a socket's path 103


@contextmanager
def local_ray(*, num_cpus: int = 2, address: str | None = None) -> Iterator[Path]:
    """Start a Ray of this process's own, or join a cluster, for as long as the block lasts.

    A Ray of its own is stopped when the block ends, whatever ends it.
    num_cpus: how many trials of one CPU run at a time; the others queue.
    address: connect to this existing cluster instead, with the token your environment has, and only
        disconnect at the end. If None, it is the environment's RAY_ADDRESS; "local" is none.
    Yields a private temporary folder (mode 0700, removed at the end) for `storage_path`, in which a
    local Ray keeps its own files too. Several machines need storage that all of them see instead.
    The local Ray asks for a random token, because it listens on all interfaces whatever address it
    is given. It has no dashboard, asks nobody outside, and prints nothing: a trial's error is in
    the results. Environment variables, the "ray" logger's level and the handlers of SIGTERM and
    SIGINT are restored.
    Raises RuntimeError where this process uses Ray already, or Ray's release lacks what this needs.
    """
    import ray

    if ray.is_initialized():
        raise RuntimeError(
            "this process uses Ray already; call ray.shutdown() or leave the other block first"
        )
    with ExitStack() as at_exit:
        folder = at_exit.enter_context(_private_folder())
        at_exit.enter_context(_environment(QUIET))
        at_exit.enter_context(_without_messages())
        at_exit.callback(logging.getLogger("ray").setLevel, logging.getLogger("ray").level)
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):  # the second for Tune
                at_exit.callback(signal.signal, number, signal.getsignal(number) or signal.SIG_DFL)
        address = address or os.environ.get("RAY_ADDRESS") or "local"
        if address != "local":
            at_exit.callback(uninterrupted, ray.shutdown)
            uninterrupted(ray.init, address, logging_level=logging.CRITICAL, log_to_driver=False)
        else:
            at_exit.enter_context(_environment(NO_OUTSIDE_REQUESTS | _without_slow_import(folder)))
            at_exit.enter_context(_random_token())
            at_exit.callback(uninterrupted, _stop, folder)
            _start(folder, num_cpus)
        yield folder


def _start(folder: Path, num_cpus: int) -> None:
    import ray

    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            uninterrupted(
                ray.init,
                "local",  # or Ray joins a cluster that it finds on this machine
                num_cpus=num_cpus,
                include_dashboard=False,
                logging_level=logging.CRITICAL,
                log_to_driver=False,
                object_store_memory=100 * 2**20,
                # Ray opens this one to everybody; the folder around it stays private
                _temp_dir=str(folder / "ray"),
                # Ray turns 127.0.0.1 into the machine's outward address, on Linux, and leaves this
                # one alone.
                _node_ip_address="127.0.0.2" if sys.platform == "linux" else None,
            )
            return
        except Exception:
            if attempt == START_ATTEMPTS:
                raise
            uninterrupted(_stop, folder)


def uninterrupted(function: Callable, *args, **options):
    """Return what a function returns; an interrupt that comes meanwhile is raised once it is done.

    After half a start or half a shutdown of Ray, the next start would end this process."""
    held = []
    with ExitStack() as at_exit:
        if threading.current_thread() is threading.main_thread():
            before = (
                signal.signal(signal.SIGINT, lambda *interrupt: held.append(interrupt))
                or signal.SIG_DFL
            )
            at_exit.callback(signal.signal, signal.SIGINT, before)
        found = function(*args, **options)
    if held:
        raise KeyboardInterrupt
    return found


def _stop(folder: Path) -> None:
    """Shut Ray down and wait until all of its processes are gone; end those that it forgets."""
    import psutil  # Ray brings a copy along
    import ray

    processes = _processes(folder)
    try:
        ray.shutdown()
    finally:
        for process in _wait(processes):
            with suppress(psutil.NoSuchProcess):
                process.kill()
        _wait(processes)


def _wait(processes: list) -> list:
    """Wait up to END_WITHIN_S for these processes to end; return those that have not."""
    deadline = time.monotonic() + END_WITHIN_S
    while (alive := [p for p in processes if _is_alive(p)]) and time.monotonic() < deadline:
        time.sleep(0.05)
    return alive


def _is_alive(process) -> bool:
    import psutil

    with suppress(psutil.NoSuchProcess):
        # A zombie has ended; in a container there may be nobody to take note of it.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def _processes(folder: Path) -> list:
    """Return the processes that Ray started for this folder, and theirs.

    Those are workers, which do not name it.
    """
    import psutil

    found = []
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if any(str(folder) in argument for argument in child.cmdline()):
                found += [child, *child.children(recursive=True)]
    return found


@contextmanager
def _private_folder() -> Iterator[Path]:
    where = None if len(tempfile.gettempdir()) <= LONGEST_TEMP or os.name != "posix" else "/tmp"
    with tempfile.TemporaryDirectory(
        prefix="hpt-", dir=where, ignore_cleanup_errors=True
    ) as folder:
        yield Path(folder)


def _without_slow_import(folder: Path) -> dict[str, str]:
    """Return the PYTHONPATH on which Ray starts in half the time.

    It hides a module, and with it the grammar that each process would build.
    """
    path = folder / "path"
    path.mkdir()
    # jsonschema does without, Ray needs none
    (path / "rfc3987_syntax.py").write_text("raise ImportError", encoding="utf-8")
    users_own = os.environ.get("PYTHONPATH")
    return {"PYTHONPATH": f"{path}{os.pathsep}{users_own}" if users_own else str(path)}


@contextmanager
def _environment(changes: Mapping[str, str]) -> Iterator[None]:
    def rays():  # Ray sets some of its own, and takes over breakpoint()
        return {
            n: v
            for n, v in os.environ.items()
            if n in changes or n.startswith(("RAY_", "TUNE_", "PYTHONBREAK"))
        }

    before = rays()
    os.environ.update(changes)
    try:
        yield
    finally:
        for name in rays().keys() - before.keys():
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def _without_messages() -> Iterator[None]:
    """Keep Ray from printing a paragraph for each worker that dies; the trial's record says it."""
    try:
        from ray._private.ray_logging import stdout_deduplicator as printer
    except ImportError:  # another release of Ray
        yield
        return
    before, printer.skip_re = printer.skip_re, re.compile("")
    try:
        yield
    finally:
        printer.skip_re = before


@contextmanager
def _random_token() -> Iterator[None]:
    """Make Ray ask for a new random token for as long as this lasts."""
    import ray

    # Ray read both when it was imported; in this order, or it looks for a token that is gone
    def read_again():
        try:
            raylet: Any = ray._raylet  # pyright: ignore[reportAttributeAccessIssue] — compiled
            raylet.Config.initialize("")
            raylet.AuthenticationTokenLoader.instance().reset_cache()
        except AttributeError as error:
            raise RuntimeError(
                f"Ray {ray.__version__} cannot be told a token ({error}); tried were {TRIED}"
            ) from error

    try:
        with _environment({"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}):
            read_again()
            yield
    finally:
        read_again()
