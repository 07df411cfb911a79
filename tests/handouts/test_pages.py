"""The web pages in headless Chromium: accessible, readable on a telephone, closed until opened,
alone on this earth.
"""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlparse

import axe_playwright_python
import pytest
from built import LESSONS
from built import PAGES as FOLDER
from pypdf import PdfReader
from test_pdfs import WITH_EXERCISES, bare, exercises_of, on_paper, plain, rows

from tools.handout_parts import lesson_parts
from tools.handout_text import printed

AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
INSTRUCTORS = "../instructor/index"  # the only web page that learners do not get
PAGES = ["index", *LESSONS, "guide", "glossary", INSTRUCTORS]
OPEN_ALL = "document.querySelectorAll('details').forEach(one => one.open = true)"
# Elements that reach beyond the window and do not stand in a box that scrolls.
CUT = """[...document.querySelectorAll('main *')]
    .filter(one => !one.closest('.scroll, .skip, math'))
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
    .map(one => one.outerHTML.slice(0, 120))"""


def path_of(name):
    return (FOLDER / f"{name}.html").resolve()


@pytest.fixture
def page(browser):
    """Return a function that opens a page; requests that it makes beside the file itself are in
    `asked`.
    """
    opened = []

    def go(name, scheme="light", width=1280, script=True):
        context = browser.new_context(
            color_scheme=scheme,
            viewport={"width": width, "height": 720},
            java_script_enabled=script,
        )
        opened.append(context)
        new = context.new_page()
        new.asked = []
        new.on("request", lambda request: new.asked.append(request.url))
        new.goto(path_of(name).as_uri())
        return new

    yield go
    for context in opened:
        context.close()


def names(violations):
    return [(found["id"], found["nodes"][0]["html"][:200]) for found in violations]


@pytest.mark.parametrize(
    ("scheme", "width", "opened"),
    [("light", 1280, False), ("light", 1280, True), ("dark", 1280, True), ("dark", 320, True)],
)
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(page, name, scheme, width, opened):
    shown = page(name, scheme, width)
    shown.evaluate(AXE)
    shown.evaluate(OPEN_ALL if opened else "0")
    found = shown.evaluate(f"axe.run(document, {{runOnly: {RULES}, resultTypes: ['violations']}})")
    assert len(found["passes"]) > 15
    assert names(found["violations"]) == []


def test_axe_finds_what_is_planted(page):
    shown = page("glossary")
    shown.evaluate(AXE)
    shown.evaluate("document.querySelector('main p').style.color = '#ccc'")
    shown.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<img src=\"data:,\">')"
    )
    found = shown.evaluate(f"axe.run(document, {{runOnly: {RULES}}})")
    assert {"color-contrast", "image-alt"} <= {name for name, _ in names(found["violations"])}


@pytest.mark.parametrize("name", PAGES)
def test_at_320_pixels_nothing_is_cut_and_only_boxes_scroll(page, name):
    shown = page(name, width=320)
    shown.evaluate(OPEN_ALL)
    assert shown.evaluate("document.documentElement.scrollWidth") == 320
    assert shown.evaluate(CUT) == []


# Boxes that scroll and cannot be reached by Tab, and those that do not and can be.
REACHED = """[...document.querySelectorAll('.scroll')].filter(
    one => (one.scrollWidth > one.clientWidth) !== (one.tabIndex === 0)).length"""


@pytest.mark.parametrize("width", [320, 1280])
@pytest.mark.parametrize("name", ["02_random_search", "glossary"])
def test_tab_stops_where_a_box_scrolls_and_nowhere_else(page, name, width):
    shown = page(name, width=width)
    assert shown.evaluate(REACHED) == 0
    shown.evaluate(OPEN_ALL)
    shown.wait_for_function(f"({REACHED}) === 0")  # an opened box tells it in an event
    assert shown.evaluate("document.querySelectorAll('.scroll[tabindex]').length") > 0
    without = page(name, width=width, script=False)
    assert without.locator(".scroll[tabindex]").count() == without.locator(".scroll").count()


@pytest.mark.parametrize("name", PAGES)
def test_each_box_and_table_has_a_name_of_its_own(page, name):
    shown = page(name)
    boxes = shown.evaluate("[...document.querySelectorAll('.scroll')].map(one => one.ariaLabel)")
    assert all(boxes) and len(set(boxes)) == len(boxes)
    summaries = shown.locator("summary").all_text_contents()
    assert len(set(summaries)) == len(summaries)
    bare = "[...document.querySelectorAll('table')].filter(one => !one.caption).length"
    unscoped = "document.querySelectorAll('th:not([scope])').length"
    assert (shown.evaluate(bare), shown.evaluate(unscoped)) == (0, 0)


@pytest.mark.parametrize("stem", ["01_grid_search", "02_random_search"])
def test_a_printed_page_keeps_its_results_and_answers(page, notebooks, tmp_path, stem):
    """Chromium hides a closed <details> in print too, unless page.css says otherwise."""
    shown = page(stem)
    shown.pdf(path=tmp_path / "page.pdf", format="A4")
    text = bare("".join(found.extract_text() for found in PdfReader(tmp_path / "page.pdf").pages))
    answers = [part.text for part in lesson_parts(notebooks[stem]) if part.kind == "answer"]
    firsts = [bare(plain(re.split(r"\*\*So:|\n\n|[$\[(]", words)[0])) for words in answers]
    assert firsts and [words for words in firsts if words not in text] == []
    cells = [cell for cell in notebooks[stem].cells if cell.cell_type == "code" and on_paper(cell)]
    shown = [row for cell in cells for output in cell.outputs for row in rows(output)]
    assert len(shown) > 20 and [row for row in shown if bare(row) not in text] == []


