"""The project's files agree with each other; the Makefile takes no unfinished install for a
finished one.
"""

import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from hpt_helpers import Real, SearchSpace, asha, run
from hpt_helpers.classroom.lab.simulated_workers import SimulatedWorkers
from tools.repeatable import ENVIRONMENT as REPEATABLE

ROOT = Path(__file__).resolve().parents[1]


def read(name) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


PYPROJECT = tomllib.loads(read("pyproject.toml"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
# these are installed where their targets are made
EVERYWHERE = set(EXTRAS) - {"classroom", "handouts", "installs", "lessons", "types"}
MAKEFILE = read("Makefile")
# all are phony, because a folder has the name of one of them
TARGETS = re.search(r"^\.PHONY: (.*) FORCE$", MAKEFILE, re.M)[1].split()
README = read("README.md")
WORKFLOW = yaml.safe_load(read(".github/workflows/ci.yml"))
ENVIRONMENT = yaml.safe_load(read("environment.yml"))["dependencies"]
PAGES = sorted(path.relative_to(ROOT) for path in (ROOT / "docs").glob("*.md"))
ONLY_WITH_CUDA = re.compile(r"nvidia-|cuda-|triton")
ONLY_ELSEWHERE = {"appnope", "colorama", "pywin32", "pywinpty"}  # on macOS or Windows


def requirements(lines):
    """Map canonical names to requirements."""
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(requirement.name): requirement for requirement in parsed}


def constraints():
    lines = read("constraints.txt").splitlines()
    return requirements(line for line in lines if line and not line.startswith("#"))


def conda_python() -> str:
    """Return environment.yml's Python as Binder reads it: its build pack knows this form alone."""
    [found] = [entry for entry in ENVIRONMENT if str(entry).startswith("python")]
    return re.fullmatch(r"python\s*=+\s*([\d.]*)", found)[1]


DEPENDENCIES = requirements(PROJECT["dependencies"])
OTHERS = [line for extra in EXTRAS.values() for line in extra if not line.startswith("hpt-helpers")]
ALL_REQUIRED = requirements(PROJECT["dependencies"] + OTHERS)


# --- constraints.txt, pyproject.toml and environment.yml agree ------------------------------------


def test_constraints_pin_everything_but_torch():
    for name, requirement in constraints().items():
        [specifier, *others] = requirement.specifier
        if name == "torch":
            assert {specifier.operator, *(other.operator for other in others)} == {">=", "<"}
        else:
            assert specifier.operator == "==" and not others, requirement
            assert not Version(specifier.version).local, requirement


def test_no_pin_asks_for_a_newer_python_than_the_project():
    """Python 3.11.0 is what Debian's 3.11.2 stands for; a pin of soupsieve asked for 3.11.5."""
    oldest = PROJECT["requires-python"].removeprefix(">=") + ".0"
    pins = constraints()
    pinned = [
        found
        for found in metadata.distributions()
        if (pin := pins.get(canonicalize_name(found.name)))
        and pin.specifier.contains(found.version)
    ]
    asked = {found.name: found.metadata.get("Requires-Python") or "" for found in pinned}
    assert len(asked) > 80
    too_new = {name: need for name, need in asked.items() if oldest not in SpecifierSet(need)}
    assert too_new == {}


def test_a_hosted_notebook_keeps_its_own_jupyter():
    """A lower bound would replace Colab's kernel, which the notebook runs on."""
    lessons = requirements(EXTRAS["lessons"])
    hosted = {"ipykernel", "ipywidgets", "jupyterlab"} & set(lessons)
    assert {name: str(lessons[name].specifier) for name in hosted} == dict.fromkeys(hosted, "")
    assert "hpt-helpers[lessons]" in EXTRAS["lab"]


def test_constraints_name_nothing_that_only_cuda_needs():
    assert [name for name in constraints() if ONLY_WITH_CUDA.match(name)] == []


def test_every_requirement_is_constrained_within_its_range():
    constrained = constraints()
    for name, requirement in ALL_REQUIRED.items():
        if name == "torch":
            assert constrained[name].specifier == requirement.specifier
        else:
            [pin] = constrained[name].specifier
            assert requirement.specifier.contains(pin.version), f"{requirement} against {pin}"


def installed_closure(name="hpt-helpers", extras=frozenset(EVERYWHERE)):
    """Yield the names of all installed packages that this one needs, with its extras."""
    found, waiting = set(), [(canonicalize_name(name), frozenset(extras))]
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in found:
            continue
        found.add((name, extras))
        for line in metadata.requires(name) or []:
            needed = Requirement(line)
            marker = needed.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append((canonicalize_name(needed.name), frozenset(needed.extras)))
    return {name for name, _ in found} - {"hpt-helpers"}


def test_everything_that_is_installed_is_constrained():
    names = {name for name in installed_closure() if not ONLY_WITH_CUDA.match(name)}
    assert len(names) > 80
    assert names - set(constraints()) - ONLY_ELSEWHERE == set()


def test_torch_is_a_range_everywhere():
    [conda] = [entry for entry in ENVIRONMENT if str(entry).startswith("pytorch-cpu")]
    ranges = {
        "pyproject.toml": DEPENDENCIES["torch"].specifier,
        "constraints.txt": constraints()["torch"].specifier,
        "environment.yml": Requirement(conda).specifier,
    }
    assert len(set(ranges.values())) == 1, ranges
    for file in ("pyproject.toml", "constraints.txt", "environment.yml"):
        assert "+cpu" not in read(file), file


def test_the_environments_are_the_package_with_its_extras_but_two_and_constraints():
    [pip_section] = [entry["pip"] for entry in ENVIRONMENT if isinstance(entry, dict)]
    assert "pip" in ENVIRONMENT
    assert "--constraint constraints.txt" in pip_section
    [editable] = [line for line in pip_section if line.startswith("--editable")]
    assert set(re.search(r"\[(.*)\]$", editable)[1].split(",")) == EVERYWHERE
    assert f'--editable ".[{",".join(sorted(EVERYWHERE))}]"' in MAKEFILE


def test_the_oldest_python_is_the_same_everywhere():
    from hpt_helpers.classroom.room_check import MIN_PYTHON

    oldest = PROJECT["requires-python"].removeprefix(">=")
    as_tuple = f"sys.version_info < ({oldest.replace('.', ', ')})"
    assert as_tuple in MAKEFILE and as_tuple in read("setup.py")
    assert ".".join(map(str, MIN_PYTHON)) == oldest
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert versions == [oldest, conda_python()]
    container = json.loads(read(".devcontainer/devcontainer.json"))
    assert container["image"].endswith(f":{oldest}")


def test_an_older_python_is_told_so_first(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 4))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer, and this is Python 3\.10"):
        exec(compile(read("setup.py"), "setup.py", "exec"), {})


