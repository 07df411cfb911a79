"""Populations: the numbers of `fit`, whoever trains beside, resumed, cut and chunked."""

import random
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hpt_helpers import population as population_module
from hpt_helpers.data import load_splits
from hpt_helpers.population import Population, fit_many
from hpt_helpers.training import evaluate, failure_reason, fit

SPLITS = {name: load_splits(name) for name in ("iris", "wine", "breast_cancer", "digits")}
IRIS = SPLITS["iris"]
CURVES = ("train_loss", "val_loss", "val_accuracy")
MIXED = [
    {"lr": 0.01, "batch_size": 16, "hidden_size": 8},
    {"lr": 0.1, "batch_size": 1, "hidden_size": 3},
    {"lr": 0.001, "batch_size": 90, "hidden_size": 32, "weight_decay": 0.3, "label_smoothing": 0.2},
    {"lr": 0.05, "batch_size": 64},
    {"lr": 0.02, "batch_size": 16, "hidden_size": 16, "cosine_epochs": 30},
    {"lr": 0.03, "batch_size": 7, "hidden_size": 8, "beta1": 0.6, "init_scale": 1.5},
]


def assert_same(found, expected, tolerance=1e-9):
    """Losses within the tolerance, accuracies equal, nan where nan."""
    for name in ("train_loss", "val_loss"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=0, atol=tolerance, err_msg=name
        )
    np.testing.assert_array_equal(found.val_accuracy, expected.val_accuracy)


def row(curves, i, n_epochs=None):
    """Return one member's curves, in the form of `LearningCurves`."""
    return population_module.LearningCurves(
        *(getattr(curves, name)[i, :n_epochs] for name in CURVES)
    )


def rows(curves, indices):
    return population_module.LearningCurves(*(getattr(curves, name)[indices] for name in CURVES))


def assert_same_state(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, int | list):
            assert found[name] == value
        else:
            torch.testing.assert_close(found[name], value, rtol=0, atol=0, equal_nan=True)


def same_weights(one, two, tolerance=1e-9):
    a, b = one.state_dict(), two.state_dict()
    assert a.keys() == b.keys()
    for name in a:
        torch.testing.assert_close(a[name], b[name], rtol=0, atol=tolerance)


# --- the numbers of fit ---------------------------------------------------------------------------


