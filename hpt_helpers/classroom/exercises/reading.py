"""Reads answers as plain values, calls learners' functions, and shows both in words; what fails is
a `Verdict`.
"""

import math
import re
import reprlib
import traceback
from collections.abc import Sequence

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
    r"empty (sequence|iterable)|argument is empty": "Nothing is left to choose from: does no value meet the condition?",
    r"^KeyError": "There is no such name in the input.",
    r"^IndexError": "A position beyond the end: is the list or array empty, or does a range end too early?",
    r"^StopIteration": "Nothing was found: does a range end too early, or is a limit too strict?",
    r"^ZeroDivisionError": "Look at the input below: which count is 0? (With replacement, n may exceed the list.)",
}


class _Short(reprlib.Repr):
    def repr_dict(self, value, level):  # in the dict's own order, which Repr's is not
        items = [
            f"{self.repr1(k, level - 1)}: {self.repr1(v, level - 1)}"
            for k, v in list(value.items())[:8]
        ]
        return (
            f"{{{', '.join(items)}{', ...' if len(value) > 8 else ''}}}" if level > 0 else "{...}"
        )


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = MAX_WIDTH
_SHORT.maxlist = 8
_SHORT.maxlevel = 3


class Verdict(Exception):
    """Ends a check with (outcome, message)."""


def read_answer(value, depth: int = 0):
    """Return a copy in Python's own numbers, texts, lists and dicts; raise a Verdict where that
    cannot be.
    """
    kind = type(value)
    if value is ...:
        raise Verdict(NOT_ATTEMPTED, "the starter is unchanged; edit it and run the cell again.")
    if value is None or kind in (bool, int, float, str):
        return value
    if kind.__module__.partition(".")[0] in ("torch", "pandas"):
        value = np.asarray(value)
    if isinstance(value, np.generic | np.ndarray) and value.size <= MAX_ITEMS and depth < MAX_DEPTH:
        return read_answer(value.tolist(), depth + 1)
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


def difference(got, expected) -> str:
    """Return how a plain value differs from the expected one, without telling the latter; empty if
    it does not.
    """
    kind, needed = (KINDS.get(type(value), "None") for value in (got, expected))
    if got is None and expected is not None:
        return f"None came back where {needed} is needed: the function has to `return` it; print returns nothing"
    if kind != needed:
        return f"{kind} was returned where {needed} is needed"
    if kind in ("a list", "a dict"):
        got, expected = (
            value if isinstance(value, dict) else dict(enumerate(value))
            for value in (got, expected)
        )
        if got.keys() != expected.keys():
            return f"{kind} of {len(got)} was returned, with entries missing or too many"
        return next(
            (
                f"at [{k!r}], {found}"
                for k in expected
                if (found := difference(got[k], expected[k]))
            ),
            "",
        )
    close = kind == "a number" and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-9)
    return "" if close or repr(got) == repr(expected) else f"{shown(got)} is not right"


def call(function, *arguments):
    """Return what the function returns; raise a Verdict with the learner's line and a word of help
    where it fails.
    """
    try:
        return function(*arguments)
    # sys.exit and an interrupt end the learner's function, not the lesson
    except BaseException as e:
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        lines = [
            f"in line {f.lineno}: {f.line}"
            for f in traceback.extract_tb(e.__traceback__)
            if f.filename == file
        ]
        error = traceback.format_exception_only(e)[-1].strip()
        help_ = [words for pattern, words in CRASH_HELP.items() if re.search(pattern, error)]
        raise Verdict(CRASHED, "\n".join([" ".join([error, *lines[-1:]]), *help_[:1]])) from None


def shown(value) -> str:
    """Return a plain value as Python writes it, shortened."""
    return _SHORT.repr(value)


def shown_call(name: str, parameters: Sequence[str], arguments: Sequence, then: str = "") -> str:
    """Return a call and what came then; a first argument that is a list too long for the line
    stands below it.
    """
    given = [
        f"{parameter}={shown(value)}"
        for parameter, value in zip(parameters, arguments, strict=True)
    ]
    if len(line := f"{name}({', '.join(given)})") <= MAX_WIDTH or not isinstance(
        arguments[0], list
    ):
        return line + then
    rows = [f"    {i}: {shown(row)}" for i, row in enumerate(arguments[0])]
    return "\n".join(
        [f"{name}({', '.join([parameters[0], *given[1:]])}){then} with {parameters[0]} =", *rows]
    )
