# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Grid search: try every combination
#
# **What do you learn by trying every combination?** A grid search takes a few values of each hyperparameter and
# trains every combination. Most of what goes wrong in tuning goes wrong in it already.
#
# **Time:** core path 86 minutes, going further 26 minutes. **Builds on:** [Start here](00_start_here.ipynb).
#
# Afterwards you can
#
# - write a grid search by hand, and run it with a library;
# - count its ties, and break them by a rule;
# - tell from the winner's place whether to move the grid;
# - find five faults in a script, and say what each costs.

# %% [markdown]
# ## Settings

# %%
from dataclasses import replace
from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.model_selection import GridSearchCV, ParameterGrid, StratifiedKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from skorch import NeuralNetClassifier

from hpt_helpers.classroom import plots
from hpt_helpers.classroom.exercises import lesson_01 as ex
from hpt_helpers.data import load_splits, wilson_interval
from hpt_helpers.landscape import landscape
from hpt_helpers.model import SimpleNN
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.population import Population, fit_many, rounding_sensitivity
from hpt_helpers.progress import progress_bar
from hpt_helpers.search import run, run_many
from hpt_helpers.strategies import grid_search
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, ties

# %% [markdown]
# The search space has three axes (hyperparameters) of two values. `SEED` fixes the initial weights and the shuffling of
# one training; `SEEDS` are for twenty repeats.

# %%
GRID = {"lr": [0.01, 0.001], "batch_size": [16, 32], "epochs": [50, 100]}
SEED, SEEDS = 0, range(20)
pd.options.display.precision, pd.options.display.width = 3, 120

splits = load_splits("iris")
n_train, n_val = len(splits.y_train), len(splits.y_val)
print(f"{n_train} rows for training, {n_val} for validation, {splits.n_features} features")


def mean_and_error(values):
    """Return the mean and its standard error, as text."""
    return f"{values.mean():.2f} ± {values.std(ddof=1) / len(values) ** 0.5:.2f}"

# %% [markdown]
# ## The problem
#
# A network with one hidden layer learns to tell three species of iris apart. The **objective** is the validation loss
# (cross-entropy, in nats) at the last epoch. Accuracy is reported beside it; on 30 rows it moves in steps of 1/30, too
# coarse to choose by.
#
# **Predict:** how far do untuned settings get, compared with always naming the most frequent class?

# %%
majority = splits.y_train.bincount().argmax()
untuned = fit({"lr": 0.001, "batch_size": 32}, splits, n_epochs=50, seed=SEED)
print(f"most frequent class: accuracy {(splits.y_val == majority).double().mean():.3f}")
last_accuracy, last_loss = untuned.val_accuracy[-1], untuned.val_loss[-1]
print(f"untuned network:     accuracy {last_accuracy:.3f}, loss {last_loss:.3f}")
n_epochs = sum(config["epochs"] for config in ParameterGrid(GRID))
print(f"the grid: {len(ParameterGrid(GRID))} trials, {n_epochs} epochs")

# %% [markdown]
# A search should beat both.
#
# ## The landscape
#
# A search sees only its own trials. Here we see everything first: 13 learning rates, 3 batch sizes and 20 seeds at
# every epoch. Crosses mark the grid.
#
# **Predict:** as training gets longer, does the best learning rate rise or fall? How much of the map shares the best
# accuracy?

# %% tags=["readme-picture"]
LRS = [float(f"{10 ** (k / 4):.2g}") for k in range(-16, -3)]
BATCHES = [16, 32, 64]
configs = [{"lr": lr, "batch_size": b} for b in BATCHES for lr in LRS]
truth = landscape(configs, splits, n_epochs=100, seeds=SEEDS, progress=True)
shape = len(BATCHES), len(LRS), len(SEEDS), 100  # the last axis: epochs
loss, accuracy = truth.val_loss.reshape(shape), truth.val_accuracy.reshape(shape)

