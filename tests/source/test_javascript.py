"""Printed JavaScript gives the interpreter's numbers, where there is a Node to run it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import corrente as co
from corrente.errors import NotSupported

NODE = shutil.which("node")
X = np.random.default_rng(4).normal(size=(4, 3))


def circuit(x, y, z):
    q = x + y
    f = q * z
    return f  # noqa: RET504  (named, as in the notes)


def layer(X, W, b, y):
    scores = np.maximum(0, X @ W + b)
    p = np.exp(scores) / np.sum(np.exp(scores), axis=1, keepdims=True)
    return -np.mean(np.log(p[np.arange(len(y)), y]))


def masked(x):
    y = x * 1.0
    y[x > 0] = 2.0 * x[0, 0]
    return np.sum(np.where(np.any(y > 1, axis=0), y, y * y))


def test_the_text_of_the_circuit_of_the_notes():
    code = co.trace(circuit)(-2.0, 5.0, -4.0).code("javascript")
    lines = [line.strip() for line in code.splitlines()]
    assert lines[1:5] == [
        "function circuit(x, y, z) {",
        "const q = x + y;",
        "const f = q * z;",
        "return { value: f, dx: z, dy: z, dz: q };",
    ]
    assert lines[-2] == "console.log(circuit(-2.0, 5.0, -4.0));"


@pytest.mark.skipif(NODE is None, reason="no Node on this machine")
@pytest.mark.parametrize(
    ("f", "args"),
    [
        (circuit, (-2.0, 5.0, -4.0)),
        (layer, (X, np.ones((3, 2)) * [0.1, 0.3], np.zeros(2), np.array([0, 1, 1, 0]))),
        (masked, (X,)),
        (lambda x: np.sum(np.tanh(x) ** 2 % 0.3 + np.rint(x)), (X,)),
        (lambda x: np.mean(np.sin(x) * 3), (X.astype(np.float32),)),
        (lambda x, y: np.sum(x), (X, 1.0)),
    ],
)
def test_it_gives_the_same_numbers(f: Any, args: tuple[Any, ...], tmp_path: Path):
    t = co.trace(f)(*args)
    definition, _, main = t.code("javascript").partition("\nif (typeof require")
    called = main.split("console.log(")[1].split(");\n}")[0]
    listed = "Object.values(o).map((x) => (x.length ? Array.from(x) : [x]))"
    file = tmp_path / "f.js"
    file.write_text(f"{definition}\nconst o = {called};\nconsole.log(JSON.stringify({listed}));")
    done = subprocess.run([str(NODE), file], capture_output=True, text=True, check=True)
    single = any(getattr(x, "dtype", None) == np.float32 for x in args)
    close = {"rtol": 1e-5 if single else 1e-12, "atol": 1e-6 if single else 1e-14}
    wanted = [t.value, *(gradient for gradient in t.grads if gradient is not None)]
    for found, expected in zip(json.loads(done.stdout), wanted, strict=True):
        np.testing.assert_allclose(found, np.ravel(expected), **close)


def test_a_gate_without_javascript_is_named():
    with pytest.raises(NotSupported, match="cholesky has no JavaScript yet"):
        co.trace(lambda x: np.sum(np.linalg.cholesky(x @ x.T + np.eye(4))))(X).code("javascript")
