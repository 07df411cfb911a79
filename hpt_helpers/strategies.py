"""The strategies of the course as generators for `hpt_helpers.search.run`."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from hpt_helpers.arguments import as_count
from hpt_helpers.bayesian import BAYESIAN, BayesianOptimizer
from hpt_helpers.protocol import Ask, BudgetSpent, Strategy, Told
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.trials import ranking
from hpt_helpers.warn import warn_caller


def grid_search(configs: Iterable[Mapping], n_epochs: int | None = None) -> Strategy:
    """Try every configuration once, for n_epochs, or each for its own config["epochs"] when None.

    configs: any iterable of them, such as `space.grid()`. Raises, once it is asked, TypeError for a
    space, and ValueError when n_epochs is None and a configuration has no entry `epochs`. `run`
    raises when there are none, or one is no mapping, and warns when its budget ends before them.
    """
    if isinstance(configs, Mapping):
        needed = "a list of configurations is needed, such as space.grid()"
        raise TypeError(f"configs is {configs!r:.80}; {needed}")
    asked = [(config, _epochs_of(config, n_epochs)) for config in configs]
    try:
        yield asked
    except BudgetSpent:
        warn_caller("the budget ended before the grid: its last configurations were not tried")


def random_search(
    space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int
) -> Strategy:
    """Try n_trials random configurations, drawn with replacement (Bergstra & Bengio 2012).

    n_epochs: as for `grid_search`.
    """
    space, n_trials = as_space(space), as_count("n_trials", n_trials)
    yield [(config, _epochs_of(config, n_epochs)) for config in space.sample(n_trials, seed=seed)]


def bayesian_search(
    space: SearchSpace,
    n_trials: int,
    n_epochs: int | None = None,
    *,
    seed: int,
    batch_size: int = 1,
    clip: float = 0.5,
    log_loss: bool = False,
    xi: float = 0.0,
    **opts,
) -> Strategy:
    """Try the configurations that scikit-optimize suggests, told their losses.

    (Snoek, Larochelle & Adams 2012.)
    batch_size: how many are asked for at once, to keep as many workers busy; the best loss so far
        stands in for those not known yet (the "constant liar"). xi: what an improvement must
        exceed, in the units of what is told.
    clip: losses above this quantile are clipped before the model sees them, because a few large
        ones would hide what distinguishes the small ones; 1 tells all as they are. A failed trial
        counts as the worst. log_loss: tell (positive) losses' logs.
    opts: further settings of scikit-optimize's `Optimizer`; `bayesian.BAYESIAN` has the defaults.
    n_epochs: as for `grid_search`.
    A log of it knows space, seed, and which of these settings are not the defaults; a log of others
    is refused. n_trials may grow, and batch_size may change with the workers that there are.
    While the space has other points, a random one replaces a point that was asked for before.
    Raises TypeError or ValueError for a bad n_trials, batch_size or clip, and for a loss without a
    logarithm.
    """
    seed = as_count("seed", seed, least=0, most=2**32 - 1)
    n_trials, batch_size = as_count("n_trials", n_trials), as_count("batch_size", batch_size)
    optimizer = BayesianOptimizer(space, seed=seed, clip=clip, log_loss=log_loss, xi=xi, **opts)
    settings = {"clip": float(clip), "log_loss": bool(log_loss), "xi": float(xi), **opts}
    described = f"bayesian_search, seed={seed}{_not_defaults(settings)}, in {space}"
    trials: list[Told] = []
    while len(trials) < n_trials:
        optimizer.tell((trial.config, trial.val_loss) for trial in trials)
        configs = optimizer.ask(min(batch_size, n_trials - len(trials)))
        asked = [(config, _epochs_of(config, n_epochs)) for config in configs]
        trials += yield Ask(asked, described)


def _not_defaults(settings: Mapping[str, Any]) -> str:
    """Return the settings of `bayesian_search` that differ from its defaults, as text."""
    defaults = BAYESIAN | {"clip": 0.5, "log_loss": False, "xi": 0.0}
    changed = {k: v for k, v in settings.items() if k not in defaults or v != defaults[k]}
    text = "".join(f", {name}={value!r}" for name, value in changed.items())
    return re.sub(" at 0x[0-9a-fA-F]+", "", text)  # addresses, which differ from run to run


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


def _epochs_of(config: Mapping, n_epochs: int | None) -> int:
    if n_epochs is None and "epochs" not in config:
        raise ValueError(
            f"config {config!r} has no entry 'epochs'; it is needed where n_epochs is None"
        )
    return config["epochs"] if n_epochs is None else n_epochs
