"""To Optuna and back: what it says of a study is what is in the table."""

import math

import optuna
import pytest

from hpt_helpers import (
    Choice,
    Integer,
    Real,
    SearchSpace,
    config_of,
    incumbent,
    per_trial,
    random_search,
    run,
    successive_halving,
)
from hpt_helpers.optuna_bridge import from_optuna, to_optuna

SPACE = SearchSpace(
    {
        "rate": Real(1e-3, 1, log=True),
        "units": Integer(1, 100, log=True),
        "depth": Integer(1, 4),
        "kind": Choice(["a", "b"]),
    }
)


def loss(config, n_epochs):
    if config["depth"] == 4:
        raise RuntimeError("too deep")
    return math.log10(config["rate"] / 0.03) ** 2 + config["units"] / 100 / n_epochs


@pytest.fixture(autouse=True)
def quiet():
    optuna.logging.set_verbosity(optuna.logging.ERROR)


@pytest.fixture
def trials():
    return run(random_search(SPACE, 20, 3, seed=1), per_trial(loss))


def test_a_study_has_the_trials_and_optuna_goes_on_from_them(trials):
    study = to_optuna(trials, SPACE, sampler=optuna.samplers.TPESampler(seed=0))
    assert len(study.trials) == 20
    best = incumbent(trials)
    assert study.best_params == config_of(trials, best)
    assert study.best_value == trials["val_loss"][best]
    failed = [t for t in study.trials if t.state == optuna.trial.TrialState.FAIL]
    assert len(failed) == (trials["status"] == "failed").sum() > 0

    def suggested(trial):
        config = {
            "rate": trial.suggest_float("rate", 1e-3, 1, log=True),
            "units": trial.suggest_int("units", 1, 100, log=True),
            "depth": trial.suggest_int("depth", 1, 4),
            "kind": trial.suggest_categorical("kind", ["a", "b"]),
        }
        assert config in SPACE
        return loss(config | {"depth": 1}, 3)

    study.optimize(suggested, n_trials=5)
    assert len(study.trials) == 25
    assert len(optuna.importance.get_param_importances(study)) == 4


def test_there_and_back_is_the_same_table(trials):
    back = from_optuna(to_optuna(trials, SPACE))
    assert back["config"].tolist() == trials["config"].tolist()
    for column in ("n_epochs", "val_loss", "status", "units"):
        assert back[column].dropna().tolist() == trials[column].dropna().tolist()


def test_short_trials_are_left_out_and_counted():
    configs = SPACE.sample(6, seed=1)
    trials = run(successive_halving(configs, [(6, 1), (2, 3)]), per_trial(lambda c, n: c["rate"]))
    with pytest.warns(UserWarning, match="6 of 8 trials are shorter than the longest"):
        study = to_optuna(trials, SPACE)
    assert [t.user_attrs["n_epochs"] for t in study.trials] == [3, 3]


def test_what_does_not_fit_is_refused(trials):
    narrow = SearchSpace({**SPACE, "rate": Real(0.1, 1)})
    with pytest.raises(ValueError, match=r"trial \d+ has .*, which is not in"):
        to_optuna(trials, narrow)
    with pytest.raises(ValueError, match="study has 2 objectives"):
        from_optuna(optuna.create_study(directions=["minimize", "maximize"]))


def test_a_study_that_maximises_and_prunes_becomes_losses():
    def score(trial):
        x = trial.suggest_float("x", 0, 1)
        if trial.number == 2:
            raise optuna.TrialPruned
        return x

    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0))
    study.optimize(score, n_trials=5)
    with pytest.warns(UserWarning, match="1 of 5 trials were pruned or have not ended"):
        trials = from_optuna(study, n_epochs=7)
    assert config_of(trials, incumbent(trials)) == study.best_params
    assert trials["n_epochs"].tolist() == [7] * 4
