"""Which value a gradient variable belongs to, by its name: `dq`, `grad_x`, `dW1`, `self.db`."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"d_?(?P<of>.+)",
        r"(?:dl|dL|dloss|dLoss|dE|dJ)_?d_?(?P<of>.+)",
        r"(?:grad|grads|gradient|gradiente|delta|bar|nabla|del)_?(?P<of>.+)",
        r"g_?(?P<of>.+)",
        r"(?P<of>.+)_(?:grad|gradient|bar|delta|adjoint)",
        r"(?P<of>.+)(?:grad|bar)",
        r"D_?(?P<of>.+)",
        r"(?:up|upstream)_?(?P<of>.+)",
    )
)
_BOXES = re.compile(r"(?:self\.)?_?(?:d|g|grads?|gradients?|gradientes?)", re.IGNORECASE)


def last_part(key: str) -> tuple[str, str]:
    """Split a variable's key into what holds it and its own name.

    >>> last_part("grads['W1']"), last_part("self.dW"), last_part("dx")
    (('grads', 'W1'), ('self', 'dW'), ('', 'dx'))
    """
    found = re.fullmatch(r"(.+)\['([^']+)'\]", key)
    if found:
        return found[1], found[2]
    holder, _, name = key.rpartition(".")
    return holder, name


def stems(name: str) -> Iterator[str]:
    """Give what a gradient variable may be the gradient of, likeliest first."""
    for pattern in _PATTERNS:
        found = pattern.fullmatch(name)
        if found:
            yield found["of"]


def local(name: str, known: Collection[str]) -> tuple[str, str] | None:
    """Read `dqdx` as the local gradient of q with respect to x; None if it is not one.

    >>> local("dfdq", {"f", "q"})
    ('f', 'q')
    """
    for cut in re.finditer("d", name[1:] if name[:1] == "d" else ""):
        over, under = name[1 : cut.start() + 1].strip("_"), name[cut.end() + 1 :].strip("_")
        if over in known and under in known:
            return over, under
    return None


def primal(key: str, known: Collection[str]) -> str | None:
    """Return the forward name that a variable is the gradient of; None if there is none.

    >>> primal("dW1", {"W1", "x"}), primal("grads['W1']", {"W1"}), primal("mask", {"x"})
    ('W1', 'W1', None)
    """
    holder, name = last_part(key)
    if holder and name in known and _BOXES.fullmatch(holder):
        return name
    if name in known:
        return None
    lowered = {each.lower(): each for each in reversed(list(known))}
    for shorten in (str, _without_tail):
        for stem in map(shorten, stems(name)):
            if stem in known:
                return stem
            if len(stem) > 1 and stem.lower() in lowered:
                return lowered[stem.lower()]
    return None


def _without_tail(stem: str) -> str:
    """Drop what tells the parts of one sum apart: `x1`, `x_a`, `x_total`."""
    return re.sub(r"(?<=.)_?(?:\d+|_[a-z]|_(?:total|sum|acc|part|new))$", "", stem)


def is_delta(key: str) -> bool:
    """Tell whether a variable is called a delta.

    That is the gradient of a layer after its activation for some, and before it for others.
    """
    return "delta" in last_part(key)[1].lower()


def is_partial(key: str, known: Collection[str]) -> bool:
    """Tell whether a variable is named as one part of a gradient: `dx1`, `dx_a`.

    >>> is_partial("dx1", {"x"}), is_partial("dx", {"x"})
    (True, False)
    """
    of = primal(key, known)
    name = last_part(key)[1]
    return of is not None and all(stem.lower() != of.lower() for stem in (name, *stems(name)))


def is_gradient(key: str, known: Collection[str]) -> bool:
    """Tell whether a variable is named as the gradient of something in the forward pass."""
    return primal(key, known) is not None or local(key, known) is not None
