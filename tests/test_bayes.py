"""The search by hand: it is what lesson 3 shows, and its parts are what scikit-learn and simulation
say.
"""

import ast
from pathlib import Path

import jupytext
import numpy as np
import pytest
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from hpt_helpers.classroom.lab import bayes
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.search_space import Real, SearchSpace

ROOT = Path(__file__).resolve().parents[1]
LESSON = ROOT / "notebooks" / "source" / "03_bayesian_optimization.py"
SQUARE = SearchSpace({"x": Real(0, 1), "y": Real(0, 1)})


def functions(code):
    """Return the functions that a code defines at its top, name to a dump without docstrings."""
    found = {node.name: node for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)}
    for node in found.values():
        if ast.get_docstring(node):
            del node.body[0]
    return {name: ast.dump(node) for name, node in found.items()}


def test_the_lesson_defines_every_function_of_the_module_in_the_same_words():
    cells = [cell.source for cell in jupytext.read(LESSON).cells if cell.cell_type == "code"]
    shown = {name: dump for cell in cells for name, dump in functions(cell).items()}
    module = functions(Path(bayes.__file__).read_text(encoding="utf-8"))
    assert len(module) == 5
    assert {name: shown.get(name) for name in module} == module


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.mark.parametrize(("scale", "noise"), [(0.3, 1e-5), (1.5, 1e-3)])
def test_mean_and_deviation_are_scikit_learns(rng, scale, noise):
    tried, losses, points = rng.random((9, 3)), 5 + rng.standard_normal(9), rng.random((40, 3))
    settings = {"alpha": noise, "optimizer": None, "normalize_y": True}
    library = GaussianProcessRegressor(Matern(scale, nu=2.5), **settings).fit(tried, losses)
    for ours, theirs in zip(
        bayes.surrogate(tried, losses, points, scale, noise),
        library.predict(points, return_std=True),
        strict=True,
    ):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)


def test_the_surrogate_passes_near_its_trials_and_knows_nothing_far_away(rng):
    tried, losses = rng.random((6, 2)), rng.random(6) * 50 + 100
    mean, std = bayes.surrogate(tried, losses, np.vstack([tried, [[40, 40]]]))
    assert np.abs(mean[:6] - losses).max() < 1.5 and std[:6].max() < 1.5
    assert mean[6] == pytest.approx(losses.mean()) and std[6] == pytest.approx(losses.std())


def test_equal_losses_are_no_division_by_zero():
    mean, std = bayes.surrogate(np.array([[0.1], [0.9]]), np.array([0.3, 0.3]), np.array([[0.5]]))
    assert mean == pytest.approx([0.3]) and 0 < std[0] <= 1


@pytest.mark.parametrize(("mean", "std"), [(0.3, 0.1), (0.4, 0.3), (0.1, 0.05)])
def test_expected_improvement_is_the_average_of_simulated_gains(rng, mean, std):
    gains = np.maximum(0.3 - rng.normal(mean, std, 1_000_000), 0)
    error = gains.std() / 1000
    assert bayes.expected_improvement(mean, std, 0.3) == pytest.approx(gains.mean(), abs=4 * error)


def test_what_was_tried_gains_nothing(rng):
    points = rng.random((30, 2))
    gain = bayes.gains(points, [4, 7], np.array([0.2, 0.5]))
    assert np.isneginf(gain[[4, 7]]).all() and (np.delete(gain, [4, 7]) > 0).all()


def far_from_the_corner(config, n_epochs):
    return 0.01 + (config["x"] - 0.9) ** 2 + (config["y"] - 0.8) ** 2


def test_the_search_starts_with_the_first_five_and_then_goes_to_the_lowest_point():
    table = run(bayes.search_by_hand(SQUARE, 3, 15, 1), per_trial(far_from_the_corner))
    configs = table["config"].tolist()
    assert configs[:5] == SQUARE.sample(5, seed=3)
    assert len({tuple(config.values()) for config in configs}) == 15
    assert table["val_loss"][5:].min() < 0.011 < table["val_loss"][:5].min()


def test_what_it_is_told_and_its_scale_are_its_arguments():
    seen = []

    def told(losses):
        seen.append(losses.copy())
        return -losses

    table = run(
        bayes.search_by_hand(SQUARE, 0, 7, 1, scale=0.1, told=told), per_trial(far_from_the_corner)
    )
    assert [len(losses) for losses in seen] == [5, 6]
    assert seen[1].tolist() == table["val_loss"][:6].tolist()
    candidates = SQUARE.sample(1000, seed=0)
    gain = bayes.gains(SQUARE.to_unit(candidates), [0, 1, 2, 3, 4], -seen[0], 0.1)
    assert table["config"][5] == candidates[gain.argmax()]


def test_a_failed_trial_in_the_middle_is_told_as_the_worst_and_the_search_still_learns():
    """With nan among its losses every gain is nan, and the search would try the pool in order."""

    def failing(config, n_epochs):
        tried.append(config)
        return np.nan if len(tried) == 7 else far_from_the_corner(config, n_epochs)

    tried = []
    table = run(bayes.search_by_hand(SQUARE, 3, 15, 1), per_trial(failing))
    assert table["val_loss"].isna().tolist() == [i == 6 for i in range(15)]
    candidates, configs = SQUARE.sample(1000, seed=3), table["config"].tolist()
    places = [candidates.index(config) for config in configs]
    assert places[7:] != sorted(places[7:]) and len(set(places)) == 15
    losses = table["val_loss"].to_numpy(copy=True)[:9]
    losses[6] = np.nanmax(losses)
    gain = bayes.gains(SQUARE.to_unit(candidates), places[:9], np.log(losses), 0.3)
    assert places[9] == gain.argmax()
    assert table["val_loss"][7:].min() < table["val_loss"][:5].min()
