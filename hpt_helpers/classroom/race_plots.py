"""The pictures of lesson 5: how a race is judged, the race, its verdicts, the decision guide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hpt_helpers.classroom.figures import (
    COLOURS,
    DASHES,
    MARKERS,
    arrow,
    box,
    canvas,
    check_columns,
    described,
    new_axes,
    new_row,
    plain_ticks,
)
from hpt_helpers.classroom.guide import GUIDE, Branch

PALE = ("#DCEBF5", "#FBE6D9", "#D9F0E8", "#EEEEEE")


def idea(n_repeats: int = 40, n_judges: int = 20, *, ax=None):
    """Draw how a winner is judged: one draw of the rows chooses, others say what it is worth."""
    ax = canvas(ax, "How a race is judged", 10, 3.2)
    boxes = (
        (0, "a search", f"on one draw of rows,\none seed\n({n_repeats} repeats)", PALE[0]),
        (3.6, "its winner", "the configuration of\nthe lowest loss:\nas searched", PALE[1]),
        (7.2, "fresh", f"trained again on\n{n_judges} other draws:\nthe mean loss", PALE[2]),
    )
    for x, name, what, colour in boxes:
        box(ax, x, 0.5, 2.8, 2.1, colour)
        ax.text(x + 1.4, 2.2, name, ha="center", va="center", weight="bold", size=12)
        ax.text(x + 1.4, 1.25, what, ha="center", va="center", size=10)
    for x, word in ((2.85, "chooses"), (6.45, "retrain")):
        arrow(ax, (x, 1.55), (x + 0.7, 1.55))
        ax.text(x + 0.35, 1.75, word, ha="center", va="bottom", size=9)
    return described(
        ax,
        f"{ax.get_title()}: a search looks at losses on one draw of rows and chooses the "
        "lowest, its loss as "
        f"searched; the winner is trained again on {n_judges} other draws, whose mean loss is "
        "its fresh loss; "
        f"{n_repeats} repeats.",
    )


def incumbents(trials: pd.DataFrame, *, title: str = "", ax=None):
    """Draw each search's lowest loss so far against the epochs spent: the median over the repeats.

    trials: columns search, repeat, spent, val_loss, in the order of evaluation, as a race has them.
    A line starts where every repeat has a loss.
    """
    check_columns(trials, "search", "repeat", "spent", "val_loss")
    end, n_repeats = trials["spent"].max(), trials["repeat"].nunique()
    ax = new_axes(
        ax,
        title=title or f"The race, median of {n_repeats} repeats",
        x_label="epochs spent",
        y_label="lowest validation loss so far (nats)",
        size=(7.2, 4.2),
    )
    at, ends = np.arange(1, end + 1), []
    for i, (name, part) in enumerate(trials.groupby("search", sort=False)):
        paths = [
            _path(one["spent"].to_numpy(), one["val_loss"].to_numpy(), at)
            for _, one in part.groupby("repeat")
        ]
        median = np.median(paths, axis=0)  # nan where a repeat has no loss yet
        style = {
            "color": COLOURS[i % 6],
            "linestyle": DASHES[i % 6],
            "marker": MARKERS[i % 6],
            "markevery": (len(at) // 10, len(at) // 5),
        }
        ax.plot(at, median, label=name, ms=5, **style)
        ends.append(f"{name} ends at {median[-1]:.3f}")
    ax.set_yscale("log")
    plain_ticks(ax.yaxis, (1, 1.5, 2, 3, 5, 7))
    ax.legend()
    return described(ax, f"{ax.get_title()}: lowest loss so far against epochs; {', '.join(ends)}.")


def _path(spent: np.ndarray, losses: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the lowest loss known at each number of epochs, nan before the first."""
    best = np.minimum.accumulate(losses)
    position = np.searchsorted(spent, at, side="right") - 1
    return np.where(position >= 0, best[np.maximum(position, 0)], np.nan)


def verdicts(
    comparison: pd.DataFrame, other: str = "random", *, names: Sequence[str] = (), axes=None
):
    """Draw each search's loss as a multiple of another's, a panel for each verdict.

    comparison: columns search, verdict, ratio, low and high (its bootstrap interval), wins, of.
    Returns the first Axes; each has its description.
    """
    check_columns(comparison, "search", "verdict", "ratio", "low", "high", "wins", "of")
    names = list(names) or list(comparison["verdict"].unique())
    axes = new_row(len(names), (10.5, 3.4)) if axes is None else axes
    low, high = comparison["low"].min() * 0.95, comparison["high"].max() * 1.05
    for ax, name in zip(axes, names, strict=True):
        part, texts = comparison[comparison["verdict"] == name].reset_index(drop=True), []
        new_axes(ax, title=name, x_label=f"loss / {other} search's")
        for row in part.itertuples():
            colour = COLOURS[1] if row.high < 1 else COLOURS[2] if row.low > 1 else "0.45"
            ax.plot([row.low, row.high], [row.Index] * 2, color=colour, linewidth=2.5)
            ax.plot(row.ratio, row.Index, MARKERS[row.Index % 6], color=colour, ms=8)
            ax.text(
                high, row.Index - 0.28, f"{row.wins} of {row.of}", ha="right", va="bottom", size=9
            )
            texts.append(
                f"{row.search} {row.ratio:.2f} ({row.low:.2f} to {row.high:.2f}), lower in "
                f"{row.wins}"
            )
        ax.axvline(1, color="black", linewidth=1)
        ax.set(xscale="log", xlim=(low, high), ylim=(len(part) - 0.4, -0.8))
        ax.set_yticks(range(len(part)), part["search"] if ax is axes[0] else [""] * len(part))
        plain_ticks(ax.xaxis, (1, 1.2, 1.5, 2, 3, 4, 5, 6, 7, 8))
        described(
            ax,
            (
                f"{name}, of {part['of'].iloc[0]} repeats, loss over {other} search's: "
                f"{'; '.join(texts)}."
            ),
        )
    return axes[0]


def guide(branches: Sequence[Branch] = GUIDE, *, ax=None):
    """Draw the decision guide: questions from top to bottom, what to do beside each."""
    step, half = 1.1, 0.42  # from box to box, and half a box: all of it fits a projector
    ax = canvas(ax, "Which search?", 11, step * len(branches))
    top = step * (len(branches) - 0.5)
    for i, branch in enumerate(branches):
        y = top - step * i
        box(ax, 0, y - half, 5.2, 2 * half, PALE[3])
        ax.text(2.6, y, branch.question, ha="center", va="center", size=10, weight="bold")
        box(ax, 6.6, y - half, 4.4, 2 * half, PALE[i % 3])
        ax.text(8.8, y, branch.advice, ha="center", va="center", size=10)
        arrow(ax, (5.25, y), (6.55, y))
        ax.text(5.9, y + 0.08, branch.answer, ha="center", va="bottom", size=9)
        if i + 1 < len(branches):
            arrow(ax, (2.6, y - half), (2.6, y - step + half))
            ax.text(2.75, y - step / 2, branch.next, va="center", size=9)
    steps = "; ".join(f"{b.question} {b.answer}".rstrip() + f": {b.advice}" for b in branches)
    steps = steps.replace("\n", " ")
    return described(ax, f"{ax.get_title()} {steps}.")
