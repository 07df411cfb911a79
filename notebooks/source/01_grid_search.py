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
# **Time:** core path 60 minutes, exercises 18 minutes, going further 25 minutes. **Builds on:**
# [Start here](00_start_here.ipynb). Unknown words are in the [glossary](../docs/glossary.md).
#
# ## Does every hyperparameter need an axis?
#
# In a grid search you list a few values of each hyperparameter and train every combination. The list of values of one
# hyperparameter is called an **axis** of the grid. Each combination is a **configuration**, and training it once is a
# **trial**. Two values of each of three hyperparameters make eight trials. Three values of each of six would make 729,
# so an axis that you can leave out saves a great deal.
#
# Our data are 150 iris flowers of three species, with four measurements each.

# %%
from hpt_helpers.classroom.drawing import diagrams
from hpt_helpers.data import load_splits

splits = load_splits("iris")
diagrams.rows(splits)

# %% [markdown]
# Your table may have 50,000 rows. Ours is small on purpose, because luck is easiest to see where rows are few. A later
# study shows what changes with more rows.
#
# The network has one hidden layer of 16 units. Training lowers its **cross-entropy**, which is minus the logarithm of
# the probability given to the right species, averaged over the rows and counted in **nats**. A perfect network scores
# 0. A network that gives each species one third scores the logarithm of 3, a little over 1.
#
# Here is the training of one trial, step by step. The four measurements have been scaled to mean 0 and standard
# deviation 1, and `start_training` makes the network, its optimiser Adam, and `shuffles`, which gives each epoch a new
# order of the rows. The first weights and these orders come from seed 0.

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
# From now on `fit` does all this, and a grid search is three loops around `fit`. In the code, `config` leaves the
# number of epochs out, because `fit` takes it separately.
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
# The highest loss, 0.595, belongs to learning rate 0.001 with batches of 32 and 50 epochs, because this configuration
# takes the fewest and the smallest steps. Its weights are still near their start. Now compare trials 0 and 3 of the
# table. Trial 0 made 50 epochs of six steps, and trial 3 made 100 epochs of three. Both made 300 steps of about the
# same size, and they end near each other, at 0.427 and 0.411.
#
# At the larger learning rate further steps help little or not at all. With batches of 32, twice the epochs leave the
# loss almost where it was. With batches of 16 they raise the loss from 0.103 to 0.153. After 50 epochs at this rate the
# network has learnt most of what it can. Further training mostly makes it surer, also of its mistakes.
#
# **So:** before you give several hyperparameters an axis each, ask whether they do the same thing to the model. As long
# as more training still helps, one axis can serve for all of them. In boosted trees, the learning rate and the number
# of trees are two such hyperparameters.
#
# [Lesson 2](02_random_search.ipynb) measures which of six hyperparameters matter, and shows why learning rates are
# spaced by equal factors.
#
# </details>

# %% [markdown]
# ## Which of the eight won?
#
# By accuracy, none of them did. Three trials share the highest accuracy, 0.967. Ties are common here, because 30 rows
# allow only 31 different accuracies. A script that keeps the first of the three lets the order of its loops decide. So
# state a **rule** before you search. In this course the lowest validation loss wins. If two losses are equal, the trial
# with fewer epochs wins. Losses hardly ever tie, because the loss also counts how sure the network was of each flower.
#
# A rule makes the winner definite, but not yet the best one. The three lowest losses are 0.103, 0.114 and 0.115, and
# each is a mean over only 30 flowers. A few more or a few fewer difficult flowers might change the order of the three.
# So we run the whole search 40 times. Each **repeat** takes the 120 flowers outside the test set and draws anew which
# of them train and which validate. Such a choice of rows is called a **draw**. Each repeat also takes a new training
# seed. The flowers themselves stay the same, so what the repeats show holds for these 120.
#
# **Predict:** how many of the eight configurations win at least one of the 40 repeats?

# %%
from hpt_helpers.classroom.lesson_01 import studies

