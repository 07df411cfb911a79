"""An objective for `run` from a function of your own: `per_trial`.

Nothing here needs PyTorch, and neither do the processes that call the function.
"""

import warnings
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import cast

from hpt_helpers.config import as_count
from hpt_helpers.protocol import Objective, Outcome, Request, as_outcome, starts_anew


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
    return _PerTrial(function, as_count("n_jobs", n_jobs), identity or starts_anew)


@dataclass(frozen=True)
class _PerTrial:
    function: Callable[[Mapping, int], float | Outcome]
    n_jobs: int
    identity: Callable[[Mapping], Hashable]

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        if self.n_jobs == 1:
            return (_attempt(self.function, r.config, r.n_epochs) for r in requests)
        return self._in_processes(requests)

    def _in_processes(self, requests: list[Request]) -> Iterator[Outcome]:
        from joblib import Parallel, delayed

        calls = (delayed(_attempt)(self.function, r.config, r.n_epochs) for r in requests)
        # One call for each worker at a time: what has not begun is not lost to an interrupt.
        parallel = Parallel(self.n_jobs, return_as="generator", pre_dispatch=str(self.n_jobs))
        answers = cast(Generator[Outcome, None, None], parallel(calls))
        try:
            # not `yield from`, which would close them outside the block below
            for answer in answers:  # noqa: UP028
                yield answer
        finally:
            with warnings.catch_warnings():
                # Where time is over, it advises to change what is no part of the caller's program.
                warnings.filterwarnings("ignore", r"\d+ tasks (have been|which were still) ")
                answers.close()


def _attempt(function: Callable, config: Mapping, n_epochs: int) -> Outcome:
    try:
        return as_outcome(function(config, n_epochs))
    # whatever it raises is this trial's, sys.exit() too, and must not end the search
    except (Exception, SystemExit) as error:
        return Outcome.of_error(error)
