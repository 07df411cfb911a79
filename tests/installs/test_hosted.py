"""Lessons run from the wheel and one downloaded notebook, in an environment like Colab's.

There torch, numpy and Jupyter's kernel are installed already, in releases of their own. Replacing
them under the running kernel would break the notebook that asks for the course.
"""

import json

import nbformat
import pytest
from environments import ROOT, TORCH, clean_settings, environment, freeze, uv
from nbclient import NotebookClient

from hpt_helpers.classroom.lessons import LESSONS
from tools.my_notebooks import write_copy

PRESENT = (
    TORCH,
    "numpy==2.0.2",
    "pandas==2.2.2",
    "matplotlib==3.10.0",
    "scikit-learn==1.6.1",
    "ipykernel==6.17.1",
    "ipywidgets==7.7.1",
)
WITHOUT_RAY = [lesson.stem for lesson in LESSONS if not lesson.needs_ray]


@pytest.fixture(scope="module")
def hosted(tmp_path_factory, wheel):
    """Return a folder of kernels with that of an environment into which the wheel was installed."""
    folder = tmp_path_factory.mktemp("hosted")
    python = environment(folder / "env", *PRESENT)
    before = freeze(python)
    uv("pip", "install", "--quiet", "--python", python, f"{wheel}[lessons]")
    assert before <= freeze(python), "something that was there has been replaced"
    kernel = folder / "jupyter" / "kernels" / "hosted"
    kernel.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": "hosted", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder / "jupyter"


@pytest.mark.parametrize("stem", WITHOUT_RAY)
def test_a_lesson_runs_outside_the_project(hosted, tmp_path, monkeypatch, stem):
    monkeypatch.setenv("JUPYTER_PATH", str(hosted))
    write_copy(ROOT / "notebooks" / f"{stem}.ipynb", tmp_path / f"{stem}.ipynb")
    notebook = nbformat.read(tmp_path / f"{stem}.ipynb", as_version=4)
    here = {"metadata": {"path": str(tmp_path)}}
    client = NotebookClient(notebook, timeout=600, kernel_name="hosted", resources=here)
    settings = clean_settings() | {"HPT_CACHE_DIR": str(tmp_path / "cache"), "TQDM_DISABLE": "1"}
    client.execute(env=settings)  # raises where a cell does
    said = [out for cell in notebook.cells for out in cell.get("outputs", [])]
    errors = [out.text for out in said if out.get("name") == "stderr"]
    assert len(said) > 10 and errors == []
