"""The kinds of exercise and their checks; the package's docstring says how to add an exercise."""

import copy
import html
import inspect
import math
import reprlib
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

import numpy as np

CORRECT, INCORRECT, NOT_ATTEMPTED, CRASHED = "correct", "incorrect", "not attempted", "crashed"
MARKS = {CORRECT: "✔", INCORRECT: "✘", NOT_ATTEMPTED: "…", CRASHED: "!"}
KINDS = {bool: "True or False", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a dict"}
MAX_ITEMS, MAX_DEPTH = 100_000, 9  # of an answer's lists; what is larger or deeper is refused


class Wrong(NamedTuple):
    """A usual mistake: an answer, what a learner who gives it is told, and what it reveals to an instructor."""

    answer: Any
    message: str
    misconception: str


class Result(NamedTuple):
    """What `check` found: the outcome is one of the four words, the message says more."""

    name: str
    outcome: str
    message: str

    def __repr__(self) -> str:
        return f"{MARKS[self.outcome]} {self.name} {self.outcome}: {self.message}"

    def _repr_html_(self) -> str:
        return f'<div style="border-left: 6px solid; padding-left: 0.8em">{html.escape(repr(self))}</div>'


class _Verdict(Exception):
    """Ends a check with (outcome, message)."""


@dataclass(repr=False)
class Exercise:
    """What every kind has. name, question: as in the lesson; praise: what is said when the answer is right."""

    name: str
    question: str
    solve: Callable
    hints: Sequence[str]
    wrong: Sequence[Wrong]
    praise: str
    outcome: str = field(default=NOT_ATTEMPTED, init=False)  # the last one; correct stays
    n_hints_shown: int = field(default=0, init=False)
    starter: ClassVar[Any] = ...

    def __repr__(self) -> str:
        return f"{self.name}: {self.outcome}"

    def check(self, answer) -> Result:
        """Judge an answer from a copy of it; never raises, whatever the object."""
        try:
            self._judge(answer)
            outcome, message = CORRECT, self.praise
        except _Verdict as verdict:
            outcome, message = verdict.args
        except BaseException:  # an object may raise anything while it is read
            outcome, message = INCORRECT, "this object cannot be read; numbers, texts, lists and dicts can."
        self.outcome = CORRECT if self.outcome == CORRECT else outcome
        return Result(self.name, outcome, message)

    def hint(self) -> None:
        """Print the next hint; after the last one, the last one again."""
        self.n_hints_shown = n = min(self.n_hints_shown + 1, len(self.hints))
        print(f"Hint {n} of {len(self.hints)}: {self.hints[n - 1]}")

    def solution(self) -> None:
        """Print the solution, code that runs."""
        print(inspect.getsource(self.solve).replace("_solution(", "(").rstrip())


@dataclass(repr=False)
class Number(Exercise):
    """Predict a number: right within `tolerance` of solve(), in the number's own units."""

    tolerance: float = field(kw_only=True)

    def _judge(self, answer) -> None:
        value = read_answer(_call(answer) if callable(answer) else answer)
        if type(value) not in (int, float) or not math.isfinite(value):
            raise _Verdict(INCORRECT, f"a number is needed, not {reprlib.repr(value)}.")
        if abs(excess := value - self.solve()) > self.tolerance:
            known = [w.message for w in self.wrong if math.isclose(value, w.answer, rel_tol=1e-3, abs_tol=1e-9)]
            side = "too high" if excess > 0 else "too low"
            raise _Verdict(INCORRECT, [*known, f"{side}; the tolerance is {self.tolerance:g}."][0])


@dataclass(repr=False)
class MultipleChoice(Exercise):
    """Choose and say why: an option's letter and a reason's number, such as "b2". `wrong` has an entry for each wrong
    letter (whatever the reason) and, with the right letter, for each wrong reason."""

    def _judge(self, answer) -> None:
        value, right = str(read_answer(_call(answer) if callable(answer) else answer)).strip().lower(), self.solve()
        feedback = {w.answer if w.answer[0] == right[0] else w.answer[0]: w.message for w in self.wrong}
        if value != right:
            message = feedback.get(value) or feedback.get(value[:-1])
            raise _Verdict(INCORRECT, message or 'give the letter of an option and the number of a reason, as in "a1".')


@dataclass(repr=False)
class Function(Exercise):
    """Write or repair a function: right when it gives what `solve` gives on `cases()`, a list of argument tuples."""

    starter: Callable = field(kw_only=True)
    cases: Callable[[], list[tuple]] = field(kw_only=True)

    def _judge(self, answer) -> None:
        if answer is ... or (hasattr(answer, "__code__") and _code(answer) == _code(self.starter)):
            read_answer(...)
        if not callable(answer):
            raise _Verdict(INCORRECT, "a function is needed: give its name, without brackets.")
        got, expected = self._results(answer), self._results(self.solve)
        if differences := [(i, found) for i in range(len(got)) if (found := difference(got[i], expected[i]))]:
            known = [w.message for w in self.wrong if not difference(got, self._results(w.answer))]
            n, found = differences[0]
            raise _Verdict(INCORRECT, [*known, f"on hidden input {n + 1} of {len(got)}, {found}."][0])

    def _results(self, function) -> list:
        return [read_answer(_call(function, *arguments)) for arguments in copy.deepcopy(self.cases())]


def show_progress(*exercises: Exercise) -> None:
    """Print the outcome of each exercise in this kernel."""
    print(*exercises, sep="\n")
    print(f"{sum(e.outcome == CORRECT for e in exercises)} of {len(exercises)} done")


def read_answer(value, depth: int = 0):
    """Return a copy in Python's own numbers, texts, lists and dicts; raise a _Verdict where that cannot be."""
    kind = type(value)
    if value is ...:
        raise _Verdict(NOT_ATTEMPTED, "the starter is unchanged; edit it and run the cell again.")
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
    raise _Verdict(INCORRECT, f"{kind.__name__}: such an object cannot be checked; a number, text, list or dict can.")


def difference(got, expected) -> str:
    """Return how a plain value differs from the expected one, without telling the latter; empty if it does not."""
    kind, needed = (KINDS.get(type(value), "None") for value in (got, expected))
    if kind != needed:
        return f"{kind} was returned where {needed} is needed"
    if kind in ("a list", "a dict"):
        got, expected = (value if isinstance(value, dict) else dict(enumerate(value)) for value in (got, expected))
        if got.keys() != expected.keys():
            return f"{kind} of {len(got)} was returned, with entries missing or too many"
        return next((f"at [{k!r}], {found}" for k in expected if (found := difference(got[k], expected[k]))), "")
    number = kind == "a number"
    if repr(got) == repr(expected) or (number and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-9)):
        return ""
    return f"{reprlib.repr(got)} is {'not right' if not number else 'too high' if got > expected else 'too low'}"


def _call(function, *arguments):
    try:
        return function(*arguments)
    except BaseException as e:  # sys.exit and an interrupt end the learner's function, not the lesson
        file = getattr(getattr(function, "__code__", None), "co_filename", None)
        lines = [f"in line {f.lineno}: {f.line}" for f in traceback.extract_tb(e.__traceback__) if f.filename == file]
        raise _Verdict(CRASHED, " ".join([traceback.format_exception_only(e)[-1].strip(), *lines[-1:]])) from None


def _code(thing):
    """Return what tells functions apart by their code, wherever it stands; constants tell themselves apart."""
    if hasattr(code := getattr(thing, "__code__", thing), "co_code"):
        return code.co_code, code.co_names, code.co_varnames, [_code(constant) for constant in code.co_consts]
    return thing
