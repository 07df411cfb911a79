"""Reading answers as plain values, calling learners' functions, and showing both in words.

What cannot be read or called ends the check with a `Verdict`.
"""

import math
import re
import reprlib
import traceback
from collections.abc import Callable, Sequence
from typing import TypeGuard

import numpy as np

CORRECT, INCORRECT, NOT_ATTEMPTED, CRASHED = "correct", "incorrect", "not attempted", "crashed"
KINDS = {
    bool: "True or False",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a dict",
}
MAX_ITEMS, MAX_DEPTH = 100_000, 9  # of an answer's lists; what is larger or deeper is refused
MAX_WIDTH = 100  # of a line that shows a call
CRASH_HELP = {
    r"positional argument": "Keep the arguments of the first line, `def`, as they are.",
    r"unary -: 'list'": "A list has no minus; np.array(...) makes an array of it.",
    r"'list' object has no attribute|list indices must be": (
        "A list is passed: np.array(...) makes an array of it, pd.DataFrame(...) a table."
    ),
    r"empty (sequence|iterable)|argument is empty": (
        "Nothing is left to choose from: does no value meet the condition?"
    ),
    r"^KeyError": "There is no such name in the input.",
    r"^IndexError": (
        "A position beyond the end: does a range end too early, or is the list or array empty?"
    ),
    r"^StopIteration": "Nothing was found: does a range end too early, or is a limit too strict?",
    r"^ZeroDivisionError": (
        "Look at the input below: which count is 0? (With replacement, n may exceed the list.)"
    ),
}


class Verdict(Exception):
    """Ends a check with (outcome, message)."""


def read_answer(value, depth: int = 0, *, as_number: bool = False):
    """Return a copy in Python's own numbers, texts, lists and dicts.

    as_number: a number is expected, so an array that holds one value is read as that value. Raises
    a Verdict where the value cannot be read.
    """
    kind = type(value)
    if value is ...:
        raise Verdict(NOT_ATTEMPTED, "the starter is unchanged; edit it and run the cell again.")
    if value is None or kind in (bool, int, float, str):
        return value
    array = np.asarray(value) if kind.__module__.partition(".")[0] in ("torch", "pandas") else value
    if isinstance(array, np.generic | np.ndarray) and array.size <= MAX_ITEMS and depth < MAX_DEPTH:
        plain = array.item() if as_number and array.size == 1 else array.tolist()
        return read_answer(plain, depth + 1)
    if kind in (list, tuple, range, dict) and len(value) <= MAX_ITEMS and depth < MAX_DEPTH:
        items = value.items() if kind is dict else enumerate(value)
        copied = {read_answer(key): read_answer(item, depth + 1) for key, item in items}
        return copied if kind is dict else list(copied.values())
    if kind.__name__ == "generator":
        raise Verdict(
            INCORRECT,
            "a generator came back (`yield`, or `for` in round brackets): `return` a list instead.",
        )
    raise Verdict(
        INCORRECT,
        f"{kind.__name__}: such an object cannot be checked; a number, text, list or dict can.",
    )


def is_number(value) -> TypeGuard[int | float]:
    """Return whether a value that was read is a number; True and False are none."""
    return type(value) in (int, float)


def is_position(value, length: int) -> bool:
    """Return whether a value that was read is a position in a list of this length."""
    return is_number(value) and value in range(length)


def is_close(value, *others: float) -> bool:
    """Return whether a value that was read is, but for rounding, one of these numbers."""
    return is_number(value) and any(math.isclose(value, other, rel_tol=1e-9) for other in others)


def difference(got, expected) -> str:
    """Return how a value that was read differs from the expected one, without telling the latter.

    Empty where they agree: numbers up to a relative difference of 1e-6, nan with nan.
    """
    kind, needed = (KINDS.get(type(value), "None") for value in (got, expected))
    if got is None and expected is not None:
        return (
            f"None came back where {needed} is needed: "
            "the function has to `return` it; print returns nothing"
        )
    if kind != needed:
        return f"{kind} was returned where {needed} is needed"
    if kind in ("a list", "a dict"):
        return _difference_of_items(kind, got, expected)
    close = (
        is_number(got)
        and is_number(expected)
        and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-9)
    )
    return "" if close or repr(got) == repr(expected) else f"{shown(got)} is not right"


def _difference_of_items(kind: str, got, expected) -> str:
    if kind == "a list":
        got, expected = dict(enumerate(got)), dict(enumerate(expected))
    if got.keys() != expected.keys():
        return f"{kind} of {len(got)} was returned, with entries missing or too many"
    for key in expected:
        if found := difference(got[key], expected[key]):
            return f"at [{key!r}], {found}"
    return ""


def pair_fault(got, expected: list, code: str, first: str, second: str) -> str:
    """Return what is wrong with the form of an answer that is to be two values; empty if nothing.

    code is how they are returned, such as "lr, score"; first and second are what they are called.
    """
    if got is None:
        return f"nothing came back; print returns nothing: `return {code}`."
    if not isinstance(got, list) or len(got) != 2:
        return f"return two values, the {first} and the {second}: `return {code}`."
    if got == expected[::-1]:
        return f"return the {first} first, and then the {second}."
    return ""


def call(function: Callable, *arguments):
    """Return what the function returns.

    Raises a Verdict with the learner's line and a word of help where it fails.
    """
    try:
        return function(*arguments)
    # sys.exit and an interrupt end the learner's function, not the lesson
    except BaseException as error:
        raise Verdict(CRASHED, _crash(function, error)) from None


def _crash(function: Callable, error: BaseException) -> str:
    file = getattr(getattr(function, "__code__", None), "co_filename", None)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == file]
    text = traceback.format_exception_only(error)[-1].strip()
    help_ = next((words for pattern, words in CRASH_HELP.items() if re.search(pattern, text)), "")
    if frames:
        text += f" in line {frames[-1].lineno}: {frames[-1].line}"
    return f"{text}\n{help_}" if help_ else text


class _Short(reprlib.Repr):
    """Shortens values; dicts keep their own order, which Repr's do not."""

    def repr_dict(self, value, level):
        if level <= 0:
            return "{...}"
        items = [
            f"{self.repr1(key, level - 1)}: {self.repr1(item, level - 1)}"
            for key, item in list(value.items())[:8]
        ]
        more = ", ..." if len(value) > 8 else ""
        return f"{{{', '.join(items)}{more}}}"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = MAX_WIDTH
_SHORT.maxlist = 8
_SHORT.maxlevel = 3


def shown(value) -> str:
    """Return a value that was read as Python writes it, shortened."""
    return _SHORT.repr(value)


def shown_call(name: str, parameters: Sequence[str], arguments: Sequence, then: str = "") -> str:
    """Return a call and what came then, such as "f(x=1, n=2) returned 3".

    Where the line is too long and the first argument a list, its items stand below, one a line.
    """
    given = [
        f"{parameter}={shown(value)}"
        for parameter, value in zip(parameters, arguments, strict=True)
    ]
    line = f"{name}({', '.join(given)})"
    if len(line) <= MAX_WIDTH or not isinstance(arguments[0], list):
        return line + then
    rows = [f"    {i}: {shown(row)}" for i, row in enumerate(arguments[0])]
    line = f"{name}({', '.join([parameters[0], *given[1:]])})"
    return "\n".join([f"{line}{then} with {parameters[0]} =", *rows])
