# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Random search: draw configurations by chance
#
# **When do random tries beat a grid, and when not?**
#
# **Time:** core path 107 minutes, going further 17 minutes. **Builds on:** [Grid search](01_grid_search.ipynb).
#
# Afterwards you can
#
# - write random search in a few lines, and say how often its draws repeat;
# - compute how many trials to make, and say what that number does not promise;
# - tell where a grid wins and where random draws do;
# - report a winner that holds up when trained again.

# %% [markdown]
# ## Settings
#
# Imports:

# %%
import math
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from scipy.stats import qmc
from sklearn.model_selection import ParameterSampler, RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from hpt_helpers.classroom import lesson_plots, plots
from hpt_helpers.classroom.exercises import lesson_02 as ex
from hpt_helpers.config import plain
from hpt_helpers.data import load_splits
from hpt_helpers.landscape import landscape
from hpt_helpers.model import SimpleNN
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.population import fit_many
from hpt_helpers.search import run
from hpt_helpers.search_space import Choice, Integer, Real, SearchSpace
from hpt_helpers.strategies import grid_search, random_search
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, incumbent_trajectory, ties

# %% [markdown]
# Two search spaces: `LISTS`, a small grid, and `space` with **distributions**: a learning rate uniform in its
# logarithm, and integers.

# %%
SEED, N_TRIALS, N_EPOCHS = 42, 27, 40
N_SEEDS = 20  # training seeds 0 to 19: initial weights and shuffles

LISTS = {"lr": [0.01, 0.001, 0.0001], "batch_size": [16, 32, 64], "epochs": [50, 100, 150]}
space = SearchSpace({
    "lr": Real(1e-4, 0.1, log=True),
    "batch_size": Integer(16, 64),
    "hidden_size": Integer(8, 32),
})
splits = load_splits("iris")

# %% [markdown]
# ## The problem
#
# We classify Iris and minimise a trial's last validation loss. A search may spend 27 trials of 40 epochs. It has to
# beat guessing (the commonest class) and a default configuration.

# %%
majority = splits.y_train.bincount().argmax()
default = fit({"lr": 0.001, "batch_size": 32}, splits, n_epochs=N_EPOCHS)
right = (splits.y_val == majority).double()
print(f"budget: {N_TRIALS * N_EPOCHS} epochs")
print(f"guess:   accuracy {right.mean():.3f}, loss {math.log(splits.n_classes):.3f}")
print(f"default: accuracy {default.val_accuracy[-1]:.3f}, loss {default.val_loss[-1]:.3f}")

# %% [markdown]
# The default beats guessing and leaves much to gain.
#
# ## The landscape
#
# The truth first: grey points are 100 random configurations, each trained under 20 seeds. Below, nine trials on a grid
# and nine at random; dashed lines mark their learning rates. **Predict** how many each tries.

# %%
sample = space.sample(100, seed=SEED)
pool = landscape(sample, splits, n_epochs=N_EPOCHS, seeds=range(N_SEEDS), progress=True)
losses = pool.val_loss[:, :, -1]  # (100 configurations, 20 training seeds)
mean_loss = losses.mean(axis=1)
lr_of = np.array([config["lr"] for config in pool.configs])

# The grid has 3 learning rates, 1 batch size and 3 hidden sizes.
nine = {"grid": space.grid({"batch_size": 1}), "random": pool.configs[:9]}
figure, axes = plt.subplots(1, 2, figsize=(9, 4.5), layout="constrained", sharex=True, sharey=True)
for ax, (name, configs) in zip(axes, nine.items(), strict=True):
    lesson_plots.projection(configs, (lr_of, mean_loss), title=f"Nine trials, {name}", ax=ax)
    lrs = {config["lr"] for config in configs}
    print(f"{name}: {len(configs)} trials, {len(lrs)} learning rates")

# %% [markdown]
# The grid spends nine trials on three learning rates, and all miss the valley. Every random draw tries a new one. So
# argue Bergstra and Bengio (2012): where few dimensions matter, a grid wastes trials on the others.
#
# **How many matter?** Over a full grid of learning rates and hidden sizes, the variance of the log loss splits into a
# share for each and a rest, their interaction. **Predict** the larger share on Iris and Digits.

