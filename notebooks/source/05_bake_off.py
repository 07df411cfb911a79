# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # The bake-off: which search is best?
#
# Your group can pay for forty full trainings. Several searches are on offer, and a blog shows a race between them.
# One line falls fastest and ends lowest. You adopt that search and train its winner. On new data this winner is no
# better than what a colleague found by chance.
#
# Another group reads the same blog and adopts the same search. Their winner is better than anything they ever had,
# and on new data it stays better. **What decides which of the two groups you will be in, and can you know before you
# pay?**
#
# **Time:** core path 55 minutes, exercises 18 minutes, going further 30 minutes. **Builds on:** lessons
# [1](01_grid_search.ipynb), [2](02_random_search.ipynb), [3](03_bayesian_optimization.ipynb) and
# [4](04_hyperband.ipynb). Unknown words are in the [glossary](../docs/glossary.md).
#
# ## Three worlds
#
# One race on one data set shows only what happens on that data set. So we run the same race in three worlds. In each,
# the course's network with one hidden layer trains for 27 epochs.
#
# - **iris**: three hyperparameters, which are the learning rate, the batch size and the hidden size. 30 validation
#   rows judge each trial. Learning rates go up to 0.1, where training is erratic.
# - **digits**: six hyperparameters, which are the learning rate, the hidden size, the weight decay, beta1 (the
#   momentum of Adam), the label smoothing and the scale of the first weights. 360 validation rows judge each trial.
# - **simulated**: data made by scikit-learn's `make_classification`, with the first five of the hyperparameters of
#   digits. We can make as many validation rows as we like, and 2,000 judge each trial.
#
# As in the lessons before, a **repeat** has its own draw of training and validation rows and its own training seed.
# It also has its own pool of 1,000 random configurations, from which the searches take their trials. For digits and
# the simulated data all pools were trained beforehand, on 320 rows, and the losses stand in tables that came with the
# course. A search then looks up each loss, and it is charged as if it had trained. On iris each trial is trained when
# a search asks for it.

# %%
import pandas as pd

from hpt_helpers.classroom.lab import searches
from hpt_helpers.classroom.lesson_05 import figures, studies
from hpt_helpers.classroom.tables.table import table_problem

IRIS = {"iris, 30 rows": studies.iris()}
TABLES = {
    "digits, 360 rows": table_problem("digits", 360),
    "simulated, 2,000 rows": table_problem("simulated", 2000),
}
WORLDS = IRIS | TABLES

# %% [markdown]
# ## The race, as tutorials draw it
#
# Each search may spend what 40 full trainings of 27 epochs cost.
#
# - **random** tries the first 40 configurations of the pool.
# - **Gaussian process** is the search that lesson 3 built by hand, with a length scale of 1.5. Its first five trials
#   are those of random search. It is told the logarithm of each loss, because losses here differ by factors.
# - **TPE** is the multivariate `TPESampler` of Optuna 5.0, and its first ten trials are random. TPE proposes points
#   of its own. Each point is replaced by the nearest configuration of the pool that was not tried yet, so TPE cannot
#   refine its best point as far as it would at work.
# - **Hyperband**, from [lesson 4](04_hyperband.ipynb), has R = 27. When one Hyperband is done, another begins with
#   other configurations, until the budget is spent.
# - **ASHA**, from the same lesson, has the same rungs and one worker. It takes part on digits and the simulated data
#   only. On iris its hundreds of short trainings, one after another, would take longer than those of all other
#   searches.
#
# The Gaussian process and TPE are the searches that learn. The next cell trains the iris trials, which takes some
# seconds the first time.

# %%
SEARCHES = {
    "random": searches.at_random,
    "Gaussian process": searches.by_hand,
    "TPE": searches.tpe_on_pool,
    "Hyperband": searches.repeated_hyperband,
    "ASHA": searches.asha,
}
without_asha = {name: search for name, search in SEARCHES.items() if name != "ASHA"}
on_iris = studies.trials_in(IRIS, without_asha, progress=True)
print(f"{len(on_iris):,} trials in 30 repeats")

# %% [markdown]
# The picture is the one that you know from blogs. In each world it shows the lowest loss that each search has seen so
# far, as a median over 30 repeats. Losses are cross-entropies, whose unit is the nat.
#
# **Predict:** in how many of the three worlds does random search end highest?

# %%
on_tables = studies.trials_in(TABLES, SEARCHES, progress=True)
trials = pd.concat([on_iris, on_tables], ignore_index=True)
figures.incumbents(trials)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In all three. Every other search ends below random search in every world. Hyperband and ASHA fall fastest at first,
# because they have tried dozens of configurations for a few epochs before random search has finished its fifth
# training. The searches that learn begin with random trials. Later the Gaussian process overtakes Hyperband in each
# panel, and ASHA where it takes part. TPE overtakes Hyperband later still, on digits and on the simulated data, and
# ASHA on digits only. On iris the lowest line ends at 0.047 and that of random search at 0.075. On digits these lines
# end at 0.177 and 0.260. The lowest loss is about two thirds of random search's both times, so the two leads look
# alike.
#
# **So:** if this picture were all that you had, you would never use random search again. Write down which search you
# would recommend for each world before you go on.
#
# </details>

