"""Inputs for a function nobody gave any: numbers, then arrays of the shapes its names suggest."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

N, D, H, C = 4, 5, 3, 6
_DENSE = {
    "x X inputs data a A inp": (N, D),
    "w W W1 w1 Wx weights weight theta": (D, H),
    "b b1 bias": (H,),
    "W2 w2": (H, C),
    "b2": (C,),
    "Wh U": (H, H),
    "prev_h h h0 h_prev hprev": (N, H),
    "gamma beta g": (D,),
    "scores logits z": (N, D),
    "mask": (N, D),
}
_LSTM = {"Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,), "prev_c c c_prev": (N, H)}
_IMAGE = {"x X": (2, 3, 6, 6), "w W": (4, 3, 3, 3), "b": (4,), "gamma beta": (3,)}
_OPTIONS: dict[str, Any] = {
    "conv_param": {"stride": 1, "pad": 1},
    "pool_param": {"pool_height": 2, "pool_width": 2, "stride": 2},
    "bn_param": {"mode": "train", "eps": 1e-5, "momentum": 0.9},
    "ln_param": {"eps": 1e-5},
    "dropout_param": {"mode": "train", "p": 0.7, "seed": 123},
    "eps": 1e-5,
    "reg": 0.1,
    "lam": 0.1,
    "stride": 1,
    "pad": 1,
    "p": 0.7,
}
_SQUARE = {"x X W A B w": (4, 4), "D": (4, 4), "v b": (4,)}


def guesses(
    parameters: Sequence[str], indices: Collection[str] = (), arrays: bool = False
) -> Iterator[dict[str, Any]]:
    """Give inputs to try, the plainest first; the same names always get the same numbers.

    `indices` are the parameters that the function indexes with: whole numbers, such as labels.
    With `arrays` single numbers are tried last.
    """
    if not arrays:
        yield from _plain(parameters, indices)
    for table in ({}, _LSTM, _IMAGE, _SQUARE):
        shapes = {key: shape for keys, shape in _DENSE.items() for key in keys.split()}
        shapes |= {key: shape for keys, shape in table.items() for key in keys.split()}
        yield {name: _input(name, shapes, indices) for name in parameters}
    if arrays:
        yield from _plain(parameters, indices)


def _plain(parameters: Sequence[str], indices: Collection[str]) -> Iterator[dict[str, Any]]:
    """Give single numbers, then vectors."""
    if not any(name in _OPTIONS or name in indices for name in parameters):
        yield {name: _draw(name, ()) for name in parameters}
        yield {name: _draw(name, (3,)) for name in parameters}


def _input(name: str, shapes: dict[str, tuple[int, ...]], indices: Collection[str]) -> Any:
    if name in _OPTIONS:
        return _OPTIONS[name]
    if name in indices:
        return np.arange(N) * 2 % H
    if name == "mask":
        return (_draw(name, shapes[name]) > 0) / 0.5
    return _draw(name, shapes.get(name, (N, D)))


def _draw(name: str, shape: tuple[int, ...]) -> Any:
    values = np.random.default_rng(zlib.crc32(name.encode())).normal(size=shape)
    # away from zero, where a maximum has its kink
    return values + 0.05 * np.sign(values) if shape else round(float(values) + 0.5, 3)
