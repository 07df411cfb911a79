"""What lesson 3's functions are judged by: cases, usual mistakes, and faults in words."""

from math import erf, inf, isclose, isfinite, log, nan

from hpt_helpers.classroom.exercises.reading import (
    difference,
    is_close,
    is_number,
    is_position,
    shown,
)

# --- the lower confidence bound -------------------------------------------------------------------


def next_trial_cases() -> list[tuple]:
    return [
        ([0.5, 0.3, 0.4, 0.6], [0.2, 0.01, 0.05, 0.1], [1], 1.0),
        ([0.5, 0.3, 0.4, 0.6], [0.2, 0.0, 0.05, 0.1], [1], 0.0),
        ([0.5, 0.3, 0.45, 0.4], [0.3, 0.01, 0.01, 0.02], [0, 3], 2.0),
        ([-1.0, -1.2, -0.4, 0.1], [0.5, 0.1, 0.3, 1.0], [], 2.0),
        ([0.2, 0.9, 0.3, 0.35], [0.0, 0.5, 0.2, 0.01], [0], 3.0),
        ([12.0, 11.0, 13.0, 14.0], [0.1, 0.2, 0.2, 0.1], [1], 1.0),
        ([0.4, 0.3, 0.2, 3.5, 0.6], [0.1, 0.1, 0.1, 0.3, 0.1], [4, 2, 0, 1], 1.0),
        ([0.7, 0.2, 0.24, 0.9], [0.1, 0.2, 0.3, 0.1], [2], 0.5),
        ([1500.0, 1800.0], [1.0, 2.0], [0], 0.0),
    ]


def bound(mean, std, kappa):
    return mean - kappa * std


def _bounds(means, stds, kappa) -> list[float]:
    return [bound(mean, std, kappa) for mean, std in zip(means, stds, strict=True)]


def lowest(score, *, tried_too=False, choose=min):
    """Return a next_trial that chooses by score(mean, std, kappa)."""

    def next_trial(means, stds, tried, kappa):
        scores = [score(mean, std, kappa) for mean, std in zip(means, stds, strict=True)]
        may = [i for i in range(len(scores)) if tried_too or i not in tried]
        return choose(may, key=lambda i: scores[i])

    return next_trial


def within_the_untried(means, stds, tried, kappa):
    """Return the position of the lowest bound in a list that has lost the tried points."""
    left = [b for i, b in enumerate(_bounds(means, stds, kappa)) if i not in tried]
    return left.index(min(left))


def position_explained(got, expected, means, stds, tried, kappa) -> str:
    if not is_number(got):
        return ""
    bounds = _bounds(means, stds, kappa)
    if not is_position(got, len(bounds)):
        if any(isclose(got, one, abs_tol=1e-9) for one in bounds):
            return "that is a bound; its position is asked for."
        return "there is no such position; they are counted from 0."
    if got in tried:
        fault = (
            "it was tried. If you give tried points another bound, take one that is above all "
            "others in any list: infinity is, 0 is not."
        )
    else:
        fault = "another that was not tried is lower."
    return f"position {got:g} has the bound {bounds[int(got)]:g}; {fault}"


# --- what a surrogate is told ---------------------------------------------------------------------


def told_cases() -> list[tuple]:
    return [
        ([0.2, nan, 0.5, 0.1, 0.3],),
        ([inf, 2.0, 0.7, nan],),
        ([0.3, 0.2],),
        ([nan, 0.04, 0.9, 0.01, inf],),
        ([0.5, 250.0, nan],),
        ([1.0, 2.0, nan],),  # of which one logarithm is 0
    ]


def failing(value, *, take_log=log):
    """Return a told that tells value(good) for what failed, good being the losses that did not."""

    def told(losses):
        good = [loss for loss in losses if isfinite(loss)]
        return [take_log(loss) if isfinite(loss) else value(good) for loss in losses]

    return told


def told_explained(got, expected, losses) -> str:
    if not isinstance(got, list) or len(got) != len(losses):
        return ""
    i = next(i for i in range(len(got)) if difference(got[i], expected[i]))
    good = [loss for loss in losses if isfinite(loss)]
    if isfinite(losses[i]):
        trial = f"had a loss of {losses[i]:g}"
        fault = _told_of_a_loss(got[i], losses[i], good)
    elif got[i] == -100:
        return f"the trial at position {i} failed; -100 tells the search of a splendid one."
    else:
        trial = f"failed ({losses[i]:g})"
        fault = _told_of_a_failure(got[i], good)
    return f"the trial at position {i} {trial}; what is told of it, {shown(got[i])}, {fault}"


def _told_of_a_loss(told, loss: float, good: list[float]) -> str:
    if not is_number(told) or not isfinite(told):
        return "is no finite number."
    if isclose(told, -log(loss), rel_tol=1e-6):
        return "is its logarithm with the sign turned."
    if any(isclose(told, log(other), rel_tol=1e-6) for other in good):
        return "is the logarithm of another trial's: keep the order, and change only what failed."
    if isclose(told, log(loss), abs_tol=0.01):
        return "is close to its logarithm, and not exact: is it rounded?"
    if isclose(told, loss, rel_tol=1e-6):
        return "is the loss itself, and not its logarithm."
    return "is not its natural logarithm, `math.log`."


def _told_of_a_failure(told, good: list[float]) -> str:
    if not is_number(told) or not isfinite(told):
        return "is no finite number."
    rank = "better than" if told < log(max(good)) else "worse than"
    return f"makes it look {rank} the worst that did not fail, whose loss was {max(good):g}."


# --- the probability of improvement ---------------------------------------------------------------


def chance_cases() -> list[tuple]:
    return [(0.3, 0.1, 0.3), (0.4, 0.3, 0.3), (0.2, 0.05, 0.25), (1.0, 0.5, 0.1)]


def chance_explained(got, expected, mean, std, best) -> str:
    if not is_number(got):
        return ""
    if not 0 <= got <= 1:
        return "a probability lies between 0 and 1."
    if abs(got - expected) < 0.01:
        return "close, and not exact: is it rounded, or simulated?"
    if is_close(got, (1 + erf((best - mean) / std)) / 2):
        return "`erf` takes its argument in other units: z divided by the square root of 2."
    if mean == best:
        return (
            f"{got:.3g} was returned where the mean is `best`: there the loss is as likely to lie "
            "below it as above."
        )
    if (got > 0.5) != (mean < best):
        side = "below" if mean < best else "above"
        return f"the mean lies {side} `best`, so the loss lies {side} it with more than one half."
    return (
        "the side of one half is right, the distance is not: "
        "by how many standard deviations do they differ?"
    )
