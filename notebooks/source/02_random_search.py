# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Random search: draw configurations at random
#
# A training takes two hours, and your model has six hyperparameters. A grid of two values for each has 64
# combinations. That is more than five days of computing, and after five days you have tried two learning rates.
#
# Random search draws every trial anew, so 64 trials try 64 learning rates. Is that better than a grid? How many trials
# are enough? And when should you stop searching, and spend your computing on something else? **The last question is
# easily forgotten, because the loss that a search reports goes on falling.**
#
# **Time:** core path 60 minutes, exercises 18 minutes, going further 27 minutes. **Builds on:**
# [Grid search](01_grid_search.ipynb). Unknown words are in the [glossary](../docs/glossary.md).
#
# ## 1. What does random search draw?
#
# Here are nine trials of two hyperparameters, of which only the horizontal one matters. The curve above each square
# shows the loss, which is made up for this drawing.

# %%
from hpt_helpers.classroom.drawing import diagrams

diagrams.grid_and_random(3)

# %% [markdown]
# The grid tries three values of the hyperparameter that matters, each of them three times. Every random trial tries a
# new value. This is the classic argument for random search (Bergstra and Bengio, 2012).
#
# We tune a network that reads handwritten digits, in images of 8 × 8 pixels. It has one hidden layer and trains on 320
# rows for 27 epochs in batches of 32. The cross-entropy of lesson 1 judges it on 360 other rows, in nats. Six
# hyperparameters are open:
#
# - `lr` is the learning rate.
# - `hidden_size` is the number of hidden units.
# - `weight_decay` pulls all weights towards 0 at each step.
# - `beta1` is the part of the last direction that the optimiser, Adam, keeps at each step.
# - `label_smoothing` is the part of each label that is spread evenly over the ten digits.
# - `init_scale` multiplies the random first weights.
#
# Where a grid has lists of values, random search has **distributions**. To draw one value from each is the whole
# strategy:

# %%
def random_config(rng):
    return {
        "lr": 10 ** rng.uniform(-4, -2),
        "hidden_size": round(2 ** rng.uniform(1, 5)),
        "weight_decay": 10 ** rng.uniform(-4, 0),
        "beta1": rng.uniform(0.5, 0.99),
        "label_smoothing": rng.uniform(0, 0.3),
        "init_scale": 0.3 * 10 ** rng.uniform(0, 1),
        "batch_size": 32,
    }

# %% [markdown]
# In Going further scikit-learn's `ParameterSampler` makes such draws, too. Here are the best three of nine trials.

# %%
import numpy as np
import pandas as pd

from hpt_helpers.data import load_splits
from hpt_helpers.training import fit

splits = load_splits("digits", draw=0, n_train=320, n_val=360)
rng = np.random.default_rng(0)
configs = [random_config(rng) for _ in range(9)]
losses = [fit(config, splits, n_epochs=27).val_loss[-1] for config in configs]
pd.DataFrame(configs).assign(val_loss=losses).nsmallest(3, "val_loss").round(4)

# %% [markdown]
# `lr`, `hidden_size`, `weight_decay` and `init_scale` were drawn as powers, with evenly drawn exponents. Such draws are
# **log-uniform**, and each factor of ten gets equally many of them. This suits a learning rate, because you change it
# by a factor. After 0.001 you try 0.002, and after 0.01 you try 0.02, not 0.011.
#
# What if you forget this, and draw the learning rate itself evenly between 0.0001 and 0.01? Counted in factors, half of
# this range lies below 0.001.
#
# **Predict:** which share of 500 evenly drawn learning rates lies below 0.001?

# %%
from hpt_helpers.classroom.drawing import plots

