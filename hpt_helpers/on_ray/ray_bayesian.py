"""Bayesian optimisation as a Ray Tune searcher (Ray removed its own).

Ray is imported where it is used.
"""

import copy
import math
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies.bayesian import Proposer, check_options


def bayesian_searcher(
    space: SearchSpace, n_trials: int, *, seed: int, evaluated: Iterable[Mapping] = (), **opts
):
    """Return a `ray.tune.search.Searcher` that suggests what `bayesian_search` asks for.

    One trial at a time gives the very same points. Trials that run are imagined to give what the
    process guesses of them.
    n_trials: how many it suggests, with those evaluated. evaluated: records (`trial_record`) of
        trials known already, which it learns from and does not suggest again. seed, opts: seed,
        clip, log_loss and xi of `bayesian_search`. Raises TypeError for another option.
    Give the Tuner an empty `param_space`. Restored, it does not suggest again what ran when it was
    saved.
    """
    from ray.tune.search import Searcher

    check_options(opts)

    class BayesianSearcher(Searcher):
        def __init__(self):
            super().__init__(metric="val_loss", mode="min")
            # (config, loss) of each; the loss is None while it runs
            self.trials = [(dict(r["config"]), r["val_loss"]) for r in evaluated]
            self.running: dict[str, int] = {}  # Tune's names of trials, and their places
            self.proposer: Proposer | None = None

        def suggest(self, trial_id):
            if len(self.trials) >= n_trials:
                return self.FINISHED
            if self.proposer is None:
                self.proposer = Proposer(space, seed=seed, **opts)
                _think_again(self.proposer, self.trials)
            config = self.proposer.propose(self.trials)
            self.running[trial_id] = len(self.trials)
            self.trials.append((config, None))
            return copy.deepcopy(config)

        def on_trial_complete(self, trial_id, result=None, error=False):
            if trial_id not in self.running:
                return
            place = self.running.pop(trial_id)
            loss = math.nan if error or not result else result["val_loss"]
            config, _ = self.trials[place]
            self.trials[place] = config, loss if math.isfinite(loss) else math.nan

        # for `save`, and for Tune, which pickles searchers; what is left out is thought again
        def __getstate__(self):
            return self.__dict__ | {"proposer": None}

        def save(self, checkpoint_path):
            Path(checkpoint_path).write_bytes(pickle.dumps(self.__getstate__()))

        def restore(self, checkpoint_path):
            self.__dict__.update(pickle.loads(Path(checkpoint_path).read_bytes()))

    return BayesianSearcher()


def _think_again(proposer: Proposer, trials: list[tuple[dict, float | None]]) -> None:
    """Let a new proposer fit its scales when it would have done, had it proposed these trials."""
    for i in range(len(trials)):
        proposer.propose(trials[:i])
