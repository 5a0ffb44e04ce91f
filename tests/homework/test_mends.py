"""Each rule of the search finds the mistake it is for; inputs and caches are read as meant."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from corrente.homework import check_backward
from corrente.homework.files import check_file

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
import collection  # noqa: E402  # a module of this folder

MENDS = list(collection.wrongs("mends"))
RNG = np.random.default_rng(5)


def test_there_are_mistakes_of_many_kinds():
    assert len({code for wrong in MENDS for code in wrong.mistakes}) >= 11


@pytest.mark.parametrize("wrong", MENDS, ids=lambda wrong: wrong.id)
def test_a_rule_names_the_line_and_the_mistake(wrong: collection.Wrong):
    verdict = collection.check(wrong)
    assert verdict.line in collection.lines_of(wrong)
    assert verdict.mistake in wrong.mistakes


@pytest.mark.parametrize("file", sorted((HERE / "mends").glob("*.py")), ids=lambda f: f.stem)
def test_the_passes_they_are_made_of_are_right(file: Path):
    assert [verdict.render() for verdict in check_file(file) if not verdict.ok] == []


def written(folder: Path, source: str, inputs: str) -> Path:
    file = folder / "homework.py"
    file.write_text(f"import numpy as np\n{source}\ninputs = {inputs}\n", encoding="utf-8")
    return file


def test_what_only_gets_another_shape_was_wrong_before(tmp_path: Path):
    source = """
def cubes_forward(x, w):
    z = (x @ w).ravel()
    return np.mean(z ** 3), (x, w, z)
def cubes_backward(dout, cache):
    x, w, z = cache
    dz = dout * np.log(9 + z) / len(z)
    dz = dz.reshape(-1, 1)
    return dz @ w.T, x.T @ dz
"""
    inputs = "{'cubes_forward': (np.arange(6.0).reshape(2, 3) + 1.1, np.array([[.3], [.2], [.7]]))}"
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert verdict.code.startswith("dz = dout * np.log")


def test_a_line_that_is_missing_after_a_loop_is_not_one_in_the_loop(tmp_path: Path):
    source = """
def squares(W, X, t, reg):
    loss, dW = 0.0, np.zeros_like(W)
    for i in range(len(X)):
        r = X[i] @ W - t[i]
        loss += r * r
        dW[:] += 2 * r * X[i]
    loss = loss / len(X) + reg * (W * W).sum()
    dW /= len(X)
    dW += 2 * reg * W
    return loss, dW
"""
    inputs = (
        "{'squares': (np.array([.3, -.2]), np.array([[1.2, .7], [-.3, 1.9], [.6, -.8]]), "
        "np.array([.4, -.9, 1.1]), 0.3)}"
    )
    for gone, mistake, left in (
        ("    dW /= len(X)\n", "mean", "dW += 2 * reg * W"),
        ("    dW += 2 * reg * W\n", "regularisation", "dW /= len(X)"),
    ):
        (verdict,) = check_file(written(tmp_path, source.replace(gone, ""), inputs))
        assert (verdict.mistake, verdict.code) == (mistake, left)


def test_a_penalty_that_some_weights_lack_is_called_regularisation(tmp_path: Path):
    source = """
def net_forward(theta, x, reg):
    h = np.tanh(x @ theta["w"] + theta["b"])
    return (h ** 2).mean() + reg * sum((p ** 2).sum() for p in theta.values()), (theta, x, reg, h)
def net_backward(dout, cache):
    theta, x, reg, h = cache
    da = dout * 2 * h * (1 - h ** 2) / h.size
    g = {"w": x.T @ da, "b": da.sum(0)}
    for name in ("w",):
        g[name] += 2 * dout * reg * theta[name]
    return g
"""
    inputs = (
        "{'net_forward': ({'w': np.array([[.3, -.2], [.5, .9]]), 'b': np.array([.4, -.7])}, "
        "np.array([[1.2, .7], [-.3, 1.9], [.6, -.8]]), 0.3)}"
    )
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert verdict.mistake == "regularisation"


def test_what_all_wrong_values_are_made_of_is_the_suspect(tmp_path: Path):
    source = """
def cell_forward(f, i, o, c):
    new = f * c + i
    return o * np.sin(new), new, (f, i, o, c, new)
def cell_backward(dout, dnew, cache):
    f, i, o, c, new = cache
    inner = dnew * np.exp(new / 9)
    df = inner * c
    di = inner
    dc = inner * f
    return df, di, dout * np.sin(new), dc
