"""What a search may be told: the same trials in any form, and nothing that lies outside."""

import math

import pytest

from hpt_helpers.objectives import per_trial
from hpt_helpers.protocol import Told
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.strategies import grid_search
from hpt_helpers.strategies.told import earlier_trials
from hpt_helpers.trials import read_log

SPACE = SearchSpace({"x": Real(0, 1), "layers": Choice([(8,), (8, 4)])})
TRIALS = [({"x": 0.25, "layers": (8,)}, 3, 0.5), ({"x": 0.75, "layers": (8, 4)}, 3, math.nan)]


def half_fails(config, n_epochs):
    return 0.5 if config["x"] < 0.5 else math.nan


def same(found, expected):
    return repr(found) == repr([Told(*trial) for trial in expected])  # nan is not equal to itself


def test_a_table_a_log_its_records_and_triples_say_the_same(tmp_path):
    log = tmp_path / "earlier.jsonl"
    table = run(grid_search([c for c, *_ in TRIALS], 3), per_trial(half_fails), log=log)
    for told in (table, log, str(log), read_log(log), TRIALS, iter(TRIALS), table.iloc[:]):
        assert same(earlier_trials(told, SPACE, 27), TRIALS)


def test_pairs_were_trained_in_full():
    pairs = [(config, loss) for config, _, loss in TRIALS]
    expected = [(config, 27, loss) for config, _, loss in TRIALS]
    assert same(earlier_trials(pairs, SPACE, 27), expected)
    assert earlier_trials([], SPACE, 27) == []


def test_lists_of_an_older_log_are_tuples():
    told = [({"x": 0.25, "layers": [8, 4]}, 0.5)]
    assert earlier_trials(told, SPACE, 1)[0].config == {"x": 0.25, "layers": (8, 4)}


def test_what_lies_outside_is_left_out_counted_and_said():
    outside = [({"x": 1.5, "layers": (8,)}, 0.1), ({"x": 0.5}, 0.2)]
    told = [outside[0], *TRIALS, outside[1]]
    with pytest.warns(UserWarning) as warned:
        assert same(earlier_trials(told, SPACE, 27), TRIALS)
    assert [str(w.message) for w in warned] == [
        "2 of the 4 trials told lie outside the space and are left out, "
        "such as {'x': 1.5, 'layers': (8,)}"
    ]
    assert warned[0].filename == __file__


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (3, TypeError, "told is 3; a trial table, the path of a log"),
        ({"x": 0.5}, TypeError, "told is {'x': 0.5}; a trial table"),
        ([0.5], TypeError, r"told\[0\] is 0.5; a trial table"),
        ([*TRIALS, ({"x": 0.5}, 1, 2, 3)], TypeError, r"told\[2\] is"),
        ([({"x": 0.5}, "low")], TypeError, r"told\[0\] has the loss 'low'; a number is needed"),
        ([(0.5, 0.5)], TypeError, "config is 0.5; a mapping such as"),
        ([({"x": 0.5}, 0, 0.1)], ValueError, r"n_epochs of told\[0\] is 0"),
        ("nowhere.jsonl", ValueError, "told is 'nowhere.jsonl', and there is no such log"),
    ],
)
def test_what_is_no_record_is_refused(told, error, message):
    with pytest.raises(error, match=message):
        earlier_trials(told, SPACE, 27)


def test_a_table_that_lost_its_configurations_is_refused():
    table = run(grid_search([c for c, *_ in TRIALS], 3), per_trial(half_fails))
    with pytest.raises(ValueError, match="told is a table without the column 'config'"):
        earlier_trials(table.drop(columns="config"), SPACE, 27)
