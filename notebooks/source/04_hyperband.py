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
# But a trial that starts slowly is not always a bad one. We measure **when you may stop a trial early, what that saves,
# and whether your night should go to a search that stops early, to one that learns from its trials, or to one that does
# both**. We also run Hyperband as the library Ray offers it, and count how many trials it really stops.
#
# **Time:** core path 60 minutes, exercises 18 minutes, going further 32 minutes. **Builds on:** [Random
# search](02_random_search.ipynb), and for the last race [Bayesian optimisation](03_bayesian_optimization.ipynb).
# Unknown words are in the [glossary](../docs/glossary.md).

# %% [markdown]
# ## The idea in a picture
#
# Until now every trial was trained to its last epoch. From here on epochs are a **resource**. A trial is given a few at
# first, and more if it does well. **R** is the largest number of epochs that one trial can get.
#
# **Successive halving** trains many configurations for one epoch and keeps the best third. The others stop, which is
# called a cut. The third that is left trains on to three epochs, the best third of it is kept again, and so on up to R.
# Each stage is a **rung**. Because one of three is kept, the **halving factor** η (eta) is 3.
#
# How early should the first cut be? **Hyperband** leaves that open. It runs several successive halvings, each of which
# is called a **bracket**. The boldest bracket begins with many configurations and cuts after one epoch. The most
# cautious one begins with few and never cuts.
#
# In the picture R is 27. Each bar is one configuration. The length of the bar is the number of epochs for which the
# configuration is trained, and the colour changes at each cut. On the left you see how many configurations each rung
# has, and how many epochs the bracket trains in all. Bracket 4 never cuts, so it has a single rung.

# %%
from hpt_helpers.classroom.lesson_04 import figures
from hpt_helpers.strategies import hyperband_schedule

figures.chart(hyperband_schedule(27))

# %% [markdown]
# Look at the first and the last bracket. The boldest one tries 27 configurations and needs only 81 epochs in all,
# because most of them get one epoch. The most cautious one tries four and needs 108 epochs, because all four are
# trained to the end. If the early losses can be trusted, the bold bracket is the far better bargain. If not, the
# cautious one is the insurance.
#
# If your own training has 100 epochs, let one unit of the resource be about four epochs. Then R is 27.

# %% [markdown]
# ## Is early order late order?
#
# Every cut assumes that a trial that is behind early will also be behind at the end. At work you cannot see whether
# that is true, because you never train the stopped trials to the end. Here we can. On each of two problems we take 81
# configurations, train all of them in full, and watch their losses at the epochs at which a bracket would cut.
#
# - **digits** has ten classes and six hyperparameters, as in lessons 2 and 3. A full training has 27 epochs, which are
#   270 steps with 320 training rows and batches of 32. Our table of ready-made trainings has the losses on 360
#   validation rows, in 30 repeats.
# - **breast_cancer** has two classes that are easy to tell apart, 341 training rows and 114 validation rows. We tune
#   three hyperparameters. A full training has 81 epochs, three times as many as on digits, and there are 15 repeats.

# %%
from hpt_helpers.classroom.lesson_04 import studies
from hpt_helpers.search_space import Choice, Real, SearchSpace

SPACE = SearchSpace({
    "hidden_size": Choice([8, 16, 32]),
    "lr": Real(1e-4, 1e-2, log=True),
    "batch_size": Choice([16, 32, 64]),
})
cancer = studies.watched_in_training("breast_cancer", SPACE, 81, repeats=range(15), progress=True)
watched = {"digits": studies.watched_in_table("digits", n_val=360), "breast_cancer": cancer}

# %% [markdown]
# Remember that a loss may turn. A network that already gets most rows right grows more and more confident of its
# answers, even of the wrong ones. Its loss then rises again.
#
# The **rank correlation** (Spearman's) compares the order of the configurations at two epochs. It is 1 if all
# configurations keep their places, 0 if the early order says nothing, and negative if the later order is rather the
# reverse.
#
# The figure shows the **most misleading repeat** of each problem, which is the repeat with the lowest rank correlation.
# Each line is one configuration. The darker the line, the higher the learning rate. The dashed line is at a ninth of
# the epochs, and the number above a panel compares the order there with the order at the end.
#
# In the table `epochs` names two epochs, and the second is nine times the first. `mean`, `lowest` and `highest`
# describe their rank correlation over all repeats.
#
# **Predict:** on which of the two problems do fast starters end behind slow ones?