"""
    inputs = "{'cell_forward': tuple(np.array([[.3, -.2], [.5, k]]) for k in (.9, .4, .8, 1.3))}"
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert verdict.variable == "inner"


def test_a_parameter_may_stand_for_what_the_forward_pass_returns():
    def squash(x):
        return np.tanh(x)

    def squash_backward(ct, y):
        return ct * (1 - y**2)

    def wrong_backward(ct, y):
        return ct * (1 + y**2)

    x = RNG.normal(size=4)
    verdict = check_backward(squash, squash_backward, x)
    assert verdict.ok
    assert "y was taken for what the forward pass returns" in verdict.says.en
    assert "y foi tomado pelo que o passo de ida devolve" in verdict.says.pt
    assert check_backward(squash, wrong_backward, x).mistake == "sign"


def test_an_output_may_be_taken_beside_a_cache_of_any_name():
    def layer(x, w):
        return np.tanh(x * w), (x, w)

    def layer_backward(above, stuff, y):
        x, w = stuff
        inner = above * (1 - y**2)
        return inner * w, inner * x

    assert check_backward(layer, layer_backward, RNG.normal(size=4), RNG.normal(size=4)).ok


def test_what_several_wrong_gradients_lack_is_missing_where_they_part(tmp_path: Path):
    source = """
def net(X, W1, b1, w2, t):
    hidden = np.maximum(0, X @ W1 + b1)
    r = hidden @ w2 - t
    loss = 0.5 * r @ r
    dr = r
    dw2 = hidden.T @ dr
    dhidden = np.outer(dr, w2)
    dW1 = X.T @ dhidden
    db1 = dhidden.sum(axis=0)
    return loss, dW1, db1, dw2
"""
    inputs = (
        "{'net': (np.array([[1.2, .7], [-.3, 1.9], [.6, -.8]]), np.array([[.3, -.2], [.5, .9]]), "
        "np.array([.1, -.4]), np.array([.7, -1.1]), np.array([.4, -.9, 1.1]))}"
    )
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert (verdict.variable, verdict.mistake) == ("dhidden", "mask")


def test_a_gradient_is_not_taken_for_an_output():
    def softmax(z):
        e = np.exp(z)
        return e / e.sum()

    def softmax_backward(gp, p):
        return gp * (p - (gp * p).sum())

    assert not check_backward(softmax, softmax_backward, RNG.normal(size=4)).ok


def test_the_same_parameter_may_come_first_or_second():
    def cube(x):
        return x**3

    def cube_grad(point, v):
        return 3 * point**2 * v

    def cube_vjp(v, point):
        return 3 * point**2 * v

    x = RNG.normal(size=4)
    assert check_backward(cube, cube_grad, x).ok
    assert check_backward(cube, cube_vjp, x).ok


def test_a_backward_pass_without_its_forward_pass_is_not_one_of_both(tmp_path: Path):
    source = """
def other(x):
    return 3 * x
def other_backward(dout):
    return 3 * dout
def stray_backward(dout, cache):
    x, w = cache
    dx = dout * w
    return dx
"""
    found = check_file(written(tmp_path, source, "{}"))
    assert [verdict.name for verdict in found] == ["other_backward"]


def test_gradients_in_lists_and_dictionaries_of_a_layer_are_judged(tmp_path: Path):
    source = """
class Layer:
    def __init__(self):
        self.params = {"W": np.array([[.3, -.2], [.5, .9]])}
        self.biases = [np.array([.4, -.7]), np.array([[.1], [.2]])]
    def forward(self, x):
        self.x = x
        return (x @ self.params["W"] + self.biases[0]) @ self.biases[1]
    def backward(self, dout):
        dh = dout @ self.biases[1].T
        h = self.x @ self.params["W"] + self.biases[0]
        self.grads = {"W": self.x.T @ dh}
        self.grad_biases = [dh.sum(axis=0), h.T @ dout]
        return dh @ self.params["W"].T
"""
    inputs = "{'Layer': lambda: (Layer(), np.array([[1.2, .7], [-.3, 1.9], [.6, -.8]]))}"
    for right, wrong in (("self.x.T @ dh}", "self.x.T @ -dh}"), ("h.T @ dout", "-h.T @ dout")):
        (verdict,) = check_file(written(tmp_path, source, inputs))
        assert verdict.ok
        (verdict,) = check_file(written(tmp_path, source.replace(right, wrong), inputs))
        assert not verdict.ok


def test_gradients_of_nested_lists_and_dictionaries_are_judged(tmp_path: Path):
    source = """
def net_forward(x, layers, more):
    h = x
    for w, b in layers:
        h = np.tanh(h @ w + b)
    return h * more["last"]["s"], (x, layers, more)
