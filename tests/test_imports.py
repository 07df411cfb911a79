"""Imports go down docs/package.md's lists of modules only; heavy libraries wait for their use."""

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "hpt_helpers").rglob("*.py"))
    if "tests" not in path.parts  # of a lesson's folder
}
# --- which module imports which -------------------------------------------------------------------


def rows_of_page(first_column):
    """Return the rows of docs/package.md's table whose first column has this name, as cells."""
    page = (ROOT / "docs" / "package.md").read_text(encoding="utf-8")
    [table] = re.findall(rf"^\| {first_column} \|.*\n\|[-|]+\n((?:\|.*\n)+)", page, re.M)
    return [row.strip("| ").split(" | ") for row in table.splitlines()]


def listed_order():
    """Return the modules in the order of docs/package.md, without the classroom's."""
    files = re.findall(r"`([\w/]+)\.py`", " ".join(row[0] for row in rows_of_page("module")))
    return [f"hpt_helpers.{name.removesuffix('/__init__').replace('/', '.')}" for name in files]


def order_of_rooms():
    """Return the classroom's modules in the order of docs/package.md, without the lessons'."""
    return [
        f"hpt_helpers.{room.strip('`').replace('/', '.')}{name}"
        for room, what in rows_of_page("room")
        if "lesson_NN" not in room
        for name in re.findall(r"`(\w+)\.py`", what)
    ]


def imported(code):
    """Return which of the package's modules a module's code imports, at its top or anywhere else in
    it.

    What stands under `if TYPE_CHECKING:` is there for annotations and never imported.
    """
    names, nodes = [], [ast.parse(code)]
    while nodes:
        node = nodes.pop()
        skipped = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        nodes += node.orelse if skipped else ast.iter_child_nodes(node)
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "an import relative to the module"
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return {name for name in names if name in MODULES}


def lesson_of(module):
    """Return the lesson's folder in which a module lies, or None."""
    found = re.search(r"\blesson_\d\d\b", module)
    return found and found[0]


def upward(graph, order):
    """Return the imports, as (importer, imported), that do not go to a module that stands before
    the importer.

    What a lesson's folder holds stands after all that is listed, and beside no other lesson's.
    """
    place = {name: i for i, name in enumerate(order)}
    last = len(place)
    edges = [(importer, name) for importer, names in graph.items() for name in names]
    return [
        (a, b)
        for a, b in edges
        if not place.get(b, last) < place.get(a, last + 1)
        or (lesson_of(b) and lesson_of(a) != lesson_of(b))
    ]


# Those of strategies and evidence are modules, too: they give what those beside them define.
PACKAGES = {name for name, path in MODULES.items() if path.name == "__init__.py"}
PACKAGES -= {"hpt_helpers.strategies", "hpt_helpers.evidence"}
GRAPH = {
    name: imported(path.read_text(encoding="utf-8")) - PACKAGES for name, path in MODULES.items()
}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("import hpt_helpers.data, json", {"hpt_helpers.data"}),
        (
            "from hpt_helpers import data, model as m",
            {"hpt_helpers", "hpt_helpers.data", "hpt_helpers.model"},
        ),
        ("def f():\n    from hpt_helpers.data import load_splits", {"hpt_helpers.data"}),
        ("from sklearn import datasets", set()),
        (
            "if TYPE_CHECKING:\n    import hpt_helpers.data\nelse:\n    import hpt_helpers.model",
            {"hpt_helpers.model"},
        ),
    ],
)
def test_an_import_is_found_however_it_is_written(code, names):
    assert imported(code) == names


def test_an_import_upward_is_found():
    graph = {
        "a": {"b"},
        "b": {"a"},
        "c": {"lesson_01.x"},
        "lesson_01.x": {"a", "lesson_01.y"},
        "lesson_02.x": {"lesson_01.y", "c"},
    }
    wrong = [("a", "b"), ("c", "lesson_01.x"), ("lesson_02.x", "lesson_01.y")]
    assert upward(graph, ["a", "b", "c"]) == wrong


def test_the_page_lists_every_module_outside_the_lessons_folders_once():
    order = listed_order()
    taken_home = {name for name in MODULES if "classroom" not in name} - PACKAGES
    assert taken_home == set(order) and len(set(order)) == len(order)
    rooms = order_of_rooms()
    classrooms = {n for n in MODULES if "classroom" in n and not lesson_of(n)} - PACKAGES
    assert classrooms == set(rooms) and len(set(rooms)) == len(rooms)