# %%
figures.curves(watched)
studies.rank_correlations(watched).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On breast_cancer. The dark lines fall first. Most of them reach their lowest point by epoch 9. Then they rise,
# because these networks grow too confident about the few rows that they get wrong. Lines of middling brightness turn
# later or not at all, and end lower. On digits most lines are still falling at epoch 27, so the fast learners keep their lead,
# and even the most misleading of the 30 repeats has a correlation of 0.76.
#
# The table shows that R matters, too. If the trainings on breast_cancer ended at epoch 9, the mean correlation would
# be 0.91, and at epoch 27 still 0.75. At epoch 81 it is 0.30, and repeats differ widely, from -0.48 to 0.95. In most
# repeats most fast learners' losses have turned by then, as in the figure.
#
# **So:** where the losses still fall at the end, as on digits, early order is nearly late order. Where some have
# turned, a cut by the current loss may favour the wrong trials. Only trials that were trained in full show which of the
# two cases yours is. You need not spend a night on them first:
#
# - If you have the trials of an earlier search that stopped nothing, look at their curves.
# - If not, run your first search with early stopping, and then look at the trials that it trained to the end. They
#   are mostly fast learners, whose losses are the first to turn. If theirs have not turned, train two or three of the
#   stopped trials in full as well, in case a slow starter would have overtaken them.
#
# </details>

# %% [markdown]
# ### Under a learning-rate schedule
#
# In these trainings the learning rate stays what it is. Many networks are trained under a schedule that lowers it to 0
# at epoch R, so that a trial cut early has never seen the small rates of the end. Is a cut riskier then? We trained
# both pools once more under a cosine (`docs/testbed.md`), and compared the order at a ninth of the epochs with that at the
# end.
#
# | mean rank correlation | constant rate | cosine that ends at R |
# | --- | --- | --- |
# | digits, R = 27 | 0.87 | 0.92 |
# | breast_cancer, R = 81 | 0.67 | 0.84 |
#
# It is safer. Early order is nearer to late order under the cosine, in every repeat. Most of its learning happens early,
# while the rates are large, and by the end little moves any more. The condition is that every rung belongs to the same
# long schedule. A schedule that ended at each rung would be another training.

# %% [markdown]
# ## Who is left?
#
# A correlation does not say what a search loses. So we run the boldest bracket on the same trainings and look at its
# one survivor. On digits, where R is 27, the bracket starts with 27 of the 81 configurations. On breast_cancer all 81
# start.
#
# The bracket can cut by the **last loss**, which is the loss at the epoch just trained, or by the **best so far**,
# which is the lowest loss that the trial has had up to then. You can end with the survivor's last weights or, as early
# stopping does, with its best weights, which are those of the epoch with its lowest loss.
#
# The table shows the mean **fresh loss** of the survivor's configuration: it is trained again with other seeds and
# judged on other rows. `cuts` names the loss that makes the cuts. With `no cuts` all are trained in full and the lowest
# loss wins, and `a blind draw` takes any configuration. `weights` says which weights are kept.
#
# **Predict:** on breast_cancer, which lowers the survivor's fresh loss more: keeping the best weights instead of the
# last, or cutting by the best losses instead of the last?

# %%
studies.survivors(watched).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Keeping the best weights. It lowers the fresh loss from 0.157 to 0.096. Cutting by the best losses as well gives
# 0.100, which is no better. Whichever loss makes the cuts, a fast learner survives to the end. By then its loss has
# usually turned, and its last weights are worse than those of a blind draw, with 0.157 instead of 0.127. Its best
# weights are from before the turn.
#
# On breast_cancer the cuts lost nothing, since without cuts the loss is 0.101. Yet a blind draw's 0.110 is hardly worse.
# There are many good configurations, and 114 rows cannot tell them apart. They only help to avoid the few very bad ones.
#
# On digits configurations differ much more, and a blind draw costs 1.313. But here the cuts do lose something. The
# fresh loss is 0.336, and without cuts 0.294. Compared repeat by repeat, this difference is beyond luck. Wherever the
# bracket's survivor is not the winner without cuts, it has the higher learning rate. It leads early, and a somewhat
# slower learner would have overtaken it. In return the bracket trains only a ninth of the epochs.
#
# Neither the weights nor the loss that makes the cuts matters on digits, because hardly any loss turns within 27
# epochs.
#
# **So:** keep the best weights of each trial, from your first search on. Where losses turned, this repaired the harm,
# and where they kept falling, it did no harm. Compare the best losses, because they belong to the weights that you
# will use. In Ray you can report `min(losses)` beside the loss, under a name of its own, and set `metric` to that
# name.
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
# What does Hyperband save? A trial that survives a cut can **go on** from where it stopped, if you kept a
# **checkpoint** of it. Without a checkpoint the trial has to **restart** at epoch 0. We run the 49 configurations of
# the chart on digits. The losses come from our table of ready-made trainings. Say that a full training of 27 epochs
# takes an hour. All 49 in full would then take 49 hours.
#
# The cell first checks that `strategies.hyperband` of the package gives the same trials.
#
# **Predict:** suppose that you keep no checkpoints, and every survivor has to restart. Does Hyperband still take less
# than half of the 49 hours?