trials = studies.grid_trials(GRID, repeats=range(40))
ranked = trials.sort_values(["val_loss", "epochs"])  # the rule
winners = ranked.groupby("repeat").head(1)
winners.groupby(["lr", "batch_size", "epochs"]).size().reset_index(name="wins")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Four, and they are exactly those with learning rate 0.01. The rate 0.001 never wins, because it is too far behind for
# luck to make up the difference. In the first table its best loss is 0.280, against 0.153 for the worst configuration
# with 0.01. The four configurations with 0.01 differ from each other by less than 30 rows can show. So rows and seed
# decide among these four, and none of them wins more than 14 of the 40 repeats.
#
# **So:** neither you nor your colleague has made a mistake. Trust the part of a winner that repeats confirm, which here
# is the learning rate. The winner's batch size and number of epochs change from repeat to repeat. With as few rows as
# these, choose both by what they cost.
#
# </details>

# %% [markdown]
# ## Do more rows settle it?
#
# A mean over more rows holds less luck, because luck shrinks with the square root of the number of rows. With ten times
# as many rows, about a third of the luck is left. Does that settle which configuration wins? Iris has no more rows, so
# we take simulated rows, with 16 features and four classes. The network trains on 320 of them, and 30 or 300 others
# validate.
#
# We search two grids of eight trials each. The grid `far apart` is the one that you know, with learning rates 0.001 and
# 0.01. The grid `close together` has 0.001 and 0.0014 instead. Each is searched in 20 repeats. In these repeats the
# best configuration of `far apart` is 0.04 to 0.05 nats ahead of the second, and that of `close together` 0.005 nats or
# less.
#
# - `rows` is how many rows validate.
# - `ahead` is the lead of the best configuration over the second, in mean loss over the repeats.
# - `most_frequent` is the configuration that wins most often, given as its learning rate, batch size and epochs.
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
# It rises on `far apart`. With 300 rows one configuration wins 19 of 20 repeats, where it won 14 with 30 rows. It is
# the one with learning rate 0.001, batches of 16 and 100 epochs. The curves, not drawn here, show why. On these data a
# network trained at 0.01 passes its lowest loss early and then grows too sure of its mistakes, so after 50 epochs it is
# already far behind. At 0.001 the small steps still help after 50 epochs. The configuration that makes the most of
# these small steps therefore lies clearly ahead, by more than the luck of 300 rows.
#
# On `close together`, fewer configurations win with 300 rows, three instead of five. But `most_wins` does not rise.
# With 300 rows it is 8. With 30 rows it is 9, and there it belongs to another configuration. The three that win with
# 300 rows are close, and the best two differ by only 0.001 nats in mean loss. Part of what decides among the three is
# the luck of training rows and seed, which more validation rows do not remove.
#
# **So:** a search chooses only as well as it can tell its trials apart. It tells them apart better the further they
# differ and the less luck their losses hold. That luck comes from the validation rows, the training rows and the seed.
# With many validation rows, believe a winner that is clearly ahead. Where the best configurations are close, more
# validation rows help little, and it matters little which you take.
#
# </details>

# %% [markdown]
# ## The winner lies on the edge. What now?
#
# Think of the loss as a surface over the hyperparameters. Eight trials are eight points of this surface, and a search
# sees nothing else of it. We return to iris and draw two maps for batches of 32, at 13 learning rates and every tenth
# epoch. The left map shows the validation loss, the right map the share of wrong answers. Each square is a mean over 40
# repeats, and darker is lower. White crosses are our grid's trials with batches of 32, and a ring marks the lowest
# square.
#
# scikit-learn's `ParameterGrid` lists all combinations of a grid, so that one loop can replace our three.

# %% tags=["readme-picture"]
from sklearn.model_selection import ParameterGrid

from hpt_helpers.classroom.drawing import plots

