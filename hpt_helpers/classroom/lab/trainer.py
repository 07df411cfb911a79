"""Training jobs: many trainings of the course's network at once, each done only once.

A **job** says what is trained: a configuration, on which draw of the rows, under which seed, and
how long. Every repeat has **draws of its own** for each purpose, which nothing else uses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, replace
from functools import lru_cache, partial
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from hpt_helpers.arguments import as_count, as_seed
from hpt_helpers.classroom.computing.cache import cached
from hpt_helpers.classroom.computing.fingerprint import fingerprint
from hpt_helpers.classroom.computing.processes import share
from hpt_helpers.config import key_of_checked, network_config
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.population import Population, fit_many
from hpt_helpers.training import LearningCurves

# So many networks are a piece of a training, which one process does. More processes cut no smaller
# pieces: who trains together decides how sums are rounded. Of 256 trainings, one loss in seven on
# iris had another last digit in pieces of 128.
TOGETHER = 256
FEW = 40  # to train fewer networks than this takes about as long as to train one

# What draws of a repeat's own are for, a hundred for each.
PURPOSES = ("judge", "finalist", "mean", "luck")
FIRST_OWN, N_OWN = 10_000, 100
END_OWN = 1_000_000  # the judges of tables begin here
# As many repeats can have draws of their own.
MOST_REPEATS = (END_OWN - FIRST_OWN) // (N_OWN * len(PURPOSES))


class Data(NamedTuple):
    """A data set, and how many of its rows train and validate; None for the usual numbers."""

    name: str
    n_train: int | None = None
    n_val: int | None = None


class Job(NamedTuple):
    """A training to be done: of what, on which draw of the rows, under which seed, how long."""

    data: Data
    config: Mapping
    draw: int
    seed: int
    n_epochs: int


class Training(NamedTuple):
    """A job but for its epochs, with the identity of its configuration: `training_key`."""

    data: Data
    config: str
    draw: int
    seed: int


# What this process has trained: curves of shape (3, n_epochs), in the order of LearningCurves.
_known: dict[Training, np.ndarray] = {}


def as_data(data: Data | str) -> Data:
    """Return a data set given by its name, or by name and numbers of rows, as Data."""
    return Data(data) if isinstance(data, str) else data


@lru_cache(maxsize=1000)  # to draw the rows anew takes longer than some trainings
def rows_of(data: Data, draw: int) -> Splits:
    """Return a draw of the rows; one that was asked for before comes from memory."""
    return load_splits(data.name, draw=draw, n_train=data.n_train, n_val=data.n_val)


def own_draws(repeat: int, purpose: str, n: int) -> range:
    """Return n draws (and seeds) that only this repeat uses, and only for this purpose.

    purpose: one of PURPOSES. No repeat is among them, and no judge of a table. Raises ValueError
    for another purpose, for a repeat of 2,475 or more, and for more than 100 draws.

    >>> own_draws(3, "judge", 5)
    range(11200, 11205)
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose is {purpose!r}; allowed are {', '.join(PURPOSES)}")
    as_count("n", n, most=N_OWN)
    place = as_count("repeat", repeat, least=0, most=MOST_REPEATS - 1) * len(PURPOSES)
    first = FIRST_OWN + N_OWN * (place + PURPOSES.index(purpose))
    return range(first, first + n)


def train(jobs: Iterable[Job], *, progress: bool = False) -> LearningCurves:
    """Return the learning curves of the jobs, of shape (n_jobs, longest n_epochs).

    Beyond a job's own epochs they are nan. They come from the cache where they are in it, and what
    this process has trained is not trained again. The numbers are those of `fit`, within 1e-9.
    Raises ValueError or TypeError for a configuration that cannot be trained on its data.
    """
    trainings = [_training(job) for job in jobs]
    longest: dict[Training, int] = {}
    for training, n_epochs in trainings:
        longest[training] = max(n_epochs, longest.get(training, 0))
    contents = [[data, _digest(data)] for data in {training.data: None for training in longest}]
    todo = list(longest.items())
    for (training, n_epochs), curves in zip(
        todo,
        cached(_train, todo, contents, progress=progress)["curves"].swapaxes(0, 1),
        strict=True,
    ):
        _remember(training, curves[:, :n_epochs])
    return LearningCurves(*known_curves(trainings))


def _training(job: Job) -> tuple[Training, int]:
    data, config, draw, seed, n_epochs = job
    n_epochs = as_count("n_epochs", n_epochs)
    # all draws have as many rows
    checked = network_config(config, rows_of(data, 0), n_epochs=n_epochs)
    return Training(data, key_of_checked(checked), draw, as_seed("seed", seed)), n_epochs


