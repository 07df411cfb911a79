"""The wheel and the source distribution hold the package, say what it is, and nothing else."""

import tarfile
import zipfile
from email import message_from_bytes

from environments import ROOT, uv

from hpt_helpers.classroom.tables.recipes import SHIPPED


def test_both_pass_the_check_of_the_index(distributions):
    files = sorted(distributions.glob("hpt_helpers-*"))
    assert [file.suffix for file in files] == [".whl", ".gz"]
    uv("tool", "run", "--quiet", "twine", "check", "--strict", *files)


def test_the_wheel_is_the_package(wheel):
    package = ROOT / "hpt_helpers"
    files = [*package.rglob("*.py"), *package.rglob("*.npz"), *package.glob("py.typed")]
    there = {path.relative_to(ROOT).as_posix() for path in files if "tests" not in path.parts}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == there


def test_the_wheel_says_what_it_is(wheel):
    archive = zipfile.ZipFile(wheel)
    [name] = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
    found = message_from_bytes(archive.read(name))
    assert found["Requires-Python"] == ">=3.11" and found["Summary"]
    assert {"lab", "lessons", "ray"} <= set(found.get_all("Provides-Extra"))
    assert len(found.get_all("Classifier")) > 5
    assert "# Hyperparameter tuning, measured" in found.get_payload()


def test_the_source_distribution_has_no_test_that_cannot_run(distributions):
    [sdist] = distributions.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = [name.split("/", 1)[-1] for name in archive.getnames()]
    assert "pyproject.toml" in names and "hpt_helpers/search.py" in names
    assert [name for name in names if name.startswith(("tools", "notebooks"))] == []
    assert [name for name in names if "tests" in name.split("/")] == []
    assert {f"hpt_helpers/classroom/tables/{name}.npz" for name in SHIPPED} <= set(names)
