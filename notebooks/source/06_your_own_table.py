# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Your own table: a worksheet
#
# This is no lesson. It takes a table and a model of your own from the first guess to a page that you can show, with
# the questions that make a search's result believable. You need not have taken the course. Where a word is new, the
# [glossary](../docs/glossary.md) has it, and each step links to the lesson that measured it.
#
# **First run it as it is.** The example is a real table, 442 patients with diabetes, and a gradient boosting with six
# hyperparameters. All of it takes less than a minute. **Then make a copy, change the first cell, and run it on your
# own file.** Every step keeps what it has trained in a folder. If you stop it, or the machine goes down, run it again,
# and it goes on from there.
#
# What you write yourself is two things: which rows train and which validate, and a function that trains once. All
# else is `hpt_helpers.evidence`, which works for any model.

# %% [markdown]
# ## 1. The table
#
# This is the cell to change. `FILE` is a CSV or a Parquet file, and `TARGET` the column to predict. `N_TEST` rows are
# sealed until the end. `N_VAL` rows validate, and the others train. `BUDGET` is how many full trainings the search may
# spend, and `N_EPOCHS` how many rounds of boosting a full training has.

# %%
FILE, TARGET = None, "progression"  # None takes the example
N_TEST, N_VAL = 112, 110
BUDGET, N_EPOCHS = 40, 81

# %% [markdown]
# The example asks whether the disease progressed more than in half of the patients. Text columns of your file become
# categories, and missing values stay missing. **Leave out what is known only later.** A column that was filled in after
# the target, such as the date of a payment, makes any model look good, and no step below can see it.

# %%
import tempfile

import numpy as np
from sklearn.datasets import load_diabetes

from hpt_helpers import evidence as ev

if FILE:
    X, y = ev.read_table(FILE, TARGET)
    folder = "evidence"  # beside this notebook
else:
    data = load_diabetes(as_frame=True, scaled=False)
    X, y = data.data, np.where(data.target > data.target.median(), "more", "less")
    folder = tempfile.mkdtemp()
rows = ev.SealedRows(X, y, n_test=N_TEST, n_val=N_VAL)
X.head(3)

# %% [markdown]
# `rows(0)` is the draw of rows on which you search. Draws 1, 2, 3 and so on divide the same rows anew, and the sealed
# rows are in none of them. If several rows belong together, such as the visits of one patient, give
# `SealedRows(…, groups=…)`. If the rows are in the order of time, give `in_time=True`.

# %% [markdown]
# ## 2. One training, and what is tuned
#
# `train` trains one configuration up to a round. `rows` is one draw, with `X_train`, `y_train`, `X_val` and `y_val`. It
# returns the model, of which the loss, the losses of single rows and the losses after each round are worked out. With
# a `checkpoint`, a training goes on from the round at which it stopped, so that no round is paid twice.

# %%
from hpt_helpers import Integer, Real, SearchSpace

space = SearchSpace(
    {
        "learning_rate": Real(0.005, 0.5, log=True),
        "max_leaf_nodes": Integer(2, 64, log=True),
        "min_samples_leaf": Integer(2, 60, log=True),
        "l2_regularization": Real(0.001, 100, log=True),
        "max_features": Real(0.2, 1),
        "max_bins": Integer(8, 255, log=True),
    }
)

# %% [markdown]
# Rates and sizes that matter by their ratio have logarithmic ranges ([lesson 1](01_grid_search.ipynb)).

# %%
from sklearn.ensemble import HistGradientBoostingClassifier


def train(config, n_epochs, rows, seed, checkpoint):
    model = checkpoint.load()
    if model is None:
        fixed = {"warm_start": True, "early_stopping": False, "categorical_features": "from_dtype"}
        model = HistGradientBoostingClassifier(random_state=seed, **fixed, **config)
    model.set_params(max_iter=n_epochs).fit(rows.X_train, rows.y_train)
    checkpoint.save(model)
    return model


problem = ev.Problem(space, rows, train, n_epochs=N_EPOCHS, folder=folder, n_threads=1)

# %% [markdown]
# `n_threads=1` lets each training use one thread. On a small table several threads only wait
# for each other. If yours has 100,000 rows, leave it out.

# %% [markdown]
# ## 3. What will it cost?
#
# One configuration is trained to measure its time, here scikit-learn's own defaults. The questions about the search may
# not take more than a third of all trainings. Otherwise the plan is refused, since you would ask more about the search
# than you search.

# %% tags=["nbval-ignore-output"]
default = {
    "learning_rate": 0.1,
    "max_leaf_nodes": 31,
    "min_samples_leaf": 20,
    "l2_regularization": 0.001,
    "max_features": 1.0,
    "max_bins": 255,
}
print(ev.plan(problem, default, BUDGET))

# %% [markdown]
# Too long? Take fewer rows first. Sizes and rates that are hopeless on a tenth of the rows are rarely good on all of
# them, but the best of the others may change.