# %% [markdown]
# ## The same winners, trained again
#
# The picture shows losses **as searched**, by which the winners won. The lowest of many losses is low partly by luck,
# and so we judge each winner **fresh** as well. The winner is trained again on other draws of rows under other seeds,
# which are its **judges**. Every repeat has judges of its own, and they had no say in choosing the winner.
#
# - On iris a repeat has 20 judges. They split the same 120 flowers anew, so the search has seen all of their flowers.
# - On digits a repeat has four. The search has seen none of their rows.
# - On the simulated data a repeat has four as well. Their validation rows are drawn from the same 48,000 rows as the
#   2,000 of the search, so one in 24 of them has judged the trials of the search as well.
#
# Here a sixth search joins, the **grid** over all hyperparameters. On iris it has ten learning rates, two batch sizes
# and two hidden sizes. On digits two values of each hyperparameter already make 64 trainings, and we let the grid
# have them. The table of the simulated data holds no grid.
#
# We compare in pairs. In each repeat, a search's loss is divided by random search's.
#
# - An open mark is the mean ratio as searched, and a filled mark the mean ratio fresh. Each is a geometric mean over
#   30 repeats. Where the two marks coincide, the filled one hides the open one.
# - The line is the 95 % interval of the fresh mean. It is blue where all of it lies below 1, orange where all of it
#   lies above, and grey where it contains 1. Each repeat has judges of its own, so the interval holds their luck, too.
#   It speaks about further repeats on this one data set. On other data the mean ratio may lie outside the interval.
# - The numbers on the right count the repeats, of 30, in which the search is ahead: first as searched, then fresh.
#   Where both have the same winner, neither is ahead. A fair coin tossed 30 times seldom gives 21 or more, or 9 or
#   fewer, as exercise 1 counts. With ties there are fewer tosses, so fewer wins are enough. A search with no result
#   in a world has a dash.
#
# The scales of the three panels differ. A mean ratio compares within repeats, so it may differ from the ratio of the
# medians in the picture above. It does so most on iris, where losses differ more between repeats than between
# searches.
#
# **Predict:** in which world do the leads vanish?

# %%
winners = studies.judged_in(WORLDS, studies.with_grids(WORLDS, trials), progress=True)
figures.verdicts(studies.verdicts(winners))

# %% [markdown]
# <details><summary>What was seen</summary>
#
# On iris. The Gaussian process led in 23 of 30 repeats as searched, and fresh it is ahead in 12. TPE led in 20 and is
# ahead in 18. All intervals on iris contain 1. With 30 rows, luck can make a loss [much
# lower](#Can-a-search-find-what-is-not-there?) than its configuration deserves. The two searches that learn had found
# more of that luck than random search, probably because they keep trying near configurations whose losses were low by
# luck. Compared repeat by repeat, Hyperband had only a small lead as searched, with a mean ratio of 0.94, and the grid
# had none to lose. The intervals on iris are wide, however. A small true lead, like those on the simulated data, could
# not be seen there, while one like those on digits could.
#
# On digits most of each lead stays. The Gaussian process is ahead in 30 of 30 repeats fresh, TPE in 27, Hyperband in
# 25 and ASHA in 22. Configurations differ so much there that a low loss is mostly merit. On the simulated data the
# leads are small. Those of the Gaussian process, TPE and ASHA stay, while Hyperband's interval contains 1. In five
# repeats ASHA has the same winner as random search, and it is ahead in 20 of the other 25, which a coin seldom gives.
# The grid on digits is the only search that is clearly behind, although it spent most. Its 64 trainings try only two
# learning rates, while random search's 40 try forty.
#
# **So:** never compare searches by the losses by which their winners won. And do not conclude from iris that all
# searches are alike, since the very same searches keep most of their leads on digits.
#
# </details>

# %% [markdown]
# ## How many rows does a lead need?
#
# Iris differs from digits in its rows, its space and its learning rates, so we cannot say yet what made the lead
# vanish. On the simulated data we can turn one dial, the number of validation rows, and leave the rest alone. We
# judge the trials by the first 10, 30, 100 or 300 of the 2,000 validation rows, or by all of them. Training rows,
# seeds, pools and judges stay the same.
#
# An entry such as "17 → 12" counts again the repeats, of 30, in which a search is ahead of random search: first as
# searched, then fresh.
#
# **Predict:** judged by only 10 rows, does ASHA still lead as searched?

# %%
some = ["random", "Gaussian process", "ASHA"]
studies.dial({name: SEARCHES[name] for name in some}, n_val=[10, 30, 100, 300, 2000])

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes, in 24 of 30 repeats. ASHA leads as searched with each of the five numbers of rows, because it looks at hundreds
# of losses and finds the low ones whether they are low by merit or by luck. What the rows change is how much of the
# lead is left fresh. With 10 rows ASHA is ahead in only 9 repeats. It is behind in 15 and level in 6, which a coin
# may give, so no lead can be seen there. With 300 rows it is ahead in 22.
#
# The Gaussian process looks at fewer losses. With 10 rows it leads as searched in only 20 repeats, fewer than ASHA.
# With more rows its lead as searched is about as large as ASHA's or larger. Fresh, the Gaussian process is ahead in
# 13 repeats with 10 rows and in 19 with 30, both of which a coin may give. With 100 rows it is ahead in 21, and with
# 300 in 26.
#
# **So:** the reported lead does not tell you the lead that you get. On these data it takes about 100 validation rows
# until the Gaussian process has a fresh lead that a coin seldom gives, and 300 until it keeps nearly all of its lead.
# Other data need more rows or fewer. The next study shows how to find out whether yours are enough.
#
# </details>

