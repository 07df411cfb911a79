"""The glossary has each word once, in its place, and the names that it gives to four libraries are
theirs.
"""

import inspect
import re
from pathlib import Path

import optuna
import pytest
import skopt
from sklearn import model_selection
from sklearn.experimental import enable_halving_search_cv  # noqa: F401

GLOSSARY = (Path(__file__).resolve().parents[1] / "docs" / "glossary.md").read_text(
    encoding="utf-8"
)
TERMS = re.findall(r"^### (.+)$", GLOSSARY, re.M)


def test_every_term_has_one_entry_of_one_to_four_lines():
    entries = re.findall(r"^### (.+)\n\n((?:.+\n)+)\n", GLOSSARY, re.M)
    assert [term for term, _ in entries] == TERMS and len(TERMS) > 40
    assert len({term.lower() for term in TERMS}) == len(TERMS)
    assert all(text.count("\n") <= 4 for _, text in entries)


def test_the_fields_terms_are_there():
    wanted = (
        "search space, configuration, trial, resource, rung, bracket, budget, incumbent, surrogate"
    )
    assert set(wanted.split(", ")) - set(", ".join(TERMS).lower().split(", ")) == set()


def table():
    """Return the last table: a list of names in code for each library and thing."""
    lines = [line for line in GLOSSARY.splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {
        (library, row[0]): re.findall(r"`(\w+)`", cell)
        for row in rows
        for library, cell in zip(head, row, strict=True)
    }


def words_of(*things):
    """Return all names of arguments, attributes and documented fields of these classes, functions
    and modules.
    """
    found = set()
    for thing in things:
        found |= set(dir(thing)) | set(re.findall(r"\w+", inspect.getdoc(thing) or ""))
        for part in [
            thing,
            *(getattr(thing, name) for name in dir(thing) if not name.startswith("_")),
        ]:
            if callable(part):
                try:
                    found |= set(inspect.signature(part).parameters)
                except (ValueError, TypeError):
                    continue
    return found


def ray_words():
    from ray import tune
    from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler
    from ray.tune.search import Searcher

    things = (
        tune.Tuner,
        tune.TuneConfig,
        tune.ResultGrid,
        tune.Result,
        ASHAScheduler,
        HyperBandScheduler,
        Searcher,
    )
    return words_of(*things)


LIBRARIES = {
    "scikit-learn": lambda: words_of(
        model_selection.GridSearchCV,
        model_selection.RandomizedSearchCV,
        model_selection.HalvingRandomSearchCV,
    ),
    "scikit-optimize": lambda: words_of(skopt.gp_minimize, skopt.Optimizer),
    "Ray Tune": ray_words,
    "Optuna": lambda: words_of(
        optuna.create_study,
        optuna.Study,
        optuna.Trial,
        optuna.trial.FrozenTrial,
        optuna.samplers.TPESampler,
        optuna.pruners.HyperbandPruner,
    ),
}


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_names_are_the_librarys_own(library):
    names = {name for (column, _), some in table().items() if column == library for name in some}
    known = LIBRARIES[library]()
    assert len(names) > 8 and names - known == set()
    assert "no_such_name" not in known
