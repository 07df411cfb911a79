"""`tune_on_ray` without a Ray: what it refuses, how it asks an objective, its log.

tests/cluster has the searches.
"""

import math
from collections import Counter
from types import SimpleNamespace
from unittest import mock

import pytest

from hpt_helpers.config import config_key
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import per_trial
from hpt_helpers.on_ray import ray_tune
from hpt_helpers.on_ray.ray_tune import STRATEGIES, tune_on_ray
from hpt_helpers.progress import SearchBar
from hpt_helpers.search import Outcome, run
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.strategies import hyperband_schedule, random_search
from hpt_helpers.training import fit
from hpt_helpers.training_objective import TrainingObjective
from hpt_helpers.trials import append_trial, read_log, trial_record, trial_table

SPACE = SearchSpace({"lr": Real(1e-4, 1e-2, log=True), "batch_size": Choice([16, 64])})
LAYERS = SearchSpace({"layers": Choice([(8,), (8, 4), None]), "lr": Real(0, 1)})
CONFIG = {"lr": 0.01, "batch_size": 16}
OBJECTIVE = per_trial(lambda config, n_epochs: config["lr"] / n_epochs)


@pytest.fixture(autouse=True)
def ray_but_not_started(monkeypatch, tmp_path):
    """Let it believe in a Ray, and fail where it gets as far as a Tuner.

    A Trainable's folder goes to ~ otherwise.
    """
    import ray
    from ray import tune

    monkeypatch.setattr(
        "ray.tune.trainable.trainable.DEFAULT_STORAGE_PATH", str(tmp_path / "results")
    )
    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(
        tune, "Tuner", lambda *arguments, **options: pytest.fail("nothing was to be run")
    )


# --- what it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"strategy_name": "random"},
            ValueError,
            "strategy_name is 'random'; allowed are grid_search, random_search",
        ),
        (
            {"trainable_or_objective": 3},
            TypeError,
            "trainable_or_objective is 3; a class Trainable or an objective",
        ),
        (
            {"trainable_or_objective": dict},
            TypeError,
            "trainable_or_objective is <class 'dict'>; a class Trainable",
        ),
        (
            {"trainable_or_objective": lambda config, n_epochs: 0.5},
            TypeError,
            "trainable_or_objective is .* cannot take one list of requests",
        ),
        ({"n_trials": "5"}, TypeError, "n_trials is '5'"),
        ({"n_trials": 0}, ValueError, "n_trials is 0"),
        ({"n_trials": None}, TypeError, "n_trials is None"),
        ({"strategy_name": "grid_search", "n_trials": -1}, ValueError, "n_trials is -1"),
        ({"strategy_name": "grid_search", "n_trials": 0}, ValueError, "n_trials is 0"),
        ({"strategy_name": "bayesian_search", "n_trials": None}, TypeError, "n_trials is None"),
        ({"max_epochs": 0}, ValueError, "max_epochs is 0"),
        ({"strategy_name": "asha", "max_epochs": None}, TypeError, "max_epochs is None"),
        (
            {"strategy_name": "hyperband", "max_epochs": None, "n_trials": None},
            TypeError,
            "max_epochs is None",
        ),
        ({"seed": -1}, ValueError, "seed is -1"),
        ({"max_concurrent": 0}, ValueError, "max_concurrent is 0"),
        (
            {"strategy_name": "hyperband", "max_concurrent": 2},
            ValueError,
            "max_concurrent is 2; hyperband needs all",
        ),
        ({"strategy_name": "asha", "eta": 1}, ValueError, "eta is 1"),
        ({"eta": 3}, TypeError, "eta"),
        ({"strategy_name": "grid_search", "points": 3}, TypeError, "points"),
        ({"seconds": 5}, TypeError, "seconds is no option of random_search on Ray; it takes none"),
        (
            {"strategy_name": "asha", "seconds": 5},
            TypeError,
            "seconds is no option of asha on Ray; allowed are eta",
        ),
        (
            {"strategy_name": "grid_search", "seconds": 5},
            TypeError,
            "seconds is no option of grid_search on Ray; allowed are n_points, centred",
        ),
        (
            {"strategy_name": "bayesian_search", "seconds": 5},
            TypeError,
            "seconds is no option of a Bayesian search; allowed are .*clip",
        ),
        ({"name": 3}, TypeError, "name is 3"),
        ({"name": "\ud800"}, ValueError, r"name is '.ud800'"),
        ({"strategy_name": "hyperband", "max_epochs": 80, "n_trials": None}, ValueError, "80"),
    ],
)
def test_bad_arguments_are_named(tmp_path, change, error, message):
    arguments = {
        "strategy_name": "random_search",
        "space": SPACE,
        "trainable_or_objective": OBJECTIVE,
    }
    arguments |= {"max_epochs": 9, "n_trials": 4, "storage_path": tmp_path} | change
    with pytest.raises(error, match=message):
        tune_on_ray(**arguments)
    assert not list(tmp_path.glob("*.jsonl"))


