"""The framework: four outcomes whatever it is given, words that help, no answer changed."""

import copy
import inspect
import math
import re

import hypothesis.strategies as st
import numpy as np
import pandas as pd
import pytest
import torch
from exercise_proofs import STRANGE, shortcomings
from hypothesis import given, settings

from hpt_helpers.classroom.exercises.answer_key import solutions
from hpt_helpers.classroom.exercises.framework import (
    CORRECT,
    CRASHED,
    INCORRECT,
    NOT_ATTEMPTED,
    Function,
    MultipleChoice,
    Number,
    Wrong,
    show_progress,
)
from hpt_helpers.classroom.exercises.reading import difference, shown_call
from hpt_helpers.classroom.lesson_01 import exercises as lesson_01

OUTCOMES = {CORRECT, INCORRECT, NOT_ATTEMPTED, CRASHED}


def double_starter(x):
    return ...


def double_solution(x):
    return 2 * x


def add_starter(x):
    return [x + value for value in (1, 2)]


def add_solution(x):
    return [x + value for value in (1, 3)]


def function_exercise(**changes):
    given = dict(
        name="q1",
        title="Twice",
        because="Two is twice one.",
        question="Double it.",
        solve=double_solution,
        hints=["Twice.", "x + x."],
        praise="Twice as much.",
        starter=double_starter,
        cases=lambda: [(1,), (2,), (5,)],
        wrong=[
            Wrong(lambda x: x, "as it was", "identity"),
            Wrong(lambda x: x * x, "squared", "power for product"),
        ],
    )
    return Function(**given | changes)


def number_exercise(**changes):
    given = dict(
        name="q2",
        title="Half",
        because="It is.",
        question="How many?",
        solve=lambda: 0.5,
        hints=["Half.", "1 / 2."],
        praise="Half.",
        tolerance=0.1,
        wrong=[Wrong(2, "upside down", "inverse"), Wrong(0, "some are left", "rounds down")],
    )
    return Number(**given | changes)


def choice_exercise(**changes):
    given = dict(
        name="q3",
        title="Cold or hot",
        because="It is.",
        question="- **a** yes\n- **b** no\n- **1** cold\n- **2** hot",
        solve=lambda: "b2",
        hints=["Feel.", "Think."],
        praise="So it is.",
        wrong=[Wrong("a2", "not yes", "yes"), Wrong("b1", "not cold", "cold")],
    )
    return MultipleChoice(**given | changes)


EACH_KIND = [function_exercise, number_exercise, choice_exercise]
each_kind = pytest.mark.parametrize("make", EACH_KIND)


@each_kind
def test_a_good_exercise_of_each_kind_has_no_shortcomings(make):
    assert shortcomings(make()) == []


@pytest.mark.parametrize(
    ("exercise", "found"),
    [
        (function_exercise(starter=lambda x: x + x), "the starter is correct as it stands"),
        (function_exercise(solve=lambda x: ...), "the solution is not correct"),
        (
            function_exercise(wrong=[Wrong(lambda x: x, "as it was", "identity")]),
            "fewer than two wrong answers",
        ),
        (function_exercise(cases=lambda: [(0,), (2,)]), "wrong answer 1 is correct"),
        (
            number_exercise(wrong=[Wrong(0.45, "low", "m"), Wrong(2, "high", "m")]),
            "wrong answer 0 is correct",
        ),
        (
            number_exercise(wrong=[Wrong(3, "same", "m"), Wrong(2, "same", "m")]),
            "two wrong answers are told the same",
        ),
        (
            number_exercise(wrong=[Wrong(3, "high", " "), Wrong(2, "low", "m")]),
            "without the misconception",
        ),
        (choice_exercise(hints=["Feel."]), "not two or three hints"),
        (choice_exercise(praise=""), "no praise"),
        (choice_exercise(because=" "), "no because"),
        (
            choice_exercise(
                wrong=[Wrong("a2", "x", "m"), Wrong("b1", "y", "m"), Wrong("a1", "z", "m")]
            ),
            "told something",
        ),
    ],
)
def test_an_exercise_that_lacks_something_is_found(exercise, found):
    assert any(found in line for line in shortcomings(exercise)), shortcomings(exercise)


