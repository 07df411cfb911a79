"""Race searches of gradient boosting, cut by rounds and by rows, and charged what trials cost.

`python -m tools.testbed boosting_races` prints what is measured, from the table that is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import pandas as pd

from hpt_helpers.classroom.lab import searches
from hpt_helpers.classroom.tables.boosting import RUNGS, Cut, race_by_cost
from hpt_helpers.protocol import Strategy
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import asha, mobster

BUDGETS = (3, 5, 8, 13, 40)


def cut_by(
    cut: Cut,
    strategy: Callable[..., Strategy],
    space: SearchSpace,
    repeat: int,
    n_trials: int,
    n_epochs: int,
) -> Strategy:
    """Return the strategy on the rungs of a cut, as `lab.racing` asks for it."""
    return strategy(space, n_epochs, min_epochs=RUNGS[cut][0], seed=repeat)


SEARCHES = {
    "random": ("rounds", searches.at_random),
    "learns": ("rounds", searches.by_hand),
    "cuts by rounds": ("rounds", partial(cut_by, "rounds", asha)),
    "both by rounds": ("rounds", partial(cut_by, "rounds", mobster)),
    "cuts by rows": ("rows", partial(cut_by, "rows", asha)),
    "both by rows": ("rows", partial(cut_by, "rows", mobster)),
}


def races(n_val: int, budgets: Sequence[int] = BUDGETS) -> Iterator[tuple[int, pd.DataFrame]]:
    """Yield each budget, in full trainings, with the judged winners of all SEARCHES."""
    for budget in budgets:
        yield budget, race_by_cost(SEARCHES, n_val, budget)