# %% [markdown]
# ## Can the ten best be told apart?
#
# Two things decide whether a lead lasts. One is how far configurations truly differ. The other is how much luck there
# is in the losses that judge them. You do not know either, but you can see which of the two is larger. Take your ten
# best trials and train each **once more**, on another split of your rows and under another seed. This costs ten
# trainings.
#
# If merit made the order of the ten, the new losses come in the same order. If luck made it, the new losses come in
# any order. Ten trials make 45 pairs, and a coin would put half of the pairs in the same order as before.
#
# Each dot is one of the ten best of 40 random trials, in one of 30 repeats. The horizontal axis is its loss as
# searched, and the vertical axis its loss on the other split. Both are differences from the mean of the ten. On the
# black line the two are the same. The fourth panel has the simulated data judged by only 10 rows. Above each panel
# stands the share of pairs that keep their order over all repeats, and in brackets the lowest and the highest share
# of a single repeat.
#
# **Predict:** on iris, what share of the pairs comes in the same order again?

# %%
FOUR = WORLDS | {"simulated, 10 rows": table_problem("simulated", 10)}
best = studies.best_again(FOUR, progress=True)
figures.ten_best(best)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# 46 % of the pairs, which is no better than a coin. On iris the ten losses as searched lie close together, while the
# same ten lie far apart on another split. What made one of them the lowest was luck, and luck does not come again. On
# digits 91 % of the pairs keep their order and the dots follow the line, because configurations differ by far more
# than luck moves their losses. The simulated data lie between, with 84 % for 2,000 rows and 67 % for 10.
#
# Compare this with what became of the leads. On digits most of each lead stayed, and with 2,000 simulated rows those
# of three searches stayed. On iris no lead could be seen fresh. With 10 simulated rows none could be seen either,
# although 67 % is more than a coin's half. The share says that there is some merit in the order of the ten. It does
# not say that this merit is enough for a lead to be seen, because a winner is the single lowest of 40 losses or more,
# where luck counts most.
#
# **So:** before you pay for a better search, spend ten trainings on your ten best and count the pairs that keep their
# order.
#
# - **34 or more of the 45** (76 %) say that there is merit in the order of your ten best, and a search that learns
#   may be able to use it. Luck alone gives so many in about 2 cases in a hundred.
# - **28 to 33** leave you uncertain, because a single count is rough. On iris, where luck decided, single repeats went
#   up to 73 %, which is 33 pairs. On digits and with 2,000 simulated rows, where better searches paid, single repeats
#   went down to 71 %, which is 32 pairs. Other repeats may go beyond both.
# - **Under 28** (62 %) is what luck gives most of the time, so treat the order of your ten as luck.
#
# The count tests whether there is merit in the order of the ten. It does not promise a lead. With 10 simulated rows,
# where we saw none, single repeats went up to 91 %. And where the best configurations lie close together, a search
# that learns may lead although the count is low.
#
# Put the ten losses as searched in `first` and the new ones, in the same order of trials, in `second`. Then `(1 +
# scipy.stats.kendalltau(first, second).statistic) / 2` is the share.
#
# If you cannot afford ten trainings, at least compare two numbers that cost nothing. The first is the standard
# deviation of the ten losses. The second is the standard error of one of these losses. You get it from the losses of
# the single validation rows, as their standard deviation divided by the square root of their number. If the first is
# not clearly larger than the second, treat the order as luck.
#
# </details>

# %% [markdown]
# ## What should you buy?
#
# You have made 40 random trials and can afford a little more. Here are five ways in which you may hope to do better.
# Each is compared with those 40 random trials, fresh.
#
# - **more random trials** make 50.
# - **finalists of random search**: its five best trials are trained again on two other splits, and the lowest mean of
#   these two wins.
# - **ten times as many rows**, 300 in place of 30, judge the same 40 random trials. Only the simulated data have rows
#   enough for this.
# - **a search that learns**: the Gaussian process, in place of random search.
# - **finalists of that search**: its five best, trained again as above.
#
# The table has a row for each way. `trainings` is what is spent in all, the 40 included. An entry such as "20 : 3"
# says that the winner is better in 20 repeats and worse in 3. In the others the same configuration won. The simulated
# data are judged by 30 rows here, so that luck counts there, too.
#
# **Predict:** on iris, which of the ways helps most?

# %%
worlds = {
    "iris, 30 rows": WORLDS["iris, 30 rows"],
    "simulated, 30 rows": table_problem("simulated", 30),
    "digits, 360 rows": WORLDS["digits, 360 rows"],
}
more_rows = {"simulated, 30 rows": table_problem("simulated", 300)}
studies.what_pays(worlds, searches.by_hand, more_rows=more_rows, progress=True)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Finalists of random search. On iris they are better in 22 repeats and worse in 4, because other splits show which of
# five good-looking trials was merely lucky. The search that learns is better in 12 and worse in 15. Its trials were
# luckier, and we cannot see that they were better.
#
# On digits it is the other way round. The search that learns is better in all 30 repeats. Finalists of random search
# change next to nothing, because in 26 of 30 repeats the new splits put the same trial first. On the simulated data
# with 30 rows the best trials differ by luck and by merit. There the search that learns is better in 19 repeats and
# worse in 9, which a coin might also give. With finalists it is better in 25 and worse in 5, which a coin would
# hardly give. So the two together pay, probably because the search brings merit and finalists sort out the luck.
#
# More random trials change the winner in at most seven repeats, because the lowest of 50 losses is among the first 40
# in four cases of five. On the simulated data, ten times as many rows give a better winner in 11 repeats and a worse
# one in 5. Finalists of random search give a better winner in 14 repeats and a worse one in 10. A coin might give
# either result.
#
# **So:** where your ten best cannot be told apart, retrain finalists. Where they can, let a search learn. Where you
# cannot say, do both, which here cost ten trainings more. With 30 simulated rows only both together had a gain that a
# coin seldom gives. Stopping early spends the 40 trainings in another way, and [The same winners, trained
# again](#The-same-winners,-trained-again) has what it gains. More validation rows help the search that learns as well,
# as we saw in [How many rows does a lead need?](#How-many-rows-does-a-lead-need?).
#
# </details>

