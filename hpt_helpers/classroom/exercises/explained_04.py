"""The faults of answers to lesson 4's exercises in words: positions are no quantities, too high or
too low.
"""

import math

import numpy as np


def going_on_explained(got, expected, losses, eta) -> str:
    """Return what is wrong with the positions that go on."""
    if not isinstance(got, list):
        return "a list of positions should come back (with `return`), such as [2, 0]."
    positions = range(len(losses))
    if got and [value - 1 if type(value) is int else value for value in got] == expected:
        return "positions are counted from 0, as in losses[0]."
    if strange := [
        value for value in got if type(value) not in (int, float) or value not in positions
    ]:
        return f"{strange[0]!r} is no position in a list of {len(losses)} losses."
    if failed := [i for i in got if math.isnan(losses[int(i)])]:
        return f"the trial at position {int(failed[0])} failed, and should not go on."
    if len(got) != len(expected):
        few = (
            f", and only {len(expected)} did not fail" if len(expected) < len(losses) // eta else ""
        )
        return f"{len(got)} go on; it should be {len(losses)} // {eta} = {len(losses) // eta}{few}."
    if len(set(got)) < len(got):
        return "a position comes twice: equal losses belong to different trials."
    if got != expected and [losses[int(i)] for i in got] == [losses[i] for i in expected]:
        return "of equal losses the earlier comes first: does your sort keep the order of equals (a stable one does)?"
    if sorted(got) == sorted(expected):
        return "the right trials in another order: the best comes first."
    good = [loss for loss in losses if not math.isnan(loss)]
    if (
        len(good) < len(losses)
        and got == sorted(range(len(good)), key=lambda i: good[i])[: len(got)]
    ):
        return "these are positions in the list without the failed trials; those in `losses` are needed."
    if got == list(range(len(got))):
        return "positions in a sorted list are always 0, 1, 2 and so on; those in `losses` as it was given are needed."
    return "these are not the trials of the lowest losses."


def cost_explained(got, expected, rungs) -> str:
    """Return whether a cost is too high or too low, and how to count it by hand."""
    if type(got) not in (int, float):
        return ""
    (n, epochs), *others = rungs
    if others and got == n * epochs:
        return f"{got:g} is what the first rung costs: do the others count, or does `return` end the loop?"
    if others and got == others[-1][1]:
        return f"{got:g} epochs are those of one configuration that goes to the end: how many train on each rung?"
    by_hand = f"the first rung costs {n} x {epochs} = {n * epochs}"
    if others:
        by_hand += f", and on the second each of {others[0][0]} trains from epoch {epochs} to {others[0][1]}"
    return f"{got:g} epochs are too {'many' if got > expected else 'few'}. By hand: {by_hand}."


def promotable_explained(got, expected, losses, promoted, eta) -> str:
    """Return what is wrong with the trial that goes on next."""
    n, may = len(losses), len(losses) // eta
    if expected is None:
        if type(got) is int and 0 <= got < n and losses.index(losses[got]) < got:
            return f"position {got} ties with an earlier one; of equal losses the earlier comes first. None is needed."
        why = f", and the lowest {may} went on already" if may else ""
        return f"nobody may go on: of {n} results {may or 'none'} may{why}. None is needed."
    if got is None:
        lowest = sorted(range(n), key=lambda i: losses[i])[:may]
        overtaken = (
            " One that went on was overtaken since: it takes no place."
            if set(promoted) - set(lowest)
            else ""
        )
        first = " (0 counts as False: ask whether it `is None`)" * (expected == 0)
        return f"the trial at position {expected} may go on{first}: {may} of {n} may.{overtaken}"
    if isinstance(got, list):
        return "one position is needed, and no list."
    if type(got) not in (int, float) or got not in range(n):
        return f"{got!r} is no position in a list of {n} losses."
    if got in promoted:
        return f"the trial at position {int(got)} went on already."
    lower = sum(loss < losses[int(got)] for loss in losses)
    if lower >= may:
        return f"{lower} losses are lower than that at position {int(got)}, and only {may} of {n} may go on."
    if losses[int(got)] == losses[expected]:
        return f"position {int(got)} ties with an earlier one: does your sort keep the order of equals (a stable one)?"
    return f"a better trial than that at position {int(got)} waits."


def cut(n_kept=lambda n, eta: n // eta, *, failed_may=False, sign=1, of_good=False):
    """Return a `going_on` with some of the usual faults."""

    def going_on(losses, eta):
        order = np.argsort(sign * np.array(losses), kind="stable").tolist()
        good = order if failed_may else [i for i in order if not math.isnan(losses[i])]
        return good[: n_kept(len(good if of_good else losses), eta)]

    return going_on
