"""What a search may be told before it starts: earlier trials, and what it should try first."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.protocol import Told
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.trials import as_config, read_log, with_tuples
from hpt_helpers.warn import warn_caller

if TYPE_CHECKING:
    import pandas as pd

FORMS = (
    "a trial table, the path of a log, its records, "
    "or a list of (config, loss) or (config, n_epochs, loss) is needed"
)


def earlier_trials(
    told: pd.DataFrame | str | Path | Iterable, space: SearchSpace, n_epochs: int
) -> list[Told]:
    """Return the trials of an earlier search that lie in the space, in their order.

    told: a trial table, the path of a log, the records that `read_log` returns, or a list of
        (config, loss) or (config, n_epochs, loss), where a loss is nan if the trial failed.
    n_epochs: those of a trial that does not say how long it was trained.
    Trials outside the space are left out with one warning, which counts them. Raises TypeError or
    ValueError for anything else, for a configuration that is none, for n_epochs below 1, and for a
    path that leads nowhere.
    """
    trials = [_trial(i, each, n_epochs) for i, each in enumerate(_listed(told))]
    inside = [trial for trial in trials if trial.config in space]
    if len(inside) < len(trials):
        outside = next(trial.config for trial in trials if trial.config not in space)
        warn_caller(
            f"{len(trials) - len(inside)} of the {len(trials)} trials told lie outside the space "
            f"and are left out, such as {outside!r}"
        )
    return inside


def _listed(told: Any) -> Sequence:
    """Return what stands for each trial, in order: a record, a pair or a triple."""
    if isinstance(told, str | os.PathLike):
        if not Path(told).exists():
            raise ValueError(f"told is {os.fspath(told)!r}, and there is no such log")
        return read_log(Path(told))
    if hasattr(told, "to_dict") and hasattr(told, "columns"):  # without importing pandas
        if missing := {"config", "n_epochs", "val_loss"} - set(told.columns):
            raise ValueError(f"told is a table without the column {min(missing)!r}; {FORMS}")
        return told[["config", "n_epochs", "val_loss"]].to_dict("records")
    if isinstance(told, Mapping) or not isinstance(told, Iterable):
        raise TypeError(f"told is {told!r:.80}; {FORMS}")
    return list(told)


def _trial(i: int, each: Any, n_epochs: int) -> Told:
    """Return trial i of those told, checked."""
    if isinstance(each, Mapping) and each.keys() >= {"config", "n_epochs", "val_loss"}:
        each = each["config"], each["n_epochs"], each["val_loss"]
    if not isinstance(each, tuple | list) or len(each) not in (2, 3):
        raise TypeError(f"told[{i}] is {each!r:.80}; {FORMS}")
    config, epochs, loss = each if len(each) == 3 else (each[0], n_epochs, each[1])
    if not is_number(loss):
        raise TypeError(f"told[{i}] has the loss {loss!r}; a number is needed, nan if it failed")
    # logs of earlier versions have lists in place of tuples
    config = with_tuples(as_config(config))
    return Told(config, as_count(f"n_epochs of told[{i}]", epochs), float(loss))


def known_good(first: Iterable[Mapping], space: SearchSpace) -> list[dict]:
    """Return the configurations that are to come first; ValueError for one outside the space."""
    configs = [as_config(config) for config in first]
    for i, config in enumerate(configs):
        if config not in space:
            raise ValueError(f"first[{i}] is {config!r}; a configuration in {space!r} is needed")
    return configs


def named(name: str, values: list) -> str:
    """Return what tells a search that was given these values from others, for its log."""
    if not values:
        return ""
    return f", {name}={len(values)} ({zlib.crc32(repr(values).encode()):08x})"