# %% [markdown]
# ## What does tuning buy?
#
# You could also do without a search. Beside the winners on digits we put three configurations that were chosen
# without one. A hyperparameter that their names do not mention stays at its default.
#
# - **default** has Adam's usual learning rate of 0.001 and 16 hidden units.
# - **ten times the rate** is what somebody tries who finds training too slow.
# - **three times the rate, twice the units** is what somebody tries who has tuned networks on such data before, as we
#   had. It shows how good a good guess can be.
#
# The table has these columns:
#
# - `choice` is one of these configurations, or the search whose winners are judged.
# - `loss` and `accuracy` are fresh. They are means over the judges of all repeats, the accuracy in per cent.
# - `half_width` is half the width of the 95 % interval around a single test score of that accuracy, in points. Digits
#   has 360 test rows.
#
# **Predict:** is random search with its 40 trainings better than ten times the rate?

# %%
from hpt_helpers.classroom.tables.recipes import DEFAULT_CONFIG

digits = winners[winners["world"] == "digits, 360 rows"]
shown = digits[digits["search"].isin(["random", "Gaussian process"])]
untuned = {
    "default": DEFAULT_CONFIG,
    "ten times the rate": DEFAULT_CONFIG | {"lr": 0.01},
    "three times the rate, twice the units": DEFAULT_CONFIG | {"lr": 0.003, "hidden_size": 32},
}
bought = studies.worth_of_tuning(WORLDS["digits, 360 rows"], shown, untuned)
bought.round({"loss": 3, "accuracy": 1, "half_width": 1})

# %% [markdown]
# <details><summary>What was seen</summary>
#
# No. By loss random search is worse, 0.266 against 0.220, and in accuracy the two are equal. A random trial has to
# hit good values of all hyperparameters that matter at once, while the default has most of them right. What holds the
# default back most is its learning rate, which is too small for 27 epochs.
#
# The Gaussian process reaches a loss of 0.186, and so does the guess of somebody who knows such data. Compared with
# ten times the rate, the Gaussian process raises the accuracy from 94.0 to 94.7. One test score could not show this
# gain, as its interval reaches 2.3 points to each side. It could show what the learning rate alone gains over the
# default, from 88.6 to 94.0.
#
# **So:** try the default at a few learning rates first, and compare every search with the best of these. On digits
# the search that learns replaced the knowledge of somebody who has tuned such models before. If you have that
# knowledge, use it. And to see a gain of 0.7 points in a test score you need more than ten times as many rows, since
# the interval shrinks with their square root. A comparison of two models row by row needs fewer rows. But 0.7 points
# of 360 rows are only two or three rows, and chance can easily give so many.
#
# </details>

# %% [markdown]
# ## Which search, then?
#
# The guide asks one question after another. The first is what you can pay for. The second is the one that this lesson
# is about, and it costs ten trainings to answer. The last box holds for everybody, wherever the questions led. BOHB
# is Hyperband with a model that proposes its trials. If you want more than the lesson's tables, the project's page
# `docs/testbed.md` has all races on digits and on the simulated data, also with other seeds of the data and with
# narrow ranges.

# %%
figures.guide()

