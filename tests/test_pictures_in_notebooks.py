"""In a notebook, a picture's stored text is its description, which nbval compares; a slider is one
compared output.
"""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import pytest

from tools.build_notebooks import build

SOURCE = """# %% [markdown]
# Pictures, the first drawn before the inline backend was ever active, and a slider.

# %%
from hpt_helpers.classroom import plots

plots.lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y", title="First")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2)
for ax, end in zip(axes, (3, 4)):
    plots.lines([1, 2], {"b": [1, end]}, x_label="x", y_label="y", title=f"Panel {end}", ax=ax)

# %%
line = plt.plot([1, 2])

# %%
from hpt_helpers.classroom.slider import Slider


def draw(end):
    return plots.lines([1, 2], {"c": [1, end]}, x_label="x", y_label="y", title="Sliding")


Slider(draw, [5, 6, 7], label="end")
"""
TEXTS = [
    "First: y against x; a goes from 1 to 2.",
    "Panel 3: y against x; b goes from 1 to 3.\nPanel 4: y against x; b goes from 1 to 4.",
    "<Figure size 640x480 with 1 Axes>",
    "Slider: end, here 6.\nSliding: y against x; c goes from 1 to 6.",
]


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    source = folder / "pictures.py"
    source.write_text(SOURCE)
    return build(source, notebooks=folder)


def outputs(path):
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    assert all(len(cell.outputs) == 1 for cell in cells)
    return [cell.outputs[0].data for cell in cells]


def test_the_stored_text_of_a_figure_is_its_description(stored):
    assert [data["text/plain"] for data in outputs(stored)] == TEXTS


def test_pictures_and_sliders_are_stored_as_png_and_text_only(stored):
    """Without the live widget's view, which has a random id and shows an error where no kernel
    runs.
    """
    assert [set(data) for data in outputs(stored)] == [{"text/plain", "image/png"}] * 4


def test_a_picture_that_changed_fails_the_comparison_and_an_equal_one_passes(stored, tmp_path):
    text = stored.read_text()
    (tmp_path / "same.ipynb").write_text(text)
    for old, new in (
        ("a goes from 1 to 2.", "a goes from 1 to 3."),
        ("c goes from 1 to 6.", "c goes from 1 to 7."),
    ):
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "other.ipynb").write_text(text)
    report = tmp_path / "report.xml"
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=300",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", str(tmp_path)]
    subprocess.run(command, capture_output=True, check=False)
    cases = [
        (re.search(r"(\w+)\.ipynb", case.get("classname"))[1], case.get("name"))
        for case in ET.parse(report).iter("testcase")
        if case.find("failure") is not None
    ]
    assert cases == [("other", "Cell 0"), ("other", "Cell 3")]
    assert len(list(ET.parse(report).iter("testcase"))) == 8
