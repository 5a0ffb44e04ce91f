"""Tables in files, CSV or Parquet: columns of numbers (NaN where missing) or of text (None)."""

from __future__ import annotations

import os
import re
from typing import Any

import numpy as np

from corrente.errors import BadArgument, BadValue
from corrente.extras import load
from corrente.words import Says

Table = dict[str, np.ndarray]

_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ][\d:.]+)?")
_SEPARATORS = ",;\t|"


def read(path: str) -> Table:
    """Read a CSV or Parquet file; raise BadArgument or BadValue that says what is wrong with it.

    The separator of a CSV file is found by itself, and so are commas in decimal numbers.
    """
    if not os.path.isfile(path):
        raise BadArgument(
            Says("there is no file {0}.", "não há arquivo {0}.").fill(path),
            Says("give the path of a CSV or Parquet file.", "dê o caminho de um CSV ou Parquet."),
            False,
        )
    pandas = load("pandas", "data", Says("reading tables", "para ler tabelas"))
    try:
        if path.endswith((".parquet", ".pq")):
            frame = pandas.read_parquet(path)
        else:
            frame = _csv(pandas, path)
    except (ValueError, OSError) as error:
        raise BadValue(
            Says("{0} cannot be read: {1}", "não foi possível ler {0}: {1}").fill(path, error),
            Says(
                "a CSV file with a line of names first, or a Parquet file.",
                "um CSV com uma linha de nomes no começo, ou um Parquet.",
            ),
            False,
        ) from error
    if not len(frame):
        raise BadValue(
            Says("{0} holds no rows.", "{0} não tem linhas.").fill(path),
            Says("give a table with rows.", "dê uma tabela com linhas."),
            False,
        )
    return {str(name): _column(pandas, frame[name]) for name in frame.columns}


def _csv(pandas: Any, path: str) -> Any:
    encoding = _encoding(path)
    with open(path, encoding=encoding, newline="") as file:
        head = file.readline()
    separator = max(_SEPARATORS, key=head.count)
    # where ; parts the columns, a comma is the decimal point
    decimal = "," if separator == ";" else "."
    return pandas.read_csv(
        path, sep=separator, decimal=decimal, encoding=encoding, skipinitialspace=True
    )


def _encoding(path: str) -> str:
    try:
        with open(path, encoding="utf-8-sig") as file:
            for _ in file:
                pass
    except UnicodeDecodeError:
        return "latin-1"
    return "utf-8-sig"


def _column(pandas: Any, series: Any) -> np.ndarray:
    kind = pandas.api.types
    if kind.is_bool_dtype(series.dtype) and not series.isna().any():
        return _text(series.map({True: "true", False: "false"}))
    if kind.is_numeric_dtype(series.dtype) and not kind.is_bool_dtype(series.dtype):
        return series.to_numpy(dtype=np.float64, na_value=np.nan)
    if kind.is_datetime64_any_dtype(series.dtype):
        return _days(pandas, series)
    present = series.dropna()
    if len(present) and all(_DATE.fullmatch(str(value)) for value in present):
        return _days(pandas, pandas.to_datetime(series, errors="coerce", format="ISO8601"))
    return _text(series)


def _days(pandas: Any, series: Any) -> np.ndarray:
    """Return dates as days since 1970, NaN where there is none."""
    first = pandas.Timestamp(0, tz=series.dt.tz)
    return ((series - first).dt.total_seconds() / 86400.0).to_numpy(np.float64)


def _text(series: Any) -> np.ndarray:
    values = [None if missing else str(v) for v, missing in zip(series, series.isna(), strict=True)]
    found = np.empty(len(values), object)
    found[:] = values
    return found
