"""Printed Python runs alone, reads like a model solution and gives the same numbers."""

from __future__ import annotations

import ast
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from test_random_circuits import FEWER, Written, assert_close, copies, programs, traced

import corrente as co
from corrente import nn
from corrente.errors import NotSupported
from corrente.source.joining import join
from corrente.source.statements import Writer


def printed(t: co.Program) -> dict[str, Any]:
    """Run what a program prints as, and return its functions."""
    space: dict[str, Any] = {"__name__": "printed"}
    exec(compile(t.code("python"), "<printed>", "exec"), space)
    return space


def large(t: co.Program) -> dict[str, Any]:
    """Return the arrays that the printed function must be given, by keyword."""
    writer = Writer(join(t.run, t.backward, t.kept))
    writer.name_inputs()
    return {writer.names[wire]: writer.circuit.held[wire] for wire in writer.large}


def body(code: str, name: str) -> list[str]:
    """Return the lines of a printed function, comments and all, without its head."""
    lines = code.split(f"def {name}(")[1].split("\n\n\n")[0].splitlines()
    return [line.strip() for line in lines[1:] if '"""' not in line]


def circuit(x, y, z):
    q = x + y
    f = q * z
    return f  # noqa: RET504  (named, as in the notes)


def neuron(w, x):
    z = w[0] * x[0] + w[1] * x[1] + w[2]
    return 1 / (1 + np.exp(-z))


def softmax_loss(X, y, W1, b1, W2, b2):
    h = np.maximum(0, X @ W1 + b1)
    scores = h @ W2 + b2
    shifted = scores - np.max(scores, axis=1, keepdims=True)
    p = np.exp(shifted)
    p = p / np.sum(p, axis=1, keepdims=True)
    data = -np.mean(np.log(p[np.arange(len(y)), y]))
    return data + 0.5 * 1e-3 * np.sum(W1 * W1)


def batch_norm(x, gamma, beta):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    xhat = (x - mu) / np.sqrt(var + 1e-5)
    out = gamma * xhat + beta
    return np.sum(out**3)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm(x, h, c, Wx, Wh, b):
    a = x @ Wx + h @ Wh + b
    ai, af, ao, ag = np.split(a, 4, axis=1)
    i = sigmoid(ai)
    f = sigmoid(af)
    o = sigmoid(ao)
    g = np.tanh(ag)
    c = f * c + i * g
    h = o * np.tanh(c)
    return np.sum(h**2)


def examples() -> list[tuple[Any, tuple[Any, ...]]]:
    rng = np.random.default_rng(0)
    n = lambda *shape: rng.normal(size=shape)
    return [
        (circuit, (-2.0, 5.0, -4.0)),
        (neuron, (np.array([2.0, -3.0, -3.0]), np.array([-1.0, -2.0]))),
        (softmax_loss, (n(4, 3), np.array([0, 1, 1, 0]), n(3, 5), n(5), n(5, 2), n(2))),
        (batch_norm, (n(4, 3), n(3), n(3))),
        (lstm, (n(2, 4), n(2, 3), n(2, 3), n(4, 12), n(3, 12), n(12))),
    ]


def test_the_circuit_of_the_notes():
    code = co.trace(circuit)(-2.0, 5.0, -4.0).code("python")
    assert code.startswith("import numpy as np\n\n\ndef forward(x, y, z):\n")
    assert body(code, "forward") == ["q = x + y", "f = q * z", "cache = (z, q)", "return f, cache"]
    assert "def backward(cache, dout=1.0):" in code
    assert body(code, "backward") == [
        "z, q = cache",
        "# f = q * z",
        "dq = dout * z",
        "dz = dout * q",
        "# q = x + y",
        "dx = dq",
        "dy = dq",
        "return dx, dy, dz",
    ]


