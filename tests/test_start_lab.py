"""JupyterLab starts without the grammar that takes most of its start, which is installed here."""

import subprocess
import sys
from importlib import metadata
from importlib.util import find_spec


def test_it_is_jupyterlab_without_the_slow_grammar():
    command = [sys.executable, "-X", "importtime", "-m", "tools.start_lab", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == metadata.version("jupyterlab")
    assert "jupyter_events.logger" in done.stderr  # which imports the grammar where it can
    assert "rfc3987_syntax.syntax_helpers" not in done.stderr
    assert find_spec("rfc3987_syntax") is not None
