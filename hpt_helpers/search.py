"""How a search runs: `run` drives a strategy and an objective, and keeps the budget and the record.

What strategies and objectives look like stands in `protocol`, whose names this module gives too.

**A search is charged what it would have trained alone**, each epoch of a configuration once: to
epoch 5, then 2, then 9 costs 5, 0 and 4. Without the objective's `identity` each trial costs all of
its epochs.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from hpt_helpers.arguments import as_count, as_seed, as_seeds
from hpt_helpers.config import as_name
from hpt_helpers.one_search import BudgetUnit, Search, Trial, as_amount
from hpt_helpers.progress import SearchBar
from hpt_helpers.protocol import (
    AnyObjective,
    Ask,
    BudgetSpent,
    Objective,
    Outcome,
    Request,
    Strategy,
    Told,
    as_objective,
)
from hpt_helpers.warn import warn_caller
from hpt_helpers.workers import Processes, ThisProcess, Workers

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "AnyObjective",
    "Ask",
    "BudgetSpent",
    "Objective",
    "Outcome",
    "Request",
    "Strategy",
    "Told",
    "run",
    "run_many",
]

OnInterrupt = Literal["keep", "raise"]


def run(
    strategy: Strategy,
    objective: AnyObjective,
    *,
    n_workers: int = 1,
    trial_seconds: float = math.inf,
    budget: float = math.inf,
    budget_unit: BudgetUnit = "epochs",
    seconds: float = math.inf,
    seed: int = 0,
    log: str | Path | None = None,
    name: str | None = None,
    retry_failed: bool = False,
    on_interrupt: OnInterrupt = "keep",
    progress: bool = False,
    workers: Workers | None = None,
) -> pd.DataFrame:
    """Run one search and return its trial table.

    objective: an `Objective`, or what `as_objective` makes one of, such as a function of a list of
        `Request` that returns their losses. For one of (config, n_epochs) give `per_trial` of it.
    n_workers: how many trials run at a time. With 1 they run in this process, and those of a seed
        are always the same. With more, each worker is a process with a copy of the objective. Rows
        then stand in the order in which trials ended; `asked` counts them in the order asked, and
        `n_known` is how many had ended when this one was asked for. A strategy that asks for a list
        keeps as many workers busy as its list has trials left; one that asks late (`protocol.Ask`)
        keeps all of them busy. Two trials that continue one training never run at once. `identity`
        says what is charged: an objective that keeps trainings in its memory restarts one that
        comes to another worker, and is charged as if it went on. Keep checkpoints in files there.
    trial_seconds: how long a trial may run. One that takes longer is ended and has failed. A limit
        takes worker processes, one for n_workers=1.
    budget: the search ends before the first trial that could exceed it, counting all that still
        run, which are finished. Repeating epochs that were already charged is free, so a strategy
        that only does so never exhausts the budget.
    budget_unit: "epochs" in total; "seconds", the sum of runtime_s; or "cost", the sum of what the
        objective states as `Outcome(cost=…)`. Nobody knows the last two before a trial has ended,
        so no trial starts once the budget is reached, and those that run then may exceed it. A
        failed trial that states no cost has none.
    seconds: a time limit for the search, counted from the start of the first trial that is not in
        the log. No trial starts when the time is over. Those that run are finished, unless they
        exceed trial_seconds.
    seed: the training seed of every trial. progress: show a bar with the number of trials, the
        best loss so far, how many failed, and the time left. It goes to the budget of epochs, or to
        as many trials as the strategy is known to ask for.
    log: a JSON-lines file that every trial is appended to as it ends. Trials already in it, from an
        interrupted or killed run of the same search, are taken from it at what they cost then;
        those that ran at that moment run again. The networks themselves are gone: a configuration
        of the log that is asked for at a later epoch is trained from epoch 0. The log is opened
        before the first trial, for this search alone. Its first line says what the search is, but
        not how many trials it has, so that a search can be extended, nor how many workers. A
        trial's line says so too where another search asked for it, as inside a wrapper.
    name: what you call objective and data, such as "wine, log loss". A log with another name is
        refused; without names the losses of another objective would be taken as this one's.
    retry_failed: try those that failed in the log again; the log keeps both, and the second counts.
    on_interrupt: what a KeyboardInterrupt does. "keep" ends the search with a warning and returns
        the trials so far; "raise" lets the interrupt go on. What it cut off is lost, and not
        charged.
    workers: who evaluates the trials, in place of n_workers and trial_seconds, such as some on a
        simulated clock.
    The table's attrs["ended"] says why the search ended: "strategy", "budget", "seconds",
    "interrupted" or "failures". A limit of seconds that cut it short warns, too.
    A trial that diverges or raises, or whose process dies, is recorded as failed and the search
    goes on, with a warning where the first three fail alike. Where the first ten all fail alike,
    the search ends. One that raises, or whose answer is no
    number and no possible `Outcome`, is charged in full. Where a batch raises, each trial of it
    without an answer is asked alone, once.
    Raises TypeError or ValueError for a strategy that is no generator, has run before, never asks,
    or yields anything but lists, not empty, of (config, n_epochs) with a config that
    `trials.as_config` takes and whole n_epochs >= 1; for a bad budget, limit, number of workers,
    seed or on_interrupt; for an objective with too many answers, that raises after its last, that
    cannot be sent to workers, or that states no cost for a budget in it; for a damaged or another
    search's log.
    """
    if log is not None and not isinstance(log, str | os.PathLike):
        raise TypeError(f"log is {log!r}; a path is needed, such as 'search.jsonl'")
    if log is not None and not os.fspath(log):
        raise ValueError("log is ''; a path is needed, such as 'search.jsonl'")
    objective = as_objective("objective", objective)
    if budget_unit not in get_args(BudgetUnit):
        raise ValueError(f"budget_unit is {budget_unit!r}; allowed are {get_args(BudgetUnit)}")
    only = Search(strategy, objective, as_seed("seed", seed), budget, budget_unit)
    only.log, only.name, only.retry_failed = log, as_name(name), retry_failed
    seconds = as_amount("seconds", seconds)
    _check_on_interrupt(on_interrupt)
    workers = workers or _workers(objective, n_workers, trial_seconds)
    only.keeps_order = workers.n_workers > 1
    return _drive([only], workers, on_interrupt, progress, seconds)[0]


def _workers(objective: Objective, n_workers: int, trial_seconds: float) -> Workers:
    """Return who evaluates the trials: this process, unless processes are needed."""
    n_workers = as_count("n_workers", n_workers)
    if not as_amount("trial_seconds", trial_seconds):
        raise ValueError("trial_seconds is 0; it must be greater")
    if n_workers == 1 and trial_seconds == math.inf:
        return ThisProcess(objective)
    return Processes(objective, n_workers, trial_seconds)


def run_many(
    strategies: Sequence[Strategy],
    objective: AnyObjective,
    *,
    budget: float = math.inf,
    seeds: Sequence[int] | None = None,
    on_interrupt: OnInterrupt = "keep",
    progress: bool = False,
) -> list[pd.DataFrame]:
    """Run many searches in step, so that their trials train as one population.

    Returns the table of each, as `run` does. budget: of each search. seeds: a training seed for
    each, such as range(5); 0 for all when not given. on_interrupt: as for `run`.
    Raises what `run` raises, TypeError for seeds that are no sequence of integers, and ValueError
    for too many or too few of them, or one strategy given twice.
    """
    seeds = [0] * len(strategies) if seeds is None else as_seeds(seeds)
    if len(seeds) != len(strategies):
        raise ValueError(f"seeds has {len(seeds)} entries; there are {len(strategies)} strategies")
    if len({id(strategy) for strategy in strategies}) < len(strategies):
        raise ValueError("strategies holds one generator twice; each search needs one of its own")
    objective = as_objective("objective", objective)
    _check_on_interrupt(on_interrupt)
    pairs = zip(strategies, seeds, strict=True)
    searches = [Search(strategy, objective, seed, budget) for strategy, seed in pairs]
    return _drive(searches, ThisProcess(objective), on_interrupt, progress)


def _check_on_interrupt(on_interrupt: str) -> None:
    if on_interrupt not in get_args(OnInterrupt):
        raise ValueError(f"on_interrupt is {on_interrupt!r}; 'keep' and 'raise' are allowed")


def _drive(
    searches: list[Search],
    workers: Workers,
    on_interrupt: OnInterrupt,
    progress: bool,
    seconds: float = math.inf,
) -> list[pd.DataFrame]:
    """Take the searches on in step until all are over, or interrupted; return their tables."""
    total = sum(math.inf if s.budget_unit != "epochs" else s.budget for s in searches)
    if math.isinf(total):
        bar = SearchBar(progress=progress, total=None, unit="trial")
    else:
        bar = SearchBar(progress=progress, total=int(total))
    for each in searches:
        each.bar = bar
    try:
        _Drive(searches, workers, seconds).to_the_end()
    except KeyboardInterrupt:
        if on_interrupt == "raise":
            raise
        n_kept = sum(len(each.records) for each in searches)
        warn_caller(f"interrupted: the {n_kept} trials evaluated so far are kept")
        for each in searches:
            each.ended_by = "interrupted"
    finally:
        workers.close()
        bar.close()
        for each in searches:
            each.close()
    if any(each.ended_by == "seconds" for each in searches):
        n = sum(len(each.records) for each in searches)
        warn_caller(f"the search ended at its limit of {seconds:g} seconds, after {n} trials")
    return [each.table() for each in searches]


class _Drive:
    """Keeps workers busy with the trials of searches, within a time limit."""

    def __init__(self, searches: list[Search], workers: Workers, seconds: float):
        self.searches, self.workers, self.seconds = searches, workers, seconds
        self.deadline = math.inf  # set when the first trial is to start

    def to_the_end(self) -> None:
        self._keep_busy()
        while self.workers.n_running:
            ended = self.workers.wait()
            ended.job.search.take(ended)
            self._keep_busy()
        for each in self.searches:
            each.check_over()

    def _keep_busy(self) -> None:
        """Ask the strategies, and start what they ask for, while there is room."""
        while n_free := self.workers.n_free():
            trials = self._startable(n_free)
            if not trials:
                return
            if self.deadline == math.inf:
                self.deadline = self.workers.now() + self.seconds
            if not self._cut_at_limits(trials):
                self.workers.start(trials)
        self._cut_at_limits()

    def _startable(self, n_free: float) -> list[Trial]:
        """Return trials to start next: those of all searches, or one where not all can start."""
        trials = []
        for each in self.searches:
            each.advance(n_free)
            trials += each.take_startable(n_free)
            if trials and n_free < math.inf:
                break
        return trials

    def _cut_at_limits(self, to_start: Sequence[Trial] = ()) -> bool:
        """End the searches where time or budget is over; say whether they ended.

        to_start: trials that were about to start, and are dropped then.
        """
        if self.workers.now() >= self.deadline:
            why = "seconds"
        elif any(each.gives_up and not each.over for each in self.searches):
            why = "failures"
        elif any(each.is_spent for each in self.searches):
            why = "budget"
        else:
            return False
        dropped = [*to_start, *self.workers.drop_waiting()]
        for each in self.searches:
            each.cut(why, [trial for trial in dropped if trial.search is each])
        return True
