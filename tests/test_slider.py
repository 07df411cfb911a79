"""The slider: what it draws first and on a move, what it says, and what it refuses."""

import base64

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure

from hpt_helpers.axes import described
from hpt_helpers.classroom.drawing.slider import Slider


@pytest.fixture
def drawn():
    return []


@pytest.fixture
def draw(drawn):
    def draw(value):
        drawn.append(value)
        ax = plt.figure(figsize=(1, 1)).add_subplot()
        ax.plot([0, value])
        return described(ax, f"A line to {value} < 9.")

    return draw


def test_it_draws_the_middle_value_or_the_one_to_start_at(draw, drawn):
    open_before = plt.get_fignums()
    Slider(draw, [1, 2, 3], label="end")
    Slider(draw, [1, 2, 3], label="end", start=3)
    assert drawn == [2, 3]
    assert plt.get_fignums() == open_before  # or each picture would be shown a second time


def test_a_move_draws_the_new_value_once_and_tells_it_to_screen_readers(draw, drawn):
    slider = Slider(draw, [1, 2, 3], label="end", start=1)
    control, image, words = slider.children
    before = bytes(image.value)
    control.index = 2
    assert (
        drawn == [1, 3]
        and bytes(image.value) != before
        and bytes(image.value).startswith(b"\x89PNG")
    )
    assert 'role="status"' in words.value and "A line to 3 &lt; 9." in words.value


def test_what_is_shown_is_one_output_with_the_first_picture_and_its_description(draw):
    slider = Slider(draw, [1, 2], label="end", start=1)
    first = bytes(slider.children[1].value)
    slider.children[0].index = 1
    bundle = slider._repr_mimebundle_()
    assert bundle["text/plain"] == repr(slider) == "Slider: end, here 1.\nA line to 1 < 9."
    assert base64.b64decode(bundle["image/png"]) == first


def test_a_float_is_labelled_short_and_drawn_in_full(draw, drawn):
    slider = Slider(draw, [1 / 3, 2 / 3], label="share", start=1 / 3)
    assert repr(slider).startswith("Slider: share, here 0.333.") and drawn == [1 / 3]


def test_a_drawing_may_return_the_figure():
    assert "Figure" in repr(Slider(lambda value: Figure(), [1], label="x"))


@pytest.mark.parametrize(
    ("options", "start", "message"), [([], None, "empty"), ([1, 2], 3, "start is 3; allowed are")]
)
def test_what_it_refuses(draw, options, start, message):
    with pytest.raises(ValueError, match=message):
        Slider(draw, options, label="end", start=start)