# %% [markdown]
# 1. Can you pay for only about ten full trainings, and is early order late order? Yes: **Stop bad trials early: ASHA,
#    also on one machine, or Hyperband.**
#    - *How to see it.* Count the trainings that you can pay for, and look at the curves of those that you have made.
#      Early order is late order if the order after a third of the epochs is much like the order at the end.
#    - *Why.* With early cuts a search looks at many more configurations for the same budget, and with ASHA no machine
#      waits for the slowest trial (Li et al. 2020). Li et al. (2018) report deep networks and kernel methods on which
#      Hyperband was more than ten times as fast as the Bayesian searches that they compared it with. Shown in [From
#      which budget on does learning pay?](#From-which-budget-on-does-learning-pay?) and [Is early order late
#      order?](04_hyperband.ipynb#Is-early-order-late-order?).
#    - *Against it.* Where early order is not late order, the cuts lose the best trials. So they may where a
#      learning-rate schedule ends at each rung, since each rung is then another training. One long schedule for all
#      rungs made cuts safer. And Eggensperger et al. (2021) find that the advantage of searches with early cuts over
#      others shrinks as the budget grows. With forty trainings and 10 or 30 simulated rows, neither ASHA nor Hyperband
#      was visibly ahead of random search. With forty trainings on three further simulated data sets, taken together,
#      ASHA was visibly ahead only with 2,000 rows, by 2 %, and Hyperband never (`docs/testbed.md`). Shown in [And
#      elsewhere?](04_hyperband.ipynb#And-elsewhere?).
# 2. Can your validation rows tell your best trials apart? No: **Retrain finalists of any search, and get more rows if
#    you can.**
#    - *How to see it.* Train your ten best trials once more, on another split and under another seed, and count how
#      many of their 45 pairs keep their order. With 34 or more the answer is yes, since luck alone seldom gives so
#      many. With fewer than 28, treat it as no. In between you cannot be certain, so do both. Go on to the next
#      questions, and retrain finalists as well. The count tests whether there is merit in the order of the ten. It
#      does not promise a lead. If you cannot afford ten trainings, compare the standard deviation of the ten losses
#      with the standard error of one of them, which costs nothing. Unless the first is clearly larger, treat the
#      answer as no.
#    - *Why.* While luck decides among the best, the lowest loss is mostly low by luck. On iris, and with ten
#      simulated rows, none of the searches that we tried had a lead over random search that we could see when judged
#      fresh. Bouthillier et al. (2021) show for comparisons of learning algorithms how much the draw of the rows and
#      the seed move a result, and advise varying both. Shown in [Can the ten best be told
#      apart?](#Can-the-ten-best-be-told-apart?) and [What should you buy?](#What-should-you-buy?).
#    - *Against it.* A low count does not rule a lead out. When digits was searched in narrow ranges near its optimum,
#      360 rows ordered the best tenth of the configurations only roughly. Yet a search that learns was ahead of random
#      search there, and finalists gained nothing (all in `docs/testbed.md`). With 30 simulated rows a search that
#      learns paid clearly when its finalists were retrained. Without finalists it was better in 19 repeats and worse
#      in 9, which a coin might give. How much a few rows can tell depends on the space as well. And the ten may be
#      equally good. Then there is little left to choose. Shown in [What should you buy?](#What-should-you-buy?) and
#      [How many rows does a wide space need?](#How-many-rows-does-a-wide-space-need?).
# 3. Do you know good values of all but two or three hyperparameters? Yes: **Search only those two or three, by what
#    the next questions advise.**
#    - *How to see it.* You know them from earlier projects, or from the trials that you have made.
#    - *Why.* What need not be searched makes the rest easier to find. Bergstra & Bengio (2012) find that on most data
#      sets only a few hyperparameters matter. Shown in [3. Grid or random
#      draws?](02_random_search.ipynb#3.-Grid-or-random-draws?).
#    - *Against it.* The same paper finds that different hyperparameters matter on different data sets, so what you
#      know from an earlier project may not hold on new data. A grid over three hyperparameters was no better than
#      random search on iris, so a small space is no reason for a grid. A grid over six was worse on digits. Shown in
#      [The same winners, trained again](#The-same-winners,-trained-again).
# 4. Can trials wait for the results of earlier ones? Yes: **A search that learns: Gaussian process or TPE; with early
#    cuts BOHB.**
#    - *How to see it.* You have many more trials to make than machines to make them on. Several machines can be given
#      several proposals at once, if the search takes into account which trials are still running.
#    - *Why.* On digits such a search led random search by far, and with hundreds of simulated rows by less. Snoek et
#      al. (2012) reach or surpass experts with Gaussian processes. In the competition that Turner et al. (2021)
#      report, entries that learn beat random search on problems that they had not seen. The competition compared
#      entries by validation scores, that is, as searched. TPE was made for spaces in which some hyperparameters exist
#      only if others have certain values (Bergstra et al. 2011). Falkner et al. (2018) let a model propose
#      Hyperband's trials, which is BOHB, and find this better than Hyperband or the model alone. The course has
#      measured neither spaces of the kind for which TPE was made nor BOHB. Shown in [The same winners, trained
#      again](#The-same-winners,-trained-again) and [How many rows does a lead
#      need?](#How-many-rows-does-a-lead-need?).
#    - *Against it.* On iris, and with ten rows on the simulated data, such a search had no lead that we could see
#      when judged fresh. And it needs clearly more trials than the random ones with which it begins. Shown in [How
#      many rows does a lead need?](#How-many-rows-does-a-lead-need?) and [From which budget on does learning
#      pay?](#From-which-budget-on-does-learning-pay?).
# 5. Trials cannot wait: **Random search.**
#    - *How to see it.* You have about as many machines as trials, for example, so that none can wait.
#    - *Why.* Its trials need no results of others, so that all may run at once. Besides the ranges and their scales,
#      random search has no settings. Bergstra & Bengio (2012) propose it as the baseline for other searches. Shown in
#      [4. How many trials?](02_random_search.ipynb#4.-How-many-trials?).
#    - *Against it.* On digits, where the best can be told apart, random search was behind every search but the grid,
#      and ten times the default's learning rate did at least as well. Where early order is late order, ASHA can use
#      many machines, too (Li et al. 2020). Shown in [The same winners, trained
#      again](#The-same-winners,-trained-again) and [What does tuning buy?](#What-does-tuning-buy?).
# 6. At the end: **Retrain finalists where luck is large; open the test rows once.**
#    - *Why.* The loss by which a winner won is too low on average, and no score by which you chose may be reported as
#      the winner's (Cawley & Talbot 2010). Shown in [What should you buy?](#What-should-you-buy?).
#    - *Against it.* On digits, where the best can be told apart, finalists changed next to nothing. Shown in [What
#      should you buy?](#What-should-you-buy?).

