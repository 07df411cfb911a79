"""Bayesian optimisation as a Ray Tune searcher (Ray removed its own).

Ray is imported where it is used.
"""

import math
import pickle
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from hpt_helpers.config import plain
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.strategies import bayesian_search


def skopt_search(
    space: SearchSpace, n_trials: int, *, seed: int, evaluated: Iterable[Mapping] = (), **opts
):
    """Return a `ray.tune.search.Searcher` that asks `bayesian_search`: one trial at a time, the
    very same points.

    While trials run, the best val_loss so far stands in for each of theirs (the "constant liar")
    until it is known. n_trials: how many it suggests, with those `evaluated`: records
    (`trial_record`) of trials known already, which it
        learns from and does not suggest again. seed, opts: those of `bayesian_search`, but for
        batch_size.
    Give the Tuner an empty `param_space`. Restored, it does not suggest again what ran when it was
    saved.
    """
    from ray.tune.search import Searcher

    class SkoptSearch(Searcher):
        def __init__(self):
            super().__init__(metric="val_loss", mode="min")
            # loss None: "" runs
            self.trials = [[plain(r["config"]), r["val_loss"], ""] for r in evaluated]
            # what it is sent: None at first, then an array of each loss
            self.strategy, self.answers = None, [None]

        def suggest(self, trial_id):
            if len(self.trials) >= n_trials:
                return self.FINISHED
            known = [loss for _, loss, _ in self.trials if loss is not None and math.isfinite(loss)]
            self.answers += [np.empty(1) for _ in self.trials[len(self.answers) - 1 :]]
            # which the strategy keeps
            for answer, (_, loss, _) in zip(self.answers[1:], self.trials, strict=True):
                answer[0] = min(known, default=math.nan) if loss is None else loss
            if self.strategy is None:
                self.strategy = bayesian_search(space, n_trials, 1, seed=seed, batch_size=1, **opts)
                for answer, (config, *_) in zip(self.answers, self.trials, strict=False):
                    self.strategy.send(answer)[0] = config, 1
            [(config, _)] = self.strategy.send(self.answers[-1])
            self.trials.append([plain(config), None, trial_id])
            return plain(config)

        def on_trial_complete(self, trial_id, result=None, error=False):
            loss = math.nan if error or not result else result["val_loss"]
            for trial in self.trials:
                if trial[2] == trial_id:
                    trial[1] = loss if math.isfinite(loss) else math.nan

        # for `save`, and for Tune, which pickles searchers; a generator cannot be
        def __getstate__(self):
            return self.__dict__ | {"strategy": None, "answers": [None]}

        def save(self, checkpoint_path):
            Path(checkpoint_path).write_bytes(pickle.dumps(self.__getstate__()))

        def restore(self, checkpoint_path):
            self.__dict__.update(pickle.loads(Path(checkpoint_path).read_bytes()))

    return SkoptSearch()
