"""A slider whose picture is one output: live in JupyterLab, and a stored PNG everywhere else.

`interact` and `Output` widgets fail the strict comparison of notebooks: nbval neither routes output
into widgets nor acts on clear_output. Here the callback only replaces the bytes of an Image widget.
What is stored holds the first picture as image/png, which viewers without widgets show, and its
description as text/plain, which nbval compares.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence

import ipywidgets

from hpt_helpers.axes import figure_text


class Slider(ipywidgets.VBox):
    """A slider under which draw(value) is shown. A cell ends in it.

    Keys: Tab to it, then the arrows, and Home and End to its ends.

    draw: returns the Axes (or Figure) for a value; it draws, and prints nothing. options: the
    values. label: what they are. start: the first to be shown, by default the middle one. Raises
    ValueError when options is empty or start is not among them.
    """

    def __init__(self, draw: Callable, options: Sequence, *, label: str, start=None):
        options = list(options)
        if not options:
            raise ValueError("options is empty; a slider needs at least one value")
        start = options[len(options) // 2] if start is None else start
        if start not in options:
            raise ValueError(f"start is {start!r}; allowed are {options}")
        self._draw = draw
        # One option is one text: a float's full digits would be longer than the slider.
        texts = [f"{value:.3g}" if isinstance(value, float) else str(value) for value in options]
        self._slider = ipywidgets.SelectionSlider(
            options=list(zip(texts, options, strict=True)),
            value=start,
            description=label,
            continuous_update=False,
            style={"description_width": "initial"},
            layout={"width": "420px"},
        )
        png, self._text = self._picture(start)
        self._image = ipywidgets.Image(format="png", value=png, layout={"max_width": "100%"})
        self._words = ipywidgets.HTML(hidden(self._text))
        self._stored = f"Slider: {label}, here {texts[options.index(start)]}.\n{self._text}", png
        self._slider.observe(self._redraw, names="value")
        super().__init__(
            [self._slider, self._image, self._words], layout={"align_items": "flex-start"}
        )

    def _picture(self, value) -> tuple[bytes, str]:
        import matplotlib.pyplot as plt

        drawn = self._draw(value)
        figure = getattr(drawn, "figure", drawn)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=100)
        plt.close(figure)  # or the inline backend would show it a second time, below
        return buffer.getvalue(), figure_text(figure)

    def _redraw(self, change) -> None:
        self._image.value, text = self._picture(change["new"])
        self._words.value = hidden(text)

    def __repr__(self) -> str:
        return self._stored[0]

    def _repr_mimebundle_(self, **kwargs) -> dict:
        text, png = self._stored
        bundle = super()._repr_mimebundle_(**kwargs) or {}  # None where a widget has no view
        return {
            **bundle,
            "text/plain": text,
            "image/png": base64.b64encode(png).decode(),
        }


def hidden(text: str) -> str:
    """Return the text as HTML that nobody sees and screen readers read at each change.

    An Image widget has no alternative text of its own.
    """
    style = "position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)"
    return f'<span role="status" style="{style}">{html.escape(text)}</span>'
