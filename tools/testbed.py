"""Measure what searches are worth on the testbed: `python -m tools.testbed` writes docs/testbed.md.

With names of SECTIONS, as in `python -m tools.testbed shares early`, it measures and prints these,
and with `--write` before the names it also puts them into the page, which else stays as it is.
What needs the two tables takes a minute; searches that propose points of their own train live, for
some minutes, once (then they come from the cache). Sections on other data need tables of their own,
in build/tables: CONTRIBUTING.md, The testbed, says how to make them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

import numpy as np
import pandas as pd

from hpt_helpers.classroom.lab import problems, racing, searches, statistics
from hpt_helpers.classroom.tables import boosting as boosting_table
from hpt_helpers.classroom.tables import boosting_recipe
from hpt_helpers.classroom.tables.readings import (
    early_order,
    random_orders,
    random_searches,
    random_winners,
    shares_of_variance,
    told_apart,
)
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG, N_POOL, RECIPES, SHIPPED
from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.strategies import random_search
from hpt_helpers.trials import ranking
from tools import boosting, diamonds, many_workers, schedules, ways_to_learn

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "testbed.md"
OTHERS = ROOT / "build" / "tables"
NARROW = OTHERS / "digits_narrow.npz"
OTHER_SEEDS = [OTHERS / f"simulated_{i}.npz" for i in (1, 2, 3)]
CANCER = OTHERS / "breast_cancer.npz"
SCHEDULES = [OTHERS / f"{name}.npz" for name in ("digits_cosine", "breast_cancer_cosine")]
SCHEDULED = {"digits": "digits", "breast_cancer": str(CANCER)}  # which have a twin with a schedule
PAIRS = "better : worse, searched → fresh"  # a column of `verdicts`
TEXT = ROOT / "tools" / "testbed_text.md"

N_TRIALS = 40
N_AGAIN = 10  # of the best random trials, which the guide of lesson 5 trains once more
N_SEARCHES = 5  # of each repeat, where finalists are trained again
ON_POOL = {
    "random": searches.at_random,
    "by hand": searches.by_hand,
    "Hyperband": searches.repeated_hyperband,
    "ASHA": searches.asha,
}
LIVE = {"TPE": searches.tpe, "bayesian_search": searches.bayesian}
NEAREST = {
    "TPE, nearest": searches.tpe_on_pool,
    "bayesian_search, nearest": partial(searches.on_pool, searches.bayesian),
}
AT_ONCE = {
    "random": searches.at_random,
    "learns": searches.by_hand,
    "cuts": searches.asha,
    "both": searches.cut_and_learn,
}
OTHER_WAYS = {
    "cuts": searches.asha,
    "both": searches.cut_and_learn,
    "highest rung": ways_to_learn.by_highest_rung,
    "brackets": ways_to_learn.by_brackets,
}
# By number of workers, how long the searches that learn are raced. Those that also cut think long
# once they know hundreds of trials.
WORKERS = {
    1: {"learns": 8, "both": 8},
    4: {"learns": 8, "both": 8},
    16: {"learns": 8, "both": 2},
    64: {},
}
BOOSTING_ROWS = boosting_recipe.N_VAL
TRAININGS = (3, 5, 8, 13, 40)  # budgets of the searches that cut and learn


# --- tables in Markdown ---------------------------------------------------------------------------


def markdown(table: pd.DataFrame) -> str:
    """Return a table in Markdown; floats have three decimals."""

    def text(value) -> str:
        return f"{value:.3f}" if isinstance(value, float) else str(value)

    rows = [list(table.columns), ["---"] * table.shape[1]]
    rows += [[text(value) for value in row] for row in table.itertuples(index=False)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def dashed(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table with a dash wherever a value is missing."""
    values = table.astype(object)
    return values.where(values.notna(), "–")


