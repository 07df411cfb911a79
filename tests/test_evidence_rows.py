"""Rows of one's own table: nothing sealed is seen, and every kind of split keeps its promise."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import KFold, StratifiedShuffleSplit, TimeSeriesSplit

from hpt_helpers.evidence import SealedRows

N = 200
X = np.arange(N)[:, None]  # a row's only feature is its number
Y = np.array(["a", "b"] * (N // 2))


def numbers(part):
    return set(np.asarray(part)[:, 0].tolist())


@settings(max_examples=30, deadline=None)
@given(draw=st.integers(0, 1000), seed=st.integers(0, 1000), n_train=st.sampled_from([None, 40]))
def test_no_row_stands_in_two_parts_and_the_test_part_is_that_of_the_seed(draw, seed, n_train):
    rows = SealedRows(X, Y, n_test=50, n_val=30, n_train=n_train, seed=seed)
    split, sealed = rows(draw), numbers(rows.sealed()[0])
    train, val = numbers(split.X_train), numbers(split.X_val)
    assert len(sealed) == rows.n_test == 50 and len(val) == 30
    assert len(train) == (n_train or 120)
    assert not train & val and not (train | val) & sealed
    assert numbers(rows.all().X_train) == set(range(N)) - sealed
    assert sealed == numbers(SealedRows(X, Y, n_test=50, n_val=10, seed=seed).sealed()[0])


def test_draws_differ_and_the_same_draw_is_the_same():
    rows = SealedRows(X, Y, n_test=50, n_val=30)
    assert numbers(rows(0).X_val) == numbers(rows(0).X_val) != numbers(rows(1).X_val)


def test_each_part_has_its_share_of_each_class_and_a_rare_one_is_no_obstacle():
    y = np.array(["common"] * 150 + ["scarce"] * 47 + ["thrice"] * 2 + ["once"])
    rows = SealedRows(X, y, n_test=40, n_val=40)
    for labels in (rows.sealed()[1], rows(0).y_val, rows(3).y_val):
        assert np.isin(labels, ["scarce", "thrice", "once"]).sum() == pytest.approx(10, abs=1)
    both = np.concatenate([rows(0).y_train, rows(0).y_val, rows.sealed()[1]])
    assert sorted(both) == sorted(y)


def test_numbers_are_not_stratified_and_more_classes_than_validation_rows_are_no_obstacle():
    assert len(SealedRows(X, np.linspace(0, 1, N), n_test=50, n_val=30)(0).y_val) == 30
    assert len(SealedRows(X, np.arange(N) % 40, n_test=50, n_val=7)(0).y_val) == 7


def test_a_group_never_stands_in_two_parts():
    groups = np.arange(N) // 4
    rows = SealedRows(X, Y, n_test=40, n_val=40, groups=groups)
    for draw in range(5):
        split = rows(draw)
        parts = [
            {n // 4 for n in numbers(part)}
            for part in (split.X_train, split.X_val, rows.sealed()[0])
        ]
        assert parts[0] | parts[1] | parts[2] == set(range(50))
        assert sum(map(len, parts)) == 50


def test_in_time_each_part_is_later_than_what_it_is_judged_after():
    rows = SealedRows(X, Y, n_test=20, n_val=30, n_train=60, in_time=True)
    assert numbers(rows.sealed()[0]) == set(range(180, 200))
    assert numbers(rows(0).X_val) == set(range(150, 180))
    assert numbers(rows(0).X_train) == set(range(90, 150))  # the latest before
    assert numbers(rows(1).X_val) == set(range(120, 150))
    with pytest.raises(ValueError, match="draw is 5; those of the 5 splits are 0 to 4"):
        rows(5)


def test_splitters_of_scikit_learn_are_taken():
    among = {"n_test": 50, "n_val": 30}
    shuffled = SealedRows(X, Y, **among, splitter=StratifiedShuffleSplit(1, test_size=30))
    assert numbers(shuffled(0).X_val) != numbers(shuffled(1).X_val)
    assert numbers(shuffled(1).X_val) == numbers(shuffled(1).X_val)
    folds = SealedRows(X, Y, **among, splitter=KFold(5))
    assert not numbers(folds(0).X_val) & numbers(folds(1).X_val)
    latest = SealedRows(X, Y, **among, splitter=TimeSeriesSplit(3))
    assert len(latest(0).X_train) > len(latest(1).X_train)


def test_a_table_stays_a_table():
    table = pd.DataFrame({"n": np.arange(N), "kind": pd.Categorical(Y)})
    split = SealedRows(table, Y, n_test=50, n_val=30)(0)
    assert list(split.X_val.dtypes) == list(table.dtypes)
    assert split.X_val["kind"].tolist() == split.y_val.tolist()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"n_test": 190}, "n_test is 190, n_val 30 and n_train None; there are 200 rows"),
        ({"n_val": 0}, "n_val is 0"),
        ({"groups": [1, 2]}, "groups has 2 entries; there are 200 rows"),
        ({"groups": Y, "in_time": True}, "one of the two is needed"),
        ({"y": Y[:9]}, "X has 200 rows and y the shape"),
        ({"y": [None, *Y[1:]]}, "y has no value in 1 rows, the first is 0"),
        ({"y": [0.5, np.nan, *range(198)]}, "y has no value in 1 rows, the first is 1"),
    ],
)
def test_what_cannot_be_split_is_refused_by_name(wrong, message):
    given = {"X": X, "y": Y, "n_test": 50, "n_val": 30} | wrong
    with pytest.raises(ValueError, match=message):
        SealedRows(**given)
