"""The exercises of lesson 4, Hyperband."""

import math
from itertools import pairwise

from hpt_helpers.classroom.exercises.explained_04 import (
    cost_explained,
    cut,
    going_on_explained,
    promotable_explained,
)
from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress

NAN = math.nan
# so many that a sort which is not stable changes their order
TIES = [7 * i % 5 / 10 for i in range(27)]


def going_on_starter(losses, eta):
    return ...


def going_on_solution(losses, eta):
    import math

    good = [i for i, loss in enumerate(losses) if not math.isnan(loss)]
    return sorted(good, key=lambda i: losses[i])[: len(losses) // eta]


q1 = Function(
    name="q1",
    question="""
    Write `going_on(losses, eta)`: the positions of the trials that go on at a cut, the best first. `losses` is a
    rung's list of validation losses, nan for a failed trial. Of n trials, n // eta go on; of equal losses the earlier
    comes first; a failed trial never goes on.""",
    solve=going_on_solution,
    starter=going_on_starter,
    explain=going_on_explained,
    cases=lambda: [
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
    ],
    hints=[
        "Sort positions, not losses: `sorted(range(len(losses)), key=...)` or `np.argsort(losses, kind='stable')`.",
        "What does sorting do with nan? Leave the failed trials out before you sort.",
        "n counts all trials of the rung, the failed ones as well.",
    ],
    wrong=[
        Wrong(
            cut(lambda n, eta: -(-n // eta)),
            "one too many at some cuts: this rounds up, as Ray does; n // eta rounds down.",
            "Rounds up, as the library does, where the algorithm rounds down.",
        ),
        Wrong(
            cut(failed_may=True),
            "where most trials failed, failed ones go on.",
            "Trusts the sort to put nan last, and forgets that places may be left.",
        ),
        Wrong(
            cut(sign=-1),
            "these are the worst: a loss is to be low.",
            "Carries 'the best is the highest' over from accuracy.",
        ),
        Wrong(
            cut(of_good=True),
            "too few go on after failures: n counts all trials of the rung.",
            "Counts only the trials that succeeded.",
        ),
        Wrong(
            lambda losses, eta: [losses[i] for i in going_on_solution(losses, eta)],
            "these are the losses; the positions are asked for.",
            "Sorts the values and loses the trials that they belong to.",
        ),
        Wrong(
            lambda losses, eta: sorted(going_on_solution(losses, eta)),
            "the right trials, in their old order: the best comes first.",
            "Selects by a threshold, or sorts the positions afterwards.",
        ),
        Wrong(
            lambda losses, eta: going_on_solution(losses, eta)[:1],
            "only the winner: at most cuts several go on.",
            "Takes the cut for the end of the search.",
        ),
    ],
    praise="a stable sort and a rule for failures: with these a rung is repeatable.",
)


def cost_starter(rungs):
    return ...


def cost_solution(rungs):
    total, before = 0, 0
    for n_configs, n_epochs in rungs:
        total += n_configs * (n_epochs - before)
        before = n_epochs
    return total


q2 = Function(
    name="q2",
    question="""
    Write `cost(rungs)`: how many epochs a bracket trains when survivors go on from a checkpoint. `rungs` lists
    (configurations, epochs): in [(9, 1), (3, 3), (1, 9)] nine are trained to epoch 1, three of them to epoch 3, and
    one to epoch 9.""",
    solve=cost_solution,
    starter=cost_starter,
    explain=cost_explained,
    cases=lambda: [
        ([(16, 2), (4, 3), (2, 10)],),  # first: what is forgotten shows in the number
        ([(9, 1), (3, 3), (1, 9)],),
        ([(3, 9)],),
        ([(27, 1), (9, 3), (3, 9), (1, 27)],),
        ([(5, 3), (1, 9)],),
    ],
    hints=[
        "How many epochs does a configuration still need on its second rung, if it starts where it was?",
        "At each rung: its configurations, times its epochs less those of the rung before.",
        "The brackets of the chart cost 81, 78, 90 and 108 epochs: `cost` should say so.",
    ],
    wrong=[
        Wrong(
            lambda rungs: sum(n * epochs for n, epochs in rungs),
            "this is what restarting costs: survivors are at the rung before's epoch already.",
            "Charges every rung from epoch 0.",
        ),
        Wrong(
            lambda rungs: rungs[0][0] * rungs[-1][1],
            "this trains all of them in full: nothing is stopped.",
            "Multiplies configurations by R.",
        ),
        Wrong(
            lambda rungs: sum(b[0] * (b[1] - a[1]) for a, b in pairwise(rungs)),
            "the first rung is missing: it starts at epoch 0.",
            "Takes differences between rungs and forgets the one before the first.",
        ),
        Wrong(
            lambda rungs: sum(
                n * (b - a)
                for (n, a), (_, b) in zip([(rungs[0][0], 0), *rungs[:-1]], rungs, strict=True)
            ),
            "too many go on: after a cut only the next rung's configurations are trained.",
            "Charges the epochs between two rungs to those before the cut.",
        ),
        Wrong(
            lambda rungs: sum(epochs for _, epochs in rungs),
            "a rung trains several configurations: each of them needs its epochs.",
            "Adds epochs as if one configuration were trained.",
        ),
        Wrong(
            lambda rungs: sum(n for n, _ in rungs),
            "these are trials, not epochs.",
            "Counts evaluations for cost.",
        ),
    ],
    praise="without checkpoints each rung would cost its configurations times its epochs.",
)


def verdict_solution():
    return "b1"


q3 = MultipleChoice(
    name="q3",
    question="""
    A report says: "Hyperband, 143 trials, validation loss 0.061. Random search at equal cost, 19 trials, 0.068. The
    same 30 validation rows." Which of the two winners will be better on new rows?

    - **a** Hyperband's.
    - **b** The report does not tell.
    - **c** Random search's.

    Because:

    - **1** the lowest of many losses on few rows is low by luck as well.
    - **2** losses after different numbers of epochs cannot be compared.
    - **3** at equal cost the lower loss decides.""",
    solve=verdict_solution,
    hints=[
        "Which verdict of the race is this: as searched, among full, or fresh?",
        "On iris with R = 81, how often was Hyperband ahead as searched, and how often fresh?",
    ],
    wrong=[
        Wrong(
            "a1",
            "in the lesson's race with R = 81 it was ahead as searched, and fresh in 9 of 30 repeats.",
            "Takes the loss that a winner was chosen by for the loss that it will have.",
        ),
        Wrong(
            "c1",
            "it may be: with R = 81 random search was ahead in 21 of 30 repeats. In 9 it was not, and the report "
            "does not tell which this is.",
            "Overcorrects: takes selection bias for proof of the opposite.",
        ),
        Wrong(
            "b2",
            "the option is right, this reason is not: a network stopped early has a loss like any other.",
            "Thinks a trial that was stopped has no valid loss.",
        ),
        Wrong(
            "b3",
            "the option is right, this reason speaks for a: look again at what fresh means.",
            "Equal cost is taken for equal luck.",
        ),
    ],
    praise="who looks at more losses finds luckier ones; retrain the winners on other rows, and compare then.",
)


def promotable_starter(losses, promoted, eta):
    return ...


def promotable_solution(losses, promoted, eta):
    best = sorted(range(len(losses)), key=lambda i: losses[i])[: len(losses) // eta]
    waiting = [i for i in best if i not in promoted]
    return waiting[0] if waiting else None


def _promoting(losses, promoted, eta, *, n=lambda n, eta: n // eta, first=0):
    best = sorted(range(len(losses)), key=lambda i: losses[i])[: n(len(losses), eta)]
    waiting = [i for i in best if i not in promoted]
    return waiting[first] if waiting else None


q4 = Function(
    name="q4",
    question="""
    Write ASHA's rule, `promotable(losses, promoted, eta)`. `losses` are those of the n trials that have finished a rung
    so far, `promoted` the positions of those that went on already. Return the position of the best trial that is among
    the lowest n // eta and has not gone on yet, or None; of equal losses the earlier comes first. No trial failed; a
    rung may be empty.""",
    solve=promotable_solution,
    starter=promotable_starter,
    explain=promotable_explained,
    cases=lambda: [
        ([0.5, 0.2, 0.7], [], 3),
        ([0.5, 0.2, 0.7], [0], 3),
        ([0.5, 0.2, 0.7], [1], 3),
        ([0.1, 0.2, 0.7], [], 3),
        ([0.5, 0.2, 0.7, 0.1, 0.9, 0.4], [1], 3),
        ([0.5, 0.2], [], 3),
        ([0.3, 0.6, 0.2, 0.1], [0], 2),
        ([0.3, 0.6, 0.2, 0.1], [0, 3], 2),
        ([0.2, 0.2, 0.9, 0.8, 0.7, 0.6], [0], 3),
        ([0.2, 0.2, 0.9], [0], 3),
        ([0.1, 0.2, 0.3, 0.4, 0.5], [0], 3),
        ([], [], 3),
        (TIES, [0, 5, 10, 15, 20, 25], 3),
    ],
    hints=[
        "First find the positions of the lowest n // eta losses, then leave out those in `promoted`.",
        "A trial that went on early may have been overtaken since; it does not take a place from another.",
    ],
    wrong=[
        Wrong(
            lambda losses, promoted, eta: _promoting(
                losses, promoted, eta, n=lambda n, eta: -(-n // eta)
            ),
            "n // eta rounds down: with fewer than eta results nobody goes on.",
            "Rounds up, and promotes the first that arrives.",
        ),
        Wrong(
            lambda losses, promoted, eta: _promoting(losses, [], eta),
            "the best goes on again and again: leave out those in `promoted`.",
            "Forgets the state of the rung.",
        ),
        Wrong(
            lambda losses, promoted, eta: _promoting(losses, promoted, eta, n=lambda n, eta: n),
            "this sends on whoever waits: only the lowest n // eta may go.",
            "Takes the best that waits, without the quota.",
        ),
        Wrong(
            lambda losses, promoted, eta: _promoting(
                losses, promoted, eta, n=lambda n, eta: n // eta if n // eta > len(promoted) else 0
            ),
            "one that went on early and was overtaken since takes no place from another: who is now among the lowest?",
            "Counts places instead of asking who is among the best now.",
        ),
        Wrong(
            lambda losses, promoted, eta: _promoting(losses, promoted, eta, first=-1),
            "the last of those who may go: the best of them goes first.",
            "Reads the queue from its end.",
        ),
    ],
    praise="no waiting for a rung to fill, at the price of a few early mistakes.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
