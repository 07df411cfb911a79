"""The strategies: grid and random search by hand, Bayesian optimisation, and resuming."""

import inspect
import math

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from hpt_helpers import strategies
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import Ask, Told, run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import (
    bayesian,
    bayesian_search,
    grid_search,
    hyperband,
    random_search,
    successive_halving,
)
from hpt_helpers.trials import append_trial, config_of, same_trials, trial_record

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64)})


def bowl(config, n_epochs=0):
    return (math.log10(config["lr"]) + 3) ** 2 + (config["batch_size"] - 40) ** 2 / 1000


# --- all of them ----------------------------------------------------------------------------------


def strategies_of_the_course():
    return [f for _, f in inspect.getmembers(strategies, inspect.isgeneratorfunction)]


# --- grid and random ------------------------------------------------------------------------------


@pytest.mark.parametrize("configs", [SPACE, {"lr": [0.01]}])
def test_a_space_is_no_grid(configs):
    with pytest.raises(TypeError, match=r"configs is .*a list .* such as space\.grid\(\)"):
        run(grid_search(configs, 1), per_trial(bowl))


@pytest.mark.parametrize("name", ["acq_func", "random_state"])
def test_an_unknown_option_of_a_bayesian_search_is_named(name):
    allowed = "batch_size, clip, first, log_loss, told, xi"
    with pytest.raises(TypeError, match=rf"{name} is no option of .*; allowed are {allowed}"):
        run(bayesian_search(SPACE, 3, 1, seed=0, **{name: "EI"}), per_trial(bowl))


def test_grid_search_asks_once_for_everything():
    configs = [{"lr": 0.01, "batch_size": b} for b in (16, 32)]
    strategy = grid_search(configs, 7)
    assert next(strategy) == [(configs[0], 7), (configs[1], 7)]
    with pytest.raises(StopIteration):
        strategy.send(np.zeros(2))


def test_grid_search_takes_any_iterable_and_the_epochs_of_each():
    asked = next(grid_search({"lr": 0.01, "batch_size": 16, "epochs": e} for e in (50, 100)))
    assert (
        [n_epochs for _, n_epochs in asked]
        == [config["epochs"] for config, _ in asked]
        == [50, 100]
    )


def test_random_search_asks_for_what_the_space_samples():
    assert next(random_search(SPACE, 6, 3, seed=5)) == [
        (config, 3) for config in SPACE.sample(6, seed=5)
    ]


def test_random_search_draws_the_epochs_too():
    space = SearchSpace({"lr": Real(0.01, 0.1), "epochs": Choice([2, 4])})
    asked = next(random_search(space, 20, seed=0))
    assert all(config["epochs"] == n_epochs for config, n_epochs in asked)
    assert {n_epochs for _, n_epochs in asked} == {2, 4}


@pytest.mark.parametrize(("budget", "warns"), [(20, True), (21, False), (30, False)])
def test_a_budget_that_cuts_a_grid_is_a_warning(budget, warns, recwarn):
    """Its last rows are a part of the space that nobody looks at; random configurations and rungs
    are not.
    """
    configs = [{"lr": 0.01, "batch_size": b} for b in (16, 32, 64)]
    assert len(run(grid_search(configs, 7), per_trial(bowl), budget=budget)) == budget // 7 - (
        budget == 30
    )
    run(random_search(SPACE, 3, 7, seed=0), per_trial(bowl), budget=budget)
    run(successive_halving(configs, [(3, 7)]), per_trial(bowl), budget=budget)
    next(grid_search(configs, 7))  # one that nobody goes on with
    said = [(str(w.message), w.filename) for w in recwarn]
    assert (
        said
        == [("the budget ended before the grid: its last configurations were not tried", __file__)]
        * warns
    )


def test_a_grid_inside_another_strategy_warns_too():
    """A strategy is closed where it catches the end of its budget and asks for more."""
    configs = [{"lr": 0.01, "batch_size": b} for b in (16, 32, 64)]

    def wrapped():
        yield from grid_search(configs, 7)
        yield [(configs[0], 1)]

    with pytest.warns(UserWarning, match="the budget ended before the grid") as warned:
        assert len(run(wrapped(), per_trial(bowl), budget=20)) == 2
    assert [w.filename for w in warned] == [__file__]


# --- Bayesian optimisation ------------------------------------------------------------------------


