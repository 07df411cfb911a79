"""A file of yours as features and labels, as boosting takes them."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd

from hpt_helpers.warn import warn_caller

MOST_CATEGORIES = 255  # that scikit-learn's boosting takes


def read_table(path: str | Path, target: str) -> tuple[pd.DataFrame, np.ndarray]:
    """Read a CSV or Parquet file; return X, shape (n_rows, n_features), and y, shape (n_rows,).

    target: the column to predict. Columns of text become categories, of which boosting with
    `categorical_features="from_dtype"` makes use; dates, in a CSV such as 2026-12-03, become days
    since 1970. Missing values of
    the features stay missing. Rows without a target are left out, and so are columns that hold one
    value only, the numbers of the rows, or text with more than 255 values, such as names; each with
    a warning. A column that is known only after the target must be left out by you.
    A Parquet file needs pyarrow.
    Raises ValueError for a file of another kind, for a target that it has no column of, and where
    no feature is left; FileNotFoundError where there is no file.
    """
    path = Path(os.fspath(path))
    readers = {".csv": pd.read_csv, ".parquet": pd.read_parquet}
    if path.suffix.lower() not in readers:
        raise ValueError(f"path is {os.fspath(path)!r}; a .csv or a .parquet file is needed")
    table = readers[path.suffix.lower()](path)
    if target not in table:
        raise ValueError(f"target is {target!r}; the columns are {list(table.columns)}")
    if n_missing := int(table[target].isna().sum()):
        warn_caller(f"{n_missing} of {len(table)} rows have no {target!r} and are left out")
        table = table.dropna(subset=[target])
    features = {name: _feature(table[name]) for name in table.columns.drop(target)}
    useless = [name for name, column in features.items() if _is_useless(column)]
    if useless:
        warn_caller(
            f"columns with one value, numbers of rows, or too many texts are left out: {useless}"
        )
    X = pd.DataFrame({n: column for n, column in features.items() if n not in useless})
    if X.empty:
        raise ValueError(f"no column of {path.name} but {target!r} can be a feature")
    return X.reset_index(drop=True), table[target].to_numpy()


def _feature(column: pd.Series) -> pd.Series:
    if pd.api.types.is_bool_dtype(column) or pd.api.types.is_numeric_dtype(column):
        return column.astype("float64")
    try:
        dates = pd.to_datetime(column, format="ISO8601")
    except (ValueError, TypeError):
        return column.astype("category")
    return (dates - pd.Timestamp("1970-01-01")) / pd.Timedelta(days=1)


def _is_useless(column: pd.Series) -> bool:
    n = len(column.dropna().unique())
    rows = np.arange(len(column))
    if column.dtype == "float64" and any(np.array_equal(column, rows + k) for k in (0, 1)):
        return True  # the numbers of the rows, as of a table's index
    return n < 2 or (isinstance(column.dtype, pd.CategoricalDtype) and n > MOST_CATEGORIES)
