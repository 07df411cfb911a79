"""The exercises of lesson 4, Hyperband."""

from itertools import pairwise

from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress
from hpt_helpers.classroom.lesson_04.explained import (
    cost_before_the_cut,
    cost_cases,
    cost_explained,
    cut,
    going_on_cases,
    going_on_explained,
)


def going_on_starter(losses, eta):
    return ...


def going_on_solution(losses, eta):
    import math

    good = [i for i, loss in enumerate(losses) if not math.isnan(loss)]
    return sorted(good, key=lambda i: losses[i])[: len(losses) // eta]


q1 = Function(
    name="q1",
    title="Who goes on",
    question="""
    Write `going_on(losses, eta)`, which returns the positions of the trials that go on at a cut,
    the best first. `losses` is the list of a rung's validation losses, with nan for a failed
    trial. Of n trials, n // eta go on. Of equal losses the earlier comes first. A failed trial
    never goes on.""",
    solve=going_on_solution,
    starter=going_on_starter,
    cases=going_on_cases,
    explain=going_on_explained,
    because=(
        "A comparison with nan is always False, so nan spoils a sort: leave failed trials out "
        "first. n // eta counts all trials of the rung, because a failure has used its place. "
        "Python's sort is stable, so of equal losses the earlier comes first."
    ),
    hints=[
        (
            "Sort positions, not losses: `sorted(range(len(losses)), key=...)` or "
            "`np.argsort(losses, kind='stable')`."
        ),
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
    title="What a bracket costs",
    question="""
    Write `cost(rungs)`, which returns how many epochs a bracket trains when survivors go on from a
    checkpoint. `rungs` is a list of pairs of a number of configurations and an epoch. In
    [(9, 1), (3, 3), (1, 9)] nine are trained to epoch 1, three of them to epoch 3, and one to
    epoch 9.""",
    solve=cost_solution,
    starter=cost_starter,
    cases=cost_cases,
    explain=cost_explained,
    because=(
        "A survivor continues from its checkpoint. It pays only for the epochs since the rung "
        "before, and only those who survived pay at all."
    ),
    hints=[
        (
            "How many epochs does a configuration still need on its second rung, if it starts "
            "where it was?"
        ),
        "At each rung: its configurations times the epochs between the rung before and this one.",
        "The brackets of the chart cost 81, 78, 90 and 108 epochs: `cost` should say so.",
    ],
    wrong=[
        Wrong(
            lambda rungs: sum(n * epochs for n, epochs in rungs),
            (
                "this is what restarting costs: a survivor was trained up to the epoch of the rung "
                "before."
            ),
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
            cost_before_the_cut,
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
    return "a2"


q3 = MultipleChoice(
    name="q3",
    title="A report",
    question="""
    A report says: "Hyperband, 143 trials, validation loss 0.061. Random search at equal cost, 19
    trials, 0.068. The same 30 validation rows." Which of the two winners will be better on new
    rows?

    - **a** The report does not tell.
    - **b** Hyperband's.
    - **c** Random search's.

    Because:

    - **1** losses after different numbers of epochs cannot be compared.
    - **2** the lowest of many losses on few rows is low by luck as well.
    - **3** at equal cost the lower loss decides.""",
    solve=verdict_solution,
    because=(
        "Hyperband looked at 143 losses on the same 30 rows, random search at 19, and the lowest "
        "of more losses is lower by luck alone. With 30 rows of the simulated data Hyperband was "
        "ahead as searched in 24 of 30 repeats, and fresh in 15. With 360 rows of digits Hyperband "
        "was ahead both ways. So from this report either may be better."
    ),
    hints=[
        "Is this a loss as searched, or a fresh one?",
        "With 30 rows of the simulated data, how often was Hyperband ahead as searched, and how "
        "often fresh?",
    ],
    wrong=[
        Wrong(
            "b2",
            (
                "with 30 rows of the simulated data Hyperband was ahead as searched in 24 of 30 "
                "repeats, and fresh in 15."
            ),
            "Takes the loss that a winner was chosen by for the loss that it will have.",
        ),
        Wrong(
            "c2",
            "random search's may be the better one, but with 30 rows of the simulated data "
            "Hyperband was ahead fresh in 15 of 30 repeats. The report does not tell which kind of "
            "repeat this is.",
            "Overcorrects: takes selection bias for proof of the opposite.",
        ),
        Wrong(
            "a1",
            (
                "the option is right, this reason is not: a network stopped early has a loss "
                "like any other."
            ),
            "Thinks a trial that was stopped has no valid loss.",
        ),
        Wrong(
            "a3",
            (
                "the option is right, this reason speaks for another option: look again at what "
                "fresh means."
            ),
            "Equal cost is taken for equal luck.",
        ),
    ],
    praise=(
        "who looks at more losses finds luckier ones; train the winners again on other rows, and "
        "compare then."
    ),
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3)
