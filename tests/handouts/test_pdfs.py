"""The PDFs hold what the lessons hold, the learner's no solution; links and page references lead
where they say.
"""

import re
import unicodedata
from html import unescape

import pytest
from built import BUILT, LESSONS

from hpt_helpers.classroom import lessons
from hpt_helpers.classroom.exercises import answer_key
from tools.build_handouts import PLAN
from tools.guide_tables import GUIDE, plan
from tools.handout_parts import core_only, lesson_parts
from tools.handout_pdf import pdf_path
from tools.handout_text import printed
from tools.lesson_minutes import is_exercise
from tools.row_headings import tagged

PAPERS = {"a4": (595.28, 841.89), "letter": (612, 792)}
ROLES = ("learner", "instructor")
EDITIONS = ("learner", "core", "instructor", "key")


def names_of(role):
    """Return what there is of an edition: the start page has no exercises to answer."""
    return [*(WITH_EXERCISES if role == "key" else LESSONS), "course"]


WITH_EXERCISES = [lesson.stem for lesson in lessons.LESSONS]
EACH = [(p, role, name) for p in PAPERS for role in EDITIONS for name in names_of(role)]
OF_A_LESSON = [(role, stem) for role in ROLES for stem in LESSONS]


def bare(text: str) -> str:
    """Return text without what typesetting changes.

    That is spaces, hyphens at a line's end, bullets, kinds of quotes, and letters drawn as one.
    """
    text = unicodedata.normalize("NFKC", text.replace("…", "...").replace("\u200b", ""))
    return re.sub(r"[\s‐\-−–—\u00ad•‣\"'“”‘’`*\\]+", "", text)


def plain(markdown: str) -> str:
    """Return Markdown without its marks, as a reader sees it."""
    markdown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", markdown)
    markdown = re.sub(r"^\s*- ", "", markdown, flags=re.M)
    return re.sub(r"\$[^$]*\$", "\0", markdown).lstrip("# ")


def on_paper(cell) -> bool:
    """Say whether what a code cell prints stands in a handout."""
    return not is_exercise(cell) and ".progress()" not in cell.source


def text_of(found) -> str:
    return bare("".join(found.pages))


def rows(output) -> list[str]:
    """Return the lines and table rows that an output shows."""
    if output.output_type == "stream":
        return output.text.splitlines()
    html = output.get("data", {}).get("text/html", "")
    if "<table" in html:
        found = re.findall(
            r"<tr.*?</tr>", re.sub(r"<thead>.*?</thead>", "", html, flags=re.S), re.S
        )
        return [unescape(re.sub(r"<[^>]+>", "", row)) for row in found]
    return (
        []
        if "image/png" in output.get("data", {})
        else output.get("data", {}).get("text/plain", "").splitlines()
    )


def exercises_of(stem):
    return {exercise.name: exercise for exercise in answer_key.exercises_of(stem[:2])}


# --- what they hold -------------------------------------------------------------------------------


def test_every_lesson_and_the_book_is_there_in_each_edition_on_both_papers():
    assert sorted(BUILT.rglob("*.pdf")) == sorted(pdf_path(BUILT, *edition) for edition in EACH)


@pytest.mark.parametrize(("role", "stem"), OF_A_LESSON)
def test_every_heading_text_and_question_is_in_the_lessons_pdf_and_in_the_book(
    pdf, notebooks, role, stem
):
    missing = []
    for found in (text_of(pdf("a4", role, stem)), text_of(pdf("letter", role, "course"))):
        for part in lesson_parts(notebooks[stem]):
            if part.kind in ("heading", "question", "predict"):
                # A link in it is followed by its page, a formula is set in glyphs of its own.
                pieces = re.split(r"\[[^]]*\]\([^)]*\)|\$[^$]*\$", part.text)
                missing += [piece for piece in pieces if bare(plain(piece)) not in found]
    assert missing == []


@pytest.mark.parametrize(("role", "stem"), OF_A_LESSON)
def test_every_printed_row_and_number_is_in_the_lessons_pdf_and_in_the_book(
    pdf, notebooks, role, stem
):
    """Row by row, so that the numbers of a row stand together and in order."""
    cells = [cell for cell in notebooks[stem].cells if cell.cell_type == "code" and on_paper(cell)]
    wanted = [
        row for cell in cells for output in cell.outputs for row in rows(output) if row.strip()
    ]
    assert wanted
    for found in (text_of(pdf("a4", role, stem)), text_of(pdf("letter", role, "course"))):
        assert [row for row in wanted if bare(row) not in found] == []


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize(("role", "stem"), OF_A_LESSON)
def test_no_line_of_code_is_cut_or_broken(pdf, notebooks, paper, role, stem):
    lines = {line.strip() for page in pdf(paper, role, stem).pages for line in page.splitlines()}
    code = [
        part.text for part in lesson_parts(notebooks[stem]) if part.kind in ("code", "exercise")
    ]
    if role == "instructor" and stem in WITH_EXERCISES:
        solutions = "\n".join(
            printed(exercise.solution) for exercise in exercises_of(stem).values()
        )
        code.append(re.sub(r"^#.*", "", solutions, flags=re.M))  # comments are wrapped
    wanted = {line.strip() for cell in code for line in cell.splitlines() if line.strip()}
    assert len(wanted) > 1 and wanted - lines == set()


