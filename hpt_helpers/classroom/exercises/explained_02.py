"""What lesson 2's exercises are judged by, and their faults in words: numbers of draws, draws,
expected values.
"""

import math
from collections import Counter

import numpy as np

LOW, HIGH, SIZES = 0.0001, 0.1, range(16, 65)  # what random_configs draws from
N_MANY = 4_000  # configurations of each of two seeds: each batch size about 160 times
# of the draws' distribution from the right one (Kolmogorov and Smirnov); by chance once in 1e17
MAX_DISTANCE = 0.05
MAX_CORRELATION = 0.1  # of lr and batch_size; that is 4.5 standard errors or more


def trials_needed_explained(got, expected, top_share, confidence) -> str:
    """Return what n draws promise that are too few or too many."""
    if type(got) not in (int, float):
        return ""
    if got < 0:
        return "a negative number: both logarithms are negative, their quotient needs no minus."
    if got != int(got):
        return (
            "that looks like a probability; a number of draws is asked for."
            if got < 1
            else "a number of draws is a whole number: round up, so that the confidence is reached."
        )
    hits = 1 - (1 - top_share) ** (got if got < expected else got - 1)
    if got < expected:
        up = (
            " One more is needed: rounded down, or a position from 0?"
            if got == expected - 1
            else ""
        )
        return f"{got:g} draws hit with a probability of {hits:.3g}, which is less than {confidence}.{up}"
    extra = "one more than" if got == expected + 1 else "more than"
    return f"{extra} needed: {got - 1:g} already hit with a probability of {hits:.3g}, and {confidence} is asked for."


def random_configs_cases() -> list[tuple]:
    return [(5, 0), (5, 0), (5, 1), (1, 3), (N_MANY, 0), (N_MANY, 1)]


def random_configs_fault(results: list) -> str:
    """Return what is wrong with what random_configs gave on its cases; any way to draw is right
    that draws rightly.
    """
    for (n, seed), configs in zip(random_configs_cases(), results, strict=True):
        if fault := _shape_fault(configs, n):
            return f"random_configs(n={n}, seed={seed}): {fault}"
    few, again, other, _, many, others = results
    if fault := _seed_fault(few, again, other, many, others):
        return fault
    lrs = np.array([config["lr"] for config in many + others])
    sizes = np.array([config["batch_size"] for config in many + others])
    fault = _shared_fault(many, others) or _lr_fault(lrs) or _size_fault(sizes)
    fault = fault or _dependence_fault(np.log(lrs[:N_MANY]), sizes[:N_MANY])
    return fault and f"among {2 * N_MANY} draws: {fault}"


def _shape_fault(configs, n: int) -> str:
    if configs is None:
        return "None came back; the function has to `return` the list."
    if not isinstance(configs, list) or not all(isinstance(config, dict) for config in configs):
        return "a list of dicts should come back, each with lr and batch_size."
    if len(configs) != n:
        return f"{len(configs)} configurations came back, and not {n}."
    for config in configs:
        if set(config) != {"lr", "batch_size"}:
            return f"a configuration has the names {', '.join(map(str, config))}; lr and batch_size are asked for."
        if type(config["batch_size"]) is not int:
            return f"batch_size is {config['batch_size']!r}, which is no integer; `rng.integers` draws integers."
        if type(config["lr"]) not in (int, float) or not math.isfinite(config["lr"]):
            return f"lr is {config['lr']!r}, which is no number."
    return ""


def _seed_fault(few, again, other, many, others) -> str:
    """Return what is wrong with the generator, with the learner's first two configurations."""
    if few != again:
        return "random_configs(n=5, seed=0), called twice, gave different lists: make the generator from the seed."
    if many == [many[0]] * N_MANY:
        return (
            f"random_configs(n=5, seed=0) gave the same configuration five times, {few[0]}: draw a new one each time, "
            "from a generator made once, before the loop; a new generator starts again at the same draw."
        )
    lrs, others_lrs = ([config["lr"] for config in configs] for configs in (few, other))
    if lrs == others_lrs:
        return f"seeds 0 and 1 gave the same learning rates, {lrs[0]:.3g} first; they are the same whatever the seed."
    return ""


def _shared_fault(many, others) -> str:
    lrs, others_lrs = ([config["lr"] for config in configs] for configs in (many, others))
    if len(set(lrs)) < 0.9 * N_MANY:
        [(value, n)] = Counter(lrs).most_common(1)
        if n == N_MANY:
            return f"all {n} configurations of one call share one lr, {value:g}; draw one for each."
        return f"lr comes from a list or is rounded: {value:g} was drawn {n} times, the same again and again."
    if (n := len(set(lrs) & set(others_lrs))) == N_MANY:
        return "seeds 0 and 1 gave the same learning rates in another order: draw them, do not shuffle a list."
    if n > 2:
        return (
            f"seeds 0 and 1 share {n} learning rates: you make a seed for each configuration, such as seed + i, and a "
            "neighbouring seed then draws the same. One generator, made once, serves them all."
        )
    return ""


