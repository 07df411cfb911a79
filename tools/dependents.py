"""Which cells of a lesson depend on others, by the names that they give a value and use."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping


def names(source: str, *, imports: bool = False) -> tuple[set[str], set[str]]:
    """Return the names that a cell gives a value, and those that it uses, in its functions too.

    imports: count what it imports as given as well.

    >>> given, used = names("import math\\nfor n in numbers:\\n    total += f(n)")
    >>> sorted(given), sorted(used)
    (['n', 'total'], ['f', 'n', 'numbers', 'total'])
    """
    given, used = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            given.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom) and imports:
            given |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.Name):
            (used if isinstance(node.ctx, ast.Load) else given).add(node.id)
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            used.add(node.target.id)
    return given, used


def dependents(
    sources: Mapping[int, str], changed: Collection[int], *, stale: Collection[int] = (), imports: bool = False
) -> list[int]:
    """Return the numbers of the changed cells and of all below that depend on them, in order.

    A cell depends on one above that gives a value to a name which it uses. What a changed cell imports does not count,
    unless `imports`. stale: cells that an earlier change has left with other values; they are among the result where
    one of it needs what they gave.
    """
    about = {number: names(source, imports=imports) for number, source in sources.items()}
    running = set(changed)
    for number in sorted(sources):
        if any(n < number and about[n][0] & about[number][1] for n in running):
            running.add(number)
    for number in sorted(stale, reverse=True):
        if any(n > number and about[number][0] & about[n][1] for n in running):
            running.add(number)
    return sorted(running)
