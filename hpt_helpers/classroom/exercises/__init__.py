"""Exercises that check themselves: framework.py judges them, reading.py reads answers.

An exercise is a `Function` to write or to repair, a `Number`, or a `MultipleChoice`. A
lesson's folder has its exercises.py, and explained.py, by which its functions are judged: their
cases, usual mistakes, and faults in words. answer_key.py gives all solutions of a lesson at once.

To add an exercise:
- `solve` is named as in the lesson plus `_solution`, with its imports inside. It is the right
  function itself, or a function without arguments that returns the right answer. Learners see its
  source as the solution, and people with paper only read `because` beside it.
- `starter`, of a `Function`, is named as in the lesson plus `_starter`. It returns `...`, or it is
  the faulty code to repair.
- `cases`, of a `Function`, returns quick inputs, as tuples of arguments, on which every mistake
  shows.
- `wrong` holds two usual mistakes or more, each with what the learner is told: a pointer, and not
  the answer.
- The lesson holds the question word for word, and a cell with the starter that ends in
  `ex.qN.check(...)`.
- tests/answers.py in the lesson's folder holds a handful of answers: each distinct way of being
  right, and wrong ones that are natural. Write them from the question alone, before the check.

tests/test_exercises.py then proves it.
"""
