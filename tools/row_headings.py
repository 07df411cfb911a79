"""Row labels of a PDF's tables as row headings, for those who hear the page.

typst has pdf.header-cell for it, but only behind a switch that its Python package does not have.
So the finished PDF gets an update of its tags at its end; what is seen stays as it is.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator

from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject

# How handout.lua writes a table: headed-table is one whose first column has the names of its rows.
TABLE = re.compile(r"#(headed|data|text)-table\[")


def headed(text: str) -> list[bool]:
    """Return for each table of a typst text whether its rows have headings.

    >>> headed("#data-table[a] #headed-table[b]")
    [False, True]
    """
    return [kind == "headed" for kind in TABLE.findall(text)]


def tagged(node, kind: str) -> Iterator[DictionaryObject]:
    """Yield the elements of a kind in a PDF's tree of tags, in order."""
    node = node.get_object()
    if not isinstance(node, DictionaryObject):
        return
    if node.get("/S") == kind:
        yield node
    inside = node.get("/K", [])
    for child in inside if isinstance(inside, list) else [inside]:
        yield from tagged(child, kind)


def name_row(row: DictionaryObject) -> None:
    """Make the first cell of a row its heading."""
    cells = [cell.get_object() for cell in row["/K"]]
    for cell in cells:
        for attributes in (found.get_object() for found in cell["/A"]):
            if attributes["/O"] == "/Table":
                # A list of a cell's headings would hold those of its column alone; without one
                # the scopes tell.
                attributes.pop("/Headers", None)
                if cell is cells[0]:
                    attributes[NameObject("/Scope")] = NameObject("/Row")
    cells[0][NameObject("/S")] = NameObject("/TH")


def with_row_headings(pdf: bytes, headed: list[bool]) -> bytes:
    """Return a PDF in which the rows of some tables have headings; headed says which, in order."""
    if not any(headed):
        return pdf
    writer = PdfWriter(io.BytesIO(pdf), incremental=True)
    tables = tagged(writer.root_object["/StructTreeRoot"], "/Table")
    for table, has_headings in zip(tables, headed, strict=True):
        for body in tagged(table, "/TBody") if has_headings else ():
            for row in tagged(body, "/TR"):
                name_row(row)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()
