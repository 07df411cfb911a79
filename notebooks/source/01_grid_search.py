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
# **Time:** core path 60 minutes, exercises 18 minutes, going further 24 minutes. **Builds on:**
# [Start here](00_start_here.ipynb). Unknown words are in the [glossary](../docs/glossary.md).
#
# ## Does every hyperparameter need an axis?
#
# In a grid search you list a few values of each hyperparameter and train every combination. The list of values of one
# hyperparameter is called an **axis** of the grid. Each combination is a **configuration**, and training it once is a
# **trial**. Two values of three hyperparameters make eight trials. Three values of six hyperparameters would make 729,
# so an axis that you can spare saves a great deal.
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
# Here is the training of one trial, step by step. The four measurements have been scaled to mean 0 and standard
# deviation 1, and `start_training` makes the network and its optimiser, Adam. The first weights and the shuffles come
# from seed 0.

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
# From now on `fit` does all this, and a grid search is three loops around it. In the code, `config` leaves the number
# of epochs out, because `fit` takes it separately.
#
# First think of what the three hyperparameters do to a single weight. Adam moves each weight by about the learning rate
# at every step. With 90 training rows, an epoch has six steps in batches of 16 and three in batches of 32. So learning
# rate, batch size and epochs together decide how far a weight can travel from its random start.
#
# Our grid has learning rates 0.001 and 0.01, batches of 16 and 32, and 50 and 100 epochs.
#
# **Predict:** which of its eight configurations ends with the highest validation loss?

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
# and the smallest steps. Its weights are still near their start. Now compare trials 0 and 3 of the table. One made 50
# epochs of six steps, the other 100 epochs of three. Both made 300 steps of the same size, and they end almost level,
# at 0.427 and 0.411.
#
# At the larger learning rate further steps help little or not at all. With batches of 32, twice the epochs leave the
# loss almost where it was. With batches of 16 they raise it from 0.103 to 0.153. By then the network has learnt what it
# can. Further training mostly makes it surer, and it grows surer of its mistakes as well.
#
# **So:** before you give several hyperparameters an axis each, ask whether they do the same thing to the model. As long
# as more training still helps, one axis can serve for all of them. In boosted trees, the learning rate and the number
# of trees are such a pair.
#
# [Lesson 2](02_random_search.ipynb) measures which of six hyperparameters deserve an axis. It also shows why the
# values of a learning rate are spaced by factors and not by equal steps.
#
# </details>

# %% [markdown]
# ## Which of the eight won?
#
# By accuracy, nobody did. Three trials share 0.967, because 30 rows allow only 31 different accuracies. A script that
# keeps the first of the three reports nothing but the order of its loops. So state a **rule** before you search. In
# this course the lowest validation loss wins. If two losses are equal, the trial with fewer epochs wins. The loss also
# counts how sure the network was of each flower, and so it hardly ever ties.
#
# A rule makes the answer definite, but not yet right. The three lowest losses are 0.103, 0.114 and 0.115, and each is a
# mean over only 30 flowers. A few more or a few fewer difficult flowers might change their order. So we run the whole
# search 40 times. Each **repeat** takes the 120 flowers outside the test set and draws anew which of them train and
# which validate. Such a choice of rows is called a **draw**. Each repeat also takes a new training seed. The flowers
# themselves stay the same, so what the repeats show holds for these 120.
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
# for luck to make up. In the first table, for example, its best loss is 0.280, against 0.153 for the worst of the
# others. Those others differ by less than 30 rows can show. So rows and seed decide among them, and none of them wins
# more than 14 of the 40 repeats.
#
# **So:** neither you nor your colleague has made a mistake. Trust the part of a winner that repeats confirm, which here
# is the learning rate. Repeats do not confirm the batch size or the number of epochs. With as few rows as these, choose
# both by their cost.
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
# 0.001 and 0.01. The one called `close together` has 0.001 and 0.0014 instead. Each is searched in 20 repeats. The best
# configuration of `far apart` is about 0.04 nats ahead of the second. That of `close together` is 0.005 nats ahead or
# less.
#
# - `rows` is how many rows validate.
# - `ahead` is the lead of the best configuration over the second, in mean loss over the repeats.
# - `most_frequent` is the configuration that wins most often, as learning rate, batch size and epochs.
# - `most_wins` is how many of the 20 repeats it wins.
# - `n_winners` is how many configurations win at least one repeat.
#
# **Predict:** on which of the two grids does `most_wins` rise with 300 rows?