drawn = np.arange(10, 101, 10)  # the epochs to draw, for batch size 32
mean_loss, one_accuracy = loss[1].mean(axis=1).T[drawn - 1], accuracy[1, :, SEED].T[drawn - 1]
surface = {"x": LRS, "y": drawn, "x_label": "learning rate", "y_label": "epochs", "log_x": True}
crosses = [(lr, epochs) for lr in GRID["lr"] for epochs in GRID["epochs"]]
fig, (left, right) = plt.subplots(1, 2, figsize=(10.5, 3.8), layout="constrained")
title = "Batch size 32: mean of 20 seeds"
plots.heat_map(mean_loss, **surface, log_values=True, mark=crosses, title=title, ax=left)
title, label = "Batch size 32: one seed", "validation accuracy"
plots.heat_map(one_accuracy, **surface, value_label=label, title=title, ax=right)
for row in (0, 1, 4, 9):
    print(f"epoch {drawn[row]}: best learning rate {LRS[mean_loss[row].argmin()]:g}")
n_cells, highest = one_accuracy.size, one_accuracy.max()
n_best = (one_accuracy == highest).sum()
print(f"{n_best} of the {n_cells} cells on the right share the best accuracy, {highest:.3f}")

# %% [markdown]
# The loss has a slanted valley: the longer the training, the smaller the best learning rate. The accuracy has a plateau
# on which dozens of settings score exactly the same.

# %% [markdown]
# ## By hand
#
# Three nested loops are a grid search. Look for rows of equal accuracy.

# %%
rows = []
for batch_size in GRID["batch_size"]:
    for epochs in GRID["epochs"]:
        for lr in GRID["lr"]:
            curve = fit({"lr": lr, "batch_size": batch_size}, splits, n_epochs=epochs, seed=SEED)
            rows.append((lr, batch_size, epochs, curve.val_loss[-1], curve.val_accuracy[-1]))
by_hand = pd.DataFrame(rows, columns=["lr", "batch_size", "epochs", "val_loss", "val_accuracy"])
by_hand

# %% [markdown]
# ## With the library
#
# Several rows share the best accuracy. scikit-learn's `ParameterGrid` replaces the loops. In this course a strategy
# asks for trials, and `run` trains them and keeps the record. Both ways must agree.

# %%
trials = run(grid_search(ParameterGrid(GRID)), TrainingObjective(splits), seed=SEED)
columns = ["lr", "batch_size", "epochs", "val_accuracy"]
assert trials[columns].equals(by_hand[columns].rename_axis("trial"))
assert np.allclose(trials["val_loss"], by_hand["val_loss"], rtol=0, atol=1e-9)
print(f"the same {len(trials)} results, {trials['n_epochs'].sum()} epochs")

# %% [markdown]
# ## Reading the result
#
# Where several share the best accuracy, we list all and choose by a stated rule: **the lower loss, then the cheaper**.

# %%
best = ties(trials, "val_accuracy")
print(f"{len(best)} of {len(trials)} tie; the rule chooses {config_of(best, incumbent(best))}")
best.sort_values(["val_loss", "epochs"])[["lr", "batch_size", "epochs", "val_loss", "val_accuracy"]]

# %% [markdown]
# A script that keeps only the first of them reports the order of its loops. The winner also lies on the **boundary** of
# the grid: an axis of two values has no inside.

# %% [markdown]
# ## How sure are we?
#
# The same search under twenty training seeds. `truth` answers from the landscape's stored curves: nothing is trained.
#
# **Predict:** does the same configuration win every time? How wide is the 95 % interval of an accuracy on 30 rows?

# %%
def searches(grid):
    return run_many([grid_search(ParameterGrid(grid)) for _ in SEEDS], truth, seeds=SEEDS)


repeats = searches(GRID)
n_ties = [len(ties(table, "val_accuracy")) for table in repeats]
fewest, most = min(n_ties), max(n_ties)
print(f"share the best accuracy: {np.mean(n_ties):.2f} of 8 on average, {fewest} to {most}")
n_right = round(trials["val_accuracy"].max() * len(splits.y_val))
print("best accuracy:", wilson_interval(n_right, len(splits.y_val)))
winners = pd.DataFrame([config_of(table, incumbent(table)) for table in repeats])
winners.groupby(["lr", "batch_size", "epochs"]).size().rename("wins").reset_index()

