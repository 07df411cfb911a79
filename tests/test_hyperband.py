"""Hyperband's brackets against published tables, and its searches against a rule applied to whole curves."""

import math

import numpy as np
import pytest

from hpt_helpers.landscape import Landscape
from hpt_helpers.search import run
from hpt_helpers.search_space import Real, SearchSpace
from hpt_helpers.strategies import brackets, hyperband, successive_halving

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True)})

# (trials, epochs) of every rung: the ceiling formula of algorithm 1 in Li et al. (2018), worked out by hand.
RUNGS = {
    9: [[(9, 1), (3, 3), (1, 9)], [(5, 3), (1, 9)], [(3, 9)]],
    27: [[(27, 1), (9, 3), (3, 9), (1, 27)], [(12, 3), (4, 9), (1, 27)], [(6, 9), (2, 27)], [(4, 27)]],
    81: [
        [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
        [(34, 3), (11, 9), (3, 27), (1, 81)],
        [(15, 9), (5, 27), (1, 81)],
        [(8, 27), (2, 81)],
        [(5, 81)],
    ],
}


class Curves:
    """An objective with a random loss for each configuration and epoch."""

    def __init__(self, n_failing=0):
        self.rng, self.known, self.n_failing = np.random.default_rng(0), {}, n_failing

    def identity(self, config):
        return config["lr"]

    def __call__(self, requests):
        for config, n_epochs, *_ in requests:
            fails = len(self.known) < self.n_failing
            curve = self.known.setdefault(config["lr"], np.full(81, math.nan) if fails else self.rng.random(81))
            yield float(curve[n_epochs - 1])


def asked(strategy):
    """Answer a strategy with random losses; return the (trials, epochs) of everything it asks for."""
    rng, found, losses = np.random.default_rng(0), [], None
    while True:
        try:
            batch = strategy.send(losses)
        except StopIteration:
            return found
        losses = rng.random(len(batch))
        [n_epochs] = {n_epochs for _, n_epochs in batch}
        found.append((len(batch), n_epochs))


@pytest.mark.parametrize("max_epochs", RUNGS)
def test_the_rungs_are_those_of_the_algorithm(max_epochs):
    assert asked(hyperband(SPACE, max_epochs, seed=0)) == [rung for bracket in RUNGS[max_epochs] for rung in bracket]
    assert brackets(max_epochs) == [bracket[0] for bracket in RUNGS[max_epochs]]


@pytest.mark.parametrize(
    ("max_epochs", "n_trials", "going_on", "restarting"), [(9, 17, 69, 78), (27, 49, 357, 423), (81, 143, 1581, 1902)]
)
def test_trials_and_epochs_in_total(max_epochs, n_trials, going_on, restarting):
    trials = run(hyperband(SPACE, max_epochs, seed=0), Curves())
    assert trials["lr"].nunique() == n_trials
    assert trials["charged_epochs"].sum() == going_on
    assert trials["n_epochs"].sum() == restarting


def test_brackets_are_counted_with_integers():
    assert int(math.log(243) / math.log(3)) == 4  # why
    assert [n_epochs for _, n_epochs in brackets(243)] == [1, 3, 9, 27, 81, 243]
    assert brackets(80) == [(27, 2), (12, 8), (6, 26), (4, 80)] and brackets(2) == [(1, 2)]
    assert brackets(16, eta=4) == [(16, 1), (6, 4), (3, 16)]


def test_a_cut_keeps_the_best_and_forgets_the_others():
    strategy = successive_halving([{"lr": lr} for lr in (1, 2, 3, 4, 5, 6, 7)], 2, 18)
    assert next(strategy) == [({"lr": lr}, 2) for lr in (1, 2, 3, 4, 5, 6, 7)]
    assert strategy.send(np.array([0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8])) == [({"lr": 2}, 6), ({"lr": 6}, 6)]
    with pytest.raises(StopIteration):  # 2 // 3 are left
        strategy.send(np.array([0.1, 0.2]))


def test_failed_trials_are_cut_first_and_may_fill_a_rung():
    trials = run(hyperband(SPACE, 9, seed=0), Curves(n_failing=7))
    first, second = trials[trials["n_epochs"] == 1], trials[trials["n_epochs"] == 3][:3]
    assert (first["status"] == "failed").sum() == 7
    assert (second["status"] == "ok").sum() == 2 and second["status"].iloc[-1] == "failed"


def test_the_survivors_are_those_that_ranking_whole_curves_gives():
    configs = SPACE.sample(49, seed=3)
    losses = np.random.default_rng(1).random((49, 1, 27))
    full = [c | {"hidden_size": 16} for c in configs]
    trials = run(hyperband(SPACE, 27, seed=3), Landscape(full, [0], losses, losses))
    alive = list(range(27))
    for epoch in (1, 3, 9):
        alive = sorted(alive, key=lambda i: losses[i, 0, epoch - 1])[: len(alive) // 3]
    [winner] = alive
    assert trials["lr"].iloc[27 + 9 + 3] == configs[winner]["lr"]


def test_the_configurations_are_the_spaces_sample_in_its_order():
    trials = run(hyperband(SPACE, 9, seed=4), Curves())
    drawn = list(dict.fromkeys(trials["lr"]))
    assert drawn == [config["lr"] for config in SPACE.sample(17, seed=4)]
