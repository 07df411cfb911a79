"""The data: sizes, both splits, what the scaler sees, and the sealed test rows."""

import math
import warnings

import numpy as np
import pytest
import torch
from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from hpt_helpers import data
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.model import SimpleNN

# name -> rows, features, classes of the bundled data; the largest learning rate is the design's.
KNOWN = {
    "iris": (150, 4, 3, 0.1),
    "wine": (178, 13, 3, 0.1),
    "breast_cancer": (569, 30, 2, 0.02),
    "digits": (1797, 64, 10, 0.01),
}
ALL = [*KNOWN, "simulated"]


def rows(*parts):
    """Return the rows of tensors or arrays as a sorted list of tuples: a multiset that can be
    compared.
    """
    return sorted(tuple(row) for part in parts for row in np.asarray(part).tolist())


def new_model(splits, seed=0):
    return SimpleNN(
        splits.n_features, splits.n_classes, generator=torch.Generator().manual_seed(seed)
    )


@pytest.fixture(autouse=True)
def nothing_scored(monkeypatch):
    monkeypatch.setattr(data, "_scored", {})


# --- sizes and splits -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_what_every_data_set_consists_of(name):
    splits = load_splits(name)
    n_rows, n_features, n_classes, max_lr = KNOWN[name]
    assert (splits.n_features, splits.n_classes, splits.max_lr) == (n_features, n_classes, max_lr)
    assert splits.class_names == tuple(
        str(c) for c in getattr(datasets, f"load_{name}")().target_names
    )
    sizes = [len(splits.y_train), len(splits.y_val), len(splits._y_test)]
    assert sum(sizes) == n_rows
    assert sizes[1] == pytest.approx(0.2 * n_rows, abs=1) and sizes[2] == pytest.approx(
        0.2 * n_rows, abs=1
    )
    for X, y, n in zip(
        (splits.X_train, splits.X_val, splits._X_test),
        (splits.y_train, splits.y_val, splits._y_test),
        sizes,
        strict=True,
    ):
        assert (X.dtype, y.dtype) == (torch.float64, torch.int64)
        assert (tuple(X.shape), tuple(y.shape)) == ((n, n_features), (n,))


def test_iris_is_the_default_and_42_the_default_seed():
    default, named = load_splits(), load_splits("iris", seed=42)
    assert default.name == "iris" and torch.equal(default.X_train, named.X_train)


def test_the_test_rows_of_iris_are_those_of_the_original_scripts():
    X, y = datasets.load_iris(return_X_y=True)
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    splits = load_splits("iris", seed=42, scaled=False)
    np.testing.assert_array_equal(splits._X_test, X_test)
    np.testing.assert_array_equal(splits._y_test, y_test)


@pytest.mark.parametrize("name", KNOWN)
def test_every_row_is_in_exactly_one_part(name):
    bunch = getattr(datasets, f"load_{name}")()
    splits = load_splits(name, seed=7, scaled=False)
    parts = [
        (splits.X_train, splits.y_train),
        (splits.X_val, splits.y_val),
        (splits._X_test, splits._y_test),
    ]
    labelled = [np.column_stack([X, y]) for X, y in parts]
    assert rows(*labelled) == rows(np.column_stack([bunch.data, bunch.target]))


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("seed", [0, 42])
def test_validation_rows_are_stratified(name, seed):
    """Each class has its share of the validation rows, to within one row."""
    splits = load_splits(name, seed=seed)
    train, val = (
        np.bincount(y, minlength=splits.n_classes) for y in (splits.y_train, splits.y_val)
    )
    share = (train + val) / (train + val).sum()
    assert np.abs(val - share * val.sum()).max() < 1


def test_a_seed_decides_the_test_rows_and_a_draw_the_others():
    one, same, other = (load_splits("wine", seed=s, draw=5, scaled=False) for s in (1, 1, 2))
    assert torch.equal(one.X_train, same.X_train) and torch.equal(one._X_test, same._X_test)
    assert rows(one._X_test) != rows(other._X_test)


@pytest.mark.parametrize("name", KNOWN)
def test_draws_leave_the_test_rows_sealed_and_differ_in_their_validation_rows(name):
    draws = [load_splits(name, draw=draw, scaled=False) for draw in (0, 1, 2, 43)]
    outside = {str(rows(part.X_train, part.X_val)) for part in draws}
    assert len(outside) == 1 and len({str(part._X_test.tolist()) for part in draws}) == 1
    assert len({str(rows(part.X_val)) for part in draws}) == 4
    assert [part.draw for part in draws] == [0, 1, 2, 43]


