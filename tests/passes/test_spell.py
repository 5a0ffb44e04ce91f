"""Spelled steps mean what the step meant: types, shapes, NaN and infinities; the rest stays."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from passes.agreeing import SETTINGS, differs, joined, numbers, recorded, with_specials
from test_random_circuits import Written, programs

import corrente as co
from corrente.circuit import Circuit
from corrente.passes import tidy
from corrente.passes.spell import SPELLINGS, spell
from corrente.record import NAMES
from corrente.tracer.box import record

F, S, L, W, B = np.float64, np.float32, np.int64, np.int32, np.bool_


class Case(NamedTuple):
    """A gate with a spelling: a function that uses it, what it reads, and the gates it becomes."""

    gate: str
    function: Callable[..., Any]
    shapes: tuple[tuple[int, ...], ...]
    spelled: str
    dtypes: tuple[Any, ...] = (F, S)
    exact: bool = True
    infinite: bool = True
    """Whether it gives NumPy's own answer for infinities too."""


MEAN = "sum divide"
VAR = "sum divide subtract multiply sum divide"
LOG = "max isfinite where subtract exp sum log add"
PLACE = "max equal isnan logical_or where min"
ROLL = "getitem getitem concatenate"
TILE = "reshape broadcast_to reshape"


def summed(gate: str, function: Any, shape: Any, spelled: str, *dtypes: Any) -> Case:
    return Case(gate, function, (shape,), spelled, dtypes or (F, S), exact=False)


def moved(gate: str, function: Any, shape: Any, spelled: str, *dtypes: Any) -> Case:
    return Case(gate, function, (shape,), spelled, dtypes or (F, S, L, W, B))


MODES: tuple[Any, ...] = ("full", "same", "valid")
MARGINS: tuple[Any, ...] = ("edge", "reflect", "symmetric", "wrap")


def contracted(gate: str, function: Any, shapes: Any, spelled: str, infinite: bool = True) -> Case:
    return Case(gate, function, shapes, spelled, exact=False, infinite=infinite)


