"""Tables of losses that were trained once, so that a search looks up what it would have to train.

They are tabular benchmarks as in the literature (Klein & Hutter 2019, "FCNet"; Ying et al. 2019,
"NAS-Bench-101"; Eggensperger et al. 2021, "HPOBench"). `hpt_helpers.classroom.testbed` says what is
in them and how each entry is trained. Nobody has to believe one: `train_again` trains entries of
your choice and compares.

>>> table = load_table("digits")
>>> len(table.configs), table.n_val, table.epochs
(1194, (30, 100, 359), (1, 3, 9, 27))
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.classroom.cache import cached_each
from hpt_helpers.classroom.fingerprint import fingerprint
from hpt_helpers.classroom.lab import Choice, Data, Problem, Trainings, own_draws
from hpt_helpers.classroom.testbed import (
    N_TRAIN,
    RECIPES,
    SHIPPED,
    Recipe,
    cut,
    judge_number,
    judge_rows,
    pool,
)
from hpt_helpers.config import as_count, training_key
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.population import fit_many
from hpt_helpers.search import Outcome, Request
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.training import fit

FOLDER = Path(__file__).with_name("tables")


@dataclass(frozen=True, eq=False)
class Table:
    """The losses of many configurations in many repeats, each judged by judges of its repeat.

    configs: of length n_configs; position i is the same in all arrays.
    loss, accuracy: float, (n_configs, n_repeats, len(n_val), len(epochs)): on the first n_val
        validation rows of the repeat, after these epochs. nan where a training diverged.
    fresh_loss, fresh_accuracy: (n_configs, n_repeats, len(epochs)): the mean over the n_judges of
        the repeat, which train on other rows under other seeds.
    about: what made the file. checksum: of all that is in it.
    """

    name: str
    configs: list[dict]
    n_val: tuple[int, ...]
    epochs: tuple[int, ...]
    n_judges: int
    loss: np.ndarray
    accuracy: np.ndarray
    fresh_loss: np.ndarray
    fresh_accuracy: np.ndarray
    about: dict
    checksum: str

    @property
    def n_repeats(self) -> int:
        return self.loss.shape[1]

    @cached_property
    def _position(self) -> dict[str, int]:
        return {training_key(config): i for i, config in enumerate(self.configs)}

    def __contains__(self, config: Mapping) -> bool:
        return training_key(config) in self._position

    def entry(self, config: Mapping, n_epochs: int, repeat: int) -> tuple[int, int, int]:
        """Return where an entry stands in the arrays: position, repeat, and place among the epochs.

        Raises ValueError for a configuration, an epoch or a repeat that the table does not have.
        """
        key = training_key(config)
        if key not in self._position:
            raise ValueError(
                f"config {dict(config)!r} is not among the {len(self.configs)} of table {self.name!r}"
            )
        if n_epochs not in self.epochs:
            raise ValueError(f"n_epochs is {n_epochs!r}; table {self.name!r} has {self.epochs}")
        as_count("repeat", repeat, least=0, most=self.n_repeats - 1)
        return self._position[key], int(repeat), self.epochs.index(n_epochs)

    def rows(self, n_val: int) -> int:
        """Return the place of a number of validation rows; ValueError for one that is not there."""
        if n_val not in self.n_val:
            raise ValueError(f"n_val is {n_val!r}; table {self.name!r} has {self.n_val}")
        return self.n_val.index(n_val)

    def frame(self, n_val: int, n_epochs: int = 27) -> pd.DataFrame:
        """Return a row for each configuration and repeat: what it is, and what its training gave.

        Columns: position (in configs), the settings, repeat, val_loss, val_accuracy, fresh and
        accuracy; the last two are of the judges.
        """
        rows = self.rows(n_val)
        _, _, k = self.entry(self.configs[0], n_epochs, 0)
        n_configs = len(self.configs)
        settings = pd.DataFrame(self.configs).rename_axis("position").reset_index()
        table = settings.loc[np.repeat(np.arange(n_configs), self.n_repeats)]
        return table.reset_index(drop=True).assign(
            repeat=np.tile(np.arange(self.n_repeats), n_configs),
            val_loss=self.loss[:, :, rows, k].ravel(),
            val_accuracy=self.accuracy[:, :, rows, k].ravel(),
            fresh=self.fresh_loss[:, :, k].ravel(),
            accuracy=self.fresh_accuracy[:, :, k].ravel(),
        )


def load_table(name: str) -> Table:
    """Return the table "digits" or "simulated", or that of a file, given by its path.

    Raises ValueError for another name, and for a file whose checksum does not fit its contents.
    """
    if name in SHIPPED:
        return _load(FOLDER / f"{name}.npz")
    if not name.endswith(".npz"):
        raise ValueError(f"name is {name!r}; allowed are {', '.join(SHIPPED)}, or a file's path")
    return _load(Path(name))


@lru_cache
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
        configs=[json.loads(config) for config in arrays["configs"].tolist()],
        n_val=n_val,
        epochs=tuple(about["epochs"]),
        n_judges=n_judges,
        loss=arrays["loss"].astype(float),
        accuracy=arrays["n_right"] / np.array(n_val)[:, None],
        fresh_loss=arrays["fresh_loss"].astype(float),
        fresh_accuracy=arrays["fresh_right"] / (n_judges * about["n_judging"]),
        about=about,
        checksum=checksum,
    )


# --- a problem for the laboratory -----------------------------------------------------------------


class PoolSpace(SearchSpace):
    """A search space whose samples are configurations of a table, in an order of the seed's.

    So whatever draws from it can be looked up: random search, Hyperband, and searches that choose
    among candidates. Drawn without replacement.
    """

    def __init__(self, space: SearchSpace, configs: Sequence[Mapping]):
        super().__init__(space)
        self.configs = [{name: config[name] for name in space} for config in configs]

    def sample(self, n: int, *, seed: int) -> list[dict]:
        """Return the first n configurations in the order of this seed; ValueError for more than all."""
        n = as_count("n", n, most=len(self.configs))
        order = np.random.default_rng(as_count("seed", seed, least=0)).permutation(
            len(self.configs)
        )
        return [dict(self.configs[i]) for i in order[:n]]


def table_problem(name: str, n_val: int, *, live: bool = False) -> Problem:
    """Return the problem of tuning the network on a table's data, for `hpt_helpers.classroom.lab`.

    n_val: on how many validation rows a search judges its trials, one of the table's numbers.
    live: False draws all configurations from the table's pool, and looks losses up. True is the
        same problem for searches that propose points of their own: the space is the whole one, and
        every trial is trained, on the same rows and under the same seeds.
    A winner is judged by the table's judges of its repeat: looked up if it is in the table, or else
    trained for them. Give `lab.judge` the table's n_judges.
    """
    table = load_table(name)
    table.rows(n_val)
    recipe = RECIPES[table.name]
    if live:
        space, objective = recipe.space, Trainings(Data(recipe.data, N_TRAIN, n_val))
    else:
        space, objective = (
            PoolSpace(recipe.space, pool(recipe)),
            Lookups(name, n_val, table.checksum),
        )
    return Problem(
        f"{recipe.data}, {n_val} rows",
        SpaceOfAll(space),
        objective,
        Judges(name, n_val, table.checksum),
        n_epochs=table.epochs[-1],
    )


@dataclass(frozen=True)
class SpaceOfAll:
    """The same space in every repeat."""

    space: SearchSpace

    def __call__(self, repeat: int) -> SearchSpace:
        return self.space


@dataclass(frozen=True)
class Lookups:
    """An objective that answers from a table; a request's seed is its repeat.

    A search is charged the epochs that training would have cost. What the table does not have is
    refused: a failed trial that costs nothing.
    """

    name: str
    n_val: int
    checksum: str
    identity = staticmethod(training_key)

    def __call__(self, requests: list[Request]) -> Iterator[Outcome]:
        table = load_table(self.name)
        rows = table.rows(self.n_val)
        for config, n_epochs, repeat, _ in requests:
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
    """What winners are worth, as `lab.Problem` asks: looked up, or trained where it is not there."""

    name: str
    n_val: int
    checksum: str

    def __call__(
        self, choices: Sequence[Choice], purpose: str, n: int, progress: bool
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return losses and accuracies of the choices.

        For the purpose "judge" they are the means over all judges of each one's repeat, of shape
        (n_choices, 1), and n must be the number of judges. For "finalist" each is trained on n new
        splits of the rows that its search has, 320 for training and the others for validation:
        shape (n_choices, n). Raises ValueError for another number of judges or another purpose.
        """
        if purpose == "judge":
            return self._verdicts(choices, n, progress)
        if purpose != "finalist":
            raise ValueError(f"purpose is {purpose!r}; a table knows 'judge' and 'finalist'")
        jobs = [
            (choice.config, choice.n_epochs, choice.repeat, draw)
            for choice in choices
            for draw in own_draws(choice.repeat, "finalist", n)
        ]
        loss, accuracy = _train_each(self, purpose, jobs, progress)
        return loss.reshape(-1, n), accuracy.reshape(-1, n)

    def rows(self, purpose: str, repeat: int, which: int) -> Splits:
        """Return the rows of a repeat's judge, or a new split of the rows that its searches have."""
        recipe = RECIPES[load_table(self.name).name]
        if purpose == "judge":
            return judge_rows(recipe, repeat, which)
        return resplit(recipe, repeat, self.n_val, which)

    def seed(self, purpose: str, repeat: int, which: int) -> int:
        return judge_number(repeat, which) if purpose == "judge" else which

    def _verdicts(self, choices, n, progress):
        table = load_table(self.name)
        if n != table.n_judges:
            raise ValueError(f"n_judges is {n}; table {self.name!r} has {table.n_judges} a repeat")
        found = np.empty((2, len(choices)))
        unknown = [i for i, choice in enumerate(choices) if choice.config not in table]
        for i in sorted(set(range(len(choices))) - set(unknown)):
            entry = table.entry(*choices[i])
            found[:, i] = table.fresh_loss[entry], table.fresh_accuracy[entry]
        jobs = [(*choices[i], judge) for i in unknown for judge in range(n)]
        if jobs:
            trained = np.array(_train_each(self, "judge", jobs, progress))
            found[:, unknown] = trained.reshape(2, -1, n).mean(axis=2)
        return found[0][:, None], found[1][:, None]


