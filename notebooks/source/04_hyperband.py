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
# **Many trials look hopeless long before they end. What do you lose if you stop them?** Say that one training of your
# network takes two hours. Forty-nine configurations, trained to the end, take four days. Stop most of them after some
# minutes and the answer is there tomorrow. Is it the right one, or the one that merely started well?
#
# **Time:** core path 57 minutes, going further 20 minutes. **Builds on:**
# [Random search](02_random_search.ipynb). Words: [glossary](../docs/glossary.md).
#
# Afterwards you can
#
# - read a bracket chart, and write Hyperband by hand;
# - check whether early order is late order before you stop anything;
# - run Hyperband in Ray Tune, and count whether it stopped anything;
# - say where it beats random search, where it does not, and why.

# %% [markdown]
# ## The idea in a picture
#
# Epochs become a **resource**: a trial is given them in portions, with a decision after each. **R** is the most that
# one trial gets; the **budget** is the sum over all of them.
#
# **Successive halving** trains many configurations a little, keeps the best third (rounded down), trains these on to
# three times as many epochs, and so on up to R. Each stage is a **rung**. To keep one in three is a **halving factor**
# η (eta) of 3.
#
# How early should the first cut be? **Hyperband** does not choose. It runs several halvings, from a bold one that cuts
# after one epoch to a cautious one that never cuts. Each is a **bracket**. Here R is 27, and each bar is one
# configuration.

# %%
from hpt_helpers.classroom import brackets
from hpt_helpers.strategies import hyperband_schedule

brackets.chart(hyperband_schedule(27))

# %% [markdown]
# The colour changes at a cut, and a bracket's area is its cost. The brackets cost about the same, the cautious one
# rather more.

# %% [markdown]
# ## Is early order late order?
#
# Every cut rests on one assumption: who is behind early stays behind. We can look, because our networks are small: a
# hundred random configurations, trained in full on two data sets. A **repeat** is, as before, a new draw of training
# and validation rows and a new training seed. The search space of this lesson (iris has 150 rows; breast_cancer has
# 569, and batches twice as large, `LARGE`):

# %%
from hpt_helpers.search_space import Choice, Real, SearchSpace

SPACE = SearchSpace({
    "hidden_size": Choice([8, 16, 32]),
    "lr": Real(1e-4, 1e-2, log=True),
    "batch_size": Choice([16, 32, 64]),
})
LARGE = SearchSpace({**SPACE, "batch_size": Choice([32, 64, 128])})

# %% [markdown]
# The next cell trains 4,000 networks. It takes some 20 seconds, once; then the curves come from a cache. It shows the
# first repeat of each data set. The bold curve ends lowest, and the dotted line is at epoch 3.

# %%
from hpt_helpers.classroom.studies import lesson_04 as study

hundred = {
    "iris": SPACE.sample(100, seed=0),
    "breast_cancer": LARGE.sample(100, seed=0),
}
full = study.full_curves(
    hundred,
    n_epochs=81,
    repeats=range(20),
    progress=True,
)
brackets.fans(full, epoch=3)

# %% [markdown]
# The **rank correlation** (Spearman's) of an epoch with a later one is 1 if all keep their order, 0 if the early
# order says nothing, and negative if it misleads.
#
# **Predict:** what is it on each data set for epoch 3 with 27, and with 81? Is it alike in all twenty repeats?

# %%
from hpt_helpers.classroom import plots

order = study.rank_correlations(full, [(3, 27), (3, 81)])
plots.spread(order, "rank_correlation", title="Rank correlation of epoch 3 with a later one")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Up to epoch 27 early order is mostly a good guide on both. Up to 81 it still is on iris; on breast_cancer it depends
# on the repeat: in some it guides, in others it says nothing, or misleads. **So:** whether stopping early is safe
# depends on the data, on R and on the repeat, and one run does not tell.
#
# </details>
#
# ### Who is left?
#
# A rank correlation does not say what is lost. Run the boldest bracket of R = 81: 81 configurations, of which 27, 9, 3
# and 1 are kept (the first 81 of our hundred). We know how all 81 would have ended, so we can say which **rank** its
# one survivor has among them. The table has means over the repeats: how often the survivor is in the worse half of the
# 81 (`worse_half`), how far its loss lies behind the lowest (`behind`), how far the median does (`median_behind`), and
# the learning rates of the survivor (`lr`) and of the one that ends lowest (`best_lr`).
#
# **Predict:** a survivor drawn blindly has rank 41 on average. Which ranks has this one, on each data set?

