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
# combinations: more than five days. After five days you have tried two learning rates.
#
# **When do random tries beat a grid, and when not? And what is their winner worth?**
#
# **Time:** core path 60 minutes, going further 27 minutes. **Builds on:** [Grid search](01_grid_search.ipynb). Words:
# [glossary](../docs/glossary.md).
#
# ## The idea in one picture
#
# Nine trials, two hyperparameters. Only the horizontal one matters; above each square is the loss (made up, with its
# valley between the grid's points).

# %%
from hpt_helpers.classroom import diagrams

diagrams.grid_and_random(3)

# %% [markdown]
# The grid tries three values of what matters, each three times. Every random trial tries a new one (Bergstra and
# Bengio, 2012). This lesson measures when that helps.
#
# ## By hand
#
# The search space has **distributions** instead of lists. No trial depends on another, so the strategy asks for all
# at once.

# %%
import math

import numpy as np


def random_search_by_hand(n_trials, n_epochs, seed):
    rng = np.random.RandomState(seed)  # scikit-learn's kind of generator
    configs = []
    for _ in range(n_trials):
        batch_size = rng.randint(16, 65)  # 16 to 64
        hidden_size = rng.randint(8, 33)
        log_lr = rng.uniform(math.log(1e-4), math.log(0.1))
        lr = math.exp(log_lr)
        configs.append({"lr": lr, "batch_size": batch_size, "hidden_size": hidden_size})
    yield [(config, n_epochs) for config in configs]

# %% [markdown]
# The same space as an object:

# %%
from hpt_helpers.search_space import Integer, Real, SearchSpace

lr = Real(1e-4, 0.1, log=True)
space = SearchSpace({
    "lr": lr,
    "batch_size": Integer(16, 64),
    "hidden_size": Integer(8, 32),
})

# %% [markdown]
# scikit-learn's `ParameterSampler` draws from its distributions, in the alphabetical order of their names, as our
# function does. `grid_search` tries any list of configurations; `same_trials` compares them and their losses.

# %%
from sklearn.model_selection import ParameterSampler

from hpt_helpers.data import load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.strategies import grid_search
from hpt_helpers.trials import same_trials

splits = load_splits("iris")
by_hand = random_search_by_hand(27, 40, seed=42)
trials = run(by_hand, TrainingObjective(splits))
sampler = ParameterSampler(space.to_distributions(), 27, random_state=42)
library = run(grid_search(sampler, 40), TrainingObjective(splits))
assert same_trials(trials, library)
trials.nsmallest(5, "val_loss")[[*space, "val_loss"]].round(4)

# %% [markdown]
# Both made the same 27 trials of 40 epochs.
#
# ## Why draw the logarithm?
#
# One chooses a learning rate by its ratio: after 0.001 one tries 0.002, after 0.01 rather 0.02. **Log-uniform** means
# that the logarithm is drawn evenly.
#
# **Predict:** which share of *evenly* drawn learning rates from 0.0001 to 0.1 lies below 0.01?

# %%
import pandas as pd

from hpt_helpers.classroom import plots

rng = np.random.default_rng(0)
draws = pd.DataFrame({
    "evenly": rng.uniform(0.0001, 0.1, size=500),
    "log-uniform": 10 ** rng.uniform(-4, -1, size=500),
})
tidy = draws.melt(var_name="distribution", value_name="lr")
plots.spread(tidy, log=True)
(draws < 0.01).mean().round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About a tenth, though two of the range's three powers of ten lie below 0.01. Log-uniform draws give each power a
# third. **So:** draw log-uniformly what you choose by its ratio, unless you know its power of ten.
#
# </details>
#
# ## Which hyperparameters matter?
#
# We train a full grid in 20 **repeats**: each a new draw of rows (from the same 120) and a new training seed. For the
# learning rate, say, we take five averages of the logarithm of the loss, one at each of its values, over all
# combinations of the others. Their variance, as a share of all variance, is what it explains alone; what is left
# needs several together. (`mean_losses` trains every configuration in every repeat.)
#
# **Predict:** which explains most, and about which share?

# %%
from hpt_helpers.classroom.studies import lesson_02 as studies

