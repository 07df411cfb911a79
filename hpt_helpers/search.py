"""How a search runs: strategies ask, objectives answer, drivers keep the budget and the record.

A **strategy** is a generator: it yields a list of (config, n_epochs) and is sent back their
validation losses, an array of the same length, nan for a failed trial. It is over when it returns.
One that learns from whatever was tried yields `Suggestions`: when a search resumes, the
configurations of its log, which another processor's rounding may have led elsewhere, take the
places of those in it. A budget that cuts a list short throws `BudgetSpent` into the strategy.

An **objective** is a callable that takes a list of `Request` and yields, in their order, a loss or
an `Outcome` for each (`TrainingObjective` and `per_trial` in objectives.py, the classroom's
`Landscape`). One that goes on from where a configuration was has a method `identity(config)`: a
hashable, equal for what it takes for the same, or None for what starts anew.

**A search is charged what it would have trained alone**, each epoch of a configuration once: to
epoch 5, then 2, then 9 costs 5, 0 and 4. Without `identity` each trial costs all of its epochs.
"""

from __future__ import annotations

import json
import math
import time
import warnings
from collections import ChainMap, deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from hpt_helpers.config import as_count, as_seed, as_seeds, config_key, is_number, plain
from hpt_helpers.progress import progress_bar
from hpt_helpers.trials import append_trial, read_log, recordable, trial_record, trial_table

if TYPE_CHECKING:
    import pandas as pd

Strategy = Generator[list[tuple[Mapping, int]], np.ndarray, None]


class Suggestions(list):
    """A list of (config, n_epochs) in which a log's configurations may take the places of those
    suggested.
    """


class BudgetSpent(GeneratorExit):
    """What a strategy may catch, to say or tidy something; it ends either way."""


class Request(NamedTuple):
    """One trial to evaluate: n_epochs is the epoch to train to, n_done that to which the search has
    paid already.
    """

    config: Mapping
    n_epochs: int
    seed: int
    n_done: int = 0


class Outcome(NamedTuple):
    """What an objective says of one trial.

    reason: why it failed; a loss that is not finite makes a failed trial in any case. n_trained:
    the epochs to charge, 0 to n_epochs - n_done, where it trained fewer (it refused the
    configuration, or stopped early); None for all.
    """

    val_loss: float
    val_accuracy: float = math.nan
    reason: str = ""
    n_trained: int | None = None

    @classmethod
    def of_error(cls, error: Exception) -> Outcome:
        """Return the outcome of a trial that raised."""
        return cls(math.nan, reason=f"{type(error).__name__}: {error}")


Objective = Callable[[list[Request]], Iterable[float | Outcome]]


def run(
    strategy: Strategy,
    objective: Objective,
    *,
    budget: float = math.inf,
    seed: int = 0,
    log: str | Path | None = None,
    retry_failed: bool = False,
    progress: bool = False,
) -> pd.DataFrame:
    """Run one search and return its trial table.

    budget: total epochs, at least 0. The search ends before the first trial that could exceed it.
        One that only asks for what is paid already never reaches it.
    seed: the training seed of every trial. progress: show a bar of charged epochs.
    log: a JSON-lines file that every trial is appended to; trials already in it, from an
        interrupted run of the same search, are taken from it at what they cost then. Asked for at a
        later epoch, they are trained from epoch 0.
    retry_failed: try those that failed in the log again; the log keeps both, and the second counts.
    A trial that diverges or raises is recorded as failed and the search goes on, with a warning
    where the first three fail alike. One that raises, or whose answer is no number and no possible
    `Outcome`, is charged in full. Where a batch raises, each trial of it without an answer is asked
    alone, once. An interrupt (KeyboardInterrupt) ends the search with a warning; the trials so far
    are returned, and what it cut off is not charged.
    Raises TypeError or ValueError for a strategy that is no generator or yields anything but lists,
    not empty, of (config, n_epochs) with a `recordable` config and whole n_epochs >= 1; for a bad
    budget or seed; for an objective with too many answers, or that raises after its last; for a
    damaged or another search's log.
    """
    return _drive(
        [_Search(strategy, as_seed("seed", seed), budget, log, retry_failed)], objective, progress
    )[0]


