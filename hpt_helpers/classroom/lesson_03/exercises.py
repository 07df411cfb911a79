"""The exercises of lesson 3, Bayesian optimisation."""

# By name: Python compiles `math.isnan` otherwise where a module imports math, and then a starter is
# not recognised.
from math import isfinite, isnan, log, log10
from statistics import NormalDist

from hpt_helpers.classroom.exercises.framework import Function, MultipleChoice, Wrong, show_progress
from hpt_helpers.classroom.lesson_03.explained import (
    bound,
    chance_cases,
    chance_explained,
    failing,
    lowest,
    next_trial_cases,
    position_explained,
    told_cases,
    told_explained,
    within_the_untried,
)


def next_trial_starter(means, stds, tried, kappa):
    return ...


def next_trial_solution(means, stds, tried, kappa):
    bounds = [mean - kappa * std for mean, std in zip(means, stds, strict=True)]
    return min((i for i in range(len(bounds)) if i not in tried), key=lambda i: bounds[i])


q1 = Function(
    name="q1",
    title="The lowest bound",
    question="""
    Expected improvement is one way to weigh mean and standard deviation. Another is the **lower
    confidence bound**, which is mean − `kappa` × standard deviation. Write
    `next_trial(means, stds, tried, kappa)`. It returns the position, counted from 0, of the point
    with the lowest bound among those that were not tried yet. `means` and `stds` are lists of
    numbers, one for each point, and `tried` is a list of positions. No two bounds are equal.""",
    solve=next_trial_solution,
    starter=next_trial_starter,
    cases=next_trial_cases,
    explain=position_explained,
    because=(
        "Subtracting kappa standard deviations makes a point attractive for a low mean or for a "
        "large standard deviation. A surrogate goes on promising something where it has been, so "
        "tried points have to be left out. Positions are kept because the choice runs over all "
        "positions, not over a shorter list."
    ),
    hints=[
        "One number for each point: its mean less kappa times its standard deviation.",
        "Losses are to be small, so the lowest bound wins. Which points may not win?",
        "Let the tried points have a bound of infinity; then take the position of the smallest.",
    ],
    wrong=[
        Wrong(
            lowest(bound, tried_too=True),
            "a point that was tried wins; under the same seed a second try teaches nothing.",
            "Forgets that a surrogate goes on promising something where it has been.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: mean + kappa * std),
            "your standard deviation counts against a point; it should count in its favour.",
            "Avoids risk: takes the upper bound, as for a choice that cannot be repeated.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: mean + kappa * std, choose=max),
            "that is the highest upper bound, for scores to be maximised; losses are to be small.",
            "Takes the formula of the upper confidence bound over from maximisation.",
        ),
        Wrong(
            lowest(bound, choose=max),
            "that is the highest of the bounds; the lowest is needed.",
            "Mixes up minimising and maximising.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: mean),
            "the standard deviation has no effect: only the mean decides.",
            "Exploits only.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: -std),
            "the mean has no effect: only the standard deviation decides.",
            "Explores only.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: mean - kappa * std**2),
            "you subtract kappa times the variance; the standard deviation is meant.",
            "Confuses variance and standard deviation.",
        ),
        Wrong(
            lowest(lambda mean, std, kappa: mean - std),
            "right only where kappa happens to fit: multiply each standard deviation by it.",
            "Leaves the weight of the standard deviation out.",
        ),
        Wrong(
            within_the_untried,
            (
                "that is a position among the untried points; the position in the whole lists is "
                "needed."
            ),
            "Drops the tried points and loses track of the positions.",
        ),
        Wrong(
            lambda *arguments: next_trial_solution(*arguments) + 1,
            "that is one position too far: they are counted from 0.",
            "Counts positions from 1.",
        ),
    ],
    praise="with kappa = 0 it only exploits; the larger kappa, the more it explores.",
)


def told_starter(losses):
    import math

    return [-100 if math.isnan(loss) else loss for loss in losses]


