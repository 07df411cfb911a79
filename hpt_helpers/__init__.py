"""Helpers for the hyperparameter tuning course: data, model, training, and the record of a search.

Import what you need from the modules, e.g. ``from hpt_helpers.data import load_splits``; this file imports nothing.
"""