def test_an_edited_faulty_function_is_judged_and_an_unchanged_one_is_not():
    exercise = function_exercise(starter=add_starter, solve=add_solution)
    moved = "\n\n\n" + inspect.getsource(add_starter).replace("add_starter", "add")
    edited = moved.replace("(1, 2)", "(1, 4)")
    outcomes = []
    for source in (
        moved,
        edited,
        edited.replace("4", "3"),
        moved.replace("x + value", "x - value"),
    ):
        namespace = {}
        exec(source, namespace)
        outcomes.append(exercise.check(namespace["add"]).outcome)
    assert outcomes == [NOT_ATTEMPTED, INCORRECT, CORRECT, INCORRECT]


def test_a_crash_shows_the_learners_line_and_neither_the_frameworks_nor_the_librarys():
    def divides(x):
        total = x
        return math.sqrt(-total)

    result = function_exercise().check(divides)
    assert result.outcome == CRASHED
    line = inspect.getsourcelines(divides)[1] + 2
    error, call = result.message.splitlines()
    assert error.startswith("ValueError: ") and error.endswith(
        f"in line {line}: return math.sqrt(-total)"
    )
    assert call == "That was double(x=1)"


@pytest.mark.parametrize(
    "ends", [SystemExit, KeyboardInterrupt, GeneratorExit, RecursionError, MemoryError]
)
def test_whatever_a_function_raises_ends_only_the_function(ends):
    def raises(*arguments):
        raise ends

    assert {make().check(raises).outcome for make in EACH_KIND} == {CRASHED}


def test_a_returned_ellipsis_anywhere_is_not_attempted():
    exercise = function_exercise()
    assert exercise.check(lambda x: [1, {"a": ...}]).outcome == NOT_ATTEMPTED
    assert exercise.check(...).outcome == NOT_ATTEMPTED


@pytest.mark.parametrize(
    ("got", "expected", "words"),
    [
        (
            None,
            1,
            "None came back where a number is needed: "
            "the function has to `return` it; print returns nothing",
        ),
        (True, 1, "True or False was returned where a number is needed"),
        ([1], [1, 2], "a list of 1 was returned, with entries missing or too many"),
        ([1, 3], [1, 2], "at [1], 3 is not right"),
        ({"a": 1.0}, {"a": 2.0}, "at ['a'], 1.0 is not right"),
        ({"b": 1}, {"a": 1}, "a dict of 1 was returned, with entries missing or too many"),
        ("x", "y", "'x' is not right"),
        (0.1 + 0.2, 0.3, ""),
        (2.0, 2, ""),
        (math.nan, math.nan, ""),
        ([["a", None, False]], [["a", None, False]], ""),
    ],
)
def test_a_difference_says_what_differs(got, expected, words):
    assert difference(got, expected) == words


@pytest.mark.parametrize("kind", [tuple, np.array, pd.Series, pd.Index, torch.tensor])
def test_lists_of_other_libraries_are_taken_for_what_they_are(kind):
    exercise = function_exercise(starter=add_starter, solve=add_solution)
    assert exercise.check(lambda x: kind(add_solution(x))).outcome == CORRECT
    assert exercise.check(lambda x: kind(add_starter(x + 1))).outcome == INCORRECT


def test_a_message_shows_the_first_input_that_fails_and_what_came_back():
    def explain(got, expected, x):
        return f"{x} doubled is more than {got}." if got < expected else ""

    exercise = function_exercise(explain=explain)
    assert (
        exercise.check(lambda x: min(2 * x, 3)).message
        == "2 doubled is more than 3.\ndouble(x=2) returned 3"
    )
    assert (
        exercise.check(lambda x: 2 * max(x, 2)).message == "4 is not right.\ndouble(x=1) returned 4"
    )
    # a usual mistake goes before
    assert exercise.check(lambda x: x).message == "as it was\ndouble(x=1) returned 1"


def test_a_list_too_long_for_a_line_stands_below_an_entry_a_line():
    rows = [
        {"name": "a" * 20, "lr": 0.1},
        {"name": "b" * 20, "lr": math.nan},
        {"name": "c" * 20, "lr": 1.0},
    ]
    assert shown_call("best", ["rows", "n"], [rows, 2], " returned 0") == (
        "best(rows, n=2) returned 0 with rows =\n"
        "    0: {'name': 'aaaaaaaaaaaaaaaaaaaa', 'lr': 0.1}\n"
        "    1: {'name': 'bbbbbbbbbbbbbbbbbbbb', 'lr': nan}\n"
        "    2: {'name': 'cccccccccccccccccccc', 'lr': 1.0}"
    )


