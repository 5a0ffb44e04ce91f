"""Adding, multiplying and their relatives: the gates every circuit is made of."""

from __future__ import annotations

import numpy as np

from corrente.record import NONZERO, POSITIVE, REALS, elementwise
from corrente.words import Says

add = elementwise(
    np.add,
    symbol="+",
    partials=(1.0, 1.0),
    linear=(),
    emit=lambda b, x, y: b.add(x, y),
    code=lambda names, params: f"{names[0]} + {names[1]}",
    does=Says(en="adds {0} and {1}", pt="soma {0} e {1}"),
    teaches=Says(
        en="passes the gradient on unchanged to both inputs",
        pt="entrega o gradiente, sem mudança, às duas entradas",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)

multiply = elementwise(
    np.multiply,
    symbol="×",
    partials=(lambda x, y, out: y, lambda x, y, out: x),
    linear=(0, 1),
    emit=lambda b, x, y: b.mul(x, y),
    code=lambda names, params: f"{names[0]} * {names[1]}",
    does=Says(en="multiplies {0} by {1}", pt="multiplica {0} por {1}"),
    teaches=Says(
        en="switches the inputs: each receives the gradient times the other's value",
        pt="troca as entradas: cada uma recebe o gradiente vezes o valor da outra",
    ),
    domain=(REALS, REALS),
    facts=("commutative",),
)

reciprocal = elementwise(
    np.reciprocal,
    symbol="1/x",
    partials=(lambda x, out: -out * out,),
    emit=lambda b, x: b.div(b.const(1.0, x), x),
    does=Says(en="takes one over {0}", pt="toma um sobre {0}"),
    teaches=Says(
        en="scales the gradient by minus its output squared",
        pt="multiplica o gradiente por menos a saída ao quadrado",
    ),
    domain=(NONZERO,),
)

sqrt = elementwise(
    np.sqrt,
    symbol="√",
    partials=(lambda x, out: 0.5 / out,),
    emit=lambda b, x: b.sqrt(x),
    does=Says(en="takes the square root of {0}", pt="tira a raiz quadrada de {0}"),
    teaches=Says(
        en="scales the gradient by one over twice its output: large near zero",
        pt="multiplica o gradiente por um sobre o dobro da saída: grande perto de zero",
    ),
    domain=(POSITIVE,),
)