def test_the_citation_is_valid_and_of_this_version():
    citation = yaml.safe_load(read("CITATION.cff"))
    # What version 1.2.0 of the format requires; then what must agree with the project.
    assert citation["cff-version"] == "1.2.0"
    assert citation["message"] and citation["title"] and citation["authors"]
    assert [author["name"] for author in citation["authors"]] == [
        author["name"] for author in PROJECT["authors"]
    ]
    assert (citation["version"], citation["license"]) == (PROJECT["version"], PROJECT["license"])
    [newest, *_] = re.findall(r"^## (\d+\.\d+\.\d+)", read("CHANGELOG.md"), re.M)
    assert newest == PROJECT["version"]


# --- settings for repeatable runs -----------------------------------------------------------------


def test_pytest_runs_under_the_settings_for_repeatable_runs():
    assert os.environ.items() >= REPEATABLE.items() and "MPLBACKEND" not in os.environ


@pytest.mark.parametrize(
    "start",
    [
        "import benchmarks",
        "from tools import build_notebooks; build_notebooks.main(['no-such-lesson'])",
    ],
)
def test_the_benchmarks_and_the_builder_set_them_before_torch_is_imported(start):
    settings = {name: value for name, value in os.environ.items() if name not in REPEATABLE} | {
        "MPLBACKEND": "Agg"
    }
    names = [*REPEATABLE, "MPLBACKEND"]
    look = f"print('torch' in sys.modules, [os.environ.get(name) for name in {names}])"
    command = [sys.executable, "-c", f"import os, sys; {start}; {look}"]
    result = subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, check=True
    )
    assert result.stdout == f"False {[*REPEATABLE.values(), None]}\n"


# --- the package and the README -------------------------------------------------------------------


def test_importing_the_package_and_the_room_check_imports_no_slow_library():
    slow = "{'torch', 'ray', 'skopt', 'sklearn', 'pandas', 'matplotlib'}"
    code = f"import sys, hpt_helpers.classroom.room_check; print(sorted({slow} & set(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"


WITH_EXAMPLES = ["README.md", "docs/real_searches.md"]
EXAMPLES = [
    (page, example)
    for page in WITH_EXAMPLES
    for example in re.findall(r"```python\n(.*?)```", read(page), re.S)
]


