"""A call on traced values does what NumPy does: value, dtype, slopes of both orders, float32."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest

import corrente as co
from corrente.interpreter import interpret
from corrente.trees import take_apart


class Same(NamedTuple):
    """A function of arrays and where it is compared with NumPy."""

    function: Callable[..., Any]
    args: tuple[Any, ...]

    def check_value(self) -> None:
        """Compare what comes out under a trace, and what the circuit gives, with NumPy."""
        self._compare(self.args)

    def check_single(self) -> None:
        """Compare in single precision: the dtype is NumPy's, and the gradient stays narrow."""
        narrow = tuple(np.asarray(x, _narrow(x)) for x in self.args)
        self._compare(narrow, rtol=1e-4)
        value, pull = co.vjp(self.function, *narrow)
        given = take_apart(value)
        g = given.build([np.ones(np.shape(y), np.result_type(y))[()] for y in given.leaves])
        for gradient, x in zip(pull(g), narrow, strict=True):
            assert gradient.dtype == x.dtype
            assert gradient.shape == x.shape

    def check_slopes(self, **options: Any) -> None:
        """Compare gradients and second derivatives, in both modes, with differences."""
        assert co.check_grads(self.function, self.args, order=2, **options).comparisons

    def _compare(self, args: tuple[Any, ...], rtol: float = 1e-13) -> None:
        expected = take_apart(self.function(*args)).leaves
        program = co.trace(self.function)(*args)
        found = take_apart(program.value).leaves
        again = interpret(program.circuit, *args)
        for a, b, c in zip(found, expected, again, strict=True):
            assert np.shape(a) == np.shape(b) == np.shape(c)
            assert np.result_type(a) == np.result_type(b) == np.result_type(c)
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol)
            np.testing.assert_array_equal(c, a)


def _narrow(x: Any) -> Any:
    return np.complex64 if np.iscomplexobj(x) else np.float32


def same(name: str, function: Callable[..., Any], *args: Any) -> Any:
    """Name a comparison for pytest."""
    return pytest.param(Same(function, args), id=name)


def spaced(seed: int, *shape: int) -> Any:
    """Draw numbers in any order, no two of which a small step makes equal."""
    rng = np.random.default_rng(seed)
    steps = 0.3 * np.arange(np.prod(shape, dtype=int)) - 1.04
    return rng.permutation(steps + rng.uniform(-0.1, 0.1, steps.shape)).reshape(shape)


def smooth(seed: int, *shape: int, low: float = 0.3, high: float = 2.0) -> Any:
    """Draw numbers from an interval."""
    return np.random.default_rng(seed).uniform(low, high, shape)


def without(x: Any, *places: Any) -> Any:
    """Return x with NaN at some places."""
    x = np.copy(x)
    for place in places:
        x[place] = np.nan
    return x