# %%
boldest = hyperband_schedule(81)[0]
left = study.survivors(full, boldest)
plots.spread(left, "rank", title="Rank of the survivor among 81")
left.groupby("data", sort=False).mean().round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On iris the survivor is mostly not the best, but it is far ahead of the median. On breast_cancer it depends on the
# repeat again, and its mean rank is about a blind draw's: the bracket picks large learning rates, which learn fast, and
# smaller ones end lower. **So:** before you stop trials, train some in full, on several draws, and look who would be
# left.
#
# </details>

# %% [markdown]
# ## By hand
#
# A strategy yields what it wants trained; `run` trains it and sends back the losses, in the same order (`losses = yield
# …`; `yield from` passes questions and answers on). Successive halving sorts by them, and cuts. A schedule is a list of
# brackets, a bracket one of rungs (configurations, epochs): the boldest for 27 is `[(27, 1), (9, 3), (3, 9), (1, 27)]`.

# %%
import numpy as np


def halving(configs, rungs):
    for n_configs, n_epochs in rungs:
        configs = configs[:n_configs]  # the cut
        losses = yield [(config, n_epochs) for config in configs]
        configs = [configs[i] for i in np.argsort(losses, kind="stable")]


def hyperband(configs, schedule):
    configs = iter(configs)
    for rungs in schedule:
        yield from halving([next(configs) for _ in range(rungs[0][0])], rungs)


# %% [markdown]
# ### What is saved?
#
# Whoever keeps **checkpoints** lets a survivor go on from where it was. Whoever keeps none starts it again.
#
# **Predict:** in full, the 49 configurations of the chart cost 49 × 27 epochs: at two hours each, four days. What
# does Hyperband cost, going on and restarting?

# %%
from hpt_helpers import strategies
from hpt_helpers.data import load_splits
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import run
from hpt_helpers.trials import same_trials