CASES = [
    summed("mean", lambda x: np.mean(x), (3, 4), MEAN),
    summed("mean", lambda x: np.mean(x, axis=0, keepdims=True), (3, 4), MEAN),
    summed("mean", lambda x: np.mean(x, axis=1), (3, 4), f"astype {MEAN}", L, W, B),
    summed("var", lambda x: np.var(x, axis=(0, 2), ddof=1), (3, 2, 4), VAR),
    summed("var", lambda x: np.var(x, ddof=9), (3, 2), VAR),
    summed("var", lambda x: np.var(x, axis=0), (3, 2), f"astype {VAR}", L, W),
    summed("std", lambda x: np.std(x, axis=1, keepdims=True), (3, 4), f"{VAR} sqrt"),
    summed("norm", lambda x: np.linalg.norm(x), (3, 4), "multiply sum sqrt"),
    summed("norm", lambda x: np.linalg.norm(x, axis=1), (3, 4), "multiply sum sqrt"),
    summed("norm", lambda x: np.linalg.norm(x, "fro", (0, 2)), (3, 2, 4), "multiply sum sqrt"),
    summed("norm", lambda x: np.linalg.norm(x), (4,), "astype multiply sum sqrt", L),
    summed("logsumexp", lambda x: co.nn.logsumexp(x, 1), (3, 4), f"{LOG} squeeze"),
    summed("logsumexp", lambda x: co.nn.logsumexp(x, keepdims=True), (3, 4), LOG),
    moved("any", lambda x: np.any(x, axis=1), (3, 4), "not_equal max", F, S, L, W),
    moved("any", lambda x: np.any(x), (3, 4), "max", B),
    moved("all", lambda x: np.all(x, axis=0, keepdims=True), (3, 4), "min", B),
    moved("all", lambda x: np.all(x, axis=0), (3, 4), "not_equal min", F, L),
    moved("count_nonzero", lambda x: np.count_nonzero(x, 0), (3, 4), "not_equal astype sum", F, W),
    moved("sum", lambda x: np.sum(x, axis=0), (3, 4), "astype sum", W, B),
    moved("prod", lambda x: np.prod(x, axis=1), (3, 4), "astype prod", W, B),
    moved("cumsum", lambda x: np.cumsum(x, axis=1), (3, 4), "astype cumsum", W, B),
    moved("cumprod", lambda x: np.cumprod(x, axis=1), (3, 4), "astype cumprod", W, B),
    moved("power", lambda x: x**5, (3, 4), "multiply multiply multiply", L, W),
    moved("argmax", lambda x: np.argmax(x, axis=1), (3, 4), PLACE, F, S),
    moved("argmax", lambda x: np.argmax(x, axis=0), (3, 4), "max equal where min", L, W, B),
    moved("argmin", lambda x: np.argmin(x), (3, 4), f"reshape {PLACE.replace('max', 'min')}", F, S),
    moved("argmin", lambda x: np.argmin(x, axis=0, keepdims=True), (3, 2, 4), "min equal isnan "
          "logical_or where min reshape", F),
    moved("bitwise_and", lambda x: x & ~x, (4,), "logical_not logical_and", B),
    moved("bitwise_or", lambda x: x | x, (4,), "logical_or", B),
    moved("bitwise_xor", lambda x: x ^ x, (4,), "logical_xor", B),
    moved("invert", lambda x: ~x, (4,), "logical_not", B),
    moved("tile", lambda x: np.tile(x, (3, 2)), (2, 3), TILE),
    moved("tile", lambda x: np.tile(x, 2), (3,), TILE),
    moved("repeat", lambda x: np.repeat(x, 3, axis=1), (2, 3), TILE),
    moved("repeat", lambda x: np.repeat(x, (2, 0, 3), axis=1), (2, 3), "getitem"),
    moved("roll", lambda x: np.roll(x, (1, -2), axis=(0, 1)), (3, 4), f"{ROLL} {ROLL}"),
    moved("roll", lambda x: np.roll(x, 5), (3, 4), f"reshape {ROLL} reshape"),
    moved("roll", lambda x: np.roll(x, 8, axis=1), (3, 4), ""),
    moved("pad", lambda x: np.pad(x, ((1, 2), (0, 3))), (3, 4), "setitem"),
    moved("pad", lambda x: np.pad(x, 1, constant_values=2.6), (3, 4), "setitem"),
    moved("pad", lambda x: np.pad(x, ((1, 2), (0, 3)), constant_values=((1, 2), (3, 4))), (2, 2),
          "concatenate concatenate"),
    *(
        moved("pad", lambda x, mode=mode: np.pad(x, ((2, 1), (0, 3)), mode), (3, 4), "getitem "
              "getitem")
        for mode in MARGINS
    ),
    moved("diag", lambda x: np.diag(x, -1), (3,), "setitem"),
    moved("diag", lambda x: np.diag(x, 2), (3,), "setitem"),
    moved("diag", lambda x: np.diag(x, 1), (3, 4), "diagonal"),
    summed("overlap_add", lambda x: co.nn.overlap_add(x, 6, 2), (2, 3), "getitem add_at " * 2),
    summed("overlap_add", lambda x: co.nn.overlap_add(x, (7,), 2), (2, 3, 2),
           "getitem add_at " * 2),
    *(
        Case("convolve", lambda x, y, mode=mode: np.convolve(x, y, mode), ((5,), (2,)),
             "getitem multiply add_at " * 2 + ("" if mode == "full" else "getitem"), exact=False)
        for mode in MODES
    ),
    Case("convolve", lambda x, y: np.convolve(y, x, "same"), ((6,), (3,)),
         "getitem multiply add_at " * 3 + "getitem", exact=False),
    contracted("einsum", lambda x, y: np.einsum("ij,ik->ik", x, y), ((3, 4), (3, 2)),
               "sum expand_dims multiply", infinite=False),
    contracted("einsum", lambda x, y: np.einsum("iij,jk->ik", x, y), ((3, 3, 4), (4, 2)),
               "diagonal einsum"),
    contracted("einsum", lambda x, y: np.einsum("ij,kl->likj", x, y), ((3, 4), (2, 5)),
               "expand_dims transpose expand_dims multiply"),
    contracted("einsum", lambda x: np.einsum("iji->", x), ((3, 4, 3),), "diagonal sum"),
    contracted("einsum", lambda x: np.einsum("ijk->kj", x), ((3, 4, 2),), "sum transpose"),
    contracted("einsum", lambda x, y: np.einsum("ijk,ljm,mk->il", x, x, y), ((3, 4, 2), (2, 2)),
               "einsum reshape reshape einsum", infinite=False),
    contracted("einsum", lambda x, y, z: np.einsum("ij,jk,k->i", x, y, z),
               ((3, 4), (4, 2), (2,)), "einsum einsum", infinite=False),
    contracted("tensordot", lambda x, y: np.tensordot(x, y, ((0, 2), (2, 0))),
               ((2, 3, 4), (4, 5, 2)), "transpose reshape transpose reshape einsum"),
    contracted("einsum", lambda x, y: np.einsum("ijk,kj->i", x, y), ((2, 3, 4), (4, 1)),
               "reshape transpose broadcast_to reshape einsum"),
    contracted("outer", lambda x, y: np.outer(x, y), ((3,), (2,)),
               "expand_dims multiply"),
    contracted("dot", lambda x, y: np.dot(x, y[0]), ((3, 2), (2,)), "getitem multiply"),
]  # fmt: skip


