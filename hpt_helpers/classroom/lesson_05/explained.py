"""What lesson 5's functions are judged by: cases, usual mistakes, and faults in words."""

import math

from scipy.stats import binom

from hpt_helpers.classroom.exercises.reading import is_close, is_number, is_position, pair_fault

# --- wins that chance hardly explains -------------------------------------------------------------


def wins_cases() -> list[tuple]:
    return [(n,) for n in (20, 6, 8, 9, 12, 17, 40, 101, *range(10, 61))]


def first_to_reach(limit: float, shift: int = 0):
    """Return a wins_needed: the fewest wins so likely at most, so many or more, plus the shift."""
    return lambda n: next(w for w in range(n + 2) if binom.sf(w - 1, n, 0.5) <= limit) + shift


def wins_explained(got, expected, n) -> str:
    if got is None:
        return "nothing came back; the function has to `return` the number of wins."
    if not is_number(got):
        return "a number of wins is needed."
    if 0 < got < 1:
        return "that is a share or a probability; the number of wins is asked for."
    if got != int(got):
        return "wins are whole numbers."
    if got > n:
        return f"of {n} pairs no more than {n} can be won."
    coin = "a fair coin reaches"
    if got < expected:
        chance = binom.sf(got - 1, n, 0.5)
        return f"{coin} {got:g} of {n} or more with probability {chance:.3f}, above 0.025."
    return f"one win fewer would do: {coin} {got - 1:g} of {n} or more with at most 0.025."


# --- what may be reported of a finalist -----------------------------------------------------------


def _finalists(*rows: tuple) -> tuple:
    """Return the arguments of one case: finalists of `searched` and the four of `again`."""
    return ([{"searched": loss, "again": again} for loss, *again in rows],)


def report_cases() -> list[tuple]:
    nan = float("nan")  # not math.nan itself, which `is` would find
    each_is_lowest_of_something = (
        (0.02, 0.30, 0.10, 0.01, 0.30),  # of `searched`, and of the second and third
        (0.09, 0.08, 0.16, 0.2113, 0.145),  # to be chosen
        (0.10, 0.14, 0.12, 0.10, 0.01),  # of all four
        (0.03, 0.15, 0.11, 0.30, 0.25),  # of `searched` and the first two
        (0.11, 0.13, 0.135, 0.40, 0.20),  # of the higher of the first two
        (0.225, 0.05, 0.40, 0.30, 0.30),  # of the first; and as promised
        (0.12, 0.40, 0.05, 0.30, 0.30),  # of the second
        (0.13, 0.14, 0.13, 0.02, 0.60),  # of the first three
    )
    a, b = (0.05, 0.20, 0.22, 0.21, 0.25), (0.05, nan, 0.10, 0.10, 0.10)
    return [
        _finalists(*each_is_lowest_of_something),
        _finalists(
            (0.04, 0.20, 0.22, 0.18, 0.20),
            (0.06, 0.10, 0.12, 0.14, 0.16),
            (0.05, 0.16, 0.14, 0.02, 0.04),
        ),
        _finalists(
            (0.03, nan, 0.05, 0.06, 0.07),
            (0.05, 0.11, 0.09, 0.12, 0.10),
            (0.06, 0.13, 0.15, 0.10, 0.12),
        ),
        _finalists(
            (0.05, 0.12, 0.14, 0.11, 0.13),
            (0.02, 0.04, 0.05, nan, 0.06),
            (0.07, 0.09, 0.11, 0.30, 0.32),
        ),
        _finalists(
            (0.02, 0.30, 0.10, 0.05, 0.05),
            (0.03, 0.15, 0.17, 0.20, 0.30),
            (0.04, 0.05, 0.45, 0.01, 0.03),
        ),
        _finalists((0.05, 0.15, 0.15, 0.10, 0.20)),
        _finalists((0.05, 0.30, 0.32, 0.31, 0.33), b, a),
        _finalists(b, (0.90, 1.70, 1.90, 1.60, 1.50)),
        _finalists((0.05, 0.20, 0.20, 0.30, 0.40), (0.05, 0.10, 0.12, 0.30, 0.50)),
        _finalists(
            (0.05, 0.25, 0.05, 0.2, 0.1), (0.04, 0.3, 0.2, 0.1, 0.2), (0.06, nan, nan, nan, nan)
        ),
        _finalists(
            (0.01, 0.05, nan, 0.01, 0.01), (0.02, 0.01, 0.02, 0.03, nan), (0.3, 0.5, 0.7, 0.9, 0.7)
        ),
    ]


def searched(finalist: dict) -> float:
    return finalist["searched"]


def first_two(finalist: dict) -> float:
    return sum(finalist["again"][:2]) / 2


def last_two(finalist: dict) -> float:
    return sum(finalist["again"][2:]) / 2


def all_four(finalist: dict) -> float:
    return sum(finalist["again"]) / 4


def has_nan(finalist: dict) -> bool:
    return any(math.isnan(loss) for loss in finalist["again"])


def report_by(rank, reported, *, shifted: bool = False):
    """Return a report that chooses by rank(finalist) and reports reported(finalist).

    shifted: count the position in the list without those that have nan.
    """

    def report(finalists):
        good = [finalist for finalist in finalists if not has_nan(finalist)]
        best = min(good, key=rank)
        return (good if shifted else finalists).index(best), reported(best)

    return report


def report_explained(got, expected, finalists) -> str:
    if fault := pair_fault(got, expected, "position, loss", "position", "loss to report"):
        return fault
    position, loss = got
    if not is_position(position, len(finalists)):
        return f"the first of the two values has to be a position, from 0 to {len(finalists) - 1}."
    chosen = finalists[int(position)]
    if position != expected[0] and is_close(loss, expected[1]):
        return (
            "the loss is that of the right finalist, the position is not: "
            "count from 0 in the list as it was given."
        )
    if has_nan(chosen):
        return (
            "you choose a finalist with a nan in `again`: "
            "test all four with `math.isnan` (nan == nan is False)."
        )
    if position != expected[0]:
        return "another finalist without nan has a lower mean of the first two of `again`."
    return f"the choice is right, but {_loss_explained(loss, chosen)}"


def _loss_explained(loss, chosen: dict) -> str:
    if is_close(loss, searched(chosen)):
        return "you report `searched`, the loss by which it came into the list."
    if is_close(loss, first_two(chosen)):
        return "you report the mean of the two losses that chose."
    if is_close(loss, all_four(chosen)):
        return "you report the mean of all four losses, two of which chose."
    if is_close(loss, 2 * last_two(chosen)):
        return "you report a sum; the mean is asked for."
    if is_close(loss, *chosen["again"][2:]):
        return "you report one of the last two losses only; their mean is asked for."
    if is_close(loss, *(round(last_two(chosen), digits) for digits in (1, 2, 3))):
        return "you report it rounded; report it as it is."
    return "report the mean of the last two of `again`."
