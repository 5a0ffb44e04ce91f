"""The builder's vocabulary: what NumPy says, for every gate, every kind and any number of lanes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
import numpy as np
import pytest

import corrente.gates  # noqa: F401  (fills the table)
from corrente.interpreter import emitted
from corrente.native.vectors import Module, Value, Vectors
from corrente.record import NAMES, Elementwise
from docs.accuracy_page import DTYPES, compiled, off

KINDS = list(DTYPES)
SPECIALS = [0.0, -0.0, 1.0, -1.0, 0.3, -2.5, 40.0, 1e-30, math.inf, -math.inf, math.nan]
ELEMENTWISE = [gate for gate in NAMES.values() if isinstance(gate.kind, Elementwise)]


def written(rule: Callable[..., Any], kinds: list[str], lanes: int = 4) -> tuple[Value, str]:
    """Write a function of the rule and have LLVM read it."""
    module, lines = Module(), list[str]()
    b = Vectors(lanes, lines, module)
    out = rule(b, *(Value(f"%x{k}", kind) for k, kind in enumerate(kinds)))
    given = ", ".join(f"{b.type(kind)} %x{k}" for k, kind in enumerate(kinds))
    whole = b.type(out.kind)
    body = "\n".join([*lines, f"  ret {whole} {out.name}"])
    text = f"{module.text()}\ndefine {whole} @f({given}) {{\n{body}\n}}"
    llvm.parse_assembly(text).verify()
    return out, text


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("gate", ELEMENTWISE, ids=lambda gate: gate.name)
def test_the_vectors_say_what_numpy_says(gate: Any, kind: str):
    count = len(gate.domain)
    ins = [x.ravel() for x in np.meshgrid(*[np.array(SPECIALS, DTYPES[kind])] * count)]

    def rule(b: Any, *ins: Any) -> Any:
        given = [b.cast(ins[0], "i1"), *ins[1:]] if gate.name == "where" else list(ins)
        return gate.kind.emit(b, *given)

    found = compiled(rule, kind, 4, count)(*ins)
    given = [ins[0] != 0, *ins[1:]] if gate.name == "where" else ins
    with np.errstate(all="ignore"):
        expected = np.asarray(emitted(gate.kind.emit, given))
    expected = np.broadcast_to(expected, found.shape)
    assert expected.dtype == found.dtype
    if expected.dtype == np.bool_:
        np.testing.assert_array_equal(found, expected)
        return
    assert np.nanmax(off(found, expected)) <= 8, gate.name


def test_whole_numbers_follow_numpy():
    cases: list[tuple[str, str]] = [
        ("add", "add"),
        ("sub", "sub"),
        ("mul", "mul"),
        ("lt", "icmp slt"),
        ("le", "icmp sle"),
        ("eq", "icmp eq"),
    ]
    for name, word in cases:
        _, text = written(lambda b, x, y: getattr(b, name)(x, y), ["i64", "i64"])  # noqa: B023
        assert f"= {word} <4 x i64>" in text
    assert "icmp ult <4 x i8>" in written(lambda b, x, y: b.lt(x, y), ["i8", "i8"])[1]
    # of truth values adding is "or" and multiplying "and"
    assert "= or <4 x i1>" in written(lambda b, x, y: b.add(x, y), ["i1", "i1"])[1]
    assert "= and <4 x i1>" in written(lambda b, x, y: b.mul(x, y), ["i1", "i1"])[1]


@pytest.mark.parametrize("name", ["div", "atan2", "pow", "fmod"])
def test_whole_numbers_are_no_floats(name: str):
    with pytest.raises(TypeError):
        written(lambda b, x, y: getattr(b, name)(x, y), ["i64", "i64"])


@pytest.mark.parametrize(
    "rule",
    [
        lambda b, x, y: b.add(x, y),
        lambda b, x, y: b.lt(x, y),
        lambda b, x, y: b.pow(x, y),
        lambda b, x, y: b.select(b.eq(x, x), x, y),
    ],
)
def test_kinds_do_not_mix(rule: Any):
    with pytest.raises(TypeError):
        written(rule, ["float", "double"])


ALL = ["i1", "i8", "i32", "i64", "float", "double"]


@pytest.mark.parametrize("lanes", [1, 4])
def test_every_kind_becomes_every_other(lanes: int):
    for old in ALL:
        for new in ALL:
            out, _ = written(lambda b, x: b.cast(x, new), [old], lanes)  # noqa: B023
            assert out.kind == new


@pytest.mark.parametrize("kind", KINDS)
def test_casts_keep_what_numpy_keeps(kind: str):
    x = np.array([0.0, -0.0, 0.4, -1.9, 3.0, math.nan, math.inf], DTYPES[kind])
    whole = compiled(lambda b, x: b.cast(b.cast(x, "i64"), kind), kind, 4, 1)
    assert whole(x[:5]).tolist() == [0.0, 0.0, 0.0, -1.0, 3.0]
    true = compiled(lambda b, x: b.cast(x, "i1"), kind, 4, 1)
    assert true(x).tolist() == [False, False, True, True, True, True, True]
    byte = compiled(lambda b, x: b.cast(b.cast(x, "i8"), kind), kind, 4, 1)
    assert byte(x).tolist() == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_a_small_constant_power_is_a_product():
    for power, products in ((2.0, 1), (3.0, 2), (4.0, 2)):
        _, text = written(lambda b, x: b.pow(x, b.const(power, x)), ["double"])  # noqa: B023
        assert text.count("fmul") == products
        assert "call" not in text
    assert (
        "call <4 x double> @pow" in written(lambda b, x: b.pow(x, b.const(2.5, x)), ["double"])[1]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("power", [0.0, 1.0, -1.0, 2.0, 3.0, 4.0, 0.5, -2.0])
def test_a_constant_power_is_what_numpy_computes(power: float, kind: str):
    x = np.array([*SPECIALS, 1e-20, 1e20, -1e30], DTYPES[kind])
    found = compiled(lambda b, x: b.pow(x, b.const(power, x)), kind, 4, 1)(x)
    with np.errstate(all="ignore"):
        expected = np.power(x, DTYPES[kind].type(power))
    assert off(found, expected).max() <= 2


def test_a_curve_is_written_once():
    module, lines = Module(), list[str]()
    for lanes in (4, 4, 8):
        b = Vectors(lanes, lines, module, f"l{lanes}.")
        b.exp(b.exp(Value(f"%x{lanes}", "double")))
    assert module.text().count("define internal") == 2
    assert module.text().count("declare <4 x double> @llvm.fmuladd.v4f64") == 1


def test_the_manner_of_a_module_is_its_curves():
    module = Module("noinline")
    Vectors(4, [], module).exp(Value("%x", "double"))
    assert "willreturn noinline {" in module.text()


def test_numbers_are_written_to_the_last_bit():
    b = Vectors(1, [], Module())
    x, y = Value("%x", "double"), Value("%y", "float")
    assert b.const(0.1, x).name == "0x3FB999999999999A"
    # a float's constant is written as the double that equals it
    assert b.const(0.1, y).name == "0x3FB99999A0000000"
    assert b.const(1e300, y).name == "0x7FF0000000000000"
    assert b.known(b.const(-0.0, x)) == 0.0
    assert b.known(x) is None
    wide = Vectors(4, [], Module())
    assert wide.known(wide.const(2.5, x)) == 2.5
    with pytest.raises(TypeError):
        b.const(math.inf, Value("%n", "i64"))
