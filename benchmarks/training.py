"""Speed and memory of training populations: `make bench`, or `python -m benchmarks.training`.

Speeds are ratios within one run, both sides doing the same work in turn, one thread each. Prints
the
machine and a table, writes training.json and population_size.png under build/bench/, and exits
with 1 when a figure that must be reached is missed. Takes about three minutes.

What was tried: time per model-epoch on iris and digits, as a multiple of what is used. Stacks of 57
networks in float64, every kind of batch size 16, 32, 64 and hidden size 8, 16, 32, one thread, one
run.

    gradients and Adam written out (stack.py)                               1       1
    autograd on the summed losses, Adam written out                         1.9     1.3
    torch.func: vmap of the model, autograd, optim.Adam                     3.4     2.1
    torch.func: vmap of grad_and_value, Adam written out                    4.4     2.4
    one network after another: DataLoader, nn.Module, optim.Adam (float32)  78      26

The benchmark measures the first, third and last anew, the third in float32.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure

from benchmarks import rivals
from benchmarks.measure import (
    Row,
    best_of,
    interleaved,
    machine,
    matmul_rate,
    peak_memory_growth,
    table,
)
from hpt_helpers.classroom.lab import trainer
from hpt_helpers.classroom.lab.landscape import trained_landscape
from hpt_helpers.data import Splits, load_splits
from hpt_helpers.population import fit_many
from hpt_helpers.search_space import Real, SearchSpace

OUT = Path("build/bench")
BATCH_SIZES, HIDDEN_SIZES = (16, 32, 64), (8, 16, 32)
KINDS = [{"batch_size": b, "hidden_size": h} for b in BATCH_SIZES for h in HIDDEN_SIZES]
# Epochs of one measurement: (population, a rival), so that both take a few tenths of a second.
EPOCHS = {"iris": (20, 10), "digits": (2, 1)}
POPULATION_SIZES = (1, 10, 100, 1_000, 10_000)


def configurations(n: int, splits: Splits) -> list[dict]:
    """Return n configurations: batch and hidden sizes in turn, lr log-uniform up to the data's
    largest.
    """
    lrs = SearchSpace({"lr": Real(1e-4, splits.max_lr, log=True)}).sample(n, seed=0)
    return [lr | KINDS[i % len(KINDS)] for i, lr in enumerate(lrs)]


def times_faster(
    rival: Callable,
    splits: Splits,
    configs: list[dict],
    n_sample: int,
    *,
    train: Callable = rivals.population,
) -> float:
    """Return how many times as many model-epochs per second `train` reaches on configs as a rival
    on the first few.
    """
    sample, (ours, theirs) = configs[:n_sample], EPOCHS[splits.name]
    seconds = interleaved(
        {
            "ours": lambda: train(configs, splits, ours),
            "theirs": lambda: rival(sample, splits, theirs),
        },
        rounds=7,
    )
    return (
        float(np.median(seconds["theirs"] / seconds["ours"]))
        * (len(configs) * ours)
        / (len(sample) * theirs)
    )


def classic_loop(name: str, must: float, aim: float) -> Row:
    splits = load_splits(name)
    ratio = times_faster(rivals.classic_loop, splits, configurations(512, splits), len(KINDS))
    return Row(f"{name}: 512 configurations, against the classic loop", ratio, "times", must, aim)


def both_cores(name: str) -> Row:
    """Two processes for each side, each with configurations of its own."""
    splits = load_splits(name)
    spawn = get_context("spawn")
    one_each = {"initializer": torch.set_num_threads, "initargs": (1,)}
    with ProcessPoolExecutor(2, mp_context=spawn, **one_each) as pool:
        ratio = times_faster(
            partial(in_two_processes, pool, rivals.classic_loop),
            splits,
            configurations(1026, splits),
            2 * len(KINDS),
            train=partial(in_two_processes, pool, rivals.population),
        )
    return Row(f"{name}: the same, two processes for each side", ratio, "times")


def in_two_processes(
    pool: ProcessPoolExecutor, train: Callable, configs: list[dict], splits: Splits, n_epochs: int
):
    halves = [configs[: len(configs) // 2], configs[len(configs) // 2 :]]
    list(pool.map(partial(train, splits=splits, n_epochs=n_epochs), halves))


def vmap_ensemble(name: str) -> Row:
    splits = load_splits(name)
    ratio = times_faster(rivals.vmap_ensemble, splits, configurations(512, splits), 512)
    return Row(
        f"{name}: the same, against torch.func's vmap as in PyTorch's tutorial",
        ratio,
        "times",
        must=1,
    )


def mlp_classifier(name: str, must: float | None) -> Row:
    splits = load_splits(name)
    ratio = times_faster(rivals.mlp_classifier, splits, configurations(512, splits), len(KINDS))
    return Row(f"{name}: the same, against scikit-learn's MLPClassifier", ratio, "times", must)


def all_settings(name: str) -> Row:
    """What weight decay, beta1, label smoothing and init scale cost: the same networks with all."""
    splits = load_splits(name)
    plain = configurations(512, splits)
    settings = {"weight_decay": 0.01, "beta1": 0.8, "label_smoothing": 0.1, "init_scale": 2.0}
    rich = [config | settings for config in plain]
    n_epochs = EPOCHS[name][0]
    seconds = interleaved(
        {
            "plain": lambda: rivals.population(plain, splits, n_epochs),
            "rich": lambda: rivals.population(rich, splits, n_epochs),
        },
        rounds=7,
    )
    ratio = float(np.median(seconds["rich"] / seconds["plain"]))
    what = f"{name}: an epoch with all four settings, against a plain one"
    return Row(what, ratio, "times", must=2.5, at_least=False)


def different_batch_sizes() -> Row:
    splits = load_splits("iris")
    configs = [
        config | {"batch_size": 16 + i} for i, config in enumerate(configurations(49, splits))
    ]
    # The sample is every 5th, which has the same mean batch size and all hidden sizes.
    order = np.argsort(np.arange(49) % 5 != 2, kind="stable")
    ratio = times_faster(rivals.classic_loop, splits, [configs[i] for i in order], 10)
    return Row("iris: 49 different batch sizes, against the classic loop", ratio, "times", must=15)


def arithmetic_floor(name: str) -> list[Row]:
    """How far from the time its arithmetic takes: at the rate of a large product, and of the
    networks' own products.
    """
    splits = load_splits(name)
    configs, n_epochs = configurations(512, splits), EPOCHS[name][0]
    seconds = best_of(7, lambda: rivals.population(configs, splits, n_epochs))
    flops = sum(flops_per_epoch(config, splits) for config in configs) * n_epochs
    own_shapes = [(57, *shape) for kind in KINDS for shape in product_shapes(kind, splits)]
    return [
        Row(
            f"{name}: times the arithmetic floor, at the rate of a {label}",
            seconds * rate / flops,
            "times",
            aim=3,
            at_least=False,
        )
        for label, rate in (
            ("512 × 512 matmul", matmul_rate([(1, 512, 512, 512)])),
            ("stack of its own matmuls", matmul_rate(own_shapes)),
        )
    ]


def product_shapes(config: dict, splits: Splits) -> list[tuple[int, int, int]]:
    """Return (a, b, c) of the five products a × b times b × c in one step: two forward, three
    backward.
    """
    n_in, n_out, hidden, rows = (
        splits.n_features,
        splits.n_classes,
        config["hidden_size"],
        config["batch_size"],
    )
    forward = [(hidden, n_in, rows), (n_out, hidden, rows)]
    return [*forward, (hidden, n_out, rows), (n_out, rows, hidden), (hidden, rows, n_in)]


def flops_per_epoch(config: dict, splits: Splits) -> float:
    """Return the floating-point operations of an epoch of one network: training and validation."""
    n_in, n_out, hidden, n_rows = (
        splits.n_features,
        splits.n_classes,
        config["hidden_size"],
        len(splits.y_train),
    )
    products = sum(
        2 * a * b * c for a, b, c in product_shapes(config | {"batch_size": n_rows}, splits)
    )
    validation = 2 * len(splits.y_val) * hidden * (n_in + n_out)
    n_weights = hidden * (n_in + 1) + n_out * (hidden + 1)
    # 3 + 4 for the moments, 5 for the update
    adam = 12 * n_weights * -(-n_rows // config["batch_size"])
    return products + validation + adam


def landscape_cold_and_cached() -> list[Row]:
    splits = load_splits("iris")
    configs = configurations(1_000, splits)
    with tempfile.TemporaryDirectory() as folder:

        def from_cache():
            trainer.forget()
            return trained_landscape("iris", configs, n_epochs=100, seeds=[0], draws=splits.draw)

        def cold():
            os.environ["HPT_CACHE_DIR"] = tempfile.mkdtemp(dir=folder)
            return from_cache()

        seconds = {"cold": best_of(3, cold), "cached": best_of(3, from_cache)}
    what = "iris: landscape of 1,000 configurations × 100 epochs"
    return [
        Row(f"{what}, cold", seconds["cold"], "s", must=10, aim=5, at_least=False),
        Row(f"{what}, cached", seconds["cached"], "s", must=0.2, at_least=False),
    ]


def many_splits() -> Row:
    """8 configurations on 200 splits, as lesson 1 counts a grid's optimism."""
    splits = [load_splits("iris", seed=seed) for seed in range(200)]
    grid = [
        {"lr": lr, "batch_size": b, "hidden_size": h}
        for lr in (0.001, 0.01)
        for b in (16, 32)
        for h in (8, 16)
    ]
    configs, split_of = grid * len(splits), [s for s in splits for _ in grid]
    seconds = best_of(3, lambda: fit_many(configs, split_of, n_epochs=100))
    return Row(
        "iris: 8 configurations on 200 splits, 100 epochs", seconds, "s", must=8, at_least=False
    )