def test_a_fault_judges_all_results_at_once_so_that_more_than_one_can_be_right():
    exercise = function_exercise(
        fault=lambda results: "" if len(set(results)) == 3 else "some are equal"
    )
    assert exercise.check(lambda x: -x).outcome == CORRECT
    assert exercise.check(lambda x: 0)[1:] == (INCORRECT, "some are equal")


def test_hints_come_one_at_a_time_and_the_last_one_stays(capsys):
    exercise = number_exercise()
    for _ in range(3):
        exercise.hint()
    assert capsys.readouterr().out.splitlines() == [
        "Hint 1 of 2: Half.",
        "Hint 2 of 2: 1 / 2.",
        "Hint 2 of 2: 1 / 2.",
    ]


def test_progress_keeps_what_was_right_once(capsys):
    q1, q2, q3 = function_exercise(), number_exercise(), choice_exercise()
    q1.check(double_solution), q1.check(lambda x: x), q2.check(7)
    show_progress(q1, q2, q3)
    assert capsys.readouterr().out.splitlines() == [
        "q1: correct",
        "q2: incorrect",
        "q3: not attempted",
        "1 of 3 done",
    ]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=60)
@given(PLAIN)
def test_check_never_changes_its_answer(answer):
    before = copy.deepcopy(answer)
    outcomes = {make().check(answer).outcome for make in EACH_KIND}
    outcomes |= {function_exercise().check(lambda x: answer).outcome}
    assert outcomes <= OUTCOMES and repr(answer) == repr(before)


def test_a_function_that_spoils_its_arguments_spoils_copies():
    shared = [([1, 2],), ([3],)]
    exercise = function_exercise(solve=sum, starter=add_starter, cases=lambda: shared)
    assert exercise.check(lambda values: sum(values) + len(values.clear() or [])).outcome == CORRECT
    assert shared == [([1, 2],), ([3],)]


# --- what answers are read as ---------------------------------------------------------------------

ONE = [np.array([4]), np.array([[4]]), pd.Series([4]), torch.tensor([4])]
SCALARS = [np.float64(4), np.array(4), torch.tensor(4), 4.0]


@pytest.mark.parametrize("four", SCALARS + ONE, ids=lambda value: repr(value).replace("\n", " "))
def test_a_number_may_come_in_another_librarys_wrapping(four):
    exercise = function_exercise(cases=lambda: [(2,)])
    assert exercise.check(lambda x: four).outcome == CORRECT
    assert exercise.check(lambda x: four + 1).outcome == INCORRECT
    assert number_exercise(solve=lambda: 4).check(four).outcome == CORRECT


def test_an_array_of_one_stays_a_list_where_a_list_is_needed():
    exercise = function_exercise(solve=lambda x: [2 * x])
    assert exercise.check(lambda x: np.array([2 * x])).outcome == CORRECT
    assert function_exercise().check(lambda x: [2 * x]).outcome == INCORRECT


@pytest.mark.parametrize(
    ("answer", "outcome", "words"),
    [
        (0.4, CORRECT, "Half."),
        (0.6, CORRECT, "Half."),
        (" 0.5 ", CORRECT, "Half."),
        (lambda: 0.5, CORRECT, "Half."),
        (0.39, INCORRECT, "0.39: too low, by more than the 0.1 that are allowed."),
        (0.61, INCORRECT, "0.61: too high"),
        (1.99, INCORRECT, "1.99: upside down"),
        (1.9, INCORRECT, "1.9: too high"),
        (0, INCORRECT, "0: some are left"),
        (math.nan, INCORRECT, "a number is needed; nan is not one."),
        (math.inf, INCORRECT, "a number is needed; inf is not one."),
        (True, INCORRECT, "a number is needed; True is not one."),
        ("many", INCORRECT, "a number is needed; 'many' is not one."),
        ([0.5], INCORRECT, "a number is needed; [0.5] is not one."),
        (None, INCORRECT, "a number is needed; None is not one."),
        (0.5j, INCORRECT, "complex: such an object cannot be checked"),
        (max, CRASHED, "TypeError"),
    ],
)
def test_a_number_is_right_up_to_its_tolerance_and_else_told_why(answer, outcome, words):
    result = number_exercise(tolerance=0.1 + 1e-12).check(answer)
    assert result.outcome == outcome and words in result.message