surface = studies.surface(n_epochs=100, n_repeats=40)
of_32 = surface.table(range(10, 101, 10)).query("batch_size == 32")
plots.maps(of_32, y="epochs", mark=ParameterGrid(GRID))

# %% [markdown]
# Follow the dark valley on the left map upwards. It leans to the left, because with more epochs smaller steps are
# enough. Each length of training therefore has a best learning rate of its own. To the right of the valley the loss
# rises again, but the share of wrong answers hardly does. Networks there are right almost as often as those in the
# valley, but far too sure where they are wrong. Many squares of the right map therefore hardly differ, and its ring
# lies far from that of the left map.
#
# At work you have no map. All you see is that the winner has the grid's largest learning rate. Such a winner lies on
# the **edge** of the grid, and something better may lie beyond. So you **extend** the axis, here by the learning rate
# 0.1. More trials can only lower the loss that a search reports. Is the winner a better model, too? To find out, we
# train each winner again on ten other draws of the 120 flowers, none of which had a part in choosing it. Its mean loss
# on these ten draws is called **fresh**.
#
# We search the extended grid in 40 repeats, in two ways. First each trial is scored on one draw of the rows, as before.
# Then each is scored by its mean loss over five draws. In the figure, each dot is a winner.
#
# - `1 draw chose 0.01` holds the winners that one draw chose and that have learning rate 0.01. The number in brackets
#   counts them.
# - `as_searched` is the loss with which they won, and `fresh` is their fresh loss.
# - The black bar is the median, and the box holds the middle half. The printed table repeats the medians. There
#   `chosen_by` is the number of draws that chose, and `accuracy` is the median accuracy on the ten other draws.
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
# Those with 0.01. When one draw chooses, 0.1 wins 13 of the 40 searches. By the loss as searched these winners look
# better, with a median of 0.032 against 0.091 for those with 0.01. But their median fresh loss is 0.255, against 0.103.
# The reason is that at 0.1 the loss varies greatly from draw to draw, which the next figure shows as a wide band. The
# loss at 0.1 is very low on some draws and high on most, and a search that sees one draw picks 0.1 mostly where that
# draw is a lucky one. A mean over five draws holds less luck, and when this mean decides, 0.1 wins none of the 40
# searches. Five draws make the mistake rare, but they do not rule it out.
#
# The winners with 0.1 are right almost as often as the others, with a median accuracy of 0.940 against 0.943. If you
# need right answers only, and not how likely they are, such a winner costs you little.
#
# **So:** extend the grid while the winner lies on its edge. But let several draws choose, or the folds of a
# cross-validation, before you believe a winner at a much larger learning rate. We saw this with 30 validation rows.
# With thousands, one draw holds less luck, and most of what is left comes from the training rows and the seed. Once the
# winner lies inside the grid, a finer grid around it pays only as far as repeats can tell its trials apart.
#
# Five draws cost five times as much. You can save most of that by repeating only the few best trials, the
# **finalists**. Lesson 2 measures when that pays.
#
# </details>

# %% [markdown]
# ## Is a batch of 16 better than one of 64?
#
# With six hyperparameters a full grid is out of reach, and it is tempting to tune one at a time. Say you hold the
# learning rate at about 0.003 and train for 100 epochs. In each of 40 repeats, batches of 16 then end with a lower loss
# than batches of 64. Let us call each such comparison a **duel**.
#
# Before you fix the batch size for good, count the steps. An epoch of 90 rows has six batches of 16, but only two of
# 64. In 100 epochs that makes 600 steps against 200. Now raise the learning rate to 0.01 and to about 0.03, and repeat
# the duels. In the figure, each line is the median loss of one batch size over the 40 repeats, and its band holds the
# middle half.
#
# **Predict:** at learning rate 0.03, which batch size wins most of the 40 duels?

# %%
from hpt_helpers.classroom.drawing.slider import Slider

duels = studies.duels(surface, [0.00316, 0.01, 0.03162], 16, 64, epoch=100)
print("of 40 duels at 0.003, 0.01 and 0.03, batches of 16 win", list(duels["wins_of_16"]))
curves = surface.table([10, 25, 50, 100])


