from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from corrente.figures import clip, number, span, summarise, tile


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-12.0, "-12"),
        (0.39321, "0.3932"),
        (1.2e-07, "1.2e-07"),
        (12345.678, "12346"),
        (1234567.0, "1.235e+06"),
        (-0.0, "0"),
        (7, "7"),
        (10**13, "1.000e+13"),
        (10**400, "~2^1328"),
        (True, "True"),
        (np.float32(0.1), "0.1"),
        (np.int64(-3), "-3"),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (1 + 2j, "1+2j"),
        ("a\nb", "a b"),
    ],
)
def test_number(value, text):
    assert number(value) == text


@given(st.floats(-1e300, 1e300, allow_subnormal=False))
def test_a_number_keeps_four_digits(x):
    assert float(number(x)) == pytest.approx(x, rel=5.1e-4)


@pytest.mark.parametrize(
    ("value", "lines", "alarm"),
    [
        (3.0, ("3",), False),
        (np.array(2.5), ("2.5",), False),
        (float("inf"), ("! inf",), True),
        (np.array([1.0, 2.0, 3.5]), ("[1, 2, 3.5]",), False),
        (np.array([1.0, np.nan]), ("! [1, nan]",), True),
        (np.arange(6).reshape(2, 3), ("(2, 3)", "0 ≤ 2.5 ≤ 5"), False),
        (np.array([[1, 2], [3, 2**40]]), ("(2, 2)", "1 ≤ 2.75e+11 ≤ 1.10e+12"), False),
        (np.ones((4, 1)), ("(4, 1)", "≡ 1"), False),
        (np.array([True, False, True, True]), ("(4,)", "True 3/4"), False),
        (np.zeros((0, 3)), ("(0, 3)", "∅"), False),
        (np.array(["a", "b", "c", "d"]), ("(4,)", "<U1"), False),
        (np.array([3 + 4j, 0, 0, 0]), ("(4,)", "|·| 0 ≤ 1.25 ≤ 5"), False),
        (np.array([np.nan, np.inf, 1.0, 3.0]), ("(4,) ! 1 nan, 1 inf", "1 ≤ 2 ≤ 3"), True),
        (np.full(4, np.nan), ("(4,) ! 4 nan", "∅"), True),
    ],
)
def test_summary(value, lines, alarm):
    figure = summarise(value)
    assert figure.lines == lines
    assert figure.alarm is alarm


def test_the_mean_of_huge_numbers_does_not_overflow():
    huge = np.full(4, 1.7e308)
    huge[0] = 1.6e308
    assert summarise(huge).lines[1] == "1.6e+308 ≤ 1.68e+308 ≤ 1.7e+308"
    half = np.full(5000, 60000.0, np.float16)
    half[0] = 50000
    assert summarise(half).lines[1] == "49984 ≤ 59998 ≤ 60000"


def test_a_mean_that_is_only_rounding_is_zero():
    assert summarise(np.array([1.0, -1.0, 3e-16, 0.0])).lines[1] == "-1 ≤ 0 ≤ 1"
    assert summarise(np.array([1.0, -1.0, 4e-9, 0.0])).lines[1] == "-1 ≤ 1e-09 ≤ 1"


def test_full_text_tells_the_dtype():
    assert "float32" in summarise(np.ones((2, 3), np.float32)).full
    assert summarise(2.0).full == "2 (float)"
    assert summarise(np.float32(2)).full == "2 (float32)"


@pytest.mark.parametrize("shape", [(5,), (3, 4), (9, 17), (100, 8), (2, 3, 4), (1, 1, 30)])
def test_a_tile_is_small_and_scaled(shape):
    grid = tile(np.random.default_rng(0).normal(size=shape))
    assert 1 <= len(grid) <= 8
    assert 1 <= len(grid[0]) <= 8
    cells = [cell for row in grid for cell in row]
    assert all(cell is not None and -1 <= cell <= 1 for cell in cells)
    assert max(abs(cell) for cell in cells if cell is not None) == 1


def test_a_tile_averages_blocks():
    array = np.zeros((16, 16))
    array[:2, :2] = [[1, 3], [5, 7]]
    array[2:4, :2] = -2
    grid = tile(array)
    assert grid[0][0] == 1
    assert grid[1][0] == -0.5
    assert grid[7][7] == 0


def test_a_tile_leaves_out_what_is_not_finite():
    assert tile(np.array([[np.nan, np.inf], [1e308, -1e308]])) == ((None, None), (1.0, -1.0))


def test_a_tile_only_where_there_is_something_to_see():
    assert summarise(np.arange(3.0)).tile is None
    assert summarise(np.arange(4.0)).tile is not None
    assert summarise(1.0).tile is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.3333, "0.33"),
        (np.array([2.0, 2.0]), "2"),
        (np.array([-1.0, 0.5, np.nan]), "!-1…0.5"),
        (np.array([np.nan]), "!nan"),
        (np.array([]), "∅"),
        (np.array([1j, 2.0]), "1…2"),
    ],
)
def test_span(value, text):
    assert span(value) == text


def test_clip_marks_what_it_cut():
    assert clip("abcdef", 6) == "abcdef"
    assert clip("abcdefg", 6) == "abcde…"