# %%
def variance_shares(log_losses):
    """Return the shares of variance due to rows and to columns."""
    return [log_losses.mean(axis=axis).var() / log_losses.var() for axis in (1, 0)]

for data, n_epochs in [(splits, N_EPOCHS), (load_splits("digits"), 8)]:
    pairs = product(np.geomspace(1e-4, data.max_lr, 5), [8, 16, 32])
    configs = [{"lr": lr, "hidden_size": hidden, "batch_size": 32} for lr, hidden in pairs]
    trained = landscape(configs, data, n_epochs=n_epochs, seeds=range(N_SEEDS), progress=True)
    mean_losses = trained.val_loss[:, :, -1].mean(axis=1)
    log_losses = np.log(mean_losses).reshape(5, 3)  # (learning rates, hidden sizes)
    for name, rows in {"all learning rates": log_losses, "upper half": log_losses[2:]}.items():
        lr_share, hidden_share = variance_shares(rows)
        print(f"{data.name:6}  {name:18}  lr {lr_share:.2f}  hidden size {hidden_share:.2f}")

# %% [markdown]
# On Iris the learning rate is nearly everything. On Digits it seems so too, until its range is halved: then the hidden
# size counts. How many dimensions matter, the **effective dimension**, depends on the search space as much as on the
# problem.
#
# ## By hand
#
# Five configurations from `LISTS`, each value drawn on its own. As no trial depends on another, the strategy asks for
# all at once; they could run in parallel.

# %%
def random_search_by_hand(lists, n_trials, seed):
    rng = np.random.default_rng(seed)
    configs = []
    for _ in range(n_trials):
        configs.append({name: values[rng.integers(len(values))] for name, values in lists.items()})
    # The trials, and how long to train each.
    yield [(config, config["epochs"]) for config in configs]

by_hand = run(random_search_by_hand(LISTS, 5, SEED), TrainingObjective(splits))
choices = SearchSpace({name: Choice(values) for name, values in LISTS.items()})
ready_made = run(random_search(choices, 5, seed=SEED), TrainingObjective(splits))
# Only the wall times may differ.
ours, theirs = (trials.drop(columns="runtime_s") for trials in (by_hand, ready_made))
pd.testing.assert_frame_equal(ours, theirs)
columns = ["lr", "batch_size", "epochs", "val_loss", "val_accuracy"]
by_hand[columns].round({"val_loss": 3, "val_accuracy": 3})

# %% [markdown]
# Run it again: same seed, same five. The course's `random_search` gives them too.
#
# ## With the library
#
# scikit-learn's `ParameterSampler` draws from lists **without replacement**: it shuffles the 27 combinations like a
# deck of cards and takes the top five.

# %%
names = sorted(LISTS)
deck = [dict(zip(names, card, strict=True)) for card in product(*(LISTS[name] for name in names))]
# The library's shuffle uses NumPy's older generator.
by_deck = [deck[i] for i in np.random.RandomState(SEED).permutation(len(deck))[:5]]
sampler = ParameterSampler(LISTS, 5, random_state=SEED)
trials = [run(grid_search(configs), TrainingObjective(splits)) for configs in (by_deck, sampler)]
assert by_deck == list(sampler) and trials[0]["val_loss"].equals(trials[1]["val_loss"])
lowest = trials[1]["val_loss"].min()
print(f"the same {len(by_deck)} configurations, the same losses; the best {lowest:.3f}")

# %% [markdown]
# They agree. What does replacement cost? **Predict:** in ten draws from 27 cards, how likely is a repeat, and
# how many different cards appear?

# %%
rng = np.random.default_rng(SEED)
for n in (5, 10, 27):
    hands = rng.integers(27, size=(20_000, n))
    distinct = np.array([len(set(hand)) for hand in hands.tolist()])
    repeat = 1 - np.prod(1 - np.arange(n) / 27)  # 1 - P(each card differs from those before)
    # 27 cards, each missed by all draws with P = (1 - 1/27) ** n.
    expected = 27 * (1 - (1 - 1 / 27) ** n)
    print(f"{n:2} draws: a repeat {repeat:.3f} (simulated {np.mean(distinct < n):.3f}), "
          f"different cards {expected:.2f} (simulated {distinct.mean():.2f})")
