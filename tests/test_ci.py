"""What .ci/run says of its steps, and when it leaves out what changes rarely."""

import os
import subprocess

import pytest
from test_project import ROOT, Checkout

pytestmark = pytest.mark.usefixtures("unix")

# Stands for make: says what it was asked for, and fails at what FAILS names.
MAKE = """#!/bin/sh
echo "making $*"
test "$*" != test || echo "=== 3 passed in 1.00s ==="
test "$*" != "$FAILS"
"""


def ci(folder, fails=""):
    """Run .ci/run in a folder with a stub for make; return its exit status and its lines."""
    (folder / ".ci").mkdir()
    (folder / ".ci" / "run").write_text(
        (ROOT / ".ci" / "run").read_text(encoding="utf-8"), encoding="utf-8"
    )
    (folder / "make").write_text(MAKE, encoding="utf-8")
    (folder / "make").chmod(0o755)
    # CHROMIUM, because a machine without one would install it.
    settings = {"PATH": f"{folder}:{os.environ['PATH']}", "FAILS": fails, "CHROMIUM": "none"}
    command = ["bash", "-c", 'apt-get() { :; }; export -f apt-get; exec bash "$0"', ".ci/run"]
    done = subprocess.run(
        command, cwd=folder, env=os.environ | settings, capture_output=True, text=True
    )
    return done.returncode, done.stdout.splitlines()


def steps(lines):
    """Return the commands of the table of seconds at the end."""
    table = lines[lines.index("== Seconds ==") + 1 :]
    rows = [line.split(maxsplit=1) for line in table[: table.index("")] if line.strip()]
    assert all(seconds.isdigit() for seconds, _ in rows)
    return [command for _, command in rows]


def test_the_seconds_of_each_step_and_the_closing_line_of_make_test_come_last(tmp_path):
    status, lines = ci(tmp_path)
    assert status == 0 and lines[-1] == "=== 3 passed in 1.00s ==="
    asked = [line.removeprefix("making ") for line in lines if line.startswith("making ")]
    made = [step.removeprefix("make ") for step in steps([*lines[:-1], ""])]
    assert made == ["system_packages", *asked, "in all"]


@pytest.mark.parametrize("step", ["types", "test-handouts workshop", "test"])
def test_the_first_failure_ends_it_and_says_how_to_repeat_it(tmp_path, step):
    status, lines = ci(tmp_path, fails=step)
    assert status == 1
    assert lines[-1] == f"Failed, and repeated alone by: make {step}"
    assert f"making {step}" in lines and f"make {step}" not in steps(lines)
    assert lines.count("== Seconds ==") == 1


def test_what_changes_rarely_is_checked_when_one_of_its_files_has_changed(tmp_path):
    checkout = Checkout(tmp_path)
    (tmp_path / ".ci").mkdir()
    for name in ("other_processors", "other_python"):
        (tmp_path / ".ci" / name).write_text(
            f'#!/bin/sh\necho "trying {name} $*"\n', encoding="utf-8"
        )
        (tmp_path / ".ci" / name).chmod(0o755)
    every = ["-m tests.environment", "test_wheelhouse.py", "tests/installs"]

    def checked():
        result, calls = checkout.make("check-changed")
        assert result.returncode == 0, result.stderr
        tried = "trying other_processors" in result.stdout and (
            "trying other_python python3.13" in result.stdout
        )
        return tried and all(call in calls for call in every)

    assert checked() and not checked()
    (tmp_path / "environment.yml").write_text("name: hpt", encoding="utf-8")
    assert checked() and not checked()
    (tmp_path / "README.md").write_text("Other words.", encoding="utf-8")
    assert not checked()
