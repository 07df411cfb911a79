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
# **What if most trials could be stopped early?** Grid and random search train every configuration to the end, the
# hopeless ones too. Hyperband starts many, looks at them early, and spends what it saves on more configurations.
#
# **Time:** core path 77 minutes. **Builds on:** [Grid search](01_grid_search.ipynb) and
# [Random search](02_random_search.ipynb).
#
# Afterwards you can
#
# - check from learning curves whether stopping early is safe;
# - write successive halving and Hyperband by hand, and read a bracket table;
# - run Hyperband with Ray Tune, and check that it stops anything at all;
# - say on which problem it beats random search, and on which it does not.

# %% [markdown]
# ## Settings
#
# All imports are here.

# %%
import inspect
import math
import textwrap
from dataclasses import replace

import numpy as np
import pandas as pd
from ray import tune
from ray.tune.schedulers import HyperBandScheduler
from ray.tune.search import BasicVariantGenerator
from scipy.stats import spearmanr

from hpt_helpers import strategies
from hpt_helpers.classroom import plots
from hpt_helpers.data import load_splits
from hpt_helpers.landscape import landscape
from hpt_helpers.local_ray import local_ray
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.ray_tune import course_trainable, results_table
from hpt_helpers.search import run, run_many
from hpt_helpers.search_space import Choice, Real, SearchSpace
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, incumbent_trajectory

# %% [markdown]
# The search space has a learning rate that is uniform in its logarithm, and two choices.

# %%
SPACE = SearchSpace(
    {
        "hidden_size": Choice([8, 16, 32]),
        "lr": Real(1e-4, 1e-2, log=True),
        "batch_size": Choice([16, 32, 64]),
    }
)
SEED = 0
pd.options.display.precision, pd.options.display.width, pd.options.display.max_columns = 3, 120, 10
iris, cancer = load_splits("iris", draw=43), load_splits("breast_cancer", draw=43)

# %% [markdown]
# ## The problem
#
# Epochs become a **resource**: a trial is given them in portions, with a decision after each, and at most **R**. The
# **budget** is the sum over all trials. A trial's score is its validation loss at the last epoch it was given.
#
# The baseline is an untuned network. Look at what the resource buys.

# %%
untuned = fit({"lr": 0.001, "batch_size": 32}, iris, n_epochs=81, seed=SEED)
for n_epochs in (9, 27, 81):
    loss, accuracy = untuned.val_loss[n_epochs - 1], untuned.val_accuracy[n_epochs - 1]
    print(f"untuned, {n_epochs:2} epochs: validation loss {loss:.3f}, accuracy {accuracy:.3f}")
print(f"equal probabilities for all classes: validation loss {math.log(iris.n_classes):.3f}")

# %% [markdown]
# ## The landscape
#
# Stopping early is safe if a bad start means a bad end. We can look: 500 random configurations on iris, trained for 81
# epochs under three training seeds. The plot shows one seed; the bold curve ends best.
#
# **Predict:** how many could you have stopped after 9 epochs without losing the bold one?

# %%
truth = landscape(SPACE.sample(500, seed=SEED), iris, n_epochs=81, seeds=range(3), progress=True)
curves = truth.val_loss[:, 0]
winner = curves[:, -1].argmin()
plots.learning_curves(curves, mark=[winner], title="500 configurations, iris")
for epoch in (1, 3, 9, 27):
    n_better = (curves[:, epoch - 1] < curves[winner, epoch - 1]).sum()
    print(f"epoch {epoch:2}: {n_better:3} of 500 are ahead of the eventual best")

# %% [markdown]
# The curves fan out: most of the crowd is visibly behind long before the end. The few close to the best one do cross.
#
# The **rank correlation** (Spearman) of an epoch with the last is 1 if all keep their order, 0 if the early order says
# nothing, negative if it misleads. We take it over all configurations and within the best tenth, for two data sets.
#
# **Predict:** is early order equally good on both?

# %%
second = landscape(SPACE.sample(150, seed=SEED), cancer, n_epochs=81, seeds=range(2), progress=True)


def rank_correlation(losses, epoch, share=1.0):
    """Return the rank correlation with the last epoch in the best `share`, a mean over seeds."""
    found = []
    for early, last in zip(losses[:, :, epoch - 1].T, losses[:, :, -1].T, strict=True):
        best = last <= np.quantile(last, share)
        found.append(spearmanr(early[best], last[best]).statistic)
    return np.mean(found)


