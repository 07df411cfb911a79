# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Hyperband: stop the bad trials early
#
# One training of your network takes an hour. You have seven hyperparameters to tune, one machine and one night, which
# is time for eight trainings. Most of them will look hopeless after a few minutes, and will still take their hour. If
# you stopped those early, the same night could look at dozens of configurations.
#
# But a trial that starts slowly is not always a bad one. In this lesson we measure **when you may stop a trial early,
# what that saves, and whether a search that stops early finds a better configuration than one that learns**. We also
# run a scheduler of the library Ray that many people use, and count what it really stops.
#
# **Time:** core path 59 minutes, exercises 18 minutes, going further 12 minutes. **Builds on:** [Random
# search](02_random_search.ipynb), and for the last race [Bayesian optimisation](03_bayesian_optimization.ipynb).
# Unknown words are in the [glossary](../docs/glossary.md).

# %% [markdown]
# ## The idea in a picture
#
# Until now every trial was trained to its last epoch. From here on epochs are a **resource**. A trial is given a few at
# first, and more if it does well. **R** is the largest number of epochs that one trial can get.
#
# **Successive halving** trains many configurations for one epoch, keeps the best third, trains these on to three
# epochs, keeps the best third again, and so on up to R. Each stage is a **rung**. Keeping one of three is called a
# **halving factor** η (eta) of 3.
#
# How early should the first cut be? **Hyperband** leaves that open. It runs several successive halvings, each of which
# is called a **bracket**. The boldest bracket begins with many configurations and cuts after one epoch. The most
# cautious one begins with few and never cuts. In the picture R is 27. Each bar is one configuration. Its length is the
# number of epochs for which it is trained, and its colour changes at each cut. On the left stands how many
# configurations each rung has. Bracket 4 has a single rung of four.

# %%
from hpt_helpers.classroom import brackets
from hpt_helpers.strategies import hyperband_schedule

brackets.chart(hyperband_schedule(27))

# %% [markdown]
# Look at the first and the last bracket. The boldest one tries 27 configurations for 81 epochs, because most of them
# get only one epoch. The most cautious one tries four, and it needs 108 epochs. If the early losses can be trusted, the
# bold bracket is the far better bargain. If not, the cautious one is the insurance.
#
# Your own training may have 100 epochs. Then let a unit of the resource be several of them. With R = 27 it would be
# about four epochs, and the boldest bracket would cut after the first four.
#
# In the paper (Li et al. 2018) a table for R = 81 begins its brackets with 81, 27, 9, 6 and 5 configurations. The
# paper's algorithm gives 81, 34, 15, 8 and 5, and so does `hyperband_schedule`.

# %% [markdown]
# ## Is early order late order?
#
# Every cut assumes that a trial that is behind early will also be behind at the end. At work you cannot see whether
# that is true, because you never train the trials that you stopped. Here we can. We take 81 configurations of two
# problems, train all of them in full, and watch their losses at the epochs at which a bracket would cut.
#
# - **digits** has ten classes and six hyperparameters, as in lessons 2 and 3. There are 320 training rows, so the 27
#   epochs are 270 steps with batches of 32. Our table of ready-made trainings has the losses on 360 validation rows, in
#   30 repeats.
# - **breast_cancer** has two classes that are easy to tell apart, 341 training rows and 114 validation rows. We choose
#   three hyperparameters, and train for 81 epochs, which is three times as long, in 15 repeats.

# %%
from hpt_helpers.classroom.studies import lesson_04 as study
from hpt_helpers.search_space import Choice, Real, SearchSpace

SPACE = SearchSpace({
    "hidden_size": Choice([8, 16, 32]),
    "lr": Real(1e-4, 1e-2, log=True),
    "batch_size": Choice([16, 32, 64]),
})
cancer = study.watched_in_training("breast_cancer", SPACE, 81, repeats=range(15), progress=True)
watched = {"digits": study.watched_in_table("digits", n_val=360), "breast_cancer": cancer}