def test_no_module_imports_one_that_stands_later_in_the_list():
    # it does so inside a function
    assert "hpt_helpers.on_ray.local_ray" in GRAPH["hpt_helpers.classroom.room_check"]
    assert upward(GRAPH, listed_order() + order_of_rooms()) == []
    assert {name for name in PACKAGES if GRAPH[name]} == set()


def test_no_modules_import_each_other_in_a_circle():
    TopologicalSorter(GRAPH).prepare()  # raises CycleError, which names the circle


# --- what an import costs -------------------------------------------------------------------------

CHEAP = "import time; t = time.perf_counter(); import hpt_helpers; print(time.perf_counter() - t)"

ALL = """
import importlib, pkgutil, sys
import hpt_helpers

for module in pkgutil.walk_packages(hpt_helpers.__path__, "hpt_helpers."):
    if ".tests" in module.name:  # of a lesson's folder
        continue
    importlib.import_module(module.name)
    heavy = ("ray", "skopt", "matplotlib.pyplot")
    print(module.name, *(name for name in heavy if name in sys.modules))
"""


def python(code: str) -> list[str]:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.splitlines()


def test_importing_the_package_takes_under_200_ms():
    """The best of several fresh interpreters: what the import costs, not what else the machine is
    doing.
    """
    assert min(float(python(CHEAP)[0]) for _ in range(5)) < 0.2


def test_no_module_imports_ray_skopt_or_pyplot_before_it_uses_them():
    found = {name: heavy for name, *heavy in map(str.split, python(ALL))}
    assert {
        "hpt_helpers.classroom.drawing.plots",
        "hpt_helpers.search",
        "hpt_helpers.classroom.lab.landscape",
    } <= set(found)
    assert {name: heavy for name, heavy in found.items() if heavy} == {}


def test_the_package_gives_the_names_of_its_readme_and_no_heavy_library_for_naming_them():
    """Each from the module that README and docs/real_searches.md import it from, in the same order
    for type checkers.
    """
    import hpt_helpers

    pages = [ROOT / "README.md", ROOT / "docs" / "real_searches.md"]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    readme = re.findall(r"^from (hpt_helpers\.\w+) import (.+)$", text, re.M)
    used = {(module, name) for module, names in readme for name in names.split(", ")}
    assert len(used) >= 12
    for module, name in used:
        assert getattr(hpt_helpers, name) is getattr(importlib.import_module(module), name)
    assert {name for _, name in used} <= set(dir(hpt_helpers))
    [block] = [
        n
        for n in ast.parse(MODULES["hpt_helpers"].read_text(encoding="utf-8")).body
        if isinstance(n, ast.If)
    ]
    for_checkers = {alias.asname: node.module for node in block.body for alias in node.names}
    assert for_checkers == {n: f"hpt_helpers.{m}" for n, m in hpt_helpers._MODULE_OF.items()}
    with pytest.raises(AttributeError, match="'hpt_helpers' has no attribute 'ran'"):
        getattr(hpt_helpers, "ran")  # noqa: B009


def test_dir_shows_what_people_use_and_nothing_of_how_it_is_loaded():
    import hpt_helpers

    names = set(dir(hpt_helpers))
    assert {"best", "ties", "Told", "hyperband_schedule", "per_trial", "__version__"} <= names
    assert names & {"TYPE_CHECKING", "import_module", "metadata"} == set()
    assert [name for name in names if not hasattr(hpt_helpers, name)] == []


def test_the_version_is_that_of_the_installed_distribution(monkeypatch):
    import hpt_helpers

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert hpt_helpers.__version__ == project["version"]
    monkeypatch.setattr(metadata, "version", raise_not_found)
    with pytest.raises(AttributeError, match="not installed"):
        hpt_helpers.__version__  # noqa: B018


def raise_not_found(name):
    raise metadata.PackageNotFoundError(name)


LIGHT = """
import time; start = time.process_time()
import hpt_helpers, {modules}
took = time.process_time() - start
import sys
print(took, *({heavy} & set(sys.modules)))
"""

