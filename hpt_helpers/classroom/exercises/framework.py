"""The kinds of exercise and their checks. The package's docstring says how to add an exercise."""

import copy
import html
import inspect
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from hpt_helpers.classroom.exercises.reading import (
    CORRECT,
    CRASHED,
    INCORRECT,
    NOT_ATTEMPTED,
    Verdict,
    call,
    difference,
    is_number,
    read_answer,
    shown,
    shown_call,
)

MARKS = {CORRECT: "✔", INCORRECT: "✘", NOT_ATTEMPTED: "…", CRASHED: "!"}
FILLERS = {"and", "or", "because", "option", "reason"}  # words that may stand in a choice
UNREADABLE = "this object cannot be read; numbers, texts, lists and dicts can."


class Wrong(NamedTuple):
    """A usual mistake: an answer, what its learner is told, and what it tells a teacher."""

    answer: Any
    message: str
    misconception: str


class Result(NamedTuple):
    """What `check` found: one of the four outcomes, and a message that says more."""

    name: str
    outcome: str
    message: str

    def __repr__(self) -> str:
        return f"{MARKS[self.outcome]} {self.name} {self.outcome}: {self.message}"

    def _repr_html_(self) -> str:
        style = "border-left: 6px solid; padding-left: 0.8em; white-space: pre-wrap"
        text = re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(repr(self)))
        return f'<div style="{style}">{text}</div>'


@dataclass(repr=False)
class Exercise(ABC):
    """What every kind has.

    name and question are those of the lesson. title says in a few words what the exercise is about,
    because says why the solution is right, and praise is what a right answer is told.
    """

    name: str
    title: str
    question: str
    solve: Callable
    because: str
    hints: Sequence[str]
    wrong: Sequence[Wrong]
    praise: str
    outcome: str = field(default=NOT_ATTEMPTED, init=False)  # of the last check; correct stays
    n_hints_shown: int = field(default=0, init=False)
    starter: ClassVar[Any] = ...

    def __repr__(self) -> str:
        return f"{self.name}: {self.outcome}"

    def check(self, answer) -> Result:
        """Judge an answer from a copy of it. Never raises, whatever the object."""
        try:
            self._judge(answer)
            outcome, message = CORRECT, self.praise
        except Verdict as verdict:
            outcome, message = verdict.args
        except BaseException:  # an object may raise anything while it is read
            outcome, message = INCORRECT, UNREADABLE
        if self.outcome != CORRECT:
            self.outcome = outcome
        return Result(self.name, outcome, message)

    @abstractmethod
    def _judge(self, answer) -> None:
        """Raise a Verdict unless the answer is right."""

    def hint(self) -> None:
        """Print the next hint, and after the last one the last one again."""
        self.n_hints_shown = min(self.n_hints_shown + 1, len(self.hints))
        n = self.n_hints_shown
        print(f"Hint {n} of {len(self.hints)}: {self.hints[n - 1]}")

    def solution(self) -> None:
        """Print the solution, code that runs."""
        print(self.solution_code())

    def solution_code(self) -> str:
        """Return the solution, code that runs."""
        return inspect.getsource(self.solve).replace("_solution(", "(").rstrip()

    def _variable(self) -> str:
        return f"answer_{self.name.lstrip('q')}"


@dataclass(repr=False)
class Number(Exercise):
    """Predict a number: right within `tolerance` of solve(), in the number's own units."""

    tolerance: float = field(kw_only=True)

    def _judge(self, answer) -> None:
        value = _read(answer, as_number=True)
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", value[:30]):
            value = float(value)
        if not is_number(value) or not math.isfinite(value):
            raise Verdict(INCORRECT, f"a number is needed; {shown(value)} is not one.")
        if abs(value - self.solve()) > self.tolerance:
            raise Verdict(INCORRECT, f"{shown(value)}: {self._feedback(value)}")

    def _feedback(self, value: float) -> str:
        """Return what the nearest usual mistake is told, or else on which side the value lies."""
        nearest = min(self.wrong, key=lambda wrong: abs(wrong.answer - value))
        if math.isclose(value, nearest.answer, rel_tol=0.02, abs_tol=1e-9):
            return nearest.message
        side = "too high" if value > self.solve() else "too low"
        return f"{side}, by more than the {self.tolerance:g} that are allowed."

    def solution_code(self) -> str:
        """Return the number and what computes it, code that runs."""
        number = f"{self._variable()} = {shown(self.solve())}"
        return f"{number}  # computed by:\n\n{super().solution_code()}"


