"""Data, training, strategies and the record of a search: import from the modules; this file imports
nothing.
"""
