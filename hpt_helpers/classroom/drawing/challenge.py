"""You are the optimiser: a hidden landscape, a few tries, and how machines did with as many."""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Mapping

import ipywidgets
import numpy as np

from hpt_helpers.axes import (
    COLOURS,
    described,
    figure_text,
    in_axes,
    label,
    new_axes,
    plain_ticks,
)
from hpt_helpers.classroom.drawing.slider import hidden
from hpt_helpers.classroom.lab.bayes import gains
from hpt_helpers.classroom.lab.landscape import Landscape
from hpt_helpers.classroom.lab.statistics import pairs
from hpt_helpers.trials import best

N_RANDOM, N_MACHINES, N_START = 200, 20, 3
# heights of numbers in points, and what is near, in widths of the axes
LEVELS, NEAR = (9, 21, 33, 45), 0.05
FLOOR = 1e-4  # nats; what is nearer to the lowest loss is drawn here


class Challenge(ipywidgets.VBox):
    """A hidden curve or plane, to be searched with `submit` or, live, with sliders and a button.

    landscape: its mean losses at the last epoch are what is hidden. One or two hyperparameters
    vary, on a full grid. budget: the number of tries. The board shows the tries and the incumbent.
    After the last try it also shows the truth, and where the result lies among 200 random searches
    and 20 of the machine's (lesson 3's, which begin with three random trials). What was tried once
    costs nothing a second time.

    Keys: Tab to a slider, then the arrows; Tab to the button, then Enter.

    Raises ValueError when another number of hyperparameters varies, the grid is not full, a loss is
    missing, or the budget is not 4 to the number of configurations.
    """

    def __init__(self, landscape: Landscape, budget: int = 10):
        self.axes = _varying(landscape)
        losses = landscape.val_loss[:, :, -1].mean(axis=1)
        if not np.isfinite(losses).all():
            raise ValueError(
                "some configuration of the landscape diverged; a loss for each is needed"
            )
        if not N_START < budget <= len(losses):
            raise ValueError(f"budget is {budget!r}; {N_START + 1} to {len(losses)} are allowed")
        self.budget, self.tries, self._common = budget, [], dict(landscape.configs[0])
        self._losses = np.full([len(values) for values in self.axes.values()], np.nan)
        for config, loss in zip(landscape.configs, losses, strict=True):
            self._losses[
                tuple(values.index(config[name]) for name, values in self.axes.items())
            ] = loss
        self._sliders = {name: _slider(name, values) for name, values in self.axes.items()}
        self._button = ipywidgets.Button(
            description="Try", tooltip="train with these values and see the loss"
        )
        self._button.on_click(lambda _: self._try())
        self._image = ipywidgets.Image(format="png", layout={"max_width": "100%"})
        self._words = ipywidgets.HTML()
        controls = ipywidgets.HBox(
            [*self._sliders.values(), self._button], layout={"flex_flow": "row wrap"}
        )
        super().__init__([controls, self._image, self._words], layout={"align_items": "flex-start"})
        self._show()

    def submit(self, config: Mapping) -> float:
        """Try the configuration of the landscape nearest to this one, and return its loss.

        config: a value for each hyperparameter that varies; others are ignored. Raises ValueError
        when one is missing or lies outside the landscape, and when the budget is used up.
        """
        place = tuple(_nearest(name, values, config) for name, values in self.axes.items())
        if place not in self.tries:
            if self.n_left == 0:
                raise ValueError(
                    f"the budget of {self.budget} tries is used up; "
                    "make a new Challenge for another game"
                )
            self.tries.append(place)
            self._show()
        return float(self._losses[place])

    def _try(self) -> None:
        """Try what the sliders show. The button is off meanwhile, as a redraw takes a moment."""
        self._button.disabled = True
        try:
            self.submit({name: slider.value for name, slider in self._sliders.items()})
        finally:
            self._button.disabled = self.n_left == 0

    @property
    def n_left(self) -> int:
        return self.budget - len(self.tries)

    @property
    def configs(self) -> list[dict]:
        """The configurations tried so far, with the hyperparameters that do not vary."""
        values = [
            {name: self.axes[name][k] for name, k in zip(self.axes, i, strict=True)}
            for i in self.tries
        ]
        return [self._common | varying for varying in values]

    @property
    def losses(self) -> list[float]:
        """The validation losses of the tries so far."""
        return [float(self._losses[i]) for i in self.tries]

    def random_results(self) -> np.ndarray:
        """Return the lowest loss of each of 200 random searches of the same budget, shape (200,).

        None of them tries a configuration twice.
        """
        return np.array(
            [self._losses.ravel()[self._start(i, self.budget)].min() for i in range(N_RANDOM)]
        )

    def machine_results(self) -> np.ndarray:
        """Return the lowest loss of each of 20 searches by expected improvement, shape (20,).

        Search i begins with the first three tries of random search i.
        """
        scaled = [np.linspace(0, 1, size) for size in self._losses.shape]
        points = np.stack(np.meshgrid(*scaled, indexing="ij"), axis=-1).reshape(-1, len(scaled))
        losses, found = self._losses.ravel(), []
        for i in range(N_MACHINES):
            tried = list(self._start(i, N_START))
            while len(tried) < self.budget:
                tried.append(int(gains(points, tried, losses[tried]).argmax()))
            found.append(losses[tried].min())
        return np.array(found)

    def _start(self, i: int, n: int) -> np.ndarray:
        return np.random.default_rng(i).permutation(self._losses.size)[:n]

    def board(self):
        """Draw the tries and, once the budget is used up, the truth and the comparison.

        Returns the left Axes.
        """
        import matplotlib.pyplot as plt

        over = self.n_left == 0
        size = (10.5, 3.9) if over else (6.4, 3.9)
        _, axes = plt.subplots(
            1, 1 + over, figsize=size, layout="constrained", facecolor="white", squeeze=False
        )
        (_draw_curve if len(self.axes) == 1 else _draw_plane)(self, axes[0, 0])
        if over:
            _draw_comparison(self, axes[0, 1])
        return axes[0, 0]

    def _show(self) -> None:
        import matplotlib.pyplot as plt

        figure, buffer = self.board().figure, io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        plt.close(figure)
        self._image.value, self._text = buffer.getvalue(), figure_text(figure)
        self._words.value = hidden(self._text)
        self._button.disabled = self.n_left == 0

    def __repr__(self) -> str:
        return f"Challenge: {self._text}"

    def _repr_mimebundle_(self, **kwargs) -> dict:
        bundle = super()._repr_mimebundle_(**kwargs) or {}  # None where a widget has no view
        return {
            **bundle,
            "text/plain": repr(self),
            "image/png": base64.b64encode(self._image.value).decode(),
        }