# %% [markdown]
# Remember that a loss may turn. A network that already gets most rows right grows surer and surer, even of the rows
# that it gets wrong. Its loss then rises again.
#
# The figure shows the **most misleading repeat** of each problem. Each line is one configuration. The brighter the
# line, the higher the learning rate. The dashed line is at a ninth of the epochs. The **rank correlation** (Spearman's)
# compares the order there with the order at the end. It is 1 if all configurations keep their places, and 0 if the
# early order says nothing. The table compares the order at each epoch with the order at nine times that epoch. It gives
# the mean, lowest and highest correlation over all repeats.
#
# **Predict:** on which of the two problems do fast starters end behind slow ones?

# %%
brackets.curves(watched)
study.rank_correlations(watched).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On breast_cancer. The bright lines fall first and reach their lowest point at about epoch 9. Then they rise, because
# these networks grow too sure of the few rows that they get wrong. Lines of middling brightness arrive later and end
# lower. In this repeat the rank correlation is -0.48. On digits most lines are still falling at epoch 27, so whoever
# learns fast stays ahead, and even the most misleading of the 30 repeats has a correlation of 0.76.
#
# The table says that this depends on R. Up to epoch 9 the early order of breast_cancer is an excellent guide, with a
# mean of 0.91, and up to epoch 27 it is a good one, with 0.75. Up to epoch 81 the mean is 0.30, and repeats differ
# widely, from -0.48 to 0.95. Most fast learners' losses turn in every repeat. In some repeats they rise only a little,
# and in others they rise far above those of the slower learners.
#
# **So:** where the losses still fall at the end, as on digits, early order is nearly late order. Where some have
# turned, a cut by the current loss may favour the wrong trials. Only trials that were trained in full show which of the
# two you have. You need not spend a night on them first. Take those of an earlier search. Or look, after your first
# search with early stopping, at the trials that it trained to the end. They are mostly fast learners, and these were
# the ones that turned here. If they have not turned, train two or three of the stopped trials in full as well, in case
# a slow starter would have overtaken them. What to do until you know is the next question.
#
# A learning-rate schedule that ends at R is another reason for care, because a trial at a ninth of its epochs has not
# yet seen the small rates at the end. We did not measure that. If you use one, choose a later first cut, and look at
# full trainings before you trust it.
#
# </details>

# %% [markdown]
# ## Who is left?
#
# A correlation does not say what a search loses. So we run the boldest bracket on the same trainings and ask for the
# **rank** that its one survivor has among all configurations at the end. Rank 1 is the best. On digits 27
# configurations start, and on breast_cancer 81.
#
# We score the trials in two ways. The **last loss** is the loss at the epoch just trained. The **best so far** is the
# lowest loss that the trial has had up to then. The second score is fair only if you keep the weights of that best
# epoch, as early stopping does. In each row of the table the same score makes the cuts and, at the end, the ranking.
#
# - `survivor_rank` is the survivor's mean rank over the repeats.
# - `blind_rank` is the mean rank of a configuration that is drawn blindly.
# - `of` is the number of configurations.
# - `fresh` is the survivor's mean loss on other rows and seeds, which had no say in the bracket. By the best so far it
#   is the loss of the weights that were kept.
#
# **Predict:** on breast_cancer the bracket compares the best losses so far. Is its survivor, on average, among the ten
# best of the 81?

# %%
study.survivors(watched).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes. By the best so far its mean rank is 6.5. By the last loss it is 43 among 81. A blind draw has 41, so the
# bracket's work is wasted. It keeps fast learners, whose losses have turned by the end. By the best so far the survivor
# is a fast learner again, but now its lowest loss counts, and not the rise after it. Its fresh loss is lower too, 0.100
# instead of 0.157.
#
# On digits the score changes nothing. The mean rank is 1.9 among 27 both times, because hardly any loss turns within 27
# epochs.
#
# **So:** keep the best weights of each trial, and let the search compare best losses, from your first search on. You
# need not know whether losses turn. Where they did, this repaired most of the harm, and where they did not, it changed
# nothing. Libraries often compare the last loss that a trial reported. In Ray you can report `min(losses)` beside the
# loss, under a name of its own, and set `metric` to that name.
#
# </details>