def told_solution(losses):
    import math

    worst = max(loss for loss in losses if math.isfinite(loss))
    return [math.log(loss if math.isfinite(loss) else worst) for loss in losses]


q2 = Function(
    name="q2",
    title="What a surrogate is told of a failure",
    question="""
    Repair `told(losses)`. It should return what our surrogate is told, a list with the natural
    logarithm of each loss, in the same order. A trial that failed has the loss `nan` or `inf`. It
    should count like the worst trial that did not fail, and not as something huge, beside which all
    other losses would look alike. All other losses are positive, and at least one trial did not
    fail.""",
    solve=told_solution,
    starter=told_starter,
    cases=told_cases,
    explain=told_explained,
    because=(
        "A surrogate that minimises would take -100 for a splendid loss, and something huge "
        "would make all other losses look alike. Told as the worst that did not fail, a failure "
        "is bad news of the usual size. `math.isfinite` finds nan and inf alike."
    ),
    hints=[
        (
            "Three faults: the logarithm, inf, and the value for what failed. Is -100 a bad loss "
            "or a splendid one?"
        ),
        "`math.isfinite` is False for both nan and inf. Which of the finite losses is the worst?",
        "First find the largest finite loss. Then take the logarithm of it or of the loss.",
    ],
    wrong=[
        Wrong(
            failing(lambda good: -100),
            (
                "a failed trial is told as -100, the best that was ever seen: the search would "
                "go there."
            ),
            "Mends the logarithm, and keeps a penalty whose sign belongs to maximising.",
        ),
        Wrong(
            failing(lambda good: 100),
            "a failed trial is told as 100: next to it, all others look alike.",
            "A large penalty seems safe; it flattens the differences that matter.",
        ),
        Wrong(
            failing(lambda good: log(min(good))),
            "a failed trial is told like the best one; the worst is needed.",
            "Mixes up minimising and maximising.",
        ),
        Wrong(
            failing(max),
            "a failed trial is told as the worst loss itself; the others are told as logarithms.",
            "Mixes two scales in one list.",
        ),
        Wrong(
            failing(lambda good: max(good), take_log=lambda loss: loss),
            "failed trials are right, but nothing is told as its logarithm.",
            "Leaves the logarithm out.",
        ),
        Wrong(
            failing(lambda good: log10(max(good)), take_log=log10),
            "these are logarithms to the base 10; the natural ones are needed.",
            "Takes log10.",
        ),
        Wrong(
            lambda losses: [log(loss) for loss in losses if isfinite(loss)],
            (
                "failed trials are dropped: the list no longer matches the trials, and their "
                "places look untried."
            ),
            "Cleans data by deleting rows.",
        ),
        Wrong(
            lambda losses: [
                log(max(x for x in losses if isfinite(x)) if isnan(loss) else loss)
                for loss in losses
            ],
            "nan is mended, but a loss of inf is still told as inf.",
            "Thinks of nan as the only sign of failure.",
        ),
    ],
    praise="so a crash counts as bad, but does not hide the differences among the others.",
)


def colleague_solution():
    return "b1"


