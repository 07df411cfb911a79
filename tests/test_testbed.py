"""docs/testbed.md: its tables are what the tool gives now, and its verdicts are counted rightly."""

import pandas as pd
import pytest

from tools import testbed


@pytest.mark.parametrize("section", ["made_of", "digits_budgets", "early", "shares"])
def test_the_page_has_what_the_tool_gives(section):
    assert testbed.SECTIONS[section]() in testbed.PAGE.read_text(encoding="utf-8")


def test_the_page_has_all_sections():
    text = testbed.TEXT.read_text(encoding="utf-8")
    assert all(f"{{{section}}}" in text for section in testbed.SECTIONS)
    page = testbed.PAGE.read_text(encoding="utf-8")
    assert "{" not in page and "(not measured)" not in page


def test_verdicts_count_pairs():
    judged = pd.DataFrame(
        {
            "search": ["random"] * 3 + ["other"] * 3,
            "repeat": [0, 1, 2] * 2,
            "val_loss": [0.5, 0.6, 0.7, 0.4, 0.5, 0.8],
            "fresh": [1.0, 2.0, 4.0, 2.0, 1.0, 2.0],
            "accuracy": [0.5, 0.6, 0.7, 0.8, 0.9, 0.9],
        }
    )
    _, other = testbed.verdicts(judged).itertuples(index=False)
    assert other[:4] == ("other", 0.5, 2.0, 0.9)
    assert other[4] == "2 → 2 of 3"
    assert other[5].startswith("0.79 (")  # the cube root of 2 · 1/2 · 1/2


def test_markdown():
    table = pd.DataFrame({"a": [0.12345], "b": ["x"], "c": [3]})
    assert testbed.markdown(table) == "| a | b | c |\n| --- | --- | --- |\n| 0.123 | x | 3 |"
