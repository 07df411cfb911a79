"""What docs/instructor_guide.md calls safe to change live is changed here, and the lesson goes on
from there.

A lesson is run as it is; then each edit is made in the same kernel, as in front of a class. Of the
cells from there on those run that depend on it: that use a name which the edited cell, or one that
depends on it, has given a value. The others cannot change, as no cell spoils another. An edit of
every cell runs all of it, in a fresh kernel.

No cell may raise (so all asserts hold) or write to stderr, but for the warning of a second look at
the test rows. And what a lesson prints as True, because its text relies on it, may not become
False.
"""

import copy
import re

import nbformat.v4 as nb
import pytest
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

from hpt_helpers.classroom.lessons import LESSONS
from tools.build_notebooks import NOTEBOOKS, SOURCES
from tools.dependents import dependents
from tools.guide_tables import GUIDE, Edit, edited, edits
from tools.notebooks import kernel_client, output_texts, source_to_notebook

# the longest first
SOURCES_OF_LESSONS = [SOURCES / f"{lesson.stem}.py" for lesson in reversed(LESSONS)]
SECOND_LOOK = "a second look turns the test score into a choice"


def faults(cell, before=""):
    """Return what is wrong with a cell's outputs; before: what it printed as the lesson has it."""
    errors = [
        o.text for o in cell.outputs if o.get("name") == "stderr" and SECOND_LOOK not in o.text
    ]
    text = printed(cell)
    if (
        re.search(r"\bTrue\b", before)
        and not re.search(r"\bFalse\b", before)
        and re.search(r"\bFalse\b", text)
    ):
        errors.append(f"True is now False: {text}")
    return errors


def printed(cell):
    return "\n".join(text for output in cell.get("outputs", []) for text in output_texts(output))


def code_of(notebook):
    """Return the notebook's code cells by their number."""
    return {number: cell for number, cell in enumerate(notebook.cells) if cell.cell_type == "code"}


def run(client, cells, changed, before):
    """Run cells, by number, in the client's kernel, some with a changed source; return what is
    wrong.

    before: the cells as the lesson has them, with what they printed.
    """
    wrong = []
    for number, cell in cells.items():
        cell = copy.deepcopy(cell)
        cell.source = changed.get(number, cell.source)
        where = f"cell {number} ({cell.source.splitlines()[0]})"
        try:
            client.execute_cell(cell, number)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            return [*wrong, f"{where} raises: {str(error)[-1500:]}"]
        wrong += [f"{where}: {fault}" for fault in faults(cell, printed(before[number]))]
        client.nb.cells[number] = cell
    return wrong


def in_turn(notebook, changes):
    """Run a lesson, then make each of these edits in the same kernel; yield each edit and what is
    wrong with it.
    """
    client, stale = kernel_client(copy.deepcopy(notebook), NOTEBOOKS), {}
    sources = {number: cell.source for number, cell in code_of(notebook).items()}
    with client.setup_kernel():
        wrong = run(client, code_of(notebook), {}, code_of(notebook))
        assert wrong == [], "the lesson as it is"
        as_it_is = code_of(copy.deepcopy(client.nb))
        for edit in changes:
            changed = edited(notebook, edit)
            running = dependents(sources, changed, stale)
            stale |= running
            yield (
                edit,
                run(client, {number: as_it_is[number] for number in running}, changed, as_it_is),
            )


def everywhere(notebook, edit):
    """Run a lesson with an edit of every cell, in a fresh kernel; return what is wrong."""
    client = kernel_client(copy.deepcopy(notebook), NOTEBOOKS)
    with client.setup_kernel():
        return run(client, code_of(notebook), edited(notebook, edit), code_of(notebook))


@pytest.mark.parametrize("source", SOURCES_OF_LESSONS, ids=lambda path: path.stem)
def test_nothing_raises_or_contradicts_itself_after_an_edit(source):
    notebook = source_to_notebook(source)
    found = edits(GUIDE.read_text(encoding="utf-8"), int(source.stem[:2]))
    wrong = [
        (edit, faults)
        for edit, faults in in_turn(notebook, [e for e in found if e.anchor])
        if faults
    ]
    wrong += [
        (edit, faults)
        for edit in found
        if not edit.anchor and (faults := everywhere(notebook, edit))
    ]
    assert wrong == []


# --- each fault is found --------------------------------------------------------------------------

SMALL = nb.new_notebook(
    cells=[
        nb.new_markdown_cell("# Small\n\nText.\n\n## One step"),
        nb.new_code_cell("a = 1"),
        nb.new_code_cell("b = a + 1"),
        nb.new_code_cell("c = 5"),
        nb.new_markdown_cell("## The claims"),
        nb.new_code_cell("print(b == 2)\nassert c < 9"),
        nb.new_code_cell("import sys\nif a > 6: sys.stderr.write('hm')"),
    ]
)
CHANGES = {
    ("One-step", "a = 1", "a = 1.0"): "",
    ("One-step", "c = 5", "c = 7"): "",
    ("One-step", "c = 5", "c = 9"): "cell 5 (print(b == 2)) raises",
    ("One-step", "a = 1", "a = 3"): "True is now False",
    ("The-claims", "a > 6", "a > 2"): "",  # a is 1 again
    ("The-claims", "a > 6", "a > 0"): "hm",
    ("", "5", "10"): "raises",
}


def test_each_fault_of_an_edit_is_found():
    """In turn in one kernel: what an edit left behind does not touch the next one."""
    local = [Edit(*change) for change in CHANGES if change[0]]
    found = {tuple(edit): wrong for edit, wrong in in_turn(SMALL, local)}
    found |= {change: everywhere(SMALL, Edit(*change)) for change in CHANGES if not change[0]}
    for change, fault in CHANGES.items():
        assert (fault in "".join(found[change])) if fault else found[change] == [], change
