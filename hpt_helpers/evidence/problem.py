"""A problem of your own: its search space, its rows, and one training. What was trained is kept.

Each training of a configuration, on one draw of the rows and under one seed, is kept in a file of
the problem's folder. So every question of this package goes on where a kill or an interrupt
stopped it, asks for no training twice, and finds the losses of single rows again.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import math
import os
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

import numpy as np

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import config_key
from hpt_helpers.evidence.rows import Split
from hpt_helpers.objectives import per_trial
from hpt_helpers.protocol import Objective, Outcome, Request, Strategy
from hpt_helpers.search import run
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.trials import as_config, with_tuples

RETURNS = (
    "a loss, a classifier with predict_proba, or a Trained of loss, by_row, by_epoch or model is "
    "needed"
)


class Trained(NamedTuple):
    """What one training gave, of which a loss alone says too little.

    loss: the validation loss; where it is None, the mean of by_row or the last of by_epoch.
    by_row: the losses of the single validation rows at the end, shape (n_val,), which `paired_ties`
        needs. by_epoch: the mean validation loss after each epoch, shape (n_epochs,), which
        `early_order` needs. accuracy: on the validation rows. model: what was trained, which
        `refit` returns and `test_once` scores. reason: why it failed, empty if it did not.
    """

    loss: float | None = None
    by_row: np.ndarray | None = None
    by_epoch: np.ndarray | None = None
    accuracy: float = math.nan
    model: Any = None
    reason: str = ""


class Job(NamedTuple):
    """One training: a configuration, trained to an epoch, on a draw of the rows, under a seed."""

    config: Mapping
    n_epochs: int
    draw: int = 0
    seed: int = 0


class Checkpoint:
    """Where a training keeps what it has reached, so that a later epoch goes on from there.

    n_done: the epoch of what `load` returns, 0 where it returns None.
    """

    def __init__(self, file: Path, n_epochs: int):
        self._file, self._n_epochs = file, n_epochs
        kept = [n for n in _epochs_kept(file) if n <= n_epochs]
        self.n_done = max(kept, default=0)

    def load(self) -> Any:
        """Return what was saved at the latest epoch that is not too late, or None."""
        import joblib

        return joblib.load(_kept_file(self._file, self.n_done)) if self.n_done else None

    def save(self, state: Any) -> None:
        """Keep anything that joblib can store: a model, or a dict of what it takes to go on."""
        import joblib

        self._file.parent.mkdir(parents=True, exist_ok=True)
        kept = _kept_file(self._file, self._n_epochs)
        new = kept.with_name(f"{kept.name}.new{os.getpid()}")
        joblib.dump(state, new)
        new.replace(kept)  # a kill leaves the old one or the new one, whole
        for n in _epochs_kept(self._file):
            if n < self._n_epochs:
                _kept_file(self._file, n).unlink(missing_ok=True)


def _kept_file(file: Path, n_epochs: int) -> Path:
    return file.with_name(f"{file.name}.epoch{n_epochs}")


def _epochs_kept(file: Path) -> list[int]:
    found = file.parent.glob(f"{file.name}.epoch*") if file.parent.exists() else []
    ends = [path.name.rpartition(".epoch")[2] for path in found]
    return [int(end) for end in ends if end.isdigit()]


@dataclass(frozen=True)
class Problem:
    """What you tune: a search space, rows, and a function that trains once.

    space: the `SearchSpace`. You may narrow it later and keep the folder.
    rows: draw -> `Split`, such as a `SealedRows`, or a function of your own that returns anything
        which train understands.
    train: `train(config, n_epochs, rows, seed)`, where rows is what `rows(draw)` returned. It
        returns a loss, a fitted classifier with `predict_proba` (whose log loss, single rows,
        accuracy and, by `staged_predict_proba`, epochs are then worked out here), or a `Trained`.
        A function with a fifth argument, `checkpoint`, is given a `Checkpoint`; each epoch of a
        configuration is then charged once.
    n_epochs: those of a full training, 1 for a model that has none.
    folder: where trainings are kept. It is made, and refused where it is that of other rows or of
        another `train`, whose losses would be taken for these. What counts is the code of train,
        that of the functions which it calls by a name of its own module or notebook, and the plain
        values that it finds there. A change in another module is not seen: give another folder.
    n_threads: how many threads of linear algebra and OpenMP a training may use; None leaves that to
        the libraries. On small tables one is fastest, and beside other programs by far: boosting's
        threads wait for each other.
    """

    space: SearchSpace
    rows: Callable[[int], Any]
    train: Callable[..., Any]
    n_epochs: int = 1
    folder: str | Path = "evidence"
    n_threads: int | None = None
    _splits: dict = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self):
        as_space(self.space)
        as_count("n_epochs", self.n_epochs)
        for name in ("rows", "train"):
            if not callable(getattr(self, name)):
                raise TypeError(f"{name} is {getattr(self, name)!r}; a callable is needed")
        arguments = "(config, n_epochs, rows, seed), or these and checkpoint"
        try:
            n_given = 5 if self.continues else 4
            inspect.signature(self.train).bind(*range(n_given))
        except TypeError as error:
            raise TypeError(
                f"train is {self.train!r}; a function of {arguments} is needed"
            ) from error
        if not isinstance(self.folder, str | os.PathLike):
            raise TypeError(f"folder is {self.folder!r}; a path is needed")
        object.__setattr__(self, "folder", Path(self.folder).resolve())
        self._check_folder()

    def __getstate__(self):
        # a worker draws the rows anew rather than being sent them twice
        return {name: value for name, value in self.__dict__.items() if name != "_splits"} | {
            "_splits": {}
        }

    @cached_property
    def continues(self) -> bool:
        """Whether train takes a checkpoint, so that a later epoch goes on from an earlier one."""
        return "checkpoint" in inspect.signature(self.train).parameters

    def objective(self, draw: int = 0, seed: int = 0) -> Objective:
        """Return the objective for `run`: trials are trained on this draw, under this seed."""
        return _Trainings(self, draw, seed)

    def search(self, strategy: Strategy, *, log: str = "search.jsonl", **options):
        """Run a search on draw 0, with its log in the folder, and return its trial table.

        log: a name for each search of yours. options: those of `run`, such as budget, n_workers,
        trial_seconds and progress. An interrupt is raised, so that nothing after the search runs on
        half of it; the log keeps the trials, and the same call goes on.
        """
        name = json.loads((Path(self.folder) / ABOUT).read_text(encoding="utf-8"))["rows"]
        log_file = Path(self.folder) / log
        settings: dict[str, Any] = {"name": f"rows {name}", "on_interrupt": "raise", **options}
        return run(strategy, self.objective(), log=log_file, **settings)

    def split(self, draw: int) -> Any:
        """Return the rows of a draw, drawn once."""
        if draw not in self._splits:
            self._splits[draw] = self.rows(draw)
        return self._splits[draw]

    # --- trainings --------------------------------------------------------------------------------

    def trained(self, job: Job) -> Trained:
        """Return what a training gave, from the folder or trained now; without its model."""
        kept = self._file(job, "trainings", job.n_epochs)
        if kept.exists():
            return _read(kept)
        found = self._train(job)
        kept.parent.mkdir(parents=True, exist_ok=True)
        _write(kept, found)
        return found._replace(model=None)

    def train_all(
        self, jobs: Sequence[Job], *, n_workers: int = 1, progress: bool = False
    ) -> list[Trained]:
        """Return what each training gave, in their order; a loss of nan where one failed."""
        files = [self._file(job, "trainings", job.n_epochs) for job in jobs]
        todo = [job for job, file in zip(jobs, files, strict=True) if not file.exists()]
        reasons = {}
        n_workers = min(as_count("n_workers", n_workers), len(todo))
        if todo:
            table = run(
                _all_of(todo),
                per_trial(partial(_outcome_of_job, self)),
                n_workers=n_workers,
                on_interrupt="raise",
                progress=progress,
            )
            # with several workers, rows stand in the order in which trials ended
            numbers = table["asked"] if n_workers > 1 else table.index
            asked = [files[jobs.index(todo[i])] for i in numbers]
            reasons = dict(zip(asked, table["reason"], strict=True))
        return [
            _read(file) if file.exists() else Trained(math.nan, reason=reasons[file])
            for file in files
        ]

    def n_kept(self) -> int:
        """Return how many trainings the folder keeps."""
        return len([*(Path(self.folder) / "trainings").glob("*")])

    def _train(self, job: Job) -> Trained:
        checkpoint = Checkpoint(self._file(job, "checkpoints"), job.n_epochs)
        return self.train_on(self.split(job.draw), job, checkpoint)

    def train_on(self, split: Any, job: Job, checkpoint: Checkpoint) -> Trained:
        """Train once on these rows, whatever the folder keeps, and return it with its model."""
        from threadpoolctl import threadpool_limits

        extra = {"checkpoint": checkpoint} if self.continues else {}
        with threadpool_limits(self.n_threads):
            answer = self.train(as_config(job.config), job.n_epochs, split, job.seed, **extra)
            return as_trained(answer, split, job.n_epochs)

    def _file(self, job: Job, kind: str, *more: int) -> Path:
        what = [config_key(job.config), job.draw, job.seed, *more]
        digest = hashlib.sha256(json.dumps(what).encode()).hexdigest()[:32]
        return Path(self.folder) / kind / digest

    # --- the folder -------------------------------------------------------------------------------

    def _check_folder(self) -> None:
        """Say in the folder whose trainings it keeps; ValueError where it says otherwise."""
        about, file = self._about(), Path(self.folder) / ABOUT
        Path(self.folder).mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.write_text(json.dumps(about), encoding="utf-8")
            return
        before = json.loads(file.read_text(encoding="utf-8"))
        if before["rows"] != about["rows"]:
            raise ValueError(f"folder is {self.folder}, which keeps trainings on other rows; {NEW}")
        if before["python"] == about["python"] and before["train"] != about["train"]:
            raise ValueError(
                f"folder is {self.folder}, which keeps trainings of a train function with other "
                f"code; {NEW}"
            )

    def _about(self) -> dict:
        import joblib

        # Python compiles the same function to other code in another version.
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        rows = self.split(0)
        plain = tuple(rows) if isinstance(rows, tuple) else rows
        return {"rows": joblib.hash(plain), "train": _digest_of(self.train), "python": version}


ABOUT = "about.json"
NEW = "give another folder, or delete this one"


def _digest_of(function: Any) -> str:
    """Return a digest of what a function does; its comments and its place are no part of it."""
    return hashlib.sha256(repr(_parts_of(function, set())).encode()).hexdigest()


def _parts_of(value: Any, seen: set[int]) -> Any:
    """Return what a value is, as plain values: of a function its code and what it refers to."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, partial):
        return [_parts_of(part, seen) for part in (value.func, value.args, value.keywords)]
    if isinstance(value, dict):
        return [(str(key), _parts_of(entry, seen)) for key, entry in value.items()]
    if isinstance(value, list | tuple | set | frozenset):
        return [_parts_of(entry, seen) for entry in value]
    function = value if hasattr(value, "__code__") else vars(type(value)).get("__call__")
    code = getattr(function, "__code__", None)
    if isinstance(value, type) or code is None or id(code) in seen:
        return type(value).__name__
    seen.add(id(code))
    cells = [cell.cell_contents for cell in getattr(function, "__closure__", None) or ()]
    known = getattr(function, "__globals__", {})
    named = [known[name] for name in _names_in(code) if name in known]
    beside = [*cells, *named, getattr(function, "__defaults__", None)]
    return [_code_parts(code), [_parts_of(part, seen) for part in beside]]


