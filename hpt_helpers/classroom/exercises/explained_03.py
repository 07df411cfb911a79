"""Cases of lesson 3's exercises, their usual mistakes, and what is wrong with one result in words."""

from math import erf, inf, isclose, isfinite, log, nan

from hpt_helpers.classroom.exercises.reading import difference, shown


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


def lowest(score, *, tried_too=False, choose=min):
    """Return a next_trial that chooses by score(mean, std, kappa)."""

    def next_trial(means, stds, tried, kappa):
        scores = [score(mean, std, kappa) for mean, std in zip(means, stds, strict=True)]
        return choose(
            (i for i in range(len(scores)) if tried_too or i not in tried), key=lambda i: scores[i]
        )

    return next_trial


def bound(mean, std, kappa):
    return mean - kappa * std


def within_the_untried(means, stds, tried, kappa):
    bounds = [
        bound(m, s, kappa)
        for i, (m, s) in enumerate(zip(means, stds, strict=True))
        if i not in tried
    ]
    return bounds.index(min(bounds))


def position_explained(got, expected, means, stds, tried, kappa):
    if type(got) not in (int, float):
        return ""
    bounds = [bound(mean, std, kappa) for mean, std in zip(means, stds, strict=True)]
    shifted = " (Are you one too far? Positions are counted from 0.)" if got == expected + 1 else ""
    if got not in range(len(bounds)):
        is_bound = any(isclose(got, bound, abs_tol=1e-9) for bound in bounds)
        return (
            "that is a bound; its position is asked for."
            if is_bound
            else "there is no such position."
        ) + shifted
    lower = "it was tried" if got in tried else "another that was not tried is lower"
    return f"position {got:g} has the bound {bounds[int(got)]:g}; {lower}.{shifted}"


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
    """Return a told with log of what succeeded, and for what failed value(the losses that did not)."""

    def told(losses):
        good = [loss for loss in losses if isfinite(loss)]
        return [take_log(loss) if isfinite(loss) else value(good) for loss in losses]

    return told


def told_explained(got, expected, losses):
    if type(got) is not list or len(got) != len(losses):
        return ""
    i = next(i for i in range(len(got)) if difference(got[i], expected[i]))
    if not isfinite(losses[i]) and got[i] == -100:
        return f"the trial at position {i} failed; -100 tells the search of a splendid one."
    trial = f"had a loss of {losses[i]:g}" if isfinite(losses[i]) else f"failed ({losses[i]:g})"
    fault = _told_fault(got[i], losses[i], [loss for loss in losses if isfinite(loss)])
    return f"the trial at position {i} {trial}; what is told of it, {shown(got[i])}, {fault}"


def _told_fault(told, loss, good) -> str:
    if type(told) not in (int, float) or not isfinite(told):
        return "is no finite number."
    if isfinite(loss):
        if isclose(told, -log(loss), rel_tol=1e-6):
            return "is its logarithm with the sign turned."
        if any(isclose(told, log(other), rel_tol=1e-6) for other in good):
            return (
                "is the logarithm of another trial's: keep the order, and change only what failed."
            )
        if isclose(told, log(loss), abs_tol=0.01):
            return "is close to its logarithm, and not exact: is it rounded?"
        same = isclose(told, loss, rel_tol=1e-6)
        return (
            "is the loss itself, and not its logarithm."
            if same
            else "is not its natural logarithm, `math.log`."
        )
    rank = "better than" if told < log(max(good)) else "worse than"
    return f"makes it look {rank} the worst that did not fail, whose loss was {max(good):g}."


def chance_cases() -> list[tuple]:
    return [(0.3, 0.1, 0.3), (0.4, 0.3, 0.3), (0.2, 0.05, 0.25), (1.0, 0.5, 0.1)]


def chance_explained(got, expected, mean, std, best):
    if type(got) not in (int, float):
        return ""
    if not 0 <= got <= 1:
        return "a probability lies between 0 and 1."
    if abs(got - expected) < 0.01:
        return "close, and not exact: is it rounded, or simulated?"
    if isclose(got, (1 + erf((best - mean) / std)) / 2, abs_tol=1e-9):
        return "`erf` takes its argument in other units: z divided by the square root of 2."
    if mean != best and (got > 0.5) != (mean < best):
        side = "below" if mean < best else "above"
        return f"the mean lies {side} `best`, so the loss lies {side} it with more than one half."
    if mean == best:
        return "the mean is `best`: the loss is as likely to lie below it as above."
    return "the side of one half is right, the distance is not: by how many standard deviations do they differ?"
