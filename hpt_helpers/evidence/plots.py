"""Pictures of your own record. Each takes a trial table, draws on `ax` or new axes, returns them.

What the Axes says in words, for those who cannot see it, is `ax.alt_text`. Failed trials are left
out, and a picture that has too few of the others says how many it needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from hpt_helpers.axes import (
    COLOURS,
    check_columns,
    described,
    label,
    new_axes,
    new_row,
    plain_ticks,
)
from hpt_helpers.config import config_key
from hpt_helpers.evidence.questions import EarlyOrder, best_first
from hpt_helpers.evidence.sensitivity import LEAST_EXPLAINED, mean_response
from hpt_helpers.search_space import Choice, SearchSpace

MAX_POINTS = 1000  # of a panel
ENOUGH_FOR_TENTHS = 100  # rows, so that the median of a tenth is that of ten


def history(trials: pd.DataFrame, *, title: str = "", ax=None):
    """Draw each trial's loss by its number in the table, and the lowest so far.

    Only trials of the most epochs count towards the lowest; shorter ones are small dots.
    """
    done = _done(trials)
    full = (done["n_epochs"] == done["n_epochs"].max()).to_numpy()
    place = done.index.to_numpy()
    ax = new_axes(ax, title=title or "The search", x_label="trial", y_label=label("val_loss"))
    if not full.all():
        ax.plot(place[~full], done.loc[~full, "val_loss"], "o", ms=2, color="0.6", label="shorter")
    ax.plot(place[full], done.loc[full, "val_loss"], "o", ms=4, color="0.4", label="in full")
    lowest = done.loc[full, "val_loss"].cummin()
    ax.step(place[full], lowest, where="post", color=COLOURS[1], label="lowest so far")
    _log_where_positive(ax, y=done["val_loss"])
    ax.legend()
    lowest_at = place[full][int(np.argmin(done.loc[full, "val_loss"]))]
    return described(
        ax,
        f"{title or 'The search'}: {len(done)} trials, {full.sum()} of them in full, whose lowest "
        f"loss falls to {lowest.iloc[-1]:.4g}, reached by trial {lowest_at}.",
    )


def each_against(
    table: pd.DataFrame,
    space: Mapping,
    value: str | None = None,
    *,
    shares: Mapping[str, float] | None = None,
    title: str = "",
    axes=None,
):
    """Draw a value against each hyperparameter of a space, as dots.

    table: a trial table, or any with a column for each hyperparameter, and value. Of a trial table
    those of the most epochs are drawn. value: a column's name; None is "fresh" where the table has
    it, else "val_loss". From 100 rows on, the medians of tenths are drawn, too; of
    fewer rows a tenth would be the luck of a few. Of many rows, MAX_POINTS are drawn, spread evenly
    over the table. space: its logarithmic ones have logarithmic axes. shares: what a panel's title
    says of its hyperparameter, the share of the variance, such as `importance` finds.
    Returns the first Axes; each of them has its description.
    """
    value = value or ("fresh" if "fresh" in table else "val_loss")
    check_columns(table, *space, value)
    table = _in_full(table) if {"n_epochs", "status"} <= set(table.columns) else table
    table = table.loc[np.isfinite(table[value].astype(float))]
    if table.empty:
        raise ValueError(f"table has no row with a finite {value}")
    if axes is None:
        n_rows = -(-len(space) // 3)
        n_panels = len(space) if n_rows == 1 else 3 * n_rows
        axes = new_row(n_panels, (10.5, 2.9 * n_rows), n_rows=n_rows)
    for ax, (name, parameter) in zip(axes, space.items(), strict=False):
        what = f"{title}: {label(name)}" if title else label(name)
        what += f": {shares[name]:.2f}" if shares is not None else ""
        _draw_against(ax, table, name, parameter, value, what)
    for ax in axes[len(space) :]:
        ax.axis("off")
    return axes[0]


def _draw_against(ax, table: pd.DataFrame, name: str, parameter, value: str, what: str) -> None:
    """Draw one panel of `each_against`."""
    new_axes(ax, title=what, x_label=label(name), y_label=label(value))
    some = table.iloc[:: max(1, len(table) // MAX_POINTS)]
    few = len(table) < ENOUGH_FOR_TENTHS
    style = {"color": "0.4" if few else "0.7", "ms": 4 if few else 2, "zorder": 1}
    choices = getattr(parameter, "values", None) if hasattr(parameter, "values") else None
    if choices is not None and not hasattr(parameter, "low"):
        texts = [str(choice) for choice in choices]
        jitter = np.random.default_rng(0).uniform(-0.15, 0.15, len(some))
        places = [texts.index(str(chosen)) for chosen in some[name]]
        ax.plot(places + jitter, some[value], "o", **style)
        ax.set_xticks(range(len(texts)), texts)
        medians = (
            pd.Series(table[value].to_numpy()).groupby(table[name].map(str).to_numpy()).median()
        )
        found = f"its medians go from {medians.min():.3g} to {medians.max():.3g}"
    else:
        ax.plot(some[name], some[value], "o", **style)
        found = f"{len(table)} dots"
        if not few:
            medians = _draw_tenths(ax, table, name, value)
            found = (
                f"the medians of tenths go from {medians[0]:.2f} to {medians[-1]:.2f}, "
                f"between {medians.min():.2f} and {medians.max():.2f}"
            )
        if getattr(parameter, "log", False):
            ax.set_xscale("log")
            plain_ticks(ax.xaxis)
    _log_where_positive(ax, y=table[value])
    described(ax, f"{what}: {label(value)} against it; {found}.")


def _draw_tenths(ax, table: pd.DataFrame, name: str, value: str) -> np.ndarray:
    tenth = (table[name].rank(method="first") - 1) * 10 // len(table)
    medians = pd.DataFrame(table.groupby(tenth)[[name, value]].median())
    ax.plot(medians[name], medians[value], "-o", color=COLOURS[1], ms=4, zorder=2)
    return medians[value].to_numpy()


def response(trials: pd.DataFrame, space: SearchSpace, name: str, *, title: str = "", ax=None):
    """Draw the loss against one hyperparameter: each trial, and the mean over all others.

    The line is that of a model, as `sensitivity.mean_response` has it. Where the model explains
    less than half of the differences, there is no line, and the title says so.
    """
    values, losses, explained = mean_response(trials, space, name)
    done = _in_full(trials)
    known = explained >= LEAST_EXPLAINED
    said = f"the model explains {max(explained, 0):.0%}"
    title = title or f"{label(name)}: {said}" + ("" if known else ", too little for a line")
    ax = new_axes(ax, title=title, x_label=label(name), y_label=label("val_loss"))
    is_choice = isinstance(space[name], Choice)
    places = [str(value) for value in values] if is_choice else values
    ax.plot(done[name].map(str) if is_choice else done[name], done["val_loss"], "o", color="0.5")
    if known:
        ax.plot(places, losses, "-", color=COLOURS[1], linewidth=2)
    if getattr(space[name], "log", False):
        ax.set_xscale("log")
        plain_ticks(ax.xaxis)
    _log_where_positive(ax, y=done["val_loss"])
    best = places[int(np.argmin(losses))]
    lowest = f"the mean over the others is lowest at {best if is_choice else f'{best:.3g}'}"
    return described(ax, f"{title}: {len(done)} trials; {lowest if known else said}.")


def parallel(
    trials: pd.DataFrame, space: SearchSpace, n_best: int = 5, *, title: str = "", ax=None
):
    """Draw each trial as a line across its hyperparameters, the n_best of them bold.

    Each axis goes from the lower bound of its hyperparameter to the upper, as the space draws it.
    It shows where the best lie together, and at which edge of the space.
    """
    done = best_first(_in_full(trials))
    _enough(done, 1)
    unit = space.to_unit([{name: config[name] for name in space} for config in done["config"]])
    title = title or f"{len(done)} configurations, the {min(n_best, len(done))} best bold"
    ax = new_axes(ax, title=title, y_label="from the lower bound to the upper")
    x = np.arange(len(space))
    ax.plot(x, unit[n_best:].T, color="0.8", linewidth=0.6, zorder=1)
    ax.plot(x, unit[:n_best].T, color=COLOURS[1], linewidth=1.8, marker="o", ms=4, zorder=2)
    ax.set_xticks(x, [label(name) for name in space])
    ax.set_xlabel("hyperparameter")
    ax.set_ylim(-0.03, 1.03)
    spans = ", ".join(
        f"{label(name)} {low:.2f} to {high:.2f}"
        for name, low, high in zip(space, unit[:n_best].min(0), unit[:n_best].max(0), strict=True)
    )
    return described(ax, f"{title}: between the bounds, 0 to 1, these have {spans}.")


def ten_best(trials: pd.DataFrame, n: int = 10) -> pd.DataFrame:
    """Return the n best configurations as a table to read: loss, epochs, hyperparameters."""
    best = best_first(trials, n)
    names = list(dict.fromkeys(name for config in best["config"] for name in config))
    columns = {"val_loss": best["val_loss"], "n_epochs": best["n_epochs"]}
    return pd.DataFrame(columns | {name: best[name] for name in names})


def early_and_late(trials: pd.DataFrame, found: EarlyOrder, *, title: str = "", ax=None):
    """Draw each configuration's early loss against its loss at the end, for the earliest epoch.

    found: what `questions.early_order` returned for these trials. On one line means in one order.
    """
    row = found.table.iloc[0]
    epochs = [int(found.table["epoch"].to_numpy()[0]), int(np.max(trials["n_epochs"].to_numpy()))]
    table = trials.assign(key=trials["config"].map(config_key))
    wide = table.pivot_table(index="key", columns="n_epochs", values="val_loss")[epochs].dropna()
    early, late = wide.to_numpy().T
    title = title or f"Early and late: rank correlation {row['rank_correlation']:.2f}"
    labels = [f"loss after {n} epochs" for n in epochs]
    ax = new_axes(ax, title=title, x_label=labels[0], y_label=labels[1])
    ax.plot(early, late, "o", color="0.4", ms=4)
    winner = late.argmin()
    ax.plot(early[winner], late[winner], "D", color=COLOURS[2], ms=8, label="the winner")
    _log_where_positive(ax, x=early, y=late)
    ax.legend()
    place = int(found.table["winner_place"].to_numpy()[0])
    return described(
        ax,
        f"{title}, of {len(wide)} configurations; the winner at the end stood at place {place} of "
        "the earlier order.",
    )


def _done(trials: pd.DataFrame) -> pd.DataFrame:
    check_columns(trials, "n_epochs", "val_loss")
    return _enough(trials.loc[np.isfinite(trials["val_loss"].astype(float))], 1)


def _in_full(trials: pd.DataFrame) -> pd.DataFrame:
    done = _done(trials)
    return done.loc[done["n_epochs"] == done["n_epochs"].max()]


def _enough(trials: pd.DataFrame, n: int) -> pd.DataFrame:
    if len(trials) < n:
        raise ValueError(f"{len(trials)} trials succeeded; {n} or more are needed to draw them")
    return trials


def _log_where_positive(ax, *, x=None, y) -> None:
    """Make an axis logarithmic where all of its values, an array, are above 0."""
    if np.min(y) > 0:
        ax.set_yscale("log")
        plain_ticks(ax.yaxis, _ticks_between(np.min(y), np.max(y)))
    if x is not None and np.min(x) > 0:
        ax.set_xscale("log")
        plain_ticks(ax.xaxis, _ticks_between(np.min(x), np.max(x)))


def _ticks_between(low: float, high: float) -> Sequence[float] | None:
    """Return the multiples of powers of ten at which a short logarithmic axis has ticks."""
    return (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8, 9) if high < 6 * low else None
