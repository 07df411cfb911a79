"""The exercises of lesson 2, random search."""

import math

import numpy as np

from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress
from hpt_helpers.classroom.lesson_02.explained import (
    expected_best_cases,
    expected_best_explained,
    expected_highest,
    expected_lowest,
    expected_without_replacement,
    faulty_configs,
    needed,
    random_configs_cases,
    random_configs_fault,
    trials_needed_cases,
    trials_needed_explained,
    weighted,
)


def trials_needed_starter(top_share, confidence):
    return ...


def trials_needed_solution(top_share, confidence):
    import math

    return math.ceil(math.log(1 - confidence) / math.log(1 - top_share))


q1 = Function(
    name="q1",
    title="How many trials",
    question="""
    Write `trials_needed(top_share, confidence)`. It returns the smallest number of random draws of
    which at least one hits the best `top_share` with a probability of at least `confidence`. A
    `top_share` of 0.05 is the top 5 %, and a `confidence` of 0.95 is 95 %.""",
    solve=trials_needed_solution,
    starter=trials_needed_starter,
    cases=trials_needed_cases,
    explain=trials_needed_explained,
    because=(
        "Each draw misses the best share p with probability 1 - p, so all n miss with (1 - p) ** "
        "n. That has to be at most 1 - confidence. Both logarithms are negative, so their "
        "quotient is positive, and it is rounded up because the confidence has to be reached."
    ),
    hints=[
        "All n draws miss with probability `(1 - top_share) ** n`. How large may that be?",
        (
            "Take logarithms on both sides; both are negative. Or count n up until the formula "
            "is satisfied, and not only to 300."
        ),
        (
            "A number of trials is whole, and the probability has to be reached: round up with "
            "`math.ceil`."
        ),
    ],
    wrong=[
        Wrong(
            needed(math.floor),
            "one trial short in most cases: the confidence has to be reached, so round up.",
            "Rounds down: off by one where the quotient is not whole.",
        ),
        Wrong(
            needed(round),
            (
                "sometimes one trial short: to round to the nearest may fall below the confidence; "
                "round up."
            ),
            "Rounds to the nearest number, as for a measurement, where a bound has to be reached.",
        ),
        Wrong(
            needed(lambda quotient: int(quotient) + 1),
            (
                "one more than needed where one draw fewer reaches the confidence exactly, which "
                "is enough: a whole quotient stays as it is, and a loop ends there."
            ),
            "Takes int(x) + 1 for rounding up.",
        ),
        Wrong(
            needed(float),
            "a number of draws is a whole number: to which side must it be rounded?",
            "Stops at the formula; the number is not yet one of trials.",
        ),
        Wrong(
            needed(round, lambda p, c: 1, lambda p, c: p),
            (
                "1 / top_share is the number of draws for one hit on average; the confidence does "
                "not enter."
            ),
            "Takes the mean waiting time for a promise.",
        ),
        Wrong(
            needed(math.ceil, lambda p, c: c, lambda p, c: p),
            (
                "confidence / top_share adds probabilities up; two draws of 50 % each do not "
                "make a certainty."
            ),
            "Adds the chances of the draws (n p) instead of multiplying those of missing.",
        ),
        Wrong(
            needed(math.ceil, lambda p, c: -math.log(1 - c), lambda p, c: p),
            (
                "that is the approximation for a small top_share; the exact formula has "
                "a logarithm below, too."
            ),
            "Uses exp(-n p) for (1 - p)^n, which asks for too many where p is large.",
        ),
        Wrong(
            needed(math.ceil, lambda p, c: math.log(c)),
            (
                "you let all draws miss with probability `confidence`; it is the hit that should "
                "be likely."
            ),
            "Confuses the probability of a hit with that of a miss.",
        ),
        Wrong(
            needed(math.ceil, bottom=lambda p, c: math.log(p)),
            "a draw misses with probability 1 - top_share, and not with top_share.",
            "Counts hits in one place and misses in the other.",
        ),
        Wrong(
            needed(math.ceil, lambda p, c: math.log(c), lambda p, c: math.log(p)),
            (
                "that is for all draws to hit; what is asked is that not all miss: use 1 - "
                "confidence and 1 - top_share."
            ),
            "Multiplies the probabilities of hits; does not turn to the complement.",
        ),
        Wrong(
            needed(math.ceil, lambda p, c: math.log(1 - p), lambda p, c: math.log(1 - c)),
            "numerator and denominator are swapped.",
            "Solves (1 - p)^n = 1 - c for 1 / n.",
        ),
        Wrong(
            needed(
                math.ceil, lambda p, c: math.log(1 - c / 100), lambda p, c: math.log(1 - p / 100)
            ),
            "the arguments are shares, 0.05 and not 5 percent: nothing has to be divided by 100.",
            "Does not look at the units of the arguments.",
        ),
    ],
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


q2 = Function(
    name="q2",
    title="Repair the draws",
    question="""
    Repair `random_configs(n, seed)`, which has three faults. It should return a list of `n`
    configurations, each drawn independently of the others. `lr` lies between 0.0001 and 0.1, and is
    uniform in its logarithm. `batch_size` is an integer from 16 to 64, both included, and all are
    equally likely. The same seed should give the same list, and another seed another list.""",
    solve=random_configs_solution,
    starter=random_configs_starter,
    cases=random_configs_cases,
    fault=random_configs_fault,
    because=(
        "A generator made inside the loop starts anew and draws the same each time, so it is "
        "made once, before the loop. A learning rate is chosen by factors, so its logarithm is "
        "drawn uniformly. And `rng.integers` leaves its upper bound out."
    ),
    hints=[
        "Print `random_configs(3, 0)`. What do the three have in common?",
        (
            "Draw the logarithm uniformly, and then undo it: `np.exp` belongs to `np.log`, `10 "
            "**` to `np.log10`."
        ),
        "Read the help of `rng.integers`: is its upper bound ever drawn?",
    ],
    wrong=[
        Wrong(
            faulty_configs(seeds=lambda n, seed: [seed] * n),
            (
                "from a generator made once, before the loop; a new generator starts again at "
                "the same draw."
            ),
            "Thinks that a seed belongs to each draw; makes a new generator inside the loop.",
        ),
        Wrong(
            faulty_configs(seeds=lambda n, seed: range(seed, seed + n)),
            (
                "you make a seed for each configuration, such as seed + i, and a neighbouring "
                "seed then draws the same."
            ),
            (
                "Repairs equal draws by a seed per draw, so that neighbouring seeds share nearly "
                "all of them."
            ),
        ),
        Wrong(
            faulty_configs(lr=lambda rng: rng.uniform(0.0001, 0.1)),
            "lr is uniform, and not uniform in the logarithm",
            "Draws a scale parameter uniformly, so that the small values are hardly ever tried.",
        ),
        Wrong(
            faulty_configs(above=64),
            (
                "batch_size 64 was never drawn. Many draws, such as `rng.integers`, leave the "
                "upper bound out."
            ),
            "Off by one: takes the upper bound of rng.integers as included.",
        ),
        Wrong(
            faulty_configs(lr=lambda rng: 10 ** rng.uniform(1, 4)),
            "a minus is missing in the exponent, or one is too many.",
            "Forgets that 0.1 is ten to the power of minus one.",
        ),
        Wrong(
            faulty_configs(lr=lambda rng: float(np.exp(rng.uniform(-4, -1)))),
            "np.exp does not undo powers of ten",
            "Mixes logarithms to the base 10 with exp.",
        ),
        Wrong(
            faulty_configs(lr=lambda rng: rng.uniform(math.log(0.0001), math.log(0.1))),
            "that is the logarithm; undo it, with 10 ** or np.exp.",
            "Stops at the uniform logarithm.",
        ),
    ],
    praise=(
        "one generator, made once from the seed, is what makes a search repeatable and its draws "
        "independent."
    ),
)


def sixty_solution():
    return "a3"


q3 = MultipleChoice(
    name="q3",
    title="What sixty trials promise",
    question="""
    A search draws sixty random configurations, trains each once and returns the one with the
    lowest validation loss. What can be said before it has run?

    - **a** One or more of the sixty will belong to the best 5 % of what this sampler draws, with a
      probability of about 0.95. The one returned need not be one of them.
    - **b** The one returned will belong to the best 5 %, with a probability of about 0.95.
    - **c** The loss of the one returned will be within 5 % of the lowest possible, with a
      probability of about 0.95.

    Because:

    - **1** sixty trials cover most of the space.
    - **2** the lowest loss of sixty shows the best configuration of sixty.
    - **3** the formula counts ranks among all configurations. It knows neither the losses nor
      the luck of a single training.""",
    solve=sixty_solution,
    because=(
        "All sixty miss the best 5 % with probability 0.95 ** 60, which is about 0.05. The "
        "formula counts ranks, so it says nothing about how far a loss is from the lowest. And "
        "it speaks of what was drawn, not of what is returned. After one training each, another "
        "of the sixty may have a lower loss by luck."
    ),
    hints=[
        "Which losses appear in `1 - (1 - p) ** n`?",
        (
            "The loss of one training is partly luck, of the seed and of the rows. Which of the "
            "sixty does that favour?"
        ),
    ],
    wrong=[
        Wrong(
            "c3",
            (
                "a rank is no distance: how far the best 5 % are from the lowest loss depends on "
                "the landscape."
            ),
            "Reads 'top 5 %' as 'within 5 % of the best score'.",
        ),
        Wrong(
            "b3",
            "that one of the best 5 % is among the sixty does not make it the one that is "
            "returned: by one training "
            "each, another may look better by luck.",
            "Takes 'was drawn' for 'was found': forgets that losses are measured with noise.",
        ),
        Wrong(
            "a1",
            (
                "the option is right, this reason is not: the number is the same in two "
                "dimensions and in twenty."
            ),
            "Thinks of random search as covering the space.",
        ),
        Wrong(
            "a2",
            (
                "the option is right, this reason speaks for another option: and the lowest of "
                "sixty losses is lucky as well as good."
            ),
            "Takes the winner by one training for the best configuration.",
        ),
    ],
    praise=(
        "a good configuration is soon among the draws, but where most of the best are tied, "
        "recognising it takes more than one training."
    ),
)


def expected_best_accuracy_starter(accuracies, n):
    return ...


def expected_best_accuracy_solution(accuracies, n):
    import numpy as np

    at_most = np.arange(len(accuracies) + 1) / len(accuracies)  # P(a draw is among the k lowest)
    return float(np.sort(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n))


q4 = Function(
    name="q4",
    title="The expected best of n draws",
    question="""
    Write `expected_best_accuracy(accuracies, n)`: from the list `accuracies`, in any order, `n`
    values are drawn with replacement. What is the highest of them on average? Compute it exactly,
    without simulation.""",
    solve=expected_best_accuracy_solution,
    starter=expected_best_accuracy_starter,
    cases=expected_best_cases,
    explain=expected_best_explained,
    because=(
        "The highest of n draws is one of the k lowest values exactly when all n draws are, "
        "which has probability (k / N) ** n. The difference of two such probabilities is the "
        "weight of the k-th lowest value, and the mean is the weighted sum."
    ),
    hints=[
        "The highest of n draws is one of the k lowest values with probability `(k / N) ** n`.",
        (
            "It is exactly the k-th lowest with probability `(k / N) ** n - ((k - 1) / N) ** n`. "
            "Sort, weigh and add up."
        ),
        "With n = 1 the result must be the mean.",
    ],
    wrong=[
        Wrong(
            expected_lowest,
            (
                "this is the expected lowest of n draws: sort the other way round, so that the "
                "highest has the largest weight."
            ),
            (
                "Minimum for maximum: carries the direction of the loss over to accuracy; or sorts "
                "from the highest down."
            ),
        ),
        Wrong(
            lambda accuracies, n: -expected_lowest(accuracies, n),
            "a minus is missing inside: this is the expected lowest, made negative.",
            "Turns the result around instead of the accuracies.",
        ),
        Wrong(
            lambda accuracies, n: expected_lowest([-a for a in accuracies], n),
            "the result is negative: a minus is missing at the end, or one is too many.",
            "Turns the accuracies around and not the result.",
        ),
        Wrong(
            lambda accuracies, n: 1 - expected_lowest(accuracies, n),
            (
                "errors are 1 - accuracy: turn each value into its error first, and the expected "
                "lowest error back."
            ),
            "Turns the result around instead of the accuracies.",
        ),
        Wrong(
            lambda accuracies, n: max(accuracies),
            (
                "that is the highest of the list; n draws often miss it, and the result should "
                "depend on n."
            ),
            "Takes the best that was seen for what n draws can be expected to give.",
        ),
        Wrong(
            lambda accuracies, n: max(accuracies[:n]),
            "the first n of the list are one of many possible draws; the average is over all.",
            "Takes one sample for its expected value.",
        ),
        Wrong(
            lambda accuracies, n: expected_highest(accuracies, n + 1),
            "off by one in n: with one draw you should get the mean.",
            "Off by one in the exponent.",
        ),
        Wrong(
            lambda accuracies, n: sum(accuracies) / len(accuracies),
            "that is the mean, what one draw gives (n=1); the best of more is higher.",
            "Takes the expectation of a draw for that of the best of n.",
        ),
        Wrong(
            lambda accuracies, n: weighted(accuracies, lambda share: share**n),
            "the weights are right, but the values are in the order of the list: sort them first.",
            "Forgets that the k-th weight belongs to the k-th lowest value.",
        ),
        Wrong(
            expected_without_replacement,
            "that is for draws without replacement; here a value can be drawn again.",
            "Counts subsets.",
        ),
        Wrong(
            lambda accuracies, n: expected_highest(sorted(set(accuracies)), n),
            "an accuracy that stands in the list twice is twice as likely: keep both.",
            "Takes equal accuracies for one.",
        ),
        Wrong(
            lambda accuracies, n: 100 * expected_highest(accuracies, n),
            "the result is in percent; return a share, as the list has.",
            "Changes the unit on the way.",
        ),
    ],
    praise="reported for several n, it shows how much of a win comes from trying more often.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
