"""The capstone: six hyperparameters on digits for what 40 trainings cost, and a board to share.

A line of the leaderboard is a small JSON file without configuration or code. As the folder is
shared, it is read with suspicion.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.classroom.drawing.challenge import Challenge
from hpt_helpers.classroom.lab.landscape import Landscape, trained_landscape
from hpt_helpers.classroom.lab.statistics import pairs
from hpt_helpers.classroom.lab.trainer import Data, Job, train
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG, N_TRAIN, RECIPES
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.trials import config_of, incumbent

DATA = Data("digits", N_TRAIN)
SPACE = RECIPES["digits"].space
# what is searched by hand
HAND = SearchSpace({name: SPACE[name] for name in ("lr", "hidden_size")})
N_EPOCHS = 27  # of a full training
BUDGET = 40 * N_EPOCHS
# random searches, and the trials that they draw from
N_SEARCHES, N_POOL = 200, 200
JUDGES = range(1000, 1005)  # the draws, and seeds, that judge all lines; they choose nothing
COLUMNS = ("epochs", "val_loss", "beaten_by", "fresh")
MAX_BYTES, SUFFIX = 1000, ".line.json"


def random_searches(*, progress: bool = False) -> np.ndarray:
    """Return the lowest validation loss of each of 200 random searches, sorted, shape (200,).

    Each spends the budget: it draws 40 of 200 configurations without replacement, trained for 27
    epochs on the default rows under seed 0.
    """
    losses = _on_default_rows(SPACE.sample(N_POOL, seed=0), progress).val_loss[:, 0, -1]
    rng, n_trials = np.random.default_rng(0), BUDGET // N_EPOCHS
    return np.sort([rng.permutation(losses)[:n_trials].min() for _ in range(N_SEARCHES)])


def by_hand(*, progress: bool = False) -> Challenge:
    """Return the capstone as a game: 40 tries of 27 epochs at learning rate and hidden size.

    The other settings are the defaults. The losses are those of `TrainingObjective` under seed 0,
    so `grid_search(game.configs, N_EPOCHS)` is the same search.
    """
    plane = [DEFAULT_CONFIG | config for config in HAND.grid({"lr": 13, "hidden_size": 6})]
    return Challenge(_on_default_rows(plane, progress), budget=BUDGET // N_EPOCHS)


def rows() -> Splits:
    """Return the capstone's rows: 320 of digits for training, 360 for validation, a sealed test."""
    return load_splits(DATA.name, n_train=DATA.n_train)


def _on_default_rows(configs: Sequence[Mapping], progress: bool) -> Landscape:
    draw = rows().draw
    return trained_landscape(
        DATA, configs, n_epochs=N_EPOCHS, seeds=[0], draws=draw, progress=progress
    )


def line(trials: pd.DataFrame, *, progress: bool = False) -> dict:
    """Return what a search of the capstone found, from its trial table.

    It has epochs (trained), val_loss, beaten_by (how many of 200 random searches have a lower one)
    and fresh, the mean loss of the winner when it is trained as long on five other draws of rows
    and seeds. Losses are rounded to four decimals. Raises ValueError for a search that trained more
    than the budget.
    """
    epochs = int(trials["charged_epochs"].sum())
    if epochs > BUDGET:
        raise ValueError(
            f"trials have trained {epochs} epochs; {BUDGET} are allowed: run(..., budget={BUDGET})"
        )
    best, others = incumbent(trials), random_searches(progress=progress)
    loss, n_epochs = float(trials.at[best, "val_loss"]), int(trials.at[best, "n_epochs"])
    config = config_of(trials, best)
    judged = train([Job(DATA, config, judge, judge, n_epochs) for judge in JUDGES])
    return {
        "epochs": epochs,
        "val_loss": round(loss, 4),
        "beaten_by": pairs(others, np.full(len(others), loss)).wins,
        "fresh": round(float(judged.val_loss[:, -1].mean()), 4),
    }


def save(folder: str | Path, name: str, line: Mapping) -> Path:
    """Write a line under a name into a folder, and return the file.

    A name has at most 40 letters, digits, spaces, - and _. A line of the same name is replaced,
    and names that differ in spaces or capitals only have a file each on every file system. Raises
    ValueError for another name, and for what is no line.
    """
    if not re.fullmatch(r"[\w -]{1,40}", name):
        raise ValueError(f"name is {name!r}; 1 to 40 letters, digits, spaces, - and _ are allowed")
    text = json.dumps({"name": name, **_checked(line)})
    # Names that differ in capitals only would share a file where the file system ignores case.
    number = zlib.crc32(name.encode())
    path = Path(folder) / f"{re.sub(r'[^a-z0-9]+', '-', name.lower())}-{number:08x}{SUFFIX}"
    path.write_text(text, encoding="utf-8")
    return path


def leaderboard(folder: str | Path) -> pd.DataFrame:
    """Return the lines saved in a folder, the lowest fresh loss first.

    Columns: name, and those of `line`. Reads the files *.line.json of this folder and nothing else.
    A file that is no line, is too large or is a link is left out, and counted in the table's
    attrs["left_out"].
    """
    rows, left_out = [], 0
    for path in sorted(Path(folder).glob(f"*{SUFFIX}")):
        try:
            rows.append(_read(path))
        except (OSError, ValueError, RecursionError):
            left_out += 1
    table = pd.DataFrame(rows, columns=["name", *COLUMNS])
    table = table.sort_values(["fresh", "name"], kind="stable", ignore_index=True)
    table.attrs["left_out"] = left_out
    return table


def _read(path: Path) -> dict:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
        raise ValueError(f"{path.name} is a link, no file, or larger than {MAX_BYTES} bytes")
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict) or not re.fullmatch(r"[\w -]{1,40}", str(found.get("name", ""))):
        raise ValueError(f"{path.name} holds no line with a name")
    return {"name": str(found["name"]), **_checked({key: found.get(key) for key in COLUMNS})}


def _checked(line: Mapping) -> dict:
    """Return a line's values as Python's numbers; raise ValueError for anything else."""
    values = {key: line.get(key) for key in COLUMNS}
    for key, value in values.items():
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not 0 <= value < math.inf
        ):
            raise ValueError(
                f"{key} is {value!r}; a number from 0 on is needed, as `line` returns it"
            )
    if values["epochs"] > BUDGET:
        raise ValueError(f"epochs is {values['epochs']}; the budget is {BUDGET}")
    return values
