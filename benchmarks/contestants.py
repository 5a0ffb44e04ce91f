"""What a row is made of: one program, and who runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib.util import find_spec
from shutil import which
from typing import Any, NamedTuple

import numpy as np

Call = Callable[[], Any]


class Program(NamedTuple):
    """One computation: `of` takes a module like NumPy and returns the function of `given`.

    `jax` and `torch` are the same function where those must be written apart.
    """

    of: Callable[[Any], Callable[..., Any]]
    given: tuple[Any, ...]
    argnums: tuple[int, ...]
    torch: Callable[..., Any] | None = None
    jax: Callable[[Any], Callable[..., Any]] | None = None


class Contestant(NamedTuple):
    """One way to do a row: `build` gets ready and returns what is timed.

    `compare` is off for what does only a part of the work, `heavy` is left out of tiny runs, and
    a `reason` says why somebody does not take part at all.
    """

    who: str
    build: Callable[[], Call]
    needs: str = "numpy"
    compare: bool = True
    heavy: bool = False
    units: int | None = None
    reason: str = ""


class Row(NamedTuple):
    """One line of the table; the contestants, and their data, are made when it is its turn."""

    name: str
    contestants: Callable[[], Iterable[Contestant]]
    unit: str = "gradient"
    units: int = 1
    tolerance: float = 1e-9


def absent(who: str, needs: str, reason: str) -> Contestant:
    """Return a contestant that does not run, with the reason that the table will show."""
    return Contestant(who, lambda: lambda: None, needs, reason=reason)


def present(contestant: Contestant) -> bool:
    """Say whether what a contestant needs is installed."""
    if contestant.needs == "cc":
        return which("cc") is not None
    return find_spec(contestant.needs.split(".")[0]) is not None


def flat(result: Any) -> list[np.ndarray]:
    """Return the numbers of a nested result, one flat float64 array per leaf."""
    if isinstance(result, tuple | list):
        return [leaf for part in result for leaf in flat(part)]
    return [np.asarray(result, dtype=np.float64).ravel()]
