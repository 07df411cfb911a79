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
# **Time:** core path 58 minutes, going further 20 minutes. **Builds on:** [Random search](02_random_search.ipynb).
#
# Say that one training takes two hours, and you can afford 27: a weekend. Random search starts the last of them as
# ignorant as the first. A search that learns uses 26 results to choose the 27th. If it works, you have on Sunday what
# would have taken until Wednesday. If it learns something false, you take a worse model to production, and its log
# looks better than ever. Both happen below.
#
# Afterwards you can
#
# - explain what a surrogate is, and how expected improvement weighs a good guess against a large doubt;
# - write the loop yourself, and run it with scikit-optimize;
# - say what to tell it of a trial that crashed;
# - find out whether it has learned the truth or the luck of its validation rows.

# %%
from hpt_helpers.classroom import bayes_plots

bayes_plots.idea()

# %% [markdown]
# These three steps are all of it. The guess is called the **surrogate**: it stands in for the loss, which is dear.
#
# ## You are the optimiser
#
# First try it yourself. Somewhere in the curve below is the learning rate with the lowest validation loss, for a network
# on iris trained for 100 epochs. You have ten tries. In JupyterLab, move the slider (or Tab to it and use the arrows)
# and press **Try**; before each try, say why you try there. Anywhere else, call `challenge.submit({"lr": 0.003})`.

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
# One of us made the ten tries in the next cell. When the budget is used up, the board shows the truth, and where the
# result lies among 200 random searches and 20 of the machine that this lesson builds.
#
# **Predict:** how many of the random searches does a person beat? And of the machine's?

# %%
ours = Challenge(curve, budget=10)
for lr in (0.0003, 0.03, 0.003, 0.01, 0.001, 0.005, 0.004, 0.007, 0.0045, 0.006):
    ours.submit({"lr": lr})
ours

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The person beats most random searches, and no machine. You looked wide first, then beside the best, and you never
# repeated a try: that is, you had a guess of the curve, and a feeling for where it might be wrong. **So:** write both
# down as numbers, and a machine can do it, in dimensions where you cannot draw.
#
# </details>
#
# ## A guess with its doubt: the Gaussian process
#
# Points near each other have similar losses. How similar, as a function of distance, is called the **kernel**. Ours
# falls from 1 to 0; its **length scale** says how near is near. All hyperparameters are brought to 0 to 1 beforehand.

# %%
import numpy as np
from scipy.spatial.distance import cdist


def kernel(a, b, scale=0.3):
    r = np.sqrt(5) * cdist(a, b) / scale
    return (1 + r + r**2 / 3) * np.exp(-r)

# %% [markdown]
# From it follow a mean and a standard deviation at every point. The mean is a sum of the losses seen, weighted by
# nearness. The variance is 1 where nothing is near, less what the trials near by tell. (`noise`: the variance of a loss's
# error. The Cholesky root solves linear systems; take these lines as given, if you like.)

# %%
from scipy.linalg import solve_triangular


def posterior(tried, losses, points, noise=1e-6):
    alike = kernel(tried, tried) + noise * np.eye(len(tried))
    root = np.linalg.cholesky(alike)
    near = solve_triangular(root, kernel(tried, points), lower=True)
    seen = solve_triangular(root, losses, lower=True)
    variance = 1 - (near**2).sum(axis=0)
    return seen @ near, np.sqrt(variance)

# %% [markdown]
# On eleven points of our curve, it is what scikit-learn computes:

# %%
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

place = np.linspace(0, 1, 101)[:, None]  # of the learning rates between their bounds
truth = curve.table(100)["val_loss"].to_numpy()
tried, losses = place[::10], truth[::10]
theirs = GaussianProcessRegressor(Matern(0.3, nu=2.5), alpha=1e-6, optimizer=None)
expected = theirs.fit(tried, losses).predict(place, return_std=True)
same = np.allclose(posterior(tried, losses, place), expected, rtol=0, atol=1e-8)
print("mean and deviation equal scikit-learn's to 1e-8:", same)

# %% [markdown]
# One thing is left: losses have to be centred and scaled first.
#
# Now three trials on our curve, all at large learning rates. **Predict**, without drawing: where is the doubt largest,
# and does the mean go on falling to the left of them?

# %%
def surrogate(tried, losses, points):
    centre, spread = losses.mean(), losses.std() or 1
    mean, std = posterior(tried, (losses - centre) / spread, points, noise=1e-3)
    return centre + spread * mean, spread * std


def believed(tried):
    return surrogate(place[tried], truth[tried], place)


three = [75, 85, 95]
bayes_plots.belief(lrs, truth, three, *believed(three))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On the far left, where nothing was tried: the band grows with distance, until the trials say nothing more. The mean goes
# on falling a little, then returns to the average of the losses. **So:** a surrogate extrapolates, but not far.
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
# with the normal distribution's $\Phi$ and its density $\varphi$. The first term rewards a low mean (**exploit**), the
# second a large doubt (**explore**).
#
# **Predict:** the best loss so far is 0.3. Which point promises more, 0.3 ± 0.1 or 0.4 ± 0.3?

# %%
from scipy.stats import norm