def test_the_examples_of_readme_and_real_searches_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # one writes its log
    printed = []
    for page, example in EXAMPLES:
        exec(compile(example, page, "exec"), {})
        printed.append(capsys.readouterr().out)
    own_objective, week, training, workers, late = printed[:5]
    checkpoints, files, alone, cut, wrappers = printed[5:]
    assert re.fullmatch(r"\{'rate': [\d.]+, 'rounds': \d+\}\n", workers)
    found = re.fullmatch(r"24 (0\.\d)\n", late)
    assert abs(float(found[1]) - 0.3) < 0.15
    written = {"search.jsonl", "search.csv", "my_week", "my_wine"}
    assert {path.name for path in tmp_path.iterdir()} == written
    assert week.startswith("# What the search found\n") and "On the sealed rows: log loss" in week
    both = r"\d of 4 others are within .*\n5 of 6 pairs of the 4 best kept their order.*\n"
    assert re.fullmatch(both, alone)
    for rounds in (checkpoints, files):
        found = re.fullmatch(r"(\d+) of (\d+) rounds were trained\n", rounds)
        trained, asked = map(int, found.groups())
        assert 0 < trained < asked
    # R = 9 going on, and restarting, as the theory says
    assert files == "69 of 78 rounds were trained\n"
    kept = [path.name for path in (tmp_path / "my_wine" / "checkpoints").iterdir()]
    assert len({name.partition(".")[0] for name in kept}) == 17
    found = re.fullmatch(r"\{'rate': (0\.[\d.]+), 'depth': ([1-8])\} (\{.*\})\n", cut)
    # the best configuration is 0.05 and 5, and few trials reach the last rung
    assert 0.02 < float(found[1]) < 0.2 and abs(int(found[2]) - 5) <= 1
    n_trials = ast.literal_eval(found[3])
    assert list(n_trials) == [1, 3, 9, 27] and n_trials[1] > 5 * n_trials[27]
    assert re.fullmatch(r"\d\d \{'x': -?[\d.e-]+\}\n", wrappers)
    assert re.fullmatch(r"\{'lr': 0\.\d+, 'batch_size': (16|32|64)\}\n", training)
    found = re.findall(
        r"^(\w+) \{'learning_rate': 0\.\d+, 'max_depth': [1-4]\}$", own_objective, re.M
    )
    assert (
        found == ["random_search", "bayesian_search", "hyperband"]
        and own_objective.count("\n") == 3
    )


def test_the_pages_patience_ends_any_strategy_after_so_many_trials():
    """It asks for six at once, then for fourteen; the third is the best, and four more come."""
    [example] = [text for _, text in EXAMPLES if "def with_patience" in text]
    names = {}
    exec(compile(example, "docs/real_searches.md", "exec"), names)
    losses = iter([3, 2, 1, *range(4, 30)])
    sent = []

    def at_once():
        sent.append((yield [({"x": i}, 1) for i in range(6)]))
        yield [({"x": i}, 1) for i in range(6, 20)]

    objective = names["per_trial"](lambda config, n_epochs: next(losses))
    trials = names["run"](names["with_patience"](at_once(), 4), objective)
    assert len(trials) == 7 and sent == [[3, 2, 1, 4, 5, 6]]


def test_the_pages_patience_ends_a_strategy_that_asks_late():
    """Trials of asha, the lowest of which is its second, by two workers."""
    [example] = [text for _, text in EXAMPLES if "def with_patience" in text]
    names = {}
    exec(compile(example, "docs/real_searches.md", "exec"), names)
    space = SearchSpace({"x": Real(0, 1)})
    losses = iter([3, 1, *range(4, 60)])

    def objective(requests):
        return [next(losses) for _ in requests]

    workers = SimulatedWorkers(objective, 2, lambda request: 1.0)
    strategy = names["with_patience"](asha(space, 9, seed=0), 5)
    trials = run(strategy, objective, workers=workers)
    assert 7 <= len(trials) <= 9  # what ran when patience ended is finished


def test_the_wheel_to_upload_is_of_this_version():
    """Wherever a page names it; a workshop's texts get its name when they are packed."""
    pages = [*PAGES, "notebooks/source/00_start_here.py"]
    named = [set(re.findall(r"hpt_helpers-(\S+?)-py3", read(page))) for page in pages]
    assert set().union(*named) == {PROJECT["version"]}
    assert len(list(filter(None, named))) >= 2


