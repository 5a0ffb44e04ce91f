"""Options of the command line that were misread: what Click says in one language, in both."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from corrente.words import Says, plain


def misread(click: ModuleType, error: Any) -> Says:
    """Say in both languages what is wrong with an option.

    >>> import click
    >>> misread(click, click.NoSuchOption("--colour")).pt
    'não há opção --colour.'
    """
    if isinstance(error, click.NoSuchOption):
        return Says("there is no option {0}.", "não há opção {0}.").fill(error.option_name)
    if isinstance(error, click.BadOptionUsage):
        says = Says("{0} needs a value, or takes none.", "{0} precisa de um valor, ou não leva.")
        return says.fill(error.option_name)
    if isinstance(error, click.BadParameter) and error.param is not None:
        says = Says("{0} takes another kind of value.", "{0} leva outro tipo de valor.")
        return says.fill(error.param.opts[0])
    return plain(error.format_message())
