"""With the oldest release of each direct dependency that pyproject.toml allows, a lesson runs."""

import os
from pathlib import Path

import pytest
from environments import ROOT, TORCH, environment, run, uv

# What depends on the releases of others: figures, the slider, tables, data, spaces. And one lesson.
TESTS = ["plots", "slider", "trials", "data", "config", "search_space", "room_check"]
OF_LESSONS = "hpt_helpers/classroom/lesson_03/tests/test_figures.py"
LESSON = "notebooks/01_grid_search.ipynb"


@pytest.fixture(scope="module")
def oldest(tmp_path_factory):
    """Return the Python of an environment with the oldest releases, and the torch that is here.

    Where the variable HPT_OLDEST_TORCH is set, torch is the oldest as well: a large download.
    """
    folder = tmp_path_factory.mktemp("oldest")
    torch = [] if os.environ.get("HPT_OLDEST_TORCH") else [TORCH]
    (folder / "torch.txt").write_text("\n".join(torch), encoding="utf-8")
    resolve = ["pip", "compile", "--quiet", "--resolution", "lowest-direct"]
    extras = [part for extra in ("lab", "ray", "test") for part in ("--extra", extra)]
    found = folder / "oldest.txt"
    files = ["--override", folder / "torch.txt", "--output-file", found, ROOT / "pyproject.toml"]
    uv(*resolve, *extras, *files)
    lines = [line for line in found.read_text(encoding="utf-8").splitlines() if "==" in line]
    return environment(folder / "env", *lines)


def test_unit_tests_and_a_lesson_pass(oldest: Path):
    files = [*(f"tests/test_{name}.py" for name in TESTS), OF_LESSONS]
    compared = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=600", LESSON]
    said = run(oldest, "-m", "pytest", "-q", *files, *compared, PYTHONPATH=str(ROOT))
    assert " passed" in said and " failed" not in said
