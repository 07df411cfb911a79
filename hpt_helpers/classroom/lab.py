"""The laboratory: how the course measures searches. Train, search, choose, judge fresh, compare.

A **repeat** r is draw r of the rows and training seed r; the sealed test rows stay. A **search** is
a function (space, repeat, n_trials, n_epochs) -> strategy, so that a lesson can race one that it
shows. A **Problem** is what searches are raced on. Every repeat has **judges of its own**: draws
and seeds that chose nothing, and that judge nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import astuple, dataclass
from functools import lru_cache, partial
from itertools import groupby, product
from typing import NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.classroom.cache import cached, cached_each
from hpt_helpers.classroom.fingerprint import fingerprint
from hpt_helpers.classroom.processes import share
from hpt_helpers.config import (
    as_count,
    as_seed,
    config_key,
    key_of_checked,
    network_config,
    training_key,
)
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.population import fit_many
from hpt_helpers.search import Objective, Outcome, Request, Strategy, run_many
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import hyperband_schedule
from hpt_helpers.training import LearningCurves, failure_reason

SAME = 1e-9  # the one tie rule: losses that differ by no more are equal
TOGETHER = 256  # so many networks are a piece of a training, which one process does
FEW = 40  # to train fewer networks than this takes about as long as to train one
REPEATS_TOGETHER = 20  # so many repeats of a search run in step, in one process

# What draws of a repeat's own are for, a hundred for each.
PURPOSES = ("judge", "finalist", "mean", "luck")
FIRST_OWN, N_OWN = 10_000, 100

Search = Callable[[SearchSpace, int, int, int], Strategy]


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

    purpose: one of PURPOSES. No repeat below 10,000 is among them. Raises ValueError for another
    purpose, for a repeat of 10,000 or more, and for more than 100 draws.

    >>> own_draws(3, "judge", 5)
    range(11200, 11205)
    """
    if purpose not in PURPOSES:
        raise ValueError(f"purpose is {purpose!r}; allowed are {', '.join(PURPOSES)}")
    as_count("n", n, most=N_OWN)
    place = as_count("repeat", repeat, least=0, most=FIRST_OWN - 1) * len(PURPOSES)
    first = FIRST_OWN + N_OWN * (place + PURPOSES.index(purpose))
    return range(first, first + n)


# --- training -------------------------------------------------------------------------------------


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
    return LearningCurves(*_padded(trainings))


def _training(job: Job) -> tuple[Training, int]:
    data, config, draw, seed, n_epochs = job
    n_epochs = as_count("n_epochs", n_epochs)
    # all draws have as many rows
    checked = network_config(config, rows_of(data, 0), n_epochs=n_epochs)
    return Training(data, key_of_checked(checked), draw, as_seed("seed", seed)), n_epochs


def _train(todo: list[tuple[Training, int]], contents: list, *, progress: bool) -> dict:
    """Return the curves of these trainings, (3, n, longest); contents: what the data sets hold."""
    _train_new(todo, partial(share, progress=progress))
    return {"curves": _padded(todo)}


def _train_new(todo: Iterable[tuple[Training, int]], do_each: Callable = map) -> None:
    """Train what this process has not trained so far yet, and remember it.

    do_each: map, or `share`, by which other processes take part.
    """
    pieces = _pieces((training, n) for training, n in todo if _n_known(training) < n)
    with closing(_each(do_each(_train_piece, pieces))) as trained:
        for piece, curves in zip(pieces, trained, strict=True):
            for (training, _), of_one in zip(piece, curves.swapaxes(0, 1), strict=True):
                _remember(training, of_one)


def _each(results: Iterable) -> Iterator:
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


def forget() -> None:
    """Forget what this process has trained, so that it comes from the cache, or is trained anew."""
    _known.clear()


def _n_known(training: Training) -> int:
    return _known[training].shape[1] if training in _known else 0


def _remember(training: Training, curves: np.ndarray) -> None:
    if curves.shape[1] > _n_known(training):
        _known[training] = curves


def _padded(todo: Sequence[tuple[Training, int]]) -> np.ndarray:
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


# --- problems -------------------------------------------------------------------------------------


class Chosen(NamedTuple):
    """A configuration that a search chose, the epoch at which it did, and the search's repeat."""

    config: Mapping
    n_epochs: int
    repeat: int


