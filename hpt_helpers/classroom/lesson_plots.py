"""Plots of lesson 2: what a set of trials sees of the hyperparameter that matters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpt_helpers.classroom.figures import COLOURS, described, label, new_axes, new_row


def projection(
    configs: Sequence[Mapping],
    landscape: tuple[Sequence[float], Sequence[float]],
    *,
    x: str = "lr",
    y: str = "hidden_size",
    x_label="learning rate",
    y_label="hidden size",
    title="Projection",
    ax=None,
):
    """Draw configurations by two hyperparameters, x logarithmic, and above them what the loss is at
    their x.

    landscape: x values and losses, each of shape (n,): the grey points above. After Bergstra &
    Bengio (2012), figure 1.
    """
    ax = new_axes(ax, x_label=x_label, y_label=y_label)
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
    return described(
        ax,
        f"{title}: {len(configs)} configurations have {len(set(xs))} different values of {x_label} between "
        f"{min(xs):.3g} and {max(xs):.3g}; above, the loss at each {x_label}.",
    )


def projections(
    searches: Mapping[str, Sequence[Mapping]], truth, *, x="lr", y="hidden_size", axes=None
):
    """Draw what each search sees of the hyperparameter x: a `projection` for each, side by side.

    searches: name -> configurations. truth: a table with columns x and val_loss, the points above.
    Returns the first Axes; each of them has its description.
    """
    axes = new_row(len(searches), (4.5 * len(searches), 4.5)) if axes is None else axes
    places = [config[x] for configs in searches.values() for config in configs] + list(truth[x])
    heights = [config[y] for configs in searches.values() for config in configs]
    edge = 0.05 * (max(heights) - min(heights)) or 1
    for ax, (name, configs) in zip(axes, searches.items(), strict=True):
        title = f"{name}: {len(configs)} trials, {len({config[x] for config in configs})} different values"
        labels = {"x_label": label(x), "y_label": label(y), "title": title}
        projection(configs, (truth[x], truth["val_loss"]), x=x, y=y, ax=ax, **labels)
        ax.set(
            xlim=(min(places) / 1.2, max(places) * 1.2),
            ylim=(min(heights) - edge, max(heights) + edge),
        )
    return axes[0]
