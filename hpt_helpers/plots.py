"""The course's plots. Each draws on `ax` (or a new one) and returns it; none calls `show`.

They read in greyscale and for colour-blind people: lines differ in dash and marker as well as
colour (Okabe & Ito's palette), surfaces use cividis. The returned Axes carries a description for
those who cannot see it as `ax.alt_text`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")


def trajectories(
    best_so_far: Mapping[str, np.ndarray],
    *,
    cost: np.ndarray | None = None,
    x_label: str = "trials",
    title: str = "Incumbent's validation loss",
    ax=None,
):
    """Draw the incumbent's validation loss against cost: a median line and a quartile band for each search.

    best_so_far: name -> shape (n_trials,) for one search or (n_repeats, n_trials) for repeats of it.
    cost: shape (n_trials,), in the units of x_label; 1, 2, 3, … when not given.
    """
    ax = _axes(ax, title, x_label, "best validation loss so far (nats)")
    for i, (name, losses) in enumerate(best_so_far.items()):
        losses = np.atleast_2d(losses)
        x = np.arange(1, losses.shape[1] + 1) if cost is None else cost
        low, median, high = np.nanpercentile(losses, [25, 50, 75], axis=0)
        colour, label = COLOURS[i % 6], name if len(losses) == 1 else f"{name} (median of {len(losses)})"
        ax.step(
            x, median, where="post", color=colour, linestyle=DASHES[i % 6], marker=MARKERS[i % 6], ms=4, label=label
        )
        if len(losses) > 1:
            ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    ax.legend()
    ends = ", ".join(f"{n} ends at {np.nanmedian(np.atleast_2d(v)[:, -1]):.3f}" for n, v in best_so_far.items())
    return _described(ax, f"{title} against {x_label}: {ends}.")


def learning_curves(
    losses: Mapping[str, np.ndarray] | np.ndarray, *, title: str = "Learning curves", mark: Sequence[int] = (), ax=None
):
    """Draw validation loss against epochs, one line a run; few runs by name, many as grey lines.

    losses: name -> shape (n_epochs,), or an array (n_runs, n_epochs). mark: rows of the array to draw bold.
    """
    ax = _axes(ax, title, "epochs", "validation loss (nats)")
    if isinstance(losses, Mapping):
        for i, (name, curve) in enumerate(losses.items()):
            x = np.arange(1, len(curve) + 1)
            ax.plot(x, curve, color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
        ax.legend()
        return _described(ax, f"{title}: validation loss against epochs for {', '.join(losses)}.")
    x = np.arange(1, losses.shape[1] + 1)
    ax.plot(x, losses.T, color="0.6", linewidth=0.4)
    for i, row in enumerate(mark):
        ax.plot(x, losses[row], color=COLOURS[1 + i % 5], linewidth=2, linestyle=DASHES[i % 6])
    ax.set_yscale("log")
    return _described(ax, f"{title}: validation loss of {len(losses)} runs against epochs, logarithmic.")


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
    mark: Sequence[tuple[float, float]] = (),
    ax=None,
):
    """Draw values, shape (len(y), len(x)), as a surface: the darker, the lower; `mark` puts white crosses at (x, y).

    y may be numbers or names; numbers are drawn as equal rows. mark's y counts in rows when they are names.
    """
    ax = _axes(ax, title, x_label, y_label)
    rows = np.arange(len(y))
    surface = ax.pcolormesh(x, rows, values, cmap="cividis", shading="nearest")
    ax.set_yticks(rows[:: max(1, len(y) // 8)], [str(v) for v in y][:: max(1, len(y) // 8)])
    if log_x:
        ax.set_xscale("log")
    for point in mark:
        row = list(y).index(point[1]) if point[1] in list(y) else point[1]
        ax.plot(point[0], row, marker="X", color="white", markeredgecolor="black", markersize=11, linestyle="none")
    ax.grid(False)
    ax.figure.colorbar(surface, ax=ax, label=value_label)
    row, column = np.unravel_index(np.nanargmin(values), np.shape(values))
    return _described(ax, f"{title}: {value_label} by {x_label} and {y_label}, lowest at {x[column]:.3g} and {y[row]}.")


def response(
    x: Sequence[float],
    losses: Mapping[str, np.ndarray],
    *,
    x_label: str = "learning rate",
    title: str = "Validation loss by learning rate",
    log_x: bool = True,
    ax=None,
):
    """Draw validation loss against one hyperparameter: name -> shape (len(x),), or (n_repeats, len(x)) for a band."""
    ax = _axes(ax, title, x_label, "validation loss (nats)")
    for i, (name, values) in enumerate(losses.items()):
        low, median, high = np.nanpercentile(np.atleast_2d(values), [25, 50, 75], axis=0)
        ax.plot(x, median, color=COLOURS[i % 6], linestyle=DASHES[i % 6], marker=MARKERS[i % 6], ms=4, label=name)
        ax.fill_between(x, low, high, color=COLOURS[i % 6], alpha=0.15, linewidth=0)
    if log_x:
        ax.set_xscale("log")
    ax.legend()
    lowest = ", ".join(
        f"{n} lowest at {x[int(np.nanargmin(np.nanmedian(np.atleast_2d(v), axis=0)))]:.3g}" for n, v in losses.items()
    )
    return _described(ax, f"{title}: {lowest}.")


def distributions(
    samples: Mapping[str, np.ndarray], *, x_label: str = "validation loss (nats)", title: str = "Distribution", ax=None
):
    """Draw the empirical distribution function of each sample: name -> shape (n,)."""
    ax = _axes(ax, title, x_label, "share at or below")
    for i, (name, values) in enumerate(samples.items()):
        ax.ecdf(np.asarray(values), color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
    ax.legend()
    middles = ", ".join(f"{n} has median {np.median(v):.3f}" for n, v in samples.items())
    return _described(ax, f"{title}: cumulative distributions of {x_label}; {middles}.")


def _axes(ax, title: str, x_label: str, y_label: str):
    import matplotlib.pyplot as plt

    if ax is None:
        _, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
    ax.set(title=title, xlabel=x_label, ylabel=y_label)
    ax.grid(True, color="0.9")
    ax.set_axisbelow(True)
    return ax


def _described(ax, alt_text: str):
    ax.alt_text = alt_text
    return ax