# %% [markdown]
# With so wide an interval, accuracy hardly tells two of these configurations apart. By the loss, the learning rate is
# settled; which batch size wins is a matter of the seed.
#
# ## Boundary and ridge
#
# **Predict:** with a larger learning rate, does the winner leave the boundary? Is the best learning rate the same for
# each batch size?

# %%
for lrs in ([0.001, 0.01], [0.001, 0.01, 0.1]):
    chosen_lrs = [table.at[incumbent(table), "lr"] for table in searches(GRID | {"lr": lrs})]
    n = sum(lr in (lrs[0], lrs[-1]) for lr in chosen_lrs)
    print(f"learning rates {lrs}: the winner's is on the boundary in {n} of {len(SEEDS)} seeds")

final = loss[..., -1].swapaxes(1, 2)  # batch sizes × seeds × learning rates
means = final.mean(axis=1)
names = [f"batch size {b}" for b in BATCHES]
title = "After 100 epochs: median and quartiles of 20 seeds"
plots.response(truth.table(100), by="batch_size", title=title)
for name, by_lr in zip(names, means, strict=True):
    print(f"{name}: best learning rate {LRS[by_lr.argmin()]:g}, mean loss {by_lr.min():.3f}")
for lr in (0.0032, 0.018):
    print(f"at learning rate {lr:g} the best is {names[means[:, LRS.index(lr)].argmin()]}")

# %% [markdown]
# With a larger learning rate, the winner's lies inside. Larger batches make fewer steps in an epoch, so each step should
# be larger: the best settings form a slanted **ridge**. At a small learning rate the small batch wins, at a large one
# the large batch; each at its own best, they are alike. Never compare batch sizes at one fixed learning rate.

# %% [markdown]
# ## Autopsy of a naive script
#
# A script of a common kind:
#
# ```python
# results = []                                      # in a cell of its own
# for params in ParameterGrid(grid):                # epochs are an axis
#     model = train(params, X_train, y_train)       # no seed, no scaling
#     results.append((params, accuracy(model, X_test, y_test)))
# print(max(results, key=lambda result: result[1]))
# ```
#
# **Predict** which of its faults costs most. We measure five, one at a time.
#
# ### Fault 1: chosen on the test set
#
# The best of eight test scores is partly luck. Its **optimism** is that score minus the score of the same configuration
# on rows that had no part in the choice. We take 200 random splits, each with its own training seed; ties are averaged.

# %%
def optimism(networks, checkpoints, n_splits):
    """Return the optimism of choosing by test accuracy, in percentage points: shape (n_splits,)."""
    parts = [load_splits("iris", seed=seed) for seed in range(n_splits)]
    part_of, configs = zip(*product(parts, networks), strict=True)  # every network on every split
    population = Population(configs, part_of, seed=[part.seed for part in part_of])
    # accuracies: on the test rows, by which the script chooses, and on the validation rows
    test, unused = [], []
    for epoch in progress_bar(checkpoints, progress=True):
        population.train_to(epoch)
        scores = [part.autopsy_scores([population.model(i)]) for i, part in enumerate(part_of)]
        test.append(np.reshape(scores, (n_splits, -1)))
        unused.append(population.curves().val_accuracy[:, -1].reshape(n_splits, -1))
    test, unused = np.hstack(test), np.hstack(unused)  # splits × candidates
    chosen = test == test.max(axis=1, keepdims=True)  # all that tie
    return (100 * (test - unused)).mean(axis=1, where=chosen)


networks = list(ParameterGrid({"lr": GRID["lr"], "batch_size": GRID["batch_size"]}))
of_8 = optimism(networks, GRID["epochs"], 200)
print(f"8 candidates, 200 splits: optimism {mean_and_error(of_8)} percentage points")
print(f"standard deviation from split to split: {of_8.std(ddof=1):.1f} percentage points")

