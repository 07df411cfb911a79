"""How every figure of the course looks, and how it describes itself to those who do not see it.

Figures read in greyscale and for colour-blind people: lines differ in dash and marker as well as in
colour (Okabe and Ito's palette), and surfaces use cividis. Their background is white, so that they
read on a dark page too. Drawings are made of a `canvas` with boxes and arrows.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
LABELS = {
    "lr": "learning rate",
    "n_epochs": "epochs",
    "val_loss": "validation loss (nats)",
    "val_accuracy": "validation accuracy",
    "val_error": "validation error (share wrong)",
    "sd": "standard deviation (nats)",
    "fresh": "fresh loss (nats)",
    "optimism": "optimism (percentage points)",
    "gain": "gain (percentage points)",
}


def label(column: str) -> str:
    """Return what a figure calls a column, with its unit where the course knows one.

    >>> label("lr"), label("batch_size")
    ('learning rate', 'batch size')
    """
    return LABELS.get(column, str(column).replace("_", " "))


def short_label(column: str) -> str:
    """Return the label without what stands in brackets, for titles.

    >>> short_label("val_loss")
    'validation loss'
    """
    return label(column).split(" (")[0]


def check_columns(table, *columns: str) -> None:
    """Raise TypeError when table is no DataFrame, ValueError when it lacks one of the columns."""
    if not hasattr(table, "columns"):
        raise TypeError(f"table is a {type(table).__name__}; a DataFrame is needed")
    missing = [column for column in columns if column not in table]
    if missing:
        raise ValueError(f"table lacks the columns {missing}; it has {list(table.columns)}")


def new_axes(ax=None, *, title: str = "", x_label: str = "", y_label: str = "", size=(6.4, 3.8)):
    """Return ax, or the axes of a new figure, titled and labelled, with a light grid.

    size: width and height of a new figure in inches.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained", facecolor="white")
    ax.set(title=title, xlabel=x_label, ylabel=y_label)
    ax.grid(True, color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def new_row(n: int, size=(10.5, 3.8), *, n_rows: int = 1):
    """Return the axes of a new figure, n of them side by side: an array of shape (n,).

    size: width and height of the figure in inches. n_rows: in so many rows, if they are too many
    for one; n has to be a multiple of it.
    """
    import matplotlib.pyplot as plt

    look = {"layout": "constrained", "facecolor": "white", "squeeze": False}
    _, axes = plt.subplots(n_rows, n // n_rows, figsize=size, **look)
    return axes.ravel()


def plain_ticks(axis, subs: Sequence[float] | None = None) -> None:
    """Label a logarithmic axis by plain numbers at these multiples of powers of ten.

    Without subs they are 1, 2 and 5. Where the axis spans more than two powers of ten they are 1
    and 3, and 1 alone where it spans more than three.
    """
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = axis.get_view_interval()
    if subs is None:
        subs = (1, 2, 5) if high <= 100 * low else (1, 3) if high <= 1000 * low else (1,)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def in_axes(ax, points: Sequence[tuple[float, float]]):
    """Return where points lie in the axes, from (0, 0) to (1, 1): an array of shape (n, 2).

    The axes' limits have to be final.
    """
    ax.autoscale_view()
    return ax.transAxes.inverted().transform(ax.transData.transform(points))


def end_labels(ax, ends: Sequence[tuple[float, float, str, str]], *, gap: float = 0.06) -> None:
    """Write a label right of the end of each line, with a leader line where they were too near.

    ends: x, y, text and colour of each. gap: the smallest distance of two labels, as a share of the
    axes' height.
    """
    places = in_axes(ax, [(x, y) for x, y, _, _ in ends])[:, 1]
    order = sorted(range(len(ends)), key=lambda i: places[i])
    heights = spaced([places[i] for i in order], gap)
    for i, height in zip(order, heights, strict=True):
        x, y, text, colour = ends[i]
        ax.annotate(
            text,
            (x, y),
            (1.05, height),
            textcoords="axes fraction",
            color=colour,
            size=9,
            va="center",
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkB": 4},
        )


def spaced(places: Sequence[float], gap: float) -> list[float]:
    """Return sorted places moved apart, so that no two are nearer than the gap.

    What is too near shares one group, which is centred where its members were.

    >>> spaced([0, 2, 2.5, 5], gap=1)
    [0.0, 1.75, 2.75, 5.0]
    """
    groups = []  # (sum of places, how many)
    for place in places:
        groups.append((place, 1))
        while len(groups) > 1 and _top(groups[-2], gap) + gap > _bottom(groups[-1], gap):
            total, n = groups.pop()
            groups[-1] = groups[-1][0] + total, groups[-1][1] + n
    return [_bottom(group, gap) + i * gap for group in groups for i in range(group[1])]


def _bottom(group: tuple[float, int], gap: float) -> float:
    return group[0] / group[1] - gap * (group[1] - 1) / 2


def _top(group: tuple[float, int], gap: float) -> float:
    return group[0] / group[1] + gap * (group[1] - 1) / 2


# --- drawings -------------------------------------------------------------------------------------


def canvas(ax, title: str, width: float, height: float):
    """Return axes without axes, on which one unit is as long in both directions."""
    ax = new_axes(ax, title=title, size=(0.8 * width, 0.8 * height))
    ax.set(xlim=(-0.1, width + 0.1), ylim=(-0.1, height), aspect="equal")
    ax.axis("off")
    return ax


def box(ax, x: float, y: float, width: float, height: float, colour: str) -> None:
    """Draw a box with round corners, whose lower left one is (x, y)."""
    from matplotlib.patches import FancyBboxPatch

    style = "round,pad=0,rounding_size=0.12"
    ax.add_patch(
        FancyBboxPatch((x, y), width, height, boxstyle=style, facecolor=colour, edgecolor="0.3")
    )


def arrow(ax, *points: tuple[float, float]) -> None:
    """Draw an arrow through the points to the last one."""
    from matplotlib.patches import FancyArrowPatch

    style = {"color": "0.2", "linewidth": 1.6}
    ax.plot(*zip(*points[:-1], strict=True), solid_joinstyle="miter", **style)
    head = {"arrowstyle": "-|>", "mutation_scale": 16, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(*points[-2:], **head, **style))


# --- descriptions ---------------------------------------------------------------------------------


def described(ax, alt_text: str):
    """Return ax with its description as `ax.alt_text`, which IPython shows as the figure's text.

    So a stored notebook holds in words what each picture says, a changed picture fails the
    comparison, and printed pages take their alternative texts from it.
    """
    ax.alt_text = alt_text
    # The value of a cell's last line: nothing, as the figure is shown anyhow. (A semicolon would do
    # that for people but not for nbval, which executes cells without history, where IPython looks
    # for the semicolon.)
    ax._ipython_display_ = _show_nothing
    # At drawing time: the inline backend removes every formatter for figures when the first one
    # activates it.
    get_ipython = getattr(sys.modules.get("IPython"), "get_ipython", None)
    if get_ipython and (shell := get_ipython()):
        from matplotlib.figure import Figure

        shell.display_formatter.formatters["text/plain"].for_type(
            Figure, lambda f, p, cycle: p.text(figure_text(f))
        )
    return ax


def figure_text(figure) -> str:
    """Return the descriptions of a figure's axes, a line each, or its repr where it has none."""
    texts = [ax.alt_text for ax in figure.axes if getattr(ax, "alt_text", "")]
    return "\n".join(texts) or repr(figure)


def _show_nothing() -> None:
    pass