# %%
grids = {"far apart": GRID, "close together": GRID | {"lr": [0.001, 0.0014]}}
studies.agreement(grids, n_val=[30, 300], repeats=range(20)).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On `far apart`. With 300 rows one configuration wins 19 of 20 repeats, where it won 14 of 20 with 30 rows. It is the
# one with learning rate 0.001, batches of 16 and 100 epochs. On these data the rate 0.01 passes its lowest loss early
# and then grows too sure of its mistakes, so after 50 epochs it is already far behind. The small steps of 0.001 still
# help after 50 epochs. So the configuration that makes the most of them lies clearly ahead, by more than the luck of
# 300 rows.
#
# On `close together`, fewer configurations win with 300 rows, three instead of five. But none of them wins more than 8
# of the 20 repeats. With 30 rows the most frequent winner, another one, won 9. The three winners are worth nearly the
# same. Which of them is ahead depends on the rows that a repeat trains on and on its seed, and more validation rows do
# not remove that luck. In other repeats the counts differ, but there too 300 rows bring no more agreement than 30.
#
# **So:** a search chooses only as well as it can tell its trials apart. Two things decide that. One is how far the
# configurations differ, and the other is how much luck there is in what judges them. With many validation rows, believe
# a winner that is clearly ahead. Where the best are close, more rows help little, and it matters little which you take.
#
# </details>

# %% [markdown]
# ## The winner lies on the edge. What now?
#
# Eight trials are eight points of a surface, and a search sees nothing else of it. We are back at iris. These maps show
# the surface for batches of 32, at 13 learning rates and every tenth epoch. The left map shows the validation loss, the
# right map the share of wrong answers. Each cell is a mean over 40 repeats, and darker is lower. White crosses are
# trials of our grid, and a ring marks the lowest cell. scikit-learn's `ParameterGrid` lists all combinations of a grid,
# so that one loop over it can replace our three.

# %% tags=["readme-picture"]
from sklearn.model_selection import ParameterGrid

from hpt_helpers.classroom import plots

surface = studies.surface(n_epochs=100, n_repeats=40)
of_32 = surface.table(range(10, 101, 10)).query("batch_size == 32")
plots.maps(of_32, y="epochs", mark=ParameterGrid(GRID))

# %% [markdown]
# Follow the dark valley on the left map upwards. It leans to the left, because with more epochs smaller steps are
# enough. Each length of training therefore has a best learning rate of its own. To the right of the valley the loss
# rises again, but the share of wrong answers hardly does. Networks there are right about as often, and far too sure
# where they are wrong. So the ring of the right map may lie far from that of the left, as many cells of the right map
# hardly differ.
#
# At work you have no map. All you see is that every winner had the grid's largest learning rate. It lies on the
# **edge**, and something better may lie beyond. So you **extend** the axis, here by the learning rate 0.1. More trials
# can only lower the loss that a search reports. Is the model that it names better, too? To find out, we train each
# winner again on ten other draws of the 120 flowers. None of these draws had a part in choosing it. The mean loss
# there is called **fresh**.
#
# We search the extended grid in 40 repeats, in two ways. First each trial is scored on one draw of the rows, as before.
# Then each is scored by its mean loss over five draws. In the figure, each dot is a winner.
#
# - `1 draw chose 0.01` holds the winners with learning rate 0.01 that one draw chose, and the number below it counts
#   them.
# - `as searched` is the loss with which they won, and `fresh` is their fresh loss.
# - The black bar is the median, and the box holds the middle half. The printed table repeats the medians. Its
#   `chosen_by` is the number of draws that chose, and its `accuracy` is the median accuracy on the fresh draws.
#
# **Predict:** when one draw chooses, which winners have the lower median fresh loss, those with 0.1 or those with 0.01?

