"""The drawings of ideas say and show what the objects they are made from hold."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from hpt_helpers.classroom.drawing import diagrams
from hpt_helpers.data import load_splits
from hpt_helpers.model import SimpleNN
from hpt_helpers.strategies import grid_search

IRIS = load_splits("iris")
CONFIGS = [
    {"lr": lr, "batch_size": 16, "epochs": epochs} for lr in (0.01, 0.001) for epochs in (50, 100)
]
CALLS = {
    "rows": lambda **o: diagrams.rows(IRIS, **o),
    "network": lambda **o: diagrams.network({"hidden_size": 8}, IRIS, **o),
    "search_loop": lambda **o: diagrams.search_loop(grid_search(CONFIGS), **o),
}


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(ax):
    return [text.get_text() for text in ax.texts]


def dots(ax, marker):
    return sum(len(line.get_xdata()) for line in ax.lines if line.get_marker() == marker)


@pytest.mark.parametrize("name", CALLS)
def test_a_diagram_draws_on_the_axes_given_has_a_title_and_a_description(name):
    _, (given, other) = plt.subplots(1, 2)
    ax = CALLS[name](ax=given, title="An idea")
    assert ax is given and not other.has_data() and ax.get_title() == "An idea"
    assert ax.alt_text.startswith("An idea: ") and ax.alt_text.endswith(".")
    ax.figure.canvas.draw()


@pytest.mark.parametrize("name", CALLS)
def test_texts_stand_inside_the_picture_and_do_not_overlap(name):
    ax = CALLS[name]()
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    assert all(ax.figure.bbox.x0 <= box.x0 and box.x1 <= ax.figure.bbox.x1 for box in boxes)
    assert not [
        (i, j) for i, a in enumerate(boxes) for j, b in enumerate(boxes[:i]) if a.overlaps(b)
    ]


# --- rows -----------------------------------------------------------------------------------------


def test_every_training_and_validation_row_is_a_dot_of_its_class_and_no_test_row_is():
    ax = diagrams.rows(IRIS)
    counts = np.bincount(IRIS.y_train) + np.bincount(IRIS.y_val)
    assert [dots(ax, marker) for marker in ("s", "^")] == counts[1:].tolist()
    assert dots(ax, "o") == counts[0] + 1  # and the padlock's keyhole
    assert {"training: 90 rows", "validation: 30 rows", "test: 30 rows"} <= set(texts(ax))
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [
        "setosa",
        "versicolor",
        "virginica",
    ]
    assert "90 training rows" in ax.alt_text and "30 test rows, behind a padlock" in ax.alt_text


def test_of_a_large_data_set_a_dot_stands_for_several_rows():
    splits = load_splits("digits")
    ax = diagrams.rows(splits)
    # 1077 and 360 rows, nine a dot
    assert dots(ax, "o") == 120 + 40 + 1 and ax.get_legend() is None
    assert "A dot stands for 9 rows." in ax.alt_text and "1077 training rows" in ax.alt_text


# --- network --------------------------------------------------------------------------------------


def test_a_small_network_has_every_unit_and_every_weight():
    model = SimpleNN(4, 3, 5, generator=torch.Generator().manual_seed(0))
    ax = diagrams.network(model, IRIS)
    weights = torch.cat([model.hidden.weight.ravel(), model.output.weight.ravel()]).detach()
    lines = [line for line in ax.lines if line.get_marker() in ("None", None, "")]
    assert dots(ax, "o") == 4 + 5 + 3 and len(lines) == len(weights) == 4 * 5 + 5 * 3
    dashed = [line.get_linestyle() == "--" for line in lines]
    assert sum(dashed) == int((weights < 0).sum())
    widest = max(lines[:20], key=lambda line: line.get_linewidth())  # of the first layer
    assert np.isclose(widest.get_linewidth(), 2.4)
    n_parameters = sum(p.numel() for p in model.parameters())
    assert (
        f"{n_parameters} weights and biases" in ax.alt_text
        and "dashed ones negative" in ax.alt_text
    )


@pytest.mark.parametrize(
    ("config", "hidden"), [({"hidden_size": 32, "lr": 0.1}, 32), ({"lr": 0.1}, 16)]
)
def test_a_configuration_is_drawn_by_its_hidden_size_and_of_many_units_six_are(config, hidden):
    ax = diagrams.network(config, IRIS)
    assert dots(ax, "o") == 4 + 6 + 3 and texts(ax).count("⋮") == 1
    assert {"4 features", f"{hidden} hidden units", "3 classes", "setosa"} <= set(texts(ax))
    assert f"{hidden * 5 + 3 * (hidden + 1)} weights and biases" in ax.alt_text


# --- search loop ----------------------------------------------------------------------------------


def test_the_search_loop_shows_the_strategys_name_and_its_first_requests():
    ax = diagrams.search_loop(grid_search(CONFIGS))
    assert "grid search" in texts(ax)
    cells = {place: cell.get_text().get_text() for place, cell in ax.tables[0].get_celld().items()}
    table = [[cells[row, column] for column in range(5)] for row in range(4)]
    assert table == [
        ["trial", "learning rate", "batch size", "epochs", "loss"],
        ["0", "0.01", "16", "50", "…"],
        ["1", "0.01", "16", "100", "…"],
        ["2", "0.001", "16", "50", "…"],
    ]
    assert "first request is learning rate 0.01, batch size 16, epochs 50" in ax.alt_text


def test_the_search_loop_can_be_drawn_of_a_name():
    ax = diagrams.search_loop("any strategy")
    assert "any strategy" in texts(ax) and "first request" not in ax.alt_text


# --- grid and random ------------------------------------------------------------------------------


def test_a_grid_has_few_different_values_and_random_points_have_many():
    left = diagrams.grid_and_random()
    _, right = left.figure.axes[:2]
    for ax, name, n in ((left, "Grid", 3), (right, "Random", 9)):
        points = {
            tuple(np.ravel(line.get_data())) for line in ax.lines if line.get_marker() in ("o", "D")
        }
        assert len(points) == 9 and len({x for x, _ in points}) == n
        assert all(0 <= value <= 1 for point in points for value in point)
        assert (
            ax.alt_text.startswith(f"{name}: 9 points") and f"{n} different values" in ax.alt_text
        )
        (above,) = ax.child_axes
        assert above.get_title() == f"{name}: 9 trials, {n} different values"
        heights = {line.get_xdata()[0]: line.get_ydata()[0] for line in above.lines[1:]}
        assert set(heights) == {x for x, _ in points}  # each is read where its point is
        marked = {line.get_xdata()[0] for line in above.lines[1:] if line.get_marker() == "D"}
        assert marked == {min(heights, key=heights.get)}


def test_another_seed_is_another_draw():
    one, same, other = (diagrams.grid_and_random(seed=s).figure.axes[1].alt_text for s in (0, 0, 1))
    assert one == same != other
