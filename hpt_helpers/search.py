"""How a search runs: `run` drives a strategy and an objective, and keeps the budget and the record.

What strategies and objectives look like stands in `protocol`, whose names this module gives too.

**A search is charged what it would have trained alone**, each epoch of a configuration once: to
epoch 5, then 2, then 9 costs 5, 0 and 4. Without the objective's `identity` each trial costs all of
its epochs.
"""

from __future__ import annotations

import copy
import inspect
import json
import math
import os
import time
from collections import ChainMap, deque
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from hpt_helpers.config import as_count, as_name, as_seed, as_seeds, config_key, is_number
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
    answer_each,
    as_objective,
)
from hpt_helpers.trials import (
    append_trial,
    as_config,
    hold_log,
    trial_result,
    trial_table,
    with_tuples,
)
from hpt_helpers.warn import warn_caller

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
    budget: float = math.inf,
    seconds: float = math.inf,
    seed: int = 0,
    log: str | Path | None = None,
    name: str | None = None,
    retry_failed: bool = False,
    on_interrupt: OnInterrupt = "keep",
    progress: bool = False,
) -> pd.DataFrame:
    """Run one search and return its trial table.

    budget: total epochs, at least 0. The search ends before the first trial that could exceed it.
        Repeating epochs that were already charged is free, so a strategy that only does so never
        exhausts the budget.
    seconds: a time limit, checked before each trial that an objective answers one by one. The
        trial that the search waits for when the time is over is finished and recorded.
    objective: an `Objective`, or what `as_objective` makes one of, such as a function of a list of
        `Request` that returns their losses. For one of (config, n_epochs) give `per_trial` of it.
    seed: the training seed of every trial. progress: show a bar of charged epochs, with the number
        of trials, the best loss so far, and how many failed.
    log: a JSON-lines file that every trial is appended to. Trials already in it, from an
        interrupted run of the same search, are taken from it at what they cost then. The networks
        themselves are gone: a configuration of the log that is asked for at a later epoch is
        trained from epoch 0. The log is opened before the first trial, for this search alone. Its
        first line says what the search is, but not how many trials it has, so that a search can be
        extended. A trial's line says so too where another search asked for it, as inside a wrapper.
    name: what you call objective and data, such as "wine, log loss". A log with another name is
        refused; without names the losses of another objective would be taken as this one's.
    retry_failed: try those that failed in the log again; the log keeps both, and the second counts.
    on_interrupt: what a KeyboardInterrupt does. "keep" ends the search with a warning and returns
        the trials so far; "raise" lets the interrupt go on. What it cut off is not charged.
    A trial that diverges or raises is recorded as failed and the search goes on, with a warning
    where the first three fail alike. One that raises, or whose answer is no number and no possible
    `Outcome`, is charged in full. Where a batch raises, each trial of it without an answer is asked
    alone, once.
    Raises TypeError or ValueError for a strategy that is no generator, has run before, never asks,
    or yields anything but lists, not empty, of (config, n_epochs) with a config that
    `trials.as_config` takes and whole n_epochs >= 1; for a bad budget, seed or on_interrupt; for an
    objective with too many answers, or that raises after its last; for a damaged or another
    search's log.
    """
    if log is not None and not isinstance(log, str | os.PathLike):
        raise TypeError(f"log is {log!r}; a path is needed, such as 'search.jsonl'")
    if log is not None and not os.fspath(log):
        raise ValueError("log is ''; a path is needed, such as 'search.jsonl'")
    search = _Search(strategy, as_seed("seed", seed), budget, log, as_name(name), retry_failed)
    seconds = _as_amount("seconds", seconds)
    return _drive([search], objective, on_interrupt, progress, seconds)[0]


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
    searches = [_Search(s, seed, budget) for s, seed in zip(strategies, seeds, strict=True)]
    return _drive(searches, objective, on_interrupt, progress)


@dataclass
class _Trial:
    """A trial in flight: asked for, not answered yet."""

    search: _Search
    request: Request
    identity: Hashable
    config: dict  # for the record, whatever the objective does to the request's own
    record: dict | None  # that of the log


