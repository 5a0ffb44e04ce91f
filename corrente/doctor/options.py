"""What a diagnosis is asked with: options that make no sense are refused before anything runs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from corrente.doctor.exam import Exam
from corrente.errors import BadArgument, BadValue
from corrente.training.contributions import Share
from corrente.trees import take_apart
from corrente.words import Says, plain

_WHOLE = Says("give a whole number from 1 on: steps=50.", "dê um inteiro a partir de 1: steps=50.")
_RATE = Says(
    "give a positive number (rate=0.1), or None: then no rate is judged.",
    "dê um número positivo (rate=0.1), ou None: então nenhuma taxa é julgada.",
)
_NAMES = Says(
    "give a list of names, one for each column of the data: columns=['age', 'height'].",
    "dê uma lista de nomes, um para cada coluna dos dados: columns=['idade', 'altura'].",
)


def check_options(
    loss: Any,
    args: tuple[Any, ...],
    argnums: Any,
    rate: Any,
    columns: Any,
    steps: Any,
    shards: Any,
) -> tuple[str, ...]:
    """Refuse what a diagnosis cannot be asked with; return the names of the columns.

    Raises BadArgument for what is of another kind, BadValue for a value without a meaning.
    """
    if not callable(loss):
        raise BadArgument(
            Says(
                "the loss must be a function; this is {0}.",
                "a perda precisa ser uma função; isto é {0}.",
            ).fill(type(loss).__name__),
            plain("co.diagnose(loss, W, X, y)"),
        )
    if rate is not None and not _positive(rate):
        raise _senseless({"rate": rate}, _RATE)
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 1:
        raise _senseless({"steps": steps}, _WHOLE)
    _check_shards(shards)
    _check_rows(args, argnums)
    return _names(columns)


def check_columns_fit(exam: Exam) -> None:
    """Refuse names that are not as many as the columns of any data. Raises BadValue."""
    if not exam.columns:
        return
    wires = (set(exam.circuit.ins) - exam.run.parameters) | set(exam.circuit.held)
    shapes = {wire: np.shape(exam.run.values[wire]) for wire in sorted(wires)}
    shapes = {wire: shape for wire, shape in shapes.items() if len(shape) > 1}
    # the loss may read its data transposed, or as images
    if not any(len(exam.columns) in shape for shape in shapes.values()):
        have = ", ".join(f"{exam.name(wire)}: {shape[-1]}" for wire, shape in shapes.items())
        raise BadValue(
            Says(
                "columns holds {0} names, but no data have as many columns ({1}).",
                "columns traz {0} nomes, mas nenhum dado tem tantas colunas ({1}).",
            ).fill(len(exam.columns), have or Says("none have any", "nenhum tem colunas")),
            _NAMES,
        )


def _positive(rate: Any) -> bool:
    if isinstance(rate, bool) or not isinstance(rate, int | float | np.integer | np.floating):
        return False
    return 0.0 < float(rate) < math.inf


def _senseless(option: dict[str, Any], mend: Says) -> BadValue:
    [(name, value)] = option.items()
    return BadValue(
        Says("{0}={1} makes no sense here.", "{0}={1} não faz sentido aqui.").fill(
            name, repr(value)
        ),
        mend,
    )


def _check_shards(shards: Any) -> None:
    listed = isinstance(shards, Sequence) and not isinstance(shards, str)
    if not listed or not all(isinstance(share, Share) for share in shards):
        raise BadArgument(
            Says("shards holds no shares: {0}.", "shards não traz partes: {0}.").fill(
                type(shards).__name__
            ),
            Says(
                "give what co.shares found: shards=co.shares(loss, params, data).",
                "dê o que co.shares achou: shards=co.shares(perda, parâmetros, dados).",
            ),
        )


def _check_rows(args: tuple[Any, ...], argnums: Any) -> None:
    """Refuse data without rows; what is wrong with `argnums` itself is told by `trace`."""
    chosen = {k % len(args) for k in np.ravel(argnums) if args and isinstance(k, int | np.integer)}
    for k, arg in enumerate(args):
        for leaf in () if k in chosen else take_apart(arg).leaves:
            if isinstance(leaf, np.ndarray) and leaf.ndim and not len(leaf):
                raise BadValue(
                    Says(
                        "argument {0} has no rows: its shape is {1}.",
                        "o argumento {0} não tem linhas: seu formato é {1}.",
                    ).fill(k, leaf.shape),
                    Says(
                        "give at least one row of data; see what left the array empty.",
                        "dê ao menos uma linha de dados; veja o que deixou o array vazio.",
                    ),
                )


def _names(columns: Any) -> tuple[str, ...]:
    if isinstance(columns, str) or not np.iterable(columns):
        raise _senseless({"columns": columns}, _NAMES)
    return tuple(str(name) for name in columns)
