"""What a search's three parts say to each other: strategies ask, objectives answer, `run` drives.

A **strategy** is a generator. It yields a list of (config, n_epochs) and is sent their validation
losses, an array of the same length, nan for a failed trial:

    losses = yield [(config, n_epochs), …]

It is over when it returns. A strategy that learns from whatever was tried yields an `Ask` instead
and is sent a list of `Told`, the trials that were really run. They may differ from those asked for:
when a search resumes, a configuration of its log takes the place of the one asked for, which
another processor's rounding may have led elsewhere.

Both forms wait until all that was asked for has ended. A strategy that need not wait yields
`Ask(…, late=True)`, and knows its answers by labels of its own:

    told = yield Ask([(config, n_epochs)], labels=["a"], late=True)

As soon as a worker is idle it is sent what has ended since it was last sent something, perhaps
nothing, in the order in which the trials ended. It asks again at once, and where it has nothing to
start until another trial ends, it asks for no trial. When it returns, the trials that still run are
finished and recorded, and nobody is told of them. With one worker each trial has ended before the
strategy is asked for the next.

A budget that ends before a list does throws `BudgetSpent` into the strategy.

An **objective** takes a list of `Request` and yields, in their order, an `Outcome` for each. Its
`identity(config)` says which configurations share a training that goes on where it stopped.
`as_objective` makes one of any function that takes such a list and answers in numbers, or that has
no `identity` because it always starts anew. `run` does so with whatever it is given.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol


@dataclass(frozen=True)
class Ask:
    """Trials that a strategy wants, where it must be told what was really run.

    trials: (config, n_epochs) of each, at least one, or none where the strategy waits.
    strategy: what asks, for the log: a log of another strategy is refused. As configurations of a
        log may take the place of those asked for, these alone do not tell. So name whatever changes
        what is asked for, but not how many trials there are. The generator's name where it is
        empty.
    late: whether the strategy may be answered before all of these trials have ended, and asks again
        while others run. Only then may trials be empty, and only while a trial runs. A search that
        resumes does not repeat an ask for no trial, so this must change nothing in the strategy.
    n_trials: how many trials the strategy will ask for in all, where it knows, for the bar.
    labels: what the strategy calls each trial, in their order, or nothing. Its `Told` has the same
        label, also where another strategy hands the asks on, or asks for a configuration twice.
    """

    trials: Sequence[tuple[Mapping, int]]
    strategy: str = ""
    late: bool = False
    labels: Sequence = ()
    n_trials: int | None = None


class Told(NamedTuple):
    """One trial as it was run: its configuration, its epochs, and its loss (nan if it failed).

    label: that of the `Ask`, None if it has none.
    """

    config: dict
    n_epochs: int
    val_loss: float
    label: Any = None


Asked = Sequence[tuple[Mapping, int]] | Ask


class Strategy(Iterator[Asked], Protocol):
    """A generator of what to try next, and what `run` uses of it."""

    def send(self, answers: Any, /) -> Asked:
        """Take the answers to what was asked last, None at first, and return what to try next.

        answers: the losses, float64, shape (n_trials,), where a list was asked for; a list of
            `Told` where it was an `Ask`, perhaps an empty one where that was late. Raises
            StopIteration when the search is over.
        """
        ...

    def throw(self, error: BaseException, /) -> object:
        """Raise an error where the strategy waits for its answers."""
        ...

    def close(self) -> None:
        """End the strategy where it stands."""
        ...


class BudgetSpent(Exception):
    """Thrown into a strategy whose budget is spent; it may catch this to say or tidy something.

    The search is over in any case, and a strategy that yields again is closed.
    """


class Request(NamedTuple):
    """One trial for an objective to evaluate.

    n_epochs: train the configuration to this epoch. n_done: the epoch up to which this search has
    paid for it already.
    """

    config: dict
    n_epochs: int
    seed: int
    n_done: int = 0


class Outcome(NamedTuple):
    """What an objective says of one trial.

    reason: why it failed. A trial whose loss is not finite has failed in any case.
    n_trained: the epochs to charge, from 0 to n_epochs - n_done, where the objective trained fewer
        than it was asked for (it refused the configuration, or stopped early). None charges all.
    cost: what the trial cost in a unit of the objective's own, such as seconds of a processor or
        rows read, 0 or more. `run` has a column of it where an objective states it, and can keep a
        budget in it.
    metrics: further numbers by name, for the record: a column each, beside the loss by which the
        search goes. None has the name of a hyperparameter or of another column.
    """

    val_loss: float
    val_accuracy: float = math.nan
    reason: str = ""
    n_trained: int | None = None
    cost: float | None = None
    metrics: Mapping[str, float] | None = None

    @classmethod
    def of_error(cls, error: BaseException) -> Outcome:
        """Return the outcome of a trial that raised."""
        return cls(math.nan, reason=f"{type(error).__name__}: {error}")


class Objective(Protocol):
    """What `run` asks for the loss of each trial."""

    def __call__(self, requests: list[Request], /) -> Iterable[Outcome]:
        """Yield an outcome for each request, in their order."""
        ...

    def identity(self, config: Mapping, /) -> Hashable:
        """Say which training a configuration continues, for one that goes on where it stopped.

        Equal for configurations that share a training; None for one that always starts anew.
        """
        ...


# What `as_objective` takes. An objective is one, too; `identity` may be missing.
AnyObjective = Callable[[list[Request]], Iterable[float | Outcome]]


def starts_anew(config: Mapping) -> None:
    """Be the `identity` of an objective that trains each trial from its beginning."""
    return None


def as_objective(name: str, objective: AnyObjective) -> Objective:
    """Return an objective that answers with an `Outcome` for each number, and has an `identity`.

    name: what the argument is called in an error. Without an identity of its own, each trial starts
    anew. Raises TypeError for what cannot be called with a list of requests, and for an identity
    that cannot be called.
    """
    if isinstance(objective, _Adapted):
        return objective
    _check_call(name, objective)
    identity = getattr(objective, "identity", starts_anew)
    if not callable(identity):
        needed = "a callable of a config, such as config_key, is needed"
        raise TypeError(f"the identity of {name} is {identity!r}; {needed}")
    return _Adapted(objective, identity)


@dataclass(frozen=True)
class _Adapted:
    function: AnyObjective
    identity: Callable[[Mapping], Hashable]

    def __call__(self, requests: list[Request], /) -> Iterator[Outcome]:
        return map(as_outcome, self.function(requests))


def maximizes(objective: Objective) -> bool:
    """Say whether an objective's losses are minus the scores that its function returned."""
    function = objective.function if isinstance(objective, _Adapted) else objective
    return bool(getattr(function, "maximize", False))


