"""Every elementwise record, written in C and JavaScript, agrees with NumPy to a few ulp."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from source.compiling import call, library, needs_compiler

from corrente.circuit import Circuit, Step, Wire
from corrente.record import NAMES, Elementwise, Gate
from corrente.source import c, javascript
from corrente.source.dialects import JAVASCRIPT, C
from corrente.source.expressions import Expressions
from corrente.source.joining import Joined

NODE = shutil.which("node")
GATES = [gate for gate in NAMES.values() if isinstance(gate.kind, Elementwise)]
SPECIAL = np.array(
    [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 2.0, 3.7, np.inf, -np.inf, np.nan, 1e-38, -1e30, 80.0, -100.0]
)
ULP = 4


class Case(NamedTuple):
    """One gate on inputs of one dtype, and what NumPy gives."""

    gate: Gate
    circuit: Circuit
    ins: tuple[np.ndarray, ...]
    out: np.ndarray


def case(gate: Gate, ins: tuple[Any, ...], params: Any) -> Case:
    arrays = tuple(np.asarray(x) for x in ins)
    with np.errstate(all="ignore"):
        out = np.asarray(gate.forward(*arrays, **params))
    count = len(arrays)
    wires = [Wire(x.shape, x.dtype, k, False) for k, x in enumerate((*arrays, out))]
    step = Step(gate, tuple(range(count)), (count,), params)
    circuit = Circuit(tuple(wires), tuple(range(count)), {}, (step,), (count,))
    return Case(gate, circuit, arrays, out)


def cases(dtype: Any) -> Iterator[Case]:
    """Draw each gate's inputs in its domain, and from the special values where it takes floats."""
    rng = np.random.default_rng(0)
    for gate in GATES:
        if gate.example is None:
            ins: tuple[Any, ...] = tuple(rng.uniform(*ends, size=50) for ends in gate.domain)
            params: Any = {}
        else:
            ins, params = gate.example(rng)
        typed = tuple(x.astype(dtype) if x.dtype.kind == "f" else x for x in map(np.asarray, ins))
        yield case(gate, typed, params)
        if all(x.dtype.kind == "f" for x in typed) and len(typed) < 3:
            grid = np.meshgrid(*[SPECIAL.astype(dtype)] * len(typed))
            yield case(gate, tuple(np.ascontiguousarray(x.ravel()) for x in grid), params)


def joined(each: Case, name: str) -> Joined:
    return Joined(name, each.circuit, each.circuit.outs, None, {}, {}, {}, (None,))


def assert_few_ulp(found: np.ndarray, each: Case) -> None:
    """Compare to a few units in the last place; NaN, infinities and signs of zero exactly."""
    out, told = each.out, f"{each.gate.name} of {each.ins[0].dtype}"
    if out.dtype.kind != "f":
        np.testing.assert_array_equal(found, out, told)
        return
    np.testing.assert_array_equal(np.isnan(found), np.isnan(out), told)
    finite = np.isfinite(out)
    np.testing.assert_array_equal(found[~finite], out[~finite], told)
    zero = finite & (out == 0)
    np.testing.assert_array_equal(np.signbit(found[zero]), np.signbit(out[zero]), told)
    room = ULP * np.spacing(np.abs(out[finite]), dtype=out.dtype)
    apart = np.abs(found[finite].astype(float) - out[finite])
    assert (apart <= room).all(), f"{told}: {np.max(apart / room) * ULP} ulp"


@needs_compiler
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_record_in_c(dtype: Any, tmp_path: Path):
    all_of_them = list(cases(dtype))
    texts = [c.write(joined(each, f"g{k}"), each.ins) for k, each in enumerate(all_of_them)]
    made = library(texts, tmp_path, "-O1")
    assert {each.gate.name for each in all_of_them} == {gate.name for gate in GATES}
    for k, each in enumerate(all_of_them):
        (found,) = call(getattr(made, f"g{k}"), each.circuit, each.ins, each.circuit.outs)
        assert_few_ulp(found, each)


@pytest.mark.skipif(NODE is None, reason="no Node on this machine")
def test_every_record_in_javascript(tmp_path: Path):
    all_of_them = list(cases(np.float64))
    lines = ["const told = [];"]
    for k, each in enumerate(all_of_them):
        # each in a scope of its own, with the helpers that it defines
        text = javascript.write(joined(each, f"g{k}"), each.ins).split("\nif (typeof require")[0]
        given = ", ".join(json.dumps([_told(n) for n in x.ravel().tolist()]) for x in each.ins)
        result = f"g{k}(...[{given}].map((x) => x.map(Number))).value"
        lines.append(f"{{\n{text}\ntold.push({result});\n}}")
    show = "(x) => Array.from(x, (n) => (Object.is(n, -0) ? '-0' : String(Number(n))))"
    lines.append(f"console.log(JSON.stringify(told.map({show})));")
    file = tmp_path / "told.js"
    file.write_text("\n".join(lines))
    done = subprocess.run([str(NODE), file], capture_output=True, text=True, check=True)
    for each, told in zip(all_of_them, json.loads(done.stdout), strict=True):
        if each.gate.name in ("logaddexp2", "exp2"):
            continue  # 2 ** x of a browser may be further off
        numbers = [float(text.replace("Infinity", "inf")) for text in told]
        found = np.array(numbers).reshape(each.out.shape)
        assert_few_ulp(found.astype(each.out.dtype), each)


def _told(number: Any) -> Any:
    if isinstance(number, float) and not math.isfinite(number):
        return "NaN" if math.isnan(number) else "Infinity" if number > 0 else "-Infinity"
    return "-0" if isinstance(number, float) and str(number) == "-0.0" else number


# --- how they are written -------------------------------------------------------------------------


def test_what_is_used_twice_is_computed_once():
    b = Expressions(C)
    x = b.variable("x[i]", np.dtype(float))
    y = b.exp(b.neg(x))
    lines, text = b.written(b.mul(y, b.add(y, b.const(1.0, y))), lambda: "u")
    assert lines == ["const double u = exp(-x[i]);"]
    assert text == "u * (u + 1.0)"


def test_brackets_stand_where_they_are_needed():
    b = Expressions(C)
    x, y = (b.variable(name, np.dtype(float)) for name in "xy")
    assert b.written(b.sub(x, b.sub(x, y)), str)[1] == "x - (x - y)"
    assert b.written(b.neg(b.const(-1.0, x)), str)[1] == "-(-1.0)"
    assert b.written(b.mul(b.sqrt(b.add(x, y)), x), str)[1] == "sqrt(x + y) * x"
    chosen = b.select(b.lt(x, y), x, y)
    assert b.written(b.mul(chosen, y), str)[1] == "((x < y) ? x : y) * y"


def test_single_precision_has_its_own_functions_and_numbers():
    x = np.dtype(np.float32)
    b = Expressions(C)
    value = b.exp(b.mul(b.const(0.1, _like(x)), b.variable("x", x)))
    assert b.written(value, str)[1] == "expf(0.1f * x)"
    b = Expressions(JAVASCRIPT)
    value = b.exp(b.add(b.variable("x", x), b.const(1.0, _like(x))))
    assert b.written(value, str)[1] == "Math.fround(Math.exp(Math.fround(x + 1.0)))"


def _like(dtype: Any) -> Any:
    return np.zeros((), dtype)
