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
# One training takes two hours. You want to try three learning rates, three batch sizes and three lengths of training.
# That makes 27 combinations and more than two days of computing, after which your script prints one line, the winner.
# A colleague runs the same script and gets a different winner.
#
# Which of you is right? At work you cannot afford to find out. Here a training takes a moment, so we can run the whole
# search again and again, and see **how far you can trust a grid's winner, and what the usual mistakes cost**.
#
# **Time:** core path 55 minutes, exercises 18 minutes, going further 17 minutes. **Builds on:**
# [Start here](00_start_here.ipynb). Unknown words are in the [glossary](../docs/glossary.md).
#
# ## Does every hyperparameter need an axis?
#
# In a grid search you list a few values of each hyperparameter and train every combination. Each combination is a
# **configuration**, and training it once is a **trial**. Two values of three hyperparameters make eight trials. Three
# values of six hyperparameters would make 729, so an axis that you can spare is worth a great deal.
#
# Our data are 150 iris flowers of three species, with four measurements each.

# %%
from hpt_helpers.classroom import diagrams
from hpt_helpers.data import load_splits

splits = load_splits("iris")
diagrams.rows(splits)

# %% [markdown]
# Your table may have 50,000 rows. Ours is small on purpose, because luck is easiest to see where rows are few. A later
# study shows what changes with more of them.
#
# The network has one hidden layer of 16 units. Training lowers its **cross-entropy**. That is minus the logarithm of
# the probability given to the right species, averaged over the rows and counted in **nats**. A perfect network scores
# 0. One that gives each species a third scores the logarithm of 3, a little over 1.
#
# Here is one trial with nothing hidden. Its first weights and its shuffles come from seed 0.

# %%
import torch
from torch.nn.functional import cross_entropy

from hpt_helpers.training import evaluate, start_training