def verdicts(judged: pd.DataFrame, other: str = "random") -> pd.DataFrame:
    """Return a row for each search: medians, and how it compares with another one in pairs.

    tried: how many configurations it looked at, a median. better : worse, searched → fresh: in how
    many repeats its winner is better and in how many worse, by either loss. The rest are level.
    """
    fresh = statistics.compare(judged, other).set_index("search")
    searched = statistics.compare(judged, other, by="val_loss").set_index("search")
    rows = []
    for label, part in judged.groupby("search", sort=False):
        row = {
            "search": label,
            "tried": int(part["tried"].median()),
            "searched": part["val_loss"].median(),
            "fresh": part["fresh"].median(),
            "accuracy": part["accuracy"].median(),
            PAIRS: "",
            "times the loss of random": "",
        }
        if label != other:
            ratio = fresh.loc[label]
            row[PAIRS] = f"{better_and_worse(searched.loc[label])} → {better_and_worse(ratio)}"
            interval = f"{ratio['low']:.2f} to {ratio['high']:.2f}"
            row["times the loss of random"] = f"{ratio['ratio']:.2f} ({interval})"
        rows.append(row)
    return pd.DataFrame(rows)


def better_and_worse(compared: pd.Series) -> str:
    return f"{compared['wins']:.0f} : {compared['defeats']:.0f}"


# --- races ----------------------------------------------------------------------------------------


def race(
    name: str, n_val: int, some: Mapping[str, racing.MakeStrategy], *, live: bool = False, **options
):
    """Return the judged winners of searches of 40 full trainings (or n_trials) in all repeats."""
    options = {"n_trials": N_TRIALS, "repeats": range(load_table(name).n_repeats)} | options
    return racing.race(table_problem(name, n_val, live=live), some, progress=True, **options)


def random_of(n_trials: int) -> racing.MakeStrategy:
    return partial(_random_of, n_trials)


def _random_of(n, space, repeat, n_trials, n_epochs):
    return random_search(space, n, n_epochs, seed=repeat)


def default(name: str, n_val: int) -> pd.DataFrame:
    """Return the default configuration as if a search had chosen it in each repeat."""
    table = load_table(name)
    repeats = range(table.n_repeats)
    entries = [table.entry(DEFAULT_CONFIG, table.epochs[-1], repeat) for repeat in repeats]
    i, r, k = (np.array(places) for places in zip(*entries, strict=True))
    return pd.DataFrame(
        {
            "search": "default",
            "repeat": repeats,
            "tried": 1,
            "val_loss": table.loss[i, r, table.rows(n_val), k],
            "fresh": table.fresh_loss[i, r, k],
            "accuracy": table.fresh_accuracy[i, r, k],
        }
    )


def learned(name: str, n_val: int) -> pd.DataFrame:
    """Return all searches of 40 on one number of rows, judged."""
    parts = [
        default(name, n_val),
        race(name, n_val, ON_POOL),
        race(name, n_val, LIVE, live=True),
    ]
    return pd.concat(parts, ignore_index=True)


def digits_races() -> str:
    parts = []
    for n_val in reversed(RECIPES["digits"].n_val):
        judged = learned("digits", n_val)
        parts += [f"**{n_val} validation rows**", markdown(verdicts(judged))]
    return "\n\n".join(parts)


def digits_budgets() -> str:
    """Return what random search finds with more and more trials."""
    winners = random_winners("digits", RECIPES["digits"].n_val, [1, 3, 9, 27, 40, 81, 160, 400])
    wide = winners.pivot(index="n_trials", columns="n_val")[["searched", "fresh"]]
    wide.columns = [f"{what}, {n} rows" for what, n in wide.columns]
    return markdown(wide.reset_index())