# %% [markdown]
# ## Monday morning: a worked example
#
# You have a table of 200,000 rows and a network with seven hyperparameters. A training takes an hour, and four GPUs
# are yours until Wednesday evening, which is enough for about 240 trainings. What do you run?
#
# 1. **Monday morning, two hours.** Seal 20,000 test rows and keep 20,000 for validation. Train the default with its
#    own learning rate, and with a third, three times and ten times that rate. Train the best of these four again
#    under further seeds. Now you know what a guess is worth, and how far a seed alone moves the loss. *Measured
#    here:* on digits ten times the rate was at least as good as 40 random trials.
# 2. **Until Monday night, ten hours.** Train 40 random configurations in full, on all four GPUs. Keep each trial's
#    losses after a ninth and after a third of the epochs. Those after a third tell you whether early order is late
#    order, and those after a ninth whether you could cut earlier still. Both show which learning rates are hopeless,
#    so leave these out from now on. The course has not measured how far forty trials let you narrow the ranges of the
#    other six hyperparameters, so leave those as they are. *Measured in lesson 4:* how far early order is late order.
# 3. **In the night, three hours.** Train the ten best of these once more, on another split and under another seed,
#    and count the pairs that keep their order. With 20,000 rows the luck of the validation rows is a tenth of that of
#    200, as it shrinks with the square root of their number. The luck of the seed and of the training rows stays.
#    *Measured here:* the count, with at most 2,000 rows.
# 4. **Tuesday.** What to run depends on the count. The count tests whether there is merit in the order of the ten. A
#    high count does not promise that a search that learns will lead, and a low count does not rule it out.
#    - **34 pairs or more:** let a search learn from all trials so far and propose four at a time, one for each GPU.
#      So that the four differ, the search must allow for trials that are still running. A Gaussian process can
#      imagine their losses (Snoek et al. 2012), and Optuna's TPE keeps away from them with `constant_liar=True`.
#      Where early order is late order, let the search cut as well. MOBSTER does both (Klein et al. 2020). It
#      is the package's `mobster`, and takes the trials so far as `told=`.
#    - **28 to 33 pairs:** you cannot be certain, so do both. Let the search learn, and do not leave out Wednesday's
#      finalists.
#    - **Fewer than 28 pairs:** train the ten on two more splits first. If their means over the splits now differ by
#      more than the standard errors of these means, let a search learn, but give it such means instead of single
#      losses. It then tries fewer configurations, because each is trained on several splits. If the means do not
#      differ so much, the ten may be equally good. Then take the one with the best mean and compare it with Monday's
#      guess.
#
#    *Measured here:* one worker, at most six hyperparameters, and networks trained on 320 rows. *From papers:* Snoek
#    et al. (2012) and Li et al. (2020) report searches with several workers and on larger networks, and Falkner et
#    al. (2018) a model together with early cuts.
# 5. **Wednesday, three hours.** Retrain five finalists on two other splits and under other seeds, choose by the mean,
#    refit, and open the test rows once. *Measured here:* finalists helped where luck was large and changed little
#    elsewhere.
#
# ## Capstone: six hyperparameters for forty trainings
#
# Now it is your turn. The capstone has the rows and the space of digits in this lesson, with a draw of its own. You
# may train as many epochs as 40 full trainings take, divided as you like. Take your time, for the minutes at the top
# do not include the capstone. Put your search in place of `mine`, and see what its winner is worth.
# `hpt_helpers.strategies` has `bayesian_search`, `hyperband`, `successive_halving` and `grid_search` as well. Guesses
# like those in [What does tuning buy?](#What-does-tuning-buy?) are allowed, and not easy to beat.

# %%
from hpt_helpers.classroom.lesson_05 import capstone
from hpt_helpers.search import run
from hpt_helpers.strategies import random_search
from hpt_helpers.training_objective import TrainingObjective

mine = random_search(capstone.SPACE, 40, capstone.N_EPOCHS, seed=0)
tried = run(mine, TrainingObjective(capstone.rows()), budget=capstone.BUDGET)
line = capstone.line(tried, progress=True)
line

# %% [markdown]
# - `epochs` is how many epochs your search trained, and `val_loss` its winner's loss as searched.
# - `beaten_by` counts how many of 200 random searches, of 40 trials each, have a lower loss as searched. All of them
#   draw from the same 200 trials, so a slightly lower loss can overtake dozens of them at once.
# - `fresh` is the winner's mean loss on five other draws. The board in Going further ranks by this loss.
#
# The line above is that of one unlucky random search, which nearly all of the 200 beat. Yours should do better. When
# you are done, open the test rows, once. If you score a second model, you are warned.

# %%
from hpt_helpers.training import refit
from hpt_helpers.trials import config_of, incumbent

chosen = incumbent(tried)
n_epochs = int(tried.at[chosen, "n_epochs"])
model = refit(config_of(tried, chosen), capstone.rows(), n_epochs=n_epochs)
print(capstone.rows().final_score(model))

# %% [markdown]
# ## Exercises
#
# In a new cell, `ex.q1.hint()` gives a hint and `ex.q1.solution()` the solution.
#
# **1.** Write `wins_needed(n)`: the fewest wins in n pairs that chance hardly explains. If a fair coin decided each
# pair, that many wins or more would come up with a probability of at most 0.025. A further 0.025 is kept for
# unusually few wins. `n` is at least 6.