def _varying(landscape: Landscape) -> dict[str, list]:
    """Return the values of each hyperparameter that varies, sorted."""
    values = {
        name: sorted({config[name] for config in landscape.configs})
        for name in landscape.configs[0]
    }
    axes = {name: some for name, some in values.items() if len(some) > 1}
    if len(axes) not in (1, 2):
        raise ValueError(
            f"{len(axes)} hyperparameters vary in the landscape, {list(axes)}; one or two may"
        )
    if np.prod([len(some) for some in axes.values()]) != len(landscape.configs):
        raise ValueError("the landscape's configurations are not a full grid")
    return axes


def _nearest(name: str, values: list, config: Mapping) -> int:
    if name not in config:
        raise ValueError(f"config has no {name!r}; it is {dict(config)!r}")
    if not values[0] * (1 - 1e-9) <= config[name] <= values[-1] * (1 + 1e-9):
        raise ValueError(f"{name} is {config[name]!r}; {values[0]:g} to {values[-1]:g} are allowed")
    scale = np.log if _is_log(values) else np.asarray
    return int(np.abs(scale(values) - scale(config[name])).argmin())


def _is_log(values: list) -> bool:
    return values[0] > 0 and bool(
        np.allclose(np.diff(np.log(values)), np.log(values[-1] / values[0]) / (len(values) - 1))
    )


