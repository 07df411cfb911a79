"""Lesson 5's pictures, its decision guide and the capstone's leaderboard."""

import json
import re
from pathlib import Path

import jupytext
import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom.lesson_05 import capstone, figures
from hpt_helpers.classroom.lesson_05.guide import GUIDE, as_text
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search
from hpt_helpers.training import fit
from hpt_helpers.training_objective import TrainingObjective

SOURCES = Path(__file__).resolve().parents[4] / "notebooks" / "source"
LINE = {"epochs": 1000, "val_loss": 0.08, "beaten_by": 12, "fresh": 0.09}


def headings(lesson):
    cells = jupytext.read(SOURCES / f"{lesson}.py", fmt="py:percent").cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    return re.findall(r"^#+ (.+)$", text, re.M)


@pytest.mark.parametrize("branch", GUIDE, ids=lambda branch: branch.advice.replace("\n", " "))
def test_each_branch_of_the_guide_leads_to_a_heading_that_is_there(branch):
    assert branch.pays or branch.fails
    for lesson, heading in (*branch.pays, *branch.fails):
        assert heading in headings(lesson)


def test_the_lesson_has_the_guide_as_text():
    lesson = jupytext.read(SOURCES / "05_bake_off.py", fmt="py:percent")
    words = " ".join(
        " ".join(cell.source for cell in lesson.cells if cell.cell_type == "markdown").split()
    )
    assert " ".join(as_text().split()) in words


def test_the_guide_is_drawn_with_all_its_branches():
    alt = figures.guide().alt_text
    assert all(branch.advice.replace("\n", " ") in alt for branch in GUIDE)


def test_a_race_is_drawn_by_its_medians():
    rows = [
        ("here", "a", r, spent, loss)
        for r in (0, 1, 2)
        for spent, loss in ((0.3, 0.5 + r), (1, 0.9), (2, 0.2 + r))
    ]
    rows += [("here", "b", r, 1, 0.4) for r in (0, 1, 2)]
    rows += [("there", "a", 0, 1, 0.7)]
    columns = ["world", "search", "repeat", "trainings", "val_loss"]
    first = figures.incumbents(pd.DataFrame(rows, columns=columns))
    here, there = (ax.alt_text for ax in first.figure.axes)
    # the lowest of each repeat: 0.2, 0.9, 0.9
    assert "a ends at 0.900" in here and "b ends at 0.400" in here
    assert there.startswith("there: ") and "a ends at 0.700" in there


def test_verdicts_are_described_with_their_intervals():
    rows = [
        ("here", "a", "as searched", 0.5, 0.4, 0.6, 9, 10),
        ("here", "a", "fresh", 1.5, 1.2, 1.9, 2, 10),
    ]
    columns = ["world", "search", "verdict", "ratio", "low", "high", "wins", "of"]
    text = figures.verdicts(pd.DataFrame(rows, columns=columns)).alt_text
    assert "a 0.50 as searched and lower in 9 of 10" in text
    assert "1.50 fresh (1.20 to 1.90) and lower in 2" in text


def test_the_ten_best_are_drawn_with_their_share_in_order():
    best = pd.DataFrame(
        {"world": "here", "searched": [-1.0, 0, 1], "again": [-2.0, 1, 0], "in_order": 2 / 3}
    )
    assert (
        "67 % of the pairs are in the same order, 67 to 67 % in a repeat"
        in figures.ten_best(best).alt_text
    )


# --- the capstone ---------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """Random searches of two trials of two epochs, drawn from five configurations."""
    for name, value in {
        "N_SEARCHES": 30,
        "N_POOL": 5,
        "N_EPOCHS": 2,
        "BUDGET": 4,
        "JUDGES": [7],
    }.items():
        monkeypatch.setattr(capstone, name, value)


def test_random_searches_keep_the_lowest_of_their_trials(small):
    digits = capstone.rows()
    pool = [
        fit(config, digits, n_epochs=2, seed=0).val_loss[-1]
        for config in capstone.SPACE.sample(5, seed=0)
    ]
    lowest = capstone.random_searches()
    assert len(lowest) == 30 and (np.diff(lowest) >= 0).all()
    # of two different ones the higher is never kept
    assert set(lowest.round(9)) <= set(np.sort(pool)[:4].round(9))
    assert (lowest.round(9) == np.min(pool).round(9)).sum() > 3


