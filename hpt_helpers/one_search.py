"""One search as it runs: what its strategy asks for, what it has spent, its record and its log.

A `Search` asks its strategy, and records the trials that have ended. Who evaluates them, and when,
is for `search.run` to say.

**The log of several workers.** Its lines stand in the order in which the trials ended. Each has the
trial's number in the order asked (`asked`), how many trials had ended when it was asked for
(`n_known`), and the same of all trials that were asked for since the line before (`knew`). A search
that resumes asks its strategy anew, and before each trial tells it what it knew the first time. A
number without a line was running when the search was killed, and runs again.
"""

from __future__ import annotations

import copy
import inspect
import json
import math
from collections import ChainMap, deque
from collections.abc import Generator, Hashable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

import numpy as np

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import config_key
from hpt_helpers.progress import SearchBar
from hpt_helpers.protocol import (
    Ask,
    BudgetSpent,
    Objective,
    Outcome,
    Request,
    Strategy,
    Told,
    maximizes,
)
from hpt_helpers.trials import (
    append_trial,
    as_config,
    as_metrics,
    hold_log,
    trial_result,
    trial_table,
    with_tuples,
)
from hpt_helpers.warn import warn_caller
from hpt_helpers.workers import Ended

if TYPE_CHECKING:
    import pandas as pd

BudgetUnit = Literal["epochs", "seconds", "cost"]
EndedBy = Literal["strategy", "budget", "seconds", "interrupted", "failures"]
MOST_FAILED = 10  # trials that fail alike from the first on, before a search ends


@dataclass(eq=False)
class Trial:
    """A trial that was asked for and is not recorded yet.

    number: in the order asked, from 0. n_known: how many trials had ended then. promised: what it
    will cost in the unit of the budget, 0 where nobody knows. asked_by: the strategy's name then.
    record: that of the log, if it stands there.
    """

    search: Search
    number: int
    request: Request
    identity: Hashable
    config: dict  # for the record, whatever the objective does to the request's own
    label: Any
    late: bool
    asked_by: str
    n_known: int
    promised: float
    record: dict | None


@dataclass(frozen=True)
class _Asked:
    """What a strategy asked for: (config, n_epochs, label) of each trial, and in which form."""

    trials: list[tuple[dict, int, Any]]
    by_ask: bool
    late: bool


