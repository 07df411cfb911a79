"""The testbed's verdicts are counted rightly, and its text has a place for each section."""

import numpy as np
import pandas as pd
import pytest

from hpt_helpers.classroom import searches
from hpt_helpers.classroom.table import table_problem
from hpt_helpers.protocol import Told
from tools import testbed


def test_the_text_has_a_place_for_each_section():
    text = testbed.TEXT.read_text(encoding="utf-8")
    assert all(f"{{{section}}}" in text for section in testbed.SECTIONS)


def test_verdicts_count_pairs():
    judged = pd.DataFrame(
        {
            "search": ["random"] * 3 + ["other"] * 3,
            "repeat": [0, 1, 2] * 2,
            "val_loss": [0.5, 0.6, 0.7, 0.4, 0.5, 0.8],
            "fresh": [1.0, 2.0, 4.0, 2.0, 1.0, 2.0],
            "accuracy": [0.5, 0.6, 0.7, 0.8, 0.9, 0.9],
            "tried": [40] * 3 + [100] * 3,
        }
    )
    _, other = testbed.verdicts(judged).itertuples(index=False)
    assert other[:5] == ("other", 100, 0.5, 2.0, 0.9)
    assert other[5] == "2 → 2 of 3"
    assert other[6].startswith("0.79 (")  # the cube root of 2 · 1/2 · 1/2


def test_markdown():
    table = pd.DataFrame({"a": [0.12345], "b": ["x"], "c": [3]})
    assert testbed.markdown(table) == "| a | b | c |\n| --- | --- | --- |\n| 0.123 | x | 3 |"


def test_the_nearest_of_the_pool_stands_in():
    space = table_problem("digits", 30).space(0)

    def two_points(space, repeat, n_trials, n_epochs):
        losses = yield [(space.from_unit([[0.2] * len(space)])[0], n_epochs)]
        assert losses == [0.5]
        yield [(space.from_unit([[0.9] * len(space)])[0], n_epochs)]
        yield [(space.from_unit([[0.9] * len(space)])[0], n_epochs)]

    strategy = searches.on_pool(two_points, space, 0, 2, 27)
    [(first, _)] = next(strategy)
    [(second, _)] = strategy.send(np.array([0.5]))
    [(third, _)] = strategy.send(np.array([0.5]))
    assert third != second  # which was tried
    points = space.to_unit(space.configs)
    for config, wanted in ((first, 0.2), (second, 0.9)):
        [place] = space.to_unit([config])
        target = np.r_[[wanted] * 6, place[-1]]  # the batch size is the same everywhere
        distances = np.linalg.norm(points - target, axis=1)
        assert np.linalg.norm(place - target) == pytest.approx(distances.min(), abs=0.01)


def test_tpe_is_told_which_configuration_was_tried():
    space = table_problem("digits", 30).space(0)
    strategy, sizes = searches.tpe_on_pool(space, 0, 30, 27), []
    asked = next(strategy)
    while len(sizes) < 29:
        [(config, n_epochs)] = asked.trials
        assert config in space.configs and n_epochs == 27
        sizes.append(config["hidden_size"])
        # the widest networks are best, so that what learns goes there
        asked = strategy.send([Told(config, n_epochs, 1 / config["hidden_size"])])
    assert np.mean(sizes[15:]) > 1.5 * np.mean(sizes[:10])