def draw(epoch):
    return plots.response(curves, by="batch_size", at={"epochs": epoch})


Slider(draw, [10, 25, 50, 100], label="epochs", start=100)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Batches of 64. Batches of 16 win only 11 of the 40 duels. At 0.003 batches of 64 lose, because 200 small steps do not
# take the network down into the valley. At 0.03 batches of 16 lose most duels, because many of the 600 large steps come
# after the network has learnt what it can, and then it grows too sure. At 0.01 the 40 duels do not decide, with 19 wins
# for batches of 16.
#
# So batches of 64 do best at a larger learning rate than batches of 16. After 100 epochs the curve of batches of 64 has
# its lowest point at 0.01, and the curve of batches of 16 at 0.0056. Each at its best learning rate, the three batch
# sizes reach almost the same loss. Move the slider from 10 to 100, and all three lowest points end further left.
#
# **So:** compare batch sizes, each at its own best learning rate. If you cannot afford that, take a batch size that
# suits your machine and tune the learning rate for it. Between 16 and 64, doing so would have cost almost nothing here.
# Tune hyperparameters one at a time only where the best value of each does not depend on the others.
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
# The script breaks ties by the order of its loop. It has three more faults.
#
# ### Fault 1: chosen on the test rows
#
# The script chooses its winner by the accuracy on the test rows, and then reports this same accuracy. Every score is
# partly merit and partly the luck of 30 flowers, and the highest of many scores is likely to be a lucky one.
#
# How much too high is this report? We run the script on 150 other splits. A **split** is a draw that also chooses anew
# which 30 of all 150 flowers are test rows. Our own test flowers take part as well. That does no harm, because the
# lesson scores nothing else on them.
#
# The script tries a single configuration, the 8 of its grid, or the 56 of a finer grid. Here the test rows choose, and
# the validation rows have no part in the choice. The **optimism** of its report is the winner's accuracy on the test
# rows minus that on the validation rows, in percentage points.
#
# The table has a row for each number of trials, `n_trials`. The histogram shows the 150 splits with 56 trials.
#
# - `mean` and `sd` are the mean and the standard deviation of optimism over the splits.
# - `not_above_0` counts the splits in which optimism was zero or below.
#
# **Predict:** with 56 trials instead of 8, is the mean optimism more than twice as large, or less?

# %%
table = studies.optimism([1, 8, 56], n_splits=150)
optimism = table.groupby("n_trials")["optimism"]
told = optimism.agg(mean="mean", sd="std", not_above_0=lambda gaps: (gaps <= 0).sum())
print(told.round(2).reset_index().to_string(index=False))
plots.histogram(optimism.get_group(56), reference=0)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Less. Over these splits mean optimism grows from 1.8 points with 8 trials to 3.1 with 56, each with a standard error
# of half a point. These 3.1 points are nearly one flower of 30. With a single trial mean optimism is -0.2, practically
# zero, because nothing was chosen. Optimism grows with the number of trials, because each trial is another chance to be
# lucky. But it grows slowly, because a further trial adds something only where it beats the luckiest before it.
#
# The histogram shows why the fault is seldom noticed. From split to split optimism varies with a standard deviation of
# 5.7 points, nearly twice its mean. In 63 of the 150 splits it is zero or below. So one run cannot show you this fault.
# The mean of many such reports is still too high.
#
# **So:** choose by validation rows, and open the test rows once. With thousands of test rows optimism is smaller,
# because the luck in each score shrinks with the square root of the number of rows.
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
# In the other 16 draws the winners differ, because the best configurations are so close that the seed decides among
# them. Set a seed, so that others get your numbers. But the seed only fixes which of the close configurations wins.
#
# The last fault is in the axes. A training of 100 epochs contains one of 50, which the script trains separately as
# well. Its eight trials take 600 epochs, though the four long ones, with 400 epochs, would be enough. Train once to the
# largest number of epochs and read the shorter ones off its curve, unless a learning-rate schedule depends on where
# training ends.
#
# ## In practice
#
# scikit-learn's `GridSearchCV` scores every configuration several times, by **cross-validation**. It cuts the rows into
# five folds, and each fold judges networks that were trained on the other four. Scaling belongs in the `Pipeline`,
# which learns it anew for each fold from the training rows alone. `skorch_classifier` wraps our network as a
# scikit-learn classifier. scikit-learn maximises scores, and so it takes the negative loss.
#
# scikit-learn calls a configuration a **candidate**. All candidates share the folds, so compare them fold by fold.
#
# - `mean_loss` is the mean loss over the five folds.
# - `behind` is how much higher this mean is than that of the best candidate.
# - `needed` is how large `behind` must be before five folds show a difference, by a t-test at the 5 % level. It is
#   larger where the difference varies more from fold to fold. Both are 0 for the best candidate.