# %%
from hpt_helpers.classroom.lesson_05 import exercises as ex


def wins_needed(n):
    return ...


ex.q1.check(wins_needed)

# %% [markdown]
# **2.** A Hyperband with R = 27 reports its winner: learning rate 0.07, loss 0.04, after 9 epochs, on 30 validation
# rows. What do you do?
#
# - **a** Train this configuration for 27 epochs and use it.
# - **b** Run Hyperband again with a larger R.
# - **c** Train this and some other good ones, each for its own epochs, on other draws of rows, and compare.
#
# Because:
#
# - **1** more epochs make a network better.
# - **2** a larger R tries more configurations.
# - **3** the lowest of many losses on few rows is low by luck as well, and was met after 9 epochs, not 27.

# %%
answer_2 = ...  # a letter and a number in quotes, such as "a1"

ex.q2.check(answer_2)

# %% [markdown]
# **3.** Repair `report(finalists)`. `finalists` is a list of dicts. In each, `searched` is the loss by which it came
# into the list, and `again` holds four losses on four other draws of rows. Choose by the mean of the first two of
# `again`. Return the position of the chosen one and what may be reported of it: the mean of its last two, which had
# no part in the choice. A finalist with a nan in `again` may never be chosen.

# %%
def report(finalists):
    best = min(finalists, key=lambda finalist: finalist["searched"])
    return finalists.index(best), best["searched"]


ex.q3.check(report)

# %% [markdown]
# ## Summary
#
# <div style="border-left: 4px solid #0072B2; padding: 0.1em 1em; margin: 1em 0">
#
# With your own table you will
#
# - **judge winners fresh.** Nearly every search reports a lead over random search. Whether you get that lead depends
#   on the rows that judge and on how far configurations differ.
# - **ask first whether your ten best can be told apart.** Train them once more on another split, and count the pairs
#   that keep their order.
# - **let a search learn where they can be told apart,** once you can pay for clearly more trials than the random ones
#   with which it begins. On digits, with six hyperparameters, that paid most.
# - **retrain finalists where they cannot.** On iris that helped, and we saw no gain from a search that learns. Where
#   you are not certain, do both.
# - **try the default at several learning rates first,** and compare every search with the best of these. A single
#   score on a few hundred test rows shows only gains of several points.
#
# </div>
#
# You have the searches now, and you know how not to be fooled by them.

# %% [markdown]
# ## Going further
#
# ### From which budget on does learning pay?
#
# The race spent 40 full trainings. If each takes a day, you may be able to pay for only five. We run the race on
# digits with budgets of 5, 13 and 40 full trainings. An entry such as "20 : 8" says in how many repeats a search is
# better and worse than random search with the same budget, fresh.
#
# **Predict:** with five trainings, in how many of the 30 repeats is the Gaussian process better than random search?

# %%
on_digits = {"digits": WORLDS["digits, 360 rows"]}
studies.budgets(on_digits, SEARCHES, n_trials=[5, 13, 40])

# %% [markdown]
# <details><summary>What was seen</summary>
#
# In none, and it is worse in none. Its first five trials are those of random search, and by then it has learned
# nothing. ASHA is better in 24 repeats, because it looks at dozens of configurations. Hyperband looks at dozens as
# well. It is better in 19 repeats and worse in 9, which a coin might also give. With 13 trainings the Gaussian process
# is better in all 30 repeats. TPE, whose first ten trials are random, is better in 17 of 30 then, which a coin might
# give, too.
#
# **So:** if you can pay for only a handful of full trainings, stop bad trials early. A search that learns needs
# clearly more trials than the random ones with which it begins. We saw both on digits, where the ten best can be told
# apart and early order is late order.
#
# </details>

# %% [markdown]
# ### How many rows does a wide space need?
#
# Above we turned the dial on the simulated data. Here we turn it on digits.
#
# **Predict:** judged by 30 rows, as many as on iris, does the Gaussian process keep its lead?

# %%
two = {name: SEARCHES[name] for name in ("random", "Gaussian process", "Hyperband")}
studies.dial(two, n_val=[30, 100, 360], name="digits")

# %% [markdown]
# <details><summary>What was seen</summary>
#
# Yes. It led in 28 of 30 repeats and is ahead in 26 fresh, and Hyperband keeps most of its lead as well. With 30 rows
# on iris no lead could be seen. The number of rows alone does not decide. What counts is how far configurations
# differ compared with the luck of the rows, and on digits, with its wide space, they differ a great deal.
#
# **So:** do not judge by the number of your rows alone. Train your ten best once more and count the pairs.
#
# </details>

# %% [markdown]
# ### Can a search find what is not there?
#
# Take a search with nothing to find. Every trial is the **same** configuration on the same rows of iris, under
# another seed, and its learning rate is high.
#
# - `looks`: how many trials the search makes.
# - `lowest`: the lowest of their losses, as a median over 20 repeats.
# - `median`: the median of all losses of the 20 repeats, with a hundred in each. It is the same in every row.
#
# **Predict:** is the lowest loss of a hundred trials nearer to nine tenths or to half of a single trial's?

