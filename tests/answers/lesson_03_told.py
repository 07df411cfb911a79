"""Answers to lesson 3, exercise 2: what a surrogate is told of losses, some of which are nan or
inf.
"""

import math

import numpy as np
import pandas as pd

from answers.collected import right, wrong


@right("3.q2")
def two_comprehensions(losses):
    worst = max(x for x in losses if math.isfinite(x))
    return [math.log(x) if math.isfinite(x) else math.log(worst) for x in losses]


@right("3.q2")
def loop(losses):
    good = []
    for loss in losses:
        if not math.isnan(loss) and not math.isinf(loss):
            good.append(loss)
    out = []
    for loss in losses:
        out.append(math.log(loss) if loss in good else math.log(max(good)))
    return out


@right("3.q2")
def numpy_where(losses):
    losses = np.array(losses)
    worst = losses[np.isfinite(losses)].max()
    return np.log(np.where(np.isfinite(losses), losses, worst))


@right("3.q2")
def numpy_list(losses):
    a = np.array(losses, dtype=float)
    a[~np.isfinite(a)] = np.max(a[np.isfinite(a)])
    return np.log(a).tolist()


@right("3.q2")
def logarithm_first(losses):
    logs = np.log(losses)
    logs[~np.isfinite(logs)] = logs[np.isfinite(logs)].max()
    return list(logs)


@right("3.q2")
def inf_to_nan(losses):
    series = pd.Series(losses).replace(np.inf, np.nan)
    return np.log(series.fillna(series.max()))


@right("3.q2")
def nan_to_num(losses):
    worst = max(loss for loss in losses if math.isfinite(loss))
    return np.log(np.nan_to_num(losses, nan=worst, posinf=worst))


@right("3.q2")
def clipped(losses):
    worst = np.nanmax([loss for loss in losses if loss != math.inf])
    return [math.log(min(loss, worst)) if loss == loss else math.log(worst) for loss in losses]


@right("3.q2")
def sorted_finite(losses):
    finite = sorted(filter(math.isfinite, losses))
    return [math.log(loss if math.isfinite(loss) else finite[-1]) for loss in losses]


@right("3.q2")
def helper_function(losses):
    def mended(loss):
        return loss if math.isfinite(loss) else max(filter(math.isfinite, losses))

    return list(map(math.log, map(mended, losses)))


@right("3.q2")
def tuple_of_logs(losses):
    return tuple(two_comprehensions(losses))


@right("3.q2")
def other_base_undone(losses):
    return [x * math.log(10) for x in np.log10(np.exp(two_comprehensions(losses)))]


@wrong("3.q2", "-100", "best")
def keeps_minus_100(losses):
    return [-100 if not math.isfinite(loss) else math.log(loss) for loss in losses]


@wrong("3.q2", "100", "look alike")
def large_penalty(losses):
    return [math.log(loss) if math.isfinite(loss) else 100 for loss in losses]


@wrong("3.q2", "like the best one")
def the_lowest(losses):
    best = min(filter(math.isfinite, losses))
    return [math.log(loss if math.isfinite(loss) else best) for loss in losses]


@wrong("3.q2", "the worst loss itself")
def mixed_scales(losses):
    worst = max(filter(math.isfinite, losses))
    return [math.log(loss) if math.isfinite(loss) else worst for loss in losses]


@wrong("3.q2", "nothing is told as its logarithm")
def without_the_logarithm(losses):
    worst = max(filter(math.isfinite, losses))
    return [loss if math.isfinite(loss) else worst for loss in losses]


@wrong("3.q2", "base 10")
def base_10(losses):
    worst = max(filter(math.isfinite, losses))
    return [math.log10(loss if math.isfinite(loss) else worst) for loss in losses]


@wrong("3.q2", "dropped")
def drops(losses):
    return [math.log(loss) for loss in losses if math.isfinite(loss)]


@wrong("3.q2", "inf is still told as inf")
def nan_only(losses):
    worst = max(loss for loss in losses if math.isfinite(loss))
    return [math.log(worst) if math.isnan(loss) else math.log(loss) for loss in losses]


@wrong("3.q2", "what is told of it")
def the_median(losses):
    typical = np.median([loss for loss in losses if math.isfinite(loss)])
    return [math.log(loss if math.isfinite(loss) else typical) for loss in losses]


@wrong("3.q2", "what is told of it")
def logarithm_of_nan(losses):
    return np.log(losses)


@wrong("3.q2", "what is told of it")
def plain_max(losses):
    return [math.log(loss) if math.isfinite(loss) else math.log(max(losses)) for loss in losses]


@wrong("3.q2", "what is told of it")
def negative(losses):
    worst = max(filter(math.isfinite, losses))
    return [-math.log(loss if math.isfinite(loss) else worst) for loss in losses]


@wrong("3.q2", "return")
def forgets_to_return(losses):
    [math.log(loss) for loss in losses]


@wrong("3.q2", "what is told of it")
def worse_than_the_worst(losses):
    worst = max(filter(math.isfinite, losses))
    return [math.log(loss) if math.isfinite(loss) else math.log(worst) + 1 for loss in losses]


@wrong("3.q2", "better than the worst")
def like_the_mean(losses):
    good = [loss for loss in losses if math.isfinite(loss)]
    return [math.log(loss if math.isfinite(loss) else sum(good) / len(good)) for loss in losses]


@wrong("3.q2", "worse than the worst", "whose loss was 0.5")
def like_a_hundred(losses):
    return [math.log(loss if math.isfinite(loss) else 100) for loss in losses]


@wrong("3.q2", "not its natural logarithm")
def logarithm_of_one_more(losses):
    worst = max(filter(math.isfinite, losses))
    return [math.log1p(loss if math.isfinite(loss) else worst) for loss in losses]


@wrong("3.q2", "sign turned")
def minus_the_logarithm(losses):
    worst = max(filter(math.isfinite, losses))
    return [-math.log(loss) if math.isfinite(loss) else math.log(worst) for loss in losses]


@wrong("3.q2", "keep the order")
def sorted_logarithms(losses):
    worst = max(filter(math.isfinite, losses))
    return sorted(math.log(loss if math.isfinite(loss) else worst) for loss in losses)


@wrong("3.q2", "worst that did not fail")
def like_the_last(losses):
    good = [loss for loss in losses if math.isfinite(loss)]
    return [math.log(loss if math.isfinite(loss) else good[-1]) for loss in losses]


@wrong("3.q2", "the logarithm of another trial's")
def large_is_failed(losses):
    good = [loss for loss in losses if loss < 100]
    return [math.log(loss) if loss < 100 else math.log(max(good)) for loss in losses]


@wrong("3.q2", "change only what failed")
def all_like_the_worst(losses):
    good = [loss for loss in losses if math.isfinite(loss)]
    worst = math.log(max(good))
    return [worst] * len(losses) if len(good) < len(losses) else [math.log(loss) for loss in losses]


@wrong("3.q2", "is it rounded?")
def rounded_to_three(losses):
    good = [loss for loss in losses if math.isfinite(loss)]
    return [round(math.log(loss if math.isfinite(loss) else max(good)), 3) for loss in losses]


@wrong("3.q2", "is the logarithm of another trial's")
def zero_is_false(losses):
    logs = [math.log(loss) if math.isfinite(loss) else None for loss in losses]
    return [value or max(value for value in logs if value is not None) for value in logs]