@pytest.mark.parametrize("name", KNOWN)
def test_a_draw_is_scikit_learns_stratified_split_of_what_is_no_test_row(name):
    X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    X_rest, X_test, y_rest, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    parts = train_test_split(X_rest, y_rest, test_size=0.25, random_state=43, stratify=y_rest)
    splits = load_splits(name, draw=43, scaled=False)
    now = splits.X_train, splits.X_val, splits.y_train, splits.y_val, splits._X_test, splits._y_test
    for ours, theirs in zip(now, [*parts, X_test, y_test], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", KNOWN)
@pytest.mark.parametrize("seed", [0, 42])
def test_no_draw_is_the_data_sets_default_draw(name, seed):
    default, named = (
        load_splits(name, seed=seed),
        load_splits(name, seed=seed, draw=data.DEFAULT_DRAW[name]),
    )
    assert torch.equal(default.X_train, named.X_train) and torch.equal(default.X_val, named.X_val)
    assert default.draw == data.DEFAULT_DRAW[name]


def test_numpy_integers_are_a_seed_and_a_draw():
    splits = load_splits("iris", seed=np.int64(3), draw=np.int64(4))
    assert torch.equal(splits.X_val, load_splits("iris", seed=3, draw=4).X_val)
    assert (type(splits.seed), type(splits.draw)) == (int, int)


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer", "digits"])
def test_search_rows_are_the_training_rows_and_then_the_validation_rows(name):
    splits = load_splits(name)
    X, y = splits.search_rows()
    n = len(splits.y_train)
    assert type(X) is type(y) is np.ndarray and len(X) == len(y) == n + len(splits.y_val)
    assert X[0].tolist() == splits.X_train[0].tolist() and X[n].tolist() == splits.X_val[0].tolist()
    assert y[:n].tolist() == splits.y_train.tolist() and X[n:].tolist() == splits.X_val.tolist()


@pytest.mark.parametrize("name", ["Iris", "mnist", ""])
def test_an_unknown_name_is_refused(name):
    with pytest.raises(
        ValueError, match="allowed are iris, wine, breast_cancer, digits, simulated"
    ):
        load_splits(name)


@pytest.mark.parametrize("argument", ["seed", "draw"])
@pytest.mark.parametrize("value", [1.5, "42", True, float("nan"), [1]])
def test_a_seed_or_draw_that_is_no_integer_is_refused(argument, value):
    with pytest.raises(TypeError, match=f"{argument} is .*an integer is needed"):
        load_splits("iris", **{argument: value})


@pytest.mark.parametrize("argument", ["seed", "draw"])
@pytest.mark.parametrize("value", [-1, 2**32])
def test_a_seed_or_draw_out_of_range_is_refused(argument, value):
    with pytest.raises(
        ValueError, match=f"{argument} is {value}; it must be an integer from 0 to 4294967295"
    ):
        load_splits("iris", **{argument: value})


def test_there_is_no_default_seed_of_none():
    with pytest.raises(TypeError, match="seed is None"):
        load_splits("iris", seed=None)


# --- fewer rows, and simulated ones ---------------------------------------------------------------


@pytest.mark.parametrize("name", ALL)
def test_fewer_rows_are_the_first_of_more_and_leave_the_other_parts_as_they_are(name):
    whole = load_splits(name, draw=3, scaled=False)
    for n in (10, 25):
        fewer_val = load_splits(name, draw=3, scaled=False, n_val=n)
        fewer_train = load_splits(name, draw=3, scaled=False, n_train=np.int64(n))
        assert (fewer_val.n_train, fewer_val.n_val) == (whole.n_train, n)
        assert (fewer_train.n_train, fewer_train.n_val) == (n, whole.n_val)
        assert torch.equal(fewer_val.X_val, whole.X_val[:n])
        assert torch.equal(fewer_val.y_val, whole.y_val[:n])
        assert torch.equal(fewer_train.X_train, whole.X_train[:n])
        assert torch.equal(fewer_train.y_train, whole.y_train[:n])
        for some in (fewer_val, fewer_train):
            assert torch.equal(some._X_test, whole._X_test) and some.n_test == whole.n_test


def test_fewer_validation_rows_have_the_scale_of_more_and_training_rows_set_it():
    one, fewer = load_splits("digits", n_train=320), load_splits("digits", n_train=320, n_val=30)
    assert torch.equal(one.X_train, fewer.X_train) and torch.equal(one.X_val[:30], fewer.X_val)
    assert fewer.X_train.mean(0).abs().max() < 1e-12
    assert fewer.X_train.std(correction=0).item() == pytest.approx(1)


def test_a_feature_that_is_the_same_in_all_training_rows_is_only_centred():
    for name in ("iris", "digits"):
        splits = load_splits(name, n_train=1)
        raw = load_splits(name, n_train=1, scaled=False)
        assert torch.equal(splits.X_val, raw.X_val - raw.X_train)


@pytest.mark.parametrize(
    ("name", "rows", "error", "says"),
    [
        ("iris", {"n_train": 91}, ValueError, "n_train is 91; it must be an integer from 1 to 90"),
        ("digits", {"n_val": 361}, ValueError, "n_val is 361; it must be an integer from 1 to 360"),
        ("digits", {"n_val": 0}, ValueError, "n_val is 0"),
        ("simulated", {"n_train": 321}, ValueError, "n_train is 321; .* from 1 to 320"),
        ("simulated", {"n_val": 2001}, ValueError, "n_val is 2001; .* from 1 to 2000"),
        ("iris", {"n_val": 10.0}, TypeError, "n_val is 10.0; an integer is needed"),
    ],
)
def test_more_rows_than_there_are_and_no_count_are_refused(name, rows, error, says):
    with pytest.raises(error, match=says):
        load_splits(name, **rows)


def test_simulated_rows_are_those_of_scikit_learns_recipe_each_in_one_part():
    X, y = datasets.make_classification(
        60000,
        n_features=16,
        n_informative=8,
        n_redundant=4,
        n_classes=4,
        n_clusters_per_class=3,
        class_sep=1.5,
        flip_y=0.0,
        random_state=7,
    )
    _, X_test, _, y_test = train_test_split(X, y, test_size=0.2, random_state=42)
    splits = load_splits("simulated", scaled=False)
    assert (splits.n_train, splits.n_val, splits.n_test) == (320, 2_000, 12_000)
    assert (splits.n_features, splits.n_classes, splits.max_lr) == (16, 4, 0.05)
    np.testing.assert_array_equal(splits._X_test, X_test)
    np.testing.assert_array_equal(splits._y_test, y_test)
    label_of = dict(zip(map(tuple, X.tolist()), y.tolist(), strict=True))
    found = rows(splits.X_train, splits.X_val, splits._X_test)
    assert len(set(found)) == 14_320 and set(found) <= label_of.keys()
    for part, labels in (splits.X_train, splits.y_train), (splits.X_val, splits.y_val):
        assert [label_of[tuple(row)] for row in part.tolist()] == labels.tolist()


def test_simulated_data_are_made_once_and_their_test_rows_are_sealed():
    assert data._all_rows("simulated") is data._all_rows("simulated")
    draws = [load_splits("simulated", draw=draw, scaled=False) for draw in (0, 1)]
    assert torch.equal(draws[0]._X_test, draws[1]._X_test)
    # a row in both draws is chance: of 48,000 rows, each has 2,320
    shared = {tuple(row) for row in draws[0].X_train.tolist()}
    assert len(shared & {tuple(row) for row in draws[1].X_train.tolist()}) < 20
    draws[0].final_score(new_model(draws[0]))
    with pytest.warns(UserWarning, match="the test rows of simulated"):
        draws[1].final_score(new_model(draws[1], seed=1))


# --- scaling --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["iris", "wine", "breast_cancer"])
def test_features_are_standardised_with_the_training_rows(name):
    raw, scaled = load_splits(name, scaled=False), load_splits(name)
    scaler = StandardScaler().fit(raw.X_train)
    for part in ("X_train", "X_val", "_X_test"):
        np.testing.assert_allclose(
            getattr(scaled, part), scaler.transform(getattr(raw, part)), rtol=0, atol=1e-12
        )


def test_digits_are_centred_with_one_scale():
    raw, scaled = load_splits("digits", scaled=False), load_splits("digits")
    centre = raw.X_train.mean(0)
    scale = (((raw.X_train - centre) ** 2).sum() / raw.X_train.numel()).sqrt()
    for part in ("X_train", "X_val", "_X_test"):
        torch.testing.assert_close(
            getattr(scaled, part), (getattr(raw, part) - centre) / scale, rtol=0, atol=1e-12
        )


def loaded(name, matrix, monkeypatch, *, scaled):
    """Return the splits of the data set with its features replaced."""
    _, labels, class_names = data._all_rows(name)
    with monkeypatch.context() as patch:
        patch.setattr(data, "_all_rows", lambda name: (matrix, labels, class_names))
        return load_splits(name, scaled=scaled)


@pytest.mark.parametrize("name", KNOWN)
def test_the_scaler_sees_training_rows_only(name, monkeypatch):
    """Alter one validation row and one test row: nothing else changes.

    Alter a training row: everything does.
    """
    matrix = getattr(datasets, f"load_{name}")().data
    numbers = loaded(name, np.arange(len(matrix), dtype=float)[:, None], monkeypatch, scaled=False)
    train, val, test = (
        int(part[0, 0]) for part in (numbers.X_train, numbers.X_val, numbers._X_test)
    )
    before = load_splits(name)

    other = matrix.copy()
    other[[val, test]] += 100
    other = loaded(name, other, monkeypatch, scaled=True)
    assert torch.equal(other.X_train, before.X_train)
    assert torch.equal(other.X_val[1:], before.X_val[1:]) and torch.equal(
        other._X_test[1:], before._X_test[1:]
    )
    assert (other.X_val[0] != before.X_val[0]).all() and (
        other._X_test[0] != before._X_test[0]
    ).all()

    other = matrix.copy()
    other[train] += 100
    assert (loaded(name, other, monkeypatch, scaled=True).X_val != before.X_val).all()


# --- scores ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_correct", "n_rows", "low", "high"),
    # Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method
    # 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_intervals_are_the_published_ones(n_correct, n_rows, low, high):
    score = wilson_interval(n_correct, n_rows)
    assert score.accuracy == n_correct / n_rows and score.n_rows == n_rows
    assert (score.low, score.high) == pytest.approx((low, high), abs=5.1e-5)


@pytest.mark.parametrize(
    ("n_correct", "n_rows", "error", "says"),
    [
        (31, 30, ValueError, "n_correct is 31; it must be an integer from 0 to 30"),
        (-1, 30, ValueError, "n_correct is -1"),
        (0, 0, ValueError, "n_rows is 0"),
        (29.0, 30, TypeError, "n_correct is 29.0; an integer is needed"),
        (1, True, TypeError, "n_rows is True"),
        (0.967, "30", TypeError, "n_rows is .30.; an integer is needed"),
    ],
)
def test_an_interval_of_bad_counts_is_refused(n_correct, n_rows, error, says):
    with pytest.raises(error, match=says):
        wilson_interval(n_correct, n_rows)


def test_final_score_is_the_test_accuracy_with_its_interval():
    splits = load_splits("iris")
    model = new_model(splits)
    with torch.no_grad():
        predicted = [int(model(x[None]).argmax()) for x in splits._X_test]
    share = sum(p == int(y) for p, y in zip(predicted, splits._y_test, strict=True)) / 30
    score = splits.final_score(model)
    z = 1.959963984540054  # the formula of Wilson (1927), by hand
    centre = (share + z**2 / 60) / (1 + z**2 / 30)
    half = z * math.sqrt(share * (1 - share) / 30 + z**2 / 3600) / (1 + z**2 / 30)
    assert 0 < share < 1
    assert score == pytest.approx((share, centre - half, centre + half, 30), abs=1e-9)


def test_a_final_score_warns_about_other_weights_only():
    """filterwarnings is "error": a call outside `pytest.warns` proves that it is quiet."""
    splits = load_splits("iris")
    first, second = new_model(splits, 1), new_model(splits, 2)
    splits.final_score(first)
    splits.final_score(first)
    # the same weights in another object: a cell that was run again
    splits.final_score(new_model(splits, 1))
    with pytest.warns(UserWarning, match=r"iris \(seed 42\) have already scored other weights"):
        splits.final_score(second)
    splits.final_score(second)


@pytest.mark.parametrize("draw", [0, 1])
def test_a_final_score_warns_across_objects_and_draws_whose_test_rows_are_the_same(draw):
    load_splits("iris", draw=0).final_score(new_model(load_splits("iris"), 1))
    again = load_splits("iris", draw=draw)
    with pytest.warns(UserWarning, match="already scored other weights"):
        again.final_score(new_model(again, 2))


def test_other_data_sets_and_seeds_have_scores_of_their_own():
    for i, splits in enumerate(
        [load_splits("iris"), load_splits("iris", seed=1), load_splits("wine")]
    ):
        splits.final_score(new_model(splits, seed=i))


def test_the_smallest_change_of_a_weight_counts_as_other_weights():
    splits = load_splits("iris")
    model = new_model(splits)
    splits.final_score(model)
    with torch.no_grad():
        model.output.bias[0] += 1e-12
    with pytest.warns(UserWarning):
        splits.final_score(model)


def test_autopsy_scores_are_test_accuracies_and_leave_no_trace():
    splits = load_splits("wine")
    models = [new_model(splits, seed) for seed in range(5)]
    scores = splits.autopsy_scores(models)
    assert scores.shape == (5,) and len(set(scores)) > 1
    splits.final_score(models[0])  # quiet: the five scores above are not on its record
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert scores.tolist() == [splits.final_score(model).accuracy for model in models]


def test_scoring_leaves_the_model_and_its_gradients_alone():
    splits = load_splits("iris")
    model = new_model(splits)
    before = [p.clone() for p in model.parameters()]
    splits.final_score(model)
    splits.autopsy_scores([model])
    assert all(
        torch.equal(a, b) and b.grad is None
        for a, b in zip(before, model.parameters(), strict=True)
    )


def test_the_test_rows_are_no_part_of_what_is_printed():
    assert "tensor" not in repr(load_splits("iris"))
    public = {name for name in vars(load_splits("iris")) if not name.startswith("_")}
    assert not any("test" in name for name in public)
