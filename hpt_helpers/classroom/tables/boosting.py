"""A table of gradient boosting on real rows, whose trainings can be cut by rounds or by rows.

`tables.boosting_recipe` says what is in it. Its trials differ in cost, and a cut has a price: a
third of the rounds costs about a third, while a third of the rows costs more than that. So searches
are charged here what a processor was busy with. The unit is the mean full training of the repeat.

>>> order_and_price(3000)["cut"].tolist()
['rounds', 'rounds', 'rows', 'rows', 'rows']
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count
from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.computing.fingerprint import fingerprint
from hpt_helpers.classroom.lab.problems import PoolSpace
from hpt_helpers.classroom.lab.racing import MakeStrategy
from hpt_helpers.classroom.lab.statistics import best_along
from hpt_helpers.classroom.tables import boosting_recipe as recipe
from hpt_helpers.classroom.tables.boosting_recipe import N_POOL, N_VAL, ROUNDS, ROWS, SPACE
from hpt_helpers.classroom.tables.readings import sobol_shares
from hpt_helpers.config import config_key
from hpt_helpers.evidence.statistics import rank_correlation
from hpt_helpers.protocol import Outcome, Request
from hpt_helpers.search import run
from hpt_helpers.trials import best, ranking

FILE = Path(__file__).parent / "boosting.npz"

Cut = Literal["rounds", "rows"]
# What a search asks for as epochs, by the cut: rounds, or 81sts of the training rows.
RUNGS: Mapping[str, tuple[int, ...]] = {"rounds": ROUNDS, "rows": (3, 9, 27, 81)}


@dataclass(frozen=True, eq=False)
class Boosting:
    """Losses and costs of the configurations of each repeat: `boosting_recipe.configurations`.

    Position i of a repeat is the same in all arrays, whose first axes are (n_configs, n_repeats).
    loss: cut -> (…, len(RUNGS[cut]), len(N_VAL)), on the first rows of the repeat's validation.
    cost: cut -> (…, len(RUNGS[cut])), of a training to this rung, from the beginning. The unit is
        the mean full training of the repeat's pool.
    seconds: (n_repeats,), that unit in CPU seconds of the machine that made the table.
    fresh: (…, len(ROUNDS)), after these rounds on all rows, the mean over the n_judges of each
        repeat, which train on rows that its searches do not see.
    """

    loss: Mapping[str, np.ndarray]
    cost: Mapping[str, np.ndarray]
    seconds: np.ndarray
    fresh: np.ndarray
    n_judges: int
    about: dict
    checksum: str

    @property
    def n_repeats(self) -> int:
        return self.fresh.shape[1]

    def check_repeat(self, repeat: int) -> int:
        """Return the repeat; ValueError for one that is not there."""
        return as_count("repeat", repeat, least=0, most=self.n_repeats - 1)

    def position(self, config: Mapping, repeat: int) -> int:
        """Return where a configuration stands; ValueError for one that is not in the repeat."""
        found = _positions(self.check_repeat(repeat)).get(config_key(config))
        if found is None:
            raise ValueError(f"config {dict(config)!r} is not in repeat {repeat} of boosting")
        return found


@cache
def load_boosting() -> Boosting:
    """Return the table; ValueError where its file is damaged."""
    with np.load(FILE, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    checksum = str(arrays.pop("checksum"))
    if checksum != fingerprint(arrays):
        raise ValueError(f"table {FILE.name} is damaged: its checksum is another; `make table`")
    about = json.loads(str(arrays["about"]))
    if not np.allclose(
        recipe.pool_means(len(arrays["pool_means"])), arrays["pool_means"], rtol=1e-9
    ):
        raise ValueError(f"table {FILE.name} has other pools than are drawn now; `make table`")
    by_rounds, by_rows = arrays["by_rounds"].astype(float), arrays["by_rows"].astype(float)
    rounds_cost = arrays["rounds_cost"].astype(float).cumsum(axis=-1)
    full = rounds_cost[..., -1:]
    rows_cost = np.concatenate([arrays["rows_cost"].astype(float), full], axis=-1)
    seconds = full[:N_POOL, :, 0].mean(axis=0)
    unit = seconds[None, :, None]
    return Boosting(
        loss={
            "rounds": by_rounds,
            "rows": np.concatenate([by_rows, by_rounds[:, :, -1:]], axis=2),
        },
        cost={"rounds": rounds_cost / unit, "rows": rows_cost / unit},
        seconds=seconds,
        fresh=arrays["fresh"].astype(float),
        n_judges=about["n_judges"],
        about=about,
        checksum=checksum,
    )


@cache
def _positions(repeat: int) -> dict[str, int]:
    return {config_key(config): i for i, config in enumerate(recipe.configurations(repeat))}


def _rows(n_val: int) -> int:
    if n_val not in N_VAL:
        raise ValueError(f"n_val is {n_val!r}; allowed are {N_VAL}")
    return N_VAL.index(n_val)


# --- races ----------------------------------------------------------------------------------------


class Pool(PoolSpace):
    """The space of a repeat, which draws from its pool, and no more than the pool holds.

    Searches that learn ask for 1,000 candidates. Here they choose among 300.
    """

    def sample(self, n: int, *, seed: int) -> list[dict]:
        return super().sample(min(n, len(self.configs)), seed=seed)


@dataclass(frozen=True)
class Lookups:
    """An objective that answers from the table; a request's seed is its repeat.

    A search asks for the rungs of RUNGS[cut] as its epochs. Rounds are continued, so that a rung
    costs what it takes beyond the one before. Rows are not, and every rung costs all of its own.
    Raises ValueError for a configuration, a repeat or a rung that is not there.
    """

    cut: Cut
    n_val: int
    identity = staticmethod(config_key)

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        table, rungs, rows = load_boosting(), RUNGS[self.cut], _rows(self.n_val)
        for config, n_epochs, repeat, n_done in requests:
            if n_epochs not in rungs:
                raise ValueError(f"n_epochs is {n_epochs!r}; by {self.cut} there are {rungs}")
            i, k = table.position(config, repeat), rungs.index(n_epochs)
            cost = table.cost[self.cut][i, repeat, k]
            if self.cut == "rounds" and n_done in rungs:
                cost -= table.cost["rounds"][i, repeat, rungs.index(n_done)]
            loss = table.loss[self.cut][i, repeat, k, rows]
            yield Outcome(float(loss), cost=float(cost))


def race_by_cost(
    searches: Mapping[str, tuple[Cut, MakeStrategy]], n_val: int, budget: float
) -> pd.DataFrame:
    """Return the winner of each search in each repeat of the table, judged fresh.

    searches: label -> how it cuts, and what makes its strategy, as `lab.racing` has it. budget: in
    full trainings of mean cost. A search begins no trial once it is spent, and finishes the last.
    Columns: search, repeat, n_trials, tried (configurations), spent, val_loss (the lowest, of any
    rung), and fresh, what the judges say of that configuration after as many rounds as it won with.
    One that won on fewer rows they train on all, as its user would.
    """
    table, each = load_boosting(), list(product(searches, range(load_boosting().n_repeats)))
    pieces = [(*searches[label], n_val, budget, r, table.checksum) for label, r in each]
    found = cached_each(_winner, pieces)
    rows = [
        {"search": label, "repeat": repeat} | {name: of_one[name].item() for name in of_one}
        for (label, repeat), of_one in zip(each, found, strict=True)
    ]
    return pd.DataFrame(rows)


def _winner(
    cut: Cut, make: MakeStrategy, n_val: int, budget: float, repeat: int, checksum: str
) -> dict[str, np.ndarray]:
    """Return a row of `race_by_cost`. checksum: the table's, so that another one is raced anew."""
    table = load_boosting()
    space = Pool(SPACE, recipe.configurations(repeat)[:N_POOL], repeat)
    trials = run(
        make(space, repeat, N_POOL, ROUNDS[-1]),
        Lookups(cut, n_val),
        budget=budget,
        budget_unit="cost",
        seed=repeat,
    )
    won = trials.loc[best(trials["val_loss"], trials["n_epochs"])]
    rung = ROUNDS.index(won["n_epochs"]) if cut == "rounds" else -1
    names = {
        "n_trials": len(trials),
        "tried": trials["config"].map(config_key).nunique(),
        "spent": trials["charged_cost"].sum(),
        "val_loss": won["val_loss"],
        "fresh": table.fresh[table.position(won["config"], repeat), repeat, rung],
    }
    return {name: np.array(value) for name, value in names.items()}


