"""A trial of the course as a Ray Tune class Trainable, and Tune's results as a trial table.

Ray is imported where it is used: it takes seconds, and lessons 1 to 3 do without.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from hpt_helpers.config import network_config
from hpt_helpers.data import load_splits
from hpt_helpers.training import evaluate, set_rate, start_training, train_one_epoch
from hpt_helpers.trials import trial_record, trial_table


def course_trainable(dataset: str = "iris", *, draw: int | None = None, seed: int = 0) -> type:
    """Return the class Trainable of the course's trials: a step is an epoch, the numbers are those
    of `fit`.

    dataset, draw: as for `load_splits`; workers are sent its rows. seed: of initial weights and
    shuffles.
    A trial whose configuration has an entry epochs is over at that epoch; others go on until they
    are stopped.
    Each result holds val_loss, val_accuracy and failure. From the epoch at which a trial diverges
    its val_loss is inf and failure says why: HyperBandScheduler sorts by the loss, and nan can come
    out best. Nothing is raised, because a trial that raises after its bracket's first cut leaves
    the others waiting for ever.
    """
    from ray import tune

    splits = load_splits(dataset, draw=draw)

    class CourseTrainable(tune.Trainable):
        def setup(self, config):
            self.reset_config(config)

        def reset_config(self, new_config):
            """Start another trial in this process, which saves the seconds of starting one."""
            self.network = network_config(new_config, splits, n_epochs=new_config.get("epochs"))
            self.n_epochs = new_config.get("epochs", math.inf)
            started = start_training(self.network, splits, seed=seed)
            self.model, self.optimizer, self.generator = started
            self.failure = ""
            return True

        def step(self):
            val_loss, val_accuracy = math.inf, 0.0
            if not self.failure:
                set_rate(self.optimizer, self.network, self.iteration)
                train_one_epoch(
                    self.network,
                    self.model,
                    self.optimizer,
                    splits.X_train,
                    splits.y_train,
                    self.generator,
                )
                val_loss, val_accuracy = evaluate(self.model, splits.X_val, splits.y_val)
            if not math.isfinite(val_loss):
                val_loss, val_accuracy = math.inf, 0.0
                self.failure = (
                    self.failure
                    or f"diverged: validation loss not finite at epoch {self.iteration + 1}"
                )
            done = self.iteration + 1 >= self.n_epochs
            return {
                "val_loss": val_loss,
                "val_accuracy": val_accuracy,
                "failure": self.failure,
                "done": done,
            }

        def save_checkpoint(self, checkpoint_dir):
            state = {
                "model": self.model.state_dict(),
                "optimizer": self.optimizer.state_dict(),
                "generator": self.generator.get_state(),  # or the shuffles would start again
                "failure": self.failure,
            }
            torch.save(state, Path(checkpoint_dir) / "state.pt")

        def load_checkpoint(self, checkpoint: Any):
            state = torch.load(Path(checkpoint) / "state.pt", weights_only=True)
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.generator.set_state(state["generator"])
            self.failure = state["failure"]

    return CourseTrainable


def results_table(results: Iterable) -> pd.DataFrame:
    """Return the trial table of a Tuner's results, one row a trial in the order in which Tune made
    them.

    results: what `Tuner.fit` returned of `course_trainable`. A trial that diverged, or raised, is a
    failed one.
    """
    records = []
    for result in results:
        metrics = result.metrics or {}
        reason = metrics.get("failure", "")
        if result.error is not None:
            reason = (str(result.error).strip().splitlines() or [type(result.error).__name__])[-1]
        records.append(
            trial_record(
                result.config or {},  # Tune has none of a trial that raised before its first result
                n_epochs=metrics.get("training_iteration", 0),
                reason=reason,
                val_loss=metrics.get("val_loss", math.nan),
                val_accuracy=metrics.get("val_accuracy", math.nan),
                runtime_s=metrics.get("time_total_s", math.nan),
            )
        )
    return trial_table(records)
