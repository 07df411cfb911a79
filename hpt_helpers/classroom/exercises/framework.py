"""The kinds of exercise and their checks; the package's docstring says how to add an exercise."""

import copy
import html
import inspect
import math
import re
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
    read_answer,
    shown,
    shown_call,
)

MARKS = {CORRECT: "✔", INCORRECT: "✘", NOT_ATTEMPTED: "…", CRASHED: "!"}
FILLERS = {"and", "or", "because", "option", "reason"}  # words that may stand in a choice


class Wrong(NamedTuple):
    """A usual mistake: an answer, what a learner who gives it is told, and what it reveals to an
    instructor.
    """

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
        style = "border-left: 6px solid; padding-left: 0.8em; white-space: pre-wrap"
        return f'<div style="{style}">{html.escape(repr(self))}</div>'


@dataclass(repr=False)
class Exercise:
    """What every kind has.

    name, question: as in the lesson; praise: what is said when the answer is right.
    """

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
        except Verdict as verdict:
            outcome, message = verdict.args
        except BaseException:  # an object may raise anything while it is read
            outcome, message = (
                INCORRECT,
                "this object cannot be read; numbers, texts, lists and dicts can.",
            )
        self.outcome = CORRECT if self.outcome == CORRECT else outcome
        return Result(self.name, outcome, message)

    def hint(self) -> None:
        """Print the next hint; after the last one, the last one again."""
        self.n_hints_shown = n = min(self.n_hints_shown + 1, len(self.hints))
        print(f"Hint {n} of {len(self.hints)}: {self.hints[n - 1]}")

    def solution(self) -> None:
        """Print the solution, code that runs."""
        print(self._source())

    def _source(self) -> str:
        return inspect.getsource(self.solve).replace("_solution(", "(").rstrip()

    def _variable(self) -> str:
        return f"answer_{self.name.lstrip('q')}"


@dataclass(repr=False)
class Number(Exercise):
    """Predict a number: right within `tolerance` of solve(), in the number's own units."""

    tolerance: float = field(kw_only=True)

    def _judge(self, answer) -> None:
        value = read_answer(call(answer) if callable(answer) else answer)
        if isinstance(value, str) and re.fullmatch(r"\s*-?\d+(\.\d*)?\s*", value[:30]):
            value = float(value)
        if type(value) not in (int, float) or not math.isfinite(value):
            raise Verdict(INCORRECT, f"a number is needed; {shown(value)} is not one.")
        if abs(excess := value - self.solve()) > self.tolerance:
            near = [
                w for w in self.wrong if math.isclose(value, w.answer, rel_tol=0.02, abs_tol=1e-9)
            ]
            known = [w.message for w in sorted(near, key=lambda w: abs(w.answer - value))]
            side = "too high" if excess > 0 else "too low"
            words = [*known, f"{side}, by more than the {self.tolerance:g} that are allowed."][0]
            raise Verdict(INCORRECT, f"{shown(value)}: {words}")

    def solution(self) -> None:
        """Print the number and what computes it, code that runs."""
        print(f"{self._variable()} = {shown(self.solve())}  # computed by:\n\n{self._source()}")


@dataclass(repr=False)
class MultipleChoice(Exercise):
    """Choose and say why: an option's letter and a reason's number, such as "b2", ("b", 2) or "2,
    B".

    `wrong` has an entry for each wrong letter (whatever the reason) and, with the right letter, for
    each wrong reason.
    """

    def _judge(self, answer) -> None:
        if type(answer) in (set, frozenset):
            answer = sorted(answer, key=str)
        value = read_answer(call(answer) if callable(answer) else answer)
        if fault := self._malformed(parts := _parts(value)):
            example = f"write one letter of {', '.join(self._options('a-z'))} and one number of "
            example += f'{", ".join(self._options("0-9"))}, such as "a1"'
            raise Verdict(INCORRECT, f"{shown(value)}: {fault}; {example}.")
        letter, number = sorted(parts, reverse=True)
        if letter + number != (right := self.solve()):
            feedback = {
                w.answer if w.answer[0] == right[0] else w.answer[0]: w.message for w in self.wrong
            }
            place = f"reason {number}" if letter == right[0] else f"option {letter}"
            raise Verdict(
                INCORRECT,
                f"{place}: {feedback.get(letter + number) or feedback.get(letter, 'not right.')}",
            )

    def solution(self) -> None:
        """Print the answer with the option, the reason and what they teach, code that runs."""
        print(f'{self._variable()} = "{self.solve()}"')
        for mark in self.solve():
            [text] = re.findall(
                rf"- \*\*{mark}\*\* (.+?)(?=\n\s*(?:-|\n)|\Z)", self.question, re.DOTALL
            )
            print(f"# {mark}: {' '.join(text.split())}")
        print(f"# {self.praise}")

    def _options(self, kind: str) -> list[str]:
        return re.findall(rf"- \*\*([{kind}])\*\*", self.question)

    def _malformed(self, parts: list[str]) -> str:
        letters, numbers = [p for p in parts if p.isalpha()], [p for p in parts if not p.isalpha()]
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
    """Write or repair a function: right when it gives what `solve` gives on `cases()`, a list of
    argument tuples.

    explain(got, expected, *arguments): says in words what is wrong with one result; empty where it
    does not know. fault(results): judges all results instead, where more than one is right; empty
    where they are.
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
        if words := (self.fault or self._compared)(self._results(answer)):
            raise Verdict(INCORRECT, words)

    def _compared(self, got: list) -> str:
        expected = self._results(self.solve)
        failing = [i for i in range(len(got)) if difference(got[i], expected[i])]
        if not failing:
            return ""
        known = [w.message for w in self.wrong if self._gives(w.answer, got)]
        i, arguments = failing[0], copy.deepcopy(self.cases()[failing[0]])
        explained = known or [self.explain(got[i], expected[i], *arguments) if self.explain else ""]
        words = explained[0] or f"{difference(got[i], expected[i])}."
        if got[i] is None and None not in expected and any(result is not None for result in got):
            words = "None came back here, not elsewhere: is `return` reached, or does a loop end too early?"
        return f"{words}\n{self._call(arguments, f' returned {shown(got[i])}')}"

    def _gives(self, function, results: list) -> bool:
        try:
            return not difference(results, self._results(function))
        except Verdict:
            return False

    def _results(self, function) -> list:
        results = []
        for arguments in self.cases():
            try:
                results.append(read_answer(call(function, *copy.deepcopy(arguments))))
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


def _parts(value) -> list[str]:
    """Return the words and numbers that an answer to a choice is made of, in small letters, each
    once.
    """
    found = re.findall(
        r"[a-z]+|\d+(?:\.\d+)?", text.lower() if len(text := str(value)) <= 200 else ""
    )
    return [part for part in dict.fromkeys(found) if part not in FILLERS]


def _code(thing):
    """Return what tells functions apart by their code, wherever it stands; constants tell
    themselves apart.
    """
    if hasattr(code := getattr(thing, "__code__", thing), "co_code"):
        return (
            code.co_code,
            code.co_names,
            code.co_varnames,
            [_code(constant) for constant in code.co_consts],
        )
    return thing
