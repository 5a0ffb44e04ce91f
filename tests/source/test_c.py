"""Printed C compiles without a warning and gives the interpreter's numbers."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from source.compiling import CC, STRICT, call, library, needs_compiler
from test_random_circuits import FEWER, Written, assert_close, programs, traced

import corrente as co
from corrente import nn
from corrente.errors import NotSupported
from corrente.source import c
from corrente.source.joining import join

pytestmark = needs_compiler


def source(t: co.Program, name: str) -> str:
    """Print a program as C, the function under another name."""
    return c.write(join(t.run, t.backward, t.kept)._replace(name=name), t.run.values)


def outputs(function: Any, t: co.Program) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Return the values and the gradients that a compiled function gives."""
    outs = [*t.circuit.outs, *(sorted(t.run.parameters) if t.backward is not None else ())]
    found = call(function, t.circuit, t.run.values, outs)
    return found[: len(t.circuit.outs)], found[len(t.circuit.outs) :]


def test_random_programs_agree_with_eager_values_and_gradients(tmp_path: Path):
    """Print many programs first: the compiler is called once for all of them."""
    found: list[tuple[Written, co.Program]] = []

    @FEWER
    @given(programs())
    def collect(program: Written) -> None:
        found.append((program, traced(program)))

    collect()
    made = library([source(t, f"f{k}") for k, (_, t) in enumerate(found)], tmp_path, "-O0")
    assert len(found) >= 80
    for k, (program, t) in enumerate(found):
        (value,), gradients = outputs(getattr(made, f"f{k}"), t)
        assert_close(program, value, t.value)
        for one, other in zip(gradients, t.grads, strict=True):
            assert_close(program, one, other)


RNG = np.random.default_rng(3)
X = RNG.normal(size=(4, 3))
CUBE = RNG.normal(size=(4, 2, 3))
PLACES = np.array([2, 0, -1])


def _masked(x):
    y = x * 1.0
    y[x > 0] = 2.0 * x[0, 0]
    return np.sum(y * y)


def _masked_rows(x, rows):
    y = x * 1.0
    y[rows] = x[:3] * 2.0
    return np.sum(y * y)


def _repeated(x, places):
    y = np.zeros(4, like=x)
    np.add.at(y, places, x[:, 0][:3] ** 2)
    return np.sum(y * y)


def _while(x):
    while x > 1.0:
        x = x * 0.7
    return x


