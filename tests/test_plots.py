"""The plots: what each drew, that it reads in greyscale, and that it says what it shows."""

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from hpt_helpers import axes
from hpt_helpers.classroom.drawing import plots
from hpt_helpers.classroom.lab.statistics import SAME
from hpt_helpers.evidence import plots as own
from hpt_helpers.evidence.questions import early_order
from hpt_helpers.search_space import Real, SearchSpace

RNG = np.random.default_rng(0)
CURVES = np.exp(-RNG.uniform(0, 1, (20, 12)))
LRS = [1e-4, 1e-3, 1e-2]
# Two seeds of four configurations: means .85 .15 / .40 .35, accuracies .5 .9 / .9 .9.
GRID = pd.DataFrame(
    {
        "lr": [0.001, 0.01] * 4,
        "batch_size": [16, 16, 32, 32] * 2,
        "val_loss": [0.8, 0.1, 0.4, 0.3, 0.9, 0.2, 0.4, 0.4],
        "val_accuracy": [0.4, 0.8, 0.9, 1.0, 0.6, 1.0, 0.9, 0.8],
    }
)
# Medians: with 30 rows 1 → .5 reported and 1 → .8 worth, with 300 rows 1 → .7 and 1 → .75.
DIAL = pd.DataFrame(
    [
        (30, 1, 0.9, 1.0),
        (30, 1, 1.0, 1.1),
        (30, 1, 1.2, 0.9),
        (30, 27, 0.5, 0.8),
        (300, 1, 1.0, 1.0),
        (300, 27, 0.7, 0.75),
    ],
    columns=["n_val", "n_trials", "as_searched", "fresh"],
)
# 0.1 wins repeat 0 with .2 and has a mean of .5 in the others; 0.01 has .3 there and then .25.
TWO = pd.DataFrame(
    {
        "repeat": [0, 0, 1, 1, 2, 2],
        "lr": [0.1, 0.01] * 3,
        "val_loss": [0.2, 0.3, 0.4, 0.2, 0.6, 0.3],
    }
)
PAIRS = pd.DataFrame({"random": [0.3, 0.2, 0.5, 0.1], "grid": [0.4, 0.4, 0.4, 0.1]})
LUCK = pd.DataFrame(
    {"source": ["seed"] * 3 + ["rows"] * 4, "val_loss": [0.2, 0.1, 0.4, 0.1, 0.3, np.nan, 0.2]}
)
# A record of four configurations, each with a loss after 3 and after 9 epochs.
RECORD = pd.DataFrame(
    {
        "lr": [0.001, 0.002, 0.005, 0.01] * 2,
        "config": [{"lr": lr} for lr in (0.001, 0.002, 0.005, 0.01)] * 2,
        "n_epochs": [3] * 4 + [9] * 4,
        "val_loss": [0.9, 0.8, 0.6, 0.7, 0.5, 0.4, 0.2, 0.3],
        "status": "ok",
    }
)
# Twelve full trials whose loss is known everywhere.
KNOWN = pd.DataFrame({"lr": np.geomspace(0.001, 0.01, 12), "n_epochs": 9, "status": "ok"})
KNOWN["val_loss"] = 0.1 + np.log10(KNOWN["lr"] / 0.003) ** 2
KNOWN["config"] = [{"lr": lr} for lr in KNOWN["lr"]]
LR_SPACE = SearchSpace({"lr": Real(0.001, 0.01, log=True)})

# A small call of every plot function: the test below fails for one that is not here.
CALLS = {
    "learning_curves": lambda **o: plots.learning_curves(
        {"slow": CURVES[0], "fast": CURVES[1]}, **o
    ),
    "response": lambda **o: plots.response(GRID, by="batch_size", **o),
    "spread": lambda **o: plots.spread(LUCK, **o),
    "paired": lambda **o: plots.paired(PAIRS, "random", "grid", **o),
    "histogram": lambda **o: plots.histogram(LUCK["val_loss"], **o),
    "maps": lambda ax=None, **o: plots.maps(GRID, values=["val_loss"], axes=ax and [ax], **o),
    "lines": lambda title="Lines", **o: plots.lines(
        [1, 2],
        {"formula": [0.1, 0.2], "simulated": [0.3, 0.2]},
        x_label="trials",
        y_label="share",
        title=title,
        **o,
    ),
    "each_against": lambda ax=None, **o: plots.each_against(
        GRID, {"lr": Real(0.001, 0.01, log=True)}, "val_loss", axes=ax and [ax], **o
    ),
    "history": lambda **o: own.history(RECORD, **o),
    "record_response": lambda **o: own.response(KNOWN, LR_SPACE, "lr", **o),
    "parallel": lambda **o: own.parallel(RECORD, LR_SPACE, 2, **o),
    "early_and_late": lambda **o: own.early_and_late(RECORD, early_order(RECORD), **o),
    "reported_and_worth": lambda **o: plots.reported_and_worth(DIAL, **o),
    "losses_by_configuration": lambda **o: plots.losses_by_configuration(TWO, "lr", **o),
}


