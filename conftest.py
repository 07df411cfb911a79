"""What everything that pytest runs, notebooks too, runs under: repeatable, no window, a cache of
its own.
"""

import os
import shutil
import signal
import tempfile

import hypothesis
import pytest

from tools.repeatable import make_repeatable

# The same examples each time; without a deadline, because a busy machine is not a bug.
hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    """Set all up, with one cache folder for the session, which xdist's workers and the kernels
    share.

    It is empty at first, unless HPT_TESTS_CACHE names one, which is then shared with other runs:
    its entries are named by the source that computed them.
    """
    make_repeatable()
    os.environ.pop("RAY_ADDRESS", None)  # a cluster that somebody uses is not for tests
    # A shell's background jobs ignore interrupts, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    import matplotlib  # only now, because it imports numpy, which counts its threads once

    matplotlib.use("Agg")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        os.environ["HPT_CACHE_DIR"] = os.environ.get("HPT_TESTS_CACHE") or _emptied_later(config)


@pytest.fixture(scope="session")
def unix() -> None:
    """Skip what uses this where there are no signals, shells and permission bits as on Unix."""
    if os.name != "posix":
        pytest.skip("needs Linux or macOS")


def _emptied_later(config: pytest.Config) -> str:
    """Return a new folder that is removed at the end of the session."""
    folder = tempfile.mkdtemp(prefix="hpt-tests-")
    config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
    return folder