# %%
from hpt_helpers import strategies
from hpt_helpers.classroom.tables.table import table_problem
from hpt_helpers.search import run
from hpt_helpers.trials import same_trials

problem = table_problem("digits", n_val=360)
space = problem.space(0)
trials = run(hyperband(space.sample(49, seed=0), hyperband_schedule(27)), problem.objective)
assert same_trials(trials, run(strategies.hyperband(space, 27, seed=0), problem.objective))
studies.bill(trials, n_epochs=27, hours=1)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes. Of the 49 hours restarting takes 15.7, about a third, and going on takes 13.2, about a quarter. Restarting
# costs so little more because at each rung a survivor repeats only the first third of its epochs, and survivors are
# few.
#
# **So:** Hyperband saves most of the cost even without checkpoints. But write checkpoints anyway, because they also
# save your work if a machine breaks down. A checkpoint needs the model, the state of the optimiser **and** the
# generator of the shuffles. Without the generator a trial that goes on sees its rows in another order, and no longer
# gives the result of a training without a stop.
#
# </details>

# %% [markdown]
# ## Many machines, some of them slow
#
# Suppose that you have four GPUs, or sixty-four. Successive halving waits at each rung until the slowest trial is done,
# and its last rung is a single trial. The other machines stand idle meanwhile.
#
# **ASHA** (asynchronous successive halving, Li et al. 2020) never waits. A machine that becomes free looks, at each
# rung, at the trials that have finished it so far. If one of the best third of these has not gone on yet, the machine
# trains that trial up to the next rung. If several rungs have such a trial, the highest rung comes first. If no trial
# may go on, the machine starts a new configuration.
#
# Below, `rungs` is a list with one dict for each rung, which maps a trial's number to its loss. With several machines,
# a trial that trains for the next rung counts as gone on, too.

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
# ## With the library: Ray Tune
#
# Ray Tune runs trials in processes of their own, on one machine or on many, and a **scheduler** stops some of the
# trials. Ray needs to know how to train one epoch, and how to save and load a checkpoint. `course_trainable` does this
# for our network on iris. You can read it with `course_trainable??`. A `Tuner` puts the training, the space and the
# scheduler together, and its `fit()` runs the search. `fit_in_turn` calls `fit()` for one tuner after another.

# %%
from ray import tune
from ray.tune.schedulers import ASHAScheduler, HyperBandScheduler
from ray.tune.search import BasicVariantGenerator

