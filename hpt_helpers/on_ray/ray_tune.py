"""The strategies on Ray Tune: objective and search space as for `run`.

Ray is imported where it is used.
"""

import math
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from hpt_helpers.arguments import as_count, as_seed
from hpt_helpers.config import as_name
from hpt_helpers.on_ray.ray_bayesian import bayesian_searcher
from hpt_helpers.on_ray.ray_hyperband import safe_hyperband
from hpt_helpers.progress import SearchBar
from hpt_helpers.protocol import AnyObjective, Request, answer_each, as_objective
from hpt_helpers.search_space import SearchSpace, as_space
from hpt_helpers.strategies import hyperband_schedule
from hpt_helpers.strategies.bayesian import check_options
from hpt_helpers.trials import (
    append_trial,
    failure_of,
    hold_log,
    read_log,
    trial_record,
    trial_table,
    with_tuples,
)
from hpt_helpers.warn import warn_caller

STRATEGIES = ("grid_search", "random_search", "bayesian_search", "hyperband", "asha")
CUTTING = ("hyperband", "asha")  # those that stop trials early, by Tune's schedulers


def tune_on_ray(
    strategy_name: str,
    space: SearchSpace,
    trainable_or_objective: type | AnyObjective,
    *,
    max_epochs: int | None,
    n_trials: int | None = None,
    seed: int = 0,
    storage_path: str | Path,
    log: str | Path | None = None,
    name: str | None = None,
    max_concurrent: int | None = None,
    max_failures: int = 3,
    progress: bool = False,
    **options,
):
    """Run one search on the Ray that this process uses (`local_ray`); return its trial table.

    strategy_name: one of `STRATEGIES`. grid_search tries the configurations of `space.grid`,
        bayesian_search those that `bayesian_searcher` suggests, and the others those of
        `space.sample`. hyperband and asha are Tune's schedulers.
    trainable_or_objective: an objective as for `run`, which the workers ask. hyperband and asha ask
        it for 1, eta, eta**2, … epochs. An objective has no checkpoint: **a paused trial starts
        again** at epoch 0, unless its process has trained its `identity`. A class Trainable goes on
        from a checkpoint of each epoch. Its steps are epochs, and its results hold val_loss, and
        perhaps val_accuracy and failure (a reason).
    max_epochs: of each trial; None for its config["epochs"], not with hyperband and asha. n_trials:
        None for a whole grid, or one round of Hyperband's brackets. seed: of configurations, and of
        the objective's requests.
    storage_path: a folder that all nodes see, or an address such as s3://…, for Tune's files. log:
        a local file of ended trials, `ended_trials.jsonl` there if None. **A search that was killed
        goes on when it is asked for again with its log**: what stands there is not run again; what
        ran then starts anew.
    name: what objective and data are called, as for `run`: the log of another name is refused.
    max_concurrent: how many trials run at a time. If None, as many as Ray has CPUs for;
        bayesian_search asks for one more, which queues.
    max_failures: how often a trial is run again that raised, or lost its process.
    progress: show a bar of ended trials, with the best loss so far, and how many failed.
    options: those of `space.grid`, clip, log_loss and xi of `bayesian_search`, or eta (3 if not
        given).
    The table's rows are in the order of the draws, those of bayesian_search in the order in which
    they ended. An interrupt ends the search with a warning.
    Raises RuntimeError where this process uses no Ray; TypeError or ValueError for another name or
    option, counts below 1, max_concurrent with hyperband, and a log of another search, or of one by
    hyperband or asha that was not over.
    """
    from ray import is_initialized, tune

    if not is_initialized():
        raise RuntimeError(
            "this process uses no Ray: call tune_on_ray in a block `with local_ray() as folder:`"
        )
    storage_path = _as_storage(storage_path)
    search = _described(strategy_name, as_space(space), max_epochs, seed, options, name)
    eta = _checked_eta(strategy_name, max_epochs, max_concurrent, options)
    configs = _configs(strategy_name, space, max_epochs, n_trials, seed, eta, options)
    n_trials = len(configs) if configs else as_count("n_trials", n_trials)
    trainable = _trainable(trainable_or_objective, max_epochs, eta, seed)
    log = Path(log or Path(storage_path, "ended_trials.jsonl"))
    ended = _read(log, search, n_trials)
    left = sorted(set(range(n_trials)) - {record["place"] for record in ended})
    if ended and left and eta:
        raise ValueError(
            f"{log} has {len(ended)} of {n_trials} trials of a search by {strategy_name}, which "
            "cannot be taken up, because Tune stores nothing of its scheduler. Begin anew in "
            "another storage_path, or with another log"
        )
    if left:
        if configs:
            param_space, of_trials = _listed(configs, left, max_concurrent)
        else:
            searcher = bayesian_searcher(space, n_trials, seed=seed, evaluated=ended, **options)
            param_space, of_trials = _suggested(searcher, len(left), max_concurrent)
        tune_config = tune.TuneConfig(
            metric="val_loss",
            mode="min",
            reuse_actors=trainable.reset_config is not tune.Trainable.reset_config,
            scheduler=_scheduler(strategy_name, max_epochs, eta),
            **of_trials,
        )
        log.parent.mkdir(parents=True, exist_ok=True)
        file, _ = hold_log(log, {"search": search})
        bar = SearchBar(progress=progress, total=len(left), unit="trial")
        with file, closing(bar):
            callback = _ended_trials(log, search, bar)
            run_config = _run_config(storage_path, max_epochs, max_failures, callback)
            tuner = tune.Tuner(
                trainable, param_space=param_space, tune_config=tune_config, run_config=run_config
            )
            tuner.fit()
        ended = _read(log, search, n_trials)
    if len(ended) < n_trials:
        warn_caller(f"interrupted: the {len(ended)} of {n_trials} trials that ended are kept")
    return trial_table(ended)