# %% [markdown]
# The ± is a standard error. The chosen score is too high on average; from split to split it varies far more, so one run
# shows nothing.
#
# **Predict:** and with 56 candidates?

# %%
lrs = [float(f"{lr:.2g}") for lr in np.geomspace(0.001, 0.1, 7)]
more = [{"lr": lr, "batch_size": b} for lr in lrs for b in (16, 32)]
of_56 = optimism(more, [25, 50, 75, 100], 60)
print(f"8 candidates, the same 60 splits: {mean_and_error(of_8[:60])} points")
print(f"56 candidates, 60 splits:         {mean_and_error(of_56)} points")
print(f"difference, split by split:       {mean_and_error(of_56 - of_8[:60])} points")

# %% [markdown]
# The more you try, the luckier the best looks. **Repair:** choose on validation rows; open the test rows once.
#
# ### Fault 2: no seed
#
# Without a seed, each run is another draw, like our twenty. Compare one trial's spread with the gap between the two
# best.

# %%
lists = {tuple(sorted(ties(table, "val_accuracy").index)) for table in repeats}
n_lists, n_runs = len(lists), len(repeats)
losses = np.array([table["val_loss"] for table in repeats])
first, second = np.sort(losses.mean(axis=0))[:2]
print(f"which trials tie for the best accuracy: {n_lists} different answers in {n_runs} runs")
spread = np.median(losses.std(axis=0, ddof=1))
print(f"one trial's loss varies over seeds with a standard deviation of {spread:.3f}")
print(f"the mean losses of the two best trials differ by {second - first:.3f}")

# %% [markdown]
# The seed moves a loss far more than the choice between the two best does. **Repair:** set a seed, so that others get
# your numbers; repeat with several, to know what they are worth.
#
# ### Fault 3: epochs as an axis
#
# A training of 100 epochs begins with the training of 50. **Predict:** how many of the grid's epochs are spent on
# curves it already has?

# %%
def going_on():
    # a strategy yields lists of (configuration, epochs); run goes on where a network stopped
    for n_epochs in GRID["epochs"]:
        yield [(network, n_epochs) for network in networks]


once = run(going_on(), TrainingObjective(splits), seed=SEED)
assert np.allclose(sorted(once["val_loss"]), sorted(trials["val_loss"]), rtol=0, atol=1e-9)
as_axis, at_once = trials["n_epochs"].sum(), once["charged_epochs"].sum()
print(f"epochs as an axis: {as_axis} epochs; going on from 50: {at_once}")

# %% [markdown]
# The same eight results for less. **Repair:** train once and read the curve (unless a learning-rate schedule
# depends on the epochs).
#
# ### Fault 4: features as they came
#
# Wine's features have very different scales; iris has only centimetres. **Predict** where scaling matters. We compare
# the winner's validation accuracy on twenty splits, each with its own seed.

# %%
def winners_accuracy(name, scaled):
    """Return each split's accuracy of the network with the lowest loss: shape (n_splits,)."""
    parts = [load_splits(name, seed=seed, scaled=scaled) for seed in SEEDS]
    part_of, configs = zip(*product(parts, networks), strict=True)
    curves = fit_many(configs, part_of, n_epochs=100, seed=[part.seed for part in part_of])
    last_loss = curves.val_loss[:, -1].reshape(len(parts), -1)
    last_accuracy = curves.val_accuracy[:, -1].reshape(len(parts), -1)
    return last_accuracy[np.arange(len(parts)), last_loss.argmin(axis=1)]


for name in ("iris", "wine"):
    gain = 100 * (winners_accuracy(name, True) - winners_accuracy(name, False))
    verdict = "helps" if gain.mean() > 2 * gain.std(ddof=1) / len(gain) ** 0.5 else "does not help"
    change = mean_and_error(gain)
    print(f"{name}: scaling changes the accuracy by {change} percentage points: it {verdict}")

