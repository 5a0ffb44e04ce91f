"""How a number or an array is put into few words: what stands on a wire in a drawing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

Grid = tuple[tuple[float | None, ...], ...]

TILE = 8
FEW = 3
DUST = 1e-12  # a mean this much smaller than its numbers is rounding


class Figure(NamedTuple):
    """One value in few words: lines to print, a tile for arrays, a flag for NaN and infinity.

    `lines` are the shape and `min ≤ mean ≤ max` for an array, the number itself for a scalar;
    `full` adds the dtype; `tile` holds numbers from −1 to 1, None where nothing is finite.
    """

    lines: tuple[str, ...]
    full: str
    alarm: bool = False
    tile: Grid | None = None

    def __str__(self) -> str:
        return " ".join(self.lines)


def number(value: Any, digits: int = 4) -> str:
    """Write one number with as many significant digits as help.

    >>> [number(x) for x in (-12.0, 0.39322, 1.2e-07, 123456.7, 7, True, 1 - 2j)]
    ['-12', '0.3932', '1.2e-07', '123457', '7', 'True', '1-2j']
    """
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**12 else _exponent(value, digits)
    if isinstance(value, complex):
        imaginary = number(value.imag, digits)
        sign = "" if imaginary.startswith("-") else "+"
        return f"{number(value.real, digits)}{sign}{imaginary}j"
    if not isinstance(value, float):
        return clip(str(value), 16)
    if value == 0:
        return "0"
    if 10.0**digits <= abs(value) < 1e6:
        return f"{value:.0f}"
    return f"{value:.{digits}g}"


def _exponent(value: int, digits: int) -> str:
    """Write a large integer in scientific form; it may not fit in a float."""
    try:
        return f"{value:.{digits - 1}e}"
    except OverflowError:
        return f"{'-' if value < 0 else ''}~2^{value.bit_length() - 1}"


def clip(text: str, most: int) -> str:
    """Cut a text to `most` characters, with an ellipsis where something was cut; one line."""
    if not text.isprintable():
        text = "".join(c if c.isprintable() else " " for c in text)
    return text if len(text) <= most else text[: most - 1] + "…"


def summarise(value: Any, digits: int = 4) -> Figure:
    """Say what a value is: a scalar as it is, an array by shape, min ≤ mean ≤ max and a tile.

    NaN and infinities are counted and flagged; the least, the mean and the greatest are those of
    the finite elements (of the magnitudes, if complex).

    >>> summarise(np.arange(12.0).reshape(3, 4)).lines
    ('(3, 4)', '0 ≤ 5.5 ≤ 11')
    >>> summarise(np.array([1.0, np.nan, 2.0, 4.0])).lines
    ('(4,) ! 1 nan', '1 ≤ 2.33 ≤ 4')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        alarm = array.dtype.kind in "fc" and not bool(np.isfinite(array))
        text = ("! " if alarm else "") + number(value, digits)
        return Figure((text,), f"{text} ({_kind(value, array)})", alarm)
    shape, kind = str(array.shape), str(array.dtype)
    if array.size == 0:
        return Figure((shape, "∅"), f"{shape} {kind} ∅")
    if array.dtype.kind not in "biufc":
        return Figure((shape, kind), f"{shape} {kind}")
    bad = _count_bad(array)
    head = f"{shape} ! {bad}" if bad else shape
    lines = (head, _range(array))
    if array.ndim == 1 and array.size <= FEW:
        text = f"[{', '.join(number(element, digits) for element in array)}]"
        lines = (f"! {text}" if bad else text,)
    return Figure(
        lines,
        f"{head} {kind}: {_range(array, 6)}",
        bool(bad),
        tile(array) if array.size > FEW else None,
    )