all_27 = {tuple(config.values()) for config in ParameterSampler(LISTS, 27, random_state=SEED)}
print("27 draws of ParameterSampler, different cards:", len(all_27))

# %% [markdown]
# Repeats are common, and under one seed a repeat teaches nothing. Without replacement 27 draws are the whole grid.
#
# From distributions hardly anything repeats. A log-uniform draw is a uniform draw of the logarithm. `ParameterSampler`
# takes distributions too, with random numbers of its own. **Predict** which share of *uniform* draws from 0.0001 to 0.1
# lies above 0.01.

# %%
rng = np.random.default_rng(SEED)
drawn = []
for _ in range(N_TRIALS):
    lr = math.exp(rng.uniform(math.log(1e-4), math.log(0.1)))
    batch_size = int(rng.integers(16, 65))
    hidden_size = int(rng.integers(8, 33))
    drawn.append({"lr": lr, "batch_size": batch_size, "hidden_size": hidden_size})
assert drawn == space.sample(N_TRIALS, seed=SEED)  # what the ready-made random_search tries

sampler = ParameterSampler(space.to_distributions(), 3000, random_state=SEED)
library = [plain(config) for config in sampler]
assert all(config in space for config in library)
lrs = {"log-uniform": [config["lr"] for config in library], "uniform": rng.uniform(1e-4, 0.1, 3000)}
print("share of draws in 0.0001 to 0.001, to 0.01, to 0.1")
for name, values in lrs.items():
    shares = np.histogram(np.log10(values), [-4, -3, -2, -1])[0] / 3000
    print(f"{name:11}", [f"{share:.2f}" for share in shares])

# %% [markdown]
# Each decade gets its third of the log-uniform draws. Nearly all uniform ones fall into the last.
#
# ## Reading the result
#
# One search of `space`. Look for ties, and where the winner lies.

# %%
strategy = random_search(space, N_TRIALS, N_EPOCHS, seed=SEED)
search = run(strategy, TrainingObjective(splits), budget=N_TRIALS * N_EPOCHS)
best = incumbent(search)
place = math.log(search.at[best, "lr"] / 1e-4) / math.log(0.1 / 1e-4)
print(f"epochs spent: {search['charged_epochs'].sum()}")
print(f"winner: trial {best}, its lr at {place:.0%} of the way from the lower to the upper bound")
n_tied = len(ties(search, "val_accuracy"))
print(f"best in accuracy: {n_tied} trials tie; in loss: {len(ties(search))}")
columns = ["lr", "batch_size", "hidden_size", "val_loss", "val_accuracy"]
search.nsmallest(5, "val_loss")[columns].round(4)

# %% [markdown]
# Accuracy ties; the loss decides. The winner is not at a bound, so the range need not move.
#
# **When to stop?** The trajectory of the incumbent (the best so far) shows one search. The *expected best of n* (Dodge
# et al. 2019) averages over all searches of n draws from the same losses: a loss is the best if all draws are at least
# as bad, but not all worse.

# %%
def expected_best(losses, n):
    """Return the expected lowest of n draws, with replacement, from these losses."""
    # at_least[k]: P(a draw is none of the k lowest)
    at_least = 1 - np.arange(len(losses) + 1) / len(losses)
    return np.sort(losses) @ (at_least[:-1] ** n - at_least[1:] ** n)

n_trials = np.arange(1, N_TRIALS + 1)
expected = np.array([expected_best(search["val_loss"], n) for n in n_trials])
for n in (3, 9, 18):
    gain = expected[n - 1] - expected[n + 8]
    print(f"from {n} to {n + 9} trials the expected best falls by {gain:.4f}")
best_ten = losses[mean_loss.argsort()[:10]]
spread = best_ten.std(axis=1, ddof=1).mean()
print(f"standard deviation of a loss over training seeds (ten best): {spread:.4f}")
curves = {"this search": incumbent_trajectory(search["val_loss"]), "expected best of n": expected}
ax = plots.lines(
    n_trials, curves, x_label="trials", y_label="best validation loss (nats)", title="When to stop")

