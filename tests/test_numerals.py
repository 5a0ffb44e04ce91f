"""Numbers in sentences."""

from __future__ import annotations

import numpy as np
import pytest

from corrente.numerals import norm, number, size, summary


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (-2.0, "−2"),
        (0.393223866, "0.3932"),
        (1.5e-7, "1.5e−7"),
        (2.0e9, "2e9"),
        (np.float32(0.5), "0.5"),
        (np.array(7), "7"),
        (1.0 - 2.0j, "1 − 2j"),
        (True, "True"),
        (float("nan"), "nan"),
        (-float("inf"), "−inf"),
    ],
)
def test_numbers(value, written):
    assert number(value) == written


def test_arrays_by_what_matters():
    x = np.array([[1.0, -2.0], [4.0, np.nan]])
    assert summary(x).en == "shape (2, 2), min −2, mean 1, max 4, non-finite: 1"
    assert summary(x > 0).pt == "forma (2, 2), 2 de 4 verdadeiros"
    assert size(np.array([3.0, 4.0])).en == "shape (2,), norm 5"
    assert norm(np.array([[3.0], [4.0]])) == 5.0
    assert summary(np.zeros((0, 3))).en == "shape (0, 3)"