@pytest.mark.parametrize("page", ["README.md", "WORKSHOP.md"])
def test_the_pythons_that_are_tested_are_those_of_the_workflow(page):
    text = README if page == "README.md" else read(f"docs/{page}")
    versions = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    assert f"{' and '.join(versions)} are tested" in text


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", *map(str, PAGES)])
def test_the_links_of_a_page_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:\s]+?)(?:#(?:[^()]|\([^()]*\))*)?\)", read(page))
    assert [link for link in links if not (ROOT / page).parent.joinpath(link).exists()] == []


def test_every_command_of_the_project_that_is_named_somewhere_is_there():
    """What make is asked for, and each `python -m` of a module in tools or benchmarks."""
    lessons = sorted((ROOT / "notebooks" / "source").glob("*.py"))
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "Makefile", ".ci/run")]
    pages += [*(ROOT / "docs").glob("*.md"), *(ROOT / ".github").rglob("*.yml"), *lessons]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    asked = re.findall(r"(?:`|run: |step )make ([a-z -]+)", text)
    named = {target for words in asked for target in words.split()}
    assert len(named) > 20 and named - set(TARGETS) == set()
    modules = set(re.findall(r"-m ((?:tools|benchmarks)\.[a-z_]+)", text))
    files = {name: ROOT / f"{name.replace('.', '/')}.py" for name in modules}
    assert len(files) > 8 and [name for name, file in files.items() if not file.exists()] == []


def test_tools_import_no_benchmark():
    imports = re.compile(r"^\s*(?:from|import) benchmarks\b", re.M)
    assert [p.name for p in (ROOT / "tools").glob("*.py") if imports.search(read(p))] == []


# --- other systems --------------------------------------------------------------------------------


SOURCES = [
    path
    for folder in ("", "hpt_helpers/", "tools/", "benchmarks/", "tests/", "notebooks/source/")
    for path in sorted(ROOT.glob(folder + ("**/*.py" if folder else "*.py")))
]


def in_an_encoding_of_the_machine(call: ast.Call) -> bool:
    """Say whether a call opens, reads or writes text without saying in which encoding."""
    name = getattr(call.func, "attr", getattr(call.func, "id", ""))
    of = getattr(getattr(call.func, "value", None), "id", "")
    binary = name == "open" and any("b" in str(getattr(arg, "value", "")) for arg in call.args[-1:])
    says = any(keyword.arg in ("encoding", None) for keyword in call.keywords)
    reads = name in ("open", "read_text", "write_text") and of not in ("tarfile", "Image")
    return reads and not binary and not says


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("open(path)", 1),
        ("path.open('w')", 1),
        ("path.read_text()", 1),
        ("path.write_text('b')", 1),
        ("open(path, 'rb')", 0),
        ("path.write_text('a', encoding='utf-8')", 0),
        ("tarfile.open(path)", 0),
    ],
)
def test_what_is_read_in_an_encoding_of_the_machine(code, found):
    assert in_an_encoding_of_the_machine(ast.parse(code).body[0].value) == found


def test_text_is_read_and_written_as_utf_8_everywhere():
    """Windows takes another encoding where none is named."""
    assert len(SOURCES) > 150
    assert [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and in_an_encoding_of_the_machine(node)
    ] == []


# What Windows has not; a test that uses it names the fixture `unix`.
ONLY_UNIX = re.compile(
    r"os\.kill|killpg|SIGKILL|pthread_sigmask|symlink_to|chmod\(|getuid"
    r"|\[\"(?:ba)?sh\"|peak_memory_growth\(|course\.lesson\("
)


def unmarked(text: str) -> list[str]:
    """Return the names in a file of tests that use what only Unix has without saying so.

    A helper's users say so, so that somewhere in its file is enough.
    """
    lines, found = text.splitlines(), []
    whole = 'pytestmark = pytest.mark.usefixtures("unix")' in lines
    for node in ast.parse(text).body:
        if whole or not hasattr(node, "name"):
            continue
        start = min(part.lineno for part in [node, *node.decorator_list])
        code = "\n".join(lines[start - 1 : node.end_lineno])
        says = re.search(r"\bunix\b", code if node.name.startswith("test_") else text)
        found += [node.name] * bool(ONLY_UNIX.search(code) and not says)
    return found


def test_what_only_unix_can_run_is_marked():
    kills = "def test_it():\n    os.kill(1, 9)\n"
    assert unmarked(kills) == ["test_it"]
    assert unmarked('@pytest.mark.usefixtures("unix")\n' + kills) == []
    of_lessons = (ROOT / "hpt_helpers").glob("classroom/lesson_*/tests/test_*.py")
    files = sorted([*(ROOT / "tests").glob("test_*.py"), *of_lessons])
    found = {
        path.relative_to(ROOT).as_posix(): unmarked(path.read_text(encoding="utf-8"))
        for path in files
    }
    assert {name: tests for name, tests in found.items() if tests} == {}


# --- the Makefile ---------------------------------------------------------------------------------


