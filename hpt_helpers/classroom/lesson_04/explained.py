"""What lesson 4's functions are judged by: cases, usual mistakes, and faults in words."""

import math

import numpy as np

from hpt_helpers.classroom.exercises.reading import is_number, is_position

NAN = math.nan
TIES = [7 * i % 5 / 10 for i in range(27)]  # so many that a sort which is not stable shows

# --- who goes on at a cut -------------------------------------------------------------------------


def going_on_cases() -> list[tuple]:
    return [
        ([0.5, 0.1, 0.9, 0.3, 0.7, 0.2, 0.8], 3),
        ([0.4, 0.2, 0.3, 0.1, 0.5], 3),
        ([0.6, 0.2, 0.2, 0.9], 2),
        ([NAN, 0.7, 0.4, NAN, 0.9, 0.8, 0.5, 0.6, 0.3], 3),
        ([NAN, NAN, 0.3, NAN], 2),
        ([0.3, 0.1], 3),
        ([0.9, NAN, 0.1, 0.4, 0.2, NAN, 0.3, 0.8], 4),
        ([NAN, NAN, NAN], 2),
        ([0.2, 0.2, 0.9, 0.8], 4),
        (TIES, 3),
    ]


def cut(n_kept=lambda n, eta: n // eta, *, failed_may=False, sign=1, of_good=False):
    """Return a `going_on` with some of the usual faults."""

    def going_on(losses, eta):
        order = np.argsort(sign * np.array(losses), kind="stable").tolist()
        good = order if failed_may else [i for i in order if not math.isnan(losses[i])]
        return good[: n_kept(len(good if of_good else losses), eta)]

    return going_on


def going_on_explained(got, expected, losses, eta) -> str:
    """Return what is wrong with the positions that go on."""
    if not isinstance(got, list):
        return "a list of positions should come back (with `return`), such as [2, 0]."
    if got and got == [position + 1 for position in expected]:
        return "positions are counted from 0, as in losses[0]."
    for value in got:
        if not is_position(value, len(losses)):
            return f"{value!r} is no position in a list of {len(losses)} losses."
        if math.isnan(losses[int(value)]):
            return f"the trial at position {int(value)} failed, and should not go on."
    if len(got) != len(expected):
        return _wrong_number(len(got), len(expected), losses, eta)
    if len(set(got)) < len(got):
        return "a position comes twice: equal losses belong to different trials."
    return _wrong_trials(got, expected, losses)


def _wrong_number(n_got: int, n_expected: int, losses, eta) -> str:
    n_kept = len(losses) // eta
    few = f", and only {n_expected} did not fail" if n_expected < n_kept else ""
    verb = "goes" if n_got == 1 else "go"
    return f"{n_got} {verb} on; it should be {len(losses)} // {eta} = {n_kept}{few}."


def _wrong_trials(got: list, expected: list, losses) -> str:
    if [losses[int(i)] for i in got] == [losses[i] for i in expected]:
        return (
            "of equal losses the earlier comes first: "
            "does your sort keep the order of equals (a stable one does)?"
        )
    if sorted(got) == sorted(expected):
        return "the right trials in another order: the best comes first."
    good = [loss for loss in losses if not math.isnan(loss)]
    among_good = sorted(range(len(good)), key=lambda i: good[i])[: len(got)]
    if len(good) < len(losses) and got == among_good:
        return (
            "these are positions in the list without the failed trials; "
            "those in `losses` are needed."
        )
    if got == list(range(len(got))):
        return (
            "positions in a sorted list are always 0, 1, 2 and so on; "
            "those in `losses` as it was given are needed."
        )
    if len(good) < len(losses):
        return (
            "these are not the trials of the lowest losses. A nan is neither less nor greater than "
            "another loss, so a sort with failed trials in it goes wrong."
        )
    return "these are not the trials of the lowest losses."


# --- what a bracket costs -------------------------------------------------------------------------


def cost_cases() -> list[tuple]:
    return [
        ([(16, 2), (4, 3), (2, 10)],),  # first: what is forgotten shows in the number
        ([(9, 1), (3, 3), (1, 9)],),
        ([(3, 9)],),
        ([(27, 1), (9, 3), (3, 9), (1, 27)],),
        ([(5, 3), (1, 9)],),
    ]


def cost_before_the_cut(rungs):
    """Return the cost when the epochs between two rungs are charged to those before the cut."""
    total, (n_configs, before) = 0, (rungs[0][0], 0)
    for n_after, n_epochs in rungs:
        total += n_configs * (n_epochs - before)
        n_configs, before = n_after, n_epochs
    return total


def cost_explained(got, expected, rungs) -> str:
    """Return whether a cost is too high or too low, and how to count it by hand."""
    if not is_number(got):
        return ""
    n, epochs = rungs[0]
    by_hand = f"the first rung costs {n} x {epochs} = {n * epochs}"
    if len(rungs) > 1:
        if got == n * epochs:
            return (
                f"{got:g} is what the first rung costs: "
                "do the others count, or does `return` end the loop?"
            )
        if got == rungs[-1][1]:
            return (
                f"{got:g} epochs are those of one configuration that goes to the end: "
                "how many train on each rung?"
            )
        n_second, epochs_second = rungs[1]
        by_hand += (
            f", and on the second each of {n_second} trains from epoch {epochs} to {epochs_second}"
        )
    much = "many" if got > expected else "few"
    return f"{got:g} epochs are too {much}. By hand: {by_hand}."
