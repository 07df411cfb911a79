"""The lessons' figures as vectors, for print: each lesson is executed once more, drawing SVG, into
build/figures.

The stored notebooks hold PNG, which strict comparison skips; SVG it would compare. All else comes
from the stored notebook, and a picture must be described in the same words as there: no handout
shows a figure of other numbers. A lesson is executed again only when it, the package or matplotlib
has changed.
"""

import hashlib
import inspect
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import metadata
from multiprocessing import get_context
from pathlib import Path

import nbformat

from tools.notebooks import BuildError, execute, normalise

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = ROOT / "notebooks"
FIGURES = ROOT / "build" / "figures"
SVG, PNG = "image/svg+xml", "image/png"


def draw_svg() -> None:
    """Have a kernel draw its figures as SVG, the same file each time; runs in the kernel, before
    the first cell.

    Widgets store a PNG that they save themselves: what is saved so is saved as SVG too, and shown
    beside it.
    """
    import base64
    import io

    import matplotlib.pyplot as plt
    from IPython import get_ipython
    from matplotlib.figure import Figure

    shell, how = get_ipython(), {"bbox_inches": "tight", "metadata": {"Date": None}}
    # Without braces, in which a magic would look for variables.
    shell.run_line_magic("config", "InlineBackend.figure_formats = ['svg']")
    shell.run_line_magic(
        "config",
        "InlineBackend.print_figure_kwargs = dict(bbox_inches='tight', metadata=dict(Date=None))",
    )
    plt.rcParams["svg.hashsalt"] = "hpt"
    save, show, saved = Figure.savefig, shell.display_formatter.format, {}

    def savefig(figure, target, **options):
        save(figure, target, **options)
        if isinstance(target, io.BytesIO) and options.get("format") == "png":
            vectors = io.StringIO()
            save(figure, vectors, format="svg", **how)
            saved[base64.b64encode(target.getvalue()).decode()] = vectors.getvalue()

    def with_svg(*arguments, **options):
        data, metadata = show(*arguments, **options)
        if data.get("image/png") in saved:
            data["image/svg+xml"] = saved[data["image/png"]]
        return data, metadata

    Figure.savefig, shell.display_formatter.format = savefig, with_svg


def has_pictures(notebook: nbformat.NotebookNode) -> bool:
    """Say whether a notebook stores any picture."""
    return any(
        PNG in output.get("data", {})
        for cell in notebook.cells
        for output in cell.get("outputs", [])
    )


def described(cell: nbformat.NotebookNode) -> list[str]:
    """Return the descriptions of a cell's pictures, in order."""
    data = [output.get("data", {}) for output in cell.get("outputs", [])]
    return [bundle.get("text/plain", "") for bundle in data if PNG in bundle or SVG in bundle]


def merge(stored: nbformat.NotebookNode, drawn: nbformat.NotebookNode) -> None:
    """Put the SVG of one execution beside the PNG of the stored one, in place.

    Raises BuildError where a picture is described in other words than the stored one, or was not
    drawn as SVG.
    """
    for number, (old, new) in enumerate(zip(stored.cells, drawn.cells, strict=True)):
        if described(old) != described(new):
            raise BuildError(
                f"cell {number} now draws another picture than the stored one: run make notebooks"
            )
        vectors = [
            output.data
            for output in new.get("outputs", [])
            if {PNG, SVG} & set(output.get("data", {}))
        ]
        for output in old.get("outputs", []):
            if PNG in output.get("data", {}):
                bundle = vectors.pop(0)
                if SVG not in bundle:
                    raise BuildError(f"cell {number} stores a picture that was not drawn as SVG")
                output.data[SVG] = bundle[SVG]


def with_vectors(
    notebook: nbformat.NotebookNode, folder: Path = NOTEBOOKS
) -> nbformat.NotebookNode:
    """Return a copy of an executed notebook whose pictures are SVG too; executes it in `folder`."""
    drawn = nbformat.from_dict(notebook)
    setup = f"{inspect.getsource(draw_svg)}\ndraw_svg(); del draw_svg"
    drawn.cells.insert(0, nbformat.v4.new_code_cell(setup))
    execute(drawn, folder)
    normalise(drawn)
    del drawn.cells[0]
    result = nbformat.from_dict(notebook)
    merge(result, drawn)
    return result


def digest(lesson: Path) -> str:
    """Return what a lesson's figures are made from, in a short text: lesson, package, matplotlib,
    way of drawing.
    """
    total = hashlib.sha256(
        f"{metadata.version('matplotlib')}\0{inspect.getsource(draw_svg)}".encode()
    )
    for path in (lesson, *sorted((ROOT / "hpt_helpers").rglob("*.py"))):
        total.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def lesson_with_vectors(lesson: Path, figures: Path = FIGURES) -> Path:
    """Return the path of a stored lesson with its pictures as SVG, executing it where that was not
    done before.
    """
    kept = figures / f"{lesson.stem}-{digest(lesson)}.ipynb"
    if not kept.exists():
        notebook = nbformat.read(lesson, as_version=4)
        if has_pictures(notebook):
            try:
                notebook = with_vectors(notebook)
            except BuildError as error:
                raise BuildError(f"{lesson.name}: {error}") from None
        figures.mkdir(parents=True, exist_ok=True)
        for old in figures.glob(f"{lesson.stem}-*.ipynb"):
            old.unlink()
        part = kept.with_suffix(f".{os.getpid()}.part")
        part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
        part.replace(kept)
    return kept


def in_turn(function: Callable, items: list, at_once: int) -> list:
    """Return function(item) for each, some at once in processes of their own."""
    if at_once == 1:
        return [function(item) for item in items]
    # Spawned, because forking a process that has threads can hang, and newer Pythons warn of it.
    with ProcessPoolExecutor(max_workers=at_once, mp_context=get_context("spawn")) as pool:
        return list(pool.map(function, items))


def lessons_with_vectors(
    lessons: list[Path], *, figures: Path = FIGURES, at_once: int = 2
) -> list[Path]:
    """Return the paths of all lessons with their pictures as SVG, `at_once` at a time."""
    waiting = [
        path for path in lessons if not (figures / f"{path.stem}-{digest(path)}.ipynb").exists()
    ]
    if waiting:
        print(
            f"Drawing the figures of {', '.join(path.stem for path in waiting)}: "
            "a minute or two a lesson",
            flush=True,
        )
    in_turn(partial(lesson_with_vectors, figures=figures), waiting, at_once)
    return [lesson_with_vectors(path, figures) for path in lessons]
