"""The measurements of lesson 5: a race of searches at equal epochs, its winners judged again, and what a win proves.

A search is a function (space, repeat, n_trials, n_epochs) -> strategy. Repeat r has draw r of the rows and seed r.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata

import numpy as np
import pandas as pd
from scipy.stats import binom

from hpt_helpers import data, model, population, search, search_space, stack, strategies, training
from hpt_helpers.cache import cached
from hpt_helpers.classroom.studies.repeats import rows_of
from hpt_helpers.config import training_key
from hpt_helpers.data import wilson_interval
from hpt_helpers.population import fit_many
from hpt_helpers.search import Outcome, Request, Strategy, run_many
from hpt_helpers.search_space import Choice, Integer, SearchSpace
from hpt_helpers.strategies import hyperband_schedule

CODE = [data, model, population, stack, training, search, search_space, strategies]  # whose source decides a race
JUDGES = range(1000, 1010)  # the repeats that judge; no search sees them
FINALS, LUCK = 2000, 100_000  # from here on, draws and seeds of finalists, and seeds of the study of luck
VERDICTS = ("as searched", "fresh", "fresh, in full")

Search = Callable[[SearchSpace, int, int, int], Strategy]


def to_optuna(space: SearchSpace) -> dict:
    """Return the space's distributions for Optuna's `study.ask`."""
    from optuna import distributions

    def translate(p):
        if isinstance(p, Choice):
            return distributions.CategoricalDistribution(p.values)
        if isinstance(p, Integer):
            return distributions.IntDistribution(p.low, p.high)
        return distributions.FloatDistribution(p.low, p.high, log=p.log)

    return {name: translate(p) for name, p in space.items()}


def epochs_of(max_epochs: int) -> int:
    """Return how many epochs a Hyperband with R = max_epochs trains when survivors go on: the budget of a race."""
    total = 0
    for rungs in hyperband_schedule(max_epochs):
        before = 0
        for n_configs, n_epochs in rungs:
            total, before = total + n_configs * (n_epochs - before), n_epochs
    return total


def race(
    name: str, space: SearchSpace, searches: Mapping[str, Search], n_epochs: int, *,
    repeats: Sequence[int], progress: bool = False,
) -> pd.DataFrame:  # fmt: skip
    """Return every trial of each search in each repeat, at the epochs that a Hyperband with R = n_epochs trains.

    Columns: data, search, repeat, config (as `training_key` writes it), n_epochs, spent (the search's epochs so far),
    val_loss, in the order of evaluation. The numbers are cached by the searches' source: what a search needs has to
    stand in it or come as an argument.
    """
    n_trials, repeats = epochs_of(n_epochs) // n_epochs, list(repeats)
    key = {
        "data": name, "space": repr(space), "n_epochs": n_epochs, "repeats": repeats, "code": CODE,
        "searches": {label: inspect.getsource(make) for label, make in searches.items()},
        "optuna": metadata.version("optuna"),
    }  # fmt: skip

    def run_all() -> dict[str, np.ndarray]:
        parts = []
        for label, make in searches.items():
            asked = [make(space, repeat, n_trials, n_epochs) for repeat in repeats]
            tables = run_many(asked, _objective(name, repeats), seeds=repeats, progress=progress)
            for repeat, t in zip(repeats, tables, strict=True):
                part = t[["n_epochs", "val_loss"]].assign(
                    search=label, repeat=repeat, spent=t["charged_epochs"].cumsum()
                )
                parts.append(part.assign(config=t["config"].map(training_key)))
        trials = pd.concat(parts, ignore_index=True)
        return {column: np.array(trials[column].tolist()) for column in trials}

    columns = ["data", "search", "repeat", "config", "n_epochs", "spent", "val_loss"]
    return pd.DataFrame(cached(key, run_all)).assign(data=name)[columns]


def _objective(name: str, repeats: Sequence[int]):
    """Return an objective that trains each request on the rows of its repeat, which is its seed."""
    rows = dict(zip(repeats, rows_of(name, repeats), strict=True))

    def objective(requests: list[Request]) -> list[Outcome]:
        configs, seeds = [r.config for r in requests], [r.seed for r in requests]
        n_epochs = [r.n_epochs for r in requests]
        curves = fit_many(configs, [rows[seed] for seed in seeds], n_epochs=max(n_epochs), seed=seeds)
        at = range(len(requests)), np.array(n_epochs) - 1
        return [Outcome(*scores) for scores in zip(curves.val_loss[at], curves.val_accuracy[at], strict=True)]

    objective.identity = training_key
    return objective


def winners(trials: pd.DataFrame, n: int = 1) -> pd.DataFrame:
    """Return the n trials of the lowest loss of each search in each repeat, of every configuration its best one.

    The columns of `race`, and losses: how many losses the search looked at, and epochs: what it trained in all.
    """
    groups = trials.groupby(["search", "repeat"], sort=False)
    table = trials.assign(losses=groups["val_loss"].transform("size"), epochs=groups["spent"].transform("max"))
    table = table.sort_values(["val_loss", "n_epochs"], kind="stable")
    table = table.drop_duplicates(["search", "repeat", "config"]).groupby(["search", "repeat"], sort=False).head(n)
    order = {label: i for i, label in enumerate(trials["search"].unique())}
    by = table["search"].map(order)
    return table.assign(by=by).sort_values(["by", "repeat"], kind="stable").drop(columns="by").reset_index(drop=True)


def judged(trials: pd.DataFrame, *, judges: Sequence[int] = JUDGES, progress: bool = False) -> pd.DataFrame:
    """Return the winner of each search in each repeat, and what it is worth on repeats that did not choose it.

    Columns as `winners`, and as means over the judges: fresh (the loss at the epoch at which it won), in_full (at
    the last epoch that any trial has) and accuracy (of fresh).
    """
    won, n_epochs = winners(trials), int(trials["n_epochs"].max())
    configs = sorted(won["config"].unique())
    loss, accuracy = _curves(won["data"].iloc[0], configs, judges, n_epochs, progress)
    row, at = [configs.index(config) for config in won["config"]], won["n_epochs"].to_numpy() - 1
    loss, accuracy = loss.mean(axis=1), accuracy.mean(axis=1)
    return won.assign(fresh=loss[row, at], in_full=loss[row, -1], accuracy=accuracy[row, at])


def _curves(name, configs: Sequence[str], repeats, n_epochs, progress=False) -> tuple[np.ndarray, np.ndarray]:
    """Return validation losses and accuracies, each (n_configs, n_repeats, n_epochs), from the cache if there."""
    jobs = [(config, repeat) for config in configs for repeat in repeats]
    return tuple(values.reshape(len(configs), len(repeats), -1) for values in _trained(name, jobs, n_epochs, progress))


def _trained(name, jobs: Sequence[tuple[str, int]], n_epochs: int, progress=False) -> tuple[np.ndarray, np.ndarray]:
    """Return losses and accuracies of each (configuration, repeat), each of shape (n_jobs, n_epochs)."""

    def compute():
        different = sorted({repeat for _, repeat in jobs})
        rows = dict(zip(different, rows_of(name, different), strict=True))
        curves = fit_many(
            [json.loads(config) for config, _ in jobs], [rows[repeat] for _, repeat in jobs],
            n_epochs=n_epochs, seed=[repeat for _, repeat in jobs], progress=progress,
        )  # fmt: skip
        return {"loss": curves.val_loss, "accuracy": curves.val_accuracy}

    key = {"data": name, "jobs": [list(job) for job in jobs], "n_epochs": n_epochs, "code": CODE}
    found = cached(key, compute)
    return found["loss"], found["accuracy"]


def explained(winners: pd.DataFrame, starts: Mapping[str, int]) -> pd.DataFrame:
    """Return a row for each search: what it was charged, how often it looked, and where its winners lie.

    winners: as `judged` returns them. starts: of searches that learn, with how many random trials they begin.
    Columns: search, epochs, losses, guided (trials that were chosen by earlier ones), lr (the winners' median),
    stopped_early (how many of the winners had not reached the last epoch), searched and fresh (median losses).
    """
    last, rows = winners["n_epochs"].max(), []
    for label, part in winners.groupby("search", sort=False):
        losses, rates = part["losses"].iloc[0], [json.loads(config)["lr"] for config in part["config"]]
        guided = max(losses - starts[label], 0) if label in starts else 0
        rows.append({
            "search": label, "epochs": part["epochs"].iloc[0], "losses": losses, "guided": guided,
            "lr": np.median(rates), "stopped_early": (part["n_epochs"] < last).sum(),
            "searched": part["val_loss"].median(), "fresh": part["fresh"].median(),
        })  # fmt: skip
    return pd.DataFrame(rows)


def against(winners: pd.DataFrame, other: str = "random") -> pd.DataFrame:
    """Compare each search with another one in pairs, by three verdicts: a row for each.

    winners: as `judged` returns them. Columns: search, verdict; ratio, how many times the other's loss its own is
    (the geometric mean over the repeats), with low and high, a 95 % bootstrap interval; wins, in how many repeats it
    is lower; of, the repeats.
    """
    rows = []
    for verdict, column in zip(VERDICTS, ("val_loss", "fresh", "in_full"), strict=True):
        losses = winners.pivot(index="repeat", columns="search", values=column)
        for label in winners["search"].unique():
            if label != other:
                logs = np.log(losses[label] / losses[other]).to_numpy()
                interval = np.exp([logs.mean(), *bootstrap(logs)])
                rows.append((label, verdict, *interval, int((logs < -1e-9).sum()), len(logs)))
    return pd.DataFrame(rows, columns=["search", "verdict", "ratio", "low", "high", "wins", "of"])


def bootstrap(values: Sequence[float], n_resamples: int = 10_000) -> tuple[float, float]:
    """Return a 95 % interval of the mean: between which the means of samples drawn with replacement lie."""
    values = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(values), size=(n_resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def wins(comparison: pd.DataFrame) -> pd.DataFrame:
    """Return the wins of `against` as a table: a row for each search, a column for each verdict, and of."""
    table = comparison.pivot(index="search", columns="verdict", values="wins")
    order = list(dict.fromkeys(comparison["search"]))
    return table.loc[order, list(VERDICTS)].assign(of=comparison["of"].iloc[0]).rename_axis(columns=None)


def looking(
    config: Mapping, name: str, n_epochs: int, looks: Sequence[int], *, repeats: Sequence[int], progress: bool = False
) -> pd.DataFrame:
    """Return what a search finds that has nothing to find: so many trials of one and the same configuration.

    In each repeat the trials share the rows, and differ in the training seed only. Columns: looks; lowest, the lowest
    loss of so many trials, the median over the repeats; and worth, the median of all trials of all repeats.
    """
    most = max(looks)

    def compute():
        seeds = [LUCK + most * i + look for i in range(len(repeats)) for look in range(most)]
        rows = [part for part in rows_of(name, repeats) for _ in range(most)]
        curves = fit_many([config] * len(rows), rows, n_epochs=n_epochs, seed=seeds, progress=progress)
        return {"loss": curves.val_loss[:, -1].reshape(len(repeats), most)}

    key = {"config": training_key(config), "data": name, "n_epochs": n_epochs, "most": most, "repeats": list(repeats)}
    losses = cached({**key, "code": CODE}, compute)["loss"]
    rows = [(n, np.median(losses[:, :n].min(axis=1)), np.median(losses)) for n in looks]
    return pd.DataFrame(rows, columns=["looks", "lowest", "worth"])


def retrained(trials: pd.DataFrame, n_finalists: int = 5, n_draws: int = 4, *, progress: bool = False) -> pd.DataFrame:
    """Return the best trials of each search in each repeat, trained again: the columns of `race`.

    val_loss is then the mean over n_draws draws of rows and seeds that had no part in the search, and no other repeat
    has; spent has the epochs of this added.
    """
    finals = winners(trials, n_finalists)
    new = [FINALS + 10 * r + k for r in finals["repeat"] for k in range(n_draws)]
    jobs = list(zip(np.repeat(finals["config"].to_numpy(dtype=object), n_draws).tolist(), new, strict=True))
    different = sorted(set(jobs))
    loss, _ = _trained(finals["data"].iloc[0], different, int(trials["n_epochs"].max()), progress)
    place = {job: i for i, job in enumerate(different)}
    at = np.repeat(finals["n_epochs"].to_numpy() - 1, n_draws)
    means = loss[[place[job] for job in jobs], at].reshape(-1, n_draws).mean(axis=1)
    extra = (n_draws * finals["n_epochs"]).groupby([finals["search"], finals["repeat"]], sort=False).transform("sum")
    return finals.assign(val_loss=means, spent=finals["epochs"] + extra)[list(trials.columns)]


def repairs(verdicts: Mapping[str, pd.DataFrame], other: str = "random") -> pd.DataFrame:
    """Return what repairs do: a row for each search of each of these tables, which `judged` returned.

    The first table is of the race as it was. Columns: repair, search, epochs (the mean of what it trained), fresh (the
    median fresh loss of its winners); beats, in how many repeats that is below the other search's in the first table
    (missing for itself), and of.
    """
    plain = next(iter(verdicts.values())).query("search == @other").set_index("repeat")["fresh"]
    rows = []
    for label, table in verdicts.items():
        for name, part in table.groupby("search", sort=False):
            gap = part.set_index("repeat")["fresh"] - plain
            beats = pd.NA if (gap.abs() < 1e-9).all() else int((gap < -1e-9).sum())
            rows.append((label, name, round(part["epochs"].mean()), part["fresh"].median(), beats, len(gap)))
    table = pd.DataFrame(rows, columns=["repair", "search", "epochs", "fresh", f"beats_{other}", "of"])
    return table.astype({f"beats_{other}": "Int64"})


def power(n_repeats: Sequence[int], chances: Sequence[float] = (0.6, 0.75, 0.9)) -> pd.DataFrame:
    """Return what so many paired repeats can tell: a row for each number.

    Columns: repeats; wins_needed, the fewest wins that a two-sided sign test calls real at 5 %; and for each chance to
    win a repeat, how often so many wins are reached.
    """
    rows = []
    for n in n_repeats:
        needed = int(binom.isf(0.025, n, 0.5)) + 1
        found = {f"found if P = {p}": binom.sf(needed - 1, n, p) for p in chances}
        rows.append({"repeats": n, "wins_needed": needed, **found})
    return pd.DataFrame(rows)


def worth(verdicts: Sequence[pd.DataFrame], default: Mapping, searches: Sequence[str]) -> pd.DataFrame:
    """Return what tuning buys: the default configuration beside what the searches chose, on each data set.

    verdicts: as `judged` returns them. Columns: data, choice, loss and accuracy (in percent), means over the judges
    and the repeats, and test_half_width: half the 95 % interval (Wilson) of that accuracy on the data's test rows.
    """
    rows = []
    for table in verdicts:
        name = table["data"].iloc[0]
        n_test = len(data.load_splits(name)._y_test)
        loss, accuracy = _curves(name, [training_key(default)], JUDGES, int(table["n_epochs"].max()))
        found = {"default": (loss[..., -1].mean(), accuracy[..., -1].mean())}
        for label in searches:
            part = table[table["search"] == label]
            found[label] = part["fresh"].mean(), part["accuracy"].mean()
        for label, (mean_loss, mean_accuracy) in found.items():
            score = wilson_interval(round(mean_accuracy * n_test), n_test)
            rows.append((name, label, mean_loss, 100 * mean_accuracy, 50 * (score.high - score.low)))
    return pd.DataFrame(rows, columns=["data", "choice", "loss", "accuracy", "test_half_width"])
