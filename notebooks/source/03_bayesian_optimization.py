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
# **Can a search learn from its own trials, and is what it learns true?**
#
# **Time:** core path 59 minutes, going further 20 minutes. **Builds on:** [Random search](02_random_search.ipynb).
#
# Say that a training takes two hours and you can afford 27: a long weekend. Random search starts the last as ignorant as
# the first. A search that learns chooses it by the results of 26. If what it learned is true, you have saved days. If it
# is false, you take a worse model to work, and the log of the search looks better than ever. Both happen below.
#
# Afterwards you can
#
# - explain what a surrogate is, and how expected improvement weighs a good guess against a large doubt;
# - write the loop, and run it with a library;
# - say what to tell it of a trial that crashed;
# - find out whether it learned the truth or the luck of its validation rows.

# %%
from hpt_helpers.classroom import bayes_plots

bayes_plots.idea()

# %% [markdown]
# That is all of it. The guess is called the **surrogate**: it stands in for the loss, which is dear.
#
# ## You are the optimiser
#
# The hidden curve is the validation loss of a network on iris after 100 epochs, by its learning rate. Find the lowest
# point in ten tries, and say before each why you try there. In JupyterLab, move the slider (or Tab to it and use the
# arrows) and press **Try**; elsewhere, call `challenge.submit({"lr": 0.003})`.

# %%
from hpt_helpers.classroom.challenge import Challenge
from hpt_helpers.data import load_splits
from hpt_helpers.landscape import landscape
from hpt_helpers.search_space import Real

splits = load_splits("iris")
lrs = Real(1e-4, 0.1, log=True).points(101)
configs = [{"lr": lr, "batch_size": 16} for lr in lrs]
curve = landscape(configs, splits, n_epochs=100, seeds=[0])
challenge = Challenge(curve, budget=10)
challenge

# %% [markdown]
# One of us made the ten tries below. When they are used up, the board shows the truth, and where the result lies among
# 200 random searches and 20 of the machine that we are about to build.
#
# **Predict:** which share of the random searches does a person beat? And of the machine's?

# %%
ours = Challenge(curve, budget=10)
for lr in (0.0003, 0.03, 0.003, 0.01, 0.001, 0.005, 0.004, 0.007, 0.0045, 0.006):
    ours.submit({"lr": lr})
ours

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The person beats most random searches, and hardly a machine. We looked wide first, then beside the best, and never
# tried twice: we had a guess of the curve, and a feeling for where it might be wrong. **So:** write both down as
# numbers, and a machine can do it, even where nobody can draw.
#
# </details>
#
# ## A guess with its doubt: the Gaussian process
#
# Points near each other have similar losses. How similar, by their distance, says the **kernel**. Ours falls from 1 to 0;
# its **length scale** says how near is near, where each hyperparameter's range has length 1.

# %%
import numpy as np
from scipy.spatial.distance import cdist


def kernel(a, b, scale=0.3):
    r = np.sqrt(5) * cdist(a, b) / scale
    return (1 + r + r**2 / 3) * np.exp(-r)

# %% [markdown]
# From it follow a mean and a standard deviation everywhere. The mean adds up the losses seen, weighted by nearness; the
# variance is 1, less what trials near by tell. (`noise` is the variance of a loss's error. The Cholesky root solves
# linear equations: take it as given, if you like.)

# %%
from scipy.linalg import solve_triangular


def posterior(tried, losses, points, noise=1e-6):
    errors = noise * np.eye(len(tried))
    root = np.linalg.cholesky(kernel(tried, tried) + errors)
    near = solve_triangular(root, kernel(tried, points), lower=True)
    seen = solve_triangular(root, losses, lower=True)
    mean = seen @ near
    variance = 1 - (near**2).sum(axis=0)
    return mean, np.sqrt(variance)

# %% [markdown]
# On eleven points of the curve, it is what scikit-learn computes:

# %%
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

place = np.linspace(0, 1, 101)[:, None]  # of the learning rates between their bounds
truth = curve.val_loss[:, 0, -1]
library = GaussianProcessRegressor(Matern(0.3, nu=2.5), alpha=1e-6, optimizer=None)
library.fit(place[::10], truth[::10])
theirs = library.predict(place, return_std=True)
ours = posterior(place[::10], truth[::10], place)
print("equal to 1e-8:", np.allclose(ours, theirs, rtol=0, atol=1e-8))