q3 = MultipleChoice(
    name="q3",
    title="Seventeen wins, and nine",
    question="""
    A colleague compares two searches of 40 trials on 30 validation rows, in 20 repeats. By the
    lowest loss that each has met, the search that learns wins 17 of them. When their choices are
    judged fresh, on other rows and seeds, it wins nine. What do you tell her?

    - **a** The search that learns is better here, because 17 of 20 is not chance.
    - **b** Nothing shows that its choices are better here. It has only met lower losses.
    - **c** The search that learns is worse here, and should never be used.

    And why?

    - **1** A stronger search also finds more of the luck of the rows and the seed by which it is
      judged.
    - **2** Nine of 20 is less than half.
    - **3** 40 trials are too few for a surrogate to learn anything.""",
    solve=colleague_solution,
    because=(
        "The 17 wins count losses on the rows that the searches chose by, and a stronger search "
        "also finds more of their luck. What she will meet after the search is the fresh loss, "
        "and there 9 wins of 20 are what a coin gives. So nothing shows better choices here, and "
        "nothing shows worse ones."
    ),
    hints=[
        "Which of the two numbers speaks of what she will meet after the search?",
        "What would a fair coin give in 20 throws, and how far from that is 9?",
    ],
    wrong=[
        Wrong(
            "a1",
            (
                "it is not by chance that it met lower losses. But you choose for other rows, and "
                "there it wins only 9 of 20."
            ),
            "Takes the loss that a configuration was chosen by for its quality.",
        ),
        Wrong(
            "c1",
            (
                "a fair coin gives 9 or fewer in two of five cases, and on digits with 30 rows it "
                "won 26 of 30."
            ),
            "Reads noise as a verdict, and one problem as all.",
        ),
        Wrong(
            "b2",
            (
                "the option is right, but this reason is not. 9 of 20 is what a coin gives. Why, "
                "then, did it win 17 before?"
            ),
            "Reads a difference into a count that chance explains.",
        ),
        Wrong(
            "b3",
            (
                "the option is right, this reason is not: with 40 trials it won 26 of 30 on "
                "digits with 30 rows, fresh."
            ),
            "Explains a failure by too small a budget.",
        ),
    ],
    praise="and with more validation rows there is less luck to be found.",
)


def chance_of_improvement_starter(mean, std, best):
    return ...


def chance_of_improvement_solution(mean, std, best):
    from statistics import NormalDist

    return NormalDist(mean, std).cdf(best)


q4 = Function(
    name="q4",
    title="The probability of improvement",
    question="""
    A third way to weigh mean and standard deviation asks only how likely a gain is, and not how
    large it is. Write `chance_of_improvement(mean, std, best)`. It returns the probability that a
    loss lies below `best`, where the loss has a normal distribution with this mean and this
    standard deviation, which is above 0. All three are numbers.""",
    solve=chance_of_improvement_solution,
    starter=chance_of_improvement_starter,
    cases=chance_cases,
    explain=chance_explained,
    because=(
        "`best` lies z = (best - mean) / std standard deviations above the mean. The probability "
        "that a Normal value lies below a point is its distribution function there."
    ),
    hints=[
        "By how many standard deviations does `best` lie above the mean?",
        "`norm.cdf(z)` is the probability that a standard Normal lies below z.",
    ],
    wrong=[
        Wrong(
            lambda mean, std, best: NormalDist().cdf((mean - best) / std),
            "that is the probability to lie above `best`; small losses are good.",
            "Turns z round, as for scores to be maximised.",
        ),
        Wrong(
            lambda mean, std, best: NormalDist().pdf((best - mean) / std),
            "that is the density at `best`; a probability is the area below it.",
            "Confuses density and distribution function.",
        ),
        Wrong(
            lambda mean, std, best: NormalDist().cdf(best - mean),
            "the standard deviation has no effect: measure the distance in standard deviations.",
            "Forgets to standardise.",
        ),
        Wrong(
            lambda mean, std, best: NormalDist().cdf((best - mean) / std**2),
            "you divide by the variance; the distance is measured in standard deviations.",
            "Confuses variance and standard deviation.",
        ),
        Wrong(
            lambda mean, std, best: (
                (best - mean) * NormalDist().cdf((best - mean) / std)
                + std * NormalDist().pdf((best - mean) / std)
            ),
            "that is the expected improvement, in units of the loss; a probability is needed.",
            "Takes how much for how likely.",
        ),
        Wrong(
            lambda mean, std, best: NormalDist(std, best).cdf(mean),
            (
                "look at the order of the arguments: `norm.cdf(x, loc, scale)` takes the point "
                "first, here `best`, then the mean and the standard deviation."
            ),
            "Passes the arguments in the order of the question.",
        ),
    ],
    praise=(
        "it asks whether there is a gain and not how large: a tiny one that is sure beats a "
        "large one that is not."
    ),
)


def progress() -> None:
    """Print which of the lesson's exercises are done in this kernel."""
    show_progress(q1, q2, q3, q4)
