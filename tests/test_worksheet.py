"""The worksheet on a file that it does not know: categories, missing values, and a rare class."""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pandas as pd
import pytest

from hpt_helpers import evidence as ev

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "06_your_own_table.ipynb"
N_ROWS = 700


def strange_table():
    """Return a table whose label follows from two of its columns, but for luck."""
    rng = np.random.default_rng(3)
    size = rng.lognormal(size=N_ROWS)
    branch = rng.choice(["bakery", "Café", "garage", "other"], size=N_ROWS, p=[0.4, 0.3, 0.2, 0.1])
    score = np.log(size) + (branch == "garage") + rng.normal(0, 0.7, N_ROWS)
    label = np.select([score > 2.2, score > 0.3], ["large", "medium"], "small")
    return pd.DataFrame(
        {
            "case number": [f"case {i}" for i in range(N_ROWS)],
            "size": np.where(rng.random(N_ROWS) < 0.2, np.nan, size),
            "branch": np.where(rng.random(N_ROWS) < 0.1, None, branch),
            "opened": pd.Timestamp("2020-01-01")
            + pd.to_timedelta(rng.integers(0, 999, N_ROWS), "D"),
            "is_open": rng.random(N_ROWS) < 0.5,
            "country": "here",
            "class": np.where(
                np.arange(N_ROWS) < 6, "rare", np.where(np.arange(N_ROWS) > 696, None, label)
            ),
        }
    )


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_becomes_features_and_labels(tmp_path, kind):
    table, path = strange_table(), tmp_path / f"strange.{kind}"
    getattr(table, f"to_{kind}")(path, **({"index": False} if kind == "csv" else {}))
    with pytest.warns(UserWarning) as caught:
        X, y = ev.read_table(path, "class")
    said = [str(warning.message) for warning in caught]
    assert said[0] == "3 of 700 rows have no 'class' and are left out"
    assert "['case number', 'country']" in said[1]
    assert len(X) == len(y) == 697 and list(y[:6]) == ["rare"] * 6
    expected = {"size": "float64", "branch": "category", "is_open": "float64"}
    assert {name: str(X[name].dtype) for name in expected} == expected
    assert X["size"].isna().sum() == table["size"][:697].isna().sum()
    assert X["opened"][0] == (table["opened"][0] - pd.Timestamp("1970-01-01")).days


def test_what_cannot_be_read_is_refused_by_name(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"a": [1, 2], "y": [0, 1], "id": ["p", "q"]}).to_csv(path, index=False)
    with pytest.raises(ValueError, match=r"target is 'z'; the columns are \['a', 'y', 'id'\]"):
        ev.read_table(path, "z")
    with pytest.raises(ValueError, match=r"a \.csv or a \.parquet file is needed"):
        ev.read_table(tmp_path / "t.xlsx", "y")
    with pytest.raises(FileNotFoundError):
        ev.read_table(tmp_path / "none.csv", "y")
    pd.DataFrame({"a": [3, 2, 9], "y": [0, 1, 1]}).to_csv(path)  # with its index
    with pytest.warns(UserWarning, match="Unnamed: 0"):
        assert list(ev.read_table(path, "y")[0]) == ["a"]
    pd.DataFrame({"a": [1, 1], "y": [0, 1]}).to_csv(path, index=False)
    with pytest.warns(UserWarning), pytest.raises(ValueError, match=r"no column of t\.csv but 'y'"):
        ev.read_table(path, "y")


# --- the worksheet --------------------------------------------------------------------------------


def run_cell(code, names):
    """Run a cell and return the value of its last line, if that is an expression."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, "cell", "exec"), names)
    if last is not None:
        return eval(compile(ast.Expression(last.value), "cell", "eval"), names)


def test_the_worksheet_runs_on_a_file_that_it_does_not_know(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    strange_table().to_csv("strange.csv", index=False)
    cells = [c.source for c in nbformat.read(NOTEBOOK, as_version=4).cells if c.cell_type == "code"]
    top = cells[0].replace(
        'FILE, TARGET = None, "progression"', 'FILE, TARGET = "strange.csv", "class"'
    )
    top = re.sub(r"N_TEST, N_VAL = .*", "N_TEST, N_VAL = 200, 150", top)
    top = re.sub(r"BUDGET, N_EPOCHS = .*", "BUDGET, N_EPOCHS = 40, 27", top)
    assert "strange.csv" in top and "200, 150" in top and "40, 27" in top
    names = {}
    with pytest.warns(UserWarning, match="left out"):
        for cell in [top, *cells[1:]]:
            run_cell(cell, names)
            plt.close("all")
    page = (tmp_path / "evidence" / "report.md").read_text(encoding="utf-8")
    assert "On the sealed rows: log loss" in page
    assert {"rare", "large", "medium", "small"} == set(names["labels"])
    assert names["compared"].verdict in ("ours", "unclear", "theirs")
    # the claim holds on the rows kept back: the winner beats one that knows the shares alone
    _, sealed = names["rows"].sealed()
    shares = pd.Series(sealed).value_counts(normalize=True)
    assert names["score"].high < -(shares * np.log(shares)).sum()
    assert "sealed rows" in capsys.readouterr().out
