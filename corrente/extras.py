"""Optional third parties: loaded when first needed, named with the cure when they are missing."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from corrente.errors import CorrenteError
from corrente.words import Says


class MissingExtra(CorrenteError, ImportError):
    """Something was asked for that needs a package which is not installed."""


def load(module: str, extra: str, purpose: Says) -> Any:
    """Import an optional module; raise MissingExtra that says what it is for and how to get it.

    >>> from corrente.words import plain
    >>> load("json", "data", plain("reading JSON")).loads("1")
    1
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise MissingExtra(
            Says("{0} needs {1}, which is not installed.", "{0}: falta instalar {1}.").fill(
                purpose, module.partition(".")[0]
            ),
            Says('pip install "corrente[{0}]"', 'pip install "corrente[{0}]"').fill(extra),
        ) from error
