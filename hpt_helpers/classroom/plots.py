"""The course's plots. Each draws on `ax` (or a new one) and returns it; none calls `show`.

Repeats come as tidy tables (a row for each measurement, named columns), searches and curves as
arrays by name. The returned Axes carries a description for those who cannot see it as
`ax.alt_text`; see `figures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from hpt_helpers.classroom.figures import (
    COLOURS,
    DASHES,
    MARKERS,
    check_columns,
    described,
    label,
    new_axes,
    new_row,
    plain_ticks,
    short_label,
)

if TYPE_CHECKING:
    import pandas as pd


def trajectories(
    best_so_far: Mapping[str, np.ndarray],
    *,
    cost: np.ndarray | None = None,
    x_label: str = "trials",
    title: str = "Incumbent's validation loss",
    ax=None,
):
    """Draw the incumbent's validation loss against cost: a median line and a quartile band for each
    search.

    best_so_far: name -> shape (n_trials,) for one search or (n_repeats, n_trials) for repeats of
    it.
    cost: shape (n_trials,), in the units of x_label; 1, 2, 3, … when not given.
    """
    ax = new_axes(ax, title=title, x_label=x_label, y_label="best validation loss so far (nats)")
    for i, (name, losses) in enumerate(best_so_far.items()):
        losses = np.atleast_2d(losses)
        x = np.arange(1, losses.shape[1] + 1) if cost is None else cost
        low, median, high = _quartiles(losses)
        colour, label = (
            COLOURS[i % 6],
            name if len(losses) == 1 else f"{name} (median of {len(losses)})",
        )
        ax.step(
            x,
            median,
            where="post",
            color=colour,
            linestyle=DASHES[i % 6],
            marker=MARKERS[i % 6],
            ms=4,
            label=label,
        )
        if len(losses) > 1:
            ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    if cost is None:
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    ends = ", ".join(f"{n} ends at {_quartiles(v)[1, -1]:.3f}" for n, v in best_so_far.items())
    return described(ax, f"{title} against {x_label}: {ends}.")


def learning_curves(
    losses: Mapping[str, np.ndarray] | np.ndarray,
    *,
    title: str = "Learning curves",
    mark: Sequence[int] = (),
    ax=None,
):
    """Draw validation loss against epochs, one line a run; few runs by name, many as grey lines.

    losses: name -> shape (n_epochs,), or an array (n_runs, n_epochs). mark: rows of the array to
    draw bold.
    """
    ax = new_axes(ax, title=title, x_label="epochs", y_label="validation loss (nats)")
    if isinstance(losses, Mapping):
        for i, (name, curve) in enumerate(losses.items()):
            x = np.arange(1, len(curve) + 1)
            ax.plot(x, curve, color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
        ax.legend()
        return described(ax, f"{title}: validation loss against epochs for {', '.join(losses)}.")
    x = np.arange(1, losses.shape[1] + 1)
    ax.plot(x, losses.T, color="0.6", linewidth=0.4)
    for i, row in enumerate(mark):
        ax.plot(x, losses[row], color=COLOURS[1 + i % 5], linewidth=2, linestyle=DASHES[i % 6])
    ax.set_yscale("log")
    return described(
        ax, f"{title}: validation loss of {len(losses)} runs against epochs, logarithmic."
    )


def heat_map(
    values: np.ndarray,
    x: Sequence[float],
    y: Sequence,
    *,
    x_label: str,
    y_label: str,
    value_label: str = "validation loss (nats)",
    title: str = "Response surface",
    log_x: bool = False,
    log_values: bool = False,
    mark: Sequence[tuple[float, float]] = (),
    ax=None,
):
    """Draw values, shape (len(y), len(x)), as a surface: the darker, the lower; `mark` puts white
    crosses at (x, y).

    y may be numbers or names; numbers are drawn as equal rows. mark's y counts in rows when they
    are names. log_values: let the colours follow the values' logarithm.
    """
    ax = new_axes(ax, title=title, x_label=x_label, y_label=y_label)
    rows = np.arange(len(y))
    norm = "log" if log_values else None
    surface = ax.pcolormesh(x, rows, values, cmap="cividis", shading="nearest", norm=norm)
    ax.set_yticks(rows[:: max(1, len(y) // 8)], [str(v) for v in y][:: max(1, len(y) // 8)])
    if log_x:
        ax.set_xscale("log")
    for point in mark:
        row = list(y).index(point[1]) if point[1] in list(y) else point[1]
        ax.plot(
            point[0],
            row,
            marker="X",
            color="white",
            markeredgecolor="black",
            markersize=11,
            linestyle="none",
        )
    ax.grid(False)
    bar = ax.figure.colorbar(surface, ax=ax, label=value_label)
    if log_values:
        plain_ticks(bar.ax.yaxis)
    row, column = np.unravel_index(np.nanargmin(values), np.shape(values))
    return described(
        ax,
        f"{title}: {value_label} by {x_label} and {y_label}, lowest at {x[column]:.3g} and {y[row]}.",
    )


def maps(
    table: pd.DataFrame,
    x: str = "lr",
    y: str = "batch_size",
    values: Sequence[str] = ("val_loss", "val_error"),
    *,
    mark: Sequence[Mapping] = (),
    title: str = "",
    axes=None,
):
    """Draw maps of a landscape side by side, such as its loss and its error: the darker, the lower.

    table: columns x, y and values; rows that share x and y (seeds) are averaged. `val_error` is 1 −
    `val_accuracy`. mark: configurations to draw as white crosses. White rings are where a map is
    lowest: all that tie.
    Returns the first Axes; each of them has its description.
    """
    if "val_error" not in table and "val_accuracy" in table:
        table = table.assign(val_error=1 - table["val_accuracy"])
    check_columns(table, x, y, *values)
    axes = new_row(len(values), (5.25 * len(values), 3.8)) if axes is None else axes
    n_rows = len(table) // len(table.drop_duplicates([x, y]))
    for ax, value in zip(axes, values, strict=True):
        # A cell in which any training diverged stays empty: the mean of the others would flatter
        # it.
        grid = table.groupby([y, x])[value].agg(lambda cell: cell.mean(skipna=False)).unstack()
        panel = (f"{title}: {short_label(value)}" if title else short_label(value).capitalize()) + (
            f", mean of {n_rows}" if n_rows > 1 else ""
        )
        heat_map(
            grid.to_numpy(),
            list(grid.columns),
            list(grid.index),
            x_label=label(x),
            y_label=label(y),
            title=panel,
            value_label=label(value),
            log_x=x == "lr",
            log_values=value == "val_loss",
            mark=[(config[x], config[y]) for config in mark],
            ax=ax,
        )
        lowest = np.argwhere(np.isclose(grid, np.nanmin(grid), rtol=0, atol=1e-12))
        for row, column in lowest:
            for colour, width in (("black", 4), ("white", 2)):
                ax.plot(grid.columns[column], row, "o", mfc="none", mec=colour, mew=width, ms=9)
        described(
            ax,
            f"{ax.alt_text[:-1]}; the lowest value is met in {len(lowest)} of {grid.size} cells.",
        )
    return axes[0]


def response(
    table: pd.DataFrame,
    x: str = "lr",
    *,
    by: str | None = None,
    value: str = "val_loss",
    title: str = "",
    log_x: bool | None = None,
    ax=None,
):
    """Draw a value against one hyperparameter: the median and a quartile band of the rows that
    share x (and by).

    table: columns x, value and, for a line each, by. log_x: a logarithmic axis, as a learning rate
    has by itself.
    """
    check_columns(table, x, value, *[by] * (by is not None))
    title = title or f"{short_label(value).capitalize()} by {label(x)}" + (
        f" and {label(by)}" if by else ""
    )
    ax = new_axes(ax, title=title, x_label=label(x), y_label=label(value))
    lowest = []
    for i, (key, part) in enumerate(table.groupby(by, sort=False) if by else [("", table)]):
        quartiles = part.groupby(x)[value].quantile([0.25, 0.5, 0.75]).unstack()
        colour, line = COLOURS[i % 6], f"{label(by)} {key}" if by else "every row"
        median = quartiles[0.5]
        ax.plot(
            median, color=colour, linestyle=DASHES[i % 6], marker=MARKERS[i % 6], ms=4, label=line
        )
        ax.fill_between(
            quartiles.index, quartiles[0.25], quartiles[0.75], color=colour, alpha=0.15, linewidth=0
        )
        lowest.append(f"{line} has its lowest median, {median.min():.3f}, at {median.idxmin():.3g}")
    ax.set_xscale("log" if (x == "lr" if log_x is None else log_x) else "linear")
    ax.legend()
    return described(ax, f"{title}: {', '.join(lowest)}.")


def spread(
    table: pd.DataFrame,
    value: str | None = None,
    by: str | None = None,
    *,
    title: str = "",
    log=False,
    ax=None,
):
    """Draw every value as a dot, a row for each group, with the group's quartiles as a box and its
    median as a bar.

    table: a row for each measurement. value: its column, by default the last. by: the column that
    names the groups, by default the first. Missing values are left out and counted in the group's
    label. log: a logarithmic axis.
    """
    value, by = value or table.columns[-1], by or table.columns[0]
    check_columns(table, value, by)
    title = title or f"{short_label(value).capitalize()} by {label(by)}"
    groups = {str(key): part[value] for key, part in table.groupby(by, sort=False)}
    ax = new_axes(
        ax,
        title=title,
        x_label=label(value),
        y_label=label(by),
        size=(6.4, 1.2 + 0.7 * len(groups)),
    )
    names, texts = [], []
    for row, (name, all_values) in enumerate(groups.items()):
        values = all_values.dropna().to_numpy(dtype=float)
        low, median, high = np.percentile(values, [25, 50, 75]) if len(values) else [np.nan] * 3
        # Dots move up and down by the golden ratio's multiples: evenly, and the same in every run.
        jitter = (np.arange(len(values)) * 0.618 % 1 - 0.5) * 0.5
        ax.plot(
            [low, high, high, low, low],
            row + np.array([-1, -1, 1, 1, -1]) * 0.32,
            color="0.45",
            linewidth=1,
        )
        ax.plot(
            values,
            row + jitter,
            "o",
            color=COLOURS[1],
            alpha=0.6,
            ms=4,
            markeredgewidth=0,
            zorder=3,
        )
        ax.plot([median] * 2, [row - 0.4, row + 0.4], color=COLOURS[0], linewidth=3)
        lost = f" of {len(all_values)}" * (len(values) < len(all_values))
        names.append(f"{name}\n({len(values)}{lost})")
        texts.append(
            f"{name} has median {median:.3g}, middle half {low:.3g} to {high:.3g}, {len(values)}{lost} values"
        )
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.4, -0.6), xscale="log" if log else "linear")
    if log:
        plain_ticks(ax.xaxis)
    ax.grid(False, axis="y")
    return described(ax, f"{title}: {'; '.join(texts)}.")


def paired(table: pd.DataFrame, a: str, b: str, *, title: str = "", unit: str = "nats", ax=None):
    """Draw the difference a − b of each repeat, sorted, and below them their mean with its 95 %
    interval (Student's t).

    table: a row for each repeat, with a column for each of the two that are compared; at least two
    complete rows.
    """
    check_columns(table, a, b)
    both = table[[a, b]].dropna().to_numpy(dtype=float)
    # but for rounding
    gap = np.sort(np.where(np.isclose(*both.T, rtol=1e-9, atol=0), 0, both[:, 0] - both[:, 1]))
    if len(gap) < 2:
        raise ValueError(
            f"table has {len(gap)} rows with both {a!r} and {b!r}; a comparison in pairs needs 2"
        )
    mean, half = gap.mean(), stats.t.ppf(0.975, len(gap) - 1) * stats.sem(gap)
    title = title or f"{label(a).capitalize()} against {label(b)}, {len(gap)} repeats in pairs"
    ax = new_axes(ax, title=title, x_label=f"{label(a)} − {label(b)}" + f" ({unit})" * bool(unit))
    y = np.arange(len(gap))
    counts = []
    for name, some, colour, marker in (
        (f"{label(a)} lower", gap < 0, COLOURS[1], "o"),
        (f"{label(b)} lower", gap > 0, COLOURS[2], "^"),
        ("equal", gap == 0, COLOURS[0], "D"),
    ):
        if some.any():
            counts.append(f"{name} in {some.sum()} of {len(gap)}")
            ax.hlines(y[some], 0, gap[some], color=colour, linewidth=1)
            ax.plot(gap[some], y[some], marker, color=colour, ms=5, label=counts[-1])
    interval = f"mean {mean:.3f}, 95 % interval {mean - half:.3f} to {mean + half:.3f}"
    ax.errorbar(mean, -2.5, xerr=half, fmt="s", color="black", capsize=4, ms=6, label=interval)
    ax.axvline(0, color="black", linewidth=1)
    ax.set(yticks=[], ylim=(-4, len(gap)), ylabel="repeats, sorted")
    ax.legend(loc="upper left", bbox_to_anchor=(0, -0.18), frameon=False)
    return described(ax, f"{title}: {', '.join(counts)}; {label(a)} − {label(b)} has {interval}.")


def histogram(
    values: Sequence[float],
    *,
    x_label: str = "",
    title: str = "",
    reference: float | None = None,
    ax=None,
):
    """Draw how often each value occurs, with the mean as a line.

    values: shape (n,), or a table's column, which then names itself. reference: a value to compare
    with, as a dotted line. Values on a lattice (shares of 30 rows) get a bar each. Missing values
    are left out.
    """
    x_label = x_label or label(getattr(values, "name", None) or "value")
    known = np.asarray(values, dtype=float)
    known = known[~np.isnan(known)]
    if len(known) == 0:
        raise ValueError("values holds no number")
    title = title or short_label(x_label).capitalize()
    ax = new_axes(ax, title=title, x_label=x_label, y_label="how often")
    ax.hist(known, bins=_bins(known), color="0.75", edgecolor="0.4", linewidth=0.8)
    ax.axvline(known.mean(), color=COLOURS[1], linewidth=2, label=f"mean {known.mean():.3g}")
    if reference is not None:
        ax.axvline(reference, color=COLOURS[2], linestyle=":", linewidth=2, label=f"{reference:g}")
    ax.legend()
    compared = (
        "" if reference is None else f", {(known > reference).sum()} of them above {reference:g}"
    )
    span = f"from {known.min():.3g} to {known.max():.3g}"
    return described(ax, f"{title}: {len(known)} values {span}, mean {known.mean():.3g}{compared}.")


def lines(
    x: Sequence[float],
    values: Mapping[str, np.ndarray],
    *,
    x_label: str,
    y_label: str,
    title: str,
    ax=None,
):
    """Draw several quantities against x, one line each: name -> shape (len(x),)."""
    ax = new_axes(ax, title=title, x_label=x_label, y_label=y_label)
    for i, (name, y) in enumerate(values.items()):
        ax.plot(x, y, color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
    ax.legend()
    ends = ", ".join(f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}" for name, y in values.items())
    return described(ax, f"{title}: {y_label} against {x_label}; {ends}.")


def _quartiles(losses: np.ndarray) -> np.ndarray:
    """Return the quartiles of each column, shape (3, n_columns): nan, and no warning, where all
    runs failed.
    """
    losses = np.atleast_2d(losses)
    known, quartiles = ~np.isnan(losses).all(axis=0), np.full((3, losses.shape[1]), np.nan)
    quartiles[:, known] = np.nanpercentile(losses[:, known], [25, 50, 75], axis=0)
    return quartiles


def _bins(values: np.ndarray) -> np.ndarray | str:
    """Return the edges of a bar for each value where the values lie on a lattice, numpy's choice
    otherwise.
    """
    steps = np.unique(np.round(values, 9))
    if 1 < len(steps) <= 30:
        width = np.diff(steps).min()
        places = (steps - steps[0]) / width
        if np.allclose(places, np.round(places), atol=1e-3) and places[-1] < 60:
            return steps[0] + width * (np.arange(round(places[-1]) + 2) - 0.5)
    return "auto"
