"""ASHA and MOBSTER: promotions worked out by hand, and proposals beside a plain search's."""

import math

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import norm

from hpt_helpers.classroom.tables.table import load_table, table_problem
from hpt_helpers.objectives import per_trial
from hpt_helpers.protocol import Told
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import asynchronous
from hpt_helpers.strategies.asynchronous import (
    AshaState,
    asha,
    mobster,
    next_trial,
    relative_losses,
    rung_epochs,
    tell,
)

SQUARE = SearchSpace({"x": Real(0, 1), "y": Real(0, 1)})
MIXED = SearchSpace({"x": Real(1e-3, 1, log=True), "n": Integer(1, 9), "k": Choice(["a", "b"])})


def bowl(config, n_epochs):
    return 0.1 + (config["x"] - 0.7) ** 2 + (config["y"] - 0.2) ** 2 + 1 / n_epochs


def asked(trials):
    return list(zip(trials["config"], trials["n_epochs"], strict=True))


# --- promotions -----------------------------------------------------------------------------------

# The losses of configurations 0 to 7 after 1, 3 and 9 epochs; None where nobody should look.
LOSSES = [
    (0.9, None, None),
    (0.5, 0.4, None),
    (0.7, None, None),
    (0.3, 0.45, None),
    (0.8, None, None),
    (0.6, None, None),
    (0.4, 0.2, 0.1),
    (0.95, None, None),
]
# What ASHA does with them, as (configuration, epochs). After three results one of three may go on,
# which is 1. The fourth result is the best of four. The fifth and the sixth let nobody go on: the
# two best have gone already. The seventh does, it is then the best of three at three epochs, and it
# goes on from there before anything else.
SCHEDULE = [(0, 1), (1, 1), (2, 1), (1, 3), (3, 1), (3, 3), (4, 1), (5, 1), (6, 1), (6, 3), (6, 9)]


def numbered():
    """Return a state whose new configurations are numbered, with rungs of 1, 3 and 9 epochs."""
    return AshaState([1, 3, 9], 3, lambda state: {"number": len(state.configs)})


def end(state, job, loss):
    tell(state, job, Told(state.configs[job.number], state.rungs[job.rung], loss))


def test_promotions_are_those_worked_out_by_hand():
    state, found = numbered(), []
    for _ in SCHEDULE:
        job = next_trial(state)
        found.append((job.number, state.rungs[job.rung]))
        end(state, job, LOSSES[job.number][job.rung])
    assert found == SCHEDULE
    assert next_trial(state) == (7, 0)


def test_answers_may_come_late_and_in_any_order():
    state = numbered()
    jobs = [next_trial(state) for _ in range(3)]
    assert jobs == [(0, 0), (1, 0), (2, 0)] and state.running == jobs
    end(state, jobs[2], 0.1)
    end(state, jobs[0], 0.3)
    assert next_trial(state) == (3, 0)  # two results: a third of them is nobody
    end(state, jobs[1], 0.2)
    assert next_trial(state) == (2, 1)
    assert next_trial(state) == (4, 0)  # while it runs, nobody else is among the best third
    assert state.running == [(3, 0), (2, 1), (4, 0)]


def test_losses_that_nearly_agree_are_equal_and_the_first_goes_on():
    state = numbered()
    for loss in (0.5, 0.5 - 1e-12, 0.5 - 1e-8, 0.9, 0.9, 0.9):
        end(state, next_trial(state), loss)
        if len(state.configs) == 3:
            end(state, next_trial(state), 0.1)  # the third: it is lower by more than rounding
    assert next_trial(state) == (0, 1)


def test_failed_trials_rank_last_and_never_go_on():
    state = numbered()
    for loss in (math.nan, 0.9, math.inf):
        end(state, next_trial(state), loss)
    job = next_trial(state)
    assert job == (1, 1)
    end(state, job, math.nan)
    for _ in range(3):
        end(state, next_trial(state), math.nan)
    assert next_trial(state) == (6, 0)  # of six the two best are 1, which has gone on, and a failed