# %% [markdown]
# What is left is to centre and scale the losses. Then three trials, all at large learning rates.
#
# **Predict:** where is the doubt largest? Does the mean fall on and on to their left?

# %%
def surrogate(tried, losses, points):
    centre = losses.mean()
    spread = losses.std() or 1
    scaled = (losses - centre) / spread
    mean, std = posterior(tried, scaled, points, noise=1e-3)
    return centre + spread * mean, spread * std


def believed(tried):
    return surrogate(place[tried], truth[tried], place)


three = [75, 85, 95]
bayes_plots.belief(lrs, truth, three, *believed(three))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The band grows with the distance from trials, so it is widest on the left. The mean falls on a little, then returns to
# the average of the losses. **So:** a surrogate extrapolates, but not far.
#
# </details>
#
# ## What is a doubtful guess worth?
#
# Let $f^*$ be the lowest loss so far. At a point with mean $\mu$ and standard deviation $\sigma$, a loss above $f^*$
# gains nothing, one below gains the difference. On average that is the **expected improvement**
#
# $$\mathrm{EI} = (f^* - \mu)\,\Phi(z) + \sigma\,\varphi(z), \qquad z = (f^* - \mu) / \sigma$$
#
# with the normal distribution's $\Phi$ and density $\varphi$. The first term rewards a low mean (**exploit**), the second
# a large doubt (**explore**).
#
# **Predict:** the best loss so far is 0.3. Which point promises more, 0.3 ± 0.1 or 0.4 ± 0.3?

# %%
from scipy.stats import norm


def expected_improvement(mean, std, best):
    z = (best - mean) / std
    exploit = (best - mean) * norm.cdf(z)
    explore = std * norm.pdf(z)
    return exploit + explore


bayes_plots.two_terms(0.3, [(0.3, 0.1), (0.4, 0.3)])

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The one that looks worse. Its first term is negative, but a good part of its wide curve lies far below 0.3. **So:**
# a doubtful guess can be the better bet.
#
# </details>
#
# ## The loop, one trial at a time
#
# `step` tries the largest gain. It draws the gain, and beside it what is believed with the new trial (star).
#
# **Predict** from the last surrogate: where does the fourth trial go?

# %%
def step(tried):
    mean, std = believed(tried)
    gain = expected_improvement(mean, std, truth[tried].min())
    gain[tried] = 0  # a second try, under the same seed, would teach nothing
    following = int(gain.argmax())
    tried = [*tried, following]
    bayes_plots.step(lrs, truth, tried, gain, *believed(tried))
    return tried


four = step(three)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Down the slope, as far as the mean falls: there both terms agree.
#
# </details>
#
# **Predict:** and the fifth?

# %%
five = step(four)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On to the left. The mean is no lower there, but the doubt is larger.
#
# </details>
#
# **Predict:** the sixth?

# %%
six = step(five)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# To the bound, into the last doubt. One trial is enough to know that this end is hopeless.
#
# </details>
#
# **Predict:** the seventh?

# %%
seven = step(six)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Between the two best. **So:** the search refines and looks elsewhere in turn, without being told, and the height of the
# gain says what is left to hope for.
#
# </details>
#
# ## More dimensions
#
# The whole search takes 2,000 random candidates, with places from 0 to 1 by `to_unit`. A strategy, as before, yields what
# to try and is sent the losses. `told` is what the surrogate is told of them, `promise` what the next trial maximises.

# %%
def search_by_hand(space, repeat, n_trials, n_epochs, told=np.log, promise=expected_improvement):
    candidates = space.sample(2000, seed=repeat)
    points, tried = space.to_unit(candidates), [0, 1, 2, 3, 4]
    losses = yield [(candidates[i], n_epochs) for i in tried]
    while len(tried) < n_trials:
        known = told(losses)
        mean, std = surrogate(points[tried], known, points)
        gain = promise(mean, std, known.min())
        gain[tried] = -np.inf
        tried.append(int(gain.argmax()))
        loss = yield [(candidates[tried[-1]], n_epochs)]
        losses = np.append(losses, loss)

# %% [markdown]
# ## Is what it learns true?
#
# Of a photograph we know 300 pixels in 4,240. Kernel ridge regression fills in the others. Three hyperparameters are
# unknown: how far a pixel's brightness reaches along the rows, how far along the columns, and the regularisation. The
# loss is the mean squared error on 300 further pixels; a trial takes milliseconds.