# %%
extended = GRID | {"lr": [0.001, 0.01, 0.1]}
won = studies.judged(extended, n_draws=[1, 5], repeats=range(40))
medians = won.groupby(["chosen_by", "lr"])[["as_searched", "fresh", "accuracy"]].median()
print(medians.round(3).reset_index().to_string(index=False))
title = "Winners of 40 searches of the extended grid"
plots.spread(studies.as_searched_and_fresh(won), log=True, title=title)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Those with 0.01. When one draw chooses, 0.1 wins 13 of the 40 searches. As searched these winners look better, with a
# median loss of 0.032 against 0.091 for the winners with 0.01. But fresh their median loss is 0.255, against 0.103. The
# reason is that at 0.1 the loss varies greatly from draw to draw, which the next figure shows as a wide band. It is
# very low on some draws and high on most, and a search that sees one draw picks 0.1 exactly when it is lucky. A mean of
# five draws holds less luck, and by it 0.1 wins none of these 40 searches. Five draws make the mistake rare. They do
# not rule it out.
#
# The winners with 0.1 are right almost as often as the others, with a median accuracy of 0.940 against 0.943. If you
# need right answers only, and not how likely they are, such a winner costs you little.
#
# **So:** extend the grid while the winner lies on its edge, because you have no map. But let several draws of the rows
# choose, or the folds of a cross-validation, before you believe a winner at a much larger learning rate. We saw this
# with 30 validation rows. With thousands, one draw holds less luck, and what is left is mostly that of the training
# rows and the seed.
#
# Five draws cost five times as much. You need not pay that for all trials. Repeat only the few best of them, the
# **finalists**. Lesson 2 measures when that pays.
#
# </details>

# %% [markdown]
# ## Is a batch of 16 better than one of 64?
#
# With six hyperparameters a full grid is out of reach, and it is tempting to tune one at a time. Say you hold the
# learning rate at 0.003 and train for 100 epochs. In each of 40 repeats, batches of 16 then end with a lower loss than
# batches of 64. Let us call each such comparison a **duel**.
#
# Before you fix the batch size for good, count the steps. An epoch of 90 rows has six batches of 16, but only two of
# 64. In 100 epochs that makes 600 steps against 200. Now raise the learning rate to 0.01 and to 0.03, and repeat the
# duels. In the figure, each line is the median of the 40 repeats, and its band holds their middle half.
#
# **Predict:** at learning rate 0.03, which batch size wins most of the 40 duels?

# %%
from hpt_helpers.classroom.slider import Slider

duels = studies.duels(surface, [0.00316, 0.01, 0.03162], 16, 64, epoch=100)
print("of 40 duels at 0.003, 0.01 and 0.03, batches of 16 win", list(duels["wins_of_16"]))
curves = surface.table([10, 25, 50, 100])


def draw(epoch):
    return plots.response(curves, by="batch_size", at={"epochs": epoch})


Slider(draw, [10, 25, 50, 100], label="epochs", start=100)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Batches of 64. Those of 16 win only 11 of 40. At the small learning rate batches of 64 lose, because 200 small steps
# do not take them down into the valley. At the large one batches of 16 lose, because 600 large steps go on long after
# they are of use, and the network grows too sure. At 0.01 the two are level, with 19 wins of 40 for batches of 16.
#
# So batches of 64 suit a larger learning rate than batches of 16. Their curve falls to its lowest point at 0.01, and
# that of batches of 16 at 0.0056. Each at its best, the three batch sizes reach almost the same loss. Move the slider,
# and you see all three low points move to the left as training gets longer.
#
# **So:** compare batch sizes, each at its own best learning rate. If you cannot afford that, take a batch size that
# suits your machine and tune the learning rate for it. Between 16 and 64, doing so cost nothing here. Tune
# hyperparameters one at a time only where the best value of one does not depend on the other.
#
# </details>

