"""Tables of losses that were trained once, so that a search looks up what it would have to train.

They are tabular benchmarks as in the literature (Klein & Hutter 2019, "FCNet"; Ying et al. 2019,
"NAS-Bench-101"; Eggensperger et al. 2021, "HPOBench"). `tables.recipes` says what is in them and
how each entry is trained. Nobody has to believe one: `train_again` trains entries of your choice
and compares.

>>> table = load_table("digits")
>>> len(table.configs(0)), table.n_val, table.epochs
(1194, (30, 100, 360), (1, 3, 9, 27))
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count
from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.computing.fingerprint import fingerprint
from hpt_helpers.classroom.lab.problems import Chosen, PoolSpace, Problem, Trainings
from hpt_helpers.classroom.lab.trainer import Data, networks_after, own_draws, rows_of
from hpt_helpers.classroom.tables.recipes import (
    N_POOL,
    N_TRAIN,
    RECIPES,
    SHIPPED,
    Recipe,
    configurations,
    cut,
    grid,
    judge_number,
    judge_rows,
    pool_means,
    search_rows,
)
from hpt_helpers.config import training_key
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.search import Outcome, Request
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.threads import one_thread
from hpt_helpers.training import evaluate, fit

FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Table:
    """The losses of many configurations in each of many repeats, with judges of the repeat's own.

    Each repeat has a pool of its own, and after it the configurations that all repeats have: see
    `configs`. Position i is the same in all arrays.
    loss, accuracy: float, (n_configs, n_repeats, len(n_val), len(epochs)): on the first n_val
        validation rows of the repeat, after these epochs. nan where a training diverged.
    fresh_loss, fresh_accuracy: (n_configs, n_repeats, len(epochs)): the mean over the n_judges of
        the repeat, which train on other rows under other seeds.
    pool_means: by which the pools are known. about: what made the file. checksum: of all in it.
    """

    name: str
    n_val: tuple[int, ...]
    epochs: tuple[int, ...]
    n_judges: int
    loss: np.ndarray
    accuracy: np.ndarray
    fresh_loss: np.ndarray
    fresh_accuracy: np.ndarray
    pool_means: np.ndarray
    about: dict
    checksum: str

    @property
    def recipe(self) -> Recipe:
        return RECIPES[self.name]

    @property
    def n_repeats(self) -> int:
        return self.loss.shape[1]

    def configs(self, repeat: int) -> list[dict]:
        """Return the configurations of a repeat, in a new list; the first N_POOL are its pool.

        Raises ValueError for a repeat that is not there, and where `SearchSpace.sample` draws
        otherwise than when the table was made.
        """
        return [dict(config) for config in self._configs(repeat)]

    @cache  # noqa: B019 - there are as many tables as files
    def _configs(self, repeat: int) -> list[dict]:
        self.check_repeat(repeat)
        if not np.allclose(pool_means(self.recipe, repeat), self.pool_means[repeat], rtol=1e-9):
            raise ValueError(
                f"repeat {repeat} of table {self.name!r} has another pool; `make table`"
            )
        return configurations(self.recipe, repeat)

    @cache  # noqa: B019
    def _positions(self, repeat: int) -> dict[str, int]:
        return {training_key(config): i for i, config in enumerate(self._configs(repeat))}

    def entry(self, config: Mapping, n_epochs: int, repeat: int) -> tuple[int, int, int]:
        """Return where an entry stands in the arrays: position, repeat, and place among the epochs.

        Raises ValueError for a repeat, a configuration or an epoch that the table does not have.
        """
        position = self._positions(repeat).get(training_key(config))
        if position is None:
            raise ValueError(
                f"config {dict(config)!r} is not in repeat {repeat} of table {self.name!r}"
            )
        return position, int(repeat), self.place_of(n_epochs)

    def place_of(self, n_epochs: int) -> int:
        """Return the place among the epochs; ValueError for one that is not there."""
        if n_epochs not in self.epochs:
            raise ValueError(f"n_epochs is {n_epochs!r}; table {self.name!r} has {self.epochs}")
        return self.epochs.index(n_epochs)

    def check_repeat(self, repeat: int) -> None:
        """Raise ValueError for a repeat that is not there."""
        as_count("repeat", repeat, least=0, most=self.n_repeats - 1)

    def has(self, config: Mapping, repeat: int) -> bool:
        return training_key(config) in self._positions(repeat)

    def rows(self, n_val: int) -> int:
        """Return the place of a number of validation rows; ValueError for one that is not there."""
        if n_val not in self.n_val:
            raise ValueError(f"n_val is {n_val!r}; table {self.name!r} has {self.n_val}")
        return self.n_val.index(n_val)

    def frame(self, n_val: int, n_epochs: int = 27) -> pd.DataFrame:
        """Return a row for each repeat and configuration: what it is, and what its training gave.

        n_val: on how many validation rows the losses are. n_epochs: after how many epochs.
        Columns: position (in `configs`), the settings, repeat, val_loss, val_accuracy, fresh and
        accuracy; the last two are of the judges.
        """
        rows, at = self.rows(n_val), self.place_of(n_epochs)
        parts = []
        for repeat in range(self.n_repeats):
            part = pd.DataFrame(self._configs(repeat))
            part.insert(0, "position", np.arange(len(part)))
            part["repeat"] = repeat
            part["val_loss"] = self.loss[:, repeat, rows, at]
            part["val_accuracy"] = self.accuracy[:, repeat, rows, at]
            part["fresh"] = self.fresh_loss[:, repeat, at]
            part["accuracy"] = self.fresh_accuracy[:, repeat, at]
            parts.append(part)
        return pd.concat(parts, ignore_index=True)


def load_table(name: str) -> Table:
    """Return the table "digits" or "simulated", or that of a file, given by its path.

    Raises ValueError for another name, and for a file whose checksum does not fit its contents.
    """
    if name in SHIPPED:
        return _load(FOLDER / f"{name}.npz")
    if not name.endswith(".npz"):
        raise ValueError(f"name is {name!r}; allowed are {', '.join(SHIPPED)}, or a file's path")
    return _load(Path(name))


def of_the_pool(n_trials: int) -> int:
    """Return the number of trials; ValueError for more of them than a table's pools hold.

    Behind its pool a table has the points of grids, which no random search should try.
    """
    return as_count("n_trials", n_trials, most=N_POOL)


@cache
def _load(path: Path) -> Table:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    checksum = str(arrays.pop("checksum"))
    if checksum != fingerprint(arrays):
        raise ValueError(f"table {path.name} is damaged: its checksum is another; `make table`")
    about = json.loads(str(arrays["about"]))
    n_val, n_judges = tuple(about["n_val"]), about["n_judges"]
    return Table(
        name=about["name"],
        n_val=n_val,
        epochs=tuple(about["epochs"]),
        n_judges=n_judges,
        loss=arrays["loss"].astype(float),
        accuracy=arrays["n_right"] / np.array(n_val)[:, None],
        fresh_loss=arrays["fresh_loss"].astype(float),
        fresh_accuracy=arrays["fresh_right"] / (n_judges * about["n_judging"]),
        pool_means=arrays["pool_means"],
        about=about,
        checksum=checksum,
    )


# --- a problem for the laboratory -----------------------------------------------------------------


def table_problem(name: str, n_val: int, *, live: bool = False) -> Problem:
    """Return the problem of tuning the network on a table's data, for `hpt_helpers.classroom.lab`.

    n_val: on how many validation rows a search judges its trials, one of the table's numbers.
    live: False draws all configurations from the pool of the repeat, and looks losses up. True is
        the same problem for searches that propose points of their own: the space is the whole one,
        and every trial is trained, on the same rows and under the same seeds.
    A winner is judged by the table's judges of its repeat: looked up if it is in the table, or else
    trained for them. The problem's grids are those of the table.
    """
    table = load_table(name)
    table.rows(n_val)
    if live and table.recipe.random_state is not None:
        raise ValueError(
            f"table {table.name!r} has data that `load_splits` does not know, so no live"
        )
    data = Data(table.recipe.data, N_TRAIN, n_val)
    return Problem(
        f"{table.name}, {n_val} rows",
        Whole(table.recipe.space) if live else Pools(name),
        Trainings(data) if live else Lookups(name, n_val, table.checksum),
        Judges(name, n_val),
        n_epochs=table.epochs[-1],
        n_judges=table.n_judges,
        grids={axes: grid(table.recipe, axes) for axes in table.recipe.grids},
    )


@dataclass(frozen=True)
class Whole:
    """The same space in every repeat."""

    space: SearchSpace

    def __call__(self, repeat: int) -> SearchSpace:
        return self.space


@dataclass(frozen=True)
class Pools:
    """The space of each repeat of a table, which draws from its pool."""

    name: str

    def __call__(self, repeat: int) -> PoolSpace:
        table = load_table(self.name)
        return PoolSpace(table.recipe.space, table.configs(repeat)[:N_POOL], repeat)


@dataclass(frozen=True)
class Lookups:
    """An objective that answers from a table; a request's seed is its repeat.

    A search is charged the epochs that training would have cost. A configuration that the table
    does not have is refused: a failed trial that costs nothing. Raises ValueError for epochs and
    repeats that it does not have, since then the whole search is a mistake.
    """

    name: str
    n_val: int
    checksum: str
    identity = staticmethod(training_key)

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        table = load_table(self.name)
        rows = table.rows(self.n_val)
        for config, n_epochs, repeat, _ in requests:
            table.check_repeat(repeat)
            table.place_of(n_epochs)
            try:
                i, r, k = table.entry(config, n_epochs, repeat)
            except (TypeError, ValueError) as error:
                yield Outcome(math.nan, reason=str(error), n_trained=0)
                continue
            loss = float(table.loss[i, r, rows, k])
            reason = "" if math.isfinite(loss) else "diverged: validation loss not finite"
            yield Outcome(loss, float(table.accuracy[i, r, rows, k]), reason)


@dataclass(frozen=True)
class Judges:
    """What winners are worth, as `problems.Problem` asks: looked up, or trained if not there."""

    name: str
    n_val: int

    def __call__(
        self, choices: Sequence[Chosen], purpose: str, n: int, progress: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return losses and accuracies of the choices.

        For the purpose "judge" they are the means over all judges of each one's repeat, of shape
        (n_choices, 1), and n must be the number of judges. For "finalist" each is trained on n new
        splits of the rows that its search has, 320 for training and the others for validation:
        shape (n_choices, n). Raises ValueError for another number of judges, another purpose, and
        a repeat that the table does not have.
        """
        if purpose == "judge":
            return self._verdicts(choices, n, progress)
        if purpose != "finalist":
            raise ValueError(f"purpose is {purpose!r}; a table knows 'judge' and 'finalist'")
        for choice in choices:
            load_table(self.name).check_repeat(choice.repeat)
        jobs = [
            (choice.config, choice.n_epochs, choice.repeat, draw)
            for choice in choices
            for draw in own_draws(choice.repeat, "finalist", n)
        ]
        loss, accuracy = _train_each(self, purpose, jobs, progress)
        return loss.reshape(-1, n), accuracy.reshape(-1, n)

    def rows(self, purpose: str, repeat: int, which: int) -> Splits:
        """Return the rows of a repeat's judge, or a new split of the rows of its searches."""
        recipe = load_table(self.name).recipe
        if purpose == "judge":
            return judge_rows(recipe, repeat, which)
        return resplit(recipe, repeat, self.n_val, which)

    def seed(self, purpose: str, repeat: int, which: int) -> int:
        return judge_number(repeat, which) if purpose == "judge" else which

    def _verdicts(self, choices: Sequence[Chosen], n: int, progress: bool):
        table = load_table(self.name)
        if n != table.n_judges:
            raise ValueError(f"n_judges is {n}; table {self.name!r} has {table.n_judges} a repeat")
        found, unknown = np.empty((2, len(choices))), []
        for i, choice in enumerate(choices):
            if table.has(choice.config, choice.repeat):
                entry = table.entry(*choice)
                found[:, i] = table.fresh_loss[entry], table.fresh_accuracy[entry]
            else:
                unknown.append(i)
        if unknown:
            jobs = [(*choices[i], judge) for i in unknown for judge in range(n)]
            trained = np.array(_train_each(self, "judge", jobs, progress))
            found[:, unknown] = trained.reshape(2, -1, n).mean(axis=2)
        return found[0][:, None], found[1][:, None]


