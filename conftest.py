"""What everything that pytest runs, notebooks too, runs under: repeatable, no window, a cache of
its own.
"""

import os
import shutil
import tempfile

import hypothesis
import pytest

from tools.repeatable import make_repeatable

# The same examples each time; without a deadline, because a busy machine is not a bug.
hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    """Set all up, with one empty cache folder for the session, which xdist's workers and the
    kernels share.
    """
    make_repeatable()
    os.environ.pop("RAY_ADDRESS", None)  # a cluster that somebody uses is not for tests
    import matplotlib  # only now, because it imports numpy, which counts its threads once

    matplotlib.use("Agg")
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tempfile.mkdtemp(prefix="hpt-tests-")
        os.environ["HPT_CACHE_DIR"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