def small_budgets() -> str:
    """Return who is ahead of random search, fresh, with budgets of 5 to 81 full trainings."""
    table, rows = load_table("digits"), []
    lowest = table.loss[:N_POOL, :, table.rows(360), -1].min(axis=0)
    for n_trials in (5, 13, 40, 81):
        judged = race("digits", 360, ON_POOL, n_trials=n_trials)
        found = verdicts(judged).set_index("search")
        row = {"full trainings": n_trials}
        for label in ON_POOL:
            wins = found.loc[label, PAIRS].partition("→")[2]
            row[label] = f"{found.loc[label, 'fresh']:.3f}" + (f";{wins}" if wins else "")
        best = judged[judged["search"] == "by hand"].sort_values("repeat")["val_loss"]
        row["by hand, lowest of the pool"] = (
            f"{(best <= lowest + statistics.SAME).sum()} of {len(best)}"
        )
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def grids() -> str:
    """Return each grid of the digits table against as many random trials, by rows."""
    rows = []
    for axes in RECIPES["digits"].grids:
        label = ", ".join(axes) if len(axes) < 6 else "all six"
        row = {"axes": label}
        for n_val in RECIPES["digits"].n_val:
            grid = searches.grid_of(table_problem("digits", n_val), axes)
            judged = race("digits", n_val, {label: grid}, n_trials=64)
            row["trials"] = n = int(judged["tried"].iloc[0])
            equal = race("digits", n_val, {"random": random_of(n)}, n_trials=n)
            found = verdicts(pd.concat([judged, equal], ignore_index=True)).set_index("search")
            row[f"{n_val} rows"] = f"{found.loc[label, 'fresh']:.3f}; {in_short(found.loc[label])}"
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def in_short(verdict: pd.Series) -> str:
    """Return a row of `verdicts` as text: the pairs, and the ratio with its interval."""
    return f"{verdict[PAIRS]}; {verdict['times the loss of random']}"


def own_points() -> str:
    """Return searches that propose points of their own: trained live, or the pool's nearest."""
    judged = [race("digits", 360, {"random": searches.at_random} | NEAREST)]
    judged.append(race("digits", 360, LIVE, live=True))
    return markdown(verdicts(pd.concat(judged, ignore_index=True)))


def early() -> str:
    parts = [
        early_order(name, n_val).assign(data=name, n_val=n_val)
        for name in SHIPPED
        for n_val in (30, RECIPES[name].n_val[-1])
    ]
    table = pd.concat(parts, ignore_index=True)
    return markdown(table[["data", "n_val", *table.columns[:-2]]])


def shares() -> str:
    parts = [shares_of_variance(name).assign(data=name) for name in SHIPPED]
    table = pd.concat(parts, ignore_index=True)
    return markdown(table[["data", *table.columns[:-1]]])


# --- cut and learn at once ------------------------------------------------------------------------


def judged_at(
    name: str, n_val: int, some: Mapping[str, racing.MakeStrategy], n_trainings: Sequence[int]
) -> dict[int, pd.DataFrame]:
    """Return the judged winners of searches for each budget, a number of full trainings.

    A search of a smaller budget is the beginning of that of the largest, so each is run once.
    """
    problem, repeats = table_problem(name, n_val), range(load_table(name).n_repeats)
    longest = max(n_trainings)
    trials = racing.trials_of(problem, some, n_trials=longest, repeats=repeats, progress=True)
    spent = trials["spent"]
    return {
        n: racing.judge(problem, racing.winners(trials[spent <= n * problem.n_epochs]))
        for n in n_trainings
    }


def medians(judged: pd.DataFrame) -> dict[str, float]:
    """Return the median fresh loss of each search."""
    return judged.groupby("search", sort=False)["fresh"].median().to_dict()


def against(judged: pd.DataFrame, other: str) -> pd.Series:
    """Return for each search how it compares with another one, fresh: better : worse."""
    return statistics.compare(judged, other).set_index("search").apply(better_and_worse, axis=1)


def cut_and_learn(name: str, n_trainings: Sequence[int] = TRAININGS) -> str:
    """Return what a search that cuts and learns is worth beside others, by rows and budget."""
    rows = []
    for n_val in reversed(load_table(name).n_val):
        for n, judged in judged_at(name, n_val, AT_ONCE, n_trainings).items():
            row = {"rows": n_val, "full trainings": n} | medians(judged)
            for other in ("random", "learns", "cuts"):
                row[f"both : {other}"] = against(judged, other)["both"]
            rows.append(row)
    return markdown(pd.DataFrame(rows))


