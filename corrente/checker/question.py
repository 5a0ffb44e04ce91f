"""What was asked: a call of the user's function, and the same as a function of its leaves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from corrente.checker.comparing import Problem
from corrente.checker.leaves import kind_of, pack, widen
from corrente.errors import BadArgument, BadValue
from corrente.recording import Recording, differentiable, function_name, result_wires, run
from corrente.tracer import lift
from corrente.trees import take_apart
from corrente.words import Says, plain


class Question(NamedTuple):
    """What was asked: a call of the user's function, and the arguments to differentiate."""

    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    keys: list[int]

    def call(self) -> Any:
        return self.function(*self.args, **self.kwargs)

    def record(self) -> Recording:
        return run(self.function, self.args, self.kwargs, self.keys, detailed=True)


def leaves_of(question: Question) -> list[Any]:
    found = []
    for key in question.keys:
        tree = take_apart(question.args[key])
        found += [differentiable(leaf, key, tree.is_leaf, True)[0] for leaf in tree.leaves]
    return found


def with_leaves(question: Question, leaves: Sequence[Any]) -> Question:
    rest = iter(leaves)
    args = list(question.args)
    for key in question.keys:
        tree = take_apart(args[key])
        args[key] = tree.build([next(rest) for _ in tree.leaves])
    return question._replace(args=tuple(args))


def with_floats(question: Question) -> Question:
    """Make Python ints floats; raise BadArgument for what cannot be differentiated."""
    return with_leaves(question, leaves_of(question))


def flatten(question: Question) -> Problem:
    def function(*leaves: Any) -> tuple[Any, ...]:
        return tuple(floats(with_leaves(question, leaves).call()))

    return Problem(function, tuple(leaves_of(question)))


def floats(result: Any) -> list[Any]:
    leaves = [
        lift(leaf) if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "O" else leaf
        for leaf in take_apart(result).leaves
    ]
    return [leaf for leaf in leaves if kind_of(leaf) in "fc"]


def widened(question: Question) -> Question:
    """Cast arguments of low precision to float64, if the function works on them as well."""
    leaves = leaves_of(question)
    wide = [widen(leaf) for leaf in leaves]
    if all(new is old for new, old in zip(wide, leaves, strict=True)):
        return question
    cast = with_leaves(question, wide)
    try:
        values = pack(floats(cast.call()))
        expected = pack(floats(question.call()))
    except Exception:
        return question
    same = values.shape == expected.shape and np.allclose(values, expected, 1e-2, 1e-3)
    return cast if same else question


def refuse_function(question: Question) -> None:
    """Raise where there is no derivative to speak of, or no value to take differences of."""
    name = function_name(question.function)
    outs = floats(question.call())
    if not outs:
        raise BadArgument(
            Says("{0} returned no real number.", "{0} não devolveu número real.").fill(name),
            Says("return floats: whole numbers have no gradient.", "devolva números reais."),
        )
    if not np.isfinite(pack(outs)).all():
        raise BadValue(
            Says(
                "{0} is not finite here: no difference can be taken.",
                "{0} não é finita aqui: não há diferença a tomar.",
            ).fill(name),
            Says("check it at another point.", "confira-a noutro ponto."),
        )
    if not np.array_equal(pack(outs), pack(floats(question.call())), equal_nan=True):
        raise BadValue(
            Says(
                "{0} gave two results for the same arguments.",
                "{0} deu dois resultados para os mesmos argumentos.",
            ).fill(name),
            Says(
                "pass its random generator's numbers as an argument.",
                "passe os números do seu gerador aleatório como argumento.",
            ),
        )
    refuse_unreached(question, name)


def refuse_unreached(question: Question, name: str) -> None:
    recording = question.record()
    tape = recording.tape
    _, wires = result_wires(recording)
    if any(wire is not None and tape.depends(wire) for wire in wires):
        return
    last = [step for step in tape.recorded if not step[0].differentiable]
    raise BadArgument(
        Says(
            "the result of {0} has no gradient: it does not depend on the arguments{1}.",
            "o resultado de {0} não tem gradiente: não depende dos argumentos{1}.",
        ).fill(
            name,
            Says(
                " through anything but {0}, which lets none through",
                " senão por {0}, que não deixa passar nenhum",
            ).fill(last[-1][0].name)
            if last
            else plain(""),
        ),
        Says("choose other arguments with argnums.", "escolha outros argumentos com argnums."),
        last[-1][4] if last else False,
    )
