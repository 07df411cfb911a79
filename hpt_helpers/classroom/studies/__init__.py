"""The measurements that the lessons make, a module for each lesson: `studies.luck??` shows how one
is made.

A study is one function that repeats, pairs or counts, and returns a tidy table: a row for each
measurement, named columns. `repeats.py` has what they share.
"""