# %%
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers.classroom.lesson_01.skorch_network import skorch_classifier

raw = load_splits("iris", scaled=False)
network = skorch_classifier(raw, n_epochs=50)
pipeline = Pipeline([("scale", StandardScaler()), ("net", network)])
axes = {"net__lr": [0.001, 0.01], "net__batch_size": [16, 32]}
search = GridSearchCV(pipeline, axes, cv=5, scoring="neg_log_loss")
search.fit(*raw.search_rows())  # training and validation rows
studies.paired_folds(search, axes).round(3)

# %% [markdown]
# Learning rate 0.001 is further behind than `needed`, so drop that rate. At 0.01, batches of 32 are behind by less than
# `needed`, so five folds cannot tell which batch size is better.
#
# `studies.paired_folds(search, axes)` makes this table from a `GridSearchCV` of your own, fitted with any estimator and
# a single score. Take `needed` as a rough lower limit, because the folds share training rows and because the same folds
# chose the best candidate.
#
# ## The test score, once
#
# Thirty flowers could say little about a network that is mostly right, so we do not score a winner on our iris test
# rows. We end with a grid search on harder data, without the script's faults. The digits are 1,797 images of
# handwritten numerals, in ten classes. Of these images, 1,077 train, 360 validate, and 360 are test rows. The grid gets
# a third learning rate, 0.003, and the seed is fixed.
#
# This is how you search with the course's package. A **strategy**, here the grid, asks for trials. An **objective**,
# here `TrainingObjective`, trains them, and `run` records each. If a training with the same learning rate and batch
# size but fewer epochs exists, the objective continues it. `charged_epochs` counts only the epochs that a trial adds,
# so that 50 and then 100 epochs cost 100 and not 150. The table shows the five best of the 12 trials.

# %%
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search
from hpt_helpers.training_objective import TrainingObjective

digits = load_splits("digits")
grid = GRID | {"lr": [0.001, 0.003, 0.01]}
record = run(grid_search(ParameterGrid(grid)), TrainingObjective(digits))
columns = ["lr", "batch_size", "epochs", "charged_epochs", "val_loss", "val_accuracy"]
record[columns].nsmallest(5, "val_loss").round(3)

# %% [markdown]
# In this one search none of the five best trials has learning rate 0.01, which won all 40 repeats on iris. With 1,077
# training rows an epoch has 68 steps in batches of 16, not six, so smaller steps get far enough. Do not carry a
# learning rate from one data set to another. One search cannot tell which of the two smaller rates is better. Its five
# best trials differ by less than 0.01 nats, and other rows or another seed could change their order. Our rule takes the
# first.
#
# The validation rows have done their work, so `refit` trains on these rows too. Then we open the test rows.

# %%
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

chosen = config_of(record, incumbent(record))  # the trial with the lowest loss
model = refit(chosen, digits, n_epochs=chosen["epochs"])
print(chosen)
print("test accuracy:", digits.final_score(model))