@pytest.fixture(autouse=True)
def no_figure_is_shown_or_left_open(monkeypatch):
    def shown(*args, **kwargs):
        pytest.fail("a plot function called show")

    monkeypatch.setattr(plt, "show", shown)
    monkeypatch.setattr(Figure, "show", shown)
    yield
    plt.close("all")


def luminance(colour):
    """Return how bright a colour is in greyscale, from 0 to 1 (ITU-R BT.709)."""
    return float(np.dot(to_rgb(colour), (0.2126, 0.7152, 0.0722)))


def style(line):
    """Return what tells a line from others without colour; matplotlib has no public way to a custom
    dash.
    """
    return line.get_marker(), line._unscaled_dash_pattern, line.get_linewidth()


def assert_told_apart_in_greyscale(lines):
    assert len({str(style(line)) for line in lines}) == len(lines)
    assert all(luminance(line.get_color()) < 0.75 for line in lines)  # and seen on white


def data(line):
    return [np.asarray(values).tolist() for values in line.get_data()]


def band(collection):
    """Return the lower and upper edge of a filled band: x -> (low, high)."""
    vertices = collection.get_paths()[0].vertices
    return {
        x: (vertices[vertices[:, 0] == x, 1].min(), vertices[vertices[:, 0] == x, 1].max())
        for x in vertices[:, 0]
    }


# --- all of them ----------------------------------------------------------------------------------


def test_every_plot_function_is_tested():
    public = {
        name
        for module in (plots, own)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }
    # `response` is one of two modules, of which CALLS has the second by another name
    assert public - {"ten_best"} == set(CALLS) - {"record_response"}  # which returns a table


@pytest.mark.parametrize("name", CALLS)
def test_it_draws_on_the_axes_given_and_returns_them(name):
    _, (given, other) = plt.subplots(1, 2)
    assert CALLS[name](ax=given) is given
    assert given.has_data() and not other.has_data()


@pytest.mark.parametrize("name", CALLS)
def test_it_makes_axes_of_its_own_when_none_are_given(name):
    before = plt.figure()
    ax = CALLS[name]()
    assert ax.figure is not before and ax.has_data() and not before.axes


@pytest.mark.parametrize("name", CALLS)
def test_it_has_a_title_two_labels_and_a_description(name):
    ax = CALLS[name](title="What was seen")
    parts = [*ax.figure.axes, *ax.child_axes]
    [shown] = [part.get_title() for part in parts if part.get_title()]
    assert shown.startswith("What was seen") and (
        shown == "What was seen" or name in ("maps", "each_against")
    )
    assert any(part.get_xlabel() for part in parts) and all(part.get_ylabel() for part in parts)
    own = CALLS[name]()
    assert any(part.get_title() for part in (own, *own.child_axes))
    assert (
        ax.alt_text.startswith("What was seen")
        and ax.alt_text.endswith(".")
        and len(ax.alt_text) > 40
    )
    assert "\n" not in ax.alt_text and "nan" not in ax.alt_text


@pytest.mark.parametrize("name", CALLS)
def test_it_can_be_drawn_without_a_warning(name):
    CALLS[name]().figure.canvas.draw()


@pytest.mark.parametrize("name", ["learning_curves", "response", "lines"])
def test_its_lines_are_told_apart_in_greyscale_and_named(name):
    ax = CALLS[name]()
    assert_told_apart_in_greyscale(ax.lines)
    assert len(ax.get_legend().get_texts()) == len(ax.lines) == 2


