"""What a key tells apart: whatever could make a value act differently, and nothing else."""

import functools
import importlib
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from hpt_helpers import config, data, stack, strategies
from hpt_helpers.classroom.computing.fingerprint import fingerprint, sources_of
from hpt_helpers.search_space import Real, SearchSpace


def made(source: str, **around):
    """Return what a cell of a notebook defines, as `f`."""
    cell = {"__name__": "__main__", **around}
    exec(source, cell)
    return cell["f"]


def at(n):
    return lambda space, repeat: n


DIFFERENT = [
    *[None, True, 1, 1.0, "1", 0, "", math.nan, float(np.nextafter(1, 2)), [], [1], [[1]], [1, 2]],
    *[[2, 1], {"a": 1}, {"a": 1, "b": 2}, {"b": 2, "a": 1}, {1, 2}],
    np.zeros(2),
    np.zeros(2, dtype=np.int64),  # the same bytes
    np.zeros((2, 1)),
    *[np, math, strategies, math.log, np.log, np.float64, Real, strategies.hyperband],
    *[Real(0, 1), Real(0, 1.0), Real(0, 2), SearchSpace({"a": Real(0, 1)}), {"a": Real(0, 1)}],
    SearchSpace({"a": Real(0, 1), "b": Real(0, 1)}),
    SearchSpace({"b": Real(0, 1), "a": Real(0, 1)}),  # which draws other values
    *[at(1), at(5), at(1.0)],
    *[functools.partial(pow, 2), functools.partial(pow, 3), functools.partial(pow, exp=2)],
    *[lambda x: x + 1, lambda x: x + 2],  # on one line
    made("def f(x, n=1): return n"),
    made("def f(x, n=2): return n"),
    made("def f(x, *, n=2): return n"),
    made("def f(x, *, n=3): return n"),
    made("def f(x): return N", N=1),
    made("def f(x): return N", N=2),
    made("def f(x):\n    def g(): return N\n    return g", N=1),
    made("def f(x):\n    def g(): return N\n    return g", N=2),
    made("def g(): return 1\ndef f(x): return g()"),
    made("def g(): return 2\ndef f(x): return g()"),
    made("def h(): return 1\ndef g(): return h()\ndef f(x): return g()"),
    made("def h(): return 2\ndef g(): return h()\ndef f(x): return g()"),
    made("def f(x): return log(x)", log=math.log),
    made("def f(x): return log(x)", log=np.log),
    made("def f(x): return 1 if x else f(1)"),
    made("def f(x): return 2 if x else f(1)"),
    made("def f(x):\n    import json\n    return json"),
    made("def f(x):\n    import math as json\n    return json"),
    made("def f(x): yield x"),
    made("f = lambda x: x in {'a', 'b'}"),
    made("f = lambda x: x in {'a', 'c'}"),
]


def test_what_could_act_differently_has_another_fingerprint():
    found = {}
    for i, value in enumerate(DIFFERENT):
        other = found.setdefault(fingerprint(value), i)
        assert other == i, f"{DIFFERENT[other]!r} and {value!r}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 0.5, True, "x"], (np.int8(1), np.float64(0.5), np.bool_(True), np.str_("x"))),
        (range(3), [0, 1, 2]),
        (np.arange(6).reshape(2, 3), np.asfortranarray(np.arange(6).reshape(2, 3))),
        (at(1), at(1)),
        (math.nan, math.nan),
        (made("def f(x): return x"), made("\n\ndef f(x):  # a comment\n    return x")),
        (made("def f(x): return x"), made("def g(x): return x\nf = g")),
        (made("def f(x): return x", x=1), made("def f(x): return x", x=2)),  # x is its own
        (made("def f(x): return x.N", N=1), made("def f(x): return x.N", N=2)),  # an attribute
    ],
)
def test_what_acts_alike_has_the_same(one, other):
    assert fingerprint(one) == fingerprint(other)


