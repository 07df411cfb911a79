"""The record of a search: a row for each trial, its best one, and the log from which it resumes.

Here stands the one rule for which of several trials is the best: `best`, and `ranking`, which puts
all of them in order by it.
"""

from __future__ import annotations

import ast
import copy
import errno
import heapq
import json
import math
import os
import sys
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hpt_helpers.arguments import is_number
from hpt_helpers.config import as_plain, check_mapping
from hpt_helpers.warn import warn_caller

if TYPE_CHECKING:
    # imported where it is used: it takes half a second, and strategies need none of it
    import pandas as pd

# A table's columns between the hyperparameters, one column each, and `config`.
DTYPES = {
    "n_epochs": "int64",
    "charged_epochs": "int64",
    "val_loss": "float64",
    "val_accuracy": "float64",
    "status": "str",
    "reason": "str",
    "runtime_s": "float64",
}
SAME = 1e-9  # losses that differ by no more are equal; float64 rounding stays far below it
# Further columns, behind these, where a record has them: what a trial cost in the objective's own
# unit; its number in the order asked, and how many trials had ended when it was asked for.
FURTHER = {"charged_cost": float, "asked": int, "n_known": int}
FORMAT = 2  # of a log; 1 had no header
TABLE_NAMES = ("trial", *DTYPES, *FURTHER, "config")  # no hyperparameter can be called so


def as_config(config: Mapping) -> dict:
    """Return a plain copy of a configuration, which a table and a log can hold exactly.

    Raises TypeError or ValueError for what `as_plain` refuses, for what is no mapping, and for a
    name that the table uses itself.
    """
    check_mapping(config)
    for name in TABLE_NAMES:
        if name in config:
            raise ValueError(
                f"config has the name {name!r}; the trial table uses it itself, with {TABLE_NAMES}"
            )
    return as_plain(config)


def trial_record(config: Mapping, **result) -> dict:
    """Return the record of one trial, ready for `trial_table` and `append_trial`.

    result: what `trial_result` takes. Raises TypeError or ValueError for a configuration that
    `as_config` refuses.
    """
    return {"config": as_config(config), **trial_result(**result)}


def trial_result(
    *,
    n_epochs: int,
    val_loss: float,
    val_accuracy: float = math.nan,
    charged_epochs: int | None = None,
    reason: str = "",
    runtime_s: float = math.nan,
    charged_cost: float | None = None,
    metrics: Mapping[str, float] | None = None,
) -> dict:
    """Return a trial's record but for its configuration.

    n_epochs: the epoch at which val_loss and val_accuracy were measured. charged_epochs: those
    trained for it, where they are fewer. reason: why the trial failed; see `failure_of`. An
    accuracy that is not finite is recorded as nan. charged_cost: in the objective's own unit; None
    leaves it out. metrics: further numbers by name, for a column each. Raises TypeError or
    ValueError for metrics that are no numbers, or that have the name of another column.
    """
    reason = failure_of(val_loss, reason)
    measured = {} if metrics is None else {"metrics": as_metrics(metrics)}
    if reason:
        val_loss = val_accuracy = math.nan
    return {
        "n_epochs": int(n_epochs),
        "charged_epochs": int(n_epochs if charged_epochs is None else charged_epochs),
        "val_loss": float(val_loss),
        "val_accuracy": float(val_accuracy) if math.isfinite(val_accuracy) else math.nan,
        "status": "failed" if reason else "ok",
        "reason": reason,
        "runtime_s": float(runtime_s),
        **({} if charged_cost is None else {"charged_cost": float(charged_cost)}),
        **measured,
    }