def test_six_lines_are_told_apart_in_greyscale():
    samples = {str(i): RNG.uniform(0, 1, 5) for i in range(6)}
    assert_told_apart_in_greyscale(plots.learning_curves(samples).lines)
    many = pd.DataFrame(
        {
            "lr": [1, 2, 3] * 6,
            "batch_size": np.repeat(range(6), 3),
            "val_loss": RNG.uniform(0, 1, 18),
        }
    )
    assert_told_apart_in_greyscale(plots.response(many, by="batch_size").lines)
    assert_told_apart_in_greyscale(
        plots.lines(range(5), samples, x_label="x", y_label="y", title="Lines").lines
    )


# --- each of them ---------------------------------------------------------------------------------


def test_learning_curves_by_name():
    ax = plots.learning_curves({"slow": CURVES[0], "fast": CURVES[1, :5]})
    assert [line.get_label() for line in ax.lines] == ["slow", "fast"]
    assert data(ax.lines[0]) == [list(range(1, 13)), CURVES[0].tolist()]
    assert data(ax.lines[1]) == [list(range(1, 6)), CURVES[1, :5].tolist()]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epochs", "validation loss (nats)")
    assert "slow, fast" in ax.alt_text


def test_many_learning_curves_are_grey_lines_and_some_are_bold():
    ax = plots.learning_curves(CURVES, mark=[3, 7])
    assert len(ax.lines) == 22 and ax.get_yscale() == "log"
    for line, curve in zip(ax.lines, [*CURVES, CURVES[3], CURVES[7]], strict=True):
        assert data(line) == [list(range(1, 13)), curve.tolist()]
    many, bold = ax.lines[:20], ax.lines[20:]
    assert max(line.get_linewidth() for line in many) < min(line.get_linewidth() for line in bold)
    assert_told_apart_in_greyscale(bold)
    assert all(luminance(line.get_color()) == pytest.approx(0.6) for line in many)
    assert "20 runs" in ax.alt_text


def test_a_response_has_a_line_for_each_group():
    ax = plots.response(GRID, by="batch_size")
    assert ax.get_xscale() == "log" and plots.response(GRID, log_x=False).get_xscale() == "linear"
    assert plots.response(GRID, "batch_size").get_xscale() == "linear"
    assert [line.get_label() for line in ax.lines] == ["batch size 16", "batch size 32"]
    for line, medians in zip(ax.lines, ([0.85, 0.15], [0.4, 0.35]), strict=True):
        assert data(line) == [[0.001, 0.01], pytest.approx(medians)]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "validation loss (nats)")
    assert ax.get_title() == "Validation loss by learning rate and batch size"
    assert (
        "16 has its lowest median, 0.150, at 0.01, batch size 32 has its lowest median, 0.350"
        in ax.alt_text
    )


def test_a_response_has_a_median_and_a_band():
    values = {1e-4: [1, 2, 3, 4, 5.0], 1e-3: [5, 6, 9, 8, 7], 1e-2: [3, 3, 3, 3, 3]}
    table = pd.DataFrame(
        [(lr, v) for lr, vs in values.items() for v in vs], columns=["lr", "val_accuracy"]
    )
    ax = plots.response(table, value="val_accuracy")
    assert data(ax.lines[0])[1] == [3, 7, 3] and ax.get_ylabel() == "validation accuracy"
    assert band(ax.collections[0])[1e-4] == (2, 4) and band(ax.collections[0])[1e-3] == (6, 8)


def test_the_steps_of_a_slider_have_one_logarithmic_axis_that_holds_all_of_them():
    later = GRID.assign(val_loss=GRID["val_loss"] / 10)
    steps = pd.concat([GRID.assign(epochs=10), later.assign(epochs=100)])
    axes = [plots.response(steps, by="batch_size", at={"epochs": epochs}) for epochs in (10, 100)]
    assert [ax.lines[1].get_ydata() for ax in axes] == [
        pytest.approx([0.4, 0.35]),
        pytest.approx([0.04, 0.035]),
    ]
    assert axes[0].get_ylim() == axes[1].get_ylim() and axes[0].get_yscale() == "log"
    low, high = axes[0].get_ylim()
    assert low < 0.0125 and high > 0.875  # the lowest and the highest quartile
    assert axes[1].get_title() == "Validation loss by learning rate and batch size, epochs 100"
    with pytest.raises(ValueError, match=r"at is {'epochs': 50}; table has no such rows"):
        plots.response(steps, at={"epochs": 50})


