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
# One training takes two hours. Three learning rates, three batch sizes and three lengths of training make 27
# combinations: more than two days of a machine, and at the end a script prints one line, the winner. A colleague runs
# the same script, and it prints another one.
#
# **What may you believe of a grid's winner, and what do the usual mistakes cost?** Here a training takes a moment, so
# we can run the whole search again and again, and see.
#
# **Time:** core path 60 minutes, going further 24 minutes. **Builds on:** [Start here](00_start_here.ipynb). Words:
# [glossary](../docs/glossary.md).
#
# ## What a grid search is
#
# You list a few values of each hyperparameter, and train every combination. A combination is a **configuration**, a
# training of it a **trial**.

# %%
from sklearn.model_selection import ParameterGrid

from hpt_helpers.classroom import diagrams
from hpt_helpers.strategies import grid_search

GRID = {
    "lr": [0.001, 0.01],
    "batch_size": [16, 32],
    "epochs": [50, 100],
}
strategy = grid_search(ParameterGrid(GRID))
diagrams.search_loop(strategy)

# %% [markdown]
# `ParameterGrid` is scikit-learn's list of all combinations; `lr` is the learning rate. The data are 150 iris flowers,
# four measurements each, of three species.

# %%
from hpt_helpers.data import load_splits

splits = load_splits("iris")
diagrams.rows(splits)

# %% [markdown]
# ## One trial
#
# The network has one hidden layer. Training minimises the **cross-entropy**: minus the logarithm of the probability
# given to the right species, averaged over the rows and counted in **nats** (units of the natural logarithm). 0 is
# perfect; guessing among three species scores 1.10. Accuracy counts right answers only; the loss also says how sure
# they were.
#
# Which rows train and which validate is a **draw**. Ours was not picked by eye: draws 0 to 19 were put in order of how
# low a validation loss they allow, and the tenth was taken (`hpt_helpers.classroom.draws` does it again).

# %%
import torch
from torch.nn.functional import cross_entropy

from hpt_helpers.model import SimpleNN
from hpt_helpers.training import evaluate

