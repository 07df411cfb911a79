"""The pictures of lesson 3: what a surrogate believes, where it goes, and when its lead is real."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hpt_helpers.axes import (
    COLOURS,
    MARKERS,
    check_columns,
    described,
    new_axes,
    new_row,
)
from hpt_helpers.trials import config_of, incumbent

if TYPE_CHECKING:
    import pandas as pd

    from hpt_helpers.classroom.lab.landscape import Landscape
    from hpt_helpers.classroom.lesson_03.photograph import Photograph

LOSS, IMPROVEMENT = "validation loss (nats)", "expected improvement (nats)"


def belief(
    curve: Landscape,
    tried: Sequence[int],
    surrogate: Callable,
    *,
    truth: bool = False,
    ax=None,
):
    """Draw what a surrogate believes: its mean, two standard deviations around it, and the trials.

    curve: a landscape of evenly placed learning rates; its losses are those of its first seed at
    the last epoch. tried: positions in it. surrogate: (places of the trials, losses, places from 0
    to 1, of shape (n, 1)) -> mean and standard deviation. truth: draw the losses themselves as
    well, on an axis that they alone decide, so that the pictures of a slider can be compared.
    """
    x, losses = _lrs_and_losses(curve)
    place = np.linspace(0, 1, len(x))[:, None]
    mean, std = surrogate(place[tried], losses[tried], place)
    ax = new_axes(ax, title=f"After {len(tried)} trials", x_label="learning rate", y_label=LOSS)
    ax.plot(x, mean, color=COLOURS[1], label="mean")
    ax.fill_between(
        x, mean - 2 * std, mean + 2 * std, color=COLOURS[1], alpha=0.15, linewidth=0, label="± 2 sd"
    )
    ax.plot(np.asarray(x)[tried], losses[tried], "o", color=COLOURS[0], label="trials")
    ax.set_xscale("log")
    low, high = ax.get_ylim()
    if truth:
        ax.plot(x, losses, color="0.5", linestyle="--", linewidth=1, label="truth")
        reach = np.ptp(losses)
        low, high = losses.min() - 0.5 * reach, losses.max() + 0.5 * reach
    ax.set_ylim(low, high + 0.15 * (high - low))
    ax.legend(loc="upper center", fontsize=8, ncols=5, frameon=False)
    widest = int(np.argmax(std))
    return described(
        ax,
        f"After {len(tried)} trials: the mean is lowest at learning rate "
        f"{x[int(np.argmin(mean))]:.3g}, the band widest at {x[widest]:.3g}.",
    )


def step(curve: Landscape, tried: Sequence[int], gain, surrogate: Callable):
    """Draw the expected improvement that chose the last trial, and beside it the belief with it.

    The last trial is a diamond, since a star marks the best one elsewhere.
    gain: the expected improvement, shape (n_configs,); what is below 0 is drawn as 0. All else as
    for `belief`. Returns the left Axes.
    """
    x, losses = _lrs_and_losses(curve)
    left, right = new_row(2, (10.5, 3.6))
    labels = {"x_label": "learning rate", "y_label": IMPROVEMENT}
    new_axes(left, title=f"Where trial {len(tried)} goes", **labels)
    left.fill_between(x, 0, np.maximum(gain, 0), color=COLOURS[2])
    left.axvline(x[tried[-1]], color=COLOURS[0], linestyle=":")
    left.set(xscale="log", ylim=(0, None))
    described(
        left,
        f"Trial {len(tried)} goes to learning rate {x[tried[-1]]:.3g}, where the "
        f"expected improvement is {max(gain):.4f}; its loss is {losses[tried[-1]]:.3f}.",
    )
    belief(curve, tried, surrogate, ax=right)
    right.plot(
        x[tried[-1]], losses[tried[-1]], "D", color=COLOURS[2], ms=9, markeredgecolor="black"
    )
    return left


def two_terms(best: float, guesses: Sequence[tuple[float, float]]):
    """Draw guesses of a loss, and their expected improvement as the sum of its two terms.

    guesses: (mean, standard deviation) of each. Returns the left Axes.
    """
    from scipy.stats import norm

    left, right = new_row(2, (10.5, 3.6))
    new_axes(left, title="Two guesses of a loss", x_label="loss", y_label="density")
    new_axes(right, title="What they promise", y_label="expected improvement")
    x, texts = np.linspace(best - 1, best + 1.3, 400), []
    for i, (mean, std) in enumerate(guesses):
        name, density, colour = f"{mean:g} ± {std:g}", norm.pdf(x, mean, std), COLOURS[1 + i]
        left.plot(x, density, color=colour, linestyle=("-", "--")[i % 2], label=name)
        left.fill_between(x, 0, density, where=x < best, color=colour, alpha=0.3, linewidth=0)
        z = (best - mean) / std
        exploit, explore = (best - mean) * norm.cdf(z), std * norm.pdf(z)
        for j, term in enumerate((exploit, explore, exploit + explore)):
            place = j + 0.36 * (i - 0.5)
            right.bar(place, term, 0.34, color=colour, hatch=("", "//")[i % 2], edgecolor="white")
            right.text(place, max(term, 0), f"{term:.3f}", ha="center", va="bottom", size=9)
        texts.append(
            f"{name}: {exploit:.3f} to exploit, {explore:.3f} to explore, "
            f"{exploit + explore:.3f} in all"
        )
    left.axvline(best, color=COLOURS[0], linestyle=":", label=f"best so far, {best:g}")
    left.legend(fontsize=8)
    right.axhline(0, color=COLOURS[0], linewidth=1)
    right.margins(y=0.1)  # for the numbers on the bars
    right.set_xticks(range(3), ["first term: exploit", "second term: explore", "sum"])
    return described(left, "; ".join(texts) + ".")


def filled_in(photograph: Photograph, trials: pd.DataFrame):
    """Draw the training pixels, what the first and the best trial make of them, and the truth.

    The mean squared error on the test pixels stands above each. Pixels that are not known are
    orange. Returns the first Axes.
    """
    import matplotlib as mpl

    pictures = {f"{len(photograph.train)} training pixels": photograph.known()}
    for name, trial in (("first trial", 0), (f"best of {len(trials)}", incumbent(trials))):
        config = config_of(trials, trial)
        pictures[f"{name}: error {photograph.test_loss(config):.4f}"] = photograph.filled(config)
    pictures["the truth"] = photograph.pixels
    axes = new_row(len(pictures), (3.2 * len(pictures), 2.5))
    colours = mpl.colormaps["gray"].with_extremes(bad=COLOURS[2])
    for ax, (title, pixels) in zip(axes, pictures.items(), strict=True):
        ax.imshow(np.clip(pixels, 0, 1), cmap=colours, vmin=0, vmax=1)
        ax.set_title(title, fontsize=11)
        ax.axis("off")
        described(ax, f"A photograph, {title}.")
    return axes[0]


def worth(table: pd.DataFrame, *, ax=None):
    """Draw what the winner so far is worth, against the number of trials: a line for each search.

    table: columns search, trials and fresh loss, a row for each repeat. Lines are medians, bands
    are quartiles.
    """
    check_columns(table, "search", "trials", "fresh loss")
    title = "What the winner so far is worth"
    ax = new_axes(ax, title=title, x_label="trials", y_label="fresh loss (nats)", size=(7.6, 4.2))
    texts = []
    for i, (name, part) in enumerate(table.groupby("search", sort=False)):
        found = part.groupby("trials")["fresh loss"].quantile([0.25, 0.5, 0.75]).unstack()
        look = {"color": COLOURS[1 + i], "linestyle": ("-", "--")[i % 2], "marker": MARKERS[i]}
        ax.plot(found[0.5], label=name, **look)
        ax.fill_between(found.index, found[0.25], found[0.75], color=COLOURS[1 + i], alpha=0.15)
        medians = ", ".join(f"{median:.3f} after {n}" for n, median in found[0.5].items())
        texts.append(f"{name}, median {medians} trials")
    trials = sorted(table["trials"].unique())
    ax.set_xscale("log")
    ax.set_xticks(trials, [str(n) for n in trials])
    ax.minorticks_off()
    ax.legend()
    return described(ax, f"{title}: {'; '.join(texts)}.")


def leads(table: pd.DataFrame, *, ax=None):
    """Draw how often a search is ahead, against how far configurations differ beyond luck.

    table: columns data, n_val, differences and luck (in the same unit), as_searched and fresh (in
    how many repeats it is ahead), fresh_worse (in how many it is behind) and of (the repeats). A
    row is a pair of points at its differences / luck, large and hollow as searched, small and full
    fresh, joined by a line. Below stand its n_val and fresh : fresh_worse. The grey band holds the
    wins that a fair coin gives in 95 of 100 such series.
    """
    from scipy.stats import binom

    counts = "as_searched", "fresh", "fresh_worse", "of"
    check_columns(table, "data", "n_val", "differences", "luck", *counts)
    n, ratio, texts = table["of"].max(), table["differences"] / table["luck"], []
    labels = {"x_label": "differences / luck", "y_label": f"repeats of {n} in which it is ahead"}
    title = "How often the learned search beats random search"
    ax = new_axes(ax, title=title, **labels, size=(8.2, 5.6))
    for i, (name, part) in enumerate(table.assign(ratio=ratio).groupby("data", sort=False)):
        look = {"color": COLOURS[1 + i], "marker": MARKERS[i], "linestyle": "none"}
        ax.vlines(part["ratio"], part["fresh"], part["as_searched"], color=COLOURS[1 + i], lw=1)
        ax.plot(
            part["ratio"],
            part["as_searched"],
            mfc="white",
            ms=12,
            label=f"{name}, as searched",
            **look,
        )
        ax.plot(part["ratio"], part["fresh"], ms=7, label=f"{name}, fresh", **look)
        for row in part.itertuples():
            place = (row.ratio, row.fresh), ((0, -7), (7, -2))[i == 0]
            rows = f"{row.n_val:,} rows"
            ax.annotate(
                f"{rows}\n{row.fresh} : {row.fresh_worse}",
                *place,
                textcoords="offset points",
                ha=("center", "left")[i == 0],
                va="top",
                size=9,
            )
            texts.append(
                f"{name} with {rows}: ahead in {row.as_searched} of {row.of} as searched, "
                f"in {row.fresh} of {row.of} fresh and behind in {row.fresh_worse}"
            )
    few, many = (int(wins) for wins in binom.ppf([0.025, 0.975], n, 0.5))
    coin = f"a coin: {few} to {many} wins"
    ax.axhspan(few - 0.5, many + 0.5, color="0.92", linewidth=0, zorder=0, label=coin)
    ax.set(xscale="log", ylim=(0, n + 1), xlim=(ratio.min() / 1.7, ratio.max() * 1.7))
    ticks = [0.2, 0.5, 1, 2, 4]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.legend(loc="lower right", fontsize=9)
    return described(ax, f"{'; '.join(texts)}.")


def _lrs_and_losses(curve: Landscape) -> tuple[np.ndarray, np.ndarray]:
    return np.array([config["lr"] for config in curve.configs]), curve.val_loss[:, 0, -1]
