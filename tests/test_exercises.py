"""Every exercise of every lesson is proven, and stands in its lesson word for word."""

import ast
import copy
import functools
import inspect
import itertools
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from exercise_proofs import STRANGE, fresh, shortcomings

from hpt_helpers.classroom.exercises.framework import (
    CORRECT,
    CRASHED,
    INCORRECT,
    Exercise,
    Function,
    MultipleChoice,
)
from hpt_helpers.classroom.lessons import LESSONS

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"


def exercises_of(lesson):
    things = vars(lesson.module("exercises"))
    return {name: thing for name, thing in things.items() if isinstance(thing, Exercise)}


each_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.folder)
each_exercise = pytest.mark.parametrize(
    ("lesson", "name"),
    [
        pytest.param(lesson, name, id=f"{lesson.folder}-{name}")
        for lesson in LESSONS
        for name in exercises_of(lesson)
    ],
)


@each_exercise
def test_an_exercise_is_proven(lesson, name):
    exercise = exercises_of(lesson)[name]
    assert exercise.name == name
    assert shortcomings(exercise) == []


CODE = re.compile(r"\*\*|\[\w*:|\(-|[a-z_]{2,}\(|[a-z]\.[a-z]|[a-z]_[a-z]|\w = \w+\(")


@each_exercise
def test_code_in_a_hint_is_marked_and_no_hint_needs_a_slider(lesson, name):
    """In print, what is not marked as code is set as prose, and there is no slider."""
    for hint in exercises_of(lesson)[name].hints:
        assert not CODE.search(re.sub(r"`[^`]*`", "", hint)) and "slider" not in hint, hint


@each_exercise
def test_the_shown_solution_runs_by_itself_and_is_correct(lesson, name, capsys):
    exercise = fresh(exercises_of(lesson)[name])
    exercise.solution()
    code, namespace = capsys.readouterr().out, {}
    exec(code, namespace)
    shown = exercise.solve.__name__.removesuffix("_solution")
    if not isinstance(exercise, Function):
        shown = f"answer_{name[1:]}"
        assert code.startswith(f"{shown} = ")
    assert exercise.check(namespace[shown]).outcome == CORRECT
    if not isinstance(exercise, MultipleChoice):
        constants = [
            node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)
        ]
        assert not any(isinstance(value, str) and "\n" in value for value in constants), (
            "code kept as a string"
        )


@each_exercise
def test_a_choice_has_feedback_for_every_wrong_option_and_reason(lesson, name):
    exercise = exercises_of(lesson)[name]
    if not isinstance(exercise, MultipleChoice):
        return
    options = [re.findall(rf"- \*\*([{kind}])\*\*", exercise.question) for kind in ("a-z", "0-9")]
    letters, digits = options
    assert len(letters) >= 3 and len(digits) >= 2
    feedback = {wrong.answer: wrong.message for wrong in exercise.wrong}
    for letter, digit in itertools.product(letters, digits):
        result = fresh(exercise).check(letter + digit)
        if letter == exercise.solve()[0]:
            known = [feedback[letter + digit]] if letter + digit != exercise.solve() else []
        else:
            known = [message for answer, message in feedback.items() if answer[0] == letter]
        assert (result.outcome == CORRECT) == (not known)
        assert all(message in result.message for message in known[:1])


def test_no_two_choices_have_the_same_answer():
    """Once they were b1, b1, b2, b1: who had guessed one had guessed them all."""
    choices = [
        exercise.solve()
        for lesson in LESSONS
        for exercise in exercises_of(lesson).values()
        if isinstance(exercise, MultipleChoice)
    ]
    assert len(set(choices)) == len(choices) >= 5
    letters, numbers = (set(marks) for marks in zip(*choices, strict=True))
    assert len(letters) >= 3 and len(numbers) >= 3
    for one, following in itertools.pairwise(choices):
        assert one[0] != following[0] and one[1] != following[1]


@each_exercise
def test_a_functions_arguments_are_new_for_each_check(lesson, name):
    exercise = fresh(exercises_of(lesson)[name])
    if isinstance(exercise, Function):

        @functools.wraps(exercise.solve)
        def spoils_its_arguments(*arguments):
            result = exercise.solve(*copy.deepcopy(arguments))
            for argument in arguments:
                if isinstance(argument, list | dict):
                    argument.clear()
            return result

        assert [exercise.check(spoils_its_arguments).outcome for _ in range(2)] == [
            CORRECT,
            CORRECT,
        ]


@each_lesson
def test_a_lesson_has_at_least_three_exercises_and_shows_progress(lesson, capsys):
    lesson.module("exercises").progress()
    lines = capsys.readouterr().out.splitlines()
    names = list(exercises_of(lesson))
    assert len(names) >= 3 and names == [f"q{i}" for i in range(1, len(names) + 1)]
    assert [line.split(":")[0] for line in lines[:-1]] == names


# --- the lesson and its exercises agree -----------------------------------------------------------


@functools.cache
def cells_of(lesson):
    return nbformat.read(NOTEBOOKS / f"{lesson.stem}.ipynb", as_version=4).cells


@each_exercise
def test_the_lesson_holds_the_question_and_a_starter_cell_that_runs(lesson, name):
    exercise = exercises_of(lesson)[name]
    text = " ".join(
        "\n".join(c.source for c in cells_of(lesson) if c.cell_type == "markdown").split()
    )
    assert " ".join(exercise.question.split()) in text
    [cell] = [
        c for c in cells_of(lesson) if c.cell_type == "code" and f"ex.{name}.check(" in c.source
    ]
    checked = re.search(rf"^ex\.{name}\.check\((\w+)\)$", cell.source.rstrip().splitlines()[-1])[1]
    assert cell.outputs[-1].data["text/plain"] == repr(fresh(exercise).check(exercise.starter))
    if isinstance(exercise, Function):
        [starter] = ast.parse(inspect.getsource(exercise.starter)).body
        [written] = [
            node for node in ast.parse(cell.source).body if isinstance(node, ast.FunctionDef)
        ]
        assert f"{written.name}_starter" == starter.name == f"{checked}_starter"
        written.name = starter.name
        assert ast.dump(written) == ast.dump(starter)
    else:
        assert re.search(rf"^{checked} = \.\.\.", cell.source, re.MULTILINE)


@each_lesson
def test_the_lesson_ends_its_exercises_with_progress(lesson):
    assert any("ex.progress()" in c.source for c in cells_of(lesson) if c.cell_type == "code")


# --- no learner and no machine trips over them ---


@each_exercise
def test_no_object_makes_a_lessons_check_raise(lesson, name):
    exercise = fresh(exercises_of(lesson)[name])
    for strange in STRANGE.values():
        assert exercise.check(strange).outcome in {INCORRECT, CRASHED}


def test_exercises_import_neither_torch_nor_pandas_nor_pyplot():
    names = (f"hpt_helpers.classroom.{lesson.folder}.exercises" for lesson in LESSONS)
    code = f"import sys, {', '.join(names)}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"torch", "pandas", "matplotlib.pyplot"} & set(loaded)
