"""Sampled functions: differences, slopes, areas, interpolation, phases and convolution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.gates.calls import Axis, along, axes_of, axis_of
from corrente.gates.given import given, in_type, readable
from corrente.record import Call, Opaque, Shape, call, composed, gate
from corrente.words import Says

# --- differences and slopes ---------------------------------------------------------------------


@composed(np.ediff1d)
def _ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    row = np.ravel(given(ary))
    parts = [row[1:] - row[:-1]]
    if to_begin is not None:
        parts.insert(0, in_type(np.ravel(given(to_begin)), row.dtype))
    if to_end is not None:
        parts.append(in_type(np.ravel(given(to_end)), row.dtype))
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


def _spacings(f: Any, varargs: Sequence[Any], axes: Sequence[int]) -> list[Any]:
    """Return the distance between samples for each axis: a number, or one for each gap."""
    if not varargs:
        return [1.0] * len(axes)
    if len(varargs) == 1 and np.ndim(varargs[0]) == 0:
        return [varargs[0]] * len(axes)
    if len(varargs) != len(axes):
        raise TypeError("invalid number of arguments")
    return [_gaps(x, np.shape(f)[k]) for x, k in zip(varargs, axes, strict=True)]


def _gaps(x: Any, length: int) -> Any:
    if np.ndim(x) == 0:
        return x
    x = given(x)
    if np.ndim(x) != 1:
        raise ValueError("distances must be either scalars or 1d")
    if len(x) != length:
        raise ValueError("when 1d, distances must match the length of the corresponding dimension")
    return np.diff(np.astype(x, np.float64) if x.dtype.kind in "iu" else x)


def _slopes(f: Any, gaps: Any, axis: int, edge_order: int) -> Any:
    """Return the slope at each sample: of a parabola inside, of a line or parabola at the ends."""
    if np.shape(f)[axis] < edge_order + 1:
        raise ValueError(
            "Shape of array too small to calculate a numerical gradient, "
            "at least (edge_order + 1) elements are required."
        )
    even = np.ndim(gaps) == 0
    if not even:
        gaps = np.reshape(gaps, (-1,) + (1,) * (np.ndim(f) - axis - 1))

    def at(start: int | None, stop: int | None) -> Any:
        return f[along(axis, slice(start, stop))]

    def gap(start: int | None, stop: int | None) -> Any:
        return gaps if even else gaps[start:stop]

    if even:
        inner = (at(2, None) - at(None, -2)) / (2.0 * gaps)
    else:
        h, k = gap(None, -1), gap(1, None)
        inner = (
            -k / (h * (h + k)) * at(None, -2)
            + (k - h) / (h * k) * at(1, -1)
            + h / (k * (h + k)) * at(2, None)
        )
    if edge_order == 1:
        first = (at(1, 2) - at(0, 1)) / gap(0, 1)
        last = (at(-1, None) - at(-2, -1)) / gap(-1, None)
    else:
        h, k = gap(0, 1), gap(1, 2)
        first = _parabola(h, k, at(0, 1), at(1, 2), at(2, 3))
        h, k = gap(-1, None), gap(-2, -1)
        last = -_parabola(h, k, at(-1, None), at(-2, -1), at(-3, -2))
    return in_type(np.concatenate([first, inner, last], axis=axis), f.dtype)


def _parabola(h: Any, k: Any, first: Any, second: Any, third: Any) -> Any:
    """Return the slope, at the first of three samples, of the parabola through them."""
    return (
        -(2.0 * h + k) / (h * (h + k)) * first
        + (h + k) / (h * k) * second
        - h / (k * (h + k)) * third
    )


@composed(np.gradient)
def _gradient(f: Any, *varargs: Any, axis: Axis = None, edge_order: int = 1) -> Any:
    if edge_order > 2:
        raise ValueError("'edge_order' greater than 2 not supported")
    f = given(f)
    f = f if f.dtype.kind in "fc" else in_type(f, np.float64)
    if axis is None or isinstance(axis, int):
        axes: Sequence[int] = axes_of(axis, f)
    else:
        axes = [axis_of(k, f) for k in axis]
    gaps = _spacings(f, varargs, axes)
    found = tuple(_slopes(f, h, k, edge_order) for h, k in zip(gaps, axes, strict=True))
    return found[0] if len(found) == 1 else found


# --- areas --------------------------------------------------------------------------------------


@composed(np.trapezoid)
def _trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    y = given(y)
    axis = axis_of(axis, y)
    if x is not None:
        x = given(x)
        if np.ndim(x) == 1:
            dx = np.reshape(np.diff(x), (-1,) + (1,) * (np.ndim(y) - axis - 1))
        else:
            dx = np.diff(x, axis=axis)
    both = y[along(axis, slice(1, None))] + y[along(axis, slice(None, -1))]
    return np.sum(dx * both / 2.0, axis=axis)


# --- between samples ----------------------------------------------------------------------------


def _double(x: Any) -> Any:
    """Return x in double precision, as NumPy's interpolation does."""
    x = given(x)
    return in_type(x, np.complex128 if np.iscomplexobj(x) else np.float64)