def drawn(case: Case, dtype: Any, seed: int = 0) -> list[Any]:
    rng = np.random.default_rng(seed)
    return [(3 * rng.normal(size=shape)).astype(dtype) for shape in case.shapes]


def quietly(function: Callable[..., Any], *args: Any) -> Circuit:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return recorded(function, *args)


def named(case: Case) -> str:
    return f"{case.gate}: {case.spelled or 'nothing'}"


def close(one: Any, other: Any, exact: bool) -> bool:
    """Compare two values: types and shapes, then bits, or all but the last digits."""
    a, b = np.asarray(one), np.asarray(other)
    if exact or a.dtype != b.dtype or a.shape != b.shape:
        return not differs(one, other)
    return np.allclose(a, b, rtol=2e-6 if a.dtype == S else 1e-13, atol=1e-6, equal_nan=True)


ALL = [(case, dtype) for case in CASES for dtype in case.dtypes]


@pytest.mark.parametrize(("case", "dtype"), ALL, ids=[f"{named(c)} {d.__name__}" for c, d in ALL])
def test_it_is_spelled_so_and_means_the_same(case: Case, dtype: Any):
    args = drawn(case, dtype)
    before = quietly(case.function, *args)
    after = spell(before).verify()
    assert [step.gate.name for step in after.steps] == case.spelled.split()
    seeds = range(4 if case.infinite and dtype in (F, S) else 0)
    for ins in (args, *(with_specials(args, seed) for seed in seeds)):
        one, other = numbers(before, ins), numbers(after, ins)
        assert close(one[before.outs[0]], other[after.outs[0]], case.exact), after


def test_every_spelling_is_tested():
    read = {"getitem", "setitem", "add_at", "matmul"}
    assert {case.gate for case in CASES} == set(SPELLINGS) - read


@pytest.mark.parametrize("name", sorted(SPELLINGS))
def test_examples_of_the_table_keep_their_meaning(name: str):
    gate = NAMES[name]
    rng = np.random.default_rng(1)
    if gate.example is None:
        ins, params = tuple(rng.uniform(*end, size=(3, 4)) for end in gate.domain), {}
    else:
        ins, params = gate.example(rng)
    before = recorded(lambda *ins: record(gate, ins, params), *ins)
    after = spell(before).verify()
    one, other = numbers(before, ins)[before.outs[0]], numbers(after, ins)[after.outs[0]]
    assert close(one, other, False)


def test_before_and_after():
    x = np.arange(6.0).reshape(2, 3)
    circuit = recorded(lambda x: np.var(x, axis=1, keepdims=True) * 2, x)
    assert str(circuit) == (
        "def circuit(x):\n    v1 = np.var(x, axis=1, keepdims=True)\n    v3 = v1 * 2\n    return v3"
    )
    assert str(spell(circuit)) == (
        "def circuit(x):\n"
        "    v4 = np.sum(x, axis=1, keepdims=True)\n"
        "    v6 = v4 / 3.0\n"
        "    v7 = x - v6\n"
        "    v8 = v7 * v7\n"
        "    v9 = np.sum(v8, axis=1, keepdims=True)\n"
        "    v11 = v9 / 3.0\n"
        "    v3 = v11 * 2\n"
        "    return v3"
    )


# --- reads and writes at several places ---------------------------------------------------------

