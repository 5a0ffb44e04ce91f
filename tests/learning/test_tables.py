"""Tables: separators, decimal commas, encodings, dates, holes, and files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from corrente.errors import BadArgument, BadValue
from corrente.learning.tables import read

pandas = pytest.importorskip("pandas")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("a,b,c\n1.5,x,true\n,,false\n", "utf-8"),
        ("a;b;c\n1,5;x;true\n;;false\n", "utf-8"),
        ("a\tb\tc\n1.5\tx\ttrue\n\t\tfalse\n", "utf-8-sig"),
    ],
)
def test_separators_and_decimals_are_found(tmp_path: Path, text: str, encoding: str):
    (tmp_path / "t.csv").write_text(text, encoding=encoding)
    table = read(str(tmp_path / "t.csv"))
    assert list(table) == ["a", "b", "c"]
    assert table["a"].dtype == float
    assert table["a"][0] == 1.5
    assert np.isnan(table["a"][1])
    assert table["b"].tolist() == ["x", None]
    assert table["c"].tolist() == ["true", "false"]


def test_other_encodings_are_read(tmp_path: Path):
    (tmp_path / "t.csv").write_bytes("cidade;área\nSão Paulo;1,5\n".encode("latin-1"))
    table = read(str(tmp_path / "t.csv"))
    assert table["cidade"].tolist() == ["São Paulo"]
    assert table["área"].tolist() == [1.5]


def test_dates_are_days_in_csv_and_parquet_alike(tmp_path: Path):
    pytest.importorskip("pyarrow")
    days = pandas.to_datetime(["1970-01-03", None, "1969-12-31 12:00"], format="ISO8601")
    frame = pandas.DataFrame({"day": days, "n": [1, 2, 3]})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        found = read(str(tmp_path / name))["day"]
        np.testing.assert_array_equal(found, [2.0, np.nan, -0.5])


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.csv", b"", "cannot be read"),
        ("t.csv", b"a,b\n", "holds no rows"),
        ("t.csv", b"a,b\n1,2\n1,2,3,4\n", "cannot be read"),
        ("t.parquet", b"no parquet", "cannot be read"),
    ],
)
def test_files_that_are_no_tables_are_told(tmp_path: Path, name: str, content: bytes, said: Any):
    pytest.importorskip("pyarrow")
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadValue, match=said):
        read(str(tmp_path / name))


def test_a_missing_file_is_told(tmp_path: Path):
    with pytest.raises(BadArgument, match="there is no file"):
        read(str(tmp_path / "none.csv"))