@pytest.mark.parametrize("batch_size", [1, 3])
def test_bayesian_search_asks_for_new_plain_values_as_many_as_workers(batch_size):
    strategy = bayesian_search(SPACE, 10, 9, seed=0, batch_size=batch_size)
    ask, sizes, configs = next(strategy), [], []
    asked = ask.trials
    for _ in range(9 // batch_size):
        sizes.append(len(asked))
        assert all(config in SPACE and n_epochs == 9 for config, n_epochs in asked)
        assert {tuple(map(type, config.values())) for config, _ in asked} == {(float, int)}
        configs += [tuple(config.values()) for config, _ in asked]
        told = [
            Told(config, 9, bowl(config), label)
            for (config, _), label in zip(asked, ask.labels, strict=True)
        ]
        ask = strategy.send(told)
        asked = ask.trials
    assert sizes == [batch_size] * (9 // batch_size) and len(asked) == 1 and len(set(configs)) == 9
    with pytest.raises(StopIteration):
        strategy.send([Told(asked[0][0], 9, 0.5, 9)])


@pytest.mark.parametrize("space", [{"lr": Real(0, 1)}, [Real(0, 1)], None])
@pytest.mark.parametrize(
    "make",
    [
        lambda space: random_search(space, 3, 9, seed=0),
        lambda space: bayesian_search(space, 3, 9, seed=0),
        lambda space: hyperband(space, 9, seed=0),
    ],
)
def test_what_is_no_search_space_is_refused(make, space):
    with pytest.raises(TypeError, match=r"space is .*; a SearchSpace is needed"):
        run(make(space), per_trial(bowl))


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"seed": "1"}, TypeError, "seed is '1'"),
        ({"clip": 2}, ValueError, "clip is 2; a quantile from 0 to 1 is needed"),
        ({"clip": math.nan}, ValueError, "clip is nan"),
        ({"clip": "0.5"}, TypeError, "clip is '0.5'"),
    ],
)
def test_bad_settings_of_a_bayesian_search_are_refused(options, error, says):
    with pytest.raises(error, match=says):
        run(bayesian_search(SPACE, 3, 9, **{"seed": 0} | options), per_trial(bowl))


@pytest.mark.parametrize("strategy", [bayesian_search, random_search])
@pytest.mark.parametrize(("n_trials", "error"), [(0, ValueError), ("5", TypeError)])
def test_a_bad_number_of_trials_is_refused(strategy, n_trials, error):
    with pytest.raises(error, match=f"n_trials is {n_trials!r}"):
        run(strategy(SPACE, n_trials, 9, seed=0), per_trial(bowl))


@pytest.mark.parametrize(("batch_size", "error"), [(0, ValueError), (1.5, TypeError)])
def test_a_bad_batch_size_is_refused(batch_size, error):
    with pytest.raises(error, match="batch_size is"):
        next(bayesian_search(SPACE, 3, 9, seed=0, batch_size=batch_size))


@pytest.mark.parametrize("batch_size", [1, 5])
def test_no_point_is_asked_for_twice_while_there_are_others(batch_size):
    """Warnings are errors here: the library's own, that it repeats a point, is none of ours."""
    space = SearchSpace({"a": Integer(1, 6), "b": Choice(["x", "y"])})
    trials = run(
        bayesian_search(space, 15, 1, seed=0, batch_size=batch_size),
        per_trial(lambda config, n_epochs: (config["a"] - 2) ** 2 + (config["b"] == "x")),
    )
    drawn = list(zip(trials["a"], trials["b"], strict=True))
    assert len(set(drawn[:12])) == 12 and len(drawn) == 15


def test_the_scale_of_the_losses_does_not_matter():
    """A power of 2, which is exact.

    With an xi of 0.01 the small ones would all be equally good.
    """
    searches = [
        run(
            bayesian_search(SPACE, 14, 9, seed=2),
            per_trial(lambda c, n, scale=scale: scale * bowl(c)),
        )
        for scale in (1, 2**-7)
    ]
    assert searches[0]["lr"].tolist() == searches[1]["lr"].tolist()
    assert searches[1]["val_loss"].tolist() == [loss / 128 for loss in searches[0]["val_loss"]]