rng = np.random.default_rng(0)
draws = pd.DataFrame({
    "evenly": rng.uniform(0.0001, 0.01, 500),
    "log-uniform": 10 ** rng.uniform(-4, -2, 500),
})
plots.spread(draws.melt(var_name="distribution", value_name="lr"), log=True)
(draws < 0.001).mean().round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Only 0.09. An even draw counts distance, and the distance from 0.0001 to 0.001 is less than a tenth of the distance
# from 0.0001 to 0.01.
#
# **So:** draw log-uniformly whatever you would change by a factor, such as learning rates, penalties and sizes. Draw
# evenly what you would change by adding, such as a fraction between 0 and 1.
#
# </details>

# %% [markdown]
# From here on we repeat whole searches, thousands of times. Every trial was trained ahead of this lesson, and a table
# keeps the losses. The table has 30 repeats. As in lesson 1, a **repeat** is a new draw of training and validation rows
# together with a new training seed. Each repeat has 1,000 random configurations of its own.
#
# Each configuration was trained four more times, on other rows and under other seeds. The mean of these four losses is
# its **fresh loss**. No search chooses by the fresh loss, so it says what a configuration is worth.
#
# To check the table, the next cell trains three configurations again, each given by its `position` from 0 to 999 and
# its `repeat` from 0 to 29. `trained` and `fresh_trained` are the new losses, beside those in the table. `difference`
# is the larger of the two differences.

# %%
from hpt_helpers.classroom.tables.table import train_again

train_again("digits", [(3, 0), (512, 29), (777, 14)], n_val=360).round(5)

# %% [markdown]
# ## 2. Which hyperparameters matter?
#
# Take the 30,000 random configurations of the table, and the logarithms of their fresh losses. The part of the
# logarithms' variance that a hyperparameter explains by itself, whatever the others are, is its **share of the
# variance**. In the figure this share stands above each panel. The dots are 1,000 of the configurations, and the blue
# line joins the medians of ten groups of equal size.
#
# Think of the ranges. The learning rate spans a factor of 100, and a training makes only 270 steps, ten in each of 27
# epochs. The hidden layer has 2 to 32 units, which have to tell ten digits apart. `weight_decay` spans a factor of
# 10,000, and `init_scale` a factor of ten. `label_smoothing` reaches 0.3, and `beta1` 0.99.
#
# **Predict:** how many of the six have a share of the variance above 0.1?

# %%
from hpt_helpers.classroom.lesson_02 import studies
from hpt_helpers.classroom.tables.readings import shares_of_variance

pool = studies.pool("digits")  # 30 repeats of 1,000 configurations
shares = shares_of_variance("digits").set_index("hyperparameter")["alone"]
plots.each_against(pool, studies.SPACE, shares=shares)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Two. The learning rate has a share of 0.54 and the hidden size one of 0.33, because a network that took small steps,
# or has few units, has learned little after 270 steps. The weight decay has the widest range, but a share of 0.00.
# Label smoothing has a share of only 0.02, but look at the lowest dots of its panel. Among good configurations less
# smoothing is clearly better.
#
# **So:** in these wide ranges two hyperparameters explain most of how the loss varies. Which ones they are depends on
# the ranges. Plot such dots for the trials of your first search, and narrow the ranges of the hyperparameters that
# matter. Then search and look again, because others may matter among good configurations.
#
# </details>

# %% [markdown]
# ## 3. Grid or random draws?
#
# You have 27 trainings. The hyperparameters that a search varies are its **axes**. With three values for each of six, a
# grid would need 729 trainings, so you choose three axes, the learning rate, the hidden size and the weight decay. The
# other three stay at their usual values, which are 0.9 for `beta1`, no label smoothing and 1 for `init_scale`. Your
# colleague lets all six vary, and makes 27 random draws. Both search in each of 30 repeats, on 360 validation rows.
#
# The first row of the table is this duel. Each other row is a grid on other axes, against as many random draws of all
# six. A grid on two axes has four values for each, one on three has three, and one on all six has two. These values are
# the middles of the quarters, thirds or halves of each range. Where `lr`, `hidden_size` or `weight_decay` is no axis,
# it stays at 0.001, 16 or 0.
#
# - `grid` and `random` are the medians of the winners' fresh losses.
# - `grid_wins` and `random_wins` count the repeats in which that search has the better winner.
#
# **Predict:** in how many of 30 repeats does the grid in the first row have the better winner?

