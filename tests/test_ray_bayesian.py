"""The searcher for Ray Tune asks what `bayesian_search` asks, with lies that are put right, and can
be saved.
"""

import math
import pickle
import random

import pytest

from hpt_helpers.on_ray.ray_bayesian import bayesian_searcher
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import bayesian_search
from hpt_helpers.strategies.bayesian import Proposer
from hpt_helpers.trials import config_of, trial_record

SPACE = SearchSpace(
    {
        "hidden_size": Choice([8, 16, 32]),
        "lr": Real(1e-4, 1e-2, log=True),
        "batch_size": Choice([16, 32, 64]),
    }
)
# 15 points: random ones replace repeats
FEW = SearchSpace({"x": Integer(1, 5), "y": Choice([None, (1, 2), "a"])})
N = 12


def loss_of(config):
    """Return a loss with a minimum inside the space, nan for a third of it."""
    if "x" in config:
        return (config["x"] - 4) ** 2 + {None: 0, (1, 2): 1, "a": 2}[config["y"]]
    return (
        math.nan
        if config["hidden_size"] == 8
        else math.log(config["lr"] / 1e-3) ** 2 + config["batch_size"] / 64
    )


def sequential(space, n=N, **opts):
    trials = run(
        bayesian_search(space, n, 1, seed=3, **opts),
        lambda requests: [loss_of(r.config) for r in requests],
    )
    return [config_of(trials, i) for i in range(n)]


def one_at_a_time(searcher, n, first=0):
    configs = []
    for i in range(first, first + n):
        configs.append(searcher.suggest(f"trial {i}"))
        searcher.on_trial_complete(f"trial {i}", {"val_loss": loss_of(configs[-1])})
    return configs


# as by chance in three of SPACE's
pytestmark = pytest.mark.filterwarnings("ignore:the first three trials failed alike")


@pytest.mark.parametrize("space", [SPACE, FEW])
@pytest.mark.parametrize("opts", [{}, {"clip": 1}, {"xi": 0.5}])
def test_one_at_a_time_it_gives_the_points_of_the_sequential_search(space, opts):
    searcher = bayesian_searcher(space, N, seed=3, **opts)
    assert one_at_a_time(searcher, N) == sequential(space, **opts)
    assert searcher.suggest("one too many") == searcher.FINISHED


@pytest.mark.parametrize("n_before", [0, 1, 4, 7])
@pytest.mark.parametrize("how", ["saved", "pickled", "evaluated"])
def test_taken_up_in_the_middle_it_goes_on_with_the_same_points(tmp_path, n_before, how):
    before = bayesian_searcher(SPACE, N, seed=3)
    configs = one_at_a_time(before, n_before)
    if how == "saved":
        after = bayesian_searcher(SPACE, N, seed=3)
        one_at_a_time(after, 1)  # what a restore must forget
        before.save(str(tmp_path / "state"))
        after.restore(str(tmp_path / "state"))
    elif how == "pickled":
        from ray import cloudpickle  # as Tune does it

        after = pickle.loads(cloudpickle.dumps(before))
    else:
        after = bayesian_searcher(
            SPACE,
            N,
            seed=3,
            evaluated=[trial_record(c, n_epochs=1, val_loss=loss_of(c)) for c in configs],
        )
    assert configs + one_at_a_time(after, N - n_before, n_before) == sequential(SPACE)


def test_what_ran_when_it_was_saved_is_known_by_its_id_and_not_asked_for_again(tmp_path):
    before = bayesian_searcher(FEW, 15, seed=3)
    done, running = one_at_a_time(before, 6), [before.suggest(name) for name in "ab"]
    before.save(str(tmp_path / "state"))
    after = bayesian_searcher(FEW, 15, seed=3)
    after.restore(str(tmp_path / "state"))
    for name, config in zip("ab", running, strict=True):
        after.on_trial_complete(name, {"val_loss": loss_of(config)})
    points = done + running + one_at_a_time(after, 7, 8)
    assert len({tuple(config.values()) for config in points}) == 15  # all there are, each once


def test_four_at_a_time_are_all_different_and_end_in_any_order():
    searcher, rng = bayesian_searcher(FEW, 15, seed=3), random.Random(1)
    running, seen = {}, []
    while len(seen) < 15:
        while (
            len(running) < 4 and (config := searcher.suggest(f"t{len(seen)}")) != searcher.FINISHED
        ):
            running[f"t{len(seen)}"] = config
            seen.append(tuple(config.values()))
        name = rng.choice(list(running))
        searcher.on_trial_complete(name, {"val_loss": loss_of(running.pop(name))})
    assert len(set(seen)) == 15


def test_what_runs_is_imagined_and_put_right():
    """Each proposal is that of a `Proposer` told what was known at the time."""
    space = SearchSpace({"x": Real(0, 1)})
    searcher, direct = bayesian_searcher(space, 9, seed=0, clip=1), Proposer(space, seed=0, clip=1)
    configs = [searcher.suggest(f"{i}") for i in range(6)]
    assert configs == [direct.propose([(c, None) for c in configs[:i]]) for i in range(6)]
    losses = [5.0, 7.0, None, 2.0, None, None]
    for i, loss in enumerate(losses):
        if loss is not None:
            searcher.on_trial_complete(f"{i}", {"val_loss": loss})
    configs.append(searcher.suggest("6"))
    assert configs[6] == direct.propose(list(zip(configs[:6], losses, strict=True)))
    searcher.on_trial_complete("2", {"val_loss": 9.0})
    searcher.on_trial_complete("4", error=True)
    searcher.on_trial_complete("5", {"val_loss": math.inf})
    losses = [5.0, 7.0, 9.0, 2.0, math.nan, math.nan, None]
    assert searcher.suggest("7") == direct.propose(list(zip(configs, losses, strict=True)))


def test_before_anything_succeeded_the_points_are_those_of_a_search_in_which_all_failed():
    searcher = bayesian_searcher(SPACE, 4, seed=3)
    failed = run(
        bayesian_search(SPACE, 4, 1, seed=3), lambda requests: [math.nan for _ in requests]
    )
    assert [searcher.suggest(str(i)) for i in range(4)] == [config_of(failed, i) for i in range(4)]


def test_a_trial_that_it_did_not_suggest_is_none_of_its_business():
    searcher = bayesian_searcher(SPACE, N, seed=3)
    searcher.on_trial_complete("somebody else's", {"val_loss": 0.0})
    assert one_at_a_time(searcher, 6) == sequential(SPACE, 6)


def test_a_batch_size_is_refused():
    with pytest.raises(TypeError, match="batch_size is no option"):
        bayesian_searcher(SPACE, N, seed=3, batch_size=4).suggest("a")
