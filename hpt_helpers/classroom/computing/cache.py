"""An on-disk cache of arrays that are expensive to compute, named by everything that determines
them.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from functools import partial
from importlib import metadata
from pathlib import Path

import numpy as np
import platformdirs

from hpt_helpers.classroom.computing.fingerprint import fingerprint
from hpt_helpers.classroom.computing.processes import share
from hpt_helpers.warn import warn_caller

# Other versions of these may give other numbers.
LIBRARIES = ("numpy", "scikit-learn", "scikit-optimize", "scipy", "torch")

_warned: set[str] = set()


def cached(
    function: Callable[..., Mapping[str, np.ndarray]], *arguments, progress: bool | None = None
) -> dict[str, np.ndarray]:
    """Return function(*arguments), a mapping from names to arrays, from the cache if it is there.

    The key of an entry is all that the function gets, so that it can forget nothing: the
    `fingerprint` of the function (with the source of its module and of all that this imports), of
    the arguments, and the versions of `LIBRARIES`. progress: where given, the function gets it by
    name; it is no part of the key.

    An entry is one .npz file, without pickle and with checksums, moved into place whole. A damaged
    one is computed again, with a warning. Without a usable `cache_folder`, or on a full disk, all
    is computed each time, with one. Raises TypeError for arguments that have no fingerprint, and
    when the function returns anything but a mapping from str to arrays of numbers, bools or text.
    What it raises goes on, and nothing is kept.

    >>> def squares(n):
    ...     return {"squares": np.arange(n) ** 2}
    >>> cached(squares, 4)
    {'squares': array([0, 1, 4, 9])}
    """
    digest = _digest(function, arguments)
    arrays = _found(digest)
    if arrays is None:
        named = {} if progress is None else {"progress": progress}
        arrays = _kept(digest, function(*arguments, **named))
    return arrays


def cached_each(
    function: Callable[..., Mapping[str, np.ndarray]],
    each: Iterable[tuple],
    *,
    progress: bool = False,
) -> list[dict[str, np.ndarray]]:
    """Return [cached(function, *arguments) for arguments in each], in processes where it pays.

    Only what is not in the cache goes there: see `processes.share`. progress: show a bar of that.
    """
    each = list(each)
    digests = [_digest(function, arguments) for arguments in each]
    entries = ((i, _found(digest)) for i, digest in enumerate(digests))
    results = {i: arrays for i, arrays in entries if arrays is not None}
    new = [i for i in range(len(each)) if i not in results]
    # Closed, so that nobody works on for what an interrupt has ended.
    with closing(
        share(partial(_call, function), [each[i] for i in new], progress=progress)
    ) as computed:
        for i, arrays in zip(new, computed, strict=True):
            results[i] = _kept(digests[i], arrays)
    return [results[i] for i in range(len(each))]


def _call(function: Callable, arguments: tuple) -> Mapping[str, np.ndarray]:
    return function(*arguments)


def _digest(function: Callable, arguments: object) -> str:
    versions = {name: metadata.version(name) for name in LIBRARIES}
    return fingerprint([versions, function, arguments])


def _found(digest: str) -> dict[str, np.ndarray] | None:
    """Return an entry's arrays; None where it is not there."""
    try:
        return _read(cache_folder(), digest)
    except OSError as error:
        _warn_once(str(error))
        return None


def _kept(digest: str, computed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what was computed, as arrays, and write it into the cache where there is one."""
    arrays = _checked(computed)
    try:
        folder = cache_folder()
    except OSError:
        return arrays  # `_found` has said why
    try:
        _write(folder, digest, arrays)
    except OSError as error:
        _warn_once(f"no cache in {folder}: {error}")
    return arrays


def cache_folder() -> Path:
    """Return the folder of the cache, which is private to this user: HPT_CACHE_DIR, or the user's
    cache directory.

    Raises OSError, with the reason, when it cannot be made or written, or another user owns it or
    could write to it.
    """
    folder = Path(
        os.environ.get("HPT_CACHE_DIR")
        or platformdirs.user_cache_dir("hpt_helpers", appauthor=False)
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.name == "posix":
            found = folder.stat()
            if found.st_uid != os.getuid() or found.st_mode & 0o022:
                raise PermissionError("it belongs to another user or others may write to it")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError("it cannot be written")
    except OSError as error:
        raise OSError(f"no cache in {folder}: {error}") from error
    return folder


def _checked(computed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if isinstance(computed, Mapping) and all(isinstance(name, str) for name in computed):
        arrays = {name: np.asarray(array) for name, array in computed.items()}
        if not any(array.dtype.hasobject for array in arrays.values()):
            return arrays
    raise TypeError(
        f"the function returned {computed!r}; "
        "names with arrays of numbers, bools or text are needed"
    )


def _read(folder: Path, digest: str) -> dict[str, np.ndarray] | None:
    entry = folder / f"{digest}.npz"
    if not entry.exists():
        return None
    try:
        with open(entry, "rb") as file, np.load(file, allow_pickle=False) as stored:
            stamp, *arrays = (stored[f"arr_{i}"] for i in range(len(stored.files)))
        found, *names = stamp.tolist()
        if found != digest:
            raise ValueError("it is the entry of another key")
        return dict(zip(names, arrays, strict=True))
    except Exception as error:  # a damaged archive can fail in any way; all mean: compute it again
        warn_caller(f"cache entry {entry.name[:12]}… is damaged ({error}); computing it again")
        return None


def _write(folder: Path, digest: str, arrays: Mapping[str, np.ndarray]) -> None:
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".tmp", delete=False) as unfinished:
        try:
            # The first array says whose entry it is and what the others are called: checksums guard
            # it as well.
            np.savez(unfinished, np.array([digest, *arrays]), *arrays.values())
        except BaseException:
            os.unlink(unfinished.name)
            raise
    os.replace(unfinished.name, folder / f"{digest}.npz")


def _warn_once(reason: str) -> None:
    if reason not in _warned:
        _warned.add(reason)
        warn_caller(f"{reason}; results are computed anew each time")