epochs, lines = [1, 2, 3, 5, 9, 15, 27, 45, 81], {}
for name, losses in (("iris", truth.val_loss), ("breast_cancer", second.val_loss)):
    risen = (losses[:, :, -1] > 1.1 * losses.min(axis=2)).mean()
    print(f"{name}: {risen:.2f} of the curves end more than a tenth above their lowest point")
    for label, share in (("all", 1.0), ("best tenth", 0.1)):
        lines[f"{name}, {label}"] = np.array([rank_correlation(losses, e, share) for e in epochs])
title = "Rank correlation of an epoch with epoch 81"
plots.lines(epochs, lines, x_label="epochs", y_label="rank correlation", title=title)
pd.DataFrame(lines, pd.Index(epochs, name="epoch")).loc[[1, 3, 9, 27]]

# %% [markdown]
# On iris early order is a good guide over all, and a poor one among the best, which hardly differ. On breast_cancer it
# **misleads**: what is ahead early ends behind. Fast learners overfit there, and their loss rises again.
#
# What does that mean for cuts? Draw 81 of the configurations and one of the seeds, and follow the one that ends best:
# is it among the first 27 at epoch 1, 9 at epoch 3, 3 at epoch 9? We repeat this 2,000 times.

# %%
CUTS = {1: 27, 3: 9, 9: 3}


def kept(losses, n_draws=2000):
    """Return how often the best of 81 is among the first n at each cut, and at all of them."""
    rng = np.random.default_rng(SEED)
    safe = np.empty((n_draws, len(CUTS)), dtype=bool)
    for draw in safe:
        drawn = losses[rng.choice(len(losses), 81, replace=False), rng.integers(losses.shape[1])]
        best = drawn[drawn[:, -1].argmin()]
        draw[:] = [(drawn[:, e - 1] < best[e - 1]).sum() < n for e, n in CUTS.items()]
    return [*safe.mean(axis=0), safe.all(axis=1).mean()]


shares = {"iris": kept(truth.val_loss), "breast_cancer": kept(second.val_loss)}
pd.DataFrame(shares, [f"first {n} at epoch {e}" for e, n in CUTS.items()] + ["all three"]).T

# %% [markdown]
# On iris the first two cuts usually keep it; the third has to choose among near-equals and often does not, which costs
# little. On breast_cancer the best is thrown away every time.

# %% [markdown]
# ## By hand
#
# **Successive halving**: train all for a few epochs, keep the best 1/η, give those η times as many, and so on up to R.
# Each stage is a **rung**. η (eta) is usually 3. The strategy yields what it wants trained and is sent the losses; a
# configuration that goes on is not trained again from the start.

# %%
def halving(configs, rungs):
    for n_configs, n_epochs in rungs:
        configs = configs[:n_configs]
        losses = yield [(config, n_epochs) for config in configs]
        configs = [configs[i] for i in np.argsort(losses)]  # a failed trial's nan comes last


def by_rung(trials):
    rungs = trials.groupby("n_epochs")
    return rungs.agg(
        trials=("val_loss", "size"),
        charged=("charged_epochs", "sum"),
        best_loss=("val_loss", "min"),
    )


rungs = [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]
halved = run(halving(SPACE.sample(81, seed=SEED), rungs), TrainingObjective(iris), seed=SEED)
print(f"{halved['charged_epochs'].sum()} epochs, instead of {81 * 81} without stopping")
by_rung(halved)

# %% [markdown]
# Every rung costs about the same: a third of the trials, three times the epochs. Compare the last two rows, though: the
# survivor was better before its last rung. It learned fast, and then overfitted.
#
# How early should the first cut be? Early cuts try more configurations, on less evidence. **Hyperband** does not
# choose: it runs several halvings of about equal cost, from bold (first cut at epoch 1) to cautious (no cut). Each is a
# **bracket**.