def run_many(
    strategies: Sequence[Strategy],
    objective: Objective,
    *,
    budget: float = math.inf,
    seeds: Sequence[int] | None = None,
    progress: bool = False,
) -> list[pd.DataFrame]:
    """Run many searches in step, so that their trials train as one population; return the table of
    each, as by `run`.

    budget: of each search. seeds: a training seed for each, such as range(5); 0 for all when not
    given.
    Raises what `run` raises, TypeError for seeds that are no sequence of integers, and ValueError
    for too many or
    too few of them, or one strategy given twice.
    """
    seeds = [0] * len(strategies) if seeds is None else as_seeds(seeds)
    if len(seeds) != len(strategies):
        raise ValueError(f"seeds has {len(seeds)} entries; there are {len(strategies)} strategies")
    if len({id(strategy) for strategy in strategies}) < len(strategies):
        raise ValueError("strategies holds one generator twice; each search needs one of its own")
    searches = [_Search(s, seed, budget) for s, seed in zip(strategies, seeds, strict=True)]
    return _drive(searches, objective, progress)


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
    retry_failed: bool = False
    records: list[dict] = field(default_factory=list)
    spent: int = 0
    # identity -> the epoch it is paid to; never falls
    paid: dict[Hashable, int] = field(default_factory=dict)
    told: int = 0  # the trials whose losses the strategy knows
    over: bool = False

    def __post_init__(self):
        if not isinstance(self.strategy, Generator):
            raise TypeError(
                f"strategy is {self.strategy!r}; a generator is needed, such as grid_search(configs, 50)"
            )
        if not is_number(self.budget):
            raise TypeError(f"budget is {self.budget!r}; a number of epochs is needed")
        if not self.budget >= 0:
            raise ValueError(f"budget is {self.budget!r}; it must be 0 or more")
        self.logged = deque(read_log(self.log)) if self.log else deque()

    def next_batch(self, identity_of: Callable) -> list[_Trial]:
        """Ask the strategy; return what is to be evaluated or stands in the log, as far as the
        budget goes.
        """
        asked = self._ask()
        self.over = not asked
        # done: once this batch is trained
        trials, promised, done = [], self.spent, ChainMap({}, self.paid)
        for i in range(len(asked)):
            record = self._from_log(asked, i) if self.logged else None
            config, n_epochs = asked[i]  # only now: the log's may have taken its place
            identity = None if record else identity_of(config)
            # a new object is equal to nothing else
            identity = object() if identity is None else identity
            n_done = done.get(identity, 0)
            promised += record["charged_epochs"] if record else max(n_epochs - n_done, 0)
            if promised > self.budget:
                self.over = True
                with suppress(BudgetSpent, StopIteration):
                    self.strategy.throw(BudgetSpent)
                break
            done[identity] = max(n_epochs, n_done)
            request = Request(plain(config), n_epochs, self.seed, n_done)
            trials.append(_Trial(self, request, identity, config, record))
        return trials

    def _ask(self) -> list[tuple[dict, int]]:
        losses = (
            np.array([r["val_loss"] for r in self.records[self.told :]]) if self.records else None
        )
        self.told = len(self.records)
        try:
            asked = self.strategy.send(losses)
        except StopIteration:
            return []
        try:
            pairs = [(config, n_epochs) for config, n_epochs in asked]
        except (TypeError, ValueError) as error:
            raise TypeError(
                f"the strategy yielded {asked!r}; a list of (config, n_epochs) is needed"
            ) from error
        if not pairs:
            raise ValueError(
                "the strategy yielded an empty list; it should return when it has nothing to ask"
            )
        # the strategy's own, in which it sees replacements
        asked = asked if isinstance(asked, Suggestions) else []
        asked[:] = [
            (recordable(config), as_count("n_epochs", n_epochs)) for config, n_epochs in pairs
        ]
        return asked

    def _from_log(self, asked: list, i: int) -> dict | None:
        """Return the log's next record, for what is asked i-th; None where that is to be tried
        again.
        """
        record, (config, n_epochs) = self.logged.popleft(), asked[i]
        found = record["config"], record["n_epochs"], record.get("seed")
        if (
            isinstance(asked, Suggestions)
            and found[0].keys() == config.keys()
            and found[0] != config
        ):
            config = {name: hashable(value) for name, value in found[0].items()}
            asked[i] = config, n_epochs = config, config.get("epochs", n_epochs)
        if (_nine_digits(found[0]), *found[1:]) != (_nine_digits(config), n_epochs, self.seed):
            wanted = f"the search asks for {(config, n_epochs, self.seed)}; it is the log of another search"
            raise ValueError(
                f"the log's trial {len(self.records) + i} (config, epochs, seed) is {found}, {wanted}"
            )
        return (
            None
            if self.retry_failed and record["status"] == "failed"
            else record | {"config": config}
        )

    def settle(self, trial: _Trial, outcome: Outcome | None, runtime_s: float, bar) -> None:
        """Keep the log's record of a trial, or charge and record what was answered."""
        record = trial.record or self._charge(trial, outcome, runtime_s)
        if self.log and not trial.record:
            append_trial(self.log, record | {"seed": self.seed}, trial=len(self.records))
        self.records.append(record)
        self.spent += record["charged_epochs"]
        bar.update(record["charged_epochs"])
        kinds = {r["reason"].partition(" ")[0] for r in self.records[:3]}
        if len(self.records) == 3 and len(kinds - {""}) == len(kinds) == 1:
            warnings.warn(
                f"the first three trials failed alike, the last with {record['reason']!r}",
                stacklevel=4,
            )

    def _charge(self, trial: _Trial, outcome: Outcome, runtime_s: float) -> dict:
        paid = self.paid.get(trial.identity, 0)
        # More than announced where a trial before it in the batch trained less; never more in
        # total.
        charged = cost = max(trial.request.n_epochs - paid, 0)
        try:
            if outcome.n_trained is not None:
                charged = as_count(
                    "the objective's n_trained", outcome.n_trained, least=0, most=cost
                )
        except (TypeError, ValueError) as error:
            outcome = Outcome.of_error(error)
        self.paid[trial.identity] = paid + charged
        counted = {
            "n_epochs": trial.request.n_epochs,
            "charged_epochs": charged,
            "runtime_s": runtime_s,
        }
        return trial_record(
            trial.config, **counted, **dict(zip(Outcome._fields[:3], outcome, strict=False))
        )