# %% [markdown]
# This search was lucky at once; the expected curve shows what is usual. Stop when more trials promise less than the
# spread over training seeds. (The curve cannot fall below the best loss seen: trust it for small n.)
#
# ## How sure are we?
#
# A draw is in the best share p with probability p, so at least one of n is with probability $1 - (1 - p)^n$.
# **Predict** the n for the top 5 % with 95 % certainty. 1,000 simulated searches check the formula.

# %%
rank = mean_loss.argsort().argsort()  # 0 for the best of the 100
draws = np.random.default_rng(SEED).integers(100, size=(1000, 100))  # 1,000 searches of 100 trials
# Has a search met the top 5 % by its n-th trial?
found = np.logical_or.accumulate(rank[draws] < 5, axis=1)
n_draws = np.arange(1, 101)
formula, simulated = 1 - 0.95**n_draws, found.mean(axis=0)
print("first n with 95 %:", n_draws[formula >= 0.95][0])
for n in (5, 14, 27, 59):
    quartiles = np.quantile(mean_loss[draws[:, :n]].min(axis=1), [0.25, 0.5, 0.75])
    print(f"n = {n:2}: formula {formula[n - 1]:.3f}, simulated {simulated[n - 1]:.3f}, "
          f"quartiles of the best loss {quartiles.round(4)}")
for name, means in {"whole range": mean_loss, "lr below 0.001": mean_loss[lr_of < 0.001]}.items():
    print(f"{name}: the top 5 % are the losses below {np.quantile(means, 0.05):.3f}")
both = {"formula": formula, "1,000 searches": simulated}
title = "At least one trial in the top 5 %"
ax = plots.lines(n_draws, both, x_label="trials", y_label="probability", title=title)

# %% [markdown]
# The simulation agrees. But the formula counts **ranks under the sampling distribution**: from a poor range it
# promises a poor top 5 % just as firmly, and it never says how far the best trial is from the lowest loss. (The "59
# trials" reading is folklore, not from Bergstra and Bengio.)
#
# **Retrain the top three.** The lowest of 27 losses is partly luck. Train the best three under five fresh seeds.
# **Predict:** will their losses rise or fall? Then the same for 1,000 searches.

# %%
top = search.nsmallest(3, "val_loss")
finalists = [config_of(search, trial) for trial in top.index]
fresh = landscape(finalists, splits, n_epochs=N_EPOCHS, seeds=range(100, 105)).val_loss[:, :, -1]
winner = finalists[fresh.mean(axis=1).argmin()]

def search_and_retrain(rng):
    """Return a winner's loss, its mean under new seeds, and that of the best of three retrained."""
    rows = np.unique(rng.integers(len(losses), size=N_TRIALS))  # the configurations drawn
    # One seed is for the search, five are for retraining, the others judge.
    seed, *rest = rng.permutation(N_SEEDS)
    five, others = rest[:5], rest[5:]
    three = rows[losses[rows, seed].argsort()[:3]]
    chosen = three[losses[three][:, five].mean(axis=1).argmin()]
    return losses[three[0], seed], losses[three[0], others].mean(), losses[chosen, others].mean()

rng = np.random.default_rng(SEED)
searched, again, retrained = np.mean([search_and_retrain(rng) for _ in range(1000)], axis=0)
print(f"1,000 searches, mean loss of the winner as searched: {searched:.4f}")
print(f"the same winner under other seeds: {again:.4f}")
print(f"the best of three retrained, under other seeds: {retrained:.4f}")
sd = fresh.std(axis=1, ddof=1)
top[["lr", "val_loss"]].assign(fresh_mean=fresh.mean(axis=1), fresh_sd=sd).round(4)

# %% [markdown]
# Choosing the lowest loss picks luck along with quality: that loss is too low. Retraining finds better configurations
# on average, and more honest losses.
#
# ## Autopsy of the naive script
#
# ```python
# for _ in range(5):
#     params = {name: random.choice(values) for name, values in LISTS.items()}
#     accuracy = train_and_score(params)
#     if accuracy > best_accuracy:
#         best_accuracy, best_params = accuracy, params
# ```
#
# First fault: no seed. Second: the best accuracy wins, the first in a tie. **Predict:** how many different winners have
# 1,000 runs? How often is it wrong: not, of its five, the one with the lowest mean loss over 20 seeds?