unix = pytest.mark.usefixtures("unix")  # what follows starts shell scripts


def make(*arguments, folder=ROOT):
    """Run make in a folder, free of what an outer make passes on."""
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))
    }
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )


@unix
def test_help_is_the_default_and_lists_every_target():
    listed = re.findall(r"^  make (\S+) +\S", make().stdout, re.M)
    assert sorted(listed) == sorted(TARGETS)
    assert make("help").stdout == make().stdout


# Stands for Python: notes how it was called, makes an environment with itself in it, and installs
# nothing.
# It is too old where a file "too-old" lies, and its pip fails where a file "offline" lies.
STUB = """#!/bin/sh
echo "$@" >> calls
case "$1 $2" in
    "-c import sys"*) test ! -e too-old ;;
    "-m venv") rm -rf .venv; mkdir -p .venv/bin; cp "$0" .venv/bin/python ;;
    "-m pip") test ! -e offline ;;
    "--version "*) echo "Python 3.12.0" ;;
esac
"""


class Checkout:
    """A folder with the Makefile and a stub for Python."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "Makefile").write_text(MAKEFILE, encoding="utf-8")
        (folder / "python-stub").write_text(STUB, encoding="utf-8")
        (folder / "python-stub").chmod(0o755)
        for name in ("pyproject.toml", "constraints.txt"):
            (folder / name).touch()
            os.utime(folder / name, (1e9, 1e9))

    def make(self, target):
        """Run make; return its result and what was called, a line each."""
        (self.folder / "calls").write_text("", encoding="utf-8")
        result = make(target, "PYTHON=./python-stub", folder=self.folder)
        return result, (self.folder / "calls").read_text(encoding="utf-8")

    def venv(self):
        """Run make venv; return its result and what it did: some of "creates", "installs"."""
        result, calls = self.make("venv")
        return result, [
            name for name, call in (("creates", "-m venv"), ("installs", "-m pip")) if call in calls
        ]


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "a course").mkdir()  # with a space, as in many people's folders
    return Checkout(tmp_path / "a course")


@unix
def test_an_environment_is_built_once(checkout):
    result, did = checkout.venv()
    assert (result.returncode, did) == (0, ["creates", "installs"]), result.stderr
    result, did = checkout.venv()
    assert (result.returncode, did) == (0, [])


@unix
def test_an_interrupted_install_is_done_again_from_the_start(checkout):
    (checkout.folder / "offline").touch()
    assert checkout.venv()[0].returncode != 0
    (checkout.folder / "offline").unlink()
    assert checkout.venv()[1] == ["creates", "installs"]
    assert checkout.venv()[1] == []


@unix
@pytest.mark.parametrize("file", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_are_installed_and_an_interruption_there_is_noticed(checkout, file):
    checkout.venv()
    os.utime(checkout.folder / file)
    os.utime(checkout.folder / ".venv/.complete", (1.1e9, 1.1e9))
    assert checkout.venv()[1] == ["installs"]
    os.utime(checkout.folder / ".venv/.complete", (1.1e9, 1.1e9))
    (checkout.folder / "offline").touch()
    assert checkout.venv()[1] == ["installs"]
    (checkout.folder / "offline").unlink()
    assert checkout.venv()[1] == ["creates", "installs"]


@unix
def test_what_handouts_need_is_installed_with_the_first_ones_and_again_with_the_environment(
    checkout,
):
    def installed():
        result, calls = checkout.make("handouts")
        assert result.returncode == 0 and "-m tools.build_handouts" in calls, result.stderr
        return re.findall(r"--editable \.\[(\S+)\]", calls)

    everywhere = ",".join(sorted(EVERYWHERE))
    assert installed() == [everywhere, "handouts"]
    assert installed() == []
    (checkout.folder / ".venv/bin/python").unlink()
    assert installed() == [everywhere, "handouts"]


@unix
def test_a_lost_python_and_a_moved_checkout_are_noticed(checkout):
    checkout.venv()
    (checkout.folder / ".venv/bin/python").unlink()
    assert checkout.venv()[1] == ["creates", "installs"]
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    assert checkout.venv()[1] == ["creates", "installs"]
    assert checkout.venv()[1] == []


@unix
def test_an_old_python_is_refused_in_one_clear_line(checkout):
    (checkout.folder / "too-old").touch()
    result, did = checkout.venv()
    assert result.returncode != 0 and did == []
    said = [line for line in result.stderr.splitlines() if not line.startswith("make: ***")]
    assert len(said) == 1 and "needs Python 3.11 or newer, and ./python-stub is not" in said[0]
    assert not (checkout.folder / ".venv").exists()