# %%
grids = [
    ("lr", "hidden_size", "weight_decay"),
    ("lr", "hidden_size"),
    ("lr", "weight_decay"),
    ("weight_decay", "beta1"),
    ("weight_decay", "beta1", "label_smoothing"),
    tuple(studies.SPACE),
]
studies.grids_against_random(grids).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In 27 of 30. The drawing in section 1 suggests the opposite. But this grid leaves three hyperparameters at values that
# are good already. Random draws vary all six, and for a good configuration nearly every label smoothing that they draw
# is worse than none.
#
# A grid pays for wrong axes. Without the learning rate it wins in 2 of 30 repeats or in none, because the usual rate of
# 0.001 is too small for 270 steps. The grid on all six wins in only 5 of 30, partly for the reason in the drawing.
# Half of its trials have the smaller learning rate and half the smaller layer, so only a quarter avoid both.
#
# **So:** a grid is a bet on its axes. It wins with few axes, if every other hyperparameter that matters stays at a good
# value. Random draws of all six are safer. Their medians, from 0.240 to 0.281, lie between the best grid, at 0.192, and
# the worst, at 0.520.
#
# </details>

# %% [markdown]
# The grids that won are regular, and they have fewer axes than the random draws. Which of these two differences made
# them win? Take the grid in the second row, on the learning rate and the hidden size. A third search draws these two at
# random, with the others at their usual values. All three make 16 trials. `fresh` is the median of the winners' fresh
# losses, and the counts say in how many repeats the row's search beats that of the column.
#
# **Predict:** in how many of 30 repeats does "random on two" beat "random on six"?

# %%
studies.random_on_axes(("lr", "hidden_size")).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In 27 of 30, as often as the grid does. Between the grid and random draws on the same two axes there is no clear
# winner, at 18 to 12 for the grid. So most of the lead came from the choice of axes, which lowers the median from
# 0.281 to 0.211.
#
# **So:** do not ask "grid or random?" first. Ask which hyperparameters can stay at their usual values, and search only
# the others. If you do not know, draw all of them at random, plot your trials as in section 2, and search again.
#
# </details>

# %% [markdown]
# ## 4. How many trials?
#
# You would be content with one of the best 5 % of all configurations. Call this share of the configurations $p$, here
# 0.05. A random draw is one of them with probability $p$, and misses them with probability $1 - p$. All $n$ draws miss
# with probability $(1 - p)^n$. So at least one of them hits with probability $1 - (1 - p)^n$.
#
# **Predict:** how many draws are needed to hit the best 5 % with a probability of 0.95? Then move the slider, which
# sets $p$.

# %%
from hpt_helpers.classroom.drawing.slider import Slider


def chance_of_a_hit(share):
    n = np.arange(1, 301)
    hit = 1 - (1 - share) ** n
    needed = n[hit >= 0.95][0]
    loss = pool["fresh"].quantile(share)
    title = f"Best {share:.0%}, losses up to {loss:.2f}: {needed} trials for 0.95"
    return plots.lines(
        n, {"a hit": hit}, x_label="trials", y_label="probability", title=title, from_0_to_1=True
    )


Slider(chance_of_a_hit, [0.2, 0.1, 0.05, 0.02, 0.01], label="best share", start=0.05)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It takes 59, because $0.95^{59}$ is the first power of 0.95 below 0.05. For any small $p$ it is about three divided by
# $p$, and the number of hyperparameters does not enter. But the formula counts ranks only, and says nothing about how
# low the losses of the best 5 % are. In our table they go up to 0.32. If you searched learning rates below 0.001 only,
# 59 trials would be as likely to hit the best 5 %, but these would be far worse.
#
# **So:** plan a first search by the formula, with 60 trials for the best 5 % and 300 for the best 1 %. These are the
# best of the space that you draw from, which may be bad.
#
# </details>