def population_size() -> list[Row]:
    """Cost of a model-epoch as the population grows; a plot of it under build/bench/."""
    splits, n_epochs = load_splits("iris"), EPOCHS["iris"][0]
    configs = configurations(max(POPULATION_SIZES), splits)
    cost = {}
    for n in POPULATION_SIZES:
        task = partial(rivals.population, configs[:n], splits, n_epochs)
        cost[n] = best_of(2 if n == max(POPULATION_SIZES) else 7, task) / n / n_epochs * 1e6
    plot_population_size(cost)
    rows = [
        Row(f"iris: population of {n:,}", value, "µs per model-epoch") for n, value in cost.items()
    ]
    falls = max(cost[10] / cost[1], cost[100] / cost[10], cost[1_000] / cost[100])
    flat = cost[10_000] / cost[1_000]
    return [
        *rows,
        Row(
            "iris: it falls up to 1,000: the largest ratio of neighbours",
            falls,
            "times",
            must=1,
            at_least=False,
        ),
        Row(
            "iris: then it stays flat: 10,000 against 1,000",
            flat,
            "times",
            must=1.5,
            at_least=False,
        ),
    ]


def plot_population_size(cost: dict[int, float]) -> None:
    figure = Figure(figsize=(6.4, 3.8), layout="constrained")
    ax = figure.subplots()
    ax.loglog(list(cost), list(cost.values()), "ko-")
    for n, value in cost.items():
        ax.annotate(f"{value:.0f}", (n, value), xytext=(4, 6), textcoords="offset points")
    ax.margins(0.1)
    ax.xaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.yaxis.set_minor_formatter("")
    ax.set(
        title="Cost of training on iris",
        xlabel="networks in the population",
        ylabel="µs per model-epoch",
    )
    ax.grid(True, color="0.9")
    figure.savefig(OUT / "population_size.png", dpi=150)