# %% [markdown]
# It matters on wine; on iris unscaled features do no harm, if anything the opposite. **Repair:** scale, with the
# training rows' statistics only.
#
# ### Fault 5: results that outlive their cell
#
# **Predict** what the list holds after the loop's cell was run twice.

# %%
cell = "results += [params for params in ParameterGrid(GRID)]"
notebook = {"results": [], "ParameterGrid": ParameterGrid, "GRID": GRID}
for n_runs in (1, 2):
    exec(cell, notebook)
    print(f"after {n_runs} run(s) of the cell: {len(notebook['results'])} results")

# %% [markdown]
# Every trial now counts twice. **Repair:** create the list in the cell that fills it.

# %% [markdown]
# ## Where it fails
#
# Two grids of eight learning rates from 0.0001 to 0.1: evenly spaced, and evenly spaced in the logarithm. **Predict:**
# how many points has each below 0.01?

# %%
spacings = {"linear": np.linspace(1e-4, 0.1, 8), "logarithmic": np.geomspace(1e-4, 0.1, 8)}
lowest = {}
for name, lrs in spacings.items():
    configs = [{"lr": lr, "batch_size": 16} for lr in lrs.tolist()]
    last = landscape(configs, splits, n_epochs=100, seeds=SEEDS, progress=True).val_loss[:, :, -1]
    lowest[name] = last.min(axis=0)
    n_below, mean = sum(lrs < 0.01), lowest[name].mean()
    place = lrs[last.mean(axis=1).argmin()]
    print(f"{name}: {n_below} of 8 points below 0.01, loss {mean:.3f}, best point {place:.4f}")
n_wins = sum(lowest["logarithmic"] < lowest["linear"])
print(f"the logarithmic grid wins in {n_wins} of {len(SEEDS)} seeds")

# %% [markdown]
# The linear grid spends its points where the loss is high, and jumps over the valley. What acts by its ratio, as a
# learning rate does, belongs on a logarithmic axis.

# %% [markdown]
# ## In practice
#
# skorch wraps a float64 network for scikit-learn's `GridSearchCV`. In a `Pipeline` the scaler is fitted inside each fold, on
# its training rows. Here it is an axis of the grid too, with "passthrough" for none. The data are wine, unscaled.

# %%
raw = load_splits("wine", scaled=False)
X, y = torch.cat([raw.X_train, raw.X_val]).numpy(), torch.cat([raw.y_train, raw.y_val]).numpy()
torch.manual_seed(SEED)  # skorch draws from torch's global generator
network = NeuralNetClassifier(
    SimpleNN, module__input_size=raw.n_features, module__num_classes=raw.n_classes,
    criterion=torch.nn.CrossEntropyLoss, optimizer=torch.optim.Adam, max_epochs=15,
    iterator_train__shuffle=True, train_split=None, verbose=0,
)
pipeline = Pipeline([("scale", StandardScaler()), ("net", network)])
axes = {
    "scale": [StandardScaler(), "passthrough"],
    "net__lr": GRID["lr"],
    "net__batch_size": GRID["batch_size"],
}
folds = StratifiedKFold(3, shuffle=True, random_state=SEED)
search = GridSearchCV(pipeline, axes, cv=folds, scoring="neg_log_loss", refit=False).fit(X, y)
table = pd.DataFrame(search.cv_results_).sort_values("rank_test_score")
settings = [f"param_{name}" for name in axes]
table[[*settings, "mean_test_score", "std_test_score"]]

# %% [markdown]
# `cv_results_` has a row for each candidate; "test" means the fold held out, so these are validation scores.
# scikit-learn maximises, hence the negative loss. Every setting does better with scaling. Read `std_test_score`, the
# spread over folds, before you trust a rank.

# %% [markdown]
# ## The test score, once
#
# We train the landscape's best configuration (the lowest mean validation loss over twenty seeds), and open the test
# rows.

# %%
chosen = truth.best(100)
model = fit(chosen, splits, n_epochs=100, seed=SEED).model
print(chosen)
print("test accuracy:", splits.final_score(model))