repeats = studies.UNSEARCHED  # 20, kept apart: no search chooses by them
n_values = {"lr": 5, "batch_size": 3, "hidden_size": 3}
full_grid = studies.mean_losses(space.grid(n_values), repeats, n_epochs=40)
studies.variance_shares(full_grid).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The learning rate explains nearly all: the **effective dimension** is about one. It belongs to the problem *and* the
# ranges (see Going further). **So:** in wide ranges often few matter, and you do not know which.
#
# </details>
#
# ## Six dimensions, of which one matters
#
# Beside the learning rate, five dials that are connected to nothing. 64 trials are a grid of two values each. Nobody
# knows where the good rates are, so the whole grid is shifted by a random part of its spacing. Crosses are trials
# (batches of 32, 16 hidden units); grey points are the truth: 200 draws of the space, each with its mean loss over
# the repeats.

# %%
from hpt_helpers.classroom import plots

sample = space.sample(200, seed=42)
means = studies.mean_losses(sample, repeats, n_epochs=40, progress=True)
six = SearchSpace({"lr": lr, **studies.DIALS})
grid = studies.shifted_grid(six, 2, repeat=0)
tried = {"grid": grid, "random": six.sample(64, seed=0)}
plots.projections(tried, means, y="dial 1")

# %% [markdown]
# The grid's 64 trials are two networks, each 32 times. Does random win? We search in 20 other repeats, each with its
# own shift. Winners are judged **fresh**: each is trained again on ten draws of the rows, under ten seeds. These chose
# nothing and judge this repeat only (means in `random_fresh` and `grid_fresh`). We do it twice: a trial's loss comes
# from one draw of 30 validation rows, or is the mean of five, at five times the cost.
#
# **Predict:** in how many of 20 does random win, as searched (by the losses that chose) and fresh?

# %%
studies.many_dimensions(six, judged_by=[1, 5]).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# As searched, random wins in all 20: of 64 different values one is low, by merit or by luck; the grid has two. Judged
# fresh, it wins nearly always where a loss is the mean of five draws. Where it is one draw it wins less often, here
# about half, though its mean is lower: the lowest of 64 may only suit its 30 rows. **So:** more values help, and more
# surely when the loss can tell them apart. Never compare searches by the losses they chose by.
#
# </details>
#
# ## How many trials?
#
# A draw is among the best share $p$ of all draws with probability $p$. All $n$ miss it with probability $(1 - p)^n$, so
# at least one hits with probability $1 - (1 - p)^n$.
#
# **Predict:** how many trials hit one of the top 5 % with 95 % certainty? (Then move the slider.)

# %%
from hpt_helpers.classroom.slider import Slider


def chance_of_a_hit(p):
    n = np.arange(1, 151)
    hit = 1 - (1 - p) ** n
    needed = n[hit >= 0.95][0]
    title = f"Top {100 * p:g} %: 95 % certain from {needed} trials on"
    return plots.lines(n, {"a hit": hit}, x_label="trials", y_label="probability", title=title)


shares = [0.2, 0.1, 0.05, 0.03, 0.02]
Slider(chance_of_a_hit, shares, label="top share", start=0.05)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# 59, about three divided by the share, in any number of dimensions. **So:** use it to plan; but it promises
# only that such a trial is *met*. What that is worth comes next.
#
# </details>
#
# **A rank is no distance.** The same "top 5 %", of three ranges of the learning rate:

# %%
by_power = studies.by_power_of_ten(means)
plots.spread(by_power, "val_loss", log=True)
losses = by_power.groupby("learning_rates")["val_loss"]
losses.quantile(0.05).round(3)

# %% [markdown]
# In the lowest range even the top 5 % are several times worse than the middle of the highest. The formula counts ranks
# among *these* draws. And the search must recognise what it meets, by 30 rows and one seed.
#
# We run 40 such searches. Ten of the 200 draws above are the top 5 %, and the last of the ten is trained beside each
# winner, on the ten draws that judge it. The winner counts as one of the top 5 % if it is no worse there.
#
# **Predict:** 60 draws meet the top 5 % with probability 0.95 (`met`, by the formula). In which share of the searches
# does the trial that is `returned`, the one with the lowest loss, belong to the top 5 %?

# %%
studies.how_many(space, means).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# With 60 trials, in less than a quarter, and no more often than with nine. With more trials the loss as searched keeps
# falling, but the fresh loss stops at about nine. On 30 rows luck outweighs the differences between good
# configurations, so further trials are luckier, not better. **So:** a good trial is soon met and hard to recognise.
# Spend on telling the best apart (see Retrain the finalists).
#
# </details>
#
# ## A grid is a bet on placement
#
# Back to three dimensions and 27 trials: a grid of three values an axis, from bound to bound, against random draws.
#
# **Predict:** in how many of 20 repeats does random win, fresh?