def test_a_response_is_quiet_where_every_training_diverged():
    table = pd.DataFrame({"lr": LRS * 2, "val_loss": [0.3, 0.2, np.nan, 0.3, np.nan, np.nan]})
    ax = plots.response(table)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0.3, 0.2, np.nan])
    assert "lowest median, 0.200, at 0.001" in ax.alt_text


def test_maps_average_the_seeds_mark_trials_and_ring_all_that_tie():
    left = plots.maps(GRID, mark=[{"lr": 0.001, "batch_size": 32}])
    right = next(ax for ax in left.figure.axes if ax.get_title() == "Validation error, mean of 2")
    assert left.get_title() == "Validation loss, mean of 2"
    for ax, means, ringed in (
        (left, [[0.85, 0.15], [0.4, 0.35]], {(0.01, 0)}),
        (right, [[0.5, 0.1], [0.1, 0.1]], {(0.01, 0), (0.001, 1), (0.01, 1)}),
    ):
        surface = ax.collections[0]
        np.testing.assert_allclose(surface.get_array().reshape(2, 2), means)
        rings = {tuple(np.ravel(data(line))) for line in ax.lines if line.get_marker() == "o"}
        crosses = [data(line) for line in ax.lines if line.get_marker() == "X"]
        assert rings == ringed and crosses == [[[0.001], [1]]]
        assert f"met in {len(ringed)} of 4 cells" in ax.alt_text and ax.get_xscale() == "log"
        assert [text.get_text() for text in ax.get_yticklabels()] == ["16", "32"]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("learning rate", "batch size")
        brightness = [luminance(surface.to_rgba(v)[:3]) for v in np.linspace(0.15, 0.45, 20)]
        assert (np.diff(brightness) > 0).all()  # darker is lower
    assert "lowest at 0.01 and 16" in left.alt_text
    # the colours of the loss follow its logarithm: halfway is the geometric mean
    assert left.collections[0].norm((0.15 * 0.85) ** 0.5) == pytest.approx(0.5)
    assert right.collections[0].norm(0.3) == pytest.approx(0.5)


def test_a_map_of_many_rows_labels_some_of_them():
    sizes = range(16, 65)
    table = pd.DataFrame({"lr": 0.1, "batch_size": sizes, "val_loss": np.linspace(0.1, 1, 49)})
    ax = plots.maps(pd.concat([table, table.assign(lr=0.2)]), values=["val_loss"])
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert 6 <= len(labels) <= 10
    assert labels == [str(16 + int(position)) for position in ax.get_yticks()]


def test_maps_leave_a_cell_empty_where_a_seed_diverged():
    table = GRID.assign(val_loss=[0.8, np.nan, *GRID["val_loss"][2:]])
    shown = np.ma.filled(
        plots.maps(table, values=["val_loss"]).collections[0].get_array(), np.nan
    ).reshape(2, 2)
    np.testing.assert_allclose(shown, [[0.85, np.nan], [0.4, 0.35]])


def test_a_spread_shows_every_value_its_quartiles_and_what_is_missing():
    ax = plots.spread(LUCK)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["seed\n(3)", "rows\n(3 of 4)"]
    assert (
        ax.get_title() == "Validation loss by source"
        and ax.get_xlabel() == "validation loss (nats)"
    )
    dots = [line for line in ax.lines if line.get_marker() == "o"]
    assert [data(line)[0] for line in dots] == [[0.2, 0.1, 0.4], [0.1, 0.3, 0.2]]
    for row, line in enumerate(dots):  # in the group's row, and none above another
        heights = data(line)[1]
        assert max(abs(np.array(heights) - row)) < 0.32 and len(set(heights)) == 3
    boxes, bars = ([line for line in ax.lines if len(line.get_xdata()) == n] for n in (5, 2))
    assert [sorted(set(data(box)[0])) for box in boxes] == [
        pytest.approx([0.15, 0.3]),
        pytest.approx([0.15, 0.25]),
    ]
    assert [data(bar)[0] for bar in bars] == [[0.2, 0.2], [0.2, 0.2]]
    assert "seed has median 0.2, middle half 0.15 to 0.3, 3 values" in ax.alt_text
    assert "rows has median 0.2, middle half 0.15 to 0.25, 3 of 4 values" in ax.alt_text


