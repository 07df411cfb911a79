"""What stands in a cache's key for a value: a description that differs where the value could act
differently.

A module of this package, or of one's own, stands for its source and that of all such modules that
it imports; a module of a library for its version. A function of a module is its name and the
module. A function of a notebook is its code and what it holds: defaults, closure, and the globals
that it uses, functions of the notebook among them. So `at(1)` and `at(5)`, made by one factory,
are two; moving or renaming a function, or another comment in it, changes nothing.
"""

from __future__ import annotations

import ast
import dataclasses
import dis
import functools
import hashlib
import importlib
import importlib.util
import json
import os
import platform
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

OURS = __name__.partition(".")[0]
ADVICE = (
    "give the numbers or text from which it is made, make it inside the function, "
    "or define it in a module"
)


def fingerprint(value: Any) -> str:
    """Return a SHA-256 digest of a value: equal for two values only where they act alike.

    value: None, bool, int, float, str, range, numpy's scalars and arrays, modules, functions
        (those of a notebook, lambdas, closures and partial ones, too), classes of modules, what a
        library's module has under a public name (such as SciPy's `norm`), instances of dataclasses
        and of this package's classes, and lists, tuples, sets and mappings of these. A list and a
        tuple are the same; 1, 1.0 and True are not, nor are mappings in another order.
    Raises TypeError for anything else, which names it and says what to do.

    >>> fingerprint({"a": 1, "b": [2, 3]}) == fingerprint({"a": np.int8(1), "b": (2, 3)})
    True
    """
    return hashlib.sha256(_text(_Describer().describe(value)).encode()).hexdigest()


def _text(description: Any) -> str:
    return json.dumps(description, sort_keys=True)


class _Describer:
    """Describes one value in plain values; a function inside itself by its place."""

    def __init__(self):
        self.functions: list[types.FunctionType] = []  # those that are being described
        self.known: dict[type, Callable] = {}
        self.kinds: list[tuple[Any, Callable]] = [
            (np.generic, self.scalar),
            (np.ndarray, self.array),
            (Mapping, self.mapping),
            (list | tuple | range, lambda value: [self.describe(entry) for entry in value]),
            (set | frozenset, lambda value: {"set": self.in_order(value)}),
            (types.ModuleType, self.module),
            (types.FunctionType, self.function),
            (functools.partial, lambda p: {"partial": self.all(p.func, p.args, p.keywords)}),
            (types.MethodType, lambda m: {"method": self.all(m.__func__, m.__self__)}),
            (types.CodeType, self.code),
            (object, self.other),
        ]

    def describe(self, value: Any) -> Any:
        if value is None or type(value) in (bool, int, float, str):
            return value
        how = self.known.get(type(value))
        if how is None:
            how = next(how for kind, how in self.kinds if isinstance(value, kind))
            self.known[type(value)] = how
        return how(value)

    def all(self, *values) -> list:
        return [self.describe(value) for value in values]

    def in_order(self, values) -> list:
        return sorted((self.describe(value) for value in values), key=_text)

    def scalar(self, value: np.generic) -> Any:
        item = value.item()  # a longdouble's item is itself
        return self.refuse(value) if isinstance(item, np.generic) else self.describe(item)

    def array(self, value: np.ndarray) -> dict:
        if value.dtype.hasobject:
            self.refuse(value)
        digest = hashlib.sha256(value.tobytes()).hexdigest()
        return {"array": [repr(value.dtype), list(value.shape), digest]}

    def mapping(self, value: Mapping) -> dict:
        """Describe the pairs in their order: a search space draws its parameters in this order."""
        kind = type(value).__name__ if _in_package(sys.modules.get(type(value).__module__)) else ""
        return {"mapping": self.describe([list(pair) for pair in value.items()]), "kind": kind}

    def module(self, value: types.ModuleType) -> dict:
        version = _version(value.__name__)
        if version is not None:
            return {"module": [value.__name__, version]}
        sources = sources_of(value.__name__)
        return {"module": value.__name__, "sources": sources} if sources else self.refuse(value)

    def function(self, value: types.FunctionType) -> dict:
        if value in self.functions:
            return {"itself": self.functions.index(value)}
        if named := self.named(value):
            return named
        self.functions.append(value)
        held = self.all(
            value.__code__,
            value.__defaults__,
            value.__kwdefaults__,
            [cell.cell_contents for cell in value.__closure__ or ()],
        )
        module = sys.modules.get(value.__module__)
        of_module = module is not None and (_version(module.__name__), _in_package(module))
        used = self.describe(module) if of_module and any(of_module) else self.used(value)
        self.functions.pop()
        return {"function": held, "uses": used}

    def used(self, function: types.FunctionType) -> list:
        """Describe the globals that a function uses, and what it imports."""
        found, around = {}, function.__globals__
        for instruction in _instructions(function.__code__):
            name = instruction.argval
            if instruction.opname == "IMPORT_NAME":
                found[name] = importlib.import_module(name)
            elif instruction.opname in ("LOAD_GLOBAL", "LOAD_NAME") and name in around:
                found[name] = around[name]
        return [[name, self.describe(found[name])] for name in sorted(found)]

    def code(self, code: types.CodeType) -> dict:
        """Describe what a code object does, but not where it stands and how it is called."""
        names = [code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars]
        counts = [code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags]
        text = [code.co_code.hex(), code.co_exceptiontable.hex(), platform.python_version()]
        return {"code": self.all(text, names, counts, [self.constant(c) for c in code.co_consts])}

    def constant(self, value: Any) -> Any:
        if isinstance(value, bytes | complex) or value is Ellipsis:
            return {"constant": repr(value)}
        if isinstance(value, tuple):
            return [self.constant(entry) for entry in value]
        return self.describe(value)

    def named(self, value: Any) -> dict | None:
        """Describe by module and name what a module, not a notebook, has under its own name."""
        module = sys.modules.get(getattr(value, "__module__", None) or type(value).__module__)
        name = getattr(value, "__qualname__", None) or getattr(value, "__name__", None)
        name = name or _library_name(value, module)
        if module is None or name is None or module.__name__ == "__main__":
            return None
        try:
            is_it = functools.reduce(getattr, name.split("."), module) is value
        except AttributeError:
            is_it = False
        return {"named": name, "of": self.module(module)} if is_it else None

    def other(self, value: Any) -> Any:
        if named := self.named(value):
            return named
        if hasattr(value, "__wrapped__"):  # such as a function with functools.cache
            return self.describe(value.__wrapped__)
        kind = type(value)
        if dataclasses.is_dataclass(kind) or _in_package(sys.modules.get(kind.__module__)):
            return {"instance": self.describe(kind), "holds": self.describe(vars(value))}
        return self.refuse(value)

    def refuse(self, value: Any):
        raise TypeError(
            f"{value!r:.200}, of type {type(value).__name__}, "
            f"has no description for the cache; {ADVICE}"
        )


