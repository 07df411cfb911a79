"""What you do with a search's record before you believe it, for any model.

You write a `Problem`: rows, and a function that trains once. Each question is a function:
`guesses`, `early_order`, `best_again`, `paired_ties`, `finalists`, `compare`, `importance`, then
`refit` and `test_once` at the end, and `report` for the page.
"""

from hpt_helpers.evidence.page import report as report
from hpt_helpers.evidence.planning import plan as plan
from hpt_helpers.evidence.problem import Checkpoint as Checkpoint
from hpt_helpers.evidence.problem import Problem as Problem
from hpt_helpers.evidence.problem import Trained as Trained
from hpt_helpers.evidence.questions import best_again as best_again
from hpt_helpers.evidence.questions import best_again_of as best_again_of
from hpt_helpers.evidence.questions import best_first as best_first
from hpt_helpers.evidence.questions import compare as compare
from hpt_helpers.evidence.questions import curves as curves
from hpt_helpers.evidence.questions import early_order as early_order
from hpt_helpers.evidence.questions import finalists as finalists
from hpt_helpers.evidence.questions import guesses as guesses
from hpt_helpers.evidence.questions import paired_folds as paired_folds
from hpt_helpers.evidence.questions import paired_ties as paired_ties
from hpt_helpers.evidence.questions import random_with_early_losses as random_with_early_losses
from hpt_helpers.evidence.questions import ties_of as ties_of
from hpt_helpers.evidence.reading import read_table as read_table
from hpt_helpers.evidence.rows import SealedRows as SealedRows
from hpt_helpers.evidence.rows import Split as Split
from hpt_helpers.evidence.sealed_test import refit as refit
from hpt_helpers.evidence.sealed_test import test_once as test_once
from hpt_helpers.evidence.sensitivity import importance as importance