def _train(todo: list[tuple[Training, int]], contents: list, *, progress: bool) -> dict:
    """Return the curves of these trainings, (3, n, longest); contents: what the data sets hold."""
    ensure_trained(todo, partial(share, progress=progress))
    return {"curves": known_curves(todo)}


def ensure_trained(todo: Iterable[tuple[Training, int]], do_each: Callable = map) -> None:
    """Train what this process has not trained so far yet, and remember it.

    do_each: map, or `share`, by which other processes take part.
    """
    pieces = _pieces((training, n) for training, n in todo if _n_known(training) < n)
    with closing(_each(do_each(_train_piece, pieces))) as trained:
        for piece, curves in zip(pieces, trained, strict=True):
            for (training, _), of_one in zip(piece, curves.swapaxes(0, 1), strict=True):
                _remember(training, of_one)


def _each(results: Iterable) -> Generator[Any, None, None]:
    """Yield the results; if this is closed, so is what makes them."""
    yield from results


def _pieces(todo: Iterable[tuple[Training, int]]) -> list[list[tuple[Training, int]]]:
    """Cut trainings into pieces, each of one data set and, unless they are few, of similar lengths.

    How they are cut depends on nothing else, so that one processor gives the numbers of two, to the
    last digit.
    """
    pieces = []
    by_data = sorted(todo, key=lambda item: (repr(item[0].data), item[1]))
    for _, of_one in groupby(by_data, lambda item: item[0].data):
        few: list = []  # these train on with longer ones
        for _, group in groupby(of_one, lambda item: item[1].bit_length()):  # 16 to 31 epochs, …
            alike = [*few, *group]
            few = alike if len(alike) < FEW else []
            if not few:
                pieces += _cut(alike)
        pieces += _cut(few) if few else []
    return pieces


def _cut(todo: list[tuple[Training, int]]) -> list[list[tuple[Training, int]]]:
    """Cut trainings into as few pieces as may be; those that see the same rows stand together."""

    def place(item):
        training = item[0]
        batch_size = json.loads(training.config)["batch_size"]
        return training.draw, training.seed, batch_size, training.config

    todo = sorted(todo, key=place)
    n_pieces = math.ceil(len(todo) / TOGETHER)
    size = math.ceil(len(todo) / n_pieces)
    return [todo[i : i + size] for i in range(0, len(todo), size)]


def _train_piece(piece: list[tuple[Training, int]]) -> np.ndarray:
    """Return the curves of a piece, (3, n, longest)."""
    curves = fit_many(
        [json.loads(training.config) for training, _ in piece],
        [rows_of(training.data, training.draw) for training, _ in piece],
        n_epochs=max(n_epochs for _, n_epochs in piece),
        seed=[training.seed for training, _ in piece],
    )
    return np.array(astuple(curves))


def networks_after(
    epochs: Iterable[int],
    configs: Sequence[Mapping],
    splits: Splits | Sequence[Splits],
    seed: int | Sequence[int],
) -> Iterator[tuple[int, Callable[[int], SimpleNN]]]:
    """Train networks together, and hand them over after each of these epochs, the earliest first.

    For what curves do not tell: losses row by row, on parts of the rows, or on rows that are dear
    to look at. Yields pairs (epoch, network); network(i) returns the i-th network as it is then.
    configs: of the networks. splits, seed: one for all of them, or one for each, as in `fit_many`.
    The networks see the training rows of their splits, and of the validation rows only the first,
    because a population looks at all that it has after every epoch.
    """
    given = [splits] * len(configs) if isinstance(splits, Splits) else splits
    one_row = {
        id(rows): replace(rows, X_val=rows.X_val[:1], y_val=rows.y_val[:1]) for rows in given
    }
    population = Population(configs, [one_row[id(rows)] for rows in given], seed=seed)
    for epoch in sorted(set(epochs)):
        yield epoch, population.train_to(epoch).model


def forget() -> None:
    """Forget what this process has trained, so that it comes from the cache, or is trained anew."""
    _known.clear()


def _n_known(training: Training) -> int:
    return _known[training].shape[1] if training in _known else 0


def _remember(training: Training, curves: np.ndarray) -> None:
    if curves.shape[1] > _n_known(training):
        _known[training] = curves


def known_curves(todo: Sequence[tuple[Training, int]]) -> np.ndarray:
    """Return the known curves of these trainings, (3, n, longest); nan beyond their own epochs."""
    longest = max((n_epochs for _, n_epochs in todo), default=0)
    curves = np.full((3, len(todo), longest), np.nan)
    for i, (training, n_epochs) in enumerate(todo):
        curves[:, i, :n_epochs] = _known[training][:, :n_epochs]
    return curves


@lru_cache
def _digest(data: Data) -> str:
    """Return a digest of what a data set holds; a draw's number says the rest of its rows."""
    return fingerprint([part.numpy() for part in rows_of(data, 0).seen])
