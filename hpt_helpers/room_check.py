"""The check of a room's laptop before the course starts: one clear line for each thing, and a remedy."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata

MIN_PYTHON = (3, 11)
MIN_CORES = 2
MIN_MEMORY_GB = 2.0
EXTRAS = ("ray", "lab")
INSTALL = "run make clean and make lab; without make: python -m pip install -c constraints.txt -e .[lab,ray]"


class NotReady(Exception):
    """What is wrong with a machine; the second argument says what to do about it."""


def check_python(version: Sequence[int] = sys.version_info) -> None:
    """Raise NotReady where Python is older than the course needs."""
    if tuple(version[:2]) < MIN_PYTHON:
        need, have = (".".join(map(str, numbers[:2])) for numbers in (MIN_PYTHON, version))
        raise NotReady(f"Python {have} is too old", f"install Python {need} or newer and run make lab again")


def required_packages() -> list[str]:
    """Return what this package and the extras for the lessons require, such as "numpy>=2.0"."""
    from packaging.requirements import Requirement

    found = (Requirement(line) for line in metadata.requires("hpt-helpers") or [])
    wanted = (
        requirement
        for requirement in found
        if not requirement.marker or any(requirement.marker.evaluate({"extra": extra}) for extra in EXTRAS)
    )
    return [f"{requirement.name}{requirement.specifier}" for requirement in wanted]


def check_packages(required: Iterable[str] | None = None) -> None:
    """Raise NotReady where a package is missing or has a version outside the course's range.

    required: requirements such as "numpy>=2.0,<3"; by default those of this package.
    """
    from packaging.requirements import Requirement

    try:
        required = required_packages() if required is None else required
    except metadata.PackageNotFoundError:
        raise NotReady("hpt_helpers is not installed", INSTALL) from None
    wrong = []
    for requirement in map(Requirement, required):
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            version = None
        if version is None or not requirement.specifier.contains(version, prereleases=True):
            wrong.append(f"{requirement.name} is {version or 'missing'} (needed: {requirement.specifier})")
    if wrong:
        raise NotReady("; ".join(wrong), INSTALL)


def usable_cores() -> int:
    """Return how many processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check_cores(n_cores: int | None = None) -> None:
    """Raise NotReady where there are fewer cores than the course's times are stated for."""
    n_cores = usable_cores() if n_cores is None else n_cores
    if n_cores < MIN_CORES:
        raise NotReady(
            f"{n_cores} processor core, and the lessons' times are for {MIN_CORES}",
            "give a virtual machine or container one more; with one core all works, and takes longer",
        )


def check_memory(available_gb: float | None = None) -> None:
    """Raise NotReady where less memory is free than the lessons with Ray need."""
    if available_gb is None:
        import psutil

        available_gb = psutil.virtual_memory().available / 1e9
    if available_gb < MIN_MEMORY_GB:
        raise NotReady(
            f"{available_gb:.1f} GB of memory are free, and Ray needs {MIN_MEMORY_GB:.0f}",
            "close other programs, browsers first, and run this cell again",
        )


def check_ray(start: Callable | None = None) -> None:
    """Raise NotReady where a local Ray does not start or does not stop.

    start: gives a context manager that starts Ray and stops it; by default hpt_helpers.ray_tools.local_ray.
    """
    try:
        if start is None:
            from hpt_helpers.ray_tools import local_ray as start
        with start():
            pass
    except Exception as error:  # whatever it is, a learner needs the remedy, not the traceback
        reason = next(iter(str(error).splitlines()), "")
        raise NotReady(
            f"Ray does not start and stop here: {type(error).__name__} {reason}".rstrip(),
            f"only the lesson on Hyperband needs it. Restart the kernel and try again, then {INSTALL}",
        ) from error


def check_cache() -> None:
    """Raise NotReady where the folder for kept results is not one that `hpt_helpers.cache` would use."""
    from hpt_helpers.cache import cache_folder

    try:
        cache_folder()
    except OSError as error:
        remedy = "set the environment variable HPT_CACHE_DIR to a folder of yours, and start again"
        raise NotReady(str(error), remedy) from error


CHECKS: dict[str, Callable[[], None]] = {
    "Python's version": check_python,
    "the packages' versions": check_packages,
    "processor cores": check_cores,
    "free memory": check_memory,
    "Ray starts and stops": check_ray,
    "cache folder can be written": check_cache,
}


def room_check(checks: dict[str, Callable[[], None]] | None = None) -> None:
    """Print one line for each check of this machine, with a remedy for each thing that is wrong.

    checks: what is checked, and a function that raises NotReady where it is wrong; by default CHECKS.

    >>> room_check({"Python's version": check_python})
    ok     Python's version
    This machine is ready for the course.
    """
    checks = CHECKS if checks is None else checks
    n_wrong = 0
    for what, check in checks.items():
        try:
            check()
        except NotReady as wrong:
            n_wrong += 1
            reason, remedy = wrong.args
            print(f"WRONG  {what}: {reason}\n       what helps: {remedy}")
        else:
            print(f"ok     {what}")
    print(f"{n_wrong} to put right." if n_wrong else "This machine is ready for the course.")