def _drive(searches: list[_Search], objective: Objective, progress: bool) -> list[pd.DataFrame]:
    if not callable(objective):
        raise TypeError(
            f"objective is {objective!r}; a callable that takes a list of Request is needed"
        )
    identity_of = getattr(objective, "identity", lambda config: None)
    total = sum(s.budget for s in searches)
    bar = progress_bar(
        progress=progress, total=None if math.isinf(total) else int(total), unit="epoch"
    )
    going_on = searches
    try:
        while going_on:
            trials: list[_Trial] = []
            for search in going_on:
                trials += search.next_batch(identity_of)
            answers = answer_each(
                objective, [trial.request for trial in trials if not trial.record]
            )
            started = time.perf_counter()
            for trial in trials:
                outcome = None if trial.record else next(answers)
                now = time.perf_counter()
                trial.search.settle(trial, outcome, now - started, bar)
                started = now
            next(answers, None)  # looks at them to their end
            going_on = [s for s in going_on if not s.over]
    except KeyboardInterrupt:
        kept = sum(len(s.records) for s in searches)
        warnings.warn(f"interrupted: the {kept} trials evaluated so far are kept", stacklevel=3)
    finally:
        bar.close()
    return [trial_table(s.records) for s in searches]


def answer_each(objective: Objective, requests: list[Request]) -> Iterator[Outcome]:
    """Yield an outcome for each request.

    Where the objective raises, ask each that is left alone, once.
    """
    n_answered, error = 0, RuntimeError("the objective left the trial without an answer")
    try:
        for answer in objective(requests) if requests else ():
            n_answered += 1
            if n_answered > len(requests):
                raise ValueError(
                    f"the objective gave more answers than the {len(requests)} trials it was asked for"
                )
            yield _outcome(answer)
    except Exception as caught:  # whatever one trial raises must not end the search
        if n_answered >= len(requests):
            raise
        error = caught
    for request in requests[n_answered:]:
        yield from (
            answer_each(objective, [request]) if len(requests) > 1 else [Outcome.of_error(error)]
        )


def _outcome(answer: Any) -> Outcome:
    outcome = answer if isinstance(answer, Outcome) else Outcome(answer)
    try:
        # Adding refuses text, which float would read.
        loss, accuracy = float(outcome.val_loss + 0), float(outcome.val_accuracy + 0)
        return Outcome(loss, accuracy, str(outcome.reason or ""), outcome.n_trained)
    except Exception:  # such as a tensor's own errors
        return Outcome.of_error(
            TypeError(f"the objective answered {answer!r:.80}; a number or an Outcome is needed")
        )


def _nine_digits(config: Mapping) -> str:
    """Return the identity of a configuration but for the last digits of its floats, in which
    processors differ.
    """
    return config_key(
        json.loads(config_key(config), parse_float=lambda text: float(f"{float(text):.9g}"))
    )


def hashable(value: Any) -> Any:
    """Return a value of a log as a space has it, where a tuple must be hashable; JSON has no
    tuples.
    """
    return tuple(map(hashable, value)) if isinstance(value, list) else value