def _dependence_fault(log_lrs: np.ndarray, sizes: np.ndarray) -> str:
    if abs(np.corrcoef(log_lrs, sizes)[0, 1]) > MAX_CORRELATION:
        return "lr and batch_size rise or fall together; they should be independent, with a draw of its own for each."
    for name, values in (("lr", log_lrs), ("batch_size", sizes)):
        if np.corrcoef(values[:-1], values[1:])[0, 1] > MAX_CORRELATION:
            return (
                f"a configuration's {name} depends on the one before it: is the list sorted by it?"
            )
    # a draw of a small integer takes half as many random bits as one of a float
    for half in (0, 1):
        if abs(np.corrcoef(log_lrs[: N_MANY // 2], sizes[half::2])[0, 1]) > MAX_CORRELATION:
            return "lr and batch_size come from two generators of one seed, which draw the same: use one for both."
    return ""


def _lr_fault(lrs: np.ndarray) -> str:
    low, high = lrs.min(), lrs.max()
    if low < 0:
        return f"lr is negative, {low:.3g} at the lowest: that is the logarithm; undo it, with 10 ** or np.exp."
    if low > 9:
        return f"lr lies between {low:.3g} and {high:.3g}: a minus is missing in the exponent, or one is too many."
    if high > HIGH * (1 + 1e-9):
        undone = math.exp(-4) <= low and high <= math.exp(-1)
        mixed = (
            " np.exp does not undo powers of ten: 10 ** does, and np.exp undoes np.log."
            if undone
            else ""
        )
        return f"lr is {high:.3g} at the highest, above {HIGH}.{mixed}"
    if low < LOW * (1 - 1e-9):
        mixed = (
            " 10 ** does not undo np.log: np.exp does, and 10 ** undoes np.log10."
            if low < 1e-8
            else ""
        )
        return f"lr is {low:.3g} at the lowest, below {LOW}.{mixed}"
    if _distance((lrs - LOW) / (HIGH - LOW)) < MAX_DISTANCE:
        share = (lrs > 0.01).mean()
        return f"lr is uniform, and not uniform in the logarithm: {share:.0%} are above 0.01, a third should be."
    if low > 1.2 * LOW or high < HIGH / 1.2:
        return (
            f"lr lies between {low:.3g} and {high:.3g}; the rest of {LOW} to {HIGH} is never drawn."
        )
    if _distance(np.log(lrs / LOW) / math.log(HIGH / LOW)) > MAX_DISTANCE:
        share = (lrs > 0.01).mean()
        return f"lr is not uniform in the logarithm: {share:.0%} are above 0.01, a third should be."
    return ""


def _distance(units: np.ndarray) -> float:
    """Return the greatest distance between the units' distribution function and that of the uniform
    one.
    """
    return float(np.abs(np.sort(units) - (np.arange(len(units)) + 0.5) / len(units)).max())


def _size_fault(sizes: np.ndarray) -> str:
    if outside := sorted(set(sizes.tolist()) - set(SIZES)):
        return f"batch_size {outside[0]} was drawn; {SIZES[0]} to {SIZES[-1]} are asked for."
    counts, expected = np.array([(sizes == size).sum() for size in SIZES]), len(sizes) / len(SIZES)
    if (small := (sizes < np.mean(SIZES)).mean()) > 0.55 and len(set(sizes.tolist())) > len(
        SIZES
    ) / 2:
        return f"{small:.0%} of the batch sizes lie in the lower half: are they uniform in their logarithm?"
    if not counts.all():
        never = [size for size, n in zip(SIZES, counts, strict=True) if n == 0]
        if len(never) > len(SIZES) / 2:
            drawn = [size for size in SIZES if size not in never]
            return f"only {len(drawn)} values of batch_size were drawn, such as {drawn[-1]}; {len(never)} never were."
        above = (
            " Many draws, such as `rng.integers`, leave the upper bound out."
            if never == [SIZES[-1]]
            else ""
        )
        return f"batch_size {never[-1]} was never drawn.{above}"
    uneven = np.abs(counts - expected).argmax()
    if abs(counts[uneven] - expected) > 5.5 * expected**0.5:
        return f"batch_size {SIZES[uneven]} was drawn {counts[uneven]} times, and not about {expected:.0f} times."
    # of a chi-square with 48 degrees of freedom: once in 1e6
    if ((counts - expected) ** 2).sum() / expected < 15:
        return "each batch_size comes nearly equally often, oftener than chance has it: draw, do not deal a list out."
    return ""


def expected_best_cases() -> list[tuple]:
    lists = [0.9, 0.5, 0.7], [0.6, 0.9, 0.7, 0.8], [0.6, 0.97, 0.93, 0.97], [0.8]
    return [(lists[0], 1), (lists[0], 2), (lists[1], 1), (lists[2], 5), (lists[3], 4)]


def expected_best_explained(got, expected, accuracies, n) -> str:
    """Return what an expected highest value cannot be."""
    if isinstance(got, list):
        return "a list came back; what is asked for is one number."
    if type(got) not in (int, float):
        return ""
    if got < 0:
        return "a negative accuracy: a minus sign put in has to be taken out again."
    if abs(got - expected) < 0.005:
        return "close, and not exact: is it rounded, or simulated?"
    if got > max(accuracies):
        return "the result is above the highest accuracy of the list; do the weights of the values add up to 1?"
    if n == 1:
        return "with n=1 there is one draw, and the result should be the mean of the list."
    return "the weight of a value is the probability that it is the highest; sorted values make it easy to say."


def weighted(accuracies, at_most) -> float:
    """Return the expected value where at_most(k) is the probability of no more than the k lowest."""
    below = np.array([at_most(k / len(accuracies)) for k in range(len(accuracies) + 1)])
    return float(np.array(accuracies) @ np.diff(below))


def expected_lowest(accuracies, n) -> float:
    return weighted(sorted(accuracies), lambda share: 1 - (1 - share) ** n)


def expected_without_replacement(accuracies, n) -> float:
    size = len(accuracies)
    if n > size:
        return max(accuracies)
    ordered = enumerate(sorted(accuracies))
    return sum(a * math.comb(k, n - 1) for k, a in ordered) / math.comb(size, n)
