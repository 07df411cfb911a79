"""The measurements that the lessons make, a module for each lesson.

A study is one function that repeats, pairs or counts, and returns a tidy table: a row for each
measurement, named columns. `studies.agreement??` in lesson 1 shows how one is made. What they share
is in `hpt_helpers.classroom.lab`, and what the tables of trainings tell in `table_studies`.
"""