def other_ways() -> str:
    """Return what other ways to learn and cut are worth, by data and budget."""
    rows = []
    for name, n_val in (("digits", 360), ("simulated", 2000), ("simulated", 30)):
        for n, judged in judged_at(name, n_val, OTHER_WAYS, (3, 5, 8, 13)).items():
            row = {"data": f"{name}, {n_val} rows", "full trainings": n} | medians(judged)
            for other in ("highest rung", "brackets"):
                row[f"both : {other}"] = against(judged, other)["both"]
                row[f"{other} : cuts"] = against(judged, "cuts")[other]
            rows.append(row)
    return markdown(pd.DataFrame(rows))


def protocol() -> str:
    """Return what it costs to make random trials first and to train the ten best of them again."""
    rows = []
    for name, n_val in (("digits", 360), ("digits", 30), ("simulated", 2000), ("simulated", 30)):
        at_once = judged_at(name, n_val, {"at once": ways_to_learn.at_once}, (40, 60, 80))
        for n_random, n_trainings in ((20, [40]), (40, [60, 80])):
            late = {"late": partial(ways_to_learn.after_random, n_random)}
            # the ten that are trained again are paid for, and no loss of theirs is used
            found = judged_at(name, n_val, late, [n - N_AGAIN for n in n_trainings])
            for n in n_trainings:
                judged = pd.concat([at_once[n], found[n - N_AGAIN]], ignore_index=True)
                compared = statistics.compare(judged, "at once").iloc[0]
                row = {"data": f"{name}, {n_val} rows", "full trainings": n, "random": n_random}
                row |= medians(judged) | {"late : at once": better_and_worse(compared)}
                ratio = f"{compared['ratio']:.3f} ({compared['low']:.3f} to {compared['high']:.3f})"
                rows.append(row | {"times the loss at once": ratio})
    return markdown(pd.DataFrame(rows))


def on_workers(name: str, n_val: int) -> str:
    """Return what searches have after as long on more and more workers.

    Where a search that cuts has begun all of the pool, and where one that learns would be too slow
    to race, there is a dash.
    """
    rows = []
    for n_workers, longest in WORKERS.items():
        random = many_workers.trials_by(name, n_val, ["random", "cuts"], n_workers, 8)
        learn = {
            label: many_workers.trials_by(name, n_val, [label], n_workers, time)
            for label, time in longest.items()
        }
        for time in (2, 4, 8):
            parts = [random, *(trials for label, trials in learn.items() if time <= longest[label])]
            rows.append(
                {"time": time, "workers": n_workers} | found_after(name, n_val, parts, time)
            )
    return markdown(dashed(pd.DataFrame(rows).sort_values(["time", "workers"])))


def found_after(name: str, n_val: int, parts: list[pd.DataFrame], time: float) -> dict:
    """Return medians of the fresh loss after so long, pairs, and how many ASHA has tried."""
    trials = pd.concat(parts, ignore_index=True)
    judged = many_workers.judged_after(name, n_val, trials, time)
    tried = judged[judged["search"] == "cuts"]["tried"].median()
    if tried >= N_POOL:  # what it would find with more to try nobody knows
        judged = judged[judged["search"].isin(["random", "learns"])]
    losses = {label: of_one["fresh"].to_numpy() for label, of_one in judged.groupby("search")}
    row: dict = {label: np.nan for label in many_workers.SEARCHES}
    row |= {label: float(np.median(losses[label])) for label in row if label in losses}
    for label, other in (("both", "cuts"), ("both", "learns"), ("learns", "cuts")):
        row[f"{label} : {other}"] = np.nan
        if label in losses and other in losses:
            found = statistics.pairs(losses[label], losses[other])
            row[f"{label} : {other}"] = f"{found.wins} : {found.defeats}"
    return row | {"ASHA has tried": int(tried)}


