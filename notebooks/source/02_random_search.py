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
# A training takes two hours, and your model has six hyperparameters. A grid of two values for each has 64
# combinations: more than five days. And after five days you have tried two learning rates.
#
# **When do random draws beat a grid, when not, and what is their winner worth?**
#
# **Time:** core path 57 minutes, going further 20 minutes. **Builds on:** [Grid search](01_grid_search.ipynb).
#
# ## The idea in one picture
#
# Nine trials, two hyperparameters, and only the horizontal one matters. Above each square is the loss.

# %%
from hpt_helpers.classroom import diagrams

diagrams.grid_and_random(3)

# %% [markdown]
# The grid tries three values of what matters, each three times. Every random trial tries a new one (Bergstra and
# Bengio, 2012). The picture is made up. In this lesson we measure when it is true.
#
# ## By hand
#
# A search space now has **distributions** instead of lists. As no trial depends on another, the strategy asks for all
# at once; they could run in parallel.

# %%
import math

import numpy as np


def random_search_by_hand(n_trials, n_epochs, seed):
    rng = np.random.RandomState(seed)  # scikit-learn's kind of generator
    configs = []
    for _ in range(n_trials):
        batch_size = rng.randint(16, 65)  # 16 to 64: the upper end is never drawn
        hidden_size = rng.randint(8, 33)
        log_lr = rng.uniform(math.log(1e-4), math.log(0.1))
        lr = math.exp(log_lr)
        configs.append({"lr": lr, "batch_size": batch_size, "hidden_size": hidden_size})
    yield [(config, n_epochs) for config in configs]

# %% [markdown]
# The same space as an object, and scikit-learn's `ParameterSampler`, which draws from it. `same_trials` says whether
# two searches made the same trials with the same losses.

# %%
from sklearn.model_selection import ParameterSampler

from hpt_helpers.data import load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import grid_search
from hpt_helpers.trials import same_trials

lr = Real(1e-4, 0.1, log=True)
space = SearchSpace({"lr": lr, "batch_size": Integer(16, 64), "hidden_size": Integer(8, 32)})
splits = load_splits("iris")
trials = run(random_search_by_hand(27, 40, seed=42), TrainingObjective(splits))
sampler = ParameterSampler(space.to_distributions(), 27, random_state=42)
library = run(grid_search(sampler, 40), TrainingObjective(splits))
assert same_trials(trials, library)
trials.nsmallest(5, "val_loss")[[*space, "val_loss", "val_accuracy"]].round(4)

# %% [markdown]
# Both made the same 27 trials of 40 epochs. The five best are close in loss and far apart in their values.
#
# ## Why draw the logarithm?
#
# A learning rate acts by its ratio: from 0.001 to 0.002 is as large a step as from 0.01 to 0.02. **Log-uniform** means
# that the logarithm is drawn evenly.
#
# **Predict:** which share of *evenly* drawn learning rates between 0.0001 and 0.1 lies below 0.01?

# %%
import pandas as pd

from hpt_helpers.classroom import plots

evenly = Real(1e-4, 0.1)
rng = np.random.default_rng(0)
draws = pd.DataFrame(
    [(name, kind.sample(rng)) for name, kind in [("evenly", evenly), ("log-uniform", lr)]
     for _ in range(500)], columns=["drawn", "lr"])
plots.spread(draws, "lr", log=True)
draws.assign(below=draws["lr"] < 0.01).groupby("drawn")["below"].mean().round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About a tenth. The range spans three powers of ten, and nearly all even draws fall into the last. Log-uniform draws give each
# power a third. **So:** draw log-uniformly what acts by its ratio, unless you already know its power of ten.
#
# </details>
#
# ## Which hyperparameters matter?
#
# Random search gains where few of many dimensions matter. Do they, here? We train a full grid over 20 **repeats**
# (each a new draw of rows and a new seed). For each hyperparameter we average the logarithm of the loss over all
# others. How much that average varies, as a share of all variance, is what it explains alone.
#
# **Predict:** which of the three explains most, and about which share?

# %%
from hpt_helpers.classroom.studies import lesson_02 as studies
from hpt_helpers.classroom.studies.repeats import rows_of
from hpt_helpers.landscape import landscape

