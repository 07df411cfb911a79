"""Other ways to learn from trials that are cut, or after random ones, which docs/testbed.md races.

They are measured beside `mobster` and are no part of the package. All draw from a table's pool.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

from hpt_helpers.classroom.lab import bayes
from hpt_helpers.classroom.lab.searches import WIDE
from hpt_helpers.protocol import Ask, Strategy
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule
from hpt_helpers.strategies.asynchronous import (
    N_RANDOM,
    RUNG_WEIGHT,
    AshaState,
    Job,
    mobster,
    next_trial,
    relative_losses,
    rung_epochs,
    tell,
)
from hpt_helpers.strategies.gaussian_process import GaussianProcess, expected_improvement

N_CANDIDATES = 1000

Gains = Callable[[np.ndarray, list[int], AshaState], np.ndarray]


def by_highest_rung(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Cut as ASHA does, and learn from one rung only, as BOHB does (Falkner et al. 2018).

    It is the highest one with five results.
    """
    state = _state(space, repeat, n_epochs, _gains_of_highest)
    while job := next_trial(state):
        yield from _run(state, job)


def by_brackets(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Cut by Hyperband's brackets, one after the other, and learn from all rungs as MOBSTER does.

    The five configurations at the start are random, as MOBSTER's are.
    """
    state = _state(space, repeat, n_epochs, _gains_of_all)
    for bracket in cycle(hyperband_schedule(n_epochs)):
        rung = state.rungs.index(bracket[0][1])
        numbers = range(len(state.configs), len(state.configs) + bracket[0][0])
        for number in numbers:
            state.configs.append(state.new_config(state))
            yield from _start(state, Job(number, rung))
        for n_kept, _ in bracket[1:]:
            best = [number for _, number in state.reached[rung] if number in numbers]
            numbers, rung = best[:n_kept], rung + 1
            for number in numbers:
                yield from _start(state, Job(number, rung))


def at_once(space: SearchSpace, repeat: int, n_trials: int, n_epochs: int) -> Strategy:
    """Learn from full trainings, after five random ones."""
    return mobster(space, n_epochs, seed=repeat, min_epochs=n_epochs)


def after_random(
    n_random: int, space: SearchSpace, repeat: int, n_trials: int, n_epochs: int
) -> Strategy:
    """Make so many random trials, and then learn from these and from what follows."""
    configs = space.sample(n_random, seed=repeat)
    losses = yield [(config, n_epochs) for config in configs]
    told = list(zip(configs, losses.tolist(), strict=True))
    yield from mobster(space, n_epochs, seed=repeat, min_epochs=n_epochs, told=told)


def _start(state: AshaState, job: Job) -> Strategy:
    state.running.append(job)
    yield from _run(state, job)


def _run(state: AshaState, job: Job) -> Strategy:
    [told] = yield Ask([(state.configs[job.number], state.rungs[job.rung])])
    tell(state, job, told)


def _state(space: SearchSpace, repeat: int, n_epochs: int, gains: Gains) -> AshaState:
    """Return what such a search knows, which starts the candidate that gains most.

    gains: (points of all candidates, positions of those that were started, state) -> how much each
    candidate promises.
    """
    candidates = space.sample(N_CANDIDATES, seed=repeat)
    points, started = space.to_unit(candidates), []

    def new_config(state: AshaState) -> dict:
        if len(started) < N_RANDOM:
            started.append(len(started))
        else:
            gain = gains(points, started, state)
            gain[started] = -np.inf
            started.append(int(gain.argmax()))
        return candidates[started[-1]]

    return AshaState(rung_epochs(n_epochs), 3, new_config)


def _gains_of_highest(points: np.ndarray, started: list[int], state: AshaState) -> np.ndarray:
    """Return what the candidates promise by the highest rung that has five results."""
    enough = [reached for reached in state.reached if len(reached) >= N_RANDOM]
    losses, numbers = zip(*enough[-1], strict=True)
    losses = np.array(losses)
    known = np.fmin(losses, losses[np.isfinite(losses)].max())  # a failed trial is the worst
    return bayes.gains(points, [started[number] for number in numbers], np.log(known), WIDE)


def _gains_of_all(points: np.ndarray, started: list[int], state: AshaState) -> np.ndarray:
    """Return what the candidates promise at the last rung, by the results of all rungs."""
    jobs, losses = zip(*state.results.items(), strict=True)
    rungs = np.array([job.rung for job in jobs])
    values = relative_losses(np.array(losses), rungs)
    seen = np.column_stack([points[[started[job.number] for job in jobs]], RUNG_WEIGHT * rungs])
    last = np.full(len(points), RUNG_WEIGHT * (len(state.rungs) - 1))
    process = GaussianProcess(scale=WIDE).with_points(seen)
    mean, std = process.guess(values, np.column_stack([points, last]))
    return expected_improvement(mean, std, values[rungs == rungs.max()].min())
