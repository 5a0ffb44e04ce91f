"""Fourier transforms: values as NumPy's, slopes by differences, complex gradients, many axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import NotSupported

STEP = 1e-6
LINES: tuple[Any, ...] = (np.fft.fft, np.fft.ifft, np.fft.rfft, np.fft.irfft)
HALVES: tuple[Any, ...] = (*LINES, np.fft.hfft, np.fft.ihfft)
PLANES: tuple[Any, ...] = (np.fft.fft2, np.fft.ifft2, np.fft.rfft2, np.fft.irfft2)
SPACES: tuple[Any, ...] = (np.fft.fftn, np.fft.ifftn, np.fft.rfftn, np.fft.irfftn)
SHIFTS: tuple[Any, ...] = (np.fft.fftshift, np.fft.ifftshift)
NORMS = (None, "backward", "ortho", "forward")


def takes_real(f: Any) -> bool:
    return f in (np.fft.rfft, np.fft.ihfft, np.fft.rfft2, np.fft.rfftn)


def draw(shape: tuple[int, ...], whole: bool, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=shape)
    return x if whole else x + 1j * rng.normal(size=shape)


def cases() -> Iterator[Any]:
    for f, shape, kwargs in calls():
        for whole in (True,) if takes_real(f) else (True, False):
            name = f"{f.__name__} {shape} {kwargs} {'real' if whole else 'complex'}"
            yield pytest.param(f, shape, kwargs, whole, id=name)


def calls() -> Iterator[Any]:
    for f in HALVES:
        for norm in NORMS:
            yield f, (5,), {"norm": norm}
        for n in (1, 2, 3, 4, 7, 8):
            for axis in (0, -1, 1):
                yield f, (3, 5), {"n": n, "axis": axis}
        yield f, (4, 2), {"axis": 0}
    for f in (*PLANES, *SPACES):
        for kwargs in (
            {},
            {"norm": "ortho"},
            {"axes": (0, 2)},
            {"axes": (-1, 0), "s": (2, 5)},
            {"axes": (1, 2), "s": (6, -1), "norm": "forward"},
            {"axes": (1, 1)},
        ):
            yield f, (2, 3, 4), kwargs
    for f in SPACES:
        yield f, (2, 3, 2), {"axes": (2, 0, 1)}
    for f in SHIFTS:
        for axes in (None, 0, (0, 1), -1):
            yield f, (3, 4), {"axes": axes}


def inner(a: Any, b: Any) -> float:
    return float(np.sum(np.real(a * b)))


@pytest.mark.parametrize(("f", "shape", "kwargs", "whole"), list(cases()))
def test_values_and_slopes(
    f: Callable[..., Any], shape: tuple[int, ...], kwargs: dict[str, Any], whole: bool
):
    x, t = draw(shape, whole), draw(shape, whole, 1)
    y, pull = co.vjp(lambda x: f(x, **kwargs), x)
    want = f(x, **kwargs)
    np.testing.assert_allclose(y, want, rtol=1e-13, atol=1e-13)
    assert y.dtype == want.dtype
    g = draw(want.shape, want.dtype.kind == "f", 2)
    (d,) = pull(g)
    assert (d.shape, d.dtype) == (x.shape, x.dtype)
    # a transform is linear: what it makes of a direction is the slope in that direction
    slope = f(t, **kwargs)
    np.testing.assert_allclose(inner(d, t), inner(g, slope), rtol=1e-10, atol=1e-12)
    moved = co.jvp(lambda x: f(x, **kwargs), (x,), (t,))[1]
    np.testing.assert_allclose(moved, slope, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("f", [*HALVES, *PLANES, *SPACES])
def test_the_loss_of_a_spectrum_is_differentiated_twice(f: Any):
    x, t = draw((3, 4), takes_real(f)), draw((3, 4), takes_real(f), 1)

    def loss(x: Any) -> Any:
        y = f(x)
        return np.sum(np.abs(y) ** 2 * np.abs(y))

    first = co.grad(loss)
    slope = (loss(x + STEP * t) - loss(x - STEP * t)) / (2 * STEP)
    np.testing.assert_allclose(inner(first(x), t), slope, rtol=1e-7)
    weights = draw((3, 4), takes_real(f), 2)
    along = lambda x: np.sum(np.real(first(x) * weights))
    bend = (along(x + STEP * t) - along(x - STEP * t)) / (2 * STEP)
    np.testing.assert_allclose(inner(co.grad(along)(x), t), bend, rtol=1e-6)


@pytest.mark.parametrize("f", HALVES)
def test_single_precision_stays(f: Any):
    x = draw((3, 4), takes_real(f))
    x = x.astype(np.float32 if takes_real(f) else np.complex64)
    y, pull = co.vjp(f, x)
    assert y.dtype == f(x).dtype
    assert y.dtype in (np.float32, np.complex64)
    assert pull(np.ones_like(y))[0].dtype == x.dtype


@pytest.mark.parametrize("f", [*HALVES, *PLANES, *SPACES, *SHIFTS])
def test_a_batch_is_transformed_as_its_examples(f: Any):
    x = draw((3, 4, 2), takes_real(f))
    np.testing.assert_allclose(
        co.vmap(f)(x), np.stack([f(example) for example in x]), rtol=1e-12, atol=1e-12
    )


def test_frequencies_follow_a_traced_step():
    for f in (np.fft.fftfreq, np.fft.rfftfreq):
        slope = co.grad(lambda d, f=f: np.sum(f(5, d) ** 2))(0.5)
        near = [np.sum(f(5, 0.5 + step) ** 2) for step in (STEP, -STEP)]
        assert slope == pytest.approx((near[0] - near[1]) / (2 * STEP))


def test_what_numpy_refuses_is_refused():
    x = np.ones(4)
    for kwargs in ({"n": 0}, {"axis": 3}, {"norm": "sideways"}):
        with pytest.raises((ValueError, KeyError)):
            co.vjp(lambda x, kwargs=kwargs: np.fft.fft(x, **kwargs), x)
    with pytest.raises(ValueError, match="different lengths"):
        co.vjp(lambda x: np.fft.fftn(x, s=(2, 2), axes=(0,)), x)
    with pytest.raises(NotSupported, match="out"):
        co.vjp(lambda x: np.fft.fft(x, out=np.empty(4, complex)), x)


def test_a_filter_is_learned_through_its_spectrum():
    rng = np.random.default_rng(0)
    signal, kernel = rng.normal(size=16), rng.normal(size=16)
    seen = np.fft.irfft(np.fft.rfft(signal) * np.fft.rfft(kernel))

    def loss(kernel: Any) -> Any:
        made = np.fft.irfft(np.fft.rfft(signal) * np.fft.rfft(kernel))
        return np.sum((made - seen) ** 2)

    np.testing.assert_allclose(co.grad(loss)(kernel), 0.0, atol=1e-12)
    np.testing.assert_allclose(co.grad(loss)(kernel + 1.0), 2 * signal.sum() ** 2 * np.ones(16))