# %% [markdown]
# Read the interval rather than the single number. Any true accuracy inside it fits what these 360 rows showed.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# **1.** Some teams rank by accuracy first. Write `winner(trials)` for them. `trials` is a list of dicts, each with
# `val_accuracy`, `val_loss` and `epochs`. Return the position, counted from 0, of the trial with the highest accuracy.
# Where that ties, take the lowest loss, and where that ties too, the fewest epochs.

# %%
from hpt_helpers.classroom.lesson_01 import exercises as ex


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
# another the score. Besides, training can diverge, and then the loss of the trial is nan, which means not a number. A
# trial that diverged must never be chosen, wherever it stands in the list.

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
#   need right answers only. Set a seed, so that others get your winner. A seed does not make the winner better.
# - **believe what repeats or folds confirm.** More validation rows confirm a winner that is clearly ahead. Among
#   configurations that are close, take the one that is cheapest to train.
# - **extend the grid** while its winner lies on an edge. With few validation rows, let several draws or folds choose
#   before you believe a much larger learning rate.
# - **choose axes by what the hyperparameters do.** Where two of them do the same to the model and more training still
#   helps, one axis serves for both. Compare batch sizes, each at its own best learning rate. Train once to the largest
#   number of epochs and read the shorter ones off its curve, unless a learning-rate schedule depends on where training
#   ends.
# - **report a score from rows that chose nothing.** The highest of many test scores is too high on average.
#
# </div>
#
# **Next:** [Random search](02_random_search.ipynb), which needs no lists of values. There you tune six hyperparameters.

# %% [markdown]
# ## Going further
#
# These studies are optional. One more exercise follows them.
#
# ### Which luck is larger?
#
# Say you can afford to repeat a search a few times. Should each repeat have other rows, another training seed, or both?
# What decides a search is the difference between the losses of two configurations. We take two that are close, batches
# of 16 and of 32 at learning rate 0.01 after 50 epochs. Both are trained on each of 20 draws of the rows under each of
# 20 seeds.
#
# Each dot is a standard deviation, and the black bar is the median.
#
# - `loss` is the loss of the first configuration, and `difference` is the difference of the two losses.
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
# The rows. In this figure they change the difference about twice as much as the seed does, and the loss itself more
# than three times as much. A draw with difficult flowers raises the losses of both configurations, and this rise
# cancels in the difference. What does not cancel is still larger than the effect of the seed. A likely reason is that
# the two networks do not find quite the same flowers difficult, and among 30 rows a few such flowers weigh much.
#
# **So:** repeat over both, which Bouthillier et al. (2021) advise for benchmarks as well. Where you repeat over only
# one of the two, let it be the rows, as cross-validation does. We saw this with 30 validation rows. With more
# validation rows, the luck that comes from them shrinks. The luck of the training rows and of the seed stays.
#
# </details>

# %% [markdown]
# ### At equal steps
#
# Batches of 64 had a larger best learning rate than batches of 16. That may come from the steps, of which larger
# batches make fewer in an epoch, or from the batch size itself. To find out, we compare the three batch sizes after
# about 200 steps each. An epoch has six steps in batches of 16, three in batches of 32 and two in batches of 64. In the
# table, `best_lr` is the learning rate with the lowest mean loss.
#
# **Predict:** does a larger batch still have a larger best learning rate?

# %%
studies.best_rates(surface, {16: 33, 32: 67, 64: 100}).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. The best learning rate is now 0.018 for batches of 16 and 0.010 for the other two batch sizes. So a larger batch
# no longer has the larger best learning rate. The reason is that after the same number of steps at the same rate, a
# weight can have travelled equally far with any of the three batch sizes.
#
# **So:** here the batch size acted mostly through the number of steps. Shallue et al. (2019) found that where studies
# disagree about what the batch size does to a model, the reason is largely how each batch size was tuned and how long
# each training lasted.
#
# </details>

