"""The entry: what is passed fits a program, makes a new one, or gives Python's own error."""

from __future__ import annotations

import math
import pickle
import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest
from native.alike import assert_all_alike, check, programs

import corrente as co
from corrente.errors import PathWarning

V = np.random.default_rng(0).normal(size=7)


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclass
class Model:
    a: Any
    b: Any


def same(f, *args, **kwargs) -> Any:
    """Compare a function with itself compiled: its result or its error, twice."""
    compiled = co.jit(f)
    for _ in range(2):
        try:
            expected = f(*args, **kwargs)
        except Exception as error:
            said = re.escape(str(error).partition("\n")[0])
            with pytest.raises(type(error), match=said):
                compiled(*args, **kwargs)
        else:
            assert_all_alike(compiled(*args, **kwargs), expected, ulp=4)
    return compiled


NUMBERS = [1.5, -0.0, math.nan, math.inf, 5e-324, 2 + 1j, np.float64(2.5), np.float32(2.5)]
NUMBERS += [np.complex64(1 + 2j), np.float16(1.5), np.longdouble(1.5), np.int64(3), np.int32(3)]
NUMBERS += [np.int8(3), np.uint8(3), np.uint64(3), np.longlong(3), np.bool_(True)]
NUMBERS += [np.array(2.5), np.array(2.5, np.float32), np.array(3), np.array(True), np.array(1 + 1j)]


@pytest.mark.parametrize("x", NUMBERS, ids=lambda x: f"{type(x).__name__} {x!r}")
def test_numbers_keep_their_types(x):
    check(lambda x: (x, x * x, x + 1, [x, (x,)], 1 * x), x)


@pytest.mark.parametrize("x", [True, 3, -(10**30), "a", b"a", None, ..., slice(1), range(3)])
def test_what_does_not_flow_is_part_of_the_program(x):
    f = lambda x, y: (x, y * 2, None, "s", 3, True)
    compiled = check(f, x, 1.5)
    assert_all_alike(compiled("other", 2.5), f("other", 2.5))
    assert len(programs(compiled)) == 2


NESTS = [
    {"a": 1.5, "b": [V, (2.5, None)]},
    {"b": [V, (2.5, None)], "a": 1.5},
    {1: V, "b": 2.5},
    [V, [[1.5]], ()],
    Pair(V, 2.5),
    Model(V, Pair(1.5, "x")),
    {"empty": {}, "list": [], "tuple": (), "none": None},
]


@pytest.mark.parametrize("nest", NESTS, ids=range(len(NESTS)))
def test_nests(nest):
    check(lambda p: (p, {"again": p, "one": 1.5}), nest)


def test_nests_of_other_forms_make_other_programs():
    f = lambda p: p[0] * 2
    compiled = co.jit(f)
    for p in (
        [V],
        (V,),
        [V, 1.5],
        {0: V},
        [1.5],
        [np.float32(1)],
        [V[:3]],
        [V.reshape(1, 7)],
        [None, V],
    ):
        try:
            expected = f(p)
        except TypeError:
            with pytest.raises(TypeError):
                compiled(p)
        else:
            assert_all_alike(compiled(p), expected)


def test_calls_by_name():
    f = lambda x, y=2.0, *rest, z=1.0, **more: x * y + z + sum(rest) + more.get("w", 0.0)
    compiled = co.jit(f)
    for args, kwargs in (
        ((1.5,), {}),
        ((1.5, 3.0), {}),
        ((1.5,), {"y": 3.0}),
        ((1.5, 3.0, 4.0, 5.0), {"z": 2.0}),
        ((), {"x": 1.5, "w": 7.0}),
        ((), {"w": 7.0, "x": 1.5}),
    ):
        for _ in range(2):
            assert compiled(*args, **kwargs) == f(*args, **kwargs)