# %%
def schedule(max_epochs, eta=3):
    s_max = 0
    while eta ** (s_max + 1) <= max_epochs:
        s_max += 1
    brackets = []
    for s in range(s_max, -1, -1):
        n = math.ceil((s_max + 1) * eta**s / (s + 1))
        brackets.append([(n // eta**i, max_epochs // eta ** (s - i)) for i in range(s + 1)])
    return brackets


def hyperband(configs, max_epochs, eta=3):
    configs = iter(configs)
    for rungs in schedule(max_epochs, eta):
        yield from halving([next(configs) for _ in range(rungs[0][0])], rungs)


for max_epochs in (9, 81):
    assert schedule(max_epochs) == strategies.hyperband_schedule(max_epochs)
    first = [rungs[0] for rungs in schedule(max_epochs)]
    print(f"R = {max_epochs}:", ", ".join(f"{n} from epoch {e}" for n, e in first))
print("int(log(243) / log(3)) is", int(math.log(243) / math.log(3)), "and 3 ** 5 is", 3**5)

# %% [markdown]
# The last line is why the loop counts with integers: rounding would lose a bracket. The numbers of trials follow the
# formula of Li et al. (2018), which rounds up, as Ray does. The table printed in the same paper differs (81, 27, 9, 6,
# 5 for R = 81); both circulate.
#
# **Predict:** what does R = 81 cost, compared with full training of as many configurations?

# %%
for max_epochs in (9, 81):
    n_trials = sum(rungs[0][0] for rungs in schedule(max_epochs))
    configs = SPACE.sample(n_trials, seed=SEED)
    trials = run(hyperband(configs, max_epochs), TrainingObjective(iris), seed=SEED)
    going_on, restarting = trials["charged_epochs"].sum(), trials["n_epochs"].sum()
    print(f"R = {max_epochs}: {n_trials} trials, {going_on} epochs going on,", end=" ")
    print(f"{restarting} restarting, {n_trials * max_epochs} without stopping")
packaged = run(strategies.hyperband(SPACE, 81, seed=SEED), TrainingObjective(iris), seed=SEED)
columns = [c for c in trials.columns if c != "runtime_s"]
assert trials[columns].equals(packaged[columns])
print(f"hpt_helpers.strategies.hyperband gives the same {len(packaged)} rows")

# %% [markdown]
# Going on needs checkpoints: whoever cannot resume a training pays the higher number.

# %% [markdown]
# ## With the library
#
# Ray Tune runs trials in processes of their own, on one machine or many; a scheduler says which to stop. A trial is a
# class. This is the course's: look for what a checkpoint holds.

# %%
source = inspect.getsource(course_trainable)
start, end = source.index("    class Course"), source.index("    return Course")
print(textwrap.dedent(source[start:end]).rstrip())

# %% [markdown]
# Model, optimiser **and** generator: without the last, a resumed trial would see other shuffles. A diverged trial
# reports inf, because a scheduler that sorts by nan may keep it. `reset_config` lets a process take the next trial
# without starting anew.
#
# `HyperBandScheduler` fills its brackets in the order in which trials arrive, and **the bracket that never stops
# anything comes first**. So we queue exactly the 17 trials of R = 9, cautious bracket first. `local_ray` starts Ray for
# this cell, reachable only with a random token, and stops it. Two trials run at a time; the others queue. It takes
# some seconds.
#
# **Predict:** at a cut, five trials are left and η is 3. How many go on?

# %%
drawn = SPACE.sample(17, seed=SEED)
groups = {"from epoch 1": drawn[:9], "from epoch 3": drawn[9:14], "from epoch 9": drawn[14:]}
for_ray = [config for name in reversed(groups) for config in groups[name]]
with local_ray() as folder:
    tuner = tune.Tuner(
        course_trainable("iris", seed=SEED),
        param_space=SPACE.to_ray(),
        tune_config=tune.TuneConfig(
            metric="val_loss",
            mode="min",
            num_samples=len(for_ray),
            search_alg=BasicVariantGenerator(points_to_evaluate=for_ray),
            scheduler=HyperBandScheduler(max_t=9, reduction_factor=3),
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(
            storage_path=str(folder), verbose=0, progress_reporter=tune.CLIReporter()
        ),
    )
    in_ray = results_table(tuner.fit())
for n_epochs, n_trials in in_ray["n_epochs"].value_counts().sort_index().items():
    how = "stopped early" if n_epochs < 9 else "all of R"
    print(f"{n_trials} trials ended at epoch {n_epochs}: {how}")
print(f"{in_ray['n_epochs'].sum()} epochs instead of {9 * len(in_ray)}")

# %% [markdown]
# Most trials were stopped early, which saved about half of the epochs. Now our own Hyperband on the same
# configurations: how far did each get, and is its loss the one that `fit` gives?

# %%
by_hand = run(hyperband(drawn, 9), TrainingObjective(iris), seed=SEED)
reached = by_hand.groupby("lr")["n_epochs"].max()
ray_reached = in_ray.set_index("lr")["n_epochs"]
for n_epochs, loss, config in zip(in_ray["n_epochs"], in_ray["val_loss"], for_ray, strict=True):
    assert abs(fit(config, iris, n_epochs=n_epochs, seed=SEED).val_loss[-1] - loss) < 1e-9
print(f"all {len(in_ray)} losses in Ray are those of fit")
for name, configs in groups.items():
    lrs = [config["lr"] for config in configs]
    ours, rays = ({lr for lr in lrs if table[lr] == 9} for table in (reached, ray_reached))
    print(f"{name}: {len(lrs)} trials, {len(ours)} at epoch 9 by hand,", end=" ")
    print(f"{len(rays)} in Ray; {len(ours & rays)} in both")
    assert ours <= rays and (name == "from epoch 3" or reached[lrs].equals(ray_reached[lrs]))

# %% [markdown]
# The same, but for one bracket: of five, the algorithm keeps 5 // 3, and Ray rounds up. Whoever survives by hand
# survives in Ray. The equal losses also prove the checkpoints: survivors were paused, saved and resumed.
#
# It is easy to stop nothing. A script that circulates gives Ray's Hyperband **five** trials of at most 15 epochs and
# leaves `max_t` as it is. What happens can be counted.

# %%
max_t = inspect.signature(HyperBandScheduler).parameters["max_t"].default
n_first, first_cut = schedule(max_t)[-1][0]  # Ray starts with the last of our table
n_in_first = min(5, n_first)
n_stopped = 0 if first_cut > 15 else 5 - n_in_first
print(f"Ray's default R is {max_t}; its first bracket takes {n_first} trials", end=" ")
print(f"and never cuts before epoch {first_cut}")
print(f"{n_in_first} of the script's 5 trials are in it; trials stopped early: {n_stopped}")

# %% [markdown]
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# **Ray's own documentation recommends ASHA over HyperBand** (`ASHAScheduler`; Li et al. 2020). Hyperband waits at each
# rung for the slowest trial; ASHA decides as results come in, which keeps many machines busy.
#
# </div>

# %% [markdown]
# ## Reading the result
#
# Back to R = 81: a table by rung, and the incumbent. Is its learning rate on the boundary of the space? We also ask the
# landscape which learning rate is best after fewer epochs.
#
# **Predict:** does the best learning rate rise or fall with more epochs?

# %%
best = incumbent(packaged)
n_epochs, loss = packaged.at[best, "n_epochs"], packaged.at[best, "val_loss"]
print(f"incumbent: {n_epochs} epochs, loss {loss:.3f}", end=", ")
print({k: round(v, 4) for k, v in config_of(packaged, best).items()})
for epoch in (3, 9, 27, 81):
    lr = truth.best(epoch)["lr"]
    where = "at the upper bound" if SPACE["lr"].to_unit(lr) > 0.95 else "inside"
    print(f"epoch {epoch:2}: best learning rate {lr:.4f} {where}")
by_rung(packaged)

# %% [markdown]
# At few epochs the best learning rate is the largest allowed; only at R = 81 does it lie inside. So the 17 trials with
# R = 9 showed how Ray works; what they chose says more about the bound than about iris. **A small R prefers fast
# learners.**
#
# Fast learners were the trouble on breast_cancer, too. A remedy is another score: the **best loss so far** instead of
# the last one. It forgives a loss that rises after its minimum, and it needs the weights of that epoch to be kept.
#
# **Predict:** which of the two data sets gains?

# %%
rows = {}
for name, full in (("iris", truth), ("breast_cancer", second)):
    so_far = replace(full, val_loss=np.minimum.accumulate(full.val_loss, axis=2))
    for score, version in (("last", full), ("best so far", so_far)):
        correlations = [rank_correlation(version.val_loss, e) for e in CUTS]
        rows[f"{name}, {score}"] = [*correlations, kept(version.val_loss)[-1]]
pd.DataFrame(rows, [f"correlation, epoch {e}" for e in CUTS] + ["best of 81 kept"]).T

# %% [markdown]
# On breast_cancer the sign turns: early order no longer misleads, though it is still too weak to save the very best. On
# iris the cuts become much safer. The course stays with the loss at the last epoch, which is what every other lesson
# compares; where you keep the best weights anyway, score by the best so far.

# %% [markdown]
# ## How sure are we?
#
# Hyperband against random search, which trains every configuration for R epochs: equal budgets, iris, R = 27, 100
# repeats, each with its own training seed and draws.
#
# **Predict:** which line is ahead at the start, and which at the end?

# %%
def race(splits, max_epochs, n_repeats):
    """Return the tables of n_repeats Hyperband and as many random searches at equal epochs."""
    seeds, objective = range(n_repeats), TrainingObjective(splits)
    bold = [strategies.hyperband(SPACE, max_epochs, seed=s) for s in seeds]
    hyper = run_many(bold, objective, seeds=seeds, progress=True)
    budget = int(hyper[0]["charged_epochs"].sum())
    n_trials = budget // max_epochs
    plain = [strategies.random_search(SPACE, n_trials, max_epochs, seed=1000 + s) for s in seeds]
    random = run_many(plain, objective, seeds=seeds, progress=True)
    return {"Hyperband": hyper, "random search": random}


def best_by(table, budgets):
    position = np.searchsorted(table["charged_epochs"].cumsum(), budgets, side="right") - 1
    return incumbent_trajectory(table["val_loss"])[position]


on_iris = race(iris, 27, 100)
budgets = np.arange(27, 358, 33)
best_losses = {name: np.array([best_by(t, budgets) for t in on_iris[name]]) for name in on_iris}
plots.trajectories(best_losses, cost=budgets, x_label="epochs spent", title="Iris, R = 27")
for i in (0, 3, -1):
    medians = [f"{name} {np.median(losses[:, i]):.3f}" for name, losses in best_losses.items()]
    print(f"median after {budgets[i]:3} epochs:", ", ".join(medians))

# %% [markdown]
# Hyperband starts behind, with one epoch for each. After the first bracket it is far ahead; the cautious brackets add
# little, and random search comes closer. What share of the repeats does it win in the end? And with
# R = 81, where the best learning rate lies inside?

# %%
def verdict(tables, only_at=None):
    """Return the share of repeats that Hyperband wins, its standard error, and median losses."""
    hyper, plain = tables["Hyperband"], tables["random search"]
    if only_at:
        hyper = [table[table["n_epochs"] == only_at] for table in hyper]
    a, b = (np.array([table["val_loss"].min() for table in found]) for found in (hyper, plain))
    won = (a < b).mean()
    error = (won * (1 - won) / len(a)) ** 0.5
    word = "Hyperband wins" if won > 0.5 else "Hyperband loses"
    if abs(won - 0.5) < 2 * error:
        word = "no clear difference"
    medians = f"median loss {np.median(a):.3f} against {np.median(b):.3f}"
    return f"{won:.2f} ± {error:.2f}, {medians}: {word}"


print("iris, R = 27:", verdict(on_iris))
print("iris, R = 81:", verdict(race(iris, 81, 20)))

# %% [markdown]
# The ± is a standard error. On iris Hyperband wins, though far from always.
#
# **Predict:** and on breast_cancer, where early epochs mislead?

# %%
on_cancer = race(cancer, 27, 20)
print("breast_cancer, R = 27:", verdict(on_cancer))
print("only trials with 27 epochs:", verdict(on_cancer, only_at=27))
n_early = sum(table.at[incumbent(table), "n_epochs"] < 27 for table in on_cancer["Hyperband"])
print(f"the incumbent was stopped before R in {n_early} of 20 repeats")

# %% [markdown]
# Its wins there come from trials that it had stopped: they were good at that epoch, and on this data more epochs often
# spoil. That is early stopping by accident. If you need a fully trained network, the advantage is gone.

# %% [markdown]
# ## The test score, once

# %%
n_epochs = int(packaged.at[best, "n_epochs"])
chosen = fit(config_of(packaged, best), iris, n_epochs=n_epochs, seed=SEED)
print("test accuracy of the incumbent:", iris.final_score(chosen.model))

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - **Resource**: what a trial gets in portions, here epochs; at most **R**. **Rung**: a stage at which trials are
#   compared. **η**: one in η goes on, with η times the resource. **Bracket**: one successive halving. **Hyperband**:
#   brackets from bold to cautious, at about equal cost.
# - It rests on one assumption: early order resembles late order. Draw some learning curves and **check it first**.
# - A small R prefers fast learners. Look where the best learning rate lies.
# - Going on needs checkpoints of model, optimiser and generator.
# - Ray fills the bracket that never stops anything first. Fill the brackets exactly, and **count what was stopped**.
#
# </div>
#
# ## Further reading
#
# - Kevin Jamieson and Ameet Talwalkar (2016), *Non-stochastic Best Arm Identification and Hyperparameter
#   Optimization*, AISTATS: successive halving.
# - Lisha Li, Kevin Jamieson, Giulia DeSalvo, Afshin Rostamizadeh and Ameet Talwalkar (2018), *Hyperband: A Novel
#   Bandit-Based Approach to Hyperparameter Optimization*, Journal of Machine Learning Research 18.
# - Liam Li, Kevin Jamieson, Afshin Rostamizadeh, Ekaterina Gonina, Jonathan Ben-tzur, Moritz Hardt, Benjamin Recht and
#   Ameet Talwalkar (2020), *A System for Massively Parallel Hyperparameter Tuning*, MLSys: ASHA.
#
# **Next:** you now have four strategies. `race` above takes little change to let any two of them compete, at equal
# budgets and over many seeds.