@dataclass(repr=False)
class MultipleChoice(Exercise):
    """Choose and say why: an option's letter and a reason's number, such as "b2" or ("b", 2).

    `wrong` has an entry for each wrong letter, whatever its reason, and with the right letter one
    for each wrong reason.
    """

    def _judge(self, answer) -> None:
        if type(answer) in (set, frozenset):
            answer = sorted(answer, key=str)
        value = _read(answer)
        parts = _parts(value)
        if fault := self._malformed(parts):
            letters, numbers = ", ".join(self._options("a-z")), ", ".join(self._options("0-9"))
            example = f'write one letter of {letters} and one number of {numbers}, such as "a1"'
            raise Verdict(INCORRECT, f"{shown(value)}: {fault}; {example}.")
        letter, number = sorted(parts, reverse=True)
        right_letter, right_number = self.solve()
        if letter != right_letter:
            raise Verdict(INCORRECT, f"option {letter}: {self._feedback(letter)}")
        if number != right_number:
            raise Verdict(INCORRECT, f"reason {number}: {self._feedback(letter + number)}")

    def _feedback(self, choice: str) -> str:
        return next(wrong.message for wrong in self.wrong if wrong.answer.startswith(choice))

    def solution_code(self) -> str:
        """Return the answer, with its option and its reason as comments, code that runs."""
        lines = [f'{self._variable()} = "{self.solve()}"']
        for mark in self.solve():
            item = rf"- \*\*{mark}\*\* (.+?)(?=\n\s*(?:-|\n)|\Z)"
            [text] = re.findall(item, self.question, re.DOTALL)
            lines.append(f"# {mark}: {' '.join(text.split())}")
        return "\n".join([*lines, f"# {self.praise}"])

    def _options(self, kind: str) -> list[str]:
        return re.findall(rf"- \*\*([{kind}])\*\*", self.question)

    def _malformed(self, parts: list[str]) -> str:
        letters = [part for part in parts if part.isalpha()]
        numbers = [part for part in parts if not part.isalpha()]
        if any(set(part) - set(self._options("a-z")) for part in letters if len(part) > 1):
            return "a letter is asked for, and no word"
        for kind, name, found in (("a-z", "letter", letters), ("0-9", "number", numbers)):
            if not found:
                return f"the {name} is missing"
            if len(found) > 1 or len(found[0]) > 1:
                return f"more than one {name}"
            if found[0] not in self._options(kind):
                return f"{found[0]} is none of them"
        return ""


@dataclass(repr=False)
class Function(Exercise):
    """Write or repair a function: right when it gives what `solve` gives on each of `cases()`.

    cases returns a list of argument tuples. explain(got, expected, *arguments) says in words what
    is wrong with one result, and returns an empty text where it does not know. Where more than one
    result is right, fault(results) judges all of them instead, and returns an empty text where they
    are right.
    """

    starter: Callable = field(kw_only=True)
    cases: Callable[[], list[tuple]] = field(kw_only=True)
    explain: Callable[..., str] | None = field(kw_only=True, default=None)
    fault: Callable[[list], str] | None = field(kw_only=True, default=None)

    def _judge(self, answer) -> None:
        if answer is ... or (hasattr(answer, "__code__") and _code(answer) == _code(self.starter)):
            read_answer(...)
        if not callable(answer):
            raise Verdict(INCORRECT, "a function is needed: give its name, without brackets.")
        words = self.fault(self._results(answer)) if self.fault else self._compared(answer)
        if words:
            raise Verdict(INCORRECT, words)

    def _compared(self, answer: Callable) -> str:
        """Return what is wrong with the first result that is not right, and the call it is of."""
        expected = self._results(self.solve)
        got = self._results(answer, numbers=[is_number(value) for value in expected])
        for i, arguments in enumerate(self.cases()):
            if difference(got[i], expected[i]):
                words = self._explained(got, expected, i)
                return f"{words}\n{self._call(arguments, f' returned {shown(got[i])}')}"
        return ""

    def _explained(self, got: list, expected: list, i: int) -> str:
        """Return the first words that fit, from a lost `return` to what `difference` says."""
        if got[i] is None and None not in expected and any(value is not None for value in got):
            return (
                "None came back here, not elsewhere: is `return` reached, "
                "or does a loop end too early?"
            )
        for wrong in self.wrong:
            if self._gives(wrong.answer, got):
                return wrong.message
        if self.explain and (words := self.explain(got[i], expected[i], *self.cases()[i])):
            return words
        return f"{difference(got[i], expected[i])}."

    def _gives(self, function: Callable, results: list) -> bool:
        try:
            return not difference(results, self._results(function))
        except Verdict:
            return False

    def _results(self, function: Callable, numbers: Sequence[bool] = ()) -> list:
        """Return what the function gives on each case.

        numbers says for each case whether a number is expected.
        """
        results = []
        for i, arguments in enumerate(self.cases()):
            try:
                value = call(function, *copy.deepcopy(arguments))
                results.append(read_answer(value, as_number=bool(numbers) and numbers[i]))
            except Verdict as verdict:
                outcome, words = verdict.args
                if outcome == CRASHED:
                    words += f"\nThat was {self._call(arguments)}"
                raise Verdict(outcome, words) from None
        return results

    def _call(self, arguments: tuple, then: str = "") -> str:
        name = self.starter.__name__.removesuffix("_starter")
        return shown_call(name, list(inspect.signature(self.starter).parameters), arguments, then)


def show_progress(*exercises: Exercise) -> None:
    """Print the outcome of each exercise in this kernel."""
    print(*exercises, sep="\n")
    print(f"{sum(e.outcome == CORRECT for e in exercises)} of {len(exercises)} done")


def _read(answer, *, as_number: bool = False):
    """Return the value that an answer is, or that a function without arguments returns."""
    return read_answer(call(answer) if callable(answer) else answer, as_number=as_number)


def _parts(value) -> list[str]:
    """Return the words and numbers of an answer to a choice, in small letters and each once."""
    text = str(value).lower()
    if len(text) > 200:
        return []
    found = re.findall(r"[a-z]+|\d+(?:\.\d+)?", text)
    return [part for part in dict.fromkeys(found) if part not in FILLERS]


def _code(thing):
    """Return what tells a function's code from others', wherever it stands in a file."""
    code = getattr(thing, "__code__", thing)
    if not hasattr(code, "co_code"):
        return code
    constants = [_code(constant) for constant in code.co_consts]
    return code.co_code, code.co_names, code.co_varnames, constants