X, y = splits.X_train, splits.y_train
first = torch.Generator().manual_seed(0)
shuffles = torch.Generator().manual_seed(1)
model = SimpleNN(splits.n_features, splits.n_classes, generator=first)
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(50):
    for batch in torch.randperm(len(y), generator=shuffles).split(16):
        loss = cross_entropy(model(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
val_loss, accuracy = evaluate(model, splits.X_val, splits.y_val)

# %% [markdown]
# One generator drew the first weights, one the batches. From here on `fit` does this; its `seed` (0 if not given)
# makes both.

# %%
from hpt_helpers.training import fit

config = {"lr": 0.01, "batch_size": 16}
curve = fit(config, splits, n_epochs=50, seed=0)
assert abs(curve.val_loss[-1] - val_loss) < 1e-9
print(f"validation loss {val_loss:.3f} nats, accuracy {accuracy:.3f}")
diagrams.network(curve.model, splits)

# %% [markdown]
# ## The search by hand
#
# Three loops are a grid search.

# %%
import pandas as pd

found = []
for batch_size in GRID["batch_size"]:
    for epochs in GRID["epochs"]:
        for lr in GRID["lr"]:
            config = {"lr": lr, "batch_size": batch_size}
            curve = fit(config, splits, n_epochs=epochs)
            found.append((lr, batch_size, epochs, curve.val_loss[-1]))
columns = ["lr", "batch_size", "epochs", "val_loss"]
by_hand = pd.DataFrame(found, columns=columns)

# %% [markdown]
# `run` does the same with a record of every trial: a **strategy** asks, an **objective** trains, and the answers become
# the **trial table**. `same_trials` compares two such tables.

# %%
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.trials import same_trials

strategy = grid_search(ParameterGrid(GRID))  # a new one: each serves once
trials = run(strategy, TrainingObjective(splits))
assert same_trials(trials, by_hand)
trials[[*columns, "val_accuracy"]].round(3)

# %% [markdown]
# ## Which of the eight won?
#
# Look at the accuracies: several trials share the highest. A script that keeps the first of them reports the order of
# its loops. So state a **rule**. In this course the lowest loss wins, whatever the accuracies; on equal loss, the fewer
# epochs. (Exercise 1 has another rule: accuracy first.)
#
# The same search again on other rows: a **repeat** draws training and validation rows anew and takes a new training
# seed. The test rows stay sealed.
#
# **Predict:** in how many of 20 repeats do trials tie for the best accuracy? And by the rule, does the same
# configuration win in most?

# %%
from hpt_helpers.classroom.studies import lesson_01 as studies

won = studies.winners(GRID, "iris", repeats=range(20))
n_shared = (won["n_tied"] > 1).sum()
print(f"the best accuracy is shared in {n_shared} of {len(won)} repeats")
configuration = ["lr", "batch_size", "epochs"]
won.groupby(configuration).size().reset_index(name="wins")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Most repeats tie. By the rule the learning rate is the same every time; the rest of the winner is up to the rows and
# the seed: no configuration wins half of them. **So:** have a rule, and believe of a winner only what repeats confirm.
#
# </details>
#
# ## What does the search not see?
#
# Eight trials are eight points of a map. Here is more of it, for batches of 32: 13 learning rates at every tenth epoch,
# the mean of 40 repeats. Crosses are the search's four trials with that batch size, rings the lowest cells.
#
# **Predict:** with longer training, does the best learning rate rise or fall?

# %% tags=["readme-picture"]
import numpy as np

from hpt_helpers.classroom import plots

networks = ParameterGrid({
    "lr": np.geomspace(0.0001, 0.1, 13).round(5),
    "batch_size": [16, 32, 64],
})
truth = studies.repeated_landscape(networks, "iris", 100, repeats=range(40))
every_tenth = truth.table(range(10, 101, 10))
of_32 = every_tenth.query("batch_size == 32")
plots.maps(of_32, y="epochs", mark=ParameterGrid(GRID))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It falls: the valley is slanted, since small steps need more of them. Right of the valley the loss rises and the error
# hardly does: a network too sure of its mistakes pays for it in loss, and accuracy does not see that.
# **So:** search by the loss, report the accuracy, and do not carry a learning rate over to another length of training.
#
# </details>
#
# ## The winner lies on the edge. What now?
#
# In every repeat 0.01 won, the largest rate of the grid. At work you have no map: the minimum may lie beyond, so you
# **extend** the axis; and its values are far apart, so you **refine** it, below or everywhere. We search each grid in
# 20 repeats, and judge each winner **fresh**: by its mean loss on ten other draws, under ten seeds, which did not
# choose it and judge no other repeat.
#
# - `as_searched`: the winners' mean loss where they won; `fresh`: on the draws that judge;
# - `top_lr_wins`: in how many repeats the grid's highest rate won;
# - `fresh_of_5`: fresh, where a trial's loss is the mean over five draws.
#
# **Predict:** with more trials the loss as searched cannot rise. Can the fresh one?

# %%
below = [0.001, 0.0032, 0.0056, 0.01]
refined = [*below, 0.018, 0.032, 0.1]
grids = {
    "given": GRID,
    "extended": GRID | {"lr": [0.001, 0.01, 0.1]},
    "refined below": GRID | {"lr": below},
    "extended and refined": GRID | {"lr": refined},
}
studies.grids_judged_fresh(grids, "iris", n_mean=5).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It rises for the two grids that reach 0.1, not for more trials below. A high rate is a little better in some repeats
# and far worse in the others: a search that sees one draw of the rows picks it where it is lucky. Where a trial's loss
# is the mean over five draws, extending does far less harm, here next to none; nor is there much to gain here, as 0.01
# is at or next to the map's lowest cell. **So:** extend and refine, for you cannot know beforehand; but let several
# draws choose before you believe a winner at a high rate.
#
# </details>
#
# ## Is a batch of 16 better than one of 64?
#
# Small batches make more steps in an epoch; perhaps a large batch only needs larger ones. Move the slider: how does the
# loss depend on both? (A line is the median of 40 repeats, a band their middle half.)

# %%
from hpt_helpers.classroom.slider import Slider


def draw(epoch):
    table = truth.table(epoch)
    return plots.response(table, by="batch_size")


Slider(draw, [5, 10, 25, 50], label="epochs", start=5)

# %% [markdown]
# **Predict:** after 100 epochs, does a larger batch have a larger best rate? And in how many of 40 repeats does 16 beat
# 64 when both have the small rate 0.003, or both the large rate 0.03?

# %%
from IPython.display import display

after = {16: 100, 32: 100, 64: 100}
display(studies.best_rates(truth, after).round(4))
rates = [0.00316, 0.03162]
studies.duels(truth, rates, 16, 64, epoch=100)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Each at its own best rate, the three differ little. The best rate of 64 lies one value above that of 16; the duels
# show the direction more surely: the good settings form a **ridge**, a slanted line on a map of the two. At the small
# rate 16 wins every time, as its 90 rows make 6 steps an epoch against 2; at the large one 64 wins mostly: it depends
# on rows and seed. **So:** compare batch sizes each at its own best learning rate.
#
# </details>
#
# ## Which luck is larger?
#
# You and your colleague train the very same configuration and report different losses. Two things may differ: the
# **training seed**, and **which rows** train and judge. We take 20 draws of the rows, under 20 seeds each. A dot is a
# standard deviation of the loss: of one draw over the seeds, or of one seed over the draws.
#
# **Predict:** which of the two moves the loss more, and by what factor?

# %%
config = {"lr": 0.01, "batch_size": 32}
luck = studies.luck(config, "iris", n_epochs=100)
plots.spread(luck)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The rows, here by several times in the median (black bars). Repeating only with other seeds leaves the larger part
# unseen. **So:** draw the rows anew as well, or use cross-validation.
#
# </details>

# %% [markdown]
# ## Autopsy of a naive script
#
# ```python
# for params in ParameterGrid(grid):                # epochs are an axis
#     model = train(params, X_train, y_train)       # no seed
#     results.append((params, accuracy(model, X_test, y_test)))
# print(max(results, key=lambda result: result[1]))
# ```
#
# ### Fault 1: chosen on the test rows
#
# The highest test score belongs to a good configuration or to a lucky one. Its **optimism** is that score minus the
# accuracy of the same configuration on the validation rows, which had no part in this choice, in percentage points
# (where several tie, their mean). We try 1, 8 or all of 56 candidates, drawn anew on each of 150 splits (other splits
# than ours, whose test score stays unseen).
#
# **Predict:** the mean optimism of the best of 56?

# %%
candidates = ParameterGrid({"lr": refined, "batch_size": [16, 32]})
checkpoints = [25, 50, 75, 100]
scores = studies.naive_scores(candidates, checkpoints, n_splits=150)
table = studies.optimism(scores, n_tried=[1, 8, 56])
by_number = table.groupby("n_tried")["optimism"]
display(by_number.agg(["mean", "sem", "std"]).round(2))
plots.histogram(by_number.get_group(56), reference=0)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# One candidate is not scored too high; the best of many is, and more so the more were tried. From split to split it
# varies (`std`) by more than its mean, so no single run shows the fault; `sem` is how well the mean is known, for
# splits of these flowers. **So:** choose on validation rows, and open the test rows once.
#
# </details>
#
# ### Fault 2: no seed
#
# Two runs of our eight-trial search without a seed, on the same rows: 20 such pairs, each with rows of its own. Say a
# trial's loss is 0.11 in one run and 0.13 in the other, and the best two of a run have 0.11 and 0.12. Then what moves
# `run_to_run` (mean over the trials with the winner's learning rate) is more than what decides, `best_to_second`, and
# the order of the best is luck.
#
# **Predict:** in how many pairs do both runs name the same winner by loss?

# %%
pairs = studies.two_runs(GRID, "iris")
n_same = pairs["same_winner"].sum()
print(f"the same winner in {n_same} of {len(pairs)} pairs")
title = "A good trial in two runs, against the best two of a run"
plots.paired(pairs, "run_to_run", "best_to_second", title=title)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In about half, here in 11. A good trial's loss mostly moves between the runs by more than what separates the best two
# of a run. A seed makes the run repeatable, not right: it keeps one ticket of the lottery. **So:** set a seed so that
# others get your numbers, and repeat, with other rows too, to know what they are worth.
#
# </details>
#
# ### Fault 3: epochs as an axis
#
# A training of 100 epochs begins with the training of 50. `run` goes on where a network stopped, and charges only what
# it trained.
#
# **Predict:** how many of the grid's epochs went into curves that it already had?

# %%
asked = trials["n_epochs"].sum()
trained = trials["charged_epochs"].sum()
print(f"asked for {asked} epochs; going on, it takes {trained}")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# 200 of 600, a third. **So:** train once, to the largest number, and read the curve (unless a learning-rate schedule
# depends on the end).
#
# </details>
#
# ### What each fault costs
#
# In one unit, percentage points of accuracy over 150 splits: how much too high the report is; how far apart the reports
# of two unseeded runs are; how much accuracy the wasted epochs would have gained, spent on a learning rate between.
#
# **Predict:** which costs most?

# %%
studies.fault_costs(GRID, n_splits=150, more_lrs=[0.0032])

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The first two are of the same order. But only the first is a bias: repeating averages the second away, never the
# first. The wasted epochs would have bought nothing here; they cost time. **So:** mend the split first.
#
# </details>
#
# ## In practice
#
# scikit-learn's `GridSearchCV` judges by **cross-validation**: every row is held out once. Scaling belongs in the
# `Pipeline`, where it is fitted inside each fold; `skorch_classifier` wraps our network for it. scikit-learn maximises,
# hence `neg_log_loss`.

# %%
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers.classroom.skorch_network import skorch_classifier

raw = load_splits("iris", scaled=False)
network = skorch_classifier(raw, n_epochs=50)
pipeline = Pipeline([("scale", StandardScaler()), ("net", network)])
axes = {"net__lr": [0.001, 0.01], "net__batch_size": [16, 32]}
search = GridSearchCV(pipeline, axes, cv=5, scoring="neg_log_loss")
search.fit(*raw.search_rows())  # training and validation rows
studies.paired_folds(search, axes).round(3)

# %% [markdown]
# All candidates share the folds, so compare them **fold by fold**: `behind` is the mean distance to the best, with
# its standard error. The small learning rate is clearly behind. Batches of 32 are behind by about two standard
# errors; with only five folds it takes nearly three (Student's t), so nothing is decided.
#
# ## The test score, once
#
# The choice: of the 39 networks behind map and slider (16 hidden units), after the grid's 100 epochs, the lowest mean
# over the 40 repeats. Now no validation rows are needed: `refit` trains on training and validation rows together.
# Then the test rows are opened.

# %%
from hpt_helpers.training import refit

chosen = truth.best(100)
model = refit(chosen, splits, n_epochs=100)
print(chosen)
print("test accuracy:", splits.final_score(model))

# %% [markdown]
# (Batches of 16 and 64 are all but level here, as the table of best rates showed: the rule decides.) Read the
# interval, not the point: with 30 rows, even all of them right agrees with a true accuracy as low as the interval's
# lower end (Wilson's, at 95 %). That is all that may be claimed of new flowers.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# **1.** Write `winner(trials)`. `trials` is a list of dicts, each with `val_accuracy`, `val_loss` and `epochs`. Return
# the position (0 for the first) of the trial with the highest accuracy; where that ties, the lowest loss; where that
# ties too, the fewest epochs.

# %%
from hpt_helpers.classroom.exercises import lesson_01 as ex


def winner(trials):
    return ...


ex.q1.check(winner)

# %% [markdown]
# **2.** A grid of learning rates 0.0001, 0.001, 0.01 and batch sizes 16, 32, 64 is run on new data. Learning rate 0.01
# with batch size 16 wins. What follows?
#
# - **a** Batches of 16 are best for these data.
# - **b** Refine the grid around the winner.
# - **c** Nothing yet about batch sizes: first extend the grid to larger learning rates.
#
# Because:
#
# - **1** every combination was tried.
# - **2** larger batches make fewer steps, and their best learning rate may lie beyond the edge.
# - **3** small batches generalise better.

# %%
answer_2 = ...  # a letter and a number in quotes, such as "a1"

ex.q2.check(answer_2)

# %% [markdown]
# **3.** Repair `report(trials)`. `trials` is a list of dicts, each with `lr`, `val_loss` and `test_accuracy`. The
# function should choose a trial and return its learning rate and the score to report. One fault concerns the choice,
# one the score. And a trial that diverged, whose `val_loss` is nan, may never be chosen, wherever in the list it
# stands.

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
# - **Ties.** On few rows trials tie in accuracy: state a rule, and search by the loss.
# - **Edge.** A winner on the edge says: extend, then refine; but repeat, or a high learning rate may win by luck.
# - **Ridge.** The best learning rate depends on batch size and epochs: compare each at its own best.
# - **Luck.** The rows move a good trial's loss more than the seed does: repeat over both.
# - **Test rows.** Choosing by them makes the score too high, more so with many candidates.
# - **Epochs** are no axis (unless a schedule depends on them): one curve holds them all.
#
# </div>
#
# **Next:** [Random search](02_random_search.ipynb), which needs no list of values.

# %% [markdown]
# ## Going further
#
# Optional studies, and one more exercise.
#
# ### Where does scaling matter?
#
# Wine's features have very different scales; iris has only centimetres. `gain` is what scaling adds to the winner's
# validation accuracy, in percentage points.
#
# **Predict:** on which of the two does it help?

# %%
grid = {"lr": [0.001, 0.01], "batch_size": [16, 32]}
gains = studies.scaling_gain(["iris", "wine"], grid)
plots.spread(gains)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It helps on wine and hurts a little on iris, here in the median by a flower of 30: features of one unit may be better
# left alone. **So:** scaling is one more choice to be searched, inside the folds.
#
# </details>
#
# ### Results that outlive their cell
#
# Say the naive script's list stands in a cell of its own. Try it: paste these two lines into two new cells below, and
# run the second one twice.
#
# ```python
# results = []
# ```
# ```python
# results += ParameterGrid(GRID); print(len(results))
# ```
#
# Each run adds eight, and every trial counts twice: every count and standard error afterwards is wrong, in silence.
# The next cell creates the list where it fills it. Run it as often as you like.

# %%
results = [*ParameterGrid(GRID)]
print(len(results), "trials")

# %% [markdown]
# ### How a grid grows
#
# **Predict:** with a budget of 64 trials, how many values can each of six hyperparameters have?

# %%
growth = pd.DataFrame({"axes": range(1, 7)})
growth["values_per_axis"] = (64 ** (1 / growth["axes"]) + 1e-9).astype(int)
# from 0.0001 to 0.1: how many times larger each learning rate is than its neighbour
growth["step"] = 1000 ** (1 / (growth["values_per_axis"] - 1))
growth.round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Two, and an axis of two values is all edge: neighbours are as far apart as the whole range (`step`). **So:** with
# 64 trials, beyond three axes, a grid spends them on corners. The next lesson shows a way out.
#
# </details>
#
# ### Linear or logarithmic?
#
# Two grids of eight learning rates (batches of 16) from 0.0001 to 0.1, evenly spaced in the logarithm or in the
# value. Both choose in 20 repeats, and ten draws of each repeat's own judge. `wins` counts the repeats in which the
# logarithmic one is lower, `ties` those in which both are equal, as where both chose the same.
#
# **Predict:** which wins after 10, 30 and 100 epochs?

# %%
spacings = {
    "logarithmic": np.geomspace(0.0001, 0.1, 8),
    "linear": np.linspace(0.0001, 0.1, 8),
}
studies.spacings(spacings, [10, 30, 100], "iris").round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It depends on the length. After 10 and 30 epochs the means are near, and neither wins clearly: the valley still lies
# at 0.01 or above, as do all but one of the linear grid's values. After 100 it has moved below, and the logarithmic one
# is clearly lower. **So:** where you do not know the place, give every power of ten the same share.
#
# </details>
#
# ### At equal steps
#
# Is the ridge only a matter of steps? Read each batch size after about 200 steps (90 rows make 6, 3 and 2 steps an
# epoch).
#
# **Predict:** are the best learning rates now alike?

# %%
studies.best_rates(truth, {16: 33, 32: 67, 64: 100}).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# A larger batch no longer has a larger best rate. **So:** the ridge comes mostly from counting epochs.
#
# </details>
#
# ### Nested cross-validation
#
# Plain cross-validation reports the score by which the winner was chosen. **Nested** cross-validation chooses anew
# inside each training fold, so that the outer fold has no part in the choice. We take the difference of the two in
# percentage points, over 20 ways of folding these flowers: with 8 candidates, and with 260.
#
# **Predict:** is plain cross-validation too high with 8? With 260?

# %%
from hpt_helpers.classroom.lab import mean_and_error

rates = np.geomspace(0.001, 0.1, 13)
few = ParameterGrid({"lr": [0.001, 0.01], "batch_size": [16, 32]})  # 4, each at 2 epochs
many = ParameterGrid({"lr": rates, "batch_size": [16, 32]})  # 26, each at 10 epochs
gaps = {
    "8 candidates": studies.nested_gap(few, [25, 50]),
    "260 candidates": studies.nested_gap(many, range(5, 51, 5)),
}
for name, gap in gaps.items():
    print("{}: {:.2f} ± {:.2f} points".format(name, *mean_and_error(gap)))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# With eight by a point or less, with hundreds here by two or three (± is the standard error over the foldings; other
# flowers would move it more; and part of the gap may be that nested chooses with fewer rows). **So:** with a handful
# of candidates plain is enough; with hundreds nest it, or keep a test part.
#
# </details>
#
# ### When the same seed stops meaning the same result
#
# `rounding_sensitivity` trains twice, the second time from weights nudged by 1e-15, the size of a rounding error: as if
# on another processor. Two learning rates on digits: the course's upper bound there, and ten times that.
#
# **Predict:** how far apart are the two trainings after 30 epochs?

# %%
from hpt_helpers.classroom.rounding import rounding_sensitivity

digits, moved = load_splits("digits"), {}
for lr in (digits.max_lr, 10 * digits.max_lr):
    config = {"lr": lr, "batch_size": 16}
    moved[f"learning rate {lr:g}"] = rounding_sensitivity(config, digits, n_epochs=30)
title = "Difference between two trainings a rounding error apart"
ax = plots.learning_curves(moved, title=title)
ax.set(yscale="log", ylabel="difference in validation loss (nats)")
for name, difference in moved.items():
    tame, wild = difference.max() < 1e-9, difference.max() > 0.01
    print(f"{name}: always below 1e-9: {tame}; at some epoch above 0.01: {wild}")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The tame training forgets the nudge; the wild one multiplies it for some epochs, until the two are plainly
# different trainings. A winner found there need not be found again on another machine. **So:** the course's learning
# rates do not exceed each data set's bound, `max_lr`.
#
# </details>
#
# ### One more exercise
#
# **4.** On 30 validation rows an accuracy of 0.9 has a wide Wilson interval. How many validation rows would make the
# interval ten times narrower at the same accuracy? (200 more or fewer are fine.)

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