# --- schedules ------------------------------------------------------------------------------------


def by_schedule() -> str:
    """Return how early order foretells late order, without a schedule and with one."""
    rows, compared = [], []
    for label, name in SCHEDULED.items():
        twin = str(OTHERS / f"{label}_cosine.npz")
        n_repeats = load_table(twin).n_repeats
        found = {
            "none": schedules.early_order(name, n_repeats),
            "cosine": schedules.early_order(twin, n_repeats),
        }
        for schedule, of_one in found.items():
            rows.append(
                {
                    "data": label,
                    "schedule": schedule,
                    "a ninth": of_one.ninth.mean(),
                    "a third": of_one.third.mean(),
                    "rising": of_one.rising.mean(),
                    "best": float(np.median(of_one.best)),
                    "survivor": float(np.median(of_one.survivor)),
                    "survivor against best": times(of_one.survivor, of_one.best),
                    "kept": (of_one.survivor <= of_one.best + statistics.SAME).mean(),
                }
            )
        compared.append({"data": label, "repeats": n_repeats} | nearer(**found))
    return "\n\n".join([markdown(pd.DataFrame(rows)), markdown(pd.DataFrame(compared))])


def nearer(none: schedules.EarlyOrder, cosine: schedules.EarlyOrder) -> dict[str, str]:
    """Return in how many repeats the schedule is better : worse, by early order and by loss."""

    def in_pairs(ours: np.ndarray, theirs: np.ndarray) -> str:
        found = statistics.pairs(ours, theirs)
        return f"{found.wins} : {found.defeats}"

    def lost(of_one: schedules.EarlyOrder) -> np.ndarray:
        return np.log(of_one.survivor / of_one.best).mean(axis=1)

    return {
        "a ninth": in_pairs(-cosine.ninth, -none.ninth),
        "a third": in_pairs(-cosine.third, -none.third),
        "survivor against best": in_pairs(lost(cosine), lost(none)),
        "loss of the best": in_pairs(
            np.log(cosine.best).mean(axis=1), np.log(none.best).mean(axis=1)
        ),
    }


# --- the dial -------------------------------------------------------------------------------------


def dial(*names: str, live: Mapping[str, racing.MakeStrategy] = MappingProxyType({})) -> str:
    """Return who is ahead of random, as searched and fresh, by the number of validation rows.

    names: of tables; of several, all repeats count together.
    """
    rows = []
    for n_val in load_table(names[0]).n_val:
        judged = []
        for name in names:
            parts = [race(name, n_val, ON_POOL)]
            if live:
                parts.append(race(name, n_val, live, live=True))
            judged += [part.assign(repeat=name + part["repeat"].astype(str)) for part in parts]
        found = verdicts(pd.concat(judged, ignore_index=True)).set_index("search")
        random = found.loc["random"]
        row = {
            "rows": n_val,
            "random, searched / fresh": f"{random['searched']:.3f} / {random['fresh']:.3f}",
        }
        for label in found.index.drop("random"):
            row[label] = in_short(found.loc[label])
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def more_trials() -> str:
    """Return what random search's winner is worth by trials and rows, on the simulated data."""
    n_val, n_trials = RECIPES["simulated"].n_val, [1, 3, 9, 27, 81]
    winners = random_winners("simulated", n_val, n_trials).set_index(["n_val", "n_trials"])
    rows = []
    for n in n_val:
        row = {"rows": n} | {f"fresh, {m}": winners.loc[(n, m), "fresh"] for m in n_trials}
        rows.append(row | {"searched, 81": winners.loc[(n, 81), "searched"]})
    return markdown(pd.DataFrame(rows))