# %%
from hpt_helpers.classroom.photograph import photograph
from hpt_helpers.classroom.studies import lesson_03 as studies
from hpt_helpers.search import run
from hpt_helpers.trials import config_of, incumbent

flower = studies.flower()
trials = run(search_by_hand(flower.space(0), 0, 27, 1), flower.objective)
first = config_of(trials, 0)
best = config_of(trials, incumbent(trials))
bayes_plots.filled_in(photograph(0), {"first trial": first, "best of 27": best})

# %% [markdown]
# One run is an anecdote. Now the photograph and our network on iris are searched 40 times each, each time on other
# pixels or rows and with another seed, with 27 trials: by hand, at random, on a centred grid. We look twice: at the
# loss that a search met (as searched), and at its choice **judged fresh**, on 2,000 further pixels or on 20 further
# draws of rows and seeds.
#
# **Predict:** in how many of 40 pairs does the search that learns beat the random one, on either problem, in either way?

# %%
from hpt_helpers.search_space import Integer, SearchSpace

network = SearchSpace({
    "lr": Real(1e-4, 0.1, log=True),
    "batch_size": Integer(8, 64),
    "hidden_size": Integer(4, 32),
})
iris = studies.network("iris", network, n_epochs=30)
races = studies.races([flower, iris], search_by_hand, repeats=range(40), progress=True)
studies.wins(races, "by hand")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On the photograph it wins nine pairs in ten, and keeps that lead when judged fresh. On iris it wins most pairs as
# searched, and no more than a coin when judged fresh. 300 pixels say which settings are good. Thirty flowers say in good
# part which settings suit these thirty, and a search that learns learns that too: it found more of the luck than random
# draws did. **So:** a falling curve of best losses proves nothing. Judge the choice on rows that the search never saw, in
# pairs, and buy validation rows before you buy a cleverer search.
#
# </details>
#
# ## What do you tell it of a crash?
#
# The surrogate has to be told something, and 100 comes to mind: the photograph's losses are below 0.1. Let the lowest
# fifth of one length scale's range crash.
#
# **Predict:** in how many of 20 pairs does the search still beat random draws, fresh?

# %%
crashing = studies.crashing(flower, "row_scale", share=0.2, loss=100)


def at_most_the_median(losses):
    return np.minimum(losses, np.median(losses))


told = {"as it is": np.asarray, "logarithm": np.log, "at most the median": at_most_the_median}
studies.tellings(crashing, search_by_hand, told, repeats=range(20)).round(4)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Told as it is, the crash ruins the search: random draws do better. Losses are scaled by their spread, and that is now the
# crash's; all others look alike. The logarithm helps a little, cutting off at the median helps. **So:** tell of a crash
# as of a bad trial, not as of an earthquake. The same goes for losses that explode.
#
# </details>
#
# ## In practice
#
# scikit-optimize's `gp_minimize` keeps the loop to itself. Its `Optimizer` leaves it to you: **ask** for a point, evaluate
# it wherever you like, **tell** its loss.

# %%
from skopt import Optimizer, gp_minimize

from hpt_helpers.config import plain
from hpt_helpers.training import fit


def log_loss(point):
    config = plain(dict(zip(network, point)))
    curve = fit(config, splits, n_epochs=30)
    return np.log(curve.val_loss[-1])


result = gp_minimize(log_loss, network.to_skopt(), n_calls=15, random_state=42)
print("best batch size:", repr(result.x[1]))

# %% [markdown]
# The number is numpy's, which JSON refuses; `plain` makes it Python's. Now by asking and telling:

# %%
optimizer = Optimizer(network.to_skopt(), random_state=42)
for _ in range(15):
    point = optimizer.ask()
    optimizer.tell(point, log_loss(point))
print("the same 15 trials:", optimizer.Xi == result.x_iters)

# %% [markdown]
# The first ten are random, unless you say `n_initial_points=5`. Gains below `xi` do not count, 0.01 in the units of what
# is told: of a logarithm, one per cent.
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# **Before you build on it:** scikit-optimize's first repository is archived; the package lives on in a fork. Keep it
# behind one function, as `hpt_helpers.strategies.bayesian_search` does. Optuna and Ax also ask and tell.
#
# </div>
#
# ## Autopsy of a naive script
#
# ```python
# def objective(lr, batch_size, epochs):
#     model = train(lr, batch_size, epochs)         # no seed
#     return -accuracy(model, X_test, y_test)       # 30 rows
# result = gp_minimize(objective, space, n_calls=20)
# print("Best accuracy:", -result.fun)              # chosen by it
# ```
#
# We put our search in its place, run it 20 times, and repair a fault at a time.
#
# **Predict:** how many different accuracies do 20 trials have? By how many points is the printed one too high?