def expected_improvement(mean, std, best):
    z = (best - mean) / std
    return (best - mean) * norm.cdf(z) + std * norm.pdf(z)


bayes_plots.two_terms(0.3, {"0.3 ± 0.1": (0.3, 0.1), "0.4 ± 0.3": (0.4, 0.3)})

# %% [markdown]
# <details><summary>What was seen</summary>
#
# The worse-looking point: its first term is negative, but much of its wide curve lies below 0.3, and far below.
# **So:** a doubtful guess can be the better bet.
#
# </details>
#
# ## The loop, one trial at a time
#
# A step computes the gain everywhere, and tries the largest. `step` draws the gain, and what is believed once the new
# trial (star) is known. **Predict** from the last picture of the surrogate: where does the fourth trial go?

# %%
def step(tried):
    mean, std = believed(tried)
    gain = expected_improvement(mean, std, truth[tried].min())
    gain[tried] = 0  # a second try, under the same seed, would teach nothing
    tried = [*tried, int(gain.argmax())]
    bayes_plots.step(lrs, truth, tried, gain, *believed(tried))
    return tried


four = step(three)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Down the slope, as far as the mean falls: both terms agree.
#
# </details>
#
# **Predict**, from the right half: and the fifth?

# %%
five = step(four)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Not beside the best, but into the unknown on the left: there the mean is higher, and the doubt larger still.
#
# </details>
#
# **Predict:** the sixth?

# %%
six = step(five)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# To the lower bound, where the doubt was left. Note the height of the gain: it has become small. One trial is enough to
# know that this end is hopeless.
#
# </details>
#
# **Predict:** the seventh?

# %%
seven = step(six)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Between the two best trials. Doubt is left only there, and the mean is low. **So:** a search that learns alternates
# between refining and looking elsewhere by itself, and the gain tells what is left to hope for.
#
# </details>
#
# ## Three dimensions
#
# In any space we need candidates: 2,000 random ones, brought to 0 to 1 by `to_unit`. As before, a strategy yields what to
# try and is sent the losses. `told` is what the surrogate is told of them: their logarithm, unless another function is
# given. `promise` is what the next trial maximises.

# %%
def search_by_hand(space, repeat, n_trials, n_epochs, told=np.log, promise=expected_improvement):
    candidates = space.sample(2000, seed=repeat)
    points = space.to_unit(candidates)
    tried = [0, 1, 2, 3, 4]
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
# ## Where it pays: filling in a photograph
#
# Of a photograph we know 300 pixels in 4,240. Kernel ridge regression fills in the others. It has three
# hyperparameters: how far a pixel's brightness reaches along rows and along columns, and the regularisation `alpha`.
# Nobody knows them beforehand. Another 300 pixels validate, the loss is the mean squared error, a trial takes
# milliseconds.

# %%
from hpt_helpers.classroom.photograph import photograph, space
from hpt_helpers.objectives import per_trial
from hpt_helpers.search import run
from hpt_helpers.trials import config_of, incumbent

flower = photograph(0)
objective = per_trial(lambda config, n_epochs: flower.loss(config))
trials = run(search_by_hand(space(0), 0, 27, 1), objective)
best = config_of(trials, incumbent(trials))
bayes_plots.filled_in(flower, {"first trial": config_of(trials, 0), "best of 27": best})

# %% [markdown]
# Does the search find this by luck? And does it do as well on our networks? Each problem is searched forty times, every
# time with other rows (pixels) and another seed, with 27 trials: by hand, at random, and on a centred grid. What each
# search chose is then judged **fresh**: on 2,000 pixels, or in 20 other draws of rows and seeds, that it never saw.
#
# **Predict** for both problems: in how many of 40 pairs does the search that learns beat random search, as searched and
# fresh?

# %%
from hpt_helpers.classroom.studies import lesson_03 as studies
from hpt_helpers.search_space import Integer, SearchSpace

parameters = {
    "lr": Real(1e-4, 0.1, log=True),
    "batch_size": Integer(8, 64),
    "hidden_size": Integer(4, 32),
}
network = SearchSpace(parameters)
problems = studies.flower(), studies.network("iris", network, n_epochs=30)
races = studies.races(problems, search_by_hand, repeats=range(40), progress=True)
studies.wins(races, "by hand")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On the flower it wins in about nine of ten pairs, fresh as well as searched. On iris it wins most pairs as searched, and
# fresh at most half: its lead is gone. (In other repeats its fresh record was nearer to half. It depends; a lead we did
# not find.) 300 pixels say which settings are good. Thirty flowers say, in good part, which settings suit these thirty
# flowers, and a search that learns learns that too, better than random search does. **So:** the convergence plot of
# a search proves nothing. Judge its choice on rows that it did not see, in pairs, and spend on validation rows
# before you spend on a cleverer search.
#
# </details>
#
# ## How to break it
#
# A trial that crashes has to be told as something, and a large number such as 100 comes to mind. The flower's losses are
# below 0.1. Now the lowest fifth of one length scale's range crashes.
#
# **Predict:** in how many of 20 pairs does the search still beat random search?

