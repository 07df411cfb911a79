"""Pictures of lesson 4: what a Hyperband schedule does with each configuration, whether early order
is late order, and what searches that stop early are worth.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hpt_helpers.axes import (
    COLOURS,
    DASHES,
    MARKERS,
    described,
    new_axes,
    new_row,
    plain_ticks,
)
from hpt_helpers.classroom.lab.racing import schedule_epochs
from hpt_helpers.classroom.lesson_04.studies import rank_correlation

if TYPE_CHECKING:
    from hpt_helpers.classroom.lesson_04.studies import Watched

# told apart in grey by their order
SHADES = ("#0072B2", "#56B4E9", "#F0E442", "#E69F00", "#D55E00", "#999999")


def costs(schedule: Sequence[Sequence[tuple[int, int]]]) -> list[int]:
    """Return the epochs that each bracket trains when its survivors train on.

    schedule: brackets of rungs (n_configs, n_epochs), as `hyperband_schedule` returns them.

    >>> costs([[(9, 1), (3, 3), (1, 9)], [(3, 9)]])
    [21, 27]
    """
    return [schedule_epochs([rungs]) for rungs in schedule]


def chart(schedule: Sequence[Sequence[tuple[int, int]]], *, title: str = "", ax=None):
    """Draw a schedule: a bar for each configuration, as long as it is trained, a block of bars for
    each bracket.

    schedule: brackets of rungs (n_configs, n_epochs), as `hyperband_schedule` returns them. The
    colour changes at each cut; a block's area is what its bracket costs.
    """
    n_all = sum(rungs[0][0] for rungs in schedule)
    gap = 0.06 * n_all + 0.5
    title = title or f"{n_all} configurations, at most {schedule[0][-1][1]} epochs each"
    ax = new_axes(ax, title=title, x_label="epochs", size=(7.2, 1.6 + 1.6 * len(schedule) ** 0.7))
    top, texts, places = 0.0, [], []
    for number, (rungs, cost) in enumerate(zip(schedule, costs(schedule), strict=True), start=1):
        before = 0
        for rung, (n, epochs) in enumerate(rungs):
            heights = [top + i + 0.5 for i in range(n)]
            colour = SHADES[min(rung, len(SHADES) - 1)]
            ax.barh(
                heights,
                epochs - before,
                0.86,
                left=before,
                color=colour,
                edgecolor="0.3",
                linewidth=0.4,
            )
            before = epochs
        n_first = rungs[0][0]
        places.append(
            (
                top + n_first / 2,
                f"bracket {number}\n{' → '.join(str(n) for n, _ in rungs)}\n{cost} epochs",
            )
        )
        trained = ", then ".join(f"{n} to epoch {e}" for n, e in rungs)
        texts.append(f"bracket {number} trains {trained}: {cost} epochs")
        top += n_first + gap
    ax.set(ylim=(top - gap + 0.5, -0.5), xlim=(0, schedule[0][-1][1] * 1.01))
    ax.set_yticks(*zip(*places, strict=True))
    ax.set_xticks(sorted({epochs for rungs in schedule for _, epochs in rungs}))
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    return described(ax, f"{title}: {'; '.join(texts)}.")


def curves(watched: Mapping[str, Watched], *, axes=None):
    """Draw losses at the epochs of the rungs, a panel for each problem: of its most misleading
    repeat.

    watched: name -> trainings, as `lesson_04.watched_in_table` returns them. The repeat is the one
    in which the ranks after a ninth of the epochs agree least with those at the end. The darker a
    line, the higher its learning rate. Returns the first Axes; each of them has its description.
    """
    axes = new_row(len(watched), (5.25 * len(watched), 4.2)) if axes is None else axes
    for ax, (name, held) in zip(axes, watched.items(), strict=True):
        found = rank_correlation(held, held.epochs[-3], held.epochs[-1])
        repeat = int(np.argmin(found))
        title = f"{name}, rank correlation {found[repeat]:.2f}"
        new_axes(ax, title=title, x_label="epochs", y_label="validation loss (nats)")
        _lines_by_rate(ax, held, repeat)
        ax.axvline(held.epochs[-3], color=COLOURS[2], linestyle="--")
        described(
            ax,
            f"{title}: losses of {held.last.shape[1]} configurations at epochs "
            f"{', '.join(map(str, held.epochs))}, darker for higher learning rates; the rank "
            f"correlation is that of epochs {held.epochs[-3]}, a dashed line, and "
            f"{held.epochs[-1]}.",
        )
    return axes[0]


def _lines_by_rate(ax, held: Watched, repeat: int) -> None:
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, LogNorm

    rates, losses = held.lr[repeat], held.last[repeat]
    # The brightest quarter of the map is left out: on white it could not be seen.
    dark_end = ListedColormap(colormaps["cividis_r"](np.linspace(0.25, 1, 256)))
    colours = ScalarMappable(LogNorm(rates.min(), rates.max()), cmap=dark_end)
    for rate, of_one in zip(rates, losses, strict=True):
        ax.plot(held.epochs, of_one, color=colours.to_rgba(rate), linewidth=1)
    ax.set(xscale="log", yscale="log")
    ax.set_xticks(held.epochs, [str(epoch) for epoch in held.epochs])
    ax.minorticks_off()
    plain_ticks(ax.yaxis)
    bar = ax.figure.colorbar(colours, ax=ax, label="learning rate")
    plain_ticks(bar.ax.yaxis)


def by_budget(losses: Mapping[str, np.ndarray], n_trials: Sequence[int], *, title="", ax=None):
    """Draw the fresh loss of searches' winners against what each may spend, both logarithmic.

    losses: a search's name -> its losses, one for each budget. n_trials: the budgets, as numbers of
    full trainings.
    """
    title = title or "What each search's winner is worth"
    x_label = "budget, in full trainings"
    ax = new_axes(ax, title=title, x_label=x_label, y_label="fresh loss (nats), median")
    ax.set(xscale="log", yscale="log")
    for i, (name, of_search) in enumerate(losses.items()):
        style = {"color": COLOURS[i % 6], "linestyle": DASHES[i % 6], "marker": MARKERS[i % 6]}
        ax.plot(n_trials, of_search, label=name, ms=6, **style)
    ax.set_xticks(n_trials, [str(n) for n in n_trials])
    ax.minorticks_off()
    plain_ticks(ax.yaxis, (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8))
    ax.legend()
    ends = "; ".join(
        f"{name} from {of_search[0]:.3f} to {of_search[-1]:.3f}"
        for name, of_search in losses.items()
    )
    return described(
        ax,
        f"{title}: median fresh loss by budget, from {n_trials[0]} to {n_trials[-1]} full "
        f"trainings: {ends}.",
    )