def span(value: Any, digits: int = 2) -> str:
    """Write a number, or the least and greatest finite element of an array, very short.

    >>> span(3.25), span(np.ones(3)), span(np.array([-1.234, 0.5]))
    ('3.2', '1', '-1.2…0.5')
    """
    array = np.asarray(value)
    if array.ndim == 0:
        return number(value, digits)
    if array.size == 0 or array.dtype.kind not in "biufc":
        return "∅"
    finite = _finite(array)
    mark = "!" if finite.size < array.size else ""
    if finite.size == 0:
        return mark + "nan"
    least, greatest = finite.min(), finite.max()
    if least == greatest:
        return mark + number(least, digits)
    return f"{mark}{number(least, digits)}…{number(greatest, digits)}"


def _kind(value: Any, array: np.ndarray) -> str:
    return type(value).__name__ if isinstance(value, int | float | complex) else str(array.dtype)


def _finite(array: np.ndarray) -> np.ndarray:
    """Return the finite elements, flat; magnitudes if complex."""
    flat = array.ravel()
    if flat.dtype.kind not in "fc":
        return flat
    kept = np.isfinite(flat)
    flat = flat if kept.all() else flat[kept]
    with np.errstate(all="ignore"):
        return np.abs(flat) if flat.dtype.kind == "c" else flat


def _count_bad(array: np.ndarray) -> str:
    if array.dtype.kind not in "fc":
        return ""
    nans = int(np.isnan(array).sum())
    infinities = int(np.isinf(array).sum())
    parts = [f"{count} {word}" for count, word in ((nans, "nan"), (infinities, "inf")) if count]
    return ", ".join(parts)


def _range(array: np.ndarray, digits: int = 3) -> str:
    """Write min ≤ mean ≤ max of the finite elements."""
    if array.dtype.kind == "b":
        return f"True {int(array.sum())}/{array.size}"
    finite = _finite(array)
    if finite.size == 0:
        return "∅"
    least, greatest = finite.min(), finite.max()
    bars = "|·| " if array.dtype.kind == "c" else ""
    if least == greatest:
        return f"{bars}≡ {number(least, digits)}"
    mean = _mean(finite)
    if abs(mean) < DUST * max(abs(float(least)), abs(float(greatest))):
        mean = 0.0
    three = (least, mean, greatest)
    return bars + " ≤ ".join(number(each, digits) for each in three)


def _mean(finite: np.ndarray) -> float:
    """Average in float64, scaled where the plain sum would overflow."""
    with np.errstate(all="ignore"):
        mean = float(np.mean(finite, dtype=np.float64))
        if np.isfinite(mean):
            return mean
        scale = float(np.abs(finite).max())
        return scale * float(np.mean(finite / scale, dtype=np.float64))


def tile(value: Any, most: int = TILE) -> Grid:
    """Shrink an array to at most `most` × `most` block means, scaled to −1 … 1.

    The last axis runs across, all others down. Blocks average their finite elements.

    >>> tile(np.array([[1.0, -2.0], [4.0, np.nan]]))
    ((0.25, -0.5), (1.0, None))
    """
    array = np.atleast_1d(np.asarray(value))
    with np.errstate(all="ignore"):
        if array.dtype.kind == "c":
            array = np.abs(array)
        grid = array.reshape(-1, array.shape[-1]).astype(np.float64)
        kept = np.isfinite(grid)
        peak = float(np.abs(grid, out=np.zeros_like(grid), where=kept).max(initial=0.0))
        grid = np.where(kept, grid / peak if peak else grid, 0.0)
        means = _blocks(grid, most) / _blocks(kept.astype(np.float64), most)
        largest = float(np.nanmax(np.abs(means), initial=0.0))
        means = means / largest if largest else means
    return tuple(
        tuple(round(float(cell), 3) + 0.0 if cell == cell else None for cell in row)
        for row in means
    )


def _blocks(grid: np.ndarray, most: int) -> np.ndarray:
    for axis in (0, 1):
        length = grid.shape[axis]
        count = min(most, length)
        starts = [length * k // count for k in range(count)]
        grid = np.add.reduceat(grid, starts, axis=axis)
    return grid
