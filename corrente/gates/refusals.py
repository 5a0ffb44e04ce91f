"""What is refused by name: functions of NumPy that no traced value can pass, and what to write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from corrente.record import REFUSED
from corrente.words import Says


def refuse_all(says: Says, *functions: Callable[..., Any]) -> None:
    """Refuse functions, all for the same reason and with the same advice."""
    for function in functions:
        REFUSED[function] = says


refuse_all(
    Says(
        "values cannot leave a trace: return the array (has_aux=True), and save it outside.",
        "valores não podem sair de um traçado: devolva o array (has_aux=True) e grave-o fora.",
    ),
    np.save,
    np.savetxt,
    np.savez,
    np.savez_compressed,
)

refuse_all(
    Says(
        "it calls a Python function on one plain number after another: write the function with "
        "NumPy's own on whole arrays, or co.vmap(f)(x), or np.stack([f(u) for u in x]).",
        "ela chama uma função de Python sobre um número comum após o outro: escreva a função com "
        "as do NumPy sobre arrays inteiros, ou co.vmap(f)(x), ou np.stack([f(u) for u in x]).",
    ),
    np.vectorize,
    np.frompyfunc,
    np.nested_iters,
)

refuse_all(
    Says(
        "it makes a plain array of Python numbers: np.stack(list(parts)) keeps the gradient.",
        "ela faz um array comum de números de Python: np.stack(list(partes)) mantém o gradiente.",
    ),
    np.fromiter,
)

refuse_all(
    Says(
        "NumPy's matrix class is not followed: use arrays of two axes, @ for products, and "
        "np.block in place of np.bmat.",
        "a classe matrix do NumPy não é seguida: use arrays de dois eixos, @ para produtos, e "
        "np.block no lugar de np.bmat.",
    ),
    np.asmatrix,
    np.bmat,
)

refuse_all(
    Says(
        "it makes a plain array: write x itself, and check it with np.all(np.isfinite(x)).",
        "ela faz um array comum: escreva x mesmo, e confira-o com np.all(np.isfinite(x)).",
    ),
    np.asarray_chkfinite,
)

refuse_all(
    Says(
        "it looks at bits, and a traced value has none to show: use it on plain integers.",
        "ela olha para bits, e um valor traçado não os mostra: use-a sobre inteiros comuns.",
    ),
    np.packbits,
    np.unpackbits,
)

refuse_all(
    Says(
        "dates are not traced: use it on plain arrays, before the differentiated part.",
        "datas não são traçadas: use-a sobre arrays comuns, antes da parte derivada.",
    ),
    np.isnat,
    np.busday_count,
    np.busday_offset,
    np.is_busday,
    np.datetime_as_string,
)

refuse_all(
    Says(
        "it depends on the value, which a trace does not fix: ask x.dtype.",
        "ela depende do valor, que um traçado não fixa: pergunte x.dtype.",
    ),
    np.min_scalar_type,
)