def all_of_the_pool() -> str:
    """Return what random search gains from 81 trials on, up to all 1,000 of the pool."""
    rows = []
    for name in SHIPPED:
        for n_val in load_table(name).n_val:
            found = random_searches(name, [n_val], [81, 243, N_POOL]).set_index("n_trials")
            row = {"data": name, "rows": n_val}
            row |= {f"searched, {n}": found.loc[n, "searched"].median() for n in (243, N_POOL)}
            row |= {f"fresh, {n}": found.loc[n, "fresh"].median() for n in (243, N_POOL)}
            few, more, all_ = (
                by_repeat(of.set_index("repeat")["fresh"]) for _, of in found.groupby("n_trials")
            )
            row |= {"243 against 81": times(more, few), "1000 against 243": times(all_, more)}
            rows.append(row)
    return markdown(pd.DataFrame(rows))


def spending(**names: str) -> str:
    """Return what more trials and finalists change, by rows; names: label -> table."""
    rows = []
    for n_val in load_table(next(iter(names.values()))).n_val:
        found = {label: gains(name, n_val) for label, name in names.items()}
        row = {"rows": n_val}
        for what in ("81 against 27", "finalists against 81"):
            for label, of_one in found.items():
                row[what if len(names) == 1 else f"{what}, {label}"] = of_one[what]
        rows.append(row)
    return markdown(pd.DataFrame(rows))


def gains(name: str, n_val: int) -> dict[str, str]:
    """Return what 54 further trials change, and what finalists change at equal cost."""
    found = random_searches(name, [n_val], [27, 81])
    fresh = found.set_index(["n_trials", "repeat"])["fresh"]
    return {
        "81 against 27": times(by_repeat(fresh.loc[81]), by_repeat(fresh.loc[27])),
        "finalists against 81": times(*finalists(name, n_val)),
    }


def by_repeat(losses: pd.Series) -> np.ndarray:
    """Return the losses of random searches, indexed by repeat, as (n_repeats, n_searches)."""
    return np.stack([of_one.to_numpy() for _, of_one in losses.groupby(level="repeat")])


def times(losses: np.ndarray, others: np.ndarray) -> str:
    """Return how many times the others losses are, as geometric means, with the 95 % interval.

    Both are of shape (n_repeats, n_searches), and the interval is from resampling the repeats.
    """
    logs = np.log(losses / others).mean(axis=1)
    ratio, low, high = np.exp([logs.mean(), *statistics.bootstrap(logs)])
    return f"{ratio:.3f} ({low:.3f} to {high:.3f})"


def finalists(name: str, n_val: int) -> tuple[np.ndarray, np.ndarray]:
    """Return what random searches are worth at equal cost, twice (n_repeats, N_SEARCHES).

    First those of 61 trials, whose best five are trained on four new splits, then those of 81.
    """
    table, problem = load_table(name), table_problem(name, n_val)
    tried = random_orders(table.n_repeats, N_SEARCHES)[..., :81]
    repeats = np.arange(table.n_repeats)[:, None]
    losses = table.loss[tried, repeats[..., None], table.rows(n_val), -1]
    best_first = np.apply_along_axis(ranking, 2, losses[..., :61])
    order = np.take_along_axis(tried, best_first, axis=2)
    choices = [
        problems.Chosen(table.configs(repeat)[position], table.epochs[-1], repeat)
        for repeat, positions in enumerate(order[..., :5])
        for position in positions.ravel()
    ]
    again, _ = problem.measure(choices, "finalist", 4, True)
    means = again.mean(axis=1).reshape(table.n_repeats, N_SEARCHES, 5)
    best = statistics.best_along(means, axis=2)
    chosen = np.take_along_axis(order, best[..., None], axis=2)[..., 0]
    lowest = statistics.best_along(losses, axis=2)[..., None]
    plain = np.take_along_axis(tried, lowest, axis=2)[..., 0]
    return table.fresh_loss[chosen, repeats, -1], table.fresh_loss[plain, repeats, -1]