def resplit(recipe: Recipe, repeat: int, n_val: int, draw: int) -> Splits:
    """Return the rows that a repeat's searches have, split anew: 320 for training, n_val others."""
    splits = rows_to_search(recipe, repeat)
    X, y = splits.search_rows()
    order = np.random.default_rng(draw).permutation(N_TRAIN + n_val)
    return cut(splits, X[order], y[order])


def rows_to_search(recipe: Recipe, repeat: int) -> Splits:
    """Return `search_rows`, from memory where they were asked for before: to draw 2,320 of 60,000
    rows takes longer than some trainings.
    """
    if recipe.random_state is not None:
        return search_rows(recipe, repeat)
    return rows_of(Data(recipe.data, N_TRAIN), repeat)


def _train_each(judges: Judges, purpose: str, jobs: Sequence, progress: bool):
    """Return loss and accuracy of each job (config, n_epochs, repeat, which), from the cache if
    they are in it.
    """
    repeats = sorted({repeat for _, _, repeat, _ in jobs})
    pieces = [[job for job in jobs if job[2] == repeat] for repeat in repeats]
    done = cached_each(_train_jobs, [(judges, purpose, p) for p in pieces], progress=progress)
    loss, accuracy = np.empty(len(jobs)), np.empty(len(jobs))
    for repeat, arrays in zip(repeats, done, strict=True):
        places = [i for i, job in enumerate(jobs) if job[2] == repeat]
        loss[places], accuracy[places] = arrays["loss"], arrays["accuracy"]
    return loss, accuracy