# %% [markdown]
# ## What is wrong with this script?
#
# This course grew from a script like this one, which searches the grid of our first table.
#
# ```python
# results = []
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
# How much too high is it? We run the script on 150 other splits. A **split** also draws anew which 30 of all 150
# flowers are test rows. That includes our own test flowers, but nothing here chooses a configuration for us. The script
# tries a single configuration, the 8 of its grid, or 56 of a finer grid. Its test rows do the choosing, so for once the
# validation rows are the fresh ones. The **optimism** of its report is the winner's accuracy on the test rows minus
# that on the validation rows, in percentage points.
#
# The table has a row for each number of trials. The histogram shows the 150 splits with 56 trials.
#
# - `mean` and `sd` are the mean and the standard deviation of optimism over the splits.
# - `not_above_0` counts the splits in which it was zero or below.
#
# **Predict:** with seven times as many trials, is the mean optimism more than twice as large, or less?

# %%
table = studies.optimism([1, 8, 56], n_splits=150)
optimism = table.groupby("n_trials")["optimism"]
told = optimism.agg(mean="mean", sd="std", not_above_0=lambda gaps: (gaps <= 0).sum())
print(told.round(2).reset_index().to_string(index=False))
plots.histogram(optimism.get_group(56), reference=0)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Less. It grows from 1.8 points with 8 trials to 3.1 with 56, give or take half a point. 3.1 points are nearly one
# flower of 30. With a single trial optimism is -0.2, practically zero, because nothing was chosen. It grows with the
# trials because each of them is another chance to be lucky. It grows slowly, because a further trial adds something
# only where it beats the luckiest before it.
#
# The histogram shows why nobody notices. From split to split optimism varies with a standard deviation of 5.7 points,
# nearly twice its mean. In 63 of the 150 splits it is zero or below. So one run cannot show you this fault. And where
# you average the reports of many runs, their mean is still too high.
#
# **So:** choose by validation rows, and open the test rows once. With thousands of test rows each score holds less
# luck, and so optimism is smaller too. Both shrink roughly with the square root of the number of rows.
#
# </details>

# %% [markdown]
# ### Faults 2 and 3: no seed, and epochs as an axis
#
# You and your colleague have the same rows, and neither of you set a seed. That alone can give you different winners.
# On each of 40 draws of the rows we run the eight trials twice, under two seeds.

# %%
same = studies.two_runs(GRID, repeats=range(40))["same"]
print("two runs name the same winner in", same.sum(), "of", len(same), "draws of the rows")

