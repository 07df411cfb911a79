"""What lesson 2's functions are judged by: cases, usual mistakes, and faults in words."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
from scipy.stats import chi2

from hpt_helpers.classroom.exercises.reading import is_number

# --- how many trials ------------------------------------------------------------------------------


def trials_needed_cases() -> list[tuple]:
    return [
        (0.05, 0.95),
        (0.01, 0.95),
        (0.1, 0.5),
        (0.25, 0.99),
        (0.5, 0.6),
        (0.5, 0.75),  # two draws exactly
        (0.5, 0.25),
        (0.005, 0.95),  # 598 draws, more than the slider of the lesson counts
    ]


def needed(rounding: Callable, top: Callable | None = None, bottom: Callable | None = None):
    """Return a trials_needed: the quotient of top and bottom, which take p and c, rounded.

    Without them they are the logarithms of 1 - c and of 1 - p, which is right.
    """
    top = top or (lambda p, c: math.log(1 - c))
    bottom = bottom or (lambda p, c: math.log(1 - p))
    return lambda top_share, confidence: rounding(
        top(top_share, confidence) / bottom(top_share, confidence)
    )


def trials_needed_explained(got, expected, top_share, confidence) -> str:
    """Return what so many draws promise, where they are too few or too many."""
    if not is_number(got):
        return ""
    if got < 0:
        return "a negative number: both logarithms are negative, their quotient needs no minus."
    if got != int(got) and got < 1:
        return "that looks like a probability; a number of draws is asked for."
    if got != int(got):
        return "a number of draws is a whole number: round up, so that the confidence is reached."
    if got > expected:
        extra = "one more than" if got == expected + 1 else "more than"
        hits = 1 - (1 - top_share) ** (got - 1)
        return (
            f"{extra} needed: {got - 1:g} already hit with a probability of {hits:.3g}, "
            f"and {confidence} is asked for."
        )
    hits = 1 - (1 - top_share) ** got
    words = f"{got:g} draws hit with a probability of {hits:.3g}, which is less than {confidence}."
    if got == expected - 1:
        words += " One more is needed: rounded down, or a position from 0?"
    return words


# --- random configurations ------------------------------------------------------------------------

LOW, HIGH, SIZES = 0.0001, 0.1, range(16, 65)  # what random_configs draws from
N_MANY = 4_000  # configurations of each of two seeds: each batch size about 160 times
# The largest distance that Kolmogorov and Smirnov's statistic may have from what is right, for
# 8,000 draws. Chance exceeds it once in 1e17.
MAX_DISTANCE = 0.05
# The smallest, in units of 1 / sqrt(n): what is nearer is dealt out in strata, not drawn. Chance
# comes so near once in 3e7.
MIN_DISTANCE = 0.25
MAX_CORRELATION = 0.1  # of what is independent; 4.5 standard errors or more
TOO_EVEN = (
    "lr is spread more evenly than chance has it, as if each part of the range had its share: "
    "such draws depend on each other. Draw each by itself."
)
HALF_ENDS = (
    " Both ends come about half as often as the rest: rounding gives each of them only half an "
    "interval. Draw integers instead."
)
MIN_CHI_SQUARE = 15  # with 48 degrees of freedom: less by chance once in 1e6


def random_configs_cases() -> list[tuple]:
    return [(5, 0), (5, 0), (5, 1), (1, 3), (N_MANY, 0), (N_MANY, 1)]


def faulty_configs(
    *,
    lr: Callable = lambda rng: 10 ** rng.uniform(-4, -1),
    above: int = 65,
    seeds: Callable | None = None,
):
    """Return a random_configs with a fault in lr(rng) or in the bound above the batch sizes.

    seeds(n, seed): the seed of each configuration's own generator, where it has one.
    """

    def random_configs(n, seed):
        if seeds is None:
            rngs = [np.random.default_rng(seed)] * n
        else:
            rngs = [np.random.default_rng(own) for own in seeds(n, seed)]
        return [{"lr": lr(rng), "batch_size": int(rng.integers(16, above))} for rng in rngs]

    return random_configs


def random_configs_fault(results: list) -> str:
    """Return what is wrong with the lists that random_configs gave on its cases.

    Any way to draw is right that gives the right distribution, so the draws are tested.
    """
    for (n, seed), configs in zip(random_configs_cases(), results, strict=True):
        if fault := _shape_fault(configs, n):
            return f"random_configs(n={n}, seed={seed}): {fault}"
    few, again, other, _, many, others = results
    if fault := _seed_fault(few, again, other, many):
        return fault
    lrs = np.array([config["lr"] for config in many + others])
    sizes = np.array([config["batch_size"] for config in many + others])
    fault = (
        _shared_fault(many, others)
        or _lr_fault(lrs)
        or _size_fault(sizes)
        or _dependence_fault(np.log(lrs[:N_MANY]), sizes[:N_MANY])
        or _strata_fault(lrs, sizes)
    )
    return f"among {2 * N_MANY} draws: {fault}" if fault else ""


def _shape_fault(configs, n: int) -> str:
    if configs is None:
        return "None came back; the function has to `return` the list."
    if not isinstance(configs, list) or not all(isinstance(config, dict) for config in configs):
        return "a list of dicts should come back, each with lr and batch_size."
    if len(configs) != n:
        return f"{len(configs)} configurations came back, and not {n}."
    for config in configs:
        lr, size = config.get("lr"), config.get("batch_size")
        if set(config) != {"lr", "batch_size"}:
            names = ", ".join(map(str, config))
            return f"a configuration has the names {names}; lr and batch_size are asked for."
        if type(size) is not int:
            return f"batch_size is {size!r}, which is no integer; `rng.integers` draws integers."
        if not is_number(lr) or not math.isfinite(lr):
            return f"lr is {lr!r}, which is no number."
    return ""


def _seed_fault(few: list, again: list, other: list, many: list) -> str:
    """Return what is wrong with the generator, from five configurations and the first of many."""
    if few != again:
        return (
            "random_configs(n=5, seed=0), called twice, gave different lists: "
            "make the generator from the seed."
        )
    if many == [many[0]] * N_MANY:
        return (
            "random_configs(n=5, seed=0) gave the same configuration five times, "
            f"{few[0]}: draw a new one each time, from a generator made once, "
            "before the loop; a new generator starts again at the same draw."
        )
    lrs = [config["lr"] for config in few]
    if lrs == [config["lr"] for config in other]:
        return (
            f"seeds 0 and 1 gave the same learning rates, {lrs[0]:.3g} first; "
            "they are the same whatever the seed."
        )
    return ""


def _shared_fault(many: list, others: list) -> str:
    """Return what is wrong where learning rates come again, within a seed or under two seeds."""
    lrs, others_lrs = ([config["lr"] for config in configs] for configs in (many, others))
    if len(set(lrs)) < 0.9 * N_MANY:
        [(value, n)] = Counter(lrs).most_common(1)
        if n == N_MANY:
            return f"all {n} configurations of one call share one lr, {value:g}; draw one for each."
        return (
            f"lr comes from a list or is rounded: {value:g} was drawn {n} times, "
            "the same again and again."
        )
    n = len(set(lrs) & set(others_lrs))
    if n == N_MANY:
        return (
            "seeds 0 and 1 gave the same learning rates in another order: "
            "draw them, do not shuffle a list."
        )
    if n > 2:
        return (
            f"seeds 0 and 1 share {n} learning rates: you make a seed for each configuration, "
            "such as seed + i, and a neighbouring seed then draws the same. "
            "One generator, made once, serves them all."
        )
    return ""


def _lr_fault(lrs: np.ndarray) -> str:
    return _lr_outside(lrs.min(), lrs.max()) or _lr_distribution(lrs)


def _lr_outside(low: float, high: float) -> str:
    if low < 0:
        return (
            f"lr is negative, {low:.3g} at the lowest: "
            "that is the logarithm; undo it, with 10 ** or np.exp."
        )
    if low > 9:
        return (
            f"lr lies between {low:.3g} and {high:.3g}: "
            "a minus is missing in the exponent, or one is too many."
        )
    if high > HIGH * (1 + 1e-9):
        words = f"lr is {high:.3g} at the highest, above {HIGH}."
        if math.exp(-4) <= low and high <= math.exp(-1):
            words += " np.exp does not undo powers of ten: 10 ** does, and np.exp undoes np.log."
        return words
    if low < LOW * (1 - 1e-9):
        words = f"lr is {low:.3g} at the lowest, below {LOW}."
        if low < 1e-8:
            words += " 10 ** does not undo np.log: np.exp does, and 10 ** undoes np.log10."
        return words
    return ""


def _lr_distribution(lrs: np.ndarray) -> str:
    low, high = lrs.min(), lrs.max()
    share = f"{(lrs > 0.01).mean():.0%} are above 0.01, a third should be."
    if _distance((lrs - LOW) / (HIGH - LOW)) < MAX_DISTANCE:
        return f"lr is uniform, and not uniform in the logarithm: {share}"
    if low > 1.2 * LOW or high < HIGH / 1.2:
        return (
            f"lr lies between {low:.3g} and {high:.3g}; the rest of {LOW} to {HIGH} is never drawn."
        )
    if _distance(_units(lrs)) > MAX_DISTANCE:
        return f"lr is not uniform in the logarithm: {share}"
    return ""


def _units(lrs: np.ndarray) -> np.ndarray:
    """Return where in the logarithmic range the learning rates lie, from 0 to 1."""
    return np.log(lrs / LOW) / math.log(HIGH / LOW)


def _distance(units: np.ndarray) -> float:
    """Return the greatest distance of the units' distribution function from a uniform one's."""
    return float(np.abs(np.sort(units) - (np.arange(len(units)) + 0.5) / len(units)).max())


def _size_fault(sizes: np.ndarray) -> str:
    drawn = set(sizes.tolist())
    if outside := sorted(drawn - set(SIZES)):
        return f"batch_size {outside[0]} was drawn; {SIZES[0]} to {SIZES[-1]} are asked for."
    in_lower_half = (sizes < np.mean(SIZES)).mean()
    if in_lower_half > 0.55 and len(drawn) > len(SIZES) / 2:
        return (
            f"{in_lower_half:.0%} of the batch sizes lie in the lower half: "
            "are they uniform in their logarithm?"
        )
    if never := sorted(set(SIZES) - drawn):
        return _never_drawn(never, drawn)
    counts, expected = _counts(sizes), len(sizes) / len(SIZES)
    uneven = np.abs(counts - expected).argmax()
    if abs(counts[uneven] - expected) > 5.5 * expected**0.5:
        words = (
            f"batch_size {SIZES[uneven]} was drawn {counts[uneven]} times, "
            f"and not about {expected:.0f} times."
        )
        return words + HALF_ENDS if (counts[[0, -1]] < 0.75 * expected).all() else words
    return ""


def _never_drawn(never: list[int], drawn: set[int]) -> str:
    if len(never) > len(SIZES) / 2:
        return (
            f"only {len(drawn)} values of batch_size were drawn, such as {max(drawn)}; "
            f"{len(never)} never were."
        )
    words = f"batch_size {never[-1]} was never drawn."
    if never == [SIZES[-1]]:
        words += " Many draws, such as `rng.integers`, leave the upper bound out."
    return words


def _counts(sizes: np.ndarray) -> np.ndarray:
    return np.array([(sizes == size).sum() for size in SIZES])


def _dependence_fault(log_lrs: np.ndarray, sizes: np.ndarray) -> str:
    if _correlated(log_lrs, sizes):
        return (
            "lr and batch_size rise or fall together; they should be independent, "
            "with a draw of its own for each."
        )
    for name, values in (("lr", log_lrs), ("batch_size", sizes)):
        if _correlated(values[:-1], values[1:]):
            return (
                f"a configuration's {name} depends on the one before it: "
                "is the list sorted by it, or do they take turns?"
            )
    # a draw of a small integer takes half as many random bits as one of a float
    for half in (0, 1):
        if _correlated(log_lrs[: N_MANY // 2], sizes[half::2]):
            return (
                "lr and batch_size come from two generators of one seed, which draw the same: "
                "use one for both."
            )
    return ""


def _correlated(a: np.ndarray, b: np.ndarray) -> bool:
    return abs(np.corrcoef(a, b)[0, 1]) > MAX_CORRELATION


def _strata_fault(lrs: np.ndarray, sizes: np.ndarray) -> str:
    """Return what is wrong where values are spread more evenly than chance spreads them."""
    counts, expected = _counts(sizes), len(sizes) / len(SIZES)
    if ((counts - expected) ** 2).sum() / expected < MIN_CHI_SQUARE:
        return (
            "each batch_size comes nearly equally often, oftener than chance has it: "
            "draw, do not deal a list out."
        )
    for seed in (0, 1):
        some = lrs[seed * N_MANY : (seed + 1) * N_MANY]
        if _distance(_units(some)) * len(some) ** 0.5 < MIN_DISTANCE:
            return TOO_EVEN
    if any(_too_even(lrs, n_strata) for n_strata in (10, 30, 100)):
        return TOO_EVEN
    return ""


def _too_even(lrs: np.ndarray, n_strata: int) -> bool:
    """Return whether equal parts of the range have numbers of draws that are too equal for chance.

    The draws of the two seeds are counted apart: stratified ones are even in each.
    """
    total = 0.0
    for some in np.split(_units(lrs), 2):
        counts = np.bincount(
            (some * n_strata).astype(int).clip(0, n_strata - 1), minlength=n_strata
        )
        total += ((counts - counts.mean()) ** 2).sum() / counts.mean()
    return total < chi2.ppf(1e-7, 2 * (n_strata - 1))


# --- the expected best ----------------------------------------------------------------------------


def expected_best_cases() -> list[tuple]:
    return [
        ([0.9, 0.5, 0.7], 1),
        ([0.9, 0.5, 0.7], 2),
        ([0.6, 0.9, 0.7, 0.8], 1),
        ([0.6, 0.97, 0.93, 0.97], 5),
        ([0.8], 4),
    ]


def expected_best_explained(got, expected, accuracies, n) -> str:
    """Return what an expected highest value cannot be."""
    if isinstance(got, list):
        return "a list came back; what is asked for is one number."
    if not is_number(got):
        return ""
    if got < 0:
        return "a negative accuracy: a minus sign put in has to be taken out again."
    if abs(got - expected_without_replacement(accuracies, n)) < 1e-9:
        return "that is for draws without replacement; here a value can be drawn again."
    if abs(got - expected) < 0.005:
        return "close, and not exact: is it rounded, or simulated?"
    if got > max(accuracies):
        return (
            "the result is above the highest accuracy of the list; "
            "do the weights of the values add up to 1?"
        )
    if n == 1:
        return "with n=1 there is one draw, and the result should be the mean of the list."
    return (
        "the weight of a value is the probability that it is the highest; "
        "sorted values make it easy to say."
    )


def weighted(values: list, at_most: Callable[[float], float]) -> float:
    """Return the mean of the values, the k-th weighted by what at_most gains from k - 1 to k.

    at_most(share): the probability that a draw is among this share of the values.
    """
    below = np.array([at_most(k / len(values)) for k in range(len(values) + 1)])
    return float(np.array(values) @ np.diff(below))


def expected_highest(accuracies, n) -> float:
    return weighted(sorted(accuracies), lambda share: share**n)


def expected_lowest(accuracies, n) -> float:
    return weighted(sorted(accuracies), lambda share: 1 - (1 - share) ** n)


def expected_without_replacement(accuracies, n) -> float:
    size = len(accuracies)
    if n > size:
        return max(accuracies)
    ordered = enumerate(sorted(accuracies))
    return sum(a * math.comb(k, n - 1) for k, a in ordered) / math.comb(size, n)