TEXTS = [
    "b2",
    " B2 ",
    "2b",
    "b, 2",
    "2 B",
    "b2.",
    "**b** **2**",
    "b because 2",
    "option b, reason 2",
]
OTHERS = [("b", 2), [2, "B"], {"b": 2}, {"b", 2}, np.str_("b2"), pd.Series(["b", 2]), lambda: "b2"]


@pytest.mark.parametrize("answer", TEXTS + OTHERS, ids=range(len(TEXTS + OTHERS)))
def test_a_choice_may_be_written_in_other_ways(answer):
    assert choice_exercise().check(answer).outcome == CORRECT


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("a1", "option a: not yes"),
        (("a", 2), "option a: not yes"),
        ("b1", "reason 1: not cold"),
        ("b", "the number is missing; write one letter of a, b and one number of 1, 2"),
        (2, "2: the letter is missing"),
        ("", "the letter is missing"),
        ("d1", "d is none of them"),
        ("b4", "4 is none of them"),
        ("ab1", "more than one letter"),
        ("b12", "more than one number"),
        ("a1 or b1", "more than one letter"),
        ("b1, b2", "more than one number"),
        ("it is hot", "a letter is asked for, and no word"),
        (None, "a letter is asked for, and no word"),
        ("b2" * 101, "the letter is missing"),
        (3.5, "the letter is missing"),
        (max, "TypeError"),
    ],
)
def test_a_choice_that_is_wrong_or_none_is_told_why(answer, words):
    result = choice_exercise().check(answer)
    assert result.outcome != CORRECT and words in result.message


# --- what is shown --------------------------------------------------------------------------------


def test_solutions_are_code_that_begins_with_the_answer(capsys):
    choice_exercise().solution()
    assert capsys.readouterr().out.splitlines() == [
        'answer_3 = "b2"',
        "# b: no",
        "# 2: hot",
        "# So it is.",
    ]
    number_exercise().solution()
    assert capsys.readouterr().out.startswith("answer_2 = 0.5  # computed by:\n")


def test_the_answer_key_has_each_solution_of_a_lesson_with_its_because():
    found = solutions("01")
    assert [solution.number for solution in found] == [1, 2, 3, 4]
    assert found[1].title == lesson_01.q2.title and found[1].because == lesson_01.q2.because
    assert found[1].code.startswith('answer_2 = "') and "def winner(trials):" in found[0].code
    with pytest.raises(ValueError, match="lesson is '09'; '01' to '05' have exercises"):
        solutions("09")


def test_a_result_is_shown_as_text_and_as_html():
    result = function_exercise().check(lambda x: "<b>")
    words = "a text was returned where a number is needed."
    assert repr(result) == f"✘ q1 incorrect: {words}\ndouble(x=1) returned '<b>'"
    assert "&lt;b&gt;" in result._repr_html_() and "<b>" not in result._repr_html_()
    # backticks once stood there as they are
    helped = function_exercise().check(lambda x: None)
    assert "has to <code>return</code> it" in helped._repr_html_() and "`return`" in repr(helped)
    exercise = choice_exercise()
    exercise.check("a2")
    assert repr(exercise) == "q3: incorrect"  # without its answers


# --- nothing trips it -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", STRANGE)  # by name: pytest trips over some of the objects itself
def test_no_object_makes_check_raise(name):
    for make in EACH_KIND:
        result = make().check(STRANGE[name])
        assert repr(result) == repr(make().check(STRANGE[name]))
        assert not re.search(r"0x[0-9a-f]{6}", repr(result)) and len(repr(result)) < 400
        assert result.outcome in {INCORRECT, CRASHED}


def test_check_leaves_a_generator_an_array_and_a_table_as_they_were():
    generator, array, table = (i for i in range(3)), np.arange(3.0), pd.DataFrame({"a": [1, 2]})
    for make in EACH_KIND:
        for answer in (generator, array, table):
            make().check(answer)
            make().check(lambda *a, answer=answer: answer)
    assert list(generator) == [0, 1, 2] and array.tolist() == [0, 1, 2]
    assert table.equals(pd.DataFrame({"a": [1, 2]}))