@st.composite
def populations(draw, name, min_batch=1):
    """Configurations, seeds and epochs; learning rates up to the data set's largest."""
    splits = SPLITS[name]
    n_rows = len(splits.y_train)
    awkward = [
        b for b in (1, 2, 16, n_rows // 2, n_rows // 2 + 1, n_rows - 1, n_rows) if b >= min_batch
    ]
    config = st.fixed_dictionaries(
        {
            "lr": st.floats(-4, float(np.log10(splits.max_lr))).map(
                lambda e: min(10.0**e, splits.max_lr)
            ),
            "batch_size": st.sampled_from(awkward) | st.integers(min_batch, n_rows),
        },
        optional={
            "hidden_size": st.integers(1, 40),
            "weight_decay": st.floats(0, 1),
            "beta1": st.floats(0.5, 0.99),
            "label_smoothing": st.floats(0, 0.3),
            "init_scale": st.floats(0.3, 3),
            "cosine_epochs": st.integers(3, 27),
        },
    )
    configs = draw(st.lists(config, min_size=1, max_size=4))
    seeds = draw(
        st.integers(0, 5)
        | st.lists(st.integers(0, 2**40), min_size=len(configs), max_size=len(configs))
    )
    return configs, seeds, draw(st.integers(1, 3))


def check_against_fit(name, drawn):
    configs, seeds, n_epochs = drawn
    together = fit_many(configs, SPLITS[name], n_epochs=n_epochs, seed=seeds)
    for name_of_curve in CURVES:
        assert getattr(together, name_of_curve).shape == (len(configs), n_epochs)
    for i, config in enumerate(configs):
        seed = seeds if isinstance(seeds, int) else seeds[i]
        assert_same(row(together, i), fit(config, SPLITS[name], n_epochs=n_epochs, seed=seed))


@pytest.mark.parametrize(
    ("name", "min_batch"), [("iris", 1), ("wine", 1), ("breast_cancer", 4), ("digits", 8)]
)
@settings(max_examples=7)
@given(data=st.data())
def test_any_population_has_the_numbers_of_fit(name, min_batch, data):
    check_against_fit(name, data.draw(populations(name, min_batch)))


@pytest.mark.parametrize("name", SPLITS)
def test_every_kind_of_batch_has_the_numbers_of_fit(name):
    """A batch of 1, a last batch of one row, a batch of all rows but one, and of the whole training
    part.
    """
    splits = SPLITS[name]
    n_rows = len(splits.y_train)
    one = 8 if name == "digits" else 1
    sizes = [one, next(b for b in range(20, n_rows) if n_rows % b == 1), n_rows - 1, n_rows]
    configs = [{"lr": splits.max_lr / 2, "batch_size": b, "hidden_size": 8} for b in sizes]
    together = fit_many(configs, splits, n_epochs=2, seed=1)
    for i, config in enumerate(configs):
        assert_same(row(together, i), fit(config, splits, n_epochs=2, seed=1))


@pytest.mark.parametrize(
    ("name", "batch_size", "n_epochs"),
    [("iris", 16, 81), ("wine", 16, 81), ("breast_cancer", 64, 81), ("digits", 64, 30)],
)
def test_long_trainings_at_the_largest_lr_still_have_the_numbers_of_fit(name, batch_size, n_epochs):
    splits = SPLITS[name]
    config = {"lr": splits.max_lr, "batch_size": batch_size, "hidden_size": 16}
    together = fit_many([config, config | {"hidden_size": 8}], splits, n_epochs=n_epochs)
    assert_same(row(together, 0), fit(config, splits, n_epochs=n_epochs))


def test_beyond_the_well_conditioned_range_the_first_epochs_agree():
    """Later ones need not: rounding grows until two correct programs disagree."""
    config = {"lr": 0.05, "batch_size": 64}
    together = fit_many([config], SPLITS["digits"], n_epochs=1)
    assert_same(row(together, 0), fit(config, SPLITS["digits"], n_epochs=1))


def test_large_stacks_have_the_numbers_of_fit():
    """More members of one kind than fit into a stack, some of another kind, and a few of many
    kinds.
    """
    rng = np.random.default_rng(0)
    lrs = 10 ** rng.uniform(-4, -1, 150)
    kinds = (
        [(16, 16)] * 100
        + [(90, 8)] * 20
        + [(int(b), int(h)) for b, h in rng.integers((8, 1), (91, 33), (30, 2))]
    )
    configs = [
        {"lr": float(lr), "batch_size": b, "hidden_size": h}
        for lr, (b, h) in zip(lrs, kinds, strict=True)
    ]
    # or this tests less than it says
    assert population_module.STACK < 100 and population_module.SMALL <= 20
    order = rng.permutation(150)
    together = fit_many([configs[i] for i in order], IRIS, n_epochs=2)
    for place in (
        0,
        1,
        50,
        100,
        148,
        149,
        *np.flatnonzero(np.isin(order, [0, 63, 64, 99, 100, 119, 120])),
    ):
        assert_same(row(together, place), fit(configs[order[place]], IRIS, n_epochs=2))


# --- independence of the members ------------------------------------------------------------------


def test_order_and_company_do_not_matter():
    whole = fit_many(MIXED, IRIS, n_epochs=4)
    backwards = fit_many(MIXED[::-1], IRIS, n_epochs=4)
    assert_same(rows(backwards, slice(None, None, -1)), whole, 1e-12)
    for i, config in enumerate(MIXED):
        assert_same(row(fit_many([config], IRIS, n_epochs=4), 0), row(whole, i), 1e-12)


def test_a_seed_for_each_configuration():
    seeds = [3, 3, 0, 7, 2**61, 1]
    together = fit_many(MIXED, IRIS, n_epochs=2, seed=seeds)
    for i, (config, seed) in enumerate(zip(MIXED, seeds, strict=True)):
        assert_same(row(together, i), fit(config, IRIS, n_epochs=2, seed=seed))


@pytest.mark.parametrize("n_each", [1, 20])
def test_many_seeds_of_one_configuration(n_each):
    seeds = np.repeat([0, 1, 2], n_each)
    together = fit_many([MIXED[0]] * len(seeds), IRIS, n_epochs=2, seed=seeds)
    for i, seed in [(0, 0), (n_each, 1), (-1, 2)]:
        assert_same(row(together, i), fit(MIXED[0], IRIS, n_epochs=2, seed=seed))


def test_a_split_for_each_configuration():
    splits = [load_splits("iris", seed=s) for s in (1, 2, 1, 3, 4, 2)]
    together = fit_many(MIXED, splits, n_epochs=2, seed=[0, 1, 0, 1, 0, 1])
    for i, (config, split) in enumerate(zip(MIXED, splits, strict=True)):
        assert_same(row(together, i), fit(config, split, n_epochs=2, seed=i % 2))


def test_many_splits_of_one_configuration_train_as_one_stack():
    splits = [load_splits("iris", seed=s) for s in range(30)]
    together = fit_many([MIXED[0]] * 30, splits, n_epochs=2)
    for i in (0, 13, 29):
        assert_same(row(together, i), fit(MIXED[0], splits[i], n_epochs=2))
    assert len(set(together.val_loss[:, -1])) == 30


@pytest.mark.parametrize(
    "company",
    [MIXED, [MIXED[0]] * 20, [MIXED[0] | {"lr": lr} for lr in np.linspace(0.001, 0.1, 70)]],
)
def test_a_diverging_member_leaves_the_others_untouched(company):
    wild = company[0] | {"lr": 1e200}
    middle = len(company) // 2
    with_it = fit_many([*company[:middle], wild, *company[middle:]], IRIS, n_epochs=4)
    others = [i for i in range(len(company) + 1) if i != middle]
    assert_same(rows(with_it, others), fit_many(company, IRIS, n_epochs=4), 1e-12)
    assert all(np.isnan(getattr(with_it, name)[middle]).all() for name in CURVES)
    failures = [failure_reason(losses) for losses in with_it.val_loss]
    assert [bool(reason) for reason in failures] == [i == middle for i in range(len(company) + 1)]
    assert failures[middle] == fit(wild, IRIS, n_epochs=4).failure


def test_common_random_numbers():
    """One seed: the same initial weights for one hidden size, and the same shuffles for one batch
    size.
    """
    population = Population(
        [MIXED[0], MIXED[0] | {"lr": 0.1, "batch_size": 90}, MIXED[4]], IRIS, seed=5
    )
    same_weights(population.model(0), population.model(1), 0)
    assert population.model(2).hidden.weight.shape == (16, 4)
    # A learning rate too small to move anything leaves only the shuffles and the weights, which are
    # alike.
    curves = fit_many(
        [{"lr": 1e-200, "batch_size": 16}, {"lr": 2e-200, "batch_size": 16}], IRIS, n_epochs=2
    )
    assert_same(row(curves, 0), row(curves, 1), 0)


def test_the_global_random_states_are_neither_read_nor_changed():
    kept = torch.get_rng_state(), np.random.get_state(), random.getstate()
    try:
        curves = []
        for seed in (1, 2):
            torch.manual_seed(seed), np.random.seed(seed), random.seed(seed)
            before = torch.get_rng_state(), np.random.get_state(), random.getstate()
            population = Population(MIXED, IRIS)
            curves.append(population.train_to(2).curves())
            population.model(0)
            assert torch.equal(torch.get_rng_state(), before[0])
            assert all(
                np.array_equal(a, b) for a, b in zip(np.random.get_state(), before[1], strict=True)
            )
            assert random.getstate() == before[2]
        assert_same(*curves, 0)
    finally:
        torch.set_rng_state(kept[0]), np.random.set_state(kept[1]), random.setstate(kept[2])


# --- going on, and keeping some -------------------------------------------------------------------


def test_training_to_5_then_to_20_is_training_to_20():
    in_two = Population(MIXED, IRIS).train_to(5)
    first = in_two.curves()
    whole = fit_many(MIXED, IRIS, n_epochs=20)
    assert_same(first, rows(whole, np.s_[:, :5]))
    assert_same(in_two.train_to(20).curves(), whole, 1e-12)


def test_training_to_where_it_stands_does_nothing():
    population = Population(MIXED, IRIS).train_to(2)
    before = population.curves()
    assert population.train_to(2) is population and population.epoch == 2
    assert_same(population.curves(), before, 0)


def test_a_new_population_has_curves_of_no_epoch():
    assert Population(MIXED, IRIS).curves().val_loss.shape == (len(MIXED), 0)


@pytest.mark.parametrize(
    "indices", [[4], [5, 0, 3], np.array([1, 2]), slice(2, 5), -1, [True] + [False] * 4 + [True]]
)
def test_a_subset_has_the_rows_of_the_whole(indices):
    chosen = np.atleast_1d(np.arange(len(MIXED))[indices])
    whole = fit_many(MIXED, IRIS, n_epochs=6)
    population = Population(MIXED, IRIS).train_to(2)
    some = population[indices]
    assert len(some) == len(chosen) and some.epoch == 2
    assert_same(some.curves(), rows(whole, np.ix_(chosen, range(2))))
    assert_same(some.train_to(6).curves(), rows(whole, chosen))
    # What the subset did has not touched the population it came from.
    assert population.epoch == 2
    assert_same(population.train_to(6).curves(), whole)


def test_a_subset_with_seeds_and_splits_of_their_own():
    splits = [load_splits("iris", seed=s) for s in range(6)]
    whole = Population(MIXED, splits, seed=range(6)).train_to(1)
    assert_same(
        whole[[3, 1]].train_to(3).curves(),
        fit_many([MIXED[3], MIXED[1]], [splits[3], splits[1]], n_epochs=3, seed=[3, 1]),
    )


def test_a_member_as_a_model_is_the_model_of_fit():
    population = Population(MIXED, IRIS, seed=2).train_to(3)
    curves = population.curves()
    for i, config in enumerate(MIXED):
        same_weights(population.model(i), fit(config, IRIS, n_epochs=3, seed=2).model)
        loss, accuracy = evaluate(population.model(i), IRIS.X_val, IRIS.y_val)
        assert (
            loss == pytest.approx(curves.val_loss[i, -1], abs=1e-12)
            and accuracy == curves.val_accuracy[i, -1]
        )


def test_a_model_is_a_copy():
    population = Population(MIXED, IRIS).train_to(1)
    model = population.model(0)
    with torch.no_grad():
        model.hidden.weight.zero_()
    assert_same(population.train_to(3).curves(), fit_many(MIXED, IRIS, n_epochs=3))


def test_a_saved_state_goes_on_to_the_bit():
    seeds = [0, 0, 1, 1, 2, 3]
    population = Population(MIXED, IRIS, seed=seeds).train_to(3)
    state = population.state_dict()
    uninterrupted = population.train_to(7)
    other = Population(MIXED, IRIS, seed=seeds)
    other.load_state_dict(state)
    assert other.epoch == 3
    assert_same(other.curves(), rows(uninterrupted.curves(), np.s_[:, :3]), 0)
    assert_same(other.train_to(7).curves(), uninterrupted.curves(), 0)
    for i in range(len(MIXED)):
        same_weights(other.model(i), uninterrupted.model(i), 0)


def test_a_saved_state_serves_twice_and_turns_a_population_back():
    population = Population(MIXED, IRIS).train_to(2)
    state = population.state_dict()
    first = population.train_to(5).curves()
    population.load_state_dict(state)
    assert population.epoch == 2
    assert_same(population.train_to(5).curves(), first, 0)


def test_a_subsets_state_loads_into_a_population_of_its_configurations():
    some = Population(MIXED, IRIS).train_to(2)[[0, 5]]  # the widest network is not among them
    fresh = Population([MIXED[0], MIXED[5]], IRIS)
    fresh.load_state_dict(some.state_dict())
    assert_same(fresh.train_to(4).curves(), fit_many([MIXED[0], MIXED[5]], IRIS, n_epochs=4))


@pytest.mark.parametrize(
    ("configs", "splits", "seed", "says"),
    [
        (MIXED[:3], IRIS, [0, 1, 1], "member 3 is None"),
        ([*MIXED, MIXED[0]], IRIS, [0, 1, 1, 1, 0, 0, 0], "member 6 is .*, here it is None"),
        (MIXED, IRIS, [0, 1, 1, 1, 0, 2], "member 5"),
        (MIXED, IRIS, [1, 0, 1, 1, 0, 0], "member 0"),  # the same seeds, given to others
        ([MIXED[5], *MIXED[1:5], MIXED[0]], IRIS, [0, 1, 1, 1, 0, 0], "member 0"),
        (
            [*MIXED[:5], MIXED[5] | {"lr": 0.031}],
            IRIS,
            [0, 1, 1, 1, 0, 0],
            r"member 5 is .*0\.031.* here it is .*0\.03,",
        ),
        ([*MIXED[:5], MIXED[5] | {"batch_size": 8}], IRIS, [0, 1, 1, 1, 0, 0], "member 5"),
        ([*MIXED[:5], MIXED[5] | {"weight_decay": 0.1}], IRIS, [0, 1, 1, 1, 0, 0], "member 5"),
        (
            [*MIXED[:2], MIXED[2] | {"hidden_size": 31}, *MIXED[3:]],
            IRIS,
            [0, 1, 1, 1, 0, 0],
            "member 2",
        ),
        (MIXED, [*[IRIS] * 4, load_splits("iris", seed=1), IRIS], [0, 1, 1, 1, 0, 0], "member 4"),
    ],
)
def test_the_state_of_another_population_is_refused_and_changes_nothing(
    configs, splits, seed, says
):
    state = Population(configs, splits, seed=seed).train_to(2).state_dict()
    population = Population(MIXED, IRIS, seed=[0, 1, 1, 1, 0, 0]).train_to(1)
    with pytest.raises(ValueError, match=says):
        population.load_state_dict(state)
    assert_same(
        population.train_to(3).curves(), fit_many(MIXED, IRIS, n_epochs=3, seed=[0, 1, 1, 1, 0, 0])
    )


@pytest.mark.parametrize("state", [None, {}, [1], {"W1": torch.zeros(3)}])
def test_what_is_no_state_is_refused(state):
    with pytest.raises(TypeError, match=r"state is a \w+; a mapping that state_dict"):
        Population(MIXED, IRIS).load_state_dict(state)


# --- interrupted ----------------------------------------------------------------------------------

THREE_STACKS = [
    {"lr": 0.01 + i / 1000, "batch_size": 16, "hidden_size": h}
    for h in (8, 16, 32)
    for i in range(20)
]


@pytest.mark.parametrize("error", [KeyboardInterrupt, RuntimeError])
@pytest.mark.parametrize("n_finished", [0, 1, 2])
def test_an_interrupt_leaves_the_population_as_it_was(error, n_finished, monkeypatch):
    """Inside one of three stacks, after it has moved its weights: trained on, the numbers are those
    of fit.
    """
    expected = fit_many(THREE_STACKS, IRIS, n_epochs=6, seed=[0, 1] * 30)
    population = Population(THREE_STACKS, IRIS, seed=[0, 1] * 30).train_to(2)
    train_stack, finished = population_module.train_stack, []

    def interrupted(*args):
        curves = train_stack(*args)
        if len(finished) == n_finished:
            raise error
        finished.append(len(curves[0]))
        return curves

    before = population.state_dict()
    with monkeypatch.context() as patch:
        patch.setattr(population_module, "train_stack", interrupted)
        with pytest.raises(error):
            population.train_to(4)
    assert finished == [20] * n_finished
    assert_same_state(population.state_dict(), before)
    assert_same(population.train_to(6).curves(), expected, 1e-12)
    for i in (0, 21, 59):
        assert_same(row(population.curves(), i), fit(THREE_STACKS[i], IRIS, n_epochs=6, seed=i % 2))


def test_an_interrupt_at_any_line_leaves_it_as_it_was_or_trained(monkeypatch):
    """A KeyboardInterrupt before each line of population.py that train_to runs through, with two
    stacks.
    """
    monkeypatch.setattr(population_module, "SMALL", 1)
    configs = [MIXED[0], MIXED[2]]
    expected = fit_many(configs, IRIS, n_epochs=3)
    population = Population(configs, IRIS).train_to(1)
    before, epochs, countdown = population.state_dict(), [], 0

    def trace(frame, event, arg):
        nonlocal countdown
        if frame.f_code.co_filename != population_module.__file__:
            return None
        if event == "line":
            countdown -= 1
            if countdown == 0:
                raise KeyboardInterrupt
        return trace

    previous = sys.gettrace()
    for line in range(1, 1000):
        population.load_state_dict(before)
        countdown = line
        sys.settrace(trace)
        try:
            population.train_to(2)
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(previous)
        epochs.append(population.epoch)
        assert_same(population.train_to(3).curves(), expected, 1e-12)
        if countdown > 0:  # no line was left to be interrupted at
            break
    assert epochs == sorted(epochs) and epochs.count(1) > 40 and 2 in epochs[:-1]


# --- chunks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunk", [1, 4, 6])
def test_chunks_give_the_same_numbers(chunk, monkeypatch):
    splits = [load_splits("iris", seed=s) for s in range(6)]
    expected = fit_many(MIXED, splits, n_epochs=2, seed=range(6))
    sizes = []

    class Counted(Population):
        def __init__(self, configs, *args, **kwargs):
            sizes.append(len(configs))
            super().__init__(configs, *args, **kwargs)

    monkeypatch.setattr(population_module, "CHUNK", chunk)
    monkeypatch.setattr(population_module, "Population", Counted)
    assert_same(fit_many(MIXED, splits, n_epochs=2, seed=range(6)), expected, 1e-12)
    assert sum(sizes) == 6 and max(sizes) == chunk


def test_progress_shows_a_bar_that_leaves_nothing_behind(capfd, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE")
    fit_many(MIXED[:1], IRIS, n_epochs=1, progress=True)
    shown = capfd.readouterr().err
    assert "1/1" in shown or "0/1" in shown
    assert shown.endswith("\r")


# --- what is given --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make", [lambda c: Population(c, IRIS), lambda c: fit_many(c, IRIS, n_epochs=1)]
)
def test_no_configurations_are_refused(make):
    with pytest.raises(ValueError, match="configs is empty"):
        make([])


def test_a_bad_configuration_is_refused():
    with pytest.raises(ValueError, match="batch_size is 91"):
        Population([*MIXED, {"lr": 0.1, "batch_size": 91}], IRIS)
    with pytest.raises(ValueError, match="rate"):
        fit_many([{"rate": 0.1, "batch_size": 16}], IRIS, n_epochs=1)


def test_the_number_of_seeds_and_splits_must_be_that_of_the_configurations():
    with pytest.raises(ValueError, match="seed has 2 entries; there are 6"):
        Population(MIXED, IRIS, seed=[0, 1])
    with pytest.raises(ValueError, match="splits has 1 entries; there are 6"):
        fit_many(MIXED, [IRIS], n_epochs=1)


@pytest.mark.parametrize(
    ("seed", "error"),
    [
        (-1, ValueError),
        ([0, -1], ValueError),
        ([0, 0.5], TypeError),
        (True, TypeError),
        (0.5, TypeError),
    ],
)
def test_bad_seeds_are_refused(seed, error):
    with pytest.raises(error, match="seed"):
        Population(MIXED[:2], IRIS, seed=seed)


def test_splits_of_different_shapes_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        Population(MIXED[:2], [IRIS, SPLITS["wine"]])


@pytest.mark.parametrize(
    ("epoch", "error"), [(0, ValueError), (1, ValueError), (2.5, TypeError), (True, TypeError)]
)
def test_a_bad_epoch_is_refused(epoch, error):
    population = Population(MIXED[:1], IRIS).train_to(2)
    with pytest.raises(error, match="epoch"):
        population.train_to(epoch)


def test_indices_that_select_nothing_are_refused():
    with pytest.raises(ValueError, match="no member"):
        Population(MIXED, IRIS)[[]]
    with pytest.raises(IndexError):
        Population(MIXED, IRIS)[[6]]
