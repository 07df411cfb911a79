"""With WHEELS=1 a workshop's folder installs without a network: in a namespace that has none, in a
new environment.
"""

import os
import subprocess
import sys

import nbformat
import pytest

from tools import workshop
from tools.build_notebooks import NOTEBOOKS
from tools.my_notebooks import write_copy

TOLD_BY_THIS_MACHINE = ("PIP_", "PYTHON", "VIRTUAL_ENV", "JUPYTER", "IPYTHON", "HPT_", "MPL")
# In its namespace a program has no network but its own machine, which has to be switched on first.
ALONE = """
import fcntl, os, socket, struct, sys
set_flags, up = 0x8914, 1  # SIOCSIFFLAGS, IFF_UP
fcntl.ioctl(socket.socket(), set_flags, struct.pack("16sH14x", b"lo", up))
os.execvp(sys.argv[1], sys.argv[1:])
"""


def isolated(*command, cwd):
    """Run a command without a network, and without what this machine tells pip, Jupyter or Python;
    return its end.
    """
    settings = {k: v for k, v in os.environ.items() if not k.startswith(TOLD_BY_THIS_MACHINE)}
    settings |= {
        "PIP_CONFIG_FILE": os.devnull,
        "HOME": str(cwd),
        "HPT_CACHE_DIR": str(cwd / "cache"),
    }
    program = [
        "unshare",
        "--map-root-user",
        "--net",
        sys.executable,
        "-c",
        ALONE,
        *map(str, command),
    ]
    return subprocess.run(program, cwd=cwd, env=settings, capture_output=True, text=True)


def run(*command, cwd):
    done = isolated(*command, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """Return the folder with all wheels: that of `make workshop WHEELS=1` where this is what was
    last built.
    """
    built = workshop.TARGET / "wheels"
    if len(list(built.glob("*.whl"))) > 1:
        return built
    folder = tmp_path_factory.mktemp("wheels")
    workshop.collect_wheels(workshop.build_own_wheel(folder))
    return folder


def test_the_namespace_has_no_network(tmp_path):
    code = "import socket; socket.create_connection(('192.0.2.1', 80), timeout=5)"
    done = isolated(sys.executable, "-c", code, cwd=tmp_path)
    assert done.returncode == 1 and "Network is unreachable" in done.stderr


def test_the_course_installs_and_its_check_of_the_room_runs(wheels, tmp_path):
    run(sys.executable, "-m", "venv", "hpt", cwd=tmp_path)
    python = tmp_path / "hpt" / "bin" / "python"
    offline = ["--no-index", "--find-links", wheels, "--no-compile"]
    run(python, "-m", "pip", "install", *offline, "hpt-helpers[lab,ray]", cwd=tmp_path)
    run(python, "-m", "pip", "check", cwd=tmp_path)
    assert "hpt/lib" in run(
        python, "-c", "import hpt_helpers; print(hpt_helpers.__file__)", cwd=tmp_path
    )
    notebook = tmp_path / "00_start_here.ipynb"
    write_copy(NOTEBOOKS / notebook.name, notebook)
    run(tmp_path / "hpt" / "bin" / "jupyter", "execute", "--inplace", notebook, cwd=tmp_path)
    cells = nbformat.read(notebook, as_version=4).cells
    said = "".join(output.get("text", "") for cell in cells for output in cell.get("outputs", []))
    for what in (
        "Python's version",
        "the packages' versions",
        "Ray starts and stops",
        "cache folder can be written",
    ):
        assert f"ok     {what}\n" in said, said  # cores and memory are this machine's affair