# --- what the table alone can answer --------------------------------------------------------------


def order_and_price(n_val: int) -> pd.DataFrame:
    """Return what a cut keeps of the order at the end, and what it costs: means over the repeats.

    Columns: cut; at (how many rounds, or rows); share_of_cost (of the pool's full trainings, from
    the beginning); rank_correlation (Spearman's) of the losses there with those in full.
    """
    table, rows = load_boosting(), _rows(n_val)
    found = []
    for cut, names in (("rounds", ROUNDS[:-1]), ("rows", ROWS)):
        losses, cost = table.loss[cut][:N_POOL, ..., rows], table.cost[cut][:N_POOL]
        for k, name in enumerate(names):
            agreement = [rank_correlation(of[:, k], of[:, -1]) for of in losses.swapaxes(0, 1)]
            found.append((cut, name, cost[..., k].mean(), np.mean(agreement)))
    return pd.DataFrame(found, columns=["cut", "at", "share_of_cost", "rank_correlation"])


def random_to(
    n_trials: Sequence[int], n_val: Sequence[int] = N_VAL, *, n_searches: int = 20
) -> pd.DataFrame:
    """Return what random search reports, and what its winner is worth, by rows and by trials.

    All trials are full ones. n_searches: random orders of each repeat's pool. Columns: n_val,
    n_trials, searched and fresh: medians over all searches of all repeats. Raises ValueError for
    more trials than a pool has.
    """
    table, rng = load_boosting(), np.random.default_rng(0)
    shape, repeats = (table.n_repeats, n_searches), np.arange(table.n_repeats)[:, None, None]
    orders = np.reshape([rng.permutation(N_POOL) for _ in range(np.prod(shape))], (*shape, N_POOL))
    found = []
    for n, trials in product(n_val, n_trials):
        tried = orders[..., : as_count("n_trials", trials, most=N_POOL)]
        losses = table.loss["rounds"][tried, repeats, -1, _rows(n)]
        at = best_along(losses, axis=2)[..., None]
        winner = np.take_along_axis(tried, at, axis=2)
        fresh = table.fresh[winner, repeats, -1]
        searched = np.take_along_axis(losses, at, axis=2)
        found.append((n, trials, np.median(searched), np.median(fresh)))
    return pd.DataFrame(found, columns=["n_val", "n_trials", "searched", "fresh"])