repeats = studies.JUDGES
rows = rows_of("iris", repeats)
full_grid = space.grid({"lr": 5})
truth = landscape(full_grid, rows, n_epochs=40, seeds=repeats, progress=True)
studies.variance_shares(truth, 40).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The learning rate explains nearly all, batch size and hidden size nearly nothing. One says that the **effective
# dimension** is about one. It belongs to the problem *and* the ranges: on other data, or in a narrower range of
# learning rates, the hidden size may count. **So:** expect few hyperparameters to matter, but not to know which.
#
# </details>
#
# ## Six dimensions, of which one matters
#
# We add five dials that are connected to nothing, as a learner's fifth and sixth hyperparameter often are. 64 trials
# are a grid of two values each.
#
# **Predict:** how many learning rates does each of the two try?

# %%
from hpt_helpers.classroom import lesson_plots

dials = {f"dial {i}": Real(0, 1) for i in range(1, 6)}
six = SearchSpace({"lr": lr, **dials})
pool = landscape(space.sample(200, seed=42), rows, n_epochs=40, seeds=repeats, progress=True)
means = studies.mean_losses(pool, 40)
tried = {"grid": studies.shifted_grid(six, 2, 0), "random": six.sample(64, seed=0)}
lesson_plots.projections(tried, means, y="dial 1")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The grid tries two, each 32 times: its 64 trials train two different networks. Random draws try 64. The grey points
# are 200 other configurations, each with its mean loss over 20 repeats. They show the valley, which the grid meets only
# by luck.
#
# </details>
#
# Does it pay? In each of 20 repeats we shift the grid, as nobody knows where the valley is. The two winners are judged
# **fresh**: by their mean loss over 20 repeats that chose nothing. We do it twice. First a trial's loss comes from one
# draw of 30 validation rows, then it is the mean of five draws.
#
# **Predict:** in how many of the 20 repeats does random win, as searched and fresh?

# %%
studies.many_dimensions(six, judged_by=[1, 5], progress=True).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# As searched, random always wins: the lowest of 64 losses is low. Judged fresh by one draw, it is little better than a coin
# toss: among 64 noisy losses, the lowest belongs to a lucky configuration as often as to a good one. With five draws a
# trial, luck shrinks, and random wins nearly always. **So:** more values only help if your loss can tell them apart.
# Never compare searches by the losses they chose by.
#
# </details>
#
# ## How many trials?
#
# A random draw is among the best share $p$ of all draws with probability $p$. All $n$ miss it with probability $(1 -
# p)^n$. So at least one hits it with probability $1 - (1 - p)^n$.
#
# **Predict:** how many trials make a hit of the top 5 % 95 % certain? Move the slider to other shares.

# %%
from hpt_helpers.classroom.slider import Slider


def chance_of_a_hit(p):
    n = np.arange(1, 151)
    hit = 1 - (1 - p) ** n
    title = f"Top {p:.0%}: 95 % certain from {n[hit >= 0.95][0]} trials on"
    return plots.lines(n, {"a hit": hit}, x_label="trials", y_label="probability", title=title)


Slider(chance_of_a_hit, [0.2, 0.1, 0.05, 0.03, 0.02], label="top share", start=0.05)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The title says it: about three divided by the share. The formula knows no losses and no dimensions. It says that a good trial
# is *met*. It does not say how good, nor that your search knows it when it sees it. **So:** read on before you
# quote it.
#
# </details>
#
# ### A rank is no distance
#
# The same promise, "top 5 %", for three ranges of the learning rate, each a power of ten.
#
# **Predict:** is the top 5 % of the worst range better than the middle of the best?

# %%
powers = pd.cut(means["lr"], [1e-4, 1e-3, 1e-2, 0.1]).astype(str)
by_range = means.assign(range=powers).sort_values("lr")
plots.spread(by_range, "val_loss", by="range", log=True)
by_range.groupby("range")["val_loss"].quantile([0.05, 0.5]).unstack().round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Far from it: in the lowest range even the top 5 % is several times worse than the middle of the highest. The formula
# counts ranks among *these* draws. **So:** say from which distribution the trials came; if the winner lies at its
# edge, move it.
#
# </details>
#
# ### Met, and returned
#
# A search returns the trial of lowest loss, on 30 rows and under one seed. In 40 repeats we draw 60 configurations anew.
#
# **Predict:** 60 draws meet the top 5 % with probability .95. How often is the trial that they *return* among it?

