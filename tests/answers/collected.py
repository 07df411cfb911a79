"""Collects answers to exercises, each with what its check has to say of it.

The answers were written from the questions' text alone, as a learner would who has not seen how
they are checked.
"""

RIGHT, WRONG = [], []  # (exercise, answer); (exercise, answer, words that its message holds)


def right(exercise: str):
    """Mark a function as a right answer to an exercise such as "1.q3"."""

    def collect(function):
        RIGHT.append((exercise, function))
        return function

    return collect


def wrong(exercise: str, *words: str):
    """Mark a function as a wrong answer, whose message holds these words."""

    def collect(function):
        WRONG.append((exercise, function, words))
        return function

    return collect
