"""The handouts as web pages: one file a lesson that brings all it needs along, and an index."""

from __future__ import annotations

import base64
import html
import os
import re
import textwrap
from collections.abc import Set
from pathlib import Path
from string import Template

from tools.handout_text import BOOK, EDITIONS, INSTRUCTOR, PAPERS, SIDES, TITLE, WEB

TEMPLATES = Path(__file__).resolve().parents[1] / "handouts"
ABOUT = "The text may be shared and changed under CC BY 4.0, the code under the BSD licence."


# A valley and the point in it, which stands for what a search looks for.
ICON = (
    "data:image/svg+xml;base64,"
    + base64.b64encode(
        b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
        b'<rect width="32" height="32" rx="6"'
        b' fill="#0b4f8a"/><path d="M4 8q12 30 24 0" fill="none" stroke="#fff" stroke-width="3"/>'
        b'<circle cx="16" cy="22" r="4" fill="#f5c242"/></svg>'
    ).decode()
)
REPOSITORY = "HPT_REPOSITORY"  # the variable that names a public copy, as owner/name


def embedded(body: str, figures: dict[str, str]) -> str:
    """Return a page's HTML with the SVG of each figure in place of its file name."""

    def data(match: re.Match) -> str:
        content = base64.b64encode(figures[match[1]].encode()).decode()
        return f'src="data:image/svg+xml;base64,{content}"'

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
    for step, words in ((-1, "← {}"), (1, "{} →")):
        if 0 <= position + step < len(order):
            other = order[position + step]
            links.append(f'<a href="{other}.html">{words.format(html.escape(titles[other]))}</a>')
    return f'<nav aria-label="Lessons">{" · ".join(links)}</nav>'


def to_run(stem: str) -> str:
    """Return a line that says how to run a lesson: its notebook, and Binder where that is known."""
    links = [f'<a href="notebooks/{stem}.ipynb" download>the notebook</a>, without results']
    if repository := os.environ.get(REPOSITORY):
        path = f"HEAD?urlpath=lab/tree/my_notebooks/{stem}.ipynb"
        links.append(f'<a href="https://mybinder.org/v2/gh/{repository}/{path}">on Binder</a>')
    return f"<p>To run it: {'; '.join(links)}.</p>"


def page(title: str, body: str, navigation: str, description: str = "") -> str:
    """Return a whole page; a search engine shows the description."""
    fill = Template((TEMPLATES / "page.html").read_text(encoding="utf-8")).substitute
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    # the second navigation has a name of its own
    return fill(
        title=html.escape(title),
        description=html.escape(description or title, quote=True),
        icon=ICON,
        css=css,
        neighbours=navigation,
        below=navigation.replace('"Lessons"', '"Lessons, again"'),
        body=body,
        about=ABOUT,
    )


def first_words(body: str, n: int = 155) -> str:
    """Return the beginning of a page's first paragraph, as much as a search engine shows."""
    found = re.search(r"<p>(.*?)</p>", body, re.S)
    text = html.unescape(re.sub(r"<[^>]+>", "", found[1])) if found else ""
    return textwrap.shorten(" ".join(text.split()), n, placeholder=" …")


def with_scopes(body: str) -> str:
    """Return HTML whose table headings say what they head; an empty one is none.

    >>> with_scopes("<thead><th></th><th>a</th></thead><tbody><th>b</th></tbody>")
    '<thead><td></td><th scope="col">a</th></thead><tbody><th scope="row">b</th></tbody>'
    """
    body = re.sub(r"<th([^>]*)></th>", r"<td\1></td>", body)

    def scoped(scope: str):
        return lambda found: re.sub(r"<th\b(?!ead)", f'<th scope="{scope}"', found[0])

    body = re.sub(r"<thead>.*?</thead>", scoped("col"), body, flags=re.S)
    return re.sub(r"<tbody>.*?</tbody>", scoped("row"), body, flags=re.S)


