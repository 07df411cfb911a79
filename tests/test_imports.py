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


THREADS = """
import importlib, pkgutil, torch
torch.set_num_threads(2)
import hpt_helpers

for module in pkgutil.walk_packages(hpt_helpers.__path__, "hpt_helpers."):
    importlib.import_module(module.name)
print(torch.get_num_threads())
from hpt_helpers.data import load_splits
from hpt_helpers.population import Population
from hpt_helpers.training import start_training

config, splits = {"lr": 0.01, "batch_size": 16}, load_splits("iris")
for start in (lambda: start_training(config, splits), lambda: Population([config], splits).train_to(1)):
    torch.set_num_threads(2)
    start()
    print(torch.get_num_threads())
"""


def test_importing_leaves_torchs_threads_alone_and_training_takes_one():
    assert python(THREADS) == ["2", "1", "1"]
