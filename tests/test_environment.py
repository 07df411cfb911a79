"""The installed packages fit together, and are those that environment.yml's pip asks for."""

import json
import subprocess
import sys

import pytest
from environment import ROOT, requirements


def pip(*arguments):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def missing(*more):
    """Return what pip would install of the pip section and of more; it has no network for it."""
    offline = ["--no-index", "--no-build-isolation", "--no-cache-dir"]
    with requirements() as file:
        done = pip(
            *("install", "--dry-run", "--quiet", "--report", "-"),
            *(*offline, "--requirement", file, *more),
        )
    assert done.returncode == 0, done.stderr
    return [entry["metadata"]["name"] for entry in json.loads(done.stdout)["install"]]


def test_the_pip_section_of_environment_yml_asks_for_nothing_that_is_not_here():
    assert missing() == ["hpt-helpers"]  # which an editable install always makes anew


def test_what_is_not_here_is_noticed():
    with pytest.raises(AssertionError, match="No matching distribution found for no-such-package"):
        missing("no-such-package")


def test_the_installed_packages_fit_together():
    done = pip("check")
    assert done.returncode == 0, done.stdout
