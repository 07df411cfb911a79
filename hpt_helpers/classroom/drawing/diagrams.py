"""Drawings of ideas, made from the lessons' own objects by one-line calls."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import numpy as np
from matplotlib.patches import Rectangle

from hpt_helpers.axes import (
    COLOURS,
    MARKERS,
    arrow,
    box,
    canvas,
    described,
    label,
    new_axes,
    new_row,
)
from hpt_helpers.data import Splits
from hpt_helpers.model import SimpleNN

BLACK, BLUE, ORANGE, GREEN, *_ = COLOURS
PALE_BLUE, PALE_ORANGE, PALE_GREEN, PALE_GREY = "#DCEBF5", "#FBE6D9", "#D9F0E8", "#EEEEEE"
MAX_DOTS, MAX_UNITS, MAX_CLASSES = 120, 8, 6


def rows(splits: Splits, *, title: str = "", ax=None):
    """Draw the rows of a data set as its training, validation and sealed test part.

    Each row is a dot, marked by its class. In a large data set a dot stands for several rows, and
    more than six classes are not told apart.
    """
    ax = canvas(ax, title or f"The {sum(_sizes(splits))} rows of {label(splits.name)}", 10, 3.3)
    n_train, n_val, n_test = _sizes(splits)
    each = int(np.ceil(n_train / MAX_DOTS))
    left = 0.0
    parts = (
        ("training", "fit the weights", splits.y_train, n_train, PALE_BLUE),
        ("validation", "choose the\nconfiguration", splits.y_val, n_val, PALE_ORANGE),
        ("test", "score the chosen\none, once", None, n_test, PALE_GREY),
    )
    for name, purpose, y, n, colour in parts:
        width = 4.4 if name == "training" else 2.5
        box(ax, left, 0.75, width, 2.0, colour)
        ax.text(
            left + width / 2,
            2.98,
            f"{name}: {n} rows",
            ha="center",
            va="center",
            weight="bold",
            size=11,
        )
        ax.text(left + width / 2, 0.62, purpose, ha="center", va="top", size=10)
        if y is None:
            _padlock(ax, left + width / 2, 1.62)
        else:
            _dots(ax, np.sort(y.numpy())[::each], left, width, splits)
        left += width + 0.3
    if splits.n_classes <= MAX_CLASSES:
        ax.legend(
            loc="upper center",
            bbox_to_anchor=(0.5, 0.03),
            ncols=splits.n_classes,
            frameon=False,
            fontsize=10,
        )
    many = f" A dot stands for {each} rows." * (each > 1)
    return described(
        ax,
        f"{ax.get_title()}: {n_train} training rows fit the weights, {n_val} validation rows "
        "choose the "
        f"configuration, and {n_test} test rows, behind a padlock, score the chosen one, "
        f"once.{many}",
    )


def network(model: SimpleNN | Mapping, splits: Splits, *, title: str = "The network", ax=None):
    """Draw the network: features, hidden units, classes, and the connections between them.

    model: a `SimpleNN`, whose weights are drawn (wide where large, dashed where negative), or a
    configuration, of which hidden_size counts (16 where it has none). Of many units the first and
    last are drawn.
    """
    if isinstance(model, SimpleNN):
        weights = [layer.weight.detach().numpy() for layer in (model.hidden, model.output)]
        n_hidden = len(weights[0])
    else:
        weights = None
        n_hidden = int(model.get("hidden_size", 16))
    sizes = splits.n_features, n_hidden, splits.n_classes
    ax = canvas(ax, title, 10, 5)
    columns = [_places(n) for n in sizes]
    for layer, x in enumerate((1.5, 4.8)):
        scale = np.abs(weights[layer]).max() if weights else 1.0
        for i, y in columns[layer]:
            for j, y_next in columns[layer + 1]:
                w = weights[layer][j, i] / scale if weights else 0.25
                ax.plot(
                    [x, x + 3.3],
                    [y, y_next],
                    color=ORANGE if w < 0 else BLUE if weights else "0.7",
                    linewidth=0.2 + 2.2 * abs(w),
                    linestyle="--" if w < 0 else "-",
                    zorder=1,
                    solid_capstyle="round",
                )
    names = (f"{sizes[0]} features", f"{n_hidden} hidden units", f"{sizes[2]} classes")
    doing = ("scaled", "weighted sums → ReLU", "weighted sums → softmax")
    for x, column, n, colour, name, what in zip(
        (1.5, 4.8, 8.1),
        columns,
        sizes,
        (PALE_GREY, PALE_BLUE, PALE_ORANGE),
        names,
        doing,
        strict=True,
    ):
        for _, y in column:
            ax.plot(x, y, "o", ms=15, color=colour, markeredgecolor=BLACK, zorder=2)
        if n > MAX_UNITS:
            ax.text(x, 2.75, "⋮", ha="center", va="center", size=18, zorder=3)
        ax.text(x, 0.45, name, ha="center", va="center", weight="bold", size=11)
        ax.text(x, 0.08, what, ha="center", va="center", size=10)
    if splits.n_classes <= MAX_UNITS:
        for (_, y), name in zip(columns[2], splits.class_names, strict=True):
            ax.text(8.45, y, name, va="center", size=10)
    n_weights = n_hidden * (sizes[0] + 1) + sizes[2] * (n_hidden + 1)
    lines = " Wide lines are large weights, dashed ones negative." if weights else ""
    return described(
        ax,
        f"{title}: {sizes[0]} features go to {n_hidden} hidden units with ReLU, and these to "
        f"{sizes[2]} classes; "
        f"{n_weights} weights and biases.{lines}",
    )


def search_loop(
    strategy: Generator | str = "strategy", *, title: str = "How a search runs", ax=None
):
    """Draw the loop of a search: a strategy asks, an objective answers, and each trial is a row.

    strategy: its name, or a fresh generator, which is then asked for its first requests and so used
    up.
    """
    requests = [] if isinstance(strategy, str) else list(next(strategy))
    name = (
        strategy
        if isinstance(strategy, str)
        else getattr(strategy, "__name__", "strategy").replace("_", " ")
    )
    ax = canvas(ax, title, 10, 4.3)
    boxes = (
        (0, name, "which trials next?", PALE_BLUE),
        (6.9, "objective", "trains, and measures", PALE_ORANGE),
    )
    for x, what, doing, colour in boxes:
        box(ax, x, 2.3, 3.1, 1.5, colour)
        ax.text(x + 1.55, 3.28, what, ha="center", va="center", weight="bold", size=12)
        ax.text(x + 1.55, 2.78, doing, ha="center", va="center", size=10)
    arrow(ax, (3.2, 3.4), (6.8, 3.4))
    ax.text(5, 3.5, "requests: configuration, epochs", ha="center", va="bottom", size=10)
    arrow(ax, (6.8, 2.7), (3.2, 2.7))
    ax.text(5, 2.62, "validation losses", ha="center", va="top", size=10)
    arrow(ax, (8.45, 2.2), (8.45, 0.71), (7.6, 0.71))
    ax.text(8.6, 1.4, "a row for\neach trial", va="center", size=10)
    _trial_table(ax, requests)
    shown = f" Its first request is {_text(*requests[0])}." if requests else ""
    return described(
        ax,
        f"{title}: {name} asks for trials, each a configuration and a number of epochs; the "
        "objective trains them "
        f"and answers with their validation losses; each becomes a row of the trial table.{shown}",
    )


def grid_and_random(n_side: int = 3, *, seed: int = 0, axes=None):
    """Draw a grid and as many random points, and what each sees of the dimension that matters.

    Above each square is a made-up loss that depends on the horizontal dimension only, read where
    the points are. How lucky the random points are depends on seed. Returns the left Axes; each of
    the two has its description. After Bergstra & Bengio (2012), figure 1.
    """
    axes = new_row(2, (9, 5)) if axes is None else axes
    centres = (np.arange(n_side) + 0.5) / n_side
    points = {
        "Grid": np.array([(x, y) for x in centres for y in centres]),
        "Random": np.random.default_rng(seed).random((n_side**2, 2)),
    }
    x = np.linspace(0, 1, 400)
    for ax, (name, xy) in zip(axes, points.items(), strict=True):
        n_values = len(np.unique(xy[:, 0]))
        new_axes(
            ax,
            x_label="a hyperparameter that matters\n(diamonds: the lowest loss met)",
            y_label="one that does not",
        )
        ax.set(xlim=(0, 1), ylim=(0, 1), xticks=[], yticks=[], box_aspect=1)
        ax.spines[:].set_visible(True)
        above = ax.inset_axes([0, 1.03, 1, 0.38], sharex=ax)
        above.plot(x, _valley(x), color="0.4")
        above.set(ylim=(0, 1.15), yticks=[], ylabel="loss")
        above.set_title(f"{name}: {len(xy)} trials, {n_values} different values")
        above.spines[["top", "right"]].set_visible(False)
        above.tick_params(bottom=False, labelbottom=False)
        best = int(np.argmin(_valley(xy[:, 0])))
        for i, (a, b) in enumerate(xy):
            ax.plot(
                [a, a], [b, 1.03], color=BLUE, linewidth=0.9, linestyle=":", clip_on=False, zorder=1
            )
            for part, height in ((ax, b), (above, _valley(a))):
                marker, colour, size = (
                    ("D", ORANGE, 9) if _valley(a) == _valley(xy[best, 0]) else ("o", BLUE, 7)
                )
                part.plot(
                    a,
                    height,
                    marker,
                    color=colour,
                    ms=size,
                    markeredgecolor="white",
                    zorder=3 + i,
                    clip_on=False,
                )
        described(
            ax,
            f"{name}: {len(xy)} points of the unit square have {n_values} different values of the "
            f"hyperparameter that matters; the lowest loss met is {_valley(xy[best, 0]):.2f}.",
        )
    return axes[0]


def _valley(x):
    """Return a made-up loss with one narrow valley, which a centred grid of three misses."""
    return 1 - 0.25 * x - 0.65 * np.exp(-(((x - 0.66) / 0.075) ** 2))


def _sizes(splits: Splits) -> tuple[int, int, int]:
    return splits.n_train, splits.n_val, splits.n_test


def _padlock(ax, x: float, y: float) -> None:
    angle = np.linspace(0, np.pi, 40)
    shackle = np.array([x + 0.24 * np.cos(angle), y + 0.18 + 0.26 * np.sin(angle)])
    ax.plot([x + 0.24, *shackle[0], x - 0.24], [y, *shackle[1], y], color="0.25", linewidth=4)
    ax.add_patch(Rectangle((x - 0.36, y - 0.42), 0.72, 0.52, facecolor="0.25", zorder=3))
    ax.plot(x, y - 0.16, "o", color="white", ms=6, zorder=4)


def _dots(ax, y: np.ndarray, left: float, width: float, splits: Splits) -> None:
    n_high = 8
    n_wide = -(-len(y) // n_high)
    gap = min(0.31, (width - 0.5) / max(n_wide - 1, 1))
    place = np.arange(len(y))
    xs = left + width / 2 + (place // n_high - (n_wide - 1) / 2) * gap
    ys = 1.75 + ((n_high - 1) / 2 - place % n_high) * 0.23
    if splits.n_classes > MAX_CLASSES:
        ax.plot(xs, ys, "o", color=BLUE, ms=5)
        return
    for k, name in enumerate(splits.class_names):
        first = left == 0
        style = {"color": COLOURS[1 + k] if k < 5 else BLACK, "label": str(name) if first else None}
        ax.plot(xs[y == k], ys[y == k], MARKERS[k], ms=5.5, linestyle="none", **style)


def _places(n: int) -> list[tuple[int, float]]:
    """Return (unit, height) of the units that are drawn: all of few, the first and last of many."""
    if n <= MAX_UNITS:
        return list(zip(range(n), 2.75 + 0.5 * ((n - 1) / 2 - np.arange(n)), strict=True))
    shown = [0, 1, 2, n - 3, n - 2, n - 1]
    return list(zip(shown, [4.5, 4.0, 3.5, 2.0, 1.5, 1.0], strict=True))


def _text(config: Mapping, n_epochs: int) -> str:
    return ", ".join(
        f"{label(k)} {v:.3g}" if isinstance(v, float) else f"{label(k)} {v}"
        for k, v in config.items()
    )


def _trial_table(ax, requests: Sequence[tuple[Mapping, int]]) -> None:
    ax.text(0, 1.72, "trial table", weight="bold", size=11, va="center")
    names = list(requests[0][0]) if requests else ["configuration"]
    header = ["trial", *map(label, names), "loss"]
    cells = [
        [str(i), *[_short(config[n]) for n in names], "…"]
        for i, (config, _) in enumerate(requests[:3])
    ]
    cells = cells or [["0", "…", "…"], ["1", "…", "…"]]
    table = ax.table(cells, colLabels=header, bbox=[0.01, 0.02, 0.73, 0.33], cellLoc="center")
    table.auto_set_font_size(False)
    table.set_fontsize(10)
    for (row, _), cell in table.get_celld().items():
        cell.set(edgecolor="0.6", facecolor=PALE_GREEN if row == 0 else "white")


def _short(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