from hpt_helpers.classroom.lesson_04.ray_in_turn import fit_in_turn, quiet_run
from hpt_helpers.classroom.lesson_04.ray_trainable import course_trainable
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
# This course grew from a script with these lines. Each trial ends by itself after its own number of epochs, which is 5,
# 10 or 15.
#
# ```python
# space = {..., "epochs": tune.choice([5, 10, 15])}
# scheduler = HyperBandScheduler(metric="mean_accuracy", mode="max")
# tune.run(train_model, config=space, scheduler=scheduler, num_samples=5)
# ```
#
# `max_t` is Ray's name for R. The script leaves it at its default of 81. `HyperBandScheduler` has the brackets of our
# chart, and fills one after the other in the order in which trials arrive.
#
# We start Ray once, for three runs. The first is the script, except that it compares validation losses and not
# accuracies. The second has `max_t=9` and exactly the 17 trials that fill its brackets of 3, 5 and 9. The third gives
# the same 17 trials to Ray's ASHA, whose `reduction_factor` is our η. All this takes about 20 seconds. If Ray should
# hang, the cell ends by itself and says what to do.
#
# - `stopped_early` counts the trials that ended before their last epoch.
# - `epochs` counts the epochs that were trained.
# - `epochs_in_full` counts the epochs that would have been trained if nothing had been stopped.
#
# **Predict:** how many of its five trials does the script stop early?

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
studies.stopped(in_ray, n_epochs=9)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# None. Of Ray's brackets **the one that never cuts comes first**, and it holds as many trials as there are brackets,
# which are three for R = 9, four for R = 27, and five for R = 81. The script's five trials just fill it, so the script is
# random search with five trials. No error and no warning says so.
#
# With `max_t=9` and 17 trials `HyperBandScheduler` stops 11. Six go to the end: the three of the bracket that never
# cuts, one of the bracket of nine, and two of the bracket of five. There Hyperband as published keeps only one of the
# five, because it rounds down at a cut where Ray rounds up.
#
# Ray's ASHA stops 12. Unlike ours, it decides about a trial only once, at its arrival, so the first to arrive has no
# rivals and always goes on.
#
# **So:** whichever scheduler you use, **count what was stopped**. With `HyperBandScheduler` set `max_t` to the number
# of epochs of a full training, and queue exactly as many trials as fill the brackets. These are 17 trials for R = 9, 49
# for R = 27 and 143 for R = 81. Or take `ASHAScheduler`, which has no brackets to fill and which [Ray's own
# documentation](https://docs.ray.io/en/latest/tune/api/schedulers.html) recommends. Its `grace_period` is the first
# rung. If your training begins with a warm-up, put the first rung after it.
#
# </details>

# %% [markdown]
# ## Cut, and learn where to look
#
# In your night ASHA looks at dozens of configurations, and draws every one of them blindly. Bayesian optimisation, which
# lesson 3 built, looks where losses were low, but trains every configuration to the end. Must you choose?
#
# **MOBSTER** (Klein et al. 2020) does both. It cuts as ASHA does. Where ASHA would start a random configuration, MOBSTER
# starts the one that promises most **at the last rung**, by what it has seen at *all* rungs. Its surrogate is lesson
# 3's, with one more column: beside the hyperparameters of a result stands its rung. So a low loss after one epoch
# promises something for epoch 27, and a low loss after nine epochs promises more, because its rung is nearer. Losses
# fall from rung to rung for every configuration alike, and are therefore told as distances from the mean log loss of
# their rung.
#
# The length scale is 1.5, since six hyperparameters leave the points further apart than one did. The first five
# configurations are random.

# %%
from hpt_helpers.classroom.lab.bayes import expected_improvement, surrogate


def promising(points, rungs):
    seen, told = [], []
    for rung, done in enumerate(rungs):
        if done:
            logs = np.log(list(done.values()))
            distances = logs - logs.mean()
            best = distances.min()  # at the end, that of the highest rung
            seen += [(*points[trial], rung / 2) for trial in done]  # one more column
            told += list(distances)
    last = np.full((len(points), 1), (len(rungs) - 1) / 2)
    at_last = np.hstack([points, last])
    mean, std = surrogate(np.array(seen), np.array(told), at_last, scale=1.5)
    gain = expected_improvement(mean, std, best)
    gain[list(rungs[0])] = -np.inf  # started already
    return gain.argmax()


# %% [markdown]
# All else is ASHA. A trial that may go on goes on. Otherwise a new one starts, which is random only among the first five.