@composed(np.interp)
def _interp(
    x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None
) -> Any:
    x, xp, fp = _double(x), _double(xp), _double(fp)
    if np.ndim(xp) != 1 or np.shape(xp) != np.shape(fp):
        raise ValueError("fp and xp are not of the same length.")
    if period is not None:
        x, xp, fp = _around(x, xp, fp, np.abs(period))
        left = right = None
    last = np.shape(xp)[0] - 1
    below, above = x < xp[0], x > xp[last]
    at = np.clip(np.searchsorted(xp, x, side="right") - 1, 0, max(last - 1, 0))
    then = np.minimum(at + 1, last)
    xp, fp = readable(xp, at), readable(fp, at)
    width = xp[then] - xp[at]
    slope = (fp[then] - fp[at]) / np.where(width == 0, 1.0, width)
    # outside, the line must not run on: its value is not taken, and might be infinite
    inside = slope * (np.where(below | above, xp[at], x) - xp[at]) + fp[at]
    inside = np.where(above, fp[last] if right is None else right, inside)
    return np.where(below, fp[0] if left is None else left, inside)


def _around(x: Any, xp: Any, fp: Any, period: Any) -> tuple[Any, Any, Any]:
    """Bring samples into one period, in order, with one more at each end."""
    xp = xp % period
    order = np.argsort(xp)
    xp, fp = readable(xp, order)[order], readable(fp, order)[order]
    wide = np.concatenate([xp[-1:] - period, xp, xp[:1] + period])
    return x % period, wide, np.concatenate([fp[-1:], fp, fp[:1]])


@composed(np.unwrap)
def _unwrap(p: Any, discont: Any = None, axis: int = -1, *, period: Any = 2 * np.pi) -> Any:
    p = given(p)
    axis = axis_of(axis, p)
    jump = np.diff(p, axis=axis)
    half = period / 2
    turned = np.mod(jump + half, period) - half
    # a jump of exactly half a period keeps its direction
    turned = np.where((turned == -half) & (jump > 0), turned + period, turned)
    small = np.abs(jump) < (half if discont is None else discont)
    correction = np.where(small, 0, turned - jump)
    later = p[along(axis, slice(1, None))] + np.cumsum(correction, axis=axis)
    return np.concatenate([p[along(axis, slice(0, 1))], later], axis=axis)


# --- convolution --------------------------------------------------------------------------------


def _cut(m: int, n: int, mode: str) -> tuple[int, int]:
    """Return where a mode's part of the full convolution starts, and how long it is."""
    if mode == "full":
        return 0, m + n - 1
    if mode == "same":
        return (min(m, n) - 1) // 2, max(m, n)
    return min(m, n) - 1, abs(m - n) + 1


def _takes_convolve(a: Any, v: Any, mode: str = "full") -> Call:
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"mode must be 'full', 'same' or 'valid', not {mode!r}")
    a, v = np.atleast_1d(given(a)), np.atleast_1d(given(v))
    if np.ndim(a) != 1 or np.ndim(v) != 1:
        raise ValueError("object too deep for desired array")
    return call(a, v, mode=mode)


def _shape_convolve(a: Shape, v: Shape, mode: str) -> Shape:
    return (_cut(a[0], v[0], mode)[1],)


def _against(g: Any, mine: Any, other: Any, mode: str) -> Any:
    """Return the gradient of one input: the upstream one convolved with the other, reversed."""
    m, n = np.shape(mine)[0], np.shape(other)[0]
    start, length = _cut(m, n, mode)
    full = np.pad(g, (start, m + n - 1 - start - length))
    return np.convolve(full, np.flip(other, 0), "valid")


convolve = gate(
    np.convolve,
    kind=Opaque(),
    takes=_takes_convolve,
    shape=_shape_convolve,
    pulls=(
        lambda g, out, a, v, mode: _against(g, a, v, mode),
        lambda g, out, a, v, mode: _against(g, v, a, mode),
    ),
    linear=(0, 1),
    symbol="∗",
    code=None,
    does=Says(
        en="slides {1}, reversed, along {0} and adds up the products",
        pt="desliza {1}, invertido, ao longo de {0} e soma os produtos",
    ),
    teaches=Says(
        en="slides the other input, now unreversed, along the gradient",
        pt="desliza a outra entrada, agora sem inverter, ao longo do gradiente",
    ),
    example=lambda rng: call(rng.normal(size=6), rng.normal(size=4), mode="same"),
)


@composed(np.correlate)
def _correlate(a: Any, v: Any, mode: Any = "valid") -> Any:
    a, v = np.atleast_1d(given(a)), np.atleast_1d(given(v))
    m, n = np.shape(a)[0], np.shape(v)[0]
    v = np.flip(np.conjugate(v) if np.iscomplexobj(v) else v, 0)
    if mode != "same" or m >= n or n % 2:
        return np.convolve(a, v, mode)
    # NumPy slides the longer one, so the middle of an even length lies one further
    return np.convolve(a, v, "full")[m // 2 :][:n]
