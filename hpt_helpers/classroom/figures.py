"""How every figure of the course looks, and how it describes itself to those who do not see it.

Figures read in greyscale and for colour-blind people: lines differ in dash and marker as well as in
colour (Okabe and Ito's palette), surfaces use cividis. Their background is white, so they read on a
dark page too.
"""

from __future__ import annotations

import sys

COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
DASHES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P")
LABELS = {
    "lr": "learning rate",
    "n_epochs": "epochs",
    "val_loss": "validation loss (nats)",
    "val_accuracy": "validation accuracy",
    "val_error": "validation error (share wrong)",
    "sd": "standard deviation of the loss (nats)",
    "optimism": "optimism (percentage points)",
    "gain": "gain (percentage points)",
}


def label(column: str) -> str:
    """Return what a figure calls a column: its unit included where the course knows it.

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
    """Return ax, or the axes of a new figure of this size (inches), titled and labelled, with a
    light grid.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=size, layout="constrained", facecolor="white")
    ax.set(title=title, xlabel=x_label, ylabel=y_label)
    ax.grid(True, color="0.9")
    ax.set_axisbelow(True)
    ax.spines[["top", "right"]].set_visible(False)
    return ax


def new_row(n: int, size=(10.5, 3.8)):
    """Return the n axes, side by side, of a new figure of this size (inches): an array of shape
    (n,).
    """
    import matplotlib.pyplot as plt

    return plt.subplots(1, n, figsize=size, layout="constrained", facecolor="white", squeeze=False)[
        1
    ][0]


def plain_ticks(axis) -> None:
    """Label a logarithmic axis 0.1, 0.2, 0.5, 1 and so on; powers of ten only, where it spans more
    than two.
    """
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high <= 100 * low else (1,)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def described(ax, alt_text: str):
    """Return ax with its description, `ax.alt_text`; IPython then shows it as the text form of the
    figure.

    So a stored notebook holds in words what each picture says, a changed picture fails the
    comparison,
    and printed pages take their alternative texts from it.
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
    """Return the descriptions of a figure's axes in order, a line each; its repr where there are
    none.
    """
    texts = [ax.alt_text for ax in figure.axes if getattr(ax, "alt_text", "")]
    return "\n".join(texts) or repr(figure)


def _show_nothing() -> None:
    pass