# %% [markdown]
# ## By hand
#
# As in the other lessons, a strategy yields the trials that it wants, each with the epoch up to which it is to be
# trained. `yield` returns their losses in the same order. A schedule is a list of brackets. A bracket is a list of
# rungs, and a rung is a pair of a number of configurations and an epoch. The boldest bracket of the chart is `[(27, 1),
# (9, 3), (3, 9), (1, 27)]`.

# %%
import numpy as np


def halving(configs, rungs):
    for n_configs, n_epochs in rungs:
        configs = configs[:n_configs]  # the cut
        losses = yield [(config, n_epochs) for config in configs]
        configs = [configs[i] for i in np.argsort(losses, kind="stable")]


def hyperband(configs, schedule):
    for rungs in schedule:
        n_first = rungs[0][0]
        yield from halving(configs[:n_first], rungs)
        configs = configs[n_first:]


# %% [markdown]
# What does it save? A trial that survives a cut can **go on** from where it stopped, if you kept a **checkpoint** of
# it. Without a checkpoint it has to **restart** at epoch 0. We run the 49 configurations of the chart on digits. The
# losses come from the table, and the epochs are counted as if we had trained. Say that a full training of 27 epochs
# takes an hour. All 49 in full would then take 49 hours.
#
# The cell first checks that the package's `strategies.hyperband` gives the same trials as our lines.
#
# **Predict:** suppose that you keep no checkpoints, and every survivor has to restart. Does Hyperband still take less
# than half of the 49 hours?

# %%
from hpt_helpers import strategies
from hpt_helpers.classroom.table import table_problem
from hpt_helpers.search import run
from hpt_helpers.trials import same_trials

problem = table_problem("digits", n_val=360)
space = problem.space(0)
trials = run(hyperband(space.sample(49, seed=0), hyperband_schedule(27)), problem.objective)
assert same_trials(trials, run(strategies.hyperband(space, 27, seed=0), problem.objective))
study.bill(trials, n_epochs=27, hours=1)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes. Restarting takes 15.7 hours, about a third, and going on takes 13.2 hours, about a quarter. Restarting costs so
# little more because at each rung a survivor repeats only the first third of its epochs, and survivors are few.
#
# The largest share of the bill is the insurance. The four configurations that are never cut take four of the 13.2
# hours.
#
# **So:** Hyperband saves most of the cost even without checkpoints. But write them anyhow, because they also save you
# from a machine that dies in the night. A checkpoint needs the model, the state of the optimiser **and** the generator
# of the shuffles. Without the generator a trial that goes on sees its rows in another order, and is no longer the
# training that it would have been.
#
# </details>

# %% [markdown]
# ## Many machines, some of them slow
#
# You have four GPUs, or sixty-four. Successive halving waits at each rung until the slowest trial is done, and its last
# rung is a single trial. The other machines stand idle meanwhile.
#
# **ASHA** (asynchronous successive halving, Li et al. 2020) never waits. A machine that becomes free looks at the
# trials that have finished a rung so far. If one of them is among the best third and has not gone on yet, the machine
# trains it up to the next rung. If several rungs have such a trial, the highest rung comes first. If no trial may go
# on, the machine starts a new configuration. That is the whole rule.
#
# Below, `rungs` is a list with one dict for each rung, which maps a trial's number to its loss. These lines are for one
# machine. With several machines you also note which trials are on their way up, so that no other machine sends them up
# a second time.

