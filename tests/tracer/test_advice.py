"""A library that asks a traced value for a plain array is answered with what to write instead."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import linalg, special

import corrente as co
from corrente.errors import Leak, NoGate
from corrente.places import HOUSE
from corrente.tracer.advice import advise

X = np.array([0.5, 2.0, 3.0])


def square(u: Any) -> Any:
    return u * u


@pytest.mark.parametrize(
    ("asks", "mend"),
    [
        (lambda x: np.vectorize(square)(x), "np.stack([f(u) for u in x])"),
        (lambda x: np.vectorize(square, otypes=[float])(x), "np.stack([f(u) for u in x])"),
        (lambda x: np.vectorize(square, signature="(n)->(n)")(x), "co.vmap(f)(x)"),
        (lambda x: np.r_[x, 1.0], "np.concatenate([x, y])"),
        (lambda x: np.c_[np.ones(3), x], "np.column_stack([x, y])"),
        (lambda x: np.mean([x[0], x[1]]), "np.stack([x, y])"),
        (lambda x: np.std(np.array([x[0], x[1]])), "np.array([x, y], like=x)"),
        (lambda x: np.median([x[0], x[1]]), "np.stack([x, y])"),
        (lambda x: sum(u for _, u in np.ndenumerate(x)), "np.ndindex(x.shape)"),
        (lambda x: np.int64(x), "x.astype(int)"),
        (lambda x: np.asarray(x, dtype=np.uint8), "x.astype(int)"),
        (lambda x: special.polygamma(1, x), "from corrente import special"),
        (lambda x: linalg.toeplitz(x), "np.linalg"),
        (lambda x: np.array([x, x]), "np.array([x, y], like=x)"),
        (lambda x: np.asarray(x, dtype=float), "np.exp"),
    ],
)
def test_who_asks_is_told_what_to_write(asks: Any, mend: str):
    with pytest.raises(Leak) as caught:
        co.grad(lambda x: np.sum(asks(x)))(X)
    for lang, line in (("en", "line"), ("pt", "linha")):
        # the place shows the row above, which holds the words that are looked for
        assert mend in caught.value.mend.into(lang)
        assert f"test_advice.py, {line}" in caught.value.render(lang)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.stack([square(u) for u in x]),
        lambda x: co.vmap(square)(x),
        lambda x: np.concatenate([x, [1.0]]) ** 2,
        lambda x: np.column_stack([np.ones(3), x]) ** 2,
        lambda x: np.stack([x[0], x[1], x[2]]) ** 2,
        lambda x: np.array([u * u for u in x], like=x),
        lambda x: sum(x[k] ** 2 for k in np.ndindex(x.shape)),
        # one number at a time, these need no other words
        lambda x: np.array([np.vectorize(square)(u) for u in x]),
        lambda x: np.r_[x[0], 1.0, x[1], x[2]] ** 2,
        lambda x: np.fromiter((u * u for u in x), object),
    ],
)
def test_what_is_told_works(f: Any):
    np.testing.assert_allclose(co.grad(lambda x: np.sum(f(x)))(X), 2 * X)


def test_where_no_library_asks_there_is_nothing_special_to_say():
    there: dict[str, Any] = {}
    exec(compile("import sys; frame = sys._getframe()", HOUSE + "there.py", "exec"), there)
    assert advise(there["frame"]) is None
    assert advise(None) is None


def test_whole_numbers_by_astype_index_as_they_do_in_numpy():
    f = lambda x: np.sum(x[x.astype(int) - 1] * X)
    np.testing.assert_allclose(co.grad(f)(X), [0.0, 2.0, X[0] + X[2]])


def test_a_python_function_made_a_ufunc_is_named_with_what_to_write():
    f = np.frompyfunc(lambda u, w: u * w, 2, 1)
    with pytest.raises(NoGate, match=r"^<lambda>") as caught:
        co.grad(lambda x: np.sum(f(x, X)))(X)
    for lang in ("en", "pt"):
        assert "np.stack([f(u) for u in x])" in caught.value.mend.into(lang)