# %% [markdown]
# ## 4. What is a guess worth?
#
# The default is trained at a tenth, a third, one and three times its learning rate, and the best of these under two
# further seeds. A search that does not beat this guess was not worth its trainings.

# %%
guesses = ev.guesses(problem, default, "learning_rate", (0.1, 1 / 3, 1, 3), progress=True)
guesses.table[["guess", "seed", "val_loss"]].assign(
    guess=guesses.table["guess"].str.split(",").str[0]
).round(3)

# %% [markdown]
# **How to read it.** `val_loss` is the log loss in nats, and lower is better. One that always says "half and half" has
# 0.693. Rows with the same guess show how far a seed alone moves the loss. In the example it moves nothing, because
# this training leaves nothing to chance. Scikit-learn's default rate of 0.1 has a loss of 0.856, which is worse than
# half and half. It has learned the 220 training rows by heart. A tenth of that rate is far better.

# %% [markdown]
# ## 5. The search
#
# Random configurations, each trained in full. Of later questions, some need trials that no search has bent towards a
# favourite, so this is where to begin ([lesson 2](02_random_search.ipynb)).

# %%
from hpt_helpers import random_search
from hpt_helpers.evidence import plots

trials = problem.search(random_search(space, BUDGET, N_EPOCHS, seed=1), progress=True)
plots.history(trials)

# %% [markdown]
# A dot is a trial, and the line the lowest loss so far. These are the five best:

# %%
plots.ten_best(trials, 5).drop(columns="n_epochs").round(3)

# %% [markdown]
# **How to read it.** The lowest loss of forty is too low on average, because the luckiest of many trials wins. Do not
# report it. The next three steps ask how much of it is luck.

# %%
plots.each_against(trials, space)

# %% [markdown]
# **How to read it.** If the lowest dots lie at an edge of a range, the best may lie beyond it. Move that edge, and
# search again with a `log=` of another name. What was trained is not trained again.

# %% [markdown]
# ## 6. Is early order late order?
#
# A search that stops bad trials early is right only if those ahead early are ahead at the end ([lesson
# 4](04_hyperband.ipynb)). Your trials can tell.

# %%
curves = ev.curves(problem, trials)
early = ev.early_order(curves)
print(early)

# %% [markdown]
# The picture shows the earliest of these rounds against the last.

# %%
plots.early_and_late(curves, early)

# %% [markdown]
# **How to read it.** Each dot is a configuration. Dots along one rising line mean that early order is late order. The
# verdict is on the rank correlation a third into training, "yes" where its 95 % interval lies above one half, "no" where
# it lies below. In the example a cut after a ninth would keep the wrong ones. Large learning rates lead after nine
# rounds and have learned the rows by heart after 81, so the correlation is below zero.
#
# Look at the price as well. A cut pays only if a third of the rounds really costs a third of the time.

# %% [markdown]
# ## 7. Do the best keep their order?
#
# The ten best are trained once more, on another draw of the rows and under another seed. If their order were luck, half
# of the 45 pairs would keep it ([lesson 5](05_bake_off.ipynb)).

# %%
again = ev.best_again(problem, trials, progress=True)
print(again)

# %% [markdown]
# They can also be compared on the validation rows that you have, row by row. That costs no training.

# %%
ties = ev.paired_ties(problem, trials)
print(ties)
ties.table.round(3)

# %% [markdown]
# **How to read it.** From 34 of 45 pairs on the verdict is "yes", below 28 it is "no". A "yes" says that there is merit
# in the order, and not how much. The two draws share training rows, so a "yes" comes more easily than by a coin. The
# second table compares the ten best with the winner on the validation rows themselves. Who is `tied` lies behind by no
# more than two standard errors, and may be as good.

# %% [markdown]
# ## 8. Let a search learn, if there is something to learn
#
# - **Order is merit and early order is late order:** cut and learn at once, with `mobster`.
# - **Order is merit, early order is not late order, or you do not know:** learn from full trainings, with
#   `bayesian_search`.
# - **Order is luck:** spend nothing on it. Use more validation rows if you have some, and go on to the finalists.
#
# Both are told the trials that you have, so that nothing is learned twice. It spends half as much again.

# %%
from hpt_helpers import bayesian_search, mobster

spent = BUDGET // 2
if again.verdict == "no":
    learned = trials
elif early.verdict == "yes":
    strategy = mobster(space, N_EPOCHS, seed=2, told=trials)
    learned = problem.search(
        strategy, log="learned.jsonl", budget=spent * N_EPOCHS, progress=True
    )
else:
    strategy = bayesian_search(space, spent, N_EPOCHS, seed=2, told=trials)
    learned = problem.search(strategy, log="learned.jsonl", progress=True)
plots.ten_best(learned, 3).drop(columns="n_epochs").round(3)

# %% [markdown]
# ## 9. Who wins?
#
# The five best of both searches are trained again on two draws that chose none of them. The one with the best mean
# wins. This costs ten trainings and pays where the best are hard to tell apart.