def other_seeds() -> str:
    """Return the dial on other seeds of the data, together and each, and the gains on each."""
    paths = [str(path) for path in OTHER_SEEDS]
    seeds = {f"seed {load_table(path).recipe.random_state}": path for path in paths}
    parts = ["**All of them together**", dial(*paths)]
    for seed, path in seeds.items():
        parts += [f"**S{seed[1:]} of the data**", dial(path)]
    parts += ["**Further trials and finalists**", spending(**seeds)]
    return "\n\n".join(parts)


def narrow() -> str:
    return "\n\n".join([dial(str(NARROW)), spending(narrow=str(NARROW))])


def rows_tell() -> str:
    """Return how far validation rows tell configurations apart, on each data set."""
    names = {"digits": "digits", "digits, narrow": str(NARROW), "simulated": "simulated"}
    rows = [
        {"data": label, "rows": n_val} | told_apart(name, n_val)
        for label, name in names.items()
        for n_val in load_table(name).n_val
    ]
    return markdown(pd.DataFrame(rows))


def made_of() -> str:
    rows = []
    for name in SHIPPED:
        table = load_table(name)
        path = ROOT / "hpt_helpers" / "classroom" / "tables" / f"{name}.npz"
        rows.append(
            {
                "table": name,
                "configurations": len(table.configs(0)),
                "repeats": table.n_repeats,
                "judges of each": table.n_judges,
                "validation rows": ", ".join(map(str, table.n_val)),
                "trainings": f"{len(table.loss) * table.n_repeats * (1 + table.n_judges):,}",
                "MB": f"{path.stat().st_size / 1e6:.1f}",
                "made with": json.dumps(table.about["versions"]).strip("{}").replace('"', ""),
            }
        )
    return markdown(pd.DataFrame(rows))


def boosted() -> str:
    """Return what random searches of gradient boosting report and find, by rows and trials."""
    found = boosting.measured()
    last, before = found["fresh"][..., -1], found["fresh"][..., -2]  # of 81 and of 27 trials
    gained = [
        {"rows": n_val, "81 against 27": times(last[:, [i]], before[:, [i]])}
        for i, n_val in enumerate(boosting.N_VAL)
    ]
    return "\n\n".join([markdown(boosting.medians(found)), markdown(pd.DataFrame(gained))])


def boosting_order() -> str:
    """Return what a cut of boosting keeps of the order and what it costs, by validation rows."""
    parts = [boosting_table.order_and_price(n).set_index(["cut", "at"]) for n in BOOSTING_ROWS]
    table = parts[-1][["share_of_cost"]].copy()
    for n_val, part in zip(BOOSTING_ROWS, parts, strict=True):
        table[f"rank correlation, {n_val} rows"] = part["rank_correlation"]
    return markdown(table.reset_index().rename(columns={"share_of_cost": "share of the cost"}))


def boosting_races() -> str:
    """Return what searches of boosting are worth where they are charged what trials cost."""
    medians_, pairs = [], []
    for n_val in reversed(BOOSTING_ROWS):
        for budget, judged in diamonds.races(n_val):
            at = {"rows": n_val, "full trainings": budget}
            medians_.append(at | medians(judged))
            pairs.append(at | in_pairs(judged))
    return "\n\n".join([markdown(pd.DataFrame(medians_)), markdown(pd.DataFrame(pairs))])


def in_pairs(judged: pd.DataFrame) -> dict[str, str]:
    """Return better : worse, fresh, of the searches that cut."""
    by_random = against(judged, "random")
    return {
        "both by rounds : random": by_random["both by rounds"],
        "both by rounds : learns": against(judged, "learns")["both by rounds"],
        "both by rounds : cuts by rounds": against(judged, "cuts by rounds")["both by rounds"],
        "cuts by rows : random": by_random["cuts by rows"],
        "both by rows : random": by_random["both by rows"],
    }


