"""What lesson 5's exercises are judged by: their cases, usual mistakes, and faults in words."""

import math

from scipy.stats import binom


def wins_cases() -> list[tuple]:
    return [(n,) for n in (20, 6, 8, 9, 12, 17, 40, 101, *range(10, 61))]


def first_to_reach(limit: float, shift: int = 0):
    """Return a function that gives the fewest wins of n whose probability, so many or more, is at
    most the limit.
    """
    return lambda n: next(w for w in range(n + 2) if binom.sf(w - 1, n, 0.5) <= limit) + shift


def wins_explained(got, expected, n) -> str:
    if got is None:
        return "nothing came back; the function has to `return` the number of wins."
    if type(got) not in (int, float):
        return "a number of wins is needed."
    if 0 < got < 1:
        return "that is a share or a probability; the number of wins is asked for."
    if got != int(got):
        return "wins are whole numbers."
    if got > n:
        return f"of {n} pairs no more than {n} can be won."
    chance = binom.sf(got - 1, n, 0.5)
    if got < expected:
        return f"a fair coin reaches {got:g} of {n} or more with probability {chance:.3f}, above 0.025."
    return f"one win fewer would do: a fair coin reaches {got - 1:g} of {n} or more with at most 0.025."


def _finalists(*rows) -> tuple:
    return ([{"searched": searched, "again": list(again)} for searched, *again in rows],)


def report_cases() -> list[tuple]:
    nan = float("nan")  # not math.nan itself, or `is` would find it
    many = [
        (0.02, 0.30, 0.10, 0.01, 0.30),  # the lowest as searched, and of the second and third
        (0.09, 0.08, 0.16, 0.2113, 0.145),  # to be chosen
        (0.10, 0.14, 0.12, 0.10, 0.01),  # of all four
        (0.03, 0.15, 0.11, 0.30, 0.25),  # of `searched` and the first two
        (0.11, 0.13, 0.135, 0.40, 0.20),  # of the higher of the first two
        (0.225, 0.05, 0.40, 0.30, 0.30),  # of the first; and as promised
        (0.12, 0.40, 0.05, 0.30, 0.30),  # of the second
        (0.13, 0.14, 0.13, 0.02, 0.60),  # of the first three
    ]
    return [
        _finalists(*many),
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
        _finalists(
            (0.05, 0.30, 0.32, 0.31, 0.33),
            (0.05, nan, 0.10, 0.10, 0.10),
            (0.05, 0.20, 0.22, 0.21, 0.25),
        ),
        _finalists((0.05, nan, 0.10, 0.10, 0.10), (0.90, 1.70, 1.90, 1.60, 1.50)),
        _finalists((0.05, 0.20, 0.20, 0.30, 0.40), (0.05, 0.10, 0.12, 0.30, 0.50)),
        _finalists(
            (0.05, 0.25, 0.05, 0.2, 0.1), (0.04, 0.3, 0.2, 0.1, 0.2), (0.06, nan, nan, nan, nan)
        ),
        _finalists(
            (0.01, 0.05, nan, 0.01, 0.01), (0.02, 0.01, 0.02, 0.03, nan), (0.3, 0.5, 0.7, 0.9, 0.7)
        ),
    ]


def report_by(rank, reported, shifted: bool = False):
    """Return a report that chooses by `rank` and reports `reported`, counting in the shortened list
    if shifted.
    """

    def report(finalists):
        good = [f for f in finalists if not any(map(math.isnan, f["again"]))]
        best = min(good, key=rank)
        return (good if shifted else finalists).index(best), reported(best)

    return report


def report_explained(got, expected, finalists) -> str:
    if not isinstance(got, list) or len(got) != 2:
        return (
            "nothing came back; print returns nothing: `return position, loss`."
            if got is None
            else "return two values, the position and the loss to report: `return position, loss`."
        )
    if got == expected[::-1]:
        return "return the position first, and then the loss."
    position, loss = got
    if type(position) not in (int, float) or position not in range(len(finalists)):
        return f"the first of the two values has to be a position, from 0 to {len(finalists) - 1}."
    chosen = finalists[int(position)]
    if (
        position != expected[0]
        and type(loss) in (int, float)
        and math.isclose(loss, expected[1], rel_tol=1e-9)
    ):
        return "the loss is that of the right finalist, the position is not: count from 0 in the list as it was given."
    if any(map(math.isnan, chosen["again"])):
        return "you choose a finalist with a nan in `again`: test all four with `math.isnan` (nan == nan is False)."
    if position != expected[0]:
        return "another finalist without nan has a lower mean of the first two of `again`."
    return _loss_explained(loss, chosen)


def _loss_explained(loss, chosen) -> str:
    again = chosen["again"]
    known = {
        "you report `searched`, the loss by which it came into the list": [chosen["searched"]],
        "you report the mean of the two losses that chose": [sum(again[:2]) / 2],
        "you report the mean of all four losses, two of which chose": [sum(again) / 4],
        "you report a sum; the mean is asked for": [sum(again[2:])],
        "you report one of the last two losses only; their mean is asked for": again[2:],
        "you report it rounded; report it as it is": [
            round(sum(again[2:]) / 2, digits) for digits in (1, 2, 3)
        ],
    }
    for words, values in known.items():
        if type(loss) in (int, float) and any(
            math.isclose(loss, value, rel_tol=1e-9) for value in values
        ):
            return f"the choice is right, but {words}."
    return "the choice is right; the loss to report is the mean of the last two of `again`."
