# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Start here: hyperparameter tuning, measured
#
# Every model has settings that training does not choose: the learning rate, the batch size, the size of a
# layer. They are its **hyperparameters**, and finding good ones is a search. This course builds four ways to
# search, each first by hand in a few visible lines and then with a library that people use at work. On the
# way you will see what each of them finds, what it costs, where it fails, and how far its result can be
# trusted.
#
# The course makes one promise: **what it says about searches comes from a measurement that you can run, and you will
# get the numbers that are stored with the lessons.** Most of it is measured in front of you. Some lessons also look
# losses up in two tables. Their networks were trained once, because that takes half an hour. In a copy of the course's
# project, `make table` trains them again. Some problems were chosen among several because they show something clearly,
# and the lessons say so of the photograph and of the simulated data. And the findings of others are quoted with their
# sources.
#
# Nothing here is downloaded. The data sets are small and come with scikit-learn, the networks train in seconds on a
# laptop's processor, and every random choice has a seed.
#
# You need to know Python, and what it means to train a classifier and to test it. You need no GPU.

# %% [markdown]
# ## The lessons
#
# | lesson | the question it answers | builds on |
# |---|---|---|
# | [01 Grid search](01_grid_search.ipynb) | How far can you trust a grid's winner? | this page |
# | [02 Random search](02_random_search.ipynb) | When do more trials stop paying? | 01 |
# | [03 Bayesian optimisation](03_bayesian_optimization.ipynb) | Can a search learn from the trials it has made? | 02 |
# | [04 Hyperband](04_hyperband.ipynb) | What if most trials could be stopped early? | 01, 02, 03 |
# | [05 The bake-off](05_bake_off.ipynb) | Which search is best, and what does a race prove? | 01 to 04 |
#
# <span class="screen">When you are through, [Your own table](06_your_own_table.ipynb) is a worksheet that takes a table
# of yours from the first guess to a report.</span>
#
# A lesson takes at most 60 minutes, and its exercises 18 more. After its summary an optional part, "Going further",
# has a time of its own. The order is the one above.
#
# The [glossary](../docs/glossary.md) explains the field's words and lists what four libraries call the same things.
# Each lesson is also a workbook to print and a web page. A workshop's folder has both in `learner/handouts`, and in a
# copy of the course's project `make handouts` builds them into `build/handouts`.
#
# If you teach the course, start with `instructor_guide.md`, which is in `docs` of the project and in `instructor/docs`
# of a workshop's folder.

# %% [markdown]
# ## How to work through a lesson
#
# 1. **Predict.** Before many cells there is a question. Decide what you expect, aloud or on paper, and why.
# 2. **Run** the cell: Shift and Enter. The lessons open without results, because a prediction is worth
#    nothing when the answer stands below it.
# 3. **Compare.** Below the cell, open "What was seen". It says what was seen, why, and what follows for your own work.
#    Where you were wrong is where you learn.
# 4. **Change something and run again.** Once a lesson has run from top to bottom, any cell can be run again,
#    alone and in any order. No cell spoils another.
# 5. **Exercises** check themselves. Put your answer in place of the `...` and run the cell. Then it says whether the
#    answer is right and, if not, what differs. In a new cell, `ex.q1.hint()` gives a hint to exercise 1, and the
#    next one when called again. `ex.q1.solution()` shows a solution, which is code that runs. `ex.progress()` lists
#    what you have done.
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# **Work in your own copies**, in a folder `my_notebooks`. In a copy of the course's project, `make lab` puts them there
# and never overwrites them. For a fresh copy of one lesson, run `make reset LESSON=02` in a terminal of the project.
# Yours is kept beside it, with `.bak` at the end of its name. `make lab-executed` shows the lessons with all their
# results.
#
# In a workshop's folder the originals are in `learner/notebooks`. For a fresh copy of one lesson, rename yours, and copy
# the original into `my_notebooks` again.
#
# </div>

# %% [markdown]
# ## Is this machine ready?
#
# The next cell checks what the lessons need: Python and the packages, processor cores, free memory, whether
# Ray (which lesson 04 uses) starts and stops, and a folder for results worth keeping. It takes about ten
# seconds, most of them for Ray. Look for a line that says WRONG. It says what helps.
#
# To run a single lesson on Google Colab or on a JupyterHub, upload it together with the course's wheel. In its first
# cell run `%pip install "hpt_helpers-0.2.0-py3-none-any.whl[lessons]"` (for lesson 04 `[lessons,ray]`). The wheel is in
# `wheels` of a workshop's folder. In a copy of the course's project, `make workshop` builds it.

# %%
from hpt_helpers.classroom.room_check import room_check

room_check()

# %% [markdown]
# If every line says ok, go on with [01 Grid search](01_grid_search.ipynb). A line about Ray or about cores
# need not stop you. Only lesson 04 needs Ray, and everything runs on one core, only more slowly.

# %% [markdown]
# ## A few words used everywhere
#
# - A **search space** says which hyperparameters are searched, and between which values.
# - A **configuration** is one point of it, such as a learning rate of 0.01 with batches of 16.
# - A **trial** is one configuration, trained and scored on validation data.
# - The **budget** is what a search may spend, counted in epochs of training over all its trials.
# - The **incumbent** is the best configuration found so far.
# - A **seed** fixes the random numbers. A *training seed* fixes a network's initial weights and the order of its
#   batches.
#
# Two rules hold in every lesson. Searches choose by the loss on **validation data**, rows that are kept out of
# training for this purpose. The **test data** are other rows, looked at once, at the end. A score that was used to
# choose is no longer an honest one. Where a lesson studies what goes wrong without this rule, it says so.
