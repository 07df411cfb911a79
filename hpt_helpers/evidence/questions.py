"""What to ask of a search before you believe it. One function for each question.

`best_first`, `early_order`, `paired_ties` and `paired_folds` look at a table alone. The others
train what the question takes, by a `Problem`, on draws of the rows that had no part in the search:

| draw | whose |
|---|---|
| 0 | the search, and the guesses before it |
| 1 | `best_again` |
| 2, 3 | `finalists` |
| 4 to 11 | `compare` |
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from hpt_helpers.arguments import as_count, is_number
from hpt_helpers.config import config_key
from hpt_helpers.evidence.problem import Job, Problem, loss_of
from hpt_helpers.evidence.statistics import (
    Interval,
    chance_of_mean,
    chance_of_order,
    correlation_interval,
    is_tied,
    mean_and_error,
    mean_interval,
    pairs,
    pairs_in_order,
    rank_correlation,
)
from hpt_helpers.protocol import Strategy
from hpt_helpers.search_space import SearchSpace
from hpt_helpers.trials import config_of, incumbent, ranking

Verdict = Literal["yes", "unclear", "no"]

YES, UNCLEAR = 0.025, 0.2  # chances below which an order is no luck, and below which it may be none


# --- before the search ----------------------------------------------------------------------------


class Guesses(NamedTuple):
    """What configurations that nobody searched are worth.

    table: a row for each guess and seed: guess, seed, val_loss. best: the configuration with the
    lowest loss under seed 0. loss: that loss. seed_sd: the standard deviation of its losses over
    the seeds, which is how far a seed alone moves a loss.
    """

    table: pd.DataFrame
    best: dict
    loss: float
    seed_sd: float

    def __str__(self) -> str:
        n = (self.table["guess"] == _label(self.best)).sum()
        moved = f"a seed alone moves it by {self.seed_sd:.2g} (standard deviation of {n})"
        if self.seed_sd == 0:
            moved = "no seed moves it: this training leaves nothing to chance"
        return f"the best guess is {self.best}, with a loss of {self.loss:.4f}; {moved}"


def guesses(
    problem: Problem,
    default: Mapping,
    rate: str,
    factors: Sequence[float] = (1 / 3, 1, 3, 10),
    *,
    n_seeds: int = 3,
    n_workers: int = 1,
    progress: bool = False,
) -> Guesses:
    """Train the default at several learning rates, and the best of them under further seeds.

    default: a configuration that you would have taken without a search. rate: the name of its
    learning rate, or of any number that matters, which is multiplied by each of the factors.
    It costs len(factors) + n_seeds − 1 full trainings, on draw 0.
    It proves nothing about a search; a search that does not beat the best guess was not worth its
    trials. Raises ValueError for a rate that the default lacks, or that is no number above 0, and
    where every guess fails.
    """
    if not is_number(default.get(rate)) or default[rate] <= 0:
        raise ValueError(f"rate is {rate!r}; a number above 0 among {dict(default)} is needed")
    configs = [dict(default) | {rate: default[rate] * factor} for factor in factors]
    losses = _losses(problem, [Job(c, problem.n_epochs) for c in configs], n_workers, progress)
    if not np.isfinite(losses).any():
        raise ValueError(f"all {len(configs)} guesses failed, such as {configs[0]}")
    best = configs[ranking(losses)[0]]
    seeds = range(1, as_count("n_seeds", n_seeds))
    jobs = [Job(best, problem.n_epochs, seed=seed) for seed in seeds]
    again = _losses(problem, jobs, n_workers, progress)
    rows = [(_label(c), 0, loss) for c, loss in zip(configs, losses, strict=True)]
    rows += [(_label(best), seed, loss) for seed, loss in zip(seeds, again, strict=True)]
    table = pd.DataFrame(rows, columns=["guess", "seed", "val_loss"])
    of_best = table.loc[table["guess"] == _label(best), "val_loss"]
    spread = float(of_best.std()) if len(of_best) > 1 else math.nan
    return Guesses(table, best, float(np.nanmin(losses)), spread)


def _label(config: Mapping) -> str:
    def text(value: Any) -> str:
        return f"{value:.3g}" if isinstance(value, float) else str(value)

    return ", ".join(f"{name} {text(value)}" for name, value in config.items())


def random_with_early_losses(
    space: SearchSpace, n_trials: int, n_epochs: int, *, seed: int, eta: int = 3
) -> Strategy:
    """Try random configurations, each in full, with its losses after a ninth and a third as well.

    A strategy for `run`. All are trained on to the end, so nothing is cut, and `early_order` can
    say what a cut would have lost. With checkpoints, the early losses cost nothing. Where train
    gives losses by epoch, `curves` has them without it.
    """
    configs = space.sample(as_count("n_trials", n_trials), seed=seed)
    rungs = sorted({max(n_epochs // eta**k, 1) for k in range(3)})
    for epoch in rungs:
        yield [(config, epoch) for config in configs]


# --- after it -------------------------------------------------------------------------------------


def best_first(trials: pd.DataFrame, n: int | None = None) -> pd.DataFrame:
    """Return each configuration's best trial, best first, without those that failed.

    trials: a trial table. n: how many at most. The order is that of `hpt_helpers.trials.ranking`.
    """
    done = trials.loc[np.isfinite(trials["val_loss"].astype(float))]
    ranked = done.iloc[ranking(done["val_loss"], done["n_epochs"])]
    return ranked.loc[~ranked["config"].map(config_key).duplicated()].head(n or len(ranked))


def curves(problem: Problem, trials: pd.DataFrame) -> pd.DataFrame:
    """Return the losses after each epoch of the trials that were trained in full, as trials.

    Columns: config, n_epochs, val_loss. For `early_order`, where train gives losses by epoch.
    Raises ValueError where no trial has them.
    """
    parts = []
    for config in trials.loc[trials["n_epochs"] == problem.n_epochs, "config"]:
        [found] = problem.train_all([Job(config, problem.n_epochs)])
        if found.by_epoch is not None:
            epochs = np.arange(1, problem.n_epochs + 1)
            columns = {"n_epochs": epochs, "val_loss": found.by_epoch}
            parts.append(pd.DataFrame(columns).assign(config=[config] * len(epochs)))
    if not parts:
        raise ValueError(
            "no trial has losses by epoch; return Trained(by_epoch=…) from train, or search by "
            "random_with_early_losses"
        )
    return pd.concat(parts, ignore_index=True)


class EarlyOrder(NamedTuple):
    """How well the order of the losses early in training foretells their order at the end.

    table: a row for each earlier epoch: epoch, share (of a full training), n (configurations),
    rank_correlation with low and high (its 95 % interval), winner_place (where the winner stood
    then, from 1, or 0 where it has no loss there). verdict: on the epoch nearest to a third of the
    training.
    """

    table: pd.DataFrame
    verdict: Verdict

    def __str__(self) -> str:
        words = {
            "yes": "early order is late order: a search that cuts can be trusted to keep the best",
            "unclear": "whether early order is late order is unclear: cut late, or try more first",
            "no": "early order is not late order: do not cut",
        }
        return f"{words[self.verdict]}\n{self.table.round(2).to_string(index=False)}"


def early_order(
    trials: pd.DataFrame, shares: Sequence[float] | None = (1 / 9, 1 / 3)
) -> EarlyOrder:
    """Ask whether configurations that are ahead early in training are ahead at its end.

    trials: a trial table in which configurations have losses at several epochs, as from
        `random_with_early_losses`, or what `curves` returns. Those with a loss at the last epoch
        count. shares: of the training at which to look, each at the nearest epoch that most of them
        have; None for all epochs.
    The verdict is on the rank correlation (Spearman's) a third into training: yes where its 95 %
    interval lies above one half, no where it lies below, else unclear. It was found on few
    configurations, and says nothing about the order among the very best. Cutting pays only where an
    early loss is cheap as well: look at `share`, or at the seconds if a start costs much.
    Raises ValueError where fewer than four configurations have a loss at two epochs.
    """
    wide = _by_epoch(trials)
    last = wide.columns[-1]
    wide = wide.loc[np.isfinite(wide[last])]
    early = [epoch for epoch in wide.columns[:-1] if np.isfinite(wide[epoch]).sum() >= 4]
    if not early:
        raise ValueError(
            f"trials has {len(wide)} configurations with a loss after {last} epochs, and fewer "
            "than four of them have one at an earlier epoch, too; random_with_early_losses gives it"
        )
    if shares is not None:
        early = sorted({min(early, key=lambda e: abs(e / last - share)) for share in shares})
    winner = wide.index[ranking(wide[last])[0]]
    rows = [_early_row(wide, epoch, last, winner) for epoch in early]
    table = pd.DataFrame(rows)
    third = table.iloc[(table["share"] - 1 / 3).abs().argmin()]
    verdict = "yes" if third["low"] > 0.5 else "no" if third["high"] < 0.5 else "unclear"
    return EarlyOrder(table, verdict)


def _by_epoch(trials: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each configuration and a column for each epoch, rising."""
    table = trials.assign(key=trials["config"].map(config_key))
    return table.pivot_table(index="key", columns="n_epochs", values="val_loss", sort=True)


def _early_row(wide: pd.DataFrame, epoch: int, last: int, winner: str) -> dict:
    both = wide.loc[np.isfinite(wide[epoch])]
    found = rank_correlation(both[epoch], both[last])
    interval = correlation_interval(found, len(both))
    ahead = (both[epoch] < both[epoch].get(winner, math.nan)).sum()
    return {
        "epoch": int(epoch),
        "share": epoch / last,
        "n": len(both),
        "rank_correlation": found,
        "low": interval.low,
        "high": interval.high,
        "winner_place": int(ahead) + 1 if winner in both.index else 0,
    }


class BestAgain(NamedTuple):
    """Whether the best trials keep their order when they are trained once more.

    table: a row for each, best first: trial (its label in the record), searched, again. n_pairs and
    n_in_order: how many pairs there are, and how many both put in the same order. chance: how
    probable so many or more are if the second order is left to chance.
    """

    table: pd.DataFrame
    n_in_order: int
    n_pairs: int
    chance: float
    verdict: Verdict

    def __str__(self) -> str:
        words = {
            "yes": "there is merit in their order",
            "unclear": "there may be merit in their order",
            "no": "their order is not told from luck",
        }
        return (
            f"{self.n_in_order} of {self.n_pairs} pairs of the {len(self.table)} best kept their "
            f"order, which chance alone reaches with a probability of {self.chance:.2g}: "
            f"{words[self.verdict]}"
        )


def best_again(
    problem: Problem,
    trials: pd.DataFrame,
    n: int = 10,
    *,
    draw: int = 1,
    seed: int = 1,
    n_workers: int = 1,
    progress: bool = False,
) -> BestAgain:
    """Train the n best configurations once more, on other rows and under another seed.

    Each for as many epochs as it won with. The verdict is yes where chance alone keeps so many
    pairs in order with a probability of 0.025 or less (34 of the 45 pairs of ten), no where it is
    above 0.2 (27 or fewer), else unclear. The two draws share training rows, so a configuration's
    luck is not wholly new: a yes comes more often than in 1 of 40 where there is no merit (measured
    with ten validation rows: 9 of 30). It does not promise that a search that learns will lead.
    Raises ValueError for fewer than four configurations that succeeded, or where fewer than four
    succeed again.
    """
    best = _enough(best_first(trials, n))
    jobs = [
        Job(c, int(e), draw, seed) for c, e in zip(best["config"], best["n_epochs"], strict=True)
    ]
    again = _losses(problem, jobs, n_workers, progress)
    table = pd.DataFrame(
        {"trial": best.index, "searched": best["val_loss"].to_numpy(), "again": again}
    )
    return best_again_of(table)


def best_again_of(table: pd.DataFrame) -> BestAgain:
    """Judge losses that you have: columns searched and again, a row for each configuration.

    Those whose second training failed are left out. Raises ValueError where fewer than four are
    left.
    """
    done = _enough(table.loc[np.isfinite(table["again"])])
    n = len(done)
    in_order = pairs_in_order(done["searched"].tolist(), done["again"].tolist())
    chance = chance_of_order(n, in_order)
    verdict = "yes" if chance <= YES else "unclear" if chance <= UNCLEAR else "no"
    return BestAgain(table, in_order, n * (n - 1) // 2, chance, verdict)


def _enough(table: pd.DataFrame) -> pd.DataFrame:
    if len(table) < 4:
        raise ValueError(f"{len(table)} configurations succeeded; four or more are needed")
    return table


class Ties(NamedTuple):
    """Which of the best configurations cannot be told from the winner.

    table: a row for each, best first: trial, mean (loss), behind (the winner), error (of that
    difference), tied. n: how many are tied with the winner, itself not counted.
    """

    table: pd.DataFrame
    n: int

    def __str__(self) -> str:
        return (
            f"{self.n} of {len(self.table) - 1} others are within two standard errors of the best"
        )


def paired_ties(problem: Problem, trials: pd.DataFrame, n: int = 10, *, n_workers: int = 1) -> Ties:
    """Count how many of the n best cannot be told from the winner on the rows that judged both.

    Their losses on the same validation rows are compared in pairs: tied is who lies behind by no
    more than two standard errors of the mean difference. It knows the luck of the validation rows,
    and not that of the training rows and of the seed, so the true number is larger. Of many
    runners-up, about one in 40 that is really worse by two errors will still look tied.
    Raises ValueError where train gives no losses of single rows.
    """
    best = best_first(trials, n)
    jobs = [Job(c, int(e)) for c, e in zip(best["config"], best["n_epochs"], strict=True)]
    found = problem.train_all(jobs, n_workers=n_workers)
    losses = [each.by_row for each in found if each.by_row is not None]
    if len(losses) < len(found):
        raise ValueError(
            f"{len(found) - len(losses)} of the {len(found)} best have no losses of single rows; "
            "return Trained(by_row=…) or a classifier from train"
        )
    return ties_of(np.stack(losses), best.index)


def ties_of(losses: np.ndarray, trials: Iterable = ()) -> Ties:
    """Count ties among losses that you have: shape (n_configs, n_rows or n_folds), best first."""
    losses = np.asarray(losses, dtype=float)
    if losses.ndim != 2 or losses.shape[1] < 2:
        raise ValueError(f"losses has the shape {losses.shape}; (n_configs, two or more) is needed")
    gaps = losses - losses[0]
    tied = is_tied(losses)
    table = pd.DataFrame(
        {
            "trial": list(trials) or list(range(len(losses))),
            "mean": losses.mean(axis=1),
            "behind": gaps.mean(axis=1),
            "error": gaps.std(axis=1, ddof=1) / math.sqrt(losses.shape[1]),
            "tied": tied,
        }
    )
    return Ties(table, int(tied[1:].sum()))


def paired_folds(search: Any, metric: str | None = None) -> Ties:
    """Count ties of a fitted GridSearchCV, RandomizedSearchCV or halving search, paired by folds.

    metric: which of several it is; None for the only one, or the one it refits by. Scores are those
    of scikit-learn, higher is better, so a loss is minus the score. Folds share training rows, so
    the errors are too small: few ties do not prove a difference.
    Raises TypeError for what has no `cv_results_`, ValueError for a metric that it lacks, or where
    several metrics are there and none is named.
    """
    results = getattr(search, "cv_results_", None)
    if results is None:
        needed = "a fitted search of scikit-learn is needed, with cv_results_"
        raise TypeError(f"search is {search!r:.80}; {needed}")
    refit = getattr(search, "refit", None)
    metric = metric or (refit if isinstance(refit, str) else None)
    named = sorted(
        name.removeprefix("mean_test_") for name in results if name.startswith("mean_test_")
    )
    metric = metric or (named[0] if len(named) == 1 else None)
    if metric not in named:
        raise ValueError(f"metric is {metric!r}; the search has {', '.join(named)}")
    ends = f"_test_{metric}"
    folds = sorted(k for k in results if k.startswith("split") and k.endswith(ends))
    losses = -np.stack([np.asarray(results[fold], dtype=float) for fold in folds], axis=1)
    means = losses.mean(axis=1)
    order = [i for i in ranking(means.tolist()) if math.isfinite(means[i])]
    return ties_of(losses[order], order)


# --- who wins -------------------------------------------------------------------------------------


class Finalists(NamedTuple):
    """The best trials, trained again, and who of them wins by the mean.

    table: a row for each, by its mean, best first: trial, searched, mean, error (its standard
    error), n_epochs, config. config and n_epochs: the winner's. mean, error: the winner's, still
    a little too good, for it was chosen by them.
    """

    table: pd.DataFrame
    config: dict
    n_epochs: int
    mean: float
    error: float

    def __str__(self) -> str:
        first = self.table["searched"].idxmin()
        own = self.table.index[0] == first
        who = "the search's own winner" if own else "another than the search's winner"
        return (
            f"of {len(self.table)} finalists, {who} has the best mean on new draws, "
            f"{self.mean:.4f} (standard error {self.error:.2g}): {self.config}"
        )


def finalists(
    problem: Problem,
    trials: pd.DataFrame,
    n: int = 5,
    draws: Sequence[int] = (2, 3),
    *,
    n_workers: int = 1,
    progress: bool = False,
) -> Finalists:
    """Train the n best configurations again on new draws, and take the one with the best mean.

    Each draw has a seed of its own, of the same number. It costs n · len(draws) trainings, and pays
    where the best are hard to tell apart. A finalist that fails on one of the draws cannot win.
    The error is that of the mean over the draws, of two draws a very rough one.
    Raises ValueError where every finalist fails, or for no draws.
    """
    best = best_first(trials, n)
    draws = list(draws)
    if not draws or best.empty:
        raise ValueError(f"there are {len(best)} finalists and {len(draws)} draws; none can win")
    both = list(zip(best["config"], best["n_epochs"], strict=True))
    jobs = [Job(c, int(e), draw, draw) for c, e in both for draw in draws]
    losses = _losses(problem, jobs, n_workers, progress).reshape(len(best), len(draws))
    means = losses.mean(axis=1)
    errors = [mean_and_error(row)[1] if len(row) > 1 else math.nan for row in losses]
    table = pd.DataFrame(
        {
            "trial": best.index,
            "searched": best["val_loss"].to_numpy(),
            "mean": means,
            "error": errors,
            "n_epochs": best["n_epochs"].to_numpy(),
            "config": best["config"].to_numpy(),
        }
    )
    table = table.iloc[ranking(means, table["n_epochs"])]
    if not np.isfinite(table["mean"].iloc[0]):
        raise ValueError(f"each of the {len(table)} finalists failed on one of the draws {draws}")
    winner = table.iloc[0]
    return Finalists(
        table,
        dict(winner["config"]),
        int(winner["n_epochs"]),
        float(winner["mean"]),
        float(winner["error"]),
    )


class Compared(NamedTuple):
    """Two configurations, judged fresh in pairs.

    table: a row for each draw: draw, ours, theirs. difference: ours less theirs, the mean with its
    95 % interval by Student's t. chance: how probable so large a mean is if the two are alike.
    wins, ties, defeats: of ours.
    """

    table: pd.DataFrame
    difference: Interval
    chance: float
    wins: int
    ties: int
    defeats: int

    @property
    def verdict(self) -> str:
        """Which is better: "ours", "theirs", or "unclear" where chance is above 0.05."""
        if self.chance > 0.05:
            return "unclear"
        return "ours" if self.difference.mean < 0 else "theirs"

    def __str__(self) -> str:
        return self.in_words("the first", "the second")

    def in_words(self, ours: str, theirs: str) -> str:
        """Return what was found, where the two are called so."""
        mean, low, high = self.difference
        who = {"ours": f"{ours} is better", "theirs": f"{theirs} is better"}
        return (
            f"fresh, {ours} has a loss of {self.table['ours'].mean():.4f} and {theirs} of "
            f"{self.table['theirs'].mean():.4f}: {mean:+.4f} ({low:+.4f} to {high:+.4f}), better "
            f"in {self.wins} of {len(self.table)} draws, worse in {self.defeats} (p = "
            f"{self.chance:.2g}): {who.get(self.verdict, 'they are not told apart')}"
        )


Choice = pd.DataFrame | Finalists | Guesses | Mapping


def compare(
    problem: Problem,
    ours: Choice,
    theirs: Choice,
    draws: Sequence[int] = range(4, 12),
    *,
    n_workers: int = 1,
    progress: bool = False,
) -> Compared:
    """Judge two choices on draws of the rows that chose neither, in pairs.

    ours, theirs: a trial table, whose incumbent it is; what `finalists` or `guesses` returned; or a
        configuration. In each draw both train under the same seed, of the draw's number.
    It says which of these two is better on rows like yours. It does not say which search is better:
    each had one try. The draws share rows, so interval and chance are somewhat too small. With
    fewer than six draws, not even six wins of six would be told from chance.
    Raises ValueError where one fails on a draw.
    """
    jobs = [
        Job(config, n_epochs, draw, draw)
        for config, n_epochs in (choice_of(problem, ours), choice_of(problem, theirs))
        for draw in draws
    ]
    found = problem.train_all(jobs, n_workers=n_workers, progress=progress)
    if failed := [each.reason for each in found if each.reason]:
        raise ValueError(f"{len(failed)} of the {len(jobs)} trainings failed, such as {failed[0]}")
    losses = np.reshape([loss_of(each) for each in found], (2, -1))
    table = pd.DataFrame({"draw": list(draws), "ours": losses[0], "theirs": losses[1]})
    gaps = losses[0] - losses[1]
    return Compared(table, mean_interval(gaps), chance_of_mean(gaps), *pairs(*losses))


def choice_of(problem: Problem, choice: Choice) -> tuple[dict, int]:
    """Return the configuration that was chosen, and for how many epochs it is trained."""
    if isinstance(choice, Finalists):
        return choice.config, choice.n_epochs
    if isinstance(choice, Guesses):
        return choice.best, problem.n_epochs
    if isinstance(choice, pd.DataFrame):
        trial = incumbent(choice)
        return config_of(choice, trial), int(choice.at[trial, "n_epochs"])
    if isinstance(choice, Mapping):
        return dict(choice), problem.n_epochs
    needed = "a trial table, what finalists or guesses returned, or a configuration is needed"
    raise TypeError(f"choice is {choice!r:.80}; {needed}")


def _losses(problem: Problem, jobs: Sequence[Job], n_workers: int, progress: bool) -> np.ndarray:
    """Return the loss of each training, nan of one that failed."""
    found = problem.train_all(jobs, n_workers=n_workers, progress=progress)
    return np.array([loss_of(each) for each in found])