@pytest.mark.parametrize(
    ("number", "lines"),
    [
        (
            1,
            [
                "z = w[0] * x[0] + w[1] * x[1] + w[2]",
                "# z = w[0] * x[0] + w[1] * x[1] + w[2]",
                "dw = np.zeros(3)",
                "dw[2] += dz",
                "dw[1] += dz * x[1]",
            ],
        ),
        (
            2,
            [
                "t1 = X @ W1 + b1",
                "data = -np.mean(np.log(t4))",
                "# scores = h @ W2 + b2",
                "db2 = np.sum(dscores, axis=0)",
                "dh = dscores @ W2.T",
                "dW2 = h.T @ dscores",
                "dW1 += X.T @ dt1",
            ],
        ),
        (3, ["dbeta = np.sum(dout, axis=0)", "dgamma = np.sum(dout * xhat, axis=0)"]),
        (
            4,
            [
                "i = 1 / t2",
                "c_1 = f * c + i * g",
                "# c_1 = f * c + i * g",
                "di = dc_1 * g",
                "dc = dc_1 * f",
                "da[:, 9:12] += dg * (1.0 - g * g)",
                "dWx = x.T @ da",
            ],
        ),
    ],
)
def test_it_reads_like_a_model_solution(number: int, lines: list[str]):
    f, args = examples()[number]
    written = [line.strip() for line in co.trace(f)(*args).code("python").splitlines()]
    places = [written.index(line) for line in lines]
    assert places == sorted(places)


@pytest.mark.parametrize(("f", "args"), examples(), ids=lambda x: getattr(x, "__name__", ""))
def test_it_runs_alone_and_gives_the_same_numbers(f: Any, args: tuple[Any, ...]):
    t = co.trace(f)(*args)
    value, cache = printed(t)["forward"](*args)
    np.testing.assert_allclose(value, t.value, rtol=1e-14)
    wanted = [gradient for gradient in t.grads if gradient is not None]
    for found, gradient in zip(printed(t)["backward"](cache), wanted, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-12, atol=1e-15)