@dataclass
class _Search:
    strategy: Strategy
    seed: int
    budget: float
    log: str | Path | None = None
    name: str | None = None
    retry_failed: bool = False
    logged: deque[dict] = field(default_factory=deque)  # records that were not asked for yet
    log_file: IO | None = None  # open as long as the search runs
    search: str = ""  # what asked for the batch
    first_search: str = ""  # that of the log's first line
    records: list[dict] = field(default_factory=list)
    spent: int = 0
    # identity -> the epoch it is paid to; never falls
    paid: dict[Hashable, int] = field(default_factory=dict)
    n_told: int = 0  # the trials whose losses the strategy knows
    explicit: bool = False  # whether it asked by `Ask`, and so is sent `Told`
    over: bool = False

    def __post_init__(self):
        _check_strategy(self.strategy)
        self.budget = _as_amount("budget", self.budget)

    def next_batch(self, objective: Objective) -> list[_Trial]:
        """Ask the strategy; return what is to be evaluated or stands in the log, within budget."""
        trials, promised = [], self.spent
        done = ChainMap({}, self.paid)  # how far each will be once this batch is trained
        for config, n_epochs in self._ask():
            record = None
            if self.logged:
                config, n_epochs, record = self._resume(config, n_epochs, len(trials))
            identity = None if record else objective.identity(config)
            # a new object is equal to nothing else
            identity = object() if identity is None else identity
            n_done = done.get(identity, 0)
            promised += record["charged_epochs"] if record else max(n_epochs - n_done, 0)
            if promised > self.budget:
                self.end()
                break
            done[identity] = max(n_epochs, n_done)
            request = Request(copy.deepcopy(config), n_epochs, self.seed, n_done)
            trials.append(_Trial(self, request, identity, config, record))
        return trials

    def _ask(self) -> list[tuple[dict, int]]:
        """Return what the strategy asks for next, checked; nothing when it has returned."""
        try:
            asked = self.strategy.send(self._answers())
        except StopIteration:
            self.over = True
            if not self.records:
                raise ValueError(
                    f"strategy is {self.strategy!r}, which asked for no trial at all"
                ) from None
            return []
        self.explicit = isinstance(asked, Ask)
        name = getattr(self.strategy, "__name__", type(self.strategy).__name__)
        self.search = (asked.search if isinstance(asked, Ask) else "") or name
        asked = asked.trials if isinstance(asked, Ask) else asked
        try:
            pairs = [(config, n_epochs) for config, n_epochs in asked]
        except (TypeError, ValueError) as error:
            needed = "a list of (config, n_epochs) is needed"
            raise TypeError(f"the strategy yielded {asked!r}; {needed}") from error
        if not pairs:
            raise ValueError(
                "the strategy yielded an empty list; it should return when it has nothing to ask"
            )
        pairs = [(as_config(config), as_count("n_epochs", n_epochs)) for config, n_epochs in pairs]
        if self.log and not self.log_file:
            self.first_search = self.search
            header = {"search": self.search, "name": self.name}
            self.log_file, records = hold_log(self.log, header)
            self.logged.extend(records)
        return pairs

    def close(self) -> None:
        """Let others open the log."""
        if self.log_file:
            self.log_file.close()

    def _answers(self) -> list[Told] | np.ndarray | None:
        """Return what the strategy is sent: the trials of its last batch; at first None."""
        if not self.records:
            return None
        new = self.records[self.n_told :]
        self.n_told = len(self.records)
        if self.explicit:
            return [Told(copy.deepcopy(r["config"]), r["n_epochs"], r["val_loss"]) for r in new]
        return np.array([r["val_loss"] for r in new])

    def _resume(self, config: dict, n_epochs: int, place: int) -> tuple[dict, int, dict | None]:
        """Return the log's next trial: (config, n_epochs, record).

        It is the trial that the strategy asked for. Where the strategy asked by `Ask`, and so is
        told what was run, the log's configuration may take the place of its own. The record is None
        for a failed trial that is to be tried again. Raises ValueError for any other trial, and for
        one that another search asked for.
        """
        record = self.logged.popleft()
        trial = f"trial {len(self.records) + place} of {self.log}"
        search = record.get("search", self.search)  # older logs have none
        if search != self.search:
            raise ValueError(
                f"{trial} is of the search {search!r}, here it is {self.search!r}; "
                "it is the log of another search"
            )
        logged = record["config"]
        if self.explicit and logged.keys() == config.keys() and logged != config:
            config = with_tuples(logged)
            n_epochs = config.get("epochs", n_epochs)
        found = logged, record["n_epochs"], record.get("seed")
        if (_nine_digits(logged), *found[1:]) != (_nine_digits(config), n_epochs, self.seed):
            wanted = f"the search asks for {(config, n_epochs, self.seed)}"
            raise ValueError(
                f"{trial} is {found} (config, epochs, seed), and {wanted}; "
                "it is the log of another search (another space or seed?)"
            )
        if self.retry_failed and record["status"] == "failed":
            return config, n_epochs, None
        return config, n_epochs, record | {"config": config}

    def end(self) -> None:
        """Tell the strategy that its budget or its time is spent, and close it."""
        self.over = True
        with suppress(BudgetSpent, StopIteration):
            self.strategy.throw(BudgetSpent())
        self.strategy.close()

    def settle(self, trial: _Trial, outcome: Outcome | None, runtime_s: float) -> dict:
        """Keep the log's record of a trial, or charge and record what was answered; return it."""
        record = trial.record
        if outcome is not None:
            record = self._charge(trial, outcome, runtime_s)
            if self.log:
                line = record | {"seed": self.seed}
                line |= {"search": self.search} if self.search != self.first_search else {}
                append_trial(self.log, line, trial=len(self.records))
        assert record is not None  # a trial has an outcome or stands in the log
        self.records.append(record)
        self.spent += record["charged_epochs"]
        kinds = {r["reason"].partition(" ")[0] for r in self.records[:3]}
        if len(self.records) == 3 and len(kinds - {""}) == len(kinds) == 1:
            warn_caller(f"the first three trials failed alike, the last with {record['reason']!r}")
        return record

    def _charge(self, trial: _Trial, outcome: Outcome, runtime_s: float) -> dict:
        """Charge the trial's epochs and return its record."""
        paid = self.paid.get(trial.identity, 0)
        # More than announced where a trial before it in the batch trained less; never more in
        # total.
        charged = cost = max(trial.request.n_epochs - paid, 0)
        if outcome.n_trained is not None:
            name = "the objective's n_trained"
            try:
                charged = as_count(name, outcome.n_trained, least=0, most=cost)
            except (TypeError, ValueError) as error:
                outcome = Outcome.of_error(error)
        self.paid[trial.identity] = paid + charged
        result = trial_result(
            n_epochs=trial.request.n_epochs,
            val_loss=outcome.val_loss,
            val_accuracy=outcome.val_accuracy,
            charged_epochs=charged,
            reason=outcome.reason,
            runtime_s=runtime_s,
        )
        return {"config": trial.config, **result}


