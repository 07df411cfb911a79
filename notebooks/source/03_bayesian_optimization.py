# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bayesian optimisation: let earlier trials say where to look
#
# **Can a search learn from the trials it has made?**
#
# **Time:** core path 79 minutes. **Builds on:** [Random search](02_random_search.ipynb).
#
# Grid and random search choose their configurations without looking at a single result. **Bayesian optimisation**
# looks at all of them: it predicts the loss where nothing was tried, and goes where the prediction promises most.
#
# Afterwards you can
#
# - explain what a surrogate is, and how expected improvement weighs a good guess against a large doubt;
# - write the loop yourself, and run it with scikit-optimize;
# - find out whether a search has learned something true, or the luck of its training seed.

# %% [markdown]
# ## Settings
#
# Imports first. `skopt` is scikit-optimize.

# %%
import matplotlib.pyplot as plt
import numpy as np
from scipy.stats import binom, norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern
from skopt import gp_minimize
from skopt.acquisition import gaussian_ei

from hpt_helpers.classroom import lesson_plots, plots
from hpt_helpers.config import plain
from hpt_helpers.data import load_splits
from hpt_helpers.landscape import landscape
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.search import Request, run, run_many
from hpt_helpers.search_space import Integer, Real, SearchSpace
from hpt_helpers.strategies import bayesian_search, grid_search, random_search
from hpt_helpers.training import fit
from hpt_helpers.trials import config_of, incumbent, incumbent_trajectory, ties

# %% [markdown]
# Three hyperparameters, and 20 trials. `SEED` is for what a search draws, `TRAINING_SEED` for what training draws:
# initial weights and the order of the rows.

# %%
SEED, TRAINING_SEED, N_TRIALS = 42, 0, 20
space = SearchSpace(
    {"lr": Real(1e-4, 1e-2, log=True), "batch_size": Integer(16, 64), "epochs": Integer(50, 150)}
)
splits = load_splits("iris", draw=43)
objective = TrainingObjective(splits)

# %% [markdown]
# ## The problem
#
# We classify Iris. A search has to beat a guess and a default configuration.

# %%
majority = splits.y_train.bincount().argmax()
default = fit({"lr": 0.001, "batch_size": 32}, splits, n_epochs=100, seed=TRAINING_SEED)
print(f"guess:   accuracy {(splits.y_val == majority).double().mean():.3f}")
print(f"default: accuracy {default.val_accuracy[-1]:.3f}, loss {default.val_loss[-1]:.3f}")

# %% [markdown]
# The default beats guessing and leaves much to gain. Should the search follow the accuracy, which is what we want, or
# the loss? **Predict:** among 20 random trials, how many different accuracies are there, and how many different losses?

# %%
by_chance = run(random_search(space, N_TRIALS, seed=SEED), objective, seed=TRAINING_SEED)
tied = ties(by_chance, "val_accuracy")
different = by_chance[["val_accuracy", "val_loss"]].nunique()
print(f"{N_TRIALS} trials: {different['val_accuracy']} accuracies, {different['val_loss']} losses")
low, high = tied["val_loss"].min(), tied["val_loss"].max()
print(f"best accuracy: {len(tied)} trials tie, with losses {low:.3f} to {high:.3f}")

# %% [markdown]
# On 30 validation rows, accuracy moves in steps of one thirtieth. Between the steps it is flat, and a search cannot see
# which way is down. The loss tells every trial from every other. So **the search minimises the validation loss**; we
# report the accuracy beside it.
#
# ## The landscape
#
# The truth first, of which a search sees 20 points. Two cuts through the space: learning rate by batch size (all 49) at
# 60 epochs, and learning rate by epochs at batch size 32. Dark is good, crosses mark the lowest loss in a row.
#
# **Predict:** where will a search that learns spend its last trials?