# %% [markdown]
# In the other 16 the winners differ, because the best configurations are so close that the seed decides among them. Set
# a seed, so that others get your numbers. It does not make your winner better. It only fixes which of the close ones
# wins.
#
# The last fault is in the axes. A training of 100 epochs begins with the training of 50, so the script trains the same
# curve twice. Its eight trials take 600 epochs, though the 400 epochs of the four long ones contain everything. Train
# once to the largest number of epochs and read the shorter ones off its curve, unless a learning-rate schedule depends
# on where training ends.
#
# ## In practice
#
# scikit-learn's `GridSearchCV` repeats for you, by **cross-validation**. It cuts the rows into five folds, and each
# fold judges networks that were trained on the other four. Scaling belongs in the `Pipeline`, so that each fold is
# scaled by its own training rows. `skorch_classifier` wraps our network as a scikit-learn classifier. scikit-learn
# maximises scores, and so it takes the negative loss.
#
# scikit-learn calls a configuration a **candidate**. All candidates share the folds, so compare them fold by fold.
#
# - `mean_loss` is the mean loss over the five folds.
# - `behind` is how much higher it is than that of the best candidate.
# - `needed` is how large that difference must be before five folds show it, by a t-test at the 5 % level. It is larger
#   where the difference varies more from fold to fold.

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
# Learning rate 0.001 is further behind than is needed, so drop it. Batches of 32 are not. Five folds cannot tell which
# batch size is better. In our repeats, too, the winner's batch size changed.
#
# `studies.paired_folds(search, axes)` makes this table from any fitted `GridSearchCV` of your own, with any estimator
# and one score. Its `needed` tells you how large a difference has to be on your rows. Take it as a rough lower limit,
# because the folds share training rows and because the same folds chose the best candidate.
#
# ## The test score, once
#
# Thirty flowers could say little about a network that is mostly right, so the iris test rows stay sealed. We end with
# the same search on harder data, this time without the script's faults. The digits are 1,797 images of handwritten
# numerals, in ten classes. 1,077 of them train, 360 validate, and 360 are test rows. The grid gets a third learning
# rate, and the seed is fixed.
#
# This is how you search with the course's package. A **strategy**, here the grid, asks for trials. An **objective**,
# here `TrainingObjective`, trains them, and `run` records each. If a training with the same learning rate and batch
# size but fewer epochs exists, the objective continues it. `charged_epochs` counts the epochs that were trained in
# addition, so that 50 and then 100 epochs cost 100 and not 150. Here are the five best of the 12 trials.

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
# None of the five best has the learning rate 0.01, which won all 40 searches of our first grid on iris. With 1,077
# training rows an epoch has 68 steps in batches of 16, not six, so smaller steps get far enough. So do not carry a
# learning rate from one table to another. Which of the two smaller rates is better, this one search cannot tell,
# because its five best differ by less than 0.01 nats. Our rule takes the first.
#
# The validation rows have done their work, so `refit` trains on them too. Then we open the test rows.

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
# another the score. Besides, training can diverge, so that the loss of a trial is nan, not a number. Such a trial must
# never be chosen, wherever it stands.

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
# - **state the rule** that names the winner before you search. Choose by the loss, which hardly ever ties, unless you
#   need right answers only. Set a seed, so that others get your winner. That does not make it a better one.
# - **believe what repeats or folds confirm.** More validation rows confirm a winner that is clearly ahead. Among
#   winners that are close, take the one that is cheapest to train.
# - **extend the grid** while its winner lies on an edge. With few validation rows, let several draws or folds choose
#   before you believe a much larger learning rate.
# - **choose axes by what they do.** Where two hyperparameters do the same to the model and more training still helps,
#   one axis serves for both. Compare batch sizes, each at its own best learning rate. Train once to the largest number
#   of epochs and read the shorter ones off its curve.
# - **report a score from rows that chose nothing.** The best of many test scores is too high on average.
#
# </div>
#
# **Next:** [Random search](02_random_search.ipynb), which needs no list of values and has six hyperparameters to tune.

# %% [markdown]
# ## Going further
#
# These studies are optional. One more exercise follows them.
#
# ### Which luck is larger?
#
# You can afford to repeat a search a few times. Should each repeat have other rows, another training seed, or both? What
# decides a search is the difference between two configurations. We take two of the close ones, batches of 16 and of 32
# at learning rate 0.01 after 50 epochs. Both are trained on 20 draws of the rows under 20 seeds each.
#
# Each dot is a standard deviation, and the black bar is the median.
#
# - `loss` is the loss of the first configuration, and `difference` is the difference of the two.
# - `by rows` is taken over the 20 draws, for one seed.
# - `by seed` is taken over the 20 seeds, for one draw.
#
# **Predict:** what changes the difference more, the rows or the seed?

