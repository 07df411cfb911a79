"""Two builds give the same files; what is wrong in print or unreadable aloud fails a build."""

import datetime
import filecmp
import os
import re
import shutil
import subprocess
import sys

import pytest
from built import BUILT, ROOT
from pypdf import PdfReader

from tools import build_handouts as builder
from tools.handout_pdf import Job, compile_pdf, fragment
from tools.notebooks import BuildError
from tools.row_headings import tagged


def files(folder):
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


AGAIN = """
if __name__ == "__main__":
    from pathlib import Path

    from tools import build_handouts

    build_handouts.build(2, Path({folder!r}))
"""


@pytest.fixture
def again():
    """Return another build: in another process, folder, time zone, and order of sets."""
    folder, script = ROOT / "build" / "handouts-again", ROOT / "build" / "again.py"
    script.write_text(AGAIN.format(folder=str(folder)), encoding="utf-8")
    changed = os.environ | {
        "PYTHONHASHSEED": "7",
        "TZ": "Pacific/Kiritimati",
        "PYTHONPATH": str(ROOT),
    }
    subprocess.run([sys.executable, str(script)], cwd=ROOT, env=changed, check=True)
    yield folder
    script.unlink()
    for path in (folder, folder.with_name(f"{folder.name}-work")):
        shutil.rmtree(path)


def test_another_build_gives_the_same_files_to_the_byte(again):
    assert len(files(again)) > 30 and files(again) == files(BUILT)
    assert filecmp.cmpfiles(BUILT, again, files(BUILT), shallow=False)[0] == files(BUILT)