# %% [markdown]
# The formula promises that a good trial is **met**. The search must also recognise this trial, by its loss on some
# validation rows.
#
# ## 5. When do more trials stop paying?
#
# Your search reports a loss that looks excellent. The winner may be a good configuration, or the rows that judged it
# may have been kind.
#
# To tell the two apart we vary the number of validation rows. The digits have too few rows for that, so we turn to
# simulated data with 60,000 rows. We chose the recipe of these data among several on one seed, and `docs/testbed.md`
# has three other seeds. We tune the same network, with every hyperparameter except `init_scale`. Random search tries 1,
# 3, 9, 27, 81 and 243 configurations, judged by 10, 30, 300 or 2,000 validation rows.
#
# Half of all configurations have a fresh loss below 1.11. One in ten is below 0.69, one in 30 below 0.63, one in 100
# below 0.60. With 10 validation rows, luck moves the loss of each good configuration up or down by about 0.13, compared
# with the others.
#
# In the figure a solid line, labelled *reported*, is the loss that searches report. A dashed line of the same colour,
# labelled *worth*, is the fresh loss of their winners. Points are medians of 600 searches in 30 repeats. The table
# above the figure holds the dashed lines.
#
# **Predict:** with 10 rows, after how many trials does the dashed line stop falling?

# %%
n_trials = [1, 3, 9, 27, 81, 243]
dial = studies.trials_and_rows("simulated", n_trials=n_trials, n_val=[10, 30, 300, 2000])
plots.reported_and_worth(dial)
studies.worth(dial).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# After about 27. From there to 243 trials, at nine times the cost, the fresh loss goes from 0.672 to 0.670, while the
# reported loss goes on falling. With 30 rows the dashed line falls a little further, from 0.655 to 0.643. With 300 and
# 2,000 rows it falls to 0.605 and 0.601.
#
# Most configurations differ so much that even 10 rows can tell them apart. Good configurations differ by less than the
# luck of 10 rows, so from about 27 trials on the search finds luckier trials, not better ones. More rows shrink this
# luck. The luck of a single training, of its seed and its training rows, remains, so even with 2,000 rows a winner is
# a little worse than it looks.
#
# **So:** a falling report alone does not show progress. Whether more trials pay depends on your validation rows, and
# on how much good configurations differ. With hundreds of rows more trials go on paying here, but slowly. On the
# digits' wide ranges they pay even with 30 rows, as Going further shows. In narrow ranges near the optimum they gain
# less (`docs/testbed.md`).
#
# </details>

# %% [markdown]
# ## 6. Twenty more trials, or five finalists?
#
# Without fresh losses you can still see whether the luck of the rows decides. Take your ten best trials, and compare
# each of the other nine with the winner, row by row on the same validation rows. The mean difference says how far a
# trial is behind. The **standard error** of this mean says how much of it may be luck of the rows. The luck of the
# training seed is not included. A trial that is behind by less than two standard errors is **tied** with the winner.
#
# Here is this check for one search of 81 trials, judged by 30 rows. The code needs only the loss of each validation
# row, which is minus the logarithm of the probability that your model gave to the row's true class. In scikit-learn,
# with classes numbered from 0, that is `-np.log(model.predict_proba(X)[np.arange(len(y)), y])`.

# %%
losses = studies.row_losses("simulated", repeat=0, n_val=30)  # shape (10, 30), the winner first
behind = losses[1:] - losses[0]
error = behind.std(axis=1, ddof=1) / np.sqrt(30)
tied = behind.mean(axis=1) < 2 * error
print("tied with the winner:", tied.sum(), "of 9")

