"""The challenge: what it answers, how it is played live, what it compares with, and how it is
stored.
"""

import base64

import matplotlib.pyplot as plt
import numpy as np
import pytest

from hpt_helpers.classroom.drawing.challenge import N_MACHINES, N_RANDOM, Challenge
from hpt_helpers.classroom.lab.landscape import Landscape

LRS = np.geomspace(1e-4, 0.1, 31).tolist()
BATCHES = [8, 16, 32, 64]


def valley(configs):
    """Return a landscape of two seeds and two epochs, lowest at a learning rate of 0.01 and batches
    of 16.
    """
    losses = np.array(
        [0.1 + np.log10(c["lr"] / 0.01) ** 2 + (c["batch_size"] - 16) ** 2 / 1000 for c in configs]
    )
    values = np.stack(
        [
            np.stack([losses + 5, losses - 0.05], axis=1),
            np.stack([losses + 5, losses + 0.05], axis=1),
        ],
        1,
    )
    return Landscape(configs, [0, 1], values, np.ones_like(values))


CURVE = valley([{"lr": lr, "batch_size": 16} for lr in LRS])
PLANE = valley([{"lr": lr, "batch_size": size} for lr in LRS for size in BATCHES])


def test_a_try_is_answered_with_the_mean_loss_at_the_last_epoch_of_the_nearest_configuration():
    challenge = Challenge(CURVE)
    assert challenge.submit({"lr": LRS[3]}) == pytest.approx(0.1 + np.log10(LRS[3] / 0.01) ** 2)
    between = (LRS[4] * LRS[5]) ** 0.5
    assert challenge.submit({"lr": between * 1.01}) == pytest.approx(
        0.1 + np.log10(LRS[5] / 0.01) ** 2
    )
    assert challenge.losses == pytest.approx([0.1 + np.log10(LRS[i] / 0.01) ** 2 for i in (3, 5)])
    assert challenge.n_left == 8


def test_a_plane_is_answered_by_both_hyperparameters():
    challenge = Challenge(PLANE)
    assert challenge.submit({"batch_size": 32, "lr": 0.01}) == pytest.approx(0.1 + 0.256)
    assert "0.01 and 32 gave 0.356" in repr(challenge)


def test_the_button_tries_what_the_sliders_show():
    challenge = Challenge(PLANE, budget=4)
    controls, image, _ = challenge.children
    *sliders, button = controls.children
    before = bytes(image.value)
    for slider, value in zip(sliders, (LRS[20], 8), strict=True):
        slider.value = value
    button.click()
    assert challenge.losses == pytest.approx([0.1 + np.log10(LRS[20] / 0.01) ** 2 + 0.064])
    assert bytes(image.value) != before
    for lr in LRS[:3]:
        assert not button.disabled
        sliders[0].value = lr
        button.click()
    assert button.disabled and challenge.n_left == 0


def test_a_drag_sends_one_value_and_a_double_click_costs_one_try(monkeypatch):
    challenge = Challenge(CURVE)
    *sliders, button = challenge.children[0].children
    assert not any(slider.continuous_update for slider in sliders)
    off_while_drawing, board = [], challenge.board
    monkeypatch.setattr(
        challenge, "board", lambda: off_while_drawing.append(button.disabled) or board()
    )
    button.click()
    button.click()
    assert challenge.n_left == 9 and off_while_drawing == [True] and not button.disabled
    assert challenge.submit({"lr": LRS[15]}) == challenge.losses[0]  # by hand, too
    assert challenge.n_left == 9


def test_each_number_has_a_line_to_its_point_and_none_overlap():
    challenge = Challenge(CURVE)
    for lr in LRS[10:14]:
        challenge.submit({"lr": lr})
    ax = challenge.board()
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert [text.get_text() for text in ax.texts] == ["1", "2", "3", "4"]
    assert all(text.arrow_patch is not None for text in ax.texts)
    assert [text.xy[0] for text in ax.texts] == LRS[10:14]
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    plt.close(ax.figure)


def test_a_budget_that_is_used_up_stays_so():
    challenge = Challenge(CURVE, budget=4)
    for lr in LRS[:4]:
        challenge.submit({"lr": lr})
    with pytest.raises(ValueError, match="budget of 4 tries is used up"):
        challenge.submit({"lr": LRS[5]})
    assert len(challenge.losses) == 4


