"""Several Tuners in one Ray, one after the other, with a time limit: what lesson 4's one long cell
needs.

Ray is imported where it is used: it takes seconds.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from hpt_helpers.classroom.computing.processes import end_others
from hpt_helpers.classroom.lesson_04.ray_trainable import results_table
from hpt_helpers.progress import progress_bar


def quiet_run(folder: Path):
    """Return the RunConfig of a Tuner that keeps its files in this folder and shows nothing, in
    notebooks either.
    """
    from ray import tune

    return tune.RunConfig(storage_path=str(folder), verbose=0, progress_reporter=tune.CLIReporter())


def fit_in_turn(
    tuners: Mapping[str, object], *, limit_s: float = 120, progress: bool = False
) -> dict[str, pd.DataFrame]:
    """Fit these Tuners one after the other; return the trial table of each by its name.

    limit_s: seconds that each may take. progress: show a bar of Tuners.
    Raises TimeoutError, saying what to do, when one takes longer, and KeyboardInterrupt, which
    would end one fit only; trials are stopped first. For the main thread, as notebooks have it. The
    handler of interrupts, which Tune leaves changed, is restored. The processes of `share` are
    ended first, because Ray and they together would take more memory than small machines have.
    """
    end_others()
    tables = {}
    for name, tuner in progress_bar(tuners.items(), progress=progress, unit="fit", desc="Ray"):
        # Tune ends its trials at an interrupt, and returns what it has.
        watchdog = threading.Timer(limit_s, signal.raise_signal, [signal.SIGINT])
        watchdog.daemon = True
        started, handler = time.monotonic(), signal.getsignal(signal.SIGINT)
        watchdog.start()
        try:
            results = tuner.fit()
            # then, and only then, Tune puts it back itself
            interrupted = signal.getsignal(signal.SIGINT) is handler
        finally:
            watchdog.cancel()
            signal.signal(signal.SIGINT, handler)  # or the next interrupt would be lost
        if time.monotonic() - started >= limit_s:
            raise TimeoutError(
                f"Ray did not end {name!r} within {limit_s:g} s. Run this cell again; if that ends "
                "here too, restart the kernel, close what else keeps the machine busy, and run all "
                "cells. The others need no Ray."
            )
        if interrupted:
            raise KeyboardInterrupt
        tables[name] = results_table(results)
    return tables
