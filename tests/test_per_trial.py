"""`per_trial`: what it refuses, and with a function that continues from checkpoints.

In several processes: tests/test_workers.py.
"""

import pytest

from hpt_helpers.config import config_key
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search, successive_halving
from hpt_helpers.trials import incumbent

TEN = [{"x": i} for i in range(10)]


def function(config, n_epochs):
    return config["x"] + n_epochs / 100


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_number_of_processes_is_refused_with_the_remedy(n_jobs):
    with pytest.raises(TypeError, match=rf"n_jobs is {n_jobs}; .* run\(…, n_workers={n_jobs}\)"):
        per_trial(function, n_jobs=n_jobs)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"function": 5}, "function is 5; a callable of"),
        ({"function": None}, "function is None; a callable of"),
        (
            {"function": function, "identity": "config_key"},
            "identity is 'config_key'; None or a callable",
        ),
    ],
)
def test_what_cannot_be_called_is_refused(options, says):
    with pytest.raises(TypeError, match=says):
        per_trial(**options)


def test_a_function_with_checkpoints_of_its_own_is_charged_each_epoch_once():
    """R = 9, η = 3: 9 configurations for 1 epoch, 3 for 3, 1 for 9: 9 + 3 · 2 + 6 epochs."""
    checkpoints, trained = {}, []

    def continues(config, n_epochs):
        done = checkpoints.get(config_key(config), 0)
        trained.append(n_epochs - done)
        checkpoints[config_key(config)] = n_epochs
        return config["x"]

    nine = [{"x": i} for i in range(9)]
    rungs = [(9, 1), (3, 3), (1, 9)]
    going_on = per_trial(continues, identity=config_key)
    trials = run(successive_halving(nine, rungs), going_on)
    assert trials["charged_epochs"].tolist() == trained and sum(trained) == 21
    anew = run(successive_halving(nine, rungs), per_trial(function))
    assert anew["charged_epochs"].sum() == 9 + 9 + 9


def test_a_score_is_maximised_and_recorded_as_minus_itself():
    trials = run(grid_search(TEN, 1), per_trial(lambda config, n: config["x"], maximize=True))
    assert incumbent(trials) == 9 and trials["val_loss"].tolist() == [-i for i in range(10)]


def test_a_log_of_scores_is_no_log_of_losses(tmp_path):
    def score(config, n_epochs):
        return config["x"]

    log = tmp_path / "log"
    run(grid_search(TEN[:3], 1), per_trial(score, maximize=True), log=log, name="m")
    with pytest.raises(ValueError, match="its maximize is True, here it is None"):
        run(grid_search(TEN, 1), per_trial(score), log=log, name="m")
    assert len(run(grid_search(TEN, 1), per_trial(score, maximize=True), log=log, name="m")) == 10


@pytest.mark.parametrize("function", [lambda config: 0.5, lambda: 0.5, lambda a, b, c: 0.5])
def test_a_function_of_another_signature_is_refused_at_once(function):
    with pytest.raises(TypeError, match=r"one of \(config, n_epochs\) is needed"):
        per_trial(function)


def test_a_training_cannot_go_back_and_says_so():
    """As where a second search is given the objective that kept the first one's trainings."""
    kept = per_trial(lambda config, n_epochs: 1 / n_epochs, identity=config_key)
    run(grid_search(TEN[:2], 9), kept)
    again = run(grid_search(TEN[:3], 3), kept)
    assert again["status"].tolist() == ["failed", "failed", "ok"]
    assert "asked for epoch 3 of a training that is at 9; give each search" in again["reason"][0]
    assert again["charged_epochs"].tolist() == [0, 0, 3]
