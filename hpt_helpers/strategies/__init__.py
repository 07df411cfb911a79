"""The strategies of the course as generators for `hpt_helpers.search.run`."""

from hpt_helpers.strategies.asynchronous import asha as asha
from hpt_helpers.strategies.asynchronous import mobster as mobster
from hpt_helpers.strategies.bayesian import bayesian_search as bayesian_search
from hpt_helpers.strategies.halving import hyperband as hyperband
from hpt_helpers.strategies.halving import hyperband_schedule as hyperband_schedule
from hpt_helpers.strategies.halving import successive_halving as successive_halving
from hpt_helpers.strategies.random_and_grid import grid_search as grid_search
from hpt_helpers.strategies.random_and_grid import random_search as random_search