def test_a_line_says_what_a_search_found(small, monkeypatch):
    digits, config = capstone.rows(), {"lr": 0.01, "batch_size": 32, "hidden_size": 8}
    trials = run(grid_search([config], 3), TrainingObjective(digits))
    line = capstone.line(trials)
    assert line["epochs"] == 3 and line["val_loss"] == pytest.approx(
        fit(config, digits, n_epochs=3).val_loss[-1], abs=1e-4
    )
    other = fit(config, capstone.load_splits("digits", draw=7, n_train=320), n_epochs=3, seed=7)
    assert line["fresh"] == pytest.approx(other.val_loss[-1], abs=1e-4)
    loss = trials["val_loss"].min()
    monkeypatch.setattr(
        capstone, "random_searches", lambda progress: loss - np.array([1e-3, 1e-12, 0, -1e-3])
    )
    assert capstone.line(trials)["beaten_by"] == 1  # the second found the same network
    with pytest.raises(ValueError, match="trained 5 epochs; 4 are allowed"):
        capstone.line(run(grid_search([config], 5), TrainingObjective(digits)))


def test_lines_are_saved_and_ranked_by_their_fresh_loss(tmp_path):
    capstone.save(tmp_path, "Anna B", LINE)
    capstone.save(tmp_path, "Carl", LINE | {"fresh": 0.07})
    capstone.save(tmp_path, "Carl", LINE | {"fresh": 0.08})  # replaces his first
    board = capstone.leaderboard(tmp_path)
    assert board["name"].tolist() == ["Carl", "Anna B"] and board["fresh"].tolist() == [0.08, 0.09]
    assert board.attrs["left_out"] == 0


def test_names_that_differ_in_capitals_have_a_file_each_where_the_file_system_ignores_case(
    tmp_path,
):
    files = {capstone.save(tmp_path, name, LINE).name for name in ("A b", "a b", "a-b", "A-B")}
    assert len({file.lower() for file in files}) == 4
    assert len(capstone.leaderboard(tmp_path)) == 4


def test_an_empty_folder_has_an_empty_board(tmp_path):
    assert capstone.leaderboard(tmp_path).empty


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        json.dumps(LINE),
        json.dumps({"name": "x"}),
        json.dumps({"name": "<b>x", **LINE}),
        json.dumps({"name": "x", **LINE, "fresh": "0.1"}),
        json.dumps({"name": "x", **LINE, "fresh": float("nan")}),
        json.dumps({"name": "x", **LINE, "epochs": 5000}),
        json.dumps({"name": "x", **LINE, "epochs": True}),
        json.dumps({"name": "x", **LINE, "more": "y" * 2000}),
        "[" * 900,
    ],
)
def test_what_is_no_line_is_left_out_and_counted(tmp_path, text):
    capstone.save(tmp_path, "good", LINE)
    (tmp_path / "bad.line.json").write_text(text, encoding="utf-8")
    board = capstone.leaderboard(tmp_path)
    assert board["name"].tolist() == ["good"] and board.attrs["left_out"] == 1


@pytest.mark.usefixtures("unix")
def test_nothing_else_is_read(tmp_path):
    shared = tmp_path / "shared"
    (shared / "below").mkdir(parents=True)
    outside = capstone.save(tmp_path, "outside", LINE)
    capstone.save(shared / "below", "below", LINE)
    (shared / "other.json").write_text(json.dumps({"name": "other", **LINE}), encoding="utf-8")
    (shared / "link.line.json").symlink_to(outside)
    board = capstone.leaderboard(shared)
    assert board.empty and board.attrs["left_out"] == 1


@pytest.mark.parametrize("name", ["", "../up", "a/b", "x" * 41, "a\nb"])
def test_a_bad_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="name is"):
        capstone.save(tmp_path, name, LINE)


def test_what_is_tried_by_hand_is_a_search_like_any_other(small, monkeypatch):
    monkeypatch.setattr(capstone, "BUDGET", 8)  # four tries of two epochs
    game = capstone.by_hand()
    for lr, hidden_size in ((0.0001, 2), (0.0031, 12), (0.01, 32), (0.01, 2)):
        game.submit({"lr": lr, "hidden_size": hidden_size})
    assert game.n_left == 0 and [c["hidden_size"] for c in game.configs] == [2, 11, 32, 2]
    trials = run(grid_search(game.configs, 2), TrainingObjective(capstone.rows()))
    assert trials["val_loss"].tolist() == pytest.approx(game.losses, abs=1e-9)
    assert capstone.line(trials)["epochs"] == 8 and set(trials["batch_size"]) == {32}
