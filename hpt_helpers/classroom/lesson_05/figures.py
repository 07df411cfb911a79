"""The pictures of lesson 5: the race, its verdicts, the ten best once more, the decision guide."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from hpt_helpers.axes import (
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
from hpt_helpers.classroom.lesson_05.guide import GO_ON, GUIDE, Branch

PALE = ("#DCEBF5", "#FBE6D9", "#D9F0E8", "#EEEEEE")
TICKS = (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 7, 8)


def incumbents(trials: pd.DataFrame, *, axes=None):
    """Draw each search's lowest loss so far against the trainings spent, a panel for each world.

    trials: columns world, search, repeat, trainings, val_loss, in the order of evaluation, as a
    race has them. A line is the median over the repeats, and starts where every one has a loss.
    Returns the first Axes; each has its description.
    """
    check_columns(trials, "world", "search", "repeat", "trainings", "val_loss")
    names = list(trials["search"].unique())
    worlds = trials.groupby("world", sort=False)
    axes = new_row(len(worlds), (12.5, 4.2)) if axes is None else axes
    for ax, (world, of_world) in zip(axes, worlds, strict=True):
        new_axes(ax, title=world, x_label="full trainings spent")
        at, ends = np.arange(1, np.ceil(of_world["trainings"].max()) + 1), []
        for name, part in of_world.groupby("search", sort=False):
            paths = [
                _path(one["trainings"].to_numpy(), one["val_loss"].to_numpy(), at)
                for _, one in part.groupby("repeat")
            ]
            median = np.median(paths, axis=0)  # nan where a repeat has no loss yet
            i = names.index(name)
            style = {"color": COLOURS[i % 6], "linestyle": DASHES[i % 6], "marker": MARKERS[i % 6]}
            shown = at <= part["trainings"].max() + 1e-9
            ax.plot(at[shown], median[shown], label=name, ms=5, markevery=(4 + i, 12), **style)
            ends.append(f"{name} ends at {median[shown][-1]:.3f}")
        ax.set_yscale("log")
        plain_ticks(ax.yaxis, TICKS)
        described(ax, f"{world}: lowest loss so far against full trainings; {', '.join(ends)}.")
    axes[0].set_ylabel("lowest validation loss so far (nats)")
    handles, labels = max((ax.get_legend_handles_labels() for ax in axes), key=lambda h: len(h[1]))
    axes[-1].legend(handles, labels, loc="upper right")
    return axes[0]


def _path(spent: np.ndarray, losses: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Return the lowest loss known at each number of trainings, nan before the first."""
    best = np.fmin.accumulate(losses)
    position = np.searchsorted(spent, at + 1e-9, side="right") - 1
    return np.where(position >= 0, best[np.maximum(position, 0)], np.nan)


def verdicts(comparison: pd.DataFrame, other: str = "random", *, axes=None):
    """Draw each search's loss as a multiple of another's, as searched and fresh, for each world.

    comparison: columns world, search, verdict, ratio, low and high (its bootstrap interval), wins
    and of. An open mark is the loss as searched, a filled one with its interval is fresh. At the
    right stand the wins by both. Returns the first Axes; each has its description.
    """
    check_columns(comparison, "world", "search", "verdict", "ratio", "low", "high", "wins", "of")
    names = list(comparison["search"].unique())
    worlds = comparison.groupby("world", sort=False)
    axes = new_row(len(worlds), (12.5, 4.2)) if axes is None else axes
    for ax, (world, of_world) in zip(axes, worlds, strict=True):
        of = of_world["of"].iloc[0]
        new_axes(ax, title=f"{world} (wins of {of})", x_label=f"loss / {other} search's")
        low, high = of_world[["low", "ratio"]].min().min(), of_world["high"].max()
        right, texts = high * (high / low) ** 0.12, []
        for y, name in enumerate(names):
            pair = of_world[of_world["search"] == name].set_index("verdict")
            if pair.empty:
                ax.text(right, y, "–", ha="left", va="center", size=9)
                continue
            searched, fresh = pair.loc["as searched"], pair.loc["fresh"]
            colour = COLOURS[1] if fresh.high < 1 else COLOURS[2] if fresh.low > 1 else "0.45"
            mark = {"color": colour, "ms": 8, "linestyle": "none"}
            ax.plot([fresh.low, fresh.high], [y, y], color=colour, linewidth=2.5)
            ax.plot(searched.ratio, y, MARKERS[y % 6], mfc="white", mew=1.6, **mark)
            ax.plot(fresh.ratio, y, MARKERS[y % 6], **mark)
            ax.text(right, y, f"{searched.wins} → {fresh.wins}", ha="left", va="center", size=9)
            texts.append(
                f"{name} {searched.ratio:.2f} as searched and lower in {searched.wins} of {of}, "
                f"{fresh.ratio:.2f} fresh ({fresh.low:.2f} to {fresh.high:.2f}) and lower in "
                f"{fresh.wins}"
            )
        ax.axvline(1, color="black", linewidth=1)
        ax.set(xscale="log", xlim=(low * (low / high) ** 0.06, high * (high / low) ** 0.5))
        ax.set_ylim(len(names) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), names if ax is axes[0] else [""] * len(names))
        steps = (0.5, 0.6, 0.7, 0.8, 1, 1.2, 1.5, 2) if low < 0.85 else (0.9, 0.925, 0.95, 0.975, 1)
        inside = [x for x in steps if low * 0.98 <= x <= high * 1.02]
        ax.set_xticks(inside, [f"{x:g}" for x in inside])
        ax.minorticks_off()
        described(ax, f"{world}, losses over {other} search's: {'; '.join(texts)}.")
    kinds = {"as searched": "white", "fresh, with its interval": "0.45"}
    for kind, colour in kinds.items():
        axes[0].plot([], [], "o", color="0.45", mfc=colour, mew=1.6, ms=8, label=kind)
    axes[0].figure.legend(loc="lower center", ncols=2, frameon=False, bbox_to_anchor=(0.5, -0.07))
    return axes[0]


