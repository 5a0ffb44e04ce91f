"""How a student's file is read: names, pairs, both passes in one function, changed trees."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from corrente.homework.finding import pairs
from corrente.homework.instrumenting import instrument, swap
from corrente.homework.names import is_gradient, is_partial, local, primal
from corrente.homework.relations import relation
from corrente.homework.splitting import part
from corrente.homework.truth import close, partial_sums

KNOWN = {"x", "q", "W1", "out", "gamma", "next_h"}


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("dq", "q"),
        ("d_q", "q"),
        ("dW1", "W1"),
        ("grad_x", "x"),
        ("x_grad", "x"),
        ("g_q", "q"),
        ("gx", "x"),
        ("dL_dx", "x"),
        ("dLdx", "x"),
        ("dout", "out"),
        ("self.dW1", "W1"),
        ("grads['W1']", "W1"),
        ("grads['dW1']", "W1"),
        ("dx1", "x"),
        ("dx_total", "x"),
        ("dgamma", "gamma"),
        ("dnext_h", "next_h"),
        ("dw1", "W1"),
        ("x", None),
        ("mask", None),
        ("data", None),
        ("den", None),
    ],
)
def test_gradients_are_known_by_their_names(name: str, of: str | None):
    assert primal(name, KNOWN) == of
    assert is_gradient(name, KNOWN) == (of is not None)


def test_local_gradients_and_parts():
    assert local("dqdx", KNOWN) == ("q", "x")
    assert local("dq_dx", KNOWN) == ("q", "x")
    assert local("dz", KNOWN) is None
    assert is_partial("dx1", KNOWN)
    assert not is_partial("dW1", KNOWN)


def test_pairs_are_found_by_name():
    source = """
def relu_forward(x): return x
def relu_backward(dout, cache): return dout
def relu_backward_alt(dout, cache): return 1 * dout
def f(x): return x
def f_backward(dout): return dout
def norm(x): return x
def norm_grad(x): return x
def both(x):
    q = x * x
    dx = 2 * x
    return q, dx
def neither(x): return x
class Layer:
    def forward(self, x): return x
    def backward(self, dout): return dout
"""
    found = {(pair.forward, pair.backward) for pair in pairs(ast.parse(source))}
    assert found == {
        ("relu_forward", "relu_backward"),
        ("relu_forward", "relu_backward_alt"),
        ("f", "f_backward"),
        ("norm", "norm_grad"),
        ("both", "both"),
        ("Layer.forward", "Layer.backward"),
    }


def function(source: str) -> ast.FunctionDef:
    node = ast.parse(source).body[0]
    assert isinstance(node, ast.FunctionDef)
    return node


def test_a_function_of_both_passes_is_parted():
    parted = part(
        function("""
def f(x, y):
    q = x * y
    s = q + y
    ds = 1.0
    dtmp = ds * 1
    dq = dtmp
    dy = x * dq
    dy += ds
    return s, dy
""")
    )
    assert parted is not None
    assert parted.outs == ("s",)
    assert parted.gradients == {"ds", "dtmp", "dq", "dy"}
    assert ast.unparse(parted.forward).splitlines()[1:] == [
        "    q = x * y",
        "    s = q + y",
        "    return (s,)",
    ]
    assert part(function("def f(x):\n    y = x * 2\n    return y")) is None


def test_a_tree_is_changed_at_one_place_and_the_old_one_is_left_alone():
    tree = ast.parse("a = b + c\nd = a * a")
    first = tree.body[0]
    assert isinstance(first, ast.Assign)
    changed = swap(tree, first.value, ast.Name("z", ast.Load()))
    assert ast.unparse(changed) == "a = z\nd = a * a"
    assert ast.unparse(tree) == "a = b + c\nd = a * a"
    doubled = swap(tree, first, [first, first])
    assert ast.unparse(doubled) == "a = b + c\na = b + c\nd = a * a"


def test_sites_know_what_they_write_and_read():
    source = "def f(x, g):\n    y = x.T @ g\n    y[0] += x\n    g['W'] = y\n    return y"
    _, sites = instrument({"f": function(source)})
    told = [(site.line, site.writes, site.builds) for site in sites]
    assert told == [(2, ("y",), False), (3, ("y",), True), (4, ("g['W']",), False), (5, (), False)]
    assert {"x", "g"} <= sites[0].reads


def test_partial_sums_leave_the_whole_out():
    parts = [np.float64(1.0), np.float64(2.0), np.float64(4.0)]
    assert sorted(float(s) for s in partial_sums(parts)) == [1, 2, 3, 4, 5, 6]
    assert partial_sums(parts[:1]) == []


def test_closeness_is_strict_about_shapes_only_where_asked():
    assert close(np.ones((3, 1)), np.ones(3))
    assert not close(np.ones((3, 1)), np.ones(3), strict=True)
    assert not close(np.ones(3) * (1 + 1e-5), np.ones(3))
    assert not close(np.array([np.nan]), np.ones(1))


@pytest.mark.parametrize(
    ("found", "mistake"),
    [
        (lambda g: -g, "sign"),
        (lambda g: 2 * g, "factor"),
        (lambda g: 5 * g, "mean"),
        (lambda g: g / 5, "mean"),
        (lambda g: g / 7, "local"),
        (lambda g: g.T, "transpose"),
        (lambda g: g[:, :, None], "keepdims"),
        (lambda g: np.stack([g, g]), "sum"),
        (lambda g: g + 0.1, None),
    ],
)
def test_numbers_alone_betray_some_mistakes(found, mistake):
    true = np.array([[1.0, 2.0, 3.0], [4.0, -5.0, 7.0]])
    assert relation(found(true), true, {5}) == mistake