def test_rungs_are_parts_of_the_last_one_rounded_down():
    assert rung_epochs(27) == [1, 3, 9, 27]
    assert rung_epochs(50) == [1, 5, 16, 50]
    assert rung_epochs(50, min_epochs=5) == [5, 16, 50]
    assert rung_epochs(50, min_epochs=6) == [16, 50]
    assert rung_epochs(16, eta=4) == [1, 4, 16]
    assert rung_epochs(1) == [1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0,), "max_epochs is 0; it must be an integer of at least 1"),
        ((9, 1), "eta is 1; it must be an integer of at least 2"),
        ((9, 3, 10), "min_epochs is 10; it must be an integer from 1 to 9"),
    ],
)
def test_rungs_that_are_none_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        rung_epochs(*arguments)


# --- ASHA -----------------------------------------------------------------------------------------


def test_asha_starts_the_spaces_sample_in_its_order():
    trials = run(asha(SQUARE, 9, 40, seed=3), per_trial(bowl))
    assert len(trials) == 40
    started = trials.loc[trials["n_epochs"] == 1, "config"].tolist()
    assert started == SQUARE.sample(len(started), seed=3)
    assert set(trials["n_epochs"]) == {1, 3, 9}


@pytest.mark.parametrize("strategy", [asha, mobster])
def test_it_ends_when_all_of_a_small_space_was_tried(strategy):
    space = SearchSpace({"x": Integer(0, 4), "y": Choice([0, 1])})
    trials = run(strategy(space, 3, seed=0), per_trial(bowl))
    started = trials.loc[trials["n_epochs"] == 1, "config"].tolist()
    assert len(started) == 10
    assert all(config in started for config in space.grid(5))
    assert (trials["n_epochs"] == 3).sum() == 3  # a third of ten


@pytest.mark.parametrize("strategy", [asha, mobster])
def test_known_good_configurations_come_first_each_once(strategy):
    good = [{"x": 0.7, "y": 0.2}, {"x": 0.5, "y": 0.5}, {"x": 0.7, "y": 0.2}]
    trials = run(strategy(SQUARE, 1, 5, seed=0, first=good), per_trial(bowl))
    assert trials["config"].tolist() == [*good[:2], *SQUARE.sample(3, seed=0)]
    with pytest.raises(ValueError, match=r"first\[1\] is {'x': 2.0, 'y': 0.5}; a configuration in"):
        next(strategy(SQUARE, 1, seed=0, first=[good[0], {"x": 2.0, "y": 0.5}]))


# --- MOBSTER --------------------------------------------------------------------------------------


def plain_guess(tried, values, at):
    """Return mean and deviation by the textbook: one system of equations, solved anew."""

    def kernel(a, b):
        r = np.sqrt(5) * cdist(a, b) / 1.5
        return (1 + r + r**2 / 3) * np.exp(-r)

    centre, spread = values.mean(), values.std() or 1
    k = kernel(tried, at)
    weights = np.linalg.solve(kernel(tried, tried) + 1e-3 * np.eye(len(tried)), k)
    return centre + (values - centre) @ weights, spread * np.sqrt(1 - (k * weights).sum(axis=0))


def plain_gains(points, rungs, running=()):
    """Return what each candidate gains, from {candidate: loss} of each of four rungs.

    running: pairs (candidate, rung), imagined to give what is guessed.
    """
    seen, values = [], []
    for rung, done in enumerate(rungs):
        logs = np.log(list(done.values()))
        seen += [(*points[i], rung / 2) for i in done]
        values += list(logs - logs.mean()) if done else []
        best = min(values[-len(done) :]) if done else best  # noqa: F821 - rung 0 has results
    seen, values = np.array(seen), np.array(values)
    if running:
        pending = np.array([(*points[i], rung / 2) for i, rung in running])
        values = np.append(values, plain_guess(seen, values, pending)[0])
        seen = np.vstack([seen, pending])
    mean, std = plain_guess(seen, values, np.column_stack([points, np.full(len(points), 1.5)]))
    z = (best - mean) / std
    gain = (best - mean) * norm.cdf(z) + std * norm.pdf(z)
    gain[[*rungs[0], *(i for i, rung in running if rung == 0)]] = -np.inf
    return gain