# %% [markdown]
# Most of the nine are tied, so it is open which of the ten is best. Repeats differ, so read this number only as few or
# many. Instead of trying more, you could train the best few, the **finalists**, again on new splits, and take the one
# with the lowest mean of the new losses. A new split divides the training and validation rows anew, into parts of the
# same sizes.
#
# At equal cost, one search makes 81 trials. The other makes 61, and then trains its best five on four new splits.
#
# - `tied` is the mean number of ties among nine, after 81 trials.
# - `trials_promise` and `finalists_promise` are the winner's fresh loss minus the loss that it won with, on average.
#   They say by how much the winner is worse than it looked.
# - `trials_win` and `finalists_win` count in how many of 30 repeats each has the winner with the lower fresh loss. In
#   the other repeats both chose the same one.
#
# **Predict:** on the simulated data, with how many rows do the finalists win most often, 30, 300 or 2,000?

# %%
cases = [("simulated", n_val) for n_val in (30, 300, 2000)] + [("digits", 30)]
studies.equal_cost(cases).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# With 30, where they win 16 to 8. There about seven of nine are tied, and retraining helps to tell them apart. With 300
# rows they win 11 to 9. With 2,000 rows it is 7 to 7, because one of nine is tied and little is left to tell apart. On
# the digits even 30 rows leave few ties, because good configurations differ by more than luck. There the finalists win
# 3 and lose 9.
#
# On three other seeds of the simulated data finalists also gained most with few rows. On the digits, with 30 rows, no
# gain was clear (`docs/testbed.md`).
#
# Finalists also report a more honest loss in every row. With 30 simulated rows the winner of 81 trials is worse by
# 0.115 than it looked, and that of the finalists by 0.035.
#
# **So:** count the ties before you pay for more trials. If most are tied, retrain a few, or get more validation rows.
# At about four of nine, as with 300 rows here, retraining helped the choice only a little.
#
# </details>

# %% [markdown]
# ## 7. What would a thousand colleagues report?
#
# This course grew from a script that draws five of 27 combinations with Python's `random.choice`, and keeps the most
# accurate. The draws have no seed. Say that a thousand colleagues run this script on the same rows, over the 27
# combinations of the first grid in section 3.
#
# **Predict:** with five draws, are more than half of the 27 combinations the winner of at least one colleague?

# %%
for n_draws in (5, 15):
    reports = studies.colleagues(grids[0], n_draws=n_draws, n_people=1000)
    n_winners, behind = reports["combination"].nunique(), reports["behind"].median()
    print(f"{n_draws} draws: {n_winners} winners, the middle one {behind:.3f} behind the best")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes, 21 are. A combination wins whenever it is drawn and none of the other four draws is better. Even for the 20th
# best this happens to about one colleague in a thousand. Half of the colleagues end 0.011 or more below the best
# accuracy. With 15 draws there are still 10 winners, but half of the colleagues are within 0.003.
#
# **So:** five draws from 27 combinations are a lottery. A seed lets others repeat your search, but only more draws
# made it better here.
#
# </details>

# %% [markdown]
# ## In practice
#
# scikit-learn's `RandomizedSearchCV` draws from scipy's distributions, and judges each draw on several folds. Here it
# tunes gradient boosting on the 2,320 training and validation rows of the simulated data.

# %%
from scipy.stats import loguniform
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import RandomizedSearchCV

rows = load_splits("simulated", draw=0, scaled=False).search_rows()
space = {"learning_rate": loguniform(0.01, 1), "max_leaf_nodes": [4, 8, 16, 32, 64]}
model = HistGradientBoostingClassifier(max_iter=50, random_state=0)
search = RandomizedSearchCV(
    model, space, n_iter=6, cv=3, scoring="neg_log_loss", random_state=0
).fit(*rows)
results = pd.DataFrame(search.cv_results_).nlargest(4, "mean_test_score")
results.filter(regex="param_|split._test").round(3)