WRONG = {
    "too few": (lambda x, y: x, (1.0,)),
    "too many": (lambda x: x, (1.0, 2.0)),
    "none where a number": (lambda x: x + 1, (None,)),
    "text where a number": (lambda x: x + 1, ("a",)),
    "shapes": (lambda x, y: x + y, (np.ones(3), np.ones(4))),
    "an axis": (lambda x: np.sum(x, axis=3), (V,)),
    "a form": (lambda x: x.reshape(3, 3), (V,)),
    "an index": (lambda x: x[10], (V,)),
    "a key": (lambda p: p["q"], ({"a": 1.0},)),
    "text added": (lambda x: x + "a", (1.0,)),
    "nothing to fold": (lambda x: np.max(x), (np.zeros(0),)),
    "a gradient of many": (co.grad(lambda x: x * 2), (V,)),
    "a gradient of integers": (co.grad(lambda x: np.sum(x * 2.0)), (np.arange(3),)),
    "a leak": (co.grad(lambda x: math.exp(x)), (1.5,)),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input_gives_pythons_own_error(name):
    f, args = WRONG[name]
    assert any(same(f, *args).__self__._programs.values()) is False


def test_wrong_input_after_a_program_was_made():
    compiled = co.jit(lambda x, y: (x + y) * 2)
    assert compiled(V, 1.5).shape == (7,)
    for args in ((V,), (V, "a"), (V, None), (None, 1.5), (V, V[:3]), (V, 1.5, 2.5), ()):
        with pytest.raises((TypeError, ValueError)):
            compiled(*args)
    with pytest.raises(TypeError):
        compiled(V, y=1.5, z=2.5)
    np.testing.assert_array_equal(compiled(V, 1.5), (V + 1.5) * 2)


class Number(float):
    """A float of another type."""


def test_other_types_of_numbers_do_not_meet_the_wrong_program():
    f = lambda x: x * 2
    compiled = co.jit(f)
    for x in (1.5, Number(2.5), np.float64(3.5), 4.5, np.float32(1), 2 + 1j, 3, True, np.True_):
        assert compiled(x) == f(x)
        assert compiled(x) == f(x)


def test_objects_run_as_plain_python():
    seen = object()
    assert co.jit(lambda o, x: (o, x))(seen, 1.5) == (seen, 1.5)
    assert co.jit(lambda f, x: f(x))(np.sin, 0.5) == np.sin(0.5)
    assert co.jit(sorted)({3, 1}) == [1, 3]


# --- paths ----------------------------------------------------------------------------------------


def halved(x):
    count = 0
    while x > 1.0:
        x, count = x / 2.0, count + 1
    return x, count


PATHS = {
    "while": (halved, [0.5, 1.5, 3.0, 100.0, 0.5, 7.0, math.nan]),
    "if": (lambda x: x * 2 if np.sum(x) > 0 else -x, [V, -V, V, -V]),
    "a mask": (lambda x: x[x > 0] * 2, [V, -V, 0 * V, np.abs(V), V]),
    "places": (lambda x: np.nonzero(x > 0), [V, -V, 0 * V, V]),
    "different ones": (lambda x: np.unique(x), [V, 0 * V, np.round(V), V]),
    "int": (lambda x: int(x) * V, [1.5, 2.5, 1.25, -3.0]),
    "an index": (lambda x: x[int(np.argmax(x))], [V, -V, V[::-1].copy()]),
    "bool of an array": (lambda x: V * 2 if x[0] else V, [np.array([1.0]), np.array([0.0])]),
    "sorting": (lambda x: sorted([x[k] for k in range(4)]), [V, -V, V]),
    "integers": (lambda n: sum(V * k for k in range(n)), [np.int64(3), np.int64(0), np.int64(5)]),
}


@pytest.mark.parametrize("name", PATHS)
def test_every_path_is_followed(name):
    f, inputs = PATHS[name]
    compiled = co.jit(f)
    for _ in range(2):
        for x in inputs:
            assert_all_alike(compiled(x), f(x))
    assert 2 <= len(programs(compiled)) <= len(inputs)
    assert not compiled.__self__._plain


def test_gradients_follow_paths():
    f = lambda x: np.sum(x * x) if x[0] > 0 else np.sum(np.sin(x))
    compiled = co.jit(co.value_and_grad(f))
    for x in (V, -V, V + 1, -V - 1):
        assert_all_alike(compiled(x), co.value_and_grad(f)(x), tolerance=4)


def test_too_many_paths_are_said_once_and_stay_right():
    def counted(x):
        return V * int(x)

    compiled = co.jit(counted)

    def count() -> None:
        for x in range(40):
            np.testing.assert_array_equal(compiled(x + 0.5), V * x)

    with pytest.warns(PathWarning, match=r"counted .* 24 .*int\(x\)") as caught:
        count()
    assert len(caught) == 1
    assert caught[0].filename == __file__


# --- Python's own numbers -------------------------------------------------------------------------

REFUSED = {
    "divide": (lambda x: 1.0 / x, 0.0),
    "divide by nothing": (lambda x: x / 0.0, 2.0),
    "divide floors": (lambda x: x // x, 0.0),
    "remainder": (lambda x: 5.0 % x, 0.0),
    "divmod": (lambda x: divmod(1.0, x), 0.0),
    "negative power": (lambda x: x**-1.0, -0.0),
    "overflow": (lambda x: (x + 1e200) ** 2, 1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_python_refuses_is_refused(name):
    f, x = REFUSED[name]
    with pytest.raises(ArithmeticError) as expected:
        f(x)
    for first in (x, 0.5):
        compiled = co.jit(f)
        for given in (first, x, x):
            try:
                result = f(given)
            except ArithmeticError:
                with pytest.raises(type(expected.value), match=str(expected.value.args[-1])):
                    compiled(given)
            else:
                assert compiled(given) == result


def test_a_negative_number_has_a_complex_root():
    f = lambda x: x**0.5
    compiled = co.jit(f)
    for x in (4.0, -4.0, 4.0, math.inf, -0.25, math.nan):
        assert compiled(x) == f(x) or x != x
    assert type(compiled(-4.0)) is complex


def test_numpys_numbers_go_on():
    compiled = co.jit(lambda x: 1.0 / x)
    with np.errstate(divide="ignore"):
        assert compiled(np.float64(0.0)) == math.inf
        assert compiled(np.float64(2.0)) == 0.5
    assert len(programs(compiled)) == 1


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.complex128, np.int64, np.bool_])
def test_arrays_that_bring_a_dtype_of_their_own_are_taken(dtype):
    x = np.ones(5, dtype)
    compiled = co.jit(lambda x: np.exp(x) + x)
    travelled, other = (pickle.loads(pickle.dumps(x)) for _ in range(2))
    assert travelled.dtype is not x.dtype
    compiled(travelled)
    [program] = programs(compiled)
    assert program.call([x]) is not NotImplemented
    assert program.call([other]) is not NotImplemented
    assert program.call([x.astype(x.dtype.newbyteorder())[:3]]) is NotImplemented
    assert program.call([np.ones(5, np.float16)]) is NotImplemented
    if dtype is np.int64:
        assert program.call([x.astype(np.longlong)]) is not NotImplemented
        assert program.call([x.astype(np.uint64)]) is NotImplemented