def test_a_plateau_of_large_losses_does_not_hide_the_small_ones():
    """Two fifths of the space are a hundred times worse: random search beats an optimiser that is
    told so.
    """

    def plateau(config, n_epochs):
        x, y = math.log10(config["lr"]) / 4 + 1, config["y"]
        return (
            0.05 + (x - 0.6) ** 2 + 0.6 * (y - 0.3) ** 2 if x < 0.75 and y < 0.6 else 100 + 50 * y
        )

    space = SearchSpace({"lr": Real(1e-4, 1, log=True), "y": Real(0, 1)})

    def median_of_best(make):
        return np.median(
            [run(make(seed), per_trial(plateau))["val_loss"].min() for seed in range(7)]
        )

    by_chance = median_of_best(lambda seed: random_search(space, 16, 1, seed=seed))
    told_all = median_of_best(lambda seed: bayesian_search(space, 16, 1, seed=seed, clip=1))
    assert median_of_best(lambda seed: bayesian_search(space, 16, 1, seed=seed)) < min(
        by_chance, told_all
    )


def test_a_failed_trial_is_told_as_the_worst():
    found = bayesian.told_as(np.array([math.nan, 0.5, 0.7, math.inf]), 1, False)
    assert found.tolist() == [0.7, 0.5, 0.7, 0.7]


def test_large_losses_are_told_as_less_than_as_far_again_as_the_lowest():
    """The median of 1, 2, 3, 5 and 901 is 3, which lies 2 above the lowest; 5 lies 2 above it."""
    found = bayesian.told_as(np.array([3.0, 1.0, 901.0, 2.0, 5.0]), 0.5, False)
    np.testing.assert_allclose(found, [3, 1, 3 + 2 * 898 / 900, 2, 3 + 2 * 2 / 4], rtol=1e-12)
    # where most are the lowest, nothing is changed
    assert bayesian.told_as(np.array([1.0, 1.0, 1.0, 9.0]), 0.5, False).tolist() == [1, 1, 1, 9]


def test_logarithms_are_told_of_positive_losses_only():
    found = bayesian.told_as(np.array([1.0, 10.0, 0.1, math.nan]), 1, True)
    np.testing.assert_allclose(found, np.array([0, 1, -1, 1]) * math.log(10))
    with pytest.raises(ValueError, match=r"a loss is 0.0; log_loss needs losses greater than 0"):
        bayesian.told_as(np.array([1.0, 0.0]), 1, True)


KNOWN_GOOD = [{"lr": 0.001, "batch_size": 40}, {"lr": 0.002, "batch_size": 30}]


def test_known_good_configurations_come_first_each_once():
    first = [*KNOWN_GOOD, KNOWN_GOOD[0]]
    trials = run(bayesian_search(SPACE, 4, 9, seed=0, first=first), per_trial(bowl))
    assert trials["config"].tolist()[:2] == KNOWN_GOOD and trials["lr"].nunique() == 4
    with pytest.raises(ValueError, match=r"first\[0\] is .*; a configuration in SearchSpace"):
        next(bayesian_search(SPACE, 4, 9, seed=0, first=[{"lr": 1.0, "batch_size": 40}]))


def test_what_it_is_told_replaces_the_random_start_and_is_not_tried_again():
    told = [(config, bowl(config)) for config in SPACE.sample(20, seed=5)]
    trials = run(bayesian_search(SPACE, 3, 9, seed=0, told=told), per_trial(bowl))
    chance = [bowl(config) for config in SPACE.sample(1000, seed=0)]
    assert trials["val_loss"].max() < np.quantile(chance, 0.1)
    assert not any(config in [c for c, _ in told] for config in trials["config"])


def test_trials_told_of_other_epochs_are_left_out_and_counted():
    told = [(config, n, bowl(config)) for n in (3, 9) for config in SPACE.sample(8, seed=5)]
    with pytest.warns(UserWarning, match="8 of the 16 trials told were not trained for 9 epochs"):
        some = next(bayesian_search(SPACE, 3, 9, seed=0, told=told))
    only = next(bayesian_search(SPACE, 3, 9, seed=0, told=told[8:]))
    assert some.trials == only.trials


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("n_told", "least"), [(6, 0.03), (30, 0.005)])
def test_what_runs_is_imagined_so_that_no_two_workers_try_the_same(n_told, least, seed):
    """The more the process knows of the bowl, the nearer to its lowest point all of them are."""
    told = [(config, bowl(config)) for config in SPACE.sample(n_told, seed=5 + seed)]
    strategy = bayesian_search(SPACE, 9, 9, seed=seed, told=told)
    asked = [next(strategy)]
    asked += [strategy.send([]) for _ in range(3)]
    assert all(ask.late and len(ask.trials) == 1 for ask in asked)
    points = SPACE.to_unit([ask.trials[0][0] for ask in asked])
    apart = [np.linalg.norm(a - b) for i, a in enumerate(points) for b in points[:i]]
    assert min(apart) > least
    # a label finds its trial, in whatever order they end
    config = asked[2].trials[0][0]
    after = strategy.send([Told(config, 9, bowl(config), asked[2].labels[0])])
    assert after.late and after.labels[0] == 4