def test_without_a_ray_of_this_process_none_is_started(monkeypatch, tmp_path):
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(RuntimeError, match="with local_ray"):
        tune_on_ray(
            "random_search", SPACE, OBJECTIVE, max_epochs=9, n_trials=4, storage_path=tmp_path
        )


# --- how an objective is asked --------------------------------------------------------------------


def steps(trial):
    results = [trial.train()]
    while not results[-1]["done"]:
        results.append(trial.train())
    return results


def shown(results, *names):
    return [tuple(result[name] for name in names) for result in results]


@pytest.mark.parametrize(
    ("max_epochs", "eta", "asked"),
    [(9, None, [9]), (9, 3, [1, 3, 9]), (10, 3, [1, 3, 9, 10]), (8, 2, [1, 2, 4, 8]), (1, 3, [1])],
)
def test_an_objective_is_asked_once_or_for_rung_after_rung(max_epochs, eta, asked):
    seen = []
    objective = per_trial(lambda config, n_epochs: seen.append(n_epochs) or 1 / n_epochs)
    results = steps(ray_tune._trainable(objective, max_epochs, eta, 0)(CONFIG))
    assert seen == asked and shown(results, "training_iteration", "val_loss") == [
        (n, 1 / n) for n in asked
    ]
    assert results[-1]["charged_epochs"] == sum(asked)  # it starts again for each


def test_rungs_hold_all_epochs_at_which_hyperband_cuts():
    for R in (1, 3, 9, 27, 81):
        results = steps(ray_tune._trainable(OBJECTIVE, R, 3, 0)(CONFIG))
        cuts = {
            n_epochs for rungs in hyperband_schedule(R, survivors="ceil") for _, n_epochs in rungs
        }
        assert [result["training_iteration"] for result in results] == sorted(cuts)


def test_an_objective_that_goes_on_is_charged_each_epoch_once_with_the_numbers_of_fit():
    results = steps(ray_tune._trainable(TrainingObjective(load_splits("iris")), 9, 3, 2)(CONFIG))
    curve = fit(CONFIG, load_splits("iris"), n_epochs=9, seed=2)
    assert shown(results, "training_iteration", "charged_epochs") == [(1, 1), (3, 3), (9, 9)]
    for result in results:
        assert abs(result["val_loss"] - curve.val_loss[result["training_iteration"] - 1]) < 1e-9
        assert result["val_accuracy"] == curve.val_accuracy[result["training_iteration"] - 1]


def test_a_trial_paused_at_a_rung_goes_on_at_the_next_in_another_process():
    first, second = (
        ray_tune._trainable(TrainingObjective(load_splits("iris")), 9, 3, 2)(CONFIG)
        for _ in range(2)
    )
    uninterrupted = steps(
        ray_tune._trainable(TrainingObjective(load_splits("iris")), 9, 3, 2)(CONFIG)
    )
    before = [first.train(), first.train()]
    second.restore(first.save())
    names = "training_iteration", "charged_epochs", "val_loss", "val_accuracy", "failure", "done"
    assert shown([*before, *steps(second)], *names) == shown(uninterrupted, *names)


def test_a_reused_process_starts_the_next_trial_at_the_first_rung():
    trial = ray_tune._trainable(OBJECTIVE, 9, 3, 0)(CONFIG)
    steps(trial)
    assert trial.reset_config(CONFIG) is True
    assert shown(steps(trial), "training_iteration", "charged_epochs") == [(1, 1), (3, 4), (9, 13)]


def test_without_max_epochs_each_trial_has_its_own():
    [result] = steps(ray_tune._trainable(OBJECTIVE, None, None, 0)(CONFIG | {"epochs": 7}))
    assert (result["training_iteration"], result["val_loss"]) == (7, 0.01 / 7)


@pytest.mark.parametrize(
    ("answer", "reason", "charged"),
    [
        (math.nan, "validation loss is nan", 1),
        (math.inf, "validation loss is inf", 1),
        (Outcome(0.5, reason="bad luck"), "bad luck", 1),
        (Outcome(math.nan, reason="refused", n_trained=0), "refused", 0),
        (ZeroDivisionError("no"), "ZeroDivisionError: no", 1),
        ("text", "TypeError: the objective answered 'text'; a number or an Outcome is needed", 1),
    ],
)
def test_a_trial_that_fails_ends_with_a_loss_that_can_be_sorted(answer, reason, charged):
    def function(config, n_epochs):
        if isinstance(answer, Exception):
            raise answer
        return answer

    for objective in (
        per_trial(function),
        lambda requests: [function(*request[:2]) for request in requests],
    ):
        [result] = steps(ray_tune._trainable(objective, 9, 3, 0)(CONFIG))
        assert (result["val_loss"], result["failure"]) == (math.inf, reason)
        assert (result["training_iteration"], result["charged_epochs"]) == (1, charged)