def test_an_object_of_a_library_is_described_by_its_name_there():
    assert len({fingerprint(value) for value in (stats.norm, stats.expon, np.log, np.exp)}) == 4
    with pytest.raises(TypeError, match="no description"):
        fingerprint(stats.norm(0, 1))  # one of our own making


def test_functions_that_call_each_other_have_one():
    source = "def g(x): return f(x)\ndef f(x): return {} or g(x)"
    assert fingerprint(made(source.format(1))) != fingerprint(made(source.format(2)))


@pytest.mark.parametrize(
    "value",
    [
        object(),
        1j,
        np.longdouble(1),
        np.array([None]),
        (i for i in range(3)),
        made("class f: pass"),
        made("def f(x): return G", G=iter([1])),
        functools.partial(pow, object()),
    ],
)
def test_what_cannot_be_described_is_refused_with_what_to_do(value):
    with pytest.raises(TypeError, match="has no description for the cache; give the numbers"):
        fingerprint([0, {"a": value}])


def test_it_is_the_same_in_another_process():
    """Where strings have other hashes, and sets another order."""
    code = (
        "from hpt_helpers.classroom.computing.fingerprint import fingerprint\n"
        "from hpt_helpers.search_space import Real, SearchSpace\n"
        "N = {'a', 'b', 'c'}\n"
        "def f(x): return x in {'a', 'b', 'c', 'd'} or x in N\n"
        "print(fingerprint([f, SearchSpace({'lr': Real(0, 1)})]))"
    )
    run = functools.partial(subprocess.check_output, [sys.executable, "-c", code])
    assert (
        len({run(env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": n}) for n in "01"}) == 1
    )


def test_the_sources_of_a_module_are_those_that_python_imports():
    """Against what Python itself has imported, once the module and its functions have run."""
    code = (
        "import sys, hpt_helpers.population\n"
        "print(*(m for m in sys.modules if m.startswith('hpt_helpers')))"
    )
    imported = subprocess.check_output([sys.executable, "-c", code], text=True).split()
    assert sorted(sources_of("hpt_helpers.population")) == sorted({*imported} - {"hpt_helpers"})


@pytest.mark.parametrize("changed", [strategies, config, data, stack])
def test_another_source_of_what_it_imports_is_another_module(changed, monkeypatch, tmp_path):
    """Each is imported by the laboratory's races, some by way of others."""
    racing = importlib.import_module("hpt_helpers.classroom.lab.racing")
    before = fingerprint(racing.winners), fingerprint(racing)
    module = importlib.import_module("hpt_helpers.classroom.computing.fingerprint")
    copy, path = tmp_path / "copy.py", module._path
    copy.write_bytes(Path(changed.__file__).read_bytes() + b"\n")
    monkeypatch.setattr(
        module, "_path", lambda name: str(copy) if name == changed.__name__ else path(name)
    )
    assert not {fingerprint(racing.winners), fingerprint(racing)} & {*before}


def test_a_file_of_ones_own_counts_by_its_source_and_a_library_by_its_version(
    monkeypatch, tmp_path
):
    (tmp_path / "hpt_made.py").write_text("def f(x): return x\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    made = importlib.import_module("hpt_made")
    found = {fingerprint(made.f)}
    (tmp_path / "hpt_made.py").write_text("def f(x): return x + 1\n", encoding="utf-8")
    found.add(fingerprint(made.f))
    assert len(found) == 2
    # of the same length, so that only its time tells that the file is another one
    (tmp_path / "hpt_made.py").write_text("def f(x): return x + 2\n", encoding="utf-8")
    written = (tmp_path / "hpt_made.py").stat().st_mtime_ns
    os.utime(tmp_path / "hpt_made.py", ns=(written, written + 1_000_000))
    found.add(fingerprint(made.f))
    assert len(found) == 3
    monkeypatch.delitem(sys.modules, "hpt_made")
    before = fingerprint(np.linspace)
    monkeypatch.setattr(np, "__version__", "99")
    assert fingerprint(np.linspace) != before
