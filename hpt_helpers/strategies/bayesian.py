"""Bayesian optimisation: a Gaussian process of the trials so far says what to try next."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import config_key
from hpt_helpers.protocol import Ask, Strategy
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace, as_space
from hpt_helpers.strategies.gaussian_process import (
    NO_NOISE,
    GaussianProcess,
    climb,
    expected_improvement,
    likeliest,
    points_of_unit,
)
from hpt_helpers.strategies.random_and_grid import epochs_of
from hpt_helpers.strategies.told import earlier_trials, known_good, named
from hpt_helpers.warn import warn_caller

if TYPE_CHECKING:
    import pandas as pd

SETTINGS = {"clip": 0.5, "log_loss": False, "xi": 0.0}  # and their defaults
N_RANDOM = 5  # trials before the process proposes
N_CANDIDATES = 1000  # random ones for each proposal
N_NEAR = 100  # further ones around the best trials, for each of these widths
WIDTHS = 0.1, 0.01
N_BEST = 5  # trials whose surroundings are searched
N_CLIMBS = 3  # candidates from which the largest improvement is climbed to
REFIT = 1.1  # the scales are fitted anew with so many times as many trials
OTHER_CHOICE = 0.2  # how likely another value of a Choice is nearby
DIGITS = 4  # of a climbed point, where a hyperparameter's range is 1


def bayesian_search(
    space: SearchSpace,
    n_trials: int,
    n_epochs: int | None = None,
    *,
    seed: int,
    batch_size: int = 1,
    clip: float = 0.5,
    log_loss: bool = False,
    xi: float = 0.0,
    told: pd.DataFrame | str | Path | Iterable = (),
    first: Iterable[Mapping] = (),
    **unknown: Any,
) -> Strategy:
    """Try what promises the largest improvement (Snoek, Larochelle & Adams 2012).

    A Gaussian process guesses the losses. Its scales, one for each hyperparameter, and its noise
    are fitted to the trials. The first five trials are random.
    batch_size: how many are asked for at once. By 1 it asks for another trial whenever a worker is
        idle. By more it waits until all of these have ended, so that what it asks for does not
        depend on which worker is faster. What still runs is imagined to give what the process
        guesses (Ginsbourger et al. 2010).
    clip: a loss above this quantile is told as less, because a few large ones would hide what
        distinguishes the small ones: at most as far above the quantile as the lowest lies below it.
        1 tells all as they are. A failed trial counts as the worst.
    log_loss: tell (positive) losses' logs.
    xi: what an improvement must exceed, in the units of what is told.
    told: an earlier search's trials, as for `mobster`; the process learns from those that were
        trained for n_epochs. first: known good configurations, which it tries before all others.
    n_epochs: as for `grid_search`.
    A log of it knows all of this but n_trials, which may grow, and batch_size, which may change
    with the workers that there are. While the space has other configurations, it tries none twice.
    Raises, once it is asked, TypeError or ValueError for a bad space, number, setting or
    configuration, and ValueError for a loss without a logarithm where log_loss is True.
    """
    check_options(unknown, [*SETTINGS, "batch_size", "first", "told"])
    n_trials, batch_size = as_count("n_trials", n_trials), as_count("batch_size", batch_size)
    space, first = as_space(space), known_good(first, as_space(space))
    earlier = _of_so_many_epochs(earlier_trials(told, space, n_epochs or 1), n_epochs)
    settings = {"clip": clip, "log_loss": bool(log_loss), "xi": xi}
    proposer = Proposer(space, seed=seed, told=earlier, first=first, **settings)
    search = f"bayesian_search (Gaussian process), seed={seed}{_not_defaults(settings)}"
    search += f"{named('first', first)}{named('told', earlier)}, in {space}"
    trials: list[tuple[Mapping, float | None]] = []
    while len(trials) < n_trials:
        new = range(len(trials), min(len(trials) + batch_size, n_trials))
        for _ in new:
            trials.append((proposer.propose(trials), None))
        asked = [(trials[i][0], epochs_of(trials[i][0], n_epochs)) for i in new]
        ask = Ask(asked, search, late=batch_size == 1, labels=new, n_trials=n_trials)
        for one in (yield ask):
            trials[one.label] = one.config, one.val_loss


def check_options(options: Mapping[str, Any], allowed: Iterable[str] = tuple(SETTINGS)) -> None:
    """Raise TypeError for a name that is none of the options allowed."""
    if "n_jobs" in options:
        needed = "for several trials at a time give n_workers to run"
        raise TypeError(f"n_jobs is {options['n_jobs']!r}, and no option of a search; {needed}")
    if unknown := options.keys() - {*allowed}:
        names = ", ".join(sorted(allowed))
        raise TypeError(f"{min(unknown)} is no option of a Bayesian search; allowed are {names}")


def _not_defaults(settings: Mapping[str, Any]) -> str:
    """Return the settings that differ from their defaults, as text."""
    changed = {name: value for name, value in settings.items() if value != SETTINGS[name]}
    return "".join(f", {name}={value!r}" for name, value in changed.items())


def _of_so_many_epochs(told: list, n_epochs: int | None) -> list[tuple[Mapping, float | None]]:
    """Return (config, loss) of the trials that were trained for n_epochs; warn of the others."""
    alike = [t for t in told if n_epochs in (None, t.n_epochs)]
    if len(alike) < len(told):
        warn_caller(
            f"{len(told) - len(alike)} of the {len(told)} trials told were not trained for "
            f"{n_epochs} epochs and are left out; mobster learns from these, too"
        )
    return [(trial.config, trial.val_loss) for trial in alike]


class Proposer:
    """Says what a Bayesian search tries next. What it says depends on the trials alone.

    seed, clip, log_loss, xi, first: as for `bayesian_search`, and so is what it raises. told:
    (config, loss) of the trials known beside the search's own.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        seed: int,
        clip: float = 0.5,
        log_loss: bool = False,
        xi: float = 0.0,
        told: Iterable[tuple[Mapping, float | None]] = (),
        first: Iterable[Mapping] = (),
    ):
        from threadpoolctl import ThreadpoolController  # the strategies can be imported without it

        self.space, self.seed = as_space(space), as_count("seed", seed, least=0)
        if not is_number(xi):
            raise TypeError(f"xi is {xi!r}; a number is needed")
        self.clip, self.log_loss, self.xi = _as_quantile(clip), log_loss, xi
        self.told = list(told)
        self.first = list({config_key(config): config for config in first}.values())
        self.process: GaussianProcess | None = None  # of the last fit, without trials
        self.n_fitted = 0  # how many trials it was fitted to
        # Matrices of so few trials take several threads up to ten times as long as one.
        self._one_thread = partial(ThreadpoolController().limit, limits=1, user_api="blas")

    def propose(self, trials: Sequence[tuple[Mapping, float | None]]) -> dict:
        """Return the configuration to try next.

        trials: (config, loss) of all of the search's so far, in the order in which they were asked
            for: a loss is nan if the trial failed, and None while it runs.
        """
        if len(trials) < len(self.first):
            return dict(self.first[len(trials)])
        rng = np.random.default_rng([self.seed, len(trials)])
        trials = [*self.told, *trials]
        tried = self.space.to_unit([config for config, _ in trials])
        candidates = self._candidates(rng, tried)
        known = np.array([loss is not None for _, loss in trials], dtype=bool)
        losses = np.array([loss for _, loss in trials if loss is not None], dtype=float)
        if len(trials) < N_RANDOM or not np.isfinite(losses).any():
            return self._config(candidates[0])
        values = told_as(losses, self.clip, self.log_loss)
        with self._one_thread():
            unit = self._most_promising(tried, known, values, candidates, rng)
        config = self._config(unit)
        if any(config == other for other, _ in trials):  # climbing may lead back to one
            config = self._config(candidates[0])
        return config

    def _most_promising(
        self,
        tried: np.ndarray,
        known: np.ndarray,
        values: np.ndarray,
        candidates: np.ndarray,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Return the point of the unit cube of the largest expected improvement.

        tried: the trials' points in the unit cube. known: which of them have ended, a bool for
            each. values: what these are told as. candidates: random points.
        """
        ended = points_of_unit(self.space, tried[known])
        running = points_of_unit(self.space, tried[~known])
        centres = tried[known][np.argsort(values, kind="stable")[:N_BEST]]
        near = _not_among(tried, self._around(centres, rng))
        candidates = np.vstack([candidates, near])
        process = self._fitted(ended, values).with_points(ended)
        if len(running):
            # What runs is imagined to give what the process guesses, and to leave no doubt: as long
            # as there is doubt, the most promising point may be right beside it.
            values = np.append(values, process.guess(values, running)[0])
            process = replace(process, noise=NO_NOISE).with_points(running)
        # Noise makes the lowest value lucky, but not what the process makes of it. What runs counts
        # too, or else the improvement that it promises would be promised once more beside it.
        best = process.guess(values, np.vstack([ended, running]))[0].min() - self.xi
        places = points_of_unit(self.space, candidates)
        gains = expected_improvement(*process.guess(values, places), best)
        ahead = np.argsort(-gains, kind="stable")[:N_CLIMBS]
        climbed = [
            self._climbed(process, values, best, candidates[i], places[i], float(gains[i]))
            for i in ahead
        ]
        return max(climbed, key=lambda found: found[0])[1]

    def _climbed(
        self,
        process: GaussianProcess,
        values: np.ndarray,
        best: float,
        unit: np.ndarray,
        place: np.ndarray,
        gain: float,
    ) -> tuple[float, np.ndarray]:
        """Return the expected improvement and the point where a candidate's climb ends.

        Only what is Real moves. unit, place: the candidate in the unit cube, and as the process
        sees it.
        """
        parameters = self.space.values()
        real = np.array([isinstance(parameter, Real) for parameter in parameters])
        widths = [len(p.values) if isinstance(p, Choice) else 1 for p in parameters]
        free = np.repeat(real, widths)
        if not free.any():
            return gain, unit
        end, end_gain = climb(process, values, best, place, free)
        moved = unit.copy()
        moved[real] = np.round(end[free], DIGITS)  # so far, other processors agree
        return (end_gain, moved) if end_gain > gain else (gain, unit)

    def _fitted(self, points: np.ndarray, values: np.ndarray) -> GaussianProcess:
        """Return the process of the last fit, fitted anew where there are many more trials."""
        if self.process is None or len(values) >= REFIT * self.n_fitted:
            self.process = likeliest(points, values, self.process)
            self.n_fitted = len(values)
        return self.process

    def _candidates(self, rng: np.random.Generator, tried: np.ndarray) -> np.ndarray:
        """Return random points of the unit cube that were not tried, or any once all were."""
        sizes = [math.inf if isinstance(p, Real) else len(p.values) for p in self.space.values()]
        if math.prod(sizes) <= N_CANDIDATES:  # all there are
            every = self.space.grid(
                {name: int(n) for name, n in zip(self.space, sizes, strict=True)}
            )
            drawn = rng.permutation(self.space.to_unit(every))
        else:
            drawn = _snapped(self.space, rng.random((N_CANDIDATES, len(self.space))))
        new = _not_among(tried, drawn)
        return new if len(new) else drawn

    def _around(self, centres: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return points of the unit cube near these, in which a Choice rarely changes."""
        centres = centres[rng.integers(len(centres), size=N_NEAR * len(WIDTHS))]
        moved = centres + np.repeat(WIDTHS, N_NEAR)[:, None] * rng.normal(size=centres.shape)
        changes = rng.random(centres.shape) < OTHER_CHOICE
        other = np.where(changes, rng.random(centres.shape), centres)
        has_order = [not isinstance(parameter, Choice) for parameter in self.space.values()]
        return _snapped(self.space, np.where(has_order, np.clip(moved, 0, 1), other))

    def _config(self, unit: np.ndarray) -> dict:
        return self.space.from_unit(unit[None])[0]


def told_as(losses: np.ndarray, clip: float, log_loss: bool) -> np.ndarray:
    """Return what the process is told: finite losses, perhaps logarithms, large ones as less.

    losses: nan or infinite where a trial failed, which is told as the worst of the others; one is
        finite. A distance x above the quantile clip is told as x / (1 + x), in units of how far the
        lowest lies below it. Raises ValueError for a loss without a logarithm.
    """
    good = np.isfinite(losses)
    told = np.where(good, losses, np.max(losses, where=good, initial=-math.inf))
    if log_loss and told.min() <= 0:
        raise ValueError(f"a loss is {told.min()}; log_loss needs losses greater than 0")
    told = np.log(told) if log_loss else told
    middle = np.quantile(told, clip)
    unit = middle - told.min()
    if unit <= 0:  # so many are the lowest that there is no unit
        return told
    above = np.maximum(told - middle, 0)
    return np.minimum(told, middle) + unit * above / (unit + above)


def _not_among(tried: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Return those of the points of the unit cube that are none of those tried."""
    seen = {tuple(point) for point in np.round(tried, 9).tolist()}
    return points[[tuple(point) not in seen for point in np.round(points, 9).tolist()]]


def _snapped(space: SearchSpace, unit: np.ndarray) -> np.ndarray:
    """Return points of the unit cube moved to where `space.to_unit` has their configurations."""
    snapped = unit.copy()
    for i, parameter in enumerate(space.values()):
        if isinstance(parameter, Integer) and parameter.log:
            snapped[:, i] = [parameter.to_unit(parameter.from_unit(u)) for u in unit[:, i].tolist()]
        elif not isinstance(parameter, Real):
            n = len(parameter.values)
            snapped[:, i] = (np.minimum(np.floor(unit[:, i] * n), n - 1) + 0.5) / n
    return snapped


def _as_quantile(clip: float) -> float:
    """Return clip itself; TypeError or ValueError where it is no number from 0 to 1."""
    if not is_number(clip):
        raise TypeError(f"clip is {clip!r}; a number is needed")
    if not 0 <= clip <= 1:
        raise ValueError(f"clip is {clip!r}; a quantile from 0 to 1 is needed")
    return clip