# %%
studies.how_many(space, means, numbers=[3, 9, 27, 60], progress=True).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In about one of five. With more trials the loss as searched keeps falling; the fresh loss stops falling at about nine
# trials. From then on the search mostly finds luckier trials, not better ones. **So:** a good trial is met soon and
# recognised late. On few validation rows, spend less on more trials and more on telling the best apart (below).
#
# </details>
#
# ## A grid is a bet on placement
#
# Back to three dimensions and 27 trials: a grid of three values an axis, from bound to bound, against random draws.
# 40 repeats; in each the two winners are judged fresh.
#
# **Predict:** in how many of 40 repeats does random win?

# %%
one = studies.duel(lambda r: space.sample(27, seed=r), lambda r: space.grid(3), n_epochs=40)
plots.paired(one, "random", "grid")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In nearly all. Is random search better, then? Look at where the grid stands: its learning rates are 0.0001, 0.003 and
# 0.1. The valley lies between the last two. **So:** before you believe a comparison, ask what else it could be.
#
# </details>
#
# We vary three things: where the grid's points are (from bound to bound, or in the centres of equal cells), how far
# learning rates reach, and the epochs.
#
# **Predict:** in how many of the eight cases does random win at least 16 of 20 repeats, fresh?

# %%
narrow = SearchSpace({**space, "lr": Real(1e-4, 0.01, log=True)})
spaces = {"lr to 0.1": space, "lr to 0.01": narrow}
studies.placements(spaces, n_epochs=[20, 40], progress=True).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It depends. Where the optimum lies between the grid's points, random wins. Where the grid has a point near it, as the
# centres up to 0.1, the two are even or the grid wins. Up to 0.01 the best learning rate is the upper bound itself: the
# grid from bound to bound has that corner, random draws hardly ever. **So:** what decides is placement, not chance.
# Random draws are the bet that never wins all and never loses all. As searched, several of these winners change.
#
# </details>
#
# ## Retrain the finalists
#
# The lowest of 27 losses is good *and* lucky. Luck does not come twice. So train the best three again, five times each,
# on new rows under new seeds, and take the lowest mean.

# %%
from hpt_helpers.trials import config_of

finalists = [config_of(trials, i) for i in trials.nsmallest(3, "val_loss").index]
new = range(200, 205)
again = landscape(finalists, rows_of("iris", new), n_epochs=40, seeds=new)
winner = again.best(40)
studies.mean_losses(again, 40).assign(as_searched=trials["val_loss"].nsmallest(3).values).round(3)

# %% [markdown]
# That cost 15 trainings. Would 15 more trials have been better? In each of 40 repeats one search makes 42 trials, the
# other 27 and retrains.
#
# **Predict:** whose winner is better, fresh? And whose *promise* (the loss by which it won) is kept?

# %%
spent = studies.retraining(space, n_trials=27, n_finalists=3, n_again=5, progress=True)
plots.paired(spent, "retrained", "all_trials")
spent.drop(columns="repeat").mean().round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On average the retrained winner is clearly better; in single repeats it depends (see the counts), and sometimes both
# choose the same. The promise of 42 trials is far too low, that of retraining is about kept. **So:** keep a third of the
# budget for the finalists. You choose better, and you know what you have.
#
# </details>
#
# ## Autopsy of a naive script
#
# ```python
# for _ in range(5):
#     params = {name: random.choice(values) for name, values in LISTS.items()}
#     accuracy = train_and_score(params)
#     if accuracy > best_accuracy:
#         best_accuracy, best_params = accuracy, params
# ```
#
# Nothing is seeded, five draws are few, and accuracy ties. (That it scores on test rows was lesson 1's fault.) There are
# 27 combinations. 1,000 runs on the same rows name how many different winners? And what does each repair change?
#
# **Predict:** which repair lowers the number of winners, and which lowers their fresh loss?