def _library_name(value: Any, module: types.ModuleType | None) -> str | None:
    """Return the public name that a library's module has for an object, as SciPy has for `norm`."""
    if module is None or module.__name__ == "__main__" or _version(module.__name__) is None:
        return None
    held = vars(module).items()
    return next((name for name, it in held if it is value and not name.startswith("_")), None)


def _instructions(code: types.CodeType) -> Iterator[dis.Instruction]:
    yield from dis.get_instructions(code)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _instructions(constant)


def _in_package(module: types.ModuleType | None) -> bool:
    return module is not None and module.__name__.partition(".")[0] == OURS


def _version(name: str) -> str | None:
    """Return the version of the library that a module is of; None where its source counts."""
    top = name.partition(".")[0]
    if top in (OURS, "__main__"):
        return None
    if top in sys.stdlib_module_names:
        return platform.python_version()
    version = getattr(sys.modules.get(top), "__version__", None)
    if version is None and top in _distributions():
        version = metadata.version(_distributions()[top][0])
    return None if version is None else str(version)


@functools.cache
def _distributions() -> Mapping[str, list[str]]:
    return metadata.packages_distributions()


def sources_of(name: str) -> dict[str, str]:
    """Return a digest of the source of a module, and of each one that it imports, by their names.

    Libraries are left out, as are imports for type checkers. Empty where it has no source.
    """
    found, waiting = {}, [name]
    while waiting:
        name = waiting.pop()
        if name in found or (source := _source(name)) is None:
            continue
        found[name] = hashlib.sha256(source).hexdigest()
        waiting += _imports(source, name)
    return found


def _source(name: str) -> bytes | None:
    """Return the source of a module that is no library's; None where it has none."""
    path = _path(name)
    if path is None:
        return None
    found = os.stat(path)
    return _contents(path, found.st_mtime_ns, found.st_size)


@functools.cache
def _path(name: str) -> str | None:
    if _version(name) is not None:
        return None
    try:
        spec = getattr(sys.modules.get(name), "__spec__", None) or importlib.util.find_spec(name)
    except (ImportError, ValueError):
        return None
    origin = getattr(spec, "origin", None) or ""
    return origin if origin.endswith(".py") else None


@functools.lru_cache(maxsize=1000)
def _contents(path: str, changed_ns: int, size: int) -> bytes:
    return Path(path).read_bytes()


@functools.cache
def _imports(source: bytes, name: str) -> list[str]:
    """Return the names that a module's source imports anywhere; some are no modules."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            node.body = []
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return sorted(set(names))