def _names_in(code: CodeType) -> list[str]:
    """Return the names that a function's code looks up, also inside of functions within it."""
    inner = [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return [*code.co_names, *(name for each in inner for name in _names_in(each))]


def _code_parts(code: CodeType) -> list:
    constants = [_code_parts(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts]
    return [code.co_code, code.co_names, constants]


@dataclass(frozen=True)
class _Trainings:
    """The objective of a problem. It may go back to an earlier epoch: what was trained is kept."""

    problem: Problem
    draw: int
    seed: int

    def __call__(self, requests: list[Request], /) -> Iterator[Outcome]:
        for request in requests:
            job = Job(request.config, request.n_epochs, self.draw, self.seed)
            yield _outcome(self.problem, job)

    def identity(self, config: Mapping, /) -> Hashable:
        return config_key(config) if self.problem.continues else None


def _outcome(problem: Problem, job: Job) -> Outcome:
    try:
        found = problem.trained(job)
    # whatever a training raises is its own, sys.exit() too, and must not end the search
    except (Exception, SystemExit) as error:
        return Outcome.of_error(error)
    return Outcome(loss_of(found), found.accuracy)


def _outcome_of_job(problem: Problem, config: Mapping, n_epochs: int) -> Outcome:
    configuration = with_tuples(json.loads(config["training_of"]))
    return _outcome(problem, Job(configuration, n_epochs, config["draw"], config["seed"]))


def _all_of(jobs: Iterable[Job]) -> Strategy:
    """Ask for all these trainings at once."""
    yield [
        (
            {"training_of": json.dumps(as_config(j.config)), "draw": j.draw, "seed": j.seed},
            j.n_epochs,
        )
        for j in jobs
    ]


# --- what a training returns ----------------------------------------------------------------------


def as_trained(answer: Any, split: Any, n_epochs: int) -> Trained:
    """Return what a training function answered as a `Trained` with a loss.

    answer: a number, a `Trained`, or a fitted classifier. Raises TypeError for anything else,
    ValueError for losses of single rows or of epochs that are not as many as these.
    """
    if is_number(answer):
        return Trained(loss=float(answer))
    if hasattr(answer, "predict_proba"):
        answer = of_classifier(answer, split, n_epochs)
    if not isinstance(answer, Trained):
        raise TypeError(f"train returned {answer!r:.80}; {RETURNS}")
    n_val = len(split.y_val) if hasattr(split, "y_val") else None
    by_row = _as_losses("by_row", answer.by_row, n_val)
    by_epoch = _as_losses("by_epoch", answer.by_epoch, n_epochs)
    loss = answer.loss
    if loss is None and by_row is not None:
        loss = by_row.mean()
    if loss is None and by_epoch is not None:
        loss = by_epoch[-1]
    if loss is None:
        raise TypeError(f"train returned {answer!r:.80}, which has no loss; {RETURNS}")
    return answer._replace(loss=float(loss), by_row=by_row, by_epoch=by_epoch)


def _as_losses(name: str, losses: Any, n: int | None) -> np.ndarray | None:
    if losses is None:
        return None
    array = np.asarray(losses, dtype=np.float64)
    if array.ndim != 1 or (n is not None and len(array) != n):
        raise ValueError(f"{name} of train has the shape {array.shape}; ({n},) is needed")
    return array


def of_classifier(model: Any, split: Split, n_epochs: int) -> Trained:
    """Return what a fitted classifier is worth on the validation rows: its log loss and accuracy.

    The loss of a row is minus the logarithm of the probability of its label, in nats. A label that
    the model has never seen has the smallest probability above 0. A model with
    `staged_predict_proba` has a loss for each epoch, if it has as many stages.
    """
    proba = model.predict_proba(split.X_val)
    by_row = row_log_losses(proba, model.classes_, split.y_val)
    right = model.classes_[proba.argmax(axis=1)] == split.y_val
    by_epoch = None
    if hasattr(model, "staged_predict_proba"):
        stages = model.staged_predict_proba(split.X_val)
        curve = [row_log_losses(p, model.classes_, split.y_val).mean() for p in stages]
        by_epoch = np.array(curve) if len(curve) == n_epochs else None
    return Trained(None, by_row, by_epoch, float(np.mean(right)), model)


def loss_of(trained: Trained) -> float:
    """Return the loss of a training, nan of one that failed."""
    return math.nan if trained.loss is None else float(trained.loss)


def row_log_losses(proba: np.ndarray, classes: Sequence, y: np.ndarray) -> np.ndarray:
    """Return minus the logarithm of each label's probability, shape (n_rows,).

    proba: shape (n_rows, n_classes), in the order of classes. Probabilities are kept away from 0 by
    the smallest step of float64 at 1, as scikit-learn's `log_loss` does.

    >>> row_log_losses(np.array([[0.5, 0.5], [1.0, 0.0]]), ["a", "b"], np.array(["b", "a"]))
    array([0.69314718, 0.        ])
    """
    place = {label: i for i, label in enumerate(list(classes))}
    columns = np.array([place.get(label, -1) for label in y.tolist()])
    of_label = proba[np.arange(len(y)), np.maximum(columns, 0)].astype(np.float64)
    of_label[columns < 0] = 0
    return np.abs(np.log(np.clip(of_label, np.finfo(np.float64).eps, 1)))


# --- the files of trainings -----------------------------------------------------------------------


def _write(file: Path, found: Trained) -> None:
    """Keep a training's numbers, whole or not at all. One without a finite loss is not kept."""
    if not math.isfinite(loss_of(found)):
        return
    arrays: dict[str, Any] = {"loss": found.loss, "accuracy": found.accuracy}
    for name in ("by_row", "by_epoch"):
        if (array := getattr(found, name)) is not None:
            arrays[name] = array
    new = file.with_name(f"{file.name}.new{os.getpid()}-{time.monotonic_ns()}")
    with open(new, "wb") as stream:
        np.savez(stream, **arrays)
    new.replace(file)


def _read(file: Path) -> Trained:
    with np.load(file) as kept:
        arrays = {name: kept[name] for name in ("by_row", "by_epoch") if name in kept}
        return Trained(float(kept["loss"]), accuracy=float(kept["accuracy"]), **arrays)
