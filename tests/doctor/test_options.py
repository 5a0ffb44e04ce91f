"""What a diagnosis is asked with: what makes no sense is refused, in both languages."""

from __future__ import annotations

import numpy as np
import pytest

from corrente.doctor import diagnose
from corrente.errors import BadArgument, BadValue


def squares(w, X, y):
    return np.mean((X @ w - y) ** 2)


def data(rows=12):
    rng = np.random.default_rng(0)
    return np.zeros(3), rng.normal(size=(rows, 3)), rng.normal(size=rows)


@pytest.mark.parametrize(
    ("options", "kind", "word"),
    [
        ({"rate": -1}, BadValue, "rate=-1 "),
        ({"rate": 0.0}, BadValue, "rate=0.0 "),
        ({"rate": float("nan")}, BadValue, "rate=nan "),
        ({"rate": float("inf")}, BadValue, "rate=inf "),
        ({"rate": "auto"}, BadValue, "rate='auto' "),
        ({"rate": True}, BadValue, "rate=True "),
        ({"steps": -4}, BadValue, "steps=-4 "),
        ({"steps": 2.5}, BadValue, "steps=2.5 "),
        ({"steps": True}, BadValue, "steps=True "),
        ({"shards": "a"}, BadArgument, "shards"),
        ({"shards": [1]}, BadArgument, "shards"),
        ({"columns": "age"}, BadValue, "columns='age' "),
        ({"columns": 3}, BadValue, "columns=3 "),
        ({"columns": ["age", "size"]}, BadValue, "X: 3"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options, kind, word):
    with pytest.raises(kind) as raised:
        diagnose(squares, *data(), **options)
    error = raised.value
    assert word in error.what.en
    assert word in error.what.pt
    assert error.what.en != error.what.pt
    assert error.mend.en != error.mend.pt
    assert "test_options.py" in str(error)


def test_options_that_make_sense_are_taken():
    found = diagnose(
        squares, *data(), rate=np.float32(0.1), steps=np.int64(5), columns=np.array(["a", "b", "c"])
    )
    assert found.contributions is not None


def test_columns_may_be_those_of_data_closed_over():
    w, X, y = data()
    assert diagnose(lambda w: squares(w, X, y), w, columns=["a", "b", "c"]).value > 0
    with pytest.raises(BadValue, match="as many columns"):
        diagnose(lambda w: squares(w, X, y), w, columns=["a"])
    with pytest.raises(BadValue, match="none have any"):
        diagnose(lambda w: np.sum(w**2), w, columns=["a"])


def test_what_is_no_function_is_refused():
    with pytest.raises(BadArgument, match="must be a function; this is int"):
        diagnose(3, np.ones(2))  # type: ignore[arg-type]


def test_data_without_rows_are_refused():
    with pytest.raises(BadValue, match=r"argument 1 has no rows: its shape is \(0, 3\)") as raised:
        diagnose(squares, *data(0))
    assert "não tem linhas" in raised.value.what.pt
    assert diagnose(lambda w, x: np.sum(w[0] ** 2), (np.ones(2), np.zeros(0)), 1.0).value == 2
