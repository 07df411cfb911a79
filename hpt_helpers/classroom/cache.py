"""Arrays that are dear to compute, kept on disk and named by everything that determines them."""

import hashlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from types import ModuleType

import numpy as np
import platformdirs

# Other versions of these may give other numbers.
LIBRARIES = ("numpy", "scikit-learn", "scikit-optimize", "scipy", "torch")

_warned: set[str] = set()


def cached(
    key: Mapping[str, object], compute: Callable[[], Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Return `compute()`, a mapping from names to arrays, from the cache where it is in it.

    key: everything that determines the numbers, by name: None, bool, int, float, str, numpy scalars
        and arrays, modules, and lists, tuples and mappings of these. A list and a tuple are the
        same, 1 and 1.0 are not. A
        module stands for its source: name all whose code computes. The versions of `LIBRARIES`
        belong to every key.

    An entry is one .npz file, without pickle and with checksums, moved into place whole. A damaged
    one is computed again, with a warning. Without a usable `cache_folder`, or on a full disk, all
    is computed each time, with one. Raises TypeError for what a key cannot hold, and when `compute`
    returns anything but a mapping from str to arrays of numbers, bools or text. What `compute`
    raises goes on, and nothing is kept.

    >>> cached({"what": "squares", "n": 4}, lambda: {"squares": np.arange(4) ** 2})
    {'squares': array([0, 1, 4, 9])}
    """
    digest = _digest(key)
    try:
        folder = cache_folder()
    except OSError as error:
        _warn_once(str(error))
        return _checked(compute())
    arrays = _read(folder, digest)
    if arrays is None:
        arrays = _checked(compute())
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


def _digest(key: Mapping[str, object]) -> str:
    versions = {name: metadata.version(name) for name in LIBRARIES}
    text = json.dumps([versions, key], sort_keys=True, default=_described)
    return hashlib.sha256(text.encode()).hexdigest()


def _described(value):
    """Return what stands in a key for a value that JSON does not know: an array or a module as its
    digest.
    """
    if isinstance(value, Mapping):
        return dict(value)
    # whose item is itself
    if isinstance(value, np.generic) and not isinstance(value, np.longdouble):
        return value.item()
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return {
            "array": [repr(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]
        }
    if isinstance(value, ModuleType) and str(getattr(value.__spec__, "origin", None)).endswith(
        ".py"
    ):
        return {
            "module": [
                value.__name__,
                hashlib.sha256(Path(value.__spec__.origin).read_bytes()).hexdigest(),
            ]
        }
    allowed = "None, bool, int, float, str, arrays of these, modules with a source file, lists, tuples and mappings"
    raise TypeError(f"key holds {value!r}; {allowed} of these are allowed")


def _checked(computed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if isinstance(computed, Mapping) and all(isinstance(name, str) for name in computed):
        arrays = {name: np.asarray(array) for name, array in computed.items()}
        if not any(array.dtype.hasobject for array in arrays.values()):
            return arrays
    raise TypeError(
        f"compute returned {computed!r}; names with arrays of numbers, bools or text are needed"
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
        _warn(f"cache entry {entry.name[:12]}… is damaged ({error}); computing it again")
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
        _warn(f"{reason}; results are computed anew each time")


def _warn(message: str) -> None:
    """Warn at the first line outside this package: its own lines tell a reader nothing."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == "hpt_helpers":
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
