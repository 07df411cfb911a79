"""Tiny notebooks, most of them with faults planted, for the tests that each check can fail."""

from pathlib import Path

import nbformat
from nbformat import v4

from tools.notebooks import METADATA


def notebook(path: Path, *cells: str | tuple[str, str]) -> Path:
    """Write a notebook: a text is a markdown cell, a pair a code cell's source and what it has
    stored on stdout.
    """
    made = v4.new_notebook(metadata=METADATA)
    for cell in cells:
        if isinstance(cell, str):
            made.cells.append(v4.new_markdown_cell(cell))
        else:
            source, printed = cell
            outputs = [v4.new_output("stream", name="stdout", text=printed)] if printed else []
            made.cells.append(v4.new_code_cell(source, outputs=outputs, execution_count=1))
    nbformat.write(made, path)
    return path
