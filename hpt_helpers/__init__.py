"""Hyperparameter searches that a reader can follow: search spaces, strategies, a record of trials.

What people take home, in the order in which the modules build on each other:

- `config`, `progress`, `warn`: what a configuration is; what a search says while it runs.
- `search_space`: one definition of a search space for scikit-learn, scikit-optimize and Ray.
- `trials`: the record of a search as a table and a log. The one rule for which trial is the best
  stands here: `best` and `ranking`, to which losses that differ by at most `SAME` are equal.
- `protocol`, `search`: what strategies and objectives say to each other; `run` and `run_many`.
- `strategies`: grid and random search, Hyperband, ASHA, Bayesian optimisation, and MOBSTER, which
  cuts and learns.
- `objectives`: `per_trial` for a function of your own.
- `threads`, `data`, `model`, `training`, `stack`, `population`: the course's data and networks.
- `training_objective`: the training of these networks, as an objective.
- `on_ray`: searches on Ray, the only folder that needs the extra `ray`.

`classroom` is what only the lessons need, in rooms: `exercises`, `computing` (a cache and
processes), `lab` (such as `lab.trainer` and `lab.racing`), `tables` of trainings, `drawing`, and a
folder for each lesson.

`docs/package.md` says what each module is. The names below are those of everyday use, and can be
imported from here. Each is loaded from its module when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hpt_helpers.config import config_key as config_key
    from hpt_helpers.data import load_splits as load_splits
    from hpt_helpers.objectives import per_trial as per_trial
    from hpt_helpers.population import fit_many as fit_many
    from hpt_helpers.search import Ask as Ask
    from hpt_helpers.search import Outcome as Outcome
    from hpt_helpers.search import Told as Told
    from hpt_helpers.search import run as run
    from hpt_helpers.search import run_many as run_many
    from hpt_helpers.search_space import Choice as Choice
    from hpt_helpers.search_space import Integer as Integer
    from hpt_helpers.search_space import Real as Real
    from hpt_helpers.search_space import SearchSpace as SearchSpace
    from hpt_helpers.strategies import asha as asha
    from hpt_helpers.strategies import bayesian_search as bayesian_search
    from hpt_helpers.strategies import grid_search as grid_search
    from hpt_helpers.strategies import hyperband as hyperband
    from hpt_helpers.strategies import hyperband_schedule as hyperband_schedule
    from hpt_helpers.strategies import mobster as mobster
    from hpt_helpers.strategies import random_search as random_search
    from hpt_helpers.strategies import successive_halving as successive_halving
    from hpt_helpers.training import fit as fit
    from hpt_helpers.training_objective import TrainingObjective as TrainingObjective
    from hpt_helpers.trials import best as best
    from hpt_helpers.trials import config_of as config_of
    from hpt_helpers.trials import for_export as for_export
    from hpt_helpers.trials import incumbent as incumbent
    from hpt_helpers.trials import read_log as read_log
    from hpt_helpers.trials import ties as ties
    from hpt_helpers.trials import trial_table as trial_table

__version__: str  # of the installed distribution, looked up when it is first asked for

_MODULE_OF = {
    "config_key": "config",
    "load_splits": "data",
    "per_trial": "objectives",
    "fit_many": "population",
    "Ask": "search",
    "Outcome": "search",
    "Told": "search",
    "run": "search",
    "run_many": "search",
    "Choice": "search_space",
    "Integer": "search_space",
    "Real": "search_space",
    "SearchSpace": "search_space",
    "asha": "strategies",
    "bayesian_search": "strategies",
    "grid_search": "strategies",
    "hyperband": "strategies",
    "hyperband_schedule": "strategies",
    "mobster": "strategies",
    "random_search": "strategies",
    "successive_halving": "strategies",
    "fit": "training",
    "TrainingObjective": "training_objective",
    "best": "trials",
    "config_of": "trials",
    "for_export": "trials",
    "incumbent": "trials",
    "read_log": "trials",
    "ties": "trials",
    "trial_table": "trials",
}

__all__ = [*_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll] — the names above


def __getattr__(name: str):
    if name == "__version__":
        return _version()
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def _version() -> str:
    from importlib import metadata

    try:
        return metadata.version("hpt-helpers")
    except metadata.PackageNotFoundError as error:
        raise AttributeError("hpt_helpers has no __version__, for it is not installed") from error


def __dir__() -> list[str]:
    ours = {name for name in globals() if name not in ("TYPE_CHECKING", "import_module")}
    return sorted({*ours, *_MODULE_OF, "__version__"})