X, y = splits.X_train, splits.y_train
config = {"lr": 0.01, "batch_size": 16}
model, optimizer, shuffles = start_training(config, splits, seed=0)
for _ in range(50):
    for batch in torch.randperm(len(y), generator=shuffles).split(16):
        loss = cross_entropy(model(X[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
loss, accuracy = evaluate(model, splits.X_val, splits.y_val)
print(f"validation loss {loss:.3f} nats, accuracy {accuracy:.3f}")

# %% [markdown]
# From now on `fit` does all this, and a grid search is three loops around it.
#
# First think of what the three hyperparameters do to a single weight. The optimiser, Adam, moves each weight by about
# the learning rate at every step. With 90 training rows, an epoch has six steps in batches of 16 and three in batches
# of 32. So learning rate, batch size and epochs together decide how far a weight can travel from its random start.
#
# **Predict:** which of the eight configurations ends with the highest validation loss?

# %%
import pandas as pd

from hpt_helpers.training import fit

GRID = {"lr": [0.001, 0.01], "batch_size": [16, 32], "epochs": [50, 100]}
found = []
for lr in GRID["lr"]:
    for batch_size in GRID["batch_size"]:
        for epochs in GRID["epochs"]:
            config = {"lr": lr, "batch_size": batch_size}
            curve = fit(config, splits, n_epochs=epochs)
            scores = {"val_loss": curve.val_loss[-1], "val_accuracy": curve.val_accuracy[-1]}
            found.append(config | {"epochs": epochs} | scores)
pd.DataFrame(found).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The highest loss, 0.595, belongs to learning rate 0.001 with batches of 32 and 50 epochs, because it takes the fewest
# and the smallest steps. Its weights are still near their start. Now compare the rows numbered 0 and 3. One made 50
# epochs of six steps, the other 100 epochs of three. Both made 300 steps of the same size, and they end almost level,
# at 0.427 and 0.411.
#
# At the larger learning rate further steps no longer help. With batches of 16, twice the epochs raise the loss from
# 0.103 to 0.153. By then the network has learnt what it can. Further training mostly makes it surer, and it grows surer
# of its mistakes as well.
#
# **So:** before you give several hyperparameters an axis each, ask whether they do the same thing to the model. As
# long as more training still helps, one axis can serve for all of them. In boosted trees, the learning rate and the
# number of trees are such a pair.
#
# </details>

# %% [markdown]
# ## Which of the eight won?
#
# By accuracy, nobody did. Three trials share 0.967, because 30 rows allow only 31 different accuracies. A script that
# keeps the first of the three reports nothing but the order of its loops. So state a **rule** before you search. In
# this course the lowest validation loss wins, and on equal loss the fewer epochs. The loss also counts how sure the
# network was of each flower, and so it hardly ever ties.
#
# A rule makes the answer definite, but not yet right. The three lowest losses are 0.103, 0.114 and 0.115, and each is a
# mean over only 30 flowers. A few difficult flowers more or fewer might change their order. So we run the whole search
# 40 times. Each **repeat** draws anew which of the 120 flowers train and which validate, and it takes a new training
# seed. The flowers themselves stay the same, so what the repeats show holds for these 120.
#
# **Predict:** how many of the eight configurations win at least one of the 40 repeats?

# %%
from hpt_helpers.classroom.studies import lesson_01 as studies

trials = studies.grid_trials(GRID, repeats=range(40))
ranked = trials.sort_values(["val_loss", "epochs"])  # the rule
winners = ranked.groupby("repeat").head(1)
winners.groupby(["lr", "batch_size", "epochs"]).size().reset_index(name="wins")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Four, and they are exactly those with learning rate 0.01. The rate 0.001 never wins, because it lies too far behind
# for luck to make up. In the first table its best loss is 0.280, against 0.153 for the worst of the others. Those
# others differ little, so rows and seed decide among them, and none of them wins more than 14 of the 40 repeats.
#
# **So:** you and your colleague may both be right. Trust the part of a winner that repeats confirm, which here is the
# learning rate. What they do not confirm, with as few rows as these, you may choose by its cost.
#
# </details>

# %% [markdown]
# ## Do more rows settle it?
#
# A mean over more rows holds less luck. Ten times the rows leave about a third of it, because it shrinks with the
# square root of their number. Does that settle who wins? Iris has no more rows, so we take simulated ones, with 16
# features and four classes. The network trains on 320 of them, and 30 or 300 others validate.
#
# We search two grids of eight trials each. The one called `far apart` is the grid that you know, with learning rates
# 0.001 and 0.01. The one called `close together` has 0.001 and 0.0014 instead. Each is searched in 20 repeats.
#
# - `rows` is how many rows validate.
# - `winners` is how many configurations win at least one repeat.
# - `most_wins` is how many of the 20 repeats the most frequent winner wins.
#
# **Predict:** on which of the two grids do more rows make the repeats agree?

# %%
grids = {"far apart": GRID, "close together": GRID | {"lr": [0.001, 0.0014]}}
studies.agreement(grids, n_val=[30, 300], repeats=range(20))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On the one whose learning rates lie far apart. There one configuration wins 19 of 20 repeats with 300 rows, and 14 of
# 20 with 30. It is better than the others by more than the luck of 300 rows. On the other grid the most frequent winner
# wins 8 of 20 with 300 rows, and 9 of 20 with 30. Its best configurations are worth nearly the same. Which of them is
# ahead depends on the rows that a repeat trains on and on its seed, and more validation rows do not change those.
#
# **So:** a search is worth as much as its trials can be told apart. Two things decide that. One is how far the
# configurations differ, and the other is how much luck there is in what judges them. With many validation rows, believe
# a winner that is clearly ahead. Where the best are close, more rows help little, and it matters little which you take.
#
# </details>

# %% [markdown]
# ## The winner lies on the edge. What now?
#
# Eight trials are eight points of a surface, and a search sees nothing else of it. We are back at iris. These maps show
# the surface for batches of 32, at 13 learning rates and every tenth epoch. Each cell is a mean over 40 repeats, and
# darker is lower. White crosses are trials of our grid, and a ring marks the lowest cell.

# %% tags=["readme-picture"]
from sklearn.model_selection import ParameterGrid

from hpt_helpers.classroom import plots

truth = studies.surface(n_epochs=100, n_repeats=40)
of_32 = truth.table(range(10, 101, 10)).query("batch_size == 32")
plots.maps(of_32, y="epochs", mark=ParameterGrid(GRID))

# %% [markdown]
# (`ParameterGrid` is scikit-learn's list of all combinations, so that one loop does for three.)
#
# Follow the dark valley on the left map upwards. It leans to the left, because with more epochs smaller steps are
# enough. A best learning rate therefore belongs to one length of training. To the right of the valley the loss rises
# again, but the share of wrong answers hardly does. Networks there are right about as often, and far too sure where they
# are wrong.
#
# At work you have no map. All you see is that every winner had the grid's largest learning rate. It lies on the
# **edge**, and something better may lie beyond. So you **extend** the axis, here by the learning rate 0.1. More trials
# can only lower the loss that a search reports. What its winner is worth is another matter. To find out, we train each
# winner again on ten other draws of the 120 flowers, which had no part in choosing it. The mean loss there is called
# **fresh**.
#
# We search the extended grid in 40 repeats, in two ways. First a trial's loss is that on the repeat's one draw of the
# rows. Then it is the mean over five draws. In the figure each winner is a dot, once with its loss as searched and once
# with its fresh loss, and winners of different learning rates stand on lines of their own.
#
# **Predict:** when one draw chooses, are winners with learning rate 0.1 worth more than those with 0.01, or less?

# %%
extended = GRID | {"lr": [0.001, 0.01, 0.1]}
won = studies.judged(extended, n_draws=[1, 5], repeats=range(40))
fresh = won.groupby(["chosen_by", "lr"])["fresh"].mean().round(3)
print("mean fresh loss by (draws that chose, learning rate):", fresh.to_dict())
title = "Winners of 40 searches of the extended grid"
plots.spread(studies.as_searched_and_fresh(won), log=True, title=title)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Less. When one draw chooses, 0.1 wins 13 of the 40 searches. As searched these winners look better than all others.
# Fresh their mean loss is 0.27, against 0.108 for the winners with 0.01. The reason is that the losses at 0.1 vary so
# much from repeat to repeat, which the next figure shows as a wide band. They are low on a few draws and high on most,
# and a search that sees one draw picks 0.1 exactly when it is lucky. A mean of five draws holds less luck, and by it
# 0.1 wins none of the searches.
#
# The share of wrong answers at 0.1 is small, as the right map shows. If you need right answers only, and not how likely
# they are, such a winner costs you little.
#
# **So:** extend the grid while the winner lies on its edge, because you have no map. But let several draws of the rows
# choose, or the folds of a cross-validation, before you believe a winner at a bold learning rate. All this was with 30
# validation rows, on which luck is large.
#
# </details>

# %% [markdown]
# ## Is a batch of 16 better than one of 64?
#
# With six hyperparameters a full grid is out of reach, and it is tempting to tune one at a time. Say you hold the
# learning rate at 0.003 and train for 100 epochs. Batches of 16 then have the lower loss in each of 40 duels with
# batches of 64, one in every repeat. That sounds like a law.
#
# Before you fix the batch size for good, count the steps. An epoch of 90 rows has six batches of 16, but only two of
# 64. In 100 epochs that makes 600 steps against 200. Now raise the learning rate to 0.01 and to 0.03, and repeat the
# duels. In the figure, each line is the median of the 40 repeats, and its band holds their middle half.
#
# **Predict:** at learning rate 0.03, which batch size wins most of the 40 duels?

# %%
from hpt_helpers.classroom.slider import Slider

duels = studies.duels(truth, [0.00316, 0.01, 0.03162], 16, 64, epoch=100)
print("of 40 duels at 0.003, 0.01 and 0.03, batches of 16 win", list(duels["wins_of_16"]))
curves = truth.table([10, 25, 50, 100])


def draw(epoch):
    return plots.response(curves, by="batch_size", at={"epochs": epoch})


Slider(draw, [10, 25, 50, 100], label="epochs", start=100)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Batches of 64. Those of 16 win only 11 of 40. At the small learning rate batches of 64 lose, because 200 small steps
# do not take them down into the valley. At the large one batches of 16 lose, because 600 large steps go on long after
# they are of use, and the network grows too sure. So the valley leans here as well: the larger the batch, the larger
# the learning rate that suits it. Each at its best, the three batch sizes reach almost the same loss. Move the slider,
# and you see the valley move to the left as training gets longer.
#
# **So:** compare batch sizes each at its own best learning rate. If you cannot afford that, take a batch size that
# suits your machine and tune the learning rate for it. Here nothing was lost by that between 16 and 64. Tune
# hyperparameters one at a time only where the best value of one does not depend on the other.
#
# </details>

# %% [markdown]
# ## What is wrong with this script?
#
# This course grew from a script like this one, which searches the grid of our first table.
#
# ```python
# for params in ParameterGrid(grid):                # epochs are an axis
#     model = train(params, X_train, y_train)       # no seed
#     results.append((params, accuracy(model, X_test, y_test)))
# print(max(results, key=lambda result: result[1]))
# ```
#
# It breaks ties by the order of its loop, as you have seen. It has three more faults.
#
# ### Fault 1: chosen on the test rows
#
# The script chooses by the very test rows whose score it reports. Every score is partly merit and partly the luck of 30
# flowers, and the highest of many scores is likely to be a lucky one.
#
# How much too high is it? We run the script on 150 other splits of the flowers, each with test rows of its own. It tries
# a single configuration, the 8 of its grid, or 56 of a finer grid. The **optimism** of its report is the winner's test
# accuracy minus its accuracy on the validation rows, which for once had no part in the choice. It is counted in
# percentage points.
#
# **Predict:** the finer grid has seven times as many trials. Is its mean optimism about seven times as large, or less
# than that?

# %%
table = studies.optimism([1, 8, 56], n_splits=150)
optimism = table.groupby("n_trials")["optimism"]
print("mean optimism by number of trials:", optimism.mean().round(1).to_dict())
plots.histogram(optimism.get_group(56), reference=0)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Less than that. It grows from 1.8 points with 8 trials to 3.1 with 56, which is nearly one flower of 30. With a single
# trial it is -0.2, as good as none. Optimism grows because each trial is another chance to be lucky. It grows slowly,
# because a further trial adds something only where it beats the luckiest before it.
#
# The histogram shows why nobody notices. From split to split optimism varies by far more than its mean, and often it is
# zero or below. So one run cannot show you this fault. And where you average the reports of many runs, their mean is
# still too high.
#
# **So:** choose by validation rows, and open the test rows once. With thousands of test rows there is less luck to
# choose by, since it shrinks with the square root of their number.
#
# </details>

# %% [markdown]
# ### Faults 2 and 3: no seed, and epochs as an axis
#
# Your colleague has the same rows as you, and nobody set a seed. Is that enough for another winner? Here are the eight
# trials, run twice on the same rows under two seeds, for 40 draws of the rows.

# %%
same = studies.two_runs(GRID, repeats=range(40))["same"]
print("two runs name the same winner in", same.sum(), "of", len(same), "draws of the rows")

# %% [markdown]
# It often is. Set a seed, so that others get your numbers. But the winner is no better for it, as another seed might have
# named another one.
#
# The last fault is in the axes. A training of 100 epochs begins with the training of 50, so the script trains the same
# curve twice. Its eight trials take 600 epochs, though the 400 epochs of the four long ones contain everything. Train
# once to the largest number and read the curve on the way, unless a learning-rate schedule depends on where training
# ends.
#
# ## In practice
#
# scikit-learn's `GridSearchCV` repeats for you, by **cross-validation**. It cuts the rows into five folds, and each fold
# judges networks that were trained on the other four. Scaling belongs in the `Pipeline`, so that each fold is scaled by
# its own training rows. scikit-learn maximises scores, and so it takes the negative loss.

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
# All candidates share the folds, so compare them fold by fold. `behind` is the mean distance to the best candidate, and
# `needed` is the distance that five folds would have to show, before you call a candidate worse (by Student's t, at
# 95 %).
#
# Learning rate 0.001 is further behind than is needed, so drop it. Batches of 32 are not. Five folds leave open which
# batch size is better, as our repeats did.
#
# ## The test score, once
#
# Thirty flowers could say little about a network that is mostly right, so the iris test rows stay sealed. We end with
# the script's search on harder data, its faults mended. The digits are 1,797 images of handwritten numerals, in ten
# classes. 1,077 of them train, 360 validate, and 360 are test rows. The grid gets a third learning rate.
#
# This is how you search with the course's package. A **strategy**, here the grid, asks for trials. An **objective**
# trains them, and `run` records each. Where a shorter training of the same configuration ended, it goes on.
# `charged_epochs` are those that it trained. Here are the five best of the 12 trials.

# %%
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search

digits = load_splits("digits")
grid = GRID | {"lr": [0.001, 0.003, 0.01]}
record = run(grid_search(ParameterGrid(grid)), TrainingObjective(digits))
columns = ["lr", "batch_size", "epochs", "charged_epochs", "val_loss", "val_accuracy"]
record[columns].nsmallest(5, "val_loss").round(3)

# %% [markdown]
# Here 0.003 wins, where on iris the largest rate won. So do not carry a learning rate from one table to another. The
# five best are close, and by our rule the first of them wins. The validation rows have done their work, so `refit` trains
# on them too. Then we open the test rows.

# %%
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

chosen = config_of(record, incumbent(record))  # the trial with the lowest loss
model = refit(chosen, digits, n_epochs=chosen["epochs"])
print(chosen)
print("test accuracy:", digits.final_score(model))

# %% [markdown]
# Read the interval rather than the point. Any true accuracy inside it fits what these 360 rows showed.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# **1.** Some teams rank by accuracy first. Write `winner(trials)` for them. `trials` is a list of dicts, each with
# `val_accuracy`, `val_loss` and `epochs`. Return the position, counted from 0, of the trial with the highest accuracy.
# Where that ties, take the lowest loss, and where that ties too, the fewest epochs.

# %%
from hpt_helpers.classroom.exercises import lesson_01 as ex


def winner(trials):
    return ...


ex.q1.check(winner)

# %% [markdown]
# **2.** You run a grid of learning rates 0.0001, 0.001 and 0.01 and batch sizes 16, 32 and 64 on new data. Learning rate
# 0.01 with batch size 16 wins. What follows?
#
# - **a** Batches of 16 are best for these data.
# - **b** Refine the grid around the winner.
# - **c** Nothing yet about batch sizes. First extend the grid to larger learning rates.
#
# And why?
#
# - **1** Every combination was tried.
# - **2** Larger batches make fewer steps, and their best learning rate may lie beyond the edge.
# - **3** Small batches generalise better.

# %%
answer_2 = ...  # a letter and a number in quotes, such as "a1"

ex.q2.check(answer_2)

# %% [markdown]
# **3.** Repair `report(trials)`. `trials` is a list of dicts, each with `lr`, `val_loss` and `test_accuracy`. The
# function should choose a trial and return its learning rate and the score to report. One fault concerns the choice and
# another the score. Besides, a trial that diverged has the loss nan, and it must never be chosen, wherever it stands.

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
# With your own table you will
#
# - **state the rule** that names the winner before you search, and choose by the loss.
# - **believe what repeats or folds confirm.** More rows settle a winner that is clearly ahead. Among those that are
#   close, take what is cheapest.
# - **extend the grid** while its winner lies on an edge, and let several draws of the rows choose before you believe a
#   bold learning rate.
# - **choose axes by what they do.** Compare batch sizes each at its own best learning rate, and read epochs off the
#   curve.
# - **report a score from rows that chose nothing.** The best of many test scores is too high.
#
# </div>
#
# **Next:** [Random search](02_random_search.ipynb), which needs no list of values and has six hyperparameters to tune.

# %% [markdown]
# ## Going further
#
# Optional studies, and one more exercise.
#
# ### Which luck is larger?
#
# You can afford to repeat a search a few times. Should each repeat have other rows, another training seed, or both? What
# decides a search is the difference between two configurations. We take two of the close ones, batches of 16 and of 32
# at learning rate 0.01 after 50 epochs. Both are trained on 20 draws of the rows under 20 seeds each.
#
# A dot is a standard deviation. `by rows` means over the draws, for one seed. `by seed` means over the seeds, for one
# draw. The first two lines are about the loss of the first configuration, the others about the difference of the two.
#
# **Predict:** is the difference moved more by the rows or by the seed?

# %%
luck = studies.luck({"lr": 0.01, "batch_size": 16}, {"lr": 0.01, "batch_size": 32}, n_epochs=50)
plots.spread(luck, title="What moves a loss, and a difference of two")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# By the rows, about twice as much (the black bars are medians). The loss itself they move more than three times as much
# as the seed does. But a draw with difficult flowers raises the losses of both configurations, and that decides nothing,
# because it cancels in the difference.
#
# **So:** repeat over both. Where you repeat over one only, let it be the rows, as cross-validation does. That holds with
# 30 validation rows. With more of them their share of the luck shrinks and the seed's stays.
#
# </details>

# %% [markdown]
# ### At equal steps
#
# Larger batches had larger best learning rates. If that comes from counting epochs, it should vanish where each batch
# size makes equally many steps. So we read each after about 200 steps. An epoch has 6, 3 or 2 of them.
#
# **Predict:** does a larger batch still have a larger best learning rate?

# %%
studies.best_rates(truth, {16: 33, 32: 67, 64: 100}).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. The best learning rate of batches of 16 is now 0.018, and that of the others 0.010. These are neighbours among
# the 13 that we tried.
#
# **So:** much of what passes for an effect of the batch size is an effect of the number of steps. On large networks the
# same was found when each batch size had its learning rate tuned (Shallue et al. 2019).
#
# </details>

# %% [markdown]
# ### Nested cross-validation
#
# `GridSearchCV` reports as `best_score_` the very score by which its winner was chosen. **Nested** cross-validation
# chooses anew inside each training fold, so that the outer fold has no part in the choice. We take plain minus nested
# accuracy in percentage points, over 10 ways of folding the 120 flowers, for a grid of 8 and for one of 260.
#
# **Predict:** for which of the two is plain cross-validation too high by more than a point?

# %%
import numpy as np

from hpt_helpers.classroom.lab import mean_and_error

small = GRID | {"epochs": [25, 50]}
large = GRID | {"lr": np.geomspace(0.001, 0.1, 13), "epochs": range(5, 51, 5)}
for name, one in {"8 candidates": small, "260 candidates": large}.items():
    gap = studies.nested_gap(one, n_repeats=10)
    print("{}: {:.1f} ± {:.1f} points".format(name, *mean_and_error(gap)))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# For that of 260, because the best of so many is chosen by more luck. (± is the standard error over the foldings. Other
# flowers would move the gap by more, and a part of it comes from nested choosing by fewer rows.)
#
# **So:** with a handful of candidates plain cross-validation is enough. With hundreds, nest it or keep a test part.
#
# </details>

# %% [markdown]
# ### When the same seed stops meaning the same result
#
# Processors round differently. `rounding_sensitivity` trains twice, the second time from weights that differ by as
# little as a rounding error, as if on another machine. We do that on digits with learning rate 0.01, and with 0.1.
#
# **Predict:** after 30 epochs, at which of the two do the losses still agree?

# %%
from hpt_helpers.classroom.rounding import rounding_sensitivity

moved = {}
for lr in (0.01, 0.1):
    config = {"lr": lr, "batch_size": 16}
    moved[f"learning rate {lr:g}"] = rounding_sensitivity(config, digits, n_epochs=30)
ax = plots.learning_curves(moved, title="Two trainings that begin a rounding error apart")
ax.set(yscale="log", ylabel="difference in validation loss (nats)")
for name, gap in moved.items():
    print(f"{name}: below 1e-9 throughout: {gap.max() < 1e-9}; above 0.01: {gap.max() > 0.01}")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# At 0.01. There training forgets the small difference. At 0.1 it multiplies the difference for some epochs, until the
# two are plainly different trainings.
#
# **So:** a winner at a very large learning rate need not be found again on another machine, whatever the seed. The
# course keeps below a bound for each data set, `max_lr`, where this does not happen.
#
# </details>

# %% [markdown]
# ### Results that outlive their cell
#
# The script's list of results stands in a line of its own. In a notebook that is one more fault. Try it. Paste these two
# lines into two new cells below, and run the second one twice.
#
# ```python
# results = []
# ```
# ```python
# results += ParameterGrid(GRID); print(len(results))
# ```
#
# Each run adds eight results, and every count and mean afterwards is wrong. The next cell creates the list where it
# fills it, so you can run it as often as you like.

# %%
results = [*ParameterGrid(GRID)]
print(len(results), "trials")

# %% [markdown]
# ### How our rows were drawn
#
# Which rows train and which validate is a draw, and a convenient one would flatter every search. Ours was chosen by a
# rule. Draws 0 to 19 were put in order of how low a validation loss they allow, and the tenth was taken.
# `hpt_helpers.classroom.draws` does it again.
#
# ### One more exercise
#
# **4.** On 30 validation rows an accuracy of 0.9 has a wide Wilson interval, which is the one printed with the test
# score. How many validation rows would make the interval ten times narrower at the same accuracy? (200 more or fewer
# are fine.)

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
# - C. J. Shallue et al. (2019). Measuring the effects of data parallelism on neural network training. *Journal of
#   Machine Learning Research* 20.
