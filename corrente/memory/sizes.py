"""Sizes of memory, as users write them and as they are shown."""

from __future__ import annotations

import re

from corrente.errors import BadArgument, BadValue
from corrente.words import Says

_UNITS = {
    "": 1,
    **{f"{letter}b": 1000**k for k, letter in enumerate(("", "k", "m", "g", "t"))},
    **{f"{letter}ib": 1024**k for k, letter in enumerate(("k", "m", "g", "t"), 1)},
}


def parse(size: str | int) -> int:
    """Return a size in bytes: a whole number, or text like "200MB", "1.5 GB", "64MiB".

    kB, MB, GB and TB are powers of 1000, KiB, MiB, GiB and TiB of 1024. Raises BadArgument for
    another type, BadValue for what is no size or less than a byte.

    >>> parse("200MB"), parse("1.5 GB"), parse("64MiB"), parse(4096)
    (200000000, 1500000000, 67108864, 4096)
    """
    if isinstance(size, bool) or not isinstance(size, str | int):
        raise BadArgument(
            Says(
                "memory={0} is neither a number of bytes nor a text.",
                "memory={0} não é nem um número de bytes nem um texto.",
            ).fill(repr(size)),
            _HOW,
        )
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-zA-Z]*)\s*", str(size))
    unit = _UNITS.get(found[2].lower()) if found else None
    count = int(float(found[1]) * unit) if found and unit else 0
    if count < 1:
        raise BadValue(
            Says(
                "memory={0} is not a size of memory.", "memory={0} não é um tamanho de memória."
            ).fill(repr(size)),
            _HOW,
        )
    return count


_HOW = Says(
    'write a number of bytes, or "200MB", "1.5GB", "64MiB".',
    'escreva um número de bytes, ou "200MB", "1.5GB", "64MiB".',
)


def as_text(count: float) -> str:
    """Write a number of bytes with three digits.

    >>> as_text(263_717_056), as_text(1500), as_text(64), as_text(99.96e6)
    ('264 MB', '1.5 kB', '64 B', '100 MB')
    """
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.5:
            return f"{count:.3g} {unit}"
    return f"{count / 1000:.3g} TB"
