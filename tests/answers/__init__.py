"""Answers to the exercises as learners write them, right and wrong; tests/test_exercise_answers.py
has them judged.
"""