def boosting_trials() -> str:
    """Return what random search of boosting reports and finds, to all 300 of a pool."""
    n_trials = [1, 3, 9, 27, 81, boosting_recipe.N_POOL]
    found = boosting_table.random_to(n_trials).set_index(["n_val", "n_trials"])
    rows = []
    for n_val in BOOSTING_ROWS:
        row = {"rows": n_val} | {f"fresh, {m}": found.loc[(n_val, m), "fresh"] for m in n_trials}
        last = found.loc[(n_val, n_trials[-1]), "searched"]
        rows.append(row | {f"searched, {n_trials[-1]}": last})
    return markdown(pd.DataFrame(rows))


def boosting_shares() -> str:
    """Return which hyperparameters of boosting matter, and how far rows tell trials apart."""
    apart = [{"rows": n_val} | boosting_table.told_apart(n_val) for n_val in BOOSTING_ROWS]
    return "\n\n".join([markdown(boosting_table.shares()), markdown(pd.DataFrame(apart))])


SECTIONS = {
    "made_of": made_of,
    "digits_races": digits_races,
    "digits_budgets": digits_budgets,
    "digits_spending": partial(spending, digits="digits"),
    "small_budgets": small_budgets,
    "grids": grids,
    "own_points": own_points,
    "shares": shares,
    "early": early,
    "schedules": by_schedule,
    "rows_tell": rows_tell,
    "cut_and_learn_digits": partial(cut_and_learn, "digits"),
    "cut_and_learn_simulated": partial(cut_and_learn, "simulated", TRAININGS[:-1]),
    "cut_and_learn_cancer": partial(cut_and_learn, str(CANCER)),
    "other_ways": other_ways,
    "workers_digits": partial(on_workers, "digits", 360),
    "protocol": protocol,
    "dial": partial(dial, "simulated", live={"TPE": searches.tpe}),
    "more_trials": more_trials,
    "all_of_the_pool": all_of_the_pool,
    "simulated_spending": partial(spending, simulated="simulated"),
    "other_seeds": other_seeds,
    "narrow": narrow,
    "boosting": boosted,
    "boosting_order": boosting_order,
    "boosting_races": boosting_races,
    "boosting_trials": boosting_trials,
    "boosting_shares": boosting_shares,
}


def main(names: Sequence[str] = (), write: bool = False) -> None:
    """Write the page, or measure the sections of these names and print or write them."""
    if unknown := sorted(set(names) - SECTIONS.keys()):
        sys.exit(f"{', '.join(unknown)}: no such section; there are {', '.join(SECTIONS)}")
    if names and not write:
        print(*(SECTIONS[name]() for name in names), sep="\n\n")
    else:
        write_page(names or list(SECTIONS))


def write_page(names: Sequence[str]) -> None:
    """Write the page, with these sections measured anew and the others as they stand in it."""
    needed = (NARROW, *OTHER_SEEDS, CANCER, *SCHEDULES) if set(names) == SECTIONS.keys() else ()
    if missing := [str(path) for path in needed if not path.exists()]:
        sys.exit(
            f"{', '.join(missing)}: not there. CONTRIBUTING.md, The testbed, says how to make it"
        )
    text, found = TEXT.read_text(encoding="utf-8"), {name: SECTIONS[name]() for name in names}
    for name in SECTIONS:
        if f"{{{name}}}" in text:
            begin, end = marks(name)
            section = found.get(name) or in_page(name)
            text = text.replace(f"{{{name}}}", f"{begin}\n\n{section}\n\n{end}")
    text = text.replace("{optuna}", metadata.version("optuna"))
    PAGE.write_text(text, encoding="utf-8")


def marks(name: str) -> tuple[str, str]:
    """Return the comments between which a section stands in the page."""
    return f"<!-- python -m tools.testbed {name} -->", f"<!-- end of {name} -->"


def in_page(name: str) -> str:
    """Return a section as it stands in the page."""
    begin, end = marks(name)
    return PAGE.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0].strip()


if __name__ == "__main__":
    given = sys.argv[1:]
    main([name for name in given if name != "--write"], write="--write" in given)