# %% [markdown]
# Report it with its interval.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# **1.** Write `winner(trials)`. Each trial is a dict with `val_accuracy`, `val_loss` and `epochs`. Return the position
# (0 for the first) of the trial with the highest accuracy; where that ties, the lowest loss; where that ties too, the
# fewest epochs.

# %%
def winner(trials):
    return ...


ex.q1.check(winner)

# %% [markdown]
# **2.** A grid of learning rates 0.0001, 0.001, 0.01 and batch sizes 16, 32, 64 is run on new data. Learning rate 0.01
# with batch size 16 wins. What follows?
#
# - **a** Batches of 16 are best for these data.
# - **b** Nothing yet about batch sizes: first extend the grid to larger learning rates.
# - **c** Refine the grid around the winner.
#
# Because:
#
# - **1** larger batches make fewer steps, and their best learning rate may lie beyond the edge.
# - **2** every combination was tried.
# - **3** small batches generalise better.

# %%
answer_2 = ...  # a letter and a number in quotes, such as "a1"

ex.q2.check(answer_2)

# %% [markdown]
# **3.** Repair `report(trials)`: it should return the learning rate chosen and the score to report. One fault concerns
# the choice, one the score, and one shows when the first trial diverged (its `val_loss` is nan).

# %%
def report(trials):
    best = trials[0]
    for trial in trials:
        if trial["test_accuracy"] > best["test_accuracy"]:
            best = trial
    return best["lr"], max(trial["test_accuracy"] for trial in trials)


ex.q3.check(report)

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - **Ties.** On few rows many trials tie. State a rule: the lower loss, then the cheaper.
# - **Boundary.** A winner on the edge of an axis says: move the grid.
# - **Ridge.** The best learning rate depends on batch size and epochs: compare each at its own best.
# - **Spacing.** Learning rates belong on a logarithmic axis.
# - **Test rows.** Choosing by them makes the score too high, more so with every candidate.
# - **Seeds.** Repeat over training seeds before you believe a difference.
# - **Epochs** are no axis: one curve holds them all.
#
# </div>
#
# **Next:** [Random search](02_random_search.ipynb), which needs no list of values.

# %% [markdown]
# ## Going further
#
# Optional: three short studies and one more exercise.
#
# ### How a grid grows
#
# **Predict:** with a budget of 64 trials, how many values can each of six hyperparameters have? The last column:
# how many times larger than its neighbour each learning rate from 0.0001 to 0.1 is.

# %%
growth = []
for n_axes in range(1, 7):
    n_points = max(n for n in range(1, 65) if n**n_axes <= 64)
    gap = 3 / (n_points - 1)  # in powers of ten: 0.0001 to 0.1 spans three
    growth.append((n_axes, n_points, n_points**n_axes, f"{10**gap:.4g}"))
columns = ["axes", "values per axis", "trials", "ratio of neighbouring learning rates"]
pd.DataFrame(growth, columns=columns)

# %% [markdown]
# With two values an axis is all boundary, and neighbours are as far apart as the whole range. The next lesson shows a
# way out.
#
# ### Nested and plain cross-validation
#
# Plain cross-validation reports the score by which the winner was chosen. Nested cross-validation chooses again inside
# each training fold, so that the outer fold has no part in the choice. First two helpers: folds, scaled with their
# training rows, and the scores on them.

# %%
def scaled_folds(X, y, n_folds, like):
    """Return a Splits for each stratified fold of these rows; the fold is its validation part."""
    folds = []
    for train, val in StratifiedKFold(n_folds, shuffle=True, random_state=like.seed).split(X, y):
        centre, scale = X[train].mean(dim=0), X[train].std(dim=0, correction=0)
        parts = {"X_train": (X[train] - centre) / scale, "X_val": (X[val] - centre) / scale}
        folds.append(replace(like, **parts, y_train=y[train], y_val=y[val]))
    return folds