iris = load_splits("iris")
drawn = SPACE.sample(49, seed=0)
trials = run(hyperband(drawn, hyperband_schedule(27)), TrainingObjective(iris))
packaged = strategies.hyperband(SPACE, 27, seed=0)
assert same_trials(trials, run(packaged, TrainingObjective(iris)))
study.bill(trials, n_epochs=27, hours=2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About a quarter of the cost going on, a third restarting. The package's `strategies.hyperband` gives the same trials.
# **So:** write checkpoints; and do not expect miracles: the four configurations of the cautious bracket alone are
# nearly a third of the bill for going on. They are meant as an insurance against early order that misleads, as on
# breast_cancer with R = 81; how much it pays, we do not test.
#
# </details>

# %% [markdown]
# ## With the library: Ray Tune
#
# Ray Tune runs trials in processes of their own, on one machine or many, and a scheduler stops some of them.
# `course_trainable` is our training as Ray wants it: a class whose step is one epoch, and whose checkpoint holds model,
# optimiser **and** the generator of the shuffles. (`course_trainable??` shows it.) A `Tuner` puts it all together;
# `BasicVariantGenerator` queues our configurations, and with `reuse_actors` a process takes one trial after the other.

# %%
from ray import tune
from ray.tune.schedulers import HyperBandScheduler
from ray.tune.search import BasicVariantGenerator

from hpt_helpers.classroom.ray_in_turn import quiet_run
from hpt_helpers.classroom.ray_trainable import course_trainable


def tuner(configs, folder, max_t=9, space=SPACE):
    return tune.Tuner(
        course_trainable("iris"),
        param_space=space.to_ray(),  # the names; the values are queued below
        tune_config=tune.TuneConfig(
            search_alg=BasicVariantGenerator(configs),
            scheduler=HyperBandScheduler(max_t=max_t, reduction_factor=3),
            metric="val_loss", mode="min",
            num_samples=len(configs), reuse_actors=True,
        ),
        run_config=quiet_run(folder),
    )


# %% [markdown]
# `HyperBandScheduler` fills its brackets in the order in which trials arrive, and **the bracket that never cuts comes
# first**. So we queue the 17 configurations of R = 9 (brackets of 9, 5 and 3) with the cautious bracket in front.
#
# Starting Ray is slow, so we start it once, for three runs:
#
# - **the script**, as one may find it: five trials, each of which ends itself after its own `epochs`. It leaves
#   `max_t`, Ray's name for R, at its default of 81:
#
#   ```python
#   space = {..., "epochs": tune.choice([5, 10, 15])}
#   # by the accuracy on the test rows, and unseeded
#   scheduler = HyperBandScheduler(metric="mean_accuracy", mode="max")
#   tune.run(train_model, config=space, scheduler=scheduler, num_samples=5)
#   ```
# - **R = 9**: five trials again, without `epochs`, and `max_t` is 9.
# - **17 trials**: those of our three brackets.

# %%
few = SPACE.sample(17, seed=0)
queue = few[14:] + few[9:14] + few[:9]
SCRIPT = SearchSpace({**SPACE, "epochs": Choice([5, 10, 15])})
five = SCRIPT.sample(5, seed=0)

# %% [markdown]
# `local_ray` keeps Ray to this machine and ends it; with `num_cpus=1` one trial runs at a time. (The last two lines
# are for the end of the lesson.) **This takes about 25 seconds.** If it should hang, the cell ends by itself and says
# what to do.

# %%
from hpt_helpers.classroom.ray_in_turn import fit_in_turn
from hpt_helpers.on_ray.local_ray import local_ray
from hpt_helpers.on_ray.ray_tune import tune_on_ray

with local_ray(num_cpus=1) as folder:
    tuners = {
        "the script": tuner(five, folder, max_t=81, space=SCRIPT),
        "R = 9": tuner(queue[:5], folder),
        "17 trials": tuner(queue, folder),
    }
    in_ray = fit_in_turn(tuners, progress=True)
    settings = {"max_epochs": 27, "n_trials": 27, "storage_path": folder}
    asha = tune_on_ray("asha", SPACE, TrainingObjective(iris), **settings)

# %% [markdown]
# ### How like ours is it?
#
# Our own Hyperband on the same 17 configurations, beside Ray's third run. Each row is one fate: a bracket (1 is the
# bold one, though Ray fills it last), the last epoch by hand and in Ray, and how many configurations met it;
# `same_loss`, how many of these end with the same loss in both.
#
# **Predict:** by hand, of five that come to a cut 5 // 3 = 1 goes on. Ray rounds up. How many of the 17 fare otherwise
# there?

# %%
schedule = hyperband_schedule(9)
by_hand = run(hyperband(few, schedule), TrainingObjective(iris))
study.reached({"by hand": by_hand, "in Ray": in_ray["17 trials"]}, schedule)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# One, of the second bracket: Ray keeps two of its five. (`hyperband_schedule(9, survivors="ceil")` is Ray's.) All
# others end at the same epoch with the same loss: the checkpoints lost nothing. **So:** a library's Hyperband may be a
# relative of the paper's. Know its rounding before you compare costs.
#
# </details>

# %% [markdown]
# ## Autopsy: what does the script stop?
#
# Back to the three runs: the script, and two attempts to repair it. Ray's cut counts places, not trials: where five
# places come to a cut, two go on. (The script's R of 81 has other brackets: the cautious one has room for five.)
# `epochs_in_full` is what would have been trained had none been stopped.
#
# **Predict:** how many trials are stopped early in the script, and how many with R = 9?

# %%
study.stopped(in_ray, n_epochs=9)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Only the third is Hyperband. With `max_t` at 81 the cautious bracket, Ray's first, has room for five trials, and never
# cuts. With R = 9 three fill the cautious bracket; the two others are alone in one of five places, whose cut keeps two:
# both. No error tells you. **So:** set `max_t` to the epochs you mean, queue exactly the trials that fill the brackets
# (17 for 9, 49 for 27, 143 for 81), and **count what was stopped**.
#
# </details>

# %% [markdown]
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# [Ray's own documentation](https://docs.ray.io/en/latest/tune/api/schedulers.html) **recommends ASHA over HyperBand**
# (`ASHAScheduler`; Li et al. 2020). It decides about each
# trial as it comes, and has no brackets to fill. Going further shows what that gains with many machines.
#
# </div>

# %% [markdown]
# ## Who wins the race?
#
# Hyperband against random search at equal epochs (survivors go on): iris, R = 27, thirty repeats. Random search trains
# fewer configurations, all of them in full. There are three ways to say who won:
#
# - **as searched**: whose lowest loss is lower;
# - **among full**: the same, for Hyperband only among trials that reached R;
# - **fresh**: both winners are trained anew on ten other draws (of the same pool of rows) and seeds, which had no
#   part in the choice, to the epoch at which they won. Whose mean loss is lower?
#
# `gain` (as searched) and `gain_fresh` are random search's mean loss less Hyperband's: above 0 Hyperband is ahead. The
# figure has the pairs of the last.
#
# **Predict:** in how many of the thirty is Hyperband ahead, by each?

# %%
thirty = range(30)
iris_27 = study.race("iris", SPACE, 27, repeats=thirty, progress=True)
plots.paired(study.in_pairs(iris_27), "random", "hyperband")
study.verdicts({"iris, R = 27": iris_27})

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Hyperband wins about four of five, by all three verdicts. It tried more configurations, early order is a good guide
# here, and at epoch 27 much is still to gain. **So:** here it does what it promises.
#
# </details>
#
# ### And elsewhere?
#
# Two more races: the same on breast_cancer, with its larger batches, and iris again with R = 81: more configurations,
# and three times the epochs for each that goes to the end. (Some 10 seconds, once.)
#
# **Predict:** in which of the two is Hyperband ahead as searched, and in which fresh?

# %%
races = {
    "iris, R = 27": iris_27,
    "breast_cancer, R = 27": study.race("breast_cancer", LARGE, 27, repeats=thirty, progress=True),
    "iris, R = 81": study.race("iris", SPACE, 81, repeats=thirty, progress=True),
}
study.verdicts(races)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# As searched, Hyperband wins all three races. Fresh, it wins only the first. In the two others it is ahead in 11 and in
# 10 of the thirty repeats, and its mean loss is a little higher. It may be level or behind there: thirty repeats cannot
# tell. Two reasons are likely. The lowest of many losses is partly luck, and that part of the gain vanishes on other
# draws. And early cuts favour fast starters, some of which finish a little worse. On iris with R = 27 most
# configurations are far from done, and the gain is too large for either effect to show. In the two others random search
# probably finds a good configuration, too. **So:** judge a winner on other draws before you praise the method that
# found it.
#
# </details>
#
# ### What repairs it?
#
# Two remedies for the third race:
#
# - choose only among trials that reached R: no further training is needed;
# - take five **finalists**, train each on four more draws of rows and seeds, and choose by the mean of these four
#   losses.
#
# `better` and `worse` count the repeats in which the remedy gives Hyperband a winner with a lower or higher fresh loss;
# `loss` is the mean fresh loss; `beats_random` counts against random search at about the same epochs, with as many
# finalists. The last columns say what these do for random search.
#
# **Predict:** which of the two helps? Is Hyperband then ahead of random search?

# %%
remedies = {
    "as it is": races["iris, R = 81"],
    "five finalists": study.race("iris", SPACE, 81, repeats=thirty, n_finalists=5, progress=True),
}
study.remedies(remedies)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Demanding R changes almost nothing, because the winner had mostly reached it. Five finalists help Hyperband in 19
# repeats and harm it in 7, because the mean of four losses on other draws holds less luck than the one loss that chose.
# This costs nearly twice the epochs. It helps random search as well, in 12 repeats against 3, so Hyperband is still not
# ahead: it wins 13 of the thirty. Nor is the help certain, since thirty other repeats (`range(100, 130)`) show hardly
# any. **So:** finalists guard against a lucky winner, whichever search found it. Where 30 rows judge, as here, they do
# not always pay for what they cost.
#
# </details>

# %% [markdown]
# ## The test score, once
#
# Our first search, 49 trials with R = 27, chose a configuration. It is trained on training and validation rows
# together and scored on the sealed test rows.

# %%
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

best = incumbent(trials)
n_epochs = int(trials.at[best, "n_epochs"])
model = refit(config_of(trials, best), iris, n_epochs=n_epochs)
print(iris.final_score(model))

# %% [markdown]
# Thirty rows give a wide interval: the score says that the network works, and cannot tell two good ones apart.
#
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint, `ex.q1.solution()` the solution.
#
# ### Exercise 1: who goes on?
#
# Write `going_on(losses, eta)`: the positions of the trials that go on at a cut, the best first. `losses` is a
# rung's list of validation losses, nan for a failed trial. Of n trials, n // eta go on; of equal losses the earlier
# comes first; a failed trial never goes on.

# %%
from hpt_helpers.classroom.exercises import lesson_04 as ex


def going_on(losses, eta):
    return ...


ex.q1.check(going_on)

# %% [markdown]
# ### Exercise 2: what does a bracket cost?
#
# Write `cost(rungs)`: how many epochs a bracket trains when survivors go on from a checkpoint. `rungs` lists
# (configurations, epochs): in [(9, 1), (3, 3), (1, 9)] nine are trained to epoch 1, three of them to epoch 3, and
# one to epoch 9.

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
# - Hyperband trains many a little and few a lot, in brackets from bold to cautious.
# - Its cuts rest on one assumption: early order is late order. **Train some in full, on several draws, and look who
#   would be left** before you stop any.
# - With checkpoints of model, optimiser and the generator of shuffles, a trial goes on as if it had never stopped.
# - In Ray, set `max_t`, fill the brackets exactly, and **count what was stopped**.
# - It won where much was still to gain. Elsewhere its lead as searched was gone on other draws: judge winners on
#   them.
#
# </div>
#
# **Next:** the bake-off, in which the strategies of all lessons compete.

# %% [markdown]
# ## Going further
#
# ### Which score misleads least?
#
# A score of a trial may be its last loss, or its **best so far** (here both at epoch 3 and at epoch 81), if you keep
# the weights of that epoch. The second forgives a loss that rises after its minimum.
#
# **Predict:** what does it do to early order on breast_cancer? And to the mean rank of the bold bracket's survivor?

# %%
so_far = {f"{name}, best so far": study.best_so_far(full[name]) for name in full}
both = study.rank_correlations({**full, **so_far}, [(3, 81)])
plots.spread(both, "rank_correlation", "data", title="Rank correlation of epoch 3 with epoch 81")
ranks = study.survivors({**full, **so_far}, boldest).groupby("data", sort=False)
ranks[["rank"]].mean()

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On breast_cancer early order now guides in most repeats, and misleads in none; on iris the correlation changes little.
# On both the survivor is now mostly in the best quarter. **So:** where your training keeps its best weights anyhow,
# stopping early is safer.
#
# </details>
#
# ### A later first cut
#
# One more remedy for the third race: leave out the bold brackets, which cut before (for example) epoch 9.
#
# **Predict:** does it help? What does it cost?

# %%
later = study.race("iris", SPACE, 81, repeats=thirty, first_cut=9, progress=True)
first_cut = {"as it is": races["iris, R = 81"], "first cut at epoch 9": later}
study.remedies(first_cut).drop("only trials that reached R").iloc[:, :5]

# %% [markdown]
# <details><summary>What was seen</summary>
#
# It trains a third fewer epochs, since the bold brackets are gone. That 16 winners are better and 12 worse may be
# chance. **So:** thirty repeats do not settle how early to cut.
#
# </details>
#
# ### Many machines, some of them slow
#
# Successive halving waits at each rung for its slowest trial. **ASHA** (asynchronous successive halving) does not: a
# free machine takes the best trial that is among the lowest third of its rung *so far*, and where there is none, a new
# configuration. We simulate both with 1 to 64 machines, until one configuration has its 81 epochs. An epoch takes a
# minute on average, for nine configurations in ten between 0.4 and 2; the slow ones are **stragglers**.
#
# `halving_busy` is the share of machine time in which a machine trains.
#
# **Predict:** 81 + 54 + 54 + 54 + 54 epochs are about five hours for one machine (a little less, where few stragglers
# are drawn). And for 64?

# %%
from hpt_helpers.classroom.studies.asha import waiting

waiting([1, 4, 16, 64], repeats=range(5))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# For halving, 64 machines are hardly faster than 16: nearly all of them wait, since the last rung is one trial.
# ASHA's first configuration arrives, with 64, in about half the time. (With many machines it is a fast one, for that is
# what comes first.) **So:** with many machines ASHA is sooner done. How good its first one is, this
# does not say.
#
# </details>
#
# ### Successive halving in scikit-learn
#
# `HalvingRandomSearchCV` is one bracket, with any number as its resource: rows of data, trees, or here our network's
# epochs. It keeps no checkpoints, so survivors restart, each in three folds. The cell shows its rungs (configurations,
# epochs).

# %%
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingRandomSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hpt_helpers.classroom.skorch_network import skorch_classifier

lr, size, hidden = (SPACE.to_distributions()[k] for k in ("lr", "batch_size", "hidden_size"))
net = "neuralnetclassifier__"
halved = HalvingRandomSearchCV(
    make_pipeline(StandardScaler(), skorch_classifier(iris, n_epochs=27)),
    {f"{net}lr": lr, f"{net}batch_size": size, f"{net}module__hidden_size": hidden},
    resource=f"{net}max_epochs", min_resources=3, max_resources=27, n_candidates=9,
    scoring="neg_log_loss", cv=3, random_state=0,
).fit(*load_splits("iris", scaled=False).search_rows())
list(zip(halved.n_candidates_, halved.n_resources_, strict=True))

# %% [markdown]
# ### Two relatives, in a paragraph each
#
# **Population-based training** (Jaderberg et al. 2017; Ray's `PopulationBasedTraining`) stops the bad trials too, but
# puts a copy of a good one in their place, weights and all, and changes its hyperparameters a little. What it finds
# is a *schedule*, such as a falling learning rate; it needs checkpoints, and a population that trains at the same
# time.
#
# **BOHB** (Falkner et al. 2018; Ray's `TuneBOHB` with `HyperBandForBOHB`) keeps Hyperband's brackets, and draws their
# configurations mostly from a model of the losses seen so far, as in [lesson 3](03_bayesian_optimization.ipynb), not at
# random. The brackets guard against early order that misleads, the model against drawing blindly.
#
# ### The same search on a cluster
#
# `tune_on_ray` runs any of our searches on Ray, with the objective and the space of `run`. While Ray was there, in the
# cell with the three runs, we had it run ASHA on 27 configurations, R = 27. With `RAY_ADDRESS` set the same call runs
# on a cluster (`docs/beyond_one_machine.md` says how). Ray's ASHA does not promote: it stops a trial that is behind in
# its rung, compared with those that were there before it.
#
# **Predict:** how many of the 27 (numbers 0 to 26) reach epoch 27? Did they come early or late?

# %%
print("Reached epoch 27:", asha.index[asha["n_epochs"] == 27].tolist())
asha["n_epochs"].value_counts().sort_index()

# %% [markdown]
# <details><summary>What was seen</summary>
#
# More than the one in 27 that three cuts of successive halving leave; several of them came early, and met few rivals in
# a rung. **So:** Ray's ASHA is generous at the start of a search.
#
# </details>
#
# ### Exercise 4: ASHA's rule
#
# Write ASHA's rule, `promotable(losses, promoted, eta)`. `losses` are those of the n trials that have finished a rung
# so far, `promoted` the positions of those that went on already. Return the position of the best trial that is among
# the lowest n // eta and has not gone on yet, or None; of equal losses the earlier comes first. No trial failed; a rung
# may be empty.

# %%
def promotable(losses, promoted, eta):
    return ...


ex.q4.check(promotable)

# %% [markdown]
# How far are you?

# %%
ex.progress()

# %% [markdown]
# ## Further reading
#
# - Kevin Jamieson and Ameet Talwalkar (2016), *Non-stochastic Best Arm Identification and Hyperparameter
#   Optimization*, AISTATS: successive halving.
# - Lisha Li, Kevin Jamieson, Giulia DeSalvo, Afshin Rostamizadeh and Ameet Talwalkar (2018), *Hyperband: A Novel
#   Bandit-Based Approach to Hyperparameter Optimization*, Journal of Machine Learning Research 18.
# - Liam Li, Kevin Jamieson, Afshin Rostamizadeh, Ekaterina Gonina, Jonathan Ben-tzur, Moritz Hardt, Benjamin Recht and
#   Ameet Talwalkar (2020), *A System for Massively Parallel Hyperparameter Tuning*, MLSys: ASHA.
# - Max Jaderberg et al. (2017), *Population Based Training of Neural Networks*, arXiv 1711.09846.
# - Stefan Falkner, Aaron Klein and Frank Hutter (2018), *BOHB: Robust and Efficient Hyperparameter Optimization at
#   Scale*, ICML.
