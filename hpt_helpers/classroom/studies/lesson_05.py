"""What lesson 5 measures: which verdict favours whom, why races reverse, and what a win proves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import binom

from hpt_helpers.classroom import lab
from hpt_helpers.classroom.lab import Chosen, Job, Problem
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.search_space import Choice, Integer, SearchSpace

VERDICTS = {"as searched": "val_loss", "fresh": "fresh", "fresh, in full": "in_full"}


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


def compare_by_verdict(judged: pd.DataFrame, other: str = "random") -> pd.DataFrame:
    """Compare each search with another one in pairs, by each of VERDICTS: a row for each.

    judged: as `lab.judge` returns it. Columns: verdict, and those of `lab.compare`.
    """
    tables = [
        lab.compare(judged, other, by=column).assign(verdict=verdict)
        for verdict, column in VERDICTS.items()
    ]
    return pd.concat(tables, ignore_index=True)


def wins_by_verdict(races: Mapping[str, pd.DataFrame], other: str = "random") -> pd.DataFrame:
    """Return in how many repeats of each race each search is below another one, by each verdict.

    races: name -> a table of `lab.judge`. Columns: race, search, one for each verdict, and of.
    """
    rows = []
    for race, judged in races.items():
        comparison = compare_by_verdict(judged, other)
        for label, part in comparison.groupby("search", sort=False):
            wins = dict(zip(part["verdict"], part["wins"], strict=True))
            rows.append({"race": race, "search": label, **wins, "of": part["of"].iloc[0]})
    return pd.DataFrame(rows)


def where_winners_lie(judged: pd.DataFrame, starts: Mapping[str, int]) -> pd.DataFrame:
    """Return for each search what it was charged, how often it looked, and where its winners lie.

    judged: as `lab.judge` returns it. starts: of searches that learn, with how many random trials
    they begin. Columns: search, epochs, looks, guided (trials that were chosen by earlier ones),
    lr (the winners' median), won_early (how many of the winners won at an epoch before the last,
    trained on or not), searched and fresh (median losses).
    """
    last, rows = judged["n_epochs"].max(), []
    for label, part in judged.groupby("search", sort=False):
        looks = part["looks"].iloc[0]
        row = {
            "search": label,
            "epochs": part["epochs"].iloc[0],
            "looks": looks,
            "guided": max(looks - starts[label], 0) if label in starts else 0,
            "lr": np.median([config["lr"] for config in part["config"]]),
            "won_early": (part["n_epochs"] < last).sum(),
            "searched": part["val_loss"].median(),
            "fresh": part["fresh"].median(),
        }
        rows.append(row)
    return pd.DataFrame(rows)


def lowest_of_equals(
    config: Mapping,
    name: str,
    n_epochs: int,
    looks: Sequence[int],
    *,
    repeats: Sequence[int],
    progress: bool = False,
) -> pd.DataFrame:
    """Return what a search finds among trials of one and the same configuration.

    In each repeat the trials share the rows, and differ in the training seed only. Columns: looks
    (how many trials); lowest, the lowest loss of so many, its median over the repeats; and worth,
    the median of all trials of all repeats.
    """
    most = max(looks)
    jobs = [
        Job(lab.Data(name), config, repeat, seed, n_epochs)
        for repeat in repeats
        for seed in lab.own_draws(repeat, "luck", most)
    ]
    losses = lab.train(jobs, progress=progress).val_loss[:, -1].reshape(len(repeats), most)
    rows = [(n, np.median(losses[:, :n].min(axis=1)), np.median(losses)) for n in looks]
    return pd.DataFrame(rows, columns=["looks", "lowest", "worth"])


def compare_repairs(repaired: Mapping[str, pd.DataFrame], other: str = "random") -> pd.DataFrame:
    """Return what repairs do to each search: a row for each search of each table.

    repaired: repair -> a table of `lab.judge`; the first is of the race as it was. Columns: repair,
    search, epochs (the mean of what it trained), fresh (the median fresh loss of its winners);
    better and worse, in how many repeats that is below and above the same search's as it was; and
    beats, in how many it is below the other search's after the same repair, or as it was where it
    has none.
    """
    before = _fresh(next(iter(repaired.values())))
    rows = []
    for repair, table in repaired.items():
        fresh = _fresh(table)
        for label, part in table.groupby("search", sort=False):
            moved = lab.pairs(fresh[label], before[label])
            rival = fresh.get(other, before[other])
            row = {
                "repair": repair,
                "search": label,
                "epochs": round(part["epochs"].mean()),
                "fresh": fresh[label].median(),
                "better": moved.wins,
                "worse": moved.defeats,
                f"beats_{other}": "" if label == other else lab.pairs(fresh[label], rival).wins,
            }
            rows.append(row)
    return pd.DataFrame(rows)


def _fresh(judged: pd.DataFrame) -> pd.DataFrame:
    return judged.pivot(index="repeat", columns="search", values="fresh")


def power_of_sign_test(
    n_repeats: Sequence[int], chances: Sequence[float] = (0.6, 0.75, 0.9)
) -> pd.DataFrame:
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


def worth_of_tuning(
    races: Sequence[tuple[Problem, pd.DataFrame]],
    untuned: Mapping[str, Mapping],
    searches: Sequence[str],
    n_judges: int = 10,
) -> pd.DataFrame:
    """Return what tuning buys: configurations that nobody searched, beside what the searches chose.

    races: a problem of the course's network, and the table of `lab.judge` for it; the judges of its
    repeats judge the others, too. untuned: name -> configuration. Columns: data, choice, loss and
    accuracy (in percent), means over the judges and the repeats; and half_width: half the 95 %
    interval (Wilson) of one test score of that accuracy, in points.
    """
    rows = []
    for problem, judged in races:
        repeats = [int(repeat) for repeat in judged["repeat"].unique()]
        found = {}
        for label, config in untuned.items():
            choices = [Chosen(config, problem.n_epochs, repeat) for repeat in repeats]
            loss, accuracy = problem.measure(choices, "judge", n_judges, False)
            found[label] = loss.mean(), accuracy.mean()
        for label in searches:
            part = judged[judged["search"] == label]
            found[label] = part["fresh"].mean(), part["accuracy"].mean()
        n_test = load_splits(problem.name).n_test
        for label, (loss, accuracy) in found.items():
            score = wilson_interval(round(accuracy * n_test), n_test)
            rows.append((problem.name, label, loss, 100 * accuracy, 50 * (score.high - score.low)))
    return pd.DataFrame(rows, columns=["data", "choice", "loss", "accuracy", "half_width"])