# %%
crashing = studies.crashing(studies.flower(), "row_scale", share=0.2, loss=100)


def at_most_the_median(losses):
    return np.minimum(losses, np.median(losses))


ways = {"as it is": np.asarray, "logarithm": np.log, "at most the median": at_most_the_median}
options = {name: {"told": told} for name, told in ways.items()}
studies.ways(crashing, search_by_hand, options, repeats=range(20)).round(4)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Told as it is, one crash ruins the search: it does worse than chance. The losses are scaled by their spread, which is now
# that of the crash; all good trials look alike, and the only thing learned is to keep away from it. The logarithm repairs
# part of it, cutting off at the median nearly all. **So:** tell a crash as no more than a bad trial. The same holds for
# losses that explode.
#
# </details>

# %% [markdown]
# ## In practice
#
# scikit-optimize's `gp_minimize` takes a function of a list of values, and keeps the loop to itself. Its `Optimizer`
# leaves the loop to you: **ask** for a point, evaluate it wherever you like, **tell** its loss.

# %%
from skopt import Optimizer, gp_minimize

from hpt_helpers.config import plain
from hpt_helpers.training import fit


def told_of(point):
    config = plain(dict(zip(network, point)))  # the library's numpy numbers, made Python's own
    curve = fit(config, splits, n_epochs=30)
    return np.log(curve.val_loss[-1])


result = gp_minimize(told_of, network.to_skopt(), n_calls=15, random_state=42)

# %% [markdown]
# Is that the same as asking and telling? And of what type is the batch size that comes back?

# %%
optimizer = Optimizer(network.to_skopt(), random_state=42)
for _ in range(15):
    point = optimizer.ask()
    optimizer.tell(point, told_of(point))
print("the same 15 trials:", optimizer.Xi == result.x_iters)
print("batch size:", type(result.x[1]).__name__)

# %% [markdown]
# The same, trial by trial; the first ten of them are random unless you say `n_initial_points=5`. Integers come back as
# numpy's, which JSON refuses: `plain` mends that. It counts only gains above `xi`, 0.01 in the units of what it is told:
# we told the logarithm, so that means one per cent. Told raw, 0.01 may be larger than all that can be gained.
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# **Before you build on it:** scikit-optimize's first repository is archived; the package lives on in a fork with few
# maintainers. Put it behind one function of yours, as `hpt_helpers.strategies.bayesian_search` does. Optuna and Ax are
# alternatives in wide use, with the same ask and tell.
#
# </div>
#
# ## Autopsy of a naive script
#
# ```python
# def objective(lr, batch_size, epochs):
#     model = train(lr, batch_size, epochs)         # no seed
#     return -accuracy(model, X_test, y_test)
# result = gp_minimize(objective, space, n_calls=20)
# print("Best accuracy:", -result.fun)
# ```
#
# Three faults: it follows an accuracy on 30 rows, its trials have no seed, and it prints the score that it chose by. We
# run our search in its place, 20 repeats, and repair one fault at a time.
#
# **Predict:** of 20 trials, how many different accuracies are there? By how many points is the printed one too high?

# %%
studies.autopsy(search_by_hand, repeats=range(20)).round(1)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# About five accuracies among 20 trials, and eight or nine trials share the best: a staircase with a wide top step, on
# which a surrogate sees no slope. The printed accuracy is points too high, as the lucky one among many is. A seed does
# not change that. Following the loss halves it, and every trial tells something. **So:** minimise the loss, report
# the accuracy, and never the one you chose by.
#
# </details>
#
# ## The test score, once
#
# We search iris once more, train the winner on training and validation rows together, and open the sealed rows.

# %%
from hpt_helpers.objectives import TrainingObjective
from hpt_helpers.training import refit

found = run(search_by_hand(network, 0, 27, 30), TrainingObjective(splits))
chosen = config_of(found, incumbent(found))
final = refit(chosen, splits, n_epochs=30)
print("test accuracy", splits.final_score(final))

# %% [markdown]
# The interval says what 30 test rows can tell: the accuracies in it are all compatible with what was seen.
#
# ## Exercises

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# - A **surrogate** guesses the loss everywhere, with its doubt. **Expected improvement** weighs the two. Fit, try the
#   largest gain, repeat.
# - Tell it the logarithm of a loss, never an accuracy on few rows; tell a crash as a bad trial, not as 100.
# - `ask` and `tell` keep the loop in your hands.
# - It learns the luck of the validation rows along with the truth. Judge the choice fresh, in pairs.
# - It pays where the validation rows are many and good settings rare, as with the photograph. On thirty rows
#   random search was as good.
#
# </div>
#
# ## Going further

# %% [markdown]
# **Further reading.** Jones, Schonlau and Welch (1998), Efficient Global Optimization of Expensive Black-Box Functions,
# *Journal of Global Optimization* 13. Snoek, Larochelle and Adams (2012), Practical Bayesian Optimization of Machine
# Learning Algorithms, *Advances in Neural Information Processing Systems* 25. Frazier (2018), A Tutorial on Bayesian
# Optimization, arXiv:1807.02811.
#
# **Next:** [04 Hyperband](04_hyperband.ipynb) stops poor trials early.