# --- the log --------------------------------------------------------------------------------------


class Tuner:
    """Stands in for Tune's: trains the first n of its trials, which end in the opposite order."""

    def __init__(self, monkeypatch, n):
        from ray import tune

        self.n, self.ran = n, []
        monkeypatch.setattr(tune, "Tuner", self)

    def __call__(self, trainable, *, param_space, tune_config, run_config):
        self.trainable, self.search_alg, self.samples = (
            trainable,
            tune_config.search_alg,
            tune_config.num_samples,
        )
        self.places = param_space["trial"]["grid_search"] if param_space else None
        [self.callback] = run_config.callbacks
        return self

    def trials(self):
        if self.places is None:
            for i in range(min(self.n, self.samples)):
                yield {}, self.search_alg.suggest(f"t{i}")
            return
        from ray.tune.experiment import Trial
        from ray.tune.search import BasicVariantGenerator

        for place in self.places[: self.n]:
            trial = SimpleNamespace(config={"trial": place})
            trial.set_config = lambda config, trial=trial: Trial.set_config(trial, config)
            trial.invalidate_json_state = lambda: None
            with mock.patch.object(
                BasicVariantGenerator, "next_trial", lambda generator, trial=trial: trial
            ):
                yield {"trial": place}, self.search_alg.next_trial().config

    def fit(self):
        for number, config in reversed(list(self.trials())):
            self.ran.append(config)
            trial = SimpleNamespace(
                config=config, status="TERMINATED", ERROR="ERROR", evaluated_params=number
            )
            trial.last_result = self.trainable(config).train()
            self.callback.on_trial_complete(0, [], trial)


@pytest.mark.parametrize("name", STRATEGIES[:3])
@pytest.mark.parametrize("space", [SPACE, LAYERS])
def test_a_search_that_was_cut_off_goes_on_with_what_is_left(monkeypatch, tmp_path, name, space):
    arguments = {"max_epochs": 4, "n_trials": 6, "seed": 3, "storage_path": tmp_path}
    cut = Tuner(monkeypatch, 2)
    with pytest.warns(UserWarning, match="interrupted: the 2 of 6 trials that ended are kept"):
        table = tune_on_ray(name, space, OBJECTIVE, **arguments)
    assert len(table) == len(cut.ran) == 2
    rest = Tuner(monkeypatch, 99)
    table = tune_on_ray(name, space, OBJECTIVE, **arguments)
    assert len(table) == 6 and len(rest.ran) == 4
    nothing = Tuner(monkeypatch, 99)
    assert table.equals(tune_on_ray(name, space, OBJECTIVE, **arguments)) and nothing.ran == []
    assert Counter(map(config_key, cut.ran + rest.ran)) == Counter(map(config_key, table["config"]))
    if name != "bayesian_search":
        expected = space.grid()[:6] if name == "grid_search" else space.sample(6, seed=3)
        # as drawn, whatever ended first; tuples are tuples again
        assert table["config"].tolist() == expected
    assert table["val_loss"].tolist() == [config["lr"] / 4 for config in table["config"]]


@pytest.mark.parametrize("name", ["hyperband", "asha"])
def test_hyperband_and_asha_do_not_go_on_but_a_whole_search_is_given_back(
    monkeypatch, tmp_path, name
):
    arguments = {"max_epochs": 9, "n_trials": 3, "seed": 3, "storage_path": tmp_path}
    Tuner(monkeypatch, 2)
    with pytest.warns(UserWarning, match="interrupted"):
        tune_on_ray(name, SPACE, OBJECTIVE, **arguments)
    log = tmp_path / "ended_trials.jsonl"
    with pytest.raises(
        ValueError, match=rf"has 2 of 3 trials of a search by {name}, which cannot be taken up"
    ):
        tune_on_ray(name, SPACE, OBJECTIVE, **arguments)
    append_trial(log, read_log(log)[0] | {"place": 2}, trial=2)
    assert len(tune_on_ray(name, SPACE, OBJECTIVE, **arguments)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 4},
        {"max_epochs": 5},
        {"strategy_name": "bayesian_search"},
        {"space": LAYERS},
        {"strategy_name": "grid_search"},
        {"name": "iris"},
    ],
)
def test_the_log_of_another_search_is_refused(monkeypatch, tmp_path, change):
    arguments = {
        "strategy_name": "random_search",
        "space": SPACE,
        "trainable_or_objective": OBJECTIVE,
    }
    arguments |= {"max_epochs": 4, "n_trials": 3, "seed": 3, "storage_path": tmp_path}
    Tuner(monkeypatch, 99)
    tune_on_ray(**arguments)
    with pytest.raises(
        ValueError, match="is the log of another search, random_search, max_epochs=4, seed=3"
    ):
        tune_on_ray(**arguments | change)