def test_the_file_runs_as_a_script(tmp_path):
    path = tmp_path / "circuit.py"
    path.write_text(co.trace(circuit)(-2.0, 5.0, -4.0).code("python"))
    done = subprocess.run(
        [sys.executable, "-I", path], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.split("\n") == ["value = -12.0", "dx = -4.0", "dy = -4.0", "dz = 3.0", ""]


@FEWER
@given(programs())
def test_random_programs_printed_and_run(program: Written):
    t = traced(program)
    space = printed(t)
    args = copies(program.args)
    value, cache = space["forward"](*args, **large(t))
    assert_close(program, value, t.value)
    found = space["backward"](cache)
    for one, other in zip(found if isinstance(found, tuple) else (found,), t.grads, strict=True):
        assert_close(program, one, other)
        assert getattr(one, "dtype", float) == getattr(other, "dtype", float)
    for before, after in zip(program.args, args, strict=True):
        np.testing.assert_array_equal(before, after)


@FEWER
@given(programs())
def test_no_name_is_made_and_never_read(program: Written):
    for function in ast.parse(traced(program).code("python")).body:
        if isinstance(function, ast.FunctionDef):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            read = {name.id for name in names if isinstance(name.ctx, ast.Load)}
            assert {name.id for name in names if isinstance(name.ctx, ast.Store)} <= read


# --- particular things ----------------------------------------------------------------------------


def agrees(f: Any, *args: Any) -> str:
    """Check that the printed function gives what the traced one gave; return the text."""
    t = co.trace(f)(*args)
    space = printed(t)
    value, cache = space["forward"](*args, **large(t))
    np.testing.assert_allclose(value, t.value, rtol=1e-12)
    found = space["backward"](cache)
    for one, other in zip(found if isinstance(found, tuple) else (found,), t.grads, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-14)
    return t.code("python")


X = np.random.default_rng(1).normal(size=(4, 3))


@pytest.mark.parametrize(
    ("f", "defined"),
    [
        (lambda x: np.sum(nn.relu(x) + nn.sigmoid(x) * nn.softplus(x)), "softplus"),
        (lambda x: np.sum(nn.logsumexp(x, axis=1)), "logsumexp"),
        (lambda x: np.sum(nn.windows(x, (2, 2), stride=(1, 2), dilation=2) ** 2), "overlap_add"),
        (lambda x: np.sum(np.sinc(x)), "sinc_slope"),
    ],
)
def test_functions_that_numpy_lacks_are_defined_in_the_file(f: Any, defined: str):
    code = agrees(f, np.random.default_rng(2).normal(size=(5, 6)))
    assert f"def {defined}(" in code
    assert "corrente" not in code


def test_special_functions_come_from_scipy():
    special = pytest.importorskip("scipy.special")
    code = agrees(lambda x: np.sum(special.erf(x)), X)
    assert "from scipy import special" in code


def test_a_large_array_from_outside_is_asked_for():
    fixed = np.random.default_rng(3).normal(size=100)
    code = agrees(lambda x: np.sum(x * fixed), np.ones(100))
    assert "def forward(x, *, " in code
    assert "__main__" not in code


def test_several_outputs_of_one_gate():
    agrees(lambda x: np.sum(np.linalg.svd(x, full_matrices=False)[1] ** 2), X)


def test_what_the_value_does_not_depend_on_has_the_gradient_zero():
    code = agrees(lambda x, y, z: np.sum(x * 2.0), X, np.ones(2), 1.0)
    assert "# the value does not depend on y" in code


def test_a_written_array_is_not_written_while_a_view_of_it_is_read():
    def f(x):
        y = x * 2.0
        before = y[1:]
        y[0] = 5.0 * x[2]
        y[1] = y[0] * before[0]
        return np.sum(y) + np.sum(before * before)

    agrees(f, np.array([1.0, 2.0, 3.0]))


def test_a_kept_view_does_not_see_what_is_written_later():
    def f(x):
        y = x * 2.0
        squares = np.sum(y[1:] * y[1:])
        y[1] = 5.0 * x[0]
        return squares + np.sum(y * x)

    agrees(f, np.array([1.0, 2.0, 3.0]))


def test_no_step_gives_an_array_the_shape_it_has():
    code = agrees(lambda x, y: np.sum(np.sin(x) * y) + np.sum(x), 2.0, 3.0)
    assert "broadcast_to" not in code
    assert "reshape" not in code


def test_float32_stays_float32():
    x = X.astype(np.float32)
    t = co.trace(lambda x: np.mean(np.tanh(x)) * 3)(x)
    value, cache = printed(t)["forward"](x)
    assert value.dtype == np.float32
    assert printed(t)["backward"](cache).dtype == np.float32


def test_a_double_that_meets_single_precision_stays_one():
    tenth = np.float64(0.1)
    x = X.astype(np.float32)
    t = co.trace(lambda x: np.sum(x * tenth))(x)
    value, cache = printed(t)["forward"](x)
    assert value.dtype == np.float64
    np.testing.assert_array_equal(value, t.value)
    np.testing.assert_array_equal(printed(t)["backward"](cache), t.grads[0])


def test_names_that_would_hide_others_are_changed():
    def f(np_, cache, dout):
        special = cache * dout
        return special * np_

    agrees(f, 2.0, 3.0, 4.0)


def test_long_lines_are_broken_and_still_run():
    def f(long_name_of_weights, long_name_of_inputs, long_name_of_targets, long_name_of_scale):
        joined = np.concatenate(
            [long_name_of_weights, long_name_of_inputs, long_name_of_targets, long_name_of_scale]
        )
        return np.sum(joined**2)

    code = agrees(f, *(np.arange(3.0) + k for k in range(4)))
    assert max(map(len, code.splitlines())) <= 100


def test_the_path_that_was_taken_is_told():
    def f(x):
        if x > 1.0:
            return x * x
        return -x

    code = co.trace(f)(3.0).code("python")
    assert "x > 1.0 → True (f, line " in code
    assert "Vale para entradas que decidem" in co.trace(f)(3.0).code("python", lang="pt")


def test_several_results_have_no_backward_pass():
    t = co.trace(lambda x: (x * 2.0, x + 1.0))(X)
    first, second = printed(t)["forward"](X)
    np.testing.assert_array_equal(first, X * 2.0)
    np.testing.assert_array_equal(second, X + 1.0)
    assert "def backward" not in t.code("python")


def test_a_gate_of_the_users_own_is_named():
    cube = co.gate(lambda x: x**3).defpull(lambda g, out, x: g * 3.0 * x * x)
    with pytest.raises(NotSupported, match="your own"):
        co.trace(lambda x: cube(x) * 2.0)(2.0).code("python")


def test_long_programs_are_printed_in_time_that_grows_with_their_length():
    def f(x):
        buffer = np.zeros(400, like=x)
        for k in range(400):
            buffer[k] = x * k
        return np.sum(buffer)

    agrees(f, 1.5)