# %%
import pandas as pd

both = trials if learned is trials else pd.concat([trials, learned], ignore_index=True)
finalists = ev.finalists(problem, both, progress=True)
finalists.table[["searched", "mean", "error"]].round(3)

# %% [markdown]
# **How to read it.** `searched` is the loss by which a finalist came here, and `mean` its mean on the two new draws.
# With two draws, `error` is a rough guess of how far that mean may be off. Draws differ in how hard they are, so compare
# the means with each other and not with `searched`.

# %% [markdown]
# ## 10. Is it better than the guess?
#
# The winner and the best guess of step 4 are trained on eight further draws, both on the same rows. This is the number
# to report.

# %%
compared = ev.compare(problem, finalists, guesses, progress=True)
print(compared)

# %% [markdown]
# **How to read it.** The first is the winner, the second the guess. The difference is the winner's loss less the
# guess's, so below zero the winner is better. p says
# how often so large a mean difference would come up if the two were alike. It says which of these two is better on rows
# like yours. It does not say which search is better, because each was run once.

# %% [markdown]
# ## 11. What mattered?

# %%
important = ev.importance(trials, space)
print(important)

# %% [markdown]
# Here is one of them, with the mean over all others as the model has it:

# %%
plots.response(trials, space, "learning_rate")

# %% [markdown]
# **How to read it.** `total` is the share of the differences in loss, over the whole space, that goes when the
# hyperparameter is fixed. Where the model explains too little there is no table. With few trials that is common, and it
# is the honest answer.

# %% [markdown]
# ## 12. The end
#
# Take the search's winner only if it was told to be better than the guess. Otherwise the guess will do, and the search
# has bought nothing that you could measure. What you take is trained once more on all rows but the sealed ones, which are then opened, once. The folder remembers it.
# If you come back with another model, you are warned, because a second look turns the test into a choice.

# %%
choice = finalists if compared.verdict == "ours" else guesses
model = ev.refit(problem, choice)
score = ev.test_once(problem, model)
print(score)

# %% [markdown]
# Last comes the page.

# %%
page = ev.report(
    problem,
    both,
    guesses=guesses,
    early=early,
    again=again,
    ties=ties,
    finalists=finalists,
    compared=compared,
    important=important,
    score=score,
)
text = page.read_text(encoding="utf-8")
print(text[text.index("## What may be claimed") : text.index("## What was spent")])

# %% [markdown]
# The page, `report.md` with its figures, stands in the folder. It claims what the answers support, and says what was not
# asked.

# %% [markdown]
# ## A network instead
#
# Nothing above depends on boosting. Here is a network in PyTorch, with the same rows and the same questions. It returns
# the losses of the single validation rows and the model, and keeps its weights and its optimiser in the checkpoint.

# %%
import torch
from torch import nn

labels = sorted(set(y.tolist()))


def as_tensors(X, y):
    numbers = X.apply(lambda column: column.cat.codes if column.dtype == "category" else column)
    inputs = torch.tensor(np.nan_to_num(numbers.to_numpy(dtype=np.float32)))
    return inputs, torch.tensor([labels.index(label) for label in y])


def new_network(config, inputs):
    scale = nn.BatchNorm1d(inputs.shape[1], affine=False)
    hidden = nn.Linear(inputs.shape[1], config["hidden_size"])
    model = nn.Sequential(scale, hidden, nn.ReLU(), nn.Linear(config["hidden_size"], len(labels)))
    return model, torch.optim.AdamW(model.parameters(), config["lr"])


# %% [markdown]
# The training itself differs from any other only in its first and its last lines.

# %%
def train_network(config, n_epochs, rows, seed, checkpoint):
    torch.manual_seed(seed)
    inputs, targets = as_tensors(rows.X_train, rows.y_train)
    model, optimizer = new_network(config, inputs)
    if state := checkpoint.load():
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
    for _ in range(checkpoint.n_done, n_epochs):
        loss = nn.functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    checkpoint.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()})
    inputs, targets = as_tensors(rows.X_val, rows.y_val)
    with torch.no_grad():
        outputs = model.eval()(inputs)
        by_row = nn.functional.cross_entropy(outputs, targets, reduction="none")
    return ev.Trained(by_row=by_row.numpy(), model=model)


# %% [markdown]
# Each epoch is one step on all rows here, so a full training has 81 of them. The search cuts and learns at once, and may
# spend eight full trainings.

# %%
networks = SearchSpace({"lr": Real(0.001, 0.3, log=True), "hidden_size": Integer(2, 64, log=True)})
network = ev.Problem(networks, rows, train_network, n_epochs=81, folder=tempfile.mkdtemp())
found = network.search(mobster(networks, 81, seed=1), budget=8 * 81, progress=True)
found["n_epochs"].value_counts().sort_index().to_dict()

# %% [markdown]
# `mobster` has cut most trials after the first epoch, and learned where to look. So the cost of eight full trainings was
# enough for many more trials. From here on the steps are those above.
