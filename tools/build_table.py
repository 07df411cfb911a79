"""Build the tables of the testbed: `make table`, or `python -m tools.build_table digits`.

Beside those of networks there is one of gradient boosting, `python -m tools.build_table boosting`.

Every piece (a repeat, or one of its judges) is kept in the cache when it is done, so that an
interrupted build goes on where it stopped. The file says what made it.
"""

import argparse
import json
import platform
from importlib import metadata
from itertools import product
from pathlib import Path

import numpy as np

from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.classroom.computing.fingerprint import fingerprint
from hpt_helpers.classroom.tables import boosting_recipe
from hpt_helpers.classroom.tables.recipes import (
    N_JUDGES,
    N_REPEATS,
    RECIPES,
    SHIPPED,
    judge_rows,
    pool_means,
    train_piece,
)

TABLES = Path(__file__).parents[1] / "hpt_helpers" / "classroom" / "tables"


def build(name: str, n_repeats: int, n_judges: int) -> dict[str, np.ndarray]:
    """Train what a table holds, and return its arrays: see `hpt_helpers.classroom.table.Table`."""
    repeats = range(n_repeats)
    searched = cached_each(train_piece, [(name, r, None) for r in repeats], progress=True)
    judged = cached_each(
        train_piece, [(name, r, j) for j in range(n_judges) for r in repeats], progress=True
    )

    def stacked(pieces: list[dict], what: str) -> np.ndarray:
        return np.stack([piece[what] for piece in pieces], axis=1)

    def by_judge(what: str) -> np.ndarray:
        one_each = stacked(judged, what)[:, :, 0]  # (n_configs, n_judges * n_repeats, n_epochs)
        return one_each.reshape(len(one_each), n_judges, n_repeats, -1)

    return {
        "loss": stacked(searched, "loss").astype(np.float32),
        "n_right": stacked(searched, "n_right").astype(np.uint16),
        "fresh_loss": by_judge("loss").mean(axis=1).astype(np.float32),
        "fresh_right": by_judge("n_right").sum(axis=1).astype(np.uint16),
    }


def about(name: str, n_judges: int) -> dict:
    """Return what a table is of, and which versions of the libraries made it."""
    recipe = RECIPES[name]
    return {
        "name": name,
        "data": recipe.data,
        "n_val": recipe.n_val,
        "epochs": recipe.epochs,
        "n_judges": n_judges,
        "n_judging": judge_rows(recipe, 0, 0).n_val,
    } | versions("numpy", "scikit-learn", "torch")


def write(name: str, n_repeats: int, n_judges: int, folder: Path) -> Path:
    """Build a table and write its file."""
    arrays = build(name, n_repeats, n_judges)
    arrays["pool_means"] = np.array([pool_means(RECIPES[name], r) for r in range(n_repeats)])
    return save(name, arrays, about(name, n_judges), folder)


def write_boosting(n_repeats: int, n_judges: int, folder: Path) -> Path:
    """Build the table of gradient boosting and write its file."""
    repeats, judges = range(n_repeats), range(n_judges)
    each = [(repeat, None) for repeat in repeats] + list(product(repeats, judges))
    found = cached_each(boosting_recipe.train_piece, each, progress=True)
    searched, judged = found[:n_repeats], found[n_repeats:]
    names = ("by_rounds", "rounds_cost", "by_rows", "rows_cost")
    arrays = {
        name: np.stack([piece[name] for piece in searched], axis=1).astype(np.float32)
        for name in names
    }
    by_judge = np.stack([piece["by_rounds"][..., 0] for piece in judged], axis=1)
    by_repeat = by_judge.reshape(len(by_judge), n_repeats, n_judges, -1)
    arrays["fresh"] = by_repeat.mean(axis=2).astype(np.float32)
    arrays["pool_means"] = boosting_recipe.pool_means(n_repeats)
    facts = {"name": "boosting", "data": "diamonds", "n_judges": n_judges}
    return save("boosting", arrays, facts | versions("numpy", "scikit-learn"), folder)


def save(name: str, arrays: dict[str, np.ndarray], facts: dict, folder: Path) -> Path:
    """Write a table's file, with what it is of and a checksum, and return its path."""
    arrays["about"] = np.array(json.dumps(facts))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.npz"
    np.savez_compressed(path, checksum=np.array(fingerprint(arrays)), **arrays)
    return path


def versions(*libraries: str) -> dict:
    """Return which versions of the libraries make the table."""
    found = {library: metadata.version(library) for library in libraries}
    return {"versions": found | {"python": platform.python_version()}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    names = [*SHIPPED, "boosting"]
    parser.add_argument("names", nargs="*", default=names, help=", ".join(names))
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--judges", type=int, help="of each repeat")
    parser.add_argument("--folder", type=Path, default=TABLES)
    options = parser.parse_args()
    for name in options.names:
        if name == "boosting":
            n_repeats, n_judges = options.repeats or boosting_recipe.N_REPEATS, options.judges or 1
            path = write_boosting(n_repeats, n_judges, options.folder)
        else:
            n_repeats, n_judges = options.repeats or N_REPEATS, options.judges or N_JUDGES
            path = write(name, n_repeats, n_judges, options.folder)
        print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
