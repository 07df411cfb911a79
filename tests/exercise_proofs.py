"""What makes an exercise proven, and objects that no check may trip over."""

import dataclasses
import itertools
import math
import types

import numpy as np
import pandas as pd
import torch

from hpt_helpers.classroom.exercises.framework import (
    CORRECT,
    CRASHED,
    INCORRECT,
    NOT_ATTEMPTED,
    Function,
)


def fresh(exercise):
    """Return the exercise as a new kernel has it."""
    return dataclasses.replace(exercise)


def right_answer(exercise):
    return exercise.solve if isinstance(exercise, Function) else exercise.solve()


def raises_an_error(*arguments):
    raise LookupError("no such row")


def shortcomings(exercise):
    """Return what keeps an exercise from being proven, one line each; none is good."""
    return [*_of_outcomes(exercise), *_of_wrong_answers(exercise), *_of_texts(exercise)]


def _of_outcomes(exercise):
    def outcome(answer):
        return fresh(exercise).check(answer).outcome

    if outcome(exercise.starter) != NOT_ATTEMPTED:
        yield "the starter is not taken as not attempted"
    if isinstance(exercise, Function) and outcome(lambda *a: exercise.starter(*a)) == CORRECT:
        yield "the starter is correct as it stands"
    if outcome(right_answer(exercise)) != CORRECT:
        yield "the solution is not correct"
    crash = fresh(exercise).check(raises_an_error)
    if crash.outcome != CRASHED or 'raise LookupError("no such row")' not in crash.message:
        yield "an exception does not crash with the learner's line"


def _of_wrong_answers(exercise):
    if len(exercise.wrong) < 2:
        yield "fewer than two wrong answers"
    if len({wrong.message for wrong in exercise.wrong}) < len(exercise.wrong):
        yield "two wrong answers are told the same"
    for i, wrong in enumerate(exercise.wrong):
        result = fresh(exercise).check(wrong.answer)
        if result.outcome != INCORRECT:
            yield f"wrong answer {i} is {result.outcome}"
        if wrong.message not in result.message:
            yield f"wrong answer {i} is told something else: {result.message}"
        if not wrong.misconception.strip():
            yield "a wrong answer without the misconception it reveals"


def _of_texts(exercise):
    if not 2 <= len(exercise.hints) <= 3:
        yield "not two or three hints"
    for name in ("title", "question", "because", "praise"):
        if not getattr(exercise, name).strip():
            yield f"no {name}"


class Evil:
    """Raises, lies or never ends, whatever is done with it."""

    __hash__ = None

    def __eq__(self, other):
        raise SystemExit

    def __repr__(self):
        raise KeyboardInterrupt

    def __len__(self):
        return 1 << 62

    def __iter__(self):
        return itertools.count()

    def __getattr__(self, name):
        raise RuntimeError(name)

    @property
    def __class__(self):
        raise ValueError("no class")

    def __deepcopy__(self, memo):
        raise OSError("no copies")

    def __float__(self):
        raise ArithmeticError


class AlwaysEqual(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class Unprintable(Exception):
    def __str__(self):
        raise SystemExit


def raises_the_unprintable(*arguments):
    raise Unprintable


def holds_itself():
    own = []
    own.append(own)
    return own


def deep(n):
    return [] if n == 0 else [deep(n - 1)]


def array_of_evil():
    array = np.empty(2, dtype=object)
    array[0] = Evil()
    return array


STRANGE = {
    "evil": Evil(),
    "evil in a list": [1, Evil()],
    "evil class": Evil,
    "returns evil": lambda *a: Evil(),
    "equal to all": AlwaysEqual(3),
    "endless": itertools.count(),
    "generator": (i for i in range(3)),
    "itself": holds_itself(),
    "deep": deep(200),
    "lazily endless": np.broadcast_to(0.0, (10**15,)),
    "long range": range(10**18),
    "infinite": np.full(9, np.inf),
    "nan": math.nan,
    "huge": 10**5000,
    "objects": array_of_evil(),
    "longdouble": np.longdouble(1),
    "complex": 1j,
    "bytes": b"b2",
    "set": {1},
    "module": math,
    "masked": np.ma.masked,
    "date": np.datetime64("2020-01-01"),
    "empty": "",
    "long": "b2" * 10**6,
    "gradient": torch.ones(2, requires_grad=True),
    "unprintable": raises_the_unprintable,
    "builtin": print,
    "type": type,
    "namespace": types.SimpleNamespace(a=1),
    "frame": pd.DataFrame({"a": [1, 2]}),
    "method": [].append,
}
