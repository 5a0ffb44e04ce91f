"""What Python's own numbers refuse, a compiled function refuses as well."""

from __future__ import annotations

import numpy as np
import pytest

import corrente as co


def test_a_float_divided_by_zero_raises_as_in_python_also_once_compiled():
    f = co.jit(lambda x: 1.0 / x)
    assert f(4.0) == 0.25
    with pytest.raises(ZeroDivisionError):
        f(0.0)
    assert f(2.0) == 0.5


def test_numpys_numbers_go_on_to_infinity():
    f = co.jit(lambda x: 1.0 / x)
    with np.errstate(divide="ignore"):
        assert f(np.float64(0.0)) == np.inf
        np.testing.assert_array_equal(f(np.array([0.0, 2.0])), [np.inf, 0.5])


def test_a_root_of_a_negative_float_is_complex_as_in_python():
    f = co.jit(lambda x: x**0.5)
    assert f(4.0) == 2.0
    assert f(-4.0) == (-4.0) ** 0.5
    assert type(f(-4.0)) is complex
