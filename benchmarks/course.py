"""What the course costs: `python -m benchmarks.course`, or with `--no-lessons` its first part,
which takes a minute.

First the work of the four scripts that the course grew from, 8 + 5 + 20 + 5 trials on iris: the
course's strategies run it, and their trials are trained once more by the scripts' loop, at the same
epochs. In favour of the scripts, theirs is the training alone: no surrogate that thinks, no Ray
that starts, and no validation after each epoch but the last, which ours all have. Then the seconds
and the peak memory of each lesson, executed in a fresh process with an empty cache.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from benchmarks.measure import Row, interleaved, machine, table
from hpt_helpers.classroom.lessons import LESSONS
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.search import Strategy, run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import bayesian_search, grid_search, random_search
from hpt_helpers.training_objective import TrainingObjective

ROOT = Path(__file__).resolve().parents[1]
LR, SIZES = Real(1e-4, 1e-2, log=True), Choice([16, 32, 64])
GRID = SearchSpace(
    {"lr": Choice([0.01, 0.001]), "batch_size": Choice([16, 32]), "epochs": Choice([50, 100])}
)
CHOICES = SearchSpace(
    {"lr": Choice([0.01, 0.001, 0.0001]), "batch_size": SIZES, "epochs": Choice([50, 100, 150])}
)
RANGES = SearchSpace({"lr": LR, "batch_size": Integer(16, 64), "epochs": Integer(50, 150)})
HYPERBAND = SearchSpace(
    {
        "hidden_size": Choice([8, 16, 32]),
        "lr": LR,
        "batch_size": SIZES,
        "epochs": Choice([5, 10, 15]),
    }
)


def scripts(seed: int = 42) -> dict[str, Strategy]:
    """Return the four scripts' searches; their Hyperband stopped no trial, and so is five random
    ones.
    """
    return {
        "grid search, 8 trials": grid_search(GRID.grid()),
        "random search, 5 trials": random_search(CHOICES, 5, seed=seed),
        "Bayesian optimisation, 20 trials": bayesian_search(RANGES, 20, seed=seed),
        "Hyperband, 5 trials": random_search(HYPERBAND, 5, seed=seed),
    }


def original_loop(config: Mapping, splits: Splits) -> float:
    """Train one configuration as the scripts do, one mini-batch of a DataLoader after another;
    return its accuracy.
    """
    model = SimpleNN(splits.n_features, splits.n_classes, config.get("hidden_size", 16)).float()
    optimizer, criterion = (
        torch.optim.Adam(model.parameters(), lr=config["lr"]),
        nn.CrossEntropyLoss(),
    )
    train = TensorDataset(splits.X_train.float(), splits.y_train)
    loader = DataLoader(train, batch_size=config["batch_size"], shuffle=True)
    for _ in range(config["epochs"]):
        for X, y in loader:
            optimizer.zero_grad()
            criterion(model(X), y).backward()
            optimizer.step()
    with torch.no_grad():
        return (model(splits.X_val.float()).argmax(dim=1) == splits.y_val).float().mean().item()


def scripts_against_ours(rounds: int = 3) -> list[Row]:
    """Return by how many times ours is faster at each script's trials, and at all of them."""
    splits, tasks, n_epochs = load_splits("iris"), {}, 0
    for name, strategy in scripts().items():
        configs = run(strategy, TrainingObjective(splits))["config"].tolist()
        n_epochs += sum(config["epochs"] for config in configs)
        tasks["theirs", name] = lambda configs=configs: [
            original_loop(config, splits) for config in configs
        ]
        tasks["ours", name] = lambda name=name: run(scripts()[name], TrainingObjective(splits))
    seconds = {task: np.median(times) for task, times in interleaved(tasks, rounds=rounds).items()}
    theirs, ours = (
        {name: s for (whose, name), s in seconds.items() if whose == side}
        for side in ("theirs", "ours")
    )
    total = sum(theirs.values()), sum(ours.values())
    return [
        *(
            Row(f"{name}: the original loop against ours", theirs[name] / ours[name], "times")
            for name in ours
        ),
        Row(f"all 38 trials, {n_epochs:,} epochs: the original loop", total[0], "s"),
        Row("all 38 trials: ours", total[1], "s"),
        Row("all 38 trials: the original loop against ours", total[0] / total[1], "times"),
    ]


LESSON = """
import resource, sys, time
from pathlib import Path
import nbformat
from tools.notebooks import execute
path, started = Path(sys.argv[1]), time.perf_counter()
execute(nbformat.read(path, as_version=4), path.parent)
unit = 1 if sys.platform == "darwin" else 1024  # bytes
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * unit
print(time.perf_counter() - started, peak)
"""


def lesson(notebook: Path) -> list[Row]:
    """Return the time and the memory, that of its largest process, which a lesson takes."""
    with tempfile.TemporaryDirectory() as cache:
        settings = os.environ | {
            "HPT_CACHE_DIR": cache,
            "TQDM_DISABLE": "1",
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-c", LESSON, str(notebook)]
        said = subprocess.run(
            command, env=settings, check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
    seconds, peak = map(float, said.stdout.split())
    return [
        Row(f"{notebook.stem}: time", seconds, "s"),
        Row(f"{notebook.stem}: memory", peak / 1e6, "MB"),
    ]


def main(arguments: list[str] | None = None) -> None:
    """Measure and print; nothing has to be reached."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--no-lessons", action="store_true", help="compare with the original scripts only"
    )
    chosen = parser.parse_args(arguments)
    print(
        *(f"{name}: {value}" for name, value in machine().items()), sep="\n", end="\n\n", flush=True
    )
    print(table(scripts_against_ours()), flush=True)
    for each in [] if chosen.no_lessons else LESSONS:
        print(table(lesson(ROOT / "notebooks" / f"{each.stem}.ipynb")), flush=True)


if __name__ == "__main__":
    main()
