"""The measurements of lesson 5: who is ahead by which verdict, why a race reverses, and what a win
proves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binom

from hpt_helpers.classroom.cache import cached
from hpt_helpers.classroom.parallel import fit_all
from hpt_helpers.classroom.studies.racing import (
    CODE,
    JUDGES,
    curves_of,
    judged,
    race,
    retrained,
    to_optuna,
)
from hpt_helpers.classroom.studies.repeats import ROUNDING, rows_of
from hpt_helpers.config import training_key
from hpt_helpers.data import load_splits, wilson_interval

__all__ = [
    "JUDGES",
    "against",
    "bootstrap",
    "explained",
    "judged",
    "looking",
    "power",
    "race",
    "repairs",
    "retrained",
    "to_optuna",
    "wins",
    "worth",
]

LUCK = 100_000  # from here on, the seeds of the study of luck
VERDICTS = ("as searched", "fresh", "fresh, in full")


def explained(winners: pd.DataFrame, starts: Mapping[str, int]) -> pd.DataFrame:
    """Return a row for each search: what it was charged, how often it looked, and where its winners
    lie.

    winners: as `judged` returns them. starts: of searches that learn, with how many random trials
    they begin. Columns: search, epochs, losses, guided (trials that were chosen by earlier ones),
    lr (the winners' median), won_early (how many of the winners won at an epoch before the last,
    trained on or not), searched and fresh (median losses).
    """
    last, rows = winners["n_epochs"].max(), []
    for label, part in winners.groupby("search", sort=False):
        losses, rates = (
            part["losses"].iloc[0],
            [json.loads(config)["lr"] for config in part["config"]],
        )
        guided = max(losses - starts[label], 0) if label in starts else 0
        rows.append(
            {
                "search": label,
                "epochs": part["epochs"].iloc[0],
                "losses": losses,
                "guided": guided,
                "lr": np.median(rates),
                "won_early": (part["n_epochs"] < last).sum(),
                "searched": part["val_loss"].median(),
                "fresh": part["fresh"].median(),
            }
        )
    return pd.DataFrame(rows)


def against(winners: pd.DataFrame, other: str = "random") -> pd.DataFrame:
    """Compare each search with another one in pairs, by three verdicts: a row for each.

    winners: as `judged` returns them. Columns: search, verdict; ratio, how many times the other's
    loss its own is (the geometric mean over the repeats), with low and high, a 95 % bootstrap
    interval; wins, in how many repeats it is lower; of, the repeats.
    """
    rows = []
    for verdict, column in zip(VERDICTS, ("val_loss", "fresh", "in_full"), strict=True):
        losses = winners.pivot(index="repeat", columns="search", values=column)
        for label in winners["search"].unique():
            if label != other:
                logs = np.log(losses[label] / losses[other]).to_numpy()
                interval = np.exp([logs.mean(), *bootstrap(logs)])
                rows.append((label, verdict, *interval, int((logs < -ROUNDING).sum()), len(logs)))
    return pd.DataFrame(rows, columns=["search", "verdict", "ratio", "low", "high", "wins", "of"])


def bootstrap(values: Sequence[float], n_resamples: int = 10_000) -> tuple[float, float]:
    """Return a 95 % interval of the mean: between which the means of samples drawn with replacement
    lie.
    """
    values = np.asarray(values, dtype=float)
    drawn = np.random.default_rng(0).integers(len(values), size=(n_resamples, len(values)))
    low, high = np.quantile(values[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def wins(races: Mapping[str, pd.DataFrame], other: str = "random") -> pd.DataFrame:
    """Return in how many repeats of each race each search is below another one, by the three
    verdicts.

    races: as `judged` returns them. Columns: race, search, a column for each verdict, of.
    """
    tables = []
    for label, winners in races.items():
        comparison = against(winners, other)
        table = comparison.pivot(index="search", columns="verdict", values="wins")[list(VERDICTS)]
        table = table.loc[comparison["search"].unique()].assign(of=comparison["of"].iloc[0])
        tables.append(table.rename_axis(columns=None).reset_index().assign(race=label))
    return pd.concat(tables, ignore_index=True)[["race", "search", *VERDICTS, "of"]]


def looking(
    config: Mapping,
    name: str,
    n_epochs: int,
    looks: Sequence[int],
    *,
    repeats: Sequence[int],
    progress: bool = False,
) -> pd.DataFrame:
    """Return what a search finds that has nothing to find: so many trials of one and the same
    configuration.

    In each repeat the trials share the rows, and differ in the training seed only. Columns: looks;
    lowest, the lowest loss of so many trials, the median over the repeats; and worth, the median of
    all trials of all repeats.
    """
    most = max(looks)

    def compute():
        seeds = [LUCK + most * i + look for i in range(len(repeats)) for look in range(most)]
        rows = [part for part in rows_of(name, repeats) for _ in range(most)]
        curves = fit_all(
            [config] * len(rows), rows, n_epochs=n_epochs, seed=seeds, progress=progress
        )
        return {"loss": curves.val_loss[:, -1].reshape(len(repeats), most)}

    key = {
        "config": training_key(config),
        "data": name,
        "n_epochs": n_epochs,
        "most": most,
        "repeats": list(repeats),
    }
    losses = cached({**key, "code": CODE}, compute)["loss"]
    rows = [(n, np.median(losses[:, :n].min(axis=1)), np.median(losses)) for n in looks]
    return pd.DataFrame(rows, columns=["looks", "lowest", "worth"])


def repairs(verdicts: Mapping[str, pd.DataFrame], other: str = "random") -> pd.DataFrame:
    """Return what repairs do: a row for each search of each of these tables, which `judged`
    returned.

    The first table is of the race as it was. Columns: repair, search, epochs (the mean of what it
    trained), fresh (the median fresh loss of its winners); in how many repeats that is better and
    worse than the same search's as it was; and beats, in how many it is below the other search's
    after the same repair, or as it was where it has none.
    """
    plain, rows = None, []
    for label, table in verdicts.items():
        fresh = table.pivot(index="repeat", columns="search", values="fresh")
        plain = fresh if plain is None else plain
        for name in table["search"].unique():
            gap, ahead = fresh[name] - plain[name], fresh[name] - fresh.get(other, plain[other])
            epochs = round(table.loc[table["search"] == name, "epochs"].mean())
            better, worse, beats = (
                int((differs < -ROUNDING).sum()) for differs in (gap, -gap, ahead)
            )
            rows.append(
                (
                    label,
                    name,
                    epochs,
                    fresh[name].median(),
                    better,
                    worse,
                    "" if name == other else beats,
                )
            )
    return pd.DataFrame(
        rows, columns=["repair", "search", "epochs", "fresh", "better", "worse", f"beats_{other}"]
    )


def power(n_repeats: Sequence[int], chances: Sequence[float] = (0.6, 0.75, 0.9)) -> pd.DataFrame:
    """Return what so many paired repeats can tell: a row for each number.

    Columns: repeats; wins_needed, the fewest wins that a two-sided sign test calls real at 5 %; and
    for each chance to win a repeat, how often so many wins are reached.
    """
    rows = []
    for n in n_repeats:
        needed = int(binom.isf(0.025, n, 0.5)) + 1
        found = {f"found if P = {p}": binom.sf(needed - 1, n, p) for p in chances}
        rows.append({"repeats": n, "wins_needed": needed, **found})
    return pd.DataFrame(rows)


def worth(
    verdicts: Sequence[pd.DataFrame], untuned: Mapping[str, Mapping], searches: Sequence[str]
) -> pd.DataFrame:
    """Return what tuning buys: configurations that nobody searched beside what the searches chose,
    on each data set.

    verdicts: as `judged` returns them; their judges judge the others, too. untuned: name ->
    configuration. Columns: data, choice, loss and accuracy (in percent), means over the judges and
    the repeats; and half_width: half the 95 % interval (Wilson) of one test score of that accuracy,
    in points.
    """
    rows = []
    for table in verdicts:
        name, n_epochs = table["data"].iloc[0], int(table["n_epochs"].max())
        n_test, found = load_splits(name).n_test, {}
        for label, config in untuned.items():
            loss, accuracy = curves_of(
                name, [training_key(config)], table.attrs["judges"], n_epochs
            )
            found[label] = loss[..., -1].mean(), accuracy[..., -1].mean()
        for label in searches:
            part = table[table["search"] == label]
            found[label] = part["fresh"].mean(), part["accuracy"].mean()
        for label, (loss, accuracy) in found.items():
            score = wilson_interval(round(accuracy * n_test), n_test)
            rows.append((name, label, loss, 100 * accuracy, 50 * (score.high - score.low)))
    return pd.DataFrame(rows, columns=["data", "choice", "loss", "accuracy", "half_width"])