# %%
two = SearchSpace({"batch_size": space["batch_size"], "lr": space["lr"]})
grid = two.grid({"batch_size": 49, "lr": 32})
plane = landscape(grid, splits, n_epochs=60, seeds=[TRAINING_SEED], progress=True)
lrs = space["lr"].points(101, centred=False)
configs = [{"lr": lr, "batch_size": 32} for lr in lrs]
line = landscape(configs, splits, n_epochs=150, seeds=[TRAINING_SEED])
at_60 = plane.val_loss[:, 0, -1].reshape(49, 32)
cuts = {  # title -> losses (rows, learning rates), learning rates, name and values of the rows
    "60 epochs": (at_60, [c["lr"] for c in grid[:32]], "batch size", range(16, 65)),
    "Batch size 32": (line.val_loss[:, 0, 49:].T, lrs, "epochs", range(50, 151)),
}
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
for ax, (title, (losses, x, y_label, y)) in zip(axes, cuts.items(), strict=True):
    lowest = [(x[losses[y.index(row)].argmin()], row) for row in (y[0], y[len(y) // 2], y[-1])]
    names = {"x_label": "learning rate", "y_label": y_label, "title": title}
    plots.heat_map(losses, x, y, log_x=True, log_values=True, mark=lowest, ax=ax, **names)
    print(f"{title}:", ", ".join(f"{y_label} {row} is best at lr {lr:.4f}" for lr, row in lowest))

# %% [markdown]
# Half of the space is hopeless, and the good part is a valley: more epochs or smaller batches, that is more updates, ask
# for a smaller learning rate. (The edges between batch sizes are where an epoch has one update fewer.)
#
# ## By hand, step 1: a surrogate
#
# In one dimension every step can be drawn. So first we search the learning rate alone, on the top row of the right-hand
# cut. Suppose that three trials were made. What do they say about the points between?
#
# A **Gaussian process** gives every point a mean and a standard deviation. It assumes that points near each other have
# similar losses; how near is near is its **length scale**. We try four, and keep the one under which the losses seen
# are most likely. (`alpha` is the share of their variance that may be noise.)

# %%
def fit_surrogate(inputs, losses):
    """Fit a Gaussian process to losses (n_trials,) at inputs (n_trials, n_dims) in 0 to 1."""
    settings = {"alpha": 1e-3, "optimizer": None, "normalize_y": True}
    kernels = [Matern(scale, nu=2.5) for scale in (0.25, 0.5, 1, 2)]
    fits = [GaussianProcessRegressor(kernel, **settings).fit(inputs, losses) for kernel in kernels]
    return max(fits, key=lambda f: f.log_marginal_likelihood_value_)


place = np.linspace(0, 1, 101)[:, None]  # of lrs between the bounds
truth = line.val_loss[:, 0, -1]
mean, std = fit_surrogate(place[[10, 50, 90]], truth[[10, 50, 90]]).predict(place, return_std=True)
for i in (50, 55, 70):
    print(f"lr {lrs[i]:.5f}: surrogate {mean[i]:.2f} ± {std[i]:.2f}, truth {truth[i]:.2f}")

# %% [markdown]
# The first of these points was tried, and the surrogate is nearly sure of it. The farther from any trial, the larger
# its doubt. It knows where it does not know.
#
# ## Step 2: expected improvement
#
# Let $f^*$ be the lowest loss so far. At a point with mean $\mu$ and standard deviation $\sigma$, how far below $f^*$
# can we hope to come? Any loss above it gains nothing. The average gain is
#
# $$\mathrm{EI} = (f^* - \mu)\,\Phi(z) + \sigma\,\varphi(z), \qquad z = (f^* - \mu) / \sigma$$
#
# with the normal distribution function $\Phi$ and density $\varphi$. The first term rewards a low mean (**exploit**),
# the second a large doubt (**explore**). A million simulated losses check the formula.
#
# **Predict:** with $f^* = 0.3$, which promises more, 0.3 ± 0.1 or 0.4 ± 0.3?

# %%
def expected_improvement(mean, std, best):
    """Return the expected gain below the loss `best`, in its units, if loss ~ Normal(mean, std)."""
    z = (best - mean) / np.maximum(std, 1e-12)
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


draws = np.random.default_rng(SEED).standard_normal(1_000_000)
for mu, sigma in ((0.3, 0.1), (0.4, 0.1), (0.4, 0.3)):
    simulated = np.maximum(0.3 - (mu + sigma * draws), 0).mean()
    formula = expected_improvement(mu, sigma, 0.3)
    print(f"{mu} ± {sigma}: formula {formula:.3f}, simulated {simulated:.3f}")

# %% [markdown]
# They agree, and doubt pays: the point that looks worse, but might be anything, promises most.
#
# ## Step 3: the loop
#
# Fit, compute every candidate's gain, try the largest, repeat. As before, a strategy yields what to try and is sent the
# losses.

# %%
def search_by_hand(candidates, inputs, n_trials, start):
    """Try candidates[i] for i in start, then always the one of largest expected improvement."""
    tried = list(start)
    losses = yield [(candidates[i], candidates[i]["epochs"]) for i in tried]
    while len(tried) < n_trials:
        surrogate = fit_surrogate(inputs[tried], losses)
        gain = expected_improvement(*surrogate.predict(inputs, return_std=True), losses.min())
        gain[tried] = -1  # under the same training seed a repeat teaches nothing
        tried.append(int(gain.argmax()))
        chosen = candidates[tried[-1]]
        loss = yield [(chosen, chosen["epochs"])]
        losses = np.append(losses, loss)


on_a_line = [{"lr": lr, "batch_size": 32, "epochs": 150} for lr in lrs]
steps = run(search_by_hand(on_a_line, place, 8, start=(10, 50, 90)), line, seed=TRAINING_SEED)
steps[["lr", "val_loss"]].round({"lr": 5, "val_loss": 3})

# %% [markdown]
# Five choices, and the loss is close to the lowest. What did the search know before each choice? Above: the trials
# (dots), the surrogate with a band of two standard deviations, and the truth (dashed). Below: the gain. **Predict** from
# each upper part where the gain is largest, then run.

# %%
shape = {"figsize": (12, 4.8), "height_ratios": [3, 1], "sharex": True, "sharey": "row"}
figure, axes = plt.subplots(2, 4, layout="constrained", **shape)
for pair, n in zip(axes.T, (3, 4, 5, 7), strict=True):
    seen = [lrs.index(lr) for lr in steps["lr"][:n]]
    mean, std = fit_surrogate(place[seen], truth[seen]).predict(place, return_std=True)
    gain = expected_improvement(mean, std, truth[seen].min())
    tried = [(lrs[i], truth[i]) for i in seen]
    title = f"After {n} trials"
    lesson_plots.surrogate(lrs, mean, std, gain, tried=tried, truth=truth, title=title, axes=pair)
    print(f"after {n} trials: largest gain {gain.max():.4f} nats, at lr {lrs[gain.argmax()]:.4f}")

# %% [markdown]
# Where the mean is high, no doubt helps: the left side is never tried again. The search first looks into the widest
# gap beside the best point, then at the bound it knows nothing about, then closes in. The gain shrinks as less is left
# to hope for.
#
# ## Three dimensions
#
# For the whole space the loop needs only candidates, and their coordinates brought to 0 to 1. We draw 1,000 candidates
# and start with the first five. **Predict:** how many of the other fifteen trials go to the poor half, below a
# learning rate of 0.001?

# %%
def scaled(configs, space):
    """Return the places of configs between the bounds, from 0 to 1, shape (n_configs, 3)."""
    bounds = [{name: getattr(p, end) for name, p in space.items()} for end in ("low", "high")]
    table = np.array([[np.log(c["lr"]), c["batch_size"], c["epochs"]] for c in [*bounds, *configs]])
    return (table[2:] - table[0]) / (table[1] - table[0])


candidates = space.sample(1000, seed=SEED)
strategy = search_by_hand(candidates, scaled(candidates, space), N_TRIALS, start=range(5))
by_hand = run(strategy, objective, seed=TRAINING_SEED)
for name, part in {"the start": by_hand[:5], "chosen": by_hand[5:]}.items():
    poor = (part["lr"] < 0.001).sum()
    median = part["val_loss"].median()
    print(f"{name}: {poor} of {len(part)} with lr below 0.001, median loss {median:.3f}")

# %% [markdown]
# The search leaves the poor half of the space alone.
#
# ## With the library
#
# scikit-optimize's `gp_minimize` wants a function of a list of values. It begins with ten random trials. Its surrogate
# has a length scale for each dimension and fits the noise too, and chance chooses between expected improvement and two
# criteria like it. Look at the types of what it returns.

# %%
def loss_of(point):
    """Return the validation loss at a point of the space, a list [lr, batch_size, epochs]."""
    config = plain(dict(zip(space, point, strict=True)))
    [(loss, *_)] = objective([Request(config, config["epochs"], TRAINING_SEED)])
    return loss


result = gp_minimize(loss_of, space.to_skopt(), n_calls=N_TRIALS, random_state=SEED)
best = plain(dict(zip(space, result.x, strict=True)))
print("batch size and epochs as returned:", result.x[1:])
print(f"plain: batch size {best['batch_size']}, epochs {best['epochs']},", end=" ")
print(f"lr {best['lr']:.4f}; loss {result.fun:.3f}")

# %% [markdown]
# Integers come back as numpy scalars, which JSON refuses and which print oddly. `plain` makes them Python's own.
#
# `gp_minimize` keeps the loop to itself. Its `Optimizer` leaves it to you: **ask** for a point, evaluate it wherever
# and however you like, **tell** the loss. The course's `bayesian_search` is such a loop. It must make the same trials.

# %%
library = run(bayesian_search(space, N_TRIALS, seed=SEED), objective, seed=TRAINING_SEED)
asked = [config_of(library, trial) for trial in library.index]
assert asked == [plain(dict(zip(space, point, strict=True))) for point in result.x_iters]
print(f"ask and tell: the same {len(asked)} configurations as gp_minimize")

# %% [markdown]
# Is its expected improvement ours? One setting differs: scikit-optimize counts only what improves by more than
# `xi`, in the units of the loss, 0.01 unless you say otherwise. We compare on one surrogate.

# %%
inputs, losses = scaled(asked, space), library["val_loss"].to_numpy()
points, surrogate = scaled(candidates, space), fit_surrogate(inputs, losses)
mean, std = surrogate.predict(points, return_std=True)
for xi in (0.0, 0.01):
    theirs = gaussian_ei(points, surrogate, y_opt=losses.min(), xi=xi)
    ours = expected_improvement(mean, std, losses.min() - xi)
    np.testing.assert_allclose(theirs, ours, atol=1e-12)
    largest = theirs.max()
    print(f"xi = {xi}: the same gain for {len(points)} candidates, the largest {largest:.3f} nats")

# %% [markdown]
# They are equal once `xi` is taken off the best loss. With an `xi` above zero, small sure gains count for little, and the
# search explores more. If your losses differ by less than `xi`, set it lower.
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# **Before you build on it:** scikit-optimize's first repository is archived, and the package lives on in a fork. It
# works with today's scikit-learn, but not in every corner. The course keeps it behind one function, so that it can be
# exchanged.
#
# </div>
#
# ## Reading the result
#
# Two checks belong to every result: how many trials are about as good, and does the best lie on a bound?

# %%
top = library.nsmallest(5, "val_loss")
as_good = ties(library, tolerance=0.01)
print(f"within 0.01 nats of the best: {len(as_good)} of {len(library)} trials")
for name, p in space.items():
    on_bound = np.isclose(top[name], p.low) | np.isclose(top[name], p.high)
    print(f"of the best five, on a bound of {name}: {on_bound.sum()}")
columns = ["lr", "batch_size", "epochs", "val_loss", "val_accuracy"]
top[columns].round({"lr": 4, "val_loss": 3, "val_accuracy": 3})

# %% [markdown]
# The winner has company, and all five have the same accuracy. They press against the smallest batch and the most epochs:
# both mean more updates. A second search should move these bounds.
#
# Now the convergence plot of the three searches so far, and where the ten trials that the library chose lie on the
# landscape (whatever their batch size). **Predict:** which search ends lowest?

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained")
searches = {"scikit-optimize": library, "by hand": by_hand, "random": by_chance}
curves = {name: incumbent_trajectory(trials["val_loss"]) for name, trials in searches.items()}
plots.trajectories(curves, ax=axes[0])
chosen = list(zip(library["lr"][10:], library["epochs"][10:], strict=True))
losses, x, y_label, y = cuts["Batch size 32"]
names = {"x_label": "learning rate", "y_label": y_label, "title": "The ten chosen trials"}
plots.heat_map(losses, x, y, log_x=True, log_values=True, mark=chosen, ax=axes[1], **names)
for name, trials in searches.items():
    lowest = trials["val_loss"].min()
    print(f"{name:15} best loss {lowest:.3f}, epochs spent {trials['n_epochs'].sum()}")

# %% [markdown]
# The library looks along the valley (small batches move it to the left) and into corners. Yet the three searches end
# close together: their first draws were so lucky that little was left to learn. One run decides nothing.
#
# ## How sure are we?
#
# First random search alone, under 20 training seeds. **Predict:** is the spread of its best loss wider than the distance
# between the three searches above?

# %%
SEEDS = list(range(20))


def random_searches(space):
    """Return the trial tables of random search under each training seed."""
    strategies = [random_search(space, N_TRIALS, seed=seed) for seed in SEEDS]
    return run_many(strategies, TrainingObjective(splits), seeds=SEEDS, progress=True)


drawn = random_searches(space)
lowest = [trials["val_loss"].min() for trials in drawn]
print("quartiles of the best loss:", np.quantile(lowest, [0.25, 0.5, 0.75]).round(3))

# %% [markdown]
# It is, so only repeats can tell the searches apart. Now the search that learns, under the same 20 seeds, each from the
# first five trials of its random twin. (We take ours, because twenty runs of `gp_minimize` would think for a minute.)
# **Predict:** after how many trials is its median as low as random search's after 20? (The first trials lie above the
# picture.)

# %%
def learning_searches(space):
    """Return the trial tables of the search by hand under each training seed."""
    pools = [space.sample(1000, seed=seed) for seed in SEEDS]
    strategies = [
        search_by_hand(pool, scaled(pool, space), N_TRIALS, start=range(5)) for pool in pools
    ]
    return run_many(strategies, TrainingObjective(splits), seeds=SEEDS, progress=True)


learned = learning_searches(space)
paths = {"by hand": [incumbent_trajectory(t["val_loss"]) for t in learned]}
paths["random"] = [incumbent_trajectory(t["val_loss"]) for t in drawn]
plots.trajectories(paths).set_ylim(0.065, 0.12)
medians = {name: np.median(losses, axis=0) for name, losses in paths.items()}
as_low = medians["by hand"] <= medians["random"][-1]
print("as low as random search at its end: trial", 1 + np.argmax(as_low))
for name, tables in {"by hand": learned, "random": drawn}.items():
    print(f"{name}: {np.median([t['n_epochs'].sum() for t in tables]):.0f} epochs in all (median)")

# %% [markdown]
# After the common start the two part: half the trials take the search that learns as far as all of them take random
# search. So it learns. But what? All its trials were trained under one seed.
# **Predict:** how often is its configuration the better one of the pair as searched, and when both are trained again
# under ten fresh seeds?

# %%
def fresh_losses(tables):
    """Return each incumbent's loss, averaged over ten training seeds that no search saw."""
    best = [config_of(trials, incumbent(trials)) for trials in tables]
    strategies = [grid_search(best) for _ in range(10)]
    again = run_many(strategies, TrainingObjective(splits), seeds=range(1000, 1010))
    return np.mean([trials["val_loss"] for trials in again], axis=0)


def judge(learned, random):
    searched = [np.array([t["val_loss"].min() for t in tables]) for tables in (learned, random)]
    fresh = [fresh_losses(learned), fresh_losses(random)]
    for name, (a, b) in {"searched": searched, "fresh": fresh}.items():
        print(f"{name:8} median loss {np.median(a):.3f} by hand,", end=" ")
        print(f"{np.median(b):.3f} random; by hand is better in {(a < b).sum()} of {len(a)}")


judge(learned, drawn)
low, high = binom.interval(0.95, len(SEEDS), 0.5)
print(f"a fair coin: {low:.0f} to {high:.0f} of {len(SEEDS)}, 19 times in 20")

# %% [markdown]
# As searched, it wins more often than a coin would. Under fresh seeds the advantage is gone. Good configurations are so
# common here that 20 random trials find one as good as any; what the search learned beyond that was **the luck of its
# seed**.
#
# Does learning ever pay? Let good configurations be rare: a fifth of the epochs, so that only large learning rates with
# small batches get anywhere. **Predict** both counts again.

# %%
short = SearchSpace({**space, "epochs": Integer(10, 30)})
learned_short = learning_searches(short)
judge(learned_short, random_searches(short))
ends = [config_of(trials, incumbent(trials)) for trials in learned_short]
for name in short:
    values = [config[name] for config in ends]
    print(f"by hand ends at: {name} {min(values):.3g} to {max(values):.3g}")

# %% [markdown]
# Now it wins in nearly every pair, and fresh seeds confirm it. The good corner is small: random draws seldom
# hit it, and a search that sees the slope walks there. **Learning pays where good configurations are rare and
# the differences are larger than the luck of a seed.**
#
# ## The test score, once
#
# The library's choice meets the sealed rows.

# %%
final = fit(best, splits, n_epochs=best["epochs"], seed=TRAINING_SEED)
print("test accuracy", splits.final_score(final.model))

# %% [markdown]
# The interval is wide: 30 rows cannot rank good configurations.
#
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - Minimise a loss that changes smoothly; accuracy on few rows is a staircase.
# - A **surrogate** predicts mean and doubt from the trials so far. **Expected improvement** weighs the two: exploit,
#   explore. Fit, try the largest gain, repeat.
# - `ask` and `tell` keep the loop in your hands. Convert numpy scalars. Know what `xi` means in units of your loss.
# - Check ties and bounds.
# - A search learns the luck of its seed along with the truth. Compare over training seeds, and retrain under fresh ones.
# - It pays where good configurations are rare. Where they are common, random search is as good and needs no surrogate.
#
# </div>
#
# **Further reading.** Jones, Schonlau and Welch (1998), Efficient Global Optimization of Expensive Black-Box Functions,
# *Journal of Global Optimization* 13. Snoek, Larochelle and Adams (2012), Practical Bayesian Optimization of Machine
# Learning Algorithms, *Advances in Neural Information Processing Systems* 25. Shahriari et al. (2016), Taking the Human
# Out of the Loop: A Review of Bayesian Optimization, *Proceedings of the IEEE* 104. Frazier (2018), A Tutorial on
# Bayesian Optimization, arXiv:1807.02811.
#
# **Next:** [04 Hyperband](04_hyperband.ipynb) stops poor trials early.
