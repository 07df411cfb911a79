"""The measurements of lesson 2: random searches drawn anew in each repeat, winners judged where
they were not chosen.

In repeat r the rows are draw r, the training seed is r, and a random search draws its
configurations under seed r.
A winner's **fresh** loss is its mean over JUDGES, 20 repeats that chose nothing. All losses are in
nats, at the last epoch, on iris.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from hpt_helpers.classroom.cache import cached_by_key
from hpt_helpers.classroom.landscape import CODE, Landscape
from hpt_helpers.classroom.parallel import fit_all
from hpt_helpers.classroom.studies.repeats import rows_of
from hpt_helpers.config import config_key
from hpt_helpers.search_space import Real, SearchSpace

N_EPOCHS, MOST = 40, 60  # of a training, of a random search: what is shorter is cut from these
SEARCHED = range(40)  # the repeats that choose
JUDGES = range(100, 120)
DIALS = {f"dial {i}": Real(0, 1) for i in range(1, 6)}  # hyperparameters that change nothing
# repeats from here on train finalists again, or make a loss of many draws
AGAIN, QUIET = 1_000, 10_000


def trained(configs: Sequence[Mapping], repeats: Sequence[int], n_epochs: int) -> np.ndarray:
    """Return validation losses, shape (n_configs, n_epochs): each configuration is trained in its
    own repeat.

    repeats: one for each configuration. What occurs twice is trained once, and all is kept in the
    cache. Fewer than N_EPOCHS are read off curves of that length.
    """
    n_trained = max(n_epochs, N_EPOCHS)
    asked = [
        (config_key(network(config)), repeat)
        for config, repeat in zip(configs, repeats, strict=True)
    ]
    jobs = {job: network(config) for job, config in zip(asked, configs, strict=True)}
    draws = [repeat for _, repeat in jobs]

    def compute():
        rows = dict(zip(sorted(set(draws)), rows_of("iris", sorted(set(draws))), strict=True))
        curves = fit_all(
            list(jobs.values()),
            [rows[r] for r in draws],
            n_epochs=n_trained,
            seed=draws,
            progress=True,
        )
        return {"val_loss": curves.val_loss}

    key = {"configs": list(jobs.values()), "repeats": draws, "n_epochs": n_trained, "code": CODE}
    losses, place = cached_by_key(key, compute)["val_loss"], {job: i for i, job in enumerate(jobs)}
    return losses[[place[job] for job in asked], :n_epochs]


def network(config: Mapping) -> dict:
    """Return what a configuration says of the training, without dials that are connected to
    nothing.
    """
    return {"batch_size": 32} | {
        name: config[name] for name in ("lr", "batch_size", "hidden_size") if name in config
    }


def fresh_losses(
    configs: Sequence[Mapping], n_epochs: int, judges: Sequence[int] = JUDGES
) -> np.ndarray:
    """Return the fresh loss of each configuration, shape (n_configs,): its mean over the judging
    repeats.
    """
    each = [config for config in configs for _ in judges]
    return (
        trained(each, [*judges] * len(configs), n_epochs)[:, -1]
        .reshape(len(configs), -1)
        .mean(axis=1)
    )


def searches(
    configs_of: Callable[[int], list[dict]],
    *,
    n_epochs: int,
    repeats: Sequence[int] = SEARCHED,
    n_draws: int = 1,
) -> pd.DataFrame:
    """Return the trials of one search in each repeat: columns repeat, trial, config, val_loss.

    configs_of: repeat → the configurations that it tries, in order. n_draws: how many draws of rows
    and seeds a loss is the mean of: with 1 the repeat's own, with more they are draws of which no
    other repeat has one.
    """
    trials = [(r, i, config) for r in repeats for i, config in enumerate(configs_of(r))]
    table = pd.DataFrame(trials, columns=["repeat", "trial", "config"])
    each = [config for config in table["config"] for _ in range(n_draws)]
    draws = [
        r if n_draws == 1 else QUIET + r * n_draws + i
        for r in table["repeat"]
        for i in range(n_draws)
    ]
    losses = trained(each, draws, n_epochs)[:, -1]
    return table.assign(val_loss=losses.reshape(len(table), n_draws).mean(axis=1))


def random_searches(
    space: SearchSpace, n_trials: int, *, n_epochs: int, repeats: Sequence[int]
) -> pd.DataFrame:
    """Return the trials of a random search in each repeat, as `searches`; cut from searches of
    MOST, trained once.
    """
    trials = searches(
        partial(_sample, space, max(n_trials, MOST)), n_epochs=n_epochs, repeats=repeats
    )
    return trials[trials["trial"] < n_trials]


def winners(trials: pd.DataFrame, n_trials: int | None = None) -> pd.DataFrame:
    """Return the trial with the lowest loss of each repeat, among its first n_trials; one row a
    repeat.
    """
    among = trials if n_trials is None else trials[trials["trial"] < n_trials]
    return among.loc[among.groupby("repeat")["val_loss"].idxmin()].reset_index(drop=True)


def variance_shares(truth: Landscape, epoch: int) -> pd.DataFrame:
    """Return what share of the log loss's variance each hyperparameter explains alone: columns
    hyperparameter, share.

    truth: of a full grid; losses are means over its repeats. A share is the variance of the means
    at each of the hyperparameter's values, over the variance of all. The last row is what no
    hyperparameter explains alone.
    """
    names = list(truth.configs[0])
    log_loss = np.log(truth.table(epoch).groupby(names)["val_loss"].mean())
    shares = {
        name: log_loss.groupby(name).mean().var(ddof=0) / log_loss.var(ddof=0) for name in names
    }
    shares["only together"] = 1 - sum(shares.values())
    return pd.DataFrame(shares.items(), columns=["hyperparameter", "share"])


def mean_losses(truth: Landscape, epoch: int) -> pd.DataFrame:
    """Return each configuration of a landscape with its mean loss over the repeats, in the
    landscape's order.
    """
    table = truth.table(epoch)
    return table.groupby(list(truth.configs[0]), sort=False, as_index=False)["val_loss"].mean()


def by_power_of_ten(means: pd.DataFrame) -> pd.DataFrame:
    """Return the table sorted by lr, with a first column learning_rates: the power of ten to which
    each belongs.
    """
    powers = np.floor(np.log10(means["lr"])).astype(int)
    names = [f"{10.0**power:g} to {10.0 ** (power + 1):g}" for power in powers]
    table = means.assign(learning_rates=names).sort_values("lr", kind="stable")
    return table[["learning_rates", *means.columns]]


def duel(
    random_of: Callable[[int], list[dict]],
    grid_of: Callable[[int], list[dict]],
    *,
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = SEARCHED,
    n_draws: int = 1,
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Return a row for each repeat: what a random search and a grid found, fresh and as searched.

    random_of, grid_of: repeat → configurations. Columns: repeat, random, grid (the winners' fresh
    losses), random_as_searched, grid_as_searched (the losses by which they won). n_draws: as in
    `searches`.
    """
    table = {"repeat": list(repeats)}
    for name, configs_of in (("random", random_of), ("grid", grid_of)):
        won = winners(searches(configs_of, n_epochs=n_epochs, repeats=repeats, n_draws=n_draws))
        table[name] = fresh_losses(list(won["config"]), n_epochs, judges)
        table[f"{name}_as_searched"] = won["val_loss"].to_numpy()
    return pd.DataFrame(table)[
        ["repeat", "random", "grid", "random_as_searched", "grid_as_searched"]
    ]