def test_a_spread_takes_other_columns_and_a_logarithmic_axis():
    ax = plots.spread(GRID, "val_loss", "lr", log=True)
    assert ax.get_xscale() == "log" and [t.get_text() for t in ax.get_yticklabels()] == [
        "0.001\n(4)",
        "0.01\n(4)",
    ]
    ax.figure.canvas.draw()
    assert {t.get_text() for t in ax.get_xticklabels()} >= {"0.1", "0.2", "0.5"}


def test_a_spread_of_a_group_without_values_is_quiet():
    ax = plots.spread(LUCK.assign(val_loss=[np.nan] * 3 + [0.1] * 4))
    ax.figure.canvas.draw()
    assert [t.get_text() for t in ax.get_yticklabels()] == ["seed\n(0 of 3)", "rows\n(4)"]


def test_pairs_are_differences_with_their_mean_and_interval():
    """By hand: differences −.1, −.2, .1, 0 have mean −.05, standard error .0645; Student's t for 3
    is 3.182.
    """
    ax = plots.paired(PAIRS, "random", "grid")
    dots = {
        line.get_label(): data(line) for line in ax.lines if line.get_marker() in ("o", "^", "D")
    }
    assert dots == {
        "random lower in 2 of 4": [pytest.approx([-0.2, -0.1]), [0, 1]],
        "equal in 1 of 4": [pytest.approx([0]), [2]],
        "grid lower in 1 of 4": [pytest.approx([0.1]), [3]],
    }
    (interval,) = ax.containers
    assert interval[0].get_xdata() == pytest.approx([-0.05])
    ends = np.array([path.vertices[:, 0] for path in interval[2][0].get_paths()])
    assert ends.ravel() == pytest.approx(
        [-0.05 - 3.182 * 0.06455, -0.05 + 3.182 * 0.06455], abs=1e-4
    )
    assert (
        ax.get_xlabel() == "random − grid (nats)"
        and ax.get_title() == "Random against grid, 4 repeats in pairs"
    )
    assert (
        "mean -0.050, 95 % interval -0.255 to 0.155" in ax.alt_text
        and "random lower in 2 of 4" in ax.alt_text
    )


def test_pairs_and_lowest_cells_tie_by_the_laboratorys_rule():
    gaps = np.array([0, 0.9, -0.9, 3, -3]) * SAME
    text = plots.paired(pd.DataFrame({"a": 1 + gaps, "b": 1.0}), "a", "b").alt_text
    assert "a lower in 1 of 5, b lower in 1 of 5, equal in 3 of 5" in text
    cells = pd.DataFrame({"lr": [0.1, 0.2, 0.3], "batch_size": 8, "val_loss": 1 + gaps[[0, 1, 3]]})
    assert "met in 2 of 3 cells" in plots.maps(cells, values=["val_loss"]).alt_text


def test_pairs_leave_out_a_repeat_that_has_one_of_the_two():
    ax = plots.paired(PAIRS.assign(grid=[0.4, np.nan, 0.4, 0.1]), "random", "grid", unit="")
    assert "random lower in 1 of 3" in ax.alt_text and ax.get_xlabel() == "random − grid"


@pytest.mark.parametrize(
    ("values", "centres", "counts"),
    [
        (np.array([24, 26, 26, 26, 27, 29]) / 30, np.arange(24, 30) / 30, [1, 0, 3, 1, 0, 1]),
        # percentage points of 30 rows, rounded to a decimal
        ([-3.3, 0, 3.3, 3.3, 6.7, 10], np.arange(-1, 4) * 10 / 3, [1, 1, 2, 1, 1]),
        # of 100 steps two in each bar: 0 and 1, 2 and 3, ...
        (np.arange(101), np.arange(51) * 2 + 0.5, [2] * 50 + [1]),
    ],
)
def test_the_bars_of_a_histogram_follow_the_steps_of_a_score(values, centres, counts):
    ax = plots.histogram(values, 0.5)
    found = [patch.get_x() + patch.get_width() / 2 for patch in ax.patches]
    assert found == pytest.approx(centres, abs=0.04)
    assert [patch.get_height() for patch in ax.patches] == counts


