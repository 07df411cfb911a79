"""What every test runs under: no progress bars, one thread, no window, a cache of its own, fixed examples."""

import os
import shutil
import tempfile

# Before anything imports torch or starts a kernel: kernels and xdist's workers inherit the environment.
os.environ.update(TQDM_DISABLE="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
# Not MPLBACKEND=Agg: notebooks' kernels would inherit that, and show no figure.
os.environ.pop("MPLBACKEND", None)

import hypothesis
import matplotlib
import pytest

matplotlib.use("Agg")
# The same examples each time; without a deadline, because a busy machine is not a bug.
hypothesis.settings.register_profile("course", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("course")


def pytest_configure(config: pytest.Config) -> None:
    """Give the session one empty cache folder, which xdist's workers and the kernels share."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        folder = tempfile.mkdtemp(prefix="hpt-tests-")
        os.environ["HPT_CACHE_DIR"] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))