# %%
one = studies.duel(space, lambda repeat: space.grid(3), repeats=range(20))
plots.paired(studies.in_pairs(one), "random", "grid")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In 15 of 20. Because it is random? The grid's learning rates are the two ends of the range and its middle, and the
# valley lies between the last two. **So:** ask of every comparison what else it could be.
#
# </details>
#
# We vary where the grid's points are (from bound to bound, or the centres of equal cells), how far learning rates
# reach (to 0.1 or 0.01), and the epochs (so far 40, now also 20).
#
# **Predict:** where does random win, and where the grid?

# %%
narrow = SearchSpace({**space, "lr": Real(1e-4, 0.01, log=True)})
spaces = {"to 0.1": space, "to 0.01": narrow}
studies.placements(spaces).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It depends on placement, at both lengths. Up to 0.1 the bounds miss the valley, and random mostly wins; a centre
# lies in it, and the grid is about as good or better. Up to 0.01 the best learning rates are near the upper bound:
# there the grid from bound to bound has points, and wins; the centres have none, and mostly lose. As searched, some
# verdicts differ. **So:** random draws have no placement to miss, only a range; the price is that a well placed grid is
# hard to beat.
#
# </details>
#
# ## Retrain the finalists
#
# The lowest of 27 losses is good *and* lucky, and luck does not come twice. So train the best three again, five times
# each, on new draws of rows under new seeds, and take the lowest mean.

# %%
from hpt_helpers.trials import config_of

best_three = trials.nsmallest(3, "val_loss").index
finalists = [config_of(trials, trial) for trial in best_three]
new = range(200, 205)
retrained = studies.mean_losses(finalists, new, n_epochs=40)
winner = finalists[retrained["val_loss"].argmin()]
before = trials.loc[best_three, "val_loss"].values
retrained.assign(as_searched=before).round(3)

# %% [markdown]
# All three losses rise here, and their order turns round (these five draws may be harder, too). That cost 15
# trainings. Would 15 more trials have been better? In 40 repeats one search makes 42 trials; the other makes 27 and
# retrains. A search's *promise* is the loss by which its winner won (`as_searched`).
#
# **Predict:** whose winner is better, fresh? By how much is each promise broken?

# %%
spent = studies.retraining(space)
plots.paired(studies.in_pairs(spent), "retrained", "all_trials")
spent.groupby("search")[["as_searched", "fresh"]].mean().round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On average the retrained winner is clearly better; in a single repeat it depends (see the counts). The promise of 42
# trials is less than half of what they keep. That of retraining is nearly kept, and a little low, because it is the
# lowest of three. **So:**
# keep a good part of the budget for the finalists (here a third). You choose better, and know better what you have.
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
# Nothing is seeded. Of 27 combinations, how many different `winners` do 1,000 runs on the same rows name (mean over 12
# draws of rows, each with five draws of its own that judge)? And after these repairs?
#
# - Seeds: of the trainings; of the draws, too.
# - Unseeded again, one after the other: choose by the loss; draw 15 instead of five; retrain the best three.
#
# **Predict:** which repair lowers the number of winners, and which their fresh loss?

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
# Most combinations win some run. Seeding the trainings hardly changes their number: the lottery is the draw of
# configurations. Seeding all freezes one ticket of it, and that these tickets are worse fresh is chance. The later
# repairs each make the winner better: the loss, more trials, which also halve the number, and retraining.
# **So:** seed everything, to be repeatable; to be *good*, choose by the loss, draw more than five, and retrain.
#
# </details>
#
# ## In practice
#
# scikit-learn takes distributions from scipy. Names get the prefix of their step in the `Pipeline` (and `module__` what
# belongs to the network), in which each fold is scaled by its own training rows.

# %%
from scipy.stats import loguniform, randint

distributions = {
    "net__lr": loguniform(1e-4, 0.1),
    "net__batch_size": randint(16, 65),
    "net__module__hidden_size": randint(8, 33),
}

# %% [markdown]
# `skorch_classifier` wraps our network for scikit-learn.

