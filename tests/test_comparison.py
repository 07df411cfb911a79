"""What nbval compares of a stored notebook: text, tables, and of pictures and sliders their
descriptions.
"""

import re
import subprocess
import sys
import xml.etree.ElementTree as ET

import nbformat
import pytest

from tools.build_notebooks import build

SOURCE = """# %% [markdown]
# Pictures, the first drawn before the inline backend was ever active, a slider, text and a table.

# %%
from hpt_helpers.classroom.drawing import plots

plots.lines([1, 2], {"a": [1, 2]}, x_label="x", y_label="y", title="First")

# %%
import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 2)
for ax, end in zip(axes, (3, 4)):
    plots.lines([1, 2], {"b": [1, end]}, x_label="x", y_label="y", title=f"Panel {end}", ax=ax)

# %%
line = plt.plot([1, 2])

# %%
from hpt_helpers.classroom.drawing.slider import Slider


def draw(end):
    return plots.lines([1, 2], {"c": [1, end]}, x_label="x", y_label="y", title="Sliding")


Slider(draw, [5, 6, 7], label="end")

# %%
print("the loss is 0.1234")

# %%
import pandas as pd

pd.DataFrame({"lr": [0.5, 0.25], "loss": [1.125, 0.875]})
"""
N_PICTURES = 4
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
    source.write_text(SOURCE, encoding="utf-8")
    return build(source, notebooks=folder)


def outputs(path):
    """Return what the cells with a picture have stored."""
    cells = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    cells = cells[:N_PICTURES]
    assert all(len(cell.outputs) == 1 for cell in cells)
    return [cell.outputs[0].data for cell in cells]


def test_the_stored_text_of_a_figure_is_its_description(stored):
    assert [data["text/plain"] for data in outputs(stored)] == TEXTS


def test_pictures_and_sliders_are_stored_as_png_and_text_only(stored):
    """Without the live widget's view, which has a random id and shows an error where no kernel
    runs.
    """
    assert [set(data) for data in outputs(stored)] == [{"text/plain", "image/png"}] * N_PICTURES


# By cell: the numbers of which one is altered in what is stored.
ALTERED = {
    "Cell 0": ("a goes from 1 to 2.", "a goes from 1 to 3."),
    "Cell 3": ("c goes from 1 to 6.", "c goes from 1 to 7."),
    "Cell 4": ("is 0.1234\\n", "is 0.1235\\n"),
    "Cell 5": ("<td>0.875</td>", "<td>0.876</td>"),
}


def test_one_altered_number_in_a_cell_fails_its_comparison_and_without_all_pass(stored, tmp_path):
    text = stored.read_text(encoding="utf-8")
    (tmp_path / "same.ipynb").write_text(text, encoding="utf-8")
    for old, new in ALTERED.values():
        assert text.count(old) == 1
        text = text.replace(old, new)
    (tmp_path / "other.ipynb").write_text(text, encoding="utf-8")
    report = tmp_path / "report.xml"
    options = [
        "--nbval",
        "--nbval-current-env",
        "--nbval-cell-timeout=300",
        "-p",
        "no:cacheprovider",
    ]
    command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", str(tmp_path)]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    cases = [
        (
            re.search(r"(\w+)\.ipynb", case.get("classname"))[1],
            case.get("name"),
            case.find("failure") is not None,
        )
        for case in ET.parse(report).iter("testcase")
    ]
    assert len(cases) == 2 * (N_PICTURES + 2)
    assert [case[:2] for case in cases if case[2]] == [("other", name) for name in ALTERED]