def test_the_date_is_that_of_the_variable_or_of_the_last_commit(monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert builder.build_date() == datetime.date(1970, 1, 2)
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    git = subprocess.run(
        ["git", "log", "-1", "--format=%cI"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert (
        abs(builder.build_date() - datetime.datetime.fromisoformat(git.stdout.strip()).date()).days
        <= 1
    )
    monkeypatch.setattr(builder, "ROOT", BUILT.anchor)  # no repository
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH"):
        builder.build_date()


def converted(markdown, role="learner"):
    return builder.converted(builder.Text("07_small", role, markdown))


@pytest.mark.parametrize("role", ["learner", "web"])
def test_an_unknown_formula_fails_the_build(role):
    assert "alpha" in converted(r"Here $\alpha$ is.", role)
    with pytest.raises(BuildError, match=r"07_small, .*: pandoc says"):
        converted(r"Here $\unknowncommand{a}$ is.", role)


@pytest.mark.parametrize(
    ("target", "address"),
    [
        ("02_random_search.ipynb", 'href="02_random_search.html"'),
        (
            "01_grid_search.ipynb#Which-luck-is-larger?",
            'href="01_grid_search.html#which-luck-is-larger"',
        ),
        (
            "#The-winner-lies-on-the-edge.-What-now%3F",
            'href="#the-winner-lies-on-the-edge-what-now"',
        ),
        ("../docs/glossary.md#r-η", 'href="glossary.html#r-η"'),
        ("https://example.org/a", 'href="https://example.org/a"'),
        ("../docs/elsewhere.md", "See it."),  # no part of the handouts
    ],
)
def test_where_links_lead(target, address):
    assert address in converted(f"See [it]({target}).", "web")


def test_formulas_are_said_in_words():
    said = converted(
        r"$1 - (1 - p)^n$ and $f^*$ and $\frac{a}{b}$ and $\mathrm{EI}, \qquad \sigma$", "web"
    )
    words = re.findall(r'alttext="([^"]*)"', said)
    assert words == ["1 - (1 - p) to the power n", "f star", "a over b", "EI; sigma"]


def test_what_has_no_name_is_named_by_its_heading():
    table, code = "| a |\n|---|\n| 1 |", "```python\nx = 1\n```"
    markdown = (
        f"# Title\n\n## One\n\n{table}\n\n{code}\n\n{table}\n\n## Two, `lr`\n\n{table}\n\n"
        "$$\\frac{a}{b}$$\n"
    )
    names = re.findall(r'aria-label="([^"]+)"', converted(markdown, "web"))
    assert names == [
        "Table of “One”",
        "Code in the text of “One”",
        "Table of “One”, 2",
        "Table of “Two, lr”",
        "Formula: a over b",
    ]


@pytest.fixture
def compiled():
    """Return a function that makes a PDF of a page's Markdown."""
    work = ROOT / "build" / "handouts-trial"
    (work / "figures").mkdir(parents=True)

    def make(markdown, title="Small"):
        (work / "07_small.learner.typ").write_text(
            fragment("07_small", converted(markdown)), encoding="utf-8"
        )
        job = Job(title, ("07_small",), "learner", "a4")
        return compile_pdf(job, work=work, target=work, date=datetime.date(2026, 1, 1), version="0")

    yield make
    shutil.rmtree(work)


def test_a_link_to_a_heading_that_is_not_there_fails_the_build(compiled):
    assert compiled("# Title\n\nSee [there](#A-place).\n\n## A place\n\nText.").exists()
    with pytest.raises(BuildError, match=r"07_small\.another-place"):
        compiled("# Title\n\nSee [there](#Another-place).\n\n## A place\n\nText.")


def test_a_line_of_code_that_does_not_fit_fails_the_build(compiled):
    assert compiled(f"# Title\n\n```python\n{'x' * 100}\n```").exists()
    with pytest.raises(BuildError, match="too long to print"):
        compiled(f"# Title\n\n```python\n{'x' * 104}\n```")


def test_a_table_that_does_not_fit_fails_the_build(compiled):
    def table(n):
        cells = "".join(f"<td>column_{i}</td>" for i in range(n))
        return f"# Title\n\n```{{.table}}\n<table><tr>{cells}</tr></table>\n```"

    assert compiled(table(8)).exists()
    with pytest.raises(BuildError, match="too wide to print"):
        compiled(table(30))


ROWS = """# Title

| a | b |
|---|---|
| c | d |

```{{.table}}
<table><thead><tr><th></th><th>x</th></tr></thead>
<tbody><tr><{0}>first</{0}><td>1</td></tr><tr><{0}>second</{0}><td>2</td></tr></tbody></table>
```
"""


@pytest.mark.parametrize(("cell", "scopes"), [("th", ["/Row", "/Row"]), ("td", [])])
def test_the_names_of_rows_are_headings_in_a_pdf(compiled, cell, scopes):
    root = PdfReader(compiled(ROWS.format(cell))).trailer["/Root"]["/StructTreeRoot"]
    words, numbers = tagged(root, "/Table")
    for table, wanted in ((words, []), (numbers, scopes)):
        [body] = tagged(table, "/TBody")
        assert [found["/A"][0]["/Scope"] for found in tagged(body, "/TH")] == wanted


def test_pdf_ua_is_checked(compiled, monkeypatch):
    """typst refuses a picture without an alternative text, so that ours are really asked for."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9pt" height="9pt"/>'
    (ROOT / "build" / "handouts-trial" / "figures" / "a.svg").write_text(svg, encoding="utf-8")
    assert compiled("# Title\n\n```{.figure src=a.svg}\nNothing.\n```").exists()
    monkeypatch.setattr(builder, "FILTER", ROOT / "build" / "handouts-trial" / "without.lua")
    text = (ROOT / "handouts" / "handout.lua").read_text(encoding="utf-8")
    builder.FILTER.write_text(
        text.replace(", alt: %s)", ")").replace("quoted(source), quoted(alt)", "quoted(source)"),
        encoding="utf-8",
    )
    with pytest.raises(BuildError, match="PDF/UA-1 error: missing alt text"):
        compiled("# Title\n\n```{.figure src=a.svg}\nNothing.\n```")


def test_only_lessons_with_a_module_have_exercises():
    assert builder.exercises_of("00_start_here") == {} and "q1" in builder.exercises_of(
        "01_grid_search"
    )