def test_by_a_batch_size_above_1_it_waits():
    ask = next(bayesian_search(SPACE, 9, 9, seed=0, batch_size=3))
    assert not ask.late and len(ask.trials) == 3


def test_a_log_of_scikit_optimizes_search_is_refused(tmp_path):
    log = tmp_path / "log"
    before = Ask([(KNOWN_GOOD[0], 9)], f"bayesian_search, seed=3, in {SPACE}")
    run((ask for ask in [before]), Counted(), log=log)
    with pytest.raises(ValueError, match="log of another search"):
        run(bayesian_search(SPACE, 3, 9, seed=3), Counted(), log=log)


def test_the_surrogate_is_fitted_on_one_thread_and_the_others_are_given_back(monkeypatch):
    """With two, 50 trials of six parameters took six times the processor time."""
    import scipy.linalg  # noqa: F401 — it loads the libraries whose threads are meant

    def threads():
        return {i["num_threads"] for i in threadpool_info() if i["user_api"] == "blas"}

    def fit(*arguments, **options):
        inside.append(threads())
        return likeliest(*arguments, **options)

    inside, likeliest = [], bayesian.likeliest
    monkeypatch.setattr(bayesian, "likeliest", fit)
    with threadpool_limits(2, user_api="blas"):
        before = threads()
        run(bayesian_search(SPACE, 8, 1, seed=0), per_trial(bowl))
        assert threads() == before
    assert inside == [{1}] * len(inside) and len(inside) > 1


CLOSE = [
    [0.00016, 45, 16],
    [0.060096, 14, 18],
    [0.048868, 54, 10],
    [0.046679, 48, 35],
    [0.022707, 41, 48],
    [0.024548, 43, 10],
    [0.051227, 52, 8],
    [0.049958, 56, 11],
    [0.055589, 47, 10],
    [0.056117, 47, 10],
    [0.061038, 45, 10],
]
LOSSES = [
    1.108279,
    0.114969,
    0.055965,
    0.175836,
    0.139866,
    0.203174,
    0.143689,
    0.120775,
    0.024103,
    0.022696,
    0.212907,
]


def test_the_last_digit_of_a_loss_does_not_lead_a_bayesian_search_elsewhere():
    """A real search on iris; by scikit-learn's own fit thirty such changes lead to five different
    next trials.
    """
    space = SearchSpace(
        {
            "lr": Real(1e-4, 0.1, log=True),
            "batch_size": Integer(8, 64),
            "hidden_size": Integer(4, 64),
        }
    )
    rng, found = np.random.default_rng(0), set()
    for _ in range(30):
        search = bayesian_search(space, 12, 9, seed=11)
        next(search)
        for i, (point, loss) in enumerate(zip(CLOSE, LOSSES, strict=True)):
            config = dict(zip(space, point, strict=True))
            asked = search.send([Told(config, 9, loss * (1 + 1e-13 * rng.normal()), i)])
        [(config, _)] = asked.trials
        found.add(tuple(config.values()))
    assert len(found) == 1


def test_bayesian_search_goes_on_when_its_first_trials_fail():
    """With the real optimiser, which must not ask for the same point for ever."""
    for batch_size in (1, 2):
        losses = iter([math.nan, math.nan])
        strategy = bayesian_search(SPACE, 6, 9, seed=1, batch_size=batch_size)
        trials = run(strategy, per_trial(lambda c, n, losses=losses: next(losses, bowl(c))))
        assert len(trials) == 6 and trials["lr"].nunique() == 6


# --- resuming -------------------------------------------------------------------------------------


class Counted:
    """An objective that counts its calls."""

    def __init__(self, function=bowl):
        self.function, self.n_calls = function, 0

    def __call__(self, requests):
        for request in requests:
            self.n_calls += 1
            yield self.function(request.config)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_resumed_bayesian_search_goes_on_as_if_nothing_had_happened(batch_size, tmp_path):
    def make():
        return bayesian_search(SPACE, 9, 9, seed=3, batch_size=batch_size)

    run(make(), Counted(), budget=9 * 7, log=tmp_path / "log")  # ends inside a batch of 3
    objective = Counted()
    assert same_trials(run(make(), objective, log=tmp_path / "log"), run(make(), Counted()))
    assert objective.n_calls == 2


