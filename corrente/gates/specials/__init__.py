"""SciPy's special functions: records that are loaded when the first of them is met."""

from __future__ import annotations

from functools import cache
from importlib import import_module

FAMILIES = (
    "areas",
    "bells",
    "bessels",
    "characteristics",
    "distributions",
    "ellipses",
    "gammas",
    "integrals",
    "inverses",
    "legendres",
    "logistics",
    "polynomials",
    "refusals",
    "sequences",
    "spheroids",
    "tails",
    "waves",
    "zetas",
)


@cache
def load() -> None:
    """Import `scipy.special` and enter its gates into the table, once.

    SciPy takes longer to import than the whole house, so nobody pays for it who does not use it.
    """
    for family in FAMILIES:
        import_module(f"{__name__}.{family}")