def lesson_page(
    stem: str, body: str, figures: dict[str, str], titles: dict[str, str], runs: bool = True
) -> str:
    """Return a lesson's page.

    body: what pandoc made of it; titles: of all pages, by name, in order. runs: whether it has a
    notebook.
    """
    body = with_scopes(embedded(body, figures))
    number = re.match(r"0([1-9])_", stem)
    eyebrow = f'<p class="eyebrow">Lesson {number[1]}</p>\n' if number else ""
    first, rest = body.split("</h1>", 1)
    whole = f"{eyebrow}{first}</h1>\n{contents(body)}{to_run(stem) if runs else ''}{rest}"
    return page(titles[stem], whole, neighbours(stem, titles), first_words(rest))


def pdf_table(titles: dict[str, str], side: str, pdfs: Set[tuple[str, str]]) -> str:
    """Return a table of links to the PDFs of learners or instructors, a row for each title.

    pdfs: pairs (role, name) of those that there are.
    """
    editions = [
        (role, paper, f"{EDITIONS[role]}, {PAPERS[paper]}")
        for role in EDITIONS
        if SIDES[role] == side
        for paper in PAPERS
    ]
    columns = "".join(f'<th scope="col">{head}</th>' for _, _, head in editions)
    rows = []
    for name, title in titles.items():
        cells = [f'<th scope="row">{html.escape(title)}</th>']
        for role, paper, head in editions:
            label = html.escape(f"PDF: {title}, {head}")
            address = f"{paper}/{role}/{name}.pdf"
            link = f'<a href="{address}" aria-label="{label}">PDF</a>'
            cells.append(f"<td>{link if (role, name) in pdfs else '–'}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>\n")
    head = f'<thead><tr><th scope="col">lesson</th>{columns}</tr></thead>'
    caption = "<caption>The PDFs of each lesson</caption>"
    body = f"<table>{caption}\n{head}\n<tbody>\n{''.join(rows)}</tbody></table>"
    return f'<div class="scroll" tabindex="0" role="group" aria-label="PDFs">{body}</div>'


def printed_titles(titles: dict[str, str], minutes: dict[str, str]) -> dict[str, str]:
    """Return the titles of what there is a PDF of."""
    return {stem: titles[stem] for stem in minutes} | {
        BOOK: "All lessons, guide and glossary, bound"
    }


def index_page(titles: dict[str, str], minutes: dict[str, str], pdfs: Set[tuple[str, str]]) -> str:
    """Return the page that links to all others and to learners' PDFs.

    minutes: a text for each lesson. pdfs: as for `pdf_table`.
    """
    items = "".join(
        f'<li><a href="{stem}.html">{html.escape(title)}</a>'
        f"{', ' + minutes[stem] if stem in minutes else ''}</li>\n"
        for stem, title in titles.items()
    )
    body = f"""<h1>{TITLE}</h1>
<p>A course on searching for good hyperparameters: grid search, random search, Bayesian
optimisation, Hyperband, and what a race between them proves. Read a lesson with its results
closed until you open them: predict first.</p>
<h2>To read here</h2>
<ul>
{items}</ul>
<h2>To print</h2>
<p>The workbook has lines for predictions and room for exercises; results, answers and hints stand
at the end of each lesson. The core path leaves out what is optional.</p>
{pdf_table(printed_titles(titles, minutes), SIDES[WEB], pdfs)}"""
    return page(TITLE, body, "", first_words(body))


def instructors_page(
    titles: dict[str, str], minutes: dict[str, str], pdfs: Set[tuple[str, str]]
) -> str:
    """Return the page that links to the PDFs with answers, which is kept from learners."""
    body = f"""<h1>{TITLE}: for instructors</h1>
<p>The instructor’s edition has answers and solutions in place, and the minutes of the guide’s plan.
The answer key has the exercises’ solutions alone.</p>
{pdf_table(printed_titles(titles, minutes), SIDES[INSTRUCTOR], pdfs)}"""
    return page(f"{TITLE}: for instructors", body, "", first_words(body))