# %%
def cut_and_learn(space, repeat, n_trials, n_epochs):
    candidates = space.sample(1000, seed=repeat)
    points = space.to_unit(candidates)
    epochs = [n_epochs // 27, n_epochs // 9, n_epochs // 3, n_epochs]
    rungs = [{} for _ in epochs]
    while True:  # the budget ends it
        goes_on = promotion(rungs)
        if goes_on:
            trial, rung = goes_on
        else:
            n_started = len(rungs[0])
            trial, rung = n_started if n_started < 5 else promising(points, rungs), 0
        [loss] = yield [(candidates[trial], epochs[rung])]
        rungs[rung][trial] = loss


# %% [markdown]
# ## Who wins the race?
#
# One night proves nothing. We race five searches on digits, each with the epochs of 3, 5, 8 or 13 full trainings, in 30
# repeats. One round of Hyperband costs a little more than 13 full trainings, so here Hyperband stops before its first
# round is over.
#
# - **random** trains random configurations in full.
# - **Hyperband** and **ASHA** stop early, with R = 27.
# - **Bayesian** is the search that lesson 3 built by hand. It trains every configuration in full. Its first five
#   configurations are random. It chooses each further configuration by the losses of all before.
# - **MOBSTER** is the search above.

# %%
from hpt_helpers.classroom.lab import searches

entrants = {
    "random": searches.at_random,
    "Hyperband": searches.repeated_hyperband,
    "ASHA": searches.asha,
    "Bayesian": searches.by_hand,
    "MOBSTER": cut_and_learn,
}

# %% [markdown]
# The winners are judged **fresh**, on four other draws of rows and seeds that had no say in choosing them. The figure
# shows each search's median fresh loss. The table has a row for each budget, in full `trainings`. Under `ASHA over
# random` an entry such as "18 : 7" would say that ASHA's winner has the lower fresh loss in 18 repeats and the higher
# in 7. In the other five both chose the same configuration, and such ties count for neither.
#
# A lead is beyond luck if a sign test at 5 % says so. Of 30 repeats without ties it asks for 21, of 28 for 20, and of
# 25 for 18.
#
# **Predict:** what is the smallest of the four budgets at which Bayesian optimisation has a lower median than MOBSTER?

# %%
contests = [("ASHA", "random"), ("ASHA", "Hyperband"), ("ASHA", "Bayesian"),
            ("MOBSTER", "ASHA"), ("MOBSTER", "Bayesian")]
budgets = {n: studies.race(problem, entrants, n, progress=True) for n in (3, 5, 8, 13)}
figures.by_budget(studies.medians(budgets), list(budgets))
studies.wins(budgets, contests, index="trainings")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# 13, and there 4 : 7 may be luck. With three trainings MOBSTER is ahead of Bayesian optimisation in 29 repeats and
# behind in 1, with five in all 30, and with the eight of your night still in 22 and behind in 2. By the fifth training
# Bayesian optimisation has only tried its five random configurations. MOBSTER has started about thirty by then, and
# chose all but its first five by what the others had shown. Its median with three trainings, 0.217, is below that of
# Bayesian optimisation with eight.
#
# ASHA is ahead of random search beyond luck at every budget. It looks at many more configurations for the same epochs,
# and on digits early order is nearly late order, so early cuts leave a good configuration, if not always the best. But
# MOBSTER is ahead of ASHA by at least 24 : 3, since ASHA looks at more configurations and MOBSTER at better ones. Between
# ASHA and Hyperband no budget decides.
#
# From 13 trainings on, Bayesian optimisation knows the good region as well. MOBSTER hardly gains any more after eight.
#
# **So:** on a problem like digits with wide ranges, cut *and* learn in your night. With a dozen trainings or more, one
# after another, Bayesian optimisation finds configurations as good, and needs no early order for it. All this was with
# 360 rows. On simulated data with 10 or 30 rows cuts gained nothing ([And elsewhere?](#And-elsewhere?)).
#
# </details>

# %% [markdown]
# ## With four machines, or sixteen
#
# Bayesian optimisation chooses one trial by all before. Does it fall behind when several machines want work at once? A
# proposal can allow for trials that still run: it imagines that they give what the surrogate expects. We raced on a
# simulated clock, with configurations of unequal speed (`docs/testbed.md`). A full training takes an hour on average,
# and the table has median fresh losses on digits. *Bayesian* is here MOBSTER with full trainings only.
#
# | machines | hours | random | Bayesian | ASHA | MOBSTER |
# | --- | --- | --- | --- | --- | --- |
# | 1 | 2 | 0.601 | 0.601 | 0.406 | 0.255 |
# | 1 | 8 | 0.364 | 0.254 | 0.248 | 0.194 |
# | 4 | 2 | 0.381 | 0.287 | 0.269 | 0.197 |
# | 4 | 8 | 0.265 | 0.186 | 0.211 | 0.189 |
# | 16 | 2 | 0.275 | 0.203 | 0.226 | 0.195 |
# | 16 | 8 | 0.223 | 0.183 | – | – |
#
# The dashes stand where ASHA had tried the whole table, and where MOBSTER was not raced. Elsewhere MOBSTER is ahead of ASHA
# with 1, 4 and 16 machines alike. With time for many trainings the plain Bayesian search passes ASHA, too. With four
# machines and eight hours it is ahead in 22 repeats and behind in 1.
#
# **So several machines are no reason to stop learning.** They make the night hold more trainings, and the more it holds,
# the less the cuts matter.

# %% [markdown]
# ## The test score, once
#
# Our first search on digits, by hand and with 49 configurations, found a winner. `refit` trains this configuration on
# training and validation rows together. Then we open the sealed test rows.

# %%
from hpt_helpers.data import load_splits
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

best = incumbent(trials)
splits = load_splits("digits", draw=0, n_train=320, n_val=360)
model = refit(config_of(trials, best), splits, n_epochs=int(trials.at[best, "n_epochs"]))
print(splits.final_score(model))

# %% [markdown]
# The interval is too wide to tell apart two networks whose accuracies differ by only a point or two.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# ### Exercise 1: who goes on?
#
# Write `going_on(losses, eta)`, which returns the positions of the trials that go on at a cut, the best first.
# `losses` is the list of a rung's validation losses, with nan for a failed trial. Of n trials, n // eta go on. Of
# equal losses the earlier comes first. A failed trial never goes on.

# %%
from hpt_helpers.classroom.lesson_04 import exercises as ex


def going_on(losses, eta):
    return ...


ex.q1.check(going_on)

# %% [markdown]
# ### Exercise 2: what does a bracket cost?
#
# Write `cost(rungs)`, which returns how many epochs a bracket trains when survivors go on from a checkpoint. `rungs`
# is a list of pairs of a number of configurations and an epoch. In [(9, 1), (3, 3), (1, 9)] nine are trained to epoch
# 1, three of them to epoch 3, and one to epoch 9.

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
# - **keep the best weights of each trial**, from the first search on, and compare the losses that belong to them.
# - **look at the curves of trials that were trained in full**, from an earlier search or from your first search with
#   early stopping. Where losses still fell at the end, as on digits, early order was nearly late order. Where they
#   turned, as on breast_cancer, it could mislead.
# - **save checkpoints** of the model, the optimiser and the generator of the shuffles.
# - **count what was stopped.** A scheduler that is set up wrongly may stop nothing, and does not say so.
# - **cut and learn at once if you can afford only a few full trainings.** On digits MOBSTER was far ahead of either with
#   three to eight trainings, and with four machines as with one. If you can afford a dozen or more, Bayesian
#   optimisation alone did as well, and needs no early order.
# - **ask whether the validation rows can tell so many trials apart.** With 10 or 30 rows the lead that a search reports
#   may be luck alone.
#
# </div>
#
# **Next:** [the bake-off](05_bake_off.ipynb), in which the searches of all lessons meet on three problems.

# %% [markdown]
# ## Going further
#
# ### What does one night look like?
#
# ASHA and MOBSTER get the epochs of eight full trainings. The table has a row for each rung. `trials` counts the results
# there, and `mean` and `best` describe their losses. The cell also checks that `strategies.mobster` of the package gives
# the same trials as ours.
#
# **Predict:** which of the two starts more configurations?

# %%
night = {"ASHA": searches.asha, "MOBSTER": cut_and_learn}
tonight = {
    name: run(search(space, 0, 8, 27), problem.objective, budget=8 * 27)
    for name, search in night.items()
}
packaged = run(strategies.mobster(space, 27, seed=0), problem.objective, budget=8 * 27)
assert same_trials(tonight["MOBSTER"], packaged)
studies.by_rung(tonight).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# ASHA, with 50 against 28. Yet MOBSTER brings five to the last rung and ASHA four. The five have a mean loss of 0.19,
# and the best of the four has 0.42. MOBSTER starts fewer because its newcomers are good. More of them are among the best
# third of their rung, so more of the epochs go into training them on.
#
# **So:** do not count configurations. What is tried matters more than how much of it.
#
# </details>

# %% [markdown]
# ### And elsewhere?
#
# So far there were 360 validation rows on digits. The simulated data of lesson 2 let us choose their number. ASHA and
# Hyperband look at hundreds of losses where random search looks at 40. Each look is another chance to be deceived by
# lucky rows, and another chance to find a good configuration.
#
# We give each search the epochs of 40 full trainings, with 10 to 2,000 validation rows. The table has a row for each
# number of validation `rows`, and counts again how often each search is ahead of random search and behind.
#
# - **as searched** compares the validation losses with which the winners won.
# - **fresh** compares the winners' losses on draws that had no say.
#
# **Predict:** with 10 validation rows, is ASHA's winner better than random search's, judged fresh, in more than half of
# the repeats?

# %%
early = {name: entrants[name] for name in ("random", "Hyperband", "ASHA")}
rows = {
    n_val: studies.race(table_problem("simulated", n_val), early, 40, progress=True)
    for n_val in (10, 30, 100, 300, 2000)
}
over_random = [("Hyperband", "random"), ("ASHA", "random")]
studies.wins(rows, over_random, index="rows", by=("val_loss", "fresh"))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. As searched ASHA is ahead in 24 repeats and behind in none. Judged fresh it is ahead in 9 and behind in 15. With
# 10 rows the lowest of hundreds of losses is low by luck, and the configuration behind it is no better than random
# search's. With 30 rows ASHA is about level. With 300 rows it leads by 22 : 4 and with 2,000 by 20 : 5, both beyond
# luck. Hyperband is ahead beyond luck only with 300 rows, by 21 : 9, and only just.
#
# On three other simulated data sets ASHA's lead with 2,000 rows came back, and that with 300 did not
# (`docs/testbed.md`). There you also find MOBSTER on these data: it is ahead of ASHA only a little with 2,000 rows, and
# not visibly with 30.
#
# **So:** stopping early multiplies the number of trials, and that pays only if your validation rows can tell the
# trials apart. On simulated data 2,000 rows could, for ASHA. With 300 rows its lead depended on the data set, and
# with 10 or 30 it had none. If you have only a few dozen rows, first get more, or train your best few configurations
# again on other splits.
#
# </details>

# %% [markdown]
# ### What does waiting cost?
#
# What do many machines gain by ASHA? We simulate the boldest bracket of R = 81, and ASHA on the same rungs, until one
# configuration has had all its 81 epochs. An epoch takes a minute on average. The `speeds` of the configurations are
# either **equal** or **unequal**. With unequal speeds an epoch takes between 0.4 and 2 minutes for nine
# configurations in ten.
#
# - `workers` is the number of machines.
# - `halving_hours` and `asha_hours` are medians of 50 repeats.
# - `halving_busy` is the share of the time during which halving's machines train.
#
# **Predict:** with 64 machines and equal speeds, does ASHA need less than three quarters of the hours that halving
# needs?

# %%
import pandas as pd

from hpt_helpers.classroom.lesson_04.asha import waiting

spreads = {"equal": 0, "unequal": 0.5}
hours = {s: waiting([1, 4, 16, 64], spread=spreads[s], repeats=range(50)) for s in spreads}
pd.concat(hours, names=["speeds"]).reset_index()

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. ASHA needs 1.35 hours, and halving 1.37. One configuration needs 81 epochs one after another, and no number of
# machines makes these 81 minutes shorter. Halving's machines are busy for only 0.06 of the time. ASHA's never stand
# idle. They train other configurations meanwhile, which this table does not count.
#
# With unequal speeds many machines gain much more. ASHA needs 1.69 hours instead of 2.17 with four machines, and 0.65
# instead of 1.66 with 64. Halving waits at each rung for its slowest trial, and ASHA does not. Part of the gain is
# that ASHA's first configuration to finish is a fast one, which need not be a good one.
#
# **So:** if your configurations differ in speed, as networks of different sizes do, cut as ASHA does, and no machine waits
# for the slowest trial of a rung. If all are equally fast, ASHA hardly finishes sooner, but tries more configurations.
#
# </details>

# %% [markdown]
# ### What do the other brackets cost?
#
# The three brackets after the boldest take 276 of Hyperband's 357 epochs. On digits early order is nearly late order,
# and `docs/testbed.md` says the same of the simulated data with 2,000 rows. So we might leave these three out and run
# the boldest bracket again and again. The boldest bracket looks at more configurations for the same epochs. The other
# brackets judge theirs after longer training. If you compare with the paper's table for R = 81: Li et al. (2018) print
# 27, 9, 6 and 5 configurations for these brackets, where their algorithm gives 34, 15, 8 and 5, and we follow the
# algorithm.
#
# **Predict:** at equal epochs, which has the better winner in more repeats, the boldest bracket alone or the whole of
# Hyperband?

# %%
from hpt_helpers.strategies import successive_halving


def boldest(space, repeat, n_trials, n_epochs):
    rungs = hyperband_schedule(n_epochs)[0]
    for again in range(n_trials):  # the budget ends it
        configs = space.sample(rungs[0][0], seed=1000 * repeat + again)
        yield from successive_halving(configs, rungs)


both = {"Hyperband": searches.repeated_hyperband, "boldest": boldest}
tables = {"digits, 360 rows": problem, "simulated, 2,000 rows": table_problem("simulated", 2000)}
races = {name: studies.race(table, both, 40, progress=True) for name, table in tables.items()}
studies.wins(races, [("boldest", "Hyperband")], index="data")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The boldest bracket, by 16 : 9 and by 16 : 7, but each lead may be luck. It looks at more configurations, and if
# that is worth more than the safer judgement of the other brackets, thirty repeats are too few to show it on either
# data set.
#
# **So:** here the other brackets cost too little to be told from luck. Keep them if your losses may turn, because
# they cut later or not at all. We did not measure that.
#
# </details>

# %% [markdown]
# ### Rows instead of epochs
#
# Anything can be a resource if more of it makes a trial's score more reliable and the trial more expensive. For models
# without epochs, such as support vector machines or forests, the resource may be the number of training rows.
# scikit-learn's `HalvingRandomSearchCV` runs one bracket with that resource. It keeps no checkpoints, so every survivor
# is fitted anew. Here it tunes a support vector machine on digits.
#
# - `n_resources` is the number of rows at a rung.
# - `candidates` is how many configurations were fitted on these rows.
# - `best_accuracy` is the best of their cross-validated accuracies.

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
# Each line of the table is a rung. The last rung uses nearly all rows, for one candidate.
#
# When does such a cut pay? Where its rung keeps the order **and** is cheap. Gradient boosting can be cut either way, by
# its rounds or by its training rows. We fitted 300 configurations of it to 20,000 diamonds, in ten repeats, and watched
# both (`docs/testbed.md`). `share_of_cost` is what all have cost by that rung, as a share of fitting all in full, and
# `rank_correlation` compares the order there with that at the end, by 3,000 validation rows.
#
# **Predict:** which rung pays better, nine rounds of 81 with all rows, or 741 rows of 20,000 with all rounds?

# %%
from hpt_helpers.classroom.tables.boosting import order_and_price

order_and_price(3000).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Nine rounds. They cost 0.11 of everything and keep the order at 0.81. With 741 rows the price is 0.29, although they
# are a twenty-seventh of the rows, because growing trees costs its time on few rows, too. And the order is kept only at
# 0.44, because the configurations that suit few rows are not those that suit many.
#
# **So:** put both numbers beside each other before you cut, from ten or twenty configurations that you fit in full. A
# resource that is cheap and misleads, or keeps the order and is dear, saves nothing. In the races on this table, cuts by
# rows lost to random search nearly everywhere.
#
# </details>

# %% [markdown]
# ### Two relatives, in a paragraph each
#
# **Population-based training** (Jaderberg et al. 2017; Ray's `PopulationBasedTraining`) stops the bad trials too, but
# replaces each by a copy of a good trial, weights included, and changes the copy's hyperparameters a little. So the
# hyperparameters change during a training, and what the method finds is a *schedule* of them, such as a falling
# learning rate. The method needs checkpoints, and a population of trials that train at the same time.
#
# **BOHB** (Falkner et al. 2018; Ray's `TuneBOHB` with `HyperBandForBOHB`) cuts and learns as well. It keeps Hyperband's
# brackets, and draws their configurations mostly from a model of the losses at the highest rung that has enough of them.
# We gave MOBSTER that rule (`docs/testbed.md`). On digits it was only a little worse, with 15 : 5 against it at five
# trainings. With 30 simulated rows it fell behind ASHA, by 8 : 20, where learning from all rungs was level with it. A few
# long trainings, judged on few rows, mislead more than many short ones. Whether brackets or ASHA's rule made the cuts
# hardly mattered.
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
# - Aaron Klein, Louis C. Tiao, Thibaut Lienart, Cedric Archambeau and Matthias Seeger (2020), *Model-based Asynchronous
#   Hyperparameter and Neural Architecture Search*, arXiv 2003.10865: MOBSTER.
# - Max Jaderberg et al. (2017), *Population Based Training of Neural Networks*, arXiv 1711.09846.
# - Stefan Falkner, Aaron Klein and Frank Hutter (2018), *BOHB: Robust and Efficient Hyperparameter Optimization at
#   Scale*, ICML.
