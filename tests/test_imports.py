"""Importing the package is cheap, and heavy libraries wait until something uses them."""

import subprocess
import sys

CHEAP = "import time; t = time.perf_counter(); import hpt_helpers; print(time.perf_counter() - t)"

ALL = """
import importlib, pkgutil, sys
import hpt_helpers

for module in pkgutil.walk_packages(hpt_helpers.__path__, "hpt_helpers."):
    importlib.import_module(module.name)
    print(module.name, *(heavy for heavy in ("ray", "skopt", "matplotlib.pyplot") if heavy in sys.modules))
"""


def python(code: str) -> list[str]:
    return subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.splitlines()


def test_importing_the_package_takes_under_200_ms():
    """The best of several fresh interpreters: what the import costs, not what else the machine is doing."""
    assert min(float(python(CHEAP)[0]) for _ in range(5)) < 0.2


def test_no_module_imports_ray_skopt_or_pyplot_before_it_uses_them():
    found = {name: heavy for name, *heavy in map(str.split, python(ALL))}
    assert {"hpt_helpers.plots", "hpt_helpers.search", "hpt_helpers.landscape"} <= set(found)
    assert {name: heavy for name, heavy in found.items() if heavy} == {}


LIGHT = """
import time; start = time.perf_counter()
import hpt_helpers.strategies, hpt_helpers.trials
took = time.perf_counter() - start
import sys
print(took, *({"torch", "pandas", "scipy", "sklearn", "skopt", "matplotlib"} & set(sys.modules)))
"""

USED = """
import sys
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search
trials = run(grid_search([{"x": 1}, {"x": 2}], 3), lambda requests: [r.config["x"] for r in requests])
print(trials["val_loss"].tolist(), "torch" in sys.modules)
"""


def test_strategies_and_their_drivers_need_no_torch_and_under_half_a_second():
    """The best of several fresh interpreters, as above."""
    found = [python(LIGHT)[0].split() for _ in range(5)]
    assert [heavy for _, *heavy in found] == [[]] * 5
    assert min(float(took) for took, *_ in found) < 0.5
    assert python(USED) == ["[1.0, 2.0] False"]