# %%
studies.autopsy(search_by_hand, repeats=range(20)).round(1)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About five: a staircase, whose top step many trials share, and on which a surrogate sees no slope. The accuracy that is
# reported is points too high, the luckiest of many; a seed does not change that. With the loss every trial tells
# something, and the excess is half. **So:** search by the loss; report an accuracy that nothing was chosen by.
#
# </details>
#
# ## The test score, once

# %%
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.training import refit

found = run(search_by_hand(network, 0, 27, 30), TrainingObjective(splits))
chosen = config_of(found, incumbent(found))
final = refit(chosen, splits, n_epochs=30)  # on training and validation rows
print("test accuracy", splits.final_score(final))

# %% [markdown]
# Any accuracy in the interval is compatible with 30 such test rows.
#
# ## Exercises
#
# **1.** Expected improvement is one way to weigh mean and doubt. Another is the **lower confidence bound**,
# mean − `kappa` × standard deviation. Write `next_trial(means, stds, tried, kappa)`: the position of the lowest bound
# among the points that were not tried. All but `kappa` are lists, `tried` of positions; no two bounds are equal.

# %%
from hpt_helpers.classroom.exercises import lesson_03 as ex


def next_trial(means, stds, tried, kappa):
    return ...


ex.q1.check(next_trial)

# %% [markdown]
# **2.** Repair `told(losses)`, a list of what a surrogate that minimises is told: the natural logarithm of each loss, in
# the same order. A trial that failed has a loss of `nan` or `inf`; it is told like the worst that did not fail. Losses are
# positive, and at least one did not fail.

# %%
def told(losses):
    import math

    return [-100 if math.isnan(loss) else loss for loss in losses]


ex.q2.check(told)

# %% [markdown]
# **3.** A colleague compares two searches of 27 trials on 30 validation rows, in 20 repeats. By the lowest loss that each
# met, the one that learns wins 17. Judged fresh, on other rows and seeds, its choices win 9. What do you tell her?
#
# - **a** The search that learns is better here; 17 of 20 is no chance.
# - **b** Its choices are no better here; it only met lower losses.
# - **c** The search that learns is worse here, and should never be used.
#
# Because:
#
# - **1** nine of 20 is less than half.
# - **2** a stronger search also finds more of the luck of the rows by which it is judged.
# - **3** 27 trials are too few for a surrogate to learn anything.

# %%
answer_3 = ...

ex.q3.check(answer_3)

# %% [markdown]
# Hints: `ex.q1.hint()`; a solution: `ex.q1.solution()`.
#
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - A **surrogate** guesses every loss, with its doubt; **expected improvement** weighs the two. Fit, try the largest gain,
#   repeat.
# - Tell it the loss, not an accuracy on few rows; tell a crash as a bad trial.
# - `ask` and `tell` keep the loop in your hands.
# - It learns the luck of the validation rows along with the truth: judge its choice fresh, in pairs.
# - It paid on the photograph, with 300 rows to judge by; with thirty it did not.
#
# </div>
#
# ## Going further
#
# ### One more exercise
#
# **4.** Write `chance_of_improvement(mean, std, best)`: the probability that a loss, which is Normal with this mean and
# this standard deviation (above 0), lies below `best`. All are numbers.

# %%
def chance_of_improvement(mean, std, best):
    return ...


ex.q4.check(chance_of_improvement)

# %%
ex.progress()

# %% [markdown]
# **Further reading**
#
# - D. R. Jones, M. Schonlau and W. J. Welch (1998). Efficient global optimization of expensive black-box functions.
#   *Journal of Global Optimization* 13.
# - J. Snoek, H. Larochelle and R. P. Adams (2012). Practical Bayesian optimization of machine learning algorithms.
#   *Advances in Neural Information Processing Systems* 25.
# - P. I. Frazier (2018). A tutorial on Bayesian optimization. arXiv:1807.02811.
#
# **Next:** [Hyperband](04_hyperband.ipynb) stops poor trials early.