# %%
def promotion(rungs, eta=3):
    for rung in reversed(range(len(rungs) - 1)):
        done, gone_on = rungs[rung], rungs[rung + 1]
        best = sorted(done, key=done.get)[: len(done) // eta]
        waiting = [trial for trial in best if trial not in gone_on]
        if waiting:
            return waiting[0], rung + 1
    return None  # no trial may go on


# %% [markdown]
# What do many machines gain by it? We simulate the boldest bracket of R = 81, and ASHA on the same rungs, until one
# configuration has had all its 81 epochs. An epoch takes a minute on average. The speeds of the configurations are
# either **equal** or **unequal**. With unequal speeds an epoch takes between 0.4 and 2 minutes for nine configurations
# in ten.
#
# - `workers` is the number of machines.
# - `halving_hours` and `asha_hours` are medians of 50 repeats.
# - `halving_busy` is the share of the time during which halving's machines train.
#
# **Predict:** with 64 machines and equal speeds, does ASHA need less than three quarters of the hours of halving?

# %%
import pandas as pd

from hpt_helpers.classroom.studies.asha import waiting

spreads = {"equal": 0, "unequal": 0.5}
hours = {s: waiting([1, 4, 16, 64], spread=spreads[s], repeats=range(50)) for s in spreads}
pd.concat(hours, names=["speeds"]).reset_index()

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. It needs 1.35 hours, and halving 1.37. One configuration needs 81 epochs one after another, and no number of
# machines makes these 81 minutes shorter. Halving's machines are busy for only 0.06 of their time. ASHA's never stand
# idle. They train other configurations meanwhile, which this table does not count.
#
# With unequal speeds the picture changes. ASHA needs 1.69 hours instead of 2.17 with four machines, and 0.65 instead of
# 1.66 with 64. Halving waits at each rung for its slowest trial, and ASHA does not. Part of the gain is that ASHA's
# first configuration to arrive is a fast one, and the table does not say how good it is.
#
# **So:** if your configurations differ in speed, as networks of different sizes do, use ASHA as soon as you have
# several machines. If they are equally fast, ASHA on several machines finishes hardly sooner, but its machines try more
# configurations meanwhile. With one machine nothing stands idle, and what counts is which search finds better
# configurations. The race below is about that.
#
# </details>

# %% [markdown]
# ## With the library: Ray Tune
#
# Ray Tune runs trials in processes of their own, on one machine or on many, and a **scheduler** stops some of them. Ray
# needs to know how to train one epoch, and how to save and load a checkpoint. `course_trainable` says that for our
# network on iris (`course_trainable??` shows it). A `Tuner` puts it all together, and its `fit()` runs the search.
# `fit_in_turn` calls that for one tuner after another.

# %%
from ray import tune
from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler
from ray.tune.search import BasicVariantGenerator

from hpt_helpers.classroom.ray_in_turn import fit_in_turn, quiet_run
from hpt_helpers.classroom.ray_trainable import course_trainable
from hpt_helpers.on_ray.local_ray import local_ray


def tuner(configs, scheduler, folder, space=SPACE):
    return tune.Tuner(
        course_trainable("iris"),
        param_space=space.to_ray(),
        tune_config=tune.TuneConfig(
            search_alg=BasicVariantGenerator(configs),  # tries these, in this order
            scheduler=scheduler, metric="val_loss", mode="min",
            num_samples=len(configs), reuse_actors=True,
        ),
        run_config=quiet_run(folder),
    )


# %% [markdown]
# This course grew from a script with these lines. Each trial ends itself after its own number of epochs.
#
# ```python
# space = {..., "epochs": tune.choice([5, 10, 15])}
# scheduler = HyperBandScheduler(metric="mean_accuracy", mode="max")
# tune.run(train_model, config=space, scheduler=scheduler, num_samples=5)
# ```
#
# `max_t` is Ray's name for R. The script leaves it at its default of 81. There is something else to know about
# `HyperBandScheduler`. It has the brackets of our chart, but it fills them in the order in which trials arrive, and
# **the bracket that never cuts comes first**. That bracket holds as many trials as there are brackets. For R = 27 these
# are four, for R = 9 three, and for R = 81 five.
#
# We start Ray once, for three runs. The first is the script, except that it compares validation losses. The second has
# `max_t=9` and exactly the 17 trials that fill its brackets of 3, 5 and 9. The third gives the same 17 trials to Ray's
# ASHA, whose `reduction_factor` is our η.
#
# - `stopped_early` counts the trials that ended before their last epoch.
# - `epochs` counts the epochs that were trained.
# - `epochs_in_full` counts those that would have been trained if nothing had been stopped.
#
# **Predict:** how many of its five trials does the script stop early? (The cell takes about 20 seconds. If it should
# hang, it ends by itself and says what to do.)

# %%
SCRIPT = SearchSpace({**SPACE, "epochs": Choice([5, 10, 15])})
seventeen = SPACE.sample(17, seed=0)
with local_ray(num_cpus=1) as folder:  # one trial runs at a time
    tuners = {
        "script": tuner(SCRIPT.sample(5, seed=0), HyperBandScheduler(), folder, SCRIPT),
        "HyperBandScheduler": tuner(seventeen, HyperBandScheduler(max_t=9), folder),
        "ASHAScheduler": tuner(seventeen, ASHAScheduler(max_t=9, reduction_factor=3), folder),
    }
    in_ray = fit_in_turn(tuners, progress=True)
study.stopped(in_ray, n_epochs=9)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# None. The script's five trials just fill the bracket that never cuts, so it is random search with five trials. No
# error and no warning says so.
#
# With `max_t=9` and 17 trials `HyperBandScheduler` stops 11. In the bracket of nine only one trial goes to the end, and
# in the bracket of five two, because Ray rounds up at a cut where the paper's algorithm rounds down.
#
# ASHA has no brackets to fill, and stops 12. Ray's version differs a little from the rule above. It decides about each
# trial as soon as it reaches a rung, by comparing it with those that were there before. The first to arrive has no
# rivals, and so it always goes on.
#
# **So:** whichever scheduler you use, **count what was stopped**. With `HyperBandScheduler` set `max_t` to the number
# of epochs of a full training, and queue exactly as many trials as fill the brackets, which are 17 for R = 9, 49 for 27
# and 143 for 81. Or take `ASHAScheduler`, which has no brackets to fill and which [Ray's own
# documentation](https://docs.ray.io/en/latest/tune/api/schedulers.html) recommends. Its `grace_period` is the first
# rung. If your training begins with a warm-up, put the first rung behind it.
#
# </details>

# %% [markdown]
# ## Who wins the race?
#
# Now to your night of eight trainings. We race four searches on digits, each with the epochs of 5, 8, 13, 20 or 40 full
# trainings, in 30 repeats. One round of Hyperband, from the boldest bracket to the one that never cuts, costs a little
# more than 13 full trainings. With 5 or 8 it stops in the middle of its first round, with 13 just before the end, and
# with 20 or 40 it begins again with new configurations.
#
# - **random** trains random configurations in full.
# - **Hyperband** and **ASHA** stop early, with R = 27.
# - **learning** is the search that lesson 3 built by hand. It trains every configuration in full. Its first five are
#   random, and it chooses each further one by the losses of all before.

# %%
from hpt_helpers.classroom import searches

entrants = {
    "random": searches.at_random,
    "Hyperband": searches.hyperband,
    "ASHA": searches.asha,
    "learning": searches.by_hand,
}

# %% [markdown]
# With the epochs of eight full trainings ASHA tries dozens of configurations, and the learning search eight. The
# winners are judged **fresh**, on four other draws of rows and seeds that had no say in choosing them. The figure has
# the medians. The table counts the repeats in which one search has the lower fresh loss. A lead in 21 or more of the 30
# repeats is beyond luck (sign test at 5 %). In some repeats both searches choose the same configuration, and such a tie
# counts for neither.
#
# **Predict:** what is the smallest of the five budgets at which the learning search has a lower median than ASHA?

# %%
contests = [("Hyperband", "random"), ("ASHA", "random"), ("ASHA", "learning")]
budgets = {n: study.race(problem, entrants, n, progress=True) for n in (5, 8, 13, 20, 40)}
brackets.by_budget(study.medians(budgets), list(budgets))
study.wins(budgets, contests, index="trainings")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Eight. There its median is below ASHA's for the first time, but the lead may be luck. With five trainings ASHA is
# ahead of the learning search in 24 of 30 repeats, because five random trials are all that the other one has. With
# eight ASHA is ahead in only 12 of 30, which thirty repeats cannot tell from a draw. With 13 it is ahead in 4, and
# with 40 in 1. The learning search soon knows where the good configurations are, and spends each further training
# there. ASHA and Hyperband draw their configurations blindly, however many they draw.
#
# Against random search ASHA is ahead at every budget, in 21 to 24 of 30 repeats, because it looks at many more
# configurations for the same epochs, and on digits early order is late order. Hyperband is ahead in 19 or 20 up to 13
# trainings, which may still be luck, and in 24 and 25 with more. We did not look for the reason.
#
# **So:** on a problem like digits, if you can afford about five full trainings, stop early. Take ASHA for it, which has
# no round to finish, and whose lead over random search was beyond luck. If you can afford 13 or more, one after
# another, let the search learn. In between thirty repeats do not decide.
#
# Your machines count as well. A search that learns from one trial before it starts the next cannot keep 64 GPUs busy,
# and ASHA can. With four GPUs your night holds 32 trainings, but only eight one after another. A search that learns can
# propose four at a time, as Going further of lesson 3 shows, but we did not race that. Methods such as BOHB do both, as
# Going further says.
#
# </details>

# %% [markdown]
# ## And elsewhere?
#
# So far 360 validation rows have judged the trials on digits. In lesson 2 the simulated data let us choose the number
# of validation rows. ASHA and Hyperband look at hundreds of losses where random search looks at 40. Each look is
# another chance to find a good configuration, and another chance to be deceived by lucky rows.
#
# We give each search the epochs of 40 full trainings on simulated data, with 10 to 2,000 validation rows. The table
# counts the repeats in which a search is ahead of random search.
#
# - **as searched** compares the validation losses with which the winners won.
# - **fresh** compares their losses on draws that had no say. Ties count for neither again.
#
# **Predict:** with 10 validation rows, is ASHA's winner better than random search's, judged fresh, in more than half of
# the repeats?

# %%
early = {name: entrants[name] for name in ("random", "Hyperband", "ASHA")}
rows = {
    n_val: study.race(table_problem("simulated", n_val), early, 40, progress=True)
    for n_val in (10, 30, 100, 300, 2000)
}
study.wins(rows, contests[:2], index="validation rows", by=("val_loss", "fresh"))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. As searched it is ahead in 24 of 30, and fresh in only 9. With 10 rows the lowest of hundreds of losses is low by
# luck, and the configuration behind it is no better than random search's. With 30 rows ASHA is about level, with 14 of
# 30. With 300 rows it is ahead in 22, because more rows can tell good configurations apart. With 2,000 rows it is ahead
# in 20, which is one short of beyond luck. In the remaining third the two tie, or random search's winner is the better
# one.
#
# Hyperband is ahead fresh in 15 to 21 of 30, and only the 21, with 300 rows, is beyond luck. With 10 rows it is ahead
# in 18, twice as often as ASHA. We did not look for the reason, and 18 may be luck.
#
# **So:** stopping early multiplies the number of trials, and that pays only if your validation rows can tell them
# apart. Here 300 rows could, for ASHA and in most repeats. With a few dozen, first get more rows, or train your best
# few configurations again on other splits. Lesson 5 comes back to this with a data set on which leads as searched are
# gone when judged fresh.
#
# </details>

# %% [markdown]
# ## The test score, once
#
# Our first search on digits, with 49 configurations, chose one. `refit` trains it on training and validation rows
# together. Then we open the sealed test rows.

# %%
from hpt_helpers.data import load_splits
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

best = incumbent(trials)
splits = load_splits("digits", draw=0, n_train=320, n_val=360)
model = refit(config_of(trials, best), splits, n_epochs=int(trials.at[best, "n_epochs"]))
print(splits.final_score(model))

# %% [markdown]
# The interval is narrower than those of iris, because there are twelve times as many test rows. It is still too wide to
# tell two good networks apart.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# ### Exercise 1: who goes on?
#
# Write `going_on(losses, eta)`: the positions of the trials that go on at a cut, the best first. `losses` is a rung's
# list of validation losses, nan for a failed trial. Of n trials, n // eta go on. Of equal losses the earlier comes
# first. A failed trial never goes on.

# %%
from hpt_helpers.classroom.exercises import lesson_04 as ex


def going_on(losses, eta):
    return ...


ex.q1.check(going_on)

# %% [markdown]
# ### Exercise 2: what does a bracket cost?
#
# Write `cost(rungs)`: how many epochs a bracket trains when survivors go on from a checkpoint. `rungs` lists
# (configurations, epochs): in [(9, 1), (3, 3), (1, 9)] nine are trained to epoch 1, three of them to epoch 3, and one
# to epoch 9.

# %%
def cost(rungs):
    return ...


ex.q2.check(cost)

# %% [markdown]
# ### Exercise 3: a report
#
# A report says: "Hyperband, 143 trials, validation loss 0.061. Random search at equal cost, 19 trials, 0.068. The same
# 30 validation rows." Which of the two winners will be better on new rows?
#
# - **a** The report does not tell.
# - **b** Hyperband's.
# - **c** Random search's.
#
# Because:
#
# - **1** losses after different numbers of epochs cannot be compared.
# - **2** the lowest of many losses on few rows is low by luck as well.
# - **3** at equal cost the lower loss decides.

# %%
answer_3 = ...  # a letter and a number in quotes, such as "a1"
ex.q3.check(answer_3)

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# With your own network you will
#
# - **compare the best losses so far and keep the best weights**, from the first search on.
# - **look at the curves of trials that were trained in full**, from an earlier search or at the end of your first one.
#   Where losses still fall at the end, early order is late order. Where they turn, it may not be.
# - **save checkpoints** of the model, the optimiser and the generator of the shuffles.
# - **count what was stopped.** A scheduler that is set up wrongly may stop nothing, and does not say so.
# - **stop early if you can afford only a few full trainings, or have many machines.** If you can train a dozen or more,
#   one after another, a search that learns found better configurations here.
# - **ask whether the validation rows can tell so many trials apart.** With 10 or 30 rows the lead that a search reports
#   may be luck alone.
#
# </div>
#
# **Next:** [the bake-off](05_bake_off.ipynb), in which the searches of all lessons meet on three problems.

# %% [markdown]
# ## Going further
#
# ### What does the insurance cost?
#
# The three cautious brackets take 276 of Hyperband's 357 epochs. On digits and on the simulated data early order is
# late order, so we might leave the insurance out and run the boldest bracket again and again. It looks at more
# configurations for the same epochs, and the cautious brackets judge theirs after longer training.
#
# **Predict:** at equal epochs, which of the two is ahead, the boldest bracket or the whole of Hyperband, or can thirty
# repeats not tell?

# %%
from hpt_helpers.strategies import successive_halving


def boldest(space, repeat, n_trials, n_epochs):
    rungs = hyperband_schedule(n_epochs)[0]
    for again in range(n_trials):  # the budget ends it
        configs = space.sample(rungs[0][0], seed=1000 * repeat + again)
        yield from successive_halving(configs, rungs)


both = {"Hyperband": searches.hyperband, "boldest": boldest}
tables = {"digits, 360 rows": problem, "simulated, 2,000 rows": table_problem("simulated", 2000)}
races = {name: study.race(table, both, 40, progress=True) for name, table in tables.items()}
study.wins(races, [("boldest", "Hyperband")], index="data")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# They cannot tell. Both times the boldest bracket is ahead in 16 of 30. Its additional configurations and the safer
# judgement of the cautious brackets seem to be worth about the same. **So:** here the insurance costs too little to be
# seen. Where losses turn, you may be glad of it.
#
# </details>

# %% [markdown]
# ### Rows instead of epochs
#
# Anything can be a resource if more of it makes a trial's score more reliable and the trial more expensive. For models
# without epochs, such as support vector machines or forests, it may be the number of training rows. scikit-learn's
# `HalvingRandomSearchCV` is one bracket with that resource. It keeps no checkpoints, so every survivor is fitted anew.
# Here it tunes a support vector machine on digits.

# %%
from scipy.stats import loguniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV
from sklearn.svm import SVC

halved = HalvingRandomSearchCV(
    SVC(), {"C": loguniform(0.01, 100), "gamma": loguniform(1e-4, 1)},
    resource="n_samples", min_resources=50, n_candidates=27, cv=3, random_state=0,
).fit(*load_splits("digits").search_rows())
by_rows = pd.DataFrame(halved.cv_results_).groupby("n_resources")["mean_test_score"]
by_rows.agg(candidates="size", best_accuracy="max").round(3)

# %% [markdown]
# Each row of the table is a rung, and `n_resources` its number of rows. The last rung uses nearly all rows, for one
# candidate. Whether the order with 50 rows is the order with 1,350 is the same question as before, and you answer it in
# the same way. Fit ten or twenty candidates on all rows, and compare.
#
# ### Two relatives, in a paragraph each
#
# **Population-based training** (Jaderberg et al. 2017; Ray's `PopulationBasedTraining`) stops the bad trials too, but
# puts a copy of a good one in their place, weights and all, and changes its hyperparameters a little. What the method
# finds is a *schedule*, such as a falling learning rate. The method needs checkpoints, and a population that trains at
# the same time.
#
# **BOHB** (Falkner et al. 2018; Ray's `TuneBOHB` with `HyperBandForBOHB`) keeps Hyperband's brackets, and draws their
# configurations mostly from a model of the losses seen so far, as in [lesson 3](03_bayesian_optimization.ipynb). In
# their experiments Hyperband led early, the search that learned led later, and BOHB did well at both.
#
# ### The same search on a cluster
#
# `tune_on_ray` runs any of the package's searches on Ray, with the objective and the space of `run`. With `RAY_ADDRESS`
# set, the same call runs on a cluster. `docs/beyond_one_machine.md` says how.

# %% [markdown]
# How far are you?

# %%
ex.progress()

# %% [markdown]
# ## Further reading
#
# - Kevin Jamieson and Ameet Talwalkar (2016), *Non-stochastic Best Arm Identification and Hyperparameter Optimization*,
#   AISTATS: successive halving.
# - Lisha Li, Kevin Jamieson, Giulia DeSalvo, Afshin Rostamizadeh and Ameet Talwalkar (2018), *Hyperband: A Novel
#   Bandit-Based Approach to Hyperparameter Optimization*, Journal of Machine Learning Research 18.
# - Liam Li, Kevin Jamieson, Afshin Rostamizadeh, Ekaterina Gonina, Jonathan Ben-tzur, Moritz Hardt, Benjamin Recht and
#   Ameet Talwalkar (2020), *A System for Massively Parallel Hyperparameter Tuning*, MLSys: ASHA.
# - Max Jaderberg et al. (2017), *Population Based Training of Neural Networks*, arXiv 1711.09846.
# - Stefan Falkner, Aaron Klein and Frank Hutter (2018), *BOHB: Robust and Efficient Hyperparameter Optimization at
#   Scale*, ICML.
