"""Which cells of a lesson depend on a change, by the names that statements give a value and use."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

SCOPES = (ast.FunctionDef, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


def names(node: ast.AST) -> tuple[set[str], set[str]]:
    """Return the names that a piece of code gives a value, and those that it uses, as others see it.

    What is a function's own, or a comprehension's, is neither.

    >>> given, used = names(ast.parse("from m import f\\ntotal += f(n)\\ndef g(x):\\n    y = x + z\\n    return y"))
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


def passed_on(source: str, before: str, touched: Collection[str]) -> set[str]:
    """Return the names to which a cell gives another value than before.

    They are given by statements that the cell, before, did not have, or that use what has another value: `touched`.
    """
    old, found = {ast.dump(statement) for statement in ast.parse(before).body}, set()
    for statement in ast.parse(source).body:
        given, used = names(statement)
        if ast.dump(statement) not in old or used & (found | set(touched)):
            found |= given
    return found


def dependents(
    sources: Mapping[int, str], changed: Mapping[int, str], stale: Mapping[int, set[str]] | None = None
) -> dict[int, set[str]]:
    """Return the cells that run after a change, in order: their numbers, and the names whose values they change.

    sources: of the code cells, by number; changed: the new sources of those that are changed. Beside these, cells below
    run that use a name which has another value. stale: what an earlier change returned; its cells run, unchanged, where
    one that runs uses what they gave.
    """
    running, stale = {}, stale or {}
    for number, before in sorted(sources.items()):
        touched = set().union(*running.values())
        if number in changed or names(ast.parse(before))[1] & touched:
            running[number] = passed_on(changed.get(number, before), before, touched)
    for number in sorted(stale, reverse=True):
        if number not in running and any(n > number and _uses(sources[n], stale[number]) for n in running):
            running[number] = set()
    return dict(sorted(running.items()))


def _uses(source: str, wanted: set[str]) -> bool:
    return bool(names(ast.parse(source))[1] & wanted)
