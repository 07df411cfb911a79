"""The exercises of lesson 2, random search."""

import math

import numpy as np

from hpt_helpers.classroom.exercises.explained_02 import (
    expected_best_cases,
    expected_best_explained,
    random_configs_cases,
    random_configs_fault,
    trials_needed_explained,
)
from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress
from hpt_helpers.classroom.exercises.mistakes_02 import EXPECTED_BEST, TRIALS_NEEDED


def trials_needed_starter(top_share, confidence):
    return ...


def trials_needed_solution(top_share, confidence):
    import math

    return math.ceil(math.log(1 - confidence) / math.log(1 - top_share))


def _trials_needed_cases() -> list[tuple]:
    return [
        (0.05, 0.95),
        (0.01, 0.95),
        (0.1, 0.5),
        (0.25, 0.99),
        (0.5, 0.6),
        (0.5, 0.75),
        (0.5, 0.25),
    ]


q1 = Function(
    name="q1",
    question="""
    Write `trials_needed(top_share, confidence)`: the smallest number of random draws of which at least one hits the
    best `top_share` (0.05 is the top 5 %) with a probability of at least `confidence` (0.95 is 95 %).""",
    solve=trials_needed_solution,
    starter=trials_needed_starter,
    cases=_trials_needed_cases,
    explain=trials_needed_explained,
    hints=[
        "All n draws miss with probability (1 - top_share) ** n. How large may that be?",
        "Take logarithms on both sides; both are negative. Or count n up until the formula is satisfied.",
        "A number of trials is whole, and the probability has to be reached: round up with `math.ceil`.",
    ],
    wrong=TRIALS_NEEDED,
    praise="ten times as fine a top share needs about ten times as many trials.",
)


def random_configs_starter(n, seed):
    configs = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        configs.append({"lr": rng.uniform(0.0001, 0.1), "batch_size": int(rng.integers(16, 64))})
    return configs


def random_configs_solution(n, seed):
    import numpy as np

    rng = np.random.default_rng(seed)
    configs = []
    for _ in range(n):
        lr = np.exp(rng.uniform(np.log(0.0001), np.log(0.1)))
        configs.append({"lr": float(lr), "batch_size": int(rng.integers(16, 65))})
    return configs


def _faulty_configs(
    *, seeds=lambda n, seed: [seed] * n, lr=lambda rng: 10 ** rng.uniform(-4, -1), above=65
):
    """Return a random_configs with one fault or more: seeds gives each configuration its seed."""

    def random_configs(n, seed):
        rngs = (
            map(np.random.default_rng, seeds(n, seed))
            if seeds
            else [np.random.default_rng(seed)] * n
        )
        return [{"lr": lr(rng), "batch_size": int(rng.integers(16, above))} for rng in rngs]

    return random_configs


q2 = Function(
    name="q2",
    question="""
    Repair `random_configs(n, seed)`, which has three faults. It should return a list of `n` configurations, each drawn
    independently of the others: `lr` from 0.0001 to 0.1, uniform in its logarithm; `batch_size` an integer from 16 to
    64, both included and all equally likely. The same seed should give the same list, another seed another list.""",
    solve=random_configs_solution,
    starter=random_configs_starter,
    cases=random_configs_cases,
    fault=random_configs_fault,
    hints=[
        "Print `random_configs(3, 0)`. What do the three have in common?",
        "Draw the logarithm uniformly, and then undo it: `np.exp` belongs to `np.log`, `10 **` to `np.log10`.",
        "Read the help of `rng.integers`: is its upper bound ever drawn?",
    ],
    wrong=[
        Wrong(
            _faulty_configs(),
            "from a generator made once, before the loop; a new generator starts again at the same draw.",
            "Thinks that a seed belongs to each draw; makes a new generator inside the loop.",
        ),
        Wrong(
            _faulty_configs(seeds=lambda n, seed: range(seed, seed + n)),
            "you make a seed for each configuration, such as seed + i, and a neighbouring seed then draws the same.",
            "Repairs equal draws by a seed per draw, so that neighbouring seeds share nearly all of them.",
        ),
        Wrong(
            _faulty_configs(seeds=None, lr=lambda rng: rng.uniform(0.0001, 0.1)),
            "lr is uniform, and not uniform in the logarithm",
            "Draws a scale parameter uniformly, so that the small values are hardly ever tried.",
        ),
        Wrong(
            _faulty_configs(seeds=None, above=64),
            "batch_size 64 was never drawn. Many draws, such as `rng.integers`, leave the upper bound out.",
            "Off by one: takes the upper bound of rng.integers as included.",
        ),
        Wrong(
            _faulty_configs(seeds=None, lr=lambda rng: 10 ** rng.uniform(1, 4)),
            "a minus is missing in the exponent, or one is too many.",
            "Forgets that 0.1 is ten to the power of minus one.",
        ),
        Wrong(
            _faulty_configs(seeds=None, lr=lambda rng: float(np.exp(rng.uniform(-4, -1)))),
            "np.exp does not undo powers of ten",
            "Mixes logarithms to the base 10 with exp.",
        ),
        Wrong(
            _faulty_configs(
                seeds=None, lr=lambda rng: rng.uniform(math.log(0.0001), math.log(0.1))
            ),
            "that is the logarithm; undo it, with 10 ** or np.exp.",
            "Stops at the uniform logarithm.",
        ),
    ],
    praise="one generator, made once from the seed, is what makes a search repeatable and its draws independent.",
)


