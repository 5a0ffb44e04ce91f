"""Fourier transforms: four gates of one axis, and the many-axes forms made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np

from corrente.gates.calls import Axis, along, axis_of, numbers, refuse, written
from corrente.record import Call, Opaque, Pull, Shape, call, composed, gate
from corrente.words import Says

Norm = Literal["backward", "ortho", "forward"] | None

# the norm that scales the inverse as this one scales the transform
_OPPOSITE: dict[str, Norm] = {"backward": "forward", "ortho": "ortho", "forward": "backward"}


def _takes(name: str, usual: Callable[[int], int]) -> Callable[..., Call]:
    def takes(
        a: Any, n: int | None = None, axis: int = -1, norm: Norm = None, out: Any = None
    ) -> Call:
        refuse(f"fft.{name}", out=out)
        axis = axis_of(axis, a)
        n = usual(np.shape(a)[axis]) if n is None else numbers(n)[0]
        return call(a, n=n, axis=axis, norm=norm or "backward")

    return takes


def _shaped(length: Callable[[int], int]) -> Callable[..., Shape]:
    def shape(x: Shape, n: int, axis: int, norm: str) -> Shape:
        return (*x[:axis], length(n), *x[axis + 1 :])

    return shape


def _batched(of: Callable[..., Any]) -> Callable[..., Any]:
    return lambda x, n, axis, norm: of(x, n, axis + 1, norm)


def _same(n: int) -> int:
    return n


def _half(n: int) -> int:
    """Return how many frequencies of n real numbers are not mirror images of others."""
    return n // 2 + 1


def _cut(d: Any, x: Any, axis: int) -> Any:
    """Give d the length of x: what was cut off receives 0, what was padded sends nothing."""
    length, have = np.shape(x)[axis], np.shape(d)[axis]
    d = d[along(axis, slice(0, length))] if have > length else d
    if have >= length:
        return d
    shape = (*np.shape(d)[:axis], length - have, *np.shape(d)[axis + 1 :])
    return np.concatenate([d, np.zeros(shape, np.result_type(d))], axis=axis)


def _symmetric(of: Callable[..., Any]) -> Pull:
    """Make the pull of a transform whose matrix is symmetric: the transform itself."""
    return lambda g, out, x, n, axis, norm: _cut(of(g, n, axis, norm), x, axis)


def _weighed(d: Any, n: int, axis: int, inner: float) -> Any:
    """Weigh the frequencies that stand for two, themselves and their mirror image."""
    count = _half(n)
    edges = (0, n // 2) if n % 2 == 0 else (0,)
    weights = [1.0 if k in edges else inner for k in range(count)]
    real = np.result_type(d).type(0).real.dtype
    return d * np.reshape(np.array(weights, real), (count, *(1,) * (np.ndim(d) - axis - 1)))


def _pull_rfft(g: Any, out: Any, x: Any, n: int, axis: int, norm: str) -> Any:
    halved = _weighed(np.conjugate(g), n, axis, 0.5)
    return _cut(np.fft.irfft(halved, n, axis, _OPPOSITE[norm]), x, axis)


def _pull_irfft(g: Any, out: Any, x: Any, n: int, axis: int, norm: str) -> Any:
    d = np.conjugate(np.fft.rfft(g, n, axis, _OPPOSITE[norm]))
    return _cut(_weighed(d, n, axis, 2.0), x, axis)


def _example(rng: np.random.Generator) -> Call:
    return call(rng.normal(size=(3, 5, 2)), n=6, axis=1, norm="ortho")


def _code(name: str) -> Callable[..., str]:
    return written(f"fft.{name}", norm="backward")


_WAVES = Says(
    en="measures how much of each wave there is in {0}",
    pt="mede quanto de cada onda há em {0}",
)
_BACK = Says(en="adds up waves of the sizes {0}", pt="soma ondas dos tamanhos {0}")
_ITSELF = Says(
    en="transforms the gradient in the same way: a wave in turn weighs every element",
    pt="transforma o gradiente do mesmo modo: cada onda, por sua vez, pesa todos os elementos",
)
_MIRRORED = Says(
    en="transforms the gradient back, counting every wave and its mirror image",
    pt="transforma o gradiente de volta, contando cada onda e a sua imagem no espelho",
)

fft = gate(
    np.fft.fft,
    kind=Opaque(batch=_batched(np.fft.fft)),
    takes=_takes("fft", _same),
    shape=_shaped(_same),
    pulls=(_symmetric(np.fft.fft),),
    linear=(0,),
    symbol="FFT",
    code=_code("fft"),
    does=_WAVES,
    teaches=_ITSELF,
    example=_example,
    facts=("linear",),
)

ifft = gate(
    np.fft.ifft,
    kind=Opaque(batch=_batched(np.fft.ifft)),
    takes=_takes("ifft", _same),
    shape=_shaped(_same),
    pulls=(_symmetric(np.fft.ifft),),
    linear=(0,),
    symbol="FFT⁻¹",
    code=_code("ifft"),
    does=_BACK,
    teaches=_ITSELF,
    example=_example,
    facts=("linear",),
)

rfft = gate(
    np.fft.rfft,
    kind=Opaque(batch=_batched(np.fft.rfft)),
    takes=_takes("rfft", _same),
    shape=_shaped(_half),
    pulls=(_pull_rfft,),
    linear=(0,),
    symbol="rFFT",
    code=_code("rfft"),
    does=_WAVES,
    teaches=_MIRRORED,
    example=_example,
    facts=("linear",),
)

irfft = gate(
    np.fft.irfft,
    kind=Opaque(batch=_batched(np.fft.irfft)),
    takes=_takes("irfft", lambda length: 2 * (length - 1)),
    shape=_shaped(_same),
    pulls=(_pull_irfft,),
    linear=(0,),
    symbol="rFFT⁻¹",
    code=_code("irfft"),
    does=_BACK,
    teaches=_MIRRORED,
    example=_example,
    facts=("linear",),
)


# --- the spectrum is real -----------------------------------------------------------------------


@composed(np.fft.hfft)
def _hfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    """Transform half of a mirrored signal: the inverse, of the conjugate, scaled the other way."""
    n = 2 * (np.shape(a)[axis] - 1) if n is None else n
    return np.fft.irfft(np.conjugate(a), n, axis, _OPPOSITE[norm or "backward"])


@composed(np.fft.ihfft)
def _ihfft(a: Any, n: int | None = None, axis: int = -1, norm: Norm = None) -> Any:
    n = np.shape(a)[axis] if n is None else n
    return np.conjugate(np.fft.rfft(a, n, axis, _OPPOSITE[norm or "backward"]))


# --- several axes: one after the other ----------------------------------------------------------


def _places(a: Any, s: Sequence[int] | None, axes: Axis) -> list[tuple[int, int]]:
    """Pair each axis with the length asked for; −1, or nothing said, means its own."""
    if axes is None:
        axes = range(-len(s), 0) if s is not None else range(np.ndim(a))
    places = [axis_of(axis, a) for axis in numbers(axes)] if np.size(axes) else []
    whole = [np.shape(a)[axis] for axis in places]
    asked = whole if s is None else list(s)
    if len(asked) != len(places):
        raise ValueError("Shape and axes have different lengths.")
    lengths = (n if k == -1 else k for k, n in zip(asked, whole, strict=True))
    return list(zip(places, lengths, strict=True))


def _one_by_one(of: Callable[..., Any], a: Any, places: Any, norm: Norm) -> Any:
    for axis, n in reversed(places):
        a = of(a, n, axis, norm)
    return a


@composed(np.fft.fftn)
def _fftn(a: Any, s: Any = None, axes: Axis = None, norm: Norm = None) -> Any:
    return _one_by_one(np.fft.fft, a, _places(a, s, axes), norm)


@composed(np.fft.ifftn)
def _ifftn(a: Any, s: Any = None, axes: Axis = None, norm: Norm = None) -> Any:
    return _one_by_one(np.fft.ifft, a, _places(a, s, axes), norm)


@composed(np.fft.rfftn)
def _rfftn(a: Any, s: Any = None, axes: Axis = None, norm: Norm = None) -> Any:
    *rest, (axis, n) = _places(a, s, axes)
    return _one_by_one(np.fft.fft, np.fft.rfft(a, n, axis, norm), rest, norm)


@composed(np.fft.irfftn)
def _irfftn(a: Any, s: Any = None, axes: Axis = None, norm: Norm = None) -> Any:
    *rest, (axis, n) = _places(a, s, axes)
    for place, length in rest:
        a = np.fft.ifft(a, length, place, norm)
    return np.fft.irfft(a, 2 * (n - 1) if s is None else n, axis, norm)


@composed(np.fft.fft2)
def _fft2(a: Any, s: Any = None, axes: Axis = (-2, -1), norm: Norm = None) -> Any:
    return _fftn(a, s, axes, norm)


@composed(np.fft.ifft2)
def _ifft2(a: Any, s: Any = None, axes: Axis = (-2, -1), norm: Norm = None) -> Any:
    return _ifftn(a, s, axes, norm)


@composed(np.fft.rfft2)
def _rfft2(a: Any, s: Any = None, axes: Axis = (-2, -1), norm: Norm = None) -> Any:
    return _rfftn(a, s, axes, norm)


@composed(np.fft.irfft2)
def _irfft2(a: Any, s: Any = None, axes: Axis = (-2, -1), norm: Norm = None) -> Any:
    return _irfftn(a, s, axes, norm)


# --- zero in the middle -------------------------------------------------------------------------


def _shifted(x: Any, axes: Axis, shift: Callable[[int], int]) -> Any:
    places = tuple(range(np.ndim(x))) if axes is None else numbers(axes)
    return np.roll(x, tuple(shift(np.shape(x)[axis]) for axis in places), places)


@composed(np.fft.fftshift)
def _fftshift(x: Any, axes: Axis = None) -> Any:
    return _shifted(x, axes, lambda n: n // 2)


@composed(np.fft.ifftshift)
def _ifftshift(x: Any, axes: Axis = None) -> Any:
    return _shifted(x, axes, lambda n: -(n // 2))