CASES: dict[str, tuple[Callable[..., Any], tuple[Any, ...]]] = {
    "rows": (lambda x, i: np.sum(x[i] ** 2 * np.arange(3)[:, None]), (X, PLACES)),
    "columns": (lambda x, i: np.sum(x[:, i] ** 2), (X, PLACES)),
    "beside": (lambda x, i: np.sum(np.sin(x[:, 1, i])), (CUBE, np.array([0, 2, 1]))),
    "apart": (lambda x, i: np.sum(x[i, :, i] ** 2 * np.arange(2)), (CUBE, np.array([0, 2, 1]))),
    "apart behind": (
        lambda x, i: np.sum(x[:, i, :, i] ** 2 * np.arange(2)),
        (RNG.normal(size=(2, 4, 2, 3)), np.array([0, 2, 1])),
    ),
    "pairs": (lambda x, y: np.mean(x[np.arange(4), y] ** 2), (X, np.array([0, 2, 1, 1]))),
    "mask": (lambda x: np.sum(x[x > 0] ** 3), (X,)),
    "mask of rows": (lambda x, m: np.sum(x[m] ** 3), (X, np.array([True, False, True, True]))),
    "written mask": (_masked, (X,)),
    "written rows": (_masked_rows, (X, np.array([True, False, True, True]))),
    "added at": (_repeated, (X, np.array([3, 0, 3]))),
    "scans": (lambda x: np.sum(np.cumsum(x, axis=1) ** 2 + np.cumprod(x, axis=0)), (X,)),
    "argmax": (lambda x: np.sum(x[np.arange(4), np.argmax(x, axis=1)] * np.argmin(x)), (X,)),
    "folds": (
        lambda x: np.sum(nn.logsumexp(x, axis=1) * np.std(x, axis=1) + np.prod(x, axis=1)),
        (X,),
    ),
    "norms": (lambda x: np.linalg.norm(x) + np.sum(np.var(x, axis=0, ddof=1)), (X,)),
    "extremes": (lambda x: np.sum(np.max(x, axis=0) * np.min(x, axis=0)), (X,)),
    "questions": (lambda x: np.sum(x * np.any(x > 1, axis=0)) * np.count_nonzero(x > 0), (X,)),
    "windows": (
        lambda x: np.sum(nn.windows(x, (2, 2), stride=(1, 2)) ** 2),
        (RNG.normal(size=(5, 6)),),
    ),
    "rolled": (lambda x: np.sum(np.roll(x, 1, axis=1) * np.flip(x) * x.T.reshape(4, 3)), (X,)),
    "padded": (lambda x: np.sum(np.pad(x, 1, mode="reflect") ** 2 * np.pad(x, 1)), (X,)),
    "repeated": (lambda x: np.sum(np.tile(x, (2, 1)) * np.repeat(x, 2, axis=0) ** 2), (X,)),
    "diagonals": (lambda x: np.sum(np.diag(x[:, 0]) @ x * np.trace(x)), (X,)),
    "joined": (lambda x: np.sum(np.concatenate([x, x * 2.0], axis=1) @ np.ones((6, 2)) * 3), (X,)),
    "stacks": (
        lambda x, y: np.sum(x @ y),
        (RNG.normal(size=(2, 1, 3, 4)), RNG.normal(size=(5, 4, 2))),
    ),
    "einsum": (lambda x: np.einsum("ij,kj,ik->", x, x, np.eye(4)), (X,)),
    "whole numbers": (
        lambda x, n: np.sum(x * (n // 2) + (n % 3) ** 2 * x),
        (X[0], np.array([-5, 4, 7])),
    ),
    "bits": (lambda x: np.sum(np.where((x > 0) & ~(x > 1) | (x < -1), x, 2.0 * x)), (X,)),
    "unreached": (lambda x, y: np.sum(x * 2.0), (X, 2.0)),
    "several": (lambda x: (x * 2.0, x + 1.0, np.sum(x)), (X,)),
    "path": (_while, (3.0,)),
    "itself": (lambda x: x, (2.0,)),
    "nothing": (lambda x: np.sum(x[:0] * 2.0) + np.sum(x), (X,)),
    "reserved": (lambda double, exp: np.sum(np.exp(double) * exp), (X, X)),
    "constants": (lambda x: np.sum(x * np.array([0.1, -np.inf, 1e-300]) > 0) * np.sum(x), (X,)),
}


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[co.Program, Any]]:
    found = {name: co.trace(f)(*args) for name, (f, args) in CASES.items()}
    texts = [source(t, f"f{k}") for k, t in enumerate(found.values())]
    made = library(texts, tmp_path_factory.mktemp("c"))
    return {name: (t, getattr(made, f"f{k}")) for k, (name, t) in enumerate(found.items())}


@pytest.mark.parametrize("name", CASES)
def test_each_kind_of_step(name: str, compiled: dict[str, tuple[co.Program, Any]]):
    t, function = compiled[name]
    values, gradients = outputs(function, t)
    expected = t.value if isinstance(t.value, tuple) else (t.value,)
    for one, other in zip(values, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    if t.backward is not None:
        wanted = [gradient for gradient in t.grads if gradient is not None]
        for one, other in zip(gradients, wanted, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)


def test_nan_is_not_passed_over(tmp_path: Path):
    x = np.array([[1.0, np.nan, 3.0], [4.0, 2.0, 5.0], [np.nan, 7.0, np.nan]])
    fold = lambda x: (np.max(x, axis=1), np.min(x, axis=1), np.argmax(x, axis=1), np.argmin(x))
    t = co.trace(fold)(x)
    values, _ = outputs(library([source(t, "f")], tmp_path).f, t)
    for one, other in zip(values, t.value, strict=True):
        np.testing.assert_array_equal(one, other)


def test_two_calls_do_not_see_each_other(compiled: dict[str, tuple[co.Program, Any]]):
    t, function = compiled["added at"]
    first = outputs(function, t)
    second = outputs(function, t)
    for one, other in zip((*first[0], *first[1]), (*second[0], *second[1]), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_text_of_the_circuit_of_the_notes():
    def circuit(x, y, z):
        q = x + y
        f = q * z
        return f  # noqa: RET504  (named, as in the notes)

    code = co.trace(circuit)(-2.0, 5.0, -4.0).code("c")
    head = "void circuit(double x, double y, double z, double *value, double *dx, double *dy, "
    lines = [line.strip() for line in code.splitlines()]
    assert head + "double *dz)" in code
    assert lines[lines.index("const double q = x + y;") + 1] == "const double f = q * z;"
    assert "*dz = q;" in lines
    assert "Os arrays estão em ordem C" in co.trace(circuit)(1.0, 2.0, 3.0).code("c", lang="pt")


def test_the_header_states_shapes_and_the_path():
    code = co.trace(lambda x: np.sum(x) if np.max(x) > 0 else x[0, 0])(X).code("c")
    header = code.split("*/")[0]
    assert "in      x            double, 4 × 3" in header
    assert "out     dx           double, 4 × 3" in header
    assert "np.max(x) > 0 → True" in header


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_it_runs_the_recorded_inputs(tmp_path: Path, dtype: Any):
    assert CC is not None
    t = co.trace(lambda x, y: np.sum(np.tanh(x @ x.T)) * y)(X.astype(dtype), 2.0)
    file, made = tmp_path / "f.c", tmp_path / "f"
    file.write_text(t.code("c"))
    subprocess.run([CC, *STRICT, "-O2", "-DCORRENTE_MAIN", file, "-o", made, "-lm"], check=True)
    done = subprocess.run([made], capture_output=True, text=True, check=True)
    shown = dict(line.split(" =") for line in done.stdout.splitlines())
    close = {"rtol": 1e-12 if dtype == np.float64 else 1e-4, "atol": 1e-5 * (dtype == np.float32)}
    for key, value in {"value": t.value, "dx": t.grads[0], "dy": t.grads[1]}.items():
        np.testing.assert_allclose(np.array(shown[key].split(), float), np.ravel(value), **close)


def test_a_gate_without_c_is_named_with_its_line():
    def f(x):
        _, s, _ = np.linalg.svd(x, full_matrices=False)
        return np.sum(s)

    t = co.trace(f)(X)
    with pytest.raises(NotSupported, match=r"svd has no C yet(.|\n)*np\.linalg\.svd\(x") as caught:
        t.code("c")
    assert "ainda não existe em C" in caught.value.render("pt")


def test_complex_numbers_are_refused_by_name():
    with pytest.raises(NotSupported, match="complex128"):
        co.trace(lambda z: np.real(np.sum(z * z)))(X * 1j).code("c")