def test_a_log_knows_what_its_objective_is_called(monkeypatch, tmp_path):
    arguments = {"max_epochs": 4, "n_trials": 2, "seed": 3, "storage_path": tmp_path}
    Tuner(monkeypatch, 99)
    table = tune_on_ray("random_search", SPACE, OBJECTIVE, name="wine", **arguments)
    nothing = Tuner(monkeypatch, 99)
    again = tune_on_ray("random_search", SPACE, OBJECTIVE, name="wine", **arguments)
    assert again.equals(table) and nothing.ran == []
    for options in ({"name": "iris"}, {}):
        with pytest.raises(ValueError, match=r"log of another search, .*name='wine'"):
            tune_on_ray("random_search", SPACE, OBJECTIVE, **options, **arguments)


def test_the_log_of_run_is_refused_too(tmp_path):
    run(random_search(SPACE, 2, 4, seed=3), OBJECTIVE, log=tmp_path / "ended_trials.jsonl")
    with pytest.raises(ValueError, match="log of another search, None"):
        tune_on_ray(
            "random_search",
            SPACE,
            OBJECTIVE,
            max_epochs=4,
            n_trials=3,
            seed=3,
            storage_path=tmp_path,
        )


def test_a_trial_that_raised_is_recorded_with_the_last_line_of_its_error(tmp_path):
    log = tmp_path / "log.jsonl"
    bar = SearchBar(progress=False, total=2, unit="trial")
    callback = ray_tune._ended_trials(log, "a search", bar)
    error = RuntimeError("traceback\n  in step\nValueError: no\n")
    trial = SimpleNamespace(
        config=CONFIG,
        last_result=None,
        status="ERROR",
        ERROR="ERROR",
        evaluated_params={"trial": 5},
        get_pickled_error=lambda: None,
        get_error=lambda: error,
    )
    callback.on_trial_error(0, [], trial)
    trial.status, trial.last_result = (
        "TERMINATED",
        {"training_iteration": 3, "val_loss": 0.5, "charged_epochs": 2},
    )
    trial.evaluated_params = {}
    callback.on_trial_complete(0, [], trial)
    assert str(bar) == "2 trials, best loss 0.5, 1 failed"
    failed, good = read_log(log)
    assert (failed["status"], failed["reason"], failed["n_epochs"]) == (
        "failed",
        "ValueError: no",
        0,
    )
    assert (good["status"], good["val_loss"], good["n_epochs"], good["charged_epochs"]) == (
        "ok",
        0.5,
        3,
        2,
    )
    assert [record["place"] for record in (failed, good)] == [5, 1]
    assert trial_table([failed, good])["reason"].tolist() == ["ValueError: no", ""]


def test_a_relative_folder_is_resolved_for_tune_and_an_address_is_not(monkeypatch, tmp_path):
    from ray import tune

    class Asked(Exception):
        pass

    def run_config(storage_path, **options):
        raise Asked(storage_path)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tune, "RunConfig", run_config)
    arguments = {"max_epochs": 9, "n_trials": 4, "log": tmp_path / "log.jsonl"}
    paths = {"here/tune": str(tmp_path / "here" / "tune"), "s3://bucket/tune": "s3://bucket/tune"}
    for given, expected in paths.items():
        with pytest.raises(Asked) as asked:
            tune_on_ray("random_search", SPACE, OBJECTIVE, storage_path=given, **arguments)
        assert asked.value.args == (expected,)


def test_the_log_may_stand_elsewhere_than_tunes_files(monkeypatch, tmp_path):
    search = f"random_search, max_epochs=4, seed=3, {{}} in {SPACE}"
    for i, config in enumerate(SPACE.sample(2, seed=3)):
        record = trial_record(config, n_epochs=4, val_loss=0.1) | {"search": search, "place": i}
        append_trial(tmp_path / "mine.jsonl", record, trial=i)
    table = tune_on_ray(
        "random_search",
        SPACE,
        OBJECTIVE,
        max_epochs=4,
        n_trials=2,
        seed=3,
        storage_path="s3://bucket/folder",
        log=tmp_path / "mine.jsonl",
    )
    assert len(table) == 2