@one_thread()
def _train_jobs(judges: Judges, purpose: str, jobs: Sequence) -> dict[str, np.ndarray]:
    rows = {which: judges.rows(purpose, repeat, which) for _, _, repeat, which in jobs}
    seeds = [judges.seed(purpose, repeat, which) for _, _, repeat, which in jobs]
    configs, epochs = [config for config, *_ in jobs], [n_epochs for _, n_epochs, _, _ in jobs]
    splits, scores = [rows[which] for *_, which in jobs], np.empty((len(jobs), 2))
    for epoch, network in networks_after(epochs, configs, splits, seeds):
        for i in np.flatnonzero(np.array(epochs) == epoch).tolist():
            scores[i] = evaluate(network(i), splits[i].X_val, splits[i].y_val)
    scores[~np.isfinite(scores[:, 0])] = np.nan  # diverged
    return {"loss": scores[:, 0], "accuracy": scores[:, 1]}


# --- for whoever does not believe it --------------------------------------------------------------


def train_again(
    name: str, entries: Iterable[tuple[int, int]], n_val: int, *, n_epochs: int = 27
) -> pd.DataFrame:
    """Train entries of a table anew, in plain PyTorch with `fit`, and set both side by side.

    entries: pairs (position of a configuration, repeat), such as [(3, 0), (512, 29)].
    Columns: position, repeat, in_table and trained (losses on n_val validation rows),
    fresh_in_table and fresh_trained (means over the repeat's judges), and difference, the larger of
    the two. A table keeps seven digits. The five trainings of an entry take about a second.
    """
    table = load_table(name)
    rows, found = table.rows(n_val), []
    for position, repeat in entries:
        configs = table.configs(repeat)
        config = configs[as_count("position", position, least=0, most=len(configs) - 1)]
        entry = table.entry(config, n_epochs, repeat)
        splits = load_splits(table.recipe.data, draw=repeat, n_train=N_TRAIN, n_val=n_val)
        trained = fit(config, splits, n_epochs=n_epochs, seed=repeat).val_loss[-1]
        judged = []
        for judge in range(table.n_judges):
            splits, seed = judge_rows(table.recipe, repeat, judge), judge_number(repeat, judge)
            judged.append(fit(config, splits, n_epochs=n_epochs, seed=seed).val_loss[-1])
        stored = [table.loss[position, repeat, rows, entry[2]], table.fresh_loss[entry]]
        anew = [trained, np.mean(judged)]
        difference = np.abs(np.subtract(stored, anew)).max()
        found.append((position, repeat, stored[0], anew[0], stored[1], anew[1], difference))
    columns = ["position", "repeat", "in_table", "trained", "fresh_in_table", "fresh_trained"]
    return pd.DataFrame(found, columns=[*columns, "difference"])
