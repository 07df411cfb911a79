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
        low, median, high = _quartiles(losses)
        colour, label = COLOURS[i % 6], name if len(losses) == 1 else f"{name} (median of {len(losses)})"
        ax.step(
            x, median, where="post", color=colour, linestyle=DASHES[i % 6], marker=MARKERS[i % 6], ms=4, label=label
        )
        if len(losses) > 1:
            ax.fill_between(x, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
    if cost is None:
        ax.xaxis.get_major_locator().set_params(integer=True)
    ax.legend()
    ends = ", ".join(f"{n} ends at {_quartiles(v)[1, -1]:.3f}" for n, v in best_so_far.items())
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
    log_values: bool = False,
    mark: Sequence[tuple[float, float]] = (),
    ax=None,
):
    """Draw values, shape (len(y), len(x)), as a surface: the darker, the lower; `mark` puts white crosses at (x, y).

    y may be numbers or names; numbers are drawn as equal rows. mark's y counts in rows when they are names.
    log_values: let the colours follow the values' logarithm.
    """
    ax = _axes(ax, title, x_label, y_label)
    rows = np.arange(len(y))
    norm = "log" if log_values else None
    surface = ax.pcolormesh(x, rows, values, cmap="cividis", shading="nearest", norm=norm)
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
        low, median, high = _quartiles(values)
        ax.plot(x, median, color=COLOURS[i % 6], linestyle=DASHES[i % 6], marker=MARKERS[i % 6], ms=4, label=name)
        ax.fill_between(x, low, high, color=COLOURS[i % 6], alpha=0.15, linewidth=0)
    if log_x:
        ax.set_xscale("log")
    ax.legend()
    lowest = ", ".join(f"{n} lowest at {x[int(np.nanargmin(_quartiles(v)[1]))]:.3g}" for n, v in losses.items())
    return _described(ax, f"{title}: {lowest}.")


def surrogate(
    x: Sequence[float],
    mean: np.ndarray,
    std: np.ndarray,
    gain: np.ndarray,
    *,
    tried: Sequence[tuple[float, float]],
    truth: np.ndarray | None = None,
    x_label: str = "learning rate",
    title: str = "Surrogate",
    log_x: bool = True,
    axes=None,
):
    """Draw a surrogate with its band of two standard deviations above, its expected improvement below.

    x, mean, std, gain, truth: shape (n,). tried: the (x, loss) that it was fitted to. axes: upper and lower.
    Returns the upper Axes. A dotted line marks the largest gain, where the next trial goes.
    """
    if axes is None:
        import matplotlib.pyplot as plt

        _, axes = plt.subplots(2, 1, figsize=(6.4, 4.8), height_ratios=[3, 1], sharex=True, layout="constrained")
    upper, lower = _axes(axes[0], title, "", "validation loss (nats)"), _axes(axes[1], "", x_label, "gain (nats)")
    if truth is not None:
        upper.plot(x, truth, color="0.5", linestyle="--", label="truth")
    upper.plot(x, mean, color=COLOURS[1], label="surrogate")
    upper.fill_between(x, mean - 2 * std, mean + 2 * std, color=COLOURS[1], alpha=0.15, linewidth=0)
    upper.plot(*zip(*tried, strict=True), "o", color=COLOURS[0], label="trials")
    lower.fill_between(x, 0, gain, color=COLOURS[2])
    best = x[int(np.argmax(gain))]
    for ax in (upper, lower):
        ax.axvline(best, color=COLOURS[2], linestyle=":")
        ax.set_xscale("log" if log_x else "linear")
    return _described(upper, f"{title}: fitted to {len(tried)} trials; the largest gain is at {x_label} {best:.3g}.")


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


def lines(x: Sequence[float], values: Mapping[str, np.ndarray], *, x_label: str, y_label: str, title: str, ax=None):
    """Draw several quantities against x, one line each: name -> shape (len(x),)."""
    ax = _axes(ax, title, x_label, y_label)
    for i, (name, y) in enumerate(values.items()):
        ax.plot(x, y, color=COLOURS[i % 6], linestyle=DASHES[i % 6], label=name)
    ax.legend()
    ends = ", ".join(f"{name} goes from {y[0]:.3g} to {y[-1]:.3g}" for name, y in values.items())
    return _described(ax, f"{title}: {y_label} against {x_label}; {ends}.")


def projection(
    configs: Sequence[Mapping], landscape: tuple[Sequence[float], Sequence[float]], *,
    x: str = "lr", y: str = "hidden_size", x_label="learning rate", y_label="hidden size", title="Projection", ax=None,
):  # fmt: skip
    """Draw configurations by two hyperparameters, x logarithmic, and above them what the loss is at their x.

    landscape: x values and losses, each of shape (n,): the grey points above. After Bergstra & Bengio (2012), figure 1.
    """
    ax = _axes(ax, "", x_label, y_label)
    above = ax.inset_axes([0, 1.05, 1, 0.6], sharex=ax)
    above.plot(*landscape, "o", color="0.7", ms=3)
    above.set(title=title, ylabel="loss (nats)", yscale="log")
    above.tick_params(labelbottom=False, which="both")
    xs, ys = ([config[name] for config in configs] for name in (x, y))
    ax.plot(xs, ys, "X", color=COLOURS[2], markeredgecolor="black", ms=9)
    ax.set_xscale("log")
    for value in xs:
        for part in (ax, above):
            part.axvline(value, color=COLOURS[1], linewidth=0.8, linestyle="--")
    return _described(
        ax, f"{title}: {len(configs)} configurations have {len(set(xs))} different values of {x_label} between "
        f"{min(xs):.3g} and {max(xs):.3g}; above, the loss at each {x_label}.",
    )  # fmt: skip


def _quartiles(losses: np.ndarray) -> np.ndarray:
    """Return the quartiles of each column, shape (3, n_columns): nan, and no warning, where all runs failed."""
    losses = np.atleast_2d(losses)
    known, quartiles = ~np.isnan(losses).all(axis=0), np.full((3, losses.shape[1]), np.nan)
    quartiles[:, known] = np.nanpercentile(losses[:, known], [25, 50, 75], axis=0)
    return quartiles


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
