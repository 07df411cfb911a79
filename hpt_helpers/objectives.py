"""Objectives for `run`: one that trains the course's networks, one of a function of your own."""

import math
import warnings
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from hpt_helpers.config import as_count, key_of_checked, network_config, training_key
from hpt_helpers.data import Splits
from hpt_helpers.population import Population
from hpt_helpers.protocol import Objective, Outcome, Request
from hpt_helpers.training import failure_reason

Key = tuple[str, int]  # a training: `training_key` and seed


def per_trial(
    function: Callable[[Mapping, int], float | Outcome],
    *,
    n_jobs: int = 1,
    identity: Callable[[Mapping], Hashable] | None = None,
) -> Objective:
    """Return an objective that calls `function(config, n_epochs)` for each trial.

    The function returns a loss or an `Outcome`. A trial for which it raises is a failed one,
    charged in full, and the function is called once for it. An objective of several processes calls
    it once more, alone, for trials whose process died.
    n_jobs: how many processes call the function, through joblib. They get a copy of it, and keep
        nothing between trials. A strategy must ask for several trials at once to keep them busy:
        `bayesian_search(…, batch_size=n_jobs)`. Trials are recorded in the order in which they were
        asked for, so runtime_s is the time between two answers. Trials still running when an
        interrupt or the end of `run`'s seconds comes are lost, as are those that wait for them.
    identity: for a function that continues a configuration's training where it stopped, such as one
        with checkpoints of its own: what says which configurations share a training, usually
        `config_key`. Each of its epochs is then charged once.
    Raises TypeError or ValueError for a bad n_jobs, and for what cannot be called.
    """
    if not callable(function):
        raise TypeError(f"function is {function!r}; a callable of (config, n_epochs) is needed")
    if identity is not None and not callable(identity):
        needed = "None or a callable of a config, such as config_key, is needed"
        raise TypeError(f"identity is {identity!r}; {needed}")
    return _PerTrial(function, as_count("n_jobs", n_jobs), identity or _starts_anew)


def _starts_anew(config: Mapping) -> None:
    return None


@dataclass(frozen=True)
class _PerTrial:
    function: Callable[[Mapping, int], float | Outcome]
    n_jobs: int
    identity: Callable[[Mapping], Hashable]

    def __call__(self, requests: list[Request]) -> Iterator[float | Outcome]:
        if self.n_jobs == 1:
            return (_attempt(self.function, r.config, r.n_epochs) for r in requests)
        return self._in_processes(requests)

    def _in_processes(self, requests: list[Request]) -> Iterator[float | Outcome]:
        from joblib import Parallel, delayed

        calls = (delayed(_attempt)(self.function, r.config, r.n_epochs) for r in requests)
        # One call for each worker at a time: what has not begun is not lost to an interrupt.
        parallel = Parallel(self.n_jobs, return_as="generator", pre_dispatch=str(self.n_jobs))
        answers = cast(Generator[float | Outcome, None, None], parallel(calls))
        try:
            # not `yield from`, which would close them outside the block below
            for answer in answers:  # noqa: UP028
                yield answer
        finally:
            with warnings.catch_warnings():
                # Where time is over, it advises to change what is no part of the caller's program.
                warnings.filterwarnings("ignore", r"\d+ tasks (have been|which were still) ")
                answers.close()


def _attempt(function: Callable, config: Mapping, n_epochs: int) -> float | Outcome:
    try:
        return function(config, n_epochs)
    # whatever it raises is this trial's, sys.exit() too, and must not end the search
    except (Exception, SystemExit) as error:
        return Outcome.of_error(error)


class TrainingObjective:
    """Trains what is asked for, together, and goes on from where a configuration was.

    A configuration that cannot be trained is refused: a failed trial that costs nothing. Networks
    stay in memory for as long as the objective does, and serve all of its searches. runtime_s of
    trials that trained together is the time between their answers, not a cost of each.
    """

    SLICE = 512  # trials trained together before answers are given: what an interrupt can lose
    identity = staticmethod(training_key)

    def __init__(self, splits: Splits):
        self.splits = splits
        # the population it stands in, and where
        self._trained: dict[Key, tuple[Population, int]] = {}

    def rows(self, seed: int) -> Splits:
        """Return the rows that a search of this training seed sees; a subclass may give each seed
        its own.
        """
        return self.splits

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        for i in range(0, len(requests), self.SLICE):
            yield from self._answer(requests[i : i + self.SLICE])

    def _answer(self, requests: list[Request]) -> list[Outcome]:
        outcomes, waiting, configs, wanted = {}, {}, {}, {}
        for i, (config, n_epochs, seed, _) in enumerate(requests):
            try:
                checked = network_config(config, self.rows(seed), n_epochs=n_epochs)
            except (TypeError, ValueError) as error:
                outcomes[i] = Outcome(math.nan, reason=str(error), n_trained=0)
                continue
            waiting[i] = key = key_of_checked(checked), seed
            configs[key], wanted[key] = checked, max(n_epochs, wanted.get(key, 0))
        self._train(configs, wanted)
        populations = {id(p): p for p, _ in (self._trained[key] for key in wanted)}
        curves = {number: population.curves() for number, population in populations.items()}
        for i, key in waiting.items():
            (population, member), n_epochs = self._trained[key], requests[i].n_epochs
            losses, accuracies = (
                curves[id(population)].val_loss[member],
                curves[id(population)].val_accuracy[member],
            )
            outcomes[i] = Outcome(
                losses[n_epochs - 1], accuracies[n_epochs - 1], failure_reason(losses[:n_epochs])
            )
        return [outcomes[i] for i in range(len(requests))]

    def _train(self, configs: dict[Key, dict], wanted: dict[Key, int]) -> None:
        """Train each to the epoch that is wanted of it, those that stand in one population
        together.
        """
        sources: dict[int, list[Key]] = {}
        for key in sorted(wanted, key=lambda key: wanted[key]):
            population, _ = self._trained.get(key, (None, None))
            if population is None or population.epoch < wanted[key]:
                sources.setdefault(id(population), []).append(key)
        for keys in sources.values():
            if keys[0] in self._trained:
                source, _ = self._trained[keys[0]]
                population = source[[self._trained[key][1] for key in keys]]
            else:
                population = Population(
                    [configs[k] for k in keys],
                    [self.rows(s) for _, s in keys],
                    seed=[s for _, s in keys],
                )
            while keys:
                population.train_to(wanted[keys[0]])
                n_there = sum(wanted[key] == population.epoch for key in keys)
                self._trained |= {
                    key: (population, member) for member, key in enumerate(keys[:n_there])
                }
                keys = keys[n_there:]
                population = population[n_there:] if keys else population
