"""Searches that cut in rounds: successive halving, and Hyperband, which repeats it."""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

from hpt_helpers.arguments import as_count
from hpt_helpers.protocol import Strategy
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.trials import ranking


def successive_halving(configs: Sequence[Mapping], rungs: Sequence[tuple[int, int]]) -> Strategy:
    """Train all configurations to the first rung, the best of them to the next, and so on.

    rungs: (n_configs, n_epochs) of each (Jamieson & Talwalkar 2016), such as a bracket of
        `hyperband_schedule`; one of no configurations ends it. Failed trials rank last, and of
        equal losses (`trials.ranking`) the earlier goes on.
    Raises ValueError when the first rung is not for as many configurations as are given, and when a
    rung has more of them, or not more epochs, than the one before.
    """
    configs, rungs = list(configs), list(rungs)
    if [n for n, _ in rungs[:1]] != [len(configs)]:
        raise ValueError(
            f"rungs is {rungs!r}; "
            f"a first rung of {len(configs)} configurations, those given, is needed"
        )
    for (n_before, before), (n_after, after) in pairwise(rungs):
        if n_after > n_before or after <= before:
            raise ValueError(
                f"rungs is {rungs!r}; "
                "each needs more epochs and no more configurations than the last"
            )
    losses = [0.0] * len(configs)
    for n_configs, n_epochs in rungs:
        configs = [configs[i] for i in ranking(losses)[:n_configs]]
        if not configs:
            return
        losses = yield [(config, n_epochs) for config in configs]


def hyperband_schedule(
    max_resource: int, eta: int = 3, *, rounding: str = "ceil", survivors: str = "floor"
) -> list[list[tuple[int, int]]]:
    """Return Hyperband's brackets (Li et al. 2018), from most halvings to none.

    A bracket is a list of rungs (n_configs, resource): so many configurations are given that much
    in all, and the best of them go on. With s_max the largest s for which eta**s <= max_resource,
    R, bracket s has the rungs i = 0 to s, for the resource R * eta**(i - s), rounded down to whole
    epochs: at least 1, and R at last.
    rounding: how many configurations a bracket starts with. "ceil", as in the paper's algorithm 1
        and in Ray, is ceil((s_max + 1) * eta**s / (s + 1)); "floor", as in the table that the paper
        prints and in HpBandSter, is floor((s_max + 1) / (s + 1)) * eta**s.
    survivors: how many a rung has of the n that the bracket starts with. "floor", as in the paper,
        is floor(n / eta**i); "ceil", as in Ray, is the rung before's number over eta, rounded up.
    Raises TypeError for a max_resource or eta that is no integer, and ValueError for max_resource <
    1, eta < 2, another word than those two, and by Ray's "ceil" an R such as 80, for which Ray
    counts a bracket that begins with 0 epochs.

    >>> for bracket in hyperband_schedule(9):
    ...     print(bracket)
    [(9, 1), (3, 3), (1, 9)]
    [(5, 3), (1, 9)]
    [(3, 9)]
    """
    R, eta = as_count("max_resource", max_resource), as_count("eta", eta, least=2)
    if not {rounding, survivors} <= {"ceil", "floor"}:
        raise ValueError(
            f"rounding is {rounding!r}, survivors is {survivors!r}; 'ceil' and 'floor' are allowed"
        )
    s_max = 0
    while eta ** (s_max + 1) <= R:  # counted: int(log(243) / log(3)) is 4
        s_max += 1
    if survivors == "ceil" and round(math.log(R) / math.log(eta)) > s_max:
        raise ValueError(
            f"max_resource is {R}; Ray's first rung has 0 epochs then, "
            f"but not for {eta ** (s_max + 1)}"
        )
    schedule = []
    for s in range(s_max, -1, -1):
        if rounding == "ceil":
            n_configs = _divided((s_max + 1) * eta**s, s + 1, "ceil")
        else:
            n_configs = _divided(s_max + 1, s + 1, "floor") * eta**s
        rungs = []
        for i in range(s + 1):
            rungs.append((n_configs, R // eta ** (s - i)))
            n_configs = _divided(n_configs, eta, survivors)
        schedule.append(rungs)
    return schedule


def _divided(a: int, b: int, rounding: str) -> int:
    """Return a / b as a whole number, rounded up by "ceil" and down by "floor"."""
    return -(-a // b) if rounding == "ceil" else a // b


def hyperband(
    space: SearchSpace,
    max_epochs: int,
    eta: int = 3,
    *,
    seed: int,
    rounding: str = "ceil",
    survivors: str = "floor",
) -> Strategy:
    """Run one successive halving for each bracket, on random configurations (Li et al. 2018).

    The brackets are those of `hyperband_schedule(max_epochs, eta, rounding=…, survivors=…)`, and
    the configurations those of `space.sample` under this seed, each in its order. Raises what these
    two raise, when the search starts.
    """
    max_epochs = as_count("max_epochs", max_epochs)
    schedule = hyperband_schedule(max_epochs, eta, rounding=rounding, survivors=survivors)
    configs = iter(as_space(space).sample(sum(rungs[0][0] for rungs in schedule), seed=seed))
    for rungs in schedule:
        yield from successive_halving([next(configs) for _ in range(rungs[0][0])], rungs)