def as_metrics(metrics: Mapping[str, float]) -> dict[str, float | None]:
    """Return further numbers of a trial by name, as floats, None for those that are not finite."""
    if not isinstance(metrics, Mapping):
        raise TypeError(f"metrics is {metrics!r:.80}; numbers by name are needed")
    for name, value in metrics.items():
        if not isinstance(name, str) or not is_number(value):
            raise TypeError(f"metrics has {name!r}: {value!r:.80}; a number with a name is needed")
        if name in TABLE_NAMES:
            raise ValueError(f"metrics has the name {name!r}, which is a column of the table")
    return {name: float(v) if math.isfinite(v) else None for name, v in metrics.items()}


def failure_of(val_loss: float, reason: str = "") -> str:
    """Return why a trial failed: the reason, or a loss that is not finite; empty if it did not."""
    return reason or ("" if math.isfinite(val_loss) else f"validation loss is {val_loss}")


def trial_table(records: Iterable[Mapping]) -> pd.DataFrame:
    """Return the records as a DataFrame: one row a trial, in the order of evaluation.

    The index is named "trial". Columns: one for each hyperparameter, nullable where some trials
    lack it, so that integers stay integers; those of `DTYPES`, with its dtypes; those of `FURTHER`
    that some trial has; the objective's metrics, but for one that is called as a hyperparameter is;
    and `config`, the configuration as asked for, of which `config_of` gives a
    copy.
    """
    import pandas as pd

    records = list(records)
    names = list(dict.fromkeys(name for r in records for name in r["config"]))
    columns = {name: _column([r["config"].get(name) for r in records]) for name in names}
    columns |= {
        name: pd.Series([r[name] for r in records], dtype=dtype) for name, dtype in DTYPES.items()
    }
    for name, kind in FURTHER.items():
        if any(name in record for record in records):
            values = [record.get(name) for record in records]
            columns[name] = _column([None if v is None else kind(v) for v in values])
    measured = dict.fromkeys(name for r in records for name in r.get("metrics", ()))
    for name in [name for name in measured if name not in columns]:
        values = [r.get("metrics", {}).get(name) for r in records]
        columns[name] = pd.Series(values, dtype="float64")
    columns["config"] = pd.Series([r["config"] for r in records], dtype=object)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(records), name="trial"))


def _column(values: list) -> pd.Series:
    """Return the values of one hyperparameter; None is missing. No number changes its value."""
    import pandas as pd

    given = [value for value in values if value is not None]
    dtype, with_missing = _dtypes_of(given)
    return pd.Series(values, dtype=dtype if len(given) == len(values) else with_missing)


def _dtypes_of(values: list) -> tuple[str | type, str | type]:
    """Return the dtype of a column of these values, and the one that can miss some as well.

    Values of several kinds, and integers too large for 64 bits, stay the objects that they are. But
    integers beside floats become floats where each has an exact one, which is up to 2**53.
    """
    kinds = {type(value) for value in values}
    largest = max((abs(value) for value in values if type(value) is int), default=0)
    if kinds == {int, float} and largest <= 2**53:
        kinds = {float}
    if len(kinds) != 1 or largest >= 2**63:
        return object, object
    [kind] = kinds
    known: dict[type, tuple[str, str]] = {
        int: ("int64", "Int64"),
        bool: ("bool", "boolean"),
        str: ("str", "str"),
        float: ("float64", "float64"),
    }
    return known.get(kind, (object, object))


def config_of(trials: pd.DataFrame, trial: int) -> dict:
    """Return a copy of one trial's configuration, exactly as it was asked for.

    trial: its index label in the table. Raises ValueError when the table has no such trial, or
    several, TypeError when it is no table, or was read from a format that made text of the
    configurations, and KeyError when it has lost its column `config`.
    """
    _check_table(trials)
    if "config" not in trials:
        raise KeyError(f"trials has no column 'config'; it has {list(trials.columns)}")
    found = trials.loc[trials.index == trial, "config"]
    if len(found) != 1:
        raise ValueError(
            f"trial is {trial!r}, "
            f"and {len(found)} of the {len(trials)} rows of trials have that label"
        )
    config = found.iloc[0]
    if not isinstance(config, Mapping):
        kept = "keep the search's log, which is exact: trial_table(read_log(path))"
        raise TypeError(f"the config of trial {trial!r} is {config!r:.80}, as from a CSV; {kept}")
    return copy.deepcopy(dict(config))


