"""Searches that stop bad trials early and never wait for the others: ASHA and MOBSTER.

What such a search knows is an `AshaState`. `next_trial` says what to try next, whatever still runs,
and `tell` says what a trial gave, in whatever order they end.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count, islice, pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from hpt_helpers.arguments import as_count
from hpt_helpers.config import config_key
from hpt_helpers.protocol import Ask, Strategy, Told
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.strategies.told import earlier_trials, known_good, named
from hpt_helpers.trials import SAME, ranking

if TYPE_CHECKING:
    import pandas as pd


N_CANDIDATES = 1000
N_RANDOM = 5  # results that the process needs before it proposes
RUNG_WEIGHT = 0.5  # how far two rungs lie apart, where a hyperparameter's range is 1


# --- what goes on -------------------------------------------------------------------------------


class Job(NamedTuple):
    """One trial that was asked for: a configuration, by its number, trained to a rung."""

    number: int
    rung: int


@dataclass
class AshaState:
    """What a search knows that promotes its best trials from rung to rung (Li et al. 2020).

    rungs: the epochs of each, rising. eta: one of so many goes on. new_config: returns a
        configuration that was not started yet, or None where there is none.
    configs: those that were started, by number. running: the trials that were asked for and have
        not ended. results: the losses of those that have, in the order in which they ended, nan of
        one that failed. reached: for each rung (loss, number) of those, lowest first, infinity of
        one that failed. gone_on: for each rung the numbers of those that were promoted from it.
    """

    rungs: list[int]
    eta: int
    new_config: Callable[[AshaState], dict | None]
    configs: list[dict] = field(default_factory=list)
    running: list[Job] = field(default_factory=list)
    results: dict[Job, float] = field(default_factory=dict)
    reached: list[list[tuple[float, int]]] = field(default_factory=list)
    gone_on: list[set[int]] = field(default_factory=list)

    def __post_init__(self):
        self.reached = [[] for _ in self.rungs]
        self.gone_on = [set() for _ in self.rungs]


def next_trial(state: AshaState) -> Job | None:
    """Return what to try next, and note that it runs; None if there is nothing to try.

    Where nobody may go on, it is a new configuration at the first rung. None is the search's end
    only if nothing runs: a result may let another one go on.
    """
    job = _promotion(state)
    if job is None:
        config = state.new_config(state)
        if config is None:
            return None
        job = Job(len(state.configs), 0)
        state.configs.append(config)
    state.running.append(job)
    return job


def _promotion(state: AshaState) -> Job | None:
    """Return who may go on, from the highest rung down, and note that it does."""
    for rung in reversed(range(len(state.rungs) - 1)):
        for number in _best_part(state.reached[rung], state.eta):
            if number not in state.gone_on[rung]:
                state.gone_on[rung].add(number)
                return Job(number, rung + 1)
    return None


def _best_part(reached: list[tuple[float, int]], eta: int) -> list[int]:
    """Return who of a rung is among the best 1/eta, rounded down, best first; none that failed.

    reached: (loss, number) of all that reached the rung, lowest first. As long as no two losses
    nearly agree this is their `ranking`, and to rank them all anew after each trial would take half
    as long again as the whole search.
    """
    if any(0 < b - a <= SAME for (a, _), (b, _) in pairwise(reached)):
        by_number = sorted(reached, key=lambda entry: entry[1])
        reached = [by_number[i] for i in ranking(loss for loss, _ in by_number)]
    return [number for loss, number in reached[: len(reached) // eta] if math.isfinite(loss)]


def tell(state: AshaState, job: Job, told: Told) -> None:
    """Say what a trial gave that `next_trial` had asked for, and which configuration really ran."""
    state.running.remove(job)
    state.configs[job.number] = told.config
    state.results[job] = told.val_loss
    loss = told.val_loss if math.isfinite(told.val_loss) else math.inf
    insort(state.reached[job.rung], (loss, job.number))


def rung_epochs(max_epochs: int, eta: int = 3, min_epochs: int = 1) -> list[int]:
    """Return the epochs of each rung: max_epochs, its part 1/eta, …, down to min_epochs or more.

    Parts are rounded down. Raises TypeError for arguments that are no integers, and ValueError for
    epochs below 1, an eta below 2, and a min_epochs above max_epochs.

    >>> rung_epochs(27), rung_epochs(50), rung_epochs(50, min_epochs=2)
    ([1, 3, 9, 27], [1, 5, 16, 50], [5, 16, 50])
    """
    rungs, eta = [as_count("max_epochs", max_epochs)], as_count("eta", eta, least=2)
    min_epochs = as_count("min_epochs", min_epochs, most=max_epochs)
    while rungs[0] // eta >= min_epochs:
        rungs.insert(0, rungs[0] // eta)
    return rungs


# --- the strategies -----------------------------------------------------------------------------


def asha(
    space: SearchSpace,
    max_epochs: int,
    n_trials: int | None = None,
    *,
    seed: int,
    eta: int = 3,
    min_epochs: int = 1,
    first: Iterable[Mapping] = (),
) -> Strategy:
    """Start random configurations, and train those on that are among the best (Li et al. 2020).

    The rungs are those of `rung_epochs(max_epochs, eta, min_epochs)`. Whenever it may ask, it takes
    somebody who is among the best 1/eta of those that have reached a rung and who has not gone on,
    the highest rung first. Where there is nobody, it starts another configuration.
    n_trials: how many trials it makes; one configuration makes a trial at each rung that it
        reaches. None goes on until the budget or the time of `run` ends, or all configurations of a
        small space were tried.
    first: known good configurations, which it starts before the random ones.
    Failed trials rank last and never go on. A log knows all of this but n_trials, which may grow.
    Raises, once it is asked, TypeError or ValueError for a bad space, number or configuration.
    """
    space, rungs = as_space(space), rung_epochs(max_epochs, eta, min_epochs)
    first = known_good(first, space)
    new = _distinct(first, space, as_count("seed", seed, least=0))
    state = AshaState(rungs, eta, lambda state: next(new, None))
    search = f"asha, seed={seed}, rungs={rungs}, eta={eta}{named('first', first)}, in {space}"
    yield from _ask_for_all(state, n_trials, search)


def mobster(
    space: SearchSpace,
    max_epochs: int,
    n_trials: int | None = None,
    *,
    seed: int,
    eta: int = 3,
    min_epochs: int = 1,
    told: pd.DataFrame | str | Path | Iterable = (),
    first: Iterable[Mapping] = (),
) -> Strategy:
    """Cut as `asha` does, and start the configuration that promises most (Klein et al. 2020).

    A Gaussian process learns from the results of all rungs. It starts what promises the largest
    improvement at the last rung, among 1,000 random configurations; the first five are random. What
    still runs is imagined to give what the process guesses (Ginsbourger et al. 2010), so that no
    two workers try the same.
    A result is told as the logarithm of its loss, less the mean of its rung. As soon as one loss is
    0 or less, it is that of the loss's distance from the lowest of its rung, plus the median
    distance. A failed trial counts as the worst of its rung.
    told: an earlier search's trials, at any epochs, as a trial table, the path of a log, its
        records, or a list of (config, loss), trained for max_epochs, or of (config, n_epochs,
        loss). The process learns from them. Those outside the space are left out with a warning.
    space, max_epochs, n_trials, eta, min_epochs, first: as for `asha`, and so is what it raises.
    """
    space, rungs = as_space(space), rung_epochs(max_epochs, eta, min_epochs)
    first = known_good(first, space)
    told = earlier_trials(told, space, rungs[-1])
    proposer = _Proposer(space, rungs, as_count("seed", seed, least=0), first, told)
    state = AshaState(rungs, eta, proposer.propose)
    known = named("first", first) + named("told", told)
    search = f"mobster, seed={seed}, rungs={rungs}, eta={eta}{known}, in {space}"
    yield from _ask_for_all(state, n_trials, search)


def _ask_for_all(state: AshaState, n_trials: int | None, search: str) -> Strategy:
    """Ask for one trial after the other, until there is none or there were n_trials."""
    left = math.inf if n_trials is None else as_count("n_trials", n_trials)
    while left > 0:
        job = next_trial(state)
        if job is None and not state.running:
            return
        jobs = [job] if job else []  # with none it waits for a trial that runs
        left -= len(jobs)
        trials = [(state.configs[job.number], state.rungs[job.rung]) for job in jobs]
        ask = Ask(trials, search, late=True, labels=jobs, n_trials=n_trials)
        for told in (yield ask):
            tell(state, told.label, told)


def _blocks(space: SearchSpace, seed: int) -> Iterator[dict[str, dict]]:
    """Yield random configurations by their identity, each once, in blocks of up to N_CANDIDATES.

    The first block is the space's sample under the seed. It ends where a block brings nothing new,
    as when all configurations of a small space or of a pool have been drawn.
    """
    seen = set()
    for number in count():
        seeds = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
        drawn = space.sample(N_CANDIDATES, seed=int(seeds[0]) if number else seed)
        new = {key: c for c in drawn if (key := config_key(c)) not in seen}
        if not new:
            return
        seen |= new.keys()
        yield new


def _distinct(first: list[dict], space: SearchSpace, seed: int) -> Iterator[dict]:
    """Yield the configurations that come first, then random ones, each once."""
    known_good = {config_key(config): config for config in first}
    yield from known_good.values()
    for block in _blocks(space, seed):
        yield from (config for key, config in block.items() if key not in known_good)


# --- what promises most -------------------------------------------------------------------------


class _Proposer:
    """Says what MOBSTER starts next.

    first: what comes before all else. told: what the process knows beside the search's own results.
    """

    def __init__(
        self,
        space: SearchSpace,
        rungs: list[int],
        seed: int,
        first: list[dict],
        told: list[Told],
    ):
        # The strategies can be imported without any of it.
        from threadpoolctl import ThreadpoolController

        from hpt_helpers.strategies.gaussian_process import GaussianProcess

        # Matrices of so few trials take several threads up to ten times as long as one.
        self._one_thread = partial(ThreadpoolController().limit, limits=1, user_api="blas")
        self.space, self.rungs = space, rungs
        self.first = list({config_key(config): config for config in first}.values())
        self.blocks = _blocks(space, seed)
        self.candidates: dict[str, dict] = {}  # by their identity
        self.points = np.empty((0, 0))  # of the candidates, at the last rung
        self.explained: np.ndarray | None = None  # of the candidates, by the process so far
        # What is told at the last rung needs no second look.
        self.used = {config_key(t.config) for t in told if t.n_epochs >= rungs[-1]}
        self.process = GaussianProcess()
        self.losses: list[float] = []  # of all results that the process has, in its order
        self.places: list[float] = []  # at which rung each was, told ones perhaps between two
        self.n_results = 0  # the search's own among them
        self._learn([(t.config, self._place_of(t.n_epochs), t.val_loss) for t in told])

    def propose(self, state: AshaState) -> dict | None:
        """Return the configuration to start next, which was not started before; None if all were.

        state: the search's; its results since the last call are learned from.
        """
        new = list(islice(state.results.items(), self.n_results, None))
        self.n_results += len(new)
        self._learn([(state.configs[job.number], job.rung, loss) for job, loss in new])
        self.used |= {config_key(state.configs[job.number]) for job, _ in new}
        config = self.first.pop(0) if self.first else self._promising(state)
        if config is not None:
            self.used.add(config_key(config))
        return config

    def _promising(self, state: AshaState) -> dict | None:
        """Return the candidate of the largest expected improvement, or a random one at first."""
        self._refresh()
        free = self._free()
        if not any(free):
            return None
        known = len(state.configs) + len(self.losses) - self.n_results
        if known < N_RANDOM or not np.isfinite(self.losses).any():
            best = free.index(True)
        else:
            with self._one_thread():
                best = int(np.where(free, self._gains(state), -math.inf).argmax())
        return list(self.candidates.values())[best]

    def _gains(self, state: AshaState) -> np.ndarray:
        """Return the expected improvement of each candidate, guessed at the last rung.

        It improves on the best result of the highest rung that was reached.
        """
        from hpt_helpers.strategies.gaussian_process import expected_improvement

        rungs = np.rint(self.places).astype(int)
        values = relative_losses(np.array(self.losses), rungs)
        best = values[rungs == rungs.max()].min()
        process = self.process
        self.explained = explained = process.explained(self.points, self.explained)
        if state.running:  # imagined to give what the process guesses
            configs = [state.configs[job.number] for job in state.running]
            points = self._points(configs, [job.rung for job in state.running])
            values = np.append(values, process.guess(values, points)[0])
            process = process.with_points(points)
            explained = process.explained(self.points, explained)
        return expected_improvement(*process.guess(values, self.points, explained), best)

    def _learn(self, results: list[tuple[dict, float, float]]) -> None:
        """Add results to what the process knows, each (config, its place among the rungs, loss)."""
        if not results:
            return
        configs, places, losses = map(list, zip(*results, strict=True))
        with self._one_thread():
            self.process = self.process.with_points(self._points(configs, places))
        self.losses += losses
        self.places += places

    def _free(self) -> list[bool]:
        """Return for each candidate whether it was not used yet."""
        return [key not in self.used for key in self.candidates]

    def _refresh(self) -> None:
        """Drop the used candidates and draw others, as soon as less than half are left."""
        free = self._free()
        if sum(free) >= N_CANDIDATES / 2:
            return
        self.points, self.explained = self.points[free], None
        self.candidates = {k: c for k, c in self.candidates.items() if k not in self.used}
        while len(self.candidates) < N_CANDIDATES / 2 and (block := next(self.blocks, None)):
            new = {key: config for key, config in block.items() if key not in self.used}
            last = [len(self.rungs) - 1] * len(new)
            points = self._points(list(new.values()), last)
            self.points = np.vstack([self.points, points]) if self.candidates else points
            self.candidates |= new

    def _points(self, configs: list[dict], places: Sequence[float]) -> np.ndarray:
        """Return configurations as the process sees them; the rung is one more column."""
        from hpt_helpers.strategies.gaussian_process import model_points

        column = RUNG_WEIGHT * np.array(places, dtype=float)
        return np.column_stack([model_points(self.space, configs), column])

    def _place_of(self, n_epochs: int) -> float:
        """Return where among the rungs so many epochs lie, by their logarithm."""
        places = np.interp(math.log(n_epochs), np.log(self.rungs), range(len(self.rungs)))
        return float(places)


def relative_losses(losses: np.ndarray, rungs: np.ndarray) -> np.ndarray:
    """Return how much better or worse than the mean of its rung each result is, in logarithms.

    losses: nan of a trial that failed, which counts as the worst of its rung, or of all where no
        other has reached the rung. At least one is finite. rungs: the number of each one's rung.
    Where a loss is 0 or less, the logarithm is of how far a loss lies above the lowest of its rung,
    with the median of these distances added, so that it has one everywhere.
    """
    finite = np.isfinite(losses)
    told = np.where(finite, losses, losses[finite].max())
    places = [rungs == rung for rung in np.unique(rungs)]
    for here in places:
        if (good := here & finite).any():
            told[here & ~finite] = losses[good].max()
    if told.min() <= 0:
        for here in places:
            told[here] -= told[here].min()
        above = told[told > 0]
        told += np.median(above) if len(above) else 1
    told = np.log(told)
    for here in places:
        told[here] -= told[here].mean()
    return told