def fold_scores(folds):
    """Return the validation accuracy of 8 candidates on each fold: shape (n_folds, 8)."""
    fold_of, configs = zip(*product(folds, networks), strict=True)
    seeds = [fold.seed for fold in fold_of]
    curves = fit_many(configs, fold_of, n_epochs=50, seed=seeds, progress=True)
    # 4 networks, each after 25 and after 50 epochs
    return curves.val_accuracy[:, [24, 49]].reshape(len(folds), -1)

# %% [markdown]
# Then thirty repeats, each with its own rows, folds and training seed: four outer folds, three inner folds in each.
# **Predict:** by how many points is the plain score too high?

# %%
outer, inner = [], []
for seed in range(30):
    raw = load_splits("iris", seed=seed, scaled=False)
    X, y = torch.cat([raw.X_train, raw.X_val]), torch.cat([raw.y_train, raw.y_val])
    outer += scaled_folds(X, y, 4, raw)
    for train, _ in StratifiedKFold(4, shuffle=True, random_state=seed).split(X, y):
        inner += scaled_folds(X[train], y[train], 3, raw)
outer_scores = fold_scores(outer).reshape(30, 4, 8)
choice = fold_scores(inner).reshape(30, 4, 3, 8).mean(axis=2).argmax(axis=2)
plain = outer_scores.mean(axis=1).max(axis=1)
nested = np.take_along_axis(outer_scores, choice[:, :, None], axis=2).mean(axis=(1, 2))
gap = 100 * (plain - nested)
error = gap.std(ddof=1) / len(gap) ** 0.5
verdict = "detectable" if abs(gap.mean()) > 2 * error else "not detectable"
print(f"plain minus nested: {mean_and_error(gap)} percentage points, {verdict} in 30 repeats")

# %% [markdown]
# The gap is small against the optimism of the naive script: each candidate is scored on every row once, so that less
# luck is left to choose from. With a handful of candidates plain cross-validation deceives little; with hundreds, nest
# it: optimism grows with their number.
#
# ### When the same seed stops meaning the same result
#
# `rounding_sensitivity` trains twice, the second time from weights nudged by 1e-15, the size of a rounding error.
# Another processor rounds differently, so this shows whose numbers it would repeat. Two learning rates on digits: the
# course's upper bound there, and ten times that.

# %%
digits = load_splits("digits")
moved = {}
for lr in (digits.max_lr, 10 * digits.max_lr):
    config = {"lr": lr, "batch_size": 16}
    difference = rounding_sensitivity(config, digits, n_epochs=30, seed=SEED)
    moved[f"learning rate {lr:g}"] = difference
title = "Difference between two trainings that differ by a rounding error"
ax = plots.learning_curves(moved, title=title)
ax.set(yscale="log", ylabel="difference in validation loss (nats)")
for name, difference in moved.items():
    tame, wild = difference.max() < 1e-9, difference.max() > 0.01
    print(f"{name}: always below 1e-9: {tame}; at some epoch above 0.01: {wild}")

# %% [markdown]
# The tame training forgets the nudge; the wild one multiplies it with each step, until the two have nothing in common
# but their seed. A winner found there cannot be repeated on another machine. The course's learning rates keep below
# such bounds.

# %% [markdown]
# ### One more exercise
#
# **4.** On 30 validation rows an accuracy of 0.9 has a wide Wilson interval. How many rows would make the interval ten
# times narrower at the same accuracy? (Within 200 rows.)

# %%
answer_4 = ...

ex.q4.check(answer_4)

# %% [markdown]
# How far did you get?

# %%
ex.progress()

# %% [markdown]
# Exercises you solved stay solved until the kernel restarts.
#
# **Further reading**
#
# - G. C. Cawley and N. L. C. Talbot (2010). On over-fitting in model selection and subsequent selection bias in
#   performance evaluation. *Journal of Machine Learning Research* 11.
# - X. Bouthillier et al. (2021). Accounting for variance in machine learning benchmarks. *Proceedings of Machine
#   Learning and Systems* 3.
