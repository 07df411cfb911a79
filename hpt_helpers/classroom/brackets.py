"""Pictures of lesson 4: what a Hyperband schedule does with each configuration, and how learning
curves fan out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hpt_helpers.classroom import plots
from hpt_helpers.classroom.figures import COLOURS, described, label, new_axes, new_row, plain_ticks
from hpt_helpers.classroom.lab import schedule_epochs

if TYPE_CHECKING:
    from hpt_helpers.classroom.landscape import Landscape

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
        texts.append(
            f"bracket {number} trains {', then '.join(f'{n} to epoch {e}' for n, e in rungs)}: {cost} epochs"
        )
        top += n_first + gap
    ax.set(ylim=(top - gap + 0.5, -0.5), xlim=(0, schedule[0][-1][1] * 1.01))
    ax.set_yticks(*zip(*places, strict=True))
    ax.set_xticks(sorted({epochs for rungs in schedule for _, epochs in rungs}))
    ax.tick_params(axis="y", length=0)
    ax.grid(False, axis="y")
    return described(ax, f"{title}: {'; '.join(texts)}.")


def fans(full: Mapping[str, Landscape], repeat: int = 0, *, epoch: int = 3, axes=None):
    """Draw the learning curves of one repeat of each data set: all grey, bold the one that ends
    lowest.

    full: name -> landscape with a repeat for each seed. epoch: where a dotted line is drawn, and
    where is told how many are ahead of the bold one. Returns the first Axes; each of them has its
    description.
    """
    axes = new_row(len(full), (5.25 * len(full), 3.8)) if axes is None else axes
    for ax, (name, held) in zip(axes, full.items(), strict=True):
        curves = held.val_loss[:, held.seeds.index(repeat)]
        winner = int(curves[:, -1].argmin())
        plots.learning_curves(
            curves,
            mark=[winner],
            title=f"{label(name).capitalize()}, {len(curves)} configurations",
            ax=ax,
        )
        plain_ticks(ax.yaxis)
        ax.axvline(epoch, color=COLOURS[0], linestyle=":")
        ahead = int((curves[:, epoch - 1] < curves[winner, epoch - 1]).sum())
        described(
            ax,
            f"{ax.alt_text[:-1]}; at epoch {epoch}, {ahead} are ahead of the one that ends lowest.",
        )
    return axes[0]