def test_a_histogram_counts_and_compares():
    values = pd.Series([0.12, 0.31, 0.33, 0.90, np.nan], name="val_loss")
    ax = plots.histogram(values, reference=0.32)
    assert sum(patch.get_height() for patch in ax.patches) == 4
    assert ax.lines[0].get_xdata() == pytest.approx([0.415] * 2) and ax.lines[1].get_xdata() == [
        0.32,
        0.32,
    ]
    assert (ax.get_xlabel(), ax.get_title()) == ("validation loss (nats)", "Validation loss")
    assert "4 values from 0.12 to 0.9, mean 0.415, 2 of them above 0.32" in ax.alt_text


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.spread(LUCK, "loss"),
        lambda: plots.paired(PAIRS, "random", "sobol"),
        lambda: plots.response(GRID, by="hidden_size"),
        lambda: plots.maps(GRID, y="epochs"),
        lambda: plots.reported_and_worth(DIAL, worth="sobol"),
        lambda: plots.losses_by_configuration(TWO, "epochs"),
    ],
)
def test_a_column_that_is_not_there_is_named(call):
    with pytest.raises(
        ValueError, match=r"table lacks the columns \['(loss|sobol|hidden_size|epochs)'\]; it has"
    ):
        call()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(TypeError, match="table is a dict; a DataFrame is needed"):
        plots.paired({"a": [1, 2], "b": [1, 2]}, "a", "b")
    with pytest.raises(ValueError, match="table has 1 rows with both"):
        plots.paired(PAIRS[:1], "random", "grid")
    with pytest.raises(ValueError, match="no number"):
        plots.histogram([np.nan])


def test_lines_are_drawn_against_x():
    ax = plots.lines(
        [1, 2, 4], {"a": [0.1, 0.3, 0.2]}, x_label="trials", y_label="share", title="Hits"
    )
    assert data(ax.lines[0]) == [[1, 2, 4], [0.1, 0.3, 0.2]] and ax.lines[0].get_label() == "a"
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("trials", "share", "Hits")
    assert "a goes from 0.1 to 0.2" in ax.alt_text


@pytest.mark.parametrize("share", [0.01, 0.2])
def test_probabilities_have_the_same_axis_whatever_they_are(share):
    labels = {"x_label": "trials", "y_label": "probability", "title": "Hits"}
    ax = plots.lines([1, 2], {"a": [share, 2 * share]}, **labels, from_0_to_1=True)
    assert ax.get_ylim() == (0, 1.02)


def test_a_logarithmic_axis_has_fewer_labels_the_more_powers_of_ten_it_spans():
    few, more, many = (
        plots.spread(pd.DataFrame({"g": ["a"] * 2, "v": [0.1, top]}), log=True)
        for top in (5, 50, 500)
    )
    for ax, labels in (
        (few, ["0.1", "0.2", "0.5", "1", "2", "5"]),
        (more, ["0.1", "0.3", "1", "3", "10", "30"]),
        (many, ["0.1", "1", "10", "100"]),
    ):
        ax.figure.canvas.draw()
        low, high = ax.get_xlim()
        ticks = zip(ax.get_xticks(), ax.get_xticklabels(), strict=True)
        assert [text.get_text() for place, text in ticks if low <= place <= high] == labels


def test_a_records_response_has_the_mean_of_a_model_or_says_that_it_knows_too_little():
    ax = own.response(KNOWN, LR_SPACE, "lr")
    x, y = ax.lines[1].get_data()
    truth = 0.1 + np.log10(x / 0.003) ** 2
    assert np.abs(np.log(y / truth)).max() < 0.05 and "lowest at 0.00299" in ax.alt_text
    luck = KNOWN.assign(val_loss=np.random.default_rng(0).uniform(1, 2, 12))
    ax = own.response(luck, LR_SPACE, "lr")
    assert len(ax.lines) == 1 and "too little for a line" in ax.get_title()
    with pytest.raises(ValueError, match="name is 'speed'; the space has lr"):
        own.response(KNOWN, LR_SPACE, "speed")


def test_each_hyperparameter_has_a_panel_with_medians_of_tenths_and_its_share():
    table = pd.DataFrame({"lr": np.geomspace(1e-4, 1e-2, 100), "beta1": np.tile([0.5, 0.9], 50)})
    table["fresh"] = table["lr"] * 1000
    space = {"lr": Real(1e-4, 1e-2, log=True), "beta1": Real(0.5, 0.9)}
    axes = plots.each_against(table, space, shares={"lr": 1.0, "beta1": 0.0}).figure.axes
    assert [ax.get_title() for ax in axes] == ["learning rate: 1.00", "beta1: 0.00"]
    assert [ax.get_xscale() for ax in axes] == ["log", "linear"]
    assert data(axes[0].lines[0]) == [table["lr"].to_list(), table["fresh"].to_list()]
    tenths = [table["fresh"][i : i + 10].median() for i in range(0, 100, 10)]
    assert data(axes[0].lines[1])[1] == pytest.approx(tenths)


