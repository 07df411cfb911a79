"""Answers to the exercises, a module for each lesson, written from the questions alone.

RIGHT has for each exercise the distinct ways of being right. WRONG has (exercise, answer, words of
its message): natural mistakes beside those that the exercises know themselves, and answers that a
check once took for right.
"""
