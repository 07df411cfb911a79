"""When do more trials stop paying, for another model? `python -m tools.boosting` measures it.

Lesson 2 asks it of the course's small network. Here gradient boosting, on 50,000 rows, is searched
over six hyperparameters, which takes about five minutes. No other rows or ranges were tried.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier

from hpt_helpers.classroom.computing.cache import cached_each
from hpt_helpers.search_space import Integer, Real, SearchSpace

N_ROWS, N_TRAIN = 50_000, 20_000
N_VAL = (30, 300, 3_000)
N_TRIALS = (1, 3, 9, 27, 81)
N_REPEATS, N_JUDGES = 30, 2
SPACE = SearchSpace(
    {
        "learning_rate": Real(0.01, 1, log=True),
        "max_leaf_nodes": Integer(4, 128, log=True),
        "min_samples_leaf": Integer(1, 200, log=True),
        "l2_regularization": Real(0.001, 1_000, log=True),
        "max_features": Real(0.1, 1),
        "max_bins": Integer(8, 255, log=True),
    }
)


def measured() -> dict[str, np.ndarray]:
    """Return what `repeat` returns for all repeats, as (n_repeats, len(N_VAL), len(N_TRIALS))."""
    found = cached_each(repeat, [(seed,) for seed in range(N_REPEATS)], progress=True)
    return {name: np.stack([of_one[name] for of_one in found]) for name in ("searched", "fresh")}


def medians(found: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the medians over the repeats; columns: rows, trials, searched and fresh."""
    index = pd.MultiIndex.from_product([N_VAL, N_TRIALS], names=["rows", "trials"])
    columns = {name: np.median(losses, axis=0).ravel() for name, losses in found.items()}
    return pd.DataFrame(columns, index).reset_index()


def repeat(seed: int) -> dict[str, np.ndarray]:
    """Return what random searches of one repeat report, and what their winners are worth.

    Both have a shape of (numbers of rows, numbers of trials). A repeat has its own training and
    validation rows, configurations and training seed. Each of its judges trains a winner anew on
    rows that the repeat has not seen, and scores it on others of these.
    """
    X, y = make_classification(
        N_ROWS, n_informative=10, n_clusters_per_class=4, flip_y=0.05, random_state=0
    )
    order = np.random.default_rng(seed).permutation(N_ROWS)
    train, val, unseen = np.split(order, [N_TRAIN, N_TRAIN + max(N_VAL)])
    configs = SPACE.sample(max(N_TRIALS), seed=seed)
    of_rows = np.stack([row_losses(config, seed, X, y, train, val) for config in configs])

    def worth(i: int) -> float:
        losses = []
        for judge in range(N_JUDGES):
            rows = np.random.default_rng([seed, judge]).permutation(unseen)
            theirs = row_losses(configs[i], judge, X, y, rows[:N_TRAIN], rows[N_TRAIN:])
            losses.append(theirs.mean())
        return float(np.mean(losses))

    losses = np.stack([of_rows[:, :n].mean(axis=1) for n in N_VAL])
    winners = np.stack([[of_one[:n].argmin() for n in N_TRIALS] for of_one in losses])
    fresh = {i: worth(i) for i in np.unique(winners).tolist()}
    return {
        "searched": np.take_along_axis(losses, winners, axis=1),
        "fresh": np.vectorize(fresh.get)(winners),
    }


def row_losses(config: dict, seed: int, X, y, train, val) -> np.ndarray:
    """Return the cross-entropy of each validation row after 50 rounds of boosting."""
    model = HistGradientBoostingClassifier(
        max_iter=50, early_stopping=False, random_state=seed, **config
    )
    probabilities = model.fit(X[train], y[train]).predict_proba(X[val])
    return -np.log(np.clip(probabilities[np.arange(len(val)), y[val]], 1e-15, None))


if __name__ == "__main__":
    from tools import boosting  # by this name, under which `make testbed` finds it in the cache

    print(boosting.medians(boosting.measured()).round(3).to_string(index=False))
