"""Arrays that are dear to compute, kept on disk and named by everything that determines them."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, resolve_name
from pathlib import Path
from types import ModuleType

import numpy as np
import platformdirs

# Other versions of these may give other numbers.
LIBRARIES = ("numpy", "scikit-learn", "scikit-optimize", "scipy", "torch")

_warned: set[str] = set()


def cached(key: Mapping[str, object], compute: Callable[[], Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return `compute()`, a mapping from names to arrays, from the cache where it is in it.

    key: everything that determines the numbers, by name: None, bool, int, float, str, numpy scalars and arrays,
        modules, and lists, tuples and mappings (with str keys) of these. A list and a tuple are the same, 1 and
        1.0 are not. A module stands for its source and that of all modules of its package that it imports,
        directly or not: name the module whose code computes, and a change to that code is another key.
        The versions of `LIBRARIES` belong to every key.

    An entry is one .npz file, without pickle and with checksums, moved into place whole. A damaged one is
    computed again, with a warning. Where `cache_folder` cannot be used, or the disk is full, all is computed
    each time, with one warning.
    Raises TypeError for what a key cannot hold, and when `compute` returns anything but a mapping from str to
    arrays of numbers, bools or text. What `compute` raises goes on, and nothing is kept.

    >>> cached({"what": "squares", "n": 4}, lambda: {"squares": np.arange(4) ** 2})
    {'squares': array([0, 1, 4, 9])}
    """
    digest = _digest(key)
    try:
        entry = cache_folder() / f"{digest}.npz"
    except OSError as error:
        _warn_once(f"{error}; results are computed anew each time")
        return _checked(compute())
    arrays = _read(entry, digest)
    if arrays is None:
        arrays = _checked(compute())
        try:
            _write(entry, digest, arrays)
        except OSError as error:
            _warn_once(f"no cache in {entry.parent}: {error}; results are computed anew each time")
    return arrays


def cache_folder() -> Path:
    """Return the folder of the cache, which is private to this user: HPT_CACHE_DIR, or the user's cache directory.

    Made where it is missing. Raises OSError, saying which folder and why, when it cannot be made or written,
    belongs to another user, or could be written by others.
    """
    folder = Path(os.environ.get("HPT_CACHE_DIR") or platformdirs.user_cache_dir("hpt_helpers", appauthor=False))
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
    if not isinstance(key, Mapping):
        raise TypeError(f"key is {key!r}; a mapping from names to what determines the numbers is needed")
    versions = {name: metadata.version(name) for name in LIBRARIES}
    text = json.dumps([versions, _described("key", key)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _described(name: str, value):
    """Return value as JSON can hold it; an array or a module stands as its digest. name: for error messages."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_described(f"{name}[{i}]", v) for i, v in enumerate(value)]
    if isinstance(value, Mapping) and all(isinstance(k, str) for k in value):
        return {"mapping": {k: _described(f"{name}[{k!r}]", v) for k, v in value.items()}}
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        return {"array": [repr(value.dtype), value.shape, hashlib.sha256(value.tobytes()).hexdigest()]}
    if isinstance(value, ModuleType) and str(getattr(value.__spec__, "origin", None)).endswith(".py"):
        return {"module": {k: hashlib.sha256(source).hexdigest() for k, source in _sources(value).items()}}
    raise TypeError(
        f"{name} is {value!r}; None, bool, int, float, str, arrays of these, modules with a source file, and "
        f"lists, tuples and mappings with str keys are allowed"
    )


def _sources(module: ModuleType) -> dict[str, bytes]:
    """Return the source of this module and of the modules of its package that it imports, directly or not."""
    sources, waiting = {}, [module.__spec__]
    while waiting:
        spec = waiting.pop()
        if spec and spec.name not in sources:
            sources[spec.name] = Path(spec.origin).read_bytes()
            waiting += _imported(ast.parse(sources[spec.name]), spec)
            if parent := spec.name.rpartition(".")[0]:  # the package, whose __init__ is run as well
                waiting.append(find_spec(parent))
    return sources


def _imported(source: ast.Module, spec: ModuleSpec) -> Iterator[ModuleSpec | None]:
    """Yield the modules of its own package that a source imports anywhere, within functions as well."""
    package = spec.name.split(".")[0]
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            yield from (find_spec(alias.name) for alias in node.names if alias.name.split(".")[0] == package)
        elif isinstance(node, ast.ImportFrom):
            name = resolve_name("." * node.level + (node.module or ""), spec.parent)
            if name.split(".")[0] != package:
                continue
            found = find_spec(name)
            yield found
            if found and found.submodule_search_locations:  # a package: what is imported from it may be modules
                yield from (find_spec(f"{name}.{alias.name}") for alias in node.names)


def _checked(arrays: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    if not isinstance(arrays, Mapping) or not all(isinstance(name, str) for name in arrays):
        raise TypeError(f"compute returned {arrays!r}; a mapping from names to arrays is needed")
    arrays = {name: np.asarray(array) for name, array in arrays.items()}
    for name, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"compute returned {name!r} with dtype {array.dtype}; numbers, bools or text are needed")
    return arrays


def _read(entry: Path, digest: str) -> dict[str, np.ndarray] | None:
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


def _write(entry: Path, digest: str, arrays: Mapping[str, np.ndarray]) -> None:
    with tempfile.NamedTemporaryFile(dir=entry.parent, suffix=".tmp", delete=False) as unfinished:
        try:
            # The first array says whose entry it is and what the others are called: checksums guard it as well.
            np.savez(unfinished, np.array([digest, *arrays]), *arrays.values())
        except BaseException:
            os.unlink(unfinished.name)
            raise
    os.replace(unfinished.name, entry)


def _warn_once(message: str) -> None:
    if message not in _warned:
        _warned.add(message)
        _warn(message)


def _warn(message: str) -> None:
    """Warn at the first line outside this package: its own lines tell a reader nothing."""
    frame, level = sys._getframe(), 1
    while frame.f_back and frame.f_globals.get("__name__", "").split(".")[0] == __package__:
        frame, level = frame.f_back, level + 1
    warnings.warn(message, stacklevel=level)