# --- the central figure ---------------------------------------------------------------------------


def test_what_is_reported_is_solid_and_what_it_is_worth_is_dashed():
    ax = plots.reported_and_worth(DIAL)
    solid = [data(line) for line in ax.lines if line.get_linestyle() == "-"]
    dashed = [data(line) for line in ax.lines if line.get_linestyle() == "--"]
    assert solid == [[[1, 27], [1.0, 0.5]], [[1, 27], [1.0, 0.7]]]
    assert dashed == [[[1, 27], [1.0, 0.8]], [[1, 27], [1.0, 0.75]]]
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert_told_apart_in_greyscale(ax.lines)
    # a colour and a marker for each number of rows
    assert [(line.get_color(), line.get_marker()) for line in ax.lines[::2]] == [
        (line.get_color(), line.get_marker()) for line in ax.lines[1::2]
    ]
    assert {text.get_text(): text.xy[1] for text in ax.texts} == {
        "30 rows, reported": 0.5,
        "30 rows, worth": 0.8,
        "300 rows, reported": 0.7,
        "300 rows, worth": 0.75,
    }
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "27"]
    assert (
        "with 30 validation rows, from 1 to 27 trials, the reported loss goes from 1.000 to 0.500 "
        "and the winner's from 1.000 to 0.800" in ax.alt_text
    )


def test_labels_at_the_ends_of_lines_do_not_overlap():
    near = DIAL.assign(fresh=DIAL["as_searched"] * 1.001)
    ax = plots.reported_and_worth(pd.concat([near, near.assign(n_val=2000)]))
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 6
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]


@pytest.mark.parametrize(
    ("places", "moved"),
    [
        ([0, 3, 6], [0, 3, 6]),
        ([1, 1], [0.5, 1.5]),
        ([0, 0.9, 1.8], [-0.1, 0.9, 1.9]),
        ([0, 0, 1.2], [-0.6, 0.4, 1.4]),  # moved apart, the first two reach the third
        ([], []),
    ],
)
def test_what_is_too_near_is_moved_apart_around_where_it_was(places, moved):
    assert axes.spaced(places, 1) == pytest.approx(moved)


# --- the losses of configurations -----------------------------------------------------------------


def test_a_winner_is_ringed_beside_what_it_is_worth_in_the_other_repeats():
    ax = plots.losses_by_configuration(TWO, "lr")
    lines = {line.get_label(): data(line) for line in ax.lines}
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "learning rate 0.01",  # the lowest fresh loss
        "learning rate 0.1",
    ]
    assert lines["this search"] == [[0.3, 0.2], [0, 1]]
    assert lines["fresh: mean of the others"] == [[0.25, 0.5], [0, 1]]
    assert lines["its winner"] == [[0.2], [1]]
    assert lines["other repeats"][0] == [0.2, 0.3]
    assert "the winner of one search is learning rate 0.1, with 0.200 as searched" in ax.alt_text
    assert "0.500 in the other repeats; the lowest there is learning rate 0.01" in ax.alt_text


def test_another_repeat_has_another_winner_and_several_columns_name_a_configuration():
    table = TWO.assign(batch_size=16).rename(columns={"repeat": "seed"})
    ax = plots.losses_by_configuration(table, ["lr", "batch_size"], repeat="seed", shown=2)
    assert "winner of one search is learning rate 0.01, batch size 16, with 0.300" in ax.alt_text


def test_a_configuration_that_diverged_has_no_mean_and_stands_at_the_bottom():
    ax = plots.losses_by_configuration(TWO.assign(val_loss=[0.2, 0.3, 0.4, np.nan, 0.6, 0.3]), "lr")
    ax.figure.canvas.draw()
    assert [t.get_text()[-4:] for t in ax.get_yticklabels()] == [" 0.1", "0.01"]


@pytest.mark.parametrize(("table", "shown"), [(TWO, 7), (TWO[:2], None)])
def test_a_repeat_that_is_not_there_or_has_no_others_is_refused(table, shown):
    with pytest.raises(ValueError, match="it has to be one of two or more"):
        plots.losses_by_configuration(table, "lr", shown=shown)