Measure = Callable[[Sequence[Chosen], str, int, bool], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Problem:
    """What searches are raced on.

    space: repeat -> search space. n_epochs: those of a full training, 1 where there are none.
    objective: as `hpt_helpers.search` has it; the seed of a request is the repeat of its search.
    measure: (choices, purpose, n, progress) -> losses and accuracies, each of shape (n_choices, n),
        on `own_draws` of each one's repeat, or on whatever else no search sees.
    n_draws: of how many draws a loss is the mean, so many times does a trial cost its epochs.

    All fields have a `fingerprint`, and go to another process: give functions of a module or of a
    notebook, or `functools.partial` of these.
    """

    name: str
    space: Callable[[int], SearchSpace]
    objective: Objective
    measure: Measure
    n_epochs: int = 1
    n_draws: int = 1


def network_problem(
    data: Data | str, space: SearchSpace, n_epochs: int, *, n_draws: int = 1
) -> Problem:
    """Return the problem of tuning the course's network on this data.

    n_draws: 1 judges a trial by its repeat's draw and seed; with more, its loss is the mean over
    that and others that only this repeat has.
    """
    data = as_data(data)
    return Problem(
        data.name,
        partial(_space_of_all, space),
        Trainings(data, n_draws),
        partial(_measure_network, data),
        n_epochs,
        n_draws,
    )


def _space_of_all(space: SearchSpace, repeat: int) -> SearchSpace:
    return space


def _measure_network(data: Data, choices: Sequence[Chosen], purpose: str, n: int, progress: bool):
    jobs = [
        Job(data, choice.config, draw, draw, choice.n_epochs)
        for choice in choices
        for draw in own_draws(choice.repeat, purpose, n)
    ]
    curves = train(jobs, progress=progress)
    at = np.arange(len(jobs)), [job.n_epochs - 1 for job in jobs]
    return curves.val_loss[at].reshape(-1, n), curves.val_accuracy[at].reshape(-1, n)


@dataclass(frozen=True)
class Trainings:
    """An objective that trains the course's network; a request's seed is its repeat.

    A configuration that cannot be trained is refused: a failed trial that costs nothing.
    """

    data: Data
    n_draws: int = 1
    identity = staticmethod(training_key)

    def __call__(self, requests: list[Request]) -> list[Outcome]:
        outcomes, todo = {}, {}
        for i, request in enumerate(requests):
            try:
                todo[i] = self._trainings(request)
            except (TypeError, ValueError) as error:
                outcomes[i] = Outcome(math.nan, reason=str(error), n_trained=0)
        _train_new(item for items in todo.values() for item in items)
        for i, items in todo.items():
            _, losses, accuracies = _padded(items)
            reason = next(filter(None, map(failure_reason, losses)), "")
            outcomes[i] = Outcome(losses[:, -1].mean(), accuracies[:, -1].mean(), reason)
        return [outcomes[i] for i in range(len(requests))]

    def _draws(self, repeat: int) -> list[int]:
        others = own_draws(repeat, "mean", self.n_draws - 1) if self.n_draws > 1 else []
        return [repeat, *others]

    def _trainings(self, request: Request) -> list[tuple[Training, int]]:
        """Return the trainings that a request asks for; raise if it cannot be trained."""
        n_epochs = request.n_epochs
        checked = network_config(request.config, rows_of(self.data, 0), n_epochs=n_epochs)
        key = key_of_checked(checked)
        return [(Training(self.data, key, d, d), n_epochs) for d in self._draws(request.seed)]


# --- searches -------------------------------------------------------------------------------------


def hyperband_epochs(max_epochs: int) -> int:
    """Return how many epochs a Hyperband with R = max_epochs trains when its survivors train on.

    >>> hyperband_epochs(27)
    357
    """
    return schedule_epochs(hyperband_schedule(max_epochs))


def schedule_epochs(schedule: Sequence[Sequence[tuple[int, int]]]) -> int:
    """Return how many epochs brackets train when their survivors train on.

    schedule: brackets of rungs (n_configs, n_epochs), as `hyperband_schedule` returns them.

    >>> schedule_epochs([[(9, 1), (3, 3), (1, 9)]])
    21
    """
    total = 0
    for rungs in schedule:
        before = [0, *(n_epochs for _, n_epochs in rungs)]
        total += sum(n * (n_epochs - b) for (n, n_epochs), b in zip(rungs, before, strict=False))
    return total


def search(
    problem: Problem,
    searches: Mapping[str, Search],
    *,
    repeats: Iterable[int],
    n_trials: int | None = None,
    budget: int | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Return every trial of each search in each repeat, in the order of evaluation.

    n_trials: how many full trainings each search may make; or budget: how many epochs it may train,
        as where some trials are shorter. Give one of the two. (A trial that is the mean of several
        draws counts as one training.)
    Columns: search, repeat, trial (from 0), config, n_epochs, spent (the search's epochs so far),
    val_loss and val_accuracy; both are nan where a trial failed. The trials of a search are cached
    under the `fingerprint` of its function, and of the problem. Raises ValueError unless one of
    n_trials and budget is given, KeyboardInterrupt where an interrupt cuts a search short, and what
    the objective raises.
    """
    if (n_trials is None) == (budget is None):
        raise ValueError(f"n_trials is {n_trials}, budget is {budget}; one of them is needed")
    if budget is None:
        budget = as_count("n_trials", n_trials) * problem.n_epochs
    budget, repeats = as_count("budget", budget, least=problem.n_epochs), list(repeats)
    blocks = [repeats[i : i + REPEATS_TOGETHER] for i in range(0, len(repeats), REPEATS_TOGETHER)]
    pieces = list(product(searches, blocks))
    each = [(problem, budget, searches[label], block) for label, block in pieces]
    found = cached_each(_search, each, progress=progress)
    parts = [
        pd.DataFrame(arrays).assign(search=label)
        for (label, _), arrays in zip(pieces, found, strict=True)
    ]
    table = pd.concat(parts, ignore_index=True)
    table["config"] = table["config"].map(json.loads)
    return table[
        ["search", "repeat", "trial", "config", "n_epochs", "spent", "val_loss", "val_accuracy"]
    ]


def _search(problem: Problem, budget: int, make: Search, repeats: list[int]) -> dict:
    n_trials = budget // problem.n_epochs
    strategies = [make(problem.space(r), r, n_trials, problem.n_epochs) for r in repeats]
    tables = run_whole(strategies, problem.objective, budget=budget, seeds=repeats)
    parts = []
    for repeat, table in zip(repeats, tables, strict=True):
        trials = table[["n_epochs", "val_loss", "val_accuracy"]].reset_index()
        trials["spent"] = problem.n_draws * table["charged_epochs"].cumsum()
        trials["config"] = [json.dumps(config) for config in table["config"]]
        parts.append(trials.assign(repeat=repeat))
    whole = pd.concat(parts, ignore_index=True)
    return {column: np.array(whole[column].tolist()) for column in whole}


def run_whole(strategies: Sequence[Strategy], objective: Objective, **options):
    """Run the searches as `run_many` does, but end with an interrupt and with what is raised.

    To a searcher half a search is something, and a trial that raises has failed. To a measurement
    both are wrong numbers, and worse in a cache.
    """
    try:
        return run_many(strategies, _strict(objective), on_interrupt="raise", **options)
    except _Raised as raised:
        raise raised.__cause__ from None


class _Raised(BaseException):
    """Carries an objective's exception past `run_many`, which takes an Exception for a failure."""


def _strict(objective: Objective) -> Objective:
    def ask(requests):
        try:
            return list(objective(requests))
        except Exception as error:
            raise _Raised from error

    ask.identity = getattr(objective, "identity", lambda config: None)
    return ask


# --- winners --------------------------------------------------------------------------------------


def winners(trials: pd.DataFrame, n: int = 1) -> pd.DataFrame:
    """Return the n best trials of each search in each repeat, of every configuration its best one.

    The lowest loss is the best; of those that are equal by SAME the one of fewest epochs, then the
    first. A failed trial never wins.
    Columns: those of `search`, and looks (how many losses the search looked at) and epochs (how
    many it trained in all). Raises ValueError where all trials of a repeat have failed.
    """
    groups = trials.groupby(["search", "repeat"], sort=False)
    place = groups.ngroup()
    table = trials.assign(
        place=place,
        looks=place.map(place.value_counts()),
        epochs=groups["spent"].transform("max"),
        same_config=trials["config"].map(config_key),
    )
    table = table.dropna(subset="val_loss").sort_values(["place", "val_loss"], kind="stable")
    # equal losses are on one level
    table["level"] = (table.groupby("place")["val_loss"].diff() > SAME).cumsum()
    table = table.sort_values(["place", "level", "n_epochs", "trial"])
    best = table.drop_duplicates(["place", "same_config"]).groupby("place").head(n)
    if best["place"].nunique() < groups.ngroups:
        label, repeat = trials.loc[~place.isin(best["place"]), ["search", "repeat"]].iloc[0]
        raise ValueError(f"no trial of {label!r} in repeat {repeat} succeeded; it has no winner")
    return best[[*trials.columns, "looks", "epochs"]].reset_index(drop=True)


def judge(
    problem: Problem, winners: pd.DataFrame, n_judges: int = 10, *, progress: bool = False
) -> pd.DataFrame:
    """Return the winners with what each is worth on draws that did not choose it.

    Each is trained again on n_judges draws and seeds that only its repeat has. Columns added: fresh
    and accuracy, the means at the epoch at which it won; and in_full, the mean loss after all
    epochs of the problem.
    """
    measure = partial(_measured, problem, winners, "judge", n_judges, progress)
    in_full = fresh = measure(problem.n_epochs)
    if (winners["n_epochs"] != problem.n_epochs).any():
        fresh = measure(None)
    return winners.assign(fresh=fresh[0], in_full=in_full[0], accuracy=fresh[1])


def race(
    problem: Problem,
    searches: Mapping[str, Search],
    n_trials: int = 40,
    *,
    repeats: Iterable[int] = range(30),
    n_judges: int = 4,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the winner of each search in each repeat, judged fresh: the columns of `judge`.

    Each search may spend the epochs of n_trials full trainings. Tables have 30 repeats, 4 judges.
    """
    trials = search(problem, searches, repeats=repeats, n_trials=n_trials, progress=progress)
    return judge(problem, winners(trials), n_judges, progress=progress)


def retrain(
    problem: Problem,
    trials: pd.DataFrame,
    n_finalists: int = 5,
    n_draws: int = 4,
    *,
    progress: bool = False,
) -> pd.DataFrame:
    """Return the best trials of each search in each repeat, trained again: the columns of `search`.

    Each finalist's val_loss is then the mean over n_draws draws and seeds that only its repeat has
    and that did not choose it; spent has the epochs of all finalists added. So the `winners` of
    this table are those of a search that retrains its finalists.
    """
    finalists = winners(trials, n_finalists)
    loss, accuracy = _measured(problem, finalists, "finalist", n_draws, progress, None)
    groups = finalists.groupby(["search", "repeat"], sort=False)["n_epochs"]
    spent = finalists["epochs"] + n_draws * groups.transform("sum")
    found = finalists.assign(val_loss=loss, val_accuracy=accuracy, spent=spent)
    return found[list(trials.columns)]


def _measured(
    problem: Problem,
    winners: pd.DataFrame,
    purpose: str,
    n: int,
    progress: bool,
    n_epochs: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean loss and accuracy of each winner on n draws of its repeat's own.

    n_epochs: how long each is trained; None for the epochs at which it won.
    """
    rows = zip(winners["config"], winners["n_epochs"], winners["repeat"], strict=True)
    choices = [
        Chosen(config, n_epochs or int(epoch), int(repeat)) for config, epoch, repeat in rows
    ]
    loss, accuracy = problem.measure(choices, purpose, n, progress)
    return loss.mean(axis=1), accuracy.mean(axis=1)


# --- comparisons ----------------------------------------------------------------------------------


class Pairs(NamedTuple):
    """In how many pairs the first loss is lower, level with the second, or higher."""

    wins: int
    ties: int
    defeats: int


def pairs(losses: Iterable[float], others: Iterable[float]) -> Pairs:
    """Compare losses in pairs: those that differ by at most SAME are level.

    >>> pairs([0.1, 0.2, 0.3], [0.2, 0.2 + 1e-12, 0.2])
    Pairs(wins=1, ties=1, defeats=1)
    """
    gaps = np.asarray(losses, dtype=float) - np.asarray(others, dtype=float)
    if np.isnan(gaps).any():
        raise ValueError(f"{np.isnan(gaps).sum()} of the {len(gaps)} pairs hold a nan")
    wins, defeats = int((gaps < -SAME).sum()), int((gaps > SAME).sum())
    return Pairs(wins, len(gaps) - wins - defeats, defeats)


def compare(table: pd.DataFrame, other: str, by: str = "fresh") -> pd.DataFrame:
    """Compare each search with another one in pairs, one for each repeat: a row for each search.

    table: columns search, repeat and by, as `judge` returns them. Columns: search; ratio, how many
    times the other's loss its own is (the geometric mean over the repeats; nan where a loss is not
    above 0), with low and high, its 95 % `bootstrap` interval; wins, ties, defeats (see `pairs`),
    and of, the repeats.
    """
    losses = table.pivot(index="repeat", columns="search", values=by)
    rows = []
    for label in table["search"].unique():
        if label == other:
            continue
        ours, theirs = losses[label].to_numpy(), losses[other].to_numpy()
        ratio = (math.nan,) * 3
        if min(ours.min(), theirs.min()) > 0:
            logs = np.log(ours / theirs)
            ratio = tuple(float(value) for value in np.exp([logs.mean(), *bootstrap(logs)]))
        rows.append((label, *ratio, *pairs(ours, theirs), len(ours)))
    columns = ["search", "ratio", "low", "high", *Pairs._fields, "of"]
    return pd.DataFrame(rows, columns=columns)


def bootstrap(values: Sequence[float], n_resamples: int = 10_000) -> tuple[float, float]:
    """Return a 95 % interval of the mean, by drawing the values again with replacement.

    It holds all luck that differs from value to value. Every repeat has rows, a seed and judges of
    its own, so to draw repeats is to draw their judges, too. (Judges that all repeats share would
    move all values together, and no resampling of the repeats shows that.)
    """
    values = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(values), size=(n_resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Return the mean and its standard error, of values from independent repeats."""
    values = np.asarray(values, dtype=float)
    return float(values.mean()), float(values.std(ddof=1) / len(values) ** 0.5)