def plain_mobster(points, loss_of, budget):
    """Return the trials (candidate, rung) of the search as a lesson might write it."""
    rungs, trials = [{}, {}, {}, {}], []
    while True:
        for rung in (2, 1, 0):
            best = sorted(rungs[rung], key=rungs[rung].get)[: len(rungs[rung]) // 3]
            waiting = [i for i in best if i not in rungs[rung + 1]]
            if waiting:
                trial = waiting[0], rung + 1
                break
        else:
            n = len(rungs[0])
            trial = (n if n < 5 else int(plain_gains(points, rungs).argmax())), 0
        budget -= (1, 2, 6, 18)[trial[1]]
        if budget < 0:
            return trials
        trials.append(trial)
        rungs[trial[1]][trial[0]] = loss_of(*trial)


@pytest.mark.parametrize(("name", "n_val", "repeat"), [("digits", 360, 3), ("simulated", 30, 17)])
def test_on_a_table_mobster_makes_the_trials_of_a_plain_one(name, n_val, repeat):
    table, problem = load_table(name), table_problem(name, n_val)
    space, k = problem.space(repeat), table.rows(n_val)
    trials = run(mobster(space, 27, seed=repeat), problem.objective, budget=5 * 27, seed=repeat)
    points = space.to_unit(space.configs)
    plain = plain_mobster(points, lambda i, rung: table.loss[i, repeat, k, rung], 5 * 27)
    assert asked(trials) == [(space.configs[i], 3**rung) for i, rung in plain]
    assert len(plain) > 20


def test_what_still_runs_is_imagined():
    strategy = mobster(SQUARE, 27, seed=1)
    next(strategy)
    state = strategy.gi_yieldfrom.gi_frame.f_locals["state"]
    candidates = SQUARE.sample(1000, seed=1)
    points, rungs, running = SQUARE.to_unit(candidates), [{}, {}, {}, {}], []
    assert state.running == [(0, 0)]
    for _ in range(4):
        next_trial(state)
    numbers = {tuple(config.values()): i for i, config in enumerate(candidates)}
    for job in list(state.running):
        end(state, job, bowl(state.configs[job.number], 1))
        rungs[0][job.number] = bowl(candidates[job.number], 1)
    best = min(rungs[0], key=rungs[0].get)
    for _ in range(4):
        job = next_trial(state)
        number = numbers[tuple(state.configs[job.number].values())]
        expected = best if job.rung else int(plain_gains(points, rungs, running).argmax())
        assert number == expected
        running.append((number, job.rung))
    assert [rung for _, rung in running] == [1, 0, 0, 0]


def test_it_finds_the_bowls_lowest_point_and_trains_it_on():
    trials = run(mobster(SQUARE, 9, seed=0), per_trial(bowl), budget=9 * 6)
    best = trials.loc[trials["val_loss"].idxmin()]
    assert best["n_epochs"] == 9 and bowl(best["config"], 9) - bowl({"x": 0.7, "y": 0.2}, 9) < 0.002


def test_losses_that_are_told_are_logarithms_less_the_mean_of_their_rung():
    rungs = np.array([0, 0, 0, 2])
    found = relative_losses(np.array([1.0, 10.0, math.nan, 0.5]), rungs)
    # a failed trial counts as 10, the worst of its rung
    log = math.log(10)
    np.testing.assert_allclose(found, [-2 / 3 * log, log / 3, log / 3, 0], atol=1e-12)


def test_losses_without_a_logarithm_are_told_as_distances_from_the_lowest():
    rungs = np.array([0, 0, 0, 0, 0, 1])
    found = relative_losses(np.array([-1.0, 0.0, 2.0, 6.0, math.nan, math.inf]), rungs)
    # above the lowest of the first rung they lie 0, 1, 3, 7 and 7; the median of those above is 5
    logs = np.log([5, 6, 8, 12, 12])
    np.testing.assert_allclose(found, [*(logs - logs.mean()), 0], atol=1e-12)
    np.testing.assert_array_equal(relative_losses(np.array([0.0, 0.0]), np.array([0, 1])), [0, 0])


def test_a_space_of_all_kinds_and_losses_of_both_signs_are_searched():
    def wavy(config, n_epochs):
        if config["n"] == 9:
            raise RuntimeError("too large")
        return math.sin(5 * config["x"]) - (config["k"] == "b") + config["n"] / 9

    trials = run(mobster(MIXED, 3, 60, seed=0), per_trial(wavy))
    lowest = -1 - 1 + 1 / 9  # where the sine is −1, by b and 1
    assert trials["val_loss"].min() < lowest + 0.1
    assert (trials["status"] == "failed").sum() < 15
    assert len({str(trial) for trial in asked(trials)}) == 60


def test_a_search_in_which_all_fails_goes_on():
    def fails(config, n_epochs):
        raise RuntimeError("never")

    with pytest.warns(UserWarning, match="the first three trials failed alike"):
        trials = run(mobster(SQUARE, 9, 9, seed=0), per_trial(fails))
    assert trials["config"].tolist() == SQUARE.sample(9, seed=0)


def test_a_thousand_candidates_are_followed_by_others(monkeypatch):
    monkeypatch.setattr(asynchronous, "N_CANDIDATES", 20)
    for strategy in (asha, mobster):
        trials = run(strategy(SQUARE, 1, 50, seed=2), per_trial(bowl))
        assert len({tuple(config.values()) for config in trials["config"]}) == 50


# --- told, and the log ----------------------------------------------------------------------------


def test_what_it_is_told_replaces_the_random_start():
    earlier = run(asha(SQUARE, 9, 30, seed=5), per_trial(bowl))
    trials = run(mobster(SQUARE, 9, 6, seed=6, told=earlier), per_trial(bowl))
    started = trials.loc[trials["n_epochs"] == 1, "config"].tolist()[:3]
    chance = [bowl(config, 9) for config in SQUARE.sample(1000, seed=0)]
    assert max(bowl(config, 9) for config in started) < np.quantile(chance, 0.25)


def test_what_is_told_of_the_last_rung_is_not_started_again():
    earlier = [(config, bowl(config, 1)) for config in SQUARE.sample(40, seed=8)]
    trials = run(mobster(SQUARE, 1, 30, seed=8, told=earlier), per_trial(bowl))
    tried = trials["config"].tolist()
    assert not any(config in tried for config, _ in earlier)
    # told of an earlier rung, it may be started
    short = [(config, 1, bowl(config, 1)) for config, _ in earlier]
    tried = run(mobster(SQUARE, 27, 30, seed=8, told=short), per_trial(bowl))["config"].tolist()
    assert any(config in tried for config, _ in earlier)


def test_it_resumes_from_its_log_and_may_be_extended(tmp_path):
    log = tmp_path / "search.jsonl"
    whole = run(mobster(SQUARE, 9, 25, seed=0), per_trial(bowl))
    run(mobster(SQUARE, 9, 13, seed=0), per_trial(bowl), log=log)
    extended = run(mobster(SQUARE, 9, 25, seed=0), per_trial(bowl), log=log)
    assert asked(extended) == asked(whole)
    for other in (
        mobster(SQUARE, 9, 25, seed=1),
        mobster(SQUARE, 9, 25, seed=0, eta=2),
        mobster(SQUARE, 9, 25, seed=0, told=[({"x": 0.1, "y": 0.1}, 2.0)]),
        asha(SQUARE, 9, 25, seed=0),
    ):
        with pytest.raises(ValueError, match="log of another search"):
            run(other, per_trial(bowl), log=log)
