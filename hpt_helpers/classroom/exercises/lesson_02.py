"""The exercises of lesson 2, random search."""

import math

import numpy as np

from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress


def trials_needed_starter(top_share, confidence):
    return ...


def trials_needed_solution(top_share, confidence):
    import math

    return math.ceil(math.log(1 - confidence) / math.log(1 - top_share))


def _trials_needed_cases() -> list[tuple]:
    return [(0.05, 0.95), (0.01, 0.95), (0.1, 0.5), (0.25, 0.99), (0.5, 0.6)]


def _needed(rounding, numerator=lambda confidence: math.log(1 - confidence)):
    return lambda top_share, confidence: rounding(numerator(confidence) / math.log(1 - top_share))


q1 = Function(
    name="q1",
    question="""
    Write `trials_needed(top_share, confidence)`: the smallest number of random draws that hit the best `top_share`
    (0.05 is the top 5 %) with a probability of at least `confidence`.""",
    solve=trials_needed_solution,
    starter=trials_needed_starter,
    cases=_trials_needed_cases,
    hints=[
        "All n draws miss with probability (1 - top_share) ** n. How large may that be?",
        "Take logarithms on both sides; both are negative. Or count n up until the formula is satisfied.",
        "A number of trials is whole, and the probability has to be reached: round up with `math.ceil`.",
    ],
    wrong=[
        Wrong(
            _needed(math.floor),
            "one trial short in most cases: the confidence has to be reached.",
            "Rounds down: off by one where the quotient is not whole.",
        ),
        Wrong(
            _needed(round),
            "sometimes one trial short: rounding to the nearest may fall below the confidence.",
            "Rounds to the nearest number, as for a measurement, where a bound has to be reached.",
        ),
        Wrong(
            _needed(float),
            "a number of trials is whole: to which side must it be rounded?",
            "Stops at the formula; the number is not yet one of trials.",
        ),
        Wrong(
            lambda top_share, confidence: math.ceil(confidence / top_share),
            "probabilities do not add up: two draws of 50 % each do not make a certainty.",
            "Adds the chances of the draws (n p) instead of multiplying those of missing.",
        ),
        Wrong(
            _needed(math.ceil, math.log),
            "you let all draws miss with probability `confidence`; it is the hit that should be likely.",
            "Confuses the probability of a hit with that of a miss.",
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


def _all_at_once(n, seed):
    rng = np.random.default_rng(seed)
    lrs, batch_sizes = 10 ** rng.uniform(-4, -1, n), rng.integers(16, 65, n)
    return [{"lr": float(lr), "batch_size": int(size)} for lr, size in zip(lrs, batch_sizes, strict=True)]


def _faulty_configs(*, restarts=False, lr=lambda rng: 10 ** rng.uniform(-4, -1), above=65):
    """Return a random_configs with some of the faults."""

    def random_configs(n, seed):
        rngs = [np.random.default_rng(seed)] * n
        if restarts:
            rngs = [np.random.default_rng(seed) for _ in range(n)]
        return [{"lr": lr(rng), "batch_size": int(rng.integers(16, above))} for rng in rngs]

    return random_configs


q2 = Function(
    name="q2",
    question="""
    Repair `random_configs(n, seed)`. It should return `n` configurations, drawn independently: `lr` log-uniform from
    0.0001 to 0.1, `batch_size` an integer from 16 to 64, both included. It has three faults. Keep the order: for
    each configuration first `lr`, with one call of `rng.uniform`, then `batch_size`.""",
    solve=random_configs_solution,
    starter=random_configs_starter,
    cases=lambda: [(6, 0), (1, 3), (40, 7)],
    hints=[
        "Print `random_configs(3, 0)`. What do the three have in common?",
        "Draw the logarithm uniformly, and then undo it: `np.exp` belongs to `np.log`.",
        "Read the help of `rng.integers`: is its upper bound ever drawn?",
    ],
    wrong=[
        Wrong(
            _faulty_configs(restarts=True),
            "all configurations are the same: the generator starts again for each.",
            "Thinks that a seed belongs to each draw; makes a new generator inside the loop.",
        ),
        Wrong(
            _faulty_configs(lr=lambda rng: rng.uniform(0.0001, 0.1)),
            "nine of ten learning rates lie above 0.01: they are uniform, and not in the logarithm.",
            "Draws a scale parameter uniformly, so that the small values are hardly ever tried.",
        ),
        Wrong(
            _faulty_configs(above=64),
            "learning rates are right; a batch size of 64 is never drawn.",
            "Off by one: takes the upper bound of rng.integers as included.",
        ),
        Wrong(
            _faulty_configs(lr=lambda rng: float(np.exp(rng.uniform(-4, -1)))),
            "learning rates above 0.1: the exponential does not undo the logarithm you used.",
            "Mixes logarithms to the base 10 with exp.",
        ),
        Wrong(
            _faulty_configs(lr=lambda rng: rng.uniform(math.log(0.0001), math.log(0.1))),
            "learning rates below 0: these are the logarithms; they have to be undone.",
            "Stops at the uniform logarithm.",
        ),
        Wrong(
            _all_at_once,
            "right distributions, another order: draw the `lr` of one configuration, then its `batch_size`.",
            "Does not see that a seed fixes numbers only together with the order of the draws.",
        ),
        Wrong(
            _faulty_configs(lr=lambda rng: rng.uniform(0.0001, 0.1), above=64),
            "one fault mended, the generator. How are learning rates spread, and can a batch size be 64?",
            "Stops at the first fault found.",
        ),
        Wrong(
            _faulty_configs(restarts=True, above=64),
            "one fault mended, the learning rates. But all configurations are the same, and no batch size is 64.",
            "Looks at one configuration at a time, never at two side by side.",
        ),
        Wrong(
            _faulty_configs(restarts=True, lr=lambda rng: rng.uniform(0.0001, 0.1)),
            "one fault mended, the batch sizes. But all configurations are the same, and large in learning rate.",
            "Checks the bounds of the values and not their distribution.",
        ),
    ],
    praise="one generator, made once from the seed, is what makes a search repeatable and its draws independent.",
)


def sixty_solution():
    return "b1"


q3 = MultipleChoice(
    name="q3",
    question="""
    A search drew sixty random configurations. What can be said of the best one without seeing its loss?

    - **a** Its loss is probably within 5 % of the lowest possible.
    - **b** It is probably among the best 5 % of what this sampler draws.
    - **c** It is probably among the best 5 %, whatever range the sampler draws from.

    Because:

    - **1** the formula counts ranks among the draws and knows no losses.
    - **2** sixty trials cover most of the space.
    - **3** all that is drawn is equally likely to be good.""",
    solve=sixty_solution,
    hints=[
        "Which losses appear in the formula?",
        "In the lesson the edge of the top 5 % was printed for two ranges of the learning rate. Were they alike?",
    ],
    wrong=[
        Wrong(
            "a1",
            "a rank is not a distance: how far the best loss is from the top 5 % depends on the landscape.",
            "Reads 'top 5 %' as 'within 5 % of the best score'.",
        ),
        Wrong(
            "c1",
            "draw from a poor range and the best 5 % of it are poor as well.",
            "Forgets that the statement is about the sampling distribution.",
        ),
        Wrong(
            "b2",
            "right, but not for this reason: the number is the same in two dimensions and in twenty.",
            "Thinks of random search as covering the space.",
        ),
        Wrong(
            "b3",
            "right, but not for this reason: if all were equally good there would be nothing to find.",
            "Confuses uniform draws with uniform quality.",
        ),
    ],
    praise="that is all the formula says, and it says it of every landscape and every number of dimensions.",
)


def expected_best_accuracy_starter(accuracies, n):
    return ...


def expected_best_accuracy_solution(accuracies, n):
    import numpy as np

    at_most = np.arange(len(accuracies) + 1) / len(accuracies)  # P(a draw is among the k lowest)
    return float(np.sort(accuracies) @ (at_most[1:] ** n - at_most[:-1] ** n))


def _expected_lowest(accuracies, n):
    at_least = 1 - np.arange(len(accuracies) + 1) / len(accuracies)
    return float(np.sort(accuracies) @ (at_least[:-1] ** n - at_least[1:] ** n))


q4 = Function(
    name="q4",
    question="""
    Write `expected_best_accuracy(accuracies, n)`: the expected **highest** of `n` draws, with replacement, from a list
    of accuracies. `expected_best` does the same for the lowest loss.""",
    solve=expected_best_accuracy_solution,
    starter=expected_best_accuracy_starter,
    cases=lambda: [([0.9, 0.5, 0.7], 1), ([0.9, 0.5, 0.7], 2), ([0.6, 0.97, 0.93, 0.97], 5), ([0.8], 4)],
    hints=[
        "The highest of n draws is the k-th lowest value or less with probability (k / N) ** n.",
        "Or use what you have: the highest accuracy is the lowest negative accuracy.",
        "With n = 1 the result must be the mean.",
    ],
    wrong=[
        Wrong(
            _expected_lowest,
            "the best accuracy is the highest; this is what the worst of n draws would be.",
            "Minimum for maximum: carries the direction of the loss over to accuracy.",
        ),
        Wrong(
            lambda accuracies, n: max(accuracies),
            "n draws often miss the best of the list; the result should depend on n.",
            "Takes the best that was seen for what n draws can be expected to give.",
        ),
        Wrong(
            lambda accuracies, n: expected_best_accuracy_solution(accuracies, n + 1),
            "off by one in n: with one draw you should get the mean.",
            "Off by one in the exponent.",
        ),
        Wrong(
            lambda accuracies, n: sum(accuracies) / len(accuracies),
            "that is what one draw gives; the best of more is higher.",
            "Takes the expectation of a draw for that of the best of n.",
        ),
    ],
    praise="reported for several n, it shows whether a method won by being better or by trying more often.",
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