@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_solutions_and_misconceptions_are_in_the_instructors_only(pdf, notebooks, stem):
    shown = bare("".join(cell.source for cell in notebooks[stem].cells))
    for name in (stem, "course"):
        learner, instructor = (text_of(pdf("a4", role, name)) for role in ROLES)
        for exercise in exercises_of(stem).values():
            lines = printed(exercise.solution).splitlines()
            # Imports, and what the lesson shows too, such as the line with def, tell nothing;
            # comments are wrapped.
            code = [
                line for line in lines if not line.lstrip().startswith(("#", "import ", "from "))
            ]
            secret = [bare(line) for line in code if bare(line) not in shown]
            secret += [bare(wrong.misconception) for wrong in exercise.wrong]
            secret += [bare(wrong.message) for wrong in exercise.wrong]
            assert len(secret) > len(exercise.wrong)
            assert [line for line in secret if line not in instructor] == []
            assert [line for line in secret if len(line) > 8 and line in learner] == []


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_an_answer_key_has_every_solution_on_two_pages(pdf, paper, stem):
    found = pdf(paper, "key", stem)
    assert len(found.pages) <= 2
    for exercise in exercises_of(stem).values():
        lines = [line for line in printed(exercise.solution).splitlines() if "#" not in line]
        assert [line for line in lines if bare(line) not in text_of(found)] == []


@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_the_core_workbook_ends_before_going_further(pdf, notebooks, stem):
    parts = lesson_parts(notebooks[stem])
    further = [part.text for part in parts[len(core_only(parts)) :] if part.kind == "heading"]
    text = text_of(pdf("a4", "core", stem))
    core = bare(plain(" ".join(part.text for part in core_only(parts))))
    further = [bare(plain(title)) for title in further[1:]]
    # the core may name a section that it leads to
    assert further and [title for title in further if title not in core and title in text] == []
    assert len(pdf("a4", "core", stem).pages) < len(pdf("a4", "learner", stem).pages)


@pytest.mark.parametrize(("paper", "role", "name"), EACH)
def test_code_is_set_in_8_points_at_least(pdf, paper, role, name):
    """On all pages; typst scales no text, so that the size of a font is that on paper."""
    sizes = []
    for page in pdf(paper, role, name).reader.pages:
        fonts = page["/Resources"].get("/Font", {})
        content = page.get_contents().get_data()
        assert set(re.findall(rb"Tf ([\d. -]+?) [\d.-]+ [\d.-]+ Tm", content)) <= {b"1 0 0 -1"}
        for font, size in re.findall(rb"/(\w+) ([\d.]+) Tf", content):
            if "Mono" in fonts[f"/{font.decode()}"]["/BaseFont"]:
                sizes.append(float(size))
    assert not sizes or min(sizes) >= 8


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize(
    ("role", "stem"),
    [(role, stem) for role in ("learner", "core", "instructor") for stem in LESSONS],
)
def test_no_page_of_a_lesson_is_nearly_empty(pdf, paper, role, stem):
    """A page with three lines is one that a reader turns for nothing; the last may be."""
    found = pdf(paper, role, stem)
    figures = tagged(found.reader.trailer["/Root"]["/StructTreeRoot"], "/Figure")
    pictured = {figure.raw_get("/Pg").idnum for figure in figures}
    inner = zip(found.reader.pages[:-1], found.pages, strict=False)
    thin = [
        number
        for number, (page, text) in enumerate(inner, 1)
        if len(text.splitlines()) < 7 and page.indirect_reference.idnum not in pictured
    ]
    assert thin == []


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("role", ["learner", "core", "instructor"])
def test_no_page_begins_with_a_prediction_whose_text_is_overleaf(pdf, paper, role):
    """A page's first lines are the running head, and then what the prediction is about."""
    for stem in WITH_EXERCISES:
        for number, page in enumerate(pdf(paper, role, stem).pages, 1):
            first = page.splitlines()[:2]
            assert not any(re.match(r"Prediction \d", line) for line in first), (stem, number)