def _slider(name: str, values: list) -> ipywidgets.SelectionSlider:
    texts = [f"{value:.3g}" for value in values]
    texts = texts if len(set(texts)) == len(texts) else [f"{value:.6g}" for value in values]
    return ipywidgets.SelectionSlider(
        options=list(zip(texts, values, strict=True)),
        value=values[len(values) // 2],
        description=label(name),
        continuous_update=False,  # a drag sends one value, and the button tries no stale one
        style={"description_width": "initial"},
        layout={"width": "420px"},
    )


def _title(game: Challenge) -> str:
    n = len(game.tries)
    return f"{n} of {game.budget} tries" + (f", best loss {min(game.losses):.4f}" if n else "")


def _draw_curve(game: Challenge, ax) -> None:
    [(name, values)] = game.axes.items()
    ax = new_axes(ax, title=_title(game), x_label=label(name), y_label="validation loss (nats)")
    ax.set_xscale("log" if _is_log(values) else "linear")
    ax.set_xlim(values[0], values[-1])
    if not game.tries:
        ax.set_yticks([])
    if game.n_left == 0:
        ax.plot(values, game._losses, color="0.6", linestyle="--", label="the truth")
    _draw_tries(game, ax, [values[i] for (i,) in game.tries], game.losses, above=game.losses)
    tried = ", ".join(
        f"{values[i]:.3g} gave {loss:.3f}"
        for (i,), loss in zip(game.tries, game.losses, strict=True)
    )
    described(
        ax,
        (
            f"{_title(game)}. {label(name).capitalize()} "
            f"{tried or f'from {values[0]:.3g} to {values[-1]:.3g}'}."
        ),
    )


def _draw_plane(game: Challenge, ax) -> None:
    (x, xs), (y, ys) = game.axes.items()
    ax = new_axes(ax, title=_title(game), x_label=label(x), y_label=label(y))
    ax.set(xscale="log" if _is_log(xs) else "linear", yscale="log" if _is_log(ys) else "linear")
    if game.n_left == 0:
        surface = ax.pcolormesh(
            xs, ys, game._losses.T, cmap="cividis", norm="log", shading="nearest"
        )
        bar = ax.figure.colorbar(surface, ax=ax, label="validation loss (nats): the truth")
        plain_ticks(bar.ax.yaxis)
    else:
        ax.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
    _draw_tries(
        game, ax, [xs[i] for i, _ in game.tries], [ys[j] for _, j in game.tries], above=game.losses
    )
    tried = ", ".join(
        f"{xs[i]:.3g} and {ys[j]:.3g} gave {loss:.3f}"
        for (i, j), loss in zip(game.tries, game.losses, strict=True)
    )
    described(
        ax,
        f"{_title(game)}. {label(x).capitalize()} and {label(y)}: {tried or 'nothing tried yet'}.",
    )


def _draw_tries(game: Challenge, ax, xs, ys, *, above) -> None:
    """Draw the tries with their numbers (on a plane with their losses), the incumbent as a star."""
    on_a_plane = len(game.axes) == 2
    box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8}
    ax.plot(
        xs, ys, "o", color=COLOURS[0], ms=6, markeredgecolor="white", clip_on=False, label="tries"
    )
    heights = _heights(ax, xs, ys)
    for i, (x, y, loss) in enumerate(zip(xs, ys, above, strict=True), 1):
        ax.annotate(
            f"{i}: {loss:.3f}" if on_a_plane else str(i),
            (x, y),
            (6 if on_a_plane else 0, heights[i - 1]),
            textcoords="offset points",
            size=9,
            ha="left" if on_a_plane else "center",
            bbox=box if on_a_plane else None,
            arrowprops={"arrowstyle": "-", "color": "0.5", "linewidth": 0.7, "shrinkB": 3},
        )
    if xs:
        incumbent = best(above)
        ax.plot(
            xs[incumbent],
            ys[incumbent],
            "*",
            color=COLOURS[2],
            ms=16,
            markeredgecolor="black",
            clip_on=False,
            label="incumbent",
            zorder=4,
        )
        ax.legend(loc="best", fontsize=8)


def _heights(ax, xs, ys) -> list[float]:
    """Return how far above its point each number stands, in points: near ones at other heights.

    Below its point, where that is near the upper edge.
    """
    heights, level, last = [0.0] * len(xs), 0, -math.inf
    places = in_axes(ax, list(zip(xs, ys, strict=True))) if len(xs) else np.empty((0, 2))
    for i in np.argsort(places[:, 0], kind="stable"):
        x, y = places[i]
        level = (level + 1) % len(LEVELS) if x - last < NEAR else 0
        heights[i], last = (LEVELS[level] if y < 0.7 else -LEVELS[level] - 7), x
    return heights


def _draw_comparison(game: Challenge, ax) -> None:
    """Draw the share of searches that ended at most so far above the lowest loss."""
    lowest, yours = game._losses.min(), min(game.losses)
    results = {"random": game.random_results(), "machine": game.machine_results()}
    shares = [
        f"Lower than {100 * (found > yours).mean():.0f} % of {name}, "
        f"level with {100 * (found == yours).mean():.0f} %"
        for name, found in results.items()
    ]
    ax = new_axes(
        ax,
        title="\n".join(shares),
        y_label="share at most this far off",
        x_label=f"best loss − lowest possible (nats; left end: {FLOOR:g} or less)",
    )
    ax.title.set_fontsize(10)
    texts, worst = [], max(found.max() for found in results.values()) - lowest
    for i, (name, found) in enumerate(results.items(), 1):
        gap = np.maximum(np.sort(found) - lowest, FLOOR)
        ax.step(
            [FLOOR, *gap, worst],
            [0, *np.arange(1, len(gap) + 1) / len(gap), 1],
            where="post",
            color=COLOURS[i],
            linestyle=("-", "--")[i - 1],
            label=f"{len(gap)} × {name}",
        )
        outcome = pairs(np.full(len(found), yours), found)
        texts.append(
            f"it beats {outcome.wins} of {len(found)} {name} searches and ties with {outcome.ties}"
        )
    ax.axvline(
        max(yours - lowest, FLOOR), color=COLOURS[0], linewidth=2, linestyle=":", label="this one"
    )
    ax.set_xscale("log")
    ax.set_ylim(0, 1.02)
    ax.legend(loc="lower right", fontsize=8)
    described(ax, f"Your best is {yours - lowest:.4f} above the lowest loss; {', '.join(texts)}.")
