"""To Optuna and back: a search's trials as a study, and a study's trials as a table.

Optuna is imported where it is used: `pip install optuna`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from hpt_helpers.arguments import as_count
from hpt_helpers.config import as_plain
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace, as_space
from hpt_helpers.trials import trial_record, trial_table
from hpt_helpers.warn import warn_caller

if TYPE_CHECKING:
    import pandas as pd


def distributions_of(space: SearchSpace) -> dict:
    """Return the space's parameters as Optuna's distributions, by name.

    `trial.suggest_float(name, low, high, log=…)`, `suggest_int` and `suggest_categorical` with the
    same bounds and values agree with them.
    """
    from optuna import distributions

    def translate(parameter: Any):
        if isinstance(parameter, Choice):
            return distributions.CategoricalDistribution(parameter.values)
        if isinstance(parameter, Integer):
            return distributions.IntDistribution(parameter.low, parameter.high, log=parameter.log)
        assert isinstance(parameter, Real)  # there are three kinds
        low, high = float(parameter.low), float(parameter.high)
        return distributions.FloatDistribution(low, high, log=parameter.log)

    return {name: translate(parameter) for name, parameter in as_space(space).items()}


def to_optuna(trials: pd.DataFrame, space: SearchSpace, **options) -> Any:
    """Return an `optuna.Study` that has a search's trials, and goes on from there.

    trials: a trial table. space: what it was searched in; what is suggested later must have the
        same names, bounds and values. options: those of `optuna.create_study`, such as study_name,
        storage and sampler.
    Only trials of the most epochs are taken, since Optuna would compare a short trial's loss with a
    full one's; the others are counted in a warning. Failed trials are failed ones there. Each has
    n_epochs and its number here as user attributes. Optuna minimises the losses.
    Raises ValueError for a configuration outside the space.
    """
    import optuna

    space = as_space(space)
    settings: dict[str, Any] = {"direction": "minimize", **options}
    study = optuna.create_study(**settings)
    full = trials.loc[trials["n_epochs"] == trials["n_epochs"].max()]
    if len(full) < len(trials):
        warn_caller(
            f"{len(trials) - len(full)} of {len(trials)} trials are shorter than the longest and "
            "are left out"
        )
    distributions = distributions_of(space)
    states = optuna.trial.TrialState
    for number, row in full.iterrows():
        config = row["config"]
        if config not in space:
            raise ValueError(f"trial {number} has {config!r}, which is not in {space!r}")
        ok = row["status"] == "ok"
        study.add_trial(
            optuna.trial.create_trial(
                params={name: config[name] for name in space},
                distributions=distributions,
                value=float(row["val_loss"]) if ok else None,
                state=states.COMPLETE if ok else states.FAIL,
                user_attrs={"trial": number, "n_epochs": int(row["n_epochs"])},
            )
        )
    return study


def from_optuna(study: Any, n_epochs: int = 1) -> pd.DataFrame:
    """Return the trials of an Optuna study as a trial table.

    n_epochs: those of a trial that has no user attribute n_epochs, as those of `to_optuna` have.
    Of a study that maximises, val_loss is minus the value. Complete trials and failed ones are
    taken, in their order; those that were pruned or still run are counted in a warning, since their
    last value is that of another epoch. Raises ValueError for a study of several objectives.
    """
    import optuna

    n_epochs = as_count("n_epochs", n_epochs)
    if len(study.directions) > 1:
        raise ValueError(f"study has {len(study.directions)} objectives; one is needed")
    sign = -1 if study.direction == optuna.study.StudyDirection.MAXIMIZE else 1
    states = optuna.trial.TrialState
    ended = [t for t in study.trials if t.state in (states.COMPLETE, states.FAIL)]
    if len(ended) < len(study.trials):
        warn_caller(
            f"{len(study.trials) - len(ended)} of {len(study.trials)} trials were pruned or have "
            "not ended and are left out"
        )
    return trial_table(_record(trial, sign, n_epochs) for trial in ended)


def _record(trial: Any, sign: int, n_epochs: int) -> dict:
    return trial_record(
        as_plain(trial.params),
        n_epochs=trial.user_attrs.get("n_epochs", n_epochs),
        val_loss=math.nan if trial.value is None else sign * trial.value,
        reason="" if trial.value is not None else "failed in Optuna",
        runtime_s=trial.duration.total_seconds() if trial.duration else math.nan,
    )
