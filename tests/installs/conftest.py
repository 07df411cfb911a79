"""The wheel and the source distribution, built once."""

import shutil
import subprocess

import pytest
from environments import ROOT, uv


@pytest.fixture(scope="session")
def distributions(tmp_path_factory):
    """Return the folder with the wheel, which is built from the source distribution beside it."""
    copy, target = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("dist")
    listed = ["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, copy / name)
    uv("build", "--quiet", "--out-dir", target, copy)
    return target


@pytest.fixture(scope="session")
def wheel(distributions):
    [wheel] = distributions.glob("*.whl")
    return wheel