@pytest.mark.parametrize("stem", WITH_EXERCISES)
def test_hints_are_in_both(pdf, stem):
    for role in ROLES:
        found = text_of(pdf("a4", role, stem))
        hints = [hint for exercise in exercises_of(stem).values() for hint in exercise.hints]
        assert hints and [hint for hint in hints if bare(hint) not in found] == []


def pages_of(found, *titles):
    """Return the page on which each of these headings stands, counted from 0."""
    flat, waiting = {}, [*found.reader.outline]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting = item + waiting
        else:
            flat[item.title] = found.reader.get_destination_page_number(item)
    return [flat[title] for title in titles]


def test_a_workbook_has_all_answers_behind_the_lesson_and_before_the_hints(pdf, notebooks):
    for stem in WITH_EXERCISES:
        found = pdf("a4", "learner", stem)
        start, end = pages_of(found, "Results and answers", "Hints")
        # An answer may go on overleaf, behind the lines at the foot of one page and at the head of
        # the next.
        pages = [
            re.sub(
                r"(?m)^Hyperparameter tuning, measured ·.*$|^.* (?:Results and answers|Hints)$",
                "",
                p,
            )
            for p in found.pages
        ]
        before, answers = (bare("".join(part)) for part in (pages[:start], pages[start : end + 1]))
        wanted = [part.text for part in lesson_parts(notebooks[stem]) if part.kind == "answer"]
        firsts = [bare(plain(re.split(r"\*\*So:|\n\n|[$\[]", text)[0])) for text in wanted]
        assert (
            firsts and [words for words in firsts if words not in answers or words in before] == []
        )


def test_an_instructors_edition_says_the_minutes_of_the_guides_plan(pdf, notebooks):
    guide = GUIDE.read_text(encoding="utf-8")
    for stem in WITH_EXERCISES:
        headings = {
            p.text.lstrip("# ") for p in lesson_parts(notebooks[stem]) if p.kind == "heading"
        }
        minutes = plan(guide, int(stem[:2]), PLAN)
        wanted = sorted(span for title, span in minutes.items() if title in headings)
        said = " ".join(pdf("a4", "instructor", stem).pages)
        # The number of a heading may follow at once: "minutes 0 to 91. What …" is 0 to 9.
        found = re.findall(r"minutes\s+(\d+)\s+to\s+(\d+?)(?=\D|\d\. )", said)
        assert wanted and sorted((int(a), int(b)) for a, b in found) == wanted
        assert not re.search(r"minutes\s+\d+\s+to", " ".join(pdf("a4", "learner", stem).pages))


@pytest.mark.parametrize("role", ROLES)
def test_the_book_has_contents_page_numbers_running_heads_guide_and_glossary(pdf, role):
    book = pdf("a4", role, "course")
    titles = [item.title for item in book.reader.outline if not isinstance(item, list)]
    assert len(titles) == len(LESSONS) + 2
    assert titles[-2:] == ["Which search, then? A decision guide", "Glossary"]
    starts = pages_of(book, *titles)
    contents = bare("".join(book.pages[1 : starts[0]]))
    for title, start, after in zip(titles, starts, [*starts[1:], len(book.pages)], strict=True):
        assert re.search(re.escape(bare(title)) + rf"\.*{start + 1}", contents)
        assert all(bare(page).startswith(bare(title)) for page in book.pages[start + 1 : after])
    numbered = [
        bool(re.search(rf"(Workbook|edition){n}\b", bare(page)))
        for n, page in enumerate(book.pages, 1)
    ]
    assert numbered == [False] + [True] * (len(book.pages) - 1)


# --- links and page references --------------------------------------------------------------------


def links(found):
    """Yield each link of a PDF: the page it stands on, and the page or the address that it leads
    to.
    """
    for number, page in enumerate(found.reader.pages, start=1):
        for annotation in page.get("/Annots") or []:
            annotation = annotation.get_object()
            if annotation["/Subtype"] != "/Link":
                continue
            action = annotation.get("/A", {})
            if "/URI" in action:
                yield number, action["/URI"]
                continue
            place = annotation.get("/Dest", action.get("/D"))
            place = (
                found.reader.named_destinations[place].dest_array
                if isinstance(place, str)
                else place
            )
            yield number, found.reader.get_page_number(place[0].get_object()) + 1


