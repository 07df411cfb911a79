"""Searches that do not learn: all configurations of a grid, or random ones."""

from collections.abc import Iterable, Mapping

from hpt_helpers.arguments import as_count
from hpt_helpers.config import config_key
from hpt_helpers.protocol import BudgetSpent, Strategy
from hpt_helpers.search_space import SearchSpace, as_space
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
    asked = [(config, epochs_of(config, n_epochs)) for config in configs]
    n_twice = len(asked) - len({(config_key(config), epochs) for config, epochs in asked})
    if n_twice:
        warn_caller(f"{n_twice} of the {len(asked)} configurations of the grid are there twice")
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
    yield [(config, epochs_of(config, n_epochs)) for config in space.sample(n_trials, seed=seed)]


def epochs_of(config: Mapping, n_epochs: int | None) -> int:
    """Return n_epochs, or the configuration's own entry `epochs` where that is None."""
    if n_epochs is None and "epochs" not in config:
        raise ValueError(
            f"config {config!r} has no entry 'epochs', and n_epochs is None; give n_epochs=1 for a "
            "model without epochs"
        )
    return config["epochs"] if n_epochs is None else n_epochs
