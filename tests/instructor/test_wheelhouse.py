"""With WHEELS=1 a workshop's folder installs without a network: in a namespace that has none, in a new environment."""

import os
import shutil
import subprocess
import sys

import pytest

from tools import workshop

# What the extras bring can be imported, and a training runs.
LESSON_CELL = """
import jupyterlab, optuna, ray.tune, skopt
from hpt_helpers.classroom.exercises import lesson_01 as ex
from hpt_helpers.data import load_splits
from hpt_helpers.training import fit
curve = fit({"lr": 0.01, "batch_size": 16}, load_splits("iris"), n_epochs=20)
print("learned:", curve.val_accuracy[-1] > 0.8)
"""
NO_NETWORK = ["unshare", "--map-root-user", "--net"]


def isolated(*command, cwd):
    """Run a command without a network, and without what this machine tells pip or Python; return what it printed."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "PYTHON", "VIRTUAL_ENV"))}
    settings |= {"PIP_CONFIG_FILE": os.devnull, "HPT_CACHE_DIR": str(cwd / "cache"), "MPLCONFIGDIR": str(cwd / "mpl")}
    done = subprocess.run([*NO_NETWORK, *map(str, command)], cwd=cwd, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Return the folder with all wheels: that of `make workshop WHEELS=1` where this is what was last built."""
    built = workshop.TARGET / "wheels"
    if len(list(built.glob("*.whl"))) > 1:
        return built
    folder = tmp_path_factory.mktemp("wheels")
    workshop.collect_wheels(workshop.build_own_wheel(folder))
    return folder


def test_the_namespace_has_no_network(tmp_path):
    if not shutil.which("unshare"):
        pytest.fail("unshare (util-linux) is needed")
    code = "import socket; socket.create_connection(('127.0.0.1', 9), timeout=1)"
    found = subprocess.run([*NO_NETWORK, sys.executable, "-c", code], capture_output=True, text=True)
    assert "Network is unreachable" in found.stderr


def test_the_course_installs_and_runs_without_a_network(wheels, tmp_path):
    isolated(sys.executable, "-m", "venv", "hpt", cwd=tmp_path)
    python = tmp_path / "hpt" / "bin" / "python"
    offline = ["--no-index", "--find-links", wheels, "--no-compile"]
    isolated(python, "-m", "pip", "install", *offline, "hpt-helpers[lab,ray]", cwd=tmp_path)
    isolated(python, "-m", "pip", "check", cwd=tmp_path)
    assert isolated(python, "-c", LESSON_CELL, cwd=tmp_path) == "learned: True\n"
    assert "hpt/lib" in isolated(python, "-c", "import hpt_helpers; print(hpt_helpers.__file__)", cwd=tmp_path)
