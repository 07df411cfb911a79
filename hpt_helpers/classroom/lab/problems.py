"""Problems: what searches are raced on.

A **repeat** r is draw r of the rows and training seed r; the sealed test rows stay. Every repeat
has **judges of its own**: draws and seeds that chose nothing, and that judge nothing else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np

from hpt_helpers.arguments import as_count
from hpt_helpers.classroom.lab.trainer import (
    Data,
    Job,
    Training,
    as_data,
    ensure_trained,
    known_curves,
    own_draws,
    rows_of,
    train,
)
from hpt_helpers.config import key_of_checked, network_config, training_key
from hpt_helpers.search import Objective, Outcome, Request
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.training import failure_reason


class Chosen(NamedTuple):
    """A configuration that a search chose, the epoch at which it did, and the search's repeat."""

    config: Mapping
    n_epochs: int
    repeat: int


class Measure(Protocol):
    """A problem's function that says what a search's choices are worth."""

    def __call__(
        self, choices: Sequence[Chosen], purpose: str, n: int, progress: bool, /
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the losses and the accuracies of the choices, each of shape (n_choices, n).

        Of shape (n_choices, 1) where only the means over the n are known. purpose: one of
        `trainer.PURPOSES`. n: how many measurements of each. progress: show a bar.
        """
        ...


@dataclass(frozen=True)
class Problem:
    """What searches are raced on.

    space: repeat -> search space. n_epochs: those of a full training, 1 where there are none.
    objective: as `hpt_helpers.search` has it; the seed of a request is the repeat of its search.
    measure: says what the searches' choices are worth, on `own_draws` of each one's repeat or on
        whatever else no search sees.
    n_draws: of how many draws a loss is the mean, so many times does a trial cost its epochs.
    n_judges: how many judges each repeat has, for whom its winners are measured.
    grids: axes -> the configurations of a grid over these hyperparameters, which a search may try.

    All fields have a `fingerprint`, and go to another process: give functions of a module or of a
    notebook, or `functools.partial` of these.
    """

    name: str
    space: Callable[[int], SearchSpace]
    objective: Objective
    measure: Measure
    n_epochs: int = 1
    n_draws: int = 1
    n_judges: int = 10
    grids: Mapping[tuple[str, ...], Sequence[Mapping]] = field(default_factory=dict)


class PoolSpace(SearchSpace):
    """A search space whose samples are configurations of one repeat's pool, so that all are there.

    Under the repeat's own seed the sample is that of the whole space; under another, the pool's
    configurations in another order. Drawn without replacement.
    """

    def __init__(self, space: SearchSpace, configs: Sequence[Mapping], repeat: int):
        super().__init__(space)
        self.configs = list(configs)
        self.repeat = repeat

    def sample(self, n: int, *, seed: int) -> list[dict]:
        """Return the first n configurations in this seed's order; ValueError for more than all."""
        n = as_count("n", n, most=len(self.configs))
        order = np.arange(len(self.configs))
        if as_count("seed", seed, least=0) != self.repeat:
            order = np.random.default_rng(seed).permutation(order)
        return [dict(self.configs[i]) for i in order[:n]]


def network_problem(
    data: Data | str, space: SearchSpace, n_epochs: int, *, n_draws: int = 1, n_judges: int = 10
) -> Problem:
    """Return the problem of tuning the course's network on this data.

    n_draws: 1 judges a trial by its repeat's draw and seed; with more, its loss is the mean over
    that and others that only this repeat has. n_judges: of each repeat.
    """
    data = as_data(data)
    return Problem(
        data.name,
        partial(_space_of_all, space),
        Trainings(data, n_draws),
        partial(_measure_network, data),
        n_epochs,
        n_draws,
        n_judges,
    )


def _space_of_all(space: SearchSpace, repeat: int) -> SearchSpace:
    return space


def _measure_network(data: Data, choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    jobs = [
        Job(data, choice.config, draw, draw, choice.n_epochs)
        for choice in choices
        for draw in own_draws(choice.repeat, purpose, n)
    ]
    curves = train(jobs, progress=progress)
    at = np.arange(len(jobs)), [job.n_epochs - 1 for job in jobs]
    return curves.val_loss[at].reshape(-1, n), curves.val_accuracy[at].reshape(-1, n)


@dataclass(frozen=True)
class Trainings:
    """An objective that trains the course's network; a request's seed is its repeat.

    A configuration that cannot be trained is refused: a failed trial that costs nothing.
    """

    data: Data
    n_draws: int = 1
    identity = staticmethod(training_key)

    def __call__(self, requests: list[Request]) -> list[Outcome]:
        outcomes, todo = {}, {}
        for i, request in enumerate(requests):
            try:
                todo[i] = self._trainings(request)
            except (TypeError, ValueError) as error:
                outcomes[i] = Outcome(math.nan, reason=str(error), n_trained=0)
        ensure_trained(item for items in todo.values() for item in items)
        for i, items in todo.items():
            _, losses, accuracies = known_curves(items)
            reason = next(filter(None, map(failure_reason, losses)), "")
            outcomes[i] = Outcome(losses[:, -1].mean(), accuracies[:, -1].mean(), reason)
        return [outcomes[i] for i in range(len(requests))]

    def _draws(self, repeat: int) -> list[int]:
        others = own_draws(repeat, "mean", self.n_draws - 1) if self.n_draws > 1 else []
        return [repeat, *others]

    def _trainings(self, request: Request) -> list[tuple[Training, int]]:
        """Return the trainings that a request asks for; raise if it cannot be trained."""
        n_epochs = request.n_epochs
        checked = network_config(request.config, rows_of(self.data, 0), n_epochs=n_epochs)
        key = key_of_checked(checked)
        return [(Training(self.data, key, d, d), n_epochs) for d in self._draws(request.seed)]