def _as_storage(storage_path: str | Path) -> str:
    """Return the folder from its root, as Tune needs it, or the address as it is."""
    text = str(storage_path)
    return text if "://" in text else str(Path(text).resolve())


def _described(
    strategy_name: str,
    space: SearchSpace,
    max_epochs: int | None,
    seed: int,
    options: Mapping[str, Any],
    name: str | None,
) -> str:
    """Return what the search is, as its log has it."""
    text = f"{strategy_name}, max_epochs={max_epochs}, seed={as_seed('seed', seed)}, "
    text += f"{dict(options)} in {space}"
    return text if as_name(name) is None else f"{text}, name={name!r}"


def _scheduler(strategy_name: str, max_epochs: int | None, eta: int | None):
    """Return Tune's scheduler that cuts trials, or None for a strategy that cuts none."""
    from ray.tune.schedulers import ASHAScheduler

    settings: dict[str, Any] = {"max_t": max_epochs, "reduction_factor": eta}
    if strategy_name == "hyperband":
        return safe_hyperband(**settings)
    if strategy_name == "asha":
        return ASHAScheduler(**settings)
    return None


def _listed(
    configs: list[dict], left: list[int], max_concurrent: int | None
) -> tuple[dict, dict[str, Any]]:
    """Return Tune's param_space and settings for trials that are known ahead, by their places."""
    from ray import tune

    generator = _of_configs(configs, max_concurrent or 0)  # which limits them itself
    return {"trial": tune.grid_search(left)}, {"search_alg": generator, "num_samples": 1}


def _suggested(
    searcher: Any, n_left: int, max_concurrent: int | None
) -> tuple[dict, dict[str, Any]]:
    """Return Tune's param_space and settings for trials that a searcher suggests one by one."""
    settings = {
        "search_alg": searcher,
        "num_samples": n_left,
        "max_concurrent_trials": max_concurrent,
    }
    return {}, settings


def _run_config(storage_path: str, max_epochs: int | None, max_failures: int, callback: Any):
    """Return Tune's RunConfig: a quiet one, with a checkpoint of each epoch."""
    from ray import tune

    return tune.RunConfig(
        storage_path=storage_path,
        verbose=0,
        progress_reporter=tune.CLIReporter(),
        callbacks=[callback],
        stop={"training_iteration": max_epochs} if max_epochs else None,
        failure_config=tune.FailureConfig(max_failures=max_failures),
        # of 1, Tune loses it
        checkpoint_config=tune.CheckpointConfig(checkpoint_frequency=1, num_to_keep=2),
    )


def _of_configs(configs: list[dict], max_concurrent: int):
    """Return Tune's own generator, for trials that are numbers of these configurations."""
    from ray.tune.search import BasicVariantGenerator

    class OfConfigs(BasicVariantGenerator):
        def next_trial(self):
            if trial := super().next_trial():
                trial.set_config(dict(configs[trial.config["trial"]]))
            return trial

    return OfConfigs(max_concurrent=max_concurrent)


def _checked_eta(
    strategy_name: str,
    max_epochs: int | None,
    max_concurrent: int | None,
    options: Mapping[str, Any],
) -> int | None:
    """Return eta, or None for a strategy that cuts no trial, having checked what goes with it.

    Raises ValueError or TypeError for an unknown strategy or option, and for counts that are none
    or that the strategy does not take.
    """
    if strategy_name not in STRATEGIES:
        raise ValueError(f"strategy_name is {strategy_name!r}; allowed are {', '.join(STRATEGIES)}")
    cuts = strategy_name in CUTTING
    eta = as_count("eta", options.get("eta", 3), least=2) if cuts else None
    if max_concurrent is not None:
        as_count("max_concurrent", max_concurrent)
        if strategy_name == "hyperband":
            needed = "hyperband needs all trials at once, to queue for CPUs"
            raise ValueError(f"max_concurrent is {max_concurrent}; {needed}")
    if cuts or max_epochs is not None:
        as_count("max_epochs", max_epochs)
    _check_options(strategy_name, options)
    return eta


