"""The check of a laptop before the course starts: a line for each thing, and a remedy.

Each check_... raises NotReady where its thing is wrong. Its argument stands for what it would look
up on this machine, so that a test can say what a bad machine has.
"""

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from hpt_helpers.classroom.computing.memory import free_memory_gb

MIN_PYTHON = (3, 11)
MIN_CORES = 2  # the lessons' times are stated for them
MIN_MEMORY_GB = 2.0
CHECKOUT = Path(__file__).resolve().parents[2]  # the project's folder, unless a wheel is installed


class NotReady(Exception):
    """What is wrong with a machine, and as the second argument what to do about it."""


def install_remedy(checkout: Path = CHECKOUT) -> str:
    """Return how to install anew: in a copy of the project, or where only the wheel is there."""
    if not (checkout / "Makefile").exists():
        return (
            'install the wheel again, as in: python -m pip install "hpt_helpers-….whl[lab,ray]", '
            "or in a notebook of others with [lessons,ray] instead"
        )
    command = 'python -m pip install -c constraints.txt -e ".[lab,ray]"'
    return f"run make clean and make lab; without make: {command}"


def check_python(version: Sequence[int] = sys.version_info[:3]) -> None:
    if tuple(version[:2]) < MIN_PYTHON:
        need, have = (".".join(map(str, numbers[:2])) for numbers in (MIN_PYTHON, version))
        remedy = f"install Python {need} or newer, then {install_remedy()}"
        raise NotReady(f"Python {have} is too old", remedy)


def check_packages(required: Iterable[str] | None = None) -> None:
    found = [
        (r, _version(r.name))
        for r in map(Requirement, required_packages() if required is None else required)
    ]
    wrong = [
        (r, version)
        for r, version in found
        if not (version and r.specifier.contains(version, prereleases=True))
    ]
    if wrong:
        reasons = (
            f"{r.name} is {version or 'missing'} (needed: {r.specifier})" for r, version in wrong
        )
        raise NotReady("; ".join(reasons), install_remedy())


def required_packages() -> list[str]:
    """Return what this package and its lessons require, such as "numpy<3,>=2.0".

    JupyterLab is not among it, because this may run in another notebook; nor is Ray where it is
    missing, which has a check of its own.
    """
    if not _version("hpt-helpers"):
        raise NotReady("hpt_helpers is not installed", install_remedy())
    extras = ["lessons", *(["ray"] if _version("ray") else [])]
    found = map(Requirement, metadata.requires("hpt-helpers") or [])
    wanted = (
        r
        for r in found
        if not r.marker or any(r.marker.evaluate({"extra": extra}) for extra in extras)
    )
    return [f"{r.name}{r.specifier}" for r in wanted]


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def check_cores(n: int | None = None) -> None:
    n = n or (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    if n < MIN_CORES:
        reason = f"{n} processor core, and the lessons' times are for {MIN_CORES}"
        remedy = "give a virtual machine or container one more; with one all works, but slower"
        raise NotReady(reason, remedy)


def check_memory(free_gb: float | None = None) -> None:
    try:
        free_gb = free_memory_gb() if free_gb is None else free_gb
    except ImportError as error:
        raise NotReady(str(error), install_remedy()) from error
    if free_gb < MIN_MEMORY_GB:
        reason = f"{free_gb:.1f} GB of memory are free, and Ray needs {MIN_MEMORY_GB:.0f}"
        remedy = "close other programs, browsers first, or give the container more memory"
        raise NotReady(reason, remedy)


def check_ray(start: Callable | None = None) -> None:
    try:
        if start is None:
            from hpt_helpers.on_ray.local_ray import local_ray as start
        with start():
            pass
    except Exception as error:  # whatever it is, a learner needs the remedy, not the traceback
        reason = f"{type(error).__name__} {next(iter(str(error).splitlines()), '')}".rstrip()
        needs = "only the lesson on Hyperband needs it. Restart the kernel and try again, then "
        remedy = needs + install_remedy()
        raise NotReady(f"Ray does not start and stop here: {reason}", remedy) from error


def check_cache() -> None:
    from hpt_helpers.classroom.computing.cache import cache_folder

    try:
        cache_folder()
    except OSError as error:
        remedy = "set the environment variable HPT_CACHE_DIR to a folder of yours, and start again"
        raise NotReady(str(error), remedy) from error


CHECKS: Mapping[str, Callable[[], None]] = {
    "Python's version": check_python,
    "the packages' versions": check_packages,
    "processor cores": check_cores,
    "free memory": check_memory,
    "Ray starts and stops": check_ray,
    "cache folder can be written": check_cache,
}


def room_check(checks: Mapping[str, Callable[[], None]] = CHECKS) -> None:
    """Print one line for each check of this machine, with a remedy for each thing that is wrong.

    checks: what is checked, and a function that raises NotReady where it is wrong.

    >>> room_check({"Python's version": check_python})
    ok     Python's version
    This machine is ready for the course.
    """
    n_wrong = 0
    for what, check in checks.items():
        try:
            check()
            print(f"ok     {what}")
        except NotReady as wrong:
            n_wrong += 1
            reason, remedy = wrong.args
            print(f"WRONG  {what}: {reason}\n       what helps: {remedy}")
    print(f"{n_wrong} to put right." if n_wrong else "This machine is ready for the course.")
