"""Exercises that check themselves: a module for each lesson, and framework.py, which judges the
answers.

What a lesson's module has no room for stands beside it: explained_NN.py (cases, and faults in
words), mistakes_NN.py.

To add one (a `Function` to write or repair, a `Number`, a `MultipleChoice`), which
tests/test_exercises.py then proves:
- `solve`: named as in the lesson plus `_solution`, its imports inside: the right function itself,
  or one without arguments that returns the right answer. Its source is what `solution()` shows.
- `starter`, of a `Function`: the same name plus `_starter`, returning `...` or being the faulty
  code to repair; `cases`: returns quick inputs, as tuples of arguments, on which every mistake
  shows. `explain` says in words what is wrong with one result; `fault` judges all results at once,
  where more than one answer is right (random draws).
- `wrong`: two usual mistakes or more, each with what the learner is told (a pointer, not the
  answer).
- tests/answers: a dozen right and a dozen wrong answers, written from the question alone, before
  its check.
- The lesson holds the question word for word and a cell with the starter that ends in
  `ex.qN.check(...)`.
"""