@pytest.mark.parametrize(
    ("config", "message"),
    [({"lr": 0.2}, "lr is 0.2; 0.0001 to 0.1"), ({"batch_size": 16}, "has no 'lr'")],
)
def test_an_impossible_try_costs_nothing(config, message):
    challenge = Challenge(CURVE)
    with pytest.raises(ValueError, match=message):
        challenge.submit(config)
    assert challenge.n_left == 10


def test_the_truth_is_hidden_until_the_last_try():
    challenge = Challenge(CURVE, budget=4)
    for i, lr in enumerate(LRS[:4]):
        figure = challenge.board().figure
        drawn = [line.get_label() for ax in figure.axes for line in ax.lines]
        assert "the truth" not in drawn and len(figure.axes) == 1
        plt.close(figure)
        assert f"{i} of 4 tries" in repr(challenge)
        challenge.submit({"lr": lr})
    figure = challenge.board().figure
    [truth] = [line for line in figure.axes[0].lines if line.get_label() == "the truth"]
    assert truth.get_ydata() == pytest.approx(CURVE.val_loss[:, :, -1].mean(axis=1))
    plt.close(figure)


def test_the_comparison_says_how_many_are_beaten():
    challenge = Challenge(CURVE, budget=4)
    for lr in (0.01, LRS[0], LRS[1], LRS[2]):
        challenge.submit({"lr": lr})
    # 0.01 is the lowest of all, so whoever is not beaten is level
    n_random = sum(challenge.random_results() > 0.1 + 1e-12)
    n_machines = sum(challenge.machine_results() > 0.1 + 1e-12)
    for n, of, name in ((n_random, N_RANDOM, "random"), (n_machines, N_MACHINES, "machine")):
        assert f"beats {n} of {of} {name} searches and ties with {of - n}" in repr(challenge)
    assert 0 < n_random < N_RANDOM and 0 < n_machines < N_MACHINES
    figure = challenge.board().figure
    share = f"{100 * n_random / N_RANDOM:.0f} % of random"
    level = f"{100 - 100 * n_random / N_RANDOM:.0f} %"
    random, machine = figure.axes[1].get_title().split("\n")
    assert random == f"Lower than {share}, level with {level}"
    share, level = f"{5 * n_machines} % of machine", f"{100 - 5 * n_machines} %"
    assert machine == f"Lower than {share}, level with {level}"
    plt.close(figure)


def test_random_results_are_those_of_draws_without_replacement():
    found = Challenge(CURVE, budget=10).random_results()
    losses = np.sort(CURVE.val_loss[:, :, -1].mean(axis=1))
    # P(the lowest of 31 is among 10 different draws) = 10 / 31
    share = np.isclose(found, losses[0]).mean()
    assert len(found) == 200 and share == pytest.approx(
        10 / 31, abs=3 * (10 / 31 * 21 / 31 / 200) ** 0.5
    )
    assert Challenge(CURVE, budget=31).random_results() == pytest.approx([losses[0]] * 200)


def test_the_machine_starts_from_the_random_searches_first_three_and_learns():
    challenge = Challenge(CURVE, budget=10)
    machine, random = challenge.machine_results(), challenge.random_results()[:20]
    assert len(machine) == 20 and (machine <= random).mean() > 0.9
    assert np.isclose(machine, 0.1).mean() > 0.5


def test_what_is_stored_is_the_board_and_its_words():
    open_before = plt.get_fignums()
    challenge = Challenge(CURVE, budget=4)
    challenge.submit({"lr": 0.01})
    bundle = challenge._repr_mimebundle_()
    assert bundle["text/plain"] == repr(challenge)
    assert (
        repr(challenge)
        == "Challenge: 1 of 4 tries, best loss 0.1000. Learning rate 0.01 gave 0.100."
    )
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert 'role="status"' in challenge.children[2].value
    assert plt.get_fignums() == open_before


THREE = valley(
    [{"lr": lr, "batch_size": b, "hidden_size": h} for lr in LRS for b in (8, 16) for h in (4, 8)]
)
HOLES = valley(PLANE.configs[:-1])


@pytest.mark.parametrize(
    ("landscape", "budget", "message"),
    [
        (THREE, 10, "3 hyperparameters vary"),
        (HOLES, 10, "not a full grid"),
        (CURVE, 3, "budget is 3; 4 to 31"),
        (CURVE, 32, "budget is 32"),
        (
            Landscape(CURVE.configs, [0, 1], CURVE.val_loss * np.nan, CURVE.val_accuracy),
            10,
            "diverged",
        ),
    ],
)
def test_what_it_refuses(landscape, budget, message):
    with pytest.raises(ValueError, match=message):
        Challenge(landscape, budget)