def shares(degree: int = 3) -> pd.DataFrame:
    """Return which share of the variance of the log fresh loss each hyperparameter has.

    Columns: hyperparameter, alone, total and explained, as `readings.sobol_shares` returns them. A
    repeat's own mean is taken away.
    """
    table, points, values = load_boosting(), [], []
    for repeat in range(table.n_repeats):
        points.append(SPACE.to_unit(recipe.configurations(repeat)[:N_POOL]))
        log_loss = np.log(table.fresh[:N_POOL, repeat, -1])
        values.append(log_loss - log_loss.mean())
    found = sobol_shares(np.concatenate(points), np.concatenate(values), degree)
    return pd.DataFrame({"hyperparameter": list(SPACE)}).join(found)


def told_apart(n_val: int) -> dict[str, float]:
    """Return how well the losses on n_val rows tell the pool's configurations apart.

    Names: rank_correlation (Spearman's) with the fresh losses, a mean over the repeats; better, how
    many of the pool have a lower fresh loss than the one with the lowest loss, a median.
    """
    table = load_boosting()
    losses, fresh = table.loss["rounds"][:N_POOL, :, -1, _rows(n_val)], table.fresh[:N_POOL, :, -1]
    by_repeat = list(zip(losses.T, fresh.T, strict=True))
    better = [(truth < truth[ranking(loss)[0]]).sum() for loss, truth in by_repeat]
    agreement = [rank_correlation(loss, truth) for loss, truth in by_repeat]
    return {"rank_correlation": float(np.mean(agreement)), "better": int(np.median(better))}


# --- for whoever does not believe it --------------------------------------------------------------


def train_again(position: int, repeat: int) -> pd.DataFrame:
    """Train an entry of the table anew, and set both losses side by side; it takes some seconds.

    position: of a configuration in `boosting_recipe.configurations(repeat)`. Columns: cut, at (how
    many rounds, or rows), in_table and trained, on 3,000 validation rows. The last row, with the
    cut "fresh", is of the repeat's judges. Raises ModuleNotFoundError without plotnine, which has
    the rows.
    """
    table = load_boosting()
    config = recipe.configurations(table.check_repeat(repeat))[
        as_count("position", position, least=0, most=N_POOL)
    ]
    searched = recipe.losses_of(config, repeat, judge=None)
    judged = [recipe.losses_of(config, repeat, judge) for judge in range(table.n_judges)]
    at = position, repeat
    fresh = np.mean([of_one["by_rounds"][-1] for of_one in judged])
    parts = [
        ("rounds", ROUNDS, table.loss["rounds"][at][:, -1], searched["by_rounds"]),
        ("rows", ROWS, table.loss["rows"][at][:-1, -1], searched["by_rows"]),
        ("fresh", ROUNDS[-1:], table.fresh[at][-1:], [fresh]),
    ]
    columns = "cut", "at", "in_table", "trained"
    tables = [pd.DataFrame(dict(zip(columns, part, strict=True))) for part in parts]
    return pd.concat(tables, ignore_index=True)
