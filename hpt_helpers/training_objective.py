"""An objective for `run` that trains the course's networks, many at a time."""

import math
from collections.abc import Iterator

from hpt_helpers.config import key_of_checked, network_config, training_key
from hpt_helpers.data import Splits
from hpt_helpers.population import Population
from hpt_helpers.protocol import Outcome, Request
from hpt_helpers.training import failure_reason

Key = tuple[str, int]  # a training: `training_key` and seed


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