@dataclass(eq=False)
class Search:
    """One strategy as it runs.

    budget, budget_unit: what it may spend. keeps_order: whether the record says in which order the
    trials were asked for, and what was known then. It does in any case where the log says so.
    """

    strategy: Strategy
    objective: Objective
    seed: int
    budget: float
    budget_unit: BudgetUnit = "epochs"
    log: str | Path | None = None
    name: str | None = None
    retry_failed: bool = False
    keeps_order: bool = False
    bar: SearchBar | None = None

    records: list[dict] = field(default_factory=list)  # in the order in which the trials ended
    ended_by: EndedBy | None = None  # from when the strategy is not asked any more
    spent: float = 0  # in the unit of the budget
    # identity -> the epoch it is paid to; never falls
    paid: dict[Hashable, int] = field(default_factory=dict)

    out: dict[int, Trial] = field(default_factory=dict)  # by number, all that are not recorded
    queue: deque[Trial] = field(default_factory=deque)  # those of them to be started
    running: list[Trial] = field(default_factory=list)  # and those that were

    n_asked: int = 0
    asked: _Asked | None = None  # at last
    batch: list[Trial] = field(default_factory=list)  # whose answers are awaited together
    losses: dict[int, float] = field(default_factory=dict)  # of the batch, by number
    news: list[Told] = field(default_factory=list)  # of late trials, since the strategy was told
    waits: bool = False  # the strategy has nothing to start until a trial ends
    gives_up: bool = False  # its trials have failed alike from the first on

    log_file: IO | None = None  # open as long as the search runs
    asked_by: str = ""  # what asked at last: an `Ask`'s strategy, or the generator's name
    first_asked_by: str = ""  # that of the log's first line
    logged: list[dict] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)  # of the log's trials, in the order asked
    places: dict[int, int] = field(default_factory=dict)  # the other way round
    knew: list[int] = field(default_factory=list)  # n_known by number, as the log has it
    place: int = 0  # the first trial of the log that is not recorded here
    held: dict[int, Ended] = field(default_factory=dict)  # by number, ended before it was
    n_lines: int = 0  # of the log, for different trials
    new_knew: list[int] = field(default_factory=list)  # that no line has yet

    def __post_init__(self):
        _check_strategy(self.strategy)
        self.budget = as_amount("budget", self.budget)

    # --- what `search` does with it ---------------------------------------------------------------

    @property
    def over(self) -> bool:
        """Whether the strategy is not asked any more. Trials may still run."""
        return self.ended_by is not None

    @property
    def is_spent(self) -> bool:
        """Whether nothing is left of a budget that nobody could plan with."""
        return self.budget_unit != "epochs" and self.spent >= self.budget

    def advance(self, n_free: float) -> None:
        """Ask the strategy, and record what stands in the log, as far as that goes now.

        n_free: how many trials can be started now.
        """
        self._record_ended()
        while self._may_ask(n_free):
            self._ask()
            self._record_ended()

    def take_startable(self, n_free: float) -> list[Trial]:
        """Take from the queue what starts next: all of it where all can start, or else one trial.

        That is the first which continues no training that runs.
        """
        if n_free == math.inf:
            taken, self.queue = list(self.queue), deque()
        else:
            startable = self._startable()
            taken = [startable] if startable else []
            self.queue = deque(trial for trial in self.queue if trial is not startable)
        self.running += taken
        return taken

    def take(self, ended: Ended) -> None:
        """Take a trial that has ended."""
        self.running.remove(ended.job)
        self.held[ended.job.number] = ended
        self._record_ended()

    def cut(self, why: EndedBy, dropped: Sequence[Trial]) -> None:
        """End the search before its strategy does. dropped: started trials that never began."""
        lost = [*dropped, *self.queue]
        for trial in lost:
            del self.out[trial.number]
        self.running = [trial for trial in self.running if trial.number in self.out]
        self.queue.clear()
        if lost:
            self.ended_by = why
        if not self.over:
            self.end(why)
        self._record_ended()

    def end(self, why: EndedBy) -> None:
        """Tell the strategy that its budget or its time is spent, and close it."""
        self.ended_by = why
        with suppress(BudgetSpent, StopIteration):
            self.strategy.throw(BudgetSpent())
        self.strategy.close()

    def close(self) -> None:
        """Let others open the log."""
        if self.log_file:
            self.log_file.close()

    def check_over(self) -> None:
        """Raise ValueError where nothing runs and the search can still not go on."""
        if self.over:
            return
        if self.waits and self.place == len(self.logged):
            raise ValueError(
                f"strategy is {self.strategy!r}, which asked for no trial while none runs; "
                "it should return when it has nothing to ask"
            )
        raise ValueError(
            f"trial {self.place} of {self.log} is number {self.numbers[self.place]} of its search, "
            f"and the search asks for {self.n_asked} until then; it is the log of another search"
        )

    def table(self) -> pd.DataFrame:
        """Return the trial table, whose attrs say why the search ended."""
        table = trial_table(self.records)
        table.attrs["ended"] = self.ended_by
        return table

    # --- asking -----------------------------------------------------------------------------------

    def _may_ask(self, n_free: float) -> bool:
        if self.over or self.asked is None:
            return not self.over
        if not self.asked.late:
            return len(self.losses) == len(self.batch)
        if self.waits:
            return False
        if self.n_asked < len(self.knew):
            return len(self.records) >= self.knew[self.n_asked]
        return self.place == len(self.logged) and n_free > 0 and self._startable() is None

    def _startable(self) -> Trial | None:
        """Return the first trial of the queue that continues no training that runs."""
        taken = [trial.identity for trial in self.running]
        return next((trial for trial in self.queue if trial.identity not in taken), None)

    def _ask(self) -> None:
        """Ask the strategy; take what is to be evaluated or stands in the log, within budget."""
        asked = self._next_asked()
        if asked is None:
            return
        self.asked, self.waits = asked, not asked.trials
        self.batch, self.losses = ([], {}) if not asked.late else (self.batch, self.losses)
        promised = self.spent + sum(trial.promised for trial in self.out.values())
        ahead = ChainMap({}, self.paid)  # how far each will be once all that is out is trained
        for trial in self.out.values():
            ahead[trial.identity] = max(trial.request.n_epochs, ahead.get(trial.identity, 0))
        for config, n_epochs, label in asked.trials:
            trial = self._trial(config, n_epochs, label, ahead)
            if not self._fits(trial, promised):
                self.end("budget")
                return
            promised += trial.promised
            ahead[trial.identity] = max(trial.request.n_epochs, trial.request.n_done)
            self._take_up(trial)

    def _next_asked(self) -> _Asked | None:
        """Return what the strategy asks for next, checked; None when it has returned."""
        try:
            asked = self.strategy.send(self._answers())
        except StopIteration:
            self.ended_by = "strategy"
            if not self.n_asked:
                raise ValueError(
                    f"strategy is {self.strategy!r}, which asked for no trial at all"
                ) from None
            return None
        name = getattr(self.strategy, "__name__", type(self.strategy).__name__)
        self.asked_by = (asked.strategy if isinstance(asked, Ask) else "") or name
        checked = _checked(asked)
        if self.bar and (n_trials := _expected(asked, self.n_asked)):
            self.bar.expect(n_trials)
        if self.log and not self.log_file:
            self._open_log()
        return checked

    def _answers(self) -> list[Told] | np.ndarray | None:
        """Return what the strategy is sent: answers to what it asked for last; at first None."""
        if self.asked is None:
            return None
        if self.asked.late:
            news, self.news = self.news, []
            return news
        losses = [self.losses[trial.number] for trial in self.batch]
        if self.asked.by_ask:
            return [_told(trial, loss) for trial, loss in zip(self.batch, losses, strict=True)]
        return np.array(losses)

    def _trial(
        self, config: dict, n_epochs: int, label: Any, ahead: Mapping[Hashable, int]
    ) -> Trial:
        """Return the next trial, as it was asked for or as the log has it."""
        record = None
        if self.n_asked in self.places:
            config, n_epochs, record = self._resume(config, n_epochs)
        identity = None if record else self.objective.identity(config)
        # a new object is equal to nothing else
        identity = object() if identity is None else identity
        n_done = ahead.get(identity, 0)
        promised = max(n_epochs - n_done, 0) if self.budget_unit == "epochs" else 0
        return Trial(
            search=self,
            number=self.n_asked,
            request=Request(copy.deepcopy(config), n_epochs, self.seed, n_done),
            identity=identity,
            config=config,
            label=label,
            late=self.asked is not None and self.asked.late,
            asked_by=self.asked_by,
            n_known=len(self.records),
            promised=self._spent_by(record) if record else promised,
            record=record,
        )

    def _fits(self, trial: Trial, promised: float) -> bool:
        """Say whether a trial may start, where so much is spent and promised before it."""
        if self.budget_unit == "epochs":
            return promised + trial.promised <= self.budget
        return promised < self.budget

    def _take_up(self, trial: Trial) -> None:
        """Count a trial as asked for."""
        self.n_asked += 1
        self.out[trial.number] = trial
        if not trial.late:
            self.batch.append(trial)
        if not trial.record:
            self.queue.append(trial)
        if trial.number >= len(self.knew):
            self.new_knew.append(trial.n_known)

    # --- recording --------------------------------------------------------------------------------

    def _record_ended(self) -> None:
        """Record what has ended: first the trials of the log, in its order, then those of today.

        Those of the log only as far as the strategy knew them when it asked for the next.
        """
        while self.place < len(self.logged) and not self._may_ask(0):
            number = self.numbers[self.place]
            trial = self.out.get(number)
            if trial is None and not self.over:
                return  # the strategy comes to it
            if trial and not trial.record and number not in self.held:
                return  # it is tried again
            self.place += 1
            if trial:
                self._record(trial, self.held.pop(number, None))
        while self.held and self.place == len(self.logged):
            ended = self.held.pop(next(iter(self.held)))
            self._record(ended.job, ended)

    def _record(self, trial: Trial, ended: Ended | None) -> None:
        """Record a trial and pay for it.

        ended: what the objective answered; None for a trial that stands in the log, at what it cost
        then.
        """
        if ended is None:
            assert trial.record is not None  # a trial has ended here or stands in the log
            record = trial.record
        else:
            record = self._charge(trial, ended.outcome, ended.runtime_s)
        if self.keeps_order:
            record |= {"asked": trial.number, "n_known": trial.n_known}
        if ended is not None:
            self._write(trial, record)
        del self.out[trial.number]
        self.records.append(record)
        self.spent += self._spent_by(record)
        self.waits = False
        if trial.late:
            self.news.append(_told(trial, record["val_loss"]))
        else:
            self.losses[trial.number] = record["val_loss"]
        if self.bar:
            self.bar.add(record)
        self._check_start()

    def _spent_by(self, record: dict) -> float:
        """Return what a recorded trial cost, in the unit of the budget."""
        if self.budget_unit == "epochs":
            return record["charged_epochs"]
        if self.budget_unit == "cost":
            return record.get("charged_cost", 0.0)
        return record["runtime_s"] if math.isfinite(record["runtime_s"]) else 0.0

    def _charge(self, trial: Trial, outcome: Outcome, runtime_s: float) -> dict:
        """Charge the trial's epochs and return its record."""
        paid = self.paid.get(trial.identity, 0)
        # More than announced where a trial before it in the batch trained less; never more in
        # total.
        charged = cost = max(trial.request.n_epochs - paid, 0)
        try:
            if outcome.n_trained is not None:
                name = "the objective's n_trained"
                charged = as_count(name, outcome.n_trained, least=0, most=cost)
            if outcome.cost is not None and as_amount("its cost", outcome.cost) == math.inf:
                raise ValueError("its cost is infinite")
            self._check_metrics(trial, outcome)
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
            charged_cost=outcome.cost,
            metrics=outcome.metrics,
        )
        if self.budget_unit == "cost" and result["status"] == "ok" and outcome.cost is None:
            raise ValueError(
                f"budget_unit is 'cost', and the objective states none of {trial.config!r:.80}; "
                "let it answer with Outcome(loss, cost=…)"
            )
        return {"config": trial.config, **result}

    def _check_metrics(self, trial: Trial, outcome: Outcome) -> None:
        """Raise where a trial's metrics cannot stand in the table beside its hyperparameters."""
        for name in as_metrics(outcome.metrics or {}):
            if name in trial.config:
                raise ValueError(f"its metrics have {name!r}, which is a hyperparameter")

    def _check_start(self) -> None:
        """Warn where the first three trials failed alike; end the search where MOST_FAILED did."""
        n = len(self.records)
        if n not in (3, MOST_FAILED):
            return
        reasons = [record["reason"] for record in self.records]
        kinds = {reason.partition(" ")[0] for reason in reasons}
        if not all(reasons) or len(kinds) > 1:
            return
        if n == 3:
            warn_caller(f"the first three trials failed alike, the last with {reasons[-1]!r}")
        elif not self.over:
            warn_caller(f"all of {n} trials failed alike, so the search ends: {reasons[-1]!r}")
            self.gives_up = True

    # --- the log ----------------------------------------------------------------------------------

    def _open_log(self) -> None:
        """Open the log for this search alone, and read what stands there."""
        assert self.log is not None
        self.first_asked_by = self.asked_by
        header: dict[str, Any] = {"search": self.asked_by, "name": self.name}
        if maximizes(self.objective):
            header["maximize"] = True
        self.log_file, self.logged = hold_log(self.log, header)
        self.n_lines = len(self.logged)
        if self.logged and self.name is None:
            warn_caller(
                f"{self.log} has {self.n_lines} trials and no name, so nothing says that they are "
                "of this objective; begin a log with name= to have it checked"
            )
        self.keeps_order |= any("asked" in record for record in self.logged)
        for place, record in enumerate(self.logged):
            # One worker's log does not say it: all that was asked for had ended.
            self.numbers.append(record.get("asked", place))
            self.knew += record.get("knew", [place])
        self.places = {number: place for place, number in enumerate(self.numbers)}

    def _resume(self, config: dict, n_epochs: int) -> tuple[dict, int, dict | None]:
        """Return the next trial as the log has it: (config, n_epochs, record).

        It is the trial that the strategy asked for. Where the strategy asked by `Ask`, and so is
        told what was run, the log's configuration may take the place of its own. The record is None
        for a failed trial that is to be tried again. Raises ValueError for any other trial, and for
        one that another search asked for.
        """
        assert self.asked is not None
        place = self.places[self.n_asked]
        record, trial = self.logged[place], f"trial {place} of {self.log}"
        search = record.get("search", self.asked_by)  # older logs have none
        if search != self.asked_by:
            raise ValueError(
                f"{trial} is of the search {search!r}, here it is {self.asked_by!r}; "
                "it is the log of another search"
            )
        logged = record["config"]
        if self.asked.by_ask and logged.keys() == config.keys() and logged != config:
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

    def _write(self, trial: Trial, record: dict) -> None:
        """Append a trial's new record to the log, if there is one, with what asked for it."""
        if not self.log:
            return
        line = record | {"seed": self.seed}
        if trial.asked_by != self.first_asked_by:
            line["search"] = trial.asked_by
        place = self.places.get(trial.number)  # of a trial that is tried again
        if place is None:
            place, self.n_lines = self.n_lines, self.n_lines + 1
            if self.keeps_order:
                line["knew"], self.new_knew = self.new_knew, []
        elif "knew" in self.logged[place]:
            line["knew"] = self.logged[place]["knew"]
        append_trial(self.log, line, trial=place)