# %%
LISTS = {
    "lr": [0.01, 0.001, 0.0001],
    "batch_size": [16, 32, 64],
    "epochs": [50, 100, 150],
}
studies.lottery(LISTS).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Nearly every combination wins some run. Seeding the trainings changes little: the lottery is the draw of
# configurations. Seeding all leaves one winner, and no better one: it freezes the ticket, so that others can repeat
# your luck. The loss, more trials and retraining lower the fresh loss, each a little more. **So:** seed
# everything, to be repeatable; to be *good*, choose by the loss, draw more than five, and retrain.
#
# </details>
#
# ## In practice
#
# `RandomizedSearchCV` draws, trains on folds and keeps the table. `skorch_classifier` wraps our network for it; in the
# `Pipeline` each fold is scaled by its own training rows. Names get the prefix of their step.

# %%
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers.model import skorch_classifier

names = {"lr": "net__lr", "batch_size": "net__batch_size", "hidden_size": "net__module__hidden_size"}
X, y = load_splits("iris", scaled=False).search_rows()
net = skorch_classifier(splits, n_epochs=15, seed=0)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
wanted = {names[name]: values for name, values in space.to_distributions().items()}
search = RandomizedSearchCV(
    pipeline, wanted, n_iter=8, cv=3, scoring="neg_log_loss", random_state=0, refit=False)
table = pd.DataFrame(search.fit(X, y).cv_results_).nlargest(4, "mean_test_score")
table[[f"param_{name}" for name in wanted] + ["mean_test_score", "std_test_score"]].round(3)

# %% [markdown]
# Scores are negative losses: higher is better. "Test" means the fold held out. The folds are its repeats.
#
# ## The test score, once
#
# The finalist that won is trained once more, on training and validation rows together, and meets the sealed test rows.

# %%
from hpt_helpers.training import refit

print({name: round(value, 4) for name, value in winner.items()})
print("test accuracy:", splits.final_score(refit(winner, splits, n_epochs=40, seed=0)))

# %% [markdown]
# Report the interval with it: 30 rows cannot tell this winner from others that are nearly as good.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# ### Exercise 1: how many trials?
#
# Write `trials_needed(top_share, confidence)`: the smallest number of random draws that hit the best `top_share`
# (0.05 is the top 5 %) with a probability of at least `confidence`.

# %%
from hpt_helpers.classroom.exercises import lesson_02 as ex


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
# - Few hyperparameters matter, and you do not know which: random draws try many values of each.
# - $1 - (1 - p)^n$ is the chance to *meet* the top share $p$ of these draws: a rank, no distance. What is *returned* is
#   often lucky rather than good.
# - A grid is a bet on placement. Compare searches fresh, in pairs, and on more than one placement.
# - Keep a third of the budget to retrain the finalists on new rows and seeds.
# - A seed makes a search repeatable, not good.
#
# </div>
#
# **Next:** [Bayesian optimisation](03_bayesian_optimization.ipynb) learns from earlier trials.

# %% [markdown]
# ## Going further
#
# ### Draws that repeat
#
# From lists, independent draws may repeat. `ParameterSampler` draws lists without replacement, as from a deck of
# cards.
#
# **Predict:** in ten independent draws from 27 combinations, how likely is a repeat, and how many different ones
# appear?

# %%
n = np.array([5, 10, 27])
no_repeat = [np.prod(1 - np.arange(k) / 27) for k in n]
different = 27 * (1 - (1 - 1 / 27) ** n)  # 27 cards, each missed by all draws or not
deck = [len({tuple(c.values()) for c in ParameterSampler(LISTS, k, random_state=0)}) for k in n]
table = {"draws": n, "a repeat": 1 - np.array(no_repeat), "different": different, "deck": deck}
pd.DataFrame(table).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# A repeat is likely already in ten draws, and under one seed it teaches nothing. Without replacement 27 draws are the
# whole grid. **So:** draw lists without replacement; from distributions hardly anything repeats.
#
# </details>
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
# al. (2019), Show Your Work: Improved Reporting of Experimental Results, *EMNLP-IJCNLP*. Bouthillier et al. (2021),
# Accounting for Variance in Machine Learning Benchmarks, *MLSys* 3.