def _check_table(trials: pd.DataFrame) -> None:
    import pandas as pd

    if not isinstance(trials, pd.DataFrame):
        needed = "a trial table is needed, such as trial_table(read_log(path))"
        raise TypeError(f"trials is {trials!r:.80}; {needed}")


def for_export(trials: pd.DataFrame) -> pd.DataFrame:
    """Return a copy of the table that CSV, parquet and other formats can hold.

    Values of mixed kinds, tuples and lists, and the configurations themselves become JSON text. To
    read a search back exactly, keep its log: `trial_table(read_log(path))`.
    """
    mixed = [name for name in trials.columns if trials[name].dtype == object]
    return trials.assign(**{name: trials[name].map(_as_json) for name in mixed})


def _as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def best(losses: Iterable[float], epochs: Iterable[int] | None = None) -> int:
    """Return the position of the best of several trials, counted from 0.

    The lowest loss is the best. Losses within SAME of the lowest are equal to it, and of these the
    trial of fewest epochs is the best, then the first. Each loss is compared with the lowest alone,
    so that many small steps never add up to a large one. A loss of nan or infinity never wins.
    losses: shape (n_trials,). epochs: of each trial; where they are not given, the first of equal
        losses is the best.
    Raises ValueError when no loss is finite, and when there are not as many epochs as losses.

    >>> best([0.5 + 1e-12, 0.5, 0.7], epochs=[9, 27, 1])
    0
    >>> best([0.5 + 1e-12, 0.5, 0.7], epochs=[27, 9, 1])
    1
    """
    losses, epochs = _comparable(losses, epochs)
    finite = [i for i, loss in enumerate(losses) if math.isfinite(loss)]
    if not finite:
        raise ValueError(f"losses has {len(losses)} entries and none is finite; none is the best")
    lowest = min(losses[i] for i in finite)
    equal = [i for i in finite if losses[i] - lowest <= SAME]
    return min(equal, key=lambda i: epochs[i])


def ranking(losses: Iterable[float], epochs: Iterable[int] | None = None) -> list[int]:
    """Return the positions of all trials from best to worst.

    The first is `best` of all, the second `best` of those that are left, and so on. Losses of nan
    or infinity come last, in their own order. losses, epochs: as for `best`. Raises ValueError when
    there are not as many epochs as losses.

    >>> ranking([0.7, float("nan"), 0.5 + 1e-12, 0.5], epochs=[1, 1, 9, 27])
    [2, 3, 0, 1]
    """
    losses, epochs = _comparable(losses, epochs)
    finite = [i for i, loss in enumerate(losses) if math.isfinite(loss)]
    failed = [i for i, loss in enumerate(losses) if not math.isfinite(loss)]
    rising = sorted(finite, key=lambda i: losses[i])
    ranked: list[int] = []
    placed: set[int] = set()
    equal: list[tuple[int, int]] = []  # (epochs, position) of those equal to the lowest, as a heap
    n_seen = 0  # how many of `rising` were put there
    for lowest in rising:
        while lowest not in placed:
            while n_seen < len(rising) and losses[rising[n_seen]] - losses[lowest] <= SAME:
                heapq.heappush(equal, (epochs[rising[n_seen]], rising[n_seen]))
                n_seen += 1
            _, position = heapq.heappop(equal)
            ranked.append(position)
            placed.add(position)
    return ranked + failed


def _comparable(
    losses: Iterable[float], epochs: Iterable[int] | None
) -> tuple[list[float], list[int]]:
    """Return losses and epochs as lists of the same length."""
    losses = [float(loss) for loss in losses]
    epochs = [0] * len(losses) if epochs is None else list(epochs)
    if len(epochs) != len(losses):
        raise ValueError(f"epochs has {len(epochs)} entries; there are {len(losses)} losses")
    return losses, epochs