def _expected(asked: Any, n_asked: int) -> int:
    """Return how many trials a search will have, as far as its strategy says; 0 where it does not.

    n_asked: how many were asked for before.
    """
    if isinstance(asked, Ask):
        return asked.n_trials or 0
    return n_asked + len(asked) if len(asked) > 1 else 0


def _told(trial: Trial, val_loss: float) -> Told:
    return Told(copy.deepcopy(trial.config), trial.request.n_epochs, val_loss, trial.label)


def _checked(asked: Any) -> _Asked:
    """Return what a strategy yielded; TypeError or ValueError if it is no way to ask."""
    by_ask = isinstance(asked, Ask)
    late = by_ask and asked.late
    trials = asked.trials if by_ask else asked
    try:
        pairs = [(config, n_epochs) for config, n_epochs in trials]
    except (TypeError, ValueError) as error:
        needed = "a list of (config, n_epochs) is needed"
        raise TypeError(f"the strategy yielded {trials!r}; {needed}") from error
    if not pairs and not late:
        raise ValueError(
            "the strategy yielded an empty list; it should return when it has nothing to ask"
        )
    labels = list(asked.labels) if by_ask else []
    if labels and len(labels) != len(pairs):
        raise ValueError(
            f"the strategy yielded {len(labels)} labels for {len(pairs)} trials; "
            "one for each is needed, or none"
        )
    labels = labels or [None] * len(pairs)
    checked = [(as_config(config), as_count("n_epochs", n_epochs)) for config, n_epochs in pairs]
    return _Asked([(*p, label) for p, label in zip(checked, labels, strict=True)], by_ask, late)


def _check_strategy(strategy: Any) -> None:
    """Raise TypeError for a strategy that is no generator, ValueError for one that has run."""
    if not isinstance(strategy, Generator):
        such_as = "a generator is needed, such as grid_search(configs, 50)"
        raise TypeError(f"strategy is {strategy!r}; {such_as}")
    begun = inspect.isgenerator(strategy) and inspect.getgeneratorstate(strategy)
    if begun and begun != inspect.GEN_CREATED:
        again = "a generator runs once, so make a new one for each search"
        raise ValueError(f"strategy is {strategy!r}, which has run before; {again}")


def as_amount(name: str, value: float) -> float:
    """Return a budget or a time limit; TypeError if it is no number, ValueError below 0."""
    if not is_number(value):
        raise TypeError(f"{name} is {value!r}; a number is needed")
    if not value >= 0:
        raise ValueError(f"{name} is {value!r}; it must be 0 or more")
    return value


def _nine_digits(config: Mapping) -> str:
    """Return a configuration's identity but for the last digits of its floats.

    Processors differ in these.
    """
    return config_key(
        json.loads(config_key(config), parse_float=lambda text: float(f"{float(text):.9g}"))
    )