def sixty_solution():
    return "b1"


q3 = MultipleChoice(
    name="q3",
    question="""
    A search draws sixty random configurations, trains each once and returns the one with the lowest validation loss.
    What can be said before it has run?

    - **a** The loss of the one returned will be within 5 % of the lowest possible, with a probability of about 0.95.
    - **b** One or more of the sixty will belong to the best 5 % of what this sampler draws, with a probability of about
      0.95; the one returned need not.
    - **c** The one returned will belong to the best 5 %, with a probability of about 0.95.

    Because:

    - **1** the formula counts ranks among the draws: it knows no losses, and not the luck of a single training.
    - **2** sixty trials cover most of the space.
    - **3** the lowest loss of sixty shows the best configuration of sixty.""",
    solve=sixty_solution,
    hints=[
        "Which losses appear in 1 - (1 - p) ** n?",
        "The loss of one training is partly luck, of the seed and of the rows. Which of the sixty does that favour?",
    ],
    wrong=[
        Wrong(
            "a1",
            "a rank is no distance: how far the best 5 % are from the lowest loss depends on the landscape.",
            "Reads 'top 5 %' as 'within 5 % of the best score'.",
        ),
        Wrong(
            "c1",
            "that one of the best 5 % is among the sixty does not make it the one that is returned: by one training "
            "each, another may look better by luck.",
            "Takes 'was drawn' for 'was found': forgets that losses are measured with noise.",
        ),
        Wrong(
            "b2",
            "the option is right, this reason is not: the number is the same in two dimensions and in twenty.",
            "Thinks of random search as covering the space.",
        ),
        Wrong(
            "b3",
            "the option is right, this reason speaks for c: and the lowest of sixty losses is lucky as well as good.",
            "Takes the winner by one training for the best configuration.",
        ),
    ],
    praise="a good configuration is soon among the draws; to recognise it takes more than one training.",
)


def expected_best_accuracy_starter(accuracies, n):
    return ...


def expected_best_accuracy_solution(accuracies, n):
    import numpy as np

    at_most = np.arange(len(accuracies) + 1) / len(accuracies)  # P(a draw is among the k lowest)
    return float(np.sort(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n))


q4 = Function(
    name="q4",
    question="""
    Write `expected_best_accuracy(accuracies, n)`: from the list `accuracies`, in any order, `n` values are drawn with
    replacement. What is the highest of them on average? Compute it exactly, without simulation.""",
    solve=expected_best_accuracy_solution,
    starter=expected_best_accuracy_starter,
    cases=expected_best_cases,
    explain=expected_best_explained,
    hints=[
        "The highest of n draws is one of the k lowest values with probability (k / N) ** n.",
        "It is exactly the k-th lowest with probability (k / N) ** n - ((k - 1) / N) ** n. Sort, weigh and add up.",
        "With n = 1 the result must be the mean.",
    ],
    wrong=EXPECTED_BEST,
    praise="reported for several n, it shows how much of a win comes from trying more often.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
