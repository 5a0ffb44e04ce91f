"""What a compiled function must share with the function it was compiled from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import corrente as co
from corrente.record import Gate, Params
from corrente.tracer import Traced, record
from corrente.translation import Program
from corrente.trees import take_apart


def ulps(found: Any, expected: Any) -> float:
    """Return the largest distance between finite numbers, in units of the expected one's place."""
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype.kind == "c":
        return max(ulps(found.real, expected.real), ulps(found.imag, expected.imag))
    if expected.dtype.kind != "f":
        return 0.0 if np.array_equal(found, expected) else np.inf
    finite = np.isfinite(expected)
    exact = found.astype(np.longdouble)[finite] - expected[finite]
    return float(np.max(np.abs(exact) / np.spacing(np.abs(expected[finite])), initial=0.0))


def assert_like(found: Any, expected: Any, signs: bool = True) -> None:
    """Compare Python type, dtype, shape, and where there are NaN, infinities, minus signs."""
    assert type(found) is type(expected), (type(found), type(expected))
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.dtype == expected.dtype
    assert found.shape == expected.shape
    if expected.dtype.kind == "c":
        assert_like(found.real, expected.real, signs)
        assert_like(found.imag, expected.imag, signs)
    elif expected.dtype.kind != "f":
        np.testing.assert_array_equal(found, expected)
    else:
        unknown = np.isnan(expected)
        np.testing.assert_array_equal(np.isnan(found), unknown)
        np.testing.assert_array_equal(np.isinf(found), np.isinf(expected))
        if signs:
            minus = np.signbit(found) != np.signbit(expected)
            assert not np.any(minus & ~unknown), (found[minus], expected[minus])


def assert_close(found: Any, expected: Any, tolerance: float) -> None:
    """Compare numbers, relative to the largest of them, in units of their precision."""
    found, expected = np.asarray(found), np.asarray(expected)
    if expected.dtype.kind in "fc":
        finite = np.isfinite(expected)
        apart = np.abs(found - expected)[finite]
        scale = np.max(np.abs(expected[finite]), initial=0.0)
        assert np.all(apart <= tolerance * np.finfo(expected.dtype).eps * scale), np.max(apart)


def assert_all_alike(
    found: Any, expected: Any, tolerance: float = 0.0, ulp: float = 0.0, signs: bool = True
) -> None:
    """Compare two results leaf by leaf, and how they are nested."""
    one, other = take_apart(found), take_apart(expected)
    assert one.structure == other.structure
    for a, b in zip(one.leaves, other.leaves, strict=True):
        assert_like(a, b, signs)
        if tolerance:
            assert_close(a, b, tolerance)
        else:
            assert ulps(a, b) <= ulp, (a, b)


def programs(compiled: Any) -> list[Any]:
    """Return the programs behind a compiled function."""
    return [program for known in compiled.__self__._programs.values() for program in known]


def spoil(compiled: Any) -> None:
    """Fill what programs keep to themselves with NaN, and see that they wrote nowhere else."""
    for program in programs(compiled):
        if isinstance(program, Program):
            assert program.native.unharmed()
            program.native.spoil()


def check(f: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """Compare a function with itself compiled, twice; return the compiled one.

    It must be one program that takes these arguments again, and reads nothing it did not write.
    """
    expected, compiled = f(*args), co.jit(f)
    assert_all_alike(compiled(*args), expected, **options)
    assert len(programs(compiled)) == 1
    spoil(compiled)
    assert_all_alike(compiled(*args), expected, **options)
    spoil(compiled)
    assert len(programs(compiled)) == 1
    assert not compiled.__self__._plain
    return compiled


def function_of(gate: Gate, params: Params) -> Callable[..., Any]:
    """Return a gate as a function of its inputs."""

    def f(*ins: Any) -> Any:
        traced = any(type(x) is Traced for x in ins)
        out = record(gate, ins, params) if traced else gate.forward(*ins, **params)
        return out if gate.outs == 1 else tuple(out)

    f.__name__ = gate.name
    return f


def arrangements(x: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the numbers of a matrix, or some like them, as they may lie in memory."""
    high, wide = x.shape
    yield "rows", np.ascontiguousarray(x)
    yield "columns", np.asfortranarray(x)
    yield "turned", np.ascontiguousarray(x.T).T
    yield "backwards", np.ascontiguousarray(x[::-1, ::-1])[::-1, ::-1]
    yield "backwards inside", np.ascontiguousarray(x[:, ::-1])[:, ::-1]
    spread = np.zeros((2 * high, 3 * wide), x.dtype)
    spread[::2, 1::3] = x
    yield "spread", spread[::2, 1::3]
    yield "one row", np.broadcast_to(x[:1], x.shape)
    yield "one column", np.broadcast_to(x[:, :1], x.shape)
    yield "one number", np.broadcast_to(x[0, 0], x.shape)
    fixed = x.copy()
    fixed.flags.writeable = False
    yield "read only", fixed
    odd = np.frombuffer(bytearray(x.nbytes + 1), np.uint8)[1:].view(x.dtype).reshape(x.shape)
    odd[...] = x
    yield "unaligned", odd
    field = np.zeros(x.shape, [("a", x.dtype), ("b", "i1")])
    field["a"] = x
    yield "a field", field["a"]