def _check_strategy(strategy: Any) -> None:
    """Raise TypeError for a strategy that is no generator, ValueError for one that has run."""
    if not isinstance(strategy, Generator):
        such_as = "a generator is needed, such as grid_search(configs, 50)"
        raise TypeError(f"strategy is {strategy!r}; {such_as}")
    begun = inspect.isgenerator(strategy) and inspect.getgeneratorstate(strategy)
    if begun and begun != inspect.GEN_CREATED:
        again = "a generator runs once, so make a new one for each search"
        raise ValueError(f"strategy is {strategy!r}, which has run before; {again}")


def _as_amount(name: str, value: float) -> float:
    """Return a budget or a time limit; TypeError if it is no number, ValueError below 0."""
    if not is_number(value):
        raise TypeError(f"{name} is {value!r}; a number is needed")
    if not value >= 0:
        raise ValueError(f"{name} is {value!r}; it must be 0 or more")
    return value


def _drive(
    searches: list[_Search],
    objective: AnyObjective,
    on_interrupt: OnInterrupt,
    progress: bool,
    seconds: float = math.inf,
) -> list[pd.DataFrame]:
    """Run the searches in step until all are over, or interrupted; return their tables."""
    objective = as_objective("objective", objective)
    if on_interrupt not in ("keep", "raise"):
        raise ValueError(f"on_interrupt is {on_interrupt!r}; 'keep' and 'raise' are allowed")
    total = sum(search.budget for search in searches)
    bar = SearchBar(progress=progress, total=None if math.isinf(total) else int(total))
    deadline = time.monotonic() + seconds
    try:
        while going_on := [search for search in searches if not search.over]:
            _advance(going_on, objective, bar, deadline)
    except KeyboardInterrupt:
        if on_interrupt == "raise":
            raise
        n_kept = sum(len(search.records) for search in searches)
        warn_caller(f"interrupted: the {n_kept} trials evaluated so far are kept")
    finally:
        bar.close()
        for search in searches:
            search.close()
    return [trial_table(search.records) for search in searches]


def _advance(
    searches: list[_Search], objective: Objective, bar: SearchBar, deadline: float
) -> None:
    """Take each search one batch further, all of their trials in one call of the objective.

    Where the deadline comes, the searches end, and the trials that are left are not begun.
    """
    trials = [trial for search in searches for trial in search.next_batch(objective)]
    answers = answer_each(objective, [trial.request for trial in trials if not trial.record])
    started = time.perf_counter()
    for trial in trials:
        if not trial.record and time.monotonic() >= deadline:
            answers.close()
            for search in searches:
                search.end()
            return
        outcome = None if trial.record else next(answers)
        now = time.perf_counter()
        bar.add(trial.search.settle(trial, outcome, now - started))
        started = now
    next(answers, None)  # looks at them to their end


def _nine_digits(config: Mapping) -> str:
    """Return a configuration's identity but for the last digits of its floats.

    Processors differ in these.
    """
    return config_key(
        json.loads(config_key(config), parse_float=lambda text: float(f"{float(text):.9g}"))
    )