def without_header(log):
    """Make of a log one of before logs knew their search."""
    header, records = log.read_bytes().split(b"\n", 1)
    assert b'"format": 2' in header
    log.write_bytes(records)


SHAPES = SearchSpace(
    {
        "lr": Real(1e-4, 1, log=True),
        "layers": Choice([(8,), (8, 4), None]),
        "epochs": Integer(1, 50),
    }
)


def test_a_bayesian_search_learns_from_a_log_that_it_would_not_have_written(tmp_path):
    """As that of another processor, where the last digits led the optimiser elsewhere: here another
    seed.
    """

    def loss(config):
        return (math.log10(config["lr"]) + 2) ** 2

    log = tmp_path / "log"
    before = run(bayesian_search(SHAPES, 7, seed=11), Counted(loss), log=log)
    without_header(log)
    objective = Counted(loss)
    after = run(bayesian_search(SHAPES, 9, seed=3), objective, log=log)
    assert objective.n_calls == 2 and same_trials(after[:7], before)
    assert [config_of(after, i) for i in range(7)] == [config_of(before, i) for i in range(7)]
    other = run(bayesian_search(SHAPES, 9, seed=3), Counted(loss))
    # it learned from what was tried, not what it had asked for
    assert not set(after["lr"][7:]) & set(other["lr"])


def test_a_failed_trial_of_such_a_log_is_tried_again_as_it_was(tmp_path):
    log, failing = tmp_path / "log", iter([0.5, 0.5, math.nan, 0.5])
    before = run(
        bayesian_search(SHAPES, 4, seed=11), Counted(lambda config: next(failing)), log=log
    )
    without_header(log)
    tried = []
    objective = Counted(lambda config: tried.append(config) or 0.4)
    after = run(bayesian_search(SHAPES, 4, seed=3), objective, log=log, retry_failed=True)
    assert tried == [config_of(before, 2)] and after["val_loss"].tolist() == [0.5, 0.5, 0.4, 0.5]
    assert [config_of(after, i) for i in range(4)] == [config_of(before, i) for i in range(4)]


@pytest.mark.parametrize(
    ("space", "n_epochs", "seed", "old"),
    [
        (SPACE, 8, 0, True),
        (SPACE, 9, 1, True),
        (SearchSpace({"lr": SPACE["lr"]}), 9, 0, True),
        (SearchSpace({"lr": SPACE["lr"], "batch_size": Integer(65, 99)}), 9, 0, True),
        (SPACE, 8, 0, False),
        (SPACE, 9, 1, False),
        (SearchSpace({"lr": SPACE["lr"], "batch_size": Integer(1, 99)}), 9, 0, False),  # wider
    ],
)
def test_a_bayesian_search_of_something_else_is_refused(space, n_epochs, seed, old, tmp_path):
    log = tmp_path / "log"
    run(bayesian_search(SPACE, 3, 9, seed=3), Counted(), log=log)
    if old:
        without_header(log)
    with pytest.raises(ValueError, match=r"log of another search|a configuration in SearchSpace"):
        run(bayesian_search(space, 3, n_epochs, seed=3), Counted(), log=log, seed=seed)


def test_a_bayesian_search_refuses_the_log_of_a_random_one_and_of_another_seed(tmp_path):
    log = tmp_path / "log"
    run(random_search(SPACE, 3, 9, seed=3), Counted(), log=log)
    with pytest.raises(ValueError, match=r"its search is 'random_search', here it is .bayesian_s"):
        run(bayesian_search(SPACE, 3, 9, seed=3), Counted(), log=log)
    run(bayesian_search(SPACE, 3, 9, seed=3), Counted(), log=tmp_path / "other")
    with pytest.raises(
        ValueError,
        match=r"its search is .bayesian_search \(Gaussian process\), seed=3, in SearchSpace",
    ):
        run(bayesian_search(SPACE, 3, 9, seed=4), Counted(), log=tmp_path / "other")


@pytest.mark.parametrize("options", [{"clip": 1}, {"log_loss": True}, {"xi": 0.1}])
def test_a_bayesian_search_refuses_the_log_of_other_settings(options, tmp_path):
    log = tmp_path / "log"
    run(bayesian_search(SPACE, 3, 9, seed=3), Counted(), log=log)
    [(name, value)] = options.items()
    says = rf"here it is .bayesian_search \(Gaussian process\), seed=3, {name}={value}"
    with pytest.raises(ValueError, match=says):
        run(bayesian_search(SPACE, 3, 9, seed=3, **options), Counted(), log=log)