def resplit(recipe: Recipe, repeat: int, n_val: int, draw: int) -> Splits:
    """Return the rows that a repeat's searches have, split anew: 320 for training, n_val others."""
    splits = load_splits(recipe.data, draw=repeat, n_train=N_TRAIN, n_val=n_val, scaled=False)
    X, y = splits.search_rows()
    order = np.random.default_rng(draw).permutation(len(y))
    return cut(splits, X[order], y[order])


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


def _train_jobs(judges: Judges, purpose: str, jobs: Sequence) -> dict[str, np.ndarray]:
    rows = {which: judges.rows(purpose, repeat, which) for _, _, repeat, which in jobs}
    curves = fit_many(
        [config for config, *_ in jobs],
        [rows[which] for *_, which in jobs],
        n_epochs=max(n_epochs for _, n_epochs, _, _ in jobs),
        seed=[judges.seed(purpose, repeat, which) for _, _, repeat, which in jobs],
    )
    last = np.arange(len(jobs)), [n_epochs - 1 for _, n_epochs, _, _ in jobs]
    return {"loss": curves.val_loss[last], "accuracy": curves.val_accuracy[last]}


# --- for whoever does not believe it --------------------------------------------------------------


def train_again(
    name: str, entries: Iterable[tuple[int, int]], n_val: int, *, n_epochs: int = 27
) -> pd.DataFrame:
    """Train entries of a table anew, in plain PyTorch with `fit`, and set both side by side.

    entries: pairs (position of a configuration, repeat), such as [(3, 0), (512, 29)].
    Columns: position, repeat, in_table and trained (losses on n_val validation rows), fresh_in_table
    and fresh_trained (means over the repeat's judges), and difference, the larger of the two.
    Five trainings an entry take about a second.
    """
    table = load_table(name)
    recipe = RECIPES[table.name]
    rows = table.rows(n_val)
    found = []
    for position, repeat in entries:
        config = table.configs[as_count("position", position, least=0, most=len(table.configs) - 1)]
        entry = table.entry(config, n_epochs, repeat)
        splits = load_splits(recipe.data, draw=repeat, n_train=N_TRAIN, n_val=n_val)
        trained = fit(config, splits, n_epochs=n_epochs, seed=repeat).val_loss[-1]
        fresh = np.mean(
            [
                fit(
                    config,
                    judge_rows(recipe, repeat, judge),
                    n_epochs=n_epochs,
                    seed=judge_number(repeat, judge),
                ).val_loss[-1]
                for judge in range(table.n_judges)
            ]
        )
        stored, stored_fresh = (
            table.loss[entry[0], entry[1], rows, entry[2]],
            table.fresh_loss[entry],
        )
        difference = max(abs(stored - trained), abs(stored_fresh - fresh))
        found.append((position, repeat, stored, trained, stored_fresh, fresh, difference))
    columns = ["position", "repeat", "in_table", "trained", "fresh_in_table", "fresh_trained"]
    return pd.DataFrame(found, columns=[*columns, "difference"])
