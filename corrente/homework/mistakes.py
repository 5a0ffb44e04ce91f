"""The usual mistakes of hand-written backward passes, each with its name and its explanation."""

from __future__ import annotations

from typing import NamedTuple

from corrente.words import Says


class Mistake(NamedTuple):
    """A mistake: its code, what it is called, and why it is one."""

    code: str
    name: Says
    why: Says


_ALL = (
    Mistake(
        "transpose",
        Says("a transpose is missing, or one too many", "falta uma transposição, ou sobra uma"),
        Says(
            "the gradient has the shape of its value; in a matrix product only one arrangement "
            "of the operands gives it",
            "o gradiente tem a forma do seu valor; num produto de matrizes só um arranjo dos "
            "operandos a dá",
        ),
    ),
    Mistake(
        "swapped",
        Says("the operands of a product are swapped", "os operandos de um produto estão trocados"),
        Says(
            "each input of a product receives the upstream gradient times the other input",
            "cada entrada de um produto recebe o gradiente que vem de cima vezes a outra entrada",
        ),
    ),
    Mistake(
        "sum",
        Says(
            "a sum over the batch or a broadcast axis is missing, or one too many",
            "falta uma soma sobre o lote ou sobre um eixo repetido, ou sobra uma",
        ),
        Says(
            "what was repeated on the way forward is summed on the way back",
            "o que foi repetido na ida é somado na volta",
        ),
    ),
    Mistake(
        "axis",
        Says("the wrong axis", "o eixo errado"),
        Says(
            "the sum runs over the axis along which the value was repeated",
            "a soma percorre o eixo ao longo do qual o valor foi repetido",
        ),
    ),
    Mistake(
        "keepdims",
        Says(
            "an axis of length one is lost, or kept (keepdims)",
            "um eixo de comprimento um se perdeu, ou sobrou (keepdims)",
        ),
        Says(
            "without it NumPy lines the axes up otherwise than you mean",
            "sem ele o NumPy alinha os eixos de outro modo que não o pretendido",
        ),
    ),
    Mistake(
        "accumulate",
        Says(
            "gradients are overwritten, or added twice, where they should be added once (= and +=)",
            "gradientes são sobrescritos, ou somados duas vezes, onde deviam ser somados uma vez "
            "(= e +=)",
        ),
        Says(
            "where a value forks, the gradients of all its paths add up",
            "onde um valor se bifurca, os gradientes de todos os caminhos se somam",
        ),
    ),
    Mistake(
        "path",
        Says(
            "one of the paths through which the value acts is missing, or counted twice",
            "falta um dos caminhos pelos quais o valor age, ou um é contado duas vezes",
        ),
        Says(
            "where a value forks, the gradients of all its paths add up",
            "onde um valor se bifurca, os gradientes de todos os caminhos se somam",
        ),
    ),
    Mistake(
        "sign",
        Says("the wrong sign", "o sinal errado"),
        Says(
            "a minus on the way forward is a minus on the way back",
            "um menos na ida é um menos na volta",
        ),
    ),
    Mistake(
        "mean",
        Says(
            "a division by N is missing, or one too many", "falta uma divisão por N, ou sobra uma"
        ),
        Says(
            "a mean over N values sends 1/N of its gradient to each",
            "uma média de N valores envia 1/N do seu gradiente a cada um",
        ),
    ),
    Mistake(
        "mask",
        Says(
            "a mask is missing, inverted, or one too many",
            "falta uma máscara, está invertida, ou sobra uma",
        ),
        Says(
            "the gradient goes only where the value went through",
            "o gradiente só passa por onde o valor passou",
        ),
    ),
    Mistake(
        "local",
        Says("a local gradient is missing or wrong", "um gradiente local falta ou está errado"),
        Says(
            "each gate multiplies the gradient from above by its own derivative",
            "cada porta multiplica o gradiente que vem de cima pela sua própria derivada",
        ),
    ),
    Mistake(
        "upstream",
        Says(
            "the upstream gradient is forgotten, or is not the right one",
            "o gradiente que vem de cima foi esquecido, ou não é o certo",
        ),
        Says(
            "the chain rule: local gradient times the gradient from above",
            "a regra da cadeia: gradiente local vezes o gradiente que vem de cima",
        ),
    ),
    Mistake(
        "cache",
        Says(
            "a stale, changed or wrong value is used", "é usado um valor velho, alterado ou errado"
        ),
        Says(
            "the backward pass needs the values as they were on the way forward",
            "o passo de volta precisa dos valores como eram na ida",
        ),
    ),
    Mistake(
        "regularisation",
        Says(
            "the regularisation is forgotten, counted twice, or has the wrong factor",
            "a regularização foi esquecida, contada duas vezes, ou tem o fator errado",
        ),
        Says(
            "the penalty is a path of its own from the weights to the loss",
            "a penalidade é um caminho próprio dos pesos à perda",
        ),
    ),
    Mistake(
        "factor",
        Says("off by a factor of 2", "errado por um fator 2"),
        Says(
            "the derivative of x² is 2x, that of x²/2 is x", "a derivada de x² é 2x, a de x²/2 é x"
        ),
    ),
    Mistake(
        "constant",
        Says("a wrong number", "um número errado"),
        Says(
            "constants of the way forward come back in the gradient",
            "as constantes da ida voltam no gradiente",
        ),
    ),
    Mistake(
        "index",
        Says("the wrong index", "o índice errado"),
        Says(
            "the gradient of what was read at a place goes to that place",
            "o gradiente do que foi lido num lugar vai para esse lugar",
        ),
    ),
)

MISTAKES = {mistake.code: mistake for mistake in _ALL}