# %%
pairs = [{"lr": lr, "batch_size": batch} for lr, batch in product(LISTS["lr"], LISTS["batch_size"])]
curves = landscape(pairs, splits, n_epochs=150, seeds=range(N_SEEDS), progress=True)
ends = np.array(LISTS["epochs"]) - 1
at_ends = [v[:, :, ends].swapaxes(1, 2) for v in (curves.val_loss, curves.val_accuracy)]
loss, accuracy = (v.reshape(27, N_SEEDS) for v in at_ends)

rng = np.random.default_rng(SEED)
draws = rng.integers(27, size=(1000, 5))  # five configurations a run
seeds = rng.integers(N_SEEDS, size=(1000, 5))  # unseeded: each trial has another training seed
mean_of = loss.mean(axis=1)
chosen = {
    "accuracy": accuracy[draws, seeds].argmax(axis=1),
    "loss": loss[draws, seeds].argmin(axis=1),
}
for by, positions in chosen.items():
    winners = draws[np.arange(1000), positions]
    wrong = mean_of[winners] > mean_of[draws].min(axis=1)
    quartiles = np.quantile(mean_of[winners], [0.25, 0.5, 0.75])
    n_winners = len(np.unique(winners))
    print(f"by {by:8}: {n_winners} different winners, wrong in {wrong.mean():.0%} of the runs; "
          f"quartiles of their mean loss {quartiles.round(3)}")

# %% [markdown]
# Unseeded, the answer is a lottery; by accuracy it is wrong more often than by loss. **Repair:** a seed, and the loss.
#
# Third fault: a sampled grid is no continuous search. **Predict** how the expected best falls with n, for draws
# from the points of a grid and from the range they span.

# %%
points = landscape(space.grid(3), splits, n_epochs=N_EPOCHS, seeds=range(N_SEEDS)).val_loss[:, :, -1]
sizes = (5, 15, 27, 60)
for source, drawn_from in {"the points": points, "the range": losses}.items():
    means = [np.mean([expected_best(of_seed, n) for of_seed in drawn_from.T]) for n in sizes]
    print(f"{source:10}: expected best of 5, 15, 27, 60 trials", [f"{mean:.3f}" for mean in means])

# %% [markdown]
# Both level off, the points at a higher loss: no draw falls between them, where the valley is.
#
# ## Where it fails: grid against random
#
# 27 trials each, over 20 training seeds and 1,000 draws. Three grids: from bound to bound; at the centres of their
# cells; from bound to bound in a space that ends at a learning rate of 0.01, for random draws too. **Predict** each
# winner after 20 epochs and after 40 (the figure, with each grid in random order).

# %%
def against_random(name, configs, max_lr, ax):
    """Compare a grid with random draws up to max_lr; draw the trajectories over seeds and draws."""
    rng = np.random.default_rng(SEED)
    draws = rng.choice(np.flatnonzero(lr_of <= max_lr), size=(1000, N_TRIALS))  # rows of the pool
    trained = landscape(configs, splits, n_epochs=N_EPOCHS, seeds=range(N_SEEDS), progress=True)
    trained = trained.val_loss
    for epoch in (20, 40):
        draw_min = pool.val_loss[draws, :, epoch - 1].min(axis=1)  # (1000 draws, 20 seeds)
        grid_min = trained[:, :, epoch - 1].min(axis=0)  # (20 seeds,)
        wins = (draw_min < grid_min).mean(axis=0)
        lr, batch, hidden = configs[trained[:, :, epoch - 1].mean(axis=1).argmin()].values()
        print(f"{name}, {epoch} epochs: P(random wins) {wins.mean():.2f}, "
              f"by seed {wins.min():.2f} to {wins.max():.2f}\n"
              f"    median loss: random {np.median(draw_min):.3f}, grid {np.median(grid_min):.3f}, "
              f"its best at lr {lr:.4f}, batch size {batch}, hidden size {hidden}")
    seeds = np.arange(1000)[:, None] % N_SEEDS
    orders = rng.permuted(np.tile(np.arange(N_TRIALS), (1000, 1)), axis=1)
    random, grid = np.minimum.accumulate([losses[draws, seeds], trained[orders, seeds, -1]], axis=2)
    plots.trajectories({"random": random, "grid": grid}, title=name, ax=ax).set_yscale("log")
    ax.label_outer()