def incumbent(trials: pd.DataFrame) -> int:
    """Return the best trial (index label): the one with the lowest validation loss, as `best` says.

    Of losses that are equal within SAME the cheaper wins, then the earlier. Raises ValueError when
    no trial succeeded, as one that failed never wins, and TypeError for what is no table, such as a
    log's records.
    """
    _check_table(trials)
    good = trials.loc[trials["status"] == "ok"]
    if good.empty:
        raise ValueError(f"trials has {len(trials)} rows and none succeeded; there is no incumbent")
    return int(good.index[best(good["val_loss"], good["n_epochs"])])


def ties(trials: pd.DataFrame, by: str = "val_loss", *, tolerance: float = 0.0) -> pd.DataFrame:
    """Return the trials within `tolerance` of the best, cheapest first, of these the best first.

    by: "val_loss", of which the lowest is best, or "val_accuracy", of which the highest is.
    tolerance: in the units of `by`, at least 0. Differences up to SAME are within it in any case,
    so that the first of `ties(trials)` is the `incumbent`. Failed trials are never among them, and
    where all failed the table is empty. Raises ValueError for another `by` or a negative tolerance.
    """
    if by not in ("val_loss", "val_accuracy"):
        raise ValueError(f"by is {by!r}; allowed are 'val_loss' and 'val_accuracy'")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be 0 or more")
    sign = 1 if by == "val_loss" else -1
    distance = sign * trials[by] - (sign * trials[by]).min()
    found = trials.loc[distance <= max(tolerance, SAME)]
    best_first = found.iloc[ranking(found["val_loss"], found["n_epochs"])]
    return best_first.sort_values("n_epochs", kind="stable")


def same_trials(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Say whether two tables hold the same trials in the same order.

    Compared are all columns that both have, but for runtime_s. Numbers may differ by SAME, as
    between training alone and together. Raises ValueError when they share no column.
    """
    import pandas as pd

    shared = [
        name for name in a.columns if name in b.columns and name not in ("runtime_s", "config")
    ]
    if not shared:
        raise ValueError(f"the tables share no column: {list(a.columns)} and {list(b.columns)}")
    a, b = (table.loc[:, shared].reset_index(drop=True) for table in (a, b))
    try:
        pd.testing.assert_frame_equal(a, b, check_dtype=False, rtol=0, atol=SAME)
    except AssertionError:
        return False
    return True


def with_tuples(config: Mapping) -> dict:
    """Return a configuration with tuples in place of lists, as those of a search space are.

    Logs of earlier versions have lists for both.
    """
    return {name: _tupled(value) for name, value in config.items()}


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list) else value


def append_trial(path: str | Path, record: Mapping, *, trial: int) -> None:
    """Append one trial's record to a JSON-lines log, whole, so that an interrupt loses none.

    trial: its number, counted from 0, by which a line that is missing is noticed. Raises ValueError
    for what JSON cannot hold.
    """
    # JSON has no nan: a failed trial's numbers are written as null.
    line = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in record.items()}
    # And no tuples: a configuration that holds one is written once more, as Python writes it.
    config = record["config"]
    exact = {} if json.loads(json.dumps(config)) == config else {"exact": repr(config)}
    _append(path, {"trial": trial, **line, **exact})


def _append(path: str | Path, line: Mapping) -> None:
    text = json.dumps(line, allow_nan=False)[:-1]
    with open(path, "a", encoding="ascii", newline="\n") as log:
        log.write(text + _checksum(text.encode()).decode() + "\n")


def _checksum(text: bytes) -> bytes:
    """Return how the line of a log that begins with this text ends."""
    return b', "crc32": "%08x"}' % zlib.crc32(text)


def hold_log(path: str | Path, header: Mapping) -> tuple[IO, list[dict]]:
    """Open a log for one search; return its file, to be closed at the end, and its records.

    No other search may open it meanwhile. header: what the search is, plain values by name, which
    becomes the first line of a new log. A log without one, of an earlier version of this package,
    is taken as it is.
    Raises OSError for a file that cannot be written or whose folder is missing, BlockingIOError
    where another search holds it, and ValueError for the log of another search, for a device such
    as /dev/full, and what `read_log` raises.
    """
    if Path(path).exists() and not (Path(path).is_file() or Path(path).is_dir()):
        raise ValueError(f"log is {os.fspath(path)!r}, a device; the path of a file is needed")
    if not Path(path).parent.is_dir():
        folder = os.fspath(Path(path).parent)
        raise FileNotFoundError(f"log is {os.fspath(path)!r}; there is no folder {folder!r}")
    file = open(path, "ab")  # noqa: SIM115 — whoever asked closes it
    try:
        _lock(file, path)
        found, records = _read(Path(path))
        if not found and not records:
            _append(path, {"format": FORMAT, **header})
        for name in {**found, **header} if found else ():
            if name != "format" and found.get(name) != header.get(name):
                raise ValueError(
                    f"{path} is the log of another search: "
                    f"its {name} is {found.get(name)!r}, here it is {header.get(name)!r}"
                )
    except BaseException:
        file.close()
        raise
    return file, records


def _lock(file: IO, path: str | Path) -> None:
    """Lock a file until it is closed, or its process ends."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(2**30)  # behind all that is read and written
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP):
            return  # a file system without locks
        message = f"{path} is the log of a search that runs now; give each search a log of its own"
        raise BlockingIOError(message) from error