def tally(duels: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for each duel: in how many repeats random wins, as searched and fresh, and the
    mean fresh losses.

    Columns: case, of (repeats), random_wins_as_searched, random_wins_fresh, random_fresh,
    grid_fresh.
    """
    rows = [
        (
            case,
            len(t),
            (t["random_as_searched"] < t["grid_as_searched"]).sum(),
            (t["random"] < t["grid"]).sum(),
            t["random"].mean(),
            t["grid"].mean(),
        )
        for case, t in duels.items()
    ]
    columns = [
        "case",
        "of",
        "random_wins_as_searched",
        "random_wins_fresh",
        "random_fresh",
        "grid_fresh",
    ]
    return pd.DataFrame(rows, columns=columns)


def shifted_grid(space: SearchSpace, n_values: int, repeat: int) -> list[dict]:
    """Return a grid of the space with n_values an axis, which the repeat shifts: at (k + u) /
    n_values of each range.

    u: between 0 and 1, drawn under seed repeat: nobody knows where the valley is.
    """
    u = np.random.default_rng(repeat).random()
    points = product(range(n_values), repeat=len(space))
    return space.from_unit([[(k + u) / n_values for k in point] for point in points])


def many_dimensions(
    space: SearchSpace,
    *,
    judged_by: Sequence[int] = (1, 5),
    repeats: Sequence[int] = range(20),
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Compare a grid of two values an axis with as many random trials: the `tally`, a row for each
    of judged_by.

    judged_by: of how many draws of rows and seeds a trial's loss is the mean.
    """
    random_of, grid_of = partial(_sample, space, 2 ** len(space)), partial(shifted_grid, space, 2)
    duels = {
        n: duel(random_of, grid_of, repeats=repeats, n_draws=n, judges=judges) for n in judged_by
    }
    return tally({f"a trial's loss: mean of {n}": table for n, table in duels.items()})


def _sample(space: SearchSpace, n: int, repeat: int) -> list[dict]:
    return space.sample(n, seed=repeat)


def how_many(
    space: SearchSpace,
    truth: pd.DataFrame,
    *,
    numbers: Sequence[int] = (3, 9, 27, 60),
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = SEARCHED,
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Return what random searches of so many trials promise and keep, over the repeats.

    truth: `mean_losses` of many draws of the space, judged by the same judges; its best twentieth
    is the top 5 %. Columns: trials, met (the chance that one of them is in the top 5 %, by
    formula), returned (the share of repeats in which the winner is), as_searched, fresh (mean
    losses of the winners).
    """
    trials = random_searches(space, max(numbers), n_epochs=n_epochs, repeats=repeats)
    won = pd.concat([winners(trials, n).assign(trials=n) for n in numbers])
    won["fresh"] = fresh_losses(list(won["config"]), n_epochs, judges)
    won["returned"] = won["fresh"] <= truth["val_loss"].quantile(0.05)
    rows = won.groupby("trials", as_index=False).agg(
        returned=("returned", "mean"), as_searched=("val_loss", "mean"), fresh=("fresh", "mean")
    )
    rows.insert(1, "met", 1 - 0.95 ** rows["trials"])
    return rows


def placements(
    spaces: Mapping[str, SearchSpace],
    *,
    n_epochs: Sequence[int] = (20, 40),
    repeats: Sequence[int] = range(20),
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Compare 27 random trials with two grids of 27 on each space at each number of epochs: the
    `tally`.
    """
    duels = {}
    for (name, space), centred, epochs in product(spaces.items(), (False, True), n_epochs):
        grid = space.grid(3, centred=centred)
        case = f"{name}, {'cell centres' if centred else 'bounds'}, {epochs} epochs"
        random_of, grid_of = partial(_sample, space, len(grid)), lambda repeat, grid=grid: grid
        duels[case] = duel(random_of, grid_of, n_epochs=epochs, repeats=repeats, judges=judges)
    return tally(duels)


def retraining(
    space: SearchSpace,
    *,
    n_trials: int = 27,
    n_finalists: int = 3,
    n_again: int = 5,
    n_epochs: int = N_EPOCHS,
    repeats: Sequence[int] = SEARCHED,
    judges: Sequence[int] = JUDGES,
) -> pd.DataFrame:
    """Return, for each repeat, what two searches that cost the same promise and keep.

    One spends all on trials. The other makes n_trials, and trains the best n_finalists n_again
    times more, each time on new rows under a new seed; the lowest mean wins. Columns: repeat,
    all_trials, retrained (the winners' fresh losses), all_trials_promised, retrained_promised (the
    losses by which they won).
    """
    n_all = n_trials + n_finalists * n_again
    trials = random_searches(space, n_all, n_epochs=n_epochs, repeats=repeats)
    first = trials[trials["trial"] < n_trials].sort_values(["repeat", "val_loss"], kind="stable")
    finalists = first.groupby("repeat").head(n_finalists).reset_index(drop=True)
    each = [config for config in finalists["config"] for _ in range(n_again)]
    new = [AGAIN + r * n_again + i for r in finalists["repeat"] for i in range(n_again)]
    again = trained(each, new, n_epochs)[:, -1].reshape(-1, n_again).mean(axis=1)
    table = {"repeat": list(repeats)}
    for name, won in (
        ("all_trials", winners(trials)),
        ("retrained", winners(finalists.assign(val_loss=again))),
    ):
        table[name] = fresh_losses(list(won["config"]), n_epochs, judges)
        table[f"{name}_promised"] = won["val_loss"].to_numpy()
    return pd.DataFrame(table)


def script_runs(
    lists: Mapping[str, list], *, n_draws: int = 20, n_seeds: int = 5
) -> tuple[np.ndarray, np.ndarray]:
    """Return validation loss and accuracy of all combinations of lr, batch_size and epochs.

    Both have the shape (n_draws, n_seeds, n_combinations), in the order of `product`: draws of
    rows, and training seeds, of which no two draws share one.
    """
    networks = [
        {"lr": lr, "batch_size": size} for lr, size in product(lists["lr"], lists["batch_size"])
    ]
    jobs = list(product(range(n_draws), range(n_seeds), networks))
    rows, at = rows_of("iris", range(n_draws)), np.array(lists["epochs"]) - 1
    key = {"networks": networks, "draws": n_draws, "seeds": n_seeds, "epochs": max(lists["epochs"])}

    def compute():
        curves = fit_all(
            [config for *_, config in jobs],
            [rows[draw] for draw, *_ in jobs],
            n_epochs=max(lists["epochs"]),
            seed=[draw * n_seeds + seed for draw, seed, _ in jobs],
        )
        return {"loss": curves.val_loss, "accuracy": curves.val_accuracy}

    found = cached_by_key(key | {"code": CODE}, compute)
    return tuple(found[name][:, at].reshape(n_draws, n_seeds, -1) for name in ("loss", "accuracy"))


def lottery(
    lists: Mapping[str, list], *, n_runs: int = 1000, judges: Sequence[int] = JUDGES
) -> pd.DataFrame:
    """Return what becomes of a script that draws five configurations and keeps the best, as written
    and repaired.

    Columns: script, winners (how many different ones 1,000 runs on the same rows name), fresh (the
    winners' mean loss): means over 20 draws of rows, each with n_runs runs.
    """
    loss, accuracy = script_runs(lists)
    networks = [
        {"lr": lr, "batch_size": size} for lr, size in product(lists["lr"], lists["batch_size"])
    ]
    each = [config for config in networks for _ in judges]
    curves = trained(each, [*judges] * len(networks), max(lists["epochs"])).reshape(
        len(networks), len(judges), -1
    )
    judged = curves.mean(axis=1)[:, np.array(lists["epochs"]) - 1].ravel()
    # of each script: trials, whether its draws and its trainings are seeded, whether it chooses by
    # loss and retrains
    scripts = {
        "as written": (5, False, False, "accuracy", False),
        "trainings seeded": (5, False, True, "accuracy", False),
        "all seeded": (5, True, True, "accuracy", False),
        "by the loss": (5, False, False, "loss", False),
        "by the loss, 15 trials": (15, False, False, "loss", False),
        "and the best three retrained": (15, False, False, "loss", True),
    }
    rows = []
    for name, how in scripts.items():
        chosen = [_runs(loss, accuracy, draw, n_runs, *how) for draw in range(len(loss))]
        rows.append((name, np.mean([len(set(c)) for c in chosen]), judged[np.array(chosen)].mean()))
    return pd.DataFrame(rows, columns=["script", "winners", "fresh"])


def _runs(
    loss, accuracy, draw, n_runs, n_trials, draws_seeded, trainings_seeded, by, retrains
) -> np.ndarray:
    """Return the winning combination of each run on one draw of rows, shape (n_runs,)."""
    rng = np.random.default_rng(draw)
    tried = rng.integers(loss.shape[2], size=(n_runs, n_trials))
    seeds = rng.integers(loss.shape[1], size=(n_runs, n_trials))
    tried = np.broadcast_to(tried[0], tried.shape) if draws_seeded else tried
    seeds = np.zeros_like(seeds) if trainings_seeded else seeds
    score = -accuracy[draw, seeds, tried] if by == "accuracy" else loss[draw, seeds, tried]
    if retrains:
        best = np.take_along_axis(tried, score.argsort(axis=1)[:, :3], axis=1)
        others = [(draw + k) % len(loss) for k in range(1, 6)]
        tried, score = best, loss[others, 0].mean(axis=0)[best]
    # the first of equal ones
    return np.take_along_axis(tried, score.argmin(axis=1)[:, None], axis=1)[:, 0]
