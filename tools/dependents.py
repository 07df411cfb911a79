"""Which cells of a lesson depend on a change, by the names that statements give a value and use."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def names(node: ast.AST) -> tuple[set[str], set[str]]:
    """Return the names that code gives a value, and those that it uses, as others see it.

    What is a function's own, or a comprehension's, is neither.

    >>> code = "from m import f\\ntotal += f(n)\\ndef g(x):\\n    y = x + z\\n    return y"
    >>> given, used = names(ast.parse(code))
    >>> sorted(given), sorted(used)
    (['f', 'g', 'total'], ['f', 'n', 'total', 'z'])
    """
    given, used = set(), set()
    for part in ast.iter_child_nodes(node):
        inner = names(part)
        given, used = given | inner[0], used | inner[1]
    if isinstance(node, SCOPES):
        own = given | {part.arg for part in ast.walk(node) if isinstance(part, ast.arg)}
        given, used = {node.name} if isinstance(node, ast.FunctionDef) else set(), used - own
    elif isinstance(node, ast.Name):
        (used if isinstance(node.ctx, ast.Load) else given).add(node.id)
    elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        used.add(node.target.id)
    elif isinstance(node, ast.alias):
        given.add((node.asname or node.name).split(".")[0])
    return given, used


def needed(source: str) -> set[str]:
    """Return the names that a cell uses before it gives them a value itself.

    >>> sorted(needed("a = b\\nprint(a)"))
    ['b', 'print']
    """
    found, own = set(), set()
    for statement in ast.parse(source).body:
        given, used = names(statement)
        found |= used - own
        own |= given
    return found


def passed_on(source: str, before: str, touched: Collection[str]) -> set[str]:
    """Return the names to which a cell gives another value than before.

    They are given by statements that the cell, before, did not have, or that use what has another
    value: `touched`.
    """
    old, other, found = (
        {ast.dump(statement) for statement in ast.parse(before).body},
        set(touched),
        set(),
    )
    for statement in ast.parse(source).body:
        given, used = names(statement)
        if ast.dump(statement) not in old or used & other:
            other, found = other | given, found | given
        else:
            other, found = other - given, found - given
    return found


def dependents(
    sources: Mapping[int, str],
    changed: Mapping[int, str],
    stale: Mapping[int, set[str]] | None = None,
) -> dict[int, set[str]]:
    """Return the cells that run after a change, in order: their numbers, and the names whose values
    they change.

    sources: of the code cells, by number; changed: the new sources of those that are changed.
    Beside these, cells below run that need a name which has another value. stale: what an earlier
    change returned; its cells run, unchanged, where one that runs needs what they gave.

    That is enough in a lesson, where no two cells give one name different values for others to use.
    """
    running, stale = {}, stale or {}
    for number, before in sorted(sources.items()):
        touched = set().union(*running.values())
        if number in changed or needed(before) & touched:
            running[number] = passed_on(changed.get(number, before), before, touched)
    for number in sorted(stale, reverse=True):
        if number not in running and any(
            n > number and needed(sources[n]) & stale[number] for n in running
        ):
            running[number] = set()
    return dict(sorted(running.items()))