def read_log(path: str | Path) -> list[dict]:
    """Return the records of a log, in order; none where there is no file.

    Of a failed trial that was tried again, the last try counts. A last line that was cut in the
    middle is moved to `<path>.cut` with a UserWarning, so that appending can go on. Raises
    ValueError for any other line that is not as it was written, or that is missing or there twice.
    """
    return _read(Path(path))[1]


def _read(path: Path) -> tuple[dict, list[dict]]:
    """Return a log's header, empty if it has none, and its records."""
    text = path.read_bytes() if path.exists() else b""
    *lines, rest = text.split(b"\n")
    header, records = {}, []
    for i, line in enumerate(lines):
        if not line.strip():
            continue
        record = _read_line(line.rstrip(b"\r"), f"line {i + 1} of {path.name}")
        if "format" in record and not header and not records:
            header = record
            if header["format"] > FORMAT:
                raise ValueError(
                    f"{path.name} has the format {header['format']}, of a later version of this "
                    f"package, which knows those up to {FORMAT}"
                )
            continue
        trial, whole = record.pop("trial", None), record.keys() >= {"config", *DTYPES}
        retried = trial in range(len(records)) and records[trial]["status"] == "failed"
        if not whole or not (retried or trial == len(records)):
            raise ValueError(
                f"line {i + 1} of {path.name} is not the record of trial {len(records)}: "
                "lines are missing or mixed"
            )
        records[trial : trial + 1] = [record]
    if rest:
        cut = path.with_name(path.name + ".cut")
        cut.write_bytes(rest)
        with open(path, "r+b") as log:
            log.truncate(len(text) - len(rest))
        warn_caller(f"the last line of {path.name} was cut; it is set aside in {cut.name}")
    return header, records


def _read_line(line: bytes, where: str) -> dict:
    text, comma, rest = line.rpartition(b', "crc32": ')
    if not comma or comma + rest != _checksum(text):
        raise ValueError(f"{where} is not as it was written (its checksum differs): {line[:60]!r}")
    record = json.loads(text + b"}")
    if "format" in record:
        return record
    if "exact" in record:
        record["config"] = ast.literal_eval(record.pop("exact"))
    return {k: math.nan if v is None else v for k, v in record.items()}
