"""What a configuration is: its plain values, its identity, and the checks that it can be trained."""

from __future__ import annotations

import json
import math
import numbers
from collections.abc import Mapping, Sequence, Sized
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

DEFAULT_HIDDEN_SIZE = 16


def as_plain(value: Any, name: str = "config") -> Any:
    """Return a deep copy of a configuration, or of one value, in Python's own types.

    numpy's scalars are converted. What JSON can say is allowed: None, bool, int, finite float, str,
    and lists, tuples (which stay tuples) and mappings of these with names of type str. name: what
    the value is called in an error. Raises ValueError for nan and infinity and TypeError for
    anything else; both name the entry, its value and what is allowed.

    >>> as_plain({"batch_size": np.int64(25), "layers": (np.float64(0.5), None)})
    {'batch_size': 25, 'layers': (0.5, None)}
    """
    if type(value) is str:
        if any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(f"{name} is {value!r}; half of a surrogate pair is no text")
        return value
    if value is None or type(value) in (bool, int):
        return value
    # a longdouble's item is itself
    if isinstance(value, np.generic) and not isinstance(value.item(), np.generic):
        return as_plain(value.item(), name)
    if type(value) is float:
        if not math.isfinite(value):
            raise ValueError(f"{name} is {value!r}; a float must be finite")
        return value
    if isinstance(value, list | tuple):
        copies = [as_plain(entry, f"{name}[{i}]") for i, entry in enumerate(value)]
        return copies if isinstance(value, list) else tuple(copies)
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise TypeError(f"{name} has the name {key!r}; names must be of type str")
            as_plain(key, f"a name of {name}")
        return {str(key): as_plain(entry, f"{name}[{str(key)!r}]") for key, entry in value.items()}
    allowed = "None, bool, int, finite float, str, and lists, tuples and dicts of these"
    raise TypeError(f"{name} is {value!r}, of type {type(value).__name__}; allowed are {allowed}")


def config_key(config: Mapping) -> str:
    """Return the identity of a configuration: equal for two configurations that say the same, as
    canonical JSON.

    The order of names does not matter, a tuple is a list, and numpy's values are Python's. 1, 1.0
    and True are three values: `max_features` of scikit-learn's forests means one feature by 1 and
    all by 1.0.
    Raises TypeError or ValueError for what `as_plain` refuses and for what is no mapping.

    >>> config_key({"lr": 0.1, "layers": (8, 4)}) == config_key({"layers": [8, np.int64(4)], "lr": 0.1})
    True
    """
    check_mapping(config)
    return json.dumps(as_plain(config), sort_keys=True)


def training_key(config: Mapping) -> str:
    """Return the identity of the training of a configuration: equal where `fit` trains the same
    network.

    Beyond `config_key`: `epochs` is left out (how long is not what), hidden_size is filled in, and
    an lr of 1 is 1.0. A configuration that cannot be trained has a key too, other than all that
    can.
    """
    check_mapping(config)
    network = {"hidden_size": DEFAULT_HIDDEN_SIZE} | {
        k: v for k, v in config.items() if k != "epochs"
    }
    with suppress(TypeError, ValueError):  # who trains it says why it is refused
        network = network_config(network)
    return config_key(network)


class HasTrainingRows(Protocol):
    """Anything that has training rows, such as the course's `Splits`."""

    @property
    def X_train(self) -> Sized: ...


def network_config(
    config: Mapping, splits: HasTrainingRows | None = None, *, n_epochs: int | None = None
) -> dict:
    """Return the configuration as plain Python values, hidden_size filled in; refuse what cannot be
    trained.

    lr: finite, > 0. batch_size: integer, 1 to the number of training rows of splits, if given.
    hidden_size: integer, >= 1. `epochs` may stand in the configuration (lessons 1 to 3 search over
    it) when it agrees with n_epochs; it is left out of the result. Raises TypeError for the wrong
    type, ValueError for anything else.
    """
    check_mapping(config)
    for name in config:
        if name not in ("lr", "batch_size", "hidden_size", "epochs"):
            raise ValueError(
                f"config has the name {name!r}; allowed are lr, batch_size, hidden_size"
            )
    for name in ("lr", "batch_size"):
        if name not in config:
            raise ValueError(f"config {dict(config)!r} lacks {name!r}")
    if "epochs" in config and config["epochs"] != n_epochs:
        given = (
            "the number of epochs is not part of it here"
            if n_epochs is None
            else f"n_epochs is {n_epochs}"
        )
        raise ValueError(f"config['epochs'] is {config['epochs']!r}, but {given}")
    lr, batch_size = config["lr"], as_count("batch_size", config["batch_size"])
    if not is_number(lr):
        raise TypeError(f"lr is {lr!r}; a number is needed")
    if not (math.isfinite(lr) and lr > 0):
        raise ValueError(f"lr is {lr!r}; it must be finite and greater than 0")
    if splits is not None and batch_size > len(splits.X_train):
        raise ValueError(
            f"batch_size is {batch_size}; the training part has {len(splits.X_train)} rows"
        )
    hidden_size = as_count("hidden_size", config.get("hidden_size", DEFAULT_HIDDEN_SIZE))
    return {"lr": float(lr), "batch_size": batch_size, "hidden_size": hidden_size}


def check_mapping(config: Mapping) -> None:
    """Raise TypeError when a configuration is no mapping."""
    if not isinstance(config, Mapping):
        raise TypeError(
            f"config is {config!r}; a mapping such as {{'lr': 0.01, 'batch_size': 16}} is needed"
        )


def is_number(value: Any, kind: type = numbers.Real) -> bool:
    """Say whether value is a number of this kind; True and False are none."""
    return isinstance(value, kind) and not isinstance(value, bool)


def as_count(name: str, value: Any, *, least: int = 1, most: float = math.inf) -> int:
    """Return value as an int; TypeError when it is not an integer, ValueError when it is not from
    least to most.

    >>> as_count("batch_size", np.int64(16))
    16
    """
    if not is_number(value, numbers.Integral):
        raise TypeError(f"{name} is {value!r}; an integer is needed")
    if not least <= value <= most:
        allowed = f"of at least {least}" if most == math.inf else f"from {least} to {most}"
        raise ValueError(f"{name} is {value!r}; it must be an integer {allowed}")
    return int(value)


def as_seed(name: str, value: Any) -> int:
    """Return a training seed as an int; TypeError when it is no integer, ValueError outside 0 to
    2**62 - 1.
    """
    return as_count(name, value, least=0, most=2**62 - 1)


def as_seeds(seeds: Sequence[int] | np.ndarray) -> list[int]:
    """Return the training seeds as a list of ints; TypeError when seeds is no sequence of integers,
    such as range(5).

    A single number could mean that seed or that many, and is refused. Entries as `as_seed`.

    >>> as_seeds(range(3))
    [0, 1, 2]
    """
    if (
        not isinstance(seeds, Sequence | np.ndarray)
        or isinstance(seeds, str | bytes)
        or np.ndim(seeds) != 1
    ):
        raise TypeError(
            f"seeds is {seeds!r}; a sequence of integers is needed, such as range(5) or [5]"
        )
    return [as_seed(f"seeds[{i}]", seed) for i, seed in enumerate(seeds)]