# %%
from sklearn.model_selection import RandomizedSearchCV
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers.classroom.skorch_network import skorch_classifier

raw = load_splits("iris", scaled=False)
X, y = raw.search_rows()
net = skorch_classifier(raw, n_epochs=15, seed=0)
pipeline = Pipeline([("scale", StandardScaler()), ("net", net)])
search = RandomizedSearchCV(
    pipeline, distributions, n_iter=8, scoring="neg_log_loss", random_state=0
)
results = pd.DataFrame(search.fit(X, y).cv_results_)
best = results.nlargest(4, "mean_test_score")
best.filter(regex="param_|(mean|std)_test").round(3)

# %% [markdown]
# Scores are negative losses: higher is better. "Test" means the fold held out.
#
# ## The test score, once
#
# The winner among the finalists is trained once more, on training and validation rows together, and meets the test
# rows, which chose nothing in this lesson.

# %%
from hpt_helpers.training import refit

model = refit(winner, splits, n_epochs=40, seed=0)
print("test accuracy:", splits.final_score(model))

# %% [markdown]
# Report the interval with it: 30 rows cannot tell this winner from others nearly as good.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint, `ex.q1.solution()` the solution.
#
# ### Exercise 1: how many trials?
#
# Write `trials_needed(top_share, confidence)`: the smallest number of random draws of which at least one hits the
# best `top_share` (0.05 is the top 5 %) with a probability of at least `confidence` (0.95 is 95 %).

# %%
from hpt_helpers.classroom.exercises import lesson_02 as ex


def trials_needed(top_share, confidence):
    return ...


ex.q1.check(trials_needed)

# %% [markdown]
# ### Exercise 2: repair the draws
#
# Repair `random_configs(n, seed)`, which has three faults. It should return a list of `n` configurations, each drawn
# independently of the others: `lr` from 0.0001 to 0.1, uniform in its logarithm; `batch_size` an integer from 16 to
# 64, both included and all equally likely. The same seed should give the same list, another seed another list.

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
#   0.95; the one returned need not.
# - **b** The one returned will belong to the best 5 %, with a probability of about 0.95.
# - **c** The loss of the one returned will be within 5 % of the lowest possible, with a probability of about 0.95.
#
# Because:
#
# - **1** sixty trials cover most of the space.
# - **2** the lowest loss of sixty shows the best configuration of sixty.
# - **3** the formula counts ranks among the draws: it knows no losses, and not the luck of a single training.

# %%
answer_3 = ...  # a letter and a number in quotes, such as "a1"

ex.q3.check(answer_3)

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - In wide ranges often few hyperparameters matter, and you do not know which: random draws try many values of each.
# - $1 - (1 - p)^n$ is the chance to *meet* the top share $p$ of these draws: a rank, no distance. What is *returned* is
#   often lucky rather than good.
# - A grid is a bet on placement. Compare searches fresh, in pairs, and on more than one placement.
# - Keep part of the budget to retrain the finalists on new draws of rows and new seeds.
# - A seed makes a search repeatable, not good.
# - Draw log-uniformly what you choose by its ratio.
#
# </div>
#
# **Next:** [Bayesian optimisation](03_bayesian_optimization.ipynb) learns from earlier trials.

# %% [markdown]
# ## Going further
#
# ### Draws that repeat
#
# From lists, independent draws may repeat. Where all is lists, `ParameterSampler` draws without replacement, as from a
# deck of cards.
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
# whole grid. **So:** draw lists without replacement; where a space has a continuous distribution nothing repeats.
#
# </details>
#
# ### When to stop?
#
# You have made 27 trials. Would nine have done? As searched, the losses you have can say: what is the lowest of $n$ of
# them, on average over all choices of $n$? Drawn without replacement, as trials are:

# %%
def expected_best(losses, n):
    """Return the mean of the lowest of n of these losses, drawn without replacement."""
    N = len(losses)
    chance = [math.comb(N - 1 - rank, n - 1) / math.comb(N, n) for rank in range(N)]
    return np.sort(losses) @ chance


def with_replacement(losses, n):
    """Dodge et al. (2019)."""
    at_least = 1 - np.arange(len(losses) + 1) / len(losses)
    return np.sort(losses) @ (at_least[:-1] ** n - at_least[1:] ** n)