narrow = SearchSpace({**space, "lr": Real(1e-4, 0.01, log=True)})
figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", sharey=True)
against_random("From bound to bound", space.grid(3), 0.1, axes[0])
against_random("Centres of the cells", space.grid(3, centred=True), 0.1, axes[1])
against_random("Bounds, up to 0.01", narrow.grid(3), 0.01, axes[2])

# %% [markdown]
# A grid is **a bet on placement**. After 20 epochs the upper bound pays: large learning rates learn fastest. After 40
# the valley lies between the points, and random draws win; the centres are near a coin toss. Up to 0.01 the best
# learning rate is the bound, after 20 epochs even in a corner; random draws hardly ever land there: **random search
# loses**. One training seed may contradict the next.
#
# ## In practice
#
# skorch makes our network a scikit-learn estimator for `RandomizedSearchCV`. Scaling in the pipeline means that each
# fold is scaled by its own training rows. Scores are negative losses: higher is better.

# %%
unscaled = load_splits("iris", scaled=False)
X = torch.cat([unscaled.X_train, unscaled.X_val]).numpy()
y = torch.cat([unscaled.y_train, unscaled.y_val]).numpy()
net = NeuralNetClassifier(
    SimpleNN, module__input_size=4, module__num_classes=3, criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam, max_epochs=15, iterator_train__shuffle=True, train_split=None,
    verbose=0)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
name_of = {
    "lr": "net__lr",
    "batch_size": "net__batch_size",
    "hidden_size": "net__module__hidden_size",
}
distributions = {name_of[name]: values for name, values in space.to_distributions().items()}
torch.manual_seed(SEED)
practice = RandomizedSearchCV(
    pipeline, distributions, n_iter=8, cv=3, scoring="neg_log_loss", random_state=SEED)
practice.fit(X, y)
columns = [f"param_{name}" for name in name_of.values()] + ["mean_test_score", "std_test_score"]
pd.DataFrame(practice.cv_results_)[columns].convert_dtypes().nlargest(4, "mean_test_score").round(3)

# %% [markdown]
# The trial table again, with the spread over three folds. `n_jobs=-1` would use all cores.
#
# ## The test score, once
#
# The retrained winner meets the sealed rows.

# %%
final = fit(winner, splits, n_epochs=N_EPOCHS)
print("lr {lr:.4f}, batch size {batch_size}, hidden size {hidden_size}".format(**winner))
print("test accuracy", splits.final_score(final.model))

# %% [markdown]
# The interval is wide: 30 rows cannot rank good configurations.
#
# ## Exercises
#
# `ex.q1.hint()` and `ex.q1.solution()` help.
#
# ### Exercise 1: how many trials?
#
# Write `trials_needed(top_share, confidence)`: the smallest number of random draws that hit the best `top_share`
# (0.05 is the top 5 %) with a probability of at least `confidence`.

# %%
def trials_needed(top_share, confidence):
    return ...

ex.q1.check(trials_needed)

# %% [markdown]
# ### Exercise 2: repair the draws
#
# Repair `random_configs(n, seed)`. It should return `n` configurations, drawn independently: `lr` log-uniform from
# 0.0001 to 0.1, `batch_size` an integer from 16 to 64, both included. It has three faults. Keep the order: for
# each configuration first `lr`, with one call of `rng.uniform`, then `batch_size`.

# %%
def random_configs(n, seed):
    configs = []
    for _ in range(n):
        rng = np.random.default_rng(seed)
        configs.append({"lr": rng.uniform(0.0001, 0.1), "batch_size": int(rng.integers(16, 64))})
    return configs

ex.q2.check(random_configs)