def net_backward(dout, cache):
    x, layers, more = cache
    hs = [x]
    for w, b in layers:
        hs.append(np.tanh(hs[-1] @ w + b))
    grads = {"last": {"s": (dout * hs[-1]).sum(axis=0)}}
    d, parts = dout * more["last"]["s"], []
    for k in (1, 0):
        d = d * (1 - hs[k + 1] ** 2)
        parts.insert(0, (hs[k].T @ d, d.sum(axis=0)))
        d = d @ layers[k][0].T
    return d, parts, grads
"""
    inputs = (
        "{'net_forward': lambda: (np.array([[1.2, .7], [-.3, 1.9], [.6, -.8]]), "
        "[(np.eye(2) + .1 * k, np.array([.1, .2]) * k) for k in (1, 2)], "
        "{'last': {'s': np.array([.5, .9])}})}"
    )
    for right, wrong in (("d.sum(axis=0)))", "-d.sum(axis=0)))"), ("hs[-1]).sum", "hs[0]).sum")):
        (verdict,) = check_file(written(tmp_path, source, inputs))
        assert verdict.ok
        (verdict,) = check_file(written(tmp_path, source.replace(right, wrong), inputs))
        assert not verdict.ok


def test_a_cache_in_the_module_begins_alike_every_time(tmp_path: Path):
    source = """
SEEN, COUNT = [], {"calls": 0}
def scale_forward(x):
    SEEN.append(x)
    COUNT["calls"] += 1
    return x * COUNT["calls"] * len(SEEN)
def scale_backward(dout):
    return dout * SIGN * COUNT["calls"] * len(SEEN)
SIGN = 1
"""
    inputs = "{'scale_forward': (np.array([1.2, .7, -.3]),)}"
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert verdict.ok
    (verdict,) = check_file(written(tmp_path, source.replace("SIGN = 1", "SIGN = -1"), inputs))
    assert verdict.mistake == "sign"


def test_rounding_is_no_mistake_where_gradients_cancel_out():
    def whiten(x, b):
        z = 100 * (x + b)
        return z - z.mean(axis=0), x

    def whiten_backward(dout, cache):
        dz = 100 * (dout - dout.mean(axis=0))
        return dz, np.cumsum(dz[::-1], axis=0)[-1]

    def wrong_backward(dout, cache):
        dz = 100 * (dout - dout.mean(axis=0))
        return dz, dz.sum(axis=0) + 1e-6

    x, b = RNG.normal(size=(50, 3)), RNG.normal(size=3)
    assert check_backward(whiten, whiten_backward, x, b).ok
    assert not check_backward(whiten, wrong_backward, x, b).ok


def test_types_of_numbers_stay_types_while_the_forward_pass_is_traced():
    def masked(x):
        out = np.zeros(x.shape, dtype=np.float64) + x * (x > 0).astype(float)
        assert isinstance(float(x[0]), float)
        return np.float32(0.5) * out, x

    def masked_backward(dout, cache):
        return 0.5 * dout * (cache > 0)

    def wrong_backward(dout, cache):
        dx = 0.5 * dout * (cache < 0)
        return dx  # noqa: RET504

    x = RNG.normal(size=4)
    assert check_backward(masked, masked_backward, x).ok
    # where the forward pass is not traced there is nothing to draw
    assert check_backward(masked, wrong_backward, x).picture is not None


def test_what_lets_nothing_through_is_not_called_a_mask():
    def first(x, y):
        return 2 * x + 0 * y, (x, y)

    def first_backward(dout, cache):
        x, y = cache  # noqa: RUF059  # words for the search
        dy = dout
        dx = 2 * dout
        return dx, dy

    verdict = check_backward(first, first_backward, RNG.normal(size=4), -np.arange(1.0, 5.0))
    assert verdict.variable == "dy"
    assert verdict.mistake != "mask"


def test_gradients_that_are_all_called_the_same_are_gradients(tmp_path: Path):
    source = """
def one_name(x, w):
    h = np.tanh(w @ x)
    loss = h.sum()
    g = 1.0
    g = g * (1 - h * h)
    gw = np.outer(g, x)
    g = w.T @ g
    return loss, g, gw
"""
    inputs = "{'one_name': (np.array([.3, -.2]), np.array([[.5, .9], [-.4, .7]]))}"
    (verdict,) = check_file(written(tmp_path, source, inputs))
    assert [name for name, _ in verdict.gradients] == ["g", "gw"]
    wrong = source.replace("w.T @ g", "w @ g")
    (verdict,) = check_file(written(tmp_path, wrong, inputs))
    assert verdict.mistake == "transpose"
