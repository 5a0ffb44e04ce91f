"""The tracer: NumPy's own protocols lead to a small box, so that programs stay plain NumPy."""

from corrente.tracer.box import Traced, follows_writes, lift, record
from corrente.tracer.functions import array_function, array_ufunc, dispatch
from corrente.tracer.operators import furnish
from corrente.tracer.writing import write

__all__ = ["Traced", "dispatch", "follows_writes", "lift", "record", "write"]

Traced.__array_ufunc__ = array_ufunc  # type: ignore[attr-defined]
Traced.__array_function__ = array_function  # type: ignore[attr-defined]
furnish()