def _check_call(name: str, objective: Any) -> None:
    if not callable(objective):
        needed = "a callable that takes a list of Request is needed"
        raise TypeError(f"{name} is {objective!r}; {needed}")
    try:
        signature = inspect.signature(objective)
    except (TypeError, ValueError):  # some callables have none
        return
    try:
        signature.bind([])
    except TypeError as error:
        needed = "for a function of (config, n_epochs) give per_trial(function)"
        raise TypeError(
            f"{name} is {objective!r}, which cannot take one list of requests; {needed}"
        ) from error


def as_outcome(answer: Any) -> Outcome:
    """Return a loss or an outcome as an `Outcome` of floats; that of a TypeError if it is neither.

    >>> as_outcome(1)
    Outcome(val_loss=1.0, val_accuracy=nan, reason='', n_trained=None, cost=None, metrics=None)
    """
    outcome = answer if isinstance(answer, Outcome) else Outcome(answer)
    loss, accuracy, reason = outcome.val_loss, outcome.val_accuracy, outcome.reason
    try:
        # Adding refuses text, which float would read.
        return outcome._replace(
            val_loss=float(loss + 0), val_accuracy=float(accuracy + 0), reason=str(reason or "")
        )
    except Exception:  # such as a tensor's own errors
        return Outcome.of_error(
            TypeError(f"the objective answered {answer!r:.80}; a number or an Outcome is needed")
        )


def answer_each(objective: Objective, requests: list[Request]) -> Generator[Outcome, None, None]:
    """Yield an outcome for each request.

    Where the objective raises in the middle of its answers, each request that is left is asked
    alone, once. Raises ValueError for an objective that gives more answers than it was asked for,
    and what an objective raises after its last answer.
    """
    n_answered, error = 0, RuntimeError("the objective left the trial without an answer")
    try:
        for answer in objective(requests) if requests else ():
            n_answered += 1
            if n_answered > len(requests):
                n_trials = f"{len(requests)} trials"
                raise ValueError(f"the objective gave more answers than the {n_trials} asked for")
            yield answer
    # whatever one trial raises, sys.exit() too, must not end the search
    except (Exception, SystemExit) as caught:
        if n_answered >= len(requests):
            raise
        error = caught
    if len(requests) == 1 and n_answered == 0:
        yield Outcome.of_error(error)
        return
    for request in requests[n_answered:]:
        yield from answer_each(objective, [request])
