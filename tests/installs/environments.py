"""Environments of their own for the tests of installs, made by uv: it is fast and shares files."""

import os
import subprocess
import sys
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# PyTorch's wheels are large, and its builds differ by machine: the one that is here serves all.
TORCH = f"torch=={metadata.version('torch')}"


def clean_settings() -> dict[str, str]:
    """Return this process's variables without what would lead Python or Jupyter to this project."""
    ours = ("PYTHON", "VIRTUAL_ENV", "JUPYTER", "IPYTHON", "HPT_")
    settings = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
    if "PIP_FIND_LINKS" in settings:  # where pip finds wheels, uv does too
        settings.setdefault("UV_FIND_LINKS", settings["PIP_FIND_LINKS"])
    return settings


def run(*command: str | Path, cwd: Path = ROOT, ok: bool = True, **settings: str) -> str:
    """Run a command and return what it says; where it should end well, and does not, fail."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=clean_settings() | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    assert (done.returncode == 0) == ok, done.stdout[-4000:]
    return done.stdout


def uv(*arguments: str | Path, **options) -> str:
    """Run uv, which the extra `installs` brings."""
    return run(sys.executable, "-m", "uv", *arguments, **options)


def environment(folder: Path, *requirements: str | Path) -> Path:
    """Make a virtual environment of this Python with these requirements; return its Python."""
    uv("venv", "--quiet", "--python", sys.executable, folder)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    uv("pip", "install", "--quiet", "--python", python, *requirements)
    return python


def freeze(python: Path) -> set[str]:
    """Return what is installed, as name==version."""
    return set(uv("pip", "freeze", "--quiet", "--python", python).split())
