"""Numbers in sentences: as one would write them in a lecture, and arrays by what matters."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from corrente.words import Says, plain

NON_FINITE = Says("{0}, non-finite: {1}", "{0}, não finitos: {1}")


def summary(value: Any) -> Says:
    """Say a value: a number as it is, an array by its shape and range."""
    array = np.asarray(value)
    if not array.ndim:
        return plain(number(value))
    shape = Says("shape {0}", "forma {0}").fill(array.shape)
    if array.dtype == bool:
        return Says("{0}, {1} of {2} true", "{0}, {1} de {2} verdadeiros").fill(
            shape, int(array.sum()), array.size
        )
    if array.dtype.kind not in "iuf" or not array.size:
        return shape
    finite = array[np.isfinite(array)]
    if finite.size:
        with np.errstate(all="ignore"):
            numbers = [number(measure(finite)) for measure in (np.min, np.mean, np.max)]
        shape = Says("{0}, min {1}, mean {2}, max {3}", "{0}, mín {1}, média {2}, máx {3}").fill(
            shape, *numbers
        )
    if finite.size < array.size:
        return NON_FINITE.fill(shape, array.size - finite.size)
    return shape


def size(gradient: Any) -> Says:
    """Say a gradient: a number as it is, an array by its shape and norm."""
    if not np.ndim(gradient):
        return plain(number(gradient))
    return Says("shape {0}, norm {1}", "forma {0}, norma {1}").fill(
        np.shape(gradient), number(norm(gradient))
    )


def norm(value: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm(np.ravel(value)))


def number(value: Any) -> str:
    """Write a number with 4 significant digits: integers whole, − for minus, 1.5e−7."""
    value = value.item() if isinstance(value, np.generic | np.ndarray) else value
    if isinstance(value, complex):
        sign = "−" if value.imag < 0 else "+"
        return f"{number(value.real)} {sign} {number(abs(value.imag))}j"
    if isinstance(value, float):
        whole = value.is_integer() and abs(value) < 1e6
        value = int(value) if whole else re.sub(r"e([+-])0*", r"e\1", f"{value:.4g}")
    return str(value).replace("-", "−").replace("e+", "e")


def counted(number: int, things: tuple[Says, Says]) -> Says:
    return things[number != 1].fill(number)


def joined(sign: str, parts: Iterable[Says]) -> Says:
    return Says(*(sign.join(texts) for texts in zip(*parts, strict=True)))


def times(factor: float) -> Says:
    if factor == 1:
        return Says("just as much", "o mesmo tanto")
    return Says("{0} times as much", "{0} vezes isso").fill(number(factor))


def first_bare(text: str) -> str:
    """Drop the brackets around a negative number that opens an expression."""
    return re.sub(r"^\((−[^() ]+)\)(?! \*\*)", r"\1", text)


def gapped(items: Sequence[int], limit: int) -> Iterator[tuple[int, int]]:
    """Yield at most `limit` items, the first and the last, each with how many were left out."""
    half, out = limit // 2, len(items) - limit
    for k, item in enumerate(items):
        if out <= 0 or k < half:
            yield 0, item
        elif k >= half + out:
            yield (out if k == half + out else 0), item
