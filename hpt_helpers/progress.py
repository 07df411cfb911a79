"""The course's progress bars: for people only, never in stored outputs."""

import os

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