def memory() -> Row:
    setup = """
from benchmarks.training import configurations, load_splits
from benchmarks.rivals import population
splits = load_splits("iris")
configs = configurations(10_000, splits)
population(configs[:1], splits, 1)
"""
    growth = peak_memory_growth(setup, "population(configs, splits, 100)")
    what = "iris: growth of peak memory, 10,000 configurations × 100 epochs"
    return Row(what, growth / 1e6, "MB", must=1_000, at_least=False)


MEASUREMENTS = (
    partial(classic_loop, "iris", 40, 60),
    partial(classic_loop, "digits", 18, 25),
    partial(both_cores, "iris"),
    partial(both_cores, "digits"),
    partial(vmap_ensemble, "iris"),
    partial(vmap_ensemble, "digits"),
    partial(mlp_classifier, "iris", 10),
    partial(mlp_classifier, "digits", None),
    partial(arithmetic_floor, "iris"),
    partial(arithmetic_floor, "digits"),
    partial(all_settings, "iris"),
    partial(all_settings, "digits"),
    landscape_cold_and_cached,
    different_batch_sizes,
    many_splits,
    population_size,
    memory,
)


def main(measurements: Sequence[Callable[[], Row | list[Row]]] = MEASUREMENTS) -> int:
    """Measure everything, print and store it; return 1 when a figure that must be reached is
    missed, else 0.
    """
    torch.set_num_threads(1)  # for the rivals, because populations take one of themselves
    started = time.perf_counter()
    OUT.mkdir(parents=True, exist_ok=True)
    about = machine()
    print(*(f"{name}: {value}" for name, value in about.items()), sep="\n", end="\n\n", flush=True)
    rows = []
    for measure in measurements:
        found = measure()
        rows += found if isinstance(found, list) else [found]
    print(table(rows))
    missed = [row.what for row in rows if row.missed]
    seconds = time.perf_counter() - started
    print(
        f"\n{len(missed)} of {sum(row.must is not None for row in rows)} figures missed; "
        f"took {seconds:.0f} s"
    )
    record = {
        "machine": about,
        "seconds": seconds,
        "rows": [asdict(row) | {"verdict": row.verdict} for row in rows],
    }
    (OUT / "training.json").write_text(
        json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
