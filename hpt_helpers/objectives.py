"""An objective for `run` from a function of your own: `per_trial`.

Nothing here needs PyTorch, and neither do the processes that call the function.
"""

import inspect
import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, field

from hpt_helpers.protocol import Objective, Outcome, Request, as_outcome, starts_anew


def per_trial(
    function: Callable[[Mapping, int], float | Outcome],
    *,
    identity: Callable[[Mapping], Hashable] | None = None,
    maximize: bool = False,
    n_jobs: None = None,
) -> Objective:
    """Return an objective that calls `function(config, n_epochs)` for each trial.

    The function returns a loss or an `Outcome`. A trial for which it raises is a failed one,
    charged in full, and the function is called once for it.
    identity: for a function that continues a configuration's training where it stopped, such as one
        with checkpoints of its own: what says which configurations share a training, usually
        `config_key`. Each of its epochs is then charged once. A training cannot go back: a trial
        that asks for an earlier epoch than the function was called for before, as a second search
        with the same objective may, is a failed one that costs nothing. Give each search an
        objective and checkpoints of its own, or let `hpt_helpers.evidence.Problem` keep them.
    maximize: the function returns a score, of which the highest is the best. The search minimises,
        so the record's val_loss is minus the score, and so is what strategies are told.
    n_jobs: refused. How many trials run at a time is for `run` to say: `run(…, n_workers=2)`.
    Raises TypeError for what cannot be called with a configuration and a number of epochs, and for
    an n_jobs.
    """
    if n_jobs is not None:
        instead = f"run(…, n_workers={n_jobs!r})"
        raise TypeError(f"n_jobs is {n_jobs!r}; per_trial takes none any more, give {instead}")
    if not callable(function):
        raise TypeError(f"function is {function!r}; a callable of (config, n_epochs) is needed")
    _check_call(function)
    if identity is not None and not callable(identity):
        needed = "None or a callable of a config, such as config_key, is needed"
        raise TypeError(f"identity is {identity!r}; {needed}")
    return _PerTrial(function, identity or starts_anew, bool(maximize))


def _check_call(function: Callable) -> None:
    """Raise TypeError for a function that cannot take a configuration and a number of epochs."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # some callables have none
        return
    try:
        signature.bind({}, 1)
    except TypeError as error:
        needed = "one of (config, n_epochs) is needed; a model without epochs ignores the second"
        raise TypeError(f"function is {function!r}, of {signature}; {needed}") from error


@dataclass(frozen=True)
class _PerTrial:
    function: Callable[[Mapping, int], float | Outcome]
    identity: Callable[[Mapping], Hashable]
    maximize: bool
    reached: dict[Hashable, int] = field(default_factory=dict, compare=False)  # by identity

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        return (self._answer(r.config, r.n_epochs) for r in requests)

    def _answer(self, config: Mapping, n_epochs: int) -> Outcome:
        training = self.identity(config)
        if training is None:
            return self._attempt(config, n_epochs)
        before = self.reached.get(training, 0)
        if n_epochs < before:
            instead = "give each search an objective of its own"
            reason = f"asked for epoch {n_epochs} of a training that is at {before}; {instead}"
            return Outcome(math.nan, reason=reason, n_trained=0)
        self.reached[training] = n_epochs
        return self._attempt(config, n_epochs)

    def _attempt(self, config: Mapping, n_epochs: int) -> Outcome:
        try:
            outcome = as_outcome(self.function(config, n_epochs))
        # whatever it raises is this trial's, sys.exit() too, and must not end the search
        except (Exception, SystemExit) as error:
            return Outcome.of_error(error)
        return outcome._replace(val_loss=-outcome.val_loss) if self.maximize else outcome