# %%
luck = studies.luck({"lr": 0.01, "batch_size": 16}, {"lr": 0.01, "batch_size": 32}, n_epochs=50)
plots.spread(luck, title="What moves a loss, and a difference of two")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The rows, about twice as much. They change the loss itself more than three times as much as the seed does. But a draw
# with difficult flowers raises the losses of both configurations, and that decides nothing, because it cancels in the
# difference.
#
# **So:** repeat over both, which Bouthillier et al. (2021) advise for benchmarks as well. Where you repeat over one
# only, let it be the rows, as cross-validation does. That holds with 30 validation rows. With more validation rows
# their luck shrinks. The luck of the training rows and of the seed stays.
#
# </details>

# %% [markdown]
# ### At equal steps
#
# Batches of 64 had a larger best learning rate than batches of 16. If that comes from counting epochs, it should vanish
# where each batch size makes equally many steps. So we compare them after about 200 steps each. An epoch has six steps
# in batches of 16, three in batches of 32 and two in batches of 64.
#
# **Predict:** does a larger batch still have a larger best learning rate?

# %%
studies.best_rates(surface, {16: 33, 32: 67, 64: 100}).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. It is now 0.018 for batches of 16 and 0.010 for the two others. These two rates are neighbours among the 13 that
# we tried, so the three batch sizes can hardly be told apart. As each makes the same number of steps, a weight can
# travel equally far in all of them.
#
# **So:** here the effect of the batch size was an effect of the number of steps. On large networks, Shallue et al.
# (2019) found that disagreements about what the batch size does to a model come largely from how each batch size was
# tuned and how long it was trained.
#
# </details>

# %% [markdown]
# ### Nested cross-validation
#
# `GridSearchCV` reports as `best_score_` the very score by which its winner was chosen. **Nested** cross-validation
# holds one fold out, chooses by cross-validation within the others, and scores the choice on the fold that was held
# out. Call plain minus nested accuracy the **gap**. We measure it in percentage points, over 10 ways of folding the 120
# flowers, for a grid of 8 and for one of 260.
#
# **Predict:** with the grid of 8, is the gap larger than one point?

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
# No. The gap is 0.5 points with 8 candidates and 1.7 with 260, because the highest of many scores holds more luck. The
# number after ± is the standard error over the foldings. Other flowers would change the gap by more. Part of it is not
# luck, as nested cross-validation chooses by fewer rows.
#
# **So:** with 120 rows and a handful of candidates, plain cross-validation is off by about half a point here, which
# seldom matters. With hundreds of candidates, nest it or keep test rows. Cawley and Talbot (2010) show that the effects
# of such choosing are often about as large as the differences between learning algorithms.
#
# </details>

# %% [markdown]
# ### Another machine, the same seed
#
# Processors round differently. `rounding_sensitivity` trains twice, the second time from weights that differ by as
# little as a rounding error, as if on another machine. We do that on digits with learning rate 0.01, and with 0.1.
#
# **Predict:** at 0.1, do the two losses stay within 0.01 of each other for all 30 epochs?

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
# No. At 0.01 training forgets the small difference. At 0.1 each step overshoots, and so it multiplies the difference,
# until after about six epochs the two are different trainings.
#
# **So:** a winner at a very large learning rate may not be reproduced on another machine, even with the same seed. Each
# data set has a bound, `max_lr`, up to which this does not happen. Except in this study, the course's learning rates
# keep to it.
#
# </details>

# %% [markdown]
# ### Results that outlive their cell
#
# The script makes its list of results in a line of its own. In a notebook that is one more fault. Try it. Paste these
# two lines into two new cells below, and run the second one twice.
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
# A draw decides which rows train and which validate, and a convenient draw would flatter every search. Ours was chosen
# by a rule. Draws 0 to 19 were put in order of how low a validation loss they allow, and the tenth was taken.
# `hpt_helpers.classroom.draws` repeats this choice.
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