@pytest.mark.parametrize(("paper", "role", "name"), EACH)
def test_every_link_leads_somewhere(pdf, paper, role, name):
    found = pdf(paper, role, name)
    targets = [target for _, target in links(found)]
    assert targets or role == "key"  # which has answers only
    for target in targets:
        if isinstance(target, str) and not re.match(r"https?://\S+\.\S+", target):
            assert (found.path.parent / target.split("#")[0]).is_file(), target
        elif isinstance(target, int):
            assert 1 <= target <= len(found.pages)


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("name", [*WITH_EXERCISES, "course"])
def test_predictions_and_answers_and_exercises_and_hints_name_each_others_pages(pdf, paper, name):
    found = pdf(paper, "learner", name)
    pages = [re.sub(r"\s+", " ", page) for page in found.pages]
    for there, back in (
        ("result and answer: page", "predicted on page"),
        ("hints: page", "asked on page"),
    ):
        asked = [
            (i, int(n))
            for i, page in enumerate(pages, 1)
            for n in re.findall(rf"{there} (\d+)", page)
        ]
        given = [
            (int(n), i)
            for i, page in enumerate(pages, 1)
            for n in re.findall(rf"{back} (\d+)", page)
        ]
        assert asked and asked == given
        assert set(asked) <= set(links(found)) and {(b, a) for a, b in given} <= set(links(found))


@pytest.mark.parametrize("role", ROLES)
def test_the_books_other_page_references_are_right(pdf, role):
    found = pdf("a4", role, "course")
    led = set(links(found))
    named = [
        (i, int(n))
        for i, page in enumerate(found.pages, 1)
        for n in re.findall(r"\(p\.\s*(\d+)\)", page.replace("\n", " "))
    ]
    assert len(named) > 20 and [pair for pair in named if pair not in led] == []


# --- form -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("paper", "role", "name"), EACH)
def test_form(pdf, paper, role, name):
    """PDF/UA-1, tagged, titled, in English, every font in the file, on the right paper.

    (typst checked the first.)
    """
    reader = pdf(paper, role, name).reader
    root = reader.trailer["/Root"]
    assert (
        b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_data()
        and root["/MarkInfo"]["/Marked"]
    )
    assert (
        root["/Lang"].startswith("en")
        and reader.metadata.title
        and root["/ViewerPreferences"]["/DisplayDocTitle"]
    )
    for page in reader.pages:
        assert (float(page.mediabox.width), float(page.mediabox.height)) == pytest.approx(
            PAPERS[paper], abs=0.1
        )
        for font in page.get("/Resources", {}).get("/Font", {}).values():
            kind = (
                font.get_object()["/DescendantFonts"][0]
                .get_object()["/FontDescriptor"]
                .get_object()
            )
            assert {"/FontFile2", "/FontFile3"} & set(kind) and "/ToUnicode" in font.get_object()


def html_tables(notebook):
    """Return the tables that a lesson's cells show."""
    shown = [
        output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", [])
    ]
    return [data["text/html"] for data in shown if "<table" in data.get("text/html", "")]


@pytest.mark.parametrize(("role", "stem"), OF_A_LESSON)
def test_the_rows_of_a_table_are_named_by_headings_as_in_the_lesson(pdf, notebooks, role, stem):
    """In order, so that no table lends its headings to another."""
    bodies = [
        re.findall(r"<tbody>.*?</tbody>", html, re.S) for html in html_tables(notebooks[stem])
    ]
    wanted = sorted(body.count("<th") for [body] in bodies)
    root = pdf("a4", role, stem).reader.trailer["/Root"]["/StructTreeRoot"]
    found = []
    for table in tagged(root, "/Table"):
        rows = [
            [cell.get_object() for cell in row["/K"]]
            for body in tagged(table, "/TBody")
            for row in tagged(body, "/TR")
        ]
        heads = [row[0]["/A"][0]["/Scope"] for row in rows if row[0]["/S"] == "/TH"]
        assert set(heads) <= {"/Row"} and len(heads) in (0, len(rows))
        assert [cell for row in rows for cell in row[1:] if cell["/S"] != "/TD"] == []
        # a list of headings would leave out those of the row
        listed = [cell for row in rows for cell in row if "/Headers" in cell["/A"][0]]
        assert not (heads and listed)
        found += [len(heads)] if heads else []
    assert sorted(found) == [n for n in wanted if n]


def test_figures_are_vectors(pdf):
    """What is a bitmap is a small part of a figure: a colour bar, the pixels of a photograph."""
    drawn = sorted((BUILT.parent / "handouts-work" / "figures").glob("*.svg"))
    assert len(drawn) > 30
    assert [
        path.name for path in drawn if path.read_text(encoding="utf-8").count("<path") < 20
    ] == []
    for stem in WITH_EXERCISES:
        sizes = [
            image.image.size
            for page in pdf("a4", "learner", stem).reader.pages
            for image in page.images
        ]
        assert all(width <= 400 and height <= 400 for width, height in sizes), sizes
