"""What a configuration is: its plain values, its identity, and whether it can be trained."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Protocol

import numpy as np

from hpt_helpers.arguments import as_count, is_number

# The entries of a network's configuration that may be left out, and what they are then.
DEFAULTS = {
    "hidden_size": 16,
    "weight_decay": 0.0,
    "beta1": 0.9,
    "label_smoothing": 0.0,
    "init_scale": 1.0,
}

# The entries that are real numbers: what is allowed, in words and as a function.
REAL_ENTRIES = {
    "lr": ("greater than 0", lambda value: value > 0),
    "weight_decay": ("at least 0", lambda value: value >= 0),
    "beta1": ("from 0 to less than 1", lambda value: 0 <= value < 1),
    "label_smoothing": ("from 0 to 1", lambda value: 0 <= value <= 1),
    "init_scale": ("greater than 0", lambda value: value > 0),
}


class HasTrainingRows(Protocol):
    """Data to train on, of which a configuration needs to know only how many rows there are."""

    @property
    def n_train(self) -> int: ...


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
        return _plain_mapping(value, name)
    allowed = "None, bool, int, finite float, str, and lists, tuples and dicts of these"
    raise TypeError(f"{name} is {value!r}, of type {type(value).__name__}; allowed are {allowed}")


def as_name(name: str | None) -> str | None:
    """Return what a search's objective and data are called; TypeError or ValueError if no text."""
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name is {name!r}; a text is needed")
    as_plain(name and str(name), "name")
    return name


def _plain_mapping(mapping: Mapping, name: str) -> dict[str, Any]:
    """Return `as_plain` of a mapping, whose names must be text."""
    for key in mapping:
        if not isinstance(key, str):
            raise TypeError(f"{name} has the name {key!r}; names must be of type str")
        as_plain(key, f"a name of {name}")
    return {str(key): as_plain(entry, f"{name}[{str(key)!r}]") for key, entry in mapping.items()}


def config_key(config: Mapping) -> str:
    """Return the identity of a configuration, as canonical JSON: equal for those that say the same.

    The order of names does not matter, a tuple is a list, and numpy's values are Python's. 1, 1.0
    and True are three values: `max_features` of scikit-learn's forests means one feature by 1 and
    all by 1.0.
    Raises TypeError or ValueError for what `as_plain` refuses and for what is no mapping.

    >>> config_key({"lr": 0.1, "layers": (8, 4)})
    '{"layers": [8, 4], "lr": 0.1}'
    >>> config_key({"layers": [8, np.int64(4)], "lr": 0.1})
    '{"layers": [8, 4], "lr": 0.1}'
    """
    check_mapping(config)
    return json.dumps(as_plain(config), sort_keys=True)


def training_key(config: Mapping) -> str:
    """Return the identity of the training of a configuration: equal where `fit` trains the same
    network.

    This is `config_key` with three differences. Every entry of `DEFAULTS` that is missing is filled
    in. The entry `epochs` is left out, because how long a network trains does not change what it
    is. And real numbers are floats, so that an lr of 1 is 1.0. A configuration that cannot be
    trained has a key too, which it shares with none that can.
    """
    check_mapping(config)
    network = {name: value for name, value in config.items() if name != "epochs"}
    with suppress(TypeError, ValueError):  # who trains it says why it is refused
        return key_of_checked(network_config(network))
    return config_key(DEFAULTS | network)


def key_of_checked(network: dict) -> str:
    """Return the `training_key` of what `network_config` returned, without checking it again."""
    return config_key(DEFAULTS | network)


def network_config(
    config: Mapping, splits: HasTrainingRows | None = None, *, n_epochs: int | None = None
) -> dict:
    """Return a network's configuration in Python's own types, or refuse what cannot be trained.

    lr: the learning rate, finite and greater than 0.
    batch_size: an integer from 1 to the number of training rows of splits, if those are given.
    hidden_size: an integer of at least 1. It is filled in where it is missing.
    weight_decay, beta1, label_smoothing, init_scale, cosine_epochs: optional settings of the
        training, which `fit` explains. They are in the result where they are in the configuration.
    epochs: optional, and left out of the result. It must agree with n_epochs. The searches of
        lessons 1 to 3 have it among their hyperparameters.

    Raises TypeError for an entry of the wrong type, and ValueError for a value out of range, for an
    entry that is missing, for an unknown one, and for more n_epochs than cosine_epochs.
    """
    check_mapping(config)
    _check_names(config)
    _check_epochs(config, n_epochs)
    batch_size = as_count("batch_size", config["batch_size"])
    if splits is not None and batch_size > splits.n_train:
        raise ValueError(f"batch_size is {batch_size}; the training part has {splits.n_train} rows")
    hidden_size = as_count("hidden_size", config.get("hidden_size", DEFAULTS["hidden_size"]))
    reals = {name: _as_real(name, config[name]) for name in REAL_ENTRIES if name in config}
    checked = {"lr": reals.pop("lr"), "batch_size": batch_size, "hidden_size": hidden_size} | reals
    if "cosine_epochs" in config:
        checked["cosine_epochs"] = as_count("cosine_epochs", config["cosine_epochs"])
        check_schedule(checked, n_epochs or 0)
    return checked


def check_schedule(config: Mapping, n_epochs: int) -> None:
    """Raise ValueError for more epochs than the learning-rate schedule of a configuration has."""
    end = config.get("cosine_epochs", math.inf)
    if n_epochs > end:
        raise ValueError(
            f"cosine_epochs is {end}, where the learning rate ends at 0; training for "
            f"{n_epochs} epochs needs {n_epochs} or more"
        )


def _check_names(config: Mapping) -> None:
    allowed = ["lr", "batch_size", *DEFAULTS, "cosine_epochs"]
    for name in config:
        if name not in allowed and name != "epochs":
            raise ValueError(f"config has the name {name!r}; allowed are {', '.join(allowed)}")
    for name in ("lr", "batch_size"):
        if name not in config:
            raise ValueError(f"config {dict(config)!r} lacks {name!r}")


def _check_epochs(config: Mapping, n_epochs: int | None) -> None:
    if "epochs" not in config or config["epochs"] == n_epochs:
        return
    given = f"n_epochs is {n_epochs}"
    if n_epochs is None:
        given = "the number of epochs is not part of it here"
    raise ValueError(f"config['epochs'] is {config['epochs']!r}, but {given}")


def _as_real(name: str, value: Any) -> float:
    allowed, is_allowed = REAL_ENTRIES[name]
    if not is_number(value):
        raise TypeError(f"{name} is {value!r}; a number is needed, finite and {allowed}")
    if not (math.isfinite(value) and is_allowed(value)):
        raise ValueError(f"{name} is {value!r}; it must be finite and {allowed}")
    return float(value)


def check_mapping(config: Mapping) -> None:
    """Raise TypeError when a configuration is no mapping."""
    if not isinstance(config, Mapping):
        raise TypeError(
            f"config is {config!r}; a mapping such as {{'lr': 0.01, 'batch_size': 16}} is needed"
        )
