"""The record of a search: one row for each trial, and the log from which an interrupted search resumes."""

from __future__ import annotations

import json
import math
import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.search_space import plain

# Every record's keys besides the configuration, which stands before them, one column a hyperparameter.
DTYPES = {
    "n_epochs": "int64",
    "charged_epochs": "int64",
    "val_loss": "float64",
    "val_accuracy": "float64",
    "status": "str",
    "reason": "str",
    "runtime_s": "float64",
}


def trial_record(
    config: Mapping,
    *,
    n_epochs: int,
    val_loss: float,
    val_accuracy: float = math.nan,
    charged_epochs: int | None = None,
    reason: str = "",
    runtime_s: float = math.nan,
) -> dict:
    """Return the record of one trial, ready for `trial_table` and `append_trial`.

    n_epochs: the epoch at which val_loss and val_accuracy were measured (the resource it was given).
    charged_epochs: the epochs trained for it now; n_epochs when not given, fewer when it went on
        from an earlier rung.
    reason: why the trial failed. A loss that is not finite makes a failed trial in any case.
    """
    failed = bool(reason) or not math.isfinite(val_loss)
    return {
        "config": plain(config),
        "n_epochs": int(n_epochs),
        "charged_epochs": int(n_epochs if charged_epochs is None else charged_epochs),
        "val_loss": math.nan if failed else float(val_loss),
        "val_accuracy": math.nan if failed else float(val_accuracy),
        "status": "failed" if failed else "ok",
        "reason": (reason or f"validation loss is {val_loss}") if failed else "",
        "runtime_s": float(runtime_s),
    }


def trial_table(records: Iterable[Mapping]) -> pd.DataFrame:
    """Return the records as a DataFrame, one row a trial in the order of evaluation, index named "trial".

    Columns: one for each hyperparameter, then those of `DTYPES`, with its dtypes.
    """
    records = list(records)
    names = list(dict.fromkeys(name for r in records for name in r["config"]))
    columns = {name: [r["config"].get(name) for r in records] for name in names if name not in DTYPES}
    columns |= {name: pd.Series([r[name] for r in records], dtype=dtype) for name, dtype in DTYPES.items()}
    return pd.DataFrame(columns, index=pd.RangeIndex(len(records), name="trial"))


def config_of(trials: pd.DataFrame, trial: int) -> dict:
    """Return the configuration of one trial of the table, as plain Python values."""
    return plain({name: trials.at[trial, name] for name in trials.columns if name not in DTYPES})


def incumbent(trials: pd.DataFrame) -> int:
    """Return the trial (index label) with the lowest validation loss; the cheaper, then the earlier, on a tie.

    Failed trials never win. Raises ValueError when no trial succeeded.
    """
    good = trials[trials["status"] == "ok"]
    if good.empty:
        raise ValueError(f"trials has {len(trials)} rows and none succeeded; there is no incumbent")
    return int(good.sort_values(["val_loss", "n_epochs"], kind="stable").index[0])


def incumbent_trajectory(val_losses: Sequence[float]) -> np.ndarray:
    """Return the best validation loss seen after each trial.

    val_losses: shape (n_trials,), in evaluation order; nan marks a failed trial.
    Returns shape (n_trials,), non-increasing; nan until the first success.

    >>> incumbent_trajectory([0.3, 0.1, 0.2]).tolist()
    [0.3, 0.1, 0.1]
    """
    losses = np.asarray(val_losses, dtype=float)
    best = np.minimum.accumulate(np.where(np.isfinite(losses), losses, np.inf))
    return np.where(np.isfinite(best), best, np.nan)


def ties(trials: pd.DataFrame, by: str = "val_loss", *, tolerance: float = 0.0) -> pd.DataFrame:
    """Return the trials within `tolerance` of the best, cheapest first: of the lowest loss, or the highest accuracy.

    by: "val_loss" or "val_accuracy". tolerance: in its units, at least 0.
    """
    if by not in ("val_loss", "val_accuracy"):
        raise ValueError(f"by is {by!r}; allowed are 'val_loss' and 'val_accuracy'")
    if not tolerance >= 0:
        raise ValueError(f"tolerance is {tolerance!r}; it must be 0 or more")
    sign = 1 if by == "val_loss" else -1
    distance = sign * trials[by] - (sign * trials[by]).min()
    return trials[distance <= tolerance].sort_values(["n_epochs", "val_loss"], kind="stable")


def append_trial(path: str | Path, record: Mapping) -> None:
    """Append one trial's record to a JSON-lines log, whole and flushed, so that an interrupt loses none before it."""
    # JSON has no nan: a failed trial's numbers are written as null.
    line = {k: None if isinstance(v, float) and math.isnan(v) else v for k, v in record.items()}
    with open(path, "a", encoding="utf-8") as log:
        log.write(json.dumps(line, allow_nan=False) + "\n")


def read_log(path: str | Path) -> list[dict]:
    """Return the records of a log, in order; an absent file is an empty log.

    A last line that was cut in the middle is moved to `<path>.cut` with a UserWarning, so that
    appending can go on; everything before it is kept. Raises ValueError for a bad line elsewhere.
    """
    path = Path(path)
    if not path.exists():
        return []
    text = path.read_bytes()
    whole, _, rest = text.rpartition(b"\n")
    if rest:
        cut = path.with_name(path.name + ".cut")
        cut.write_bytes(rest)
        with open(path, "r+b") as log:
            log.truncate(len(text) - len(rest))
        warnings.warn(f"the last line of {path.name} was cut; it is set aside in {cut.name}", stacklevel=2)
    records = []
    for number, line in enumerate(whole.splitlines(), start=1):
        try:
            record = {k: math.nan if v is None else v for k, v in json.loads(line).items()}
            if not record.keys() >= {"config", *DTYPES}:
                raise ValueError("it lacks a key")
            records.append(record)
        except (ValueError, AttributeError) as error:
            raise ValueError(f"line {number} of {path.name} is not a trial's record: {line[:60]!r}") from error
    return records