USED = """
import sys
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.search_space import Integer, SearchSpace
from hpt_helpers.strategies import grid_search


def has_torch(config, n_epochs):
    import sys

    return float("torch" in sys.modules)


configs = SearchSpace({"x": Integer(1, 4)}).grid(4)
for n_workers in 1, 2:
    trials = run(grid_search(configs, 3), per_trial(has_torch), n_workers=n_workers)
    print(trials["val_loss"].tolist(), "torch" in sys.modules)
"""

# Half a second or more each, or what only some searches need.
HEAVY = {"torch", "pandas", "scipy", "sklearn", "skopt", "matplotlib", "joblib"}


def modules_of_readme():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return sorted(set(re.findall(r"^from (hpt_helpers\.\w+) import ", text, re.M)))


def imported_at_once(path):
    """Return the names of all modules that a file imports when it is imported itself.

    An import inside a function waits for the call, and one under `if TYPE_CHECKING:` never runs.
    """
    names, nodes = set(), [ast.parse(path.read_text(encoding="utf-8"))]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            nodes += node.orelse
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            nodes += ast.iter_child_nodes(node)
    return names


def reached(module):
    """Return the top-level names of the libraries that importing one of our modules imports."""
    libraries, seen, left = set(), set(), [module]
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        for found in imported_at_once(MODULES[name]):
            if found in MODULES:
                left.append(found)
            elif not found.startswith("hpt_helpers"):
                libraries.add(found.partition(".")[0])
        left += [parent for parent in [name.rpartition(".")[0]] if parent]
    return libraries


def test_the_import_graph_is_followed_to_the_libraries():
    assert "torch" in reached("hpt_helpers.training_objective")  # through three modules of ours
    assert "tqdm" in reached("hpt_helpers.search")
    assert {"pandas", "ray"} & reached("hpt_helpers.on_ray.ray_tune") == set()  # in functions only


def test_what_stands_before_the_networks_needs_no_heavy_library():
    order = listed_order()
    at_home = order[: order.index("hpt_helpers.axes")]
    assert {"hpt_helpers.objectives", "hpt_helpers.search", "hpt_helpers.trials"} <= set(at_home)
    assert set(modules_of_readme()) <= set(at_home)
    for module in ["hpt_helpers", *at_home, "hpt_helpers.on_ray.ray_tune"]:
        assert reached(module) & HEAVY == set(), module
    assert "torch" not in reached("hpt_helpers.evidence")


def test_the_readmes_imports_take_under_half_a_second_and_no_heavy_library():
    """The best of several fresh interpreters, in processor time: the clock also counts what else
    the machine does.
    """
    modules = modules_of_readme()
    assert "hpt_helpers.objectives" in modules
    code = LIGHT.format(modules=", ".join(modules), heavy=HEAVY)
    found = [python(code)[0].split() for _ in range(5)]
    assert [heavy for _, *heavy in found] == [[]] * 5
    assert min(float(took) for took, *_ in found) < 0.5


def test_neither_a_search_nor_its_processes_import_torch():
    assert python(USED) == ["[0.0, 0.0, 0.0, 0.0] False"] * 2


THREADS = """
import importlib, pkgutil, torch
torch.set_num_threads(2)
import hpt_helpers

for module in pkgutil.walk_packages(hpt_helpers.__path__, "hpt_helpers."):
    if ".tests" in module.name:  # of a lesson's folder
        continue
    importlib.import_module(module.name)
print(torch.get_num_threads())
from hpt_helpers import population, training
from hpt_helpers.data import load_splits

config, splits = {"lr": 0.01, "batch_size": 16}, load_splits("iris")


def interrupted(*args, **kwargs):
    print("inside:", torch.get_num_threads())
    raise KeyboardInterrupt


def fit_many(config, splits, *, n_epochs):
    population.fit_many([config], splits, n_epochs=n_epochs)


training.cross_entropy = population.train_stack = interrupted
for train in training.fit, fit_many:
    try:
        train(config, splits, n_epochs=1)
    except KeyboardInterrupt:
        print("after an interrupt:", torch.get_num_threads())
"""


def test_training_takes_one_of_torchs_threads_and_gives_the_others_back():
    in_training = ["inside: 1", "after an interrupt: 2"]
    assert python(THREADS) == ["2", *in_training, *in_training]