def ten_best(best: pd.DataFrame, *, axes=None):
    """Draw the loss by which each of the ten best came there, and its loss on another split.

    best: columns world, searched and again, both less the mean of their ten, and in_order, the
    share of pairs that both put in the same order; a panel for each world. Above it stand the mean
    of in_order and its range. Returns the first Axes; each has its description.
    """
    check_columns(best, "world", "searched", "again", "in_order")
    worlds = best.groupby("world", sort=False)
    axes = new_row(len(worlds), (3.6 * len(worlds), 4)) if axes is None else axes
    for ax, (world, part) in zip(axes, worlds, strict=True):
        share, low, high = (100 * part["in_order"].agg(["mean", "min", "max"])).round()
        shares = (
            f"{share:.0f} % of pairs in the same order\n({low:.0f} to {high:.0f} % in a repeat)"
        )
        new_axes(ax, title=f"{world}\n{shares}", x_label="loss as searched − mean of the ten")
        ax.plot(part["searched"], part["again"], "o", color=COLOURS[1], alpha=0.4, ms=4, mew=0)
        ends = np.array([part["searched"].min(), part["searched"].max()])
        ax.plot(ends, ends, color="black", linewidth=1.2)
        reach = 1.05 * np.abs(part[["searched", "again"]]).max(axis=None)
        ax.set(xlim=(-reach, reach), ylim=(-reach, reach))
        described(
            ax,
            f"{world}: {len(part)} trials, by their losses as searched and on another split, both "
            f"less the mean of their ten; {share:.0f} % of the pairs are in the same order, "
            f"{low:.0f} to {high:.0f} % in a repeat.",
        )
    axes[0].set_ylabel("loss on another split − mean of the ten")
    return axes[0]


def guide(branches: Sequence[Branch] = GUIDE, *, ax=None):
    """Draw the decision guide: questions from top to bottom, what to do beside each.

    The arrow on the right leads from each advice to the last branch, unless the questions go on.
    """
    step, half, gap = 1.1, 0.42, 0.45  # from box to box, half a box, and more before the last one
    *before, last = branches
    ax = canvas(ax, "Which search?", 11.5, step * len(branches) + gap)
    top = step * (len(branches) - 0.5) + gap
    for i, branch in enumerate(before):
        y = top - step * i
        _advise(ax, branch, y, half, PALE[i % 3])
        if branch.next != GO_ON:
            ax.plot([11.05, 11.4], [y, y], color="0.2", linewidth=1.6)
        if i + 1 < len(before):
            arrow(ax, (2.6, y - half), (2.6, y - step + half))
            ax.text(2.75, y - step / 2, branch.next, va="center", size=9)
    end = step / 2
    turn = end + (step + gap) / 2
    arrow(ax, (11.4, top), (11.4, turn), (2.6, turn), (2.6, end + half))
    _advise(ax, last, end, half, PALE[len(before) % 3])
    steps = "; ".join(f"{b.question} {b.answer}".rstrip() + f": {b.advice}" for b in branches)
    steps = steps.replace("\n", " ")
    return described(ax, f"{ax.get_title()} {steps}.")


def _advise(ax, branch: Branch, y: float, half: float, colour: str) -> None:
    """Draw a branch at height y: its question, and an arrow to what to do."""
    box(ax, 0, y - half, 5.2, 2 * half, PALE[3])
    ax.text(2.6, y, branch.question, ha="center", va="center", size=10, weight="bold")
    box(ax, 6.6, y - half, 4.4, 2 * half, colour)
    ax.text(8.8, y, branch.advice, ha="center", va="center", size=10)
    arrow(ax, (5.25, y), (6.55, y))
    ax.text(5.9, y + 0.08, branch.answer, ha="center", va="bottom", size=9)
