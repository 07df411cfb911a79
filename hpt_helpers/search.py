"""How a search runs: strategies ask, objectives answer, drivers keep the budget and the record.

A **strategy** is a generator: it yields a list of (config, n_epochs) and is sent back their
validation losses, an array of the same length, nan for a failed trial. It is over when it returns.

An **objective** is a callable that takes a list of `Request` and yields, in their order, a loss or
a (val_loss, val_accuracy, reason of failure or ""). If it has a true attribute `resumes`, a
configuration asked for again at a later epoch goes on from where it was: only the new epochs are charged.
`TrainingObjective`, a `Landscape` and `per_trial(function)` are objectives.
"""

from __future__ import annotations

import math
import time
import warnings
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.data import Splits
from hpt_helpers.population import Population
from hpt_helpers.progress import progress_bar
from hpt_helpers.search_space import plain
from hpt_helpers.training import check_config, check_count
from hpt_helpers.trials import append_trial, read_log, trial_record, trial_table

Strategy = Generator[list[tuple[Mapping, int]], np.ndarray, None]


class Request(NamedTuple):
    """One trial to evaluate: a configuration, the epoch to train it to, and the training seed."""

    config: Mapping
    n_epochs: int
    seed: int


def run(
    strategy: Strategy,
    objective: Callable[[list[Request]], Iterable],
    *,
    budget: float = math.inf,
    seed: int = 0,
    log: str | Path | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Run one search and return its trial table.

    budget: total epochs; the search ends before the first trial that would exceed it.
    seed: the training seed of every trial (the strategy's own draws have their own).
    log: a JSON-lines file that every trial is appended to; trials already in it, from an
        interrupted run of the same search, are taken from it and not trained again.
    progress: show a bar of charged epochs.

    A trial that diverges or raises is recorded as failed and the search goes on. An interrupt
    (KeyboardInterrupt) ends the search with a warning and the trials so far are returned.
    Raises ValueError when the log is that of another search, and ValueError or TypeError when a
    strategy yields an empty list or asks for anything but 1, 2, 3, … epochs.
    """
    search = _Search(strategy, seed, budget, log, deque(read_log(log)) if log else deque())
    return _drive([search], objective, progress)[0]


def run_many(
    strategies: Sequence[Strategy],
    objective: Callable[[list[Request]], Iterable],
    *,
    budget: float = math.inf,
    seeds: int | Sequence[int] = 0,
    progress: bool = False,
) -> list[pd.DataFrame]:
    """Run many searches in step, so that their trials train as one population; return one trial table each.

    budget: of each search. seeds: one training seed for all, or one for each. Otherwise as `run`.
    """
    seeds = [seeds] * len(strategies) if isinstance(seeds, int | np.integer) else list(seeds)
    if len(seeds) != len(strategies):
        raise ValueError(f"seeds has {len(seeds)} entries; there are {len(strategies)} strategies")
    searches = [_Search(s, seed, budget) for s, seed in zip(strategies, seeds, strict=True)]
    return _drive(searches, objective, progress)


@dataclass
class _Search:
    strategy: Strategy
    seed: int
    budget: float
    log: str | Path | None = None
    logged: deque = field(default_factory=deque)
    records: list[dict] = field(default_factory=list)
    reached: dict[tuple, int] = field(default_factory=dict)  # the epoch each configuration was trained to
    spent: int = 0

    def next_batch(self, losses: np.ndarray | None, resumes: bool) -> list[tuple[Mapping, int, int]]:
        """Ask the strategy; return its (config, n_epochs, charged epochs) as far as the budget goes."""
        try:
            asked = self.strategy.send(losses)
        except StopIteration:
            return []
        if not asked:
            raise ValueError("the strategy yielded an empty list; it should return when it has nothing to ask")
        batch = []
        for i, (config, n_epochs) in enumerate(asked):
            n_epochs = check_count("n_epochs", n_epochs)
            key, charged = _key(config), n_epochs
            if i < len(self.logged):
                charged = self.logged[i]["charged_epochs"]
            elif resumes and self.reached.get(key, n_epochs) < n_epochs:
                charged = n_epochs - self.reached[key]
            if self.spent + charged > self.budget:
                self.strategy.close()
                break
            self.spent += charged
            if i >= len(self.logged):
                self.reached[key] = n_epochs
            batch.append((config, n_epochs, charged))
        return batch


def _drive(searches: list[_Search], objective: Callable, progress: bool) -> list[pd.DataFrame]:
    resumes = getattr(objective, "resumes", False)
    total = sum(s.budget for s in searches)
    bar = progress_bar(progress=progress, total=None if math.isinf(total) else total, unit="epoch")
    try:
        batches = [(s, s.next_batch(None, resumes)) for s in searches]
        while any(batch for _, batch in batches):
            _evaluate([(s, *request) for s, batch in batches for request in batch], objective, bar)
            batches = [(s, s.next_batch(_last_losses(s, len(b)), resumes)) for s, b in batches if b]
    except KeyboardInterrupt:
        kept = sum(len(s.records) for s in searches)
        warnings.warn(f"interrupted: the {kept} trials evaluated so far are kept", stacklevel=3)
    finally:
        bar.close()
    return [trial_table(s.records) for s in searches]


def _last_losses(search: _Search, n: int) -> np.ndarray:
    return np.array([r["val_loss"] for r in search.records[-n:]])


def _evaluate(jobs: list[tuple], objective: Callable, bar) -> None:
    waiting = []
    for search, config, n_epochs, charged in jobs:
        if not search.logged:
            waiting.append((search, config, n_epochs, charged))
            continue
        record = search.logged.popleft()
        found = record["config"], record["n_epochs"], record.get("seed", search.seed)
        wanted = plain(config), n_epochs, search.seed
        if found != wanted:
            raise ValueError(
                f"the log's trial {len(search.records)} (configuration, epochs, seed) is {found}, "
                f"the search asks for {wanted}; it is the log of another search"
            )
        search.records.append(record)
    started = time.perf_counter()
    answers = _answers(objective, [Request(config, n_epochs, s.seed) for s, config, n_epochs, _ in waiting])
    for job, outcome in zip(waiting, answers, strict=False):
        now = time.perf_counter()
        _record(*job, outcome, now - started, bar)
        started = now


def _answers(objective: Callable, requests: list[Request]) -> Iterator:
    """Yield an outcome for each request; where the objective raises, a failed one, and ask it for the rest."""
    done = 0
    while done < len(requests):
        try:
            for outcome in objective(requests[done:]):
                val_loss, val_accuracy, reason = outcome if isinstance(outcome, tuple) else (outcome, math.nan, "")
                outcome = float(val_loss), float(val_accuracy), str(reason)
                done += 1
                yield outcome
            if done < len(requests):
                raise RuntimeError(f"the objective left {len(requests) - done} trials without an answer")
        except Exception as error:  # whatever one trial raises must not end the search
            done += 1
            yield math.nan, math.nan, f"{type(error).__name__}: {error}"


def _record(search: _Search, config, n_epochs, charged, outcome, runtime_s, bar) -> None:
    val_loss, val_accuracy, reason = outcome
    record = trial_record(
        config,
        n_epochs=n_epochs,
        charged_epochs=charged,
        val_loss=val_loss,
        val_accuracy=val_accuracy,
        reason=reason,
        runtime_s=runtime_s,
    )
    search.records.append(record)
    if search.log:
        append_trial(search.log, record | {"seed": int(search.seed)})
    bar.update(charged)


def _key(config: Mapping) -> tuple:
    return tuple(sorted(plain(config).items()))


def per_trial(function: Callable[[Mapping, int], float]) -> Callable[[list[Request]], Iterator]:
    """Return an objective that calls `function(config, n_epochs)` for each trial; it returns a loss."""

    def objective(requests: list[Request]) -> Iterator:
        for request in requests:
            yield function(request.config, request.n_epochs)

    return objective


class TrainingObjective:
    """Trains what is asked for, together, and goes on from where a configuration was.

    Networks stay in memory for as long as the objective does. runtime_s of trials that trained
    together is the time between their answers, not a cost of each.
    """

    resumes = True
    SLICE = 512  # trials trained together before answers are given: what an interrupt can lose

    def __init__(self, splits: Splits):
        self.splits = splits
        self._trained: dict[tuple, tuple[Population, int]] = {}

    def __call__(self, requests: list[Request]) -> Iterator[tuple[float, float, str]]:
        for i in range(0, len(requests), self.SLICE):
            yield from self._train(requests[i : i + self.SLICE])

    def _train(self, requests: list[Request]) -> list[tuple[float, float, str]]:
        outcomes: list = [None] * len(requests)
        sources: dict[int, list[tuple]] = {}
        for i, (config, n_epochs, seed) in enumerate(requests):
            try:
                config = check_config(config, self.splits, n_epochs=n_epochs)
            except (TypeError, ValueError) as error:
                outcomes[i] = (math.nan, math.nan, str(error))
                continue
            key = (_key(config), seed)
            population, member = self._trained.get(key, (None, None))
            if population is not None and population.epoch >= n_epochs:
                outcomes[i] = _outcome(population.curves(), member, n_epochs)
            else:
                sources.setdefault(id(population), []).append((n_epochs, i, key, config, population, member))
        for jobs in sources.values():
            self._train_jobs(jobs, outcomes)
        return outcomes

    def _train_jobs(self, jobs: list[tuple], outcomes: list) -> None:
        """Train jobs that stand in one population, or in none yet, each to its own epoch."""
        jobs = sorted(jobs, key=lambda job: job[0])
        source = jobs[0][4]
        if source is None:
            population = Population([j[3] for j in jobs], self.splits, seed=[j[2][1] for j in jobs])
        else:
            population = source[[j[5] for j in jobs]]
        while jobs:
            n_epochs = jobs[0][0]
            curves = population.train_to(n_epochs).curves()
            for member, (asked, i, key, *_) in enumerate(jobs):
                if asked == n_epochs:
                    outcomes[i] = _outcome(curves, member, n_epochs)
                    self._trained[key] = (population, member)
            n_done = sum(job[0] == n_epochs for job in jobs)
            jobs = jobs[n_done:]
            if jobs:
                population = population[n_done:]


def _outcome(curves, member: int, n_epochs: int) -> tuple[float, float, str]:
    losses = curves.val_loss[member, :n_epochs]
    reason = "" if np.isfinite(losses[-1]) else curves.failures[member]
    return losses[-1], curves.val_accuracy[member, n_epochs - 1], reason