# %% [markdown]
# Scores are negative losses, so higher is better, and "test" means the fold that was held out. The folds differ by
# more than the first two configurations do. But all configurations share the folds, and the first is ahead in each
# fold. So compare fold by fold, as section 6 compared row by row.
#
# ## The test score, once
#
# We keep the digits network that wins 81 trials on 360 rows. `refit` trains it on training and validation rows
# together. Then the test rows, which no choice has used, judge it.

# %%
from hpt_helpers.training import refit

chosen = studies.winner("digits", repeat=0, n_val=360, n_trials=81)
model = refit(chosen, splits, n_epochs=27)
print("test accuracy", splits.final_score(model))

# %% [markdown]
# Report the interval with the accuracy. The interval spans five percentage points, so two such scores that differ by
# one point do not show which network is better.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# ### Exercise 1: how many trials?
#
# Write `trials_needed(top_share, confidence)`. It returns the smallest number of random draws of which at least one
# hits the best `top_share` with a probability of at least `confidence`. A `top_share` of 0.05 is the top 5 %, and a
# `confidence` of 0.95 is 95 %.

# %%
from hpt_helpers.classroom.lesson_02 import exercises as ex


def trials_needed(top_share, confidence):
    return ...


ex.q1.check(trials_needed)

# %% [markdown]
# ### Exercise 2: repair the draws
#
# Repair `random_configs(n, seed)`, which has three faults. It should return a list of `n` configurations, each drawn
# independently of the others. `lr` lies between 0.0001 and 0.1, and is uniform in its logarithm. `batch_size` is an
# integer from 16 to 64, both included, and all are equally likely. The same seed should give the same list, and another
# seed another list.

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
# A search draws sixty random configurations, trains each once and returns the one with the lowest validation loss.
# What can be said before it has run?
#
# - **a** One or more of the sixty will belong to the best 5 % of what this sampler draws, with a probability of about
#   0.95. The one returned need not be one of them.
# - **b** The one returned will belong to the best 5 %, with a probability of about 0.95.
# - **c** The loss of the one returned will be within 5 % of the lowest possible, with a probability of about 0.95.
#
# Because:
#
# - **1** sixty trials cover most of the space.
# - **2** the lowest loss of sixty shows the best configuration of sixty.
# - **3** the formula counts ranks among all configurations. It knows neither the losses nor the luck of a single
#   training.

# %%
answer_3 = ...  # a letter and a number in quotes, such as "a1"

ex.q3.check(answer_3)