# %%
bold = {"lr": 0.06, "batch_size": 32}
studies.lowest_of_equals(bold, "iris", 27, [1, 10, 100], repeats=range(20)).round(3)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# To half. The median loss of a single trial is 0.124. The lowest loss of ten trials is about a quarter lower, and
# that of a hundred about half as high, although all are trials of one and the same configuration. The 0.140 in the
# first row differs because it is the median of only 20 trials. A search reports progress here, too, because the
# lowest of many losses is low by luck.
#
# **So:** a falling line is also what luck looks like. How far luck can make it fall depends on how widely the losses
# of one configuration scatter, and at high learning rates they scatter widely.
#
# </details>

# %% [markdown]
# ### How many repeats does a comparison need?
#
# Leave out the ties, and toss a fair coin for each repeat that is left. The **sign test** calls a difference real if
# tosses give so uneven a result in at most 5 of 100 series.
#
# - `wins_needed` is the fewest wins that the test calls real.
# - `found if P = 0.6` says how often the test finds a search that truly wins 60 of 100 repeats.
# - The last two columns say the same for a search that truly wins 75 and 90 of 100.
#
# **Predict:** with 30 repeats, how often is a search found that truly wins 60 of 100?

# %%
studies.power_of_sign_test([5, 10, 20, 30, 100]).round(2)

# %% [markdown]
# <details><summary>What was seen</summary>
#
# With probability 0.18, because it takes 21 wins, and such a search wins 18 of 30 on average. One that truly wins 75
# of 100 repeats is found with probability 0.80. With five repeats no number of wins is enough.
#
# **So:** count the repeats before you read a comparison. If so few cannot show a difference, call the comparison
# undecided, and do not call the searches equal.
#
# </details>

# %% [markdown]
# ### The capstone by hand, and a board for the room
#
# `capstone.by_hand()` is the capstone as a game of 40 tries of 27 epochs. You set the learning rate and the hidden
# size with sliders, or call `submit`. The other settings are the defaults. The first time, the game trains for some
# seconds before it begins.

# %%
game = capstone.by_hand(progress=True)
game

# %% [markdown]
# What you tried is a search like any other. Here are three tries. Put yours in their place.

# %%
from hpt_helpers.strategies import grid_search

for lr in (0.001, 0.003, 0.01):
    game.submit({"lr": lr, "hidden_size": 32})
tries = grid_search(game.configs, capstone.N_EPOCHS)
tried_by_hand = capstone.line(run(tries, TrainingObjective(capstone.rows())))
tried_by_hand

# %% [markdown]
# Save your line in a folder that you share with others, in place of this temporary one. `leaderboard` reads nothing
# but the lines in this folder, and ranks them by the fresh loss. That loss is a mean of five draws, so small
# differences are undecided.

# %%
import tempfile

with tempfile.TemporaryDirectory() as folder:
    capstone.save(folder, "random search", line)
    capstone.save(folder, "by hand", tried_by_hand)
    board = capstone.leaderboard(folder)
board

# %% [markdown]
# ### One more exercise
#
# **4.** A search truly wins 60 of 100 repeats. What is the smallest number of paired repeats with which its wins
# reach what `wins_needed` asks with a probability of at least 0.8? (15 more or fewer are fine.)

# %%
answer_4 = ...

ex.q4.check(answer_4)

# %% [markdown]
# How far did you get?

# %%
ex.progress()

# %% [markdown]
# Exercises you solved stay solved until the kernel restarts.
#
# **Further reading.** The papers of the guide and of the worked example:
#
# - J. Bergstra and Y. Bengio (2012). Random search for hyper-parameter optimization. *Journal of Machine Learning
#   Research* 13.
# - J. Snoek, H. Larochelle and R. P. Adams (2012). Practical Bayesian optimization of machine learning algorithms.
#   *Advances in Neural Information Processing Systems* 25.
# - L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh and A. Talwalkar (2018). Hyperband: a novel bandit-based approach to
#   hyperparameter optimization. *Journal of Machine Learning Research* 18.
# - S. Falkner, A. Klein and F. Hutter (2018). BOHB: robust and efficient hyperparameter optimization at scale.
#   *Proceedings of the 35th International Conference on Machine Learning*.
# - L. Li et al. (2020). A system for massively parallel hyperparameter tuning. *Proceedings of Machine Learning and
#   Systems* 2.
# - A. Klein, L. C. Tiao, T. Lienart, C. Archambeau and M. Seeger (2020). Model-based asynchronous hyperparameter and
#   neural architecture search. *arXiv:2003.10865*.
# - R. Turner et al. (2021). Bayesian optimization is superior to random search for machine learning hyperparameter
#   tuning: analysis of the black-box optimization challenge 2020. *Proceedings of Machine Learning Research* 133.
# - K. Eggensperger et al. (2021). HPOBench: a collection of reproducible multi-fidelity benchmark problems for HPO.
#   *NeurIPS Datasets and Benchmarks Track*.
# - G. C. Cawley and N. L. C. Talbot (2010). On over-fitting in model selection and subsequent selection bias in
#   performance evaluation. *Journal of Machine Learning Research* 11.
# - X. Bouthillier et al. (2021). Accounting for variance in machine learning benchmarks. *Proceedings of Machine
#   Learning and Systems* 3.
# - T. Akiba et al. (2019). Optuna: a next-generation hyperparameter optimization framework. *Proceedings of the 25th
#   ACM SIGKDD Conference*. TPE itself is from J. Bergstra, R. Bardenet, Y. Bengio and B. Kégl (2011), *Advances in
#   Neural Information Processing Systems* 24.
