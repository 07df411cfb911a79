"""The course's plots of data. Each draws on `ax`, or on new axes, and returns them.

Repeats come as tidy tables (a row for each measurement, named columns), curves as arrays by name.
The returned Axes carries a description for those who cannot see it as `ax.alt_text`; axes.py
says how. What only one lesson draws stands in figures.py of its folder, and drawings of ideas in
diagrams.py.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy import stats

from hpt_helpers.axes import (
    COLOURS,
    DASHES,
    MARKERS,
    check_columns,
    described,
    end_labels,
    label,
    new_axes,
    new_row,
    plain_ticks,
    short_label,
)
from hpt_helpers.evidence.plots import each_against as each_against
from hpt_helpers.trials import SAME, best

MAX_BARS = 60  # of a histogram

# --- curves ---------------------------------------------------------------------------------------


def learning_curves(
    losses: Mapping[str, np.ndarray] | np.ndarray,
    *,
    title: str = "Learning curves",
    mark: Sequence[int] = (),
    ax=None,
):
    """Draw validation loss against epochs: few runs by name, or many as grey lines.

    losses: name -> shape (n_epochs,), or an array (n_runs, n_epochs). mark: the rows of the array
    that are drawn bold.
    """
    if isinstance(losses, pd.DataFrame):
        raise TypeError(
            "losses is a table; name -> losses by epoch, or an array (n_runs, n_epochs), is "
            "needed. For a search's record take hpt_helpers.evidence.plots.history"
        )
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


def lines(
    x: Sequence[float],
    values: Mapping[str, np.ndarray],
    *,
    x_label: str,
    y_label: str,
    title: str,
    from_0_to_1: bool = False,
    ax=None,
):
    """Draw several quantities against x, one line each.

    values: name -> shape (len(x),). from_0_to_1: whether the y-axis has all of this range, so that
    it stays the same while a slider moves.
    """
    ax = new_axes(ax, title=title, x_label=x_label, y_label=y_label)
    for i, (name, y) in enumerate(values.items()):
        ax.plot(x, y, color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
    if from_0_to_1:
        ax.set_ylim(0, 1.02)
    ax.legend(loc="lower right" if from_0_to_1 else None)
    ends = ", ".join(f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}" for name, y in values.items())
    return described(ax, f"{title}: {y_label} against {x_label}; {ends}.")


# --- landscapes -----------------------------------------------------------------------------------


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
    """Draw maps of a landscape side by side, such as its loss and its error. Darker is lower.

    table: columns x, y and values; rows that share x and y (seeds) are averaged, and `val_error` is
    1 − `val_accuracy`. mark: configurations to draw as white crosses. White rings are where a map
    is lowest, at all cells that tie. Returns the first Axes; each of them has its description.
    """
    if "val_error" not in table and "val_accuracy" in table:
        table = table.assign(val_error=1 - table["val_accuracy"])
    check_columns(table, x, y, *values)
    axes = new_row(len(values), (5.25 * len(values), 3.8)) if axes is None else axes
    n_rows = len(table) // len(table.drop_duplicates([x, y]))
    averaged = f", mean of {n_rows}" if n_rows > 1 else ""
    for ax, value in zip(axes, values, strict=True):
        # A cell in which any training diverged stays empty: the others' mean would flatter it.
        means = table.groupby([y, x])[value].agg(lambda cell: cell.mean(skipna=False))
        # pandas' annotations leave open, here and below, which of its two kinds is returned
        grid = pd.DataFrame(means.unstack())
        name = f"{title}: {short_label(value)}" if title else short_label(value).capitalize()
        new_axes(ax, title=name + averaged, x_label=label(x), y_label=label(y))
        _draw_map(ax, grid, value, log_x=x == "lr")
        _cross(ax, grid, [(config[x], config[y]) for config in mark])
        lowest = np.argwhere(grid.to_numpy() <= np.nanmin(grid) + SAME)
        _ring(ax, [(grid.columns[column], row) for row, column in lowest])
        row, column = lowest[0]
        described(
            ax,
            f"{name + averaged}: {label(value)} by {label(x)} and {label(y)}, "
            f"lowest at {grid.columns[column]:.3g} and {grid.index[row]}; "
            f"the lowest value is met in {len(lowest)} of {grid.size} cells.",
        )
    return axes[0]


def _draw_map(ax, grid: pd.DataFrame, value: str, *, log_x: bool) -> None:
    """Draw a surface with equal rows. The colours of a loss follow its logarithm."""
    rows, every = np.arange(len(grid)), max(1, len(grid) // 8)
    norm = "log" if value == "val_loss" else None
    surface = ax.pcolormesh(
        grid.columns, rows, grid.to_numpy(), cmap="cividis", shading="nearest", norm=norm
    )
    ax.set_yticks(rows[::every], [str(value) for value in grid.index][::every])
    ax.set_xscale("log" if log_x else "linear")
    ax.grid(False)
    bar = ax.figure.colorbar(surface, ax=ax, label=label(value))
    if norm == "log":
        plain_ticks(bar.ax.yaxis)


def _cross(ax, grid: pd.DataFrame, points: Sequence[tuple]) -> None:
    style = {"color": "white", "markeredgecolor": "black", "markersize": 11, "linestyle": "none"}
    for x, y in points:
        ax.plot(x, grid.index.get_loc(y), marker="X", **style)


def _ring(ax, points: Sequence[tuple[float, float]]) -> None:
    """Draw rings that are seen on dark and on bright."""
    for x, y in points:
        for colour, width in (("black", 4), ("white", 2)):
            ax.plot(x, y, "o", mfc="none", mec=colour, mew=width, ms=9)


def response(
    table: pd.DataFrame,
    x: str = "lr",
    *,
    by: str | None = None,
    value: str = "val_loss",
    at: Mapping | None = None,
    title: str = "",
    log_x: bool | None = None,
    ax=None,
):
    """Draw a value against one hyperparameter: the median and a quartile band of rows that share x.

    table: columns x, value and, for a line each, by. at: the value of one more column, such as
    {"epochs": 50}; only its rows are drawn, on an axis that has room for all, so that the eye can
    follow a slider. A loss has a logarithmic axis, and a learning rate has one unless log_x says
    otherwise. Raises ValueError where no row is at this value.
    """
    at, groups = dict(at or {}), [] if by is None else [by]
    check_columns(table, x, value, *groups, *at)
    wanted = [(table[k] == v).to_numpy() for k, v in at.items()]
    here = table.loc[np.logical_and.reduce(wanted)] if at else table
    if here.empty:
        raise ValueError(f"at is {at}; table has no such rows")
    if not title:
        title = f"{short_label(value).capitalize()} by {label(x)}"
        title += f" and {label(by)}" if by else ""
        title += "".join(f", {label(k)} {v}" for k, v in at.items())
    ax = new_axes(ax, title=title, x_label=label(x), y_label=label(value))
    lowest = []
    for i, (key, part) in enumerate(here.groupby(by, sort=False) if by else [("", here)]):
        quartiles = _quartiles(part, [x], value)
        colour, line = COLOURS[i % 6], f"{label(by)} {key}" if by else "every row"
        style = {"linestyle": DASHES[i % 6], "marker": MARKERS[i % 6], "ms": 4}
        median, low, high = quartiles[0.5], quartiles[0.25], quartiles[0.75]
        ax.plot(median, color=colour, label=line, **style)
        ax.fill_between(median.index, low, high, color=colour, alpha=0.15, linewidth=0)
        lowest.append(f"{line} has its lowest median, {median.min():.3f}, at {median.idxmin():.3g}")
    ax.set_xscale("log" if (x == "lr" if log_x is None else log_x) else "linear")
    if value == "val_loss":
        ax.set_yscale("log")
    if at:
        everywhere = _quartiles(table, [x, *at, *groups], value)
        low, high = np.nanmin(everywhere[0.25]), np.nanmax(everywhere[0.75])
        ax.set_ylim((low / 1.1, high * 1.1) if value == "val_loss" else (low, high))
    if value == "val_loss":
        plain_ticks(ax.yaxis)
    ax.legend()
    return described(ax, f"{title}: {', '.join(lowest)}.")


def _quartiles(table: pd.DataFrame, by: list[str], value: str) -> pd.DataFrame:
    """Return a row for each group, with the columns 0.25, 0.5 and 0.75."""
    quartiles = table.groupby(by)[value].quantile(np.array([0.25, 0.5, 0.75]))
    return pd.DataFrame(quartiles.unstack())


# --- what searches report -------------------------------------------------------------------------


def reported_and_worth(
    table: pd.DataFrame,
    *,
    reported: str = "as_searched",
    worth: str = "fresh",
    title: str = "What a search reports, and what its winner is worth",
    ax=None,
):
    """Draw the loss that searches report (solid) and what their winners are worth (dashed).

    table: columns n_val (validation rows that judged), n_trials, reported and worth, a row for each
    repeat. Both losses are medians over the rows that share n_val and n_trials, drawn against the
    number of trials, with a colour and a marker for each number of validation rows.
    """
    check_columns(table, "n_val", "n_trials", reported, worth)
    medians = pd.DataFrame(table.groupby(["n_val", "n_trials"])[[reported, worth]].median())
    if medians.empty:
        raise ValueError("table has no rows")
    ax = new_axes(ax, title=title, x_label="trials", y_label="loss (nats), median", size=(7.6, 4.8))
    ax.set(xscale="log", yscale="log")
    ends, texts = [], []
    for i, (n_val, part) in enumerate(medians.groupby(level="n_val")):
        part, colour, marker = part.droplevel("n_val"), COLOURS[i % 6], MARKERS[i % 6]
        rows = f"{n_val:,} rows"
        ax.plot(part[reported], "-", color=colour, marker=marker, ms=6, label=f"{rows}, reported")
        ax.plot(part[worth], "--", color=colour, marker=marker, ms=6, mfc="white", label=rows)
        last = part.index[-1]
        ends.append((last, part[reported].iloc[-1], f"{rows}, reported", colour))
        ends.append((last, part[worth].iloc[-1], f"{rows}, worth", colour))
        reports, is_worth = ([f"{v:.3f}" for v in part[c].iloc[[0, -1]]] for c in (reported, worth))
        texts.append(
            f"with {n_val:,} validation rows, from {part.index[0]} to {last} trials, the reported "
            f"loss goes from {' to '.join(reports)} and the winner's from {' to '.join(is_worth)}"
        )
    trials = medians.index.unique("n_trials")
    ax.set_xticks(trials, [f"{n:,}" for n in trials])
    ax.minorticks_off()
    plain_ticks(ax.yaxis, (1, 1.5, 2, 3, 4, 5, 6, 8))
    end_labels(ax, ends)
    return described(ax, f"{title}: {'; '.join(texts)}.")


def losses_by_configuration(
    table: pd.DataFrame,
    by: str | Sequence[str],
    *,
    repeat: str = "repeat",
    shown: object = None,
    title: str = "",
    ax=None,
):
    """Draw each configuration's losses in all repeats, and beside them what it is worth fresh.

    table: columns by (one or several, which name a configuration), repeat and val_loss. One search
    is picked out: the repeat `shown`, by default the first. Its losses are black, its winner is
    ringed, and fresh is the mean over all other repeats. The lowest fresh loss stands at the top.
    Raises ValueError where shown is none of the repeats, or the only one.
    """
    by = [by] if isinstance(by, str) else list(by)
    check_columns(table, *by, repeat, "val_loss")
    repeats = table[repeat].unique()
    shown = repeats[0] if shown is None and len(repeats) else shown
    if shown not in repeats or len(repeats) < 2:
        raise ValueError(f"shown is {shown!r}; it has to be one of two or more of {repeats}")
    own = table[table[repeat] == shown].set_index(by)["val_loss"]
    others = table[table[repeat] != shown].groupby(by)["val_loss"]
    # As in maps, a configuration that diverged anywhere has no mean. It stands at the bottom.
    fresh = pd.Series(others.agg(lambda losses: losses.mean(skipna=False))).sort_values()
    title = title or f"Losses of {len(fresh)} configurations in {len(repeats)} repeats"
    labels = {"x_label": label("val_loss"), "y_label": "configuration"}
    ax = new_axes(ax, title=title, **labels, size=(7.2, 1.6 + 0.42 * len(fresh)))
    for row, key in enumerate(fresh.index):
        losses = others.get_group(key if len(by) > 1 else (key,)).to_numpy()
        name = "other repeats" if row == 0 else None
        ax.plot(losses, row + _jitter(len(losses), 0.4), "o", color="0.65", ms=3, label=name)
    y, names = np.arange(len(fresh)), [_named(by, key) for key in fresh.index]
    searched = own.reindex(fresh.index)
    ax.plot(searched, y, "o", color=COLOURS[0], ms=6, zorder=3, label="this search")
    ax.plot(
        fresh,
        y,
        "D",
        color=COLOURS[1],
        ms=6,
        zorder=4,
        mec="white",
        label="fresh: mean of the others",
    )
    winner = best(searched)
    ring = {"mfc": "none", "mec": COLOURS[2], "mew": 2.5, "ms": 15, "zorder": 5}
    ax.plot(searched.iloc[winner], winner, "o", label="its winner", **ring)
    ax.set_yticks(y, names)
    ax.set(ylim=(len(fresh) - 0.4, -0.6), xscale="log")
    plain_ticks(ax.xaxis)
    ax.grid(False, axis="y")
    # below the whole figure, whose left part is the names of the configurations
    ax.figure.legend(loc="outside lower center", ncols=4, frameon=False)
    return described(
        ax,
        f"{title}: the winner of one search is {names[winner]}, with {searched.iloc[winner]:.3f} "
        f"as searched and {fresh.iloc[winner]:.3f} in the other repeats; the lowest there is "
        f"{names[0]}, with {fresh.iloc[0]:.3f}.",
    )


def _named(by: Sequence[str], key) -> str:
    """Return what tells a configuration apart, such as "learning rate 0.01, batch size 16"."""
    values = key if isinstance(key, tuple) else (key,)
    texts = [f"{v:.3g}" if isinstance(v, float) else str(v) for v in values]
    return ", ".join(f"{label(name)} {text}" for name, text in zip(by, texts, strict=True))


def _jitter(n: int, width: float) -> np.ndarray:
    """Return n places across the width: multiples of the golden ratio, the same in every run."""
    return (np.arange(n) * 0.618 % 1 - 0.5) * width


# --- repeats --------------------------------------------------------------------------------------


def spread(
    table: pd.DataFrame,
    value: str | None = None,
    by: str | None = None,
    *,
    title: str = "",
    log: bool = False,
    ax=None,
):
    """Draw every value as a dot, a row for each group, with quartiles as a box, a median as a bar.

    table: a row for each measurement. value: its column, by default the last. by: the column that
    names the groups, by default the first. Missing values are left out and counted in the group's
    label. log: a logarithmic axis.
    """
    measured, grouped = value or table.columns[-1], by or table.columns[0]
    check_columns(table, measured, grouped)
    title = title or f"{short_label(measured).capitalize()} by {label(grouped)}"
    groups = {str(key): part[measured] for key, part in table.groupby(grouped, sort=False)}
    size = (6.4, 1.2 + 0.7 * len(groups))
    ax = new_axes(ax, title=title, x_label=label(measured), y_label=label(grouped), size=size)
    names, texts = [], []
    for row, (name, all_values) in enumerate(groups.items()):
        values = all_values.dropna().to_numpy(dtype=float)
        low, median, high = _draw_group(ax, row, values)
        lost = f" of {len(all_values)}" if len(values) < len(all_values) else ""
        names.append(f"{name}\n({len(values)}{lost})")
        texts.append(
            f"{name} has median {median:.3g}, middle half {low:.3g} to {high:.3g}, "
            f"{len(values)}{lost} values"
        )
    ax.set_yticks(range(len(names)), names)
    ax.set(ylim=(len(names) - 0.4, -0.6), xscale="log" if log else "linear")
    if log:
        plain_ticks(ax.xaxis)
    ax.grid(False, axis="y")
    return described(ax, f"{title}: {'; '.join(texts)}.")


def _draw_group(ax, row: int, values: np.ndarray) -> tuple[float, ...]:
    """Draw one row of a spread, and return its quartiles: nan where there is no value."""
    low, median, high = np.percentile(values, [25, 50, 75]) if len(values) else [np.nan] * 3
    box = row + np.array([-1, -1, 1, 1, -1]) * 0.32
    ax.plot([low, high, high, low, low], box, color="0.45", linewidth=1)
    dots = {"color": COLOURS[1], "alpha": 0.6, "ms": 4, "markeredgewidth": 0, "zorder": 3}
    ax.plot(values, row + _jitter(len(values), 0.5), "o", **dots)
    ax.plot([median] * 2, [row - 0.4, row + 0.4], color=COLOURS[0], linewidth=3)
    return low, median, high


def paired(table: pd.DataFrame, a: str, b: str, *, title: str = "", unit: str = "nats", ax=None):
    """Draw the difference a − b of each repeat, sorted, and below them their mean.

    The bar is the mean's 95 % interval (Student's t). Differences of at most `statistics.SAME`
    count as equal. table: a row for each repeat, with a column for each of the two that are
    compared; at least two complete rows.
    """
    check_columns(table, a, b)
    both = table[[a, b]].dropna().to_numpy(dtype=float)
    gap = np.sort(both[:, 0] - both[:, 1])
    if len(gap) < 2:
        raise ValueError(
            f"table has {len(gap)} rows with both {a!r} and {b!r}; a comparison in pairs needs 2"
        )
    mean, half = gap.mean(), stats.t.ppf(0.975, len(gap) - 1) * stats.sem(gap)
    title = title or f"{label(a).capitalize()} against {label(b)}, {len(gap)} repeats in pairs"
    ax = new_axes(
        ax, title=title, x_label=f"{label(a)} − {label(b)}" + (f" ({unit})" if unit else "")
    )
    y = np.arange(len(gap))
    counts = []
    for name, some, colour, marker in (
        (f"{label(a)} lower", gap < -SAME, COLOURS[1], "o"),
        (f"{label(b)} lower", gap > SAME, COLOURS[2], "^"),
        ("equal", np.abs(gap) <= SAME, COLOURS[0], "D"),
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
    reference: float | None = None,
    *,
    x_label: str = "",
    title: str = "",
    ax=None,
):
    """Draw how often each value occurs, with the mean as a line.

    values: shape (n,), or a table's column, which then names itself. reference: a value to compare
    with, as a dotted line. Scores that move in steps, as shares of 30 rows do, get a bar for each
    step, or for the same number of steps each. Missing values are left out.
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
    compared = ""
    if reference is not None:
        line = {"color": COLOURS[2], "linestyle": ":", "linewidth": 2}
        ax.axvline(reference, label=f"{reference:g}", **line)
        compared = f", {(known > reference).sum()} of them above {reference:g}"
    ax.legend()
    span = f"from {known.min():.3g} to {known.max():.3g}"
    return described(ax, f"{title}: {len(known)} values {span}, mean {known.mean():.3g}{compared}.")


def _bins(values: np.ndarray) -> list[float] | str:
    """Return the edges of bars that hold as many steps each, or numpy's choice without steps.

    The values may be rounded, by up to a twentieth of a step.
    """
    places = np.unique(np.round(values, 9))
    if len(places) < 2:
        return "auto"
    reach = places[-1] - places[0]
    n_steps = round(reach / np.diff(places).min())
    step = reach / n_steps
    steps = (places - places[0]) / step
    if n_steps >= len(values) * 10 or not np.allclose(steps, np.round(steps), rtol=0, atol=0.05):
        return "auto"
    width = -(-(n_steps + 1) // MAX_BARS)  # steps in a bar
    n_bars = -(-(n_steps + 1) // width)
    return (places[0] + step * (np.arange(n_bars + 1) * width - 0.5)).tolist()