def test_the_defaults_of_a_bayesian_search_are_not_in_its_log():
    defaults = {"clip": 0.5, "log_loss": False, "xi": 0}
    [one, same] = (next(bayesian_search(SPACE, 3, 9, seed=3, **o)) for o in ({}, defaults))
    assert (
        one.strategy == same.strategy == f"bayesian_search (Gaussian process), seed=3, in {SPACE}"
    )


def test_a_wrapped_bayesian_search_refuses_a_log_of_a_narrower_space(tmp_path):
    def warm_start(strategy):
        yield [({"lr": 0.01, "batch_size": 20}, 9)]
        yield from strategy

    log = tmp_path / "log"
    wider = SearchSpace({"lr": SPACE["lr"], "batch_size": Integer(1, 99)})
    run(warm_start(bayesian_search(SPACE, 3, 9, seed=3)), Counted(), log=log)
    objective = Counted()
    with pytest.raises(ValueError, match=r"trial 1 of .*log of another search"):
        run(warm_start(bayesian_search(wider, 3, 9, seed=3)), objective, log=log)
    assert objective.n_calls == 0


def test_a_bayesian_search_is_extended_by_its_log(tmp_path):
    log = tmp_path / "log"
    run(bayesian_search(SPACE, 5, 9, seed=3), Counted(), log=log)
    objective = Counted()
    longer = run(bayesian_search(SPACE, 8, 9, seed=3), objective, log=log)
    assert objective.n_calls == 3
    assert same_trials(longer, run(bayesian_search(SPACE, 8, 9, seed=3), Counted()))


@pytest.mark.parametrize(
    "make",
    [
        lambda: grid_search([{"lr": 0.1, "layers": (8, 0.3)}, {"lr": 0.2, "layers": (8, 0.3)}], 3),
        lambda: successive_halving(
            [{"lr": 0.1, "layers": (8, 0.3)}, {"lr": 0.2, "layers": (8, 0.3)}], [(2, 1), (1, 3)]
        ),
    ],
)
@pytest.mark.parametrize(("digit", "refused"), [(1e-15, False), (1e-6, True)])
def test_a_log_may_differ_in_last_digits(make, digit, refused, tmp_path):
    log = tmp_path / "log"
    n_epochs = next(make())[0][1]
    append_trial(
        log,
        trial_record(
            {"lr": 0.1 * (1 + digit), "layers": [8, 0.3 * (1 - digit)]},
            n_epochs=n_epochs,
            val_loss=0.5,
        )
        | {"seed": 0},
        trial=0,
    )
    if refused:
        with pytest.raises(ValueError, match="log of another search"):
            run(make(), Counted(lambda c: 0.7), log=log)
    else:
        objective = Counted(lambda config: 0.7)
        trials = run(make(), objective, log=log)
        assert objective.n_calls == len(trials) - 1 and trials["val_loss"][0] == 0.5
        assert config_of(trials, 0)["layers"] == (8, 0.3)


# --- every kind of value --------------------------------------------------------------------------

VALUES = [
    [None, 5, 10],
    [(8,), (16, 8), (4, 4)],
    ["a", None, 1.5, (1, "b")],
    [True, False],
    [10, "10"],
]


@pytest.mark.parametrize("values", VALUES)
@pytest.mark.parametrize(
    "make",
    [
        lambda space: grid_search(space.grid(2), 3),
        lambda space: random_search(space, 9, 3, seed=0),
        lambda space: bayesian_search(space, 9, 3, seed=0),
        lambda space: bayesian_search(space, 9, 3, seed=0, batch_size=3),
        lambda space: successive_halving(space.sample(9, seed=0), [(9, 1), (3, 3)]),
        lambda space: hyperband(space, 9, seed=0),
    ],
)
def test_every_value_of_a_choice_passes_through_every_strategy_and_a_log(make, values, tmp_path):
    space = SearchSpace({"x": Real(0, 1), "choice": Choice(values)})

    def exact(config, n_epochs):
        value = config["choice"]
        return config["x"] + [type(value) is type(v) and value == v for v in values].index(True)

    trials = run(make(space), per_trial(exact), log=tmp_path / "log")
    assert (trials["status"] == "ok").all() and all(config in space for config in trials["config"])
    again = run(make(space), lambda requests: pytest.fail("all is logged"), log=tmp_path / "log")
    assert repr(again["config"]) == repr(trials["config"])