# %% [markdown]
# ## Your own problem
#
# You have a table of 50,000 rows and a model with six hyperparameters.
#
# **Ranges.** Most of these come from Zhang et al. (2023) and Eggensperger et al. (2021).
#
# | kind | for example | range | draw evenly |
# |---|---|---|---|
# | step size | learning rate of a network | 0.000001 to 0.1 | its logarithm |
# | step size | learning rate of boosting | 0.001 to 1 | its logarithm |
# | penalty | L2 penalty of boosting | 0.001 to 1,000 | its logarithm |
# | size | hidden units | 32 to 1,024 | its logarithm |
# | fraction | columns that each tree sees | 0.1 to 1 | itself |
# | small count | layers of a network | 1 to 6 | itself |
# | length | epochs, rounds of boosting | read it off the curve (lesson 1) | – |
#
# **How many validation rows are enough?** In section 6, 2,000 rows left one tie in nine on the simulated data, and 30
# rows left two or three on the digits. Begin with some 2,000, run 60 trials and count your ties. An AUC is no mean
# over rows: count ties by the cross-entropy instead. With gradient boosting on 50,000 rows, going on from 27 to 81
# trials paid with 3,000 validation rows, but not with 30 (`docs/testbed.md`).
#
# **Holdout or folds?** With few ties a holdout is probably enough, though we did not compare it with folds here. With
# many ties prefer finalists. Five folds multiply the cost of every trial by five, whereas retraining the finalists
# took a quarter of the trainings in section 6. Nagler et al. (2024) found that a holdout often chooses as well as
# folds if each trial gets a new split.
#
# **A subsample first.** The search of Klein et al. (2017) learns from small parts of the training rows, and was often
# 10 to 100 times faster than others. Keep all validation rows, because they tell trials apart (section 5). Train the
# finalists on all training rows, perhaps with another learning rate (lesson 1).
#
# **Groups and time.** All this assumes independent rows. If several rows belong to one customer, keep each customer on
# one side of every split. To predict the future, validate on rows that come after those you train on. scikit-learn has
# [`GroupKFold` and `TimeSeriesSplit`](https://scikit-learn.org/stable/modules/cross_validation.html).
#
# **When can you do without repeats?** With few ties one search on one split chooses about as well as finalists. But its
# winner is still worse than it looked, by 0.026 with 2,000 rows in section 6, so train it again on a new split, and
# report the loss that it has there.
#
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# With your own table you will
#
# - **draw log-uniformly** whatever you would change by a factor.
# - **choose axes before you choose a search.** Leave a hyperparameter at its usual value if you know that value to be
#   good. If you do not know, draw everything at random, and see which hyperparameters matter.
# - **plan trials by** $1 - (1 - p)^n$, and remember that the formula counts ranks, and promises only that a good trial
#   is met.
# - **count the ties among your ten best** before you pay for more trials. If most are tied, get more rows or retrain
#   finalists. If few are tied, do not expect a better winner from retraining.
# - **expect a higher loss than the reported one.** With few rows the reported loss goes on falling even when the search no
#   longer finds anything better.
#
# </div>
#
# **Next:** [Bayesian optimisation](03_bayesian_optimization.ipynb), which learns from the trials it has made.

# %% [markdown]
# ## Going further
#
# ### The same picture on digits
#
# On the simulated data 10 rows soon could not tell good configurations apart. On the digits we compare 30 and 360 rows.
# The last row of the table in section 6 counts the ties that 30 rows leave there.
#
# **Predict:** with 30 rows on the digits, does the dashed line still fall between 81 and 243 trials?

# %%
digits = studies.trials_and_rows("digits", n_trials=n_trials, n_val=[30, 360])
plots.reported_and_worth(digits)
studies.worth(digits).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It does, from 0.239 to 0.222, and with 360 rows a little more, from 0.231 to 0.206. Good configurations differ by more
# on the digits, so 30 rows can tell them apart for longer. With 30 rows the reported loss is too low here as well, but
# with 360 rows it hardly is.
#
# **So:** the same number of rows can go further in one problem than in another. Ties tell you which problem you have.
#
# </details>

# %% [markdown]
# ### Draws that repeat
#
# Independent draws from lists may give the same combination twice. Where everything is a list, scikit-learn's
# `ParameterSampler` draws without replacement, as one draws cards from a deck. The table compares the two for several
# numbers of `draws`.
#
# - `a double` is the probability that some combination comes more than once in independent draws.
# - `different` is the mean number of different combinations in independent draws.
# - `deck` is the number of different combinations that `ParameterSampler` draws.
#
# **Predict:** in ten independent draws from 27 combinations, how likely is it that some combination comes more than
# once?

# %%
from sklearn.model_selection import ParameterSampler

lists = {"lr": [0.01, 0.001, 0.0001], "batch_size": [16, 32, 64], "hidden_size": [8, 16, 32]}
n = np.array([5, 10, 27])
no_double = [np.prod(1 - np.arange(k) / 27) for k in n]
different = 27 * (1 - (1 - 1 / 27) ** n)  # 27 cards, each missed by all draws or not
deck = [len({tuple(c.values()) for c in ParameterSampler(lists, k, random_state=0)}) for k in n]
table = {"draws": n, "a double": 1 - np.array(no_double), "different": different, "deck": deck}
pd.DataFrame(table).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# With probability 0.851, because ten draws make 45 pairs, and the two draws of a pair agree once in 27. In 27
# independent draws about 17 different combinations appear. The deck shows all 27, so it is the grid in another order.
#
# **So:** draw lists without replacement. Where a space has a continuous distribution, nothing repeats.
#
# </details>

