"""The course's progress bars: for people only, never in stored outputs."""

import math
import os
from collections.abc import Mapping

from tqdm.auto import tqdm


def progress_bar(iterable=None, *, progress: bool, **options) -> tqdm:
    """Return a tqdm bar that leaves nothing behind; it shows only where progress is True and
    TQDM_DISABLE is unset.
    """
    # tqdm itself does not look at TQDM_DISABLE in a notebook, nor where `disable` is given.
    return tqdm(
        iterable,
        leave=False,
        disable=not progress or bool(os.environ.get("TQDM_DISABLE")),
        **options,
    )


class SearchBar:
    """A bar of a search, with how many trials there are, the best loss, and the failed.

    total: how far it goes, in the unit. Without it, a bar of trials has those that were `expected`.
    """

    def __init__(self, *, progress: bool, total: int | None, unit: str = "epoch"):
        self._bar = progress_bar(progress=progress, total=total, unit=unit)
        self._unit, self._expects = unit, total is None and unit == "trial"
        self.n_trials = self.n_failed = 0
        self.best = math.inf

    def expect(self, n_trials: int) -> None:
        """Let the bar go to as many trials, where it has no end yet or a nearer one."""
        if self._expects and n_trials > (self._bar.total or 0):
            self._bar.total = n_trials
            self._bar.refresh()

    def add(self, record: Mapping) -> None:
        """Add a trial's record; move the bar by it, or by the epochs that it cost."""
        self.n_trials += 1
        self.n_failed += record["status"] == "failed"
        self.best = min(self.best, math.inf if record["status"] == "failed" else record["val_loss"])
        self._bar.set_postfix_str(str(self), refresh=False)
        self._bar.update(1 if self._unit == "trial" else record["charged_epochs"])

    def __str__(self) -> str:
        best = "no loss yet" if math.isinf(self.best) else f"best loss {self.best:.4g}"
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"{self.n_trials} trials, {best}{failed}"

    def close(self) -> None:
        self._bar.close()