# %% [markdown]
# We compare with the lowest of $n$ *new* trials, as searched too: mean of 40 searches. `spread` is the standard
# deviation of `without` from search to search; `step` and `step_spread` are mean and standard deviation of what it
# gains from the row above.
#
# **Predict:** for which $n$ of 2, 3, 9 and 27 does the estimate vary most from search to search?

# %%
from hpt_helpers.classroom.studies import lesson_02_further as further

both = {"with_replacement": with_replacement, "without": expected_best}
further.estimates(space, both).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In nats for small $n$, where it hangs on the 27 draws as well as on rows and seeds; relative to the loss for large
# $n$. Without replacement the estimate is unbiased, by arithmetic (its distance from `new` is chance); with
# replacement it is higher at every $n$, as a draw may be wasted on the same loss. What the step from nine to 27 gains
# varies from search to search by more than half its size. **So:** draw without replacement, and do not stop by one
# search's curve: what it gains may be luck (see How many trials?).
#
# </details>
#
# ### What does the smaller network cost?
#
# The **one-standard-error rule** (Breiman et al., 1984): among those that the luck of a loss cannot tell from the best,
# take the simplest. A single loss comes without its standard error, so we state a tolerance: `ties` lists the trials
# within it.

# %%
from hpt_helpers.trials import ties

near = ties(trials, tolerance=0.05)
near.sort_values("hidden_size")[[*space, "val_loss"]].round(4)

# %% [markdown]
# **Predict:** over 40 searches of 27 trials: what does the smaller network cost, fresh?

# %%
further.near_ties(space, tolerances=[0, 0.01, 0.02, 0.05]).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Nothing: the networks are much smaller, and their fresh loss is no higher. Here it is even a little lower. Among near
# ties the lowest loss is mostly luck, and the size is not. **So:** state a tolerance before you search, and break near
# ties by what you can see.
#
# </details>
#
# ### How many dimensions matter on digits?
#
# The shares of variance again, on digits after eight epochs; then for learning rates from 0.001 on. The batch size is
# fixed at 32.
#
# **Predict:** what share has the hidden size, in each range?

# %%
from hpt_helpers.search_space import Choice

twenty = range(20)
wide = SearchSpace({"lr": Real(1e-4, 0.01, log=True), "hidden_size": Choice([8, 16, 32])})
configs = [{**config, "batch_size": 32} for config in wide.grid(5)]
digits = studies.mean_losses(configs, twenty, data="digits", n_epochs=8, progress=True)
all_lrs = studies.variance_shares(digits)
upper_part = digits[digits["lr"] > 0.0009]  # 0.001 and above
large_lrs = studies.variance_shares(upper_part)
all_lrs.assign(share_of_large_lrs=large_lrs["share"]).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Little, and then much more. A poor range of one hyperparameter drowns the others. **So:** once the range of what
# matters most is narrowed, ask again.
#
# </details>
#
# ### Settings that exist only beside others
#
# Take a kernel machine with two kernels, of which only one has a `gamma`. Such a **conditional** space is a list of
# spaces, of which `ParameterSampler` (and so `RandomizedSearchCV`) first draws one. (Where all of them are lists
# only, it draws among all combinations instead.)
#
# **Predict:** which share of 200 draws has no `gamma`?

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
# About half: each branch is as likely as the other, though one has a dimension more. **So:** name what depends on a
# choice inside its branch. Random search is no better for it, but its table has no values that meant nothing.
#
# </details>
#
# ### Even draws
#
# Random points leave gaps and clusters. A **Latin hypercube** has one point in each slice of every axis, a **Sobol
# sequence** fills the cube evenly. **Discrepancy** measures unevenness. We run 60 searches of eight trials with each, and
# judge each winner on five draws of its repeat's own (of ten searches nine are below the `ninth_decile`):
#
# **Predict:** do even draws find lower losses, as searched and fresh?

# %%
further.even_designs(space).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# They are several times more even, and as searched find slightly lower losses. Judged fresh there is little in it.
# **So:** take even draws where your library offers them, as they cost nothing; expect little here.
#
# </details>
#
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
# al. (2019), Show Your Work: Improved Reporting of Experimental Results, *EMNLP-IJCNLP*. Bouthillier et al. (2021),
# Accounting for Variance in Machine Learning Benchmarks, *MLSys* 3. Breiman, Friedman, Olshen and Stone (1984),
# Classification and Regression Trees, Wadsworth.