ROWS, COLUMNS = np.array([[0], [2], [0]]), np.array([[1, 0, 3]], np.int32)


def test_index_arrays_get_one_shape_and_one_dtype():
    def read(x: Any) -> Any:
        return x[ROWS, COLUMNS]

    def written(x: Any) -> Any:
        y = x * 1
        y[ROWS, COLUMNS] = x[:3, :3]
        return y

    x = np.arange(12.0).reshape(3, 4)
    for f, names in (
        (read, ["astype", "broadcast_to", "broadcast_to", "getitem"]),
        (written, ["multiply", "getitem", "astype", "broadcast_to", "broadcast_to", "setitem"]),
        (co.grad(lambda x: np.sum(x[ROWS, COLUMNS] ** 2)), ["add_at"]),
    ):
        before = recorded(f, x)
        after = spell(before).verify()
        assert [step.gate.name for step in after.steps][-len(names) :] == names
        assert not differs(numbers(before, [x])[before.outs[0]], numbers(after, [x])[after.outs[0]])


# --- what stays ---------------------------------------------------------------------------------

STAY = {
    "empty": (lambda x: np.mean(x, axis=0), np.ones((2, 0))),
    "complex": (lambda x: np.mean(x), np.ones(3, complex)),
    "half": (lambda x: np.std(x), np.ones(3, np.float16)),
    "unsigned": (lambda x: np.sum(x), np.ones(3, np.uint8)),
    "number": (lambda x: np.mean(x), 2.0),
    "whole bits": (lambda x: x & 3, np.arange(3)),
    "many weights": (lambda x: np.convolve(x, x), np.ones(65)),
    "many offsets": (lambda x: co.nn.overlap_add(x, 129), np.ones((65, 65))),
    "mask": (lambda x: x[np.array([True, True, True])], np.arange(3.0)),
    "bits and truth": (lambda x: x & (x > 1), np.arange(3)),
    "no power": (lambda x: x**2.5, np.arange(3.0)),
    "matrix product": (lambda x: x @ x.T, np.ones((2, 3))),
    "whole product": (lambda x: np.outer(x, x), np.arange(3)),
    "of two lengths": (lambda x: np.einsum("ij,jk->ik", x, x), np.ones((3, 3))),
}


@pytest.mark.parametrize("why", STAY)
def test_it_stays(why: str):
    function, x = STAY[why]
    circuit = quietly(function, x)
    assert spell(circuit) is circuit


def test_a_users_gate_of_the_same_name_stays():
    circuit = recorded(lambda x: np.mean(x), np.ones(3))
    other = replace(NAMES["mean"], of=len)
    mine = replace(circuit, steps=tuple(s._replace(gate=other) for s in circuit.steps))
    assert spell(mine) is mine


# --- what is kept -------------------------------------------------------------------------------


def test_guards_and_names_follow_the_spelled_wire():
    def f(x: Any) -> Any:
        middle = np.mean(x)
        return x * 2 if middle > 1 else x

    circuit = recorded(f, np.arange(4.0))
    after = spell(circuit).verify()
    assert [guard[1:] for guard in after.guards] == [guard[1:] for guard in circuit.guards]
    assert "middle" in after.names.values()
    spelled = after.steps[:2]
    assert [step.where for step in spelled] == [circuit.steps[0].where] * 2
    assert len({step.stack[-1] for step in spelled}) == 1


def test_a_margin_takes_the_memory_of_one_number():
    circuit = recorded(lambda x: np.pad(x, 1000), np.ones((2, 2)))
    (margin,) = [v for v in spell(circuit).held.values() if np.ndim(v) == 2]
    assert margin.strides == (0, 0)
    assert not margin.flags.writeable


@SETTINGS
@given(programs())
def test_programs_and_their_gradients_keep_their_meaning(program: Written):
    for before in (
        recorded(program.several, *program.args),
        joined(program.scalar, *program.args),
    ):
        after = tidy(spell(before).verify())
        one, other = numbers(before, program.args), numbers(after, program.args)
        for a, b in zip(before.outs, after.outs, strict=True):
            scale = 1 + np.max(np.abs(one[a]), initial=0)
            assert np.result_type(one[a]) == np.result_type(other[b])
            assert np.allclose(one[a], other[b], rtol=1e-9, atol=1e-9 * scale, equal_nan=True)
