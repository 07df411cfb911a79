"""The strategies: grid and random search by hand, Bayesian optimisation against scikit-optimize's own loop."""

import inspect
import math

import numpy as np
import pytest

from hpt_helpers import strategies
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import bayesian_search, grid_search, random_search

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64)})


def bowl(config, n_epochs=0):
    return (math.log10(config["lr"]) + 3) ** 2 + (config["batch_size"] - 40) ** 2 / 1000


# --- all of them ----------------------------------------------------------------------------------


def strategies_of_the_course():
    return [f for _, f in inspect.getmembers(strategies, inspect.isgeneratorfunction)]


def test_a_strategy_is_a_generator_of_at_most_25_lines():
    """Docstring and signature apart."""
    found = strategies_of_the_course()
    assert {grid_search, random_search, bayesian_search} <= set(found)
    for strategy in found:
        body = inspect.getsource(strategy).split('"""')[2].strip()
        assert len(body.splitlines()) <= 25, body


# --- grid and random ------------------------------------------------------------------------------


def test_grid_search_asks_once_for_everything():
    configs = [{"lr": 0.01, "batch_size": b} for b in (16, 32)]
    strategy = grid_search(configs, 7)
    assert next(strategy) == [(configs[0], 7), (configs[1], 7)]
    with pytest.raises(StopIteration):
        strategy.send(np.zeros(2))


def test_grid_search_takes_any_iterable_and_the_epochs_of_each():
    asked = next(grid_search({"lr": 0.01, "batch_size": 16, "epochs": e} for e in (50, 100)))
    assert [n_epochs for _, n_epochs in asked] == [config["epochs"] for config, _ in asked] == [50, 100]


def test_random_search_asks_for_what_the_space_samples():
    assert next(random_search(SPACE, 6, 3, seed=5)) == [(config, 3) for config in SPACE.sample(6, seed=5)]


def test_random_search_draws_the_epochs_too():
    space = SearchSpace({"lr": Real(0.01, 0.1), "epochs": Choice([2, 4])})
    asked = next(random_search(space, 20, seed=0))
    assert all(config["epochs"] == n_epochs for config, n_epochs in asked)
    assert {n_epochs for _, n_epochs in asked} == {2, 4}


# --- Bayesian optimisation ------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"acq_func": "EI", "acq_optimizer": "sampling", "n_initial_points": 3}])
def test_bayesian_search_gives_the_trials_of_gp_minimize(options):
    from skopt import gp_minimize

    n_calls = options.get("n_initial_points", 10) + 2
    trials = run(bayesian_search(SPACE, n_calls, 9, seed=3, **options), per_trial(bowl))
    result = gp_minimize(
        lambda x: bowl(dict(zip(SPACE, x, strict=True))), SPACE.to_skopt(), n_calls=n_calls, random_state=3, **options
    )
    assert trials[["lr", "batch_size"]].to_numpy().tolist() == [[float(v) for v in x] for x in result.x_iters]
    np.testing.assert_array_equal(trials["val_loss"], result.func_vals)
    assert trials["n_epochs"].tolist() == [9] * n_calls


def test_bayesian_search_asks_for_plain_values_of_the_space_one_at_a_time():
    strategy = bayesian_search(SPACE, 3, 9, seed=0)
    asked = next(strategy)
    for _ in range(2):
        ((config, n_epochs),) = asked
        assert config in SPACE and n_epochs == 9
        assert [type(v) for v in config.values()] == [float, int]
        asked = strategy.send(np.array([bowl(config)]))


class Told:
    """Stands for scikit-optimize's Optimizer; records what it is told."""

    def __init__(self, *args, **kwargs):
        self.Xi, self.yi = [], []
        Told.last = self

    def ask(self):
        return [0.001, 16 + len(self.yi)]

    def tell(self, point, loss):
        assert math.isfinite(loss) and type(loss) is float
        self.Xi.append(point)
        self.yi.append(loss)


def test_a_failed_trial_is_told_as_the_worst_so_far(monkeypatch):
    import skopt

    monkeypatch.setattr(skopt, "Optimizer", Told)
    answers = iter([math.nan, 0.5, 0.7, math.nan, 0.9, math.inf])
    trials = run(bayesian_search(SPACE, 6, 9, seed=0), per_trial(lambda config, n_epochs: next(answers)))
    assert trials["status"].tolist() == ["failed", "ok", "ok", "failed", "ok", "failed"]
    assert Told.last.yi == [0.5, 0.7, 0.7, 0.9, 0.9]  # the first is not told: nothing was known


def test_bayesian_search_goes_on_when_its_first_trials_fail():
    """With the real optimiser, which must not ask for the same point for ever."""
    losses = iter([math.nan, math.nan])
    trials = run(
        bayesian_search(SPACE, 6, 9, seed=1, n_initial_points=3), per_trial(lambda c, n: next(losses, bowl(c)))
    )
    assert len(trials) == 6 and trials["lr"].nunique() == 6