# %% [markdown]
# ### Settings that exist only beside others
#
# Take a support vector machine with one of two kernels, of which only one has a `gamma`. Its space is **conditional**,
# and is written as a list of spaces, here one for each kernel. `ParameterSampler`, and so `RandomizedSearchCV`, takes
# such a list. Where a distribution is continuous, the sampler cannot count the configurations of a space.
#
# **Predict:** the space of `rbf` has one dimension more. Will `rbf` get more than half of 200 draws?

# %%
C = loguniform(0.01, 100)
branches = [
    {"kernel": ["linear"], "C": C},
    {"kernel": ["rbf"], "C": C, "gamma": loguniform(1e-4, 1)},
]
drawn = pd.DataFrame(ParameterSampler(branches, 200, random_state=0))
print("without gamma:", drawn["gamma"].isna().mean())
drawn.head(4).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. About half of the draws, 0.525, have no `gamma`, because the sampler first draws one of the two spaces, each with
# the same probability. Where all spaces hold lists only, the sampler draws among all combinations instead.
#
# **So:** put a hyperparameter that only one choice uses inside that choice's space. You may not find a better winner
# this way, but every value in the table of trials is then one that a training used.
#
# </details>

# %% [markdown]
# ### What would fewer trials have found?
#
# You have made 81 trials. Would nine have done? The 81 losses can say what a search of nine trials *reports*. That is
# the lowest of nine of your losses, averaged over all choices of nine. Papers that report this average let readers
# compare searches of different lengths (Dodge et al., 2019).

# %%
import math


def expected_best(losses, n):
    """Return the mean of the lowest of n of these losses, drawn without replacement."""
    N = len(losses)
    chance = [math.comb(N - 1 - rank, n - 1) / math.comb(N, n) for rank in range(N)]
    return np.sort(losses) @ chance

# %% [markdown]
# We compare this average, the `estimate` from 81 trials on the digits, with the lowest of $n$ `new` trials. The column
# `trials` is $n$. `estimate` and `new` are means over the 30 repeats, and `spread` is the standard deviation of the
# estimate from repeat to repeat.
#
# **Predict:** for n = 9, is the estimate too low, too high, or about right?

# %%
from hpt_helpers.classroom.lesson_02 import further

further.estimates(expected_best).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About right, 0.394 against 0.391, because any nine of your 81 trials are nine random draws. But a single search has
# only one estimate, and estimates vary by 0.036 from repeat to repeat.
#
# **So:** report the estimates for several $n$. If you have several repeats, report their spread as well. If you have a
# single search, say that such estimates vary. Remember that an estimate says what searches report, not what their
# winners are worth. What winners are worth on the digits is in the first section of *Going further*.
#
# </details>

# %% [markdown]
# ### Exercise 4: the expected best accuracy
#
# Write `expected_best_accuracy(accuracies, n)`: from the list `accuracies`, in any order, `n` values are drawn with
# replacement. What is the highest of them on average? Compute it exactly, without simulation.

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
# al. (2019), Show Your Work: Improved Reporting of Experimental Results, *EMNLP-IJCNLP*. Eggensperger et al. (2021),
# HPOBench, *NeurIPS Datasets and Benchmarks*. Klein et al. (2017), Fast Bayesian Optimization of Machine Learning
# Hyperparameters on Large Datasets, *AISTATS*. Nagler et al. (2024), Reshuffling Resampling Splits Can Improve
# Generalization of Hyperparameter Optimization, *NeurIPS*. Zhang, Lipton, Li and Smola (2023), Dive into Deep Learning,
# chapter 19.