# %% [markdown]
# ### Nested cross-validation
#
# `GridSearchCV` reports as `best_score_` the very score by which its winner was chosen. **Nested** cross-validation
# holds one fold out, chooses by cross-validation within the others, and scores the choice on the fold that was held
# out. It does so with each fold in turn. Let us call the accuracy by plain cross-validation minus that by nested
# cross-validation the **gap**. We measure the gap in percentage points, over 10 ways of folding the 120 flowers. The
# small grid has 8 candidates, with 25 and 50 epochs, and the large one has 260.
#
# **Predict:** with 8 candidates, is the gap larger than one point?

# %%
import numpy as np

from hpt_helpers.classroom.lab.statistics import mean_and_error

small = GRID | {"epochs": [25, 50]}
large = GRID | {"lr": np.geomspace(0.001, 0.1, 13), "epochs": range(5, 51, 5)}
for name, one in {"8 candidates": small, "260 candidates": large}.items():
    gap = studies.nested_gap(one, n_repeats=10)
    print("{}: {:.1f} ± {:.1f} points".format(name, *mean_and_error(gap)))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. The gap is 0.5 points with 8 candidates and 1.7 with 260, because the highest of many scores holds more luck. The
# number after ± is the standard error over the 10 foldings. It does not count the luck of these 120 flowers, so with
# other flowers the gap could differ by more than that. Part of the gap is not luck. Nested cross-validation makes its
# choice from fewer rows, and so it may choose a slightly worse candidate.
#
# **So:** with 120 rows and a handful of candidates, plain cross-validation reports less than one point too much here,
# which seldom matters. With hundreds of candidates, use nested cross-validation or keep test rows. Cawley and Talbot
# (2010) show that this kind of error is often about as large as the differences between learning algorithms.
#
# </details>

# %% [markdown]
# ### Another machine, the same seed
#
# Different processors round differently. To imitate another machine, `rounding_sensitivity` trains twice, the second
# time from weights that differ by as little as a rounding error. We do that on digits with learning rate 0.01 and then
# with 0.1, where each step is ten times as large.
#
# **Predict:** at 0.1, do the two losses stay within 0.01 of each other for all 30 epochs?

# %%
from hpt_helpers.classroom.lab.rounding import rounding_sensitivity

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
# No. At 0.01 the difference stays as small as a rounding error. At 0.1 the steps overshoot, and so they multiply the
# difference. After about six epochs the two trainings have become different ones.
#
# **So:** a winner at a very large learning rate may not be reproduced on another machine, even with the same seed. Each
# data set of the course has a bound, `max_lr`, up to which this does not happen. It is 0.1 for iris and 0.01 for
# digits. Except in this study, the course's learning rates keep to the bound.
#
# </details>

# %% [markdown]
# ### Results that outlive their cell
#
# The script makes its list of results in a line of its own. In a notebook such a line may stand in a cell of its own,
# and that is one more fault. To see why, paste these two lines into two new cells below, and run the second one twice.
#
# ```python
# results = []
# ```
# ```python
# results += ParameterGrid(GRID); print(len(results))
# ```
#
# Each further run adds the same eight results once more, and every count afterwards is wrong. The next cell makes its
# list in the line that fills it, so you can run the cell as often as you like.

# %%
results = [*ParameterGrid(GRID)]
print(len(results), "trials")

# %% [markdown]
# ### How our rows were drawn
#
# A draw decides which rows train and which validate, and a convenient draw would flatter every search. The draw that
# `load_splits` gives you was chosen by a rule. For each data set, draws 0 to 19 were put in order of how low a
# validation loss they allow, and the tenth was taken. `hpt_helpers.classroom.lab.draws` repeats this choice.
#
# ### One more exercise
#
# **4.** On 30 validation rows an accuracy of 0.9 has a wide Wilson interval, which is the kind of interval printed with
# the test score. How many validation rows would make the interval ten times narrower at the same accuracy? (200 more or
# fewer are fine.)

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
