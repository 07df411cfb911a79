"""The strategies of the course as generators for `hpt_helpers.search.run`: what to take home.

Each lesson builds its strategy by hand first and then shows that this gives the same trials.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from hpt_helpers.search import Strategy
from hpt_helpers.search_space import SearchSpace


def grid_search(configs: Iterable[Mapping], n_epochs: int | None = None) -> Strategy:
    """Try every configuration once, for n_epochs, or each for its own config["epochs"] when None."""
    yield [(config, config["epochs"] if n_epochs is None else n_epochs) for config in configs]


def random_search(space: SearchSpace, n_trials: int, n_epochs: int | None = None, *, seed: int) -> Strategy:
    """Try n_trials random configurations of the space, drawn with replacement (Bergstra & Bengio 2012).

    Each is trained for n_epochs, or for its own config["epochs"] when None.
    """
    yield from grid_search(space.sample(n_trials, seed=seed), n_epochs)
