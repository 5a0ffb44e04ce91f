"""Windows onto an array, and the way back: what convolutions and pooling are made of.

Element `offset` of the window at `position` is `x[position * stride + offset * dilation]`, on
each of the last axes. Reading windows and adding them up again are each other's pulls.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from corrente.errors import BadValue
from corrente.gates.calls import numbers, refuse
from corrente.gates.own import dispatched
from corrente.record import Call, Opaque, Params, Rearrange, Shape, call, composed, gate
from corrente.words import Says

Sizes = int | Sequence[int]


def per_axis(name: str, value: Any, count: int) -> Shape:
    """Return one whole number ≥ 1 for each axis; a single one serves them all.

    >>> per_axis("stride", 2, 3)
    (2, 2, 2)
    """
    found = numbers(value)
    if np.ndim(value) == 0:
        found = found * count
    if len(found) != count or min(found, default=1) < 1:
        raise BadValue(
            Says("{0}={1} does not fit {2} axes.", "{0}={1} não serve para {2} eixos.").fill(
                name, value, count
            ),
            Says(
                "give one whole number from 1 up, or {0} of them.",
                "dê um número inteiro a partir de 1, ou {0} deles.",
            ).fill(count),
        )
    return found


def reach(size: Sequence[int], dilation: Sequence[int]) -> Shape:
    """Return how many elements a window spans on each axis, its gaps included."""
    return tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))


def _counted(x: Shape, size: Shape, stride: Shape, dilation: Shape) -> Shape:
    """Count the positions of the window on each of the last axes."""
    lengths = x[len(x) - len(size) :]
    spans = reach(size, dilation)
    if len(size) > len(x) or any(n < span for n, span in zip(lengths, spans, strict=True)):
        raise BadValue(
            Says(
                "a window that spans {0} does not fit into the last axes of shape {1}.",
                "uma janela que cobre {0} não cabe nos últimos eixos da forma {1}.",
            ).fill(spans, x),
            Says(
                "take a smaller window or dilation, or pad the array first.",
                "use uma janela ou dilatação menor, ou acrescente antes uma margem ao array.",
            ),
        )
    return tuple((n - k) // s + 1 for n, k, s in zip(lengths, spans, stride, strict=True))


def _printed(name: str) -> Callable[[Sequence[str], Params], str]:
    def code(names: Sequence[str], params: Params) -> str:
        words = [
            f"{key}={value}"
            for key, value in params.items()
            if key in ("size", "length") or any(n != 1 for n in value)
        ]
        return f"nn.{name}({', '.join([*names, *words])})"

    return code


# --- reading ------------------------------------------------------------------------------------


def _takes_windows(x: Any, size: Sizes, stride: Sizes = 1, dilation: Sizes = 1) -> Call:
    n = len(numbers(size))
    return call(
        x,
        size=per_axis("size", size, n),
        stride=per_axis("stride", stride, n),
        dilation=per_axis("dilation", dilation, n),
    )


def _windows_shape(x: Shape, size: Shape, stride: Shape, dilation: Shape) -> Shape:
    lead = x[: len(x) - len(size)]
    return (*lead, *_counted(x, size, stride, dilation), *size)


def _every(counts: Sequence[int], steps: Sequence[int]) -> tuple[slice, ...]:
    return tuple(slice(0, (n - 1) * s + 1, s) for n, s in zip(counts, steps, strict=True))


@dispatched
def windows(x: Any, size: Sizes, stride: Sizes = 1, dilation: Sizes = 1) -> Any:
    """Read every window of a size along the last axes, one for each size given.

    `x` has shape (…, *lengths), any dtype; `size`, `stride` (the step between windows) and
    `dilation` (the step between a window's elements) are whole numbers ≥ 1, one for each axis
    or one for all. Returns shape (…, *positions, *size), a read-only view; elements behind the
    last whole window are left out. Raises BadValue for a window that does not fit. With step 1
    it is `np.lib.stride_tricks.sliding_window_view` along the last axes.

    >>> import numpy as np, corrente as co
    >>> co.nn.windows(np.arange(6), 3, stride=2)
    array([[0, 1, 2],
           [2, 3, 4]])
    """
    (x,), params = _takes_windows(np.asarray(x), size, stride, dilation)
    sizes, steps, gaps = params.values()
    counts = _counted(x.shape, sizes, steps, gaps)
    axes = tuple(range(x.ndim - len(sizes), x.ndim))
    every = np.lib.stride_tricks.sliding_window_view(x, reach(sizes, gaps), axes)
    return every[(..., *_every(counts, steps), *_every(sizes, gaps))]


windows_gate = gate(
    windows,
    kind=Rearrange(windows),
    takes=_takes_windows,
    shape=_windows_shape,
    pulls=(
        lambda g, out, x, size, stride, dilation: overlap_add(
            g, np.shape(x)[np.ndim(x) - len(size) :], stride, dilation
        ),
    ),
    linear=(0,),
    symbol="windows",
    code=_printed("windows"),
    does=Says(
        en="reads {0} through a window that moves along its last axes",
        pt="lê {0} por uma janela que se move ao longo dos últimos eixos",
    ),
    teaches=Says(
        en="adds to each element the gradients of all the windows that saw it",
        pt="soma a cada elemento os gradientes de todas as janelas que o viram",
    ),
    example=lambda rng: call(
        rng.normal(size=(2, 7, 6)), size=(2, 3), stride=(3, 1), dilation=(2, 1)
    ),
    facts=("linear",),
)


@composed(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(
    x: Any, window_shape: Sizes, axis: Any = None, *, subok: bool = False, writeable: bool = False
) -> Any:
    refuse("lib.stride_tricks.sliding_window_view", subok=subok, writeable=writeable)
    size, ndim = numbers(window_shape), np.ndim(x)
    axes = normalize_axis_tuple(range(ndim) if axis is None else axis, ndim)
    if len(size) != len(axes):
        raise ValueError(f"window_shape has {len(size)} sizes for {len(axes)} axes")
    first = ndim - len(axes)
    seen = windows(np.moveaxis(x, axes, range(first, ndim)), size)
    return np.moveaxis(seen, range(first, ndim), axes)


# --- adding up ----------------------------------------------------------------------------------


def _takes_overlap(x: Any, length: Sizes, stride: Sizes = 1, dilation: Sizes = 1) -> Call:
    lengths, shape = numbers(length), np.shape(x)
    n = len(lengths)
    steps, gaps = per_axis("stride", stride, n), per_axis("dilation", dilation, n)
    middle, last = len(shape) - 2 * n, len(shape) - n
    if middle < 0 or _counted(lengths, shape[last:], steps, gaps) != shape[middle:last]:
        raise BadValue(
            Says(
                "windows of shape {0} do not come from axes of length {1}.",
                "janelas de forma {0} não vêm de eixos de comprimento {1}.",
            ).fill(shape, lengths),
            Says(
                "give the shape, stride and dilation that windows was given.",
                "dê a forma, o passo e a dilatação que windows recebeu.",
            ),
        )
    return call(x, length=lengths, stride=steps, dilation=gaps)


@dispatched
def overlap_add(x: Any, length: Sizes, stride: Sizes = 1, dilation: Sizes = 1) -> Any:
    """Put windows back where `windows` read them, adding up where they overlap.

    `x` has shape (…, *positions, *size), any dtype, which is kept; `length` is that of the axes
    the windows were read from, `stride` and `dilation` as there. Returns shape (…, *length),
    with 0 where no window was. Raises BadValue for windows that do not come from such axes.
    With a taper it is the inverse short-time Fourier transform's last step.

    >>> import numpy as np, corrente as co
    >>> co.nn.overlap_add(np.ones((2, 3)), 6, stride=2)
    array([1., 1., 2., 1., 1., 0.])
    """
    (x,), params = _takes_overlap(np.asarray(x), length, stride, dilation)
    lengths, steps, gaps = params.values()
    middle, last = x.ndim - 2 * len(lengths), x.ndim - len(lengths)
    counts, size = x.shape[middle:last], x.shape[last:]
    if math.prod(counts) < math.prod(size):
        # positions and offsets play the same part: the loop goes over the fewer
        x = np.moveaxis(x, range(middle, last), range(last, x.ndim))
        counts, size, steps, gaps = size, counts, gaps, steps
    out = np.zeros((*x.shape[:middle], *lengths), x.dtype)
    for offset in np.ndindex(size):
        starts = [k * d for k, d in zip(offset, gaps, strict=True)]
        spans = zip(starts, _every(counts, steps), strict=True)
        at = [slice(start, start + every.stop, every.step) for start, every in spans]
        out[(..., *at)] += x[(..., *offset)]
    return out


overlap_gate = gate(
    overlap_add,
    kind=Opaque(overlap_add),
    takes=_takes_overlap,
    shape=lambda x, length, stride, dilation: (*x[: len(x) - 2 * len(length)], *length),
    pulls=(
        lambda g, out, x, length, stride, dilation: windows(
            g, np.shape(x)[np.ndim(x) - len(length) :], stride, dilation
        ),
    ),
    linear=(0,),
    symbol="overlap",
    code=_printed("overlap_add"),
    does=Says(
        en="puts the windows {0} back in their places, adding up where they overlap",
        pt="devolve as janelas {0} aos seus lugares, somando onde se sobrepõem",
    ),
    teaches=Says(
        en="reads the gradient through the same windows",
        pt="lê o gradiente pelas mesmas janelas",
    ),
    example=lambda rng: call(
        rng.normal(size=(2, 2, 4, 2, 3)), length=(7, 6), stride=(3, 1), dilation=(2, 1)
    ),
    facts=("linear",),
)
