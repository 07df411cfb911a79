"""The handouts as web pages: one file a lesson that brings all it needs along, and an index."""

from __future__ import annotations

import base64
import html
import re
from pathlib import Path
from string import Template

from tools.handout_text import BOOK, EDITIONS, PAPERS, TITLE

TEMPLATES = Path(__file__).resolve().parents[1] / "handouts"
ABOUT = "The text may be shared and changed under CC BY 4.0, the code under the BSD licence."


def embedded(body: str, figures: dict[str, str]) -> str:
    """Return a page's HTML with the SVG of each figure in place of its file name."""

    def data(match: re.Match) -> str:
        return f'src="data:image/svg+xml;base64,{base64.b64encode(figures[match[1]].encode()).decode()}"'

    return re.sub(r'src="([^":]+\.svg)"', data, body)


def contents(body: str) -> str:
    """Return a closed list of the page's second headings; they have names already."""
    items = re.findall(r'<h2[^>]*\bid="([^"]+)"[^>]*>(.*?)</h2>', body, re.S)
    links = "\n".join(
        f'<li><a href="#{name}">{re.sub("<[^>]+>", "", text)}</a></li>' for name, text in items
    )
    lists = f'<nav class="contents" aria-label="On this page"><ul>\n{links}\n</ul></nav>'
    return f"<details><summary>On this page</summary><div>{lists}</div></details>"


def neighbours(stem: str, titles: dict[str, str]) -> str:
    """Return the links to the index and to the pages before and after."""
    order = [*titles]
    position = order.index(stem)
    links = ['<a href="index.html">All lessons</a>']
    links += [
        f'<a href="{order[position - 1]}.html">← {html.escape(titles[order[position - 1]])}</a>'
    ] * (position > 0)
    if position + 1 < len(order):
        links.append(
            f'<a href="{order[position + 1]}.html">{html.escape(titles[order[position + 1]])} →</a>'
        )
    return f'<nav aria-label="Lessons">{" · ".join(links)}</nav>'


def page(title: str, body: str, navigation: str) -> str:
    """Return a whole page."""
    fill = Template((TEMPLATES / "page.html").read_text(encoding="utf-8")).substitute
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return fill(title=html.escape(title), css=css, neighbours=navigation, body=body, about=ABOUT)


def lesson_page(stem: str, body: str, figures: dict[str, str], titles: dict[str, str]) -> str:
    """Return a lesson's page.

    body: what pandoc made of it; titles: of all pages, by name, in order.
    """
    # an empty header names nothing
    body = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", embedded(body, figures))
    number = re.match(r"0([1-9])_", stem)
    eyebrow = f'<p class="eyebrow">Lesson {number[1]}</p>\n' if number else ""
    first, rest = body.split("</h1>", 1)
    return page(
        titles[stem], f"{eyebrow}{first}</h1>\n{contents(body)}{rest}", neighbours(stem, titles)
    )


def pdf_table(titles: dict[str, str]) -> str:
    """Return a table of links to all PDFs, a row for each of these titles by file name."""
    editions = [
        (role, paper, f"{EDITIONS[role]}, {PAPERS[paper]}") for role in EDITIONS for paper in PAPERS
    ]
    columns = "".join(f'<th scope="col">{head}</th>' for _, _, head in editions)
    rows = []
    for name, title in titles.items():
        cells = [f'<th scope="row">{html.escape(title)}</th>']
        for role, paper, head in editions:
            label = html.escape(f"PDF: {title}, {head}")
            cells.append(
                f'<td><a href="{paper}/{role}/{name}.pdf" aria-label="{label}">PDF</a></td>'
            )
        rows.append(f"<tr>{''.join(cells)}</tr>\n")
    head = f'<thead><tr><th scope="col">lesson</th>{columns}</tr></thead>'
    body = f"<table>\n{head}\n<tbody>\n{''.join(rows)}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="group" aria-label="Table">{body}</div>'


def index_page(titles: dict[str, str], minutes: dict[str, str]) -> str:
    """Return the page that links to all others and to the PDFs. minutes: a text for each lesson."""
    items = [
        f'<li><a href="{stem}.html">{html.escape(title)}</a>{f", {minutes[stem]}" if stem in minutes else ""}</li>\n'
        for stem, title in titles.items()
    ]
    printed = {stem: titles[stem] for stem in minutes} | {
        BOOK: "All lessons, guide and glossary, bound"
    }
    body = f"""<h1>{TITLE}</h1>
<p>Read a lesson with its results closed until you open them: predict first.</p>
<h2>To read here</h2>
<ul>
{"".join(items)}</ul>
<h2>To print</h2>
<p>The workbook has lines for predictions and room for exercises; results, answers and hints stand at the end of each
lesson. The instructor’s edition has answers and solutions in place.</p>
{pdf_table(printed)}"""
    return page(TITLE, body, "")
