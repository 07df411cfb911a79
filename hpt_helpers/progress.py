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
    """A bar of a search's epochs, with how many trials there are, the best loss, and the failed."""

    def __init__(self, *, progress: bool, total: int | None, unit: str = "epoch"):
        self._bar = progress_bar(progress=progress, total=total, unit=unit)
        self.n_trials = self.n_failed = 0
        self.best = math.inf

    def add(self, record: Mapping, n: int | None = None) -> None:
        """Add a trial's record; move the bar by n, or by the epochs that it cost."""
        self.n_trials += 1
        self.n_failed += record["status"] == "failed"
        self.best = min(self.best, math.inf if record["status"] == "failed" else record["val_loss"])
        self._bar.set_postfix_str(str(self), refresh=False)
        self._bar.update(record["charged_epochs"] if n is None else n)

    def __str__(self) -> str:
        best = "no loss yet" if math.isinf(self.best) else f"best loss {self.best:.4g}"
        failed = f", {self.n_failed} failed" if self.n_failed else ""
        return f"{self.n_trials} trials, {best}{failed}"

    def close(self) -> None:
        self._bar.close()