def _check_options(strategy_name: str, options: Mapping[str, Any]) -> None:
    """Raise TypeError for an option that the strategy does not take."""
    if strategy_name == "bayesian_search":
        check_options(options)
        return
    allowed: tuple[str, ...] = ()
    if strategy_name == "grid_search":
        allowed = ("n_points", "centred")
    elif strategy_name in CUTTING:
        allowed = ("eta",)
    if unknown := options.keys() - set(allowed):
        names = f"allowed are {', '.join(allowed)}" if allowed else "it takes none"
        raise TypeError(f"{min(unknown)} is no option of {strategy_name} on Ray; {names}")


def _configs(
    strategy_name: str,
    space: SearchSpace,
    max_epochs: int | None,
    n_trials: int | None,
    seed: int,
    eta: int | None,
    options: Mapping[str, Any],
) -> list[dict] | None:
    """Return the configurations to try, in their order.

    None where each depends on the losses before.
    """
    if strategy_name == "bayesian_search":
        return None
    if strategy_name == "grid_search":
        grid = space.grid(**options)
        return grid if n_trials is None else grid[: as_count("n_trials", n_trials)]
    if strategy_name == "hyperband" and n_trials is None:
        n_trials = _one_round(max_epochs, eta)
    return space.sample(as_count("n_trials", n_trials), seed=seed)


def _one_round(max_epochs: int | None, eta: int | None) -> int:
    """Return how many trials fill each of Hyperband's brackets once, as Ray has them."""
    brackets = hyperband_schedule(
        as_count("max_epochs", max_epochs), as_count("eta", eta), survivors="ceil"
    )
    return sum(rungs[0][0] for rungs in brackets)


def _trainable(
    trainable_or_objective: type | AnyObjective, max_epochs: int | None, eta: int | None, seed: int
) -> type:
    """Return the class Trainable itself, or one whose steps ask the objective.

    It is asked once, or rung after rung where there is an eta.
    """
    from ray import tune

    given = trainable_or_objective
    if isinstance(given, type) and issubclass(given, tune.Trainable):
        return given
    if isinstance(given, type) or not callable(given):
        needed = "a class Trainable or an objective is needed"
        raise TypeError(f"trainable_or_objective is {given!r}; {needed}")
    objective = as_objective("trainable_or_objective", given)

    class ObjectiveTrial(tune.Trainable):
        n_epochs = charged = 0

        def reset_config(self, new_config):
            self.n_epochs = self.charged = 0
            return True

        def step(self):
            config = self.config or {}
            goes_on = objective.identity(config) is not None
            n_done, last = self.n_epochs if goes_on else 0, max_epochs or config["epochs"]
            self.n_epochs = min(max(1, self.n_epochs * eta), last) if eta else last
            request = Request(config, self.n_epochs, seed, n_done)
            [outcome] = answer_each(objective, [request])
            failure, n_trained = failure_of(outcome.val_loss, outcome.reason), outcome.n_trained
            self.charged += self.n_epochs - n_done if n_trained is None else n_trained
            return {
                # Ray may sort nan to the front
                "val_loss": math.inf if failure else outcome.val_loss,
                "val_accuracy": outcome.val_accuracy,
                "training_iteration": self.n_epochs,
                "charged_epochs": self.charged,
                "failure": failure,
                "done": bool(failure) or self.n_epochs == last,
            }

        def save_checkpoint(self, checkpoint_dir):
            return {"reached": (self.n_epochs, self.charged)}

        def load_checkpoint(self, checkpoint: Any):
            self.n_epochs, self.charged = checkpoint["reached"]

    return ObjectiveTrial


def _ended_trials(log: Path, search: str, bar: SearchBar):
    """Return a callback of Tune's that appends each trial to the log as it ends.

    Tune's own state lags behind.
    """
    from ray import tune

    class EndedTrials(tune.Callback):
        number = len(read_log(log))

        def on_trial_complete(self, iteration, trials, trial, **info):
            last = trial.last_result or {}
            error = (
                (trial.get_pickled_error() or trial.get_error())
                if trial.status == trial.ERROR
                else ""
            )
            record = trial_record(
                trial.config,
                n_epochs=last.get("training_iteration", 0),
                runtime_s=last.get("time_total_s", math.nan),
                val_loss=last.get("val_loss", math.nan),
                val_accuracy=last.get("val_accuracy", math.nan),
                charged_epochs=last.get("charged_epochs"),
                reason=str(error).strip().rpartition("\n")[2] or last.get("failure", ""),
            )
            place = trial.evaluated_params.get("trial", self.number)
            append_trial(log, {**record, "search": search, "place": place}, trial=self.number)
            self.number += 1
            bar.add(record)

        on_trial_error = on_trial_complete

    return EndedTrials()


def _read(log: Path, search: str, n_trials: int) -> list[dict]:
    """Return the log's records, by their places. Raises ValueError for those of another search."""
    records = read_log(log)
    for record in records:
        if record.get("search") != search:
            raise ValueError(
                f"{log} is the log of another search, {record.get('search')}; this one is {search}"
            )
        record["config"] = with_tuples(record["config"])
    return sorted((r for r in records if r["place"] < n_trials), key=lambda r: r["place"])