# %% [markdown]
# ### Exercise 3: what do sixty trials promise?
#
# A search drew sixty random configurations. What can be said of the best one without seeing its loss?
#
# - **a** Its loss is probably within 5 % of the lowest possible.
# - **b** It is probably among the best 5 % of what this sampler draws.
# - **c** It is probably among the best 5 %, whatever range the sampler draws from.
#
# Because:
#
# - **1** the formula counts ranks among the draws and knows no losses.
# - **2** sixty trials cover most of the space.
# - **3** all that is drawn is equally likely to be good.

# %%
answer_3 = ...  # a letter and a number in quotes, such as "a1"
ex.q3.check(answer_3)

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - Random search draws each trial on its own. Seed the draws; draw learning rates log-uniformly.
# - Where few dimensions matter, a grid tries few values of them, random draws many.
# - At least one of n draws is in the best share p with probability $1 - (1 - p)^n$: a rank, not a distance.
# - A grid is a bet on placement: it wins on its points and loses between them.
# - Compare over training seeds, and retrain the finalists.
#
# </div>
#
# **Next:** [03 Bayesian optimisation](03_bayesian_optimization.ipynb) learns from earlier trials.

# %% [markdown]
# ## Going further
#
# ### Quasi-random draws
#
# Random points leave gaps and clusters. A **Latin hypercube** puts one point into each slice of every axis. A **Sobol
# sequence** fills the whole cube evenly. **Discrepancy** measures unevenness (lower is more even). **Predict:** by
# which factor do the two lower it, for eight points in three dimensions?

# %%
samplers = {
    "random": lambda seed: np.random.default_rng(seed).random((8, 3)),
    "Latin hypercube": lambda seed: qmc.LatinHypercube(3, rng=seed).random(8),
    "Sobol": lambda seed: qmc.Sobol(3, rng=seed).random(8),
}
discrepancy = {}
for name, draw in samplers.items():
    discrepancy[name] = np.mean([qmc.discrepancy(draw(seed)) for seed in range(100)])
for name, value in discrepancy.items():
    factor = discrepancy["random"] / value
    print(f"{name:15} mean discrepancy {value:.4f}, {factor:.1f} times as even as random")

# %% [markdown]
# Several times more even. Is the best trial better too? We train 60 designs of each kind, three for each of 20 training
# seeds. **Predict** the probability that the best of eight even draws beats the best of eight random ones.

# %%
seeds = np.repeat(np.arange(60) // 3, 8)  # one for each trial
best_of_8 = {}  # name -> (20 seeds, 3 designs)
for name, draw in samplers.items():
    configs = [config for design in range(60) for config in space.from_unit(draw(design))]
    curves = fit_many(configs, splits, n_epochs=N_EPOCHS, seed=seeds, progress=True)
    best_of_8[name] = curves.val_loss[:, -1].reshape(N_SEEDS, 3, 8).min(axis=2)
print(f"random          median best loss {np.median(best_of_8['random']):.4f}")
for name in ("Latin hypercube", "Sobol"):
    wins = (best_of_8[name][:, :, None] < best_of_8["random"][:, None, :]).mean(axis=(1, 2))
    median = np.median(best_of_8[name])
    print(f"{name:15} median best loss {median:.4f}, P(beats random) {wins.mean():.2f} "
          f"± {wins.std(ddof=1) / N_SEEDS**0.5:.2f} (standard error)")

# %% [markdown]
# The best loss hardly moves: evenness gives no clear advantage here. It pays for averages over the whole space; a
# search wants one good point. (Even draws cost nothing: use them where your library offers them.)
#
# ### Exercise 4: the expected best accuracy
#
# Write `expected_best_accuracy(accuracies, n)`: the expected **highest** of `n` draws, with replacement, from a list
# of accuracies. `expected_best` does the same for the lowest loss.

# %%
def expected_best_accuracy(accuracies, n):
    return ...

ex.q4.check(expected_best_accuracy)

# %% [markdown]
# Which exercises are done?

# %%
ex.progress()

# %% [markdown]
# **Further reading.** Bergstra and Bengio (2012), Random Search for Hyper-Parameter Optimization, *JMLR* 13. Dodge et
# al. (2019), Show Your Work: Improved Reporting of Experimental Results, *EMNLP-IJCNLP*.