@pytest.mark.parametrize("stem", LESSONS)
def test_a_page_leads_to_its_notebook_which_has_no_results(page, stem):
    link = page(stem).locator("a[download]")
    copy = json.loads((FOLDER / link.get_attribute("href")).read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") for cell in copy["cells"])


def test_what_may_be_published_holds_no_solution():
    names = {path.name for path in FOLDER.rglob("*") if path.is_dir()}
    assert {"a4", "letter", "learner", "core", "notebooks"} == names


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_else(page, name):
    shown = page(name)
    shown.wait_for_load_state("networkidle")
    outside = [url for url in shown.asked if not url.startswith("data:")]
    assert outside == [path_of(name).as_uri()]
    html = path_of(name).read_text(encoding="utf-8")
    assert "<script src" not in html and not re.search(r"@import|url\((?!data:)", html)


@pytest.mark.parametrize("name", PAGES)
def test_every_picture_and_formula_is_described_and_loads(page, name):
    shown = page(name)
    shown.evaluate(OPEN_ALL)
    pictures = shown.evaluate("[...document.images].map(one => [one.alt, one.naturalWidth])")
    assert all(len(alt) > 20 and width > 100 for alt, width in pictures)
    formulas = shown.evaluate(
        "[...document.querySelectorAll('math')].map(one => one.getAttribute('alttext'))"
    )
    assert all(formulas) and not any("\\" in words for words in formulas)
    assert "$$" not in shown.inner_text("main")


def test_the_lessons_have_pictures_and_one_has_formulas(page):
    assert sum(page(stem).locator("img").count() for stem in WITH_EXERCISES) > 30
    assert sum(page(stem).locator("math").count() for stem in WITH_EXERCISES) > 10


@pytest.mark.parametrize("stem", LESSONS)
def test_a_page_has_the_whole_lesson_with_results_and_answers_closed(page, notebooks, stem):
    shown = page(stem)
    assert shown.locator("details[open]").count() == 0
    parts = lesson_parts(notebooks[stem])
    n_answers = len([part for part in parts if part.kind == "answer"])
    assert shown.locator("summary", has_text="What was seen").count() == n_answers
    assert not any(box.is_visible() for box in shown.locator("details > div").all())
    headings = [part.text.lstrip("# ").replace("`", "") for part in parts if part.kind == "heading"]
    assert [
        text.replace("’", "'") for text in shown.locator("h1, h2, h3, h4").all_inner_texts()
    ] == headings
    shown.evaluate(OPEN_ALL)
    text = re.sub(r"\s+", "", shown.inner_text("main"))
    cells = [cell for cell in notebooks[stem].cells if cell.cell_type == "code" and on_paper(cell)]
    wanted = [
        row for cell in cells for output in cell.outputs for row in rows(output) if row.strip()
    ]
    assert [row for row in wanted if re.sub(r"\s+", "", row) not in text] == []


@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_a_page_has_hints_and_no_solution(page, notebooks, stem):
    shown = page(stem)
    shown.evaluate(OPEN_ALL)
    text = re.sub(r"\s+", "", shown.inner_text("main"))
    known = re.sub(r"\s+", "", "".join(cell.source for cell in notebooks[stem].cells))
    for exercise in exercises_of(stem).values():
        lines = [re.sub(r"\s+", "", line) for line in printed(exercise.solution).splitlines()]
        secret = [
            line
            for line in lines
            if line not in known and not line.startswith(("#", "import", "from"))
        ]
        assert secret and [line for line in secret if len(line) > 8 and line in text] == []
    assert shown.locator("summary", has_text="Hints to exercise").count() == len(exercises_of(stem))


def test_answers_open_without_a_script_and_by_keyboard(page):
    shown = page("01_grid_search", script=False)
    summary = shown.locator("summary", has_text="What was seen").first
    summary.focus()
    shown.keyboard.press("Enter")
    assert (
        shown.locator("details[open] > div").count() == 1
        and shown.locator("details[open] > div").is_visible()
    )


@pytest.mark.parametrize("name", PAGES)
def test_every_link_leads_somewhere(page, name):
    shown = page(name)
    found = shown.evaluate("[...document.querySelectorAll('a[href]')].map(one => one.href)")
    assert found
    for address in found:
        address, anchor = urldefrag(address)
        if address.startswith("file:"):
            path = Path(unquote(urlparse(address).path))
            assert path.is_file() and path.is_relative_to(path_of(name).parent), address
            if anchor:
                assert f'id="{unquote(anchor)}"' in path.read_text(encoding="utf-8"), (
                    address,
                    anchor,
                )
        else:
            assert address.startswith("https://"), address


def test_the_dark_page_is_dark(page):
    shades = [
        page("01_grid_search", scheme).evaluate("getComputedStyle(document.body).backgroundColor")
        for scheme in ("light", "dark")
    ]
    light, dark = (sum(map(int, re.findall(r"\d+", shade)[:3])) for shade in shades)
    assert light > 700 and dark < 120
